"""Pairing probabilities under which each base has at most one partner.

The probability of a pair is P_ij = a_i a_j exp(l_ij), its log-odds l_ij weighed by the probabilities a_i
and a_j that its bases pair with nobody, where a_i (1 + sum_j a_j exp(l_ij)) = 1: the probabilities of a
base's partners and of none add up to 1. x = log a is where a convex function is least (the sum of
exp(x_i) - x_i, plus half that of exp(x_i + x_j + l_ij)), so there is exactly one such a. It is the mean
field of all sets of pairs without a common base; one that also knew the stacking of pairs would be
ViennaRNA's.

Shapes: B batch, L bases.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from rnass.rna import BASES, CANONICAL_PAIRS, MIN_HAIRPIN

__all__ = ["partner_loss", "partner_probabilities", "possible_pairs"]

_ITERATIONS = 100  # at most, until no log a changes by more than
_TOLERANCE = 1e-4
_TRACED = 8  # further ones that gradients flow through: each halves what earlier ones would add
_MOST = 20.0  # log-odds above this are as good as certain

_CANONICAL = torch.zeros(len(BASES), len(BASES), dtype=torch.bool)
for _pair in CANONICAL_PAIRS:
    _CANONICAL[BASES.index(_pair[0]), BASES.index(_pair[1])] = True


def possible_pairs(
    bases: Int[Tensor, "B L"], mask: Float[Tensor, "B L"], *, canonical: bool
) -> Bool[Tensor, "B L L"]:
    """Which bases may pair: not N, at least three others between them, in padding none.

    Args:
        bases: codes over ACGUN.
        mask: 1 where there is a base.
        canonical: only A-U, G-C and G-U.
    """
    if canonical:
        allowed = _CANONICAL.to(bases.device)[bases[:, :, None], bases[:, None, :]]
    else:
        known = (bases != BASES.index("N")) & (mask > 0)
        allowed = known[:, :, None] & known[:, None, :]
    place = torch.arange(bases.shape[1], device=bases.device)
    apart = (place[:, None] - place).abs() > MIN_HAIRPIN
    present = mask > 0
    return allowed & apart & present[:, :, None] & present[:, None, :]


def partner_probabilities(
    log_odds: Float[Tensor, "B L L"], possible: Bool[Tensor, "B L L"]
) -> Float[Tensor, "B L L"]:
    """Pairing probabilities, symmetric; 0 where not possible; no row adds up to more than 1.

    In single precision whatever the network runs in.
    """
    weights = _weights(log_odds, possible)
    with torch.autocast(log_odds.device.type, enabled=False):
        alone = torch.exp(_log_alone(weights))
        share = 1 / (1 + (weights @ alone[..., None]).squeeze(-1))  # alone, but for the last bits
    each = weights * share[:, :, None] * alone[:, None, :]  # each row and its share add up to 1
    return torch.minimum(each, each.mT)


def partner_loss(
    log_odds: Float[Tensor, "B L L"],
    contacts: Float[Tensor, "B L L"],
    possible: Bool[Tensor, "B L L"],
    mask: Float[Tensor, "B L"],
    evidence: Float[Tensor, "B L"] | None = None,
) -> Float[Tensor, " B"]:
    """Cross-entropy of each base's partner or none, mean over the bases of each RNA.

    Args:
        log_odds: symmetric.
        contacts: symmetric, 1 for a pair; or probabilities of pairs. What is not possible counts as
            unpaired.
        possible: see `possible_pairs`.
        mask: 1 where there is a base.
        evidence: for RNAs whose pairs are not known, the log-likelihood ratio that a base is unpaired;
            the loss is then minus the logarithm of the likelihood over that of a paired base. NaN
            elsewhere.
    """
    weights = _weights(log_odds, possible)
    with torch.no_grad():
        start = _log_alone(weights)
    alone = _log_alone(weights, start, _TRACED)
    total = torch.log1p((weights @ torch.exp(alone)[..., None]).squeeze(-1))  # (B, L), - log a
    known = contacts * possible
    gain = log_odds.float().clamp(max=_MOST) + alone[:, None, :]
    each = total - (known * gain).sum(-1)
    if evidence is not None:
        told = -torch.log1p(torch.exp(-total) * torch.expm1(torch.nan_to_num(evidence)))
        each = torch.where(evidence.isnan(), each, told)
    return (each * mask).sum(1) / mask.sum(1)


def _weights(log_odds: Tensor, possible: Tensor) -> Float[Tensor, "B L L"]:
    return torch.exp(log_odds.float().clamp(max=_MOST)).masked_fill(~possible, 0.0)


def _log_alone(
    weights: Float[Tensor, "B L L"], start: Tensor | None = None, iterations: int | None = None
) -> Float[Tensor, "B L"]:
    """Logarithm of a, from *start* by so many damped iterations, or until they change nothing.

    Each RNA stops by itself, so that its probabilities are those it has alone, whatever batch it is in.
    """
    alone = torch.zeros_like(weights[:, :, 0]) if start is None else start
    moving = torch.ones_like(alone[:, :1])
    for _ in range(iterations or _ITERATIONS):
        total = torch.log1p((weights @ torch.exp(alone)[..., None]).squeeze(-1))
        change = moving * (alone + total) / 2
        alone = alone - change
        if iterations is None:
            moving = (change.abs().amax(1, keepdim=True) >= _TOLERANCE).to(alone.dtype)
            if not moving.any():
                break
    return alone
