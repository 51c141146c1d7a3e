"""`rnass prepare`: what its commands write, print and refuse, on data made here."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rnass.cli import app
from rnass.errors import ConfigError, DependencyError, InputError, OutputError, StructureError
from rnass.io import read_labelled
from rnass.training.records import read_examples

SEED = """# STOCKHOLM 1.0
#=GF AC RF99999
a GGCAUCGGAAACGAUGCC
b GCCAUCGGAAACGAUGGC
c GGCUUCGGAAACGAAGCC
#=GC SS_cons <<<<<<<____>>>>>>>
//
"""

needs_infernal = pytest.mark.skipif(shutil.which("cmbuild") is None, reason="Infernal is not installed")


@pytest.fixture
def run(own_process):
    """Runs a command; an error that is expected of it is raised, as `rnass.cli.main` sees it."""

    def call(*arguments, status=0, given=None):
        done = CliRunner().invoke(app, ["prepare", *map(str, arguments)], input=given)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == status, done.output
        return done.output

    return call


def test_sequences_are_ready_for_pretraining(tmp_path, run):
    (tmp_path / "x.fa").write_text(
        ">s|1 first\nGGGGCCAAAAGGCCCC\n>s|2\nACGU\n>bad\nACGX\n>s|3\nGGGGCCAAAAGGCCCC\n>s|4\n"
        + "GCAU" * 5
    )
    (tmp_path / "near.txt").write_text("s|4\n")
    (tmp_path / "cds.bed").write_text("s|1\t4\t8\n")
    out = run(
        *("sequences", tmp_path / "x.fa", "--out", tmp_path / "data", "--min-length", 10),
        *("--exclude", tmp_path / "near.txt", "--regions", tmp_path / "cds.bed"),
        status=1,
    )
    assert "bad" in out
    (record,) = read_labelled(tmp_path / "data" / "sequences.tsv.gz")
    assert (record.id, record.source, record.structure.dot_bracket) == ("s|1", "s", "((((((....))))))")
    report = json.loads((tmp_path / "data" / "report.json").read_text())
    assert report == {
        "read": 4,
        "bad": 1,
        "kept": 1,
        "dropped": {"short": 1, "duplicate": 1, "excluded": 1},
    }
    (example,) = read_examples([str(tmp_path / "data" / "sequences.tsv.gz")])
    assert example.mask == "0000111100000000"


def test_nothing_to_curate_is_an_error(tmp_path, run):
    (tmp_path / "bad.fa").write_text(">bad\nACGX\n")
    with pytest.raises(InputError, match=r"(?s)bad\.fa.*absent\.fa"):
        run("sequences", tmp_path / "bad.fa", tmp_path / "absent.fa", "--out", tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_bad_regions_cost_their_record_alone_and_unknown_ones_are_counted(tmp_path, run):
    (tmp_path / "x.fa").write_text(
        ">a\nGGGGCCAAAAGGCCCC\n>b\nGGGCCAAAAGGCCC\n>c\nACGX\n>d\nGCGCAAAAGCGC\n"
    )
    (tmp_path / "cds.bed").write_text("a\t0\t2\na\t9\t17\nb\t3\t5\nc\t0\t1\nB\t0\t1\nd\tx\ty\n")
    command = "sequences", tmp_path / "x.fa", "--min-length", 10, "--regions", tmp_path / "cds.bed"
    out = run(*command, "--out", tmp_path / "data", status=1)
    assert "cds.bed:2: region 9-17 of a; expected an end of at most 16, its number of bases" in out
    assert "cds.bed:6: 'd\\tx\\ty'; expected the ID of a record" in out
    assert "cds.bed: 1 region of no record of this run" in out
    (record,) = read_labelled(tmp_path / "data" / "sequences.tsv.gz")
    assert (record.id, record.extra["mask"]) == ("b", "00011" + "0" * 9)
    report = json.loads((tmp_path / "data" / "report.json").read_text())
    assert (report["read"], report["bad"], report["kept"]) == (1, 3, 1)
    (tmp_path / "cds.bed").write_text("B\t0\t1\n")
    with pytest.raises(InputError, match=r"cds\.bed:1: no record is called 'B'; expected its id"):
        run(*command, "--out", tmp_path / "none")


@pytest.mark.parametrize("name", ["sequences.tsv.gz", "report.json"])
def test_what_is_there_stays_unless_told(tmp_path, run, name):
    (tmp_path / "x.fa").write_text(">x\nGGGGCCAAAAGGCCCCGGGG\n")
    (tmp_path / name).write_text("mine")
    command = "sequences", tmp_path / "x.fa", "--out", tmp_path
    with pytest.raises(OutputError, match=f"{name}: is there already; expected another name, or --over"):
        run(*command)
    assert (tmp_path / name).read_text() == "mine"
    run(*command, "--overwrite")
    assert json.loads((tmp_path / "report.json").read_text())["kept"] == 1
    with pytest.raises(OutputError, match=r"report\.json: is read"):
        run(*command, "--exclude", tmp_path / "report.json", "--overwrite")


def test_a_span_bounds_the_pairs(tmp_path, run):
    (tmp_path / "x.fa").write_text(">1\nGGGGGGAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACCCCCC\n")
    pairs = {}
    for span in (0, 30):
        run("sequences", tmp_path / "x.fa", "--out", tmp_path / f"{span}", "--max-span", span)
        (record,) = read_labelled(tmp_path / f"{span}" / "sequences.tsv.gz")
        pairs[span] = len(record.structure.pairs)
    assert pairs == {0: 6, 30: 0}


class TestLeakage:
    @pytest.fixture
    def sets(self, tmp_path, hairpins):
        train = hairpins(6)
        near = read_labelled(train)[2]
        (tmp_path / "test.fa").write_text(f">t1 of test\n{near.sequence.bases}\n>t2\n{'ACGUGUCA' * 9}\n")
        return train, tmp_path / "test.fa"

    def test_is_told_with_the_worst_pair(self, sets, run):
        out = run("leakage", *sets, "--tool", "kmers", "--identity", 0.95, status=1)
        assert "1 of 6 records near one of 2 (by kmers)" in out
        assert "100.0%  hp2  t1" in out

    def test_is_removed_on_request(self, sets, run, tmp_path):
        kept = tmp_path / "new" / "kept.tsv.gz"
        run("leakage", *sets, "--tool", "kmers", "--identity", 0.95, "--out", kept)
        assert [record.id for record in read_labelled(kept)] == ["hp0", "hp1", "hp3", "hp4", "hp5"]
        assert "0 of 5" in run("leakage", kept, sets[1], "--tool", "kmers", "--identity", 0.95)

    @pytest.mark.parametrize("name", ["test.fas", "test", "-"])
    def test_reads_either_format_on_either_side(self, sets, run, tmp_path, name):
        train, fasta = sets
        text = fasta.read_bytes()
        path = name
        if name != "-":
            path = tmp_path / name
            path.write_bytes(text)
        options = ("--tool", "kmers", "--identity", 0.95)
        out = run("leakage", path, train, *options, status=1, given=text)
        assert "1 of 2 records near one of 6" in out
        out = run("leakage", train, path, *options, status=1, given=text)
        assert "1 of 6 records near one of 2" in out

    def test_writes_structures_alone(self, sets, run, tmp_path):
        with pytest.raises(StructureError, match="no brackets in the record"):
            run("leakage", *sets[::-1], "--tool", "kmers", "--out", tmp_path / "kept.tsv")

    def test_reads_folders_and_leaves_bad_records_of_fasta_out(self, sets, run, tmp_path):
        (tmp_path / "known").mkdir()
        (tmp_path / "known" / "x.dbn").write_text(">x\nGGGGAAAACCCC\n((((....))))\n")
        (tmp_path / "x.txt").write_text(">a\nGGGGAAAACCCC\n>b\nGG-C\n")
        out = run("leakage", tmp_path / "x.txt", tmp_path / "known", "--tool", "kmers", status=1)
        assert "1 of 1 record near one of 1" in out
        assert "left out: " in out
        (tmp_path / "x.txt").write_text(">b\nGG-C\n")
        with pytest.raises(InputError, match=r"x\.txt:2 \(b\): letter '-'"):
            run("leakage", tmp_path / "known", tmp_path / "x.txt", "--tool", "kmers")

    def test_never_replaces_what_it_reads(self, sets, run, tmp_path, monkeypatch):
        monkeypatch.setattr("rnass.preparation.leakage.near", None)  # nothing is computed before
        command = "leakage", *sets, "--tool", "kmers"
        before = [path.read_bytes() for path in map(Path, sets)]
        for path in sets:
            with pytest.raises(OutputError, match="is read; expected another name"):
                run(*command, "--out", path, "--overwrite")
        for path, place in ((tmp_path, "folder"), (sets[1] / "kept.tsv", "file")):
            with pytest.raises(OutputError, match=f"is a {place}; expected"):
                run(*command, "--out", path, "--overwrite")
        (tmp_path / "kept.tsv").write_text("mine")
        with pytest.raises(OutputError, match="is there already; expected another name, or --overwrite"):
            run(*command, "--out", tmp_path / "kept.tsv")
        assert [path.read_bytes() for path in map(Path, sets)] == before

    def test_refuses_what_it_cannot_do(self, sets, run, monkeypatch):
        run("leakage", *sets, "--tool", "blast", status=2)
        with pytest.raises(ConfigError, match="identity 80"):
            run("leakage", *sets, "--identity", 80)
        monkeypatch.setattr(shutil, "which", lambda _: None)
        with pytest.raises(DependencyError, match="vsearch"):
            run("leakage", *sets, "--tool", "vsearch")


@needs_infernal
def test_families(tmp_path, run):
    (tmp_path / "s.sto").write_text(SEED)
    out = run("families", tmp_path / "s.sto", "--out", tmp_path / "data", "--per-family", 10)
    records = read_labelled(tmp_path / "data" / "families.tsv.gz")
    assert 0 < len(records) <= 10
    assert {record.family for record in records} == {"RF99999"}
    report = json.loads((tmp_path / "data" / "report.json").read_text())
    assert report["kept"] == len(records)
    assert f"pairs     {sum(len(record.structure.pairs) for record in records)}" in out


@needs_infernal
def test_families_that_fail_are_reported_and_cost_the_others_nothing(tmp_path, run):
    bare = "# STOCKHOLM 1.0\n#=GF AC bare\na GGGGAAAACCCC\nb GGGCAAAAGCCC\n//\n"
    (tmp_path / "s.sto").write_text(SEED + bare)
    out = run(
        *("families", tmp_path / "s.sto", "--out", tmp_path / "data", "--per-family", 10), status=1
    )
    assert "failed    bare: cmbuild: " in out
    assert {one.family for one in read_labelled(tmp_path / "data/families.tsv.gz")} == {"RF99999"}


@needs_infernal
def test_align(tmp_path, run):
    (tmp_path / "s.sto").write_text(SEED)
    bases = "GGCAUCGGAAACGAUGCC"
    (tmp_path / "x.fa").write_text(
        "".join(f">{name}\n{bases}\n" for name in ("s|1", "s|2", "u|1", "s|3"))
    )
    (tmp_path / "near.txt").write_text("s|2\n")
    (tmp_path / "families.tsv").write_text("s|1\tRF99999\ns|2\tRF99999\nu|1\tRF99999\n")
    command = (
        *("align", tmp_path / "s.sto", tmp_path / "x.fa", "--exclude", tmp_path / "near.txt"),
        *("--families", tmp_path / "families.tsv", "--min-length", 10, "--out"),
    )
    with pytest.raises(OutputError, match=r"families\.tsv: is read"):
        run(*command, tmp_path / "families.tsv", "--overwrite")
    out = run(*command, tmp_path / "a.tsv")
    (record,) = read_labelled(tmp_path / "a.tsv")
    assert (record.id, record.structure.dot_bracket) == ("s|1", "(((((((....)))))))")
    assert "not searched: 2" in out  # s|2 is on the list, of source u nobody knows
    assert "no family: 1" in out
    again = run(*command, tmp_path / "a.tsv", "--sources", "s", "--sources", "t,u", "--overwrite")
    assert "not searched: 1" in again  # s|2


def test_a_bad_alignment_file_is_named(tmp_path, run):
    (tmp_path / "s.sto").write_text("GGGG")
    with pytest.raises(InputError, match=r"s\.sto:1: 'GGGG'; expected '# STOCKHOLM"):
        run("families", tmp_path / "s.sto", "--out", tmp_path / "data")
