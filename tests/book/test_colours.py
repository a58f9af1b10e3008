"""One table of colours: chapters and drawing functions name colours, and write none themselves."""

import ast
import re

import pytest
from matplotlib.axes._base import _process_plot_format
from matplotlib.colors import is_color_like

from simpor.lab import colours

OF_A_COLOUR = re.compile(r"(\w*colors?|c|ec|fc|cmap)")
# What no colour stands for: nothing at all, and the colour of a line that was drawn before.
ALLOWED = {"none", "inherit"}


def literals(source):
    """Colours that a piece of code writes itself, each as it stands there."""
    tree = ast.parse(re.sub(r"^(\s*)[!%].*$", r"\1pass", source, flags=re.MULTILINE))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and re.fullmatch(r"#[0-9A-Fa-f]{6}", str(node.value)):
            yield node.value
        pairs = []
        if isinstance(node, ast.keyword):
            pairs = [(node.arg, node.value)]
        if isinstance(node, ast.Dict):
            pairs = [(getattr(k, "value", None), v) for k, v in zip(node.keys, node.values)]
        for name, value in pairs:
            if isinstance(name, str) and isinstance(value, ast.Constant):
                if OF_A_COLOUR.fullmatch(name) and value.value not in ALLOWED:
                    yield f"{name}={value.value}"
                if name == "fmt" and has_colour(value.value):
                    yield f"fmt={value.value}"
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("plot", "loglog"):
            for argument in node.args:
                if isinstance(argument, ast.Constant) and has_colour(argument.value):
                    yield argument.value


def has_colour(text):
    """Whether a short format such as "k--" names a colour."""
    try:
        return isinstance(text, str) and _process_plot_format(text)[2] is not None
    except ValueError:
        return False


@pytest.mark.parametrize(
    "source",
    [
        'ax.plot(x, y, "k--")',
        'ax.plot(x, y, color="0.5")',
        'ax.scatter(x, y, edgecolors="black")',
        'look = {"color": "red"}',
        'shades = ["#56B4E9"]',
        'ax.errorbar(x, y, fmt="ro")',
        'ax.imshow(a, cmap="viridis")',
    ],
)
def test_literals_are_seen(source):
    assert len(list(literals(source))) == 1


def test_chapters_name_their_colours(chapter):
    for cell in chapter[1].cells:
        if cell.cell_type == "code":
            assert list(literals(cell.source)) == [], cell.source


@pytest.mark.parametrize("module", ["figures", "statistics"])
def test_drawing_functions_name_their_colours(root, module):
    source = (root / "simpor" / "lab" / f"{module}.py").read_text()
    assert list(literals(source)) == []


def test_every_colour_of_the_table_is_one():
    named = {name: value for name, value in vars(colours).items() if isinstance(value, str)}
    single = {name: value for name, value in named.items() if value.startswith("#")}
    assert all(is_color_like(value) for value in single.values())
    assert len(set(single.values())) == len(single)  # one meaning for each
