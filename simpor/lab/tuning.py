"""What a parameter changes, and what a choice of it on the test rows is worth.

Each value of a parameter is scored by macro-F1 on the test rows of each split. That alone shows how
sensitive SIMPOR is to its parameters, :data:`SENSITIVITY`.

Every method of :data:`CHOICES` has ten values of one parameter, the paper's value among them, and
they are scored a second time inside the training part, on a quarter of it that is held out.
:func:`ways` then says which score a method gets if its value is the paper's, if it is chosen inside
the training part, and if it is chosen on the very test rows that score it.

``python -m simpor.lab.tuning`` records both for the five :data:`SETS`, into
``RESULTS/PROTOCOL/SET.csv``: the choices under the sound protocol, the sensitivity under both. What
is recorded is not run again.
"""

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
from joblib import hash as joblib_hash
from sklearn.base import BaseEstimator
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.svm import SVC

from simpor import PUBLISHED_TAI, SIMPOR
from simpor._checks import LARGEST_SEED
from simpor.lab.datasets import Dataset, load
from simpor.lab.intervals import half_width
from simpor.lab.methods import Method
from simpor.lab.protocol import PROTOCOLS, PUBLISHED, Protocol, run
from simpor.lab.records import RESULTS as _RECORDED
from simpor.lab.records import write_rows
from simpor.relatives import GDO

#: The five sets of the TAI paper's Figures 6 and 7.
SETS = ("glass0", "ecoli1", "new-thyroid1", "abalone9-18", "yeast4")

RESULTS = _RECORDED / "tuning"

#: Splits of a protocol that are used.
FOLDS = 5


_REGIONS: dict[str, np.ndarray] = {}


class _Simpor(SIMPOR):
    """SIMPOR that finds an informative region once a process: most values here share one."""

    def _informative_region(
        self, data: np.ndarray, y: np.ndarray, random_state: np.random.RandomState
    ) -> np.ndarray:
        key = joblib_hash((data, y, self.informative_portion, random_state.get_state()))
        if key in _REGIONS:
            random_state.randint(LARGEST_SEED)  # what the search would have drawn
        else:
            _REGIONS[key] = super()._informative_region(data, y, random_state)
        return _REGIONS[key]


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
        lambda value, seed: _Simpor(
            **{**PUBLISHED_TAI, "informative_portion": value}, random_state=seed
        ),
    ),
    Choice(
        "simpor-published, alpha",
        "alpha",
        1,
        _PORTIONS,
        lambda value, seed: _Simpor(**{**PUBLISHED_TAI, "alpha": value}, random_state=seed),
    ),
    Choice(
        "simpor-published, ten draws",
        "draw",
        0,
        tuple(range(10)),
        lambda value, seed: _Simpor(
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
FURTHER = (
    Choice(
        "simpor-converged, bandwidth",
        "bandwidth",
        np.nan,
        (0.1, 0.2, 0.4, 0.8, 1.6, 3.2),
        lambda value, seed: _Simpor(bandwidth=value, random_state=seed),
    ),
    Choice(
        "simpor-converged, k",
        "k",
        5,
        (1, 3, 5, 7, 10),
        lambda value, seed: _Simpor(k_neighbors=value, random_state=seed),
    ),
)

#: The parameters of SIMPOR.
SENSITIVITY = (*_SIMPOR_CHOICES, *FURTHER)


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
    rows : DataFrame
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
    rows : DataFrame
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


def ways(rows: pd.DataFrame, choices: Sequence[Choice] = CHOICES) -> pd.DataFrame:
    """Give the test score of each method on each split under four ways to arrive at a value.

    Parameters
    ----------
    rows : DataFrame
        Of one data set under one protocol, see :func:`candidates`.
    choices : sequence of Choice
        Rows of other methods are left out.

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
    for method, scores in rows[rows["method"].isin(paper)].groupby("method", sort=False):
        test, inside = (
            scores.pivot(index="fold", columns="value", values=part)
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


def curve(
    rows: pd.DataFrame,
    method: str,
    *,
    score: str = "test",
    test_share: float = 0.2,
    level: float = 0.95,
) -> pd.DataFrame:
    """Mean score of each value of a parameter, with an interval.

    Parameters
    ----------
    rows : DataFrame
        Of one data set under one protocol, see :func:`sensitivity`.
    method : str
    score : str, default="test"
        Column of the rows.
    test_share : float, default=0.2
        Share of the rows in the test part of a split.
    level : float, default=0.95

    Returns
    -------
    table : DataFrame
        Index ``value``; columns ``mean``, and ``low`` and ``high``, the ends of the interval of
        :func:`simpor.lab.intervals.half_width` around the mean.

    Examples
    --------
    >>> import pandas as pd
    >>> from simpor.lab.tuning import curve
    >>> rows = pd.DataFrame({"fold": [0, 1, 2], "method": "smote", "value": 5,
    ...                      "test": [0.7, 0.8, 0.9]})
    >>> curve(rows, "smote").round(3).loc[5].to_dict()
    {'mean': 0.8, 'low': 0.471, 'high': 1.129}
    """
    scores = rows[rows["method"] == method].groupby("value")[score]
    further = test_share / (1 - test_share)
    half = half_width(scores.std(ddof=1), scores.count(), further, level=level)
    return pd.DataFrame(
        {"mean": scores.mean(), "low": scores.mean() - half, "high": scores.mean() + half}
    )


def long_rows(rows: pd.DataFrame, method: str) -> pd.DataFrame:
    """Test scores of one method's values as the functions of :mod:`simpor.lab.intervals` take them.

    Parameters
    ----------
    rows : DataFrame
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
    >>> rows = pd.DataFrame({"fold": [0, 1] * 2, "method": "smote", "value": [5, 5, 6, 6],
    ...                      "test": [0.7, 0.8, 0.8, 0.9]})
    >>> paired_differences(long_rows(rows, "smote"), "5", "f1")["difference"].round(3).to_dict()
    {'6': 0.1}
    """
    rows = rows[rows["method"] == method]
    return pd.DataFrame(
        {
            "fold": rows["fold"],
            "seed": 0,
            "metric": "f1",
            "value": rows["test"],
            "method": rows["value"].map("{:g}".format),
        }
    )


def read(dataset: str, protocol: str, results: str | Path = RESULTS) -> pd.DataFrame:
    """Recorded rows of one data set.

    Parameters
    ----------
    dataset : str
    protocol : {"published", "sound"}
    results : path-like

    Returns
    -------
    DataFrame
        Those of :func:`sensitivity`, and under the sound protocol those of :func:`candidates`; the
        column inside is empty for :data:`FURTHER`.

    Raises
    ------
    FileNotFoundError
        If nothing is recorded; the message names the command that records it.
    """
    path = _path(results, protocol, dataset)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not recorded: run python -m simpor.lab.tuning.")
    return pd.read_csv(path, comment="#")


def _path(results: str | Path, protocol: str, dataset: str) -> Path:
    return Path(results) / protocol / f"{dataset}.csv"


def main(results: str | Path = RESULTS, sets: Sequence[str] = SETS) -> None:
    """Record all sets under both protocols; what is recorded is not run again.

    Parameters
    ----------
    results : path-like
        Folder of the files.
    sets : sequence of str
    """
    for name, protocol in PROTOCOLS.items():
        for dataset in sets:
            path = _path(results, name, dataset)
            if path.is_file():
                continue
            data = load(dataset)
            begin = time.perf_counter()
            if protocol is PUBLISHED:
                rows = sensitivity(data, protocol, verbose=1)
            else:
                rows = pd.concat(
                    [
                        candidates(data, protocol, verbose=1),
                        sensitivity(data, protocol, choices=FURTHER, verbose=1),
                    ]
                )
            minutes = (time.perf_counter() - begin) / 60
            write_rows(path, rows, "# Made by python -m simpor.lab.tuning in", minutes, data.origin)
            print(path)


if __name__ == "__main__":
    main()
