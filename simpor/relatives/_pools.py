"""Rows that a sampler appends, drawn as a pool: for methods that stand around any sampler."""

from typing import Any

import numpy as np
from imblearn.over_sampling.base import BaseOverSampler
from sklearn.base import clone

__all__: list[str] = []


def check_appends(sampler: Any) -> None:
    """Refuse samplers that do not keep all rows and append new ones.

    Parameters
    ----------
    sampler : object

    Raises
    ------
    TypeError
        If it is not an oversampler in imbalanced-learn's manner.
    """
    if not isinstance(sampler, BaseOverSampler):
        raise TypeError(
            f"sampler={sampler!r}: give an oversampler of imbalanced-learn or simpor, which keeps "
            "all rows and appends synthetic ones; others drop or clean rows."
        )


def draw_pool(
    sampler: BaseOverSampler, X: Any, y: np.ndarray, label: Any, n_rows: int, seed: int
) -> Any:
    """Synthetic rows of a class, in the order in which the sampler appends them.

    Parameters
    ----------
    sampler : BaseOverSampler
        Cloned; its ``sampling_strategy`` and ``random_state`` are replaced.
    X : ndarray or DataFrame of shape (n, d)
    y : ndarray of shape (n,)
    label : object
        The class.
    n_rows : int
        Rows to draw. ADASYN draws a few more or fewer.
    seed : int

    Returns
    -------
    ndarray or DataFrame of shape (n_rows, d)

    Raises
    ------
    ValueError
        If the class has no row, the sampler cannot draw from its rows, or it did not append to the
        rows it was given.
    """
    if n_rows == 0:
        return X[:0]
    n_own = int(np.sum(y == label))
    if n_own == 0:
        raise ValueError(
            "No minority row is left for the sampler in one of the folds: pass more minority rows, or "
            "ask for fewer folds."
        )
    sampler = clone(sampler).set_params(sampling_strategy={label: n_own + n_rows})
    if "random_state" in sampler.get_params():
        sampler.set_params(random_state=seed)
    try:
        resampled, _ = sampler.fit_resample(X, y)
    except (ValueError, TypeError) as error:
        lacks_rows = "n_samples" in str(error)
        cure = (
            "pass more rows, or a sampler that needs fewer"
            if lacks_rows
            else "pass rows that it takes"
        )
        raise ValueError(
            f"{type(sampler).__name__} cannot draw rows (minority rows that it gets here: {n_own}; "
            f"its message: {str(error).splitlines()[0]}): {cure}."
        ) from error
    if not np.array_equal(np.asarray(resampled[: len(X)]), np.asarray(X)):
        raise ValueError(
            f"{type(sampler).__name__} changed the rows it was given: use a sampler that appends."
        )
    return resampled[len(X) :]
