"""GK-SMOTE (Miraj et al., 2025): SMOTE that asks first how densely the rows of a class lie."""

from numbers import Integral

import numpy as np
from sklearn.cluster import KMeans
from sklearn.utils import check_random_state
from threadpoolctl import threadpool_limits

from simpor._checks import SamplingStrategy, check_whole
from simpor._columns import TableOverSampler
from simpor.relatives._neighborhoods import interpolate, nearest
from simpor.relatives._parameters import check_choice

__all__ = ["GKSMOTE"]

GROUPS = ("noisy", "borderline", "safe")  # from the lowest density to the highest
SMALLEST_BANDWIDTH = 1e-12


class GKSMOTE(TableOverSampler):
    r"""SMOTE from seeds that a Gaussian kernel calls safe or borderline, not from noisy ones.

    Each row :math:`p` of the class to be enlarged gets a density, the mean of a Gaussian kernel of
    the distances to its nearest rows,

    .. math:: \hat f(p) = \frac{1}{|N(p)|} \sum_{q \in N(p)}
              e^{-\lVert p - q\rVert^2 / (2 h^2)} .

    The density decides which rows are noisy and yield nothing, and how many synthetic rows the
    others yield. Like SMOTE's, a synthetic row lies on the line from its seed to one of the seed's
    nearest rows; both are taken from the rows of the class that are not noisy.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        As in imbalanced-learn.
    random_state : int, RandomState instance or None, default=None
        The result is bit-identical for one value, whatever the number of threads.
    variant : {"repository", "paper"}, default="repository"
        How densities, groups and seeds are found; see the notes.
    k_neighbors : int, default=5
        Nearest rows of a density, of the test for noise and of the lines; fewer if there are fewer.

    Attributes
    ----------
    sampling_strategy_ : dict
        Rows to draw for each class.
    density_ : ndarray of shape (n,)
        :math:`\hat f` of each original row of the enlarged classes, NaN for the others.
    group_ : ndarray of str of shape (n,)
        "noisy", "borderline" or "safe" for the rows of the enlarged classes, "" for the others.
    seed_indices_ : ndarray of int of shape (n_synthetic,)
        The original row at which each synthetic row's line begins.
    n_filled_ : dict
        For each class, rows that the method itself would not yield; see the notes.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only if ``X`` has column names.

    Raises
    ------
    ValueError
        If a class to be enlarged has a single row, or a parameter is out of range.

    Notes
    -----
    "repository" does what the code in the first author's repository does, which calls itself "not
    an official release". A row is noisy if all its `k_neighbors` nearest rows of all the data
    belong to other classes. :math:`N` holds the `k_neighbors` nearest rows of the same class, the
    row itself among them, and :math:`h` is the standard deviation of their distances. Two-means on
    the densities of the rows that are not noisy makes two groups; each yields synthetic rows in
    proportion to its size, with lines inside the group only. Since :math:`h` grows with the
    distances, no change of unit alters this "density": it tells whether the distances to a row's
    neighbours are alike, not whether they are small.

    "paper" has one :math:`h` for all rows, which makes the density a density. As published,
    :math:`N` holds the nearest rows of all classes, low densities are noise, and higher ones mean
    borderline and safe. The paper's bandwidth and thresholds are not known to us. Our reading:
    :math:`N` holds the `k_neighbors` nearest rows, but those of other classes add nothing to the
    sum, since the abstract speaks of "high-density minority regions"; :math:`h` is Scott's factor
    :math:`n^{-1/(d+4)}` times the root mean variance of the features; three-means on the densities
    makes the three groups; seeds are drawn in proportion to their density. If rows of other classes
    added to the sum, a row whose label is wrong would have a high density, because it lies amid
    the many rows of the majority.

    A group of one row has no line; in the authors' code it yields nothing, and the class stays
    short. Here the other group yields its share. If no group has two rows, all rows of the class
    are used, noisy or not. ``n_filled_`` counts the rows that these two rules add.

    With more than two classes, each is enlarged against all others (our reading). Distances take
    all features alike: standardise them first, inside a pipeline.

    References
    ----------
    M. R. Miraj et al., "GK-SMOTE: A hyperparameter-free noise-resilient Gaussian KDE-based
    oversampling approach", arXiv:2509.11163, 2025. We read the abstract, a digest of the paper and
    the code in the repository Miraj-Rahman-AI/GK-SMOTE, not the paper itself.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import make_moons
    >>> from simpor.relatives import GKSMOTE
    >>> X, y = make_moons((200, 20), noise=0.2, random_state=0)
    >>> sampler = GKSMOTE(random_state=0)
    >>> X_resampled, y_resampled = sampler.fit_resample(X, y)
    >>> np.bincount(y_resampled)
    array([200, 200])
    """

    _parameter_constraints: dict[str, list[object]] = {
        **TableOverSampler._parameter_constraints,
        "variant": [str],
        "k_neighbors": [Integral],
    }

    def __init__(
        self,
        *,
        sampling_strategy: SamplingStrategy = "auto",
        random_state: int | np.random.RandomState | None = None,
        variant: str = "repository",
        k_neighbors: int = 5,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.random_state = random_state
        self.variant = variant
        self.k_neighbors = k_neighbors

    def _fit_resample(self, X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self._check_parameters(y)
        rng = check_random_state(self.random_state)
        self.density_ = np.full(len(X), np.nan)
        self.group_ = np.full(len(X), "", dtype="<U10")
        self.n_filled_ = {}
        X_parts, seed_parts = [X], [np.empty(0, dtype=np.intp)]
        for label, n_rows in self.sampling_strategy_.items():
            own = np.flatnonzero(y == label)
            if self.variant == "repository":
                self.density_[own], is_noisy = self._shape_of_distances(X, y, own)
                self.group_[own] = "noisy"
                kept = own[~is_noisy]
                self.group_[kept] = _groups(self.density_[kept], GROUPS[1:], rng)
            else:
                self.density_[own] = self._density_of_own_class(X, y, own)
                self.group_[own] = _groups(self.density_[own], GROUPS, rng)
            pools, self.n_filled_[label] = self._pools(own, n_rows)
            for pool, n_drawn in pools:
                points, seeds = interpolate(
                    X[pool], n_drawn, self.k_neighbors, rng, self._chances(pool)
                )
                X_parts.append(points)
                seed_parts.append(pool[seeds])
        self.seed_indices_ = np.concatenate(seed_parts)
        return np.concatenate(X_parts), np.append(y, y[self.seed_indices_])

    def _shape_of_distances(
        self, X: np.ndarray, y: np.ndarray, own: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The repository's density and test for noise."""
        _, neighbors = nearest(X, self.k_neighbors)
        is_noisy = np.all(y[neighbors[own]] != y[own[0]], axis=1)
        to_others, _ = nearest(X[own], self.k_neighbors - 1)
        distances = np.column_stack([np.zeros(len(own)), to_others])
        h = np.maximum(distances.std(axis=1, keepdims=True), SMALLEST_BANDWIDTH)
        return np.exp(-0.5 * (distances / h) ** 2).mean(axis=1), is_noisy

    def _density_of_own_class(self, X: np.ndarray, y: np.ndarray, own: np.ndarray) -> np.ndarray:
        """The paper's density in our reading: one bandwidth, neighbours of the class only."""
        distances, neighbors = nearest(X, self.k_neighbors)
        n, d = X.shape
        h = max(n ** (-1 / (d + 4)) * np.sqrt(X.var(axis=0).mean()), SMALLEST_BANDWIDTH)
        kernel = np.exp(-0.5 * (distances[own] / h) ** 2)
        return (kernel * (y[neighbors[own]] == y[own[0]])).mean(axis=1)

    def _pools(self, own: np.ndarray, n_rows: int) -> tuple[list[tuple[np.ndarray, int]], int]:
        """Rows between which lines are drawn, with the number of lines, and how many are filled."""
        pools = [own[self.group_[own] == name] for name in ("safe", "borderline")]
        if self.variant == "paper":
            pools = [np.concatenate(pools)]
        total = max(sum(map(len, pools)), 1)
        counts = [round(n_rows * len(pool) / total) for pool in pools[:-1]]
        counts.append(n_rows - sum(counts))
        with_lines = [pool for pool in pools if len(pool) > 1]
        if len(with_lines) == len(pools):
            return list(zip(pools, counts)), 0
        n_lacking = sum(n for pool, n in zip(pools, counts) if len(pool) < 2)
        return [(with_lines[0] if with_lines else own, n_rows)], n_lacking

    def _chances(self, pool: np.ndarray) -> np.ndarray | None:
        """How likely each row of the pool is a seed; None for all alike."""
        density = self.density_[pool]
        if self.variant == "repository" or density.sum() == 0:
            return None
        return density / density.sum()

    def _check_parameters(self, y: np.ndarray) -> None:
        check_whole("k_neighbors", self.k_neighbors)
        check_choice("variant", self.variant, "repository", "paper")
        for label in self.sampling_strategy_:
            if np.sum(y == label) == 1:
                raise ValueError(
                    f"Class {label} has one row, so there is no line to draw on: pass two or more."
                )


def _groups(density: np.ndarray, names: tuple[str, ...], rng: np.random.RandomState) -> np.ndarray:
    """Names of the groups that k-means makes of the densities, from the lowest to the highest."""
    if len(density) == 0:
        return np.empty(0, dtype=str)
    # densities that differ by rounding only are in one group
    levels = np.round(density / max(density.max(), np.finfo(float).tiny), 12)[:, None]
    n_groups = min(len(names), len(np.unique(levels)))
    with threadpool_limits(1):  # k-means sums up in the order in which its threads finish
        means = KMeans(n_groups, n_init=10, random_state=rng).fit(levels)
    ranks = np.argsort(np.argsort(means.cluster_centers_.ravel()))
    # with too few levels it is the middle group that is missing, then the low one
    return np.array(names[: n_groups - 1] + names[-1:])[ranks[means.labels_]]
