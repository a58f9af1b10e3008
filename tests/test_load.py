"""Large, wide and awkward data."""

import tracemalloc

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from simpor import SIMPOR, GaussianKDE, PosteriorRatio, informative_region

LEARNER = LogisticRegression()
no_warning_but_of_few_seeds = pytest.mark.filterwarnings(
    "error", "ignore::simpor.sampler.FewSeedsWarning"
)


@pytest.fixture(scope="module")
def large():
    """100,000 rows of 30 features, 500 of them of the minority."""
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat([0, 1], [99_500, 500]))
    return rng.normal(size=(100_000, 30)) + 0.5 * y[:, None], y


def peak_of(action):
    """Bytes that were allocated at most while an action ran."""
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_hundred_thousand_rows_need_a_few_copies_of_them(large):
    X, y = large
    queries = X[:200]
    density, ratio = GaussianKDE(), PosteriorRatio()
    sampler = SIMPOR(
        informative_portion=1, sampling_strategy={1: 600}, max_iter=4, n_jobs=2, random_state=0
    )
    density.fit(X[:10]).gradient(queries)  # compiled before anything is counted
    assert peak_of(lambda: density.fit(X).score_samples_and_gradient(queries)) < 3 * X.nbytes
    assert peak_of(lambda: ratio.fit(X, y).log_ratio_and_gradient(queries)) < 4 * X.nbytes
    assert peak_of(lambda: sampler.fit_resample(X, y)) < 8 * X.nbytes
    assert len(sampler.seed_indices_) == 100


def check(sampler, X, y):
    """Resample, and look at what has to be so whatever the data."""
    X_new, y_new = sampler.fit_resample(X, y)
    _, counts = np.unique(y_new, return_counts=True)
    assert set(counts) == {np.unique(y, return_counts=True)[1].max()}
    assert X_new.shape == (len(y_new), X.shape[1]) and np.isfinite(X_new).all()
    np.testing.assert_array_equal(X_new[: len(X)], X)
    distances = np.linalg.norm(X_new[len(X) :] - X[sampler.seed_indices_], axis=1)
    np.testing.assert_allclose(distances, sampler.radii_, rtol=1e-9, atol=1e-9 * np.abs(X).max())
    assert np.isfinite(sampler.log_ratio_).all()
    assert np.all(sampler.log_ratio_ >= sampler.log_ratio_start_)
    return X_new, y_new


def two_classes(n_features, seed=0):
    rng = np.random.default_rng(seed)
    y = np.repeat([0, 1], [50, 15])
    return rng.normal(size=(65, n_features)) + 0.3 * y[:, None], y


@no_warning_but_of_few_seeds
@pytest.mark.parametrize("n_features", [1, 2, 500])
def test_few_and_many_columns(n_features):
    check(SIMPOR(learner=LEARNER, random_state=0), *two_classes(n_features))


@no_warning_but_of_few_seeds
def test_fifty_classes():
    rng = np.random.default_rng(1)
    y = rng.permutation(np.repeat(np.arange(50), 1 + np.arange(50) % 9))
    X = rng.normal(size=(len(y), 4)) + rng.normal(0, 3, size=(50, 4))[y]
    sampler = SIMPOR(learner=LogisticRegression(max_iter=1000), random_state=0)
    _, y_new = check(sampler, X, y)
    assert np.array_equal(np.bincount(y_new), np.full(50, 9))


@no_warning_but_of_few_seeds
def test_columns_of_very_different_scale():
    X, y = two_classes(6)
    check(SIMPOR(informative_portion=1, random_state=0), X * 10.0 ** np.arange(-9, 9, 3), y)


@no_warning_but_of_few_seeds
def test_every_row_three_times():
    X, y = two_classes(3)
    X, y = np.repeat(X, 3, axis=0), np.repeat(y, 3)
    for k in (1, 2, 5):
        check(SIMPOR(learner=LEARNER, k_neighbors=k, random_state=0), X, y)


@pytest.mark.parametrize(
    "labels",
    [[True, False], ["yes", "no"], [-1, 1], [10**12, 7], [0.0, 1.0]],
    ids=lambda labels: type(labels[0]).__name__ + str(labels[0]),
)
def test_labels_of_any_kind(labels):
    X, y = two_classes(3)
    labels = np.array(labels)
    _, y_new = check(SIMPOR(learner=LEARNER, random_state=0), X, labels[y])
    assert y_new.dtype == labels.dtype and set(y_new) == set(labels)
    expected = informative_region(X, y, learner=LEARNER, random_state=0)
    if labels[0] < labels[1]:  # else the first rows are drawn in another order
        mask = informative_region(X, labels[y], learner=LEARNER, random_state=0)
        np.testing.assert_array_equal(mask, expected)


def test_labels_as_objects():
    X, y = two_classes(3)
    labels = np.array(["rare", "often"], dtype=object)[1 - y]
    _, y_new = check(SIMPOR(learner=LEARNER, random_state=0), X, labels)
    assert y_new.dtype == object
