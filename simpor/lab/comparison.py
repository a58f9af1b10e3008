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
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from simpor.lab.datasets import Dataset
from simpor.lab.figures import first_component_counts, score_table
from simpor.lab.intervals import (
    paired_differences,
    rerun_against_record,  # noqa: F401
)
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
