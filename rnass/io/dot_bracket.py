"""Dot-bracket (.dbn): `>` and a header, the bases on one line, the brackets on the next.

As ViennaRNA's tools write it; `rnass.structure` says which brackets stand for which pairs.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from rnass.errors import SequenceError, StructureError, counted
from rnass.files import read_lines, record_name, write_text
from rnass.io.names import title_of
from rnass.io.pair_rows import check_lengths
from rnass.rna import Rna
from rnass.structure import Structure

__all__ = ["format_dot_bracket", "pair_up", "read_dot_bracket", "write_dot_bracket"]

_ENERGY = re.compile(r"\s+[(\[{]\s*[-+]?[\d.]+( \w+=[-+]?[\d.]+)*[)\]}]$")


def format_dot_bracket(sequence: Rna, structure: Structure) -> str:
    """One record, three lines; `&` between two strands.

    Raises:
        StructureError: unequal lengths, or more levels of pseudoknots than there are brackets.
    """
    check_lengths(sequence, structure)
    brackets = sequence.mark(structure.dot_bracket)
    return f">{title_of(sequence)}\n{sequence.text}\n{brackets}\n"


def write_dot_bracket(path: str | Path, records: Iterable[tuple[Rna, Structure]]) -> None:
    """Write any number of records; inverse of `read_dot_bracket`.

    Raises:
        StructureError: unequal lengths, or more levels of pseudoknots than there are brackets.
        OutputError: the file cannot be written.
    """
    write_text(path, "".join(format_dot_bracket(*record) for record in records))


def read_dot_bracket(path: str | Path) -> list[tuple[Rna, Structure]]:
    """Read every record; inverse of `write_dot_bracket`.

    Blank lines and `#` lines are passed over, and an energy after the brackets, as in
    `((....)) (-1.20)`. A file of one record may go without the header line; it is called after the file.

    Raises:
        StructureError: a record that has not one line of bases and one of brackets of the same
            length, a letter that is no base, unbalanced or unknown brackets. Names file and line.
        InputError: the file cannot be read as text.
    """
    lines = [
        (number, line.strip())
        for number, line in enumerate(read_lines(path), start=1)
        if line.strip() and not line.startswith("#")
    ]
    if not lines:
        raise StructureError(f"{path}: no records; expected '>name', bases, brackets")
    if not lines[0][1].startswith(">"):
        lines.insert(0, (lines[0][0], f">{record_name(path)}"))
    starts = [k for k, (_, line) in enumerate(lines) if line.startswith(">")]
    ends = [*starts[1:], len(lines)]
    return [_record(lines[start:end], path) for start, end in zip(starts, ends, strict=True)]


def pair_up(
    bases: str, brackets: str, header: str, *, bases_at: str, brackets_at: str
) -> tuple[Rna, Structure]:
    """Build a record from its two strings and the places where they stand, for messages.

    Raises:
        StructureError: unequal lengths, a letter that is no base, unbalanced or unknown brackets.
    """
    try:
        sequence = Rna.from_text(bases, header, bases_at)
    except SequenceError as error:
        raise StructureError(str(error)) from error
    if sequence.nick is not None and brackets.find("&") == sequence.nick:
        brackets = brackets.replace("&", "", 1)
    if len(brackets) != len(sequence):
        raise StructureError(
            f"{brackets_at}: {counted(len(brackets), 'symbol')} for {counted(len(sequence), 'base')}; "
            "expected one each"
        )
    return sequence, Structure.from_dot_bracket(brackets, brackets_at)


def _record(lines: list[tuple[int, str]], path: str | Path) -> tuple[Rna, Structure]:
    """Read one record from its header line and all lines up to the next."""
    number, title = lines[0]
    header = title[1:].strip()
    name = (header.split() or ["no name"])[0]
    if len(lines) != 3:
        raise StructureError(
            f"{path}:{number} ({name}): {counted(len(lines) - 1, 'line')} in the record; "
            "expected one of bases, one of brackets"
        )
    (bases_line, bases), (brackets_line, brackets) = lines[1:]
    return pair_up(
        bases,
        _ENERGY.sub("", brackets),
        header,
        bases_at=f"{path}:{bases_line} ({name})",
        brackets_at=f"{path}:{brackets_line} ({name})",
    )
