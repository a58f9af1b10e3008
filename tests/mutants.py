"""Test the tests: change the module in hundreds of small ways, and see which changes go unnoticed.

``make mutants``, or ``python tests/mutants.py [MODULE ...] [--sample N]`` where cosmic-ray is
installed. cosmic-ray changes one operator, comparison, constant or condition at a time, and the
tests of that module run on a copy of it until the first one fails. Each run is a fork of this
process, which has imported everything but simpor, so most changes cost a few seconds.

Changes that were noticed are kept in _build/mutants and not tried again while the module stays as
it is; those that were not are tried every time.
"""

import argparse
import difflib
import hashlib
import os
import random
import re
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

# What the tests import besides simpor: the forks have it already.
import cosmic_ray.plugins
import hypothesis.extra.numpy  # noqa: F401
import imblearn.pipeline  # noqa: F401
import matplotlib  # noqa: F401
import mpmath  # noqa: F401
import numba
import pandas  # noqa: F401
import pytest
import scipy.integrate
import scipy.optimize  # noqa: F401
import sklearn.datasets
import sklearn.linear_model
import sklearn.model_selection
import sklearn.svm  # noqa: F401
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from statsmodels.stats.proportion import proportion_confint

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "_build" / "mutants"
SECONDS = 300  # of processor time: a change that makes a loop endless counts as noticed

# Beside tests/test_MODULE.py and the module's own examples, the properties with these words.
PROPERTIES = {
    "kde": "density",
    "posterior": "ratio",
    "sphere": "ascent",
    "sampler": "sampler or seeds",
}
# Tests that start processes or train networks run only for changes that no other test noticed.
SLOW = "process or cache or default_learner or published_settings or published_learner"

# One change for each operator is enough: a sum that becomes a difference, not eleven others.
OPERATORS = re.compile(
    "core/(AddNot|NumberReplacer|RemoveDecorator|ExceptionReplacer|ZeroIterationForLoop"
    "|Replace(And|Or|True|False|Break|Continue)With.*"
    "|ReplaceBinaryOperator_(Add_Sub|Sub_Add|Mul_Div|Div_Mul|FloorDiv_Mul|Pow_Mul|BitAnd_BitOr)"
    "|ReplaceComparisonOperator_(Lt_LtE|Lt_GtE|LtE_Lt|LtE_Gt|Gt_GtE|Gt_LtE|GtE_Gt|GtE_Lt"
    "|Eq_NotEq|NotEq_Eq|Is_IsNot|IsNot_Is)"
    "|ReplaceUnaryOperator_(Delete_.*|USub_UAdd))"
)


def mutants_of(source):
    """Changed sources, each with the lines that differ."""
    found, lines = {}, source.splitlines()
    for name in filter(OPERATORS.fullmatch, cosmic_ray.plugins.operator_names()):
        operator = cosmic_ray.plugins.get_operator(name)()
        places = [
            p for node in ast_nodes(get_ast(source)) for p in operator.mutation_positions(node)
        ]
        for occurrence, ((line, _), _) in enumerate(places):
            if lines[line - 1].strip() != "*,":  # in a signature it is no operator
                changed = mutate_code(source, operator, occurrence)
                diff = list(difflib.unified_diff(lines, changed.splitlines(), n=0))[3:]
                differing = [re.sub(r"^([-+]) *", r"  \1 ", text) for text in diff]
                found[changed] = (line, "\n".join([f"line {line}", *differing]))
    return [(changed, told) for changed, (_, told) in sorted(found.items(), key=lambda f: f[1])]


def begin(module, folder):
    """The number of a process that runs the tests of a module on the copy in a folder."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    output = os.open("output.txt", os.O_WRONLY | os.O_CREAT)
    os.dup2(output, 1)
    os.dup2(output, 2)
    own = f"test_{module} or simpor.{module} or {PROPERTIES[module]}"
    files = [f"tests/test_{module}.py", "tests/test_properties.py", f"simpor/{module}.py"]
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    options = ["-x", "--assert=plain", "-p", "no:cacheprovider", *files]
    for tests in (f"({own}) and not ({SLOW})", f"({own}) and ({SLOW})"):
        if pytest.main([*options, "-k", tests]) not in (0, pytest.ExitCode.NO_TESTS_COLLECTED):
            os._exit(1)
    imported = Path(sys.modules[f"simpor.{module}"].__file__)
    os._exit(0 if imported.is_relative_to(folder) else 2)


def passed(status):
    """Whether the tests passed, from the status of their process."""
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 2:
        sys.exit("another simpor was imported than the changed one")
    return status == 0


def unnoticed(module, sample):
    """Number of changes tried, and those that no test noticed."""
    source = (ROOT / "simpor" / f"{module}.py").read_text()
    mutants = mutants_of(source)
    random.Random(0).shuffle(mutants)
    mutants = mutants[:sample]
    noticed = RESULTS / f"{module}-{hashlib.sha256(source.encode()).hexdigest()[:12]}.txt"
    noticed.touch()
    known = set(noticed.read_text().splitlines())
    survivors, running = [], {}
    with tempfile.TemporaryDirectory() as folder:
        # the copy with the module as it is; numba's cache of the other modules stays in it
        whole = Path(folder, "whole")
        for path in [*ROOT.glob("simpor/*.py"), *ROOT.glob("tests/*.py"), ROOT / "pyproject.toml"]:
            to = whole / path.relative_to(ROOT)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, to)
        start = time.monotonic()
        if not passed(os.waitpid(begin(module, whole), 0)[1]):
            sys.exit((whole / "output.txt").read_text())
        print(f"simpor/{module}.py as it is: {time.monotonic() - start:.0f} seconds", flush=True)

        def finish():
            child, status = os.wait()
            changed, told, copy = running.pop(child)
            shutil.rmtree(copy)
            if passed(status):
                survivors.append(told)
                print(f"simpor/{module}.py: not noticed, {told}", flush=True)
            else:
                with noticed.open("a") as file:
                    print(digest(changed), file=file)

        for changed, told in mutants:
            if digest(changed) in known:
                continue
            if len(running) == os.cpu_count():
                finish()
            copy = Path(tempfile.mkdtemp(dir=folder)) / "copy"
            shutil.copytree(whole, copy)
            (copy / "simpor" / f"{module}.py").write_text(changed)
            running[begin(module, copy)] = changed, told, copy
        while running:
            finish()
    return len(mutants), survivors


def digest(source):
    """A short name for a changed source."""
    return hashlib.sha256(source.encode()).hexdigest()[:16]


def main():
    """Try the modules one after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", default=list(PROPERTIES))
    parser.add_argument(
        "--sample", type=int, help="so many changes of each module, drawn at random"
    )
    arguments = parser.parse_args()
    RESULTS.mkdir(parents=True, exist_ok=True)
    numba.njit(lambda x: x)(1.0)  # the compiler is ready before the first fork
    lines = []
    for module in arguments.modules:
        n, survivors = unnoticed(module, arguments.sample)
        line = f"simpor/{module}.py: {n - len(survivors)} of {n} changes noticed"
        if arguments.sample:
            low, high = proportion_confint(n - len(survivors), n, method="wilson")
            line += f", of all changes between {low:.0%} and {high:.0%}"
        lines.append(line)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
