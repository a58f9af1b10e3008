import logging
import pickle
import random
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification, make_moons
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from simpor import EntropyNetwork, entropy_network, informative_region
from simpor._keras import import_keras
from simpor.entropy_network import class_probabilities


def imbalanced(n=200, d=4, seed=0, n_classes=2):
    weights = [0.8, 0.2] if n_classes == 2 else [0.6, 0.25, 0.15]
    shape = dict(n_informative=3, n_redundant=0, n_classes=n_classes, weights=weights)
    X, y = make_classification(n, d, **shape, random_state=seed)
    return StandardScaler().fit_transform(X), y


# prediction


def layers_of(sizes, seed=0):
    """Kernels and biases of a network, as float32."""
    rng = np.random.default_rng(seed)
    shapes = [shape for n_in, n_out in pairwise(sizes) for shape in ((n_in, n_out), (n_out,))]
    return [(rng.normal(size=shape) / np.sqrt(shape[0])).astype(np.float32) for shape in shapes]


@pytest.mark.parametrize("sizes", [(4, 2), (4, 10, 10, 3), (30, 100, 100, 100, 12)])
def test_probabilities_are_those_of_the_formula(sizes):
    weights = layers_of(sizes)
    X = units = np.random.default_rng(1).normal(size=(50, sizes[0]))
    for kernel, bias in zip(weights[:-2:2], weights[1:-2:2]):
        units = np.maximum(units @ kernel.astype(float) + bias, 0)
    powers = np.exp(units @ weights[-2].astype(float) + weights[-1])
    expected = powers / powers.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(class_probabilities(X, weights), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("sizes", [(3, 2), (3, 10, 10, 2), (7, 33, 12)])
def test_a_row_is_predicted_alike_in_any_place_and_company(sizes, monkeypatch):
    weights = layers_of(sizes)
    X = np.random.default_rng(1).normal(size=(301, sizes[0]))
    together = class_probabilities(X, weights)
    for n_rows in (1, 2, 3, 5, 8, 16, 31, 64):
        for first in (0, 1, 7, 100):
            alone = class_probabilities(X[first : first + n_rows], weights)
            assert alone.tobytes() == together[first : first + n_rows].tobytes()
    order = np.random.default_rng(2).permutation(len(X))
    assert class_probabilities(X[order], weights).tobytes() == together[order].tobytes()
    in_other_layouts = np.asfortranarray(X), np.repeat(X, 2, axis=0)[::2]
    for same in in_other_layouts:
        assert class_probabilities(same, weights).tobytes() == together.tobytes()
    monkeypatch.setattr(entropy_network, "ROWS_IN_CACHE", 13)
    assert class_probabilities(X, weights).tobytes() == together.tobytes()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("bad", [np.nan, np.inf, 3e38])
def test_weights_that_diverged_give_no_warning(bad):
    weights = layers_of((3, 10, 2))
    weights[0][:] = bad
    probabilities = class_probabilities(np.ones((5, 3)), weights)
    assert probabilities.shape == (5, 2)


# training


def keras_twin(network, X, codes, n_epochs, **fit_settings):
    """The same first weights, trained by Keras' own fit."""
    import keras

    n_classes = len(np.unique(codes))
    sizes = (X.shape[1], *network.hidden_layers, n_classes)
    twin = keras.Sequential([keras.Input((X.shape[1],))])
    for n_neurons in network.hidden_layers:
        twin.add(keras.layers.Dense(n_neurons, "relu"))
    twin.add(keras.layers.Dense(n_classes, "softmax"))
    twin.set_weights(entropy_network._first_weights(sizes, np.random.RandomState(0)))
    twin.compile(keras.optimizers.Adam(network.learning_rate), "sparse_categorical_crossentropy")
    history = twin.fit(
        X, codes, batch_size=len(X), epochs=n_epochs, shuffle=False, verbose=0, **fit_settings
    )
    return twin, history


@pytest.mark.parametrize("n", [40, 600])  # one block of rows, and three
def test_training_is_what_keras_does(n):
    X, y = imbalanced(n, n_classes=3)
    network = EntropyNetwork(max_epochs=25, patience=25, random_state=np.random.RandomState(0))
    network.fit(X, y)
    twin, history = keras_twin(network, X, y, 25)
    np.testing.assert_allclose(network.predict_proba(X), twin.predict(X, verbose=0), atol=1e-5)
    np.testing.assert_allclose(network.loss_, history.history["loss"][-1], rtol=1e-4)


def test_training_stops_when_keras_would_stop():
    import keras

    X, y = imbalanced(60)
    settings = dict(min_delta=0.01, patience=4)
    network = EntropyNetwork(**settings, random_state=np.random.RandomState(0)).fit(X, y)
    early = keras.callbacks.EarlyStopping(monitor="loss", **settings)
    _, history = keras_twin(network, X, y, 300, callbacks=[early])
    assert network.n_epochs_ == len(history.history["loss"]) < 300


def test_fit_goes_on_and_a_clone_starts_anew():
    X, y = imbalanced(60)
    network = EntropyNetwork(max_epochs=20, patience=20, random_state=0).fit(X, y)
    first_loss, first_weights = network.loss_, network.weights_
    network.fit(X, y)
    assert network.loss_ < first_loss
    anew = clone(network).fit(X, y)
    for a, b in zip(anew.weights_, first_weights):
        np.testing.assert_array_equal(a, b)


def test_fit_starts_anew_on_other_classes_or_features():
    X, y = imbalanced(60)
    settings = dict(max_epochs=5, random_state=0)
    fresh = EntropyNetwork(**settings).fit(X[:, :2], y + 1)
    used = EntropyNetwork(**settings).fit(X, y).fit(X[:, :2], y).fit(X[:, :2], y + 1)
    for a, b in zip(fresh.weights_, used.weights_):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(used.classes_, [1, 2])


def test_two_networks_of_one_shape_do_not_disturb_each_other():
    X, y = imbalanced(60)
    one = EntropyNetwork(max_epochs=5, random_state=0).fit(X, y)
    before = one.predict_proba(X)
    EntropyNetwork(max_epochs=5, random_state=1).fit(X, y)
    np.testing.assert_array_equal(one.predict_proba(X), before)


def test_a_fitted_network_can_be_pickled():
    X, y = imbalanced(60)
    network = EntropyNetwork(max_epochs=5, random_state=0).fit(X, y)
    again = pickle.loads(pickle.dumps(network))
    np.testing.assert_array_equal(again.predict_proba(X), network.predict_proba(X))


def test_the_network_learns_and_speaks_in_labels():
    X, y = make_moons(200, noise=0.1, random_state=0)
    labels = np.array(["up", "down"])[y]
    network = EntropyNetwork(random_state=0).fit(X, labels)
    np.testing.assert_array_equal(network.classes_, ["down", "up"])
    assert network.score(X, labels) > 0.95
    probabilities = network.predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-14)


def test_a_network_without_hidden_layers_is_a_logistic_regression():
    X, y = imbalanced(100)
    network = EntropyNetwork((), 3000, patience=3000, learning_rate=0.05, random_state=0).fit(X, y)
    exact = LogisticRegression(C=np.inf, tol=1e-8).fit(X, y)
    np.testing.assert_allclose(network.predict_proba(X), exact.predict_proba(X), atol=0.01)


def test_a_network_must_be_fitted_first():
    with pytest.raises(NotFittedError):
        EntropyNetwork().predict([[0.0]])


# Keras, when and how


def test_importing_simpor_leaves_keras_alone():
    code = "import simpor, sys; print({'keras', 'tensorflow', 'torch', 'jax'} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "set()" and out.stderr == ""


@pytest.mark.parametrize("module", ["keras", "tensorflow"])
def test_missing_keras_names_both_cures(module, monkeypatch):
    X, y = imbalanced(40)
    entropy_network._compile.cache_clear()
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=r'pip install "simpor\[keras\]", or pass learner='):
        informative_region(X, y, random_state=0)
    assert informative_region(X, y, learner=LogisticRegression(), random_state=0).sum() == 12


def test_another_backend_is_named(monkeypatch):
    import keras

    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(RuntimeError, match="runs on jax here: set KERAS_BACKEND=tensorflow"):
        import_keras()


def test_the_log_level_is_only_a_default(monkeypatch):
    import os

    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "0")
    import_keras()
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "0"
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL")
    import_keras()
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "2"
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL")


def test_many_shapes_bring_no_warning():
    import tensorflow as tf

    said = []
    handler = logging.Handler()
    handler.emit = said.append
    tf.get_logger().addHandler(handler)
    for d in range(1, 8):
        EntropyNetwork((2,), 1, random_state=0).fit(np.eye(8)[:, :d], np.arange(8) % 2)
    tf.get_logger().removeHandler(handler)
    assert said == []


def test_random_states_of_others_stay_as_they_were():
    import keras
    import tensorflow as tf

    X, y = imbalanced(80)

    def draws_after(action):
        keras.utils.clear_session()  # up to Keras 3.12 its generator goes on with the seed before
        keras.utils.set_random_seed(5)
        action()
        return (
            random.random(),
            np.random.random_sample(),
            float(tf.random.uniform([])),
            float(keras.random.uniform([])),
        )

    def find_region():
        entropy_network._compile.cache_clear()  # building the network is part of it
        informative_region(X, y, random_state=0)

    assert draws_after(find_region) == draws_after(lambda: None)


def test_layer_names_of_others_are_not_counted_up():
    import keras

    before = int(keras.layers.Dense(1).name.removeprefix("dense").removeprefix("_") or 0)
    entropy_network._compile.cache_clear()
    EntropyNetwork(max_epochs=1, random_state=0).fit(*imbalanced(20))
    after = int(keras.layers.Dense(1).name.removeprefix("dense").removeprefix("_") or 0)
    assert after == before + 1


# bad input


@pytest.mark.parametrize(
    "settings",
    [
        dict(hidden_layers=(10, 0)),
        dict(max_epochs=0),
        dict(patience=0),
        dict(min_delta=-1),
        dict(learning_rate=0),
        dict(hidden_layers=(True,)),
        dict(hidden_layers=[10.0]),
        dict(max_epochs=True),
        dict(patience=None),
        dict(min_delta=np.nan),
        dict(min_delta="small"),
        dict(learning_rate=np.inf),
        dict(learning_rate=None),
    ],
)
def test_parameters_of_the_network_out_of_range(settings):
    with pytest.raises(ValueError, match="give a (whole )?number >"):
        EntropyNetwork(**settings).fit(*imbalanced(40))


@pytest.mark.parametrize("hidden_layers", [10, None, "10"])
def test_layers_that_are_no_list_of_numbers(hidden_layers):
    with pytest.raises(TypeError, match=r"give one number per layer, as in \(10, 10\)"):
        EntropyNetwork(hidden_layers).fit(*imbalanced(40))


def test_layers_may_be_an_array():
    X, y = imbalanced(40)
    settings = dict(max_epochs=2, random_state=0)
    of_tuple, of_array = (
        EntropyNetwork(layers, **settings).fit(X, y).predict_proba(X)
        for layers in ((4, 3), np.array([4, 3]))
    )
    np.testing.assert_array_equal(of_tuple, of_array)


# training and queries that leave the numbers of float32


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("scale, learning_rate", [(1, 1e30), (1, 1e100), (1e30, 0.01)])
def test_training_that_diverges_is_an_error_at_fit(scale, learning_rate):
    X, y = imbalanced(40)
    network = EntropyNetwork(learning_rate=learning_rate, random_state=0)
    with pytest.raises(ValueError, match="training diverged.*standardise X.*smaller learning_rate"):
        network.fit(scale * X, y)
    with pytest.raises(NotFittedError):
        network.predict_proba(X)


def test_training_that_diverges_leaves_the_fit_before():
    X, y = imbalanced(40)
    network = EntropyNetwork(max_epochs=5, random_state=0).fit(X, y)
    before = network.predict_proba(X)
    with pytest.raises(ValueError, match="diverged"):
        network.set_params(learning_rate=1e30, max_epochs=20).fit(X, y)
    np.testing.assert_array_equal(network.set_params(learning_rate=0.01).predict_proba(X), before)


@pytest.mark.filterwarnings("error")
def test_far_queries_have_probabilities_or_a_sentence():
    X, y = imbalanced(60)
    network = EntropyNetwork(random_state=0).fit(X, y)
    for scale in (1e30, 1e37):
        far = network.predict_proba(scale * X)
        assert np.isfinite(far).all() and far.sum(axis=1) == pytest.approx(1)
    with pytest.raises(ValueError, match="too large for a network: standardise it"):
        network.predict_proba(1e39 * X)
