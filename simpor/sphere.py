"""Gradient ascent on spheres (Algorithm 1 of both papers), many spheres at once.

On a sphere a point moves by rotation: with u the unit vector from the centre to the point and t
the unit tangent along the projected gradient, turning by the angle phi gives u cos(phi) +
t sin(phi). Lines 5 and 7 of the printed algorithm are this for radius 1 only; unit vectors make
them right for every radius.
"""

from collections.abc import Callable
from numbers import Real
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array, check_random_state

from simpor._checks import check_whole

FIRST_ANGLE = 0.5  # radians: the longest first turn of the adaptive ascent
SMALLEST_ANGLE = 1e-12  # radians: below it a turn is lost in the rounding of the point

#: From points (k, d) to values (k,) and gradients (k, d).
Objective = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


class SphereAscent(NamedTuple):
    """Where m ascents ended. Every field has one entry a point.

    Attributes
    ----------
    x : ndarray of shape (m, d)
        The points reached.
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
        ``max(1, radius) * tangent_norm <= tol``.
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
        It is called with the points still on their way, in their order.
    centers : array-like of shape (m, d)
    radii : float or array-like of shape (m,)
        In the unit of the features. Radius 0 stays at its center.
    start : array-like of shape (m, d), default=None
        First points, moved to their sphere along the ray from the center. None draws them
        uniformly.
    step : "adaptive" or float, default="adaptive"
        "adaptive" turns each point by an angle of its own: at first towards the gradient, but at
        most by half a radian; then by Barzilai and Borwein's step, which fits the curvature of the
        turn before, or half as far after a turn that would have lowered the value, which is then
        not made. A float is the published rule: that angle, in radians, at every turn
        (``1e-5 * 2 * pi`` in both papers), until a turn no longer raises the value; that last turn
        is not made. The value never falls with either.
    max_iter : int, default=100
        Turns to try. 0 returns the first points.
    tol : float, default=1e-4
        Largest slope along the sphere that counts as converged, per unit of length and per radian.
    random_state : int, RandomState instance or None, default=None
        For the first points.

    Returns
    -------
    SphereAscent

    Raises
    ------
    ValueError
        If shapes disagree, a radius is negative, a first point is its own center, the objective
        returns other shapes, or a parameter is out of range.

    Notes
    -----
    TAI paper and preprint, Eq. 15 and Algorithm 1. In one dimension a sphere is two points, and
    the better one is returned. The adaptive angles are the shorter step of J. Barzilai and J. M.
    Borwein, "Two-Point Step Size Gradient Methods", IMA Journal of Numerical Analysis 8, 1988,
    with the gradient before carried along the turn; on a circle they are the secant method.

    Examples
    --------
    >>> import numpy as np
    >>> def height(points):
    ...     return points[:, 1], np.tile([0.0, 1.0], (len(points), 1))
    >>> end = ascend_on_sphere(height, [[1.0, 1.0]], 0.5, start=[[1.5, 1.0]])
    >>> end.x.round(6)
    array([[1. , 1.5]])
    >>> end.rotation.round(4), end.converged
    (array([1.5708]), array([ True]))
    """
    centers, radii = _check_spheres(centers, radii)
    _check_parameters(step, max_iter, tol)
    start_directions = _first_directions(centers, radii, start, random_state)
    if centers.shape[1] == 1:
        return _better_of_two_points(objective, centers, radii, start_directions)

    directions = start_directions.copy()
    values, gradients = _evaluate(objective, centers + radii[:, None] * directions)
    tangents, slopes = _project_onto_tangent(gradients, directions)
    start_values = values.copy()
    n_iter = np.zeros(len(centers), dtype=int)
    if step == "adaptive":
        angles = np.minimum(_angle_to_gradient(gradients, directions, slopes), FIRST_ANGLE)
    else:
        angles = np.full(len(centers), float(step))

    steepness = np.maximum(1.0, radii)
    on_the_way = radii > 0
    if step == "adaptive":
        on_the_way &= steepness * slopes > tol
    for _ in range(max_iter):
        i = np.flatnonzero(on_the_way)
        if len(i) == 0:
            break
        turned, carried = _rotate(directions[i], tangents[i], angles[i])
        turned_values, turned_gradients = _evaluate(objective, centers[i] + radii[i, None] * turned)
        turned_tangents, turned_slopes = _project_onto_tangent(turned_gradients, turned)
        n_iter[i] += 1

        rose = turned_values > values[i]
        if step == "adaptive":
            # near the summit values differ by rounding only: there a smaller slope is progress too
            rose |= (turned_values == values[i]) & (turned_slopes < slopes[i])
            bend = np.sum(carried * turned_tangents, axis=1)
            fitting = _angle_that_fits(angles[i], slopes[i], turned_slopes, bend)
            to_gradient = _angle_to_gradient(turned_gradients, turned, turned_slopes)
            angles[i] = np.where(rose, np.minimum(fitting, to_gradient), 0.5 * angles[i])

        up = i[rose]
        directions[up], values[up] = turned[rose], turned_values[rose]
        tangents[up], slopes[up] = turned_tangents[rose], turned_slopes[rose]
        if step == "adaptive":
            on_the_way[i] = (steepness[i] * slopes[i] > tol) & (angles[i] > SMALLEST_ANGLE)
        else:
            on_the_way[i] = rose

    return SphereAscent(
        x=centers + radii[:, None] * directions,
        value=values,
        start_value=start_values,
        rotation=_angle_between(start_directions, directions),
        n_iter=n_iter,
        n_evaluations=n_iter + 1,
        converged=(steepness * slopes <= tol) | (radii == 0),
        tangent_norm=np.where(radii == 0, 0.0, slopes),
    )


def _project_onto_tangent(
    gradients: np.ndarray, directions: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Unit tangents along the gradients' projections (lines 5 and 6), and the projections' norms."""
    along = np.sum(gradients * directions, axis=1, keepdims=True)
    projections = gradients - along * directions
    slopes = np.linalg.norm(projections, axis=1)
    tangents = projections / np.where(slopes == 0, 1.0, slopes)[:, None]
    # what rounding left of the direction in the tangent would bend the turn
    tangents -= np.sum(tangents * directions, axis=1, keepdims=True) * directions
    return tangents, slopes


def _rotate(
    directions: np.ndarray, tangents: np.ndarray, angles: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Turn unit directions towards unit tangents by angles in radians (line 7).

    Returns the turned directions, and the tangents carried along to them.
    """
    cosines, sines = np.cos(angles)[:, None], np.sin(angles)[:, None]
    turned = directions * cosines + tangents * sines
    carried = tangents * cosines - directions * sines
    return turned / np.linalg.norm(turned, axis=1, keepdims=True), carried


def _angle_that_fits(
    angles: np.ndarray, slopes_before: np.ndarray, slopes: np.ndarray, bend: np.ndarray
) -> np.ndarray:
    """Barzilai and Borwein's next angle, from the slopes before and after a turn.

    `bend` is the cosine between the old tangent, carried along, and the new one. In units of the
    slope before, the slope vector has changed from 1 along the old tangent to q along the new one,
    and fallen by 1 - q * bend along the turn. If it is to go on changing so, the point of slope zero
    is angle * fall / change^2 * q away. A slope that does not fall fits no summit: twice the angle.
    """
    q = slopes / slopes_before
    fall = 1 - q * bend
    change_squared = 1 - 2 * q * bend + q**2
    concave = (fall > 0) & (change_squared > 0)
    return angles * np.where(concave, q * fall / np.where(concave, change_squared, 1.0), 2.0)


def _angle_to_gradient(
    gradients: np.ndarray, directions: np.ndarray, slopes: np.ndarray
) -> np.ndarray:
    """Angle between each direction and its gradient, 0 to pi: a linear objective peaks there."""
    return np.arctan2(slopes, np.sum(gradients * directions, axis=1))


def _angle_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Angle between unit vectors, exact for tiny angles as well."""
    return 2 * np.arctan2(np.linalg.norm(a - b, axis=1), np.linalg.norm(a + b, axis=1))


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
    values, gradients = objective(points)
    # copies: what the objective keeps must not change under it
    values, gradients = np.array(values, dtype=float), np.array(gradients, dtype=float)
    if values.shape != points.shape[:1] or gradients.shape != points.shape:
        raise ValueError(
            f"The objective returned shapes {values.shape} and {gradients.shape} for points of shape "
            f"{points.shape}; return values (k,) and gradients (k, d)."
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
                f"start has shape {start.shape}; give one point a center, {centers.shape}."
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
    radii = np.asarray(radii, dtype=np.float64)
    if radii.ndim == 0:
        radii = np.full(len(centers), radii)
    if radii.shape != (len(centers),):
        raise ValueError(
            f"radii has shape {radii.shape}; give one radius a center, ({len(centers)},)."
        )
    if not np.all(np.isfinite(radii) & (radii >= 0)):
        raise ValueError("A radius is negative or not finite; give lengths >= 0.")
    return centers, radii


def _check_parameters(step: float | str, max_iter: int, tol: float) -> None:
    if step != "adaptive" and (
        isinstance(step, (str, bool)) or not isinstance(step, Real) or not step > 0
    ):
        raise ValueError(f'step={step!r}: give "adaptive" or an angle in radians above 0.')
    check_whole("max_iter", max_iter, least=0)
    if not isinstance(tol, Real) or not tol >= 0:
        raise ValueError(f"tol={tol!r}: give a number >= 0.")
