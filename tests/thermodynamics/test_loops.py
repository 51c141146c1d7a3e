"""What loops read of the tables. The oracle is ViennaRNA: for any structure, tables times counts must be
the energy that it evaluates, to the hundredth that it rounds long loops to."""

import numpy as np
import pytest
import RNA

from rnass.errors import StructureError
from rnass.structure import Structure
from rnass.thermodynamics.energies import Energies
from rnass.thermodynamics.loops import TABLES, count_loops, offsets

TURNER = Energies.from_text(RNA.parameter_set_rna_turner2004)
TRNA = (
    "GCGGAUUUAGCUCAGUUGGGAGAGCGCCAGACUGAAGAUCUGGAGGUCCUGUGUUCGAUCCACAGAAUUCGCACCA",  # PDB 1EHZ
    "(((((((..((((........)))).(((((.......)))))....(((((.......))))))))))))....",
)


def evaluated(bases, dot_bracket):
    return RNA.fold_compound(bases).eval_structure(dot_bracket)


def from_tables(bases, dot_bracket):
    return TURNER.energy(TURNER.count(bases, Structure.from_dot_bracket(dot_bracket)))


@pytest.mark.parametrize("length", [20, 60, 150, 300])
def test_tables_times_counts_are_the_energy_of_drawn_structures(length):
    rng = np.random.default_rng(length)
    bases = "".join(rng.choice(list("ACGU"), length))
    model = RNA.md()
    model.uniq_ML = 1
    compound = RNA.fold_compound(bases, model)
    compound.pf()
    for dot_bracket in {*compound.pbacktrack(50)}:
        assert from_tables(bases, dot_bracket) == pytest.approx(evaluated(bases, dot_bracket), abs=0.011)


@pytest.mark.parametrize(
    ("bases", "dot_bracket"),
    [
        (TRNA[0], TRNA[1] + "." * (len(TRNA[0]) - len(TRNA[1]))),
        ("GGGG" + "A" * 45 + "CCCC", "((((" + "." * 45 + "))))"),  # hairpin of more than 30 bases
        ("GGGG" + "A" * 40 + "GGGAAAACCCCCCC", "((((" + "." * 40 + "(((....)))))))"),  # such a bulge
        (
            "GGG" + "A" * 20 + "GGGAAAACCC" + "A" * 20 + "CCC",
            "(((" + "." * 20 + "(((....)))" + "." * 20 + ")))",
        ),
        ("GGCUUCGGCC", "(((....)))"),  # tetraloop with an energy of its own
        ("GCAACGC", "((...))"),  # triloop
        ("GACAGUGCUC", "((......))"),  # hexaloop
        ("UGAAAAUA", "((....))"),
        ("GGAACGAAAGCAAAACC", "((..((...))....))"),  # interior loop of 2 x 4
        ("GGACGAAAGCAAAACC", "((.((...))....))"),  # 1 x 4
        ("GGAACGAAAGCAAACC", "((..((...))...))"),  # 2 x 3
        ("GGAACGAAAGCACC", "((..((...)).))"),  # 2 x 1
        ("GGACGAAAGCAACC", "((.((...))..))"),  # 1 x 2
        ("GGNACGAAAGCACC", "((..((...)).))"),  # an N in a loop
    ],
)
def test_every_kind_of_loop_is_read_as_viennarna_reads_it(bases, dot_bracket):
    assert from_tables(bases, dot_bracket) == pytest.approx(evaluated(bases, dot_bracket), abs=0.011)


def test_counts_of_a_hairpin():
    counts = count_loops("GGGAAAACCC", Structure.from_dot_bracket("(((....)))"), {}, 5)
    begin = offsets()
    gc = 1  # G-C
    assert sorted(counts.entry.tolist()) == sorted(
        [
            begin["stack"] + gc * 7 + 0,  # seen from the other side the next pair is C-G
            begin["stack"] + gc * 7 + 0,
            begin["hairpin"] + 4,
            begin["mismatch_hairpin"] + gc * 25 + 1 * 5 + 1,
        ]
    )
    assert counts.times.tolist() == [1] * 4
    assert counts.beyond == 0


def test_tables_lie_one_after_the_other():
    begin = offsets()
    assert list(begin) == [*TABLES, "special"]
    assert begin["stack"] == 0
    assert begin["mismatch_hairpin"] == 49
    assert len(TURNER.values) == begin["special"] + len(TURNER.hairpins)


def test_crossing_pairs_have_no_energy():
    knot = Structure.from_dot_bracket("((((..[[[[))))....]]]]")
    with pytest.raises(StructureError, match="pairs cross; expected nested ones"):
        TURNER.count("G" * 22, knot)
