"""Recorded scores: where they are, how they are read, and how they are written.

Each data set under each protocol has two files: the scores in ``RESULTS/PROTOCOL/DATASET.csv.gz``,
whose first two lines say how they were made, and beside it in ``DATASET.npz`` the predictions for
every test row and the tuned thresholds, from which any other metric can be computed.
``python -m simpor.lab.study`` writes them.

A chapter reads the scores of a data set with :func:`read_both`, from whatever folder it runs in:

>>> from simpor.lab.records import read_both
>>> recorded = read_both("moon-7")
>>> list(recorded)
['as published', 'sound']
>>> scores = recorded["sound"]
>>> int(scores["fold"].nunique())
10
"""

import gzip
import io
import os
import re
import shlex
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from simpor.lab._files import UNREADABLE, naming_damage, read_arrays, write_whole

#: The scores that belong to the book: ``book/results`` beside the package.
RESULTS = Path(__file__).parents[2] / "book" / "results"

#: The protocols as tables and figures call them, and by their names in
#: :data:`simpor.lab.protocol.PROTOCOLS`.
HEADINGS = {"as published": "published", "sound": "sound"}

_HEADER_LINES = 2
_CURE = "run its command again; the damaged file is kept as *.damaged."


def read_both(dataset: str, results: str | Path = RESULTS) -> dict[str, pd.DataFrame]:
    """Recorded scores of one data set under both protocols, by their headings.

    Parameters
    ----------
    dataset : str
        Its name in :func:`simpor.lab.datasets.load`.
    results : path-like
        Folder of the files. The default is that of the book.

    Returns
    -------
    dict of str to DataFrame
        ``{"as published": scores, "sound": scores}`` in this order, each as in :func:`read`.
        A protocol under which the set is not recorded is left out: ``credit-card-10`` and
        ``credit-card-15`` are recorded as published only.

    Raises
    ------
    FileNotFoundError
        If nothing is recorded under either protocol; the message names the command that records it.
    ValueError
        If a file is damaged.

    Examples
    --------
    The scores of several sets are joined with pandas:

    >>> import pandas as pd
    >>> from simpor.lab.records import HEADINGS, read_both
    >>> both = [read_both(name) for name in ("glass4", "glass5")]
    >>> recorded = {heading: pd.concat(one[heading] for one in both) for heading in HEADINGS}
    >>> recorded["sound"]["dataset"].unique().tolist()
    ['glass4', 'glass5']
    """
    found = {
        heading: protocol
        for heading, protocol in HEADINGS.items()
        if scores_path(dataset, protocol, results).is_file()
    }
    # With nothing found, reading raises the sentence that names the command.
    wanted = found or HEADINGS
    return {heading: read(dataset, protocol, results) for heading, protocol in wanted.items()}


def read(dataset: str, protocol: str, results: str | Path = RESULTS) -> pd.DataFrame:
    """Recorded scores of one data set under one protocol.

    Parameters
    ----------
    dataset : str
        Its name in :func:`simpor.lab.datasets.load`.
    protocol : {"published", "sound"}
    results : path-like
        Folder of the files. The default is that of the book.

    Returns
    -------
    DataFrame
        A long table, see :func:`simpor.lab.protocol.run`.

    Raises
    ------
    FileNotFoundError
        If nothing is recorded; the message names the command that records it.
    ValueError
        If the file is damaged.
    """
    path = recorded(scores_path(dataset, protocol, results), _command(dataset, protocol, results))
    with naming_damage(path, _CURE):
        return _read_scores(path)


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
    arrays = _recorded_arrays(dataset, protocol, results)
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
    arrays = _recorded_arrays(dataset, protocol, results)
    return pd.DataFrame({"fold": np.unique(arrays["fold"])} | _by_method(arrays, "threshold_"))


def write(
    path: Path,
    scores: pd.DataFrame,
    predictions: pd.DataFrame,
    methods: Sequence[str],
    made_by: str,
    minutes: float,
    origin: str,
) -> None:
    """Write scores, and beside them predictions. Both files get their names when both are complete.

    Parameters
    ----------
    path : Path
        Of the scores, see :func:`scores_path`.
    scores, predictions : DataFrame
        From :func:`simpor.lab.protocol.run`.
    methods : sequence of str
        That were run, also those that failed.
    made_by : str
        How the first line begins: "# Made by", the command, and "in".
    minutes : float
        That the command took.
    origin : str
        Where the data come from.
    """
    arrays = io.BytesIO()
    # NumPy's own types take the names of arrays for its one option
    np.savez_compressed(arrays, **_arrays(predictions, methods))  # type: ignore[arg-type]
    text = _with_header(scores, made_by, minutes, origin)
    write_whole({predictions_path(path): arrays.getvalue(), path: gzip.compress(text, mtime=0)})


def with_others(
    path: Path, scores: pd.DataFrame, predictions: pd.DataFrame, minutes: float
) -> tuple[pd.DataFrame, pd.DataFrame, float]:
    """Join scores and predictions with what is recorded of other methods on the same splits.

    So one method can be recorded again without the others.

    Parameters
    ----------
    path : Path
        Of the scores, which are whole, see :func:`is_whole`.
    scores, predictions : DataFrame
        From :func:`simpor.lab.protocol.run`.
    minutes : float
        That they took.

    Returns
    -------
    scores, predictions : DataFrame
        Those of the other methods first. What is given comes back alone if it is of other splits.
    minutes : float
        That all of them took.
    """
    recorded_scores, arrays = _read_scores(path), read_arrays(predictions_path(path))
    if set(recorded_scores["fold"]) != set(scores["fold"]):
        return scores, predictions, minutes
    place = {name: arrays[name].astype(int) for name in ("fold", "row", "y")}
    folds = np.unique(arrays["fold"])
    thresholds = _by_method(arrays, "threshold_")
    others = []
    for method, probability in _by_method(arrays, "probability_").items():
        if method not in set(scores["method"]):
            of_folds = pd.Series(thresholds.get(method, np.nan), index=folds, dtype=float)
            columns = {
                "method": method,
                "probability": probability.astype(float),
                "threshold": of_folds[place["fold"]].to_numpy(),
            }
            others.append(pd.DataFrame(place | columns))
    is_other = ~recorded_scores["method"].isin(scores["method"])
    before = re.search(r" in ([\d.]+) minutes", first_line(path))
    return (
        pd.concat([recorded_scores[is_other], scores], ignore_index=True),
        pd.concat([*others, predictions], ignore_index=True),
        minutes + float(before[1] if before and others else 0),
    )


def write_scores(
    path: Path, scores: pd.DataFrame, made_by: str, minutes: float, origin: str
) -> None:
    """Write scores below two lines that say how they were made.

    Parameters
    ----------
    path : Path
        Compressed if it ends in ".gz". The file appears when it is complete.
    scores : DataFrame
    made_by : str
        "# Made by", the command, and "in".
    minutes : float
        That the command took.
    origin : str
        Where the data come from.
    """
    text = _with_header(scores, made_by, minutes, origin)
    write_whole({path: gzip.compress(text, mtime=0) if path.suffix == ".gz" else text})


def scores_path(dataset: str, protocol: str, results: str | Path = RESULTS) -> Path:
    """Where the scores of one data set under one protocol are, or will be.

    Parameters
    ----------
    dataset : str
    protocol : {"published", "sound"}
    results : path-like

    Returns
    -------
    Path
    """
    return Path(results) / protocol / f"{dataset.replace(' ', '_')}.csv.gz"


def predictions_path(path: Path) -> Path:
    """Where the predictions are that belong to a file of scores.

    Parameters
    ----------
    path : Path
        Of the scores.

    Returns
    -------
    Path
    """
    return path.with_name(path.name.replace(".csv.gz", ".npz"))


def recorded(path: Path, command: str) -> Path:
    """Give a path back if its file is there, and say what to do if it is not.

    Parameters
    ----------
    path : Path
    command : str
        That records the file.

    Returns
    -------
    Path

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    """
    if path.is_file():
        return path
    if path.is_relative_to(RESULTS) and not RESULTS.is_dir():
        raise FileNotFoundError(
            "simpor is installed here without its book, so no scores are recorded: give results=, "
            "the folder book/results in a copy of the project."
        )
    raise FileNotFoundError(f"{path} is not recorded: run {command}.")


def check_folder(results: Path) -> None:
    """Refuse a folder for results in which nothing can be written, before the work begins.

    Parameters
    ----------
    results : Path
        It is created if it is missing.

    Raises
    ------
    ValueError
        If it cannot be created or written to, or belongs to a book that is not there.
    """
    if results.is_relative_to(RESULTS) and not RESULTS.is_dir():
        raise ValueError("--results: simpor is installed here without its book; name a folder.")
    try:
        results.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=results).close()
    except OSError as error:
        raise ValueError(f"--results {results}: {error.strerror}; name another folder.") from error


def is_whole(path: Path) -> bool:
    """Whether scores and predictions can be read and are of the same methods.

    Parameters
    ----------
    path : Path
        Of the scores.

    Returns
    -------
    bool
    """
    try:
        scores, arrays = _read_scores(path), read_arrays(predictions_path(path))
        return set(scores["method"]) == set(_by_method(arrays, "probability_"))
    except PermissionError:
        raise
    except UNREADABLE:
        return False


def set_aside(path: Path) -> None:
    """Rename scores and predictions, so that they no longer count and are not lost.

    Call this only while holding the claim on the set, see :func:`claim`.

    Parameters
    ----------
    path : Path
        Of the scores. Both files get ".damaged" behind their names.
    """
    for file in (path, predictions_path(path)):
        if file.is_file():
            file.replace(file.with_name(file.name + ".damaged"))


def first_line(path: Path) -> str:
    """The line that says which command made a file of scores.

    Parameters
    ----------
    path : Path
        Of the scores.

    Returns
    -------
    str
    """
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return file.readline()


@contextmanager
def claim(path: Path) -> Iterator[bool]:
    """Claim a set, so that no other study works on it meanwhile.

    SQLite locks files on every system, and a process that is killed lets go of its locks.

    Parameters
    ----------
    path : Path
        Of the scores.

    Yields
    ------
    bool
        False if another study has claimed the set.
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


def _command(dataset: str, protocol: str, results: str | Path) -> str:
    return (
        f"python -m simpor.lab.study --datasets {dataset!r} --protocol {protocol} "
        f"--results {shlex.quote(str(results))}"
    )


def _recorded_arrays(dataset: str, protocol: str, results: str | Path) -> dict[str, np.ndarray]:
    path = predictions_path(scores_path(dataset, protocol, results))
    with naming_damage(recorded(path, _command(dataset, protocol, results)), _CURE):
        return read_arrays(path)


def _read_scores(path: Path) -> pd.DataFrame:
    numbers = ("value", "seconds_resampling", "seconds_training")
    return pd.read_csv(
        path,
        keep_default_na=False,  # a reason may be empty, and stays a text
        na_values=dict.fromkeys(numbers, [""]),
        skiprows=_HEADER_LINES,
    )


def _by_method(arrays: Mapping[str, np.ndarray], kind: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(kind): arrays[name] for name in arrays if name.startswith(kind)}


def _with_header(scores: pd.DataFrame, made_by: str, minutes: float, origin: str) -> bytes:
    header = f"{made_by} {minutes:.1f} minutes with {os.cpu_count()} cores.\n# Data: {origin}\n"
    return (header + scores.to_csv(index=False, float_format="%.6g", lineterminator="\n")).encode()


def _arrays(predictions: pd.DataFrame, methods: Sequence[str]) -> dict[str, np.ndarray]:
    """Predictions as one array for each method, in the smallest types that lose nothing.

    The array of tuned thresholds has one value for each split, in the order of the folds.
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
