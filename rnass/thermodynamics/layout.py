"""Coordinates of the bases in a plane drawing of a structure."""

import numpy as np
import RNA
from numpy.typing import NDArray

from rnass.rna import MIN_HAIRPIN
from rnass.structure import Structure
from rnass.thermodynamics.parameter_sets import GLOBAL_STATE

__all__ = ["layout"]


def layout(structure: Structure) -> NDArray[np.float64]:
    """Coordinates of the bases in a plane drawing of the nested pairs, shape (L, 2).

    Pairs of a higher pseudoknot order do not shape it. RNApuzzler (Wiegreffe et al. 2019,
    doi:10.1093/bioinformatics/bty817) draws without overlaps, but crashes or hangs on hairpins that
    no RNA can form, as the pair at the nick of two strands is to it: those are drawn with the bases that
    they lack.
    """
    nested = structure.up_to_order(0)
    if not len(nested):
        return np.zeros((0, 2))
    drawn, places = _with_room(nested)
    with GLOBAL_STATE:
        before = RNA.cvar.rna_plot_type
        RNA.cvar.rna_plot_type = RNA.PLOT_TYPE_PUZZLER
        try:
            points = RNA.get_xy_coordinates(drawn)
        finally:
            RNA.cvar.rna_plot_type = before
    return np.array([(points.get(k).X, points.get(k).Y) for k in places], dtype=np.float64)


def _with_room(nested: Structure) -> tuple[str, list[int]]:
    """Dot-bracket in which every hairpin has three bases or more, and the place of each base in it."""
    partners = nested.partners.tolist()
    drawn = ""
    places: list[int] = []
    for k, symbol in enumerate(nested.dot_bracket):
        places.append(len(drawn))
        drawn += symbol
        inside = partners[k] - k - 1
        if 0 <= inside < MIN_HAIRPIN and max(partners[k + 1 : partners[k]], default=-1) < 0:
            drawn += "." * (MIN_HAIRPIN - inside)
    return drawn, places
