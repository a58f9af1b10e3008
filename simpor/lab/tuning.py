"""What a choice on the test rows is worth. ``python -m simpor.lab.tuning`` records it.

Every method of :data:`CHOICES` has ten values of one parameter, the paper's value among them. Each
value is scored twice on each split, by macro-F1: on the test rows, and inside the training part, on
a quarter of it that is held out. :func:`ways` then says which score a method gets if its value is
the paper's, if it is chosen inside the training part, and if it is chosen on the very test rows
that score it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from imblearn import FunctionSampler
from imblearn.over_sampling import ADASYN, SMOTE, BorderlineSMOTE
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.svm import SVC

from simpor import PUBLISHED_TAI, SIMPOR
from simpor.lab.datasets import load
from simpor.lab.gdo import GDO
from simpor.lab.methods import Method
from simpor.lab.protocol import PROTOCOLS, run

#: The five sets of the TAI paper's Figures 6 and 7.
SETS = ("glass0", "ecoli1", "new-thyroid1", "abalone9-18", "yeast4")

RESULTS = Path("book/results/tuning")

#: Splits of a protocol that are used.
FOLDS = 5


@dataclass(frozen=True)
class Choice:
    """One method and the values of one of its parameters.

    Attributes
    ----------
    method : str
    parameter : str
        In words. "threshold" is that of the network on raw data.
    paper : float
        The value in the TAI paper, or the library's where the paper has none.
    values : tuple of float
    make : callable
        From a value and a random state to a fresh sampler or classifier.
    kind : {"sampler", "classifier"}
    """

    method: str
    parameter: str
    paper: float
    values: tuple
    make: Callable
    kind: str = "sampler"


_PORTIONS = tuple(k / 10 for k in range(1, 11))
_NEIGHBORS = tuple(range(1, 11))

#: Ten values for every method, and for SIMPOR also of alpha, on which its radii depend. The last
#: has nothing to choose from but luck: SIMPOR as published, drawn with ten random states.
CHOICES = (
    Choice("raw", "threshold", 0.5, (0.05, *_PORTIONS[:-1]), lambda value, seed: FunctionSampler()),
    Choice("smote", "k_neighbors", 5, _NEIGHBORS,
           lambda value, seed: SMOTE(k_neighbors=value, random_state=seed)),
    Choice("borderline-smote", "k_neighbors", 5, _NEIGHBORS,
           lambda value, seed: BorderlineSMOTE(k_neighbors=value, random_state=seed)),
    Choice("adasyn", "n_neighbors", 5, _NEIGHBORS,
           lambda value, seed: ADASYN(n_neighbors=value, random_state=seed)),
    Choice("gdo", "k_neighbors", 5, _NEIGHBORS,
           lambda value, seed: GDO(k_neighbors=value, random_state=seed)),
    Choice("svmcs", "C", 1, tuple(2.0**k for k in range(-4, 6)),
           lambda value, seed: SVC(C=value, class_weight="balanced", random_state=seed),
           kind="classifier"),
    Choice("simpor-published", "informative portion", 0.3, _PORTIONS,
           lambda value, seed: SIMPOR(**{**PUBLISHED_TAI, "informative_portion": value},
                                      random_state=seed)),
    Choice("simpor-published, alpha", "alpha", 1, _PORTIONS,
           lambda value, seed: SIMPOR(**{**PUBLISHED_TAI, "alpha": value}, random_state=seed)),
    Choice("simpor-published, ten draws", "draw", 0, tuple(range(10)),
           lambda value, seed: SIMPOR(**PUBLISHED_TAI,
                                      random_state=None if seed is None else seed + value)),
)


def candidates(data, protocol, *, folds=range(FOLDS), choices=CHOICES, n_jobs=-1, verbose=0):
    """Score every value of every method, on the test rows and inside the training part.

    Parameters
    ----------
    data : simpor.lab.datasets.Dataset
    protocol : simpor.lab.protocol.Protocol
        Its splits and its network; its threshold tuning is not used.
    folds : sequence of int
        Numbers of the splits.
    choices : sequence of Choice
    n_jobs, verbose : int
        As in :func:`simpor.lab.protocol.run`.

    Returns
    -------
    rows : DataFrame
        Columns fold, method, value, test, inside: macro-F1, NaN where a value failed, for instance
        because the minority has too few rows for so many neighbours.
    """
    protocol = replace(protocol, tune_all=False)
    splits = list(protocol.splits(0).split(data.X, data.y))
    scored = [_scores(data, protocol, choices, folds, 0, n_jobs, verbose).rename("test")]
    quarter = replace(protocol, splits=lambda seed: StratifiedShuffleSplit(
        n_splits=1, test_size=0.25, random_state=seed))
    inside = {}
    for fold in folds:
        train, _ = splits[fold]
        part = replace(data, X=data.X[train], y=data.y[train])
        scores = _scores(part, quarter, choices, [0], fold, n_jobs, verbose)
        inside[fold] = scores.droplevel("fold")
    scored.append(pd.concat(inside, names=["fold"]).rename("inside"))
    return pd.concat(scored, axis=1).reset_index()


def _scores(data, protocol, choices, folds, random_state, n_jobs, verbose):
    """Macro-F1 of every value on every split, indexed by fold, method and value."""
    # A threshold needs no network of its own: raw data are trained on once.
    name_of = {
        (choice.method, value):
            choice.method + ("" if choice.parameter == "threshold" else f" {value:g}")
        for choice in choices for value in choice.values
    }
    methods = {
        name_of[choice.method, value]: Method(
            name_of[choice.method, value], choice.method, "", choice.kind,
            partial(choice.make, value))
        for choice in choices for value in choice.values
    }
    _, predictions = run(data, protocol, list(methods.values()), folds=folds,
                         random_state=random_state, n_jobs=n_jobs, verbose=verbose)
    parts = dict(list(predictions.groupby(["fold", "method"])))
    scores = {}
    for fold in folds:
        for choice in choices:
            for value in choice.values:
                part = parts.get((fold, name_of[choice.method, value]))
                threshold = value if choice.parameter == "threshold" else 0.5
                scores[fold, choice.method, value] = np.nan if part is None else f1_score(
                    part["y"], part["probability"] >= threshold, average="macro")
    scores = pd.Series(scores)
    return scores.rename_axis(["fold", "method", "value"])


def ways(rows, choices=CHOICES):
    """Give the test score of each method on each split under four ways to arrive at a value.

    Parameters
    ----------
    rows : DataFrame
        Of one data set under one protocol, see :func:`candidates`.
    choices : sequence of Choice

    Returns
    -------
    table : DataFrame
        Index fold, method. Columns: ``paper``, the paper's value; ``inside``, the value that is
        best inside the training part of the split; ``test, one value``, the one value that has the
        best mean over the test parts of all splits; ``test, each split``, the best value on the
        test part of each split. Of equals, the value nearest to the paper's. A value that fails
        leaves the data as they are, so it gets the score that raw data have there with the
        threshold of 0.5; without such rows, it is not chosen.

    Examples
    --------
    >>> import pandas as pd
    >>> from simpor.lab.tuning import ways
    >>> rows = pd.DataFrame({"fold": 0, "method": "smote", "value": [4, 5, 6],
    ...                      "test": [0.9, 0.7, 0.8], "inside": [0.5, 0.6, 0.7]})
    >>> ways(rows).loc[(0, "smote")].to_dict()
    {'paper': 0.7, 'inside': 0.8, 'test, one value': 0.9, 'test, each split': 0.9}
    """
    paper = {choice.method: choice.paper for choice in choices}
    raw = rows[(rows["method"] == "raw") & (rows["value"] == 0.5)].set_index("fold")
    parts = []
    for method, scores in rows.groupby("method", sort=False):
        test, inside = (
            scores.pivot(index="fold", columns="value", values=part)
            .apply(lambda column: column.fillna(raw[part])).dropna(axis="columns")
            for part in ("test", "inside"))
        nearest_first = sorted(test.columns.intersection(inside.columns),
                               key=lambda value: abs(value - paper[method]))
        test, inside = test[nearest_first], inside[nearest_first]
        chosen = inside.idxmax(axis=1)
        parts.append(pd.DataFrame({
            "paper": test.get(paper[method], np.nan),
            "inside": [test.loc[fold, chosen[fold]] for fold in test.index],
            "test, one value": test[test.mean().idxmax()],
            "test, each split": test.max(axis=1),
        }).assign(method=method).set_index("method", append=True))
    return pd.concat(parts)


def read(dataset, protocol, results=RESULTS):
    """Recorded rows of :func:`candidates`.

    Parameters
    ----------
    dataset : str
    protocol : {"published", "sound"}
    results : path-like

    Returns
    -------
    DataFrame

    Raises
    ------
    FileNotFoundError
        If nothing is recorded; the message names the command that records it.
    """
    path = _path(results, protocol, dataset)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not recorded: run python -m simpor.lab.tuning.")
    return pd.read_csv(path, comment="#")


def _path(results, protocol, dataset):
    return Path(results) / protocol / f"{dataset}.csv"


def main(results=RESULTS, sets=SETS):
    """Record all sets under both protocols; what is recorded is not run again."""
    for name, protocol in PROTOCOLS.items():
        for dataset in sets:
            path = _path(results, name, dataset)
            if path.is_file():
                continue
            rows = candidates(load(dataset), protocol, verbose=1)
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_suffix(".part")
            header = "# Made by python -m simpor.lab.tuning\n"
            unfinished.write_text(header + rows.to_csv(index=False, float_format="%.6g"))
            unfinished.replace(path)
            print(path)


if __name__ == "__main__":
    main()
