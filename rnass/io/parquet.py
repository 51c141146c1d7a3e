"""The table of all predictions of a run, `results.parquet`, by pyarrow, which is an optional extra."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from rnass.errors import DependencyError, InputError, StructureError
from rnass.files import read_limit, write_atomically
from rnass.io.tsv import LabelledRecord
from rnass.programs import import_package
from rnass.rna import Rna
from rnass.structure import Structure

__all__ = ["arrow", "read_predictions", "write_prediction_rows", "write_predictions"]

_BLOCK = 1000  # rows in memory at a time
_READ = ["id", "sequence", "pairs"]  # the columns that make a structure
_OPTIONAL = ["description"]


def arrow() -> tuple[Any, Any]:
    """The modules pyarrow and pyarrow.parquet; raises DependencyError where they are not installed."""
    expected = "it (pip install pyarrow, or rnass with its extra parquet)"
    pyarrow = import_package("pyarrow", "format parquet", expected)
    return pyarrow, import_package("pyarrow.parquet", "format parquet", expected)


def write_predictions(path: str | Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a row for each prediction; bases are numbered from 1.

    Args:
        path: of the file.
        rows: each with `id`, `file`, `description`, `sequence`, `structure` (None where dot-bracket has
            too few kinds of brackets), `pairs` (i, j and probability of each), `unpaired` (a
            probability for each base), `confidence`, `energy_share`, `energy_kcal_mol`,
            `mfe_kcal_mol`, `mfe_structure`, `temperature_celsius` and `salt_molar`.

    Raises:
        DependencyError: pyarrow is not installed.
        OutputError: the file cannot be written.
    """
    arrow()  # before a file is made
    with write_atomically(path) as file:
        write_prediction_rows(file, rows)


def write_prediction_rows(
    file: BinaryIO, rows: Iterable[Mapping[str, Any]], metadata: Mapping[str, str] | None = None
) -> None:
    """As `write_predictions` onto an open file, with *metadata* of the table beside its columns."""
    pyarrow, parquet = arrow()
    schema = _schema(pyarrow).with_metadata(metadata)
    left = iter(rows)
    with parquet.ParquetWriter(file, schema) as writer:
        while block := [_with_named_pairs(row) for row in islice(left, _BLOCK)]:
            writer.write_table(pyarrow.Table.from_pylist(block, schema))


def read_predictions(path: str | Path) -> list[LabelledRecord]:
    """Read the RNAs and their pairs back, from a table that holds at least `id`, `sequence` and `pairs`.

    Raises:
        DependencyError: pyarrow is not installed.
        InputError: no Parquet file, no such columns, more bytes than `rnass.files.read_limit`.
        StructureError: pairs that are none of the sequence; names the row.
    """
    return [_record(row, f"{path}: row {k}") for k, row in enumerate(_rows(path), start=1)]


def _rows(path: str | Path) -> Iterator[dict[str, Any]]:
    _, parquet = arrow()
    try:
        with parquet.ParquetFile(path) as file:
            there = file.schema_arrow.names
            if missing := [name for name in _READ if name not in there]:
                raise InputError(
                    f"{path}: no column {', '.join(missing)}; expected a table of rnass predict"
                )
            groups = range(file.metadata.num_row_groups)
            if sum(file.metadata.row_group(k).total_byte_size for k in groups) > read_limit():
                raise InputError(f"{path}: more than {read_limit():,} bytes; expected less")
            wanted = [*_READ, *(name for name in _OPTIONAL if name in there)]
            for block in file.iter_batches(_BLOCK, columns=wanted):
                yield from block.to_pylist()
    except (InputError, DependencyError):
        raise
    except Exception as error:  # pyarrow has errors of many classes
        raise InputError(f"{path}: {error}; expected a Parquet file") from error


def _record(row: Mapping[str, Any], where: str) -> LabelledRecord:
    if not (isinstance(row["id"], str) and isinstance(row["sequence"], str)):
        raise InputError(f"{where}: id or sequence is no text; expected a table of rnass predict")
    place = f"{where} ({row['id']})"
    rna = Rna.from_text(row["sequence"], row.get("description") or row["id"], place)
    try:
        pairs = [(int(one["i"]) - 1, int(one["j"]) - 1) for one in row["pairs"] or ()]
        return LabelledRecord(rna, Structure(len(rna), pairs))
    except (StructureError, KeyError, TypeError, ValueError) as error:
        raise StructureError(f"{place}: {error}; expected pairs i, j from 1 to {len(rna)}") from error


def _with_named_pairs(row: Mapping[str, Any]) -> dict[str, Any]:
    pairs = [{"i": i, "j": j, "probability": p} for i, j, p in row["pairs"]]
    return {**row, "pairs": pairs}


_NUMBERS = ("confidence", "energy_share", "energy_kcal_mol", "mfe_kcal_mol")
_CONDITIONS = ("temperature_celsius", "salt_molar")


def _schema(pyarrow: Any) -> Any:
    text, number = pyarrow.string(), pyarrow.float32()
    base = pyarrow.int32()
    pair = pyarrow.struct([("i", base), ("j", base), ("probability", number)])
    return pyarrow.schema(
        [
            *((name, text) for name in ("id", "file", "description", "sequence", "structure")),
            ("pairs", pyarrow.list_(pair)),
            ("unpaired", pyarrow.list_(number)),
            *((name, pyarrow.float64()) for name in _NUMBERS),
            ("mfe_structure", text),
            *((name, pyarrow.float64()) for name in _CONDITIONS),
        ]
    )
