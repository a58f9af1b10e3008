"""Record a comparison: ``python -m simpor.lab.study --help``.

Each data set under each protocol becomes two files: the long rows in
``RESULTS/PROTOCOL/DATASET.csv.gz``, whose first two lines say how they were made, and beside it the
predictions for every test row and the tuned thresholds in ``DATASET.npz``, from which any other
metric can be computed.
A set whose rows are there is not run again, so a study that was stopped goes on with the set it
was at. Both files get their names when both are complete, the rows last. Files that cannot be read
are set aside under another name, and the set is run again. Studies on one folder at the same time
share the sets out: one that another study works on is left to it.

A Dask cluster takes the resampling when the study is started from Python inside
``joblib.parallel_config("dask")``: ``study.main(["--datasets", "forty-one"])``.
"""

import argparse
import gzip
import io
import os
import sqlite3
import sys
import textwrap
import time
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from simpor.lab.datasets import CONTROLLED, FORTY_ONE, Dataset, load
from simpor.lab.methods import ABLATION, COMPARISON, CONTROLS, METHODS
from simpor.lab.protocol import PROTOCOLS, run

RESULTS = Path("book/results")

_HEADER_LINES = 2

# What damaged files raise while they are read.
_UNREADABLE = (OSError, EOFError, ValueError, LookupError, zlib.error, zipfile.BadZipFile)
_DATASET_GROUPS = {"controlled": CONTROLLED, "forty-one": FORTY_ONE}
_METHOD_GROUPS = {"comparison": COMPARISON, "ablation": ABLATION, "controls": CONTROLS}


def read(dataset: str, protocol: str, results: str | Path = RESULTS) -> pd.DataFrame:
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
    ValueError
        If the file is damaged.
    """
    path = _recorded(_path(results, protocol, dataset), dataset, protocol, results)
    with _naming_damage(path):
        return _read_rows(path)


def _read_rows(path: Path) -> pd.DataFrame:
    numbers = ("value", "seconds_resampling", "seconds_training")
    return pd.read_csv(
        path,
        keep_default_na=False,  # a reason may be empty, and stays a text
        na_values=dict.fromkeys(numbers, [""]),
        skiprows=_HEADER_LINES,
    )


def read_predictions(dataset: str, protocol: str, results: str | Path = RESULTS) -> pd.DataFrame:
    """Recorded predictions for the test rows of one data set under one protocol.

    Parameters
    ----------
    dataset : str
    protocol : {"published", "sound"}
    results : path-like

    Returns
    -------
    DataFrame
        One line for each test row of each split: fold, row (its number in the data set), y (1 for
        the minority class), and a column for each method with the probability of the minority
        class (for "svmcs" the logistic function of its margin), NaN where the method failed. A
        split on which every method failed has no lines.

    Raises
    ------
    FileNotFoundError
        If nothing is recorded; the message names the command that records it.
    ValueError
        If the file is damaged.
    """
    arrays = _load_arrays(dataset, protocol, results)
    columns = {name: arrays[name] for name in ("fold", "row", "y")}
    predictions = pd.DataFrame(columns | _by_method(arrays, "probability_"))
    return predictions.astype(float).astype({"fold": int, "row": int, "y": int})


def read_thresholds(dataset: str, protocol: str, results: str | Path = RESULTS) -> pd.DataFrame:
    """Recorded thresholds that were tuned on validation data.

    Parameters
    ----------
    dataset : str
    protocol : {"published", "sound"}
    results : path-like

    Returns
    -------
    DataFrame
        One line for each split: fold, and a column for each method, NaN where the tuning failed;
        methods whose threshold was not tuned are left out.

    Raises
    ------
    FileNotFoundError
        If nothing is recorded; the message names the command that records it.
    ValueError
        If the file is damaged.
    """
    arrays = _load_arrays(dataset, protocol, results)
    return pd.DataFrame({"fold": np.unique(arrays["fold"])} | _by_method(arrays, "threshold_"))


def _load_arrays(dataset: str, protocol: str, results: str | Path) -> dict[str, np.ndarray]:
    path = _predictions_path(_path(results, protocol, dataset))
    with _naming_damage(_recorded(path, dataset, protocol, results)):
        return _read_arrays(path)


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


@contextmanager
def _naming_damage(path: Path) -> Iterator[None]:
    """Turn what reading a damaged file raises into a sentence that names the cure."""
    try:
        yield
    except _UNREADABLE as error:
        raise ValueError(
            f"{path} is damaged: give the command that made it once more, which sets the file aside "
            "and records the set again."
        ) from error


def _by_method(arrays: Mapping[str, np.ndarray], kind: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(kind): arrays[name] for name in arrays if name.startswith(kind)}


def _recorded(path: Path, dataset: str, protocol: str, results: str | Path) -> Path:
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is not recorded: run python -m simpor.lab.study --datasets {dataset!r} "
            f"--protocol {protocol} --results {results}."
        )
    return path


def record(
    data: Dataset,
    protocol: str,
    *,
    methods: Sequence[str] = tuple(METHODS),
    trials: int | None = None,
    results: str | Path = RESULTS,
    n_jobs: int = -1,
    verbose: int = 1,
) -> Path:
    """Run one data set under one protocol and write its rows and predictions.

    Parameters
    ----------
    data : simpor.lab.datasets.Dataset
    protocol : {"published", "sound"}
    methods : sequence of str
    trials : int, default=None
        How many splits of the protocol are run, from the first one; None runs all.
    results : path-like
        Folder of the files.
    n_jobs : int
        Processes and threads; -1 is one a core.
    verbose : int
        1 shows progress on standard error.

    Returns
    -------
    Path
        Of the rows.
    """
    path = _path(results, protocol, data.name)
    trials = _n_splits(protocol) if trials is None else trials
    begin = time.perf_counter()
    rows, predictions = run(
        data, PROTOCOLS[protocol], methods, folds=range(trials), n_jobs=n_jobs, verbose=verbose
    )
    minutes = (time.perf_counter() - begin) / 60
    arrays = io.BytesIO()
    # NumPy's own types take the names of arrays for its one option
    np.savez_compressed(arrays, **_arrays(predictions, methods))  # type: ignore[arg-type]
    made_by = _made_by(data.name, protocol, methods, trials)
    text = _with_header(rows, made_by, minutes, data.origin)
    _write({_predictions_path(path): arrays.getvalue(), path: gzip.compress(text, mtime=0)})
    return path


def _arrays(predictions: pd.DataFrame, methods: Sequence[str]) -> dict[str, np.ndarray]:
    """Predictions as one array for each method, in the smallest types that lose nothing.

    The array of tuned thresholds has one value a split, in the order of the folds.
    """
    if predictions.empty:  # every method failed on every split
        names = ["fold", "row", "y", *(f"probability_{method}" for method in methods)]
        return {name: np.empty(0, dtype=np.uint8) for name in names}
    wide = predictions.pivot(index=["fold", "row", "y"], columns="method", values="probability")
    arrays = {
        name: values.to_numpy(dtype=np.min_scalar_type(values.max()))
        for name, values in wide.index.to_frame().items()
    }
    for method in methods:
        exact = wide.reindex(columns=[method]).to_numpy(dtype=float).ravel()
        small = exact.astype(np.float32)
        # A network's probabilities are single precision. Those of the other classifiers are not,
        # and rounding could tie two rows or carry one over the threshold.
        kept = small if np.array_equal(small, exact, equal_nan=True) else exact
        arrays[f"probability_{method}"] = kept
    thresholds = predictions.groupby(["fold", "method"])["threshold"].first().unstack()
    for method in thresholds.columns[thresholds.notna().any()]:
        arrays[f"threshold_{method}"] = thresholds[method].to_numpy()
    return arrays


def write_rows(path: Path, rows: pd.DataFrame, made_by: str, minutes: float, origin: str) -> None:
    """Write rows below two lines that say how they were made.

    Parameters
    ----------
    path : Path
        Compressed if it ends in ".gz". The file appears when it is complete.
    rows : DataFrame
    made_by : str
        "# Made by", the command, and "in".
    minutes : float
        That the command took.
    origin : str
        Where the data come from.
    """
    text = _with_header(rows, made_by, minutes, origin)
    _write({path: gzip.compress(text, mtime=0) if path.suffix == ".gz" else text})


def _with_header(rows: pd.DataFrame, made_by: str, minutes: float, origin: str) -> bytes:
    header = f"{made_by} {minutes:.1f} minutes with {os.cpu_count()} cores.\n# Data: {origin}\n"
    return (header + rows.to_csv(index=False, float_format="%.6g", lineterminator="\n")).encode()


def _write(files: Mapping[Path, bytes]) -> None:
    """Write files that get their names, one after the other, when all of them are complete."""
    unfinished = {path: path.with_name(path.name + ".part") for path in files}
    try:
        for path, content in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished[path].write_bytes(content)
        for path in files:
            unfinished[path].replace(path)
    finally:  # the disk may be full
        for part in unfinished.values():
            part.unlink(missing_ok=True)


def _path(results: str | Path, protocol: str, dataset: str) -> Path:
    return Path(results) / protocol / f"{dataset.replace(' ', '_')}.csv.gz"


def _predictions_path(path: Path) -> Path:
    return path.with_name(path.name.replace(".csv.gz", ".npz"))


def _n_splits(protocol: str) -> int:
    return PROTOCOLS[protocol].splits(0).get_n_splits()


def _made_by(dataset: str, protocol: str, methods: Sequence[str], trials: int) -> str:
    """How the first line of recorded rows begins: the command, with nothing left to defaults."""
    return (
        f"# Made by python -m simpor.lab.study --datasets '{dataset}' --protocol {protocol} "
        f"--trials {trials} --methods {' '.join(methods)} in"
    )


def _is_pending(path: Path, made_by: str) -> bool:
    """Whether a set has to be run; rows that another command made stay, and that is said.

    Only for who has claimed the set: damaged files are set aside.
    """
    if not path.is_file():
        return True
    if not _is_whole(path):
        for file in (path, _predictions_path(path)):
            if file.is_file():
                file.replace(file.with_name(file.name + ".damaged"))
        print(f"{path} is damaged: set aside as {path.name}.damaged.", file=sys.stderr)
        return True
    with gzip.open(path, "rt") as file:
        first_line = file.readline()
    if not first_line.startswith(made_by):
        print(
            f"{path} stays as it is, although other methods or trials made it: give --again to "
            "make it anew, or --results to write elsewhere.",
            file=sys.stderr,
        )
    return False


def _is_whole(path: Path) -> bool:
    """Whether rows and predictions can be read, and are of the same methods."""
    try:
        rows, arrays = _read_rows(path), _read_arrays(_predictions_path(path))
        return set(rows["method"]) == set(_by_method(arrays, "probability_"))
    except _UNREADABLE:
        return False


@contextmanager
def _claim(path: Path) -> Iterator[bool]:
    """Whether this study may work on a set, or another one does.

    SQLite locks files on every system, and a process that is killed lets go of its locks.
    """
    lock = path.parents[1] / ".locks" / f"{path.parent.name}-{path.name}"
    lock.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(lock, timeout=0, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = OFF")  # there is nothing to write
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise
        yield False
    else:
        yield True
    finally:
        connection.close()


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line.

    Parameters
    ----------
    arguments : sequence of str, default=None
        What follows the command; None takes that of this process.
    """
    parser = _parser()
    given = parser.parse_args(arguments)
    chosen = _expand(given.methods, _METHOD_GROUPS)
    methods = [method for method in METHODS if method in chosen]
    pending = []
    for protocol in given.protocol:
        n_splits = _n_splits(protocol)
        trials = n_splits if given.trials is None else given.trials
        if not 1 <= trials <= n_splits:
            parser.error(f"--trials: give 1 to {n_splits}, the splits of {protocol}")
        for dataset in _expand(given.datasets, _DATASET_GROUPS):
            path = _path(given.results, protocol, dataset)
            with _claim(path) as is_free:
                made_by = _made_by(dataset, protocol, methods, trials)
                if given.again or not is_free or _is_pending(path, made_by):
                    pending.append((protocol, dataset, trials))
    # All data come first, so that a set that is missing is missed before the work begins.
    try:
        data = {name: load(name, data_home=given.data_home) for _, name, _ in pending}
    except (FileNotFoundError, ValueError) as error:
        parser.error(str(error))

    def work(protocol: str, dataset: str, trials: int) -> int:
        """Rows that pass through a sampler; a tuned threshold takes every split twice."""
        return len(data[dataset].y) * trials * (1 + PROTOCOLS[protocol].tune_all)

    with tqdm(
        total=sum(work(*task) for task in pending),
        bar_format="{desc}{percentage:3.0f}%|{bar}| {elapsed}, {remaining} left",
        disable=not pending,
    ) as bar:
        for number, (protocol, dataset, trials) in enumerate(pending, start=1):
            bar.set_description(f"{dataset}, {protocol}, {number} of {len(pending)}")
            path = _path(given.results, protocol, dataset)
            made_by = _made_by(dataset, protocol, methods, trials)
            with _claim(path) as is_free:
                if not is_free:
                    bar.write(f"{path} is left to the study that works on it.", file=sys.stderr)
                # another study may have come to it while this one was at the sets before
                elif given.again or _is_pending(path, made_by):
                    record(
                        data[dataset],
                        protocol,
                        methods=methods,
                        trials=trials,
                        results=given.results,
                        n_jobs=given.jobs,
                        verbose=0,
                    )
                    bar.write(str(path))
            bar.update(work(protocol, dataset, trials))


def _expand(words: Sequence[str], groups: Mapping[str, Sequence[str]]) -> list[str]:
    """Names without repetition, group words replaced by what they stand for."""
    return list(dict.fromkeys(name for word in words for name in groups.get(word, [word])))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simpor.lab.study",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=textwrap.dedent(
            """\
            Compare methods on the papers' data sets and record, for each data set and protocol,
            the scores and the test predictions. What is recorded is not run again: a study that
            was stopped goes on when the same command is given once more."""
        ),
        epilog="\n".join(
            [
                "data sets, in two groups (a name with blanks needs quotes):",
                *(_paragraph(group, names) for group, names in _DATASET_GROUPS.items()),
                "",
                "methods, in three groups (ablation shares three with comparison):",
                *(_paragraph(group, names) for group, names in _METHOD_GROUPS.items()),
                "",
                "example:",
                "  python -m simpor.lab.study --datasets glass4 'car eval 4' --methods raw smote "
                "--trials 2",
            ]
        ),
    )
    parser.add_argument(
        "--datasets",
        nargs="+",
        default=["controlled"],
        metavar="NAME",
        help="data sets or groups of them, see below (default: controlled)",
    )
    parser.add_argument(
        "--methods",
        nargs="+",
        choices=[*_METHOD_GROUPS, *METHODS],
        default=list(METHODS),
        metavar="METHOD",
        help=f"methods or groups of them, see below (default: all {len(METHODS)})",
    )
    parser.add_argument(
        "--protocol",
        nargs="+",
        choices=list(PROTOCOLS),
        default=["published"],
        metavar="PROTOCOL",
        help="published (random splits, the papers' networks), sound (repeated folds, thresholds "
        "tuned for all methods), or both (default: published)",
    )
    splits = ", ".join(f"{_n_splits(name)} of {name}" for name in PROTOCOLS)
    parser.add_argument(
        "--trials",
        type=int,
        metavar="N",
        help=f"run the first N splits only (default: all, {splits})",
    )
    parser.add_argument(
        "--jobs",
        type=int,
        default=-1,
        metavar="N",
        help="processes that resample and threads that train (default: one a core)",
    )
    parser.add_argument(
        "--results",
        type=Path,
        default=RESULTS,
        metavar="FOLDER",
        help="where the files are written (default: %(default)s)",
    )
    parser.add_argument(
        "--again", action="store_true", help="run what is recorded again, and replace it"
    )
    parser.add_argument(
        "--data-home",
        type=Path,
        metavar="FOLDER",
        help="where data files are looked for first (default: SIMPOR_DATA_HOME, then "
        "scikit-learn's data folder)",
    )
    return parser


def _paragraph(group: str, names: Sequence[str]) -> str:
    """A group word and the names that it stands for, as indented lines of the help text."""
    return textwrap.fill(
        ", ".join(names),
        width=79,
        initial_indent=f"  {group:12}",
        subsequent_indent=" " * 14,
        break_on_hyphens=False,
    )


if __name__ == "__main__":
    main()
