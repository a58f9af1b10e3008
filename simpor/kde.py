"""Gaussian kernel density: its logarithm, and the gradient of its logarithm, in one pass.

The sum over the kernels is taken in logarithms, block of rows by block of rows: a block raises the
running maximum if it must, rescales what was summed before, and adds its own terms. No array of
the size queries x rows is ever held, and each query is reduced by one thread in one fixed order,
so the result does not depend on the number of threads.
"""

import math
import threading
from contextlib import contextmanager
from numbers import Integral, Real

import numba
import numpy as np
from llvmlite import ir
from numba import njit, prange, types
from numba.extending import intrinsic
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.utils.validation import check_is_fitted, validate_data

# Rows a block: its exponents and weights stay in the cache nearest to the processor.
BLOCK = 512

# Not plain True: "nnan" and "ninf" would let the compiler remove the guards against infinity.
FASTMATH = {"contract", "reassoc", "nsz", "arcp", "afn"}

LOG2_E = 1.4426950408889634
LN_2_HIGH = 0.693147180369123816490  # few bits, so that n * LN_2_HIGH is exact
LN_2_LOW = 1.90821492927058770002e-10
SMALLEST_EXPONENT = -708.0  # exp of it is the smallest number that is not subnormal
ROUND_TO_INTEGER = 6755399441055744.0  # 1.5 * 2**52: adding it leaves the integer in the low bits

# Two Python threads must not enter numba's fallback threading layer at once: it would abort.
_one_call_at_a_time = threading.Lock()


@intrinsic
def _bits(typingctx, x):
    """The 64 bits of a float, read as an integer."""

    def codegen(context, builder, signature, args):
        return builder.bitcast(args[0], ir.IntType(64))

    return types.int64(types.float64), codegen


@intrinsic
def _float_from_bits(typingctx, bits):
    """The float whose 64 bits are those of an integer."""

    def codegen(context, builder, signature, args):
        return builder.bitcast(args[0], ir.DoubleType())

    return types.float64(types.int64), codegen


@njit(fastmath={"contract"}, forceinline=True)  # "reassoc" would cancel the rounding below
def _exp(x):
    """exp(x) for x <= 0, without a branch or a call, so that loops over it are vectorised.

    x = n ln 2 + r with |r| <= ln(2) / 2. The Taylor polynomial of degree 13 gives exp(r), and 2**n
    is written into the bits of the exponent.
    """
    x = max(x, SMALLEST_EXPONENT)
    shifted = x * LOG2_E + ROUND_TO_INTEGER
    n = shifted - ROUND_TO_INTEGER
    r = (x - n * LN_2_HIGH) - n * LN_2_LOW
    p = 1.0 / 6227020800.0
    p = p * r + 1.0 / 479001600.0
    p = p * r + 1.0 / 39916800.0
    p = p * r + 1.0 / 3628800.0
    p = p * r + 1.0 / 362880.0
    p = p * r + 1.0 / 40320.0
    p = p * r + 1.0 / 5040.0
    p = p * r + 1.0 / 720.0
    p = p * r + 1.0 / 120.0
    p = p * r + 1.0 / 24.0
    p = p * r + 1.0 / 6.0
    p = p * r + 0.5
    p = p * r + 1.0
    p = p * r + 1.0
    return p * _float_from_bits((_bits(shifted) + 1023) << 52)


# Inlined by force: a second compiled copy, called from a process that compiled anew and not from one
# that read the cache, would round differently.
@njit(fastmath=FASTMATH, forceinline=True)
def _log_sum_and_shift_of_one(x, rows_by_feature, bandwidth, shift):
    """Log of the kernel sum at one query x (d,); writes the mean shift m(x) - x into `shift` (d,)."""
    d, n = rows_by_feature.shape
    per_bandwidth = 1.0 / bandwidth
    squares = np.empty(BLOCK)
    weights = np.empty(BLOCK)
    largest = -np.inf
    total = 0.0
    shift[:] = 0.0
    for first in range(0, n, BLOCK):
        size = min(BLOCK, n - first)
        squares[:size] = 0.0
        for k in range(d):
            # the slice is taken before the inner loop: numba vectorises the loop only then
            column = rows_by_feature[k, first : first + size]
            x_k = x[k]
            for j in range(size):
                distance = (column[j] - x_k) * per_bandwidth
                squares[j] += distance * distance
        nearest = np.inf
        for j in range(size):
            nearest = min(nearest, squares[j])
        if -0.5 * nearest > largest:
            rescale = math.exp(largest + 0.5 * nearest)
            largest = -0.5 * nearest
            total *= rescale
            for k in range(d):
                shift[k] *= rescale
        if largest == -np.inf:
            continue  # so far away that every squared distance overflows
        block_total = 0.0
        for j in range(size):
            w = _exp(-0.5 * squares[j] - largest)
            weights[j] = w
            block_total += w
        total += block_total
        for k in range(d):
            column = rows_by_feature[k, first : first + size]
            x_k = x[k]
            pull = 0.0
            for j in range(size):
                pull += weights[j] * (column[j] - x_k)
            shift[k] += pull
    if total == 0.0:
        # the weights cannot be told apart at such a distance: the plain mean is the mean-shift point
        for k in range(d):
            shift[k] = np.mean(rows_by_feature[k] - x[k])
        return -np.inf
    for k in range(d):
        shift[k] /= total
    return largest + math.log(total)


@njit(parallel=True, cache=True)
def _log_sum_and_shift(queries, rows_by_feature, bandwidth):
    """Log kernel sums (m,) and mean shifts (m, d) of all queries (m, d), spread over threads."""
    log_sum = np.empty(queries.shape[0])
    shift = np.empty(queries.shape)
    for i in prange(queries.shape[0]):
        log_sum[i] = _log_sum_and_shift_of_one(queries[i], rows_by_feature, bandwidth, shift[i])
    return log_sum, shift


@contextmanager
def _threads(n_jobs):
    """Let numba use `n_jobs` threads: None leaves its setting, -1 is all of them."""
    with _one_call_at_a_time:
        before = numba.get_num_threads()
        most = numba.config.NUMBA_NUM_THREADS
        wanted = {None: before, -1: most}.get(n_jobs, n_jobs)
        numba.set_num_threads(max(1, min(wanted, most)))
        try:
            yield
        finally:
            numba.set_num_threads(before)


def scott_bandwidth(n_rows, n_features):
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


def check_bandwidth(bandwidth):
    """Return `bandwidth` as a float; a ValueError or TypeError says what it must be."""
    if isinstance(bandwidth, bool) or not isinstance(bandwidth, Real):
        raise TypeError(f'bandwidth={bandwidth!r}: give a positive number or "scott".')
    if not (math.isfinite(bandwidth) and bandwidth > 0):
        raise ValueError(f'bandwidth={bandwidth!r}: give a positive, finite number or "scott".')
    return float(bandwidth)


def check_n_jobs(n_jobs):
    """Raise a ValueError unless `n_jobs` is None, -1 or a positive integer."""
    if n_jobs is not None and not (isinstance(n_jobs, Integral) and (n_jobs == -1 or n_jobs >= 1)):
        raise ValueError(f"n_jobs={n_jobs!r}: give None, -1 (all threads) or a number of threads >= 1.")


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
        Threads. None leaves numba's present setting, -1 takes all. The result is the same bit for
        bit with any number of them.

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
    ``-inf`` and a gradient towards the mean of the rows.

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

    def __init__(self, *, bandwidth="scott", n_jobs=None):
        self.bandwidth = bandwidth
        self.n_jobs = n_jobs

    def fit(self, X, y=None):
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
            If `X` is empty, not finite or not two-dimensional, or a parameter is out of range.
        TypeError
            If `X` is sparse, or the bandwidth is neither a number nor "scott".
        """
        X = validate_data(self, X, dtype=np.float64)
        check_n_jobs(self.n_jobs)
        if isinstance(self.bandwidth, str) and self.bandwidth == "scott":
            self.bandwidth_ = scott_bandwidth(*X.shape)
        else:
            self.bandwidth_ = check_bandwidth(self.bandwidth)
        self._rows_by_feature = np.ascontiguousarray(X.T)
        return self

    def _log_density_and_shift(self, X):
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, order="C", reset=False)
        d, n = self._rows_by_feature.shape
        with _threads(self.n_jobs):
            log_sum, shift = _log_sum_and_shift(X, self._rows_by_feature, self.bandwidth_)
        log_norm = math.log(n) + d * math.log(self.bandwidth_) + 0.5 * d * math.log(2 * math.pi)
        return log_sum - log_norm, shift

    def score_samples(self, X):
        """Log density at each query.

        Parameters
        ----------
        X : array-like of shape (m, d)

        Returns
        -------
        ndarray of shape (m,)
            In nats per unit volume, as :meth:`sklearn.neighbors.KernelDensity.score_samples`.
        """
        return self._log_density_and_shift(X)[0]

    def gradient(self, X):
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

    def score_samples_and_gradient(self, X):
        """Log density and its gradient, for the price of one.

        Parameters
        ----------
        X : array-like of shape (m, d)

        Returns
        -------
        log_density : ndarray of shape (m,)
        gradient : ndarray of shape (m, d)
        """
        log_density, shift = self._log_density_and_shift(X)
        return log_density, shift / self.bandwidth_ / self.bandwidth_

    def score(self, X, y=None):
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
