"""The package of published rivals and remedies as a whole."""

import subprocess
import sys

import pytest

import simpor.relatives
from simpor.lab import deepsmote, gdo


def test_importing_the_package_loads_no_heavy_library():
    heavy = "keras", "tensorflow", "torch", "jax", "matplotlib"  # scikit-learn loads pandas itself
    code = f"import simpor.relatives, sys; print([m for m in {heavy!r} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_every_relative_is_reached_from_the_package_by_its_name():
    for name in simpor.relatives.__all__:
        assert getattr(simpor.relatives, name).__module__.startswith("simpor.relatives.")


@pytest.mark.parametrize("name, old_home", [("GDO", gdo), ("DeepSMOTE", deepsmote)])
def test_relatives_are_still_found_in_the_laboratory_with_a_warning(name, old_home):
    with pytest.warns(FutureWarning, match="import it from simpor.relatives"):
        assert getattr(old_home, name) is getattr(simpor.relatives, name)
