"""KOTARO: what its equations say of it, and what a change of unit does to it."""

import numpy as np
import pytest
from imblearn.metrics import geometric_mean_score
from scipy.linalg import LinAlgWarning
from scipy.sparse import csr_matrix
from sklearn.datasets import make_moons
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from simpor.relatives import KOTAROClassifier


def moons(n_minority, noise, seed):
    return make_moons((1000, n_minority), noise=noise, random_state=seed)


@pytest.fixture(scope="module")
def rows():
    X, y = make_moons((150, 30), noise=0.1, random_state=0)
    return 10 * X, y


def test_two_rows_worked_by_hand():
    # One neighbour each, at distance 2: gamma = 1/2, and K = [[1, e^-2], [e^-2, 1]].
    X, y = np.array([[0.0], [2.0]]), np.array(["a", "b"])
    kotaro = KOTAROClassifier(n_neighbors=1).fit(X, y)
    weight = 1 / (1 - np.exp(-2))
    np.testing.assert_allclose(kotaro.gammas_, 0.5)
    np.testing.assert_allclose(kotaro.weights_, [-weight, weight])
    at_3 = weight * (np.exp(-0.5) - np.exp(-4.5))
    np.testing.assert_allclose(kotaro.decision_function([[3.0], [1.0]]), [at_3, 0], atol=1e-15)
    assert kotaro.predict([[3.0], [-1.0]]).tolist() == ["b", "a"]


def test_each_training_row_gets_its_label_back(rows):
    X, y = rows
    # the condition of K is moderate on these rows; the solution loses half the digits at most
    np.testing.assert_allclose(
        KOTAROClassifier().fit(X, y).decision_function(X), 2 * y - 1, atol=1e-5
    )


def test_a_ridge_smooths_wrong_labels(rows):
    X, y = rows
    wrong = y.copy()
    wrong[np.flatnonzero(y == 0)[::10]] = 1
    exact = KOTAROClassifier().fit(X, wrong)
    smooth = KOTAROClassifier(ridge=3.0).fit(X, wrong)
    assert np.array_equal(exact.predict(X), wrong)
    assert np.mean(smooth.predict(X) == y) > np.mean(exact.predict(X) == y)


def test_a_change_of_unit_changes_the_published_scale_and_not_the_free_one(rows):
    X, y = rows
    grid = np.random.default_rng(0).uniform(X.min(0), X.max(0), size=(500, 2))

    def scores(scale, unit):
        return KOTAROClassifier(scale=scale).fit(unit * X, y).decision_function(unit * grid)

    # rounding of the unit's product, magnified by the condition of the matrix
    np.testing.assert_allclose(scores("free", 8), scores("free", 1), atol=1e-6)
    assert np.abs(scores("paper", 8) - scores("paper", 1)).max() > 0.1


def test_with_features_in_a_small_unit_it_beats_a_plain_svm_under_severe_imbalance():
    """The paper's claim, as far as it replays: a class-weighted SVM is better than both."""
    plain, weighted, kotaro = [], [], []
    for seed in range(4):
        (X, y), (X_test, y_test) = moons(20, 0.3, seed), moons(1000, 0.3, 100 + seed)
        fitted = KOTAROClassifier().fit(10 * X, y)
        kotaro.append(geometric_mean_score(y_test, fitted.predict(10 * X_test)))
        plain.append(geometric_mean_score(y_test, SVC().fit(X, y).predict(X_test)))
        balanced = SVC(class_weight="balanced").fit(X, y)
        weighted.append(geometric_mean_score(y_test, balanced.predict(X_test)))
    assert np.mean(plain) + 0.1 < np.mean(kotaro) < np.mean(weighted) - 0.1


@pytest.mark.parametrize("scale", ["paper", "free"])
def test_duplicates_make_the_matrix_singular_and_are_averaged(rows, scale):
    X, y = rows
    X, y = np.vstack([X, X[:1], X[:1]]), np.append(y, [1 - y[0], y[0]])
    with pytest.warns(LinAlgWarning, match="drop duplicate rows"):
        kotaro = KOTAROClassifier(scale=scale).fit(X, y)
    # two of the three rows in this place have the label of the first; so a mean of 1/3
    expected = (2 * y[0] - 1) / 3
    assert kotaro.decision_function(X[:1])[0] == pytest.approx(expected, abs=1e-3)
    assert np.isfinite(KOTAROClassifier(ridge=0.1, scale=scale).fit(X, y).weights_).all()


def test_a_row_among_its_copies_gets_the_smallest_width(rows):
    X, y = rows
    X, y = np.vstack([X, np.repeat(X[:1], 6, axis=0)]), np.append(y, [y[0]] * 6)
    with pytest.warns(LinAlgWarning):
        gammas = KOTAROClassifier().fit(X, y).gammas_
    assert np.isfinite(gammas).all()
    assert gammas[0] == gammas[:-6].max() == gammas[-1]


def test_threads_change_nothing(rows):
    X, y = rows

    def scores(n_threads):
        with threadpool_limits(n_threads):
            return KOTAROClassifier().fit(X, y).decision_function(X + 0.1).tobytes()

    assert scores(1) == scores(2) == scores(4)


def test_a_constant_column_changes_nothing(rows):
    X, y = rows
    with_constant = np.column_stack([X, np.full(len(X), 7.0)])
    np.testing.assert_array_equal(
        KOTAROClassifier().fit(with_constant, y).weights_, KOTAROClassifier().fit(X, y).weights_
    )


def test_names_of_columns_are_kept_and_checked(rows):
    pd = pytest.importorskip("pandas")
    X, y = rows
    frame = pd.DataFrame(X, columns=["left", "right"])
    kotaro = KOTAROClassifier().fit(frame, pd.Series(y))
    assert kotaro.feature_names_in_.tolist() == ["left", "right"]
    assert np.array_equal(kotaro.predict(frame), y)
    with pytest.raises(ValueError, match="feature names"):
        kotaro.predict(frame[["right", "left"]])


@pytest.mark.parametrize(
    "parameters, sentence",
    [
        ({"n_neighbors": 0}, "n_neighbors=0: give a whole number >= 1"),
        ({"n_neighbors": 180}, "n_neighbors=180, but n_samples=180: pass more rows"),
        ({"ridge": -1}, "ridge=-1: give a number >= 0"),
        ({"ridge": np.nan}, "ridge=nan: give a number >= 0"),
        ({"scale": "Paper"}, "scale='Paper': give"),
    ],
)
def test_parameters_out_of_range_are_told_the_range(rows, parameters, sentence):
    with pytest.raises(ValueError, match=sentence):
        KOTAROClassifier(**parameters).fit(*rows)


def test_bad_rows_are_refused(rows):
    X, y = rows
    with pytest.raises(ValueError, match="one class"):
        KOTAROClassifier().fit(X, np.zeros(len(X)))
    with pytest.raises(ValueError, match="OneVsRestClassifier"):
        KOTAROClassifier().fit(X, np.arange(len(X)) % 3)
    with pytest.raises(ValueError, match="drop the duplicates"):
        KOTAROClassifier().fit(np.zeros_like(X), y)
    with pytest.raises(ValueError, match="NaN"):
        KOTAROClassifier().fit(np.where(X == X[3, 0], np.nan, X), y)
    with pytest.raises(ValueError, match="Distances in X overflow: standardise"):
        KOTAROClassifier().fit(X * 1e200, y)
    with pytest.raises(TypeError, match="toarray"):
        KOTAROClassifier().fit(csr_matrix(X), y)
