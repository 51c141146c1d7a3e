"""Pages as text: a template filled with styles, scripts and data, without a link to anything outside."""

import base64
import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any

__all__ = ["cell_value", "is_numeric", "page"]

TABULATOR = "tabulator-6.5.3"  # from npm's tabulator-tables 6.5.3, MIT; its licence lies beside it


def page(template: str, data: Mapping[str, Any], scripts: Iterable[str], records: Any = ()) -> str:
    """A page of an asset.

    Args:
        template: name of the asset.
        data: what the scripts read of the page as a whole.
        scripts: assets without suffix, in their order.
        records: what they read of each record.
    """
    tabulator = _script([f"{TABULATOR}.min.js"])
    script = _script(f"{name}.js" for name in scripts)
    parts = {
        "table_style": _without_source_map(_asset(f"{TABULATOR}.min.css")),
        "style": _asset("report.css"),
        "licence": _asset("tabulator-LICENSE").replace("--", "- -"),
        "data": _json(data),
        "records": _json(records),
        "tabulator": tabulator,
        "script": script,
        "script_hashes": " ".join(map(_hash, (tabulator, script))),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda place: parts[place[1]], _asset(template))


def is_numeric(cells: Iterable[str]) -> bool:
    """Whether every cell of a column is a number, or empty."""
    return all(_is_number(cell) for cell in cells)


def cell_value(cell: str, *, number: bool) -> str | float | None:
    """A cell as the table takes it; None for a number that is missing or not finite."""
    if not number:
        return cell
    value = float(cell) if cell and _is_number(cell) else math.nan
    return value if math.isfinite(value) else None


def _is_number(cell: str) -> bool:
    try:
        float(cell or 0)
    except ValueError:
        return False
    return True


def _asset(name: str) -> str:
    return (files("rnass.report") / "assets" / name).read_text(encoding="utf-8")


def _script(names: Iterable[str]) -> str:
    """Scripts one after the other, none of which closes the element."""
    text = "\n".join(_asset(name) for name in names)
    return _without_source_map(text).replace("</script", "<\\/script")


def _hash(script: str) -> str:
    """The source of a Content-Security-Policy that allows this script and no other one."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _without_source_map(text: str) -> str:
    """*text* without the comment by which a browser's tools look for another file."""
    return re.sub(r"//# sourceMappingURL=\S+|/\*# sourceMappingURL=\S+ \*/", "", text)


def _json(values: Any) -> str:
    """JSON that may stand within an element: no letter of it begins a tag."""
    return json.dumps(values, ensure_ascii=False).replace("<", "\\u003c")
