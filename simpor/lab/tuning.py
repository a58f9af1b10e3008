"""What a parameter changes, and what a choice of it on the test rows is worth.

Each value of a parameter is scored by macro-F1 on the test rows of each split. That alone shows how
sensitive SIMPOR is to its parameters, :data:`SENSITIVITY`.

Every method of :data:`CHOICES` has ten values of one parameter, the paper's value among them, and
they are scored a second time inside the training part, on a quarter of it that is held out.
:func:`scores_by_selection` then gives the score that a method gets if its value is the paper's, if
it is chosen inside the training part, and if it is chosen on the very test rows that score it.

``python -m simpor.lab.tuning`` records both for the five :data:`SETS`, into
``RESULTS/PROTOCOL/SET.csv``: the choices under the sound protocol, the sensitivity under both. What
is recorded is not run again.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from imblearn import FunctionSampler
from imblearn.over_sampling import ADASYN, SMOTE, BorderlineSMOTE
from scipy.special import expit, logit
from sklearn.base import BaseEstimator
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.svm import SVC

from simpor import PUBLISHED_TAI, SIMPOR
from simpor._moved import moved
from simpor.lab import records
from simpor.lab._files import naming_damage
from simpor.lab.datasets import Dataset, check_name, load
from simpor.lab.intervals import half_width
from simpor.lab.methods import Method
from simpor.lab.protocol import PROTOCOLS, PUBLISHED, Protocol, run
from simpor.relatives import GDO

__getattr__ = moved(
    __name__,
    {
        "FURTHER": f"{__name__}:FIXED_IN_PAPERS",
        "curve": f"{__name__}:means_by_value",
        "ways": f"{__name__}:scores_by_selection",
    },
)

#: The five sets of the TAI paper's Figures 6 and 7.
SETS = ("glass0", "ecoli1", "new-thyroid1", "abalone9-18", "yeast4")

#: Those of the book, beside the rows of the other experiments.
RESULTS = records.RESULTS / "tuning"

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
        The value in the TAI paper, or the library's where the paper has none. NaN for the
        bandwidth: Scott's rule gives every training part its own.
    values : tuple of float
    make : callable
        From a value and a random state to a fresh sampler or classifier.
    kind : {"sampler", "classifier"}
    """

    method: str
    parameter: str
    paper: float
    values: tuple[float, ...]
    make: Callable[[Any, int | None], BaseEstimator]
    kind: str = "sampler"


_PORTIONS = tuple(k / 10 for k in range(1, 11))
_NEIGHBORS = tuple(range(1, 11))

_SIMPOR_CHOICES = (
    Choice(
        "simpor-published",
        "informative portion",
        0.3,
        _PORTIONS,
        lambda value, seed: SIMPOR(
            **{**PUBLISHED_TAI, "informative_portion": value}, random_state=seed
        ),
    ),
    Choice(
        "simpor-published, alpha",
        "alpha",
        1,
        _PORTIONS,
        lambda value, seed: SIMPOR(**{**PUBLISHED_TAI, "alpha": value}, random_state=seed),
    ),
    Choice(
        "simpor-published, ten draws",
        "draw",
        0,
        tuple(range(10)),
        lambda value, seed: SIMPOR(
            **PUBLISHED_TAI, random_state=None if seed is None else seed + value
        ),
    ),
)

#: Ten values for every method, and for SIMPOR also of alpha, on which its radii depend. The last
#: has nothing to choose from but luck: SIMPOR as published, drawn with ten random states.
CHOICES = (
    Choice("raw", "threshold", 0.5, (0.05, *_PORTIONS[:-1]), lambda value, seed: FunctionSampler()),
    Choice(
        "smote",
        "k_neighbors",
        5,
        _NEIGHBORS,
        lambda value, seed: SMOTE(k_neighbors=value, random_state=seed),
    ),
    Choice(
        "borderline-smote",
        "k_neighbors",
        5,
        _NEIGHBORS,
        lambda value, seed: BorderlineSMOTE(k_neighbors=value, random_state=seed),
    ),
    Choice(
        "adasyn",
        "n_neighbors",
        5,
        _NEIGHBORS,
        lambda value, seed: ADASYN(n_neighbors=value, random_state=seed),
    ),
    Choice(
        "gdo",
        "k_neighbors",
        5,
        _NEIGHBORS,
        lambda value, seed: GDO(k_neighbors=value, random_state=seed),
    ),
    Choice(
        "svmcs",
        "C",
        1,
        tuple(2.0**k for k in range(-4, 6)),
        lambda value, seed: SVC(C=value, class_weight="balanced", random_state=seed),
        kind="classifier",
    ),
    *_SIMPOR_CHOICES,
)

#: Two parameters that the papers fix and do not vary. The published rate turns a point by about a
#: degree, so that the density would hardly matter: here the ascent converges.
FIXED_IN_PAPERS = (
    Choice(
        "simpor-converged, bandwidth",
        "bandwidth",
        np.nan,
        (0.1, 0.2, 0.4, 0.8, 1.6, 3.2),
        lambda value, seed: SIMPOR(bandwidth=value, random_state=seed),
    ),
    Choice(
        "simpor-converged, k",
        "k",
        5,
        (1, 3, 5, 7, 10),
        lambda value, seed: SIMPOR(k_neighbors=value, random_state=seed),
    ),
)

#: The parameters of SIMPOR.
SENSITIVITY = (*_SIMPOR_CHOICES, *FIXED_IN_PAPERS)


def sensitivity(
    data: Dataset,
    protocol: Protocol,
    *,
    folds: Sequence[int] = range(FOLDS),
    choices: Sequence[Choice] = SENSITIVITY,
    n_jobs: int = -1,
    verbose: int = 0,
) -> pd.DataFrame:
    """Score every value of every method on the test rows.

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
    scores : DataFrame
        Columns fold, method, value, test: macro-F1, NaN where a value failed, for instance because
        the minority has too few rows for so many neighbours.
    """
    scores = _scores(data, protocol, choices, folds, 0, n_jobs, verbose)
    return scores.rename("test").reset_index()


def candidates(
    data: Dataset,
    protocol: Protocol,
    *,
    folds: Sequence[int] = range(FOLDS),
    choices: Sequence[Choice] = CHOICES,
    n_jobs: int = -1,
    verbose: int = 0,
) -> pd.DataFrame:
    """Score every value of every method, on the test rows and inside the training part.

    Parameters
    ----------
    data : simpor.lab.datasets.Dataset
    protocol : simpor.lab.protocol.Protocol
    folds : sequence of int
    choices : sequence of Choice
    n_jobs, verbose : int
        As in :func:`sensitivity`.

    Returns
    -------
    scores : DataFrame
        Those of :func:`sensitivity`, with one more column, inside.
    """
    test = _scores(data, protocol, choices, folds, 0, n_jobs, verbose)
    splits = list(protocol.splits(0).split(data.X, data.y))
    quarter = replace(
        protocol,
        splits=lambda seed: StratifiedShuffleSplit(n_splits=1, test_size=0.25, random_state=seed),
    )
    inside = {}
    for fold in folds:
        train, _ = splits[fold]
        part = replace(data, X=data.X[train], y=data.y[train])
        scores = _scores(part, quarter, choices, [0], fold, n_jobs, verbose)
        inside[fold] = scores.droplevel("fold")
    inside = pd.concat(inside, names=["fold"])
    return pd.concat({"test": test, "inside": inside}, axis=1).reset_index()


def _scores(
    data: Dataset,
    protocol: Protocol,
    choices: Sequence[Choice],
    folds: Sequence[int],
    random_state: int,
    n_jobs: int,
    verbose: int,
) -> pd.Series:
    """Macro-F1 of every value on every split, indexed by fold, method and value."""
    methods = {
        (choice.method, value): _method(choice, value)
        for choice in choices
        for value in choice.values
    }
    different = {method.name: method for method in methods.values()}
    _, predictions = run(
        data,
        replace(protocol, tune_all=False),
        list(different.values()),
        folds=folds,
        random_state=random_state,
        n_jobs=n_jobs,
        verbose=verbose,
    )
    parts = dict(list(predictions.groupby(["fold", "method"])))
    scores = {}
    for fold in folds:
        for choice in choices:
            for value in choice.values:
                part = parts.get((fold, methods[choice.method, value].name))
                threshold = value if choice.parameter == "threshold" else 0.5
                scores[fold, choice.method, value] = (
                    np.nan
                    if part is None
                    else f1_score(part["y"], part["probability"] >= threshold, average="macro")
                )
    return pd.Series(scores).rename_axis(["fold", "method", "value"])


def _method(choice: Choice, value: float) -> Method:
    """One value of a choice, as a method that the protocol can run."""
    # A threshold needs no network of its own: raw data are trained on once.
    name = choice.method if choice.parameter == "threshold" else f"{choice.method} {value:g}"
    return Method(name, choice.method, "", choice.kind, partial(choice.make, value))


def scores_by_selection(scores: pd.DataFrame, choices: Sequence[Choice] = CHOICES) -> pd.DataFrame:
    """Give the test score of each method on each split under four ways to arrive at a value.

    Parameters
    ----------
    scores : DataFrame
        Of one data set under one protocol, see :func:`candidates`.
    choices : sequence of Choice
        Scores of other methods are left out.

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
    >>> from simpor.lab.tuning import scores_by_selection
    >>> scores = pd.DataFrame({"fold": 0, "method": "smote", "value": [4, 5, 6],
    ...                        "test": [0.9, 0.7, 0.8], "inside": [0.5, 0.6, 0.7]})
    >>> scores_by_selection(scores).loc[(0, "smote")].to_dict()
    {'paper': 0.7, 'inside': 0.8, 'test, one value': 0.9, 'test, each split': 0.9}
    """
    paper = {choice.method: choice.paper for choice in choices}
    raw = scores[(scores["method"] == "raw") & (scores["value"] == 0.5)].set_index("fold")
    parts = []
    for method, own in scores[scores["method"].isin(paper)].groupby("method", sort=False):
        test, inside = (
            own.pivot(index="fold", columns="value", values=part)
            .apply(lambda column, part=part: column.fillna(raw[part]))
            .dropna(axis="columns")
            for part in ("test", "inside")
        )
        nearest_first = sorted(
            test.columns.intersection(inside.columns), key=lambda value: abs(value - paper[method])
        )
        test, inside = test[nearest_first], inside[nearest_first]
        chosen = inside.idxmax(axis=1)
        parts.append(
            pd.DataFrame(
                {
                    "paper": test.get(paper[method], np.nan),
                    "inside": [test.loc[fold, chosen[fold]] for fold in test.index],
                    "test, one value": test[test.mean().idxmax()],
                    "test, each split": test.max(axis=1),
                }
            )
            .assign(method=method)
            .set_index("method", append=True)
        )
    return pd.concat(parts)


def means_by_value(
    scores: pd.DataFrame,
    method: str,
    *,
    score: str = "test",
    test_share: float = 0.2,
    level: float = 0.95,
) -> pd.DataFrame:
    """Mean score of each value of a parameter, with an interval.

    Parameters
    ----------
    scores : DataFrame
        Of one data set under one protocol, see :func:`sensitivity`.
    method : str
    score : str, default="test"
        Column of the scores.
    test_share : float, default=0.2
        Share of the rows in the test part of a split.
    level : float, default=0.95

    Returns
    -------
    table : DataFrame
        Index ``value``; columns ``mean``, and ``low`` and ``high``, the ends of an interval inside
        (0, 1): that of :func:`simpor.lab.intervals.half_width`, carried over to the logarithm of
        the odds of the mean score by the delta method.

    Examples
    --------
    >>> import pandas as pd
    >>> from simpor.lab.tuning import means_by_value
    >>> scores = pd.DataFrame({"fold": [0, 1, 2], "method": "smote", "value": 5,
    ...                        "test": [0.7, 0.8, 0.9]})
    >>> means_by_value(scores, "smote").round(3).loc[5].to_dict()
    {'mean': 0.8, 'low': 0.339, 'high': 0.969}
    """
    by_value = scores[scores["method"] == method].groupby("value")[score]
    mean = by_value.mean()
    further = test_share / (1 - test_share)
    half = half_width(by_value.std(ddof=1), by_value.count(), further, level=level)
    # a score of 0 or 1 in every split leaves an interval of no width
    reach = (half / (mean * (1 - mean))).where(half > 0, 0)
    low, high = expit(logit(mean) - reach), expit(logit(mean) + reach)
    return pd.DataFrame({"mean": mean, "low": low, "high": high})


def long_rows(scores: pd.DataFrame, method: str) -> pd.DataFrame:
    """Test scores of one method's values as the functions of :mod:`simpor.lab.intervals` take them.

    Parameters
    ----------
    scores : DataFrame
        Of one data set under one protocol, see :func:`sensitivity`.
    method : str

    Returns
    -------
    DataFrame
        Long rows; in the column method stands the value, in words such as "0.3".

    Examples
    --------
    >>> import pandas as pd
    >>> from simpor.lab.intervals import paired_differences
    >>> from simpor.lab.tuning import long_rows
    >>> scores = pd.DataFrame({"fold": [0, 1] * 2, "method": "smote", "value": [5, 5, 6, 6],
    ...                        "test": [0.7, 0.8, 0.8, 0.9]})
    >>> paired_differences(long_rows(scores, "smote"), "5", "f1")["difference"].round(3).to_dict()
    {'6': 0.1}
    """
    scores = scores[scores["method"] == method]
    return pd.DataFrame(
        {
            "fold": scores["fold"],
            "seed": 0,
            "metric": "f1",
            "value": scores["test"],
            "method": scores["value"].map("{:g}".format),
        }
    )


def read(dataset: str, protocol: str, results: str | Path = RESULTS) -> pd.DataFrame:
    """Recorded scores of one data set.

    Parameters
    ----------
    dataset : str
    protocol : {"published", "sound"}
    results : path-like

    Returns
    -------
    DataFrame
        Those of :func:`sensitivity`, and under the sound protocol those of :func:`candidates`; the
        column inside is empty for :data:`FIXED_IN_PAPERS`.

    Raises
    ------
    FileNotFoundError
        If nothing is recorded; the message names the command that records it.
    ValueError
        If the file is damaged.
    """
    path = records.recorded(_path(results, protocol, dataset), "python -m simpor.lab.tuning")
    with naming_damage(path, "delete it and run python -m simpor.lab.tuning."):
        return pd.read_csv(path, comment="#")


def _path(results: str | Path, protocol: str, dataset: str) -> Path:
    return Path(results) / protocol / f"{dataset}.csv"


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line; what is recorded is not run again.

    Parameters
    ----------
    arguments : sequence of str, default=None
        What follows the command; None takes that of this process.
    """
    parser = argparse.ArgumentParser(
        prog="python -m simpor.lab.tuning",
        description="Record how scores depend on parameters, under both protocols.",
    )
    parser.add_argument(
        "--datasets", nargs="+", default=SETS, metavar="NAME", help=f"default: {', '.join(SETS)}"
    )
    parser.add_argument(
        "--results",
        type=Path,
        default=RESULTS,
        metavar="FOLDER",
        help="where the files are written (default: %(default)s)",
    )
    given = parser.parse_args(arguments)
    try:
        for dataset in given.datasets:
            check_name(dataset)
        records.check_folder(given.results)
        data = {name: load(name) for name in given.datasets}
    except (OSError, ValueError) as error:
        parser.error(str(error))
    for name, protocol in PROTOCOLS.items():
        for dataset in given.datasets:
            path = _path(given.results, name, dataset)
            if not path.is_file():
                _record(path, data[dataset], protocol)
                print(path)


def _record(path: Path, data: Dataset, protocol: Protocol) -> None:
    """Score one set under one protocol, and write the scores."""
    begin = time.perf_counter()
    if protocol is PUBLISHED:
        scores = sensitivity(data, protocol, verbose=1)
    else:
        further = sensitivity(data, protocol, choices=FIXED_IN_PAPERS, verbose=1)
        scores = pd.concat([candidates(data, protocol, verbose=1), further])
    minutes = (time.perf_counter() - begin) / 60
    made_by = "# Made by python -m simpor.lab.tuning in"
    records.write_scores(path, scores, made_by, minutes, data.origin)


if __name__ == "__main__":
    main()
