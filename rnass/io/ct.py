"""Connectivity table (.ct): a title line `L title`, then six columns per base.

The columns are base number, letter, previous base (0 before the first of a strand), next base (0 after
the last of a strand), partner (0 if unpaired) and natural number, all from 1. RNAstructure, mfold and
ViennaRNA read and write it: https://rna.urmc.rochester.edu/Text/File_Formats.html
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from rnass.errors import InputError, StructureError, counted
from rnass.files import name_of, read_lines, record_name, write_text
from rnass.io.entries import collected
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


def read_ct(
    path: str | Path,
    lines: Iterable[str] | None = None,
    problems: list[InputError] | None = None,
) -> list[tuple[Rna, Structure]]:
    """Read every structure of the file; inverse of `write_ct`.

    Blank lines, `#` lines, the heading lines of the Comparative RNA Web site and columns after the sixth
    are passed over. A title may begin with energies: `ENERGY = -1.2`, `dG = -1.2 [initially -1.3]`. A
    structure without a title is called as a comment above it has it (`# File x.ct`), or as the file is.

    *lines* are those of the file, where they were read already. What is wrong with a structure goes to
    *problems*, if they are given, and costs the others nothing.

    Raises:
        StructureError: the title line has no count or not the right one; a row that is short, not
            numeric, out of order, repeated or missing; a partner that is out of range, the base
            itself or not mutual; more than two strands. Names file and line.
        InputError: the file cannot be read as text.
    """
    lines = read_lines(path) if lines is None else lines
    records: list[tuple[Rna, Structure]] = []
    blocks = list(_blocks(lines, name_of(path)))
    for block in blocks:
        with collected(problems):
            records.append(_record(block, record_name(path)))
    if not blocks:
        raise StructureError(
            f"{name_of(path)}: no structure; expected a title line 'L title' and L rows"
        )
    return records


class _Block(NamedTuple):
    """A title line and the rows below it, each with its place."""

    where: str
    title: str
    comment: str
    rows: list[tuple[str, str]]


def _blocks(lines: Iterable[str], where: str) -> Iterator[_Block]:
    """The title lines, each with the rows below it and the name in a comment above it.

    A block ends where the next line is followed by a row of base 1, or after as many rows as its title
    has and those that go on counting.
    """
    comment = ""
    kept: list[tuple[str, str, str]] = []
    for number, line in enumerate(lines, start=1):
        if line.startswith("#"):
            comment = comment or named_in_comment(line)
        elif line.strip() and not line.startswith(CRW_HEADINGS):
            kept.append((f"{where}:{number}", line.strip(), comment))
            comment = ""
    fields = [text.split() for _, text, _ in kept]
    begin = 0
    while begin < len(kept):
        place, title, comment = kept[begin]
        count = int(fields[begin][0]) if fields[begin][0].isdecimal() else 0
        end = begin + 1
        while end < len(kept) and (_is_row(fields[end]) or end - begin <= count):
            if not _is_row(fields[end]) and fields[end + 1 : end + 2] and _is_first(fields[end + 1]):
                break
            end += 1
        yield _Block(place, title, comment, [row[:2] for row in kept[begin + 1 : end]])
        begin = end


def _is_row(fields: list[str]) -> bool:
    """Whether these are the columns of a base."""
    numbers = (*fields[:1], *fields[2:6])
    return len(numbers) == 5 and len(fields[1]) == 1 and all(text.isdecimal() for text in numbers)


def _is_first(fields: list[str]) -> bool:
    """Whether these begin as the columns of base 1."""
    return fields[0] == "1" and len(fields) > 1 and len(fields[1]) == 1


def _record(block: _Block, unnamed: str) -> tuple[Rna, Structure]:
    """Read a block; called *unnamed* where neither title nor comment has one."""
    count, *rest = block.title.split(maxsplit=1)
    length = whole_number(count, "count of bases", block.where)
    header = header_of(rest[0] if rest else "") or block.comment or unnamed
    rows: list[PairRow] = []
    nicks = []
    last_next = ""
    for place, line in block.rows:
        if len(rows) == length:
            raise StructureError(f"{place}: a row too many; expected as many as the title line has")
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
        raise StructureError(f"{block.where}: {counted(len(rows), 'row')} below; expected {length}")
    if len(nicks) > 1:
        raise StructureError(f"{block.where}: {len(nicks) + 1} strands; expected at most two")
    return from_rows(rows, header, block.where, nick=nicks[0] if nicks else None)
