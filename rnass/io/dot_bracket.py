"""Dot-bracket (.dbn): `>` and a header, the bases on one line, the brackets on the next.

As ViennaRNA's tools write it; `rnass.structure` has the kinds of brackets and their order.
"""

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from rnass.errors import InputError, SequenceError, StructureError, counted, visible
from rnass.files import name_of, read_lines, record_name, write_text
from rnass.io.entries import collected
from rnass.io.names import header_of, named_in_comment, title_of
from rnass.io.pair_rows import check_lengths
from rnass.rna import Rna
from rnass.structure import Structure

__all__ = ["format_dot_bracket", "pair_up", "read_dot_bracket", "write_dot_bracket"]

log = logging.getLogger("rnass")

_NUMBER = r"[-+]?\d*\.?\d+(?:[eE][-+]?\d+)?"
_NUMBERS = re.compile(rf"{_NUMBER}(?:\s+{_NUMBER})*")
_ENERGY = re.compile(rf"[(\[{{]\s*{_NUMBER}(?: kcal/mol)?(?: \w+={_NUMBER})*\s*[)\]}}]|{_NUMBER}")
_ANY_BRACKETS = re.compile(r"[A-Za-z.,|()\[\]{}<>&]*[.,|()\[\]{}<>][A-Za-z.,|()\[\]{}<>&]*")
_SYMBOLS = set(".,|()[]{}<>")
_ENSEMBLE = "frequency of mfe structure in ensemble"


def format_dot_bracket(rna: Rna, structure: Structure) -> str:
    """One record, three lines; `&` between two strands.

    Raises:
        StructureError: unequal lengths, or more levels of pseudoknots than there are brackets.
    """
    check_lengths(rna, structure)
    return f">{title_of(rna)}\n{rna.text}\n{rna.mark(structure.dot_bracket)}\n"


def write_dot_bracket(path: str | Path, records: Iterable[tuple[Rna, Structure]]) -> None:
    """Write any number of records; inverse of `read_dot_bracket`.

    Raises:
        StructureError: unequal lengths, or more levels of pseudoknots than there are brackets.
        OutputError: the file cannot be written.
    """
    write_text(path, "".join(format_dot_bracket(*record) for record in records))


def read_dot_bracket(
    path: str | Path,
    lines: Iterable[str] | None = None,
    problems: list[InputError] | None = None,
) -> list[tuple[Rna, Structure]]:
    """Read every record; inverse of `write_dot_bracket`.

    Also as RNAfold (with `-p`), RNAsubopt, RNAstructure, RNA STRAND and bpRNA write them: bases and
    brackets may go over several lines each, energies may stand behind both and before the header. Of a
    record with several structures the first is read, and a warning is logged. A record begins with `>`
    or with a comment `#Name: x`; other lines that begin with `#` or `;` are passed over. A file of one
    record may go without the header; the record is then called as the file is.

    *lines* are those of the file, where they were read already. What is wrong with a record goes to
    *problems*, if they are given, and costs the others nothing.

    Raises:
        StructureError: a record without bases or without brackets, or with unequal numbers of them; a
            letter that is no base, unbalanced or unknown brackets, other text. Names file and line.
        InputError: the file cannot be read as text.
    """
    lines = read_lines(path) if lines is None else lines
    drafts: list[_Draft] = []
    named = ""
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if line.startswith(("#", ";")):
            named = named_in_comment(line) or named
        elif text.startswith(">") and not (drafts and drafts[-1].goes_on(text)):
            drafts.append(_Draft(name_of(path), number, header_of(text[1:]) or named))
            named = ""
        elif text:
            if named or not drafts:
                drafts.append(_Draft(name_of(path), number, named or record_name(path)))
                named = ""
            with collected(problems):
                drafts[-1].add(number, text)
    if not drafts:
        raise StructureError(f"{name_of(path)}: no records; expected '>name', bases, brackets")
    records = []
    for draft in drafts:
        with collected(problems):
            if draft.whole:
                records.append(draft.finish())
    if several := [draft for draft in drafts if draft.further]:
        log.warning(
            "%s: %s with several structures, %s the first; only the first structure of each is read",
            visible(name_of(path)),
            counted(len(several), "record"),
            visible(several[0].name),
        )
    return records


def pair_up(
    bases: str, brackets: str, header: str, *, bases_at: str, brackets_at: str
) -> tuple[Rna, Structure]:
    """Build a record from its two strings and the places where they stand, for messages.

    Raises:
        StructureError: unequal lengths, a letter that is no base, unbalanced or unknown brackets.
    """
    try:
        rna = Rna.from_text(bases, header, bases_at)
    except SequenceError as error:
        raise StructureError(str(error)) from error
    brackets = rna.unmark(brackets)
    if len(brackets) != len(rna):
        raise StructureError(
            f"{brackets_at}: {counted(len(brackets), 'symbol')} for {counted(len(rna), 'base')}; "
            "expected one each"
        )
    return rna, Structure.from_dot_bracket(brackets, brackets_at)


@dataclass
class _Draft:
    """A record while its lines come in.

    Attributes:
        file, line: where it begins.
        header: the whole header line.
        bases, brackets: line number and text.
        missing: bases that no bracket or dot has been read for yet.
        further: structures after the first.
        whole: no line of it was refused.
    """

    file: str
    line: int
    header: str
    bases: list[tuple[int, str]] = field(default_factory=list)
    brackets: list[tuple[int, str]] = field(default_factory=list)
    missing: int = 0
    further: int = 0
    whole: bool = True

    @property
    def name(self) -> str:
        """The first word of the header, for messages."""
        return (self.header.split() or ["no name"])[0]

    def goes_on(self, text: str) -> bool:
        """Whether a line that begins with `>` is the rest of the brackets rather than a header."""
        word = text.split(maxsplit=1)[0]
        if word.lstrip(">")[:1].isalpha():  # letters are brackets too, but begin a header
            return False
        return bool(self.brackets) and len(word) <= self.missing and bool(_ANY_BRACKETS.fullmatch(word))

    def add(self, number: int, text: str) -> None:
        """Take a line: bases, then brackets for all of them, then further structures."""
        word, rest = [*text.split(maxsplit=1), ""][:2]
        if not (self.brackets or set(word) & _SYMBOLS):
            line = word if _NUMBERS.fullmatch(rest) else text
            self.bases.append((number, line))
            self.missing += len(line.replace("&", ""))
        elif self.missing > 0 or not self.brackets:
            line = word if _ENERGY.fullmatch(rest) else text
            self.brackets.append((number, line))
            self.missing -= len(line.replace("&", ""))
        elif _ANY_BRACKETS.fullmatch(word) and (not rest or _ENERGY.fullmatch(rest)):
            self.further += 1
        elif self.whole and not text.startswith(_ENSEMBLE):
            self.whole = False
            raise StructureError(
                f"{self.file}:{number} ({self.name}): {text[:20]!r} after the brackets; "
                "expected the header of another record, '>name'"
            )

    def finish(self) -> tuple[Rna, Structure]:
        """The record; raises StructureError."""
        if not (self.bases and self.brackets):
            lacking = "brackets" if self.bases else "bases"
            raise StructureError(
                f"{self.file}:{self.line} ({self.name}): no {lacking} in the record; "
                "expected '>name', bases, brackets"
            )
        bases, brackets = ("".join(text for _, text in part) for part in (self.bases, self.brackets))
        return pair_up(
            bases,
            brackets,
            self.header,
            bases_at=f"{self.file}:{self.bases[0][0]} ({self.name})",
            brackets_at=f"{self.file}:{self.brackets[0][0]} ({self.name})",
        )
