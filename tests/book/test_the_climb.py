"""The figure "The climb" draws what the module computes, and reads without scripts."""

import base64
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
import the_climb
from bs4 import BeautifulSoup
from PIL import Image
from sklearn.neighbors import KernelDensity

from simpor import ascend_on_sphere
from simpor.lab import colours

BOOK = Path(__file__).parents[2] / "book"
PICTURE = re.compile(r"data:image/png;base64,([^\"]*)")


@pytest.fixture(scope="module")
def stored():
    return (BOOK / "the_climb.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def figure(stored):
    return BeautifulSoup(stored, "html.parser")


@pytest.fixture(scope="module")
def settings(figure):
    """The values of the sliders, and the rows."""
    sliders = {field["name"]: float(field["value"]) for field in figure.select("[type=range]")}
    data = json.loads(figure.select_one('script[type="application/json"]').string)
    return sliders | {name: np.array(rows) for name, rows in data["rows"].items()}


def log_ratio(settings, points):
    """The log posterior ratio by scikit-learn's densities and the shares of the classes."""
    score = {
        name: KernelDensity(bandwidth=settings["bandwidth"])
        .fit(settings[name])
        .score_samples(points)
        + np.log(len(settings[name]))
        for name in "AB"
    }
    return score["B"] - score["A"]


def pixels(page):
    file = io.BytesIO(base64.b64decode(PICTURE.search(page)[1]))
    return np.asarray(Image.open(file).convert("RGB"), dtype=float)


def test_stored_figure_is_what_the_code_writes(stored):
    written = the_climb.page()
    number = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")
    texts = [PICTURE.sub("", page) for page in (written, stored)]
    assert len({number.sub("0", text) for text in texts}) == 1, "run python book/the_climb.py"
    # places have one digit after the point, whose rounding may differ
    np.testing.assert_allclose(*([float(n) for n in number.findall(t)] for t in texts), atol=0.11)
    assert np.abs(pixels(written) - pixels(stored)).max() < 10


def test_rows_are_forty_against_fifteen_and_the_seed_is_the_first_of_the_minority(settings):
    assert settings["A"].shape == (40, 2) and settings["B"].shape == (15, 2)
    np.testing.assert_array_equal(settings["B"][0], [settings["x"], settings["y"]])


def test_map_has_the_colours_of_the_log_ratio(stored, settings):
    xs, ys = np.arange(-2.95, 3, 0.1), np.arange(1.95, -2, -0.1)
    grid = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    values = log_ratio(settings, grid).reshape(40, 60)
    shares = (1 + np.clip(values / the_climb.FULL_COLOUR, -1, 1)) / 2
    wanted = 255 * colours.CLASS_COLOURS(shares)[..., :3]
    assert np.abs(pixels(stored) - wanted).max() < 6  # half a shade


def test_sentence_and_curve_are_those_of_the_climb(figure, settings):
    seed, radius = settings["B"][0], settings["radius"]
    ratio = the_climb.fit(settings["A"], settings["B"], settings["bandwidth"])
    turn = np.radians(np.arange(0, 361, 4))
    along = log_ratio(settings, the_climb.on_circle(seed, radius, turn))
    np.testing.assert_allclose(
        ratio.log_ratio(the_climb.on_circle(seed, radius, turn)), along, atol=1e-9
    )
    drawn = np.array([p.split(",") for p in figure.select_one(".curve")["points"].split()], float)
    share = (the_climb.LOW - drawn[:, 1]) / (the_climb.LOW - the_climb.HIGH)
    np.testing.assert_allclose(share, (along - along.min()) / np.ptp(along), atol=2e-3)

    first = np.radians([settings["first"]])
    end = ascend_on_sphere(
        ratio.log_ratio_and_gradient,
        [seed],
        radius,
        start=the_climb.on_circle(seed, radius, first),
    )
    sentence = figure.output.string
    assert f"tries {end.n_iter[0]} turns" in sentence
    assert f"by {np.degrees(end.rotation[0]):.1f} degrees" in sentence
    assert f"from {end.start_value[0]:.2f} to {end.value[0]:.2f}" in sentence
    cross = figure.select_one(".cross")["d"]
    np.testing.assert_allclose(
        [float(v) for v in re.match(r"M([\d.]+),([\d.]+)m", cross).groups()],
        the_climb.place(end.x)[0],
        atol=0.11,
    )


def test_share_counts_against_the_highest_summit(settings):
    """From the other side of the valley the adaptive climb ends at the lower of two summits."""
    seed, radius = settings["B"][0], settings["radius"]
    ratio = the_climb.fit(settings["A"], settings["B"], settings["bandwidth"])
    along = log_ratio(
        settings, the_climb.on_circle(seed, radius, np.radians(np.arange(0, 360, 0.1)))
    )
    climbed = the_climb.climb(ratio, seed, radius, 100, "adaptive")
    np.testing.assert_allclose(climbed["best"], along.max(), atol=1e-4)
    assert climbed["value"] < along.max() - 1
    assert "gain of" in the_climb.sentence(climbed, "adaptive")
    published = the_climb.climb(ratio, seed, radius, settings["first"], "published")
    assert published["n_iter"] == 300
    np.testing.assert_allclose(published["degrees"], 1.08, atol=0.01)


def test_figure_is_small_and_readable_by_everybody(figure, stored):
    assert len(stored.encode()) < 22_000
    assert figure.svg["role"] == "img" and figure.svg["aria-label"]
    assert figure.output["aria-live"] == "polite"
    assert figure.form.has_attr("hidden")  # shown by the script
    assert all(field.find_parent("label") for field in figure.select("input"))
    assert all(field.legend.get_text() for field in figure.select("fieldset"))
    assert not re.search(r"https?:", stored)


def test_chapter_4_shows_the_stored_figure(stored):
    cells = json.loads((BOOK / "04_sphere.ipynb").read_text(encoding="utf-8"))["cells"]
    (cell,) = [cell for cell in cells if "the_climb.html" in "".join(cell["source"])]
    shown = "".join(cell["outputs"][0]["data"]["text/html"])
    assert shown == stored, "run python book/execute.py book/04_sphere.ipynb"
