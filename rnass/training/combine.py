"""Combine contact models into a mixture, calibrated anew on validation records."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from rnass.config import MixtureConfig, to_json
from rnass.errors import ConfigError, InputError
from rnass.files import sha256
from rnass.network.contact_model import Mixture
from rnass.network.models import load_model, save_mixture
from rnass.network.weights import find_weights
from rnass.training.calibration import calibrate, logit_maps, with_temperature
from rnass.training.config import CombineConfig
from rnass.training.records import Loader, read_examples, whole_tokens

__all__ = ["combine"]


def combine(config: CombineConfig, path: Path, device: torch.device, processes: int = 0) -> None:
    """Write the mixture's weights to *path*.

    Args:
        config: the experts, and the records to calibrate on.
        path: of the weights file.
        device: where the networks run.
        processes: worker processes that fold the validation records by ViennaRNA; 0 for this one.

    Raises:
        CheckpointError: an expert that is not a contact model with its own backbone.
        ConfigError: experts that read different tokens.
        InputError: a data file that cannot be read, or no record to calibrate on.
    """
    files = [find_weights(name) for name in config.experts]
    experts = [load_model(file) for file in files]
    table = experts[0].backbone.vocabulary
    for file, expert in zip(files, experts, strict=True):
        if expert.backbone.vocabulary != table:
            raise ConfigError(f"experts: {file} reads other tokens than {files[0]}; expected the same")
    examples = read_examples(config.valid, config.min_length, config.max_length)
    examples = whole_tokens(examples, table, "validation")
    if not examples:
        raise InputError("valid: no record; expected some to calibrate the mixture on")
    mean: list[NDArray[np.floating]] = [np.zeros((len(e.bases),) * 2, np.float32) for e in examples]
    for expert, weight in zip(experts, config.weights, strict=True):
        if config.parameter_sets is not None:
            expert.read(config.parameter_sets)
        if config.bpp_weight is not None:
            expert.config = replace(expert.config, bpp_weight=config.bpp_weight)
        if config.second_fold_weight is not None:
            expert.config = replace(expert.config, second_fold_weight=config.second_fold_weight)
        load = Loader(table, expert.config.parameter_sets, Path(config.cache), processes)
        load.annotate(config.valid, examples)
        maps = logit_maps(expert.to(device), load, examples, device)
        expert.config = with_temperature(expert.config, maps, examples)
        mean = [a + weight * expert.config.calibrated(b) for a, b in zip(mean, maps, strict=True)]
    configs = tuple(expert.config for expert in experts)
    whole = MixtureConfig(experts=configs, weights=config.weights, one_partner=config.one_partner)
    mixture = Mixture(calibrate(whole, mean, examples), experts)
    sums = dict(zip(config.experts, map(sha256, files), strict=True))
    save_mixture(path, mixture, {"config": to_json(config), "experts": sums})
