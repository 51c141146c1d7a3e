"""The journal of a results folder: which run wrote there, and each record that it finished.

    {"run": {"kind": "predict", "identity": {...}, "names": [...], "suffixes": [...], "shared": [...]}}
    {"record": {"name": "x", "key": "...", "files": {"x.ct": [120, "..."]}, "cells": {...}, ...}}

The line of the run is written before any file, so that every file of rnass's is known as such however
the run ends: NAME + suffix of a record, or one of the shared ones. A record's line is appended once
its files lie on the disk, with their sizes and checksums.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from rnass.errors import OutputError
from rnass.files import TEMPORARY_PREFIX, is_file, reason, sha256, write_text
from rnass.rna import Rna

__all__ = ["JOURNAL", "Entry", "Journal", "Plan", "read_journal", "record_key", "sealed"]

JOURNAL = f"{TEMPORARY_PREFIX}journal.jsonl"


@dataclass(frozen=True)
class Plan:
    """The identity of a run, and the files that it may write.

    Attributes:
        kind: the command.
        identity: what decides the files of every record (weights, options, ...), as read from JSON.
        names: of its records.
        suffixes: of the files of each record.
        shared: names of the files of all records together.
        runs: the start of this run and, before it, of those that it resumes, as they stand in run.json.
    """

    kind: str
    identity: Mapping[str, Any]
    names: tuple[str, ...]
    suffixes: tuple[str, ...]
    shared: tuple[str, ...]
    runs: tuple[Mapping[str, Any], ...] = ()

    def writes(self, folder_names: Iterable[str]) -> set[str]:
        """Those of some file names that the run may write."""
        names, shared = set(self.names), set(self.shared)
        return {
            file
            for file in folder_names
            if file in shared
            or any(end and file.endswith(end) and file[: -len(end)] in names for end in self.suffixes)
        }


@dataclass(frozen=True)
class Entry:
    """A finished record.

    Attributes:
        name: of its files.
        key: of what it was made from, see `record_key`.
        files: size and sha256 of each.
        cells: its line of the summary.
        shared: its part of each shared file.
    """

    name: str
    key: str
    files: Mapping[str, tuple[int, str]]
    cells: Mapping[str, Any]
    shared: Mapping[str, str]

    def is_whole(self, folder: Path) -> bool:
        """Whether the record came out, and its files are there as they were written."""
        return self.cells.get("status") == "ok" and all(
            is_file(path := folder / file) and path.stat().st_size == size and sha256(path) == digest
            for file, (size, digest) in self.files.items()
        )


class Journal:
    """The journal of one run, which is written anew with the entries that are kept."""

    def __init__(self, folder: Path, plan: Plan, kept: Iterable[Entry]) -> None:
        self._path = folder / JOURNAL
        self.entries = {entry.name: entry for entry in kept}
        lines = [{"run": asdict(plan)}, *({"record": asdict(one)} for one in self.entries.values())]
        write_text(self._path, "".join(f"{json.dumps(line)}\n" for line in lines))

    def add(self, entry: Entry) -> None:
        """Append a record; raises OutputError."""
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(f"{json.dumps({'record': asdict(entry)})}\n")
        except OSError as error:
            raise OutputError(
                f"{self._path}: {reason(error)}; expected a file that can be written"
            ) from error
        self.entries[entry.name] = entry


def read_journal(folder: Path) -> tuple[Plan | None, dict[str, Entry]]:
    """The run and the last whole entry of each record; no run where there is no journal of this version.

    A line that a kill tore is passed over: its record is not finished.
    """
    journal = folder / JOURNAL
    text = journal.read_text(encoding="utf-8", errors="replace") if is_file(journal) else ""
    lines = [_read_line(line) for line in text.split("\n")]
    plans = [line for line in lines if isinstance(line, Plan)]
    entries = {line.name: line for line in lines if isinstance(line, Entry)}
    return (plans[-1], entries) if plans else (None, {})


_PLAN, _ENTRY = TypeAdapter(Plan), TypeAdapter(Entry)


def _read_line(line: str) -> Plan | Entry | None:
    """The run or the record of a line; None of one that is torn, or names files outside the folder."""
    try:
        values = json.loads(line)
        if "run" in values:
            return _PLAN.validate_python(values["run"])
        entry = _ENTRY.validate_python(values["record"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return entry if all(Path(file).name == file for file in entry.files) else None


def record_key(rna: Rna, more: Any = None) -> str:
    """A checksum of what a record is made from: header, bases, restraints, and *more* as JSON."""
    known = rna.constraints
    given = {one.name: getattr(known, one.name) for one in fields(known) if one.compare}
    apart = [[sorted(one), sorted(other)] for one, other in given.pop("apart")]
    values = None if rna.reactivities is None else [repr(value) for value in rna.reactivities]
    constraints = {name: sorted(bases) for name, bases in given.items()}
    parts = [rna.id, rna.description, rna.text, constraints, apart, values, sorted(rna.supported), more]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def sealed(folder: Path, files: Iterable[str]) -> dict[str, tuple[int, str]]:
    """Size and sha256 of each file, once it lies on the disk; raises OutputError."""
    names = list(files)
    if not names:
        return {}
    with ThreadPoolExecutor(len(names)) as pool:  # the disk takes several at once
        found = pool.map(_on_disk, (folder / name for name in names))
        return dict(zip(names, found, strict=True))


def _on_disk(path: Path) -> tuple[int, str]:
    try:
        with path.open("rb") as file:
            os.fsync(file.fileno())
        return path.stat().st_size, sha256(path)
    except OSError as error:
        raise OutputError(f"{path}: {reason(error)}; expected a file that can be read") from error
