"""Blended windows, and decoding of sparse maps: the oracles are the same maps, whole and dense."""

import re

import numpy as np
import pytest
from oracles import random_case
from scipy.sparse import csr_array

from rnass.config import DecodingConfig
from rnass.constraints import Constraints
from rnass.decoding import base_confidence, decode, expected_f1
from rnass.decoding.blending import Blend
from rnass.decoding.partners import partner_probabilities
from rnass.errors import ConstraintError, InputError
from rnass.structure import Structure


def random_map(rng, length):
    log_odds = rng.normal(-3, 2, (length, length))
    log_odds = np.triu(log_odds, 4)
    return partner_probabilities(np.where(log_odds + log_odds.T, log_odds + log_odds.T, -np.inf))


def test_one_window_is_the_whole_map():
    p = random_map(np.random.default_rng(1), 30)
    blend = Blend(30, 30)
    blend.add(0, p)
    np.testing.assert_allclose(blend.probabilities().toarray(), p, atol=1.01e-4)


def test_windows_are_weighted_base_by_base():
    """The oracle is the definition, pair by pair."""
    rng = np.random.default_rng(2)
    length, window, starts = 50, 20, [0, 10, 20, 30]
    blend = Blend(length, window)
    maps = [random_map(rng, window) for _ in starts]
    weight = np.zeros((len(starts), length))
    for k, (first, p) in enumerate(zip(starts, maps, strict=True)):
        blend.add(first, p)
        for base in range(window):
            cuts = [*([base + 1] if first else []), *([window - base] if first < 30 else [])]
            weight[k, first + base] = min(cuts)
    expected = np.zeros((length, length))
    for i in range(length):
        for j in range(i + 1, length):
            both = [k for k, first in enumerate(starts) if first <= i and j < first + window]
            each = [np.sqrt(weight[k, i] * weight[k, j]) for k in both]
            values = [maps[k][i - starts[k], j - starts[k]] for k in both]
            shares = [weight[both, base].sum() / weight[:, base].sum() for base in (i, j)]
            if both:
                expected[i, j] = np.average(values, weights=each) * np.sqrt(np.prod(shares))
    expected += expected.T
    assert expected.sum(1).max() < 1
    got = blend.probabilities().toarray()
    np.testing.assert_allclose(got, expected, atol=1.01e-4)
    np.testing.assert_array_equal(got, got.T)


def test_a_pair_of_which_all_windows_are_sure_stays_so():
    """Pair (12, 17) of 30 bases lies in both windows."""
    blend = Blend(30, 20)
    for first in (0, 10):
        one = np.zeros((20, 20))
        one[12 - first, 17 - first] = one[17 - first, 12 - first] = 0.7
        blend.add(first, one)
    assert blend.probabilities()[12, 17] == pytest.approx(0.7)


def test_windows_that_contradict_each_other_give_no_base_two_partners():
    """Base 14 of 30 pairs with 4 in the first window and with 25 in the second, surely."""
    blend = Blend(30, 20)
    for first, other in ((0, 4), (10, 25)):
        one = np.zeros((20, 20))
        one[14 - first, other - first] = one[other - first, 14 - first] = 1
        blend.add(first, one)
    got = blend.probabilities()
    assert got.sum(1).max() == pytest.approx(1)
    assert got[4, 14] > 0.4
    assert got[14, 25] > 0.4


@pytest.mark.parametrize("objective", ["log_odds", "accuracy", "unpaired_odds"])
@pytest.mark.parametrize("settings", [{}, {"min_helix": 2}, {"max_order": 0}, {"max_span": 9}])
def test_a_sparse_map_is_decoded_as_the_dense_one(objective, settings):
    options = DecodingConfig(min_hairpin=1, threshold=0.1, objective=objective, **settings)
    rng = np.random.default_rng(3)
    for _ in range(20):
        bases, p = random_case(rng, 16)
        p /= 3
        p[p < 0.1] = 0
        upper = np.triu(p, 1)
        p /= max(1.0, (upper.sum(0) + upper.sum(1)).max())
        given = Constraints(paired=frozenset({3}), unpaired=frozenset({5}))
        for constraints in (Constraints(), given):
            try:
                dense = decode(p, bases, options, constraints=constraints)
            except ConstraintError as error:
                with pytest.raises(ConstraintError, match=re.escape(str(error))):
                    decode(csr_array(p), bases, options, constraints=constraints)
                continue
            assert decode(csr_array(p), bases, options, constraints=constraints) == dense


def test_confidence_of_a_sparse_map_is_that_of_the_dense_one():
    p = random_map(np.random.default_rng(4), 20)
    for pairs in ([], [(0, 9), (1, 8), (12, 19)]):
        structure = Structure(20, pairs)
        assert expected_f1(csr_array(p), structure) == pytest.approx(expected_f1(p, structure))
        np.testing.assert_allclose(
            base_confidence(csr_array(p), structure), base_confidence(p, structure)
        )


def test_a_sparse_map_with_a_wrong_value_or_shape_is_refused():
    with pytest.raises(InputError, match="outside of 0 to 1"):
        expected_f1(csr_array(np.full((3, 3), 1.5)), Structure(3, []))
    with pytest.raises(InputError, match=r"expected \(4, 4\)"):
        expected_f1(csr_array(np.zeros((3, 3))), Structure(4, []))
