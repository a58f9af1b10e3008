"""Splits, and what every method predicts on them: all that takes long, so that it can be resumed."""

from __future__ import annotations

import io
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from imblearn.pipeline import Pipeline
from joblib import Parallel, delayed, parallel_config
from joblib import hash as joblib_hash
from sklearn.base import ClassifierMixin
from sklearn.model_selection import (
    RepeatedStratifiedKFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    TimeSeriesSplit,
)
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from simpor.lab._compare_models import METHODS, make_steps, shift_share
from simpor.lab._compare_table import Table
from simpor.lab._files import UNREADABLE, read_arrays, write_whole
from simpor.lab.protocol import _seed, _versions, tune_threshold

N_FOLDS = 5

#: Folds inside a training part, on which a threshold is chosen.
INNER_FOLDS = 4

Split = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Costs:
    """What errors cost, in any unit; what is right costs nothing."""

    miss: float
    alarm: float

    @property
    def threshold(self) -> float:
        """The probability from which on an alarm is the cheaper choice."""
        return self.alarm / (self.alarm + self.miss)

    def per_thousand(self, y: np.ndarray, predicted: np.ndarray) -> float:
        """Cost of 1,000 rows."""
        misses, alarms = (y == 1) & ~predicted, (y == 0) & predicted
        return 1000 * float(np.mean(self.miss * misses + self.alarm * alarms))


@dataclass
class Outcome:
    """What one method and one learner did on one split.

    Attributes
    ----------
    method, learner : str
    fold : int
    probability : ndarray of shape (n_test,)
        Of the positive class, as the model says it. Empty where the method failed.
    threshold : float
        From which on a row is called positive.
    share : float
        Share of the positive class that the model was trained on.
    seconds : float
        Of resampling, training and choosing the threshold.
    failure : str
        Why the method failed, or "".
    """

    method: str
    learner: str
    fold: int
    probability: np.ndarray
    threshold: float = 0.5
    share: float = 0.5
    seconds: float = np.nan
    failure: str = ""


def splits_of(table: Table, n_repeats: int, random_state: int) -> list[Split]:
    """Stratified splits; by groups or by time where the table asks for it.

    Raises
    ------
    ValueError
        If a test part or a training part would have one class only.
    """
    if table.in_time:
        splits = list(TimeSeriesSplit(N_FOLDS).split(table.X))
        splits = [split for split in splits if _has_both(table.y, split)]
        if len(splits) < 3:
            raise ValueError(
                f"Split by time into {N_FOLDS + 1} periods, fewer than three test parts have rows of "
                "both classes before and in them: leave out --time, or bring a longer table."
            )
        return splits
    if table.groups is None:
        splitter = RepeatedStratifiedKFold(
            n_splits=N_FOLDS, n_repeats=n_repeats, random_state=random_state
        )
        return list(splitter.split(table.X, table.y))
    rare = int(table.y.mean() <= 0.5)
    n_groups = len(np.unique(table.groups[table.y == rare]))
    if n_groups < N_FOLDS:
        raise ValueError(
            f"The rarer class lies in {n_groups} groups, and {N_FOLDS} folds need at least one each: "
            "name another column with --groups."
        )
    splits = []
    for repeat in range(n_repeats):
        splitter = StratifiedGroupKFold(N_FOLDS, shuffle=True, random_state=random_state + repeat)
        splits += list(splitter.split(table.X, table.y, table.groups))
    splits = [split for split in splits if _has_both(table.y, split)]
    if len(splits) < 3:
        raise ValueError(
            "With these groups, most test parts have one class only: a few groups hold most rows of "
            "the rarer class. Name another column with --groups."
        )
    return splits


def _has_both(y: np.ndarray, split: Split) -> bool:
    """Whether both parts have both classes, and training enough of them to choose a threshold on."""
    train, test = split
    rare = min(y[train].sum(), len(train) - y[train].sum())
    return bool(rare >= 2 and 0 < y[test].sum() < len(test))


def _inner_splits(table: Table, train: np.ndarray, seed: int) -> Iterator[Split]:
    """Splits of a training part, of the same kind as those of the table."""
    y = table.y[train]
    if table.in_time:
        inner = TimeSeriesSplit(INNER_FOLDS).split(train)
    elif table.groups is None:
        inner = StratifiedKFold(INNER_FOLDS, shuffle=True, random_state=seed).split(train, y)
    else:
        grouped = StratifiedGroupKFold(INNER_FOLDS, shuffle=True, random_state=seed)
        inner = grouped.split(train, y, table.groups[train])
    for learnt, held_out in inner:
        if 0 < y[learnt].sum() < len(learnt):
            yield train[learnt], train[held_out]


def copies_across(table: Table, splits: Sequence[Split]) -> tuple[int, float]:
    """Rows with an exact copy, and the mean share of a test part's rows with a copy in training."""
    kinds = pd.util.hash_pandas_object(table.X, index=False).to_numpy()
    _, kinds, counts = np.unique(kinds, return_inverse=True, return_counts=True)
    shares = [np.isin(kinds[test], kinds[train]).mean() for train, test in splits]
    return int((counts[kinds] > 1).sum()), float(np.mean(shares))


def run_all(
    table: Table,
    splits: Sequence[Split],
    methods: Sequence[str],
    learners: Sequence[str],
    costs: Costs | None,
    *,
    random_state: int,
    n_jobs: int = -1,
    folder: Path | None = None,
    verbose: int = 1,
) -> list[Outcome]:
    """Run all methods and learners on all splits.

    Parameters
    ----------
    table : Table
    splits : sequence of (train, test)
    methods, learners : sequence of str
    costs : Costs or None
    random_state : int
    n_jobs : int
    folder : Path or None
        Where finished parts are kept and found again. None keeps nothing.
    verbose : int

    Returns
    -------
    list of Outcome
        In the order of the splits, then of the methods.
    """
    store = _Store(folder, (table.X, table.y, splits, costs, random_state, _versions()))
    # A method that takes long comes first, so that the last minutes do not wait for one process.
    jobs = [(method, fold) for method in reversed(methods) for fold in range(len(splits))]
    done = {job: store.read(*job, learners) for job in jobs}
    pending = [job for job in jobs if not done[job]]
    running = Parallel(n_jobs, batch_size=1, return_as="generator_unordered")(
        delayed(run_method)(
            table, method, learners, splits[fold], fold, costs, _seed(random_state, fold)
        )
        for method, fold in pending
    )
    bar_format = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}, {remaining} left"
    with tqdm(
        desc="comparing",
        total=len(jobs),
        initial=len(jobs) - len(pending),
        bar_format=bar_format,
        disable=not verbose,
    ) as bar:
        for outcomes in running:
            store.write(outcomes)
            done[outcomes[0].method, outcomes[0].fold] = outcomes
            bar.update()
    return [
        outcome
        for fold in range(len(splits))
        for method in methods
        for outcome in done[method, fold]
    ]


def run_method(
    table: Table,
    method: str,
    learners: Sequence[str],
    split: Split,
    fold: int,
    costs: Costs | None,
    seed: int,
) -> list[Outcome]:
    """One method on one split, with every learner: the training part is resampled once for all."""
    # One thread for each job, and no jobs inside a job, as in simpor.lab.protocol.
    with threadpool_limits(1), parallel_config("sequential"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # warnings are not recorded
        resampled: dict[str, Any] = {}
        outcomes = []
        for learner in learners:
            outcome = Outcome(method, learner, fold, np.empty(0))
            try:
                _run_learner(table, outcome, split, costs, seed, resampled)
            except Exception as error:  # noqa: BLE001 - what goes wrong is a result
                outcome.failure = f"{type(error).__name__}: {error}"
            outcomes.append(outcome)
    return outcomes


def _run_learner(
    table: Table,
    outcome: Outcome,
    split: Split,
    costs: Costs | None,
    seed: int,
    resampled: dict[str, Any],
) -> None:
    """Fill in an outcome; ``resampled`` keeps what the sampler made for the next learner."""
    train, test = split
    begin = time.perf_counter()
    method = METHODS[outcome.method]
    *front, back = _front_and_back(make_steps(table, method, outcome.learner, seed))
    if not resampled:
        X_train, y_train = table.X.iloc[train], table.y[train]
        columns = front[0].fit(X_train)
        rows, labels = columns.transform(X_train), y_train
        if len(front) > 1:
            rows, labels = front[1].fit_resample(rows, labels)
        resampled |= {"columns": columns, "rows": rows, "labels": labels}
        resampled["seconds"] = time.perf_counter() - begin
        begin = time.perf_counter()
    back.fit(resampled["rows"], resampled["labels"])
    prior = float(table.y[train].mean())
    outcome.share = _share_seen(back, resampled["labels"], prior, method.balances)
    outcome.threshold = _threshold(table, outcome, train, costs, prior, seed)
    outcome.seconds = resampled["seconds"] + time.perf_counter() - begin
    if len(test):
        X_test = resampled["columns"].transform(table.X.iloc[test])
        probability = back.predict_proba(X_test)[:, 1].astype(float)
        if not np.isfinite(probability).all():
            raise ValueError("training diverged: the probabilities are not finite")
        outcome.probability = np.clip(probability, 0, 1)  # rounding aside


def _front_and_back(steps: list[tuple[str, Any]]) -> list[Any]:
    """The columns, the sampler if there is one, and one estimator for what follows them."""
    by_name = dict(steps)
    front = [by_name.pop(name) for name in ("columns", "sampler") if name in by_name]
    return [*front, Pipeline(list(by_name.items()))]


def _share_seen(back: Pipeline, labels: np.ndarray, prior: float, balances: bool) -> float:
    """The share of positive rows among those that the learner has learnt from."""
    if balances:
        return 0.5
    tuned = back[-1]
    if not hasattr(tuned, "n_synthetic_"):
        return prior
    n_positive = labels.sum() + tuned.n_synthetic_ * (prior <= 0.5)
    return float(n_positive / (len(labels) + tuned.n_synthetic_))


def _threshold(
    table: Table,
    outcome: Outcome,
    train: np.ndarray,
    costs: Costs | None,
    prior: float,
    seed: int,
) -> float:
    """From which probability on a row is called positive.

    With costs, a model that has seen another share of the positive class gets the threshold that
    belongs to that share: it decides as after a correction of its probabilities.
    """
    rule = METHODS[outcome.method].threshold
    if rule == "out-of-fold":
        model = Pipeline(make_steps(table, METHODS["nothing"], outcome.learner, seed))
        return out_of_fold_threshold(table, model, train, costs, seed)
    if costs is None or outcome.method == "nothing":
        return 0.5
    return shift_share(costs.threshold, prior, outcome.share)


def out_of_fold_threshold(
    table: Table, model: ClassifierMixin, train: np.ndarray, costs: Costs | None, seed: int
) -> float:
    """The threshold that does best on the pooled predictions for held-out parts of the rows."""
    y, probability = [], []
    for learnt, held_out in _inner_splits(table, train, seed):
        model.fit(table.X.iloc[learnt], table.y[learnt])
        probability.append(model.predict_proba(table.X.iloc[held_out])[:, 1].astype(float))
        y.append(table.y[held_out])
    y, probability = np.concatenate(y), np.concatenate(probability)
    if y.min() == y.max():
        raise ValueError("the rows to choose a threshold on have one class only")
    return tune_threshold(y, probability) if costs is None else _cheapest(y, probability, costs)


def _cheapest(y: np.ndarray, probability: np.ndarray, costs: Costs) -> float:
    """The threshold with the lowest cost; of equals, the one nearest to that of the costs."""
    levels = np.unique(probability)
    candidates = np.concatenate([(levels[1:] + levels[:-1]) / 2, [costs.threshold, 1.0]])
    distance = np.abs(candidates - costs.threshold)
    candidates = candidates[np.argsort(distance, kind="stable")]
    positive, negative = np.sort(probability[y == 1]), np.sort(probability[y == 0])
    misses = np.searchsorted(positive, candidates)
    alarms = len(negative) - np.searchsorted(negative, candidates)
    return float(candidates[np.argmin(costs.miss * misses + costs.alarm * alarms)])


class _Store:
    """Finished parts on the disk, one file each; without a folder, nothing is kept."""

    def __init__(self, folder: Path | None, content: Any) -> None:
        # Parts of another table, other splits or other versions lie elsewhere and are not found.
        self.folder = folder / joblib_hash(content) if folder else None

    def _path(self, method: str, fold: int, learner: str) -> Path | None:
        return self.folder / f"{method}-{fold}-{learner}.npz" if self.folder else None

    def read(self, method: str, fold: int, learners: Sequence[str]) -> list[Outcome]:
        """The outcomes of one job, or nothing if one of them is missing or damaged."""
        outcomes = []
        for learner in learners:
            path = self._path(method, fold, learner)
            if path is None or not path.is_file():
                return []
            try:
                arrays = read_arrays(path)
            except UNREADABLE:
                return []
            numbers = {name: float(arrays[name]) for name in ("threshold", "share", "seconds")}
            failure = str(arrays["failure"])
            outcomes.append(
                Outcome(method, learner, fold, arrays["probability"], **numbers, failure=failure)
            )
        return outcomes

    def write(self, outcomes: Sequence[Outcome]) -> None:
        """Keep the outcomes of one job."""
        for outcome in outcomes:
            path = self._path(outcome.method, outcome.fold, outcome.learner)
            if path is not None:
                file = io.BytesIO()
                names = ("probability", "threshold", "share", "seconds", "failure")
                arrays: dict[str, Any] = {
                    name: np.asarray(getattr(outcome, name)) for name in names
                }
                np.savez_compressed(file, **arrays)
                write_whole({path: file.getvalue()})
