"""`embed_files`: the files, the summary, bad records, resuming; the oracle is `embed` itself."""

import json
import sys

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from tiny_backbones import published_checkpoint

from rnass.backbone.embeddings import embed
from rnass.backbone.encoder import Encoder
from rnass.errors import CheckpointError, ConfigError, DependencyError, OutputError
from rnass.jobs.embed import EmbedOptions, embed_files
from rnass.jobs.journal import Plan
from rnass.jobs.results import open_results
from rnass.network.backbones import open_backbone, save_backbone


@pytest.fixture
def backbone(encoder_config, shaken, tmp_path):
    torch.manual_seed(1)
    path = tmp_path / "mine.safetensors"
    save_backbone(path, shaken(Encoder(encoder_config)), {})
    return str(path)


@pytest.fixture
def fasta(tmp_path):
    path = tmp_path / "seqs.fa"
    path.write_text(">a\nGGGAAACCC\n>b/1\nacgtn\n>c\nG\n")
    return [str(path)]


def table(folder):
    lines = (folder / "summary.tsv").read_text().splitlines()
    return [dict(zip(lines[0].split("\t"), line.split("\t"), strict=True)) for line in lines[1:]]


def test_a_row_per_base(backbone, fasta, tmp_path):
    assert embed_files(fasta, tmp_path / "out", EmbedOptions(backbone=backbone)) == 0
    encoder = open_backbone(backbone).encoder
    for name, bases in (("a", "GGGAAACCC"), ("b_1", "ACGUN"), ("c", "G")):
        got = np.load(tmp_path / "out" / f"{name}.npy")
        (wanted,) = embed(encoder, [bases])
        np.testing.assert_allclose(got, wanted.tokens.numpy(), atol=1e-5)
        assert got.dtype == np.float32
    assert [(row["id"], row["file"], row["status"]) for row in table(tmp_path / "out")] == [
        ("a", "a", "ok"), ("b/1", "b_1", "ok"), ("c", "c", "ok")
    ]  # fmt: skip
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    assert run["backbone"]["sha256"] == open_backbone(backbone).sha256
    assert (run["unit"], run["width"], run["records"]) == ("nt", 16, 3)


@pytest.mark.parametrize("pool", ["mean", "cls"])
@pytest.mark.parametrize("kind", ["npy", "safetensors", "parquet"])
def test_one_vector_in_every_format(backbone, fasta, tmp_path, pool, kind):
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    options = EmbedOptions(backbone=backbone, pool=pool, format=kind, layer=1)
    assert embed_files(fasta, tmp_path / "out", options) == 0
    (wanted,) = embed(open_backbone(backbone).encoder, ["GGGAAACCC"], 1)
    path = tmp_path / "out" / f"a.{kind}"
    got = {"npy": np.load, "safetensors": lambda p: load_file(p)["embedding"], "parquet": vector}[kind]
    vectors = {"mean": wanted.tokens.mean(0), "cls": wanted.cls}
    np.testing.assert_allclose(got(path), vectors[pool].numpy(), atol=1e-5)


def vector(path):
    from pyarrow import parquet

    rows = parquet.read_table(path).to_pydict()
    assert rows["token"] == [1]
    return np.array(rows["embedding"][0])


def test_parquet_has_a_row_per_base(backbone, fasta, tmp_path):
    reader = pytest.importorskip("pyarrow.parquet")
    embed_files(fasta, tmp_path / "out", EmbedOptions(backbone=backbone, format="parquet"))
    rows = reader.read_table(tmp_path / "out" / "a.parquet").to_pydict()
    (wanted,) = embed(open_backbone(backbone).encoder, ["GGGAAACCC"])
    assert rows["token"] == list(range(1, 10))
    np.testing.assert_allclose(np.array(rows["embedding"]), wanted.tokens.numpy(), atol=1e-5)


def test_without_pyarrow_it_is_named_before_anything_is_read(fasta, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DependencyError, match=r"pyarrow is not installed; expected it \(pip install"):
        embed_files(fasta, tmp_path / "out", EmbedOptions(format="parquet"))
    assert not (tmp_path / "out").exists()


def test_a_published_backbone_and_its_windows(tmp_path, fasta):
    """RNA-FM's golden file has room for 16 bases."""
    path = published_checkpoint("rna-fm-official", tmp_path / "rna-fm")
    (tmp_path / "seqs.fa").write_text(f">long\n{'GGCUA' * 8}\n>short\nGGC\n")
    options = EmbedOptions(backbone=str(path))
    assert embed_files(fasta, tmp_path / "out", options) == 0
    assert np.load(tmp_path / "out" / "long.npy").shape == (40, 8)
    said = {row["id"]: row["message"] for row in table(tmp_path / "out")}
    assert said["short"] == ""
    size = open_backbone(str(path)).encoder.max_bases
    assert f"windows of {size} bases" in said["long"]
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    assert (run["backbone"]["family"], run["context_bases"]) == ("rna-fm", size)


def test_a_codon_model_says_which_rna_has_bases_left_over(tmp_path, fasta, caplog):
    path = published_checkpoint("mrna-fm-official", tmp_path / "mrna")
    (tmp_path / "seqs.fa").write_text(">whole\nAUGGCUUAG\n>odd\nAUGG\n")
    assert embed_files(fasta, tmp_path / "out", EmbedOptions(backbone=str(path))) == 1
    assert np.load(tmp_path / "out" / "whole.npy").shape == (3, 8)
    assert not (tmp_path / "out" / "odd.npy").exists()
    assert "odd: 4 bases; expected whole codons" in caplog.text
    assert [row["status"] for row in table(tmp_path / "out")] == ["ok", "failed"]
    caplog.clear()
    assert embed_files(fasta, tmp_path / "none", EmbedOptions(backbone=str(path), strict=True)) == 2
    assert "odd: 4 bases; expected whole codons" in caplog.text
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(("strict", "status"), [(False, 1), (True, 2)])
def test_bad_records_are_reported(backbone, fasta, tmp_path, caplog, strict, status):
    (tmp_path / "seqs.fa").write_text(">a\nGGX\n>b\nGGC\n")
    out = tmp_path / "out"
    assert embed_files(fasta, out, EmbedOptions(backbone=backbone, strict=strict)) == status
    assert "letter 'X'" in caplog.text
    assert (out / "b.npy").exists() is not strict


def test_resuming_does_only_what_is_missing(backbone, fasta, tmp_path):
    out = tmp_path / "out"
    options = {"backbone": backbone}
    embed_files(fasta, out, EmbedOptions(**options))
    with pytest.raises(OutputError, match="holds earlier results"):
        embed_files(fasta, out, EmbedOptions(**options))
    (out / "a.npy").unlink()
    before = (out / "c.npy").stat().st_mtime_ns
    assert embed_files(fasta, out, EmbedOptions(**options, resume=True)) == 0
    assert (out / "a.npy").exists()
    assert (out / "c.npy").stat().st_mtime_ns == before
    assert len(table(out)) == 3
    embed_files(fasta, out, EmbedOptions(**options, pool="mean", overwrite=True))
    assert np.load(out / "a.npy").shape == (16,)


def test_a_folder_that_another_run_writes_into_is_refused(backbone, fasta, tmp_path):
    out = tmp_path / "out"
    with (
        open_results(out, Plan("embed", {}, (), (), ()), []),
        pytest.raises(OutputError, match="another run is writing into it"),
    ):
        embed_files(fasta, out, EmbedOptions(backbone=backbone))


def test_longer_than_a_structure_may_be(backbone, fasta, tmp_path, monkeypatch):
    monkeypatch.setattr("rnass.backbone.embeddings.LONGEST_WINDOW", 2000)
    (tmp_path / "seqs.fa").write_text(f">x\n{'ACGU' * 1100}\n")
    assert embed_files(fasta, tmp_path / "out", EmbedOptions(backbone=backbone)) == 0
    assert np.load(tmp_path / "out" / "x.npy").shape == (4400, 16)


def test_what_a_backbone_cannot_give(backbone, fasta, tmp_path):
    with pytest.raises(ConfigError, match="layer 9: this backbone has 2"):
        embed_files(fasta, tmp_path / "out", EmbedOptions(backbone=backbone, layer=9))
    with pytest.raises(CheckpointError, match="neither a file or folder nor known"):
        embed_files(fasta, tmp_path / "out", EmbedOptions(backbone="no-such"))
    path = published_checkpoint("rna-fm-official", tmp_path / "rna-fm")
    with pytest.raises(CheckpointError, match="is no rnabert by its tensors"):
        embed_files(fasta, tmp_path / "out", EmbedOptions(backbone=str(path), family="rnabert"))


def test_two_strands_are_no_rna_that_a_backbone_has_read(backbone, tmp_path, caplog):
    (tmp_path / "two.fa").write_text(">two\nGGG&CCC\n>one\nGGG\n")
    assert (
        embed_files([str(tmp_path / "two.fa")], tmp_path / "out", EmbedOptions(backbone=backbone)) == 1
    )
    assert "two: two strands; expected one" in caplog.text
    assert (tmp_path / "out" / "one.npy").exists()
