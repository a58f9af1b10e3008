"""The figure "Who may choose?" draws what the record says, and reads without scripts."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import who_may_choose
from bs4 import BeautifulSoup
from matplotlib.image import imread
from scipy.stats import rankdata

from simpor.lab import tuning

BOOK = Path(__file__).parents[2] / "book"


@pytest.fixture(scope="module")
def stored():
    return (BOOK / "who_may_choose.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def figure(stored):
    return BeautifulSoup(stored, "html.parser")


@pytest.fixture(scope="module")
def data(figure):
    return json.loads(figure.select_one('script[type="application/json"]').string)


def recomputed(methods):
    """Mean ranks and mean macro-F1 of each case, from the rows of the record themselves."""
    choices = {choice.method: choice for choice in tuning.CHOICES}
    scores = {
        way: np.empty((len(tuning.SETS), len(methods))) for way in ("paper", "inside", "best")
    }
    for i, name in enumerate(tuning.SETS):
        rows = tuning.read(name, "sound")
        selected = tuning.scores_by_selection(rows)
        for j, method in enumerate(methods):
            assert method in choices
            ways = selected.xs(method, level="method")
            scores["paper"][i, j] = ways["paper"].mean()
            scores["inside"][i, j] = ways["inside"].mean()
            candidates = rows[(rows["method"] == method)]
            candidates = candidates[candidates["value"].isin(choices[method].values)]
            scores["best"][i, j] = candidates.groupby("fold")["test"].max().mean()
    ours = methods.index("simpor-published")
    alone = scores["paper"].copy()
    alone[:, ours] = scores["best"][:, ours]
    cases = [scores["paper"], alone, scores["best"], scores["inside"]]
    return [(rankdata(-case, axis=1).mean(axis=0), case.mean(axis=0)) for case in cases]


def test_numbers_are_those_of_the_record(data):
    assert len(data["methods"]) == 7
    for case, (ranks, f1) in zip(data["cases"], recomputed(data["methods"]), strict=True):
        np.testing.assert_allclose(case["ranks"], ranks, atol=1e-9)
        np.testing.assert_allclose(case["f1"], f1, atol=1e-9)
        ours = data["methods"].index("simpor-published")
        assert f"mean rank is {ranks[ours]:.1f} of 7" in case["sentence"]
        assert f"macro-F1 {f1[ours]:.3f}" in case["sentence"]


def test_stored_figure_is_what_the_code_writes(stored):
    written = who_may_choose.page(who_may_choose.numbers(who_may_choose.scores()))
    number = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")
    assert number.sub("0", written) == number.sub("0", stored), "run python book/who_may_choose.py"
    np.testing.assert_allclose(
        *([float(n) for n in number.findall(text)] for text in (written, stored)), atol=1e-6
    )


def test_table_and_picture_show_the_same_numbers_without_scripts(figure, data):
    table = [[float(cell.string) for cell in row.select("td")] for row in figure.select("tbody tr")]
    np.testing.assert_allclose(
        np.transpose(table), [case["ranks"] for case in data["cases"]], atol=0.05 + 1e-9
    )
    shown = data["cases"][who_may_choose.SHOWN]
    drawn = [
        float(re.search(r"translateX\((.*)px\)", dot["style"])[1]) / who_may_choose.UNIT + 1
        for dot in figure.select(".dot")
    ]
    np.testing.assert_allclose(drawn, shown["ranks"], atol=1e-3)
    assert figure.output.string == shown["sentence"]


def test_figure_is_small_and_readable_by_everybody(figure, stored):
    assert len(stored) < 15_000
    assert figure.svg["role"] == "img" and figure.svg["aria-label"]
    assert figure.output["aria-live"] == "polite"
    assert figure.fieldset.has_attr("hidden")  # shown by the script
    assert figure.legend.get_text()
    assert "prefers-reduced-motion" in figure.style.get_text()
    assert not re.search(r"https?:", stored)


def test_card_has_the_size_that_shared_links_show():
    assert imread(BOOK.parent / "_static" / "card.png").shape[:2] == (630, 1200)
