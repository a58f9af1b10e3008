"""Densities, the sampler and the network in other processes, however these are started."""

import multiprocessing
import subprocess
import sys

import pytest

# They guard against processes that wait for ever, on a machine however loaded.
SECONDS = 600

RESULTS = '''
import hashlib
import os
import sys

os.environ["NUMBA_NUM_THREADS"] = "2"  # so that threads are used on any machine

import numpy as np
from sklearn.linear_model import LogisticRegression

from simpor import SIMPOR, GaussianKDE
from simpor._kernel_sums import n_threads


def results(n_jobs):
    """A digest of a density that takes two threads, and of resampled rows."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 4))
    assert n_threads(None, 400 * X.size) == 2
    density = GaussianKDE(n_jobs=n_jobs).fit(X)
    small, labels = X[:60], np.repeat([0, 1], [45, 15])
    sampler = SIMPOR(learner=LogisticRegression(), max_iter=5, n_jobs=n_jobs, random_state=0)
    arrays = *density.score_samples_and_gradient(X[:400]), sampler.fit_resample(small, labels)[0]
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()


def in_a_pool(method):
    import multiprocessing

    with multiprocessing.get_context(method).Pool(2) as pool:
        return pool.map(results, [1, 2, None])


def with_joblib(backend):
    from joblib import Parallel, delayed

    return Parallel(2, backend=backend)(delayed(results)(n_jobs) for n_jobs in (1, 2, None))


def with_dask(processes):
    from distributed import Client

    with Client(n_workers=1, threads_per_worker=2, processes=processes, dashboard_address=None) as client:
        return client.gather(client.map(results, [1, 2, None]))


WAYS = {
    "fork": lambda: in_a_pool("fork"),
    "spawn": lambda: in_a_pool("spawn"),
    "forkserver": lambda: in_a_pool("forkserver"),
    "joblib multiprocessing": lambda: with_joblib("multiprocessing"),
    "joblib loky": lambda: with_joblib("loky"),
    "joblib threading": lambda: with_joblib("threading"),
    "dask": lambda: with_dask(True),
}

if __name__ == "__main__":
    _, way, use = sys.argv
    if use == "after":
        results(None)
    there = WAYS[way]()
    assert set(there) == {results(None)}, there
'''

NETWORK = """
import multiprocessing
import sys

import numpy as np

from simpor import EntropyNetwork, GaussianKDE

X, y = np.linspace(-1, 1, 40)[:, None], np.repeat([0, 1], 20)


def fitted(network):
    return network.fit(X, y).predict_proba(X).tobytes()


def predicted(network):
    return network.predict_proba(X).tobytes()


def failure(task, network):
    try:
        task(network)
    except RuntimeError as error:
        return str(error)
    return ""


if __name__ == "__main__":
    fork, spawn = (multiprocessing.get_context(method) for method in ("fork", "spawn"))
    network = EntropyNetwork(max_epochs=3, random_state=0)
    import tensorflow  # importing it starts no thread

    with fork.Pool(1) as pool:
        before = pool.apply(fitted, [network])
    assert before == fitted(network), "TensorFlow started in the child alone"

    with fork.Pool(1) as pool:
        assert 'start processes with "spawn"' in pool.apply(failure, [fitted, network])
        assert pool.apply(predicted, [network]) == predicted(network)  # needs no TensorFlow
        pool.apply(GaussianKDE().fit(X).gradient, [X])
    with spawn.Pool(1) as pool:
        assert pool.apply(predicted, [network]) == predicted(network)
"""

LOCK = """
import os
import threading

from numba.core.compiler_lock import global_compiler_lock

from simpor import GaussianKDE

held, finished = threading.Event(), threading.Event()


def compile_for_long():
    with global_compiler_lock:
        held.set()
        finished.wait(0.5)


thread = threading.Thread(target=compile_for_long)
thread.start()
held.wait()
child = os.fork()
if child == 0:
    GaussianKDE().fit([[0.0], [1.0]]).gradient([[0.5]])
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
thread.join()
GaussianKDE().fit([[0.0], [1.0]]).gradient([[0.5]])
"""


def run(script, folder, *arguments):
    """Run a script of that text; a process that imports its main module finds it in the file."""
    path = folder / "script.py"
    path.write_text(script)
    process = subprocess.run(
        [sys.executable, path, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert process.returncode == 0, process.stderr
    assert "fork()" not in process.stderr


def needs(method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system has no {method}")


@pytest.mark.parametrize("use", ["before", "after"])
@pytest.mark.parametrize("way", ["fork", "joblib multiprocessing"])
def test_forked_processes_before_and_after_the_first_use(way, use, tmp_path):
    needs("fork")
    run(RESULTS, tmp_path, way, use)


@pytest.mark.parametrize("way", ["spawn", "forkserver", "joblib loky", "joblib threading", "dask"])
def test_other_processes_and_threads_after_the_first_use(way, tmp_path):
    if way == "forkserver":
        needs(way)
    run(RESULTS, tmp_path, way, "after")


def test_a_fork_while_another_thread_compiles(tmp_path):
    needs("fork")
    run(LOCK, tmp_path)


def test_the_network_refuses_a_fork_of_a_process_that_has_used_tensorflow(tmp_path):
    needs("fork")
    run(NETWORK, tmp_path)
