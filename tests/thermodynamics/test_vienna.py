"""The oracle is ViennaRNA itself, called directly, in a fresh process where its state matters."""

import itertools
import json
import multiprocessing
import subprocess
import sys

import numpy as np
import pytest
import RNA

from rnass.errors import ConfigError, ConstraintError, SequenceError, StructureError, WorkerError
from rnass.structure import Structure
from rnass.thermodynamics import vienna

TRNA_PHE = "GCGGAUUUAGCUCAGUUGGGAGAGCGCCAGACUGAAGAUCUGGAGGUCCUGUGUUCGAUCCACAGAAUUCGCACCA"  # 1EHZ
CLOVERLEAF = "(((((((..((((........)))).(((((.......))))).....(((((.......))))))))))))...."
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
    "rnass2026": ["params_load", str(vienna.OWN_ENERGIES)],
}


@pytest.fixture(autouse=True)
def _turner_2004_stays():
    yield
    assert RNA.fold(TRNA_PHE)[1] == pytest.approx(-22.4)


@pytest.mark.parametrize("name", vienna.PARAMETER_SETS)
def test_every_part_agrees_with_viennarna_itself(name):
    loader = LOADERS[name]
    run = [sys.executable, "-c", DIRECTLY, TRNA_PHE, *loader]
    answer = json.loads(subprocess.run(run, capture_output=True, text=True, check=True).stdout)
    structure, mfe, energy, bpp, mea, centroid = answer
    upper = np.array(bpp)[1:, 1:]
    upper[upper < vienna.CUTOFF] = 0

    got = vienna.Ensemble(TRNA_PHE, name)
    assert got.mfe_structure.dot_bracket == structure
    assert got.mfe == pytest.approx(mfe)
    assert got.ensemble_energy == pytest.approx(energy)
    assert got.mea.dot_bracket == mea
    assert got.centroid.dot_bracket == centroid
    np.testing.assert_array_equal(got.probabilities, (upper + upper.T).astype(np.float16))


def test_known_energies_of_trna_phe():
    energies = [round(vienna.Ensemble(TRNA_PHE, name).mfe, 2) for name in vienna.PARAMETER_SETS]
    # RNAfold 2.7.2, --paramFile for all but the first
    assert energies == [-22.4, -21.65, -24.7, -22.49]
    assert vienna.Ensemble(TRNA_PHE).mfe_structure.dot_bracket == CLOVERLEAF


def test_a_parameter_set_takes_effect_after_another_was_used():
    for name, mfe in 2 * [("langdon2018", -24.7), ("turner2004", -22.4), ("andronescu2007", -21.65)]:
        assert RNA.fold(TRNA_PHE)[1] == pytest.approx(-22.4)
        vienna._energies.cache_clear()
        assert vienna.Ensemble(TRNA_PHE, name).mfe == pytest.approx(mfe)


def test_probabilities_are_probabilities():
    matrix = vienna.base_pair_probabilities(TRNA_PHE).dense()
    assert matrix.shape == (76, 76)
    assert matrix.dtype == np.float32
    np.testing.assert_array_equal(matrix, matrix.T)
    assert matrix.min() == 0
    assert 0.9 < matrix.sum(0).max() <= 1.001  # float16 rounds each entry
    assert matrix[matrix > 0].min() >= np.float16(vienna.CUTOFF)


def test_sparse_pairs_are_zero_based_and_small():
    pairs = vienna.base_pair_probabilities(HAIRPIN)
    assert (pairs.i.dtype, pairs.j.dtype, pairs.p.dtype) == (np.uint16, np.uint16, np.float16)
    assert (pairs.i < pairs.j).all()
    best = pairs.p.argmax()
    assert (pairs.i[best], pairs.j[best]) in {(1, 10), (2, 9)}


@pytest.mark.parametrize("bases", ["A", "GGGG", "NNNNNNNNNNNN"])
def test_nothing_pairs(bases):
    got = vienna.Ensemble(bases)
    assert got.mfe == 0
    assert got.mfe_structure == got.mea == got.centroid == Structure(len(bases))
    assert got.base_pairs.p.size == 0
    assert got.probabilities.shape == (len(bases), len(bases))
    assert not got.probabilities.any()


def test_energy_of_a_structure_is_what_viennarna_says():
    assert vienna.energy(TRNA_PHE, Structure.from_dot_bracket(CLOVERLEAF)) == pytest.approx(-22.4)
    vienna.Ensemble(TRNA_PHE, "langdon2018").mfe  # noqa: B018 - other parameters must not stay
    compound = RNA.fold_compound(TRNA_PHE)
    for dot_bracket in (
        "." * 76,
        "((((" + "." * 64 + "))))....",
        "." * 27 + "(((((.......)))))" + "." * 32,
    ):
        expected = compound.eval_structure(dot_bracket)
        assert vienna.energy(TRNA_PHE, Structure.from_dot_bracket(dot_bracket)) == pytest.approx(
            expected
        )


def test_energy_leaves_pseudoknots_out_and_takes_any_base():
    knot = Structure.from_dot_bracket("((((..[[..))))..]]")
    nested = Structure.from_dot_bracket("((((......))))....")
    bases = "gggcAANNAAGCCCttNN"
    assert vienna.energy(bases, knot) == vienna.energy(bases, nested) < 0


def test_energy_of_what_does_not_fit_is_refused():
    with pytest.raises(StructureError, match="structure: 11 bases; expected 12"):
        vienna.energy(HAIRPIN, Structure(11))
    with pytest.raises(SequenceError, match="'X' at base 2"):
        vienna.energy("GXC", Structure(3))


def test_n_pairs_with_nothing():
    assert vienna.Ensemble("GGGNAAAANCCC").probabilities[[3, 8]].sum() == 0


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
        vienna.Ensemble(bases)


def test_an_unknown_parameter_set_is_refused():
    with pytest.raises(ConfigError, match="'turner1999' is unknown; expected one of turner2004"):
        vienna.Ensemble(HAIRPIN, "turner1999")


@pytest.mark.parametrize("name", vienna.PARAMETER_SETS)
def test_probabilities_are_the_same_whatever_is_asked_first(name):
    alone, after = vienna.Ensemble(TRNA_PHE, name), vienna.Ensemble(TRNA_PHE, name)
    _ = after.mfe
    np.testing.assert_array_equal(alone.probabilities, after.probabilities)
    assert alone.ensemble_energy == after.ensemble_energy


@pytest.mark.parametrize("name", vienna.PARAMETER_SETS)
@pytest.mark.parametrize("stem", [98, 250])  # without and with weights rescaled by its own energy
def test_the_stablest_rnas_do_not_overflow(stem, name):
    got = vienna.Ensemble("G" * stem + "AAAA" + "C" * stem, name)
    assert got.mfe - 50 < got.ensemble_energy <= got.mfe
    assert np.isfinite(got.probabilities).all()


class TestConstraint:
    def test_unpaired_base(self):
        got = vienna.Ensemble(HAIRPIN, constraint="x...........")
        assert got.mfe_structure.dot_bracket == ".(((....)))."
        assert got.probabilities[0].sum() == 0

    def test_pair_holds_even_if_it_costs(self):
        got = vienna.Ensemble("A" * 12, constraint="((((....))))")
        assert got.mfe_structure.dot_bracket == "((((....))))"
        assert got.mfe > 0

    def test_direction(self):
        free = vienna.Ensemble(HAIRPIN, constraint="<...........")
        assert free.mfe_structure.dot_bracket == "((((....))))"
        turned = vienna.Ensemble(HAIRPIN, constraint=">" + "." * 11)
        assert turned.mfe_structure.partners[0] == -1

    def test_impossible(self):
        with pytest.raises(ConstraintError, match="no structure obeys it"):
            _ = vienna.Ensemble("A" * 12, constraint="|" + "." * 11).base_pairs

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
            vienna.Ensemble(HAIRPIN, constraint=line)


class TestReactivities:
    @pytest.mark.parametrize("missing", [np.nan, -999])
    def test_missing_values_change_nothing(self, missing):
        got = vienna.Ensemble(HAIRPIN, reactivities=np.full(12, missing))
        assert got.mfe == pytest.approx(-5.4)

    @pytest.mark.parametrize(("base", "stacks"), [(0, 1), (1, 2), (3, 1), (4, 0), (11, 1)])
    def test_deigan_energy_of_one_base(self, base, stacks):
        reactivities = np.full(12, np.nan)
        reactivities[base] = 1.0
        per_stack = round(1.8 * np.log(2) - 0.6, 2)  # Deigan 2009, once for each stack the base is in
        got = vienna.Ensemble(HAIRPIN, reactivities=reactivities)
        compound = RNA.fold_compound(HAIRPIN)
        assert compound.eval_structure("((((....))))") == pytest.approx(-5.4)
        assert got._compound.eval_structure("((((....))))") == pytest.approx(
            -5.4 + stacks * per_stack, abs=0.011
        )

    @pytest.mark.parametrize("unreactive", [0, -0.05])
    def test_unreactive_is_not_missing(self, unreactive):
        zero = vienna.Ensemble(HAIRPIN, reactivities=np.full(12, unreactive))
        assert zero.mfe == pytest.approx(-5.4 - 0.6 * 12)  # three stacks of four bases

    def test_wrong_length(self):
        with pytest.raises(ConfigError, match=r"shape \(3,\); expected \(12,\)"):
            vienna.Ensemble(HAIRPIN, reactivities=[0.1, 0.2, 0.3])


class TestMany:
    RNAS = (TRNA_PHE, "A", HAIRPIN, "GGGNNNNCCC", "GCGCAAAAGCGC") * 5
    SETS = ("andronescu2007", "turner2004")

    def test_the_same_in_other_processes_and_in_order(self):
        here = list(vienna.fold_many(self.RNAS, parameters=self.SETS, baseline=True))
        there = list(vienna.fold_many(self.RNAS, parameters=self.SETS, baseline=True, processes=2))
        assert [len(one.mfe_structure) for one in there] == [len(bases) for bases in self.RNAS]
        for a, b in zip(here, there, strict=True):
            assert (a.mfe, a.mfe_structure) == (b.mfe, b.mfe_structure)
            assert (a.mea, a.centroid) == (b.mea, b.centroid)
            for x, y in zip(a.base_pairs, b.base_pairs, strict=True):
                np.testing.assert_array_equal(x.dense(), y.dense())

    def test_sets_stand_in_the_order_asked_for(self):
        got = vienna.fold(TRNA_PHE, parameters=self.SETS)
        for name, pairs in zip(self.SETS, got.base_pairs, strict=True):
            np.testing.assert_array_equal(
                pairs.dense(), vienna.base_pair_probabilities(TRNA_PHE, name).dense()
            )
        assert got.mea is got.centroid is None

    def test_nothing_asked_for_but_the_mfe(self, monkeypatch):
        def no_partition_function(_):
            raise AssertionError

        monkeypatch.setattr(RNA.fold_compound, "pf", no_partition_function)
        assert vienna.fold(HAIRPIN, parameters=()).mfe == pytest.approx(-5.4)

    @pytest.mark.parametrize("name", vienna.PARAMETER_SETS)
    def test_annotations_are_what_a_prediction_uses(self, name):
        (annotated,) = vienna.annotate([TRNA_PHE], parameters=name, processes=1)
        (used,) = vienna.fold(TRNA_PHE, parameters=[name]).base_pairs
        np.testing.assert_array_equal(annotated.dense(), used.dense())

    @pytest.mark.parametrize("processes", [0, 1])
    def test_reads_no_further_than_needed_and_can_be_left(self, processes):
        taken = []

        def endless():
            while True:
                taken.append(HAIRPIN)
                yield HAIRPIN

        answers = vienna.annotate(endless(), processes=processes)
        next(answers)
        next(answers)
        answers.close()
        assert len(taken) <= 2 + 128 * processes

    @pytest.mark.parametrize("processes", [0, 1])
    def test_an_error_comes_out_as_itself(self, processes):
        answers = vienna.annotate([HAIRPIN, "GGXCC"], processes=processes)
        with pytest.raises(SequenceError, match="'X' at base 3"):
            list(answers)

    def test_a_killed_worker_is_named_as_such(self):
        answers = vienna.annotate(itertools.repeat(HAIRPIN), processes=1)
        next(answers)
        (worker,) = multiprocessing.active_children()
        worker.kill()
        with pytest.raises(WorkerError, match="a worker process was killed, most likely as memory ran"):
            list(itertools.islice(answers, 100))


class TestLayout:
    @pytest.mark.parametrize("dot_bracket", [".", "...", "()", "(.)", "((...))", CLOVERLEAF])
    def test_one_finite_point_for_each_base(self, dot_bracket):
        points = vienna.layout(Structure.from_dot_bracket(dot_bracket))
        assert points.shape == (len(dot_bracket), 2)
        assert np.isfinite(points).all()
        assert len(np.unique(points.round(3), axis=0)) == len(dot_bracket)

    def test_empty(self):
        assert vienna.layout(Structure(0)).shape == (0, 2)

    def test_pairs_lie_closer_than_the_loop_is_wide(self):
        structure = Structure.from_dot_bracket(CLOVERLEAF)
        points = vienna.layout(structure)
        i, j = structure.pairs.T
        widths = np.linalg.norm(points[i] - points[j], axis=1)
        assert widths.max() < 1.2 * widths.min()
        assert np.linalg.norm(points[15] - points[57]) > 2 * widths.max()  # D loop and T loop

    def test_crossing_pairs_do_not_shape_it(self):
        crossed = Structure.from_dot_bracket("((((..[[[[..))))..]]]].")
        nested = crossed.up_to_order(0)
        np.testing.assert_array_equal(vienna.layout(crossed), vienna.layout(nested))


class TestTwoStrands:
    DIMER = "GGAGCAGGAAAC&GACCUGCUCC"

    def test_as_viennarna_folds_them(self):
        compound = RNA.fold_compound(self.DIMER)
        dot_bracket, mfe = compound.mfe()
        found = vienna.Ensemble(self.DIMER)
        assert (found.mfe_structure.dot_bracket, found.mfe) == (dot_bracket, pytest.approx(mfe))
        assert vienna.energy(self.DIMER, found.mfe_structure) == pytest.approx(mfe, abs=0.01)
        compound.exp_params_rescale(mfe)
        compound.pf()
        bpp = np.array(compound.bpp())[1:, 1:]
        np.testing.assert_allclose(
            np.triu(found.probabilities), np.where(bpp < vienna.CUTOFF, 0, bpp), atol=1e-3
        )

    def test_hairpins_do_not_bind_across_the_nick(self):
        assert vienna.Ensemble("GGGG&CCCC").mfe_structure.dot_bracket == "(((())))"

    def test_constraints_and_reactivities_count_bases_through(self):
        line = "x" + "." * 20 + "x"
        assert vienna.Ensemble(self.DIMER, constraint=line).mfe_structure.partners[0] < 0
        values = np.full(22, -999.0)
        values[:3] = 5.0
        shy = vienna.Ensemble(self.DIMER, reactivities=values)
        assert shy.probabilities[1].sum() < vienna.Ensemble(self.DIMER).probabilities[1].sum() - 0.5


def test_forbidden_pairs_are_not_formed():
    free = vienna.Ensemble(HAIRPIN).mfe_structure
    bound = vienna.Ensemble(HAIRPIN, forbidden=[(1, 10)])
    assert (1, 10) in map(tuple, free.pairs)
    assert bound.probabilities[1, 10] == 0
    assert bound.mfe_structure.dot_bracket == "(((.....)))."  # the others stay free to form


class TestSample:
    def test_structures_come_as_often_as_their_pairs_are_probable(self):
        (drawn,) = vienna.sample([TRNA_PHE], vienna.TURNER_2004, 2000, seed=1)
        found = np.zeros((76, 76))
        for structure in drawn.structures:
            found[tuple(structure.pairs.T)] += 1 / 2000
        expected = np.triu(vienna.Ensemble(TRNA_PHE).probabilities)
        np.testing.assert_allclose(found, expected, atol=0.05)
        np.testing.assert_allclose(np.triu(drawn.base_pairs.dense()), expected, atol=1e-3)
        whole = vienna.Ensemble(TRNA_PHE).ensemble_energy
        assert drawn.ensemble_energy == pytest.approx(whole, abs=1e-3)

    def test_a_seed_gives_the_same_structures_and_another_one_others(self):
        def drawn(seed):
            (one, two) = vienna.sample([TRNA_PHE, TRNA_PHE], vienna.TURNER_2004, 20, seed)
            return one.structures, two.structures

        first = drawn(1)
        assert drawn(1) == first
        assert drawn(2) != first
        assert first[0] != first[1]

    def test_energies_are_those_given(self):
        own = vienna.OWN_ENERGIES.read_text()
        (given,) = vienna.sample([TRNA_PHE], own, 0, seed=1)
        assert given.structures == ()
        assert given.ensemble_energy == pytest.approx(
            vienna.Ensemble(TRNA_PHE, "rnass2026").ensemble_energy, abs=1e-3
        )

    def test_a_long_rna_has_a_finite_partition_function(self):
        bases = "".join(np.random.default_rng(1).choice(list("ACGU"), 1200))
        (drawn,) = vienna.sample([bases], vienna.TURNER_2004, 1, seed=1)
        assert drawn.ensemble_energy == pytest.approx(vienna.Ensemble(bases).ensemble_energy, abs=0.01)
        assert len(drawn.structures[0]) == 1200


def test_version_is_viennarnas():
    assert vienna.version() == RNA.__version__


def test_torch_is_not_imported():
    run = [
        sys.executable,
        "-c",
        "import rnass.thermodynamics.vienna, sys; print('torch' in sys.modules)",
    ]
    assert subprocess.run(run, capture_output=True, text=True, check=True).stdout == "False\n"


H_TYPE = "GCGGCGCAAGGACCAAGCGCCGCAAAAAAUGGUCC"  # a pseudoknot of two stems


def second_directly(bases):
    """By ViennaRNA itself: the centroid, and what pairs once its bases must not."""
    first = RNA.fold_compound(bases)
    first.pf()
    centroid = first.centroid()[0]
    again = RNA.fold_compound(bases)
    again.hc_add_from_db("".join("." if symbol == "." else "x" for symbol in centroid))
    again.pf()
    upper = np.array(again.bpp())[1:, 1:]
    upper[upper < vienna.CUTOFF] = 0
    return centroid, (upper + upper.T).astype(np.float16)


def test_the_second_fold_leaves_out_the_bases_of_the_first_structure():
    centroid, expected = second_directly(H_TYPE)
    assert "(" in centroid
    found = vienna.base_pair_probabilities(H_TYPE, "turner2004+second").dense()
    np.testing.assert_array_equal(found, expected)
    paired = [k for k, symbol in enumerate(centroid) if symbol != "."]
    assert not found[paired].any()


def test_the_second_fold_finds_the_stem_that_crosses_the_first():
    found = vienna.base_pair_probabilities(H_TYPE, "turner2004+second").dense()
    first = vienna.base_pair_probabilities(H_TYPE).dense()
    pairs = np.argwhere(np.triu(np.maximum(found, first)) > 0.5)
    assert Structure(len(H_TYPE), pairs).crossing.any()


def test_without_a_first_structure_the_second_fold_is_the_first():
    open_rna = "ACACACACAGAGAACACA"
    first, second = vienna.all_probabilities(open_rna, ["turner2004", "turner2004+second"])
    np.testing.assert_array_equal(first.dense(), second.dense())


def test_folds_of_many_are_those_of_each_and_each_set_is_folded_once():
    names = ("rnass2026", "rnass2026+second", "turner2004")
    assert vienna.folds_of(names) == ("turner2004", "rnass2026")
    for processes in (0, 1):
        for rna, found in zip(
            (H_TYPE, TRNA_PHE),
            vienna.fold_many([H_TYPE, TRNA_PHE], parameters=names, processes=processes),
            strict=True,
        ):
            assert found.names == names
            for name, pairs in zip(names, found.base_pairs, strict=True):
                expected = vienna.base_pair_probabilities(rna, name).dense()
                np.testing.assert_array_equal(pairs.dense(), expected)


def test_the_mean_of_the_first_folds_leaves_second_ones_out():
    names = ("rnass2026", "rnass2026+second", "turner2004")
    expected = np.mean([vienna.base_pair_probabilities(H_TYPE, names[k]).dense() for k in (0, 2)], 0)
    found = vienna.fold(H_TYPE, parameters=names).mean_pairs()
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_second_fold_holds_to_what_must_be_unpaired():
    line = "." * 20 + "x" * (len(H_TYPE) - 20)
    subject = vienna.Subject(H_TYPE, constraint=line)
    found = subject.ensemble("turner2004").second_fold.dense()
    assert not found[20:].any()
