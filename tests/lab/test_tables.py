import numpy as np
import pandas as pd
import pytest

from simpor.lab.methods import ABLATION
from simpor.lab.tables import (
    PRINTED_IN,
    SHOWN,
    ablation,
    ablation_effects,
    beside_figure_8,
    beside_paper,
    differences_to_raw,
    failures,
    in_words,
    mean_and_spread,
    original_and_reproduced,
    printed,
    score_table,
    standing,
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


def six_of_the_ablation():
    rng = np.random.default_rng(4)
    base, noise = rng.normal(0.8, 0.02, size=(2, 10))
    values = dict.fromkeys(ABLATION, base + 0.01 * (noise - 0.8))
    values["simpor-converged"] = base + 0.1  # the one effect that there is
    return pd.concat([long_rows(values, metric) for metric in ("f1", "auc")]).assign(failure="")


def test_ablation_finds_the_effect_that_was_put_in():
    table = ablation_effects(six_of_the_ablation())["verdict"].xs("AUC", level="metric")
    assert table.to_dict() == {
        "published rate - random direction": "no difference seen",
        "converged - random direction": "higher",
        "region - no region, published rate": "no difference seen",
        "region - no region, converged": "higher",
    }
    scores = ablation(six_of_the_ablation())
    assert list(scores.index) == ["random", "published rate", "converged"]
    assert float(scores.loc["converged", "F1, region"][:5]) > float(
        scores.loc["random", "F1, region"][:5]
    )


def recorded_rows():
    base = np.linspace(0.7, 0.9, 5)
    shift = dict.fromkeys(SHOWN, 0.0) | {"smote": -0.05, "simpor-published": 0.02}
    values = {
        method: base + s + 0.001 * np.arange(5) * (method != "raw") for method, s in shift.items()
    }
    return pd.concat([long_rows(values, metric) for metric in ("f1", "auc")]).assign(failure="")


def test_a_table_in_words_keeps_its_order_and_what_has_no_word():
    columns = pd.MultiIndex.from_product([["paper", "ours"], ["f1", "wins"]])
    table = pd.DataFrame([[1, 2, 3, 4], [5, 6, 7, 8]], index=["smote, new", 7], columns=columns)
    worded = in_words(table)
    assert list(worded.index) == ["SMOTE, new", 7]
    assert list(worded.columns.get_level_values(1)) == ["F1", "wins"] * 2
    np.testing.assert_array_equal(worded, table)
    assert "f1" in table.columns.get_level_values(1)


def test_a_mean_and_its_spread_leave_out_what_failed():
    assert mean_and_spread([0.8, np.nan, 0.9]) == "0.850 +/- 0.071"
    assert mean_and_spread([1, 2, 3], digits=1) == "2.0 +/- 1.0"
    assert mean_and_spread([]) == mean_and_spread([np.nan]) == "-"


def test_score_table_has_mean_spread_and_dashes():
    rows = pd.DataFrame(
        [
            ("SIMPOR", "f1", 0.8),
            ("SIMPOR", "f1", 0.9),
            ("raw", "f1", 0.7),
            ("raw", "f1", 0.7),
            ("SIMPOR", "auc", 0.9),
            ("SIMPOR", "auc", 0.9),
            ("raw", "auc", np.nan),
        ],
        columns=["method", "metric", "value"],
    )
    table = score_table(rows)
    assert table.columns.to_list() == ["f1", "auc"]
    assert table.loc["SIMPOR"].to_list() == ["0.850 +/- 0.071", "0.900 +/- 0.000"]
    assert table.loc["raw"].to_list() == ["0.700 +/- 0.000", "-"]
    chosen = score_table(rows, ["auc"], methods=["absent", "SIMPOR"], digits=1)
    assert chosen["auc"].to_list() == ["-", "0.9 +/- 0.0"]


def test_every_controlled_set_has_printed_scores_in_our_names():
    for dataset in PRINTED_IN:
        assert ("simpor-published", "f1") in printed(dataset)
    with pytest.raises(ValueError, match="moon-7"):
        printed("pima")


def test_tables_beside_the_paper():
    table = beside_paper("moon-3", {"as published": recorded_rows()})
    assert table.loc["SMOTE", "F1, paper"] == "0.862" and table.loc["GDO", "F1, paper"] == "-"
    assert table.loc["raw data", "AUC, as published"] == "0.800 +/- 0.079"

    drawn = original_and_reproduced("moon-3", recorded_rows(), "f1")
    np.testing.assert_allclose(
        drawn.loc["raw data", ["reproduced", "spread"]].to_list(), [0.8, 0.0790569], rtol=1e-6
    )
    assert drawn.loc["SMOTE", "published"] == 0.862
    assert np.isnan(drawn.loc["GDO", "published"])


def test_simpor_stands_at_its_rank_and_the_others_on_their_side_of_raw_data():
    table = standing("moon-3", {"sound": recorded_rows()})
    assert table.loc["paper"].to_list() == [
        "0.917",
        "1 of 3",
        "SMOTE 0.862",
        "+0.055",
        "raw data 0.852",
        *"----",
    ]
    ours = table.loc["sound"]
    assert (ours["rank"], ours["last other"]) == ("1 of 12", "SMOTE 0.752")
    assert "SIMPOR (published)" in ours["F1 higher than raw"]
    assert ours["AUC lower than raw"] == "SMOTE"
    nothing = recorded_rows().assign(value=lambda rows: 0.8 + 0.01 * rows["fold"])
    assert standing("moon-3", {"sound": nothing}).loc["sound", "F1 lower than raw"] == "none"


def test_differences_to_raw_data_have_a_panel_for_each_set_and_metric():
    panels = differences_to_raw({"moon-3": recorded_rows(), "moon-7": recorded_rows()})
    assert list(panels)[1] == "difference in AUC,\nmoon-3, sound"
    assert len(panels) == 4
    for table in panels.values():
        assert list(table.index) == [method for method in SHOWN if method != "raw"]
        np.testing.assert_allclose(table.loc["smote", "difference"], -0.048)


def test_figure_8_has_the_printed_ratio_and_a_column_for_each_split():
    counts = pd.DataFrame(
        [(0, "SMOTE", 0.5, np.nan), (0, "SIMPOR, no region", 0.1, 3)] * 2,
        columns=["split", "method", "ratio", "seeds"],
    )
    counts["split"] = [0, 0, 1, 1]
    table = beside_figure_8(counts)
    assert table.columns.to_list() == ["printed", "split 0", "split 1", "seeds 0", "seeds 1"]
    assert table.loc["SMOTE"].to_list() == ["59.6%", "50.0%", "50.0%", "-", "-"]
    assert table.loc["SIMPOR, no region"].to_list() == ["-", "10.0%", "10.0%", "3", "3"]


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
