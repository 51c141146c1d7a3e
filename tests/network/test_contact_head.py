"""The contact head: symmetry, padding, reach of its convolutions, precision; and its loss."""

import dataclasses
import math

import pytest
import torch

from rnass.network.contact_head import ContactHead, contact_loss

LENGTHS = (15, 1, 2, 3, 9)


def built(config):
    torch.manual_seed(0)
    return ContactHead(config).eval().requires_grad_(False)


KINDS = {
    "plain": {},
    "coarse to fine": {"coarser": ((6, 2), (8, 1))},
    "coarse to fine, separable": {"coarser": ((6, 2), (8, 1)), "separable": True},
    "coarse alone, separable": {"blocks": 0, "coarser": ((6, 2), (8, 1)), "separable": True},
}


@pytest.fixture(params=KINDS.values(), ids=list(KINDS))
def head(head_config, request):
    return built(dataclasses.replace(head_config, **request.param))


def random(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(7))


def test_logits_are_symmetric(head):
    logits = head(random(2, 11, 11, 4), torch.ones(2, 11))
    assert torch.equal(logits, logits.mT)
    assert logits.std() > 0.01


def test_padding_never_reaches_a_base(head):
    longest = max(LENGTHS)
    features = random(len(LENGTHS), longest, longest, 4)
    mask = (torch.arange(longest) < torch.tensor(LENGTHS)[:, None]).float()
    together = head(features, mask)
    for k, size in enumerate(LENGTHS):
        alone = head(features[k : k + 1, :size, :size], torch.ones(1, size))[0]
        torch.testing.assert_close(together[k, :size, :size], alone, atol=1e-5, rtol=0)


def test_a_coarser_stage_reaches_farther(head_config):
    fine = dataclasses.replace(head_config, blocks=1, dilations=(1,))
    coarse = dataclasses.replace(fine, coarser=((6, 1), (8, 1)))
    features, mask = random(1, 41, 41, 4), torch.ones(1, 41)
    touched = features.clone()
    touched[0, 20, 20] += random(4)
    reach = []
    for config in (fine, coarse):
        head = built(config)
        changed = (head(touched.clone(), mask) - head(features.clone(), mask))[0].abs() > 1e-7
        reach.append(int((changed.nonzero() - 20).abs().max()))
    assert reach[0] == 2
    assert reach[1] >= 8


def test_every_parameter_is_trained(head_config):
    for kind in KINDS.values():
        head = built(dataclasses.replace(head_config, **kind)).train().requires_grad_(True)
        head(random(1, 9, 9, 4), torch.ones(1, 9)).square().sum().backward()
        for name, parameter in head.named_parameters():
            assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("dilation", [1, 2, 4])
def test_a_block_reaches_as_far_as_its_dilation_says(head_config, dilation):
    head = built(dataclasses.replace(head_config, blocks=1, dilations=(dilation,)))
    features, mask = random(1, 21, 21, 4), torch.ones(1, 21)
    touched = features.clone()
    touched[0, 10, 10] += random(4)
    changed = (head(touched, mask) - head(features, mask))[0].abs() > 1e-7
    reach = (changed.nonzero() - 10).abs().max()
    assert reach == 1 + dilation


def test_dilations_are_taken_in_turn(head_config):
    head = built(dataclasses.replace(head_config, blocks=5, dilations=(1, 2, 4)))
    assert [block.second.dilation for block in head.blocks] == [(d, d) for d in (1, 2, 4, 1, 2)]


def test_dropout_acts_in_training_only(head_config):
    head = built(dataclasses.replace(head_config, dropout=0.5))
    features, mask = random(1, 9, 9, 4), torch.ones(1, 9)
    assert torch.equal(head(features, mask), head(features, mask))
    head.train()
    assert not torch.equal(head(features, mask), head(features, mask))


def test_bfloat16_stays_close_to_float32(head):
    features = random(2, 17, 17, 4)
    mask = torch.ones(2, 17)
    mask[1, 12:] = 0
    exact = head(features, mask)
    with torch.autocast("cpu", torch.bfloat16):
        fast = head(features, mask)
    assert fast.dtype == torch.float32
    assert not torch.equal(fast, exact)
    torch.testing.assert_close(fast, exact, atol=0.05, rtol=0)


def test_a_fresh_head_holds_pairs_to_be_rare(head):
    probabilities = torch.sigmoid(head(random(1, 12, 12, 4), torch.ones(1, 12)))
    assert probabilities.mean() < 0.05


def test_contact_loss_is_the_cross_entropy_of_the_upper_triangle_per_base():
    logits, contacts = random(2, 6, 6), (random(2, 6, 6) > 0).float()
    mask = torch.tensor([[1.0] * 6, [1.0] * 4 + [0.0] * 2])
    each = []
    for b, size in enumerate((6, 4)):
        total = 0.0
        for i in range(size):
            for j in range(i + 1, size):
                p = 1 / (1 + math.exp(-float(logits[b, i, j])))
                total -= math.log(p if contacts[b, i, j] else 1 - p)
        each.append(total / size)
    assert float(contact_loss(logits, contacts, mask)) == pytest.approx(sum(each) / 2, rel=1e-5)
