"""The oracles are the equations themselves, solved by hand or by scipy, and numerical derivatives."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from rnass.decoding import allowed_pairs, expected_f1
from rnass.network.partners import partner_loss, partner_probabilities, possible_pairs
from rnass.rna import BASES
from rnass.structure import Structure

LENGTH = 14


def symmetric(seed, size, scale=3.0, shift=-1.0):
    drawn = torch.from_numpy(np.random.default_rng(seed).normal(shift, scale, (1, size, size))).float()
    return (drawn + drawn.mT) / 2


def apart(size):
    place = torch.arange(size)
    return ((place[:, None] - place).abs() > 3)[None]


def codes(bases):
    return torch.tensor([[BASES.index(base) for base in bases]])


def test_a_lone_pair_has_the_root_of_its_quadratic_equation():
    for log_odds in (-9.0, -2.0, 0.0, 1.5, 8.0):
        only = torch.zeros(1, 6, 6, dtype=torch.bool)
        only[0, 0, 5] = only[0, 5, 0] = True
        found = partner_probabilities(torch.full((1, 6, 6), log_odds), only)
        weight = np.exp(log_odds)
        alone = (np.sqrt(1 + 4 * weight) - 1) / (2 * weight)  # a (1 + a exp(l)) = 1
        assert float(found[0, 0, 5]) == pytest.approx(1 - alone, rel=1e-3)
        assert float(found.sum()) == pytest.approx(2 * (1 - alone), rel=1e-3)


def test_probabilities_of_unpaired_bases_are_where_the_convex_function_is_least():
    log_odds, possible = symmetric(1, LENGTH), apart(LENGTH)
    weights = np.exp(log_odds[0].double().numpy()) * possible[0].numpy()

    def value(x):
        return np.sum(np.exp(x) - x) + np.exp(x) @ weights @ np.exp(x) / 2

    alone = np.exp(minimize(value, np.zeros(LENGTH), method="BFGS", tol=1e-9).x)
    expected = alone[:, None] * alone * weights
    found = partner_probabilities(log_odds, possible)[0].numpy()
    np.testing.assert_allclose(found, expected, atol=2e-3)


@pytest.mark.parametrize("scale", [1.0, 5.0, 20.0])
def test_no_base_has_more_than_one_partner_and_impossible_pairs_have_none(scale):
    possible = apart(60)
    found = partner_probabilities(symmetric(2, 60, scale), possible)
    assert float(found.sum(-1).max()) <= 1 + 1e-6
    assert float(found.min()) >= 0
    assert torch.equal(found, found.mT)
    assert float(found[~possible].abs().max()) == 0


def test_padding_changes_nothing():
    bases = codes("GGGGAAAACCCC")
    padded = torch.cat([bases, torch.full((1, 5), BASES.index("N"))], 1)
    mask = torch.cat([torch.ones(1, 12), torch.zeros(1, 5)], 1)
    log_odds = symmetric(3, 17)
    short = partner_probabilities(
        log_odds[:, :12, :12], possible_pairs(bases, mask[:, :12], canonical=False)
    )
    long = partner_probabilities(log_odds, possible_pairs(padded, mask, canonical=False))
    torch.testing.assert_close(long[:, :12, :12], short, atol=1e-4, rtol=0)
    assert float(long[:, 12:].max()) == 0


@pytest.mark.parametrize("canonical", [True, False])
def test_possible_pairs_are_those_that_are_decoded(canonical):
    bases = "GGNACUUAGCAUNCGUAGCU"
    found = possible_pairs(codes(bases), torch.ones(1, len(bases)), canonical=canonical)[0].numpy()
    expected = allowed_pairs(bases, canonical=canonical)
    np.testing.assert_array_equal(found, expected | expected.T)


@pytest.mark.parametrize("flank", [0, 40, 400])
def test_that_poly_a_has_no_pairs_is_certain_however_long(flank):
    size = 20 + flank
    bases = codes("A" * size)
    possible = possible_pairs(bases, torch.ones(1, size), canonical=True)
    found = partner_probabilities(symmetric(4, size), possible)[0].numpy()
    assert expected_f1(found, Structure(size)) == 1


def test_the_loss_is_minus_the_logarithm_of_what_is_known_of_each_base():
    log_odds, possible = symmetric(5, LENGTH), apart(LENGTH)
    contacts = torch.zeros(1, LENGTH, LENGTH)
    for i, j in ((0, 13), (1, 12), (4, 9)):
        contacts[0, i, j] = contacts[0, j, i] = 1
    found = partner_probabilities(log_odds, possible)[0].double().numpy()
    alone = 1 - found.sum(1)
    partner = dict(np.argwhere(contacts[0].numpy()).tolist())
    each = [-np.log(found[k, partner[k]] if k in partner else alone[k]) for k in range(LENGTH)]
    loss = partner_loss(log_odds, contacts, possible, torch.ones(1, LENGTH))
    assert float(loss) == pytest.approx(np.mean(each), rel=5e-3)


def test_the_slope_of_the_loss_is_that_of_small_steps():
    log_odds, possible = symmetric(6, LENGTH), apart(LENGTH)
    contacts = torch.zeros(1, LENGTH, LENGTH)
    contacts[0, 0, 13] = contacts[0, 13, 0] = 1
    mask = torch.ones(1, LENGTH)
    traced = log_odds.clone().requires_grad_()
    partner_loss(traced, contacts, possible, mask).sum().backward()
    for i, j in ((0, 13), (0, 7), (3, 11)):
        step = torch.zeros_like(log_odds)
        step[0, i, j] = step[0, j, i] = 0.02
        up, down = (float(partner_loss(log_odds + s * step, contacts, possible, mask)) for s in (1, -1))
        slope = float(traced.grad[0, i, j] + traced.grad[0, j, i])
        assert slope == pytest.approx((up - down) / 0.04, abs=2e-3)


def test_evidence_of_each_base_is_weighed_by_its_probability_to_be_unpaired():
    log_odds, possible = symmetric(7, LENGTH), apart(LENGTH)
    evidence = torch.linspace(-2, 2, LENGTH)[None]
    alone = 1 - partner_probabilities(log_odds, possible)[0].double().numpy().sum(1)
    expected = -np.mean(np.log(alone * np.exp(evidence[0].double().numpy()) + 1 - alone))
    none, mask = torch.zeros(1, LENGTH, LENGTH), torch.ones(1, LENGTH)
    assert float(partner_loss(log_odds, none, possible, mask, evidence)) == pytest.approx(
        expected, abs=2e-3
    )
    unknown = torch.full_like(evidence, torch.nan)
    assert torch.equal(
        partner_loss(log_odds, none, possible, mask, unknown),
        partner_loss(log_odds, none, possible, mask),
    )
