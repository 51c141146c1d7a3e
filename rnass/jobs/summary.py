"""summary.tsv: one line per record."""

from collections.abc import Sequence as Items
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

from rnass.files import write_text

__all__ = ["SummaryRow", "write_summary"]


@dataclass(frozen=True, kw_only=True)
class SummaryRow:
    """One line of summary.tsv; the fields are its columns. None is an empty cell.

    Attributes:
        id: the first word of the header.
        file: the name of the record's files, without suffix; empty if it has none.
        length, pairs, pseudoknot_order: bases, pairs, order of the highest pair.
        confidence: in [0, 1].
        mfe_kcal_mol, f1_mfe: energy of ViennaRNA's MFE structure, and F1 of rnass's structure against
            it, in [0, 1].
        mea_kcal_mol, f1_mea, centroid_kcal_mol, f1_centroid: the same for ViennaRNA's MEA and centroid
            structures; columns that no row fills are left out.
        elements: one letter per base, as `rnass.elements` has them, and how many stems, hairpins, ...
            there are; left out unless asked for.
        seconds: time taken.
        status, message: "failed" and why, else "ok".
    """

    id: str
    file: str = ""
    length: int | None = None
    pairs: int | None = None
    pseudoknot_order: int | None = None
    confidence: float | None = None
    mfe_kcal_mol: float | None = None
    f1_mfe: float | None = None
    mea_kcal_mol: float | None = None
    f1_mea: float | None = None
    centroid_kcal_mol: float | None = None
    f1_centroid: float | None = None
    elements: str | None = None
    stems: int | None = None
    hairpins: int | None = None
    bulges: int | None = None
    interior_loops: int | None = None
    multiloops: int | None = None
    pseudoknotted_helices: int | None = None
    seconds: float | None = None
    status: Literal["ok", "failed"] = "ok"
    message: str = ""


_COLUMNS = tuple(field.name for field in fields(SummaryRow))
_OPTIONAL = {"mea_kcal_mol", "f1_mea", "centroid_kcal_mol", "f1_centroid"}
_OPTIONAL |= {"elements", "stems", "hairpins", "bulges", "interior_loops", "multiloops"}
_OPTIONAL |= {"pseudoknotted_helices"}
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def write_summary(path: str | Path, rows: Items[SummaryRow], columns: Items[str] | None = None) -> None:
    r"""Write rows as tab-separated text; tab, line ends and backslash become \t, \n, \r and \\.

    Args:
        path: of the file.
        rows: its lines.
        columns: which fields, None for all that any row may fill.

    Raises:
        OutputError: the file cannot be written.
    """
    columns = columns or [
        name
        for name in _COLUMNS
        if name not in _OPTIONAL or any(getattr(row, name) is not None for row in rows)
    ]
    lines = ["\t".join(columns)]
    lines += ["\t".join(_cell(getattr(row, name)) for name in columns) for row in rows]
    write_text(path, "".join(f"{line}\n" for line in lines))


def _cell(value: str | float | None) -> str:
    if isinstance(value, float):
        return str(round(float(value), 4))
    return "" if value is None else str(value).translate(_ESCAPES)
