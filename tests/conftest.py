"""Settings that hold for all tests."""

import os

import matplotlib
import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# It imports what `make mutants` alone installs.
collect_ignore = ["mutants.py"]
# No window opens. The variable MPLBACKEND would reach the chapters' kernels too.
matplotlib.use("Agg")

# The same examples in every run; pytest --hypothesis-profile=search looks for new ones.
QUIET = [HealthCheck.too_slow, HealthCheck.differing_executors]
settings.register_profile(
    "same",
    max_examples=20,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=QUIET,
)
settings.register_profile(
    "search", max_examples=500, database=None, deadline=None, suppress_health_check=QUIET
)
settings.load_profile("same")


@pytest.fixture(scope="session")
def root(pytestconfig):
    """The folder of the repository."""
    return pytestconfig.rootpath
