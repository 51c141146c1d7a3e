"""The contents of a results folder of `rnass predict`, read back."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from rnass.errors import InputError, counted
from rnass.files import is_file, parse_json, read_lines
from rnass.io.dot_bracket import read_dot_bracket
from rnass.io.maps import MAP_SUFFIXES, read_map, read_sparse_map
from rnass.rna import Rna
from rnass.structure import Structure

__all__ = [
    "PREDICTIONS",
    "REPORT",
    "RUN",
    "SUMMARY",
    "TABLE",
    "PredictedRecord",
    "ResultsFolder",
    "is_part",
    "is_results_folder",
    "parts_of",
    "read_results",
    "read_run",
    "read_summary",
]

SUMMARY, PREDICTIONS, TABLE = "summary.tsv", "predictions.dbn", "results.parquet"
RUN, REPORT = "run.json", "report.html"
"""The files of a folder of results that are not one record's."""


@dataclass(frozen=True, eq=False)
class PredictedRecord:
    """One record that was predicted.

    Attributes:
        folder: the folder with its files.
        name: the name of its files, without suffix.
        rna, structure: the RNA and its predicted pairs.
        row: its line of summary.tsv.
    """

    folder: Path
    name: str
    rna: Rna
    structure: Structure
    row: Mapping[str, str]

    def decoded_map(self) -> NDArray[np.float32] | csr_array | None:
        """The map that the structure was decoded from, (L, L); sparse of a long RNA.

        None where no map was written.

        Raises:
            InputError: the file is no map of this RNA.
        """
        path = self.map_path()
        if path is None:
            return None
        read = read_map if path.suffix == ".npy" else read_sparse_map
        return read(path, len(self.rna))

    def map_path(self) -> Path | None:
        """The file of the map that the structure was decoded from; None where none was written."""
        paths = (self.folder / f"{self.name}{suffix}" for suffix in MAP_SUFFIXES)
        return next(filter(is_file, paths), None)

    def mfe_structure(self) -> Structure | None:
        """ViennaRNA's MFE structure; None where it was not written."""
        path = self.folder / f"{self.name}.vienna.dbn"
        return read_dot_bracket(path)[0][1] if is_file(path) else None


@dataclass(frozen=True, eq=False)
class ResultsFolder:
    """A folder of results.

    Attributes:
        folder: where it is.
        run: the content of run.json; empty where the run was killed before it was written.
        rows: the lines of summary.tsv, failed records included, cells by column.
        records: the predicted records, in the same order.
    """

    folder: Path
    run: Mapping[str, Any]
    rows: list[dict[str, str]]
    records: list[PredictedRecord]


def is_results_folder(path: str | Path) -> bool:
    """Whether a run of `rnass predict` wrote *path*."""
    return all(is_file(Path(path) / name) for name in (SUMMARY, PREDICTIONS))


def is_part(name: str) -> bool:
    """Whether a file is a part of `rnass predict --shard`, by its name."""
    return name.startswith("part-") and name.endswith(".parquet")


def parts_of(folder: str | Path) -> list[Path]:
    """The parts of `rnass predict --shard` in a folder, in their order."""
    found = [path for path in Path(folder).glob("part-*") if is_part(path.name) and is_file(path)]
    return sorted(found, key=lambda path: (len(path.name), path.name))


def read_results(folder: str | Path) -> ResultsFolder:
    """Read a folder; maps are read by `PredictedRecord.decoded_map`.

    Raises:
        InputError: the folder holds no results, or its files do not belong together.
    """
    folder = Path(folder)
    if not is_results_folder(folder):
        raise InputError(f"{folder}: no results; expected {SUMMARY} and {PREDICTIONS} of rnass predict")
    rows = read_summary(folder / SUMMARY)
    done = [row for row in rows if row.get("status") == "ok"]
    structures = read_dot_bracket(folder / PREDICTIONS) if done else []
    if len(done) != len(structures):
        raise InputError(
            f"{folder / PREDICTIONS}: {counted(len(structures), 'record')}; expected {len(done)}, as "
            f"in {SUMMARY}"
        )
    records = [
        PredictedRecord(folder, row["file"], rna, structure, row)
        for row, (rna, structure) in zip(done, structures, strict=True)
    ]
    return ResultsFolder(folder, read_run(folder / RUN), rows, records)


def read_summary(path: Path) -> list[dict[str, str]]:
    """The lines of a summary.tsv, cells by column; raises InputError where it is none."""
    columns, *table = [line.split("\t") for line in read_lines(path)] or [[]]
    if missing := {"id", "file", "status"} - set(columns):
        raise InputError(
            f"{path}:1: no column {', '.join(sorted(missing))}; expected a summary of rnass"
        )
    rows = []
    for number, cells in enumerate(table, start=2):
        if len(cells) != len(columns):
            found = counted(len(cells), "column")
            raise InputError(f"{path}:{number}: {found}; expected {len(columns)}, as in line 1")
        rows.append(dict(zip(columns, map(_plain, cells), strict=True)))
        if Path(name := rows[-1]["file"]).name != name:
            raise InputError(f"{path}:{number}: file {name!r}; expected a name without folders")
    return rows


def _plain(cell: str) -> str:
    r"""A cell without its escapes: \t, \n, \r and \\."""
    parts = cell.split("\\\\")
    for escape, letter in (("\\t", "\t"), ("\\n", "\n"), ("\\r", "\r")):
        parts = [part.replace(escape, letter) for part in parts]
    return "\\".join(parts)


def read_run(path: Path) -> dict[str, Any]:
    """The content of a run.json; empty where there is none."""
    return parse_json("\n".join(read_lines(path)), str(path)) if is_file(path) else {}
