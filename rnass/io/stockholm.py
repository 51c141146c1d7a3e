"""Stockholm alignments (.sto): rows, a consensus structure in WUSS, marks of columns and residues.

The format and the WUSS notation are those of Infernal's user guide (Nawrocki & Eddy 2013,
doi:10.1093/bioinformatics/btt509). Columns are counted from 0 here, from 1 in messages.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from rnass.errors import StructureError, counted
from rnass.files import read_lines, write_text
from rnass.rna import clean_bases
from rnass.structure import Structure

__all__ = ["Alignment", "project", "read_stockholm", "write_stockholm", "wuss_structure"]

_UNPAIRED = str.maketrans(dict.fromkeys(":,_-.~", "."))
_GAPS = "-._~"


@dataclass(frozen=True)
class Alignment:
    """One alignment of a file.

    Attributes:
        accession, name: its `AC` and `ID`; empty where it has none.
        rows: aligned text of each sequence, by name, all of the same length.
        columns: a mark for each column, by kind: `SS_cons`, `RF`.
        residues: a mark for each place of a row, by kind (`PP`) and then name.
    """

    accession: str
    name: str
    rows: Mapping[str, str]
    columns: Mapping[str, str] = field(default_factory=dict)
    residues: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def consensus(self) -> Structure:
        """The consensus structure, one place a column; raises StructureError if there is none."""
        where = f"alignment {self.accession or self.name}"
        if "SS_cons" not in self.columns:
            raise StructureError(f"{where}: no consensus structure; expected a line '#=GC SS_cons'")
        return wuss_structure(self.columns["SS_cons"], where)


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
    held = np.array([symbol not in _GAPS for symbol in row])
    place = np.cumsum(held) - 1
    kept = consensus.pairs[held[consensus.pairs].all(1)]
    bases = clean_bases("".join(symbol for symbol in row if symbol not in _GAPS), where)
    return bases, Structure(len(bases), place[kept])


def read_stockholm(path: str | Path) -> list[Alignment]:
    """Read every alignment of a file, plain or gzip, in one block or interleaved.

    Raises:
        StructureError: lines before the first header, an alignment that is not ended by `//` or has no
            rows, or rows and marks of unequal lengths. Names file and line.
        InputError: the file cannot be read as text.
    """
    alignments: list[Alignment] = []
    draft: _Draft | None = None
    for number, line in enumerate(read_lines(path), start=1):
        where = f"{path}:{number}"
        if line.startswith("# STOCKHOLM"):
            draft = _Draft()
        elif line.strip() == "//" and draft is not None:
            alignments.append(draft.finish(where))
            draft = None
        elif line.strip():
            if draft is None:
                raise StructureError(f"{where}: {line[:20]!r}; expected '# STOCKHOLM 1.0'")
            draft.add(line, where)
    if draft is not None or not alignments:
        raise StructureError(f"{path}: no whole alignment at its end; expected '//' after the rows")
    return alignments


def write_stockholm(path: str | Path, alignments: Iterable[Alignment]) -> None:
    """Write rows and marks of columns, a line each; `read_stockholm` reads them; raises OutputError."""
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
    write_text(path, "".join(f"{line}\n" for line in lines))


@dataclass
class _Draft:
    """An alignment while its lines come in; blocks of an interleaved one are joined."""

    header: dict[str, str] = field(default_factory=dict)
    rows: dict[str, str] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    residues: dict[str, dict[str, str]] = field(default_factory=dict)

    def add(self, line: str, where: str) -> None:
        fields = line.split()
        match fields:
            case ["#=GF", tag, *words]:
                self.header.setdefault(tag, " ".join(words))
            case ["#=GC", kind, text]:
                self.columns[kind] = self.columns.get(kind, "") + text
            case ["#=GR", name, kind, text]:
                marks = self.residues.setdefault(kind, {})
                marks[name] = marks.get(name, "") + text
            case [name, text] if not name.startswith("#"):
                self.rows[name] = self.rows.get(name, "") + text
            case [name, *_] if not name.startswith("#"):
                found = counted(len(fields), "word")
                raise StructureError(f"{where}: {found}; expected a name and an aligned row")

    def finish(self, where: str) -> Alignment:
        marks = [text for kind in self.residues.values() for text in kind.values()]
        lengths = {len(text) for text in (*self.rows.values(), *self.columns.values(), *marks)}
        if not self.rows or len(lengths) > 1:
            found = f"rows and marks of {sorted(lengths)} places" if self.rows else "no rows"
            raise StructureError(f"{where}: an alignment with {found}; expected rows of one length")
        accession, name = (self.header.get(tag, "") for tag in ("AC", "ID"))
        return Alignment(accession, name, self.rows, self.columns, self.residues)
