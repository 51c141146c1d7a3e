"""Decoding: from a map of pairing probabilities to a structure that satisfies all options."""

import time
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from rnass.config import DecodingConfig
from rnass.constraints import Constraints
from rnass.decoding.candidates import CandidateGraph, candidate_graph, groups
from rnass.decoding.helices import drop_short_helices, helix_lengths
from rnass.decoding.heuristics import greedy, threshknot
from rnass.decoding.integer_program import crossing_candidates, integer_optimum
from rnass.decoding.maps import checked_map
from rnass.decoding.matching import maximum_weight_matching
from rnass.decoding.nested import best_nested, inner_candidates
from rnass.decoding.steric import impossible_crossings
from rnass.errors import ConstraintError
from rnass.structure import MAX_ORDER, Structure

__all__ = ["decode"]

_CROSSING_LIMIT = 5_000
"""Candidates whose crossings are listed; their number grows with the square."""

_ROW_LIMIT = 50_000
"""Crossings times levels up to which a bounded order is searched exactly."""


def decode(
    probabilities: ArrayLike | csr_array,
    bases: str,
    options: DecodingConfig = DecodingConfig(),  # noqa: B008 - frozen
    *,
    constraints: Constraints | None = None,
    nick: int | None = None,
) -> Structure:
    """Decode a map of pairing probabilities.

    "matching" finds the heaviest set of allowed pairs in which no base stands twice, exactly;
    "nested" the heaviest set without pseudoknots, exactly, minimum helix included; "threshknot" and
    "greedy" are described in `rnass.decoding.heuristics`.

    If the matching violates `min_helix` or `max_order`, "matching" takes the heavier of two fast
    solutions (violating pairs removed; built order by order), or with `exact` the optimum, within the
    time limit. `max_order` 0 is "nested". The heuristics drop the pairs that violate the bounds.

    Constraints always hold. The bases of a forced pair have no other candidate. A base that must pair
    may take any allowed partner, also below the threshold, and its pair is exempt from `min_helix`.
    The heuristics first match such bases exactly. Together with a bounded order they are always
    optimised exactly, whatever the decoder.

    With `steric`, while two helices cross whose linkers are too short (`rnass.decoding.steric`), the
    lighter one, or the one without bases that must pair, is forbidden and the map decoded again. A
    helix stays that has a forced pair, or that the constraints cannot do without.

    Args:
        probabilities: shape (L, L), in [0, 1], dense or sparse; only i < j is read.
        bases: L letters over ACGUN.
        options: see `DecodingConfig`.
        constraints: the structure satisfies all of them.
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
    constraints = constraints or Constraints()
    checked = checked_map(probabilities, len(bases))

    def decoded(limits: Constraints) -> tuple[Structure, CandidateGraph]:
        graph = candidate_graph(checked, bases, options, constraints=limits, nick=nick)
        return Structure(graph.length, graph.ends[_best(graph, options, limits)]), graph

    found, graph = decoded(constraints)
    needed: set[bytes] = set()  # helices without which no structure satisfies the constraints
    while options.steric and (excess := _crossing_excess(graph, found, constraints, needed)) is not None:
        absent = frozenset((i, j) for i, j in excess.tolist())
        without = replace(constraints, forbidden=constraints.forbidden | absent)
        try:
            found, graph = decoded(without)
        except ConstraintError:
            needed.add(excess.tobytes())
        else:
            constraints = without
    return found


def _crossing_excess(
    graph: CandidateGraph, found: Structure, constraints: Constraints, needed: set[bytes]
) -> NDArray[np.int64] | None:
    """The helix to forbid, (n, 2), of two that cross and cannot, if there are any.

    A helix without bases that must pair, of two such the lighter; never one that is *needed* or has a
    forced pair.
    """

    def rank(helix: NDArray[np.int64]) -> tuple[bool, float]:
        rows = graph.numbers_of(helix)
        return bool(graph.required[rows].any()), float(graph.weights[rows].sum())

    for two in impossible_crossings(found):
        free = [helix for helix in two if helix.tobytes() not in needed]
        free = [helix for helix in free if constraints.pairs.isdisjoint(map(tuple, helix.tolist()))]
        if free:
            return min(free, key=rank)
    return None


def _best(graph: CandidateGraph, options: DecodingConfig, constraints: Constraints) -> NDArray[np.bool_]:
    """The choice of the decoder, as a mask."""
    bounded = options.max_order is not None and bool(graph.must.any())
    optimising = options.decoder in ("matching", "nested") or bounded
    if optimising and (options.decoder == "nested" or options.max_order == 0):
        chosen = best_nested(graph, options.min_helix)
    elif optimising:
        chosen = _matching(graph, options, constraints, exact=options.exact or bounded)
    else:
        chosen = _trimmed(graph, _heuristic(graph, options, constraints), options)
    _check_must(graph, chosen, constraints)
    return chosen


def _matching(
    graph: CandidateGraph, options: DecodingConfig, constraints: Constraints, *, exact: bool
) -> NDArray[np.bool_]:
    """The heaviest matching under the options, as a mask."""
    chosen = maximum_weight_matching(graph)
    _check_must(graph, chosen, constraints)
    if _holds(graph, chosen, options):
        return chosen
    if not exact:
        return _approximate(graph, chosen, options)
    return _restricted(graph, chosen, options, constraints)


def _restricted(
    graph: CandidateGraph, chosen: NDArray[np.bool_], options: DecodingConfig, constraints: Constraints
) -> NDArray[np.bool_]:
    """Optimise each part of the graph again in which the best matching violates the options.

    If the time runs out, the violating pairs of a part are removed.
    """
    deadline = time.monotonic() + options.time_limit
    chosen = chosen.copy()
    for part in sorted(_coupled(graph, options), key=len):
        piece = graph.subset(part)
        if not _holds(piece, chosen[part], options):
            left = deadline - time.monotonic()
            chosen[part] = _optimum(piece, chosen[part], options, constraints, left)
    return chosen


def _optimum(
    graph: CandidateGraph,
    matched: NDArray[np.bool_],
    options: DecodingConfig,
    constraints: Constraints,
    seconds: float,
) -> NDArray[np.bool_]:
    """The optimum of one part under the options, or a fast solution."""
    quick = _approximate(graph, matched, options)
    if seconds > 0 and _searchable(graph, options):
        found = integer_optimum(
            graph, min_helix=options.min_helix, max_order=options.max_order, time_limit=seconds
        )
        if found.infeasible:
            raise _impossible(constraints, found.infeasible, options)
        if found.chosen is not None:
            quick = _better(graph, found.chosen, quick)
    if _unpaired(graph, quick).size:
        raise ConstraintError(
            f"{constraints.where}: no structure of pseudoknot order {options.max_order} or less "
            f"was found in {options.time_limit:g} s; expected a longer time limit or a higher order"
        )
    return quick


def _approximate(
    graph: CandidateGraph, matched: NDArray[np.bool_], options: DecodingConfig
) -> NDArray[np.bool_]:
    """A fast solution that the options allow, the heavier of two.

    The matching without the violating pairs; and, order by order, the best nested structure of the
    bases that the lower orders leave free, minimum helix included.
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
    """The choice that leaves fewer bases unpaired that must pair; of equals the heavier."""
    return max(one, other, key=lambda c: (-_unpaired(graph, c).size, graph.weights[c].sum()))


def _heuristic(
    graph: CandidateGraph, options: DecodingConfig, constraints: Constraints
) -> NDArray[np.bool_]:
    """Match the bases that must pair exactly; the heuristic chooses among the remaining candidates."""
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
    """Whether the integer program is small enough to be built in reasonable time."""
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
    """Without short helices, pairs above the order, and helices that their removal left short."""
    structure = Structure(graph.length, graph.ends[chosen])
    structure = drop_short_helices(structure, options.min_helix, graph.must)
    if options.max_order is not None and structure.pseudoknot_order > options.max_order:
        structure = structure.up_to_order(options.max_order)
        structure = drop_short_helices(structure, options.min_helix, graph.must)
    return chosen & structure.holds(graph.ends)


def _coupled(graph: CandidateGraph, options: DecodingConfig) -> list[NDArray[np.int64]]:
    """Candidates that must be optimised together: they share a base, stack or (bounded order) cross."""
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
