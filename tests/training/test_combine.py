"""Combining contact models: the file written asks them all, and is calibrated on what it was given."""

import copy
import dataclasses
import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from tiny_weights import save_tiny_weights, tiny_model

from rnass.config import CombineConfig
from rnass.errors import CheckpointError, ConfigError, InputError
from rnass.network.contact_model import Committee, ContactModel
from rnass.network.weights import load_model, load_pairing_model, save_backbone, save_model, sha256
from rnass.training.combine import combine, mean_model
from rnass.training.contact import calibrate, calibrated_probabilities, logit_maps, mean_f1
from rnass.training.records import Loader, read_examples

CPU = torch.device("cpu")


@pytest.fixture
def members(tmp_path):
    """Two weights files: ViennaRNA's opinion by one parameter set, and by another, half as loud."""
    quiet = tiny_model(("langdon2018",))
    quiet.config = dataclasses.replace(quiet.config, temperature=2.0)
    save_model(tmp_path / "quiet.safetensors", quiet, {})
    return (str(save_tiny_weights(tmp_path / "loud.safetensors")), str(tmp_path / "quiet.safetensors"))


@pytest.fixture
def config(members, hairpins, tmp_path):
    return CombineConfig(
        members=members, shares=(0.75, 0.25), valid=(hairpins(12),), cache=str(tmp_path / "kept")
    )


def test_the_file_asks_all_members_and_is_calibrated(config, members, tmp_path):
    path = tmp_path / "both.safetensors"
    combine(config, path, CPU)
    both = load_pairing_model(path)
    assert isinstance(both, Committee)
    assert both.config.shares == (0.75, 0.25)
    assert both.config.thermodynamics == ("turner2004", "langdon2018")
    examples = read_examples(config.valid)
    for member, file in zip(both.members, members, strict=True):
        alone = load_model(Path(file))
        load = Loader(alone.backbone.vocabulary, alone.config.thermodynamics, tmp_path / "kept")
        load.annotate(config.valid, examples)
        fitted = calibrate(alone.config, logit_maps(alone, load, examples, CPU), examples)
        assert member.config == fitted
        assert fitted.temperature != alone.config.temperature
    load = Loader(both.backbone.vocabulary, both.config.thermodynamics, tmp_path / "kept")
    load.annotate(config.valid, examples)
    maps = logit_maps(both, load, examples, CPU)
    found = calibrated_probabilities(both.config, maps, examples)
    assert mean_f1(found, examples, both.config.decoding) > 0.95
    # the pairs that are expected are as many as there are
    expected, known = sum(p.sum() / 2 for p in found), sum(len(e.pairs) for e in examples)
    assert expected == pytest.approx(known, rel=0.2)
    with safe_open(path, "pt") as file:
        made = json.loads(file.metadata()["made"])
    assert made["members"] == {member: sha256(tmp_path / member) for member in members}
    assert json.loads(made["config"])["shares"] == [0.75, 0.25]


def test_members_read_other_energies_where_that_is_asked_for(config, tmp_path):
    other = dataclasses.replace(config, thermodynamics=("rnass2026",), thermal_share=0.5)
    combine(other, tmp_path / "other", CPU)
    both = load_pairing_model(tmp_path / "other")
    assert both.config.thermodynamics == ("rnass2026",)
    assert [m.config.thermal_share for m in both.members] == [0.5, 0.5]


def test_members_that_cannot_be_combined_are_named(config, model, tmp_path):
    save_backbone(tmp_path / "backbone.safetensors", model.backbone, {})
    alone = (config.members[0], str(tmp_path / "backbone.safetensors"))
    with pytest.raises(CheckpointError, match=r"backbone\.safetensors: holds a backbone; expected"):
        combine(dataclasses.replace(config, members=alone), tmp_path / "out", CPU)
    encoder = dataclasses.replace(
        model.config.encoder, vocabulary="multimolecule-26", vocabulary_size=26
    )
    other = ContactModel(dataclasses.replace(model.config, encoder=encoder))
    save_model(tmp_path / "other.safetensors", other, {})
    unlike = (config.members[0], str(tmp_path / "other.safetensors"))
    with pytest.raises(ConfigError, match=r"other\.safetensors reads other tokens than .*loud"):
        combine(dataclasses.replace(config, members=unlike), tmp_path / "out", CPU)
    assert not (tmp_path / "out").exists()


@pytest.fixture
def stages(model, tmp_path):
    """Weights files of a model, of it with other weights, and of that one deepened and moved on."""
    second = copy.deepcopy(model)
    second.config = dataclasses.replace(second.config, temperature=3.0, offset=1.0)
    third = copy.deepcopy(second)
    third.deepen(1)
    for other in (second, third):
        for parameter in other.parameters():
            parameter.data += 0.125 * torch.randn_like(parameter)
    paths = [tmp_path / f"{k}.safetensors" for k in (1, 2, 3)]
    for path, one in zip(paths, (model, second, third), strict=True):
        save_model(path, one, {})
    return paths


def test_the_mean_of_weights_and_calibration(stages):
    one, two = map(load_model, stages[:2])
    mean = mean_model(stages[:2])
    for name, parameter in mean.named_parameters():
        half = (one.get_parameter(name) + two.get_parameter(name)) / 2
        torch.testing.assert_close(parameter, half, atol=1e-6, rtol=0)
    assert (mean.config.temperature, mean.config.offset) == (2.0, 0.5)
    assert mean.config.head == one.config.head
    same = mean_model(stages[:1])
    assert same.config == one.config
    assert all(torch.equal(p, one.get_parameter(name)) for name, p in same.named_parameters())


def test_a_shallower_head_counts_as_one_whose_further_blocks_add_nothing(stages):
    two, three = map(load_model, stages[1:])
    mean = mean_model(stages[1:])
    assert mean.config.head == three.config.head
    block = f"head.blocks.{len(three.head.blocks) - 1}"
    torch.testing.assert_close(
        mean.get_parameter(f"{block}.second.weight"), three.get_parameter(f"{block}.second.weight") / 2
    )
    for name in ("first.weight", "norm.weight", "norm.bias"):
        assert torch.equal(mean.get_parameter(f"{block}.{name}"), three.get_parameter(f"{block}.{name}"))
    bias = "head.logit.bias"
    half = (two.get_parameter(bias) + three.get_parameter(bias)) / 2
    torch.testing.assert_close(mean.get_parameter(bias), half)


def test_weights_of_another_make_have_no_mean(stages, members):
    with pytest.raises(
        ConfigError, match=r"quiet\.safetensors is built otherwise than .*1\.safetensors"
    ):
        mean_model([stages[0], Path(members[1])])


def test_a_member_may_be_a_mean(config, members, stages, tmp_path):
    mixed = dataclasses.replace(config, members=(tuple(map(str, stages)), members[1]))
    combine(mixed, tmp_path / "both.safetensors", CPU)
    both = load_pairing_model(tmp_path / "both.safetensors")
    mean = mean_model(stages)
    assert both.config.members[0].head == mean.config.head
    for name, parameter in both.members[0].named_parameters():
        torch.testing.assert_close(parameter, mean.get_parameter(name), atol=2e-3, rtol=2e-3, msg=name)
    with safe_open(tmp_path / "both.safetensors", "pt") as file:
        made = json.loads(file.metadata()["made"])
    assert made["members"] == {str(path): sha256(path) for path in (*stages, Path(members[1]))}


def test_nothing_to_calibrate_on(config, tmp_path):
    with pytest.raises(InputError, match="valid: no record"):
        combine(dataclasses.replace(config, min_length=400), tmp_path / "out", CPU)
