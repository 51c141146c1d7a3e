"""Accessibility of regions: means over the map that the same run writes."""

import csv
import random

import numpy as np
import pytest

from rnass.errors import InputError
from rnass.jobs.alignment import AlignmentOptions, predict_alignments
from rnass.jobs.predict import PredictOptions, predict_files


@pytest.fixture
def fasta(tmp_path):
    draw = random.Random(1)
    lines = [f">{name} x\n{''.join(draw.choices('ACGU', k=40))}\n" for name in ("a", "b", "a", "c")]
    (tmp_path / "seqs.fa").write_text("".join(lines))
    return str(tmp_path / "seqs.fa")


@pytest.fixture
def bed(tmp_path):
    def write(text):
        (tmp_path / "regions.bed").write_text(text)
        return str(tmp_path / "regions.bed")

    return write


@pytest.fixture
def predict(fasta, tmp_path, weights):
    def run(regions, out="out", **more):
        options = {"formats": ("npy",), "regions": regions} | more
        chosen = PredictOptions(weights=weights, device="cpu", threads=1, **options)
        return predict_files([fasta], tmp_path / out, chosen)

    return run


def table(folder):
    with (folder / "regions.tsv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_means_are_those_of_the_maps(predict, bed, tmp_path):
    regions = [("b", 0, 40, "whole"), ("a", 3, 9, "site"), ("b", 39, 40, "end")]
    assert predict(bed("".join("\t".join(map(str, one)) + "\n" for one in regions))) == 0
    rows = table(tmp_path / "out")
    assert [(row["file"], row["name"]) for row in rows] == [
        *(("a", "site"), ("b", "whole"), ("b", "end"), ("a-2", "site"))
    ]
    for row in rows:
        first, last = int(row["first"]), int(row["last"])
        assert (row["id"], first - 1, last, row["name"]) in regions
        assert int(row["bases"]) == last - first + 1
        unpaired = 1 - np.load(tmp_path / "out" / f"{row['file']}.npy").sum(1)
        mean = unpaired[first - 1 : last].mean()
        assert float(row["unpaired_probability"]) == pytest.approx(mean, abs=2e-4)


def test_resuming_with_other_regions_repeats_their_records(predict, bed, tmp_path, caplog):
    predict(bed("a\t3\t9\n"))
    caplog.set_level("INFO", "rnass")
    assert predict(bed("a\t3\t9\nb\t0\t5\n"), resume=True) == 0
    assert "3 of 4 records finished already" in caplog.text
    assert [row["file"] for row in table(tmp_path / "out")] == ["a", "b", "a-2"]
    caplog.clear()
    assert predict(None, resume=True) == 0
    assert "1 of 4 records finished already" in caplog.text
    assert not (tmp_path / "out" / "regions.tsv").exists()


def test_regions_of_other_records_are_counted(predict, bed, tmp_path, caplog):
    assert predict(bed("other\t3\t9\na\t3\t9\n")) == 0
    assert "regions.bed: 1 region of no record of this run" in caplog.text
    assert len(table(tmp_path / "out")) == 2


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("a\t3\t9\nother\t3\tx\n", r"bed:2: 'other"),
        ("other\t3\t9\n", r"bed:1: no record is called 'other'"),
    ],
)
def test_regions_of_no_record_are_refused_before_anything_is_written(
    predict, bed, tmp_path, text, match
):
    with pytest.raises(InputError, match=match):
        predict(bed(text))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("b\t35\t41", "bed:2: region 35-41 of b; expected an end of at most 40"),
        ("b\t3\tx", "bed:2: 'b"),
        ("b\t4\t4", "bed:2: start 4, end 4"),
    ],
)
def test_a_bad_region_spoils_its_record_alone(predict, bed, tmp_path, line, message):
    assert predict(bed("a\t3\t9\n")) == 0
    regions = bed(f"a\t3\t9\n{line}\nb\t0\t5\n")
    assert predict(regions, out="new", strict=True) == 2
    assert not (tmp_path / "new").exists()
    for folder, more in (("new", {}), ("out", {"resume": True})):
        assert predict(regions, out=folder, **more) == 1
        assert [row["file"] for row in table(tmp_path / folder)] == ["a", "a-2"]
        with (tmp_path / folder / "summary.tsv").open(encoding="utf-8", newline="") as file:
            rows = {row["file"]: row for row in csv.DictReader(file, delimiter="\t")}
        assert [name for name, row in rows.items() if row["status"] == "ok"] == ["a", "a-2", "c"]
        assert message in rows["b"]["message"]


def test_rows_of_an_alignment_have_regions(bed, tmp_path, weights):
    (tmp_path / "x.sto").write_text("# STOCKHOLM 1.0\na GGGG-AAAACCCC\nb GGGCUAAAAGCCC\n//\n")
    options = AlignmentOptions(weights=weights, device="cpu", threads=1, regions=bed("b\t4\t9\tloop\n"))
    assert predict_alignments(str(tmp_path / "x.sto"), tmp_path / "out", options) == 0
    (row,) = table(tmp_path / "out")
    assert (row["id"], row["first"], row["last"]) == ("b", "5", "9")
    assert (tmp_path / "out" / "covariation.tsv").exists()
