"""KOTARO (Nishimura et al., 2025): kernel interpolation with a width for each training row."""

import warnings
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg
from scipy.spatial.distance import cdist
from sklearn.utils import gen_batches
from threadpoolctl import threadpool_limits

from simpor._checks import check_whole
from simpor.relatives._neighborhoods import nearest
from simpor.relatives._parameters import check_choice, check_not_negative
from simpor.relatives._two_classes import TwoClassClassifier

__all__ = ["KOTAROClassifier"]

ROWS_AT_ONCE = 1024


class KOTAROClassifier(TwoClassClassifier):
    r"""A sum of Gaussian bumps, each as wide as its row is far from its neighbours.

    With labels :math:`y_i = \pm 1`, and :math:`d_i` the largest distance from :math:`x_i` to its
    :math:`n` nearest training rows,

    .. math:: f(x) = \sum_i w_i\, e^{-\gamma_i \lVert x - x_i\rVert^2}, \qquad
              \gamma_i = 1 / d_i, \qquad K w = y, \qquad
              K_{ji} = e^{-\gamma_i \lVert x_j - x_i\rVert^2} .

    Rows of a sparse class get wide bumps and so reach further; no row is added. The prediction is
    the sign of :math:`f`.

    Parameters
    ----------
    n_neighbors : int, default=5
        :math:`n`, the row itself excluded and all classes counted (both our reading; the number is
        our choice).
    ridge : float, default=0.0
        :math:`\lambda \ge 0`: the weights solve :math:`(K + \lambda I) w = y`. 0 is as published
        and gives every training row back its label, a wrong one too. Above 0 is our addition.
    scale : {"paper", "free"}, default="paper"
        "paper" takes :math:`\gamma_i = 1 / d_i` as published. The exponents then have the unit of
        the features, so that metres and centimetres give different predictions. "free" is our
        repair, :math:`\gamma_i = 1 / (2 d_i^2)`, which no change of unit affects.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        ``decision_function`` is positive for the second.
    gammas_ : ndarray of shape (n,)
        :math:`\gamma_i` of the training rows.
    weights_ : ndarray of shape (n,)
        :math:`w`.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only if ``X`` has column names.

    Raises
    ------
    ValueError
        If there are not two classes, no more rows than `n_neighbors`, only copies of one row, or a
        parameter is out of range.

    Warns
    -----
    LinAlgWarning
        If :math:`K + \lambda I` is singular to working precision, for example because rows are
        duplicates. The weights are then the shortest among those of least squared error.

    Notes
    -----
    :math:`K` is not symmetric: the width belongs to the column. It takes :math:`n^2` numbers, and
    solving for the weights takes time in proportion to :math:`n^3`: 10,000 rows need 0.8 GB for the
    matrix alone. A row with :math:`n` copies of itself would have :math:`d_i = 0`; it gets the
    smallest positive :math:`d_i` (our reading).

    The equations are as published. We read them in a digest of the paper, not in the paper itself.

    References
    ----------
    K. J. Nishimura, Y. Sakumura and K. Ikeda, "Adaptive kernel-density approach for imbalanced
    binary classification", arXiv:2510.04046, 2025.

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> from simpor.relatives import KOTAROClassifier
    >>> X, y = make_moons((200, 20), noise=0.1, random_state=0)
    >>> kotaro = KOTAROClassifier(scale="free").fit(X, y)
    >>> kotaro.score(X, y)
    1.0
    """

    def __init__(self, n_neighbors: int = 5, *, ridge: float = 0.0, scale: str = "paper") -> None:
        self.n_neighbors = n_neighbors
        self.ridge = ridge
        self.scale = scale

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Find the widths and solve for the weights.

        Parameters
        ----------
        X : array-like of shape (n, d)
        y : array-like of shape (n,)
            Labels of two classes.

        Returns
        -------
        KOTAROClassifier
            The classifier itself.
        """
        X, numbers = self._check_X_y(X, y)
        self._check_parameters(len(X))
        d = _distances_to_farthest_neighbor(X, self.n_neighbors)
        self.gammas_ = 1 / d if self.scale == "paper" else 1 / (2 * d**2)
        self._rows = X
        kernel = _bumps(X, X, self.gammas_)
        kernel[np.diag_indices_from(kernel)] += self.ridge
        self.weights_ = _solve(kernel, 2.0 * numbers - 1)
        return self

    def decision_function(self, X: ArrayLike) -> np.ndarray:
        """Value of f at each row.

        Parameters
        ----------
        X : array-like of shape (m, d)

        Returns
        -------
        ndarray of shape (m,)
            Above 0 for ``classes_[1]``; without a ridge, -1 or 1 at the training rows.
        """
        X = self._check_X(X)
        batches = gen_batches(len(X), ROWS_AT_ONCE)
        with threadpool_limits(1):  # sums of BLAS are rounded differently in several threads
            return np.concatenate(
                [_bumps(X[rows], self._rows, self.gammas_) @ self.weights_ for rows in batches]
            )

    def _check_parameters(self, n_rows: int) -> None:
        check_whole("n_neighbors", self.n_neighbors, 1)
        check_not_negative("ridge", self.ridge)
        check_choice("scale", self.scale, "paper", "free")
        if self.n_neighbors >= n_rows:
            raise ValueError(
                f"n_neighbors={self.n_neighbors}, but n_samples={n_rows}: pass more rows, or ask "
                "for fewer neighbours."
            )


def _distances_to_farthest_neighbor(X: np.ndarray, n_neighbors: int) -> np.ndarray:
    """Distance from each row to the last of its nearest rows, never 0."""
    distances = nearest(X, n_neighbors)[0][:, -1]
    if not np.any(distances > 0):
        raise ValueError(
            f"X holds {len(X)} rows without any distance to their neighbours: drop the duplicates, "
            "or raise n_neighbors."
        )
    return np.maximum(distances, distances[distances > 0].min())


def _bumps(X: np.ndarray, centers: np.ndarray, gammas: np.ndarray) -> np.ndarray:
    """Bump i at each row of X, as an array of shape (rows of X, centers)."""
    return np.exp(-gammas * cdist(X, centers, "sqeuclidean"))


def _solve(matrix: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Solution of a linear system, or the shortest least-squares solution of a singular one."""
    with threadpool_limits(1):  # LAPACK rounds differently in several threads
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", linalg.LinAlgWarning)
                return linalg.solve(matrix, target)
        except (linalg.LinAlgError, linalg.LinAlgWarning):
            warnings.warn(
                "The kernel matrix is singular to working precision, so the weights are the "
                "shortest of least squared error: drop duplicate rows, standardise X, or give a "
                "ridge above 0.",
                linalg.LinAlgWarning,
                stacklevel=3,
            )
            return linalg.lstsq(matrix, target, lapack_driver="gelsy")[0]
