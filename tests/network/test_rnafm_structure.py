"""The oracle is the head written out plainly (plain_references.py); the authors' own where installed."""

import argparse

import pytest
import torch
from golden_files import GOLDEN, read_golden
from plain_references import HEAD, head_shapes, rnafm_structure_head, shaped

from rnass.errors import CheckpointError
from rnass.network.rnafm_structure import THRESHOLDS, read_rnafm_structure


@pytest.fixture(scope="module")
def head():
    weights = shaped(head_shapes(), scale=0.03)
    counts = {f"proj.resnet.{k}.bn1.num_batches_tracked": torch.tensor(7) for k in range(32)}
    return weights | counts


@pytest.fixture
def stored(head):
    golden = next(path for path in GOLDEN if path.stem == "rna-fm-official")
    weights = read_golden(golden)[0]
    backbone = {f"backbone.{key.split('sentence_encoder.')[1]}": one for key, one in weights.items()}
    return backbone | {HEAD + key: one for key, one in head.items()}


def save(tensors, tmp_path):
    torch.save(tensors, tmp_path / "RNA-FM-ResNet_bpRNA.pth")
    return tmp_path / "RNA-FM-ResNet_bpRNA.pth"


def test_probabilities_agree_with_plain_code(stored, head, tmp_path):
    model = read_rnafm_structure(save(stored, tmp_path))
    bases = "GGGCUAANCC"
    with torch.no_grad():
        embeddings = model.backbone(torch.tensor([model.backbone.vocabulary.encode(bases)]))[0, 1:-1]
        wanted = torch.sigmoid(rnafm_structure_head(head, embeddings)).fill_diagonal_(0)
    got = model.probabilities(bases)
    assert (got - wanted).abs().max() < 1e-5
    assert torch.equal(got, got.T)
    assert got.std() > 0.01  # the comparison is of something


@pytest.mark.filterwarnings("ignore")
def test_the_authors_head_agrees(stored, head, tmp_path):
    module = pytest.importorskip("fm.downstream.pairwise_predictor.pairwise_concat")
    fm = pytest.importorskip("fm")
    alphabet = fm.Alphabet.from_architecture("roberta_large", "rna")
    arguments = argparse.Namespace(embed_dim=8, attention_heads=2)
    theirs = module.PairwiseConcatWithResNet(arguments, alphabet, 1, symmetric=True).eval()
    theirs.load_state_dict(head)
    model = read_rnafm_structure(save(stored, tmp_path))
    tokens = torch.tensor([model.backbone.vocabulary.encode("GGGCUAANCC")])
    with torch.no_grad():
        wanted = torch.sigmoid(theirs(tokens, {"embedding": model.backbone(tokens)}))[0]
    assert (model.probabilities("GGGCUAANCC") - wanted.fill_diagonal_(0)).abs().max() < 1e-5


def test_the_documented_size_and_thresholds(stored, tmp_path):
    model = read_rnafm_structure(save(stored, tmp_path))
    parameters = sum(one.numel() for name, one in model.named_parameters() if "backbone" not in name)
    assert parameters + (640 - 8) * 128 == 2_462_465
    assert THRESHOLDS["bpRNA"] == 0.47729617


@pytest.mark.parametrize(
    "key", ["proj.resnet.31.bn1.running_var", "proj.final.bias", "pre_reduction.weight"]
)
def test_a_missing_tensor_is_named(stored, key, tmp_path):
    del stored[HEAD + key]
    with pytest.raises(CheckpointError, match=f"{key} is missing"):
        read_rnafm_structure(save(stored, tmp_path))


def test_unknown_tensors_are_named(stored, tmp_path):
    for key in ("other.weight", HEAD + "proj.extra.weight"):
        with pytest.raises(CheckpointError, match=f"{key.removeprefix(HEAD)} is unknown"):
            read_rnafm_structure(save({**stored, key: torch.ones(1)}, tmp_path))


def test_a_lost_layer_of_the_backbone_is_noticed(stored, tmp_path):
    short = {
        key: one for key, one in stored.items() if not key.startswith("backbone.layers.1.fc1.weight")
    }
    with pytest.raises(CheckpointError, match=r"layers\.1\.fc1\.weight is missing"):
        read_rnafm_structure(save(short, tmp_path))
    short = {key: one for key, one in stored.items() if not key.startswith("backbone.layers.1.")}
    short["backbone.contact_head.regression.weight"] = torch.ones(1, 3)
    with pytest.raises(CheckpointError):
        read_rnafm_structure(save(short, tmp_path))


def test_a_backbone_alone_is_refused(stored, tmp_path):
    path = save({key: one for key, one in stored.items() if key.startswith("backbone.")}, tmp_path)
    with pytest.raises(CheckpointError, match="is missing"):
        read_rnafm_structure(path)
