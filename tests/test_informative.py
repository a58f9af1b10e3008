import logging
import pickle
import random
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import make_classification, make_moons
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from simpor import EntropyNetwork, informative, informative_region
from simpor.informative import entropy


def imbalanced(n=200, d=4, seed=0, n_classes=2):
    weights = [0.8, 0.2] if n_classes == 2 else [0.6, 0.25, 0.15]
    shape = dict(n_informative=3, n_redundant=0, n_classes=n_classes, weights=weights)
    X, y = make_classification(n, d, **shape, random_state=seed)
    return StandardScaler().fit_transform(X), y


class Diary(ClassifierMixin, BaseEstimator):
    """A logistic regression that writes down what it was asked, in a list that survives clone."""

    fits, queries = [], []

    def fit(self, X, y):
        self.fits.append((X, y))
        self.model_ = LogisticRegression().fit(X, y)
        self.classes_ = self.model_.classes_
        return self

    def predict_proba(self, X):
        probabilities = self.model_.predict_proba(X)
        self.queries.append((X, probabilities))
        return probabilities


@pytest.fixture
def diary():
    Diary.fits, Diary.queries = [], []
    return Diary()


class NoTraining(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        raise AssertionError("nothing should be trained")

    def predict_proba(self, X):
        raise AssertionError("nothing should be scored")


# entropy


def test_entropy_is_equation_4():
    p = np.random.default_rng(0).dirichlet(np.ones(3), size=50)
    by_hand = -np.sum(p * np.log(p) / np.log(3), axis=1)
    np.testing.assert_allclose(entropy(p), by_hand, rtol=1e-12)


def test_entropy_lies_between_certain_and_equal():
    np.testing.assert_allclose(entropy([[1, 0, 0], [1 / 3, 1 / 3, 1 / 3]]), [0, 1], atol=1e-15)


@pytest.mark.parametrize("p", [[[1.0]], [0.5, 0.5], [[np.nan, 1.0]]])
def test_entropy_refuses_what_is_no_table_of_probabilities(p):
    with pytest.raises(ValueError, match="column a class|standardise X"):
        entropy(p)


# the batches of Section III-C


def region_by_hand(X, y, portion, seed, make_learner):
    """Section III-C as it reads: one list of training rows, one of informative rows."""
    random_state = np.random.RandomState(seed)
    training = []
    for label in np.unique(y):
        training += list(random_state.choice(np.flatnonzero(y == label), 3, replace=False))
    found = []
    while len(found) < round(portion * len(X)):
        rows = sorted(training)
        model = make_learner().fit(X[rows], y[rows])
        unseen = [i for i in range(len(X)) if i not in training]
        p = model.predict_proba(X[unseen])
        doubt = {i: -np.sum(q * np.log(q)) for i, q in zip(unseen, p)}
        batch = sorted(unseen, key=lambda i: -doubt[i])[:20]
        found += batch[: round(portion * len(X)) - len(found)]
        training += batch
    return np.isin(np.arange(len(X)), found)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_region_is_the_one_found_by_hand(n_classes):
    X, y = imbalanced(150, n_classes=n_classes)
    mask = informative_region(X, y, portion=0.4, learner=LogisticRegression(), random_state=3)
    np.testing.assert_array_equal(mask, region_by_hand(X, y, 0.4, 3, LogisticRegression))


def test_training_starts_with_three_rows_a_class_and_grows_by_twenty(diary):
    X, y = imbalanced()
    informative_region(X, y, portion=0.3, learner=diary, random_state=0)
    assert [len(rows) for rows, _ in diary.fits] == [6, 26, 46]
    np.testing.assert_array_equal(np.bincount(diary.fits[0][1]), [3, 3])
    assert [len(rows) for rows, _ in diary.queries] == [194, 174, 154]


@pytest.mark.parametrize("portion", [0.001, 0.07, 0.3, 0.5, 0.97, 0.999])
def test_the_portion_is_exact(portion):
    X, y = imbalanced(150)
    mask = informative_region(X, y, portion=portion, learner=LogisticRegression(), random_state=0)
    assert mask.dtype == bool and mask.shape == (150,)
    assert mask.sum() == round(portion * 150)


def test_initial_rows_enter_last():
    X, y = imbalanced(100)
    settings = dict(n_initial=5, learner=LogisticRegression(), random_state=1)
    all_others = informative_region(X, y, portion=0.9, **settings)
    np.testing.assert_array_equal(np.bincount(y[~all_others]), [5, 5])
    two_more = informative_region(X, y, portion=0.92, **settings)
    assert two_more.sum() == 92 and np.all(two_more[all_others])


def test_rows_of_equal_entropy_enter_in_their_order():
    class InDoubtOrNot(NoTraining):
        def fit(self, X, y):
            return self

        def predict_proba(self, X):
            return np.where(X[:, :1] > 0, [[0.5, 0.5]], [[1.0, 0.0]])

    X, y = imbalanced()
    mask = informative_region(X, y, learner=InDoubtOrNot(), random_state=0)
    last = np.flatnonzero(mask)[-1]
    passed_over = ~mask[:last] & (X[:last, 0] > 0)
    assert np.all(X[mask, 0] > 0) and mask.sum() == 60
    assert passed_over.sum() <= 6  # none but initial rows


def test_the_whole_portion_trains_nothing():
    X, y = imbalanced(50)
    assert informative_region(X, y, portion=1, learner=NoTraining()).all()


def test_threshold_takes_rows_above_it_until_none_is_left(diary):
    X, y = imbalanced()
    mask = informative_region(X, y, threshold=0.7, learner=diary, random_state=0)
    entered = {row.tobytes() for row in X[mask]}
    initial = {row.tobytes() for row in diary.fits[0][0]}
    scored_at_entry = {}
    for rows, p in diary.queries:
        for row, doubt in zip(rows, entropy(p)):
            scored_at_entry[row.tobytes()] = doubt  # the last score of a row is that of its entry
    assert 0 < mask.sum() < len(X)
    assert all(scored_at_entry[row] > 0.7 for row in entered)
    _, last_p = diary.queries[-1]
    assert entropy(last_p).max() <= 0.7
    assert not initial & entered


def test_portion_is_unused_with_a_threshold():
    X, y = imbalanced()
    settings = dict(threshold=0.7, learner=LogisticRegression(), random_state=0)
    masks = [informative_region(X, y, portion=portion, **settings) for portion in (0.1, 1)]
    np.testing.assert_array_equal(*masks)


def test_a_threshold_of_zero_ends_when_all_rows_are_learnt():
    X, y = imbalanced(60)
    mask = informative_region(X, y, threshold=0.0, learner=LogisticRegression(), random_state=0)
    assert mask.sum() == 54


def test_classes_smaller_than_the_initial_rows_are_taken_whole(diary):
    X, y = imbalanced(60)
    y = np.where(np.arange(60) == 7, 2, y)
    mask = informative_region(X, y, learner=diary, random_state=0)
    assert np.sum(diary.fits[0][1] == 2) == 1
    assert mask.sum() == 18 and not mask[7]


@pytest.mark.parametrize("labels", [["no", "yes"], [False, True], [10, -3]])
def test_labels_of_any_kind(labels):
    X, y = imbalanced(80)
    masks = [
        informative_region(X, target, learner=LogisticRegression(), random_state=0)
        for target in (y, np.array(sorted(labels))[y])
    ]
    np.testing.assert_array_equal(*masks)


def test_the_region_is_where_the_classes_meet():
    X = np.linspace(-1, 1, 201)[:, None]
    mask = informative_region(X, X[:, 0] > 0, random_state=0)
    assert np.abs(X[mask]).mean() < 0.5 * np.abs(X[~mask]).mean()


# random states


def test_same_seed_same_region_other_seed_other_region():
    X, y = imbalanced()
    one, again, other = (informative_region(X, y, random_state=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, again)
    assert np.any(one != other)


def test_the_seed_settles_the_randomness_of_the_learner():
    X, y = imbalanced(100)
    forest = RandomForestClassifier(5, max_features=1)
    np.testing.assert_array_equal(
        *(informative_region(X, y, learner=forest, random_state=0) for _ in range(2))
    )
    assert forest.random_state is None and not hasattr(forest, "classes_")


IN_A_FRESH_PROCESS = """
import hashlib, sys
import tensorflow as tf
tf.config.threading.set_intra_op_parallelism_threads(int(sys.argv[1]))
from sklearn.datasets import make_classification
from simpor import EntropyNetwork, informative_region
X, y = make_classification(900, 6, weights=[0.8], random_state=0)
mask = informative_region(X, y, random_state=0)
network = EntropyNetwork((50, 50), max_epochs=30, random_state=0).fit(X, y)
print(hashlib.sha256(mask.tobytes() + network.predict_proba(X).tobytes()).hexdigest())
"""


def test_region_and_network_have_the_same_bits_in_fresh_processes_and_with_other_threads():
    digests = {
        subprocess.run(
            [sys.executable, "-c", IN_A_FRESH_PROCESS, n_threads],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for n_threads in ("1", "2")
    }
    assert len(digests) == 1


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
        informative._compile.cache_clear()  # building the network is part of it
        informative_region(X, y, random_state=0)

    assert draws_after(find_region) == draws_after(lambda: None)


def test_layer_names_of_others_are_not_counted_up():
    import keras

    before = int(keras.layers.Dense(1).name.removeprefix("dense").removeprefix("_") or 0)
    informative._compile.cache_clear()
    EntropyNetwork(max_epochs=1, random_state=0).fit(*imbalanced(20))
    after = int(keras.layers.Dense(1).name.removeprefix("dense").removeprefix("_") or 0)
    assert after == before + 1


# the network


def keras_twin(network, X, codes, n_epochs, **fit_settings):
    """The same first weights, trained by Keras' own fit."""
    import keras

    n_classes = len(np.unique(codes))
    sizes = (X.shape[1], *network.hidden_layers, n_classes)
    twin = keras.Sequential([keras.Input((X.shape[1],))])
    for n_neurons in network.hidden_layers:
        twin.add(keras.layers.Dense(n_neurons, "relu"))
    twin.add(keras.layers.Dense(n_classes, "softmax"))
    twin.set_weights(informative._first_weights(sizes, np.random.RandomState(0)))
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


def test_the_network_can_be_passed_as_learner():
    X, y = imbalanced(80)
    learner = EntropyNetwork((5,), max_epochs=20)
    masks = [informative_region(X, y, learner=learner, random_state=0) for _ in range(2)]
    np.testing.assert_array_equal(*masks)
    assert masks[0].sum() == 24
    assert not hasattr(learner, "weights_") and learner.random_state is None


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
    informative._compile.cache_clear()
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=r'pip install "simpor\[keras\]", or pass learner='):
        informative_region(X, y, random_state=0)
    assert informative_region(X, y, learner=LogisticRegression(), random_state=0).sum() == 12


def test_another_backend_is_named(monkeypatch):
    import keras

    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(RuntimeError, match="runs on jax here: set KERAS_BACKEND=tensorflow"):
        informative._import_keras()


def test_the_log_level_is_only_a_default(monkeypatch):
    import os

    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "0")
    informative._import_keras()
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "0"
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL")
    informative._import_keras()
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


# bad input


@pytest.mark.parametrize(
    "settings, cure",
    [
        (dict(portion=0), r"in \(0, 1\]"),
        (dict(portion=1.1), r"in \(0, 1\]"),
        (dict(portion="0.3"), r"in \(0, 1\]"),
        (dict(threshold=-0.1), r"in \[0, 1\), or None"),
        (dict(threshold=1), r"in \[0, 1\), or None"),
        (dict(batch_size=0), "batch_size=0: give a whole number >= 1"),
        (dict(n_initial=2.5), "n_initial=2.5: give a whole number >= 1"),
    ],
)
def test_parameters_out_of_range(settings, cure):
    X, y = imbalanced(40)
    with pytest.raises(ValueError, match=cure):
        informative_region(X, y, learner=NoTraining(), **settings)


def test_a_learner_without_probabilities():
    with pytest.raises(TypeError, match="no predict_proba: pass a classifier that has, or None"):
        informative_region(*imbalanced(40), learner=LinearSVC())


def test_one_class():
    with pytest.raises(ValueError, match="at least two classes"):
        informative_region(np.zeros((5, 2)), np.ones(5))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite(value):
    X, y = imbalanced(40)
    X[3, 1] = value
    with pytest.raises(ValueError, match="contains NaN|contains infinity"):
        informative_region(X, y, learner=NoTraining())


def test_values_beyond_the_numbers_of_the_network():
    X, y = imbalanced(40)
    with pytest.raises(ValueError, match="too large for a network: standardise it"):
        informative_region(1e100 * X, y, random_state=0)


def test_probabilities_that_are_not_finite():
    class Lost(NoTraining):
        def fit(self, X, y):
            return self

        def predict_proba(self, X):
            return np.full((len(X), 2), np.nan)

    with pytest.raises(ValueError, match="standardise X"):
        informative_region(*imbalanced(40), learner=Lost())


@pytest.mark.parametrize(
    "settings",
    [
        dict(hidden_layers=(10, 0)),
        dict(max_epochs=0),
        dict(patience=0),
        dict(min_delta=-1),
        dict(learning_rate=0),
    ],
)
def test_parameters_of_the_network_out_of_range(settings):
    with pytest.raises(ValueError, match="give a (whole )?number >"):
        EntropyNetwork(**settings).fit(*imbalanced(40))
