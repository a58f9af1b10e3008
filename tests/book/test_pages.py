"""The built book: complete, strict, and readable without network."""

import re

import pytest
import yaml
from bs4 import BeautifulSoup


@pytest.fixture(scope="module")
def soups(html):
    """All built pages, as {path in the book: parsed page}."""
    return {
        path.relative_to(html).as_posix(): BeautifulSoup(path.read_text(), "html.parser")
        for path in html.rglob("*.html")
        if "_static" not in path.parts
    }


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


def test_no_inline_script_is_written_twice(soups):
    for name, page in soups.items():
        constants = re.findall(
            r"^\s*const (\w+)",
            "\n".join(s.get_text() for s in page.find_all("script")),
            re.MULTILINE,
        )
        assert len(constants) == len(set(constants)), name


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


def test_one_repository_is_named(soups, root):
    config = yaml.safe_load((root / "_config.yml").read_text())
    install = config["parse"]["myst_substitutions"]["install_on_colab"].strip("`")
    assert f"git+{config['repository']['url']}'" in install
    assert install in soups["book/index.html"].select_one("article").get_text()


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
