"""Structures as JSON: for programs; pairs are listed, so that no order of pseudoknots is too high.

    {"format": "rnass structures", "version": 1, "records": [
      {"id": "x", "description": "x y", "sequence": "GAAAC", "dot_bracket": "(...)", "pairs": [[1, 5]]}
    ]}

Bases are counted from 1. `dot_bracket` is null where it has no bracket for an order.
"""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from rnass.errors import InputError, StructureError
from rnass.files import name_of, read_lines, write_text
from rnass.io.names import title_of
from rnass.io.pair_rows import check_lengths
from rnass.rna import Rna
from rnass.structure import MAX_ORDER, Structure

__all__ = ["read_json_structures", "write_json_structures"]

_FORMAT, _VERSION = "rnass structures", 1


def write_json_structures(path: str | Path, records: Iterable[tuple[Rna, Structure]]) -> None:
    """Write any number of records; inverse of `read_json_structures`.

    Raises:
        StructureError: unequal lengths.
        OutputError: the file cannot be written.
    """
    lines = ",\n".join(f"  {json.dumps(_entry(*record), ensure_ascii=False)}" for record in records)
    head = f'{{"format": "{_FORMAT}", "version": {_VERSION}, "records": ['
    write_text(path, f"{head}\n{lines}\n]}}\n")


def read_json_structures(path: str | Path) -> list[tuple[Rna, Structure]]:
    """Read every record; inverse of `write_json_structures`.

    `pairs` or `dot_bracket` may be missing or null; where both are there they must agree.

    Raises:
        StructureError: no JSON of this format, a record without id, sequence or structure, a letter
            that is no base, pairs out of range or twice. Names file and line, or file and record.
        InputError: the file cannot be read as text.
    """
    where = name_of(path)
    try:
        values = json.loads("\n".join(read_lines(path)))
    except json.JSONDecodeError as error:
        raise StructureError(f"{where}:{error.lineno}: {error.msg}; expected JSON") from error
    kind = (values.get("format"), values.get("version")) if isinstance(values, dict) else ()
    if kind != (_FORMAT, _VERSION):
        expected = f'"format": "{_FORMAT}", "version": {_VERSION}'
        raise StructureError(f"{where}:1: another kind of JSON; expected an object with {expected}")
    entries = values.get("records")
    if not isinstance(entries, list):
        raise StructureError(f'{where}:1: no "records"; expected a list of them')
    return [_record(entry, f"{where}: record {k}") for k, entry in enumerate(entries, start=1)]


def _entry(sequence: Rna, structure: Structure) -> dict[str, Any]:
    check_lengths(sequence, structure)
    return {
        "id": sequence.id,
        "description": title_of(sequence),
        "sequence": sequence.text,
        "dot_bracket": structure.dot_bracket if structure.pseudoknot_order <= MAX_ORDER else None,
        "pairs": (structure.pairs + 1).tolist(),
    }


def _record(entry: Any, where: str) -> tuple[Rna, Structure]:
    if not isinstance(entry, dict):
        raise StructureError(f"{where}: {entry!r:.30}; expected an object")
    for key, default in (("id", None), ("sequence", None), ("description", "")):
        if not isinstance(entry.get(key, default), str):
            raise StructureError(f"{where}: {key} is {entry.get(key)!r:.30}; expected text")
    try:
        read = Rna.from_text(entry["sequence"], where=where)
    except InputError as error:
        raise StructureError(str(error)) from error
    sequence = replace(read, id=entry["id"], description=entry.get("description", "") or entry["id"])
    return sequence, _structure(entry, len(sequence), where)


def _structure(entry: dict[str, Any], length: int, where: str) -> Structure:
    """What the pairs and the brackets say, which must be the same."""
    found = []
    if (pairs := entry.get("pairs")) is not None:
        if not (isinstance(pairs, list) and all(_is_pair(pair) for pair in pairs)):
            raise StructureError(
                f"{where}: pairs are {pairs!r:.30}; expected a list like [[1, 9], [2, 8]]"
            )
        try:
            found.append(Structure(length, [(i - 1, j - 1) for i, j in pairs]))
        except StructureError as error:
            raise StructureError(f"{where}: {error}") from error
    if (brackets := entry.get("dot_bracket")) is not None:
        if not isinstance(brackets, str) or len(brackets) != length:
            raise StructureError(f"{where}: dot_bracket is {brackets!r:.30}; expected {length} symbols")
        found.append(Structure.from_dot_bracket(brackets, where))
    if not found:
        raise StructureError(f"{where}: neither pairs nor dot_bracket; expected one of them")
    if found[0] != found[-1]:
        raise StructureError(f"{where}: pairs and dot_bracket differ; expected the same structure")
    return found[0]


def _is_pair(pair: Any) -> bool:
    return isinstance(pair, list) and len(pair) == 2 and all(type(base) is int for base in pair)
