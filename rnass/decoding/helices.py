"""Helices: runs of stacked pairs (i, j), (i + 1, j - 1), ... without a bulge."""

import numpy as np
from numpy.typing import NDArray

from rnass.structure import Structure

__all__ = ["drop_short_helices", "helices", "helix_lengths"]


def helices(structure: Structure) -> list[NDArray[np.int64]]:
    """The pairs of each helix, arrays of shape (n, 2), outermost pair first, by their 5' end."""
    if not len(structure.pairs):
        return []
    return np.split(structure.pairs, np.flatnonzero(~_stacked(structure.pairs)) + 1)


def helix_lengths(structure: Structure) -> NDArray[np.int64]:
    """For each pair the number of pairs of its helix, shape (n,)."""
    helix = np.concatenate([[0], np.cumsum(~_stacked(structure.pairs))]).astype(np.int64)
    return np.bincount(helix)[helix[: len(structure.pairs)]]


def drop_short_helices(structure: Structure, least: int, keep: NDArray[np.bool_]) -> Structure:
    """Without the helices of fewer than *least* pairs, but for the pairs of bases in *keep*, (L,)."""
    long = helix_lengths(structure) >= least
    return Structure(structure.length, structure.pairs[long | keep[structure.pairs].any(1)])


def _stacked(pairs: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each pair but the first stacks on the one before it, shape (max(n - 1, 0),).

    The pair inside (i, j) opens at i + 1, so in the order of i it can only be the next one.
    """
    return np.asarray((np.diff(pairs, axis=0) == (1, -1)).all(1))
