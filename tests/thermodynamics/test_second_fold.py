"""The second fold. The oracle is ViennaRNA itself, its centroid's bases held unpaired by a line."""

import numpy as np
import pytest
import RNA
from one_fold import fold

from rnass.rna import BPP_CUTOFF
from rnass.structure import Structure
from rnass.thermodynamics.ensemble import Ensemble
from rnass.thermodynamics.folding import (
    FoldInput,
    all_base_pair_probabilities,
    base_pair_probabilities,
    fold_many,
    sets_folded,
)
from rnass.thermodynamics.second_fold import SECOND_FOLD, second_fold

H_TYPE = "GCGGCGCAAGGACCAAGCGCCGCAAAAAAUGGUCC"  # a pseudoknot of two stems
TRNA_PHE = "GCGGAUUUAGCUCAGUUGGGAGAGCGCCAGACUGAAGAUCUGGAGGUCCUGUGUUCGAUCCACAGAAUUCGCACCA"
NAMES = ("rnass2026", "rnass2026+second", "turner2004")


def second_directly(bases):
    """By ViennaRNA itself: the centroid, and what pairs once its bases must not."""
    first = RNA.fold_compound(bases)
    first.pf()
    centroid = first.centroid()[0]
    again = RNA.fold_compound(bases)
    again.hc_add_from_db("".join("." if symbol == "." else "x" for symbol in centroid))
    again.pf()
    upper = np.array(again.bpp())[1:, 1:]
    upper[upper < BPP_CUTOFF] = 0
    return centroid, (upper + upper.T).astype(np.float16)


def test_the_bases_of_the_first_structure_pair_no_more():
    centroid, expected = second_directly(H_TYPE)
    assert "(" in centroid
    found = base_pair_probabilities(H_TYPE, "turner2004+second").dense()
    np.testing.assert_array_equal(found, expected)
    paired = [k for k, symbol in enumerate(centroid) if symbol != "."]
    assert not found[paired].any()


def test_the_stem_that_crosses_the_first_is_found():
    found = base_pair_probabilities(H_TYPE, "turner2004+second").dense()
    first = base_pair_probabilities(H_TYPE).dense()
    pairs = np.argwhere(np.triu(np.maximum(found, first)) > 0.5)
    assert Structure(len(H_TYPE), pairs).crossing.any()


def test_without_a_first_structure_it_is_the_first_fold():
    ensemble = Ensemble("ACACACACAGAGAACACA")
    assert second_fold(ensemble) is ensemble.bpp


@pytest.mark.parametrize("processes", [0, 1])
def test_each_set_is_folded_once_and_gives_its_second_fold_by_name(processes):
    assert sets_folded(NAMES) == ("turner2004", "rnass2026")
    many = [H_TYPE, TRNA_PHE]
    for rna, found in zip(many, fold_many(many, parameter_sets=NAMES, processes=processes), strict=True):
        assert found.names == NAMES
        for name, pairs in zip(NAMES, found.bpp, strict=True):
            np.testing.assert_array_equal(pairs.dense(), base_pair_probabilities(rna, name).dense())


def test_sets_and_second_folds_at_once():
    for name, found in zip(NAMES, all_base_pair_probabilities(H_TYPE, NAMES), strict=True):
        np.testing.assert_array_equal(found.dense(), base_pair_probabilities(H_TYPE, name).dense())


def test_what_is_mixed_in_has_the_pairs_of_both_folds():
    found = fold(H_TYPE, parameter_sets=NAMES).mixed_bpp()
    maps = [base_pair_probabilities(H_TYPE, name).dense() for name in NAMES]
    is_second = np.array([name.endswith(SECOND_FOLD) for name in NAMES])
    means = [
        np.mean([one for one, two in zip(maps, is_second, strict=True) if two == k], 0) for k in (0, 1)
    ]
    larger = np.maximum(*means)
    assert larger.sum(1).max() > 1 >= found.sum(1).max() - 1e-6
    np.testing.assert_array_equal(found, found.T)
    assert (found <= larger).all()
    sure = larger.sum(1) <= 1
    np.testing.assert_allclose(found[np.ix_(sure, sure)], larger[np.ix_(sure, sure)], rtol=1e-6)
    assert Structure(len(H_TYPE), np.argwhere(np.triu(found > 0.4))).orders.max() == 1  # it crosses


def test_what_must_be_unpaired_stays_so():
    line = "." * 20 + "x" * (len(H_TYPE) - 20)
    found = second_fold(FoldInput(H_TYPE, constraint=line).ensemble()).dense()
    assert not found[20:].any()
