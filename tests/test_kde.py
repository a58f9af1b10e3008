"""GaussianKDE against a NumPy twin that reads like the formula, mpmath and scikit-learn."""

import tracemalloc

import mpmath
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import logsumexp
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KernelDensity

from simpor import GaussianKDE
from simpor._kernel_sums import BLOCK
from simpor.kde import kernel_sums_by_formula, scott_bandwidth


def twin(queries, rows, h):
    """Log density and gradient by the formula, with every kernel in one array."""
    n, d = rows.shape
    differences = rows[None] - queries[:, None]
    exponents = -0.5 * np.sum((differences / h) ** 2, axis=2)
    log_density = (
        logsumexp(exponents, axis=1) - np.log(n) - d * np.log(h) - d / 2 * np.log(2 * np.pi)
    )
    weights = np.exp(exponents - logsumexp(exponents, axis=1, keepdims=True))
    return log_density, np.einsum("mn,mnd->md", weights, differences) / h**2


@pytest.mark.parametrize("d", [1, 2, 3, 8, 13, 30, 50])
@pytest.mark.parametrize("h", [1e-3, 0.1, 1.0, 30.0, 1e3])
@pytest.mark.parametrize("n", [1, 2, BLOCK - 1, BLOCK + 1, 1100])
def test_agrees_with_the_formula(d, h, n):
    rng = np.random.default_rng(d * n)
    rows = rng.normal(size=(n, d))
    rows[n // 2 :] = rows[: n - n // 2]  # duplicates
    near = rng.normal(size=(5, d))
    far = rows[:1] + h * np.geomspace(1, 1e6, 5)[:, None] * rng.normal(size=(5, d))
    density = GaussianKDE(bandwidth=h).fit(rows)

    value, gradient = density.score_samples_and_gradient(np.vstack([near, rows[:1], far]))
    expected, _ = twin(np.vstack([near, rows[:1], far]), rows, h)
    np.testing.assert_allclose(value, expected, rtol=1e-10, atol=1e-10)

    # far away the twin's own weights are rounding noise: the gradient is compared near the rows
    _, gradient_near = twin(near, rows, h)
    np.testing.assert_allclose(gradient[:5], gradient_near, rtol=1e-7, atol=1e-9 / h)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("d", [1, 3, 30])
@pytest.mark.parametrize("h", [0.1, 1.0, 30.0])
def test_the_formula_of_the_module_agrees_with_the_twin(d, h):
    rng = np.random.default_rng(d)
    rows, queries = rng.normal(size=(70, d)), rng.normal(size=(9, d))
    log_sum, shift = kernel_sums_by_formula(queries, rows, h)
    log_density, gradient = twin(queries, rows, h)
    norm = np.log(70) + d * np.log(h) + d / 2 * np.log(2 * np.pi)
    np.testing.assert_allclose(log_sum - norm, log_density, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(shift / h**2, gradient, rtol=1e-9, atol=1e-10 / h**2)


def exactly(query, rows, h):
    """Log density and gradient in 60 decimal digits."""
    with mpmath.workdps(60):
        d, h = len(query), mpmath.mpf(h)
        differences = [[mpmath.mpf(b) - mpmath.mpf(a) for a, b in zip(query, row)] for row in rows]
        kernels = [mpmath.exp(-mpmath.fdot(v, v) / (2 * h**2)) for v in differences]
        total = mpmath.fsum(kernels)
        log_density = mpmath.log(total / len(rows) / h**d) - d * mpmath.log(2 * mpmath.pi) / 2
        pulls = [mpmath.fdot(kernels, column) / total / h**2 for column in zip(*differences)]
        return float(log_density), [float(pull) for pull in pulls]


@pytest.mark.parametrize("h", [0.01, 0.7, 20.0])
@pytest.mark.parametrize("d", [1, 4, 30])
def test_agrees_with_sixty_digits(d, h):
    rng = np.random.default_rng(d)
    rows = np.vstack([rng.normal(size=(40, d)), rng.normal(1e3, 1.0, size=(3, d))])
    queries = np.vstack([rng.normal(size=(4, d)), rows[-1:], rng.normal(0, 1e4, size=(3, d))])
    value, gradient = GaussianKDE(bandwidth=h).fit(rows).score_samples_and_gradient(queries)
    for query, our_value, our_gradient in zip(queries, value, gradient):
        exact_value, exact_gradient = exactly(query, rows, h)
        assert our_value == pytest.approx(exact_value, rel=1e-13, abs=1e-13)
        # weights hang on exponents: a relative error in these is an absolute one in their logarithm
        digits = 1e-15 * abs(our_value) * np.abs(queries).max() / h**2
        np.testing.assert_allclose(our_gradient, exact_gradient, rtol=1e-12, atol=digits)


def test_scott_is_the_rule_of_the_paper():
    rows = np.random.default_rng(0).normal(size=(200, 3))
    assert GaussianKDE().fit(rows).bandwidth_ == 200 ** (-1 / 7) == scott_bandwidth(200, 3)
    assert KernelDensity(bandwidth="scott").fit(rows).bandwidth_ == 200 ** (-1 / 7)


def test_agrees_with_scikit_learn_without_its_tree():
    rng = np.random.default_rng(1)
    rows, queries = rng.normal(size=(300, 30)), rng.normal(size=(50, 30))
    exact = KernelDensity(bandwidth=0.8, leaf_size=300).fit(rows)
    ours = GaussianKDE(bandwidth=0.8).fit(rows)
    np.testing.assert_allclose(
        ours.score_samples(queries), exact.score_samples(queries), rtol=1e-12
    )


def test_a_search_finds_the_bandwidth_that_scikit_learn_finds():
    rows = np.random.default_rng(2).normal(size=(60, 2))
    ours, theirs = (
        GridSearchCV(density, {"bandwidth": [0.1, 0.3, 0.5, 1.0, 2.0]}).fit(rows)
        for density in (GaussianKDE(), KernelDensity(atol=0, rtol=0))
    )
    assert ours.best_params_ == theirs.best_params_
    np.testing.assert_allclose(
        ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"], rtol=1e-9
    )


def test_integrates_to_one():
    density = GaussianKDE(bandwidth=0.3).fit(np.array([[-1.0], [0.0], [2.0]]))
    total, _ = quad(lambda x: np.exp(density.score_samples([[x]])[0]), -8, 8, limit=200)
    assert total == pytest.approx(1, abs=1e-8)


def test_gradient_agrees_with_finite_differences():
    rng = np.random.default_rng(2)
    density = GaussianKDE(bandwidth=0.5).fit(rng.normal(size=(80, 4)))
    queries, step = rng.normal(size=(20, 4)), 1e-5
    differences = [
        (density.score_samples(queries + step * e) - density.score_samples(queries - step * e))
        / (2 * step)
        for e in np.eye(4)
    ]
    np.testing.assert_allclose(
        density.gradient(queries), np.transpose(differences), rtol=1e-6, atol=1e-8
    )


def test_single_row_is_a_normal_density():
    density = GaussianKDE(bandwidth=2.0).fit([[1.0, 1.0]])
    assert density.score_samples([[1.0, 1.0]])[0] == pytest.approx(-np.log(2 * np.pi * 4))
    np.testing.assert_allclose(density.gradient([[3.0, 1.0]]), [[-0.5, 0.0]], atol=1e-15)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("query", [1e150, 1e160, 1e300])
def test_no_distance_is_too_far(query):
    density = GaussianKDE(bandwidth=1e-3).fit([[0.0, 0.0], [1.0, 0.0]])
    value, gradient = density.score_samples_and_gradient([[query, 0.0]])
    assert value[0] == -np.inf or value[0] < -1e300
    assert gradient[0, 0] < 0 and np.isfinite(gradient).all()


def test_far_query_is_drawn_to_the_mean_of_the_rows():
    density = GaussianKDE(bandwidth=1e-3).fit([[0.0, 0.0], [1.0, 0.0]])
    value, gradient = density.score_samples_and_gradient([[1e200, 0.0], [0.5, 1e200], [0.5, 0.0]])
    assert value[:2].tolist() == [-np.inf, -np.inf] and np.isfinite(value[2])
    np.testing.assert_allclose(
        gradient * 1e-6, [[-1e200, 0], [0, -1e200], [0, 0]], rtol=1e-12, atol=1e-9
    )


def test_far_query_is_drawn_to_the_mean_of_all_blocks_of_rows():
    rows = np.random.default_rng(10).normal(size=(3 * BLOCK + 1, 2))
    gradient = GaussianKDE(bandwidth=1.0).fit(rows).gradient([[0.0, 1e200]])
    assert gradient[0, 0] == pytest.approx(rows[:, 0].mean(), rel=1e-12)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("power", [-900, -600, 600, 900])
def test_a_change_of_unit_changes_no_digit(power):
    rng = np.random.default_rng(7)
    rows, queries = rng.normal(size=(200, 3)), rng.normal(size=(40, 3))
    value, gradient = GaussianKDE(bandwidth=0.4).fit(rows).score_samples_and_gradient(queries)
    density = GaussianKDE(bandwidth=np.ldexp(0.4, power)).fit(np.ldexp(rows, power))
    other_value, other_gradient = density.score_samples_and_gradient(np.ldexp(queries, power))
    np.testing.assert_allclose(other_value, value - 3 * power * np.log(2), rtol=1e-12)
    np.testing.assert_array_equal(other_gradient, np.ldexp(gradient, -power))


def test_rows_far_from_the_origin():
    rng = np.random.default_rng(8)
    rows, queries = (np.round(rng.normal(size=(n, 4)), 6) for n in (300, 50))
    near = GaussianKDE(bandwidth=0.5).fit(rows).score_samples_and_gradient(queries)
    offset = 2.0**20  # about 1e6, so that ten digits after the point are left
    away = (
        GaussianKDE(bandwidth=0.5).fit(rows + offset).score_samples_and_gradient(queries + offset)
    )
    for a, b in zip(near, away):
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-8)


def test_differences_of_exact_numbers_are_exact():
    rng = np.random.default_rng(9)
    rows, queries = (np.round(4 * rng.normal(size=(n, 3))) / 4 for n in (90, 40))
    for h in (0.3, 0.5, 1.7):
        density = GaussianKDE(bandwidth=h)
        near = density.fit(rows).score_samples(queries)
        assert (
            near.tobytes() == density.fit(rows + 2.0**40).score_samples(queries + 2.0**40).tobytes()
        )


def test_rows_too_large_for_the_bandwidth():
    with pytest.raises(ValueError, match="give a larger bandwidth"):
        GaussianKDE(bandwidth=1e-200).fit([[1e200]])


def test_rows_whose_sum_is_too_large():
    with pytest.raises(ValueError, match="scale the features"):
        GaussianKDE(bandwidth=1.0).fit([[1.5e308], [1.5e308]])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("bandwidth", [1e-300, 1e-200, 1.0, 1e200, 1e300])
def test_every_gradient_is_a_float(bandwidth):
    density = GaussianKDE(bandwidth=bandwidth).fit([[0.0, 0.0], [bandwidth, 0.0]])
    value, gradient = density.score_samples_and_gradient([[1e307, -1e307], [bandwidth, 0.0]])
    assert not np.isnan(value).any()
    assert np.isfinite(gradient).all() and gradient[0, 0] <= 0 <= gradient[0, 1]


def test_no_array_of_queries_by_rows_is_held():
    rng = np.random.default_rng(3)
    rows, queries = rng.normal(size=(20_000, 2)), rng.normal(size=(2_000, 2))
    density = GaussianKDE().fit(rows)
    density.gradient(queries[:1])
    tracemalloc.start()
    density.gradient(queries)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000 * 20_000 * 8 / 100


def test_any_array_layout():
    rng = np.random.default_rng(6)
    rows = rng.normal(size=(100, 6))
    expected = GaussianKDE().fit(rows).gradient(rows)
    rows.setflags(write=False)
    for same in (np.asfortranarray(rows), np.repeat(rows, 2, axis=0)[::2], rows.tolist()):
        np.testing.assert_array_equal(GaussianKDE().fit(same).gradient(same), expected)


@pytest.mark.parametrize(
    "bandwidth, error",
    [
        (0, ValueError),
        (-1.0, ValueError),
        (np.inf, ValueError),
        (np.nan, ValueError),
        ("silverman", TypeError),
        (True, TypeError),
    ],
)
def test_bandwidth_out_of_range(bandwidth, error):
    with pytest.raises(error, match="give a positive"):
        GaussianKDE(bandwidth=bandwidth).fit([[0.0]])


@pytest.mark.parametrize(
    "rows, complaint",
    [
        ([[np.nan]], "contains NaN"),
        ([[np.inf]], "contains infinity"),
        (np.empty((0, 2)), "minimum of 1 is required"),
        ([["a"]], "could not convert string"),
        ([1.0, 2.0], "Expected 2D array"),
    ],
)
def test_bad_rows(rows, complaint):
    with pytest.raises(ValueError, match=complaint):
        GaussianKDE().fit(rows)


def test_bad_threads_and_features():
    for n_jobs in (0, -2, 1.5, "2"):
        with pytest.raises(ValueError, match=f"n_jobs={n_jobs!r}"):
            GaussianKDE(n_jobs=n_jobs).fit([[0.0]])
    with pytest.raises(ValueError, match="features"):
        GaussianKDE().fit([[0.0, 1.0]]).score_samples([[0.0]])
