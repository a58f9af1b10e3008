"""The compiled climb against `ascend_on_sphere`, and active rows against full sums."""

from unittest.mock import patch

import numba
import numpy as np
import pytest

from simpor import PosteriorRatio, _ratio_climb, ascend_on_sphere
from simpor._kernel_sums import LANES, STOPPED
from simpor._ratio_climb import climb_ratio

# Nats by which two climbs that reach one summit may differ, and the share that may reach another:
# where a turn nearly leads into another valley, the last digits of a sum decide.
SAME_SUMMIT = 1e-3
OTHER_SUMMITS = 0.02
# Nats: 3000 rows of exp(-27) each, and the rounding of squares that are multiplied out.
ERROR_OF_ACTIVE_ROWS = 3000 * np.exp(-27) + 2e-8


def two_classes(d, n_others=400, n_positive=60, seed=0):
    rng = np.random.default_rng(seed)
    X = np.vstack([rng.normal(size=(n_others, d)), rng.normal(0.7, 0.8, size=(n_positive, d))])
    return X, np.repeat([0, 1], [n_others, n_positive])


def points_on_spheres(y, each=5, largest=1.5, seed=0):
    """Seeds, `each` of them several times and in no order, and radii."""
    rng = np.random.default_rng(seed)
    seeds = rng.permutation(np.repeat(np.flatnonzero(y == 1), each))
    return seeds, rng.uniform(0.01, largest, size=len(seeds))


def compiled_climb(ratio, X, seeds, radii, max_iter=100, **settings):
    random_state = np.random.RandomState(0)
    return climb_ratio(
        ratio, X, seeds, radii, max_iter=max_iter, random_state=random_state, **settings
    )


def array_climb(ratio, X, seeds, radii, **settings):
    return ascend_on_sphere(
        ratio.log_ratio_and_gradient, X[seeds], radii, random_state=0, **settings
    )


def all_bytes(ends):
    return [field.tobytes() for field in ends]


@pytest.fixture
def active_rows(monkeypatch):
    """Active rows in small tables too."""
    monkeypatch.setattr(_ratio_climb, "ACTIVE_ROWS_FROM", 0)
    monkeypatch.setattr(_ratio_climb, "SMALLEST_FILL", 0.0)


# the compiled climb against the array climb


@pytest.mark.parametrize("d", [2, 3, 10, 31])
def test_it_ends_where_the_array_climb_ends(d):
    X, y = two_classes(d)
    ratio = PosteriorRatio().fit(X, y)
    points = points_on_spheres(y)
    ours, theirs = compiled_climb(ratio, X, *points), array_climb(ratio, X, *points)
    np.testing.assert_allclose(ours.start_value, theirs.start_value, rtol=1e-11, atol=1e-11)
    other = np.abs(ours.value - theirs.value) > SAME_SUMMIT
    assert other.mean() <= OTHER_SUMMITS
    for field in ("rotation", "x"):
        a, b = getattr(ours, field)[~other], getattr(theirs, field)[~other]
        assert np.median(np.abs(a - b)) < 1e-7
    assert ours.n_evaluations.mean() == pytest.approx(theirs.n_evaluations.mean(), rel=0.02)
    np.testing.assert_array_equal(ours.n_evaluations, ours.n_iter + 1)
    assert ours.converged.mean() > 0.99


@pytest.mark.parametrize("bandwidth, priors", [((0.5, 0.9), "equal"), ((1e-3, 3.0), "empirical")])
def test_the_first_turns_are_those_of_the_array_climb(bandwidth, priors):
    X, y = two_classes(4)
    ratio = PosteriorRatio(bandwidth=bandwidth, priors=priors).fit(X, y)
    points = points_on_spheres(y, each=1)
    for max_iter in range(5):
        ours, theirs = (
            climb(ratio, X, *points, max_iter=max_iter) for climb in (compiled_climb, array_climb)
        )
        np.testing.assert_array_equal(ours.n_iter, theirs.n_iter)
        np.testing.assert_allclose(ours.x, theirs.x, rtol=0, atol=1e-6)
        np.testing.assert_allclose(ours.value, theirs.value, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(ours.tangent_norm, theirs.tangent_norm, rtol=1e-4, atol=1e-4)


def test_what_it_says_about_the_ends_is_true():
    X, y = two_classes(5)
    ratio = PosteriorRatio().fit(X, y)
    seeds, radii = points_on_spheres(y)
    for max_iter in (0, 3, 100):
        end = compiled_climb(ratio, X, seeds, radii, max_iter=max_iter)
        start = array_climb(ratio, X, seeds, radii, max_iter=0)
        values, gradients = ratio.log_ratio_and_gradient(end.x)
        outward = (end.x - X[seeds]) / radii[:, None]
        tangents = gradients - np.sum(gradients * outward, axis=1, keepdims=True) * outward
        cosines = np.sum(outward * (start.x - X[seeds]), axis=1) / radii
        np.testing.assert_allclose(np.linalg.norm(outward, axis=1), 1, rtol=1e-12)
        np.testing.assert_allclose(end.value, values, rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(end.tangent_norm, np.linalg.norm(tangents, axis=1), atol=1e-8)
        np.testing.assert_allclose(np.cos(end.rotation), cosines, atol=1e-9)
        slopes = np.maximum(1, radii) * end.tangent_norm
        np.testing.assert_array_equal(end.converged[slopes > 1.01e-4], False)
        np.testing.assert_array_equal(end.converged[slopes < 0.99e-4], True)
        assert (end.value >= end.start_value).all() and end.n_iter.max() <= max_iter


def test_radius_zero_stays_at_its_center():
    X, y = two_classes(3)
    seeds, radii = points_on_spheres(y)
    radii[::3] = 0.0
    ends = compiled_climb(PosteriorRatio().fit(X, y), X, seeds, radii)
    here = radii == 0
    np.testing.assert_array_equal(ends.x[here], X[seeds[here]])
    assert set(ends.n_iter[here]) == {0} and ends.converged[here].all()
    assert set(ends.tangent_norm[here]) == set(ends.rotation[here]) == {0.0}
    assert ends.n_iter[~here].min() > 0


def test_no_points():
    X, y = two_classes(3)
    ends = compiled_climb(PosteriorRatio().fit(X, y), X, np.empty(0, int), np.empty(0))
    assert ends.x.shape == (0, 3) and all(len(field) == 0 for field in ends)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("case", ["one dimension", "squares overflow", "no compiler"])
def test_what_cannot_be_compiled_climbs_as_arrays(case, monkeypatch):
    X, y = two_classes(1 if case == "one dimension" else 3)
    seeds, radii = points_on_spheres(y, each=1)
    if case == "squares overflow":
        radii[0] = 1e160
    if case == "no compiler":
        monkeypatch.setattr(numba.config, "DISABLE_JIT", True)
    ratio = PosteriorRatio().fit(X, y)
    with patch.object(_ratio_climb, "compiled", side_effect=AssertionError):
        ours = compiled_climb(ratio, X, seeds, radii)
    theirs = array_climb(ratio, X, seeds, radii)
    assert all_bytes(ours) == all_bytes(theirs)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("radius", [1e-12, 1e3, 1e100])
def test_rows_far_apart_and_spheres_of_any_size(radius):
    X, y = two_classes(3)
    X[0] = 1e5  # by itself
    ratio = PosteriorRatio().fit(X, y)
    seeds, _ = points_on_spheres(y, each=1)
    radii = np.full(len(seeds), radius)
    ends = compiled_climb(ratio, X, seeds, radii)
    assert all(np.isfinite(field).all() for field in ends)
    assert (ends.value >= ends.start_value).all()
    distances = np.linalg.norm(ends.x - X[seeds], axis=1)
    np.testing.assert_allclose(distances, radii, rtol=1e-12, atol=1e-14)


# threads


@pytest.fixture(params=["all rows", "active rows"])
def both_ways(request, monkeypatch):
    if request.param == "active rows":
        request.getfixturevalue("active_rows")


@pytest.mark.usefixtures("both_ways")
def test_same_bytes_on_any_number_of_threads(monkeypatch):
    X, y = two_classes(4)
    ratio, points = PosteriorRatio().fit(X, y), points_on_spheres(y, each=2 * LANES + 3)
    results = []
    for threads in (1, 2, 7):
        monkeypatch.setattr(_ratio_climb, "n_threads", lambda n_jobs, work, n=threads: n)
        results.append(all_bytes(compiled_climb(ratio, X, *points)))
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize("each", [1, LANES])
@pytest.mark.parametrize("way", ["_with_all_rows", "_with_active_rows"])
def test_same_bytes_in_any_order(way, each):
    """Threads take a point, or a tile of one seed's points, whenever a lane or a thread is free."""
    X, y = two_classes(4)
    ratio = PosteriorRatio().fit(X, y)
    rng = np.random.default_rng(0)
    seeds = np.repeat(rng.permutation(np.flatnonzero(y == 1)), each)
    radii, start = rng.uniform(0.1, 1.5, size=len(seeds)), rng.normal(size=(len(seeds), 4))
    start /= np.linalg.norm(start, axis=1, keepdims=True)

    def ends_in(order):
        climb = _ratio_climb._climb(ratio, X[seeds[order]], radii[order], start[order], 100, 1e-4)
        ends = _ratio_climb._no_ends(climb)
        tiles = (_ratio_climb._tiles(seeds[order]),) if way == "_with_active_rows" else ()
        getattr(_ratio_climb, way)(climb, ends, *tiles, 1, None)
        return all_bytes(field[np.argsort(order)] for field in ends)

    blocks = np.arange(len(seeds)).reshape(-1, each)
    orders = [blocks, blocks[::-1], rng.permutation(blocks)]
    first, *others = [ends_in(order.ravel()) for order in orders]
    assert others == [first, first]


@pytest.mark.usefixtures("both_ways")
def test_an_interrupt_ends_the_climb_and_leaves_nothing_behind(monkeypatch):
    X, y = two_classes(4)
    ratio, points = PosteriorRatio().fit(X, y), points_on_spheres(y, each=LANES)
    expected = all_bytes(compiled_climb(ratio, X, *points))

    monkeypatch.setattr(_ratio_climb, "SECONDS_BETWEEN_REPORTS", 0)
    monkeypatch.setattr(_ratio_climb, "LONG_WORK", 0)
    many = [np.tile(part, 10_000 // LANES) for part in points]  # seconds of work
    noted = []
    run = _ratio_climb._run

    def noting_run(function, arguments, *others):
        noted.extend(arguments[0][2:4])
        run(function, arguments, *others)

    def interrupt(share):
        raise KeyboardInterrupt

    with patch.object(_ratio_climb, "_run", noting_run), pytest.raises(KeyboardInterrupt):
        compiled_climb(ratio, X, *many, report=interrupt)
    ends, counter = noted
    assert counter[0] >= STOPPED
    evaluated = ends.n_evaluations.copy()
    assert evaluated.min() == 0  # points were left that nobody had taken
    assert all_bytes(compiled_climb(ratio, X, *points)) == expected
    np.testing.assert_array_equal(ends.n_evaluations, evaluated)  # nobody goes on


@pytest.mark.usefixtures("both_ways")
def test_a_long_climb_reports_the_share_that_is_done(monkeypatch):
    X, y = two_classes(4)
    ratio, points = PosteriorRatio().fit(X, y), points_on_spheres(y, each=10 * LANES)
    monkeypatch.setattr(_ratio_climb, "SECONDS_BETWEEN_REPORTS", 1e-3)
    monkeypatch.setattr(_ratio_climb, "LONG_WORK", 0)
    shares = []
    compiled_climb(ratio, X, *points, report=shares.append)
    assert len(shares) > 0 and shares == sorted(shares)
    assert 0 <= shares[0] <= shares[-1] <= 1


# active rows


def awkward_table(kind, rng, n=3000, d=5):
    """Rows of the other class."""
    rows = rng.normal(size=(n, d))
    if kind == "skewed":
        rows = np.exp(1.5 * rows)
        rows = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    if kind == "clustered":
        rows = 3 * rng.normal(size=(30, d))[rng.integers(30, size=n)] + 0.05 * rows
    if kind == "duplicated":
        rows = rows[rng.integers(50, size=n)]
    if kind == "far away":
        rows[::2] += 500.0
    if kind == "constant column":
        rows[:, 0] = 7.0
    if kind == "constant":
        rows[:] = 0.3
    return rows


KINDS = ("normal", "skewed", "clustered", "duplicated", "far away", "constant column", "constant")


@pytest.mark.parametrize("kind", KINDS)
def test_active_rows_lead_to_the_ends_of_full_sums(kind, active_rows):
    rng = np.random.default_rng(0)
    others = awkward_table(kind, rng)
    positive = others[:20] + 0.7 * rng.normal(size=(20, others.shape[1]))
    X, y = np.vstack([others, positive]), np.repeat([0, 1], [len(others), 20])
    ratio, points = PosteriorRatio().fit(X, y), points_on_spheres(y, each=LANES + 3)
    ours, theirs = compiled_climb(ratio, X, *points), array_climb(ratio, X, *points)

    assert (ours.value >= ours.start_value).all()
    # both log ratios come from a look at all rows
    np.testing.assert_allclose(
        ours.start_value, theirs.start_value, rtol=0, atol=ERROR_OF_ACTIVE_ROWS
    )
    np.testing.assert_allclose(
        ours.value, ratio.log_ratio(ours.x), rtol=0, atol=ERROR_OF_ACTIVE_ROWS
    )
    other = np.abs(ours.value - theirs.value) > SAME_SUMMIT
    assert other.mean() <= OTHER_SUMMITS
    assert np.quantile(np.abs(ours.value - theirs.value)[~other], 0.99) < 1e-6
    assert ours.converged.mean() > 0.98


def test_few_rows_are_looked_at(active_rows, monkeypatch):
    """A tile that climbs on few rows has few active ones at its end."""
    rng = np.random.default_rng(1)
    others = awkward_table("clustered", rng)
    X, y = np.vstack([others, others[:4] + 0.1]), np.repeat([0, 1], [len(others), 4])
    scans = []
    new_scan = _ratio_climb.new_scan

    def noting_scan(n, d):
        scans.append(new_scan(n, d))
        return scans[-1]

    monkeypatch.setattr(_ratio_climb, "new_scan", noting_scan)
    ratio = PosteriorRatio(n_jobs=1).fit(X, y)
    compiled_climb(ratio, X, np.full(LANES, len(others)), np.full(LANES, 0.3))
    assert 0 < scans[0].is_active.mean() < 0.2


def test_points_that_hardly_move_do_not_end_lower(active_rows, monkeypatch):
    """What was left out at the start may count at the end: then the start is the better one."""
    monkeypatch.setattr(_ratio_climb, "NEGLIGIBLE", 3.0)
    monkeypatch.setattr(_ratio_climb, "ACTIVE_WITHIN", 1.0)
    X, y = two_classes(5, n_others=2000)
    ratio, (seeds, radii) = PosteriorRatio().fit(X, y), points_on_spheres(y)
    ends = compiled_climb(ratio, X, seeds, radii, max_iter=2)
    start = array_climb(ratio, X, seeds, radii, max_iter=0)
    assert (ends.value >= ends.start_value).all()
    stayed = ends.value == ends.start_value
    np.testing.assert_array_equal(ends.x[stayed], start.x[stayed])
    np.testing.assert_array_equal(ends.rotation[stayed], 0)


@pytest.mark.parametrize(
    "n_others, each, shift, pays",
    [
        (300, LANES, 0.0, True),
        (299, LANES, 0.0, False),
        (300, LANES // 2, 0.0, False),
        (300, LANES, 1e6, False),
    ],
)
def test_active_rows_are_for_many_rows_and_many_points_of_a_seed(
    n_others, each, shift, pays, monkeypatch
):
    monkeypatch.setattr(_ratio_climb, "ACTIVE_ROWS_FROM", 300)
    X, y = two_classes(3, n_others=n_others)
    X[0] += shift  # the squares of so distant a row cannot be multiplied out
    called = []
    for way in ("_with_all_rows", "_with_active_rows"):
        monkeypatch.setattr(_ratio_climb, way, lambda *args, way=way: called.append(way))
    compiled_climb(PosteriorRatio().fit(X, y), X, *points_on_spheres(y, each=each))
    assert called == ["_with_active_rows" if pays else "_with_all_rows"]
