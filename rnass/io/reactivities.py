"""Chemical probing (SHAPE, DMS): a reactivity for each base, or none where it was not measured.

`.shape` and `.dat`: base from 1 and reactivity, as RNAstructure and ViennaRNA read them; ViennaRNA's may
have the letter between. `.map` of ShapeMapper: base, reactivity, standard error, letter. RDAT: Cordero
et al. 2012, doi:10.1093/bioinformatics/bts554.
"""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rnass.errors import InputError, counted
from rnass.files import name_of, read_lines, record_name
from rnass.io.entries import BadEntry, all_good, entries_of, entry
from rnass.rna import MISSING_REACTIVITY, clean_bases

__all__ = ["Reactivities", "reactivity_entries", "read_reactivities"]

_SUFFIXES = (".shape", ".dat", ".map", ".rdat", ".txt")
_LONGEST = 1_000_000  # bases: a position above this is a slip, not an RNA
_COLUMNS = {2: (1, None), 3: (2, 1), 4: (1, 3)}  # by their number: where reactivity and letter are
_POSITION = re.compile(r"[A-Za-z]?(-?\d{1,9})")


@dataclass(frozen=True, eq=False)
class Reactivities:
    """The reactivities of one RNA.

    Attributes:
        name: of the record; the file's name without suffix where it has no header.
        values: shape (n,), of the first n bases; NaN where missing.
        where: file and record, for messages.
        named: whether the name was a header.
        bases: the first n bases of the RNA that was probed, N where the file has no letter; None
            where it has none at all.
        complete: whether these are all the bases of the RNA.
    """

    name: str
    values: NDArray[np.float64]
    where: str
    named: bool = False
    bases: str | None = None
    complete: bool = False


def read_reactivities(path: str | Path) -> list[Reactivities]:
    """Read a file, or every `.shape`, `.dat`, `.map`, `.rdat` and `.txt` of a folder, sorted by name.

    A file of 2 to 4 columns is for one RNA, or has a `>` header above the rows of each. An RDAT file is
    known by its first line; each of its constructs must have one row of reactivities.

    Raises:
        InputError: a row that has not 2, 3 or 4 columns, a base number that is none or stands twice, a
            value that is no number, no rows; an RDAT without sequence, positions or reactivities, or
            with unequal numbers of them. Names file and line. Also what cannot be read as text, and
            a folder without such files.
    """
    return all_good(reactivity_entries(path))


def reactivity_entries(path: str | Path) -> list[Reactivities | BadEntry]:
    """As `read_reactivities`; a bad block with a header, or bad file of a folder, is a `BadEntry`."""
    return entries_of(path, _SUFFIXES, _read_file)


def _read_file(path: Path) -> list[Reactivities | BadEntry]:
    lines = [
        (number, line.strip())
        for number, line in enumerate(read_lines(path), start=1)
        if line.strip() and not line.startswith("#")
    ]
    if not lines:
        raise InputError(f"{name_of(path)}: no reactivities; expected rows of base and reactivity")
    if lines[0][1].upper().startswith("RDAT_VERSION"):
        return _constructs(path, lines)
    if not lines[0][1].startswith(">"):
        return [_columns(path, record_name(path), lines, named=False)]
    starts = [k for k, (_, line) in enumerate(lines) if line.startswith(">")]
    blocks = [lines[a:b] for a, b in zip(starts, [*starts[1:], len(lines)], strict=True)]
    names = [(block[0][1][1:].split() or [""])[0] for block in blocks]
    return [
        entry(name, path, partial(_columns, path, name, block[1:], named=True))
        for name, block in zip(names, blocks, strict=True)
    ]


def _columns(path: Path, name: str, rows: list[tuple[int, str]], *, named: bool) -> Reactivities:
    """Rows of base and reactivity, perhaps with the letter."""
    given: dict[int, float] = {}
    letters: dict[int, str] = {}
    record = f" ({name})" if named else ""
    for number, line in rows:
        where, fields = f"{name_of(path)}:{number}{record}", line.split()
        if len(fields) not in _COLUMNS:
            raise InputError(
                f"{where}: {counted(len(fields), 'column')}; expected 2, base and reactivity, 3 with "
                "the letter between, or 4 as in a .map file"
            )
        base = fields[0]
        if not (base.isascii() and base.isdigit() and len(base) < 8 and 0 < int(base) <= _LONGEST):
            raise InputError(f"{where}: base {base!r}; expected a number from 1")
        if int(base) - 1 in given:
            raise InputError(f"{where}: base {base} stands twice; expected each once")
        value, letter = _COLUMNS[len(fields)]
        given[int(base) - 1] = _value(fields[value], where)
        if letter is not None:
            letters[int(base) - 1] = _letter(fields[letter], where)
    where = f"{name_of(path)}{record}"
    if not given:
        raise InputError(f"{where}: no reactivities; expected rows of base and reactivity")
    values = _filled(given)
    bases = "".join(letters.get(k, "N") for k in range(len(values))) if letters else None
    return Reactivities(name, values, where, named, bases)


def _value(text: str, where: str) -> float:
    """A reactivity; NaN for -999, `nan` and `NA`."""
    if text.lower() in ("na", "nan"):
        return math.nan
    try:
        value = math.inf if "_" in text else float(text)  # float() reads 1_000 as Python does
    except ValueError:
        value = math.inf
    if math.isinf(value):
        raise InputError(f"{where}: reactivity {text!r}; expected a number, or -999 where missing")
    return math.nan if value <= MISSING_REACTIVITY / 2 else value


def _letter(text: str, where: str) -> str:
    if len(text) != 1:
        raise InputError(f"{where}: letter {text[:20]!r}; expected A, C, G, U, T or an IUPAC code")
    return clean_bases(text, where)


def _filled(given: dict[int, float]) -> NDArray[np.float64]:
    values = np.full(max(given) + 1, math.nan)
    values[list(given)] = list(given.values())
    return values


def _constructs(path: Path, lines: list[tuple[int, str]]) -> list[Reactivities | BadEntry]:
    """The constructs of an RDAT file; each begins with NAME."""
    starts = [k for k, (_, line) in enumerate(lines) if line.split()[0].upper() == "NAME"] or [0]
    blocks = [lines[a:b] for a, b in zip(starts, [*starts[1:], len(lines)], strict=True)]
    if len(blocks) == 1:  # titles of RDAT are phrases: the file's name is the better one
        return [replace(_construct(path, blocks[0]), name=record_name(path), named=False)]
    return [
        entry(" ".join(block[0][1].split()[1:]), path, partial(_construct, path, block))
        for block in blocks
    ]


def _construct(path: Path, lines: list[tuple[int, str]]) -> Reactivities:
    entries: dict[str, tuple[int, list[str]]] = {}
    for number, line in lines:
        key, *fields = re.split(r"\s+", line)
        kind = key.upper().split(":")[0]
        if kind == "REACTIVITY" and kind in entries:
            raise InputError(
                f"{name_of(path)}:{number}: a second row of reactivities; expected one for each "
                "construct: choose one of several experiments"
            )
        entries.setdefault(kind, (number, fields))
    title = " ".join(entries["NAME"][1]) if "NAME" in entries else record_name(path)
    where = f"{name_of(path)}:{lines[0][0]} ({title})"
    if lacking := [kind for kind in ("SEQUENCE", "SEQPOS", "REACTIVITY") if not _has(entries, kind)]:
        raise InputError(f"{where}: no {', '.join(lacking)}; expected SEQUENCE, SEQPOS and REACTIVITY")
    number, fields = entries["SEQUENCE"]
    bases = clean_bases("".join(fields), f"{name_of(path)}:{number}")
    indices = _indices(path, entries, len(bases))
    number, fields = entries["REACTIVITY"]
    here = f"{name_of(path)}:{number}"
    if len(fields) != len(indices):
        found = counted(len(fields), "value")
        raise InputError(f"{here}: {found} of REACTIVITY; expected {len(indices)}, as in SEQPOS")
    given = {k: _value(text, here) for k, text in zip(indices, fields, strict=True)}
    return Reactivities(title, _filled(given), where, True, bases, complete=True)


def _has(entries: dict[str, tuple[int, list[str]]], kind: str) -> bool:
    return bool(entries.get(kind, (0, []))[1])


def _indices(path: Path, entries: dict[str, tuple[int, list[str]]], length: int) -> list[int]:
    """Bases, from 0, that SEQPOS names: its numbers count from 1 + OFFSET."""
    number, fields = entries.get("OFFSET", (0, ["0"]))
    offset = _numbers(fields[:1], f"{name_of(path)}:{number}")
    number, fields = entries["SEQPOS"]
    where = f"{name_of(path)}:{number}"
    indices = [k - 1 - sum(offset) for k in _numbers(fields, where)]
    for k, text in zip(indices, fields, strict=True):
        if not 0 <= k < length:
            raise InputError(f"{where}: position {text} is outside SEQUENCE; expected {length} bases")
    if len(set(indices)) < len(indices):
        raise InputError(f"{where}: a position stands twice; expected each once")
    return indices


def _numbers(fields: Iterable[str], where: str) -> list[int]:
    """Whole numbers, each perhaps after the letter of its base, as in G12."""
    numbers = []
    for text in fields:
        match = _POSITION.fullmatch(text)
        if match is None:
            raise InputError(f"{where}: position {text!r}; expected a whole number")
        numbers.append(int(match[1]))
    return numbers
