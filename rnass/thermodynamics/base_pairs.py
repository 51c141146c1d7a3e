"""The base-pair probabilities of one RNA: read from ViennaRNA, kept sparse."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import RNA
from numpy.typing import NDArray

from rnass.rna import BPP_CUTOFF

__all__ = ["BasePairProbabilities", "pairs_of"]


@dataclass(frozen=True, eq=False)
class BasePairProbabilities:
    """The base-pair probabilities of one RNA, sparse; rounded to float16, so that they are the same
    numbers whether they were computed just now or read from a file.

    Attributes:
        length: number of bases L.
        i, j: shape (n,), 0-based, i < j.
        p: shape (n,), at least `rnass.rna.BPP_CUTOFF`.
    """

    length: int
    i: NDArray[np.uint16]
    j: NDArray[np.uint16]
    p: NDArray[np.float16]

    @classmethod
    def from_pairs(cls, length: int, pairs: NDArray[np.float64]) -> "BasePairProbabilities":
        """Build from rows of i, j and p, shape (n, 3), as `pairs_of` gives them."""
        i, j, p = pairs.T
        return cls(length, i.astype(np.uint16), j.astype(np.uint16), p.astype(np.float16))

    def dense(self) -> NDArray[np.float32]:
        """Shape (L, L), symmetric, in [0, 1]."""
        matrix = np.zeros((self.length, self.length), dtype=np.float32)
        matrix[self.i, self.j] = matrix[self.j, self.i] = self.p
        return matrix


def pairs_of(compound: Any) -> NDArray[np.float64]:
    """The base pairs of a fold compound whose partition function was computed.

    Shape (n, 3): i and j, 0-based, i < j, and the probability, at least `rnass.rna.BPP_CUTOFF`.
    """
    entries = [
        (e.i - 1, e.j - 1, e.p)
        for e in compound.plist_from_probs(BPP_CUTOFF)
        if e.type == RNA.PLIST_TYPE_BASEPAIR
    ]
    return np.array(entries, dtype=np.float64).reshape(-1, 3)
