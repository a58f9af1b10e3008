"""imbalanced-learn's own checks of a sampler: all of them, and no failure is expected."""

from imblearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_param_validation,
    parametrize_with_checks,
)
from sklearn.linear_model import LogisticRegression

from simpor import SIMPOR

WITH_SKLEARN = SIMPOR(learner=LogisticRegression(), max_iter=5, random_state=0)
WITH_KERAS = SIMPOR(informative_portion=0.05, max_iter=5, random_state=0)


@parametrize_with_checks([WITH_SKLEARN, WITH_KERAS])
def test_imbalanced_learn_accepts_the_sampler(estimator, check):
    check(estimator)


def test_parameters_are_validated():
    check_param_validation("SIMPOR", WITH_SKLEARN)


def test_names_of_columns_are_kept():
    check_dataframe_column_names_consistency("SIMPOR", WITH_SKLEARN)
