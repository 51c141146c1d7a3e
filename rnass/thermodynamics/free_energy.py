"""The free energy of a given structure."""

import RNA

from rnass.errors import StructureError, counted
from rnass.rna import Rna
from rnass.structure import Structure
from rnass.thermodynamics.conditions import STANDARD, Conditions
from rnass.thermodynamics.parameter_sets import DEFAULT_PARAMETERS, scaled

__all__ = ["IMPOSSIBLE", "energy"]

IMPOSSIBLE = RNA.INF / 100
"""The least energy, in kcal/mol, of a structure that the model or a constraint excludes."""


def energy(bases: str, structure: Structure, conditions: Conditions = STANDARD) -> float:
    """The free energy of a structure with the default parameters, in kcal/mol.

    Energy models know loops only: pairs of a pseudoknot (order 1 and more) are left out. Pairs that are
    not canonical have the least favourable terms of the model.

    Args:
        bases: 5' to 3'; two strands as `A&B`.
        structure: of those bases.
        conditions: at which they fold.

    Raises:
        SequenceError: a letter that is no base, or none at all.
        StructureError: a structure of another length.
    """
    rna = Rna.from_text(bases)
    if len(structure) != len(rna):
        raise StructureError(f"structure: {counted(len(structure), 'base')}; expected {len(rna)}")
    model, parameters, _ = scaled(DEFAULT_PARAMETERS, conditions=conditions)
    compound = RNA.fold_compound(rna.text, model, RNA.OPTION_EVAL_ONLY)
    compound.params_subst(parameters)
    found = compound.eval_structure(structure.up_to_order(0).dot_bracket)
    return round(float(found), 2)  # all that its energies have; of a long RNA more is float32's
