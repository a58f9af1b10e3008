"""The nearest rows of some rows of a table."""

import numpy as np
from sklearn.neighbors import KDTree

from simpor._kernel_sums import _pool, n_threads

# With more rows and more features than these, a tree visits nearly all rows, and slowly.
ROWS_FOR_A_TREE = 10_000
FEATURES_FOR_A_TREE = 15
# Squared distances held at once, to limit the memory: 32 MB, and as much for their partition.
PAIRS_AT_ONCE = 2**22
# Steps in which a tree finds a neighbour, about: what a thread has to do.
STEPS_OF_A_SEARCH = 2**10


def nearest_others(
    rows: np.ndarray, i: np.ndarray, n_neighbors: int, n_jobs: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The rows nearest to each of some rows, itself left out.

    Parameters
    ----------
    rows : ndarray of shape (n, d)
        At least two.
    i : ndarray of int of shape (m,)
        Indices of the rows whose neighbours are wanted.
    n_neighbors : int
        Capped at n - 1.
    n_jobs : int or None, default=None
        Threads at most; None and -1 stand for all.

    Returns
    -------
    distances : ndarray of shape (m, n_neighbors)
        In ascending order, in the unit of the features.
    indices : ndarray of int of shape (m, n_neighbors)

    Examples
    --------
    >>> import numpy as np
    >>> from simpor._neighbors import nearest_others
    >>> rows = np.array([[0.0], [5.0], [2.0]])
    >>> distances, indices = nearest_others(rows, np.array([0, 2]), n_neighbors=1)
    >>> distances.ravel(), indices.ravel()
    (array([2., 2.]), array([2, 0]))
    """
    n, d = rows.shape
    n_found = min(n_neighbors, n - 1) + 1
    if n > ROWS_FOR_A_TREE and d > FEATURES_FOR_A_TREE:
        distances, found = _by_matrix_products(rows, rows[i], n_found)
    else:
        tree = KDTree(rows, leaf_size=30)
        threads = min(len(i), n_threads(n_jobs, len(i) * STEPS_OF_A_SEARCH * d))
        run = map if threads == 1 else _pool().map
        answers = run(lambda part: tree.query(part, n_found), np.array_split(rows[i], threads))
        distances, found = map(np.concatenate, zip(*answers))
    # one of those found is the row itself, or as near as that: a duplicate
    is_itself = found == i[:, None]
    is_itself[~is_itself.any(axis=1), -1] = True
    shape = len(i), n_found - 1
    return distances[~is_itself].reshape(shape), found[~is_itself].reshape(shape)


def _by_matrix_products(
    rows: np.ndarray, queries: np.ndarray, n_found: int
) -> tuple[np.ndarray, np.ndarray]:
    """The nearest rows to some of the rows; of equally near ones those that come first.

    Matrix products give the squared distances, rounded, less the square of the query. Every row that
    could be among the nearest, however it was rounded, is measured again. So the result does not
    depend on how the products are rounded, which differs with the number of threads.
    """
    n, d = rows.shape
    mean = rows.mean(axis=0)
    centered = rows - mean  # smaller numbers are rounded less
    squares = np.sum(centered**2, axis=1)
    rounding = 8 * (d + 2) * np.finfo(float).eps * squares.max()
    distances = np.empty((len(queries), n_found))
    indices = np.empty((len(queries), n_found), dtype=np.intp)
    at_once = max(1, PAIRS_AT_ONCE // n)
    for first in range(0, len(queries), at_once):
        products = (queries[first : first + at_once] - mean) @ centered.T
        products *= -2
        products += squares
        limits = np.partition(products, n_found - 1, axis=1)[:, n_found - 1] + rounding
        for j in range(len(products)):
            near = np.flatnonzero(products[j] <= limits[j])
            measured = np.linalg.norm(rows[near] - queries[first + j], axis=1)
            order = np.argsort(measured, kind="stable")[:n_found]
            distances[first + j], indices[first + j] = measured[order], near[order]
    return distances, indices
