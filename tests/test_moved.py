"""Moved names: forwarded with a warning that says where they live."""

import sys
from types import ModuleType

import pytest

from simpor._checks import LARGEST_SEED
from simpor._moved import moved


@pytest.fixture
def old_module(monkeypatch):
    module = ModuleType("old_home")
    module.__getattr__ = moved("old_home", {"LARGEST_SEED": "simpor._checks"})
    monkeypatch.setitem(sys.modules, "old_home", module)
    return module


def test_a_moved_name_is_forwarded_with_a_warning(old_module):
    with pytest.warns(FutureWarning, match="LARGEST_SEED moved: import it from simpor._checks"):
        from old_home import LARGEST_SEED as forwarded
    assert forwarded is LARGEST_SEED


def test_a_renamed_name_is_forwarded_under_the_new_one():
    module = ModuleType("old_home")
    module.__getattr__ = moved("old_home", {"MOST": "simpor._checks:LARGEST_SEED"})
    with pytest.warns(FutureWarning, match="MOST moved: import LARGEST_SEED from simpor._checks"):
        assert module.MOST is LARGEST_SEED


def test_the_warning_points_at_the_line_that_imports(old_module):
    with pytest.warns(FutureWarning) as record:
        from old_home import LARGEST_SEED  # noqa: F401
    assert record[0].filename == __file__


@pytest.mark.filterwarnings("error")
def test_other_names_are_missing_as_in_any_module(old_module):
    with pytest.raises(AttributeError, match="module 'old_home' has no attribute 'nothing'"):
        _ = old_module.nothing
    assert not hasattr(old_module, "__path__")
    with pytest.raises(ImportError, match="cannot import name 'nothing'"):
        from old_home import nothing  # noqa: F401
