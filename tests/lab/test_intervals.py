import numpy as np
import pandas as pd
import pytest
from scipy import stats

from simpor.lab.intervals import (
    check_rerun,
    half_width,
    paired_differences,
    rerun_against_record,
)


def long_rows(values, metric="auc"):
    return pd.DataFrame(
        [
            (fold, 0, method, metric, value)
            for method, column in values.items()
            for fold, value in enumerate(column)
        ],
        columns=["fold", "seed", "method", "metric", "value"],
    )


def test_the_usual_interval_holds_the_mean_as_often_as_its_level_says():
    rng = np.random.default_rng(5)
    values = rng.normal(size=(4000, 6))
    half = half_width(values.std(axis=1, ddof=1), 6, 0, level=0.9)
    inside = np.abs(values.mean(axis=1)) <= half
    assert abs(inside.mean() - 0.9) < 4 * np.sqrt(0.9 * 0.1 / len(values))


def test_a_further_mean_lies_in_its_interval_as_often_as_its_level_says():
    rng = np.random.default_rng(6)
    values, further = rng.normal(size=(4000, 6)), rng.normal(size=(4000, 3)).mean(axis=1)
    half = half_width(values.std(axis=1, ddof=1), 6, 1 / 3, level=0.9)
    inside = np.abs(further - values.mean(axis=1)) <= half
    assert abs(inside.mean() - 0.9) < 4 * np.sqrt(0.9 * 0.1 / len(values))


def test_one_value_has_no_interval():
    assert np.isnan(half_width(np.nan, 1))


def test_without_a_test_part_the_interval_is_the_paired_t_interval():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 9))
    table = paired_differences(long_rows({"a": a, "b": b}), "b", "auc", test_share=0)
    usual = stats.ttest_rel(a, b).confidence_interval()
    np.testing.assert_allclose(table.loc["a", ["low", "high"]].to_list(), usual)


def test_correction_for_shared_training_rows_widens_it_as_the_formula_says():
    rng = np.random.default_rng(1)
    rows = long_rows(dict(zip("ab", rng.normal(size=(2, 10)))))
    width = [
        np.diff(paired_differences(rows, "b", "auc", test_share=share)[["low", "high"]].to_numpy())[
            0, 0
        ]
        for share in (0, 0.2)
    ]
    np.testing.assert_allclose(width[1] / width[0], np.sqrt((1 / 10 + 0.2 / 0.8) / (1 / 10)))


def test_verdict_says_on_which_side_of_zero_the_interval_lies():
    rng = np.random.default_rng(3)
    base, noise = rng.normal(size=(2, 10))
    rows = long_rows(
        {
            "base": base,
            "up": base + 1 + 0.01 * noise,
            "down": base - 1 + 0.01 * noise,
            "same": base + 0.1 * (noise - noise.mean()),
        }
    )
    verdict = paired_differences(rows, "base", "auc")["verdict"]
    assert verdict.to_dict() == {"up": "higher", "down": "lower", "same": "no difference seen"}


def test_a_failed_fold_is_left_out_on_both_sides():
    rows = long_rows({"a": [0.9, np.nan, 0.7], "b": [0.8, 0.1, 0.5]})
    table = paired_differences(rows, "b", "auc")
    assert table.loc["a", "folds"] == 2
    np.testing.assert_allclose(table.loc["a", "difference"], 0.15)


def test_a_baseline_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="baseline"):
        paired_differences(long_rows({"a": [1.0, 2.0]}), "raw", "auc")


def test_a_rerun_from_the_same_source_is_inside_and_another_one_outside():
    rng = np.random.default_rng(2)
    record = long_rows({"a": rng.normal(0.8, 0.02, size=10)})
    table = rerun_against_record(record[record["fold"] < 3], record)
    assert table["inside"].all() and table["same_fold"].max() == 0
    off = record[record["fold"] < 3].assign(value=lambda r: r["value"] + 0.2)
    table = rerun_against_record(off, record)
    assert not table["inside"].any()
    np.testing.assert_allclose(table["same_fold"], 0.2)


def test_one_recorded_value_gives_no_interval():
    record = long_rows({"a": [0.8]})
    with pytest.raises(ValueError, match="twice"):
        rerun_against_record(record, record)


def test_a_rerun_is_printed_if_it_is_expected_and_refused_if_not(capsys):
    rng = np.random.default_rng(7)
    record = long_rows({"a": rng.normal(0.8, 0.02, size=10)})
    rerun = record[record["fold"] == 0]
    check_rerun(rerun, record)
    printed = capsys.readouterr().out
    assert str(rerun["value"].iloc[0].round(3)) in printed
    assert "all 1 means lie inside" in printed
    assert printed.endswith("same fold 0.0000\n")
    with pytest.raises(AssertionError, match="outside"):
        check_rerun(rerun.assign(value=0.2), record)
