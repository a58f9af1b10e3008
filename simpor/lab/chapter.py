"""What every chapter of the book begins with."""

import os

import pandas as pd

from simpor.lab import figures


def begin() -> None:
    """Set matplotlib to the style of the book, and TensorFlow to silence and one way of rounding.

    TensorFlow reads its settings when it is loaded, so this has to come first:

    - ``TF_CPP_MIN_LOG_LEVEL=3``: no notices at start, which are about hardware that is not there;
    - ``TF_ENABLE_ONEDNN_OPTS=0``: no kernels that are chosen by the kind of processor. With them
      the scores of a network differ in the last digits from machine to machine.

    A variable that is set already stays as it is. Tables show their texts whole.

    Examples
    --------
    >>> from simpor.lab import chapter
    >>> chapter.begin()
    >>> import os
    >>> os.environ["TF_ENABLE_ONEDNN_OPTS"]
    '0'
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    figures.use_style()
    pd.set_option("display.max_colwidth", None)
