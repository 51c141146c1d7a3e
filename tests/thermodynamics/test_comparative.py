"""RNAalifold through the module. Oracles: ViennaRNA itself, one row alone, two rows that covary."""

import numpy as np
import pytest
import RNA

from rnass.errors import StructureError
from rnass.thermodynamics.comparative import fold_alignment
from rnass.thermodynamics.ensemble import Ensemble

ROWS = ["GGGGAAAACCCC", "GCGGAAAACCGC", "GGCG-AAACGCC"]


def test_it_is_rnaalifold_with_ribosum_scores():
    model = RNA.md()
    model.ribo, model.cv_fact, model.nc_fact = 1, 0.6, 0.5
    compound = RNA.fold_compound(ROWS, model)
    dot_bracket, mfe = compound.mfe()
    compound.exp_params_rescale(mfe)
    compound.pf()
    bpp = np.array(compound.bpp())[1:, 1:]
    found = fold_alignment(ROWS)
    assert found.mfe_structure.dot_bracket == dot_bracket == "((((....))))"
    assert found.mfe == pytest.approx(mfe)
    np.testing.assert_allclose(
        found.bpp.dense(), np.where(bpp + bpp.T < 1e-4, 0, bpp + bpp.T), atol=1e-3
    )


def test_one_row_is_folded_as_it_is_alone():
    found, alone = fold_alignment(["GGGGAAAACCCC"]), Ensemble("GGGGAAAACCCC")
    assert found.mfe_structure == alone.mfe_structure
    assert found.mfe == pytest.approx(alone.mfe)
    np.testing.assert_allclose(found.bpp.dense(), alone.bpp.dense(), atol=1e-3)


def test_rows_that_covary_support_a_pair_and_contradicting_ones_weaken_it():
    alike = fold_alignment(["GCGAAAAAACGC"] * 2).bpp.dense()[0, 11]
    covary = fold_alignment(["GCGAAAAAACGC", "CCGAAAAAACGG"]).bpp.dense()[0, 11]
    against = fold_alignment(["GCGAAAAAACGC", "ACGAAAAAACGA"]).bpp.dense()[0, 11]
    assert covary > alike > against


def test_energies_are_those_of_turner_2004_whatever_was_folded_before():
    before = fold_alignment(ROWS).mfe
    _ = Ensemble(ROWS[0], "langdon2018").mfe
    assert fold_alignment(ROWS).mfe == before


@pytest.mark.parametrize("rows", [[], ["GGG", "GG"]])
def test_what_is_no_alignment_is_refused(rows):
    with pytest.raises(StructureError, match=r"alignment: .*expected rows of one length"):
        fold_alignment(rows)


def test_the_second_fold_leaves_out_the_columns_of_the_first_structure():
    rows = ["GGGAACCCCAAACCCAAAGGGG", "GCGAACGCCAAACGCAAAGGCG", "GCGAACCCGAAACGCAAACGGG"]
    found = fold_alignment(rows)
    first, second = found.bpp.dense(), found.second_bpp.dense()
    taken = np.flatnonzero((first > 0.5).any(1))
    assert len(taken)
    assert not second[taken].any()
    both = np.argwhere(np.triu(np.maximum(first, second)) > 0.5)
    assert {(0, 14), (1, 13), (2, 12), (5, 21), (6, 20), (7, 19), (8, 18)} == set(
        map(tuple, both.tolist())
    )
