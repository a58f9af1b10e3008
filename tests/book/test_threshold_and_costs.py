"""The figure "Threshold and costs" says what scipy and scikit-learn compute, and reads without scripts."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import threshold_and_costs
from bs4 import BeautifulSoup
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.stats import norm
from sklearn import metrics

BOOK = Path(__file__).parents[2] / "book"
# Boundary, distance, rows of A to one of B, cost of a miss.
SETTINGS = [(2.5, 2.0, 20.0, 10.0), (0.4, 1.0, 1.0, 1.0), (3.1, 3.5, 1000.0, 300.0)]


@pytest.fixture(scope="module")
def stored():
    return (BOOK / "threshold_and_costs.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def figure(stored):
    return BeautifulSoup(stored, "html.parser")


@pytest.fixture(scope="module")
def first():
    """The settings of the picture that stands without scripts."""
    return threshold_and_costs.settings(2.5, 2, -1.3, 1)


def named(*setting):
    return dict(zip(("c", "d", "ratio", "cost"), setting, strict=True))


@pytest.mark.parametrize("setting", SETTINGS)
def test_scores_are_those_of_scikit_learn_on_weighted_cells(setting):
    c, d, ratio, _ = setting
    found = threshold_and_costs.measures(*setting)
    y, answer = [0, 0, 1, 1], [0, 1, 0, 1]
    cells = [found[name] for name in ("passed", "alarms", "misses", "hits")]
    share = np.array([ratio, ratio, 1, 1]) / (1 + ratio)
    areas = [norm.cdf(c), norm.sf(c), norm.cdf(c, loc=d), norm.sf(c, loc=d)]
    np.testing.assert_allclose(cells, 1000 * share * areas, rtol=1e-9)
    for name, score in (
        ("precision", metrics.precision_score(y, answer, sample_weight=cells)),
        ("recall", metrics.recall_score(y, answer, sample_weight=cells)),
        ("macro", metrics.f1_score(y, answer, sample_weight=cells, average="macro")),
    ):
        np.testing.assert_allclose(found[name], score, rtol=1e-9)


@pytest.mark.parametrize("setting", SETTINGS)
def test_cheapest_place_is_what_a_search_finds(setting):
    _, d, ratio, cost = setting
    found = threshold_and_costs.measures(*setting)
    searched = minimize_scalar(
        lambda c: threshold_and_costs.measures(c, d, ratio, cost)["paid"],
        bounds=(found["best"] - 3, found["best"] + 2),
        method="bounded",
        options={"xatol": 1e-9},
    )
    np.testing.assert_allclose(found["best"], searched.x, atol=1e-5)
    np.testing.assert_allclose(found["least"], searched.fun, rtol=1e-9)
    there = threshold_and_costs.measures(found["best"], d, ratio, cost)
    np.testing.assert_allclose(there["p"], 1 / (1 + cost), rtol=1e-9)


@pytest.mark.parametrize("setting", SETTINGS)
def test_area_and_probability(setting):
    c, d, ratio, _ = setting
    found = threshold_and_costs.measures(*setting)
    area, _ = quad(lambda x: norm.pdf(x) * norm.sf(x, loc=d), -9, 9)
    np.testing.assert_allclose(found["auc"], area, rtol=1e-7)
    of_A, of_B = ratio * norm.pdf(c), norm.pdf(c, loc=d)
    np.testing.assert_allclose(found["p"], of_B / (of_A + of_B), rtol=1e-9)


def test_sentence_names_the_cheapest_place_only_there(first):
    found = threshold_and_costs.measures(**first)
    elsewhere = threshold_and_costs.sentence(first, found)
    assert "cheapest boundary would cost 207.1" in elsewhere and "1.35" not in elsewhere
    moved = {**first, "c": found["best"]}
    there = threshold_and_costs.sentence(moved, threshold_and_costs.measures(**moved))
    assert "cheapest boundary: d/2 + ln(20/10)/d = 1.35" in there and "would cost" not in there
    far = named(20.0, 0.5, 1000.0, 0.1)
    beyond = threshold_and_costs.sentence(far, threshold_and_costs.measures(**far))
    assert "beyond the picture" in beyond and "beyond" not in there


def test_cells_and_sentence_stand_without_scripts(figure, first):
    found = threshold_and_costs.measures(**first)
    cells = {cell["data-of"]: cell for cell in figure.select("[data-of]")}
    assert set(cells) == set(found) - {"p", "best", "least"}
    for name, cell in cells.items():
        digits = int(cell.get("data-digits", 1))
        np.testing.assert_allclose(float(cell.string), found[name], atol=0.51 * 10**-digits)
    assert figure.output.string == threshold_and_costs.sentence(first, found)


def test_picture_shows_the_densities_and_the_curves(figure, first):
    def drawn(name):
        return np.array(re.findall(r"-?[\d.]+", figure.select_one(f"path.{name}")["d"]), float)

    module = threshold_and_costs
    for name, centre, share in (("of_A", 0, 1), ("of_B", 2, 1 / 20), ("weighted", 2, 10 / 20)):
        x, y = drawn(name).reshape(-1, 2).T
        height = share * norm.pdf(x / module.UNIT + module.LEFT, loc=centre) / norm.pdf(0)
        np.testing.assert_allclose(
            (module.FLOOR - y) / (module.FLOOR - module.TOP), height, atol=1e-3
        )
    for name, left in (("roc", module.ROC), ("pr", module.PR)):
        x, y = drawn(name).reshape(-1, 2).T
        x, y = (x - left) / module.SIZE, 1 - (y - module.CEILING) / module.SIZE
        inner = (x > 0.02) & (x < 0.98)
        if name == "roc":
            wanted = norm.sf(norm.isf(x[inner]), loc=2)
        else:
            wanted = x[inner] / (x[inner] + 20 * norm.sf(norm.isf(x[inner], loc=2)))
        np.testing.assert_allclose(y[inner], wanted, atol=5e-3)
    assert figure.select_one(".line")["transform"] == f"translate({(2.5 + 3.5) * module.UNIT:g},0)"


def test_stored_figure_is_what_the_code_writes(stored):
    written = threshold_and_costs.page()
    number = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")
    assert number.sub("0", written) == number.sub("0", stored), (
        "run python book/threshold_and_costs.py"
    )
    # places have one digit after the point, whose rounding may differ
    np.testing.assert_allclose(
        *([float(n) for n in number.findall(text)] for text in (written, stored)), atol=0.11
    )


def test_figure_is_small_and_readable_by_everybody(figure, stored):
    assert len(stored.encode()) <= 16_000
    assert figure.svg["role"] == "img" and figure.svg["aria-label"]
    assert figure.output["aria-live"] == "polite"
    assert figure.form.has_attr("hidden")  # shown by the script
    assert all(field.find_parent("label").get_text().strip() for field in figure.select("input"))
    assert not re.search(r"https?:", stored)


@pytest.mark.parametrize("chapter", ["01_imbalance", "14_thresholds_and_costs"])
def test_chapters_show_the_stored_figure(stored, chapter):
    cells = json.loads((BOOK / f"{chapter}.ipynb").read_text(encoding="utf-8"))["cells"]
    (cell,) = (cell for cell in cells if "threshold_and_costs.html" in "".join(cell["source"]))
    shown = "".join(cell["outputs"][0]["data"]["text/html"])
    assert shown == stored, f"run python book/execute.py book/{chapter}.ipynb"
