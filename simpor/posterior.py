"""The posterior ratio of a class against the others (TAI paper, Eq. 5-11), in logarithms."""

import copy
import math
from collections.abc import Hashable, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from simpor._checks import check_bandwidth, check_n_jobs, check_queries
from simpor._device import Device, check_device, namespace
from simpor.kde import LARGEST_FLOAT, GaussianKDE, scott_bandwidth


class PosteriorRatio(BaseEstimator):
    r"""Log posterior ratio of one class (B, the positive) against all others (A).

    .. math::

        \log\frac{p(B \mid x)}{p(A \mid x)}
        &= \log\hat f_B(x) - \log\hat f_A(x) + \log\frac{\hat p(B)}{\hat p(A)}, \\
        \nabla \log\frac{p(B \mid x)}{p(A \mid x)} &= \frac{m_B(x) - m_A(x)}{h^2},

    with Gaussian kernel densities :math:`\hat f` and their mean-shift points :math:`m`. The second
    formula holds for one bandwidth in both classes. Priors and row counts move the value and never
    the direction of the gradient.

    Parameters
    ----------
    bandwidth : float, "scott" or pair of these, default="scott"
        In the unit of the features. "scott" is :math:`N^{-1/(d+4)}` with :math:`N` the number of
        all rows, the same for both classes, as in Eq. 10. A pair is (positive, others).
    priors : {"empirical", "equal"}, default="empirical"
        "empirical" takes the shares of the classes in the data (TAI paper), "equal" leaves the
        priors out (preprint).
    n_jobs : int, default=None
        Maximum number of threads, as in :class:`GaussianKDE`.
    device : str, default=None
        None, or the PyTorch device on which the densities are computed, as in :class:`GaussianKDE`.

    Attributes
    ----------
    positive_ : label
        The class in the numerator.
    bandwidth_ : tuple of float
        Bandwidths of the positive class and of the others.
    log_prior_ratio_ : float
        Log p(B) - log p(A), in nats.
    positive_density_, other_density_ : GaussianKDE
        The two fitted densities.
    classes_ : ndarray
    n_features_in_ : int

    Notes
    -----
    Far from all data the ratio is unbounded: there it grows in the direction in which the positive
    class's outermost row is nearer than the others'. Climb it on a bounded set. Where a query is too
    far away for either log density to be a float, the densities cannot be compared: the log ratio is
    that of the priors.

    Examples
    --------
    >>> import numpy as np
    >>> from simpor import PosteriorRatio
    >>> X, y = np.array([[0.0], [1.0], [4.0]]), np.array(["A", "A", "B"])
    >>> ratio = PosteriorRatio(bandwidth=1.0).fit(X, y)
    >>> ratio.positive_
    'B'
    >>> ratio.log_ratio([[0.5], [4.0]]).round(3)
    array([-6.693,  4.47 ])
    >>> ratio.gradient([[2.0]]).round(3)
    array([[3.182]])
    """

    def __init__(
        self,
        *,
        bandwidth: float | str | Sequence[float | str] = "scott",
        priors: str = "empirical",
        n_jobs: int | None = None,
        device: str | None = None,
    ) -> None:
        self.bandwidth = bandwidth
        self.priors = priors
        self.n_jobs = n_jobs
        self.device = device

    def fit(self, X: ArrayLike, y: ArrayLike, positive: Hashable = None) -> Self:
        """Fit the two densities and the priors.

        Parameters
        ----------
        X : array-like of shape (n, d)
        y : array-like of shape (n,)
        positive : label, default=None
            The class in the numerator; None takes the rarest (of equals, the first in sorted order).

        Returns
        -------
        self : PosteriorRatio

        Raises
        ------
        ValueError
            If there are fewer than two classes, `positive` is not a label of `y`, a value is not
            finite, or a parameter is out of range.
        TypeError
            If a bandwidth is not a number, or `X` is sparse.
        ImportError
            If `device` is given and PyTorch or array-api-compat is not installed.
        """
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        return self._fit(X, y, positive)

    def _fit(self, X: np.ndarray, y: np.ndarray, positive: Hashable) -> Self:
        """The same for callers that have validated X and y."""
        check_n_jobs(self.n_jobs)
        check_device(self.device)
        self.classes_, counts = np.unique(y, return_counts=True)
        if len(self.classes_) < 2:
            raise ValueError("y holds one class; a ratio needs rows of at least two classes.")
        if positive is None:
            self.positive_ = self.classes_.tolist()[np.argmin(counts)]
        elif positive in self.classes_.tolist():
            self.positive_ = positive
        else:
            raise ValueError(
                f"positive={positive!r} is not in y; choose one of {self.classes_.tolist()}."
            )
        is_positive = y == self.positive_
        self.bandwidth_ = self._settle_bandwidths(*X.shape)
        self.log_prior_ratio_ = self._settle_priors(is_positive)
        self.positive_density_, self.other_density_ = (
            GaussianKDE(bandwidth=h, n_jobs=self.n_jobs, device=self.device)._fit(X[rows])
            for h, rows in zip(self.bandwidth_, (is_positive, ~is_positive))
        )
        return self

    def _settle_bandwidths(self, n_rows: int, n_features: int) -> tuple[float, float]:
        one = self.bandwidth
        pair = one if isinstance(one, (tuple, list)) else (one, one)
        if len(pair) != 2:
            raise ValueError(f"bandwidth={self.bandwidth!r}: a pair is (positive, others).")
        positive, others = (
            scott_bandwidth(n_rows, n_features)
            if isinstance(h, str) and h == "scott"
            else check_bandwidth(h)
            for h in pair
        )
        return positive, others

    def _settle_priors(self, is_positive: np.ndarray) -> float:
        if isinstance(self.priors, str) and self.priors == "empirical":
            return math.log(is_positive.sum()) - math.log((~is_positive).sum())
        if isinstance(self.priors, str) and self.priors == "equal":
            return 0.0
        raise ValueError(f'priors={self.priors!r}: give "empirical" or "equal".')

    def log_ratio(self, X: ArrayLike) -> np.ndarray:
        """Log posterior ratio at each query.

        Parameters
        ----------
        X : array-like of shape (m, d)

        Returns
        -------
        ndarray of shape (m,)
            In nats; positive where the positive class is the more probable one.
        """
        return self.log_ratio_and_gradient(X)[0]

    def gradient(self, X: ArrayLike) -> np.ndarray:
        """Gradient of the log posterior ratio at each query.

        Parameters
        ----------
        X : array-like of shape (m, d)

        Returns
        -------
        ndarray of shape (m, d)
            In nats per unit length.
        """
        return self.log_ratio_and_gradient(X)[1]

    def log_ratio_and_gradient(self, X: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Log posterior ratio and its gradient, for the price of one.

        Parameters
        ----------
        X : array-like of shape (m, d)

        Returns
        -------
        log_ratio : ndarray of shape (m,)
        gradient : ndarray of shape (m, d)
        """
        return self._log_ratio_and_gradient(check_queries(self, X))

    def _on(self, device: Device) -> Self:
        """A copy with the rows of its densities on a device, for queries that are arrays there."""
        there = copy.copy(self)
        there.positive_density_ = self.positive_density_._on(device)
        there.other_density_ = self.other_density_._on(device)
        return there

    def _log_ratio_and_gradient(self, X: Any) -> tuple[Any, Any]:
        """The same for callers that have validated X; validation dominates for few points."""
        log_positive, gradient_positive = self.positive_density_._score_and_gradient(X)
        log_other, gradient_other = self.other_density_._score_and_gradient(X)
        with np.errstate(over="ignore", invalid="ignore"):
            log_ratio = log_positive - log_other
            gradient = gradient_positive - gradient_other
        log_ratio[(log_positive == -math.inf) & (log_other == -math.inf)] = 0.0  # not comparable
        gradient = namespace(X).clip(gradient, -LARGEST_FLOAT, LARGEST_FLOAT)
        return log_ratio + self.log_prior_ratio_, gradient
