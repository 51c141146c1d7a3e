"""The page as a whole: run facts, table, packed records, and the scripts that show them."""

import json
import re
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import rnass
from rnass.errors import counted
from rnass.files import write_text
from rnass.io import ResultsFolder, read_results
from rnass.io.results_folder import REPORT
from rnass.report.records import LEAST, pack, record_data

__all__ = ["report_page", "write_report"]

TABULATOR = "tabulator-6.5.3"  # from npm's tabulator-tables 6.5.3, MIT; its licence lies beside it
_SCRIPTS = ("records", "panzoom", "drawing", "arcs", "map", "confidence", "detail", "table")

# Columns of summary.tsv: heading, and whether it is a number. Others are shown under their own name.
_COLUMNS: dict[str, tuple[str, bool]] = {
    "id": ("id", False),
    "length": ("bases", True),
    "pairs": ("pairs", True),
    "pseudoknot_order": ("pseudoknot order", True),
    "confidence": ("confidence", True),
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

    Raises:
        InputError: the folder holds no results of `rnass predict`, or a damaged one.
        OutputError: the page cannot be written.
    """
    path = Path(folder) / REPORT
    write_text(path, report_page(read_results(folder)))
    return path


def report_page(results: ResultsFolder) -> str:
    """The page as text: one file, without a link to anything outside."""
    name, facts, warnings = results.folder.resolve().name, _facts(results), _warnings(results)
    table = _table(results)
    parts = {
        "table_style": _without_source_map(_asset(f"{TABULATOR}.min.css")),
        "style": _asset("report.css"),
        "licence": _asset("tabulator-LICENSE").replace("--", "- -"),
        "data": _json({"title": name, "facts": facts, "warnings": warnings, "least": LEAST, **table}),
        "records": _json([pack(record_data(record)) for record in results.records]),
        "tabulator": _script([f"{TABULATOR}.min.js"]),
        "script": _script(f"{part}.js" for part in _SCRIPTS),
    }
    return _filled(_asset("report.html"), parts)


def _filled(template: str, parts: Mapping[str, str]) -> str:
    """*template* with each `{{name}}` replaced; what is put in is not looked at again."""
    pieces = template.split("{{")
    filled = [pieces[0]]
    for piece in pieces[1:]:
        name, rest = piece.split("}}", 1)
        filled += [parts[name], rest]
    return "".join(filled)


def _asset(name: str) -> str:
    return (files("rnass.report") / "assets" / name).read_text(encoding="utf-8")


def _script(names: Iterable[str]) -> str:
    """Scripts one after the other, none of which closes the element."""
    text = "\n".join(_asset(name) for name in names)
    return _without_source_map(text).replace("</script", "<\\/script")


def _without_source_map(text: str) -> str:
    """*text* without the comment by which a browser's tools look for another file."""
    return re.sub(r"//# sourceMappingURL=\S+|/\*# sourceMappingURL=\S+ \*/", "", text)


def _json(values: Any) -> str:
    """JSON that may stand within an element: no letter of it begins a tag."""
    return json.dumps(values, ensure_ascii=False).replace("<", "\\u003c")


def _facts(results: ResultsFolder) -> list[tuple[str, str]]:
    """How the run was made, in the order it is read."""
    run = results.run
    weights = run.get("weights", {})
    decoding = run.get("decoding", {})
    facts = [
        ("records", f"{counted(len(results.records), 'record')} predicted of {len(results.rows)}"),
        ("started", run.get("started", "")),
        ("time", f"{run['seconds']:.0f} s" if isinstance(run.get("seconds"), int | float) else ""),
        ("inputs", ", ".join(map(str, run.get("inputs", [])))),
        ("weights", f"{weights.get('file', '')} {str(weights.get('sha256', ''))[:12]}".strip()),
        ("decoder", ", ".join(f"{k} {decoding[k]}" for k in ("decoder", "threshold") if k in decoding)),
        ("versions", ", ".join(f"{k} {v}" for k, v in run.get("versions", {}).items())),
        ("device", str(run.get("device", ""))),
        ("page", f"rnass {rnass.__version__}"),
    ]
    return [(name, str(value)) for name, value in facts if value]


def _warnings(results: ResultsFolder) -> list[str]:
    """What a reader must know: a run that was not finished, records that failed."""
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
        (name, *_COLUMNS.get(name, (name.replace("_", " "), _numeric(results, name)))) for name in filled
    ]
    rows: list[dict[str, Any]] = []
    done = 0
    for row in results.rows:
        cells: dict[str, Any] = {
            name: _value(row.get(name, ""), number=number) for name, _, number in columns
        }
        ok = row["status"] == "ok"
        rows.append({**cells, "record": done if ok else None})
        done += ok
    return {"columns": columns, "rows": rows}


def _numeric(results: ResultsFolder, name: str) -> bool:
    return all(_is_number(row.get(name, "")) for row in results.rows)


def _is_number(cell: str) -> bool:
    try:
        float(cell or 0)
    except ValueError:
        return False
    return True


def _value(cell: str, *, number: bool) -> str | float | None:
    if not number:
        return cell
    return float(cell) if cell and _is_number(cell) else None
