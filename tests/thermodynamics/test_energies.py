"""Energy tables: read, written, shifted. ViennaRNA must read what is written, and evaluate it alike."""

import math

import numpy as np
import pytest
import RNA

from rnass.structure import Structure
from rnass.thermodynamics import parameter_sets
from rnass.thermodynamics.energies import Energies
from rnass.thermodynamics.loops import TABLES, offsets
from rnass.thermodynamics.parameters import Parameters

TURNER = Energies.from_text(parameter_sets.TURNER_2004)
KNOWN = Parameters.of(TURNER)
SEEN = "GGGAAAUCCGAAAGGACCAUUUCCCGAACGUAAGUUC"


@pytest.fixture
def loaded():
    """Loads a parameter file into ViennaRNA's process-wide tables, which are put back."""
    yield lambda text: parameter_sets._load(text, "test")
    parameter_sets._load(parameter_sets.TURNER_2004, "turner2004")


def part(values, table):
    return values[offsets()[table] :][: math.prod(TABLES[table])].reshape(TABLES[table])


def test_reading_finds_the_published_values():
    # Turner 2004, NNDB: 5'-GG-3' over 3'-CC-5' -3.3, a hairpin of 4 bases 5.6, an end in A-U 0.5
    assert part(TURNER.values, "stack")[1, 0] == -330
    assert part(TURNER.values, "hairpin")[4] == 560
    assert part(TURNER.values, "Misc")[0] == 50
    assert TURNER.values[offsets()["special"] + TURNER.hairpins.index("CUUCGG")] == 370


def test_what_is_written_reads_back_the_same():
    again = Energies.from_text(TURNER.text("a comment"))
    assert np.array_equal(again.values, TURNER.values)
    assert (again.hairpins, again.triple_c, again.duplex) == (
        TURNER.hairpins,
        TURNER.triple_c,
        TURNER.duplex,
    )


def test_viennarna_reads_what_is_written(loaded, tmp_path):
    before = RNA.fold_compound(SEEN).mfe()
    loaded(TURNER.text())
    RNA.params_save(str(tmp_path / "saved.par"))
    saved = Energies.from_text((tmp_path / "saved.par").read_text())
    assert np.array_equal(saved.values, TURNER.values)
    assert RNA.fold_compound(SEEN).mfe() == before


@pytest.mark.parametrize("seed", range(3))
def test_viennarna_evaluates_shifted_energies_as_the_tables_say(loaded, seed):
    rng = np.random.default_rng(seed)
    shifted = TURNER.shifted(KNOWN.ties @ rng.normal(0, 0.3, len(KNOWN.names)))
    rounded = Energies.from_text(shifted.text())
    loaded(shifted.text())
    model = RNA.md()
    model.uniq_ML = 1
    bases = "".join(rng.choice(list("ACGU"), 120))
    compound = RNA.fold_compound(bases, model)
    compound.pf()
    for dot_bracket in {*compound.pbacktrack(30)}:
        counts = rounded.count(bases, Structure.from_dot_bracket(dot_bracket))
        assert rounded.energy(counts) == pytest.approx(compound.eval_structure(dot_bracket), abs=0.011)


def test_a_parameter_moves_both_strands_views_of_a_stack():
    by = np.zeros(len(KNOWN.names))
    by[KNOWN.names.index("stack AU GC")] = 0.5
    moved = np.argwhere(part(TURNER.shifted(KNOWN.ties @ by).values - TURNER.values, "stack"))
    assert moved.tolist() == [[1, 4], [4, 1]]  # GC with AU, AU with GC


def test_lengths_between_two_knots_have_of_both():
    by = np.zeros(len(KNOWN.names))
    by[KNOWN.names.index("hairpin 9")] = 1.0
    moved = part(TURNER.shifted(KNOWN.ties @ by).values - TURNER.values, "hairpin")
    shares = [1 - math.log(size / 9) / math.log(12 / 9) for size in (9, 10, 11, 12)]
    assert moved[8:14] == pytest.approx([0, *(100 * share for share in shares), 0])


def test_nothing_makes_a_bonus_a_penalty_or_an_impossible_loop_possible():
    shifted = TURNER.shifted(np.full(len(TURNER.values), 5.0))
    for table in ("mismatch_multi", "mismatch_exterior", "dangle5", "dangle3"):
        assert part(shifted.values, table).max() <= max(0, part(TURNER.values, table).max())
    assert part(shifted.values, "hairpin")[:3].tolist() == part(TURNER.values, "hairpin")[:3].tolist()
    assert "INF" in shifted.text()


def test_every_entry_of_known_bases_and_pairs_has_a_parameter():
    tied = np.asarray(KNOWN.ties.sum(1)) > 0
    assert part(tied, "stack")[:6, :6].all()
    assert part(tied, "mismatch_hairpin")[:6, 1:, 1:].all()
    assert not part(tied, "mismatch_hairpin")[6].any()  # a pair that is none
    assert not part(tied, "mismatch_hairpin")[:, 0].any()  # N
    assert part(tied, "int22").all()
    assert part(tied, "internal")[4:].all()
    assert part(tied, "bulge")[1:].all()
