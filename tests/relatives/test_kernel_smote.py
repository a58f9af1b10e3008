"""Kernel SMOTE: the extended kernel matrix, its equal in the empirical feature map, and EDKS."""

import numpy as np
import pytest
from imblearn.over_sampling import SMOTE
from scipy.sparse import csr_matrix
from sklearn.datasets import make_moons
from sklearn.metrics import recall_score
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from simpor.lab.datasets import load
from simpor.relatives import KernelSMOTESVC
from simpor.relatives._feature_space import KernelNeighborhoods
from simpor.relatives.kernel_smote import augmented_gram

WEIGHTINGS = ("none", "cost", "entropy-difference")


@pytest.fixture(scope="module")
def rows():
    return make_moons((120, 24), noise=0.2, random_state=0)


def draws(svm):
    return svm.seed_indices_, svm.neighbor_indices_, svm.steps_


def columns_of_w(svm, n_rows):
    """W of the synthetic rows: 1 - u at the seed and u at its neighbour."""
    p, q, u = draws(svm)
    W = np.zeros((n_rows, len(u)))
    W[p, np.arange(len(u))] = 1 - u
    W[q, np.arange(len(u))] = u
    return W


def empirical_feature_map(kernel):
    eigenvalues, vectors = np.linalg.eigh(kernel)
    keep = eigenvalues > 1e-12 * eigenvalues.max()
    return vectors[:, keep], eigenvalues[keep]


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_the_extended_matrix_is_the_matrix_product_and_positive_semi_definite(rows, weighting):
    X, y = rows
    svm = KernelSMOTESVC(weighting, gamma=1.0, random_state=0).fit(X, y)
    kernel = rbf_kernel(X, gamma=1.0)
    gram = augmented_gram(kernel, *draws(svm))
    W = np.hstack([np.eye(len(X)), columns_of_w(svm, len(X))])
    np.testing.assert_allclose(gram, W.T @ kernel @ W, atol=1e-12)
    eigenvalues = np.linalg.eigvalsh(gram)
    assert eigenvalues.min() > -1e-12 * eigenvalues.max()
    # the diagonal of K3 is below 1: the authors' code sets it to 1
    assert np.diag(gram)[len(X) :].min() < 0.99 and np.diag(gram).max() < 1 + 1e-12


def test_it_is_smote_on_the_empirical_feature_map(rows):
    X, y = rows
    X_test = make_moons(200, noise=0.2, random_state=1)[0]
    svm = KernelSMOTESVC(gamma=1.0, random_state=0).fit(X, y)
    kernel, kernel_test = rbf_kernel(X, gamma=1.0), rbf_kernel(X_test, X, gamma=1.0)
    V, eigenvalues = empirical_feature_map(kernel)
    features = V * np.sqrt(eigenvalues)
    features_test = kernel_test @ V / np.sqrt(eigenvalues)

    p, q, u = draws(svm)
    synthetic = (1 - u)[:, None] * features[p] + u[:, None] * features[q]
    extended = np.vstack([features, synthetic])
    # directions of eigenvalues below 1e-12 are left out of the map
    np.testing.assert_allclose(augmented_gram(kernel, p, q, u), extended @ extended.T, atol=1e-9)
    assert np.all(y[p] == 1) and np.all(y[q] == 1)
    own = features[y == 1]
    nearest = NearestNeighbors(n_neighbors=5).fit(own).kneighbors(return_distance=False)
    place = {row: i for i, row in enumerate(np.flatnonzero(y == 1))}
    assert all(place[b] in nearest[place[a]] for a, b in zip(p, q))

    linear = SVC(kernel="linear").fit(extended, np.append(y, np.ones(len(u), dtype=int)))
    # libsvm stops at a tolerance of 1e-3
    np.testing.assert_allclose(
        svm.decision_function(X_test), linear.decision_function(features_test), atol=0.02
    )


def test_a_wide_kernel_gives_smote_and_a_linear_svm(rows):
    X, y = rows
    gamma = 1e-5
    svm = KernelSMOTESVC(gamma=gamma, C=1 / (2 * gamma), random_state=0).fit(X, y)
    p, q, u = draws(svm)
    synthetic = (1 - u)[:, None] * X[p] + u[:, None] * X[q]
    linear = SVC(kernel="linear", C=1).fit(
        np.vstack([X, synthetic]), np.append(y, np.ones(len(u), dtype=int))
    )
    np.testing.assert_allclose(svm.decision_function(X), linear.decision_function(X), atol=0.05)


def test_the_classes_are_balanced_as_by_smote(rows):
    X, y = rows
    svm = KernelSMOTESVC(random_state=0).fit(X, y)
    assert len(svm.steps_) == len(SMOTE(random_state=0).fit_resample(X, y)[0]) - len(X)
    assert svm.oversampled_class_ == 1 and svm.n_rejected_ == 0
    assert np.all((svm.steps_ >= 0) & (svm.steps_ < 1))


def test_costs_are_those_of_weighted_kernel_smote(rows):
    X, y = rows
    svm = KernelSMOTESVC("cost", gamma=1.0, random_state=0).fit(X, y)
    labels = np.append(y, np.ones(96, dtype=int))
    costs = np.where(labels == 1, 120 / 144, 24 / 144)
    gram = augmented_gram(rbf_kernel(X, gamma=1.0), *draws(svm))
    by_hand = SVC(kernel="precomputed").fit(gram, labels, sample_weight=costs)
    # libsvm stops at a tolerance of 1e-3
    np.testing.assert_allclose(
        by_hand.decision_function(gram[: len(X), :]), svm.decision_function(X), atol=0.02
    )


@pytest.mark.parametrize("name", ["ecoli4", "glass4"])
def test_costs_and_entropy_buy_recall(name):
    """On each fold's test rows, as the papers claim of recall: never below a plain SVM."""
    data = load(name)
    X, y = data.X, data.y
    recalls = {weighting: [] for weighting in (*WEIGHTINGS, "plain")}
    for train, test in StratifiedKFold(5, shuffle=True, random_state=0).split(X, y):
        scaler = StandardScaler().fit(X[train])
        X_train, X_test = scaler.transform(X[train]), scaler.transform(X[test])
        for weighting in WEIGHTINGS:
            fitted = KernelSMOTESVC(weighting, random_state=0).fit(X_train, y[train])
            recalls[weighting].append(recall_score(y[test], fitted.predict(X_test)))
        fitted = SVC().fit(X_train, y[train])
        recalls["plain"].append(recall_score(y[test], fitted.predict(X_test)))
    mean = {weighting: np.mean(values) for weighting, values in recalls.items()}
    assert mean["cost"] >= mean["none"] >= mean["plain"]
    assert mean["entropy-difference"] >= mean["plain"]


def test_entropy_of_a_case_worked_by_hand():
    # On a line, k = 1. Class 0 at 0, 1 and 3: the nearest rows lie at 1, 1 and 2, all of class 0,
    # so lambda = 1, 1, 1/2 and p = .4, .4, .2. Class 1 at 10 and 12: p = .5, .5.
    X = np.array([0.0, 1.0, 3.0, 10.0, 12.0])
    numbers = np.array([0, 0, 0, 1, 1])
    near = KernelNeighborhoods.of(np.outer(X, X), numbers, 1, softening=0)
    np.testing.assert_allclose(near.densities(), [1, 1, 0.5, 0.5, 0.5])
    entropy_0 = -(0.8 * np.log(0.4) + 0.2 * np.log(0.2))
    np.testing.assert_allclose(near.thetas(), [entropy_0 / 3, np.log(2) / 2])


def test_a_row_that_joins_changes_what_a_new_search_would_find():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    numbers = rng.integers(2, size=40)
    all_but_one = KernelNeighborhoods.of(X[:-1] @ X[:-1].T, numbers[:-1], 4, softening=0)
    distances = np.linalg.norm(X[:-1] - X[-1], axis=1)
    joined = all_but_one.joined_by(distances, numbers[-1])
    searched = KernelNeighborhoods.of(X @ X.T, numbers, 4, softening=0)
    np.testing.assert_allclose(joined.distances, searched.distances)
    np.testing.assert_array_equal(joined.is_own, searched.is_own)


def test_every_row_that_is_kept_lowers_the_entropy_difference(rows):
    X, y = rows
    svm = KernelSMOTESVC("entropy-difference", random_state=0).fit(X, y)
    differences = svm.entropy_differences_
    assert len(differences) == len(svm.steps_) + 1 > 50
    assert np.all(np.diff(np.abs(differences)) < 0)
    assert np.all(differences[:-1] > 0)
    assert len(svm.steps_) == 96 or differences[-1] <= 0 or svm.n_rejected_ > 96
    # the last difference is the one of the whole extended matrix
    labels = np.append(y, np.ones(len(svm.steps_), dtype=int))
    kernel = rbf_kernel(X, gamma=1 / (2 * X.var()))
    before = KernelNeighborhoods.of(kernel, y, 5, 0.1)
    after = KernelNeighborhoods.of(augmented_gram(kernel, *draws(svm)), labels, 5, 0)
    after = KernelNeighborhoods(
        after.distances, after.is_own, labels, before.softening, before.smallest
    ).thetas()
    assert after[1] - after[0] == pytest.approx(differences[-1], abs=1e-9)


def test_near_duplicates_make_the_larger_class_the_sparse_one_unless_distances_are_softened(rows):
    X, y = rows
    X, y = np.vstack([X, X[y == 1][:1] + 1e-7]), np.append(y, 1)
    raw = KernelSMOTESVC("entropy-difference", softening=0, random_state=0).fit(X, y)
    soft = KernelSMOTESVC("entropy-difference", random_state=0).fit(X, y)
    assert (raw.oversampled_class_, soft.oversampled_class_) == (0, 1)


def test_seeds_are_the_sparse_rows(rows):
    X, y = rows
    svm = KernelSMOTESVC("entropy-difference", gamma=1.0, random_state=0).fit(X, y)
    near = KernelNeighborhoods.of(rbf_kernel(X, gamma=1.0), y, 5, 0.1)
    density = near.densities()
    # a row is drawn in proportion to 1 / density: the harmonic mean of all, were all accepted
    assert density[svm.seed_indices_].mean() < density[y == 1].mean()


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_the_seed_decides_and_threads_do_not(rows, weighting):
    X, y = rows

    def scores(seed, threads):
        with threadpool_limits(threads):
            svm = KernelSMOTESVC(weighting, random_state=seed).fit(X, y)
            return svm.decision_function(X).tobytes()

    assert scores(0, 1) == scores(0, 4) == scores(np.random.RandomState(0), 2)
    assert scores(0, 1) != scores(1, 1)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_duplicates_and_constant_columns_are_harmless(rows, weighting):
    X, y = rows
    X, y = np.repeat(np.column_stack([X, np.ones(len(X))]), 3, axis=0), np.repeat(y, 3)
    svm = KernelSMOTESVC(weighting, random_state=0).fit(X, y)
    assert np.isfinite(svm.decision_function(X)).all()
    assert recall_score(y, svm.predict(X)) > 0.8
    alike = KernelSMOTESVC(weighting, random_state=0).fit(np.zeros((40, 2)), np.arange(40) % 4 == 0)
    assert np.isfinite(alike.decision_function(np.ones((1, 2)))).all()


def test_balanced_classes_get_no_synthetic_row(rows):
    X, y = make_moons(60, noise=0.2, random_state=0)
    for weighting in ("none", "entropy-difference"):
        svm = KernelSMOTESVC(weighting, random_state=0).fit(X, y)
        np.testing.assert_allclose(
            svm.decision_function(X), SVC().fit(X, y).decision_function(X), atol=0.02
        )


def test_names_of_columns_are_kept_and_labels_come_back(rows):
    pd = pytest.importorskip("pandas")
    X, y = rows
    frame = pd.DataFrame(X, columns=["left", "right"])
    labels = pd.Series(np.where(y == 1, "rare", "usual"))
    svm = KernelSMOTESVC(random_state=0).fit(frame, labels)
    assert svm.feature_names_in_.tolist() == ["left", "right"]
    assert svm.oversampled_class_ == "rare"
    assert set(svm.predict(frame)) == {"rare", "usual"}


@pytest.mark.parametrize(
    "parameters, sentence",
    [
        ({"weighting": "costs"}, "weighting='costs': give"),
        ({"k_neighbors": 0}, "k_neighbors=0: give a whole number >= 1"),
        ({"k_neighbors": 24}, "k_neighbors=24, but a class has n_samples=24"),
        ({"C": 0}, "C=0: give a number above 0"),
        ({"gamma": -1.0}, "gamma=-1.0: give a number above 0"),
        ({"gamma": "auto"}, "gamma='auto': give a number above 0"),
        ({"softening": -0.1}, "softening=-0.1: give a number >= 0"),
    ],
)
def test_parameters_out_of_range_are_told_the_range(rows, parameters, sentence):
    with pytest.raises(ValueError, match=sentence):
        KernelSMOTESVC(**parameters).fit(*rows)


def test_bad_rows_are_refused(rows):
    X, y = rows
    with pytest.raises(ValueError, match="one class"):
        KernelSMOTESVC().fit(X, np.zeros(len(X)))
    with pytest.raises(ValueError, match="OneVsRestClassifier"):
        KernelSMOTESVC().fit(X, np.arange(len(X)) % 3)
    with pytest.raises(ValueError, match="NaN"):
        KernelSMOTESVC().fit(np.where(X == X[3, 0], np.nan, X), y)
    with pytest.raises(ValueError, match="Distances in X overflow: standardise"):
        KernelSMOTESVC().fit(X * 1e200, y)
    with pytest.raises(TypeError, match="toarray"):
        KernelSMOTESVC().fit(csr_matrix(X), y)
