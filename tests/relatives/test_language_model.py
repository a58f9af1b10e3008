"""Sentences and back, the two models of them, the callable, and the claim that prompts make."""

import os

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_classification

from simpor.relatives._language import CountsModel, Language
from simpor.relatives._transformer import TransformerModel
from simpor.relatives.language_model import LanguageModelOversampler

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@pytest.fixture(scope="module")
def table():
    """120 and 40 rows: two numbers that go together, a skewed category and one that follows it."""
    rng = np.random.RandomState(0)
    y = np.repeat(["no", "yes"], [120, 40])
    age = rng.normal(50, 10, size=160)
    job = rng.choice(["clerk", "nurse", "smith"], p=[0.7, 0.2, 0.1], size=160)
    town = np.where(job == "clerk", "Rome", rng.choice(["Oslo", "Rome"], size=160))
    job[:2] = "king"  # in the other class only
    frame = pd.DataFrame({"age": age, "pay": 100 * age + rng.normal(size=160), "job": job})
    return frame.assign(town=town), pd.Series(y, name="ill")


CATEGORIES = {"categorical_features": ["job", "town"]}


def make_language(**changes):
    parameters = dict(
        start="y is 1",
        names=["a", "b", "c"],
        rows=np.array([[0.0, 5.0, 0.0], [1.0, 5.0, 1.0], [2.0, 5.0, 1.0], [4.0, 5.0, 0.0]]),
        words={2: {0.0: "red", 1.0: "blue", 2.0: "green"}},
        n_bins=2,
    )
    return Language(**{**parameters, **changes})


def test_a_row_becomes_a_sentence_with_its_label_first_and_comes_back():
    language = make_language()
    row = np.array([1.25, 5.0, 1.0])
    sentence = language.sentence(row, [2, 0, 1])
    assert sentence == "y is 1, c is blue, a is 1.25000, b is 5"
    np.testing.assert_array_equal(language.rows([sentence]), [row])


def test_what_a_sentence_does_not_say_or_says_wrongly_is_nan():
    language = make_language()
    sentences = [
        "y is 1, a is 2",
        "y is 1, a is two, c is red",
        "y is 1, a is inf, c is green",  # no row of the class is green
        "y is 1, a is 1, a is 3, d is 7",
        "y is 1",
    ]
    nan = np.nan
    np.testing.assert_array_equal(
        language.rows(sentences),
        [[2, nan, nan], [nan, nan, 0], [nan, nan, nan], [1, nan, nan], [nan, nan, nan]],
    )


def test_bins_are_quantiles_and_a_number_is_drawn_in_its_bin():
    language = make_language()
    np.testing.assert_array_equal(language.levels[0], [0, 1.5, 4])
    rows = np.array([[0.0, 5.0, 1.0], [1.5, 5.0, 0.0], [4.0, np.nan, np.nan]])
    codes = language.codes(rows)
    np.testing.assert_array_equal(codes, [[0, 0, 1], [1, 0, 0], [1, -1, -1]])
    drawn = language.values(np.repeat(codes[:2], 1000, axis=0), np.random.RandomState(0))
    assert drawn[:1000, 0].min() >= 0
    assert drawn[:1000, 0].max() <= 1.5 <= drawn[1000:, 0].min()
    assert drawn[1000:, 0].mean() == pytest.approx(2.75, abs=0.1)  # four standard errors
    assert set(drawn[:, 1]) == {5.0}


def test_order_of_features_is_drawn_anew_for_each_sentence():
    sentences = make_language().sentences(
        np.tile([1.0, 5.0, 1.0], (60, 1)), np.random.RandomState(0)
    )
    assert len(set(sentences)) == 6


def test_words_that_would_break_a_sentence_are_refused():
    with pytest.raises(ValueError, match="'a, b': .*rename"):
        make_language(names=["a, b", "b", "c"])
    with pytest.raises(ValueError, match="'red, dark': .*rename"):
        make_language(words={2: {0.0: "red, dark", 1.0: "blue"}})
    with pytest.raises(ValueError, match="'who is': .*rename|'who is it': .*rename"):
        make_language(names=["who is it", "b", "c"])


def test_counts_follow_relative_frequencies_and_the_temperature():
    # Nine rows have (0, 0), three (1, 1): after a = 0, b is 0 in (9 + 9/12) of 10 cases.
    rows = np.repeat([[0.0, 0.0], [1.0, 1.0]], [9, 3], axis=0)
    words = {f: {0.0: "zero", 1.0: "one"} for f in (0, 1)}
    language = Language("y is 1", ["a", "b"], rows, words, 8)
    prompts = ["y is 1, a is zero"] * 4000
    for temperature in (1.0, 0.5):
        sentences = CountsModel(language, rows, temperature)(prompts, 0)
        weights = np.array([9.75, 0.25]) ** (1 / temperature)
        share = np.mean([s == "y is 1, a is zero, b is zero" for s in sentences])
        # four standard errors
        assert share == pytest.approx(weights[0] / weights.sum(), abs=0.01)


def test_the_transformer_learns_which_values_go_together():
    pytest.importorskip("tensorflow", reason="the transformer is a Keras model")
    rng = np.random.RandomState(0)
    first = rng.randint(3, size=300)
    rows = np.column_stack([first, (first + 1) % 3, rng.randint(3, size=300)]).astype(float)
    words = {f: {float(v): f"v{v}" for v in range(3)} for f in range(3)}
    language = Language("y is 1", ["a", "b", "c"], rows, words, 8)
    model = TransformerModel(language, rows, 1.0, 200, rng)
    for prompt in ("y is 1", "y is 1, a is v2"):
        written = language.rows(model([prompt] * 300, 0))
        assert not np.isnan(written).any()
        assert np.mean(written[:, 1] == (written[:, 0] + 1) % 3) > 0.9  # by chance 1/3
        assert np.mean(written[:, 2] == written[:, 0]) < 0.7
    assert set(written[:, 0]) == {2.0}


def test_no_category_is_drawn_that_the_class_has_not(table):
    X, y = table
    sampler = LanguageModelOversampler(random_state=0, **CATEGORIES)
    X_resampled, y_resampled = sampler.fit_resample(X, y)
    synthetic = X_resampled.iloc[len(X) :]
    assert set(y_resampled.iloc[len(X) :]) == {"yes"}
    for column in ("job", "town"):
        assert set(synthetic[column]) == set(X[column][y == "yes"])
    assert X_resampled.dtypes.to_dict() == X.dtypes.to_dict()
    np.testing.assert_array_equal(y_resampled.value_counts(), [120, 120])


def test_sentences_hold_the_rows_and_what_smote_puts_between_their_numbers(table):
    sampler = LanguageModelOversampler(random_state=0, **CATEGORIES)
    sampler.fit_resample(*table)
    sentences = sampler.sentences_["yes"]
    assert len(sentences) == 40 + 80
    assert all(sentence.startswith("ill is yes, ") for sentence in sentences)
    assert all(sentence.count(" is ") == 5 for sentence in sentences[:40])
    assert all("job" not in sentence and "town" not in sentence for sentence in sentences[40:])


def test_features_take_turns_in_the_prompts(table):
    prompts = []

    def listen(asked, random_state):
        prompts.extend(asked)
        return [""] * len(asked)

    LanguageModelOversampler(model=listen, random_state=0, **CATEGORIES).fit_resample(*table)
    named = [prompt.split(", ")[1].split(" is ")[0] for prompt in prompts[:80]]
    assert {name: named.count(name) for name in named} == dict.fromkeys(table[0].columns, 20)


def test_rows_come_from_the_sentences_of_a_callable(table):
    seeds = []

    def model(prompts, random_state):
        seeds.append(random_state)
        return [p + ", age is 41, pay is 7.5, town is Rome, job is smith" for p in prompts]

    sampler = LanguageModelOversampler(model=model, prompts="label", random_state=0, **CATEGORIES)
    X_resampled, _ = sampler.fit_resample(*table)
    assert len(X_resampled) == 240
    expected = {"age": 41.0, "pay": 7.5, "job": "smith", "town": "Rome"}
    assert all(row == expected for row in X_resampled.iloc[160:].to_dict("records"))
    assert sampler.n_filled_ == {"yes": 0}
    assert len(seeds) == 1
    assert isinstance(seeds[0], int)


@pytest.mark.parametrize(
    "answer", ["", "ill is no, age is 1, pay is 1, job is smith, town is Rome", "{}, job is king"]
)
def test_incomplete_sentences_are_asked_for_again_and_then_filled(table, answer):
    n_asked = []

    def model(prompts, random_state):
        n_asked.append(len(prompts))
        return [answer.format(prompt) for prompt in prompts]

    sampler = LanguageModelOversampler(model=model, random_state=0, **CATEGORIES)
    X_resampled, _ = sampler.fit_resample(*table)
    assert len(X_resampled) == 240
    assert n_asked == [80] * 5
    assert sampler.n_filled_ == {"yes": 80}


def test_a_callable_that_loses_sentences_is_told(table):
    sampler = LanguageModelOversampler(model=lambda prompts, seed: ["x"], **CATEGORIES)
    with pytest.raises(ValueError, match="1 sentences for 80 prompts"):
        sampler.fit_resample(*table)


def entropy_of_rows(rows):
    """In bits, of the joint distribution."""
    _, counts = np.unique(rows, axis=0, return_counts=True)
    shares = counts / counts.sum()
    return -np.sum(shares * np.log2(shares))


@pytest.mark.parametrize("model", ["counts", "transformer"])
def test_rows_are_more_diverse_with_feature_prompts_than_with_label_prompts(model):
    # Skewed categories, which a temperature below 1 makes rarer still unless a prompt names them.
    if model == "transformer":
        pytest.importorskip("tensorflow", reason="the transformer is a Keras model")
    # Of four seeds, the smallest difference is .9 bits for the counts, .35 for the transformer.
    rng = np.random.RandomState(0)
    skewed = rng.choice(4, p=[0.7, 0.15, 0.1, 0.05], size=(400, 3))
    X = np.column_stack([rng.normal(size=400), skewed])
    y = np.repeat([0, 1], [300, 100])
    entropies, shares = {}, {}
    for prompts in ("label", "features"):
        sampler = LanguageModelOversampler(
            model=model,
            prompts=prompts,
            categorical_features=[1, 2, 3],
            temperature=0.5,
            n_steps=400,
            random_state=0,
        )
        rows = sampler.fit_resample(X, y)[0][400:, 1:]
        entropies[prompts] = entropy_of_rows(rows)
        shares[prompts] = np.mean(rows == 0)
        assert len(rows) == 200
    assert entropies["features"] > entropies["label"] + 0.05
    assert shares["features"] < shares["label"]


def test_one_seed_gives_the_same_rows_from_the_transformer():
    pytest.importorskip("tensorflow", reason="the transformer is a Keras model")
    X, y = make_classification(60, 4, weights=[0.7], random_state=0)
    first, second = (
        LanguageModelOversampler(model="transformer", n_steps=2, random_state=3).fit_resample(X, y)
        for _ in range(2)
    )
    np.testing.assert_array_equal(first[0], second[0])


@pytest.mark.parametrize(
    "parameters",
    [{"temperature": 0.0}, {"n_bins": 0}, {"n_steps": 0}, {"prompts": "x"}, {"model": "gpt"}],
)
def test_parameters_out_of_range_are_named(parameters):
    name, value = next(iter(parameters.items()))
    X, y = make_classification(60, 4, weights=[0.7], random_state=0)
    with pytest.raises(ValueError, match=f"{name}={value!r}: give"):
        LanguageModelOversampler(**parameters).fit_resample(X, y)
