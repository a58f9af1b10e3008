"""MOMS: its loss against the definition, its danger rows, and the fall of the MMD."""

import os
import random

import numpy as np
import pytest
from sklearn.datasets import make_moons

from simpor.relatives.moms import MOMS, squared_mmd

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
pytest.importorskip("tensorflow", reason="MOMS trains with Keras on TensorFlow")


@pytest.fixture(scope="module")
def moons():
    return make_moons((120, 30), noise=0.2, random_state=0)


def mmd_by_definition(a, b, h):
    def mean_kernel(a, b):
        squares = ((a[:, None] - b) ** 2).sum(axis=2)
        return np.exp(-squares / (2 * h**2)).mean()

    return mean_kernel(a, a) + mean_kernel(b, b) - 2 * mean_kernel(a, b)


def test_squared_mmd_follows_the_definition():
    rng = np.random.RandomState(0)
    a, b = rng.normal(size=(7, 3)), rng.normal(1, 2, size=(5, 3))
    h = np.median(np.linalg.norm(a[:, None] - b, axis=2))  # 35 distances: one is the median
    found = float(squared_mmd(np.float32(a), np.float32(b)))
    assert found == pytest.approx(mmd_by_definition(a, b, h), abs=1e-5)  # float32


@pytest.mark.parametrize("triplet_weight", [0.0, 0.01])
def test_the_mmd_to_the_minority_falls_by_more_than_half(moons, triplet_weight):
    X, y = moons
    sampler = MOMS(triplet_weight=triplet_weight, n_epochs=150, random_state=0)
    synthetic = sampler.fit_resample(X, y)[0][len(X) :]
    minority, sources = X[y == 1], X[sampler.source_indices_]
    before = mmd_by_definition(sources, minority, h=1.0)
    after = mmd_by_definition(synthetic, minority, h=1.0)
    assert after < before / 2  # about a fiftieth
    assert sampler.mmd_[1].shape == (150,)
    assert sampler.mmd_[1][-1] < sampler.mmd_[1][0] / 2


def test_danger_rows_have_most_but_not_all_of_their_neighbors_in_the_majority(moons):
    X, y = moons
    sampler = MOMS(n_epochs=1, random_state=0)
    sampler.fit_resample(X, y)
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    danger = []
    for row in np.flatnonzero(y == 1):
        distances = np.linalg.norm(Z - Z[row], axis=1)
        distances[row] = np.inf
        n_others = np.sum(y[np.argsort(distances)[:5]] == 0)
        if 2 < n_others < 5:
            danger.append(row)
    assert len(danger) > 0
    np.testing.assert_array_equal(sampler.danger_indices_[1], danger)


def test_without_danger_rows_the_map_is_trained_by_mmd_only():
    rng = np.random.RandomState(0)
    y = np.repeat([0, 1], [40, 15])
    X = rng.normal(size=(55, 2)) + 20 * y[:, None]
    with_triplets = MOMS(triplet_weight=5.0, n_epochs=3, random_state=0)
    synthetic = with_triplets.fit_resample(X, y)[0]
    assert len(with_triplets.danger_indices_[1]) == 0
    mmd_only = MOMS(triplet_weight=0.0, n_epochs=3, random_state=0)
    np.testing.assert_array_equal(synthetic, mmd_only.fit_resample(X, y)[0])


def test_triplets_draw_the_rows_towards_the_danger_rows(moons):
    X, y = moons
    distances = []
    for triplet_weight in (0.0, 1.0):
        sampler = MOMS(triplet_weight=triplet_weight, n_epochs=150, random_state=0)
        synthetic = sampler.fit_resample(X, y)[0][len(X) :]
        danger = X[sampler.danger_indices_[1]]
        to_danger = np.linalg.norm(synthetic[:, None] - danger, axis=2)
        distances.append(to_danger.min(axis=1).mean())
    assert distances[1] < 0.8 * distances[0]


def test_a_class_is_mapped_from_rows_of_all_others_each_as_often_as_any(moons):
    X, y = moons
    y = np.where(np.arange(len(y)) % 3 == 0, 2, y)
    n_others = np.sum(y != 1)
    sampler = MOMS(sampling_strategy={1: np.sum(y == 1) + 2 * n_others}, n_epochs=1, random_state=0)
    sampler.fit_resample(X, y)
    counts = np.bincount(sampler.source_indices_, minlength=len(y))
    np.testing.assert_array_equal(counts, np.where(y == 1, 0, 2))


def test_one_minority_row_and_fewer_rows_than_neighbors_are_enough():
    X = np.arange(8.0).reshape(4, 2)
    X_resampled, y_resampled = MOMS(n_epochs=2, random_state=0).fit_resample(X, [0, 0, 0, 1])
    assert np.isfinite(X_resampled).all()
    np.testing.assert_array_equal(y_resampled, [0, 0, 0, 1, 1, 1])


def test_duplicates_are_no_obstacle():
    X = np.repeat([[0.0, 1.0], [2.0, 3.0]], [30, 10], axis=0)
    sampler = MOMS(n_epochs=2, random_state=0)
    X_resampled, _ = sampler.fit_resample(X, np.repeat([0, 1], [30, 10]))
    assert np.isfinite(X_resampled).all()


def test_the_seed_decides_and_no_other_random_state_moves(moons):
    import tensorflow as tf

    def draw_elsewhere():
        return np.hstack([tf.random.uniform([3]).numpy(), np.random.rand(3), random.random()])

    def seed_elsewhere():
        tf.random.set_seed(5)
        np.random.seed(5)
        random.seed(5)

    seed_elsewhere()
    expected = draw_elsewhere()
    seed_elsewhere()
    first = MOMS(n_epochs=12, random_state=0).fit_resample(*moons)[0]
    np.testing.assert_array_equal(draw_elsewhere(), expected)
    second = MOMS(n_epochs=12, random_state=0).fit_resample(*moons)[0]
    assert first.tobytes() == second.tobytes()
    other = MOMS(n_epochs=12, random_state=1).fit_resample(*moons)[0]
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    "parameters",
    [
        {"k_neighbors": 0},
        {"n_epochs": 0},
        {"triplet_weight": -0.1},
        {"margin": np.inf},
        {"learning_rate": 0.0},
    ],
)
def test_parameters_out_of_range_are_named(moons, parameters):
    name = next(iter(parameters))
    with pytest.raises(ValueError, match=f"^{name}=.*: give a"):
        MOMS(**parameters).fit_resample(*moons)
