"""RBO, radial-based oversampling (Koziarski et al., 2019): random walks to where classes balance."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_random_state

from simpor._checks import SamplingStrategy, check_whole, is_number
from simpor._columns import TableOverSampler
from simpor.relatives._parameters import check_positive

__all__ = ["RBO"]

# So many distances are at hand at once: enough to be fast, few enough for the processor's cache.
DISTANCES_AT_ONCE = 2**17
# In units of gamma. Beyond, the kernel is below 1e-293; numbers that underflow take ten times as
# long to compute.
FARTHEST = 26.0


class RBO(TableOverSampler):
    r"""Radial-based oversampling: each synthetic row walks to where the classes' kernels cancel.

    The potential of a point is the kernel sum over the rows :math:`A` of the other classes less
    that over the rows :math:`B` of the class to be enlarged, with the distance
    :math:`\lVert x\rVert_1 = \sum_j |x_j|`:

    .. math:: \Phi(x) = \sum_{a \in A} e^{-(\lVert x - a\rVert_1 / \gamma)^2}
                      - \sum_{b \in B} e^{-(\lVert x - b\rVert_1 / \gamma)^2} .

    A synthetic row begins at a random row of its class, its seed. In each step one of its features,
    drawn at random, moves up or down by `step_size`; the move is kept if it lowers
    :math:`|\Phi|`. SIMPOR climbs a ratio of the two sums; this is their difference.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        As in imbalanced-learn.
    random_state : int, RandomState instance or None, default=None
        The result is bit-identical for one value, whatever the number of threads.
    gamma : float, default=0.05
        Width of the kernel, in units of the features' ranges. As in the authors' code; their study
        chooses it from 0.001, 0.01, 0.1, 1 and 10 for each data set.
    n_steps : int, default=500
        Steps at most, as in the authors' code. With 0, seeds are copied.
    step_size : float, default=0.001
        In units of the features' ranges, as in the authors' code.
    stop_probability : float, default=0.02
        Chance in [0, 1] to end the walk before a step, as in the authors' code: with it, a walk
        has 49 steps on average.

    Attributes
    ----------
    sampling_strategy_ : dict
        Rows to draw for each class.
    seed_indices_ : ndarray of int of shape (n_synthetic,)
        The original row at which each synthetic row's walk begins.
    potential_start_, potential_ : ndarray of shape (n_synthetic,)
        :math:`\Phi` at the seed and at the end of the walk.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only if ``X`` has column names.

    Raises
    ------
    ValueError
        If a parameter is out of range.

    Notes
    -----
    The study that the authors published scales each feature to [0, 1] first. The sampler does this
    itself and scales back, so that no change of unit alters its result. A feature that is constant
    never moves (our reading): it would change all distances alike and lead away from all rows. With
    more than two classes, :math:`A` holds the rows of all others (as in the authors' code).

    Nothing holds a walk near the data, since :math:`\Phi` vanishes far from all rows. With a wide
    kernel and many steps synthetic rows leave the range of the data, and classifiers suffer: for
    naive Bayes on the data set pima, the balanced accuracy that the authors recorded falls from
    0.726 (`gamma` = 0.1, 1,000 steps, `stop_probability` = 0) to 0.529 (10 and 16,000 steps).

    Time grows with the number of synthetic rows times that of all rows times the steps.

    References
    ----------
    M. Koziarski, B. Krawczyk and M. Wozniak, "Radial-based oversampling for noisy imbalanced data
    classification", Neurocomputing, 2019. We read the code and the records in the repository
    michalkoziarski/RBO, not the paper.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import make_moons
    >>> from simpor.relatives import RBO
    >>> X, y = make_moons((200, 20), noise=0.2, random_state=0)
    >>> sampler = RBO(random_state=0)
    >>> X_resampled, y_resampled = sampler.fit_resample(X, y)
    >>> np.bincount(y_resampled)
    array([200, 200])
    >>> bool(np.all(np.abs(sampler.potential_) <= np.abs(sampler.potential_start_)))
    True
    """

    _parameter_constraints: dict[str, list[object]] = {
        **TableOverSampler._parameter_constraints,
        "gamma": [Real],
        "n_steps": [Integral],
        "step_size": [Real],
        "stop_probability": [Real],
    }

    def __init__(
        self,
        *,
        sampling_strategy: SamplingStrategy = "auto",
        random_state: int | np.random.RandomState | None = None,
        gamma: float = 0.05,
        n_steps: int = 500,
        step_size: float = 0.001,
        stop_probability: float = 0.02,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.random_state = random_state
        self.gamma = gamma
        self.n_steps = n_steps
        self.step_size = step_size
        self.stop_probability = stop_probability

    def _fit_resample(self, X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self._check_parameters()
        rng = check_random_state(self.random_state)
        ranges = np.ptp(X, axis=0)
        varies = ranges > 0
        scaled = (X[:, varies] - X[:, varies].min(axis=0)) / ranges[varies]
        seed_parts, ends, potentials = [], [], []
        for label, n_rows in self.sampling_strategy_.items():
            own = y == label
            seeds = rng.choice(np.flatnonzero(own), size=n_rows)
            end, potential = self._walk(scaled[seeds], scaled[~own], scaled[own], rng)
            seed_parts.append(seeds)
            ends.append(end)
            potentials.append(potential)
        self.seed_indices_ = np.concatenate([*seed_parts, np.empty(0, dtype=np.intp)])
        self.potential_start_, self.potential_ = np.hstack([*potentials, np.empty((2, 0))])
        synthetic = X[self.seed_indices_]
        moves = np.concatenate([*ends, scaled[:0]]) - scaled[self.seed_indices_]
        synthetic[:, varies] += ranges[varies] * moves
        return np.concatenate([X, synthetic]), np.append(y, y[self.seed_indices_])

    def _walk(
        self, starts: np.ndarray, others: np.ndarray, own: np.ndarray, rng: np.random.RandomState
    ) -> tuple[np.ndarray, np.ndarray]:
        """End of each walk, and the potential at its start and end as an array of two rows."""
        lengths = self._numbers_of_steps(len(starts), rng)
        points, potentials = starts.copy(), np.empty((2, len(starts)))
        rows = np.concatenate([others, own])
        n_at_once = max(1, DISTANCES_AT_ONCE // len(rows))
        order = np.argsort(-lengths, kind="stable")  # walks of about the same length together
        for first in range(0, len(order), n_at_once):
            batch = order[first : first + n_at_once]
            points[batch], potentials[:, batch] = self._walk_together(
                points[batch], lengths[batch], rows, len(others), rng
            )
        return points, potentials

    def _walk_together(
        self,
        points: np.ndarray,
        lengths: np.ndarray,
        rows: np.ndarray,
        n_others: int,
        rng: np.random.RandomState,
    ) -> tuple[np.ndarray, np.ndarray]:
        """The same for a batch whose longest walks come first; rows begin with other classes'."""
        columns = np.ascontiguousarray(rows.T)
        distances = np.zeros((len(points), len(rows)))
        for values, column in zip(points.T, columns):
            distances += np.abs(values[:, None] - column)
        start = _potential(distances, n_others, self.gamma)
        potential = start.copy()
        # where no feature varies there is nowhere to go
        for step in range(lengths[0] if len(columns) > 0 else 0):
            n_walking = np.count_nonzero(lengths > step)
            walkers = np.arange(n_walking)
            features = rng.randint(len(columns), size=n_walking)
            here = points[walkers, features]
            there = here + rng.choice([-self.step_size, self.step_size], size=n_walking)
            # only one term of each distance changes
            column = columns[features]
            moved = distances[:n_walking] + np.abs(there[:, None] - column)
            moved -= np.abs(here[:, None] - column)
            potential_there = _potential(moved, n_others, self.gamma)
            better = np.flatnonzero(np.abs(potential_there) < np.abs(potential[:n_walking]))
            points[better, features[better]] = there[better]
            distances[better] = moved[better]
            potential[better] = potential_there[better]
        return points, np.stack([start, potential])

    def _numbers_of_steps(self, n_walks: int, rng: np.random.RandomState) -> np.ndarray:
        """Steps of each walk, which may end before any of them."""
        if self.stop_probability == 0:
            return np.full(n_walks, self.n_steps)
        return np.minimum(rng.geometric(self.stop_probability, size=n_walks) - 1, self.n_steps)

    def _check_parameters(self) -> None:
        check_whole("n_steps", self.n_steps, 0)
        check_positive("gamma", self.gamma)
        check_positive("step_size", self.step_size)
        if not is_number(self.stop_probability) or not 0 <= self.stop_probability <= 1:
            raise ValueError(
                f"stop_probability={self.stop_probability!r}: give a probability in [0, 1]."
            )


def _potential(distances: np.ndarray, n_others: int, gamma: float) -> np.ndarray:
    """Potential of each point, from its distances to the rows of other classes and then its own."""
    kernel = np.exp(-(np.minimum(distances / gamma, FARTHEST) ** 2))
    return kernel[:, :n_others].sum(axis=1) - kernel[:, n_others:].sum(axis=1)
