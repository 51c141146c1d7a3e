"""Fit the gate of a mixture: the share of ViennaRNA's log-odds that suits an RNA.

Each RNA is decoded with several fixed shares. The gate then maximises what its own share would be worth,
linear between these: strict F1 where the structure is known, and of chemical-mapping profiles the
log-likelihood per base. Profiles of designed and viral RNAs, which are of no family that an expert was
trained on, show the gate what an unfamiliar RNA looks like.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rnass.decoding.probing import Modifier, log_likelihood_ratios
from rnass.network.gate import FEATURES, Gate
from rnass.training.profiles import Profile, read_profiles

__all__ = ["SHARES", "Judged", "fit_gate", "likelihood", "sampled_profiles"]

SHARES = (0.0, 0.1, 0.25, 0.4, 0.6, 0.8, 1.0)
"""The fixed shares."""

_STEPS, _RATE, _DECAY = 400, 0.03, 3e-4
_START = -1.0  # a share of 0.27
_SAME = 1e-6  # spread of a feature that is the same for all
_BETWEEN = 0.02  # the least probability of either state of a base: a reactivity may mislead

log = logging.getLogger("rnass")


@dataclass(frozen=True)
class Judged:
    """Some RNAs of one kind.

    Attributes:
        name: for the log.
        weight: of their mean worth.
        features: (N, F), see `rnass.network.gate`.
        worth: (N, S), with each of `SHARES`.
    """

    name: str
    weight: float
    features: NDArray[np.float64]
    worth: NDArray[np.float64]


def fit_gate(kinds: Sequence[Judged]) -> Gate:
    """The gate of the highest weighted mean worth; logs a line for each kind."""
    features = np.concatenate([kind.features for kind in kinds])
    centre, spread = features.mean(0), features.std(0)
    scale = np.where(spread > _SAME, spread, 1.0)
    inputs = torch.from_numpy((features - centre) / scale)
    worth = torch.from_numpy(np.concatenate([kind.worth for kind in kinds]))
    each = [np.full(len(kind.worth), kind.weight / len(kind.worth)) for kind in kinds]
    weights = torch.from_numpy(np.concatenate(each))
    slopes = torch.zeros(len(FEATURES), dtype=torch.float64, requires_grad=True)
    offset = torch.tensor(_START, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([slopes, offset], _RATE)
    for _ in range(_STEPS):
        gained = _between(worth, torch.sigmoid(inputs @ slopes + offset))
        loss = _DECAY * (slopes * slopes).sum() - (weights * gained).sum()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    gate = Gate()
    with torch.no_grad():  # the same function of features that are not standardised
        raw = slopes / torch.from_numpy(scale)
        gate.weight.copy_(raw.half())
        gate.bias.copy_((offset - (raw * torch.from_numpy(centre)).sum()).half())
        for kind in kinds:
            shares = gate(torch.from_numpy(kind.features).float()).double()
            gained = _between(torch.from_numpy(kind.worth), shares).mean()
            fixed = ", ".join(f"{s} {w:.4f}" for s, w in zip(SHARES, kind.worth.mean(0), strict=True))
            mean = f"{shares.mean():.2f} (sd {shares.std(correction=0):.2f})"
            log.info("%s (%d): gate %.4f, share %s; %s", kind.name, len(shares), gained, mean, fixed)
    return gate


def _between(worth: Tensor, shares: Tensor) -> Tensor:
    """The worth with these shares, linear between `SHARES`."""
    known = torch.tensor(SHARES, dtype=worth.dtype)
    below = (torch.searchsorted(known, shares.detach(), right=True) - 1).clamp(0, len(SHARES) - 2)
    part = (shares - known[below]) / (known[below + 1] - known[below])
    lower, upper = (worth.gather(1, (below + k)[:, None])[:, 0] for k in (0, 1))
    return lower + part * (upper - lower)


def sampled_profiles(
    paths: Sequence[str], least_signal: float, number: int, longest: int
) -> list[list[Profile]]:
    """Up to *number* profiles of each file and reagent, evenly spread.

    Raises:
        InputError: see `rnass.training.profiles.read_profiles`.
    """
    found = []
    for path in paths:
        profiles = [one for one in read_profiles(path, least_signal) if len(one.bases) <= longest]
        for modifier in sorted({one.modifier for one in profiles}):
            own = [one for one in profiles if one.modifier == modifier]
            places = np.linspace(0, len(own) - 1, min(number, len(own))).astype(int)
            found.append([own[k] for k in places])
    return found


def likelihood(profile: Profile, probabilities: NDArray[np.floating]) -> float:
    """Mean over the readable bases of the logarithm of f(r) / f(r | paired).

    f(r) is the density of a base's reactivity where it is paired or not with the probabilities of an
    (L, L) map.
    """
    modifier = cast("Modifier", profile.modifier)
    ratios = log_likelihood_ratios(profile.reactivities, profile.bases, modifier)
    known = ~np.isnan(ratios)
    paired = np.clip(probabilities.sum(1)[known], _BETWEEN, 1 - _BETWEEN)
    return float(np.mean(np.log(paired + (1 - paired) * np.exp(-ratios[known]))))
