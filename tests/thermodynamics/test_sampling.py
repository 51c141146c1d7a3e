"""Structures sampled from an ensemble. The oracle is the ensemble."""

import numpy as np
import pytest

from rnass.thermodynamics.ensemble import Ensemble
from rnass.thermodynamics.parameter_sets import OWN_ENERGIES, TURNER_2004
from rnass.thermodynamics.sampling import sample

TRNA_PHE = "GCGGAUUUAGCUCAGUUGGGAGAGCGCCAGACUGAAGAUCUGGAGGUCCUGUGUUCGAUCCACAGAAUUCGCACCA"  # 1EHZ


class TestSample:
    def test_structures_come_as_often_as_their_pairs_are_probable(self):
        (drawn,) = sample([TRNA_PHE], TURNER_2004, 2000, seed=1)
        found = np.zeros((76, 76))
        for structure in drawn.structures:
            found[tuple(structure.pairs.T)] += 1 / 2000
        expected = np.triu(Ensemble(TRNA_PHE).bpp.dense())
        np.testing.assert_allclose(found, expected, atol=0.05)
        np.testing.assert_allclose(np.triu(drawn.bpp.dense()), expected, atol=1e-3)
        whole = Ensemble(TRNA_PHE).ensemble_energy
        assert drawn.ensemble_energy == pytest.approx(whole, abs=1e-3)

    def test_a_seed_gives_the_same_structures_and_another_one_others(self):
        def drawn(seed):
            (one, two) = sample([TRNA_PHE, TRNA_PHE], TURNER_2004, 20, seed)
            return one.structures, two.structures

        first = drawn(1)
        assert drawn(1) == first
        assert drawn(2) != first
        assert first[0] != first[1]

    def test_energies_are_those_given(self):
        own = OWN_ENERGIES.read_text()
        (given,) = sample([TRNA_PHE], own, 0, seed=1)
        assert given.structures == ()
        assert given.ensemble_energy == pytest.approx(
            Ensemble(TRNA_PHE, "rnass2026").ensemble_energy, abs=1e-3
        )

    def test_a_long_rna_has_a_finite_partition_function(self):
        """Of this one it overflows unless the weights are rescaled by its own energy."""
        bases = "G" * 180 + "AAAA" + "C" * 180
        (drawn,) = sample([bases], TURNER_2004, 1, seed=1)
        assert drawn.ensemble_energy == pytest.approx(Ensemble(bases).ensemble_energy, abs=0.01)
        assert len(drawn.structures[0]) == 364
