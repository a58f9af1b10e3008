"""The sentences about parameters that the relatives share."""

import numpy as np
import pytest

from simpor.relatives._parameters import (
    check_choice,
    check_layers,
    check_not_negative,
    check_positive,
)


def test_choices_pass_and_others_are_told_what_there_is():
    check_choice("model", "counts", "counts", "transformer", instead="a callable")
    check_choice("weights", None, "counts", None)
    with pytest.raises(ValueError, match='^model=None: give "counts", "transformer" or a callable'):
        check_choice("model", None, "counts", "transformer", instead="a callable")
    with pytest.raises(ValueError, match='give "counts" or None'):
        check_choice("weights", np.array(["counts"]), "counts", None)


@pytest.mark.parametrize("value", [0, -1, np.inf, np.nan, True, "1", None, [1]])
def test_what_is_no_positive_number_is_refused(value):
    with pytest.raises(ValueError, match="^rate=.*: give a number above 0"):
        check_positive("rate", value)


@pytest.mark.parametrize("value", [-1e-9, np.inf, np.nan, False, "0", None])
def test_what_is_below_zero_or_no_number_is_refused(value):
    with pytest.raises(ValueError, match="^ridge=.*: give a number >= 0"):
        check_not_negative("ridge", value)


def test_numbers_of_other_types_pass():
    for value in (1, 0.5, np.float32(2), np.int8(3)):
        check_positive("rate", value)
    check_not_negative("ridge", 0)


def test_layers_are_a_sequence_of_whole_numbers():
    for layers in ((), [3], np.array([3, 4])):
        check_layers(layers)
    for layers in (3, "33", None):
        with pytest.raises(TypeError, match="one number per layer"):
            check_layers(layers)
    with pytest.raises(ValueError, match="hidden_layers=0.5: give a whole number"):
        check_layers((3, 0.5))
