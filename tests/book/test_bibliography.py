"""Every work that is cited has an entry, and every entry is cited."""

import re

import nbformat
import pytest


@pytest.fixture(scope="module")
def entries(root):
    keys = re.findall(
        r"^@\w+\{(\w+),", (root / "book" / "references.bib").read_text(), flags=re.MULTILINE
    )
    assert len(keys) == len(set(keys))
    return set(keys)


@pytest.fixture(scope="module")
def cited(root):
    text = [path.read_text() for path in (root / "book").glob("*.md")]
    for path in (root / "book").glob("*.ipynb"):
        text += [
            cell.source
            for cell in nbformat.read(path, as_version=4).cells
            if cell.cell_type == "markdown"
        ]
    lists = re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", "\n".join(text))
    return {key.strip() for keys in lists for key in keys.split(",")}


def test_every_citation_has_an_entry(entries, cited):
    assert cited <= entries


def test_every_entry_is_cited(entries, cited):
    assert entries <= cited
