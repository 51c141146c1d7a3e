"""The page as a whole: run facts, table, packed records, and the scripts that show them."""

from pathlib import Path
from typing import Any

from rnass.errors import counted
from rnass.files import write_text
from rnass.io import ResultsFolder, read_results
from rnass.io.results_folder import REPORT
from rnass.report.facts import facts_of, warnings_of
from rnass.report.html import cell_value, is_numeric, page
from rnass.report.records import LEAST, pack, record_data
from rnass.report.tables import has_tables, tables_page

__all__ = ["report_page", "write_report"]

_SCRIPTS = ("records", "columns", "panzoom", "drawing", "arcs", "map", "confidence", "detail", "table")

# Columns of summary.tsv: heading, and whether it is a number. Others are shown under their own name.
_COLUMNS: dict[str, tuple[str, bool]] = {
    "id": ("id", False),
    "length": ("bases", True),
    "pairs": ("pairs", True),
    "pseudoknot_order": ("pseudoknot order", True),
    "confidence": ("confidence", True),
    "energy_share": ("energy share", True),
    "energy_kcal_mol": ("energy, kcal/mol", True),
    "mfe_kcal_mol": ("MFE, kcal/mol", True),
    "f1_mfe": ("F1 against MFE", True),
    "mea_kcal_mol": ("MEA, kcal/mol", True),
    "f1_mea": ("F1 against MEA", True),
    "centroid_kcal_mol": ("centroid, kcal/mol", True),
    "f1_centroid": ("F1 against centroid", True),
    "status": ("status", False),
    "message": ("message", False),
}
_HIDDEN = {"file", "elements", "seconds"}


def write_report(folder: str | Path, title: str | None = None) -> Path:
    """Write `report.html` of the results in *folder* into it; gives its path.

    Args:
        folder: of `rnass predict`, `rnass compare` or `rnass evaluate`.
        title: of the page of `rnass predict`; None is the name of the folder.

    Raises:
        InputError: the folder holds no results, or damaged ones.
        OutputError: the page cannot be written.
    """
    path = Path(folder) / REPORT
    if has_tables(path.parent):
        text = tables_page(path.parent)
    else:
        text = report_page(read_results(folder), title)
    write_text(path, text)
    return path


def report_page(results: ResultsFolder, title: str | None = None) -> str:
    """The page as text: one file, without a link to anything outside; see `write_report`."""
    count = f"{counted(len(results.records), 'record')} predicted of {len(results.rows)}"
    data = {
        "title": results.folder.resolve().name if title is None else title,
        "facts": facts_of(results.run, count),
        "warnings": warnings_of(results.run, results.rows),
        "least": LEAST,
        **_table(results),
    }
    return page("report.html", data, _SCRIPTS, [pack(record_data(record)) for record in results.records])


def _table(results: ResultsFolder) -> dict[str, Any]:
    """Columns and rows; a row's `record` is the place of its packed record, None for a failed one."""
    failed = any(row["status"] != "ok" for row in results.rows)
    there = [name for row in results.rows for name in row if name not in _HIDDEN]
    names = list(dict.fromkeys([*(("id", "status") if failed else ()), *there]))
    filled = [name for name in names if any(row.get(name) for row in results.rows)]
    columns = [
        (
            name,
            *_COLUMNS.get(
                name, (name.replace("_", " "), is_numeric(row.get(name, "") for row in results.rows))
            ),
        )
        for name in filled
    ]
    rows: list[dict[str, Any]] = []
    done = 0
    for row in results.rows:
        cells: dict[str, Any] = {
            name: cell_value(row.get(name, ""), number=number) for name, _, number in columns
        }
        ok = row["status"] == "ok"
        rows.append({**cells, "record": done if ok else None})
        done += ok
    return {"columns": columns, "rows": rows}
