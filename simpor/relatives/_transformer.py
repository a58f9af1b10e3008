"""A small transformer that continues sentences about rows."""

from typing import Any

import numpy as np
from sklearn.utils import gen_batches

from simpor._keras import import_keras
from simpor.relatives._language import CodeModel, Language

__all__ = ["TransformerModel"]

WIDTH, N_HEADS, N_LAYERS = 64, 4, 2
BATCH_SIZE = 32
LEARNING_RATE = 1e-3
STEPS_WORTH_COMPILING = 30  # compiling the step takes as long as about so many steps
SENTENCES_AT_ONCE = 1024


class TransformerModel(CodeModel):
    """A small causal transformer, trained from random weights on sentences in random order.

    Parameters
    ----------
    language : Language
    rows : ndarray of shape (n, d)
        To learn from; NaN where a row does not say anything.
    temperature : float
    n_steps : int
        Batches of sentences to train with.
    rng : RandomState
        For the first weights and the batches.
    """

    def __init__(
        self,
        language: Language,
        rows: np.ndarray,
        temperature: float,
        n_steps: int,
        rng: np.random.RandomState,
    ) -> None:
        super().__init__(language, rows, temperature)
        # token 0 is the start; "feature f has code c" is offsets[f] + c
        self.offsets = 1 + np.cumsum([0, *language.sizes])
        self.network = self._network(n_steps, rng)
        inputs, targets = self._training_sentences(n_steps, rng)
        is_word = (targets > 0).astype(np.float32)
        self.network.fit(
            inputs, targets, BATCH_SIZE, sample_weight=is_word, shuffle=False, verbose=0
        )

    def _training_sentences(
        self, n_steps: int, rng: np.random.RandomState
    ) -> tuple[np.ndarray, np.ndarray]:
        """Tokens of the rows of all batches, each in a random order, and the tokens after them."""
        drawn = self.codes[rng.randint(len(self.codes), size=n_steps * BATCH_SIZE)]
        tokens = np.where(drawn < 0, 0, self.offsets[:-1] + drawn)
        # a random order, but with what is not said at the end
        order = np.argsort(rng.uniform(size=drawn.shape) + (drawn < 0), axis=1)
        targets = np.take_along_axis(tokens, order, axis=1)
        return np.pad(targets[:, :-1], ((0, 0), (1, 0))), targets

    def _network(self, n_steps: int, rng: np.random.RandomState) -> Any:
        """Compiled, with first weights from rng: Keras' own would move Python's random state."""
        keras, _ = import_keras(', or pass model="counts"')
        layers = keras.layers
        n_tokens = int(self.offsets[-1])
        inputs = keras.Input((len(self.language.names),), dtype="int32")
        x = layers.Embedding(n_tokens, WIDTH, embeddings_initializer="zeros")(inputs)
        for _ in range(N_LAYERS):
            attention = layers.MultiHeadAttention(
                N_HEADS, WIDTH // N_HEADS, kernel_initializer="zeros"
            )
            normed = layers.LayerNormalization()(x)
            x = x + attention(normed, normed, use_causal_mask=True)
            hidden = layers.Dense(2 * WIDTH, "relu", kernel_initializer="zeros")(
                layers.LayerNormalization()(x)
            )
            x = x + layers.Dense(WIDTH, kernel_initializer="zeros")(hidden)
        logits = layers.Dense(n_tokens, kernel_initializer="zeros")(layers.LayerNormalization()(x))
        network = keras.Model(inputs, logits)
        for weight in network.trainable_weights:
            if weight.name in ("embeddings", "kernel"):
                weight.assign(rng.normal(scale=WIDTH**-0.5, size=weight.shape))
        network.compile(
            keras.optimizers.Adam(LEARNING_RATE),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            run_eagerly=n_steps < STEPS_WORTH_COMPILING,
        )
        return network

    def _complete(self, codes: np.ndarray, rng: np.random.RandomState) -> list[Any]:
        orders: list[Any] = []
        for batch in gen_batches(len(codes), SENTENCES_AT_ONCE):
            orders += self._complete_together(codes[batch], rng)
        return orders

    def _complete_together(self, codes: np.ndarray, rng: np.random.RandomState) -> list[Any]:
        n, d = codes.shape
        feature_of_token = np.repeat(np.arange(d), self.language.sizes)
        n_given = np.sum(codes >= 0, axis=1)
        order = np.argsort(codes < 0, axis=1, kind="stable")  # what is given comes first
        tokens = np.zeros((n, d + 1), dtype=np.int32)  # the start comes before all
        given = np.take_along_axis(self.offsets[:-1] + codes, order, axis=1)
        tokens[:, 1:] = np.where(np.arange(d) < n_given[:, None], given, 0)
        n_said = n_given.copy()
        for _ in range(d - n_given.min(initial=d)):
            short = np.flatnonzero(n_said < d)
            here = n_said[short]
            logits = np.asarray(self.network(tokens[:, :d]))
            scores = logits[short, here, 1:].astype(float) / self.temperature
            scores[codes[short][:, feature_of_token] >= 0] = -np.inf  # features already named
            drawn = np.argmax(scores + rng.gumbel(size=scores.shape), axis=1)
            feature = feature_of_token[drawn]
            codes[short, feature] = 1 + drawn - self.offsets[feature]
            order[short, here], tokens[short, here + 1] = feature, 1 + drawn
            n_said[short] += 1
        return [row[k:] for row, k in zip(order, n_given)]
