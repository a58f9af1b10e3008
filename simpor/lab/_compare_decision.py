"""From predictions to scores, from scores to differences with intervals, and from these to advice.

The rule, in full:

1. The score is macro-F1 of the decisions; with costs, it is what 1,000 rows cost.
2. For each learner, doing nothing is kept, unless moving the threshold is better than nothing.
3. A method that resamples or weights takes its place only if it is better than nothing *and* better
   than every method that only moves the threshold. Of several such methods, the best mean wins.
4. Of the learners, the one whose kept method has the best mean is recommended.

"Better" means that the interval of the paired difference leaves out zero. The intervals are those of
the corrected resampled t test, widened by Bonferroni for the number of methods beside nothing, so
that all of a learner's methods hold together with 95 %. A method that has to win twice counts once:
it is advised in error only if both comparisons err.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
)

from simpor.lab._compare_folds import Costs, Outcome, Split
from simpor.lab._compare_models import METHODS, THRESHOLDS, shift_share
from simpor.lab.intervals import half_width, paired_differences
from simpor.lab.learners import LEARNERS

LEVEL = 0.95


@dataclass(frozen=True)
class Score:
    """What the methods are judged by."""

    name: str
    label: str
    sign: int  # 1 where higher is better, -1 for a cost


MACRO_F1 = Score("f1", "macro-F1", 1)
COST = Score("cost", "cost of 1,000 rows", -1)


@dataclass(frozen=True)
class Decision:
    """What is recommended, and the numbers behind it.

    Attributes
    ----------
    learner, method : str
    score : Score
    table : DataFrame
        One line for each learner and method: the score with its interval, the difference to
        nothing with its interval, and the means of the other metrics.
    against_rival : DataFrame
        For the learner: differences of the methods that resample or weight to the rival, the best
        of the methods that only move the threshold.
    rival : str
    sentences : tuple of str
        What to do, how sure that is, and what would change it.
    """

    learner: str
    method: str
    score: Score
    table: pd.DataFrame
    against_rival: pd.DataFrame
    rival: str
    sentences: tuple[str, str, str]


def scores_of(
    outcomes: Sequence[Outcome], y: np.ndarray, splits: Sequence[Split], costs: Costs | None
) -> pd.DataFrame:
    """Long rows: one for each learner, method, split and metric.

    A method that failed on a split has one row, with the reason in ``failure`` and no value.
    """
    rows = []
    for outcome in outcomes:
        train, test = splits[outcome.fold]
        about = {
            "learner": outcome.learner,
            "method": outcome.method,
            "fold": outcome.fold,
            "seed": 0,
            "seconds": round(outcome.seconds, 4),
            "failure": outcome.failure,
        }
        if outcome.failure:
            rows.append(about | {"metric": "", "value": np.nan})
            continue
        metrics = _metrics(outcome, y[test], float(y[train].mean()), costs)
        rows += [about | {"metric": name, "value": value} for name, value in metrics.items()]
    columns = ["learner", "method", "fold", "seed", "metric", "value", "seconds", "failure"]
    return pd.DataFrame(rows)[columns]


def _metrics(
    outcome: Outcome, y: np.ndarray, prior: float, costs: Costs | None
) -> dict[str, float]:
    """Scores of one split."""
    probability = outcome.probability
    predicted = probability >= outcome.threshold
    corrected = shift_share(probability, outcome.share, prior)
    metrics = {
        "f1": f1_score(y, predicted, average="macro"),
        "precision": precision_score(y, predicted, zero_division=0),
        "recall": recall_score(y, predicted),
        "average_precision": average_precision_score(y, probability),
        "auc": roc_auc_score(y, probability),
        "brier": brier_score_loss(y, probability),
        "brier_corrected": brier_score_loss(y, corrected),
        "mean_probability": probability.mean(),
        "mean_probability_corrected": corrected.mean(),
        "threshold": outcome.threshold,
    }
    if costs is not None:
        metrics = {"cost": costs.per_thousand(y, predicted)} | metrics
    return {name: float(value) for name, value in metrics.items()}


def decide(scores: pd.DataFrame, splits: Sequence[Split], costs: Costs | None) -> Decision:
    """Apply the rule that this module begins with.

    Raises
    ------
    ValueError
        If the learners failed on the table as it is.
    """
    score = MACRO_F1 if costs is None else COST
    n_folds = len(splits)
    ratio = float(np.mean([len(test) / len(train) for train, test in splits]))
    whole = _on_all_folds(scores, score, n_folds)
    table = pd.concat(
        [
            _learner_table(scores, learner, whole, score, ratio)
            for learner in scores["learner"].unique()
        ],
        ignore_index=True,
    )
    if table.empty:
        reasons = "; ".join(scores.loc[scores["failure"] != "", "failure"].unique()[:3])
        raise ValueError(f"No learner could be trained on this table: {reasons}")
    kept = {
        learner: _climb(whole[whole["learner"] == learner], own.set_index("method"), score, ratio)
        for learner, own in table.groupby("learner")
    }
    means = table.set_index(["learner", "method"])["score"]
    learner = max(kept, key=lambda name: score.sign * means[name, kept[name][0]])
    method, rival, against_rival = kept[learner]
    others = {name: means[name, kept[name][0]] for name in kept if name != learner}
    own = table[table["learner"] == learner].set_index("method")
    words = _Sentences(learner, method, rival, own, against_rival, others, score, n_folds, costs)
    return Decision(learner, method, score, table, against_rival, rival, words.all())


def _on_all_folds(scores: pd.DataFrame, score: Score, n_folds: int) -> pd.DataFrame:
    """The score of methods that failed nowhere: means over other folds could not be compared."""
    rows = scores[scores["metric"] == score.name]
    counts = rows.groupby(["learner", "method"])["fold"].transform("nunique")
    return rows[counts == n_folds]


def _differences(
    rows: pd.DataFrame, baseline: str, score: Score, ratio: float, n_comparisons: int
) -> pd.DataFrame:
    """Paired differences to a baseline, with simultaneous intervals; positive is better."""
    level = 1 - (1 - LEVEL) / max(n_comparisons, 1)
    gains = rows.assign(value=score.sign * rows["value"])
    share = ratio / (1 + ratio)
    table = paired_differences(gains, baseline, score.name, test_share=share, level=level)
    names = {"difference": "gain", "low": "gain_low", "high": "gain_high"}
    return table.rename(columns=names).reindex(columns=list(names.values()))


def _learner_table(
    scores: pd.DataFrame, learner: str, whole: pd.DataFrame, score: Score, ratio: float
) -> pd.DataFrame:
    rows = whole[whole["learner"] == learner]
    if "nothing" not in set(rows["method"]):
        return pd.DataFrame()
    gains = _differences(rows, "nothing", score, ratio, rows["method"].nunique() - 1)
    own = scores[scores["learner"] == learner]
    lines = []
    for method in [name for name in METHODS if name in set(rows["method"])]:
        values = rows.loc[rows["method"] == method, "value"]
        half = float(half_width(values.std(ddof=1), len(values), ratio, level=LEVEL))
        low, high = values.mean() - half, values.mean() + half
        line = {
            "learner": learner,
            "method": method,
            "score": values.mean(),
            "low": max(low, 0.0),  # neither F1 nor a cost is negative
            "high": min(high, 1.0) if score is MACRO_F1 else high,
        }
        line |= gains.reindex([method]).astype(float).iloc[0]
        of_method = own[own["method"] == method]
        means = of_method.groupby("metric")["value"].mean()
        line |= means.drop(score.name).to_dict()
        line["seconds"] = of_method.groupby("fold")["seconds"].first().median()
        lines.append(line)
    return pd.DataFrame(lines)


def _climb(
    rows: pd.DataFrame, own: pd.DataFrame, score: Score, ratio: float
) -> tuple[str, str, pd.DataFrame]:
    """Steps 2 and 3 of the rule: what is kept, the rival, and the differences to it."""
    n_comparisons = rows["method"].nunique() - 1
    mean = score.sign * own["score"]
    thresholds = [name for name in THRESHOLDS if name in own.index]
    others = [name for name in own.index if name not in ("nothing", *THRESHOLDS)]
    rival = mean[thresholds].idxmax() if thresholds else "nothing"
    better_thresholds = [name for name in thresholds if own.loc[name, "gain_low"] > 0]
    kept = mean[better_thresholds].idxmax() if better_thresholds else "nothing"

    better = {name for name in others if own.loc[name, "gain_low"] > 0}
    for threshold in thresholds:
        gains = _differences(rows, threshold, score, ratio, n_comparisons)
        better &= set(gains.index[gains["gain_low"] > 0])
    if better:
        kept = mean[list(better)].idxmax()
    against_rival = _differences(rows, rival, score, ratio, n_comparisons)
    return kept, rival, against_rival.loc[others]


@dataclass
class _Sentences:
    """The three sentences, from the numbers."""

    learner: str
    kept: str
    rival: str
    own: pd.DataFrame
    against_rival: pd.DataFrame
    other_learners: dict[str, float]
    score: Score
    n_folds: int
    costs: Costs | None

    def all(self) -> tuple[str, str, str]:
        return self.what_to_do(), self.how_sure(), self.what_would_change_it()

    def what_to_do(self) -> str:
        learner = LEARNERS[self.learner].label
        if self.kept == "nothing":
            return (
                f"Do nothing about the imbalance: train {learner} on the table as it is and "
                "decide at a probability of 0.5."
            )
        if self.kept in THRESHOLDS:
            chosen = (
                "follows from the costs"
                if self.kept == "threshold-by-costs"
                else "out-of-fold predictions choose"
            )
            threshold = self.own.loc[self.kept, "threshold"]
            return (
                f"Move the threshold and do not resample: train {learner} on the table as it is, and "
                f"decide at the probability that {chosen}, here about {threshold:.2g}."
            )
        return f"Use {METHODS[self.kept].label} with {learner}."

    def how_sure(self) -> str:
        line = self.own.loc[self.kept]
        text = (
            f"Its {self.score.label} is {number(line.score)} over {self.n_folds} test parts (95 % "
            f"interval {number(line.low)} to {number(line.high)})"
        )
        if self.kept == "nothing":
            text += "; " + self._nothing_is_better()
        else:
            text += f", {self._worth(line)} than with nothing done"
            if self.kept in THRESHOLDS:
                text += self._closest(
                    self.against_rival, "; no weights or synthetic rows were", "it"
                )
            elif self.rival != "nothing":
                text += f" and {self._worth(self.against_rival.loc[self.kept])} than with the moved"
                text += " threshold"
        return text + self._learners() + "."

    def _nothing_is_better(self) -> str:
        """Why doing nothing is kept: nothing beats it, or only what no threshold falls behind."""
        others = self.own.drop(index="nothing")
        better = others[others["gain_low"] > 0]
        if better.empty:
            return self._closest(others, "no other method was", "nothing") or "it stands alone"
        best = better.loc[better["gain"].idxmax()]
        label, rival = METHODS[str(best.name)].label, self.own.loc[self.rival]
        return (
            f"{label} is {self._worth(best)} than nothing but was not shown to be better than a moved "
            f"threshold, which is {self._worth(rival)} than nothing and so not sure to be better itself"
        )

    def _closest(self, others: pd.DataFrame, no_others: str, than: str) -> str:
        """That none of these was shown to be better, and which came closest."""
        if others.empty:
            return ""
        best = others.loc[others["gain"].idxmax()]
        label = METHODS[str(best.name)].label
        return f"{no_others} shown to be better, the closest being {label}: {self._worth(best)} than {than}"

    def _worth(self, line: pd.Series) -> str:
        """A gain in words: "0.021 better (0.004 to 0.038)"."""
        is_gain = line.gain >= 0
        ends = sorted(
            [line.gain_low, line.gain_high] if is_gain else [-line.gain_high, -line.gain_low]
        )
        words = ("better", "worse") if self.score.sign > 0 else ("cheaper", "dearer")
        word = words[0] if is_gain else words[1]
        return f"{number(abs(line.gain))} {word} ({number(ends[0])} to {number(ends[1])})"

    def _learners(self) -> str:
        """A word on the other learners, each with what the rule keeps for it."""
        return "".join(
            f"; with {LEARNERS[learner].label} it would be {number(mean)}"
            for learner, mean in self.other_learners.items()
        )

    def smallest_difference(self) -> tuple[float, str]:
        """Half the width of the interval that decided, and between what it lies."""
        if self.kept == "nothing" or self.rival == "nothing" or self.against_rival.empty:
            gains = self.own.drop(index="nothing")
            name = gains["gain"].idxmax()
            low, high = gains.loc[name, ["gain_low", "gain_high"]]
            other = "nothing"
        else:
            name = self.against_rival["gain"].idxmax()
            low, high = self.against_rival.loc[name, ["gain_low", "gain_high"]]
            other = "the moved threshold"
        return float(high - low) / 2, f"{METHODS[name].label} and {other}"

    def what_would_change_it(self) -> str:
        if len(self.own) < 2:
            return "Nothing was compared with it, so nothing can be said about other methods."
        half, between = self.smallest_difference()
        if half == 0:
            return (
                f"On every test part {between} score the same, so other rows would have to decide."
            )
        text = (
            f"The smallest difference that these folds could have shown between {between} is "
            f"{number(half)}: a smaller gain may be there, and about four times as many rows of the "
            "rarer class would halve it"
        )
        if self.costs is None:
            return (
                text
                + "; if a miss and a false alarm have known costs, give them, for macro-F1 knows none."
            )
        return text + (
            f"; the advice holds for a miss that costs {self.costs.miss / self.costs.alarm:g} times a "
            "false alarm."
        )


def number(value: float) -> str:
    """Three digits after the point, fewer from 10 on; one significant digit for what would be 0.000."""
    if abs(value) >= 10:
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}"
    return f"{value:.3f}" if abs(value) >= 0.0005 or value == 0 else f"{value:.1g}"
