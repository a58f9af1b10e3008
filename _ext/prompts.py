"""Sphinx extension: folded code says whose code it is, such as "Code of this figure"."""

import re
from pathlib import Path

CELL = re.compile(r'<div class="cell [^"]*tag_hide-.*?(?=<div class="cell |</section>)', re.DOTALL)
PROMPT = re.compile(r"(?:Show|Hide) code cell (?:source|content)")
OUTPUT = re.compile(r"(Show|Hide) code cell output")


def prompt(cell):
    """What a folded cell shows, in words."""
    _, _, shown = cell.partition('<div class="cell_output')
    if "tag_hide-cell" in cell.partition(">")[0]:
        kind = "figure" if "<img " in shown else "table" if "<table " in shown else "output"
        return f"The {kind} and its code" if shown else "The code"
    if "<img " in shown or "<svg " in shown:
        return "Code of this figure"
    if "<table " in shown:
        return "Code of this table"
    if shown:
        return "Code of these numbers"
    return "Imports and settings" if ">import<" in cell else "Code behind what follows"


def name_prompts(cell):
    """The cell with words of its own on what is folded: its code, and the table that it shows."""
    shown = "table" if "<table " in cell else "output"
    return OUTPUT.sub(rf"\1 the {shown}", PROMPT.sub(prompt(cell), cell))


def name_folds(app, exception):
    """Write the prompts into every page."""
    if exception is not None or app.builder.format != "html":
        return
    for page in Path(app.outdir).rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        named = CELL.sub(lambda match: name_prompts(match[0]), text)
        if named != text:
            page.write_text(named, encoding="utf-8")


def setup(app):
    app.connect("build-finished", name_folds)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
