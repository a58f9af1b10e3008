"""The informative region: the rows that a small classifier is least sure of (TAI paper, III-C)."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from sklearn.utils import check_random_state, check_X_y
from sklearn.utils.multiclass import check_classification_targets

from simpor._checks import LARGEST_SEED, check_whole, is_number
from simpor._columns import Table, _refuse_labels
from simpor._moved import moved
from simpor.entropy_network import EntropyNetwork as _DefaultLearner

__getattr__ = moved(__name__, {"EntropyNetwork": "simpor.entropy_network"})


def informative_region(
    X: ArrayLike,
    y: ArrayLike,
    *,
    portion: float = 0.3,
    threshold: float | None = None,
    batch_size: int = 20,
    n_initial: int = 3,
    learner: BaseEstimator | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> np.ndarray:
    """Mark the rows of highest entropy, found batch by batch.

    A classifier learns from a few rows of each class and scores all others by the entropy of its
    predictions. The rows of highest entropy join the region and the training rows, the classifier
    is trained again, and so on until the region is large enough.

    Parameters
    ----------
    X : array-like of shape (n, d)
        Features, standardised beforehand.
    y : array-like of shape (n,)
        Labels of any kind, of two or more classes.
    portion : float, default=0.3
        Share of the rows to mark, in (0, 1]. Exactly ``round(portion * n)`` rows are marked. With 1
        all rows are marked and nothing is trained.
    threshold : float, default=None
        Entropy in [0, 1). If given, it takes the place of `portion` (preprint, Section 2.3): only
        rows above it join the region, until no row outside is above it.
    batch_size : int, default=20
        Number of rows that join the region between two trainings, k in the papers.
    n_initial : int, default=3
        Rows of each class in the first training, or all of a smaller class. They join the region
        only if the portion exceeds all other rows. Raise it for a learner that needs more rows of
        each class, for instance one that cross-validates.
    learner : classifier with predict_proba, default=None
        None takes an :class:`EntropyNetwork`, which continues from its weights after each batch. A
        classifier of scikit-learn is fitted anew to all training rows each time. It is cloned, and
        every ``random_state=None`` in it is set from `random_state`.
    random_state : int, RandomState instance or None, default=None
        Seeds the choice of the first rows and the learner.

    Returns
    -------
    ndarray of bool of shape (n,)

    Raises
    ------
    ImportError
        If `learner` is None and Keras or TensorFlow is missing.
    TypeError
        If the learner has no predict_proba, or `X` is sparse.
    ValueError
        If there is one class only, a value is not finite, or a parameter is out of range.

    Notes
    -----
    Rows of equal entropy join in their order. The result for an integer `random_state` is the same
    to the last bit. With the default learner, that holds for any number of threads.

    Examples
    --------
    The most uncertain rows are those near the boundary, x = 0:

    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from simpor import informative_region
    >>> X = np.linspace(-1, 1, 41)[:, None]
    >>> mask = informative_region(X, X[:, 0] > 0, portion=0.2, batch_size=2,
    ...                           learner=LogisticRegression(C=100), random_state=0)
    >>> int(mask.sum())
    8
    >>> bool(np.abs(X[mask]).max() < np.abs(X[~mask]).mean())
    True
    """
    _check_settings(portion, threshold, batch_size, n_initial)
    _refuse_labels(y)
    X, y = check_X_y(Table(X).numbers(), y)
    check_classification_targets(y)
    if len(np.unique(y)) < 2:
        raise ValueError("y has one class; at least two are needed.")
    if threshold is None and portion == 1:
        return np.ones(len(X), dtype=bool)
    random_state = check_random_state(random_state)
    learnt = _initial_rows(y, n_initial, random_state)
    learner = _prepare_learner(learner, random_state)

    n_wanted = len(X) if threshold is not None else round(portion * len(X))
    informative = np.zeros(len(X), dtype=bool)
    while informative.sum() < n_wanted:
        candidates = np.flatnonzero(~learnt)
        if threshold is None and len(candidates) == 0:
            candidates = np.flatnonzero(~informative)
        if len(candidates) == 0:
            break
        doubt = entropy(_learn_and_predict(learner, X[learnt], y[learnt], X[candidates]))
        by_doubt = np.argsort(-doubt, kind="stable")
        if threshold is not None:
            by_doubt = by_doubt[doubt[by_doubt] > threshold]
            if len(by_doubt) == 0:
                break
        batch = candidates[by_doubt[: min(batch_size, n_wanted - informative.sum())]]
        informative[batch] = True
        learnt[batch] = True
    return informative


def entropy(probabilities: ArrayLike) -> np.ndarray:
    """Entropy of each row of class probabilities, in base n for n classes (Eq. 4).

    Parameters
    ----------
    probabilities : array-like of shape (m, n_classes)

    Returns
    -------
    ndarray of shape (m,)
        0 if one class is certain, 1 if all are equally probable.

    Raises
    ------
    ValueError
        If there are fewer than two classes, or a probability is not finite.

    Examples
    --------
    >>> from simpor.informative import entropy
    >>> entropy([[0.5, 0.5], [0.9, 0.1], [1.0, 0.0]]).round(3)
    array([1.   , 0.469, 0.   ])
    """
    probabilities = np.asarray(probabilities, dtype=np.float64)
    if probabilities.ndim != 2 or probabilities.shape[1] < 2:
        raise ValueError(
            f"Probabilities of shape {probabilities.shape}; give one column per class, 2 or more."
        )
    if not np.all(np.isfinite(probabilities)):
        raise ValueError(
            "The learner's probabilities are not finite; standardise X (StandardScaler), raise "
            "n_initial if the learner needs more rows of each class, or pass another learner."
        )
    return stats.entropy(probabilities, base=probabilities.shape[1], axis=1)


def _prepare_learner(
    learner: BaseEstimator | None, random_state: np.random.RandomState
) -> BaseEstimator:
    """Clone the learner and seed every ``random_state`` in it that is None."""
    if learner is None:
        learner = _DefaultLearner()
    if isinstance(learner, type):
        raise TypeError(
            f"learner={learner.__name__}: pass an object, {learner.__name__}(), not a class."
        )
    if not hasattr(learner, "predict_proba"):
        raise TypeError(
            f"learner={learner!r} has no predict_proba: pass a classifier that has, or None."
        )
    learner = clone(learner)
    for name, value in sorted(learner.get_params().items()):
        if (name == "random_state" or name.endswith("__random_state")) and value is None:
            learner.set_params(**{name: random_state.randint(LARGEST_SEED)})
    return learner


def _learn_and_predict(
    learner: BaseEstimator, X: np.ndarray, y: np.ndarray, candidates: np.ndarray
) -> np.ndarray:
    """Class probabilities of the candidates; says what to do if the learner needs more rows."""
    try:
        # inside a sampler of imbalanced-learn, scikit-learn would not check the learner's parameters
        with config_context(skip_parameter_validation=False):
            return learner.fit(X, y).predict_proba(candidates)
    except ValueError as error:
        if isinstance(learner, _DefaultLearner):
            raise  # its messages say what to do
        labels, counts = np.unique(y, return_counts=True)
        fewest = labels[np.argmin(counts)]
        raise ValueError(
            f"{type(learner).__name__} failed on {len(y)} rows, {counts.min()} of them of class "
            f"{fewest}: {str(error).rstrip('.')}. If it needs more rows of each class, raise n_initial, or pass "
            "another learner."
        ) from error


def _initial_rows(y: np.ndarray, n_initial: int, random_state: np.random.RandomState) -> np.ndarray:
    """Mark `n_initial` random rows of each class, or all of a smaller one."""
    chosen = np.zeros(len(y), dtype=bool)
    for label in np.unique(y):
        rows = np.flatnonzero(y == label)
        chosen[random_state.choice(rows, size=min(n_initial, len(rows)), replace=False)] = True
    return chosen


def _check_settings(portion: Any, threshold: Any, batch_size: Any, n_initial: Any) -> None:
    if not is_number(portion) or not 0 < portion <= 1:
        raise ValueError(f"portion={portion!r}: give a share of the rows in (0, 1].")
    if threshold is not None and (not is_number(threshold) or not 0 <= threshold < 1):
        raise ValueError(f"threshold={threshold!r}: give an entropy in [0, 1), or None.")
    check_whole("batch_size", batch_size)
    check_whole("n_initial", n_initial)
