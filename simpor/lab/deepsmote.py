"""DeepSMOTE lives in :mod:`simpor.relatives` now."""

from simpor._moved import moved

__getattr__ = moved(
    __name__,
    dict.fromkeys(["DeepSMOTE", "draw_batches", "train_autoencoder"], "simpor.relatives.deepsmote"),
)
