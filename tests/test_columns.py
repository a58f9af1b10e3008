"""What comes back from a sampler has the types that went in; bad tables are refused by name."""

import warnings

import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import SMOTENC
from imblearn.pipeline import make_pipeline
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from simpor import SIMPOR
from simpor._columns import TableOverSampler, cast
from simpor.relatives import GDO, DeepSMOTE

N = 42
LABELS = np.repeat([0, 1], [30, 12])


class Halfway(TableOverSampler):
    """Synthetic rows halfway between two rows of a class, whose floats a test can compute."""

    def _fit_resample(self, X, y):
        rows, labels = [X], [y]
        for label, n_rows in self.sampling_strategy_.items():
            own = X[y == label]
            first, second = np.random.RandomState(0).choice(len(own), size=(2, n_rows))
            rows.append((own[first] + own[second]) / 2)
            labels.append(np.full(n_rows, label, dtype=y.dtype))
        return np.concatenate(rows), np.concatenate(labels)


def simpor(**settings):
    return SIMPOR(learner=LogisticRegression(), max_iter=5, random_state=0, **settings)


SAMPLERS = [Halfway(), GDO(random_state=0), simpor()]
each_sampler = pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda s: type(s).__name__)


def floats(n_columns=2, seed=0):
    return np.random.RandomState(seed).normal(scale=3, size=(N, n_columns))


def frame(seed=0):
    rng = np.random.RandomState(seed)
    values = floats(4, seed)
    return pd.DataFrame(
        {
            "weight": values[:, 0],
            "short": values[:, 1].astype(np.float32),
            "half": values[:, 2].astype(np.float16),
            "count": rng.poisson(3, N),
            "tiny": rng.randint(-128, 128, N).astype(np.int8),
            "key": 2**62 + 1 + rng.randint(0, 9, N),
            "is_old": values[:, 3] > 0,
        },
        index=range(100, 100 + N),
    )


def mixed(seed=0):
    rng = np.random.RandomState(seed)
    return pd.DataFrame(
        {
            "income": rng.normal(size=N),
            "city": pd.Categorical(
                rng.choice(["Bonn", "Rome"], N), categories=["Rome", "Bonn", "X"]
            ),
            "age": rng.normal(size=N),
            "grade": pd.Categorical(rng.choice([3, 1, 2], N), ordered=True),
            "name": pd.Series(rng.choice(["a", "b"], N), dtype=object),
            "is_old": rng.rand(N) > 0.5,
        }
    )


CATEGORICAL = ["city", "grade", "name", "is_old"]


# the conversion of numbers


@pytest.mark.parametrize("kind", ["int", "uint"])
@pytest.mark.parametrize("bits", [8, 16, 32, 64])
def test_integers_are_rounded_and_held_in_their_range(kind, bits):
    dtype = f"{kind}{bits}"
    limits = np.iinfo(dtype)
    values = cast(np.array([-1e30, 0.5, 1.5, 2.7, 1e30, float(limits.max)]), np.dtype(dtype))
    assert values.dtype == dtype
    assert values.tolist() == [limits.min, 0, 2, 3, limits.max, limits.max]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_floats_are_held_in_their_range_without_a_warning(dtype):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values = cast(np.array([-1e308, 0.5, 1e308]), np.dtype(dtype))
    assert values.dtype == dtype and np.all(np.isfinite(values)) and values[1] == 0.5


# arrays and lists


@each_sampler
@pytest.mark.parametrize(
    "dtype", ["?", "i1", "u1", "i4", "i8", "u8", "f2", "f4", "f8", ">f4", ">i4", "g"]
)
def test_arrays_keep_their_type_and_their_rows(sampler, dtype):
    X = (np.abs(floats()) * 3).astype(dtype)
    X_resampled, _ = clone(sampler).fit_resample(X, LABELS)
    assert X_resampled.dtype == X.dtype and len(X_resampled) == 60
    assert X_resampled[:N].tobytes() == X.tobytes()


@each_sampler
@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_large_integers_come_back_to_the_last_digit(sampler, dtype):
    X = np.column_stack([2**62 + 1 + 2 * np.arange(N), np.arange(N)]).astype(dtype)
    X[3, 0] = np.iinfo(dtype).max
    X_resampled, _ = clone(sampler).fit_resample(X, LABELS)
    np.testing.assert_array_equal(X_resampled[:N], X)
    assert X_resampled[N:, 0].min() > 2**61  # nothing has wrapped round


def test_bools_are_true_from_one_half_on():
    X = floats() > 0
    X_resampled, _ = Halfway().fit_resample(X, LABELS)
    as_floats, _ = Halfway().fit_resample(X.astype(float), LABELS)
    assert {0.0, 0.5, 1.0} == set(as_floats[N:].ravel())
    np.testing.assert_array_equal(X_resampled, as_floats >= 0.5)


def test_columns_of_objects_that_are_numbers_stay_what_they_are():
    X = np.empty((N, 3), dtype=object)
    X[:, 0], X[:, 1], X[:, 2] = floats()[:, 0], range(N), [i % 2 == 0 for i in range(N)]
    X_resampled, _ = Halfway().fit_resample(X, LABELS)
    assert X_resampled.dtype == object
    assert [set(map(type, column)) for column in X_resampled.T] == [{float}, {int}, {bool}]


def test_lists_come_back_as_lists_with_the_types_of_their_entries():
    rows = [[i, i / 3, i % 2 == 0] for i in range(N)]
    X_resampled, y_resampled = Halfway().fit_resample(rows, LABELS.tolist())
    assert X_resampled[:N] == rows and isinstance(y_resampled, list)
    assert {tuple(map(type, row)) for row in X_resampled} == {(int, float, bool)}


# frames


@each_sampler
@pytest.mark.parametrize("nullable", [False, True])
def test_frames_keep_each_column_s_type_and_their_rows(sampler, nullable):
    X = frame().convert_dtypes() if nullable else frame()
    X_resampled, _ = clone(sampler).fit_resample(X, LABELS)
    pd.testing.assert_series_equal(X_resampled.dtypes, X.dtypes)
    pd.testing.assert_frame_equal(X_resampled[:N], X.reset_index(drop=True))
    assert not X_resampled.isna().any(axis=None)
    assert X_resampled.index.equals(pd.RangeIndex(60))


def test_the_synthetic_rows_of_a_frame_are_those_of_an_array_of_floats_converted():
    X = frame()
    X_resampled, _ = Halfway().fit_resample(X, LABELS)
    as_floats, _ = Halfway().fit_resample(X.to_numpy(dtype=float), LABELS)
    for i, column in enumerate(X):
        expected = cast(as_floats[N:, i], X.dtypes[column])
        np.testing.assert_array_equal(X_resampled[column][N:], expected)


def test_deepsmote_keeps_the_types_too():
    sampler = DeepSMOTE(random_state=0, n_steps=5)
    X = frame().drop(columns="key").convert_dtypes()
    X_resampled, _ = sampler.fit_resample(X, LABELS)
    pd.testing.assert_series_equal(X_resampled.dtypes, X.dtypes)
    pd.testing.assert_frame_equal(X_resampled[:N], X.reset_index(drop=True))
    integers = np.rint(floats()).astype(int)
    X_resampled, _ = sampler.fit_resample(integers, LABELS)
    as_floats, _ = sampler.fit_resample(integers.astype(float), LABELS)
    np.testing.assert_array_equal(X_resampled, np.rint(as_floats))


def test_the_share_of_true_among_dummies_is_that_of_the_class():
    # imbalanced-learn casts floats to bools: each synthetic row is True in each column
    rng = np.random.RandomState(0)
    y = np.repeat([0, 1], [900, 300])
    dummies = pd.get_dummies(pd.Series(rng.choice(list("abc"), len(y), p=[0.6, 0.3, 0.1])))
    X = pd.concat([pd.DataFrame(rng.normal(size=(len(y), 2)), columns=["x", "z"]), dummies], axis=1)
    X_resampled, _ = Halfway().fit_resample(X, y)
    # halfway between two rows: True where at least one of them is, 1 - (1 - p)^2
    shares = 1 - (1 - dummies[y == 1].mean()) ** 2
    # three standard errors of a share of 600 rows
    np.testing.assert_allclose(X_resampled[len(y) :][["a", "b", "c"]].mean(), shares, atol=0.062)


@pytest.mark.parametrize("sparse_bool", [True, False])
def test_columns_of_sparse_frames_stay_sparse(sparse_bool):
    X = pd.get_dummies(
        pd.Series(["a", "b", "c"] * 14), sparse=True, dtype=bool if sparse_bool else int
    )
    X["x"] = floats()[:, 0]
    X_resampled, _ = Halfway().fit_resample(X, LABELS)
    pd.testing.assert_series_equal(X_resampled.dtypes, X.dtypes)


def test_columns_without_names_and_with_two_levels_are_kept():
    for columns in (range(7), pd.MultiIndex.from_product([["a"], range(7)])):
        X = frame().set_axis(columns, axis=1)
        X_resampled, _ = Halfway().fit_resample(X, LABELS)
        assert X_resampled.columns.equals(X.columns)


def test_arrow_columns_stay_arrow_columns():
    pytest.importorskip("pyarrow")
    X = frame()[["weight", "count", "is_old"]].convert_dtypes(dtype_backend="pyarrow")
    X_resampled, _ = Halfway().fit_resample(X, LABELS)
    pd.testing.assert_series_equal(X_resampled.dtypes, X.dtypes)


# labels

TEXT = np.array(["no", "yes"])[LABELS]


@pytest.mark.parametrize(
    "y",
    [
        pd.Series(LABELS, name="target", dtype="Int64"),
        pd.Series(LABELS == 1, name="target", dtype="boolean"),
        pd.Series(TEXT, name="target", dtype="category"),
        pd.Series(pd.Categorical(TEXT, ["x", "yes", "no"], ordered=True), name="target"),
        pd.Series(LABELS, name="target", dtype="category"),
        pd.Series(TEXT, name="target", dtype="string"),
        pd.Series(LABELS.astype(np.int8), name="target", index=range(7, 7 + N)),
    ],
    ids=lambda y: str(y.dtype),
)
def test_series_of_labels_keep_type_and_name_and_so_do_the_arrays_inside_them(y):
    X_resampled, y_resampled = Halfway().fit_resample(frame(), y)
    assert y_resampled.dtype == y.dtype and y_resampled.name == "target"
    assert y_resampled[:N].tolist() == y.tolist() and y_resampled.index.equals(X_resampled.index)
    inside = Halfway().fit_resample(frame(), y.array)[1]
    assert type(inside) is type(y_resampled.array) and inside.tolist() == y_resampled.tolist()


@pytest.mark.parametrize("y", [LABELS.astype(t) for t in ("int8", "uint64", "float32", "bool")])
def test_arrays_of_labels_keep_their_type(y):
    assert Halfway().fit_resample(floats(), y)[1].dtype == y.dtype


@pytest.mark.parametrize(
    "y, cure",
    [
        (LABELS.astype(object), r"objects \(int\).*y.astype\(int\)"),
        ([1, "a"] * 21, r"objects \(int, str\)"),
        (pd.Series(pd.array([1, None] * 21, dtype="Int64")), "NaN|NAType"),
        (np.where(LABELS == 1, np.nan, 0), "y contains NaN.*drop its rows"),
        (pd.get_dummies(TEXT), "y has 2 columns: pass one"),
        (LABELS[:-1], "42 rows but 41 labels: pass one label for each row"),
    ],
)
def test_bad_labels_get_a_sentence(y, cure):
    with pytest.raises(ValueError, match=cure):
        Halfway().fit_resample(floats(), y)


# what is refused

DATES = pd.date_range("2020-01-01", periods=N)


@each_sampler
@pytest.mark.parametrize("method", ["fit", "fit_resample"])
@pytest.mark.parametrize(
    "column, cure",
    [
        (pd.Categorical([1, 2] * 21), "dtype category.*OneHotEncoder"),
        (["1", "2"] * 21, "OneHotEncoder"),
        (pd.Series(["a", "b"] * 21, dtype="string"), "OneHotEncoder"),
        (pd.Series([[1], "b"] * 21, dtype=object), "dtype object.*OneHotEncoder"),
        (DATES, "days since a first date"),
        (DATES.tz_localize("UTC"), "days since a first date"),
        (DATES - DATES[3], "days since a first date"),
        (DATES.to_period("D"), "not numbers"),
        (1j * floats()[:, 0], "dtype complex128, not numbers"),
        (np.where(LABELS == 1, np.nan, 0), "contains NaN.*SimpleImputer"),
        (np.where(LABELS == 1, np.inf, 0), "contains infinity: replace it"),
        (pd.array([1, None] * 21, dtype="Int64"), "contains NaN.*SimpleImputer"),
        (pd.array([True, None] * 21, dtype="boolean"), "contains NaN.*SimpleImputer"),
        (pd.array([1.5, None] * 21, dtype="Float64"), "contains NaN.*SimpleImputer"),
    ],
)
def test_columns_that_are_not_numbers_are_refused_by_name(sampler, method, column, cure):
    X = pd.DataFrame({"good": floats()[:, 0], "bad": column})
    with pytest.raises(ValueError, match=f"Column 'bad'.*{cure}"):
        getattr(clone(sampler), method)(X, LABELS)


@pytest.mark.parametrize(
    "X, cure",
    [
        (floats().astype(str), "Column 0 has dtype <U.*OneHotEncoder"),
        ([[1, "a"]] * N, "Column 1 has dtype object.*OneHotEncoder"),
        ([[1.0, None]] * N, "Column 1 has dtype object"),
        (floats().astype("datetime64[s]"), "Column 0 .*days since"),
        (np.full((N, 2), np.longdouble("1e400")), "Column 0 contains infinity"),
        (frame().set_axis(list("abcdeaf"), axis=1), "2 columns are named 'a': give each its own"),
        (1e200 * floats(), "standardise it first"),
    ],
)
def test_tables_that_are_not_numbers_are_refused(X, cure):
    if isinstance(X, np.ndarray) and X.dtype == np.longdouble and np.isinf(X).any():
        pytest.skip("long doubles are doubles here")
    with pytest.raises(ValueError, match=cure):
        Halfway().fit_resample(X, LABELS)


def test_a_sampler_with_categorical_features_names_them_as_a_cure():
    X = mixed()
    with pytest.raises(ValueError, match="'city'.*pass categorical_features='auto', or encode"):
        simpor().fit_resample(X, LABELS)
    with pytest.raises(ValueError, match=r"'name'.*pass categorical_features=\['name'\], or"):
        simpor().fit_resample(X[["income", "name"]], LABELS)


def test_sparse_rows_of_an_encoder_are_refused_with_its_parameter():
    pipeline = make_pipeline(OneHotEncoder(), Halfway(), LogisticRegression())
    with pytest.raises(TypeError, match="sparse_output=False"):
        pipeline.fit(mixed()[CATEGORICAL], LABELS)


@pytest.mark.parametrize("sign", ["__dataframe__", "__arrow_c_stream__", "column_names"])
def test_frames_of_other_libraries_are_refused_with_a_cure(sign):
    class DataFrame:
        shape = (N, 2)

    setattr(DataFrame, sign, None)
    with pytest.raises(
        TypeError, match=r"X is a .* DataFrame: pass pandas or NumPy, e.g. X.to_pandas"
    ):
        Halfway().fit_resample(DataFrame(), LABELS)
    with pytest.raises(TypeError, match=r"y is a .* DataFrame"):
        Halfway().fit_resample(floats(), DataFrame())


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_polars_and_arrow_tables_are_refused_with_a_cure(library):
    module = pytest.importorskip(library)
    table = {"polars": "DataFrame", "pyarrow": "table"}[library]
    with pytest.raises(TypeError, match=f"X is a {library} .*to_pandas"):
        Halfway().fit_resample(getattr(module, table)({"a": [1.0] * N}), LABELS)


def test_synthetic_rows_that_are_not_finite_are_refused():
    class Diverged(TableOverSampler):
        def _fit_resample(self, X, y):
            return np.vstack([X, np.full((18, 2), np.nan)]), np.append(y, np.ones(18, dtype=int))

    with pytest.raises(ValueError, match="not finite: standardise"):
        Diverged().fit_resample(np.arange(2 * N).reshape(N, 2), LABELS)


# categorical columns


@pytest.mark.parametrize(
    "chosen",
    [
        CATEGORICAL,
        np.array(CATEGORICAL),
        pd.Index(CATEGORICAL),
        [1, 3, 4, 5],
        [5, -3, 1, 4],
        [False, True, False, True, True, True],
    ],
)
def test_categorical_features_are_names_positions_or_a_mask(chosen):
    sampler = simpor(categorical_features=chosen)
    X_resampled, _ = sampler.fit_resample(mixed(), LABELS)
    np.testing.assert_array_equal(sampler.categorical_features_, [1, 3, 4, 5])
    expected, _ = simpor(categorical_features=CATEGORICAL).fit_resample(mixed(), LABELS)
    pd.testing.assert_frame_equal(X_resampled, expected)


def test_auto_takes_the_columns_of_dtype_category():
    X = mixed()[["income", "city", "grade"]]
    X_resampled, _ = simpor(categorical_features="auto").fit_resample(X, LABELS)
    by_name, _ = simpor(categorical_features=["city", "grade"]).fit_resample(X, LABELS)
    pd.testing.assert_frame_equal(X_resampled, by_name)
    without = simpor(categorical_features="auto")
    plain, _ = without.fit_resample(frame(), LABELS)
    pd.testing.assert_frame_equal(plain, simpor().fit_resample(frame(), LABELS)[0])
    assert without.categorical_features_.size == 0


def test_categorical_columns_keep_dtype_categories_and_rows():
    X = mixed()
    X_resampled, _ = simpor(categorical_features=CATEGORICAL).fit_resample(X, LABELS)
    pd.testing.assert_series_equal(X_resampled.dtypes, X.dtypes)
    pd.testing.assert_frame_equal(X_resampled[:N], X)
    assert not X_resampled.isna().any(axis=None)
    assert X_resampled["city"].cat.categories.tolist() == ["Rome", "Bonn", "X"]


def test_the_numeric_columns_are_those_of_a_table_without_the_categorical_ones():
    X = mixed()
    sampler, alone = simpor(categorical_features=CATEGORICAL), simpor()
    X_resampled, y_resampled = sampler.fit_resample(X, LABELS)
    numeric, y_alone = alone.fit_resample(X[["income", "age"]], LABELS)
    pd.testing.assert_frame_equal(X_resampled[["income", "age"]], numeric)
    np.testing.assert_array_equal(y_resampled, y_alone)
    np.testing.assert_array_equal(sampler.log_ratio_, alone.log_ratio_)
    np.testing.assert_array_equal(sampler.informative_mask_, alone.informative_mask_)


@pytest.mark.parametrize("k_neighbors", [1, 4, 5, 100])
def test_a_category_is_the_majority_of_the_seed_s_neighbours_in_its_class(k_neighbors):
    X = mixed()
    sampler = simpor(categorical_features=CATEGORICAL, k_neighbors=k_neighbors)
    X_resampled, _ = sampler.fit_resample(X, LABELS)
    numbers = X[["income", "age"]].to_numpy()
    for i, seed in enumerate(sampler.seed_indices_):
        own = np.flatnonzero((LABELS == LABELS[seed]) & (np.arange(N) != seed))
        order = np.argsort(np.linalg.norm(numbers[own] - numbers[seed], axis=1))
        nearest = X.iloc[own[order[:k_neighbors]]]
        for column in CATEGORICAL:
            votes = nearest[column].value_counts()
            assert votes[X_resampled[column][N + i]] == votes.max()


def test_ties_are_decided_by_random_state_and_each_way_alike():
    # two neighbours with two categories: every vote is a tie
    X = pd.DataFrame({"x": np.r_[np.arange(3000.0), 5000, 5001, 5002], "c": "a"})
    X.loc[3001, "c"], X.loc[3002, "c"] = "b", "c"
    y = np.repeat([0, 1], [3000, 3])
    sampler = simpor(categorical_features=["c"], k_neighbors=2, informative_portion=1)
    drawn = sampler.fit_resample(X, y)[0][3003:]
    held = {3000: "bc", 3001: "ac", 3002: "ab"}
    for seed, (first, second) in held.items():
        categories = drawn["c"][sampler.seed_indices_ == seed]
        assert set(categories) == {first, second}
        # four standard errors of the share among about a thousand rows
        assert abs((categories == first).mean() - 0.5) < 0.065
    again = clone(sampler).fit_resample(X, y)[0][3003:]
    pd.testing.assert_frame_equal(drawn, again)


def test_a_single_row_of_a_class_keeps_its_categories():
    y = np.zeros(N, dtype=int)
    y[17] = 1
    X = mixed()
    X_resampled, _ = simpor(categorical_features=CATEGORICAL).fit_resample(X, y)
    assert (X_resampled[N:][CATEGORICAL] == X.loc[17, CATEGORICAL]).all(axis=None)


def test_a_missing_category_counts_as_one_and_comes_back():
    X = mixed()
    X.loc[LABELS == 1, "city"] = np.nan
    X_resampled, _ = simpor(categorical_features=CATEGORICAL).fit_resample(X, LABELS)
    assert X_resampled["city"][N:].isna().all()


def test_nullable_columns_may_be_categorical():
    X = mixed().drop(columns=["city", "grade"]).convert_dtypes()
    X_resampled, _ = simpor(categorical_features=["name", "is_old"]).fit_resample(X, LABELS)
    pd.testing.assert_series_equal(X_resampled.dtypes, X.dtypes)


def test_categorical_columns_of_arrays_and_lists():
    rng = np.random.RandomState(0)
    numbers = np.column_stack([floats(), rng.choice([3.0, 7.0], N)])
    X_resampled, _ = simpor(categorical_features=[2]).fit_resample(numbers, LABELS)
    assert set(X_resampled[N:, 2]) <= {3.0, 7.0} and X_resampled.dtype == float
    objects = numbers.astype(object)
    objects[numbers[:, 2] == 3, 2] = "red"
    X_resampled, _ = simpor(categorical_features=[2]).fit_resample(objects, LABELS)
    assert set(X_resampled[N:, 2]) <= {"red", 7}
    X_resampled, _ = simpor(categorical_features=[2]).fit_resample(objects.tolist(), LABELS)
    assert isinstance(X_resampled, list) and X_resampled[:N] == objects.tolist()


@pytest.mark.parametrize(
    "X, chosen, cure",
    [
        (mixed(), ["city", "town"], "give names of columns, their positions or a mask"),
        (mixed(), [0, 6], "give names of columns"),
        (mixed(), [True, False], "give names of columns"),
        (mixed(), "city", "give names of columns"),
        (floats(), "auto", 'for a pandas frame also "auto"'),
        (floats(), ["city"], "give names of columns"),
        (mixed(), list(range(6)), "All columns are categorical: leave one numeric"),
    ],
)
def test_categorical_features_that_do_not_fit_get_a_sentence(X, chosen, cure):
    with pytest.raises(ValueError, match=cure):
        simpor(categorical_features=chosen).fit_resample(X, LABELS)


def test_the_same_categories_as_smotenc_where_all_neighbours_agree():
    # clusters of one category each: whatever the neighbours, their majority is that category
    rng = np.random.RandomState(0)
    cluster = np.r_[np.zeros(60, dtype=int), rng.randint(0, 3, 24)]
    X = pd.DataFrame({"x": 100.0 * cluster + rng.normal(size=84), "z": rng.normal(size=84)})
    X["c"] = pd.Categorical(np.array(["a", "b", "c"])[cluster])
    y = np.repeat([0, 1], [60, 24])
    for sampler in (
        simpor(categorical_features="auto", k_neighbors=3),
        SMOTENC("auto", k_neighbors=3),
    ):
        synthetic = sampler.fit_resample(X, y)[0][84:]
        assert (synthetic["c"].cat.codes == (synthetic["x"] / 100).round()).all()


def test_in_a_pipeline_that_passes_frames_on():
    X = mixed()
    scaler = make_column_transformer(
        (StandardScaler(), ["income", "age"]),
        remainder="passthrough",
        verbose_feature_names_out=False,
    )
    encoder = make_column_transformer(
        (OneHotEncoder(sparse_output=False), CATEGORICAL), remainder="passthrough"
    )
    sampler = simpor(categorical_features=CATEGORICAL)
    model = make_pipeline(scaler, sampler, encoder, LogisticRegression())
    model.set_output(transform="pandas").fit(X, LABELS)
    assert model.predict(X).shape == (N,)
    fitted = model.named_steps["simpor"]
    names = ["income", "age", *CATEGORICAL]
    assert fitted.get_feature_names_out().tolist() == names and fitted.n_features_in_ == 6
    assert clone(fitted).categorical_features == CATEGORICAL
