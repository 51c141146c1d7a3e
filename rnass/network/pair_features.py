"""Pair features: of the backbone and of base-pair probabilities, for every pair of bases.

Shapes: B batch, L bases, D embedding width, K heads of a layer, C channels, S parameter sets. Pair
tensors are kept channels-last, (B, L, L, C), the layout the contact head is fastest in.
"""

import copy
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from rnass.config import EncoderConfig, HeadConfig
from rnass.rna import BPP_CUTOFF

__all__ = ["PairFeatures", "average_product_correction", "corrected_maps", "symmetrise"]

_DISTANCES = 32  # bins of log distance
_MAP_SCALE = (
    8.0  # attention maps of L bases average 1 / L; brings them to the size of the other features
)


def symmetrise(maps: Float[Tensor, "B K L L"]) -> Float[Tensor, "B K L L"]:
    """A map plus its transpose, so that (i, j) and (j, i) agree."""
    return maps + maps.transpose(-1, -2)


def average_product_correction(maps: Float[Tensor, "B K L L"]) -> Float[Tensor, "B K L L"]:
    """Subtract from each symmetric map what its row and column sums explain.

    m[i, j] - m[i, :] m[:, j] / m[:, :], per layer and head (Dunn et al. 2008,
    doi:10.1093/bioinformatics/btm604).
    """
    rows = maps.sum(-1, keepdim=True)  # (B, K, L, 1)
    total = rows.sum(-2, keepdim=True).clamp(min=1e-9)  # (B, K, 1, 1)
    return maps - rows * (rows.mT / total)


def corrected_maps(
    maps: Float[Tensor, "B K L L"], mask: Float[Tensor, "B L"]
) -> Float[Tensor, "B K L L"]:
    """One layer's attention maps, symmetrised and corrected; what *mask* leaves out (0) is 0."""
    present = mask[:, None, :, None] * mask[:, None, None, :]  # (B, 1, L, L)
    return average_product_correction(symmetrise(maps.float() * present))


class PairFeatures(nn.Module):
    """Attention maps, embeddings, bases, distance, bpp: each projected to C channels, summed.

    Attention maps are projected one layer at a time (`project`), so memory does not grow with depth.
    """

    def __init__(self, encoder: EncoderConfig, head: HeadConfig) -> None:
        super().__init__()
        channels, rank = head.channels, head.outer_rank
        depth = encoder.layers if head.attention_maps else 0
        self.maps = nn.ModuleList(nn.Linear(encoder.heads, channels, bias=False) for _ in range(depth))
        self.reduce = nn.Linear(encoder.width, rank) if head.outer_product else None
        self.outer = nn.Parameter(torch.empty(rank, channels, rank)) if head.outer_product else None
        if self.outer is not None:
            nn.init.normal_(self.outer, std=1 / rank)
        self.bases = nn.Embedding(25, channels)  # an ordered pair of bases over ACGUN
        self.distance = nn.Embedding(_DISTANCES, channels)
        sets = len(head.parameter_sets)
        self.bpp = nn.Linear(2 * sets, channels, bias=False) if sets else None

    def reading(self, sets: Sequence[str], before: Sequence[str]) -> "PairFeatures":
        """These features with other parameter sets, see `ContactModel.read`."""
        other = copy.deepcopy(self)
        other.bpp = None
        if not sets:
            return other
        weight = torch.zeros(len(self.distance.weight[0]), 2, len(sets))  # (C, map and logarithm, S)
        if self.bpp is not None:
            known = self.bpp.weight.detach().view(len(weight), 2, len(before))
            dropped = [k for k, name in enumerate(before) if name not in sets]
            added = [k for k, name in enumerate(sets) if name not in before]
            for k, name in enumerate(sets):
                if name in before:
                    weight[:, :, k] = known[:, :, before.index(name)]
                else:
                    weight[:, :, k] = known[:, :, dropped].sum(-1) / len(added)
        other.bpp = nn.Linear(2 * len(sets), len(weight), bias=False)
        other.bpp.weight = nn.Parameter(weight.flatten(1))
        return other

    def project(self, layer: int, corrected: Float[Tensor, "B K L L"]) -> Float[Tensor, "B L L C"]:
        """One layer's corrected maps, projected."""
        weight = _MAP_SCALE * self.maps[layer].get_parameter("weight")
        projected: Tensor = functional.linear(corrected.float().permute(0, 2, 3, 1), weight)
        return projected  # (B, L, L, C)

    def forward(
        self,
        embeddings: Float[Tensor, "B L D"],
        bases: Int[Tensor, "B L"],
        bpp: Float[Tensor, "B S L L"] | None,
    ) -> Float[Tensor, "B L L C"]:
        """Everything but the attention maps."""
        length = bases.shape[1]
        x: Tensor = self.bases(bases[:, :, None] * 5 + bases[:, None, :])  # (B, L, L, C)
        x += self.distance(_distance_bins(length, bases.device))
        if self.reduce is not None and self.outer is not None:
            x += _outer_product(self.reduce(embeddings), self.outer)
        if self.bpp is not None and bpp is not None:
            x += self.bpp(_bpp_channels(bpp))
        return x


def _outer_product(
    reduced: Float[Tensor, "B L R"], weight: Float[Tensor, "R C R"]
) -> Float[Tensor, "B L L C"]:
    """Sum over r and s of reduced[i, r] weight[r, c, s] reduced[j, s]."""
    left = torch.einsum("bir,rcs->bics", reduced, weight.to(reduced.dtype))
    product: Tensor = left.flatten(1, 2) @ reduced.transpose(1, 2)  # (B, L * C, L)
    return product.view(*left.shape[:3], -1).transpose(2, 3)


def _distance_bins(length: int, device: torch.device) -> Int[Tensor, "L L"]:
    """Bins of |i - j|: one each up to 16, then logarithmic, the last from 512 on."""
    place = torch.arange(length, device=device)
    apart = (place[:, None] - place).abs()
    coarse = 16 + (torch.log2(apart.clamp(min=16) / 16) * 3).long()
    return torch.where(apart < 16, apart, coarse).clamp(max=_DISTANCES - 1)


def _bpp_channels(probabilities: Float[Tensor, "B S L L"]) -> Float[Tensor, "B L L S2"]:
    """Each map itself and its logarithm, both in [0, 1]."""
    floor = torch.tensor(BPP_CUTOFF)
    logs = torch.log(probabilities.clamp(min=BPP_CUTOFF) / BPP_CUTOFF) / -torch.log(floor)
    return torch.cat([probabilities, logs], 1).permute(0, 2, 3, 1)
