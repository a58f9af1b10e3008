"""What relatives with a network share."""

import numpy as np

from simpor.relatives._networks import standardise


def test_standard_units_and_back():
    X = np.random.RandomState(0).normal(5, 3, size=(50, 2))
    rows, back = standardise(X)
    np.testing.assert_allclose(rows.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(rows.std(axis=0), 1, rtol=1e-12)
    np.testing.assert_allclose(back(rows), X, rtol=1e-12)


def test_constant_columns_come_back_bit_for_bit_whatever_the_network_says():
    X = np.column_stack([np.full(7, 0.1), np.full(7, 1.7e308), np.arange(7.0)])
    rows, back = standardise(X)
    np.testing.assert_array_equal(rows[:, :2], 0)
    np.testing.assert_array_equal(back(np.full((3, 3), 12.3))[:, :2], X[:3, :2])
