"""Keras and TensorFlow, imported at first use, with a sentence where they cannot work."""

import os
import sys
from contextlib import suppress
from threading import Event
from types import ModuleType

# Set in a process that is a fork of one in which TensorFlow had started.
_forked_after_start = Event()


def import_keras(instead: str = "") -> tuple[ModuleType, ModuleType]:
    """Import Keras and TensorFlow.

    Parameters
    ----------
    instead : str, default=""
        What the user can do without them, for the message.

    Returns
    -------
    keras : module
    tensorflow : module

    Raises
    ------
    ImportError
        If Keras or TensorFlow is missing, or Keras' backend is.
    RuntimeError
        If Keras runs on another backend than TensorFlow, or this process is a fork of one in which
        TensorFlow had started: there its threads are missing, and it would wait forever.
    """
    if _forked_after_start.is_set():
        raise RuntimeError(
            "This process is a fork of one that has used TensorFlow, and would wait forever: start "
            'processes with "spawn" or joblib\'s "loky"' + instead + "."
        )
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # silence start-up messages
    wanted = os.environ.get("KERAS_BACKEND") or "tensorflow"
    try:
        import keras
        import tensorflow as tf
    except (ImportError, ValueError) as error:
        if wanted != "tensorflow":
            raise ImportError(
                f"KERAS_BACKEND={wanted} is set, and Keras cannot start on it ({error}): set "
                "KERAS_BACKEND=tensorflow before Keras is imported" + instead + "."
            ) from error
        raise ImportError(
            f'This network needs Keras with TensorFlow ({error}): pip install "simpor[keras]"'
            + instead
            + "."
        ) from error
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise RuntimeError(
            f"Keras runs on {backend} here: set KERAS_BACKEND=tensorflow before Keras is imported"
            + instead
            + "."
        )
    return keras, tf


def _tensorflow_has_started() -> bool:
    """Whether TensorFlow has made its threads in this process; the import alone makes none."""
    tf = sys.modules.get("tensorflow")
    if tf is None:
        return False
    settings = tf.config.threading
    number = settings.get_inter_op_parallelism_threads()
    try:
        settings.set_inter_op_parallelism_threads(number + 1)
    except RuntimeError:  # "cannot be modified after initialization"
        return True
    settings.set_inter_op_parallelism_threads(number)
    return False


def _note_fork() -> None:
    with suppress(AttributeError):  # a TensorFlow that is just being imported
        if _tensorflow_has_started():
            _forked_after_start.set()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)
