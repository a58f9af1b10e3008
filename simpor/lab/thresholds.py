"""Threshold policies: where recorded probabilities are cut, and how the decisions score.

All policies cut the same recorded predictions, see :class:`simpor.lab.crossed.Record`. A policy
that tunes sees only rows of the training part, in predictions of learners that had not seen them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy.special import expit
from sklearn import config_context
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score
from threadpoolctl import threadpool_limits

from simpor.lab import crossed, records
from simpor.lab.crossed import Record
from simpor.lab.datasets import FAMILIES
from simpor.lab.protocol import tune_threshold
from simpor.lab.scores import (
    COST_RATIOS,
    TRUE_PREVALENCE,
    average_precision_at,
    balanced_log_loss,
    calibration_intercept,
    calibration_slope,
    decision_scores,
)

__all__ = ["ANY", "POLICIES", "Policy", "read_scores", "scores", "thresholds"]

#: Stands for the policy of scores that depend on no threshold.
ANY = "any"


@dataclass(frozen=True)
class Policy:
    """One way to choose the threshold.

    Attributes
    ----------
    name : str
    label : str
        Name for tables and text.
    threshold : callable
        From a record and the number of a split to a probability, at or above which a row counts as
        one of the minority class. NaN where the record does not have what the policy needs.
    """

    name: str
    label: str
    threshold: Callable[[Record, int], float]


def _prior(record: Record, fold: int) -> float:
    """The share of the minority class in the training part."""
    if not record.is_probability:
        return np.nan
    return float(record.splits.y[~record.splits.is_test[fold]].mean())


def _tuned_on(record: Record, fold: int, is_seen: np.ndarray) -> float:
    """The threshold with the best macro-F1 on rows that were held out inside the training part."""
    if not len(record.out_of_fold):
        return np.nan
    log_odds = record.out_of_fold[fold]
    is_seen = is_seen & ~np.isnan(log_odds)
    y = record.splits.y[is_seen]
    if len(y) == 0 or y.min() == y.max():
        return np.nan
    return tune_threshold(y, expit(log_odds[is_seen]))


def _one_split(record: Record, fold: int) -> float:
    return _tuned_on(record, fold, record.splits.inner_fold[fold] == 0)


def _out_of_fold(record: Record, fold: int) -> float:
    return _tuned_on(record, fold, ~record.splits.is_test[fold])


def _from_costs(ratio: int) -> Callable[[Record, int], float]:
    """Where a miss costs ``ratio`` times as much as a false alarm, and probabilities are right."""
    return lambda record, fold: 1 / (1 + ratio) if record.is_probability else np.nan


#: The policies by their names.
POLICIES = {
    policy.name: policy
    for policy in (
        Policy("half", "0.5", lambda record, fold: 0.5),
        Policy("prior", "prior", _prior),
        Policy("one-split", "tuned on one split", _one_split),
        Policy("out-of-fold", "tuned on out-of-fold predictions", _out_of_fold),
        *(
            Policy(f"cost-{ratio}", f"from costs of {ratio}:1", _from_costs(ratio))
            for ratio in COST_RATIOS
        ),
    )
}


def thresholds(record: Record, policy: str) -> np.ndarray:
    """The threshold of each split.

    Parameters
    ----------
    record : simpor.lab.crossed.Record
    policy : str
        One of :data:`POLICIES`.

    Returns
    -------
    ndarray of shape (n_folds,)
        Probabilities, for a margin its logistic function. NaN where the record does not have what
        the policy needs: out-of-fold predictions with both classes, or probabilities.
    """
    n_folds = len(record.log_odds)
    return np.array([POLICIES[policy].threshold(record, fold) for fold in range(n_folds)])


def scores(record: Record, prevalence: float | None = None) -> pd.DataFrame:
    """Score a record under all policies.

    Parameters
    ----------
    record : simpor.lab.crossed.Record
    prevalence : float, default=None
        Share of the minority class for "average_precision_true". None is that of the data set.

    Returns
    -------
    DataFrame
        One line for each score, with the columns fold, policy, metric and value. Scores that depend
        on no threshold have the policy :data:`ANY`: auc, average_precision, average_precision_true
        and, of probabilities, brier, balanced_log_loss, calibration_intercept and
        calibration_slope. The last two are of all rows that one repeat tested, as a single test
        part may have three rows of the minority class; they stand at the first split of the repeat.
    """
    y = record.splits.y
    rows: list[tuple[int, str, str, float]] = []
    cuts = {policy: thresholds(record, policy) for policy in POLICIES}
    for fold in np.flatnonzero(record.failure == "").tolist():
        is_test = record.splits.is_test[fold]
        log_odds = record.log_odds[fold, is_test]
        for policy, cut in cuts.items():
            if not np.isnan(cut[fold]):
                decided = decision_scores(y[is_test], expit(log_odds) >= cut[fold])
                rows += [(fold, policy, metric, value) for metric, value in decided.items()]
        of_ranks = _ranking_scores(y[is_test], log_odds, prevalence)
        if record.is_probability:
            of_ranks["brier"] = brier_score_loss(y[is_test], expit(log_odds))
            of_ranks["balanced_log_loss"] = balanced_log_loss(y[is_test], log_odds)
        rows += [(fold, ANY, metric, value) for metric, value in of_ranks.items()]
    if record.is_probability:
        rows += _calibration(record)
    return pd.DataFrame(rows, columns=["fold", "policy", "metric", "value"])


def _ranking_scores(
    y: np.ndarray, log_odds: np.ndarray, prevalence: float | None
) -> dict[str, float]:
    average_precision = average_precision_score(y, log_odds)
    return {
        "auc": roc_auc_score(y, log_odds),
        "average_precision": average_precision,
        "average_precision_true": average_precision
        if prevalence is None
        else average_precision_at(prevalence, y, log_odds),
    }


def _calibration(record: Record) -> list[tuple[int, str, str, float]]:
    """Slope and intercept over the test rows of each repeat, if no split of it failed."""
    y, n_folds = record.splits.y, len(record.log_odds)
    n_repeats = int(record.splits.is_test[:, 0].sum())
    rows = []
    for folds in np.split(np.arange(n_folds), n_repeats):
        first = int(folds[0])
        if (record.failure[folds] == "").all():
            log_odds = np.nansum(record.log_odds[folds], axis=0)  # each row is tested once
            slope, intercept = calibration_slope(y, log_odds), calibration_intercept(y, log_odds)
            rows.append((first, ANY, "calibration_slope", slope))
            rows.append((first, ANY, "calibration_intercept", intercept))
    return rows


def read_scores(
    datasets: Iterable[str],
    learners: Iterable[str],
    methods: Sequence[str],
    *,
    results: str | Path = records.RESULTS,
    n_jobs: int | None = None,
) -> pd.DataFrame:
    """Read records and score them under all policies.

    Parameters
    ----------
    datasets, learners : iterable of str
    methods : sequence of str
        What is not recorded is left out.
    results : path-like
    n_jobs : int, default=None
        As joblib has it.

    Returns
    -------
    DataFrame
        The lines of :func:`scores`, with further columns before them: dataset, family, learner,
        method.
    """
    keys = [
        (dataset, learner, method)
        for dataset in datasets
        for learner in learners
        for method in methods
        if crossed.path_of(dataset, learner, method, results).is_file()
    ]
    with threadpool_limits(1):  # sums of so few rows are slower in several threads
        tables = Parallel(n_jobs)(delayed(_score_one)(*key, results) for key in keys)
    return pd.concat(tables, ignore_index=True)


def _score_one(dataset: str, learner: str, method: str, results: str | Path) -> pd.DataFrame:
    record = crossed.read(dataset, learner, method, results)
    # A quarter of the time would go into checking small arrays, which were checked when recorded.
    with config_context(assume_finite=True, skip_parameter_validation=True):
        table = scores(record, TRUE_PREVALENCE.get(dataset))
    columns = {
        "dataset": dataset,
        "family": FAMILIES.get(dataset, dataset),
        "learner": learner,
        "method": method,
    }
    for place, (name, value) in enumerate(columns.items()):
        table.insert(place, name, value)
    return table
