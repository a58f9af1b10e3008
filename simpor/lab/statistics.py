"""Statistics for a table of scores: data sets in rows, methods in columns.

Every function takes such a DataFrame, without holes, in which more is better; pass ``-table`` for a
score of which less is better. Those that compare one method with the others give one row for each
other method. The tests are those of scipy, the diagram and the all-pairs test are scikit-posthocs',
the Bayesian test is baycomp's.

The tests take the rows for independent draws. The 41 sets of the TAI paper are not: they were cut
from 14 sources. :func:`family_means` turns the 41 rows into 14, and everything here works on those.
:func:`set_means` makes the table from recorded rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import baycomp
import numpy as np
import pandas as pd
import scikit_posthocs
from matplotlib.axes import Axes
from scipy import stats

from simpor.lab.colours import FAINT, GREY, INK, PALE, PAPER, SIMPOR_COLOUR
from simpor.lab.datasets import FAMILIES


def family_means(table: pd.DataFrame, families: Mapping[str, str] = FAMILIES) -> pd.DataFrame:
    """Average the rows of each family.

    Parameters
    ----------
    table : DataFrame of shape (data sets, methods)
    families : mapping of str to str, default=simpor.lab.datasets.FAMILIES
        The family of every data set.

    Returns
    -------
    means : DataFrame of shape (families, methods)
        Families in the order in which they first appear.

    Raises
    ------
    ValueError
        If a row has no family, or a score is missing.

    Examples
    --------
    >>> from simpor.lab.published import forty_one
    >>> from simpor.lab.statistics import family_means
    >>> means = family_means(forty_one("f1"))
    >>> len(means), round(float(means.loc["abalone", "SIMPOR"]), 4)
    (14, 0.6375)
    """
    table = _checked(table)
    unknown = [name for name in table.index if name not in families]
    if unknown:
        raise ValueError(f"no family is known for {unknown}; add them to `families`.")
    family = pd.Index([families[name] for name in table.index], name="family")
    return table.groupby(family, sort=False).mean()


def f1_of_means(precision: Any, recall: Any) -> Any:
    """Give the other reading of macro-F1: the F1 of mean precision and mean recall.

    This book's macro-F1 is the mean of the classes' F1, which is never higher.

    Parameters
    ----------
    precision, recall : float, ndarray or Series
        Means over the classes.

    Returns
    -------
    f1 : float, ndarray or Series

    Examples
    --------
    >>> from simpor.lab.statistics import f1_of_means
    >>> round(f1_of_means(0.5, 1.0), 3)
    0.667
    """
    return 2 * precision * recall / (precision + recall)


def with_f1_of_means(rows: pd.DataFrame) -> pd.DataFrame:
    """Append :func:`f1_of_means` to recorded rows, as one more metric.

    Parameters
    ----------
    rows : DataFrame
        Long rows with the metrics "precision" and "recall", see :func:`simpor.lab.protocol.run`.

    Returns
    -------
    rows : DataFrame
        Those given, and below them for each fold and method one of the metric "f1 of means".
    """
    keys = ["dataset", "fold", "seed", "method"]
    both = rows[rows["metric"].isin(["precision", "recall"])]
    both = both.pivot(index=keys, columns="metric", values="value")
    other = f1_of_means(both["precision"], both["recall"]).rename("value").reset_index()
    further = other.assign(metric="f1 of means", failure="")
    return pd.concat([rows, further], ignore_index=True)


def set_means(
    rows: pd.DataFrame, metric: str, methods: Sequence[str], *, fallback: str = "raw"
) -> pd.DataFrame:
    """Average recorded scores to the table that the other functions take.

    A sampler that fails leaves one with the data as they are. So a fold on which a method failed
    gets the score that ``fallback`` has there. A fold where that is missing too is left out, for
    all methods.

    Parameters
    ----------
    rows : DataFrame
        Long rows of many data sets under one protocol, see :func:`simpor.lab.protocol.run`.
    metric : str
    methods : sequence of str
        The columns of the table.
    fallback : str, default="raw"

    Returns
    -------
    table : DataFrame of shape (data sets, methods)
        Data sets in the order of the rows.

    Raises
    ------
    ValueError
        If the fallback has no score at all.

    Examples
    --------
    >>> import pandas as pd
    >>> from simpor.lab.statistics import set_means
    >>> rows = pd.DataFrame({"dataset": "pima", "fold": [0, 0, 1], "metric": "f1",
    ...                      "method": ["raw", "adasyn", "raw"], "value": [0.5, 0.6, 0.7]})
    >>> set_means(rows, "f1", ["raw", "adasyn"]).loc["pima"].round(2).to_dict()
    {'raw': 0.6, 'adasyn': 0.65}
    """
    scores = rows[rows["metric"] == metric].dropna(subset=["value"])
    if fallback not in set(scores["method"]):
        raise ValueError(
            f"no row has the method {fallback!r} and the metric {metric!r}; "
            "choose a fallback that was recorded."
        )
    folds = scores.pivot(index=["dataset", "fold"], columns="method", values="value")
    stand_in = folds[fallback]
    folds = folds.reindex(columns=list(methods)).apply(lambda scores: scores.fillna(stand_in))
    means = folds.dropna().groupby(level="dataset").mean()
    return means.reindex([name for name in pd.unique(rows["dataset"]) if name in means.index])


def winning_times(table: pd.DataFrame) -> pd.DataFrame:
    """Count the data sets on which each method has the highest score.

    The TAI paper's Figure 5 shows ``wins``.

    Parameters
    ----------
    table : DataFrame of shape (data sets, methods)

    Returns
    -------
    counts : DataFrame
        Index: methods. Columns: ``wins``, a tie for the highest score counting for everyone in it;
        ``sole_wins``, ties counting for nobody.

    Examples
    --------
    >>> from simpor.lab.published import forty_one
    >>> from simpor.lab.statistics import winning_times
    >>> winning_times(forty_one("f1")).loc["SIMPOR"].to_list()
    [23, 21]
    """
    table = _checked(table)
    best = table.eq(table.max(axis=1), axis=0)
    sole = best[best.sum(axis=1) == 1]
    return pd.DataFrame({"wins": best.sum(), "sole_wins": sole.sum()}).rename_axis("method")


def mean_ranks(table: pd.DataFrame) -> pd.Series:
    """Rank the methods on each data set, 1 for the highest score, and average the ranks.

    Parameters
    ----------
    table : DataFrame of shape (data sets, methods)
        Equal scores share the mean of their ranks.

    Returns
    -------
    ranks : Series
        Index: methods, in the order of the columns.

    Examples
    --------
    >>> from simpor.lab.published import forty_one
    >>> from simpor.lab.statistics import mean_ranks
    >>> mean_ranks(forty_one("f1")).nsmallest(2).round(2).to_dict()
    {'SIMPOR': 2.54, 'SVMCS': 4.28}
    """
    ranks = _checked(table).rank(axis=1, ascending=False).mean()
    return ranks.rename("mean rank").rename_axis("method")


def friedman(table: pd.DataFrame) -> pd.Series:
    """Test whether all methods rank alike: Friedman, and the correction of Iman and Davenport.

    With n data sets and k methods, Friedman's chi2 is compared with k - 1 degrees of freedom.
    Iman and Davenport (Communications in Statistics 9, 1980) found that too cautious and compare
    F = (n - 1) chi2 / (n (k - 1) - chi2) with k - 1 and (k - 1)(n - 1) degrees of freedom. scipy's
    chi2 is corrected for ties.

    Parameters
    ----------
    table : DataFrame of shape (data sets, methods)
        At least three methods.

    Returns
    -------
    result : Series
        ``chi2``, ``p_chi2``, ``F``, ``p_F``.

    Raises
    ------
    ValueError
        If there are fewer than three methods.

    Examples
    --------
    >>> from simpor.lab.published import forty_one
    >>> from simpor.lab.statistics import friedman
    >>> friedman(forty_one("auc"))[["chi2", "F"]].round(1).to_dict()
    {'chi2': 72.4, 'F': 13.5}
    """
    table = _checked(table)
    n, k = table.shape
    if k < 3:
        raise ValueError(
            f"Friedman's test takes three methods or more, not {k}; compare two with wilcoxon_holm."
        )
    chi2, p_chi2 = stats.friedmanchisquare(*table.to_numpy().T)
    with np.errstate(divide="ignore"):  # the same order on all sets: F is infinite, p is 0
        F = (n - 1) * np.float64(chi2) / (n * (k - 1) - chi2)
    p_F = stats.f.sf(F, k - 1, (k - 1) * (n - 1))
    return pd.Series({"chi2": chi2, "p_chi2": p_chi2, "F": F, "p_F": p_F}, name="Friedman")


def p_value(p: float) -> str:
    """Give a p-value as text, with three digits after the point.

    Parameters
    ----------
    p : float

    Returns
    -------
    text : str

    Examples
    --------
    >>> from simpor.lab.statistics import p_value
    >>> p_value(0.04321), p_value(3e-7)
    ('0.043', '< 0.001')
    """
    return f"{p:.3f}" if p >= 0.001 else "< 0.001"


def friedman_table(tables: Mapping[Any, pd.DataFrame]) -> pd.DataFrame:
    """Put :func:`friedman` of several tables in one table, as text.

    Parameters
    ----------
    tables : mapping to DataFrame of shape (data sets, methods)

    Returns
    -------
    table : DataFrame of str
        One line for each of the tables.

    Examples
    --------
    >>> from simpor.lab.published import forty_one
    >>> from simpor.lab.statistics import friedman_table
    >>> friedman_table({"AUC": forty_one("auc")}).loc["AUC"].to_list()
    ['72.4', '< 0.001', '13.5', '< 0.001']
    """
    tests = pd.DataFrame({name: friedman(table) for name, table in tables.items()}).T
    columns = {
        "chi-squared": tests["chi2"].map("{:.1f}".format),
        "p of chi-squared": tests["p_chi2"].map(p_value),
        "F": tests["F"].map("{:.1f}".format),
        "p of F": tests["p_F"].map(p_value),
    }
    return pd.DataFrame(columns)


def wilcoxon_holm(table: pd.DataFrame, method: str) -> pd.DataFrame:
    """Test one method against each other one: Wilcoxon's signed ranks, adjusted by Holm.

    `scipy.stats.wilcoxon` with its defaults, two-sided and without the sets on which both are
    equal: column ``p`` is the test of the TAI paper's Table III. Differences are not rounded
    before they are ranked. Those of equal printed size may therefore differ in the sixteenth digit
    and get different ranks, which moves p in its third digit.

    Parameters
    ----------
    table : DataFrame of shape (data sets, methods)
    method : str
        The column that is compared with all others.

    Returns
    -------
    tests : DataFrame
        Index: the other methods. Columns: ``statistic``, the smaller sum of signed ranks; ``p``;
        ``p_holm``, adjusted for the number of other methods.

    Raises
    ------
    ValueError
        If ``method`` is not a column.

    Examples
    --------
    >>> from simpor.lab.published import forty_one
    >>> from simpor.lab.statistics import wilcoxon_holm
    >>> gdo = wilcoxon_holm(forty_one("f1"), "SIMPOR").loc["GDO"]
    >>> f"p = {gdo.p:.2E}, after Holm {gdo.p_holm:.3f}"
    'p = 1.82E-03, after Holm 0.011'
    """
    rows = {other: stats.wilcoxon(ours, theirs) for other, ours, theirs in _pairs(table, method)}
    tests = _by_method(
        {other: {"statistic": test.statistic, "p": test.pvalue} for other, test in rows.items()}
    )
    tests["p_holm"] = _holm(tests["p"].to_numpy())
    return tests


def all_pairs_wilcoxon_holm(table: pd.DataFrame) -> pd.DataFrame:
    """Test every pair of methods: Wilcoxon's signed ranks, adjusted by Holm for all pairs.

    Preferred to tests on mean ranks, such as Nemenyi's, in which the verdict on two methods
    depends on the others in the table (Benavoli, Corani, Mangili, JMLR 17, 2016).

    Parameters
    ----------
    table : DataFrame of shape (data sets, methods)

    Returns
    -------
    p : DataFrame of shape (methods, methods)
        Symmetric, with ones on the diagonal.

    Examples
    --------
    >>> from simpor.lab.published import forty_one
    >>> from simpor.lab.statistics import all_pairs_wilcoxon_holm
    >>> p = all_pairs_wilcoxon_holm(forty_one("auc"))
    >>> f"{p.loc['SIMPOR', 'SMOTE']:.4f}"
    '0.0017'
    """
    long = _checked(table).melt(var_name="method", value_name="score")
    # Never sort=True there: it would order each method's scores and undo the pairing.
    return scikit_posthocs.posthoc_wilcoxon(
        long, val_col="score", group_col="method", p_adjust="holm"
    )


def equal_groups(p: pd.DataFrame, *, alpha: float = 0.05) -> list[set[str]]:
    """List the largest groups of methods in which no pair differs at the level ``alpha``.

    Parameters
    ----------
    p : DataFrame of shape (methods, methods)
        Adjusted p values of all pairs, such as from :func:`all_pairs_wilcoxon_holm`.
    alpha : float, default=0.05

    Returns
    -------
    groups : list of set of str
        Each with two methods or more; a method may belong to several, or to no group.

    Examples
    --------
    >>> import pandas as pd
    >>> from simpor.lab.statistics import equal_groups
    >>> p = pd.DataFrame([[1, 0.5, 0.01], [0.5, 1, 0.2], [0.01, 0.2, 1]], list("abc"), list("abc"))
    >>> [sorted(group) for group in equal_groups(p)]
    [['a', 'b'], ['b', 'c']]
    """
    joined = {method: set(p.index[p[method] >= alpha]) - {method} for method in p}

    # Bron and Kerbosch: every group that no further method could join
    def grow(group: set[str], candidates: set[str], seen: set[str]) -> Iterator[set[str]]:
        if not candidates and not seen:
            yield group
        for method in sorted(candidates):
            near = joined[method]
            yield from grow(group | {method}, candidates & near, seen & near)
            candidates, seen = candidates - {method}, seen | {method}

    return [group for group in grow(set(), set(p), set()) if len(group) > 1]


def rank_rows(ax: Axes, table: pd.DataFrame, coarse: pd.DataFrame, *, alpha: float = 0.05) -> Axes:
    """Draw the mean rank of each method in a row of its own, and brackets around equal ones.

    Filled dots are the mean ranks in ``table``, open ones those in ``coarse``. A bracket at the
    right has a dot in the row of every method that it joins: all their pairs have an adjusted p of
    at least ``alpha`` in ``table`` (:func:`all_pairs_wilcoxon_holm`). It may pass over others: on
    the F1 of the TAI paper SIMPOR and ADASYN are joined, and GDO, which stands between, is not.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    table : DataFrame of shape (data sets, methods)
    coarse : DataFrame of shape (families, methods)
        Of the same methods.
    alpha : float, default=0.05

    Returns
    -------
    ax : matplotlib.axes.Axes

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from simpor.lab.published import forty_one
    >>> from simpor.lab.statistics import family_means, rank_rows
    >>> fig, ax = plt.subplots()
    >>> ax = rank_rows(ax, forty_one("f1"), family_means(forty_one("f1")))
    >>> ax.get_yticklabels()[0].get_text()
    'SIMPOR'
    """
    ranks = mean_ranks(table).sort_values()
    place = pd.Series(range(len(ranks)), ranks.index)
    of_coarse = mean_ranks(coarse)[ranks.index]
    ax.hlines(place, ranks, of_coarse, color=FAINT, linewidth=1, zorder=1)
    for method, row in place.items():
        ours = str(method).startswith("SIMPOR")
        color, marker = (SIMPOR_COLOUR, "s") if ours else (GREY, "o")
        ax.plot(of_coarse[method], row, marker, color=color, markerfacecolor=PAPER)
        ax.plot(ranks[method], row, marker, color=color)
    groups = equal_groups(all_pairs_wilcoxon_holm(table), alpha=alpha)
    right = max(ranks.max(), of_coarse.max())
    step = 0.04 * len(ranks)
    for k, rows in enumerate(sorted(sorted(place[list(group)]) for group in groups)):
        x = right + step * (k + 2)
        ax.plot([x] * len(rows), rows, color=INK, linewidth=1.2, marker="o", markersize=3)
    ax.set_yticks(place, place.index)
    ax.set_ylim(len(ranks) - 0.5, -0.5)
    ax.set_xticks(range(1, int(right) + 1))
    ax.grid(axis="y", color=PALE)
    ax.set_axisbelow(True)
    ax.set_xlabel("mean rank")
    return ax


def hodges_lehmann(table: pd.DataFrame, method: str, *, level: float = 0.95) -> pd.DataFrame:
    """Estimate by how much one method shifts the score of each other one, with an interval.

    The estimate is the median of all Walsh averages (d_i + d_j) / 2, i <= j, of the differences
    d = method - other. The interval takes the Walsh averages at the exact quantiles of the signed
    rank statistic: it holds the shifts that the exact two-sided Wilcoxon test does not reject
    (Hollander, Wolfe and Chicken, Nonparametric Statistical Methods, chapter 3). scipy has neither.

    Parameters
    ----------
    table : DataFrame of shape (data sets, methods)
    method : str
    level : float, default=0.95
        Least coverage, for differences that are symmetric about the shift.

    Returns
    -------
    shifts : DataFrame
        Index: the other methods. Columns: ``shift``, positive where ``method`` is better, and
        ``low``, ``high``, the ends of the interval; infinite where the sets are too few for the
        level (five or fewer at 0.95).

    Raises
    ------
    ValueError
        If ``method`` is not a column, or the level is not between 0 and 1.

    Examples
    --------
    >>> from simpor.lab.published import forty_one
    >>> from simpor.lab.statistics import hodges_lehmann
    >>> gdo = hodges_lehmann(forty_one("f1"), "SIMPOR").loc["GDO"]
    >>> f"{gdo['shift']:.3f} in [{gdo.low:.3f}, {gdo.high:.3f}]"
    '0.027 in [0.011, 0.041]'
    """
    if not 0 < level < 1:
        raise ValueError(f"level is a share between 0 and 1, not {level}; 0.95 is usual.")
    rows = {}
    for other, ours, theirs in _pairs(table, method):
        walsh = _walsh_averages(ours - theirs)
        # The k outermost averages on each side may be left out.
        k = np.searchsorted(_signed_rank_cdf(len(ours)), (1 - level) / 2, side="right")
        low, high = (walsh[k - 1], walsh[-k]) if k > 0 else (-np.inf, np.inf)
        rows[other] = {"shift": np.median(walsh), "low": low, "high": high}
    return _by_method(rows)


def bayesian_signed_rank(
    table: pd.DataFrame,
    method: str,
    *,
    rope: float = 0.01,
    n_samples: int = 50_000,
    random_state: int = 0,
) -> pd.DataFrame:
    """Give the probabilities that one method is better, practically equivalent, or worse.

    The Bayesian signed-rank test (Benavoli et al., ICML 2014), as baycomp computes it. Each sample
    of the posterior has a probability of "better by more than the rope", of "within the rope" and
    of "worse by more than the rope". What is given is the share of samples in which each of the
    three is the largest.

    Parameters
    ----------
    table : DataFrame of shape (data sets, methods)
    method : str
    rope : float, default=0.01
        Differences up to this are practically none.
    n_samples : int, default=50_000
        Samples of the posterior; the probabilities have a standard error of at most
        0.5 / sqrt(n_samples).
    random_state : int, default=0

    Returns
    -------
    probabilities : DataFrame
        Index: the other methods. Columns: ``better``, ``equivalent``, ``worse``; they sum to 1.

    Raises
    ------
    ValueError
        If ``method`` is not a column, or the rope is not positive.

    Examples
    --------
    >>> from simpor.lab.published import forty_one
    >>> from simpor.lab.statistics import bayesian_signed_rank
    >>> auc = forty_one("auc")[["SIMPOR", "DeepSMOTE"]]
    >>> bayesian_signed_rank(auc, "SIMPOR", n_samples=2000).round(1).loc["DeepSMOTE"].to_dict()
    {'better': 1.0, 'equivalent': 0.0, 'worse': 0.0}
    """
    if not rope > 0:
        raise ValueError(
            f"rope is the largest difference that counts as none: give more than 0, not {rope}."
        )
    rows = {
        other: baycomp.two_on_multiple(
            ours, theirs, rope=rope, nsamples=n_samples, random_state=random_state
        )
        for other, ours, theirs in _pairs(table, method)
    }
    return _by_method(
        {other: dict(zip(["better", "equivalent", "worse"], row)) for other, row in rows.items()}
    )


def against(table: pd.DataFrame, method: str) -> pd.DataFrame:
    """Put the test, the shift and the practical weight of one method in one table, as text.

    Parameters
    ----------
    table : DataFrame of shape (data sets, methods)
    method : str

    Returns
    -------
    table : DataFrame of str
        Index: the other methods. Columns: ``p, Holm`` of :func:`wilcoxon_holm`, ``shift, 95 %`` of
        :func:`hodges_lehmann`, and the three probabilities of :func:`bayesian_signed_rank`.

    Raises
    ------
    ValueError
        If ``method`` is not a column.

    Examples
    --------
    >>> from simpor.lab.published import forty_one
    >>> from simpor.lab.statistics import against
    >>> against(forty_one("f1"), "SIMPOR").loc["GDO"].to_list()
    ['0.011', '+0.027 [+0.011, +0.041]', '1.00', '0.00', '0.00']
    """
    shifts = [
        f"{line.shift:+.3f} [{line.low:+.3f}, {line.high:+.3f}]"
        for line in hodges_lehmann(table, method).itertuples()
    ]
    p = wilcoxon_holm(table, method)["p_holm"].map(p_value)
    weights = bayesian_signed_rank(table, method, n_samples=2000)
    columns = pd.DataFrame({"p, Holm": p, "shift, 95 %": shifts})
    return columns.join(weights.map("{:.2f}".format))


def win_tie_loss(table: pd.DataFrame, method: str) -> pd.DataFrame:
    """Count the data sets on which one method is above, equal to and below each other one.

    Parameters
    ----------
    table : DataFrame of shape (data sets, methods)
    method : str

    Returns
    -------
    counts : DataFrame
        Index: the other methods. Columns: ``win``, ``tie``, ``loss``.

    Raises
    ------
    ValueError
        If ``method`` is not a column.

    Examples
    --------
    >>> from simpor.lab.published import forty_one
    >>> from simpor.lab.statistics import win_tie_loss
    >>> win_tie_loss(forty_one("f1"), "SIMPOR").loc["GDO"].to_list()
    [31, 1, 9]
    """
    return _by_method(
        {
            other: {
                "win": np.sum(ours > theirs),
                "tie": np.sum(ours == theirs),
                "loss": np.sum(ours < theirs),
            }
            for other, ours, theirs in _pairs(table, method)
        }
    )


def _holm(p: np.ndarray) -> np.ndarray:
    """The smallest p times their number, the next times one less, and so on; the order is kept."""
    # multipletests of statsmodels gives the same, but collects garbage at every call, which is slow
    # beside TensorFlow.
    order = np.argsort(p)
    steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(steps, 1)
    return adjusted


def _walsh_averages(differences: np.ndarray) -> np.ndarray:
    """Means of all pairs, each value with itself too, from the smallest to the largest."""
    i, j = np.triu_indices(len(differences))
    return np.sort((differences[i] + differences[j]) / 2)


def _signed_rank_cdf(n: int) -> np.ndarray:
    """P(T <= t) for t = 0, 1, ..., n (n + 1) / 2, where T sums the ranks 1..n of fair heads."""
    probability = np.ones(1)
    for rank in range(1, n + 1):
        tails = np.pad(probability, (0, rank))
        heads = np.pad(probability, (rank, 0))
        probability = (tails + heads) / 2
    return np.cumsum(probability)


def _checked(table: pd.DataFrame) -> pd.DataFrame:
    holes = table.columns[table.isna().any()].to_list()
    if holes:
        raise ValueError(
            f"scores of {holes} are missing; leave out these methods, or the data "
            "sets without a score (table.dropna())."
        )
    if len(table) == 0:
        raise ValueError("the table has no rows; give one row for each data set.")
    return table


def _pairs(table: pd.DataFrame, method: str) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """The name and the scores of every other method, beside the scores of this one."""
    table = _checked(table)
    if method not in table.columns:
        raise ValueError(
            f"{method!r} is not a column of the table; choose one of {list(table.columns)}."
        )
    ours = table[method].to_numpy(dtype=float)
    return [
        (other, ours, table[other].to_numpy(dtype=float))
        for other in table.columns
        if other != method
    ]


def _by_method(rows: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("method")
