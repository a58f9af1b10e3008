import os
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from simpor import EntropyNetwork, informative_region
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
    with pytest.raises(ValueError, match="column per class|standardise X"):
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
networks = [
    EntropyNetwork(layers, max_epochs=15, random_state=0).fit(X, y)
    for layers in ((50, 50), (100, 100, 100))
]
results = [mask, *(network.predict_proba(X) for network in networks)]
print(hashlib.sha256(b"".join(result.tobytes() for result in results)).hexdigest())
"""


@pytest.mark.parametrize("onednn", ["0", "1"])  # TensorFlow's products have two libraries
def test_region_and_network_have_the_same_bits_in_fresh_processes_and_with_other_threads(onednn):
    environment = os.environ | {"TF_ENABLE_ONEDNN_OPTS": onednn}
    digests = {
        subprocess.run(
            [sys.executable, "-c", IN_A_FRESH_PROCESS, n_threads],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        ).stdout
        for n_threads in ("1", "7")
    }
    assert len(digests) == 1


def test_the_network_can_be_passed_as_learner():
    X, y = imbalanced(80)
    learner = EntropyNetwork((5,), max_epochs=20)
    masks = [informative_region(X, y, learner=learner, random_state=0) for _ in range(2)]
    np.testing.assert_array_equal(*masks)
    assert masks[0].sum() == 24
    assert not hasattr(learner, "weights_") and learner.random_state is None


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
        (dict(n_initial=True), "n_initial=True: give a whole number >= 1"),
        (dict(batch_size="20"), "batch_size='20': give a whole number >= 1"),
        (dict(portion=True), r"portion=True: give a share of the rows in \(0, 1\]"),
        (dict(portion=None), r"in \(0, 1\]"),
        (dict(threshold=False), r"in \[0, 1\), or None"),
        (dict(threshold="high"), r"in \[0, 1\), or None"),
    ],
)
def test_parameters_out_of_range(settings, cure):
    X, y = imbalanced(40)
    with pytest.raises(ValueError, match=cure):
        informative_region(X, y, learner=NoTraining(), **settings)


def test_a_learner_without_probabilities():
    with pytest.raises(TypeError, match="no predict_proba: pass a classifier that has, or None"):
        informative_region(*imbalanced(40), learner=LinearSVC())


def test_a_learner_that_is_a_class():
    with pytest.raises(TypeError, match=r"pass an object, LogisticRegression\(\), not a class"):
        informative_region(*imbalanced(40), learner=LogisticRegression)


NEED_MORE_ROWS = [
    CalibratedClassifierCV(GaussianNB()),
    GridSearchCV(GaussianNB(), {"var_smoothing": [1e-9, 1e-3]}),
    KNeighborsClassifier(15),  # fails when it predicts
    QuadraticDiscriminantAnalysis(),
    LogisticRegressionCV(),
    MLPClassifier(early_stopping=True, max_iter=5),
]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("learner", NEED_MORE_ROWS, ids=lambda learner: type(learner).__name__)
def test_learners_that_need_more_rows_name_the_cure_and_are_content_with_it(learner):
    X, y = imbalanced(120, d=5)
    cure = " failed on 6 rows, 3 of them of class 0: .* raise n_initial, or pass another learner"
    with pytest.raises(ValueError, match=f"(?s){type(learner).__name__}{cure}"):
        informative_region(X, y, learner=learner, random_state=0)
    mask = informative_region(X, y, portion=0.1, n_initial=10, learner=learner, random_state=0)
    assert mask.sum() == 12


def test_other_errors_of_a_learner_stay_what_they_are():
    class OutOfOrder(NoTraining):
        def fit(self, X, y):
            raise RuntimeError("out of order")

    with pytest.raises(RuntimeError, match="^out of order$"):
        informative_region(*imbalanced(40), learner=OutOfOrder())


def test_a_diverged_network_is_not_told_to_ask_for_more_rows():
    with pytest.raises(ValueError, match="diverged") as caught:
        informative_region(*imbalanced(40), learner=EntropyNetwork(learning_rate=1e30))
    assert "n_initial" not in str(caught.value)


def test_one_class():
    with pytest.raises(ValueError, match="one class; at least two are needed"):
        informative_region(np.zeros((5, 2)), np.ones(5))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite(value):
    X, y = imbalanced(40)
    X[3, 1] = value
    with pytest.raises(ValueError, match="contains NaN|contains infinity"):
        informative_region(X, y, learner=NoTraining())


@pytest.mark.parametrize("label", [0, None])
def test_labels_of_several_types(label):
    X, y = imbalanced(40)
    mixed = np.array([label if positive else "a" for positive in y], dtype=object)
    with pytest.raises(ValueError, match="pass labels of one type"):
        informative_region(X, mixed, learner=NoTraining())


@pytest.mark.parametrize("dtype, cure", [("M8[D]", "numbers first"), ("U8", "numbers first")])
def test_columns_that_are_not_numbers(dtype, cure):
    X, y = imbalanced(40)
    with pytest.raises(ValueError, match=f"Column 0 has dtype .*{cure}"):
        informative_region(np.rint(X).astype(int).astype(dtype), y, learner=NoTraining())


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


def test_the_network_can_still_be_imported_from_where_it_was():
    with pytest.warns(FutureWarning, match=r"import it from simpor\.entropy_network"):
        from simpor.informative import EntropyNetwork as FromTheOldPlace
    assert FromTheOldPlace is EntropyNetwork
