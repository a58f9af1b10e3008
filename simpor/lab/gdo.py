"""GDO lives in :mod:`simpor.relatives` now."""

from simpor._moved import moved

__getattr__ = moved(
    __name__,
    dict.fromkeys(
        ["GDO", "anchor_probabilities", "distance_to_nearest", "random_directions"],
        "simpor.relatives.gdo",
    ),
)
