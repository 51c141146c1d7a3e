"""Configurations: what is refused, and that TOML and JSON give back what was written."""

import json
from pathlib import Path

import pytest

from rnass.config import (
    CombineConfig,
    CommitteeConfig,
    DataConfig,
    DecodingConfig,
    EncoderConfig,
    FitConfig,
    ModelConfig,
    PretrainConfig,
    TrainConfig,
    from_mapping,
    read_toml,
    to_json,
)
from rnass.errors import ConfigError

CONFIGS = Path(__file__).parents[1] / "configs"


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (ModelConfig, {"encoder": {"layer": 3}}, r"^here: encoder\.layer: Unexpected"),
        (TrainConfig, {"colour": 1}, r"^here: colour: Unexpected .*; expected a key of TrainConfig$"),
        (TrainConfig, {"head": {"channels": "many"}}, r"^here: head\.channels: Input should be .* int"),
        (TrainConfig, {"head": {"channels": 1.5}}, r"^here: head\.channels: Input should be .* int"),
        (TrainConfig, {"data": {"train": "a.tsv"}}, r"^here: data\.train: Input should be .* tuple"),
        (PretrainConfig, {"run": {"precision": "float8"}}, r"^here: run\.precision: .*'bfloat16'"),
        (ModelConfig, {"encoder": {"width": 30, "heads": 8}}, r"^here: encoder: .*multiple of heads 8"),
        (ModelConfig, {"encoder": {"width": 24, "heads": 8}}, r"^here: encoder: .*head width, not 3"),
        (DecodingConfig, {"threshold": 1.0}, r"threshold 1\.0 is not between 0 and 1"),
        (DecodingConfig, {"min_helix": 0}, r"min_helix 0 is less than 1"),
        (DecodingConfig, {"max_order": -1}, r"max_order -1 is less than 0"),
        (DecodingConfig, {"time_limit": 0}, r"time_limit 0.* is not positive"),
        (DataConfig, {"train": ["a", "b"], "weights": [1.0]}, r"1 weight for 2 files of train"),
        (TrainConfig, {"teacher_share": 1.1}, r"teacher_share 1\.1 is not between 0 and 1"),
        (
            CommitteeConfig,
            {"members": [{}], "shares": [1.0]},
            r"1 member; at least two make a",
        ),
        (CommitteeConfig, {"members": [{}, {}], "shares": [1.0]}, r"1 share for 2 members"),
        (CommitteeConfig, {"members": [{}, {}], "shares": [0.5, 0.6]}, r"not positive .* add up to 1"),
        (CommitteeConfig, {"members": [{}, {}], "shares": [-1, 2]}, r"not positive .* add up to 1"),
        (CombineConfig, {"members": ["a"], "shares": [1.0], "valid": []}, r"1 member; at least two"),
        (CombineConfig, {"members": ["a", []], "shares": [0.5, 0.5], "valid": []}, r"of no weights"),
    ],
)
def test_bad_values_are_refused_with_their_place(kind, values, message):
    with pytest.raises(ConfigError, match=message):
        from_mapping(kind, values, "here")


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.toml")), ids=lambda path: path.stem)
def test_the_configurations_that_made_the_weights_are_ones_of_this_version(path):
    kinds = {"pretrain": PretrainConfig, "base": CombineConfig, "energies": FitConfig}
    read_toml(kinds.get(path.stem.split("-")[0], TrainConfig), path)


def test_toml_sets_what_it_names_and_leaves_the_rest(tmp_path):
    path = tmp_path / "train.toml"
    path.write_text(
        'backbone = "mine"\n'
        "[head]\nchannels = 12\ndilations = [1, 3]\nthermodynamics = []\n"
        '[data]\ntrain = ["a.tsv", "b.tsv"]\nweights = [1, 0.5]\n'
        "[optimiser]\nlearning_rate = 3e-4\n"
    )
    config = read_toml(TrainConfig, path)
    assert config.backbone == "mine"
    assert config.head.dilations == (1, 3)
    assert config.head.thermodynamics == ()
    assert config.head.blocks == TrainConfig().head.blocks
    assert config.data.weights == (1.0, 0.5)
    assert config.optimiser.learning_rate == 3e-4


@pytest.mark.parametrize("content", [b"head = {", b"\xff\xfe"], ids=["no TOML", "no UTF-8"])
def test_an_unreadable_file_is_named(tmp_path, content):
    path = tmp_path / "bad.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"bad\.toml: .*expected a readable TOML file"):
        read_toml(TrainConfig, path)
    with pytest.raises(ConfigError, match=r"none\.toml: .*expected a readable TOML file"):
        read_toml(TrainConfig, tmp_path / "none.toml")


def test_an_unknown_key_in_a_file_names_the_file(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text("[encoder]\nwidht = 4\n")
    with pytest.raises(ConfigError, match=r"run\.toml: encoder\.widht"):
        read_toml(PretrainConfig, path)


@pytest.mark.parametrize(
    "config",
    [
        ModelConfig(encoder=EncoderConfig(layers=3, ffn="swiglu", max_tokens=9), temperature=1.25),
        TrainConfig(encoder=EncoderConfig(), data=DataConfig(train=("a", "b"), weights=(1.0, 0.25))),
        PretrainConfig(mask_fraction=0.2),
    ],
    ids=lambda config: type(config).__name__,
)
def test_json_gives_back_the_same_configuration(config):
    assert from_mapping(type(config), json.loads(to_json(config))) == config


def test_the_default_of_every_configuration_is_valid():
    for kind in (ModelConfig, TrainConfig, PretrainConfig):
        assert from_mapping(kind, {}) == kind()
