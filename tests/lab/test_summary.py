"""The table {learner x method x threshold policy}."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from simpor.lab import crossed, summary
from simpor.lab.datasets import FAMILIES, FORTY_ONE, load
from simpor.lab.summary import Cell


def rows(learner, method, policy, metric, values):
    """Long scores with one value for each data set, in both of two splits."""
    return pd.DataFrame(
        [
            (dataset, learner, method, policy, metric, fold, value)
            for dataset, value in zip(FORTY_ONE, values, strict=True)
            for fold in (0, 1)
        ],
        columns=["dataset", "learner", "method", "policy", "metric", "fold", "value"],
    )


RNG = np.random.default_rng(0)
RAW, SMOTE, AUC = RNG.random((3, 41))
CELLS = [
    Cell("logistic", "raw", "half"),
    Cell("logistic", "smote", "half"),
    Cell("logistic", "smote", "out-of-fold"),
    Cell("own", "svmcs", "half"),
]


@pytest.fixture
def scores():
    return pd.concat(
        [
            rows("logistic", "raw", "half", "f1", RAW),
            rows("logistic", "smote", "half", "f1", SMOTE),
            rows("own", "svmcs", "half", "f1", SMOTE),
            rows("logistic", "raw", "any", "auc", AUC),
            rows("logistic", "smote", "any", "auc", AUC + 0.1),
        ],
        ignore_index=True,
    )


def test_means_and_intervals_are_over_families(scores):
    table = summary.summary(scores, CELLS, metrics=["f1", "auc"])
    family = [FAMILIES[name] for name in FORTY_ONE]
    raw, smote = (pd.Series(values).groupby(family).mean() for values in (RAW, SMOTE))
    for metric in (CELLS[1], CELLS[3]):
        line = table.loc[metric, "f1"]
        assert line["mean"] == pytest.approx(smote.mean())
        interval = stats.ttest_1samp(smote - raw, 0).confidence_interval(0.95)
        assert line["difference"] == pytest.approx((smote - raw).mean())
        assert line["half of difference"] == pytest.approx((interval.high - interval.low) / 2)
    assert table.loc[CELLS[1], "auc"]["difference"] == pytest.approx(0.1)
    # its policy has no macro-F1, and its ranking is the same at every policy
    assert np.isnan(table.loc[CELLS[2], "f1"]["mean"])
    assert table.loc[CELLS[2], "auc"]["mean"] == table.loc[CELLS[1], "auc"]["mean"]
    assert np.isnan(table.loc[CELLS[3], "auc"]["mean"])


def test_raw_rows_stand_in_where_a_method_failed(scores):
    lost = scores.query("method == 'smote' and fold == 1 and dataset == 'pima' and metric == 'f1'")
    table = summary.set_table(scores.drop(index=lost.index), "f1", CELLS)
    at = FORTY_ONE.index("pima")
    assert table.loc["pima", CELLS[1]] == pytest.approx((SMOTE[at] + RAW[at]) / 2)
    assert table.loc["glass1", CELLS[1]] == pytest.approx(SMOTE[FORTY_ONE.index("glass1")])


def test_only_what_is_recorded_for_all_sets_is_in_the_table(tmp_path):
    record = crossed.run(load("glass4"), "svmcs", ["own"], n_jobs=1)["own"]
    crossed.write(crossed.path_of("glass4", "own", "svmcs", tmp_path), record)
    given = {"datasets": ["glass4"], "results": tmp_path}
    assert summary.complete(**given) == [("own", "svmcs")]
    assert summary.complete(datasets=["glass4", "glass5"], results=tmp_path) == []


def test_the_command_prints_and_writes_the_table(tmp_path, monkeypatch, capsys):
    data = load("glass4")
    monkeypatch.setattr(summary, "FORTY_ONE", ("glass4", "pima"))
    for name in ("glass4", "pima"):
        for learner, method in [("logistic", "raw"), ("own", "svmcs")]:
            record = crossed.run(
                data if name == "glass4" else load(name), method, [learner], n_jobs=1
            )
            crossed.write(crossed.path_of(name, learner, method, tmp_path), record[learner])
    file = tmp_path / "table.csv"
    arguments = ["--results", str(tmp_path), "--jobs", "1", "--csv", str(file)]
    summary.main([*arguments, "--metrics", "f1", "brier"])
    printed = capsys.readouterr().out
    assert "+0.000 +/- 0.000" in printed and "svmcs" in printed
    table = pd.read_csv(file, header=[0, 1], index_col=[0, 1, 2])
    assert table.index.tolist() == [
        *(("logistic", "raw", policy) for policy in summary.POLICIES),
        ("own", "svmcs", "half"),
    ]


def test_nothing_recorded_says_so(tmp_path, capsys):
    with pytest.raises(SystemExit):
        summary.main(["--results", str(tmp_path)])
    assert "nothing is recorded for all 41 sets" in capsys.readouterr().err
