"""Compensatory mutation: pairs stay pairs, and everything moves at the rate asked for."""

import numpy as np
import pytest

from rnass.training.mutation import LOOP_SHARE, mutate

CANONICAL = {"AU", "UA", "GC", "CG", "GU", "UG"}
HELIX = 300
PAIRS = np.array([(k, 2 * HELIX + 99 - k) for k in range(HELIX)])
BASES = (
    "GACUGU" * 50
    + "ACGU" * 25
    + "".join({"G": "C", "A": "U", "C": "G", "U": "A"}[b] for b in ("GACUGU" * 50)[::-1])
)


def mutant(rate, seed=0, bases=BASES, pairs=PAIRS):
    return mutate(bases, pairs, np.random.default_rng(seed), rate)


def test_canonical_pairs_stay_canonical_and_change_at_the_rate():
    new = mutant(0.4)
    before, after = ([b[i] + b[j] for i, j in PAIRS] for b in (BASES, new))
    assert set(after) <= CANONICAL
    changed = np.mean([a != b for a, b in zip(before, after, strict=True)])
    assert changed == pytest.approx(0.4, abs=0.1)  # 3.5 standard deviations of 300 draws


def test_unpaired_bases_change_at_a_lower_rate():
    bases = "ACGU" * 2000
    new = mutant(0.8, bases=bases, pairs=np.zeros((0, 2), dtype=int))
    changed = np.mean([a != b for a, b in zip(bases, new, strict=True)])
    assert changed == pytest.approx(0.8 * LOOP_SHARE, abs=0.02)


def test_at_rate_one_every_canonical_pair_is_another_one():
    new = mutant(1.0)
    for i, j in PAIRS:
        assert new[i] + new[j] in CANONICAL - {BASES[i] + BASES[j]}


def test_other_pairs_and_unknown_bases_stay():
    assert mutant(1.0, bases="GNAAAAAG", pairs=[(0, 7), (1, 6)])[0::7] == "GG"
    assert mutant(1.0, bases="N" * 50, pairs=[]) == "N" * 50


def test_no_rate_no_change():
    assert mutant(0.0) == BASES


def test_the_seed_decides():
    assert mutant(0.3, 1) == mutant(0.3, 1)
    assert mutant(0.3, 1) != mutant(0.3, 2)
