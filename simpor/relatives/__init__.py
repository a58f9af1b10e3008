"""Published rivals and remedies for imbalanced data, one file each.

Importing this package loads neither Keras nor PyTorch: a file that needs one imports it inside the
function that trains. A new relative adds one import line here and its name to ``__all__``.
"""

from simpor.relatives.bias_correction import BiasCorrectedClassifier
from simpor.relatives.deepsmote import DeepSMOTE
from simpor.relatives.gdo import GDO
from simpor.relatives.gk_smote import GKSMOTE
from simpor.relatives.kernel_smote import KernelSMOTESVC
from simpor.relatives.kotaro import KOTAROClassifier
from simpor.relatives.language_model import LanguageModelOversampler
from simpor.relatives.leo_cvae import LEOCVAE
from simpor.relatives.moms import MOMS
from simpor.relatives.radial import RBO
from simpor.relatives.sharpness import (
    AsymmetricSAM,
    batch_size_sweep,
    class_conditional_smoothing,
)
from simpor.relatives.size import TunedSizeClassifierCV
from simpor.relatives.size_theory import (
    generator_quality,
    local_symmetry_test,
    predicted_size,
    theory_guided_sizes,
)

__all__ = [
    "GDO",
    "GKSMOTE",
    "LEOCVAE",
    "MOMS",
    "RBO",
    "AsymmetricSAM",
    "BiasCorrectedClassifier",
    "DeepSMOTE",
    "KOTAROClassifier",
    "KernelSMOTESVC",
    "LanguageModelOversampler",
    "TunedSizeClassifierCV",
    "batch_size_sweep",
    "class_conditional_smoothing",
    "generator_quality",
    "local_symmetry_test",
    "predicted_size",
    "theory_guided_sizes",
]
