"""Rows of a class as sentences and back, and counts that continue such sentences."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

__all__ = ["CodeModel", "CountsModel", "Language", "LanguageModel"]

#: From prompts and a seed to one sentence for each prompt.
LanguageModel = Callable[[list[str], int], Sequence[str]]

DIGITS = 6  # a number is written with so many digits of its feature's range
CONTEXT = 2  # features that the counts look back to


class Language:
    """The words for the rows of one class: how features and values are written, read and coded.

    Parameters
    ----------
    start : str
        How each sentence begins, for example "y is 1".
    names : list of str
        Of the features.
    rows : ndarray of shape (n, d)
        The rows of the class, which decide on categories and bins.
    words : dict
        For each position of a categorical feature, the word for each of its numbers.
    n_bins : int
        Of the other features, except constant ones, which are categories, too.

    Raises
    ------
    ValueError
        If a name or a word holds what separates the parts of a sentence.
    """

    def __init__(
        self,
        start: str,
        names: list[str],
        rows: np.ndarray,
        words: dict[int, dict[float, str]],
        n_bins: int,
    ) -> None:
        self.start = start
        self.names = names
        self.words, self.levels, self.decimals = dict(words), [], []
        for f, column in enumerate(rows.T):
            spread = np.ptp(column)
            if spread == 0 and f not in words:
                self.words[f] = {column[0]: np.format_float_positional(column[0], trim="-")}
            edges = np.quantile(column, np.linspace(0, 1, n_bins + 1))
            self.levels.append(np.unique(column if f in self.words else edges))
            self.decimals.append(
                max(0, DIGITS - math.ceil(math.log10(spread))) if spread > 0 else 0
            )
        self.is_category = np.isin(np.arange(len(names)), list(self.words))
        self.sizes = [
            len(levels) - (not category) for levels, category in zip(self.levels, self.is_category)
        ]
        self.numbers = {
            f: {self.words[f][level]: level for level in self.levels[f]} for f in self.words
        }
        self._check_separators()

    def _check_separators(self) -> None:
        for text in [*self.names, *(word for words in self.numbers.values() for word in words)]:
            if ", " in text:
                raise ValueError(f'{text!r}: sentences separate their parts by ", ": rename it.')
        for name in self.names:
            if " is " in name:
                raise ValueError(f'{name!r}: sentences have " is " after a name: rename it.')

    def sentence(self, row: np.ndarray, features: Any) -> str:
        """Write features of a row, in the given order.

        Parameters
        ----------
        row : ndarray of shape (d,)
        features : array-like of int

        Returns
        -------
        str
        """
        parts = [self.start]
        for f in features:
            is_word = f in self.words
            text = self.words[f][row[f]] if is_word else f"{row[f]:.{self.decimals[f]}f}"
            parts.append(f"{self.names[f]} is {text}")
        return ", ".join(parts)

    def sentences(self, rows: np.ndarray, rng: np.random.RandomState) -> list[str]:
        """Write rows, each with its features in a random order, leaving out what is NaN.

        Parameters
        ----------
        rows : ndarray of shape (n, d)
        rng : RandomState

        Returns
        -------
        list of str
        """
        return [self.sentence(row, rng.permutation(np.flatnonzero(~np.isnan(row)))) for row in rows]

    def rows(self, sentences: Sequence[str]) -> np.ndarray:
        """Read sentences; what a sentence does not say, or says with an unknown word, is NaN.

        Parameters
        ----------
        sentences : sequence of str

        Returns
        -------
        ndarray of shape (n_sentences, d)
        """
        rows = np.full((len(sentences), len(self.names)), np.nan)
        for row, sentence in zip(rows, sentences):
            for part in sentence[len(self.start) :].split(", "):
                name, _, text = part.partition(" is ")
                if name in self.names and np.isnan(row[self.names.index(name)]):
                    row[self.names.index(name)] = self._read(self.names.index(name), text)
        return rows

    def _read(self, feature: int, text: str) -> float:
        if feature in self.words:
            return self.numbers[feature].get(text, math.nan)
        try:
            value = float(text)
        except ValueError:
            return math.nan
        return value if math.isfinite(value) else math.nan

    def codes(self, rows: np.ndarray) -> np.ndarray:
        """Number the bins or categories of rows.

        Parameters
        ----------
        rows : ndarray of shape (n, d)

        Returns
        -------
        int ndarray of shape (n, d)
            -1 for NaN.
        """
        codes = np.empty(rows.shape, dtype=np.intp)
        for f, levels in enumerate(self.levels):
            codes[:, f] = np.searchsorted(levels, rows[:, f], side="right") - 1
        return np.where(np.isnan(rows), -1, np.clip(codes, 0, np.array(self.sizes) - 1))

    def values(self, codes: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
        """Draw a number from each bin, uniformly, and name each category.

        Parameters
        ----------
        codes : int ndarray of shape (n, d)
        rng : RandomState

        Returns
        -------
        ndarray of shape (n, d)
        """
        values = np.empty(codes.shape)
        for f, (levels, column) in enumerate(zip(self.levels, codes.T)):
            low, high = levels[column], levels[np.minimum(column + 1, len(levels) - 1)]
            values[:, f] = low if self.is_category[f] else rng.uniform(low, high)
        return values


class CodeModel:
    """A language model that continues prompts by codes; subclasses draw the codes.

    Parameters
    ----------
    language : Language
    rows : ndarray of shape (n, d)
        To learn from; NaN where a row does not say anything.
    temperature : float
    """

    def __init__(self, language: Language, rows: np.ndarray, temperature: float) -> None:
        self.language = language
        self.codes = language.codes(rows)
        self.temperature = temperature

    def __call__(self, prompts: Sequence[str], random_state: int) -> list[str]:
        """Continue each prompt until it is a whole sentence.

        Parameters
        ----------
        prompts : sequence of str
        random_state : int

        Returns
        -------
        list of str
        """
        rng = check_random_state(random_state)
        given = self.language.rows(prompts)
        codes = self.language.codes(given)
        orders = self._complete(codes, rng)
        rows = np.where(np.isnan(given), self.language.values(codes, rng), given)
        start = self.language.start
        continued = [self.language.sentence(row, order) for row, order in zip(rows, orders)]
        return [prompt + text[len(start) :] for prompt, text in zip(prompts, continued)]

    def _complete(self, codes: np.ndarray, rng: np.random.RandomState) -> list[Any]:
        """Draw the codes that are -1, in place, and return for each row which and in what order."""
        raise NotImplementedError


class CountsModel(CodeModel):
    """Relative frequencies among the training rows that agree in the last two features."""

    def _complete(self, codes: np.ndarray, rng: np.random.RandomState) -> list[Any]:
        sizes = self.language.sizes
        overall = [
            np.bincount(column[column >= 0], minlength=size) / np.sum(column >= 0)
            for column, size in zip(self.codes.T, sizes)
        ]
        orders = []
        for row in codes:
            named = list(np.flatnonzero(row >= 0))
            order = list(rng.permutation(np.flatnonzero(row < 0)))
            for f in order:
                last = named[-CONTEXT:]
                agrees = np.all(self.codes[:, last] == row[last], axis=1)
                seen = self.codes[agrees & (self.codes[:, f] >= 0), f]
                row[f] = self._draw(np.bincount(seen, minlength=sizes[f]) + overall[f], rng)
                named.append(f)
            orders.append(order)
        return orders

    def _draw(self, weights: np.ndarray, rng: np.random.RandomState) -> int:
        cumulative = np.cumsum((weights / weights.max()) ** (1 / self.temperature))
        return int(np.searchsorted(cumulative, rng.uniform(0, cumulative[-1]), side="right"))
