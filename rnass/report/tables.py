"""The page of a comparison or an evaluation: its tables, which sort and filter, and its figures."""

import base64
from pathlib import Path
from typing import Any

from rnass.errors import InputError, counted
from rnass.files import is_file, read_lines
from rnass.io.results_folder import RUN, SUMMARY, read_run, read_summary
from rnass.report.facts import facts_of, warnings_of
from rnass.report.html import cell_value, is_numeric, page

__all__ = ["has_tables", "tables_page"]

_TABLES = ("records.tsv", "methods.tsv", "pairs.tsv")
_TEXT = "evaluation.txt"
_ROWS = 20_000  # of a table; the file beside the page holds all
_BYTES = 8_000_000  # of figures in the page
_SCRIPTS = ("records", "columns", "tables")


def has_tables(folder: Path) -> bool:
    """Whether *folder* holds a comparison or an evaluation."""
    return any(is_file(folder / name) for name in _TABLES)


def tables_page(folder: Path) -> str:
    """The page as text.

    Raises:
        InputError: a table that is not one; names file and line.
    """
    tables = [_table(folder / name) for name in _TABLES if is_file(folder / name)]
    figures, left = _figures(folder)
    notes = [f"{counted(left, 'figure')} more in the folder"] if left else []
    notes += [table["note"] for table in tables if table["note"]]
    text = "\n".join(read_lines(folder / _TEXT)) if is_file(folder / _TEXT) else ""
    run: dict[str, Any] = {}
    count = ""
    if is_file(folder / SUMMARY):  # an evaluation has its facts in the text
        run, rows = read_run(folder / RUN), read_summary(folder / SUMMARY)
        count = f"{counted(sum(row['status'] == 'ok' for row in rows), 'record')} of {len(rows)}"
        notes = [*warnings_of(run, rows), *notes]
    data = {
        "title": folder.resolve().name,
        "facts": facts_of(run, count) if count else [],
        "text": text,
        "notes": notes,
        "tables": tables,
        "figures": figures,
    }
    return page("tables.html", data, _SCRIPTS)


def _table(path: Path) -> dict[str, Any]:
    """Name, columns and rows of a file."""
    lines = [line.split("\t") for line in read_lines(path)]
    if not lines or any(len(cells) != len(lines[0]) for cells in lines):
        raise InputError(f"{path}: rows of unequal length, or none; expected a table of rnass")
    names, rows = lines[0], lines[1 : 1 + _ROWS]
    numbers = [is_numeric(row[k] for row in rows) for k in range(len(names))]
    columns = [
        (f"c{k}", name.replace("_", " "), number)
        for k, (name, number) in enumerate(zip(names, numbers, strict=True))
    ]
    cells = [
        {f"c{k}": cell_value(cell, number=numbers[k]) for k, cell in enumerate(row)} for row in rows
    ]
    whole = len(lines) - 1 == len(rows)
    note = "" if whole else f"{path.name}: the first {_ROWS:,} of {len(lines) - 1:,} rows"
    return {"name": path.name, "columns": columns, "rows": cells, "note": note}


def _figures(folder: Path) -> tuple[list[tuple[str, str]], int]:
    """Name and data URL of the SVG figures for which there is room, and the number left out."""
    found: list[tuple[str, str]] = []
    size, left = 0, 0
    for path in sorted(folder.glob("*.svg")):
        content = path.read_bytes()
        size += len(content)
        if size > _BYTES:
            left += 1
        else:
            found.append((path.stem, f"data:image/svg+xml;base64,{base64.b64encode(content).decode()}"))
    return found, left
