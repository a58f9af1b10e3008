"""The small Keras network that finds the informative region (TAI paper, III-C)."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from itertools import pairwise
from threading import Lock
from types import ModuleType
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from simpor._checks import LARGEST_SEED, check_whole, is_number
from simpor._keras import import_keras

# Rows whose gradients are summed at once, at most, and multiplications of a matrix product that
# TensorFlow leaves to one thread. See _compile.
BLOCK = 256
WORK_OF_ONE_THREAD = 2**18
ROWS_IN_CACHE = 4096  # predicted at once: more would take memory, fewer take longer

TOO_LARGE = "X holds values too large for a network: standardise it (StandardScaler)."

INSTEAD = ", or pass learner=a scikit-learn classifier"  # the end of messages about Keras

Tensor = Any  # TensorFlow has no type annotations


class EntropyNetwork(ClassifierMixin, BaseEstimator):
    """Small Keras network with a warm start: `fit` continues from the current weights.

    Hidden layers of ReLU neurons and a softmax, trained by Adam on all rows at once until the loss
    no longer falls. It is the default learner of :func:`informative_region` and has the interface
    of scikit-learn's classifiers.

    Parameters
    ----------
    hidden_layers : tuple of int, default=(10, 10)
        Neurons in each hidden layer. The TAI paper has two layers of 10, the preprint three of 100.
    max_epochs : int, default=300
        Largest number of epochs in one fit. An epoch is one step of Adam.
    patience : int, default=10
        Epochs without an improvement after which a fit ends.
    min_delta : float, default=1e-3
        Smallest fall of the mean cross-entropy, in nats, that counts as an improvement. The papers
        say "significant" and give neither this nor the patience.
    learning_rate : float, default=0.01
        Learning rate of Adam. The papers give none for this network.
    random_state : int, RandomState instance or None, default=None
        Seeds the first weights.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    weights_ : list of ndarray
        Kernel and bias of each layer.
    loss_ : float
        Mean cross-entropy before the last epoch of the last fit, in nats.
    n_epochs_ : int
        Epochs of the last fit.
    n_features_in_ : int

    Notes
    -----
    A fit continues from the current weights, with a new Adam, if the number of features, the layers
    and the classes are those of the fit before. Otherwise, and in a clone, it starts from new
    weights. Keras is imported at the first fit. The random states of Keras, TensorFlow, NumPy and
    Python are neither set nor used, except that ``random_state=None`` takes NumPy's, as everywhere
    in scikit-learn.

    The weights are the same bit for bit for any number of threads, with layers of up to 500
    neurons. Probabilities are computed by NumPy, and those of a row do not depend on other rows.

    Examples
    --------
    >>> import numpy as np
    >>> from simpor import EntropyNetwork
    >>> X, y = np.linspace(-1, 1, 40)[:, None], np.repeat(["low", "high"], 20)
    >>> network = EntropyNetwork(random_state=0).fit(X, y)
    >>> network.predict([[-0.9], [0.9]])
    array(['low', 'high'], dtype='<U4')
    >>> network.predict_proba(X).shape
    (40, 2)
    """

    def __init__(
        self,
        hidden_layers: Sequence[int] = (10, 10),
        max_epochs: int = 300,
        *,
        patience: int = 10,
        min_delta: float = 1e-3,
        learning_rate: float = 0.01,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.hidden_layers = hidden_layers
        self.max_epochs = max_epochs
        self.patience = patience
        self.min_delta = min_delta
        self.learning_rate = learning_rate
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train until the loss no longer falls.

        Parameters
        ----------
        X : array-like of shape (n, d)
        y : array-like of shape (n,)

        Returns
        -------
        self : EntropyNetwork

        Raises
        ------
        ImportError
            If Keras or TensorFlow is missing.
        RuntimeError
            If Keras runs on another backend than TensorFlow, or this process is a fork of one that
            has used TensorFlow.
        ValueError
            If a value is not finite, a parameter is out of range, or the training diverges.
        """
        self._check_parameters()
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        rows = _as_float32(X)
        classes, codes = np.unique(y, return_inverse=True)
        sizes = (X.shape[1], *map(int, self.hidden_layers), len(classes))
        import_keras(INSTEAD)  # refuses a process in which TensorFlow would wait forever
        compiled = _compile(sizes, float(self.learning_rate))

        if self._has_sizes(sizes) and np.array_equal(classes, self.classes_):
            weights = self.weights_
        else:
            weights = _first_weights(sizes, check_random_state(self.random_state))
        with compiled.lock:
            compiled.network.set_weights(weights)
            loss, n_epochs = compiled.train(
                rows, codes.astype(np.int32), self.max_epochs, self.patience, float(self.min_delta)
            )
            weights = compiled.network.get_weights()
        if not all(np.isfinite(array).all() for array in (np.asarray(loss), *weights)):
            raise ValueError(
                f"The network's training diverged (loss {float(loss)}): standardise X "
                "(StandardScaler), or give a smaller learning_rate."
            )
        self.classes_: np.ndarray = classes
        self.weights_: list[np.ndarray] = weights
        self.loss_, self.n_epochs_ = float(loss), int(n_epochs)
        return self

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Class probabilities.

        Parameters
        ----------
        X : array-like of shape (m, d)

        Returns
        -------
        ndarray of shape (m, n_classes)
            Columns in the order of `classes_`.

        Raises
        ------
        ValueError
            If a value is not finite, or too large for a float of single precision.
        """
        check_is_fitted(self, "weights_")
        rows = _as_float32(validate_data(self, X, dtype=np.float64, reset=False))
        return class_probabilities(rows, self.weights_)

    def predict(self, X: ArrayLike) -> np.ndarray:
        """The most probable class.

        Parameters
        ----------
        X : array-like of shape (m, d)

        Returns
        -------
        ndarray of shape (m,)
        """
        best = np.argmax(self.predict_proba(X), axis=1)
        return self.classes_[best]

    def _has_sizes(self, sizes: tuple[int, ...]) -> bool:
        kernels = getattr(self, "weights_", [])[::2]
        return [kernel.shape for kernel in kernels] == list(pairwise(sizes))

    def _check_parameters(self) -> None:
        if not isinstance(self.hidden_layers, (list, tuple, np.ndarray)):
            raise TypeError(
                f"hidden_layers={self.hidden_layers!r}: give one number per layer, as in (10, 10)."
            )
        for n_neurons in self.hidden_layers:
            check_whole("hidden_layers", n_neurons)
        check_whole("max_epochs", self.max_epochs)
        check_whole("patience", self.patience)
        if not is_number(self.min_delta) or not self.min_delta >= 0:
            raise ValueError(f"min_delta={self.min_delta!r}: give a number >= 0.")
        if not is_number(self.learning_rate) or not 0 < self.learning_rate < np.inf:
            raise ValueError(f"learning_rate={self.learning_rate!r}: give a number > 0.")


def class_probabilities(X: np.ndarray, weights: Sequence[np.ndarray]) -> np.ndarray:
    """Softmax of a network of ReLU layers, computed in NumPy and float64.

    A matrix product of a library adds up each row's terms in an order that depends on the number of
    rows, on the row's place among them, on threads and on the processor; so would the last digits.
    Here the terms are added one by one, each product and each sum rounded by itself: the
    probabilities of a row depend on that row and the weights alone.

    Parameters
    ----------
    X : ndarray of shape (m, d)
    weights : sequence of ndarray
        Kernel (inputs, outputs) and bias (outputs,) of each layer in turn.

    Returns
    -------
    ndarray of float64 of shape (m, n_classes)
        NaN where a weight is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from simpor.entropy_network import class_probabilities
    >>> kernel, bias = np.array([[-1.0, 1.0]]), np.array([0.0, 0.5])
    >>> class_probabilities(np.array([[-0.25], [1.0]]), [kernel, bias]).round(3)
    array([[0.5  , 0.5  ],
           [0.076, 0.924]])
    """
    layers = list(zip(weights[::2], weights[1::2]))
    logits = np.empty((len(X), len(weights[-1])))
    with np.errstate(over="ignore", invalid="ignore"):  # weights of a training that diverged
        for first in range(0, len(X), ROWS_IN_CACHE):
            block = slice(first, first + ROWS_IN_CACHE)
            units = np.array(X[block].T, dtype=np.float64, order="C")
            for kernel, bias in layers[:-1]:
                units = np.maximum(_layer(units, kernel, bias), 0)
            logits[block] = _layer(units, *layers[-1]).T
        return softmax(logits, axis=1)


def _layer(inputs: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Units of the next layer before their ReLU, of shape (outputs, m), from those of the last."""
    outputs = np.repeat(bias.astype(np.float64)[:, None], inputs.shape[1], axis=1)
    product = np.empty_like(outputs)
    for unit, weights_of_unit in zip(inputs, kernel.astype(np.float64)):
        np.multiply(weights_of_unit[:, None], unit, out=product)
        outputs += product
    return outputs


def _as_float32(X: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        narrow = X.astype(np.float32)
    if not np.all(np.isfinite(narrow)):
        raise ValueError(TOO_LARGE)
    return narrow


class _Compiled(NamedTuple):
    """A Keras network of one shape, its compiled training, and a lock to hold while using them."""

    network: Any
    train: Callable[..., tuple[Tensor, Tensor]]
    lock: AbstractContextManager[bool]


@lru_cache(maxsize=32)
def _compile(sizes: tuple[int, ...], learning_rate: float) -> _Compiled:
    """Build and trace a network once for each shape; callers set its weights before use.

    Gradients are summed over few rows at a time. A product over many rows or wide layers would be
    split among the threads, and its last bits would depend on their number.
    """
    keras, tf = import_keras(INSTEAD)
    widest = max(n_in * n_out for n_in, n_out in pairwise(sizes))
    n_rows = max(1, min(BLOCK, WORK_OF_ONE_THREAD // widest))
    n_features, *hidden_layers, n_classes = sizes

    # for so few neurons a GPU is slower, and it does not repeat results bit for bit
    with tf.device("/CPU:0"):
        layers = [keras.Input((n_features,), dtype="float32", name="rows")]
        for depth, n_neurons in enumerate(hidden_layers):
            layers.append(_dense(keras, n_neurons, activation="relu", name=f"hidden_{depth}"))
        layers.append(_dense(keras, n_classes, name="logits"))
        network = keras.Sequential(layers, name="entropy_network")
        weights = network.trainable_variables
        optimizer = keras.optimizers.Adam(learning_rate, name="adam")
        optimizer.build(weights)
    fresh_adam = [variable.numpy() for variable in optimizer.variables]
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="sum")
    rows, codes = tf.TensorSpec([None, n_features], tf.float32), tf.TensorSpec([None], tf.int32)
    whole, real = tf.TensorSpec([], tf.int32), tf.TensorSpec([], tf.float32)

    @tf.function(input_signature=[rows, codes, whole, whole, real])
    def train(
        X: Tensor, codes: Tensor, max_epochs: Tensor, patience: Tensor, min_delta: Tensor
    ) -> tuple[Tensor, Tensor]:
        for variable, value in zip(optimizer.variables, fresh_adam):
            variable.assign(value)
        n = tf.shape(X)[0]
        loss, best = tf.constant(np.inf), tf.constant(np.inf)
        epoch, stale = tf.constant(0), tf.constant(0)
        while epoch < max_epochs and stale < patience:
            loss = tf.constant(0.0)
            gradients = [tf.zeros_like(weight) for weight in weights]
            for start in tf.range(0, n, n_rows):
                block = slice(start, start + n_rows)
                with tf.GradientTape() as tape:
                    part = cross_entropy(codes[block], network(X[block])) / tf.cast(n, tf.float32)
                loss += part
                gradients = [a + b for a, b in zip(gradients, tape.gradient(part, weights))]
            optimizer.apply_gradients(zip(gradients, weights))
            improved = loss < best - min_delta
            best = tf.where(improved, loss, best)
            stale = tf.where(improved, 0, stale + 1)
            epoch += 1
        return loss, epoch

    # traced here: at the first call, TensorFlow would warn that it traces one function per shape
    with tf.device("/CPU:0"):
        traced = train.get_concrete_function()
    return _Compiled(network, traced, Lock())


def _dense(keras: ModuleType, n_neurons: int, **settings: str) -> Any:
    # zeros need no random numbers; a random initialiser without a seed would take Python's
    return keras.layers.Dense(n_neurons, kernel_initializer="zeros", dtype="float32", **settings)


def _first_weights(sizes: tuple[int, ...], random_state: np.random.RandomState) -> list[np.ndarray]:
    """Keras' own first weights, Glorot uniform and zero, from our random state."""
    keras, tf = import_keras(INSTEAD)
    weights = []
    for shape in pairwise(sizes):
        glorot = keras.initializers.GlorotUniform(seed=random_state.randint(LARGEST_SEED))
        with tf.device("/CPU:0"):
            kernel = np.asarray(glorot(shape, dtype="float32"))
        weights += [kernel, np.zeros(shape[1], dtype=np.float32)]
    return weights
