"""Calibration of log-odds, and the choice of threshold and minimum helix, on validation records."""

import dataclasses
import logging
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from torch import Tensor

from rnass.config import DecodingConfig, PairingConfig
from rnass.decoding import decode
from rnass.errors import counted
from rnass.metrics import score
from rnass.network.contact_model import ContactModel, Mixture, pairing_probabilities
from rnass.network.partners import partner_loss, possible_pairs
from rnass.rna import BASES
from rnass.structure import Structure
from rnass.training.records import Example, Loader

__all__ = [
    "calibrate",
    "calibrated_probabilities",
    "choose_decoding",
    "logit_maps",
    "mean_f1",
    "strict_f1",
    "with_temperature",
]

log = logging.getLogger("rnass")

_Calibrated = TypeVar("_Calibrated", bound=PairingConfig)

PARTNER_RECORDS = 120
"""Records of a data file that a calibration with one partner each is fitted to, evenly spread."""

_THRESHOLDS = tuple(round(0.05 * k, 2) for k in range(2, 12))
_UNPAIRED_THRESHOLDS = tuple(round(0.05 * k, 2) for k in range(6, 19))  # of "unpaired_odds"


def logit_maps(
    model: ContactModel | Mixture, load: Loader, examples: list[Example], device: torch.device
) -> list[NDArray[np.floating]]:
    """Uncalibrated log-odds of every example, (L, L) each."""
    model.eval()
    with torch.no_grad():
        batches_of_one = (load([example]).rnas.to(device) for example in examples)
        return [model.log_odds(batch)[0].cpu().numpy() for batch in batches_of_one]


def calibrate(
    config: _Calibrated, maps: list[NDArray[np.floating]], examples: list[Example]
) -> _Calibrated:
    """The configuration with temperature, offset, threshold and minimum helix fitted to *examples*.

    For the first two see `with_temperature`, for threshold and minimum helix `choose_decoding`. Where no
    example has a pair it stays as it is, with a warning.
    """
    if _without_pairs(examples):
        return config
    fitted = with_temperature(config, maps, examples)
    return dataclasses.replace(fitted, decoding=choose_decoding(fitted, maps, examples))


def with_temperature(
    config: _Calibrated, maps: list[NDArray[np.floating]], examples: list[Example]
) -> _Calibrated:
    """The configuration with temperature and offset fitted to *examples*.

    They minimise the negative log-likelihood (Guo et al. 2017, arXiv:1706.04599): of the pairs i < j;
    where a base has one partner, of each base's partner or none, over at most `PARTNER_RECORDS` of each
    data file. Where no example has a pair they stay as they are, with a warning.
    """
    if _without_pairs(examples):
        return config
    loss = (_partner_likelihood if config.one_partner else _pair_likelihood)(config, maps, examples)
    simplex = [[0, 0], [0.5, 0], [0, 0.5]]  # from zeros, the default one is smaller than the tolerance
    options = {"xatol": 1e-3, "initial_simplex": simplex}
    slope, offset = minimize(loss, np.zeros(2), method="Nelder-Mead", options=options).x
    return dataclasses.replace(config, temperature=float(np.exp(-slope)), offset=float(offset))


def _without_pairs(examples: list[Example]) -> bool:
    """Whether nothing can be calibrated, as no example has a pair: warns of it."""
    lacking = not any(len(example.pairs) for example in examples)
    if lacking:
        log.warning("valid: no pair in %s; not calibrated", counted(len(examples), "record"))
    return lacking


_Likelihood = Callable[[NDArray[np.float64]], float]  # of the logarithm of the slope, and the offset


def _pair_likelihood(
    _: PairingConfig, maps: list[NDArray[np.floating]], examples: list[Example]
) -> _Likelihood:
    logits = np.concatenate([m[np.triu_indices(len(m), 1)] for m in maps]).astype(np.float64)
    paired = np.concatenate([e.contacts()[np.triu_indices(len(e.bases), 1)] for e in examples])

    def loss(parameters: NDArray[np.float64]) -> float:
        z = logits * np.exp(parameters[0]) + parameters[1]
        return float(np.mean(np.logaddexp(0, z) - paired * z))

    return loss


def _partner_likelihood(
    config: PairingConfig, maps: list[NDArray[np.floating]], examples: list[Example]
) -> _Likelihood:
    """Mean over RNAs of that per base; a pair that is not decoded counts as two unpaired bases."""
    source = np.array([example.source for example in examples])
    numbers = [np.flatnonzero(source == one) for one in np.unique(source)]
    known = []
    for n in np.concatenate([own[:: -(-len(own) // PARTNER_RECORDS)] for own in numbers]):
        bases, mask = _codes(examples[n].bases)
        possible = possible_pairs(bases, mask, canonical=config.decoding.canonical)
        contacts = torch.from_numpy(examples[n].contacts())[None]
        known.append((torch.from_numpy(maps[n])[None].float(), contacts, possible, mask))

    def loss(parameters: NDArray[np.float64]) -> float:
        slope, offset = float(np.exp(parameters[0])), float(parameters[1])
        losses = [partner_loss(m * slope + offset, *rest) for m, *rest in known]
        return float(torch.cat(losses).mean())

    return loss


def choose_decoding(
    config: PairingConfig, maps: list[NDArray[np.floating]], examples: list[Example]
) -> DecodingConfig:
    """The threshold and minimum helix of the highest strict F1: mean over RNAs, then over data files.

    Where a base has one partner the objective is "unpaired_odds", which is that of the log-odds.
    """
    thresholds = _UNPAIRED_THRESHOLDS if config.one_partner else _THRESHOLDS
    objective = "unpaired_odds" if config.one_partner else config.decoding.objective
    probabilities = calibrated_probabilities(config, maps, examples)
    choices = [
        dataclasses.replace(config.decoding, objective=objective, threshold=threshold, min_helix=least)
        for threshold in thresholds
        for least in (1, 2)
    ]
    source = np.array([example.source for example in examples])

    def worth(choice: DecodingConfig) -> float:
        f1 = np.array(strict_f1(probabilities, examples, choice))
        return float(np.mean([f1[source == one].mean() for one in np.unique(source)]))

    return max(choices, key=worth)


def calibrated_probabilities(
    config: PairingConfig, maps: list[NDArray[np.floating]], examples: list[Example]
) -> list[NDArray[np.floating]]:
    """Pairing probabilities of uncalibrated logits, as `ContactModel.probabilities` gives them."""
    return [
        pairing_probabilities(config, torch.from_numpy(m)[None].float(), *_codes(e.bases))[0].numpy()
        for m, e in zip(maps, examples, strict=True)
    ]


def _codes(bases: str) -> tuple[Tensor, Tensor]:
    """A batch of one RNA, as `pairing_probabilities` reads it: codes of its bases, and its mask."""
    return torch.tensor([[BASES.index(base) for base in bases]]), torch.ones(1, len(bases))


def strict_f1(
    probabilities: list[NDArray[np.floating]], examples: list[Example], decoding: DecodingConfig
) -> list[float]:
    """The strict F1 of each decoded map against its example."""
    return [
        score(Structure(len(e.bases), e.pairs), decode(p, e.bases, decoding)).f1
        for p, e in zip(probabilities, examples, strict=True)
    ]


def mean_f1(
    probabilities: list[NDArray[np.floating]], examples: list[Example], decoding: DecodingConfig
) -> float:
    """Mean strict F1 of the decoded maps; 0 where there are none."""
    return float(np.mean(strict_f1(probabilities, examples, decoding) or [0.0]))
