"""Confidence of a structure and of its bases, from the probabilities it was decoded from."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array, issparse

from rnass.decoding.maps import checked_map, upper_triangle, values_at
from rnass.structure import Structure

__all__ = ["base_confidence", "expected_f1"]


def expected_f1(probabilities: ArrayLike | csr_array, structure: Structure) -> float:
    """2 E[true positives] / (pairs predicted + E[pairs that exist]), in [0, 1].

    The sum of p over the structure's pairs is the expected number of true positives, the sum over
    all i < j the expected number of pairs: this is F1 with both counts at their expectation, exact
    if the probabilities are calibrated and the number of pairs varies little. A structure without
    pairs has an F1 of 1 or 0, and is right if none exists: the product of all 1 - p, as if they were
    independent.

    Args:
        probabilities: shape (L, L), dense or sparse; only i < j is read.
        structure: of L bases.
    """
    p = upper_triangle(checked_map(probabilities, structure.length))
    if not len(structure.pairs):
        values = p.data if issparse(p) else p
        return float(np.subtract(1, values, dtype=np.float64).prod())
    hits = float(values_at(p, structure.pairs).sum(dtype=np.float64))
    total = len(structure.pairs) + float(p.sum(dtype=np.float64))
    return min(2 * hits / total, 1.0)


def base_confidence(probabilities: ArrayLike | csr_array, structure: Structure) -> NDArray[np.float64]:
    """The probability of each base's state in the structure, shape (L,), in [0, 1].

    For a paired base p of its pair; for an unpaired one 1 minus the sum of p over all partners.

    Args:
        probabilities: shape (L, L), dense or sparse; only i < j is read.
        structure: of L bases.
    """
    p = upper_triangle(checked_map(probabilities, structure.length))
    confidence = 1.0 - (p.sum(0, dtype=np.float64) + p.sum(1, dtype=np.float64))
    i, j = structure.pairs.T
    confidence[i] = confidence[j] = values_at(p, structure.pairs)
    return np.asarray(np.clip(confidence, 0.0, 1.0))
