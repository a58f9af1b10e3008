"""What every chapter of the book begins with."""

import os
import sys
import warnings

import pandas as pd

from simpor import FewSeedsWarning
from simpor.lab import figures


def begin() -> None:
    """Set matplotlib to the style of the book, and TensorFlow to silence and one way of rounding.

    TensorFlow reads its settings when it is loaded, so this has to come first:

    - ``TF_CPP_MIN_LOG_LEVEL=3``: no notices at start, which are about hardware that is not there;
    - ``TF_ENABLE_ONEDNN_OPTS=0``: no kernels that are chosen by the kind of processor. With them
      the scores of a network differ in the last digits from machine to machine.

    A variable that is set already stays as it is. Tables show their texts whole. Figures in a
    notebook get twice as many pixels as the screen's own, which is sharp on every screen.

    SIMPOR's warning of few seeds is silenced: the papers' settings bring it on many sets, and the
    chapters count the seeds themselves (``n_seeds_``, ``seed_indices_``) where it matters.

    Examples
    --------
    >>> from simpor.lab import chapter
    >>> chapter.begin()
    >>> import os
    >>> "TF_ENABLE_ONEDNN_OPTS" in os.environ
    True
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    warnings.simplefilter("ignore", FewSeedsWarning)
    figures.use_style()
    ipython = sys.modules.get("IPython")
    if ipython is not None and ipython.get_ipython() is not None:
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        set_matplotlib_formats("retina")  # type: ignore[no-untyped-call]
    pd.set_option("display.max_colwidth", None)
