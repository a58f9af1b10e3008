"""Threshold policies on recorded predictions."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, f1_score, roc_auc_score
from sklearn.model_selection import TunedThresholdClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from simpor.lab import crossed, thresholds
from simpor.lab.datasets import load
from simpor.lab.thresholds import ANY, POLICIES


@pytest.fixture(scope="module")
def data():
    return load("haberman")


@pytest.fixture(scope="module")
def record(data):
    return crossed.run(data, "raw", ["logistic"], n_jobs=1)["logistic"]


class Stored(ClassifierMixin, BaseEstimator):
    """A classifier that predicts the stored probability of each row, whose number is its feature."""

    def __init__(self, probability):
        self.probability = probability
        self.classes_ = np.array([0, 1])

    def fit(self, X, y):
        return self

    def predict_proba(self, X):
        p = self.probability[X[:, 0].astype(int)]
        return np.column_stack([1 - p, p])


@pytest.mark.parametrize("policy", ["one-split", "out-of-fold"])
def test_the_tuned_threshold_is_as_good_as_scikit_learn_s_on_the_same_predictions(record, policy):
    chosen = thresholds.thresholds(record, policy)
    for fold in range(10):
        seen = record.splits.inner_fold[fold] >= 0
        if policy == "one-split":
            seen = record.splits.inner_fold[fold] == 0
        y, probability = record.splits.y[seen], expit(record.out_of_fold[fold, seen])
        every_cut = np.unique(probability)
        tuned = TunedThresholdClassifierCV(
            Stored(probability), scoring="f1_macro", thresholds=every_cut, cv="prefit", refit=False
        ).fit(np.arange(len(y))[:, None], y)
        ours = f1_score(y, probability >= chosen[fold], average="macro")
        assert ours == pytest.approx(tuned.best_score_, abs=1e-12)


def test_pooled_predictions_do_about_as_well_as_scikit_learn_s_mean_over_folds(data, record):
    """TunedThresholdClassifierCV averages the curves of the folds, and here the folds are pooled."""
    table = thresholds.scores(record)
    ours = table[(table["policy"] == "out-of-fold") & (table["metric"] == "f1")]["value"]
    theirs = []
    for fold in range(10):
        inner_fold = record.splits.inner_fold[fold]
        train = np.flatnonzero(inner_fold >= 0)
        inner = [
            (np.flatnonzero(inner_fold[train] != k), np.flatnonzero(inner_fold[train] == k))
            for k in range(crossed.INNER_FOLDS)
        ]
        learner = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        tuned = TunedThresholdClassifierCV(learner, scoring="f1_macro", cv=inner)
        tuned.fit(data.X[train], data.y[train])
        test = record.splits.is_test[fold]
        theirs.append(f1_score(data.y[test], tuned.predict(data.X[test]), average="macro"))
    # two ways to choose among noisy curves: their means over ten splits lie within their noise
    assert np.mean(ours) == pytest.approx(np.mean(theirs), abs=0.03)


def test_scores_are_those_of_scikit_learn(record):
    table = thresholds.scores(record).set_index(["fold", "policy", "metric"])["value"]
    y, prior = record.splits.y, thresholds.thresholds(record, "prior")
    for fold in range(10):
        test = record.splits.is_test[fold]
        probability = expit(record.log_odds[fold, test])
        assert prior[fold] == pytest.approx(y[~test].mean())
        for policy, cut in {"half": 0.5, "prior": prior[fold], "cost-10": 1 / 11}.items():
            expected = f1_score(y[test], probability >= cut, average="macro")
            assert table[fold, policy, "f1"] == pytest.approx(expected)
        assert table[fold, ANY, "auc"] == pytest.approx(roc_auc_score(y[test], probability))
        assert table[fold, ANY, "brier"] == pytest.approx(brier_score_loss(y[test], probability))
    assert table.xs("calibration_slope", level="metric").index.get_level_values(
        "fold"
    ).tolist() == [
        0,
        5,
    ]


def test_every_policy_cuts_the_same_predictions(record):
    table = thresholds.scores(record)
    assert set(table["policy"]) == {*POLICIES, ANY}
    assert (table[table["metric"] == "f1"].groupby("policy")["fold"].nunique() == 10).all()
    # the lower the cut, the more of the minority class are found
    found = table[table["metric"] == "recall_minority"].pivot(
        index="fold", columns="policy", values="value"
    )
    assert (found["cost-100"] >= found["cost-10"]).all() and (
        found["cost-10"] >= found["half"]
    ).all()


def test_a_tuned_threshold_does_not_see_the_test_rows(record):
    """Other labels of the test rows leave the thresholds of their split as they are."""
    before = {policy: thresholds.thresholds(record, policy) for policy in POLICIES}
    test = record.splits.is_test[3]
    y = np.where(test, 1 - record.splits.y, record.splits.y)
    other = replace(record, splits=replace(record.splits, y=y))
    for policy, cuts in before.items():
        assert thresholds.thresholds(other, policy)[3] == cuts[3]


def test_a_margin_is_cut_at_zero_and_has_no_scores_of_probabilities(record):
    margin = replace(record, is_probability=False, out_of_fold=np.empty((0, len(record.splits.y))))
    table = thresholds.scores(margin)
    assert set(table["policy"]) == {"half", ANY}
    assert set(table[table["policy"] == ANY]["metric"]) == {
        "auc",
        "average_precision",
        "average_precision_true",
    }


def test_a_split_on_which_the_method_failed_has_no_scores(record):
    log_odds = record.log_odds.copy()
    log_odds[7] = np.nan
    failed = replace(record, log_odds=log_odds, failure=np.where(np.arange(10) == 7, "reason", ""))
    table = thresholds.scores(failed)
    assert sorted(table["fold"].unique()) == [0, 1, 2, 3, 4, 5, 6, 8, 9]
    calibration = table[table["metric"] == "calibration_slope"]
    assert calibration["fold"].tolist() == [0]  # of the repeat in which nothing failed


def test_a_failure_inside_the_training_part_leaves_the_other_parts_to_tune_on(record):
    out_of_fold = np.where(record.splits.inner_fold == 0, np.nan, record.out_of_fold)
    part = replace(record, out_of_fold=out_of_fold)
    assert np.isnan(thresholds.thresholds(part, "one-split")).all()
    assert np.isfinite(thresholds.thresholds(part, "out-of-fold")).all()


def test_recorded_scores_come_as_one_table(record, tmp_path):
    path = crossed.path_of("haberman", "logistic", "raw", tmp_path)
    crossed.write(path, record)
    table = thresholds.read_scores(["haberman"], ["logistic"], ["raw", "smote"], results=tmp_path)
    assert set(table["method"]) == {"raw"} and set(table["family"]) == {"haberman"}
    assert len(table) == len(thresholds.scores(record))
