"""Configurations of training: bounds, the files that ship, and what decides a run."""

import dataclasses
import json
from pathlib import Path

import pytest

from rnass.config import EncoderConfig, from_mapping, read_toml, to_json
from rnass.errors import ConfigError
from rnass.training.config import (
    CombineConfig,
    DataConfig,
    FitConfig,
    OptimiserConfig,
    PretrainConfig,
    ProbeConfig,
    RunConfig,
    TrainConfig,
    decisive,
)

CONFIGS = Path(__file__).parents[2] / "configs"
NAN = float("nan")


PAIR = {"experts": ["a", "b"], "weights": [0.5, 0.5], "valid": []}
GATED = {"gated": True, "one_partner": True, "trained": ["t.tsv"]}


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (TrainConfig, {"colour": 1}, r"^here: colour: Unexpected .*; expected a key of TrainConfig$"),
        (TrainConfig, {"data": {"train": "a.tsv"}}, r"^here: data\.train: Input should be .* tuple"),
        (PretrainConfig, {"run": {"precision": "float8"}}, r"^here: run\.precision: .*'bfloat16'"),
        (DataConfig, {"train": ["a", "b"], "weights": [1.0]}, r"1 weight for 2 files of train"),
        (DataConfig, {"train": ["a"], "weights": [0]}, r"weights are all 0"),
        (CombineConfig, {"experts": ["a"], "weights": [1.0], "valid": []}, r"1 expert; a mixture has"),
        (CombineConfig, PAIR | {"gated": True}, r"gated: no one_partner"),
        (CombineConfig, PAIR | GATED | {"trained": []}, r"gated: no trained; expected the files"),
        (FitConfig, {"data": {"profiles": ["p.tsv"]}}, r"data.profiles: energies are fitted to known"),
        (CombineConfig, PAIR | {"profiles": ["p.tsv"]}, r"profiles, trained: not gated"),
        (CombineConfig, PAIR | GATED | {"valid_weights": [1]}, r"valid_weights: 1 for 0 files"),
        (CombineConfig, PAIR | GATED | {"bpp_weight": 0.5}, r"bpp_weight: a weight beside gated"),
    ],
)
def test_bad_values_are_refused_with_their_place(kind, values, message):
    with pytest.raises(ConfigError, match=message):
        from_mapping(kind, values, "here")


@pytest.mark.parametrize(
    ("kind", "name", "bad", "good"),
    [
        (OptimiserConfig, "steps", [-5, 1.5, "many"], [0, 1]),
        (OptimiserConfig, "learning_rate", [-1, 0, NAN], [1e-6]),
        (OptimiserConfig, "ema", [-0.1, 1, 2, NAN], [0, 0.999]),
        (OptimiserConfig, "accumulate", [0, -1], [1]),
        (OptimiserConfig, "warmup", [-1], [0]),
        (OptimiserConfig, "weight_decay", [-1, NAN], [0]),
        (OptimiserConfig, "clip", [0, NAN], [1]),
        (OptimiserConfig, "final_fraction", [-0.1, 1.1], [0, 1]),
        (RunConfig, "save_every", [0], [1]),
        (RunConfig, "valid_every", [0], [1]),
        (RunConfig, "stop", [-1], [0, None]),
        (RunConfig, "seed", [-1, 2**64], [0, 2**63 - 1]),
        (DataConfig, "padded_pairs", [0], [1]),
        (DataConfig, "mutation_rate", [-0.1, 1.1], [0, 1]),
        (DataConfig, "mutated_share", [-0.1, 1.1], [0, 1]),
        (DataConfig, "pseudoknot_weight", [0, -1, NAN], [3]),
        (DataConfig, "family_power", [-1, NAN], [0]),
        (DataConfig, "valid_limit", [-1], [0]),
        (DataConfig, "feature_cache_gb", [-1, NAN], [0]),
        (PretrainConfig, "mask_fraction", [-0.1, 1.1], [0.15]),
        (PretrainConfig, "structure_weight", [-1, NAN], [0]),
        (TrainConfig, "backbone_rate", [-1, NAN], [0]),
        (TrainConfig, "bpp_dropout", [-0.1, 1.1], [0, 1]),
        (TrainConfig, "bpp_weight", [-0.1, 1.1], [0, 1, None]),
        (FitConfig, "samples", [1, 0], [2]),
        (FitConfig, "prior", [-1, NAN], [0]),
        (ProbeConfig, "hidden", [-1, 10**9], [0, 64]),
        (ProbeConfig, "steps", [-5], [0]),
        (ProbeConfig, "batch", [0], [1]),
        (ProbeConfig, "learning_rate", [0, NAN], [1e-3]),
    ],
)
def test_bounds_hold_however_a_configuration_is_made(kind, name, bad, good):
    for value in good:
        assert from_mapping(kind, {name: value}) == kind(**{name: value})
    for value in bad:
        with pytest.raises(ConfigError, match=rf"^here: {name}"):
            from_mapping(kind, {name: value}, "here")
        with pytest.raises(ValueError, match=name):
            dataclasses.replace(kind(), **{name: value})


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.toml")), ids=lambda path: path.stem)
def test_the_configurations_that_ship_are_ones_of_this_version(path):
    kinds = {"pretrain": PretrainConfig, "base": CombineConfig, "energies": FitConfig}
    read_toml(kinds.get(path.stem.split("-")[0], TrainConfig), path)


def test_toml_sets_what_it_names_and_leaves_the_rest(tmp_path):
    path = tmp_path / "train.toml"
    path.write_text(
        'backbone = "mine"\n'
        '[data]\ntrain = ["a.tsv", "b.tsv"]\nweights = [1, 0.5]\n'
        "[optimiser]\nlearning_rate = 3e-4\n"
    )
    config = read_toml(TrainConfig, path)
    assert config.backbone == "mine"
    assert config.head == TrainConfig().head
    assert config.data.weights == (1.0, 0.5)
    assert config.optimiser == OptimiserConfig(learning_rate=3e-4)


def test_an_unknown_key_in_a_file_names_the_file(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text("[encoder]\nwidht = 4\n")
    with pytest.raises(ConfigError, match=r"run\.toml: encoder\.widht"):
        read_toml(PretrainConfig, path)


@pytest.mark.parametrize(
    "config",
    [
        TrainConfig(encoder=EncoderConfig(), data=DataConfig(train=("a", "b"), weights=(1.0, 0.25))),
        PretrainConfig(mask_fraction=0.2),
    ],
    ids=lambda config: type(config).__name__,
)
def test_json_gives_back_the_same_configuration(config):
    assert from_mapping(type(config), json.loads(to_json(config))) == config


def test_run_control_does_not_decide_a_run_and_the_rest_does():
    config = TrainConfig()

    def changed(part, **values):
        whole = dataclasses.replace(
            config, **{part: dataclasses.replace(getattr(config, part), **values)}
        )
        return decisive(whole) != decisive(config)

    assert not changed("run", save_every=7, valid_every=9, stop=3)
    assert not changed("data", cache="elsewhere", fold_ahead=False, feature_cache_gb=1.0)
    assert changed("run", seed=2)
    assert changed("data", family_power=0.5)
    assert changed("optimiser", steps=2)
