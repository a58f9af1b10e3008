"""One protocol for all methods: splits, scaling, networks, thresholds and metrics.

Every method sees the same splits. Everything that learns, from the scaler over the sampler and its
entropy network to the threshold, learns inside the training part of a split; the test part is
scored once and seen by nothing before. The networks of one data set are trained as one stack.
"""

import json
import platform
import re
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import pandas as pd
from imblearn.metrics import geometric_mean_score
from joblib import Parallel, delayed, parallel_config
from joblib import hash as joblib_hash
from scipy.special import expit
from sklearn.base import ClassifierMixin
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    brier_score_loss,
    f1_score,
    matthews_corrcoef,
    precision_score,
    recall_score,
    roc_auc_score,
)
from sklearn.model_selection import RepeatedStratifiedKFold, StratifiedShuffleSplit
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from simpor.lab.datasets import FAMILIES, Dataset
from simpor.lab.methods import METHODS, Method
from simpor.lab.network import PREPRINT, TAI, Network, NetworkStack

__all__ = ["PROTOCOLS", "PUBLISHED", "SOUND", "Protocol", "run", "tune_threshold"]

_PACKAGES = (
    "numpy",
    "scikit-learn",
    "imbalanced-learn",
    "numba",
    "keras",
    "tensorflow",
    "tensorflow-cpu",
    "simpor",
)


@dataclass(frozen=True)
class Protocol:
    """How methods are compared.

    Attributes
    ----------
    name : str
    splits : callable
        From a random state to a scikit-learn splitter.
    network : callable
        From a data set's name to the :class:`~simpor.lab.network.Network` that is trained on it.
    tune_all : bool
        Whether the threshold is tuned for every method, at the price of a second network for each
        split, or only where the method is the threshold.
    """

    name: str
    splits: Callable[[int], Any]
    network: Callable[[str], Network]
    tune_all: bool


def _published_network(name: str) -> Network:
    """The network of the paper that has the data set: Table 1 of the preprint, else Table I."""
    source, _, _ = name.rpartition("-")
    return PREPRINT[source] if source in PREPRINT and name != "moon-7" else TAI


#: The layers and the rate of the preprint's network for Moon, for every data set: Table I's rate of
#: 0.1 is no setting to rely on. Half its epochs on batches twice as large train in a third of the
#: time, to the same scores within their spread.
_SOUND_NETWORK = replace(PREPRINT["moon"], epochs=100, batch_size=64)


#: Five random splits of 80 to 20 and the papers' networks. Stratified, which the papers do not say.
PUBLISHED = Protocol(
    "published",
    lambda seed: StratifiedShuffleSplit(n_splits=5, test_size=0.2, random_state=seed),
    _published_network,
    tune_all=False,
)

#: Twice five stratified folds, and a threshold tuned for every method.
SOUND = Protocol(
    "sound",
    lambda seed: RepeatedStratifiedKFold(n_splits=5, n_repeats=2, random_state=seed),
    lambda name: _SOUND_NETWORK,
    tune_all=True,
)

#: Both by their names.
PROTOCOLS = {protocol.name: protocol for protocol in (PUBLISHED, SOUND)}


def run(
    dataset: Dataset,
    protocol: Protocol,
    methods: Sequence[str | Method] = tuple(METHODS),
    *,
    folds: Sequence[int] | None = None,
    random_state: int = 0,
    n_jobs: int = -1,
    verbose: int = 1,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare methods on one data set.

    Parameters
    ----------
    dataset : simpor.lab.datasets.Dataset
    protocol : Protocol
    methods : sequence of str or Method
        Names of :data:`~simpor.lab.methods.METHODS`, or methods of one's own.
    folds : sequence of int, default=None
        Numbers of the splits to run; None runs all. A split's scores do not depend on the others.
    random_state : int, default=0
        Of the splits, the samplers and the networks. In one split all methods get the same seed, so
        that networks begin with the same weights.
    n_jobs : int, default=-1
        Processes that resample, then threads that train the networks; -1 is one for each core.
    verbose : int, default=1
        1 shows progress on standard error.

    Returns
    -------
    scores : DataFrame
        One row for each split, method and metric, with the columns dataset, family, protocol,
        fold, seed, method, metric, value, seconds_resampling, seconds_training (the method's share
        of its stack's time), settings, versions and failure. A method that fails on a split has
        one row with the reason in ``failure`` and no value; so has "f1_tuned" where only the
        tuning failed. Without an ending, "precision" and "recall" are macro averages, as in the
        papers.
    predictions : DataFrame
        One row for each test row of each split and method: dataset, protocol, fold, method, row,
        y, probability (of the minority class; for an SVM the logistic function of its margin),
        threshold (the tuned one, NaN where none was tuned).

    Notes
    -----
    The tuned threshold costs a second training: three quarters of the training part train it, one
    quarter chooses the threshold with the best macro-F1, and it is applied to the predictions of
    the network that learnt from the whole training part.

    Resampling, and training the classifiers, is spread by joblib: over processes of this machine,
    or over a cluster inside ``joblib.parallel_config("dask")``, where each worker should have one
    thread. The networks train on this machine. The scores are the same.
    """
    chosen = [METHODS[method] if isinstance(method, str) else method for method in methods]
    splits = list(enumerate(protocol.splits(random_state).split(dataset.X, dataset.y)))
    if folds is not None:
        splits = [splits[fold] for fold in folds]

    jobs = [
        (method, fold, train, test, for_threshold)
        for fold, (train, test) in splits
        for method in chosen
        for for_threshold in (False, True)
        if not for_threshold or protocol.tune_all or method.kind == "threshold"
    ]
    prepared = Parallel(n_jobs, batch_size=1, return_as="generator")(
        delayed(_prepare)(dataset.X, dataset.y, *job, _seed(random_state, job[1])) for job in jobs
    )
    title = f"{dataset.name}: resampling"
    trials = list(tqdm(prepared, desc=title, total=len(jobs), disable=not verbose))
    network = protocol.network(dataset.name)
    with parallel_config("threading"):  # of this machine, whatever cluster may have resampled
        _train_networks(trials, network, n_jobs, verbose)
    return _score(trials, dataset, protocol, network)


_no_rows = partial(np.empty, 0)


@dataclass
class _Trial:
    """One method on one split: what is trained on, then the probabilities of the rows held out.

    The rows held out are the test part, or with ``for_threshold`` a quarter of the training part.
    """

    method: Method
    fold: int
    seed: int
    for_threshold: bool
    held_out: np.ndarray
    X_held_out: np.ndarray = field(default_factory=_no_rows)
    X_resampled: np.ndarray = field(default_factory=_no_rows)
    y_resampled: np.ndarray = field(default_factory=_no_rows)
    probability: np.ndarray = field(default_factory=_no_rows)
    seconds_resampling: float = np.nan
    seconds_training: float = np.nan
    failure: str = ""


def _seed(random_state: int, fold: int) -> int:
    """A seed of its own for every split."""
    return int(np.random.SeedSequence([random_state, fold]).generate_state(1)[0] >> 1)


def _prepare(
    X: np.ndarray,
    y: np.ndarray,
    method: Method,
    fold: int,
    train: np.ndarray,
    test: np.ndarray,
    for_threshold: bool,
    seed: int,
) -> _Trial:
    """Scale and resample the training part of a split; a classifier is trained at once."""
    trial = _Trial(method, fold, seed, for_threshold, held_out=test)
    # One thread per job: jobs fill the cores, and results do not depend on the thread count.
    # And no jobs inside a job: a cluster's workers would wait for one another, at times forever.
    with threadpool_limits(1), parallel_config("sequential"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # warnings are not recorded
        try:
            if for_threshold:
                inner = StratifiedShuffleSplit(n_splits=1, test_size=0.25, random_state=seed)
                inner_train, inner_test = next(inner.split(train, y[train]))
                train, test = train[inner_train], train[inner_test]
                trial.held_out = test
                if y[test].min() == y[test].max():
                    raise ValueError("the rows to tune the threshold on have one class only")
            scaler = StandardScaler().fit(X[train])
            X_train, trial.X_held_out = scaler.transform(X[train]), scaler.transform(X[test])
            begin = time.perf_counter()
            fitted = method.make(seed)
            if method.kind == "classifier":
                trial.probability = _probability(fitted.fit(X_train, y[train]), trial.X_held_out)
                trial.seconds_training = time.perf_counter() - begin
            else:
                trial.X_resampled, trial.y_resampled = fitted.fit_resample(X_train, y[train])
                trial.seconds_resampling = time.perf_counter() - begin
        except Exception as error:  # noqa: BLE001 - what goes wrong is a result
            trial.failure = f"{type(error).__name__}: {error}"
    return trial


def _probability(classifier: ClassifierMixin, X: np.ndarray) -> np.ndarray:
    """Probability of the minority class; for an SVM, its margin brought into (0, 1)."""
    if hasattr(classifier, "predict_proba"):
        return classifier.predict_proba(X)[:, 1]
    return expit(classifier.decision_function(X))


def _train_networks(trials: list[_Trial], network: Network, n_jobs: int, verbose: int) -> None:
    """Train one stack on all resampled parts, and let it predict the rows that were held out."""
    # Raw data with and without a tuned threshold are the same rows with the same seed: one network.
    members: dict[str, list[_Trial]] = {}
    for trial in trials:
        if len(trial.X_resampled) > 0:
            key = joblib_hash((trial.X_resampled, trial.y_resampled, trial.seed))
            members.setdefault(key, []).append(trial)
    if not members:
        return
    firsts = [same[0] for same in members.values()]
    begin = time.perf_counter()
    stack = NetworkStack(network, n_jobs=n_jobs, verbose=verbose)
    stack.fit(
        [trial.X_resampled for trial in firsts],
        [trial.y_resampled for trial in firsts],
        [trial.seed for trial in firsts],
    )
    seconds_per_row = (time.perf_counter() - begin) / sum(
        len(trial.X_resampled) for trial in firsts
    )
    for member, same in enumerate(members.values()):
        for trial in same:
            trial.seconds_training = seconds_per_row * len(trial.X_resampled)
            trial.probability = stack.predict_proba(member, trial.X_held_out)[:, 1].astype(float)
            if not np.isfinite(trial.probability).all():
                trial.failure = "the network's training diverged: its probabilities are not finite"


def _score(
    trials: list[_Trial], dataset: Dataset, protocol: Protocol, network: Network
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores and predictions as long tables."""
    tuning = {(trial.fold, trial.method.name): trial for trial in trials if trial.for_threshold}
    scores, predictions = [], []
    for trial in trials:
        if trial.for_threshold:
            continue
        method = trial.method
        tuned_on = tuning.get((trial.fold, method.name))
        tuning_failure = tuned_on.failure if tuned_on else ""
        failure = trial.failure or (tuning_failure if method.kind == "threshold" else "")
        key = {
            "dataset": dataset.name,
            "protocol": protocol.name,
            "fold": trial.fold,
            "method": method.name,
        }
        about = {
            "family": FAMILIES.get(dataset.name, dataset.name.rpartition("-")[0]),
            "seed": trial.seed,
            "seconds_resampling": round(trial.seconds_resampling, 4),
            "seconds_training": round(trial.seconds_training, 4),
            "settings": _settings(method, network),
            "versions": _versions(),
        }
        if failure:
            scores.append(key | {"metric": "", "value": np.nan} | about | {"failure": failure})
            continue
        y_test = dataset.y[trial.held_out]
        threshold = None
        if tuning_failure:
            missing = {"metric": "f1_tuned", "value": np.nan}
            scores.append(key | missing | about | {"failure": tuning_failure})
        elif tuned_on:
            threshold = tune_threshold(dataset.y[tuned_on.held_out], tuned_on.probability)
        for metric, value in _metrics(y_test, trial.probability, threshold, method).items():
            scores.append(key | {"metric": metric, "value": value} | about | {"failure": ""})
        predicted = {"row": trial.held_out, "y": y_test, "probability": trial.probability}
        tuned = {"threshold": np.nan if threshold is None else threshold}
        predictions.append(pd.DataFrame(key | predicted | tuned))
    predictions = pd.concat(predictions, ignore_index=True) if predictions else pd.DataFrame()
    return pd.DataFrame(scores), predictions


def _metrics(
    y: np.ndarray, probability: np.ndarray, threshold: float | None, method: Method
) -> dict[str, float]:
    """Scores of one split; precision and recall are macro averages, as in the papers."""
    predicted = probability >= (threshold if method.kind == "threshold" else 0.5)
    scores = {
        "f1": f1_score(y, predicted, average="macro"),
        "auc": roc_auc_score(y, probability),
        "average_precision": average_precision_score(y, probability),
        "precision": precision_score(y, predicted, average="macro", zero_division=0),
        "recall": recall_score(y, predicted, average="macro"),
        "precision_minority": precision_score(y, predicted, zero_division=0),
        "recall_minority": recall_score(y, predicted),
        "g_mean": geometric_mean_score(y, predicted),
        "balanced_accuracy": balanced_accuracy_score(y, predicted),
        "mcc": matthews_corrcoef(y, predicted),
    }
    if threshold is not None:
        scores["f1_tuned"] = f1_score(y, probability >= threshold, average="macro")
    if method.name != "svmcs":  # the logistic function of a margin is no probability
        scores["brier"] = brier_score_loss(y, probability)
    return scores


def tune_threshold(y: np.ndarray, probability: np.ndarray) -> float:
    """The threshold with the best macro-F1.

    Parameters
    ----------
    y : ndarray of shape (n,)
        1 for the minority class, 0 for the majority class.
    probability : ndarray of shape (n,)

    Returns
    -------
    float
        Midway between two neighbouring probabilities; of equals, the one nearest to 0.5.

    Examples
    --------
    >>> import numpy as np
    >>> from simpor.lab.protocol import tune_threshold
    >>> round(tune_threshold(np.array([0, 0, 0, 1, 1]), np.array([0.0, 0.1, 0.2, 0.4, 0.9])), 6)
    0.3
    """
    levels = np.unique(probability)
    candidates = np.append((levels[1:] + levels[:-1]) / 2, 0.5)
    candidates = candidates[np.argsort(np.abs(candidates - 0.5), kind="stable")]
    # Rows of each class that lie at or above every candidate, counted for all candidates at once.
    positive, negative = np.sort(probability[y == 1]), np.sort(probability[y == 0])
    true_positive = len(positive) - np.searchsorted(positive, candidates)
    false_positive = len(negative) - np.searchsorted(negative, candidates)
    true_negative = len(negative) - false_positive
    wrong = false_positive + len(positive) - true_positive
    f1_positive = 2 * true_positive / (2 * true_positive + wrong)
    f1_negative = 2 * true_negative / (2 * true_negative + wrong)
    return float(candidates[np.argmax(f1_positive + f1_negative)])


def _settings(method: Method, network: Network) -> str:
    """A method and, if one follows, its network, in one line of JSON."""
    described = re.sub(r" at 0x[0-9a-f]+", "", repr(method.make(None)))  # a function's address
    settings: dict[str, Any] = {"method": " ".join(described.split())}
    if method.kind != "classifier":
        settings["network"] = asdict(network)
    return json.dumps(settings)


@cache
def _versions() -> str:
    installed = [f"python {platform.python_version()}"]
    for package in _PACKAGES:
        try:
            installed.append(f"{package} {version(package)}")
        except PackageNotFoundError:  # TensorFlow goes by several names; a copied simpor has none
            continue
    return ", ".join(installed)
