"""What the tests of the book share: the chapters, and the book built once from them."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml

BOOK = Path(__file__).parents[2] / "book"


@pytest.fixture(params=sorted(path.name for path in BOOK.glob("*.ipynb")))
def chapter(request):
    """Each chapter in turn, as (file name, notebook)."""
    return request.param, nbformat.read(BOOK / request.param, as_version=4)


@pytest.fixture(scope="session")
def pages(root):
    """The pages that the table of contents names, such as "book/index"."""
    toc = yaml.safe_load((root / "_toc.yml").read_text())
    return [toc["root"], *(page["file"] for part in toc["parts"] for page in part["chapters"])]


@pytest.fixture(scope="session")
def build(root, tmp_path_factory):
    """A fresh, strict build: (the finished process, the folder of the pages).

    Fresh, for Sphinx forgets the warnings of pages that it takes from an earlier build.
    """
    out = tmp_path_factory.mktemp("book")
    jupyter_book = Path(sys.executable).with_name("jupyter-book")
    command = [
        jupyter_book,
        "build",
        root,
        "--path-output",
        out,
        "--quiet",
        "-n",
        "-W",
        "--keep-going",
    ]
    return subprocess.run(
        command, capture_output=True, text=True, check=False
    ), out / "_build" / "html"


@pytest.fixture(scope="session")
def html(build):
    """The folder of the built pages."""
    return build[1]
