"""A job of the web page, and what its folder holds of it: `job.json`, beside its input."""

import logging
import re
import shutil
from collections.abc import Iterator
from dataclasses import asdict, field, replace
from pathlib import Path
from typing import Literal

from pydantic.dataclasses import dataclass

from rnass.config import STRICT, from_mapping
from rnass.errors import ConfigError
from rnass.files import TEMPORARY_PREFIX, is_file, is_folder, read_json, write_json

__all__ = ["INPUT", "Job", "found_jobs", "write_job"]

INPUT = "input.fa"
"""Name of the RNAs in the folder of a job."""

State = Literal["queued", "running", "done", "failed"]

log = logging.getLogger("rnass")

_JOB = "job.json"
_ID = re.compile(r"[0-9a-f]{32}")
_DRAFT = re.compile(rf"{re.escape(TEMPORARY_PREFIX)}[0-9a-f]+\.tmp")  # of write_atomically


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Job:
    """One job, as job.json holds it.

    Attributes:
        id: its name, as of its folder.
        created: in seconds since 1970.
        records, bases: of the input, without bad records.
        first: id of the first record.
        arguments: options of `rnass predict`.
        state, message: how far it is, and why it failed.
        predicted, failed: records of a job that is done; *failed* counts the bad ones too.
    """

    id: str
    created: float
    records: int
    bases: int
    first: str = ""
    arguments: list[str] = field(default_factory=list)
    state: State = "queued"
    message: str = ""
    predicted: int | None = None
    failed: int = 0


def write_job(folder: Path, job: Job) -> None:
    """Write job.json to the folder of a job; raises OutputError."""
    write_json(folder / _JOB, asdict(job))


def found_jobs(folder: Path) -> list[Job]:
    """The jobs in a folder, oldest first; one that was interrupted waits again.

    A folder that holds nothing but an input is a job that a kill left half made, and is removed. Any
    other that is named like a job and is none stays as it is, with a warning.

    Raises:
        OSError: the folder cannot be read.
    """
    return sorted(_found(folder), key=lambda job: job.created)


def _found(folder: Path) -> Iterator[Job]:
    for path in folder.iterdir():
        if not _ID.fullmatch(path.name) or not is_folder(path):
            continue
        if _half_made(path):
            shutil.rmtree(path, ignore_errors=True)
            continue
        try:
            job = from_mapping(Job, read_json(path / _JOB, error=ConfigError), str(path / _JOB))
        except ConfigError as error:
            log.warning("%s; the folder is left as it is", error)
            continue
        if job.id != path.name:
            log.warning("%s: id %r; expected that of its folder, which is left as it is", path, job.id)
            continue
        yield replace(job, state="queued") if job.state == "running" else job


def _half_made(path: Path) -> bool:
    """Whether a folder holds an input, or what a kill left of one, and no more."""
    try:
        return not path.is_symlink() and all(
            is_file(one) and (one.name == INPUT or _DRAFT.fullmatch(one.name)) for one in path.iterdir()
        )
    except OSError:  # it may not be read
        return False
