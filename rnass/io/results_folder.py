"""The contents of a results folder of `rnass predict`, read back."""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnass.errors import InputError, counted
from rnass.files import read_lines, reason
from rnass.io.dot_bracket import read_dot_bracket
from rnass.rna import Rna
from rnass.structure import Structure

__all__ = ["PredictedRecord", "ResultsFolder", "is_results_folder", "read_map", "read_results"]

_SUMMARY, _PREDICTIONS, _RUN = "summary.tsv", "predictions.dbn", "run.json"


@dataclass(frozen=True, eq=False)
class PredictedRecord:
    """One record that was predicted.

    Attributes:
        folder: that holds its files.
        name: of its files, without suffix.
        rna, structure: the RNA and its predicted pairs.
        row: its line of summary.tsv.
    """

    folder: Path
    name: str
    rna: Rna
    structure: Structure
    row: Mapping[str, str]

    def probabilities(self) -> NDArray[np.float32] | None:
        """The pairing probabilities, shape (L, L); None where they were not written.

        Raises:
            InputError: the file is no map of this RNA.
        """
        path = self.folder / f"{self.name}.npy"
        return read_map(path, len(self.rna)) if path.is_file() else None

    def mfe_structure(self) -> Structure | None:
        """ViennaRNA's MFE structure; None where it was not written."""
        path = self.folder / f"{self.name}.vienna.dbn"
        return read_dot_bracket(path)[0][1] if path.is_file() else None


@dataclass(frozen=True, eq=False)
class ResultsFolder:
    """A folder of results.

    Attributes:
        folder: where it is.
        run: what run.json holds; empty where the run was killed before it was written.
        rows: the lines of summary.tsv, failed records among them, column -> cell.
        records: those that were predicted, in the same order.
    """

    folder: Path
    run: Mapping[str, Any]
    rows: list[dict[str, str]]
    records: list[PredictedRecord]


def is_results_folder(path: str | Path) -> bool:
    """Whether a run of `rnass predict` wrote *path*."""
    return all((Path(path) / name).is_file() for name in (_SUMMARY, _PREDICTIONS))


def read_results(folder: str | Path) -> ResultsFolder:
    """Read what a run left; maps are read when they are asked for.

    Raises:
        InputError: the folder holds no results, or its files do not belong together.
    """
    folder = Path(folder)
    if not is_results_folder(folder):
        raise InputError(
            f"{folder}: no results; expected {_SUMMARY} and {_PREDICTIONS} of rnass predict"
        )
    rows = _read_summary(folder / _SUMMARY)
    done = [row for row in rows if row.get("status") == "ok"]
    structures = read_dot_bracket(folder / _PREDICTIONS) if done else []
    if len(done) != len(structures):
        raise InputError(
            f"{folder / _PREDICTIONS}: {counted(len(structures), 'record')}; expected {len(done)}, as "
            f"in {_SUMMARY}"
        )
    records = [
        PredictedRecord(folder, row["file"], rna, structure, row)
        for row, (rna, structure) in zip(done, structures, strict=True)
    ]
    return ResultsFolder(folder, _read_run(folder / _RUN), rows, records)


def read_map(path: str | Path, length: int | None = None) -> NDArray[np.float32]:
    """Read a map of pairing probabilities, shape (L, L), from a .npy file.

    Raises:
        InputError: no such file, no array of numbers, not square, or not of *length* bases.
    """
    try:
        values = np.load(path, allow_pickle=False)
    except OSError as error:
        raise InputError(f"{path}: {reason(error)}; expected a .npy map") from error
    except ValueError as error:
        raise InputError(f"{path}: not a NumPy array of numbers; expected a .npy map") from error
    fits = values.ndim == 2 and values.shape[0] == values.shape[1] and length in (None, len(values))
    if not fits or values.dtype.kind != "f":
        expected = "L x L" if length is None else f"{length} x {length}"
        raise InputError(f"{path}: shape {values.shape}, {values.dtype}; expected {expected} numbers")
    return np.asarray(values, dtype=np.float32)


def _read_summary(path: Path) -> list[dict[str, str]]:
    table = csv.reader(read_lines(path), delimiter="\t", quoting=csv.QUOTE_NONE)
    columns = next(table, [])
    if missing := {"id", "file", "status"} - set(columns):
        raise InputError(
            f"{path}:1: no column {', '.join(sorted(missing))}; expected a summary of rnass"
        )
    return [dict(zip(columns, map(_plain, cells), strict=False)) for cells in table]


def _plain(cell: str) -> str:
    r"""A cell without its escapes: \t, \n, \r and \\."""
    parts = cell.split("\\\\")
    for escape, letter in (("\\t", "\t"), ("\\n", "\n"), ("\\r", "\r")):
        parts = [part.replace(escape, letter) for part in parts]
    return "\\".join(parts)


def _read_run(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        values = json.loads("\n".join(read_lines(path)))
    except ValueError as error:
        raise InputError(f"{path}: {error}; expected JSON") from error
    return values if isinstance(values, dict) else {}
