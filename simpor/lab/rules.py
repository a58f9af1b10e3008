"""The rules that judge the claims of the ledger, see :mod:`simpor.lab.claims`.

Most functions make a rule: they take the particulars of a claim and return a function of the
evidence. The docstring of each says when a claim is reproduced and when partly; else it is not.
Those that take a curve and its luck are for :func:`along`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import combinations, product
from typing import NamedTuple

import pandas as pd

from simpor.lab import published
from simpor.lab.claims import SCORES, Evidence, Finding, NotRecorded, Rule, by_share
from simpor.lab.datasets import FAMILIES, FORTY_ONE
from simpor.lab.intervals import paired_differences
from simpor.lab.learners import CROSSED, OWN
from simpor.lab.methods import METHODS
from simpor.lab.published import METHOD_OF_PAPER_NAME
from simpor.lab.statistics import family_means, hodges_lehmann, wilcoxon_holm, winning_times
from simpor.lab.summary import Cell, set_table
from simpor.lab.tables import WORDS
from simpor.lab.tuning import long_rows

#: The ten draws of one setting that are the measure of luck for :func:`along`.
DRAWS = "simpor-published, ten draws"

#: Sets that hold the rows of another set: credit-card-3, yeast4, new-thyroid1.
TWICE = ("creditcard", "yeast me2", "new-thyroid2")

#: ((source, dataset), the method that is said to score higher, the lower one).
Pairs = Sequence[tuple[tuple[str, str], str, str]]


class _Order(NamedTuple):
    """How often an order holds under one protocol, of the pairs that are recorded."""

    above: int
    clearly: int
    pairs: int
    contrary: list[str]


def above(
    tables: Iterable[tuple[str, str]],
    metric: str,
    highs: Sequence[str],
    lows: Sequence[str],
    remark: str = "",
    *,
    most: bool = False,
) -> Rule:
    """Make the rule of a claim that some methods score above others.

    Reproduced, if the order of our means is the claimed one (above) in every pair under both
    protocols, and the interval of the differences on the same folds leaves out zero (clearly
    above) in every pair under the sound one. Partly, if above in every pair under both, or clearly
    above in half of the pairs under the sound one. Where only one protocol is recorded, it decides
    alone.

    Parameters
    ----------
    tables : iterable of (source, dataset)
    metric : str
    highs, lows : sequence of str
        Each of ``highs`` is said to score above each of ``lows``, in the paper's names.
    remark : str, default=""
        Goes to the end of the reason.
    most : bool, default=False
        The claim speaks of most pairs: more than half of them do.

    Returns
    -------
    rule : callable
        It raises :class:`~simpor.lab.claims.NotRecorded` if a set is not recorded as published.
    """
    pairs = list(product(tables, highs, lows))

    def rule(evidence: Evidence) -> Finding:
        orders = {
            heading: _order(sets, evidence.metric(metric), pairs)
            for heading, sets in evidence.recorded.items()
        }
        published_sets = evidence.recorded["as published"]
        if missing := {dataset for (_, dataset), _, _ in pairs if dataset not in published_sets}:
            raise NotRecorded(", ".join(sorted(missing)))
        orders = {heading: order for heading, order in orders.items() if order.pairs}
        decisive = orders.get("sound", orders["as published"])
        everywhere = all(_enough(order.above, order.pairs, most) for order in orders.values())
        if everywhere and _enough(decisive.clearly, decisive.pairs, most):
            verdict = "reproduced"
        elif everywhere or 2 * decisive.clearly >= decisive.pairs:
            verdict = "partly"
        else:
            verdict = "not reproduced"
        return {
            "paper": _order_in_print(evidence, metric, pairs),
            **{heading: _order_in_words(order, len(pairs)) for heading, order in orders.items()},
            "verdict": verdict,
            "reason": ". ".join(filter(None, [_exceptions(decisive, everywhere), remark])),
        }

    return rule


def _signed(difference: float) -> str:
    """At most two digits and four after the point; below them only the side of zero."""
    if -5e-5 < difference < 0:
        return "between -0.0001 and 0"
    return f"{round(difference, 4):+.2g}"


def _enough(count: int, n: int, most: bool) -> bool:
    return 2 * count > n if most else count == n


def _order(sets: Mapping[str, pd.DataFrame], metric: str, pairs: Pairs) -> _Order:
    """Count the pairs whose order holds, among those whose data set is recorded."""
    lines, contrary = [], []
    for (_, dataset), high, low in pairs:
        if dataset not in sets:
            continue
        line = _difference(
            sets[dataset], METHOD_OF_PAPER_NAME[high], METHOD_OF_PAPER_NAME[low], metric
        )
        lines.append(line)
        if not line["difference"] > 0:
            size = _signed(line["difference"])
            contrary.append(f"{_label(high)} - {_label(low)} {size} ({dataset})")
    return _Order(
        above=sum(line["difference"] > 0 for line in lines),
        clearly=sum(line["low"] > 0 for line in lines),
        pairs=len(lines),
        contrary=contrary,
    )


def _label(name: str) -> str:
    return METHODS[METHOD_OF_PAPER_NAME[name]].label


def _order_in_print(evidence: Evidence, metric: str, pairs: Pairs) -> str:
    """In how many pairs the paper's own table has the claimed order; a tie counts for it."""
    holds = []
    for (source, dataset), high, low in pairs:
        scores = evidence.printed_scores(source, dataset, metric)
        if high in scores and low in scores:
            holds.append(scores[high] >= scores[low])
    return f"{sum(holds)} of {len(holds)}"


def _order_in_words(order: _Order, n_claimed: int) -> str:
    words = f"{order.above} of {order.pairs}, clearly {order.clearly}"
    if order.pairs < n_claimed:
        words += f" (of {n_claimed}: the rest is not recorded)"
    return words


def _exceptions(order: _Order, everywhere: bool) -> str:
    if not order.contrary:
        only = "throughout" if everywhere else "under the sound protocol only"
        return f"the order holds {only}"
    first, rest = order.contrary[:2], order.contrary[2:]
    return f"not above: {'; '.join(first)}" + (f"; and {len(rest)} more" if rest else "")


def _difference(rows: pd.DataFrame, method: str, baseline: str, metric: str) -> pd.Series:
    return paired_differences(rows, baseline, metric, methods=[method]).loc[method]


def scores_agree(source: str, **chosen: Hashable) -> Rule:
    """Make the rule of a claim that consists of printed scores.

    Judged on the scores whose interval is not too wide, as published, by the share that agrees, see
    :func:`~simpor.lab.claims.by_share` and :meth:`~simpor.lab.claims.Evidence.beside`.
    Where more than half of the intervals are too wide, the claim cannot be checked.

    Parameters
    ----------
    source : str
    **chosen
        Values of further columns, such as ``dataset="moon-7"``.

    Returns
    -------
    rule : callable
        It raises :class:`~simpor.lab.claims.NotRecorded` if scores are not recorded as published.
    """

    def rule(evidence: Evidence) -> Finding:
        finding = {}
        for heading in evidence.recorded:
            both = evidence.beside(heading)
            part = both[both["metric"].isin(SCORES)]
            for column, value in {"source": source, **chosen}.items():
                part = part[part[column] == value]
            status = part["status"]
            agree, wide = (status == "agrees").sum(), (status == "too wide").sum()
            known = (~status.isin(["not recorded", "failed"])).sum()
            if known:
                finding[heading] = f"{agree} of {known - wide} agree; {wide} too wide"
            if heading == "as published":
                missing = part["dataset"][status == "not recorded"].nunique()
                if missing or part.empty:
                    raise NotRecorded(f"{missing} sets of {source}")
                mostly_wide = 2 * wide > known
                finding["paper"] = f"{len(part)} scores"
                finding["verdict"] = (
                    by_share(0, 0) if mostly_wide else by_share(agree, known - wide)
                )
                far = (part["ours"] - part["printed"]).median()
                finding["reason"] = f"median of ours less printed {far:+.3f}"
        return finding

    return rule


def most_wins(metric: str, times: float) -> Rule:
    """Make the rule of a claim that SIMPOR scores highest on the most of the 41 sets.

    Reproduced, if it is first under both protocols, with half of the stated multiple of the
    second's wins or more. Partly, if it is first under one.

    Parameters
    ----------
    metric : str
    times : float
        Stated multiple of the second's wins.

    Returns
    -------
    rule : callable
    """

    def rule(evidence: Evidence) -> Finding:
        tables = _tables_of_41(evidence, metric)
        leads, finding = {}, {}
        for heading, table in tables.items():
            ours, second, name = _wins(table)
            leads[heading] = ours / second
            finding[heading] = f"{ours}; best other {second} ({name})"
        least, largest = sorted([leads["as published"], leads["sound"]])
        verdict = "partly" if largest > 1 else "not reproduced"
        if least > 1 and least >= times / 2:
            verdict = "reproduced"
        ours, second, _ = _wins(family_means(tables["sound"]))
        reason = (
            f"on the 14 families, sound: {ours}; best other {second}; reproduced if first under "
            f"both protocols, with {times / 2:g} times the second's wins or more; partly if first "
            "under one"
        )
        return finding | {"verdict": verdict, "reason": reason}

    return rule


def _tables_of_41(evidence: Evidence, metric: str) -> dict[str, pd.DataFrame]:
    ours = evidence.metric(metric)
    return {"paper": published.forty_one(metric)} | {
        heading: evidence.forty_one(heading, ours) for heading in ("as published", "sound")
    }


def _wins(table: pd.DataFrame) -> tuple[int, int, str]:
    """SIMPOR's wins, the most of another method, and which that is."""
    wins = winning_times(table)["wins"]
    others = wins.drop("SIMPOR")
    return wins["SIMPOR"], others.max(), others.idxmax()


def all_significant(metric: str) -> Rule:
    """Make the rule of a claim that all seven tests over the 41 sets favour SIMPOR, p below 0.05.

    Reproduced, if all seven do under both protocols; partly, if four do under the sound one.

    Parameters
    ----------
    metric : str

    Returns
    -------
    rule : callable
    """

    def rule(evidence: Evidence) -> Finding:
        tables = _tables_of_41(evidence, metric)
        favourable, finding = {}, {}
        for heading, table in tables.items():
            below = wilcoxon_holm(table, "SIMPOR")["p"] < 0.05
            shift = hodges_lehmann(table, "SIMPOR")["shift"]
            favourable[heading] = (below & (shift > 0)).sum()
            against = (below & (shift < 0)).sum()
            finding[heading] = f"{favourable[heading]} of 7 for SIMPOR, {against} against"
        if favourable["sound"] == favourable["as published"] == 7:
            verdict = "reproduced"
        else:
            verdict = "partly" if favourable["sound"] >= 4 else "not reproduced"
        families = wilcoxon_holm(family_means(tables["sound"]), "SIMPOR")["p_holm"]
        reason = (
            "with Holm's adjustment on the 14 families, sound: "
            f"{(families < 0.05).sum()} of 7 below 0.05, in either direction"
        )
        return finding | {"verdict": verdict, "reason": reason}

    return rule


def tables_recompute(evidence: Evidence) -> Finding:
    """Judge the claim that Figure 5 and Table III of the TAI paper follow from its Tables V and VI.

    Judged by the share of p-values and counts that come out to all printed digits, see
    :func:`~simpor.lab.claims.by_share`.

    Parameters
    ----------
    evidence : Evidence
        Not used: everything is printed.

    Returns
    -------
    finding : dict
    """
    tables = {metric: published.forty_one(metric) for metric in ("f1", "auc")}
    p_values = [
        float(f"{p:.2e}") == published.P_VALUES.loc[other, metric]
        for metric, table in tables.items()
        for other, p in wilcoxon_holm(table, "SIMPOR")["p"].items()
    ]
    wins = [
        winning_times(tables[line.metric]).loc[line.method, "wins"] == line.value
        for line in published.WINNING_TIMES.itertuples()
    ]
    return {
        "paper": f"{len(p_values)} p-values, {len(wins)} counts",
        "verdict": by_share(sum(p_values) + sum(wins), len(p_values) + len(wins)),
        "reason": f"from the printed Tables V and VI: {sum(p_values)} p-values to all digits, "
        f"{sum(wins)} counts",
    }


def lead_up_to(table: tuple[str, str], metric: str, stated: float) -> Rule:
    """Make the rule of a claim about SIMPOR's largest lead in a table.

    The claim holds under a protocol if the interval of our lead over the same method has the
    stated one in it and not zero. :func:`~simpor.lab.claims.by_share` of the two protocols.

    Parameters
    ----------
    table : (source, dataset)
    metric : str
    stated : float

    Returns
    -------
    rule : callable
        It raises :class:`~simpor.lab.claims.NotRecorded` if the set is not recorded.
    """
    source, dataset = table

    def rule(evidence: Evidence) -> Finding:
        scores = evidence.printed_scores(source, dataset, metric)
        last = scores.idxmin()
        lead = scores["SIMPOR"] - scores[last]
        finding = {"paper": f"stated {stated:.1%}; {source.split(', ')[1]}: {lead:.3f} over {last}"}
        holds = []
        for heading, sets in evidence.recorded.items():
            if dataset not in sets:
                raise NotRecorded(dataset)
            ours = evidence.metric(metric)
            d = _difference(
                sets[dataset], METHOD_OF_PAPER_NAME["SIMPOR"], METHOD_OF_PAPER_NAME[last], ours
            )
            finding[heading] = f"{d['difference']:+.3f} [{d['low']:+.3f}, {d['high']:+.3f}]"
            holds.append(d["low"] > 0 and d["low"] <= stated <= d["high"])
        finding["verdict"] = by_share(sum(holds), len(holds))
        finding["reason"] = (
            "holds under a protocol if the interval has the stated lead and not zero"
        )
        if round(lead, 2 if metric == "f1" else 3) != stated:
            finding["reason"] += "; the stated lead does not follow from the table"
        return finding

    return rule


def takes_longest(evidence: Evidence) -> Finding:
    """Judge the claim that SIMPOR takes longer than the five other samplers over the 41 sets.

    Judged by the share of the five, see :func:`~simpor.lab.claims.by_share`, under the protocol
    where it takes longer than fewer of them.

    Parameters
    ----------
    evidence : Evidence

    Returns
    -------
    finding : dict
    """
    printed = published.forty_one("seconds")
    totals = {"paper": printed.sum()}
    for heading in ("as published", "sound"):
        evidence.forty_one(heading, "f1")  # raises NotRecorded if a set is missing
        seconds = evidence.seconds(heading).rename(
            columns={METHOD_OF_PAPER_NAME[n]: n for n in printed}
        )
        totals[heading] = seconds.loc[list(FORTY_ONE), list(printed)].sum()
    longer = {
        heading: (total.drop("SIMPOR") < total["SIMPOR"]).sum() for heading, total in totals.items()
    }
    return {
        **{
            heading: f"{total['SIMPOR']:.0f} s; longer than {longer[heading]} of 5"
            for heading, total in totals.items()
        },
        "verdict": by_share(min(longer["as published"], longer["sound"]), 5),
        "reason": f"in Table IV DeepSMOTE takes {totals['paper']['DeepSMOTE']:.0f} s in total",
    }


def shares_fewest(counts: pd.DataFrame, no_region: str) -> Rule:
    """Make the rule of a claim that the classes share the fewest rows after SIMPOR (Figure 8).

    The share of the splits on which SIMPOR's ratio is the lowest decides, by
    :func:`~simpor.lab.claims.by_share`. A SIMPOR without an informative region is not the method of
    the claim: its ratio stands in the reason and does not count.

    Parameters
    ----------
    counts : DataFrame
        Columns ``split``, ``method`` (the paper's names and ``no_region``), ``ratio``, ``seeds``.
    no_region : str
        The method that is SIMPOR without a region.

    Returns
    -------
    rule : callable
    """
    by_split = counts.pivot(index="method", columns="split", values="ratio")
    in_print = by_split.drop(index=no_region)
    means = in_print.mean(axis=1).sort_values()
    printed = published.HARD_TO_DIFFERENTIATE_TAI["ratio"]
    others = printed.drop("SIMPOR")

    def rule(evidence: Evidence) -> Finding:
        lowest = (in_print.idxmin() == "SIMPOR").sum()
        return {
            "paper": f"{printed['SIMPOR']:.1%}; next {others.min():.1%} ({others.idxmin()})",
            "as published": f"{means['SIMPOR']:.1%}; lowest {means.iloc[0]:.1%} ({means.index[0]})",
            "verdict": by_share(lowest, in_print.shape[1]),
            "reason": f"lowest on {lowest} of {in_print.shape[1]} splits; "
            f"place {means.index.get_loc('SIMPOR') + 1} of {len(means)} by the mean; "
            f"without a region {by_split.loc[no_region].mean():.1%}, "
            f"from {counts['seeds'].min():.0f} seeds",
        }

    return rule


#: Whether a claim holds on one set, from the long rows of a curve and those of ten draws.
Holds = Callable[[pd.DataFrame, pd.DataFrame], bool]


def along(method: str, datasets: Sequence[str], holds: Holds, words: str) -> Rule:
    """Make the rule of a claim about curves over a parameter.

    Judged by the share of the sets on which it holds, see :func:`~simpor.lab.claims.by_share`.

    Parameters
    ----------
    method : str
        Of :data:`simpor.lab.tuning.SENSITIVITY`.
    datasets : sequence of str
    holds : callable
        Whether the claim holds on a set: a function of the long rows of the parameter's values,
        see :func:`simpor.lab.tuning.long_rows`, and those of ten draws of one setting.
    words : str
        The reason, which says what was counted.

    Returns
    -------
    rule : callable
        It raises :class:`~simpor.lab.claims.NotRecorded` if one of the sets has no rows.
    """

    def rule(evidence: Evidence) -> Finding:
        if not set(datasets) <= set(evidence.tuning):
            raise NotRecorded("rows of python -m simpor.lab.tuning")
        rows = [evidence.tuning[dataset] for dataset in datasets]
        n = sum(holds(long_rows(one, method), long_rows(one, DRAWS)) for one in rows)
        return {
            "paper": f"{len(datasets)} sets",
            "sound": f"{n} of {len(datasets)} sets",
            "verdict": by_share(n, len(datasets)),
            "reason": words,
        }

    return rule


def no_difference(*values: float) -> Holds:
    """No two of the values differ beyond the interval.

    Parameters
    ----------
    *values : float

    Returns
    -------
    holds : callable
        For :func:`along`.
    """

    def holds(rows: pd.DataFrame, luck: pd.DataFrame) -> bool:
        return all(
            _difference(rows, f"{b:g}", f"{a:g}", "f1")["verdict"] == "no difference seen"
            for a, b in combinations(values, 2)
        )

    return holds


def rises(a: float, b: float) -> Holds:
    """The second value scores higher than the first, beyond the interval.

    Parameters
    ----------
    a, b : float

    Returns
    -------
    holds : callable
        For :func:`along`.
    """
    return lambda rows, luck: bool(_difference(rows, f"{b:g}", f"{a:g}", "f1")["low"] > 0)


def matters(rows: pd.DataFrame, luck: pd.DataFrame) -> bool:
    """Say whether a curve's means span more than 1.5 times what ten draws of one setting span.

    Parameters
    ----------
    rows, luck : DataFrame
        Long rows of the curve and of the draws.

    Returns
    -------
    holds : bool
    """
    return bool(_span(rows) > 1.5 * _span(luck))


def hardly_matters(rows: pd.DataFrame, luck: pd.DataFrame) -> bool:
    """Say whether a parameter does not matter, see :func:`matters`.

    Parameters
    ----------
    rows, luck : DataFrame
        Long rows of the curve and of the draws.

    Returns
    -------
    holds : bool
    """
    return not matters(rows, luck)


def _span(rows: pd.DataFrame) -> float:
    means = rows.groupby("method")["value"].mean()
    return means.max() - means.min()


def best_between(a: float, b: float) -> Holds:
    """The value with the highest mean lies in [a, b].

    Parameters
    ----------
    a, b : float

    Returns
    -------
    holds : callable
        For :func:`along`.
    """

    def holds(rows: pd.DataFrame, luck: pd.DataFrame) -> bool:
        return a <= float(rows.groupby("method")["value"].mean().idxmax()) <= b

    return holds


def part_helps(method: str, baseline: str) -> Rule:
    """Make the rule of a claim that a part of SIMPOR raises F1.

    Judged under the sound protocol, on the sets on which F1 with the part is higher or lower
    beyond the interval than without it; :data:`TWICE` are left out. Reproduced, if higher on more
    than half of the sets; partly, if on a fifth, and on more than those where it is lower.

    Parameters
    ----------
    method, baseline : str
        SIMPOR with the part and without, in our names.

    Returns
    -------
    rule : callable
        It raises :class:`~simpor.lab.claims.NotRecorded` if no set has both methods.
    """

    def rule(evidence: Evidence) -> Finding:
        finding = {"paper": "no experiment"}
        for heading, sets in evidence.recorded.items():
            words = [
                _difference(rows, method, baseline, evidence.f1)["verdict"]
                for name, rows in sets.items()
                if name not in TWICE and {method, baseline} <= set(rows["method"])
            ]
            if not words:
                continue
            n = len(words)
            higher, lower = words.count("higher"), words.count("lower")
            same = words.count("no difference seen")
            finding[heading] = f"higher {higher}, lower {lower}, no difference seen {same}"
            finding["verdict"] = "not reproduced"
            if 2 * higher > n:
                finding["verdict"] = "reproduced"
            elif 5 * higher >= n and higher > lower:
                finding["verdict"] = "partly"
            finding["reason"] = (
                "sets on which it is higher or lower beyond the interval; half of "
                f"{n} would do, a fifth is partly"
            )
        if "verdict" not in finding:
            raise NotRecorded("the ablation")
        return finding

    return rule


def counts_agree(source: str, remark: str) -> Rule:
    """Make the rule of a claim that consists of counts of rows, which have no spread.

    Parameters
    ----------
    source : str
    remark : str
        Goes to the end of the reason.

    Returns
    -------
    rule : callable
    """

    def rule(evidence: Evidence) -> Finding:
        both = evidence.beside("sound")
        both = both[both["source"] == source]
        known = both[both["ours"].notna()]
        agree = (known["status"] == "agrees").sum()
        others = ", ".join(
            f"{line.dataset} {WORDS[line.metric]} {line.printed:g} ({line.ours:g})"
            for line in known[known["status"] == "differs"].itertuples()
        )
        return {
            "paper": f"{len(both)} numbers",
            "as published": f"{agree} of {len(known)} agree",
            "verdict": by_share(agree, len(known)),
            "reason": f"the others, with ours: {others}; {remark}",
        }

    return rule


def ahead_of(method: str, rivals: Sequence[str], metric: str, *, lower: bool = False) -> Rule:
    """Make the rule of a relative's claim that its method scores better than its rivals.

    Judged on the sets of the crossed study on which the method is recorded, by the means of their
    families. The threshold is 0.5, and samplers stand before the logistic regression. The method is
    clearly ahead of a rival if the interval of the shift between them lies above zero. Reproduced,
    if it is clearly ahead of every rival; partly, of at least half of them.

    Parameters
    ----------
    method : str
        Our name.
    rivals : sequence of str
        Our names.
    metric : str
        One of :func:`simpor.lab.thresholds.scores`.
    lower : bool, default=False
        Whether lower scores are better.

    Returns
    -------
    rule : callable
        It raises :class:`~simpor.lab.claims.NotRecorded` if a family has no set on which the method
        is recorded.
    """

    def rule(evidence: Evidence) -> Finding:
        scores = evidence.crossed
        if scores is None or method not in set(scores["method"]):
            raise NotRecorded(CROSSED[method].label)
        sets = set(scores["dataset"][scores["method"] == method])
        cells = [Cell(_learner(name), name, "half") for name in (method, *rivals)]
        table = set_table(scores[scores["dataset"].isin(sets)], metric, cells)
        means = family_means(table.set_axis([method, *rivals], axis=1))
        n_families = len(set(FAMILIES.values()))
        if len(means) < n_families:
            raise NotRecorded(f"{n_families - len(means)} of {n_families} families")
        shifts = hodges_lehmann(-means if lower else means, method)
        clearly = (shifts["low"] > 0).sum()
        behind = (shifts["high"] < 0).sum()
        if clearly == len(rivals):
            verdict = "reproduced"
        else:
            verdict = "partly" if 2 * clearly >= len(rivals) else "not reproduced"
        least = shifts["shift"].idxmin()
        line = shifts.loc[least]
        return {
            "sound": f"clearly ahead of {clearly} of {len(rivals)}, clearly behind {behind}",
            "verdict": verdict,
            "reason": f"{len(sets)} sets; least over {CROSSED[least].label}: "
            f"{line['shift']:+.3f} [{line['low']:+.3f}, {line['high']:+.3f}]",
        }

    return rule


def _learner(method: str) -> str:
    return OWN if CROSSED[method].kind == "classifier" else "logistic"


def replayed(replays: pd.DataFrame, what: str) -> Rule:
    """Make the rule of a relative's claim that a number of ours is above zero.

    Reproduced, if it is above zero by more than twice its standard error; else it is not.

    Parameters
    ----------
    replays : DataFrame
        The table of ``python -m benchmarks replays``: a line for each number, with the columns
        ``what``, ``ours`` and ``standard error``.
    what : str
        The number.

    Returns
    -------
    rule : callable
        It raises :class:`~simpor.lab.claims.NotRecorded` if there is no such number.
    """

    def rule(evidence: Evidence) -> Finding:
        lines = replays[replays["what"] == what]
        if lines.empty:
            raise NotRecorded(f"the replay of {what!r}")
        ours, error = lines.iloc[0][["ours", "standard error"]]
        return {
            "sound": f"{ours:+.3f}, standard error {error:.3f}",
            "verdict": "reproduced" if ours > 2 * error else "not reproduced",
            "reason": what,
        }

    return rule


def numbers_replay(replays: pd.DataFrame, relative: str) -> Rule:
    """Make the rule of a claim that consists of published numbers of a relative.

    A number of ours agrees if it is within 0.01 of the published one, or within twice its own
    standard error. Judged by the share that agrees, see :func:`~simpor.lab.claims.by_share`.

    Parameters
    ----------
    replays : DataFrame
        As in :func:`replayed`, with the columns ``relative`` and ``published``.
    relative : str

    Returns
    -------
    rule : callable
        It raises :class:`~simpor.lab.claims.NotRecorded` if no number of the relative is recorded.
    """

    def rule(evidence: Evidence) -> Finding:
        lines = replays[replays["relative"] == relative].dropna(subset=["published"])
        if lines.empty:
            raise NotRecorded(f"replays of {relative}")
        allowed = (2 * lines["standard error"]).fillna(0).clip(lower=0.01)
        distance = (lines["ours"] - lines["published"]).abs()
        agree = (distance <= allowed).sum()
        return {
            "paper": f"{len(lines)} numbers",
            "sound": f"{agree} of {len(lines)} agree",
            "verdict": by_share(agree, len(lines)),
            "reason": f"farthest apart {distance.max():.3f}",
        }

    return rule
