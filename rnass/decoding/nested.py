"""The best nested structure, exactly, by dynamic programming over intervals.

best(i, j), the largest sum within bases i ... j - 1, is best(i + 1, j) or, for a candidate (i, k),
what the pair and its inside give plus best(k + 1, j) (Nussinov & Jacobson 1980,
https://doi.org/10.1073/pnas.77.11.6309). Each candidate costs one vector operation over j, so a
sparse graph is fast. A helix is entered through a block of `min_helix` stacked pairs and then
grows pair by pair, which makes the minimum helix part of the optimum and not a filter.
"""

import numpy as np
from numpy.typing import NDArray

from rnass.decoding.candidates import CandidateGraph

__all__ = ["best_nested", "inner_candidates"]


def best_nested(graph: CandidateGraph, min_helix: int = 1) -> NDArray[np.bool_]:
    """A heaviest nested set of candidates, as a mask of shape (m,).

    As many of the bases that must pair as possible do; the weight is the largest under that. Every
    helix has at least *min_helix* pairs, but for pairs of bases that must pair.
    """
    if not len(graph):
        return np.zeros(0, dtype=bool)
    table = _Table(graph, min_helix)
    table.fill()
    return table.trace()


def inner_candidates(graph: CandidateGraph) -> NDArray[np.int64]:
    """The candidate (i + 1, j - 1) inside each candidate (i, j), -1 if there is none; shape (m,)."""
    return graph.numbers_of(graph.ends + np.array((1, -1)))


class _Table:
    """The recursion over the n bases that stand in any candidate, by rank.

    best(i, j) covers the ranks i <= r < j: `rest[i]` to the end, else `band[i, j - i]`, which is as
    wide as the widest candidate. `entry` is the best of a candidate's pair and inside when it opens a
    helix, `grown` the best between its ends when a long enough helix encloses it.
    """

    def __init__(self, graph: CandidateGraph, min_helix: int) -> None:
        bases, ranks = np.unique(graph.ends, return_inverse=True)
        ends = ranks.reshape(-1, 2)
        self.size, number = len(bases), len(graph)
        self.first = np.searchsorted(ends[:, 0], np.arange(self.size + 1)).tolist()
        inner = inner_candidates(graph)
        last, block_gains = _blocks(inner, graph.gains, min_helix)
        # Lists, as single numbers of arrays are slow.
        self.ends: list[list[int]] = ends.tolist()
        self.gains: list[float] = graph.gains.tolist()
        self.exempt: list[bool] = (graph.required > 0).tolist()
        self.inner: list[int] = inner.tolist()
        self.last: list[int] = last.tolist()
        self.block_gains: list[float] = block_gains.tolist()
        self.min_helix = min_helix
        widest = int((ends[:, 1] - ends[:, 0]).max())
        self.band = np.zeros((self.size + 1, widest + 2))
        self.rest = [0.0] * (self.size + 1)
        self.entry = [-np.inf] * number
        self.block = [False] * number
        self.grown = [0.0] * number

    def fill(self) -> None:
        for i in range(self.size - 1, -1, -1):
            row = self.band[i]
            row[1:] = self.band[i + 1, :-1]
            rest = self.rest[i + 1]
            here = range(self.first[i], self.first[i + 1])
            for e in here:
                after = self.ends[e][1] + 1
                self._enter(e)
                beyond = row[after - i :]
                np.maximum(beyond, self.entry[e] + self.band[after, : beyond.size], out=beyond)
                rest = max(rest, self.entry[e] + self.rest[after])
            self.rest[i] = rest
            for e in here:
                self.grown[e] = max(float(row[self.ends[e][1] + 1 - i]), self.gains[e] + self._inside(e))

    def trace(self) -> NDArray[np.bool_]:
        chosen = np.zeros(len(self.gains), dtype=bool)
        intervals = [(0, self.size)]
        while intervals:
            i, j = intervals.pop()
            while i < j and self._best(i, j) == self._best(i + 1, j):
                i += 1
            if i < j:
                e = self._taken(i, j)
                intervals.append((self.ends[e][1] + 1, j))
                chain = self._chain(e) if self.block[e] else [e]
                chosen[chain] = True
                i, k = self.ends[chain[-1]]
                intervals.append((i + 1, k))
        return chosen

    def _best(self, i: int, j: int) -> float:
        return float(self.rest[i] if j == self.size else self.band[i, j - i])

    def _inside(self, e: int) -> float:
        """The best between the ends of *e*, which belongs to a long enough helix."""
        if self.inner[e] >= 0:
            return self.grown[self.inner[e]]
        i, j = self.ends[e]
        return self._best(i + 1, j)

    def _enter(self, e: int) -> None:
        if self.exempt[e]:
            i, j = self.ends[e]
            self.entry[e] = self.gains[e] + self._best(i + 1, j)
        if (last := self.last[e]) >= 0:
            value = self.block_gains[e] + self._inside(last)
            self.block[e] = value > self.entry[e]
            self.entry[e] = max(self.entry[e], value)

    def _taken(self, i: int, j: int) -> int:
        """The candidate that best(i, j) pairs i by."""
        for e in range(self.first[i], self.first[i + 1]):
            k = self.ends[e][1]
            if k < j and self._best(i, j) == self.entry[e] + self._best(k + 1, j):
                return e
        raise AssertionError("the table holds a value that no candidate gives")

    def _chain(self, e: int) -> list[int]:
        """The block that opens at *e* and the pairs it grows by."""
        chain = [e]
        while len(chain) < self.min_helix:
            chain.append(self.inner[chain[-1]])
        while (e := self.inner[chain[-1]]) >= 0:
            i, j = self.ends[e]
            if self.grown[e] == self._best(i, j + 1):
                break
            chain.append(e)
        return chain


def _blocks(
    inner: NDArray[np.int64], gains: NDArray[np.float64], min_helix: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The last of the *min_helix* stacked candidates from each inwards, -1 of fewer, and their gains."""
    last, total = np.arange(len(inner)), gains.copy()
    for _ in range(min_helix - 1):
        last = np.where(last >= 0, inner[last], -1)
        total += np.where(last >= 0, gains[last], 0)
    return last, total
