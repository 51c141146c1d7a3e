"""rnass: RNA secondary structure from a frozen RNA language model.

The public names are imported when they are first used, so `import rnass` is quick and imports no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

__all__ = [
    "Conditions",
    "Constraints",
    "Prediction",
    "Predictor",
    "Rna",
    "RnassError",
    "Structure",
    "__version__",
    "load_predictor",
    "predict",
]

if TYPE_CHECKING:
    from rnass.constraints import Constraints
    from rnass.errors import RnassError
    from rnass.prediction.predictor import Prediction, Predictor, load_predictor, predict
    from rnass.rna import Rna
    from rnass.structure import Structure
    from rnass.thermodynamics.conditions import Conditions
else:  # only where types are not checked, or any name would pass for one of rnass
    _HOMES = {
        "Conditions": "thermodynamics.conditions",
        "Constraints": "constraints",
        "Prediction": "prediction.predictor",
        "Predictor": "prediction.predictor",
        "RnassError": "errors",
        "Rna": "rna",
        "Structure": "structure",
        "load_predictor": "prediction.predictor",
        "predict": "prediction.predictor",
    }

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(f"rnass.{_HOMES[name]}"), name)
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
