"""The commands that judge and convert: what they print, what they write, how they end."""

import csv
import json

import pytest
from tiny_weights import save_tiny_weights
from typer.testing import CliRunner

from rnass.cli import app
from rnass.errors import InputError, OutputError

DATA = (
    "id\tsequence\tdot_bracket\tfamily\tnear_train\n"
    "one\tGGGGCAAAAGCCCC\t(((((....)))))\tA\t0\n"
    "two\tGGGCAAAAGCCC\t((((....))))\tB\t1\n"
)


@pytest.fixture
def run(own_process):
    """Runs a command; an error that is expected of it is raised, as `rnass.cli.main` sees it."""

    def call(*arguments, status=0):
        done = CliRunner().invoke(app, [str(argument) for argument in arguments])
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == status, done.output
        return done.output

    return call


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "data.tsv"
    path.write_text(DATA)
    return path


@pytest.fixture
def weights(tmp_path):
    return save_tiny_weights(tmp_path / "tiny.safetensors")


def test_evaluate(run, tmp_path, data, weights):
    out = tmp_path / "out"
    options = ["--weights", weights, "--out", out, "--threads", 1, "--quiet"]
    printed = run("evaluate", "--data", data, *options, "--also", "threshknot", "--threshold", 0.4)
    lines = {"rnass", "rnass threshknot", "ViennaRNA MFE", "ViennaRNA ThreshKnot"}
    assert all(f"\n{line} " in printed for line in lines)
    assert "threshold 0.4" in printed
    assert (out / "evaluation.txt").read_text() == printed
    report = json.loads((out / "evaluation.json").read_text())
    assert report["decoding"]["threshold"] == 0.4
    assert lines <= report["methods"].keys()
    assert set(report["methods"]["rnass"]["family"]) == {"A", "B"}
    with pytest.raises(OutputError, match="--overwrite"):
        run("evaluate", "--data", data, *options)
    few = ["--near", "near_train=0", "--no-vienna", "--overwrite"]
    printed = run("evaluate", "--data", data, *options, *few)
    assert "1 of 2 records" in printed
    assert "left out, not near_train=0: 1" in printed
    assert "ViennaRNA MFE" not in printed


def test_evaluate_without_a_folder_writes_nothing(run, tmp_path, data):
    before = sorted(tmp_path.iterdir())
    printed = run("evaluate", "--data", data, "--no-rnass", "--no-vienna", "--predictions", f"it={data}")
    assert "strict, mean per RNA (2 RNAs)" in printed
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("option", ["--predictions", "--near"])
@pytest.mark.parametrize("value", ["a", "a=", "=b"])
def test_an_assignment_without_two_sides_is_refused(run, data, option, value):
    run("evaluate", "--data", data, option, value, status=2)


def test_a_name_given_twice_is_refused(run, data):
    twice = ["--predictions", f"a={data}", "--predictions", f"a={data}"]
    run("evaluate", "--data", data, *twice, status=2)


def test_compare(run, tmp_path, weights):
    fasta, out = tmp_path / "x.fa", tmp_path / "out"
    fasta.write_text(">one\nGGGGCAAAAGCCCC\n")
    options = ["--weights", weights, "--out", out, "--threads", 1, "--quiet"]
    assert "1 RNA, " in run("compare", fasta, *options, "--plot", "png")
    names = {path.name for path in out.iterdir() if path.name[0] != "."}
    assert names == {"methods.tsv", "one.png", "pairs.tsv", "summary.tsv", "run.json"}
    run("compare", fasta, *options, "--plot", "none", "--overwrite")
    fasta.write_text(">one\nGGGGCAAAAGCCCC\n>bad\nGG-\n")
    run("compare", fasta, *options, "--plot", "none", "--overwrite", status=1)


def test_convert_and_elements(run, tmp_path, data):
    assert "2 records, 9 pairs" in run("convert", data, tmp_path / "x.dbn")
    assert "2 records" in run("convert", tmp_path / "x.dbn", tmp_path / "many", "--split", "ct")
    assert sorted(path.name for path in (tmp_path / "many").iterdir()) == ["one.ct", "two.ct"]
    printed = run("elements", tmp_path / "x.dbn", tmp_path / "many" / "two.ct")
    assert [row["hairpins"] for row in csv.DictReader(printed.splitlines(), delimiter="\t")] == ["1"] * 3
    assert run("elements", tmp_path / "x.dbn", "--out", tmp_path / "e.tsv") == ""
    assert (tmp_path / "e.tsv").read_text().startswith("id\tlength\tstems")
    with pytest.raises(OutputError, match=r"e\.tsv: is there already; expected another name, or --over"):
        run("elements", tmp_path / "x.dbn", "--out", tmp_path / "e.tsv")
    assert run("elements", tmp_path / "x.dbn", "--out", tmp_path / "e.tsv", "--overwrite") == ""
    before = (tmp_path / "x.dbn").read_bytes()
    with pytest.raises(OutputError, match=r"x\.dbn: is read; expected another name"):
        run("elements", tmp_path / "x.dbn", "--out", tmp_path / "x.dbn", "--overwrite")
    assert (tmp_path / "x.dbn").read_bytes() == before
    with pytest.raises(InputError, match="no such file"):
        run("convert", tmp_path / "none.ct", tmp_path / "y.dbn")


def test_a_malformed_structure_costs_the_others_nothing(run, tmp_path):
    (tmp_path / "x.dbn").write_text(">a\nGAAAC\n(...)\n>b\nGAAAC\n(....\n")
    assert "1 record, 1 pair" in run("convert", tmp_path / "x.dbn", tmp_path / "x.ct", status=1)
    table = run("elements", tmp_path / "x.dbn", tmp_path / "none.ct", status=1)
    assert [line.split("\t")[0] for line in table.splitlines() if "\t" in line] == ["id", "a"]
    run("plot", tmp_path / "x.dbn", tmp_path / "none.ct", "--out", tmp_path / "figures", status=1)
    assert [file.name for file in (tmp_path / "figures").iterdir()] == ["a.svg"]


def test_predict_puts_elements_into_the_summary(run, tmp_path, weights):
    command = ["predict", "--sequence", "GGGGCAAAAGCCCC", "--weights", weights, "--format", "dbn", "-q"]
    run(*command, "--out", tmp_path / "with", "--elements")
    run(*command, "--out", tmp_path / "without")
    with (tmp_path / "with" / "summary.tsv").open() as file:
        (row,) = csv.DictReader(file, delimiter="\t")
    assert len(row["elements"]) == 14
    assert int(row["stems"]) == int(row["hairpins"]) == row["elements"].count("h") // 4
    assert "elements" not in (tmp_path / "without" / "summary.tsv").read_text().splitlines()[0]
