"""What a chapter says about recorded rows: method against method, ours against the paper's.

Long rows are a DataFrame with the columns ``fold``, ``seed``, ``method``, ``metric``, ``value``, one
line for each score; see :mod:`simpor.lab.protocol`. Where both protocols are shown, ``recorded`` is
a dictionary from the protocol's heading, "as published" or "sound", to its rows, and ``printed`` one
from (method, metric) to the paper's number, as :func:`simpor.lab.published.scores` gives it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from imblearn.base import SamplerMixin
from scipy import stats
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from simpor.lab.datasets import Dataset
from simpor.lab.figures import first_component_counts, score_table
from simpor.lab.methods import COMPARISON, METHODS

#: Printed numbers by (method, metric).
Printed = Mapping[tuple[str, str], float]

#: Methods of a chapter's tables: SIMPOR with random directions belongs to the ablation.
SHOWN = tuple(name for name in COMPARISON if name != "simpor-random-direction")

_DIRECTIONS = {
    "random": "simpor-random-direction",
    "published rate": "simpor-published",
    "converged": "simpor-converged",
}


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
        error = difference.std(ddof=1) * np.sqrt(1 / n + test_share / (1 - test_share))
        half = stats.t.ppf((1 + level) / 2, n - 1) * error
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
        half = (
            stats.t.ppf((1 + level) / 2, len(old) - 1)
            * spread
            * np.sqrt(1 / len(new) + 1 / len(old))
        )
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


def beside_paper(
    printed: Printed,
    recorded: Mapping[str, pd.DataFrame],
    metrics: Sequence[str] = ("f1", "auc"),
    *,
    methods: Sequence[str] = SHOWN,
) -> pd.DataFrame:
    """Printed scores beside ours of each protocol, for a page.

    Parameters
    ----------
    printed : mapping of (method, metric) to float
    recorded : mapping of str to DataFrame
    metrics, methods : sequence of str

    Returns
    -------
    table : DataFrame of str
        Index: labels of the methods. For each metric the column "<metric>, paper", then one for
        each protocol, "mean +/- standard deviation" over its splits.
    """
    table = pd.DataFrame(index=pd.Index([METHODS[method].label for method in methods]))
    for metric in metrics:
        table[f"{metric}, paper"] = [
            f"{printed[method, metric]:.3f}" if (method, metric) in printed else "-"
            for method in methods
        ]
        for heading, rows in recorded.items():
            ours = score_table(rows, [metric], methods=methods)
            table[f"{metric}, {heading}"] = ours[metric].to_numpy()
    return table


def original_and_reproduced(
    printed: Printed, rows: pd.DataFrame, metric: str, *, methods: Sequence[str] = SHOWN
) -> pd.DataFrame:
    """Printed scores, our means and our standard deviations, for a figure.

    Parameters
    ----------
    printed : mapping of (method, metric) to float
    rows : DataFrame
        Long rows of one data set under one protocol.
    metric : str
    methods : sequence of str

    Returns
    -------
    table : DataFrame
        What :func:`simpor.lab.figures.original_against_reproduced` draws.
    """
    values = rows[rows["metric"] == metric].groupby("method")["value"]
    return pd.DataFrame(
        {
            "published": [printed.get((method, metric), np.nan) for method in methods],
            "reproduced": values.mean().reindex(methods).to_numpy(),
            "spread": values.std(ddof=1).reindex(methods).to_numpy(),
        },
        index=[METHODS[method].label for method in methods],
    )


def hard_to_differentiate(
    data: Dataset, samplers: Mapping[str, SamplerMixin], seed: int, *, test_share: float = 0.25
) -> pd.DataFrame:
    """Balance one training part with every sampler and count the rows that the classes share.

    Parameters
    ----------
    data : simpor.lab.datasets.Dataset
    samplers : mapping of str to sampler
    seed : int
        Of the split.
    test_share : float, default=0.25
        Share of the rows that are put aside. A quarter, as in the authors' public code: the counts
        of Figure 8 of the TAI paper fit that.

    Returns
    -------
    table : DataFrame
        Index ``method``. Columns as in :data:`simpor.lab.published.HARD_TO_DIFFERENTIATE_TAI`:
        ``n_minority``, ``n_majority``, ``n_intersection`` and ``ratio``, see
        :func:`simpor.lab.figures.hard_to_differentiate_ratio`; and ``seeds``, the number of rows
        from which the synthetic ones were made, NaN for a sampler that does not say.
    """
    X, _, y, _ = train_test_split(
        data.X, data.y, test_size=test_share, stratify=data.y, random_state=seed
    )
    X = StandardScaler().fit_transform(X)
    table = {}
    for method, sampler in samplers.items():
        _, majority, minority = first_component_counts(*sampler.fit_resample(X, y))
        shared = np.minimum(majority, minority).sum()
        seeds = getattr(sampler, "seed_indices_", None)
        table[method] = {
            "n_minority": minority.sum(),
            "n_majority": majority.sum(),
            "n_intersection": shared,
            "ratio": shared / minority.sum(),
            "seeds": np.nan if seeds is None else len(np.unique(seeds)),
        }
    return pd.DataFrame.from_dict(table, orient="index").rename_axis("method")


def failures(recorded: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """What did not run, and why.

    Parameters
    ----------
    recorded : iterable of DataFrame

    Returns
    -------
    table : DataFrame
        One line for each data set, protocol, method and reason, with the number of folds.
    """
    rows = pd.concat(recorded)
    failed = rows[rows["failure"] != ""].groupby(["dataset", "protocol", "method", "failure"])
    return failed["fold"].nunique().rename("folds").reset_index()


def ablation(rows: pd.DataFrame, metrics: Sequence[str] = ("f1", "auc")) -> pd.DataFrame:
    """Mean and spread of the three directions, with and without an informative region.

    Parameters
    ----------
    rows : DataFrame
        Long rows that hold the six methods of :data:`simpor.lab.methods.ABLATION`.
    metrics : sequence of str

    Returns
    -------
    table : DataFrame of str
    """
    columns = {}
    for metric in metrics:
        for region, suffix in (("region", ""), ("no region", "-no-region")):
            methods = [method + suffix for method in _DIRECTIONS.values()]
            scores = score_table(rows, [metric], methods=methods)[metric]
            columns[f"{metric}, {region}"] = scores.to_numpy()
    return pd.DataFrame(columns, index=pd.Index(_DIRECTIONS, name="direction"))


def ablation_effects(rows: pd.DataFrame, metrics: Sequence[str] = ("f1", "auc")) -> pd.DataFrame:
    """What the direction and the region change, fold by fold, with intervals.

    Parameters
    ----------
    rows : DataFrame
        As in :func:`ablation`.
    metrics : sequence of str

    Returns
    -------
    table : DataFrame of str
        Index: what is compared, and the metric. Columns ``difference``, ``95 % interval`` (see
        :func:`paired_differences`) and ``verdict``.
    """
    pairs = {
        "published rate - random direction": ("simpor-published", "simpor-random-direction"),
        "converged - random direction": ("simpor-converged", "simpor-random-direction"),
        "region - no region, published rate": ("simpor-published", "simpor-published-no-region"),
        "region - no region, converged": ("simpor-converged", "simpor-converged-no-region"),
    }
    lines = {}
    for change, (method, baseline) in pairs.items():
        for metric in metrics:
            d = paired_differences(rows, baseline, metric, methods=[method]).loc[method]
            lines[change, metric] = {
                "difference": f"{d['difference']:+.3f}",
                "95 % interval": f"[{d['low']:+.3f}, {d['high']:+.3f}]",
                "verdict": d["verdict"],
            }
    table = pd.DataFrame.from_dict(lines, orient="index")
    return table.rename_axis(["change", "metric"])


def verdict(
    printed: Printed, recorded: Mapping[str, pd.DataFrame], *, methods: Sequence[str] = SHOWN
) -> list[str]:
    """Sentences on one data set; every number and every comparing word in them is computed.

    Parameters
    ----------
    printed : mapping of (method, metric) to float
        Of any methods, as the paper calls them; SIMPOR must be among them.
    recorded : mapping of str to DataFrame
    methods : sequence of str

    Returns
    -------
    list of str
    """
    claim = pd.Series(
        {method: value for (method, metric), value in printed.items() if metric == "f1"}
    )
    others = claim.drop("SIMPOR")
    sentences = [
        f"paper: SIMPOR's F1 is {claim['SIMPOR']:.3f}, the best other {others.max():.3f} "
        f"({others.idxmax()}), a lead of {claim['SIMPOR'] - others.max():+.3f}"
    ]
    for heading, rows in recorded.items():
        f1 = rows[rows["metric"] == "f1"].groupby("method")["value"].mean()
        ranked = f1.reindex(methods).dropna().sort_values(ascending=False)
        first, last = ranked.index[0], ranked.index[-1]
        sentences.append(
            f"{heading}: SIMPOR (published) {f1['simpor-published']:.3f}, rank "
            f"{ranked.index.get_loc('simpor-published') + 1} of {len(ranked)}; "
            f"first {METHODS[first].label} {f1[first]:.3f}, last {METHODS[last].label} {f1[last]:.3f}"
        )
        for metric in ("f1", "auc"):
            verdicts = paired_differences(
                rows, "raw", metric, methods=[method for method in methods if method != "raw"]
            )["verdict"]
            for word in ("higher", "lower"):
                labels = [METHODS[method].label for method in verdicts.index[verdicts == word]]
                sentences.append(
                    f"{heading}, {metric} {word} than raw data beyond the interval: "
                    f"{', '.join(labels) or 'none'}"
                )
    return sentences
