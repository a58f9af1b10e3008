"""Scores of probabilities and of decisions that :mod:`sklearn.metrics` does not have.

All take labels with 1 for the minority class and predicted log odds of it, see
:class:`simpor.lab.crossed.Record`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score

__all__ = [
    "COST_RATIOS",
    "TRUE_PREVALENCE",
    "average_precision_at",
    "balanced_log_loss",
    "calibration_intercept",
    "calibration_slope",
    "decision_scores",
]

#: How many false alarms cost as much as one miss, in the scores "cost_10" and "cost_100".
COST_RATIOS = (10, 100)

#: Share of the minority class in the table that a set was drawn from, where it was drawn at another
#: ratio: 492 frauds among 284,807 transactions, 212 malignant tumours among 569.
TRUE_PREVALENCE = {
    **dict.fromkeys(
        ("creditcard", "credit-card-3", "credit-card-7", "credit-card-10", "credit-card-15"),
        492 / 284_807,
    ),
    **dict.fromkeys(("breast-cancer-3", "breast-cancer-7"), 212 / 569),
}


def decision_scores(y: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Score decisions, from the four counts of a confusion matrix.

    Parameters
    ----------
    y : ndarray of shape (n,)
        Both classes have to be there.
    predicted : ndarray of bool of shape (n,)

    Returns
    -------
    scores : dict of str to float
        The metrics of :func:`simpor.lab.protocol.run` that depend on a threshold, and for every
        ratio r of :data:`COST_RATIOS` the expected cost of a row, (r misses + false alarms) / n,
        in false alarms.

    Examples
    --------
    >>> import numpy as np
    >>> from simpor.lab.scores import decision_scores
    >>> scores = decision_scores(np.array([0, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 0], dtype=bool))
    >>> scores["balanced_accuracy"].round(3), scores["cost_10"]
    (np.float64(0.583), np.float64(2.2))
    """
    positive, n = np.sum(y == 1), len(y)
    hits = np.sum(predicted & (y == 1))
    alarms = np.sum(predicted) - hits
    misses = positive - hits
    passes = n - positive - alarms
    wrong = misses + alarms
    recalls = np.array([hits / positive, passes / (n - positive)])
    precisions = np.array(
        [
            hits / max(hits + alarms, 1),
            passes / max(passes + misses, 1),
        ]  # 0 if nothing is predicted
    )
    # in floats, as the product of four counts leaves the range of integers
    margins = np.sqrt(float(hits + alarms)) * np.sqrt(float(passes + misses))
    margins *= np.sqrt(float(positive)) * np.sqrt(float(n - positive))
    scores = {
        "f1": (2 * hits / (2 * hits + wrong) + 2 * passes / (2 * passes + wrong)) / 2,
        "precision": precisions.mean(),
        "recall": recalls.mean(),
        "precision_minority": precisions[0],
        "recall_minority": recalls[0],
        "g_mean": np.sqrt(recalls.prod()),
        "balanced_accuracy": recalls.mean(),
        "mcc": (hits * passes - alarms * misses) / margins if margins else 0.0,
    }
    return scores | {f"cost_{ratio}": (ratio * misses + alarms) / n for ratio in COST_RATIOS}


def balanced_log_loss(y: np.ndarray, log_odds: np.ndarray) -> float:
    """The mean of both classes' log loss, so that each class counts one half.

    A row's loss, log(1 + exp(-log_odds)) for one of the minority class, is taken from its log odds:
    there is no probability that would be rounded to 0 or 1.

    Parameters
    ----------
    y, log_odds : ndarray of shape (n,)

    Returns
    -------
    float
        In nats; log 2 for a coin.

    Examples
    --------
    >>> import numpy as np
    >>> from simpor.lab.scores import balanced_log_loss
    >>> round(balanced_log_loss(np.array([0, 0, 0, 1]), np.zeros(4)), 4)
    0.6931
    """
    losses = np.logaddexp(0, np.where(y == 1, -log_odds, log_odds))
    return float((losses[y == 1].mean() + losses[y != 1].mean()) / 2)


def average_precision_at(prevalence: float, y: np.ndarray, log_odds: np.ndarray) -> float:
    """The average precision that the same ranking has where the minority class is rarer.

    Every recall keeps its share of false alarms, and the precision follows from Bayes:
    p TPR / (p TPR + (1 - p) FPR).

    Parameters
    ----------
    prevalence : float
        Share p of the minority class, in (0, 1).
    y, log_odds : ndarray of shape (n,)

    Returns
    -------
    float

    Examples
    --------
    >>> import numpy as np
    >>> from simpor.lab.scores import average_precision_at
    >>> y, log_odds = np.array([0, 0, 0, 1]), np.array([0.1, 0.2, 0.9, 0.5])
    >>> average_precision_at(0.25, y, log_odds), round(average_precision_at(0.01, y, log_odds), 3)
    (0.5, 0.029)
    """
    weight = np.where(y == 1, prevalence / np.mean(y == 1), (1 - prevalence) / np.mean(y != 1))
    return float(average_precision_score(y, log_odds, sample_weight=weight))


def calibration_intercept(y: np.ndarray, log_odds: np.ndarray) -> float:
    """How much has to be added to all log odds for as many minority rows as were predicted.

    Van Calster et al. (BMC Medicine 17, 2019) call it calibration in the large: 0 is right, and a
    negative number says that the minority class was predicted too often.

    Parameters
    ----------
    y : ndarray of shape (n,)
        Both classes have to be there.
    log_odds : ndarray of shape (n,)

    Returns
    -------
    float

    Examples
    --------
    >>> import numpy as np
    >>> from simpor.lab.scores import calibration_intercept
    >>> y = np.repeat([0, 1], [90, 10])
    >>> round(calibration_intercept(y, np.zeros(100)), 3), round(np.log(10 / 90), 3)
    (-2.197, np.float64(-2.197))
    """
    furthest = np.abs(log_odds).max() + np.log(len(y)) + 1
    return float(brentq(lambda shift: np.mean(expit(log_odds + shift) - y), -furthest, furthest))


def calibration_slope(y: np.ndarray, log_odds: ArrayLike) -> float:
    """The slope b of the logistic regression of labels on log odds, log odds of y = a + b log_odds.

    1 is right; below 1 the predictions are too extreme (Van Calster et al., BMC Medicine 17, 2019).

    Parameters
    ----------
    y, log_odds : ndarray of shape (n,)

    Returns
    -------
    float
        NaN if a threshold separates the classes without an error: then no slope is steep enough.

    Examples
    --------
    >>> import numpy as np
    >>> from simpor.lab.scores import calibration_slope
    >>> y, log_odds = np.array([0, 0, 1, 0, 1, 1]), np.array([-6.0, -2, -2, 2, 2, 6])
    >>> round(calibration_slope(y, log_odds), 3) == round(2 * calibration_slope(y, 2 * log_odds), 3)
    True
    """
    log_odds = np.asarray(log_odds, dtype=float)
    lowest, highest = log_odds[y == 1], log_odds[y == 0]
    if lowest.min() >= highest.max() or lowest.max() <= highest.min():
        return np.nan
    spread = log_odds.std()  # the solver likes numbers around one
    fitted = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1000).fit(
        log_odds[:, None] / spread, y
    )
    return float(fitted.coef_[0, 0] / spread)
