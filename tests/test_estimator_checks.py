"""imbalanced-learn's own checks of a sampler, all of them."""

import pytest
from imblearn.utils.estimator_checks import parametrize_with_checks
from sklearn.linear_model import LogisticRegression

from simpor import SIMPOR

FAST = SIMPOR(learner=LogisticRegression(), random_state=0)


@parametrize_with_checks([FAST])
def test_imbalanced_learn_accepts_the_sampler(estimator, check):
    check(estimator)
