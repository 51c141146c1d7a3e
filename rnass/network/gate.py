"""The gate of a mixture: how much of ViennaRNA's log-odds goes into an RNA's map.

Experts know the families that they were trained on better than energies do, and new ones worse. How
familiar an RNA is shows in its k-mers, few of which the training records hold, and in the maps: on a new
one experts expect fewer pairs, are less certain, and agree less with each other and with ViennaRNA.

Shapes: B batch, L bases.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from rnass.network.partners import possible_pairs
from rnass.rna import BASES

__all__ = ["FEATURES", "Gate", "gate_features"]

FEATURES = (
    "agreement of the experts' mean and ViennaRNA",
    "agreement of the experts",
    "certainty of the experts' mean",
    "certainty of ViennaRNA",
    "pairs that the experts' mean expects for each base",
    "share of G and C",
    "logarithm of the share of k-mers in the training records, and 0.02",
)
"""Agreement is 2 min(p, q) over p + q, certainty p^2 over p, each summed over all possible pairs."""

_CHANCE = 0.02  # some k-mers are known by chance
_FEW = 1e-3  # pairs, so that nothing is divided by 0
_GC = [BASES.index(base) for base in "GC"]


class Gate(nn.Module):
    """The share of ViennaRNA's log-odds, in (0, 1): the logistic function of a sum over `FEATURES`."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(len(FEATURES)))
        self.bias = nn.Parameter(torch.zeros(()))

    def forward(self, features: Float[Tensor, "B F"]) -> Float[Tensor, " B"]:
        """The share for each RNA, in single precision whatever the network runs in."""
        with torch.autocast(features.device.type, enabled=False):
            return torch.sigmoid(features @ self.weight + self.bias)


@torch.no_grad()
def gate_features(
    experts: Sequence[Float[Tensor, "B L L"]],
    mean: Float[Tensor, "B L L"],
    bpp: Float[Tensor, "B L L"],
    bases: Int[Tensor, "B L"],
    mask: Float[Tensor, "B L"],
    known: Float[Tensor, " B"],
) -> Float[Tensor, "B F"]:
    """`FEATURES` of some RNAs.

    Args:
        experts: the pairing probabilities of each.
        mean: those of the experts' mean log-odds.
        bpp: ViennaRNA's base-pair probabilities.
        bases: codes over ACGUN.
        mask: 1 where there is a base.
        known: the share of k-mers in the training records, see `rnass.network.familiarity`.
    """
    possible = possible_pairs(bases, mask, canonical=True)
    number = mask.sum(1)
    least, sums = experts[0], experts[0].clone()
    for one in experts[1:]:
        least = torch.minimum(least, one)
        sums += one

    def total(values: Tensor) -> Tensor:
        return (values * possible).sum((1, 2)) / 2

    pairs = total(mean)
    gc = torch.isin(bases, torch.tensor(_GC, device=bases.device)) * mask
    columns = [
        2 * total(torch.minimum(mean, bpp)) / (pairs + total(bpp) + _FEW),
        len(experts) * total(least) / (total(sums) + _FEW),
        total(mean * mean) / (pairs + _FEW),
        total(bpp * bpp) / (total(bpp) + _FEW),
        pairs / number,
        gc.sum(1) / number,
        (known + _CHANCE).log(),
    ]
    return torch.stack(columns, 1)
