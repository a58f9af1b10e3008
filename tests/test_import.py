"""Import and first use where the surroundings are unusual: no cache, no compiler, another backend."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from simpor import GaussianKDE
from simpor._keras import import_keras

DENSITY = """
import numpy as np
from simpor import GaussianKDE
rng = np.random.default_rng(0)
density = GaussianKDE(bandwidth=0.5).fit(rng.normal(size=(90, 3)))
queries = np.vstack([rng.normal(size=(40, 3)), [[1e200, 0, 0]]])
for array in density.score_samples_and_gradient(queries):
    print(array.tobytes().hex())
"""


def run(code, **environment):
    """What a new process prints; it says nothing else."""
    settings = {name: value for name, value in (os.environ | environment).items() if value}
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=settings
    )
    assert process.returncode == 0, process.stderr
    assert process.stderr == ""
    return process.stdout.split()


@pytest.fixture(scope="module")
def as_usual():
    return run(DENSITY)


NO_FOLDER = """
from numba.core.caching import _CacheLocator

def refuse(self):
    raise PermissionError("a read-only file system")

_CacheLocator.ensure_cache_path = refuse
"""


def test_where_no_cache_can_be_written_it_compiles_without(as_usual):
    assert run(NO_FOLDER + DENSITY) == as_usual


def test_a_read_only_folder_without_a_home(as_usual, root, tmp_path):
    setpriv = shutil.which("setpriv")
    if sys.platform != "linux" or (os.geteuid() == 0 and setpriv is None):
        pytest.skip("the superuser writes everywhere")
    package = tmp_path / "simpor"
    package.mkdir()
    for file in (root / "simpor").glob("*.py"):
        shutil.copy(file, package)
    package.chmod(0o555)
    # no folder of the user's; the variables that choose a processor's arithmetic stay
    of_folders = ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA")
    elsewhere = {name: value for name, value in os.environ.items() if name not in of_folders}
    # the superuser without its privileges
    drop = [setpriv, "--bounding-set", "-all", "--inh-caps", "-all"] if os.geteuid() == 0 else []
    where = f"import simpor; assert simpor.__file__.startswith({str(tmp_path)!r})\n"
    process = subprocess.run(
        [*drop, sys.executable, "-B", "-c", where + DENSITY],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=elsewhere | {"PYTHONPATH": str(tmp_path), "HOME": "/proc/none"},
    )
    assert process.returncode == 0, process.stderr
    assert process.stdout.split() == as_usual and process.stderr == ""
    assert not list(package.rglob("*.nbi"))


def test_a_full_disk(as_usual, tmp_path):
    pytest.importorskip("resource")
    no_file_may_grow = (
        "import simpor, resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
    )
    # without Python's own compiled files, which it could not write either
    assert (
        run(
            no_file_may_grow + DENSITY,
            NUMBA_CACHE_DIR=str(tmp_path),
            PYTHONDONTWRITEBYTECODE="1",
        )
        == as_usual
    )


def test_without_the_compiler_the_formula_gives_the_same_digits(as_usual):
    for text, other in zip(as_usual, run(DENSITY, NUMBA_DISABLE_JIT="1"), strict=True):
        compiled, formula = (np.frombuffer(bytes.fromhex(hexes)) for hexes in (text, other))
        np.testing.assert_allclose(formula, compiled, rtol=1e-10, atol=1e-10)


def test_without_the_compiler_no_array_of_all_kernels_is_held(monkeypatch):
    import numba

    rng = np.random.default_rng(0)
    density = GaussianKDE(bandwidth=0.5).fit(rng.normal(size=(2000, 3)))
    queries = rng.normal(size=(1500, 3))
    expected = density.score_samples(queries)
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    np.testing.assert_allclose(density.score_samples(queries), expected, rtol=1e-10)


NETWORK = """
from simpor import EntropyNetwork
try:
    EntropyNetwork().fit([[0.0], [1.0]], [0, 1])
except ImportError as error:
    print(error)
"""


@pytest.mark.parametrize("backend", ["torch", "jax", "nonsense"])
def test_a_backend_that_is_missing_is_named_with_its_variable(backend):
    if find_spec(backend):
        pytest.skip(f"{backend} is installed")
    process = subprocess.run(
        [sys.executable, "-c", NETWORK],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"KERAS_BACKEND": backend},
    )
    message = process.stdout.strip().splitlines()[-1]
    assert message.startswith(f"KERAS_BACKEND={backend} is set")
    assert "set KERAS_BACKEND=tensorflow before Keras is imported" in message
    assert "learner=" in message and "pip install" not in message


def test_another_backend_is_named_by_everything_that_needs_keras(monkeypatch):
    import keras

    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with pytest.raises(RuntimeError, match="runs on torch here: set KERAS_BACKEND=tensorflow"):
        import_keras()
