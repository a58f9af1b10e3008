"""SIMPOR: synthetic information towards maximum posterior ratio."""

from simpor.kde import GaussianKDE
from simpor.posterior import PosteriorRatio
from simpor.sphere import SphereAscent, ascend_on_sphere

__all__ = ["GaussianKDE", "PosteriorRatio", "SphereAscent", "ascend_on_sphere"]
