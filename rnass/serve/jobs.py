"""Jobs of the web page: a folder for each, one at a time from a queue, resumed after a restart.

    FOLDER/ID/job.json       options and state
    FOLDER/ID/input.fa       the RNAs
    FOLDER/ID/results/       as rnass predict writes them, with report.html
    FOLDER/ID/results.zip    the same, when the job is done
    FOLDER/ID/log.txt        messages of the run

An ID is drawn at random and cannot be guessed: who knows it sees the job. No name that a user gives
becomes part of a path of the server.
"""

import contextlib
import re
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, Field

from rnass.errors import ExitStatus, OutputError, RnassError, counted
from rnass.files import is_file, is_folder, reason, write_text
from rnass.io.results_folder import REPORT, SUMMARY, read_summary
from rnass.jobs.inputs import read_inputs
from rnass.jobs.journal import JOURNAL
from rnass.locks import LOCK as RUN_LOCK
from rnass.report import write_report
from rnass.rna import Rna
from rnass.serve.job_files import INPUT, Job, found_jobs, write_job

__all__ = ["COMMAND", "JobQueue", "JobRequest", "Limits", "RefusedError"]

COMMAND = [sys.executable, "-m", "rnass.cli"]
"""How rnass is run as a process of its own."""

_RESULTS, _ZIP, _LOG = "results", "results.zip", "log.txt"
_FOLDER_ID = ".rnass-serve.id"
_PLACE = re.compile(rf"{re.escape(INPUT)}:(\d+)")
_OURS = "rnass: "  # begins each message in the log
_INTERRUPTED = (ExitStatus.INTERRUPTED, ExitStatus.TERMINATED)
_FINISHED = (0, 1)  # exit statuses with which the results are whole; 1: some records are bad or failed


class JobRequest(BaseModel):
    """A request of the page; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)

    fasta: str
    baseline: bool = True
    elements: bool = False
    pseudoknots: bool = True
    noncanonical: bool = False
    alternatives: int = Field(0, ge=0, le=100)
    skip_bad: bool = False

    def arguments(self) -> list[str]:
        """The options of `rnass predict`."""
        given = {
            "--baseline": self.baseline,
            "--elements": self.elements,
            "--no-pseudoknots": not self.pseudoknots,
            "--noncanonical": self.noncanonical,
        }
        options = [name for name, chosen in given.items() if chosen]
        return [*options, *(["--alternatives", str(self.alternatives)] if self.alternatives else [])]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds of what the page accepts.

    Attributes:
        records, bases: of one job.
        upload: bytes of a request.
        queued: jobs that wait or run.
    """

    records: int = 1000
    bases: int = 200_000
    upload: int = 5_000_000
    queued: int = 20


class RefusedError(Exception):
    """A request that becomes no job.

    Attributes:
        problems: a message each, as `rnass predict` words it, with the line of the input, or None.
        others: records without a problem, which can be predicted.
    """

    def __init__(self, problems: Sequence[tuple[str, int | None]], others: int = 0) -> None:
        super().__init__("; ".join(message for message, _ in problems))
        self.problems, self.others = list(problems), others


class JobQueue:
    """The jobs of a folder; `start` works through them in a thread of its own, one at a time.

    Args:
        folder: of all jobs; made if it is not there.
        limits: what is accepted.
        arguments: options of `rnass predict` that every run has: device, threads.
        weights: those of new jobs; a job that goes on after a restart keeps its own.

    Attributes:
        id: of the folder, drawn at random; it stays the same.

    Raises:
        OutputError: another server uses the folder, or it cannot be made.
    """

    def __init__(
        self,
        folder: Path,
        limits: Limits,
        arguments: Sequence[str] = (),
        weights: str | None = None,
    ) -> None:
        self.folder = folder.resolve()
        self.limits = limits
        self._arguments = list(arguments)
        self._weights = [] if weights is None else ["--weights", weights]
        self._lock = FileLock(self.folder / ".rnass-serve.lock", timeout=0)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock.acquire()
            self.id = self._own_id()
        except Timeout:
            raise OutputError(
                f"{folder}: another rnass serve uses it; expected another folder"
            ) from None
        except OSError as error:
            raise OutputError(f"{folder}: {reason(error)}; expected a folder to write in") from error
        self._changed = threading.Condition()
        self._jobs = {job.id: job for job in found_jobs(self.folder)}
        self._process: subprocess.Popen[bytes] | None = None
        self._current: str | None = None
        self._arriving = 0  # jobs whose input is being read
        self._log_start = 0  # where the messages of the run begin in its log, in bytes
        self._ending = False
        self._thread = threading.Thread(target=self._work, name="jobs", daemon=True)

    def _own_id(self) -> str:
        path = self.folder / _FOLDER_ID
        if not is_file(path):
            write_text(path, secrets.token_hex(16))
        return path.read_text(encoding="utf-8", errors="replace").strip()

    def start(self) -> None:
        """Begin to work; jobs that were waiting or interrupted come first."""
        self._thread.start()

    def interrupt(self) -> None:
        """Begin no further job, and interrupt the one that runs, which the next start resumes."""
        with self._changed:
            self._ending = True
            self._interrupt()
            self._changed.notify_all()

    def stop(self) -> None:
        """Interrupt the job that runs, wait for its end, and leave the folder."""
        self.interrupt()
        if self._thread.ident is not None:
            self._thread.join()
        self._lock.release()

    def submit(self, request: JobRequest) -> str:
        """Check the RNAs and queue them; gives the id of the job.

        Raises:
            RefusedError: the queue is full, the input has problems or is larger than allowed.
        """
        with self._changed:
            waiting = sum(job.state in ("queued", "running") for job in self._jobs.values())
            if waiting + self._arriving >= self.limits.queued:
                found = counted(waiting + self._arriving, "job")
                raise RefusedError([(f"{found} in the queue; expected to wait for one", None)])
            self._arriving += 1
        job = None
        try:
            job = self._made(request)
        finally:
            with self._changed:
                self._arriving -= 1
                if job is not None:
                    self._jobs[job.id] = job
                    self._changed.notify()
        return job.id

    def _made(self, request: JobRequest) -> Job:
        """A new job, in a folder of its own; raises RefusedError and leaves no folder."""
        name = secrets.token_hex(16)
        place = self.folder / name
        place.mkdir()
        try:
            write_text(place / INPUT, request.fasta)
            rnas = self._checked(place / INPUT, request)
            job = Job(
                id=name,
                created=time.time(),
                records=len(rnas),
                bases=sum(map(len, rnas)),
                first=rnas[0].id if rnas else "",
                arguments=[*self._weights, *request.arguments()],
            )
            write_job(place, job)
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise
        return job

    def status(self, name: str) -> dict[str, Any] | None:
        """How far a job is; None if there is no such job."""
        with self._changed:
            job = self._jobs.get(name)
            if job is None:
                return None
            waiting = [one.id for one in self._jobs.values() if one.state == "queued"]
        ahead = waiting.index(name) + 1 if name in waiting else 0
        return {
            "id": name,
            "state": job.state,
            "message": job.message,
            "records": job.records,
            "predicted": job.predicted,
            "failed": job.failed,
            "bases": job.bases,
            "first": job.first,
            "created": job.created,
            "finished": self._finished(name),
            "place": ahead,
            "messages": self._messages(name),
            "report": job.state == "done" and is_file(self.folder / name / _RESULTS / REPORT),
        }

    def file(self, name: str, which: Literal["report", "zip"]) -> Path | None:
        """The page or the archive of a job that is done; None if there is none."""
        with self._changed:
            job = self._jobs.get(name)
        if job is None or job.state != "done":
            return None
        place = self.folder / job.id
        path = place / _RESULTS / REPORT if which == "report" else place / _ZIP
        return path if is_file(path) else None

    def remove(self, name: str) -> bool:
        """Interrupt a job if it runs, and delete its folder; gives whether there was one."""
        with self._changed:
            if self._jobs.pop(name, None) is None:
                return False
            if self._current == name:
                self._interrupt()
                self._changed.wait_for(lambda: self._current != name)
        shutil.rmtree(self.folder / name, ignore_errors=True)
        return True

    def _interrupt(self) -> None:
        if self._process is not None:
            self._process.terminate()

    def _checked(self, path: Path, request: JobRequest) -> list[Rna]:
        """The records of the input; raises RefusedError."""
        found = read_inputs([str(path)], any_length=True)  # longer ones go by windows
        messages = [str(problem).replace(str(path), INPUT) for problem in found.problems]
        problems = [(text, int(at[1]) if (at := _PLACE.match(text)) else None) for text in messages]
        if problems and not (request.skip_bad and found.rnas):
            raise RefusedError(problems, len(found.rnas))
        bases = sum(map(len, found.rnas))
        for number, most, noun in (
            (len(found.rnas), self.limits.records, "record"),
            (bases, self.limits.bases, "base"),
        ):
            if number > most:
                raise RefusedError(
                    [(f"{counted(number, noun)}; expected at most {most:,} in one job", None)]
                )
        return found.rnas

    def _work(self) -> None:
        while (job := self._taken()) is not None:
            try:
                status = self._run(job)
                ended = None if status is None else self._ended(job, status)
            except (OSError, RnassError) as error:  # a full disk, no process to be had
                ended = replace(job, state="failed", message=str(error))
            with self._changed:
                self._process = None
                if ended is not None and not self._ending and job.id in self._jobs:
                    self._enter(ended)
                self._current = None
                self._changed.notify_all()

    def _taken(self) -> Job | None:
        """The next job, when there is one; None if the queue is to stop."""
        with self._changed:
            self._changed.wait_for(lambda: self._ending or self._next() is not None)
            job = self._next()
            if self._ending or job is None:
                return None
            self._current = job.id
            self._enter(replace(job, state="running"))
            return job

    def _run(self, job: Job) -> int | None:
        """The exit status of the run; None if the job was removed, or the queue stops, before it began.

        A server that was killed may have left the run of a job behind, which is waited for.
        """
        held = FileLock(self.folder / job.id / _RESULTS / RUN_LOCK, timeout=0)
        with self._changed:
            while not self._ending and job.id in self._jobs:
                with contextlib.suppress(Timeout, FileNotFoundError):
                    held.acquire()
                    held.release()
                    break
                if not is_folder(self.folder / job.id / _RESULTS):
                    break
                self._changed.wait(0.5)
            if self._ending or job.id not in self._jobs:
                return None
            self._process = self._begun(job)
        return self._process.wait()

    def _next(self) -> Job | None:
        return next((job for job in self._jobs.values() if job.state == "queued"), None)

    def _enter(self, job: Job) -> None:
        self._jobs[job.id] = job
        with contextlib.suppress(OutputError):  # a full disk: the state is right until the next start
            write_job(self.folder / job.id, job)

    def _begun(self, job: Job) -> subprocess.Popen[bytes]:
        """`rnass predict` in a process of its own, in the folder of the job."""
        place = self.folder / job.id
        command = [*COMMAND, "predict", INPUT, "--out", _RESULTS]
        with (place / _LOG).open("ab") as log:
            self._log_start = log.tell()
            return subprocess.Popen(
                [*command, "--resume", *self._arguments, *job.arguments],
                cwd=place,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _ended(self, job: Job, status: int) -> Job:
        """The job after its process has ended with *status*."""
        if status not in _FINISHED:
            return replace(job, state="failed", message=self._cause(job, status))
        place = self.folder / job.id
        write_report(place / _RESULTS, job.first + (" and others" if job.records > 1 else ""))
        with zipfile.ZipFile(place / _ZIP, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted((place / _RESULTS).iterdir()):
                if not path.name.startswith("."):
                    archive.write(path, f"rnass-{job.id[:8]}/{path.name}")
        predicted, failed = job.records, 0
        if is_file(summary := place / _RESULTS / SUMMARY):
            rows = read_summary(summary)
            failed = sum(row["status"] != "ok" for row in rows)
            predicted = len(rows) - failed
        return replace(job, state="done", predicted=predicted, failed=failed)

    def _cause(self, job: Job, status: int) -> str:
        """Why a run has ended: its last line if that is its error, else the status or the signal."""
        if status < 0:
            hint = "; memory may have run out" if -status == signal.SIGKILL else ""
            return f"the run was killed by signal {-status}, {signal.strsignal(-status)}{hint}"
        log = self.folder / job.id / _LOG
        lines = log.read_bytes()[self._log_start :].decode(errors="replace").split("\n")
        last = next((line for line in reversed(lines) if line.strip()), "")
        if status in (ExitStatus.STOPPED, ExitStatus.FAULT) and last.startswith(_OURS):
            return last.removeprefix(_OURS).strip()
        ended = "was interrupted" if status in _INTERRUPTED else f"ended with status {status}"
        return f"the run {ended}; its messages are in {log}"

    def _finished(self, name: str) -> int:
        """Records that the journal of the run holds."""
        with contextlib.suppress(OSError):
            text = (self.folder / name / _RESULTS / JOURNAL).read_text(
                encoding="utf-8", errors="replace"
            )
            return sum(line.startswith('{"record"') for line in text.splitlines())
        return 0

    def _messages(self, name: str) -> list[str]:
        """The last 50 messages of the run."""
        with contextlib.suppress(OSError):
            text = (self.folder / name / _LOG).read_text(encoding="utf-8", errors="replace")
            lines = [line.removeprefix(_OURS) for line in text.splitlines() if line.startswith(_OURS)]
            return lines[-50:]
        return []
