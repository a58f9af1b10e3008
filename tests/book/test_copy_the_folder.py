"""The page on copying the folder tells the truth: its files alone suffice, without Keras."""

import ast
import re
import shutil
import subprocess
import sys

import pytest

# What an environment without Keras does. The copied folder is the working directory, hence found first.
NO_KERAS = """
import sys
sys.modules.update(keras=None, tensorflow=None)
"""


@pytest.fixture(scope="module")
def page(root):
    return (root / "book" / "copy_the_folder.md").read_text()


@pytest.fixture
def project(root, tmp_path):
    """An empty folder that holds the copied files."""
    (tmp_path / "simpor").mkdir()
    for file in (root / "simpor").glob("*.py"):
        shutil.copy(file, tmp_path / "simpor")
    return tmp_path


def run(project, code):
    return subprocess.run(
        [sys.executable, "-c", NO_KERAS + code],
        check=False,
        cwd=project,
        capture_output=True,
        text=True,
    )


def test_the_example_runs_on_the_copy_without_keras(page, project):
    (code,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    (expected,) = re.findall(r"^print\(.*\)  # (.*)$", code, flags=re.MULTILINE)
    where = "import simpor; print(simpor.__file__)"
    process = run(project, f"{code}\n{where}")
    assert process.returncode == 0, process.stderr
    assert process.stdout.splitlines() == [expected, str(project / "simpor" / "__init__.py")]


def test_without_keras_the_default_learner_names_the_cure(project):
    code = "from simpor import EntropyNetwork\nEntropyNetwork().fit([[0.0], [1.0]], [0, 1])"
    process = run(project, code)
    assert process.returncode
    assert "learner=" in process.stderr.splitlines()[-1]


def test_the_table_names_what_each_file_imports(page, root):
    rows = re.findall(r"^\| `(\w+)\.py` \| .* \| (.*?) ?\|$", page, flags=re.MULTILINE)
    assert {name for name, _ in rows} == {
        path.stem for path in (root / "simpor").glob("*.py") if path.stem != "__init__"
    }
    for name, imports in rows:
        tree = ast.parse((root / "simpor" / f"{name}.py").read_text())
        found = {
            node.module.removeprefix("simpor.")
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("simpor.")
        }
        assert found == set(re.findall(r"`(\w+)\.py`", imports))
