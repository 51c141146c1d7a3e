"""The options of every command that predicts: which model, and how.

Loads no torch before the model, so that what is wrong with the input shows at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from rnass.config import override

if TYPE_CHECKING:
    from rnass.network.device import Device
    from rnass.prediction.predictor import Predictor

__all__ = ["ModelOptions"]


@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """Which model predicts, and how.

    Attributes:
        weights, backbone, device, precision, thermodynamics, mix: see
            `rnass.prediction.predictor.load_predictor` and `Predictor` there.
        decoding: settings that replace those chosen with the weights.
        threads: of the network, and processes of ViennaRNA; 0 for all cores.
    """

    weights: str | None = None
    backbone: str | None = None
    device: "Device" = "auto"
    precision: Literal["float32", "bfloat16"] = "float32"
    thermodynamics: bool = True
    decoding: Mapping[str, Any] = field(default_factory=dict)
    mix: float | None = None
    threads: int = 0

    def load(self, **further: Any) -> "Predictor":
        """The predictor of these options and *further* ones of it; the number of threads is set.

        Raises:
            CheckpointError, ConfigError: see `rnass.prediction.predictor.load_predictor`.
        """
        import torch

        from rnass.prediction.predictor import load_predictor

        threads = self.threads or torch.get_num_threads()
        torch.set_num_threads(1)  # several wait for each other where processes that fold keep cores busy
        try:
            predictor = load_predictor(
                self.weights,
                backbone=self.backbone,
                device=self.device,
                thermodynamics=self.thermodynamics,
                precision=self.precision,
                mix=self.mix,
                **further,
            )
        finally:
            torch.set_num_threads(threads)
        predictor.decoding = override(predictor.decoding, self.decoding, "decoding")
        return predictor
