"""Which weights, energies and packages a prediction comes from, for the record of a run."""

import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import rnass
from rnass.files import sha256
from rnass.thermodynamics.parameter_sets import OWN_ENERGIES, OWN_NAME
from rnass.thermodynamics.parameter_sets import version as vienna_version
from rnass.thermodynamics.second_fold import set_of

if TYPE_CHECKING:
    from rnass.prediction.predictor import Predictor

__all__ = ["origin", "versions"]


def origin(weights: Path, predictor: "Predictor") -> dict[str, Any]:
    """The files that decide what a predictor predicts, with their checksums, as JSON.

    Args:
        weights: the file that it was loaded from.
        predictor: it; a parameter set that comes with ViennaRNA has no file.
    """
    return {
        "weights": {"file": weights.name, "sha256": sha256(weights)},
        "energies": {
            name: sha256(OWN_ENERGIES) if name == OWN_NAME else None
            for name in dict.fromkeys(map(set_of, predictor.parameter_sets))
        },
    }


def versions() -> dict[str, str]:
    """Versions of rnass and of what its results depend on."""
    import torch  # which takes a second to load

    return {
        "rnass": rnass.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "ViennaRNA": vienna_version(),
    }
