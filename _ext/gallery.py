"""Sphinx extension: ``{gallery}`` shows every chapter with a picture, its finding and the minutes it takes to read.

Each line of the directive is "chapter: finding" or "chapter (name of a figure): finding"; without a name the first
figure is shown.
"""

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


LINE = re.compile(r"(\w+)(?: \(([\w-]+)\))?: (.+)")


def picture_of(cells, name=None):
    """The figure of that name, or the first one with a text, as (PNG in base64, text, CSS class)."""
    for cell in cells:
        mystnb = cell["metadata"].get("mystnb", {})
        image = mystnb.get("image", {})
        if name and mystnb.get("figure", {}).get("name") != name:
            continue
        for output in cell.get("outputs", []):
            if "alt" in image and (png := output.get("data", {}).get("image/png")):
                return "".join(png), image["alt"], image.get("classes", "")
    return None


def small(png):
    """A picture as wide as the gallery shows it, in base64."""
    image = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    image.thumbnail((WIDTH, WIDTH))
    image.quantize(48, method=Image.Quantize.MAXCOVERAGE).save(
        written := io.BytesIO(), "PNG", optimize=True
    )
    return base64.b64encode(written.getvalue()).decode()


class Gallery(SphinxDirective):
    """Links to the chapters beside the page, in the order of the table of contents."""

    has_content = True

    def run(self):
        lines = [LINE.fullmatch(line) for line in self.content if line.strip()]
        if not all(lines):
            raise self.error("every line of a gallery is 'chapter: finding'")
        told = {line[1]: (line[2], line[3]) for line in lines}
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
            if path.stem not in told:
                raise self.error(f"the gallery has no finding of {path.stem}")
            name, finding = told[path.stem]
            picture = picture_of(cells, name)
            if name and not picture:
                raise self.error(f"{path.stem} has no figure {name}")
            number = re.match(r"(\d\d)_(?!audit)", path.stem)
            title = f"{int(number[1])} {title}" if number else title
            image = ""
            if picture:
                png, text, look = picture
                image = f'<img src="data:image/png;base64,{small(png)}" alt="{escape(text)}" class="{look}">'
            entries.append(
                f'<li><a href="{path.stem}.html">{image}<span>{escape(title)}</span></a>'
                f"<p>{escape(finding)}</p> {minutes} minutes</li>"
            )
        return [nodes.raw("", f'<ul class="gallery">{"".join(entries)}</ul>', format="html")]


def setup(app):
    app.add_directive("gallery", Gallery)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
