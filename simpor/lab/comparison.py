"""Two small comparisons of long rows: method against method, and a rerun against the record.

Long rows are a DataFrame with the columns ``fold``, ``seed``, ``method``, ``metric``, ``value``, one
line for each score; see :mod:`simpor.lab.protocol`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats


def paired_differences(rows, baseline, metric, *, methods=None, test_share=0.2, level=0.95):
    """Differences of every method to one baseline on the same folds, with intervals.

    Folds of one data set share training rows, so the usual standard error is too small. The
    interval is the corrected resampled t interval of Nadeau and Bengio (Machine Learning 52, 2003):
    the variance of a mean of n differences is taken as (1/n + n_test/n_train) s^2, not s^2/n.

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
    >>> from simpor.lab.comparison import paired_differences
    >>> rows = pd.DataFrame({"fold": [0, 1, 2] * 2, "seed": 0, "metric": "auc",
    ...                      "method": ["raw"] * 3 + ["SMOTE"] * 3,
    ...                      "value": [0.90, 0.92, 0.94, 0.91, 0.94, 0.97]})
    >>> smote = paired_differences(rows, "raw", "auc").loc["SMOTE"]
    >>> f"{smote.difference:.3f} in [{smote.low:.3f}, {smote.high:.3f}]: {smote.verdict}"
    '0.020 in [-0.013, 0.053]: no difference seen'
    """
    rows = rows[rows["metric"] == metric].dropna(subset=["value"])
    if baseline not in set(rows["method"]):
        raise ValueError(f"no row has the method {baseline!r} and the metric {metric!r}; "
                         "choose a baseline that was recorded.")
    wide = rows.pivot(index=["fold", "seed"], columns="method", values="value")
    if methods is None:
        methods = [method for method in pd.unique(rows["method"]) if method != baseline]
    table = {}
    for method in methods:
        difference = (wide[method] - wide[baseline]).dropna()
        n = len(difference)
        error = difference.std(ddof=1) * np.sqrt(1 / n + test_share / (1 - test_share))
        half = stats.t.ppf((1 + level) / 2, n - 1) * error
        mean = difference.mean()
        low, high = mean - half, mean + half
        verdict = "higher" if low > 0 else "lower" if high < 0 else "no difference seen"
        table[method] = {"difference": mean, "low": low, "high": high, "folds": n,
                         "verdict": verdict}
    return pd.DataFrame.from_dict(table, orient="index").rename_axis("method")


def rerun_against_record(rerun, recorded, *, level=0.999, floor=0.005):
    """Mean of a rerun beside the interval in which the recorded rows expect it.

    With n recorded values of standard deviation s, a further mean of m values is expected within
    t s sqrt(1/m + 1/n) of the recorded mean.

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
        half = stats.t.ppf((1 + level) / 2, len(old) - 1) * spread * np.sqrt(
            1 / len(new) + 1 / len(old))
        low, high = old.mean() - half, old.mean() + half
        table[key] = {"rerun": new.mean(), "low": low, "high": high,
                      "inside": bool(low <= new.mean() <= high), "same_fold": same.get(key, np.nan)}
    table = pd.DataFrame.from_dict(table, orient="index")
    return table.set_axis(pd.MultiIndex.from_tuples(table.index, names=pair))
