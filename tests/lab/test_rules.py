"""Every outcome of every rule, and the edges of each threshold."""

import numpy as np
import pandas as pd
import pytest

from simpor.lab import published
from simpor.lab.claims import Evidence, NotRecorded
from simpor.lab.datasets import FAMILIES, FORTY_ONE
from simpor.lab.published import METHOD_OF_PAPER_NAME, TAI_COLUMNS
from simpor.lab.rules import (
    DRAWS,
    above,
    ahead_of,
    all_significant,
    along,
    best_between,
    counts_agree,
    hardly_matters,
    lead_up_to,
    matters,
    most_wins,
    no_difference,
    numbers_replay,
    part_helps,
    replayed,
    rises,
    scores_agree,
    shares_fewest,
    tables_recompute,
    takes_longest,
)
from simpor.lab.statistics import family_means, winning_times

PRINTED = published.all_values()
MOON = [("TAI, Table II", "moon-7")]
# Five values around zero with a standard deviation of one.
NOISE = np.array([-1.0, 0.5, 0.0, -0.5, 1.0]) / np.std([-1.0, 0.5, 0.0, -0.5, 1.0], ddof=1)


def long_rows(means, dataset="moon-7", metric="f1", noise=0.01, seconds=1.0):
    """Five folds for each method; each method has its own noise, so differences have a spread."""
    rows = [
        (dataset, fold, 0, method, metric, mean + noise * np.roll(NOISE, i)[fold], seconds)
        for i, (method, mean) in enumerate(means.items())
        for fold in range(5)
    ]
    columns = ["dataset", "fold", "seed", "method", "metric", "value", "seconds_resampling"]
    return pd.DataFrame(rows, columns=columns)


def recorded(published_means, sound_means=None, **settings):
    """Evidence of the set moon-7 alone, without a sound protocol if it has no means."""
    sets = {"as published": {"moon-7": long_rows(published_means, **settings)}}
    sets["sound"] = {} if sound_means is None else {"moon-7": long_rows(sound_means, **settings)}
    return Evidence(sets, printed=PRINTED)


def two(ours, other):
    return {"simpor-published": ours, "smote": other}


class TestOrders:
    """Claims that some methods score above others."""

    SIMPOR_FIRST = staticmethod(above(MOON, "f1", ["SIMPOR"], ["SMOTE"]))

    def test_above_under_both_protocols_and_clearly_under_the_sound_one_is_reproduced(self):
        finding = self.SIMPOR_FIRST(recorded(two(0.801, 0.8), two(0.9, 0.8)))
        assert finding == {
            "paper": "1 of 1",
            "as published": "1 of 1, clearly 0",
            "sound": "1 of 1, clearly 1",
            "verdict": "reproduced",
            "reason": "the order holds throughout",
        }

    def test_above_under_both_protocols_but_not_clearly_is_partly(self):
        finding = self.SIMPOR_FIRST(recorded(two(0.9, 0.8), two(0.801, 0.8)))
        assert finding["verdict"] == "partly"
        assert finding["sound"] == "1 of 1, clearly 0"

    def test_clearly_above_under_the_sound_protocol_alone_is_partly(self):
        finding = self.SIMPOR_FIRST(recorded(two(0.7, 0.8), two(0.9, 0.8)))
        assert finding["verdict"] == "partly"
        assert finding["reason"] == "the order holds under the sound protocol only"

    def test_above_under_the_sound_protocol_alone_and_not_clearly_is_not_reproduced(self):
        finding = self.SIMPOR_FIRST(recorded(two(0.7, 0.8), two(0.801, 0.8)))
        assert finding["verdict"] == "not reproduced"

    def test_equal_means_are_not_above(self):
        finding = self.SIMPOR_FIRST(recorded(two(0.8, 0.8), two(0.8, 0.8), noise=0))
        assert finding["verdict"] == "not reproduced"
        assert finding["reason"] == "not above: SIMPOR (published) - SMOTE +0 (moon-7)"

    def test_half_of_the_pairs_clearly_above_are_partly_and_fewer_are_not(self):
        lows = ["SMOTE", "GDO"]
        means = {"simpor-published": 0.85, "smote": 0.75, "gdo": 0.95}
        finding = above(MOON, "f1", ["SIMPOR"], lows)(recorded(means, means))
        assert (finding["sound"], finding["verdict"]) == ("1 of 2, clearly 1", "partly")
        lows.append("ADASYN")
        means["adasyn"] = 0.95
        finding = above(MOON, "f1", ["SIMPOR"], lows)(recorded(means, means))
        assert (finding["sound"], finding["verdict"]) == ("1 of 3, clearly 1", "not reproduced")

    def test_a_claim_about_most_pairs_needs_more_than_half_of_them(self):
        means = {"simpor-published": 0.85, "smote": 0.75, "gdo": 0.95}
        lows = ["SMOTE", "GDO"]
        half = above(MOON, "f1", ["SIMPOR"], lows, most=True)(recorded(means, means))
        assert half["verdict"] == "partly"
        means["adasyn"] = 0.75
        rule = above(MOON, "f1", ["SIMPOR"], [*lows, "ADASYN"], most=True)
        assert rule(recorded(means, means))["verdict"] == "reproduced"

    def test_without_sound_rows_those_as_published_decide_alone(self):
        finding = self.SIMPOR_FIRST(recorded(two(0.9, 0.8)))
        assert finding["verdict"] == "reproduced"
        assert "sound" not in finding

    def test_without_rows_as_published_the_claim_waits(self):
        rule = above([*MOON, ("TAI, Table V", "pima")], "f1", ["SIMPOR"], ["SMOTE"])
        with pytest.raises(NotRecorded, match="^pima$"):
            rule(recorded(two(0.9, 0.8)))

    def test_sets_that_the_sound_protocol_lacks_are_said(self):
        sets = recorded(two(0.9, 0.8), two(0.9, 0.8)).recorded
        sets["as published"]["pima"] = long_rows(two(0.9, 0.8), "pima")
        rule = above([*MOON, ("TAI, Table V", "pima")], "f1", ["SIMPOR"], ["SMOTE"])
        finding = rule(Evidence(sets))
        assert finding["sound"] == "1 of 1, clearly 1 (of 2: the rest is not recorded)"
        assert finding["verdict"] == "reproduced"

    def test_the_papers_own_order_counts_ties_and_leaves_out_what_is_not_printed(self):
        means = dict.fromkeys(METHOD_OF_PAPER_NAME.values(), 0.8)
        evidence = Evidence(
            {"as published": {"pima": long_rows(means, "pima")}, "sound": {}},
            printed=pd.DataFrame(
                [
                    ("here", "pima", "f1", "SIMPOR", 0.7),
                    ("here", "pima", "f1", "SMOTE", 0.7),
                    ("here", "pima", "f1", "GDO", 0.8),
                ],
                columns=["source", "dataset", "metric", "method", "value"],
            ),
        )
        rule = above([("here", "pima")], "f1", ["SIMPOR"], ["SMOTE", "GDO", "ADASYN"])
        assert rule(evidence)["paper"] == "1 of 2"

    def test_the_reason_says_how_far_a_difference_is_on_the_wrong_side(self):
        for difference, words in ((-0.0234, "-0.023"), (-0.00034, "-0.0003"), (0, "+0")):
            means = {"simpor-published": 0.8 + difference, "smote": 0.8}
            reason = self.SIMPOR_FIRST(recorded(means, means))["reason"]
            assert f"SMOTE {words} (moon-7)" in reason
        means = {"simpor-published": 0.8 - 7.8e-6, "smote": 0.8}
        reason = self.SIMPOR_FIRST(recorded(means, means))["reason"]
        assert "SMOTE between -0.0001 and 0 (moon-7)" in reason

    def test_the_reason_names_two_exceptions_and_counts_the_rest(self):
        means = {"simpor-published": 0.7, "smote": 0.8, "gdo": 0.8, "adasyn": 0.8}
        rule = above(MOON, "f1", ["SIMPOR"], ["SMOTE", "GDO", "ADASYN"], "A remark")
        reason = rule(recorded(means, means))["reason"]
        assert reason.startswith("not above: SIMPOR (published) - SMOTE -0.1 (moon-7); ")
        assert reason.endswith("; and 1 more. A remark")

    def test_the_other_reading_of_f1_is_judged_on_its_own_rows(self):
        evidence = recorded(two(0.9, 0.8), two(0.9, 0.8))
        for sets in evidence.recorded.values():
            other = long_rows(two(0.7, 0.8), metric="f1 of means")
            sets["moon-7"] = pd.concat([sets["moon-7"], other])
        assert self.SIMPOR_FIRST(evidence)["verdict"] == "reproduced"
        other = evidence.reading_f1_as("f1 of means")
        assert self.SIMPOR_FIRST(other)["verdict"] == "not reproduced"


def of_a_table(printed, ours, noise=0.01):
    """Evidence for scores of the set moon-7 by invented names of methods."""
    lines = [("here", "moon-7", "auc", name, value) for name, value in printed.items()]
    columns = ["source", "dataset", "metric", "method", "value"]
    means = {METHOD_OF_PAPER_NAME[name]: value for name, value in ours.items()}
    rows = {"moon-7": long_rows(means, metric="auc", noise=noise)}
    return Evidence(
        {"as published": rows, "sound": rows}, printed=pd.DataFrame(lines, columns=columns)
    )


class TestScores:
    """Claims that consist of printed scores."""

    NAMES = ("SIMPOR", "SMOTE", "GDO", "ADASYN", "BL-SMOTE", "DeepSMOTE", "SVMCS", "EE")

    def finding(self, n_agree, n, noise=0.01):
        ours = dict.fromkeys(self.NAMES[:n], 0.8)
        printed = {name: 0.8 if i < n_agree else 0.7 for i, name in enumerate(ours)}
        return scores_agree("here")(of_a_table(printed, ours, noise))

    @pytest.mark.parametrize(
        ("n_agree", "n", "verdict"),
        [(8, 8, "reproduced"), (7, 8, "partly"), (4, 8, "partly"), (3, 8, "not reproduced")],
    )
    def test_verdict_follows_the_share_that_agrees(self, n_agree, n, verdict):
        finding = self.finding(n_agree, n)
        assert finding["verdict"] == verdict
        assert finding["paper"] == "8 scores"
        assert finding["as published"] == f"{n_agree} of {n} agree; 0 too wide"

    def test_intervals_that_are_too_wide_cannot_be_checked(self):
        # t = 2.776 for 95 % and five splits: the half is 2.776 s sqrt(1/5 + 1/5) = 1.756 s.
        assert self.finding(8, 8, noise=0.0284)["verdict"] == "reproduced"
        finding = self.finding(8, 8, noise=0.0286)
        assert finding["verdict"] == "cannot be checked"
        assert finding["as published"] == "0 of 0 agree; 8 too wide"

    @pytest.mark.parametrize(("n_wide", "verdict"), [(4, "reproduced"), (5, "cannot be checked")])
    def test_half_of_the_intervals_may_be_too_wide_and_no_more(self, n_wide, verdict):
        ours = dict.fromkeys(self.NAMES, 0.8)
        narrow = of_a_table(ours, ours).recorded["sound"]["moon-7"]
        wide = of_a_table(ours, ours, noise=0.2).recorded["sound"]["moon-7"]
        is_wide = wide["method"].isin([METHOD_OF_PAPER_NAME[name] for name in self.NAMES[:n_wide]])
        rows = {"moon-7": pd.concat([wide[is_wide], narrow[~is_wide]])}
        evidence = Evidence(
            {"as published": rows, "sound": rows}, printed=of_a_table(ours, ours).printed
        )
        assert scores_agree("here")(evidence)["verdict"] == verdict

    def test_equal_splits_are_given_a_least_spread(self):
        # 1.756 * 0.005 = 0.00878
        for distance, agree in ((0.0087, 1), (0.0089, 0)):
            evidence = of_a_table({"SIMPOR": 0.8 + distance}, {"SIMPOR": 0.8}, noise=0)
            finding = scores_agree("here")(evidence)
            assert finding["as published"] == f"{agree} of 1 agree; 0 too wide"

    def test_failed_methods_are_left_out_and_nothing_else_cannot_be_checked(self):
        finding = scores_agree("here")(of_a_table({"SMOTE": 0.8, "GDO": 0.8}, {"SMOTE": 0.8}))
        assert finding["as published"] == "1 of 1 agree; 0 too wide"
        assert finding["paper"] == "2 scores"
        finding = scores_agree("here")(of_a_table({"GDO": 0.8}, {"SMOTE": 0.8}))
        assert finding["verdict"] == "cannot be checked"

    def test_scores_of_sets_that_are_not_recorded_wait(self):
        evidence = of_a_table({"SMOTE": 0.8}, {"SMOTE": 0.8})
        evidence.printed.loc[1] = ["here", "pima", "auc", "SMOTE", 0.8]
        with pytest.raises(NotRecorded, match="1 sets of here"):
            scores_agree("here")(evidence)
        assert scores_agree("here", dataset="moon-7")(evidence)["verdict"] == "reproduced"

    def test_a_source_without_scores_is_never_reproduced(self):
        with pytest.raises(NotRecorded):
            scores_agree("nowhere")(of_a_table({"SMOTE": 0.8}, {"SMOTE": 0.8}))


def forty_one(leads):
    """Rows of the 41 sets, one fold each: SIMPOR is first on n of them, SMOTE on the others."""
    recorded = {}
    for heading, n_first in leads.items():
        lines = []
        for i, name in enumerate(FORTY_ONE):
            means = dict.fromkeys([METHOD_OF_PAPER_NAME[method] for method in TAI_COLUMNS], 0.5)
            means["simpor-published"] = 0.75 if i < n_first else 0.25
            means["smote"] = 0.5 if i < n_first else 0.625
            lines += [(name, method, value) for method, value in ({"raw": 0.5} | means).items()]
        rows = pd.DataFrame(lines, columns=["dataset", "method", "value"])
        rows = rows.assign(fold=0, seed=0, seconds_resampling=1.0)
        rows = pd.concat([rows.assign(metric=metric) for metric in ("f1", "auc")])
        recorded[heading] = dict(list(rows.groupby("dataset", sort=False)))
    return Evidence(recorded, printed=PRINTED)


def everywhere():
    return forty_one({"as published": 41, "sound": 41})


class TestFortyOne:
    """Claims about tables of the 41 sets."""

    @pytest.mark.parametrize(
        ("as_published", "sound", "verdict"),
        [
            (31, 30, "reproduced"),  # 31 to 10 and 30 to 11: more than 2 times
            (27, 31, "partly"),  # 27 to 14: first, but less than 2 times
            (21, 20, "partly"),  # first under one only
            (20, 20, "not reproduced"),
        ],
    )
    def test_most_wins(self, as_published, sound, verdict):
        finding = most_wins("f1", 4)(forty_one({"as published": as_published, "sound": sound}))
        assert finding["verdict"] == verdict
        assert finding["paper"] == "23; best other 6 (SVMCS)"

    def test_most_wins_needs_half_of_the_stated_multiple(self):
        evidence = forty_one({"as published": 31, "sound": 31})
        assert most_wins("auc", 6.2)(evidence)["verdict"] == "reproduced"  # 3.1 to 3.1
        assert most_wins("auc", 6.3)(evidence)["verdict"] == "partly"

    def test_significant_against_all_seven_under_both_protocols(self):
        evidence = everywhere()
        finding = all_significant("f1")(evidence)
        assert finding["verdict"] == "reproduced"
        assert finding["sound"] == "7 of 7 for SIMPOR, 0 against"
        evidence = forty_one({"as published": 0, "sound": 41})
        finding = all_significant("f1")(evidence)
        assert finding["verdict"] == "partly"
        assert finding["as published"] == "0 of 7 for SIMPOR, 7 against"
        evidence = forty_one({"as published": 41, "sound": 0})
        assert all_significant("f1")(evidence)["verdict"] == "not reproduced"

    @pytest.mark.parametrize(("n_below", "verdict"), [(4, "partly"), (3, "not reproduced")])
    def test_four_significant_differences_are_partly(self, n_below, verdict):
        evidence = everywhere()
        for i, rows in enumerate(evidence.recorded["sound"].values()):
            # The last methods score above SIMPOR on every second set: no difference is seen.
            mixed = rows["method"].isin(
                [METHOD_OF_PAPER_NAME[name] for name in TAI_COLUMNS[1 + n_below :]]
            )
            rows.loc[mixed, "value"] = 1.0 if i % 2 else 0.5
        finding = all_significant("f1")(evidence)
        assert finding["sound"] == f"{n_below} of 7 for SIMPOR, 0 against"
        assert finding["verdict"] == verdict

    def test_families_are_judged_too(self):
        evidence = forty_one({"as published": 31, "sound": 31})
        families = family_means(evidence.forty_one("sound", "f1"))
        assert len(families) == 14
        wins = winning_times(families)["wins"]
        words = f"14 families, sound: {wins['SIMPOR']}; best other {wins['SMOTE']}"
        assert words in most_wins("f1", 4)(evidence)["reason"]
        evidence = everywhere()
        assert "7 of 7 below 0.05" in all_significant("f1")(evidence)["reason"]

    @pytest.mark.parametrize(
        "rule",
        [most_wins("f1", 4), all_significant("auc"), takes_longest, scores_agree("TAI, Table V")],
    )
    def test_a_missing_set_is_said(self, rule):
        evidence = everywhere()
        for sets in evidence.recorded.values():
            del sets["pima"]
        with pytest.raises(NotRecorded, match="1 (of the 41 sets|sets of TAI, Table V)"):
            rule(evidence)

    @pytest.mark.parametrize(
        ("n_longer", "verdict"),
        [(5, "reproduced"), (4, "partly"), (3, "partly"), (2, "not reproduced")],
    )
    def test_takes_longest(self, n_longer, verdict):
        evidence = everywhere()
        samplers = [
            METHOD_OF_PAPER_NAME[name]
            for name in published.forty_one("seconds").drop(columns="SIMPOR")
        ]
        for sets in evidence.recorded.values():
            for rows in sets.values():
                rows["seconds_resampling"] = rows["method"].map(
                    lambda name: 2.0 if name in samplers[n_longer:] else 0.5
                )
                rows.loc[rows["method"] == "simpor-published", "seconds_resampling"] = 1.0
        finding = takes_longest(evidence)
        assert finding["verdict"] == verdict
        assert finding["sound"] == f"41 s; longer than {n_longer} of 5"


def test_the_printed_counts_and_p_values_recompute():
    finding = tables_recompute(recorded(two(0.9, 0.8)))
    assert finding["verdict"] == "reproduced"
    assert finding["paper"] == "14 p-values, 4 counts"


def test_a_misprinted_p_value_would_be_seen(monkeypatch):
    monkeypatch.setattr(published, "P_VALUES", published.P_VALUES * 1.01)
    finding = tables_recompute(recorded(two(0.9, 0.8)))
    assert finding["verdict"] == "not reproduced"


class TestLead:
    """A stated largest lead: 0.098 over ADASYN in Table II."""

    RULE = staticmethod(lead_up_to(MOON[0], "f1", 0.1))

    def evidence(self, as_published, sound, noise=0.01):
        return recorded(
            {"simpor-published": 0.7 + as_published, "adasyn": 0.7},
            {"simpor-published": 0.7 + sound, "adasyn": 0.7},
            noise=noise,
        )

    def test_an_interval_with_the_stated_lead_and_not_zero_holds(self):
        finding = self.RULE(self.evidence(0.1, 0.1))
        assert finding["verdict"] == "reproduced"
        assert finding["paper"] == "stated 10.0%; Table II: 0.098 over ADASYN"

    def test_one_protocol_is_partly(self):
        assert self.RULE(self.evidence(0.1, 0.3))["verdict"] == "partly"

    def test_no_lead_and_a_lead_that_zero_may_be_do_not_hold(self):
        assert self.RULE(self.evidence(0.3, -0.1))["verdict"] == "not reproduced"
        assert self.RULE(self.evidence(0.1, 0.1, noise=0.2))["verdict"] == "not reproduced"

    def test_a_stated_lead_that_the_table_does_not_give_is_said(self):
        assert "does not follow" not in self.RULE(self.evidence(0.1, 0.1))["reason"]
        finding = lead_up_to(MOON[0], "f1", 0.2)(self.evidence(0.1, 0.1))
        assert finding["reason"].endswith("the stated lead does not follow from the table")

    def test_a_missing_set_is_said(self):
        with pytest.raises(NotRecorded, match="moon-7"):
            self.RULE(recorded({"simpor-published": 0.8, "adasyn": 0.7}))


class TestSharedRows:
    """Figure 8: the classes share the fewest rows after SIMPOR."""

    def finding(self, simpor, no_region, smote):
        ratios = {"SIMPOR": simpor, "SIMPOR, no region": no_region, "SMOTE": smote}
        counts = pd.DataFrame(
            [
                (split, method, ratio, 3.0)
                for method, both in ratios.items()
                for split, ratio in enumerate(both)
            ],
            columns=["split", "method", "ratio", "seeds"],
        )
        return shares_fewest(counts, "SIMPOR, no region")(recorded(two(0.9, 0.8)))

    def test_lowest_on_every_split_is_reproduced(self):
        finding = self.finding((0.2, 0.2), (0.1, 0.1), (0.3, 0.3))
        assert finding["verdict"] == "reproduced"
        assert finding["as published"] == "20.0%; lowest 20.0% (SIMPOR)"
        assert "place 1 of 2" in finding["reason"]

    def test_lowest_on_half_of_the_splits_is_partly(self):
        finding = self.finding((0.4, 0.2), (0.1, 0.1), (0.3, 0.3))
        assert finding["verdict"] == "partly"
        assert finding["reason"].startswith("lowest on 1 of 2 splits")

    def test_lowest_only_without_a_region_is_not_reproduced(self):
        finding = self.finding((0.4, 0.4), (0.1, 0.1), (0.3, 0.3))
        assert finding["verdict"] == "not reproduced"
        assert "place 2 of 2" in finding["reason"]
        assert "without a region 10.0%, from 3 seeds" in finding["reason"]
        assert finding["as published"] == "40.0%; lowest 30.0% (SMOTE)"


def tuned(means, luck=(0.5, 0.51)):
    """Rows of the values of a parameter, and of draws of one setting, for one set."""
    parts = [("simpor-published", means), (DRAWS, dict(enumerate(luck)))]
    return pd.DataFrame(
        [
            (fold, method, value, mean + 0.002 * np.roll(NOISE, i)[fold])
            for method, values in parts
            for i, (value, mean) in enumerate(values.items())
            for fold in range(5)
        ],
        columns=["fold", "method", "value", "test"],
    )


class TestCurves:
    """Claims about curves over a parameter."""

    FLAT, STEEP = {0.2: 0.5, 0.6: 0.501}, {0.2: 0.5, 0.6: 0.6}

    def finding(self, holds, *curves):
        tuning = {f"set {i}": tuned(curve) for i, curve in enumerate(curves)}
        rule = along("simpor-published", list(tuning), holds, "words")
        return rule(Evidence({"as published": {}, "sound": {}}, tuning=tuning))

    def test_verdict_follows_the_share_of_the_sets(self):
        assert self.finding(rises(0.2, 0.6), self.STEEP, self.STEEP) == {
            "paper": "2 sets",
            "sound": "2 of 2 sets",
            "verdict": "reproduced",
            "reason": "words",
        }
        assert self.finding(rises(0.2, 0.6), self.STEEP, self.FLAT)["verdict"] == "partly"
        assert self.finding(rises(0.2, 0.6), self.FLAT)["verdict"] == "not reproduced"
        assert self.finding(rises(0.6, 0.2), self.STEEP)["verdict"] == "not reproduced"

    def test_no_difference_is_the_opposite_of_a_difference_either_way(self):
        assert self.finding(no_difference(0.2, 0.6), self.FLAT)["verdict"] == "reproduced"
        assert self.finding(no_difference(0.2, 0.6), self.STEEP)["verdict"] == "not reproduced"
        assert self.finding(no_difference(0.6, 0.2), self.STEEP)["verdict"] == "not reproduced"

    @pytest.mark.parametrize(("span", "much"), [(0.016, True), (0.014, False)])
    def test_a_parameter_matters_if_it_spans_more_than_one_and_a_half_times_luck(self, span, much):
        curve = {0.2: 0.5, 0.6: 0.5 + span}  # luck spans 0.01
        holds, other = (matters, hardly_matters) if much else (hardly_matters, matters)
        assert self.finding(holds, curve)["verdict"] == "reproduced"
        assert self.finding(other, curve)["verdict"] == "not reproduced"

    def test_the_best_value_may_lie_on_the_ends(self):
        for a, b, verdict in (
            (0.2, 0.6, "reproduced"),
            (0.6, 0.8, "reproduced"),
            (0.2, 0.5, "not reproduced"),
        ):
            assert self.finding(best_between(a, b), self.STEEP)["verdict"] == verdict

    def test_a_set_without_rows_waits(self):
        rule = along("simpor-published", ["pima"], matters, "words")
        with pytest.raises(NotRecorded, match=r"simpor\.lab\.tuning"):
            rule(recorded(two(0.9, 0.8)))


class TestParts:
    """Claims that a part of SIMPOR raises F1."""

    RULE = staticmethod(part_helps("simpor-published", "smote"))

    def finding(self, higher, lower, same):
        leads = [0.1] * higher + [-0.1] * lower + [0.0] * same
        sets = {f"set {i}": long_rows(two(0.5 + lead, 0.5)) for i, lead in enumerate(leads)}
        return self.RULE(Evidence({"as published": sets, "sound": sets}))

    @pytest.mark.parametrize(
        ("higher", "lower", "same", "verdict"),
        [
            (6, 0, 4, "reproduced"),
            (5, 0, 5, "partly"),  # half is not more than half
            (2, 1, 7, "partly"),  # a fifth
            (1, 0, 9, "not reproduced"),
            (2, 2, 6, "not reproduced"),  # as often lower
        ],
    )
    def test_verdict(self, higher, lower, same, verdict):
        finding = self.finding(higher, lower, same)
        assert finding["verdict"] == verdict
        assert finding["sound"] == f"higher {higher}, lower {lower}, no difference seen {same}"

    def test_sets_that_hold_the_rows_of_another_count_once(self):
        rows = long_rows(two(0.9, 0.8))
        sets = {"yeast4": rows, "yeast me2": rows}
        finding = self.RULE(Evidence({"as published": sets, "sound": sets}))
        assert finding["sound"] == "higher 1, lower 0, no difference seen 0"

    def test_sets_without_the_two_methods_are_left_out(self):
        rows = {"moon-7": long_rows({"raw": 0.8})}
        with pytest.raises(NotRecorded, match="ablation"):
            self.RULE(Evidence({"as published": rows, "sound": rows}))


def test_counts_agree_exactly_or_not_at_all():
    names = [f"set {i}" for i in range(10)]
    further = pd.DataFrame({"dataset": names, "metric": "n_samples", "method": "-", "ours": 10.0})
    printed = further.rename(columns={"ours": "value"}).assign(source="here")
    rows = {"moon-7": long_rows(two(0.9, 0.8))}
    for n_wrong, verdict in (
        (0, "reproduced"),
        (1, "reproduced"),
        (2, "partly"),
        (6, "not reproduced"),
    ):
        ours = further.copy()
        ours.loc[: n_wrong - 1, "ours"] += 1
        evidence = Evidence({"as published": rows, "sound": rows}, further=ours, printed=printed)
        finding = counts_agree("here", "a remark")(evidence)
        assert finding["verdict"] == verdict
        assert finding["as published"] == f"{10 - n_wrong} of 10 agree"
        assert ("set 0 rows 10 (11)" in finding["reason"]) == (n_wrong > 0)
        assert finding["reason"].endswith("; a remark")


def of_the_study(means, sets=FORTY_ONE):
    """One fold a set; each set has its own level, and each method noise that is not another's."""
    rows = [
        (
            name,
            0,
            learner,
            method,
            "half",
            "f1",
            mean + 0.01 * place + 0.002 * NOISE[(place + i) % 5],
        )
        for i, ((learner, method), mean) in enumerate(means.items())
        for place, name in enumerate(sets)
    ]
    columns = ["dataset", "fold", "learner", "method", "policy", "metric", "value"]
    return Evidence({}, printed=PRINTED, crossed=pd.DataFrame(rows, columns=columns))


class TestClaimsOfTheRelatives:
    """Claims that a relative is ahead of its rivals, or that a number of ours is above zero."""

    OVER_TWO = staticmethod(ahead_of("gk-smote-paper", ["smote", "adasyn"], "f1"))

    @staticmethod
    def scores(gk, smote, adasyn):
        names = {"gk-smote-paper": gk, "smote": smote, "adasyn": adasyn, "raw": 0.5}
        return of_the_study({("logistic", name): mean for name, mean in names.items()})

    @pytest.mark.parametrize(
        ("means", "verdict", "counts"),
        [
            ((0.8, 0.7, 0.7), "reproduced", "2 of 2, clearly behind 0"),
            ((0.8, 0.7, 0.9), "partly", "1 of 2, clearly behind 1"),
            ((0.7, 0.7, 0.7), "not reproduced", "0 of 2, clearly behind 0"),
            ((0.6, 0.7, 0.7), "not reproduced", "0 of 2, clearly behind 2"),
        ],
    )
    def test_it_counts_the_rivals_that_the_method_is_clearly_ahead_of(self, means, verdict, counts):
        finding = self.OVER_TWO(self.scores(*means))
        assert finding["verdict"] == verdict
        assert finding["sound"] == f"clearly ahead of {counts}"

    def test_it_names_the_rival_over_which_the_shift_is_least(self):
        reason = self.OVER_TWO(self.scores(0.8, 0.7, 0.9))["reason"]
        assert reason.startswith("41 sets; least over ADASYN: -0.1")

    def test_lower_scores_can_be_better(self):
        rule = ahead_of("gk-smote-paper", ["smote"], "f1", lower=True)
        assert rule(self.scores(0.6, 0.7, 0.7))["verdict"] == "reproduced"

    def test_a_classifier_of_its_own_is_compared_with_the_rival_before_the_logistic_regression(
        self,
    ):
        rule = ahead_of("edks", ["smote"], "f1")
        means = {("own", "edks"): 0.8, ("logistic", "smote"): 0.7, ("logistic", "raw"): 0.5}
        assert rule(of_the_study(means))["verdict"] == "reproduced"

    def test_rivals_are_scored_on_the_sets_that_the_method_has(self):
        evidence = self.scores(0.8, 0.7, 0.7)
        one_each = list({family: name for name, family in FAMILIES.items()}.values())
        has = evidence.crossed["dataset"].isin(one_each)
        some = evidence.crossed[has | (evidence.crossed["method"] != "gk-smote-paper")]
        finding = self.OVER_TWO(Evidence({}, printed=PRINTED, crossed=some))
        assert finding["reason"].startswith(f"{len(one_each)} sets")
        assert finding["verdict"] == "reproduced"

    def test_a_family_without_records_is_no_verdict(self):
        evidence = self.scores(0.8, 0.7, 0.7)
        absent = [name for name in FORTY_ONE if FAMILIES[name] == FAMILIES[FORTY_ONE[0]]]
        some = evidence.crossed[~evidence.crossed["dataset"].isin(absent)]
        with pytest.raises(NotRecorded, match="1 of 14 families"):
            self.OVER_TWO(Evidence({}, printed=PRINTED, crossed=some))
        with pytest.raises(NotRecorded, match="GK-SMOTE"):
            self.OVER_TWO(Evidence({}, printed=PRINTED))

    REPLAYS = pd.DataFrame(
        {
            "relative": ["VTSS", "VTSS", "VTSS", "SAM-A"],
            "what": ["near", "noisy", "far", "gain"],
            "published": [0.5, 0.83, 0.3, np.nan],
            "ours": [0.509, 0.7, 0.35, 0.03],
            "standard error": [np.nan, 0.07, 0.001, 0.014],
        }
    )

    def test_a_number_above_twice_its_error_is_reproduced(self):
        finding = replayed(self.REPLAYS, "gain")(None)
        assert finding["verdict"] == "reproduced"
        assert finding["sound"] == "+0.030, standard error 0.014"
        less = self.REPLAYS.assign(ours=0.027)
        assert replayed(less, "gain")(None)["verdict"] == "not reproduced"
        with pytest.raises(NotRecorded, match="loss"):
            replayed(self.REPLAYS, "loss")(None)

    def test_published_numbers_agree_within_a_hundredth_or_two_errors(self):
        finding = numbers_replay(self.REPLAYS, "VTSS")(None)
        assert finding["sound"] == "2 of 3 agree" and finding["verdict"] == "partly"
        with pytest.raises(NotRecorded, match="SAM-A"):
            numbers_replay(self.REPLAYS, "SAM-A")(None)
