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
from typing import Any, NamedTuple

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
SMALLEST_EXPONENT = -1022.0  # the least x for which 2**x is a normal float
STOPPED = 2**62  # a counter of points that no number of points reaches
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
def _exp2(x: Any) -> Any:
    """2**x of lanes x <= 0, without a branch or a call.

    x = n + r with |r| <= 1/2. A polynomial of degree 11, the interpolation in Chebyshev's points,
    gives 2**r with a relative error of 3e-18, and n is added to the bits of its exponent. Two terms
    are taken at a time: the pairs can be computed side by side, where Horner's rule would wait for
    each product.
    """
    x = max(x, SMALLEST_EXPONENT)
    shifted = x + ROUND_TO_INTEGER
    r = x - (shifted - ROUND_TO_INTEGER)
    r2 = r * r
    p = r * 4.4558179083360645e-10 + 7.074194297288521e-09
    p = p * r2 + (r * 1.0178057087733941e-07 + 1.3215432535912375e-06)
    p = p * r2 + (r * 1.5252733841556773e-05 + 1.5403530463724353e-04)
    p = p * r2 + (r * 1.333355814640647e-03 + 9.618129107587256e-03)
    p = p * r2 + (r * 5.5504108664821625e-02 + 2.4022650695910158e-01)
    p = p * r2 + (r * 6.931471805599453e-01 + 1.0)
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
    precision = half_precision * LOG2_E  # kernels are powers of two here
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
        rescale = _exp2((nearest - nearest_before) * precision)
        total = total * rescale
        for j in range(len(block)):
            weight = _exp2((nearest - _load(weights, j)) * precision)
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


class Climb(NamedTuple):
    """Points that climb a log posterior ratio on their spheres, and how the climb goes.

    Rows are in the unit of their density, as `kernel_sums` takes them; all else is in the unit of
    the data. Index 0 stands for the positive class, 1 for the others.
    """

    centers: np.ndarray  # (m, d)
    radii: np.ndarray  # (m,)
    start_directions: np.ndarray  # (m, d), unit vectors
    positive_rows: np.ndarray  # (n_B, d)
    other_rows: np.ndarray  # (n_A, d)
    scales: np.ndarray  # (2,), what a length of the data is multiplied by to be in that unit
    half_precisions: np.ndarray  # (2,)
    log_constant: float  # what the log ratio is more than the difference of the log kernel sums
    max_iter: int
    tol: float
    first_angle: float
    longest_angle: float
    smallest_angle: float


class Ends(NamedTuple):
    """Where the climbs ended, see `simpor.sphere.SphereAscent`."""

    directions: np.ndarray  # (m, d)
    start_values: np.ndarray  # (m,)
    values: np.ndarray  # (m,)
    slopes: np.ndarray  # (m,), per radian
    n_iter: np.ndarray  # (m,)
    n_evaluations: np.ndarray  # (m,)


class Climbers(NamedTuple):
    """Up to LANES points on their way. Every field has one entry for each lane, unless said."""

    point: np.ndarray  # index of the point, or -1 where the lane is idle
    started: np.ndarray  # whether the first point has been evaluated
    angles: np.ndarray  # of the turn that is tried
    values: np.ndarray
    slopes: np.ndarray  # norms of the slope vectors
    directions: np.ndarray  # unit vectors from the centers
    tangents: np.ndarray  # unit vectors along the turn that is tried
    slope_vectors: np.ndarray  # gradients on the spheres, per radian
    tried: np.ndarray  # the directions to which that turn leads
    n_pairs: np.ndarray  # pairs of steps and falls in memory
    newest: np.ndarray  # where the newest of them is
    steps: np.ndarray
    falls: np.ndarray
    weights: np.ndarray
    queries: np.ndarray  # (2, LANES, d)
    log_sums: np.ndarray  # (2, LANES)
    shifts: np.ndarray  # (2, LANES, d)
    vectors: np.ndarray  # (2, d), for one lane at a time: a slope vector, and a step
    shares: np.ndarray  # (memory,), for one lane at a time


def idle_climbers(d: int, memory: int) -> Climbers:
    """Climbers whose lanes are all idle.

    Parameters
    ----------
    d : int
        Number of features.
    memory : int
        Number of pairs that L-BFGS remembers.

    Returns
    -------
    Climbers
    """
    return Climbers(
        point=np.full(LANES, -1, dtype=np.intp),
        started=np.zeros(LANES, dtype=np.bool_),
        angles=np.zeros(LANES),
        values=np.zeros(LANES),
        slopes=np.zeros(LANES),
        directions=np.zeros((LANES, d)),
        tangents=np.zeros((LANES, d)),
        slope_vectors=np.zeros((LANES, d)),
        tried=np.zeros((LANES, d)),
        n_pairs=np.zeros(LANES, dtype=np.intp),
        newest=np.zeros(LANES, dtype=np.intp),
        steps=np.zeros((LANES, memory, d)),
        falls=np.zeros((LANES, memory, d)),
        weights=np.zeros((LANES, memory)),
        queries=np.zeros((2, LANES, d)),
        log_sums=np.zeros((2, LANES)),
        shifts=np.zeros((2, LANES, d)),
        vectors=np.zeros((2, d)),
        shares=np.zeros(memory),
    )


@intrinsic
def _take_next(typingctx: Any, counter: types.Array) -> _Intrinsic:
    """counter[0], raised by one in the same moment: no two threads get the same number."""

    def generate(
        context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]
    ) -> ir.Value:
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        one = context.get_constant(types.intp, 1)
        return builder.atomic_rmw("add", data, one, "monotonic")

    return types.intp(counter), generate


@njit(forceinline=True)
def _dot(a: np.ndarray, b: np.ndarray) -> float:
    total = 0.0
    for k in range(len(a)):
        total += a[k] * b[k]
    return total


@njit(error_model="numpy")
def _seat(climb: Climb, climbers: Climbers, lane: int, i: int) -> None:
    """Begin the climb of point i in a lane."""
    climbers.point[lane] = i
    climbers.started[lane] = False
    climbers.n_pairs[lane] = 0
    for k in range(climb.centers.shape[1]):
        climbers.tried[lane, k] = climb.start_directions[i, k]


@njit(error_model="numpy")
def _place(climb: Climb, climbers: Climbers) -> None:
    """Write the points that are tried, in the units of both densities. Idle lanes repeat a point."""
    for lane in range(LANES):
        i = max(climbers.point[lane], 0)
        for k in range(climb.centers.shape[1]):
            x = climb.centers[i, k] + climb.radii[i] * climbers.tried[lane, k]
            climbers.queries[0, lane, k] = x * climb.scales[0]
            climbers.queries[1, lane, k] = x * climb.scales[1]


@njit(error_model="numpy")
def _evaluate(climb: Climb, climbers: Climbers, other_rows: np.ndarray) -> None:
    """Kernel sums and mean shifts of both classes at the points that are tried."""
    _place(climb, climbers)
    for side in range(2):
        rows = climb.positive_rows if side == 0 else other_rows
        _fill_tile(
            climbers.queries[side],
            rows,
            climb.half_precisions[side],
            climbers.log_sums[side],
            climbers.shifts[side],
        )


@njit(error_model="numpy")
def _remember(climbers: Climbers, lane: int, slope_vector: np.ndarray) -> bool:
    """Store step and fall of the turn that was made; whether the slope has fallen along it."""
    d = len(slope_vector)
    before, tangent = climbers.slope_vectors[lane], climbers.tangents[lane]
    newest = (climbers.newest[lane] + 1) % climbers.steps.shape[1]
    step, fall = climbers.steps[lane, newest], climbers.falls[lane, newest]
    cosine, sine = math.cos(climbers.angles[lane]), math.sin(climbers.angles[lane])
    ahead = _dot(before, tangent)
    for k in range(d):
        carried = tangent[k] * cosine - climbers.directions[lane, k] * sine
        step[k] = climbers.angles[lane] * carried
        fall[k] = before[k] + ahead * (carried - tangent[k]) - slope_vector[k]
    product = _dot(step, fall)
    if product <= 0:
        return False
    climbers.weights[lane, newest] = 1 / product
    climbers.newest[lane] = newest
    climbers.n_pairs[lane] = min(climbers.n_pairs[lane] + 1, climbers.steps.shape[1])
    return True


@njit(error_model="numpy")
def _step_to_maximum(
    climbers: Climbers, lane: int, slope_vector: np.ndarray, step: np.ndarray
) -> bool:
    """The estimate of the inverse Hessian times the slope, into `step`; whether it leads upwards."""
    d, memory = len(step), climbers.steps.shape[1]
    steps, falls = climbers.steps[lane], climbers.falls[lane]
    weights, shares = climbers.weights[lane], climbers.shares
    for k in range(d):
        step[k] = slope_vector[k]
    for age in range(climbers.n_pairs[lane]):
        i = (climbers.newest[lane] - age) % memory
        shares[i] = weights[i] * _dot(steps[i], step)
        for k in range(d):
            step[k] -= shares[i] * falls[i, k]
    i = climbers.newest[lane]
    curvature = weights[i] * _dot(falls[i], falls[i])
    for k in range(d):
        step[k] /= curvature
    for age in range(climbers.n_pairs[lane] - 1, -1, -1):
        i = (climbers.newest[lane] - age) % memory
        share = shares[i] - weights[i] * _dot(falls[i], step)
        for k in range(d):
            step[k] += share * steps[i, k]
    radial = _dot(step, climbers.tried[lane])
    for k in range(d):
        step[k] -= radial * climbers.tried[lane, k]
    return _dot(step, slope_vector) > 0


@njit(error_model="numpy")
def _set_turn(
    climb: Climb, climbers: Climbers, lane: int, radial_slope: float, fitted: bool
) -> None:
    """The next turn: a fitted step, or along the gradient where no maximum fits."""
    step = climbers.vectors[1] if fitted else climbers.vectors[0]
    length = math.sqrt(_dot(step, step))
    angle = length
    if not fitted:
        climbers.n_pairs[lane] = 0
        angle = 2 * climbers.angles[lane] if climbers.started[lane] else climb.first_angle
        angle = min(angle, math.atan2(length, radial_slope))
    climbers.angles[lane] = min(angle, climb.longest_angle)
    for k in range(len(step)):
        climbers.tangents[lane, k] = step[k] / length


@njit(error_model="numpy")
def _advance(
    climb: Climb, climbers: Climbers, ends: Ends, lane: int, max_iter: int, same_point: bool
) -> bool:
    """Take in what was evaluated, and set the next turn; False where the climb is over.

    `same_point`: no turn was made, the point was evaluated again with more rows.
    """
    i, d = climbers.point[lane], climb.centers.shape[1]
    slope_vector, step = climbers.vectors[0], climbers.vectors[1]
    value = climbers.log_sums[0, lane] - climbers.log_sums[1, lane] + climb.log_constant
    for k in range(d):
        slope_vector[k] = (
            2
            * climb.radii[i]
            * (
                climb.half_precisions[0] * climb.scales[0] * climbers.shifts[0, lane, k]
                - climb.half_precisions[1] * climb.scales[1] * climbers.shifts[1, lane, k]
            )
        )
    radial_slope = _dot(slope_vector, climbers.tried[lane])
    for k in range(d):
        slope_vector[k] -= radial_slope * climbers.tried[lane, k]
    slope = math.sqrt(_dot(slope_vector, slope_vector))

    ends.n_evaluations[i] += 1
    if not climbers.started[lane]:
        ends.start_values[i] = value
    elif not same_point:
        ends.n_iter[i] += 1
    if (
        same_point
        or not climbers.started[lane]
        or value > climbers.values[lane]
        # near the summit values differ by rounding only: there a smaller slope is progress too
        or (value == climbers.values[lane] and slope < climbers.slopes[lane])
    ):
        fitted = climbers.n_pairs[lane] > 0
        if climbers.started[lane] and not same_point:
            fitted = _remember(climbers, lane, slope_vector)
        fitted = fitted and _step_to_maximum(climbers, lane, slope_vector, step)
        climbers.values[lane], climbers.slopes[lane] = value, slope
        for k in range(d):
            climbers.directions[lane, k] = climbers.tried[lane, k]
            climbers.slope_vectors[lane, k] = slope_vector[k]
        _set_turn(climb, climbers, lane, radial_slope, fitted)
        climbers.started[lane] = True
    else:
        climbers.angles[lane] *= 0.5
    goes_on = (
        max(climb.radii[i], 1.0) * climbers.slopes[lane] > climb.tol * climb.radii[i]
        and climbers.angles[lane] > climb.smallest_angle
        and ends.n_iter[i] < max_iter
    )
    if goes_on:
        _try_turn(climbers, lane)
    else:
        ends.values[i], ends.slopes[i] = climbers.values[lane], climbers.slopes[lane]
        for k in range(d):
            ends.directions[i, k] = climbers.directions[lane, k]
            climbers.tried[lane, k] = climbers.directions[lane, k]
    return goes_on


@njit(error_model="numpy")
def _try_turn(climbers: Climbers, lane: int) -> None:
    """The direction to which the turn leads (line 7 of Algorithm 1)."""
    tried, tangent = climbers.tried[lane], climbers.tangents[lane]
    cosine, sine = math.cos(climbers.angles[lane]), math.sin(climbers.angles[lane])
    for k in range(len(tried)):
        tried[k] = climbers.directions[lane, k] * cosine + tangent[k] * sine
    length = math.sqrt(_dot(tried, tried))
    for k in range(len(tried)):
        tried[k] /= length


def climb_with_all_rows(climb: Climb, climbers: Climbers, ends: Ends, counter: np.ndarray) -> None:
    """One thread's share of the climbs: as a lane's point ends, the next one takes its place.

    A point's way depends on no other point, and so neither on the number of threads nor on the
    order in which they take the points.

    Parameters
    ----------
    climb : Climb
    climbers : Climbers
        Of this thread alone.
    ends : Ends
        Filled.
    counter : ndarray of int of shape (1,)
        The next point that no thread has taken. STOPPED ends all threads at once.
    """
    m, n_busy = len(climb.radii), 0
    for lane in range(LANES):
        i = _take_next(counter)
        climbers.point[lane] = -1
        if i < m:
            _seat(climb, climbers, lane, i)
            n_busy += 1
    while n_busy > 0 and counter[0] < STOPPED:
        _evaluate(climb, climbers, climb.other_rows)
        for lane in range(LANES):
            if climbers.point[lane] < 0 or _advance(
                climb, climbers, ends, lane, climb.max_iter, False
            ):
                continue
            i = _take_next(counter)
            if i < m:
                _seat(climb, climbers, lane, i)
            else:
                climbers.point[lane] = -1
                n_busy -= 1


@intrinsic
def _any_at_most(typingctx: Any, a: _Lanes, b: _Lanes) -> _Intrinsic:
    """Whether a <= b in any lane."""

    def generate(
        context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]
    ) -> ir.Value:
        bits = builder.bitcast(builder.fcmp_ordered("<=", *args), ir.IntType(LANES))
        return builder.icmp_unsigned("!=", bits, ir.IntType(LANES)(0))

    return types.boolean(_lanes, _lanes), generate


@njit(forceinline=True)
def _relative_square(row: np.ndarray, square_norm: float, x: np.ndarray) -> Any:
    """Squared distances from a row, less the squared norms of the queries; x holds -2 times these."""
    square = _in_all_lanes(square_norm)
    for k in range(len(row)):
        square = square + _load(x, k) * row[k]
    return square


class Rows(NamedTuple):
    """Some rows of the others, and the squared norms of these rows."""

    rows: np.ndarray  # (n, d)
    square_norms: np.ndarray  # (n,)


class Scan(NamedTuple):
    """What one thread notes about all rows of the others, for one tile of points."""

    is_active: np.ndarray  # (n,), bool
    found: np.ndarray  # (n,), indices of rows that are to become active
    x: np.ndarray  # (d, LANES), the points times -2
    nearest: np.ndarray  # (1, LANES), squared distance to it less the square of the point
    totals: np.ndarray  # (2, LANES), kernel sums of all rows and of those not active, nearest = 1


def new_scan(n: int, d: int) -> Scan:
    """Room for the notes on n rows.

    Parameters
    ----------
    n : int
        Rows of the others.
    d : int
        Features.

    Returns
    -------
    Scan
    """
    return Scan(
        np.zeros(n, dtype=np.bool_),
        np.zeros(n, dtype=np.intp),
        np.zeros((d, LANES)),
        np.zeros((1, LANES)),
        np.zeros((2, LANES)),
    )


@njit(error_model="numpy")
def _find_nearest(rows: Rows, stride: int, scan: Scan) -> None:
    """Begin with the nearest of some rows."""
    nearest = _in_all_lanes(np.inf)
    for j in range(0, len(rows.rows), stride):
        nearest = min(_relative_square(rows.rows[j], rows.square_norms[j], scan.x), nearest)
    _store(scan.nearest, 0, nearest)


@njit(error_model="numpy")
def _scan_rows(
    rows: Rows, precision: float, negligible: float, active_within: float, scan: Scan
) -> int:
    """Kernel sums over all rows; also find those that are to become active, and return how many.

    A kernel is 2**(-precision * squared distance). Left out is what is 2**-negligible times the
    nearest row's or less; rows that are above 2**-active_within times that are to become active.
    """
    nearest = _load(scan.nearest, 0)
    total, not_active = _in_all_lanes(0.0), _in_all_lanes(0.0)
    n_found = 0
    for j in range(len(rows.rows)):
        square = _relative_square(rows.rows[j], rows.square_norms[j], scan.x)
        if _any_at_most(square, nearest + negligible / precision):
            now_nearest = min(square, nearest)
            rescale = _exp2((now_nearest - nearest) * precision)
            weight = _exp2((now_nearest - square) * precision)
            nearest = now_nearest
            total = total * rescale + weight
            not_active = not_active * rescale
            if not scan.is_active[j]:
                not_active = not_active + weight
                if _any_at_most(square, nearest + active_within / precision):
                    scan.found[n_found] = j
                    n_found += 1
    _store(scan.nearest, 0, nearest)
    _store(scan.totals, 0, total)
    _store(scan.totals, 1, not_active)
    return n_found


@njit(error_model="numpy")
def _with_found(active: Rows, rows: Rows, n_found: int, scan: Scan) -> Rows:
    """The active rows, and those that were found."""
    n, d = active.rows.shape
    more = Rows(np.empty((n + n_found, d)), np.empty(n + n_found))
    for j in range(n + n_found):
        source, i = (active, j) if j < n else (rows, scan.found[j - n])
        more.square_norms[j] = source.square_norms[i]
        for k in range(d):
            more.rows[j, k] = source.rows[i, k]
    for j in range(n_found):
        scan.is_active[scan.found[j]] = True
    return more


@njit(error_model="numpy")
def _look_at_all_rows(
    climb: Climb,
    climbers: Climbers,
    rows: Rows,
    guess: Rows,
    stride: int,
    n_points: int,
    negligible: float,
    active_within: float,
    scan: Scan,
    values: np.ndarray,
) -> int:
    """Scan all rows from the points of a tile, whose log ratios go into `values`."""
    d = climb.centers.shape[1]
    _place(climb, climbers)
    for lane in range(LANES):
        source = min(lane, n_points - 1)  # idle lanes repeat the last point
        for k in range(d):
            climbers.queries[0, lane, k] = climbers.queries[0, source, k]
            climbers.queries[1, lane, k] = climbers.queries[1, source, k]
            scan.x[k, lane] = -2.0 * climbers.queries[1, lane, k]
    precision = climb.half_precisions[1] * LOG2_E
    _find_nearest(guess, stride, scan)
    n_found = _scan_rows(rows, precision, negligible, active_within, scan)
    _fill_tile(
        climbers.queries[0],
        climb.positive_rows,
        climb.half_precisions[0],
        climbers.log_sums[0],
        climbers.shifts[0],
    )
    for lane in range(n_points):
        query = climbers.queries[1, lane]
        square = scan.nearest[0, lane] + _dot(query, query)
        log_sum = math.log(scan.totals[0, lane]) - climb.half_precisions[1] * square
        values[lane] = climbers.log_sums[0, lane] - log_sum + climb.log_constant
    return n_found


@njit(error_model="numpy")
def _climb_together(
    climb: Climb,
    climbers: Climbers,
    ends: Ends,
    counter: np.ndarray,
    active_rows: np.ndarray,
    first: int,
    n_points: int,
    max_iter: int,
    again: bool,
) -> None:
    """Climb with a tile of points on the active rows; `again` if their list is new."""
    n_busy = n_points
    for lane in range(LANES):
        climbers.point[lane] = first + lane if lane < n_points else -1
    while n_busy > 0 and counter[0] < STOPPED:
        _evaluate(climb, climbers, active_rows)
        for lane in range(n_points):
            if climbers.point[lane] >= 0 and not _advance(
                climb, climbers, ends, lane, max_iter, again
            ):
                climbers.point[lane] = -1
                n_busy -= 1
        again = False


def climb_with_active_rows(
    climb: Climb,
    climbers: Climbers,
    ends: Ends,
    counter: np.ndarray,
    tiles: np.ndarray,
    square_norms: np.ndarray,
    scan: Scan,
    negligible: float,
    active_within: float,
    first_turns: int,
    largest_share: float,
) -> None:
    """One thread's share of the climbs, each on those rows of the others that matter to its tile.

    A tile is up to LANES points that climb together. A scan over all rows finds the active ones,
    near the first points. The tile climbs on them alone. A scan from where it ends gives the log
    ratios there, with all rows, and the share of the rows that were left out. If this is too large
    for any point, all that are not negligible become active, and the climb goes on.

    Parameters
    ----------
    climb : Climb
    climbers : Climbers
    ends : Ends
    counter : ndarray of int of shape (1,)
        As in `climb_with_all_rows`, but of tiles.
    tiles : ndarray of int of shape (n_tiles + 1,)
        A tile is the points from one of these numbers up to the next.
    square_norms : ndarray of shape (n_A,)
        Of the others' rows.
    scan : Scan
        Of this thread alone.
    negligible, active_within : float
        Rows whose kernel is 2**-negligible times the nearest row's, or less, are left out of all
        sums; those above 2**-active_within times it are active at first.
    largest_share : float
        Share of the others' density that rows which are not active may have at an end.
    """
    rows = Rows(climb.other_rows, square_norms)
    values, start_values = np.empty(LANES), np.empty(LANES)
    while True:
        tile = _take_next(counter)
        if tile >= len(tiles) - 1:
            break
        first, n_points = tiles[tile], tiles[tile + 1] - tiles[tile]
        for j in range(len(scan.is_active)):
            scan.is_active[j] = False
        for lane in range(LANES):
            _seat(climb, climbers, lane, first + min(lane, n_points - 1))
        n_found = _look_at_all_rows(
            climb, climbers, rows, rows, 64, n_points, negligible, active_within, scan, start_values
        )
        active = _with_found(Rows(rows.rows[:0], square_norms[:0]), rows, n_found, scan)
        max_iter, again = min(climb.max_iter, first_turns), False
        while True:
            _climb_together(
                climb, climbers, ends, counter, active.rows, first, n_points, max_iter, again
            )
            for lane in range(n_points):
                climbers.point[lane] = first + lane
            n_found = _look_at_all_rows(
                climb,
                climbers,
                rows,
                active,
                1,
                n_points,
                negligible,
                negligible,
                scan,
                values,
            )
            share = 0.0
            for lane in range(n_points):
                share = max(share, scan.totals[1, lane] / scan.totals[0, lane])
            if share <= largest_share and max_iter == climb.max_iter:
                break
            active = _with_found(active, rows, n_found, scan)
            # where much was left out, the points may be far from where they should be
            more_turns = first_turns if share > 0.1 else climb.max_iter
            max_iter, again = min(climb.max_iter, max_iter + more_turns), True
        for lane in range(n_points):
            ends.start_values[first + lane] = start_values[lane]
            ends.values[first + lane] = values[lane]


_MATRIX = types.Array(types.float64, 2, "C", readonly=True)  # takes writable arrays as well
_SIGNATURE = types.void(_MATRIX, _MATRIX, types.float64, types.float64[::1], types.float64[:, ::1])


@cache
def compiled(function: Callable[..., None], signature: Any) -> Callable[..., None]:
    """Compile a function of this file, or read it from numba's cache.

    This is the only compiled copy, for one thread and for many: a second one could round otherwise.

    Parameters
    ----------
    function : callable
    signature : numba signature

    Returns
    -------
    callable
        It runs without the global interpreter lock.
    """
    settings: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    try:
        return njit(signature, cache=True, **settings)(function)
    except (RuntimeError, OSError):  # numba finds no folder for its cache, or the disk is full
        return njit(signature, **settings)(function)


@cache
def _pool() -> ThreadPoolExecutor:
    """Threads that wait for work, shared by all densities and climbs."""
    return ThreadPoolExecutor(numba.config.NUMBA_NUM_THREADS, "simpor")


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
    fill_tiles = compiled(_fill_tiles, _SIGNATURE)

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
