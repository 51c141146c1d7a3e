"""Predictions on a stream are those of a results folder, in the order of the input."""

import errno
import io
import json
import random

import pytest

from rnass.errors import ExitStatus, OutputError
from rnass.io import read_structures
from rnass.jobs.predict import PredictOptions, predict_files
from rnass.jobs.record_text import BASE_COLUMNS
from rnass.jobs.stream import predict_stream


@pytest.fixture
def fasta(tmp_path):
    """Twenty RNAs of different lengths, so that they are not finished in their order, and a bad one."""
    draw = random.Random(4)
    sizes = [draw.randint(8, 90) for _ in range(20)]
    lines = [f">r{k} é\n{''.join(draw.choices('ACGU', k=size))}\n" for k, size in enumerate(sizes)]
    lines.insert(7, ">bad\nGG-\n")
    lines.append(">two strands\nGGGGC&GCCCC\n")
    path = tmp_path / "seqs.fa"
    path.write_text("".join(lines), encoding="utf-8")
    return str(path)


@pytest.fixture
def options(weights):
    return lambda *formats, **more: PredictOptions(
        weights=weights, device="cpu", threads=1, formats=formats, **more
    )


@pytest.fixture
def folder(fasta, options, tmp_path):
    """The files of the same records in a results folder, by format, in the order of the input."""
    assert predict_files([fasta], tmp_path / "out", options("dbn", "ct", "tsv", "json")) == 1
    lines = (tmp_path / "out" / "summary.tsv").read_text(encoding="utf-8").splitlines()[1:-1]
    names = [line.split("\t")[1] for line in lines]
    return lambda kind: [
        (tmp_path / "out" / f"{name}.{kind}").read_text(encoding="utf-8") for name in names
    ]


@pytest.mark.parametrize("kind", ["dbn", "ct", "tsv", "json"])
def test_the_stream_holds_what_the_files_do(fasta, options, folder, kind):
    file = io.BytesIO()
    assert predict_stream([fasta], file, options(kind)) == ExitStatus.FAILED  # one is bad
    files = folder(kind)
    assert len(files) == 21
    heading = "\t".join(BASE_COLUMNS) + "\n" if kind == "tsv" else ""
    assert all(text.startswith(heading) for text in files)
    assert file.getvalue().decode() == heading + "".join(text[len(heading) :] for text in files)


def test_the_table_of_bases_and_json_agree_with_the_structure(fasta, options, folder, tmp_path):
    structures = read_structures(tmp_path / "out" / "predictions.dbn")
    for table, text, (rna, structure) in zip(folder("tsv"), folder("json"), structures, strict=True):
        values = json.loads(text)
        lines = [line.split("\t") for line in table.splitlines()[1:]]
        assert "".join(cells[2] for cells in lines) == rna.bases
        assert [int(cells[1]) for cells in lines] == list(range(1, len(rna) + 1))
        assert [int(cells[3]) - 1 for cells in lines] == structure.partners.tolist()
        assert [float(cells[5]) for cells in lines] == values["unpaired"]
        assert [[i - 1, j - 1] for i, j, _ in values["pairs"]] == structure.pairs.tolist()
        for i, j, probability in values["pairs"]:
            assert float(lines[i - 1][4]) == float(lines[j - 1][4]) == probability
        assert all(cells[4] == "" for cells in lines if cells[3] == "0")
        assert values["structure"] == rna.mark(structure.dot_bracket)


def test_a_record_appears_once_those_before_it_are_there(tmp_path, options):
    """The short one is finished first, and waits."""
    (tmp_path / "x.fa").write_text(f">long\n{'GGGGAAAACCCC' * 9}\n>short\nGGGGAAAACCCC\n")
    file = io.BytesIO()
    assert predict_stream([str(tmp_path / "x.fa")], file, options("dbn")) == 0
    assert [line for line in file.getvalue().decode().split("\n") if line[:1] == ">"] == [
        ">long",
        ">short",
    ]


class Failing(io.BytesIO):
    """A stream that takes one record."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    def write(self, data):
        if self.tell():
            raise self.error
        return super().write(data)


def test_a_closed_pipe_ends_the_run(fasta, options, monkeypatch):
    monkeypatch.setattr("sys.stdout", io.StringIO())  # has no descriptor to point elsewhere
    file = Failing(BrokenPipeError(errno.EPIPE, "Broken pipe"))
    assert predict_stream([fasta], file, options("dbn")) == 0
    assert file.getvalue().startswith(b">r0")


def test_a_full_disk_is_an_error(fasta, options):
    with pytest.raises(OutputError, match="standard output: no space left"):
        predict_stream([fasta], Failing(OSError(errno.ENOSPC, "No space left")), options("dbn"))


@pytest.mark.parametrize("formats", [(), ("npy",), ("bpseq",), ("parquet",), ("dbn", "ct")])
def test_formats_that_make_no_stream_are_refused(fasta, options, formats):
    if "parquet" in formats:
        pytest.importorskip("pyarrow")
    file = io.BytesIO()
    with pytest.raises(OutputError, match="expected one of ct, dbn, tsv, json, or a folder"):
        predict_stream([fasta], file, options(*formats))
    assert file.getvalue() == b""


def test_nothing_is_written_if_a_record_is_bad_and_none_may_be(fasta, options):
    file = io.BytesIO()
    assert predict_stream([fasta], file, options("dbn", strict=True)) == ExitStatus.STOPPED
    assert file.getvalue() == b""
