"""Sphinx extension: ``{gallery}`` shows every chapter with its first picture and the minutes it takes to read."""

import base64
import io
import json
import re
from html import escape
from pathlib import Path

import yaml
from docutils import nodes
from PIL import Image
from sphinx.util.docutils import SphinxDirective

WIDTH = 240  # of a picture, in pixels
WORDS_A_MINUTE = 200


def first_picture(cells):
    """The first figure with a text, as (PNG in base64, text)."""
    for cell in cells:
        text = cell["metadata"].get("mystnb", {}).get("image", {}).get("alt")
        for output in cell.get("outputs", []):
            if text and (png := output.get("data", {}).get("image/png")):
                return "".join(png), text
    return None


def small(png):
    """A picture as wide as the gallery shows it, in base64."""
    image = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    image.thumbnail((WIDTH, WIDTH))
    image.quantize(48).save(written := io.BytesIO(), "PNG", optimize=True)
    return base64.b64encode(written.getvalue()).decode()


class Gallery(SphinxDirective):
    """Links to the chapters beside the page, in the order of the table of contents."""

    def run(self):
        root = Path(self.env.srcdir)
        toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
        entries = []
        for page in (page["file"] for part in toc["parts"] for page in part["chapters"]):
            path = root / f"{page}.ipynb"
            if not path.exists():
                continue
            self.env.note_dependency(str(path))
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
            words = [
                "".join(cell["source"])
                for cell in cells
                if "remove-cell" not in cell["metadata"].get("tags", [])
            ]
            title = re.search(r"^# (.+)$", words[0], flags=re.MULTILINE)[1]
            minutes = max(1, round(sum(len(text.split()) for text in words) / WORDS_A_MINUTE))
            picture = first_picture(cells)
            image = (
                f'<img src="data:image/png;base64,{small(picture[0])}" alt="{escape(picture[1])}" class="dark-light">'
                if picture
                else ""
            )
            entries.append(
                f'<li><a href="{path.stem}.html">{image}<span>{escape(title)}</span></a> {minutes} minutes</li>'
            )
        return [nodes.raw("", f'<ul class="gallery">{"".join(entries)}</ul>', format="html")]


def setup(app):
    app.add_directive("gallery", Gallery)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
