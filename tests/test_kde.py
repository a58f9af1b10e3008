"""GaussianKDE against a NumPy twin that reads like the formula, mpmath and scikit-learn."""

import hashlib
import os
import platform
import subprocess
import sys
import tracemalloc

import mpmath
import numba
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import logsumexp
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KernelDensity

from simpor import GaussianKDE
from simpor.kde import BLOCK, LANES, _exp, _load, _store, _threads, scott_bandwidth


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


@numba.njit
def exp_of_lanes(x):
    for k in range(len(x)):
        _store(x, k, _exp(_load(x, k)))


def test_exponential_is_right_to_the_last_digits():
    x = -np.concatenate([np.linspace(0, 1, 2000), np.geomspace(1e-12, 708, 2000)])
    ours = x.reshape(-1, LANES).copy()
    exp_of_lanes(ours)
    np.testing.assert_allclose(ours.ravel(), np.exp(x), rtol=6e-16)

    beyond = np.full((1, LANES), -1e9)
    beyond[0, :2] = np.nan, -np.inf
    exp_of_lanes(beyond)
    np.testing.assert_allclose(beyond, np.exp(-708.0), rtol=4e-15)


def test_numba_keeps_its_own_arithmetic():
    @numba.njit
    def smallest_and_largest(a, b, c):
        return min(a, b, c) + a - b * c, max(a, b), min(1, 2)

    assert smallest_and_largest(3.0, 1.0, 2.0) == (2.0, 3.0, 1)


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


def test_same_bits_with_one_thread_two_threads_and_in_parts():
    rng = np.random.default_rng(4)
    rows, queries = rng.normal(size=(1500, 5)), rng.normal(size=(301, 5))
    one, two = (GaussianKDE(n_jobs=n).fit(rows).gradient(queries) for n in (1, 2))
    parts = np.vstack(
        [GaussianKDE().fit(rows).gradient(part) for part in np.array_split(queries, 7)]
    )
    assert one.tobytes() == two.tobytes() == parts.tobytes()


@pytest.mark.parametrize("n_jobs", [None, 1, 2, -1, 10_000])
def test_threads_as_asked_for_and_afterwards_as_before(n_jobs):
    most, before = numba.config.NUMBA_NUM_THREADS, numba.get_num_threads()
    GaussianKDE(n_jobs=n_jobs).fit([[0.0]])
    with _threads(n_jobs, useful=most):
        expected = {None: before, -1: most}.get(n_jobs) or min(n_jobs, most)
        assert numba.get_num_threads() == expected
    with _threads(n_jobs, useful=0):
        assert numba.get_num_threads() == 1
    assert numba.get_num_threads() == before
    with pytest.raises(ZeroDivisionError), _threads(n_jobs, useful=most):
        1 / 0  # noqa: B018
    assert numba.get_num_threads() == before


def test_same_bits_compiled_anew_and_read_from_the_cache(tmp_path):
    code = (
        "import hashlib, numpy as np; from simpor import GaussianKDE; rng = np.random.default_rng(5);"
        "g = GaussianKDE().fit(rng.normal(size=(600, 3))).gradient(rng.normal(size=(40, 3)));"
        "print(hashlib.sha256(g.tobytes()).hexdigest())"
    )
    rng = np.random.default_rng(5)
    here = GaussianKDE().fit(rng.normal(size=(600, 3))).gradient(rng.normal(size=(40, 3)))
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    for _ in range(2):  # the first compiles, the second reads
        there = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        )
        assert there.stdout.strip() == hashlib.sha256(here.tobytes()).hexdigest()
    assert list(tmp_path.rglob("*.nbc"))


@pytest.mark.parametrize("processor", ["generic", "haswell"])
def test_same_digits_on_other_processors(processor):
    if processor == "haswell" and platform.machine() != "x86_64":
        pytest.skip("an x86 processor")
    code = (
        "import numpy as np; from simpor import GaussianKDE; rng = np.random.default_rng(5);"
        "v, g = GaussianKDE().fit(rng.normal(size=(600, 3))).score_samples_and_gradient(rng.normal(size=(40, 3)));"
        "print(v.tobytes().hex(), g.tobytes().hex())"
    )
    rng = np.random.default_rng(5)
    here = (
        GaussianKDE()
        .fit(rng.normal(size=(600, 3)))
        .score_samples_and_gradient(rng.normal(size=(40, 3)))
    )
    environment = os.environ | {"NUMBA_CPU_NAME": processor, "NUMBA_CPU_FEATURES": ""}
    there = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    for a, b in zip(here, there.stdout.split()):
        np.testing.assert_allclose(
            np.frombuffer(bytes.fromhex(b)).reshape(a.shape), a, rtol=1e-12, atol=1e-12
        )


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
