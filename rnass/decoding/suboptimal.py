"""Suboptimal structures: further structures that one map supports."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from rnass.config import DecodingConfig
from rnass.constraints import Constraints
from rnass.decoding.confidence import expected_f1
from rnass.decoding.decode import decode
from rnass.decoding.helices import helices
from rnass.decoding.maps import checked_map, given_absent
from rnass.errors import ConstraintError
from rnass.structure import Structure

__all__ = ["Alternative", "alternatives", "base_pair_distance"]

_BRANCHES = 16  # helices, the least certain first, that are taken away in turn


@dataclass(frozen=True)
class Alternative:
    """One of several structures decoded from one map.

    Attributes:
        structure: the pairs.
        weight: an estimate of its share of the ensemble from the bases in which the structures
            differ: the product over groups of competing helices, taken as independent, of the mean
            probability of its bases' states (their partners, or unpaired). Scaled to sum to at most 1.
        expected_f1: see `rnass.decoding.expected_f1`.
    """

    structure: Structure
    weight: float
    expected_f1: float


def alternatives(
    probabilities: ArrayLike,
    bases: str,
    n: int,
    options: DecodingConfig = DecodingConfig(),  # noqa: B008 - frozen
    *,
    constraints: Constraints | None = None,
    nick: int | None = None,
    distance: int = 6,
) -> list[Alternative]:
    """Up to *n* structures, each *distance* or more from the others; the first is `decode`'s.

    The helices of a structure are forbidden one at a time (Lawler's branching, with helices as
    variables). Pairs that are incompatible with the forbidden helix h get the probability
    p / (1 - p(h)), given that h is absent, and the map is decoded again: a competitor of 0.45 against
    0.55 becomes certain. Of all structures found, the one of highest expected F1 under the whole map
    comes next, and its helices are forbidden in turn.

    Args:
        probabilities: shape (L, L); only i < j is read.
        bases: L letters over ACGUN.
        n: largest number; fewer if the map supports fewer.
        options: as for `decode`.
        constraints: as for `decode`; every structure satisfies them.
        nick: as for `decode`.
        distance: fewest pairs that two of them differ by (`base_pair_distance`).

    Raises:
        InputError, ConstraintError: as `decode`.
    """
    constraints = constraints or Constraints()
    p = np.triu(checked_map(probabilities, len(bases)), 1)
    first = decode(p, bases, options, constraints=constraints, nick=nick)
    found: dict[Structure, frozenset[tuple[int, int]]] = {first: frozenset()}
    score = {first: np.inf}
    kept: list[Structure] = []
    while found and len(kept) < n:
        best = max(found, key=lambda s: (score[s], s.pairs.tolist()))
        absent = found.pop(best)
        if any(base_pair_distance(best, other) < distance for other in kept):
            continue
        kept.append(best)
        for helix in _least_certain(p, best):
            banned = absent | helix
            without = replace(constraints, forbidden=constraints.forbidden | banned)
            try:
                other = decode(
                    given_absent(p, np.array(sorted(banned))),
                    bases,
                    options,
                    constraints=without,
                    nick=nick,
                )
            except ConstraintError:  # the constraints need this helix
                continue
            if other not in score:
                score[other] = expected_f1(p, other)
                found[other] = banned
    shares = _shares(p, kept)
    return [Alternative(s, w, expected_f1(p, s)) for s, w in zip(kept, shares, strict=True)]


def base_pair_distance(one: Structure, other: Structure) -> int:
    """The number of pairs that only one of two structures has."""
    return len(_as_set(one.pairs) ^ _as_set(other.pairs))


def _as_set(pairs: NDArray[np.int64]) -> frozenset[tuple[int, int]]:
    return frozenset((i, j) for i, j in pairs.tolist())


def _least_certain(p: NDArray[np.floating], structure: Structure) -> list[frozenset[tuple[int, int]]]:
    """The helices of lowest mean probability, as sets of pairs."""
    ranked = sorted(helices(structure), key=lambda helix: float(p[helix[:, 0], helix[:, 1]].mean()))
    return [_as_set(helix) for helix in ranked[:_BRANCHES]]


def _shares(p: NDArray[np.floating], structures: list[Structure]) -> list[float]:
    """The weight of each structure; see `Alternative`."""
    both = p + p.T
    unpaired = np.clip(1 - both.sum(1), 0, 1)
    partners = np.array([structure.partners for structure in structures])
    state = np.where(partners < 0, unpaired, both[np.arange(len(p)), partners])  # (structures, L)
    shares = np.ones(len(structures))
    for bases in _independent(structures):
        shares *= state[:, bases].mean(1)
    return [float(share) for share in shares / max(shares.sum(), 1.0)]


def _independent(structures: list[Structure]) -> list[NDArray[np.int64]]:
    """The bases of each group of helices that compete with each other, and not with other groups.

    Only pairs count that not all structures have. Helices compete if they share a base, or if no
    structure has both.
    """
    sets = [_as_set(structure.pairs) for structure in structures]
    some = sorted(frozenset.union(*sets) - frozenset.intersection(*sets))
    if not some:
        return []
    number = {pair: k for k, pair in enumerate(some)}
    links = [(k, number[i + 1, j - 1]) for (i, j), k in number.items() if (i + 1, j - 1) in number]
    by_base: dict[int, int] = {}
    links += [(k, by_base.setdefault(base, k)) for pair, k in number.items() for base in pair]
    helix = _components(links, len(some))
    has = np.zeros((helix.max() + 1, len(sets)), dtype=bool)
    for column, pairs in enumerate(sets):
        has[[helix[number[pair]] for pair in pairs if pair in number], column] = True
    never = np.argwhere(~(has[:, None] & has).any(2))
    group = _components(never, len(has))[helix]
    ends = np.array(some)
    return [np.unique(ends[group == one]) for one in range(group.max() + 1)]


def _components(links: ArrayLike, number: int) -> NDArray[np.int64]:
    """The number of the connected component of each of *number* nodes, from 0."""
    ends = np.asarray(links, dtype=np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(ends.shape[1]), (ends[0], ends[1])), shape=(number, number))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)
