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
    "_kernel_sums": "density",
    "kde": "density",
    "posterior": "ratio",
    "sphere": "ascent",
    "_neighbors": "seeds",
    "_ratio_climb": "sampler",
    "sampler": "sampler or seeds",
}
# The compiled climb stands in the file of the kernel sums, and its tests in that of its driver.
MORE_TESTS = {"_kernel_sums": ["tests/test_ratio_climb.py"]}
# Tests that start processes or train networks run only for changes that no other test noticed, and
# those that compile for other processors never.
SLOW = "fresh_process or cache or default_learner or published_settings_are_settings"
NEVER = "other_processors"

# One change for each operator is enough: a sum that becomes a difference, not eleven others.
OPERATORS = re.compile(
    "core/(AddNot|NumberReplacer|RemoveDecorator|ExceptionReplacer|ZeroIterationForLoop"
    "|Replace(And|Or|True|False|Break|Continue)With.*"
    "|ReplaceBinaryOperator_(Add_Sub|Sub_Add|Mul_Div|Div_Mul|FloorDiv_Mul|Pow_Mul|BitAnd_BitOr)"
    "|ReplaceComparisonOperator_(Lt_LtE|Lt_GtE|LtE_Lt|LtE_Gt|Gt_GtE|Gt_LtE|GtE_Gt|GtE_Lt"
    "|Eq_NotEq|NotEq_Eq|Is_IsNot|IsNot_Is)"
    "|ReplaceUnaryOperator_(Delete_.*|USub_UAdd))"
)

# Changes that no result can show: a part of the line, what it reads after the change, and why.
EQUIVALENT = {
    "_kernel_sums": [
        ("LANES = 32", r"LANES = \d+ if", "so many side by side: only speed"),
        ("BLOCK = 64", r"BLOCK = \d+$", "so many at once: only speed"),
        ("nogil=True", "nogil=False", "one thread after the other: only speed"),
        (
            "MIN_WORK_PER_THREAD = 2**19",
            r"MIN_WORK_PER_THREAD = \d",
            "one thread or more: only speed",
        ),
        ("// MIN_WORK_PER_THREAD", r"\* MIN_WORK_PER_THREAD", "the same"),
        ("_FLOATS, None", r"IntType\( ?3[13]\)", "any integer may be the number of a lane"),
        ("STOPPED = 2**62", r"STOPPED = \d", "no number of points reaches it"),
        ("# idle lanes", r"queries\) (- ?0|\+ 1)\)", "what idle lanes compute is thrown away"),
        ("total = _in_all", r"lanes\( ?-?1\.0\)", "before the first block it is scaled by 1e-308"),
        ("summed = np.empty", r"\( ?3, LANES", "a row more"),
    ],
    "kde": [
        ("math.ldexp(0.5", r"ldexp\( ?-0\.5", "both signs cancel"),
    ],
    "sphere": [
        ("if len(i) == 0:", r"== -1:$", "no point is asked about in further rounds: only speed"),
        ("break", r"continue$", "the same"),
        ("slopes == 0, 1.0", r"slopes == 0, 2\.0", "of the slope zero the half is zero"),
        ("products, 1.0", r"products, 2\.0", "the quotient is thrown away there"),
        ("lengths == 0, 1.0", r"lengths == 0, 2\.0", "of the null vector the half is null"),
        ("* start_directions)", r"/ start_directions", "in one dimension they are 1 and -1"),
        ("(there > here)", r"radii (>= 0|> -1)\)$", "at radius 0 both points are the center"),
        ("ensure_min_samples=0", r"samples= -1", "no number of rows is below zero"),
        ("any direction stays", r"(-1\] = 1|0\] = 2)\.0", "any direction stays at the center"),
        ("initial=1e-300", r"initial= -1\.0", "no direction is the null vector"),
    ],
    "_ratio_climb": [
        ("POINTS_AT_ONCE = 2**14", r"POINTS_AT_ONCE = \d", "so many at once: only memory"),
        ("USUAL_EVALUATIONS = 12", r"USUAL_EVALUATIONS = \d", "one thread or more: only speed"),
        ("LONG_WORK = 2**28", r"LONG_WORK = \d", "in which thread: no result shows it"),
    ],
    "_neighbors": [
        ("ROWS_FOR_A_TREE = 10_000", r"ROWS_FOR_A_TREE = \d", "by tree or product: only speed"),
        ("FEATURES_FOR_A_TREE = 15", r"FEATURES_FOR_A_TREE = \d", "the same"),
        ("PAIRS_AT_ONCE = 2**23", r"PAIRS_AT_ONCE = \d", "so many at once: only memory"),
        ("STEPS_OF_A_SEARCH = 2**10", r"STEPS_OF_A_SEARCH = \d", "threads: only speed"),
        ("leaf_size=30", r"leaf_size= ?\d", "only speed"),
        (
            "is_itself[~is",
            r"(- [02]|[ +]1)\] = True",
            "which of equally near rows is left out is open",
        ),
    ],
}


def changes_of(source):
    """All changes of a source: the operator, which of its places, and the line."""
    nodes = list(ast_nodes(get_ast(source)))
    lines = source.splitlines()
    changes = []
    for name in filter(OPERATORS.fullmatch, cosmic_ray.plugins.operator_names()):
        operator = cosmic_ray.plugins.get_operator(name)()
        places = [place for node in nodes for place in operator.mutation_positions(node)]
        changes += [
            (name, occurrence, line)
            for occurrence, ((line, _), _) in enumerate(places)
            if lines[line - 1].strip() != "*,"  # in a signature it is no operator
        ]
    return changes


def changed(source, name, occurrence, line):
    """The source with one change."""
    return mutate_code(source, cosmic_ray.plugins.get_operator(name)(), occurrence)


def difference(source, change):
    """The lines that a change touches, before and after."""
    diff = difflib.unified_diff(source.splitlines(), changed(source, *change).splitlines(), n=0)
    touched = [re.sub(r"^([-+]) *", r"  \1 ", text) for text in list(diff)[3:]]
    return "\n".join([f"line {change[2]}", *touched])


def is_equivalent(module, source, change):
    """Whether a change is among those that no result can show."""
    before = source.splitlines()[change[2] - 1]
    return any(
        part in before and re.search(after, difference(source, change).rpartition("\n")[2])
        for part, after, _ in EQUIVALENT.get(module, [])
    )


def begin(module, folder, change=None):
    """The number of a process that changes a module in a folder and runs its tests there."""
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
    if change:
        path = Path("simpor", f"{module}.py")
        path.write_text(changed(path.read_text(), *change))
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    tests = [f"tests/test_{module.removeprefix('_')}.py", *MORE_TESTS.get(module, [])]
    words = " or ".join([Path(test).stem for test in tests])
    own = f"({words} or simpor.{module} or {PROPERTIES[module]}) and not {NEVER}"
    files = [*tests, "tests/test_properties.py", f"simpor/{module}.py"]
    options = ["-x", "--assert=plain", "-p", "no:cacheprovider", *files]
    for tests in (f"{own} and not ({SLOW})", f"{own} and ({SLOW})"):
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
    """Number of changes, of equivalent ones among them, and of those that no test noticed."""
    source = (ROOT / "simpor" / f"{module}.py").read_text()
    changes = changes_of(source)
    n_all = len(changes)
    random.Random(0).shuffle(changes)
    changes = changes[:sample]
    record = RESULTS / f"{module}-{hashlib.sha256(source.encode()).hexdigest()[:12]}.txt"
    record.touch()
    noticed = set(record.read_text().splitlines())
    equivalent = [change for change in changes if is_equivalent(module, source, change)]
    todo = [
        change
        for change in changes
        if f"{change[0]} {change[1]}" not in noticed and change not in equivalent
    ]
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
        seconds = time.monotonic() - start
        print(
            f"simpor/{module}.py: {len(changes)} of {n_all} changes; as it is {seconds:.0f} seconds"
        )

        def finish():
            child, status = os.wait()
            change, copy = running.pop(child)
            shutil.rmtree(copy)
            if passed(status):
                survivors.append(change)
                print(f"simpor/{module}.py: not noticed, {difference(source, change)}")
            else:
                with record.open("a") as file:
                    print(*change[:2], file=file)

        for change in todo:
            if len(running) == os.cpu_count():
                finish()
            copy = Path(tempfile.mkdtemp(dir=folder)) / "copy"
            shutil.copytree(whole, copy)
            running[begin(module, copy, change)] = change, copy
        while running:
            finish()
    return len(changes), len(equivalent), len(survivors)


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
        n_all, n_equivalent, n_survivors = unnoticed(module, arguments.sample)
        n = n_all - n_equivalent
        line = f"simpor/{module}.py: {n - n_survivors} of {n} changes noticed, {n_equivalent} equivalent"
        if arguments.sample:
            low, high = proportion_confint(n - n_survivors, n, method="wilson")
            line += f", of the module's between {low:.0%} and {high:.0%}"
        lines.append(line)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
