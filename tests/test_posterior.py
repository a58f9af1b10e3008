"""PosteriorRatio against Bayes' theorem written out, and its invariances."""

import numpy as np
import pytest
from scipy.stats import norm

from simpor import GaussianKDE, PosteriorRatio, ascend_on_sphere


@pytest.fixture
def two_classes():
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(size=(60, 3)), rng.normal(1.0, 0.5, size=(20, 3))])
    return X, np.repeat([0, 1], [60, 20]), rng.normal(size=(30, 3))


def test_bayes_by_hand_in_one_dimension():
    X, y, h = np.array([[0.0], [1.0], [4.0]]), ["A", "A", "B"], 0.7
    likelihood_a = (norm.pdf(2.0, 0.0, h) + norm.pdf(2.0, 1.0, h)) / 2
    likelihood_b = norm.pdf(2.0, 4.0, h)
    expected = np.log(likelihood_b * (1 / 3)) - np.log(likelihood_a * (2 / 3))
    ratio = PosteriorRatio(bandwidth=h).fit(X, y)
    assert ratio.positive_ == "B"
    np.testing.assert_allclose(ratio.log_ratio([[2.0]]), [expected], rtol=1e-12)


def test_gradient_is_the_arrow_between_the_mean_shift_points(two_classes):
    X, y, queries = two_classes
    ratio = PosteriorRatio().fit(X, y)
    h = ratio.bandwidth_[0]
    assert ratio.bandwidth_ == (80 ** (-1 / 7),) * 2

    def mean_shift_point(rows):
        weights = np.exp(-((queries[:, None] - rows[None]) ** 2).sum(-1) / (2 * h**2))
        return weights @ rows / weights.sum(axis=1, keepdims=True)

    arrow = (mean_shift_point(X[y == 1]) - mean_shift_point(X[y == 0])) / h**2
    np.testing.assert_allclose(ratio.gradient(queries), arrow, rtol=1e-9, atol=1e-10)


def test_gradient_agrees_with_finite_differences(two_classes):
    X, y, queries = two_classes
    ratio, step = PosteriorRatio(bandwidth=(0.4, 0.9)).fit(X, y), 1e-5
    differences = [
        (ratio.log_ratio(queries + step * e) - ratio.log_ratio(queries - step * e)) / (2 * step)
        for e in np.eye(3)
    ]
    np.testing.assert_allclose(
        ratio.gradient(queries), np.transpose(differences), rtol=1e-5, atol=1e-7
    )


def test_antisymmetric_when_the_classes_swap(two_classes):
    X, y, queries = two_classes
    there = PosteriorRatio().fit(X, y, positive=1).log_ratio(queries)
    back = PosteriorRatio().fit(X, y, positive=0).log_ratio(queries)
    np.testing.assert_allclose(there, -back, rtol=1e-12, atol=1e-12)


def test_priors_move_the_value_and_not_the_arrow(two_classes):
    X, y, queries = two_classes
    empirical, equal = (PosteriorRatio(priors=p).fit(X, y) for p in ("empirical", "equal"))
    np.testing.assert_allclose(
        empirical.log_ratio(queries) - equal.log_ratio(queries), np.log(20 / 60)
    )
    np.testing.assert_array_equal(empirical.gradient(queries), equal.gradient(queries))


def test_more_than_two_classes_are_one_against_all_others(two_classes):
    X, y, queries = two_classes
    y = np.where(np.arange(80) < 30, 2, y)
    ratio = PosteriorRatio(bandwidth=0.5).fit(X, y, positive=1)
    kde = {
        c: GaussianKDE(bandwidth=0.5).fit(X[rows]) for c, rows in {"B": y == 1, "A": y != 1}.items()
    }
    expected = kde["B"].score_samples(queries) - kde["A"].score_samples(queries) + np.log(20 / 60)
    np.testing.assert_allclose(ratio.log_ratio(queries), expected)


@pytest.mark.filterwarnings("error")
def test_no_overflow_far_away(two_classes):
    X, y, _ = two_classes
    value, gradient = (
        PosteriorRatio(bandwidth=1e-3)
        .fit(X, y)
        .log_ratio_and_gradient([[1e3, 0, 0], [1e6, 1e6, 0]])
    )
    assert np.isfinite(value).all() and np.isfinite(gradient).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("bandwidth", [1.0, (0.5, 1.0), 1e-200])
def test_the_ratio_is_that_of_the_priors_where_no_density_is_a_float(two_classes, bandwidth):
    X, y, _ = two_classes
    ratio = PosteriorRatio(bandwidth=bandwidth).fit(X, y)
    value, gradient = ratio.log_ratio_and_gradient([[1e200, 0, 0], [-1e307, 1e307, 1e307]])
    assert value.tolist() == [ratio.log_prior_ratio_] * 2
    assert np.isfinite(gradient).all()


def test_labels_of_text_in_any_container(two_classes):
    pd = pytest.importorskip("pandas")
    X, y, queries = two_classes
    expected = PosteriorRatio().fit(X, y).log_ratio(queries)
    text = np.array(["often", "rare"])[y]
    for labels in (
        text,
        text.tolist(),
        text.astype(object),
        pd.Series(text),
        pd.Series(text, dtype="string"),
        pd.Series(text, dtype="category"),
    ):
        ratio = PosteriorRatio().fit(X, labels)
        assert ratio.positive_ == "rare" and type(ratio.positive_) is str
        np.testing.assert_array_equal(ratio.log_ratio(queries), expected)
        assert PosteriorRatio().fit(X, labels, positive="often").positive_ == "often"


@pytest.mark.filterwarnings("error")
def test_a_ratio_of_frames_is_climbed_without_warnings(two_classes):
    pd = pytest.importorskip("pandas")
    X, y, queries = two_classes
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    ratio = PosteriorRatio().fit(frame, pd.Series(y))
    ascent = ascend_on_sphere(ratio.log_ratio_and_gradient, frame[:5], 1.0, random_state=0)
    assert np.isfinite(ascent.value).all()
    ratio.gradient(frame)
    PosteriorRatio().fit(X, y).gradient(frame)
    GaussianKDE().fit(frame).gradient(queries)
    with pytest.raises(ValueError, match="feature names should match"):
        ratio.gradient(frame.rename(columns={"a": "z"}))


def test_scott_can_be_one_of_the_pair(two_classes):
    X, y, _ = two_classes
    assert PosteriorRatio(bandwidth=("scott", 0.5)).fit(X, y).bandwidth_ == (80 ** (-1 / 7), 0.5)
    assert PosteriorRatio(bandwidth=[0.5, "scott"]).fit(X, y).bandwidth_ == (0.5, 80 ** (-1 / 7))


def test_bad_input(two_classes):
    X, y, _ = two_classes
    for kwargs, error, cure in [
        ({"bandwidth": -1.0}, ValueError, "positive"),
        ({"bandwidth": (1.0, 2.0, 3.0)}, ValueError, "pair"),
        ({"bandwidth": (1.0, 0.0)}, ValueError, "positive"),
        ({"bandwidth": None}, TypeError, "scott"),
        ({"bandwidth": "silverman"}, TypeError, "scott"),
        ({"bandwidth": (1.0, "silverman")}, TypeError, "scott"),
        ({"bandwidth": (1.0, True)}, TypeError, "scott"),
        ({"bandwidth": (1.0,)}, ValueError, "pair"),
        ({"bandwidth": np.array([1.0, 2.0])}, TypeError, "scott"),
        ({"priors": "flat"}, ValueError, "empirical"),
        ({"priors": None}, ValueError, "empirical"),
        ({"priors": np.array(["equal", "equal"])}, ValueError, "empirical"),
        ({"n_jobs": True}, ValueError, "threads"),
        ({"n_jobs": 0}, ValueError, "threads"),
    ]:
        with pytest.raises(error, match=cure):
            PosteriorRatio(**kwargs).fit(X, y)
    with pytest.raises(ValueError, match="two classes"):
        PosteriorRatio().fit(X, np.zeros(80))
    with pytest.raises(ValueError, match="choose one of"):
        PosteriorRatio().fit(X, y, positive=7)
    with pytest.raises(ValueError, match="inconsistent"):
        PosteriorRatio().fit(X, y[:-1])
    with pytest.raises(ValueError, match="expecting 3 features"):
        PosteriorRatio().fit(X, y).log_ratio(X[:, :2])
