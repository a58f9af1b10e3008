"""Scores that scikit-learn does not have, beside those that it has."""

import numpy as np
import pytest
import statsmodels.api as sm
from imblearn.metrics import geometric_mean_score
from scipy.special import expit, logit
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    f1_score,
    log_loss,
    matthews_corrcoef,
    precision_recall_curve,
    precision_score,
    recall_score,
)

from simpor.lab.scores import (
    average_precision_at,
    balanced_log_loss,
    calibration_intercept,
    calibration_slope,
    decision_scores,
)


@pytest.fixture
def predictions():
    """Labels, one in ten of them 1, drawn with probabilities that are then made too extreme."""
    rng = np.random.default_rng(0)
    log_odds = rng.normal(-3, 1.5, size=2000)
    y = (rng.random(2000) < expit(log_odds)).astype(int)
    return y, 2 * log_odds + 1


@pytest.mark.parametrize("threshold", [0.1, 0.5, 0.9])
def test_scores_of_decisions_are_those_of_scikit_learn(predictions, threshold):
    y, log_odds = predictions
    predicted = expit(log_odds) >= threshold
    scores = decision_scores(y, predicted)
    expected = {
        "f1": f1_score(y, predicted, average="macro"),
        "precision": precision_score(y, predicted, average="macro"),
        "recall": recall_score(y, predicted, average="macro"),
        "precision_minority": precision_score(y, predicted),
        "recall_minority": recall_score(y, predicted),
        "g_mean": geometric_mean_score(y, predicted),
        "balanced_accuracy": balanced_accuracy_score(y, predicted),
        "mcc": matthews_corrcoef(y, predicted),
        "cost_10": np.mean(np.where(y == 1, 10 * ~predicted, predicted)),
        "cost_100": np.mean(np.where(y == 1, 100 * ~predicted, predicted)),
    }
    assert list(scores) == list(expected)
    np.testing.assert_allclose(list(scores.values()), list(expected.values()), rtol=1e-12)


@pytest.mark.parametrize("predicted", [False, True])
def test_decisions_that_are_all_alike_score_as_in_scikit_learn(predicted):
    y, predicted = np.repeat([0, 1], [30, 10]), np.full(40, predicted)
    scores = decision_scores(y, predicted)
    assert scores["f1"] == pytest.approx(f1_score(y, predicted, average="macro"))
    expected = precision_score(y, predicted, average="macro", zero_division=0)
    assert scores["precision"] == pytest.approx(expected)
    assert scores["mcc"] == 0 and scores["g_mean"] == 0


def test_the_balanced_log_loss_is_the_mean_of_the_classes_log_losses(predictions):
    y, log_odds = predictions
    of_classes = [
        log_loss(y[y == label], expit(log_odds[y == label]), labels=[0, 1]) for label in (0, 1)
    ]
    assert balanced_log_loss(y, log_odds) == pytest.approx(np.mean(of_classes))


def test_average_precision_at_the_prevalence_of_the_rows_is_the_usual_one(predictions):
    y, log_odds = predictions
    usual = average_precision_score(y, log_odds)
    assert average_precision_at(y.mean(), y, log_odds) == pytest.approx(usual)


def test_average_precision_at_a_lower_prevalence_follows_bayes(predictions):
    y, log_odds = predictions
    p = 0.01
    _, recall, cuts = precision_recall_curve(y, log_odds)
    false_alarms = np.array([np.mean(log_odds[y == 0] >= cut) for cut in cuts])
    precision = p * recall[:-1] / (p * recall[:-1] + (1 - p) * false_alarms)
    expected = -np.sum(np.diff(recall) * precision)
    assert average_precision_at(p, y, log_odds) == pytest.approx(expected)


def test_the_calibration_line_is_found_again(predictions):
    y, log_odds = predictions
    # labels were drawn with half the log odds that are left after 1 is taken off
    assert calibration_slope(y, log_odds) == pytest.approx(0.5, abs=0.05)
    assert calibration_slope(y, (log_odds - 1) / 2) == pytest.approx(1, abs=0.1)
    assert calibration_intercept(y, (log_odds - 1) / 2) == pytest.approx(0, abs=0.2)
    assert calibration_intercept(y, (log_odds - 1) / 2 + 3) == pytest.approx(-3, abs=0.2)


def test_slope_and_intercept_are_those_of_logistic_models(predictions):
    y, log_odds = predictions
    slope = sm.Logit(y, sm.add_constant(log_odds)).fit(disp=0).params[1]
    assert calibration_slope(y, log_odds) == pytest.approx(slope, rel=1e-5)
    model = sm.GLM(y, np.ones((len(y), 1)), family=sm.families.Binomial(), offset=log_odds)
    assert calibration_intercept(y, log_odds) == pytest.approx(model.fit().params[0], rel=1e-5)


def test_classes_that_a_threshold_separates_have_no_slope():
    y, log_odds = np.array([0, 0, 1]), np.array([-3.0, -1.0, 1.0])
    assert np.isnan(calibration_slope(y, log_odds)) and np.isnan(calibration_slope(y, -log_odds))
    assert np.isnan(calibration_slope(y, np.zeros(3)))


def test_the_intercept_of_a_constant_is_what_is_missing_to_the_prior():
    y = np.repeat([0, 1], [95, 5])
    assert calibration_intercept(y, np.full(100, 30.0)) == pytest.approx(logit(0.05) - 30)
