"""A comparison of one's own table, from reading it to the page that is written."""

import os
import signal
import subprocess
import sys
import threading
from html.parser import HTMLParser

import joblib
import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import SMOTENC
from pandas.testing import assert_frame_equal
from sklearn.datasets import make_classification
from sklearn.model_selection import cross_val_predict
from threadpoolctl import threadpool_limits

from simpor import SIMPOR
from simpor.lab import _compare_folds, _compare_table
from simpor.lab import compare as module
from simpor.lab._compare_decision import decide, number, scores_of
from simpor.lab._compare_folds import (
    Costs,
    Outcome,
    copies_across,
    out_of_fold_threshold,
    splits_of,
)
from simpor.lab._compare_models import METHODS, make_steps, shift_share
from simpor.lab._compare_table import prepare, read_rows, read_table, single_column_auc
from simpor.lab.compare import compare, main

EVIL = "<script>alert(1)</script>"
FORMULA = "=1+1"


def mixed(n=400, seed=0):
    """A table with everything in it, one row in five positive."""
    X, y = make_classification(n, 4, weights=[0.8], random_state=seed)
    frame = pd.DataFrame(X, columns=[EVIL, FORMULA, "b'\"c", "d"])
    frame.loc[::7, "d"] = np.nan
    frame["colour"] = np.random.default_rng(seed).choice(["red", "green", "blue & co"], n)
    frame["flag"] = frame["d"] > 0
    frame["fraud"] = np.where(y == 1, "yes", "no")
    return frame


def few(table, target, *arguments):
    """Arguments of the command for a comparison that takes a second."""
    return [
        str(table),
        "--target",
        target,
        "--quick",
        "--jobs=1",
        "--learner=logistic",
        "--methods",
        "threshold",
        "smote",
        *arguments,
    ]


def complaint(capsys, *arguments):
    """What the command says when it refuses, in one line."""
    with pytest.raises(SystemExit) as refused:
        main(list(arguments))
    assert refused.value.code == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said
    return said.rsplit("error: ", 1)[1].strip()


@pytest.fixture(scope="module")
def report():
    frame = mixed()
    return compare(
        frame.drop(columns="fraud"),
        frame["fraud"],
        learners=["logistic"],
        methods=["threshold", "class-weights", "smote", "simpor-quick"],
        quick=True,
        random_state=0,
        n_jobs=1,
        verbose=0,
    )


def test_all_methods_work_on_numbers_and_categories(report):
    assert (report.scores["failure"] == "").all()
    assert set(report.scores["method"]) == {*report.summary["method"]}
    assert len(report.summary) == 5


# ---- columns


def test_columns_are_told_apart():
    frame = mixed(100)
    frame["day"] = pd.date_range("2024-01-01", periods=100).astype(str)
    frame["same"] = "a"
    frame["id"] = [f"no {i}" for i in range(100)]
    frame["number"] = range(1000, 1100)
    table = prepare(frame.drop(columns="fraud"), frame["fraud"])
    assert table.numbers == [EVIL, FORMULA, "b'\"c", "d", "flag"]
    assert table.categories == ["colour"]
    said = "\n".join(table.notes)
    assert "dates (name one with --time" in said and "'day'" in said
    assert "all values are the same: 'same'" in said
    assert "all values are different, as in an identifier: 'id', 'number'" in said
    assert "Missing values are filled inside the folds" in said and "'d'" in said


@pytest.mark.parametrize(
    "text, numbers",
    [
        (["1", " 2 ", "3.5"], [1, 2, 3.5]),
        (["1,234.5", "2,000", "7"], [1234.5, 2000, 7]),
        (["1.234,5", "2,25", "7"], [1234.5, 2.25, 7]),
        (["$ 5", "6 %", "€7"], [5, 6, 7]),
        (["True", "false", None], [1, 0, np.nan]),
        ([1, "2", 3.0], [1, 2, 3]),
        (["inf", "1", "2"], [np.nan, 1, 2]),
    ],
)
def test_text_that_holds_numbers_becomes_numbers(text, numbers):
    frame = pd.DataFrame({"a": text * 10, "b": [0.0, 1.0, 2.5] * 10})
    table = prepare(frame, pd.Series(([0, 0, 1]) * 10, name="y"))
    assert table.numbers == ["a", "b"]
    np.testing.assert_array_equal(table.X["a"][:3], numbers)


def test_a_few_words_among_numbers_are_missing_values_and_named():
    values = [str(i % 7) for i in range(100)]
    values[3] = "unknown"
    table = prepare(pd.DataFrame({"a": values}), pd.Series([0, 0, 0, 1] * 25, name="y"))
    assert table.X["a"].isna().sum() == 1
    assert any("1 values taken as missing ('unknown')" in note for note in table.notes)


def test_a_planted_leak_is_named_and_noise_is_not():
    frame = mixed()
    y = (frame.pop("fraud") == "yes").astype(int)
    frame["copied"] = np.where(y == 1, "late", "on time")
    frame["shifted"] = y + np.random.default_rng(0).normal(0, 0.01, len(y))
    table = prepare(frame, y.rename("fraud"))
    leaks = [warning for warning in table.warnings if "gives the answer away" in warning]
    assert [leak.split(" alone")[0] for leak in leaks] == ["'copied'", "'shifted'"]


def test_a_column_of_many_categories_does_not_look_like_a_leak():
    y = np.array([0, 0, 0, 1] * 100)
    codes = pd.Series(np.random.default_rng(0).integers(0, 390, 400).astype(str))
    assert single_column_auc(codes, y) < 0.7
    assert single_column_auc(pd.Series(y.astype(str)), y) == 1
    assert single_column_auc(pd.Series(np.where(y == 1, np.nan, 0.5)), y) == 1


def test_copies_across_the_split_are_named_and_groups_keep_them_together():
    frame = mixed(300)
    frame = pd.concat([frame] * 2, ignore_index=True)
    frame["patient"] = list(range(300)) * 2
    X, y = frame.drop(columns=["fraud", "patient"]), frame["fraud"]
    apart = prepare(X, y)
    n_copies, share = copies_across(apart, splits_of(apart, 1, 0))
    assert n_copies == 600 and share > 0.7
    together = prepare(X, y, groups=frame["patient"])
    splits = splits_of(together, 2, 0)
    assert copies_across(together, splits)[1] == 0
    for train, test in splits:
        assert not set(together.groups[train]) & set(together.groups[test])
    module.plan(apart, True, 0)
    assert any("exact copy" in warning for warning in apart.warnings)
    module.plan(together, True, 0)
    assert not together.warnings


def test_a_few_copies_in_a_large_table_are_no_warning():
    frame = mixed(1000)
    frame.iloc[1] = frame.iloc[0]
    table = prepare(frame.drop(columns="fraud"), frame["fraud"])
    splits = module.plan(table, True, 0)
    n_copies, share = copies_across(table, splits)
    assert n_copies == 2 and 0 < share < 0.005
    assert not table.warnings


def test_by_time_every_training_part_is_earlier():
    frame = mixed(300)
    frame["when"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(
        np.random.default_rng(0).permutation(300), "h"
    )
    table = prepare(frame.drop(columns="fraud"), frame["fraud"], time="when")
    assert "when" not in table.X
    order = np.argsort(frame["when"].to_numpy())
    np.testing.assert_array_equal(table.y, (frame["fraud"] == "yes").to_numpy()[order])
    for train, test in splits_of(table, 2, 0):
        assert train.max() < test.min()


# ---- the target


@pytest.mark.parametrize(
    "values, said",
    [
        (["a"] * 40, "one class only, 'a'"),
        (list("abcd") * 10, "4 classes: 'a' (10 rows), .* Choose the one that matters"),
        ([i / 7 for i in range(40)], "is a number with 40 values, not a class.*--positive '>"),
        ([0] * 37 + [1] * 3, "3 rows.*cannot be concluded whether any remedy helps"),
        ([0, 1] * 20, "two classes of 20 rows each"),
        ([None] * 40, "has no values"),
    ],
)
def test_a_target_that_cannot_be_used_gets_a_sentence(values, said):
    with pytest.raises(ValueError, match=said.replace("(", r"\(").replace(")", r"\)")):
        prepare(mixed(40).drop(columns="fraud"), pd.Series(values, name="y"))


@pytest.mark.parametrize("positive, n", [("2", 20), (2, 20), (">1", 20), ("<=0", 20), (">=1", 40)])
def test_the_positive_class_is_a_value_or_a_cut(positive, n):
    y = pd.Series([0.0, 1.0, 2.0] * 20, name="y")
    table = prepare(mixed(60).drop(columns="fraud"), y, positive=positive)
    assert table.y.sum() == n


def test_of_two_classes_the_rarer_is_positive_and_rows_without_a_class_go():
    frame = mixed(100)
    frame.loc[:4, "fraud"] = None
    table = prepare(frame.drop(columns="fraud"), frame["fraud"])
    assert len(table.y) == 95 and table.y.mean() < 0.5
    assert any("5 rows have no value in 'fraud'" in note for note in table.notes)


# ---- files


def test_a_long_file_is_sampled_evenly_and_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr(_compare_table, "_CHUNK", 100)
    path = tmp_path / "long.csv"
    pd.DataFrame({"i": range(5000), "y": 0}).to_csv(path, index=False)
    frame, notes = read_rows(path, 400, random_state=0)
    rows = frame["i"].astype(int).to_numpy()
    assert len(rows) == 400 and np.all(np.diff(rows) > 0)
    assert abs(rows.mean() - 2500) < 5 * 5000 / np.sqrt(12 * 400)
    assert "5,000 rows. A sample of 400" in notes[0]
    whole, notes = read_rows(path, 5000, random_state=0)
    assert len(whole) == 5000 and not notes


def test_mixed_encodings_are_read_and_named(tmp_path):
    path = tmp_path / "mixed.csv"
    path.write_bytes(b"name;y\n" + "Zoë;1\n".encode() + "Zoë;0\n".encode("latin-1"))
    frame, notes = read_rows(path, 10, 0)
    assert frame["name"].tolist() == ["Zoë", "Zoë"]
    assert notes[0].startswith("1 bytes of the file are not UTF-8")
    path.write_bytes("name\ty\nZoë\t1\n".encode("utf-16"))
    assert read_rows(path, 10, 0)[0].loc[0, "name"] == "Zoë"


def test_a_compressed_file_is_read(tmp_path):
    mixed(90).to_csv(tmp_path / "t.csv.gz", index=False)
    assert len(read_table(tmp_path / "t.csv.gz", "fraud", positive="yes").y) == 90


def test_a_file_that_cannot_be_read_gets_a_sentence(tmp_path, capsys):
    table = tmp_path / "t.csv"
    mixed(60).to_csv(table, index=False)
    assert "Did you mean 'fraud'?" in complaint(capsys, *few(table, "frad"))
    assert "no column 'patient'" in complaint(capsys, *few(table, "fraud", "--groups=patient"))
    assert "there is no such file" in complaint(capsys, *few(tmp_path / "u.csv", "fraud"))
    assert "is a folder" in complaint(capsys, *few(tmp_path, "fraud"))
    (tmp_path / "empty.csv").write_text("")
    assert "is empty" in complaint(capsys, *few(tmp_path / "empty.csv", "fraud"))
    (tmp_path / "head.csv").write_text("a,fraud\n")
    assert "has no rows" in complaint(capsys, *few(tmp_path / "head.csv", "fraud"))
    (tmp_path / "ragged.csv").write_text("a,fraud\n1,2\n1,2,3\n")
    assert "every line needs the same number" in complaint(
        capsys, *few(tmp_path / "ragged.csv", "fraud")
    )
    (tmp_path / "t.parquet").write_bytes(b"no parquet")
    assert "parquet" in complaint(capsys, *few(tmp_path / "t.parquet", "fraud"))
    assert not list(tmp_path.glob("report*"))


def test_options_that_make_no_sense_get_a_sentence(tmp_path, capsys):
    table = tmp_path / "t.csv"
    mixed(60).to_csv(table, index=False)
    itself = tmp_path / "t.scores.csv"
    mixed(60).to_csv(itself, index=False)
    output = f"--output={tmp_path}/t"
    assert "the table itself" in complaint(capsys, *few(itself, "fraud", "--again", output))
    assert "both costs" in complaint(capsys, *few(table, "fraud", "--cost-of-miss=3"))
    assert "above 0" in complaint(
        capsys, *few(table, "fraud", "--cost-of-miss=3", "--cost-of-alarm=0")
    )
    assert "not both" in complaint(capsys, *few(table, "fraud", "--groups=d", "--time=flag"))
    (tmp_path / "file").write_text("")
    assert "name another place" in complaint(
        capsys, *few(table, "fraud", f"--output={tmp_path}/file/report")
    )


# ---- what is compared


def test_methods_fit_the_types_of_the_columns(report):
    steps = dict(make_steps(report.table, METHODS["smote"], "logistic", 0))
    assert isinstance(steps["sampler"], SMOTENC)
    steps = dict(make_steps(report.table, METHODS["simpor"], "logistic", 0))
    assert isinstance(steps["sampler"], SIMPOR)
    assert list(steps["sampler"].categorical_features) == [5]


def test_the_threshold_is_chosen_inside_the_training_part(report):
    """The test labels have no say: turned round, they leave every threshold as it was."""
    table = report.table
    train, test = report.splits[0]
    outcome = _compare_folds.run_method(
        table, "threshold", ["logistic"], (train, test), 0, None, 3
    )[0]
    turned = table.y.copy()
    turned[test] = 1 - turned[test]
    other = _compare_folds.run_method(
        _compare_table.replace(table, y=turned),
        "threshold",
        ["logistic"],
        (train, test),
        0,
        None,
        3,
    )[0]
    assert outcome.threshold == other.threshold
    np.testing.assert_array_equal(outcome.probability, other.probability)
    assert not outcome.failure and outcome.threshold != 0.5


def test_the_cheapest_threshold_is_cheapest(report):
    table, costs = report.table, Costs(miss=10, alarm=1)
    rows = np.arange(len(table.y))
    steps = make_steps(table, METHODS["nothing"], "logistic", 0)
    model = _compare_folds.Pipeline(steps)
    threshold = out_of_fold_threshold(table, model, rows, costs, seed=0)
    inner = _compare_folds.StratifiedKFold(4, shuffle=True, random_state=0)
    probability = cross_val_predict(model, table.X, table.y, cv=inner, method="predict_proba")[:, 1]
    best = costs.per_thousand(table.y, probability >= threshold)
    for other in np.linspace(0, 1, 101):
        assert best <= costs.per_thousand(table.y, probability >= other) + 1e-12


def test_shares_shift_as_bayes_says():
    """With the densities 2x and 2(1 - x), the probability is known for every share."""
    x = np.linspace(0.01, 0.99, 50)
    at_half, at_tenth = x, 0.1 * x / (0.1 * x + 0.9 * (1 - x))
    np.testing.assert_allclose(shift_share(at_half, 0.5, 0.1), at_tenth, rtol=1e-12)
    np.testing.assert_allclose(shift_share(at_tenth, 0.1, 0.5), at_half, rtol=1e-12)
    certain = shift_share(1 - np.geomspace(1e-16, 1e-3, 100), 0.5, 0.031)
    assert certain.max() <= 1


def test_with_costs_the_cost_is_the_score():
    frame = mixed(1500)
    costly = compare(
        frame.drop(columns="fraud"),
        frame["fraud"],
        learners=["logistic"],
        methods=["threshold-by-costs", "threshold", "class-weights"],
        cost_of_miss=20,
        cost_of_alarm=1,
        quick=True,
        random_state=0,
        n_jobs=1,
        verbose=0,
    )
    own = costly.summary.set_index("method")
    assert costly.decision.score.name == "cost" and "cheaper" in costly.sentences[1]
    assert np.isclose(own.loc["threshold-by-costs", "threshold"], 1 / 21)
    assert own.loc["nothing", "threshold"] == 0.5
    # Weights make the classes equal, so their threshold moves up: the same decision in the end.
    assert own.loc["class-weights", "threshold"] > 1 / 21
    assert costly.decision.method != "nothing"
    nothing = costly.predictions[costly.predictions["method"] == "nothing"]
    by_hand = [
        costs_by_hand(rows["y"], rows["probability"] >= 0.5) for _, rows in nothing.groupby("fold")
    ]
    assert np.isclose(own.loc["nothing", "score"], np.mean(by_hand))


def costs_by_hand(y, predicted):
    return (20 * ((y == 1) & ~predicted).sum() + ((y == 0) & predicted).sum()) / len(y) * 1000


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.000"), (0.0004, "0.0004"), (0.0617, "0.062"), (13.791, "13.8"), (-1245.3, "-1,245")],
)
def test_numbers_have_digits_that_can_be_read(value, text):
    assert number(value) == text


def test_a_method_that_fails_is_named_and_left_out(monkeypatch):
    def fail(categorical, n_columns, seed):
        raise ValueError("no such rows <here>")

    monkeypatch.setitem(METHODS, "smote", _compare_table.replace(METHODS["smote"], sampler=fail))
    frame = mixed(200)
    broken = compare(
        frame.drop(columns="fraud"),
        frame["fraud"],
        learners=["logistic"],
        methods=["smote"],
        quick=True,
        random_state=0,
        n_jobs=1,
        verbose=0,
    )
    assert broken.summary["method"].tolist() == ["nothing"]
    assert "no such rows &lt;here&gt;" in broken.to_html()


# ---- the rule


def made_up(gains, n_folds=10, noise=0.001):
    """Scores of methods that differ from "nothing" by these gains, and the splits they are of."""
    rng = np.random.default_rng(0)
    rows = []
    for fold in range(n_folds):
        level = 0.7 + 0.05 * rng.normal()
        for method, gain in gains.items():
            about = {"learner": "logistic", "method": method, "fold": fold, "seed": 0}
            about |= {"seconds": 1.0, "failure": "", "value": level + gain + noise * rng.normal()}
            rows += [about | {"metric": metric} for metric in ("f1", "threshold")]
    return pd.DataFrame(rows), [(np.arange(80), np.arange(80, 100))] * n_folds


@pytest.mark.parametrize(
    "gains, kept",
    [
        ({"nothing": 0, "threshold": 0.0, "smote": 0.0}, "nothing"),
        ({"nothing": 0, "threshold": 0.05, "smote": 0.05}, "threshold"),
        ({"nothing": 0, "threshold": 0.05, "smote": 0.04}, "threshold"),
        ({"nothing": 0, "threshold": 0.05, "smote": 0.09, "simpor": 0.08}, "smote"),
        ({"nothing": 0, "threshold": -0.05, "smote": -0.02}, "nothing"),
        ({"nothing": 0, "threshold": -0.05, "smote": 0.05}, "smote"),
        ({"nothing": 0, "smote": 0.05}, "smote"),
    ],
)
def test_a_method_is_advised_only_if_it_beats_nothing_and_the_moved_threshold(gains, kept):
    scores, splits = made_up(gains)
    decision = decide(scores, splits, None)
    assert decision.method == kept
    assert len(decision.sentences) == 3 and all(s.endswith(".") for s in decision.sentences)


def test_a_gain_that_no_threshold_falls_behind_is_named():
    scores, splits = made_up({"nothing": 0, "threshold": 0.02, "smote": 0.02})
    is_threshold = (scores["method"] == "threshold") & (scores["metric"] == "f1")
    scores.loc[is_threshold, "value"] += np.tile([0.1, -0.1], 5)
    decision = decide(scores, splits, None)
    assert decision.method == "nothing"
    assert "SMOTE is 0.02" in decision.sentences[1]
    assert "not shown to be better than a moved threshold" in decision.sentences[1]


def test_what_the_folds_cannot_show_is_not_advised():
    scores, splits = made_up({"nothing": 0, "threshold": 0.05, "smote": 0.05}, noise=0.2)
    decision = decide(scores, splits, None)
    assert decision.method == "nothing"
    best = decision.table.loc[decision.table["gain"].idxmax()]
    assert f" {(best.gain_high - best.gain_low) / 2:.3f}: a smaller gain" in decision.sentences[2]


# ---- the report


class Page(HTMLParser):
    """Collects tags, and text outside of them."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text += data


def test_nothing_of_the_table_runs_in_the_page_and_nothing_is_loaded(report):
    page = Page(report.to_html())
    assert EVIL in page.text  # as text, not as a tag
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    names = {name for name, _ in page.attributes}
    assert not any(name.startswith("on") for name in names)
    linked = [v for name, v in page.attributes if name in ("src", "href", "xlink:href")]
    assert all(value.startswith("#") for value in linked)
    assert "default-src 'none'" in report.to_html()


def test_every_figure_has_words_and_takes_the_colour_of_the_page(report):
    page = report.to_html()
    assert page.count('<svg role="img" aria-label="') == 3
    assert "prefers-color-scheme: dark" in page and "currentColor" in page
    assert "#010203" not in page


def test_the_sentences_stand_in_the_page_and_in_a_notebook(report):
    for text in (report.to_html(), report._repr_html_()):
        assert all(sentence in Page(text).text for sentence in report.sentences)


def test_the_code_of_the_report_runs_and_fits_the_recommended_model(report, tmp_path, monkeypatch):
    frame = mixed()
    frame.to_csv(tmp_path / "it's.csv", index=False)
    monkeypatch.chdir(tmp_path)
    table = read_table("it's.csv", "fraud")
    read = "from simpor.lab.compare import read_table\ntable = read_table(\"it's.csv\", 'fraud')"
    recommended = [("nothing", "boosting")]
    recommended += [(name, "logistic") for name in ("smote", "simpor-quick", "tuned-size")]
    for name, learner in recommended:
        names: dict = {}
        with threadpool_limits(1):  # threads wait for one another where processors are few
            exec(module.code_of(table, METHODS[name], learner, 5, 0.25, read), names)
            by_hand = module.Pipeline(make_steps(table, METHODS[name], learner, 5))
            by_hand.fit(table.X, table.y)
        np.testing.assert_array_equal(
            names["model"].predict(table.X), by_hand.predict_proba(table.X)[:, 1] >= 0.25
        )
    X, y = frame.drop(columns="fraud"), frame["fraud"]
    names = {"X": X, "y": y}
    exec(report.code, names)
    np.testing.assert_array_equal(
        names["model"].predict(report.table.X), report.fit().predict(report.table.X)
    )


def test_no_cell_of_the_rows_is_a_formula(report):
    scores = report.scores.copy()
    scores.loc[0, "failure"] = "@SUM(A1)"
    scores.loc[1, "failure"] = "-1"
    changed = module.Report(**{**vars(report), "scores": scores})
    lines = changed.to_csv().splitlines()
    assert lines[1].endswith(",'@SUM(A1)") and lines[2].endswith(",'-1")
    assert_frame_equal(
        pd.read_csv(pd.io.common.StringIO(report.to_csv()), keep_default_na=False)[
            ["method", "fold"]
        ],
        report.scores[["method", "fold"]],
    )


def test_the_command_writes_what_was_asked_for_and_nothing_else(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mixed().to_csv("t.csv", index=False)
    assert main(few("t.csv", "fraud", "--save-model")) == 0
    written = ["report.html", "report.joblib", "report.scores.csv", "report.versions.json", "t.csv"]
    assert sorted(path.name for path in tmp_path.iterdir()) == written
    said = capsys.readouterr().out
    assert "ColumnTransformer(" in said and said.strip().endswith("report.html")
    model = joblib.load("report.joblib")
    assert set(model.predict(read_table("t.csv", "fraud").X)) == {0, 1}
    assert "scikit-learn" in (tmp_path / "report.versions.json").read_text()
    assert "report.html exists: give --again" in complaint(capsys, *few("t.csv", "fraud"))
    before = (tmp_path / "report.html").read_bytes()
    assert main(few("t.csv", "fraud", "--again")) == 0
    unchanged = len(before) - len((tmp_path / "report.html").read_bytes())
    assert abs(unchanged) < 200  # only seconds differ


def test_a_comparison_that_was_stopped_continues(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mixed().to_csv("t.csv", index=False)
    done = []
    run_method = _compare_folds.run_method

    def stop_after_three(*arguments):
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(arguments[1:2])
        return run_method(*arguments)

    monkeypatch.setattr(_compare_folds, "run_method", stop_after_three)
    assert main(few("t.csv", "fraud")) == 130
    assert "the same command continues" in capsys.readouterr().err
    kept = list(tmp_path.glob("report.parts/*/*.npz"))
    assert len(kept) == 3 and not (tmp_path / "report.html").exists()
    kept[0].write_bytes(b"damaged")

    again = []

    def count(*arguments):
        again.append(arguments[1])
        return run_method(*arguments)

    monkeypatch.setattr(_compare_folds, "run_method", count)
    assert main(few("t.csv", "fraud")) == 0
    assert len(again) == 3 * 5 - 2
    assert not (tmp_path / "report.parts").exists()
    monkeypatch.setattr(_compare_folds, "run_method", run_method)
    first = pd.read_csv("report.scores.csv").drop(columns="seconds")
    assert main(few("t.csv", "fraud", "--output=whole")) == 0
    assert_frame_equal(pd.read_csv("whole.scores.csv").drop(columns="seconds"), first)


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent in another way there")
def test_ctrl_c_ends_with_a_sentence(tmp_path):
    mixed(2000).to_csv(tmp_path / "t.csv", index=False)
    # A shell that starts tests in the background has them ignore Ctrl-C: hence the first two names.
    program = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from simpor.lab.compare import main; "
        "sys.exit(main(['t.csv', '--target=fraud', '--quick', '--learner=logistic']))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    seen = b""
    while b"comparing" not in seen:
        seen += os.read(process.stderr.fileno(), 1000)
    os.kill(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"the same command continues" in said


def test_after_ctrl_c_a_thread_that_fails_is_not_printed(tmp_path, capsys, monkeypatch):
    """As joblib's own thread may, while the processes that it waits for go."""
    monkeypatch.chdir(tmp_path)
    mixed().to_csv("t.csv", index=False)
    interrupted = threading.Event()

    def fail():
        interrupted.wait(60)
        raise RuntimeError("the processes are gone")

    thread = threading.Thread(target=fail)

    def stop(*arguments, **settings):
        thread.start()
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(module, "run_all", stop)
    printed = []
    monkeypatch.setattr(threading, "excepthook", printed.append)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert main(few("t.csv", "fraud")) == 130
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    interrupted.set()
    thread.join()
    assert not printed and "the same command continues" in capsys.readouterr().err


def test_a_full_disk_gets_a_sentence(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mixed().to_csv("t.csv", index=False)

    def full(files):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "write_whole", full)
    said = complaint(capsys, *few("t.csv", "fraud"))
    assert "No space left on device. What is finished is kept in report.parts" in said
    assert len(list(tmp_path.glob("report.parts/*/*.npz"))) == 15


def test_outcomes_survive_the_disk(tmp_path):
    store = _compare_folds._Store(tmp_path, "content")
    outcome = Outcome("smote", "logistic", 2, np.array([0.1, 0.9]), 0.3, 0.5, 1.5, "why")
    store.write([outcome])
    (back,) = store.read("smote", 2, ["logistic"])
    np.testing.assert_array_equal(back.probability, outcome.probability)
    assert vars(back) | {"probability": 0} == vars(outcome) | {"probability": 0}
    assert _compare_folds._Store(tmp_path, "other").read("smote", 2, ["logistic"]) == []


def test_learners_that_all_fail_are_a_sentence_with_the_reason():
    y, splits = np.array([0, 0, 1, 1, 0, 1]), [(np.arange(4), np.arange(4, 6))] * 2
    outcomes = [
        Outcome("nothing", "logistic", fold, np.empty(0), 0.5, 0.5, 0.0, "ValueError: no such unit")
        for fold in range(2)
    ]
    scores = scores_of(outcomes, y, splits, None)
    with pytest.raises(ValueError, match="No learner could be trained .* no such unit"):
        decide(scores, splits, None)
