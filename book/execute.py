"""Execute chapters in place: python book/execute.py [CHAPTER.ipynb ...], all without a name.

Only what the cells print changes in the files: no time stamps, no version of the interpreter.
"""

import base64
import io
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from PIL import Image

BOOK = Path(__file__).parent
# The first code cell of every chapter. The book leaves it out; on Colab it fetches what the chapter needs.
COLAB = """\
# On Google Colab this fetches the book's files and installs its module; elsewhere it does nothing.
import sys

if "google.colab" in sys.modules:
    !git clone --quiet --depth 1 https://github.com/simpor/simpor
    %pip install --quiet "./simpor[keras,study]"
    %cd simpor/book"""
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def begin_with_colab_cell(notebook):
    """Put the cell for Colab before the first cell with code, unless it is there."""
    first = next(i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code")
    if notebook.cells[first].id != "colab":
        cell = nbformat.v4.new_code_cell(id="colab", metadata={"tags": ["remove-cell"]})
        notebook.cells.insert(first, cell)
    notebook.cells[first].source = COLAB


def shrink_pictures(notebook):
    """Store the figures with 256 colours: a third of the bytes, and nobody sees it."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if png := output.get("data", {}).get("image/png"):
                image = Image.open(io.BytesIO(base64.b64decode(png)))
                few = image.convert("RGB").quantize(
                    256, method=Image.Quantize.MAXCOVERAGE
                )
                few.save(
                    written := io.BytesIO(), "PNG", optimize=True, dpi=image.info["dpi"]
                )
                output["data"]["image/png"] = base64.b64encode(
                    written.getvalue()
                ).decode()


def execute(path):
    """Run all cells of one chapter, in its folder, and write the file with the new outputs."""
    notebook = nbformat.read(path, as_version=4)
    begin_with_colab_cell(notebook)
    client = NotebookClient(
        notebook,
        timeout=1200,
        record_timing=False,
        coalesce_streams=True,  # else chance decides into how many pieces a printed text falls
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()
    shrink_pictures(notebook)
    notebook.metadata = nbformat.from_dict(METADATA)
    nbformat.write(notebook, path)


if __name__ == "__main__":
    failed = []
    for chapter in [Path(name) for name in sys.argv[1:]] or sorted(
        BOOK.glob("*.ipynb")
    ):
        print(chapter.name, end=" ", flush=True)
        start = time.perf_counter()
        try:
            execute(chapter)
            print(f"{time.perf_counter() - start:.0f} s")
        except CellExecutionError as error:
            print(f"is left as it was, a cell failed: {error.ename}: {error.evalue}")
            failed.append(chapter)
    sys.exit(bool(failed))
