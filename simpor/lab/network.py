"""The papers' classifier networks, many of them trained as one stack.

A comparison trains hundreds of small networks of one shape: every method on every split. Here M of
them are one stack of weights, each array of shape (M, inputs, outputs), and one epoch of the whole
stack is one compiled call of Keras operations. Every member has its own rows, its own batches, its
own Adam and its own learning rate, exactly as if ``model.fit`` had trained it alone; the tests
compare the two.

Inside the call the members take turns, each one an epoch at a time, so that the weights and the
Adam moments of the member at work stay in the processor's cache. A member with fewer rows simply
has fewer steps: nothing is spent, and nothing updated, on padding.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from threading import RLock
from typing import Any, Self

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data
from tqdm import tqdm

from simpor._checks import LARGEST_SEED
from simpor._keras import import_keras
from simpor.entropy_network import class_probabilities

__all__ = ["PREPRINT", "TAI", "Network", "NetworkClassifier", "NetworkStack", "Plateau"]

# Keras's defaults for Adam; the papers name none.
_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-7

Tensor = Any  # Keras and TensorFlow come without types
Trained = tuple[list[np.ndarray], np.ndarray, np.ndarray]  # weights, losses, learning rates

# Members trained in one call. More would only need more memory for their rows.
_MEMBERS_PER_CALL = 16


class _Bar(tqdm):
    """A progress bar that training threads can draw, whatever happened to other bars before.

    All bars of a process share one lock, and tqdm does not release it when drawing fails or is
    interrupted: the thread that drew would keep it, and every other thread would wait forever.
    """

    def refresh(
        self, nolock: bool = False, lock_args: tuple[float, ...] | None = None
    ) -> bool | None:
        with self.get_lock():
            return super().refresh(nolock=True)


_Bar.set_lock(RLock())


@dataclass(frozen=True)
class Plateau:
    """When to lower the learning rate: Keras's ReduceLROnPlateau, watching the training loss.

    The rate is multiplied by ``factor`` when the loss has not fallen by more than ``min_delta``
    below its best value for ``patience`` epochs.
    """

    factor: float = 0.9
    min_delta: float = 1e-4
    patience: int = 5


@dataclass(frozen=True)
class Network:
    """Shape and training of one classifier: ReLU layers, softmax output, cross-entropy, Adam.

    Attributes
    ----------
    hidden_layers : tuple of int
        Units in each hidden layer.
    epochs : int
    batch_size : int
    learning_rate : float
        Adam's learning rate in the first epoch.
    plateau : Plateau or None
        How the rate falls; None keeps it.

    Examples
    --------
    >>> from simpor.lab.network import PREPRINT
    >>> PREPRINT["credit-card"].hidden_layers
    (200, 200, 200)
    """

    hidden_layers: tuple[int, ...] = (100, 100, 100)
    epochs: int = 200
    batch_size: int = 32
    learning_rate: float = 0.01
    plateau: Plateau | None = None


#: Table 1 of the preprint, by the first part of the data set's name.
PREPRINT = {
    "moon": Network((100, 100, 100), epochs=200, batch_size=32, learning_rate=0.01),
    "breast-cancer": Network((50, 50, 50), epochs=150, batch_size=32, learning_rate=0.01),
    "credit-card": Network((200, 200, 200), epochs=200, batch_size=64, learning_rate=0.01),
}

#: Table I of the TAI paper. It does not say which loss the plateau is seen on; here it is the
#: training loss, because a validation loss would need rows that are kept from training.
TAI = Network((100, 100, 100), epochs=200, batch_size=32, learning_rate=0.1, plateau=Plateau())


class NetworkStack:
    """M networks of one shape, trained together.

    Parameters
    ----------
    network : Network
        Shape and training, the same for all members.
    n_jobs : int or None, default=None
        Threads that share the members out; -1 is one a core. The weights do not depend on it.
    verbose : int, default=1
        1 shows a progress bar as text on standard error, 0 is silent.

    Attributes
    ----------
    weights_ : list of ndarray, float32
        Kernel (M, inputs, outputs) and bias (M, outputs) of each layer in turn.
    losses_ : ndarray of shape (M, epochs)
        Mean cross-entropy over each epoch, in nats, as Keras reports it.
    learning_rates_ : ndarray of shape (M, epochs)

    Examples
    --------
    >>> import numpy as np
    >>> from simpor.lab.network import Network, NetworkStack
    >>> X = np.linspace(-1, 1, 40, dtype="float32").reshape(-1, 1)
    >>> y = (X[:, 0] > 0).astype(int)
    >>> stack = NetworkStack(Network((8,), epochs=30), verbose=0)
    >>> stack = stack.fit([X, X[5:]], [y, y[5:]], seeds=[0, 1])
    >>> stack.weights_[0].shape, stack.predict_proba(1, X).shape
    ((2, 1, 8), (40, 2))
    """

    def __init__(
        self, network: Network = TAI, *, n_jobs: int | None = None, verbose: int = 1
    ) -> None:
        self.network = network
        self.n_jobs = n_jobs
        self.verbose = verbose

    def fit(
        self,
        Xs: Sequence[np.ndarray],
        ys: Sequence[np.ndarray],
        seeds: Sequence[int],
        *,
        n_classes: int = 2,
        initial_weights: list[np.ndarray] | None = None,
    ) -> Self:
        """Train one member on each pair of ``Xs`` and ``ys``.

        Parameters
        ----------
        Xs : sequence of M arrays, each of shape (n_m, d)
            Rows may differ in number, not in columns. They are used as float32.
        ys : sequence of M int arrays, each of shape (n_m,)
            Class numbers from 0 to ``n_classes - 1``.
        seeds : sequence of M ints
            Each draws the initial weights of its member and the order of its rows in every epoch.
        n_classes : int, default=2
        initial_weights : list of ndarray, default=None
            Start from these, in the layout of ``weights_``; by default Glorot uniform kernels and
            zero biases, as in Keras.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a member has no rows, other columns than the first, or labels out of range.
        """
        import_keras()  # refuses a process in which TensorFlow would wait forever
        Xs = [np.ascontiguousarray(X, dtype=np.float32) for X in Xs]
        ys = [np.asarray(y, dtype=np.int32) for y in ys]
        _check_members(Xs, ys, seeds, n_classes)
        if initial_weights is None:
            drawn = [_initial_weights(self.network, Xs[0].shape[1], n_classes, s) for s in seeds]
            initial_weights = [np.stack(layer) for layer in zip(*drawn)]

        # Members of about the same length share a call, so that little memory goes into padding,
        # and the longest come first, so that no core is left with a long one at the end.
        order = np.argsort([-len(X) for X in Xs], kind="stable")
        n_jobs = effective_n_jobs(self.n_jobs)
        n_calls = max(-(-len(Xs) // _MEMBERS_PER_CALL), min(n_jobs, len(Xs)))
        calls = np.array_split(order, n_calls)
        _compiled_epoch()
        with _Bar(
            total=len(Xs) * self.network.epochs,
            desc=f"{len(Xs)} networks",
            unit="epoch",
            disable=not self.verbose,
            mininterval=0.5,
        ) as bar:

            def train(members: np.ndarray) -> Trained:
                return _train(
                    self.network,
                    [Xs[m] for m in members],
                    [ys[m] for m in members],
                    [seeds[m] for m in members],
                    [layer[members] for layer in initial_weights],
                    bar,
                )

            # Threads, not processes: TensorFlow works outside Python's lock.
            results = Parallel(n_jobs, backend="threading")(
                delayed(train)(members) for members in calls
            )

        back = np.argsort(np.concatenate(calls))
        weights, losses, rates = zip(*results)
        self.weights_ = [np.concatenate(layer)[back] for layer in zip(*weights)]
        self.losses_ = np.concatenate(losses)[back]
        self.learning_rates_ = np.concatenate(rates)[back]
        return self

    def predict_proba(self, member: int, X: ArrayLike) -> np.ndarray:
        """Class probabilities of one member.

        Parameters
        ----------
        member : int
        X : array-like of shape (n, d)

        Returns
        -------
        probabilities : ndarray of shape (n, n_classes), float32
            Of a row they are the same bit for bit, whichever rows come with it.
        """
        weights = [layer[member] for layer in self.weights_]
        return class_probabilities(np.asarray(X, dtype=np.float32), weights).astype(np.float32)


class NetworkClassifier(ClassifierMixin, BaseEstimator):
    """One of the networks as a scikit-learn classifier: a stack of one.

    Parameters
    ----------
    network : Network, default=None
        Shape and training; None is ``TAI``.
    random_state : int, RandomState instance or None, default=None
        Draws the initial weights and the order of the rows.
    verbose : int, default=0
        1 shows a progress bar.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    stack_ : NetworkStack
        The trained network.
    n_features_in_ : int

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> from simpor.lab.network import Network, NetworkClassifier
    >>> X, y = make_moons(200, noise=0.1, random_state=0)
    >>> network = NetworkClassifier(Network((20, 20), epochs=40), random_state=0).fit(X, y)
    >>> bool(network.score(X, y) > 0.95)
    True
    """

    def __init__(
        self,
        network: Network | None = None,
        *,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.network = network
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n, d)
        y : array-like of shape (n,)

        Returns
        -------
        self : NetworkClassifier

        Raises
        ------
        ValueError
            If there is one class only, or a value is not finite.
        """
        X, y = validate_data(self, X, y)
        check_classification_targets(y)
        self.classes_, numbers = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("y has only one class: give rows of at least two classes.")
        seed = int(check_random_state(self.random_state).randint(LARGEST_SEED))
        network = TAI if self.network is None else self.network
        self.stack_ = NetworkStack(network, verbose=self.verbose)
        self.stack_.fit([X], [numbers], [seed], n_classes=len(self.classes_))
        return self

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Class probabilities.

        Parameters
        ----------
        X : array-like of shape (n, d)

        Returns
        -------
        ndarray of shape (n, n_classes), float32
            Columns in the order of ``classes_``.
        """
        check_is_fitted(self)
        return self.stack_.predict_proba(0, validate_data(self, X, reset=False))

    def predict(self, X: ArrayLike) -> np.ndarray:
        """The most probable class.

        Parameters
        ----------
        X : array-like of shape (n, d)

        Returns
        -------
        ndarray of shape (n,)
        """
        most_probable = self.predict_proba(X).argmax(axis=1)
        return self.classes_[most_probable]


def _check_members(
    Xs: list[np.ndarray], ys: list[np.ndarray], seeds: Sequence[int], n_classes: int
) -> None:
    if not len(Xs) == len(ys) == len(seeds) > 0:
        raise ValueError(
            f"{len(Xs)} X, {len(ys)} y and {len(seeds)} seeds: give one of each for every member."
        )
    for m, (X, y) in enumerate(zip(Xs, ys)):
        if X.ndim != 2 or len(X) == 0 or X.shape[1] != Xs[0].shape[1]:
            raise ValueError(
                f"member {m} has X of shape {X.shape}: give every member rows, and as many "
                f"columns as member 0 has."
            )
        if y.shape != (len(X),) or y.min() < 0 or y.max() >= n_classes:
            raise ValueError(
                f"the labels of member {m} must be {len(X)} class numbers from 0 to "
                f"{n_classes - 1}: encode them with sklearn.preprocessing.LabelEncoder."
            )


def _initial_weights(
    network: Network, n_features: int, n_classes: int, seed: int
) -> list[np.ndarray]:
    """Glorot uniform kernels and zero biases of one member, layer by layer."""
    from keras import ops
    from keras.initializers import GlorotUniform

    widths = (n_features, *network.hidden_layers, n_classes)
    layer_seeds = np.random.SeedSequence(seed).generate_state(len(widths) - 1)
    weights = []
    for n_in, n_out, layer_seed in zip(widths, widths[1:], layer_seeds):
        glorot = GlorotUniform(seed=int(layer_seed >> 1))
        weights.append(ops.convert_to_numpy(glorot((n_in, n_out))))
        weights.append(np.zeros(n_out, dtype=np.float32))
    return weights


def _row_order(n_rows: int, epochs: int, seed: int) -> Iterator[np.ndarray]:
    """The order in which one member sees its rows, epoch after epoch."""
    rng = np.random.default_rng(seed)
    return (rng.permutation(n_rows) for _ in range(epochs))


def _train(
    network: Network,
    Xs: list[np.ndarray],
    ys: list[np.ndarray],
    seeds: list[int],
    weights: list[np.ndarray],
    bar: _Bar,
) -> Trained:
    """All epochs of some members: their weights, losses (M, epochs) and rates (M, epochs)."""
    from keras import ops

    n_members, n_rows = len(Xs), np.array([len(X) for X in Xs])
    n_steps = -(-n_rows // network.batch_size)
    capacity = _round_up(n_rows.max())
    X = ops.convert_to_tensor(_pad(Xs, capacity))
    y = ops.convert_to_tensor(_pad(ys, capacity))
    steps = ops.convert_to_tensor(n_steps.astype(np.int32))

    weights = [ops.convert_to_tensor(layer) for layer in weights]
    zeros = [ops.zeros_like(layer) for layer in weights]
    state = (weights, zeros, zeros, ops.zeros(n_members))
    rates = np.full(n_members, network.learning_rate, dtype=np.float32)
    schedule = _PlateauSchedule(network.plateau, n_members)
    orders = [_row_order(n, network.epochs, seed) for n, seed in zip(n_rows, seeds)]
    losses_seen, rates_seen = [], []
    for _ in range(network.epochs):
        batches = _batches([next(order) for order in orders], capacity, network.batch_size)
        state, loss_sums = _compiled_epoch()(state, rates, X, y, batches, steps)
        losses = ops.convert_to_numpy(loss_sums) / n_rows
        losses_seen.append(losses)
        rates_seen.append(rates)
        rates = schedule.next_rates(rates, losses)
        with bar.get_lock():
            bar.update(n_members)
    weights = [ops.convert_to_numpy(layer) for layer in state[0]]
    return weights, np.stack(losses_seen, axis=1), np.stack(rates_seen, axis=1)


def _round_up(n_rows: int) -> int:
    """At most an eighth more than ``n_rows``: few distinct sizes are few compilations."""
    unit = max(2 ** (int(n_rows).bit_length() - 3), 64)
    return -(-int(n_rows) // unit) * unit


def _pad(arrays: list[np.ndarray], capacity: int) -> np.ndarray:
    """Arrays of n_m rows as one array of shape (M, capacity, ...), zeros below."""
    padded = np.zeros((len(arrays), capacity, *arrays[0].shape[1:]), dtype=arrays[0].dtype)
    for member, array in zip(padded, arrays):
        member[: len(array)] = array
    return padded


def _batches(orders: list[np.ndarray], capacity: int, batch_size: int) -> np.ndarray:
    """Row numbers of every batch, (M, steps, batch_size); -1 where a batch has no row."""
    n_steps = -(-capacity // batch_size)
    batches = np.full((len(orders), n_steps * batch_size), -1, dtype=np.int32)
    for member, order in zip(batches, orders):
        member[: len(order)] = order
    return batches.reshape(len(orders), n_steps, batch_size)


class _PlateauSchedule:
    """Keras's ReduceLROnPlateau for M losses at once."""

    def __init__(self, plateau: Plateau | None, n_members: int) -> None:
        self.plateau = plateau
        self.best = np.full(n_members, np.inf)
        self.waited = np.zeros(n_members, dtype=int)

    def next_rates(self, rates: np.ndarray, losses: np.ndarray) -> np.ndarray:
        if self.plateau is None:
            return rates
        better = losses < self.best - self.plateau.min_delta
        self.best = np.where(better, losses, self.best)
        self.waited = np.where(better, 0, self.waited + 1)
        lower = self.waited >= self.plateau.patience
        self.waited[lower] = 0
        return np.where(lower, rates * np.float64(self.plateau.factor), rates).astype(np.float32)


def _logits(weights: Sequence[Tensor], X: Tensor) -> Tensor:
    """The network before its softmax: weights are kernel and bias of each layer in turn."""
    from keras import ops

    for kernel, bias in zip(weights[:-2:2], weights[1:-2:2]):
        X = ops.relu(ops.matmul(X, kernel) + bias)
    return ops.matmul(X, weights[-2]) + weights[-1]


def _adam(
    weights: Sequence[Tensor],
    gradients: Sequence[Tensor],
    means: Sequence[Tensor],
    squares: Sequence[Tensor],
    n_updates: Tensor,
    rate: Tensor,
) -> tuple[Tensor, ...]:
    """One update of Adam (Kingma and Ba, 2015), written as Keras writes it."""
    from keras import ops

    n_updates = n_updates + 1.0
    scale = rate * ops.sqrt(1 - _BETA_2**n_updates) / (1 - _BETA_1**n_updates)
    means = [m + (g - m) * (1 - _BETA_1) for m, g in zip(means, gradients)]
    squares = [s + (g * g - s) * (1 - _BETA_2) for s, g in zip(squares, gradients)]
    weights = [w - m * scale / (ops.sqrt(s) + _EPSILON) for w, m, s in zip(weights, means, squares)]
    return weights, means, squares, n_updates


def _epoch_of_member(
    state: Tensor, rate: Tensor, X: Tensor, y: Tensor, batches: Tensor, n_steps: Tensor
) -> tuple[Tensor, Tensor]:
    """One epoch of one member: its new state, and the sum of its losses over the rows."""
    import tensorflow as tf
    from keras import ops

    def step(number: Tensor, carried: Tensor) -> tuple[Tensor, Tensor]:
        (weights, means, squares, n_updates), loss_sum = carried
        rows = batches[number]
        there = ops.cast(rows >= 0, "float32")
        rows = ops.maximum(rows, 0)
        with tf.GradientTape() as tape:
            tape.watch(weights)
            logits = _logits(weights, ops.take(X, rows, axis=0))
            losses = ops.sparse_categorical_crossentropy(
                ops.take(y, rows), logits, from_logits=True
            )
            loss_of_batch = ops.sum(losses * there)
            loss = loss_of_batch / ops.sum(there)
        gradients = tape.gradient(loss, weights)
        state = _adam(weights, gradients, means, squares, n_updates, rate)
        return state, loss_sum + loss_of_batch

    return ops.fori_loop(0, n_steps, step, (state, 0.0))


@cache
def _compiled_epoch() -> Callable[..., tuple[Tensor, Tensor]]:
    """One epoch of a stack, compiled; TensorFlow is loaded here and not before."""
    _, tf = import_keras()

    @tf.function(jit_compile=True)
    def epoch_of_stack(
        state: Tensor, rates: Tensor, X: Tensor, y: Tensor, batches: Tensor, n_steps: Tensor
    ) -> Tensor:
        one_member = tf.nest.map_structure(lambda part: part.dtype, (state, tf.constant(0.0)))
        return tf.map_fn(
            lambda member: _epoch_of_member(*member),
            (state, rates, X, y, batches, n_steps),
            fn_output_signature=one_member,
        )

    return epoch_of_stack
