import errno
import json
import multiprocessing
import time

import numpy as np
import pytest

from rnass.errors import OutputError
from rnass.io import read_dot_bracket, read_structures
from rnass.jobs.results import open_results
from rnass.jobs.summary import SummaryRow
from rnass.rna import Rna
from rnass.structure import Structure

OPTIONS = {"threshold": 0.5, "weights": "sha"}
JOURNAL = ".rnass-journal.jsonl"
RECORDS = [(f"r{k}", Rna(f"r{k}", "G" + "A" * k + "C", f"r{k} number {k}")) for k in range(3, 7)]


def opened(folder, options, **flags):
    """Results that nobody holds any more: the tests of what is written need no lock."""
    with open_results(folder, options, **flags) as results:
        return results


def fold(sequence):
    return Structure(len(sequence), [(0, len(sequence) - 1)])


def predict(results, name, sequence, formats=("ct", "dbn", "bpseq", "npy")):
    structure = fold(sequence)
    size = len(sequence)
    files = results.write_record(name, sequence, structure, np.zeros((size, size)), formats)
    row = SummaryRow(id=sequence.id, file=name, length=size, pairs=len(structure.pairs))
    results.finish(row, sequence, structure, files)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def finished(results, records=RECORDS):
    return [name for name, sequence in records if results.is_finished(name, sequence)]


@pytest.fixture
def whole(tmp_path):
    """The folder of a run that ended."""
    folder = tmp_path / "deep" / "results"
    results = opened(folder, OPTIONS)
    for name, sequence in RECORDS:
        predict(results, name, sequence)
    results.close(RECORDS)
    results.write_run({"version": "1"})
    return folder


def test_a_run(whole):
    names = {f"{name}.{suffix}" for name, _ in RECORDS for suffix in ("ct", "dbn", "bpseq", "npy")}
    assert set(contents(whole)) == names | {"summary.tsv", "predictions.dbn", "run.json", JOURNAL}
    for name, sequence in RECORDS:
        for suffix in ("ct", "dbn", "bpseq"):
            assert read_structures(whole / f"{name}.{suffix}") == [(sequence, fold(sequence))]
        assert np.load(whole / f"{name}.npy").shape == (len(sequence),) * 2
    assert read_dot_bracket(whole / "predictions.dbn") == [(s, fold(s)) for _, s in RECORDS]
    lines = (whole / "summary.tsv").read_text().splitlines()
    assert [line.split("\t")[0] for line in lines] == ["id", *(name for name, _ in RECORDS)]
    assert json.loads((whole / "run.json").read_text()) == {"version": "1"}


def test_a_second_run_is_refused_and_names_the_ways_out(whole):
    before = contents(whole)
    with pytest.raises(OutputError, match=r"results: holds earlier results; .*--overwrite.*--resume"):
        opened(whole, OPTIONS)
    assert contents(whole) == before


def test_a_folder_of_other_files_is_refused(tmp_path):
    (tmp_path / "r3.ct").write_text("mine")
    with pytest.raises(OutputError, match="holds other files; expected an empty folder, --overwrite"):
        opened(tmp_path, OPTIONS)
    with pytest.raises(OutputError, match="no run to resume; expected an empty folder or --overwrite"):
        opened(tmp_path, OPTIONS, resume=True)
    assert contents(tmp_path) == {"r3.ct": b"mine"}


def test_overwrite_removes_our_files_and_no_others(whole):
    (whole / "notes.txt").write_text("mine")
    (whole / ".rnass-0.tmp").write_text("half a file")
    results = opened(whole, OPTIONS, overwrite=True)
    assert contents(whole) == {"notes.txt": b"mine", JOURNAL: b""}
    assert finished(results) == []


def test_both_flags(tmp_path):
    with pytest.raises(OutputError, match="--overwrite and --resume; expected one of them"):
        opened(tmp_path, OPTIONS, overwrite=True, resume=True)


@pytest.mark.parametrize("flags", [{}, {"resume": True}, {"overwrite": True}])
def test_an_empty_folder_takes_any_flag(tmp_path, flags):
    (tmp_path / ".DS_Store").touch()
    assert finished(opened(tmp_path, OPTIONS, **flags)) == []


def test_a_run_that_finished_nothing_is_in_nobodys_way(tmp_path):
    opened(tmp_path, OPTIONS)
    opened(tmp_path, OPTIONS)


def test_a_killed_run_loses_no_finished_record(tmp_path, whole):
    """Cut the journal as a kill may, at line ends and within; each record whole in it is finished."""
    journal = (whole / JOURNAL).read_bytes()
    ends = [k for k, byte in enumerate(journal) if byte == ord("\n")]
    for length in sorted({*range(0, len(journal), 41), *ends, *(k + 1 for k in ends)}):
        (whole / JOURNAL).write_bytes(journal[:length])
        results = opened(whole, OPTIONS, resume=True)
        whole_lines = (journal[:length] + b"\n" * (journal[length : length + 1] == b"\n")).count(b"\n")
        assert finished(results) == [name for name, _ in RECORDS[:whole_lines]]


def test_a_resumed_run_ends_as_a_whole_one(tmp_path, whole):
    folder = tmp_path / "killed"
    results = opened(folder, OPTIONS)
    for name, sequence in RECORDS[:2]:
        predict(results, name, sequence)
    with (folder / JOURNAL).open("ab") as journal:
        journal.write(b'{"key": "torn')
    (folder / ".rnass-0.tmp").write_text("half a file")

    results = opened(folder, OPTIONS, resume=True)
    missing = [(name, sequence) for name, sequence in RECORDS if not results.is_finished(name, sequence)]
    assert missing == RECORDS[2:]
    for name, sequence in reversed(missing):
        predict(results, name, sequence)
    results.close(RECORDS)
    results.write_run({"version": "1"})
    expected, found = contents(whole), contents(folder)
    del expected[JOURNAL], found[JOURNAL]
    assert found == expected


def test_closing_after_an_interruption_lists_what_is_there(tmp_path):
    results = opened(tmp_path, OPTIONS)
    predict(results, *RECORDS[1])
    results.close(RECORDS)
    assert read_dot_bracket(tmp_path / "predictions.dbn") == [(RECORDS[1][1], fold(RECORDS[1][1]))]
    assert len((tmp_path / "summary.tsv").read_text().splitlines()) == 2


def test_resuming_a_whole_run_leaves_nothing_to_do(whole):
    before = contents(whole)
    results = opened(whole, {"weights": "sha", "threshold": 0.5}, resume=True)
    assert finished(results) == [name for name, _ in RECORDS]
    results.close(RECORDS)
    assert contents(whole) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda s: Rna(s.id, s.bases + "A", s.description),
        lambda s: Rna(s.id, s.bases, "another header"),
    ],
)
def test_another_sequence_under_the_name_is_not_finished(whole, change):
    results = opened(whole, OPTIONS, resume=True)
    name, sequence = RECORDS[0]
    assert results.is_finished(name, sequence)
    assert not results.is_finished(name, change(sequence))
    results.close([(name, change(sequence)), RECORDS[1]])
    assert [s.id for s, _ in read_dot_bracket(whole / "predictions.dbn")] == ["r4"]


def test_other_options_are_not_finished(whole):
    assert finished(opened(whole, {**OPTIONS, "threshold": 0.4}, resume=True)) == []


def test_a_record_whose_file_is_gone_is_not_finished(whole):
    (whole / "r4.npy").unlink()
    assert finished(opened(whole, OPTIONS, resume=True)) == ["r3", "r5", "r6"]


def test_a_record_done_again_leaves_no_stale_file(whole):
    results = opened(whole, {"formats": "ct"}, resume=True)
    predict(results, *RECORDS[0], formats=["ct"])
    assert sorted(path.name for path in whole.glob("r3.*")) == ["r3.ct"]
    results = opened(whole, {"formats": "ct"}, resume=True)
    assert finished(results) == ["r3"]


def test_a_failed_record_stands_in_the_summary_and_is_tried_again(tmp_path):
    results = opened(tmp_path, OPTIONS)
    name, sequence = RECORDS[0]
    results.finish(
        SummaryRow(id="r3", file=name, status="failed", message="out of\nmemory"), sequence, None
    )
    predict(results, *RECORDS[1])
    bad = SummaryRow(id="bad", status="failed", message="letter 'X' at base 7")
    results.close(RECORDS, [bad])
    rows = [line.split("\t") for line in (tmp_path / "summary.tsv").read_text().splitlines()]
    assert [(row[0], row[-2], row[-1]) for row in rows[1:]] == [
        ("r3", "failed", r"out of\nmemory"),
        ("r4", "ok", ""),
        ("bad", "failed", "letter 'X' at base 7"),
    ]
    assert len(read_dot_bracket(tmp_path / "predictions.dbn")) == 1
    assert finished(opened(tmp_path, OPTIONS, resume=True)) == ["r4"]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "null",
        "[]",
        '{"key": 1}',
        '{"key": "k", "files": [], "dot_bracket": "", "row": {"id": "a", "new_column": 1}}',
        '{"key": "k", "files": null, "dot_bracket": "", "row": {"id": "a"}}',
    ],
)
def test_lines_of_the_journal_that_cannot_be_used_are_dropped(tmp_path, line):
    (tmp_path / JOURNAL).write_text(line + "\n", encoding="utf-8")
    opened(tmp_path, OPTIONS, resume=True)
    assert (tmp_path / JOURNAL).read_text() == ""


def test_the_journal_cannot_make_us_remove_other_files(tmp_path):
    outside = tmp_path / "outside"
    outside.write_text("mine")
    folder = tmp_path / "results"
    results = opened(folder, OPTIONS)
    results.finish(SummaryRow(id="a", file="a"), RECORDS[0][1], fold(RECORDS[0][1]), ["../outside"])
    opened(folder, OPTIONS, overwrite=True)
    assert outside.read_text() == "mine"


def test_unknown_format(tmp_path):
    results = opened(tmp_path, OPTIONS)
    with pytest.raises(OutputError, match="format 'pdf' is unknown; expected ct, dbn, bpseq, npy"):
        results.write_record("x", RECORDS[0][1], fold(RECORDS[0][1]), [[0.0]], ["pdf"])


def test_a_file_where_the_folder_should_be(tmp_path):
    (tmp_path / "x").write_text("")
    for folder in (tmp_path / "x", tmp_path / "x" / "y"):
        with pytest.raises(OutputError, match="expected a folder that can be written"):
            opened(folder, OPTIONS)


def test_a_journal_that_cannot_be_written(tmp_path):
    results = opened(tmp_path / "x", OPTIONS)
    (tmp_path / "x" / JOURNAL).unlink()
    (tmp_path / "x").rmdir()
    with pytest.raises(OutputError, match=r"journal\.jsonl: no such file"):
        results.finish(SummaryRow(id="a", file="a"), RECORDS[0][1], None)


LOCK = ".rnass-lock"


def hold(folder, held):
    """What a run does that another meets."""
    with open_results(folder, OPTIONS) as results:
        predict(results, *RECORDS[0])
        held.set()
        time.sleep(60)


@pytest.fixture
def other_run(tmp_path):
    """A process that writes into a folder and has finished one record."""
    context = multiprocessing.get_context("spawn")
    held = context.Event()
    process = context.Process(target=hold, args=(tmp_path / "results", held))
    process.start()
    assert held.wait(60)
    yield process
    process.kill()
    process.join()


@pytest.mark.parametrize("flags", [{}, {"resume": True}, {"overwrite": True}])
def test_a_second_run_at_the_same_time_is_refused_and_touches_nothing(tmp_path, other_run, flags):
    before = contents(tmp_path / "results")
    with pytest.raises(OutputError, match=r"results: another run is writing into it; expected another"):
        opened(tmp_path / "results", OPTIONS, **flags)
    assert contents(tmp_path / "results") == before


def test_a_killed_run_leaves_no_lock_behind(tmp_path, other_run):
    other_run.kill()
    other_run.join()
    assert (tmp_path / "results" / LOCK).exists()
    assert finished(opened(tmp_path / "results", OPTIONS, resume=True)) == ["r3"]
    assert not (tmp_path / "results" / LOCK).exists()


def test_an_error_ends_the_lock_too(tmp_path):
    name, sequence = RECORDS[0]
    with pytest.raises(OutputError, match="unknown"), open_results(tmp_path, OPTIONS) as results:
        results.write_record(name, sequence, fold(sequence), [[0.0]], ["pdf"])
    assert set(contents(tmp_path)) == {JOURNAL}
    opened(tmp_path, OPTIONS)


def test_a_folder_where_files_cannot_be_locked_is_used_with_a_warning(tmp_path, monkeypatch, caplog):
    fcntl = pytest.importorskip("fcntl")

    def no_locks(*_):
        raise OSError(errno.ENOSYS, "Function not implemented")

    caplog.set_level("WARNING", "rnass")
    monkeypatch.setattr(fcntl, "flock", no_locks)
    predict(opened(tmp_path, OPTIONS), *RECORDS[0])
    assert finished(opened(tmp_path, OPTIONS, resume=True)) == ["r3"]
    assert "files cannot be locked here; see that no other run writes into it" in caplog.text
    assert not (tmp_path / LOCK).exists()
