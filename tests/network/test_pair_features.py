"""Pair features against plain loops over bases, heads and channels."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from jaxtyping import TypeCheckError

from rnass.network.pair_features import (
    _MAP_SCALE,
    PairFeatures,
    _distance_bins,
    average_product_correction,
    corrected_maps,
    symmetrise,
)

B, L = 2, 7


@pytest.fixture
def features(encoder_config, head_config):
    """All features; those of bases and distance are set to zero, to look at the others alone."""
    torch.manual_seed(1)
    built = PairFeatures(encoder_config, head_config)
    torch.nn.init.zeros_(built.bases.weight)
    torch.nn.init.zeros_(built.distance.weight)
    return built.requires_grad_(False)


@pytest.fixture
def embeddings(encoder_config):
    return torch.randn(B, L, encoder_config.width, generator=torch.Generator().manual_seed(0))


def maps_of(shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def apc_by_hand(m):
    """Average product correction of one symmetric numpy map."""
    corrected = np.zeros_like(m)
    for i in range(len(m)):
        for j in range(len(m)):
            corrected[i, j] = m[i, j] - m[i, :].sum() * m[:, j].sum() / m.sum()
    return corrected


def test_symmetrise_adds_the_transpose():
    maps = maps_of((B, 3, L, L))
    expected = maps.numpy() + maps.numpy().swapaxes(2, 3)
    np.testing.assert_array_equal(symmetrise(maps), expected)


def test_shapes_in_signatures_are_checked_here():
    with pytest.raises(TypeCheckError):
        symmetrise(maps_of((B, 3, L, L + 1)))


def test_average_product_correction_is_that_of_plain_loops():
    maps = symmetrise(maps_of((B, 3, L, L)))
    corrected = average_product_correction(maps)
    for b in range(B):
        for k in range(3):
            np.testing.assert_allclose(corrected[b, k], apc_by_hand(maps[b, k].numpy()), atol=1e-5)


def test_correction_leaves_nothing_of_a_product_of_rows_and_columns():
    rows = maps_of((1, 1, L, 1))
    np.testing.assert_allclose(average_product_correction(rows * rows.mT), 0, atol=1e-6)


def test_correction_of_an_empty_map_is_zero():
    assert not average_product_correction(torch.zeros(1, 1, 4, 4)).any()


def test_attention_projects_the_corrected_maps_of_each_layer_with_its_own_weights(features):
    mask = torch.ones(B, L)
    maps = maps_of((B, 2, L, L))
    both = symmetrise(maps).numpy()
    for layer in range(2):
        weight = features.maps[layer].weight.numpy()  # (C, K)
        got = features.project(layer, corrected_maps(maps, mask))
        for b in range(B):
            corrected = np.stack([apc_by_hand(both[b, k]) for k in range(2)], -1)  # (L, L, K)
            np.testing.assert_allclose(got[b], _MAP_SCALE * corrected @ weight.T, atol=1e-4)


def test_attention_of_padding_changes_nothing(features):
    maps = maps_of((1, 2, L, L))
    mask = torch.tensor([[1.0] * 5 + [0.0] * 2])
    got = features.project(0, corrected_maps(maps, mask))[:, :5, :5]
    alone = features.project(0, corrected_maps(maps[:, :, :5, :5], torch.ones(1, 5)))
    torch.testing.assert_close(got, alone, atol=1e-6, rtol=0)


def test_outer_product_is_that_of_plain_loops(features, embeddings):
    got = features(embeddings, torch.zeros(B, L, dtype=torch.long), None).numpy()
    reduced = features.reduce(embeddings).numpy()
    outer = features.outer.numpy()  # (R, C, R)
    expected = np.zeros_like(got)
    for b, i, j, c in np.ndindex(*got.shape):
        for r, s in np.ndindex(3, 3):
            expected[b, i, j, c] += reduced[b, i, r] * outer[r, c, s] * reduced[b, j, s]
    np.testing.assert_allclose(got, expected, atol=1e-5)


def test_base_pair_probabilities_enter_as_they_are_and_as_logarithms(encoder_config, head_config):
    head = dataclasses.replace(head_config, outer_product=False, parameter_sets=("one", "two"))
    features = PairFeatures(encoder_config, head).requires_grad_(False)
    torch.nn.init.zeros_(features.bases.weight)
    torch.nn.init.zeros_(features.distance.weight)
    maps = maps_of((B, 2, L, L)) ** 8
    maps[0, 0, 0, :3] = torch.tensor([0.0, 1.0, 1e-4])
    got = features(torch.zeros(B, L, 16), torch.zeros(B, L, dtype=torch.long), maps)
    weight = features.bpp.weight.tolist()  # (C, 2 S): the maps, then their logarithms
    for b, i, j, c in np.ndindex(*got.shape):
        p = maps[b, :, i, j].tolist()
        logs = [math.log(max(one, 1e-4) / 1e-4) / math.log(1e4) for one in p]
        expected = sum(w * value for w, value in zip(weight[c], p + logs, strict=True))
        assert float(got[b, i, j, c]) == pytest.approx(expected, abs=1e-5)


def test_no_base_pair_probabilities_are_the_same_as_none_above_zero(features, embeddings):
    bases = torch.zeros(B, L, dtype=torch.long)
    torch.testing.assert_close(
        features(embeddings, bases, None), features(embeddings, bases, torch.zeros(B, 1, L, L))
    )


def test_a_pair_of_bases_is_ordered(encoder_config, head_config):
    head = dataclasses.replace(head_config, outer_product=False)
    features = PairFeatures(encoder_config, head).requires_grad_(False)
    torch.nn.init.zeros_(features.distance.weight)
    codes = torch.arange(5)[None]
    got = features(torch.zeros(1, 5, 16), codes, None)[0]
    assert len(got.reshape(25, -1).unique(dim=0)) == 25
    torch.testing.assert_close(got[1, 3], features.bases.weight[1 * 5 + 3])


def test_distances_have_bins_that_grow_up_to_the_last():
    bins = _distance_bins(1200, torch.device("cpu"))
    torch.testing.assert_close(bins, bins.T)
    assert bins[0, :16].tolist() == list(range(16))
    steps = bins[0].diff()
    assert ((steps == 0) | (steps == 1)).all()
    assert int((bins[0] < 31).sum()) == 512
    assert bins[0].max() == 31


def test_switched_off_features_hold_no_weights(encoder_config, head_config):
    head = dataclasses.replace(head_config, attention_maps=False, outer_product=False, parameter_sets=())
    features = PairFeatures(encoder_config, head)
    assert sorted(dict(features.named_parameters())) == ["bases.weight", "distance.weight"]
