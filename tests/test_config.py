"""Configurations: what is refused, and that TOML and JSON give back what was written."""

import dataclasses
import json

import pytest

from rnass.config import (
    DecodingConfig,
    EncoderConfig,
    HeadConfig,
    MixtureConfig,
    ModelConfig,
    from_mapping,
    read_toml,
    to_json,
)
from rnass.errors import ConfigError


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (ModelConfig, {"encoder": {"layer": 3}}, r"encoder\.layer: Unexpected.*a key of ModelConfig$"),
        (ModelConfig, {"head": {"channels": "many"}}, r"head\.channels: Input should be .* int"),
        (ModelConfig, {"head": {"channels": 1.5}}, r"head\.channels: Input should be .* int"),
        (ModelConfig, {"head": {"parameter_sets": "a"}}, r"head\.parameter_sets: .* tuple"),
        (ModelConfig, {"encoder": {"width": 30, "heads": 8}}, r"encoder: .*multiple of heads 8"),
        (ModelConfig, {"encoder": {"width": 24, "heads": 8}}, r"encoder: .*head width, not 3"),
        (ModelConfig, {"encoder": None}, r"encoder: Input should be"),
        (ModelConfig, [], r"Input should be"),
        (ModelConfig, {1: 2}, r"here: "),
        (MixtureConfig, {"experts": [{}], "weights": [1.0]}, r"1 expert; a mixture has two"),
        (MixtureConfig, {"experts": [{}, {}], "weights": [1.0]}, r"1 weight for 2 experts"),
        (MixtureConfig, {"experts": [{}, {}], "weights": [0.5, 0.6]}, r"not positive .* add up to 1"),
        (MixtureConfig, {"experts": [{}, {}], "weights": [-1, 2]}, r"not positive .* add up to 1"),
        (MixtureConfig, {"experts": [{}, {}], "weights": [float("nan"), 1]}, r"not positive"),
        (HeadConfig, {"residual": True, "parameter_sets": []}, r"residual: no set in parameter_sets"),
    ],
)
def test_bad_values_are_refused_with_their_place(kind, values, message):
    with pytest.raises(ConfigError, match=rf"^here: .*{message}|^here: {message}|^{message}"):
        from_mapping(kind, values, "here")


NAN, INFINITE = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("kind", "name", "bad", "good"),
    [
        (EncoderConfig, "layers", [-1, 10**6], [0, 1000]),
        (EncoderConfig, "heads", [0, -8, 10**6], [1, 64]),
        (EncoderConfig, "width", [0, 10**9], [16, 65536]),
        (EncoderConfig, "vocabulary_size", [0, 10**9], [1]),
        (EncoderConfig, "norm_eps", [0, -1e-5, 2, NAN], [1e-12, 1]),
        (EncoderConfig, "rope_base", [0, NAN, INFINITE], [1e6]),
        (EncoderConfig, "max_tokens", [0], [1, None]),
        (HeadConfig, "channels", [0, 10**6], [1]),
        (HeadConfig, "blocks", [-1, 10**6], [0]),
        (HeadConfig, "coarser", [[[0, 1]], [[8, -1]], [[8]], [[8, 1]] * 13], [[[8, 0]], []]),
        (HeadConfig, "dilations", [[], [0]], [[1, 2]]),
        (HeadConfig, "dropout", [-0.1, 1, NAN], [0, 0.9]),
        (ModelConfig, "bpp_weight", [-0.1, 1.1, NAN], [0, 1]),
        (ModelConfig, "temperature", [0, -1, NAN, INFINITE], [0.1]),
        (ModelConfig, "offset", [NAN, INFINITE], [-3]),
        (DecodingConfig, "threshold", [0, 1, NAN], [0.01]),
        (DecodingConfig, "min_helix", [0], [1]),
        (DecodingConfig, "max_span", [0], [1, None]),
        (DecodingConfig, "max_order", [-1], [0, None]),
        (DecodingConfig, "min_hairpin", [-1], [0]),
        (DecodingConfig, "time_limit", [0, NAN], [0.1]),
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


def test_toml_sets_what_it_names_and_leaves_the_rest(tmp_path):
    path = tmp_path / "model.toml"
    path.write_text("bpp_weight = 0.5\n[head]\nchannels = 12\ndilations = [1, 3]\nparameter_sets = []\n")
    config = read_toml(ModelConfig, path)
    assert config.bpp_weight == 0.5
    assert config.head == HeadConfig(channels=12, dilations=(1, 3), parameter_sets=())


@pytest.mark.parametrize(
    "content",
    [b"head = {", b"\xff\xfe", b"a = " + b"[" * 100_000, b"a = 1" + b"0" * 10_000],
    ids=["no TOML", "no UTF-8", "deep", "long number"],
)
def test_an_unreadable_file_is_named(tmp_path, content):
    path = tmp_path / "bad.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"bad\.toml: "):
        read_toml(ModelConfig, path)
    with pytest.raises(ConfigError, match=r"none\.toml: .*expected a readable TOML file"):
        read_toml(ModelConfig, tmp_path / "none.toml")
    with pytest.raises(ConfigError, match=r"expected a readable TOML file"):
        read_toml(ModelConfig, tmp_path / ("x" * 300))


@pytest.mark.parametrize(
    "config",
    [
        ModelConfig(encoder=EncoderConfig(layers=3, ffn="swiglu", max_tokens=9), temperature=1.25),
        MixtureConfig(experts=(ModelConfig(), ModelConfig(offset=1.0)), weights=(0.25, 0.75)),
    ],
    ids=lambda config: type(config).__name__,
)
def test_json_gives_back_the_same_configuration(config):
    assert from_mapping(type(config), json.loads(to_json(config))) == config


def test_the_default_configuration_is_valid():
    assert from_mapping(ModelConfig, {}) == ModelConfig()
