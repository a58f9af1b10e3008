"""The built book: complete, strict, and readable without network."""

import ast
import base64
import importlib
import importlib.util
import io
import json
import posixpath
import re
from collections import Counter

import pytest
import yaml
from bs4 import BeautifulSoup
from fontTools.ttLib import TTFont
from PIL import Image

import simpor
from simpor.lab import claims


@pytest.fixture(scope="module")
def soups(html):
    """All built pages, as {path in the book: parsed page}."""
    return {
        path.relative_to(html).as_posix(): BeautifulSoup(path.read_text(), "html.parser")
        for path in html.rglob("*.html")
        if "_static" not in path.parts
    }


def load_extension(root, name):
    """One of the book's own extensions of Sphinx, as a module."""
    spec = importlib.util.spec_from_file_location(name, root / "_ext" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def fetched(page):
    """Addresses of what a browser fetches in order to show the page."""
    for tag, attribute in [
        ("script", "src"),
        ("img", "src"),
        ("iframe", "src"),
        ("source", "src"),
        ("object", "data"),
    ]:
        yield from (element[attribute] for element in page.find_all(tag) if element.get(attribute))
    for link in page.find_all("link", href=True):
        if {"stylesheet", "icon", "preload", "prefetch", "modulepreload"} & set(
            link.get("rel", [])
        ):
            yield link["href"]


def test_builds_without_a_warning(build):
    process, _ = build
    assert process.returncode == 0, process.stdout + process.stderr


def test_every_page_was_built(soups, pages):
    assert "index.html" in soups
    for page in pages:
        assert f"{page}.html" in soups
        assert soups[f"{page}.html"].select_one("article h1")


def test_pages_fetch_nothing_from_elsewhere(soups, html):
    for name, page in soups.items():
        for address in fetched(page):
            assert not re.match(r"(https?:)?//", address), f"{name} fetches {address}"
            if not address.startswith("data:"):
                file = (html / name).parent / re.split(r"[?#]", address)[0]
                assert file.is_file(), f"{name} fetches {address}, which is not there"


def test_style_sheets_fetch_nothing_from_elsewhere(soups, html):
    sheets = [path.read_text() for path in html.rglob("*.css")]
    sheets += [style.get_text() for page in soups.values() for style in page.find_all("style")]
    assert sheets
    for sheet in sheets:
        assert not re.search(r"(@import|url\()\s*[\"']?(https?:)?//", sheet)


def test_formulas_come_with_their_script_and_fonts(soups, html):
    with_formulas = [page for page in soups.values() if page.select(".math")]
    assert with_formulas
    for page in with_formulas:
        assert any("mathjax/" in address for address in fetched(page))
    assert list((html / "_static" / "mathjax").rglob("*.woff"))


def test_pages_load_only_what_they_use(soups, html):
    for name, page in soups.items():
        addresses = list(fetched(page))
        assert not any("fontawesome" in address for address in addresses), name
        if not page.select(".math"):
            assert not any("mathjax/" in address for address in addresses), name
    # The first page has no formula; chapters have.
    assert not soups["book/index.html"].select(".math")


def test_icons_that_pages_show_are_in_the_style_sheet(soups, html):
    sheet = (html / "_static" / "styles" / "pydata-sphinx-theme.css").read_text()
    assert "webfonts/" not in sheet
    drawn = set()
    for font in re.findall(r"data:font/woff;base64,([A-Za-z0-9+/=]+)", sheet):
        drawn.update(TTFont(io.BytesIO(base64.b64decode(font))).getBestCmap())
    shown = {
        icon
        for page in soups.values()
        for element in page.select("[class*=fa-]")
        for icon in element["class"]
        if icon.startswith("fa-")
    }
    codes = {
        icon: re.search(rf'\.{icon}:before[^{{]*\{{content:"\\([0-9a-f]+)"', sheet)
        for icon in shown
    }
    found = {icon: int(code[1], 16) for icon, code in codes.items() if code}
    assert {"fa-bars", "fa-list", "fa-download", "fa-rocket"} <= set(found)
    assert set(found.values()) <= drawn


def test_pages_describe_themselves(soups, html, pages):
    described = [soups[f"{name}.html"] for name in pages]
    for page in described:
        assert page.select_one("meta[name=description]")["content"]
        picture = page.select_one('meta[property="og:image"]')["content"]
        assert (html / "_static" / picture.rpartition("/_static/")[2]).is_file()
        assert page.select_one("link[rel~=icon]")
        assert len(page.select("meta[name=viewport]")) == 1


def test_first_page_leads_to_every_chapter(soups, pages, root):
    entries = soups["book/index.html"].select(".gallery li")
    chapters = [f"{page}.html" for page in pages if (root / f"{page}.ipynb").exists()]
    assert [f"book/{entry.a['href']}" for entry in entries] == chapters
    for entry in entries:
        assert int(re.search(r"(\d+) minutes", entry.get_text())[1]) > 1
        assert entry.p.get_text().endswith(".")  # its finding
    pictures = [image["src"] for entry in entries for image in entry.select("img")]
    assert len(pictures) == len(set(pictures)) >= 10


def test_chapters_are_numbered(soups):
    for name, page in soups.items():
        in_list = {
            link["href"].rpartition("/")[2]: link.get_text()
            for link in page.select("li.toctree-l1 > a")
        }
        for address, text in in_list.items():
            if number := re.match(r"(\d\d)_(?!audit)", address):
                assert text.startswith(f"{int(number[1])} "), f"{name}: {text}"
        if (number := re.match(r"book/(\d\d)_(?!audit)", name)) and page.select_one("article h1"):
            assert page.select_one("p.chapter-number").get_text() == f"Chapter {int(number[1])}"
            assert in_list["#"].startswith(f"{int(number[1])} ")


def test_terms_lead_to_the_glossary_and_say_what_they_mean(soups):
    terms = soups["book/08_moon.html"].select("article a.term")
    assert {"macro-F1", "raw data"} <= {term.get_text() for term in terms}
    for term in terms:
        address, _, anchor = term["href"].partition("#")
        assert soups[f"book/{address}"].find(id=anchor)
        assert len(term["title"]) > 20


def test_first_page_can_be_launched(soups, root):
    links = [link["href"] for link in soups["book/index.html"].select("article a[href]")]
    for service in ("https://mybinder.org/", "https://colab.research.google.com/"):
        (chapter,) = (re.search(r"book/\w+\.ipynb", link)[0] for link in links if service in link)
        assert (root / chapter).is_file()


def test_no_inline_script_is_written_twice(soups):
    for name, page in soups.items():
        scripts = [script.get_text() for script in page.find_all("script")]
        scripts = [script for script in scripts if script.strip()]
        assert len(scripts) == len(set(scripts)), name


def test_no_markup_is_left_unrendered(soups, pages):
    for name in pages:
        article = BeautifulSoup(str(soups[f"{name}.html"].select_one("article")), "html.parser")
        for element in article.select("pre, code, script, style, .math"):
            element.decompose()
        left = re.search(
            r"\{[\w:-]+\}`|`{3}|\$\$|^:{3}|\\begin\{", article.get_text(), flags=re.MULTILINE
        )
        assert not left, (
            f"{name}: {left[0]} near {article.get_text()[left.start() - 60 : left.end() + 60]!r}"
        )


def test_images_have_a_text(soups):
    for name, page in soups.items():
        for image in page.select("article img"):
            assert image.get("alt"), f"{name}: {image['src']}"


def weight(name, page, html):
    """Bytes that a browser needs for a page: its text, the files it names, MathJax's pieces and all its fonts."""
    here = (html / name).parent
    files = {
        here / re.split(r"[?#]", address)[0] for address in fetched(page) if address[:5] != "data:"
    }
    if any("mathjax/" in address for address in fetched(page)):
        mathjax = html / "_static" / "mathjax"
        (pieces,) = re.findall(r'"loader": \{"load": (\[[^]]*\])', str(page))
        files |= {mathjax / f"{piece}.js" for piece in json.loads(pieces)}
        files |= {path for path in (mathjax / "output").rglob("*") if path.is_file()}
    return (html / name).stat().st_size + sum(file.stat().st_size for file in files)


def test_pages_are_light(soups, html):
    weights = {name: weight(name, page, html) for name, page in soups.items()}
    assert weights.pop("book/index.html") < 1_000_000
    assert {name: bytes_ for name, bytes_ in weights.items() if bytes_ > 2_500_000} == {}
    assert max(weights.values()) > 1_000_000  # the heavy parts are counted


def test_index_of_the_search_waits_for_a_search(soups):
    for name, page in soups.items():
        loads = any("searchindex.js" in address for address in fetched(page))
        assert loads == (name == "search.html"), name
    # The field on every page leads there.
    chapter = soups["book/04_sphere.html"]
    assert {form["action"] for form in chapter.select("form.bd-search")} == {"../search.html"}


def test_figures_state_their_size(soups, html):
    for name, page in soups.items():
        for image in page.select('article img[src*="_images/"][src$=".png"]'):
            width, height = Image.open((html / name).parent / image["src"]).size
            assert int(image["width"]) / int(image["height"]) == pytest.approx(
                width / height, rel=0.01
            )


def test_folded_code_says_whose_it_is(soups):
    for name, page in soups.items():
        for cell in page.select("div.cell:has(summary)"):
            prompt = cell.select_one("summary .collapsed").get_text()
            assert "code cell" not in cell.get_text(), f"{name}: {prompt}"
            shown = cell.select_one(".cell_output")
            kind = "figure" if shown and shown.find("img") else "table"
            if "tag_hide-input" in cell["class"] and shown and shown.find(["img", "table"]):
                assert prompt in (f"Code of this {kind}", "Code of this figure"), name


def test_figures_and_imports_fold_their_code(soups):
    for name, page in soups.items():
        for cell in page.select("div.cell:has(> .cell_input)"):
            assert not cell.select_one(".cell_output img"), f"{name}: {cell.get_text()[:200]}"
            assert "chapter.begin()" not in cell.get_text(), name


def test_ledger_begins_with_its_verdicts_and_can_be_filtered(soups, root):
    verdicts = load_extension(root, "ledger").VERDICTS
    assert verdicts == list(claims.VERDICTS)
    pages = ("book/13_what_reproduces.html", "book/18_what_helps.html")
    ledgers = [ledger for page in pages for ledger in soups[page].select(".ledger")]
    assert len(ledgers) >= 4
    for ledger in ledgers:
        rows = ledger.select("li")
        shown = [row.select_one("summary > .verdict").get_text() for row in rows]
        assert set(shown) <= set(verdicts)
        assert [row["class"] for row in rows] == [[word.replace(" ", "-")] for word in shown]
        counts = dict(label.get_text().strip().rsplit(" ", 1) for label in ledger.select("label"))
        assert all(row.select("dd") for row in rows)
        assert int(counts.pop("all")) == len(rows)
        assert {word: int(count) for word, count in counts.items()} == Counter(shown)
    # Every claim is there: the file has a line for each, below one of names and one of comment.
    lines = (root / "simpor/lab/published-tables/claims.csv").read_text().splitlines()
    assert sum(len(ledger.select("li")) for ledger in ledgers) == len(lines) - 2


def test_repairs_leave_nothing_to_repair(html, root):
    offline = load_extension(root, "offline")
    text = "".join(path.read_text() for path in html.rglob("*.html"))
    for pattern, _ in offline.REPAIRS:
        assert not re.search(pattern, text), pattern
    # What the repairs write is there, so the theme still writes what they look for.
    for written in (
        'getItem("mode") || "auto"',
        "<summary>",
        'aria-hidden="true"></i>',
        'role="navigation" aria-label="Book"',
        '<div class="citation-list">',
        " \N{PLUS-MINUS SIGN}\N{NO-BREAK SPACE}",
    ):
        assert written in text, written


def test_nothing_needs_a_label_that_differs_from_its_text(soups):
    for name, page in soups.items():
        for element in page.select("summary[aria-label], .search-button-field[aria-label]"):
            assert element["aria-label"] in element.get_text(" ", strip=True), name


def test_names_on_a_page_are_its_own(soups):
    for name, page in soups.items():
        names = [element["id"] for element in page.select("article [id]")]
        assert len(names) == len(set(names)), (name, {n for n in names if names.count(n) > 1})


def test_search_finds_the_posterior_ratio(html):
    index = (html / "searchindex.js").read_text()
    for stem in ("posterior", "ratio"):
        assert re.search(rf'"?\b{stem}\b"?: ?\[', index)


def test_every_public_name_is_in_the_api_pages(soups, root):
    documented = {
        entry["id"]
        for page in ("api", "api_relatives", "api_lab", "api_compare")
        for entry in soups[f"book/{page}.html"].select("dt[id]")
    }
    assert {f"simpor.{name}" for name in simpor.__all__} <= documented
    parts = (root / "simpor" / part for part in ("relatives", "lab"))
    for file in (file for part in parts for file in part.glob("[!_]*.py")):
        module = f"simpor.{file.parent.name}.{file.stem}"
        public = {
            node.name
            for node in ast.parse(file.read_text()).body
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
        }
        public &= set(getattr(importlib.import_module(module), "__all__", public))
        names = {f"{module}.{name}" for name in public}
        assert names <= documented, names - documented


def test_lists_hold_every_figure_and_algorithm(soups):
    listed = {link["href"] for link in soups["book/lookup.html"].select(".numbered-list a")}
    for name, page in soups.items():
        numbered = page.select("article figure[id], article div.algorithm[id]")
        for element in numbered:
            if element.select_one(".caption-number"):
                assert f"{name.removeprefix('book/')}#{element['id']}" in listed


def test_code_leads_to_the_api(soups):
    links = soups["book/04_sphere.html"].select("article a:has(> code)")
    assert "api.html#simpor.ascend_on_sphere" in {link["href"] for link in links}


def test_links_inside_the_book_lead_somewhere(soups, html):
    for name, page in soups.items():
        for link in page.select("article a[href]"):
            address, _, anchor = link["href"].partition("#")
            if re.match(r"\w+:", address) or address.endswith((".ipynb", ".md")):
                continue
            target = (
                posixpath.normpath(posixpath.join(posixpath.dirname(name), address))
                if address
                else name
            )
            if target.startswith("_static/"):  # a page beside the book, such as a report
                assert (html / target).is_file(), f"{name} leads to {link['href']}"
                continue
            assert target in soups, f"{name} leads to {link['href']}"
            assert not anchor or soups[target].find(id=anchor), f"{name} leads to {link['href']}"


def test_old_addresses_lead_to_the_chapters(soups, root):
    moved = load_extension(root, "forward").MOVED
    assert moved
    for old, new in moved.items():
        page = soups[f"{old}.html"]
        link = page.select_one("body a")["href"]
        assert posixpath.normpath(posixpath.join(posixpath.dirname(old), link)) == f"{new}.html"
        assert f"{new}.html" in soups
        assert f'location.replace("{link}" + location.hash)' in page.script.get_text()
        assert page.select_one("noscript meta")["content"].endswith(f"url={link}")


def test_chapters_can_be_launched(soups, pages, root):
    repository = yaml.safe_load((root / "_config.yml").read_text())["repository"]
    owner = repository["url"].removeprefix("https://github.com/")
    chapters = [page for page in pages if (root / f"{page}.ipynb").exists()]
    assert chapters
    for page in chapters:
        links = [link["href"] for link in soups[f"{page}.html"].find_all("a", href=True)]
        binder = f"https://mybinder.org/v2/gh/{owner}/{repository['branch']}?urlpath=lab/tree/{page}.ipynb"
        colab = f"https://colab.research.google.com/github/{owner}/blob/{repository['branch']}/{page}.ipynb"
        assert binder in links
        assert colab in links
