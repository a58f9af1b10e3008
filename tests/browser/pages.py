"""Look at the built book in headless Chromium: ``python tests/browser/pages.py _build/html``.

What the figures should show is computed from the records here; ``figures.mjs`` operates them, and
prints three chapters. Without Node.js or Chromium one sentence says so, and nothing is looked at.
"""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
CHAPTERS = ["book/01_imbalance.html", "book/04_sphere.html", "book/12_sensitivity.html"]


def how_many_rows() -> list[dict]:
    """Compute what "How many rows" shows at several settings of its sliders."""
    path = HERE.parents[1] / "book" / "how_many_rows.py"
    spec = importlib.util.spec_from_file_location("how_many_rows", path)
    figure = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(figure)
    settings = [tuple(figure.SHOWN.values())]
    settings += [(50, 0.375, 4), (50, -0.125, 0.8), (10, 0, 0), (200, 0.45, 2.35), (500, 0.5, 5)]
    settings += [(300, 1, 3.15), (120, 0.1, 1.25)]
    return [
        {
            "setting": setting,
            "sentence": figure.sentence(*setting),
            **figure.numbers(*setting),
        }
        for setting in settings
    ]


def expected() -> dict:
    """Compute what the figures show; that of "Who may choose?" from the records."""
    path = HERE.parents[1] / "book" / "who_may_choose.py"
    spec = importlib.util.spec_from_file_location("who_may_choose", path)
    who_may_choose = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(who_may_choose)
    numbers = who_may_choose.numbers(who_may_choose.scores())
    return {**numbers, "shown": who_may_choose.SHOWN, "rows": how_many_rows()}


def main(folder: str) -> int:
    """Run ``figures.mjs`` on a built book; 0 if it finds nothing, or cannot look."""
    names = ("chromium", "chromium-browser", "google-chrome")
    browser = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if not (browser and shutil.which("npm")):
        print(
            "The pages were not looked at: that needs Node.js with npm, and Chromium or CHROMIUM=..."
        )
        return 0
    if not (HERE / "node_modules").exists():
        install = ["npm", "install", "--silent", "--no-package-lock", "--prefix", HERE]
        subprocess.run(install, check=True)
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(expected(), file)
        file.flush()
        command = ["node", HERE / "figures.mjs", folder, file.name, *CHAPTERS]
        return subprocess.run(
            command, check=False, env={**os.environ, "CHROMIUM": browser}
        ).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
