"""Which bases may pair, and the graph of candidate pairs that every decoder starts from."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array, csr_array, issparse, triu
from scipy.sparse.csgraph import connected_components
from scipy.special import logit

from rnass.config import DecodingConfig
from rnass.constraints import Constraints
from rnass.decoding.maps import FAINT, checked_map, given_absent, partner_sums, upper_triangle, values_at
from rnass.errors import ConstraintError, InputError, counted
from rnass.rna import BASES, CANONICAL_PAIRS, MIN_HAIRPIN, clean_bases
from rnass.structure import Structure

__all__ = [
    "CandidateGraph",
    "allowed_pairs",
    "candidate_graph",
]

EDGE = 1e-7
"""Probabilities are kept this far from 0 and 1, so that no log-odds is infinite."""

_ROUNDING = 0.02  # a base's partners add up to at most so much more than 1


@dataclass(frozen=True)
class CandidateGraph:
    """The pairs that a decoder may choose from.

    Attributes:
        codes: shape (L,), the index of each base in `rnass.rna.BASES`.
        ends: shape (m, 2), 0-based, i < j, sorted by i then j.
        weights: shape (m,), of each pair; negative only at a base that must pair.
        must: shape (L,), whether each base must pair.
    """

    codes: NDArray[np.int64]
    ends: NDArray[np.int64]
    weights: NDArray[np.float64]
    must: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.ends)

    @property
    def length(self) -> int:
        """Number of bases, L."""
        return len(self.codes)

    @property
    def required(self) -> NDArray[np.int64]:
        """Shape (m,): how many bases that must pair each candidate would satisfy, 0 to 2."""
        return np.asarray(self.must[self.ends].sum(1, dtype=np.int64))

    @property
    def gains(self) -> NDArray[np.float64]:
        """Weights in which one more base that must pair, and does, outweighs everything else.

        Two structures differ by less than L times the largest weight, so a larger bonus per required
        base makes the maximum exact for the number of such bases first and for the weight second.
        """
        bonus = 1.0 + self.length * float(np.abs(self.weights).max(initial=0.0))
        return self.weights + bonus * self.required

    def numbers_of(self, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
        """The number of the candidate of each pair, (n, 2), -1 if there is none; shape (n,)."""
        keys, wanted = (ends[:, 0] * self.length + ends[:, 1] for ends in (self.ends, pairs))
        found = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return np.where(keys[found] == wanted, found, -1)

    def subset(self, kept: NDArray[np.bool_] | NDArray[np.int64]) -> "CandidateGraph":
        """The graph of some candidates, given as a mask or as sorted indices."""
        return replace(self, ends=self.ends[kept], weights=self.weights[kept])

    def components(self) -> list[NDArray[np.int64]]:
        """Indices of the candidates of each connected component, components by their first base."""
        links = coo_array((np.ones(len(self)), self.ends.T), shape=(self.length, self.length))
        label = connected_components(links, directed=False)[1][self.ends[:, 0]]
        return groups(label)


def groups(labels: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Indices of equal labels together, each group sorted, groups by their first index."""
    order = np.argsort(labels, kind="stable")
    starts = np.flatnonzero(np.diff(labels[order])) + 1
    return sorted((part for part in np.split(order, starts) if part.size), key=lambda part: int(part[0]))


def allowed_pairs(
    bases: str,
    *,
    canonical: bool = True,
    pair_unknown: bool = False,
    min_hairpin: int = MIN_HAIRPIN,
    max_span: int | None = None,
    nick: int | None = None,
) -> NDArray[np.bool_]:
    """Which bases may pair, shape (L, L), True only above the diagonal.

    Args:
        bases: letters over ACGUN.
        canonical: only A-U, G-C and G-U; otherwise any two of ACGU.
        pair_unknown: N pairs with any base; otherwise with none.
        min_hairpin: fewest bases between the two of a pair.
        max_span: most bases from one to the other, both counted.
        nick: 0-based first base of the second strand; hairpin and span do not bind across it.

    >>> np.argwhere(allowed_pairs("GAAAAC")).tolist()
    [[0, 5]]

    Raises:
        SequenceError: a letter that is no base.
    """
    options = DecodingConfig(
        canonical=canonical, pair_unknown=pair_unknown, min_hairpin=min_hairpin, max_span=max_span
    )
    i, j = np.ogrid[: len(bases), : len(bases)]
    return _may_pair(_codes(bases), i, j, options, nick)


def candidate_graph(
    probabilities: ArrayLike | csr_array,
    bases: str,
    options: DecodingConfig,
    *,
    constraints: Constraints | None = None,
    nick: int | None = None,
) -> CandidateGraph:
    """Allowed pairs above the threshold, and every allowed pair of a base that must pair.

    The map may be sparse: then no array of L x L is made.

    With the objective "unpaired_odds" the map is taken given that the pairs that are not allowed are
    not formed, see `rnass.decoding.maps.given_absent`.

    Raises:
        InputError: the map has another shape or leaves [0, 1].
        ConstraintError: a constraint that cannot hold, or a base that must pair and cannot.
    """
    constraints = constraints or Constraints()
    codes = _codes(bases)
    probability = checked_map(probabilities, len(codes))
    if options.objective == "unpaired_odds":
        upper = upper_triangle(probability).astype(np.float64)
        pairs = np.column_stack((upper > FAINT).nonzero())
        absent = pairs[~_permitted(pairs, codes, options, constraints, nick)]
        probability = _against_unpaired(given_absent(upper, absent))
    _check_forced(constraints, codes, options, nick)
    must = constraints.must(len(codes))
    ends = _wanted(probability, must, options)
    ends = ends[_permitted(ends, codes, options, constraints, nick)]
    weights = _weights(values_at(probability, ends).astype(np.float64), options)
    graph = CandidateGraph(codes, ends, weights, must)
    return _without_orphans(graph.subset((weights > 0) | (graph.required > 0)), constraints)


def _wanted(
    probability: NDArray[np.floating] | csr_array, must: NDArray[np.bool_], options: DecodingConfig
) -> NDArray[np.int64]:
    """The pairs, (m, 2), above the threshold or with a base that must pair, sorted."""
    if not issparse(probability):
        wanted = np.asarray(probability > options.threshold)
        wanted[must] = True
        wanted[:, must] = True
        return np.argwhere(np.triu(wanted, 1))
    length = len(must)
    above = triu(probability, 1, format="coo")
    kept = above.data > options.threshold
    near = np.arange(1, options.max_span or length)
    base = np.flatnonzero(must)[:, None]
    one = np.concatenate([above.row[kept], (base + 0 * near).ravel(), (base - near).ravel()])
    other = np.concatenate([above.col[kept], (base + near).ravel(), (base + 0 * near).ravel()])
    inside = (one >= 0) & (other < length)
    keys = np.unique(one[inside].astype(np.int64) * length + other[inside])
    return np.column_stack(np.divmod(keys, length))


def _codes(bases: str) -> NDArray[np.int64]:
    letters = clean_bases(bases)
    return np.array([BASES.index(letter) for letter in letters], dtype=np.int64)


def _may_pair(
    codes: NDArray[np.int64],
    i: NDArray[np.int64],
    j: NDArray[np.int64],
    options: DecodingConfig,
    nick: int | None,
) -> NDArray[np.bool_]:
    """Whether bases i and j may pair, for arrays that broadcast; False unless i < j."""
    near = (j - i > options.min_hairpin) & (i < j)
    if options.max_span is not None:
        near &= j - i < options.max_span
    if nick is not None:
        near |= (i < nick) & (nick <= j)
    return _letters(options)[codes[i], codes[j]] & near


def _letters(options: DecodingConfig) -> NDArray[np.bool_]:
    """Which letters may pair, shape (5, 5), symmetric, in the order of BASES."""
    table = np.zeros((5, 5), dtype=bool)
    table[:4, :4] = not options.canonical
    for pair in CANONICAL_PAIRS:
        table[BASES.index(pair[0]), BASES.index(pair[1])] = True
    table[4] = table[:, 4] = options.pair_unknown
    return table


def _permitted(
    ends: NDArray[np.int64],
    codes: NDArray[np.int64],
    options: DecodingConfig,
    constraints: Constraints,
    nick: int | None,
) -> NDArray[np.bool_]:
    """Whether options and constraints allow each pair of *ends*, (m, 2), i < j; shape (m,)."""
    i, j = ends.T
    return _may_pair(codes, i, j, options, nick) & constraints.permits(ends, len(codes))


def _against_unpaired(p: NDArray[np.floating] | csr_array) -> NDArray[np.float64] | csr_array:
    """The probability of each pair i < j against both its bases being unpaired, shape (L, L)."""
    paired = partner_sums(p)
    if paired.max(initial=0) > 1 + _ROUNDING:
        base = int(paired.argmax())
        raise InputError(
            f"probabilities: {paired[base]:.3g} over all partners of base {base + 1}; expected 1 at most"
        )
    unpaired = np.clip(1 - paired, EDGE, 1)
    if issparse(p):
        pairs = np.column_stack(p.nonzero())
        i, j = pairs.T
        values = values_at(p, pairs)
        return csr_array((values / (values + unpaired[i] * unpaired[j]), (i, j)), shape=p.shape)
    return np.asarray(p / (p + unpaired[:, None] * unpaired))


def _weights(p: NDArray[np.float64], options: DecodingConfig) -> NDArray[np.float64]:
    if options.objective == "accuracy":
        return p - options.threshold
    return np.asarray(logit(np.clip(p, EDGE, 1 - EDGE)) - logit(options.threshold))


def _check_forced(
    constraints: Constraints, codes: NDArray[np.int64], options: DecodingConfig, nick: int | None
) -> None:
    constraints.check(len(codes))
    highest = 0 if options.decoder == "nested" else options.max_order
    order = Structure(len(codes), list(constraints.pairs)).pseudoknot_order
    if highest is not None and order > highest:
        raise ConstraintError(
            f"{constraints.where}: the forced pairs have pseudoknot order {order}; "
            f"expected at most {highest}"
        )
    for i, j in constraints.pairs:
        here = f"{constraints.where}: bases {i + 1} and {j + 1} ({BASES[codes[i]]}-{BASES[codes[j]]})"
        if not _letters(options)[codes[i], codes[j]]:
            raise ConstraintError(
                f"{here} must pair but their letters may not; expected letters that do"
            )
        if not _may_pair(codes, np.array([i]), np.array([j]), options, nick)[0]:
            raise ConstraintError(
                f"{here} must pair but lie {counted(j - i - 1, 'base')} apart; expected at least "
                f"{options.min_hairpin} (hairpin)"
                + (f" and a span of at most {options.max_span}" if options.max_span else "")
            )


def _without_orphans(graph: CandidateGraph, constraints: Constraints) -> CandidateGraph:
    orphan = graph.must.copy()
    orphan[graph.ends] = False
    for base in np.flatnonzero(orphan)[:1]:
        raise ConstraintError(
            f"{constraints.where}: base {base + 1} ({BASES[graph.codes[base]]}) must pair but no base "
            "may be its partner; expected one that letters, hairpin and the other constraints allow"
        )
    return graph
