"""What a user waits for before the first result: ``python -m benchmarks start-up``.

Every time is taken in a fresh process, and the best of some counts. The import is counted beyond
imbalanced-learn and numba, which `simpor` stands on and most users have imported anyway. The first
density of a user's first session compiles; a second session reads what the first one stored.
"""

import os
import subprocess
import sys
import tempfile

import pandas as pd

IMPORT = """
import time
import imblearn.over_sampling, numba
begin = time.perf_counter()
import simpor
print(time.perf_counter() - begin)
"""

FIRST_DENSITY = """
import time
import numpy as np
from simpor import GaussianKDE
rows = np.random.default_rng(0).normal(size=(100, 3))
begin = time.perf_counter()
GaussianKDE().fit(rows).score_samples_and_gradient(rows)
print(time.perf_counter() - begin)
"""


def seconds_in_a_fresh_process(code, cache):
    """What the code prints, with compiled code kept in the folder `cache`."""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache)}
    printed = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return float(printed.stdout)


def measure(turns=3):
    """Seconds of the import and of the first density, in a first and in a second session."""
    times = {"import": [], "first density, first session": [], "first density, second session": []}
    for _ in range(turns):
        with tempfile.TemporaryDirectory() as cache:
            times["import"].append(seconds_in_a_fresh_process(IMPORT, cache))
            for session in ("first", "second"):
                name = f"first density, {session} session"
                times[name].append(seconds_in_a_fresh_process(FIRST_DENSITY, cache))
    return pd.DataFrame(
        [(name, round(min(seconds), 3)) for name, seconds in times.items()],
        columns=["what", "seconds"],
    )


def show(table):
    print("Start-up, best of fresh processes:")
    print(table.to_string(index=False))
