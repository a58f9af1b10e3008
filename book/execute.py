"""Execute chapters in place: python book/execute.py [CHAPTER.ipynb ...], all without a name.

Only what the cells print changes in the files: no time stamps, no version of the interpreter.
"""

import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

BOOK = Path(__file__).parent
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def execute(path):
    """Run all cells of one chapter, in its folder, and write the file with the new outputs."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=1200,
        record_timing=False,
        coalesce_streams=True,  # else chance decides into how many pieces a printed text falls
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()
    notebook.metadata = nbformat.from_dict(METADATA)
    nbformat.write(notebook, path)


if __name__ == "__main__":
    failed = []
    for chapter in [Path(name) for name in sys.argv[1:]] or sorted(BOOK.glob("*.ipynb")):
        print(chapter.name, end=" ", flush=True)
        start = time.perf_counter()
        try:
            execute(chapter)
            print(f"{time.perf_counter() - start:.0f} s")
        except CellExecutionError as error:
            print(f"is left as it was, a cell failed: {error.ename}: {error.evalue}")
            failed.append(chapter)
    sys.exit(bool(failed))
