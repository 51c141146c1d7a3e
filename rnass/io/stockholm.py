"""Stockholm alignments (.sto): rows, a consensus structure in WUSS, marks of columns and residues.

The format and the WUSS notation are those of Infernal's user guide (Nawrocki & Eddy 2013,
doi:10.1093/bioinformatics/btt509). Columns are counted from 0 here, from 1 in messages.
"""

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from rnass.errors import StructureError, counted, visible
from rnass.files import name_of, read_lines, write_text
from rnass.rna import clean_bases
from rnass.structure import Structure

__all__ = [
    "GAPS",
    "Alignment",
    "expect_one_length",
    "format_stockholm",
    "project",
    "read_stockholm",
    "write_stockholm",
    "wuss_structure",
]

log = logging.getLogger("rnass")

_UNPAIRED = str.maketrans(dict.fromkeys(":,_-.~", "."))
GAPS = "-._~"
"""The symbols of a column in which a row has no base."""
_CONSENSUS = "SS_cons"
_FURTHER = re.compile(rf"{_CONSENSUS}(_?\d+)?")


@dataclass(frozen=True)
class Alignment:
    """One alignment of a file.

    Attributes:
        accession, name: its `AC` and `ID`; empty where it has none.
        rows: aligned text of each sequence, by name, all of the same length.
        columns: a mark for each column, by kind: `SS_cons`, `RF`.
        residues: a mark for each place of a row, by kind (`PP`) and then name.
        where: the file and the line of its end, for messages; its name where it was not read.
        lines: the line of the file where a row begins, by name, or a mark of columns, as `#=GC SS_cons`.
    """

    accession: str
    name: str
    rows: Mapping[str, str]
    columns: Mapping[str, str] = field(default_factory=dict)
    residues: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    where: str = field(default="", compare=False)
    lines: Mapping[str, int] = field(default_factory=dict, compare=False)

    @property
    def family(self) -> str:
        """Its accession, or its name where it has none."""
        return self.accession or self.name

    @property
    def consensus(self) -> Structure:
        """The consensus structure, one place a column.

        Its pairs are those of `SS_cons` and of the further lines `SS_cons_1`, `SS_cons_2`, ..., also
        written `SS_cons2`, in which R-scape (Rivas 2020, doi:10.1371/journal.pcbi.1008387) and others
        write pairs that `SS_cons` has no room for. Of two pairs that cross, the one in the later line
        is the pseudoknot, in one line the one in letters.

        Raises:
            StructureError: there is none, it is unbalanced, or its lines give one column two partners.
        """
        if _CONSENSUS not in self.columns:
            raise StructureError(
                f"{self.place('//')}: no consensus structure; expected a line '#=GC {_CONSENSUS}'"
            )
        kinds = [kind for kind in self.columns if _FURTHER.fullmatch(kind)]
        kinds.sort(key=lambda kind: int(kind.removeprefix(_CONSENSUS).lstrip("_") or 0))
        pairs: list[list[int]] = []
        levels: list[int] = []
        for k, kind in enumerate(kinds):
            found = wuss_structure(self.columns[kind], self.place(f"#=GC {kind}"))
            pairs += found.pairs.tolist()
            levels += (found.orders + k * len(self.columns[kind])).tolist()
        try:
            return Structure(len(self.columns[_CONSENSUS]), pairs, levels=levels)
        except StructureError as error:
            where = self.place(f"#=GC {kinds[-1]}")
            raise StructureError(f"{where}: {' and '.join(kinds)} together: {error}") from error

    def place(self, what: str) -> str:
        """The file and line of a row or of a mark of columns, else of its end, for messages."""
        if what not in self.lines:
            where = f"{self.where} ({self.family})" if self.family else self.where
            return where or f"alignment {self.family}"
        return f"{self.where.rpartition(':')[0]}:{self.lines[what]}"


def wuss_structure(text: str, where: str = "consensus") -> Structure:
    """Read WUSS: `<>`, `()`, `[]`, `{}` for nested pairs, letters for pseudoknots.

    >>> wuss_structure("<<_AA__>>:aa").pairs.tolist()
    [[0, 8], [1, 7], [3, 11], [4, 10]]

    Raises:
        StructureError: an unknown symbol or an unmatched bracket.
    """
    return Structure.from_dot_bracket(text.translate(_UNPAIRED), where)


def project(row: str, consensus: Structure, where: str = "row") -> tuple[str, Structure]:
    """The bases of an aligned row and the consensus pairs of which it holds both partners.

    >>> bases, structure = project("GC.GAAA-C", wuss_structure("(<.____>)"))
    >>> bases, structure.dot_bracket
    ('GCGAAAC', '(.....)')

    Raises:
        StructureError: a row of another length than the consensus.
        SequenceError: a letter that is no base, or none at all.
    """
    if len(row) != len(consensus):
        raise StructureError(
            f"{where}: {counted(len(row), 'place')}; expected {len(consensus)}, one for each column"
        )
    held = np.array([symbol not in GAPS for symbol in row])
    place = np.cumsum(held) - 1
    kept = held[consensus.pairs].all(1)
    bases = clean_bases("".join(symbol for symbol in row if symbol not in GAPS), where)
    levels = None if consensus.levels is None else consensus.levels[kept]
    return bases, Structure(len(bases), place[consensus.pairs[kept]], levels=levels)


def read_stockholm(path: str | Path, lines: Iterable[str] | None = None) -> list[Alignment]:
    """Read every alignment of a file, plain or gzip, in one block or interleaved.

    *lines* are those of the file, where they were read already.

    Raises:
        StructureError: lines before the first header, an alignment that is not ended by `//` or has no
            rows, or rows and marks of unequal lengths. Names file and line.
        InputError: the file cannot be read as text.
    """
    lines = read_lines(path) if lines is None else lines
    alignments: list[Alignment] = []
    draft: _Draft | None = None
    for number, line in enumerate(lines, start=1):
        where = f"{name_of(path)}:{number}"
        if line.startswith("# STOCKHOLM"):
            draft = _Draft()
        elif line.strip() == "//" and draft is not None:
            alignments.append(draft.finish(where))
            draft = None
        elif line.strip():
            if draft is None:
                raise StructureError(f"{where}: {line[:20]!r}; expected '# STOCKHOLM 1.0'")
            draft.add(line, number, where)
    if draft is not None or not alignments:
        raise StructureError(
            f"{name_of(path)}: no whole alignment at its end; expected '//' after the rows"
        )
    return alignments


def write_stockholm(path: str | Path, alignments: Iterable[Alignment]) -> None:
    """Write rows and marks of columns, a line each; `read_stockholm` reads them; raises OutputError."""
    write_text(path, format_stockholm(alignments))


def format_stockholm(alignments: Iterable[Alignment]) -> str:
    """The text of a file of alignments: rows and marks of columns, a line each."""
    lines = []
    for one in alignments:
        lines.append("# STOCKHOLM 1.0")
        lines += [
            f"#=GF {tag} {text}" for tag, text in (("AC", one.accession), ("ID", one.name)) if text
        ]
        width = max(map(len, [*one.rows, "#=GC SS_cons"])) + 1
        lines += [f"{name:{width}}{text}" for name, text in one.rows.items()]
        lines += [f"{f'#=GC {kind}':{width}}{text}" for kind, text in one.columns.items()]
        lines.append("//")
    return "".join(f"{line}\n" for line in lines)


@dataclass
class _Draft:
    """An alignment while its lines come in; blocks of an interleaved one are joined."""

    header: dict[str, str] = field(default_factory=dict)
    rows: dict[str, list[str]] = field(default_factory=dict)
    columns: dict[str, list[str]] = field(default_factory=dict)
    residues: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)

    def add(self, line: str, number: int, where: str) -> None:
        fields = line.split()
        match fields:
            case ["#=GF", tag, *words]:
                self.header.setdefault(tag, " ".join(words))
            case ["#=GC", kind, text]:
                self.lines.setdefault(f"#=GC {kind}", number)
                self.columns.setdefault(kind, []).append(text)
            case ["#=GR", name, kind, text]:
                self.residues.setdefault(kind, {}).setdefault(name, []).append(text)
            case [name, text] if not name.startswith("#"):
                self.lines.setdefault(name, number)
                self.rows.setdefault(name, []).append(text)
            case [name, *_] if not name.startswith("#"):
                found = counted(len(fields), "word")
                raise StructureError(f"{where}: {found}; expected a name and an aligned row")

    def finish(self, where: str) -> Alignment:
        rows, columns = _joined(self.rows), _joined(self.columns)
        residues = {kind: _joined(marks) for kind, marks in self.residues.items()}
        marks = [text for kind in residues.values() for text in kind.values()]
        expect_one_length(rows, where)
        length = len(next(iter(rows.values())))
        if other := {len(text) for text in (*columns.values(), *marks)} - {length}:
            found = f"marks of {sorted(other)} places beside rows of {length}"
            raise StructureError(f"{where}: {found}; expected as many")
        for kind in columns:
            if kind.startswith(_CONSENSUS) and not _FURTHER.fullmatch(kind):
                log.warning("%s: pairs in '#=GC %s' are not read", visible(where), visible(kind))
        accession, name = (self.header.get(tag, "") for tag in ("AC", "ID"))
        return Alignment(accession, name, rows, columns, residues, where, self.lines)


def expect_one_length(rows: Mapping[str, str], where: str) -> None:
    """Raise StructureError where there is no row, or one of another length than the first; names it."""
    if not rows:
        raise StructureError(f"{where}: an alignment with no rows; expected some of one length")
    (first, text), *others = rows.items()
    for name, other in others:
        if len(other) != len(text):
            raise StructureError(
                f"{where}: row {visible(name)} has {counted(len(other), 'place')}, row {visible(first)} "
                f"{len(text)}; expected rows of one length"
            )


def _joined(parts: Mapping[str, list[str]]) -> dict[str, str]:
    return {name: "".join(texts) for name, texts in parts.items()}
