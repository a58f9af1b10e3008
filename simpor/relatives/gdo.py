"""GDO, Gaussian distribution based oversampling (Xie et al., TKDE 2020), as a sampler."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_random_state

from simpor._checks import SamplingStrategy, check_whole
from simpor._columns import TableOverSampler
from simpor.relatives._neighborhoods import nearest
from simpor.relatives._parameters import check_positive

__all__ = ["GDO"]


class GDO(TableOverSampler):
    r"""Anchors near the other classes, and a Gaussian step from the anchor in a random direction.

    For a row :math:`x_i` of the class to be enlarged, among its :math:`k` nearest neighbours in all
    the data, let :math:`C_i` be the share that belongs to other classes (density) and
    :math:`D_i` the mean distance to those divided by the mean distance to all :math:`k`
    (distance). An anchor is drawn with probability

    .. math:: p_i = \frac{C_i + D_i}{\sum_j (C_j + D_j)}

    and the synthetic row is

    .. math:: x' = x_i + d\,u, \qquad d \sim N(0, (\alpha\sigma_i)^2),

    with :math:`u` uniform on the unit sphere and :math:`\sigma_i` the distance from :math:`x_i` to
    its nearest neighbour in the same class.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        As in imbalanced-learn.
    random_state : int, RandomState instance or None, default=None
    k_neighbors : int, default=5
        Neighbours that decide the anchors, the row itself excluded; fewer if there are fewer rows.
    alpha : float, default=1.0
        Scale of the step, above 0.

    Attributes
    ----------
    sampling_strategy_ : dict
        Rows to draw for each class.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only if ``X`` has column names.

    Raises
    ------
    ValueError
        If ``k_neighbors`` is below 1 or ``alpha`` is not above 0.

    Notes
    -----
    Public implementations read :math:`D_i` in two ways, as this ratio of means or as the ratio of
    the two sums. The authors of SIMPOR compared with the first, which is therefore used here.
    If no row of the class has a neighbour of another class, all weights are 0 and every row is
    as likely as any other. A class of one row has no neighbour of its own: it is copied.
    With more than two classes, each class is enlarged against all others.

    References
    ----------
    Y. Xie, M. Qiu, H. Zhang, L. Peng and Z. Chen, "Gaussian distribution based oversampling for
    imbalanced data classification", IEEE Transactions on Knowledge and Data Engineering, 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import make_classification
    >>> from simpor.relatives import GDO
    >>> X, y = make_classification(weights=[0.9], flip_y=0, random_state=0)
    >>> np.bincount(y)
    array([91,  9])
    >>> X, y = GDO(random_state=0).fit_resample(X, y)
    >>> np.bincount(y)
    array([91, 91])
    """

    _parameter_constraints: dict[str, list[object]] = {
        **TableOverSampler._parameter_constraints,
        "k_neighbors": [Integral],
        "alpha": [Real],
    }

    def __init__(
        self,
        *,
        sampling_strategy: SamplingStrategy = "auto",
        random_state: int | np.random.RandomState | None = None,
        k_neighbors: int = 5,
        alpha: float = 1.0,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.random_state = random_state
        self.k_neighbors = k_neighbors
        self.alpha = alpha

    def _fit_resample(self, X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        check_whole("k_neighbors", self.k_neighbors)
        check_positive("alpha", self.alpha)
        rng = check_random_state(self.random_state)
        distances, indices = nearest(X, self.k_neighbors)
        X_parts, y_parts = [X], [y]
        for label, n_rows in self.sampling_strategy_.items():
            own = y == label
            probabilities = anchor_probabilities(distances[own], y[indices[own]] != label)
            anchors = rng.choice(len(probabilities), size=n_rows, p=probabilities)
            spread = self.alpha * distance_to_nearest(X[own])[anchors]
            steps = rng.normal(scale=spread)[:, None] * random_directions(n_rows, X.shape[1], rng)
            X_parts.append(X[own][anchors] + steps)
            y_parts.append(np.full(n_rows, label, dtype=y.dtype))
        return np.concatenate(X_parts), np.concatenate(y_parts)


def anchor_probabilities(distances: np.ndarray, is_other: np.ndarray) -> np.ndarray:
    """Chance of each row to be an anchor, from its neighbours' distances and classes.

    Parameters
    ----------
    distances : ndarray of shape (n, k)
        From each row of the class to its k nearest neighbours.
    is_other : bool ndarray of shape (n, k)
        Whether that neighbour belongs to another class.

    Returns
    -------
    ndarray of shape (n,)
        (C + D) / sum(C + D), or 1/n everywhere if no row has a neighbour of another class.

    Examples
    --------
    The first row's neighbours lie at 1 and 3, the farther one in another class: C = 1/2, and
    D = 3/2. The second row has no neighbour of another class.

    >>> import numpy as np
    >>> from simpor.relatives.gdo import anchor_probabilities
    >>> anchor_probabilities(np.array([[1., 3.], [1., 1.]]), np.array([[False, True], [False] * 2]))
    array([1., 0.])
    """
    density = is_other.mean(axis=1)
    n_other = np.maximum(is_other.sum(axis=1), 1)
    mean_to_other = (distances * is_other).sum(axis=1) / n_other
    mean_to_all = distances.mean(axis=1)
    # Neighbours at distance 0 are all equally far, so the ratio of the means is 1.
    distance = (density > 0).astype(float)
    np.divide(mean_to_other, mean_to_all, out=distance, where=mean_to_all > 0)
    weights = density + distance
    total = weights.sum()
    return weights / total if total > 0 else np.full(len(weights), 1 / len(weights))


def distance_to_nearest(points: np.ndarray) -> np.ndarray:
    """Distance from each point to the nearest other one.

    Parameters
    ----------
    points : ndarray of shape (n, d)

    Returns
    -------
    ndarray of shape (n,)
        0 for a single point.
    """
    if len(points) == 1:
        return np.zeros(1)
    return nearest(points, 1)[0][:, 0]


def random_directions(n: int, d: int, rng: np.random.RandomState) -> np.ndarray:
    """Independent unit vectors, uniform on the sphere.

    Parameters
    ----------
    n, d : int
    rng : RandomState

    Returns
    -------
    ndarray of shape (n, d)
    """
    directions = rng.normal(size=(n, d))
    return directions / np.linalg.norm(directions, axis=1, keepdims=True)
