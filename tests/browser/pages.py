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
from types import ModuleType

import numpy as np
from scipy.stats import norm

HERE = Path(__file__).parent
CHAPTERS = ["book/01_imbalance.html", "book/04_sphere.html", "book/12_sensitivity.html"]


def script(name: str) -> ModuleType:
    """Load the script of the book that writes a figure."""
    path = HERE.parents[1] / "book" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def how_many_rows() -> list[dict]:
    """Compute what "How many rows" shows at several settings of its sliders."""
    figure = script("how_many_rows")
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


def the_climb() -> dict:
    """Compute with simpor what "The climb" shows, by each of the three climbs.

    The settings of a case are what the figure's function `check` takes, its other keys what that
    returns.
    """
    figure = script("the_climb")
    A, B = figure.data()
    points = [[-2.9, 1.9], [0, 0], [2.5, -1.7], [1, 0.3], [40, -7]]

    def case(A, B, first, radius, bandwidth, name):
        ratio = figure.fit(A, B, bandwidth)
        climbed = figure.climb(ratio, B[0], radius, first, name)
        return {
            "settings": {
                "first": first,
                "radius": radius,
                "bandwidth": bandwidth,
                "name": name,
                "rows": {"A": A.tolist(), "B": B.tolist()},
                "points": points,
            },
            "sentence": figure.sentence(climbed, name),
            "values": ratio.log_ratio(points).tolist(),
            **climbed,
        }

    def moved(x, y):
        return np.vstack([[x, y], B[1:]])

    # on the third place and the fifth a turn ends higher and no maximum fits: the next is twice as long
    shown = [figure.SLIDERS[key][-1] for key in ("first", "radius", "bandwidth")]
    places = [(A, B, *shown), (A, B, 100, 0.8, 0.4), (A, moved(-1.12, 0.6), 43, 0.8, 0.15)]
    places += [(A, moved(-1.9, 0.2), 5, 0.1, 1.5), (A, moved(-2.09, 0.83), 14, 0.96, 0.26)]
    places += [(A[:7], B[:1], 181, 0.55, 0.62), (A[:1], moved(-3, -2)[:9], 77, 1.73, 0.9)]
    places += [(A, moved(1.61, 1.41), 345, 1.47, 0.69)]  # its turns end at the gradient's direction
    cases = [case(*place, name) for place in places for name in figure.CLIMBS]
    adaptive = next(one for one in cases if one["settings"]["name"] == figure.SHOWN)
    added = np.vstack([B, np.round(adaptive["end"], 2)])
    return {"cases": cases, "shown": adaptive, "added": case(A, added, *shown, figure.SHOWN)}


def threshold_and_costs() -> dict:
    """Compute what "Threshold and costs" shows at settings of its sliders, and after its button."""
    figure = script("threshold_and_costs")

    def case(chosen):
        found = figure.measures(**chosen)
        drawn = figure.drawing(chosen, found)
        return {
            "chosen": chosen,
            "found": found,
            "sentence": figure.sentence(chosen, found),
            "paths": {name: path for name, path in drawn.items() if str(path).startswith("M")},
        }

    first = [slider[-1] for slider in figure.SLIDERS.values()]
    values = [first, [0.4, 1, 0, 0], [3.1, 3.5, -3, 2.45], [-3.5, 0.5, -3, -1]]
    values += [[7.5, 4, -2.05, 3], [2.25, 2.5, -0.7, -0.4]]
    cases = []
    for one in values:
        sliders = dict(zip(figure.SLIDERS, one, strict=True))
        chosen = figure.settings(**sliders)
        cheapest = {**chosen, "c": figure.measures(**chosen)["best"]}
        cases.append({"sliders": sliders, **case(chosen), "cheapest": case(cheapest)})
    scores = [-37, -19.5, -8, -3, -2.5000001, -2.4999999, -1, -1e-9, 0, 0.3, 2.4, 2.6, 9]
    return {"cases": cases, "scores": scores, "cdf": norm.cdf(scores).tolist()}


def expected() -> dict:
    """Compute what the figures show; that of "Who may choose?" from the records."""
    who_may_choose = script("who_may_choose")
    numbers = who_may_choose.numbers(who_may_choose.scores())
    figures = {"rows": how_many_rows(), "climb": the_climb(), "costs": threshold_and_costs()}
    return {**numbers, "shown": who_may_choose.SHOWN, **figures}


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
