"""Seconds and memory of every relative: ``python -m benchmarks relatives``.

Each relative resamples, or learns from, tables of 300, 1,000, 3,000 and 30,000 rows, of which one
in ten belongs to the minority. Every run has a fresh process of its own, whose memory is counted:
the highest that it used beyond what it held before the run. A first run on 300 rows, not timed,
loads and compiles what is needed. Beside the seconds that passed stand the processor's: all its
cores added up, whatever else the machine did. The processor is named, because these rows need not
come from the machine of the other benchmarks. A run of more than five minutes is stopped. Whatever
stands in ``simpor.lab.methods.RELATIVES`` is measured, GDO and DeepSMOTE, and RBO once more with
walks of 500 steps, which by default end by chance after 49 on average.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from llvmlite.binding import get_host_cpu_name

from simpor.lab.methods import METHODS, RELATIVES, Method
from simpor.relatives import RBO

SIZES = (300, 1_000, 3_000, 30_000)
SECONDS_AT_MOST = 300
LONG_WALKS = Method(
    "rbo-500-steps",
    "RBO (500 steps)",
    "koziarski2019rbo",
    "sampler",
    lambda seed: RBO(stop_probability=0.0, random_state=seed),
)
MEASURED = {
    "gdo": METHODS["gdo"],
    "deepsmote": METHODS["deepsmote"],
    **RELATIVES,
    LONG_WALKS.name: LONG_WALKS,
}

#: More rows than these are not tried, for the reason given.
LARGEST = {
    "kotaro": (10_000, "its matrix of all pairs of rows would fill 7 GB, twice"),
    "k-smote": (10_000, "its matrix of all pairs, synthetic rows included, would fill 23 GB"),
    "wk-smote": (10_000, "its matrix of all pairs, synthetic rows included, would fill 23 GB"),
    "edks": (10_000, "its matrix of all pairs, synthetic rows included, would fill 23 GB"),
    "rbo-500-steps": (10_000, "takes ten times as long as RBO, some 20 minutes"),
    "moms": (10_000, "its matrix of all pairs of mapped rows would fill 2.3 GB, several times"),
}

RUN = """
import resource, sys, time, warnings
from benchmarks.relatives import MEASURED, rows_of

name, n_rows = sys.argv[1], int(sys.argv[2])
method = MEASURED[name]

def run(n_rows):
    X, y = rows_of(n_rows)
    begin, begin_busy = time.perf_counter(), time.process_time()
    if method.kind == "sampler":
        method.make(0).fit_resample(X, y)
    else:
        method.make(0).fit(X, y)
    return time.perf_counter() - begin, time.process_time() - begin_busy

def highest():
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20

warnings.simplefilter("ignore")
run(300)
before = highest()
print(*run(n_rows), highest() - before)
"""


def rows_of(n_rows, n_features=10):
    """Two overlapping Gaussians, one in ten rows in the second."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [n_rows - n_rows // 10, n_rows // 10])
    X = rng.normal(size=(n_rows, n_features))
    X[y == 1, 0] += 2
    return X, y


def measure(names=tuple(MEASURED), sizes=SIZES, seconds_at_most=SECONDS_AT_MOST):
    """One row for each relative and size: seconds and MiB, or the reason why there are none."""
    table = []
    for n_rows in sizes:
        for name in names:
            facts = measure_one(name, n_rows, seconds_at_most)
            table.append({"relative": name, "rows": n_rows, **facts})
            print(*table[-1].values(), sep=", ", flush=True)
    columns = ["relative", "rows", "seconds", "processor_seconds", "MiB", "reason"]
    return pd.DataFrame(table, columns=columns).assign(processor=get_host_cpu_name())


def measure_one(name, n_rows, seconds_at_most):
    most, reason = LARGEST.get(name, (np.inf, ""))
    if n_rows > most:
        return {"reason": reason}
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-c", RUN, name, str(n_rows)]
    try:
        process = subprocess.run(
            command,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds_at_most,
        )
    except subprocess.TimeoutExpired:
        return {"reason": f"takes more than {seconds_at_most} s"}
    if process.returncode != 0:
        lines = process.stderr.strip().splitlines()
        return {"reason": lines[-1] if lines else "was stopped: too little memory"}
    seconds, processor_seconds, mebibytes = map(float, process.stdout.split()[-3:])
    return {
        "seconds": round(seconds, 2),
        "processor_seconds": round(processor_seconds, 2),
        "MiB": round(mebibytes),
        "reason": "",
    }


def show(table):
    """Print seconds, processor seconds and memory, one column for each number of rows."""
    labels = {name: MEASURED[name].label for name in dict.fromkeys(table["relative"])}
    entries = [
        row.reason
        or f"{row.seconds:.2f} s, {row.processor_seconds:.2f} s of processors, {row.MiB:.0f} MiB"
        for row in table.itertuples()
    ]
    wide = table.assign(entry=entries).pivot(index="relative", columns="rows", values="entry")
    print(wide.reindex(labels).rename(index=labels).to_string())
