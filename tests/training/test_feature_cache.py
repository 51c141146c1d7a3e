"""Kept features; the oracle is the model that asks its backbone."""

import dataclasses

import pytest
import torch

from rnass.backbone.vocabulary import RNASS, swap_t_and_u, vocabulary
from rnass.config import HeadConfig
from rnass.network.contact_model import ContactModel, collate
from rnass.training.feature_cache import FeatureCache

SUM = "0123456789abcdef" * 4


def files(folder):
    return sorted(folder.rglob("*.safetensors"))


def with_features(rnas, features):
    return dataclasses.replace(collate(rnas, None, RNASS), features=features)


@pytest.fixture
def model(model_config, shaken):
    torch.manual_seed(5)
    head = dataclasses.replace(model_config.head, parameter_sets=())
    return shaken(ContactModel(dataclasses.replace(model_config, head=head)))


@pytest.mark.parametrize("maps", [True, False])
def test_logits_are_those_of_the_model_that_asks_its_backbone(
    model_config, shaken, rnas, maps, tmp_path
):
    torch.manual_seed(5)
    head = HeadConfig(
        channels=4, blocks=2, dilations=(1, 2), outer_rank=3, parameter_sets=(), attention_maps=maps
    )
    model = shaken(ContactModel(dataclasses.replace(model_config, head=head)))
    cache = FeatureCache(tmp_path, model, SUM, 1.0)
    computed, read = cache(rnas), cache(rnas)
    assert len(files(tmp_path)) == len(rnas)
    assert (computed.maps is not None) is maps
    with torch.no_grad():
        wanted = model(collate(rnas, None, RNASS))
        got = model(with_features(rnas, computed))
        assert torch.equal(model(with_features(rnas, read)), got)
    assert wanted.std() > 0.1  # there is something to compare
    assert not torch.equal(wanted, got)  # rounded to float16
    for k, rna in enumerate(rnas):
        size = len(rna)
        torch.testing.assert_close(got[k, :size, :size], wanted[k, :size, :size], atol=0.02, rtol=0.01)


def test_features_of_the_model_itself_are_exact(model, rnas):
    batch = collate(rnas, None, RNASS)
    with torch.no_grad():
        wanted = model(batch)
        assert torch.equal(model(dataclasses.replace(batch, features=model.features(batch))), wanted)


def test_what_is_kept_is_not_asked_again(model, rnas, tmp_path, monkeypatch):
    wanted = FeatureCache(tmp_path, model, SUM, 1.0)(rnas)
    monkeypatch.setattr(model, "features", None)
    got = FeatureCache(tmp_path, model, SUM, 0.0)(rnas)
    assert torch.equal(got.embeddings, wanted.embeddings)
    assert torch.equal(got.maps, wanted.maps)


def test_another_backbone_has_its_own_files(model, tmp_path):
    for checksum in (SUM, SUM[::-1]):
        FeatureCache(tmp_path, model, checksum, 1.0)(["GGC"])
    assert len({file.parent for file in files(tmp_path)}) == len(files(tmp_path)) == 2


def test_another_reading_of_u_has_its_own_files(model, tmp_path, monkeypatch):
    wanted = FeatureCache(tmp_path, model, SUM, 1.0)(["GUC"])
    swapped = vocabulary(" ".join(swap_t_and_u((*RNASS.symbols[:-1], "T"))))
    monkeypatch.setattr(model.backbone, "vocabulary", swapped)
    assert not torch.equal(
        FeatureCache(tmp_path, model, SUM, 1.0)(["GUC"]).embeddings, wanted.embeddings
    )


def test_the_folder_is_bounded(model, tmp_path):
    """One RNA of 23 bases takes 3 kB: 23 x 16 embeddings and 4 x 276 cells of maps, 2 bytes each."""
    cache = FeatureCache(tmp_path, model, SUM, 5e-6)
    assert cache(["ACGUN" * 4 + "ACG"]) is not None
    assert cache(["GGCUA" * 4 + "ACG"]) is None
    assert cache(["ACGUN" * 4 + "ACG", "GGCUA" * 4 + "ACG"]) is None
    assert len(files(tmp_path)) == 1
    assert (
        FeatureCache(tmp_path, model, SUM, 5e-6)(["GGCUA" * 4 + "ACG"]) is None
    )  # counts what is there


def test_a_damaged_file_is_made_again(model, tmp_path):
    cache = FeatureCache(tmp_path, model, SUM, 1.0)
    wanted = cache(["GGC"]).embeddings
    (kept,) = files(tmp_path)
    kept.write_bytes(kept.read_bytes()[:20])
    assert torch.equal(cache(["GGC"]).embeddings, wanted)
    assert torch.equal(FeatureCache(tmp_path, model, SUM, 0.0)(["GGC"]).embeddings, wanted)
