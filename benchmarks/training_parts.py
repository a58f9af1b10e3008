"""The training parts of the 41 sets of the TAI paper, on which the ascent is measured."""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from simpor.lab.datasets import load


def training_part(name):
    """Rows and labels of a stratified split of 80 to 20, standardised."""
    data = load(name)
    X, _, y, _ = train_test_split(data.X, data.y, test_size=0.2, stratify=data.y, random_state=0)
    return StandardScaler().fit_transform(X), y


def quick_region(X, y):
    """An informative region without a network: where a logistic regression is least certain."""
    probability = LogisticRegression().fit(X, y).predict_proba(X)[:, 1]
    return np.argsort(np.argsort(np.abs(probability - 0.5), kind="stable")) < 0.3 * len(X)
