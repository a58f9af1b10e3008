"""The protocol: same splits for all, nothing fitted sees a test row, failures are recorded."""

import time
from dataclasses import replace

import numpy as np
import pytest
from distributed import Client, LocalCluster, get_worker
from imblearn import FunctionSampler
from joblib import parallel_config
from joblib.parallel import get_active_backend
from pandas.testing import assert_frame_equal
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.preprocessing import StandardScaler

from simpor.lab import protocol as protocol_module
from simpor.lab.datasets import Dataset, moon
from simpor.lab.methods import METHODS, Method
from simpor.lab.network import Network, NetworkStack
from simpor.lab.protocol import PUBLISHED, SOUND, run, tune_threshold

SMALL = Network((8,), epochs=3)
MARK = 1e6


@pytest.fixture
def data():
    return moon(4, n_samples=200)


@pytest.fixture
def published():
    return replace(PUBLISHED, network=lambda name: SMALL)


@pytest.fixture
def sound():
    return replace(SOUND, network=lambda name: SMALL)


def sampler(name, function):
    return Method(
        name, name, "none", "sampler", lambda seed: FunctionSampler(func=function, validate=False)
    )


class Logistic(ClassifierMixin, BaseEstimator):
    """A classifier that remembers what it was given, for all instances together."""

    given = []

    def fit(self, X, y):
        self.given.append(X)
        self.model = LogisticRegression().fit(X, y)
        self.classes_ = self.model.classes_
        return self

    def predict_proba(self, X):
        return self.model.predict_proba(X)


@pytest.mark.parametrize("name", ["published", "sound"])
def test_nothing_fitted_sees_a_test_row(name, request, data, monkeypatch):
    """Test rows carry a mark so large that a scaler or a sampler that met one would show it."""
    protocol = request.getfixturevalue(name)
    (_, test), *_ = protocol.splits(0).split(data.X, data.y)
    marked = data.X.copy()
    marked[test] = MARK
    marked = replace(data, X=marked)
    largest = []

    def recording(X, y):
        largest.append(np.abs(X).max())
        return X, y

    monkeypatch.setattr(Logistic, "given", [])
    methods = [
        sampler("recording", recording),
        Method("logistic", "logistic", "none", "classifier", lambda seed: Logistic()),
        Method("tuned", "tuned", "none", "threshold", lambda seed: FunctionSampler(func=recording)),
    ]
    rows, predictions = run(marked, protocol, methods, folds=[0], n_jobs=1, verbose=0)
    assert not rows["failure"].any()
    assert set(predictions["row"]) == set(test)

    seen = largest + [np.abs(X).max() for X in Logistic.given]
    assert len(seen) == {"published": 4, "sound": 6}[name]
    # standardised with training rows alone, no training row is far out and its mean is 0
    assert max(seen) < 10


def test_a_planted_leak_is_caught(data, published, monkeypatch):
    """The same mark, but the scaler is fitted to all rows: the check above must notice."""
    (_, test), *_ = published.splits(0).split(data.X, data.y)
    marked = data.X.copy()
    marked[test] = MARK
    spread = []

    class LeakyScaler(StandardScaler):
        def fit(self, X, y=None):
            return super().fit(marked)

    def recording(X, y):
        spread.append(np.std(X))
        return X, y

    monkeypatch.setattr(protocol_module, "StandardScaler", LeakyScaler)
    methods = [sampler("recording", recording)]
    run(replace(data, X=marked), published, methods, folds=[0], n_jobs=1, verbose=0)
    assert spread[0] < 1e-3  # an honest scaler gives 1


def test_all_methods_see_the_same_rows(data, published):
    seen = {"one": [], "two": []}

    def recorder(name):
        def record(X, y):
            seen[name].append(X.tobytes())
            return X, y

        return record

    run(data, published, [sampler(name, recorder(name)) for name in seen], n_jobs=1, verbose=0)
    assert len(seen["one"]) == 5 and seen["one"] == seen["two"]


def test_rows_and_predictions(data, sound):
    methods = ["raw", "smote", "svmcs"]
    rows, predictions = run(data, sound, methods, folds=[0, 7], n_jobs=1, verbose=0)
    assert set(rows["fold"]) == {0, 7} and set(rows["method"]) == set(methods)
    n_metrics = rows.groupby(["fold", "method"])["metric"].nunique().unstack()
    assert n_metrics["svmcs"].tolist() == [11, 11]
    assert n_metrics["raw"].tolist() == [12, 12]
    assert rows["value"].between(-1, 1).all()
    assert rows["versions"].str.contains("scikit-learn").all()

    one = predictions[(predictions["fold"] == 7) & (predictions["method"] == "smote")]
    value = rows[(rows["fold"] == 7) & (rows["method"] == "smote")].set_index("metric")["value"]
    assert value["auc"] == pytest.approx(roc_auc_score(one["y"], one["probability"]))
    called = one["probability"] >= 0.5
    assert value["f1"] == pytest.approx(f1_score(one["y"], called, average="macro"))
    np.testing.assert_array_equal(one["y"], data.y[one["row"]])


def test_folds_do_not_depend_on_one_another_and_seeds_repeat(data, published):
    columns = ["fold", "method", "metric", "value"]
    both, _ = run(data, published, ["raw", "smote"], folds=[0, 1], n_jobs=1, verbose=0)
    one, _ = run(data, published, ["smote"], folds=[1], n_jobs=1, verbose=0)
    again = both[(both["fold"] == 1) & (both["method"] == "smote")][columns].reset_index(drop=True)
    np.testing.assert_allclose(one["value"], again["value"], atol=1e-6)
    other, _ = run(data, published, ["smote"], folds=[1], random_state=1, n_jobs=1, verbose=0)
    assert not np.allclose(one["value"], other["value"])


@pytest.fixture(scope="module")
def cluster():
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        yield client


def test_a_dask_cluster_gives_the_same_rows(data, sound, cluster):
    methods = ["raw", "smote", "simpor-converged-no-region", "svmcs", "hist-gradient-boosting"]
    here, here_predicted = run(data, sound, methods, folds=[0, 7], n_jobs=1, verbose=0)
    with parallel_config("dask"):
        there, there_predicted = run(data, sound, methods, folds=[0, 7], verbose=0)
    seconds = ["seconds_resampling", "seconds_training"]
    assert not there["failure"].any()
    assert_frame_equal(there.drop(columns=seconds), here.drop(columns=seconds), check_exact=True)
    assert_frame_equal(there_predicted, here_predicted, check_exact=True)


def test_both_workers_of_a_dask_cluster_take_part_and_hand_nothing_on(
    data, published, cluster, tmp_path
):
    def tell(X, y):
        """Wait for the other worker, however slow it is, so that none takes all tasks."""
        (tmp_path / get_worker().address.rpartition(":")[2]).touch()
        patience = time.monotonic() + 120
        while len(list(tmp_path.iterdir())) < 2 and time.monotonic() < patience:
            time.sleep(0.05)
        inside, _ = get_active_backend()
        raise RuntimeError(f"{type(inside).__name__} {get_worker().address}")

    with parallel_config("dask"):
        rows, _ = run(data, published, [sampler("telling", tell)], verbose=0)
    workers = cluster.scheduler_info()["workers"]
    assert set(rows["failure"]) == {
        f"RuntimeError: SequentialBackend {address}" for address in workers
    }
    assert len(workers) == 2


def test_a_failure_is_a_row(data, published):
    def fail(X, y):
        raise RuntimeError("no neighbours at all")

    methods = [sampler("failing", fail), METHODS["raw"]]
    rows, _ = run(data, published, methods, folds=[0], n_jobs=1, verbose=0)
    failed = rows[rows["method"] == "failing"]
    assert failed["failure"].tolist() == ["RuntimeError: no neighbours at all"]
    assert failed["value"].isna().all()
    assert not rows[rows["method"] == "raw"]["failure"].any()


def test_a_failure_in_the_tuning_part_is_a_row(data, sound):
    """The tuning part has fewer rows than the training part: a method may fail on it alone."""

    def fail_on_few(X, y):
        if len(X) < 80:
            raise RuntimeError("too few rows")
        return X, y

    methods = [
        sampler("sampler", fail_on_few),
        Method(
            "threshold",
            "threshold",
            "none",
            "threshold",
            lambda seed: FunctionSampler(func=fail_on_few),
        ),
    ]
    rows, _ = run(data, sound, methods, folds=[0], n_jobs=1, verbose=0)
    failed = rows[rows["failure"] == "RuntimeError: too few rows"]
    assert failed["value"].isna().all()
    assert failed.set_index("method")["metric"].to_dict() == {
        "sampler": "f1_tuned",
        "threshold": "",
    }
    assert rows[rows["method"] == "sampler"]["value"].notna().sum() == 11


def test_a_class_too_small_to_tune_on_is_a_row(sound):
    y = np.repeat([0, 1], [60, 5])
    X = np.random.default_rng(0).normal(size=(65, 2)) + y[:, None]
    only_two = Dataset("moon-12", np.vstack([X, X]), np.append(y, 0 * y), ("a", "b"), "made up")
    four_folds = replace(sound, splits=lambda seed: StratifiedShuffleSplit(1, test_size=0.8))
    rows, _ = run(only_two, four_folds, ["raw-threshold"], n_jobs=1, verbose=0)
    assert len(rows) == 1 and "ValueError" in rows["failure"].item()


def test_equal_rows_are_trained_once(data, published, monkeypatch):
    trained = []

    class Counting(NetworkStack):
        def fit(self, Xs, ys, seeds):
            trained.append(len(Xs))
            return super().fit(Xs, ys, seeds)

    monkeypatch.setattr(protocol_module, "NetworkStack", Counting)
    methods = ["raw", "raw-threshold", "smote"]
    rows, _ = run(data, published, methods, folds=[0], n_jobs=1, verbose=0)
    assert trained == [3], "raw, raw for the threshold, SMOTE"
    assert rows["seconds_training"].gt(0).all()


def test_minority_precision_and_recall_are_those_of_class_1(data, published):
    rows, predictions = run(data, published, ["raw"], folds=[0], n_jobs=1, verbose=0)
    value = rows.set_index("metric")["value"]
    called, y = predictions["probability"] >= 0.5, predictions["y"] == 1
    assert value["recall_minority"] == pytest.approx((called & y).sum() / y.sum())
    assert value["recall"] == pytest.approx(value["balanced_accuracy"])


def test_only_failures_still_give_rows(data, published):
    def fail(X, y):
        raise ValueError("nothing")

    methods = [sampler("failing", fail)]
    rows, predictions = run(data, published, methods, folds=[0], n_jobs=1, verbose=0)
    assert len(rows) == 1 and len(predictions) == 0


def test_the_threshold_method_applies_its_threshold(data, published):
    rows, _ = run(data, published, ["raw", "raw-threshold"], folds=[0], n_jobs=1, verbose=0)
    scores = rows.pivot(index="method", columns="metric", values="value")
    assert scores.loc["raw-threshold", "f1"] == scores.loc["raw-threshold", "f1_tuned"]
    assert scores.loc["raw-threshold", "auc"] == pytest.approx(scores.loc["raw", "auc"])


def test_tuned_threshold_is_the_best_on_its_rows():
    rng = np.random.default_rng(0)
    y = (rng.random(100) < 0.2).astype(int)
    probability = np.round(np.clip(0.3 * y + 0.5 * rng.random(100), 0, 1), 2)  # with ties

    def macro_f1(threshold):
        return f1_score(y, probability >= threshold, average="macro", zero_division=0)

    best = max(macro_f1(threshold) for threshold in np.linspace(0, 1, 201))
    assert macro_f1(tune_threshold(y, probability)) >= best - 1e-12
    assert best > macro_f1(0.5) + 0.01


def test_a_constant_probability_keeps_the_threshold_of_one_half():
    assert tune_threshold(np.array([0, 0, 1]), np.full(3, 0.3)) == 0.5


def test_published_networks_are_those_of_the_papers():
    assert PUBLISHED.network("breast-cancer-3").hidden_layers == (50, 50, 50)
    assert PUBLISHED.network("credit-card-15").batch_size == 64
    assert PUBLISHED.network("moon-3").learning_rate == 0.01
    assert PUBLISHED.network("moon-7").learning_rate == 0.1
    assert PUBLISHED.network("glass-0-1-6 vs 2").plateau is not None
    assert SOUND.network("glass-0-1-6 vs 2").plateau is None
    assert isinstance(moon(4, n_samples=200), Dataset)
