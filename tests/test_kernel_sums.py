"""The compiled sums: their exponential, and the same bits however they are computed."""

import os
import subprocess
import sys

import numba
import numpy as np
import pytest
from llvmlite import binding

from simpor import _kernel_sums
from simpor._kernel_sums import LANES, _exp2, _load, _store, kernel_sums, n_threads


@numba.njit
def exp2_of_lanes(x):
    for k in range(len(x)):
        _store(x, k, _exp2(_load(x, k)))


def test_exponential_is_right_to_the_last_digits():
    x = -np.concatenate([np.linspace(0, 1, 2000), np.geomspace(1e-12, 1022, 2000)])
    ours = x.reshape(-1, LANES).copy()
    exp2_of_lanes(ours)
    np.testing.assert_allclose(ours.ravel(), np.exp2(x), rtol=6e-16)

    beyond = np.full((1, LANES), -1e9)
    beyond[0, :2] = np.nan, -np.inf
    exp2_of_lanes(beyond)
    np.testing.assert_allclose(beyond, np.exp2(-1022.0), rtol=4e-15)


def test_numba_keeps_its_own_arithmetic():
    @numba.njit
    def smallest_and_largest(a, b, c):
        return min(a, b, c) + a - b * c, max(a, b), min(1, 2)

    assert smallest_and_largest(3.0, 1.0, 2.0) == (2.0, 3.0, 1)


@pytest.fixture
def four_threads(monkeypatch):
    """Four threads for any amount of work, on any machine."""
    monkeypatch.setattr(numba.config, "NUMBA_NUM_THREADS", 4)
    monkeypatch.setattr(_kernel_sums, "MIN_WORK_PER_THREAD", 1)
    _kernel_sums._pool.cache_clear()
    yield
    _kernel_sums._pool.cache_clear()


@pytest.mark.parametrize("n_jobs", [None, 1, 2, -1, 10_000])
def test_as_many_threads_as_asked_for_and_useful(n_jobs, four_threads):
    assert n_threads(n_jobs, work=1000) == {None: 4, -1: 4}.get(n_jobs) or min(n_jobs, 4)
    assert n_threads(n_jobs, work=2) == min(2, n_threads(n_jobs, work=1000))
    assert n_threads(n_jobs, work=0) == 1


def test_one_thread_for_little_work():
    assert n_threads(None, _kernel_sums.MIN_WORK_PER_THREAD) == 1


@pytest.mark.parametrize("d", range(1, 41))
def test_same_bits_with_one_thread_with_several_and_in_parts(d, four_threads):
    rng = np.random.default_rng(d)
    rows, queries = rng.normal(size=(150, d)), 3 * rng.normal(size=(9 * LANES + d, d))
    alone = kernel_sums(queries, rows, 0.7, n_jobs=1)
    for n_jobs in (2, 3, None):
        for a, b in zip(alone, kernel_sums(queries, rows, 0.7, n_jobs)):
            assert a.tobytes() == b.tobytes()
    parts = [kernel_sums(part, rows, 0.7) for part in np.array_split(queries, 7)]
    for a, b in zip(alone, map(np.concatenate, zip(*parts))):
        assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("m", [0, 1, LANES, LANES + 1, 3 * LANES - 1])
def test_fewer_tiles_than_threads(m, four_threads):
    rng = np.random.default_rng(m)
    rows, queries = rng.normal(size=(50, 3)), rng.normal(size=(m, 3))
    for a, b in zip(kernel_sums(queries, rows, 0.7, 1), kernel_sums(queries, rows, 0.7, None)):
        assert a.shape[0] == m
        assert a.tobytes() == b.tobytes()


def test_read_only_arrays_take_the_same_compiled_copy():
    rng = np.random.default_rng(0)
    rows, queries = rng.normal(size=(90, 5)), rng.normal(size=(40, 5))
    expected = kernel_sums(queries, rows, 0.7)
    rows.setflags(write=False)
    queries.setflags(write=False)
    for a, b in zip(expected, kernel_sums(queries, rows, 0.7)):
        assert a.tobytes() == b.tobytes()
    assert (
        len(_kernel_sums.compiled(_kernel_sums._fill_tiles, _kernel_sums._SIGNATURE).signatures)
        == 1
    )


SUMS = """
import hashlib, numpy as np
from simpor._kernel_sums import kernel_sums
sha = hashlib.sha256()
for d in range(1, 41):
    rng = np.random.default_rng(d)
    for array in kernel_sums(3 * rng.normal(size=(70, d)), rng.normal(size=(150, d)), 0.7):
        sha.update(array.tobytes())
print(sha.hexdigest())
"""


def run(code, **environment):
    """What another process prints."""
    there = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | environment,
    )
    return there.stdout.strip()


def test_same_bits_compiled_anew_and_read_from_the_cache(tmp_path):
    anew, read = (run(SUMS, NUMBA_CACHE_DIR=str(tmp_path)) for _ in range(2))
    assert anew == read
    assert list(tmp_path.rglob("*.nbc"))
    assert anew == run(SUMS)  # from the cache that this process uses


AS_IF_THE_PROCESSOR_HAD = """
import numba
import llvmlite.binding as binding

numba.njit(lambda: 1)()  # numba itself asks for the true features
real, binding.get_host_cpu_features = binding.get_host_cpu_features, lambda: {{"avx512f": {wide}}}
from simpor._kernel_sums import LANES
binding.get_host_cpu_features = real
assert LANES == {lanes}
"""


@pytest.mark.parametrize("wide, lanes", [(True, 32), (False, 16)])
def test_same_bits_in_tiles_of_any_width(wide, lanes, tmp_path):
    # LLVM makes narrow registers of wide lanes, so both widths run on any processor
    code = AS_IF_THE_PROCESSOR_HAD.format(wide=wide, lanes=lanes) + SUMS
    assert run(code, NUMBA_CACHE_DIR=str(tmp_path)) == run(SUMS)


def host_features():
    return {name for name, there in binding.get_host_cpu_features().items() if there}


@pytest.mark.parametrize("processor", ["generic", "haswell"])
def test_same_digits_on_other_processors(processor):
    if processor == "haswell" and not {"avx2", "fma"} <= host_features():
        pytest.skip("its instructions would stop this processor")
    code = (
        "import numpy as np; from simpor import GaussianKDE; rng = np.random.default_rng(5);"
        "v, g = GaussianKDE().fit(rng.normal(size=(600, 3))).score_samples_and_gradient(rng.normal(size=(40, 3)));"
        "print(v.tobytes().hex(), g.tobytes().hex())"
    )
    there = run(code, NUMBA_CPU_NAME=processor, NUMBA_CPU_FEATURES="").split()
    # processors that multiply and add in one instruction round once where others round twice
    for a, b in zip(run(code).split(), there):
        here, other = (np.frombuffer(bytes.fromhex(x)) for x in (a, b))
        np.testing.assert_allclose(other, here, rtol=1e-12, atol=1e-12)
