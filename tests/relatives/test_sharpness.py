"""Asymmetric SAM against its formulas in NumPy, smoothed labels, and the batch-size sweep."""

import pickle
import random
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from scipy.special import softmax
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from simpor.relatives import AsymmetricSAM, batch_size_sweep, class_conditional_smoothing, sharpness

pytest.importorskip("keras")

SETTINGS = {"batch_size": 100, "n_epochs": 5, "learning_rate": 0.5, "momentum": 0.5}


@pytest.fixture
def rows():
    """Three overlapping classes of 60, 20 and 5 rows."""
    rng = np.random.RandomState(0)
    y = np.repeat([0, 1, 2], [60, 20, 5])
    return rng.normal(size=(85, 2)) + y[:, None], y


def first_weights(X, y, hidden_layers, seed=0):
    """Those from which a fit with this seed starts."""
    sizes = (X.shape[1], *hidden_layers, len(np.unique(y)))
    return sharpness._network(sizes, np.random.RandomState(seed))


def gradients_of_softmax_regression(X, targets, row_weights, kernel, bias):
    """Sum of the weighted rows' gradients."""
    slopes = row_weights[:, None] * (softmax(X @ kernel + bias, axis=1) - targets)
    return [X.T @ slopes, slopes.sum(axis=0)]


def norm(arrays):
    return np.sqrt(sum((array**2).sum() for array in arrays))


def trained_in_numpy(X, y, row_weights, rho, of_length_rho):
    """Softmax regression by SAM with momentum, all rows in each step."""
    X = X.astype(np.float32).astype(np.float64)
    targets, ones = np.eye(3)[y], np.ones(len(y))
    weights = first_weights(X, y, ()).get_weights()
    velocity = [np.zeros_like(array) for array in weights]
    for _ in range(SETTINGS["n_epochs"]):
        weighted = gradients_of_softmax_regression(X, targets, row_weights, *weights)
        plain = gradients_of_softmax_regression(X, targets, ones, *weights)
        rate = rho / norm(weighted if of_length_rho else plain)
        worse = [w + rate * g for w, g in zip(weights, weighted)]
        descent = gradients_of_softmax_regression(X, targets, ones / len(y), *worse)
        velocity = [
            SETTINGS["momentum"] * v - SETTINGS["learning_rate"] * g
            for v, g in zip(velocity, descent)
        ]
        weights = [w + v for w, v in zip(weights, velocity)]
    return weights


def assert_close(weights, others, tolerance=1e-6):
    for array, other in zip(weights, others, strict=True):
        np.testing.assert_allclose(array, other, rtol=0, atol=tolerance)


@pytest.mark.parametrize("variant", ["direction", "length"])
def test_weights_of_one_give_sam(variant, rows):
    """Training is in float64, far within 1e-6 on any machine."""
    sam = AsymmetricSAM(
        variant,
        rho=0.5,
        ascent_weights=None,
        hidden_layers=(),
        random_state=0,
        **SETTINGS,
    )
    expected = trained_in_numpy(*rows, np.ones(85), 0.5, of_length_rho=True)
    assert_close(sam.fit(*rows).weights_, expected)


@pytest.mark.parametrize("variant", ["direction", "length"])
def test_rho_of_zero_gives_gradient_descent(variant, rows):
    descent = AsymmetricSAM(variant, rho=0, hidden_layers=(), random_state=0, **SETTINGS)
    expected = trained_in_numpy(*rows, np.ones(85), 0.0, of_length_rho=True)
    assert_close(descent.fit(*rows).weights_, expected)


def test_rho_of_zero_trains_hidden_layers_as_keras_does(rows):
    import keras

    X, y = rows
    twin = first_weights(X, y, (6, 5))
    twin.compile(
        keras.optimizers.SGD(0.1, 0.9), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    twin.fit(X.astype(np.float32), y, batch_size=100, epochs=10, shuffle=False, verbose=0)
    descent = AsymmetricSAM(
        rho=0, hidden_layers=(6, 5), n_epochs=10, learning_rate=0.1, random_state=0
    )
    assert_close(descent.fit(X, y).weights_, twin.get_weights())


@pytest.mark.parametrize("variant", ["direction", "length"])
def test_the_classes_weigh_as_their_counts_in_the_climb_alone(variant, rows):
    """60 / 5 = 12 is more than the variant "length" allows."""
    X, y = rows
    of_class = np.array([1, 3, 12.0]) if variant == "direction" else np.array([1, 3, 10.0])
    asymmetric = AsymmetricSAM(variant, rho=0.5, hidden_layers=(), random_state=0, **SETTINGS)
    expected = trained_in_numpy(X, y, of_class[y], 0.5, of_length_rho=variant == "direction")
    assert_close(asymmetric.fit(X, y).weights_, expected)
    symmetric = clone(asymmetric).set_params(ascent_weights=None).fit(X, y)
    assert np.abs(symmetric.weights_[0] - asymmetric.weights_[0]).max() > 1e-3


def step_lengths(variant, rows, rho=0.05):
    """Of the climb with the classes' weights, at five random networks."""
    import tensorflow as tf

    X, y = rows
    tables = [tf.constant(a, tf.float64) for a in (X, np.eye(3)[y], np.array([1, 3, 10.0])[y])]
    for seed in range(5):
        network = first_weights(X, y, (4,), seed)
        yield norm([a.numpy() for a in sharpness._ascent(network, *tables, rho, variant)])


def test_the_climb_of_variant_direction_is_exactly_rho_long_that_of_length_is_not(rows):
    np.testing.assert_allclose(list(step_lengths("direction", rows)), 0.05, rtol=1e-9)
    assert np.min(np.abs(np.array(list(step_lengths("length", rows))) / 0.05 - 1)) > 0.01


def test_a_flat_loss_leaves_the_climb_where_it_is():
    import tensorflow as tf

    network = first_weights(np.zeros((2, 1)), [0, 1], ())
    tables = tf.zeros((2, 1), tf.float64), tf.fill((2, 2), tf.constant(0.5, tf.float64))
    ascent = sharpness._ascent(network, *tables, tf.ones(2, tf.float64), 0.05, "direction")
    assert [np.abs(a.numpy()).max() for a in ascent] == [0, 0]


def test_steps_are_the_same_whether_compiled_or_not(rows, monkeypatch):
    sam = AsymmetricSAM(batch_size=16, n_epochs=3, random_state=0)
    weights = sam.fit(*rows).weights_
    monkeypatch.setattr(sharpness, "STEPS_WORTH_COMPILING", 0)
    assert_close(clone(sam).fit(*rows).weights_, weights)


def test_the_same_seed_gives_the_same_bytes(rows):
    sam = AsymmetricSAM(batch_size=16, n_epochs=3, random_state=3)
    first, second = (pickle.dumps(clone(sam).fit(*rows).weights_) for _ in range(2))
    assert first == second
    assert pickle.dumps(clone(sam).set_params(random_state=4).fit(*rows).weights_) != first


def test_probabilities_of_a_row_do_not_depend_on_other_rows(rows):
    X, y = rows
    sam = AsymmetricSAM(n_epochs=2, random_state=0).fit(X, y)
    together = sam.predict_proba(X)
    one_by_one = np.vstack([sam.predict_proba(X[[row]]) for row in range(len(X))])
    np.testing.assert_array_equal(one_by_one, together)
    np.testing.assert_array_equal(sam.predict_proba(X[::-1])[::-1], together)


def test_it_holds_a_keras_model_that_agrees(rows):
    X, y = rows
    sam = AsymmetricSAM(n_epochs=2, random_state=0).fit(X, y)
    logits = sam.model_(X.astype(np.float32)).numpy()
    np.testing.assert_allclose(softmax(logits, axis=1), sam.predict_proba(X), atol=1e-9)


def test_frames_and_names_of_classes_are_kept(rows):
    X, y = rows
    frame = pd.DataFrame(X, columns=["length", "width"])
    names = np.array(["many", "some", "few"])[y]
    sam = AsymmetricSAM(n_epochs=2, random_state=0).fit(frame, names)
    assert sam.feature_names_in_.tolist() == ["length", "width"]
    assert set(sam.predict(frame)) <= set(names)


def test_random_states_and_names_of_others_stay_as_they_were(rows):
    import keras
    import tensorflow as tf

    def after(action):
        keras.utils.clear_session()
        keras.utils.set_random_seed(5)
        action()
        return (
            random.random(),
            np.random.random_sample(),
            float(tf.random.uniform([])),
            float(keras.random.uniform([])),
            keras.layers.Dense(1).name,
            keras.optimizers.SGD().name,
            keras.Sequential().name,
            keras.backend.floatx(),
        )

    def use():
        assert AsymmetricSAM(n_epochs=1, random_state=0).fit(*rows).model_.built

    assert after(use) == after(lambda: None)


# smoothing


def test_the_rarer_a_class_the_smoother_its_targets():
    """60, 20 and 5 rows: 0.1 (1 - n / 60) is 0, 0.0667 and 0.0917."""
    targets = class_conditional_smoothing(np.repeat(["a", "b", "c"], [60, 20, 5]))
    e = 0.1 * (1 - np.array([60, 20, 5]) / 60)
    expected = [
        [1, 0, 0],
        [e[1] / 2, 1 - e[1], e[1] / 2],
        [e[2] / 2, e[2] / 2, 1 - e[2]],
    ]
    np.testing.assert_allclose(targets[[0, 60, 80]], expected, atol=1e-12)
    np.testing.assert_allclose(targets.sum(axis=1), 1, atol=1e-12)


def test_balanced_classes_and_smoothing_of_zero_give_hard_targets():
    np.testing.assert_array_equal(class_conditional_smoothing([1, 0, 1, 0])[:2], [[0, 1], [1, 0]])
    np.testing.assert_array_equal(class_conditional_smoothing([0, 0, 1], 0), np.eye(2)[[0, 0, 1]])


def test_smoothing_moves_probabilities_of_the_rare_class_towards_the_middle():
    """A class of a quarter far from the other: its best probability is 1 - 0.4 (1 - 1 / 3)."""
    X, y = np.repeat([-1.0, 1.0], [30, 10])[:, None], np.repeat([0, 1], [30, 10])
    smoothed = AsymmetricSAM(
        rho=0, smoothing=0.4, hidden_layers=(4,), n_epochs=400, learning_rate=0.3, random_state=0
    ).fit(X, y)
    np.testing.assert_allclose(smoothed.predict_proba([[1.0]])[0, 1], 1 - 0.4 * 2 / 3, atol=0.02)
    assert smoothed.predict_proba([[-1.0]])[0, 0] > 0.98


# batch sizes


def test_the_sweep_has_a_row_of_scores_for_each_batch_size(rows):
    X, y = rows
    X, y = X[y < 2], y[y < 2]
    descent = AsymmetricSAM(rho=0, n_epochs=5, random_state=0)
    scores = batch_size_sweep(descent, X, y, batch_sizes=[4, 64], cv=2, scoring="accuracy")
    assert scores.shape == (2, 2)
    again = batch_size_sweep(descent, X, y, batch_sizes=[64], cv=2, scoring="accuracy")
    np.testing.assert_array_equal(scores[1], again[0])
    assert descent.batch_size == 128


# bad input


@pytest.mark.parametrize(
    "parameters, message",
    [
        ({"variant": "radius"}, 'give "direction" or "length"'),
        ({"rho": -0.1}, "rho=-0.1: give a number >= 0"),
        ({"rho": np.inf}, "rho=inf: give a number >= 0"),
        ({"ascent_weights": "balanced"}, "ascent_weights='balanced': give \"counts\" or None"),
        ({"smoothing": 0.5}, r"smoothing=0.5: give a number in \[0, 0.5\)"),
        ({"hidden_layers": (0,)}, "hidden_layers=0: give a whole number >= 1"),
        ({"batch_size": 0}, "batch_size=0: give a whole number >= 1"),
        ({"n_epochs": 1.5}, "n_epochs=1.5: give a whole number >= 1"),
        ({"learning_rate": 0}, "learning_rate=0: give a number above 0"),
        ({"momentum": 1}, r"momentum=1: give a number in \[0, 1\)"),
    ],
)
def test_a_parameter_out_of_range_gets_a_sentence(parameters, message, rows):
    with pytest.raises(ValueError, match=message):
        AsymmetricSAM(**parameters).fit(*rows)


def test_bad_tables_get_a_sentence(rows):
    X, y = rows
    sam = AsymmetricSAM(n_epochs=1)
    with pytest.raises(ValueError, match="y holds one class, 0"):
        sam.fit(X, np.zeros(len(X)))
    with pytest.raises(ValueError, match="NaN"):
        sam.fit(np.where(X > 2, np.nan, X), y)
    with pytest.raises(TypeError, match="toarray"):
        sam.fit(csr_matrix(X), y)
    with pytest.raises(ValueError, match="too large for a network"):
        sam.fit(X * 1e300, y)
    with pytest.raises(TypeError, match="one number per layer"):
        AsymmetricSAM(hidden_layers=5).fit(X, y)
    with pytest.raises(ValueError, match="diverged: standardise X"):
        AsymmetricSAM(learning_rate=1e200, hidden_layers=(), n_epochs=20).fit(X * 1e30, y)


def test_a_sweep_that_cannot_be_made_gets_a_sentence(rows):
    with pytest.raises(ValueError, match="batch_sizes=0: give a whole number >= 1"):
        batch_size_sweep(AsymmetricSAM(), *rows, batch_sizes=[8, 0])
    with pytest.raises(ValueError, match="batch_size"):
        batch_size_sweep(LogisticRegression(), *rows, cv=2)


def test_without_keras_the_cure_is_named(rows, monkeypatch):
    monkeypatch.setitem(sys.modules, "keras", None)
    with pytest.raises(ImportError, match=r'pip install "simpor\[keras\]"'):
        AsymmetricSAM().fit(*rows)


def test_compiling_warns_of_nothing():
    """TensorFlow would print the whole environment if it met a function that it cannot read."""
    code = (
        "import numpy as np\n"
        "from simpor.relatives import AsymmetricSAM\n"
        "X = np.arange(12.0).reshape(6, 2) / 12\n"
        "AsymmetricSAM(batch_size=1, n_epochs=40, random_state=0).fit(X, [0, 0, 0, 0, 1, 1])\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "WARNING:tensorflow" not in run.stderr
