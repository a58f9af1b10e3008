"""One random state, one result: wherever, whenever and beside whatever it is computed."""

import hashlib
import random

import numpy as np
import pytest
from joblib import Parallel, delayed
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression

from simpor import SIMPOR, _kernel_sums, entropy_network


def data(n=150, d=4):
    shape = dict(n_informative=3, n_redundant=0, weights=[0.8])
    return make_classification(n, d, **shape, random_state=0)


def digest(n_jobs=None, seed=0):
    """Of the resampled rows and of all that the sampler notes about them."""
    simpor = SIMPOR(informative_portion=0.2, max_iter=10, n_jobs=n_jobs, random_state=seed)
    X, y = simpor.fit_resample(*data())
    notes = [simpor.informative_mask_, simpor.seed_indices_, simpor.radii_, simpor.rotation_]
    arrays = [X, y, *notes, simpor.log_ratio_start_, simpor.log_ratio_]
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()


@pytest.fixture(autouse=True)
def threads_for_small_tables_too(monkeypatch):
    monkeypatch.setattr(_kernel_sums, "MIN_WORK_PER_THREAD", 1)


def test_same_bits_after_another_call():
    first = digest()
    SIMPOR(informative_portion=0.1, max_iter=2, random_state=1).fit_resample(*data(80, 3))
    assert digest(seed=5) != first
    assert digest(n_jobs=1) == digest(n_jobs=2) == digest(n_jobs=-1) == first


def test_same_bits_from_a_generator_of_that_seed():
    assert digest(seed=np.random.RandomState(3)) == digest(seed=3)


def test_same_bits_in_threads_at_the_same_time():
    digests = Parallel(4, backend="threading")(
        delayed(digest)(n_jobs) for n_jobs in (1, 2, None, -1)
    )
    assert set(digests) == {digest()}


def test_same_bits_in_workers():
    # the sampler goes to the workers, not this file's functions: they could not import them
    samplers = [
        SIMPOR(learner=LogisticRegression(), max_iter=10, n_jobs=n_jobs, random_state=0)
        for n_jobs in (1, 2, None, -1)
    ]
    there = Parallel(2)(delayed(sampler.fit_resample)(*data()) for sampler in samplers)
    here = samplers[0].fit_resample(*data())[0].tobytes()
    assert {X.tobytes() for X, _ in there} == {here}


def test_random_states_of_others_stay_as_they_were():
    import keras
    import tensorflow as tf

    def draws_after(action):
        keras.utils.clear_session()  # up to Keras 3.12 its generator goes on with the seed before
        keras.utils.set_random_seed(7)
        action()
        return (
            random.random(),
            np.random.random_sample(),
            float(tf.random.uniform([])),
            float(keras.random.uniform([])),
        )

    def resample():
        entropy_network._compile.cache_clear()  # building the network is part of it
        digest()

    assert draws_after(resample) == draws_after(lambda: None)
