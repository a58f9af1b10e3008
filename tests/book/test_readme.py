"""The README's first example does what it prints."""

import contextlib
import io
import re

import yaml


def blocks(path, language):
    return re.findall(rf"```{language}\n(.*?)```", path.read_text(), flags=re.DOTALL)


def test_example_prints_what_its_comments_say(root):
    (code,) = blocks(root / "README.md", "python")
    assert len(code.splitlines()) <= 12
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, {})
    expected = re.findall(r"^print\(.*\)  # (.*)$", code, flags=re.MULTILINE)
    assert expected
    assert printed.getvalue().splitlines() == expected


def test_commands_exist(root):
    readme, makefile = (root / "README.md").read_text(), (root / "Makefile").read_text()
    for target in re.findall(r"\bmake ([a-z-]+)", readme):
        assert f"\n{target}:" in makefile, f"make {target} is in the README alone"


def test_first_page_of_the_book_has_the_same_example(root):
    assert blocks(root / "README.md", "python") == blocks(root / "book" / "index.md", "python")


def test_papers_are_cited_as_in_the_bibliography(root):
    (cited,) = blocks(root / "README.md", "bibtex")
    assert cited.strip() in (root / "book" / "references.bib").read_text()
    citation = yaml.safe_load((root / "CITATION.cff").read_text())
    titles = [citation["preferred-citation"]["title"], citation["references"][0]["title"]]
    entries = re.findall(r"title  += \{(.*)\}", cited)
    assert [entry.replace("{", "").replace("}", "") for entry in entries] == titles


def test_badges_lead_to_the_repository_and_to_files_that_are_there(root):
    readme = (root / "README.md").read_text()
    repository = yaml.safe_load((root / "_config.yml").read_text())["repository"]
    owner = repository["url"].removeprefix("https://github.com/")
    workflows = re.findall(rf"github\.com/{owner}/actions/workflows/(\w+\.yml)", readme)
    assert workflows
    files = [f".github/workflows/{name}" for name in workflows]
    files += re.findall(rf"{owner}/{repository['branch']}\?urlpath=lab/tree/([\w/.]+)", readme)
    files += re.findall(rf"{owner}/blob/{repository['branch']}/([\w/.]+)", readme)
    files += re.findall(r"\]\((?!http)([\w/.]+)\)", readme)
    for file in files:
        assert (root / file).exists(), file
    citation = yaml.safe_load((root / "CITATION.cff").read_text())
    assert citation["repository-code"] == repository["url"]
