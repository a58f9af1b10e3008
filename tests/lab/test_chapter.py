import os
import subprocess
import sys
import warnings

from simpor import FewSeedsWarning
from simpor.lab import chapter

TRAIN_A_NETWORK = """
import numpy as np
from simpor.lab import chapter
chapter.begin()
from simpor import EntropyNetwork
EntropyNetwork(max_epochs=1).fit(np.arange(8.0)[:, None], np.arange(8) % 2)
"""


def test_a_network_trains_without_a_word_of_tensorflow():
    settings = {key: value for key, value in os.environ.items() if not key.startswith("TF_")}
    done = subprocess.run(
        [sys.executable, "-c", TRAIN_A_NETWORK],
        env=settings,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""


def test_settings_of_the_user_stay(monkeypatch):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "0")
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "1")
    chapter.begin()
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "0"
    assert os.environ["TF_ENABLE_ONEDNN_OPTS"] == "1"


def test_a_chapter_hears_no_warning_of_few_seeds_but_all_others():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        chapter.begin()
        warnings.warn("few seeds", FewSeedsWarning, stacklevel=1)
        warnings.warn("something else", UserWarning, stacklevel=1)
    assert [str(warning.message) for warning in caught] == ["something else"]
