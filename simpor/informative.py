"""The informative region: the rows that a small classifier is least sure of (TAI paper, III-C)."""

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from itertools import pairwise
from numbers import Integral, Real
from threading import Lock
from types import ModuleType
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils import check_random_state, check_X_y
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

BLOCK = 256  # rows whose gradients are summed at once, see _compile
LARGEST_SEED = np.iinfo(np.int32).max

Tensor = Any  # TensorFlow comes without types


def informative_region(
    X: ArrayLike,
    y: ArrayLike,
    *,
    portion: float = 0.3,
    threshold: float | None = None,
    batch_size: int = 20,
    n_initial: int = 3,
    learner: BaseEstimator | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> np.ndarray:
    """Mark the rows of highest entropy, found batch by batch.

    A classifier learns from a few rows of each class and scores all others by the entropy of its
    predictions. The rows of highest entropy enter the region and the training rows, the classifier
    learns on, and so forth.

    Parameters
    ----------
    X : array-like of shape (n, d)
        Features, standardised beforehand.
    y : array-like of shape (n,)
        Labels of any kind, of two or more classes.
    portion : float, default=0.3
        Share of the rows to mark, in (0, 1]. Exactly ``round(portion * n)`` are marked. With 1 all
        rows are, and nothing is trained.
    threshold : float, default=None
        Entropy in [0, 1). If given, it takes the place of `portion` (preprint, Section 2.3): only
        rows above it enter, and the batches go on until no row outside is above it.
    batch_size : int, default=20
        Rows that enter between two trainings, k in the papers.
    n_initial : int, default=3
        Rows of each class in the first training, or all of a smaller class. They are no
        informative rows: they enter last, when a portion needs more rows than the others are.
    learner : classifier with predict_proba, default=None
        None takes an :class:`EntropyNetwork`, which learns on from its weights after each batch. A
        classifier of scikit-learn is fitted anew to the rows so far. It is cloned, and every
        ``random_state=None`` in it is set from `random_state`.
    random_state : int, RandomState instance or None, default=None
        For the first rows and the learner.

    Returns
    -------
    ndarray of bool of shape (n,)

    Raises
    ------
    ImportError
        If `learner` is None and Keras or TensorFlow is missing.
    TypeError
        If the learner has no predict_proba, or `X` is sparse.
    ValueError
        If there is one class only, a value is not finite, or a parameter is out of range.

    Notes
    -----
    Rows of equal entropy enter in their order. The result is bit-identical for a given
    `random_state`, with the default learner for any number of threads as well.

    Examples
    --------
    The rows near the boundary, x = 0, are the ones in doubt:

    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from simpor import informative_region
    >>> X = np.linspace(-1, 1, 41)[:, None]
    >>> mask = informative_region(X, X[:, 0] > 0, portion=0.2, batch_size=2,
    ...                           learner=LogisticRegression(C=100), random_state=0)
    >>> int(mask.sum())
    8
    >>> bool(np.abs(X[mask]).max() < np.abs(X[~mask]).mean())
    True
    """
    _check_settings(portion, threshold, batch_size, n_initial)
    X, y = check_X_y(X, y)
    check_classification_targets(y)
    if len(np.unique(y)) < 2:
        raise ValueError("y holds one class; doubt needs rows of at least two classes.")
    if threshold is None and portion == 1:
        return np.ones(len(X), dtype=bool)
    random_state = check_random_state(random_state)
    learnt = _initial_rows(y, n_initial, random_state)
    learner = _prepare_learner(learner, random_state)

    n_wanted = len(X) if threshold is not None else round(portion * len(X))
    informative = np.zeros(len(X), dtype=bool)
    while informative.sum() < n_wanted:
        candidates = np.flatnonzero(~learnt)
        if threshold is None and len(candidates) == 0:
            candidates = np.flatnonzero(~informative)
        if len(candidates) == 0:
            break
        learner.fit(X[learnt], y[learnt])
        doubt = entropy(learner.predict_proba(X[candidates]))
        by_doubt = np.argsort(-doubt, kind="stable")
        if threshold is not None:
            by_doubt = by_doubt[doubt[by_doubt] > threshold]
            if len(by_doubt) == 0:
                break
        batch = candidates[by_doubt[: min(batch_size, n_wanted - informative.sum())]]
        informative[batch] = True
        learnt[batch] = True
    return informative


def entropy(probabilities: ArrayLike) -> np.ndarray:
    """Entropy of each row of class probabilities, in base n for n classes (Eq. 4).

    Parameters
    ----------
    probabilities : array-like of shape (m, n_classes)

    Returns
    -------
    ndarray of shape (m,)
        0 for a certain class, 1 for equal probabilities.

    Raises
    ------
    ValueError
        If there are fewer than two classes, or a probability is not finite.

    Examples
    --------
    >>> from simpor.informative import entropy
    >>> entropy([[0.5, 0.5], [0.9, 0.1], [1.0, 0.0]]).round(3)
    array([1.   , 0.469, 0.   ])
    """
    probabilities = np.asarray(probabilities, dtype=np.float64)
    if probabilities.ndim != 2 or probabilities.shape[1] < 2:
        raise ValueError(
            f"Probabilities of shape {probabilities.shape}; give one column a class, of 2 or more."
        )
    if not np.all(np.isfinite(probabilities)):
        raise ValueError(
            "The learner's probabilities are not finite; standardise X (StandardScaler) "
            "or pass another learner."
        )
    return stats.entropy(probabilities, base=probabilities.shape[1], axis=1)


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
            _check_whole("hidden_layers", n_neurons)
        _check_whole("max_epochs", self.max_epochs)
        _check_whole("patience", self.patience)
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


def _prepare_learner(
    learner: BaseEstimator | None, random_state: np.random.RandomState
) -> BaseEstimator:
    """A clone in which every open random_state is settled."""
    if learner is None:
        learner = EntropyNetwork()
    if not hasattr(learner, "predict_proba"):
        raise TypeError(
            f"learner={learner!r} has no predict_proba: pass a classifier that has, or None."
        )
    learner = clone(learner)
    for name, value in sorted(learner.get_params().items()):
        if (name == "random_state" or name.endswith("__random_state")) and value is None:
            learner.set_params(**{name: random_state.randint(LARGEST_SEED)})
    return learner


def _initial_rows(y: np.ndarray, n_initial: int, random_state: np.random.RandomState) -> np.ndarray:
    """Mark `n_initial` random rows of each class, or all of a smaller one."""
    chosen = np.zeros(len(y), dtype=bool)
    for label in np.unique(y):
        rows = np.flatnonzero(y == label)
        chosen[random_state.choice(rows, size=min(n_initial, len(rows)), replace=False)] = True
    return chosen


def _check_settings(
    portion: float, threshold: float | None, batch_size: int, n_initial: int
) -> None:
    if not isinstance(portion, Real) or not 0 < portion <= 1:
        raise ValueError(f"portion={portion!r}: give a share of the rows in (0, 1].")
    if threshold is not None and (not isinstance(threshold, Real) or not 0 <= threshold < 1):
        raise ValueError(f"threshold={threshold!r}: give an entropy in [0, 1), or None.")
    _check_whole("batch_size", batch_size)
    _check_whole("n_initial", n_initial)


def _check_whole(name: str, value: int) -> None:
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise ValueError(f"{name}={value!r}: give a whole number >= 1.")
