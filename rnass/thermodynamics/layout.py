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
    no RNA can form; those are drawn by NAView (Bruccoleri & Heinrich 1988,
    doi:10.1093/bioinformatics/4.1.167).
    """
    nested = structure.up_to_order(0)
    if not len(nested):
        return np.zeros((0, 2))
    loops = nested.pairs[:, 1] - nested.pairs[:, 0] - 1
    tight = loops.min(initial=MIN_HAIRPIN) < MIN_HAIRPIN
    with GLOBAL_STATE:
        before = RNA.cvar.rna_plot_type
        RNA.cvar.rna_plot_type = RNA.PLOT_TYPE_NAVIEW if tight else RNA.PLOT_TYPE_PUZZLER
        try:
            points = RNA.get_xy_coordinates(nested.dot_bracket)
        finally:
            RNA.cvar.rna_plot_type = before
    return np.array([(points.get(k).X, points.get(k).Y) for k in range(len(nested))], dtype=np.float64)
