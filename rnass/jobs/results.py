"""The results folder: whole files, and a journal that survives a kill.

    NAME.ct, NAME.npy, ...                 per record, as the command writes them
    summary.tsv                            a line for each record in input order, when the run ends
    run.json                               how it was made
    .rnass-journal.jsonl                   see `rnass.jobs.journal`
    .rnass-lock                            there while a run is, which holds a lock of the system on it

rnass replaces and removes files that its journal names, and no others. A record is finished when its
line in the journal is whole, was made from the same header, bases, restraints and options, and its files
are as they were written. Resuming goes by that, so a killed run repeats at most the record it was killed
in.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from rnass.errors import InputError, OutputError, RnassError
from rnass.files import TEMPORARY_PREFIX, read_json, reason, write_json
from rnass.io.results_folder import RUN, SUMMARY
from rnass.jobs.journal import Entry, Journal, Plan, read_journal, record_key, sealed
from rnass.jobs.summary import write_summary
from rnass.locks import locked
from rnass.rna import Rna

__all__ = [
    "RUN",
    "SUMMARY",
    "Record",
    "Results",
    "Written",
    "expect_one",
    "expect_same",
    "no_obstacle",
    "open_results",
]

log = logging.getLogger("rnass")

_LOGS = (".log", ".out", ".err")
_TYPED = {  # options that are called otherwise in run.json
    "formats": "--format",
    "canonical": "--noncanonical",
    "max_order": "--max-order or --no-pseudoknots",
}


class Record(NamedTuple):
    """The name of its files, the RNA, and what else decides them, as JSON."""

    name: str
    rna: Rna
    more: Any = None

    @property
    def key(self) -> str:
        """A checksum of what its files are made from."""
        return record_key(self.rna, self.more)


class Written(NamedTuple):
    """The output of one record.

    Attributes:
        files: names of its own files.
        cells: of its line of the summary, beside id, file, length and status.
        shared: its part of each file of all records.
        missing: what could not be made of it, if the record is not whole though it came out.
    """

    files: Sequence[str] = ()
    cells: Mapping[str, Any] = {}
    shared: Mapping[str, str] = {}
    missing: str = ""


class Results:
    """A folder that results are written to; made by `open_results`."""

    def __init__(self, folder: Path, plan: Plan, kept: Iterable[Entry]) -> None:
        self.folder = folder
        self._plan = plan
        self._journal = Journal(folder, plan, kept)

    @property
    def runs(self) -> tuple[Mapping[str, Any], ...]:
        """The runs that this one resumes, as they stand in run.json, and this one's start."""
        return self._plan.runs

    def __str__(self) -> str:
        return str(self.folder)

    def is_finished(self, name: str) -> bool:
        """Whether the record of that name is done."""
        entry = self._journal.entries.get(name)
        return entry is not None and entry.cells["status"] == "ok"

    def finish(self, record: Record, written: Written) -> None:
        """Enter a record in the journal, once all its files are written; raises OutputError."""
        cells = {**_cells(record), **written.cells, "status": "ok"}
        if written.missing:
            cells["message"] = written.missing
        files = sealed(self.folder, written.files)
        self._journal.add(Entry(record.name, record.key, files, cells, dict(written.shared)))

    def fail(self, record: Record, error: RnassError) -> None:
        """Enter a record that failed, and remove what was written of it; resuming tries it again."""
        for suffix in self._plan.suffixes:
            (self.folder / f"{record.name}{suffix}").unlink(missing_ok=True)
        cells = {**_cells(record), "status": "failed", "message": str(error)}
        self._journal.add(Entry(record.name, record.key, {}, cells, {}))

    def parts(self, records: Iterable[Record], name: str) -> list[str]:
        """The part of each finished record in the file of all records with that name, in order."""
        return [entry.shared[name] for entry in self._reached(records) if name in entry.shared]

    def close(
        self,
        records: Iterable[Record],
        bad: Iterable[Mapping[str, Any]],
        columns: Sequence[str],
        run: Mapping[str, Any],
    ) -> None:
        """Write summary.tsv and run.json; may be called after an interruption.

        Args:
            records: all of the run; those that were not reached are left out of the summary.
            bad: lines of the summary for records that could not be read; they come last.
            columns: of the summary.
            run: what stands in run.json.
        """
        rows = [*(entry.cells for entry in self._reached(records)), *bad]
        write_summary(self.folder / SUMMARY, columns, rows)
        write_json(self.folder / RUN, run)

    def _reached(self, records: Iterable[Record]) -> list[Entry]:
        entries = self._journal.entries
        return [entries[record.name] for record in records if record.name in entries]


def _cells(record: Record) -> dict[str, Any]:
    return {"id": record.rna.id, "file": record.name, "length": len(record.rna)}


def no_obstacle(name: str) -> bool:
    """Whether a file may lie in a folder of a new run: hidden ones and logs, in which jobs are begun."""
    return name.startswith(".") or name.endswith(_LOGS)


@contextmanager
def open_results(
    folder: str | Path,
    plan: Plan,
    records: Sequence[Record],
    *,
    inputs: Iterable[str] = (),
    overwrite: bool = False,
    resume: bool = False,
    partial: bool = False,
) -> Iterator[Results]:
    """Make or reopen a results folder for one run.

    A folder that holds anything but logs (see `no_obstacle`) needs *overwrite*, which removes what rnass
    wrote there before and nothing else, or *resume*, which keeps what is finished of the records; of a
    *partial* input, a file of which could not be read, also what is finished of others. No other run can
    open it until the block ends, or the process, however that comes about.

    Raises:
        OutputError: the folder is not empty and neither is given, or both are; there is no such run to
            resume, or it was made with other options; a file that the run would write is there and
            not rnass's, or is one of the *inputs*; another run is writing; the folder cannot be made
            or written.
    """
    folder = Path(folder)
    expect_one(folder, overwrite=overwrite, resume=resume)
    with locked(folder):
        try:
            there = {path.name for path in folder.iterdir()}
            earlier, entries = read_journal(folder)
            visible = not all(map(no_obstacle, there))
            if visible or entries:
                _check_use(folder, plan, earlier, overwrite=overwrite, resume=resume)
            own = earlier.writes(there) if earlier else set()
            own |= {file for one in entries.values() for file in one.files}
            _check_files(folder, plan.writes(there) - own, own & there, inputs)
            kept = _kept(folder, records, entries, others=partial) if resume else []
            if resume and earlier:
                plan = replace(plan, runs=(*_runs(folder, earlier), *plan.runs))
            _sweep(folder, there, own - {file for entry in kept for file in entry.files})
        except OSError as error:
            raise _unwritable(folder, error) from error
        yield Results(folder, plan, kept)


def _unwritable(folder: Path, error: OSError) -> OutputError:
    return OutputError(f"{folder}: {reason(error)}; expected a folder that can be written")


def _check_use(folder: Path, plan: Plan, earlier: Plan | None, *, overwrite: bool, resume: bool) -> None:
    """Refuse a folder that is in use, unless it is to be overwritten, or resumed by the same command."""
    if overwrite:
        return
    if not resume:
        raise OutputError(
            f"{folder}: holds {'earlier results' if earlier else 'other files'}; expected an empty "
            "folder, --overwrite to replace results or --resume to add what is missing"
        )
    if earlier is None:
        raise OutputError(f"{folder}: no run to resume; expected an empty folder or --overwrite")
    if earlier.kind != plan.kind:
        raise OutputError(
            f"{folder}: holds results of rnass {earlier.kind}; expected those of rnass {plan.kind}, or "
            "another folder"
        )
    expect_same(folder, earlier.identity, plan.identity)


def expect_one(folder: object, *, overwrite: bool, resume: bool) -> None:
    """Refuse to replace and to keep the results in a folder at once; raises OutputError."""
    if overwrite and resume:
        raise OutputError(f"{folder}: --overwrite and --resume; expected one of them")


def expect_same(folder: object, earlier: Mapping[str, Any], identity: Mapping[str, Any]) -> None:
    """Refuse to resume a run in a folder with other settings; raises OutputError."""
    if differing := _changed(earlier, identity):
        names = ", ".join(map(_typed, differing))
        raise OutputError(
            f"{folder}: made with another {names}; expected the same to --resume, or --overwrite, or "
            "another folder"
        )


def _typed(name: str) -> str:
    """The name of a setting: an option as people type it, another one as it stands in run.json."""
    if not name.startswith("options."):
        return name
    key = name.rpartition(".")[2]
    return _TYPED.get(key, f"--{key.replace('_', '-')}")


def _changed(one: Any, other: Any, name: str = "") -> list[str]:
    """The names of the values in which two trees of JSON differ."""
    if not (isinstance(one, Mapping) and isinstance(other, Mapping)):
        return [] if one == other else [name]
    return [
        found
        for key in sorted({*one, *other})
        for found in _changed(one.get(key), other.get(key), f"{name}.{key}" if name else key)
    ]


def _check_files(folder: Path, foreign: set[str], own: set[str], inputs: Iterable[str]) -> None:
    """Refuse to replace a file that rnass did not write, or that the run reads."""
    if foreign:
        raise OutputError(
            f"{folder / min(foreign)}: not written by rnass, and in the way of its results; expected "
            "another folder"
        )
    here = folder.resolve()
    for name in inputs:
        path = Path(name).resolve()
        if path.parent == here and path.name in own:
            raise OutputError(f"{path}: input of this run; expected another folder for its results")


def _runs(folder: Path, earlier: Plan) -> Sequence[Mapping[str, Any]]:
    """The runs in a folder: as run.json has them, unless the last one was killed before that."""
    try:
        kept = read_json(folder / RUN).get("runs")
    except InputError:
        return earlier.runs
    if not isinstance(kept, list) or len(kept) != len(earlier.runs):
        return earlier.runs
    return kept if all(isinstance(one, Mapping) for one in kept) else earlier.runs


def _kept(
    folder: Path, records: Sequence[Record], entries: Mapping[str, Entry], *, others: bool
) -> list[Entry]:
    """The finished ones of these records, and of *others* if they are to be kept."""
    keys = {record.name: record.key for record in records}
    wanted = [
        one for one in entries.values() if (keys[one.name] == one.key if one.name in keys else others)
    ]
    return [entry for entry in wanted if entry.is_whole(folder)]


def _sweep(folder: Path, there: set[str], stale: set[str]) -> None:
    """Remove what is not to be kept, and what a kill left half written."""
    half = {name for name in there if name.startswith(TEMPORARY_PREFIX) and name.endswith(".tmp")}
    for name in (stale & there) | half:
        (folder / name).unlink(missing_ok=True)
