"""What the relatives that are classifiers of two classes have in common."""

import numpy as np
import pandas as pd
import pytest

from simpor.relatives import AsymmetricSAM, KOTAROClassifier
from simpor.relatives._two_classes import check_magnitudes, number_classes, number_labels


def test_labels_are_numbered_in_ascending_order():
    classes, numbers = number_labels(np.array(["b", "a", "c", "b"]))
    assert classes.tolist() == ["a", "b", "c"]
    np.testing.assert_array_equal(numbers, [1, 0, 2, 1])


def test_labels_that_are_no_two_classes_get_a_sentence():
    with pytest.raises(ValueError, match="one class, 4: pass rows of two classes"):
        number_labels(np.full(3, 4))
    with pytest.raises(ValueError, match="y mixes types .*: pass labels of one type"):
        number_labels(np.array([None, "a", None, "a"], dtype=object))
    with pytest.raises(ValueError, match="OneVsRestClassifier"):
        number_classes(np.arange(3))


def test_values_whose_distances_or_squares_overflow_are_refused():
    check_magnitudes(np.array([[1e150], [-1e150]]))
    with pytest.raises(ValueError, match="Distances in X overflow: standardise"):
        check_magnitudes(np.array([[1e200], [0.0]]))
    with pytest.raises(ValueError, match="Squares of X overflow: standardise"):
        check_magnitudes(np.full((2, 1), 1e200))


def test_columns_of_text_are_told_the_cure():
    X = pd.DataFrame({"size": np.arange(20.0), "kind": list("ab" * 10)})
    for classifier in (KOTAROClassifier(), AsymmetricSAM()):
        with pytest.raises(ValueError, match="X holds text .*: encode it as numbers"):
            classifier.fit(X, np.arange(20) % 2)
