"""SIMPOR: synthetic information towards maximum posterior ratio."""

from simpor.informative import EntropyNetwork, informative_region
from simpor.kde import GaussianKDE
from simpor.posterior import PosteriorRatio
from simpor.sampler import PUBLISHED_PREPRINT, PUBLISHED_TAI, SIMPOR
from simpor.sphere import SphereAscent, ascend_on_sphere

__version__ = "0.2.0"

__all__ = [
    "PUBLISHED_PREPRINT",
    "PUBLISHED_TAI",
    "SIMPOR",
    "EntropyNetwork",
    "GaussianKDE",
    "PosteriorRatio",
    "SphereAscent",
    "ascend_on_sphere",
    "informative_region",
]
