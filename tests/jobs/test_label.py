"""`label_files`: the table of what a head says; the oracle is the head itself, asked for one RNA."""

from dataclasses import replace

import pytest
import torch
from tiny_backbones import published_checkpoint

from rnass.backbone.encoder import Encoder
from rnass.errors import CheckpointError
from rnass.jobs.label import LabelOptions, label_files
from rnass.network.backbones import save_backbone
from rnass.training.config import ProbeConfig
from rnass.training.probe import load_probe, train_probe

RNAS = {"a": "GGGAAACCC", "b": "ACGUN", "c": "G", "d": "CUUCGG"}


@pytest.fixture
def backbone(encoder_config, shaken, tmp_path):
    save_backbone(tmp_path / "b.safetensors", shaken(Encoder(encoder_config)), {})
    return str(tmp_path / "b.safetensors")


@pytest.fixture
def fasta(tmp_path):
    path = tmp_path / "seqs.fa"
    path.write_text("".join(f">{name} its title\n{bases.lower()}\n" for name, bases in RNAS.items()))
    return [str(path)]


@pytest.fixture
def trained(backbone, tmp_path):
    """Trains a head on four RNAs with the labels that are given; gives its folder."""

    def train(labels, backbone=backbone, **settings):
        rows = [f"x\t{bases}\t{label}" for bases, label in zip(RNAS.values(), labels, strict=True)]
        (tmp_path / "t.tsv").write_text("\n".join(["id\tsequence\tlabel", *rows]) + "\n")
        table = (str(tmp_path / "t.tsv"),)
        config = ProbeConfig(train=table, backbone=backbone, steps=30, **settings)
        train_probe(config, tmp_path / "run", torch.device("cpu"))
        return tmp_path / "run"

    return train


def rows(text):
    return [line.split("\t") for line in text.splitlines()]


def test_a_class_per_sequence_in_the_order_of_the_records(fasta, trained, tmp_path, monkeypatch):
    folder = trained(["long one", "short", "short", "long one"])
    monkeypatch.setattr("rnass.backbone.embeddings._POOL", 3)
    assert label_files(fasta, tmp_path / "out", LabelOptions(probe=folder)) == 0
    header, *lines = rows((tmp_path / "out" / "labels.tsv").read_text())
    assert header == ["id", "prediction", "probability"]
    head = load_probe(folder / "probe.safetensors")
    for (name, said, probability), (wanted, bases) in zip(lines, RNAS.items(), strict=True):
        (shares,) = head.predict(bases)
        assert (name, said) == (wanted, head.classes[shares.argmax()])
        assert float(probability) == pytest.approx(shares.max(), abs=1e-4)


def test_a_number_per_base(fasta, trained, capsys, caplog):
    labels = [" ".join(str(k) for k in range(len(bases))) for bases in RNAS.values()]
    folder = trained(labels, task="token", kind="regression")
    capsys.readouterr()
    caplog.set_level("INFO", "rnass")
    assert label_files(fasta, None, LabelOptions(probe=folder)) == 0
    assert caplog.messages[-1] == f"standard output: {len(RNAS)} records done, 0 failed"
    header, *lines = rows(capsys.readouterr().out)
    assert header == ["id", "token", "prediction"]
    places = [(name, str(k + 1)) for name, bases in RNAS.items() for k in range(len(bases))]
    assert [(name, place) for name, place, _ in lines] == places
    wanted = [value for bases in RNAS.values() for value in load_probe(folder).predict(bases)]
    assert [float(value) for *_, value in lines] == pytest.approx(wanted, abs=1e-4)


def test_a_bad_record_does_not_cost_the_others(fasta, trained, tmp_path, caplog):
    folder = trained("xxyy")
    (tmp_path / "bad.fa").write_text(">odd\nGGXC\n>two\nGG&CC\n")
    bad, options = str(tmp_path / "bad.fa"), LabelOptions(probe=folder)
    assert label_files([bad], tmp_path / "none", options) == 1
    assert "letter 'X' at base 3" in caplog.text
    assert "two: two strands; expected one" in caplog.text
    assert len(rows((tmp_path / "none" / "labels.tsv").read_text())) == 1
    assert label_files([bad, *fasta], tmp_path / "out", options) == 1
    assert [line[0] for line in rows((tmp_path / "out" / "labels.tsv").read_text())[1:]] == list(RNAS)


def test_a_run_is_resumed_and_its_table_is_whole(fasta, trained, tmp_path):
    options = LabelOptions(probe=trained("xxyy"))
    assert label_files(fasta, tmp_path / "whole", options) == 0
    (tmp_path / "one.fa").write_text(f">b its title\n{RNAS['b'].lower()}\n")
    assert label_files([str(tmp_path / "one.fa")], tmp_path / "out", options) == 0
    assert label_files(fasta, tmp_path / "out", replace(options, resume=True)) == 0
    tables = [(tmp_path / out / "labels.tsv").read_text() for out in ("whole", "out")]
    assert tables[0] == tables[1]


def test_left_over_bases_of_a_codon_model(fasta, trained, tmp_path, caplog):
    """Two of the four RNAs are whole codons, to train on and to label."""
    caplog.set_level("WARNING", "rnass")
    path = str(published_checkpoint("mrna-fm-official", tmp_path / "m"))
    folder = trained(["ab?", "a", "a", "bb"], path, task="token")
    assert "2 of 4 train records left out, not of whole codons" in caplog.text
    assert label_files(fasta, tmp_path / "out", LabelOptions(probe=folder)) == 1
    assert "b: 5 bases; expected whole codons" in caplog.text
    got = [line[:2] for line in rows((tmp_path / "out" / "labels.tsv").read_text())[1:]]
    assert got == [["a", "1"], ["a", "2"], ["a", "3"], ["d", "1"], ["d", "2"]]


def test_another_backbone_is_refused(fasta, trained, encoder_config, tmp_path):
    save_backbone(tmp_path / "other.safetensors", Encoder(encoder_config), {})
    options, out = LabelOptions(probe=trained("xxyy")), tmp_path / "out"
    with pytest.raises(CheckpointError, match=r"was trained on another backbone than .*other"):
        label_files(fasta, out, replace(options, backbone=str(tmp_path / "other.safetensors")))
    assert not out.exists()
    (tmp_path / "b.safetensors").rename(tmp_path / "moved.safetensors")
    with pytest.raises(CheckpointError, match=r"needs b\.safetensors .*; given as --backbone: "):
        label_files(fasta, out, options)
    moved = replace(options, backbone=str(tmp_path / "moved.safetensors"))
    assert label_files(fasta, out, moved) == 0
