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

from rnass.decoding.candidates import CandidateGraph

__all__ = ["maximum_weight_matching"]

_SCALE = 1e6  # weights become integers; the optimum is exact to the millionth
_PURINE = np.array([True, False, True, False, False])  # in the order of BASES, ACGUN


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
            if (purine[:, 0] != purine[:, 1]).all():
                found = _assignment(graph.ends[part], purine[:, 0], gains[part])
            else:
                found = _blossom(graph.ends[part], gains[part])
            chosen[part[found]] = True
    return chosen


def _assignment(
    ends: NDArray[np.int64], forward: NDArray[np.bool_], gains: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Indices of the chosen rows of *ends*, (m, 2), the purine first where *forward*, else second."""
    purines, row = np.unique(np.where(forward, ends[:, 0], ends[:, 1]), return_inverse=True)
    pyrimidines, column = np.unique(np.where(forward, ends[:, 1], ends[:, 0]), return_inverse=True)
    block = np.zeros((len(purines), len(pyrimidines)))
    block[row, column] = gains
    edge = np.full(block.shape, -1, dtype=np.int64)
    edge[row, column] = np.arange(len(ends))
    found = edge[linear_sum_assignment(block, maximize=True)]
    return np.sort(found[found >= 0])


def _blossom(ends: NDArray[np.int64], gains: NDArray[np.float64]) -> NDArray[np.int64]:
    """Indices of the chosen rows of *ends*, (m, 2), for any graph."""
    bases, ranks = np.unique(ends, return_inverse=True)
    edges = [(int(a), int(b)) for a, b in ranks.reshape(-1, 2)]
    links = rustworkx.PyGraph(multigraph=False)
    links.add_nodes_from(range(len(bases)))
    links.add_edges_from([(*edge, round(w * _SCALE)) for edge, w in zip(edges, gains, strict=True)])
    row = {edge: k for k, edge in enumerate(edges)}
    matching = rustworkx.max_weight_matching(links, weight_fn=int)
    return np.array(sorted(row[min(a, b), max(a, b)] for a, b in matching), dtype=np.int64)
