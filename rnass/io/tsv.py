"""Tables with a line of column names; of labelled records, with `id`, `sequence`, `dot_bracket`."""

import gzip
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass, field, replace
from pathlib import Path

from rnass.errors import InputError, StructureError, counted
from rnass.files import format_row, name_of, read_lines, write_atomically
from rnass.io.dot_bracket import pair_up
from rnass.io.entries import collected
from rnass.rna import Rna
from rnass.structure import Structure

__all__ = [
    "REQUIRED_COLUMNS",
    "LabelledRecord",
    "by_tabs",
    "read_labelled_tsv",
    "table_rows",
    "write_labelled_tsv",
]

REQUIRED_COLUMNS = ("id", "sequence", "dot_bracket")
"""The columns that a table of structures must have."""


@dataclass(frozen=True)
class LabelledRecord:
    """One RNA whose structure is known.

    Attributes:
        sequence, structure: the RNA and its pairs, of the same length.
        source, family: where it comes from, its family (an Rfam accession, say); empty if unknown.
        extra: every further column of the file, by name.
    """

    sequence: Rna
    structure: Structure
    source: str = ""
    family: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The id of the sequence."""
        return self.sequence.id


def read_labelled_tsv(
    path: str | Path, lines: Items[str] | None = None, problems: list[InputError] | None = None
) -> list[LabelledRecord]:
    """Read a table, plain or gzip: a line of column names, then one record a line.

    `id`, `sequence` and `dot_bracket` must be there, `source` and `family` may be, in any order;
    further columns are kept as text.

    *lines* are those of the file, where they were read already. What is wrong with a record goes to
    *problems*, if they are given, and costs the others nothing.

    Raises:
        StructureError: a column is missing or named twice, a line has too few or too many, a
            sequence or a bracket string is bad, or their lengths differ. Names file and line.
        InputError: the file cannot be read as text.
    """
    lines = read_lines(path) if lines is None else lines
    records = []
    for where, row in table_rows(
        name_of(path), lines, REQUIRED_COLUMNS, error=StructureError, problems=problems
    ):
        with collected(problems):
            records.append(_record(row, where))
    return records


def by_tabs(line: str, _: str = "") -> list[str]:
    """The cells of a line of a tab-separated table, in which quotes are letters like others."""
    return line.split("\t")


def table_rows(
    name: str,
    lines: Items[str],
    needed: Items[str],
    *,
    cells: Callable[[str, str], list[str]] = by_tabs,
    error: type[InputError] = InputError,
    problems: list[InputError] | None = None,
) -> Iterator[tuple[str, dict[str, str]]]:
    """The place of each row of a table, and its cells by column; blank lines are none.

    Args:
        name: of the file, for messages.
        lines: all of it.
        needed: columns that must be there.
        cells: gives the cells of a line, of which the second argument is the place.
        error: the class of the exception.
        problems: gets what is wrong with a line, which then costs the others nothing.

    Raises:
        InputError: or *error*: a column is missing or named twice, a line has too few cells or too many;
            names file and line.
    """
    columns = cells(lines[0], f"{name}:1") if lines else []
    if missing := [one for one in needed if one not in columns]:
        raise error(f"{name}:1: no column {', '.join(missing)}; expected at least {', '.join(needed)}")
    if len(set(columns)) < len(columns):
        raise error(f"{name}:1: a column stands twice; expected distinct names")
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        where = f"{name}:{number}"
        with collected(problems):
            row = cells(line, where)
            if len(row) != len(columns):
                found = counted(len(row), "column")
                raise error(f"{where}: {found}; expected {len(columns)}, as in line 1")
            yield where, dict(zip(columns, row, strict=True))


def write_labelled_tsv(path: str | Path, records: Iterable[LabelledRecord]) -> None:
    """Write a table, gzip where the name ends in `.gz`; inverse of `read_labelled_tsv`.

    The extra columns are those that any record has; a record without one has an empty cell there.

    Raises:
        StructureError: an id or a cell with a tab or a line end, which a table cannot hold.
        OutputError: the file cannot be written.
    """
    records = list(records)
    further = list(dict.fromkeys(name for record in records for name in record.extra))
    heading = format_row(["id", "source", "family", "sequence", "dot_bracket", *further])
    data = (heading + "".join(_line(record, further) for record in records)).encode()
    with write_atomically(path) as file:
        # mtime 0: the same records make the same file
        file.write(gzip.compress(data, mtime=0) if str(path).endswith(".gz") else data)


def _line(record: LabelledRecord, further: list[str]) -> str:
    cells = [record.id, record.source, record.family, record.sequence.text]
    cells += [
        record.sequence.mark(record.structure.dot_bracket),
        *(record.extra.get(name, "") for name in further),
    ]
    if any(symbol in cell for cell in cells for symbol in "\t\n\r"):
        raise StructureError(f"{record.id!r}: a tab or line end in a cell; expected none in a table")
    return format_row(cells)


def _record(row: dict[str, str], where: str) -> LabelledRecord:
    name = row.pop("id")
    place = f"{where} ({name})"
    bases, brackets = row.pop("sequence"), row.pop("dot_bracket")
    sequence, structure = pair_up(bases, brackets, name, bases_at=place, brackets_at=place)
    sequence = replace(sequence, id=name)  # all of it, not the first word
    return LabelledRecord(sequence, structure, row.pop("source", ""), row.pop("family", ""), row)
