"""GK-SMOTE's densities and groups, against the definition written as loops, and its claims."""

import numpy as np
import pytest
from sklearn.datasets import make_moons

from simpor.relatives.gk_smote import GKSMOTE


def moons_with_flips(seed, share):
    """Two moons of 500 and 100 rows, and which labels are wrong."""
    X, y = make_moons((500, 100), noise=0.15, random_state=seed)
    is_flipped = np.random.RandomState(seed).uniform(size=len(y)) < share
    return X, np.where(is_flipped, 1 - y, y), is_flipped


def in_order_of_distance(X, row, candidates):
    others = [other for other in candidates if other != row]
    return sorted(others, key=lambda other: np.linalg.norm(X[other] - X[row]))


def test_density_and_noise_of_the_repository_follow_the_definition():
    X, y, _ = moons_with_flips(0, 0.1)
    sampler = GKSMOTE(random_state=0)
    sampler.fit_resample(X, y)
    minority = np.flatnonzero(y == 1)
    for row in minority:
        partners = [row, *in_order_of_distance(X, row, minority)[:4]]
        distances = np.linalg.norm(X[partners] - X[row], axis=1)
        density = np.mean(np.exp(-(distances**2) / (2 * np.std(distances) ** 2)))
        assert sampler.density_[row] == pytest.approx(density, rel=1e-9)
        around = in_order_of_distance(X, row, range(len(X)))[:5]
        assert (sampler.group_[row] == "noisy") == np.all(y[around] == 0)
    assert np.isnan(sampler.density_[y == 0]).all()
    assert set(sampler.group_[y == 0]) == {""}


def test_density_of_the_paper_in_our_reading_follows_the_definition():
    X, y, _ = moons_with_flips(0, 0.1)
    sampler = GKSMOTE(variant="paper", random_state=0)
    sampler.fit_resample(X, y)
    h = len(X) ** (-1 / 6) * np.sqrt(np.mean(X.var(axis=0)))
    for row in np.flatnonzero(y == 1):
        around = in_order_of_distance(X, row, range(len(X)))[:5]
        terms = [
            np.exp(-(np.linalg.norm(X[q] - X[row]) ** 2) / (2 * h**2)) if y[q] == 1 else 0
            for q in around
        ]
        assert sampler.density_[row] == pytest.approx(np.mean(terms), rel=1e-9)


@pytest.mark.parametrize("variant", ["repository", "paper"])
def test_groups_are_intervals_of_the_density(variant):
    X, y, _ = moons_with_flips(1, 0.1)
    sampler = GKSMOTE(variant=variant, random_state=0)
    sampler.fit_resample(X, y)
    density, group = sampler.density_, sampler.group_
    assert set(group[y == 1]) == {"noisy", "borderline", "safe"}
    assert density[group == "borderline"].max() < density[group == "safe"].min()
    if variant == "paper":
        assert density[group == "noisy"].max() < density[group == "borderline"].min()


@pytest.mark.parametrize("variant", ["repository", "paper"])
def test_no_noisy_row_is_a_seed(variant):
    X, y, _ = moons_with_flips(2, 0.2)
    sampler = GKSMOTE(variant=variant, random_state=0)
    sampler.fit_resample(X, y)
    assert np.sum(sampler.group_ == "noisy") > 10
    assert not np.any(sampler.group_[sampler.seed_indices_] == "noisy")
    assert sampler.n_filled_ == {1: 0}


def test_groups_of_the_repository_yield_rows_in_proportion_to_their_size():
    X, y, _ = moons_with_flips(3, 0.0)
    sampler = GKSMOTE(random_state=0)
    sampler.fit_resample(X, y)
    n_safe, n_borderline = (np.sum(sampler.group_ == name) for name in ("safe", "borderline"))
    n_from_safe = np.sum(sampler.group_[sampler.seed_indices_] == "safe")
    assert n_from_safe == round(400 * n_safe / (n_safe + n_borderline))


def test_lines_of_the_repository_stay_inside_a_group():
    X, y, _ = moons_with_flips(3, 0.0)
    sampler = GKSMOTE(random_state=0)
    synthetic = sampler.fit_resample(X, y)[0][len(X) :]
    for point, seed in zip(synthetic[::20], sampler.seed_indices_[::20]):
        ends = X[sampler.group_ == sampler.group_[seed]]
        detours = np.linalg.norm(point - X[seed]) + np.linalg.norm(point - ends, axis=1)
        assert np.min(detours - np.linalg.norm(X[seed] - ends, axis=1)) < 1e-12


def test_density_of_the_repository_does_not_change_with_the_unit():
    X, y, _ = moons_with_flips(0, 0.1)
    metres, sevenths = GKSMOTE(random_state=0), GKSMOTE(random_state=0)
    metres.fit_resample(X, y)
    sevenths.fit_resample(7 * X, y)
    np.testing.assert_allclose(sevenths.density_, metres.density_, rtol=1e-9)
    np.testing.assert_array_equal(sevenths.group_, metres.group_)


def test_density_of_the_repository_does_not_tell_crowded_from_lonely_rows():
    # Four rows within 0.01, and four rows of the same shape a hundred times as wide.
    square = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    rng = np.random.RandomState(0)
    X = np.concatenate([0.01 * square, 50 + square, rng.normal(20, 1, size=(40, 2))])
    sampler = GKSMOTE(k_neighbors=4, random_state=0)
    y = np.repeat([1, 0], [8, 40])
    sampler.fit_resample(X, y)
    np.testing.assert_allclose(sampler.density_[:4], sampler.density_[4:8], rtol=1e-9)
    paper = GKSMOTE(variant="paper", k_neighbors=4, random_state=0)
    paper.fit_resample(X, y)
    assert paper.density_[:4].min() > paper.density_[4:8].max()


def test_seeds_of_the_paper_hold_fewer_wrong_labels_than_smotes_at_30_percent_flips():
    among_rows, among_seeds = [], []
    for seed in range(10):
        X, y, is_flipped = moons_with_flips(seed, 0.3)
        sampler = GKSMOTE(variant="paper", random_state=seed)
        sampler.fit_resample(X, y)
        label = next(iter(sampler.sampling_strategy_))
        among_rows.append(is_flipped[y == label].mean())  # SMOTE takes all rows alike as seeds
        among_seeds.append(is_flipped[sampler.seed_indices_].mean())
    # .68 and .47 on average, with the nearest pair .09 apart
    assert np.all(np.array(among_seeds) < among_rows)
    assert np.mean(among_rows) - np.mean(among_seeds) > 0.1


def test_a_density_of_all_classes_would_prefer_wrong_labels():
    # Why our reading of the paper lets rows of other classes add nothing.
    excess = []
    for seed in range(10):
        X, y, is_flipped = moons_with_flips(seed, 0.3)
        own = y == 1
        distances = np.sort(np.linalg.norm(X[own][:, None] - X, axis=2), axis=1)[:, 1:6]
        h = len(X) ** (-1 / 6) * np.sqrt(np.mean(X.var(axis=0)))
        density = np.exp(-(distances**2) / (2 * h**2)).mean(axis=1)
        share = np.average(is_flipped[own], weights=density)
        excess.append(share - is_flipped[own].mean())
    assert np.mean(excess) > 0


def test_a_group_of_one_row_has_no_line_and_the_other_group_yields_its_share():
    # Three rows at the corners of a triangle have alike densities, the far fourth has another.
    X = np.array([[0, 0], [1, 0], [0.5, 0.8], [0.4, 9.0], *([[30 + i, 30] for i in range(40)])])
    y = np.repeat([1, 0], [4, 40])
    sampler = GKSMOTE(k_neighbors=3, random_state=0)
    _, y_resampled = sampler.fit_resample(X, y)
    sizes = [np.sum(sampler.group_ == name) for name in ("borderline", "safe")]
    assert sorted(sizes) == [1, 3]
    assert sampler.n_filled_ == {1: 9}  # a quarter of 36
    lonely = np.flatnonzero(sampler.group_ == ("borderline" if sizes[0] == 1 else "safe"))
    assert lonely not in sampler.seed_indices_
    assert np.sum(y_resampled == 1) == 40


def test_a_class_of_noisy_rows_only_is_used_as_it_is():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(200, 2))
    y = np.zeros(200, dtype=int)
    y[:2] = 1
    X[:2] = [[-0.5, 0.0], [0.5, 0.0]]
    sampler = GKSMOTE(k_neighbors=3, random_state=0)
    sampler.fit_resample(X, y)
    assert set(sampler.group_[:2]) == {"noisy"}
    assert sampler.n_filled_ == {1: 196}
    assert set(sampler.seed_indices_) == {0, 1}


def test_a_class_of_one_row_is_refused():
    with pytest.raises(ValueError, match="Class 1 has one row"):
        GKSMOTE().fit_resample(np.arange(12.0).reshape(6, 2), [0, 0, 0, 0, 0, 1])


@pytest.mark.parametrize(
    "parameters, cure", [({"k_neighbors": 0}, "whole number"), ({"variant": "repo"}, "repository")]
)
def test_parameters_out_of_range_are_named(parameters, cure):
    name, value = next(iter(parameters.items()))
    with pytest.raises(ValueError, match=f"{name}={value!r}: give .*{cure}"):
        GKSMOTE(**parameters).fit_resample(*make_moons((20, 10), random_state=0))
