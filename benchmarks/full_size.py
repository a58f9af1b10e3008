"""SIMPOR at the size of the credit card data, 284,807 x 30 at 578:1: ``python -m benchmarks full-size``.

The rows are made from the 15:1 subset: all 492 frauds, and as many normal rows as wanted by a
smoothed bootstrap (drawn with replacement, each feature with normal noise of a tenth of its
standard deviation). Every run is a process of its own, so that its peak memory is its own. There
is no informative region: the entropy network is another matter, and `forty_one.py` times it.

Where few rows are drawn, every climb visits all rows at every evaluation. From about 6,400 on, 16
for each of the 401 seeds, the points of a seed share the few rows that matter to them, and visit
all rows where they begin and where they end. `left_out` asks how many rows can matter anywhere on
the sphere of a seed, do matter at a summit, and do matter at any of the summits around a seed, if
each density is to keep a relative error of at most LEFT_OUT.
"""

import json
import resource
import subprocess
import sys
import time

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist
from sklearn.preprocessing import StandardScaler

from simpor import SIMPOR, PosteriorRatio, ascend_on_sphere
from simpor.lab.datasets import load
from simpor.sampler import LEFT_OUT, rows_that_matter

WHOLE, FRAUDS = 284_807, 492
SHARED = 8_000  # rows drawn: enough for the points of a seed to share rows


def rows_of_size(n, seed=0):
    """All frauds and n - 492 made-up normal rows, standardised."""
    data = load("credit-card-15")
    normal, frauds = data.X[data.y == 0], data.X[data.y == 1]
    rng = np.random.default_rng(seed)
    n_normal = n - len(frauds)
    drawn = normal[rng.integers(len(normal), size=n_normal)]
    drawn += 0.1 * normal.std(axis=0) * rng.standard_normal(drawn.shape)
    X = StandardScaler().fit_transform(np.vstack([drawn, frauds]))
    return X, np.repeat([0, 1], [n_normal, len(frauds)])


def sampler_of(n_drawn, **settings):
    """Draws `n_drawn` frauds, without an informative region."""
    counts = {1: FRAUDS + n_drawn}
    return SIMPOR(
        sampling_strategy=counts, informative_portion=1, n_jobs=-1, random_state=0, **settings
    )


def one_run(n, n_drawn):
    """Draw `n_drawn` frauds from n rows: seconds, peak memory, and what the climbs gain."""
    X, y = rows_of_size(n)
    sampler = sampler_of(n_drawn)
    SIMPOR(max_iter=1, informative_portion=1).fit_resample(X[-1000:], y[-1000:])  # compiles
    begin = time.perf_counter()
    sampler.fit_resample(X, y)
    seconds = time.perf_counter() - begin
    gain = np.mean(sampler.log_ratio_ - sampler.log_ratio_start_)
    # kilobytes on Linux, bytes on macOS
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1e6 if sys.platform != "darwin" else 1e9
    )
    return {
        "rows": n,
        "drawn": n_drawn,
        "seconds": round(seconds, 3),
        "peak_gigabytes": round(peak, 3),
        "gain": round(float(gain), 3),
    }


def measure(whole=False):
    """Seconds and memory against the rows, and against the rows drawn; the last balances all."""
    runs = [(n, SHARED) for n in (2_000, 6_000, 20_000, 60_000, 150_000)]
    runs += [(WHOLE, n_drawn) for n_drawn in (500, 1000, SHARED, 2 * SHARED, 4 * SHARED)]
    if whole:
        runs += [(WHOLE, WHOLE - 2 * FRAUDS)]
    table = []
    for run in runs:
        code = f"import json; from benchmarks.full_size import one_run; print(json.dumps(one_run(*{run})))"
        printed = subprocess.run(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True
        )
        table.append(json.loads(printed.stdout))
        print("  ".join(f"{name} {value:,}" for name, value in table[-1].items()), flush=True)
    return pd.DataFrame(table)


def left_out(n=WHOLE):
    """For points around some seeds: the shares of rows that a bound keeps and that matter.

    At distance D from the seed, a row lies between |D - r| and D + r from a point of the sphere of
    radius r. So what all rows beyond some distance weigh is bounded from above, what the nearest
    weighs from below.
    """
    X, y = rows_of_size(n)
    sampler = sampler_of(SHARED, max_iter=0)
    starts = sampler.fit_resample(X, y)[0][n:]
    ratio = PosteriorRatio(n_jobs=-1).fit(X, y)
    h, normal = ratio.bandwidth_[1], X[y == 0]
    table = []
    for seed in np.unique(sampler.seed_indices_)[::16]:
        i = np.flatnonzero(sampler.seed_indices_ == seed)[:16]
        radii = sampler.radii_[i]
        centers = np.tile(X[seed], (len(i), 1))
        end = ascend_on_sphere(ratio.log_ratio_and_gradient, centers, radii, start=starts[i])
        to_seed = np.sort(cdist(X[[seed]], normal)[0])
        to_points = np.sort(cdist(end.x, normal), axis=1)
        together = np.mean(rows_that_matter(end.x, normal, h))
        for r, to_point, evaluations in zip(radii, to_points, end.n_evaluations):
            at_most = -0.5 * (np.maximum(to_seed - r, 0) / h) ** 2
            at_least = -0.5 * ((to_seed[0] + r) / h) ** 2
            exponents = -0.5 * (to_point / h) ** 2
            table.append(
                {
                    "seed": seed,
                    "radius": r,
                    "nearest": to_seed[0],
                    "kept": share_kept(at_most - at_least),
                    "needed": share_kept(exponents - exponents[0]),
                    "together": together,
                    "evaluations": evaluations,
                }
            )
    return pd.DataFrame(table).round(5)


def share_kept(exponents):
    """Share of the terms, the largest first, without whose rest the error is at most LEFT_OUT."""
    # a term that a bound puts above 1 is kept in any case
    of_the_rest = np.cumsum(np.exp(np.minimum(exponents, 0.0))[::-1])[::-1]
    return np.mean(of_the_rest > LEFT_OUT)


def line(runs):
    """Seconds before the first row is drawn, and seconds for each row, by least squares."""
    seconds_a_row, before = np.polyfit(runs["drawn"], runs["seconds"], 1)
    return before, seconds_a_row


def show(runs, kept):
    whole = runs[runs["rows"] == WHOLE]
    for what, some in (
        ("every point on all rows", whole[whole["drawn"] < SHARED]),
        ("points of a seed share rows", whole[whole["drawn"] >= SHARED]),
    ):
        before, seconds_a_row = line(some)
        print(f"{what}: {before:.1f} s, and {seconds_a_row * 1e3:.1f} ms for each row drawn")
    print(f"peak memory {runs['peak_gigabytes'].max():.2f} GB")
    shares = kept.groupby("seed")[["kept", "needed", "together", "evaluations"]].mean().mean()
    print(f"with a relative error of {LEFT_OUT:g} of each density, of all normal rows")
    print(f"  {shares['kept']:.1%} can matter on a sphere, {shares['needed']:.1%} do at a summit,")
    print(f"  {shares['together']:.1%} at one of the summits around a seed")
    print(f"evaluations of a climb on all rows: {shares['evaluations']:.1f}")
