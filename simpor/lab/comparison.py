"""Moved: the intervals to :mod:`~simpor.lab.intervals`, tables to :mod:`~simpor.lab.tables`."""

from simpor._moved import moved

__getattr__ = moved(
    __name__,
    {
        "SHOWN": "simpor.lab.tables",
        "ablation": "simpor.lab.tables",
        "ablation_effects": "simpor.lab.tables",
        "failures": "simpor.lab.tables",
        "hard_to_differentiate": "simpor.lab.overlap",
        "paired_differences": "simpor.lab.intervals",
        "rerun_against_record": "simpor.lab.intervals",
    },
)
