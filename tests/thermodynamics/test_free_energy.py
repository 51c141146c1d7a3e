"""The energy of a structure. The oracle is ViennaRNA itself."""

import pytest
import RNA

from rnass.errors import SequenceError, StructureError
from rnass.structure import Structure
from rnass.thermodynamics.ensemble import Ensemble
from rnass.thermodynamics.free_energy import energy

TRNA_PHE = "GCGGAUUUAGCUCAGUUGGGAGAGCGCCAGACUGAAGAUCUGGAGGUCCUGUGUUCGAUCCACAGAAUUCGCACCA"  # 1EHZ
CLOVERLEAF = "(((((((..((((........)))).(((((.......))))).....(((((.......))))))))))))...."
HAIRPIN = "GGGGAAAACCCC"


def test_energy_of_a_structure_is_what_viennarna_says():
    assert energy(TRNA_PHE, Structure.from_dot_bracket(CLOVERLEAF)) == pytest.approx(-22.4)
    Ensemble(TRNA_PHE, "langdon2018").mfe  # noqa: B018 - other parameters must not stay
    compound = RNA.fold_compound(TRNA_PHE)
    for dot_bracket in (
        "." * 76,
        "((((" + "." * 64 + "))))....",
        "." * 27 + "(((((.......)))))" + "." * 32,
    ):
        expected = compound.eval_structure(dot_bracket)
        assert energy(TRNA_PHE, Structure.from_dot_bracket(dot_bracket)) == pytest.approx(expected)


def test_energy_leaves_pseudoknots_out_and_takes_any_base():
    knot = Structure.from_dot_bracket("((((..[[..))))..]]")
    nested = Structure.from_dot_bracket("((((......))))....")
    bases = "gggcAANNAAGCCCttNN"
    assert energy(bases, knot) == energy(bases, nested) < 0


def test_energy_of_what_does_not_fit_is_refused():
    with pytest.raises(StructureError, match="structure: 11 bases; expected 12"):
        energy(HAIRPIN, Structure(11))
    with pytest.raises(SequenceError, match="'X' at base 2"):
        energy("GXC", Structure(3))
