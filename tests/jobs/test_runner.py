"""The runner with a job that does nothing: how each way to end leaves the folder."""

import contextlib
import json
import os
import signal
import time

import numpy as np
import pytest

from rnass.errors import (
    ExitStatus,
    InputError,
    OutputError,
    RnassError,
    SequenceError,
    UnexpectedError,
    WorkerError,
    record_error,
)
from rnass.files import write_text
from rnass.io import read_ct, read_structures
from rnass.jobs import predict as predict_module
from rnass.jobs.inputs import Inputs
from rnass.jobs.predict import PredictOptions, predict_files
from rnass.jobs.results import Written
from rnass.jobs.runner import Job, RunOptions, divided, run_job
from rnass.prediction import predictor
from rnass.rna import Rna
from rnass.structure import Structure

RNAS = [Rna(name, "GGGAAACCC") for name in "abcd"]


class Copy(Job):
    """Writes the bases of each RNA; what it meets on the way is set by the test."""

    kind = "copy"
    suffixes = (".txt", ".more")
    shared = ("all.txt",)

    def __init__(self, at_work=None, at_writing=None, refused=None, missing=""):
        self.at_work, self.at_writing = at_work or {}, at_writing or {}
        self.refused, self.missing = refused or {}, missing

    def identity(self):
        return {"options": {}}

    def refusal(self, rna):
        return self.refused.get(rna.id)

    def work(self, rnas):
        for number, rna in enumerate(rnas):
            event = self.at_work.get(rna.id)
            if isinstance(event, RnassError) and not isinstance(event, WorkerError):
                yield number, event
                continue
            if isinstance(event, int):
                os.kill(os.getpid(), event)
            elif event:
                raise event
            yield number, rna.bases

    def write(self, folder, name, rna, found):
        write_text(folder / f"{name}.txt", found)
        event = self.at_writing.get(rna.id)
        if isinstance(event, int):  # as code in C may turn one exception into another
            with contextlib.suppress(KeyboardInterrupt):
                os.kill(os.getpid(), event)
                time.sleep(1)
            raise SystemError("a result with an exception set")
        if event:
            raise event
        write_text(folder / f"{name}.more", found)
        files = [f"{name}{suffix}" for suffix in self.suffixes]
        return Written(files, {"message": "fine"}, {"all.txt": f"{rna.id}\n"}, self.missing)


@pytest.fixture
def run(tmp_path):
    def start(job, rnas=RNAS, problems=(), **options):
        inputs = Inputs(["x.fa"], list(rnas), list(problems))
        return run_job(lambda: job, inputs, tmp_path / "out", RunOptions(**options))

    return start


def statuses(folder):
    lines = [line.split("\t") for line in (folder / "summary.tsv").read_text().splitlines()]
    return {line[0]: line[3] for line in lines[1:]}


def told(folder):
    return json.loads((folder / "run.json").read_text())["exit_status"]


def test_every_record_is_written_and_told_of(run, tmp_path):
    assert run(Copy()) is ExitStatus.OK
    out = tmp_path / "out"
    assert statuses(out) == dict.fromkeys("abcd", "ok")
    assert (out / "all.txt").read_text() == "a\nb\nc\nd\n"
    about = json.loads((out / "run.json").read_text())
    assert (about["kind"], about["inputs"], about["records"]) == ("copy", ["x.fa"], 4)


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (RnassError("b: no"), 1, "b: no"),
        (MemoryError(), 1, "b: memory ran out; expected a shorter RNA, fewer --threads or more memory"),
        (ZeroDivisionError("odd"), 70, "b: unexpected ZeroDivisionError: odd; please report it"),
    ],
)
def test_an_error_of_one_record_is_its_own(run, tmp_path, caplog, error, status, message):
    """Nothing of it stays, and a fault of rnass has another exit status."""
    assert run(Copy(at_writing={"b": error})) == status
    out = tmp_path / "out"
    assert statuses(out) == {"a": "ok", "b": "failed", "c": "ok", "d": "ok"}
    assert (out / "all.txt").read_text() == "a\nc\nd\n"
    assert not list(out.glob("b.*"))
    assert any(text.startswith(message) for text in caplog.messages)
    assert told(out) == status
    assert run(Copy(), resume=True) == 0
    assert (out / "all.txt").read_text() == "a\nb\nc\nd\n"


def test_a_record_that_the_work_gives_up_or_refuses(run, tmp_path):
    job = Copy(at_work={"b": InputError("b: no")}, refused={"c": SequenceError("c: two strands")})
    assert run(job) == 1
    assert statuses(tmp_path / "out") == {"a": "ok", "b": "failed", "c": "failed", "d": "ok"}


def test_strict_does_nothing_if_one_is_refused(run, tmp_path, caplog):
    assert run(Copy(refused={"c": SequenceError("c: two strands")}), strict=True) == 2
    assert "c: two strands" in caplog.text
    assert "1 bad record; nothing is done (--strict)" in caplog.text
    assert not (tmp_path / "out").exists()


def test_what_is_missing_of_a_record_makes_the_status_1(run, tmp_path, caplog):
    assert run(Copy(missing="other: no prediction"), RNAS[:1]) == 1
    assert "other: no prediction" in caplog.text
    assert statuses(tmp_path / "out") == {"a": "ok"}


@pytest.mark.parametrize(
    ("error", "status"),
    [(OutputError("c.txt: no space left on device"), 2), (OSError("odd"), 70)],
    ids=["a full disk", "a fault"],
)
def test_an_error_that_ends_the_run_comes_after_what_is_finished_is_written(
    run, tmp_path, error, status
):
    places = {"at_writing": {"c": error}} if status == 2 else {"at_work": {"c": error}}
    with pytest.raises(type(error), match=str(error)):
        run(Copy(**places))
    out = tmp_path / "out"
    assert statuses(out) == {"a": "ok", "b": "ok"}
    assert (out / "all.txt").read_text() == "a\nb\n"
    assert told(out) == status
    assert run(Copy(), resume=True) == 0
    assert statuses(out) == dict.fromkeys("abcd", "ok")


def test_a_killed_worker_is_nobodys_fault(run, tmp_path, caplog):
    assert run(Copy(at_work={"c": WorkerError("ViennaRNA: a worker process was killed")})) == 2
    assert "was killed; finished records are kept, --resume does the rest" in caplog.text
    assert statuses(tmp_path / "out") == {"a": "ok", "b": "ok"}


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_a_run_in_good_order(run, tmp_path, caplog, number, status):
    before = signal.getsignal(number)
    assert run(Copy(at_work={"c": int(number)})) == status
    assert signal.getsignal(number) is before
    assert "interrupted; finished records are kept, --resume does the rest" in caplog.text
    assert statuses(tmp_path / "out") == {"a": "ok", "b": "ok"}
    assert told(tmp_path / "out") == status


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_that_becomes_another_exception_ends_the_run_all_the_same(
    run, tmp_path, number, status
):
    assert run(Copy(at_writing={"c": number})) == status
    assert (tmp_path / "out/all.txt").read_text() == "a\nb\n"
    assert run(Copy(), resume=True) == 0
    assert (tmp_path / "out/all.txt").read_text() == "a\nb\nc\nd\n"


def test_divided_work_finds_the_record_at_fault():
    """Of seven, the third and the last fail whatever they are worked on with."""
    tried = []

    def work(rnas):
        tried.append(len(rnas))
        for number, rna in enumerate(rnas):
            if rna.id in "cg":
                raise MemoryError
            yield number, rna.id

    found = dict(divided(work, [Rna(name, "G") for name in "abcdefg"]))
    assert [found[k] for k in (0, 1, 3, 4, 5)] == ["a", "b", "d", "e", "f"]
    assert [str(found[k]).split(";")[0] for k in (2, 6)] == ["c: memory ran out", "g: memory ran out"]
    assert len(tried) < 14
    with pytest.raises(WorkerError):
        list(divided(lambda _: (_ for _ in ()).throw(WorkerError("killed")), RNAS))


@pytest.mark.parametrize(
    "text",
    [
        "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes",
        "CUDA out of memory. Tried to allocate 9 GiB",
        "DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes.",
    ],
)
def test_torch_tells_of_memory_in_its_words(text):
    error = record_error(RuntimeError(text), "x")
    assert str(error).startswith("x: memory ran out")
    assert not isinstance(error, UnexpectedError)
    assert isinstance(record_error(RuntimeError("shapes differ"), "x"), UnexpectedError)


@pytest.fixture
def two(tmp_path, weights):
    """Predicts the two RNAs of a file with small weights; gives the exit status."""
    (tmp_path / "x.fa").write_text(">one\nGGGGAAAACCCC\n>two\nGGGCAAAAGCCC\n")

    def start(**options):
        chosen = PredictOptions(weights=weights, device="cpu", threads=1, **options)
        return predict_files([str(tmp_path / "x.fa")], tmp_path / "out", chosen)

    return start


def test_a_figure_that_cannot_be_drawn_is_its_records_failure(two, tmp_path, monkeypatch):
    draw = predict_module._plot

    def fail(path, prediction, **options):
        if prediction.rna.id == "one":
            raise ValueError("Image size is too large")
        draw(path, prediction, **options)

    monkeypatch.setattr(predict_module, "_plot", fail)
    assert two(plot="svg") == 70
    assert not list((tmp_path / "out").glob("one.*"))
    assert (tmp_path / "out" / "two.svg").exists()


@pytest.mark.parametrize(
    ("formats", "status"), [(("npy", "dbn"), "failed"), (("npy", "ct", "parquet"), "ok")]
)
def test_more_levels_than_brackets_cost_the_record_no_other_format(
    two, tmp_path, monkeypatch, formats, status
):
    """Thirty-one crossing pairs, each with the next: no dot-bracket has letters for them."""
    if "parquet" in formats:
        pytest.importorskip("pyarrow")
    knots = Structure(62, [(k, k + 31) for k in range(31)])
    real = predictor.decode

    def decode(probabilities, bases, *rest, **more):
        return knots if len(bases) == 62 else real(probabilities, bases, *rest, **more)

    monkeypatch.setattr(predictor, "decode", decode)
    (tmp_path / "x.fa").write_text(f">one\n{'GC' * 31}\n>two\nGGGCAAAAGCCC\n")
    assert two(formats=formats) == 1
    lines = (tmp_path / "out" / "summary.tsv").read_text().splitlines()
    assert status in lines[1].split("\t")
    assert "at most 29" in lines[1]
    assert np.load(tmp_path / "out" / "two.npy").shape == (12, 12)
    assert (tmp_path / "out" / "one.npy").exists() == (status == "ok")
    if status == "ok":
        assert read_structures(tmp_path / "out" / "results.parquet")[0][1] == knots
        assert read_ct(tmp_path / "out" / "one.ct")[0][1] == knots
    assert (tmp_path / "out" / "predictions.dbn").read_text().startswith(">two\n")
