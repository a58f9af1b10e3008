import pytest

from simpor.lab import published
from simpor.lab.published import SCORES, scores


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
    assert round(2115 / 2585, 4) == published.HARD_TO_DIFFERENTIATE["ADASYN"]


def test_names_may_be_translated():
    ours = scores("preprint, Figure 3", "moon", 3, names={"RawData": "raw", "f1": "macro_f1"})
    assert ours["raw", "macro_f1"] == 0.852


def test_a_table_that_does_not_exist_is_refused_with_the_list():
    with pytest.raises(ValueError, match="TAI, Table II"):
        scores("TAI, Table II", "moon", 3)


def test_every_printed_method_is_one_of_ours():
    from simpor.lab.methods import METHODS

    assert set(SCORES["method"]) == set(published.OUR_NAME)
    assert set(published.OUR_NAME.values()) <= set(METHODS)
