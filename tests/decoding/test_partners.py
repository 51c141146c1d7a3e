"""One partner for each base: by hand, by the equations that define it, and on RNAs without a pair."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnass import load_predictor
from rnass.decoding import allowed_pairs, one_partner
from rnass.decoding.partners import partner_log_odds, partner_probabilities

HAIRPIN = "GGGCACGUAGCGAUUUCGAUCGCUACGUGCC"


@pytest.fixture(scope="module")
def base():
    return load_predictor("base")


def symmetric(rng, length, scale=3.0):
    log_odds = np.triu(rng.normal(-2, scale, (length, length)), 1)
    log_odds += log_odds.T
    np.fill_diagonal(log_odds, -np.inf)
    return log_odds


def minimised(log_odds):
    """The probabilities where the convex function is least, by Newton's method to the last digits."""
    weights, x = np.exp(log_odds), np.zeros(len(log_odds))
    for step in range(500):
        unpaired = np.exp(x)
        pairs = weights * unpaired * unpaired[:, None]
        gradient = unpaired + pairs.sum(1) - 1
        if step < 200:  # towards the minimum first, where Newton's steps are safe
            x -= (x + np.log1p(weights @ unpaired)) / 2
        elif np.abs(gradient).max() > 1e-12:
            x -= np.linalg.solve(pairs + np.diag(unpaired + pairs.sum(1)), gradient)
        else:
            return pairs
    raise AssertionError("Newton's method does not converge")


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 40), st.integers(0, 2**32 - 1))
def test_it_is_the_minimum_of_the_convex_function(length, seed):
    log_odds = symmetric(np.random.default_rng(seed), length)
    p = partner_probabilities(log_odds)
    assert p.sum(1).max() <= 1 + 1e-12
    assert np.array_equal(p, p.T)
    assert p == pytest.approx(minimised(log_odds), abs=2e-3)


def test_a_pair_without_a_rival_keeps_its_probability_and_rivals_share():
    p = np.zeros((12, 12))
    p[0, 11] = p[11, 0] = 0.9
    assert one_partner(p, "G" + "A" * 10 + "C")[0, 11] == pytest.approx(0.9, abs=1e-4)
    p[0, 6] = p[6, 0] = 0.9
    both = one_partner(p, "GAAAAACAAAAC")
    assert both[0, 11] == pytest.approx(both[0, 6], abs=1e-4)
    assert 0.4 < both[0, 6] < 0.5


def test_log_odds_are_the_inverse():
    log_odds = symmetric(np.random.default_rng(1), 30, 2.0)
    p = partner_probabilities(log_odds)
    off = ~np.eye(30, dtype=bool)
    assert partner_log_odds(p)[off] == pytest.approx(log_odds[off], abs=0.01)


def test_pairs_that_cannot_form_have_probability_0():
    p = np.full((8, 8), 0.5)
    found = one_partner(p, "GANAAAUC")
    assert {(i, j) for i, j in np.argwhere(found).tolist() if i < j} == {(0, 6), (0, 7), (1, 6)}


@pytest.mark.parametrize("length", [30, 200, 400])
@pytest.mark.parametrize("unit", ["A", "U", "G", "C", "CA", "N"])
def test_an_rna_that_cannot_pair_is_predicted_open_with_confidence_1(base, unit, length):
    found = base((unit * length)[:length])
    assert not found.probabilities.any()
    assert len(found.structure.pairs) == 0
    assert found.confidence == 1
    assert (found.base_confidence == 1).all()


@pytest.mark.parametrize("bases", ["A", "GC", "GAC", "GAAC", "N"])
def test_an_rna_too_short_to_pair(base, bases):
    found = base(bases)
    assert not found.probabilities.any()
    assert found.confidence == 1


@pytest.mark.parametrize("unit", ["A", "CA"])
def test_a_hairpin_keeps_its_confidence_in_unpaired_flanks(base, unit):
    alone = base(HAIRPIN)
    assert alone.confidence > 0.9
    flank = (unit * 200)[:200]
    found = base(flank + HAIRPIN + flank)
    inside = found.structure.pairs - 200
    assert {tuple(p) for p in alone.structure.pairs.tolist()} <= {tuple(p) for p in inside.tolist()}
    assert found.confidence > 0.8


def test_rows_add_up_to_at_most_1_in_every_map(base):
    rng = np.random.default_rng(2)
    for length in (20, 90, 300):
        found = base("".join(rng.choice(list("ACGUN"), length, p=[0.24, 0.24, 0.24, 0.24, 0.04])))
        assert found.probabilities.sum(1).max() <= 1 + 1e-5
        assert (found.probabilities[~(a := allowed_pairs(found.rna.bases)) & ~a.T] == 0).all()
