"""FASTA: `>` and a header, then bases on any number of lines."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rnass.errors import InputError, SequenceError
from rnass.files import iter_lines, name_of
from rnass.io.constraints import is_constraint_line
from rnass.rna import Rna, is_clean, mostly_ambiguous

__all__ = ["iter_fasta", "read_fasta"]

log = logging.getLogger("rnass")


@dataclass
class _Draft:
    """A record as it stands in the file: its header, and its letters line by line (1-based)."""

    header: str
    line: int
    parts: list[tuple[int, str]] = field(default_factory=list)
    bases: int = 0  # letters so far, without the sign between two strands

    def add(self, number: int, text: str) -> None:
        self.parts.append((number, text))
        self.bases += len(text.replace("&", ""))


def read_fasta(
    path: str | Path, lines: Iterable[str] | None = None, *, constraint_lines: bool = False
) -> tuple[list[Rna], list[InputError]]:
    """Read every record of a FASTA file, see `iter_fasta`; a bad one does not hide the others.

    Returns:
        The good records in file order, and the problems in file order; of a file that cannot be read to
        its end no record, and that problem alone. Nothing is raised.
    """
    good: list[Rna] = []
    problems: list[InputError] = []
    for record in iter_fasta(path, lines, constraint_lines=constraint_lines):
        if isinstance(record, Rna):
            good.append(record)
        elif isinstance(record, SequenceError):
            problems.append(record)
        else:
            return [], [record]
    return good, problems


def iter_fasta(
    path: str | Path, lines: Iterable[str] | None = None, *, constraint_lines: bool = False
) -> Iterator[Rna | InputError]:
    """Read a FASTA file record by record; only one is in memory at a time.

    Tolerated: gzip, `-` for standard input, lower case, T for U, IUPAC codes (read as N), LF, CRLF
    and CR, blank lines, `;` comment lines, a byte-order mark, white space between letters, one `*`
    at the end of a record, one `&` between two strands. Refused: gaps, digits and every other letter,
    a record or strand without bases, letters before the first header, a file that is empty, binary,
    damaged or missing.

    Args:
        path: file, or `-`.
        lines: those of the file, where they were read already.
        constraint_lines: pass over a line of `. x | < > ( )` that ends a record; `read_constraints`
            reads them.

    Yields:
        The good records and the problems in file order: one per bad record, each naming file, line,
        record and 1-based base; one for a file that cannot be read, or not to its end. Nothing is
        raised.
    """
    where = name_of(path)
    empty = True
    try:
        lines = iter_lines(path, escape=True) if lines is None else lines
        for draft in _drafts(lines, constraint_lines=constraint_lines):
            empty = False
            yield _record(draft, where)
    except InputError as error:
        yield error
        return
    if empty:
        yield InputError(f"{where}: no records; expected FASTA, a line '>name' and then bases")


def _drafts(lines: Iterable[str], *, constraint_lines: bool) -> Iterator[_Draft]:
    """Split lines into records; letters before the first header make one whose line is 0."""
    draft: _Draft | None = None
    for number, line in enumerate(lines, start=1):
        text = "".join(line.split())
        if constraint_lines and draft and is_constraint_line(text, draft.bases):
            continue
        if text.startswith(">"):
            if draft:
                yield draft
            draft = _Draft(line.strip()[1:].strip(), number)
        elif text and not text.startswith(";"):
            draft = draft or _Draft("", 0)
            draft.add(number, text)
    if draft:
        yield draft


def _refuse_bytes(text: str, where: str) -> None:
    """Raise SequenceError for a byte that is not UTF-8."""
    if byte := next((ord(letter) - 0xDC00 for letter in text if "\udc80" <= letter <= "\udcff"), 0):
        raise SequenceError(f"{where}: byte 0x{byte:02x} is not UTF-8; expected UTF-8 text")


def _record(draft: _Draft, where: str) -> Rna | SequenceError:
    """The sequence of a record, or what is wrong with it."""
    if not draft.line:
        number, letters = draft.parts[0]
        return SequenceError(
            f"{where}:{number}: {letters[:20]!r} before any header; expected a line that begins with "
            "'>', such as '>my_rna'"
        )
    if draft.parts:
        number, last = draft.parts[-1]
        draft.parts[-1] = (number, last.removesuffix("*"))
    text = "".join(part for _, part in draft.parts)
    name = (draft.header.split() or ["no name"])[0]
    # of a bad record, the first line that is bad by itself; of an empty one, the header's
    bad = (number for number, part in draft.parts if not is_clean(part.replace("&", "")))
    line = next(bad, draft.line)
    try:
        _refuse_bytes(draft.header, f"{where}:{draft.line} ({name})")
        _refuse_bytes(text, f"{where}:{line} ({name})")
        rna = Rna.from_text(text, draft.header, f"{where}:{line} ({name})")
        if warning := mostly_ambiguous(text):
            log.warning("%s:%d (%s): %s", where, draft.line, name, warning)
        return rna
    except SequenceError as error:
        problem = error
        if is_constraint_line(next((part for number, part in draft.parts if number == line), ""), 0):
            problem = SequenceError(
                f"{where}:{line} ({name}): a line of constraints or of a structure; expected bases, or "
                "--constraints with this file"
            )
        problem.record = name if draft.header else ""
        return problem
