"""Temperature and salt. The oracle is ViennaRNA itself with the same model details."""

import itertools
import math

import numpy as np
import pytest
import RNA
from one_fold import fold

from rnass.errors import ConfigError
from rnass.rna import BPP_CUTOFF
from rnass.structure import Structure
from rnass.thermodynamics.conditions import STANDARD, Conditions
from rnass.thermodynamics.ensemble import Ensemble
from rnass.thermodynamics.folding import FoldInput
from rnass.thermodynamics.free_energy import energy
from rnass.thermodynamics.second_fold import second_fold

TRNA_PHE = "GCGGAUUUAGCUCAGUUGGGAGAGCGCCAGACUGAAGAUCUGGAGGUCCUGUGUUCGAUCCACAGAAUUCGCACCA"  # 1EHZ
HAIRPIN = "GGGGAAAACCCC"
OTHERS = [Conditions(90), Conditions(20), Conditions(38), Conditions(salt=0.05), Conditions(60, 0.2)]


def compound_at(bases, conditions):
    model = RNA.md()
    model.temperature, model.salt = conditions.temperature, conditions.salt
    return RNA.fold_compound(bases, model)


def test_the_standard_conditions_are_viennarnas_defaults():
    model = RNA.md()
    assert Conditions(model.temperature, model.salt) == STANDARD == Conditions()
    assert STANDARD.standard
    assert not any(one.standard for one in OTHERS)


@pytest.mark.parametrize("conditions", OTHERS, ids=str)
@pytest.mark.parametrize("bases", [HAIRPIN, TRNA_PHE, 4 * TRNA_PHE])
def test_every_part_agrees_with_viennarna_itself(bases, conditions):
    compound = compound_at(bases, conditions)
    structure, mfe = compound.mfe()
    compound.exp_params_rescale(mfe)
    whole = compound.pf()[1]
    upper = np.array(compound.bpp())[1:, 1:]
    upper[upper < BPP_CUTOFF] = 0
    Ensemble(bases, "langdon2018").mfe  # noqa: B018 - other parameters must not stay

    got = Ensemble(bases, conditions=conditions)
    assert (got.mfe_structure.dot_bracket, got.mfe) == (structure, mfe)
    assert got.ensemble_energy == pytest.approx(whole)
    assert got.mea.dot_bracket == compound.MEA()[0]
    assert got.centroid.dot_bracket == compound.centroid()[0]
    np.testing.assert_allclose(got.bpp.dense(), upper + upper.T, atol=6e-4)  # float16


@pytest.mark.parametrize("conditions", OTHERS, ids=str)
def test_energy_of_a_structure(conditions):
    cloverleaf = "(((((((..((((........)))).(((((.......))))).....(((((.......))))))))))))...."
    expected = compound_at(TRNA_PHE, conditions).eval_structure(cloverleaf)
    structure = Structure.from_dot_bracket(cloverleaf)
    assert energy(TRNA_PHE, structure, conditions) == pytest.approx(expected)
    assert abs(energy(TRNA_PHE, structure) - expected) > 0.3


def test_a_hairpin_melts():
    stem = [Ensemble(HAIRPIN, conditions=Conditions(t)).bpp.dense()[1, 10] for t in (37, 60, 75, 90)]
    assert stem == sorted(stem, reverse=True)
    assert stem[0] > 0.85
    assert stem[-1] < 0.35
    diluted = Ensemble(HAIRPIN, conditions=Conditions(60, 0.01)).bpp.dense()[1, 10]
    assert diluted < stem[1] - 0.1


def test_a_fold_has_both_conditions():
    hot = Conditions(70)
    got = fold(FoldInput(TRNA_PHE, conditions=hot), parameter_sets=("rnass2026",), baseline=True)
    after, before = Ensemble(TRNA_PHE, conditions=hot), Ensemble(TRNA_PHE)
    assert got.conditions == hot
    expected = (round(after.mfe, 2), after.mfe_structure, after.mea)
    assert (got.mfe, got.mfe_structure, got.mea) == expected
    np.testing.assert_array_equal(got.bpp[0].dense(), Ensemble(TRNA_PHE, "rnass2026").bpp.dense())
    for found, ensemble in zip(got.change, (before, after), strict=True):
        np.testing.assert_array_equal(found[0].dense(), ensemble.bpp.dense())
        np.testing.assert_array_equal(found[1].dense(), second_fold(ensemble, before.bpp).dense())
    np.testing.assert_array_equal(got.mixed_bpp(), after.bpp.dense())


def test_the_change_by_salt_is_smooth():
    """At 0.25 and 0.22 M one helix has more and less than 0.5: the second folds must not part there."""
    maps = []
    for salt in (0.25, 0.22, 0.15, 0.12):
        got = fold(FoldInput(TRNA_PHE, conditions=Conditions(salt=salt)), parameter_sets=())
        maps.append(np.maximum(*(one.dense() for one in got.change.after)))
    assert max(np.abs(b - a).max() for a, b in itertools.pairwise(maps)) < 0.15


def test_constraints_and_reactivities_hold_at_other_conditions():
    hot = Conditions(60)
    forced = fold(FoldInput("A" * 12, constraint="((((....))))", conditions=hot), parameter_sets=())
    assert forced.mfe_structure.dot_bracket == "((((....))))"
    probed = fold(FoldInput(HAIRPIN, reactivities=(0.0,) * 12, conditions=hot), parameter_sets=())
    assert probed.mfe == pytest.approx(energy(HAIRPIN, probed.mfe_structure, hot))


def test_at_the_standard_conditions_there_is_no_change():
    assert fold(HAIRPIN).change is None
    assert fold(HAIRPIN).conditions == STANDARD


def test_own_energies_hold_at_the_standard_conditions_only():
    with pytest.raises(ConfigError, match=r"rnass2026 at 38 C, 1.021 M NaCl; expected 37 C, 1.021 M"):
        Ensemble(HAIRPIN, "rnass2026", conditions=Conditions(38))


@pytest.mark.parametrize("temperature", [-300, -0.1, 100.1, math.nan, math.inf])
def test_temperatures_that_are_refused(temperature):
    with pytest.raises(ConfigError, match=r"temperature: .* C; expected 0 to 100 C"):
        Conditions(temperature)


@pytest.mark.parametrize("salt", [-1, 0, 0.0009, 11, math.nan])
def test_salt_concentrations_that_are_refused(salt):
    with pytest.raises(ConfigError, match=r"salt: .* M; expected 0.001 to 10 M"):
        Conditions(salt=salt)


def test_a_temperature_in_letters_is_refused():
    with pytest.raises(ConfigError, match="temperature: '37'; expected a number"):
        Conditions(temperature="37")
