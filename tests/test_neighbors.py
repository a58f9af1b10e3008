"""The nearest rows against a sort of all distances."""

import numpy as np
import pytest

from simpor import _kernel_sums, _neighbors
from simpor._neighbors import nearest_others


def by_hand(rows, i, n_neighbors):
    """Of equally near rows the first ones."""
    distances = np.linalg.norm(rows[i][:, None] - rows, axis=2)
    distances[np.arange(len(i)), i] = np.inf
    order = np.argsort(distances, axis=1, kind="stable")[:, :n_neighbors]
    return np.take_along_axis(distances, order, axis=1), order


def table(kind, n=400, d=20):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(n, d))
    if kind == "whole numbers":
        rows = rng.integers(2, size=(n, d)).astype(float)
    if kind == "duplicates":
        rows = rows[rng.integers(20, size=n)]
    if kind == "far from zero":
        rows += 1e7
    if kind == "one far away":
        rows[7] = 1e9
    if kind == "constant":
        rows[:] = 0.1
    return rows


KINDS = ("normal", "whole numbers", "duplicates", "far from zero", "one far away", "constant")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_neighbors", [1, 5, 30])
def test_matrix_products_find_the_first_of_the_nearest_rows(kind, n_neighbors, monkeypatch):
    monkeypatch.setattr(_neighbors, "ROWS_FOR_A_TREE", 0)
    monkeypatch.setattr(_neighbors, "PAIRS_AT_ONCE", 1000)  # a few queries at once
    rows, i = table(kind), np.array([3, 7, 399, 0, 55])
    distances, indices = nearest_others(rows, i, n_neighbors)
    expected, first = by_hand(rows, i, n_neighbors)
    np.testing.assert_allclose(distances, expected, rtol=1e-12)
    assert not (indices == i[:, None]).any()
    measured = np.linalg.norm(rows[indices] - rows[i][:, None], axis=2)
    np.testing.assert_array_equal(measured, distances)
    if kind not in ("duplicates", "constant"):  # there the row itself need not be among the first
        np.testing.assert_array_equal(indices, first)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("d", [1, 3, 15])
def test_a_tree_finds_rows_as_near(kind, d):
    rows, i = table(kind, d=d), np.arange(0, 400, 7)
    distances, indices = nearest_others(rows, i, 5)
    np.testing.assert_allclose(distances, by_hand(rows, i, 5)[0], rtol=1e-12)
    assert not (indices == i[:, None]).any()
    np.testing.assert_allclose(
        np.linalg.norm(rows[indices] - rows[i][:, None], axis=2), distances, rtol=1e-12
    )


@pytest.mark.parametrize("rows_for_a_tree", [0, 10_000])
def test_the_same_bits_on_any_number_of_threads(rows_for_a_tree, monkeypatch):
    monkeypatch.setattr(_neighbors, "ROWS_FOR_A_TREE", rows_for_a_tree)
    monkeypatch.setattr(_kernel_sums, "MIN_WORK_PER_THREAD", 1)
    rows, i = table("whole numbers"), np.arange(400)
    one, two, all_of_them = (nearest_others(rows, i, 4, n_jobs) for n_jobs in (1, 2, None))
    for a, b, c in zip(one, two, all_of_them):
        assert a.tobytes() == b.tobytes() == c.tobytes()


def test_as_many_as_there_are():
    rows = np.array([[0.0], [1.0], [5.0]])
    distances, indices = nearest_others(rows, np.array([0, 2]), 7)
    assert distances.tolist() == [[1.0, 5.0], [4.0, 5.0]] and indices.tolist() == [[1, 2], [1, 0]]


@pytest.mark.parametrize("n, d, by_products", [(51, 16, True), (50, 16, False), (51, 15, False)])
def test_products_are_for_many_rows_and_features(n, d, by_products, monkeypatch):
    monkeypatch.setattr(_neighbors, "ROWS_FOR_A_TREE", 50)
    trees = []
    tree = _neighbors.KDTree
    monkeypatch.setattr(_neighbors, "KDTree", lambda *a, **k: trees.append(1) or tree(*a, **k))
    nearest_others(table("normal", n, d), np.arange(3), 2)
    assert (len(trees) == 0) == by_products
