"""Heads on frozen embeddings: what any head must learn, what must be refused, what comes back."""

import dataclasses
import json
import random

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from sklearn.linear_model import LinearRegression
from tiny_backbones import published_checkpoint

from rnass.backbone.embeddings import embed
from rnass.backbone.encoder import Encoder
from rnass.errors import CheckpointError, ConfigError, InputError, OutputError
from rnass.io.labels import read_labels
from rnass.locks import locked
from rnass.network.backbones import open_backbone, save_backbone
from rnass.training.config import ProbeConfig
from rnass.training.probe import load_probe, train_probe

CPU = torch.device("cpu")
EASY = {"layer": 0, "learning_rate": 0.03}  # of the embedding, composition is a linear function


@pytest.fixture
def backbone(encoder_config, shaken, tmp_path):
    torch.manual_seed(1)
    save_backbone(tmp_path / "b.safetensors", shaken(Encoder(encoder_config)), {})
    return str(tmp_path / "b.safetensors")


@pytest.fixture
def write(tmp_path):
    """Writes a table of random RNAs and the label that a function gives each; gives its path."""

    def table(label, count=60, seed=0, name="t.tsv", column="label"):
        draw = random.Random(seed)
        separator = "," if name.endswith(".csv") else "\t"
        lines = [separator.join(("id", "sequence", column))]
        for k in range(count):
            rna = "".join(draw.choices("ACGU", k=draw.randint(6, 14)))
            lines.append(separator.join((f"x{k}", rna, label(rna))))
        (tmp_path / name).write_text("\n".join(lines) + "\n")
        return (str(tmp_path / name),)

    return table


def scores(folder):
    return json.loads((folder / "scores.json").read_text())["scores"]


def test_a_class_per_token_is_learnt(backbone, write, tmp_path):
    """Whether a base is a purine is in its embedding; one label in ten is unknown."""

    def label(rna):
        return "".join("?" if k % 10 == 9 else "RY"[base in "CU"] for k, base in enumerate(rna))

    config = ProbeConfig(
        task="token",
        train=write(label),
        test=write(label, 20, 1, "u.tsv"),
        backbone=backbone,
        steps=300,
        **EASY,
    )
    text = train_probe(config, tmp_path / "run", CPU)
    got = scores(tmp_path / "run")["test"]
    assert got["accuracy"] > 0.97
    assert got["mcc"] > 0.9
    assert got["auroc"] > 0.98
    assert text.splitlines()[0].split("\t") == ["set", "accuracy", "macro_f1", "mcc", "auroc", "rows"]
    lines = (tmp_path / "run" / "predictions.tsv").read_text().splitlines()
    assert (
        len(lines) - 1
        == got["rows"]
        < sum(len(s.bases) for s, *_ in read_labels(config.test[0], "label"))
    )
    assert lines[1].split("\t")[:3] == [
        "x0",
        "1",
        label(read_labels(config.test[0], "label")[0][0].bases)[0],
    ]


def test_a_class_per_sequence_with_a_hidden_layer(backbone, write, tmp_path):
    def label(rna):
        return "rich" if rna.count("G") + rna.count("C") > len(rna) / 2 else "poor"

    train, valid = write(label, 200), write(label, 60, 1, "v.csv")
    config = ProbeConfig(train=train, valid=valid, backbone=backbone, hidden=16, steps=400, **EASY)
    train_probe(config, tmp_path / "run", CPU)
    assert scores(tmp_path / "run")["valid"]["accuracy"] > 0.85


def test_a_head_of_another_configuration_is_not_replaced(backbone, write, tmp_path):
    config = ProbeConfig(train=write(lambda rna: rna[0]), backbone=backbone, steps=2, **EASY)
    train_probe(config, tmp_path / "run", CPU)
    file = tmp_path / "run" / "probe.safetensors"
    before = file.read_bytes()
    with pytest.raises(ConfigError, match=r"probe\.safetensors: trained with another configuration"):
        train_probe(dataclasses.replace(config, steps=3), tmp_path / "run", CPU)
    assert file.read_bytes() == before
    train_probe(config, tmp_path / "run", CPU)  # the same again
    file.unlink()
    for name in ("scores.json", "predictions.tsv"):
        with pytest.raises(OutputError, match=rf"{name}: there without a probe\.safetensors; expected"):
            train_probe(config, tmp_path / "run", CPU)
        (tmp_path / "run" / name).unlink()
    train_probe(config, tmp_path / "run", CPU)


def test_two_trainings_of_a_head_do_not_share_a_folder(backbone, write, tmp_path):
    config = ProbeConfig(train=write(lambda rna: rna[0]), backbone=backbone, steps=2, **EASY)
    with locked(tmp_path / "run"), pytest.raises(OutputError, match="another run is writing into it"):
        train_probe(config, tmp_path / "run", CPU)


def test_a_number_per_sequence_is_as_good_as_least_squares(backbone, write, tmp_path):
    train = write(lambda rna: f"{rna.count('A') / len(rna):.4f}", 100)
    config = ProbeConfig(
        kind="regression",
        train=train,
        backbone=backbone,
        steps=1000,
        weight_decay=0.0,
        **EASY,
    )
    train_probe(config, tmp_path / "run", CPU)
    records = read_labels(train[0], "label")
    x = np.empty((100, 16))
    for one in embed(open_backbone(backbone).encoder, [s.bases for s, *_ in records], 0):
        x[one.number] = one.tokens.mean(0)
    y = np.array([float(label) for _, label, _ in records])
    wanted = LinearRegression().fit(x, y).score(x, y)
    assert scores(tmp_path / "run")["train"]["r2"] == pytest.approx(wanted, abs=0.02)
    assert wanted > 0.5


def test_numbers_per_token_with_some_unknown(backbone, write, tmp_path):
    train = write(lambda rna: " ".join("nan" if b == "C" else str(float(b == "A")) for b in rna))
    config = ProbeConfig(
        task="token", kind="regression", train=train, backbone=backbone, steps=300, **EASY
    )
    train_probe(config, tmp_path / "run", CPU)
    got = scores(tmp_path / "run")["train"]
    assert got["r2"] > 0.9
    records = read_labels(train[0], "label")
    assert got["rows"] == sum(len(s.bases) - s.bases.count("C") for s, *_ in records)


def test_pairedness_is_made_of_a_structure(tmp_path):
    (tmp_path / "t.tsv").write_text("id\tsequence\tdot_bracket\nx\tGGGAAACCC\t((...[))]\n")
    ((sequence, label, _),) = read_labels(tmp_path / "t.tsv", "paired")
    assert (sequence.bases, label) == ("GGGAAACCC", "110001111")


def test_a_kept_head_says_the_same(backbone, write, tmp_path):
    config = ProbeConfig(train=write(lambda rna: rna[0]), backbone=backbone, steps=60)
    train_probe(config, tmp_path / "run", CPU)
    probe = load_probe(tmp_path / "run" / "probe.safetensors")
    lines = (tmp_path / "run" / "predictions.tsv").read_text().splitlines()[1:]
    for line, (sequence, *_) in zip(lines, read_labels(config.train[0], "label"), strict=True):
        (shares,) = probe.predict(sequence.bases.lower())
        assert line.split("\t")[3] == probe.classes[shares.argmax()]
        assert float(line.split("\t")[4]) == pytest.approx(shares.max(), abs=1e-3)


def test_a_head_wants_its_own_backbone(backbone, write, encoder_config, tmp_path):
    config = ProbeConfig(train=write(lambda rna: rna[0]), backbone=backbone, steps=2)
    train_probe(config, tmp_path / "run", CPU)
    save_backbone(tmp_path / "other.safetensors", Encoder(encoder_config), {})
    kept = tmp_path / "run" / "probe.safetensors"
    with pytest.raises(
        CheckpointError, match=r"was trained on another backbone than .*other.*expected b\.saf"
    ):
        load_probe(kept, str(tmp_path / "other.safetensors"))
    with pytest.raises(CheckpointError, match="holds no probe"):
        load_probe(tmp_path / "other.safetensors")


def test_a_codon_model_learns_of_whole_codons(write, tmp_path, caplog):
    """RNAs of 6, 9 and 12 bases are whole codons."""
    caplog.set_level("WARNING", "rnass")
    path = str(published_checkpoint("mrna-fm-official", tmp_path / "m"))
    config = ProbeConfig(train=write(lambda rna: rna[0]), backbone=path, steps=2)
    whole = sum(len(s.bases) % 3 == 0 for s, *_ in read_labels(config.train[0], "label"))
    train_probe(config, tmp_path / "run", CPU)
    assert scores(tmp_path / "run")["train"]["rows"] == whole
    assert f"{60 - whole} of 60 train records left out" in caplog.text
    (tmp_path / "odd.tsv").write_text("id\tsequence\tlabel\nx\tGGCC\tG\n")
    config = dataclasses.replace(config, test=(str(tmp_path / "odd.tsv"),))
    with pytest.raises(ConfigError, match="no records under the key test"):
        train_probe(config, tmp_path / "other", CPU)


def test_records_of_two_strands_are_left_out_and_counted(backbone, tmp_path, caplog):
    table = tmp_path / "t.tsv"
    table.write_text("id\tsequence\tlabel\nx 1\tGGC\ta\nx 2\tGGG\tb\nx 3\tGG&C\tb\n")
    config = ProbeConfig(train=(str(table),), backbone=backbone, steps=1)
    train_probe(config, tmp_path / "run", CPU)
    assert f"{table}: 1 of 3 records left out, of two strands" in caplog.text
    lines = (tmp_path / "run" / "predictions.tsv").read_text().splitlines()
    assert [line.split("\t")[0] for line in lines] == ["id", "x 1", "x 2"]


def test_the_same_seed_gives_the_same_head(backbone, write, tmp_path):
    config = ProbeConfig(train=write(lambda rna: rna[0]), backbone=backbone, steps=20)
    for name in ("a", "b"):
        train_probe(config, tmp_path / name, CPU)
    one, other = (load_file(tmp_path / name / "probe.safetensors") for name in ("a", "b"))
    assert all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id\tsequence\nx\tGG\n", r"t\.tsv:1: no column label; expected at least id, sequence, label"),
        ("id\tsequence\tlabel\nx\tGG\n", r"t\.tsv:2: 2 columns; expected 3"),
        ("id\tsequence\tlabel\nx\tGG\t\n", r"t\.tsv:2: no label; expected a label"),
        ("id\tsequence\tlabel\nx\tGX\ta\n", r"t\.tsv:2 \(x\): letter 'X'"),
        ("id\tsequence\tlabel\nx\tGGC\t01\n", r"t\.tsv:2 \(x\): 2 labels; expected 3, one per token"),
    ],
)
def test_bad_tables_are_refused(backbone, tmp_path, text, message):
    (tmp_path / "t.tsv").write_text(text)
    config = ProbeConfig(task="token", train=(str(tmp_path / "t.tsv"),), backbone=backbone)
    with pytest.raises(InputError, match=message):
        train_probe(config, tmp_path / "run", CPU)


def test_labels_that_do_not_fit(backbone, write, tmp_path):
    train = write(lambda _: "a")
    config = ProbeConfig(
        train=train, test=write(lambda _: "b", name="u.tsv"), backbone=backbone, steps=1
    )
    unlike = r"u\.tsv:\d+ \(x\d+\): label 'b'; expected one of the training's \(a\)"
    with pytest.raises(InputError, match=unlike):
        train_probe(config, tmp_path / "run", CPU)
    with pytest.raises(InputError, match=r"\(x\d+\): label 'a'; expected a finite number"):
        train_probe(dataclasses.replace(config, kind="regression"), tmp_path / "run", CPU)
    with pytest.raises(ConfigError, match="no records under the key train"):
        train_probe(dataclasses.replace(config, train=()), tmp_path / "run", CPU)


@pytest.mark.parametrize("value", ["inf", "-inf", "1e39"])
def test_a_label_that_is_not_finite_is_refused_with_its_place(backbone, tmp_path, value):
    (tmp_path / "t.tsv").write_text(f"id\tsequence\tlabel\nx\tGGC\t1\ny\tGGC\t{value}\n")
    train = (str(tmp_path / "t.tsv"),)
    config = ProbeConfig(kind="regression", train=train, backbone=backbone, steps=1)
    with pytest.raises(InputError, match=rf"t\.tsv:3 \(y\): label '{value}'; expected a finite number"):
        train_probe(config, tmp_path / "run", CPU)
    assert not (tmp_path / "run").exists()


def test_a_table_that_is_read_is_not_replaced(backbone, write, tmp_path):
    train = write(lambda rna: rna[0], name="predictions.tsv")
    before = (tmp_path / "predictions.tsv").read_bytes()
    with pytest.raises(OutputError, match=r"predictions\.tsv: is read; expected another name"):
        train_probe(ProbeConfig(train=train, backbone=backbone, steps=1), tmp_path, CPU)
    assert (tmp_path / "predictions.tsv").read_bytes() == before


def test_a_loss_that_is_not_finite_ends_the_training(backbone, write, tmp_path):
    train = write(lambda rna: str(rna.count("A")))
    config = ProbeConfig(kind="regression", train=train, backbone=backbone, steps=9, learning_rate=1e30)
    with pytest.raises(
        ConfigError, match=r"probe: loss (inf|nan) at step 2; expected a finite one, as b"
    ):
        train_probe(config, tmp_path / "run", CPU)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("kind", "known", "unknown"),
    [("classification", "aab", "???"), ("regression", "1 2 3", "nan nan nan")],
)
def test_a_set_without_any_known_label_is_refused(backbone, tmp_path, kind, known, unknown):
    tables = {}
    for name, label in (("known", known), ("unknown", unknown)):
        (tmp_path / f"{name}.tsv").write_text(f"id\tsequence\tlabel\nx\tGGC\t{label}\n")
        tables[name] = (str(tmp_path / f"{name}.tsv"),)
    config = ProbeConfig(task="token", kind=kind, train=tables["unknown"], backbone=backbone, steps=1)
    with pytest.raises(ConfigError, match="no known label under the key train"):
        train_probe(config, tmp_path / "run", CPU)
    config = dataclasses.replace(config, train=tables["known"], test=tables["unknown"])
    with pytest.raises(ConfigError, match="no known label under the key test"):
        train_probe(config, tmp_path / "run", CPU)
