import pytest

from simpor.lab import comparison, intervals, overlap, tables


@pytest.mark.parametrize(
    ("name", "home"),
    [
        ("SHOWN", tables),
        ("ablation", tables),
        ("ablation_effects", tables),
        ("failures", tables),
        ("hard_to_differentiate", overlap),
        ("paired_differences", intervals),
        ("rerun_against_record", intervals),
    ],
)
def test_moved_names_are_found_with_a_warning(name, home):
    with pytest.warns(FutureWarning, match=home.__name__):
        assert getattr(comparison, name) is getattr(home, name)
