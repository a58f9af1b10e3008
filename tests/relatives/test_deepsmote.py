"""The tabular DeepSMOTE: its batches, what its autoencoder learns, and its manners as a sampler."""

import os
import random

import numpy as np
import pytest
from imblearn.utils.estimator_checks import parametrize_with_checks

from simpor.relatives.deepsmote import BATCH_SIZE, DeepSMOTE, draw_batches, train_autoencoder

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
pytest.importorskip("tensorflow", reason="DeepSMOTE trains with Keras on TensorFlow")


@parametrize_with_checks([DeepSMOTE(random_state=0, n_steps=2)])
def test_is_an_imbalanced_learn_sampler(estimator, check):
    check(estimator)


def test_batches_draw_all_classes_alike_however_rare():
    y = np.repeat(["a", "b", "c"], [3, 900, 97])
    batches, batches_of_one_class = draw_batches(y, 300, np.random.RandomState(0))
    assert batches.shape == batches_of_one_class.shape == (300, BATCH_SIZE)
    _, counts = np.unique(y[batches], return_counts=True)
    assert counts / counts.sum() == pytest.approx([1 / 3] * 3, abs=0.01)
    assert set(batches[y[batches] == "a"]) == {0, 1, 2}
    assert np.all(y[batches_of_one_class] == y[batches_of_one_class][:, :1])
    assert set(y[batches_of_one_class][:, 0]) == {"a", "b", "c"}


@pytest.fixture(scope="module")
def two_classes():
    """Two overlapping classes in the plane, standardised well enough."""
    rng = np.random.RandomState(0)
    y = np.repeat([0, 1], [300, 60])
    return rng.normal(size=(360, 2)) * [1, 0.5] + 4 * y[:, None], y


@pytest.mark.parametrize("penalty_weight", [0.0, 0.1, 1.0])
def test_the_penalty_draws_a_row_towards_its_class_by_the_known_share(two_classes, penalty_weight):
    # The minimiser in each class is (x + lambda mean) / (1 + lambda).
    X, y = two_classes
    encode, decode = train_autoencoder(X, y, 2, penalty_weight, 1500, np.random.RandomState(0))
    decoded = decode(encode(X))
    for label in (0, 1):
        x, r = X[y == label], decoded[y == label]
        centred = x - x.mean(axis=0)
        slope = np.sum((r - r.mean(axis=0)) * centred) / np.sum(centred**2)
        assert slope == pytest.approx(1 / (1 + penalty_weight), abs=0.05)
        np.testing.assert_allclose(r.mean(axis=0), x.mean(axis=0), atol=0.15)


def test_synthetic_rows_stay_on_the_curve_the_autoencoder_has_learnt():
    # Rows on an arc in three dimensions have one latent coordinate; SMOTE alone cuts the corner.
    rng = np.random.RandomState(0)
    angle = rng.uniform(0, np.pi, size=240)
    y = np.repeat([0, 1], [200, 40])
    X = np.column_stack([np.cos(angle), np.sin(angle), y + 0.0])
    sampler = DeepSMOTE(random_state=0, latent_dim=2, penalty_weight=0.0, n_steps=1500)
    X_new, y_new = sampler.fit_resample(X, y)
    synthetic = X_new[len(X) :]
    assert np.bincount(y_new).tolist() == [200, 200]
    np.testing.assert_array_equal(X_new[: len(X)], X)
    np.testing.assert_allclose(np.linalg.norm(synthetic[:, :2], axis=1), 1, atol=0.1)
    np.testing.assert_allclose(synthetic[:, 2], 1, atol=0.1)
    assert len(np.unique(synthetic, axis=0)) > 150


def test_the_seed_decides_and_no_other_random_state_moves(two_classes):
    import tensorflow as tf

    X, y = two_classes
    tf.random.set_seed(5)
    np.random.seed(5)
    random.seed(5)
    expected = tf.random.uniform([3]).numpy(), np.random.rand(3), random.random()
    tf.random.set_seed(5)
    np.random.seed(5)
    random.seed(5)
    first = DeepSMOTE(random_state=0, n_steps=20).fit_resample(X, y)[0]
    after = tf.random.uniform([3]).numpy(), np.random.rand(3), random.random()
    np.testing.assert_array_equal(np.hstack(after), np.hstack(expected))
    second = DeepSMOTE(random_state=0, n_steps=20).fit_resample(X, y)[0]
    np.testing.assert_array_equal(first, second)
    other = DeepSMOTE(random_state=1, n_steps=20).fit_resample(X, y)[0]
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    "parameters", [{"latent_dim": 0}, {"n_steps": 0}, {"penalty_weight": -1.0}]
)
def test_parameters_out_of_range_are_named(two_classes, parameters):
    name = next(iter(parameters))
    with pytest.raises(ValueError, match=f"^{name}=.*: give a"):
        DeepSMOTE(**parameters).fit_resample(*two_classes)


def test_a_class_too_small_for_smote_is_refused(two_classes):
    X, y = two_classes
    with pytest.raises(ValueError, match="n_neighbors"):
        DeepSMOTE(n_steps=1).fit_resample(X[:304], y[:304])


def test_an_autoencoder_that_diverges_is_an_error():
    X, y = 1e30 * np.random.RandomState(0).normal(size=(30, 2)), np.repeat([0, 1], [20, 10])
    with pytest.raises(ValueError, match="diverged: standardise X"):
        DeepSMOTE(random_state=0, n_steps=5).fit_resample(X, y)
