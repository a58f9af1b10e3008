"""What is compared: samplers before one and the same network, and three classifiers of their own.

Each method has one call, ``METHODS[name].make(random_state)``, which gives a fresh object. What it
is depends on the kind:

- "sampler": an imbalanced-learn sampler for the training part (for ``raw`` it changes nothing);
- "threshold": the same, after which the decision threshold is tuned on validation data;
- "classifier": a classifier that takes the place of sampler and network;
- "weights": the rows as they are, before a learner whose classes are weighted; see
  :mod:`simpor.lab.learners`.

Settings are those of Table I of the TAI paper where it has any: five neighbours for all
interpolating samplers, ten AdaBoosts for EasyEnsemble. For SVMCS it has none; the kernel and C are
scikit-learn's. SVMCS and EasyEnsemble are not samplers before a network: a difference between
them and the rest is a difference of classifiers as well.

Two controls frame the comparison. Gradient boosting on the raw rows is what a user without any
remedy would try first. Training labels in a random order leave nothing to learn: a protocol that
lets test labels through to training would show there as an AUC away from one half.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from imblearn import FunctionSampler
from imblearn.ensemble import EasyEnsembleClassifier
from imblearn.over_sampling import ADASYN, SMOTE, BorderlineSMOTE, RandomOverSampler
from sklearn.base import BaseEstimator
from sklearn.ensemble import AdaBoostClassifier, HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC
from sklearn.utils import check_random_state

from simpor import PUBLISHED_TAI, SIMPOR
from simpor.relatives import (
    GDO,
    GKSMOTE,
    LEOCVAE,
    MOMS,
    RBO,
    AsymmetricSAM,
    BiasCorrectedClassifier,
    DeepSMOTE,
    KernelSMOTESVC,
    KOTAROClassifier,
    LanguageModelOversampler,
    TunedSizeClassifierCV,
)

__all__ = ["ABLATION", "COMPARISON", "CONTROLS", "METHODS", "RELATIVES", "Method"]


@dataclass(frozen=True)
class Method:
    """One method of the comparison.

    Attributes
    ----------
    name : str
        Short name, for tables of results and the command line.
    label : str
        Name for figures and text.
    citation : str
        Key in the book's bibliography.
    kind : {"sampler", "threshold", "classifier", "weights"}
    make : callable
        From a random state (int, RandomState instance or None) to a fresh sampler or classifier.

    Examples
    --------
    >>> from simpor.lab.methods import METHODS
    >>> METHODS["smote"].make(0)
    SMOTE(random_state=0)
    """

    name: str
    label: str
    citation: str
    kind: str
    make: Callable[[int | np.random.RandomState | None], BaseEstimator]


def _shuffle_labels(
    X: np.ndarray, y: np.ndarray, random_state: int | np.random.RandomState | None
) -> tuple[np.ndarray, np.ndarray]:
    """The same rows, their labels in a random order."""
    return X, check_random_state(random_state).permutation(y)


_NO_REGION: dict[str, Any] = {"informative_portion": 1.0}
_RANDOM_DIRECTION: dict[str, Any] = {"max_iter": 0}

_METHODS = (
    Method("raw", "raw data", "elor2022smote", "sampler", lambda seed: FunctionSampler()),
    Method(
        "raw-threshold",
        "raw data, tuned threshold",
        "goorbergh2022harm",
        "threshold",
        lambda seed: FunctionSampler(),
    ),
    Method(
        "random-oversampling",
        "random oversampling",
        "lemaitre2017imblearn",
        "sampler",
        lambda seed: RandomOverSampler(random_state=seed),
    ),
    Method("smote", "SMOTE", "chawla2002smote", "sampler", lambda seed: SMOTE(random_state=seed)),
    Method(
        "borderline-smote",
        "Borderline-SMOTE",
        "han2005borderline",
        "sampler",
        lambda seed: BorderlineSMOTE(random_state=seed),
    ),
    Method("adasyn", "ADASYN", "he2008adasyn", "sampler", lambda seed: ADASYN(random_state=seed)),
    Method("gdo", "GDO", "xie2020gdo", "sampler", lambda seed: GDO(random_state=seed)),
    Method(
        "deepsmote",
        "DeepSMOTE (tabular)",
        "dablain2022deepsmote",
        "sampler",
        lambda seed: DeepSMOTE(random_state=seed),
    ),
    Method(
        "svmcs",
        "class-weighted SVM (SVMCS)",
        "nguyen2023tai",
        "classifier",
        lambda seed: SVC(class_weight="balanced", random_state=seed),
    ),
    Method(
        "easy-ensemble",
        "EasyEnsemble",
        "liu2009easyensemble",
        "classifier",
        lambda seed: EasyEnsembleClassifier(
            n_estimators=10, estimator=AdaBoostClassifier(), random_state=seed
        ),
    ),
    Method(
        "simpor-published",
        "SIMPOR (published)",
        "nguyen2023tai",
        "sampler",
        lambda seed: SIMPOR(**PUBLISHED_TAI, random_state=seed),
    ),
    Method(
        "simpor-converged",
        "SIMPOR (converged)",
        "nguyen2023tai",
        "sampler",
        lambda seed: SIMPOR(random_state=seed),
    ),
    Method(
        "simpor-random-direction",
        "SIMPOR (random direction)",
        "nguyen2023tai",
        "sampler",
        lambda seed: SIMPOR(**_RANDOM_DIRECTION, random_state=seed),
    ),
    Method(
        "simpor-published-no-region",
        "SIMPOR (published rate, no region)",
        "nguyen2023tai",
        "sampler",
        lambda seed: SIMPOR(**{**PUBLISHED_TAI, **_NO_REGION}, random_state=seed),
    ),
    Method(
        "simpor-converged-no-region",
        "SIMPOR (converged, no region)",
        "nguyen2023tai",
        "sampler",
        lambda seed: SIMPOR(**_NO_REGION, random_state=seed),
    ),
    Method(
        "simpor-random-direction-no-region",
        "SIMPOR (random direction, no region)",
        "nguyen2023tai",
        "sampler",
        lambda seed: SIMPOR(**_RANDOM_DIRECTION, **_NO_REGION, random_state=seed),
    ),
    Method(
        "hist-gradient-boosting",
        "gradient boosting on raw data",
        "elor2022smote",
        "classifier",
        lambda seed: HistGradientBoostingClassifier(random_state=seed),
    ),
    Method(
        "shuffled-labels",
        "shuffled labels",
        "lemaitre2017imblearn",
        "sampler",
        lambda seed: FunctionSampler(func=_shuffle_labels, kw_args={"random_state": seed}),
    ),
)

#: Every method by its name.
METHODS = {method.name: method for method in _METHODS}

#: The two controls, which no table of the papers has.
CONTROLS = ("hist-gradient-boosting", "shuffled-labels")

#: The names in the main comparison.
COMPARISON = tuple(
    name for name in METHODS if not name.endswith("-no-region") and name not in CONTROLS
)

#: {random direction, published rate, converged} x {informative region of 0.3, none}.
ABLATION = tuple(name for name in METHODS if name.startswith("simpor-"))

_RELATIVES = (
    Method(
        "gk-smote",
        "GK-SMOTE (repository)",
        "miraj2025gksmote",
        "sampler",
        lambda seed: GKSMOTE(random_state=seed),
    ),
    Method(
        "gk-smote-paper",
        "GK-SMOTE (paper)",
        "miraj2025gksmote",
        "sampler",
        lambda seed: GKSMOTE(variant="paper", random_state=seed),
    ),
    Method(
        "language-counts",
        "language model (counts)",
        "nguyen2025imbllm",
        "sampler",
        lambda seed: LanguageModelOversampler(random_state=seed),
    ),
    Method(
        "language-transformer",
        "language model (transformer)",
        "nguyen2025imbllm",
        "sampler",
        lambda seed: LanguageModelOversampler(model="transformer", random_state=seed),
    ),
    Method(
        "leo-cvae",
        "LEO-CVAE",
        "zare2025leocvae",
        "sampler",
        lambda seed: LEOCVAE(random_state=seed),
    ),
    Method("moms", "MOMS", "cha2025moms", "sampler", lambda seed: MOMS(random_state=seed)),
    Method("rbo", "RBO", "koziarski2019rbo", "sampler", lambda seed: RBO(random_state=seed)),
    Method(
        "kotaro",
        "KOTARO",
        "nishimura2025kotaro",
        "classifier",
        lambda seed: KOTAROClassifier(),
    ),
    Method(
        "k-smote",
        "K-SMOTE",
        "mathew2015ksmote",
        "classifier",
        lambda seed: KernelSMOTESVC(random_state=seed),
    ),
    Method(
        "wk-smote",
        "WK-SMOTE",
        "mathew2018wksmote",
        "classifier",
        lambda seed: KernelSMOTESVC("cost", random_state=seed),
    ),
    Method(
        "edks",
        "EDKS (our reading)",
        "edks2020",
        "classifier",
        lambda seed: KernelSMOTESVC("entropy-difference", random_state=seed),
    ),
    Method(
        "bias-correction",
        "SMOTE with bias correction, logistic regression",
        "lyu2025bias",
        "classifier",
        lambda seed: BiasCorrectedClassifier(SMOTE(), random_state=seed),
    ),
    Method(
        "vtss",
        "SMOTE of tuned size (VTSS), logistic regression",
        "ma2026size",
        "classifier",
        lambda seed: TunedSizeClassifierCV(LogisticRegression(), SMOTE(), random_state=seed),
    ),
    Method(
        "sam-a",
        "network with asymmetric SAM",
        "shwartzziv2023simplifying",
        "classifier",
        lambda seed: AsymmetricSAM(random_state=seed),
    ),
    Method(
        "sam-a-length",
        "network with asymmetric SAM (our reading)",
        "shwartzziv2023simplifying",
        "classifier",
        lambda seed: AsymmetricSAM("length", random_state=seed),
    ),
    Method(
        "label-smoothing",
        "network with labels smoothed by class",
        "shwartzziv2023simplifying",
        "classifier",
        lambda seed: AsymmetricSAM(rho=0, smoothing=0.1, random_state=seed),
    ),
)

#: Other answers to the same question, by their names; no part of the comparison above.
RELATIVES = {method.name: method for method in _RELATIVES}
