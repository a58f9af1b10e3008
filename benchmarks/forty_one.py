"""Seconds to oversample the 41 sets of the TAI paper: ``python -m benchmarks forty-one``.

As for Table IV, each set is balanced once. Here it is the training part of a stratified split of 80
to 20, standardised, by SIMPOR with its default settings; the time spent on the informative region
(the entropy network) is taken apart from the rest (densities, neighbours, ascent). Both are the
best of a few runs.

With ``--against REVISION`` the module of that revision of git runs beside today's, in turn and on
the same rows, with an informative region that is given to both.
"""

import os
import time
from unittest.mock import patch

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pandas as pd

import simpor.sampler
from benchmarks.revision import ROOT, Worker, checked_out
from benchmarks.training_parts import quick_region, training_part
from simpor import SIMPOR
from simpor.lab.datasets import FORTY_ONE
from simpor.lab.published import forty_one

TIMES = 3


def balance(X, y):
    """Seconds for one training part: for the informative region, and for all else."""
    region_seconds = 0.0

    def timed_region(*args, **settings):
        nonlocal region_seconds
        begin = time.perf_counter()
        mask = simpor.informative_region(*args, **settings)
        region_seconds = time.perf_counter() - begin
        return mask

    with patch.object(simpor.sampler, "informative_region", timed_region):
        begin = time.perf_counter()
        SIMPOR(random_state=0, n_jobs=-1).fit_resample(X, y)
        return region_seconds, time.perf_counter() - begin - region_seconds


def measure(names=FORTY_ONE):
    """One row a set: seconds without the entropy network, with it, and those of Table IV."""
    printed = forty_one("seconds")["SIMPOR"]
    table = []
    for name in names:
        X, y = training_part(name)
        if not table:
            balance(X, y)  # compiles, and imports Keras
        region, rest = np.min([balance(X, y) for _ in range(TIMES)], axis=0)
        table.append((name, *X.shape, rest, rest + region, printed[name]))
    columns = ["dataset", "rows", "features", "without_network", "with_network", "table_4"]
    return pd.DataFrame(table, columns=columns).round(4)


def balance_in_region(name):
    """Seconds that pass, and seconds of the processor, for one training part and a given region."""
    X, y = training_part(name)
    region = quick_region(X, y)
    with patch.object(simpor.sampler, "informative_region", lambda *args, **settings: region):
        begin, begin_processor = time.perf_counter(), time.process_time()
        SIMPOR(random_state=0, n_jobs=-1).fit_resample(X, y)
        return time.perf_counter() - begin, time.process_time() - begin_processor


def measure_against(revision, names=FORTY_ONE):
    """One row a set: seconds of the revision (then) and of today's module (now), in turn."""
    table = []
    with (
        checked_out(revision) as folder,
        Worker(folder, "forty_one", "balance_in_region") as then,
        Worker(ROOT, "forty_one", "balance_in_region") as now,
    ):
        for worker in (then, now):
            worker(names[0])  # compiles
        for name in names:
            runs = [(*then(name), *now(name)) for _ in range(TIMES)]
            table.append((revision, name, *np.min(runs, axis=0)))
    columns = ["then", "then_processor", "now", "now_processor"]
    return pd.DataFrame(table, columns=["revision", "dataset", *columns]).round(5)


def show_against(table):
    total = table.sum(numeric_only=True)
    print(f"{len(table)} training parts, {table['revision'][0]} (then) and now, seconds:")
    print(total.round(2).to_string())
    print(f"times as fast: {total['then'] / total['now']:.2f}")
    print(f"of the processor: {total['then_processor'] / total['now_processor']:.2f}")


def show(table):
    print(f"Seconds over {len(table)} training parts:")
    print(table[["without_network", "with_network", "table_4"]].sum().round(2).to_string())
    longest = table.nlargest(5, "with_network")
    print("The longest:")
    print(longest.to_string(index=False))
