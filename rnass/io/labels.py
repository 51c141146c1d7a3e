"""Tables of RNAs and their labels, for heads that predict something else than pairs.

    id  sequence  label          tab-separated (.tsv) or by commas (.csv), .gz too

Other columns are ignored. In a .csv file a cell may stand in quotes (RFC 4180), without a line end.

A label of a sequence is a word or a number. A label of tokens is one character each, `?` where it is not
known; or one number each with spaces between, `nan` where it is not known.
"""

import csv
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from rnass.errors import InputError
from rnass.files import name_of, read_lines, suffix_of
from rnass.io.dot_bracket import pair_up
from rnass.io.tsv import by_tabs, table_rows
from rnass.rna import Rna

__all__ = ["PAIRED", "LabelledRna", "read_labels"]

PAIRED = "paired"
"""The label 1 for a base that pairs and 0 for one that does not, made of a dot_bracket column."""


class LabelledRna(NamedTuple):
    """An RNA of a table.

    Attributes:
        sequence: the RNA; its id is the whole cell.
        label: the text of its cell.
        where: file and line, for messages.
    """

    sequence: Rna
    label: str
    where: str


def read_labels(path: str | Path, column: str) -> list[LabelledRna]:
    """The RNAs of a table, and their labels, the cells of the column of that name.

    Raises:
        InputError: a column is missing, a line has too few or too many, a sequence or a dot-bracket is
            bad, a label is empty; names file and line.
    """
    name, lines = name_of(path), read_lines(path)
    cells = _by_commas if suffix_of(path) == ".csv" else by_tabs
    derived = column == PAIRED and column not in cells("".join(lines[:1]), f"{name}:1")
    source = "dot_bracket" if derived else column
    records = []
    for where, row in table_rows(name, lines, ("id", "sequence", source), cells=cells):
        text, header = row[source], row["id"]
        if not text.strip():
            raise InputError(f"{where}: no {source}; expected a label")
        place = f"{where} ({header})"
        if derived:
            rna, structure = pair_up(row["sequence"], text, header, bases_at=place, brackets_at=place)
            text = "".join("0" if partner < 0 else "1" for partner in structure.partners.tolist())
        else:
            rna = Rna.from_text(row["sequence"], header, place)
        rna = replace(rna, id=header)  # all of it, not the first word
        records.append(LabelledRna(rna, text, where))
    return records


def _by_commas(line: str, where: str) -> list[str]:
    if '"' not in line:
        return line.split(",")
    try:
        (cells,) = csv.reader([line], strict=True)
    except csv.Error as error:
        raise InputError(f"{where}: {error}; expected cells by commas, in quotes or not") from error
    return cells
