"""The page as a whole: run facts, table, packed records, and the scripts that show them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import rnass
from rnass.errors import counted
from rnass.files import write_text
from rnass.io import ResultsFolder, read_results
from rnass.io.results_folder import REPORT
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


def write_report(folder: str | Path) -> Path:
    """Write `report.html` of the results in *folder* into it; gives its path.

    Args:
        folder: of `rnass predict`, `rnass compare` or `rnass evaluate`.

    Raises:
        InputError: the folder holds no results, or damaged ones.
        OutputError: the page cannot be written.
    """
    path = Path(folder) / REPORT
    text = tables_page(path.parent) if has_tables(path.parent) else report_page(read_results(folder))
    write_text(path, text)
    return path


def report_page(results: ResultsFolder) -> str:
    """The page as text: one file, without a link to anything outside."""
    name, facts, warnings = results.folder.resolve().name, _facts(results), _warnings(results)
    table = _table(results)
    data = {"title": name, "facts": facts, "warnings": warnings, "least": LEAST, **table}
    return page("report.html", data, _SCRIPTS, [pack(record_data(record)) for record in results.records])


def _facts(results: ResultsFolder) -> list[tuple[str, str]]:
    """How the run was made, in the order it is read."""
    run = results.run
    weights, decoding, versions = (_mapping(run, name) for name in ("weights", "decoding", "versions"))
    inputs = run.get("inputs")
    facts = [
        ("records", f"{counted(len(results.records), 'record')} predicted of {len(results.rows)}"),
        ("started", run.get("started", "")),
        ("time", f"{run['seconds']:.0f} s" if isinstance(run.get("seconds"), int | float) else ""),
        ("inputs", ", ".join(map(str, inputs)) if isinstance(inputs, list) else ""),
        ("weights", f"{weights.get('file', '')} {str(weights.get('sha256', ''))[:12]}".strip()),
        ("decoder", ", ".join(f"{k} {decoding[k]}" for k in ("decoder", "threshold") if k in decoding)),
        ("versions", ", ".join(f"{k} {v}" for k, v in versions.items())),
        ("device", str(run.get("device", ""))),
        ("page", f"rnass {rnass.__version__}"),
    ]
    return [(name, str(value)) for name, value in facts if value]


def _mapping(run: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A part of run.json, which anyone may have edited."""
    part = run.get(name)
    return part if isinstance(part, Mapping) else {}


def _warnings(results: ResultsFolder) -> list[str]:
    """Warnings for the reader: a run that was not finished, records that failed."""
    warnings = [row.get("message", "") for row in results.rows if row["status"] != "ok"]
    if not results.run:
        warnings.insert(0, "run.json is missing: the run was stopped before its end")
    elif results.run.get("exit_status") == 130:
        warnings.insert(0, "the run was interrupted: the records not reached are missing")
    return warnings


def _table(results: ResultsFolder) -> dict[str, Any]:
    """Columns and rows; a row's `record` is the place of its packed record, None for a failed one."""
    names = list(dict.fromkeys(name for row in results.rows for name in row if name not in _HIDDEN))
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
