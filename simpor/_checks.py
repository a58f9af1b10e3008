"""Checks, types and limits that several files share. A type is checked before values are compared."""

import math
from collections.abc import Callable, Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

#: How the user tells imbalanced-learn how many rows each class is to have.
SamplingStrategy = float | str | Mapping[Any, int] | Callable[[np.ndarray], Mapping[Any, int]]

#: Seeds of generators are drawn below this number, the largest integer of 32 bits.
LARGEST_SEED = int(np.iinfo(np.int32).max)


def is_number(value: Any) -> bool:
    """Tell whether a value is a real number; ``True`` and ``False`` are not.

    Parameters
    ----------
    value : object

    Returns
    -------
    bool

    Examples
    --------
    >>> from simpor._checks import is_number
    >>> is_number(0.5), is_number(np.float32(2)), is_number(True), is_number("0.5")
    (True, True, False, False)
    """
    return isinstance(value, Real) and not isinstance(value, bool)


def check_whole(name: str, value: Any, least: int = 1) -> int:
    """Validate a parameter that counts something.

    Parameters
    ----------
    name : str
        The parameter's name, for the message.
    value : object
    least : int, default=1
        The smallest number that is allowed.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If the value is not an integer (2.0 and ``True`` are not), or below `least`.

    Examples
    --------
    >>> from simpor._checks import check_whole
    >>> check_whole("max_iter", np.int64(0), least=0)
    0
    >>> check_whole("k_neighbors", 2.0)
    Traceback (most recent call last):
        ...
    ValueError: k_neighbors=2.0: give a whole number >= 1.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise ValueError(f"{name}={value!r}: give a whole number >= {least}.")
    return int(value)


def check_counts(sampling_strategy: Any, y: np.ndarray) -> None:
    """Validate the numbers of rows in a sampling strategy.

    imbalanced-learn checks that they are large enough, not that they are whole.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable
    y : ndarray of shape (n,)
        The labels, for a callable.

    Raises
    ------
    TypeError
        If a callable returns anything but a dictionary.
    ValueError
        If a number of rows is not an integer, or the strategy is ``True``.

    Examples
    --------
    >>> from simpor._checks import check_counts
    >>> check_counts({1: 60.5}, np.array([0, 0, 1]))
    Traceback (most recent call last):
        ...
    ValueError: sampling_strategy={1: 60.5}: give a whole number of rows for each class.
    """
    if isinstance(sampling_strategy, bool):
        raise ValueError(
            f'sampling_strategy={sampling_strategy}: give "auto", a ratio in (0, 1], or a dictionary '
            "of whole numbers of rows."
        )
    counts = sampling_strategy(y) if callable(sampling_strategy) else sampling_strategy
    if callable(sampling_strategy) and not isinstance(counts, Mapping):
        raise TypeError(
            f"sampling_strategy returned {counts!r}: return a dictionary with a whole number of rows "
            "for each class."
        )
    if isinstance(counts, Mapping):
        for label, count in counts.items():
            if isinstance(count, bool) or not isinstance(count, Integral):
                raise ValueError(
                    f"sampling_strategy={{{label!r}: {count!r}}}: give a whole number of rows for "
                    "each class."
                )


def check_distances(X: np.ndarray) -> None:
    """Refuse rows so far apart that their distances overflow.

    Parameters
    ----------
    X : ndarray of shape (n, d)

    Raises
    ------
    ValueError
        If the largest distance that the columns' ranges allow is not finite.

    Examples
    --------
    >>> from simpor._checks import check_distances
    >>> check_distances(np.array([[0.0], [1e200]]))
    Traceback (most recent call last):
        ...
    ValueError: Distances in X overflow: standardise it first (StandardScaler).
    """
    with np.errstate(over="ignore"):
        longest_distance = np.linalg.norm(np.ptp(X, axis=0))
    if not np.isfinite(longest_distance):
        raise ValueError("Distances in X overflow: standardise it first (StandardScaler).")


def check_bandwidth(bandwidth: Any) -> float:
    """Validate a bandwidth that is given as a number.

    Parameters
    ----------
    bandwidth : object

    Returns
    -------
    float

    Raises
    ------
    TypeError
        If the bandwidth is not a number.
    ValueError
        If the bandwidth is not positive and finite.
    """
    if not is_number(bandwidth):
        raise TypeError(f'bandwidth={bandwidth!r}: give a positive number or "scott".')
    h = float(bandwidth)
    if not (math.isfinite(h) and h > 0):
        raise ValueError(f'bandwidth={bandwidth!r}: give a positive, finite number or "scott".')
    return h


def check_queries(estimator: BaseEstimator, X: Any) -> np.ndarray:
    """Validate the points at which a fitted density or ratio is asked for.

    Parameters
    ----------
    estimator : BaseEstimator
        Fitted.
    X : array-like of shape (m, d)

    Returns
    -------
    ndarray of shape (m, d)
        Contiguous floats of 64 bits.

    Raises
    ------
    ValueError
        If `X` has other features than the rows of `fit`, or is not finite or two-dimensional.

    Notes
    -----
    Names of columns are compared where both tables have them. An objective that was fitted on a
    frame is climbed with arrays, and must not warn at each of its evaluations.
    """
    check_is_fitted(estimator)
    if hasattr(X, "columns") and hasattr(estimator, "feature_names_in_"):
        return validate_data(estimator, X, dtype=np.float64, order="C", reset=False)
    X = check_array(X, dtype=np.float64, order="C")
    if X.shape[1] != estimator.n_features_in_:
        raise ValueError(
            f"X has {X.shape[1]} features, but {type(estimator).__name__} is expecting "
            f"{estimator.n_features_in_} features as input."
        )
    return X


def check_n_jobs(n_jobs: Any) -> None:
    """Validate a number of threads.

    Parameters
    ----------
    n_jobs : object

    Raises
    ------
    ValueError
        If `n_jobs` is not None, -1 or a positive integer.
    """
    if n_jobs is None:
        return
    is_whole = isinstance(n_jobs, Integral) and not isinstance(n_jobs, bool)
    if not (is_whole and (n_jobs == -1 or n_jobs >= 1)):
        raise ValueError(
            f"n_jobs={n_jobs!r}: give None, -1 (all threads) or a number of threads >= 1."
        )
