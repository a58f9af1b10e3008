"""Record a comparison: ``python -m simpor.lab.study --help``.

Each data set under each protocol becomes one file of long rows,
``RESULTS/PROTOCOL/DATASET.csv.gz``, whose first lines say how it was made. A file that is there is
not made again, so a study that was stopped goes on with the set it was at.
"""

import argparse
import gzip
import os
import time
from pathlib import Path

import pandas as pd

from simpor.lab.datasets import CONTROLLED, load
from simpor.lab.methods import METHODS
from simpor.lab.protocol import PROTOCOLS, run

RESULTS = Path("book/results")


def read(dataset, protocol, results=RESULTS):
    """Recorded rows of one data set under one protocol.

    Parameters
    ----------
    dataset : str
        Its name in :func:`simpor.lab.datasets.load`.
    protocol : {"published", "sound"}
    results : path-like

    Returns
    -------
    DataFrame
        Long rows, see :func:`simpor.lab.protocol.run`.

    Raises
    ------
    FileNotFoundError
        If nothing is recorded; the message names the command that records it.
    """
    path = _path(results, protocol, dataset)
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is not recorded: run python -m simpor.lab.study --datasets {dataset!r} "
            f"--protocol {protocol} --results {results}."
        )
    return pd.read_csv(path, keep_default_na=False, na_values={"value": [""]}, comment="#")


def record(
    dataset,
    protocol,
    *,
    methods=tuple(METHODS),
    results=RESULTS,
    again=False,
    n_jobs=-1,
    data_home=None,
    verbose=1,
):
    """Run one data set under one protocol and write its rows, unless they are there.

    Parameters
    ----------
    dataset : str
    protocol : {"published", "sound"}
    methods : sequence of str
    results : path-like
        Folder of the files.
    again : bool, default=False
        Whether to run it although it is recorded.
    n_jobs : int
        Processes and threads; -1 is one a core.
    data_home : path-like, default=None
        See :func:`simpor.lab.datasets.load`.
    verbose : int

    Returns
    -------
    Path
    """
    path = _path(results, protocol, dataset)
    if path.is_file() and not again:
        return path
    begin = time.perf_counter()
    data = load(dataset, data_home=data_home)
    rows, _ = run(data, PROTOCOLS[protocol], methods, n_jobs=n_jobs, verbose=verbose)
    minutes = (time.perf_counter() - begin) / 60
    command = f"python -m simpor.lab.study --datasets '{dataset}' --protocol {protocol}"
    if tuple(methods) != tuple(METHODS):
        command += f" --methods {' '.join(methods)}"
    header = (
        f"# Made by {command} in {minutes:.1f} minutes with {os.cpu_count()} cores.\n"
        f"# Data: {data.origin}\n"
    )
    text = header + rows.to_csv(index=False, float_format="%.6g", lineterminator="\n")
    # one rename at the end: a study that is killed leaves no half a file under the final name
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_bytes(gzip.compress(text.encode(), mtime=0))
    unfinished.replace(path)
    return path


def _path(results, protocol, dataset):
    return Path(results) / protocol / f"{dataset.replace(' ', '_')}.csv.gz"


def main(arguments=None):
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m simpor.lab.study",
        description="Record the comparison of all methods, one file for each data set.",
    )
    parser.add_argument(
        "--datasets",
        nargs="+",
        default=list(CONTROLLED),
        metavar="NAME",
        help="default: Moon, breast cancer and credit card",
    )
    parser.add_argument(
        "--protocol",
        nargs="+",
        choices=sorted(PROTOCOLS),
        default=["published"],
        help="one or both, default: published",
    )
    parser.add_argument(
        "--methods",
        nargs="+",
        choices=list(METHODS),
        default=list(METHODS),
        metavar="METHOD",
        help=f"default: all of {', '.join(METHODS)}",
    )
    parser.add_argument(
        "--results", type=Path, default=RESULTS, help="folder of the files, default: %(default)s"
    )
    parser.add_argument("--again", action="store_true", help="run what is recorded once more")
    parser.add_argument("--data-home", type=Path, default=None, help="folder with data files")
    parser.add_argument("--jobs", type=int, default=-1, help="processes, default: one a core")
    given = parser.parse_args(arguments)
    for protocol in given.protocol:
        for dataset in given.datasets:
            path = record(
                dataset,
                protocol,
                methods=given.methods,
                results=given.results,
                again=given.again,
                n_jobs=given.jobs,
                data_home=given.data_home,
            )
            print(path, flush=True)


if __name__ == "__main__":
    main()
