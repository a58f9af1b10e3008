"""Every chapter is complete as a file: its outputs read on their own, wherever it is opened."""

import re

import execute
import pytest
import yaml
from bs4 import BeautifulSoup

PATHS_OF_A_MACHINE = re.compile(
    r"(?<![\w.])/(?:home|root|tmp|work|Users|private)/\w|[A-Z]:\\\\?Users"
)


# A cell longer than this does not fit a screen; the formatter's layout counts.
MOST_LINES = 35

# What paints a map, in which bright means high; "doubt" and "boundary" are the chapters' own functions.
PAINTS_A_MAP = re.compile(r"\b(imshow|pcolormesh|contourf)\(")

# Pages that belong to a chapter, which has the goals, the exercises and the closing words of both.
APPENDICES = {"11_audit.ipynb"}


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def skipped(cell):
    return {"skip-execution", "nbval-skip"} <= set(cell.metadata.get("tags", []))


def test_is_in_the_table_of_contents(chapter, pages):
    assert f"book/{chapter[0].removesuffix('.ipynb')}" in pages


def test_ran_from_top_to_bottom(chapter):
    counts = [cell.execution_count for cell in code_cells(chapter[1]) if not skipped(cell)]
    assert counts == list(range(1, len(counts) + 1))


def test_cells_are_short_enough_to_be_read_at_once(chapter):
    for cell in code_cells(chapter[1]):
        assert len(cell.source.splitlines()) <= MOST_LINES, cell.source


def test_first_cell_is_for_colab_and_hidden_in_the_book(chapter, root):
    first = code_cells(chapter[1])[0]
    assert first.source == execute.COLAB, "run book/execute.py on it"
    assert first.metadata.tags == ["remove-cell"]
    assert not first.outputs
    repository = yaml.safe_load((root / "_config.yml").read_text())["repository"]["url"]
    assert f" {repository}\n" in first.source


def test_maps_whose_brightness_is_a_number_keep_their_white_sheet_in_the_dark(chapter):
    """Between the two colours of the classes, white is the middle, and may turn black."""
    for cell in code_cells(chapter[1]):
        image = cell.metadata.get("mystnb", {}).get("image", {})
        if image and PAINTS_A_MAP.search(cell.source) and "CLASS_COLOURS" not in cell.source:
            assert image.get("classes") == "dark-light", cell.source


def test_figures_are_small_files(chapter):
    for cell in code_cells(chapter[1]):
        for output in cell.outputs:
            assert len(output.get("data", {}).get("image/png", "")) * 3 / 4 < 200_000, cell.source
            assert len(output.get("data", {}).get("text/html", "")) < 100_000, cell.source


def test_outputs_hold_no_errors_and_no_warnings(chapter):
    outputs = [output for cell in code_cells(chapter[1]) for output in cell.outputs]
    assert outputs
    for output in outputs:
        assert output.output_type != "error", output.ename
        assert output.get("name") != "stderr", output.text


def test_figures_have_a_caption_and_a_text_for_those_who_cannot_see_them(chapter):
    for cell in code_cells(chapter[1]):
        figures = [output.data for output in cell.outputs if "image/png" in output.get("data", {})]
        if figures:
            mystnb = cell.metadata.get("mystnb", {})
            assert len(figures) == 1, f"two figures would share one text:\n{cell.source}"
            assert mystnb.get("image", {}).get("alt"), f"no alt text:\n{cell.source}"
            assert mystnb.get("figure", {}).get("caption"), f"no caption:\n{cell.source}"
            assert mystnb["figure"].get("name"), f"no name:\n{cell.source}"


def test_drawings_in_html_have_a_text(chapter):
    for cell in code_cells(chapter[1]):
        for output in cell.outputs:
            page = BeautifulSoup(
                "".join(output.get("data", {}).get("text/html", "")), "html.parser"
            )
            assert all(svg.get("aria-label") for svg in page.select("svg[role=img]"))
            assert all(
                svg.get("role") == "img"
                for svg in page.find_all("svg")
                if not svg.find_parent("svg")
            )
            assert all(img.get("alt") for img in page.find_all("img"))


def test_names_no_path_of_a_machine(chapter):
    _, notebook = chapter
    for cell in notebook.cells:
        text = cell.source + "".join(
            str(output.get("text", ""))
            + str(output.get("data", {}).get("text/plain", ""))
            + str(output.get("data", {}).get("text/html", ""))
            for output in cell.get("outputs", [])
        )
        assert not PATHS_OF_A_MACHINE.search(text), PATHS_OF_A_MACHINE.search(text)


def test_metadata_does_not_change_from_run_to_run(chapter):
    _, notebook = chapter
    assert set(notebook.metadata) <= {"kernelspec", "language_info"}
    assert notebook.metadata.kernelspec.name == "python3"
    assert "version" not in notebook.metadata.language_info
    for cell in notebook.cells:
        assert set(cell.metadata) <= {"mystnb", "tags", "jupyter"}, cell.metadata


def test_checks_some_outputs(chapter):
    assert any(
        "nbval-check-output" in cell.metadata.get("tags", []) for cell in code_cells(chapter[1])
    )


def test_has_exercises_with_solutions(chapter):
    if chapter[0] in APPENDICES:
        pytest.skip("an appendix")
    text = "\n\n".join(cell.source for cell in chapter[1].cells if cell.cell_type == "markdown")
    exercises = re.findall(r"^`{3,}\{exercise\}.*\n:label: (\S+)", text, flags=re.MULTILINE)
    solutions = re.findall(
        r"^`{3,}\{solution(?:-start)?\} (\S+)\n:class: dropdown", text, flags=re.MULTILINE
    )
    assert len(exercises) == 3
    assert sorted(exercises) == sorted(solutions)
    assert text.count("{solution-start}") == text.count("{solution-end}")


def test_opens_with_goals_and_closes_with_what_was_learnt(chapter):
    if chapter[0] in APPENDICES:
        pytest.skip("an appendix")
    cells = [cell.source for cell in chapter[1].cells if cell.cell_type == "markdown"]
    goals = re.findall(r"^[-*] ", cells[0], flags=re.MULTILINE)
    learnt = re.findall(r"^[-*] ", cells[-1], flags=re.MULTILINE)
    assert len(goals) == len(learnt) == 3
