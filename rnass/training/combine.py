"""Combine contact models into a committee, calibrated anew on validation records."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from rnass.config import CombineConfig, CommitteeConfig, DecodingConfig, ModelConfig, to_json
from rnass.errors import ConfigError, InputError
from rnass.network.contact_model import Committee, ContactModel
from rnass.network.weights import find_weights, load_model, save_committee, sha256
from rnass.training.contact import calibrate, logit_maps
from rnass.training.records import Loader, read_examples, whole_tokens

__all__ = ["combine", "mean_model"]


def combine(config: CombineConfig, path: Path, device: torch.device, processes: int = 0) -> None:
    """Write the committee's weights to *path*.

    Args:
        config: whom to ask, and what to calibrate on.
        path: of the weights file.
        device: where the networks run.
        processes: worker processes that fold the validation records by ViennaRNA; 0 for this one.

    Raises:
        CheckpointError: a member that is not a contact model with its own backbone.
        ConfigError: members that read different tokens; weights of one member that `mean_model` refuses.
        InputError: a data file that cannot be read, or no record to calibrate on.
    """
    names = [(one,) if isinstance(one, str) else one for one in config.members]
    files = {name: find_weights(name) for part in names for name in part}
    members = [mean_model([files[name] for name in part]) for part in names]
    table = members[0].backbone.vocabulary
    for part, member in zip(names, members, strict=True):
        if member.backbone.vocabulary != table:
            file, first = files[part[0]], files[names[0][0]]
            raise ConfigError(f"members: {file} reads other tokens than {first}; expected the same")
    examples = read_examples(config.valid, config.min_length, config.max_length)
    examples = whole_tokens(examples, table, "validation")
    if not examples:
        raise InputError("valid: no record; expected some to calibrate the committee on")
    mean: list[NDArray[np.floating]] = [np.zeros((len(e.bases),) * 2, np.float32) for e in examples]
    for member, share in zip(members, config.shares, strict=True):
        if config.thermodynamics is not None:
            member.read(config.thermodynamics)
        if config.thermal_share is not None:
            member.config = replace(member.config, thermal_share=config.thermal_share)
        load = Loader(table, member.config.thermodynamics, Path(config.cache), processes)
        load.annotate(config.valid, examples)
        maps = logit_maps(member.to(device), load, examples, device)
        member.config = calibrate(member.config, maps, examples)
        mean = [a + share * member.config.calibrated(b) for a, b in zip(mean, maps, strict=True)]
    whole = CommitteeConfig(members=tuple(one.config for one in members), shares=config.shares)
    committee = Committee(calibrate(whole, mean, examples), members)
    sums = {name: sha256(file) for name, file in files.items()}
    save_committee(path, committee, {"config": to_json(config), "members": sums})


def mean_model(files: Sequence[Path]) -> ContactModel:
    """The contact model whose weights and calibration are the means of those of some.

    Means of weights that were trained one from the other often serve better than any of them (Wortsman
    et al. 2022, arXiv:2203.05482). A shallower head counts as one whose further blocks add nothing.

    Raises:
        CheckpointError: a file that is not a contact model with its own backbone.
        ConfigError: models that differ in more than the blocks of their heads at full resolution.
    """
    models = [load_model(file) for file in files]
    deepest = max(models, key=lambda model: model.config.head.blocks)
    for file, model in zip(files, models, strict=True):
        model.deepen(deepest.config.head.blocks - model.config.head.blocks, deepest.head)
        if _built(model.config) != _built(models[0].config):
            raise ConfigError(f"members: {file} is built otherwise than {files[0]}; expected the same")
    states = [model.state_dict() for model in models]
    mean = models[0]
    mean.load_state_dict({key: sum(state[key] for state in states) / len(states) for key in states[0]})
    mean.config = replace(
        mean.config,
        temperature=sum(model.config.temperature for model in models) / len(models),
        offset=sum(model.config.offset for model in models) / len(models),
    )
    return mean


def _built(config: ModelConfig) -> ModelConfig:
    """A configuration as far as weights of another one must share it."""
    return replace(config, decoding=DecodingConfig(), temperature=1.0, offset=0.0)
