"""The whole contact model: batches, switches, calibration, memory."""

import dataclasses
import itertools
import weakref

import numpy as np
import pytest
import torch

from rnass.backbone.vocabulary import RNASS
from rnass.config import MixtureConfig
from rnass.network.contact_model import ContactModel, Features, Mixture, collate
from rnass.network.energy_terms import energy_log_odds, second_fold_gain
from rnass.network.partners import partner_probabilities
from rnass.thermodynamics.folding import all_base_pair_probabilities, base_pair_probabilities


def random_maps(rnas, sets=1):
    """Symmetric maps in [0, 1], float32, as base-pair probabilities are."""
    draw = np.random.default_rng(0)
    maps = [draw.random((sets, len(rna), len(rna)), dtype=np.float32) for rna in rnas]
    return [(m + m.swapaxes(1, 2)) / 2 for m in maps]


@pytest.fixture
def with_head(model_config, shaken):
    """Builds a model with another head."""

    def build(**changes):
        head = dataclasses.replace(model_config.head, **changes)
        torch.manual_seed(8)
        return shaken(ContactModel(dataclasses.replace(model_config, head=head)))

    return build


def logits_of(model, rnas, maps):
    with torch.no_grad():
        return model(collate(rnas, maps, RNASS))


SWITCHES = [
    {"attention_maps": attention, "outer_product": outer, "parameter_sets": sets}
    for attention, outer, sets in itertools.product((True, False), (True, False), ((), ("turner2004",)))
]


def named(switches):
    return "+".join(name for name, on in switches.items() if on) or "bases alone"


@pytest.mark.parametrize("switches", SWITCHES, ids=named)
def test_many_rnas_give_what_each_gives_alone(with_head, rnas, switches):
    switched = with_head(**switches)
    maps = random_maps(rnas) if switches["parameter_sets"] else None
    together = logits_of(switched, rnas, maps)
    assert torch.equal(together, together.mT)
    assert together[0].std() > 0.02
    for k, rna in enumerate(rnas):
        alone = logits_of(switched, [rna], maps and [maps[k]])[0]
        size = len(rna)
        torch.testing.assert_close(together[k, :size, :size], alone, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", ["attention_maps", "outer_product", "bpp"])
def test_every_feature_shows_in_the_logits(model, rnas, name):
    maps = random_maps(rnas)
    before = logits_of(model, rnas, maps)
    with torch.no_grad():
        if name == "attention_maps":
            for layer in model.backbone.layers:
                layer.attention.query.weight.mul_(-1)
        elif name == "outer_product":
            model.pair_features.outer.mul_(-1)
        else:
            maps = [1 - m for m in maps]
    assert not torch.allclose(logits_of(model, rnas, maps), before, atol=1e-3)


def test_the_maps_of_every_layer_add_to_the_features(model, rnas):
    before = logits_of(model, rnas, random_maps(rnas))
    for projection in model.pair_features.maps:
        kept = projection.weight.data.clone()
        projection.weight.data.zero_()
        assert not torch.allclose(logits_of(model, rnas, random_maps(rnas)), before, atol=1e-3)
        projection.weight.data.copy_(kept)


def test_the_backbone_reaches_the_head_through_maps_and_embeddings_alone(with_head, rnas):
    switched = with_head(attention_maps=False, outer_product=False)
    before = logits_of(switched, rnas, random_maps(rnas))
    torch.nn.init.normal_(switched.backbone.tokens.weight)
    assert torch.equal(logits_of(switched, rnas, random_maps(rnas)), before)


def test_the_same_batch_gives_the_same_bits(model, rnas):
    maps = random_maps(rnas)
    assert torch.equal(logits_of(model, rnas, maps), logits_of(model, rnas, maps))


def test_a_model_takes_several_parameter_sets(with_head, rnas):
    two = with_head(parameter_sets=("turner2004", "andronescu2007"))
    maps = random_maps(rnas, sets=2)
    swapped = [m[::-1].copy() for m in maps]
    assert not torch.allclose(logits_of(two, rnas, maps), logits_of(two, rnas, swapped), atol=1e-3)


def test_probabilities_are_symmetric_and_zero_where_no_pair_can_be(model, rnas):
    batch = collate(rnas, random_maps(rnas), RNASS)
    with torch.no_grad():
        probabilities = model.probabilities(batch)
    assert torch.equal(probabilities, probabilities.mT)
    assert 0 <= probabilities.min() <= probabilities.max() <= 1
    assert not probabilities.diagonal(dim1=1, dim2=2).any()
    for k, rna in enumerate(rnas):
        assert not probabilities[k, len(rna) :].any()
    assert (probabilities[0] > 0).sum() == len(rnas[0]) * (len(rnas[0]) - 1)


def test_calibration_divides_by_the_temperature_and_adds_the_offset(model, rnas):
    batch = collate(rnas[:1], random_maps(rnas[:1]), RNASS)
    model.config = dataclasses.replace(model.config, temperature=2.5, offset=-0.75)
    with torch.no_grad():
        logits, probabilities = model(batch)[0].numpy(), model.probabilities(batch)[0].numpy()
    expected = 1 / (1 + np.exp(-(logits / 2.5 - 0.75)))
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(probabilities, expected, atol=1e-6)


def test_viennarna_has_its_share_of_the_log_odds_but_not_of_the_logits(with_head, rnas):
    def log_odds_of(maps):
        with torch.no_grad():
            return model.log_odds(collate(rnas, maps, RNASS))

    model = with_head(parameter_sets=("turner2004", "langdon2018"))
    maps = random_maps(rnas, sets=2)
    alone = logits_of(model, rnas, maps)
    without = logits_of(model, rnas, None)
    model.config = dataclasses.replace(model.config, bpp_weight=0.3)
    mixed = log_odds_of(maps)
    for k, rna in enumerate(rnas):
        p = np.clip(maps[k].mean(0), 1e-2, 1 - 1e-4)
        size = len(rna)
        expected = 0.7 * alone[k, :size, :size].numpy() + 0.3 * np.log(p / (1 - p))
        np.testing.assert_allclose(mixed[k, :size, :size], expected, atol=1e-4)
    assert torch.equal(log_odds_of(None), without)
    assert torch.equal(logits_of(model, rnas, maps), alone)
    assert torch.equal(logits_of(model.train(), rnas, maps), alone)


class TestReadingOtherParameterSets:
    """What is read of a set is a linear map of its probabilities and their logarithms."""

    def test_a_set_in_the_place_of_two_counts_as_both_did(self, with_head, rnas):
        model = with_head(parameter_sets=("turner2004", "langdon2018"))
        maps = random_maps(rnas, sets=1)
        before = logits_of(model, rnas, [np.concatenate([m, m]) for m in maps])
        model.read(("rnass2026",))
        assert model.config.parameter_sets == ("rnass2026",)
        np.testing.assert_allclose(logits_of(model, rnas, maps), before, atol=1e-5)

    def test_a_set_that_stays_is_read_as_before_in_its_new_place(self, with_head, rnas):
        model = with_head(parameter_sets=("turner2004", "langdon2018"))
        maps = random_maps(rnas, sets=2)
        before = logits_of(model, rnas, maps)
        model.read(("rnass2026", "turner2004"))
        turned = [m[::-1].copy() for m in maps]
        np.testing.assert_allclose(logits_of(model, rnas, turned), before, atol=1e-5)

    def test_of_none_every_prediction_is_as_without(self, with_head, rnas):
        model = with_head(parameter_sets=("turner2004",))
        without = logits_of(model, rnas, None)
        model.read(())
        assert torch.equal(logits_of(model, rnas, None), without)
        model.read(("rnass2026",))  # of nothing known before
        assert torch.equal(logits_of(model, rnas, random_maps(rnas, sets=1)), without)


@pytest.fixture
def mixture(with_head):
    """Three experts, each of which reads other parameter sets, the last one none."""
    experts = [
        with_head(parameter_sets=sets) for sets in (("langdon2018",), ("turner2004", "langdon2018"), ())
    ]
    calibrated = ({"temperature": 2.0}, {"offset": -1.0, "bpp_weight": 0.3}, {"temperature": 0.5})
    for expert, changes in zip(experts, calibrated, strict=True):
        expert.config = dataclasses.replace(expert.config, **changes)
    config = MixtureConfig(
        experts=tuple(expert.config for expert in experts),
        weights=(0.2, 0.5, 0.3),
        temperature=1.5,
        offset=0.25,
    )
    return Mixture(config, experts).eval()


@pytest.mark.parametrize(("long", "times"), [(1, 3), (1000, 0)])
def test_a_mixture_returns_the_memory_of_each_expert_where_rnas_are_long(
    mixture, rnas, monkeypatch, long, times
):
    returned = []
    monkeypatch.setattr("rnass.network.contact_model._LONG", long)
    monkeypatch.setattr("rnass.network.contact_model.return_freed_memory", lambda: returned.append(1))
    with torch.no_grad():
        mixture.log_odds(collate(rnas, random_maps(rnas, sets=2), RNASS))
    assert len(returned) == times


def test_a_mixture_adds_up_its_experts_log_odds_each_with_the_sets_it_reads(mixture, rnas):
    assert mixture.config.parameter_sets == ("langdon2018", "turner2004")
    maps = random_maps(rnas, sets=2)  # in that order
    one, two, three = mixture.experts
    with torch.no_grad():
        parts = [
            0.2 * one(collate(rnas, [m[:1] for m in maps], RNASS)) / 2,
            0.5 * (two.log_odds(collate(rnas, [m[::-1].copy() for m in maps], RNASS)) - 1),
            0.3 * three(collate(rnas, None, RNASS)) / 0.5,
        ]
        found = mixture.log_odds(collate(rnas, maps, RNASS))
        probabilities = mixture.probabilities(collate(rnas, maps, RNASS))
    present = collate(rnas, None, RNASS).mask.bool()
    pairs = present[:, :, None] & present[:, None, :]
    torch.testing.assert_close(found[pairs], sum(parts)[pairs], atol=1e-5, rtol=1e-5)
    expected = torch.sigmoid(found / 1.5 + 0.25).masked_fill(~pairs, 0)
    expected.diagonal(dim1=1, dim2=2).zero_()
    torch.testing.assert_close(probabilities, expected, atol=1e-6, rtol=0)
    assert torch.equal(probabilities, probabilities.mT)


def test_a_mixture_answers_without_bpp(mixture, rnas):
    batch = collate(rnas[:1], None, RNASS)
    with torch.no_grad():
        one, two, three = (expert(batch) for expert in mixture.experts)
        expected = 0.2 * one / 2 + 0.5 * (two - 1) + 0.3 * three / 0.5
        torch.testing.assert_close(mixture.log_odds(batch), expected, atol=1e-5, rtol=1e-5)


def test_bfloat16_stays_close_to_float32(model_config, rnas):
    torch.manual_seed(0)
    model = ContactModel(model_config).eval()
    exact = logits_of(model, rnas, random_maps(rnas))
    with torch.autocast("cpu", torch.bfloat16):
        fast = logits_of(model, rnas, random_maps(rnas))
    assert fast.dtype == torch.float32
    torch.testing.assert_close(fast, exact, atol=0.1, rtol=0)


def live_maps(model, batch):
    """How many layers' attention maps are alive each time a layer has made its own."""
    kept, alive = [], []
    for layer in model.backbone.layers:

        def attention(*arguments, forward=layer.attention.forward):
            out, maps = forward(*arguments)
            kept.append(weakref.ref(maps))
            alive.append(sum(reference() is not None for reference in kept))
            return out, maps

        layer.attention.forward = attention
    model(batch)
    return alive


def test_attention_maps_of_one_layer_are_gone_before_the_next_has_its_own(model, rnas):
    deep = dataclasses.replace(model.config, encoder=dataclasses.replace(model.config.encoder, layers=4))
    batch = collate(rnas, random_maps(rnas), RNASS)
    with torch.no_grad():
        assert live_maps(ContactModel(deep), batch) == [1, 1, 1, 1]
    assert live_maps(ContactModel(deep), batch) == [1, 2, 3, 4]  # gradients need them: the count works


def test_collate_pads_with_n_zeros_and_the_padding_token():
    maps = random_maps(["GGC", "A"])
    batch = collate(["GGC", "A"], maps, RNASS)
    assert batch.bases.tolist() == [[2, 2, 1], [0, 4, 4]]
    assert batch.mask.tolist() == [[1, 1, 1], [1, 0, 0]]
    assert batch.tokens.tolist() == [[1, 7, 7, 6, 2], [1, 5, 2, 0, 0]]
    np.testing.assert_array_equal(batch.bpp[0], maps[0])
    assert batch.bpp[1].count_nonzero() == 1
    assert collate(["A"], None, RNASS).bpp is None


def test_a_batch_moves_whole():
    features = Features(torch.zeros(1, 3, 2), torch.zeros(1, 4, 3, 3))
    batch = dataclasses.replace(collate(["GGC"], random_maps(["GGC"]), RNASS), features=features)
    moved = vars(batch.to(torch.device("meta")))
    held = vars(moved.pop("features"))
    assert {t.device.type for t in [*moved.values(), *held.values()]} == {"meta"}
    assert collate(["GGC"], None, RNASS).to(torch.device("meta")).bpp is None


def test_corrections_start_level_with_the_energies(model_config, rnas):
    head = dataclasses.replace(model_config.head, parameter_sets=("rnass2026",), residual=True)
    fresh = ContactModel(dataclasses.replace(model_config, head=head, one_partner=True)).eval()
    maps = [base_pair_probabilities(rna, "rnass2026").dense()[None] for rna in rnas]
    batch = collate(rnas, maps, RNASS)
    logits = logits_of(fresh, rnas, maps)
    torch.testing.assert_close(logits, energy_log_odds(batch.bpp))
    with torch.no_grad():
        found = fresh.probabilities(batch)
    for k, one in enumerate(maps):
        sure = np.argwhere(np.triu(one[0] > 0.6))
        assert all(found[k, i, j] > 0.4 for i, j in sure)
        assert float(found[k].sum(-1).max()) <= 1 + 1e-6


def test_log_odds_of_energies_give_a_lone_pair_its_probability_back():
    for p in (0.01, 0.3, 0.7, 0.95):
        one = np.zeros((1, 1, 8, 8), dtype=np.float32)
        one[..., 0, 7] = one[..., 7, 0] = p
        log_odds = energy_log_odds(torch.from_numpy(one))
        lone = torch.from_numpy(one[0] > 0)
        found = partner_probabilities(log_odds, lone)[0, 0, 7]
        assert float(found) == pytest.approx(p, abs=0.02)


def test_a_correction_needs_energies(model_config):
    with pytest.raises(ValueError, match="residual: no set"):
        dataclasses.replace(model_config.head, parameter_sets=(), residual=True)


def test_the_second_fold_is_read_beside_the_sets_of_the_head(model_config):
    rnas = ["GCGGCGCAAGGACCAAGCGCCGCAAAAAAUGGUCC", "GGGGAAAACCCC"]  # a pseudoknot; none
    head = dataclasses.replace(model_config.head, parameter_sets=("rnass2026",))
    config = dataclasses.replace(model_config, head=head, bpp_weight=0.25)
    torch.manual_seed(3)
    without = ContactModel(config).eval()
    weighted = ContactModel(dataclasses.replace(config, second_fold_weight=0.5)).eval()
    weighted.load_state_dict(without.state_dict())
    assert weighted.config.parameter_sets == ("rnass2026", "rnass2026+second")
    folded = [np.stack([one.dense() for one in both_folds(rna)]) for rna in rnas]
    both = collate(rnas, folded, RNASS)
    first = dataclasses.replace(both, bpp=both.bpp[:, :1])
    gain = second_fold_gain(both.bpp[:, 0], both.bpp[:, 1])
    assert gain.any()
    with torch.no_grad():
        torch.testing.assert_close(weighted.log_odds(both), without.log_odds(first) + gain / 2)


def both_folds(rna):
    return all_base_pair_probabilities(rna, ["rnass2026", "rnass2026+second"])


def test_a_second_fold_needs_a_set_to_fold_by(model_config):
    head = dataclasses.replace(model_config.head, parameter_sets=())
    with pytest.raises(ValueError, match="second_fold_weight: no set"):
        dataclasses.replace(model_config, head=head, second_fold_weight=0.5)
