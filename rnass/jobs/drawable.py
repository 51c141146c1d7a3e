"""Structures and maps to draw, from files and results folders."""

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Sequence as Items
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from rnass.errors import InputError, counted
from rnass.files import files_in, is_file, is_folder
from rnass.io import (
    STRUCTURE_SUFFIXES,
    BadEntry,
    Reactivities,
    file_names,
    reactivity_entries,
    read_map,
    read_results,
    read_structures,
)
from rnass.io.entries import collected, some_good
from rnass.io.results_folder import is_results_folder, parts_of
from rnass.rna import Rna
from rnass.structure import Structure

__all__ = ["Drawable", "counterpart", "reactivities_of", "read_drawables"]


@dataclass(frozen=True, eq=False)
class Drawable:
    """An RNA with its structure, its pairing probabilities, or both.

    Attributes:
        rna: its bases are all N where a map stands alone.
        structure: None for a map alone.
        load: gives the probabilities, shape (L, L), or None; sparse of a long RNA.
        source: whose they are: `rnass`, or a file's name.
        where: file or folder that it was read from, for messages.
    """

    rna: Rna
    structure: Structure | None
    load: Callable[[], NDArray[np.float32] | csr_array | None]
    source: str
    where: str


def read_drawables(
    paths: Iterable[str | Path], problems: list[InputError] | None = None
) -> list[Drawable]:
    """Every record of some files and folders, in order; maps are read when they are drawn.

    A structure file that holds one record has the map of the same name beside it, if there is one, and
    a map has the structure: NAME.ct and NAME.npy. What is wrong with a record or a file goes to
    *problems*, if they are given, and costs the others nothing.

    Raises:
        InputError: a file or a folder that holds nothing to draw; names it, and the line at fault.
    """
    found: list[Drawable] = []
    for path in paths:
        with collected(problems):
            found += _read(Path(path), problems)
    return some_good(found, problems)


def counterpart(one: Drawable, others: Items[Drawable], where: str) -> Drawable:
    """The record among *others* of the same id; the only one if there is one alone.

    Raises:
        InputError: there is none, or it has another number of bases.
    """
    found = [other for other in others if other.rna.id == one.rna.id][:1] or others[:1]
    if len(others) != 1 and found and found[0].rna.id != one.rna.id:
        raise InputError(f"{where}: no record {one.rna.id}; expected one to hold against it")
    if len(found[0].rna) != len(one.rna):
        raise InputError(
            f"{where} ({found[0].rna.id}): {counted(len(found[0].rna), 'base')}; expected "
            f"{len(one.rna)}, as in {one.rna.id}"
        )
    return found[0]


def reactivities_of(
    path: str | Path, drawables: Items[Drawable]
) -> list[NDArray[np.float64] | InputError | None]:
    """The reactivities of each record, shape (L,), NaN where missing; None for one that has none.

    An entry that cannot be read, or has more values than the record has bases, is the error of its
    record.

    Raises:
        InputError: a file that cannot be read, or that names no record drawn.
    """
    items = reactivity_entries(path)
    alone = len(items) == len(drawables) == 1 and not items[0].named
    found: list[NDArray[np.float64] | InputError | None] = []
    names = file_names(one.rna.id for one in drawables)
    for one, name in zip(drawables, names, strict=True):
        mine = [item for item in items if alone or item.name in (one.rna.id, name)]
        if not mine:
            found.append(None)
        elif isinstance(mine[0], BadEntry):
            found.append(mine[0].error)
        else:
            found.append(_padded(mine[0], one.rna))
    if all(values is None for values in found):
        raise InputError(f"{path}: reactivities of none of the records drawn; expected the id of one")
    return found


def _padded(given: Reactivities, rna: Rna) -> NDArray[np.float64] | InputError:
    """One value for each base, or the error of more."""
    if (extra := len(given.values)) > len(rna):
        return InputError(
            f"{given.where}: {counted(extra, 'value')}; expected at most {len(rna)}, one for each base "
            f"of {rna.id}"
        )
    values = np.full(len(rna), np.nan)
    values[: len(given.values)] = given.values
    return values


def _read(path: Path, problems: list[InputError] | None) -> Iterator[Drawable]:
    if is_folder(path) and is_results_folder(path):
        for record in read_results(path).records:
            yield Drawable(record.rna, record.structure, record.decoded_map, "rnass", str(path))
    elif is_folder(path):
        for file in parts_of(path) or files_in(path, STRUCTURE_SUFFIXES):
            with collected(problems):
                yield from _of_structures(file, problems)
    elif path.suffix.lower() == ".npy":
        yield _of_map(path)
    else:
        yield from _of_structures(path, problems)


def _of_structures(path: Path, problems: list[InputError] | None) -> Iterator[Drawable]:
    records, where = read_structures(path, problems), str(path)
    beside = path.with_suffix(".decoded.npy")  # the map that the structure was decoded from
    if not is_file(beside):
        beside = path.with_suffix(".npy")
    maps = len(records) == 1 and is_file(beside)
    for rna, structure in records:
        if maps:
            yield Drawable(
                rna, structure, partial(read_map, beside, len(rna)), _owner(beside), str(path)
            )
        else:
            yield Drawable(rna, structure, lambda: None, path.name, where)


def _of_map(path: Path) -> Drawable:
    beside = [path.with_suffix(suffix) for suffix in STRUCTURE_SUFFIXES]
    for file in beside:
        records = read_structures(file) if is_file(file) else []
        if len(records) == 1:
            rna, structure = records[0]
            return Drawable(rna, structure, partial(read_map, path, len(rna)), _owner(path), str(path))
    values = read_map(path)
    return Drawable(Rna(path.stem, "N" * len(values)), None, lambda: values, _owner(path), str(path))


def _owner(path: Path) -> str:
    """Whose a map is: rnass's, in a folder of its results."""
    return "rnass" if is_results_folder(path.parent) else path.name
