"""The climb of a log posterior ratio, compiled or on a device: `ascend_on_sphere` in fewer calls.

`ascend_on_sphere` climbs any objective, and asks it for values and gradients of all points at once.
Here the objective is known, and one compiled call per thread does whole climbs by the same rule. On a
device the arrays stay there until all points have ended.

In a large table most rows of the other classes are too far away from a point to add to the density
there: at a summit a few rows carry it. So the points of one seed climb together on a list of active
rows. It begins with the rows that matter where the points begin. Where they end, all rows are looked
at: if those left out hold more than a negligible share of the density at any point, rows that matter
join the list and the climb goes on. Solvers of support vector machines keep a working set like this.
"""

import math
from collections.abc import Callable
from concurrent.futures import wait
from itertools import pairwise
from typing import Any

import numba
import numpy as np
from numba import types

from simpor._device import open_device
from simpor._kernel_sums import (
    LANES,
    STOPPED,
    Climb,
    Ends,
    _pool,
    climb_with_active_rows,
    climb_with_all_rows,
    compiled,
    idle_climbers,
    n_threads,
    new_scan,
)
from simpor.posterior import PosteriorRatio
from simpor.sphere import (
    FIRST_ANGLE,
    LONGEST_ANGLE,
    MEMORY,
    SMALLEST_ANGLE,
    SphereAscent,
    _angle_between,
    _first_directions,
    ascend_on_sphere,
    climb_from,
)

# Points that climb together in NumPy's arrays: enough to keep all threads busy, few enough to limit
# the memory.
POINTS_AT_ONCE = 2**14
# Evaluations per point, to tell how much work a climb is.
USUAL_EVALUATIONS = 12
# Kernels summed in about a second, from which on another thread climbs, for Ctrl-C to be heard.
LONG_WORK = 2**28
SECONDS_BETWEEN_REPORTS = 10.0

# Rows of the other classes from which on a climb leaves out those that cannot matter, and the share
# of LANES that the points of one seed must fill on average. Measured on tables of 2 to 30 features:
# with fewer rows, or half the lanes idle, all rows at once are as fast or faster.
ACTIVE_ROWS_FROM = 40_000
SMALLEST_FILL = 0.6
# Nats: kernels smaller than exp(-NEGLIGIBLE) times the nearest row's are left out of all sums. With
# n rows this lowers a log density by less than n * exp(-NEGLIGIBLE).
NEGLIGIBLE = 27.0
ACTIVE_WITHIN = 12.0  # nats: the same for the rows on which a climb begins
FIRST_TURNS = 6  # on these alone; then on all that matter where the points have come
LARGEST_SHARE = 1e-7  # of the density, that rows left out of a climb may have at its end
# Bandwidths: beyond this distance from the mean, the scan's squared distances are not exact enough.
FARTHEST_FOR_A_SCAN = 1e4

Report = Callable[[float], None]


def climb_ratio(
    ratio: PosteriorRatio,
    X: np.ndarray,
    seeds: np.ndarray,
    radii: np.ndarray,
    *,
    max_iter: int,
    random_state: np.random.RandomState,
    step: float | str = "adaptive",
    tol: float = 1e-4,
    report: Report | None = None,
) -> SphereAscent:
    """Climb a log posterior ratio on the sphere of each radius around each seed.

    Parameters
    ----------
    ratio : PosteriorRatio
        Fitted.
    X : ndarray of shape (n, d)
        Rows to which the ratio was fitted.
    seeds : ndarray of int of shape (m,)
        Indices of the rows that are centers. In a large table, the points of one seed climb
        together.
    radii : ndarray of shape (m,)
        In the unit of the features.
    max_iter : int
        Largest number of turns to try.
    random_state : RandomState
        For the first points.
    step : "adaptive" or float, default="adaptive"
        As for :func:`simpor.ascend_on_sphere`. The compiled climb is adaptive; with an angle, or on
        a device, the array climb of that function does the work.
    tol : float, default=1e-4
        Largest slope that counts as converged, see :func:`simpor.ascend_on_sphere`.
    report : callable, default=None
        In a long compiled climb it is called every ten seconds with the share that is done.

    Returns
    -------
    SphereAscent
        The same bits for any number of threads.

    Notes
    -----
    Log ratios are exact to rounding unless the climb has active rows. With these they are sums over
    all n rows of the other classes but those that each weigh less than exp(-27) times the nearest
    one: this raises a log ratio by less than ``n * exp(-27)`` nats. Squared distances are multiplied
    out there, which rounds them to about 1e-8 nats where the rows reach 1e4 bandwidths from their
    mean, the farthest for which this is done. `tangent_norm` and `converged` are those of the density
    of the active rows, which hold all but a share of 1e-7 of it at most.
    """
    centers = X[seeds]
    has_circles = centers.shape[1] > 1 and _squares_fit(ratio, centers, radii)
    if ratio.device is not None and has_circles:
        start = _first_directions(centers, radii, None, random_state)
        return _on_device(ratio, centers, radii, start, step, max_iter, tol)
    if not has_circles or step != "adaptive" or numba.config.DISABLE_JIT:
        return _in_parts(ratio, centers, radii, step, max_iter, tol, random_state)
    start = _first_directions(centers, radii, None, random_state)
    order = np.lexsort((radii, seeds))  # neighbours climb side by side
    centers, radii, start = centers[order], radii[order], start[order]
    climb = _climb(ratio, centers, radii, start, max_iter, tol)
    tiles = _tiles(seeds[order])
    ends = _no_ends(climb)
    if _active_rows_pay(climb, tiles):
        _with_active_rows(climb, ends, tiles, ratio.n_jobs, report)
    else:
        _with_all_rows(climb, ends, ratio.n_jobs, report)
    ascent = _ascent(centers, radii, start, ends, tol)
    del centers, start, climb, ends  # in a large table they are large
    back = np.argsort(order)
    return SphereAscent(*(field[back] for field in ascent))


def _squares_fit(ratio: PosteriorRatio, centers: np.ndarray, radii: np.ndarray) -> bool:
    """Whether no squared distance of the climb overflows."""
    densities = (ratio.positive_density_, ratio.other_density_)
    with np.errstate(over="ignore"):
        farthest = max(
            np.abs(d._rows).max()
            + (np.abs(centers).max(initial=0) + radii.max(initial=0)) / d._unit
            for d in densities
        )
        return bool(np.isfinite(4.0 * centers.shape[1] * farthest**2))


def _in_parts(
    ratio: PosteriorRatio,
    centers: np.ndarray,
    radii: np.ndarray,
    step: float | str,
    max_iter: int,
    tol: float,
    random_state: np.random.RandomState,
) -> SphereAscent:
    """The array climb, with so many points at a time."""
    n = max(1, len(centers))
    parts = [slice(first, first + POINTS_AT_ONCE) for first in range(0, n, POINTS_AT_ONCE)]
    ascents = [
        ascend_on_sphere(
            ratio._log_ratio_and_gradient,
            centers[part],
            radii[part],
            step=step,
            max_iter=max_iter,
            tol=tol,
            random_state=random_state,
        )
        for part in parts
    ]
    return SphereAscent(*map(np.concatenate, zip(*ascents)))


def _on_device(
    ratio: PosteriorRatio,
    centers: np.ndarray,
    radii: np.ndarray,
    start: np.ndarray,
    step: float | str,
    max_iter: int,
    tol: float,
) -> SphereAscent:
    """The array climb on a device, with all points at once: nothing comes back before the end."""
    device = open_device(ratio.device)
    with device.enough_memory():
        ascent = climb_from(
            ratio._on(device)._log_ratio_and_gradient,
            device.asarray(centers),
            device.asarray(radii),
            device.asarray(start),
            step,
            max_iter,
            tol,
        )
    return SphereAscent(*map(device.to_numpy, ascent))


def _climb(
    ratio: PosteriorRatio,
    centers: np.ndarray,
    radii: np.ndarray,
    start: np.ndarray,
    max_iter: int,
    tol: float,
) -> Climb:
    densities = (ratio.positive_density_, ratio.other_density_)
    return Climb(
        centers=centers,
        radii=radii,
        start_directions=start,
        positive_rows=densities[0]._rows,
        other_rows=densities[1]._rows,
        scales=np.array([1 / density._unit for density in densities]),
        half_precisions=np.array([0.5 * (d._unit / d.bandwidth_) ** 2 for d in densities]),
        log_constant=ratio.log_prior_ratio_ - densities[0]._log_norm + densities[1]._log_norm,
        max_iter=max_iter,
        tol=tol,
        first_angle=FIRST_ANGLE,
        longest_angle=LONGEST_ANGLE,
        smallest_angle=SMALLEST_ANGLE,
    )


def _no_ends(climb: Climb) -> Ends:
    """Room for the ends of the climbs."""
    m = len(climb.radii)
    return Ends(climb.start_directions.copy(), *np.zeros((3, m)), *np.zeros((2, m), dtype=np.intp))


def _tiles(seeds: np.ndarray) -> np.ndarray:
    """Where tiles begin, and the last ends: up to LANES points of one seed each."""
    firsts = np.flatnonzero(np.diff(seeds, prepend=-1))
    starts = [np.arange(*pair, LANES) for pair in pairwise([*firsts, len(seeds)])]
    return np.concatenate([*starts, [len(seeds)]]).astype(np.intp)


def _active_rows_pay(climb: Climb, tiles: np.ndarray) -> bool:
    fill = len(climb.radii) / LANES / max(1, len(tiles) - 1)
    rows, precision = climb.other_rows, climb.half_precisions[1]
    if len(rows) < ACTIVE_ROWS_FROM or fill < SMALLEST_FILL:
        return False
    farthest = np.linalg.norm(np.abs(rows - rows.mean(axis=0)).max(axis=0))
    return bool(farthest * math.sqrt(2 * precision) < FARTHEST_FOR_A_SCAN)


def _with_all_rows(climb: Climb, ends: Ends, n_jobs: int | None, report: Report | None) -> None:
    m, d = climb.centers.shape
    n_kernels = USUAL_EVALUATIONS * m * (len(climb.positive_rows) + len(climb.other_rows))
    threads = max(1, min(n_threads(n_jobs, n_kernels * d), -(-m // LANES)))
    counter = np.zeros(1, dtype=np.intp)
    arguments = [(climb, idle_climbers(d, MEMORY), ends, counter) for _ in range(threads)]
    _run(climb_with_all_rows, arguments, m, n_kernels > LONG_WORK, report)


def _with_active_rows(
    climb: Climb, ends: Ends, tiles: np.ndarray, n_jobs: int | None, report: Report | None
) -> None:
    # the scan multiplies out its squares, which is exact where the rows lie around 0
    origin = climb.other_rows.mean(axis=0) / climb.scales[1]
    climb = climb._replace(
        centers=climb.centers - origin,
        positive_rows=climb.positive_rows - origin * climb.scales[0],
        other_rows=climb.other_rows - origin * climb.scales[1],
    )
    n, d = climb.other_rows.shape
    threads = min(n_threads(n_jobs, len(climb.radii) * n * d), len(tiles) - 1)
    counter, square_norms = np.zeros(1, dtype=np.intp), np.sum(climb.other_rows**2, axis=1)
    bits = math.log2(math.e)  # per nat
    limits = (NEGLIGIBLE * bits, ACTIVE_WITHIN * bits, FIRST_TURNS, LARGEST_SHARE)
    arguments = [
        (
            *(climb, idle_climbers(d, MEMORY), ends, counter),
            *(tiles, square_norms, new_scan(n, d), *limits),
        )
        for _ in range(threads)
    ]
    _run(climb_with_active_rows, arguments, len(tiles) - 1, True, report)


def _run(
    function: Callable[..., None],
    arguments: list[tuple[Any, ...]],
    n_items: int,
    is_long: bool,
    report: Report | None,
) -> None:
    """Call a compiled function once per thread; an interrupt stops all of them at once."""
    function = compiled(function, types.void(*map(numba.typeof, arguments[0])))
    if len(arguments) == 1 and not is_long:
        function(*arguments[0])
        return
    counter = arguments[0][3]
    running = {_pool().submit(function, *args) for args in arguments}
    try:
        while running:
            done, running = wait(running, timeout=SECONDS_BETWEEN_REPORTS)
            for thread in done:
                thread.result()
            if running and report is not None:
                report(min(1.0, counter[0] / n_items))
    finally:
        counter[0] = STOPPED
        wait(running)


def _ascent(
    centers: np.ndarray, radii: np.ndarray, start: np.ndarray, ends: Ends, tol: float
) -> SphereAscent:
    # with active rows, a point that has hardly moved may end lower by what was left out
    lower = ends.values < ends.start_values
    directions = np.where(lower[:, None], start, ends.directions)
    moving = np.where(radii == 0, 1.0, radii)
    return SphereAscent(
        x=centers + radii[:, None] * directions,
        value=np.maximum(ends.values, ends.start_values),
        start_value=ends.start_values,
        rotation=_angle_between(start, directions),
        n_iter=ends.n_iter,
        n_evaluations=ends.n_evaluations,
        converged=np.maximum(1.0, radii) * ends.slopes <= tol * moving,
        tangent_norm=np.where(radii == 0, 0.0, ends.slopes / moving),
    )
