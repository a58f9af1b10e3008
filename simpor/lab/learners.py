"""The learners that follow a sampler: logistic regression, gradient boosting and the network.

Every method of :data:`CROSSED` resamples (or weights) the training part, and every learner of
:data:`LEARNERS` learns from the result. Classifiers of their own follow no sampler: the study keeps
them under the learner "own".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

from imblearn import FunctionSampler
from imblearn.ensemble import BalancedRandomForestClassifier
from imblearn.over_sampling import SMOTE
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from simpor import SIMPOR
from simpor.lab.methods import METHODS, RELATIVES, Method
from simpor.relatives import TunedSizeClassifierCV

__all__ = [
    "BY_DEFAULT",
    "CROSSED",
    "GRID",
    "LEARNERS",
    "OUT_OF_FOLD",
    "OWN",
    "Learner",
    "has_out_of_fold",
]


@dataclass(frozen=True)
class Learner:
    """One learner.

    Attributes
    ----------
    name : str
    label : str
        Name for figures and text.
    make : callable
        From a random state and ``class_weight`` (None or "balanced") to a fresh classifier. The
        protocol's network has none, as many networks are trained together.
    """

    name: str
    label: str
    make: Callable[[int, str | None], ClassifierMixin]


def _no_single_network(seed: int, weight: str | None) -> ClassifierMixin:
    raise NotImplementedError("networks are trained together: see simpor.lab.network.NetworkStack")


#: The learners by their names.
LEARNERS = {
    learner.name: learner
    for learner in (
        Learner(
            "logistic",
            "logistic regression",
            lambda seed, weight: LogisticRegression(class_weight=weight, max_iter=1000),
        ),
        Learner(
            "boosting",
            "gradient boosting",
            lambda seed, weight: HistGradientBoostingClassifier(
                class_weight=weight, random_state=seed
            ),
        ),
        Learner("network", "network", _no_single_network),
    )
}

#: The learner under which classifiers of their own are kept.
OWN = "own"


def _simpor(name: str, label: str, **settings: Any) -> Method:
    return Method(
        name, label, "nguyen2023tai", "sampler", lambda seed: SIMPOR(**settings, random_state=seed)
    )


def _tuned_size(name: str, label: str, sampler: BaseEstimator) -> Method:
    def make(seed: Any) -> BaseEstimator:
        learner = LogisticRegression(max_iter=1000)
        return TunedSizeClassifierCV(learner, sampler, sizes=9, random_state=seed)

    return Method(name, label, "ma2026size", "classifier", make)


_FURTHER = (
    Method(
        "class-weights", "class weights", "elor2022smote", "weights", lambda seed: FunctionSampler()
    ),
    _simpor("simpor-uniform-radius", "SIMPOR (uniform radius)", radius="uniform"),
    _simpor("simpor-reject-literal", "SIMPOR (rejects inside only)", reject_noise="informative"),
    Method(
        "balanced-random-forest",
        "balanced random forest",
        "lemaitre2017imblearn",
        "classifier",
        lambda seed: BalancedRandomForestClassifier(random_state=seed),
    ),
    _tuned_size("smote-tuned-size", "SMOTE of tuned size", SMOTE()),
    _tuned_size("simpor-tuned-size", "SIMPOR of tuned size", SIMPOR()),
)

_DIRECTIONS: dict[str, dict[str, Any]] = {
    "random direction": {"max_iter": 0},
    "ascent": {},
    "wide ascent": {"bandwidth": 1.0},
}


def _grid() -> list[Method]:
    """Settings of SIMPOR from which :mod:`simpor.lab.halves` chooses."""
    methods = []
    for (direction, of_direction), alpha, portion, rejects in product(
        _DIRECTIONS.items(), (1.0, 0.5), (1.0, 0.3), (True, False)
    ):
        label = f"{direction}, alpha {alpha:g}, portion {portion:g}"
        label += ", rejects noise" if rejects else ", keeps noise"
        settings = {"alpha": alpha, "informative_portion": portion, "reject_noise": rejects}
        name = "grid-" + label.replace(",", "").replace(" ", "-")
        methods.append(_simpor(name, f"SIMPOR ({label})", **settings, **of_direction))
    return methods


_GRID = _grid()

#: Names of the settings of SIMPOR from which one is recommended.
GRID = tuple(method.name for method in _GRID)

_NOT_CROSSED = {
    "raw-threshold",  # a threshold policy here
    "hist-gradient-boosting",  # a learner here
    "shuffled-labels",
    "vtss",  # stands here as "smote-tuned-size", of nine sizes
    # of Keras: recorded on a part of the sets, by name
    "sam-a",
    "sam-a-length",
    "label-smoothing",
}

#: The methods by their names: those of the comparison, the relatives, weights, variants of SIMPOR.
CROSSED = {
    name: method
    for name, method in (METHODS | RELATIVES | {m.name: m for m in (*_FURTHER, *_GRID)}).items()
    if name not in _NOT_CROSSED
}

_OF_KERAS = ("deepsmote", "leo-cvae", "moms", "language-transformer")

#: What the study crosses unless methods are named: all but the grid and those that train a network
#: of their own for each part, which would take a day.
BY_DEFAULT = tuple(name for name in CROSSED if name not in (*_OF_KERAS, *GRID))

#: Methods whose out-of-fold predictions are recorded for every learner, not for "logistic" alone.
OUT_OF_FOLD = ("raw", "class-weights", "random-oversampling", "smote", "simpor-converged")


def has_out_of_fold(method: str, learner: str) -> bool:
    """Whether the study records out-of-fold predictions.

    Parameters
    ----------
    method, learner : str

    Returns
    -------
    bool

    Examples
    --------
    >>> from simpor.lab.learners import has_out_of_fold
    >>> has_out_of_fold("adasyn", "logistic"), has_out_of_fold("adasyn", "boosting")
    (True, False)
    """
    if learner == OWN or method in (*GRID, *_OF_KERAS):
        return False
    return learner == "logistic" or method in OUT_OF_FOLD
