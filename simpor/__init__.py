"""SIMPOR: synthetic information towards maximum posterior ratio."""

from simpor.entropy_network import EntropyNetwork
from simpor.informative import informative_region
from simpor.kde import GaussianKDE
from simpor.posterior import PosteriorRatio
from simpor.sampler import PUBLISHED_PREPRINT, PUBLISHED_TAI, SIMPOR, FewSeedsWarning
from simpor.sphere import SphereAscent, ascend_on_sphere

__version__ = "0.2.0"

__all__ = [
    "PUBLISHED_PREPRINT",
    "PUBLISHED_TAI",
    "SIMPOR",
    "EntropyNetwork",
    "FewSeedsWarning",
    "GaussianKDE",
    "PosteriorRatio",
    "SphereAscent",
    "ascend_on_sphere",
    "informative_region",
]
