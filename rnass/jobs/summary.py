"""summary.tsv: one line per record."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rnass.files import format_row, write_text

__all__ = ["format_summary", "write_summary"]

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def format_summary(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    r"""Rows as tab-separated text; tab, line ends and backslash become \t, \n, \r and \\.

    Args:
        columns: in their order.
        rows: the cells of each line by column; one that is absent or None stays empty.
    """
    cells = ([_cell(row.get(name)) for name in columns] for row in rows)
    return format_row(columns) + "".join(map(format_row, cells))


def write_summary(path: str | Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write them, see `format_summary`; raises OutputError."""
    write_text(path, format_summary(columns, rows))


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return str(round(float(value), 4))
    return "" if value is None else str(value).translate(_ESCAPES)
