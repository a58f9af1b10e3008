"""Seconds to oversample the 41 sets of the TAI paper: ``python -m benchmarks forty-one``.

As for Table IV, each set is balanced once. Here it is the training part of a stratified split of 80
to 20, standardised, by SIMPOR with its default settings; the time spent on the informative region
(the entropy network) is taken apart from the rest (densities, neighbours, ascent). Both are the
best of a few runs.
"""

import os
import time
from unittest.mock import patch

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import simpor.sampler
from simpor import SIMPOR
from simpor.lab.datasets import FORTY_ONE, load
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
        data = load(name)
        X, _, y, _ = train_test_split(
            data.X, data.y, test_size=0.2, stratify=data.y, random_state=0
        )
        X = StandardScaler().fit_transform(X)
        if not table:
            balance(X, y)  # compiles, and imports Keras
        region, rest = np.min([balance(X, y) for _ in range(TIMES)], axis=0)
        table.append((name, *X.shape, rest, rest + region, printed[name]))
    columns = ["dataset", "rows", "features", "without_network", "with_network", "table_4"]
    return pd.DataFrame(table, columns=columns).round(4)


def show(table):
    print(f"Seconds over {len(table)} training parts:")
    print(table[["without_network", "with_network", "table_4"]].sum().round(2).to_string())
    longest = table.nlargest(5, "with_network")
    print("The longest:")
    print(longest.to_string(index=False))
