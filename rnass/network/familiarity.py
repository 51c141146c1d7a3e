"""How much of an RNA the training records hold: the share of its k-mers that occur in any of them.

Members of one family share k-mers even where they are too far apart for their sequences to be clustered
together; RNAs of different families share about as many as chance allows.

Shapes: B batch, L bases.
"""

from collections.abc import Iterable

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor, nn

from rnass.rna import BASES

__all__ = ["K", "KnownKmers", "kmers", "packed"]

K = 14
"""Bases of a k-mer: 4^14 are a hundred times as many as the training records have."""

_LETTERS = BASES.index("N")  # those before it
_MORE = 255  # in a packed list: the gap goes on


class KnownKmers(nn.Module):
    """The k-mers of the training records, packed.

    Args:
        size: of the packed list, in bytes; 0 for no k-mers.
    """

    packed: Tensor

    def __init__(self, size: int = 0) -> None:
        super().__init__()
        self.register_buffer("packed", torch.zeros(size, dtype=torch.uint8))
        self._codes: Tensor | None = None  # sorted, once they are needed

    @torch.no_grad()
    def forward(self, bases: Int[Tensor, "B L"], mask: Float[Tensor, "B L"]) -> Float[Tensor, " B"]:
        """The share of each RNA's k-mers that are known; 0 of an RNA that has none.

        Args:
            bases: codes over ACGUN; a k-mer with N is left out.
            mask: 1 where there is a base.
        """
        if self._codes is None or self._codes.device != self.packed.device:
            self._codes = self.packed.long().cumsum(0)[self.packed < _MORE]
        shares = torch.zeros(len(bases), device=bases.device)
        for k, size in enumerate(mask.sum(1).long().tolist()):
            own = kmers(bases[k, :size])
            if len(own) and len(self._codes):
                places = torch.searchsorted(self._codes, own).clamp(max=len(self._codes) - 1)
                shares[k] = (self._codes[places] == own).float().mean()
        return shares


def kmers(bases: Int[Tensor, " L"]) -> Int[Tensor, " N"]:
    """The k-mers of an RNA without N as numbers in base 4, from its 5' end."""
    if len(bases) < K:
        return bases.new_zeros(0)
    windows = bases.long().unfold(0, K, 1)
    powers = _LETTERS ** torch.arange(K - 1, -1, -1, device=bases.device)
    return (windows * powers).sum(1)[(windows < _LETTERS).all(1)]


def packed(rnas: Iterable[str]) -> NDArray[np.uint8]:
    """The distinct k-mers of RNAs over ACGUN, sorted: the gap before each, about one byte.

    A byte below 255 ends the gap before a k-mer; 255 adds to the gap that goes on.

    >>> packed(["A" * 14 + "C", "N" * 20]).tolist()
    [0, 1]
    """
    table = {letter: code for code, letter in enumerate(BASES)}
    found = [kmers(torch.tensor([table[base] for base in bases])).numpy() for bases in rnas]
    codes = np.unique(np.concatenate([np.zeros(0, np.int64), *found]))
    gaps = np.diff(codes, prepend=0)
    steps = gaps // _MORE
    whole = np.full(len(gaps) + steps.sum(), _MORE, np.uint8)
    whole[np.cumsum(steps + 1) - 1] = gaps % _MORE
    return whole
