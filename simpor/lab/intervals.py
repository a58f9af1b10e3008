"""Intervals: of a difference between two methods, of a mean, and of a rerun.

Long rows are a DataFrame with the columns ``fold``, ``seed``, ``method``, ``metric`` and ``value``,
one line for each score; see :mod:`simpor.lab.protocol`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

#: Rows for testing over rows for training, in a split of 80 to 20 and in five folds.
TEST_TO_TRAINING = 0.2 / 0.8


def half_width(
    spread: ArrayLike, n: ArrayLike, further: float = TEST_TO_TRAINING, *, level: float = 0.95
) -> np.ndarray:
    """Half the width of an interval around a mean: t s sqrt(1/n + further).

    Parameters
    ----------
    spread : array-like
        The standard deviation s of the n values, with n - 1 in its denominator.
    n : array-like
        How many values the mean is of. One value gives NaN.
    further : float, default=TEST_TO_TRAINING
        What is added to 1/n, the variance of the mean of n independent values in units of s^2.

        - n_test / n_train, the default: the values come from n splits of one data set. Splits
          share training rows, so the usual standard error is too small. This is the corrected
          resampled t interval of Nadeau and Bengio (Machine Learning 52, 2003).
        - 1/m: the interval in which the mean of m more values is expected.
        - 0: the usual interval, for independent values.
    level : float, default=0.95

    Returns
    -------
    half : ndarray
        In the unit of the values; t is the quantile of Student's distribution with n - 1 degrees
        of freedom.

    Examples
    --------
    >>> from simpor.lab.intervals import half_width
    >>> round(float(half_width(0.02, 10, 0)), 4), round(float(half_width(0.02, 10)), 4)
    (0.0143, 0.0268)
    """
    n = np.asarray(n)
    t = stats.t.ppf((1 + level) / 2, n - 1)
    return t * np.asarray(spread) * np.sqrt(1 / n + further)


def paired_differences(
    rows: pd.DataFrame,
    baseline: str,
    metric: str,
    *,
    methods: Sequence[str] | None = None,
    test_share: float = 0.2,
    level: float = 0.95,
) -> pd.DataFrame:
    """Differences of every method to one baseline on the same folds, with intervals.

    Folds of one data set share training rows, so the interval is that of :func:`half_width`: the
    variance of a mean of n differences is taken as (1/n + n_test/n_train) s^2, not s^2/n.

    Parameters
    ----------
    rows : DataFrame
        Long rows of one data set under one protocol.
    baseline : str
        The method that is subtracted.
    metric : str
    methods : sequence of str, optional
        All others in the order of the rows by default.
    test_share : float, default=0.2
        Share of the rows in the test part of a fold.
    level : float, default=0.95

    Returns
    -------
    table : DataFrame
        Index ``method``; columns ``difference`` (mean of method - baseline), ``low``, ``high``
        (ends of the interval), ``folds`` (folds that both have) and ``verdict``: "higher" or
        "lower" where the interval leaves out zero, else "no difference seen".

    Raises
    ------
    ValueError
        If the baseline has no rows for the metric.

    Examples
    --------
    >>> import pandas as pd
    >>> from simpor.lab.intervals import paired_differences
    >>> rows = pd.DataFrame({"fold": [0, 1, 2] * 2, "seed": 0, "metric": "auc",
    ...                      "method": ["raw"] * 3 + ["SMOTE"] * 3,
    ...                      "value": [0.90, 0.92, 0.94, 0.91, 0.94, 0.97]})
    >>> smote = paired_differences(rows, "raw", "auc").loc["SMOTE"]
    >>> f"{smote.difference:.3f} in [{smote.low:.3f}, {smote.high:.3f}]: {smote.verdict}"
    '0.020 in [-0.013, 0.053]: no difference seen'
    """
    rows = rows[rows["metric"] == metric].dropna(subset=["value"])
    if baseline not in set(rows["method"]):
        raise ValueError(
            f"no row has the method {baseline!r} and the metric {metric!r}; "
            "choose a baseline that was recorded."
        )
    wide = rows.pivot(index=["fold", "seed"], columns="method", values="value")
    if methods is None:
        methods = [method for method in pd.unique(rows["method"]) if method != baseline]
    table = {}
    for method in methods:
        difference = (wide[method] - wide[baseline]).dropna()
        n = len(difference)
        further = test_share / (1 - test_share)
        half = half_width(difference.std(ddof=1), n, further, level=level)
        mean = difference.mean()
        low, high = mean - half, mean + half
        verdict = "higher" if low > 0 else "lower" if high < 0 else "no difference seen"
        table[method] = {
            "difference": mean,
            "low": low,
            "high": high,
            "folds": n,
            "verdict": verdict,
        }
    return pd.DataFrame.from_dict(table, orient="index").rename_axis("method")


def rerun_against_record(
    rerun: pd.DataFrame, recorded: pd.DataFrame, *, level: float = 0.999, floor: float = 0.005
) -> pd.DataFrame:
    """Mean of a rerun beside the interval in which the recorded rows expect it.

    With n recorded values of standard deviation s, a further mean of m values is expected within
    t s sqrt(1/n + 1/m) of the recorded mean, see :func:`half_width`.

    Parameters
    ----------
    rerun, recorded : DataFrame
        Long rows of one data set under one protocol. Only pairs of method and metric that the
        rerun has are compared.
    level : float, default=0.999
        High, because many pairs are looked at together.
    floor : float, default=0.005
        Least standard deviation, where all recorded values are (nearly) equal.

    Returns
    -------
    table : DataFrame
        Index ``method``, ``metric``; columns ``rerun``, ``low``, ``high``, ``inside`` (bool), and
        ``same_fold``: the largest absolute difference between a rerun value and the recorded one
        of the same fold and seed (NaN if there is none).

    Raises
    ------
    ValueError
        If a pair was not recorded, at least twice.
    """
    pair = ["method", "metric"]
    both = rerun.merge(recorded, on=[*pair, "fold", "seed"], suffixes=("", "_recorded"))
    same = (both["value"] - both["value_recorded"]).abs().groupby([both[key] for key in pair]).max()
    table = {}
    for key, new in rerun.dropna(subset=["value"]).groupby(pair)["value"]:
        old = recorded.loc[(recorded[pair] == list(key)).all(axis=1), "value"].dropna()
        if len(old) < 2:
            raise ValueError(f"{key} was recorded {len(old)} times; record it twice or more.")
        spread = max(old.std(ddof=1), floor)
        half = half_width(spread, len(old), 1 / len(new), level=level)
        low, high = old.mean() - half, old.mean() + half
        table[key] = {
            "rerun": new.mean(),
            "low": low,
            "high": high,
            "inside": bool(low <= new.mean() <= high),
            "same_fold": same.get(key, np.nan),
        }
    table = pd.DataFrame.from_dict(table, orient="index")
    return table.set_axis(pd.MultiIndex.from_tuples(table.index, names=pair))


def check_rerun(
    rerun: pd.DataFrame, recorded: pd.DataFrame, metrics: Sequence[str] = ("f1", "auc")
) -> None:
    """Print the scores of a rerun, and make sure that the recorded rows expect them.

    Parameters
    ----------
    rerun, recorded : DataFrame
        As in :func:`rerun_against_record`.
    metrics : sequence of str

    Raises
    ------
    AssertionError
        If a mean lies outside its interval.
    """
    rerun = rerun[rerun["metric"].isin(metrics)]
    means = rerun.groupby(["method", "metric"], sort=False)["value"].mean().round(3).unstack()
    print(means.rename(columns=str.upper))
    check = rerun_against_record(rerun, recorded)
    if not check["inside"].all():
        raise AssertionError(f"outside the intervals of the record:\n{check[~check['inside']]}")
    print(
        f"all {len(check)} means lie inside the intervals that the recorded rows give; "
        f"largest difference on the same fold {check['same_fold'].max():.4f}"
    )
