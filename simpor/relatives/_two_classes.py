"""What the relatives that are classifiers of two classes have in common."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from simpor._checks import check_distances

__all__: list[str] = []


def check_magnitudes(X: np.ndarray) -> None:
    """Refuse rows whose distances or squares overflow.

    Parameters
    ----------
    X : ndarray of float of shape (n, d)

    Raises
    ------
    ValueError
        If the largest distance, or the sum of all squares, is not finite.
    """
    check_distances(X)
    with np.errstate(over="ignore"):
        if not np.isfinite(np.sum(X**2)):
            raise ValueError("Squares of X overflow: standardise it first (StandardScaler).")


def validated(estimator: BaseEstimator, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
    """Check training rows as scikit-learn does, with a cure for columns of text.

    Parameters
    ----------
    estimator : BaseEstimator
        Gets `n_features_in_`, and `feature_names_in_` if the columns have names.
    X : array-like or pandas frame of shape (n, d)
    y : array-like of shape (n,)

    Returns
    -------
    X : ndarray of float64 of shape (n, d)
    y : ndarray of shape (n,)

    Raises
    ------
    ValueError
        If scikit-learn refuses them.
    """
    try:
        return validate_data(estimator, X, y, dtype=np.float64)
    except ValueError as error:
        if "could not convert string" not in str(error):
            raise
        raise ValueError(
            f"X holds text ({error}): encode it as numbers first, e.g. with "
            "OneHotEncoder(sparse_output=False)."
        ) from error


def number_labels(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number the classes of some labels.

    Parameters
    ----------
    y : ndarray of shape (n,)

    Returns
    -------
    classes : ndarray of shape (n_classes,)
        In ascending order.
    numbers : ndarray of int of shape (n,)

    Raises
    ------
    ValueError
        If the labels are numbers of a continuous target, have no order, such as None beside text,
        or are all alike.
    """
    try:
        classes, numbers = np.unique(y, return_inverse=True)
    except TypeError as error:
        raise ValueError(
            f"y mixes types ({error}): pass labels of one type, e.g. y.astype(str)."
        ) from error
    check_classification_targets(y)
    if len(classes) == 1:
        raise ValueError(f"y holds one class, {classes[0]}: pass rows of two classes.")
    return classes, numbers


def number_classes(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number the two classes of some labels.

    Parameters
    ----------
    y : ndarray of shape (n,)

    Returns
    -------
    classes : ndarray of shape (2,)
        In ascending order.
    numbers : ndarray of int of shape (n,)
        0 or 1 for each row.

    Raises
    ------
    ValueError
        If there are not two classes.
    """
    classes, numbers = number_labels(y)
    if len(classes) > 2:
        raise ValueError(
            "Only binary classification is supported. The type of the target is "
            f"{type_of_target(y)}: wrap the classifier in sklearn's OneVsRestClassifier."
        )
    return classes, numbers


class TwoClassClassifier(ClassifierMixin, BaseEstimator):
    """A classifier that predicts the second class where its decision function is above 0."""

    def _check_X_y(self, X: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """X in float64 and the class numbers, 0 and 1, of y; sets `classes_`."""
        X, y = validated(self, X, y)
        check_magnitudes(X)
        self.classes_, numbers = number_classes(y)
        return X, numbers

    def _check_X(self, X: ArrayLike) -> np.ndarray:
        """X in float64, with the columns that the training rows had."""
        check_is_fitted(self)
        return validate_data(self, X, reset=False, dtype=np.float64)

    def decision_function(self, X: ArrayLike) -> np.ndarray:
        """Signed score of each row.

        Parameters
        ----------
        X : array-like of shape (m, d)

        Returns
        -------
        ndarray of shape (m,)
            Above 0 for ``classes_[1]``.
        """
        raise NotImplementedError

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Class of each row.

        Parameters
        ----------
        X : array-like of shape (m, d)

        Returns
        -------
        ndarray of shape (m,)
        """
        check_is_fitted(self)
        return self.classes_[(self.decision_function(X) > 0).astype(int)]

    def __sklearn_tags__(self) -> Tags:
        tags: Any = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags
