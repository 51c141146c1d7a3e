"""The second fold: base-pair probabilities once the bases of the first structure pair no more.

What then pairs may cross the first structure, as the second stem of a pseudoknot does: an ensemble of
nested structures has no such pair.
"""

import numpy as np

from rnass.config import SECOND_FOLD
from rnass.thermodynamics.base_pairs import BasePairProbabilities
from rnass.thermodynamics.ensemble import Ensemble

__all__ = ["SECOND_FOLD", "bases_of_first", "bpp_by_name", "second_fold", "set_of"]

_FIRST = 0.5  # probability of a pair of the first structure; pairs above it exclude each other


def bases_of_first(bpp: BasePairProbabilities) -> list[int]:
    """The bases, 0-based, of the first structure: of all pairs above 0.5."""
    chosen = bpp.p > _FIRST
    taken: list[int] = np.concatenate([bpp.i[chosen], bpp.j[chosen]]).tolist()
    return taken


def second_fold(ensemble: Ensemble, first: BasePairProbabilities | None = None) -> BasePairProbabilities:
    """The base-pair probabilities with the bases of the first structure held unpaired.

    Of a constraint only the unpaired bases hold. Where the first structure has no pair, those of the
    ensemble.

    Args:
        ensemble: is folded again.
        first: of these probabilities; None: of those of the ensemble.
    """
    taken = bases_of_first(ensemble.bpp if first is None else first)
    return ensemble.without(taken).bpp if taken else ensemble.bpp


def set_of(name: str) -> str:
    """The parameter set of a name, which may be that of its second fold."""
    return name.removesuffix(SECOND_FOLD)


def bpp_by_name(ensemble: Ensemble, name: str) -> BasePairProbabilities:
    """The base-pair probabilities that a name stands for, of an ensemble by its parameter set."""
    return second_fold(ensemble) if name.endswith(SECOND_FOLD) else ensemble.bpp
