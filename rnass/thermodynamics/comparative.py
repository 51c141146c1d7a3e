"""The comparative ensemble of an alignment: RNAalifold with RIBOSUM scores of covariation.

Bernhart et al. 2008, doi:10.1186/1471-2105-9-474. Energies are means over the rows, in kcal/mol at 37 C.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import RNA

from rnass.errors import ConstraintError, StructureError
from rnass.structure import Structure
from rnass.thermodynamics.base_pairs import BasePairProbabilities, pairs_of
from rnass.thermodynamics.second_fold import bases_of_first

__all__ = ["ConsensusFold", "fold_alignment"]

_COVARIATION = 0.6  # weight of the covariation term beside the energies, of Bernhart et al. 2008,
_PENALTY = 0.5  # and of rows that cannot form a pair


@dataclass(frozen=True, eq=False)
class ConsensusFold:
    """RNAalifold's results for an alignment of C columns.

    Attributes:
        mfe: of the consensus structure, in kcal/mol per row, covariation counted in.
        mfe_structure: C columns.
        bpp: base-pair probabilities of the columns.
        second_bpp: those once the columns of the first structure pair no more: what then pairs may cross
            it, see `rnass.thermodynamics.second_fold`.
    """

    mfe: float
    mfe_structure: Structure
    bpp: BasePairProbabilities
    second_bpp: BasePairProbabilities


def fold_alignment(rows: Sequence[str]) -> ConsensusFold:
    """Fold aligned rows together.

    Args:
        rows: of equal length C, over ACGUN and `-`, at least one.

    Raises:
        StructureError: no rows, or rows of unequal lengths.
        ConstraintError: ViennaRNA finds no structure.
    """
    if not rows or len(set(map(len, rows))) > 1:
        raise StructureError("alignment: no rows, or of unequal lengths; expected rows of one length")
    dot_bracket, mfe, bpp = _fold(rows)
    taken = bases_of_first(bpp)
    second = _fold(rows, taken)[2] if taken else bpp
    return ConsensusFold(mfe, Structure.from_dot_bracket(dot_bracket), bpp, second)


def _fold(rows: Sequence[str], unpaired: Sequence[int] = ()) -> tuple[str, float, BasePairProbabilities]:
    """The consensus in dot-bracket, its energy, the base-pair probabilities; some columns unpaired."""
    model = RNA.md()  # energies are the tables of the process, which stay those of Turner 2004
    model.ribo, model.cv_fact, model.nc_fact = 1, _COVARIATION, _PENALTY
    compound = RNA.fold_compound(list(rows), model)
    for column in unpaired:
        compound.hc_add_up(column + 1)
    dot_bracket, mfe = compound.mfe()
    if mfe >= RNA.INF / 100:
        raise ConstraintError("alignment: no structure; expected one that some columns can form")
    compound.exp_params_rescale(mfe)
    compound.pf()
    bpp = BasePairProbabilities.from_pairs(len(rows[0]), pairs_of(compound))
    return dot_bracket, float(mfe), bpp
