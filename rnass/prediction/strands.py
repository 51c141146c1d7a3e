"""Two strands before the network, which was trained on one: a linker of N stands between them."""

import numpy as np
from numpy.typing import NDArray

from rnass.rna import Rna

__all__ = ["linked", "places_of", "spread"]

_LINKER = "N" * 8


def linked(rna: Rna) -> str:
    """The bases of an RNA, with the linker between two strands."""
    return rna.text.replace("&", _LINKER)


def places_of(rna: Rna) -> NDArray[np.int64]:
    """Where its bases stand before the network: a linker moves the second strand."""
    places = np.arange(len(rna))
    if rna.nick is not None:
        places[rna.nick :] += len(_LINKER)
    return places


def spread(matrix: NDArray[np.float32], places: NDArray[np.int64]) -> NDArray[np.float32]:
    """A map with rows and columns of 0 where no base stands."""
    size = int(places[-1]) + 1
    if size == len(matrix):
        return matrix
    spread = np.zeros((size, size), dtype=np.float32)
    spread[np.ix_(places, places)] = matrix
    return spread
