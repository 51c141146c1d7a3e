"""The maps of overlapping windows of one RNA, blended into one sparse map.

A base has a weight in each window that holds it: its distance from the window's nearest end, in bases;
an end of the window that is one of the RNA does not count, as nothing was cut off there.

The probability of a pair is its mean over the windows that hold both bases, by the geometric mean of the
two weights, times the share of these windows in all that hold a base, by weight (of the two shares the
geometric mean). So a base keeps about the mean of its probabilities to be unpaired, and a pair that some
of the windows of its bases cannot hold counts less.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from rnass.rna import BPP_CUTOFF

__all__ = ["Blend"]


class Blend:
    """The maps of windows of one length, added one by one; memory is that of L x *window* values.

    Args:
        length: bases of the RNA, L.
        window: bases of every window.
    """

    def __init__(self, length: int, window: int) -> None:
        self._sum = np.zeros((length, window), dtype=np.float32)  # [i, d] is of the bases i and i + d
        self._weights: dict[int, NDArray[np.float32]] = {}  # of the bases of each window, by its first

    def add(self, first: int, probabilities: NDArray[np.floating]) -> None:
        """Add the map, (window, window), of the window that begins at base *first*, 0-based."""
        length, window = self._sum.shape
        place = np.arange(window, dtype=np.float32)
        left = place + 1 if first else np.full_like(place, window)
        right = window - place if first + window < length else np.full_like(place, window)
        self._weights[first] = weight = np.minimum(left, right)
        self._sum[first : first + window] += _band(probabilities * np.sqrt(np.outer(weight, weight)))

    def probabilities(self) -> csr_array:
        """The blended map, (L, L), symmetric; no row adds up to more than 1.

        Probabilities below `BPP_CUTOFF` are left out.
        """
        length = len(self._sum)
        i, distance = np.nonzero(self._sum)
        j = i + distance
        p = self._sum[i, distance] * self._factors(i, j)
        total = np.bincount(i, p, length) + np.bincount(j, p, length)
        p = (p / np.maximum(1, np.maximum(total[i], total[j]))).astype(np.float32)
        kept = p >= BPP_CUTOFF
        upper = coo_array((p[kept], (i[kept], j[kept])), shape=(length, length)).tocsr()
        return upper + upper.T

    def _factors(self, i: NDArray[np.int64], j: NDArray[np.int64]) -> NDArray[np.floating]:
        """From the sums of pairs, sorted by i, to their probabilities, shape (n,)."""
        length, window = self._sum.shape
        weight = np.zeros(length, dtype=np.float32)
        means, shares_i, shares_j = np.zeros((3, len(i)), dtype=np.float32)
        for first, own in self._weights.items():
            weight[first : first + window] += own
            start, end = np.searchsorted(i, (first, first + window))
            here = start + np.flatnonzero(j[start:end] < first + window)
            of_i, of_j = own[i[here] - first], own[j[here] - first]
            means[here] += np.sqrt(of_i * of_j)
            shares_i[here] += of_i
            shares_j[here] += of_j
        return np.asarray(np.sqrt(shares_i / weight[i] * shares_j / weight[j]) / means)


def _band(matrix: NDArray[np.floating]) -> NDArray[np.floating]:
    """The values [i, i + d] of a square matrix at [i, d]; 0 beyond it."""
    size = len(matrix)
    padded = np.zeros((size, 2 * size), dtype=np.float32)
    padded[:, :size] = matrix
    row, step = padded.strides
    return np.lib.stride_tricks.as_strided(padded, (size, size), (row + step, step))
