"""Backbones by path and name, with their language-model heads; heads kept without their backbone."""

import json

import pytest
import torch
from reading import read_checkpoint
from safetensors import safe_open
from tiny_backbones import published_checkpoint

from rnass.backbone.language_head import LanguageHead, fill_masks
from rnass.backbone.vocabulary import RNASS
from rnass.config import HeadConfig, ModelConfig
from rnass.errors import CheckpointError
from rnass.files import sha256
from rnass.network import backbones, models, weights
from rnass.network.backbones import open_backbone
from rnass.network.contact_model import ContactModel, collate


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("RNASS_WEIGHTS", str(tmp_path))
    monkeypatch.setattr(weights, "SHIPPED", ())
    return tmp_path


@pytest.fixture
def language(model, shaken):
    head = shaken(LanguageHead(model.config.encoder, len(RNASS.symbols)), 3)
    head.tie(model.backbone.tokens)
    return head


def test_the_default_is_the_backbone_that_ships_else_that_of_the_weights(folder, model, language):
    with pytest.raises(CheckpointError, match="not a file, nor in"):
        open_backbone()
    models.save_model(folder / "rnass-base.safetensors", model, {})
    assert open_backbone().language is None
    backbones.save_backbone(folder / "rnass-small-backbone.safetensors", model.backbone, {}, language)
    found = open_backbone()
    assert (found.name, found.family) == ("rnass-small-backbone.safetensors", "rnass")
    assert found.language is not None
    assert found.sha256 == sha256(found.path)
    assert open_backbone("base").name == "rnass-base.safetensors"


def test_a_language_head_comes_back_with_its_backbone(folder, model, language):
    for module in (model.backbone, language):
        for parameter in module.parameters():
            parameter.data = parameter.data.half().float()
    path = folder / "b.safetensors"
    backbones.save_backbone(path, model.backbone, {}, language)
    found = open_backbone(str(path))
    encoder, head = found.encoder, found.language
    assert head.weight is encoder.tokens.weight
    assert fill_masks(encoder, head, "GG<mask>C") == fill_masks(model.backbone, language, "GG<mask>C")
    assert encoder.config == model.config.encoder


def test_a_backbone_alone_has_no_language_head(folder, model):
    backbones.save_backbone(folder / "b.safetensors", model.backbone, {})
    assert open_backbone(str(folder / "b.safetensors")).language is None


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("rna-fm-official", "rna-fm"),
        ("aido-rna-official", "aido-rna"),
        ("plantrna-fm-rotary", "plantrna-fm"),
    ],
)
def test_a_published_one_is_read_by_its_path(folder, name, family):
    path = published_checkpoint(name, folder / name)
    found = open_backbone(str(path))
    assert (found.family, found.revision, found.path) == (family, None, path)
    assert found.language is not None
    wanted = read_checkpoint(path)
    assert found.encoder.config == wanted.config
    assert all(
        torch.equal(a, b) for a, b in zip(found.encoder.parameters(), wanted.parameters(), strict=True)
    )
    files = [
        one
        for one in (path.iterdir() if path.is_dir() else [path])
        if one.suffix not in (".json", ".txt")
    ]
    assert found.sha256 == sha256(files[0])


def on_published(path, shaken, u_as=None):
    backbone = open_backbone(str(path), u_as=u_as)
    head = HeadConfig(channels=4, blocks=1, dilations=(1,), outer_rank=3, parameter_sets=())
    model = ContactModel(ModelConfig(encoder=backbone.encoder.config, head=head), backbone.encoder)
    for part in (model.pair_features, model.head):
        shaken(part)
        for parameter in part.parameters():
            parameter.data = parameter.data.half().float()
    return backbone, model.eval()


@pytest.fixture
def published(folder, shaken):
    path = published_checkpoint("rna-fm-official", folder / "rna-fm")
    backbone, model = on_published(path, shaken)
    models.save_head(folder / "head.safetensors", model, backbone, {"steps": 1})
    return path, model, folder / "head.safetensors"


def test_a_head_is_kept_without_its_backbone_and_joined_to_it_again(published):
    path, model, kept = published
    with safe_open(kept, "pt") as file:
        assert not any(key.startswith("backbone.") for key in file.keys())  # noqa: SIM118 - no mapping
        named = json.loads(file.metadata()["backbone"])
    assert (named["name"], named["family"]) == ("RNA-FM_pretrained.pth", "rna-fm")
    assert named["sha256"] == sha256(path)
    batch = collate(["GGGCUAACCC"], None, model.backbone.vocabulary)
    with torch.no_grad():
        assert torch.equal(models.load_model(kept, str(path))(batch), model(batch))


def test_a_head_reads_u_as_it_was_trained(folder, shaken):
    path = published_checkpoint("aido-rna-official", folder / "aido")
    for u_as in (None, "U"):
        backbone, model = on_published(path, shaken, u_as)
        models.save_head(folder / "head.safetensors", model, backbone, {})
        batch = collate(["GGGCUAACCC"], None, model.backbone.vocabulary)
        with torch.no_grad():
            again = models.load_model(folder / "head.safetensors", str(path))
            assert again.backbone.vocabulary.name == f"aido-rna-{backbone.u_as.lower()}"
            assert torch.equal(again(batch), model(batch))
    assert backbone.u_as == "U"


def test_rnass_s_own_has_one_family_and_no_t(folder, model):
    backbones.save_backbone(folder / "b.safetensors", model.backbone, {})
    for asked in ({"family": "rna-fm"}, {"u_as": "T"}):
        with pytest.raises(CheckpointError, match="rnass's own; expected no family, and U read as U"):
            open_backbone(str(folder / "b.safetensors"), **asked)


def test_a_head_without_its_backbone_says_what_to_bring(published):
    kept = published[2]
    for load in (models.load_model, models.load_pairing_model):
        with pytest.raises(
            CheckpointError, match=r"RNA-FM_pretrained\.pth \(rna-fm, sha256 .*--backbone"
        ):
            load(kept)
    with pytest.raises(CheckpointError, match="holds a contact head alone"):
        open_backbone(str(kept))


def test_another_backbone_is_refused(published, folder):
    _, _, kept = published
    other = published_checkpoint("rna-fm-official-token-dropout", folder / "other")
    with pytest.raises(CheckpointError, match=r"was trained on another backbone .*expected RNA-FM"):
        models.load_model(kept, str(other))


def test_weights_with_a_backbone_take_no_other(folder, model):
    models.save_model(folder / "m.safetensors", model, {})
    with pytest.raises(CheckpointError, match="holds its own backbone; expected no other"):
        models.load_model(folder / "m.safetensors", "rna-fm")
