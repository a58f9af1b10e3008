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

from simpor._checks import check_counts, check_distances

NUMBERS = (int, float, np.number, np.bool_)
# what frames of other libraries have, and arrays have not
SIGNS_OF_A_FRAME = ("columns", "column_names", "__dataframe__", "__arrow_c_stream__")


class TableOverSampler(BaseOverSampler):
    """Base class of the samplers: arrays, lists and pandas frames come back as they went in.

    A subclass implements ``_fit_resample(self, X, y)``. It gets `X` as finite float64 of shape
    (n, d) and `y` of shape (n,) with two or more classes, and returns both with the original rows
    first, in their order, and the synthetic rows after them.

    A subclass with a parameter ``categorical_features`` gets the other columns only, and, where
    that leaves columns out, a third argument ``categories``: codes of shape (n, n_categorical). It
    then returns a third array of shape (n_synthetic, n_categorical): the original row from which
    each synthetic row takes each category.

    Notes
    -----
    The original rows come back bit for bit. In the synthetic rows a bool is True where the float is
    at least 0.5; integers are rounded and held in the range of their type, floats in the range of
    theirs. This holds for NumPy's types, for pandas' nullable and sparse ones, and for columns of
    Python objects which are all bools, integers or floats. The labels come back in the type and
    container that imbalanced-learn received.

    Refused, with the column's name and a cure, unless the column is among the categorical ones:
    text, dates, pandas' dtype category, missing and infinite values. Refused too: sparse matrices,
    frames that are not pandas', a single class, and values so large that distances overflow.
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
        table = self._table(X, y)
        super().fit(table.numbers(), y, **params)
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
        table = self._table(X, y)
        numbers = table.numbers()
        if table.categorical.size:
            params["categories"] = table.categories()
        # imbalanced-learn keeps the type of a series, not that of the array inside it
        is_array = _is_pandas(y, "api.extensions.ExtensionArray")
        labels = sys.modules["pandas"].Series(y) if is_array else y
        resampled, y_resampled, *sources = super().fit_resample(numbers, labels, **params)
        validate_data(self, X, skip_check_array=True)  # the names of the columns
        X_resampled = table.with_rows(resampled[len(numbers) :], *sources)
        return X_resampled, y_resampled.array if is_array else y_resampled

    def _table(self, X: Any, y: Any) -> "Table":
        self._validate_params()
        _refuse_other_containers(X, y)
        _refuse_labels(y)
        if not hasattr(self, "categorical_features"):
            return Table(X)
        table = Table(X, self.categorical_features, takes_categories=True)
        self.categorical_features_ = table.categorical
        return table

    def _check_X_y(self, X: np.ndarray, y: Any) -> tuple[np.ndarray, np.ndarray, bool]:
        if len(X) != len(y):
            raise ValueError(f"{len(X)} rows but {len(y)} labels: pass one label for each row.")
        X, y, binarize_y = super()._check_X_y(X, y, accept_sparse=False)
        check_counts(self.sampling_strategy, y)
        check_distances(X)
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
    categorical_features : "auto", array-like or None, default=None
        Columns that are left as they are: names, positions, a mask, or "auto" for those of dtype
        category.
    takes_categories : bool, default=False
        Whether the user could have passed `categorical_features`, which the messages then advise.
    """

    def __init__(
        self, X: Any, categorical_features: Any = None, takes_categories: bool = False
    ) -> None:
        self.is_frame = _is_pandas(X, "DataFrame")
        self.is_list = isinstance(X, list)
        # as objects, the entries of a list keep their types
        self.rows: Any = np.array(X, dtype=object) if self.is_list else X
        if self.is_frame:
            self.columns: list[Any] = [X.iloc[:, i] for i in range(X.shape[1])]
            self.names: list[Any] = X.columns.tolist()
            for name, count in Counter(self.names).items():
                if count > 1:
                    raise ValueError(f"{count} columns are named {name!r}: give each its own name.")
        else:
            self.rows = check_array(self.rows, dtype=None, ensure_all_finite=False)
            self.columns = list(self.rows.T)
            self.names = list(range(len(self.columns)))
        self.categorical = self._positions(categorical_features)
        self.numeric = np.setdiff1d(np.arange(len(self.columns)), self.categorical)
        if self.categorical.size and not self.numeric.size:
            raise ValueError(
                "All columns are categorical: leave one numeric, or use imblearn's SMOTEN."
            )
        self.dtypes = [
            _plain_dtype(self.names[i], self.columns[i], takes_categories) for i in self.numeric
        ]

    def _positions(self, chosen: Any) -> np.ndarray:
        """The categorical columns, in order."""
        if isinstance(chosen, str) and chosen == "auto" and self.is_frame:
            chosen = [column.dtype.name == "category" for column in self.columns]
        entries = np.asarray([] if chosen is None else chosen)
        try:
            if entries.size == 0:
                return np.empty(0, dtype=np.intp)
            if entries.dtype.kind in "biu":
                return np.unique(np.arange(len(self.names))[entries])
            return np.unique([self.names.index(name) for name in list(entries)])
        except (IndexError, ValueError, TypeError) as error:
            raise ValueError(
                f"categorical_features={chosen!r}: give names of columns, their positions or a "
                'mask; for a pandas frame also "auto".'
            ) from error

    def numbers(self) -> np.ndarray:
        """The numeric columns as float64.

        Returns
        -------
        ndarray of shape (n, n_numeric)

        Raises
        ------
        ValueError
            If a column contains NaN or infinity.
        """
        numbers = np.empty((len(self.rows), len(self.numeric)))
        for i, floats in zip(self.numeric, numbers.T, strict=True):
            with np.errstate(over="ignore"):  # a long double beyond float64 becomes infinite
                floats[:] = np.asarray(self.columns[i]).astype(np.float64)
            if np.isnan(floats).any():
                raise ValueError(f"Column {self.names[i]!r} {MISSING}")
            if np.isinf(floats).any():
                raise ValueError(f"Column {self.names[i]!r} {INFINITE}")
        return numbers

    def categories(self) -> np.ndarray:
        """The categorical columns as codes: in a column, equal entries have one code.

        Returns
        -------
        int ndarray of shape (n, n_categorical)
            A missing value has a code of its own.
        """
        columns = [self.columns[i] for i in self.categorical]
        if self.is_frame:
            return np.column_stack([column.factorize()[0] for column in columns])
        # as text, since objects of several types have no order
        return np.column_stack([np.unique(c.astype(str), return_inverse=True)[1] for c in columns])

    def with_rows(self, synthetic: np.ndarray, sources: np.ndarray | None = None) -> Any:
        """The table with synthetic rows appended, each column in its own type.

        Parameters
        ----------
        synthetic : ndarray of shape (n_synthetic, n_numeric)
            The numeric columns of these rows.
        sources : int ndarray of shape (n_synthetic, n_categorical), default=None
            The row of the table from which each categorical entry is copied.

        Returns
        -------
        ndarray, list or pandas frame of shape (n + n_synthetic, d)
        """
        if not np.isfinite(synthetic).all():
            raise ValueError("The synthetic rows are not finite: standardise X (StandardScaler).")
        values: dict[int, Any] = {
            i: cast(floats, dtype)
            for i, floats, dtype in zip(self.numeric, synthetic.T, self.dtypes, strict=True)
        }
        for i, rows in zip(self.categorical, () if sources is None else sources.T, strict=True):
            values[i] = getattr(self.columns[i], "array", self.columns[i])[rows]
        if not self.is_frame:
            rows = np.empty((len(synthetic), len(self.columns)), dtype=self.rows.dtype)
            for i, entries in values.items():
                rows[:, i] = entries
            rows = np.concatenate([self.rows, rows], dtype=self.rows.dtype)
            return rows.tolist() if self.is_list else rows
        import pandas as pd

        frame = pd.concat(
            [pd.Series(values[i]).astype(c.dtype) for i, c in enumerate(self.columns)], axis=1
        )
        frame.columns = self.rows.columns
        return pd.concat([self.rows, frame], ignore_index=True)


MISSING = "contains NaN, a missing value: fill it, e.g. with SimpleImputer, or drop its rows."
INFINITE = "contains infinity: replace it, or drop its rows."


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


def _plain_dtype(name: Any, column: Any, takes_categories: bool) -> np.dtype:
    """NumPy's type for a column of numbers, the type of its entries if these are objects."""
    dtype = column.dtype
    if hasattr(column, "isna") and column.isna().any():
        raise ValueError(f"Column {name!r} {MISSING}")
    if dtype == np.dtype(object):
        types = set(map(type, column.tolist()))
        if types and all(issubclass(t, NUMBERS) for t in types):
            dtype = np.result_type(*types)
    if dtype.kind in "biuf":
        # pandas' nullable and Arrow types have a NumPy type, its sparse ones a subtype
        return np.dtype(getattr(dtype, "numpy_dtype", getattr(dtype, "subtype", dtype)))
    if dtype.kind in "mM":
        cure = "turn it into numbers first, e.g. days since a first date"
    else:
        cure = "encode it as numbers first, e.g. with OneHotEncoder(sparse_output=False)"
        if takes_categories:
            choice = "'auto'" if dtype.name == "category" else [name]
            cure = f"pass categorical_features={choice}, or {cure}"
    raise ValueError(f"Column {name!r} has dtype {dtype}, not numbers: {cure}.")


def _refuse_other_containers(X: Any, y: Any) -> None:
    if issparse(X):
        raise TypeError(
            "X is sparse: pass X.toarray(). In a pipeline, give the encoder before the sampler "
            "sparse_output=False, a ColumnTransformer sparse_threshold=0."
        )
    for name, value in (("X", X), ("y", y)):
        if not _is_pandas(value, "DataFrame", "Series") and any(
            hasattr(type(value), sign) for sign in SIGNS_OF_A_FRAME
        ):
            kind = f"{type(value).__module__.partition('.')[0]} {type(value).__name__}"
            raise TypeError(f"{name} is a {kind}: pass pandas or NumPy, e.g. {name}.to_pandas().")


def _refuse_labels(y: Any) -> None:
    """Say what is wrong with labels of which scikit-learn says "unknown" or nothing."""
    is_list = isinstance(y, (list, tuple))
    labels = np.asarray(y, dtype=object if is_list else None)
    if labels.ndim == 2 and labels.shape[1] > 1 and not isinstance(y, np.ndarray):
        raise ValueError(f"y has {labels.shape[1]} columns: pass one, or one-hot as an array.")
    if labels.dtype == np.dtype(object):
        types = {type(label) for label in labels.ravel()}
        is_text = all(issubclass(t, str) for t in types)
        if not (is_text or (is_list and all(issubclass(t, NUMBERS) for t in types))):
            found = ", ".join(sorted(t.__name__ for t in types))
            cure = "pass labels of one type, e.g. y.astype(str) or y.astype(int)"
            raise ValueError(f"y is made of objects ({found}): {cure}.")
    if labels.dtype.kind == "f" and np.isnan(labels).any():
        raise ValueError("y contains NaN, a missing label: drop its rows first.")


def _is_pandas(value: Any, *kinds: str) -> bool:
    """Whether it is a pandas object of these kinds; without pandas loaded there is none."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and any(isinstance(value, attrgetter(k)(pandas)) for k in kinds)
