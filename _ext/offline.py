"""Sphinx extension: the built pages need no network, run each inline script once, and name their parts."""

import importlib.util
import re
from pathlib import Path

from sphinx.util.fileutil import copy_asset

# The build with all TeX extensions inside: the plain one fetches some when a formula needs them.
SCRIPT = "tex-chtml-full.js"
FONTS = "output/chtml/fonts/woff-v2"

# What theme, docutils and pandas write, and what a browser or a screen reader wants instead. They reach
# pages from many templates, so the finished pages are rewritten. None finds anything to do a second time.
REPAIRS = [
    # On a first visit no mode is stored, and the theme complains about the empty one.
    (r'getItem\("mode"\) \|\| ""', 'getItem("mode") || "auto"'),
    (
        r'getItem\("theme"\) \|\| ""',
        'getItem("theme") || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")',
    ),
    # A label that differs from the text that is seen: who speaks the text to the browser is not understood.
    (r'<summary aria-label="Toggle hidden content">', "<summary>"),
    (r'(<button class="btn search-button-field [^>]*) aria-label="Search"', r"\1"),
    (r'(<i class="theme-switch [^>]*) +title="[^"]*"', r'\1 aria-hidden="true"'),
    # The book's title stands outside all landmarks.
    (r'(<div id="pst-primary-sidebar" class="[^"]*")>', r'\1 role="navigation" aria-label="Book">'),
    # A list without list items, and a role that is no longer one.
    (r'<div role="list" class="citation-list">', '<div class="citation-list">'),
    (r' role="doc-biblioentry"', ""),
    # Every algorithm, every exercise and every solution would have the same name for its content.
    (r' id="(?:proof|exercise|solution)-content"', ""),
    # The empty corner of a table is no heading.
    (r'<th(?: class="head")?>(?:&nbsp;|<p></p>)?</th>', "<td></td>"),
    # Mean and spread stay together.
    (r"(<td>-?[\d.]+%?) \+/- (?=\d)", "\\1 \N{PLUS-MINUS SIGN}\N{NO-BREAK SPACE}"),
]


def copy_mathjax(app, exception):
    """Take MathJax from an installed package: its script and its fonts, 1.7 of 24 MB."""
    if exception is not None:
        return
    # The package's module name has hyphens, so that it cannot be imported by a statement.
    package = Path(importlib.util.find_spec("sphinx-mathjax-offline").origin).parent
    source, target = package / "static" / "mathjax", Path(app.outdir) / "_static" / "mathjax"
    copy_asset(source / SCRIPT, target)
    copy_asset(source / FONTS, target / FONTS)


def drop_repeated_scripts(app, pagename, templatename, context, doctree):
    """Sphinx 7 writes inline scripts twice; the second fails, since its constants exist."""
    seen = set()

    def is_new(script):
        body = getattr(script, "attributes", {}).get("body")
        new = body is None or body not in seen
        seen.add(body)
        return new

    context["script_files"] = [script for script in context["script_files"] if is_new(script)]


def repair_pages(app, exception):
    """Apply the repairs to every page that was written."""
    if exception is not None:
        return
    for path in Path(app.outdir).rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        for pattern, instead in REPAIRS:
            text = re.sub(pattern, instead, text)
        path.write_text(text, encoding="utf-8")


def setup(app):
    app.config.mathjax_path = f"mathjax/{SCRIPT}"
    # After the extensions (500) that add scripts to the page.
    app.connect("html-page-context", drop_repeated_scripts, priority=900)
    app.connect("build-finished", copy_mathjax)
    app.connect("build-finished", repair_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
