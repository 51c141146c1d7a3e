"""Calibration and the choice of the threshold, against what was put in."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from rnass.backbone.vocabulary import RNASS
from rnass.config import DecodingConfig, ModelConfig
from rnass.decoding import allowed_pairs
from rnass.structure import Structure
from rnass.training import calibration
from rnass.training.calibration import (
    calibrate,
    calibrated_probabilities,
    choose_decoding,
    logit_maps,
    mean_f1,
    with_temperature,
)
from rnass.training.records import Example, Loader, read_examples

CPU = torch.device("cpu")


def test_logits_of_many_are_those_of_each(model, hairpins):
    examples = read_examples([hairpins(3)])
    maps = logit_maps(model.train(), Loader(RNASS), examples, CPU)
    assert [m.shape for m in maps] == [(len(e.bases),) * 2 for e in examples]
    with torch.no_grad():
        expected = model(Loader(RNASS)(examples[:1]).rnas)[0]
    np.testing.assert_array_equal(maps[0], expected)


@pytest.mark.parametrize(("temperature", "offset"), [(1.0, 0.0), (2.0, -0.8), (0.6, 1.2)])
def test_calibration_finds_the_temperature_and_offset_that_were_put_in(temperature, offset, monkeypatch):
    monkeypatch.setattr(calibration, "choose_decoding", lambda config, *_: config.decoding)
    draw = np.random.default_rng(0)
    maps, examples = [], []
    for k in range(4):
        true = np.triu(draw.normal(-1.5, 2, (200, 200)), 1)
        paired = np.triu(draw.random((200, 200)) < 1 / (1 + np.exp(-true)), 1)
        examples.append(Example(f"rna{k}", "", "A" * 200, np.argwhere(paired)))
        maps.append((true - offset) * temperature)
    fitted = calibrate(ModelConfig(), maps, examples)
    assert fitted.temperature == pytest.approx(temperature, rel=0.03)
    assert fitted.offset == pytest.approx(offset, abs=0.05)


@pytest.mark.parametrize("one_partner", [False, True])
def test_without_a_pair_the_calibration_stays_as_it_is(caplog, one_partner):
    maps = [np.full((9, 9), -3.0)] * 2
    examples = [Example(name, "", "GGGAAACCC", np.zeros((0, 2), dtype=np.int64)) for name in "ab"]
    config = dataclasses.replace(ModelConfig(), temperature=1.5, offset=-0.5, one_partner=one_partner)
    for fit in (calibrate, with_temperature):
        caplog.clear()
        assert fit(config, maps, examples) == config
        assert caplog.messages == ["valid: no pair in 2 records; not calibrated"]


def test_calibration_with_one_partner_each_is_where_the_loss_is_least(monkeypatch):
    monkeypatch.setattr(calibration, "choose_decoding", lambda config, *_: config.decoding)
    draw = np.random.default_rng(3)
    maps, examples = [], []
    for k in range(6):
        bases = "".join(draw.choice(list("ACGU"), 40))
        allowed = np.argwhere(allowed_pairs(bases))
        pairs = Structure(40, [tuple(allowed[n]) for n in range(0, len(allowed), 97)][:2]).pairs
        one = draw.normal(-4, 2, (40, 40))
        one[pairs[:, 0], pairs[:, 1]] += 5
        maps.append((one + one.T) / 2)
        examples.append(Example(f"rna{k}", "", bases, pairs))
    config = ModelConfig(one_partner=True)
    fitted = calibrate(config, maps, examples)

    def loss(temperature, offset):
        one = dataclasses.replace(config, temperature=temperature, offset=offset)
        return np.mean([loss_of(one, m, e) for m, e in zip(maps, examples, strict=True)])

    def loss_of(one, logits, example):
        known = calibrated_probabilities(one, [logits], [example])[0].astype(np.float64)
        states = np.diag(1 - known.sum(1)) + known
        i, j = example.pairs.T
        partner = np.arange(40)
        partner[i], partner[j] = j, i
        return -np.log(states[np.arange(40), partner]).mean()

    best = loss(fitted.temperature, fitted.offset)
    assert best < loss(1.0, 0.0)
    for factor, shift in ((1.15, 0), (1 / 1.15, 0), (1, 0.2), (1, -0.2)):
        assert best <= loss(fitted.temperature * factor, fitted.offset + shift) + 1e-4


def map_of(length, pairs):
    """A logit map with some pairs of known probability, all others next to impossible."""
    logits = np.full((length, length), -12.0)
    for (i, j), p in pairs.items():
        logits[i, j] = logits[j, i] = math.log(p / (1 - p))
    return logits


BASES = "AAGGGGAAAACCCCAAGGAAAACC"  # a hairpin, and another that is not known to form
L = len(BASES)
HELIX = {(2 + k, 13 - k): 0.42 for k in range(4)}
WRONG = {(16, 23): 0.22, (17, 22): 0.22}
LONE = {(16, 23): 0.9}
KNOWN = Example("hp", "", BASES, Structure(L, list(HELIX)).pairs)


def test_the_threshold_lies_between_what_pairs_and_what_does_not():
    chosen = choose_decoding(ModelConfig(), [map_of(L, HELIX | WRONG)], [KNOWN])
    assert 0.22 < chosen.threshold < 0.42


def test_lone_pairs_are_left_out_where_they_are_wrong():
    maps = [map_of(L, HELIX | LONE)]
    assert choose_decoding(ModelConfig(), maps, [KNOWN]).min_helix == 2
    right = dataclasses.replace(KNOWN, pairs=Structure(L, [*HELIX, *LONE]).pairs)
    assert choose_decoding(ModelConfig(), maps, [right]).min_helix == 1


def test_each_data_file_counts_as_much():
    maps = [*[map_of(L, HELIX | WRONG)] * 3, map_of(L, HELIX)]
    right = dataclasses.replace(KNOWN, pairs=Structure(L, [*HELIX, *WRONG]).pairs)
    assert choose_decoding(ModelConfig(), maps, [KNOWN, *[right] * 3]).threshold < 0.22
    other = dataclasses.replace(right, source=1)
    assert choose_decoding(ModelConfig(), maps, [KNOWN, *[other] * 3]).threshold > 0.22


def test_the_threshold_is_chosen_on_calibrated_probabilities_and_keeps_other_options():
    config = ModelConfig(temperature=2.0, offset=1.0, decoding=DecodingConfig(max_order=0))
    raw = (map_of(L, HELIX | WRONG) - config.offset) * config.temperature
    chosen = choose_decoding(config, [raw], [KNOWN])
    assert 0.22 < chosen.threshold < 0.42
    assert chosen.max_order == 0


def test_mean_f1_is_the_mean_over_rnas():
    perfect = 1 / (1 + np.exp(-map_of(L, HELIX)))
    decoding = DecodingConfig(threshold=0.3)
    assert mean_f1([perfect, perfect * 0], [KNOWN, KNOWN], decoding) == 0.5
    assert mean_f1([], [], decoding) == 0.0
