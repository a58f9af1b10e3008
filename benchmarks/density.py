"""Log density with its gradient against peers and a ceiling: ``python -m benchmarks density``.

scikit-learn's ``KernelDensity``, SciPy's ``gaussian_kde`` and KDEpy's ``NaiveKDE`` (where KDEpy is
installed: ``pip install KDEpy``) give the value alone; ours and the NumPy version give the value
and the gradient. All run turn and turn about in this one process, after a run that warms up, and
the best of the turns counts.

The ceiling is what one thread would reach if a pair of query and row cost nothing but its share of
two matrix products (distance and mean shift, 2 d operations each) and one exponential, both at the
best rate that this process measures on data in the cache.
"""

import time

import numba
import numpy as np
import pandas as pd
from scipy.stats import gaussian_kde
from sklearn.neighbors import KernelDensity
from threadpoolctl import threadpool_limits

from simpor import GaussianKDE
from simpor._kernel_sums import LANES, _exp2, _load, _store

try:
    from KDEpy import NaiveKDE
except ImportError:
    NaiveKDE = None


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
            _store(out, k, _exp2(_load(x, k)))


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
    calls = {
        "ours": lambda: ours.score_samples_and_gradient(queries),
        "one thread": lambda: alone.score_samples_and_gradient(queries),
        "NumPy": lambda: with_matrix_products(queries, rows, h),
        "scikit-learn": lambda: theirs.score_samples(queries),
        "SciPy": lambda: scipys.logpdf(queries.T),
    }
    if NaiveKDE is not None:
        kdepys = NaiveKDE(kernel="gaussian", bw=h).fit(rows)
        calls["KDEpy"] = lambda: kdepys.evaluate(queries)
    best = best_seconds(calls, turns)
    return {method: n * m / best[method] for method in best}


def measure(dimensions=(2, 8, 30), turns=5):
    """Pairs of query and row a second: one row for each dimension and method, the ceiling among them."""
    rates = rates_of_one_thread(turns)
    exponentials = max(rates["numpy.exp"], rates["our exp"])
    table = []
    for d in dimensions:
        speed = pairs_per_second(d, turns)
        speed["ceiling of one thread"] = 1 / (4 * d / rates["matrix product"] + 1 / exponentials)
        table += [(d, method, f"{pairs:.4g}") for method, pairs in speed.items()]
    # the rates themselves, for which d has no meaning
    table += [(0, name, f"{rate:.4g}") for name, rate in rates.items()]
    return pd.DataFrame(table, columns=["d", "method", "pairs_per_second"])


def show(table):
    """Print the table of speeds and that of ratios."""
    speed = table.astype({"pairs_per_second": float}).pivot(
        index="method", columns="d", values="pairs_per_second"
    )
    rates = speed.pop(0).dropna()
    speed = speed.dropna(how="all")
    ratio = (speed.loc["ours"] / speed.drop("ours")).drop(index="ceiling of one thread")
    ratio.index = "ours / " + ratio.index
    ratio.loc["one thread / ceiling"] = speed.loc["one thread"] / speed.loc["ceiling of one thread"]
    threads = numba.config.NUMBA_NUM_THREADS
    print(f"4000 rows, 2000 queries, float64, {threads} threads; for one thread")
    print(", ".join(f"{name} {rate / 1e9:.2f} G/s" for name, rate in rates.items()))
    print("millions of pairs of query and row a second, and ratios, by dimension:")
    print((speed / 1e6).round(0).to_string())
    print(ratio.round(2).to_string())
    if NaiveKDE is None:
        print("KDEpy is not installed and left out.")
