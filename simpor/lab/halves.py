"""A recommended setting of SIMPOR that no family has chosen for itself: ``python -m simpor.lab.halves``.

The rule, written down on 26 November 2026 before any setting of the grid was scored:

1. The 14 families of the 41 data sets stand in alphabetical order. The first, third, fifth, ... are
   one half, the others the other half: ``book/results/halves.csv``.
2. For each learner, each half chooses the setting of :data:`simpor.lab.learners.GRID` with the
   highest mean, over its families, of macro-F1 at threshold 0.5. Of equals the first in the order of
   the grid is chosen. The setting is judged on the other half. So each family is judged once, by a
   setting that it did not choose.
3. On the 14 family means SIMPOR stands against four rivals before the same learner: raw rows with a
   threshold tuned on out-of-fold predictions (the rival that counts), raw rows, random oversampling
   and SMOTE at 0.5. Wilcoxon's signed-rank tests on macro-F1, two-sided, adjusted by Holm for the
   four.
4. SIMPOR is *ahead* of a rival if the adjusted p is below 0.05 with a positive shift, and AUC is not
   worse by 0.01: the 95 % interval of its shift lies above -0.01. It is *behind* if p is below 0.05
   with a negative shift. Otherwise the two are *equivalent* if the 95 % interval of the shift of
   macro-F1 lies within 0.01 of zero, else *undecided*.
5. A setting is recommended if SIMPOR is ahead of the rival that counts. Else none is.

Shifts and their intervals are Hodges and Lehmann's, :func:`simpor.lab.statistics.hodges_lehmann`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from simpor.lab import records
from simpor.lab.datasets import FAMILIES, FORTY_ONE
from simpor.lab.learners import CROSSED, GRID, LEARNERS
from simpor.lab.statistics import family_means, hodges_lehmann, wilcoxon_holm
from simpor.lab.summary import Cell, complete, set_table
from simpor.lab.thresholds import read_scores

__all__ = [
    "BOUND",
    "CHOSEN",
    "RIVALS",
    "beside_rivals",
    "choices",
    "halves",
    "judge",
    "main",
    "on_other_half",
]

#: The rivals by the names that tables give them: method and threshold policy.
RIVALS = {
    "raw, tuned threshold": ("raw", "out-of-fold"),
    "raw": ("raw", "half"),
    "random oversampling": ("random-oversampling", "half"),
    "SMOTE": ("smote", "half"),
}

#: What the tables call SIMPOR with the setting that the other half chose.
CHOSEN = "SIMPOR"

#: Differences up to this are practically none.
BOUND = 0.01


def halves(families: Iterable[str] = tuple(FAMILIES.values())) -> dict[str, int]:
    """Split families in two halves by their alphabetical order.

    Parameters
    ----------
    families : iterable of str

    Returns
    -------
    dict of str to {0, 1}
        The half of each family, in alphabetical order.

    Examples
    --------
    >>> from simpor.lab.halves import halves
    >>> halves(["yeast", "abalone", "glass", "yeast"])
    {'abalone': 0, 'glass': 1, 'yeast': 0}
    """
    return {family: number % 2 for number, family in enumerate(sorted(set(families)))}


def choices(f1: pd.DataFrame) -> dict[int, str]:
    """Give the setting that each half chooses.

    Parameters
    ----------
    f1 : DataFrame of shape (families, settings)

    Returns
    -------
    dict of {0, 1} to str
        By the half that chose, so that it is judged on the other one.

    Examples
    --------
    >>> import pandas as pd
    >>> from simpor.lab.halves import choices
    >>> f1 = pd.DataFrame({"a": [0.9, 0.1, 0.9], "b": [0.8, 0.2, 0.8]}, index=["x", "y", "z"])
    >>> choices(f1)
    {0: 'a', 1: 'b'}
    """
    half_of = halves(f1.index)
    means = f1.groupby(half_of).mean()
    return {int(half): str(best) for half, best in means.idxmax(axis=1).items()}


def on_other_half(table: pd.DataFrame, chosen: dict[int, str]) -> pd.Series:
    """Give each family's score with the setting that the other half chose.

    Parameters
    ----------
    table : DataFrame of shape (families, settings)
        Of any metric.
    chosen : dict of {0, 1} to str
        From :func:`choices`.

    Returns
    -------
    Series of shape (families,)
    """
    half_of = halves(table.index)
    return pd.Series(
        {family: table.loc[family, chosen[1 - half_of[family]]] for family in table.index}
    )


def beside_rivals(table: pd.DataFrame, chosen: dict[int, str]) -> pd.DataFrame:
    """Put SIMPOR, with the settings that the other halves chose, before its rivals.

    Parameters
    ----------
    table : DataFrame of shape (families, settings and rivals)
        Of any metric.
    chosen : dict of {0, 1} to str
        From :func:`choices`.

    Returns
    -------
    DataFrame of shape (families, 1 + rivals)
    """
    judged = on_other_half(table[list(GRID)], chosen).rename(CHOSEN)
    return pd.concat([judged, table[list(RIVALS)]], axis=1)


def judge(f1: pd.DataFrame, auc: pd.DataFrame) -> pd.DataFrame:
    """Compare SIMPOR with its rivals by the rule of this module.

    Parameters
    ----------
    f1, auc : DataFrame of shape (families, methods)
        One column is :data:`CHOSEN`, the others are rivals.

    Returns
    -------
    DataFrame
        Index: the rivals. Columns: shift, low, high (of macro-F1), p, p_holm, auc_shift, auc_low and
        verdict, which is "ahead", "behind", "equivalent" or "undecided".
    """
    tests = wilcoxon_holm(f1, CHOSEN)
    table = hodges_lehmann(f1, CHOSEN).join(tests[["p", "p_holm"]])
    of_auc = hodges_lehmann(auc, CHOSEN)
    table["auc_shift"], table["auc_low"] = of_auc["shift"], of_auc["low"]
    differs = table["p_holm"] < 0.05
    ahead = differs & (table["shift"] > 0) & (table["auc_low"] > -BOUND)
    behind = differs & (table["shift"] < 0)
    equivalent = (table["low"] > -BOUND) & (table["high"] < BOUND)
    table["verdict"] = np.select(
        [ahead, behind, equivalent], ["ahead", "behind", "equivalent"], "undecided"
    )
    return table


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line.

    Parameters
    ----------
    arguments : sequence of str, default=None
        What follows the command; None takes that of this process.
    """
    parser = argparse.ArgumentParser(
        prog="python -m simpor.lab.halves",
        description="Choose a setting of SIMPOR on one half of the families, judge it on the other.",
    )
    parser.add_argument("--learner", choices=list(LEARNERS), default="logistic")
    parser.add_argument("--results", type=Path, default=records.RESULTS, metavar="FOLDER")
    parser.add_argument("--jobs", type=int, default=-1, metavar="N")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the family means to a file")
    given = parser.parse_args(arguments)
    methods = [*dict.fromkeys(method for method, _ in RIVALS.values()), *GRID]
    recorded = {method for _, method in complete([given.learner], methods, results=given.results)}
    missing = [method for method in methods if method not in recorded]
    if missing:
        parser.error(
            f"{', '.join(missing)}: record them first with python -m simpor.lab.study "
            f"--protocol sound --learner {given.learner} --datasets forty-one --methods ..."
        )
    scores = read_scores(
        FORTY_ONE, [given.learner], methods, results=given.results, n_jobs=given.jobs
    )
    tables = {metric: _family_tables(scores, given.learner, metric) for metric in ("f1", "auc")}
    if given.csv:
        table = pd.concat(tables, names=["metric", "family"])
        table.to_csv(given.csv, float_format="%.6f", lineterminator="\n")
    _report(tables["f1"], tables["auc"])


def _report(f1: pd.DataFrame, auc: pd.DataFrame) -> None:
    """Print what each half chose, how all settings did, and the verdicts."""
    chosen = choices(f1[list(GRID)])
    half_of = halves(f1.index)
    for half, name in chosen.items():
        others = [family for family in f1.index if half_of[family] != half]
        of_other = f1.loc[others]
        rank = int(of_other[list(GRID)].mean().rank(ascending=False)[name])
        print(
            f"half {half} chose {CROSSED[name].label}; on the other half: macro-F1 "
            f"{of_other[name].mean():.4f}, rank {rank} of {len(GRID)}, raw "
            f"{of_other['raw'].mean():.4f}, raw with tuned threshold "
            f"{of_other['raw, tuned threshold'].mean():.4f}"
        )
    tables = [beside_rivals(table, chosen) for table in (f1, auc)]
    verdicts = judge(*tables)
    print(pd.concat({"macro-F1": tables[0].mean(), "AUC": tables[1].mean()}, axis=1).round(4))
    print(verdicts.round(4).to_string())
    is_ahead = verdicts.loc["raw, tuned threshold", "verdict"] == "ahead"
    print("A setting is recommended." if is_ahead else "No setting is recommended.")


def _family_tables(scores: pd.DataFrame, learner: str, metric: str) -> pd.DataFrame:
    """Family means of the grid and of the rivals, under their names."""
    cells = {name: Cell(learner, name, "half") for name in GRID}
    cells |= {name: Cell(learner, *rival) for name, rival in RIVALS.items()}
    table = set_table(scores, metric, list(cells.values()))
    return family_means(table).set_axis(list(cells), axis=1)


if __name__ == "__main__":
    main()
