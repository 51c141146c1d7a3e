"""The fast decoders of the literature, for comparison: ThreshKnot and greedy."""

import numpy as np
from numpy.typing import NDArray

from rnass.decoding.candidates import CandidateGraph

__all__ = ["greedy", "threshknot"]


def threshknot(graph: CandidateGraph) -> NDArray[np.bool_]:
    """The candidates that are the likeliest of both their bases, as a mask of shape (m,).

    ProbKnot (Bellaousov & Mathews 2010, https://doi.org/10.1261/rna.2125310) above a threshold:
    ThreshKnot (Zhang et al. 2020, https://doi.org/10.48550/arXiv.1912.12796), which also drops
    helices of fewer than three pairs (`min_helix`). Of equals the first in the order of i, j wins.
    """
    order = _heaviest_first(graph)
    bases, first = np.unique(graph.ends[order], return_index=True)
    likeliest = np.full(graph.length, -1, dtype=np.int64)
    likeliest[bases] = order[first // 2]
    return np.asarray((likeliest[graph.ends] == np.arange(len(graph))[:, None]).all(1))


def greedy(graph: CandidateGraph) -> NDArray[np.bool_]:
    """Candidates from the heaviest down, each taken if both its bases are free; shape (m,)."""
    chosen = np.zeros(len(graph), dtype=bool)
    free = np.ones(graph.length, dtype=bool)
    for k in _heaviest_first(graph):
        if free[graph.ends[k]].all():
            chosen[k] = True
            free[graph.ends[k]] = False
    return chosen


def _heaviest_first(graph: CandidateGraph) -> NDArray[np.int64]:
    return np.argsort(-graph.weights, kind="stable")
