"""A setting chosen on one half of the families and judged on the other."""

import numpy as np
import pandas as pd
import pytest

from simpor.lab import halves
from simpor.lab.datasets import FAMILIES, FORTY_ONE
from simpor.lab.halves import CHOSEN, RIVALS
from simpor.lab.learners import GRID
from simpor.lab.records import RESULTS
from simpor.lab.statistics import family_means
from simpor.lab.summary import Cell, set_table
from simpor.lab.thresholds import read_scores

FAMILY_NAMES = list(dict.fromkeys(FAMILIES.values()))


def test_the_halves_are_those_that_were_written_down():
    written = pd.read_csv(RESULTS / "halves.csv").set_index("family")["half"]
    assert halves.halves() == written.to_dict()
    assert written.value_counts().to_dict() == {0: 7, 1: 7}


def test_no_family_is_judged_by_a_setting_that_it_helped_to_choose():
    """Whatever one family scores, its own score comes from the same setting."""
    rng = np.random.default_rng(0)
    f1 = pd.DataFrame(rng.random((14, 4)), index=FAMILY_NAMES, columns=list("abcd"))
    half_of = halves.halves(f1.index)
    chosen = halves.choices(f1)
    for family in FAMILY_NAMES:
        other = f1.copy()
        other.loc[family] = rng.permutation([0, 5, 10, 20])
        assert halves.choices(other)[1 - half_of[family]] == chosen[1 - half_of[family]]
        judged = halves.on_other_half(f1, chosen)
        assert judged[family] == f1.loc[family, chosen[1 - half_of[family]]]


def test_each_half_chooses_its_best_mean_and_the_first_of_equals():
    f1 = pd.DataFrame(0.5, index=FAMILY_NAMES, columns=list("abc"))
    assert halves.choices(f1) == {0: "a", 1: "a"}
    first = [family for family, half in halves.halves(FAMILY_NAMES).items() if half == 0]
    f1.loc[first, "c"] += 0.1
    assert halves.choices(f1) == {0: "c", 1: "a"}


def judged(f1_shift, auc_shift, noise):
    """Verdicts on a SIMPOR that differs from every rival by the shifts."""
    f1 = pd.DataFrame(0.7, index=FAMILY_NAMES, columns=[CHOSEN, *RIVALS])
    auc = f1.copy()
    wobble = noise * np.linspace(-1, 1, 14)
    f1[CHOSEN] += f1_shift + wobble
    auc[CHOSEN] += auc_shift + wobble
    return halves.judge(f1, auc)


@pytest.mark.parametrize(
    "f1_shift, auc_shift, noise, verdict",
    [
        (0.02, 0.0, 1e-3, "ahead"),
        (0.02, -0.02, 1e-3, "undecided"),  # AUC is worse by more than the bound
        (-0.02, 0.0, 1e-3, "behind"),
        (0.0001, 0.0, 5e-3, "equivalent"),
        (0.0001, 0.0, 5e-1, "undecided"),  # the interval is too wide
    ],
)
def test_the_verdict_follows_the_rule(f1_shift, auc_shift, noise, verdict):
    assert set(judged(f1_shift, auc_shift, noise)["verdict"]) == {verdict}


def test_the_report_names_the_rival_that_is_beaten(capsys):
    """Scores in which one setting is better by 0.05 everywhere, and nothing else differs."""
    rng = np.random.default_rng(2)
    level = dict(zip(FORTY_ONE, rng.random(41)))
    rows = [
        ("logistic", name, method, policy, metric, fold, level[name] + gain + 1e-3 * rng.random())
        for name in FORTY_ONE
        for method, policy, gain in [
            *((setting, "half", 0.05 * (setting == GRID[7])) for setting in GRID),
            *((*rival, 0.0) for rival in RIVALS.values()),
        ]
        for metric in ("f1", "auc")
        for fold in (0, 1)
    ]
    columns = ["learner", "dataset", "method", "policy", "metric", "fold", "value"]
    scores = pd.DataFrame(rows, columns=columns)
    scores.loc[scores["metric"] == "auc", "policy"] = "any"
    scores = scores.drop_duplicates(["dataset", "method", "policy", "metric", "fold"])
    halves._report(*(halves._family_tables(scores, "logistic", metric) for metric in ("f1", "auc")))
    printed = capsys.readouterr().out
    assert printed.count("rank 1 of 24") == 2 and "A setting is recommended." in printed
    assert printed.count(" ahead") == 4


def test_what_is_not_recorded_is_named(tmp_path, capsys):
    with pytest.raises(SystemExit):
        halves.main(["--learner", "boosting", "--results", str(tmp_path)])
    assert "record them first with python -m simpor.lab.study" in capsys.readouterr().err


def test_the_recorded_family_means_are_those_of_the_records():
    recorded = pd.read_csv(RESULTS / "halves-logistic.csv", index_col=["metric", "family"])
    assert list(recorded) == [*GRID, *RIVALS]
    setting = GRID[8]
    scores = read_scores(FORTY_ONE, ["logistic"], ["raw", setting])
    for metric in ("f1", "auc"):
        cells = [
            Cell("logistic", setting, "half"),
            Cell("logistic", *RIVALS["raw, tuned threshold"]),
        ]
        means = family_means(set_table(scores, metric, cells))
        stored = recorded.loc[metric, [setting, "raw, tuned threshold"]]
        np.testing.assert_allclose(means, stored.loc[means.index], rtol=0, atol=1e-6)
