"""Mixtures and probing data; the formulas are worked by hand or taken from ViennaRNA."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rnass.decoding import (
    add_log_odds,
    change_log_odds,
    clean_reactivities,
    decode,
    mix_log_odds,
    pseudo_reactivities,
    shape_log_odds,
)
from rnass.decoding.partners import partner_log_odds, partner_probabilities
from rnass.decoding.probing import log_likelihood_ratios
from rnass.errors import InputError

RNA = pytest.importorskip("RNA")

KT = 0.6163207755  # kcal/mol at 37 C, ViennaRNA's exp_params.kT / 1000


def pair(*probabilities):
    """A map of as many pairs that compete with none: bases 0 and 1, 2 and 3, ..."""
    p = np.zeros((2 * len(probabilities),) * 2)
    for k, value in enumerate(probabilities):
        p[2 * k, 2 * k + 1] = p[2 * k + 1, 2 * k] = value
    return p


def test_mixture_of_log_odds_by_hand():
    """p = 1/2 is log 2 (a = 1/2), p = 9/10 log 90 (a = 1/10); w = sqrt(180) in a + w a^2 = 1."""
    a = (-1 + np.sqrt(1 + 4 * np.sqrt(180))) / (2 * np.sqrt(180))
    assert mix_log_odds(pair(0.5), pair(0.9), 0.5)[0, 1] == pytest.approx(1 - a, abs=1e-4)


@given(st.floats(1e-5, 1 - 1e-5), st.floats(1e-5, 1 - 1e-5), st.floats(0, 1))
def test_mixture_lies_between(p, q, weight):
    mixed = mix_log_odds(pair(p), pair(q), weight)[0, 1]
    assert min(p, q) - 1e-4 <= mixed <= max(p, q) + 1e-4


def test_mixture_at_its_ends_and_at_zero():
    p, q = pair(0.3, 0.0, 0.0), pair(0.8, 0.0, 0.4)
    assert mix_log_odds(p, q, 0.0)[[0, 2], [1, 3]] == pytest.approx([0.3, 0.0], abs=1e-4)
    assert mix_log_odds(p, q, 1.0)[[0, 2], [1, 3]] == pytest.approx([0.8, 0.0], abs=1e-4)
    assert 1e-4 < mix_log_odds(p, q, 0.5)[4, 5] < 0.4  # a zero does not override
    assert mix_log_odds(p.astype(np.float32), q.astype(np.float32), 0.5).dtype == np.float32


def test_mixture_refuses_shapes_and_weights():
    with pytest.raises(InputError, match="expected one shape"):
        mix_log_odds(np.zeros((2, 2)), np.zeros((3, 3)), 0.5)
    with pytest.raises(InputError, match=r"weight: 1.5; expected 0 to 1"):
        mix_log_odds(np.zeros((2, 2)), np.zeros((2, 2)), 1.5)


def test_change_of_log_odds_by_hand():
    """p = 1/2: w = 2. From 0.9 (w = 90) to 0.5 (w = 2) it becomes 4/90, of which a + 4/90 a^2 = 1."""
    w = 4 / 90
    a = (-1 + np.sqrt(1 + 4 * w)) / (2 * w)
    p = change_log_odds(pair(0.5, 0.0), pair(0.9, 0.0), pair(0.5, 0.9))
    assert p[[0, 2], [1, 3]] == pytest.approx([1 - a, 0.0], abs=1e-4)


def test_change_of_log_odds_keeps_the_precision():
    p, q = pair(0.5).astype(np.float32), pair(0.9).astype(np.float32)
    assert change_log_odds(p, q, p).dtype == np.float32


def test_change_of_log_odds_is_bounded():
    """What is above 0.99 counts as 0.99, so that rounding shows nowhere; 0 counts as 0.0001."""
    certain = change_log_odds(pair(0.7), pair(0.9999), pair(0.991))
    np.testing.assert_allclose(certain, pair(0.7), atol=1e-4)
    np.testing.assert_array_equal(
        change_log_odds(pair(0.9999), pair(0.8), pair(0.1)),
        change_log_odds(pair(0.9995), pair(0.8), pair(0.1)),
    )
    np.testing.assert_allclose(
        change_log_odds(pair(0.7), pair(0.8), pair(0.0)),
        change_log_odds(pair(0.7), pair(0.8), pair(1e-4)),
        rtol=1e-3,
    )


@given(st.floats(0.01, 0.99), st.floats(0.01, 0.98), st.floats(0.01, 0.98))
def test_change_of_log_odds_and_back(p, q, other):
    there = change_log_odds(pair(p), pair(q), pair(other))
    assume(there[0, 1] < 0.98)  # else it is cut at 0.99
    assert bool(there[0, 1] > p) == (other > q) or abs(there[0, 1] - p) < 1e-3
    np.testing.assert_allclose(change_log_odds(there, pair(other), pair(q)), pair(p), atol=2e-3)


def test_evidence_adds_up_over_both_bases():
    """p = 1/2: w = 2; evidence of 3 and 2 makes it 12, a + 12 a^2 = 1 has a = 1/4. 0 stays 0."""
    found = add_log_odds(pair(0.5, 0.0), [np.log(3), np.log(2), 5.0, 5.0])
    assert found[0, 1] == found[1, 0] == pytest.approx(3 / 4, abs=1e-4)
    assert found[2, 3] == 0


def test_no_evidence_changes_nothing():
    p = np.array([[0, 0.6, 0.3, 0], [0.6, 0, 0, 0.2], [0.3, 0, 0, 0.5], [0, 0.2, 0.5, 0]])
    assert add_log_odds(p, np.zeros(4)) == pytest.approx(p, abs=1e-3)


def test_evidence_of_another_length_is_refused():
    with pytest.raises(InputError, match=r"3 bases, map \(2, 2\)"):
        add_log_odds(np.zeros((2, 2)), np.zeros(3))


@given(st.integers(0, 10_000))
def test_evidence_for_a_pair_counts_half_for_those_stacked_on_it(seed):
    """The oracle goes from pair to pair."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(6, 20))
    p = np.triu(rng.random((size, size)) ** 4 * (rng.random((size, size)) < 0.7) / size, 4)
    p += p.T
    evidence = rng.normal(size=size)

    def value(i, j):
        return p[i, j] if 0 <= i < size and 0 <= j < size else 0.0

    shift = np.zeros_like(p)
    for i, j in np.argwhere(p > 0):
        shift[i, j] = evidence[i] + evidence[j]
        for way in (1, -1):
            one, two = value(i + way, j - way), value(i + 2 * way, j - 2 * way)
            near = min(1, one / p[i, j])
            far = min(near, two / p[i, j])
            if one:
                shift[i, j] += near / 2 * (evidence[i + way] + evidence[j - way])
            if two:
                shift[i, j] += far / 2 * (evidence[i + 2 * way] + evidence[j - 2 * way])
    expected = partner_probabilities(partner_log_odds(p) + shift)
    np.testing.assert_allclose(add_log_odds(p, evidence), expected, atol=1e-6)


def test_a_helix_is_lifted_together():
    """Ten pairs of 0.1: evidence for one of them reaches two on either side, none beyond."""
    size = 30
    p = np.zeros((size, size))
    for k in range(10):
        p[k, size - 1 - k] = p[size - 1 - k, k] = 0.1
    evidence = np.zeros(size)
    evidence[5] = 2.0
    found = np.array([add_log_odds(p, evidence)[k, size - 1 - k] for k in range(10)])
    lifted = np.array(
        [
            partner_probabilities([[-np.inf, x], [x, -np.inf]])[0, 1]
            for x in np.log(0.1 / 0.9**2) + np.array([0, 0, 0, 1, 1, 2, 1, 1, 0, 0])
        ]
    )
    assert found == pytest.approx(lifted, abs=1e-4)


def test_missing_is_not_zero():
    values = [np.nan, -999.0, -500.0, np.inf, -0.2, 0.0, 1.0]
    assert clean_reactivities(values) == pytest.approx([np.nan] * 4 + [0.0, 0.0, 1.0], nan_ok=True)
    for method in ("deigan", "likelihood"):
        odds = shape_log_odds(pseudo_reactivities(values, "A" * 7, method=method))
        assert odds[:4].tolist() == [0.0] * 4
        assert odds[5] > 0.5
        assert odds[4] == odds[5]
        assert odds[6] < -0.9


def test_deigan_energy_is_viennas():
    """A helix of four pairs with reactivity r: three stacks of four bases each."""
    sequence, structure = "GGGGAAAACCCC", "((((....))))"
    for r in (0.1, 0.5, 1.0, 2.0):
        plain, probed = RNA.fold_compound(sequence), RNA.fold_compound(sequence)
        probed.sc_add_SHAPE_deigan([0.0] + [r] * 12, 1.8, -0.6)
        energy = (probed.eval_structure(structure) - plain.eval_structure(structure)) / 12
        assert shape_log_odds([r])[0] == pytest.approx(-energy / KT, abs=0.02)  # 0.01 kcal/mol steps


@pytest.mark.parametrize("modifier", ["1M7", "2A3", "DMS"])
@pytest.mark.parametrize("base", "ACGUN")
def test_likelihood_ratios_fall_with_reactivity_and_missing_bases_have_none(modifier, base):
    ratios = log_likelihood_ratios(np.linspace(0, 3, 200), base * 200, modifier)
    if base == "N" or (modifier == "DMS" and base in "GU"):
        assert np.isnan(ratios).all()
    else:
        assert (np.diff(ratios) <= 1e-12).all()
        assert ratios[0] > 0.9
        assert ratios[-1] < -0.9


@pytest.mark.parametrize("modifier", ["1M7", "2A3", "DMS"])
def test_the_likelihood_method_gives_deigans_formula_the_fitted_ratios(modifier):
    """Where they favour pairing by no more than the formula can, 0.6 kcal/mol."""
    values, bases = np.tile(np.linspace(0, 2, 21), 2), "A" * 21 + "C" * 21
    odds = shape_log_odds(pseudo_reactivities(values, bases, modifier=modifier, method="likelihood"))
    ratios = log_likelihood_ratios(values, bases, modifier)
    assert odds == pytest.approx(np.minimum(ratios, 0.6 / KT), abs=1e-3)


def test_deigans_method_leaves_reactivities_and_drops_bases_that_do_not_report():
    values = [0.1, 0.5, 1.0, 2.0, 0.3]
    assert pseudo_reactivities(values, "ACGUN", method="deigan").tolist() == values
    found = pseudo_reactivities(values, "ACGUN", modifier="DMS", method="deigan")
    assert np.isnan(found).tolist() == [False, False, True, True, False]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "zarringhalam"}, "expected one of 1M7, 2A3, DMS and 'deigan' or 'likelihood'"),
        ({"modifier": "NAI"}, "modifier 'NAI'"),
    ],
)
def test_another_method_or_modifier_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        pseudo_reactivities([1.0], "A", **options)
    with pytest.raises(InputError, match="reactivities of 1 base; expected 2"):
        pseudo_reactivities([1.0], "AA")


def test_reactivities_turn_a_decision():
    p = np.zeros((12, 12))
    for i in range(3):
        p[i, 11 - i] = p[11 - i, i] = 0.6
    bases = "GGGAAAAAACCC"
    reactive = shape_log_odds([1.0, 1.0, 1.0] + [np.nan] * 9)
    assert len(decode(p, bases).pairs) == 3
    assert len(decode(add_log_odds(p, reactive), bases).pairs) == 0
    weak = np.where(p > 0, 0.4, 0)
    quiet = shape_log_odds([0.0] * 12)
    assert len(decode(weak, bases).pairs) == 0
    assert len(decode(add_log_odds(weak, quiet), bases).pairs) == 3
