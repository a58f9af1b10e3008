"""The small Keras network that finds the informative region (TAI paper, III-C)."""

import os
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

from simpor._checks import LARGEST_SEED, check_whole

BLOCK = 256  # rows whose gradients are summed at once, see _compile

Tensor = Any  # TensorFlow comes without types


class EntropyNetwork(ClassifierMixin, BaseEstimator):
    """Small Keras network whose `fit` learns on from where it stands.

    Layers of ReLU neurons and a softmax, trained on all rows at once with Adam until the loss no
    longer falls. Made for :func:`informative_region`, with scikit-learn's interface.

    Parameters
    ----------
    hidden_layers : tuple of int, default=(10, 10)
        Neurons in each hidden layer: two of 10 in the TAI paper, three of 100 in the preprint.
    max_epochs : int, default=300
        Epochs of one fit at most. An epoch is one step of Adam.
    patience : int, default=10
        Epochs without an improvement after which a fit ends.
    min_delta : float, default=1e-3
        Smallest fall of the mean cross-entropy, in nats, that counts as an improvement. The papers
        say "significant" and give neither this nor the patience.
    learning_rate : float, default=0.01
        Of Adam. The papers give none for this network.
    random_state : int, RandomState instance or None, default=None
        For the first weights.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    weights_ : list of ndarray
        Kernel and bias of each layer.
    loss_ : float
        Mean cross-entropy before the last step of the last fit, in nats.
    n_epochs_ : int
        Epochs of the last fit.
    n_features_in_ : int

    Notes
    -----
    A fit continues from the present weights, with a fresh Adam, if features, layers and classes
    are those of the fit before; otherwise, as in a clone, it starts anew. Keras is imported at the
    first fit; no random state of Keras, TensorFlow, NumPy or Python is set or moved, unless
    `random_state` is None, which takes NumPy's as scikit-learn does.

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
            If Keras runs on another backend than TensorFlow.
        ValueError
            If a value is not finite, or a parameter is out of range.
        """
        self._check_parameters()
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        rows = _as_float32(X)
        classes, codes = np.unique(y, return_inverse=True)
        sizes = (X.shape[1], *self.hidden_layers, len(classes))
        compiled = _compile(sizes, float(self.learning_rate))

        if not (self._has_sizes(sizes) and np.array_equal(classes, self.classes_)):
            self.weights_ = _first_weights(sizes, check_random_state(self.random_state))
        self.classes_: np.ndarray = classes
        with compiled.lock:
            compiled.network.set_weights(self.weights_)
            loss, n_epochs = compiled.train(
                rows, codes.astype(np.int32), self.max_epochs, self.patience, float(self.min_delta)
            )
            self.weights_ = compiled.network.get_weights()
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
        """
        check_is_fitted(self)
        rows = _as_float32(validate_data(self, X, dtype=np.float64, reset=False))
        sizes = (rows.shape[1], *[len(bias) for bias in self.weights_[1::2]])
        compiled = _compile(sizes, float(self.learning_rate))
        with compiled.lock:
            compiled.network.set_weights(self.weights_)
            logits = compiled.predict(rows)
        return softmax(np.asarray(logits, dtype=np.float64), axis=1)

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
        for n_neurons in self.hidden_layers:
            check_whole("hidden_layers", n_neurons)
        check_whole("max_epochs", self.max_epochs)
        check_whole("patience", self.patience)
        if not self.min_delta >= 0:
            raise ValueError(f"min_delta={self.min_delta!r}: give a number >= 0.")
        if not self.learning_rate > 0:
            raise ValueError(f"learning_rate={self.learning_rate!r}: give a number > 0.")


def _as_float32(X: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        narrow = X.astype(np.float32)
    if not np.all(np.isfinite(narrow)):
        raise ValueError("X holds values too large for a network: standardise it (StandardScaler).")
    return narrow


class _Compiled(NamedTuple):
    """A Keras network of one shape, its compiled functions, and the lock that its users take."""

    network: Any
    train: Callable[..., tuple[Tensor, Tensor]]
    predict: Callable[[Tensor], Tensor]
    lock: AbstractContextManager[bool]


@lru_cache(maxsize=32)
def _compile(sizes: tuple[int, ...], learning_rate: float) -> _Compiled:
    """Build and trace a network once for each shape; who uses it brings the weights along.

    Gradients are summed block by block: a product over thousands of rows at once would be split
    among the threads, and its last bits would depend on how many there are.
    """
    keras, tf = _import_keras()
    n_features, *hidden_layers, n_classes = sizes

    # few neurons: a GPU is slower, and promises no equal bits
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
            for start in tf.range(0, n, BLOCK):
                block = slice(start, start + BLOCK)
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

    @tf.function(input_signature=[rows])
    def predict(X: Tensor) -> Tensor:
        return network(X)

    # traced here and now: left to the first call, TensorFlow warns of one trace for each shape
    with tf.device("/CPU:0"):
        traced = train.get_concrete_function(), predict.get_concrete_function()
    return _Compiled(network, *traced, Lock())


def _dense(keras: ModuleType, n_neurons: int, **settings: str) -> Any:
    # zeros draw nothing: a random initialiser without a seed would move Python's random state
    return keras.layers.Dense(n_neurons, kernel_initializer="zeros", dtype="float32", **settings)


def _first_weights(sizes: tuple[int, ...], random_state: np.random.RandomState) -> list[np.ndarray]:
    """Keras' own first weights, Glorot uniform and 0, with seeds of our own."""
    keras, tf = _import_keras()
    weights = []
    for shape in pairwise(sizes):
        glorot = keras.initializers.GlorotUniform(seed=random_state.randint(LARGEST_SEED))
        with tf.device("/CPU:0"):
            kernel = np.asarray(glorot(shape, dtype="float32"))
        weights += [kernel, np.zeros(shape[1], dtype=np.float32)]
    return weights


def _import_keras() -> tuple[ModuleType, ModuleType]:
    """Keras and TensorFlow, at first use: `import simpor` does without."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow talks while it starts
    try:
        import keras
        import tensorflow as tf
    except ImportError as error:
        raise ImportError(
            'The entropy network needs Keras with TensorFlow: pip install "simpor[keras]", '
            "or pass learner=a scikit-learn classifier."
        ) from error
    if keras.backend.backend() != "tensorflow":
        raise RuntimeError(
            f"Keras runs on {keras.backend.backend()} here: set KERAS_BACKEND=tensorflow before "
            "Keras is imported, or pass learner=a scikit-learn classifier."
        )
    return keras, tf
