import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from simpor.lab import statistics
from simpor.lab.colours import GREY
from simpor.lab.datasets import FAMILIES
from simpor.lab.published import P_VALUES, TAI_COLUMNS, WINNING_TIMES, forty_one

METRICS = ["f1", "auc"]
OTHERS = TAI_COLUMNS[1:]


@pytest.fixture
def ax():
    fig, ax = plt.subplots()
    yield ax
    plt.close(fig)


def random_table(n=12, k=4, seed=0):
    return pd.DataFrame(np.random.default_rng(seed).normal(size=(n, k)), columns=list("abcdef")[:k])


# the published tables --------------------------------------------------------------------------


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("metric", METRICS)
def test_table_iii_recomputes_to_its_three_digits(metric, other):
    p = statistics.wilcoxon_holm(forty_one(metric), "SIMPOR").loc[other, "p"]
    assert float(f"{p:.2E}") == P_VALUES.loc[other, metric]


def test_figure_5_recomputes():
    wins = {metric: statistics.winning_times(forty_one(metric))["wins"] for metric in METRICS}
    for row in WINNING_TIMES.itertuples():
        assert wins[row.metric][row.method] == row.value
    assert wins["f1"].nlargest(2).to_dict() == {"SIMPOR": 23, "SVMCS": 6}
    assert wins["auc"].nlargest(2).to_dict() == {"SIMPOR": 25, "EE": 10}


@pytest.mark.parametrize("metric, sole", [("f1", 21), ("auc", 19)])
def test_sole_wins_of_simpor(metric, sole):
    assert statistics.winning_times(forty_one(metric)).loc["SIMPOR", "sole_wins"] == sole


@pytest.mark.parametrize(
    "metric, chi2, p, ours, svmcs",
    [("f1", 37.9, 3e-6, 2.54, 4.28), ("auc", 72.4, 5e-13, 2.73, 3.32)],
)
def test_friedman_and_mean_ranks(metric, chi2, p, ours, svmcs):
    table = forty_one(metric)
    result = statistics.friedman(table)
    assert round(result["chi2"], 1) == chi2
    assert float(f"{result['p_chi2']:.0e}") == p
    assert result["p_F"] < result["p_chi2"]
    ranks = statistics.mean_ranks(table)
    assert ranks.nsmallest(2).round(2).to_dict() == {"SIMPOR": ours, "SVMCS": svmcs}
    assert ranks.sum() == pytest.approx(8 * 9 / 2)


# Another computation of the same tables: Hodges-Lehmann shift, p after Holm, win/tie/loss.
REANALYSIS = {
    "f1": {
        "GDO": (0.027, 1.1e-2, 31, 1, 9),
        "SMOTE": (0.020, 1.1e-2, 32, 1, 8),
        "BL-SMOTE": (0.020, 1.1e-2, 31, 2, 8),
        "ADASYN": (0.024, 1.1e-2, 32, 2, 7),
        "DeepSMOTE": (0.033, 4.5e-3, 33, 1, 7),
        "SVMCS": (0.018, 1.1e-2, 29, 3, 9),
        "EE": (0.017, 1.1e-2, 30, 2, 9),
    },
    "auc": {
        "GDO": (0.012, 5.8e-3, 28, 4, 9),
        "SMOTE": (0.019, 4.6e-4, 33, 3, 5),
        "BL-SMOTE": (0.019, 9.8e-4, 33, 3, 5),
        "ADASYN": (0.020, 2.5e-3, 30, 5, 6),
        "DeepSMOTE": (0.024, 1.3e-3, 29, 3, 9),
        "SVMCS": (0.006, 4.3e-2, 25, 4, 12),
        "EE": (0.006, 4.3e-2, 25, 4, 12),
    },
}


@pytest.mark.parametrize("metric", METRICS)
def test_reanalysis_of_the_published_tables(metric):
    table = forty_one(metric)
    shift = statistics.hodges_lehmann(table, "SIMPOR")["shift"]
    p_holm = statistics.wilcoxon_holm(table, "SIMPOR")["p_holm"]
    counts = statistics.win_tie_loss(table, "SIMPOR")
    found = {
        other: (
            pytest.approx(shift[other], abs=0.00051),
            float(f"{p_holm[other]:.1e}"),
            *counts.loc[other],
        )
        for other in OTHERS
    }
    assert found == REANALYSIS[metric]


@pytest.mark.parametrize("metric", METRICS)
def test_holm_may_be_applied_to_the_printed_p_values_by_hand(metric):
    printed = P_VALUES[metric].sort_values()
    by_hand = np.maximum.accumulate(printed * np.arange(7, 0, -1))
    found = statistics.wilcoxon_holm(forty_one(metric), "SIMPOR")["p_holm"]
    np.testing.assert_allclose(found[by_hand.index], by_hand, rtol=0.005)


def test_bayesian_test_of_the_published_auc():
    table = forty_one("auc")[["SIMPOR", "GDO", "SVMCS", "EE"]]
    found = statistics.bayesian_signed_rank(table, "SIMPOR", n_samples=4000)
    expected = {"GDO": (0.83, 0.17, 0), "SVMCS": (0.32, 0.68, 0), "EE": (0.45, 0.55, 0)}
    for other, probabilities in expected.items():
        np.testing.assert_allclose(found.loc[other], probabilities, atol=0.03)


def test_one_table_has_the_test_the_shift_and_the_weights_of_the_same_pairs():
    line = statistics.against(forty_one("auc"), "SIMPOR").loc["SVMCS"]
    p = statistics.wilcoxon_holm(forty_one("auc"), "SIMPOR").loc["SVMCS", "p_holm"]
    shift = statistics.hodges_lehmann(forty_one("auc"), "SIMPOR").loc["SVMCS"]
    assert line["p, Holm"] == f"{p:.2g}"
    assert line["shift, 95 %"] == "{:+.3f} [{:+.3f}, {:+.3f}]".format(
        *shift[["shift", "low", "high"]]
    )
    assert line[["better", "equivalent", "worse"]].astype(float).sum() == pytest.approx(1, abs=0.02)


def test_families_leave_fourteen_rows_and_weaken_the_evidence():
    table = forty_one("f1")
    means = statistics.family_means(table)
    assert list(means.index) == list(dict.fromkeys(FAMILIES.values()))
    assert means.loc["pima"].equals(table.loc["pima"])
    new_thyroid = table.loc[["new-thyroid1", "new-thyroid2"]].mean()
    pd.testing.assert_series_equal(means.loc["new-thyroid"], new_thyroid, check_names=False)
    p_sets, p_families = (statistics.friedman(t)["p_F"] for t in (table, means))
    assert p_sets < p_families


# recorded rows ---------------------------------------------------------------------------------


def long_rows(scores):
    """Rows of one metric from {(data set, fold, method): value}."""
    return pd.DataFrame(
        [(*key, "f1", value) for key, value in scores.items()],
        columns=["dataset", "fold", "method", "metric", "value"],
    )


def test_a_failed_fold_gets_the_score_of_raw_data_there():
    rows = long_rows(
        {
            ("pima", 0, "raw"): 0.5,
            ("pima", 1, "raw"): 0.7,
            ("pima", 0, "gdo"): 0.9,
            ("glass1", 0, "raw"): 0.4,
            ("glass1", 0, "gdo"): 0.6,
        }
    )
    failed = {"dataset": "pima", "fold": 1, "method": "gdo", "metric": "", "value": np.nan}
    rows = pd.concat([rows, pd.DataFrame([failed])], ignore_index=True)
    table = statistics.set_means(rows, "f1", ["gdo", "raw"])
    assert list(table.index) == ["pima", "glass1"] and list(table) == ["gdo", "raw"]
    np.testing.assert_allclose(table, [[0.8, 0.6], [0.6, 0.4]])


def test_a_fold_on_which_raw_data_failed_too_counts_for_nobody():
    rows = long_rows(
        {
            ("pima", 0, "raw"): 0.5,
            ("pima", 0, "gdo"): 0.9,
            ("pima", 0, "svmcs"): 0.1,
            ("pima", 1, "svmcs"): 0.3,
        }
    )
    table = statistics.set_means(rows, "f1", ["gdo", "svmcs"])
    np.testing.assert_allclose(table, [[0.9, 0.1]])
    with pytest.raises(ValueError, match="smote"):
        statistics.set_means(rows, "f1", ["gdo"], fallback="smote")


# the definitions -------------------------------------------------------------------------------


def test_ties_win_for_everyone_and_solely_for_nobody():
    table = pd.DataFrame({"a": [3, 2, 1], "b": [3, 1, 2], "c": [0, 0, 2]})
    counts = statistics.winning_times(table)
    assert counts["wins"].to_dict() == {"a": 2, "b": 2, "c": 1}
    assert counts["sole_wins"].to_dict() == {"a": 1, "b": 0, "c": 0}


def test_equal_scores_share_their_ranks_and_the_highest_is_first():
    table = pd.DataFrame({"a": [9, 5], "b": [7, 5], "c": [8, 1]})
    assert statistics.mean_ranks(table).to_dict() == {"a": 1.25, "b": 2.25, "c": 2.5}


def test_f_of_iman_and_davenport_is_that_of_an_analysis_of_variance_of_the_ranks():
    table = random_table(14, 4).round(0)  # with ties
    ranks = table.rank(axis=1)
    n, k = ranks.shape
    methods = n * ((ranks.mean() - (k + 1) / 2) ** 2).sum()
    total = ((ranks - (k + 1) / 2) ** 2).sum().sum()
    df = k - 1, (k - 1) * (n - 1)
    F = (methods / df[0]) / ((total - methods) / df[1])
    result = statistics.friedman(table)
    assert result["F"] == pytest.approx(F)
    assert result["p_F"] == pytest.approx(stats.f.sf(F, *df))


def test_p_values_have_three_digits_or_a_bound():
    texts = [statistics.p_value(p) for p in (1, 0.0624, 0.001, 0.00099, 0)]
    assert texts == ["1.000", "0.062", "0.001", "< 0.001", "< 0.001"]


def test_friedman_table_has_a_line_for_each_table():
    scores = {("F1", "41 sets"): forty_one("f1"), ("AUC", "41 sets"): forty_one("auc")}
    table = statistics.friedman_table(scores)
    assert list(table.index) == list(scores)
    assert table.loc[("F1", "41 sets"), ["chi-squared", "p of F"]].to_list() == ["37.9", "< 0.001"]


def test_friedman_of_one_order_everywhere_is_infinite():
    table = pd.DataFrame({"a": range(5), "b": range(1, 6), "c": range(2, 7)})
    result = statistics.friedman(table)
    assert (result["F"], result["p_F"]) == (np.inf, 0)


def test_holm_is_that_of_statsmodels():
    for seed in range(20):
        tests = statistics.wilcoxon_holm(random_table(8, 5, seed), "a")
        expected = multipletests(tests["p"], method="holm")[1]
        np.testing.assert_allclose(tests["p_holm"], expected, rtol=1e-12)


def test_holm_multiplies_by_the_number_of_hypotheses_left():
    tests = statistics.wilcoxon_holm(random_table(20, 4), "a").sort_values("p")
    expected = np.maximum.accumulate(tests["p"] * [3, 2, 1]).clip(upper=1)
    np.testing.assert_allclose(tests["p_holm"], expected)
    assert (tests["p_holm"] >= tests["p"]).all()


def test_all_pairs_keep_the_pairing_and_adjust_for_all_pairs():
    table = random_table(25, 4, seed=1)[["c", "a", "d", "b"]]  # not in order of the alphabet
    p = statistics.all_pairs_wilcoxon_holm(table)
    assert list(p.index) == list(p.columns) == ["c", "a", "d", "b"]
    np.testing.assert_array_equal(p, p.T)
    raw = {
        (i, j): stats.wilcoxon(table[i], table[j]).pvalue
        for n, i in enumerate(table)
        for j in list(table)[n + 1 :]
    }
    running = 0
    for left, (pair, value) in enumerate(sorted(raw.items(), key=lambda item: item[1])):
        running = max(running, value * (len(raw) - left))
        assert p.loc[pair] == pytest.approx(min(running, 1))


def test_all_pairs_do_not_depend_on_the_order_of_the_data_sets():
    table = random_table(25, 3, seed=2)
    shuffled = table.sample(frac=1, random_state=0)
    np.testing.assert_allclose(
        statistics.all_pairs_wilcoxon_holm(table), statistics.all_pairs_wilcoxon_holm(shuffled)
    )


def test_diagram_shows_every_rank_and_joins_only_what_the_test_does_not_tell_apart(ax):
    rng = np.random.default_rng(0)
    base = rng.normal(size=40)
    table = pd.DataFrame(
        {
            "good": base + 3,
            "twin 1": base + 0.1 * rng.normal(size=40),
            "twin 2": base + 0.1 * rng.normal(size=40),
        }
    )
    assert statistics.rank_rows(ax, table, table[:14]) is ax
    assert ax.get_yticklabels()[0].get_text() == "good"
    bars = [line for line in ax.lines if len(line.get_ydata()) > 1]
    assert [list(bar.get_ydata()) for bar in bars] == [[1, 2]]
    ranks = statistics.mean_ranks(table)
    drawn = {line.get_xdata()[0] for line in ax.lines if line.get_markerfacecolor() == GREY}
    assert drawn == set(ranks)
    assert ax.get_title() == "" and ax.get_xlabel() == "mean rank"


def test_a_bracket_has_dots_where_it_joins_and_none_where_it_passes_over(ax):
    table = forty_one("f1")
    statistics.rank_rows(ax, table, statistics.family_means(table))
    order = [label.get_text() for label in ax.get_yticklabels()]
    row = order.index("SIMPOR")
    bar = next(line for line in ax.lines if len(line.get_ydata()) > 1 and row in line.get_ydata())
    p = statistics.all_pairs_wilcoxon_holm(table)["SIMPOR"]
    joined = {order[place] for place in bar.get_ydata()}
    assert joined == set(p.index[p >= 0.05]) | {"SIMPOR"}
    assert "GDO" not in joined and order.index("GDO") < max(bar.get_ydata())


@pytest.mark.parametrize("n", [6, 14, 41])
def test_interval_holds_the_shifts_that_the_exact_wilcoxon_test_does_not_reject(n):
    table = random_table(n, 2, seed=n)
    shift, low, high = statistics.hodges_lehmann(table, "a").loc["b", ["shift", "low", "high"]]
    assert low <= shift <= high
    difference = table["a"] - table["b"]

    def p(theta):
        return stats.wilcoxon(difference - theta, method="exact").pvalue

    step = 1e-9
    assert p(low + step) > 0.05 >= p(low - step)
    assert p(high - step) > 0.05 >= p(high + step)


def test_interval_covers_as_often_as_it_says():
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(400):
        table = pd.DataFrame({"a": rng.laplace(0.3, size=14), "b": 0.0})
        low, high = statistics.hodges_lehmann(table, "a", level=0.9).loc["b", ["low", "high"]]
        hits += low <= 0.3 <= high
    # Exact coverage at n = 14 is just above 0.9; the standard error of 400 trials is 0.015.
    assert 0.86 <= hits / 400 <= 0.95


def test_shift_is_the_median_of_walsh_averages():
    table = pd.DataFrame({"a": [1.0, 2.0, 6.0], "b": 0.0})
    # Averages 1, 1.5, 2, 3.5, 4, 6.
    assert statistics.hodges_lehmann(table, "a").loc["b", "shift"] == 2.75


def test_too_few_sets_give_an_interval_without_ends():
    low, high = statistics.hodges_lehmann(random_table(5, 2), "a").loc["b", ["low", "high"]]
    assert (low, high) == (-np.inf, np.inf)


def test_method_and_other_change_places():
    table = random_table(15, 2)
    ab = statistics.hodges_lehmann(table, "a").loc["b"]
    ba = statistics.hodges_lehmann(table, "b").loc["a"]
    np.testing.assert_allclose(ab[["shift", "low", "high"]], -ba[["shift", "high", "low"]])
    assert (
        statistics.win_tie_loss(table, "a").loc["b"].to_list()
        == (statistics.win_tie_loss(table, "b").loc["a"].to_list()[::-1])
    )


@pytest.mark.parametrize(
    "shift, region", [(0.05, "better"), (0.001, "equivalent"), (-0.05, "worse")]
)
def test_bayesian_test_knows_its_three_regions(shift, region):
    other = np.linspace(0.5, 0.9, 20)
    table = pd.DataFrame({"ours": other + shift, "other": other})
    row = statistics.bayesian_signed_rank(table, "ours", n_samples=500).loc["other"]
    assert row[region] > 0.99 and row.sum() == pytest.approx(1)


def test_bayesian_test_is_the_same_every_time():
    table = random_table(20, 3)
    first, second = (statistics.bayesian_signed_rank(table, "a", n_samples=300) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)
    assert list(first.index) == ["b", "c"]


# refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["winning_times", "mean_ranks", "friedman", "family_means", "all_pairs_wilcoxon_holm"]
)
def test_a_hole_in_the_table_is_refused_with_the_method_s_name(name):
    table = random_table()
    table.loc[3, "c"] = np.nan
    with pytest.raises(ValueError, match=r"\['c'\] are missing.*dropna"):
        getattr(statistics, name)(table)


@pytest.mark.parametrize(
    "name", ["wilcoxon_holm", "hodges_lehmann", "bayesian_signed_rank", "win_tie_loss"]
)
def test_an_unknown_method_or_a_hole_is_refused(name):
    function = getattr(statistics, name)
    with pytest.raises(ValueError, match="choose one of"):
        function(random_table(), "z")
    table = random_table()
    table.loc[0, "a"] = np.nan
    with pytest.raises(ValueError, match="missing"):
        function(table, "b")


def test_other_bad_input_is_refused_with_a_cure():
    table = random_table()
    with pytest.raises(ValueError, match="wilcoxon_holm"):
        statistics.friedman(table[["a", "b"]])
    with pytest.raises(ValueError, match="families"):
        statistics.family_means(table)
    with pytest.raises(ValueError, match="0.95"):
        statistics.hodges_lehmann(table, "a", level=95)
    with pytest.raises(ValueError, match="more than 0"):
        statistics.bayesian_signed_rank(table, "a", rope=0)
    with pytest.raises(ValueError, match="one row for each"):
        statistics.mean_ranks(table.iloc[:0])


def test_f1_of_means_is_a_metric_of_every_fold_and_method():
    rows = pd.DataFrame(
        [
            ("pima", fold, 0, "raw", metric, value)
            for fold, values in enumerate([(0.5, 1.0, 0.6), (0.8, 0.8, 0.8)])
            for metric, value in zip(("precision", "recall", "f1"), values)
        ],
        columns=["dataset", "fold", "seed", "method", "metric", "value"],
    ).assign(failure="")
    longer = statistics.with_f1_of_means(rows)
    pd.testing.assert_frame_equal(longer.head(len(rows)), rows)
    further = longer[longer["metric"] == "f1 of means"]
    np.testing.assert_allclose(further["value"], [2 / 3, 0.8])
    assert further["fold"].to_list() == [0, 1]
    assert not further.isna().any(axis=None)
