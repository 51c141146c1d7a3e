"""Attention maps and how heads are judged; the oracles are the encoder itself and a hand-made head."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_backbones import published_checkpoint
from tiny_weights import save_tiny_weights, tiny_model

from rnass.errors import CheckpointError, OutputError, SequenceError
from rnass.io import read_structures
from rnass.jobs.attention import AttentionOptions, attention_files, attention_maps, score_heads
from rnass.network.backbones import open_backbone, save_backbone
from rnass.network.models import save_model
from rnass.structure import Structure

BASES = "GGGGAAAACCCC"


@pytest.fixture
def backbone(tmp_path):
    path = tmp_path / "b.safetensors"
    save_backbone(path, tiny_model().backbone, {})
    return str(path)


@pytest.fixture
def fasta(tmp_path):
    (tmp_path / "seqs.fa").write_text(f">a\n{BASES}\n>b\nGGGCAAAAGCCC\n")
    return [str(tmp_path / "seqs.fa")]


@pytest.fixture
def known(tmp_path):
    text = f">a\n{BASES}\n((((....))))\n>b\nGGGCAAAAGCCC\n((((....))))\n"
    (tmp_path / "known.dbn").write_text(text)
    return str(tmp_path / "known.dbn")


def test_maps_are_those_of_the_encoder_without_special_tokens(backbone):
    found = open_backbone(backbone)
    raw, corrected = attention_maps(found, BASES)
    with torch.no_grad():
        tokens = torch.tensor([found.encoder.vocabulary.encode(BASES)])
        _, *layers = found.encoder.each_layer(tokens, maps=True)
    seen = [layer.maps[0, :, 1:-1, 1:-1] for layer in layers]
    np.testing.assert_allclose(raw, torch.stack(seen).numpy(), atol=1e-6)
    assert raw.shape == corrected.shape == (2, 2, 12, 12)
    one = raw[1, 0] + raw[1, 0].T
    apc = one - np.outer(one.sum(1), one.sum(0)) / one.sum()
    np.testing.assert_allclose(corrected[1, 0], apc, atol=1e-6)


def test_codons_stand_for_their_bases(tmp_path):
    found = open_backbone(str(published_checkpoint("mrna-fm-official", tmp_path / "m")))
    raw, _ = attention_maps(found, "AUGGCUUAG")
    assert raw.shape[-2:] == (9, 9)
    assert np.array_equal(raw[..., 0, :], raw[..., 2, :])
    assert not np.allclose(raw[..., 0, :], raw[..., 3, :])


def test_longer_than_the_context(tmp_path):
    found = open_backbone(str(published_checkpoint("rna-fm-official", tmp_path / "m")))
    with pytest.raises(SequenceError, match=r"x: 40 bases; expected at most 16, the context of RNA-FM"):
        attention_maps(found, "G" * 40, "x")


def test_a_head_that_is_the_structure_has_precision_1():
    structure = Structure.from_dot_bracket("((((....))))")
    perfect = np.zeros((12, 12))
    i, j = structure.pairs.T
    perfect[i, j] = perfect[j, i] = 1
    blind = np.zeros((12, 12))
    blind[[0, 1, 2, 3], [10, 9, 8, 7]] = 1  # each a base off
    half = perfect + 2 * blind
    scores = score_heads(np.stack([[perfect, blind], [half, -perfect]]), structure)
    assert [(one.layer, one.head) for one in scores] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert [one.at_pairs for one in scores] == [1, 0, 0, 0]
    assert scores[0].at_length == pytest.approx(4 / 12)  # four pairs among the first twelve
    assert scores[2].at_length == pytest.approx(4 / 12)


def test_neighbours_do_not_count_and_no_pairs_give_0():
    near = np.zeros((1, 1, 12, 12))
    near[0, 0] = np.eye(12, k=1) + np.eye(12, k=-1)
    near[0, 0, 0, 11] = near[0, 0, 11, 0] = 0.5
    assert score_heads(near, Structure(12, [(0, 11)]))[0].at_pairs == 1
    assert score_heads(near, Structure(12))[0].at_pairs == 0
    assert score_heads(np.zeros((1, 1, 2, 2)), Structure(2))[0].at_length == 0


def test_files_against_known_structures(backbone, fasta, known, tmp_path):
    out = tmp_path / "out"
    options = AttentionOptions(backbone=backbone, structure=known)
    assert attention_files(fasta, out, options) == 0
    raw, corrected = attention_maps(open_backbone(backbone), BASES)
    with np.load(out / "a.npz") as held:
        np.testing.assert_allclose(held["attention"], raw, atol=1e-3)
        np.testing.assert_allclose(held["apc"], corrected, atol=1e-3)
        assert held["apc"].dtype == np.float16
    structure = read_structures(known)[0][1]
    wanted = [f"{one.layer}\t{one.head}\t{one.at_length:.4f}\t{one.at_pairs:.4f}"
              for one in score_heads(corrected, structure)]  # fmt: skip
    assert (out / "a.heads.tsv").read_text().splitlines()[1:] == wanted
    tables = [np.loadtxt(out / f"{name}.heads.tsv", skiprows=1) for name in "ab"]
    means = np.loadtxt(out / "heads.tsv", skiprows=1)
    assert sorted(means[:, 3]) == pytest.approx(sorted(np.mean(tables, 0)[:, 3]), abs=1e-3)
    assert list(means[:, 3]) == sorted(means[:, 3], reverse=True)
    assert (out / "a.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((out / "run.json").read_text())["backbone"]["family"] == "rnass"


def test_records_without_pairs_do_not_count_in_the_means(backbone, fasta, known, tmp_path):
    with Path(known).open("a") as file:
        file.write(">c\nGGGGAAAACCCC\n............\n")
    more = tmp_path / "more.fa"
    more.write_text(">c\nGGGGAAAACCCC\n")
    options = AttentionOptions(backbone=backbone, structure=known, plot=None)
    assert attention_files(fasta, tmp_path / "two", options) == 0
    assert attention_files([*fasta, str(more)], tmp_path / "three", options) == 0
    assert attention_files([str(more)], tmp_path / "none", options) == 0
    means = [(tmp_path / name / "heads.tsv").read_text() for name in ("two", "three", "none")]
    assert means[0] == means[1]
    assert means[2].count("\n") == 1


def test_files_against_the_prediction_and_resumed(backbone, fasta, tmp_path):
    weights = str(save_tiny_weights(tmp_path / "tiny.safetensors"))
    options = {"backbone": backbone, "weights": weights, "plot": None}
    assert attention_files(fasta, tmp_path / "out", AttentionOptions(**options)) == 0
    kept = tmp_path / "out" / "b.npz"
    before = kept.stat().st_mtime_ns
    (tmp_path / "out" / "a.npz").unlink()
    assert attention_files(fasta, tmp_path / "out", AttentionOptions(**options, resume=True)) == 0
    assert (tmp_path / "out" / "a.npz").exists()
    assert kept.stat().st_mtime_ns == before
    assert not (tmp_path / "out" / "a.png").exists()


def test_records_without_their_structure_fail(backbone, fasta, known, tmp_path, caplog):
    with Path(known).open("a") as file:
        file.write(">odd\nGGGGAAAACCCC\n((((....))))))\n")
    (tmp_path / "seqs.fa").write_text(f">a\n{BASES}\n>other\nGGGC\n>b\nGGGGAAAAGCCC\n>bad\nGX\n")
    options = AttentionOptions(backbone=backbone, structure=known, plot=None)
    assert attention_files(fasta, tmp_path / "out", options) == 1
    assert "other: no structure is known; expected one of this id" in caplog.text
    assert "b: the known structure is of other bases; expected the same" in caplog.text
    assert "letter 'X'" in caplog.text
    assert "(odd): 14 symbols for 12 bases" in caplog.text
    assert (tmp_path / "out" / "a.npz").exists()
    assert "failed" in (tmp_path / "out" / "summary.tsv").read_text()


def test_overwrite_with_weights_that_are_not_there_keeps_what_is_there(backbone, fasta, known, tmp_path):
    out, options = tmp_path / "out", {"backbone": backbone, "plot": None}
    assert attention_files(fasta, out, AttentionOptions(**options, structure=known)) == 0
    before = {path: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(CheckpointError, match="no-such"):
        attention_files(fasta, out, AttentionOptions(**options, weights="no-such", overwrite=True))
    assert {path: path.read_bytes() for path in out.iterdir()} == before


def test_resuming_judges_anew_what_has_another_structure_and_refuses_other_weights(
    backbone, fasta, known, tmp_path
):
    def tables(out, **options):
        options = AttentionOptions(backbone=backbone, plot=None, **options)
        assert attention_files(fasta, tmp_path / out, options) == 0
        return [(tmp_path / out / f"{name}.heads.tsv") for name in "ab"]

    a, b = tables("known", structure=known)
    before, kept = a.read_text(), b.stat().st_mtime_ns
    text = (tmp_path / "known.dbn").read_text()
    (tmp_path / "known.dbn").write_text(text.replace("((((....))))", "(((......)))", 1))
    tables("known", structure=known, resume=True)
    assert a.read_text() != before
    assert b.stat().st_mtime_ns == kept

    model, weights = tiny_model(), tmp_path / "tiny.safetensors"
    save_model(weights, model, {})
    (a, _) = tables("predicted", weights=str(weights))
    before = a.read_text()
    model.head.logit.bias.data -= 100  # predicts nothing
    save_model(weights, model, {})
    with pytest.raises(OutputError, match=r"predicted: made with another weights\.sha256; expected"):
        tables("predicted", weights=str(weights), resume=True)
    assert a.read_text() == before


def test_means_are_of_this_run_alone(backbone, fasta, known, tmp_path):
    out, options = tmp_path / "out", {"backbone": backbone, "structure": known, "plot": None}
    attention_files(fasta, out, AttentionOptions(**options))
    assert (out / "heads.tsv").exists()
    (tmp_path / "seqs.fa").write_text(">other\nGGGC\n")
    assert attention_files(fasta, out, AttentionOptions(**options, overwrite=True)) == 1
    assert not list(out.glob("*.heads.tsv"))
    assert len((out / "heads.tsv").read_text().splitlines()) == 1
