"""One RNA. The oracle is ViennaRNA itself, in a fresh process where its state matters."""

import json
import subprocess
import sys

import numpy as np
import pytest
import RNA

from rnass.errors import ConfigError, ConstraintError, SequenceError
from rnass.rna import BPP_CUTOFF
from rnass.structure import Structure
from rnass.thermodynamics.ensemble import Ensemble
from rnass.thermodynamics.folding import base_pair_probabilities
from rnass.thermodynamics.parameter_sets import OWN_ENERGIES, PARAMETER_SETS

TRNA_PHE = "GCGGAUUUAGCUCAGUUGGGAGAGCGCCAGACUGAAGAUCUGGAGGUCCUGUGUUCGAUCCACAGAAUUCGCACCA"  # 1EHZ
HAIRPIN = "GGGGAAAACCCC"

DIRECTLY = """
import json, sys, RNA
bases, loader, *file = sys.argv[1:]
getattr(RNA, loader)(*file)
compound = RNA.fold_compound(bases)
structure, mfe = compound.mfe()
compound.exp_params_rescale(mfe)
energy = compound.pf()[1]
print(json.dumps([structure, mfe, energy, compound.bpp(), compound.MEA()[0], compound.centroid()[0]]))
"""


LOADERS = {
    "turner2004": ["params_load_RNA_Turner2004"],
    "andronescu2007": ["params_load_RNA_Andronescu2007"],
    "langdon2018": ["params_load_RNA_Langdon2018"],
    "rnass2026": ["params_load", str(OWN_ENERGIES)],
}


@pytest.fixture(autouse=True)
def _turner_2004_stays():
    yield
    assert RNA.fold(TRNA_PHE)[1] == pytest.approx(-22.4)


@pytest.mark.parametrize("name", PARAMETER_SETS)
def test_every_part_agrees_with_viennarna_itself(name):
    loader = LOADERS[name]
    run = [sys.executable, "-c", DIRECTLY, TRNA_PHE, *loader]
    answer = json.loads(subprocess.run(run, capture_output=True, text=True, check=True).stdout)
    structure, mfe, energy, bpp, mea, centroid = answer
    upper = np.array(bpp)[1:, 1:]
    upper[upper < BPP_CUTOFF] = 0

    got = Ensemble(TRNA_PHE, name)
    assert got.mfe_structure.dot_bracket == structure
    assert got.mfe == pytest.approx(mfe)
    assert got.ensemble_energy == pytest.approx(energy)
    assert got.mea.dot_bracket == mea
    assert got.centroid.dot_bracket == centroid
    np.testing.assert_array_equal(got.bpp.dense(), (upper + upper.T).astype(np.float16))


def test_probabilities_are_probabilities():
    matrix = base_pair_probabilities(TRNA_PHE).dense()
    assert matrix.shape == (76, 76)
    assert matrix.dtype == np.float32
    np.testing.assert_array_equal(matrix, matrix.T)
    assert matrix.min() == 0
    assert 0.9 < matrix.sum(0).max() <= 1.001  # float16 rounds each entry
    assert matrix[matrix > 0].min() >= np.float16(BPP_CUTOFF)


def test_sparse_pairs_are_zero_based_and_small():
    pairs = base_pair_probabilities(HAIRPIN)
    assert (pairs.i.dtype, pairs.j.dtype, pairs.p.dtype) == (np.uint16, np.uint16, np.float16)
    assert (pairs.i < pairs.j).all()
    best = pairs.p.argmax()
    assert (pairs.i[best], pairs.j[best]) in {(1, 10), (2, 9)}


@pytest.mark.parametrize("bases", ["A", "GGGG", "NNNNNNNNNNNN"])
def test_nothing_pairs(bases):
    got = Ensemble(bases)
    assert got.mfe == 0
    assert got.mfe_structure == got.mea == got.centroid == Structure(len(bases))
    assert got.bpp.p.size == 0
    assert got.bpp.dense().shape == (len(bases), len(bases))
    assert not got.bpp.dense().any()


def test_n_pairs_with_nothing():
    assert Ensemble("GGGNAAAANCCC").bpp.dense()[[3, 8]].sum() == 0


@pytest.mark.parametrize(
    ("bases", "error", "message"),
    [
        ("", SequenceError, "no bases"),
        ("GGXCC", SequenceError, "'X' at base 3"),
        ("A" * 32_701, SequenceError, "expected at most 32700"),
    ],
)
def test_bad_bases_are_refused(bases, error, message):
    with pytest.raises(error, match=message):
        Ensemble(bases)


@pytest.mark.parametrize("name", PARAMETER_SETS)
@pytest.mark.parametrize("copies", [1, 6])  # 456 bases are scaled, by their minimum only if it is known
def test_probabilities_are_the_same_whatever_is_asked_first(name, copies):
    alone, after = Ensemble(TRNA_PHE * copies, name), Ensemble(TRNA_PHE * copies, name)
    _ = after.mfe
    np.testing.assert_array_equal(alone.bpp.dense(), after.bpp.dense())
    assert alone.ensemble_energy == pytest.approx(after.ensemble_energy, rel=1e-6)


def test_a_partition_function_is_scaled_anew_where_pieces_say_too_little():
    """The halves of a long hairpin pair with each other only."""
    alone, after = (Ensemble("G" * 300 + "AAAA" + "C" * 300) for _ in range(2))
    assert after.mfe < -900
    assert alone._near_minimum > -400
    np.testing.assert_array_equal(alone.bpp.dense(), after.bpp.dense())


@pytest.mark.parametrize("name", PARAMETER_SETS)
@pytest.mark.parametrize("stem", [98, 200])  # without and with weights rescaled by its own energy
def test_the_stablest_rnas_do_not_overflow(stem, name):
    got = Ensemble("G" * stem + "AAAA" + "C" * stem, name)
    assert got.mfe - 50 < got.ensemble_energy <= got.mfe
    assert np.isfinite(got.bpp.dense()).all()


class TestConstraint:
    def test_unpaired_base(self):
        got = Ensemble(HAIRPIN, constraint="x...........")
        assert got.mfe_structure.dot_bracket == ".(((....)))."
        assert got.bpp.dense()[0].sum() == 0

    def test_pair_holds_even_if_it_costs(self):
        got = Ensemble("A" * 12, constraint="((((....))))")
        assert got.mfe_structure.dot_bracket == "((((....))))"
        assert got.mfe > 0

    @pytest.mark.parametrize("line", ["<", "......<", ".................>", "<<", "...>", ">", "...|"])
    def test_the_ensemble_is_of_the_structures_that_obey_it(self, line):
        """The oracle weighs each of all structures by its energy, which ViennaRNA smoothes a little."""
        bases = "GGCAAAGCCAGGAAACUUGC"
        line = line.ljust(len(bases), ".")

        def obeys(structure):
            partners = np.array(Structure.from_dot_bracket(structure).partners)
            here = np.arange(len(bases))
            downstream, paired = partners > here, partners >= 0
            allowed = {"<": downstream, ">": paired & ~downstream, "|": paired}
            return all(allowed[s][k] for k, s in enumerate(line) if s in allowed)

        every = RNA.fold_compound(bases).subopt(5000)
        chosen = [(one.structure, one.energy) for one in every if obeys(one.structure)]
        got = Ensemble(bases, constraint=line)
        if not chosen:
            with pytest.raises(ConstraintError, match="no structure obeys it"):
                _ = got.mfe
            return
        energies = np.array([energy for _, energy in chosen])
        weights = np.exp(-energies / (RNA.GASCONST * (37 + RNA.K0) / 1000))
        wanted = np.zeros((len(bases), len(bases)))
        for (structure, _), weight in zip(chosen, weights / weights.sum(), strict=True):
            pairs = Structure.from_dot_bracket(structure).pairs
            wanted[pairs[:, 0], pairs[:, 1]] += weight
        assert got.mfe == pytest.approx(energies.min(), abs=1e-4)
        np.testing.assert_allclose(np.triu(got.bpp.dense()), wanted, atol=0.01)

    def test_impossible(self):
        with pytest.raises(ConstraintError, match="no structure obeys it"):
            _ = Ensemble("A" * 12, constraint="|" + "." * 11).bpp

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("....", "4 symbols; expected 12"),
            ("....?.......", r"'\?' at base 5"),
            ("((..........", "base 2 is never closed"),
        ],
    )
    def test_unreadable(self, line, message):
        with pytest.raises(ConstraintError, match=message):
            Ensemble(HAIRPIN, constraint=line)


class TestReactivities:
    @pytest.mark.parametrize("missing", [np.nan, -999])
    def test_missing_values_change_nothing(self, missing):
        got = Ensemble(HAIRPIN, reactivities=np.full(12, missing))
        assert got.mfe == pytest.approx(-5.4)

    @pytest.mark.parametrize(("base", "stacks"), [(0, 1), (1, 2), (3, 1), (4, 0), (11, 1)])
    def test_deigan_energy_of_one_base(self, base, stacks):
        reactivities = np.full(12, np.nan)
        reactivities[base] = 1.0
        per_stack = round(1.8 * np.log(2) - 0.6, 2)  # Deigan 2009, once for each stack the base is in
        got = Ensemble(HAIRPIN, reactivities=reactivities)
        compound = RNA.fold_compound(HAIRPIN)
        assert compound.eval_structure("((((....))))") == pytest.approx(-5.4)
        assert got._compound.eval_structure("((((....))))") == pytest.approx(
            -5.4 + stacks * per_stack, abs=0.011
        )

    @pytest.mark.parametrize("unreactive", [0, -0.05])
    def test_unreactive_is_not_missing(self, unreactive):
        zero = Ensemble(HAIRPIN, reactivities=np.full(12, unreactive))
        assert zero.mfe == pytest.approx(-5.4 - 0.6 * 12)  # three stacks of four bases

    def test_wrong_length(self):
        with pytest.raises(ConfigError, match=r"shape \(3,\); expected \(12,\)"):
            Ensemble(HAIRPIN, reactivities=[0.1, 0.2, 0.3])


def test_forbidden_pairs_are_not_formed():
    free = Ensemble(HAIRPIN).mfe_structure
    bound = Ensemble(HAIRPIN, forbidden=[(1, 10)])
    assert (1, 10) in map(tuple, free.pairs)
    assert bound.bpp.dense()[1, 10] == 0
    assert bound.mfe_structure.dot_bracket == "(((.....)))."  # the others stay free to form


def test_torch_is_not_imported():
    run = [
        sys.executable,
        "-c",
        "import rnass.thermodynamics.folding, sys; print('torch' in sys.modules)",
    ]
    assert subprocess.run(run, capture_output=True, text=True, check=True).stdout == "False\n"
