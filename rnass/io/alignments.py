"""Alignments of several RNAs: Stockholm, aligned FASTA, Clustal, recognised by their first line."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from rnass.errors import InputError, SequenceError, StructureError, counted
from rnass.files import files_in, is_folder, name_of, read_lines, record_name
from rnass.io.stockholm import GAPS, Alignment, expect_one_length, read_stockholm
from rnass.rna import clean_bases, is_clean

__all__ = ["read_aligned", "read_alignments"]

_SUFFIXES = (".sto", ".stk", ".fa", ".fasta", ".afa", ".aln", ".clustal", ".clw")
_AS_DASHES = str.maketrans(dict.fromkeys(GAPS, "-"))
_CLUSTAL = re.compile(r"(CLUSTAL|MUSCLE|PROBCONS|MAFFT|T-COFFEE)\b", re.IGNORECASE)
_MARKS = re.compile(r"[\s*:.]*")  # of the columns that are conserved, under a block of Clustal


def read_aligned(path: str | Path) -> tuple[dict[str, Alignment], list[InputError]]:
    """Read a file of one alignment, or each such file of a folder.

    Returns:
        The alignments by name, and what is wrong with each of the other files of the folder: what
        `read_alignments` raises, several alignments, the name of an earlier one.

    Raises:
        InputError: no alignment can be read.
    """
    found: dict[str, Alignment] = {}
    first: dict[str, Path] = {}
    problems: list[InputError] = []
    for file in files_in(path, _SUFFIXES) if is_folder(path) else [Path(path)]:
        one, name = _read_one(file), record_name(file)
        if isinstance(one, InputError):
            problems.append(one)
        elif name in found:
            where = f"{name_of(file)}: a second alignment {name!r} beside {first[name].name}"
            problems.append(InputError(f"{where}; expected distinct names"))
        else:
            found[name], first[name] = one, file
    if not found:
        raise problems[0]
    return found, problems


def _read_one(path: Path) -> Alignment | InputError:
    """The only alignment of a file, or what is wrong with it."""
    try:
        alignments = read_alignments(path)
    except InputError as error:
        return error
    if len(alignments) != 1:
        return StructureError(f"{name_of(path)}: {counted(len(alignments), 'alignment')}; expected one")
    return alignments[0]


def read_alignments(path: str | Path) -> list[Alignment]:
    """Read every alignment of a file; rows become upper case over ACGUN and `-`.

    Raises:
        StructureError: no rows, unequal rows, two rows of one name, a row without bases. Names file and
            line or row.
        SequenceError: a letter that is no base, with its column.
        InputError: the file cannot be read as text, or is no alignment.
    """
    lines = read_lines(path)
    where = name_of(path)
    first = next((line for line in lines if line.strip()), "")
    if not first:
        raise InputError(f"{where}: empty; expected an alignment: Stockholm, aligned FASTA or Clustal")
    if first.startswith("# STOCKHOLM"):
        found = read_stockholm(path, lines)
        _refuse_repeated(lines, where)
    elif first.startswith(">"):
        found = [_joined(_fasta_rows(lines, where), where)]
    elif _CLUSTAL.match(first):
        found = [_joined(_clustal_rows(lines, where), where)]
    else:
        raise InputError(
            f"{where}: {first[:30]!r}; expected an alignment: Stockholm, aligned FASTA or Clustal"
        )
    return [_checked(alignment, where) for alignment in found]


def _fasta_rows(lines: list[str], where: str) -> dict[str, str]:
    rows: dict[str, str] = {}
    name = ""
    for number, line in enumerate(lines, start=1):
        if line.startswith(">"):
            name = (line[1:].split() or [""])[0]
            if name in rows:
                raise StructureError(f"{where}:{number}: a second row {name!r}; expected distinct names")
            rows[name] = ""
        elif line.strip():
            rows[name] += "".join(line.split())
    return rows


def _clustal_rows(lines: list[str], where: str) -> dict[str, str]:
    rows: dict[str, str] = {}
    for block in _clustal_blocks(lines):
        seen: set[str] = set()
        for number, line in block:
            fields = line.split()
            if len(fields) not in (2, 3):
                raise StructureError(
                    f"{where}:{number}: {line[:30]!r}; expected a name and an aligned row"
                )
            name, text = fields[:2]
            if name in seen:
                raise StructureError(f"{where}:{number}: a second row {name!r}; expected distinct names")
            seen.add(name)
            rows[name] = rows.get(name, "") + text
    return rows


def _clustal_blocks(lines: list[str]) -> Iterator[list[tuple[int, str]]]:
    """The blocks after the title, each of numbered lines; lines of marks are left out."""
    block: list[tuple[int, str]] = []
    for number, line in enumerate([*lines[1:], ""], start=2):
        if line.strip() and not _MARKS.fullmatch(line):
            block.append((number, line))
        elif block:
            yield block
            block = []


def _joined(rows: dict[str, str], where: str) -> Alignment:
    expect_one_length(rows, where)
    return Alignment("", "", rows, where=where)


def _refuse_repeated(lines: list[str], where: str) -> None:
    """Rows of one name in one block of Stockholm, which would be joined end to end."""
    seen: set[str] = set()
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("//"):
            seen = set()
        elif not line.startswith("#"):
            name = line.split()[0]
            if name in seen:
                raise StructureError(f"{where}:{number}: a second row {name!r}; expected distinct names")
            seen.add(name)


def _checked(alignment: Alignment, where: str) -> Alignment:
    """The alignment with clean rows."""
    rows = {name: _clean_row(text, f"{where} ({name})") for name, text in alignment.rows.items()}
    return replace(alignment, rows=rows)


def _clean_row(text: str, where: str) -> str:
    row = text.translate(_AS_DASHES)
    bases = row.replace("-", "")
    if not bases:
        raise StructureError(f"{where}: no bases; expected at least one of A, C, G, U, T")
    try:
        clean = iter(clean_bases(bases, where))
    except SequenceError as error:
        column = next(k for k, s in enumerate(row) if s != "-" and not is_clean(s)) + 1
        raise SequenceError(
            f"{where}: letter {row[column - 1]!r} in column {column}; expected A, C, G, U, T, an IUPAC "
            "code or a gap"
        ) from error
    return "".join("-" if symbol == "-" else next(clean) for symbol in row)
