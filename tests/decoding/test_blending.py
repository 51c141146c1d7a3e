"""Blended windows, and decoding of sparse maps: the oracles are the same maps, whole and dense."""

import re

import numpy as np
import pytest
from oracles import random_case
from scipy.sparse import csr_array

from rnass.config import DecodingConfig
from rnass.constraints import Constraints
from rnass.decoding import base_confidence, decode_with_bound, expected_f1
from rnass.decoding.blending import Blend
from rnass.decoding.partners import partner_log_odds, partner_probabilities
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
    np.testing.assert_allclose(blend.probabilities().toarray(), p, atol=5e-4)


def test_windows_that_agree_in_log_odds_give_these():
    """Every window is cut out of one map of log-odds; beyond the windows no pair can form."""
    rng = np.random.default_rng(2)
    length, window = 50, 20
    place = np.arange(length)
    log_odds = rng.normal(-4, 2, (length, length))
    log_odds = np.where(place[:, None] + 4 <= place, log_odds, -np.inf)
    log_odds = np.maximum(log_odds, log_odds.T)
    starts = [0, 10, 20, 30]
    together = np.zeros((length, length), dtype=bool)
    blend = Blend(length, window)
    for first in starts:
        here = slice(first, first + window)
        together[here, here] = True
        blend.add(first, partner_probabilities(log_odds[here, here]))
    expected = partner_probabilities(np.where(together, log_odds, -np.inf))
    got = blend.probabilities().toarray()
    np.testing.assert_allclose(got, expected, atol=2e-3)
    np.testing.assert_array_equal(got, got.T)
    assert got.sum(1).max() <= 1 + 1e-6


def test_the_weight_falls_towards_an_end_that_cuts_the_rna():
    """One pair (4, 8) of 12 bases in windows of 10: in the first it is 2 bases from the cut, in the
    second 3 from it; ends of the RNA do not count."""
    blend = Blend(12, 10)
    log_odds = []
    for first, p in ((0, 0.9), (2, 0.2)):
        one = np.zeros((10, 10))
        one[4 - first, 8 - first] = one[8 - first, 4 - first] = p
        log_odds.append(partner_log_odds(one)[4 - first, 8 - first])
        blend.add(first, one)
    mean = (2 * log_odds[0] + 3 * log_odds[1]) / 5
    expected = partner_probabilities([[-np.inf, mean], [mean, -np.inf]])[0, 1]
    assert blend.probabilities()[4, 8] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("objective", ["log_odds", "accuracy", "unpaired_odds"])
@pytest.mark.parametrize("settings", [{}, {"min_helix": 2}, {"max_order": 0}, {"max_span": 9}])
def test_a_sparse_map_is_decoded_as_the_dense_one(objective, settings):
    options = DecodingConfig(min_hairpin=1, threshold=0.2, objective=objective, **settings)
    rng = np.random.default_rng(3)
    for _ in range(20):
        bases, p = random_case(rng, 16)
        p /= 3
        p[p < 0.1] = 0
        given = Constraints(paired=frozenset({3}), unpaired=frozenset({5}))
        for constraints in (Constraints(), given):
            try:
                dense = decode_with_bound(p, bases, options, constraints=constraints)
            except ConstraintError as error:
                with pytest.raises(ConstraintError, match=re.escape(str(error))):
                    decode_with_bound(csr_array(p), bases, options, constraints=constraints)
                continue
            assert decode_with_bound(csr_array(p), bases, options, constraints=constraints) == dense


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
