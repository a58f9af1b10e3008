import base64
import io
import json
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from PIL import Image

from simpor.lab.player import circle_player, step_player

SVG = "{http://www.w3.org/2000/svg}"


def climb(label="A point climbs.", n_steps=7):
    _, y = np.meshgrid(np.linspace(-2, 2, 40), np.linspace(-1, 3, 40))
    angle = np.linspace(3, 1, n_steps)
    path = np.column_stack([np.cos(angle), np.sin(angle)])
    captions = [f'Step {i}: "a" < b & c costs $id.' for i in range(n_steps)]
    return circle_player(
        y,
        [0, 0],
        1.0,
        path,
        captions,
        label,
        extent=(-2, 2, -1, 3),
        points={"majority": [[1, 1]], "minority": [[-1, 1]]},
    )


def svg_of(figure):
    return ElementTree.fromstring(re.search(r"<svg.*</svg>", figure.data, re.DOTALL).group())


def test_the_last_step_is_drawn_before_any_script_runs():
    svg = svg_of(climb())
    lines = [e for e in svg.iter(SVG + "polyline") if e.get("class") == "path"]
    (dot,) = [e for e in svg.iter(SVG + "circle") if e.get("class") == "dot"]
    assert all(len(line.get("points").split()) == 7 for line in lines)
    assert lines[0].get("points").split()[-1] == f"{dot.get('cx')},{dot.get('cy')}"


def test_steps_in_the_page_are_the_path_in_drawing_units():
    steps = json.loads(
        re.search(r'application/json">(.*?)</script>', climb().data, re.DOTALL).group(1)
    )
    path = np.array(steps["paths"][0])
    assert path.shape == (7, 2)
    assert steps["captions"][3] == 'Step 3: "a" < b & c costs $id.'
    # On the drawing the path is still a circle, and up is up.
    svg = svg_of(climb())
    middle = np.array([44 + 428 / 2, 8 + 428 * 3 / 4])
    np.testing.assert_allclose(np.linalg.norm(path - middle, axis=1), 428 / 4, atol=0.2)
    assert path[3, 1] < middle[1]
    assert svg.get("viewBox") == "0 0 480 476.0"


def test_heat_map_is_bright_where_it_is_high_and_small():
    figure = climb()
    uri = re.search(r"base64,([^\"]+)", figure.data).group(1)
    image = Image.open(io.BytesIO(base64.b64decode(uri)))
    assert image.mode == "P" and image.size == (40, 40)
    grey = np.asarray(image.convert("L"), dtype=int)
    assert np.all(np.diff(grey[:, 0]) <= 0)  # heights grow upwards, rows of a picture downwards
    assert len(figure.data) < 15_000


def test_it_is_named_and_operable_without_a_mouse():
    figure = climb(label='A "label" & more')
    svg = svg_of(figure)
    assert svg.get("role") == "img" and svg.get("aria-label") == 'A "label" & more'
    assert '<button type="button">' in figure.data
    assert re.search(r'<input type="range"[^>]*aria-label="step"', figure.data)
    assert '<div class="bar" hidden>' in figure.data
    assert "http" not in figure.data.replace("http://www.w3.org/2000/svg", "")


def test_the_same_data_give_the_same_text_and_other_data_another_id():
    name = r'data-player="(p[0-9a-f]{12})"'
    assert climb().data == climb().data
    assert re.search(name, climb().data)[1] != re.search(name, climb(n_steps=8).data)[1]


def test_several_points_walk_together():
    walk = np.linspace(0, 1, 4)[:, None] * [1, 1]
    figure = step_player(
        None, {}, [walk, 1 - walk], list("abcd"), "Two points meet.", extent=(0, 1, 0, 1)
    )
    svg = svg_of(figure)
    assert sum(e.get("class") == "dot" for e in svg.iter(SVG + "circle")) == 2
    assert sum(e.get("class") == "path" for e in svg.iter(SVG + "polyline")) == 4


def maps_of_three_steps(**options):
    """Three maps, of which each has one row of cells higher than all others: first the lowest."""
    maps = np.zeros((3, 4, 5))
    for step in range(3):
        maps[step, step] = 1
    return step_player(
        maps,
        {"minority": [[0.5, 0.5]]},
        [],
        ["one", "two", "three"],
        "A map.",
        extent=(0, 1, 0, 1),
        levels=2,
        cmap="gray",
        **options,
    )


def test_maps_of_all_steps_lie_below_each_other_in_one_picture():
    figure = maps_of_three_steps()
    uri = re.search(r"base64,([^\"]+)", figure.data).group(1)
    sprite = np.asarray(Image.open(io.BytesIO(base64.b64decode(uri))).convert("L"))
    assert sprite.shape == (12, 5)
    # Row 0 of a map lies at the lower edge: in a picture the last of its four rows.
    assert np.flatnonzero(sprite[:, 0]).tolist() == [3, 4 + 2, 8 + 1]


@pytest.mark.parametrize("shown", [-1, 0, 1])
def test_the_shown_step_is_the_one_that_is_drawn(shown):
    figure = maps_of_three_steps(shown=shown)
    (maps,) = [e for e in svg_of(figure).iter(SVG + "image") if e.get("class") == "maps"]
    step = shown % 3
    assert maps.get("y") == str(-4 * step)
    assert re.search(r'<input type="range"[^>]* value="(\d)"', figure.data)[1] == str(step)
    assert f">{['one', 'two', 'three'][step]}</output>" in figure.data


def test_wrong_input_gets_a_sentence():
    with pytest.raises(ValueError, match="one map for every caption"):
        step_player(np.zeros((2, 3, 3)), {}, [], ["one"], "x", extent=(0, 1, 0, 1))
    with pytest.raises(ValueError, match="captions"):
        step_player(None, {}, np.zeros((3, 2)), ["one"], "x", extent=(0, 1, 0, 1))
    with pytest.raises(ValueError, match="majority"):
        step_player(None, {"rest": [[0, 0]]}, np.zeros((1, 2)), ["one"], "x", extent=(0, 1, 0, 1))
