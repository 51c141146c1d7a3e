"""FASTA: `>` and a header, then bases on any number of lines."""

from dataclasses import dataclass, field
from pathlib import Path

from rnass.errors import InputError, SequenceError
from rnass.files import name_of, read_lines
from rnass.io.constraints import is_constraint_line
from rnass.rna import Rna, clean_bases

__all__ = ["read_fasta"]


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
    path: str | Path, *, constraint_lines: bool = False
) -> tuple[list[Rna], list[InputError]]:
    """Read every record of a FASTA file; a bad one does not hide the others.

    Tolerated: gzip, `-` for standard input, lower case, T for U, IUPAC codes (read as N), LF, CRLF
    and CR, blank lines, `;` comment lines, a byte-order mark, white space between letters, one `*`
    at the end of a record, one `&` between two strands. Refused: gaps, digits and every other letter,
    a record or strand without bases, letters before the first header, a file that is empty, binary,
    damaged or missing.

    Args:
        path: file, or `-`.
        constraint_lines: pass over a line of `. x | < > ( )` that ends a record; `read_constraints`
            reads them.

    Returns:
        The good records in file order, and the problems in file order: one per bad record, each
        naming file, line, record and 1-based base. Nothing is raised.
    """
    where = name_of(path)
    try:
        drafts = _drafts(read_lines(path), constraint_lines=constraint_lines)
    except InputError as error:
        return [], [error]
    if not drafts:
        return [], [InputError(f"{where}: no records; expected FASTA, a line '>name' and then bases")]
    records = [_record(draft, where) for draft in drafts]
    sequences = [record for record in records if isinstance(record, Rna)]
    return sequences, [record for record in records if isinstance(record, InputError)]


def _drafts(lines: list[str], *, constraint_lines: bool) -> list[_Draft]:
    """Split lines into records; letters before the first header make one whose line is 0."""
    drafts: list[_Draft] = []
    for number, line in enumerate(lines, start=1):
        text = "".join(line.split())
        if constraint_lines and drafts and is_constraint_line(text, drafts[-1].bases):
            continue
        if text.startswith(">"):
            drafts.append(_Draft(line.strip()[1:].strip(), number))
        elif text and not text.startswith(";"):
            if not drafts:
                drafts.append(_Draft("", 0))
            drafts[-1].add(number, text)
    return drafts


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
    line = next((number for number, part in draft.parts if not _is_clean(part)), draft.line)
    try:
        return Rna.from_text(text, draft.header, f"{where}:{line} ({name})")
    except SequenceError as error:
        problem = error
        if is_constraint_line(next((part for number, part in draft.parts if number == line), ""), 0):
            problem = SequenceError(
                f"{where}:{line} ({name}): a line of constraints or of a structure; expected bases, or "
                "--constraints with this file"
            )
        problem.record = name if draft.header else ""
        return problem


def _is_clean(text: str) -> bool:
    try:
        clean_bases(text.replace("&", "") or "N")
    except SequenceError:
        return False
    return True
