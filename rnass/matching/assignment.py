"""Exact maximum-weight matching: assignment where the graph is bipartite, blossom where it is not.

With canonical pairs every candidate joins a purine to a pyrimidine, so a component of the graph is
bipartite and the assignment problem on its purine x pyrimidine block is the matching problem
(zero stands for "unpaired", and weights are positive). Other components go to Edmonds' blossom
algorithm (rustworkx; Galil 1986, https://doi.org/10.1145/6462.6502) in integers.
"""

import numpy as np
import rustworkx
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from rnass.matching.candidates import CandidateGraph

__all__ = ["maximum_weight_matching"]

_SCALE = 1e6  # weights become integers; the optimum is exact to the millionth
_TIE_BITS = 40  # see _blossom
_PURINE = np.array([True, False, True, False, False])  # in the order of BASES, ACGUN
_UNKNOWN = 4


def maximum_weight_matching(graph: CandidateGraph) -> NDArray[np.bool_]:
    """A heaviest set of candidates in which no base stands twice, as a mask of shape (m,).

    As many of the bases that must pair as possible do; the weight is the largest under that. The
    same graph always gives the same answer.
    """
    gains = graph.gains
    chosen = np.zeros(len(graph), dtype=bool)
    for component in graph.components():
        part = component[gains[component] > 0]
        if part.size == 1:
            chosen[part] = True
        elif part.size:
            purine = _PURINE[graph.codes[graph.ends[part]]]
            known = (graph.codes[graph.ends[part]] != _UNKNOWN).all()
            bipartite = known and bool((purine[:, 0] != purine[:, 1]).all())
            solve = _assignment if bipartite else _blossom
            chosen[part[solve(graph, graph.ends[part], gains[part])]] = True
    return chosen


def _assignment(
    graph: CandidateGraph, ends: NDArray[np.int64], gains: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Indices of the chosen rows of *ends*, (m, 2), each a purine and a pyrimidine."""
    flip = ~_PURINE[graph.codes[ends[:, 0]]]
    purines, row = np.unique(np.where(flip, ends[:, 1], ends[:, 0]), return_inverse=True)
    pyrimidines, column = np.unique(np.where(flip, ends[:, 0], ends[:, 1]), return_inverse=True)
    block = np.zeros((len(purines), len(pyrimidines)))
    block[row, column] = gains
    edge = np.full(block.shape, -1, dtype=np.int64)
    edge[row, column] = np.arange(len(ends))
    found = edge[linear_sum_assignment(block, maximize=True)]
    return np.sort(found[found >= 0])


def _blossom(
    graph: CandidateGraph, ends: NDArray[np.int64], gains: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Indices of the chosen rows of *ends*, (m, 2), for any graph.

    Below the weight every candidate carries a small fixed random number. Their sum over a matching
    stays below one unit of weight, so they only choose among optima, and make the optimum unique:
    rustworkx walks hash tables, whose order differs between runs.
    """
    bases, local = np.unique(ends, return_inverse=True)
    tie = np.random.default_rng(0).integers(0, 1 << _TIE_BITS, len(ends))
    unit = len(bases) << _TIE_BITS
    whole = [int(w) * unit + int(t) for w, t in zip(np.rint(gains * _SCALE), tie, strict=True)]
    links = rustworkx.PyGraph(multigraph=False)
    links.add_nodes_from(range(len(bases)))
    links.add_edges_from(
        [(int(a), int(b), w) for (a, b), w in zip(local.reshape(-1, 2), whole, strict=True)]
    )
    matching = rustworkx.max_weight_matching(links, weight_fn=int)
    keys = {(int(a), int(b)): k for k, (a, b) in enumerate(local.reshape(-1, 2))}
    return np.array(sorted(keys[min(a, b), max(a, b)] for a, b in matching), dtype=np.int64)
