"""Sphinx extension: pages at the addresses that chapters had before, which lead to where they are now."""

from pathlib import Path

# Chapters moved down by one when the chapter on the rivals came before them.
MOVED = {
    "book/07_moon": "book/08_moon",
    "book/08_breast_cancer": "book/09_breast_cancer",
    "book/09_credit_card": "book/10_credit_card",
    "book/10_forty_one_datasets": "book/11_forty_one_datasets",
    "book/11_sensitivity": "book/12_sensitivity",
    "book/12_what_reproduces": "book/13_what_reproduces",
}

# The script keeps the place on the page; without scripts the second line forwards to its top.
PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>This page has moved</title>
<script>location.replace("{target}" + location.hash)</script>
<noscript><meta http-equiv="refresh" content="0; url={target}"></noscript>
<link rel="canonical" href="{target}">
</head>
<body><p>This page has moved: <a href="{target}">{target}</a></p></body>
</html>
"""


def write_forwarding_pages(app, exception):
    """Write one page for each old address, unless the build failed or builds something else."""
    if exception is not None or app.builder.format != "html":
        return
    for old, new in MOVED.items():
        if new in app.env.found_docs:
            target = app.builder.get_relative_uri(old, new)
            path = Path(app.outdir) / f"{old}.html"
            path.write_text(PAGE.format(target=target), encoding="utf-8")


def setup(app):
    app.connect("build-finished", write_forwarding_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
