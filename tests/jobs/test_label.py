"""`label_files`: the table of what a head says; the oracle is the head itself, asked for one RNA."""

import pytest
import torch
from tiny_backbones import published_checkpoint

from rnass.backbone.encoder import Encoder
from rnass.errors import CheckpointError
from rnass.jobs import label as module
from rnass.jobs.label import label_files
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
    monkeypatch.setattr(module, "_TOGETHER", 3)
    assert label_files(fasta, folder, tmp_path / "labels.tsv") == 0
    header, *lines = rows((tmp_path / "labels.tsv").read_text())
    assert header == ["id", "prediction", "probability"]
    head = load_probe(folder / "probe.safetensors")
    for (name, said, probability), (wanted, bases) in zip(lines, RNAS.items(), strict=True):
        (shares,) = head.predict(bases)
        assert (name, said) == (wanted, head.classes[shares.argmax()])
        assert float(probability) == pytest.approx(shares.max(), abs=1e-4)


def test_a_number_per_base(fasta, trained, capfdbinary):
    labels = [" ".join(str(k) for k in range(len(bases))) for bases in RNAS.values()]
    folder = trained(labels, task="token", kind="regression")
    capfdbinary.readouterr()
    assert label_files(fasta, folder) == 0
    header, *lines = rows(capfdbinary.readouterr().out.decode())
    assert header == ["id", "token", "prediction"]
    places = [(name, str(k + 1)) for name, bases in RNAS.items() for k in range(len(bases))]
    assert [(name, place) for name, place, _ in lines] == places
    wanted = [value for bases in RNAS.values() for value in load_probe(folder).predict(bases)]
    assert [float(value) for *_, value in lines] == pytest.approx(wanted, abs=1e-4)


def test_a_bad_record_does_not_cost_the_others(fasta, trained, tmp_path, caplog):
    folder = trained("xxyy")
    (tmp_path / "bad.fa").write_text(">odd\nGGXC\n>two\nGG&CC\n")
    out = tmp_path / "labels.tsv"
    assert label_files([str(tmp_path / "bad.fa")], folder, out) == 1
    assert "letter 'X' at base 3" in caplog.text
    assert "two: two strands; expected one" in caplog.text
    assert not out.exists()
    assert label_files([str(tmp_path / "bad.fa"), *fasta], folder, out) == 1
    assert [line[0] for line in rows(out.read_text())[1:]] == list(RNAS)


def test_left_over_bases_of_a_codon_model(fasta, trained, tmp_path, caplog):
    """Two of the four RNAs are whole codons, to train on and to label."""
    caplog.set_level("WARNING", "rnass")
    path = str(published_checkpoint("mrna-fm-official", tmp_path / "m"))
    folder = trained(["ab?", "a", "a", "bb"], path, task="token")
    assert "2 of 4 train records left out, not of whole codons" in caplog.text
    assert label_files(fasta, folder, tmp_path / "labels.tsv") == 1
    assert "b: 5 bases; expected whole codons" in caplog.text
    got = [line[:2] for line in rows((tmp_path / "labels.tsv").read_text())[1:]]
    assert got == [["a", "1"], ["a", "2"], ["a", "3"], ["d", "1"], ["d", "2"]]


def test_another_backbone_is_refused(fasta, trained, encoder_config, tmp_path):
    save_backbone(tmp_path / "other.safetensors", Encoder(encoder_config), {})
    folder, out = trained("xxyy"), tmp_path / "labels.tsv"
    with pytest.raises(CheckpointError, match=r"was trained on another backbone than .*other"):
        label_files(fasta, folder, out, backbone=str(tmp_path / "other.safetensors"))
    assert not out.exists()
    (tmp_path / "b.safetensors").rename(tmp_path / "moved.safetensors")
    with pytest.raises(CheckpointError, match=r"needs b\.safetensors .*, where --backbone says: "):
        label_files(fasta, folder, out)
    assert label_files(fasta, folder, out, backbone=str(tmp_path / "moved.safetensors")) == 0
