"""Record a comparison: ``python -m simpor.lab.study --help``.

Each data set under each protocol becomes one file of long rows, ``RESULTS/PROTOCOL/DATASET.csv.gz``. A file
that is there is not made again, so a study that was stopped goes on where it was.
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


def record(dataset, protocol, *, methods=tuple(METHODS), results=RESULTS, n_jobs=-1, data_home=None, verbose=1):
    """Run one data set under one protocol and write its rows, unless they are there.

    Parameters
    ----------
    dataset : str
    protocol : {"published", "sound"}
    methods : sequence of str
    results : path-like
        Folder of the files.
    n_jobs : int
        Processes.
    data_home : path-like, default=None
        See :func:`simpor.lab.datasets.load`.
    verbose : int

    Returns
    -------
    Path
    """
    path = _path(results, protocol, dataset)
    if path.is_file():
        return path
    begin = time.perf_counter()
    data = load(dataset, data_home=data_home)
    rows, _ = run(data, PROTOCOLS[protocol], methods, n_jobs=n_jobs, verbose=verbose)
    minutes = (time.perf_counter() - begin) / 60
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    header = (
        f"# Made by python -m simpor.lab.study --datasets '{dataset}' --protocol {protocol} "
        f"in {minutes:.1f} minutes with {os.cpu_count()} cores.\n# Data: {data.origin}\n"
    )
    text = header + rows.to_csv(index=False, float_format="%.6g", lineterminator="\n")
    # one rename at the end: a study that is killed leaves no half a file under the final name
    unfinished.write_bytes(gzip.compress(text.encode(), mtime=0))
    unfinished.replace(path)
    return path


def _path(results, protocol, dataset):
    return Path(results) / protocol / f"{dataset.replace(' ', '_')}.csv.gz"


def main(arguments=None):
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m simpor.lab.study", description="Record the comparison of all methods on data sets, set by set."
    )
    parser.add_argument("--datasets", nargs="+", default=list(CONTROLLED), help="default: Moon, breast cancer and credit card")
    parser.add_argument("--protocol", nargs="+", choices=sorted(PROTOCOLS), default=list(PROTOCOLS), help="default: both")
    parser.add_argument("--methods", nargs="+", choices=list(METHODS), default=list(METHODS), metavar="METHOD",
                        help=f"default: all of {', '.join(METHODS)}")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the files, default: %(default)s")
    parser.add_argument("--data-home", type=Path, default=None, help="folder with data files")
    parser.add_argument("--jobs", type=int, default=-1, help="processes, default: one a core")
    given = parser.parse_args(arguments)
    for protocol in given.protocol:
        for dataset in given.datasets:
            path = record(dataset, protocol, methods=given.methods, results=given.results,
                          n_jobs=given.jobs, data_home=given.data_home)
            print(path)


if __name__ == "__main__":
    main()
