"""What can be asked of a judgement, and everyone whom that names."""

import dataclasses
from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch

from rnass.config import DecodingConfig, from_mapping
from rnass.errors import ConfigError
from rnass.evaluation.methods import Contenders
from rnass.network.device import Device, keep_freed_memory
from rnass.prediction.predictor import Predictor, load_predictor
from rnass.structure import Structure

__all__ = ["ContenderOptions", "EvaluateOptions", "contenders"]


@dataclass(frozen=True, kw_only=True)
class ContenderOptions:
    """Who predicts, and how.

    Attributes:
        predictions: file or folder of each other program, by the name that its line gets.
        rnass, vienna: whether these are among them.
        also: further decoders of rnass's map that get a line each.
        weights, backbone, device, precision, thermodynamics: see
            `rnass.prediction.predictor.load_predictor`.
        decoding: settings that replace those chosen with the weights.
        threads: of the network, and processes of ViennaRNA; 0 for all cores.
        overwrite: replace what an earlier run left in the folder.
        quiet: no progress bar.
    """

    predictions: Mapping[str, Path] = field(default_factory=dict)
    rnass: bool = True
    vienna: bool = True
    also: tuple[str, ...] = ()
    weights: str | None = None
    backbone: str | None = None
    device: Device = "auto"
    precision: Literal["float32", "bfloat16"] = "float32"
    thermodynamics: bool = True
    decoding: Mapping[str, Any] = field(default_factory=dict)
    threads: int = 0
    overwrite: bool = False
    quiet: bool = False


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions(ContenderOptions):
    """Who predicts, and which records they are judged on.

    Attributes:
        columns, max_length, limit: see `rnass.evaluation.read_references`.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    max_length: int | None = None
    limit: int | None = None


def contenders(
    options: ContenderOptions, others: Mapping[str, Items[Structure | None]] | None = None
) -> Contenders:
    """Everyone whom the options name, *others* with what they predict.

    Raises:
        ConfigError: that is nobody, or one name stands twice.
        CheckpointError: the weights are not there, or altered.
    """
    predictor = _predictor(options) if options.rnass else None
    everyone = Contenders(predictor, thermodynamic=options.vienna, also=options.also, others=others)
    if not everyone.lines:
        raise ConfigError("nobody to judge; expected rnass, ViennaRNA or --predictions NAME=PATH")
    if twice := everyone.behind.keys() & everyone.others.keys():
        raise ConfigError(f"--predictions: the name {twice.pop()!r} is taken; expected another")
    return everyone


def _predictor(options: ContenderOptions) -> Predictor:
    keep_freed_memory()
    if options.threads:
        torch.set_num_threads(options.threads)
    predictor = load_predictor(
        options.weights,
        backbone=options.backbone,
        device=options.device,
        thermodynamics=options.thermodynamics,
        baseline=options.vienna,
        precision=options.precision,
    )
    settings = dataclasses.asdict(predictor.decoding) | dict(options.decoding)
    predictor.decoding = from_mapping(DecodingConfig, settings, "decoding")
    return predictor
