"""The results folder and its journal: what is finished, what is kept, replaced and refused."""

import errno
import json
import multiprocessing
import time
from dataclasses import replace

import pytest

from rnass.constraints import Constraints
from rnass.errors import OutputError, RnassError
from rnass.files import write_text
from rnass.jobs.journal import Plan
from rnass.jobs.results import Record, Written, open_results
from rnass.rna import Rna

JOURNAL, LOCK = ".rnass-journal.jsonl", ".rnass-lock"
RECORDS = [Record(f"r{k}", Rna(f"r{k}", "G" + "A" * k + "C", f"r{k} number {k}")) for k in range(3, 7)]
COLUMNS = ("id", "file", "length", "status", "message")


def plan(records=RECORDS, **changed):
    values = {
        "kind": "predict",
        "identity": {"weights": "sha", "options": {"threshold": 0.5}},
        "names": tuple(record.name for record in records),
        "suffixes": (".ct", ".npy"),
        "shared": ("all.txt", "summary.tsv", "run.json"),
    }
    return Plan(**{**values, **changed})


def opened(folder, records=RECORDS, a_plan=None, **flags):
    """Results that nobody holds any more: the tests of what is written need no lock."""
    with open_results(folder, a_plan or plan(records), records, **flags) as results:
        return results


def write(results, record, suffixes=(".ct", ".npy")):
    for suffix in suffixes:
        write_text(results.folder / f"{record.name}{suffix}", f"{suffix} of {record.rna.text}")
    files = [f"{record.name}{suffix}" for suffix in suffixes]
    results.finish(record, Written(files, shared={"all.txt": f"{record.rna.text}\n"}))


def close(results, records=RECORDS, bad=()):
    write_text(results.folder / "all.txt", "".join(results.parts(records, "all.txt")))
    results.close(records, bad, COLUMNS, {"version": "1"})


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def finished(results, records=RECORDS):
    return [record.name for record in records if results.is_finished(record.name)]


@pytest.fixture
def whole(tmp_path):
    """The folder of a run that ended."""
    folder = tmp_path / "deep" / "results"
    results = opened(folder)
    for record in RECORDS:
        write(results, record)
    close(results)
    return folder


def test_a_run(whole):
    names = {f"{record.name}{suffix}" for record in RECORDS for suffix in (".ct", ".npy")}
    assert set(contents(whole)) == names | {"summary.tsv", "all.txt", "run.json", JOURNAL}
    assert (whole / "all.txt").read_text().split() == [record.rna.text for record in RECORDS]
    lines = [line.split("\t") for line in (whole / "summary.tsv").read_text().splitlines()]
    assert lines[0] == list(COLUMNS)
    assert lines[1:] == [[r.name, r.name, str(len(r.rna)), "ok", ""] for r in RECORDS]
    assert json.loads((whole / "run.json").read_text()) == {"version": "1"}


def test_a_second_run_is_refused_and_names_the_ways_out(whole):
    before = contents(whole)
    with pytest.raises(OutputError, match=r"results: holds earlier results; .*--overwrite.*--resume"):
        opened(whole)
    assert contents(whole) == before


@pytest.mark.parametrize("flags", [{}, {"resume": True}, {"overwrite": True}], ids=str)
def test_the_log_of_the_job_is_no_obstacle(tmp_path, flags):
    logs = ("run.log", "slurm-1.out", "slurm-1.err", ".hidden")
    for name in logs:
        (tmp_path / name).write_text("begun")
    opened(tmp_path, **flags)
    assert all((tmp_path / name).read_text() == "begun" for name in logs)


def test_a_folder_of_other_files_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match="holds other files; expected an empty folder, --overwrite"):
        opened(tmp_path)
    with pytest.raises(OutputError, match="no run to resume; expected an empty folder or --overwrite"):
        opened(tmp_path, resume=True)
    assert contents(tmp_path) == {"notes.txt": b"mine"}


@pytest.mark.parametrize("name", ["summary.tsv", "run.json", "all.txt", "r3.ct"])
@pytest.mark.parametrize("journal", [False, True])
def test_a_users_own_file_is_never_replaced(tmp_path, whole, name, journal):
    """Neither in a folder that rnass never wrote nor beside its results of other records."""
    folder = whole if journal else tmp_path / "other"
    flags = {"overwrite": True}
    if journal:  # a file of that name that no journal names
        results = opened(folder, [], plan([], shared=()), overwrite=True)
        assert set(contents(results.folder)) == {JOURNAL}
    else:
        folder.mkdir()
    (folder / name).write_text("mine")
    before = contents(folder)
    with pytest.raises(OutputError, match=f"{name}: not written by rnass, and in the way"):
        opened(folder, **flags)
    assert contents(folder) == before


@pytest.mark.parametrize("flag", ["resume", "overwrite"])
def test_an_input_is_never_replaced(whole, flag):
    before = contents(whole)
    with pytest.raises(OutputError, match=r"r4\.ct: input of this run; expected another folder"):
        opened(whole, inputs=["-", str(whole / "r4.ct")], **{flag: True})
    assert contents(whole) == before


def test_overwrite_removes_our_files_and_no_others(whole):
    (whole / "notes.txt").write_text("mine")
    (whole / "r9.ct").write_text("mine")
    (whole / ".rnass-0.tmp").write_text("half a file")
    results = opened(whole, overwrite=True)
    assert set(contents(whole)) == {"notes.txt", "r9.ct", JOURNAL}
    assert finished(results) == []


@pytest.mark.parametrize("flag", ["overwrite", "resume"])
def test_files_that_a_kill_left_without_their_line_are_removed(whole, flag):
    """Of a record that was written and not yet entered in the journal."""
    journal = (whole / JOURNAL).read_text().splitlines(keepends=True)
    (whole / JOURNAL).write_text("".join(journal[:-1]))
    results = opened(whole, **{flag: True})
    assert not (whole / "r6.ct").exists()
    assert finished(results) == ([] if flag == "overwrite" else ["r3", "r4", "r5"])


def test_records_that_are_gone_lose_their_files(whole):
    results = opened(whole, RECORDS[:2], resume=True)
    assert finished(results) == ["r3", "r4"]
    names = {f"{record.name}{suffix}" for record in RECORDS[:2] for suffix in (".ct", ".npy")}
    assert set(contents(whole)) == names | {JOURNAL}


def test_records_of_a_file_that_cannot_be_read_keep_theirs(whole):
    before = contents(whole)
    results = opened(whole, RECORDS[:2], resume=True, partial=True)
    assert finished(results) == ["r3", "r4", "r5", "r6"]
    assert {name for name in contents(whole) if name.endswith(".npy")} == {
        f"r{k}.npy" for k in range(3, 7)
    }
    close(results, RECORDS[:2])
    assert (whole / "all.txt").read_text() == "GAAAC\nGAAAAC\n"
    close(again := opened(whole, RECORDS, resume=True))
    assert finished(again) == ["r3", "r4", "r5", "r6"]
    assert contents(whole)["all.txt"] == before["all.txt"]


def test_both_flags(tmp_path):
    with pytest.raises(OutputError, match="--overwrite and --resume; expected one of them"):
        opened(tmp_path, overwrite=True, resume=True)


@pytest.mark.parametrize("flags", [{}, {"resume": True}, {"overwrite": True}])
def test_an_empty_folder_takes_any_flag(tmp_path, flags):
    (tmp_path / ".DS_Store").touch()
    assert finished(opened(tmp_path, **flags)) == []


def test_a_run_that_finished_nothing_is_in_nobodys_way(tmp_path):
    opened(tmp_path)
    opened(tmp_path)


def test_a_killed_run_loses_no_finished_record(whole):
    """Cut the journal as a kill may, at line ends and within; each record whole in it is finished."""
    journal, files = (whole / JOURNAL).read_bytes(), contents(whole)
    head = journal.index(b"\n") + 1  # is written whole, before any record
    ends = [k for k, byte in enumerate(journal) if byte == ord("\n") and k >= head]
    for length in sorted({*range(head, len(journal), 41), *ends, *(k + 1 for k in ends)}):
        for name, data in files.items():
            (whole / name).write_bytes(data)
        (whole / JOURNAL).write_bytes(journal[:length])
        results = opened(whole, resume=True)
        lines = (journal[:length] + b"\n" * (journal[length : length + 1] == b"\n")).count(b"\n") - 1
        assert finished(results) == [record.name for record in RECORDS[:lines]]


def test_a_resumed_run_ends_as_a_whole_one(tmp_path, whole):
    folder = tmp_path / "killed"
    results = opened(folder)
    for record in RECORDS[:2]:
        write(results, record)
    with (folder / JOURNAL).open("ab") as journal:
        journal.write(b'{"record": {"name": "torn')
    (folder / ".rnass-0.tmp").write_text("half a file")

    results = opened(folder, resume=True)
    missing = [record for record in RECORDS if not results.is_finished(record.name)]
    assert missing == RECORDS[2:]
    for record in reversed(missing):
        write(results, record)
    close(results)
    expected, found = contents(whole), contents(folder)
    del expected[JOURNAL], found[JOURNAL]
    assert found == expected


def test_closing_after_an_interruption_lists_what_is_there(tmp_path):
    results = opened(tmp_path)
    write(results, RECORDS[1])
    close(results)
    assert (tmp_path / "all.txt").read_text() == f"{RECORDS[1].rna.text}\n"
    assert len((tmp_path / "summary.tsv").read_text().splitlines()) == 2


def test_resuming_a_whole_run_leaves_nothing_to_do(whole):
    before = contents(whole)
    results = opened(whole, resume=True)
    assert finished(results) == [record.name for record in RECORDS]
    close(results)
    assert contents(whole) == before


@pytest.mark.parametrize(
    "changed",
    [
        {"bases": "GAAACA"},
        {"description": "another header"},
        {"constraints": Constraints.from_line("x....")},
        {"reactivities": (0.1,) * 5},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_another_rna_under_the_name_is_not_finished(whole, changed):
    records = [Record("r3", replace(RECORDS[0].rna, **changed)), *RECORDS[1:]]
    results = opened(whole, records, resume=True)
    assert finished(results, records) == ["r4", "r5", "r6"]
    assert not (whole / "r3.ct").exists()


def test_what_else_decides_a_record_is_part_of_it(whole):
    records = [Record("r3", RECORDS[0].rna, [[0, 4]]), *RECORDS[1:]]
    assert finished(opened(whole, records, resume=True), records) == ["r4", "r5", "r6"]


def test_other_options_are_refused(whole):
    before = contents(whole)
    other = plan(identity={"weights": "sha", "options": {"threshold": 0.4}})
    message = r"results: made with another --threshold; expected the same to --resume, or"
    with pytest.raises(OutputError, match=message):
        opened(whole, a_plan=other, resume=True)
    assert contents(whole) == before


def test_another_command_is_refused(whole):
    before = contents(whole)
    with pytest.raises(OutputError, match="holds results of rnass predict; expected those of rnass em"):
        opened(whole, a_plan=plan(kind="embed", identity={}), resume=True)
    assert contents(whole) == before


def gone(path):
    path.unlink()


def empty(path):
    path.write_bytes(b"")


def altered(path):
    path.write_bytes(path.read_bytes()[:-1] + b"?")


def longer(path):
    path.write_bytes(path.read_bytes() + b"\n")


@pytest.mark.parametrize("damage", [gone, empty, altered, longer])
def test_a_record_whose_file_is_not_as_written_is_not_finished(whole, damage):
    damage(whole / "r4.npy")
    assert finished(opened(whole, resume=True)) == ["r3", "r5", "r6"]
    assert not (whole / "r4.ct").exists()


def test_a_failed_record_stands_in_the_summary_and_is_tried_again(tmp_path):
    results = opened(tmp_path)
    write_text(tmp_path / "r3.ct", "half of it")
    results.fail(RECORDS[0], RnassError("out of\nmemory"))
    assert not (tmp_path / "r3.ct").exists()
    write(results, RECORDS[1])
    bad = {"id": "bad", "status": "failed", "message": "letter 'X' at base 7"}
    close(results, bad=[bad])
    rows = [line.split("\t") for line in (tmp_path / "summary.tsv").read_text().splitlines()]
    assert [(row[0], row[-2], row[-1]) for row in rows[1:]] == [
        ("r3", "failed", r"out of\nmemory"),
        ("r4", "ok", ""),
        ("bad", "failed", "letter 'X' at base 7"),
    ]
    assert (tmp_path / "all.txt").read_text() == f"{RECORDS[1].rna.text}\n"
    assert finished(opened(tmp_path, resume=True)) == ["r4"]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "null",
        "[]",
        "[" * 10_000,
        '{"key": 1}',
        '{"run": {"kind": "predict"}}',
        '{"run": {"kind": 1, "identity": {}, "names": [], "suffixes": [], "shared": []}}',
        '{"record": {"name": "r3", "key": "k", "files": null, "cells": {}, "shared": {}}}',
        '{"record": {"name": "r3", "key": "k", "files": {"r3.ct": 1}, "cells": {}, "shared": {}}}',
    ],
    ids=range(9),
)
def test_lines_of_the_journal_that_cannot_be_used_are_dropped(whole, line):
    with (whole / JOURNAL).open("a", encoding="utf-8") as journal:
        journal.write(f"{line}\n")
    assert finished(opened(whole, resume=True)) == [record.name for record in RECORDS]


def test_the_journal_cannot_make_us_remove_other_files(tmp_path):
    outside = tmp_path / "outside"
    outside.write_text("mine")
    folder = tmp_path / "results"
    opened(
        folder, a_plan=plan(names=("../outside", "/etc/x"), suffixes=("", ".ct"), shared=("../outside",))
    )
    entry = {"name": "r3", "key": "k", "files": {"../outside": [4, ""]}, "cells": {}, "shared": {}}
    with (folder / JOURNAL).open("a", encoding="utf-8") as journal:
        journal.write(json.dumps({"record": entry}) + "\n")
    (folder / "x.ct").write_text("mine")
    opened(folder, overwrite=True)
    assert outside.read_text() == (folder / "x.ct").read_text() == "mine"


def test_a_file_where_the_folder_should_be(tmp_path):
    (tmp_path / "x").write_text("")
    for folder in (tmp_path / "x", tmp_path / "x" / "y"):
        with pytest.raises(OutputError, match="expected a folder that can be written"):
            opened(folder)


def test_a_journal_that_cannot_be_written(tmp_path):
    results = opened(tmp_path / "x")
    (tmp_path / "x" / JOURNAL).unlink()
    (tmp_path / "x").rmdir()
    with pytest.raises(OutputError, match=r"journal\.jsonl: no such file"):
        results.finish(RECORDS[0], Written())


def hold(folder, held):
    """What a run does that another meets."""
    with open_results(folder, plan(), RECORDS) as results:
        write(results, RECORDS[0])
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
        opened(tmp_path / "results", **flags)
    assert contents(tmp_path / "results") == before


def test_a_killed_run_leaves_no_lock_behind(tmp_path, other_run):
    other_run.kill()
    other_run.join()
    assert (tmp_path / "results" / LOCK).exists()
    assert finished(opened(tmp_path / "results", resume=True)) == ["r3"]
    assert not (tmp_path / "results" / LOCK).exists()


def test_an_error_ends_the_lock_too(tmp_path):
    with pytest.raises(OutputError, match="full"), open_results(tmp_path, plan(), RECORDS):
        raise OutputError("the disk is full")
    assert set(contents(tmp_path)) == {JOURNAL}
    opened(tmp_path)


def test_a_folder_where_files_cannot_be_locked_is_used_with_a_warning(tmp_path, monkeypatch, caplog):
    fcntl = pytest.importorskip("fcntl")

    def no_locks(*_):
        raise OSError(errno.ENOSYS, "Function not implemented")

    caplog.set_level("WARNING", "rnass")
    monkeypatch.setattr(fcntl, "flock", no_locks)
    write(opened(tmp_path), RECORDS[0])
    assert finished(opened(tmp_path, resume=True)) == ["r3"]
    assert "files cannot be locked here; see that no other run writes into it" in caplog.text
    assert not (tmp_path / LOCK).exists()
