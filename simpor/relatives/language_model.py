"""ImbLLM (Nguyen et al., 2025): rows as sentences, which a language model continues from prompts."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from simpor._checks import LARGEST_SEED, SamplingStrategy, check_whole
from simpor._columns import Table, TableOverSampler
from simpor.relatives._language import CountsModel, Language, LanguageModel
from simpor.relatives._neighborhoods import interpolate, until_enough
from simpor.relatives._parameters import check_choice, check_positive
from simpor.relatives._transformer import TransformerModel

__all__ = ["LanguageModelOversampler"]

N_TRIES = 5


class LanguageModelOversampler(TableOverSampler):
    r"""Rows written as sentences; a language model continues prompts that vary one feature.

    A row becomes a sentence with its label first and its features in random order::

        y is 1, x2 is 0.43, x0 is 3, x1 is 12.5

    A model of such sentences is trained on the rows of the class to be enlarged and on SMOTE's
    interpolations between them. It is then asked to continue prompts that name the label and one
    feature, ``y is 1, x0 is 3``; every feature has its turn, and its values vary as they do in the
    training rows. Continuing the label alone would give more rows of the kind that the model finds
    most likely: the authors' point is that feature prompts make rows more diverse.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        As in imbalanced-learn.
    random_state : int, RandomState instance or None, default=None
        The result is bit-identical for one value, with "counts" whatever the number of threads,
        with "transformer" on one machine.
    model : {"counts", "transformer"} or callable, default="counts"
        What continues a prompt; see the notes. A callable ``(prompts, random_state) -> list of
        str`` is a model of yours, for example a pretrained causal one: it gets a list of prompts
        and an integer seed, and returns a sentence for each, which begins with the prompt.
    prompts : {"features", "label"}, default="features"
        "label" names no feature, which is what the authors compare with.
    categorical_features : "auto", array-like or None, default=None
        Columns of categories, which may be text: names, positions, a mask, or "auto" for those of
        dtype category in a pandas frame. Only categories that the class has are drawn.
    temperature : float, default=0.7
        Above 0; probabilities are raised to the power 1 / `temperature` and normalised. The value
        is that of the authors' code. It is not passed to a callable.
    n_bins : int, default=8
        Quantile bins of a feature that is not categorical; a number is drawn uniformly in its bin
        (both our reading, for "counts" and "transformer").
    k_neighbors : int, default=5
        Of SMOTE's interpolations; fewer if there are fewer rows.
    n_steps : int, default=1000
        Batches of 32 sentences that the transformer is trained with (our reading).

    Attributes
    ----------
    sampling_strategy_ : dict
        Rows to draw for each class.
    sentences_ : dict
        For each class, the sentences of its rows and of the interpolations between them, which
        hold no categorical feature: what a model of yours would be trained on.
    n_filled_ : dict
        For each class, rows that "counts" wrote because the model's sentences were incomplete five
        times in a row; 0 unless `model` is a callable.
    categorical_features_ : ndarray of int
        Positions of the categorical columns.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only if ``X`` has column names. The sentences use them, and "x0", "x1", ... otherwise.

    Raises
    ------
    ImportError
        If the transformer's Keras is missing (``pip install "simpor[keras]"``).
    ValueError
        If a parameter is out of range, the name of a column or a category holds ", ", or a callable
        does not return one sentence for each prompt.

    Notes
    -----
    As in the authors' code: the order of label and features, the interpolated rows without their
    categorical features, as many of them as rows are to be drawn, and the prompts. The authors
    train a pretrained language model further; none is downloaded here. Their code draws the same
    number of rows for every feature, rounded up; here the shares are cut to the exact count.

    "counts" counts training rows. The next feature, any that is left, gets its value with the
    relative frequency among the rows that agree in the two features named last, to which one row of
    the class's overall frequencies is added (our stand-in for a model).

    "transformer" is a causal transformer of two layers and width 64, with random first weights, for
    sentences in which each "feature is value" is one token (our reading). Where few rows yield many,
    most of its sentences are interpolations without categories, and it needs more steps to learn
    these; feature prompts did not always make its rows more diverse before it had.

    A class has a model of its own, so with more than two classes nothing is shared (our reading). A
    sentence is complete if it has a number for each feature, and for each categorical one a
    category that the class has; incomplete ones are asked for again.

    References
    ----------
    D. Nguyen, S. Gupta, K. Do, T. Nguyen, T. Braund, A. Whitton and S. Venkatesh, "Large language
    models for imbalanced classification: Diversity makes the difference", arXiv:2510.09783, 2025.
    We read its abstract and the code in the repository nphdang/ImbLLM, not the paper.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import make_moons
    >>> from simpor.relatives import LanguageModelOversampler
    >>> X, y = make_moons((200, 20), noise=0.2, random_state=0)
    >>> sampler = LanguageModelOversampler(random_state=0)
    >>> X_resampled, y_resampled = sampler.fit_resample(X, y)
    >>> np.bincount(y_resampled)
    array([200, 200])
    >>> len(sampler.sentences_[1])
    200
    """

    _parameter_constraints: dict[str, list[object]] = {
        **TableOverSampler._parameter_constraints,
        "model": [str, callable],
        "prompts": [str],
        "categorical_features": ["array-like", str, None],
        "temperature": [Real],
        "n_bins": [Integral],
        "k_neighbors": [Integral],
        "n_steps": [Integral],
    }

    def __init__(
        self,
        *,
        sampling_strategy: SamplingStrategy = "auto",
        random_state: int | np.random.RandomState | None = None,
        model: str | LanguageModel = "counts",
        prompts: str = "features",
        categorical_features: Any = None,
        temperature: float = 0.7,
        n_bins: int = 8,
        k_neighbors: int = 5,
        n_steps: int = 1000,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.random_state = random_state
        self.model = model
        self.prompts = prompts
        self.categorical_features = categorical_features
        self.temperature = temperature
        self.n_bins = n_bins
        self.k_neighbors = k_neighbors
        self.n_steps = n_steps

    def _table(self, X: Any, y: Any) -> Table:
        table = super()._table(X, y)
        names = [str(name) if table.is_frame else f"x{name}" for name in table.names]
        self._names = [names[i] for i in (*table.numeric, *table.categorical)]
        columns = [np.asarray(table.columns[i], dtype=object) for i in table.categorical]
        self._words = [[str(entry) for entry in column] for column in columns]
        self._target = str(getattr(y, "name", None) or "y")
        return table

    def _fit_resample(
        self, X: np.ndarray, y: np.ndarray, categories: np.ndarray | None = None
    ) -> tuple[np.ndarray, ...]:
        self._check_parameters()
        rng = check_random_state(self.random_state)
        n_numeric = X.shape[1]
        codes = np.empty((len(X), 0)) if categories is None else categories
        data = np.column_stack([X, codes])  # categorical columns come last
        words = {
            n_numeric + j: dict(zip(codes[:, j], words)) for j, words in enumerate(self._words)
        }
        self.sentences_, self.n_filled_ = {}, {}
        X_parts, y_parts, source_parts = [X], [y], [np.empty((0, codes.shape[1]), dtype=np.intp)]
        for label, n_rows in self.sampling_strategy_.items():
            own = np.flatnonzero(y == label)
            start = f"{self._target} is {label}"
            language = Language(start, self._names, data[own], words, self.n_bins)
            interpolated, _ = interpolate(X[own], n_rows, self.k_neighbors, rng)
            unnamed = np.full((n_rows, codes.shape[1]), np.nan)
            rows = np.concatenate([data[own], np.column_stack([interpolated, unnamed])])
            self.sentences_[label] = language.sentences(rows, rng)
            synthetic, self.n_filled_[label] = self._write_rows(language, rows, n_rows, rng)
            X_parts.append(synthetic[:, :n_numeric])
            y_parts.append(np.full(n_rows, label, dtype=y.dtype))
            has_category = codes[own] == synthetic[:, None, n_numeric:]
            source_parts.append(own[np.argmax(has_category, axis=1)])
        resampled = np.concatenate(X_parts), np.concatenate(y_parts)
        return resampled if categories is None else (*resampled, np.concatenate(source_parts))

    def _write_rows(
        self, language: Language, rows: np.ndarray, n_rows: int, rng: np.random.RandomState
    ) -> tuple[np.ndarray, int]:
        """Rows from complete sentences, and how many of them had to be filled."""
        counts = CountsModel(language, rows, self.temperature)
        model: LanguageModel = counts
        if callable(self.model):
            model = self.model
        elif self.model == "transformer":
            model = TransformerModel(language, rows, self.temperature, self.n_steps, rng)

        def write(model: LanguageModel, n: int) -> np.ndarray:
            prompts = self._prompts(language, rows, n, rng)
            sentences = model(prompts, int(rng.randint(LARGEST_SEED))) if n > 0 else []
            if len(sentences) != n:
                raise ValueError(
                    f"model gave {len(sentences)} sentences for {n} prompts: return one for each."
                )
            written = language.rows(sentences)
            begins = [s.startswith(prompt) for s, prompt in zip(sentences, prompts)]
            return written[np.array(begins, dtype=bool) & ~np.isnan(written).any(axis=1)]

        return until_enough(
            lambda n: write(model, n), lambda n: write(counts, n), n_rows, n_tries=N_TRIES
        )

    def _prompts(
        self, language: Language, rows: np.ndarray, n: int, rng: np.random.RandomState
    ) -> list[str]:
        """Beginnings of sentences: the label, and a feature with one of its values."""
        if self.prompts == "label":
            return [language.start] * n
        values = [column[~np.isnan(column)] for column in rows.T]
        prompts = []
        for feature in np.arange(n) % len(values):
            row = np.full(len(values), np.nan)
            row[feature] = rng.choice(values[feature])
            prompts.append(language.sentence(row, [feature]))
        return prompts

    def _check_parameters(self) -> None:
        check_whole("n_bins", self.n_bins)
        check_whole("k_neighbors", self.k_neighbors)
        check_whole("n_steps", self.n_steps)
        check_positive("temperature", self.temperature)
        if not callable(self.model):
            check_choice("model", self.model, "counts", "transformer", instead="a callable")
        check_choice("prompts", self.prompts, "features", "label")
