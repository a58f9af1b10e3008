"""pyproject.toml, requirements.txt, environment.yml and the Makefile say the same."""

import os
import re
import subprocess
import tomllib
from itertools import chain

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import simpor


@pytest.fixture(scope="module")
def project(root):
    return tomllib.loads((root / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def pins(root):
    """The lines of requirements.txt, as {name: Requirement}."""
    lines = (root / "requirements.txt").read_text().splitlines()
    pinned = [Requirement(line) for line in lines if line and not line.lstrip().startswith("#")]
    by_name = {canonicalize_name(pin.name): pin for pin in pinned}
    assert len(by_name) == len(pinned), "a package is pinned twice"
    return by_name


def test_every_pin_is_one_version(pins):
    for pin in pins.values():
        assert re.fullmatch(r"==[\w.]+", str(pin.specifier)), pin
        assert pin.url is None


def test_pins_name_no_place(root):
    text = (root / "requirements.txt").read_text()
    assert not re.search(r"://|file:|^\s*(-|/)", text, flags=re.MULTILINE)
    text = (root / "requirements-hashed.txt").read_text()
    assert not re.search(r"://|file:|^\s*(-(?!-hash=)|/)", text, flags=re.MULTILINE)


def test_every_pin_has_hashes(root, pins):
    text = (root / "requirements-hashed.txt").read_text().replace("\\\n", "")
    lines = [line.split(" --hash=") for line in text.splitlines() if re.match(r"\w", line)]
    hashed = {pin.strip(): [value.strip() for value in hashes] for pin, *hashes in lines}
    same = {str(Requirement(pin)) for pin in hashed} == {str(pin) for pin in pins.values()}
    assert same, "requirements-hashed.txt has other pins than requirements.txt: run make lock"
    for pin, hashes in hashed.items():
        assert hashes and all(re.fullmatch("sha256:[0-9a-f]{64}", value) for value in hashes), pin


def test_pins_satisfy_pyproject(project, pins):
    extras = project["optional-dependencies"]
    pinned_extras = [needs for name, needs in extras.items() if name != "gpu"]
    wanted = chain(project["dependencies"], *pinned_extras)
    for requirement in map(Requirement, wanted):
        pin = pins.get(canonicalize_name(requirement.name))
        assert pin, f"{requirement} is not pinned: run make lock"
        (version,) = pin.specifier
        assert version.version in requirement.specifier, (
            f"{pin} is not {requirement}: run make lock"
        )


def test_pytorch_is_not_pinned(project, pins):
    """Its wheel brings gigabytes of GPU libraries, and which one is right depends on the machine."""
    assert [Requirement(need).name for need in project["optional-dependencies"]["gpu"]] == [
        "torch",
        "array-api-compat",
    ]
    assert "torch" not in pins


def test_make_lock_pins_every_extra_but_the_gpu(root, project):
    (extras,) = re.findall(r"^EXTRAS := (.*)$", (root / "Makefile").read_text(), flags=re.MULTILINE)
    assert {*extras.split(), "gpu"} == set(project["optional-dependencies"])


def test_the_right_tensorflow_everywhere(pins):
    marker = {name: pins[name].marker for name in ("tensorflow", "tensorflow-cpu")}
    for system, machine, cpu in [
        ("linux", "x86_64", True),
        ("linux", "aarch64", False),
        ("darwin", "arm64", False),
        ("win32", "AMD64", False),
    ]:
        place = {"sys_platform": system, "platform_machine": machine}
        assert marker["tensorflow-cpu"].evaluate(place) is cpu
        assert marker["tensorflow"].evaluate(place) is not cpu


def test_conda_environment_takes_the_pins(root, project):
    environment = yaml.safe_load((root / "environment.yml").read_text())
    python, pip, from_pip = environment["dependencies"]
    name, version = python.split("=")
    assert (name, pip) == ("python", "pip")
    assert version in SpecifierSet(project["requires-python"])
    constraint, editable = from_pip["pip"]
    assert constraint == "-c requirements.txt"
    extras = re.fullmatch(r"-e \.\[([\w,]+)\]", editable)[1].split(",")
    assert {"keras", "study", "jupyter"} == set(extras) <= set(project["optional-dependencies"])


def test_one_version_number(root, project):
    citation = yaml.safe_load((root / "CITATION.cff").read_text())
    assert citation["version"] == project["version"] == simpor.__version__


def test_make_says_which_python_it_needs(root):
    alone = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", "--always-make", ".venv/installed", "PYTHON3=no-such-python"]
    make = subprocess.run(command, cwd=root, env=alone, capture_output=True, text=True, check=False)
    assert make.returncode
    assert "simpor needs Python 3.11, 3.12 or 3.13" in make.stderr
