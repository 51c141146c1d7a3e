"""The runner: records in, work, results folder out; for every command that works through records.

It reports what is wrong with the input, opens the folder, resumes, shows the progress, and ends in good
order whatever happens: Ctrl-C, SIGTERM, an error of one record, of the disk, of rnass itself.
"""

import json
import logging
import signal
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from rnass.errors import (
    SIGNALS,
    ExitStatus,
    InputError,
    OutputError,
    RnassError,
    UnexpectedError,
    WorkerError,
    counted,
    record_error,
)
from rnass.files import write_text
from rnass.io import file_names
from rnass.io.results_folder import REPORT
from rnass.jobs.inputs import Inputs, checksums_of, is_of_a_file
from rnass.jobs.journal import Plan
from rnass.jobs.results import RUN, SUMMARY, Record, Results, Written, open_results
from rnass.prediction.origin import versions
from rnass.progress import record_bar
from rnass.rna import Rna

__all__ = [
    "Job",
    "RunOptions",
    "Sink",
    "divided",
    "ended",
    "run_job",
    "run_stream",
]

log = logging.getLogger("rnass")

F = TypeVar("F")


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How a run goes on.

    Attributes:
        strict: do nothing if any record is bad.
        overwrite: replace the results of an earlier run.
        resume: do what an earlier run left undone.
    """

    strict: bool = False
    overwrite: bool = False
    resume: bool = False


class Job(ABC, Generic[F]):
    """The work of one command.

    Attributes:
        kind: the command.
        columns: of the summary.
        suffixes: of the files of a record.
        shared: names of the files of all records together.
        problems: found while loading, beside those of the input.
    """

    kind: ClassVar[str]
    columns: Sequence[str] = ("id", "file", "length", "status", "message")
    suffixes: Sequence[str] = ()
    shared: Sequence[str] = ()
    problems: Sequence[str] = ()

    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """The settings that decide the files, as JSON; a resumed run must agree in them."""

    def about(self) -> dict[str, Any]:
        """Further entries of run.json, as JSON."""
        return {}

    def more(self, rna: Rna) -> Any:
        """Further settings that decide the files of one record, as JSON."""
        return None

    def refusal(self, rna: Rna) -> RnassError | None:
        """Why a record cannot be worked on, if that is plain at once."""
        return None

    @abstractmethod
    def work(self, rnas: list[Rna]) -> Generator[tuple[int, F | RnassError], None, None]:
        """The number and the result of each RNA, or its error, in any order."""

    @abstractmethod
    def write(self, folder: Path, name: str, rna: Rna, found: F) -> Written:
        """Write the files of one record."""

    def join(self, name: str, parts: Sequence[str]) -> str:
        """The file of all records with that name, from the parts of those that are finished."""
        return "".join(parts)

    def write_shared(self, path: Path, parts: Sequence[str]) -> None:
        """Write that file."""
        write_text(path, self.join(path.name, parts))


def run_job(load: Callable[[], Job[Any]], inputs: Inputs, out: Path, options: RunOptions) -> ExitStatus:
    """Work through records into a results folder; gives the exit status.

    Every problem of the input is reported before *load* is called, and the folder is opened after it:
    it stays as it is if no record could be read, under `strict` if one is bad, or if loading fails.
    After that summary.tsv, run.json and the files of all records are written however the work ends.

    Raises:
        RnassError: the folder holds other results, another run writes into it, weights that are not
            there, a full disk, ...
    """
    began = time.time()
    loaded = _loaded(load, inputs, options)
    if isinstance(loaded, ExitStatus):
        return loaded
    job, records, refused = loaded
    problems = inputs.problems
    identity = json.loads(json.dumps(job.identity()))
    names = tuple(record.name for record in records)
    start = {"started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began))}
    shared = (*job.shared, SUMMARY, RUN, REPORT)
    plan = Plan(job.kind, identity, names, tuple(job.suffixes), shared, (start,))
    checksums = checksums_of([*inputs.names, *inputs.further])
    with open_results(
        out,
        plan,
        records,
        inputs=inputs.names,
        overwrite=options.overwrite,
        resume=options.resume,
        partial=any(map(is_of_a_file, problems)),
    ) as results:
        status, error = _worked(job, records, refused, results, inputs)
        took = {"seconds": round(time.time() - began, 3), "exit_status": int(status)}
        runs = [*results.runs[:-1], {**start, **took}]
        run = {
            "kind": job.kind,
            "versions": versions(),
            "inputs": inputs.names,
            "checksums": checksums,
            **identity,
            **job.about(),
            "records": len(records),
            "bad_records": len(problems),
            "started": runs[0].get("started"),
            "seconds": round(sum(s for one in runs if isinstance(s := one.get("seconds"), float)), 3),
            "exit_status": int(status),
            "runs": runs,
        }
        with suppress(OutputError) if error else nullcontext():
            _close(job, records, problems, results, run)
        if error:
            raise error
    return status


def run_stream(
    load: Callable[[], Job[Any]],
    inputs: Inputs,
    opened: Callable[[Job[Any], list[Record]], "Sink"],
    options: RunOptions,
) -> ExitStatus:
    """Work through records into what *opened* gives in place of a folder; gives the exit status.

    Raises:
        RnassError: what the work ended with, if it is no record's.
    """
    loaded = _loaded(load, inputs, options)
    if isinstance(loaded, ExitStatus):
        return loaded
    job, records, refused = loaded
    status, error = _worked(job, records, refused, opened(job, records), inputs)
    if error:
        raise error
    return status


class Sink(Protocol):
    """Takes finished records: a results folder, or a stream."""

    folder: Path

    def is_finished(self, name: str) -> bool:
        """Whether the record of that name is done already."""

    def finish(self, record: Record, written: Written) -> None:
        """Take a record that is done."""

    def fail(self, record: Record, error: RnassError) -> None:
        """Take a record that failed."""


_Loaded = tuple[Job[Any], list[Record], dict[str, RnassError]]


def _loaded(load: Callable[[], Job[Any]], inputs: Inputs, options: RunOptions) -> _Loaded | ExitStatus:
    """The job, its records, and why it refuses some of them; the exit status where it does nothing."""
    problems = inputs.problems
    _report(problems)
    records_met = inputs.rnas or not all(map(is_of_a_file, problems))
    if not records_met or (options.strict and problems):
        return _nothing_done(problems, strict=bool(records_met))
    job = load()
    names = file_names(rna.id for rna in inputs.rnas)
    records = [Record(name, rna, job.more(rna)) for name, rna in zip(names, inputs.rnas, strict=True)]
    refused = {one.name: why for one in records if (why := job.refusal(one.rna))}
    _report([*job.problems, *refused.values()])
    if options.strict and refused:
        return _nothing_done(list(refused.values()), strict=True)
    return job, records, refused


def _close(
    job: Job[Any],
    records: list[Record],
    problems: Sequence[InputError],
    results: Results,
    run: Mapping[str, Any],
) -> None:
    """Write the files of all records."""
    for name in job.shared:
        job.write_shared(results.folder / name, results.parts(records, name))
    bad = [{"id": one.record, "status": "failed", "message": str(one)} for one in problems]
    results.close(records, bad, job.columns, run)


def _report(problems: Iterable[object]) -> None:
    for problem in problems:
        log.error("%s", problem)


def _nothing_done(problems: Sequence[Exception], *, strict: bool) -> ExitStatus:
    what = "bad record" if strict else "problem"
    log.error("%s; nothing is done%s", counted(len(problems), what), " (--strict)" if strict else "")
    return ExitStatus.STOPPED


def _worked(
    job: Job[F],
    records: list[Record],
    refused: Mapping[str, RnassError],
    results: Sink,
    inputs: Inputs,
) -> tuple[ExitStatus, Exception | None]:
    """Do what is left to do; gives the exit status, and the error that ended the work if any did."""
    undone = "finished records are kept"
    if isinstance(results, Results):
        undone += ", --resume does the rest"

    def work() -> ExitStatus:
        status = _work(job, records, refused, results, len(inputs.problems))
        bad = status == ExitStatus.OK and (inputs.problems or job.problems)
        return ExitStatus.FAILED if bad else status

    return ended(work, undone)


def ended(work: Callable[[], ExitStatus], undone: str) -> tuple[ExitStatus, Exception | None]:
    """Do some work; gives the exit status, and the error that ended it if any did.

    Args:
        work: that Ctrl-C and SIGTERM interrupt.
        undone: what becomes of what is not done, for the log.
    """
    try:
        with _interrupted_by_signals():
            return work(), None
    except KeyboardInterrupt as error:
        log.error("interrupted; %s", undone)
        return (ExitStatus.TERMINATED if signal.SIGTERM in error.args else ExitStatus.INTERRUPTED), None
    except WorkerError as error:
        log.error("%s; %s", error, undone)
        return ExitStatus.STOPPED, None
    except RnassError as error:
        return ExitStatus.STOPPED, error
    except Exception as error:
        return ExitStatus.FAULT, error


def _work(
    job: Job[F], records: list[Record], refused: Mapping[str, RnassError], results: Sink, bad: int
) -> ExitStatus:
    """Work through the records; *bad* are those that could not be read."""
    left = [record for record in records if not results.is_finished(record.name)]
    if len(left) < len(records):
        log.info("%d of %s finished already", len(records) - len(left), counted(len(records), "record"))
    failures: list[RnassError] = []
    missing = 0
    todo = []
    for record in left:
        if error := refused.get(record.name):
            failures.append(error)
            results.fail(record, error)
        else:
            todo.append(record)
    with record_bar(len(todo)) as advance, closing(job.work([r.rna for r in todo])) as work:
        for number, found in work:
            record = todo[number]
            written = _written(job, results.folder, record, found)
            if isinstance(written, RnassError):
                log.error("%s", written)
                failures.append(written)
                results.fail(record, written)
            else:
                if written.missing:
                    log.warning("%s", written.missing)
                missing += bool(written.missing)
                results.finish(record, written)
            advance(len(record.rna))
    done = counted(len(left) - len(failures), "record")
    log.info("%s: %s done, %d failed", results, done, len(failures) + bad)
    if any(isinstance(error, UnexpectedError) for error in failures):
        return ExitStatus.FAULT
    return ExitStatus.FAILED if failures or missing else ExitStatus.OK


def _written(job: Job[F], folder: Path, record: Record, found: F | RnassError) -> Written | RnassError:
    """The output of a record, or its error; a full disk is not a record's error."""
    if isinstance(found, RnassError):
        return found
    try:
        return job.write(folder, record.name, record.rna, found)
    except OutputError:
        raise
    except Exception as error:
        return record_error(error, record.rna.id)


@contextmanager
def _interrupted_by_signals() -> Iterator[None]:
    """Ctrl-C and SIGTERM raise KeyboardInterrupt and are noted in `SIGNALS`, unless they are ignored."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, _: FrameType | None) -> None:
        SIGNALS.append(number)
        raise KeyboardInterrupt(number)

    numbers = [one for one in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(one) != signal.SIG_IGN]
    before = [signal.signal(number, interrupt) for number in numbers]
    try:
        yield
    except Exception as error:
        if SIGNALS:
            raise KeyboardInterrupt(*SIGNALS) from error
        raise
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
        SIGNALS.clear()


def divided(
    work: Callable[[list[Rna]], Iterable[tuple[int, F]]], rnas: list[Rna]
) -> Generator[tuple[int, F | RnassError], None, None]:
    """*work* on many RNAs at once, such that its error is one RNA's.

    Where it fails, what it left undone is halved, again and again.
    """
    undone = dict.fromkeys(range(len(rnas)))
    try:
        for number, found in work(rnas):
            del undone[number]
            yield number, found
    except (WorkerError, OutputError):
        raise
    except Exception as error:
        left = list(undone)
        if len(left) == 1:
            yield left[0], record_error(error, rnas[left[0]].id)
            return
        for half in (left[: len(left) // 2], left[len(left) // 2 :]):
            for number, result in divided(work, [rnas[k] for k in half]):
                yield half[number], result
