"""Combine contact models into a mixture: experts and gate calibrated on validation records."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rnass.config import MixtureConfig, to_json
from rnass.errors import ConfigError, InputError
from rnass.files import sha256
from rnass.io.structures import read_labelled
from rnass.network.contact_model import Batch, ContactModel, Mixture
from rnass.network.familiarity import packed
from rnass.network.gate import gate_features
from rnass.network.models import load_model, save_mixture
from rnass.network.weights import find_weights
from rnass.training.calibration import (
    calibrate,
    calibrated_probabilities,
    logit_maps,
    strict_f1,
    with_temperature,
)
from rnass.training.config import CombineConfig
from rnass.training.gate import SHARES, Judged, fit_gate, likelihood, sampled_profiles
from rnass.training.profiles import Profile
from rnass.training.records import Example, Loader, read_examples, whole_tokens

__all__ = ["combine"]

# With what the gate's examples are calibrated and decoded: a share of ViennaRNA's log-odds, settings
# near those chosen in the end.
_TYPICAL = 0.25
_TYPICAL_DECODING: Any = {"objective": "unpaired_odds", "threshold": 0.4, "min_helix": 2}


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
    profiles = sampled_profiles(
        config.profiles, config.profile_signal, config.profile_number, config.max_length
    )
    records = examples + [_unknown(one) for kind in profiles for one in kind]
    for expert in experts:
        _set(config, expert)
    maps = [
        _calibrated_maps(config, expert.to(device), records, len(examples), processes)
        for expert in experts
    ]
    mean = [np.tensordot(config.weights, each, 1) for each in zip(*maps, strict=True)]
    known = packed(one.sequence.bases for path in config.trained for one in read_labelled(path))
    whole = MixtureConfig(
        experts=tuple(expert.config for expert in experts),
        weights=config.weights,
        gated=config.gated,
        known_kmers=len(known),
        second_fold_weight=config.second_fold_weight or 0.0,
        one_partner=config.one_partner,
    )
    mixture = Mixture(whole, experts)
    mixture.known.packed = torch.from_numpy(known)
    load = Loader(table, whole.parameter_sets, Path(config.cache), processes)
    load.annotate(config.valid, examples)
    batches = [load([record]).rnas for record in records]
    shares = None
    if config.gated:
        features = _all_features(mixture, maps, mean, batches)
        worth = _worth(mixture, mean, batches, examples, profiles)
        kinds = _judged(config, features, worth, examples, profiles)
        mixture.gate = fit_gate(kinds)
        shares = mixture.gate(torch.from_numpy(features).float()).detach()
    mixed = _mixed(mixture, mean[: len(examples)], batches, shares)
    mixture.config = calibrate(whole, mixed, examples)
    sums = dict(zip(config.experts, map(sha256, files), strict=True))
    save_mixture(path, mixture, {"config": to_json(config), "experts": sums})


def _unknown(profile: Profile) -> Example:
    """A profile as a record without known pairs."""
    return Example(profile.id, "", profile.bases, np.zeros((0, 2), dtype=np.int64), -1)


def _set(config: CombineConfig, expert: ContactModel) -> None:
    """Set an expert's parameter sets and weights for the mixture."""
    if config.parameter_sets is not None:
        expert.read(config.parameter_sets)
    weight = 0.0 if config.gated else config.bpp_weight
    if weight is not None:
        expert.config = replace(expert.config, bpp_weight=weight)
    if config.second_fold_weight is not None:
        expert.config = replace(expert.config, second_fold_weight=0.0)


def _calibrated_maps(
    config: CombineConfig, expert: ContactModel, records: list[Example], known: int, processes: int
) -> list[NDArray[np.floating]]:
    """The log-odds of every record by one expert, which is calibrated on the first *known* of them."""
    table, sets = expert.backbone.vocabulary, expert.config.parameter_sets
    load = Loader(table, sets, Path(config.cache), processes)
    load.annotate(config.valid, records[:known])
    device = next(expert.parameters()).device
    maps = logit_maps(expert, load, records, device)
    expert.config = with_temperature(expert.config, maps[:known], records[:known])
    return [expert.config.calibrated(one) for one in maps]


def _all_features(
    mixture: Mixture,
    maps: Sequence[list[NDArray[np.floating]]],
    mean: list[NDArray[np.floating]],
    batches: list[Batch],
) -> NDArray[np.float64]:
    """The gate's features of each record, (N, F)."""

    def probabilities(log_odds: NDArray[np.floating]) -> Tensor:
        return torch.sigmoid(torch.from_numpy(log_odds).float())[None]

    found = []
    for batch, whole, *each in zip(batches, mean, *maps, strict=True):
        assert batch.bpp is not None  # a gated mixture reads some, see MixtureConfig
        experts, first = [probabilities(one) for one in each], batch.bpp[:, 0]
        bases, mask = batch.bases, batch.mask
        known = mixture.known(bases, mask)
        found.append(gate_features(experts, probabilities(whole), first, bases, mask, known))
    return torch.cat(found).double().numpy()


def _worth(
    mixture: Mixture,
    mean: list[NDArray[np.floating]],
    batches: list[Batch],
    examples: list[Example],
    profiles: list[list[Profile]],
) -> NDArray[np.float64]:
    """The worth of each of the fixed shares for every record, (N, S)."""
    number = len(examples)
    typical = _mixed(mixture, mean[:number], batches, torch.full((number,), _TYPICAL))
    config = with_temperature(mixture.config, typical, examples)
    decoding = replace(config.decoding, **_TYPICAL_DECODING)
    flat = [one for kind in profiles for one in kind]
    records = examples + [_unknown(one) for one in flat]
    worth = np.zeros((len(records), len(SHARES)))
    for k, share in enumerate(SHARES):
        maps = _mixed(mixture, mean, batches, torch.full((len(records),), share))
        probabilities = calibrated_probabilities(config, maps, records)
        worth[:number, k] = strict_f1(probabilities[:number], examples, decoding)
        worth[number:, k] = [likelihood(*one) for one in zip(flat, probabilities[number:], strict=True)]
    return worth


def _judged(
    config: CombineConfig,
    features: NDArray[np.float64],
    worth: NDArray[np.float64],
    examples: list[Example],
    profiles: list[list[Profile]],
) -> list[Judged]:
    """Each file of known structures, and each kind of profiles, with their weights."""
    source = np.array([example.source for example in examples])
    weights = config.valid_weights or [1.0] * len(config.valid)
    number = len(examples)
    kinds = []
    for one in np.unique(source):
        rows = np.flatnonzero(source == one)
        kinds.append(Judged(f"valid file {one + 1}", weights[one], features[rows], worth[rows]))
    for kind in profiles:
        rows = np.arange(number, number + len(kind))
        name = f"profiles, {kind[0].modifier}"
        kinds.append(Judged(name, config.profile_weight, features[rows], worth[rows]))
        number += len(kind)
    return kinds


@torch.no_grad()
def _mixed(
    mixture: Mixture, mean: list[NDArray[np.floating]], batches: list[Batch], shares: Tensor | None
) -> list[NDArray[np.floating]]:
    """Log-odds of the records with ViennaRNA's log-odds and second fold mixed in, not calibrated."""
    found = []
    for k, (one, batch) in enumerate(zip(mean, batches, strict=False)):
        share = None if shares is None else shares[k : k + 1]
        log_odds = torch.from_numpy(one).float()[None]
        found.append(mixture.with_energies(log_odds, batch, share)[0].numpy())
    return found
