"""The README's first example does what it prints."""

import contextlib
import io
import re


def test_example_prints_what_its_comments_say(root):
    (code,) = re.findall(r"```python\n(.*?)```", (root / "README.md").read_text(), flags=re.DOTALL)
    assert len(code.splitlines()) <= 15
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
