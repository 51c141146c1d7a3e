"""Maps of an alignment. Oracles: sums written out by hand, a family whose rows covary."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit

from rnass.config import DecodingConfig
from rnass.decoding import decode
from rnass.io.stockholm_records import wuss
from rnass.prediction.relatives import (
    DECODING,
    MOST_COMPARATIVE,
    AlignedRow,
    AlignedRows,
    ColumnPairs,
    combine,
    comparative_weight,
    consensus_map,
    conservation,
    covariation,
    crosses,
    decoded_map,
    fit_of_rows,
    trust,
)
from rnass.structure import Structure
from rnass.thermodynamics.base_pairs import BasePairProbabilities
from rnass.thermodynamics.comparative import ConsensusFold
from rnass.thermodynamics.ensemble import Ensemble

ROWS = AlignedRows(("a", "b", "c"), ("GGAC-AAAGUCC", "GCACAAAAGUGC", "GGUC-AAAGACC"))


def test_columns_and_rows():
    assert ROWS.bases == ["GGACAAAGUCC", "GCACAAAAGUGC", "GGUCAAAGACC"]
    assert ROWS.places[0].tolist() == [0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11]
    assert ROWS.places[1].tolist() == list(range(12))
    np.testing.assert_allclose(ROWS.gaps[4], 2 / 3)


def test_copies_count_as_one():
    rows = AlignedRows(("a", "b", "c"), ("GGGGAAAACC", "GGGGAAAACC", "CCUUAAUUGG"))
    assert rows.weights.tolist() == [0.5, 0.5, 1]
    assert rows.depth == 2
    assert rows.identities[0, 1] == 1
    assert rows.identities[0, 2] == pytest.approx(0.2)


def test_log_odds_are_the_weighted_sum_of_both_sources():
    maps = [
        np.full((len(bases),) * 2, p) for bases, p in zip(ROWS.bases, (0.2, 0.5, 0.999), strict=True)
    ]
    fold = ROWS.fold()
    found = combine(ROWS, maps, fold).log_odds
    share = comparative_weight(3)
    ali = logit(np.clip(fold.bpp.dense().astype(float), 0.1, 0.99))
    every = (logit(0.2) + logit(0.5) + logit(0.99)) / 3
    assert found[0, 11] == pytest.approx((1 - share) * every + share * ali[0, 11])
    assert found[4, 5] == pytest.approx((1 - share) * logit(0.5) + share * ali[4, 5])  # one row has both
    np.testing.assert_allclose(found, found.T)


def test_a_pair_that_no_source_supports_cannot_form():
    maps = [np.full((len(bases),) * 2, 0.009) for bases in ROWS.bases]
    found = combine(ROWS, maps, ROWS.fold()).log_odds
    assert found[0, 11] > -np.inf  # RNAalifold has it
    assert found[1, 8] == -np.inf


def test_a_row_counts_as_one_more_beside_its_columns():
    """One pair that competes with no other keeps the probability of the mean of its log-odds."""
    log_odds = np.full((8, 8), -np.inf)
    log_odds[1, 7] = log_odds[7, 1] = 2.0
    own = np.zeros((7, 7))
    own[0, 6] = own[6, 0] = 0.3
    row = AlignedRow("GAAAAAC", np.arange(1, 8), own)
    columns = ColumnPairs(log_odds, np.zeros((8, 8), bool), depth=3.0)
    found = decoded_map(columns, row)
    assert found[0, 6] == found[6, 0] == pytest.approx(expit((3 * 2.0 + logit(0.3)) / 4), abs=1e-4)
    assert np.count_nonzero(found) == 2
    half = decoded_map(columns, row, trust=0.5)
    assert half[0, 6] == pytest.approx(expit((3 * 2.0 + logit(0.3)) / 8 + logit(0.3) / 2), abs=1e-4)


def ensemble_of(pairs, probability):
    rows = np.column_stack([pairs, np.full(len(pairs), probability)])
    return BasePairProbabilities.from_pairs(22, rows)


def test_pairs_that_cross_the_nested_structure_are_judged_by_the_rows_maps():
    """RNAalifold's ensemble cannot show the pseudoknot's pairs, which nothing then speaks against."""
    text = "GGGGAAGCCGAACCCCAACGGC"
    structure = Structure.from_dot_bracket("((((..[[[[..))))..]]]]")
    own = np.full((22, 22), 0.005)
    nested, knot = (structure.pairs[structure.orders == order] for order in (0, 1))
    for pairs, probability in ((nested, 0.95), (knot, 0.8)):
        own[tuple(pairs.T)] = own[tuple(pairs.T[::-1])] = probability
    rows = AlignedRows(("a", "b"), (text, "GGCCAAGCGGAAGGCCAACCGC"))
    empty = ensemble_of(knot, 0.0)
    outer = Structure(22, nested)
    ensemble = ensemble_of(nested, 0.875)
    columns = combine(rows, [own, own], ConsensusFold(-5, outer, ensemble, empty))
    share = comparative_weight(2)
    i, j = knot[0]
    assert columns.crossing[i, j]
    assert columns.log_odds[i, j] == pytest.approx(logit(0.8))
    i, j = nested[0]
    assert columns.log_odds[i, j] == pytest.approx((1 - share) * logit(0.95) + share * logit(0.875))
    columns = combine(rows, [own, own], ConsensusFold(-5, outer, ensemble, ensemble_of(knot, 0.25)))
    i, j = knot[0]
    assert columns.log_odds[i, j] == pytest.approx((1 - share) * logit(0.8) + share * logit(0.25))


def test_a_rows_own_map_counts_as_a_tenth_at_least_where_a_pair_crosses_the_columns():
    log_odds = np.full((7, 7), -np.inf)
    log_odds[0, 6] = log_odds[6, 0] = 2.0
    row = AlignedRow("GAAAAAC", np.arange(7), np.zeros((7, 7)))
    for crossing, least in ((True, 0.1), (False, 0.01)):
        columns = ColumnPairs(log_odds, np.full((7, 7), crossing), depth=3.0)
        expected = expit((3 * 2.0 + logit(least)) / 4)
        assert decoded_map(columns, row)[0, 6] == pytest.approx(expected, abs=1e-4)


@given(st.permutations(range(14)), st.integers(0, 7))
def test_crossing_pairs_are_those_of_which_one_end_is_inside(bases, number):
    pairs = [tuple(sorted(bases[2 * k : 2 * k + 2])) for k in range(number)]
    found = crosses(Structure(14, pairs))
    for i, j in itertools.combinations(range(14), 2):
        assert found[i, j] == any(i < k < j < m or k < i < m < j for k, m in pairs)
    np.testing.assert_array_equal(found, found.T)
    assert not found.diagonal().any()


@given(st.integers(0, 10_000))
def test_a_base_has_one_partner_at_most(seed):
    rng = np.random.default_rng(seed)
    maps = []
    for bases in ROWS.bases:
        own = rng.random((len(bases),) * 2)
        maps.append((own + own.T) / 2)
    columns = combine(ROWS, maps, ROWS.fold())
    for place, bases, own in zip(ROWS.places, ROWS.bases, maps, strict=True):
        found = decoded_map(columns, AlignedRow(bases, place, own))
        assert found.sum(1).max() <= 1 + 1e-5
        assert not found.diagonal().any()
        assert found[0, 1] == 0  # no room for a hairpin
        np.testing.assert_array_equal(found, found.T)
    assert consensus_map(ROWS, columns).sum(1).max() <= 1 + 1e-5


def test_one_row_has_no_comparative_weight_and_more_rows_have_more():
    weights = [comparative_weight(depth) for depth in (1, 2, 4, 10, 1000)]
    assert weights[0] == 0
    assert weights == sorted(weights)
    assert weights[-1] <= MOST_COMPARATIVE


def test_one_row_alone_or_with_copies_keeps_its_map():
    own = np.random.default_rng(1).random((12, 12)).astype(np.float32) / 12
    for names in (("a",), ("a", "b")):
        rows = AlignedRows(names, ("GGGGAAAACCCC",) * len(names))
        fold = rows.fold()
        (share, *_) = trust(rows, fold, [-5.0] * len(names))
        row = AlignedRow(rows.bases[0], rows.places[0], own)
        found = decoded_map(combine(rows, [own] * len(names), fold), row, share)
        np.testing.assert_array_equal(found, own)


def test_covariation_of_each_pair():
    consensus = Structure.from_dot_bracket("((((....))))")
    table = {(one.i, one.j): one for one in covariation(ROWS, consensus)}
    outer, second, third, inner = (table[pair] for pair in ((0, 11), (1, 10), (2, 9), (3, 8)))
    assert (outer.commonest, outer.compensatory, outer.consistent) == ("GC", 0, 0)
    assert (second.commonest, second.compensatory, second.covaries) == ("GC", 1, True)
    assert (third.commonest, third.compensatory) == ("AU", 1)
    assert (inner.commonest, inner.contradicting, inner.missing) == ("CG", 0, 0)


def test_consistent_contradicting_and_missing_rows():
    rows = AlignedRows(tuple("abcde"), ("GAAAAC", "GAAAAC", "GAAAAU", "AAAAAC", "-AAAAC"))
    (one,) = covariation(rows, Structure(6, [(0, 5)]))
    assert (one.commonest, one.compensatory, one.consistent) == ("GC", 0, 1)
    assert (one.contradicting, one.missing, one.covaries) == (1, 1, False)
    fit = fit_of_rows(rows, Structure(6, [(0, 5)]))
    np.testing.assert_array_equal(fit, [1, 1, 1, 0, np.nan])
    unknown = AlignedRows(("a", "b"), ("NAAAAC", "GAAAAC"))
    np.testing.assert_array_equal(fit_of_rows(unknown, Structure(6, [(0, 5)])), [np.nan, 1])


def test_rnaalifold_finds_the_helix_of_the_family():
    assert ROWS.fold().mfe_structure.dot_bracket == "((((....))))"


def test_a_family_is_trusted_and_rows_in_shuffled_columns_are_not():
    family = AlignedRows(
        ("a", "b", "c"),
        ("GGGAUCCGAAAGGAUCCCAAA", "GGCAUGCGAAAGCAUGCCAAA", "GCGAACCGAAAGGUUCGCAAA"),
    )
    energies = [Ensemble(bases).mfe for bases in family.bases]
    fold = family.fold()
    assert conservation(fold, energies) == pytest.approx(fold.mfe / np.mean(energies))
    assert conservation(fold, energies) > 1
    np.testing.assert_array_equal(trust(family, fold, energies), 1)
    order = np.random.default_rng(3).permutation(21)
    shuffled = ["".join(text[k] for k in order) for text in family.texts[1:]]
    wrong = AlignedRows(family.names, (family.texts[0], *shuffled))
    assert trust(wrong, wrong.fold(), [Ensemble(bases).mfe for bases in wrong.bases])[0] < 0.1


def test_where_no_row_folds_nothing_is_held_against_the_alignment():
    rows = AlignedRows(("a", "b"), ("AAAAAA", "AAACAA"))
    assert conservation(rows.fold(), [0.0, 0.0]) == 1


def test_crossing_helices_of_the_rows_stay_in_the_consensus():
    texts = ("GGGAACCCCAAACCCAAAGGGG", "GCGAACGCCAAACGCAAAGGCG", "GCGAACCCGAAACGCAAACGGG")
    structure = Structure.from_dot_bracket("(((..[[[[...)))...]]]]")
    rows = AlignedRows(("a", "b", "c"), texts)
    own = np.full((22, 22), 0.01)
    own[tuple(structure.pairs.T)] = own[tuple(structure.pairs.T[::-1])] = 0.95
    columns = consensus_map(rows, combine(rows, [own] * 3, rows.fold()))
    found = decode(columns, "A" * 22, DecodingConfig(canonical=False, **DECODING))
    assert found == structure
    assert wuss(found) == "AAA..<<<<...aaa...>>>>"  # the longer helix is the nested one


def test_the_consensus_has_no_pair_in_columns_of_gaps_or_of_pairs_that_cannot_form():
    rows = AlignedRows(("a", "b", "c"), ("G--AAAAC-C", "C--AAUAC-G", "GAGAAAAACC"))
    given = ColumnPairs(np.full((10, 10), 5.0), np.zeros((10, 10), bool), rows.depth)
    columns = consensus_map(rows, given)
    assert columns[0, 9] > 0.9
    assert columns[2, 8] == 0  # one row of three has these
    assert columns[3, 7] == 0  # A and C
    near = DecodingConfig(canonical=False, max_span=9)  # a bound of decoding alone
    assert [0, 9] in decode(columns, "A" * 10, replace(near, max_span=None)).pairs.tolist()
    assert [0, 9] not in decode(consensus_map(rows, given, near), "A" * 10, near).pairs.tolist()
