"""Settings that hold for all tests."""

import os

import matplotlib
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# No window opens. The variable MPLBACKEND would reach the chapters' kernels too.
matplotlib.use("Agg")


@pytest.fixture(scope="session")
def root(pytestconfig):
    """The folder of the repository."""
    return pytestconfig.rootpath
