"""What the shared checks let pass, and what they say to everything else."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from simpor._checks import check_bandwidth, check_counts, check_n_jobs, check_whole, is_number

NO_NUMBERS = [None, True, np.True_, "1", b"1", 1j, [1], (1,), {1: 1}, np.ones(2), Decimal(1), int]


@pytest.mark.parametrize("value", [1, 7, np.int8(3), np.uint64(9), 10**30])
def test_integers_of_any_kind_are_whole_numbers(value):
    whole = check_whole("batch_size", value)
    assert whole == value and type(whole) is int


@pytest.mark.parametrize("value", [*NO_NUMBERS, 0, -1, 2.0, np.float64(2), np.nan, Fraction(4, 2)])
def test_everything_else_is_refused_with_its_name_and_value(value):
    with pytest.raises(ValueError, match="batch_size=") as error:
        check_whole("batch_size", value)
    assert str(error.value) == f"batch_size={value!r}: give a whole number >= 1."


def test_the_least_whole_number_is_allowed():
    assert check_whole("max_iter", 0, least=0) == 0
    with pytest.raises(ValueError, match="max_iter=1: give a whole number >= 2."):
        check_whole("max_iter", 1, least=2)


@pytest.mark.parametrize("value", [1, 0.5, np.float32(2), np.int64(2), np.nan, Fraction(1, 2)])
def test_real_numbers_are_numbers(value):
    assert is_number(value)


@pytest.mark.parametrize("value", NO_NUMBERS)
def test_what_is_no_real_number(value):
    assert not is_number(value)


@pytest.mark.parametrize("bandwidth", [1, 0.5, np.float32(0.5), np.int64(2), Fraction(1, 2)])
def test_a_bandwidth_becomes_a_float(bandwidth):
    h = check_bandwidth(bandwidth)
    assert h == bandwidth and type(h) is float


@pytest.mark.parametrize("bandwidth", [*NO_NUMBERS, "scott", "0.5"])
def test_a_bandwidth_of_the_wrong_type(bandwidth):
    with pytest.raises(TypeError, match='give a positive number or "scott"'):
        check_bandwidth(bandwidth)


@pytest.mark.parametrize("bandwidth", [0, -1.0, np.inf, np.nan])
def test_a_bandwidth_out_of_range(bandwidth):
    with pytest.raises(ValueError, match="give a positive, finite number"):
        check_bandwidth(bandwidth)


@pytest.mark.parametrize("n_jobs", [None, -1, 1, 64, np.int64(2)])
def test_numbers_of_threads(n_jobs):
    check_n_jobs(n_jobs)


@pytest.mark.parametrize("n_jobs", [*NO_NUMBERS[1:], 0, -2, 1.0, np.nan])
def test_what_is_no_number_of_threads(n_jobs):
    with pytest.raises(ValueError, match="or a number of threads >= 1"):
        check_n_jobs(n_jobs)


@pytest.mark.parametrize("count", [60.5, 60.0, True, "60", None, np.nan])
@pytest.mark.parametrize("wrap", [lambda counts: counts, lambda counts: lambda y: counts])
def test_counts_of_rows_that_are_not_whole(count, wrap):
    with pytest.raises(
        ValueError, match=r"sampling_strategy=\{1: .*\}: give a whole number of rows"
    ):
        check_counts(wrap({1: count}), np.array([0, 0, 1]))


@pytest.mark.parametrize("returned", [None, 60, [60]])
def test_a_strategy_that_returns_no_dictionary(returned):
    with pytest.raises(TypeError, match="return a dictionary with a whole number of rows"):
        check_counts(lambda y: returned, np.array([0, 0, 1]))


def test_a_strategy_that_is_true():
    with pytest.raises(ValueError, match='sampling_strategy=True: give "auto", a ratio'):
        check_counts(True, np.array([0, 0, 1]))


@pytest.mark.parametrize(
    "strategy", ["auto", 0.5, {1: 60}, {1: np.int64(60)}, {}, lambda y: {1: 9}]
)
def test_strategies_that_count_in_whole_rows(strategy):
    check_counts(strategy, np.array([0, 0, 1]))
