"""Methods crossed with learners: one training part, resampled once, for all learners.

A *record* is what one method and one learner predict on one data set, under the splits of the sound
protocol. It is kept in one file, ``RESULTS/sound/LEARNER/DATASET/METHOD.npz``, so that one can be
made again without the others. ``python -m simpor.lab.study --learner logistic`` makes them.

A record holds predictions, no scores: :mod:`simpor.lab.thresholds` applies threshold policies to
the predictions and scores them.
"""

from __future__ import annotations

import io
import json
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed, parallel_config
from scipy.special import logit
from sklearn.base import ClassifierMixin
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

__all__ = ["INNER_FOLDS", "Record", "path_of", "read", "run", "write"]

#: Folds inside a training part. The first holds out a quarter of it, as the protocol's one split.
INNER_FOLDS = 4

#: Log odds beyond this are cut off.
MOST_LOG_ODDS = 30.0

#: Out-of-fold log odds are kept in steps of this size: at most 0.004 of a probability.
STEP = 1 / 64


@dataclass
class Record:
    """Predictions of one method and one learner on one data set.

    Attributes
    ----------
    y : ndarray of shape (n,)
        1 for the minority class.
    fold : ndarray of shape (n_repeats, n)
        Split in which each row was tested, once in each repeat.
    log_odds : ndarray of shape (n_repeats, n)
        Of the minority class, for test rows. NaN where the method failed.
    inner_fold : ndarray of shape (n_folds, n) or (0, n)
        Part of the training part in which a row was held out; -1 for test rows.
    out_of_fold : ndarray of shape (n_folds, n) or (0, n)
        Log odds for rows held out inside the training part, NaN for test rows. No lines if none
        were asked for.
    seconds_resampling, seconds_training : ndarray of shape (n_folds,)
        Of the model that learnt from the whole training part.
    failure : ndarray of str of shape (n_folds,)
        Empty where nothing failed.
    about : str
        Settings and versions, as JSON.
    """

    y: np.ndarray
    fold: np.ndarray
    log_odds: np.ndarray
    inner_fold: np.ndarray
    out_of_fold: np.ndarray
    seconds_resampling: np.ndarray
    seconds_training: np.ndarray
    failure: np.ndarray
    about: str


@dataclass
class _Part:
    """Rows to learn from and rows held out; what a learner is to see, and what it said."""

    train: np.ndarray
    held_out: np.ndarray
    X: np.ndarray | None = None
    y: np.ndarray | None = None
    X_held_out: np.ndarray | None = None
    log_odds: dict[str, np.ndarray] | None = None
    seconds_resampling: float = np.nan
    seconds_training: dict[str, float] | None = None
    failure: str = ""


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
    splits = list(SOUND.splits(random_state).split(data.X, data.y))
    jobs = []
    for number, (train, test) in enumerate(splits):
        seed = _seed(random_state, number)
        parts = [_Part(train, test)]
        if any(has_out_of_fold(method, learner) for learner in learners):
            parts += _inner_parts(data.y, train, seed)
        jobs.append((parts, seed))
    done = Parallel(n_jobs, batch_size=1)(
        delayed(_run_split)(data.X, data.y, CROSSED[method], tuple(learners), parts, seed)
        for parts, seed in jobs
    )
    if "network" in learners:
        _train_networks(done, [seed for _, seed in jobs], data.name, method, n_jobs)
    return {learner: _collect(data.y, done, method, learner) for learner in learners}


def _inner_parts(y: np.ndarray, train: np.ndarray, seed: int) -> list[_Part]:
    """The parts of a training part; none where the minority class has too few rows for them."""
    if y[train].sum() < INNER_FOLDS:
        return []
    inner = StratifiedKFold(INNER_FOLDS, shuffle=True, random_state=seed).split(train, y[train])
    return [_Part(train[learnt], train[held_out]) for learnt, held_out in inner]


def _run_split(
    X: np.ndarray,
    y: np.ndarray,
    method: Method,
    learners: Sequence[str],
    parts: list[_Part],
    seed: int,
) -> list[_Part]:
    """Resample each part once, and let the learners learn from it."""
    with threadpool_limits(1), parallel_config("sequential"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # warnings are not recorded
        for number, part in enumerate(parts):
            wanted = [
                name for name in learners if number == 0 or has_out_of_fold(method.name, name)
            ]
            part.log_odds, part.seconds_training = {}, {}
            try:
                _run_part(X, y, method, wanted, part, seed)
            except Exception as error:  # noqa: BLE001 - what goes wrong is a result
                part.failure = f"{type(error).__name__}: {error}"
    return parts


def _run_part(
    X: np.ndarray, y: np.ndarray, method: Method, learners: Sequence[str], part: _Part, seed: int
) -> None:
    assert part.log_odds is not None and part.seconds_training is not None
    scaler = StandardScaler().fit(X[part.train])
    X_part, X_held_out = scaler.transform(X[part.train]), scaler.transform(X[part.held_out])
    y_part = y[part.train]
    begin = time.perf_counter()
    made = method.make(seed)
    if method.kind == "classifier":
        part.log_odds[OWN] = _log_odds(made.fit(X_part, y_part), X_held_out)
        part.seconds_training[OWN] = time.perf_counter() - begin
        return
    X_part, y_part = made.fit_resample(X_part, y_part)
    part.seconds_resampling = time.perf_counter() - begin
    weight = "balanced" if method.kind == "weights" else None
    for name in learners:
        make = LEARNERS[name].make
        if make is None:
            part.X, part.y, part.X_held_out = X_part, y_part, X_held_out
            continue
        begin = time.perf_counter()
        part.log_odds[name] = _log_odds(make(seed, weight).fit(X_part, y_part), X_held_out)
        part.seconds_training[name] = time.perf_counter() - begin


def _log_odds(classifier: ClassifierMixin, X: np.ndarray) -> np.ndarray:
    """Log odds of the minority class: for a margin, the margin itself."""
    if hasattr(classifier, "decision_function"):
        log_odds = classifier.decision_function(X)
    else:
        log_odds = logit(classifier.predict_proba(X)[:, 1].astype(float))
    return np.clip(log_odds, -MOST_LOG_ODDS, MOST_LOG_ODDS)


def _train_networks(
    done: list[list[_Part]], seeds: Sequence[int], dataset: str, method: str, n_jobs: int
) -> None:
    """Train one stack of networks on all parts."""
    if CROSSED[method].kind == "weights":
        raise ValueError("the network takes no class weights: leave 'class-weights' out.")
    members = [
        (part, seed)
        for parts, seed in zip(done, seeds, strict=True)
        for part in parts
        if part.X is not None
    ]
    if not members:
        return
    begin = time.perf_counter()
    with parallel_config("threading"):
        stack = NetworkStack(SOUND.network(dataset), n_jobs=n_jobs, verbose=0)
        stack.fit([p.X for p, _ in members], [p.y for p, _ in members], [s for _, s in members])
    seconds = (time.perf_counter() - begin) / len(members)
    for member, (part, _) in enumerate(members):
        assert part.log_odds is not None and part.seconds_training is not None
        probability = stack.predict_proba(member, part.X_held_out)[:, 1].astype(float)
        part.seconds_training["network"] = seconds
        if np.isfinite(probability).all():
            part.log_odds["network"] = np.clip(logit(probability), -MOST_LOG_ODDS, MOST_LOG_ODDS)
        else:
            part.failure = "the network's training diverged: its probabilities are not finite"


def _collect(y: np.ndarray, done: list[list[_Part]], method: str, learner: str) -> Record:
    n, n_folds = len(y), len(done)
    n_repeats = sum(len(parts[0].held_out) for parts in done) // n
    fold = np.zeros((n_repeats, n), dtype=np.int8)
    log_odds = np.full((n_repeats, n), np.nan, dtype=np.float32)
    n_lines = n_folds if has_out_of_fold(method, learner) else 0
    inner_fold = np.full((n_lines, n), -1, dtype=np.int8)
    out_of_fold = np.full((n_lines, n), np.nan, dtype=np.float32)
    for number, (whole, *inner) in enumerate(done):
        repeat = number * n_repeats // n_folds
        fold[repeat, whole.held_out] = number
        log_odds[repeat, whole.held_out] = (whole.log_odds or {}).get(learner, np.nan)
        for part_number, part in enumerate(inner if n_lines else []):
            inner_fold[number, part.held_out] = part_number
            out_of_fold[number, part.held_out] = (part.log_odds or {}).get(learner, np.nan)
    wholes = [parts[0] for parts in done]
    about = {"method": " ".join(repr(CROSSED[method].make(None)).split()), "versions": _versions()}
    return Record(
        y=y.astype(np.int8),
        fold=fold,
        log_odds=log_odds,
        inner_fold=inner_fold,
        out_of_fold=_in_steps(out_of_fold) * np.float32(STEP),
        seconds_resampling=np.array([part.seconds_resampling for part in wholes]),
        seconds_training=np.array(
            [(part.seconds_training or {}).get(learner, np.nan) for part in wholes]
        ),
        failure=np.array([part.failure for part in wholes], dtype=str),
        about=json.dumps(about),
    )


def _in_steps(log_odds: np.ndarray) -> np.ndarray:
    return np.round(log_odds / STEP)


_MISSING = np.iinfo(np.int16).min


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


def write(path: Path, record: Record) -> None:
    """Write a record; the file appears when it is complete.

    Parameters
    ----------
    path : Path
    record : Record
    """
    arrays = {field.name: np.asarray(getattr(record, field.name)) for field in fields(Record)}
    steps = _in_steps(record.out_of_fold)
    arrays["out_of_fold"] = np.where(np.isnan(steps), _MISSING, steps).astype(np.int16)
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    write_whole({path: file.getvalue()})


def read(
    dataset: str, learner: str, method: str, results: str | Path = records.RESULTS
) -> Record:
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
        If the file is damaged.
    """
    command = (
        f"python -m simpor.lab.study --protocol sound --learner {learner} "
        f"--datasets {dataset!r} --methods {method}"
    )
    path = records.recorded(path_of(dataset, learner, method, results), command)
    with naming_damage(path, "delete it and run its command again."):
        arrays = read_arrays(path)
        steps = arrays["out_of_fold"]
        arrays["out_of_fold"] = np.where(
            steps == _MISSING, np.float32(np.nan), steps * np.float32(STEP)
        )
        return Record(**(arrays | {"about": str(arrays["about"])}))


def is_whole(path: Path) -> bool:
    """Whether a record is there and can be read.

    Parameters
    ----------
    path : Path

    Returns
    -------
    bool
    """
    try:
        return set(read_arrays(path)) == {field.name for field in fields(Record)}
    except UNREADABLE:
        return False
