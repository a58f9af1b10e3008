import math
import pickle
import random
import subprocess
import sys
import warnings
from collections import Counter

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from imblearn.pipeline import make_pipeline
from scipy import stats
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, make_blobs, make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

import simpor
from simpor import (
    PUBLISHED_PREPRINT,
    PUBLISHED_TAI,
    SIMPOR,
    EntropyNetwork,
    FewSeedsWarning,
    PosteriorRatio,
)

ATTRIBUTES = ["seed_indices_", "region_", "radii_", "rotation_", "log_ratio_start_", "log_ratio_"]


def imbalanced(n=160, d=3, seed=0, n_classes=2):
    weights = {2: [0.8, 0.2], 3: [0.6, 0.28, 0.12]}[n_classes]
    shape = dict(n_informative=3, n_redundant=0, n_classes=n_classes, weights=weights)
    X, y = make_classification(n, d, **shape, random_state=seed)
    return StandardScaler().fit_transform(X), y


def fast(**settings):
    """The sampler with a learner and an ascent that take milliseconds."""
    defaults = {"learner": LogisticRegression(), "random_state": 0, "max_iter": 10}
    return SIMPOR(**{**defaults, **settings})


def distances_to(x, rows):
    return np.sqrt(np.sum((rows - x) ** 2, axis=1))


def same_bits(a, b):
    return a.dtype == b.dtype and a.tobytes() == b.tobytes()


# what comes back


@pytest.mark.parametrize(
    "strategy, counts",
    [
        ("auto", (98, 98, 98)),
        ("not majority", (98, 98, 98)),
        ("minority", (98, 43, 98)),
        ("all", (98, 98, 98)),
        ({1: 60, 2: 20}, (98, 60, 20)),
        ({0: 120, 2: 25}, (120, 43, 25)),
        ({}, (98, 43, 19)),
        (lambda y: {2: 77}, (98, 43, 77)),
    ],
)
def test_every_class_gets_what_the_strategy_asks(strategy, counts):
    X, y = imbalanced(n_classes=3)
    np.testing.assert_array_equal(np.bincount(y), [98, 43, 19])
    sampler = fast(sampling_strategy=strategy)
    X_resampled, y_resampled = sampler.fit_resample(X, y)
    np.testing.assert_array_equal(np.bincount(y_resampled), counts)
    assert same_bits(X_resampled[: len(X)], X) and same_bits(y_resampled[: len(y)], y)
    for name in ATTRIBUTES:
        assert getattr(sampler, name).shape == (len(X_resampled) - len(X),)
    assert sampler.informative_mask_.shape == (len(X),) and sampler.informative_mask_.sum() == 48


def test_a_ratio_of_classes():
    X, y = imbalanced()
    _, y_resampled = fast(sampling_strategy=0.5).fit_resample(X, y)
    counts = np.bincount(y_resampled)
    assert counts[1] == counts[0] // 2


def test_each_synthetic_row_lies_on_the_sphere_around_its_seed():
    X, y = imbalanced(n_classes=3)
    sampler = fast()
    X_resampled, y_resampled = sampler.fit_resample(X, y)
    seeds = X[sampler.seed_indices_]
    radii = np.linalg.norm(X_resampled[len(X) :] - seeds, axis=1)
    np.testing.assert_allclose(radii, sampler.radii_, atol=1e-12)
    np.testing.assert_array_equal(y_resampled[len(X) :], y[sampler.seed_indices_])


@pytest.mark.parametrize("bandwidth", ["scott", 0.3, (0.3, 0.5)])
def test_log_ratios_are_those_of_the_class_against_all_others(bandwidth):
    X, y = imbalanced(n_classes=3)
    sampler = fast(bandwidth=bandwidth)
    X_resampled, y_resampled = sampler.fit_resample(X, y)
    for label in (1, 2):
        rows = np.flatnonzero(y_resampled[len(X) :] == label)
        ratio = PosteriorRatio(bandwidth=bandwidth).fit(X, y, positive=label)
        expected = ratio.log_ratio(X_resampled[len(X) + rows])
        np.testing.assert_allclose(sampler.log_ratio_[rows], expected, rtol=1e-9, atol=1e-9)
    assert np.all(sampler.log_ratio_ >= sampler.log_ratio_start_)
    assert np.mean(sampler.log_ratio_ > sampler.log_ratio_start_) > 0.9


def test_a_single_row_can_be_asked_for():
    X, y = imbalanced(n_classes=3)
    counts = np.bincount(y)
    sampler = fast(sampling_strategy={1: counts[1] + 1, 2: counts[2]})
    _, y_resampled = sampler.fit_resample(X, y)
    np.testing.assert_array_equal(np.bincount(y_resampled) - counts, [0, 1, 0])


# Algorithm 2


def test_the_informative_region_is_balanced_first_and_the_rest_after():
    X, y = imbalanced(300)
    sampler = fast()
    sampler.fit_resample(X, y)
    inside = sampler.informative_mask_
    n_informative = np.sum(sampler.region_ == "informative")
    in_region = np.bincount(y[inside])
    assert in_region[1] < in_region[0]
    assert n_informative == in_region[0] - in_region[1]
    assert set(sampler.region_[:n_informative]) == {"informative"}
    assert set(sampler.region_[n_informative:]) == {"remaining"}
    assert np.all(inside[sampler.seed_indices_[:n_informative]])
    assert not np.any(inside[sampler.seed_indices_[n_informative:]])


def test_the_informative_region_gets_no_more_than_is_asked():
    X, y = imbalanced(300)
    n_minority = np.sum(y == 1)
    sampler = fast(sampling_strategy={1: n_minority + 3})
    sampler.fit_resample(X, y)
    assert sampler.region_.tolist() == ["informative"] * 3


def test_all_rows_informative_means_one_region():
    X, y = imbalanced()
    sampler = fast(informative_portion=1)
    sampler.fit_resample(X, y)
    assert sampler.informative_mask_.all() and set(sampler.region_) == {"informative"}


def test_no_minority_row_in_the_region_draws_all_rows_outside():
    X = np.r_[np.random.default_rng(0).normal(size=(60, 2)), [[50.0, 50], [51, 50], [50, 51]]]
    y = np.repeat([0, 1], [60, 3])  # all three are initial rows, never informative ones
    sampler = fast(informative_portion=0.3)
    sampler.fit_resample(X, y)
    assert not np.any(sampler.informative_mask_[60:])
    assert set(sampler.region_) == {"remaining"} and len(sampler.region_) == 57


def test_no_minority_row_outside_the_region_draws_the_rest_from_inside():
    X, y = imbalanced()

    class InformativeIfMinority(LogisticRegression):
        def predict_proba(self, rows):
            minority = [any(np.array_equal(row, other) for other in X[y == 1]) for row in rows]
            return np.where(np.array(minority)[:, None], [[0.5, 0.5]], [[1.0, 0.0]])

    portion = (np.sum(y == 1) - 3) / len(y)
    learner = InformativeIfMinority()
    sampler = fast(learner=learner, informative_portion=portion, reject_noise=False)
    sampler.fit_resample(X, y)
    # the three initial rows are the only ones of the minority outside
    outside = (y == 1) & ~sampler.informative_mask_
    assert outside.sum() == 3
    assert set(sampler.seed_indices_) <= set(np.flatnonzero(outside))
    sampler.set_params(informative_portion=1, sampling_strategy={0: 150}).fit_resample(X, y)
    assert set(sampler.region_) == {"remaining"}  # nothing to balance, and nothing outside
    assert np.all(y[sampler.seed_indices_] == 0)


def test_informative_threshold_takes_the_place_of_the_portion():
    X, y = imbalanced(300)
    masks = []
    for portion in (0.1, 0.9):
        sampler = fast(informative_threshold=0.7, informative_portion=portion)
        sampler.fit_resample(X, y)
        masks.append(sampler.informative_mask_)
    np.testing.assert_array_equal(*masks)
    assert 0 < masks[0].sum() < 300


def ranges_by_hand(X, y, k):
    """Eq. 14: mean distance to the k nearest rows of the same class."""
    R = np.empty(len(X))
    for i in range(len(X)):
        same_class = (y == y[i]) & (np.arange(len(X)) != i)
        R[i] = np.sort(distances_to(X[i], X[same_class]))[:k].mean()
    return R


@pytest.mark.parametrize("alpha", [0.3, 1.0])
@pytest.mark.parametrize(
    "radius, share_of_alpha_R", [("gaussian", stats.halfnorm), ("uniform", stats.uniform)]
)
def test_radii_have_their_distribution(radius, share_of_alpha_R, alpha):
    X, y = imbalanced()
    sampler = fast(
        radius=radius, alpha=alpha, k_neighbors=4, max_iter=0, sampling_strategy={0: 1000, 1: 1000}
    )
    sampler.fit_resample(X, y)
    R = ranges_by_hand(X, y, 4)[sampler.seed_indices_]
    shares = sampler.radii_ / (alpha * R)
    assert np.all(shares >= 0) and len(shares) == 1840
    assert stats.kstest(shares, share_of_alpha_R.cdf).pvalue > 1e-3


def noise_by_hand(X, y, k):
    """A row is noise if one other class has more rows than its own among the k nearest."""
    noise = np.empty(len(X), dtype=bool)
    for i in range(len(X)):
        distances = distances_to(X[i], X)
        distances[i] = np.inf
        votes = Counter(y[np.argsort(distances)[:k]].tolist())
        noise[i] = any(votes[c] > votes[y[i]] for c in votes)
    return noise


@pytest.mark.parametrize("k", [1, 5, 8])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_noise_is_never_a_seed(k, n_classes):
    X, y = imbalanced(200, n_classes=n_classes)
    noise = noise_by_hand(X, y, k)
    sampler = fast(k_neighbors=k, max_iter=0, sampling_strategy={1: 2000}, informative_portion=1)
    sampler.fit_resample(X, y)
    assert noise[y == 1].any()
    assert set(sampler.seed_indices_) == set(np.flatnonzero((y == 1) & ~noise))
    sampler.set_params(reject_noise=False).fit_resample(X, y)
    assert set(sampler.seed_indices_) == set(np.flatnonzero(y == 1))


def test_noise_can_be_rejected_in_the_informative_region_only():
    X, y = imbalanced(200)
    noise = noise_by_hand(X, y, 5)
    sampler = fast(reject_noise="informative", informative_portion=0.5, max_iter=0)
    sampler.set_params(sampling_strategy={1: 2000}).fit_resample(X, y)
    seeds = sampler.seed_indices_
    remaining = np.flatnonzero((y == 1) & ~sampler.informative_mask_)
    assert noise[remaining].any() and noise[(y == 1) & sampler.informative_mask_].any()
    assert set(seeds[sampler.region_ == "remaining"]) == set(remaining)
    assert not noise[seeds[sampler.region_ == "informative"]].any()


def test_a_row_votes_not_for_itself_even_among_duplicates():
    # four places with four equal rows each, one of them of class 1, every time another
    X = np.r_[np.repeat([[0.0, 0], [5, 0], [0, 5], [5, 5]], 4, axis=0), [[9, 9], [9, 9.1]]]
    y = np.r_[np.eye(4, dtype=int).ravel(), 1, 1]
    sampler = fast(k_neighbors=1, sampling_strategy={1: 300}, informative_portion=1)
    sampler.fit_resample(X, y)
    assert set(sampler.seed_indices_) == {16, 17}


def test_if_all_rows_are_noise_none_is_rejected():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    y = np.zeros(60, dtype=int)
    y[[3, 30, 50]] = 1
    assert noise_by_hand(X, y, 5)[y == 1].all()
    sampler = fast()
    _, y_resampled = sampler.fit_resample(X, y)
    np.testing.assert_array_equal(np.bincount(y_resampled), [57, 57])
    assert set(sampler.seed_indices_) == {3, 30, 50}


def test_directions_are_random_where_asked():
    X, y = imbalanced(300)
    ascent = fast()
    ascent.fit_resample(X, y)
    assert np.mean(ascent.rotation_ > 0.1) > 0.9
    half = fast(remaining="random")
    half.fit_resample(X, y)
    remaining = half.region_ == "remaining"
    assert np.all(half.rotation_[remaining] == 0)
    assert np.mean(half.rotation_[~remaining] > 0.1) > 0.9
    none = fast(max_iter=0)
    none.fit_resample(X, y)
    assert np.all(none.rotation_ == 0)
    np.testing.assert_array_equal(none.log_ratio_, none.log_ratio_start_)


def test_ascent_raises_the_ratio_more_than_the_published_step():
    X, y = imbalanced(80)
    converged = fast(max_iter=100)
    converged.fit_resample(X, y)
    published = fast(step=PUBLISHED_TAI["step"], max_iter=300)
    published.fit_resample(X, y)
    # the same points, but one climb sums in compiled calls of its own
    np.testing.assert_allclose(
        converged.log_ratio_start_, published.log_ratio_start_, rtol=1e-12, atol=1e-12
    )
    gains = [np.mean(s.log_ratio_ - s.log_ratio_start_) for s in (published, converged)]
    assert 0 < gains[0] < 0.1 * gains[1]
    assert published.rotation_.max() <= 300 * PUBLISHED_TAI["step"] * (1 + 1e-9)


def test_where_all_rows_are_neighbours_all_of_a_class_are_noise_or_none_is():
    X = np.array([[0.0], [1.0], [30.0], [4.0], [5.0], [-10.0]])
    y = np.array([1, 1, 1, 0, 0, 0])
    sampler = fast(informative_portion=1, sampling_strategy={1: 100})
    sampler.fit_resample(X, y)
    assert set(sampler.seed_indices_) == {0, 1, 2}


def test_the_only_row_that_is_no_noise_is_the_only_seed():
    X, y = np.array([[0.0], [1.0], [-0.5], [-0.6], [-0.7]]), np.array([1, 1, 0, 0, 0])
    assert noise_by_hand(X, y, 1).tolist() == [True, False, False, False, False]
    sampler = fast(k_neighbors=1, informative_portion=1, sampling_strategy={1: 50})
    sampler.fit_resample(X, y)
    assert set(sampler.seed_indices_) == {1}


def test_the_only_minority_row_of_the_informative_region_is_the_only_seed_there():
    X, y = imbalanced()
    lone = np.flatnonzero(y == 1)[4]
    unsure = np.vstack([X[y == 0], X[lone]])

    class UnsureOfTheMajorityAndOne(LogisticRegression):
        def predict_proba(self, rows):
            is_unsure = (rows[:, None] == unsure).all(axis=2).any(axis=1)
            return np.where(is_unsure[:, None], [[0.5, 0.5]], [[1.0, 0.0]])

    learner = UnsureOfTheMajorityAndOne()
    sampler = fast(learner=learner, informative_threshold=0.5, reject_noise=False)
    sampler.fit_resample(X, y)
    assert np.flatnonzero(sampler.informative_mask_ & (y == 1)).tolist() == [lone]
    assert set(sampler.seed_indices_[sampler.region_ == "informative"]) == {lone}


# few seeds


def two_groups(n_inside):
    """60 rows of the majority; of the minority's 12, some lie among them, the others far away."""
    rng = np.random.default_rng(0)
    inside = rng.normal(0, 1, size=(n_inside, 2))
    X = np.r_[rng.normal(size=(60, 2)), inside, rng.normal(20, 0.1, size=(12 - n_inside, 2))]
    return X, np.repeat([0, 1], [60, 12])


def warnings_of(sampler, X, y):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        sampler.fit_resample(X, y)
    return [w for w in caught if issubclass(w.category, FewSeedsWarning)]


@pytest.mark.parametrize("n_inside", [2, 11])
def test_few_seeds_are_told_once_and_with_the_cures(n_inside):
    X, y = two_groups(n_inside)
    sampler = fast(reject_noise=False)
    (told,) = warnings_of(sampler, X, y)
    message = str(told.message)
    for region, n_seeds in sampler.n_seeds_[1].items():
        n = np.sum(sampler.region_ == region)
        most = np.bincount(sampler.seed_indices_[sampler.region_ == region]).max()
        where = f"class 1, {region} region: {n} rows from {n_seeds} of the class's 12 rows, {most} of them"
        few = n > n_seeds and (n_seeds < 5 or 3 * most > n)
        assert (where in message) == few
    assert "Pass informative_portion=1 (all rows are one region) to have more seeds." in message
    assert not warnings_of(sampler.set_params(informative_portion=1), X, y)


def test_few_seeds_for_rejected_noise_name_the_other_cure():
    X, y = imbalanced(n_classes=3)
    sampler = fast(k_neighbors=10)
    message = str(warnings_of(sampler, X, y)[0].message)
    assert 'reject_noise="informative"' in message and "informative_portion=1" in message
    message = str(warnings_of(sampler.set_params(reject_noise="informative"), X, y)[0].message)
    assert "reject_noise" not in message and "informative_portion=1" in message


@pytest.mark.parametrize("reject_noise", [True, "informative"])
def test_where_all_rows_are_one_region_only_keeping_noise_gives_more_seeds(reject_noise):
    X, y = imbalanced(n_classes=3)
    sampler = fast(informative_portion=1, reject_noise=reject_noise, k_neighbors=12)
    (told,) = warnings_of(sampler, X, y)
    assert str(told.message).endswith("Pass reject_noise=False (noise is kept) to have more seeds.")
    before = sampler.n_seeds_[2]["informative"]
    sampler.set_params(reject_noise=False).fit_resample(X, y)
    assert sampler.n_seeds_[2]["informative"] > before


def test_a_class_that_has_few_rows_needs_more_rows():
    X = np.r_[imbalanced(60)[0][:, :2], [[30.0, 0.0], [33.0, 4.0]]]
    y = np.repeat(["many", "two"], [60, 2])
    sampler = fast()
    (told,) = warnings_of(sampler, X, y)
    assert "from 2 of the class's 2 rows" in str(told.message)
    assert "Collect more rows of the class to have more seeds." in str(told.message)
    assert sampler.n_seeds_ == {"two": {"informative": 2, "remaining": 2}}


@pytest.mark.parametrize("n_drawn, warns", [(2, False), (3, False), (4, True)])
def test_few_seeds_do_no_harm_where_each_has_about_one_row(n_drawn, warns):
    X = np.r_[imbalanced(60)[0][:, :2], [[30.0, 0], [33, 4], [30, 4]]]
    y = np.repeat([0, 1], [60, 3])
    sampler = fast(sampling_strategy={1: 3 + n_drawn}, informative_portion=1)
    assert len(warnings_of(sampler, X, y)) == warns


def test_many_seeds_bring_no_warning():
    X, y = imbalanced(n_classes=3)
    sampler = fast(informative_portion=1, reject_noise=False)
    assert not warnings_of(sampler, X, y)
    assert sampler.n_seeds_ == {
        1: {"informative": 43, "remaining": 43},
        2: {"informative": 19, "remaining": 19},
    }


def test_seeds_are_counted_by_class_and_region():
    X, y = imbalanced(300, n_classes=3)
    sampler = fast()
    sampler.fit_resample(X, y)
    noise = noise_by_hand(X, y, 5)
    for label in (1, 2):
        for region, inside in (("informative", True), ("remaining", False)):
            seeds = (y == label) & (sampler.informative_mask_ == inside) & ~noise
            assert sampler.n_seeds_[label][region] == seeds.sum()
    balanced = fast(sampling_strategy={})
    balanced.fit_resample(X, y)
    assert balanced.n_seeds_ == {}


# published settings


@pytest.mark.parametrize("settings", [PUBLISHED_TAI, PUBLISHED_PREPRINT])
def test_published_settings_are_settings(settings):
    assert set(settings) <= set(SIMPOR().get_params())
    before = dict(settings)
    X, y = imbalanced(80)
    first = SIMPOR(**settings, random_state=0).fit_resample(X, y)
    again = SIMPOR(**settings, random_state=0).fit_resample(X, y)
    assert same_bits(first[0], again[0])
    assert settings == before and np.ptp(np.bincount(first[1])) == 0


def test_the_published_learner_is_not_touched():
    learner = PUBLISHED_PREPRINT["learner"]
    assert isinstance(learner, EntropyNetwork) and learner.hidden_layers == (100, 100, 100)
    assert not hasattr(learner, "weights_") and learner.random_state is None


def test_the_module_exports_its_parts():
    for name in simpor.__all__:
        assert hasattr(simpor, name)
    assert simpor.__version__.count(".") == 2


def test_published_settings_are_those_of_the_papers():
    both = {"k_neighbors": 5, "alpha": 1, "bandwidth": "scott", "max_iter": 300}
    for settings in (PUBLISHED_TAI, PUBLISHED_PREPRINT):
        assert both.items() <= settings.items()
        assert settings["step"] == pytest.approx(2 * math.pi / 100_000)
    tai = {"radius": "gaussian", "informative_portion": 0.3, "remaining": "ascent"}
    assert {**tai, "reject_noise": True}.items() <= PUBLISHED_TAI.items()
    preprint = {"radius": "uniform", "informative_threshold": 0.7, "remaining": "random"}
    assert {**preprint, "reject_noise": False}.items() <= PUBLISHED_PREPRINT.items()


def test_settings_unless_told_otherwise():
    assert SIMPOR().get_params() == dict(
        sampling_strategy="auto", random_state=None, k_neighbors=5, radius="gaussian", alpha=1.0,
        bandwidth="scott", informative_portion=0.3, informative_threshold=None, learner=None,
        n_initial=3, remaining="ascent", reject_noise=True, categorical_features=None,
        step="adaptive", max_iter=100, device=None, n_jobs=None, verbose=0,
    )  # fmt: skip
    tags = SIMPOR().__sklearn_tags__().input_tags
    assert not tags.sparse


# containers and types


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_come_back_as_they_went_in(dtype):
    X, y = imbalanced()
    narrow = X.astype(dtype)
    X_resampled, y_resampled = fast().fit_resample(narrow, y.astype(np.int8))
    in_float64, _ = fast().fit_resample(narrow.astype(np.float64), y)
    assert X_resampled.dtype == dtype and y_resampled.dtype == np.int8
    assert same_bits(X_resampled, in_float64.astype(dtype))


def test_integers_come_back_rounded():
    X, y = imbalanced()
    X = np.rint(10 * X).astype(int)
    X_resampled, _ = fast().fit_resample(X, y)
    as_floats, _ = fast().fit_resample(X.astype(float), y)
    assert X_resampled.dtype == X.dtype
    np.testing.assert_array_equal(X_resampled, np.rint(as_floats))


def test_frames_come_back_as_frames():
    X, y = imbalanced()
    frame = pd.DataFrame(X, columns=["a", "b", "sparse"])
    labels = pd.Series(np.array(["no", "yes"])[y], name="target", dtype="category")
    X_resampled, y_resampled = fast().fit_resample(frame, labels)
    plain, _ = fast().fit_resample(X, y)
    assert list(X_resampled.columns) == ["a", "b", "sparse"]
    assert y_resampled.name == "target" and y_resampled.dtype == labels.dtype
    np.testing.assert_array_equal(X_resampled.to_numpy(), plain)
    assert Counter(y_resampled)["no"] == Counter(y_resampled)["yes"]


# edges


def test_a_class_of_one_row_is_copied():
    X, _ = imbalanced(60)
    y = np.zeros(60, dtype=int)
    y[17] = 1
    sampler = fast()
    X_resampled, y_resampled = sampler.fit_resample(X, y)
    np.testing.assert_array_equal(np.bincount(y_resampled), [59, 59])
    np.testing.assert_array_equal(X_resampled[60:], np.tile(X[17], (58, 1)))
    assert np.all(sampler.radii_ == 0)


@pytest.mark.parametrize("d", [2, 20])
def test_equal_rows_are_copied(d):
    X, y = np.full((40, d), 3.7), np.repeat([0, 1], [30, 10])
    X_resampled, y_resampled = fast().fit_resample(X, y)
    np.testing.assert_array_equal(np.bincount(y_resampled), [30, 30])
    assert np.all(X_resampled == 3.7)


def test_a_constant_column_does_no_harm():
    X, y = imbalanced()
    X[:, 1] = 5.0
    X_resampled, y_resampled = fast().fit_resample(X, y)
    assert np.all(np.isfinite(X_resampled)) and np.ptp(np.bincount(y_resampled)) == 0


def test_one_feature():
    X, y = imbalanced()
    sampler = fast()
    X_resampled, _ = sampler.fit_resample(X[:, :1], y)
    np.testing.assert_allclose(
        np.abs(X_resampled[len(X) :, 0] - X[sampler.seed_indices_, 0]), sampler.radii_, atol=1e-12
    )


def test_balanced_data_come_back_unchanged():
    X, y = make_blobs(40, centers=2, random_state=0)
    sampler = fast()
    X_resampled, y_resampled = sampler.fit_resample(X, y)
    assert same_bits(X_resampled, X) and same_bits(y_resampled, y)
    assert len(sampler.seed_indices_) == 0 and sampler.informative_mask_.sum() == 12


def test_fewer_rows_than_neighbours():
    X, y = imbalanced()
    sampler = fast(k_neighbors=500, max_iter=0, reject_noise=False)
    sampler.fit_resample(X, y)
    R = ranges_by_hand(X, y, 500)[sampler.seed_indices_]
    assert sampler.radii_.max() <= 5 * R.max() and np.all(sampler.radii_ > 0)
    _, y_resampled = fast().fit_resample(X[:3], np.array([0, 0, 1]))
    np.testing.assert_array_equal(np.bincount(y_resampled), [2, 2])


def test_no_warning_for_outliers_far_from_all_data(recwarn):
    X, y = imbalanced()
    X[np.flatnonzero(y == 1)[0]] = 1e6
    X_resampled, _ = fast(reject_noise=False).fit_resample(X, y)
    assert np.all(np.isfinite(X_resampled)) and len(recwarn) == 0


def test_two_rows_of_a_class_are_as_far_as_they_are_apart():
    X = np.r_[imbalanced(60)[0][:, :2], [[30.0, 0.0], [33.0, 4.0]]]
    y = np.repeat([0, 1], [60, 2])
    sampler = fast(radius="uniform", max_iter=0, informative_portion=1, reject_noise=False)
    sampler.fit_resample(X, y)
    assert 4.5 < sampler.radii_.max() <= 5


def test_a_column_of_large_equal_numbers_does_no_harm():
    X, y = imbalanced()
    X[:, 1] = 1e200
    X_resampled, _ = fast(informative_portion=1, max_iter=0).fit_resample(X, y)
    assert np.all(np.isfinite(X_resampled))


@pytest.mark.parametrize(
    "settings", [dict(informative_threshold=0), dict(k_neighbors=1), dict(alpha=1)]
)
def test_settings_at_the_end_of_their_range(settings):
    _, y_resampled = fast(**settings).fit_resample(*imbalanced())
    assert np.ptp(np.bincount(y_resampled)) == 0


# bad input


def with_entry(value):
    X, _ = imbalanced()
    X = X.astype(object) if isinstance(value, str) else X
    X[3, 1] = value
    return X


@pytest.mark.parametrize(
    "X, error, cure",
    [
        (with_entry(np.nan), ValueError, "Column 1 contains NaN.*SimpleImputer"),
        (with_entry(np.inf), ValueError, "Column 1 contains infinity: replace it, or drop"),
        (with_entry("red"), ValueError, r"Column 1 has dtype object.*categorical_features=\[1\]"),
        (scipy.sparse.csr_array(imbalanced()[0]), TypeError, "toarray"),
        (scipy.sparse.csc_matrix(imbalanced()[0]), TypeError, "toarray"),
        (imbalanced()[0][:-1], ValueError, "159 rows but 160 labels: pass one label for"),
        (imbalanced()[0][:, 0], ValueError, "(?s)1D array.*Reshape your data"),
        (1e200 * imbalanced()[0], ValueError, "standardise it first"),
    ],
)
def test_bad_rows(X, error, cure):
    with pytest.raises(error, match=cure):
        fast().fit_resample(X, imbalanced()[1])


@pytest.mark.parametrize("method", ["fit", "fit_resample"])
def test_one_class(method):
    X, y = imbalanced()
    with pytest.raises(ValueError, match="one class, 4: pass rows of two or more classes"):
        getattr(fast(), method)(X, np.full(len(y), 4))


def test_labels_that_are_no_classes():
    X, _ = imbalanced()
    with pytest.raises(ValueError, match="continuous"):
        fast().fit_resample(X, X[:, 0])


@pytest.mark.parametrize("method", ["fit", "fit_resample"])
@pytest.mark.parametrize(
    "settings, cure",
    [
        (dict(k_neighbors=0), "k_neighbors=0: give a whole number >= 1"),
        (dict(k_neighbors=2.5), "must be an instance of 'int'"),
        (dict(radius="cauchy"), '"gaussian" or "uniform"'),
        (dict(alpha=0), r"alpha=0: give a number in \(0, 1\]"),
        (dict(alpha=1.01), r"in \(0, 1\]"),
        (dict(alpha=np.nan), r"in \(0, 1\]"),
        (dict(informative_portion=0), r"informative_portion=0: give a share in \(0, 1\]"),
        (dict(informative_portion=1.5), r"in \(0, 1\]"),
        (dict(informative_threshold=1), r"in \[0, 1\), or None"),
        (dict(remaining="smote"), '"ascent" or "random"'),
        (dict(max_iter=-1), "a whole number >= 0"),
        (dict(n_jobs=0), "n_jobs=0: give None, -1"),
        (dict(max_iter=True), "max_iter=True: give a whole number >= 0"),
        (dict(k_neighbors=True), "k_neighbors=True: give a whole number >= 1"),
        (dict(n_initial=0), "n_initial=0: give a whole number >= 1"),
        (dict(n_initial=True), "n_initial=True: give a whole number >= 1"),
        (dict(alpha=True), r"alpha=True: give a number in \(0, 1\]"),
        (dict(informative_portion=True), r"informative_portion=True: give a share in \(0, 1\]"),
        (dict(informative_threshold=False), r"in \[0, 1\), or None"),
        (dict(n_jobs=True), "n_jobs=True: give None, -1"),
        (dict(radius=5), "'radius' parameter of SIMPOR must be an instance of 'str'. Got 5"),
        (dict(learner=LogisticRegression), "must be an instance of 'sklearn.base.BaseEstimator'"),
        (dict(learner="forest"), "must be an instance of 'sklearn.base.BaseEstimator' or None"),
        (dict(random_state="luck"), "random_state"),
        (dict(sampling_strategy=1.5), "sampling_strategy"),
        (dict(sampling_strategy=True), 'sampling_strategy=True: give "auto"'),
        (dict(sampling_strategy={1: 150.5}), "give a whole number of rows for each class"),
        (dict(sampling_strategy={1: 150.0}), "give a whole number of rows for each class"),
        (dict(sampling_strategy=lambda y: {1: 150.0}), "give a whole number of rows"),
    ],
)
def test_parameters_out_of_range(settings, cure, method):
    with pytest.raises(ValueError, match=cure):
        getattr(fast(**settings), method)(*imbalanced())


@pytest.mark.parametrize(
    "settings, error, cure",
    [
        (dict(bandwidth=0), ValueError, "bandwidth=0: give a positive"),
        (dict(bandwidth=-0.1), ValueError, "give a positive"),
        (dict(bandwidth=(0.1, 0)), ValueError, "give a positive"),
        (dict(bandwidth="silverman"), TypeError, 'give a positive number or "scott"'),
        (dict(step=0.0), ValueError, '"adaptive" or an angle'),
        (dict(step="fast"), ValueError, '"adaptive" or an angle'),
        (dict(learner=LinearSVC()), TypeError, "no predict_proba"),
        (dict(sampling_strategy={1: 3}), ValueError, "greater or equal"),
        (dict(sampling_strategy={9: 300}), ValueError, "not present"),
    ],
)
def test_parameters_that_the_parts_refuse(settings, error, cure):
    with pytest.raises(error, match=cure):
        fast(**settings).fit_resample(*imbalanced())


@pytest.mark.parametrize("threshold", [-0.5, 1.5])
def test_a_threshold_that_is_no_entropy(threshold):
    with pytest.raises(ValueError, match=r"in \[0, 1\), or None"):
        fast(informative_threshold=threshold).fit_resample(*imbalanced())


# company


def test_it_resamples_inside_a_pipeline_and_a_grid_search():
    X, y = load_breast_cancer(return_X_y=True)
    X, y = X[:200, :6], y[:200]
    model = make_pipeline(StandardScaler(), fast(), LogisticRegression())
    grid = {"simpor__alpha": [0.5, 1.0], "simpor__remaining": ["ascent", "random"]}
    search = GridSearchCV(model, grid, cv=StratifiedKFold(3), scoring="f1_macro").fit(X, y)
    assert search.best_score_ > 0.85 and np.all(np.isfinite(search.cv_results_["mean_test_score"]))
    assert search.predict(X).shape == (200,)


def test_it_can_be_cloned_and_pickled():
    X, y = imbalanced()
    sampler = fast(alpha=0.5, random_state=3)
    expected, _ = sampler.fit_resample(X, y)
    for other in (clone(sampler), pickle.loads(pickle.dumps(sampler))):
        assert same_bits(other.fit_resample(X, y)[0], expected)


def test_data_learner_and_random_states_stay_as_they_were():
    X, y = imbalanced()
    X_before, y_before = X.copy(), y.copy()
    learner = LogisticRegression()
    random.seed(1)
    np.random.seed(1)
    states = random.getstate(), np.random.get_state()[1].copy()
    SIMPOR(learner=learner, random_state=0, max_iter=3).fit_resample(X, y)
    assert same_bits(X, X_before) and same_bits(y, y_before)
    assert not hasattr(learner, "coef_") and learner.random_state is None
    assert random.getstate() == states[0]
    np.testing.assert_array_equal(np.random.get_state()[1], states[1])


def test_verbose_prints_a_line_for_each_class_and_region(capsys):
    fast(verbose=1).fit_resample(*imbalanced(n_classes=3))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("[SIMPOR] class 1, informative region: ")
    fast().fit_resample(*imbalanced())
    assert capsys.readouterr().out == ""


def test_verbose_tells_what_was_drawn_from_where_and_what_it_gained(capsys):
    X, y = imbalanced(300, n_classes=3)
    counts = np.bincount(y)
    sampler = fast(verbose=1, sampling_strategy={1: counts[1], 2: counts[2] + 50})
    sampler.fit_resample(X, y)
    lines = capsys.readouterr().out.splitlines()
    for line, region in zip(lines, ("informative", "remaining"), strict=True):
        rows = sampler.region_ == region
        gain = np.mean(sampler.log_ratio_[rows] - sampler.log_ratio_start_[rows])
        in_region = sampler.informative_mask_ == (region == "informative")
        pool = np.sum((y == 2) & in_region & ~noise_by_hand(X, y, 5))
        told = f"class 2, {region} region: {rows.sum()} rows from {pool} seeds"
        assert line == f"[SIMPOR] {told}, mean gain {gain:.3g} nats"
    fast(verbose=1, informative_portion=1).fit_resample(X, y)
    assert "0 rows" in capsys.readouterr().out


def test_verbose_tells_the_progress_of_a_long_climb(capsys, monkeypatch):
    moments = iter([0.0, 30.0, 100.0])
    monkeypatch.setattr(simpor.sampler.time, "monotonic", lambda: next(moments))
    report = simpor.sampler._Progress("b", "remaining", 283_823)
    for share in (0.0, 0.25, 0.1):  # of nothing, nobody knows how long it takes
        report(share)
    assert capsys.readouterr().out.splitlines() == [
        "[SIMPOR] class b, remaining region: 25% of 283,823 rows, about 90 seconds left",
        "[SIMPOR] class b, remaining region: 10% of 283,823 rows, about 15 minutes left",
    ]


@pytest.mark.parametrize("verbose, told", [(0, False), (1, True)])
def test_a_long_climb_is_told_where_wanted(verbose, told, capsys, monkeypatch):
    def climb(*args, report, **settings):
        ascent = climb_ratio(*args, **settings)
        if report is not None:
            report(0.5)
        return ascent

    climb_ratio = simpor.sampler.climb_ratio
    monkeypatch.setattr(simpor.sampler, "climb_ratio", climb)
    fast(verbose=verbose).fit_resample(*imbalanced())
    assert ("remaining region: 50% of" in capsys.readouterr().out) == told


def test_verbose_tells_the_gain_of_one_row_and_of_none(capsys):
    X, y = imbalanced()
    sampler = fast(verbose=1, informative_portion=1, sampling_strategy={1: np.sum(y == 1) + 1})
    sampler.fit_resample(X, y)
    gain = sampler.log_ratio_[0] - sampler.log_ratio_start_[0]
    one, none = capsys.readouterr().out.splitlines()
    assert "1 rows" in one and one.endswith(f"mean gain {gain:.3g} nats")
    assert "0 rows" in none and none.endswith("mean gain 0 nats")


# determinism

IN_A_FRESH_PROCESS = """
import hashlib, sys
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from simpor import SIMPOR
n_jobs = None if sys.argv[1] == "None" else int(sys.argv[1])
digest = hashlib.sha256()
for d in (3, 20):
    X, y = make_classification(
        400, d, n_informative=3, n_redundant=0, weights=[0.8], random_state=0)
    X = X.round(1)  # ties
    sampler = SIMPOR(learner=LogisticRegression(), max_iter=20, n_jobs=n_jobs, random_state=0)
    digest.update(sampler.fit_resample(X, y)[0].tobytes())
    digest.update(sampler.log_ratio_.tobytes())
print(digest.hexdigest())
"""


def test_same_bits_in_fresh_processes_and_with_other_threads():
    digests = {
        subprocess.run(
            [sys.executable, "-c", IN_A_FRESH_PROCESS, n_jobs],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for n_jobs in ("1", "2", "None")
    }
    assert len(digests) == 1


def test_other_seed_other_rows():
    X, y = imbalanced()
    R = ranges_by_hand(X, y, 5)
    shares = []
    for seed in (0, 1):
        sampler = fast(random_state=seed, informative_portion=1)
        sampler.fit_resample(X, y)
        shares.append(sampler.radii_ / R[sampler.seed_indices_])
    assert np.all(shares[0] != shares[1])


def test_n_initial_is_the_number_of_rows_with_which_the_learner_starts():
    X, y = imbalanced()
    n_first = []

    class Counting(LogisticRegression):
        def fit(self, rows, labels):
            n_first.append(np.bincount(labels).tolist())
            return super().fit(rows, labels)

    fast(learner=Counting(), n_initial=7).fit_resample(X, y)
    assert n_first[0] == [7, 7]
    with pytest.raises(ValueError, match="KNeighborsClassifier failed on 6 rows.*raise n_initial"):
        fast(learner=KNeighborsClassifier(15)).fit_resample(X, y)
    fast(learner=KNeighborsClassifier(15), n_initial=8).fit_resample(X, y)


def test_wrong_parameters_of_the_learner_are_refused():
    """imbalanced-learn switches off the checks of estimators inside a sampler."""
    with pytest.raises(ValueError, match="The 'C' parameter of LogisticRegression must be"):
        fast(learner=LogisticRegression(C=-1)).fit_resample(*imbalanced())


def test_the_default_learner():
    X, y = imbalanced()
    one, again = (SIMPOR(random_state=0, max_iter=10).fit_resample(X, y) for _ in range(2))
    assert same_bits(one[0], again[0]) and np.ptp(np.bincount(one[1])) == 0


def test_points_that_climb_in_several_parts_end_where_they_end_together(monkeypatch):
    X, y = imbalanced()
    together, _ = fast(step=0.1).fit_resample(X, y)
    monkeypatch.setattr(simpor._ratio_climb, "POINTS_AT_ONCE", 7)
    in_parts, _ = fast(step=0.1).fit_resample(X, y)
    assert same_bits(together, in_parts)
