"""SIMPOR, Algorithm 2 of both papers, as an imbalanced-learn sampler."""

import math
import time
import warnings
from collections.abc import Hashable, Iterable, Sequence
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from simpor._checks import LARGEST_SEED, SamplingStrategy, check_n_jobs, check_whole, is_number
from simpor._columns import TableOverSampler
from simpor._device import check_device
from simpor._neighbors import nearest_others
from simpor._ratio_climb import climb_ratio
from simpor.entropy_network import EntropyNetwork
from simpor.informative import informative_region
from simpor.posterior import PosteriorRatio
from simpor.sphere import SphereAscent

#: Settings of the TAI paper (Sections V-B and VII-A, Table I): ``SIMPOR(**PUBLISHED_TAI)``.
PUBLISHED_TAI: dict[str, Any] = {
    "k_neighbors": 5,
    "radius": "gaussian",
    "alpha": 1.0,
    "bandwidth": "scott",
    "informative_portion": 0.3,
    "remaining": "ascent",
    "reject_noise": True,
    "step": 1e-5 * 2 * math.pi,
    "max_iter": 300,
}

#: Settings of the preprint (Algorithm 2, Sections 2.3 and 6.1): ``SIMPOR(**PUBLISHED_PREPRINT)``.
PUBLISHED_PREPRINT: dict[str, Any] = {
    "k_neighbors": 5,
    "radius": "uniform",
    "alpha": 1.0,
    "bandwidth": "scott",
    "informative_threshold": 0.7,
    "learner": EntropyNetwork(hidden_layers=(100, 100, 100)),
    "remaining": "random",
    "reject_noise": False,
    "step": 1e-5 * 2 * math.pi,
    "max_iter": 300,
}


class FewSeedsWarning(UserWarning):
    """Many synthetic rows of a class lie around few seeds.

    :class:`SIMPOR` warns once per fit if, in one region, more rows of a class are drawn than it has
    seeds there, and either there are fewer seeds than `k_neighbors` or one seed carries more than a
    third of the rows. The message says which setting gives more seeds. To silence it:
    ``warnings.simplefilter("ignore", FewSeedsWarning)``.
    """


class _Drawn(NamedTuple):
    """The rows that one class received in one region."""

    label: Hashable
    region: str
    n_seeds: int
    seeds: np.ndarray
    radii: np.ndarray
    ascent: SphereAscent

    def has_few_seeds(self, k_neighbors: int) -> bool:
        """Whether there are fewer seeds than `k_neighbors`, or one carries over a third of the rows.

        If no more rows are drawn than there are seeds, each seed carries about one: no harm.
        """
        n = len(self.seeds)
        is_few = self.n_seeds < k_neighbors or 3 * self.most_from_one_seed > n
        return is_few and n > self.n_seeds

    @property
    def most_from_one_seed(self) -> int:
        """Number of rows around the seed that was chosen most often."""
        return int(np.unique(self.seeds, return_counts=True)[1].max(initial=0))

    def __str__(self) -> str:
        n = len(self.seeds)
        gain = np.sum(self.ascent.value - self.ascent.start_value) / max(n, 1)
        return (
            f"[SIMPOR] class {self.label}, {self.region} region: {n} rows from {self.n_seeds} "
            f"seeds, mean gain {gain:.3g} nats"
        )


class _Progress:
    """Prints how much of a long climb is done, and about how long the rest takes."""

    def __init__(self, label: Hashable, region: str, n: int) -> None:
        self.label, self.region, self.n = label, region, n
        self.begin = time.monotonic()

    def __call__(self, share: float) -> None:
        where = f"[SIMPOR] class {self.label}, {self.region} region"
        if share > 0:
            minutes = (time.monotonic() - self.begin) * (1 / share - 1) / 60
            left = f"{minutes:.0f} minutes" if minutes >= 2 else f"{60 * minutes:.0f} seconds"
            print(f"{where}: {share:.0%} of {self.n:,} rows, about {left} left", flush=True)


class SIMPOR(TableOverSampler):
    """Synthetic Information towards Maximum Posterior Ratio.

    A synthetic row lies on a sphere around a row of its class, its seed, where the posterior ratio
    of the class against all others is highest. First the informative region is balanced, then the
    rest of the data.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        How many rows each class is to have, as in every sampler of imbalanced-learn. "auto" raises
        all classes to the count of the largest.
    random_state : int, RandomState instance or None, default=None
        Seeds all random numbers. The result for an integer is the same to the last bit, whatever
        the number of threads.
    k_neighbors : int, default=5
        Number of neighbours that set the radius and that vote on noise. It is capped at the rows
        available.
    radius : {"gaussian", "uniform"}, default="gaussian"
        "gaussian" draws r = abs(N(0, (alpha R)^2)) (TAI paper, Eq. 13), "uniform" draws
        r ~ U(0, alpha R) (preprint). R is the mean distance of the seed to its `k_neighbors`
        nearest rows of its own class, itself excluded (Eq. 14).
    alpha : float, default=1.0
        Share of R that scales the radius, in (0, 1].
    bandwidth : float, "scott" or pair of floats, default="scott"
        Bandwidth of the densities, in the unit of the features; see :class:`PosteriorRatio`.
    informative_portion : float, default=0.3
        Share of the rows that make up the informative region, in (0, 1]. With 1 all rows are in
        the region, and no classifier is trained.
    informative_threshold : float, default=None
        Entropy in [0, 1) above which a row is informative, in place of the portion (preprint).
    learner : classifier with predict_proba, default=None
        Classifier that finds the informative region; see :func:`informative_region`. None takes a
        small Keras network, :class:`EntropyNetwork`.
    n_initial : int, default=3
        Rows of each class with which the learner starts; see :func:`informative_region`. Learners
        that need more rows per class than three, such as CalibratedClassifierCV, GridSearchCV or
        KNeighborsClassifier(15), need a larger number.
    remaining : {"ascent", "random"}, default="ascent"
        How rows are placed outside the informative region. "ascent" places them like those inside,
        "random" at a random point of the sphere (the preprint's random neighbours).
    reject_noise : bool or "informative", default=True
        Whether to reject a seed as noise if another class has more rows among its `k_neighbors`
        nearest than its own class has (TAI paper). If all seeds of a class in a region are noise,
        none is rejected. "informative" rejects in the informative region only: the text of the
        paper speaks of seeds in general, but its Algorithm 2 rejects in line 6 and not in line 15.
    categorical_features : "auto" or array-like, default=None
        Columns that are not numbers, or are not to be treated as such: their names, positions or
        a mask, as in :class:`imblearn.over_sampling.SMOTENC`; "auto" takes the columns of a pandas
        frame that have the dtype category. Neighbours, noise, densities, radii and the learner
        see the other columns only. In each of these columns, a synthetic row has the category
        that is most frequent among the `k_neighbors` rows of its class nearest to its seed,
        itself excluded; `random_state` decides between equally frequent ones. A missing value
        counts as a category.
    step : "adaptive" or float, default="adaptive"
        Angle by which a point turns in one step of the ascent; see :func:`ascend_on_sphere`. Both
        papers use 1e-5 * 2 pi radians.
    max_iter : int, default=100
        Largest number of steps of an ascent. With 0 all directions are random.
    device : str, default=None
        None climbs on this processor, with compiled code. The name of a PyTorch device that has
        float64, such as "cuda" or "cpu", computes the densities and the climb there, all points at
        once. This needs PyTorch and array-api-compat, and pays for large tables on a GPU. Seeds,
        radii and first points are the same; the ends may differ where two summits are near, as on
        another processor, and are reproducible for a seed on one device.
    n_jobs : int, default=None
        Maximum number of threads; None and -1 use all.
    verbose : int, default=0
        With 1 or more, one line is printed for each class and region, and every ten seconds of a
        long adaptive ascent another one: how much of it is done and about how long the rest takes.

    Attributes
    ----------
    sampling_strategy_ : dict
        Rows drawn for each class.
    categorical_features_ : ndarray of int of shape (n_categorical,)
        Positions of the categorical columns.
    informative_mask_ : ndarray of bool of shape (n,)
        The informative rows among the original ones.
    seed_indices_ : ndarray of int of shape (n_synthetic,)
        The original row that is the center of each synthetic row's sphere. This and the following
        arrays are in the order of the appended rows.
    region_ : ndarray of str of shape (n_synthetic,)
        "informative" or "remaining": the region in which the row was drawn.
    n_seeds_ : dict
        For each class that grows, the number of its rows from which seeds are chosen in each
        region: ``n_seeds_[label]["informative"]`` and ``n_seeds_[label]["remaining"]``.
    radii_ : ndarray of shape (n_synthetic,)
        Distance to the seed, in the unit of the features.
    rotation_ : ndarray of shape (n_synthetic,)
        Angle between the first, random direction and the last, in radians.
    log_ratio_start_, log_ratio_ : ndarray of shape (n_synthetic,)
        Log posterior ratio at the first point and at the last, in nats.
    n_features_in_ : int
    feature_names_in_ : ndarray of str

    See Also
    --------
    imblearn.over_sampling.SMOTE : Rows on the lines between neighbours of a class.
    imblearn.over_sampling.SMOTENC : The same for tables with categorical columns.
    PUBLISHED_TAI, PUBLISHED_PREPRINT : The papers' settings, as keyword dictionaries.

    Notes
    -----
    Distances and bandwidth treat all features alike: standardise them first, inside a pipeline.

    The papers leave these choices open. In the informative region, each class is raised to the
    count that the majority class has there. It never gets more rows than `sampling_strategy` asks
    for, and none if it has no row in the region. If all its rows are informative, the remaining
    synthetic rows are drawn around these. With more than two classes, the ratio is that of one
    class against all others.

    A :class:`FewSeedsWarning` says when many rows of a class lie around few seeds.

    Synthetic rows are computed in float64, and each column comes back in the type it had: bools
    are True from 0.5 on, integers are rounded. All numeric columns are treated as measurements,
    so a count may come out between those observed, or below 0, and of several 0/1 columns that
    encode one category none or two may be 1. Name such columns in `categorical_features` to have
    values that were observed; the columns of a one-hot code are better put back into one column
    first. Text and columns of dtype category are refused unless they are named there.

    References
    ----------
    H. Nguyen and J. M. Chang, "Synthetic Information Toward Maximum Posterior Ratio for Deep
    Learning on Imbalanced Data", IEEE Transactions on Artificial Intelligence, 2023 (the TAI
    paper), and the earlier version of the same title, ": SIMPOR" (the preprint).

    Examples
    --------
    >>> from collections import Counter
    >>> from imblearn.pipeline import make_pipeline
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.preprocessing import StandardScaler
    >>> from simpor import SIMPOR
    >>> X, y = make_classification(300, 4, weights=[0.9], random_state=0)
    >>> X = StandardScaler().fit_transform(X)
    >>> sampler = SIMPOR(learner=LogisticRegression(), random_state=0)
    >>> X_resampled, y_resampled = sampler.fit_resample(X, y)
    >>> sorted(Counter(y.tolist()).items()), sorted(Counter(y_resampled.tolist()).items())
    ([(0, 269), (1, 31)], [(0, 269), (1, 269)])
    >>> bool((sampler.log_ratio_ >= sampler.log_ratio_start_).all())
    True

    In a pipeline it resamples while the pipeline is fitted, and never what is predicted:

    >>> model = make_pipeline(StandardScaler(), sampler, LogisticRegression()).fit(X, y)
    >>> model.predict(X).shape
    (300,)
    """

    _parameter_constraints: dict[str, list[object]] = {
        **TableOverSampler._parameter_constraints,
        "k_neighbors": [Integral],
        "radius": [str],
        "alpha": [Real],
        "bandwidth": [Real, str, tuple, list],
        "informative_portion": [Real],
        "informative_threshold": [Real, None],
        "learner": [BaseEstimator, None],
        "n_initial": [Integral],
        "remaining": [str],
        "reject_noise": ["boolean", str],
        "categorical_features": ["array-like", str, None],
        "step": [Real, str],
        "max_iter": [Integral],
        "device": [str, None],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        *,
        sampling_strategy: SamplingStrategy = "auto",
        random_state: int | np.random.RandomState | None = None,
        k_neighbors: int = 5,
        radius: str = "gaussian",
        alpha: float = 1.0,
        bandwidth: float | str | Sequence[float] = "scott",
        informative_portion: float = 0.3,
        informative_threshold: float | None = None,
        learner: BaseEstimator | None = None,
        n_initial: int = 3,
        remaining: str = "ascent",
        reject_noise: bool | str = True,
        categorical_features: str | ArrayLike | None = None,
        step: float | str = "adaptive",
        max_iter: int = 100,
        device: str | None = None,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.random_state = random_state
        self.k_neighbors = k_neighbors
        self.radius = radius
        self.alpha = alpha
        self.bandwidth = bandwidth
        self.informative_portion = informative_portion
        self.informative_threshold = informative_threshold
        self.learner = learner
        self.n_initial = n_initial
        self.remaining = remaining
        self.reject_noise = reject_noise
        self.categorical_features = categorical_features
        self.step = step
        self.max_iter = max_iter
        self.device = device
        self.n_jobs = n_jobs
        self.verbose = verbose

    def _fit_resample(
        self, X: np.ndarray, y: np.ndarray, categories: np.ndarray | None = None
    ) -> tuple[np.ndarray, ...]:
        random_state = check_random_state(self.random_state)
        classes = [label for label, n_wanted in self.sampling_strategy_.items() if n_wanted > 0]
        ratios = {label: self._posterior_ratio(X, y, label) for label in classes}
        ranges = self._ranges(X, y, classes)  # lines 7 and 16
        is_noise = self._is_noise(X, y, classes)

        # lines 1 and 2 of Algorithm 2 (TAI paper): the set S of informative rows
        self.informative_mask_ = self._informative_region(X, y, random_state)

        # lines 3 to 12 balance S, lines 13 to 21 the rest
        drawn = []
        for region, n_to_draw in self._rows_to_draw(y, classes).items():
            for label in classes:
                pool = self._pool(y, label, region, is_noise)
                seeds = random_state.choice(pool, size=n_to_draw[label])  # lines 5, 6 and 15
                radii = self._draw_radii(ranges[seeds], random_state)  # lines 8 and 17
                report = _Progress(label, region, len(seeds)) if self.verbose else None
                ascent = self._climb(  # lines 9 and 18
                    ratios[label], X, seeds, radii, region, random_state, report
                )
                drawn.append(_Drawn(label, region, len(pool), seeds, radii, ascent))  # 10, 19
                if self.verbose:
                    print(drawn[-1])
        self._warn_of_few_seeds(y, drawn)
        X_resampled, y_resampled = self._collect(X, y, drawn)
        if categories is None:
            return X_resampled, y_resampled
        return X_resampled, y_resampled, self._sources(X, y, categories, random_state)

    def _rows_to_draw(self, y: np.ndarray, classes: list[Any]) -> dict[str, dict[Any, int]]:
        """Rows to draw in each region for each class: first those that balance S, then the rest."""
        in_region = y[self.informative_mask_]
        labels, counts = np.unique(y, return_counts=True)
        n_majority = np.sum(in_region == labels[np.argmax(counts)])
        informative, remaining = {}, {}
        for label in classes:
            n_wanted = self.sampling_strategy_[label]
            n_own = np.sum(in_region == label)
            n_missing = max(0, n_majority - n_own) if n_own > 0 else 0
            informative[label] = min(n_wanted, n_missing)
            remaining[label] = n_wanted - informative[label]
        return {"informative": informative, "remaining": remaining}

    def _climb(
        self,
        ratio: PosteriorRatio,
        X: np.ndarray,
        seeds: np.ndarray,
        radii: np.ndarray,
        region: str,
        random_state: np.random.RandomState,
        report: _Progress | None,
    ) -> SphereAscent:
        """Climb from random first directions (Algorithm 1)."""
        only_random = region == "remaining" and self.remaining == "random"
        max_iter = 0 if only_random else self.max_iter
        return climb_ratio(
            ratio,
            X,
            seeds,
            radii,
            step=self.step,
            max_iter=max_iter,
            random_state=random_state,
            report=report,
        )

    def _collect(
        self, X: np.ndarray, y: np.ndarray, drawn: list[_Drawn]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Append the synthetic rows (line 22), and record where each came from and how far it rose."""

        def joined(arrays: Iterable[np.ndarray], dtype: str = "float64") -> np.ndarray:
            return np.concatenate([np.empty(0, dtype), *arrays])

        self.n_seeds_: dict[Any, dict[str, int]] = {part.label: {} for part in drawn}
        for part in drawn:
            self.n_seeds_[part.label][part.region] = part.n_seeds
        self.seed_indices_ = joined((part.seeds for part in drawn), "intp")
        self.region_ = joined((np.full(len(part.seeds), part.region) for part in drawn), "<U11")
        self.radii_ = joined(part.radii for part in drawn)
        self.rotation_ = joined(part.ascent.rotation for part in drawn)
        self.log_ratio_start_ = joined(part.ascent.start_value for part in drawn)
        self.log_ratio_ = joined(part.ascent.value for part in drawn)
        synthetic = np.vstack([np.empty((0, X.shape[1])), *(part.ascent.x for part in drawn)])
        return np.vstack([X, synthetic]), np.append(y, y[self.seed_indices_])

    def _sources(
        self,
        X: np.ndarray,
        y: np.ndarray,
        categories: np.ndarray,
        random_state: np.random.RandomState,
    ) -> np.ndarray:
        """For each synthetic row and categorical column the row whose category it takes.

        That is one of the seed's nearest rows of its class which hold the most frequent category
        among them; equally frequent categories are equally likely.
        """
        sources = np.empty((len(self.seed_indices_), categories.shape[1]), dtype=np.intp)
        for label in np.unique(y[self.seed_indices_]):
            rows = np.flatnonzero(y == label)
            here = np.flatnonzero(y[self.seed_indices_] == label)
            nearest = self._nearest_of_class(X, rows, self.seed_indices_[here])
            for j, codes in enumerate(categories.T):
                held = codes[nearest]
                votes = sum((held == one[:, None]).astype(float) for one in held.T)
                # all holders of one category have equally many votes; less than a vote breaks ties
                votes += random_state.uniform(size=held.shape)
                winner = votes.argmax(axis=1)
                sources[here, j] = nearest[np.arange(len(here)), winner]
        return sources

    def _nearest_of_class(self, X: np.ndarray, rows: np.ndarray, seeds: np.ndarray) -> np.ndarray:
        """The nearest `rows` of each seed, which is one of them; a single row is its own."""
        if len(rows) == 1:
            return seeds[:, None]
        of_all = nearest_others(X[rows], np.arange(len(rows)), self.k_neighbors, self.n_jobs)[1]
        return rows[of_all[np.searchsorted(rows, seeds)]]

    def _warn_of_few_seeds(self, y: np.ndarray, drawn: list[_Drawn]) -> None:
        few = [part for part in drawn if part.has_few_seeds(self.k_neighbors)]
        if not few:
            return
        n_rows = {part.label: np.sum(y == part.label) for part in few}
        where = "; ".join(
            f"class {part.label}, {part.region} region: {len(part.seeds)} rows from {part.n_seeds} "
            f"of the class's {n_rows[part.label]} rows, {part.most_from_one_seed} of them from one"
            for part in few
        )
        cures = []
        if any(part.n_seeds < n_rows[part.label] for part in few):
            if self.informative_threshold is not None or self.informative_portion < 1:
                cures.append("informative_portion=1 (all rows are one region)")
            # "informative" changes the remaining region only
            if self.reject_noise is True and any(part.region == "remaining" for part in few):
                cures.append('reject_noise="informative" (noise is kept outside that region)')
            elif self.reject_noise and any(part.region == "informative" for part in few):
                cures.append("reject_noise=False (noise is kept)")
        advice = f"Pass {' or '.join(cures)}" if cures else "Collect more rows of the class"
        warnings.warn(
            f"Many synthetic rows lie around few seeds ({where}). {advice} to have more seeds.",
            FewSeedsWarning,
            stacklevel=2,
        )

    def _posterior_ratio(self, data: np.ndarray, y: np.ndarray, label: Hashable) -> PosteriorRatio:
        """The objective f of a class against all others (Eq. 11), original rows only."""
        ratio = PosteriorRatio(bandwidth=self.bandwidth, n_jobs=self.n_jobs, device=self.device)
        return ratio._fit(data, y, label)

    def _ranges(self, data: np.ndarray, y: np.ndarray, classes: list[Any]) -> np.ndarray:
        """R (Eq. 14): mean distance to the nearest rows of the same class, 0 for a single row."""
        ranges = np.zeros(len(data))
        for label in classes:
            rows = np.flatnonzero(y == label)
            if len(rows) > 1:
                among_them = np.arange(len(rows))
                nearest = nearest_others(data[rows], among_them, self.k_neighbors, self.n_jobs)
                ranges[rows] = nearest[0].mean(axis=1)
        return ranges

    def _is_noise(self, data: np.ndarray, y: np.ndarray, classes: list[Any]) -> np.ndarray:
        """Rows among whose nearest ones another class has more rows than their own."""
        is_noise = np.zeros(len(data), dtype=bool)
        if not self.reject_noise or not classes:
            return is_noise
        rows = np.flatnonzero(np.isin(y, classes))
        neighbor_labels = y[nearest_others(data, rows, self.k_neighbors, self.n_jobs)[1]]
        own_votes = np.sum(neighbor_labels == y[rows, None], axis=1)
        for label in np.unique(y):
            is_noise[rows] |= np.sum(neighbor_labels == label, axis=1) > own_votes
        return is_noise

    def _informative_region(
        self, data: np.ndarray, y: np.ndarray, random_state: np.random.RandomState
    ) -> np.ndarray:
        return informative_region(
            data,
            y,
            portion=self.informative_portion,
            threshold=self.informative_threshold,
            n_initial=self.n_initial,
            learner=self.learner,
            random_state=random_state.randint(LARGEST_SEED),
        )

    def _pool(
        self, y: np.ndarray, label: Hashable, region: str, is_noise: np.ndarray
    ) -> np.ndarray:
        """The rows of a class from which a region's seeds are chosen."""
        in_region = self.informative_mask_ == (region == "informative")
        pool = np.flatnonzero((y == label) & in_region)
        if len(pool) == 0:
            pool = np.flatnonzero(y == label)
        if region == "remaining" and self.reject_noise == "informative":
            return pool
        accepted = pool[~is_noise[pool]]
        return accepted if len(accepted) > 0 else pool

    def _draw_radii(self, ranges: np.ndarray, random_state: np.random.RandomState) -> np.ndarray:
        """Eq. 13 (TAI paper), or line 7 of Algorithm 2 (preprint)."""
        if self.radius == "gaussian":
            return np.abs(random_state.normal(0.0, self.alpha * ranges))
        return random_state.uniform(0.0, self.alpha * ranges)

    def _validate_params(self) -> None:
        super()._validate_params()
        check_whole("k_neighbors", self.k_neighbors)
        check_whole("n_initial", self.n_initial)
        check_whole("max_iter", self.max_iter, least=0)
        check_n_jobs(self.n_jobs)
        check_device(self.device)
        threshold = self.informative_threshold
        cures = {
            "radius": (self.radius in ("gaussian", "uniform"), '"gaussian" or "uniform"'),
            "alpha": (_lies_in_0_1(self.alpha), "a number in (0, 1]"),
            "informative_portion": (_lies_in_0_1(self.informative_portion), "a share in (0, 1]"),
            "informative_threshold": (
                threshold is None or (is_number(threshold) and 0 <= threshold < 1),
                "an entropy in [0, 1), or None",
            ),
            "remaining": (self.remaining in ("ascent", "random"), '"ascent" or "random"'),
            "reject_noise": (
                self.reject_noise in (True, False, "informative"),
                'True, False or "informative"',
            ),
        }
        for name, (fits, cure) in cures.items():
            if not fits:
                raise ValueError(f"{name}={getattr(self, name)!r}: give {cure}.")


def _lies_in_0_1(value: Any) -> bool:
    return is_number(value) and 0 < value <= 1
