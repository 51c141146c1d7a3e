"""ViennaRNA's base-pair probabilities as terms of the log-odds of pairs.

Shapes: B batch, L bases, S parameter sets.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

__all__ = ["bpp_log_odds", "energy_log_odds", "second_fold_gain"]

_RARE = 1e-3  # added to a probability, as energies that leave a pair out may err
_OPEN = 1e-2  # added to the probability of any other state of two bases
_LEAST, _MOST = 0.1, 1 - 1e-4  # that ViennaRNA's probabilities count as: it knows no pair that crosses
_FIRST = 0.5  # probability above which a pair is of the first structure
_LIKELY = 0.5  # probability above which a pair of the second fold counts, as at most
_MOST_SECOND = 0.99
_HELIX = 4  # fewest such pairs of a helix


def energy_log_odds(bpp: Float[Tensor, "B S L L"]) -> Float[Tensor, "B L L"]:
    """Log-odds of each pair by the first parameter set, as `rnass.network.partners` takes log-odds.

    log P - 2 log(1 - P), which gives P back where neither base has another partner.
    """
    first = bpp[:, 0].float()
    return torch.log(first + _RARE) - 2 * torch.log(1 - first + _OPEN)


def bpp_log_odds(bpp: Float[Tensor, "B S L L"]) -> Float[Tensor, "B L L"]:
    """ViennaRNA's log-odds of each pair: those of the mean of its parameter sets."""
    return torch.logit(bpp.mean(1).clamp(_LEAST, _MOST))


def second_fold_gain(
    first: Float[Tensor, "B L L"], second: Float[Tensor, "B L L"]
) -> Float[Tensor, "B L L"]:
    """Log-odds of a pair in the second fold above those of the least probability that counts; else 0.

    Args:
        first: base-pair probabilities; pairs of the first structure, above 0.5, gain nothing.
        second: those of the second fold; pairs above 0.5 gain, in helices of four or more of them.
    """
    chosen = (second > _LIKELY) & (first < _FIRST)
    innermost = torch.stack([_shifted(chosen, k) for k in range(_HELIX)]).all(0)
    standing = torch.stack([_shifted(innermost, -k) for k in range(_HELIX)]).any(0)
    least = torch.logit(torch.tensor(_LEAST))
    return (torch.logit(second.clamp(_LEAST, _MOST_SECOND)) - least) * standing


def _shifted(pairs: Bool[Tensor, "B L L"], steps: int) -> Bool[Tensor, "B L L"]:
    """At (i, j) what was at (i + steps, j - steps); False beyond the ends."""
    size, far = pairs.shape[-1], abs(steps)
    padded = functional.pad(pairs, (far, far, far, far))
    return padded[:, far + steps : far + steps + size, far - steps : far - steps + size]
