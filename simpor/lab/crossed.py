"""Methods crossed with learners: a training part is resampled once, and all learners learn from it.

A *record* is what one method and one learner predict on one data set, under the splits of the sound
protocol. Each lies in a file of its own, ``RESULTS/sound/LEARNER/DATASET/METHOD.npz``, so that one
can be made again without the others. All records of a data set share its splits, in
``RESULTS/sound/splits/DATASET.npz``. ``python -m simpor.lab.study --protocol sound --learner
logistic`` makes them.

A record holds predictions and no scores: :mod:`simpor.lab.thresholds` applies threshold policies to
the predictions and scores them.

The book has, for the 41 data sets, the logistic regression before most methods and a part of the
classifiers of their own; :func:`simpor.lab.summary.complete` lists them. Gradient boosting and the
network are not recorded in this form yet. Seconds are of the processor, not of the clock: other
work ran beside the recording.
"""

from __future__ import annotations

import io
import json
import re
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed, parallel_config
from scipy.special import logit
from sklearn.base import BaseEstimator
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from simpor.lab import records
from simpor.lab._files import UNREADABLE, naming_damage, read_arrays, write_whole
from simpor.lab.datasets import Dataset
from simpor.lab.learners import CROSSED, LEARNERS, OWN, has_out_of_fold
from simpor.lab.methods import Method
from simpor.lab.network import NetworkStack
from simpor.lab.protocol import SOUND, _seed, _versions

__all__ = [
    "INNER_FOLDS",
    "Record",
    "Splits",
    "is_recorded",
    "path_of",
    "read",
    "run",
    "splits_of",
    "write",
]

#: Folds inside a training part. The first holds out a quarter of it, as the protocol's one split.
INNER_FOLDS = 4

#: Log odds beyond this are cut off.
MOST_LOG_ODDS = 30.0

#: Log odds are kept as whole numbers of these steps. For test rows a step is at most 0.00025 of a
#: probability, for rows that only choose a threshold 0.004.
STEPS = {"log_odds": 1 / 1024, "out_of_fold": 1 / 64}

_MISSING = np.iinfo(np.int16).min


@dataclass(frozen=True)
class Splits:
    """Labels and splits of one data set, the same for all its records.

    Attributes
    ----------
    y : ndarray of shape (n,)
        1 for the minority class.
    inner_fold : ndarray of shape (n_folds, n)
        For each split, the part of the training part in which a row was held out; -1 for test rows.
    """

    y: np.ndarray
    inner_fold: np.ndarray

    @property
    def is_test(self) -> np.ndarray:
        """Whether each row is tested in each split.

        Returns
        -------
        ndarray of bool of shape (n_folds, n)
        """
        return self.inner_fold == -1


@dataclass(frozen=True)
class Record:
    """Predictions of one method and one learner on one data set.

    Attributes
    ----------
    splits : Splits
    log_odds : ndarray of shape (n_folds, n)
        Of the minority class for test rows: of the predicted probability, or the margin of a
        classifier that predicts none. NaN for training rows and where the method failed.
    out_of_fold : ndarray of shape (n_folds, n) or (0, n)
        The same for rows held out inside the training part, predicted by learners that saw three
        quarters of it; NaN for test rows. No lines if none were asked for.
    seconds_resampling, seconds_training : ndarray of shape (n_folds,)
        Of the processor, for the model that learnt from the whole training part.
    failure : ndarray of str of shape (n_folds,)
        Why there are no predictions for the test rows; empty where nothing failed.
    is_probability : bool
        False if the log odds are margins.
    about : str
        Settings and versions, as JSON.
    """

    splits: Splits
    log_odds: np.ndarray
    out_of_fold: np.ndarray
    seconds_resampling: np.ndarray
    seconds_training: np.ndarray
    failure: np.ndarray
    is_probability: bool
    about: str


#: What a file holds beside the log odds, as one text: many small arrays would double its size.
_NOTES = {name for name in Record.__annotations__ if name not in ("splits", *STEPS)}


_no_rows = partial(np.empty, 0)


@dataclass
class _Part:
    """Rows to learn from and rows held out; what learners said of these, or why they did not."""

    train: np.ndarray
    held_out: np.ndarray
    learners: Sequence[str]
    seed: int
    X: np.ndarray = field(default_factory=_no_rows)
    y: np.ndarray = field(default_factory=_no_rows)
    X_held_out: np.ndarray = field(default_factory=_no_rows)
    seconds_resampling: float = np.nan
    log_odds: dict[str, np.ndarray] = field(default_factory=dict)
    seconds_training: dict[str, float] = field(default_factory=dict)
    failure: dict[str, str] = field(default_factory=dict)
    is_probability: bool = True


def splits_of(y: np.ndarray, random_state: int = 0) -> Splits:
    """Draw the splits of a data set, those of :func:`simpor.lab.protocol.run`, and inside them.

    Parameters
    ----------
    y : ndarray of shape (n,)
    random_state : int, default=0

    Returns
    -------
    Splits

    Examples
    --------
    >>> import numpy as np
    >>> from simpor.lab.crossed import splits_of
    >>> splits = splits_of(np.repeat([0, 1], [80, 20]))
    >>> splits.is_test.sum(axis=1).tolist()
    [20, 20, 20, 20, 20, 20, 20, 20, 20, 20]
    """
    splits = list(SOUND.splits(random_state).split(y, y))
    inner_fold = np.full((len(splits), len(y)), -1, dtype=np.int8)
    for fold, (train, _) in enumerate(splits):
        inner = StratifiedKFold(
            INNER_FOLDS, shuffle=True, random_state=_seed(random_state, fold)
        ).split(train, y[train])
        for number, (_, held_out) in enumerate(inner):
            inner_fold[fold, train[held_out]] = number
    return Splits(y.astype(np.int8), inner_fold)


def run(
    data: Dataset,
    method: str,
    learners: Sequence[str],
    *,
    random_state: int = 0,
    n_jobs: int = -1,
) -> dict[str, Record]:
    """Run one method on one data set, before all learners that are asked for.

    Parameters
    ----------
    data : simpor.lab.datasets.Dataset
    method : str
        One of :data:`simpor.lab.learners.CROSSED`.
    learners : sequence of str
        Of :data:`simpor.lab.learners.LEARNERS`; ``["own"]`` for a method that is a classifier.
    random_state : int, default=0
        As in :func:`simpor.lab.protocol.run`: the same splits, and the same seeds.
    n_jobs : int, default=-1

    Returns
    -------
    dict of str to Record
        By the learners' names.

    Notes
    -----
    Spread by joblib over the splits, on this machine or on a cluster of Dask; networks train here.
    """
    splits = splits_of(data.y, random_state)
    of_folds = [
        list(_parts(splits, fold, method, learners, _seed(random_state, fold)))
        for fold in range(len(splits.inner_fold))
    ]
    done = Parallel(n_jobs, batch_size=1)(
        delayed(_run_parts)(data.X, data.y, CROSSED[method], parts) for parts in of_folds
    )
    if "network" in learners:
        _train_networks([part for parts in done for part in parts], data.name, n_jobs)
    return {learner: _collect(splits, done, method, learner) for learner in learners}


def _parts(
    splits: Splits, fold: int, method: str, learners: Sequence[str], seed: int
) -> Iterator[_Part]:
    """The training part as a whole, then its parts for learners of out-of-fold predictions."""
    inner_fold = splits.inner_fold[fold]
    yield _Part(inner_fold != -1, inner_fold == -1, learners, seed)
    inner = [learner for learner in learners if has_out_of_fold(method, learner)]
    for number in range(INNER_FOLDS if inner else 0):
        held_out = inner_fold == number
        yield _Part((inner_fold != -1) & ~held_out, held_out, inner, seed)


def _run_parts(X: np.ndarray, y: np.ndarray, method: Method, parts: list[_Part]) -> list[_Part]:
    """Resample each part once, and let the learners learn from it."""
    # One thread and no jobs inside a job, see simpor.lab.protocol.
    with threadpool_limits(1), parallel_config("sequential"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # warnings are not recorded
        for part in parts:
            scaler = StandardScaler().fit(X[part.train])
            part.X, part.y = scaler.transform(X[part.train]), y[part.train]
            part.X_held_out = scaler.transform(X[part.held_out])
            if method.kind != "classifier":
                _resample(part, method)
            for learner in part.learners:
                if learner not in part.failure and learner != "network":
                    _train(part, method, learner)
            if "network" not in part.learners:
                part.X = part.y = part.X_held_out = _no_rows()  # nobody needs them any more
    return parts


def _resample(part: _Part, method: Method) -> None:
    begin = time.process_time()
    try:
        part.X, part.y = method.make(part.seed).fit_resample(part.X, part.y)
    except Exception as error:  # noqa: BLE001 - what goes wrong is a result
        part.failure = dict.fromkeys(part.learners, f"{type(error).__name__}: {error}")
    part.seconds_resampling = time.process_time() - begin


def _train(part: _Part, method: Method, learner: str) -> None:
    begin = time.process_time()
    try:
        if learner == OWN:
            classifier = method.make(part.seed).fit(part.X, part.y)
            part.is_probability = hasattr(classifier, "predict_proba")
        else:
            weight = "balanced" if method.kind == "weights" else None
            classifier = LEARNERS[learner].make(part.seed, weight).fit(part.X, part.y)
        part.log_odds[learner] = _log_odds(classifier, part.X_held_out, learner)
    except Exception as error:  # noqa: BLE001 - what goes wrong is a result
        part.failure[learner] = f"{type(error).__name__}: {error}"
    part.seconds_training[learner] = time.process_time() - begin


def _log_odds(classifier: BaseEstimator, X: np.ndarray, learner: str) -> np.ndarray:
    """Log odds of the minority class, or the margin of a classifier without probabilities."""
    if learner == OWN and hasattr(classifier, "predict_proba"):
        return logit(classifier.predict_proba(X)[:, 1].astype(float))
    return classifier.decision_function(X)  # the learners' are log odds


def _train_networks(parts: Sequence[_Part], dataset: str, n_jobs: int) -> None:
    """Train one stack of networks on all parts."""
    parts = [p for p in parts if "network" in p.learners and "network" not in p.failure]
    if not parts:
        return
    begin = time.process_time()
    with parallel_config("threading"):
        stack = NetworkStack(SOUND.network(dataset), n_jobs=n_jobs, verbose=0)
        stack.fit([p.X for p in parts], [p.y for p in parts], [p.seed for p in parts])
    seconds = (time.process_time() - begin) / len(parts)
    for member, part in enumerate(parts):
        probability = stack.predict_proba(member, part.X_held_out)[:, 1].astype(float)
        part.seconds_training["network"] = seconds
        if np.isfinite(probability).all():
            part.log_odds["network"] = logit(probability)
        else:
            reason = "the network's training diverged: its probabilities are not finite"
            part.failure["network"] = reason


def _collect(splits: Splits, done: list[list[_Part]], method: str, learner: str) -> Record:
    """Gather one learner's predictions from all parts."""
    shape = splits.inner_fold.shape
    log_odds = np.full(shape, np.nan)
    out_of_fold = np.full(shape if has_out_of_fold(method, learner) else (0, shape[1]), np.nan)
    for fold, (whole, *inner) in enumerate(done):
        log_odds[fold, whole.held_out] = whole.log_odds.get(learner, np.nan)
        for part in inner if len(out_of_fold) else []:
            out_of_fold[fold, part.held_out] = part.log_odds.get(learner, np.nan)
    wholes = [parts[0] for parts in done]
    made = re.sub(r" at 0x[0-9a-f]+", "", " ".join(repr(CROSSED[method].make(None)).split()))
    return Record(
        splits=splits,
        log_odds=_from_steps(_in_steps(log_odds, "log_odds"), "log_odds"),
        out_of_fold=_from_steps(_in_steps(out_of_fold, "out_of_fold"), "out_of_fold"),
        seconds_resampling=np.array([part.seconds_resampling for part in wholes]).round(4),
        seconds_training=np.array(
            [part.seconds_training.get(learner, np.nan) for part in wholes]
        ).round(4),
        failure=np.array([part.failure.get(learner, "") for part in wholes], dtype=str),
        is_probability=all(part.is_probability for part in wholes),
        about=json.dumps({"method": made, "versions": _versions()}),
    )


def _in_steps(log_odds: np.ndarray, name: str) -> np.ndarray:
    steps = np.round(np.clip(log_odds, -MOST_LOG_ODDS, MOST_LOG_ODDS) / STEPS[name])
    return np.where(np.isnan(steps), _MISSING, steps).astype(np.int16)


def _from_steps(steps: np.ndarray, name: str) -> np.ndarray:
    return np.where(steps == _MISSING, np.nan, steps * STEPS[name])


def path_of(dataset: str, learner: str, method: str, results: str | Path = records.RESULTS) -> Path:
    """Where a record is, or will be.

    Parameters
    ----------
    dataset, learner, method : str
    results : path-like

    Returns
    -------
    Path
    """
    return Path(results) / SOUND.name / learner / dataset.replace(" ", "_") / f"{method}.npz"


def _splits_path(path: Path) -> Path:
    """Where the splits are that belong to a record."""
    return path.parents[2] / "splits" / f"{path.parent.name}.npz"


def write(path: Path, record: Record) -> None:
    """Write a record, and the splits if they are not there; files appear when they are complete.

    Parameters
    ----------
    path : Path
        See :func:`path_of`.
    record : Record

    Raises
    ------
    ValueError
        If earlier records of the data set have other splits.
    """
    splits_path = _splits_path(path)
    files = {}
    if not splits_path.is_file():
        files[splits_path] = _packed(vars(record.splits))
    elif not _are_equal(_read_splits(path), record.splits):
        raise ValueError(
            f"{splits_path} has other splits than those drawn now, so the data set or scikit-learn "
            "has changed: give --results another folder, or delete all records of this data set."
        )
    arrays = {}
    for name in STEPS:
        values = getattr(record, name)
        arrays[name] = _in_steps(values[_filled(record.splits, name)[: len(values)]], name)
    notes = {name: np.asarray(getattr(record, name)).tolist() for name in sorted(_NOTES)}
    arrays["notes"] = np.frombuffer(json.dumps(notes).encode(), dtype=np.uint8)
    write_whole(files | {path: _packed(arrays)})


def _filled(splits: Splits, name: str) -> np.ndarray:
    """Where an array of log odds has numbers, of shape (n_folds, n)."""
    return splits.is_test if name == "log_odds" else ~splits.is_test


def _packed(arrays: Mapping[str, np.ndarray]) -> bytes:
    file = io.BytesIO()
    # NumPy's own types take the names of arrays for its one option
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def _are_equal(one: Splits, other: Splits) -> bool:
    return all(np.array_equal(vars(one)[name], vars(other)[name]) for name in vars(one))


def _read_splits(path: Path) -> Splits:
    return Splits(**read_arrays(_splits_path(path)))


def read(dataset: str, learner: str, method: str, results: str | Path = records.RESULTS) -> Record:
    """Read a record.

    Parameters
    ----------
    dataset, learner, method : str
    results : path-like

    Returns
    -------
    Record

    Raises
    ------
    FileNotFoundError
        If it was not made; the message names the command that makes it.
    ValueError
        If the file, or that of the splits, is damaged.
    """
    command = (
        f"python -m simpor.lab.study --protocol sound --learner {learner} "
        f"--datasets {dataset!r} --methods {method}"
    )
    path = records.recorded(path_of(dataset, learner, method, results), command)
    with naming_damage(_splits_path(path), "delete it and all records of the data set."):
        splits = _read_splits(path)
    with naming_damage(path, "delete it and run its command again."):
        arrays = read_arrays(path)
        notes = json.loads(arrays["notes"].tobytes())
        return Record(
            splits=splits,
            log_odds=_unpacked(arrays["log_odds"], splits, "log_odds"),
            out_of_fold=_unpacked(arrays["out_of_fold"], splits, "out_of_fold"),
            seconds_resampling=np.array(notes["seconds_resampling"]),
            seconds_training=np.array(notes["seconds_training"]),
            failure=np.array(notes["failure"], dtype=str),
            is_probability=notes["is_probability"],
            about=notes["about"],
        )


def _unpacked(steps: np.ndarray, splits: Splits, name: str) -> np.ndarray:
    """Log odds in the shape of the splits; no lines where none are kept."""
    filled = _filled(splits, name)[: None if len(steps) else 0]
    values = np.full(filled.shape, np.nan)
    values[filled] = _from_steps(steps, name)
    return values


def is_recorded(path: Path) -> bool:
    """Whether a record and its splits are there and can be read.

    Parameters
    ----------
    path : Path
        Of the record.

    Returns
    -------
    bool
    """
    try:
        _read_splits(path)
        return set(read_arrays(path)) == {*STEPS, "notes"}
    except PermissionError:
        raise
    except (*UNREADABLE, TypeError):
        return False
