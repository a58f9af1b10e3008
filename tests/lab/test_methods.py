"""The table of methods: each makes what it says, with the papers' settings."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import is_classifier
from sklearn.datasets import make_classification
from sklearn.ensemble import AdaBoostClassifier
from sklearn.metrics import roc_auc_score

from simpor import PUBLISHED_TAI
from simpor.lab.methods import ABLATION, COMPARISON, CONTROLS, METHODS, RELATIVES

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

NEEDS_KERAS = {"deepsmote", "simpor-published", "simpor-converged", "simpor-random-direction"}


def with_keras(name):
    marks = ()
    if name in NEEDS_KERAS:
        reason = "trains with Keras on TensorFlow, which is not installed"
        marks = pytest.mark.skipif(not has_tensorflow(), reason=reason)
    return pytest.param(name, marks=marks)


def has_tensorflow():
    from importlib.util import find_spec

    return find_spec("tensorflow") is not None


def of_kind(*kinds):
    return [with_keras(name) for name, method in METHODS.items() if method.kind in kinds]


@pytest.fixture(scope="module")
def overlapping():
    """120 overlapping rows, 20 of them in class 1."""
    return make_classification(
        120,
        4,
        n_informative=4,
        n_redundant=0,
        class_sep=0.5,
        weights=[5 / 6],
        flip_y=0,
        random_state=0,
    )


def test_the_groups_have_their_methods():
    assert all(METHODS[name].name == name for name in METHODS)
    assert len(METHODS) == 18 and len(COMPARISON) == 13
    assert len(ABLATION) == 6 and len(CONTROLS) == 2
    assert set(COMPARISON) | set(ABLATION) | set(CONTROLS) == set(METHODS)
    assert not set(CONTROLS) & (set(COMPARISON) | set(ABLATION))
    assert set(COMPARISON) & set(ABLATION) == {
        "simpor-published",
        "simpor-converged",
        "simpor-random-direction",
    }
    labels = [method.label for method in METHODS.values()]
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize("name", of_kind("sampler", "threshold"))
def test_samplers_balance_and_their_seed_decides(name, overlapping):
    X, y = overlapping
    make = METHODS[name].make
    X_new, y_new = make(0).fit_resample(X, y)
    np.testing.assert_array_equal(X_new[: len(X)], X)
    if name in ("raw", "raw-threshold", "shuffled-labels"):
        assert len(X_new) == len(X)
        return
    n_majority, n_minority = np.bincount(y_new)
    # ADASYN rounds its share of each row and so ends near the balance.
    tolerance = 10 if name == "adasyn" else 0
    assert n_majority == np.sum(y == 0) and abs(n_majority - n_minority) <= tolerance
    np.testing.assert_array_equal(make(0).fit_resample(X, y)[0], X_new)
    other = make(1).fit_resample(X, y)[0]
    assert other.shape != X_new.shape or not np.array_equal(other, X_new)


@pytest.mark.parametrize("name", of_kind("classifier"))
def test_classifiers_learn_and_rank(name, overlapping):
    X, y = overlapping
    classifier = METHODS[name].make(0).fit(X, y)
    assert is_classifier(classifier)
    assert np.mean(classifier.predict(X[y == 1]) == 1) > 0.8
    scores = classifier.decision_function(X)
    assert scores[y == 1].mean() > scores[y == 0].mean()
    np.testing.assert_array_equal(METHODS[name].make(0).fit(X, y).decision_function(X), scores)


def test_the_relatives_stand_beside_the_comparison():
    assert all(RELATIVES[name].name == name for name in RELATIVES)
    assert not set(RELATIVES) & set(METHODS)
    assert not {m.label for m in RELATIVES.values()} & {m.label for m in METHODS.values()}


@pytest.mark.parametrize("name", [*METHODS, *RELATIVES])
def test_every_call_makes_a_fresh_object_with_the_seed(name):
    make = (METHODS | RELATIVES)[name].make
    one, other = make(3), make(3)
    assert one is not other
    assert one.get_params().get("random_state", 3) == 3


@pytest.mark.parametrize(
    "name, setting, value",
    [
        ("smote", "k_neighbors", 5),
        ("borderline-smote", "k_neighbors", 5),
        ("adasyn", "n_neighbors", 5),
        ("gdo", "k_neighbors", 5),
        ("gdo", "alpha", 1.0),
        ("deepsmote", "penalty_weight", 0.1),
        ("svmcs", "class_weight", "balanced"),
        ("easy-ensemble", "n_estimators", 10),
        ("simpor-published", "k_neighbors", 5),
        ("simpor-published", "radius", "gaussian"),
        ("simpor-published", "informative_portion", 0.3),
    ],
)
def test_settings_are_those_of_table_i(name, setting, value):
    assert METHODS[name].make(0).get_params()[setting] == value


def test_easy_ensemble_boosts():
    assert isinstance(METHODS["easy-ensemble"].make(0).estimator, AdaBoostClassifier)


def test_the_published_simpor_is_the_module_s():
    parameters = METHODS["simpor-published"].make(0).get_params()
    assert PUBLISHED_TAI.items() <= parameters.items()


def difference(one, other):
    """The settings in which two methods differ."""
    one, other = METHODS[one].make(0).get_params(), METHODS[other].make(0).get_params()
    return {name for name in one if one[name] != other[name]}


def test_the_ablation_varies_one_thing_at_a_time():
    for ascent in ("published", "converged", "random-direction"):
        one, other = f"simpor-{ascent}", f"simpor-{ascent}-no-region"
        assert difference(one, other) == {"informative_portion"}
        assert METHODS[other].make(0).informative_portion == 1
    for suffix in ("", "-no-region"):
        converged = f"simpor-converged{suffix}"
        assert difference(f"simpor-random-direction{suffix}", converged) == {"max_iter"}
        assert difference(f"simpor-published{suffix}", converged) == {"step", "max_iter"}
        assert METHODS[f"simpor-random-direction{suffix}"].make(0).max_iter == 0


def test_shuffled_labels_are_the_same_labels_and_their_seed_decides(overlapping):
    X, y = overlapping
    shuffled = [METHODS["shuffled-labels"].make(seed).fit_resample(X, y)[1] for seed in (0, 0, 1)]
    np.testing.assert_array_equal(np.sort(shuffled[0]), np.sort(y))
    np.testing.assert_array_equal(shuffled[0], shuffled[1])
    assert not np.array_equal(shuffled[0], y) and not np.array_equal(shuffled[0], shuffled[2])


def test_nothing_is_learnt_from_shuffled_labels():
    """Over 40 seeds the AUC scatters around one half; with the labels in place it is above 0.8."""
    X, y = make_classification(600, 6, class_sep=1.0, weights=[5 / 6], random_state=0)
    auc = []
    for seed in range(40):
        X_train, y_train = METHODS["shuffled-labels"].make(seed).fit_resample(X[:400], y[:400])
        fitted = METHODS["hist-gradient-boosting"].make(seed).fit(X_train, y_train)
        auc.append(roc_auc_score(y[400:], fitted.predict_proba(X[400:])[:, 1]))
    fitted = METHODS["hist-gradient-boosting"].make(0).fit(X[:400], y[:400])
    assert roc_auc_score(y[400:], fitted.predict_proba(X[400:])[:, 1]) > 0.8
    assert abs(np.mean(auc) - 0.5) < 4 * np.std(auc) / np.sqrt(len(auc)) and np.std(auc) < 0.15


def test_every_citation_is_in_the_bibliography():
    bibliography = Path(__file__).parents[2] / "book" / "references.bib"
    if not bibliography.exists():
        pytest.skip("the module was copied without the book")
    keys = set(re.findall(r"@\w+\{([^,\s]+)", bibliography.read_text()))
    assert {method.citation for method in (METHODS | RELATIVES).values()} <= keys
