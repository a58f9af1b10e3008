"""Tables in and out: what comes back from a sampler has the types that went in, column by column.

A sampler computes with floats. imbalanced-learn casts them back with ``astype``, which turns every
synthetic bool into True, cuts integers towards zero and lets small ones wrap round.
:class:`TableOverSampler` does the conversion for all samplers of this project, in both directions.
"""

import sys
from collections import Counter
from operator import attrgetter
from typing import Any

import numpy as np
from imblearn.over_sampling.base import BaseOverSampler
from scipy.sparse import issparse
from sklearn.utils import Tags, check_array
from sklearn.utils.validation import validate_data

# what frames of other libraries have, and arrays have not
SIGNS_OF_A_FRAME = ("columns", "column_names", "__dataframe__", "__arrow_c_stream__")


class TableOverSampler(BaseOverSampler):
    """Base class of the samplers: arrays, lists and pandas frames come back as they went in.

    A subclass implements ``_fit_resample(self, X, y)``. It gets `X` as finite float64 of shape
    (n, d) and `y` of shape (n,) with two or more classes, and returns both with the original rows
    first, in their order, and the synthetic rows after them.

    Notes
    -----
    The original rows come back bit for bit. In the synthetic rows a bool is True where the float is
    at least 0.5; integers are rounded and held in the range of their type, floats in the range of
    theirs. This holds for NumPy's types, for pandas' nullable and sparse ones, and for columns of
    Python objects which are all bools, integers or floats. The labels come back in the type and
    container that imbalanced-learn received.

    Refused with a sentence that names the column and a cure: categories, text, dates, missing and
    infinite values. Refused too: sparse matrices, frames that are not pandas', a single class,
    and values so large that distances overflow.
    """

    def fit(self, X: Any, y: Any, **params: Any) -> "TableOverSampler":
        """Check the rows and count what is to be drawn; `fit_resample` does this and resamples.

        Parameters
        ----------
        X : array-like or pandas frame of shape (n, d)
            The rows.
        y : array-like of shape (n,)
            The label of each row.
        **params : dict
            Passed on to the base class.

        Returns
        -------
        TableOverSampler
            The sampler itself.
        """
        _refuse_other_containers(X, y)
        _refuse_labels(y)
        super().fit(Table(X).numbers(), y, **params)
        validate_data(self, X, skip_check_array=True)  # the names of the columns
        return self

    def fit_resample(self, X: Any, y: Any, **params: Any) -> tuple[Any, Any]:
        """Resample the rows.

        Parameters
        ----------
        X : array-like or pandas frame of shape (n, d)
            The rows.
        y : array-like of shape (n,)
            The label of each row.
        **params : dict
            Passed on to ``_fit_resample``.

        Returns
        -------
        X_resampled : array-like or pandas frame of shape (n + n_synthetic, d)
            The original rows, then the synthetic ones, with the types of `X`.
        y_resampled : array-like of shape (n + n_synthetic,)
            Their labels, with the type of `y`.

        Raises
        ------
        TypeError
            If `X` is sparse, or a frame that is not pandas'.
        ValueError
            If a column holds anything but numbers, or if there is one class only.
        """
        _refuse_other_containers(X, y)
        _refuse_labels(y)
        table = Table(X)
        numbers = table.numbers()
        # imbalanced-learn keeps the type of a series, not that of the array inside it
        is_array = _is_pandas(y, "api.extensions.ExtensionArray")
        labels = sys.modules["pandas"].Series(y) if is_array else y
        resampled, y_resampled = super().fit_resample(numbers, labels, **params)
        if is_array:
            y_resampled = y_resampled.array
        validate_data(self, X, skip_check_array=True)  # the names of the columns
        return table.with_rows(resampled[len(numbers) :]), y_resampled

    def _check_X_y(self, X: np.ndarray, y: Any) -> tuple[np.ndarray, np.ndarray, bool]:
        if len(X) != len(y):
            raise ValueError(f"{len(X)} rows but {len(y)} labels: pass one label for each row.")
        X, y, binarize_y = super()._check_X_y(X, y, accept_sparse=False)
        with np.errstate(over="ignore"):
            longest_distance = np.linalg.norm(np.ptp(X, axis=0))
        if not np.isfinite(longest_distance):
            raise ValueError("Distances in X overflow: standardise it first (StandardScaler).")
        labels = np.unique(y)
        if len(labels) < 2:
            raise ValueError(f"y holds one class, {labels[0]}: pass rows of two or more classes.")
        return X, y, binarize_y

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        return tags


class Table:
    """The columns of an array, a list of rows or a pandas frame: as floats, and back.

    Parameters
    ----------
    X : array-like or pandas frame of shape (n, d)
    """

    def __init__(self, X: Any) -> None:
        self.is_frame = _is_pandas(X, "DataFrame")
        self.is_list = isinstance(X, list)
        # as objects, the entries of a list keep their types
        self.rows: Any = np.array(X, dtype=object) if self.is_list else X
        if self.is_frame:
            self.columns: list[Any] = [X.iloc[:, i] for i in range(X.shape[1])]
            self.names = [repr(name) for name in X.columns]
        else:
            self.rows = check_array(self.rows, dtype=None, ensure_all_finite=False)
            self.columns = list(self.rows.T)
            self.names = [str(i) for i in range(len(self.columns))]
        for name, count in Counter(self.names).items():
            if count > 1:
                raise ValueError(f"{count} columns are named {name}: give each its own name.")
        self.dtypes = [_plain_dtype(*pair) for pair in zip(self.names, self.columns, strict=True)]

    def numbers(self) -> np.ndarray:
        """All columns as float64.

        Returns
        -------
        ndarray of shape (n, d)

        Raises
        ------
        ValueError
            If a column holds anything but finite numbers.
        """
        numbers = np.empty(self.rows.shape)
        for i, (name, column) in enumerate(zip(self.names, self.columns, strict=True)):
            with np.errstate(over="ignore"):  # a long double beyond float64 becomes infinite
                numbers[:, i] = np.asarray(column).astype(np.float64)
            if np.isnan(numbers[:, i]).any():
                raise ValueError(f"Column {name} {MISSING}")
            if np.isinf(numbers[:, i]).any():
                raise ValueError(f"Column {name} contains infinity: replace it, or drop its rows.")
        return numbers

    def with_rows(self, synthetic: np.ndarray) -> Any:
        """The table with synthetic rows appended, each column in its own type.

        Parameters
        ----------
        synthetic : ndarray of shape (n_synthetic, d)

        Returns
        -------
        ndarray, list or pandas frame of shape (n + n_synthetic, d)
        """
        if not np.isfinite(synthetic).all():
            raise ValueError("The synthetic rows are not finite: standardise X (StandardScaler).")
        values = [cast(*pair) for pair in zip(synthetic.T, self.dtypes, strict=True)]
        if not self.is_frame:
            rows = np.empty(synthetic.shape, dtype=self.rows.dtype)
            for i, value in enumerate(values):
                rows[:, i] = value
            rows = np.concatenate([self.rows, rows], dtype=self.rows.dtype)
            return rows.tolist() if self.is_list else rows
        import pandas as pd

        pairs = zip(values, self.columns, strict=True)
        frame = pd.concat([pd.Series(v).astype(column.dtype) for v, column in pairs], axis=1)
        frame.columns = self.rows.columns
        return pd.concat([self.rows, frame], ignore_index=True)


MISSING = "contains NaN, a missing value: fill it, e.g. with SimpleImputer, or drop its rows."


def cast(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Floats as bools, integers or floats of another size.

    Parameters
    ----------
    values : ndarray of float64
        Finite numbers.
    dtype : dtype
        Of kind bool, integer or float.

    Returns
    -------
    ndarray of `dtype`
        Bools are True from 0.5 on, integers are rounded, half to even; what lies outside the
        range of `dtype` becomes its lowest or highest number.

    Examples
    --------
    >>> import numpy as np
    >>> from simpor._columns import cast
    >>> cast(np.array([-0.2, 0.5, 0.9]), np.dtype(bool))
    array([False,  True,  True])
    >>> cast(np.array([-300.0, 1.7, 300.0]), np.dtype(np.int8))
    array([-128,    2,  127], dtype=int8)
    """
    if dtype.kind == "b":
        return values >= 0.5
    if dtype.kind == "f":
        limit = np.finfo(dtype).max
        return np.clip(values, -limit, limit).astype(dtype)
    limits = np.iinfo(dtype)
    # the highest int64 is no float, the next float is too high: hence set, not cast
    integers = np.full(values.shape, limits.max, dtype=dtype)
    below = values < limits.max
    integers[below] = np.rint(np.maximum(values[below], limits.min)).astype(dtype)
    return integers


def _plain_dtype(name: str, column: Any) -> np.dtype:
    """NumPy's type for a column of numbers, the type of its entries if these are objects."""
    dtype = column.dtype
    if hasattr(column, "isna") and column.isna().any():
        raise ValueError(f"Column {name} {MISSING}")
    if dtype == np.dtype(object):
        types = set(map(type, column.tolist()))
        if all(issubclass(t, (int, float, np.number, np.bool_)) for t in types) and types:
            dtype = np.result_type(*types)
    if dtype.kind in "biuf":
        # pandas' nullable and Arrow types have a NumPy type, its sparse ones a subtype
        return np.dtype(getattr(dtype, "numpy_dtype", getattr(dtype, "subtype", dtype)))
    if dtype.kind in "mM":
        cure = "turn it into numbers first, e.g. days since a first date"
    else:
        cure = "encode it as numbers first, e.g. with OneHotEncoder(sparse_output=False)"
    raise ValueError(f"Column {name} has dtype {dtype}, not numbers: {cure}.")


def _refuse_other_containers(X: Any, y: Any) -> None:
    if issparse(X):
        raise TypeError(
            "X is sparse: pass X.toarray(). In a pipeline, give the encoder before the sampler "
            "sparse_output=False, a ColumnTransformer sparse_threshold=0."
        )
    for name, value in (("X", X), ("y", y)):
        if not _is_pandas(value, "DataFrame", "Series") and any(
            hasattr(value, sign) for sign in SIGNS_OF_A_FRAME
        ):
            kind = f"{type(value).__module__.partition('.')[0]} {type(value).__name__}"
            raise TypeError(f"{name} is a {kind}: pass {name}.to_pandas() or {name}.to_numpy().")


def _refuse_labels(y: Any) -> None:
    """Say what is wrong with labels of which scikit-learn says "unknown" or nothing."""
    labels = np.asarray(y)
    if labels.ndim == 2 and labels.shape[1] > 1 and not isinstance(y, np.ndarray):
        raise ValueError(f"y has {labels.shape[1]} columns: pass one, or one-hot as an array.")
    if labels.dtype == object:
        types = sorted({type(label).__name__ for label in labels.ravel()})
        if types != ["str"]:
            cure = "pass labels of one type, e.g. y.astype(str) or y.astype(int)"
            raise ValueError(f"y is an array of objects ({', '.join(types)}): {cure}.")
    if labels.dtype.kind == "f" and np.isnan(labels).any():
        raise ValueError("y contains NaN, a missing label: drop its rows first.")


def _is_pandas(value: Any, *kinds: str) -> bool:
    """Whether it is a pandas object of these kinds; without pandas loaded there is none."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and any(isinstance(value, attrgetter(k)(pandas)) for k in kinds)
