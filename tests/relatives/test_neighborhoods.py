"""Neighbours, their classes and entropy, lines between rows, and filling to exact counts."""

import numpy as np
import pytest

from simpor.relatives._neighborhoods import (
    class_counts,
    entropy,
    interpolate,
    nearest,
    until_enough,
)


@pytest.fixture
def rows():
    return np.random.RandomState(0).normal(size=(40, 3))


def test_nearest_finds_what_sorting_all_distances_finds(rows):
    distances, indices = nearest(rows, 4)
    pairwise = np.linalg.norm(rows[:, None] - rows, axis=2)
    np.fill_diagonal(pairwise, np.inf)
    np.testing.assert_array_equal(indices, np.argsort(pairwise, axis=1)[:, :4])
    np.testing.assert_allclose(distances, np.sort(pairwise, axis=1)[:, :4], rtol=1e-12)


def test_a_row_is_not_its_own_neighbour_even_among_duplicates():
    _, indices = nearest(np.zeros((6, 2)), 5)
    for row, neighbors in enumerate(indices):
        assert sorted(neighbors) == [other for other in range(6) if other != row]


def test_fewer_rows_have_fewer_neighbours():
    assert nearest(np.zeros((3, 2)), 5)[1].shape == (3, 2)
    assert nearest(np.zeros((1, 2)), 5)[1].shape == (1, 0)


def test_each_class_is_counted_among_the_neighbours():
    y = np.array(["a", "b", "b", "c"])
    counts = class_counts(y, np.array([[1, 2, 3], [0, 2, 3]]), np.array(["a", "b", "c"]))
    np.testing.assert_array_equal(counts, [[0, 2, 1], [1, 1, 1]])


def test_entropy_is_zero_in_one_class_and_log2_of_the_classes_at_most():
    counts = np.array([[5, 0, 0], [1, 1, 1], [0, 0, 0], [2, 2, 4]])
    np.testing.assert_allclose(entropy(counts), [0, np.log2(3), 0, 1.5], rtol=1e-14)


def test_interpolated_points_lie_between_their_seed_and_one_of_its_neighbours(rows):
    points, seeds = interpolate(rows, 200, 4, np.random.RandomState(1))
    _, neighbors = nearest(rows, 4)
    for point, seed in zip(points, seeds):
        ends = rows[neighbors[seed]]
        detours = np.linalg.norm(point - rows[seed]) + np.linalg.norm(point - ends, axis=1)
        assert np.min(detours - np.linalg.norm(rows[seed] - ends, axis=1)) < 1e-12


def test_seeds_follow_their_probabilities(rows):
    probabilities = np.zeros(40)
    probabilities[[3, 5]] = 0.25, 0.75
    _, seeds = interpolate(rows, 4000, 4, np.random.RandomState(1), probabilities)
    assert set(seeds) == {3, 5}
    assert np.mean(seeds == 5) == pytest.approx(0.75, abs=0.03)  # four standard errors


def test_a_method_that_gives_enough_is_not_filled():
    rows, n_filled = until_enough(lambda n: np.ones((n + 3, 2)), lambda n: np.zeros((n, 2)), 5)
    np.testing.assert_array_equal(rows, np.ones((5, 2)))
    assert n_filled == 0


def test_what_a_method_lacks_is_filled_after_the_last_try():
    asked = []

    def draw(n):
        asked.append(n)
        return np.ones((2, 1))

    rows, n_filled = until_enough(draw, lambda n: np.zeros((n, 1)), 5, n_tries=2)
    assert asked == [5, 3]
    np.testing.assert_array_equal(rows.ravel(), [1, 1, 1, 1, 0])
    assert n_filled == 1


def test_no_row_wanted_is_no_row_drawn():
    rows, n_filled = until_enough(lambda n: np.ones((n, 2)), lambda n: np.zeros((n, 2)), 0)
    assert rows.shape == (0, 2)
    assert n_filled == 0
