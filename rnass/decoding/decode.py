"""From a probability map to a structure: the decoders, and what holds for all of them."""

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from rnass.config import DecodingConfig
from rnass.decoding.candidates import CandidateGraph, candidate_graph, groups
from rnass.constraints import Constraints
from rnass.decoding.helices import drop_short_helices, helix_lengths
from rnass.decoding.heuristics import greedy, threshknot
from rnass.decoding.integer_program import crossing_candidates, integer_optimum
from rnass.decoding.matching import maximum_weight_matching
from rnass.decoding.nested import best_nested, inner_candidates
from rnass.errors import ConstraintError
from rnass.structure import MAX_ORDER, Structure

__all__ = ["Decoding", "decode", "decode_with_bound"]

_CROSSING_LIMIT = 5_000
"""Candidates whose crossings are listed; their number grows with the square."""

_ROW_LIMIT = 50_000
"""Crossings times levels up to which a bounded order is searched exactly."""


@dataclass(frozen=True)
class Decoding:
    """A structure and how good it is known to be.

    Attributes:
        structure: the pairs.
        weight: the sum of the weights of its pairs.
        bound: no structure that the options allow weighs more; None for threshknot and greedy,
            which optimise nothing.
    """

    structure: Structure
    weight: float
    bound: float | None

    @property
    def gap(self) -> float | None:
        """How far, relative to the bound, the weight may be from the best; 0 is proved optimal."""
        if self.bound is None:
            return None
        return max(self.bound - self.weight, 0.0) / max(abs(self.bound), 1e-9)


def decode(
    probabilities: ArrayLike,
    bases: str,
    options: DecodingConfig = DecodingConfig(),  # noqa: B008 - frozen
    *,
    constraints: Constraints | None = None,
    nick: int | None = None,
) -> Structure:
    """The structure that a probability map stands for.

    "matching" finds the heaviest set of allowed pairs in which no base stands twice, exactly;
    "nested" the heaviest set without pseudoknots, exactly, minimum helix included; "threshknot" and
    "greedy" are described in `rnass.decoding.heuristics`.

    Where the matching breaks `min_helix` or `max_order`, "matching" takes the heavier of two quick
    answers (pairs removed; built up level by level), or with `exact` the optimum, within the time
    limit. `max_order` 0 is "nested". The heuristics lose the pairs that break the bounds.

    Constraints always hold. A forced pair leaves its bases no other candidate. A base that must
    pair may take any allowed partner, threshold or not, and its pair is exempt from `min_helix`.
    The heuristics first give such bases their partners by an exact matching. A bounded order
    beside such bases is always optimised exactly, whatever the decoder.

    Args:
        probabilities: shape (L, L), in [0, 1]; what lies on or below the diagonal is not read.
        bases: L letters over ACGUN.
        options: see `DecodingConfig`.
        constraints: what the structure must hold to.
        nick: 0-based first base of the second strand, if there are two.

    >>> import numpy as np
    >>> p = np.zeros((8, 8))
    >>> p[0, 7] = p[1, 6] = 0.9
    >>> decode(p, "GCAAAAGC").dot_bracket
    '((....))'

    Raises:
        InputError: the map has another shape or leaves [0, 1].
        ConstraintError: constraints that no structure satisfies; names the bases.
    """
    return decode_with_bound(probabilities, bases, options, constraints=constraints, nick=nick).structure


def decode_with_bound(
    probabilities: ArrayLike,
    bases: str,
    options: DecodingConfig = DecodingConfig(),  # noqa: B008 - frozen
    *,
    constraints: Constraints | None = None,
    nick: int | None = None,
) -> Decoding:
    """As `decode`, with the weight of the structure and a bound on the best."""
    constraints = constraints or Constraints()
    graph = candidate_graph(probabilities, bases, options, constraints=constraints, nick=nick)
    bounded = options.max_order is not None and bool(graph.must.any())
    optimising = options.decoder in ("matching", "nested") or bounded
    bound: float | None
    if optimising and (options.decoder == "nested" or options.max_order == 0):
        chosen = best_nested(graph, options.min_helix)
        bound = _weight(graph, chosen)
    elif optimising:
        chosen, bound = _matching(graph, options, constraints, exact=options.exact or bounded)
    else:
        chosen, bound = _trimmed(graph, _heuristic(graph, options, constraints), options), None
    _check_must(graph, chosen, constraints)
    return Decoding(Structure(graph.length, graph.ends[chosen]), _weight(graph, chosen), bound)


def _matching(
    graph: CandidateGraph, options: DecodingConfig, constraints: Constraints, *, exact: bool
) -> tuple[NDArray[np.bool_], float]:
    """The heaviest matching under the options, as a mask, and a bound on its weight."""
    chosen = maximum_weight_matching(graph)
    _check_must(graph, chosen, constraints)
    if _holds(graph, chosen, options):
        return chosen, _weight(graph, chosen)
    if not exact:
        return _approximate(graph, chosen, options), _weight(graph, chosen)
    return _restricted(graph, chosen, options, constraints)


def _restricted(
    graph: CandidateGraph, chosen: NDArray[np.bool_], options: DecodingConfig, constraints: Constraints
) -> tuple[NDArray[np.bool_], float]:
    """Optimise again each part of the graph in which the best matching breaks the options.

    Where there is no time for a part, its matching loses the pairs that break them.
    """
    deadline = time.monotonic() + options.time_limit
    chosen = chosen.copy()
    bound = 0.0
    for part in sorted(_coupled(graph, options), key=len):
        piece = graph.subset(part)
        best = _weight(piece, chosen[part])
        if not _holds(piece, chosen[part], options):
            left = deadline - time.monotonic()
            chosen[part], best = _optimum(piece, chosen[part], options, constraints, left)
        bound += best
    return chosen, bound


def _optimum(
    graph: CandidateGraph,
    matched: NDArray[np.bool_],
    options: DecodingConfig,
    constraints: Constraints,
    seconds: float,
) -> tuple[NDArray[np.bool_], float]:
    """The best of one part under the options, and a bound; at worst what is quickly found."""
    quick, bound = _approximate(graph, matched, options), _weight(graph, matched)
    if seconds > 0 and _searchable(graph, options):
        found = integer_optimum(
            graph, min_helix=options.min_helix, max_order=options.max_order, time_limit=seconds
        )
        if found.infeasible:
            raise _impossible(constraints, found.infeasible, options)
        bound = min(bound, found.bound)
        if found.chosen is not None:
            quick = _better(graph, found.chosen, quick)
    if _unpaired(graph, quick).size:
        raise ConstraintError(
            f"{constraints.where}: no structure of pseudoknot order {options.max_order} or less "
            f"was found in {options.time_limit:g} s; expected a longer time limit or a higher order"
        )
    return quick, bound


def _approximate(
    graph: CandidateGraph, matched: NDArray[np.bool_], options: DecodingConfig
) -> NDArray[np.bool_]:
    """A structure that the options allow, fast: the heavier of two.

    The matching without the pairs that break them; and level upon level, the best nested structure,
    minimum helix included, of what the levels before have left.
    """
    layered = np.zeros(len(graph), dtype=bool)
    left = np.arange(len(graph))
    for _ in range(MAX_ORDER if options.max_order is None else options.max_order + 1):
        layered[left] = best_nested(graph.subset(left), options.min_helix)
        taken = np.zeros(graph.length, dtype=bool)
        taken[graph.ends[layered]] = True
        rest = np.flatnonzero(~taken[graph.ends].any(1))
        if rest.size in (0, left.size):
            break
        left = rest
    return _better(graph, _trimmed(graph, matched, options), _trimmed(graph, layered, options))


def _better(
    graph: CandidateGraph, one: NDArray[np.bool_], other: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Of two choices the one that leaves fewer bases short of a partner they must have, or heavier."""
    return max(one, other, key=lambda c: (-_unpaired(graph, c).size, _weight(graph, c)))


def _heuristic(
    graph: CandidateGraph, options: DecodingConfig, constraints: Constraints
) -> NDArray[np.bool_]:
    """Bases that must pair are matched exactly; the decoder chooses among what their pairs leave."""
    required = np.flatnonzero(graph.required)
    chosen = np.zeros(len(graph), dtype=bool)
    chosen[required] = maximum_weight_matching(graph.subset(required))
    _check_must(graph, chosen, constraints)
    taken = np.zeros(graph.length, dtype=bool)
    taken[graph.ends[chosen]] = True
    rest = np.flatnonzero(~taken[graph.ends].any(1))
    decoder = threshknot if options.decoder == "threshknot" else greedy
    chosen[rest] = decoder(graph.subset(rest))
    return chosen


def _searchable(graph: CandidateGraph, options: DecodingConfig) -> bool:
    """Whether the integer programme is small enough to be built in reasonable time."""
    if options.max_order is None:
        return True
    if len(graph) > _CROSSING_LIMIT:
        return False
    return len(crossing_candidates(graph.ends)) * (options.max_order + 1) <= _ROW_LIMIT


def _holds(graph: CandidateGraph, chosen: NDArray[np.bool_], options: DecodingConfig) -> bool:
    structure = Structure(graph.length, graph.ends[chosen])
    exempt = graph.must[structure.pairs].any(1)
    if not (exempt | (helix_lengths(structure) >= options.min_helix)).all():
        return False
    return options.max_order is None or structure.pseudoknot_order <= options.max_order


def _trimmed(
    graph: CandidateGraph, chosen: NDArray[np.bool_], options: DecodingConfig
) -> NDArray[np.bool_]:
    """Without short helices, then without the pairs above the order, then without what those left."""
    structure = Structure(graph.length, graph.ends[chosen])
    structure = drop_short_helices(structure, options.min_helix, graph.must)
    if options.max_order is not None and structure.pseudoknot_order > options.max_order:
        structure = structure.up_to_order(options.max_order)
        structure = drop_short_helices(structure, options.min_helix, graph.must)
    return np.asarray(chosen & (structure.partners[graph.ends[:, 0]] == graph.ends[:, 1]))


def _coupled(graph: CandidateGraph, options: DecodingConfig) -> list[NDArray[np.int64]]:
    """Candidates that decide together: they share a base, stack or (in a bounded order) cross."""
    size, ends = len(graph), graph.ends
    nodes = np.column_stack([np.arange(size), np.arange(size)]).ravel()
    links = [np.column_stack([nodes, size + ends.ravel()])]  # candidates, then bases, are the nodes
    if options.min_helix > 1:
        inner = inner_candidates(graph)
        outer = np.flatnonzero(inner >= 0)
        links.append(np.column_stack([outer, inner[outer]]))
    if options.max_order is not None:
        if size > _CROSSING_LIMIT:
            return [np.arange(size)]
        links.append(crossing_candidates(ends))
    link = np.concatenate(links)
    total = size + graph.length
    adjacency = coo_array((np.ones(len(link)), link.T), shape=(total, total))
    return groups(connected_components(adjacency, directed=False)[1][:size].astype(np.int64))


def _weight(graph: CandidateGraph, chosen: NDArray[np.bool_]) -> float:
    return float(graph.weights[chosen].sum())


def _unpaired(graph: CandidateGraph, chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The bases of the graph's candidates that must pair and do not."""
    must = np.zeros(graph.length, dtype=bool)
    must[graph.ends] = graph.must[graph.ends]
    must[graph.ends[chosen]] = False
    return np.flatnonzero(must)


def _check_must(graph: CandidateGraph, chosen: NDArray[np.bool_], constraints: Constraints) -> None:
    if (bases := _unpaired(graph, chosen)).size:
        raise _impossible(constraints, tuple(bases.tolist()), None)


def _impossible(
    constraints: Constraints, bases: tuple[int, ...], options: DecodingConfig | None
) -> ConstraintError:
    named = ", ".join(str(base + 1) for base in bases)
    bound = f" at pseudoknot order {options.max_order} or less" if options else ""
    return ConstraintError(
        f"{constraints.where}: base {named} must pair but cannot beside the other constraints{bound}; "
        "expected constraints that one structure satisfies"
    )
