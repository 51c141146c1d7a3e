"""Pseudoknots that no RNA can form, for want of bases between their helices.

Two helices that cross, the first of pairs (i, j), the second of pairs (k, l) with i < k < j < l, are
joined by three linkers: from the 5' strand of the first to that of the second, from there to the 3'
strand of the first, and from there to the 3' strand of the second. Where a linker is empty the helices
stack on each other, which only one of three can allow (Pleij et al. 1985,
https://doi.org/10.1093/nar/13.5.1717). A second one may be empty only where one strand of a helix fills
the whole hairpin loop of the other and the helix is long enough for its ends to meet again across the
deep groove: six pairs, as in the TAR-TAR* complex (Chang & Tinoco 1997,
https://doi.org/10.1006/jmbi.1997.1021).
"""

import numpy as np
from numpy.typing import NDArray

from rnass.decoding.helices import helices
from rnass.structure import Structure

__all__ = ["impossible_crossings"]

_SPANNING = 6  # pairs of a helix whose one strand may fill a hairpin loop


def impossible_crossings(structure: Structure) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Pairs of crossing helices whose linkers are too short, the 5' one first; pairs of shape (n, 2).

    >>> knot = Structure.from_dot_bracket("[[[[((((]]]]....))))")
    >>> [len(one) + len(other) for one, other in impossible_crossings(knot)]
    [8]
    >>> impossible_crossings(Structure.from_dot_bracket("[[[[.((((]]]]....))))"))
    []
    """
    every = helices(structure)
    opening = {int(helix[0, 0]): helix for helix in every}  # by the first base of the 5' strand,
    turning = {int(helix[-1, 0]): helix for helix in every}  # the last one of the 5' strand,
    closing = {int(helix[-1, 1]): helix for helix in every}  # the first one of the 3' strand
    found = []
    for one in every:
        (_, last), (inner, outer) = one[0], one[-1]
        beside = opening.get(inner + 1), turning.get(outer - 1), closing.get(last + 1)
        others = {id(helix): helix for helix in beside if helix is not None}.values()
        found += [(one, other) for other in others if _impossible(one, other)]
    return found


def _impossible(one: NDArray[np.int64], other: NDArray[np.int64]) -> bool:
    (i, j), (inner_i, inner_j) = one[0], one[-1]
    (k, last), (inner_k, inner_l) = other[0], other[-1]
    if not i < k < j < last:
        return False
    first, middle, third = k == inner_i + 1, inner_k == inner_j - 1, inner_l == j + 1  # empty linkers
    if first and third:
        return True
    filling = other if first else one if third else None  # the helix that fills the loop of the other
    return bool(middle) and filling is not None and len(filling) < _SPANNING
