"""DeepSMOTE (Dablain et al., 2022) adapted to tables: SMOTE between an encoder and a decoder."""

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

import numpy as np
from imblearn.over_sampling import SMOTE
from sklearn.utils import check_random_state

from simpor._checks import LARGEST_SEED, SamplingStrategy, check_whole
from simpor._columns import TableOverSampler
from simpor._keras import import_keras
from simpor.relatives._parameters import check_not_negative

__all__ = ["DeepSMOTE"]

HIDDEN_UNITS = 64
BATCH_SIZE = 100
LEARNING_RATE = 3e-3

Tensor = Any  # TensorFlow comes without types
RowsToRows = Callable[[np.ndarray], np.ndarray]


class DeepSMOTE(TableOverSampler):
    r"""DeepSMOTE, tabular adaptation: SMOTE on the codes of an autoencoder, decoded.

    An encoder :math:`E` and a decoder :math:`D` learn from all classes to give back what they are
    given, and, as a penalty, to give back another row of the same class. With a batch
    :math:`x_1, \dots, x_m` of all classes, a batch :math:`c_1, \dots, c_m` of one class and a
    permutation :math:`\pi` they minimise

    .. math:: \frac{1}{m}\sum_i \lVert D(E(x_i)) - x_i\rVert^2
              + \lambda\, \frac{1}{m}\sum_i \lVert D(E(c_{\pi(i)})) - c_i\rVert^2 .

    Then `imblearn.over_sampling.SMOTE` interpolates between the codes, and the decoder turns its
    synthetic codes into synthetic rows.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        As in imbalanced-learn.
    random_state : int, RandomState instance or None, default=None
    k_neighbors : int, default=5
        Of SMOTE among the codes.
    latent_dim : int, default=None
        Length of a code. None: half the number of features, rounded up, and at least 2.
    penalty_weight : float, default=0.1
        :math:`\lambda \ge 0`. Table I of the TAI paper has 0.1.
    n_steps : int, default=1000
        Steps of Adam, each with one batch of 100 rows of all classes and one of a single class.

    Attributes
    ----------
    sampling_strategy_ : dict
        Rows to draw for each class.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only if ``X`` has column names.

    Raises
    ------
    ImportError
        If Keras with TensorFlow is missing (``pip install "simpor[keras]"``).
    ValueError
        If a class has no more rows than ``k_neighbors``, if a parameter is out of range, or if
        the autoencoder diverges, which it does on columns of huge numbers.

    Notes
    -----
    What is adapted: the original is made for images and convolves; here encoder and decoder have
    one hidden layer of 64 units each. Features should be standardised, since the losses add up
    their squares. Batches are drawn so that all classes are equally likely; in batches as
    imbalanced as the data the penalty would outweigh the reconstruction of a rare class.

    The penalty has a price. For one class, :math:`D(E(x))` is drawn towards the class mean
    :math:`\bar x`: an autoencoder that could represent anything would learn
    :math:`(x + \lambda\bar x) / (1 + \lambda)`, so the synthetic rows are a little too narrow.
    The code that the authors of DeepSMOTE published permutes both sides of the penalty, which
    leaves a second reconstruction and no such pull.

    No random state but ``random_state`` is used or moved. The result is the same for the same
    machine and number of threads.

    References
    ----------
    D. Dablain, B. Krawczyk and N. V. Chawla, "DeepSMOTE: fusing deep learning and SMOTE for
    imbalanced data", IEEE Transactions on Neural Networks and Learning Systems, 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import make_classification
    >>> from simpor.relatives import DeepSMOTE
    >>> X, y = make_classification(weights=[0.9], flip_y=0, random_state=0)
    >>> np.bincount(y)
    array([91,  9])
    >>> X, y = DeepSMOTE(random_state=0, n_steps=10).fit_resample(X, y)
    >>> np.bincount(y)
    array([91, 91])
    """

    _parameter_constraints: dict[str, list[object]] = {
        **TableOverSampler._parameter_constraints,
        "k_neighbors": [Integral],
        "latent_dim": [Integral, None],
        "penalty_weight": [Real],
        "n_steps": [Integral],
    }

    def __init__(
        self,
        *,
        sampling_strategy: SamplingStrategy = "auto",
        random_state: int | np.random.RandomState | None = None,
        k_neighbors: int = 5,
        latent_dim: int | None = None,
        penalty_weight: float = 0.1,
        n_steps: int = 1000,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.random_state = random_state
        self.k_neighbors = k_neighbors
        self.latent_dim = latent_dim
        self.penalty_weight = penalty_weight
        self.n_steps = n_steps

    def _fit_resample(self, X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        latent_dim = max(2, -(-X.shape[1] // 2)) if self.latent_dim is None else self.latent_dim
        check_whole("latent_dim", latent_dim)
        check_whole("n_steps", self.n_steps)
        check_not_negative("penalty_weight", self.penalty_weight)
        rng = check_random_state(self.random_state)
        encode, decode = train_autoencoder(X, y, latent_dim, self.penalty_weight, self.n_steps, rng)
        wanted = {c: np.sum(y == c) + n_rows for c, n_rows in self.sampling_strategy_.items()}
        smote = SMOTE(sampling_strategy=wanted, k_neighbors=self.k_neighbors, random_state=rng)
        codes = encode(X)
        if not np.isfinite(codes).all():
            raise ValueError("The autoencoder diverged: standardise X first (StandardScaler).")
        codes, y_new = smote.fit_resample(codes, y)
        return np.concatenate([X, decode(codes[len(X) :])]), y_new


def train_autoencoder(
    X: np.ndarray,
    y: np.ndarray,
    latent_dim: int,
    penalty_weight: float,
    n_steps: int,
    rng: np.random.RandomState,
) -> tuple[RowsToRows, RowsToRows]:
    """Encoder and decoder, as two functions from rows to rows, trained in one compiled loop.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    y : ndarray of shape (n,)
    latent_dim : int
    penalty_weight : float
    n_steps : int
        As in `DeepSMOTE`.
    rng : RandomState
        For the first weights and the batches.

    Returns
    -------
    encode : callable, (m, d) -> (m, latent_dim), float32
    decode : callable, (m, latent_dim) -> (m, d), float32
    """
    keras, tf = import_keras()

    def dense(n_units: int, activation: str | None = None) -> Any:
        # Without a seed of its own the initialiser would move Python's random state.
        glorot = keras.initializers.GlorotUniform(seed=rng.randint(LARGEST_SEED))
        return keras.layers.Dense(n_units, activation, kernel_initializer=glorot)

    def mean_square(difference: Tensor) -> Tensor:
        return tf.reduce_mean(tf.square(difference))

    d = X.shape[1]
    encoder = keras.Sequential(
        [keras.Input((d,)), dense(HIDDEN_UNITS, "leaky_relu"), dense(latent_dim)]
    )
    decoder = keras.Sequential(
        [keras.Input((latent_dim,)), dense(HIDDEN_UNITS, "leaky_relu"), dense(d)]
    )
    weights = encoder.trainable_variables + decoder.trainable_variables
    adam = keras.optimizers.Adam(LEARNING_RATE)
    adam.build(weights)
    table = tf.constant(X, dtype=tf.float32)
    batches, batches_of_one_class = draw_batches(y, n_steps, rng)

    @tf.function
    def train(batches: Tensor, batches_of_one_class: Tensor) -> None:
        for step in tf.range(n_steps):
            x = tf.gather(table, batches[step])
            c = tf.gather(table, batches_of_one_class[step])
            with tf.GradientTape() as tape:
                reconstruction = mean_square(decoder(encoder(x)) - x)
                # The rows come in random order, so a shift by one pairs them at random.
                permuted = tf.roll(encoder(c), shift=1, axis=0)
                loss = reconstruction + penalty_weight * mean_square(decoder(permuted) - c)
            adam.apply(tape.gradient(loss, weights), weights)

    batches = tf.constant(batches), tf.constant(batches_of_one_class)
    # Calling the traced function itself: TensorFlow warns of a loop over fits otherwise.
    train.get_concrete_function(*batches)(*batches)

    def apply(model: Any) -> RowsToRows:
        return lambda rows: model(np.asarray(rows, dtype=np.float32)).numpy()

    return apply(encoder), apply(decoder)


def draw_batches(
    y: np.ndarray, n_steps: int, rng: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the rows in batches with all classes equally likely, and in batches of one class.

    Parameters
    ----------
    y : ndarray of shape (n,)
    n_steps : int
    rng : RandomState

    Returns
    -------
    batches, batches_of_one_class : int ndarrays of shape (n_steps, BATCH_SIZE)
        Drawn with replacement.
    """
    indices_of_class = [np.flatnonzero(y == label) for label in np.unique(y)]

    def draw(classes: np.ndarray) -> np.ndarray:
        """One row of each of these classes."""
        sizes = np.array([len(indices) for indices in indices_of_class])
        starts = np.cumsum(sizes) - sizes
        positions = starts[classes] + rng.randint(sizes[classes])
        return np.concatenate(indices_of_class)[positions]

    n_classes = len(indices_of_class)
    shape = (n_steps, BATCH_SIZE)
    one_class = np.broadcast_to(rng.randint(n_classes, size=(n_steps, 1)), shape)
    return draw(rng.randint(n_classes, size=shape)), draw(one_class)
