"""Weights files: what is written is read back, and what is not right is refused by name."""

import dataclasses
import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from rnass.backbone.encoder import Encoder
from rnass.backbone.vocabulary import RNASS
from rnass.config import MixtureConfig
from rnass.errors import CheckpointError, ConfigError
from rnass.files import sha256
from rnass.network import backbones, models, weights
from rnass.network.contact_model import ContactModel, Mixture, collate


@pytest.fixture
def saved(model, tmp_path):
    path = tmp_path / "weights" / "rnass-mine.safetensors"
    models.save_model(path, model, {"steps": 3})
    return path


def rewritten(path, change):
    """The same file with its tensors and metadata changed in place."""
    with safe_open(path, "pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - no mapping
        metadata = file.metadata()
    change(tensors, metadata)
    save_file(tensors, path, metadata)
    return path


def test_a_model_comes_back_with_its_configuration_and_float16_weights(model, saved):
    model.config = dataclasses.replace(model.config, temperature=1.5, offset=0.25)
    models.save_model(saved, model, {})
    loaded = models.load_model(saved)
    assert loaded.config == model.config
    assert not loaded.training
    for key, tensor in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[key], tensor.half().float()), key


def test_a_loaded_model_answers_as_the_saved_one(model, saved, rnas):
    for parameter in model.parameters():
        parameter.data = parameter.data.half().float()
    batch = collate(rnas, None, RNASS)
    with torch.no_grad():
        torch.testing.assert_close(models.load_model(saved)(batch), model(batch), atol=0, rtol=0)


def test_the_same_weights_make_the_same_file(model, tmp_path):
    for k in range(8):
        models.save_model(tmp_path / f"{k}.safetensors", model, {"steps": 3})
    assert len({path.read_bytes() for path in tmp_path.glob("*.safetensors")}) == 1


def test_saving_leaves_no_other_file_and_says_how_it_was_made(saved):
    assert list(saved.parent.iterdir()) == [saved]
    with safe_open(saved, "pt") as file:
        assert json.loads(file.metadata()["made"]) == {"steps": 3}


def test_a_backbone_is_read_alone_and_out_of_a_contact_model(model, saved, tmp_path):
    alone = tmp_path / "backbone.safetensors"
    backbones.save_backbone(alone, model.backbone, {})
    for path in (alone, saved):
        encoder = backbones.open_backbone(str(path)).encoder
        assert isinstance(encoder, Encoder)
        assert encoder.config == model.config.encoder
        for key, tensor in model.backbone.state_dict().items():
            assert torch.equal(encoder.state_dict()[key], tensor.half().float()), key


def test_a_backbone_is_no_contact_model(model, tmp_path):
    path = tmp_path / "backbone.safetensors"
    backbones.save_backbone(path, model.backbone, {})
    with pytest.raises(CheckpointError, match=r"backbone\.safetensors: holds a backbone; expected"):
        models.load_model(path)


@pytest.fixture
def mixture(model, tmp_path):
    """Its file, and itself: a model and the same one with other weights."""
    other = ContactModel(model.config)
    config = MixtureConfig(experts=(model.config, other.config), weights=(0.75, 0.25), offset=0.5)
    both = Mixture(config, [model, other])
    path = tmp_path / "both.safetensors"
    models.save_mixture(path, both, {"how": "by hand"})
    return path, both


def test_a_mixture_comes_back_with_its_configuration_and_float16_weights(mixture):
    path, both = mixture
    loaded = models.load_pairing_model(path)
    assert isinstance(loaded, Mixture)
    assert loaded.config == both.config
    assert not loaded.training
    for key, tensor in both.state_dict().items():
        assert torch.equal(loaded.state_dict()[key], tensor.half().float()), key


def test_a_mixture_is_no_contact_model_and_takes_no_other_backbone(mixture):
    path, _ = mixture
    with pytest.raises(CheckpointError, match=r"both\.safetensors: holds a mixture; expected a contact"):
        models.load_model(path)
    with pytest.raises(CheckpointError, match=r"holds its own backbone; expected no other \(mine\)"):
        models.load_pairing_model(path, "mine")


def test_the_backbone_of_a_mixture_is_that_of_its_first_expert(mixture):
    path, both = mixture
    encoder = backbones.open_backbone(str(path)).encoder
    for key, tensor in both.backbone.state_dict().items():
        assert torch.equal(encoder.state_dict()[key], tensor.half().float()), key


def drop(tensors, _):
    del tensors["head.norm.bias"]


def add(tensors, _):
    tensors["head.extra"] = torch.zeros(2)


def reshape(tensors, _):
    tensors["head.logit.weight"] = torch.zeros(1, 5)


def strip(_, metadata):
    metadata.clear()


def halve(_, metadata):
    del metadata["config"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (drop, r"tensor head\.norm\.bias is missing; expected"),
        (add, r"tensor head\.extra is unknown; expected"),
        (reshape, r"tensor head\.logit\.weight is \(1, 5\); expected \(1, 4\)"),
        (strip, r"not written by rnass; expected"),
        (halve, r"not written by rnass; expected"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_does_not_fit_is_named(saved, change, message):
    with pytest.raises(CheckpointError, match=rf"rnass-mine\.safetensors: {message}"):
        models.load_model(rewritten(saved, change))


def test_a_configuration_of_another_version_is_refused(saved):
    def change(_, metadata):
        metadata["config"] = json.dumps({"encoder": {"colour": 1}})

    with pytest.raises(ConfigError, match=r"rnass-mine\.safetensors: encoder\.colour"):
        models.load_model(rewritten(saved, change))


@pytest.mark.parametrize("content", [b"", b"no safetensors at all"], ids=["empty", "text"])
def test_another_kind_of_file_is_refused(tmp_path, content):
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"x\.safetensors: .*expected a safetensors file"):
        backbones.open_backbone(str(path))


def test_an_absent_file_is_named_even_where_a_manifest_knows_it(tmp_path):
    (tmp_path / "manifest.json").write_text('{"x.safetensors": {"sha256": "0"}}')
    with pytest.raises(CheckpointError, match=r"x\.safetensors: no such file"):
        models.load_model(tmp_path / "x.safetensors")


def test_a_file_must_have_the_sha256_of_the_manifest(saved):
    manifest = saved.parent / "manifest.json"
    manifest.write_text(json.dumps({saved.name: {"sha256": sha256(saved), "licence": "MIT"}}))
    assert weights.manifest_entry(saved)["licence"] == "MIT"
    models.load_model(saved)
    data = bytearray(saved.read_bytes())
    data[-1] ^= 1
    saved.write_bytes(data)
    with pytest.raises(CheckpointError, match=r"sha256 differs; expected [0-9a-f]{64} as in"):
        models.load_model(saved)


@pytest.mark.parametrize("content", ["{", '["x"]'], ids=["no JSON", "no object"])
def test_a_broken_manifest_is_named(saved, content):
    (saved.parent / "manifest.json").write_text(content)
    with pytest.raises(CheckpointError, match=r"manifest\.json: .*expected (JSON|an object)"):
        models.load_model(saved)


def test_sha256_is_that_of_the_standard(tmp_path):
    path = tmp_path / "abc"
    path.write_bytes(b"abc")  # FIPS 180-2, appendix B.1
    assert sha256(path).startswith("ba7816bf8f01cfea414140de5dae2223")


def test_weights_are_looked_for_in_order(tmp_path, monkeypatch):
    assert [folder.name for folder in weights.SHIPPED] == ["_weights", "weights"]
    places = [tmp_path / "own", tmp_path / "rnass" / "_weights", tmp_path / "weights"]
    monkeypatch.setattr(weights, "SHIPPED", places[1:])
    monkeypatch.setenv("RNASS_WEIGHTS", str(places[0]))
    with pytest.raises(CheckpointError, match=r"weights 'base': not a file, nor in ") as refused:
        weights.find_weights()
    assert ", ".join(map(str, places)) in str(refused.value)
    for folder in reversed(places):  # each goes before those that were filled so far
        folder.mkdir(parents=True)
        (folder / "rnass-base.safetensors").touch()
        assert weights.find_weights() == folder / "rnass-base.safetensors"
    monkeypatch.delenv("RNASS_WEIGHTS")
    assert weights.find_weights("base").parent == places[1]
    given = tmp_path / "given.safetensors"
    given.touch()
    assert weights.find_weights(str(given)) == given


def test_of_what_is_no_model_no_parameter_sets_are_known(tmp_path, saved):
    assert weights.parameter_sets_of(saved) == models.load_model(saved).config.parameter_sets
    (tmp_path / "text").write_text("no weights at all")
    assert weights.parameter_sets_of(tmp_path / "text") == ()
    assert weights.parameter_sets_of(tmp_path / "absent") == ()
