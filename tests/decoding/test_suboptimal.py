"""Alternatives on maps whose states are known, and confidence by hand."""

import numpy as np
import pytest

from rnass.config import DecodingConfig
from rnass.decoding import (
    Constraints,
    alternatives,
    base_confidence,
    base_pair_distance,
    decode,
    expected_f1,
)
from rnass.decoding.maps import given_absent
from rnass.decoding.suboptimal import _shares
from rnass.structure import Structure

ONE = Structure.from_dot_bracket("(((...)))..((((.....))))..........")
TWO = Structure.from_dot_bracket("(((...)))..........((((.....))))..")
ANY = DecodingConfig(canonical=False)
BASES = "A" * 34


def mixture(*states):
    p = np.zeros((34, 34))
    for structure, weight in states:
        p[structure.pairs[:, 0], structure.pairs[:, 1]] += weight
    return p


def test_a_switch_shows_both_states_with_their_weights():
    found = alternatives(mixture((ONE, 0.55), (TWO, 0.45)), BASES, 2, ANY)
    assert [a.structure for a in found] == [ONE, TWO]
    assert [a.weight for a in found] == pytest.approx([0.55, 0.45])
    assert found[0].expected_f1 > found[1].expected_f1


def test_a_helix_that_may_be_absent_gives_two_states():
    bare = Structure.from_dot_bracket("(((...)))" + "." * 25)
    found = alternatives(mixture((ONE, 0.7), (bare, 0.3)), BASES, 3, ANY, distance=4)
    weights = {a.structure: a.weight for a in found}
    assert weights[ONE] == pytest.approx(0.7)
    assert weights[bare] == pytest.approx(0.3)


def test_two_helices_that_form_independently_give_four_states():
    """With probabilities .9 and .8 the states have shares of .72, .18, .08 and .02."""
    whole = Structure.from_dot_bracket("((((((....))))))..((((((....))))))")
    p = np.zeros((34, 34))
    p[whole.pairs[:6, 0], whole.pairs[:6, 1]] = 0.9
    p[whole.pairs[6:, 0], whole.pairs[6:, 1]] = 0.8
    found = alternatives(p, BASES, 4, ANY)
    first, second = "((((((....))))))", "." * 16
    weights = {a.structure.dot_bracket: a.weight for a in found}
    assert weights == pytest.approx(
        {
            f"{first}..{first}": 0.72,
            f"{first}..{second}": 0.18,
            f"{second}..{first}": 0.08,
            f"{second}..{second}": 0.02,
        }
    )


def test_helices_that_no_structure_has_together_compete_without_a_common_base():
    one = Structure.from_dot_bracket("((((((....))))))" + "." * 18)
    other = Structure.from_dot_bracket("." * 18 + "((((((....))))))")
    got = _shares(mixture((one, 0.6), (other, 0.4)), [one, other])
    assert got == pytest.approx([0.6, 0.4])


def test_the_first_is_what_decode_gives_and_all_are_distinct():
    rng = np.random.default_rng(0)
    p = np.triu(rng.random((34, 34)) ** 4, 1)
    found = alternatives(p, BASES, 4, ANY, distance=5)
    assert found[0].structure == decode(p, BASES, ANY)
    assert len(found) == 4
    for k, one in enumerate(found):
        for other in found[:k]:
            assert base_pair_distance(one.structure, other.structure) >= 5
    assert sum(a.weight for a in found) <= 1 + 1e-9


def test_constraints_hold_in_every_alternative():
    p = mixture((ONE, 0.55), (TWO, 0.45))
    forced = Constraints(pairs=frozenset([(11, 23)]))
    found = alternatives(p, BASES, 3, ANY, constraints=forced)
    assert all([11, 23] in a.structure.pairs.tolist() for a in found)


def test_an_empty_map_has_one_structure():
    found = alternatives(np.zeros((34, 34)), BASES, 3, ANY)
    assert [(len(a.structure.pairs), a.weight) for a in found] == [(0, 1.0)]


def test_base_pair_distance_counts_pairs_of_one_only():
    assert base_pair_distance(ONE, TWO) == 8
    assert base_pair_distance(ONE, ONE) == 0


def test_expected_f1_by_hand():
    p = np.zeros((8, 8))
    p[0, 7], p[1, 6], p[0, 5] = 0.8, 0.6, 0.1
    structure = Structure(8, [(0, 7), (1, 6)])
    assert expected_f1(p, structure) == pytest.approx(2 * 1.4 / (2 + 1.5))
    assert expected_f1(p + p.T, structure) == expected_f1(p, structure)
    assert expected_f1(np.zeros((8, 8)), Structure(8)) == 1.0
    assert expected_f1(np.zeros((8, 8)), structure) == 0.0
    assert expected_f1(p, Structure(8)) == pytest.approx(0.2 * 0.4 * 0.9)
    certain = np.zeros((8, 8), dtype=np.float32)
    certain[0, 7] = 1
    assert expected_f1(certain, Structure(8)) == 0.0


def test_base_confidence_by_hand():
    p = np.zeros((8, 8))
    p[0, 7], p[1, 6], p[0, 5] = 0.8, 0.6, 0.1
    found = base_confidence(p, Structure(8, [(0, 7)]))
    assert found == pytest.approx([0.8, 0.4, 1, 1, 1, 0.9, 0.4, 0.8])


def test_alternatives_of_maps_decoded_against_the_unpaired_probability():
    """A map given that a helix is absent has one partner for each base, as such decoding needs."""
    rng = np.random.default_rng(3)
    options = DecodingConfig(canonical=False, objective="unpaired_odds", threshold=0.35)
    number = 0
    for _ in range(20):
        p = np.triu(rng.random((34, 34)) ** 6, 1)
        p /= (p.sum(0) + p.sum(1)).max()
        p[ONE.pairs[:, 0], ONE.pairs[:, 1]] = 0
        p *= 0.4
        p[ONE.pairs[:, 0], ONE.pairs[:, 1]] = 0.58
        found = alternatives(p, BASES, 4, options)
        assert found[0].structure == decode(p, BASES, options)
        number += len(found)
    assert number > 30


def test_a_competitor_is_certain_once_its_rival_is_absent():
    p = mixture((ONE, 0.55), (TWO, 0.45))
    given = given_absent(p, ONE.pairs[3:])
    assert given[tuple(TWO.pairs[3:].T)] == pytest.approx(np.ones(4))
    assert given[tuple(TWO.pairs[:3].T)] == pytest.approx(np.ones(3))
    crowded = np.triu(np.full((34, 34), 0.028), 1)
    crowded[0, 8] = 0.3
    sums = np.triu(crowded).sum(0) + crowded.sum(1)
    given = given_absent(crowded, np.array([[0, 8]]))
    assert np.all(given.sum(0) + given.sum(1) <= np.maximum(sums, 1) + 1e-9)
