"""Tables of RNAs and their labels, for heads that predict something else than pairs.

    id  sequence  label          tab-separated (.tsv) or by commas (.csv), .gz too

Other columns are ignored.

A label of a sequence is a word or a number. A label of tokens is one character each, `?` where it is not
known; or one number each with spaces between, `nan` where it is not known.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

from rnass.errors import InputError, counted
from rnass.files import read_lines, suffix_of
from rnass.rna import Rna

__all__ = ["PAIRED", "read_labels"]

PAIRED = "paired"
"""The label 1 for a base that pairs and 0 for one that does not, made of a dot_bracket column."""


def read_labels(path: str | Path, column: str) -> list[tuple[Rna, str]]:
    """The RNAs of a table, and their labels, the cells of the column of that name.

    Raises:
        InputError: a column is missing, a line has too few or too many, a sequence is bad, a label is
            empty; names file and line.
    """
    separator = "," if suffix_of(path) == ".csv" else "\t"
    rows = _rows(path, separator)
    columns = next(rows, [])
    derived = column == PAIRED and column not in columns
    source = "dot_bracket" if derived else column
    if missing := [name for name in ("id", "sequence", source) if name not in columns]:
        raise InputError(f"{path}:1: no column {', '.join(missing)}; expected id, sequence and {source}")
    records = []
    for number, row in enumerate(rows, start=2):
        where = f"{path}:{number}"
        if not row:
            continue
        if len(row) != len(columns):
            raise InputError(
                f"{where}: {counted(len(row), 'column')}; expected {len(columns)} as in the first line"
            )
        cells = dict(zip(columns, row, strict=True))
        if not cells[source].strip():
            raise InputError(f"{where}: no {source}; expected a label")
        sequence = Rna.from_text(cells["sequence"], cells["id"], where)
        label = "".join("0" if c == "." else "1" for c in cells[source]) if derived else cells[source]
        records.append((sequence, label))
    return records


def _rows(path: str | Path, separator: str) -> Iterator[list[str]]:
    """The cells of each line; raises InputError for a line that is no row of a table."""
    try:
        yield from csv.reader(read_lines(path), delimiter=separator)
    except csv.Error as error:
        raise InputError(f"{path}: {error}; expected rows of cells") from error
