"""Backbones by path or name, with a stand-in for the Hub: nothing here reaches a network."""

import sys
from types import SimpleNamespace

import pytest

from rnass.backbone.checkpoints import FAMILIES
from rnass.backbone.published import PUBLISHED, Found, find_checkpoint, published
from rnass.errors import CheckpointError, DependencyError


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A Hub that has everything; records what it was asked for."""
    asked = []

    def snapshot_download(repository, allow_patterns):
        asked.append((repository, allow_patterns))
        return str(tmp_path / "models" / "snapshots" / "0f1e2d")

    monkeypatch.setitem(
        sys.modules, "huggingface_hub", SimpleNamespace(snapshot_download=snapshot_download)
    )
    return asked


def test_the_list_is_complete_and_distinct():
    assert {one.family for one in PUBLISHED} == set(FAMILIES)
    assert len({one.name for one in PUBLISHED}) == len(PUBLISHED)
    for one in PUBLISHED:
        assert one.licence
        assert one.citation
        assert one.source.startswith("https://")


def test_a_path_is_taken_as_it_is(tmp_path):
    assert find_checkpoint(str(tmp_path)) == Found(tmp_path)


def test_a_folder_comes_with_its_revision(hub):
    found = find_checkpoint("yangheng/plantrna-fm")
    assert found.family == "plantrna-fm"
    assert found.revision == found.path.name == "0f1e2d"
    assert hub == [("yangheng/PlantRNA-FM", ["*.json", "*.txt", "*.safetensors"])]


def test_one_file_of_a_repository(hub):
    found = find_checkpoint("mrna-fm")
    assert found.path.name == "mRNA-FM_pretrained.pth"
    assert found.revision == "0f1e2d"
    assert hub == [("cuhkaih/rnafm", ["mRNA-FM_pretrained.pth"])]


def test_shards_of_aido_rna(hub):
    find_checkpoint("genbio-ai/AIDO.RNA-1.6B")
    assert hub == [("genbio-ai/AIDO.RNA-1.6B", ["*.json", "*.txt", "*.bin"])]


def test_without_a_network_it_says_what_to_put_where(monkeypatch):
    def snapshot_download(*_, **__):
        raise ConnectionError("no route to host")

    monkeypatch.setitem(
        sys.modules, "huggingface_hub", SimpleNamespace(snapshot_download=snapshot_download)
    )
    with pytest.raises(
        CheckpointError, match=r"no route.*config\.json and model\.safetensors and vocab\.txt from"
    ):
        find_checkpoint("multimolecule/rnafm")


def test_without_huggingface_hub(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(DependencyError, match=r"pip install huggingface-hub.*RNA-FM_pretrained\.pth"):
        find_checkpoint("rna-fm")


def test_rnabert_is_not_on_the_hub():
    with pytest.raises(CheckpointError, match=r"not on the Hub.*github\.com/mana438/RNABERT"):
        find_checkpoint("rnabert")


def test_an_unknown_name_lists_the_known():
    with pytest.raises(
        CheckpointError, match=r"'rinalmo': neither a file or folder nor known.*multimolecule/rnafm"
    ):
        published("rinalmo")
