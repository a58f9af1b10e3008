"""The sums and the climb on arrays of other libraries, and ``device=``."""

import subprocess
import sys
from contextlib import nullcontext

import array_api_strict as strict
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from simpor import SIMPOR, GaussianKDE, PosteriorRatio, ascend_on_sphere
from simpor import _device as on_device
from simpor.kde import (
    LARGEST_CANCELLATION,
    _cancellation,
    kernel_sums_by_formula,
    kernel_sums_by_products,
)
from simpor.sphere import climb_from

SUMS = (kernel_sums_by_formula, kernel_sums_by_products)


class StrictDevice:
    """In place of a GPU: arrays that refuse all that is not in the array API standard."""

    @staticmethod
    def asarray(array):
        return strict.asarray(array)

    @staticmethod
    def to_numpy(array):
        return np.asarray(array)

    @staticmethod
    def queries_at_once(n_rows):
        return 7

    enough_memory = nullcontext


@pytest.fixture
def torch():
    pytest.importorskip("array_api_compat", reason="the extra gpu is not installed")
    return pytest.importorskip("torch", reason="the extra gpu is not installed")


@pytest.fixture(params=["strict", "torch"])
def device(request, monkeypatch):
    """A device in place of the GPU, and the name by which `device=` finds it."""
    if request.param == "torch":
        request.getfixturevalue("torch")
        return "cpu"
    for module in ("kde", "posterior", "sampler", "_ratio_climb"):
        for name, replacement in (
            ("open_device", lambda name: StrictDevice),
            ("check_device", lambda name: None),
        ):
            monkeypatch.setattr(sys.modules[f"simpor.{module}"], name, replacement, raising=False)
    return "strict"


def two_classes(n=120, d=3):
    rng = np.random.default_rng(0)
    y = np.arange(n) % 6 == 0
    return rng.normal(size=(n, d)) + y[:, None], y.astype(int)


@pytest.mark.parametrize("sums", SUMS)
@pytest.mark.parametrize("d", [1, 2, 30])
def test_sums_need_nothing_but_the_standard(sums, d):
    rng = np.random.default_rng(0)
    queries, rows = rng.normal(size=(20, d)), rng.normal(size=(50, d))
    log_sum, shift = sums(strict.asarray(queries), strict.asarray(rows), 0.7)
    expected = kernel_sums_by_formula(queries, rows, 0.7)
    assert_allclose(np.asarray(log_sum), expected[0], rtol=0, atol=1e-12)
    assert_allclose(np.asarray(shift), expected[1], rtol=0, atol=1e-12)


@pytest.mark.parametrize("offset", [0.0, 1e3, 1e8])
def test_products_are_as_exact_as_differences_far_from_the_origin(offset):
    rng = np.random.default_rng(0)
    queries, rows = rng.normal(size=(30, 4)) + offset, rng.normal(size=(60, 4)) + offset
    for sums, expected in zip(
        kernel_sums_by_products(queries, rows, 0.5), kernel_sums_by_formula(queries, rows, 0.5)
    ):
        assert_allclose(sums, expected, rtol=0, atol=1e-9 * max(1.0, 1e-6 * offset))


def test_where_products_cancel_differences_are_taken(monkeypatch):
    """Rows far out do not harm the sums elsewhere; queries beside them are summed by the formula."""
    rng = np.random.default_rng(0)
    rows = np.vstack([rng.normal(size=(999, 2)), [[1e3, 1e3], [1e3, 1e3 + 1]]])
    queries = np.vstack([rng.normal(size=(5, 2)), rows[-2:] + 0.25])
    summed = []

    def by_formula(some_queries, *arguments):
        summed.append(some_queries)
        return kernel_sums_by_formula(some_queries, *arguments)

    monkeypatch.setattr("simpor.kde.kernel_sums_by_formula", by_formula)
    log_sum, shift = kernel_sums_by_products(queries, rows, 0.5)
    expected = kernel_sums_by_formula(queries, rows, 0.5)
    assert_allclose(log_sum, expected[0], rtol=0, atol=1e-9)
    assert_allclose(shift[:5], expected[1][:5], rtol=0, atol=1e-9)
    assert_array_equal(shift[5:], expected[1][5:])
    assert np.vstack(summed).shape == (2, 2) and np.all(np.vstack(summed) > 900)


@pytest.mark.parametrize("scale", [1.0, 1e2, 1e4, 1e6])
def test_the_bound_of_the_cancellation_holds(scale):
    rng = np.random.default_rng(0)
    x_i = rng.normal(size=(200, 5)) * scale
    x = x_i[:50] + rng.normal(size=(50, 5))
    squares = np.sum(x**2, axis=1)
    products = -0.5 * (squares[:, None] - 2 * (x @ x_i.T) + np.sum(x_i**2, axis=1))
    exact = -0.5 * np.sum((x[:, None].astype("longdouble") - x_i[None]) ** 2, axis=2)
    bound = _cancellation(squares, products, 5)
    matters = exact > exact.max(axis=1, keepdims=True) - 40
    error = np.max(np.abs(products - exact), axis=1, where=matters, initial=0.0)
    assert np.all(error <= bound)
    assert np.all(bound <= LARGEST_CANCELLATION) == (scale == 1.0)


@pytest.mark.parametrize("step", ["adaptive", 0.01])
def test_the_climb_needs_nothing_but_the_standard(step):
    X, y = two_classes()
    ratio = PosteriorRatio().fit(X, y)
    centers, radii = X[y == 1], np.linspace(0.0, 1.5, np.sum(y == 1))
    rng = np.random.default_rng(0)
    start = rng.normal(size=centers.shape)
    start /= np.linalg.norm(start, axis=1, keepdims=True)
    expected = ascend_on_sphere(
        ratio.log_ratio_and_gradient, centers, radii, start=centers + start, step=step, max_iter=60
    )

    def objective(points):
        value, gradient = ratio.log_ratio_and_gradient(np.asarray(points))
        return strict.asarray(value), strict.asarray(gradient)

    arrays = map(strict.asarray, (centers, radii, start))
    ascent = climb_from(objective, *arrays, step, 60, 1e-4)
    for got, wanted in zip(ascent, expected):
        assert_allclose(np.asarray(got), wanted, rtol=1e-7, atol=1e-7)


def test_densities_on_a_device(device):
    X, y = two_classes()
    queries = np.vstack([X * 1.1, X[:3] * 1e4, X[:3] * 1e170])
    here, there = PosteriorRatio().fit(X, y), PosteriorRatio(device=device).fit(X, y)
    for got, wanted in zip(
        there.log_ratio_and_gradient(queries), here.log_ratio_and_gradient(queries)
    ):
        assert isinstance(got, np.ndarray) and np.isfinite(got).all()
        assert_allclose(got, wanted, rtol=1e-9, atol=1e-9)
    kde_here, kde_there = GaussianKDE().fit(X), GaussianKDE(device=device).fit(X)
    assert_allclose(
        kde_there.score_samples(queries), kde_here.score_samples(queries), rtol=1e-12, atol=1e-9
    )
    assert_allclose(kde_there.gradient(queries), kde_here.gradient(queries), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"radius": "uniform", "remaining": "random"},
        {"step": 1e-2, "max_iter": 20},
        {"max_iter": 0},
        {"bandwidth": (0.5, 0.9), "sampling_strategy": {1: 40}},
    ],
)
def test_a_sampler_on_a_device(device, settings):
    X, y = two_classes()
    settings = {"informative_portion": 1, "random_state": 0} | settings
    here, there = SIMPOR(**settings), SIMPOR(**settings, device=device)
    (X_here, y_here), (X_there, y_there) = here.fit_resample(X, y), there.fit_resample(X, y)
    assert_array_equal(y_there, y_here)
    assert_array_equal(X_there[: len(X)], X)
    for same in ("seed_indices_", "radii_", "region_", "informative_mask_"):
        assert_array_equal(getattr(there, same), getattr(here, same))
    assert_allclose(there.log_ratio_start_, here.log_ratio_start_, rtol=0, atol=1e-9)
    assert np.all(there.log_ratio_ >= there.log_ratio_start_)
    distances = np.linalg.norm(X_there[len(X) :] - X[there.seed_indices_], axis=1)
    assert_allclose(distances, there.radii_, rtol=1e-9, atol=1e-12)
    # two summits may lie so near each other that rounding decides between them
    same_summit = np.abs(there.log_ratio_ - here.log_ratio_) < 1e-6
    assert same_summit.mean() > 0.9
    assert_allclose(X_there[len(X) :][same_summit], X_here[len(X) :][same_summit], atol=1e-3)
    again, _ = clone(there).fit_resample(X, y)
    assert again.tobytes() == X_there.tobytes()


def test_one_dimension_and_far_rows_on_a_device(device):
    X, y = two_classes(d=1)
    for scale in (1.0, 1e150):
        settings = {"informative_portion": 1, "random_state": 0, "reject_noise": False}
        here, _ = SIMPOR(**settings).fit_resample(X * scale, y)
        there, _ = SIMPOR(**settings, device=device).fit_resample(X * scale, y)
        assert_allclose(there, here, rtol=1e-9)


def test_only_what_has_not_stopped_is_evaluated():
    """All points climb together, and those that have ended are dropped."""
    lengths = []

    def objective(points):
        lengths.append(points.shape[0])
        return points[:, 1], strict.asarray(np.tile([0.0, 1.0], (points.shape[0], 1)))

    start = strict.asarray([[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]])
    climb_from(objective, strict.zeros((3, 2)), strict.asarray([1.0, 1.0, 0.0]), start, 0.5, 9, 0.0)
    assert lengths[0] == 3 and max(lengths[1:]) < 3


def test_without_pytorch_one_sentence_says_what_to_do(monkeypatch):
    on_device.open_device.cache_clear()
    monkeypatch.setitem(sys.modules, "torch", None)
    for estimator in (
        GaussianKDE(device="cuda"),
        PosteriorRatio(device="cuda"),
        SIMPOR(device="cuda"),
    ):
        fit = getattr(estimator, "fit_resample", estimator.fit)
        with pytest.raises(ImportError, match="device='cuda' needs PyTorch.*pip install torch"):
            fit(*two_classes())


@pytest.mark.parametrize("name", ["mps", "meta", "nonsense"])
def test_a_device_without_float64_or_that_is_not_there(torch, name):
    with pytest.raises(ValueError, match=f'device={name!r} does not compute in float64.*"cpu"'):
        GaussianKDE(device=name).fit(two_classes()[0])


def test_a_device_is_named():
    with pytest.raises(TypeError, match="device=0: give the name of a PyTorch device"):
        GaussianKDE(device=0).fit(two_classes()[0])


def test_a_table_that_does_not_fit(torch, monkeypatch):
    monkeypatch.setattr(on_device, "USUAL_BYTES", 100)
    with pytest.raises(MemoryError, match="does not fit into the memory of device='cpu'"):
        GaussianKDE(device="cpu").fit(two_classes()[0]).score_samples([[0.0, 0.0, 0.0]])


def test_pytorch_is_not_imported_before_it_is_asked_for():
    # array-api-compat is loaded by scikit-learn 1.6 where it is installed
    code = "import sys, simpor; simpor.SIMPOR(); print('torch' in sys.modules)"
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert process.stdout.strip() == "False"
