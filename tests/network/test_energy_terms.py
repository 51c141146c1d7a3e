"""The oracles are maps made by hand."""

import numpy as np
import pytest
import torch

from rnass.network.energy_terms import second_fold_gain

SIZE = 30


def map_of(pairs):
    one = torch.zeros(1, SIZE, SIZE)
    for (i, j), p in pairs.items():
        one[0, i, j] = one[0, j, i] = p
    return one


def helix(i, j, length, p):
    return {(i + k, j - k): p for k in range(length)}


def test_helices_of_four_pairs_and_more_gain_and_shorter_ones_do_not():
    second = map_of(helix(0, 29, 4, 0.8) | helix(5, 20, 3, 0.9) | helix(9, 24, 5, 0.6))
    gain = second_fold_gain(map_of({}), second)
    counted = helix(0, 29, 4, 0.8) | helix(9, 24, 5, 0.6)
    expected = {pair: np.log(p / (1 - p)) - np.log(0.1 / 0.9) for pair, p in counted.items()}
    torch.testing.assert_close(gain, map_of(expected))


@pytest.mark.parametrize("p", [0.0, 0.05, 0.49])
def test_improbable_pairs_gain_nothing(p):
    assert not second_fold_gain(map_of({}), map_of(helix(0, 29, 5, p))).any()


def test_pairs_of_the_first_structure_gain_nothing():
    both = map_of(helix(0, 29, 5, 0.9))
    assert not second_fold_gain(both, both).any()


def test_a_pair_of_the_first_structure_breaks_a_helix():
    second = map_of(helix(0, 29, 7, 0.9))
    gain = second_fold_gain(map_of({(3, 26): 0.7}), second)
    assert not gain.any()


def test_helices_at_the_ends_of_the_map_do_not_reach_around_it():
    second = map_of(helix(0, 11, 2, 0.9) | helix(18, 29, 2, 0.9))
    assert not second_fold_gain(map_of({}), second).any()
