"""One row per base, as CT and BPSEQ write them: the checks that both formats share.

Bases are numbered from 1 here; partner 0 is unpaired.
"""

from collections.abc import Sequence as Items
from dataclasses import replace
from typing import NamedTuple

from rnass.errors import StructureError, counted
from rnass.rna import Rna, clean_bases, is_clean
from rnass.structure import Structure

__all__ = [
    "CRW_HEADINGS",
    "PairRow",
    "check_lengths",
    "from_rows",
    "parse_row",
    "to_rows",
    "whole_number",
]

CRW_HEADINGS = ("Filename:", "Organism:", "Accession Number:", "Citation and related information")
"""The lines above the rows in files of the Comparative RNA Web site."""


class PairRow(NamedTuple):
    """A base, its partner, and where they stand in the file."""

    base: int
    letter: str
    partner: int
    where: str


def check_lengths(rna: Rna, structure: Structure) -> None:
    """Raise StructureError unless the structure has as many bases as the RNA."""
    if len(structure) != len(rna):
        raise StructureError(
            f"{rna.id}: structure of {counted(len(structure), 'base')}; expected {len(rna)}"
        )


def to_rows(rna: Rna, structure: Structure) -> list[tuple[int, str, int]]:
    """Base number, letter and partner of every base; the inverse of `from_rows`.

    Raises:
        StructureError: the structure has not as many bases as the RNA.
    """
    check_lengths(rna, structure)
    partners = (structure.partners + 1).tolist()
    return [(k, *rest) for k, rest in enumerate(zip(rna.bases, partners, strict=True), start=1)]


def whole_number(text: str, name: str, where: str) -> int:
    """Read a number of 0 or more, nine digits at most; raises StructureError."""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise StructureError(f"{where}: {name} {text!r}; expected a whole number")
    return int(text)


def parse_row(base: str, letter: str, partner: str, where: str) -> PairRow:
    """Read the three fields that both formats have; raises StructureError."""
    if len(letter) != 1 or not is_clean(letter):
        raise StructureError(f"{where}: letter {letter!r}; expected A, C, G, U, T or an IUPAC code")
    numbers = whole_number(base, "base number", where), whole_number(partner, "partner", where)
    return PairRow(numbers[0], clean_bases(letter), numbers[1], where)


def from_rows(
    rows: Items[PairRow], header: str, where: str, *, nick: int | None = None
) -> tuple[Rna, Structure]:
    """Build a record from all its rows.

    Args:
        rows: of all bases, in their order.
        header: the whole header line.
        where: the place of the record, for messages.
        nick: 0-based first base of the second of two strands.

    Raises:
        StructureError: a base missing, repeated or out of order; a partner out of range, the base
            itself, or one that does not name the base back; no row at all.
    """
    if not rows:
        raise StructureError(f"{where}: no bases; expected one row per base")
    for expected, row in enumerate(rows, start=1):
        if row.base != expected:
            raise StructureError(f"{row.where}: base number {row.base}; expected {expected}")
    for row in rows:
        _check_partner(row, rows)
    structure = Structure.from_partners([row.partner - 1 for row in rows])
    rna = Rna.from_text("".join(row.letter for row in rows), header, where)
    return replace(rna, nick=nick), structure


def _check_partner(row: PairRow, rows: Items[PairRow]) -> None:
    if row.partner > len(rows):
        raise StructureError(
            f"{row.where}: partner {row.partner} of base {row.base} is out of range; "
            f"expected 0 to {len(rows)}"
        )
    if row.partner == row.base:
        raise StructureError(f"{row.where}: base {row.base} is its own partner; expected another, or 0")
    if row.partner and (back := rows[row.partner - 1].partner) != row.base:
        raise StructureError(
            f"{row.where}: base {row.base} names partner {row.partner}, which names {back}; "
            "expected pairs to be mutual"
        )
