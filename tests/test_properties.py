"""What holds for any data, tried on data that hypothesis makes up.

Coordinates are multiples of 1/1024, so that adding whole numbers and scaling by powers of two are
exact, and what should carry over carries over to the last digits.
"""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import ortho_group
from sklearn.linear_model import LogisticRegression

from simpor import (
    SIMPOR,
    EntropyNetwork,
    GaussianKDE,
    PosteriorRatio,
    ascend_on_sphere,
    informative_region,
)
from simpor.informative import entropy

coordinates = st.integers(-4096, 4096).map(lambda k: k / 1024)
bandwidths = st.floats(0.25, 4.0)
seeds = st.integers(0, 2**31 - 1)
powers = st.integers(-300, 300)


def tables(n, d):
    return arrays(np.float64, (n, d), elements=coordinates)


@st.composite
def rows_and_queries(draw, most_features=4):
    d = draw(st.integers(1, most_features))
    return draw(tables(draw(st.integers(1, 70)), d)), draw(tables(draw(st.integers(1, 40)), d))


@st.composite
def classified(draw, most_classes=3, least_rows=1, most_features=3):
    """Rows, and labels of two classes or more."""
    counts = draw(st.lists(st.integers(least_rows, 18), min_size=2, max_size=most_classes))
    d = draw(st.integers(1, most_features))
    y = np.repeat(np.arange(len(counts)), counts)
    return draw(tables(len(y), d)), draw(st.permutations(y).map(np.array))


def rotation(d, seed):
    return ortho_group.rvs(d, random_state=seed) if d > 1 else np.array([[-1.0]])


CONTAINERS = {
    "float64": lambda X: X,
    "float32": lambda X: X.astype(np.float32),
    "integers": lambda X: np.rint(X).astype(int),
    "Fortran order": np.asfortranarray,
    "every second row": lambda X: np.repeat(X, 2, axis=0)[::2],
    "read-only": lambda X: np.frombuffer(X.tobytes()).reshape(X.shape),
    "frame": lambda X: pd.DataFrame(X, columns=[f"x{k}" for k in range(X.shape[1])]),
    "list": lambda X: X.tolist(),
}


# the density


@pytest.mark.parametrize("kind", CONTAINERS)
@settings(max_examples=5)
@given(data=rows_and_queries(), h=bandwidths)
def test_density_takes_any_container(kind, data, h):
    rows, queries = map(CONTAINERS[kind], data)
    value, gradient = GaussianKDE(bandwidth=h).fit(rows).score_samples_and_gradient(queries)
    assert value.dtype == gradient.dtype == np.float64
    assert value.shape == (len(queries),) and gradient.shape == np.shape(queries)
    plain = [np.asarray(X, dtype=np.float64) for X in (rows, queries)]
    expected = GaussianKDE(bandwidth=h).fit(plain[0]).score_samples_and_gradient(plain[1])
    for ours, same in zip((value, gradient), expected):
        assert ours.tobytes() == same.tobytes()


@given(data=rows_and_queries(), h=bandwidths)
def test_density_is_positive_and_at_most_that_of_one_kernel(data, h):
    rows, queries = data
    d = rows.shape[1]
    highest = -d * np.log(h) - d / 2 * np.log(2 * np.pi)
    value = GaussianKDE(bandwidth=h).fit(rows).score_samples(queries)
    assert np.all(value <= highest + 1e-12)
    # all rows lie within the diagonal of the box of coordinates, of 8 a side
    assert np.all(value >= highest - d * 8**2 / (2 * h**2) - 1e-9)


@given(rows=st.integers(1, 2).flatmap(lambda d: tables(9, d)), h=st.floats(0.5, 2.0))
def test_density_integrates_to_one(rows, h):
    # sums over a grid of step h are exact to 1e-8 for kernels that are Gaussian
    axis = np.arange(-4 - 8 * h, 4 + 8 * h, h)
    d = rows.shape[1]
    grid = np.stack(np.meshgrid(*[axis] * d), axis=-1).reshape(-1, d)
    density = np.exp(GaussianKDE(bandwidth=h).fit(rows).score_samples(grid))
    assert density.sum() * h**d == pytest.approx(1, abs=1e-7)


@given(data=rows_and_queries(), h=bandwidths)
def test_density_has_the_gradient_of_its_finite_differences(data, h):
    rows, queries = data
    density = GaussianKDE(bandwidth=h).fit(rows)
    gradient, step = density.gradient(queries), 1e-4 * h
    for k, e in enumerate(np.eye(rows.shape[1])):
        ahead, behind = (density.score_samples(queries + s * e) for s in (step, -step))
        slope = (ahead - behind) / (2 * step)
        np.testing.assert_allclose(gradient[:, k], slope, rtol=1e-4, atol=1e-4 * (1 + 1 / h))


@given(data=rows_and_queries(), h=bandwidths, seed=seeds)
def test_density_knows_no_order_of_rows(data, h, seed):
    rows, queries = data
    shuffled = np.random.default_rng(seed).permutation(rows)
    value, gradient = GaussianKDE(bandwidth=h).fit(rows).score_samples_and_gradient(queries)
    same = GaussianKDE(bandwidth=h).fit(shuffled).score_samples_and_gradient(queries)
    np.testing.assert_allclose(same[0], value, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(same[1], gradient, rtol=1e-9, atol=1e-9)


@given(data=rows_and_queries(), h=bandwidths, seed=seeds)
def test_density_of_a_query_knows_no_other_query(data, h, seed):
    rows, queries = data
    density = GaussianKDE(bandwidth=h).fit(rows)
    order = np.random.default_rng(seed).permutation(len(queries))
    for together, apart in zip(
        density.score_samples_and_gradient(queries),
        density.score_samples_and_gradient(queries[order]),
    ):
        assert together[order].tobytes() == apart.tobytes()


@given(data=rows_and_queries(), h=bandwidths, offset=st.integers(-1000, 1000))
def test_density_moves_with_the_data(data, h, offset):
    rows, queries = data
    here = GaussianKDE(bandwidth=h).fit(rows).score_samples_and_gradient(queries)
    there = GaussianKDE(bandwidth=h).fit(rows + offset).score_samples_and_gradient(queries + offset)
    for a, b in zip(here, there):
        np.testing.assert_allclose(b, a, rtol=1e-9, atol=1e-9)


@given(data=rows_and_queries(), h=bandwidths, seed=seeds)
def test_density_turns_with_the_data(data, h, seed):
    rows, queries = data
    Q = rotation(rows.shape[1], seed)
    value, gradient = GaussianKDE(bandwidth=h).fit(rows).score_samples_and_gradient(queries)
    turned = GaussianKDE(bandwidth=h).fit(rows @ Q).score_samples_and_gradient(queries @ Q)
    np.testing.assert_allclose(turned[0], value, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(turned[1], gradient @ Q, rtol=1e-7, atol=1e-7)


@given(data=rows_and_queries(), h=bandwidths, power=powers)
def test_density_scales_with_data_and_bandwidth(data, h, power):
    rows, queries = data
    d = rows.shape[1]
    value, gradient = GaussianKDE(bandwidth=h).fit(rows).score_samples_and_gradient(queries)
    scaled = GaussianKDE(bandwidth=np.ldexp(h, power)).fit(np.ldexp(rows, power))
    other_value, other_gradient = scaled.score_samples_and_gradient(np.ldexp(queries, power))
    np.testing.assert_allclose(other_value, value - d * power * np.log(2), rtol=1e-11, atol=1e-11)
    np.testing.assert_array_equal(other_gradient, np.ldexp(gradient, -power))


# the posterior ratio


@given(data=classified(most_classes=2), h=bandwidths, seed=seeds)
def test_ratio_changes_its_sign_when_the_classes_swap(data, h, seed):
    X, y = data
    queries = np.random.default_rng(seed).normal(size=(20, X.shape[1]))
    one, other = (PosteriorRatio(bandwidth=h).fit(X, y, positive=label) for label in (0, 1))
    for a, b in zip(one.log_ratio_and_gradient(queries), other.log_ratio_and_gradient(queries)):
        np.testing.assert_allclose(a, -b, rtol=1e-12, atol=1e-12)


@given(data=classified(), h=st.tuples(bandwidths, bandwidths), seed=seeds)
def test_ratio_is_that_of_the_densities_and_the_priors(data, h, seed):
    X, y = data
    queries = np.random.default_rng(seed).normal(size=(20, X.shape[1]))
    ratio = PosteriorRatio(bandwidth=h).fit(X, y)
    positive = y == ratio.positive_
    assert positive.sum() == np.bincount(y).min()
    ours, others = GaussianKDE(bandwidth=h[0]).fit(X[positive]), GaussianKDE(bandwidth=h[1])
    others.fit(X[~positive])
    prior = np.log(positive.mean()) - np.log((~positive).mean())
    value, gradient = ratio.log_ratio_and_gradient(queries)
    expected = ours.score_samples(queries) - others.score_samples(queries) + prior
    np.testing.assert_allclose(value, expected, rtol=1e-11, atol=1e-11)
    np.testing.assert_array_equal(gradient, ours.gradient(queries) - others.gradient(queries))
    assert ratio.log_ratio(queries).tobytes() == value.tobytes()
    assert ratio.gradient(queries).tobytes() == gradient.tobytes()


@given(data=classified(), h=bandwidths, seed=seeds)
def test_ratio_knows_no_order_of_rows_and_no_names_of_classes(data, h, seed):
    X, y = data
    rng = np.random.default_rng(seed)
    queries, order = rng.normal(size=(20, X.shape[1])), rng.permutation(len(y))
    value, gradient = PosteriorRatio(bandwidth=h).fit(X, y, 0).log_ratio_and_gradient(queries)
    names = np.array(["zebra", "ape", "lion"])
    renamed = PosteriorRatio(bandwidth=h).fit(X[order], names[y[order]], "zebra")
    np.testing.assert_allclose(renamed.log_ratio(queries), value, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(renamed.gradient(queries), gradient, rtol=1e-8, atol=1e-8)


# the ascent


def wavy(points):
    """Many maxima on every sphere."""
    return np.sin(3 * points).sum(axis=1), 3 * np.cos(3 * points)


@st.composite
def spheres(draw):
    d = draw(st.integers(2, 5))
    centers = draw(tables(draw(st.integers(1, 15)), d))
    radii = draw(arrays(np.float64, len(centers), elements=st.floats(0, 4)))
    return centers, radii


steps = st.one_of(st.just("adaptive"), st.floats(1e-5, 1.0))


@given(spheres=spheres(), step=steps, max_iter=st.integers(0, 40), seed=seeds)
def test_ascent_stays_on_the_sphere_and_never_falls(spheres, step, max_iter, seed):
    centers, radii = spheres
    end = ascend_on_sphere(wavy, centers, radii, step=step, max_iter=max_iter, random_state=seed)
    m = len(centers)
    assert end.x.shape == centers.shape and all(len(field) == m for field in end)
    assert end.converged.dtype == bool and end.n_iter.dtype.kind == "i"
    np.testing.assert_allclose(np.linalg.norm(end.x - centers, axis=1), radii, atol=1e-13)
    np.testing.assert_allclose(end.value, wavy(end.x)[0], rtol=1e-12, atol=1e-12)
    assert np.all(end.value >= end.start_value)
    assert np.all((end.rotation >= 0) & (end.rotation <= np.pi))
    assert np.all(end.n_iter <= max_iter) and np.all(end.n_evaluations == end.n_iter + 1)
    assert np.all(end.converged[radii == 0])


@given(spheres=spheres(), step=steps, seed=seeds)
def test_ascent_of_a_point_knows_no_other_point(spheres, step, seed):
    centers, radii = spheres
    rng = np.random.default_rng(seed)
    start, order = centers + rng.normal(size=centers.shape), rng.permutation(len(centers))
    together = ascend_on_sphere(wavy, centers, radii, start=start, step=step, max_iter=8)
    apart = ascend_on_sphere(
        wavy, centers[order], radii[order], start=start[order], step=step, max_iter=8
    )
    for a, b in zip(together, apart):
        np.testing.assert_allclose(b, a[order], rtol=1e-9, atol=1e-9)


@given(spheres=spheres(), seed=seeds)
def test_ascent_takes_lists(spheres, seed):
    centers, radii = spheres
    end = ascend_on_sphere(wavy, centers, radii, max_iter=3, random_state=seed)
    same = ascend_on_sphere(
        wavy, centers.tolist(), radii.tolist(), max_iter=3, random_state=np.random.RandomState(seed)
    )
    assert all(a.tobytes() == b.tobytes() for a, b in zip(end, same))


@given(spheres=spheres(), seed=seeds)
def test_ascent_turns_with_objective_and_start(spheres, seed):
    centers, radii = spheres
    rng = np.random.default_rng(seed)
    Q, slopes = rotation(centers.shape[1], seed), rng.normal(size=(4, centers.shape[1]))
    start = centers + rng.normal(size=centers.shape)

    def smooth(slopes):
        """The sum of four waves along the slopes."""
        return lambda x: (np.sin(x @ slopes.T).sum(axis=1), np.cos(x @ slopes.T) @ slopes)

    here = ascend_on_sphere(smooth(slopes), centers, radii, start=start, max_iter=3)
    there = ascend_on_sphere(smooth(slopes @ Q), centers @ Q, radii, start=start @ Q, max_iter=3)
    np.testing.assert_allclose(there.x, here.x @ Q, atol=1e-6)
    np.testing.assert_allclose(there.value, here.value, atol=1e-6)


# the informative region

LEARNER = LogisticRegression()


@given(data=classified(), portion=st.floats(0.01, 1), batch=st.integers(1, 30), seed=seeds)
def test_region_has_exactly_its_portion(data, portion, batch, seed):
    X, y = data
    settings = dict(portion=portion, batch_size=batch, learner=LEARNER, random_state=seed)
    mask = informative_region(X, y, **settings)
    assert mask.dtype == bool and mask.shape == (len(y),)
    assert mask.sum() == round(portion * len(y))
    names = np.array(["ant", "bee", "cat"])[y]
    frame = pd.DataFrame(X)
    np.testing.assert_array_equal(informative_region(frame, names, **settings), mask)


@given(data=classified(), threshold=st.floats(0, 0.99), seed=seeds)
def test_region_above_a_threshold_has_no_initial_row(data, threshold, seed):
    X, y = data
    mask = informative_region(X, y, threshold=threshold, learner=LEARNER, random_state=seed)
    counts = np.bincount(y)
    assert mask.sum() <= np.maximum(counts - 3, 0).sum()


shapes_of_probabilities = st.tuples(st.integers(1, 20), st.integers(2, 6))


@given(arrays(np.float64, shapes_of_probabilities, elements=st.floats(1e-6, 1)))
def test_entropy_is_between_certainty_and_equal_chances(shares):
    p = shares / shares.sum(axis=1, keepdims=True)
    doubt = entropy(p)
    assert doubt.shape == (len(p),) and np.all((doubt >= 0) & (doubt <= 1 + 1e-12))
    by_formula = -np.sum(p * np.log(p), axis=1) / np.log(p.shape[1])
    np.testing.assert_allclose(doubt, by_formula, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(entropy(p[:, ::-1]), doubt, rtol=1e-12, atol=1e-15)
    assert entropy(np.full((1, p.shape[1]), 1 / p.shape[1])) == pytest.approx(1)


@settings(max_examples=4)
@given(data=classified(most_features=1), seed=seeds)
def test_network_gives_probabilities(data, seed):
    X, y = data
    network = EntropyNetwork((3,), max_epochs=5, random_state=seed).fit(X, y)
    p = network.predict_proba(X)
    assert p.shape == (len(y), len(np.unique(y))) and np.all(p >= 0)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_array_equal(network.predict(X), network.classes_[p.argmax(axis=1)])


# the sampler

settings_of_sampler = st.fixed_dictionaries(
    {
        "k_neighbors": st.integers(1, 8),
        "radius": st.sampled_from(["gaussian", "uniform"]),
        "alpha": st.floats(0.05, 1),
        "bandwidth": st.one_of(st.just("scott"), bandwidths, st.tuples(bandwidths, bandwidths)),
        "informative_portion": st.sampled_from([0.1, 0.3, 0.8, 1]),
        "remaining": st.sampled_from(["ascent", "random"]),
        "reject_noise": st.sampled_from([True, False, "informative"]),
        "step": st.sampled_from(["adaptive", 1e-5, 0.2]),
        "max_iter": st.integers(0, 12),
        "random_state": seeds,
    }
)


@given(
    data=classified(),
    settings=settings_of_sampler,
    more=st.lists(st.integers(0, 30), min_size=3, max_size=3),
)
def test_sampler_appends_what_is_asked_and_touches_nothing(data, settings, more):
    X, y = data
    X_before, y_before = X.copy(), y.copy()
    counts = np.bincount(y)
    wanted = {label: int(count) + more[label] for label, count in enumerate(counts)}
    sampler = SIMPOR(learner=LEARNER, sampling_strategy=wanted, **settings)
    X_new, y_new = sampler.fit_resample(X, y)

    assert X.tobytes() == X_before.tobytes() and y.tobytes() == y_before.tobytes()
    assert X_new[: len(X)].tobytes() == X.tobytes() and y_new[: len(y)].tobytes() == y.tobytes()
    np.testing.assert_array_equal(np.bincount(y_new), list(wanted.values()))
    assert X_new.dtype == X.dtype and y_new.dtype == y.dtype and np.isfinite(X_new).all()
    drawn, seed_rows = X_new[len(X) :], X[sampler.seed_indices_]
    np.testing.assert_array_equal(y_new[len(y) :], y[sampler.seed_indices_])
    np.testing.assert_allclose(
        np.linalg.norm(drawn - seed_rows, axis=1), sampler.radii_, atol=1e-12
    )
    assert np.all(sampler.log_ratio_ >= sampler.log_ratio_start_)
    inside = sampler.informative_mask_[sampler.seed_indices_]
    assert np.all(inside[sampler.region_ == "informative"])

    again, _ = SIMPOR(learner=LEARNER, sampling_strategy=wanted, **settings).fit_resample(X, y)
    assert again.tobytes() == X_new.tobytes()


@pytest.mark.parametrize("kind", CONTAINERS)
@settings(max_examples=4)
@given(data=classified(least_rows=2), seed=seeds)
def test_sampler_gives_back_the_container_it_was_given(kind, data, seed):
    X, y = CONTAINERS[kind](data[0]), np.array(["ant", "bee", "cat"])[data[1]]
    sampler = SIMPOR(learner=LEARNER, max_iter=3, random_state=seed)
    X_new, y_new = sampler.fit_resample(X, y)
    assert type(X_new) is type(X) and y_new.dtype == y.dtype
    if kind not in ("frame", "list"):
        assert X_new.dtype == X.dtype
    np.testing.assert_array_equal(np.asarray(X_new)[: len(y)], np.asarray(X))
    assert len(set(pd.Series(y_new).value_counts())) == 1


@given(data=classified(), power=powers, h=bandwidths, seed=seeds)
def test_sampler_scales_with_data_and_bandwidth(data, power, h, seed):
    X, y = data
    # the published rule: the adaptive one ends where a slope is small, and slopes have a unit
    settings = dict(informative_portion=1, step=0.2, max_iter=5, random_state=seed)
    X_new, _ = SIMPOR(bandwidth=h, **settings).fit_resample(X, y)
    scaled = SIMPOR(bandwidth=np.ldexp(h, power), **settings)
    X_scaled, _ = scaled.fit_resample(np.ldexp(X, power), y)
    np.testing.assert_allclose(np.ldexp(X_scaled, -power), X_new, rtol=1e-9, atol=1e-9)


@given(data=classified(), offset=st.integers(-1000, 1000), h=bandwidths, seed=seeds)
def test_sampler_moves_with_the_data(data, offset, h, seed):
    X, y = data
    settings = dict(informative_portion=1, bandwidth=h, max_iter=5, random_state=seed)
    here, _ = SIMPOR(**settings).fit_resample(X, y)
    there, _ = SIMPOR(**settings).fit_resample(X + offset, y)
    np.testing.assert_allclose(there, here + offset, atol=1e-6)


@given(data=classified(), h=bandwidths, seed=seeds, angle=seeds)
def test_seeds_and_radii_do_not_change_when_the_data_turn(data, h, seed, angle):
    X, y = data
    one, other = (
        SIMPOR(
            informative_portion=1, bandwidth=h, reject_noise=False, max_iter=0, random_state=seed
        )
        for _ in range(2)
    )
    one.fit_resample(X, y)
    other.fit_resample(X @ rotation(X.shape[1], angle), y)
    np.testing.assert_array_equal(other.seed_indices_, one.seed_indices_)
    np.testing.assert_allclose(other.radii_, one.radii_, rtol=1e-9, atol=1e-9)


@settings(max_examples=10)
@given(data=classified(least_rows=4), seed=seeds)
def test_rows_in_another_order_have_the_same_seeds(data, seed):
    X, y = data
    rng = np.random.default_rng(seed)
    X = X + rng.normal(scale=1e-3, size=X.shape)  # so that no two neighbours are equally far
    order = rng.permutation(len(y))
    label, count = 0, 400  # so many that every seed is drawn
    rows = []
    for part in (np.arange(len(y)), order):
        sampler = SIMPOR(
            informative_portion=1, sampling_strategy={label: count}, max_iter=0, random_state=0
        )
        sampler.fit_resample(X[part], y[part])
        rows.append(set(part[sampler.seed_indices_]))
    assert rows[0] == rows[1]
