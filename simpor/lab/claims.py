"""The ledger: what the two papers claim, and the rules that judge it.

A :class:`Claim` says where it stands, what it says, and by which rule it is judged. A rule is a
function of the :class:`Evidence`, which holds our recorded rows and every printed number. It
returns a finding: a dictionary with the ``verdict``, one of :data:`VERDICTS`, and the words that
the ledger shows beside it, ``paper``, ``as published``, ``sound`` and ``reason``. A rule that lacks
rows raises :class:`NotRecorded`.

The functions that make rules, such as :func:`above`, take the particulars of a claim and return
its rule. :func:`claims_of` joins rules to the claims of the two papers, and :func:`judge` gives
the table of verdicts.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations, product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from simpor.lab import published
from simpor.lab.datasets import FORTY_ONE
from simpor.lab.intervals import half_width, paired_differences
from simpor.lab.methods import METHODS
from simpor.lab.published import METHOD_OF_PAPER_NAME, TAI_COLUMNS
from simpor.lab.statistics import (
    family_means,
    hodges_lehmann,
    set_means,
    wilcoxon_holm,
    winning_times,
)
from simpor.lab.tuning import long_rows

VERDICTS = ("reproduced", "partly", "not reproduced", "cannot be checked", "not recorded yet")

#: The metrics that a printed score can have.
SCORES = ("f1", "auc", "precision", "recall")

#: A printed score is a mean of this many trials.
N_TRIALS = 5

#: An interval that reaches farther than this to either side cannot check a printed score.
TOO_WIDE = 0.05

#: Standard deviation that is assumed at least, where all splits score (nearly) the same.
LEAST_SPREAD = 0.005

#: The ten draws of one setting that are the measure of luck for :func:`along`.
DRAWS = "simpor-published, ten draws"

#: Sets that hold the rows of another set: credit-card-3, yeast4, new-thyroid1.
TWICE = ("creditcard", "yeast me2", "new-thyroid2")

_EMPTY = {"paper": "-", "as published": "-", "sound": "-", "verdict": "", "reason": ""}
_CLAIMS = Path(published.__file__).with_name("published-tables") / "claims.csv"

Finding = dict[str, str]


class NotRecorded(Exception):
    """Rows that a claim needs are not recorded; the message says which."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """Our rows and the printed numbers, from which the rules take what they need.

    Attributes
    ----------
    recorded : mapping of str to mapping of str to DataFrame
        For each of the headings "as published" and "sound" the long rows of every recorded set.
    further : DataFrame, optional
        Numbers of ours that are not scores, such as counts of rows: columns ``dataset``,
        ``metric``, ``method`` (our name, or "-") and ``ours``.
    tuning : mapping of str to DataFrame, optional
        The rows of :func:`simpor.lab.tuning.sensitivity` for every set, sound protocol.
    f1 : str, default="f1"
        The metric of ours that stands beside a printed F1.
    printed : DataFrame, optional
        All of :func:`simpor.lab.published.all_values` by default.
    """

    recorded: Mapping[str, Mapping[str, pd.DataFrame]]
    further: pd.DataFrame | None = None
    tuning: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    f1: str = "f1"
    printed: pd.DataFrame = field(default_factory=published.all_values)

    def reading_f1_as(self, metric: str) -> Evidence:
        """Give the same evidence with another metric beside the printed F1.

        Parameters
        ----------
        metric : str

        Returns
        -------
        evidence : Evidence
        """
        return replace(self, f1=metric)

    def metric(self, printed: str) -> str:
        """Give our metric that stands beside a printed one.

        Parameters
        ----------
        printed : str

        Returns
        -------
        metric : str
        """
        return self.f1 if printed == "f1" else printed

    def printed_scores(self, source: str, dataset: str, metric: str) -> pd.Series:
        """Give the printed scores of one data set by the paper's names of the methods.

        Parameters
        ----------
        source, dataset, metric : str

        Returns
        -------
        scores : Series
            Empty if nothing is printed there.
        """
        keys = self.printed[["source", "dataset", "metric"]]
        lines = self.printed[(keys == [source, dataset, metric]).all(axis=1)]
        return lines.set_index("method")["value"]

    def forty_one(self, heading: str, metric: str) -> pd.DataFrame:
        """Give our table of the 41 sets and the TAI paper's eight methods, under its names.

        Parameters
        ----------
        heading : {"as published", "sound"}
        metric : str

        Returns
        -------
        table : DataFrame of shape (data sets, methods)

        Raises
        ------
        NotRecorded
            If one of the 41 sets is missing.
        """
        if (heading, metric) not in self._forty_one:
            sets = self.recorded[heading]
            missing = [name for name in FORTY_ONE if name not in sets]
            if missing:
                raise NotRecorded(f"{len(missing)} of the 41 sets")
            rows = pd.concat([sets[name] for name in FORTY_ONE])
            ours = [METHOD_OF_PAPER_NAME[name] for name in TAI_COLUMNS]
            table = set_means(rows, metric, ours).set_axis(TAI_COLUMNS, axis=1)
            self._forty_one[heading, metric] = table
        return self._forty_one[heading, metric]

    def seconds(self, heading: str) -> pd.DataFrame:
        """Give the mean seconds that each method resampled each set.

        Parameters
        ----------
        heading : {"as published", "sound"}

        Returns
        -------
        table : DataFrame of shape (data sets, methods)
            Under our names of the methods.
        """
        rows = pd.concat(self.recorded[heading].values())
        once = rows.drop_duplicates(["dataset", "fold", "method"])
        return once.groupby(["dataset", "method"])["seconds_resampling"].mean().unstack()

    def beside(self, heading: str) -> pd.DataFrame:
        """Give every printed number beside ours.

        A printed score is a mean of five trials. From n splits of standard deviation s, a further
        mean of five is expected within t s sqrt(1/n + 1/5) of our mean, with t for 95 %.

        Parameters
        ----------
        heading : {"as published", "sound"}

        Returns
        -------
        table : DataFrame
            One line for each printed number: ``source``, ``dataset``, ``metric``, ``method``,
            ``printed``, ``our method``, ``our metric``, ``ours``, ``half`` (of the interval, NaN
            where there is none) and ``status``: "agrees" or "differs" where the interval decides,
            or the counts of a set do; "too wide" where the interval exceeds :data:`TOO_WIDE`;
            "recorded" where there is no interval; "failed" where the method could not run on the
            set; else "not recorded".
        """
        return self._beside[heading]

    @cached_property
    def _forty_one(self) -> dict[tuple[str, str], pd.DataFrame]:
        return {}

    @cached_property
    def _beside(self) -> dict[str, pd.DataFrame]:
        return {heading: self._joined(heading) for heading in self.recorded}

    def _joined(self, heading: str) -> pd.DataFrame:
        seconds = self.seconds(heading).stack().rename("ours").reset_index()
        ours = [self._scores(heading), seconds.assign(metric="seconds"), *self._ranks(heading)]
        if self.further is not None:
            ours.append(self.further)
        both = self.printed.rename(columns={"value": "printed"})
        both["our method"] = both["method"].map(METHOD_OF_PAPER_NAME).fillna("-")
        both["our metric"] = both["metric"].replace("f1", self.f1)
        both = both.merge(
            pd.concat(ours).rename(columns={"method": "our method", "metric": "our metric"}),
            how="left",
            on=["dataset", "our metric", "our method"],
        )
        return both.assign(status=_status(both, self.recorded[heading]))

    def _scores(self, heading: str) -> pd.DataFrame:
        """Mean of every score, and how far a further mean of five trials may lie from it."""
        rows = pd.concat(self.recorded[heading].values())
        rows = rows[rows["metric"].isin([*SCORES, self.f1])].dropna(subset=["value"])
        table = rows.groupby(["dataset", "metric", "method"])["value"].agg(["mean", "std", "count"])
        table = table[table["count"] > 1]
        spread = table["std"].clip(lower=LEAST_SPREAD)
        table["half"] = half_width(spread, table["count"], 1 / N_TRIALS)
        return table.rename(columns={"mean": "ours"})[["ours", "half"]].reset_index()

    def _ranks(self, heading: str) -> list[pd.DataFrame]:
        """P-values and winning times from our own tables of the 41 sets, if all are recorded."""
        parts = []
        for metric in ("f1", "auc"):
            try:
                table = self.forty_one(heading, metric)
            except NotRecorded:
                return []
            for words, numbers in (
                ("p-value", wilcoxon_holm(table, "SIMPOR")["p"]),
                ("winning times", winning_times(table)["wins"]),
            ):
                part = (
                    numbers.rename(index=METHOD_OF_PAPER_NAME).rename("ours").rename_axis("method")
                )
                parts.append(
                    part.reset_index().assign(metric=f"{words}, {metric}", dataset="all 41")
                )
        return parts


def _status(both: pd.DataFrame, recorded: Iterable[str]) -> np.ndarray:
    """What :meth:`Evidence.beside` says of each line."""
    distance = (both["ours"] - both["printed"]).abs()
    # Where rows of the set are recorded and none has a score, the method failed on its splits.
    failed = both["metric"].isin(SCORES) & both["dataset"].isin(list(recorded))
    counted = both["method"] == "-"
    cases = [
        (both["ours"].isna() & failed, "failed"),
        (both["ours"].isna(), "not recorded"),
        (counted & (distance == 0), "agrees"),
        (counted, "differs"),
        (both["half"].isna(), "recorded"),
        (both["half"] > TOO_WIDE, "too wide"),
        (distance <= both["half"], "agrees"),
    ]
    conditions, words = zip(*cases)
    return np.select(conditions, words, "differs")


Rule = Callable[[Evidence], Finding]


@dataclass(frozen=True)
class Claim:
    """One claim of the ledger.

    Attributes
    ----------
    where : str
        Where it is printed.
    words : str
        What it says, in our words.
    rule : callable or dict
        A function of the :class:`Evidence` that returns the finding. Where nothing can be
        computed, the finding itself.
    """

    where: str
    words: str
    rule: Rule | Finding


def claims_of(part: str, rules: Mapping[str, Rule]) -> list[Claim]:
    """Join the claims of one part of the ledger with the rules that judge them.

    The claims stand in the file published-tables/claims.csv. Where nothing can be computed, their
    verdict is typed there, with its reason.

    Parameters
    ----------
    part : {"preprint, results", "TAI paper, results", "method"}
    rules : mapping of str to callable
        A rule for every key of the part that has no typed verdict.

    Returns
    -------
    claims : list of Claim
        In the order of the file.

    Raises
    ------
    ValueError
        If a claim has no rule, or a rule no claim.

    Examples
    --------
    >>> from simpor.lab.claims import claims_of
    >>> claims_of("method", {})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    ValueError: claims without a rule: ['ascent converges', 'direction, converged', ...
    """
    table = pd.read_csv(_CLAIMS, comment="#", keep_default_na=False)
    table = table[table["part"] == part]
    without_verdict = set(table["key"][table["verdict"] == ""])
    lacking, strange = without_verdict - set(rules), set(rules) - without_verdict
    if lacking or strange or table.empty:
        raise ValueError(
            f"claims without a rule: {sorted(lacking)}; rules without a claim: {sorted(strange)}. "
            f"Give one rule for each claim of the part {part!r} of {_CLAIMS.name} that has no "
            "verdict."
        )
    claims = []
    for line in table.itertuples():
        typed = {"verdict": line.verdict, "reason": line.reason}
        claims.append(Claim(line.where, line.claim, typed if line.verdict else rules[line.key]))
    return claims


def judge(claims: Iterable[Claim], evidence: Evidence) -> pd.DataFrame:
    """Judge claims, each by its rule.

    Parameters
    ----------
    claims : iterable of Claim
    evidence : Evidence

    Returns
    -------
    table : DataFrame of str
        One line for each claim: ``where``, ``claim``, ``paper``, ``as published``, ``sound``,
        ``verdict``, ``reason``.

    Raises
    ------
    ValueError
        If a rule gives another verdict than one of :data:`VERDICTS`.
    """
    lines = []
    for claim in claims:
        try:
            finding = claim.rule(evidence) if callable(claim.rule) else claim.rule
        except NotRecorded as missing:
            finding = {"verdict": "not recorded yet", "reason": f"needs {missing}"}
        if finding.get("verdict") not in VERDICTS:
            raise ValueError(
                f"the rule of {claim.words!r} gives the verdict {finding.get('verdict')!r}; "
                f"give one of {VERDICTS}."
            )
        lines.append({"where": claim.where, "claim": claim.words} | _EMPTY | finding)
    return pd.DataFrame(lines)


def by_share(done: float, of: float) -> str:
    """Give the verdict of the common scale: nine tenths, half, less.

    Parameters
    ----------
    done, of : float
        ``done`` of ``of`` parts of a claim hold.

    Returns
    -------
    verdict : str
        "reproduced" from 90 % on, "partly" from 50 % on, else "not reproduced"; "cannot be
        checked" if ``of`` is zero.

    Examples
    --------
    >>> from simpor.lab.claims import by_share
    >>> by_share(9, 10), by_share(5, 10), by_share(4, 10)
    ('reproduced', 'partly', 'not reproduced')
    """
    if of == 0:
        return "cannot be checked"
    if 10 * done >= 9 * of:
        return "reproduced"
    return "partly" if 2 * done >= of else "not reproduced"


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
        It raises :class:`NotRecorded` if a set is not recorded as published.
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
            names = f"{METHODS[METHOD_OF_PAPER_NAME[high]].label} - {METHODS[METHOD_OF_PAPER_NAME[low]].label}"
            contrary.append(f"{names} {line['difference']:+.2g} ({dataset})")
    return _Order(
        above=sum(line["difference"] > 0 for line in lines),
        clearly=sum(line["low"] > 0 for line in lines),
        pairs=len(lines),
        contrary=contrary,
    )


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

    Judged on the scores whose interval is not too wide, as published: :func:`by_share` of those
    that agree, see :meth:`Evidence.beside`. Where more than half of the intervals are too wide, it
    cannot be checked.

    Parameters
    ----------
    source : str
    **chosen
        Values of further columns, such as ``dataset="moon-7"``.

    Returns
    -------
    rule : callable
        It raises :class:`NotRecorded` if scores are not recorded as published.
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

    :func:`by_share` of the p-values and counts that come out to all printed digits.

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
    stated one in it and not zero. :func:`by_share` of the two protocols.

    Parameters
    ----------
    table : (source, dataset)
    metric : str
    stated : float

    Returns
    -------
    rule : callable
        It raises :class:`NotRecorded` if the set is not recorded.
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

    :func:`by_share` of the five, under the protocol where it is longer than fewer.

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

    Reproduced, if SIMPOR's ratio is the lowest on every split; partly, if it is once a SIMPOR
    without an informative region may stand in for it.

    Parameters
    ----------
    counts : DataFrame
        Columns ``split``, ``method`` (the paper's names and ``no_region``), ``ratio``, ``seeds``.
    no_region : str
        The method that is SIMPOR without a region; its name begins with "SIMPOR".

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
        if (in_print.idxmin() == "SIMPOR").all():
            verdict = "reproduced"
        elif by_split.idxmin().str.startswith("SIMPOR").all():
            verdict = "partly"
        else:
            verdict = "not reproduced"
        return {
            "paper": f"{printed['SIMPOR']:.1%}; next {others.min():.1%} ({others.idxmin()})",
            "as published": f"{means['SIMPOR']:.1%}; lowest {means.iloc[0]:.1%} ({means.index[0]})",
            "verdict": verdict,
            "reason": f"two live splits; place {means.index.get_loc('SIMPOR') + 1} of {len(means)}; "
            "partly, if it is first without a region "
            f"({by_split.loc[no_region].mean():.1%}, from {counts['seeds'].min():.0f} seeds)",
        }

    return rule


#: Whether a claim holds on one set, from the long rows of a curve and those of ten draws.
Holds = Callable[[pd.DataFrame, pd.DataFrame], bool]


def along(method: str, datasets: Sequence[str], holds: Holds, words: str) -> Rule:
    """Make the rule of a claim about curves over a parameter: :func:`by_share` of the sets.

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
        It raises :class:`NotRecorded` if one of the sets has no rows.
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
        It raises :class:`NotRecorded` if no set has both methods.
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
            f"{line.dataset} {line.metric} {line.printed:g} ({line.ours:g})"
            for line in known[known["status"] == "differs"].itertuples()
        )
        return {
            "paper": f"{len(both)} numbers",
            "as published": f"{agree} of {len(known)} agree",
            "verdict": by_share(agree, len(known)),
            "reason": f"the others, with ours: {others}; {remark}",
        }

    return rule
