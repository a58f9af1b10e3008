"""Gradient ascent on spheres (Algorithm 1 of both papers), many spheres at once.

On a sphere a point moves by rotation: with u the unit vector from the centre to the point and t
the unit tangent along the projected gradient, turning by the angle phi gives u cos(phi) +
t sin(phi). Lines 5 and 7 of the printed algorithm are this for radius 1 only; unit vectors make
them right for every radius.

The climb itself is written for any array library of the array API standard. `ascend_on_sphere` runs
it on NumPy's arrays, `SIMPOR(device=...)` on those of PyTorch.
"""

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array, check_random_state

from simpor._checks import check_whole, is_number
from simpor._device import namespace

FIRST_ANGLE = 0.7  # radians: the longest first turn of the adaptive ascent
LONGEST_ANGLE = 1.0  # radians: the longest of its later turns
MEMORY = 8  # turns before, from which it knows the curvature
SMALLEST_ANGLE = 1e-12  # radians: below it a turn is lost in the rounding of the point

#: From points (k, d) to values (k,) and gradients (k, d).
Objective = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
#: An array of any library of the array API standard.
Array = Any

Fields = TypeVar("Fields", "_Points", "_Turns")


class SphereAscent(NamedTuple):
    """Where m ascents ended. Every field has one entry per point.

    Attributes
    ----------
    x : ndarray of shape (m, d)
        The last points.
    value : ndarray of shape (m,)
        The objective there.
    start_value : ndarray of shape (m,)
        The objective where the ascents began.
    rotation : ndarray of shape (m,)
        Angle between the first and the last direction, in radians, 0 to pi.
    n_iter : ndarray of int of shape (m,)
        Turns that were tried.
    n_evaluations : ndarray of int of shape (m,)
        Evaluations of value and gradient.
    converged : ndarray of bool of shape (m,)
        Whether the slope along the sphere is at most `tol`, per unit of length and per radian:
        ``max(1, radius) * tangent_norm <= tol``. False where the value is -inf.
    tangent_norm : ndarray of shape (m,)
        Norm of the part of the gradient that is tangent to the sphere, per unit of length.
    """

    x: np.ndarray
    value: np.ndarray
    start_value: np.ndarray
    rotation: np.ndarray
    n_iter: np.ndarray
    n_evaluations: np.ndarray
    converged: np.ndarray
    tangent_norm: np.ndarray


def ascend_on_sphere(
    objective: Objective,
    centers: ArrayLike,
    radii: ArrayLike,
    *,
    start: ArrayLike | None = None,
    step: float | str = "adaptive",
    max_iter: int = 100,
    tol: float = 1e-4,
    random_state: int | np.random.RandomState | None = None,
) -> SphereAscent:
    """Climb an objective on the sphere of each radius around each center.

    Parameters
    ----------
    objective : callable
        ``objective(points)`` takes an array (k, d) and returns values (k,) and gradients (k, d).
        It is called with the points that have not stopped, in their original order. Values may be
        -inf, as the logarithm of a density that underflows: an ascent leaves such a point if the
        gradient there is finite, and never moves to one. All else must be finite.
    centers : array-like of shape (m, d)
    radii : float or array-like of shape (m,)
        In the unit of the features. Radius 0 stays at its center.
    start : array-like of shape (m, d), default=None
        First points. Each is moved to its sphere along the ray from the center. None draws them
        uniformly.
    step : "adaptive" or float, default="adaptive"
        The angle of a turn towards the gradient. A turn is made only if it leads higher: to a larger
        value or, since near a maximum values differ by rounding only, to an equal value and a
        smaller slope.

        - "adaptive" gives each point turns of its own. The first goes along the gradient, by the
          angle between direction and gradient, 0.7 radians at most. The next ones are the steps of
          L-BFGS, which fits the curvature of the last eight turns, a radian at most. After a turn
          that does not lead higher, the angle is halved. Where no maximum fits, the turn goes along
          the gradient, at most twice as far as the one before, and the turns before are forgotten.
        - A float is the published rule: the same angle, in radians, at every turn
          (``1e-5 * 2 * pi`` in both papers), until a turn does not lead higher.
    max_iter : int, default=100
        Largest number of turns to try. With 0 the first points are returned.
    tol : float, default=1e-4
        An ascent has converged when its slope along the sphere is at most `tol`, per unit of length
        and per radian.
    random_state : int, RandomState instance or None, default=None
        Seeds the first points.

    Returns
    -------
    SphereAscent

    Raises
    ------
    ValueError
        If shapes disagree, a radius is negative, a first point is its own center, the objective
        returns other shapes, NaN or infinity, or a parameter is out of range.

    Notes
    -----
    TAI paper and preprint, Eq. 15 and Algorithm 1. In one dimension a sphere is two points, and
    the better one is returned. The adaptive turns are those of D. C. Liu and J. Nocedal, "On the
    Limited Memory BFGS Method for Large Scale Optimization", Mathematical Programming 45, 1989,
    with the gradient before carried along the turn; on a circle they are the secant method.

    Examples
    --------
    >>> import numpy as np
    >>> def height(points):
    ...     return points[:, 1], np.tile([0.0, 1.0], (len(points), 1))
    >>> end = ascend_on_sphere(height, [[1.0, 1.0]], 0.5, start=[[1.5, 1.0]])
    >>> end.x.round(3)
    array([[1. , 1.5]])
    >>> end.rotation.round(3), end.converged
    (array([1.571]), array([ True]))
    """
    centers, radii = _check_spheres(centers, radii)
    _check_parameters(step, max_iter, tol)
    start_directions = _first_directions(centers, radii, start, random_state)
    if centers.shape[1] == 1:
        return _better_of_two_points(objective, centers, radii, start_directions)

    checked = functools.partial(_evaluate, objective)
    return climb_from(checked, centers, radii, start_directions, step, max_iter, tol)


def climb_from(
    objective: Callable[[Array], tuple[Array, Array]],
    centers: Array,
    radii: Array,
    start_directions: Array,
    step: float | str,
    max_iter: int,
    tol: float,
) -> SphereAscent:
    """Climb from directions, on arrays of any library of the standard (Algorithm 1).

    Parameters
    ----------
    objective : callable
        As for :func:`ascend_on_sphere`, from and to arrays of that library. Nothing is checked here.
    centers : array of shape (m, d)
        With d > 1.
    radii : array of shape (m,)
    start_directions : array of shape (m, d)
        Unit vectors.
    step : "adaptive" or float
    max_iter : int
    tol : float

    Returns
    -------
    SphereAscent
        Of arrays of that library.
    """
    xp = namespace(centers)
    rule = _LBFGS(tol) if step == "adaptive" else _FixedAngle(float(step))
    start = _look(objective, centers, radii, start_directions)
    end, n_iter = _climb(objective, start, rule, max_iter)
    return SphereAscent(
        x=centers + radii[:, None] * end.directions,
        value=end.values,
        start_value=start.values,
        rotation=_angle_between(start.directions, end.directions),
        n_iter=n_iter,
        n_evaluations=n_iter + 1,
        converged=(end.values > -math.inf) & (end.slopes_per_radian <= tol) | (radii == 0),
        tangent_norm=xp.where(radii == 0, 0.0, end.slopes),
    )


class _Points(NamedTuple):
    """Points on their spheres, and the objective there."""

    centers: Array  # (k, d)
    radii: Array  # (k,)
    directions: Array  # (k, d), unit vectors from the centers to the points
    values: Array  # (k,)
    tangents: Array  # (k, d), unit vectors along the gradients' projections
    slopes: Array  # (k,), norms of the projections
    radial_slopes: Array  # (k,), the gradients' parts along the directions

    @property
    def slopes_per_radian(self) -> Array:
        """Slopes per radian, or per unit of length if that is more."""
        return namespace(self.radii).clip(self.radii, 1.0, None) * self.slopes

    @property
    def slope_vectors(self) -> Array:
        """The gradients on the spheres, per radian."""
        return (self.radii * self.slopes)[:, None] * self.tangents

    @property
    def angles_to_gradient(self) -> Array:
        """Angles between directions and gradients, 0 to pi: there a linear objective peaks."""
        return _atan2(self.slopes, self.radial_slopes)


class _Turns(NamedTuple):
    """One tangent vector per point, as its unit vector and its length: the angle, in radians."""

    tangents: Array  # (k, d)
    angles: Array  # (k,)


class _StepRule(Protocol):
    """What the climb asks of a rule."""

    def first_turns(self, points: _Points) -> _Turns:
        """The first turn of each point."""

    def next_turns(
        self, active: Array, tried: _Turns, before: _Points, after: _Points, higher: Array
    ) -> _Turns:
        """The turns that follow those tried, which were made where they led higher.

        `active` are these points among all, as a mask, for a rule that keeps a state of each.
        """

    def goes_on(self, points: _Points, turns: _Turns) -> Array:
        """Which of the points are to try their next turn."""


class _FixedAngle:
    """The published rule: one angle for all turns, until a turn does not lead higher."""

    def __init__(self, angle: float) -> None:
        self.angle = angle

    def first_turns(self, points: _Points) -> _Turns:
        return _Turns(
            points.tangents, namespace(points.values).full_like(points.values, self.angle)
        )

    def next_turns(
        self, active: Array, tried: _Turns, before: _Points, after: _Points, higher: Array
    ) -> _Turns:
        return _Turns(after.tangents, self.angle * _as_numbers(higher, tried.angles))

    def goes_on(self, points: _Points, turns: _Turns) -> Array:
        return turns.angles > 0


class _LBFGS:
    """Turns towards the maximum of a quadratic fitted to the slopes of the last turns.

    Limited-memory BFGS: each turn is a step s, in radians, over which the slope per radian has
    fallen by y. These pairs approximate the inverse of the Hessian, which takes the slope to the
    next step. All vectors are tangents where the point is now: a pair is not carried along again.
    """

    def __init__(self, tol: float) -> None:
        self.tol = tol

    def first_turns(self, points: _Points) -> _Turns:
        xp = namespace(points.values)
        # one entry per pair of the memory; a weight is 1 / (s . y), or 0 where a turn has left none
        self.steps = [xp.zeros_like(points.directions) for _ in range(MEMORY)]
        self.falls = [xp.zeros_like(points.directions) for _ in range(MEMORY)]
        self.weights = [xp.zeros_like(points.values) for _ in range(MEMORY)]
        self.newest = -1
        return _Turns(points.tangents, xp.clip(points.angles_to_gradient, None, FIRST_ANGLE))

    def next_turns(
        self, active: Array, tried: _Turns, before: _Points, after: _Points, higher: Array
    ) -> _Turns:
        xp = namespace(active)
        fitted = self._remember(active, tried, before, after, higher)
        steps = self._steps_to_maximum(active, after)
        fitted &= xp.sum(steps * after.slope_vectors, axis=1) > 0
        # where no maximum fits: along the gradient, and from there anew
        kept = _as_numbers(~higher | fitted, after.values)
        for weights in self.weights:
            weights[active] = weights[active] * kept
        lengths = _norms(steps)
        unit_steps = steps / _nonzero(lengths)[:, None]
        along_gradient = xp.minimum(2 * tried.angles, after.angles_to_gradient)
        tangents = xp.where(fitted[:, None], unit_steps, after.tangents)
        angles = xp.clip(xp.where(fitted, lengths, along_gradient), None, LONGEST_ANGLE)
        return _Turns(
            xp.where(higher[:, None], tangents, tried.tangents),
            xp.where(higher, angles, 0.5 * tried.angles),
        )

    def goes_on(self, points: _Points, turns: _Turns) -> Array:
        return (points.slopes_per_radian > self.tol) & (turns.angles > SMALLEST_ANGLE)

    def _remember(
        self, active: Array, tried: _Turns, before: _Points, after: _Points, higher: Array
    ) -> Array:
        """Store the pair of each turn that was made; whether the slope has fallen along the turn."""
        xp = namespace(active)
        carried = _carry(before.directions, tried)
        ahead = xp.sum(before.slope_vectors * tried.tangents, axis=1, keepdims=True)
        slopes_carried = before.slope_vectors + ahead * (carried - tried.tangents)
        steps, falls = tried.angles[:, None] * carried, slopes_carried - after.slope_vectors
        products = xp.sum(steps * falls, axis=1)
        concave = higher & (products > 0)
        self.newest = (self.newest + 1) % MEMORY
        self.steps[self.newest][active] = steps
        self.falls[self.newest][active] = falls
        weights = _as_numbers(concave, products) / xp.where(concave, products, 1.0)
        self.weights[self.newest][active] = weights
        return concave

    def _steps_to_maximum(self, active: Array, points: _Points) -> Array:
        """The estimate of the inverse Hessian times the slope: two loops over the pairs."""
        xp = namespace(active)
        slots = [(self.newest - age) % MEMORY for age in range(MEMORY)]
        pairs = [
            (self.steps[k][active], self.falls[k][active], self.weights[k][active][:, None])
            for k in slots
        ]
        steps = points.slope_vectors
        shares = []
        for s, y, weight in pairs:
            shares.append(weight * xp.sum(s * steps, axis=1, keepdims=True))
            steps = steps - shares[-1] * y
        _, y, weight = pairs[0]
        steps = steps / _nonzero(weight * xp.sum(y * y, axis=1, keepdims=True))
        for (s, y, weight), share in zip(reversed(pairs), reversed(shares)):
            steps = steps + (share - weight * xp.sum(y * steps, axis=1, keepdims=True)) * s
        return steps - xp.sum(steps * points.directions, axis=1, keepdims=True) * points.directions


def _climb(
    objective: Callable[[Array], tuple[Array, Array]],
    start: _Points,
    rule: _StepRule,
    max_iter: int,
) -> tuple[_Points, Array]:
    """Turn the points until the rule stops them all (Algorithm 1); also count the turns tried."""
    xp = namespace(start.values)
    everywhere = start.radii >= 0
    points = _take(start, everywhere)  # copies, since they change below
    turns = _take(rule.first_turns(points), everywhere)
    active = (points.radii > 0) & rule.goes_on(points, turns)
    n_iter = xp.zeros_like(active, dtype=xp.int64)
    for _ in range(max_iter):
        if not xp.any(active):
            break
        before, tried = _take(points, active), _take(turns, active)
        after = _look(objective, before.centers, before.radii, _turn(before.directions, tried))
        n_iter[active] += 1
        higher = after.values > before.values
        # near the summit values differ by rounding only: there a smaller slope is progress too
        higher |= (after.values == before.values) & (after.slopes < before.slopes)
        now = _Points(*(_choose(higher, a, b) for a, b in zip(after, before)))
        then = rule.next_turns(active, tried, before, after, higher)
        _put(points, active, now)
        _put(turns, active, then)
        still_active = xp.zeros_like(active)
        still_active[active] = rule.goes_on(now, then)
        active = still_active
    return points, n_iter


def _look(
    objective: Callable[[Array], tuple[Array, Array]],
    centers: Array,
    radii: Array,
    directions: Array,
) -> _Points:
    """Evaluate the objective on the spheres and project its gradients (lines 5 and 6)."""
    xp = namespace(directions)
    values, gradients = objective(centers + radii[:, None] * directions)
    radial_slopes = xp.sum(gradients * directions, axis=1)
    projections = gradients - radial_slopes[:, None] * directions
    slopes = _norms(projections)
    tangents = projections / _nonzero(slopes)[:, None]
    # what rounding left of the direction in the tangent would bend the turn
    tangents = tangents - xp.sum(tangents * directions, axis=1, keepdims=True) * directions
    return _Points(centers, radii, directions, values, tangents, slopes, radial_slopes)


def _turn(directions: Array, turns: _Turns) -> Array:
    """Turn unit directions (line 7)."""
    xp = namespace(directions)
    cosines, sines = xp.cos(turns.angles)[:, None], xp.sin(turns.angles)[:, None]
    turned = directions * cosines + turns.tangents * sines
    return turned / _norms(turned)[:, None]


def _carry(directions: Array, turns: _Turns) -> Array:
    """Carry the tangents of turns along to where the turns lead."""
    xp = namespace(directions)
    cosines, sines = xp.cos(turns.angles)[:, None], xp.sin(turns.angles)[:, None]
    return turns.tangents * cosines - directions * sines


def _take(fields: Fields, mask: Array) -> Fields:
    return type(fields)(*(field[mask] for field in fields))


def _put(fields: Fields, mask: Array, new: Fields) -> None:
    for field, entries in zip(fields, new):
        field[mask] = entries


def _choose(higher: Array, after: Array, before: Array) -> Array:
    """The entries of one field where a turn led higher, else those of before."""
    mask = higher[:, None] if after.ndim == 2 else higher
    return namespace(after).where(mask, after, before)


def _as_numbers(mask: Array, like: Array) -> Array:
    """1.0 where true, 0.0 where not."""
    xp = namespace(like)
    return xp.where(mask, xp.ones_like(like), xp.zeros_like(like))


def _nonzero(array: Array) -> Array:
    """The array to divide by: 1 in place of 0."""
    return namespace(array).where(array == 0, 1.0, array)


def _norms(vectors: Array) -> Array:
    xp = namespace(vectors)
    return xp.sqrt(xp.sum(vectors * vectors, axis=1))


def _atan2(y: Array, x: Array) -> Array:
    xp = namespace(y)
    # NumPy has the standard's name from its version 2 on
    return xp.atan2(y, x) if hasattr(xp, "atan2") else xp.arctan2(y, x)


def _angle_between(a: Array, b: Array) -> Array:
    """Angle between unit vectors, exact for tiny angles as well."""
    return 2 * _atan2(_norms(a - b), _norms(a + b))


def _better_of_two_points(
    objective: Objective, centers: np.ndarray, radii: np.ndarray, start_directions: np.ndarray
) -> SphereAscent:
    """The sphere of one dimension: the center plus and minus the radius."""
    here, _ = _evaluate(objective, centers + radii[:, None] * start_directions)
    there, _ = _evaluate(objective, centers - radii[:, None] * start_directions)
    cross = (there > here) & (radii > 0)
    directions = np.where(cross[:, None], -start_directions, start_directions)
    m = len(centers)
    return SphereAscent(
        x=centers + radii[:, None] * directions,
        value=np.where(cross, there, here),
        start_value=here,
        rotation=np.where(cross, np.pi, 0.0),
        n_iter=np.ones(m, dtype=int),
        n_evaluations=np.full(m, 2),
        converged=np.ones(m, dtype=bool),
        tangent_norm=np.zeros(m),
    )


def _evaluate(objective: Objective, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if len(points) == 0:
        return np.empty(0), np.empty(points.shape)
    returned = objective(points)
    try:
        values, gradients = returned
        # copies: what the objective keeps must not change under it
        values, gradients = np.array(values, dtype=float), np.array(gradients, dtype=float)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"The objective returned {type(returned).__name__}; return two arrays of floats, "
            "values (k,) and gradients (k, d)."
        ) from error
    if values.shape != points.shape[:1] or gradients.shape != points.shape:
        raise ValueError(
            f"The objective returned shapes {values.shape} and {gradients.shape} for points of shape "
            f"{points.shape}; return values (k,) and gradients (k, d)."
        )
    # where a density underflows, its logarithm is -inf and the quotient for the gradient often 0 / 0
    is_lowest = np.isneginf(values)
    gradients[is_lowest & ~np.isfinite(gradients).all(axis=1)] = 0.0
    bad = np.flatnonzero(~(np.isfinite(values) | is_lowest) | ~np.isfinite(gradients).all(axis=1))
    if len(bad) > 0:
        raise ValueError(
            f"The objective returned value {values[bad[0]]} and gradient {gradients[bad[0]]} at the "
            f"point {points[bad[0]]}; return finite numbers (a value may be -inf)."
        )
    return values, gradients


def _first_directions(
    centers: np.ndarray,
    radii: np.ndarray,
    start: ArrayLike | None,
    random_state: int | np.random.RandomState | None,
) -> np.ndarray:
    """Unit vectors from the centers to the first points, or uniform ones."""
    if start is None:
        directions = check_random_state(random_state).standard_normal(centers.shape)
    else:
        start = check_array(start, dtype=np.float64, ensure_min_samples=0)
        if start.shape != centers.shape:
            raise ValueError(
                f"start has shape {start.shape}; give one point per center, {centers.shape}."
            )
        directions = start - centers
        at_center = ~directions.any(axis=1)
        if np.any(at_center & (radii > 0)):
            raise ValueError("A first point is its own center; move it off, or leave start=None.")
        directions[at_center, 0] = 1.0  # radius 0: any direction stays at the center
    # scaled first, so that the squares inside the norm cannot overflow
    directions = directions / np.max(np.abs(directions), axis=1, keepdims=True, initial=1e-300)
    return directions / np.linalg.norm(directions, axis=1, keepdims=True)


def _check_spheres(centers: ArrayLike, radii: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    centers = check_array(centers, dtype=np.float64, ensure_min_samples=0)
    try:
        radii = np.asarray(radii, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"radii={radii!r}: give numbers >= 0, one per center.") from error
    if radii.ndim == 0:
        radii = np.full(len(centers), radii)
    if radii.shape != (len(centers),):
        raise ValueError(
            f"radii has shape {radii.shape}; give one radius per center, ({len(centers)},)."
        )
    if not np.all(np.isfinite(radii) & (radii >= 0)):
        raise ValueError("A radius is negative or not finite; give lengths >= 0.")
    return centers, radii


def _check_parameters(step: Any, max_iter: Any, tol: Any) -> None:
    if not (is_number(step) and 0 < step < np.inf) and not (
        isinstance(step, str) and step == "adaptive"
    ):
        raise ValueError(f'step={step!r}: give "adaptive" or an angle in radians above 0.')
    check_whole("max_iter", max_iter, least=0)
    if not is_number(tol) or not tol >= 0:
        raise ValueError(f"tol={tol!r}: give a number >= 0.")
