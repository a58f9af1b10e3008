"""The assignments' code runs, and their check tells a right ascent from a wrong one."""

import re

import numpy as np
import pytest

from simpor import ascend_on_sphere


@pytest.fixture(scope="module")
def text(root):
    return (root / "book" / "coursework.md").read_text()


@pytest.fixture(scope="module")
def first_assignment(text):
    """The names that the code of the first assignment defines."""
    names = {}
    for code in re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)[:2]:
        exec(code, names)
    return names


def by_the_module(objective, center, radius, start):
    ways = [
        ascend_on_sphere(objective, [center], [radius], start=[start], max_iter=n)
        for n in (0, 5, 200)
    ]
    return ways[-1].x[0], [way.value[0] for way in ways]


def as_printed(objective, center, radius, start):
    x, values = radius * start, []
    for _ in range(50):
        (value,), (gradient,) = objective((center + x)[None])
        values.append(value)
        tangent = gradient - (gradient @ x) * x
        x = x * np.cos(0.05) + tangent / np.linalg.norm(tangent) * np.sin(0.05)
    return center + x, values


def test_the_check_accepts_the_modules_ascent(first_assignment):
    first_assignment["check_ascent"](by_the_module)


def test_the_check_refuses_the_printed_lines(first_assignment):
    with pytest.raises(AssertionError, match="left its sphere"):
        first_assignment["check_ascent"](as_printed)


def test_the_check_refuses_a_random_direction(first_assignment):
    def stay(objective, center, radius, start):
        way = ascend_on_sphere(objective, [center], [radius], start=[start], max_iter=0)
        return way.x[0], [way.value[0]]

    with pytest.raises(AssertionError, match="no summit"):
        first_assignment["check_ascent"](stay)


def test_every_student_gets_data_and_a_rival(text, capsys):
    code = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)[2]
    for number in (1234, 17):
        exec(code.replace("1234", str(number)), {})
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_marks_add_up(text):
    for sheet in text.split("### Marking sheet")[1:]:
        marks = re.findall(r"^\| \w[\w ]* \| (\d+) \|", sheet.split("\n## ")[0], flags=re.MULTILINE)
        assert sum(map(int, marks)) == 100
