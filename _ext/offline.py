"""Sphinx extension: the built pages need no network and run each inline script once."""

import importlib.util
from pathlib import Path

from sphinx.util.fileutil import copy_asset

# The build with all TeX extensions inside: the plain one fetches some when a formula needs them.
SCRIPT = "tex-chtml-full.js"
FONTS = "output/chtml/fonts/woff-v2"


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


def setup(app):
    app.config.mathjax_path = f"mathjax/{SCRIPT}"
    # After the extensions (500) that add scripts to the page.
    app.connect("html-page-context", drop_repeated_scripts, priority=900)
    app.connect("build-finished", copy_mathjax)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
