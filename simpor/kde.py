"""Gaussian kernel density: its logarithm, and the gradient of its logarithm, in one pass."""

import copy
import math
import sys
from collections.abc import Callable
from typing import Any, Self

import numba
import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from simpor._checks import check_bandwidth, check_n_jobs, check_queries
from simpor._device import Device, check_device, namespace, open_device
from simpor._kernel_sums import kernel_sums

LARGEST_FLOAT = sys.float_info.max
# Nats: a kernel's exponent may be wrong by this where squared distances are multiplied out.
LARGEST_CANCELLATION = 1e-10
# Nats: rows that lie farther than the nearest one by this hold no share of a sum.
NO_SHARE = 40.0

# From queries, rows and bandwidth to log sums and mean shifts.
KernelSums = Callable[[Any, Any, float], tuple[Any, Any]]


def kernel_sums_by_formula(queries: Any, rows: Any, bandwidth: float) -> tuple[Any, Any]:
    r"""Log kernel sums and mean shifts, written as in the book, with all kernels in one array.

    The arrays may be of NumPy or of any other library of the array API standard.

    .. math::

        \log \sum_i e^{-\|x - x_i\|^2 / 2h^2}
        \qquad\text{and}\qquad
        m(x) - x = \frac{\sum_i x_i\, e^{-\|x - x_i\|^2 / 2h^2}}{\sum_i e^{-\|x - x_i\|^2 / 2h^2}} - x

    :class:`GaussianKDE` calls a compiled version of this, which is faster and holds no such array.

    Parameters
    ----------
    queries : array of shape (m, d)
    rows : array of shape (n, d)
    bandwidth : float
        The kernel's standard deviation :math:`h`.

    Returns
    -------
    log_sum : array of shape (m,)
        In nats.
    shift : array of shape (m, d)
        In the unit of the features.

    Examples
    --------
    >>> from simpor.kde import kernel_sums_by_formula
    >>> log_sum, shift = kernel_sums_by_formula(np.array([[1.0]]), np.array([[0.0], [4.0]]), 1.0)
    >>> log_sum.round(3), shift.round(3)
    (array([-0.482]), array([[-0.928]]))
    """
    xp = namespace(queries)
    differences = queries[:, None, :] - rows[None, :, :]
    exponents = -0.5 * xp.sum((differences / bandwidth) ** 2, axis=2)
    return _sums_of_kernels(exponents, queries, rows)


def _sums_of_kernels(exponents: Any, queries: Any, rows: Any) -> tuple[Any, Any]:
    """Log sums of the kernels with these exponents (m, n), and the mean shifts."""
    xp = namespace(queries)
    # the largest kernel is taken out of the sum, so that the others cannot all underflow
    largest = xp.max(exponents, axis=1, keepdims=True)
    weights = xp.exp(exponents - largest)
    total = xp.sum(weights, axis=1, keepdims=True)
    log_sum = largest + xp.log(total)
    mean_shift_points = weights @ rows / total
    return log_sum[:, 0], mean_shift_points - queries


def kernel_sums_by_products(queries: Any, rows: Any, bandwidth: float) -> tuple[Any, Any]:
    r"""The same sums, with all squared distances from one matrix product.

    .. math:: \|x - x_i\|^2 = \|x\|^2 - 2\, x \cdot x_i + \|x_i\|^2

    A matrix product is what a GPU does best, and the array of differences, d numbers for every pair of
    query and row, is not needed. But where query and rows lie far from the origin, large numbers are
    subtracted from each other. So the origin is moved to the mean of the rows, and queries for which
    rounding may still change an exponent by more than 1e-10 are summed by the formula.

    Parameters
    ----------
    queries : array of shape (m, d)
        Of any library of the array API standard.
    rows : array of shape (n, d)
    bandwidth : float

    Returns
    -------
    log_sum : array of shape (m,)
        In nats.
    shift : array of shape (m, d)
        In the unit of the features.

    Examples
    --------
    >>> from simpor.kde import kernel_sums_by_products
    >>> log_sum, shift = kernel_sums_by_products(np.array([[1.0]]), np.array([[0.0], [4.0]]), 1.0)
    >>> log_sum.round(3), shift.round(3)
    (array([-0.482]), array([[-0.928]]))
    """
    xp = namespace(queries)
    origin = xp.mean(rows, axis=0)
    x, x_i = (queries - origin) / bandwidth, (rows - origin) / bandwidth
    squares, row_squares = xp.sum(x**2, axis=1, keepdims=True), xp.sum(x_i**2, axis=1)
    exponents = -0.5 * (squares - 2.0 * (x @ x_i.T) + row_squares[None, :])
    log_sum, shift = _sums_of_kernels(exponents, queries, rows)

    is_rounded = ~(_cancellation(squares[:, 0], exponents, x.shape[1]) <= LARGEST_CANCELLATION)
    if xp.any(is_rounded):  # also where the squares overflowed
        at_once = max(1, queries.shape[0] // queries.shape[1])
        log_sum[is_rounded], shift[is_rounded] = _in_blocks(
            kernel_sums_by_formula, queries[is_rounded], rows, bandwidth, at_once
        )
    return log_sum, shift


def _cancellation(squares: Any, exponents: Any, n_features: int) -> Any:
    """How far the exponents of each query may be wrong, for the rows that matter to it.

    Each of the three terms is rounded at most d + 3 times, and none is larger than the square of the
    two norms' sum. The norm of a row that matters exceeds the query's by their distance at most.
    """
    xp = namespace(squares)
    norms = xp.sqrt(squares)
    distances = xp.sqrt(-2.0 * xp.max(exponents, axis=1) + 2 * NO_SHARE)
    roundings = 0.5 * sys.float_info.epsilon * (n_features + 3)
    return 0.5 * roundings * (2.0 * norms + distances) ** 2


def _in_blocks(
    sums: KernelSums, queries: Any, rows: Any, bandwidth: float, at_once: int
) -> tuple[Any, Any]:
    """Kernel sums for so many queries at a time."""
    xp = namespace(queries)
    log_sum, shift = xp.empty_like(queries[:, 0]), xp.empty_like(queries)
    with np.errstate(over="ignore", invalid="ignore"):
        for first in range(0, queries.shape[0], at_once):
            part = slice(first, min(first + at_once, queries.shape[0]))
            log_sum[part], shift[part, :] = sums(queries[part, :], rows, bandwidth)
    log_sum[xp.isnan(log_sum)] = -math.inf  # every squared distance overflowed
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
    device : str, default=None
        None computes on this processor, with compiled code. The name of a PyTorch device that has
        float64, such as "cuda" or "cpu", computes there; this needs PyTorch and array-api-compat.
        Values agree to 1e-9 nats.

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

    # where a copy of this density computes whose rows are already there
    _device: Device | None = None

    def __init__(
        self,
        *,
        bandwidth: float | str = "scott",
        n_jobs: int | None = None,
        device: str | None = None,
    ) -> None:
        self.bandwidth = bandwidth
        self.n_jobs = n_jobs
        self.device = device

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
        ImportError
            If `device` is given and PyTorch or array-api-compat is not installed.
        """
        return self._fit(validate_data(self, X, dtype=np.float64, order="C"))

    def _fit(self, X: np.ndarray) -> Self:
        """The same for callers that have validated X."""
        check_n_jobs(self.n_jobs)
        check_device(self.device)
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

    def _in_unit(self, X: Any) -> Any:
        with np.errstate(over="ignore"):
            return X / self._unit

    def _on(self, device: Device) -> Self:
        """A copy with its rows on a device, for queries that are arrays there."""
        there = copy.copy(self)
        there._device, there._rows = device, device.asarray(self._rows)
        return there

    def _log_density_and_shift(self, X: Any) -> tuple[Any, Any]:
        if self.device is not None and self._device is None:
            device = open_device(self.device)
            log_density, shift = self._on(device)._log_density_and_shift(device.asarray(X))
            return device.to_numpy(log_density), device.to_numpy(shift)
        xp = namespace(X)
        log_sum, shift = self._kernel_sums(self._in_unit(X), self.bandwidth_ / self._unit)
        shift = shift * self._unit
        # at such a distance all weights underflow: the plain mean is the mean-shift point
        far = log_sum == -math.inf
        if xp.any(far):
            with np.errstate(over="ignore"):
                shift[far] = xp.mean(self._rows, axis=0) * self._unit - X[far]
        return log_sum - self._log_norm, shift

    def _kernel_sums(self, queries: Any, h: float) -> tuple[Any, Any]:
        if self._device is not None:
            at_once = self._device.queries_at_once(self._rows.shape[0])
            with self._device.enough_memory():
                return _in_blocks(kernel_sums_by_products, queries, self._rows, h, at_once)
        if numba.config.DISABLE_JIT:
            at_once = max(1, 2**22 // self._rows.size)
            return _in_blocks(kernel_sums_by_formula, queries, self._rows, h, at_once)
        return kernel_sums(queries, self._rows, h, self.n_jobs)

    def _score_and_gradient(self, X: Any) -> tuple[Any, Any]:
        log_density, shift = self._log_density_and_shift(X)
        with np.errstate(over="ignore"):
            gradient = shift / self.bandwidth_ / self.bandwidth_
        return log_density, namespace(X).clip(gradient, -LARGEST_FLOAT, LARGEST_FLOAT)

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
