"""Regions of RNAs in BED (https://samtools.github.io/hts-specs/BEDv1.pdf): ID, start, end and a name."""

from functools import partial
from pathlib import Path
from typing import NamedTuple

from rnass.errors import InputError
from rnass.files import name_of, read_lines
from rnass.io.entries import BadEntry, all_good, entry

__all__ = ["Region", "read_regions", "region_entries"]

_HEADINGS = ("#", "track", "browser")
_EXPECTED = "the ID of a record, a start from 0 and an end that is not included"


class Region(NamedTuple):
    """Consecutive bases of the RNA with that id.

    Attributes:
        id: of the record.
        start, end: 0-based first base, and the base after the last.
        name: of the region, may be empty.
        where: file and line, for messages.
    """

    id: str
    start: int
    end: int
    name: str
    where: str


def read_regions(path: str | Path) -> list[Region]:
    """Read a BED file of at least three columns; of the further ones the name and the strand count.

    Raises:
        InputError: a line without three columns, a start or end that is no number, an empty region, the
            reverse strand, no region at all; names file and line. The file cannot be read as text.
    """
    return all_good(region_entries(path))


def region_entries(path: str | Path) -> list[Region | BadEntry]:
    """As `read_regions`; a bad line is a `BadEntry` for the record that its first column names."""
    lines = enumerate(read_lines(path), start=1)
    found = [
        entry(_cells(line)[0], Path(path), partial(_region, line, f"{name_of(path)}:{number}"))
        for number, line in lines
        if line.strip() and not line.startswith(_HEADINGS)
    ]
    if not found:
        raise InputError(f"{name_of(path)}: no region; expected lines with {_EXPECTED}")
    return found


def _cells(line: str) -> list[str]:
    return line.split("\t") if "\t" in line else line.split()


def _region(line: str, where: str) -> Region:
    cells = _cells(line)
    if len(cells) < 3 or not all(cell.isascii() and cell.isdigit() for cell in cells[1:3]):
        raise InputError(f"{where}: {line!r}; expected {_EXPECTED}")
    start, end = (int(cell[:10]) for cell in cells[1:3])
    if start >= end:
        raise InputError(f"{where}: start {start}, end {end}; expected {_EXPECTED}")
    if "-" in cells[5:6]:
        raise InputError(f"{where}: strand -; expected a region of the RNA itself")
    return Region(cells[0], start, end, cells[3].strip() if len(cells) > 3 else "", where)
