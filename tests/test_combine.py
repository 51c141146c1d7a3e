"""Combining contact models: the file written asks them all, and is calibrated on what it was given."""

import dataclasses
import json

import pytest
import torch
from safetensors import safe_open
from tiny_weights import save_tiny_weights, tiny_model

from rnass.combine import combine
from rnass.config import CombineConfig
from rnass.dataset import Loader, read_examples
from rnass.errors import CheckpointError, ConfigError, InputError
from rnass.model import Committee, ContactModel
from rnass.train import calibrated_probabilities, logit_maps, mean_f1
from rnass.weights import load_pairing_model, save_backbone, save_model, sha256

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
    assert [m.config.temperature for m in both.members] == [1.0, 2.0]
    assert both.config.temperature != 1
    examples = read_examples(config.valid)
    load = Loader(both.backbone.vocabulary, both.config.thermodynamics, tmp_path / "kept")
    load.annotate(config.valid, examples)
    maps = logit_maps(both, load, examples, CPU)
    found = calibrated_probabilities(both.config, maps)
    assert mean_f1(found, examples, both.config.decoding) > 0.95
    # the pairs that are expected are as many as there are
    expected, known = sum(p.sum() / 2 for p in found), sum(len(e.pairs) for e in examples)
    assert expected == pytest.approx(known, rel=0.2)
    with safe_open(path, "pt") as file:
        made = json.loads(file.metadata()["made"])
    assert made["members"] == {member: sha256(tmp_path / member) for member in members}
    assert json.loads(made["config"])["shares"] == [0.75, 0.25]


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


def test_nothing_to_calibrate_on(config, tmp_path):
    with pytest.raises(InputError, match="valid: no record"):
        combine(dataclasses.replace(config, min_length=400), tmp_path / "out", CPU)
