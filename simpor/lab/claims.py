"""The ledger: what the papers on SIMPOR and on its relatives claim, and the rules that judge it.

A :class:`Claim` says where it stands, what it says, and by which rule it is judged. A rule is a
function of the :class:`Evidence`, which holds our recorded rows and every printed number. It
returns a finding: a dictionary with the ``verdict``, one of :data:`VERDICTS`, and the words that
the ledger shows beside it, ``paper``, ``as published``, ``sound`` and ``reason``. A rule that lacks
rows raises :class:`NotRecorded`.

:mod:`simpor.lab.rules` makes the rules, :func:`claims_of` joins them to the claims of one part,
and :func:`judge` gives the table of verdicts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from simpor.lab import published
from simpor.lab.datasets import FORTY_ONE
from simpor.lab.intervals import half_width
from simpor.lab.published import METHOD_OF_PAPER_NAME, TAI_COLUMNS
from simpor.lab.statistics import (
    set_means,
    wilcoxon_holm,
    winning_times,
)

#: What a rule can say.
VERDICTS = ("reproduced", "partly", "not reproduced", "cannot be checked", "not recorded yet")

#: The metrics that a printed score can have.
SCORES = ("f1", "auc", "precision", "recall")

#: A printed score is a mean of this many trials.
N_TRIALS = 5

#: An interval that reaches farther than this to either side cannot check a printed score.
TOO_WIDE = 0.05

#: Standard deviation that is assumed at least, where all splits score (nearly) the same.
LEAST_SPREAD = 0.005

_EMPTY = {"paper": "-", "as published": "-", "sound": "-", "verdict": "", "reason": ""}
_CLAIMS = Path(published.__file__).with_name("published-tables") / "claims.csv"

#: Verdict, words of paper and protocols, reason.
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
    crossed : DataFrame, optional
        Scores of the crossed study, from :func:`simpor.lab.thresholds.read_scores`, for claims of
        the relatives.
    """

    recorded: Mapping[str, Mapping[str, pd.DataFrame]]
    further: pd.DataFrame | None = None
    tuning: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    f1: str = "f1"
    printed: pd.DataFrame = field(default_factory=published.all_values)
    crossed: pd.DataFrame | None = None

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


#: From the evidence to a finding.
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
    part : {"preprint, results", "TAI paper, results", "method", "relatives"}
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
    """Give the verdict of the common scale, from 90 % and from 50 % on.

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
