"""Files of hard constraints.

ViennaRNA's: a line `. x | < > ( )` as long as the RNA, under its name and perhaps its bases; `[ ]` and
`{ }` are pairs too, which may cross.
RNAstructure's CON: sections of base numbers, from 1, each ended by -1, and in files that its programs
write a last section of microarray constraints, which begins with their number
(https://rna.urmc.rochester.edu/Text/File_Formats.html#Constraint).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from rnass.constraints import CONSTRAINT_SYMBOLS
from rnass.errors import ConstraintError, counted
from rnass.files import is_there, name_of, read_lines, record_name
from rnass.io.entries import BadEntry, all_good, entries_of, entry
from rnass.rna import Rna

__all__ = [
    "ConSections",
    "ConstraintLine",
    "constraint_entries",
    "is_constraint_line",
    "read_constraints",
]

_CONSTRAINING = frozenset(CONSTRAINT_SYMBOLS)
_SYMBOLS = _CONSTRAINING | {"&"}
_EXPECTED = " ".join(CONSTRAINT_SYMBOLS)
_SUFFIXES = (".con", ".txt", ".fa", ".fasta")
_MICROARRAY = "microarray constraints:"
_SECTIONS = {  # how CON names them in lower case, and the field
    "ds": "paired",
    "ss": "unpaired",
    "mod": "modified",
    "pairs": "pairs",
    "fmn": "cleaved",
    "forbids": "forbidden",
}


@dataclass(frozen=True)
class ConstraintLine:
    """A line of ViennaRNA's notation.

    Attributes:
        name: of the record it is for; the file's name without suffix where it has no header.
        line: the symbols.
        where: file, line and record, for messages.
        named: whether the name was a header.
        sequence: the RNA that stands above it, None without one.
    """

    name: str
    line: str
    where: str
    named: bool = True
    sequence: Rna | None = None


@dataclass(frozen=True)
class ConSections:
    """The sections of an RNAstructure CON file; bases are 0-based.

    Attributes:
        name, where, named: as for `ConstraintLine`.
        paired, unpaired, modified, cleaved: bases of DS, SS, Mod and FMN.
        pairs, forbidden: pairs (i, j), i < j, of Pairs and Forbids.
    """

    name: str
    where: str
    named: bool = False
    paired: frozenset[int] = frozenset()
    unpaired: frozenset[int] = frozenset()
    modified: frozenset[int] = frozenset()
    cleaved: frozenset[int] = frozenset()
    pairs: frozenset[tuple[int, int]] = frozenset()
    forbidden: frozenset[tuple[int, int]] = frozenset()


def is_constraint_line(text: str, bases: int) -> bool:
    """Whether a line under an RNA of that many bases is a constraint rather than letters or a header.

    A line that begins with `>` is one if it is as long as the RNA and has no other symbols; a header
    such as `>xxxxx` under an RNA of six bases has to be called something else.
    """
    if not text or not set(text) <= _SYMBOLS or text == "&":
        return False
    return not text.startswith(">") or len(text.replace("&", "")) == bases


def read_constraints(path: str | Path) -> list[ConstraintLine | ConSections]:
    """Read a file, or every `.con`, `.txt`, `.fa` and `.fasta` of a folder, sorted by name.

    A CON file is known by its sections. Any other holds blocks: a `>` header, the bases if one likes,
    the constraint on one line; a file of one block may go without the header. A block of bases alone
    is passed over.

    Raises:
        ConstraintError: a block with nothing or with two constraints, a file without any, a section
            that is unknown, repeated or never ended, a base number that is none. Names file and line.
        SequenceError: a letter that is no base. Names file and line.
        InputError: the file cannot be read as text; a folder without constraints.
    """
    return all_good(constraint_entries(path))


def constraint_entries(path: str | Path) -> list[ConstraintLine | ConSections | BadEntry]:
    """As `read_constraints`; a bad block with a header, or bad file of a folder, is a `BadEntry`."""
    if set(str(path)) <= _SYMBOLS and not is_there(path):
        raise ConstraintError(
            f"{path}: no such file; expected a file with this line under '>' and the id of the record"
        )
    return entries_of(path, _SUFFIXES, _read_file)


def _read_file(path: Path) -> Sequence[ConstraintLine | ConSections | BadEntry]:
    lines = [
        (number, line.strip())
        for number, line in enumerate(read_lines(path), start=1)
        if line.strip() and not line.startswith((";", "#"))
    ]
    if not lines:
        raise ConstraintError(f"{name_of(path)}: no constraints; expected a line of {_EXPECTED} or CON")
    if lines[0][1].lower().removesuffix(":") in _SECTIONS and lines[0][1].endswith(":"):
        return [_con(path, iter(lines))]
    return _blocks(path, lines)


@dataclass
class _Block:
    """A header and what stands under it; line 0 where there is none."""

    line: int
    header: str
    letters: list[tuple[int, str]] = field(default_factory=list)
    constraints: list[tuple[int, str]] = field(default_factory=list)
    bases: int = 0  # letters so far, without the sign between two strands

    @property
    def name(self) -> str:
        return (self.header.split() or [""])[0]

    def add(self, number: int, text: str) -> None:
        # any such symbol: a slip in a constraint is not taken for letters
        if set(text) & _CONSTRAINING:
            self.constraints.append((number, text))
        else:
            self.letters.append((number, text))
            self.bases += len(text.replace("&", ""))


def _blocks(path: Path, lines: list[tuple[int, str]]) -> list[ConstraintLine | BadEntry]:
    """The blocks of a file in ViennaRNA's notation that have a constraint."""
    blocks: list[_Block] = []
    for number, text in lines:
        open_ = bool(blocks and blocks[-1].letters and not blocks[-1].constraints)
        if text.startswith(">") and not (open_ and is_constraint_line(text, blocks[-1].bases)):
            blocks.append(_Block(number, text[1:].strip()))
            continue
        if not blocks:
            blocks.append(_Block(0, record_name(path)))
        blocks[-1].add(number, text)
    given = [
        entry(block.name, path, partial(_block, path, block)) if block.line else _block(path, block)
        for block in blocks
    ]
    found = [one for one in given if one is not None]
    if not found:
        raise ConstraintError(f"{name_of(path)}: no constraints; expected a line of {_EXPECTED}")
    return found


def _block(path: Path, block: _Block) -> ConstraintLine | None:
    name = block.name

    def place(number: int) -> str:
        return f"{name_of(path)}:{number}" + (f" ({name})" if block.line else "")

    if not (block.letters or block.constraints):
        raise ConstraintError(f"{place(block.line)}: nothing here; expected a line of {_EXPECTED}")
    sequence = None
    if block.letters:
        letters = "".join(text for _, text in block.letters)
        sequence = Rna.from_text(letters, block.header, place(block.letters[0][0]))
    if not block.constraints:
        return None
    if len(block.constraints) > 1:
        again = place(block.constraints[1][0])
        raise ConstraintError(f"{again}: a second constraint; expected one line for each record")
    number, line = block.constraints[0]
    if block.letters and block.letters[-1][0] > number:
        raise ConstraintError(
            f"{place(block.letters[-1][0])}: letters under the constraint; expected it to be last"
        )
    return ConstraintLine(name, line, place(number), bool(block.line), sequence)


def _con(path: Path, lines: Iterator[tuple[int, str]]) -> ConSections:
    """A file of sections, `DS:` and the like."""
    found: dict[str, frozenset[int] | frozenset[tuple[int, int]]] = {}
    for number, line in lines:
        where = f"{name_of(path)}:{number}"
        heading = line.strip()
        if heading.lower() == _MICROARRAY:
            _refuse_microarray(path, number, lines)
            continue
        kind = _SECTIONS.get(heading.lower().removesuffix(":")) if heading.endswith(":") else None
        if kind is None:
            raise ConstraintError(
                f"{where}: {heading!r}; expected a section, DS: SS: Mod: Pairs: FMN: or Forbids:"
            )
        if kind in found:
            raise ConstraintError(f"{where}: section {heading} stands twice; expected it once")
        rows = list(_rows(path, lines, 2 if kind in ("pairs", "forbidden") else 1, where))
        if kind in ("pairs", "forbidden"):
            found[kind] = frozenset((min(row), max(row)) for row in rows)
        else:
            found[kind] = frozenset(row[0] for row in rows)
    return ConSections(record_name(path), name_of(path), **found)  # type: ignore[arg-type]


def _refuse_microarray(path: Path, heading: int, lines: Iterator[tuple[int, str]]) -> None:
    """Read the last section, which must hold no constraint: stretches of bases that mostly pair."""
    number, line = next(lines, (heading, ""))
    if line.strip() != "0":
        raise ConstraintError(
            f"{name_of(path)}:{number}: {line.strip()[:20]!r} microarray constraints, which are not "
            "supported; expected 0"
        )


def _rows(
    path: Path, lines: Iterator[tuple[int, str]], width: int, heading: str
) -> Iterator[tuple[int, ...]]:
    """The rows of a section up to -1, bases from 0."""
    for number, line in lines:
        where, fields = f"{name_of(path)}:{number}", line.split()
        if fields[0] == "-1":
            if set(fields) != {"-1"} or len(fields) > width:
                raise ConstraintError(f"{where}: {line.strip()!r}; expected -1 to end the section")
            return
        if len(fields) != width:
            raise ConstraintError(f"{where}: {counted(len(fields), 'column')}; expected {width}")
        for text in fields:
            if not (text.isascii() and text.isdigit() and 0 < len(text) < 10 and int(text)):
                raise ConstraintError(f"{where}: base {text!r}; expected a number from 1, or -1")
        row = tuple(int(text) - 1 for text in fields)
        if width == 2 and row[0] == row[1]:
            raise ConstraintError(f"{where}: base {fields[0]} with itself; expected two bases")
        yield row
    raise ConstraintError(f"{heading}: the section is never ended; expected a line -1 after it")
