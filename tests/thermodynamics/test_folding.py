"""What a prediction needs of many RNAs, here and in worker processes."""

import itertools
import multiprocessing

import numpy as np
import pytest
import RNA
from one_fold import fold

from rnass.errors import ConfigError, RnassError, SequenceError, StructureError, WorkerError
from rnass.thermodynamics.comparative import fold_alignment
from rnass.thermodynamics.ensemble import Ensemble
from rnass.thermodynamics.folding import (
    FoldAhead,
    FoldInput,
    base_pair_probabilities,
    base_pair_probabilities_of_many,
    fold_many,
)
from rnass.thermodynamics.parameter_sets import PARAMETER_SETS

TRNA_PHE = "GCGGAUUUAGCUCAGUUGGGAGAGCGCCAGACUGAAGAUCUGGAGGUCCUGUGUUCGAUCCACAGAAUUCGCACCA"  # 1EHZ
HAIRPIN = "GGGGAAAACCCC"


@pytest.fixture
def ahead():
    """Begins to fold RNAs in a worker process; ends it after the test."""
    begun = []

    def begin(inputs, sets):
        begun.append(FoldAhead(inputs, parameter_sets=sets, processes=1))
        return begun[-1]

    yield begin
    for one in begun:
        one.close()


class TestMany:
    RNAS = (TRNA_PHE, "A", HAIRPIN, "GGGNNNNCCC", "GCGCAAAAGCGC") * 5
    SETS = ("andronescu2007", "turner2004")

    def test_the_same_in_other_processes_and_in_order(self):
        here = list(fold_many(self.RNAS, parameter_sets=self.SETS, baseline=True))
        there = list(fold_many(self.RNAS, parameter_sets=self.SETS, baseline=True, processes=2))
        assert [len(one.mfe_structure) for one in there] == [len(bases) for bases in self.RNAS]
        for a, b in zip(here, there, strict=True):
            assert (a.mfe, a.mfe_structure) == (b.mfe, b.mfe_structure)
            assert (a.mea, a.centroid) == (b.mea, b.centroid)
            for x, y in zip(a.bpp, b.bpp, strict=True):
                np.testing.assert_array_equal(x.dense(), y.dense())

    @pytest.mark.parametrize("processes", [0, 1])
    def test_folds_that_have_begun_are_taken_once(self, processes, ahead):
        inputs = [FoldInput(TRNA_PHE), FoldInput("A")]
        options = {
            "parameter_sets": self.SETS,
            "processes": processes,
            "ahead": ahead(inputs, self.SETS),
        }
        expected = list(fold_many(inputs, parameter_sets=self.SETS))
        for _ in range(2):  # the second time they are folded anew
            got = list(fold_many([*inputs, FoldInput(HAIRPIN)], **options))
            assert [one.mfe for one in got[:2]] == [one.mfe for one in expected]
            assert got[2].mfe == pytest.approx(-5.4)
            for one, other in zip(got[0].bpp, expected[0].bpp, strict=True):
                np.testing.assert_array_equal(one.dense(), other.dense())

    def test_what_has_begun_is_not_folded_here(self, ahead, monkeypatch):
        inputs = [FoldInput(TRNA_PHE), FoldInput("A")]
        begun = ahead(inputs, self.SETS)
        monkeypatch.setattr(FoldInput, "ensemble", None)  # in this process
        got = list(fold_many(inputs, parameter_sets=self.SETS, ahead=begun))
        assert [len(one.mfe_structure) for one in got] == [76, 1]

    def test_of_other_folds_nothing_is_taken(self, ahead):
        begun = ahead([FoldInput(HAIRPIN)], self.SETS)
        (got,) = fold_many([HAIRPIN], parameter_sets=self.SETS, baseline=True, ahead=begun)
        assert got.mea is not None
        (got,) = fold_many([FoldInput(HAIRPIN, mfe_bpp=True)], parameter_sets=self.SETS, ahead=begun)
        assert got.mfe_bpp is not None
        (got,) = fold_many([HAIRPIN], parameter_sets=self.SETS[:1], ahead=begun)
        assert got.names == self.SETS[:1]

    def test_an_alignment_is_folded_ahead_too(self, ahead):
        rows = ["GGGAUCCAAAAGGAUCCC", "GGCAUGCAAAAGCAUGCC"]
        found, expected = ahead([], self.SETS).consensus(rows)(), fold_alignment(rows)
        assert found.mfe_structure == expected.mfe_structure
        assert found.mfe == expected.mfe
        np.testing.assert_array_equal(found.bpp.dense(), expected.bpp.dense())
        with pytest.raises(StructureError, match="unequal lengths"):
            ahead([], self.SETS).consensus(["GGG", "C"])()

    def test_a_killed_worker_that_folds_an_alignment_is_named_as_such(self, ahead):
        result = ahead([FoldInput("GC" * 400)], self.SETS).consensus(["GC" * 400] * 2)
        for child in multiprocessing.active_children():
            child.kill()
        with pytest.raises(WorkerError, match="a worker process was killed"):
            result()

    def test_a_killed_worker_that_folds_ahead_is_named_as_such(self, ahead):
        begun = ahead([FoldInput("GC" * 400)], self.SETS)
        for child in multiprocessing.active_children():
            child.kill()
        with pytest.raises(WorkerError, match="a worker process was killed"):
            list(fold_many(["GC" * 400], parameter_sets=self.SETS, ahead=begun))

    def test_sets_stand_in_the_order_asked_for(self):
        got = fold(TRNA_PHE, parameter_sets=self.SETS)
        for name, pairs in zip(self.SETS, got.bpp, strict=True):
            np.testing.assert_array_equal(pairs.dense(), base_pair_probabilities(TRNA_PHE, name).dense())
        assert got.mea is got.centroid is None

    def test_nothing_asked_for_but_the_mfe(self, monkeypatch):
        def no_partition_function(_):
            raise AssertionError

        monkeypatch.setattr(RNA.fold_compound, "pf", no_partition_function)
        assert fold(HAIRPIN, parameter_sets=()).mfe == pytest.approx(-5.4)

    @pytest.mark.parametrize("name", PARAMETER_SETS)
    def test_annotations_are_what_a_prediction_uses(self, name):
        (annotated,) = base_pair_probabilities_of_many([TRNA_PHE], name, processes=1)
        (used,) = fold(TRNA_PHE, parameter_sets=[name]).bpp
        np.testing.assert_array_equal(annotated.dense(), used.dense())

    @pytest.mark.parametrize("processes", [0, 1])
    def test_reads_no_further_than_needed_and_can_be_left(self, processes):
        taken = []

        def endless():
            while True:
                taken.append(HAIRPIN)
                yield HAIRPIN

        answers = base_pair_probabilities_of_many(endless(), processes=processes)
        next(answers)
        next(answers)
        answers.close()
        assert len(taken) <= 2 + 128 * processes

    @pytest.mark.parametrize("processes", [0, 1])
    def test_an_error_comes_out_as_itself(self, processes):
        answers = base_pair_probabilities_of_many([HAIRPIN, "GGXCC"], processes=processes)
        with pytest.raises(SequenceError, match="'X' at base 3"):
            list(answers)

    def test_a_killed_worker_is_named_as_such(self):
        answers = base_pair_probabilities_of_many(itertools.repeat(HAIRPIN), processes=1)
        next(answers)
        (worker,) = multiprocessing.active_children()
        worker.kill()
        with pytest.raises(WorkerError, match="a worker process was killed, most likely as memory ran"):
            list(itertools.islice(answers, 100))


class TestFailures:
    @pytest.mark.parametrize("processes", [0, 1])
    def test_one_that_cannot_be_folded_costs_the_others_nothing(self, processes):
        many = [HAIRPIN, "GGXCC", FoldInput("A" * 12, constraint="...."), TRNA_PHE]
        found = list(fold_many(many, parameter_sets=("turner2004", "rnass2026"), processes=processes))
        assert [type(one).__name__ for one in found] == [
            "Folded",
            "SequenceError",
            "ConstraintError",
            "Folded",
        ]
        assert found[3].mfe == pytest.approx(-22.4)

    @pytest.mark.parametrize("error", [RuntimeError("no room"), MemoryError(), ValueError("?")])
    def test_an_error_of_viennarna_is_one_of_rnass(self, monkeypatch, error):
        def fails(compound):
            raise error

        monkeypatch.setattr(RNA.fold_compound, "mfe", fails)
        (found,) = fold_many([HAIRPIN])
        assert type(found) is RnassError
        assert str(found).startswith(f"ViennaRNA: {type(error).__name__} {error}")
        with pytest.raises(RnassError, match="ViennaRNA"):
            fold(HAIRPIN)

    def test_a_partition_function_that_is_no_number_is_told(self, monkeypatch):
        monkeypatch.setattr(RNA.fold_compound, "pf", lambda _: ("", float("inf")))
        (found,) = fold_many([HAIRPIN])
        assert str(found).startswith("ViennaRNA: the partition function is not finite")

    def test_a_set_that_does_not_exist_ends_it(self):
        with pytest.raises(ConfigError, match="'turner1999' is unknown"):
            list(fold_many([HAIRPIN], parameter_sets=("turner1999",)))


class TestProbabilitiesOfTheMfe:
    def test_they_are_by_its_energies_whatever_else_is_folded(self):
        found = fold(FoldInput(TRNA_PHE, mfe_bpp=True), parameter_sets=("langdon2018",))
        assert found.mfe == pytest.approx(-22.4)
        expected = Ensemble(TRNA_PHE, "turner2004").bpp.dense()
        np.testing.assert_array_equal(found.mfe_bpp.dense(), expected)
        assert np.abs(found.bpp[0].dense() - expected).max() > 0.1

    def test_they_cost_nothing_where_they_are_not_wanted(self):
        assert fold(TRNA_PHE, parameter_sets=("langdon2018",)).mfe_bpp is None

    def test_the_mean_is_of_the_sets_asked_for(self):
        sets = ("langdon2018", "andronescu2007")
        found = fold(TRNA_PHE, parameter_sets=sets, baseline=True).mixed_bpp()
        expected = np.mean([Ensemble(TRNA_PHE, name).bpp.dense() for name in sets], axis=0)
        np.testing.assert_allclose(found, expected)
        assert fold(TRNA_PHE, parameter_sets=()).mixed_bpp() is None


def test_a_constraint_that_needs_a_pseudoknot_falls_back_on_its_unpaired_bases():
    found = fold(FoldInput(HAIRPIN, constraint="x...|......."))
    assert found.mfe_structure.dot_bracket == ".(((....)))."
