"""How many synthetic rows to add, chosen by validation: VTSS (Ma and Zhang, 2026)."""

from collections.abc import Callable
from numbers import Integral
from typing import Any, Self

import numpy as np
from imblearn.over_sampling.base import BaseOverSampler
from joblib import Parallel, delayed
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.metrics import check_scoring
from sklearn.model_selection import StratifiedShuffleSplit, check_cv
from sklearn.utils import Tags, check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from simpor._checks import LARGEST_SEED, is_number
from simpor.relatives._pools import check_appends, draw_pool
from simpor.relatives._two_classes import check_magnitudes, number_classes
from simpor.relatives.size_theory import theory_guided_sizes

__all__ = ["TunedSizeClassifierCV", "neg_balanced_log_loss"]

SMALLEST_PROBABILITY = 1e-12  # as in the authors' code

Scorer = Callable[[Any, Any, np.ndarray], float]


def neg_balanced_log_loss(estimator: Any, X: ArrayLike, y: ArrayLike) -> float:
    """Negative mean of the classes' mean log losses: a scorer, so that higher is better.

    Parameters
    ----------
    estimator : fitted classifier with predict_proba
    X : array-like of shape (m, d)
    y : array-like of shape (m,)

    Returns
    -------
    float
        In nats. Each class counts alike, however many rows it has.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.dummy import DummyClassifier
    >>> from simpor.relatives.size import neg_balanced_log_loss
    >>> X, y = np.zeros((4, 1)), np.array([0, 0, 0, 1])
    >>> coin = DummyClassifier(strategy="uniform").fit(X, y)
    >>> round(float(neg_balanced_log_loss(coin, X, y)), 4)
    -0.6931
    """
    probabilities = np.clip(estimator.predict_proba(X), SMALLEST_PROBABILITY, None)
    labels = np.asarray(y)
    present = [(i, label) for i, label in enumerate(estimator.classes_) if np.any(labels == label)]
    means = [np.log(probabilities[labels == label, i]).mean() for i, label in present]
    return float(np.mean(means))


def _fitted_has(name: str) -> Callable[[Any], bool]:
    """Whether the tuned classifier has a method, asked of the fitted one if there is one."""

    def check(self: Any) -> bool:
        getattr(getattr(self, "estimator_", self.estimator), name)
        return True

    return check


class TunedSizeClassifierCV(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    r"""A classifier that is trained with as many synthetic rows as validate best (VTSS).

    Balancing the classes is a convention. Here the number of synthetic rows is a parameter: for
    each candidate, the classifier is trained on a fold's real rows and that many synthetic ones,
    and scored on the fold's real validation rows. Then it is trained on all rows with the best.

    Parameters
    ----------
    estimator : classifier
        Cloned for each fit.
    sampler : oversampler of imbalanced-learn or simpor
        Must append synthetic rows to the rows it is given. Its ``sampling_strategy`` and
        ``random_state`` are replaced.
    sizes : int, array-like of float or "theory-guided", default=41
        The candidates, as multiples of the gap :math:`n_0 - n_1` between the classes: 0 is no
        synthetic row and 1 is balance. A number stands for that many from 0 to 2 at equal
        distances; 41, a step of 0.05, is as in the authors' code. "theory-guided" (TG-VTSS) asks
        :func:`~simpor.relatives.size_theory.theory_guided_sizes` of the rows, which must be
        numbers.
    cv : int, float or cross-validation generator, default=5
        Folds, stratified and in order, as in scikit-learn. A float is the validation share of one
        stratified random split.
    scoring : str, callable or None, default=None
        None is :func:`neg_balanced_log_loss`, as in the authors' code.
    refit : bool, default=True
        Whether to train on all rows in the end.
    n_jobs : int or None, default=None
        Folds at the same time, in joblib's processes.
    random_state : int, RandomState instance or None, default=None
        Seeds the sampler, the order of its rows and the split. The estimator keeps its own.
    store_cv_results : bool, default=False
        Whether to keep all scores.

    Attributes
    ----------
    best_size_ : float
        The multiple of the gap that scored best; the smallest of several.
    best_score_ : float
        Its mean score over the folds.
    n_synthetic_ : int
        The synthetic rows among those that ``estimator_`` was trained on.
    sizes_ : ndarray of shape (n_sizes,)
        The candidates, in ascending order.
    guide_ : SizeGuide
        Only if `sizes` is "theory-guided".
    cv_results_ : dict
        Only if `store_cv_results`: "sizes" and "scores" of shape (n_sizes,), and "split_scores" of
        shape (n_splits, n_sizes).
    estimator_ : classifier
        Only if `refit`.
    classes_ : ndarray of shape (2,)
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only if ``X`` has column names.

    Raises
    ------
    TypeError
        If the sampler is not an oversampler.
    ValueError
        If there are not two classes, or a parameter is out of range.

    See Also
    --------
    sklearn.model_selection.TunedThresholdClassifierCV : Tunes the decision threshold instead.

    Notes
    -----
    As published is the criterion, the balanced loss of validation rows. As in the authors' code,
    the sampler draws one pool of rows per fold, as many as the largest candidate asks for; smaller
    candidates take its first rows, and the gap is the fold's own. So the candidates differ by their
    size alone, which makes the curve of scores smooth. Our choice is that the pool is shuffled
    once, because samplers append in an order: SIMPOR its informative rows first, ADASYN seed by
    seed. ADASYN may return a few rows fewer than it was asked for.

    Distances between rows depend on the unit of the features: put a scaler before this classifier
    in a pipeline.

    References
    ----------
    Z. Ma and A. R. Zhang, "Synthetic augmentation in imbalanced learning: when it helps, when it
    hurts, and how much to add", arXiv:2601.16120, 2026.

    Examples
    --------
    >>> from imblearn.over_sampling import SMOTE
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from simpor.relatives import TunedSizeClassifierCV
    >>> X, y = make_classification(600, weights=[0.9], random_state=0)
    >>> tuned = TunedSizeClassifierCV(LogisticRegression(), SMOTE(), sizes=[0, 1, 2], cv=2)
    >>> tuned.fit(X, y).best_size_ in (0, 1, 2)
    True
    """

    def __init__(
        self,
        estimator: BaseEstimator,
        sampler: BaseOverSampler,
        *,
        sizes: int | ArrayLike | str = 41,
        cv: Any = 5,
        scoring: str | Scorer | None = None,
        refit: bool = True,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        store_cv_results: bool = False,
    ) -> None:
        self.estimator = estimator
        self.sampler = sampler
        self.sizes = sizes
        self.cv = cv
        self.scoring = scoring
        self.refit = refit
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.store_cv_results = store_cv_results

    def fit(self, X: Any, y: ArrayLike) -> Self:
        """Find the best size and train with it.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n, d)
        y : array-like of shape (n,)
            Labels of two classes.

        Returns
        -------
        TunedSizeClassifierCV
            The classifier itself.
        """
        check_appends(self.sampler)
        if self.scoring is None and not hasattr(self.estimator, "predict_proba"):
            raise ValueError(
                f"estimator={self.estimator!r} has no predict_proba, which the default scoring "
                'needs: give another, e.g. scoring="balanced_accuracy".'
            )
        X, y = self._check_X_y(X, y)
        rng = check_random_state(self.random_state)
        self.sizes_ = self._candidates(X, y, rng)
        splits = list(self._splitter(y, rng).split(X, y))
        seeds = rng.randint(LARGEST_SEED, size=len(splits) + 1)
        split_scores = np.array(
            Parallel(self.n_jobs)(
                delayed(self._scores)(X, y, train, test, seed)
                for (train, test), seed in zip(splits, seeds)
            )
        )
        scores = split_scores.mean(axis=0)
        best = int(np.argmax(scores))
        self.best_size_, self.best_score_ = float(self.sizes_[best]), float(scores[best])
        if self.store_cv_results:
            self.cv_results_ = {
                "sizes": self.sizes_,
                "scores": scores,
                "split_scores": split_scores,
            }
        if self.refit:
            pool, gap = self._pool(X, y, seeds[-1])
            chosen = pool[: round(self.best_size_ * gap)]
            self.n_synthetic_ = len(chosen)
            self.estimator_ = self._fit_estimator(X, y, chosen)
        return self

    def _check_X_y(self, X: Any, y: ArrayLike) -> tuple[Any, np.ndarray]:
        """X as an array or the frame it was, y as an array; sets `classes_`."""
        if hasattr(X, "iloc"):
            validate_data(self, X, skip_check_array=True)
            # synthetic rows lie between truth values, and between pandas' nullable integers
            to_floats = [
                name
                for name, dtype in X.dtypes.items()
                if dtype.kind == "b" or (dtype.kind in "iuf" and hasattr(dtype, "numpy_dtype"))
            ]
            X = X.astype(dict.fromkeys(to_floats, np.float64))
            y = np.ravel(y)
            if len(X) != len(y):
                raise ValueError(f"{len(X)} rows but {len(y)} labels: pass one label for each row.")
        else:
            X, y = validate_data(self, X, y)
            if X.dtype.kind in "biuf":
                check_magnitudes(X.astype(np.float64))
            # samplers subtract rows, which NumPy refuses for truth values
            X = X.astype(np.float64) if X.dtype == bool else X
        self.classes_, numbers = number_classes(y)
        counts = np.bincount(numbers)
        self._minority = self.classes_[0] if counts[0] < counts[1] else self.classes_[1]
        return X, y

    def _candidates(self, X: Any, y: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
        if isinstance(self.sizes, str) and self.sizes == "theory-guided":
            self.guide_ = theory_guided_sizes(X, y, self.sampler, random_state=rng)
            return self.guide_.sizes
        if isinstance(self.sizes, Integral) and self.sizes > 0 and is_number(self.sizes):
            return np.linspace(0, 2, int(self.sizes))
        try:
            sizes = np.unique(np.asarray(self.sizes, dtype=float))
        except (TypeError, ValueError):
            sizes = np.array([])
        if np.ndim(self.sizes) != 1 or len(sizes) == 0 or not np.all((sizes >= 0) & (sizes < 1e9)):
            raise ValueError(
                f'sizes={self.sizes!r}: give a whole number >= 1, multiples >= 0, or "theory-guided".'
            )
        return sizes

    def _splitter(self, y: np.ndarray, rng: np.random.RandomState) -> Any:
        if isinstance(self.cv, float):
            if not 0 < self.cv < 1:
                raise ValueError(f"cv={self.cv!r}: give a share in (0, 1), or a number of folds.")
            return StratifiedShuffleSplit(
                1, test_size=self.cv, random_state=rng.randint(LARGEST_SEED)
            )
        return check_cv(self.cv, y, classifier=True)

    def _pool(self, X: Any, y: np.ndarray, seed: int) -> tuple[Any, int]:
        """Synthetic rows for the largest candidate, shuffled, and the gap between the classes."""
        n_rare = int(np.sum(y == self._minority))
        gap = max(len(y) - 2 * n_rare, 0)
        n_rows = round(self.sizes_[-1] * gap)
        pool = draw_pool(self.sampler, X, y, self._minority, n_rows, int(seed))
        order = np.random.RandomState(seed).permutation(len(pool))
        return _take(pool, order), gap

    def _fit_estimator(self, X: Any, y: np.ndarray, synthetic: Any) -> BaseEstimator:
        labels = np.append(y, np.full(len(synthetic), self._minority, dtype=y.dtype))
        if len(synthetic) == 0:
            return clone(self.estimator).fit(X, y)
        return clone(self.estimator).fit(_append(X, synthetic), labels)

    def _scores(
        self, X: Any, y: np.ndarray, train: np.ndarray, test: np.ndarray, seed: int
    ) -> list[float]:
        """Scores of all candidates on one split."""
        scoring = neg_balanced_log_loss if self.scoring is None else self.scoring
        scorer = check_scoring(self.estimator, scoring=scoring)
        X_train, y_train = _take(X, train), y[train]
        pool, gap = self._pool(X_train, y_train, seed)
        X_test, y_test = _take(X, test), y[test]
        return [
            scorer(self._fit_estimator(X_train, y_train, pool[: round(size * gap)]), X_test, y_test)
            for size in self.sizes_
        ]

    def predict(self, X: Any) -> np.ndarray:
        """Class of each row, by the classifier that was trained with the best size.

        Parameters
        ----------
        X : array-like or DataFrame of shape (m, d)

        Returns
        -------
        ndarray of shape (m,)
        """
        check_is_fitted(self, "estimator_")
        return self.estimator_.predict(X)

    @available_if(_fitted_has("predict_proba"))
    def predict_proba(self, X: Any) -> np.ndarray:
        """Class probabilities of each row.

        Parameters
        ----------
        X : array-like or DataFrame of shape (m, d)

        Returns
        -------
        ndarray of shape (m, 2)
        """
        check_is_fitted(self, "estimator_")
        return self.estimator_.predict_proba(X)

    @available_if(_fitted_has("decision_function"))
    def decision_function(self, X: Any) -> np.ndarray:
        """Signed score of each row.

        Parameters
        ----------
        X : array-like or DataFrame of shape (m, d)

        Returns
        -------
        ndarray of shape (m,)
        """
        check_is_fitted(self, "estimator_")
        return self.estimator_.decision_function(X)

    def __sklearn_tags__(self) -> Tags:
        tags: Any = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.sparse = False
        return tags


def _take(rows: Any, indices: np.ndarray) -> Any:
    return rows.iloc[indices] if hasattr(rows, "iloc") else rows[indices]


def _append(rows: Any, synthetic: Any) -> Any:
    if not hasattr(rows, "iloc"):
        return np.concatenate([rows, synthetic])
    import pandas as pd

    return pd.concat([rows, synthetic], ignore_index=True)
