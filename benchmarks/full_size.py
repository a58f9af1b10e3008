"""SIMPOR at the size of the credit card data, 284,807 x 30 at 578:1: ``python -m benchmarks full-size``.

The rows are made from the 15:1 subset: all 492 frauds, and as many normal rows as wanted by a
smoothed bootstrap (drawn with replacement, each feature with normal noise of a tenth of its
standard deviation). Every run is a process of its own, so that its peak memory is its own; the
short ones are the fastest of three. There is no informative region: the entropy network is another
matter, and `forty_one.py` times it.

`left_out` asks which rows can matter anywhere on the sphere of a seed, and which do matter at one
point of it, if each density is to keep a relative error of at most ERROR.

With ``--against REVISION`` the module of that revision of git runs beside today's, in turn.
"""

import json
import operator
import os
import re
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.preprocessing import StandardScaler

from benchmarks.revision import ROOT, checked_out
from simpor import SIMPOR, PosteriorRatio, ascend_on_sphere
from simpor.lab.datasets import load

WHOLE = 284_807
ERROR = 1e-12


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


def one_run(n, n_drawn, max_iter):
    """Draw `n_drawn` frauds (at most up to balance) from n rows; seconds and peak memory."""
    X, y = rows_of_size(n)
    n_frauds = int(y.sum())
    n_drawn = min(n_drawn, n - 2 * n_frauds)
    sampler = SIMPOR(
        sampling_strategy={1: n_frauds + n_drawn},
        informative_portion=1,
        max_iter=max_iter,
        n_jobs=-1,
        random_state=0,
    )
    # compiles, also what is for large tables only
    warm = SIMPOR(sampling_strategy={1: n_frauds + 1000}, informative_portion=1, max_iter=1)
    warm.fit_resample(X, y)
    begin, begin_processor = time.perf_counter(), time.process_time()
    sampler.fit_resample(X, y)
    seconds = time.perf_counter() - begin
    processor_seconds = time.process_time() - begin_processor
    gain = np.mean(sampler.log_ratio_ - sampler.log_ratio_start_)
    return {
        "rows": n,
        "drawn": n_drawn,
        "max_iter": max_iter,
        "seconds": round(seconds, 3),
        "processor_seconds": round(processor_seconds, 3),
        "peak_gigabytes": round(peak_gigabytes(), 3),
        "gain": round(float(gain), 3),
    }


def peak_gigabytes():
    """Peak memory of this process."""
    if sys.platform == "linux":
        # ru_maxrss would begin with the peak of the process that started this one
        status = Path("/proc/self/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024 / 1e9
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS, elsewhere 1024
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e9


def measure(whole=False):
    """Seconds and memory: against the rows, against the rows drawn, against the turns allowed."""
    runs = [(n, 1000, 100) for n in (2_000, 6_000, 20_000, 60_000, 150_000)]
    runs += [(WHOLE, n_drawn, 100) for n_drawn in (500, 1000, 4000, 16_000)]
    runs += [(WHOLE, 1000, max_iter) for max_iter in (10, 20)]
    if whole:
        runs += [(WHOLE, WHOLE, 20), (WHOLE, WHOLE, 100)]
    table = []
    for run in runs:
        tries = [in_a_process(ROOT, run) for _ in range(3 if run[1] <= 1000 else 1)]
        table.append(min(tries, key=operator.itemgetter("seconds")))
        tell(table[-1])
    return pd.DataFrame(table)


def in_a_process(folder, run):
    """`one_run` with the module in a folder."""
    code = (
        f"import json; from benchmarks.full_size import one_run; print(json.dumps(one_run(*{run})))"
    )
    process = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(process.stdout)


def tell(row):
    print("  ".join(f"{name} {value:,}" for name, value in row.items()), flush=True)


def measure_against(revision):
    """The whole table: some rows drawn by the revision (then) and by today's module (now), in turn.

    Today's module climbs in tiles that must fill as when all rows are drawn, so it draws more of
    them: in 32,000 rows a seed has 80.
    """
    drawn = {"then": (500, 1500), "now": (16_000, 32_000)}
    table = []
    with checked_out(revision) as then:
        for sizes in zip(*drawn.values()):
            for when, folder, n_drawn in zip(drawn, (then, ROOT), sizes):
                row = in_a_process(folder, (WHOLE, n_drawn, 100))
                table.append({"revision": revision, "when": when} | row)
                print(f"{when}: ", end="")
                tell(row)
    return pd.DataFrame(table)


def show_against(table):
    for seconds in ("seconds", "processor_seconds"):
        a_row = {
            when: np.polyfit(part["drawn"], part[seconds], 1)[0]
            for when, part in table.groupby("when")
        }
        print(
            f"{seconds} for each row drawn: {a_row['then']:.5f} then, {a_row['now']:.5f} now, "
            f"{a_row['then'] / a_row['now']:.1f} times as fast"
        )


def left_out(n=WHOLE, n_points=64):
    """For some points: the rows that a bound keeps, the rows that matter, and the evaluations.

    At distance D from the seed, a row lies between |D - r| and D + r from a point of the sphere of
    radius r. So what all rows beyond some distance weigh is bounded from above, what the nearest
    weighs from below.
    """
    X, y = rows_of_size(n)
    sampler = SIMPOR(
        sampling_strategy={1: int(y.sum()) + n_points},
        informative_portion=1,
        max_iter=0,
        n_jobs=-1,
        random_state=0,
    )
    starts = sampler.fit_resample(X, y)[0][n:]
    ratio = PosteriorRatio(n_jobs=-1).fit(X, y)
    seeds, radii = X[sampler.seed_indices_], sampler.radii_
    end = ascend_on_sphere(ratio.log_ratio_and_gradient, seeds, radii, start=starts)
    h, normal = ratio.bandwidth_[0], X[y == 0]
    table = []
    for seed, r, point, evaluations in zip(seeds, radii, end.x, end.n_evaluations):
        to_seed = np.sort(np.linalg.norm(normal - seed, axis=1))
        at_most = -0.5 * (np.maximum(to_seed - r, 0) / h) ** 2
        at_least = -0.5 * ((to_seed[0] + r) / h) ** 2
        to_point = np.sort(np.linalg.norm(normal - point, axis=1))
        exponents = -0.5 * (to_point / h) ** 2
        table.append(
            {
                "radius": r,
                "nearest": to_seed[0],
                "kept": share_kept(at_most - at_least),
                "needed": share_kept(exponents - exponents[0]),
                "evaluations": evaluations,
            }
        )
    return pd.DataFrame(table).round(4)


def share_kept(exponents):
    """Share of the terms, the largest first, without whose rest the error is at most ERROR."""
    # a term that a bound puts above 1 is kept in any case
    of_the_rest = np.cumsum(np.exp(np.minimum(exponents, 0.0))[::-1])[::-1]
    return np.mean(of_the_rest > ERROR)


def line(runs):
    """Seconds before the first row is drawn, and seconds for each row, by least squares."""
    drawn = runs[(runs["rows"] == WHOLE) & (runs["max_iter"] == 100)]
    seconds_a_row, before = np.polyfit(drawn["drawn"], drawn["seconds"], 1)
    return before, seconds_a_row


def show(runs, kept):
    before, seconds_a_row = line(runs)
    fixed = runs[(runs["drawn"] == 1000) & (runs["max_iter"] == 100)]
    slope = np.polyfit(np.log(fixed["rows"]), np.log(fixed["seconds"]), 1)[0]
    print(f"{WHOLE:,} rows: {before:.1f} s, and {seconds_a_row * 1e3:.1f} ms for each row drawn")
    print(f"1000 rows drawn: seconds grow with the power {slope:.2f} of the rows")
    print(f"peak memory {runs['peak_gigabytes'].max():.2f} GB")
    long = kept["evaluations"] > kept["evaluations"].median()
    print(
        f"rows that can matter on a sphere (relative error {ERROR:g}), and that do at its summit:"
    )
    for name, points in (("short climbs", kept[~long]), ("long climbs", kept[long])):
        print(
            f"  {name}: {points['evaluations'].mean():.1f} evaluations, "
            f"can matter {points['kept'].mean():.0%}, matter {points['needed'].mean():.1%}"
        )
