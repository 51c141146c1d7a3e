"""Connectivity table (.ct): a title line `L title`, then six columns per base.

The columns are base number, letter, previous base (0 before the first of a strand), next base (0 after
the last of a strand), partner (0 if unpaired) and natural number, all from 1. RNAstructure, mfold and
ViennaRNA read and write it: https://rna.urmc.rochester.edu/Text/File_Formats.html
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from rnass.errors import StructureError, counted
from rnass.files import name_of, read_lines, record_name, write_text
from rnass.io.names import header_of, named_in_comment, title_of
from rnass.io.pair_rows import CRW_HEADINGS, PairRow, from_rows, parse_row, to_rows, whole_number
from rnass.rna import Rna
from rnass.structure import Structure

__all__ = ["format_ct", "read_ct", "write_ct"]


def format_ct(rna: Rna, structure: Structure) -> str:
    """One structure, L + 1 lines; the title is the whole header.

    Two strands are numbered through; each begins after no previous base and ends before no next one.

    Raises:
        StructureError: the structure has not as many bases as the RNA.
    """
    ends = {len(rna), rna.nick}  # the last base of each strand, from 1
    lines = [f"{len(rna):>5} {title_of(rna)}"]
    for k, letter, partner in to_rows(rna, structure):
        before = 0 if k - 1 in ends else k - 1
        after = 0 if k in ends else k + 1
        lines.append(f"{k:>5} {letter} {before:>5} {after:>5} {partner:>5} {k:>5}")
    return "".join(f"{line}\n" for line in lines)


def write_ct(path: str | Path, rna: Rna, structure: Structure) -> None:
    """Write one structure; inverse of `read_ct`.

    Raises:
        StructureError: the structure has not as many bases as the RNA.
        OutputError: the file cannot be written.
    """
    write_text(path, format_ct(rna, structure))


def read_ct(path: str | Path, lines: Iterable[str] | None = None) -> list[tuple[Rna, Structure]]:
    """Read every structure of the file; inverse of `write_ct`.

    Blank lines, `#` lines, the heading lines of the Comparative RNA Web site and columns after the sixth
    are passed over. A title may begin with energies: `ENERGY = -1.2`, `dG = -1.2 [initially -1.3]`. A
    structure without a title is called as a comment above it has it (`# File x.ct`), or as the file is.

    *lines* are those of the file, where they were read already.

    Raises:
        StructureError: the title line has no count or not the right one; a row that is short, not
            numeric, out of order, repeated or missing; a partner that is out of range, the base
            itself or not mutual; more than two strands. Names file and line.
        InputError: the file cannot be read as text.
    """
    lines = read_lines(path) if lines is None else lines
    comments: list[str] = []
    rows = _rows(lines, name_of(path), comments)
    records: list[tuple[Rna, Structure]] = []
    for where, title in rows:
        count, *rest = title.split(maxsplit=1)
        if records and _is_next_row(title, len(records[-1][0])):
            raise StructureError(f"{where}: a row too many; expected as many as the title line has")
        named = next(filter(None, map(named_in_comment, comments)), "")
        comments.clear()
        header = header_of(rest[0] if rest else "") or named or record_name(path)
        records.append(_record(whole_number(count, "count of bases", where), header, where, rows))
    if not records:
        raise StructureError(
            f"{name_of(path)}: no structure; expected a title line 'L title' and L rows"
        )
    return records


def _rows(lines: Iterable[str], where: str, comments: list[str]) -> Iterator[tuple[str, str]]:
    """Place and text of titles and rows; what begins with `#` goes to *comments*."""
    for number, line in enumerate(lines, start=1):
        if line.startswith("#"):
            comments.append(line)
        elif line.strip() and not line.startswith(CRW_HEADINGS):
            yield f"{where}:{number}", line.strip()


def _record(
    length: int, header: str, where: str, lines: Iterator[tuple[str, str]]
) -> tuple[Rna, Structure]:
    """Read the *length* rows under a title."""
    rows: list[PairRow] = []
    nicks = []
    last_next = ""
    for place, line in islice(lines, length):
        fields = line.split()
        if len(fields) < 6:
            raise StructureError(
                f"{place}: {counted(len(fields), 'column')}; "
                "expected 6: base, letter, previous, next, partner, number"
            )
        for name, text in (("previous base", fields[2]), ("next base", fields[3])):
            whole_number(text, name, place)
        if rows and int(fields[2]) == 0 and last_next == "0":
            nicks.append(len(rows))
        last_next = fields[3].lstrip("0") or "0"
        rows.append(parse_row(fields[0], fields[1], fields[4], place))
    if len(rows) < length:
        raise StructureError(f"{where}: {counted(len(rows), 'row')} below; expected {length}")
    if len(nicks) > 1:
        raise StructureError(f"{where}: {len(nicks) + 1} strands; expected at most two")
    return from_rows(rows, header, where, nick=nicks[0] if nicks else None)


def _is_next_row(line: str, length: int) -> bool:
    """Whether a line goes on with the rows of a structure that has *length* of them already."""
    fields = line.split()
    return len(fields) == 6 and fields[0] == str(length + 1) and len(fields[1]) == 1
