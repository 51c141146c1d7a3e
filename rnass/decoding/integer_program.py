"""Further constraints as an integer program, solved by HiGHS through `scipy.optimize.milp`.

Variables: x[e, l], candidate e is chosen and drawn on level l; y[w], the w-th block of `min_helix`
stacked candidates is wholly chosen (continuous: binary x make it so). Rows:

    sum of x over the candidates of a base  <= 1, or = 1 where the base must pair
    x[e, l] + x[f, l] <= 1                  for candidates e, f that cross
    y[w] <= x[e]                            for the candidates e of block w
    x[e] <= sum of y[w] over blocks with e  but for candidates of bases that must pair
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, milp
from scipy.sparse import coo_array, csr_array

from rnass.decoding.candidates import CandidateGraph
from rnass.decoding.nested import inner_candidates
from rnass.structure import Structure

__all__ = ["Optimum", "crossing_candidates", "integer_optimum"]

_INFEASIBLE = 2  # HiGHS's status in scipy

Row = tuple[Sequence[int], Sequence[float], float, float]  # columns, coefficients, low, high


@dataclass(frozen=True)
class Optimum:
    """The result of the search.

    Attributes:
        chosen: mask of shape (m,); None if nothing feasible was found in time.
        infeasible: bases that cannot all pair as they must; empty if they can.
    """

    chosen: NDArray[np.bool_] | None
    infeasible: tuple[int, ...] = ()


def integer_optimum(
    graph: CandidateGraph, *, min_helix: int = 1, max_order: int | None = None, time_limit: float = 10.0
) -> Optimum:
    """The heaviest choice of candidates under a minimum helix and a bounded pseudoknot order.

    Crossing-free levels bound the number of levels; `Structure.pseudoknot_order`, which peels off
    largest nested subsets, may in rare cases need one more. Such a choice is excluded and
    the search repeated, so the answer is exact for the order that `Structure` counts.
    """
    program = _Program(graph, min_helix, max_order)
    deadline = time.monotonic() + time_limit
    while (left := deadline - time.monotonic()) > 0:
        result = program.solve(left)
        if result.status == _INFEASIBLE:
            return Optimum(None, program.unsatisfiable(time_limit))
        if result.x is None:
            break
        chosen = program.choice(result.x)
        structure = Structure(graph.length, graph.ends[chosen])
        if max_order is None or structure.pseudoknot_order <= max_order:
            return Optimum(chosen)
        program.cut(chosen)
    return Optimum(None)


def crossing_candidates(ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Indices (e, f) of the candidates that cross, i(e) < i(f) < j(e) < j(f); shape (c, 2)."""
    found = [np.empty((0, 2), dtype=np.int64)]
    for e, (i, j) in enumerate(ends):
        inside = slice(*np.searchsorted(ends[:, 0], [i + 1, j]))  # ends are sorted by i
        f = np.flatnonzero(ends[inside, 1] > j) + inside.start
        found.append(np.column_stack([np.full(f.size, e), f]))
    return np.concatenate(found)


class _Program:
    """The columns are x, level by level, then y, then one slack per base that must pair."""

    def __init__(self, graph: CandidateGraph, min_helix: int, max_order: int | None) -> None:
        self.graph = graph
        self.size = len(graph)
        self.blocks = _blocks(graph, min_helix) if min_helix > 1 else []
        crossing = [] if max_order is None else crossing_candidates(graph.ends).tolist()
        self.levels = max_order + 1 if crossing and max_order is not None else 1
        self.must = np.intersect1d(np.flatnonzero(graph.must), graph.ends).tolist()
        self.first_y = self.levels * self.size
        self.first_slack = self.first_y + len(self.blocks)
        self.columns = self.first_slack + len(self.must)
        self.rows: list[Row] = [*self._base_rows(), *self._crossing_rows(crossing)]
        if min_helix > 1:
            self.rows += self._helix_rows()

    def solve(self, time_limit: float) -> OptimizeResult:
        cost = np.zeros(self.columns)
        cost[: self.first_y] = np.tile(-self.graph.weights, self.levels)
        return self._solve(cost, 0.0, time_limit)

    def unsatisfiable(self, time_limit: float) -> tuple[int, ...]:
        """A smallest set of bases to release from pairing so that the others can."""
        cost = np.zeros(self.columns)
        cost[self.first_slack :] = 1.0
        result = self._solve(cost, 1.0, time_limit)
        slack = result.x[self.first_slack :] if result.x is not None else np.ones(len(self.must))
        return tuple(base for base, s in zip(self.must, slack, strict=True) if s > 0.5)

    def choice(self, x: NDArray[np.float64]) -> NDArray[np.bool_]:
        return np.asarray(x[: self.first_y].reshape(self.levels, self.size).sum(0) > 0.5)

    def cut(self, chosen: NDArray[np.bool_]) -> None:
        """Exclude this very choice: at least one candidate must differ."""
        sign = np.tile(np.where(chosen, -1.0, 1.0), self.levels)
        self.rows.append((range(self.first_y), sign.tolist(), 1.0 - float(chosen.sum()), np.inf))

    def _solve(self, cost: NDArray[np.float64], slack: float, time_limit: float) -> OptimizeResult:
        high = np.ones(self.columns)
        high[self.first_slack :] = slack
        if self.levels > 1:  # levels are interchangeable: the heaviest candidate is on the first
            heaviest = int(np.argmax(self.graph.weights))
            high[heaviest + self.size : self.first_y : self.size] = 0.0
        return milp(
            cost,
            integrality=np.r_[np.ones(self.first_y), np.zeros(self.columns - self.first_y)],
            bounds=Bounds(np.zeros(self.columns), high),
            constraints=_constraint(self.rows, self.columns),
            options={"time_limit": time_limit, "mip_rel_gap": 0.0},
        )

    def _x(self, e: int) -> range:
        """The columns of candidate *e* on every level."""
        return range(e, self.first_y, self.size)

    def _base_rows(self) -> Iterable[Row]:
        slack = {base: self.first_slack + k for k, base in enumerate(self.must)}
        of_base: dict[int, list[int]] = {}
        for e, pair in enumerate(self.graph.ends.tolist()):
            for base in pair:
                of_base.setdefault(base, []).extend(self._x(e))
        for base, columns in of_base.items():
            if base in slack:
                columns.append(slack[base])
            yield columns, [1.0] * len(columns), float(base in slack), 1.0

    def _crossing_rows(self, crossing: list[list[int]]) -> Iterable[Row]:
        for e, f in crossing:
            for level in range(0, self.first_y, self.size):
                yield [e + level, f + level], [1.0, 1.0], 0.0, 1.0

    def _helix_rows(self) -> Iterable[Row]:
        holds: dict[int, list[int]] = {e: [] for e in range(self.size)}
        for w, block in enumerate(self.blocks):
            for e in block:
                holds[e].append(self.first_y + w)
                columns = [*self._x(e), self.first_y + w]
                yield columns, [1.0] * self.levels + [-1.0], 0.0, np.inf
        for e in np.flatnonzero(self.graph.required == 0).tolist():
            columns = [*holds[e], *self._x(e)]
            yield columns, [1.0] * len(holds[e]) + [-1.0] * self.levels, 0.0, np.inf


def _blocks(graph: CandidateGraph, size: int) -> list[list[int]]:
    """Every run of *size* stacked candidates, outermost first."""
    inner = inner_candidates(graph)
    runs = [[e] for e in range(len(graph))]
    for _ in range(size - 1):
        runs = [[*run, int(inner[run[-1]])] for run in runs if inner[run[-1]] >= 0]
    return runs


def _constraint(rows: list[Row], columns: int) -> LinearConstraint:
    row = np.repeat(np.arange(len(rows)), [len(r[0]) for r in rows])
    column = np.concatenate([np.asarray(r[0], dtype=np.int64) for r in rows])
    value = np.concatenate([np.asarray(r[1]) for r in rows])
    matrix = csr_array(coo_array((value, (row, column)), shape=(len(rows), columns)))
    return LinearConstraint(matrix, [r[2] for r in rows], [r[3] for r in rows])
