"""GDO on cases worked by hand, and as an imbalanced-learn sampler."""

import numpy as np
import pytest
from imblearn.utils.estimator_checks import parametrize_with_checks
from scipy.sparse import csr_matrix
from scipy.stats import chisquare, kstest

from simpor.relatives.gdo import GDO, anchor_probabilities, distance_to_nearest, random_directions


@parametrize_with_checks([GDO(random_state=0)])
def test_is_an_imbalanced_learn_sampler(estimator, check):
    check(estimator)


def test_anchor_probabilities_of_a_case_worked_by_hand():
    # On a line: own class at 0 and 1, the other class at 3. Neighbours of 0 lie at 1 (own) and
    # 3 (other): C = 1/2, D = 3/2. Neighbours of 1 lie at 1 (own) and 2 (other): C = 1/2,
    # D = 2 / (3/2) = 4/3. The weights are 2 and 11/6.
    distances = np.array([[1.0, 3.0], [1.0, 2.0]])
    is_other = np.array([[False, True], [False, True]])
    np.testing.assert_allclose(
        anchor_probabilities(distances, is_other), np.array([12, 11]) / 23, rtol=1e-14
    )


def test_rows_amid_the_other_class_have_weight_two_and_rows_amid_their_own_none():
    # All k neighbours in another class: C = 1 and D = 1. None: C = D = 0.
    distances = np.array([[1.0, 4.0], [2.0, 2.0], [0.0, 0.0]])
    is_other = np.array([[True, True], [False, False], [True, True]])
    np.testing.assert_allclose(anchor_probabilities(distances, is_other), [0.5, 0, 0.5])


def test_without_neighbours_of_another_class_all_rows_are_alike():
    probabilities = anchor_probabilities(np.ones((4, 3)), np.zeros((4, 3), dtype=bool))
    np.testing.assert_array_equal(probabilities, 0.25)


def test_distance_to_nearest():
    np.testing.assert_array_equal(distance_to_nearest(np.array([[0.0], [3.0], [4.0]])), [3, 1, 1])
    np.testing.assert_array_equal(distance_to_nearest(np.array([[1.0], [1.0]])), [0, 0])
    np.testing.assert_array_equal(distance_to_nearest(np.array([[7.0]])), [0])


def test_directions_are_uniform_on_the_sphere():
    directions = random_directions(20_000, 3, np.random.RandomState(0))
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1, rtol=1e-12)
    # Archimedes: each coordinate of a uniform point on the 2-sphere is uniform on [-1, 1].
    for coordinate in directions.T:
        assert kstest(coordinate, "uniform", args=(-1, 2)).pvalue > 1e-3


@pytest.fixture
def two_anchors():
    """Own class at 0 and 10, far apart in 2-D; the other class around 0 and beyond 10."""
    own = np.array([[0.0, 0.0], [10.0, 0.0]])
    other = np.array([[0.0, 1.0], [0.0, -1.0], [-1.0, 0.0], [10.0, 11.0]])
    far = np.array([[1000.0, i] for i in range(8000)])
    X = np.concatenate([own, other, far])
    return X, np.repeat([1, 0], [2, len(X) - 2])


def test_synthetic_rows_follow_the_definition(two_anchors):
    # k = 2. Row 0: both neighbours lie at 1 in the other class, C + D = 2. Row 1: its neighbours
    # are row 0 at 10 and a row of the other class at sqrt(101).
    X, y = two_anchors
    X_new, y_new = GDO(k_neighbors=2, random_state=0).fit_resample(X, y)
    synthetic = X_new[len(X) :]
    assert np.all(y_new[len(X) :] == 1)
    np.testing.assert_array_equal(X_new[: len(X)], X)

    near, next_near = 10.0, np.sqrt(101.0)
    weights = np.array([2, 1 / 2 + next_near / ((near + next_near) / 2)])
    # sigma is 10 for both, so a coordinate across the line of anchors, y = d sin, has the same
    # law for both: d ~ N(0, 100) times sin of a uniform angle.
    rng = np.random.default_rng(1)
    expected = 10 * rng.normal(size=20_000) * np.sin(rng.uniform(0, 2 * np.pi, size=20_000))
    assert kstest(synthetic[:, 1], expected).pvalue > 1e-3
    # Half of the rows of either anchor fall to the right of it.
    share_right_of_10 = np.mean(synthetic[:, 0] > 10)
    p = weights / weights.sum()
    tail = np.mean(10 * rng.normal(size=10**6) * np.cos(rng.uniform(0, 2 * np.pi, 10**6)) > 10)
    assert share_right_of_10 == pytest.approx(p[0] * tail + p[1] / 2, abs=0.02)


def test_alpha_scales_the_step(two_anchors):
    X, y = two_anchors
    one = GDO(random_state=0).fit_resample(X, y)[0][len(X) :]
    half = GDO(random_state=0, alpha=0.5).fit_resample(X, y)[0][len(X) :]
    anchors = np.where(np.abs(2 * half - one)[:, [0]] < 5, X[0], X[1])
    np.testing.assert_allclose(half - anchors, (one - anchors) / 2, atol=1e-9)


def test_anchors_come_as_often_as_their_probability():
    # With alpha tiny every synthetic row sits at its anchor.
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 2))
    y = np.repeat([1, 0], [20, 380])
    X_new, _ = GDO(random_state=0, alpha=1e-9).fit_resample(X, y)
    anchors = np.linalg.norm(X_new[len(X) :, None] - X[None, :20], axis=2).argmin(axis=1)
    distances = np.linalg.norm(X[:20, None] - X[None], axis=2)
    nearest = np.argsort(distances, axis=1)[:, 1:6]
    other = y[nearest] == 0
    near = np.take_along_axis(distances, nearest, axis=1)
    weights = other.mean(axis=1)
    weights += [r[o].mean() / r.mean() if o.any() else 0 for r, o in zip(near, other)]
    expected = len(anchors) * weights / weights.sum()
    assert chisquare(np.bincount(anchors, minlength=20), expected).pvalue > 1e-3


def test_a_single_row_is_copied():
    X = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [3.0, 1.0]])
    X_new, y_new = GDO(random_state=0).fit_resample(X, np.array([1, 0, 0, 0]))
    np.testing.assert_array_equal(X_new[4:], [[0, 0], [0, 0]])
    assert y_new.tolist() == [1, 0, 0, 0, 1, 1]


def test_duplicates_do_not_divide_by_zero():
    X = np.zeros((12, 2))
    X_new, _ = GDO(random_state=0).fit_resample(X, np.repeat([1, 0], [4, 8]))
    np.testing.assert_array_equal(X_new, 0)


def test_sparse_matrices_are_refused():
    with pytest.raises(TypeError, match="toarray"):
        GDO().fit_resample(csr_matrix(np.eye(6)), [0, 0, 0, 0, 1, 1])


@pytest.mark.parametrize("parameters", [{"k_neighbors": 0}, {"alpha": 0.0}, {"alpha": np.nan}])
def test_parameters_out_of_range_are_named(parameters):
    name = next(iter(parameters))
    with pytest.raises(ValueError, match=f"^{name}=.*: give a"):
        GDO(**parameters).fit_resample(np.eye(6), [0, 0, 0, 0, 1, 1])
