"""The ledger: evidence, claims, and the common scale of verdicts."""

import numpy as np
import pandas as pd
import pytest

from simpor.lab.claims import Claim, Evidence, NotRecorded, by_share, claims_of, judge
from simpor.lab.datasets import FORTY_ONE
from simpor.lab.published import METHOD_OF_PAPER_NAME
from simpor.lab.rules import tables_recompute


@pytest.mark.parametrize(
    ("done", "of", "verdict"),
    [
        (10, 10, "reproduced"),
        (9, 10, "reproduced"),
        (8, 10, "partly"),
        (5, 10, "partly"),
        (4, 10, "not reproduced"),
        (0, 3, "not reproduced"),
        (0.9, 1, "reproduced"),
        (0.5, 1, "partly"),
        (0, 0, "cannot be checked"),
    ],
)
def test_nine_tenths_are_reproduced_and_a_half_is_partly(done, of, verdict):
    assert by_share(done, of) == verdict


def test_the_edges_of_the_scale_are_exact_for_every_count():
    for n in range(10, 2001, 10):
        assert by_share(9 * n // 10, n) == "reproduced"
        assert by_share(9 * n // 10 - 1, n) == "partly"
        assert by_share(n // 2, n) == "partly"
        assert by_share(n // 2 - 1, n) == "not reproduced"


def test_what_has_no_interval_is_recorded_and_nothing_more():
    name = FORTY_ONE[0]
    methods = list(METHOD_OF_PAPER_NAME.values())
    rows = pd.DataFrame({"dataset": name, "method": np.repeat(methods, 2), "fold": 0, "seed": 0})
    rows = rows.assign(fold=[0, 1] * len(methods), metric="f1", value=0.8, seconds_resampling=1.0)
    both = Evidence(dict.fromkeys(["as published", "sound"], {name: rows})).beside("sound")
    of_the_set = both[both["dataset"] == name].set_index("metric")["status"]
    assert set(of_the_set["seconds"]) == {"recorded"}
    assert set(of_the_set["auc"]) == {"failed"}
    assert set(both["status"][both["metric"].str.startswith("p-value")]) == {"not recorded"}


def test_a_typed_finding_stands_as_it_is():
    typed = {"verdict": "cannot be checked", "reason": "no measure"}
    table = judge([Claim("here", "smooth", typed)], None)
    assert table.to_dict("records") == [
        {"where": "here", "claim": "smooth", "paper": "-", "as published": "-", "sound": "-"}
        | typed
    ]


def test_what_is_not_recorded_is_said_in_the_ledger():
    def waits(evidence):
        raise NotRecorded("3 sets")

    table = judge([Claim("here", "all of them", waits)], None)
    assert table.loc[0, ["verdict", "reason"]].to_list() == ["not recorded yet", "needs 3 sets"]


@pytest.mark.parametrize("finding", [{"verdict": "maybe"}, {}])
def test_another_word_is_no_verdict(finding):
    with pytest.raises(ValueError, match="give one of"):
        judge([Claim("here", "it works", lambda evidence: finding)], None)


def test_every_claim_needs_one_rule_and_every_rule_a_claim():
    keys = ["ascent converges", "direction, published rate", "direction, converged", "region"]
    rules = dict.fromkeys([*keys, "sets, different", "sets, sizes"], tables_recompute)
    claims = claims_of("method", rules)
    assert len(claims) == 13
    assert sum(callable(claim.rule) for claim in claims) == len(rules)
    with pytest.raises(ValueError, match=r"without a rule: \['region'\]"):
        claims_of("method", {key: rule for key, rule in rules.items() if key != "region"})
    with pytest.raises(ValueError, match=r"without a claim: \['topology'\]"):
        claims_of("method", rules | {"topology": tables_recompute})  # its verdict is typed
    with pytest.raises(ValueError, match="part 'methods'"):
        claims_of("methods", {})
