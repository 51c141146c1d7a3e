"""The options of `rnass evaluate` and `rnass compare`, and the methods that they name."""

import dataclasses
from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch

from rnass.config import DecodingConfig, from_mapping
from rnass.errors import ConfigError
from rnass.evaluation.methods import Methods
from rnass.network.device import Device, keep_freed_memory
from rnass.prediction.predictor import Predictor, load_predictor
from rnass.prediction.restraints import RestraintOptions
from rnass.structure import Structure

__all__ = ["EvaluateOptions", "MethodOptions", "load_methods"]


@dataclass(frozen=True, kw_only=True)
class MethodOptions:
    """The methods, and how they predict.

    Attributes:
        predictions: file or folder of each other program, by the name of the method.
        rnass, vienna: whether these are among the methods.
        also: further decoders of rnass's map, each a method of its own.
        weights, backbone, device, precision, thermodynamics: see
            `rnass.prediction.predictor.load_predictor`.
        decoding: settings that replace those chosen with the weights.
        mix: see `rnass.prediction.predictor.Predictor`.
        threads: of the network, and processes of ViennaRNA; 0 for all cores.
        overwrite: replace the files of an earlier run in the folder.
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
    mix: float = 0.0
    threads: int = 0
    overwrite: bool = False


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions(MethodOptions, RestraintOptions):
    """The methods, the records they are judged on, and the restraints on these.

    Attributes:
        columns, max_length, limit: see `rnass.evaluation.read_references`.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    max_length: int | None = None
    limit: int | None = None


def load_methods(
    options: MethodOptions, others: Mapping[str, Items[Structure | None]] | None = None
) -> Methods:
    """The methods of the options; *others* are the structures of other programs, by name.

    Raises:
        ConfigError: no method, or one name twice.
        CheckpointError: the weights are not there, or altered.
    """
    predictor = _predictor(options) if options.rnass else None
    methods = Methods(predictor, thermodynamic=options.vienna, also=options.also, others=others)
    if not methods.names:
        raise ConfigError("no method to judge; expected rnass, ViennaRNA or --predictions NAME=PATH")
    if twice := methods.decoded_from.keys() & methods.others.keys():
        raise ConfigError(f"--predictions: the name {twice.pop()!r} is taken; expected another")
    return methods


def _predictor(options: MethodOptions) -> Predictor:
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
        windows=None,
        mix=options.mix,
    )
    settings = dataclasses.asdict(predictor.decoding) | dict(options.decoding)
    predictor.decoding = from_mapping(DecodingConfig, settings, "decoding")
    return predictor
