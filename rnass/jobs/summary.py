"""summary.tsv: one line per record."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rnass.files import write_text

__all__ = ["write_summary"]

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def write_summary(path: str | Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    r"""Write rows as tab-separated text; tab, line ends and backslash become \t, \n, \r and \\.

    Args:
        path: of the file.
        columns: in their order.
        rows: the cells of each line by column; one that is absent or None stays empty.

    Raises:
        OutputError: the file cannot be written.
    """
    lines = ["\t".join(columns)]
    lines += ["\t".join(_cell(row.get(name)) for name in columns) for row in rows]
    write_text(path, "".join(f"{line}\n" for line in lines))


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return str(round(float(value), 4))
    return "" if value is None else str(value).translate(_ESCAPES)
