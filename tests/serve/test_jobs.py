"""The queue: folders, bounds, order, restarts. The run itself is replaced by a script that is quick."""

import json
import sys
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest
from filelock import FileLock

import rnass.serve.jobs
from rnass.errors import OutputError
from rnass.files import write_text
from rnass.locks import LOCK
from rnass.serve.jobs import JobQueue, JobRequest, Limits, RefusedError

FASTA = ">one\nGGGAAACCC\n>two\nGGGGAAAACCCC\n"

# stands for `rnass predict`: journals a record, notes its arguments last, and waits for a file where
# told to; who sees the arguments may interrupt it
RUN = """
import json, os, pathlib, sys, time
place = pathlib.Path("results"); place.mkdir(exist_ok=True)
with (place / ".rnass-journal.jsonl").open("a") as journal: journal.write('{"record": 1}\\n')
with (place / "arguments.json").open("a") as file: file.write(json.dumps(sys.argv[1:]) + "\\n")
gate = pathlib.Path("../gate")
while gate.exists() and not pathlib.Path("../open").exists(): time.sleep(0.02)
text = pathlib.Path("input.fa").read_text()
if "KILL" in text:
    print("rnass: 1 of 2 records finished already", file=sys.stderr, flush=True)
    os.kill(os.getpid(), 9)
if "HALF" in text:
    rows = "id\\tfile\\tstatus\\none\\tone\\tok\\ntwo\\ttwo\\tfailed\\n"
    (place / "summary.tsv").write_text(rows)
    sys.exit(1)
if "USAGE" in text:
    print("rnass: a warning\\nError: no such option", file=sys.stderr)
    sys.exit(2)
print("rnass: weights: none there; expected some" if "BREAK" in text else "done", file=sys.stderr)
sys.exit(2 if "BREAK" in text else 0)
"""


@pytest.fixture
def queue(tmp_path, monkeypatch):
    """Makes queues on one folder, whose jobs run the script; stops them all at the end."""
    script = tmp_path / "run.py"
    script.write_text(RUN)
    made = []

    def make(limits=None, *, start=True, weights=None):
        one = JobQueue(tmp_path / "jobs", limits or Limits(), ["--device", "cpu"], weights)
        monkeypatch.setattr("rnass.serve.jobs.COMMAND", [sys.executable, str(script)])
        monkeypatch.setattr(
            "rnass.serve.jobs.write_report",
            lambda place, title: write_text(place / "report.html", title),
        )
        if start:
            one.start()
        made.append(one)
        return one

    yield make
    (tmp_path / "jobs" / "open").touch()
    for one in made:
        one.stop()


def until(queue, name, *states):
    """Wait until the job is in one of *states*."""
    for _ in range(10_000):
        status = queue.status(name)
        if status["state"] in states:
            return status
        time.sleep(0.02)
    raise AssertionError(status)


def ask(text=FASTA, **options):
    return JobRequest(fasta=text, **options)


def test_a_job_is_run_and_its_files_are_zipped(queue, tmp_path):
    one = queue()
    name = one.submit(ask(elements=True, pseudoknots=False, alternatives=3))
    status = until(one, name, "done")
    assert (status["records"], status["bases"], status["finished"], status["report"]) == (2, 21, 1, True)
    arguments = json.loads((tmp_path / "jobs" / name / "results" / "arguments.json").read_text())
    assert arguments[:3] == ["predict", "input.fa", "--out"]
    assert {"--resume", "--elements", "--no-pseudoknots", "--baseline"} <= set(arguments)
    assert arguments[-2:] == ["--alternatives", "3"]
    with zipfile.ZipFile(one.file(name, "zip")) as archive:
        names = archive.namelist()
    assert names == [f"rnass-{name[:8]}/arguments.json", f"rnass-{name[:8]}/report.html"]
    assert one.file(name, "report").read_text() == "one and others"


def test_jobs_run_one_at_a_time_in_their_order(queue, tmp_path):
    one = queue()
    (tmp_path / "jobs" / "gate").touch()
    first, second = one.submit(ask()), one.submit(ask())
    until(one, first, "running")
    time.sleep(0.2)
    assert one.status(second)["state"] == "queued"
    assert one.status(second)["place"] == 1
    assert [one.status(name)["predicted"] for name in (first, second)] == [None, None]
    (tmp_path / "jobs" / "open").touch()
    assert until(one, first, "done")["predicted"] == 2
    until(one, second, "done")


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        (
            ">a\nGGXGG\n",
            [("input.fa:2 (a): letter 'X' at base 3; expected A, C, G, U, T or an IUPAC code", 2)],
        ),
        ("", [("input.fa: no records; expected FASTA", None)]),
    ],
)
def test_a_bad_input_is_refused_with_the_words_of_the_command_line(queue, text, problems, tmp_path, rna):
    one = queue(start=False)
    with pytest.raises(RefusedError) as refused:
        one.submit(ask(text))
    if problems[0][1]:
        assert refused.value.problems == problems
    assert not [path for path in (tmp_path / "jobs").iterdir() if path.is_dir()]
    (tmp_path / "input.fa").write_text(text)
    _, _, error = rna("predict", "input.fa")
    assert refused.value.problems[0][0] in error


def test_good_records_beside_bad_ones_are_taken_if_asked(queue):
    one = queue()
    name = one.submit(ask(">a\nGGXGG\n" + FASTA, skip_bad=True))
    assert until(one, name, "done")["records"] == 2


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(records=1), "2 records; expected at most 1 in one job"),
        (Limits(bases=20), "21 bases; expected at most 20 in one job"),
        (Limits(queued=0), "0 jobs in the queue"),
    ],
)
def test_bounds_are_kept(queue, limits, message):
    with pytest.raises(RefusedError, match=message):
        queue(limits, start=False).submit(ask())


def test_a_run_that_stops_tells_why(queue):
    one = queue()
    name = one.submit(ask(">BREAK\nGGGAAACCC\n"))
    status = until(one, name, "failed")
    assert status["message"] == "weights: none there; expected some"
    assert one.file(name, "zip") is None


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("KILL", "the run was killed by signal 9, Killed; memory may have run out"),
        ("USAGE", "the run ended with status 2; its messages are in {log}"),
    ],
)
def test_a_run_that_stops_without_a_word_is_told_by_its_status(queue, tmp_path, name, message):
    one = queue()
    job = one.submit(ask(f">{name}\nGGGAAACCC\n"))
    log = tmp_path / "jobs" / job / "log.txt"
    assert until(one, job, "failed")["message"] == message.format(log=log)


def test_an_error_of_an_earlier_run_is_not_told_again(queue, tmp_path):
    one = queue(start=False)
    job = one.submit(ask(">KILL\nGGGAAACCC\n"))
    (tmp_path / "jobs" / job / "log.txt").write_text("rnass: weights: none there; expected some\n")
    one.start()
    assert until(one, job, "failed")["message"].startswith("the run was killed")


def test_failed_records_are_counted(queue):
    one = queue()
    status = until(one, one.submit(ask(">HALF\nGGGAAACCC\n>two\nGGGAAACCC\n")), "done")
    assert (status["predicted"], status["failed"]) == (1, 1)


def test_an_rna_of_any_length_is_taken(queue):
    one = queue(start=False)
    assert one.status(one.submit(ask(f">long\n{'A' * 4001}\n")))["bases"] == 4001


def test_the_queue_takes_no_more_than_it_may_however_many_ask_at_once(queue, monkeypatch):
    one = queue(Limits(queued=2), start=False)
    read = rnass.serve.jobs.read_inputs

    def slow(*arguments, **options):
        time.sleep(0.2)
        return read(*arguments, **options)

    monkeypatch.setattr("rnass.serve.jobs.read_inputs", slow)
    with ThreadPoolExecutor(5) as pool:
        asked = [pool.submit(one.submit, ask()) for _ in range(5)]
    errors = [one.exception() for one in asked]
    assert errors.count(None) == 2
    assert str(next(filter(None, errors))) == "2 jobs in the queue; expected to wait for one"
    with pytest.raises(RefusedError, match="2 jobs"):
        one.submit(ask())


def test_a_refused_input_leaves_its_place_in_the_queue(queue):
    one = queue(Limits(queued=1), start=False)
    with pytest.raises(RefusedError, match="letter"):
        one.submit(ask(">a\nGGXGG\n"))
    one.submit(ask())


def test_a_folder_keeps_its_id(queue, tmp_path):
    one = queue(start=False)
    one.stop()
    assert queue(start=False).id == one.id
    other = JobQueue(tmp_path / "other", Limits())
    other.stop()
    assert other.id != one.id


def test_an_interrupted_job_goes_on_after_a_restart(queue, tmp_path):
    one = queue()
    (tmp_path / "jobs" / "gate").touch()
    first, second = one.submit(ask()), one.submit(ask())
    until(one, first, "running")
    arguments = tmp_path / "jobs" / first / "results" / "arguments.json"
    while not (arguments.exists() and arguments.read_text().endswith("\n")):
        time.sleep(0.02)
    one.stop()
    saved = json.loads((tmp_path / "jobs" / first / "job.json").read_text())
    assert saved["state"] == "running"
    (tmp_path / "jobs" / "open").touch()
    other = queue()
    until(other, first, "done")
    until(other, second, "done")
    assert len(arguments.read_text().splitlines()) == 2
    assert other.status(first)["finished"] == 2


def test_a_job_keeps_its_weights_over_a_restart_with_others(queue, tmp_path):
    one = queue(weights="first")
    (tmp_path / "jobs" / "gate").touch()
    running, waiting = one.submit(ask()), one.submit(ask())
    until(one, running, "running")
    one.stop()
    (tmp_path / "jobs" / "open").touch()
    other = queue(weights="second")
    later = other.submit(ask())
    for name, weights in ((running, "first"), (waiting, "first"), (later, "second")):
        until(other, name, "done")
        lines = (tmp_path / "jobs" / name / "results" / "arguments.json").read_text().splitlines()
        given = json.loads(lines[-1])
        assert given[given.index("--weights") + 1] == weights


def test_a_job_that_runs_can_be_removed_and_the_next_one_runs(queue, tmp_path):
    one = queue()
    (tmp_path / "jobs" / "gate").touch()
    first, second = one.submit(ask()), one.submit(ask())
    until(one, first, "running")
    assert one.remove(first)
    assert one.status(first) is None
    assert not (tmp_path / "jobs" / first).exists()
    (tmp_path / "jobs" / "open").touch()
    until(one, second, "done")
    assert not one.remove(first)


def test_a_run_that_a_killed_server_left_behind_is_waited_for(queue, tmp_path):
    one = queue(start=False)
    name = one.submit(ask())
    results = tmp_path / "jobs" / name / "results"
    results.mkdir()
    with FileLock(results / LOCK):
        one.start()
        until(one, name, "running")
        time.sleep(1)
        assert not (results / "arguments.json").exists()
    until(one, name, "done")
    assert len((results / "arguments.json").read_text().splitlines()) == 1


def test_a_full_disk_fails_the_job_and_the_next_one_runs(queue, monkeypatch):
    one = queue()
    zips = zipfile.ZipFile

    def full(*arguments, **options):
        monkeypatch.setattr("zipfile.ZipFile", zips)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("zipfile.ZipFile", full)
    first = one.submit(ask())
    assert "No space left" in until(one, first, "failed")["message"]
    until(one, one.submit(ask()), "done")


def test_one_server_to_a_folder(queue, tmp_path):
    queue(start=False)
    with pytest.raises(OutputError, match="another rnass serve uses it"):
        JobQueue(tmp_path / "jobs", Limits())


def test_what_a_kill_left_half_made_is_swept(queue, tmp_path):
    half = tmp_path / "jobs" / ("0" * 32)
    half.mkdir(parents=True)
    (half / "input.fa").write_text(FASTA)
    (half / ".rnass-0a1b.tmp").write_text("{")
    other = tmp_path / "jobs" / "mine"
    other.mkdir()
    one = queue(start=False)
    assert one.status("0" * 32) is None
    assert not half.exists()
    assert other.exists()


JOB = {"id": "0" * 32, "created": 1.0, "records": 2, "bases": 21}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "job.json: no such file or directory; expected a file to read"),
        ('{"id": ', "expected JSON"),
        (json.dumps(JOB | {"later": 1}), "expected a key of Job"),
        (json.dumps(JOB | {"created": "x"}), "created: Input should be a valid number"),
        (json.dumps(JOB | {"id": "../other"}), "id '../other'; expected that of its folder"),
    ],
)
def test_a_folder_that_is_no_job_stays_as_it_is(queue, tmp_path, caplog, text, message):
    folder = tmp_path / "jobs" / ("0" * 32)
    (folder / "results").mkdir(parents=True)
    (folder / "input.fa").write_text(FASTA)
    if text is not None:
        (folder / "job.json").write_text(text)
    one = queue(start=False)
    assert one.status("0" * 32) is None
    assert (folder / "results").is_dir()
    assert str(folder) in caplog.text
    assert message in caplog.text


def test_a_job_of_an_earlier_server_is_found(queue, tmp_path):
    folder = tmp_path / "jobs" / ("0" * 32)
    folder.mkdir(parents=True)
    (folder / "job.json").write_text(json.dumps(JOB | {"state": "running"}))
    assert queue(start=False).status("0" * 32)["state"] == "queued"


def test_names_of_jobs_cannot_be_guessed_and_many_at_once_do_not_mix(queue):
    one = queue()
    names = []
    threads = [
        threading.Thread(
            target=lambda k=k: names.append((one.submit(ask(f">r{k}\n{'G' * (k + 5)}\n")), k))
        )
        for k in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({name for name, _ in names}) == 5
    for name, k in names:
        assert len(name) == 32
        assert until(one, name, "done")["bases"] == k + 5
