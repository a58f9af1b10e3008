"""One table of the study {learner x method x threshold policy}: ``python -m simpor.lab.summary``.

The scores of a data set are means over its splits. Where a method failed on a split, the raw rows
take its place, before the same learner and at the same policy: a sampler that fails leaves one with
the data as they are. (Before a classifier of its own, the learner is the logistic regression.) The
data sets are not independent, so that intervals are over the means of their 14 families.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from simpor.lab import crossed, records
from simpor.lab.datasets import FAMILIES, FORTY_ONE
from simpor.lab.intervals import half_width
from simpor.lab.learners import CROSSED, GRID, LEARNERS, OWN
from simpor.lab.statistics import family_means
from simpor.lab.thresholds import ANY, POLICIES, read_scores

__all__ = ["METRICS", "Cell", "complete", "main", "set_table", "summary"]

#: The metrics of the table.
METRICS = ("f1", "auc", "balanced_accuracy", "brier")


class Cell(NamedTuple):
    """One line of the table.

    Attributes
    ----------
    learner, method, policy : str
    """

    learner: str
    method: str
    policy: str


def complete(
    learners: Iterable[str] = (*LEARNERS, OWN),
    methods: Iterable[str] = tuple(CROSSED),
    *,
    datasets: Sequence[str] = FORTY_ONE,
    results: str | Path = records.RESULTS,
) -> list[tuple[str, str]]:
    """Give the pairs of learner and method that are recorded for all data sets.

    Parameters
    ----------
    learners, methods : iterable of str
    datasets : sequence of str, default=simpor.lab.datasets.FORTY_ONE
    results : path-like

    Returns
    -------
    list of (str, str)
    """
    methods = list(methods)
    return [
        (learner, method)
        for learner in learners
        for method in methods
        if all(crossed.path_of(name, learner, method, results).is_file() for name in datasets)
    ]


def set_table(scores: pd.DataFrame, metric: str, cells: Sequence[Cell]) -> pd.DataFrame:
    """Average scores to one number for each data set and cell.

    Parameters
    ----------
    scores : DataFrame
        From :func:`simpor.lab.thresholds.read_scores`, with the raw rows of every learner.
    metric : str
    cells : sequence of Cell

    Returns
    -------
    DataFrame of shape (data sets, cells)
        A cell without any score is left out: a policy that needs predictions which its records do
        not have, or a score of probabilities of a classifier that has none.

    Examples
    --------
    >>> import pandas as pd
    >>> from simpor.lab.summary import Cell, set_table
    >>> scores = pd.DataFrame({"dataset": "pima", "learner": "logistic", "policy": "half",
    ...                        "metric": "f1", "method": ["raw", "smote", "raw"],
    ...                        "fold": [0, 0, 1], "value": [0.5, 0.6, 0.7]})
    >>> cells = [Cell("logistic", "raw", "half"), Cell("logistic", "smote", "half")]
    >>> set_table(scores, "f1", cells).loc["pima"].round(2).tolist()
    [0.6, 0.65]
    """
    scores = scores[scores["metric"] == metric].dropna(subset=["value"])
    by_fold = scores.set_index(["dataset", "fold"])["value"].groupby(
        [scores[name].to_numpy() for name in Cell._fields]
    )
    folds = {Cell(*key): values for key, values in by_fold}
    any_policy = (scores["policy"] == ANY).all()
    table = {}
    for cell in cells:
        policy = ANY if any_policy else cell.policy
        values = folds.get(cell._replace(policy=policy))
        if values is None:
            continue
        learner = "logistic" if cell.learner == OWN else cell.learner
        stand_in = folds.get(Cell(learner, "raw", policy))
        if stand_in is not None:
            values = values.combine_first(stand_in)
        table[cell] = values.groupby(level="dataset").mean()
    order = pd.unique(scores["dataset"])
    columns = pd.MultiIndex.from_tuples(list(table), names=Cell._fields)
    return pd.DataFrame(dict(enumerate(table.values())), index=order).set_axis(columns, axis=1)


def summary(
    scores: pd.DataFrame, cells: Sequence[Cell], *, metrics: Sequence[str] = METRICS
) -> pd.DataFrame:
    """Give means over the families, and differences to the raw rows at 0.5, with intervals.

    Parameters
    ----------
    scores : DataFrame
        As in :func:`set_table`.
    cells : sequence of Cell
    metrics : sequence of str, default=METRICS

    Returns
    -------
    DataFrame
        Index: learner, method, policy. Columns: metric, and below it "mean", "half" (half the width
        of the 95 % interval of the mean over families), "difference" and "half of difference": the
        same for the difference to the raw rows before the same learner at 0.5, before the logistic
        regression for a classifier of its own. NaN where there is no such score.
    """
    tables = {}
    for metric in metrics:
        references = [
            Cell("logistic" if c.learner == OWN else c.learner, "raw", "half") for c in cells
        ]
        wanted = list(dict.fromkeys([*cells, *references]))
        means = family_means(set_table(scores, metric, wanted), FAMILIES)
        lines = {}
        for cell, reference in zip(cells, references, strict=True):
            if cell in means.columns:
                mean = means[cell]
                difference = mean - means[reference]
                n = len(means)
                lines[cell] = {
                    "mean": mean.mean(),
                    "half": float(half_width(mean.std(ddof=1), n, 0)),
                    "difference": difference.mean(),
                    "half of difference": float(half_width(difference.std(ddof=1), n, 0)),
                }
        tables[metric] = pd.DataFrame.from_dict(lines, orient="index").reindex(list(cells))
    table = pd.concat(tables, axis=1)
    table.index = pd.MultiIndex.from_tuples(cells, names=Cell._fields)
    return table


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line.

    Parameters
    ----------
    arguments : sequence of str, default=None
        What follows the command; None takes that of this process.
    """
    parser = argparse.ArgumentParser(
        prog="python -m simpor.lab.summary",
        description="Print the means of all learners, methods and threshold policies that are "
        "recorded for all data sets, and their differences to raw data at 0.5, over 14 families.",
    )
    parser.add_argument("--learner", nargs="+", choices=[*LEARNERS, OWN], default=[*LEARNERS, OWN])
    parser.add_argument("--metrics", nargs="+", default=list(METRICS), metavar="METRIC")
    parser.add_argument("--results", type=Path, default=records.RESULTS, metavar="FOLDER")
    parser.add_argument("--jobs", type=int, default=-1, metavar="N")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the numbers to a file too")
    given = parser.parse_args(arguments)
    names = [name for name in CROSSED if name not in GRID]
    pairs = complete(given.learner, names, datasets=FORTY_ONE, results=given.results)
    if not pairs:
        parser.error("nothing is recorded for all 41 sets: see python -m simpor.lab.study --help")
    # those of classifiers of their own are compared with the logistic regression on raw rows
    to_read = dict.fromkeys([*pairs, ("logistic", "raw")])
    scores = pd.concat(
        read_scores(FORTY_ONE, [learner], [method], results=given.results, n_jobs=given.jobs)
        for learner, method in to_read
    )
    scored = set(scores[list(Cell._fields)].itertuples(index=False, name=None))
    cells = [Cell(*pair, policy) for pair in pairs for policy in POLICIES]
    cells = [cell for cell in cells if cell in scored]  # some have nothing to tune a threshold on
    table = summary(scores, cells, metrics=given.metrics)
    if given.csv:
        table.to_csv(given.csv, float_format="%.5f", lineterminator="\n")
    print(_as_text(table).to_string())


def _as_text(table: pd.DataFrame) -> pd.DataFrame:
    """Numbers as "mean +/- half width" and, signed, "difference +/- half width"."""
    columns = {}
    for metric in table.columns.get_level_values(0).unique():
        numbers = table[metric]
        for name, half, form in [
            ("mean", "half", "{:.3f} +/- {:.3f}"),
            ("difference", "half of difference", "{:+.3f} +/- {:.3f}"),
        ]:
            columns[metric, name] = [
                "-" if pd.isna(value) else form.format(value, width)
                for value, width in zip(numbers[name], numbers[half], strict=True)
            ]
    return pd.DataFrame(columns, index=table.index)


if __name__ == "__main__":
    main()
