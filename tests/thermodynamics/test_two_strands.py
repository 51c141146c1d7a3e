"""Two strands. The oracles are ViennaRNA itself, and all structures of small dimers, one by one."""

import functools
import random

import numpy as np
import pytest
import RNA
from one_fold import fold

from rnass.errors import ConstraintError
from rnass.rna import BPP_CUTOFF, CANONICAL_PAIRS
from rnass.thermodynamics.conditions import STANDARD, Conditions
from rnass.thermodynamics.ensemble import Ensemble
from rnass.thermodynamics.free_energy import energy


class TestTwoStrands:
    DIMER = "GGAGCAGGAAAC&GACCUGCUCC"

    def test_as_viennarna_folds_them(self):
        compound = RNA.fold_compound(self.DIMER)
        dot_bracket, mfe = compound.mfe_dimer()
        found = Ensemble(self.DIMER)
        assert (found.mfe_structure.dot_bracket, found.mfe) == (dot_bracket, pytest.approx(mfe))
        assert energy(self.DIMER, found.mfe_structure) == pytest.approx(mfe, abs=0.01)
        compound.exp_params_rescale(mfe)
        compound.pf()
        bpp = np.array(compound.bpp())[1:, 1:]
        np.testing.assert_allclose(
            np.triu(found.bpp.dense()), np.where(bpp < BPP_CUTOFF, 0, bpp), atol=1e-3
        )

    def test_hairpins_do_not_bind_across_the_nick(self):
        assert Ensemble("GGGG&CCCC").mfe_structure.dot_bracket == "(((())))"

    def test_constraints_and_reactivities_count_bases_through(self):
        line = "x" + "." * 20 + "x"
        assert Ensemble(self.DIMER, constraint=line).mfe_structure.partners[0] < 0
        values = np.full(22, -999.0)
        values[:3] = 5.0
        shy = Ensemble(self.DIMER, reactivities=values)
        assert shy.bpp.dense()[1].sum() < Ensemble(self.DIMER).bpp.dense()[1].sum() - 0.5


CANONICAL = {"AU", "UA", "GC", "CG", "GU", "UG"}
GAS_CONSTANT = 0.0019871700  # kcal/mol/K


def nested_structures(length, able):
    """All nested structures, each a tuple of pairs (i, j)."""

    @functools.cache
    def between(i, j):
        if i > j:
            return [()]
        found = list(between(i + 1, j))
        for k in range(i + 1, j + 1):
            if able(i, k):
                inner, after = between(i + 1, k - 1), between(k + 1, j)
                found += [((i, k), *one, *two) for one in inner for two in after]
        return found

    return between(0, length - 1)


def one_by_one(text, conditions=STANDARD):
    """The least energy, the ensemble energy and the base-pair probabilities, by enumeration."""
    bases, nick = text.replace("&", ""), text.index("&")
    size = len(bases)

    def able(i, j):
        return bases[i] + bases[j] in CANONICAL and (j - i > 3 or i < nick <= j)

    model = RNA.md()
    model.temperature, model.salt = conditions.temperature, conditions.salt
    kt = GAS_CONSTANT * (conditions.temperature + 273.15)
    compound = RNA.fold_compound(text, model)
    total, least, maps = 0.0, 0.0, np.zeros((size, size))
    for pairs in nested_structures(size, able):
        symbols = ["."] * size
        for i, j in pairs:
            symbols[i], symbols[j] = "()"
        cost = compound.eval_structure("".join(symbols))
        weight = np.exp(-cost / kt)
        total, least = total + weight, min(least, cost)
        for i, j in pairs:
            maps[i, j] += weight
            maps[j, i] += weight
    return least, -kt * np.log(total), maps / total


SMALL = ["GCCGCGCC&GCUGC", "CCUAGCU&AUUUCCCAC", "ACGCA&UAAGAGUG", "UGGCG&CAAUAUCA", "AGG&CCU", "AU&GU"]


@pytest.mark.parametrize("text", [*SMALL, "AAAA&GGGAAACCC", "GGCGAAAGCCUU&AAAA", "G&C", "A&C"])
def test_all_structures_count_whether_the_strands_bind_or_not(text):
    least, whole, maps = one_by_one(text)
    found = Ensemble(text)
    assert found.mfe == pytest.approx(least, abs=1e-3)
    assert energy(text, found.mfe_structure) == pytest.approx(least, abs=1e-3)
    assert found.ensemble_energy == pytest.approx(whole, abs=1e-3)
    np.testing.assert_allclose(found.bpp.dense(), maps, atol=1e-3)
    assert {tuple(pair) for pair in found.centroid.pairs.tolist()} == {
        (i, j) for i, j in np.argwhere(np.triu(maps > 0.5)).tolist()
    }


@pytest.mark.parametrize("conditions", [Conditions(60), Conditions(salt=0.1)], ids=str)
def test_all_structures_count_at_other_conditions(conditions):
    """Rescaled energies are rounded to 0.01 kcal/mol, the weights of the ensemble are not."""
    for text in SMALL[:3]:
        least, whole, maps = one_by_one(text, conditions)
        found = Ensemble(text, conditions=conditions)
        assert found.mfe == pytest.approx(least, abs=1e-3)
        assert found.ensemble_energy == pytest.approx(whole, abs=0.02)
        np.testing.assert_allclose(found.bpp.dense(), maps, atol=0.01)


@pytest.mark.parametrize(
    ("text", "mfe", "structure"),
    [  # RNAcofold 2.7.2
        ("AAAA&GGGAAACCC", -1.2, "....(((...)))"),
        ("GGCGAAAGCCUU&AAAA", -4.6, "(((....)))......"),
        ("G&C", 0.0, ".."),
    ],
)
def test_strands_that_do_not_bind(text, mfe, structure):
    found = fold(text, baseline=True)
    assert (found.mfe_structure.dot_bracket, found.mfe) == (structure, pytest.approx(mfe))
    assert found.mea is not None
    assert found.mea.dot_bracket == structure


def test_no_minimum_lies_above_the_energy_of_another_structure():
    draw = random.Random(4)
    for _ in range(60):
        strands = ("".join(draw.choices("ACGU", k=draw.randint(4, 25))) for _ in range(2))
        text = "&".join(strands)
        found = fold(text, parameter_sets=(), baseline=True)
        for other in (found.centroid, found.mea):
            assert found.mfe <= energy(text, other) + 1e-3


def test_a_strand_that_must_not_pair():
    text = "GCAGCA&AAGGCGCUUCGGCGCCAAUU"
    found = Ensemble(text, constraint="." * 6 + "x" * 20)
    assert found.mfe_structure.dot_bracket == "." * 26
    assert not found.bpp.dense()[:, 6:].any()
    np.testing.assert_allclose(found.bpp.dense()[:6, :6], Ensemble("GCAGCA").bpp.dense(), atol=1e-3)


def test_a_forced_pair_between_strands_and_one_within():
    across = Ensemble("GGGG&CCCC", constraint="(......)")
    assert across.bpp.dense()[0, 7] == 1
    within = Ensemble("AGGGAAAACCC&UUUU", constraint=".(........)....")
    assert within.bpp.dense()[1, 10] == 1
    free = Ensemble("AGAGCGAAAACGCUC&UUUU", forbidden=[(1, 14)])
    assert free.bpp.dense()[1, 14] == 0
    assert free.bpp.dense()[2, 13] > 0.5


@pytest.mark.parametrize("line", ["(......)", "((....))", "||||||||", "|......|", "<......."])
def test_strands_that_must_be_connected(line):
    for _ in range(50):  # in which mfe_dimer() reads what is not there
        found = Ensemble("GGGG&CCCC", constraint=line)
        assert found.mfe_structure.dot_bracket == "(((())))"
        assert found.mfe == pytest.approx(-5.8, abs=1e-4)


def test_constraints_that_no_structure_obeys_are_told():
    with pytest.raises(ConstraintError, match="no structure obeys it"):
        _ = Ensemble("AAAA&AAAA", constraint="|.......").bpp


@pytest.mark.parametrize("symbol", ["|", "<", ">"])
def test_a_base_of_the_second_strand_that_must_pair(symbol):
    """ViennaRNA's mfe_dimer() crashes on a third of these."""
    draw = random.Random(5)
    for _ in range(20):
        first, second = ("".join(draw.choices("ACGU", k=20)) for _ in range(2))
        base = draw.randrange(22, 34)
        line = "." * base + symbol + "." * (39 - base)
        try:
            partner = Ensemble(f"{first}&{second}", constraint=line).mfe_structure.partners[base]
        except ConstraintError:  # no base of the right side can pair with it
            assert symbol == "<"
            rest = second[base - 16 :]
            assert not any(second[base - 20] + other in CANONICAL_PAIRS for other in rest)
            continue
        assert partner > base if symbol == "<" else partner >= 0
        assert symbol != ">" or partner < base


def test_a_forced_pair_of_the_second_strand_and_one_across():
    inner = Ensemble("GGCGAU&CCGCACGG", constraint=".........(...)").mfe_structure
    assert inner.partners[9] == 13
    across = Ensemble("AACCC&GCAC", constraint="..(..)...")
    assert across.mfe_structure.dot_bracket == "..(..)..."
