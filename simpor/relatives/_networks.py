"""What relatives with a network share: standard units, layers with a seed, compiled training."""

from collections.abc import Callable
from typing import Any

import numpy as np

from simpor._checks import LARGEST_SEED
from simpor._keras import import_keras

__all__ = ["compiled", "dense", "standardise"]


def standardise(X: np.ndarray) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """Bring columns to mean 0 and variance 1.

    Parameters
    ----------
    X : ndarray of shape (n, d)

    Returns
    -------
    rows : ndarray of shape (n, d)
        Columns that are constant are 0.
    back : callable, (m, d) -> (m, d)
        From these units to those of `X`. Constant columns get exactly their value.

    Examples
    --------
    >>> import numpy as np
    >>> from simpor.relatives._networks import standardise
    >>> rows, back = standardise(np.array([[0.0, 0.1], [4.0, 0.1]]))
    >>> rows
    array([[-1.,  0.],
           [ 1.,  0.]])
    >>> back(np.array([[0.5, 9.0]]))
    array([[3. , 0.1]])
    """
    steps = X - X[0]  # exactly 0 where a column is constant
    center = X[0] + steps.mean(axis=0)
    scale = steps.std(axis=0)
    rows = np.divide(X - center, scale, out=np.zeros_like(X), where=scale > 0)
    return rows, lambda rows: center + scale * rows


def dense(n_units: int, rng: np.random.RandomState, **options: Any) -> Any:
    """A dense layer, its first weights from `rng`.

    Parameters
    ----------
    n_units : int
    rng : RandomState
    **options
        Passed to Keras.

    Returns
    -------
    keras.layers.Dense
    """
    keras, _ = import_keras()
    # Without a seed of its own the initialiser would move Python's random state.
    glorot = keras.initializers.GlorotUniform(seed=rng.randint(LARGEST_SEED))
    return keras.layers.Dense(n_units, kernel_initializer=glorot, **options)


def compiled(function: Callable[..., Any], *arguments: Any) -> Callable[..., Any]:
    """The function as a TensorFlow graph: worth its while if it is to run often.

    Parameters
    ----------
    function : callable
        From tensors to tensors.
    *arguments : tensors or specifications of tensors
        An example of its arguments.

    Returns
    -------
    callable
    """
    _, tf = import_keras()
    # Returning the traced function itself: TensorFlow warns of a loop over fits otherwise.
    return tf.function(function).get_concrete_function(*arguments)
