"""The maps of overlapping windows of one RNA, blended into one sparse map.

The log-odds of a pair are the weighted mean of those of the windows that hold both its bases. A window's
weight is the distance of the pair from the window's nearest end, in bases; an end of the window that is
one of the RNA does not count, as nothing was cut off there.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from rnass.decoding.partners import partner_probabilities_of
from rnass.decoding.probing import FLOOR, bounded_log_odds
from rnass.rna import BPP_CUTOFF

__all__ = ["Blend"]


class Blend:
    """The maps of windows of one length, added one by one; memory is that of L x *window* values.

    Args:
        length: bases of the RNA, L.
        window: bases of every window.
    """

    def __init__(self, length: int, window: int) -> None:
        shape = (length, window)  # [i, d] is of the bases i and i + d
        self._log_odds, self._weight = np.zeros((2, *shape), dtype=np.float32)
        self._seen = np.zeros(shape, dtype=bool)

    def add(self, first: int, probabilities: NDArray[np.floating]) -> None:
        """Add the map, (window, window), of the window that begins at base *first*, 0-based."""
        length, window = self._weight.shape
        place = np.arange(window, dtype=np.float32)
        left = place + 1 if first else np.full_like(place, window)
        right = window - place if first + window < length else np.full_like(place, window)
        weight = _band(np.minimum(left[:, None], right))  # of a pair i < j: its ends are i's and j's
        here = slice(first, first + window)
        self._log_odds[here] += weight * _band(bounded_log_odds(probabilities))
        self._weight[here] += weight
        self._seen[here] |= _band(probabilities) > FLOOR

    def probabilities(self) -> csr_array:
        """The blended map, (L, L), symmetric; no row adds up to more than 1.

        Probabilities below `BPP_CUTOFF` are left out.
        """
        length = len(self._seen)
        i, distance = np.nonzero(self._seen)
        j = i + distance
        log_odds = self._log_odds[i, distance] / self._weight[i, distance]
        p = partner_probabilities_of(length, i, j, log_odds).astype(np.float32)
        kept = p >= BPP_CUTOFF
        upper = coo_array((p[kept], (i[kept], j[kept])), shape=(length, length)).tocsr()
        return upper + upper.T


def _band(matrix: NDArray[np.floating]) -> NDArray[np.floating]:
    """The values [i, i + d] of a square matrix at [i, d]; 0 beyond it."""
    size = len(matrix)
    padded = np.zeros((size, 2 * size), dtype=np.float32)
    padded[:, :size] = matrix
    row, step = padded.strides
    return np.lib.stride_tricks.as_strided(padded, (size, size), (row + step, step))
