import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import SMOTE
from scipy import stats
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from simpor import SIMPOR
from simpor.lab.comparison import (
    SHOWN,
    ablation,
    ablation_effects,
    beside_paper,
    failures,
    hard_to_differentiate,
    original_and_reproduced,
    paired_differences,
    rerun_against_record,
    verdict,
)
from simpor.lab.datasets import moon
from simpor.lab.figures import hard_to_differentiate_ratio
from simpor.lab.methods import ABLATION


def long_rows(values, metric="auc"):
    return pd.DataFrame(
        [
            (fold, 0, method, metric, value)
            for method, column in values.items()
            for fold, value in enumerate(column)
        ],
        columns=["fold", "seed", "method", "metric", "value"],
    )


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


def six_of_the_ablation():
    rng = np.random.default_rng(4)
    base, noise = rng.normal(0.8, 0.02, size=(2, 10))
    values = dict.fromkeys(ABLATION, base + 0.01 * (noise - 0.8))
    values["simpor-converged"] = base + 0.1  # the one effect that there is
    return pd.concat([long_rows(values, metric) for metric in ("f1", "auc")]).assign(failure="")


def test_ablation_finds_the_effect_that_was_put_in():
    table = ablation_effects(six_of_the_ablation())["verdict"].xs("auc", level="metric")
    assert table.to_dict() == {
        "published rate - random direction": "no difference seen",
        "converged - random direction": "higher",
        "region - no region, published rate": "no difference seen",
        "region - no region, converged": "higher",
    }
    scores = ablation(six_of_the_ablation())
    assert list(scores.index) == ["random", "published rate", "converged"]
    assert float(scores.loc["converged", "f1, region"][:5]) > float(
        scores.loc["random", "f1, region"][:5]
    )


def recorded_rows():
    base = np.linspace(0.7, 0.9, 5)
    shift = dict.fromkeys(SHOWN, 0.0) | {"smote": -0.05, "simpor-published": 0.02}
    values = {
        method: base + s + 0.001 * np.arange(5) * (method != "raw") for method, s in shift.items()
    }
    return pd.concat([long_rows(values, metric) for metric in ("f1", "auc")]).assign(failure="")


def test_tables_beside_the_paper():
    printed = {("simpor-published", "f1"): 0.9, ("smote", "f1"): 0.8}
    table = beside_paper(printed, {"as published": recorded_rows()})
    assert table.loc["SMOTE", "f1, paper"] == "0.800" and table.loc["raw data", "f1, paper"] == "-"
    assert table.loc["raw data", "auc, as published"] == "0.800 +/- 0.079"

    drawn = original_and_reproduced(printed, recorded_rows(), "f1")
    np.testing.assert_allclose(
        drawn.loc["raw data", ["reproduced", "spread"]].to_list(), [0.8, 0.0790569], rtol=1e-6
    )
    assert np.isnan(drawn.loc["raw data", "published"])


def test_verdict_says_rank_and_who_is_beyond_the_interval():
    printed = {("SIMPOR", "f1"): 0.95, ("SMOTE", "f1"): 0.9, ("SIMPOR", "auc"): 0.5}
    paper, ranks, higher, lower, *_ = verdict(printed, {"sound": recorded_rows()})
    assert "SIMPOR's F1 is 0.950, the best other 0.900 (SMOTE), a lead of +0.050" in paper
    assert "rank 1 of 12" in ranks and "last SMOTE 0.752" in ranks
    assert "SIMPOR (published)" in higher and lower.endswith(": SMOTE")


def test_failures_are_counted_by_reason():
    rows = recorded_rows().assign(dataset="moon-7", protocol="sound")
    assert failures([rows]).empty
    failed = rows[(rows["method"] == "adasyn") & (rows["metric"] == "f1")].assign(
        failure="ValueError: no"
    )
    assert failures([rows, failed]).to_dict("records") == [
        {
            "dataset": "moon-7",
            "protocol": "sound",
            "method": "adasyn",
            "failure": "ValueError: no",
            "folds": 5,
        }
    ]


def test_shared_rows_are_counted_after_balancing_a_training_part():
    data = moon(7, n_samples=300)
    samplers = {
        "SMOTE": SMOTE(random_state=0),
        "SIMPOR": SIMPOR(informative_portion=1, max_iter=0, random_state=0),
    }
    table = hard_to_differentiate(data, samplers, 3)
    X, _, y, _ = train_test_split(data.X, data.y, test_size=0.25, stratify=data.y, random_state=3)
    X = StandardScaler().fit_transform(X)
    for method, sampler in samplers.items():
        balanced = sampler.fit_resample(X, y)
        assert table.loc[method, "ratio"] == hard_to_differentiate_ratio(*balanced)
        assert table.loc[method, "n_majority"] == table.loc[method, "n_minority"] == sum(y == 0)
    np.testing.assert_allclose(table["ratio"], table["n_intersection"] / table["n_minority"])
    assert table.loc["SIMPOR", "seeds"] == len(np.unique(samplers["SIMPOR"].seed_indices_))
    assert np.isnan(table.loc["SMOTE", "seeds"])
