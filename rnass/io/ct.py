"""Connectivity table (.ct): a title line `L title`, then six columns per base.

The columns are base number, letter, previous base, next base (0 after the last), partner (0 if
unpaired) and natural number, all from 1. RNAstructure, mfold and ViennaRNA read and write it:
https://rna.urmc.rochester.edu/Text/File_Formats.html
"""

import re
from itertools import islice
from pathlib import Path

from rnass.errors import StructureError, counted
from rnass.files import read_lines, record_name, write_text
from rnass.io.names import strands_note, title_of
from rnass.io.pair_rows import PairRow, from_rows, parse_row, to_rows, whole_number
from rnass.rna import Rna
from rnass.structure import Structure

__all__ = ["format_ct", "read_ct", "write_ct"]

_ENERGY = re.compile(r"^(ENERGY|dG)\s*=\s*\S+\s*", re.IGNORECASE)


def format_ct(sequence: Rna, structure: Structure, *, title: str | None = None) -> str:
    """One structure, L + 1 lines; the title is the whole header unless given.

    Two strands are numbered through, and the title says where the second begins.

    Raises:
        StructureError: the structure has not as many bases as the sequence.
    """
    last = len(sequence)
    lines = [f"{last:>5} {_title(sequence) if title is None else title}"]
    for k, letter, partner in to_rows(sequence, structure):
        lines.append(f"{k:>5} {letter} {k - 1:>5} {(k + 1) % (last + 1):>5} {partner:>5} {k:>5}")
    return "".join(f"{line}\n" for line in lines)


def write_ct(path: str | Path, sequence: Rna, structure: Structure, *, title: str | None = None) -> None:
    """Write one structure; see `format_ct` for the title. Inverse of `read_ct`.

    Raises:
        StructureError: the structure has not as many bases as the sequence.
        OutputError: the file cannot be written.
    """
    write_text(path, format_ct(sequence, structure, title=title))


def read_ct(path: str | Path) -> list[tuple[Rna, Structure]]:
    """Read every structure of the file; inverse of `write_ct`.

    Lines that are blank or begin with `#` are passed over, columns after the sixth are ignored, an
    `ENERGY = x` or `dG = x` at the start of a title is dropped.

    Raises:
        StructureError: the title line has no count or not the right one; a row that is short, not
            numeric, out of order, repeated or missing; a partner that is out of range, the base
            itself or not mutual. Names file and line.
        InputError: the file cannot be read as text.
    """
    lines = (
        (f"{path}:{number}", line.strip())
        for number, line in enumerate(read_lines(path), start=1)
        if line.strip() and not line.startswith("#")
    )
    records: list[tuple[Rna, Structure]] = []
    for where, title in lines:
        count, *name = title.split(maxsplit=1)
        if records and _is_next_row(title, len(records[-1][0])):
            raise StructureError(f"{where}: a row too many; expected as many as the title line says")
        length = whole_number(count, "count of bases", where)
        rows = [_row(line, place) for place, line in islice(lines, length)]
        if len(rows) < length:
            raise StructureError(f"{where}: {counted(len(rows), 'row')} below; expected {length}")
        header = _ENERGY.sub("", name[0], count=1) if name else ""
        records.append(from_rows(rows, header or record_name(path), where))
    if not records:
        raise StructureError(f"{path}: no structure; expected a title line 'L title' and L rows")
    return records


def _title(sequence: Rna) -> str:
    """The header; of two strands, which are numbered through, also where each begins and ends."""
    return f"{title_of(sequence)}{strands_note(sequence)}"


def _row(line: str, where: str) -> PairRow:
    fields = line.split()
    if len(fields) < 6:
        raise StructureError(
            f"{where}: {counted(len(fields), 'column')}; "
            "expected 6: base, letter, previous, next, partner, number"
        )
    for name, text in (("previous base", fields[2]), ("next base", fields[3])):
        whole_number(text, name, where)
    return parse_row(fields[0], fields[1], fields[4], where)


def _is_next_row(line: str, length: int) -> bool:
    """Whether a line goes on with the rows of a structure that has *length* of them already."""
    fields = line.split()
    return len(fields) == 6 and fields[0] == str(length + 1) and len(fields[1]) == 1
