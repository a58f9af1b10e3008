"""The stack of networks against Keras's own ``model.fit``."""

import random
from dataclasses import replace
from threading import Thread, current_thread

import keras
import numpy as np
import pytest
from sklearn.datasets import make_moons
from sklearn.utils.estimator_checks import check_estimator
from tqdm import tqdm

from simpor.lab import network as lab_network
from simpor.lab.network import PREPRINT, TAI, Network, NetworkClassifier, NetworkStack, Plateau

SMALL = Network((20, 20, 20), epochs=4, batch_size=32, learning_rate=0.01)
LENGTHS = (100, 33, 64, 150, 7)  # a part batch, one row left over, whole batches, most, one batch


def batches_of(X, y, network, seed):
    """The batches of one member in the stack's own order, all epochs on end."""
    X = X.astype(np.float32)
    for order in lab_network._row_order(len(X), network.epochs, seed):
        for first in range(0, len(X), network.batch_size):
            rows = order[first : first + network.batch_size]
            yield X[rows], y[rows]


def members(lengths, n_features=3, seed=0):
    rng = np.random.default_rng(seed)
    Xs = [rng.normal(size=(n, n_features)) for n in lengths]
    return Xs, [(X[:, 0] + 0.5 * rng.normal(size=len(X)) > 0.3).astype(int) for X in Xs]


def train_with_keras(network, X, y, seed, weights, n_classes=2):
    """The same network by ``model.fit``: final weights, losses and learning rates."""
    layers = [keras.layers.Dense(units, activation="relu") for units in network.hidden_layers]
    model = keras.Sequential(
        [keras.Input((X.shape[1],)), *layers, keras.layers.Dense(n_classes, activation="softmax")]
    )
    model.set_weights(weights)
    model.compile(
        keras.optimizers.Adam(network.learning_rate), loss="sparse_categorical_crossentropy"
    )
    callbacks = []
    if network.plateau is not None:
        callbacks.append(
            keras.callbacks.ReduceLROnPlateau(
                monitor="loss",
                factor=network.plateau.factor,
                min_delta=network.plateau.min_delta,
                patience=network.plateau.patience,
            )
        )
    fitted = model.fit(
        batches_of(X, y, network, seed),
        steps_per_epoch=-(-len(X) // network.batch_size),
        epochs=network.epochs,
        callbacks=callbacks,
        verbose=0,
    )
    rates = fitted.history.get("learning_rate", [network.learning_rate] * network.epochs)
    return model, np.array(fitted.history["loss"]), np.array(rates)


def assert_equals_keras(network, Xs, ys, n_classes=2):
    seeds = list(range(10, 10 + len(Xs)))
    start = [
        lab_network._initial_weights(network, Xs[0].shape[1], n_classes, seed) for seed in seeds
    ]
    stack = NetworkStack(network, verbose=0).fit(Xs, ys, seeds, n_classes=n_classes)
    for m in range(len(Xs)):
        model, losses, rates = train_with_keras(
            network, Xs[m], ys[m], seeds[m], start[m], n_classes
        )
        for ours, theirs in zip(stack.weights_, model.get_weights(), strict=True):
            np.testing.assert_allclose(ours[m], theirs, atol=1e-4)
        np.testing.assert_allclose(stack.losses_[m], losses, atol=1e-4)
        np.testing.assert_allclose(stack.learning_rates_[m], rates, rtol=1e-6)
        np.testing.assert_allclose(
            stack.predict_proba(m, Xs[0]), model.predict(Xs[0], verbose=0), atol=1e-4
        )
    return stack


def test_stack_equals_one_by_one():
    stack = assert_equals_keras(SMALL, *members(LENGTHS))
    assert stack.weights_[0].shape == (5, 3, 20)
    assert stack.weights_[-1].shape == (5, 2)


def test_three_classes_equal_one_by_one():
    Xs, ys = members((60, 45))
    for X, y in zip(Xs, ys):
        y[X[:, 1] > 1] = 2
    assert_equals_keras(replace(SMALL, epochs=2), Xs, ys, n_classes=3)


def test_plateau_equals_keras():
    plateau = Plateau(factor=0.5, min_delta=0.05, patience=2)
    network = Network((8,), epochs=12, batch_size=32, learning_rate=0.01, plateau=plateau)
    stack = assert_equals_keras(network, *members(LENGTHS[:3]))
    last = stack.learning_rates_[:, -1]
    assert (last < 0.01).all() and len(set(last.tolist())) > 1, "each member has its own plateau"


def test_company_does_not_change_a_member():
    Xs, ys = members(LENGTHS)
    together = NetworkStack(SMALL, verbose=0).fit(Xs, ys, seeds=range(5))
    alone = NetworkStack(SMALL, verbose=0).fit(Xs[1:2], ys[1:2], seeds=[1])
    for ours, theirs in zip(together.weights_, alone.weights_):
        np.testing.assert_array_equal(ours[1], theirs[0])


def test_threads_do_not_change_the_weights():
    Xs, ys = members(LENGTHS)
    one = NetworkStack(SMALL, verbose=0).fit(Xs, ys, seeds=range(5))
    two = NetworkStack(SMALL, n_jobs=2, verbose=0).fit(Xs, ys, seeds=range(5))
    for ours, theirs in zip(one.weights_, two.weights_):
        np.testing.assert_array_equal(ours, theirs)


def test_many_members_keep_their_order():
    Xs, ys = members([20 + m for m in range(lab_network._MEMBERS_PER_CALL + 2)])
    network = replace(SMALL, epochs=1)
    stack = NetworkStack(network, verbose=0).fit(Xs, ys, seeds=range(len(Xs)))
    for m in (0, len(Xs) - 1):
        alone = NetworkStack(network, verbose=0).fit([Xs[m]], [ys[m]], seeds=[m])
        np.testing.assert_array_equal(stack.weights_[0][m], alone.weights_[0][0])


def test_given_initial_weights_are_used():
    Xs, ys = members((30,))
    still = replace(SMALL, learning_rate=0.0, epochs=1)
    drawn = NetworkStack(still, verbose=0).fit(Xs, ys, [0]).weights_
    start = [np.full_like(layer, 0.1) for layer in drawn]
    stack = NetworkStack(still, verbose=0).fit(Xs, ys, [0], initial_weights=start)
    for ours, given in zip(stack.weights_, start):
        np.testing.assert_array_equal(ours, given)


def test_seeds():
    Xs, ys = members((50,))
    runs = [NetworkStack(SMALL, verbose=0).fit(Xs, ys, [seed]).weights_ for seed in (0, 0, 1)]
    np.testing.assert_array_equal(runs[0][0], runs[1][0])
    assert np.abs(runs[0][0] - runs[2][0]).max() > 0.01


def test_global_random_state_is_untouched():
    X, y = make_moons(40, random_state=0)
    before, python_before = np.random.get_state()[1].copy(), random.getstate()
    NetworkClassifier(replace(SMALL, epochs=1), random_state=0).fit(X, y)
    np.testing.assert_array_equal(np.random.get_state()[1], before)
    assert random.getstate() == python_before


def test_progress_is_text_on_standard_error(capsys):
    Xs, ys = members((40, 30))
    NetworkStack(SMALL).fit(Xs, ys, [0, 1])
    shown = capsys.readouterr()
    assert "2 networks" in shown.err and "8/8" in shown.err and shown.out == ""
    NetworkStack(SMALL, verbose=0).fit(Xs, ys, [0, 1])
    assert capsys.readouterr().err == ""


class HeldByAnother:
    """A lock that somebody keeps: who asks for it would wait for ever. tqdm's monitor may."""

    def acquire(self):
        assert current_thread().name == "tqdm_monitor", "waits for the lock that all bars share"

    __enter__ = release = acquire

    def __exit__(self, *exception):
        self.acquire()


def test_training_waits_for_no_bar_of_others(monkeypatch, capsys):
    monkeypatch.setattr(tqdm, "_lock", HeldByAnother(), raising=False)
    Xs, ys = members((40, 30))
    NetworkStack(SMALL, n_jobs=2).fit(Xs, ys, [0, 1])
    assert "8/8" in capsys.readouterr().err


def test_a_bar_that_cannot_be_drawn_leaves_its_lock_free():
    class FullDisk:
        def write(self, text):
            raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space"):
        lab_network._Bar(total=1, file=FullDisk())
    lock, got_it = lab_network._Bar.get_lock(), []

    def try_the_lock():
        got_it.append(lock.acquire(False))
        if got_it[0]:
            lock.release()

    thread = Thread(target=try_the_lock)
    thread.start()
    thread.join()
    assert got_it == [True]


@pytest.mark.parametrize(
    "Xs, ys, seeds, cure",
    [
        ([np.zeros((3, 2))], [[0, 1, 2]], [0], "LabelEncoder"),
        ([np.zeros((3, 2))], [[0, 1]], [0], "LabelEncoder"),
        ([np.zeros((3, 2)), np.zeros((3, 1))], [[0, 1, 1]] * 2, [0, 1], "as many columns"),
        ([np.zeros((0, 2))], [[]], [0], "rows"),
        ([np.zeros((3, 2))], [[0, 1, 1]], [], "one of each"),
    ],
)
def test_bad_members_are_named(Xs, ys, seeds, cure):
    with pytest.raises(ValueError, match=cure):
        NetworkStack(SMALL, verbose=0).fit(Xs, ys, seeds)


def test_published_settings():
    assert TAI.hidden_layers == (100, 100, 100) and TAI.learning_rate == 0.1
    assert (TAI.plateau.factor, TAI.plateau.min_delta, TAI.plateau.patience) == (0.9, 1e-4, 5)
    shapes = {name: (n.hidden_layers[0], n.epochs, n.batch_size) for name, n in PREPRINT.items()}
    assert shapes == {
        "moon": (100, 200, 32),
        "breast-cancer": (50, 150, 32),
        "credit-card": (200, 200, 64),
    }


def test_classifier_is_a_scikit_learn_classifier():
    check_estimator(NetworkClassifier(Network((20,), epochs=60), random_state=0))


def test_a_row_is_predicted_alike_in_any_place_and_company():
    (X,), (y,) = members((120,))
    stack = NetworkStack(replace(SMALL, epochs=1), verbose=0).fit([X], [y], [0])
    together = stack.predict_proba(0, X)
    order = np.random.default_rng(1).permutation(len(X))
    np.testing.assert_array_equal(stack.predict_proba(0, X[order]), together[order])
    for row in (0, 1, 60, 119):
        np.testing.assert_array_equal(stack.predict_proba(0, X[row : row + 1]), together[[row]])


def test_classifier_keeps_the_names_of_the_classes():
    X, y = make_moons(200, noise=0.1, random_state=0)
    names = np.array(["left", "right"])[y]
    classifier = NetworkClassifier(replace(SMALL, epochs=30), random_state=0).fit(X, names)
    assert classifier.classes_.tolist() == ["left", "right"]
    assert classifier.predict_proba(X).shape == (200, 2)
    assert classifier.score(X, names) > 0.95
