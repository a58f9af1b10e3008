"""What is compared: methods and learners, the pipelines they make, and the code that makes them.

A model is a pipeline: the columns are prepared, a sampler adds rows, categories become 0/1 columns,
and a learner learns. Only the sampler differs between most methods.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from imblearn.over_sampling import SMOTE, SMOTEN, SMOTENC, RandomOverSampler
from imblearn.pipeline import Pipeline, make_pipeline
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from simpor import SIMPOR
from simpor.lab._compare_table import Table
from simpor.lab.learners import LEARNERS
from simpor.lab.network import Network, NetworkClassifier
from simpor.lab.protocol import SOUND
from simpor.relatives import TunedSizeClassifierCV

#: How SIMPOR is set. No setting has been recommended by a study yet, so these are its defaults.
SIMPOR_SETTINGS: dict[str, Any] = {}

#: Categories beyond so many are joined, the rarest first.
_MOST_CATEGORIES = 30


@dataclass(frozen=True)
class Method:
    """One remedy.

    Attributes
    ----------
    name : str
    label : str
        For tables and figures.
    threshold : {"half", "out-of-fold", "costs"}
        How the decision threshold is chosen where no costs are given.
    sampler : callable or None
        From the positions of the categorical columns (None if there are none), the number of all
        columns and a seed to a sampler.
    balances : bool
        Whether the learner sees both classes in equal shares.
    """

    name: str
    label: str
    threshold: str = "half"
    sampler: Callable[[list[int] | None, int, int], BaseEstimator] | None = None
    balances: bool = False


def _smote(categorical: list[int] | None, n_columns: int, seed: int) -> BaseEstimator:
    """The member of the SMOTE family for these types of columns."""
    if categorical is None:
        return SMOTE(random_state=seed)
    if len(categorical) == n_columns:
        return SMOTEN(random_state=seed)
    return SMOTENC(categorical, random_state=seed)


def _simpor(categorical: list[int] | None, n_columns: int, seed: int) -> BaseEstimator:
    return SIMPOR(categorical_features=categorical, random_state=seed, **SIMPOR_SETTINGS)


def _quick_simpor(categorical: list[int] | None, n_columns: int, seed: int) -> BaseEstimator:
    """SIMPOR without Keras, which takes half a minute to start in every process."""
    learner = LogisticRegression(max_iter=1000)
    return _simpor(categorical, n_columns, seed).set_params(learner=learner)


#: The methods by their names, from the simplest on.
METHODS = {
    method.name: method
    for method in (
        Method("nothing", "nothing"),
        Method("threshold-by-costs", "threshold by costs", threshold="costs"),
        Method("threshold", "threshold, out of fold", threshold="out-of-fold"),
        Method("class-weights", "class weights", balances=True),
        Method(
            "random-oversampling",
            "random oversampling",
            sampler=lambda categorical, n_columns, seed: RandomOverSampler(random_state=seed),
            balances=True,
        ),
        Method("smote", "SMOTE", sampler=_smote, balances=True),
        Method("simpor", "SIMPOR", sampler=_simpor, balances=True),
        Method(
            "simpor-quick",
            "SIMPOR (quick)",
            sampler=_quick_simpor,
            balances=True,
        ),
        Method("tuned-size", "SMOTE of tuned size"),
    )
}

#: Left out unless named: what a quick comparison has in place of them, and what it replaces.
ONLY_QUICK, NOT_QUICK = {"simpor-quick"}, {"simpor", "tuned-size"}

#: The methods that only move the threshold: the rivals that count.
THRESHOLDS = ("threshold-by-costs", "threshold")


def make_columns(table: Table) -> ColumnTransformer:
    """The preparation of the columns: what is missing is filled, numbers are scaled.

    Categories become codes, so that samplers can tell them from numbers. See :func:`make_encoder`.
    """
    parts: list[tuple[str, Any, list[str]]] = []
    if table.numbers:
        numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
        parts.append(("numbers", numbers, table.numbers))
    if table.categories:
        codes = OrdinalEncoder(
            handle_unknown="use_encoded_value",
            unknown_value=-1,
            encoded_missing_value=-2,
            max_categories=_MOST_CATEGORIES,
        )
        parts.append(("categories", codes, table.categories))
    return ColumnTransformer(parts)


class Positions(list[int]):
    """Consecutive positions of columns, written as a range: scikit-learn cuts long lists short."""

    def __repr__(self) -> str:
        return f"list(range({self[0]}, {self[-1] + 1}))"


def categorical_positions(table: Table) -> Positions | None:
    """Where the categorical columns are behind :func:`make_columns`."""
    n_numbers = len(table.numbers)
    positions = range(n_numbers, n_numbers + len(table.categories))
    return Positions(positions) if positions else None


def make_encoder(table: Table) -> ColumnTransformer | None:
    """Codes of categories as 0/1 columns, for the learner; None where there are no categories."""
    categorical = categorical_positions(table)
    if categorical is None:
        return None
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return ColumnTransformer([("categories", one_hot, categorical)], remainder="passthrough")


def make_learner(name: str, seed: int, class_weight: str | None = None) -> ClassifierMixin:
    """A fresh learner of the study; the network, which is trained in stacks there, as one of its own."""
    if name != "network":
        return LEARNERS[name].make(seed, class_weight)
    if class_weight:
        raise ValueError("the network takes no class weights: see random oversampling.")
    return NetworkClassifier(SOUND.network(""), random_state=seed)


def make_steps(
    table: Table, method: Method, learner: str, seed: int
) -> list[tuple[str, BaseEstimator]]:
    """The steps of a model, by name: columns, sampler, encoder, learner."""
    categorical = categorical_positions(table)
    n_columns = len(table.numbers) + len(table.categories)
    encoder = make_encoder(table)
    weight = "balanced" if method.name == "class-weights" else None
    classifier = make_learner(learner, seed, weight)
    steps: list[tuple[str, BaseEstimator]] = [("columns", make_columns(table))]
    if method.name == "tuned-size":
        if encoder is not None:
            classifier = Pipeline([("encoder", encoder), ("learner", classifier)])
        sampler = _smote(categorical, n_columns, seed)
        tuned = TunedSizeClassifierCV(classifier, sampler, sizes=5, cv=3, random_state=seed)
        return [*steps, ("learner", tuned)]
    if method.sampler is not None:
        steps.append(("sampler", method.sampler(categorical, n_columns, seed)))
    if encoder is not None:
        steps.append(("encoder", encoder))
    return [*steps, ("learner", classifier)]


def shift_share(probability: Any, share: float, new_share: float) -> Any:
    """Probabilities that hold for another share of the positive class (Elkan, 2001, Theorem 2).

    The odds are multiplied by the ratio of the odds of both shares: what a learner says that saw as
    many positive rows as negative ones becomes what it should say of the table as it is.

    Examples
    --------
    >>> from simpor.lab._compare_models import shift_share
    >>> round(shift_share(0.5, 0.5, 0.1), 6)
    0.1
    """
    factor = new_share / (1 - new_share) * (1 - share) / share
    moved = np.asarray(probability) * factor
    result = np.clip(moved / (moved + (1 - np.asarray(probability))), 0, 1)  # rounding aside
    return float(result) if np.ndim(probability) == 0 else result


def code_of(
    table: Table, method: Method, learner: str, seed: int, threshold: float, read: str
) -> str:
    """Python code that fits a model on the whole table.

    Parameters
    ----------
    table : Table
    method : Method
    learner : str
    seed : int
    threshold : float
    read : str
        Lines that make ``table``.

    Returns
    -------
    str
        It leaves the fitted model in ``model``.
    """
    steps = make_steps(table, method, learner, seed)
    lines = []
    for name, step in steps:
        if name == "columns":
            lines.append(f"    ({name!r}, ColumnTransformer([")
            lines += [
                f"        ({part!r}, {_text(transformer)}, {part}),"
                for part, transformer, _ in step.transformers
            ]
            lines.append("    ])),")
        else:
            lines.append(f"    ({name!r}, {_text(step)}),")
    names = [
        _assignment(kind, getattr(table, kind))
        for kind in ("numbers", "categories")
        if getattr(table, kind)
    ]
    model = FixedThresholdClassifier(Pipeline(steps), threshold=threshold)
    return "\n".join(
        [
            *_imports(model, read),
            "",
            read,
            *names,
            "model = Pipeline([",
            *lines,
            "])",
            f"model = FixedThresholdClassifier(model, threshold={threshold!r})",
            "model.fit(table.X, table.y)",
        ]
    )


def _assignment(name: str, values: Sequence[str]) -> str:
    """``name = [...]``, broken into lines between the values."""
    text = ", ".join(ascii(value).replace(" ", "\0") for value in values)
    wrapped = textwrap.wrap(text, 84, break_long_words=False, break_on_hyphens=False)
    indented = "\n".join("    " + line.replace("\0", " ") for line in wrapped)
    return f"{name} = [\n{indented},\n]"


def _text(estimator: BaseEstimator) -> str:
    """An estimator as the code that makes it, in one line."""
    return " ".join(estimator.__repr__(N_CHAR_MAX=10**6).split())


def _imports(model: BaseEstimator, read: str) -> list[str]:
    """Import statements for everything that the code names."""
    found: dict[str, set[str]] = {}
    objects = [model, *model.get_params().values()]
    for step in [value for value in objects if isinstance(value, list)]:
        objects += [part for entry in step if isinstance(entry, tuple) for part in entry]
    for value in objects:
        if isinstance(value, (BaseEstimator, Network)):
            parts = type(value).__module__.split(".")
            public = [part for part in parts if not part.startswith("_")]
            if parts != public:  # what lies in a private module is imported from the package above
                public = parts[: next(i for i, part in enumerate(parts) if part.startswith("_"))]
            found.setdefault(".".join(public), set()).add(type(value).__name__)
    return [f"from {module} import {', '.join(sorted(found[module]))}" for module in sorted(found)]
