"""Sphinx extension: built pages need no network, load what they use, run each script once, and name their parts."""

import base64
import importlib.util
import io
import re
from pathlib import Path

from fontTools import subset
from PIL import Image
from sphinx.util.fileutil import copy_asset

# MathJax piece by piece: the builds in one file bring half a megabyte more, among it a menu that makes every
# formula a stop for the tabulator.
SCRIPT = "startup.js"
PIECES = ["core", "input/tex", "output/chtml", "a11y/assistive-mml"]
LETTERS = "output/chtml/fonts/tex.js"  # the second piece of the output, which asks for it by itself
FONTS = "output/chtml/fonts/woff-v2"
# Without the letters of no formula here, such as Fraktur; check.mjs would list a font that is missing.
FAMILIES = [
    "Zero",
    "Main-Regular",
    "Main-Bold",
    "Math-Italic",
    "AMS-Regular",
    "Calligraphic-Regular",
]
FAMILIES += [f"Size{size}-Regular" for size in (1, 2, 3, 4)]
EXTENSIONS = "input/tex/extensions"  # fetched one by one, where a formula needs it

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
    # The icons are in the style sheet (see `embed_icons`); as a script they weigh 1.5 MB.
    (
        r"\s*<!-- So that users can add custom icons -->\s*<script [^>]*fontawesome\.js[^>]*></script>",
        "",
    ),
    # The theme says three times how wide a page is.
    (r'<meta name="viewport" content="width=device-width, initial-scale=1" ?/>', ""),
    # Mean and spread stay together.
    (r"(<td>[-+]?[\d.]+%?) \+/- (?=\d)", "\\1 \N{PLUS-MINUS SIGN}\N{NO-BREAK SPACE}"),
]


def choose_pieces(app, config):
    """Tell MathJax what to load."""
    config.mathjax3_config = {**(config.mathjax3_config or {}), "loader": {"load": PIECES}}


def copy_mathjax(app, exception):
    """Take MathJax from an installed package: what pages load, its fonts and extensions, 1.3 of 24 MB."""
    if exception is not None:
        return
    # The package's module name has hyphens, so that it cannot be imported by a statement.
    package = Path(importlib.util.find_spec("sphinx-mathjax-offline").origin).parent
    source, target = package / "static" / "mathjax", Path(app.outdir) / "_static" / "mathjax"
    for piece in [SCRIPT, LETTERS, *(f"{piece}.js" for piece in PIECES)]:
        copy_asset(source / piece, (target / piece).parent)
    for family in FAMILIES:
        copy_asset(source / FONTS / f"MathJax_{family}.woff", target / FONTS)
    copy_asset(source / EXTENSIONS, target / EXTENSIONS)


# Without a formula on the page, MathJax is 0.8 MB for nothing.
MATHJAX = r"\s*<script>window\.MathJax = .*?</script>\s*<script [^>]*mathjax/[^>]*></script>"
FORMULA = re.compile(r'class="(?:[^"]* )?(?:math|tex2jax_process|mathjax_process|output_area)[ "]')

# The page of results loads the search by itself; everywhere else the index would wait for a reader who asks.
SEARCH = r"\s*<script [^>]*(?:searchtools|language_data|searchindex)\.js[^>]*></script>"

RULE = re.compile(r"([^{}]*)\{([^{}]*)\}")
CODE = re.compile(r"\\([ef][0-9a-f]{3,4})\b")


def embed_icons(app, exception):
    """Keep the icons that are used: their rules in the theme's style sheet, and fonts of a few kB each."""
    if exception is not None or app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    sheet = static / "styles" / "pydata-sphinx-theme.css"
    text = sheet.read_text(encoding="utf-8")
    if "webfonts/" not in text:  # an earlier build did it
        return
    files = [*Path(app.outdir).rglob("*.html"), *(static / "scripts").glob("*-theme.js")]
    used = set()
    for path in files:
        used.update(re.findall(r"\bfa-[a-z0-9-]+", path.read_text(encoding="utf-8")))
    codes = set()

    def of_a_used_icon(rule):
        names = set(re.findall(r"\.(fa-[a-z0-9-]+):", rule[1]))
        if names and not names & used:
            return ""
        codes.update(int(code, 16) for code in CODE.findall(rule[2]))
        return rule[0]

    text = RULE.sub(of_a_used_icon, text)

    def data(match):
        font = subset.load_font(sheet.parent / f"{match[1]}.ttf", options := subset.Options())
        options.flavor = "woff"
        chooser = subset.Subsetter(options)
        chooser.populate(unicodes=codes)
        chooser.subset(font)
        subset.save_font(font, written := io.BytesIO(), options)
        return f'src:url(data:font/woff;base64,{base64.b64encode(written.getvalue()).decode()}) format("woff")'

    address = r'src:url\((\.\./vendor/[^)]*?)\.woff2\) format\("woff2"\),url\([^)]*\) format\("truetype"\)'
    sheet.write_text(re.sub(address, data, text), encoding="utf-8")


CSS_DPI = 100  # at which a figure has its natural size on the page; its file may be finer
PICTURE = re.compile(r'<img ([^>]*src="((?:\.\./)*_images/[^"]+\.png)"[^>]*?) ?/?>')
# Where a notebook tells a figure's size, docutils fixes it by a style, and links to the file.
SIZED = re.compile(
    r'<a class="[^"]*image-reference"[^>]*>(<img [^>]*?) style="[^"]*"( ?/?>)\s*</a>'
)


def shrink_pictures(app, exception):
    """Store the figures with 256 colours, a third of the bytes, and tell the pages how large each is."""
    if exception is not None or app.builder.format != "html":
        return
    sizes = {}
    for path in (Path(app.outdir) / "_images").glob("*.png"):
        image = Image.open(path)
        dpi = image.info.get("dpi", (CSS_DPI, CSS_DPI))
        sizes[path.name] = [round(CSS_DPI * side / dpi[0]) for side in image.size]
        if image.mode != "P":
            few = image.convert("RGB").quantize(256, method=Image.Quantize.MAXCOVERAGE)
            few.save(path, optimize=True, dpi=dpi)

    def with_size(match):
        width, height = sizes[Path(match[2]).name]
        return f'<img {match[1]} width="{width}" height="{height}">'

    for page in Path(app.outdir).rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        text = PICTURE.sub(with_size, SIZED.sub(r"\1\2", text))
        page.write_text(text, encoding="utf-8")


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
        if not FORMULA.search(text):
            text = re.sub(MATHJAX, "", text, flags=re.DOTALL)
        if path.name != "search.html":
            text = re.sub(SEARCH, "", text)
        path.write_text(text, encoding="utf-8")


def setup(app):
    app.config.mathjax_path = f"mathjax/{SCRIPT}"
    app.connect("config-inited", choose_pieces)
    # After the extensions (500) that add scripts to the page.
    app.connect("html-page-context", drop_repeated_scripts, priority=900)
    app.connect("build-finished", copy_mathjax)
    app.connect("build-finished", repair_pages)
    app.connect("build-finished", embed_icons)
    app.connect("build-finished", shrink_pictures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
