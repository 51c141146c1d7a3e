"""`rnass predict --families` into a results folder."""

import csv
import json
import logging
import random
import shutil

import pytest
from tiny_families import member, needs_infernal, opposite, save_family

from rnass.errors import DependencyError, InputError, OutputError
from rnass.jobs.alignment import AlignmentOptions
from rnass.jobs.predict import PredictOptions, predict_files

BASES = member(random.Random(7))
FLANK = "ACAACAACAACAACA"
RECORDS = {
    "whole; rm -rf": BASES,
    "part": FLANK + BASES + FLANK,
    "minus": opposite(BASES),
    "none": FLANK * 2,
}


@pytest.fixture
def predict(tmp_path, weights):
    """Predicts RNAs into a folder of tmp_path; gives that folder."""

    def run(records, out="out", **options):
        fasta = tmp_path / "rnas.fa"
        fasta.write_text("".join(f">{name}\n{bases}\n" for name, bases in records.items()))
        chosen = {"weights": weights, "device": "cpu", "threads": 1}
        assert predict_files([str(fasta)], tmp_path / out, PredictOptions(**chosen | options)) == 0
        return tmp_path / out

    return run


@pytest.fixture
def models(tmp_path):
    return str(save_family(tmp_path))


def table(file):
    with file.open(newline="") as text:
        return list(csv.DictReader(text, delimiter="\t"))


@needs_infernal
def test_hits_are_reported_and_are_evidence(predict, models, caplog):
    with caplog.at_level(logging.WARNING, "rnass"):
        out = predict(RECORDS, families=models)
    whole, part, minus, none = table(out / "summary.tsv")
    assert (whole["family"], whole["family_name"], whole["family_strand"]) == ("RF99999", "made", "+")
    assert (whole["family_start"], whole["family_end"]) == ("1", "34")
    assert float(whole["family_score"]) > 15
    assert 0 < float(whole["family_e_value"]) < 1e-3
    assert (part["family_start"], part["family_end"]) == ("16", "49")
    assert (minus["family"], minus["family_strand"]) == ("RF99999", "-")
    assert [none[name] for name in none if name.startswith("family")] == [""] * 7
    hits = table(out / "families.tsv")
    assert [hit["supported"] for hit in hits] == ["7", "7", "0"]
    assert "minus: its reverse complement matches RF99999 (made)" in caplog.text
    run = json.loads((out / "run.json").read_text())
    assert len(run["families"]["sha256"]) == 64
    without = table(predict(RECORDS, "without") / "summary.tsv")
    assert whole["confidence"] != without[0]["confidence"]


@needs_infernal
def test_without_a_hit_the_files_are_those_without_the_option(predict, models):
    records = {name: RECORDS[name] for name in ("none", "minus")}
    found, plain = predict(records, "with", families=models), predict(records, "plain")
    names = {path.name for path in plain.iterdir()} - {"summary.tsv", "run.json", ".rnass-journal.jsonl"}
    assert {"none.ct", "none.npy", "minus.dbn", "predictions.dbn"} <= names
    for name in names:
        assert (found / name).read_bytes() == (plain / name).read_bytes()
    for one, other in zip(table(found / "summary.tsv"), table(plain / "summary.tsv"), strict=True):
        assert {**one, "seconds": ""}.items() >= {**other, "seconds": ""}.items()


@needs_infernal
def test_resuming_asks_for_the_same_models(predict, models, tmp_path):
    before = predict(RECORDS, families=models)
    text = (before / "families.tsv").read_bytes()
    predict(RECORDS, families=models, resume=True)
    assert (before / "families.tsv").read_bytes() == text
    other = str(save_family(tmp_path, gathering="20.00", name="other"))
    with pytest.raises(OutputError, match="made with another families"):
        predict(RECORDS, families=other, resume=True)


def test_infernal_is_asked_for_by_name(predict, monkeypatch, tmp_path):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(DependencyError, match=r"cmsearch: not installed.*apt-get install infernal"):
        predict(RECORDS, families="Rfam.cm")
    assert not (tmp_path / "out").exists()


@needs_infernal
def test_another_file_is_refused_before_anything_is_written(predict, tmp_path):
    (tmp_path / "wrong.cm").write_text(">a\nACGU\n")
    with pytest.raises(InputError, match=r"wrong\.cm:1: '>a'; expected covariance models"):
        predict(RECORDS, families=str(tmp_path / "wrong.cm"))
    assert not (tmp_path / "out").exists()


def test_options_that_exclude_one_another():
    with pytest.raises(InputError, match="--family-seeds: no models; expected --families"):
        PredictOptions(family_seeds="Rfam.seed")
    with pytest.raises(InputError, match="--families: beside relatives"):
        AlignmentOptions(families="Rfam.cm")
