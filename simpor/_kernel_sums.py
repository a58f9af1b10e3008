"""The kernel sums of a Gaussian density, compiled for the processor.

All compiled code stays in this one file, on purpose. Numba keeps compiled functions in a cache and
compiles anew when the file of the cached function changes. It does not watch other files: if a
function that is inlined here lived elsewhere, a change to it would go unnoticed, and the old result
would come back. `kernel_sums_by_formula` in kde.py says in ten lines what this file computes.

Queries are processed in tiles of LANES, which lie side by side in the vector registers of the
processor. Rows are processed in blocks; each block updates the minimum distance, rescales the
running sums to it (streaming log-sum-exp) and adds its terms. No array of the size queries x rows
is ever held, a row is read once for a whole tile, and nothing is summed across lanes. One thread
reduces a query, in one fixed order, so the result depends neither on the number of threads nor on
the other queries.

The threads are Python's. They run the same compiled function on different queries, without the
global interpreter lock. The threads that numba could start (OpenMP's, for instance) do not survive a
fork: a process of ``multiprocessing`` that used them would be killed, and its parent would wait.
"""

import math
import operator
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
from numba import njit, types
from numba.core.compiler_lock import global_compiler_lock
from numba.extending import intrinsic, lower_builtin, models, register_model, type_callable

# Queries per tile: four vector registers of sums, so that no addition waits for the one before it.
LANES = 32 if get_host_cpu_features().get("avx512f") else 16
# Rows per block: with their weights they stay in the cache nearest to the processor.
BLOCK = 64
# Queries times rows times features. Below this much work, another thread costs more than it saves.
MIN_WORK_PER_THREAD = 2**19

LOG2_E = 1.4426950408889634
LN_2_HIGH = 0.693147180369123816490  # few bits, so that n * LN_2_HIGH is exact
LN_2_LOW = 1.90821492927058770002e-10
SMALLEST_EXPONENT = -708.0  # the least whole number whose exp is a normal float
ROUND_TO_INTEGER = 6755399441055744.0  # 1.5 * 2**52: adding it leaves the integer in the low bits


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
# if a is NaN (infinity minus infinity), min and max return b
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


def _fill_tiles(
    queries: np.ndarray,
    rows: np.ndarray,
    half_precision: float,
    log_sum: np.ndarray,
    shift: np.ndarray,
) -> None:
    """The same for any number of queries, one tile after the other."""
    for first in range(0, len(queries), LANES):
        tile = slice(first, min(first + LANES, len(queries)))
        _fill_tile(queries[tile], rows, half_precision, log_sum[tile], shift[tile])


_MATRIX = types.Array(types.float64, 2, "C", readonly=True)  # takes writable arrays as well
_SIGNATURE = types.void(_MATRIX, _MATRIX, types.float64, types.float64[::1], types.float64[:, ::1])


@cache
def _compiled() -> Callable[..., None]:
    """Compile `_fill_tiles`, or read it from numba's cache.

    This is the only compiled copy, for one thread and for many: a second one could round otherwise.
    """
    try:
        return njit(_SIGNATURE, nogil=True, cache=True)(_fill_tiles)
    except (RuntimeError, OSError):  # numba finds no folder for its cache, or the disk is full
        return njit(_SIGNATURE, nogil=True)(_fill_tiles)


@cache
def _pool() -> ThreadPoolExecutor:
    """Threads that wait for work beside the one that calls, shared by all densities."""
    return ThreadPoolExecutor(max(1, numba.config.NUMBA_NUM_THREADS - 1), "simpor")


def _renew_after_fork() -> None:
    """In a forked child: it has inherited the lock, and none of the threads."""
    global_compiler_lock.release()
    _pool.cache_clear()


if hasattr(os, "register_at_fork"):
    # A fork waits until no thread compiles. Otherwise the child would inherit a lock that another
    # thread holds, and wait for it for ever.
    os.register_at_fork(
        before=global_compiler_lock.acquire,
        after_in_parent=global_compiler_lock.release,
        after_in_child=_renew_after_fork,
    )


def n_threads(n_jobs: int | None, work: int) -> int:
    """Number of threads for an amount of work.

    Parameters
    ----------
    n_jobs : int or None
        Threads at most; None and -1 stand for all that numba may use.
    work : int
        Queries times rows times features.

    Returns
    -------
    int
        At least 1.
    """
    available = numba.config.NUMBA_NUM_THREADS
    allowed = available if n_jobs in (None, -1) else n_jobs
    return max(1, min(allowed, available, work // MIN_WORK_PER_THREAD))


def kernel_sums(
    queries: np.ndarray, rows: np.ndarray, bandwidth: float, n_jobs: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    r"""Log kernel sums :math:`\log\sum_i e^{-\|x - x_i\|^2 / 2h^2}` and mean shifts :math:`m(x) - x`.

    Parameters
    ----------
    queries : ndarray of shape (m, d)
        Contiguous floats of 64 bits, as `rows`.
    rows : ndarray of shape (n, d)
    bandwidth : float
    n_jobs : int, default=None
        Threads at most.

    Returns
    -------
    log_sum : ndarray of shape (m,)
    shift : ndarray of shape (m, d)

    Notes
    -----
    Where every squared distance overflows, the log sum is ``-inf`` and the shift has no meaning.
    """
    m = len(queries)
    log_sum, shift = np.empty(m), np.empty(queries.shape)
    fill_tiles = _compiled()

    def fill(part: slice) -> None:
        fill_tiles(queries[part], rows, 0.5 / bandwidth**2, log_sum[part], shift[part])

    threads = n_threads(n_jobs, m * rows.size)
    if threads == 1:
        fill(slice(m))
        return log_sum, shift
    n_tiles = -(-m // LANES)
    ends = [LANES * (n_tiles * k // threads) for k in range(threads + 1)]
    first, *others = [slice(*pair) for pair in pairwise(ends)]
    running = [_pool().submit(fill, part) for part in others]
    fill(first)
    for future in running:
        future.result()
    return log_sum, shift
