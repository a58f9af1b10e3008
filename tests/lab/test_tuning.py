"""Choosing a value: which rows choose it, and which score it gets."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from imblearn import FunctionSampler
from imblearn.over_sampling import SMOTE
from scipy import stats
from scipy.special import expit, logit

from simpor import SIMPOR
from simpor.lab import tuning
from simpor.lab.datasets import moon
from simpor.lab.intervals import paired_differences
from simpor.lab.network import Network
from simpor.lab.protocol import SOUND, run
from simpor.lab.tuning import (
    CHOICES,
    FIXED_IN_PAPERS,
    SENSITIVITY,
    Choice,
    candidates,
    long_rows,
    means_by_value,
    scores_by_selection,
    sensitivity,
)

SMALL = (
    Choice("raw", "threshold", 0.5, (0.1, 0.5), lambda value, seed: FunctionSampler()),
    Choice(
        "smote",
        "k_neighbors",
        5,
        (3, 5, 500),
        lambda value, seed: SMOTE(k_neighbors=value, random_state=seed),
    ),
)


@pytest.fixture(scope="module")
def protocol():
    return replace(SOUND, network=lambda name: Network((8,), epochs=3))


@pytest.fixture(scope="module")
def data():
    return moon(4, n_samples=200)


@pytest.fixture(scope="module")
def rows(data, protocol):
    return candidates(data, protocol, folds=[0, 2], choices=SMALL, n_jobs=1)


def test_every_method_has_ten_values_and_the_papers_is_one():
    for choice in CHOICES:
        assert len(set(choice.values)) == 10
        assert choice.paper in choice.values
        for seed in (0, None):
            choice.make(choice.paper, seed)


def test_sensitivity_is_about_simpor_alone():
    for choice in SENSITIVITY:
        simpor = choice.make(choice.values[0], 0)
        assert isinstance(simpor, SIMPOR)
        assert simpor.max_iter == (SIMPOR().max_iter if choice in FIXED_IN_PAPERS else 300)
    bandwidth, k = FIXED_IN_PAPERS
    assert bandwidth.make(0.4, 0).bandwidth == 0.4
    assert k.make(7, 0).k_neighbors == 7


def test_test_scores_are_those_of_the_protocol(rows, data, protocol):
    expected, _ = run(
        data, replace(protocol, tune_all=False), ["raw", "smote"], folds=[0, 2], n_jobs=1, verbose=0
    )
    expected = expected[expected["metric"] == "f1"].set_index(["fold", "method"])["value"]
    five = rows[rows["value"].isin([0.5, 5])].set_index(["fold", "method"])["test"]
    pd.testing.assert_series_equal(five.sort_index(), expected.sort_index(), check_names=False)


def test_sensitivity_is_the_test_scores_alone(rows, data, protocol):
    alone = sensitivity(data, protocol, folds=[0, 2], choices=SMALL, n_jobs=1)
    pd.testing.assert_frame_equal(alone, rows.drop(columns="inside"))


def test_each_value_is_scored_on_both_parts_of_each_split(rows):
    assert len(rows) == 2 * (2 + 3)
    failed = rows["value"] == 500  # more neighbours than rows
    assert rows.loc[failed, ["test", "inside"]].isna().all(axis=None)
    assert rows.loc[~failed, ["test", "inside"]].notna().all(axis=None)


def test_scores_inside_never_see_the_test_part(rows, data, protocol):
    _, test = next(iter(protocol.splits(0).split(data.X, data.y)))
    X, y = data.X.copy(), data.y.copy()
    X[test] = 1e3
    other = candidates(replace(data, X=X, y=y), protocol, folds=[0], choices=SMALL, n_jobs=1)
    both = rows[rows["fold"] == 0].merge(other, on=["fold", "method", "value"])
    pd.testing.assert_series_equal(both["inside_x"], both["inside_y"], check_names=False)
    assert not np.allclose(both["test_x"], both["test_y"], equal_nan=True)


def test_ways_choose_where_they_say():
    rows = pd.DataFrame(
        {
            "fold": [0, 0, 0, 1, 1, 1],
            "method": "smote",
            "value": [4, 5, 6] * 2,
            "test": [0.9, 0.6, 0.5, 0.1, 0.6, 0.8],
            "inside": [0.1, 0.2, 0.3, 0.5, 0.5, 0.4],
        }
    )
    table = scores_by_selection(rows)
    assert table["paper"].to_list() == [0.6, 0.6]
    assert table["inside"].to_list() == [0.5, 0.6]  # of equals the nearest to the paper's
    assert table["test, one value"].to_list() == [0.5, 0.8]  # 6 has the best mean
    assert table["test, each split"].to_list() == [0.9, 0.8]


def test_ways_leave_out_what_no_choice_is_about():
    rows = pd.DataFrame(
        {
            "fold": 0,
            "method": ["smote", "simpor-converged, k"],
            "value": 5,
            "test": [0.5, 0.6],
            "inside": [0.5, np.nan],
        }
    )
    assert scores_by_selection(rows).index.to_list() == [(0, "smote")]


def test_a_value_that_fails_somewhere_is_not_chosen():
    rows = pd.DataFrame(
        {
            "fold": [0, 0, 1, 1],
            "method": "smote",
            "value": [5, 9] * 2,
            "test": [0.5, 0.9, 0.5, np.nan],
            "inside": [0.5, 0.9, 0.5, 0.9],
        }
    )
    assert (scores_by_selection(rows) == 0.5).all(axis=None)


def test_a_value_that_fails_gets_the_score_of_raw_data():
    rows = pd.DataFrame(
        {
            "fold": 0,
            "method": ["raw", "raw", "adasyn", "adasyn"],
            "value": [0.5, 0.4, 5, 6],
            "test": [0.7, 0.8, np.nan, 0.6],
            "inside": [0.4, 0.9, np.nan, 0.3],
        }
    )
    adasyn = scores_by_selection(rows).loc[(0, "adasyn")]
    assert adasyn.to_list() == [0.7, 0.7, 0.7, 0.7]


def test_a_curve_has_the_interval_of_a_mean_for_every_value():
    scores = np.random.default_rng(0).uniform(0.6, 1, size=(2, 5))
    rows = pd.DataFrame(
        {
            "fold": [*range(5)] * 2,
            "method": "smote",
            "value": np.repeat([9, 3], 5),
            "test": scores.ravel(),
        }
    )
    table = means_by_value(
        pd.concat([rows, rows.assign(method="other", test=0)]), "smote", test_share=0
    )
    assert table.index.to_list() == [3, 9]
    for value, column in zip((9, 3), scores):
        low, high = stats.ttest_1samp(column, 0).confidence_interval()
        mean = column.mean()
        # on the scale of the log odds, whose slope at the mean is 1 / (mean (1 - mean))
        reach = (high - low) / 2 / (mean * (1 - mean))
        ends = expit(logit(mean) + np.array([-reach, reach]))
        np.testing.assert_allclose(table.loc[value], [mean, *ends])
    wider = means_by_value(rows, "smote")
    widths = [np.diff(logit(both[["low", "high"]]), axis=1) for both in (wider, table)]
    np.testing.assert_allclose(widths[0] / widths[1], np.sqrt(1 + 5 * 0.25))


def test_intervals_of_means_stay_inside_the_range_of_a_score():
    rows = pd.DataFrame(
        {"fold": range(5), "method": "smote", "value": 5, "test": [1, 1, 1, 1, 0.9]}
    )
    table = means_by_value(rows, "smote").loc[5]
    assert 0 < table["low"] < table["mean"] < table["high"] < 1
    same = means_by_value(rows.assign(test=1.0), "smote").loc[5]
    assert same.tolist() == [1, 1, 1]


def test_long_rows_can_be_paired(rows):
    difference = paired_differences(long_rows(rows, "smote"), "5", "f1").loc["3", "difference"]
    test = rows[rows["method"] == "smote"].pivot(index="fold", columns="value", values="test")
    np.testing.assert_allclose(difference, (test[3] - test[5]).mean())


def test_records_and_reads(tmp_path, monkeypatch, data, rows):
    def stub(method):
        def run(data, protocol, verbose, choices=None):
            calls.append((method, protocol.name, choices is FIXED_IN_PAPERS))
            return rows.assign(method=method).drop(columns="inside" if method == "s" else [])

        return run

    calls = []
    monkeypatch.setattr(tuning, "load", lambda name: data)
    monkeypatch.setattr(tuning, "candidates", stub("c"))
    monkeypatch.setattr(tuning, "sensitivity", stub("s"))
    with pytest.raises(FileNotFoundError, match="python -m simpor.lab.tuning"):
        tuning.read("glass0", "sound", tmp_path)
    tuning.main(["--results", str(tmp_path), "--datasets", "glass0"])
    tuning.main(["--results", str(tmp_path), "--datasets", "glass0"])
    assert calls == [("s", "published", False), ("s", "sound", True), ("c", "sound", False)]
    first_line = (tmp_path / "sound" / "glass0.csv").read_text().splitlines()[0]
    assert re.fullmatch(
        r"# Made by python -m simpor.lab.tuning in \d+\.\d minutes with \d+ cores.", first_line
    )
    published, sound = (tuning.read("glass0", name, tmp_path) for name in ("published", "sound"))
    assert published.columns.to_list() == ["fold", "method", "value", "test"]
    recorded = sound[sound["method"] == "c"].drop(columns="method")
    pd.testing.assert_frame_equal(recorded, rows.drop(columns="method"), rtol=1e-5)
    assert sound[sound["method"] == "s"]["inside"].isna().all()


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["--datasets", "glass"], "There is no data set 'glass': did you mean 'glass"),
        (["--results", __file__], f"--results {__file__}: File exists; name another folder."),
    ],
)
def test_wrong_arguments_are_refused_in_a_sentence(arguments, sentence, tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        tuning.main(["--results", str(tmp_path / "scores"), *arguments])
    assert sentence in capsys.readouterr().err


def test_old_names_are_forwarded_with_a_warning():
    with pytest.warns(FutureWarning, match="import scores_by_selection from simpor.lab.tuning"):
        assert tuning.ways is scores_by_selection
