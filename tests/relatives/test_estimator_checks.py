"""The libraries' own checks of the relatives, and what every sampler among them promises."""

import os
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import RandomOverSampler
from imblearn.utils import estimator_checks as imbalanced_learn
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_limits

from simpor.relatives import (
    GKSMOTE,
    LEOCVAE,
    MOMS,
    RBO,
    AsymmetricSAM,
    BiasCorrectedClassifier,
    KernelSMOTESVC,
    KOTAROClassifier,
    LanguageModelOversampler,
    TunedSizeClassifierCV,
)

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# One line for each relative, with few epochs if it trains a network.
CLASSIFIERS = [
    KOTAROClassifier(),
    KOTAROClassifier(ridge=1.0, scale="free"),
    # some checks have classes of three rows
    KernelSMOTESVC(k_neighbors=2, random_state=0),
    KernelSMOTESVC("cost", k_neighbors=2, random_state=0),
    KernelSMOTESVC("entropy-difference", k_neighbors=2, random_state=0),
    BiasCorrectedClassifier(RandomOverSampler(), random_state=0),
    BiasCorrectedClassifier(
        RandomOverSampler(),
        hidden_layers=(8,),
        n_epochs=30,
        learning_rate=0.1,
        random_state=0,
    ),
    TunedSizeClassifierCV(
        LogisticRegression(), RandomOverSampler(), sizes=[0, 1], cv=2, random_state=0
    ),
]
SAMPLERS = [
    GKSMOTE(random_state=0),
    GKSMOTE(variant="paper", random_state=0),
    RBO(random_state=0),
    LanguageModelOversampler(random_state=0),
]
if find_spec("keras"):
    CLASSIFIERS.append(
        AsymmetricSAM(
            hidden_layers=(10,), batch_size=32, n_epochs=10, learning_rate=0.1, random_state=0
        )
    )
    SAMPLERS.append(LanguageModelOversampler(model="transformer", n_steps=1, random_state=0))
    SAMPLERS.append(LEOCVAE(n_epochs=2, random_state=0))
    SAMPLERS.append(MOMS(n_epochs=2, random_state=0))

every_sampler = pytest.mark.parametrize("sampler", SAMPLERS, ids=repr)


@parametrize_with_checks(CLASSIFIERS)
def test_scikit_learn_accepts_the_classifier(estimator, check):
    check(estimator)


@imbalanced_learn.parametrize_with_checks(SAMPLERS)
def test_imbalanced_learn_accepts_the_sampler(estimator, check):
    check(estimator)


@pytest.fixture
def three_classes():
    """Three overlapping classes in the plane."""
    rng = np.random.RandomState(0)
    y = np.repeat([0, 1, 2], [120, 30, 12])
    return rng.normal(size=(162, 2)) + 1.5 * y[:, None], y


@every_sampler
def test_parameters_are_validated(sampler):
    imbalanced_learn.check_param_validation(type(sampler).__name__, sampler)


@every_sampler
def test_every_class_gets_exactly_the_count_that_is_asked_for(sampler, three_classes):
    X, y = three_classes
    wanted = {1: 41, 2: 12}
    sampler = clone(sampler).set_params(sampling_strategy=wanted)
    X_resampled, y_resampled = sampler.fit_resample(X, y)
    np.testing.assert_array_equal(np.bincount(y_resampled), [120, 41, 12])
    np.testing.assert_array_equal(X_resampled[: len(X)], X)
    np.testing.assert_array_equal(y_resampled[: len(y)], y)


@every_sampler
def test_the_number_of_threads_does_not_change_a_bit(sampler, three_classes):
    results = []
    for n_threads in (1, 4):
        with threadpool_limits(n_threads):
            results.append(clone(sampler).fit_resample(*three_classes)[0].tobytes())
    assert results[0] == results[1]


@every_sampler
def test_frames_come_back_with_their_columns_and_types(sampler, three_classes):
    X, y = three_classes
    frame = pd.DataFrame({"whole": np.rint(9 * X[:, 0]).astype(np.int16), "real": X[:, 1]})
    frame["real"] = frame["real"].astype(np.float32)
    resampled, labels = clone(sampler).fit_resample(frame, pd.Series(y, name="class"))
    assert resampled.dtypes.to_dict() == frame.dtypes.to_dict()
    assert labels.name == "class"
    pd.testing.assert_frame_equal(resampled.iloc[: len(frame)], frame)


@every_sampler
def test_constant_columns_keep_their_value(sampler, three_classes):
    X, y = three_classes
    X = np.column_stack([X, np.full(len(X), 7.5)])
    np.testing.assert_array_equal(clone(sampler).fit_resample(X, y)[0][:, 2], 7.5)


@every_sampler
def test_rows_that_are_all_alike_yield_rows_like_them(sampler):
    X_resampled, y_resampled = clone(sampler).fit_resample(
        np.full((40, 2), 3.0), np.repeat([0, 1], [30, 10])
    )
    np.testing.assert_array_equal(X_resampled, 3.0)
    np.testing.assert_array_equal(np.bincount(y_resampled), [30, 30])


@every_sampler
def test_bad_input_gets_a_sentence(sampler, three_classes):
    X, y = three_classes
    sampler = clone(sampler)
    with pytest.raises(ValueError, match="one class"):
        sampler.fit_resample(X, np.zeros(len(X)))
    with pytest.raises(ValueError, match="NaN"):
        sampler.fit_resample(np.where(X > 2, np.nan, X), y)
    with pytest.raises(TypeError, match="toarray"):
        sampler.fit_resample(csr_matrix(X), y)
