"""Agreement: a worked example, scikit-learn on the flattened matrices, scipy, and the edge cases."""

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st

from rnass.errors import InputError
from rnass.metrics import (
    Confusion,
    bootstrap_interval,
    calibration_bins,
    compare,
    confusion,
    crossing_pairs,
    expected_calibration_error,
    noncanonical_pairs,
    pooled,
    score,
)
from rnass.structure import Structure


def parse(text):
    return Structure.from_dot_bracket(text)


def random_structure(rng, length, pairs):
    bases = rng.permutation(length)[: 2 * pairs]
    return Structure(length, bases.reshape(-1, 2))


def test_a_worked_example():
    """Known (1,10) (2,9) (3,8); predicted (1,10) (2,8): one right, one wrong, two missed of 45 pairs."""
    found = score(Structure(10, [(0, 9), (1, 8), (2, 7)]), Structure(10, [(0, 9), (1, 7)]))
    assert (found.tp, found.fp, found.fn) == (1, 1, 2)
    assert found.ppv == 1 / 2
    assert found.sensitivity == 1 / 3
    assert found.f1 == pytest.approx(0.4)
    assert found.inf == pytest.approx((1 / 6) ** 0.5)
    assert found.mcc == pytest.approx((1 * 41 - 1 * 2) / (2 * 3 * 42 * 43) ** 0.5)


def test_shifted_counts_each_side_by_itself():
    """(2,8) is one off both (2,9) and (3,8): one predicted pair right, all three known pairs found."""
    known, guess = Structure(10, [(0, 9), (1, 8), (2, 7)]), Structure(10, [(0, 9), (1, 7)])
    counts = confusion(known, guess, shift=1)
    assert (counts.tp, counts.fp, counts.found, counts.fn) == (2, 0, 3, 0)


@pytest.mark.parametrize(
    ("pair", "held"), [((5, 20), 1), ((4, 20), 1), ((6, 20), 1), ((5, 19), 1), ((5, 21), 1)]
)
def test_shift_of_one_end_counts(pair, held):
    counts = confusion(Structure(30, [(5, 20)]), Structure(30, [pair]), shift=1)
    assert (counts.tp, counts.found) == (held, held)


@pytest.mark.parametrize("pair", [(4, 21), (6, 19), (4, 19), (7, 20), (5, 22)])
def test_shift_of_both_ends_or_by_two_does_not(pair):
    counts = confusion(Structure(30, [(5, 20)]), Structure(30, [pair]), shift=1)
    assert (counts.tp, counts.found) == (0, 0)


def test_shifted_equals_the_definition_on_random_structures():
    rng = np.random.default_rng(2)
    for _ in range(50):
        known, guess = random_structure(rng, 14, 5), random_structure(rng, 14, 6)
        near = {(i + a, j + b) for i, j in known.pairs.tolist() for a, b in STEPS}
        counts = confusion(known, guess, shift=1)
        assert counts.tp == sum(tuple(pair) in near for pair in guess.pairs.tolist())
        assert confusion(guess, known, shift=1).tp == counts.found


STEPS = [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)]


def test_agrees_with_scikit_learn():
    rng = np.random.default_rng(1)
    for _ in range(30):
        known, guess = random_structure(rng, 12, 4), random_structure(rng, 12, 4)
        upper = np.triu_indices(12, 1)
        truth, label = (flat(s)[upper] for s in (known, guess))
        found = score(known, guess)
        assert found.ppv == pytest.approx(sklearn.metrics.precision_score(truth, label))
        assert found.sensitivity == pytest.approx(sklearn.metrics.recall_score(truth, label))
        assert found.f1 == pytest.approx(sklearn.metrics.f1_score(truth, label))
        assert found.mcc == pytest.approx(sklearn.metrics.matthews_corrcoef(truth, label))


def flat(structure):
    matrix = np.zeros((len(structure),) * 2, dtype=int)
    matrix[tuple(structure.pairs.T)] = 1
    return matrix


def test_empty_structures():
    empty, full = parse("......"), parse("((..))")
    for name in ("ppv", "sensitivity", "f1", "mcc", "inf"):
        assert getattr(score(empty, empty), name) == 1
        assert getattr(score(empty, full), name) == 0
        assert getattr(score(full, empty), name) == 0
        assert getattr(score(full, full), name) == pytest.approx(1)


def test_nothing_in_common_scores_zero():
    found = score(parse("(...)."), parse(".(...)"))
    assert (found.f1, found.inf) == (0, 0)
    assert found.mcc < 0


@given(st.integers(0, 2**32 - 1))
def test_swapping_the_two_swaps_ppv_and_sensitivity(seed):
    rng = np.random.default_rng(seed)
    one, other = random_structure(rng, 16, 5), random_structure(rng, 16, 3)
    for shift in (0, 1):
        there, back = score(one, other, shift=shift), score(other, one, shift=shift)
        assert (there.ppv, there.f1) == pytest.approx((back.sensitivity, back.f1))
        assert there.f1 >= score(one, other).f1


def test_structures_of_other_lengths_are_refused():
    with pytest.raises(InputError, match="4 and 5 bases"):
        score(Structure(4), Structure(5))
    with pytest.raises(InputError, match="shift: 2; expected 0 or 1"):
        score(Structure(4), Structure(4), shift=2)


def test_crossing_pairs_are_those_of_each_structure():
    knot = parse("((..[[.))..]]..(...)")
    assert crossing_pairs(knot).pairs.tolist() == [[0, 8], [1, 7], [4, 12], [5, 11]]
    assert not len(crossing_pairs(parse("((...))")).pairs)
    assert score(crossing_pairs(knot), crossing_pairs(parse("((.....))..........."))).f1 == 0


def test_noncanonical_pairs():
    structure = Structure(6, [(0, 5), (1, 4), (2, 3)])
    assert noncanonical_pairs(structure, "GAGUGU").pairs.tolist() == [[1, 4]]
    with pytest.raises(InputError, match="3 for a structure of 6"):
        noncanonical_pairs(structure, "GAG")


def test_pooled_adds_counts_before_dividing():
    records = [Confusion(1, 1, 1, 10, 100), Confusion(9, 9, 19, 10, 100)]
    found = pooled(records)
    assert (found.ppv, found.sensitivity) == (0.5, 0.5)
    assert pooled([]).f1 == 1


def test_bootstrap_interval_covers_the_mean_as_the_normal_theory_says():
    values = np.random.default_rng(0).normal(0.5, 0.2, 400)
    low, high = bootstrap_interval(values, samples=4000)
    half = 1.96 * values.std() / 20
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.002)
    assert bootstrap_interval(values, seed=1) == bootstrap_interval(values, seed=1)
    assert bootstrap_interval([0.5]) == (0.5, 0.5)
    with pytest.raises(InputError, match="no values"):
        bootstrap_interval([])
    with pytest.raises(InputError, match="0 samples; expected at least one"):
        bootstrap_interval([0.5], samples=0)


def test_comparison_by_hand():
    """Eight records, seven differences of one sign: two-sided exact p = 2 / 2^7."""
    found = compare([0.1 * k for k in range(1, 8)] + [0.3], [0.0] * 7 + [0.3])
    assert (found.wins, found.ties, found.losses) == (7, 1, 0)
    assert found.p_value == pytest.approx(2 / 2**7)
    assert found.difference == pytest.approx(0.35)
    assert found.interval[0] < 0.35 < found.interval[1]


def test_comparison_of_equals():
    assert compare([0.5, 0.6], [0.5, 0.6]).p_value == 1
    with pytest.raises(InputError, match="1 and 2 records"):
        compare([0.5], [0.5, 0.6])


def test_calibration_error_by_hand():
    """Bins of 0.5: one pair at 0.9, known; two of three at 0.2 and 0.4, one known."""
    p = np.zeros((3, 3))
    p[0, 1], p[0, 2], p[1, 2] = 0.9, 0.2, 0.4
    counts = calibration_bins(p, Structure(3, [(0, 1)]), bins=2)
    assert counts == pytest.approx(np.array([[2, 0.6, 0], [1, 0.9, 1]]))
    assert expected_calibration_error(counts) == pytest.approx((0.6 + 0.1) / 3)


def test_calibrated_probabilities_have_no_error():
    rng = np.random.default_rng(0)
    p = np.triu(rng.random((400, 400)), 1)
    known = (rng.random(p.shape) < p).astype(float)
    upper = np.triu_indices(400, 1)
    index = np.minimum((p[upper] * 10).astype(int), 9)
    counts = np.column_stack(
        [np.bincount(index, w, 10) for w in (np.ones(len(index)), p[upper], known[upper])]
    )
    assert expected_calibration_error(counts) < 0.01
    assert calibration_bins(p, Structure(400))[:, :2] == pytest.approx(counts[:, :2])


def test_probability_one_belongs_to_the_last_bin():
    p = np.zeros((2, 2))
    p[0, 1] = 1.0
    assert calibration_bins(p, Structure(2, [(0, 1)]), bins=5)[4].tolist() == [1, 1, 1]
    assert expected_calibration_error(np.zeros((5, 3))) == 0
    with pytest.raises(InputError, match="expected one row and column per base"):
        calibration_bins(p, Structure(3))
    for bad in (np.nan, -0.1, 1.5):
        p[0, 1] = bad
        with pytest.raises(InputError, match=f"probabilities: {bad}; expected 0 to 1"):
            calibration_bins(p, Structure(2))
    with pytest.raises(InputError, match="bins: 0; expected at least one"):
        calibration_bins(np.zeros((2, 2)), Structure(2), bins=0)
