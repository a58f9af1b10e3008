"""Tables of a page: recorded scores, ours beside the paper's, and what took part in them.

Long rows are a DataFrame with the columns ``fold``, ``seed``, ``method``, ``metric`` and ``value``,
one line for each score; see :mod:`simpor.lab.protocol`. Where both protocols are shown, ``recorded``
is a dictionary from the protocol's heading, "as published" or "sound", to its rows, as
:func:`simpor.lab.records.read_both` gives it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from simpor.lab.intervals import paired_differences
from simpor.lab.learners import CROSSED
from simpor.lab.methods import COMPARISON, METHODS
from simpor.lab.published import HARD_TO_DIFFERENTIATE_TAI, METHOD_OF_PAPER_NAME, scores

#: Methods of a chapter's tables: SIMPOR with random directions belongs to the ablation.
SHOWN = tuple(name for name in COMPARISON if name != "simpor-random-direction")

#: Where the papers print the scores of a data set: source, their name of the set, ratio.
PRINTED_IN = {
    "moon-3": ("preprint, Figure 3", "moon", 3),
    "moon-7": ("TAI, Table II", "moon", 7),
    "breast-cancer-3": ("preprint, Table 2", "breast cancer", 3),
    "breast-cancer-7": ("preprint, Table 2", "breast cancer", 7),
    "creditcard": ("TAI, Tables V to VIII", "credit card", 3),
    "credit-card-3": ("preprint, Table 3", "credit card", 3),
    "credit-card-7": ("preprint, Table 3", "credit card", 7),
    "credit-card-10": ("preprint, Table 3", "credit card", 10),
    "credit-card-15": ("preprint, Table 3", "credit card", 15),
}

#: Words for the names of metrics, counts and methods in the code; see :func:`in_words`.
WORDS = {name: method.label for name, method in (METHODS | CROSSED).items()} | {
    "f1": "F1",
    "f1 of means": "F1 of means",
    "f1_tuned": "F1, tuned threshold",
    "auc": "AUC",
    "average_precision": "average precision",
    "balanced_accuracy": "balanced accuracy",
    "g_mean": "geometric mean",
    "mcc": "Matthews correlation",
    "precision_minority": "precision of the minority",
    "recall_minority": "recall of the minority",
    "brier": "Brier score",
    "n_samples": "rows",
    "n_features": "features",
    "n_majority": "majority rows",
    "n_minority": "minority rows",
    "n_intersection": "rows in the intersection",
    "imbalance_ratio": "imbalance ratio",
    "sole_wins": "wins without a tie",
}

_DIRECTIONS = {
    "random": "simpor-random-direction",
    "published rate": "simpor-published",
    "converged": "simpor-converged",
}


def printed(dataset: str) -> dict[tuple[str, str], float]:
    """Give the paper's scores of one data set by (method, metric), in our names.

    Parameters
    ----------
    dataset : str
        One of :data:`PRINTED_IN`.

    Returns
    -------
    values : dict of (method, metric) to float

    Raises
    ------
    ValueError
        If the papers print no scores of the set.

    Examples
    --------
    >>> from simpor.lab.tables import printed
    >>> printed("moon-7")["simpor-published", "f1"]
    0.883
    """
    if dataset not in PRINTED_IN:
        raise ValueError(f"no scores of {dataset!r} are printed; choose one of {list(PRINTED_IN)}.")
    return scores(*PRINTED_IN[dataset], names=METHOD_OF_PAPER_NAME)


def in_words(table: pd.DataFrame) -> pd.DataFrame:
    """Rename what :data:`WORDS` knows in the rows and columns of a table, for a reader.

    Parameters
    ----------
    table : DataFrame
        A name may have several parts, "smote, repaired"; each part is looked up.

    Returns
    -------
    table : DataFrame
        A copy. What is not in :data:`WORDS` stays as it is.

    Examples
    --------
    >>> import pandas as pd
    >>> from simpor.lab.tables import in_words
    >>> table = pd.DataFrame({"f1, paper": [0.9], "seeds": [3]}, index=["smote, repaired"])
    >>> in_words(table).T.to_dict()
    {'SMOTE, repaired': {'F1, paper': 0.9, 'seeds': 3.0}}
    """

    def word(name: Hashable) -> Hashable:
        if not isinstance(name, str):
            return name
        return ", ".join(WORDS.get(part, part) for part in name.split(", "))

    return table.rename(index=word, columns=word)


def mean_and_spread(values: ArrayLike, digits: int = 3) -> str:
    """Give "mean +/- standard deviation", with n - 1 in the denominator of the variance (ddof=1).

    Parameters
    ----------
    values : array-like of shape (n,)
        NaN are left out.
    digits : int, default=3
        After the point.

    Returns
    -------
    text : str
        A dash if there is no value.

    Examples
    --------
    >>> from simpor.lab.tables import mean_and_spread
    >>> mean_and_spread([0.9, 1.0])
    '0.950 +/- 0.071'
    """
    numbers = pd.Series(values, dtype=float).dropna()
    if numbers.empty:
        return "-"
    return f"{numbers.mean():.{digits}f} +/- {numbers.std(ddof=1):.{digits}f}"


def score_table(
    rows: pd.DataFrame,
    metrics: Sequence[str] | None = None,
    *,
    methods: Sequence[str] | None = None,
    digits: int = 3,
) -> pd.DataFrame:
    """Mean and spread of every metric, one line for each method.

    Parameters
    ----------
    rows : DataFrame
        Long rows with the columns ``method``, ``metric`` and ``value``.
    metrics : sequence of str, optional
        Which metrics, in which order; all of them in the order of the rows by default.
    methods : sequence of str, optional
        Which methods, in which order; all of them in the order of the rows by default.
    digits : int, default=3

    Returns
    -------
    table : DataFrame of str
        Index ``method``; one column for each metric, see :func:`mean_and_spread`.

    Examples
    --------
    >>> import pandas as pd
    >>> from simpor.lab.tables import score_table
    >>> rows = pd.DataFrame({"method": ["raw", "raw"], "metric": ["auc", "auc"],
    ...                      "value": [0.9, 1.0]})
    >>> score_table(rows).loc["raw"].to_list()
    ['0.950 +/- 0.071']
    """
    metrics = list(pd.unique(rows["metric"])) if metrics is None else list(metrics)
    methods = list(pd.unique(rows["method"])) if methods is None else list(methods)
    texts = rows.groupby(["method", "metric"])["value"].agg(mean_and_spread, digits=digits)
    index = pd.Index(methods, name="method")
    return texts.unstack().reindex(index=index, columns=pd.Index(metrics)).fillna("-")


def beside_paper(
    dataset: str,
    recorded: Mapping[str, pd.DataFrame],
    metrics: Sequence[str] = ("f1", "auc"),
    *,
    methods: Sequence[str] = SHOWN,
) -> pd.DataFrame:
    """Printed scores of a data set beside ours of each protocol.

    Parameters
    ----------
    dataset : str
        One of :data:`PRINTED_IN`.
    recorded : mapping of str to DataFrame
    metrics, methods : sequence of str

    Returns
    -------
    table : DataFrame of str
        Index: labels of the methods. For each metric the column "<metric>, paper", with a dash
        where nothing is printed, then one for each protocol, "mean +/- standard deviation" over
        its splits.
    """
    in_print = printed(dataset)
    columns = {}
    for metric in metrics:
        values = [in_print.get((method, metric)) for method in methods]
        columns[f"{metric}, paper"] = ["-" if x is None else f"{x:.3f}" for x in values]
        for heading, rows in recorded.items():
            ours = score_table(rows, [metric], methods=methods)[metric]
            columns[f"{metric}, {heading}"] = ours.to_list()
    return in_words(pd.DataFrame(columns, index=pd.Index(methods)))


def original_and_reproduced(
    dataset: str, rows: pd.DataFrame, metric: str, *, methods: Sequence[str] = SHOWN
) -> pd.DataFrame:
    """Printed scores, our means and our standard deviations, for a figure.

    Parameters
    ----------
    dataset : str
        One of :data:`PRINTED_IN`.
    rows : DataFrame
        Long rows of the data set under one protocol.
    metric : str
    methods : sequence of str

    Returns
    -------
    table : DataFrame
        What :func:`simpor.lab.figures.original_against_reproduced` draws.
    """
    in_print = printed(dataset)
    values = rows[rows["metric"] == metric].groupby("method")["value"]
    return pd.DataFrame(
        {
            "published": [in_print.get((method, metric), np.nan) for method in methods],
            "reproduced": values.mean().reindex(methods).to_numpy(),
            "spread": values.std(ddof=1).reindex(methods).to_numpy(),
        },
        index=[METHODS[method].label for method in methods],
    )


def standing(
    dataset: str, recorded: Mapping[str, pd.DataFrame], *, methods: Sequence[str] = SHOWN
) -> pd.DataFrame:
    """Where SIMPOR stands among the methods, in print and under each protocol.

    Parameters
    ----------
    dataset : str
        One of :data:`PRINTED_IN`.
    recorded : mapping of str to DataFrame
    methods : sequence of str

    Returns
    -------
    table : DataFrame of str
        Index: "paper" and the headings. Columns: ``SIMPOR's F1``, with the published setting;
        ``rank`` among the methods; ``best other``; the ``lead`` over it; ``last other``; then for
        F1 and AUC the methods that are higher and lower than raw data beyond the interval, see
        :func:`simpor.lab.intervals.paired_differences`.
    """
    f1 = {method: value for (method, metric), value in printed(dataset).items() if metric == "f1"}
    lines = {"paper": _rank(pd.Series(f1))}
    for heading, rows in recorded.items():
        means = rows[rows["metric"] == "f1"].groupby("method")["value"].mean()
        lines[heading] = _rank(means.reindex(methods).dropna())
        others = [method for method in methods if method != "raw"]
        for metric in ("f1", "auc"):
            verdicts = paired_differences(rows, "raw", metric, methods=others)["verdict"]
            for word in ("higher", "lower"):
                labels = [METHODS[method].label for method in verdicts.index[verdicts == word]]
                lines[heading][f"{WORDS[metric]} {word} than raw"] = ", ".join(labels) or "none"
    return pd.DataFrame.from_dict(lines, orient="index").fillna("-")


def _rank(f1: pd.Series) -> dict[str, str]:
    ours = f1["simpor-published"]
    others = f1.drop("simpor-published").sort_values(ascending=False)
    best, last = (f"{METHODS[others.index[i]].label} {others.iloc[i]:.3f}" for i in (0, -1))
    return {
        "SIMPOR's F1": f"{ours:.3f}",
        "rank": f"{(others > ours).sum() + 1} of {len(f1)}",
        "best other": best,
        "lead": f"{ours - others.iloc[0]:+.3f}",
        "last other": last,
    }


def differences_to_raw(
    recorded: Mapping[str, pd.DataFrame], *, methods: Sequence[str] = SHOWN
) -> dict[str, pd.DataFrame]:
    """Differences of every method to raw data in F1 and AUC, for a figure of panels.

    Parameters
    ----------
    recorded : mapping of str to DataFrame
        Long rows under the sound protocol, by data set.
    methods : sequence of str

    Returns
    -------
    tables : dict of str to DataFrame
        For each set and metric a label and the table of
        :func:`simpor.lab.intervals.paired_differences`.
    """
    others = [method for method in methods if method != "raw"]
    return {
        f"difference in {words},\n{name}, sound": paired_differences(
            rows, "raw", metric, methods=others
        )
        for name, rows in recorded.items()
        for metric, words in (("f1", "macro-F1"), ("auc", "AUC"))
    }


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
    return in_words(pd.DataFrame(columns, index=pd.Index(_DIRECTIONS, name="direction")))


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
        :func:`simpor.lab.intervals.paired_differences`) and ``verdict``.
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
    return in_words(table.rename_axis(["change", "metric"]))


def beside_figure_8(counts: pd.DataFrame) -> pd.DataFrame:
    """Hard-to-differentiate ratios and seeds of every split beside the TAI paper's Figure 8.

    Parameters
    ----------
    counts : DataFrame
        From :func:`simpor.lab.overlap.recount_figure_8`.

    Returns
    -------
    table : DataFrame of str
        Index ``method``; columns ``printed``, "split 0", ..., "seeds 0", ...
    """
    by_split = counts.pivot(index="method", columns="split", values=["ratio", "seeds"])
    columns = [
        HARD_TO_DIFFERENTIATE_TAI["ratio"].map("{:.1%}".format).rename("printed"),
        by_split["ratio"].map("{:.1%}".format).add_prefix("split "),
        by_split["seeds"].map("{:.0f}".format).add_prefix("seeds "),
    ]
    order = pd.unique(counts["method"])
    return pd.concat(columns, axis=1).reindex(order).replace("nan", "-").fillna("-")
