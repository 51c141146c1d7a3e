"""The gate of a mixture: what it reads, and the share of ViennaRNA that it chooses."""

import dataclasses

import numpy as np
import pytest
import torch
from tiny_weights import tiny_model

from rnass.backbone.vocabulary import RNASS
from rnass.config import MixtureConfig
from rnass.network.contact_model import Mixture, collate, pairing
from rnass.network.energy_terms import bpp_log_odds, second_fold_gain
from rnass.network.gate import FEATURES, gate_features
from rnass.thermodynamics.folding import all_base_pair_probabilities

RNAS = ["GGGCAAAAGCCC", "GCGCUUCGGCGCAAAGG"]
SETS = ("turner2004", "turner2004+second")


def maps_of(size, pairs):
    found = torch.zeros(1, size, size)
    for i, j, p in pairs:
        found[0, i, j] = found[0, j, i] = p
    return found


def features_by_hand():
    """Of GGAAAACC, which has two pairs: two experts, their mean, ViennaRNA."""
    batch = collate(["GGAAAACC"], None, RNASS)
    one = maps_of(8, [(0, 7, 0.8), (1, 6, 0.4)])
    two = maps_of(8, [(0, 7, 0.6), (0, 2, 0.9)])  # the last cannot form
    mean = maps_of(8, [(0, 7, 0.7), (1, 6, 0.1)])
    bpp = maps_of(8, [(0, 7, 0.9), (1, 6, 0.5)])
    known = torch.tensor([0.3])
    return gate_features([one, two], mean, bpp, batch.bases, batch.mask, known)[0].numpy()


def test_each_feature_is_what_its_name_tells():
    expected = [
        2 * (0.7 + 0.1) / (0.8 + 1.4),
        2 * 0.6 / (1.2 + 0.6),
        (0.49 + 0.01) / 0.8,
        (0.81 + 0.25) / 1.4,
        0.8 / 8,
        0.5,
        np.log(0.32),
    ]
    assert len(expected) == len(FEATURES)
    np.testing.assert_allclose(features_by_hand(), expected, atol=2e-3)


@pytest.fixture
def mixture():
    models = [tiny_model(("turner2004",)), tiny_model(("turner2004",))]
    models[1].config = dataclasses.replace(models[1].config, temperature=2.0)
    config = MixtureConfig(
        experts=tuple(model.config for model in models),
        weights=(0.75, 0.25),
        gated=True,
        second_fold_weight=0.5,
        one_partner=True,
    )
    return Mixture(config, models).eval()


def batch_of(rnas):
    bpp = [np.stack([one.dense() for one in all_base_pair_probabilities(rna, SETS)]) for rna in rnas]
    return collate(rnas, bpp, RNASS)


def test_the_share_mixes_viennarna_into_the_mean(mixture):
    assert mixture.config.parameter_sets == SETS
    with torch.no_grad():
        mixture.gate.bias.fill_(float(torch.logit(torch.tensor(0.3))))
        batch = batch_of(RNAS[:1])
        mean, _ = mixture.mean_log_odds(batch)
        found, energies = mixture.log_odds(batch), bpp_log_odds(batch.bpp[:, :1])
        _, share = pairing(mixture, batch)
    gain = second_fold_gain(batch.bpp[:, 0], batch.bpp[:, 1])
    torch.testing.assert_close(found, 0.7 * mean + 0.3 * energies + 0.5 * gain)
    assert share.tolist() == pytest.approx([0.3])


def test_each_rna_of_a_batch_has_the_share_it_has_alone(mixture):
    with torch.no_grad():
        mixture.gate.weight.copy_(torch.linspace(-2, 2, len(FEATURES)))
        mixture.gate.weight[-1] = 0  # no k-mer is known here
        together = pairing(mixture, batch_of(RNAS))
        for k, rna in enumerate(RNAS):
            alone = pairing(mixture, batch_of([rna]))
            size = len(rna)
            torch.testing.assert_close(together[0][k, :size, :size], alone[0][0], atol=5e-6, rtol=0)
            torch.testing.assert_close(together[1][k], alone[1][0], atol=1e-5, rtol=0)
    assert abs(together[1][0] - together[1][1]) > 0.01


def test_without_base_pair_probabilities_no_share_is_chosen(mixture):
    batch = collate(RNAS, None, RNASS)
    with torch.no_grad():
        probabilities, shares = pairing(mixture, batch)
        assert torch.equal(mixture.log_odds(batch), mixture.mean_log_odds(batch)[0])
    assert shares is None
    assert torch.isfinite(probabilities).all()
    assert pairing(tiny_model(), batch)[1] is None
