"""Combine contact models into a committee, calibrated anew on validation records."""

from pathlib import Path

import torch

from rnass.config import CombineConfig, CommitteeConfig, to_json
from rnass.dataset import Loader, read_examples, whole_tokens
from rnass.errors import ConfigError, InputError
from rnass.model import Committee
from rnass.train import calibrate, logit_maps
from rnass.weights import find_weights, load_model, save_committee, sha256

__all__ = ["combine"]


def combine(config: CombineConfig, path: Path, device: torch.device, processes: int = 0) -> None:
    """Write the committee's weights to *path*.

    Args:
        config: whom to ask, and what to calibrate on.
        path: of the weights file.
        device: where the networks run.
        processes: worker processes that fold the validation records by ViennaRNA; 0 for this one.

    Raises:
        CheckpointError: a member that is not a contact model with its own backbone.
        ConfigError: members that read different tokens.
        InputError: a data file that cannot be read, or no record to calibrate on.
    """
    files = [find_weights(name) for name in config.members]
    members = [load_model(file) for file in files]
    table = members[0].backbone.vocabulary
    for file, member in zip(files, members, strict=True):
        if member.backbone.vocabulary != table:
            raise ConfigError(f"members: {file} reads other tokens than {files[0]}; expected the same")
    whole = CommitteeConfig(members=tuple(one.config for one in members), shares=config.shares)
    committee = Committee(whole, members).to(device)
    examples = read_examples(config.valid, config.min_length, config.max_length)
    examples = whole_tokens(examples, table, "validation")
    if not examples:
        raise InputError("valid: no record; expected some to calibrate the committee on")
    load = Loader(table, whole.thermodynamics, Path(config.cache), processes)
    load.annotate(config.valid, examples)
    committee.config = calibrate(whole, logit_maps(committee, load, examples, device), examples)
    sums = {name: sha256(file) for name, file in zip(config.members, files, strict=True)}
    save_committee(path, committee, {"config": to_json(config), "members": sums})
