"""The results folder: whole files, and a journal that survives a kill.

    NAME.ct NAME.dbn NAME.bpseq NAME.npy   per record, as the formats say
    predictions.dbn summary.tsv            all records in input order, when the run ends
    run.json                               how it was made
    .rnass-journal.jsonl                   one line per finished record, appended as it finishes
    .rnass-lock                            there while a run is, which holds a lock of the system on it

A record is finished when its line in the journal is whole, was made from the same header, bases and
options, says `ok`, and every file it names is there. Resuming goes by that, so a killed run
repeats at most the record it was killed in.
"""

import errno
import hashlib
import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Sequence as Items
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from numpy.typing import ArrayLike

from rnass.errors import OutputError
from rnass.files import TEMPORARY_PREFIX, reason, write_json, write_npy, write_text
from rnass.io.bpseq import write_bpseq
from rnass.io.ct import write_ct
from rnass.io.dot_bracket import format_dot_bracket, write_dot_bracket
from rnass.jobs.summary import SummaryRow, write_summary
from rnass.rna import Rna
from rnass.structure import Structure

__all__ = ["FORMATS", "Results", "open_results"]

FORMATS = ("ct", "dbn", "bpseq", "npy")
"""What can be written per record."""

log = logging.getLogger("rnass")

_JOURNAL, _LOCK = f"{TEMPORARY_PREFIX}journal.jsonl", f"{TEMPORARY_PREFIX}lock"
_SUMMARY, _PREDICTIONS, _RUN = "summary.tsv", "predictions.dbn", "run.json"
_NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP}


@dataclass(frozen=True)
class _Entry:
    """A line of the journal."""

    key: str
    files: tuple[str, ...]
    dot_bracket: str
    row: SummaryRow


class Results:
    """A folder that results are written to; made by `open_results`.

    Args:
        folder: an existing folder.
        options: whatever decides the answer beside the sequence (weights, decoding, formats); JSON.
        entries: the journal of an earlier run, by file name.
        known: what else decides the answer for the record of a name; JSON.
    """

    def __init__(
        self,
        folder: Path,
        options: Mapping[str, Any],
        entries: dict[str, _Entry],
        known: Mapping[str, Any] | None = None,
    ) -> None:
        self.folder = folder
        self._known = known or {}
        self._options = json.dumps(options, sort_keys=True)
        self._entries = entries

    def is_finished(self, name: str, sequence: Rna) -> bool:
        """Whether the record called *name* was predicted from this sequence, with these options."""
        entry = self._entries.get(name)
        return (
            entry is not None
            and entry.row.status == "ok"
            and entry.key == self._key(name, sequence)
            and all((self.folder / file).is_file() for file in entry.files)
        )

    def write_record(
        self,
        name: str,
        sequence: Rna,
        structure: Structure,
        probabilities: ArrayLike,
        formats: Iterable[str] = FORMATS,
    ) -> list[str]:
        """Write NAME.ct, NAME.dbn, ... and return their names; *probabilities* has shape (L, L).

        Raises:
            OutputError: an unknown format, or a file that cannot be written.
        """
        written = []
        for suffix in formats:
            path = self.folder / f"{name}.{suffix}"
            if suffix == "ct":
                write_ct(path, sequence, structure)
            elif suffix == "dbn":
                write_dot_bracket(path, [(sequence, structure)])
            elif suffix == "bpseq":
                write_bpseq(path, sequence, structure)
            elif suffix == "npy":
                write_npy(path, probabilities)
            else:
                raise OutputError(f"format {suffix!r} is unknown; expected {', '.join(FORMATS)}")
            written.append(path.name)
        return written

    def finish(
        self, row: SummaryRow, sequence: Rna, structure: Structure | None, files: Iterable[str] = ()
    ) -> None:
        """Enter a record in the journal, once all its *files* are written; `row.file` is its name.

        Files that an earlier run wrote under this name and this one did not are removed. A record
        that failed has no structure; it is tried again on resuming.

        Raises:
            OutputError: the journal cannot be written.
        """
        written = tuple(files)
        dot_bracket = "" if structure is None else structure.dot_bracket
        entry = _Entry(self._key(row.file, sequence), written, dot_bracket, row)
        before = self._entries.get(row.file)
        try:
            for stale in set(before.files if before else ()) - set(written):
                (self.folder / stale).unlink(missing_ok=True)
            with (self.folder / _JOURNAL).open("a", encoding="utf-8") as journal:
                journal.write(_to_line(entry))
        except OSError as error:
            raise OutputError(
                f"{self.folder / _JOURNAL}: {reason(error)}; expected a file that can be written"
            ) from error
        self._entries[row.file] = entry

    def close(self, records: Items[tuple[str, Rna]], failed: Iterable[SummaryRow] = ()) -> None:
        """Write predictions.dbn and summary.tsv from what the journal holds, in the order given.

        May be called after an interruption, and again after resuming.

        Args:
            records: names and sequences of all that was asked for; those not reached are left out,
                those that failed stand in the summary only.
            failed: rows of records that have no sequence; they come last.
        """
        entries = self._reached(records)
        blocks = [
            format_dot_bracket(sequence, Structure.from_dot_bracket(entry.dot_bracket))
            for sequence, entry in entries
            if entry.row.status == "ok"
        ]
        write_text(self.folder / _PREDICTIONS, "".join(blocks))
        write_summary(self.folder / _SUMMARY, [*(entry.row for _, entry in entries), *failed])

    def close_without_structures(
        self,
        records: Items[tuple[str, Rna]],
        failed: Iterable[SummaryRow] = (),
        columns: Items[str] | None = None,
    ) -> None:
        """Write summary.tsv alone, of a run that predicts no structures; see `close`."""
        rows = [*(entry.row for _, entry in self._reached(records)), *failed]
        write_summary(self.folder / _SUMMARY, rows, columns)

    def _reached(self, records: Items[tuple[str, Rna]]) -> list[tuple[Rna, _Entry]]:
        return [
            (sequence, entry)
            for name, sequence in records
            if (entry := self._entries.get(name)) and entry.key == self._key(name, sequence)
        ]

    def write_run(self, values: Mapping[str, Any]) -> None:
        """Write run.json: version, weights and their checksum, options, seed, device, times."""
        write_json(self.folder / _RUN, values)

    def _key(self, name: str, sequence: Rna) -> str:
        """What a finished record must have been made from."""
        made_from = [sequence.id, sequence.description, sequence.text, self._options]
        source = json.dumps([*made_from, *([self._known[name]] if name in self._known else [])])
        return hashlib.sha256(source.encode()).hexdigest()


@contextmanager
def open_results(
    folder: str | Path,
    options: Mapping[str, Any],
    *,
    known: Mapping[str, Any] | None = None,
    overwrite: bool = False,
    resume: bool = False,
) -> Iterator[Results]:
    """Make or reopen a results folder for one run; see `Results` for *options* and *known*.

    A folder that holds anything (names that begin with a dot apart) needs *overwrite*, which removes
    what rnass wrote there before and nothing else, or *resume*, which keeps it. No other run can open
    it until the block ends, or the process, however that comes about.

    Raises:
        OutputError: the folder is not empty and neither is asked for, or both are; there is no run to
            resume; another run is writing; the folder cannot be made or written.
    """
    folder = Path(folder)
    if overwrite and resume:
        raise OutputError(f"{folder}: --overwrite and --resume; expected one of them")
    with _alone(folder):
        entries = _kept_entries(folder, overwrite=overwrite, resume=resume)
        yield Results(folder, options, entries, known)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Have the folder, locked against other runs; the system lets go of a lock when its process ends."""
    lock = FileLock(folder / _LOCK, timeout=0, fallback_to_soft=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise OutputError(
            f"{folder}: another run is writing into it; expected another folder, or to wait until that "
            "run has ended"
        ) from None
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise _unwritable(folder, error) from error
        log.warning("%s: files cannot be locked here; see that no other run writes into it", folder)
    try:
        yield
    finally:
        with suppress(OSError):  # Windows removes no open file
            (folder / _LOCK).unlink(missing_ok=True)
        lock.release()


def _kept_entries(folder: Path, *, overwrite: bool, resume: bool) -> dict[str, _Entry]:
    """Clear what is not to be kept, and give what the journal holds from now on."""
    try:
        entries = _read_journal(folder)
        _check_use(folder, entries, overwrite=overwrite, resume=resume)
        if overwrite:
            _remove_results(folder, entries or {})
        for leftover in folder.glob(f"{TEMPORARY_PREFIX}*.tmp"):
            leftover.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error
    kept = entries if entries and resume else {}
    # rewritten whole, as a line torn by a kill must not be appended to
    write_text(folder / _JOURNAL, "".join(_to_line(entry) for entry in kept.values()))
    return kept


def _unwritable(folder: Path, error: OSError) -> OutputError:
    return OutputError(f"{folder}: {reason(error)}; expected a folder that can be written")


def _check_use(
    folder: Path, entries: dict[str, _Entry] | None, *, overwrite: bool, resume: bool
) -> None:
    """Refuse a folder that is in use, unless it was said what to do with what it holds."""
    others = any(not path.name.startswith(".") for path in folder.iterdir())
    if not (entries or others) or overwrite:
        return
    if resume and entries is None:
        raise OutputError(f"{folder}: no run to resume; expected an empty folder or --overwrite")
    if not resume:
        raise OutputError(
            f"{folder}: holds {'earlier results' if entries else 'other files'}; expected an empty "
            "folder, --overwrite to replace results or --resume to add what is missing"
        )


def _remove_results(folder: Path, entries: Mapping[str, _Entry]) -> None:
    """Remove what a run left in the folder."""
    files = [file for entry in entries.values() for file in entry.files]
    for file in (*files, _SUMMARY, _PREDICTIONS, _RUN, _JOURNAL):
        (folder / file).unlink(missing_ok=True)


def _read_journal(folder: Path) -> dict[str, _Entry] | None:
    """The last whole entry of each name; None if there is no journal."""
    journal = folder / _JOURNAL
    if not journal.exists():
        return None
    lines = journal.read_text(encoding="utf-8", errors="replace").split("\n")
    return {entry.row.file: entry for line in lines if (entry := _from_line(line))}


def _to_line(entry: _Entry) -> str:
    return json.dumps(asdict(entry)) + "\n"


def _from_line(line: str) -> _Entry | None:
    """Read a line; None if a kill tore it or another version wrote it: its record is not finished."""
    try:
        values = json.loads(line)
        row = SummaryRow(**values["row"])
        files = tuple(file for file in values["files"] if Path(file).name == file)
        return _Entry(values["key"], files, values["dot_bracket"], row)
    except (ValueError, KeyError, TypeError):
        return None
