"""The test, the score and the formula of Ma and Zhang, on their designs with known answers."""

import numpy as np
import pytest
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.over_sampling.base import BaseOverSampler
from imblearn.under_sampling import RandomUnderSampler
from scipy.stats import chi2

from simpor.relatives import (
    generator_quality,
    local_symmetry_test,
    predicted_size,
    theory_guided_sizes,
)

LEAST_SQUARES = {"loss": "squared", "fit_intercept": False}


class Around(BaseOverSampler):
    """Draws N(mean e1, I), whatever the rows."""

    def __init__(self, mean, *, sampling_strategy="auto", random_state=None):
        super().__init__(sampling_strategy=sampling_strategy)
        self.mean = mean
        self.random_state = random_state

    def _fit_resample(self, X, y):
        rng = np.random.RandomState(self.random_state)
        ((label, n_rows),) = self.sampling_strategy_.items()
        synthetic = rng.normal(size=(n_rows, X.shape[1]))
        synthetic[:, 0] += self.mean
        return np.vstack([X, synthetic]), np.append(y, np.full(n_rows, label))


def biased_design(n_rare, seed):
    """Least squares without intercept, ratio 20: N(0, I) against N(e1, I); the optimum is e1 / 3."""
    rng = np.random.RandomState(seed)
    X = rng.normal(size=(21 * n_rare, 2))
    y = np.repeat([0, 1], [20 * n_rare, n_rare])
    X[:, 0] += y
    return X, y


def excess_risk(theta):
    """Balanced risk of the biased design above that of e1 / 3."""
    return theta @ theta + (theta[0] - 1) ** 2 / 2 - 1 / 3


def population_fit(size):
    """Least squares on infinitely many rows, the generator stopping half-way: N(e1 / 2, I)."""
    n_common, n_rare, n_synthetic = 20, 1, 19 * size
    e1 = np.array([1.0, 0.0])
    spread = (n_common + n_rare + n_synthetic) * np.eye(2)
    spread += (n_rare + n_synthetic / 4) * np.outer(e1, e1)
    return np.linalg.solve(spread, (n_rare + n_synthetic / 2) * e1)


def test_at_balance_the_biased_design_keeps_an_excess_risk_of_0162_and_at_four_gaps_none():
    assert excess_risk(population_fit(1)) == pytest.approx(0.01617, abs=5e-6)
    assert excess_risk(population_fit(4)) == pytest.approx(0, abs=1e-15)
    sizes = np.linspace(0, 8, 81)
    risks = [excess_risk(population_fit(size)) for size in sizes]
    assert sizes[np.argmin(risks)] == pytest.approx(4)


def test_the_formula_gives_four_gaps_on_the_biased_design():
    # Mean gradients 2 (E x x' theta - E x y): 2/3 of the majority, -2/3 of the minority and -1/6
    # of the synthetic rows.
    assert predicted_size([4 / 3, 0], [1 / 2, 0], 1900) == pytest.approx(4 * 1900, rel=1e-12)
    assert predicted_size([1, 0], [0, 5], 100) == 100  # an orthogonal error
    assert predicted_size([1, 0], [-1, 0], 90) == pytest.approx(30)  # an opposed error
    assert np.isnan(predicted_size([1, 0], [0.5, 0], 100))


def test_the_estimated_size_is_four_gaps():
    sizes = []
    for seed in range(40):
        X, y = biased_design(400, seed)
        gap = local_symmetry_test(X, y, **LEAST_SQUARES).influence_gap
        bias = generator_quality(X, y, Around(0.5), random_state=seed, **LEAST_SQUARES).bias
        sizes.append(predicted_size(gap, bias, 19 * 400) / (19 * 400))
    # one estimate scatters by 0.75, their median by 0.15
    assert np.median(sizes) == pytest.approx(4, abs=0.45)


def test_fits_of_the_biased_design_have_the_excess_risk_of_the_limit():
    rng = np.random.RandomState(0)
    risks = {1: [], 4: []}
    for seed in range(40):
        X, y = biased_design(400, seed)
        for size, list_of_risks in risks.items():
            pool = rng.normal(size=(size * 19 * 400, 2)) + np.array([0.5, 0])
            rows, targets = np.vstack([X, pool]), np.append(y, np.ones(len(pool)))
            list_of_risks.append(excess_risk(np.linalg.lstsq(rows, targets, rcond=None)[0]))
    # the standard error of the first mean is 0.0002
    assert np.mean(risks[1]) == pytest.approx(0.0162, abs=0.0008)
    assert np.mean(risks[4]) < 0.0003


def null_design(n_common, n_rare, seed):
    """Locally symmetric though the classes differ: the hypothesis of the authors' simulation."""
    rng = np.random.RandomState(seed)
    X = rng.uniform(-np.sqrt(3), np.sqrt(3), size=(n_common + n_rare, 5))
    X[:n_common, 0] = 2 * X[:n_common, 0] - 1
    X[n_common:, 0] += (5 - np.sqrt(21)) / 2
    return X, np.repeat([-0.5, 0.5], [n_common, n_rare])


@pytest.mark.parametrize("n_rare, least, most", [(500, 0.02, 0.09), (50, 0.09, 0.25)])
def test_the_symmetry_test_keeps_its_level_only_with_many_minority_rows(n_rare, least, most):
    p_values = [
        local_symmetry_test(*null_design(10 * n_rare, n_rare, seed), **LEAST_SQUARES).pvalue
        for seed in range(200)
    ]
    # at 5 %, 200 tests scatter by 0.015; with 50 minority rows 15 % to 18 % reject
    assert least < np.mean(np.array(p_values) < 0.05) < most


def test_the_symmetry_test_rejects_where_there_is_no_symmetry():
    X, y = biased_design(200, 0)
    test = local_symmetry_test(X, y, **LEAST_SQUARES)
    assert test.pvalue < 1e-6 and test.degrees_of_freedom == 2
    assert test.pvalue == pytest.approx(chi2.sf(test.statistic, 2))
    np.testing.assert_allclose(test.influence_gap, [4 / 3, 0], atol=0.3)


def test_logistic_regression_with_an_intercept_is_never_symmetric():
    """Two mirrored classes are symmetric without an intercept; its gradient has one sign."""
    rng = np.random.RandomState(0)
    y = np.repeat([0, 1], [900, 300])
    X = rng.normal(size=(1200, 2)) + (2 * y - 1)[:, None]
    assert local_symmetry_test(X, y, fit_intercept=False).pvalue > 0.05
    with_intercept = local_symmetry_test(X, y)
    assert with_intercept.pvalue < 1e-6 and with_intercept.influence_gap[-1] > 0


def test_the_statistic_does_not_depend_on_the_unit_of_a_feature():
    X, y = biased_design(200, 0)
    one, other = (local_symmetry_test(X * unit, y) for unit in (1, [1, 10]))
    # the pilot's penalty, 1 / C = 1e-6, and the ridge of the inverses do, a little
    assert one.statistic == pytest.approx(other.statistic, rel=1e-3)


def test_labels_may_be_words():
    X, y = biased_design(100, 0)
    words = np.where(y == 1, "rare", "usual")
    assert local_symmetry_test(X, words).statistic == pytest.approx(
        local_symmetry_test(X, y).statistic
    )


def test_a_better_generator_scores_lower_and_the_score_is_seeded():
    X, y = biased_design(200, 0)

    def score(mean, seed=0):
        quality = generator_quality(X, y, Around(mean), random_state=seed, **LEAST_SQUARES)
        return quality.score

    assert score(1.0) < 10 < score(0.5) < score(0.0)
    assert score(1.0) == score(1.0) != score(1.0, seed=1)


def test_each_regime_has_its_sizes():
    X, y = null_design(1000, 500, 3)
    symmetric = theory_guided_sizes(X, y, SMOTE(), random_state=0, **LEAST_SQUARES)
    assert symmetric.regime == "symmetric" and symmetric.quality is None
    np.testing.assert_allclose(symmetric.sizes, [0, 0.05, 0.1, 0.15, 0.2])

    X, y = biased_design(200, 0)
    biased = theory_guided_sizes(X, y, Around(0.5), random_state=0, **LEAST_SQUARES)
    assert biased.regime == "biased" and np.isnan(biased.predicted)
    np.testing.assert_allclose(biased.sizes, np.arange(0, 2.01, 0.05))

    realistic = theory_guided_sizes(X, y, Around(1.0), random_state=0, **LEAST_SQUARES)
    assert realistic.regime == "realistic"
    around = realistic.predicted / (19 * 200)
    grid = np.arange(0.8, 1.21, 0.05)
    np.testing.assert_allclose(realistic.sizes, np.union1d(grid, grid * around))


def test_bad_input_is_refused():
    X, y = biased_design(20, 0)
    with pytest.raises(ValueError, match="loss='hinge': give"):
        local_symmetry_test(X, y, loss="hinge")
    with pytest.raises(ValueError, match="pass two classes"):
        local_symmetry_test(X, np.zeros(len(X)))
    with pytest.raises(ValueError, match="at least 3 rows each"):
        generator_quality(X[: 20 * 20 + 2], y[: 20 * 20 + 2], RandomOverSampler())
    with pytest.raises(ValueError, match="Distances in X overflow: standardise"):
        local_symmetry_test(X * 1e200, y)
    with pytest.raises(ValueError, match="balanced"):
        generator_quality(X[380:], y[380:], RandomOverSampler())
    with pytest.raises(TypeError, match="appends synthetic ones"):
        generator_quality(X, y, RandomUnderSampler())
    with pytest.raises(ValueError, match="alpha=1: give"):
        theory_guided_sizes(X, y, SMOTE(), alpha=1)
    with pytest.raises(ValueError, match="n_folds=1: give"):
        generator_quality(X, y, SMOTE(), n_folds=1)
