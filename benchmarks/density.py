"""Log density with its gradient against peers and a ceiling: ``python benchmarks/density.py``.

scikit-learn's ``KernelDensity`` and SciPy's ``gaussian_kde`` give the value alone; ours and the
NumPy version give the value and the gradient. All run turn and turn about in this one process,
after a run that warms up, and the best of the turns counts.

The ceiling is what one thread would reach if a pair of query and row cost nothing but its share of
two matrix products (distance and mean shift, 2 d operations each) and one exponential, both at the
best rate that this process measures on data in the cache.
"""

import argparse
import time

import numba
import numpy as np
from scipy.stats import gaussian_kde
from sklearn.neighbors import KernelDensity
from threadpoolctl import threadpool_limits

from simpor import GaussianKDE
from simpor.kde import LANES, _exp, _load, _store


def best_seconds(calls, turns, at_least=0.1):
    """Best time of each call. A turn repeats each of them until `at_least` seconds have passed."""
    best = {}
    for name, call in calls.items():
        call()
        best[name] = np.inf
    for _ in range(turns):
        for name, call in calls.items():
            end = time.perf_counter() + at_least
            while (begin := time.perf_counter()) < end:
                call()
                best[name] = min(best[name], time.perf_counter() - begin)
    return best


@numba.njit
def our_exponentials(x, out, times):
    for _ in range(times):
        for k in range(len(x)):
            _store(out, k, _exp(_load(x, k)))


def numpy_exponentials(x, out, times):
    for _ in range(times):
        np.exp(x, out=out)


def rates_of_one_thread(turns):
    """Operations a second of a matrix product, and exponentials a second of NumPy and of ours."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 384, 384))
    product = np.empty_like(a)
    x = -20 * rng.random((1536 // LANES, LANES))
    out = np.empty_like(x)
    times = 100
    with threadpool_limits(1):
        best = best_seconds(
            {
                "matrix product": lambda: np.dot(a, b, out=product),
                "numpy.exp": lambda: numpy_exponentials(x, out, times),
                "our exp": lambda: our_exponentials(x, out, times),
            },
            turns,
        )
    work = {"matrix product": 2 * 384**3, "numpy.exp": times * x.size, "our exp": times * x.size}
    return {name: work[name] / best[name] for name in work}


def with_matrix_products(queries, rows, h, at_once=200):
    """Log kernel sums and mean shifts by NumPy; rounding errors grow with the distance to 0."""
    log_sum, shift = np.empty(len(queries)), np.empty(queries.shape)
    rows_squared = (rows**2).sum(axis=1)
    for first in range(0, len(queries), at_once):
        part = slice(first, first + at_once)
        x = queries[part]
        exponents = (x @ rows.T - 0.5 * rows_squared - 0.5 * (x**2).sum(axis=1)[:, None]) / h**2
        largest = exponents.max(axis=1)
        weights = np.exp(exponents - largest[:, None], out=exponents)
        total = weights.sum(axis=1)
        log_sum[part] = largest + np.log(total)
        shift[part] = weights @ rows / total[:, None] - x
    return log_sum, shift


def pairs_per_second(d, turns, n=4000, m=2000):
    """Pairs of query and row a second, by method."""
    rng = np.random.default_rng(d)
    rows, queries = rng.normal(size=(n, d)), rng.normal(size=(m, d))
    ours, alone = (GaussianKDE(n_jobs=n_jobs).fit(rows) for n_jobs in (-1, 1))
    h = ours.bandwidth_
    theirs = KernelDensity(bandwidth=h).fit(rows)
    # SciPy whitens with the covariance and scales by this factor: other kernels, as many of them
    scipys = gaussian_kde(rows.T, bw_method=h)
    best = best_seconds(
        {
            "ours": lambda: ours.score_samples_and_gradient(queries),
            "one thread": lambda: alone.score_samples_and_gradient(queries),
            "NumPy": lambda: with_matrix_products(queries, rows, h),
            "scikit-learn": lambda: theirs.score_samples(queries),
            "SciPy": lambda: scipys.logpdf(queries.T),
        },
        turns,
    )
    return {method: n * m / best[method] for method in best}


def measure(dimensions=(2, 8, 30), turns=5):
    """The rates of one thread, and one row of the table for each dimension."""
    rates = rates_of_one_thread(turns)
    exponentials = max(rates["numpy.exp"], rates["our exp"])
    table = []
    for d in dimensions:
        speed = pairs_per_second(d, turns)
        ceiling = 1 / (4 * d / rates["matrix product"] + 1 / exponentials)
        ratios = {
            "ours / scikit-learn": speed["ours"] / speed["scikit-learn"],
            "ours / SciPy": speed["ours"] / speed["SciPy"],
            "ours / NumPy": speed["ours"] / speed["NumPy"],
            "ours / one thread": speed["ours"] / speed["one thread"],
            "one thread / ceiling": speed["one thread"] / ceiling,
        }
        table.append({"d": d, "pairs a second": speed | {"ceiling": ceiling}, "ratio": ratios})
    return rates, table


def show(rates, table):
    print("one thread: " + ", ".join(f"{name} {rate / 1e9:.2f} G/s" for name, rate in rates.items()))
    print(f"{'':24s}" + "".join(f"{'d = ' + str(row['d']):>10s}" for row in table))
    print("millions of pairs of query and row a second, and their ratios:")
    for block, scale, digits in (("pairs a second", 1e6, 0), ("ratio", 1, 2)):
        for name in table[0][block]:
            values = "".join(f"{row[block][name] / scale:10.{digits}f}" for row in table)
            print(f"{name:24s}{values}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Time the log density and its gradient.")
    parser.add_argument("--turns", type=int, default=5, help="repetitions, default: %(default)s")
    turns = parser.parse_args().turns
    threads = numba.config.NUMBA_NUM_THREADS
    print(f"4000 rows, 2000 queries, float64, {threads} threads, best of {turns} turns")
    show(*measure(turns=turns))
