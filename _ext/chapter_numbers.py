"""Sphinx extension: chapters carry the numbers of their files, above the title and in the list at the left.

An appendix, such as book/11_audit, names its chapter in its title and carries no number of its own.
"""

import re
from pathlib import Path

IN_LIST = re.compile(
    r'(<li class="toctree-l1[^"]*"><a class="[^"]*" href="(?:[^"]*/)?(\d\d)_(?!audit)\w+\.html">)(?!\d)'
)
OPEN_IN_LIST = re.compile(
    r'(<li class="toctree-l1 current active"><a class="[^"]*" href="#">)(?!\d)'
)
TITLE = re.compile(r"((?:<span id=\"[^\"]*\"></span>)*<h1>)(?=[^<]*<a class=\"headerlink\")")


def number_chapters(app, exception):
    """Write the numbers into every page."""
    if exception is not None or app.builder.format != "html":
        return
    for page in Path(app.outdir).rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        numbered = IN_LIST.sub(lambda match: f"{match[1]}{int(match[2])} ", text)
        if own := re.match(r"(\d\d)_(?!audit)", page.name):
            number = int(own[1])
            numbered = OPEN_IN_LIST.sub(rf"\g<1>{number} ", numbered)
            label = f'<p class="chapter-number">Chapter {number}</p>'
            if label not in numbered:
                numbered = TITLE.sub(rf"{label}\n\g<1>", numbered, count=1)
        if numbered != text:
            page.write_text(numbered, encoding="utf-8")


def setup(app):
    app.connect("build-finished", number_chapters)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
