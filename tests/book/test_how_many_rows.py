"""The figure "How many rows" computes what chapter 15 does, and reads without scripts."""

import json
import re
from pathlib import Path

import how_many_rows
import numpy as np
import pytest
from bs4 import BeautifulSoup
from scipy.optimize import minimize_scalar

from simpor.relatives.size_theory import predicted_size

BOOK = Path(__file__).parents[2] / "book"
SETTINGS = [(50, 0.375, 1), (50, 0.375, 4), (50, -0.125, 0.8), (10, 0, 0), (300, 0.9, 2.5)]


@pytest.fixture(scope="module")
def stored():
    return (BOOK / "how_many_rows.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def figure(stored):
    return BeautifulSoup(stored, "html.parser")


@pytest.fixture(scope="module")
def cells():
    notebook = json.loads((BOOK / "15_how_many_rows.ipynb").read_text(encoding="utf-8"))
    return {cell["id"]: cell for cell in notebook["cells"]}


@pytest.fixture(scope="module")
def chapter(cells):
    """What the chapter's own cells define."""
    names = {"np": np}
    for name in ("rows-03", "rows-06"):
        exec("".join(cells[name]["source"]), names)
    return names


@pytest.mark.parametrize("n_rare, bias, gaps", SETTINGS)
def test_numbers_are_those_of_the_chapter(chapter, n_rare, bias, gaps):
    found = how_many_rows.numbers(n_rare, bias, gaps)
    centres, labels, best = chapter["designs"]["asymmetric"]
    m = how_many_rows.centre_of_bias(bias) * chapter["e1"]
    pulls = [chapter["pull"](best, centre, label) for centre, label in zip(centres, labels)]
    g_phi, g_psi = pulls[1] - pulls[0], pulls[1] - chapter["pull"](best, m, 1)
    np.testing.assert_allclose(g_psi, bias * g_phi, atol=1e-9)
    theta = chapter["fitted"](gaps, m, centres, labels, ratio=1000 / n_rare)
    assert found["boundary"] == pytest.approx(0.5 / theta[0], rel=1e-9)
    risk = chapter["excess_risk"](theta, centres, labels, best)
    assert found["risk"] == pytest.approx(risk, abs=1e-9)
    size = predicted_size(g_phi, g_psi, 1)
    if bias < 0.5:
        assert found["best"] == pytest.approx(size, rel=1e-9)
        assert found["least"] == pytest.approx(0, abs=1e-9)
    else:
        assert np.isnan(size) and found["best"] is None and found["least"] is None


@pytest.mark.parametrize("bias", [-0.1, 0, 0.2, 0.375])
def test_predicted_number_is_the_minimum_of_the_risk(bias):
    found = minimize_scalar(
        lambda gaps: how_many_rows.numbers(50, bias, gaps)["risk"], bounds=(0, 8), method="bounded"
    )
    assert how_many_rows.numbers(50, bias, 1)["best"] == pytest.approx(found.x, abs=1e-3)


def test_no_number_is_enough_from_one_half_on():
    for bias in (0.5, 0.6, 1):
        found = [how_many_rows.numbers(50, bias, gaps) for gaps in (1, 1000)]
        assert found[0]["best"] is None and found[1]["risk"] > 0
    harm = np.diff([how_many_rows.numbers(50, 1, gaps)["risk"] for gaps in range(6)])
    assert np.all(harm > 0)


def test_stored_figure_is_what_the_code_writes(stored, cells):
    written = how_many_rows.page()
    number = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")
    assert number.sub("0", written) == number.sub("0", stored), "run python book/how_many_rows.py"
    now, then = ([float(n) for n in number.findall(text)] for text in (written, stored))
    differ = np.abs(np.subtract(now, then)) > 1e-6
    # a mark that falls between two pixels may be rounded either way
    assert np.mean(differ) < 0.01 and np.allclose(now, then, atol=1)
    shown = cells["rows-49"]["outputs"][0]["data"]["text/html"]
    assert "".join(shown) == stored, "run python book/execute.py book/15_how_many_rows.ipynb"


def test_picture_and_sentence_show_the_same_numbers_without_scripts(figure):
    found = how_many_rows.numbers(**how_many_rows.SHOWN)
    edge = figure.select_one("line.edge")
    assert (float(edge["x1"]) - 122) / 38 == pytest.approx(found["boundary"], abs=1e-3)
    now, best = figure.select_one(".now"), figure.select_one(".best")
    assert (236 - float(now["cy"])) / 1250 == pytest.approx(found["risk"], abs=1e-5)
    assert (float(best["cx"]) - 40) / 54 == pytest.approx(found["best"], abs=1e-3)
    assert figure.output.string == how_many_rows.sentence(**how_many_rows.SHOWN)
    assert f"risk is {found['risk']:.4f}" in figure.output.string
    assert f"predicts {found['best']:.2f} gaps" in figure.output.string


def test_figure_is_small_and_readable_by_everybody(figure, stored):
    assert len(stored.encode()) < 12_000
    assert all(svg["role"] == "img" and svg["aria-label"] for svg in figure.select("svg"))
    assert figure.output["aria-live"] == "polite"
    assert figure.fieldset.has_attr("hidden")  # shown by the script
    assert all(field.find_parent("label") for field in figure.select("input"))
    assert not re.search(r"transition|animation", stored)  # nothing moves by itself
    assert not re.search(r"https?:", stored)
