"""The first page's picture draws what the module computes, small and readable by everybody."""

import re
from pathlib import Path

import numpy as np
import overview
import pytest
from bs4 import BeautifulSoup

from simpor import PosteriorRatio

BOOK = Path(__file__).parents[2] / "book"
IMAGE = re.compile(r'href="data:[^"]*"')


@pytest.fixture(scope="module")
def scene():
    return overview.compute()


@pytest.fixture(scope="module")
def page(scene):
    return BeautifulSoup(overview.interactive_html(scene), "html.parser")


def test_classes_end_balanced(scene):
    assert len(scene.minority) + len(scene.synthetic) == len(scene.majority)


def test_points_climb_on_their_spheres(scene):
    ratio = PosteriorRatio().fit(
        np.vstack([scene.majority, scene.minority]),
        np.repeat([0, 1], [len(scene.majority), len(scene.minority)]),
    )
    for point in (scene.starts, scene.ends):
        np.testing.assert_allclose(np.linalg.norm(point - scene.centers, axis=1), scene.radii)
    assert np.all(ratio.log_ratio(scene.ends) > ratio.log_ratio(scene.starts))


def test_every_way_is_an_arc_of_its_sphere_up_to_the_summit(scene, page):
    ways = page.select(".ways path")
    assert len(ways) == len(scene.centers)
    for way, start, end in zip(
        ways, overview._place(scene.starts), overview._place(scene.ends), strict=True
    ):
        numbers = [float(n) for n in re.findall(r"[\d.-]+", way["d"])]
        assert numbers[:2] == start and numbers[-2:] == end


def test_the_short_arc_leads_uphill(scene):
    ratio = PosteriorRatio().fit(
        np.vstack([scene.majority, scene.minority]),
        np.repeat([0, 1], [len(scene.majority), len(scene.minority)]),
    )
    start, end = (
        np.arctan2(*(point - scene.centers).T[::-1]) for point in (scene.starts, scene.ends)
    )
    turn = (end - start + np.pi) % (2 * np.pi) - np.pi
    for center, radius, angle, by in zip(scene.centers, scene.radii, start, turn, strict=True):
        angles = np.linspace(angle, angle + by, 50)
        arc = center + radius * np.column_stack([np.cos(angles), np.sin(angles)])
        assert np.all(np.diff(ratio.log_ratio(arc)) > -1e-9)


def test_every_step_has_a_choice_and_a_sentence(page):
    choices = page.select("input[type=radio]")
    assert [choice["id"] for choice in choices] == [f"overview-{i}" for i in range(1, 6)]
    assert sum(choice.has_attr("checked") for choice in choices) == 1
    assert len(page.select("p")) == len(choices)
    assert page.select_one("fieldset legend").get_text()


def test_page_needs_no_script_and_asks_before_it_moves(page):
    assert not page.select("script")
    assert page.svg["role"] == "img" and page.svg["aria-label"]
    assert "prefers-reduced-motion" in page.style.get_text()
    assert len(str(page)) < 100_000


def test_file_rests_after_its_layers_and_asks_before_it_moves(scene):
    svg = overview.animated_svg(scene)
    assert "prefers-reduced-motion" in svg
    assert "infinite" not in svg
    assert len(svg) < 100_000


@pytest.mark.parametrize("name", ["overview.html", "overview.svg"])
def test_the_stored_pictures_are_what_the_code_draws(scene, name):
    drawn = (
        overview.interactive_html(scene) if name.endswith("html") else overview.animated_svg(scene)
    )
    stored = (BOOK / name).read_text(encoding="utf-8")
    # Another version of a library may compress the map differently and round a digit otherwise.
    drawn, stored = (IMAGE.sub("", text) for text in (drawn, stored))
    number = re.compile(r"-?\d+(?:\.\d+)?")
    assert number.sub("0", drawn) == number.sub("0", stored), "run python book/overview.py"
    np.testing.assert_allclose(
        *([float(n) for n in number.findall(text)] for text in (drawn, stored)), atol=1
    )
