"""Gaussian kernel density: its logarithm, and the gradient of its logarithm, in one pass."""

import math
from typing import Self

import numba
import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from simpor._checks import check_bandwidth, check_n_jobs, check_queries
from simpor._kernel_sums import kernel_sums

LARGEST_FLOAT = np.finfo(np.float64).max


def kernel_sums_by_formula(
    queries: np.ndarray, rows: np.ndarray, bandwidth: float
) -> tuple[np.ndarray, np.ndarray]:
    r"""Log kernel sums and mean shifts, written as in the book, with all kernels in one array.

    .. math::

        \log \sum_i e^{-\|x - x_i\|^2 / 2h^2}
        \qquad\text{and}\qquad
        m(x) - x = \frac{\sum_i x_i\, e^{-\|x - x_i\|^2 / 2h^2}}{\sum_i e^{-\|x - x_i\|^2 / 2h^2}} - x

    :class:`GaussianKDE` calls a compiled version of this, which is faster and holds no such array.

    Parameters
    ----------
    queries : ndarray of shape (m, d)
    rows : ndarray of shape (n, d)
    bandwidth : float
        The kernel's standard deviation :math:`h`.

    Returns
    -------
    log_sum : ndarray of shape (m,)
        In nats.
    shift : ndarray of shape (m, d)
        In the unit of the features.

    Examples
    --------
    >>> from simpor.kde import kernel_sums_by_formula
    >>> log_sum, shift = kernel_sums_by_formula(np.array([[1.0]]), np.array([[0.0], [4.0]]), 1.0)
    >>> log_sum.round(3), shift.round(3)
    (array([-0.482]), array([[-0.928]]))
    """
    differences = queries[:, None, :] - rows[None, :, :]
    exponents = -0.5 * np.sum((differences / bandwidth) ** 2, axis=2)
    # the largest kernel is taken out of the sum, so that the others cannot all underflow
    largest = np.max(exponents, axis=1, keepdims=True)
    weights = np.exp(exponents - largest)
    total = np.sum(weights, axis=1, keepdims=True)
    log_sum = largest + np.log(total)
    mean_shift_points = weights @ rows / total
    return log_sum[:, 0], mean_shift_points - queries


def _kernel_sums_without_compiler(
    queries: np.ndarray, rows: np.ndarray, bandwidth: float
) -> tuple[np.ndarray, np.ndarray]:
    """The formula for a few queries at a time, where NUMBA_DISABLE_JIT forbids to compile."""
    log_sum, shift = np.empty(len(queries)), np.empty(queries.shape)
    at_once = max(1, 2**22 // rows.size)
    with np.errstate(over="ignore", invalid="ignore"):
        for first in range(0, len(queries), at_once):
            part = slice(first, first + at_once)
            log_sum[part], shift[part] = kernel_sums_by_formula(queries[part], rows, bandwidth)
    log_sum[np.isnan(log_sum)] = -np.inf  # every squared distance overflowed
    return log_sum, shift


def scott_bandwidth(n_rows: int, n_features: int) -> float:
    """Scott's rule as the TAI paper writes it, ``n ** (-1 / (d + 4))``, for features of unit variance.

    Parameters
    ----------
    n_rows : int
    n_features : int

    Returns
    -------
    float
        The bandwidth, in the unit of the (standardised) features.

    Examples
    --------
    >>> scott_bandwidth(4096, 2)
    0.25
    """
    return float(n_rows) ** (-1.0 / (n_features + 4))


class GaussianKDE(DensityMixin, BaseEstimator):
    r"""Gaussian kernel density estimate with its gradient.

    With :math:`n` rows :math:`x_i` in :math:`d` dimensions and bandwidth :math:`h`,

    .. math::

        \hat f(x) = \frac{1}{n\,h^d\,(2\pi)^{d/2}} \sum_{i=1}^n e^{-\|x - x_i\|^2 / 2h^2},
        \qquad
        \nabla \log \hat f(x) = \frac{m(x) - x}{h^2},

    where :math:`m(x) = \sum_i w_i x_i` is the mean-shift point: the mean of the rows with weights
    :math:`w_i \propto e^{-\|x - x_i\|^2 / 2h^2}`.

    Parameters
    ----------
    bandwidth : float or "scott", default="scott"
        The kernel's standard deviation :math:`h`, in the unit of the features. "scott" is
        :math:`n^{-1/(d+4)}`, which suits features of unit variance; nothing is scaled here.
    n_jobs : int, default=None
        Maximum number of threads; small inputs use fewer. None and -1 stand for as many as numba
        may use: the environment variable NUMBA_NUM_THREADS, or else one per processor core. The
        result is the same bit for bit with any number of threads.

    Attributes
    ----------
    bandwidth_ : float
        The bandwidth in use.
    n_features_in_ : int
        Number of features seen by `fit`.

    See Also
    --------
    sklearn.neighbors.KernelDensity : The same density by trees, without the gradient.

    Notes
    -----
    TAI paper, Eq. 10 and 11 (its kernels lack the minus sign in the exponent), and its section on
    the bandwidth. A query too far away for its squared distance to be a float has the log density
    ``-inf`` and a gradient towards the mean of the rows. A gradient beyond the largest float is
    that float.

    Examples
    --------
    >>> import numpy as np
    >>> from simpor import GaussianKDE
    >>> density = GaussianKDE(bandwidth=1.0).fit(np.array([[0.0], [4.0]]))
    >>> density.score_samples([[2.0], [1e6]]).round(3)
    array([-2.91900e+00, -4.99996e+11])
    >>> density.gradient([[2.0], [1.0]]).round(3)
    array([[ 0.   ],
           [-0.928]])
    """

    def __init__(self, *, bandwidth: float | str = "scott", n_jobs: int | None = None) -> None:
        self.bandwidth = bandwidth
        self.n_jobs = n_jobs

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Store the rows and settle the bandwidth.

        Parameters
        ----------
        X : array-like of shape (n, d)
        y : ignored

        Returns
        -------
        self : GaussianKDE

        Raises
        ------
        ValueError
            If `X` is empty, not finite or not two-dimensional, a parameter is out of range, or the
            rows divided by the bandwidth are too large for floats.
        TypeError
            If `X` is sparse, or the bandwidth is neither a number nor "scott".
        """
        return self._fit(validate_data(self, X, dtype=np.float64, order="C"))

    def _fit(self, X: np.ndarray) -> Self:
        """The same for callers that have validated X."""
        check_n_jobs(self.n_jobs)
        if isinstance(self.bandwidth, str) and self.bandwidth == "scott":
            self.bandwidth_ = scott_bandwidth(*X.shape)
        else:
            self.bandwidth_ = check_bandwidth(self.bandwidth)
        self._rows = self._in_unit(X)
        with np.errstate(over="ignore"):
            largest_sum = len(X) * np.abs(self._rows).max()
        if not np.isfinite(largest_sum):
            raise ValueError(
                f"bandwidth={self.bandwidth_!r} is too small for rows as large as {np.abs(X).max()!r}; "
                "scale the features or give a larger bandwidth."
            )
        return self

    @property
    def _unit(self) -> float:
        """The power of two just below the bandwidth.

        Squared distances in this unit do not overflow, and dividing by it is exact.
        """
        return math.ldexp(0.5, math.frexp(self.bandwidth_)[1])

    @property
    def _log_norm(self) -> float:
        """Logarithm of what the kernel sum is divided by."""
        n, d = self._rows.shape
        return math.log(n) + d * math.log(self.bandwidth_) + 0.5 * d * math.log(2 * math.pi)

    def _in_unit(self, X: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore"):
            return X / self._unit

    def _log_density_and_shift(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        queries, h = self._in_unit(X), self.bandwidth_ / self._unit
        if numba.config.DISABLE_JIT:
            log_sum, shift = _kernel_sums_without_compiler(queries, self._rows, h)
        else:
            log_sum, shift = kernel_sums(queries, self._rows, h, self.n_jobs)
        shift *= self._unit
        # the weights cannot be told apart at such a distance: the plain mean is the mean-shift point
        far = log_sum == -np.inf
        if far.any():
            with np.errstate(over="ignore"):
                shift[far] = self._rows.mean(axis=0) * self._unit - X[far]
        return log_sum - self._log_norm, shift

    def _score_and_gradient(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        log_density, shift = self._log_density_and_shift(X)
        with np.errstate(over="ignore"):
            gradient = shift / self.bandwidth_ / self.bandwidth_
        return log_density, np.clip(gradient, -LARGEST_FLOAT, LARGEST_FLOAT)

    def score_samples(self, X: ArrayLike) -> np.ndarray:
        """Log density at each query.

        Parameters
        ----------
        X : array-like of shape (m, d)

        Returns
        -------
        ndarray of shape (m,)
            In nats per unit volume, as :meth:`sklearn.neighbors.KernelDensity.score_samples`.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, order="C", reset=False)
        return self._log_density_and_shift(X)[0]

    def gradient(self, X: ArrayLike) -> np.ndarray:
        """Gradient of the log density at each query: ``(m(x) - x) / h**2``.

        Parameters
        ----------
        X : array-like of shape (m, d)

        Returns
        -------
        ndarray of shape (m, d)
            In nats per unit length.
        """
        return self.score_samples_and_gradient(X)[1]

    def score_samples_and_gradient(self, X: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Log density and its gradient, for the price of one.

        Parameters
        ----------
        X : array-like of shape (m, d)

        Returns
        -------
        log_density : ndarray of shape (m,)
        gradient : ndarray of shape (m, d)
        """
        return self._score_and_gradient(check_queries(self, X))

    def score(self, X: ArrayLike, y: object = None) -> float:
        """Total log density of the queries, by which scikit-learn's searches choose a bandwidth.

        Parameters
        ----------
        X : array-like of shape (m, d)
        y : ignored

        Returns
        -------
        float
        """
        return float(np.sum(self.score_samples(X)))
