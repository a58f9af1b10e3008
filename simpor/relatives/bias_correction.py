"""Synthetic rows whose bias in the loss is estimated on the majority (after Lyu et al., 2025)."""

import warnings
from collections.abc import Sequence
from numbers import Integral
from typing import NamedTuple, Self

import numpy as np
from imblearn.over_sampling.base import BaseOverSampler
from imblearn.utils import check_sampling_strategy
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from threadpoolctl import threadpool_limits

from simpor._checks import LARGEST_SEED, check_whole
from simpor._keras import import_keras
from simpor.relatives._networks import dense
from simpor.relatives._parameters import check_layers, check_positive
from simpor.relatives._pools import check_appends, draw_pool
from simpor.relatives._two_classes import TwoClassClassifier

__all__ = ["BiasCorrectedClassifier"]

MOST_ITERATIONS = 1000

Layers = list[tuple[np.ndarray, np.ndarray]]  # kernel and bias of each layer


class _Terms(NamedTuple):
    """Rows of the corrected loss, and the weight of each row's loss in its three parts."""

    rows: np.ndarray  # (n, d)
    targets: np.ndarray  # (n,), 1 for the minority's label, else 0
    real: np.ndarray  # (n,), 1 for real rows
    drawn: np.ndarray  # (n,), makes the mean loss of the minority's synthetic rows
    bias: np.ndarray  # (n,), makes the bias; some are negative


class BiasCorrectedClassifier(TwoClassClassifier):
    r"""A classifier trained with synthetic rows, minus what the generator gets wrong.

    Synthetic rows of the minority have another mean loss than fresh rows of it would have. That
    bias cannot be seen on the few minority rows, but on the majority: play minority with a block
    :math:`S_b` of :math:`n_1` majority rows, draw synthetic rows :math:`\tilde S_b` from it, and
    compare with the other majority rows. With all of these moved to where the minority is,
    :math:`s = \bar x_1 - \bar x_0`, and the loss :math:`\ell` of the minority's label,

    .. math:: \hat B = \frac1B\sum_{b=1}^B\Big[
              \overline{\ell(\tilde x + s)}_{\tilde x\in\tilde S_b}
              - \overline{\ell(x + s)}_{x\notin S_b}\Big], \qquad
              L = \frac{1}{n_0 + n_1 + m}\Big[\sum_{i=1}^{n_0+n_1} \ell_i
              + m \max\big(0,\ \overline{\ell(\tilde x)}_{\tilde x\in\tilde S} - \hat B\big)\Big],

    where :math:`\tilde S` are the :math:`m` synthetic rows of the minority.

    Parameters
    ----------
    sampler : oversampler of imbalanced-learn or simpor
        The generator. Its ``sampling_strategy`` says how many rows to draw.
    n_blocks : int or "all", default="all"
        :math:`B`, at most the whole part of :math:`n_0 / n_1`, which is "all". One block is worse
        than no correction: the noise of :math:`n_1` rows is then added to the loss.
    hidden_layers : sequence of int, default=()
        Empty for a logistic regression, otherwise the units of each hidden ReLU layer of a network
        that is trained with Keras.
    l2 : float, default=1e-3
        Weight of half the sum of squares of all coefficients but intercepts, above 0.
    n_epochs : int, default=100
        Of a network: steps of Adam, each on all rows.
    learning_rate : float, default=0.01
        Of a network.
    random_state : int, RandomState instance or None, default=None
        Seeds the blocks, the sampler and a network's first weights.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
    layers_ : list of pairs of ndarray
        Kernel and bias of each layer; a single pair for a logistic regression.
    bias_ : float
        :math:`\hat B` of the fitted classifier, in nats.
    n_blocks_ : int
    n_synthetic_ : int
        :math:`m`.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only if ``X`` has column names.

    Raises
    ------
    ImportError
        If there are hidden layers and Keras with TensorFlow is missing.
    TypeError
        If the sampler is not an oversampler.
    ValueError
        If there are not two classes, fewer rows for the blocks than asked for, or a parameter is
        out of range.

    Warns
    -----
    ConvergenceWarning
        If the logistic regression does not converge.

    Notes
    -----
    The idea is as published: estimate the generator's loss bias on held-out majority rows and take
    it off the minority's synthetic loss. Of the paper we know no equation: blocks, shift, label and
    weights are our formulation. It supposes that the generator distorts the shape of both classes
    alike. So that the loss keeps a lower bound, the corrected loss of synthetic rows, which
    estimates a mean of losses, is held at 0 or above (our choice). While a block plays the
    minority, it stands where the minority stands, against the majority rows outside the block.

    With a linear model and a generator that keeps means, such as SMOTE, the correction tends to
    ordinary class weights as the number of blocks grows.

    A network that trains for long may learn to tell a block's synthetic rows from its real ones:
    stop it early, or raise `l2`. ``python -m benchmarks replays`` trains networks of 16 units on five
    tables of Gaussians, with five blocks and ``l2=0.01``: after 100 epochs their mean balanced log
    loss is 0.506 with the correction and 0.530 without, after 200 epochs 0.526 and 0.552. On one of
    the five tables it is then worse with the correction than without.

    Together the blocks draw about :math:`n_0^2 / n_1` synthetic rows: give a number of blocks where
    the minority is tiny. Standardise the features first.

    References
    ----------
    P. Lyu, Z. Ma, L. Zhang and A. R. Zhang, "Bias-corrected data synthesis for imbalanced
    learning", arXiv:2510.26046, 2025.

    Examples
    --------
    >>> from imblearn.over_sampling import SMOTE
    >>> from sklearn.datasets import make_classification
    >>> from simpor.relatives import BiasCorrectedClassifier
    >>> X, y = make_classification(600, weights=[0.9], random_state=0)
    >>> corrected = BiasCorrectedClassifier(SMOTE(), random_state=0).fit(X, y)
    >>> corrected.n_blocks_
    8
    """

    def __init__(
        self,
        sampler: BaseOverSampler,
        n_blocks: int | str = "all",
        *,
        hidden_layers: Sequence[int] = (),
        l2: float = 1e-3,
        n_epochs: int = 100,
        learning_rate: float = 0.01,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.sampler = sampler
        self.n_blocks = n_blocks
        self.hidden_layers = hidden_layers
        self.l2 = l2
        self.n_epochs = n_epochs
        self.learning_rate = learning_rate
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Draw the synthetic rows, estimate their bias and train.

        Parameters
        ----------
        X : array-like of shape (n, d)
        y : array-like of shape (n,)
            Labels of two classes.

        Returns
        -------
        BiasCorrectedClassifier
            The classifier itself.
        """
        self._check_parameters()
        X, numbers = self._check_X_y(X, y)
        rng = check_random_state(self.random_state)
        rare = int(np.bincount(numbers).argmin())
        asked = check_sampling_strategy(
            self.sampler.sampling_strategy, self.classes_[numbers], "over-sampling"
        )
        self.n_synthetic_ = asked.get(self.classes_[rare], 0)
        with threadpool_limits(1):  # sums of BLAS are rounded differently in several threads
            terms = self._terms(X, numbers == rare, rng)
            layers = self._fit_logistic(terms) if len(self.hidden_layers) == 0 else None
        if layers is None:
            layers = self._fit_network(terms, rng)
        self.bias_ = float(terms.bias @ np.logaddexp(0, -_forward(layers, terms.rows)))
        kernel, bias = layers[-1]
        sign = 1 if rare == 1 else -1
        self.layers_ = [*layers[:-1], (sign * kernel, sign * bias)]
        return self

    def _terms(self, X: np.ndarray, rare: np.ndarray, rng: np.random.RandomState) -> _Terms:
        """Draw all synthetic rows and weigh them."""
        n_rows, m = len(X), self.n_synthetic_
        n_rare = int(rare.sum())
        self.n_blocks_ = self._count_blocks(n_rows - n_rare, n_rare) if m > 0 else 0
        common = rng.permutation(np.flatnonzero(~rare))
        shift = X[rare].mean(axis=0) - X[~rare].mean(axis=0)
        drawn = draw_pool(self.sampler, X, rare.astype(int), 1, m, rng.randint(LARGEST_SEED))
        parts = [drawn]
        inverse_counts = []
        of_others = np.zeros(n_rows)  # weights of majority rows outside a block
        for block in common[: self.n_blocks_ * n_rare].reshape(self.n_blocks_, n_rare):
            others = np.setdiff1d(common, block)
            rows = np.vstack([X[others], X[block] + shift])
            labels = np.repeat([0, 1], [len(others), n_rare])
            parts.append(draw_pool(self.sampler, rows, labels, 1, m, rng.randint(LARGEST_SEED)))
            inverse_counts += [1 / (self.n_blocks_ * len(parts[-1]))] * len(parts[-1])
            of_others[others] += 1 / (self.n_blocks_ * len(others))
        n_drawn = len(drawn)
        n_played = len(inverse_counts)
        return _Terms(
            rows=np.vstack([X, *parts, X[~rare] + shift]),
            targets=np.concatenate([rare, np.ones(n_drawn + n_played + len(common))]),
            real=np.repeat([1.0, 0.0], [n_rows, n_drawn + n_played + len(common)]),
            drawn=np.repeat([0, 1 / max(n_drawn, 1), 0], [n_rows, n_drawn, n_played + len(common)]),
            bias=np.concatenate([np.zeros(n_rows + n_drawn), inverse_counts, -of_others[~rare]]),
        )

    def _count_blocks(self, n_common: int, n_rare: int) -> int:
        most = n_common // n_rare
        if n_common == n_rare:
            raise ValueError(
                f"Both classes have {n_rare} rows: no majority row is left outside a block."
            )
        if isinstance(self.n_blocks, Integral) and self.n_blocks > most:
            raise ValueError(
                f"n_blocks={self.n_blocks}: the majority has rows for {most} blocks of {n_rare}."
            )
        return most if self.n_blocks == "all" else int(self.n_blocks)

    def _weights(self, terms: _Terms) -> tuple[np.ndarray, np.ndarray]:
        """Of each row in the loss of the real rows, and in the corrected one of synthetic rows."""
        total = terms.real.sum() + self.n_synthetic_
        return terms.real / total, self.n_synthetic_ / total * (terms.drawn - terms.bias)

    def _fit_logistic(self, terms: _Terms) -> Layers:
        real, synthetic = self._weights(terms)

        def objective(theta: np.ndarray) -> tuple[float, np.ndarray]:
            scores = terms.rows @ theta[:-1] + theta[-1]
            losses = np.logaddexp(0, scores) - terms.targets * scores
            corrected = synthetic @ losses
            weights = real + synthetic if corrected > 0 else real
            slopes = weights * (expit(scores) - terms.targets)
            gradient = np.append(terms.rows.T @ slopes + self.l2 * theta[:-1], slopes.sum())
            penalty = self.l2 / 2 * theta[:-1] @ theta[:-1]
            return real @ losses + max(corrected, 0) + penalty, gradient

        start = np.zeros(terms.rows.shape[1] + 1)
        options = {"maxiter": MOST_ITERATIONS}
        found = minimize(objective, start, jac=True, method="L-BFGS-B", options=options)
        if not found.success:
            warnings.warn(
                f"L-BFGS did not converge ({found.message}): standardise X, or raise l2.",
                ConvergenceWarning,
                stacklevel=3,
            )
        return [(found.x[:-1, None], found.x[-1:])]

    def _fit_network(self, terms: _Terms, rng: np.random.RandomState) -> Layers:
        keras, tf = import_keras()
        hidden = [dense(n_units, rng, activation="relu") for n_units in self.hidden_layers]
        model = keras.Sequential([keras.Input((terms.rows.shape[1],)), *hidden, dense(1, rng)])
        variables = model.trainable_variables
        adam = keras.optimizers.Adam(self.learning_rate)
        adam.build(variables)
        rows, targets, real, synthetic = (
            tf.constant(array, dtype=tf.float32)
            for array in (terms.rows, terms.targets, *self._weights(terms))
        )

        @tf.function
        def train() -> None:
            for _ in tf.range(self.n_epochs):
                with tf.GradientTape() as tape:
                    losses = tf.nn.sigmoid_cross_entropy_with_logits(targets, model(rows)[:, 0])
                    loss = tf.reduce_sum(real * losses)
                    loss += tf.maximum(tf.reduce_sum(synthetic * losses), 0.0)
                    loss += self.l2 * sum(tf.nn.l2_loss(kernel) for kernel in variables[::2])
                adam.apply(tape.gradient(loss, variables), variables)

        # Calling the traced function itself: TensorFlow warns of a loop over fits otherwise.
        train.get_concrete_function()()
        arrays = [variable.numpy().astype(np.float64) for variable in variables]
        return list(zip(arrays[::2], arrays[1::2]))

    def decision_function(self, X: ArrayLike) -> np.ndarray:
        """Log odds of each row.

        Parameters
        ----------
        X : array-like of shape (m, d)

        Returns
        -------
        ndarray of shape (m,)
            Above 0 for ``classes_[1]``.
        """
        X = self._check_X(X)
        with threadpool_limits(1):
            return _forward(self.layers_, X)

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Class probabilities of each row.

        Parameters
        ----------
        X : array-like of shape (m, d)

        Returns
        -------
        ndarray of shape (m, 2)
        """
        positive = expit(self.decision_function(X))
        return np.column_stack([1 - positive, positive])

    def _check_parameters(self) -> None:
        check_appends(self.sampler)
        if self.n_blocks != "all":
            if isinstance(self.n_blocks, str):
                raise ValueError(f'n_blocks={self.n_blocks!r}: give a whole number >= 1, or "all".')
            check_whole("n_blocks", self.n_blocks)
        check_layers(self.hidden_layers)
        check_whole("n_epochs", self.n_epochs)
        check_positive("l2", self.l2)
        check_positive("learning_rate", self.learning_rate)


def _forward(layers: Layers, X: np.ndarray) -> np.ndarray:
    """Scores of a network with ReLU between its layers."""
    for kernel, bias in layers[:-1]:
        X = np.maximum(X @ kernel + bias, 0)
    kernel, bias = layers[-1]
    return (X @ kernel + bias)[:, 0]
