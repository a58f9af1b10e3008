"""What the relatives share: neighbours, the classes among them, lines between rows, exact counts."""

from collections.abc import Callable

import numpy as np
from sklearn.neighbors import NearestNeighbors

__all__ = ["class_counts", "entropy", "interpolate", "nearest", "until_enough"]


def nearest(rows: np.ndarray, n_neighbors: int) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest other rows of every row.

    Parameters
    ----------
    rows : ndarray of shape (n, d)
    n_neighbors : int
        How many to find, the row itself left out. If there are fewer other rows, all are found.

    Returns
    -------
    distances : ndarray of shape (n, min(n_neighbors, n - 1))
        Euclidean, the nearest first.
    indices : int ndarray of the same shape

    Examples
    --------
    >>> import numpy as np
    >>> from simpor.relatives._neighborhoods import nearest
    >>> distances, indices = nearest(np.array([[0.0], [1.0], [3.0]]), n_neighbors=2)
    >>> distances
    array([[1., 3.],
           [1., 2.],
           [2., 3.]])
    >>> indices
    array([[1, 2],
           [0, 2],
           [1, 0]])
    """
    n_neighbors = min(n_neighbors, len(rows) - 1)
    if n_neighbors < 1:
        return np.empty((len(rows), 0)), np.empty((len(rows), 0), dtype=np.intp)
    # Brute force rounds differently with the number of threads; a k-d tree does not.
    tree = NearestNeighbors(n_neighbors=n_neighbors, algorithm="kd_tree").fit(rows)
    return tree.kneighbors()


def class_counts(y: np.ndarray, indices: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Count how many neighbours of each row belong to each class.

    Parameters
    ----------
    y : ndarray of shape (n,)
        Labels of all rows.
    indices : int ndarray of shape (m, k)
        Neighbours of m rows, as :func:`nearest` returns them.
    classes : ndarray of shape (n_classes,)

    Returns
    -------
    int ndarray of shape (m, n_classes)

    Examples
    --------
    >>> import numpy as np
    >>> from simpor.relatives._neighborhoods import class_counts
    >>> class_counts(np.array([0, 0, 1]), np.array([[1, 2], [0, 2], [0, 1]]), np.array([0, 1]))
    array([[1, 1],
           [1, 1],
           [2, 0]])
    """
    labels = y[indices]
    return np.stack([(labels == label).sum(axis=1) for label in classes], axis=1)


def entropy(counts: np.ndarray) -> np.ndarray:
    r"""Entropy of the classes in each neighbourhood, in bits.

    With :math:`p_c = k_c / \sum_c k_c`, it is :math:`-\sum_c p_c \log_2 p_c`.

    Parameters
    ----------
    counts : ndarray of shape (m, n_classes)
        Neighbours of each class, as :func:`class_counts` returns them.

    Returns
    -------
    ndarray of shape (m,)
        0 for a neighbourhood of one class or without any row.

    Examples
    --------
    >>> import numpy as np
    >>> from simpor.relatives._neighborhoods import entropy
    >>> entropy(np.array([[2, 2], [4, 0]]))
    array([1., 0.])
    """
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    logs = np.log2(shares, out=np.zeros_like(shares), where=shares > 0)
    return 0.0 - (shares * logs).sum(axis=1)


def interpolate(
    rows: np.ndarray,
    n_rows: int,
    n_neighbors: int,
    rng: np.random.RandomState,
    probabilities: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw points on the lines between rows and their nearest others, as SMOTE does.

    Parameters
    ----------
    rows : ndarray of shape (n, d)
        At least one row. A single row is copied, since it has no other.
    n_rows : int
        Points to draw.
    n_neighbors : int
        One of that many nearest other rows is the far end of a line.
    rng : RandomState
    probabilities : ndarray of shape (n,), default=None
        Chance of each row to be the near end, the seed; None makes all equally likely.

    Returns
    -------
    points : ndarray of shape (n_rows, d)
    seeds : int ndarray of shape (n_rows,)
        The row at which each point's line begins.

    Examples
    --------
    >>> import numpy as np
    >>> from simpor.relatives._neighborhoods import interpolate
    >>> points, seeds = interpolate(np.array([[7.0, 8.0]]), 2, 5, np.random.RandomState(0))
    >>> points
    array([[7., 8.],
           [7., 8.]])
    """
    seeds = rng.choice(len(rows), size=n_rows, p=probabilities)
    _, neighbors = nearest(rows, n_neighbors)
    if neighbors.shape[1] == 0:
        return rows[seeds], seeds
    partners = neighbors[seeds, rng.randint(neighbors.shape[1], size=n_rows)]
    share = rng.uniform(size=(n_rows, 1))
    return rows[seeds] + share * (rows[partners] - rows[seeds]), seeds


def until_enough(
    draw: Callable[[int], np.ndarray],
    fill: Callable[[int], np.ndarray],
    n_rows: int,
    n_tries: int = 1,
) -> tuple[np.ndarray, int]:
    """Collect rows from a method that may return too few, and fill up to the exact count.

    Parameters
    ----------
    draw : callable, n -> ndarray of shape (m, d)
        The method. It is asked for the n rows that are missing; those beyond n are left out.
    fill : callable, n -> ndarray of shape (n, d)
        Draws what is missing after the last try.
    n_rows : int
    n_tries : int, default=1
        How often ``draw`` is asked.

    Returns
    -------
    rows : ndarray of shape (n_rows, d)
        Those of ``draw`` first.
    n_filled : int
        How many come from ``fill``.

    Examples
    --------
    >>> import numpy as np
    >>> from simpor.relatives._neighborhoods import until_enough
    >>> one_row, zeros = lambda n: np.ones((1, 2)), lambda n: np.zeros((n, 2))
    >>> until_enough(one_row, zeros, n_rows=3, n_tries=2)
    (array([[1., 1.],
           [1., 1.],
           [0., 0.]]), 1)
    """
    parts: list[np.ndarray] = []
    n_missing = n_rows
    for _ in range(n_tries):
        if n_missing == 0:
            break
        parts.append(draw(n_missing)[:n_missing])
        n_missing -= len(parts[-1])
    return np.concatenate([*parts, fill(n_missing)]), n_missing
