"""Published numbers of the relatives beside ours: ``python -m benchmarks replays``.

Also measures what the docstrings of :mod:`simpor.relatives` say in numbers. Where no number is
published, or none that we could read, the table says so by an empty place. A mean over several
tables has its standard error beside it. Takes about 20 minutes.
"""

import warnings

import numpy as np
import pandas as pd
from imblearn.metrics import geometric_mean_score
from imblearn.over_sampling import SMOTE
from scipy.spatial.distance import cdist
from scipy.stats import sem
from sklearn.base import clone
from sklearn.datasets import make_moons
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, log_loss
from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC

from simpor.lab.datasets import load
from simpor.relatives import (
    LEOCVAE,
    MOMS,
    RBO,
    AsymmetricSAM,
    BiasCorrectedClassifier,
    KernelSMOTESVC,
    KOTAROClassifier,
    local_symmetry_test,
    theory_guided_sizes,
)


def size_of_a_biased_generator():
    """Excess risk of least squares at balance and at four gaps, with N(e1 / 2, I) for N(e1, I)."""
    n_rare, gap = 400, 19 * 400
    published = {1: 0.0161, 4: 0.0000}
    risks = {size: [] for size in published}
    for seed in range(100):
        rng = np.random.RandomState(seed)
        X = rng.normal(size=(21 * n_rare, 2))
        y = np.repeat([0.0, 1.0], [20 * n_rare, n_rare])
        X[:, 0] += y
        pool = rng.normal(size=(4 * gap, 2)) + np.array([0.5, 0])
        for size, values in risks.items():
            rows = np.vstack([X, pool[: size * gap]])
            targets = np.append(y, np.ones(size * gap))
            theta = np.linalg.lstsq(rows, targets, rcond=None)[0]
            values.append(theta @ theta + (theta[0] - 1) ** 2 / 2 - 1 / 3)
    for size, values in risks.items():
        what = f"biased generator, {n_rare} minority rows: excess risk at {size} x the gap"
        yield "VTSS", what, published[size], values


def rejections_under_symmetry():
    """Share of 400 symmetric tables that the symmetry test rejects at the level of 0.05."""
    for n_rare in (50, 250, 500):
        rejected = []
        for seed in range(400):
            rng = np.random.RandomState(seed)
            X = rng.uniform(-np.sqrt(3), np.sqrt(3), size=(11 * n_rare, 5))
            X[: 10 * n_rare, 0] = 2 * X[: 10 * n_rare, 0] - 1
            X[10 * n_rare :, 0] += (5 - np.sqrt(21)) / 2
            y = np.repeat([-0.5, 0.5], [10 * n_rare, n_rare])
            test = local_symmetry_test(X, y, loss="squared", fit_intercept=False)
            rejected.append(test.pvalue < 0.05)
        what = f"symmetry test, {n_rare} minority rows: share of true hypotheses rejected"
        yield "VTSS", what, None, rejected


def mixture(n_common, n_rare, rng):
    """A Gaussian of five features, and beside it a minority with two lobes."""
    X = rng.normal(size=(n_common + n_rare, 5))
    X[n_common:, 0] += 2
    X[n_common:, 1] += rng.choice([-1.75, 1.75], size=n_rare)
    return X, np.repeat([0, 1], [n_common, n_rare])


def theory_guide_on_a_mixture():
    """What the guide says of SMOTE on 20 tables, and the loss without and with its rows."""
    logistic = LogisticRegression(C=1e6)
    regimes, losses = [], {"without synthetic rows": [], "at balance": []}
    for seed in range(20):
        rng = np.random.RandomState(seed)
        X, y = mixture(4000, 200, rng)
        X_test, y_test = mixture(10000, 10000, rng)
        smote = SMOTE(random_state=seed)
        regimes.append(theory_guided_sizes(X, y, smote, random_state=seed).regime)
        tables = ((X, y), smote.fit_resample(X, y))
        for values, table in zip(losses.values(), tables, strict=True):
            values.append(log_loss(y_test, logistic.fit(*table).predict_proba(X_test)))
    regimes = np.array(regimes)
    yield "VTSS", "mixture: share of asymmetric tables", 1.0, regimes != "symmetric"
    yield "VTSS", "mixture: share of realistic generators", 0.83, regimes == "realistic"
    published = (0.85, 0.363)
    for (name, values), figure in zip(losses.items(), published, strict=True):
        what = f"mixture, {name}: balanced log loss (published in a figure)"
        yield "VTSS", what, figure, values


def fall_of_radial_oversampling():
    """Balanced accuracy of naive Bayes on pima, a mean of 5 times 2 folds."""
    data = load("pima")
    X, y = np.asarray(data.X, dtype=float), np.asarray(data.y)
    folds = RepeatedStratifiedKFold(n_splits=2, n_repeats=5, random_state=0)
    for gamma, n_steps, published in (
        (0.1, 1000, 0.7256),
        (10.0, 1000, 0.7199),
        (10.0, 16000, 0.5289),
    ):
        scores = []
        for train, test in folds.split(X, y):
            rows = MinMaxScaler().fit(X[train]).transform(X)
            sampler = RBO(gamma=gamma, n_steps=n_steps, stop_probability=0.0, random_state=0)
            classifier = GaussianNB().fit(*sampler.fit_resample(rows[train], y[train]))
            scores.append(balanced_accuracy_score(y[test], classifier.predict(rows[test])))
        what = f"pima, naive Bayes, gamma {gamma}, {n_steps} steps: balanced accuracy"
        # Folds share rows: their mean has no standard error.
        yield "RBO", what, published, [np.mean(scores)]


def two_gaussians(n_common, n_rare, seed):
    """Equal covariances, means 1.5 apart, ten features."""
    X = np.random.RandomState(seed).normal(size=(n_common + n_rare, 10))
    X[n_common:, 0] += 1.5
    return X, np.repeat([0, 1], [n_common, n_rare])


def bias_correction():
    """Balanced log loss of logistic regressions, a mean over 20 tables of 2,000 and 100 rows."""
    logistic = LogisticRegression(C=1 / 4)  # of 4000 rows, l2 = 1e-3
    losses = {"SMOTE": [], "class weights": [], "one block": [], "20 blocks": []}
    for seed in range(20):
        X, y = two_gaussians(2000, 100, seed)
        fits = (
            clone(logistic).fit(*SMOTE(random_state=seed).fit_resample(X, y)),
            clone(logistic).fit(X, y, sample_weight=np.where(y == 1, 20, 1)),
            BiasCorrectedClassifier(SMOTE(), 1, random_state=seed).fit(X, y),
            BiasCorrectedClassifier(SMOTE(), random_state=seed).fit(X, y),
        )
        X_test, y_test = two_gaussians(5000, 5000, 1000 + seed)
        for values, fitted in zip(losses.values(), fits, strict=True):
            values.append(log_loss(y_test, fitted.predict_proba(X_test)))
    for name, values in losses.items():
        what = f"logistic regression, {name}: balanced log loss"
        yield "bias correction", what, None, values


class Uncorrected(BiasCorrectedClassifier):
    """The same rows and training, with nothing taken off the loss."""

    def _weights(self, terms):
        total = terms.real.sum() + self.n_synthetic_
        return terms.real / total, self.n_synthetic_ / total * terms.drawn


def bias_correction_of_networks():
    """The same for networks of 16 units and five blocks, a mean over five tables."""
    for n_epochs in (30, 100, 200):
        losses = {"uncorrected": [], "corrected": []}
        for seed in range(5):
            X_test, y_test = two_gaussians(5000, 5000, 1000 + seed)
            for name, kind in (
                ("uncorrected", Uncorrected),
                ("corrected", BiasCorrectedClassifier),
            ):
                network = kind(
                    SMOTE(), 5, hidden_layers=(16,), l2=1e-2, n_epochs=n_epochs, random_state=seed
                ).fit(*two_gaussians(2000, 100, seed))
                losses[name].append(log_loss(y_test, network.predict_proba(X_test)))
        for name, values in losses.items():
            what = f"network, {n_epochs} epochs, {name}: balanced log loss"
            yield "bias correction", what, None, values
        n_worse = np.sum(np.array(losses["corrected"]) > losses["uncorrected"])
        what = f"network, {n_epochs} epochs: tables of five where the correction does harm"
        yield "bias correction", what, None, [n_worse]


def kotaro_and_support_vectors():
    """G-mean on moons of 1,000 and 20 rows, features in tenths of their unit."""
    scores = {"KOTARO": [], "SVC": [], "class-weighted SVC": []}
    for seed in range(10):
        X, y = make_moons((1000, 20), noise=0.3, random_state=seed)
        X_test, y_test = make_moons((1000, 1000), noise=0.3, random_state=100 + seed)
        for name, classifier, unit in (
            ("KOTARO", KOTAROClassifier(), 10),
            ("SVC", SVC(), 1),
            ("class-weighted SVC", SVC(class_weight="balanced"), 1),
        ):
            predicted = classifier.fit(unit * X, y).predict(unit * X_test)
            scores[name].append(geometric_mean_score(y_test, predicted))
    for name, values in scores.items():
        yield "KOTARO", f"moons, 1000 and 20 rows, {name}: G-mean", None, values
    gain = np.subtract(scores["KOTARO"], scores["SVC"])
    yield "KOTARO", "moons, 1000 and 20 rows, KOTARO minus SVC: G-mean", None, gain


def recall_of_support_vectors():
    """Recall of the minority less that of a plain SVC, on seven small sets in twice five folds."""
    gains = []
    for name in ("glass1", "ecoli3", "glass6", "ecoli4", "glass4", "ecoli2", "new-thyroid1"):
        data = load(name)
        X, y = np.asarray(data.X, dtype=float), np.asarray(data.y)
        folds = RepeatedStratifiedKFold(n_splits=5, n_repeats=2, random_state=0)
        recalls = [
            cross_val_score(
                make_pipeline(StandardScaler(), classifier), X, y, cv=folds, scoring="recall"
            ).mean()
            for classifier in (KernelSMOTESVC("entropy-difference", random_state=0), SVC())
        ]
        gains.append(recalls[0] - recalls[1])
    yield "EDKS", "seven small sets, EDKS minus SVC: recall of the minority", None, gains


def distances_from_the_boundary():
    """Mean distance of minority rows to the other class's region: moons of 500 and 20 rows."""
    grid = np.stack(np.meshgrid(np.linspace(-3, 4, 201), np.linspace(-3, 3, 201)), axis=-1)
    grid = grid.reshape(-1, 2)

    def distances(**settings):
        means = []
        for seed in range(20):
            X, y = make_moons((500, 20), noise=0.2, random_state=seed)
            network = AsymmetricSAM(
                **settings, batch_size=32, n_epochs=100, learning_rate=0.05, random_state=seed
            ).fit(X, y)
            others = grid[network.predict(grid) == 0]
            means.append(cdist(X[y == 1], others).min(axis=1).mean())
        return np.array(means)

    descent = distances(rho=0)
    yield "SAM-A", "moons, gradient descent: distance to the boundary", None, descent
    variants = {"SAM": {"ascent_weights": None}, "direction": {}, "length": {"variant": "length"}}
    for rho in (0.05, 0.5):
        for name, settings in variants.items():
            what = f"moons, {name}, rho {rho}: distance minus that of gradient descent"
            yield "SAM-A", what, None, distances(rho=rho, **settings) - descent


def balanced_accuracies(n_rows, n_tables, noise, **settings):
    """Of networks by gradient descent, one for each table of moons, on 2,000 balanced new rows."""
    scores = []
    for seed in range(n_tables):
        X, y = make_moons(n_rows, noise=noise, random_state=seed)
        X_test, y_test = make_moons(2000, noise=noise, random_state=1000 + seed)
        network = AsymmetricSAM(rho=0, **settings, random_state=seed).fit(X, y)
        scores.append(balanced_accuracy_score(y_test, network.predict(X_test)))
    return np.array(scores)


def sizes_of_the_batch():
    """Balanced accuracy by batch size: 10 tables of 2,000 rows, at ratios of 1 and 50.

    Small batches take more steps in equally many epochs, so that both are held equal in turn.
    """
    n_epochs, n_steps = 48, 3000
    for equal in ("epochs", "steps"):
        gains = {}
        for ratio in (1, 50):
            n_rare = 2000 // (1 + ratio)
            scores = {}
            for size in (8, 32, 128, 512):
                epochs = n_epochs if equal == "epochs" else round(n_steps / np.ceil(2000 / size))
                scores[size] = balanced_accuracies(
                    (2000 - n_rare, n_rare), 10, 0.25, batch_size=size, n_epochs=epochs
                )
                what = f"moons, equal {equal}, ratio {ratio}, batches of {size}: balanced accuracy"
                yield "batch sizes", what, None, scores[size]
            gains[ratio] = scores[8] - scores[512]
        what = f"moons, equal {equal}: gain of batches of 8 over 512, at ratio 50 minus at ratio 1"
        yield "batch sizes", what, None, gains[50] - gains[1]


def smoothed_labels():
    """Balanced accuracy with labels smoothed by class minus without: moons of 500 and 20 rows."""
    settings = {"batch_size": 32, "n_epochs": 100}
    smoothed = balanced_accuracies((500, 20), 20, 0.2, smoothing=0.1, **settings)
    plain = balanced_accuracies((500, 20), 20, 0.2, **settings)
    what = "moons, labels smoothed by class up to 0.1: gain in balanced accuracy"
    yield "label smoothing", what, None, smoothed - plain


def fall_of_the_mmd():
    """Squared MMD between mapped and minority rows, at the first epoch and at the last."""
    X, y = make_moons((120, 30), noise=0.2, random_state=0)
    sampler = MOMS(random_state=0)
    sampler.fit_resample(X, y)
    for epoch in (0, -1):
        what = f"moons: squared MMD at the {'last' if epoch else 'first'} epoch"
        yield "MOMS", what, None, [sampler.mmd_[1][epoch]]


def seeds_at_the_boundary():
    """Share of seeds with an entropy above 0.5 bits."""
    X, y = make_moons((300, 60), noise=0.2, random_state=0)
    for gamma in (0, 0.5, 2.5, 8):
        sampler = LEOCVAE(gamma=gamma, n_epochs=1, random_state=0)
        sampler.fit_resample(X, y)
        share = np.mean(sampler.entropy_[sampler.seed_indices_] > 0.5)
        yield "LEO-CVAE", f"moons, gamma {gamma}: share of seeds at the boundary", None, [share]


REPLAYS = (
    size_of_a_biased_generator,
    rejections_under_symmetry,
    theory_guide_on_a_mixture,
    fall_of_radial_oversampling,
    bias_correction,
    bias_correction_of_networks,
    kotaro_and_support_vectors,
    recall_of_support_vectors,
    distances_from_the_boundary,
    sizes_of_the_batch,
    smoothed_labels,
    fall_of_the_mmd,
    seeds_at_the_boundary,
)


def measure(replays=REPLAYS):
    """One row for each number: the relative, what it is, published, ours, and its standard error.

    A replay yields the values of which ours is the mean; of a single value there is no error.
    """
    table = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for replay in replays:
            for relative, what, published, values in replay():
                error = round(float(sem(values)), 4) if len(values) > 1 else None
                table.append((relative, what, published, round(float(np.mean(values)), 4), error))
                print(*table[-1], sep=", ", flush=True)
    columns = ["relative", "what", "published", "ours", "standard error"]
    return pd.DataFrame(table, columns=columns)


def show(table):
    """Print the whole table."""
    print(table.to_string(index=False, na_rep=""))
