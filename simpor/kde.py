"""Gaussian kernel density: its logarithm, and the gradient of its logarithm, in one pass.

Queries are taken in tiles of LANES, which lie side by side in the vector registers of the
processor. The rows pass by in blocks: a block lowers the distance to the nearest row if it can,
rescales what was summed before, and adds its own terms, all in logarithms. No array of the size
queries x rows is ever held, a row is read once for a whole tile, and nothing is summed across
lanes: each query is reduced by one thread in one fixed order, so its result depends neither on the
number of threads nor on the other queries.
"""

import math
import operator
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self

import numba
import numpy as np
from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
from numba import njit, prange, types
from numba.extending import intrinsic, lower_builtin, models, register_model, type_callable
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from simpor._checks import check_bandwidth, check_n_jobs

# Queries a tile: four vector registers of sums, so that no addition waits for the one before it.
LANES = 32 if get_host_cpu_features().get("avx512f") else 16
# Rows a block: with their weights they stay in the cache nearest to the processor.
BLOCK = 64
# Queries times rows times features, below which waking another thread costs more than it saves.
WORK_OF_A_THREAD = 2**19

LOG2_E = 1.4426950408889634
LN_2_HIGH = 0.693147180369123816490  # few bits, so that n * LN_2_HIGH is exact
LN_2_LOW = 1.90821492927058770002e-10
SMALLEST_EXPONENT = -708.0  # exp of it is the smallest number that is not subnormal
ROUND_TO_INTEGER = 6755399441055744.0  # 1.5 * 2**52: adding it leaves the integer in the low bits

# Two Python threads must not enter numba's fallback threading layer at once: it would abort.
_one_call_at_a_time = threading.Lock()


class _Lanes(types.Type):
    """A numba type: LANES floats side by side. LLVM maps it to vector registers of any width."""

    def __init__(self) -> None:
        super().__init__(name=f"Lanes({LANES})")


_lanes = _Lanes()
#: What numba takes from a function that writes machine code: its types, and the writer.
_Intrinsic = tuple[Any, Callable[..., ir.Value]]
_FLOATS = ir.VectorType(ir.DoubleType(), LANES)
_INTEGERS = ir.VectorType(ir.IntType(64), LANES)


@register_model(_Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, numba_type: types.Type) -> None:
        super().__init__(manager, numba_type, _FLOATS)


def _spread(builder: ir.IRBuilder, number: ir.Value) -> ir.Value:
    first = builder.insert_element(ir.Constant(_FLOATS, None), number, ir.IntType(32)(0))
    return builder.shuffle_vector(
        first, first, ir.Constant(ir.VectorType(ir.IntType(32), LANES), None)
    )


def _define_on_lanes(function: Callable[..., Any], emit: Callable[..., ir.Value]) -> None:
    """Let compiled code call `function` with two lanes, or with lanes and a number for all of them."""

    @type_callable(function)
    def infer(context: Any) -> Callable[[types.Type, types.Type], _Lanes | None]:
        return lambda a, b: _lanes if _lanes in (a, b) else None

    def generate(
        context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]
    ) -> ir.Value:
        a, b = (v if t == _lanes else _spread(builder, v) for v, t in zip(args, signature.args))
        return emit(builder, a, b)

    for kinds in ((_lanes, _lanes), (_lanes, types.float64), (types.float64, _lanes)):
        lower_builtin(function, *kinds)(generate)


# "contract": a product and a sum may become one instruction that rounds once
_define_on_lanes(operator.add, lambda builder, a, b: builder.fadd(a, b, flags=["contract"]))
_define_on_lanes(operator.sub, lambda builder, a, b: builder.fsub(a, b, flags=["contract"]))
_define_on_lanes(operator.mul, lambda builder, a, b: builder.fmul(a, b, flags=["contract"]))
# of a NaN (infinity minus infinity) and b, both take b
_define_on_lanes(min, lambda builder, a, b: builder.select(builder.fcmp_ordered("<", a, b), a, b))
_define_on_lanes(max, lambda builder, a, b: builder.select(builder.fcmp_ordered(">", a, b), a, b))


@intrinsic
def _in_all_lanes(typingctx: Any, number: types.Type) -> _Intrinsic:
    """The same float in every lane."""

    def generate(
        context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]
    ) -> ir.Value:
        return _spread(builder, args[0])

    return _lanes(types.float64), generate


@intrinsic
def _scale_by_power_of_two(typingctx: Any, x: _Lanes, shifted: _Lanes) -> _Intrinsic:
    """x * 2**n, by adding n to the exponent bits; n stands in the low bits of `shifted`."""

    def generate(
        context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]
    ) -> ir.Value:
        x, n = (builder.bitcast(v, _INTEGERS) for v in args)
        return builder.bitcast(builder.add(x, builder.shl(n, _INTEGERS([52] * LANES))), _FLOATS)

    return _lanes(_lanes, _lanes), generate


def _address(
    context: Any, builder: ir.IRBuilder, array_type: types.Array, array: ir.Value, k: ir.Value
) -> ir.Value:
    data = context.make_array(array_type)(context, builder, array).data
    return builder.gep(builder.bitcast(data, _FLOATS.as_pointer()), [k])


@intrinsic
def _load(typingctx: Any, array: types.Array, k: types.Type) -> _Intrinsic:
    """Lanes from array[k], where `array` is contiguous and of shape (., LANES)."""

    def generate(
        context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]
    ) -> ir.Value:
        return builder.load(_address(context, builder, signature.args[0], *args), align=8)

    return _lanes(array, types.intp), generate


@intrinsic
def _store(typingctx: Any, array: types.Array, k: types.Type, x: _Lanes) -> _Intrinsic:
    """Write lanes to array[k], where `array` is contiguous and of shape (., LANES)."""

    def generate(
        context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]
    ) -> ir.Value:
        builder.store(args[2], _address(context, builder, signature.args[0], *args[:2]), align=8)
        return context.get_dummy_value()

    return types.none(array, types.intp, _lanes), generate


@njit(forceinline=True)
def _exp(x: Any) -> Any:
    """exp(x) of lanes x <= 0, without a branch or a call.

    x = n ln 2 + r with |r| <= ln(2) / 2. The Taylor polynomial of degree 13 gives exp(r), and n is
    added to the bits of its exponent. Two terms are taken at a time: the pairs can be computed side
    by side, where Horner's rule would wait for each product.
    """
    x = max(x, SMALLEST_EXPONENT)
    shifted = x * LOG2_E + ROUND_TO_INTEGER
    n = shifted - ROUND_TO_INTEGER
    r = (x - n * LN_2_HIGH) - n * LN_2_LOW
    r2 = r * r
    p = r * (1.0 / 6227020800.0) + 1.0 / 479001600.0
    p = p * r2 + (r * (1.0 / 39916800.0) + 1.0 / 3628800.0)
    p = p * r2 + (r * (1.0 / 362880.0) + 1.0 / 40320.0)
    p = p * r2 + (r * (1.0 / 5040.0) + 1.0 / 720.0)
    p = p * r2 + (r * (1.0 / 120.0) + 1.0 / 24.0)
    p = p * r2 + (r * (1.0 / 6.0) + 0.5)
    p = p * r2 + (r + 1.0)
    return _scale_by_power_of_two(p, shifted)


# Inlined by force: a second compiled copy, called from a process that compiled anew and not from one
# that read the cache, could round differently.
@njit(forceinline=True)
def _fill_tile(
    queries: np.ndarray,
    rows: np.ndarray,
    half_precision: float,
    log_sum: np.ndarray,
    shift: np.ndarray,
) -> None:
    """Log kernel sums and mean shifts m(x) - x of at most LANES queries, into `log_sum` and `shift`.

    A kernel is exp(-half_precision * squared distance).
    """
    n, d = rows.shape
    x = np.empty((d, LANES))
    for lane in range(LANES):
        for k in range(d):
            x[k, lane] = queries[min(lane, len(queries) - 1), k]  # idle lanes repeat the last query
    pull = np.zeros((d, LANES))
    weights = np.empty((BLOCK, LANES))  # of a block; they replace its squared distances
    nearest = _in_all_lanes(np.inf)
    total = _in_all_lanes(0.0)
    for first in range(0, n, BLOCK):
        block = rows[first : first + BLOCK]
        nearest_before = nearest
        for j in range(len(block)):
            square = _in_all_lanes(0.0)
            for k in range(d):
                difference = block[j, k] - _load(x, k)
                square = square + difference * difference
            nearest = min(square, nearest)
            _store(weights, j, square)
        rescale = _exp((nearest - nearest_before) * half_precision)
        total = total * rescale
        for j in range(len(block)):
            weight = _exp((nearest - _load(weights, j)) * half_precision)
            total = total + weight
            _store(weights, j, weight)
        for k in range(0, d, 2):  # two features for each weight that is loaded
            next_k = min(k + 1, d - 1)  # an odd last feature is its own partner
            pull_k = _load(pull, k) * rescale
            pull_next = _load(pull, next_k) * rescale
            for j in range(len(block)):
                weight = _load(weights, j)
                pull_k = pull_k + weight * block[j, k]
                pull_next = pull_next + weight * block[j, next_k]
            _store(pull, k, pull_k)
            _store(pull, next_k, pull_next)
    summed = np.empty((2, LANES))
    _store(summed, 0, nearest)
    _store(summed, 1, total)
    for lane in range(len(queries)):
        log_sum[lane] = math.log(summed[1, lane]) - half_precision * summed[0, lane]
        for k in range(d):
            shift[lane, k] = pull[k, lane] / summed[1, lane] - queries[lane, k]


@njit(parallel=True, cache=True)
def _log_sum_and_shift(
    queries: np.ndarray, rows: np.ndarray, half_precision: float
) -> tuple[np.ndarray, np.ndarray]:
    """Log kernel sums (m,) and mean shifts (m, d) of all queries (m, d), spread over threads."""
    m = len(queries)
    log_sum = np.empty(m)
    shift = np.empty(queries.shape)
    for tile in prange((m + LANES - 1) // LANES):
        part = slice(tile * LANES, min(tile * LANES + LANES, m))
        _fill_tile(queries[part], rows, half_precision, log_sum[part], shift[part])
    return log_sum, shift


@contextmanager
def _threads(n_jobs: int | None, useful: int) -> Iterator[None]:
    """Let numba use `n_jobs` threads (None leaves its setting, -1 is all), but no more than useful."""
    with _one_call_at_a_time:
        before = numba.get_num_threads()
        most = numba.config.NUMBA_NUM_THREADS
        wanted = {None: before, -1: most}.get(n_jobs, n_jobs)
        numba.set_num_threads(max(1, min(wanted, most, useful)))
        try:
            yield
        finally:
            numba.set_num_threads(before)


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
        Threads at most: none is woken for little work. None leaves numba's present setting, -1 takes
        all. The result is the same bit for bit with any number of them.

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
        X = validate_data(self, X, dtype=np.float64, order="C")
        check_n_jobs(self.n_jobs)
        if isinstance(self.bandwidth, str) and self.bandwidth == "scott":
            self.bandwidth_ = scott_bandwidth(*X.shape)
        else:
            self.bandwidth_ = check_bandwidth(self.bandwidth)
        self._rows = self._in_unit(X)
        if not np.isfinite(self._rows).all():
            raise ValueError(
                f"bandwidth={self.bandwidth_!r} is too small for rows as large as {np.abs(X).max()!r}; "
                "scale the features or give a larger bandwidth."
            )
        return self

    @property
    def _unit(self) -> float:
        """The power of two just below the bandwidth: squares in it are safe, and dividing is exact."""
        return math.ldexp(0.5, math.frexp(self.bandwidth_)[1])

    def _in_unit(self, X: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore"):
            return X / self._unit

    def _check_queries(self, X: ArrayLike) -> np.ndarray:
        check_is_fitted(self)
        return validate_data(self, X, dtype=np.float64, order="C", reset=False)

    def _log_density_and_shift(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        n, d = self._rows.shape
        half_precision = 0.5 / (self.bandwidth_ / self._unit) ** 2
        with _threads(self.n_jobs, len(X) * self._rows.size // WORK_OF_A_THREAD):
            log_sum, shift = _log_sum_and_shift(self._in_unit(X), self._rows, half_precision)
        shift *= self._unit
        # the weights cannot be told apart at such a distance: the plain mean is the mean-shift point
        far = log_sum == -np.inf
        if far.any():
            shift[far] = self._rows.mean(axis=0) * self._unit - X[far]
        log_norm = math.log(n) + d * math.log(self.bandwidth_) + 0.5 * d * math.log(2 * math.pi)
        return log_sum - log_norm, shift

    def _score_and_gradient(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        log_density, shift = self._log_density_and_shift(X)
        return log_density, shift / self.bandwidth_ / self.bandwidth_

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
        return self._log_density_and_shift(self._check_queries(X))[0]

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
        return self._score_and_gradient(self._check_queries(X))

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
