"""ascend_on_sphere against dense grids, scipy, closed forms and its own promises."""

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.datasets import make_moons

from simpor import PosteriorRatio, ascend_on_sphere
from simpor.sphere import LONGEST_ANGLE, MEMORY

PUBLISHED_STEP = 1e-5 * 2 * np.pi


@pytest.fixture(scope="module")
def moon():
    X, y = make_moons(600, noise=0.33, random_state=0)
    rows = np.r_[np.flatnonzero(y == 0), np.flatnonzero(y == 1)[:43]]
    return X[rows], y[rows]


@pytest.fixture(scope="module")
def objective(moon):
    return PosteriorRatio().fit(*moon).log_ratio_and_gradient


def linear(slope):
    return lambda points: (points @ slope, np.tile(slope, (len(points), 1)))


def wavy(points):
    """Many maxima on every sphere."""
    return np.sin(3 * points).sum(axis=1), 3 * np.cos(3 * points)


@pytest.mark.parametrize("d", [2, 3, 10, 30])
def test_linear_objective_has_its_maximum_along_the_slope(d):
    rng = np.random.default_rng(d)
    centers, radii, slope = (
        rng.normal(size=(20, d)),
        rng.uniform(0.01, 5, size=20),
        rng.normal(size=d),
    )
    end = ascend_on_sphere(linear(slope), centers, radii, tol=1e-7, random_state=0)
    assert end.converged.all()
    best = centers + radii[:, None] * slope / np.linalg.norm(slope)
    np.testing.assert_allclose(end.x, best, atol=1e-5)
    np.testing.assert_allclose(end.value, best @ slope, rtol=1e-12, atol=1e-12)


def test_circle_maxima_agree_with_a_dense_grid(moon, objective):
    X, y = moon
    centers = X[y == 1][:15]
    end = ascend_on_sphere(objective, centers, 0.3, random_state=0)
    turns = np.linspace(0, 2 * np.pi, 20_001)
    circle = 0.3 * np.column_stack([np.cos(turns), np.sin(turns)])
    assert end.converged.all()
    for center, x, value in zip(centers, end.x, end.value):
        heights = objective(center + circle)[0]
        at = np.argmin(np.linalg.norm(center + circle - x, axis=1))
        neighbours = heights[(at + np.arange(-40, 41)) % 20_000]
        assert value >= neighbours.max() - 1e-9  # a local maximum
        assert value <= heights.max() + 1e-6


def test_sphere_maxima_agree_with_a_dense_grid():
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(size=(150, 3)), rng.normal(0.7, 0.8, size=(50, 3))])
    y = np.repeat([0, 1], [150, 50])
    objective = PosteriorRatio(bandwidth=0.4).fit(X, y).log_ratio_and_gradient
    # a spiral from pole to pole, whose points are all about 0.02 apart
    n = 30_000
    height, turn = 1 - (2 * np.arange(n) + 1) / n, np.pi * (1 + np.sqrt(5)) * np.arange(n)
    width = np.sqrt(1 - height**2)
    sphere = 0.6 * np.column_stack([width * np.cos(turn), width * np.sin(turn), height])
    for center in X[y == 1][:4]:
        heights = objective(center + sphere)[0]
        end = ascend_on_sphere(objective, np.tile(center, (60, 1)), 0.6, random_state=0)
        assert end.converged.all()
        for x, value in zip(end.x, end.value):  # each a local maximum
            near = np.linalg.norm(center + sphere - x, axis=1) < 0.04
            assert near.sum() > 20 and value >= heights[near].max() - 1e-9
        # the highest of them is the highest of all, which the grid misses by its spacing at most
        assert heights.max() <= end.value.max() + 1e-9 <= heights.max() + 1e-2


def test_maxima_in_ten_dimensions_agree_with_a_constrained_solver():
    rng = np.random.default_rng(1)
    X = np.vstack([rng.normal(size=(120, 10)), rng.normal(0.6, 1.0, size=(40, 10))])
    y = np.repeat([0, 1], [120, 40])
    # so wide a kernel leaves one maximum on each sphere
    ratio = PosteriorRatio(bandwidth=2.0).fit(X, y)
    centers, radii = X[y == 1][:6], np.array([0.1, 0.5, 1.0, 1.5, 2.0, 3.0])
    end = ascend_on_sphere(ratio.log_ratio_and_gradient, centers, radii, tol=1e-7, random_state=0)
    start = ascend_on_sphere(
        ratio.log_ratio_and_gradient, centers, radii, max_iter=0, random_state=1
    ).x
    assert end.converged.all()
    for center, radius, x, value, first in zip(centers, radii, end.x, end.value, start):
        on_sphere = {
            "type": "eq",
            "fun": lambda x, center=center, radius=radius: np.sum((x - center) ** 2) - radius**2,
            "jac": lambda x, center=center: 2 * (x - center),
        }
        solved = minimize(
            lambda x: -ratio.log_ratio(x[None])[0],
            first,
            jac=lambda x: -ratio.gradient(x[None])[0],
            constraints=[on_sphere],
            method="SLSQP",
            options={"ftol": 1e-14, "maxiter": 300},
        )
        assert np.linalg.norm(solved.x - center) == pytest.approx(radius, abs=1e-7)
        assert value == pytest.approx(-solved.fun, abs=1e-8)
        np.testing.assert_allclose(x, solved.x, atol=1e-4)


@pytest.mark.parametrize("step", ["adaptive", PUBLISHED_STEP, 0.3])
@pytest.mark.parametrize("d", [2, 3, 17])
def test_stays_on_the_sphere_and_never_falls(step, d):
    rng = np.random.default_rng(d)
    centers, radii = rng.normal(size=(50, d)), rng.uniform(0.1, 3, size=50)
    heights = []

    def recording(points):
        values, gradients = wavy(points)
        heights.append(values)
        return values, gradients

    end = ascend_on_sphere(recording, centers, radii, step=step, random_state=1)
    np.testing.assert_allclose(np.linalg.norm(end.x - centers, axis=1), radii, rtol=1e-12)
    assert (end.value >= end.start_value).all()
    np.testing.assert_array_equal(end.start_value, heights[0])
    np.testing.assert_allclose(end.value, wavy(end.x)[0], atol=1e-12)
    assert end.n_evaluations.sum() == sum(len(h) for h in heights)


def test_each_turn_is_the_step_of_bfgs_with_the_pairs_of_the_turns_before():
    """By matrices: the update formula of BFGS, where the ascent runs two loops over its pairs."""
    curvatures = np.array([1.0, 2.0, 4.0, 3.0])

    def bowl(points):
        return -0.5 * (points - 2) ** 2 @ curvatures, -(points - 2) * curvatures

    def slope(u):
        gradient = bowl(u[None])[1][0]
        return gradient - (gradient @ u) * u

    start = np.array([0.9, 0.3, 0.1, 0.2]) / np.linalg.norm([0.9, 0.3, 0.1, 0.2])
    u = [
        ascend_on_sphere(bowl, [[0] * 4], 1.0, start=[start], max_iter=n, tol=0).x[0]
        for n in range(MEMORY)
    ]
    pairs = []
    for before, here, after in zip(u, u[1:], u[2:]):
        # a step is the angle times the tangent where it ends; the slope is carried along with it
        angle = 2 * np.arcsin(np.linalg.norm(here - before) / 2)
        tangent = (here - np.cos(angle) * before) / np.sin(angle)
        carried = np.cos(angle) * tangent - np.sin(angle) * before
        ahead = slope(before) @ tangent
        pairs.append((angle * carried, slope(before) + ahead * (carried - tangent) - slope(here)))

        step, fall = pairs[-1]
        inverse_hessian = step @ fall / (fall @ fall) * np.eye(4)
        for step, fall in pairs:
            weight = 1 / (step @ fall)
            left_out = np.eye(4) - weight * np.outer(step, fall)
            inverse_hessian = left_out @ inverse_hessian @ left_out.T + weight * np.outer(
                step, step
            )
        expected = inverse_hessian @ slope(here)
        expected -= (expected @ here) * here
        length = np.linalg.norm(expected)
        assert length < LONGEST_ANGLE  # not cut
        turned = np.cos(length) * here + np.sin(length) * expected / length
        np.testing.assert_allclose(after - here, turned - here, rtol=0, atol=1e-6 * length)
    assert len(pairs) == MEMORY - 2


@pytest.mark.parametrize("d, most", [(2, 8), (10, 16)])
def test_few_evaluations(d, most):
    rng = np.random.default_rng(d)
    X = np.vstack([rng.normal(size=(300, d)), rng.normal(0.7, 0.7, size=(40, d))])
    ratio = PosteriorRatio().fit(X, np.repeat([0, 1], [300, 40]))
    end = ascend_on_sphere(ratio.log_ratio_and_gradient, X[300:], 0.5, random_state=0)
    assert end.converged.all() and end.n_evaluations.mean() < most


def test_converged_says_the_truth():
    rng = np.random.default_rng(3)
    centers, radii = rng.normal(size=(200, 5)), rng.uniform(0.1, 3, size=200)
    for max_iter in (0, 3, 10, 100):
        end = ascend_on_sphere(wavy, centers, radii, max_iter=max_iter, tol=1e-3, random_state=0)
        _, gradients = wavy(end.x)
        outward = (end.x - centers) / radii[:, None]
        tangent = gradients - (gradients * outward).sum(axis=1, keepdims=True) * outward
        norms = np.linalg.norm(tangent, axis=1)
        np.testing.assert_allclose(end.tangent_norm, norms, atol=1e-9)
        np.testing.assert_array_equal(end.converged, np.maximum(1, radii) * norms <= 1e-3)
    assert end.converged.mean() > 0.9


def test_no_turns_is_the_start():
    start = np.array([[2.0, 0.0], [0.0, 5.0]])
    end = ascend_on_sphere(wavy, np.zeros((2, 2)), 1.0, start=start, max_iter=0)
    np.testing.assert_array_equal(end.x, [[1, 0], [0, 1]])
    np.testing.assert_array_equal(end.rotation, 0)
    np.testing.assert_array_equal(end.value, end.start_value)


def test_published_rate_turns_by_a_degree_at_most(moon, objective):
    X, y = moon
    end = ascend_on_sphere(
        objective, X[y == 1], 0.2, step=PUBLISHED_STEP, max_iter=300, random_state=0
    )
    assert np.degrees(end.rotation).max() < 1.1
    assert (end.n_iter <= 300).all() and (end.rotation <= end.n_iter * PUBLISHED_STEP + 1e-12).all()
    full = ascend_on_sphere(objective, X[y == 1], 0.2, random_state=0)
    np.testing.assert_array_equal(end.start_value, full.start_value)
    assert (end.value - end.start_value).mean() < 0.1 * (full.value - full.start_value).mean()


def test_published_update_by_hand():
    # one turn at radius 2 around the origin, from (2, 0), objective x + 3y: the tangent is (0, 1)
    end = ascend_on_sphere(
        linear(np.array([1.0, 3.0])), [[0.0, 0.0]], 2.0, start=[[2.0, 0.0]], step=0.1, max_iter=1
    )
    np.testing.assert_allclose(end.x, [[2 * np.cos(0.1), 2 * np.sin(0.1)]], rtol=1e-14)
    assert end.rotation[0] == pytest.approx(0.1) and end.n_evaluations[0] == 2


def test_published_rule_stops_before_the_turn_that_falls():
    angle = np.arctan2(3, 1)  # the maximum of x + 3y
    end = ascend_on_sphere(
        linear(np.array([1.0, 3.0])), [[0.0, 0.0]], 1.0, start=[[1.0, 0.0]], step=0.2, max_iter=50
    )
    assert end.n_iter[0] < 50
    assert abs(end.rotation[0] - angle) <= 0.1 + 1e-9


def test_radius_zero_stays_and_one_dimension_takes_the_better_point():
    end = ascend_on_sphere(wavy, [[1.0, 2.0], [0.0, 0.0]], [0.0, 1.0], random_state=0)
    np.testing.assert_array_equal(end.x[0], [1.0, 2.0])
    assert end.converged[0] and end.rotation[0] == 0 and end.tangent_norm[0] == 0
    assert end.n_iter[0] == 0 and end.n_evaluations[0] == 1

    line = ascend_on_sphere(
        linear(np.array([-1.0])), [[0.0], [5.0], [3.0]], [1.0, 2.0, 0.0], random_state=0
    )
    np.testing.assert_array_equal(line.x, [[-1.0], [3.0], [3.0]])
    assert line.converged.all() and set(line.rotation) <= {0.0, np.pi}


def test_flat_objective_converges_where_it_starts():
    flat = ascend_on_sphere(
        lambda p: (np.zeros(len(p)), np.zeros(p.shape)), np.zeros((4, 3)), 1.0, random_state=0
    )
    assert flat.converged.all() and (flat.n_evaluations == 1).all()


def test_points_do_not_disturb_one_another(moon, objective):
    centers = moon[0][moon[1] == 1][:20]
    together = ascend_on_sphere(objective, centers, 0.3, random_state=0)
    start = ascend_on_sphere(objective, centers, 0.3, max_iter=0, random_state=0).x
    alone = np.vstack(
        [ascend_on_sphere(objective, c[None], 0.3, start=s[None]).x for c, s in zip(centers, start)]
    )
    np.testing.assert_allclose(alone, together.x, atol=1e-6)
    again = ascend_on_sphere(objective, centers, 0.3, random_state=0)
    assert again.x.tobytes() == together.x.tobytes()


def test_no_points():
    for start in (None, np.empty((0, 3))):
        end = ascend_on_sphere(wavy, np.empty((0, 3)), np.empty(0), start=start)
        assert end.x.shape == (0, 3) and all(len(field) == 0 for field in end)


@pytest.mark.parametrize(
    "arguments, cure",
    [
        ({"radii": -1.0}, ">= 0"),
        ({"radii": [1.0, 2.0]}, "one radius per center"),
        ({"radii": np.nan}, ">= 0"),
        ({"step": 0.0}, "adaptive"),
        ({"step": "newton"}, "adaptive"),
        ({"max_iter": -1}, ">= 0"),
        ({"tol": -1.0}, ">= 0"),
        ({"start": [[0.0, 0.0]]}, "its own center"),
        ({"start": [[0.0, 0.0, 1.0]]}, "one point per center"),
        ({"objective": lambda p: (1.0, p)}, "values"),
    ],
)
def test_bad_input(arguments, cure):
    with pytest.raises(ValueError, match=cure):
        ascend_on_sphere(**({"objective": wavy, "centers": [[0.0, 0.0]], "radii": 1.0} | arguments))


# what each rule of the ascent does to one point

ORIGIN, EAST = [[0.0, 0.0]], [[1.0, 0.0]]


def along_the_circle(value, slope):
    """An objective of the angle from east: its value, and its slope along the unit circle."""

    def objective(points):
        angles = np.arctan2(points[:, 1], points[:, 0])
        tangents = np.column_stack([-points[:, 1], points[:, 0]])
        return value(angles), slope(angles)[:, None] * tangents

    return objective


def test_the_first_turn_is_seven_tenths_of_a_radian_at_most():
    for slope, first in (([0.0, 1.0], 0.7), ([1.0, 0.1], np.arctan(0.1))):
        end = ascend_on_sphere(linear(np.array(slope)), ORIGIN, 1.0, start=EAST, max_iter=1)
        assert end.rotation[0] == pytest.approx(first, rel=1e-9)


@pytest.mark.filterwarnings("error")
def test_the_turn_after_a_growing_slope_is_twice_as_far():
    def growing(points):
        values, gradients = along_the_circle(
            lambda a: np.exp(10 * a), lambda a: 10 * np.exp(10 * a)
        )(points)
        return values, gradients + 100 * points

    first = np.arctan(0.1)  # to the gradient, which the next turn stays short of
    end = ascend_on_sphere(growing, ORIGIN, 1.0, start=EAST, max_iter=2)
    assert end.rotation[0] == pytest.approx(3 * first, rel=1e-9)


@pytest.mark.filterwarnings("error")
def test_a_later_turn_is_a_radian_at_most():
    growing = along_the_circle(lambda a: a**2 / 2, lambda a: a)
    start = [[np.cos(0.1), np.sin(0.1)]]
    end = ascend_on_sphere(growing, ORIGIN, 1.0, start=start, max_iter=2)
    assert end.rotation[0] == pytest.approx(0.7 + 1.0, rel=1e-9)


def test_after_turns_that_lower_the_value_it_gives_up():
    falling = along_the_circle(lambda a: -np.abs(a), np.ones_like)
    end = ascend_on_sphere(falling, ORIGIN, 1.0, start=EAST)
    # 0.7 radians, halved 40 times, is less than the smallest angle
    assert end.n_iter[0] == 40 and end.rotation[0] == 0 and not end.converged[0]


@pytest.mark.parametrize("slope, turns", [(0.5, True), (1.0, False), (2.0, False)])
def test_of_equal_values_the_smaller_slope_is_the_higher_one(slope, turns):
    level = along_the_circle(np.zeros_like, lambda a: np.where(a == 0, 1.0, slope))
    end = ascend_on_sphere(level, ORIGIN, 1.0, start=EAST, max_iter=5)
    assert (end.rotation[0] > 0) == turns


def test_published_rule_stops_where_the_value_does_not_rise():
    level = along_the_circle(np.zeros_like, np.ones_like)
    end = ascend_on_sphere(level, ORIGIN, 1.0, start=EAST, step=0.1)
    assert end.n_iter[0] == 1 and end.rotation[0] == 0


def test_a_hundred_turns_unless_told_otherwise():
    end = ascend_on_sphere(linear(np.array([0.0, 1.0])), ORIGIN, 1.0, start=EAST, step=1e-6)
    assert end.n_iter[0] == 100


def test_no_slope_is_converged_with_no_tolerance():
    level = along_the_circle(np.zeros_like, np.zeros_like)
    end = ascend_on_sphere(level, ORIGIN, 1.0, start=EAST, tol=0)
    assert end.converged[0] and end.n_evaluations[0] == 1


@pytest.mark.filterwarnings("error")
def test_a_flat_objective_is_asked_about_points_of_the_sphere_only():
    asked = []

    def flat(points):
        asked.append(points)
        return np.zeros(len(points)), np.zeros(points.shape)

    end = ascend_on_sphere(flat, ORIGIN, 1.0, start=EAST, step=0.1)
    np.testing.assert_array_equal(np.linalg.norm(np.vstack(asked), axis=1), 1)
    assert end.rotation[0] == 0


def test_a_slope_as_small_as_the_tolerance_is_converged():
    def turned_away(points):
        first = points[:, :1] == 1
        return points[:, 1], np.where(first, [[0.0, 1.0, 0.0]], [[0.0, 0.0, 0.25]])

    start = [[1.0, 0.0, 0.0]]
    end = ascend_on_sphere(turned_away, [[0.0, 0.0, 0.0]], 1.0, start=start, tol=0.25)
    assert end.tangent_norm[0] == 0.25 and end.converged[0] and end.n_iter[0] == 1


@pytest.mark.filterwarnings("error")
def test_a_slope_that_stays_the_same_is_no_summit():
    """Rounding makes it fall or rise by a last digit: no point may stop there, none divide by 0."""
    steady = along_the_circle(lambda a: a, np.ones_like)
    angles = np.linspace(-1, 1, 20_000)
    start = np.column_stack([np.cos(angles), np.sin(angles)])
    end = ascend_on_sphere(steady, np.zeros_like(start), 1.0, start=start, max_iter=2)
    assert set(end.n_iter) == {2} and end.rotation.min() > 0.5


def test_in_one_dimension_only_the_higher_point_counts():
    centers, radii, start = np.zeros((4, 1)), [0.5, 0.5, 0.5, 0.0], [[9.0], [-9.0], [9.0], [9.0]]
    up = ascend_on_sphere(linear(np.array([1.0])), centers, radii, start=start)
    np.testing.assert_array_equal(up.x, [[0.5], [0.5], [0.5], [0.0]])
    np.testing.assert_array_equal(up.start_value, [0.5, -0.5, 0.5, 0.0])
    np.testing.assert_array_equal(up.value, [0.5, 0.5, 0.5, 0.0])
    np.testing.assert_array_equal(up.rotation, [0.0, np.pi, 0.0, 0.0])
    assert set(up.n_iter) == {1} and set(up.n_evaluations) == {2} and set(up.tangent_norm) == {0}
    level = ascend_on_sphere(linear(np.array([0.0])), centers, radii, start=start)
    np.testing.assert_array_equal(level.rotation, 0)


@pytest.mark.parametrize("d", [1, 2])
def test_a_first_point_may_be_its_center_where_the_radius_is_zero(d):
    centers, away = np.ones((2, d)), np.array([[0.0], [1.0]])
    upwards = linear(np.ones(d))
    end = ascend_on_sphere(upwards, centers, away[:, 0], start=centers + away, max_iter=0)
    np.testing.assert_allclose(end.x, centers + away / np.sqrt(d), rtol=1e-15)
    assert end.converged[0]


def test_a_first_point_hardly_off_its_center_still_has_a_direction():
    end = ascend_on_sphere(wavy, ORIGIN, 1.0, start=[[3e-200, 4e-200]], max_iter=0)
    np.testing.assert_allclose(end.x, [[0.6, 0.8]], rtol=1e-15)


def test_an_objective_is_never_asked_about_no_points():
    def never(points):
        raise AssertionError

    assert ascend_on_sphere(never, np.empty((0, 3)), []).x.shape == (0, 3)


@pytest.mark.parametrize(
    "arguments, cure",
    [
        ({"step": True}, "adaptive"),
        ({"step": None}, "adaptive"),
        ({"step": -0.1}, "adaptive"),
        ({"max_iter": True}, ">= 0"),
        ({"max_iter": 1.5}, ">= 0"),
        ({"max_iter": "9"}, ">= 0"),
        ({"tol": "small"}, ">= 0"),
        ({"tol": np.nan}, ">= 0"),
        ({"tol": True}, ">= 0"),
        ({"step": np.inf}, "adaptive"),
        ({"step": np.nan}, "adaptive"),
        ({"step": np.array([0.1, 0.2])}, "adaptive"),
        ({"step": [0.1]}, "adaptive"),
        ({"objective": lambda p: (p[:, 0], p[:, 0])}, "gradients"),
        ({"objective": lambda p: (p, p)}, "values"),
    ],
)
def test_more_bad_input(arguments, cure):
    with pytest.raises(ValueError, match=cure):
        ascend_on_sphere(**({"objective": wavy, "centers": ORIGIN, "radii": 1.0} | arguments))


# objectives that are not finite everywhere


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("step", ["adaptive", 0.1])
@pytest.mark.parametrize("d", [1, 2])
def test_gradients_that_are_not_finite_get_a_sentence(wrong, step, d):
    def broken(points):
        return points.sum(axis=1), np.full(points.shape, wrong)

    with pytest.raises(
        ValueError, match=r"gradient \[.*\] at the point \[.*; return finite numbers"
    ):
        ascend_on_sphere(broken, np.zeros((3, d)), 1.0, step=step, random_state=0)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
@pytest.mark.parametrize("step", ["adaptive", 0.1])
def test_a_value_that_is_not_finite_is_named_when_the_ascent_meets_it(wrong, step):
    def broken_in_the_north(points):
        values, gradients = linear(np.array([0.0, 1.0]))(points)
        return np.where(points[:, 1] > 0.2, wrong, values), gradients

    with pytest.raises(ValueError, match=f"returned value {wrong} and gradient"):
        ascend_on_sphere(broken_in_the_north, ORIGIN, 1.0, start=EAST, step=step)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("step", ["adaptive", 0.1])
def test_no_ascent_moves_to_a_point_of_density_zero(step):
    """The gradient of the logarithm is 0 / 0 there, which is ignored."""

    def cliff(points):
        values, gradients = linear(np.array([0.0, 1.0]))(points)
        beyond = points[:, 1] > 0.3
        gradients[beyond] = np.nan
        return np.where(beyond, -np.inf, values), gradients

    end = ascend_on_sphere(cliff, ORIGIN, 1.0, start=EAST, step=step)
    assert 0.1 < end.x[0, 1] <= 0.3 and np.isfinite(end.tangent_norm[0])
    assert not end.converged[0]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("step", ["adaptive", 0.1])
def test_an_ascent_leaves_a_point_of_density_zero_where_a_gradient_leads(step):
    def low_in_the_south(points):
        values, gradients = linear(np.array([0.0, 1.0]))(points)
        return np.where(points[:, 1] < 0.05, -np.inf, values), gradients

    end = ascend_on_sphere(low_in_the_south, ORIGIN, 1.0, start=EAST, step=step)
    assert end.start_value[0] == -np.inf and end.value[0] > 0.9


@pytest.mark.parametrize("step", ["adaptive", 0.1])
def test_where_nothing_is_known_an_ascent_stays_and_has_not_converged(step):
    def nothing(points):
        return np.full(len(points), -np.inf), np.full(points.shape, np.nan)

    end = ascend_on_sphere(nothing, ORIGIN, 1.0, start=EAST, step=step)
    np.testing.assert_array_equal(end.x, EAST)
    assert not end.converged[0] and end.rotation[0] == 0


# the rules


def test_a_rule_answers_for_each_point_alone():
    """Points of one rule stop at different times; each turns as it would without the others."""
    start = np.array([[np.cos(a), np.sin(a)] for a in (-1.4, 0.0, 1.0, 1.57)])
    north = linear(np.array([0.0, 1.0]))
    for step in ("adaptive", 0.05):
        together = ascend_on_sphere(north, np.zeros((4, 2)), 1.0, start=start, step=step)
        assert len(set(together.n_iter)) > 1
        for i, first in enumerate(start):
            alone = ascend_on_sphere(north, ORIGIN, 1.0, start=[first], step=step)
            assert alone.n_iter[0] == together.n_iter[i]
            np.testing.assert_allclose(alone.x[0], together.x[i], atol=1e-12)


@pytest.mark.parametrize(
    "arguments, cure",
    [
        ({"radii": None}, "lengths >= 0|numbers >= 0"),
        ({"radii": "wide"}, "give numbers >= 0"),
        ({"radii": [1j]}, "give numbers >= 0"),
        ({"objective": lambda p: None}, "returned NoneType; return two arrays"),
        ({"objective": lambda p: (p[:, 0],)}, "return two arrays"),
        ({"objective": lambda p: ("high", p)}, "return two arrays"),
    ],
)
def test_other_types_than_numbers(arguments, cure):
    with pytest.raises((TypeError, ValueError), match=cure):
        ascend_on_sphere(**({"objective": wavy, "centers": ORIGIN, "radii": 1.0} | arguments))
