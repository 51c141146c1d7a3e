"""An RNA: an id, its bases over the letters ACGUN, restraints; and the facts about bases and pairs.

Lower case is accepted, T is read as U, an IUPAC ambiguity code is read as N (which pairs with nothing
by default). Everything else is an error that names the letter and its place.
"""

import math
from dataclasses import dataclass, field
from numbers import Real

from rnass.constraints import Constraints
from rnass.errors import InputError, SequenceError, counted

__all__ = [
    "BASES",
    "BPP_CUTOFF",
    "CANONICAL_PAIRS",
    "KT",
    "MIN_HAIRPIN",
    "MISSING_REACTIVITY",
    "Rna",
    "clean_bases",
    "is_clean",
    "mostly_ambiguous",
]

BASES = "ACGUN"
"""The letters of a clean sequence; a base's code is its index here."""

CANONICAL_PAIRS = ("CG", "GC", "GU", "UG", "AU", "UA")
"""The letters of the canonical pairs, in the order of the energy tables of ViennaRNA."""

MIN_HAIRPIN = 3
"""Fewest unpaired bases a hairpin loop may enclose (ViennaRNA's TURN)."""

MISSING_REACTIVITY = -999.0
"""What files of reactivities hold for a base without a value; half of it and less counts as that."""

BPP_CUTOFF = 1e-4
"""Base-pair probabilities of an ensemble below this are taken as 0."""

KT = 1.98717e-3 * 310.15
"""kT at 37 C in kcal/mol, with ViennaRNA's gas constant."""

_LETTERS = frozenset(BASES)
_UNRESTRAINED = Constraints()
_AMBIGUOUS = "RYSWKMBDHV"
_READ_AS = str.maketrans("acgutTryswkmbdhvnRYSWKMBDHV", "ACGUUU" + "N" * 21)


def clean_bases(text: str, where: str = "sequence") -> str:
    """The bases of *text* over ACGUN: upper case, T read as U, IUPAC ambiguity codes read as N.

    >>> clean_bases("ggcTRn")
    'GGCUNN'

    Raises:
        SequenceError: *text* is no str, is empty or holds another letter; names *where* and the 1-based
            base.
    """
    _check_text(text, where)
    bases = text.translate(_READ_AS)
    if not bases:
        raise SequenceError(f"{where}: no bases; expected at least one of A, C, G, U, T")
    if not is_clean(text):
        place = next(k for k, letter in enumerate(bases) if letter not in BASES)
        raise SequenceError(
            f"{where}: letter {text[place]!r} at base {place + 1}; "
            "expected A, C, G, U, T or an IUPAC code"
        )
    return bases


def _check_text(text: object, where: str) -> None:
    if not isinstance(text, str):
        raise SequenceError(f"{where}: {type(text).__name__}; expected the bases as a str")


def is_clean(text: str) -> bool:
    """Whether all letters of *text* are those of bases, as `clean_bases` reads them."""
    return set(text.translate(_READ_AS)) <= set(BASES)


def mostly_ambiguous(text: str) -> str:
    """A warning for letters most of which are ambiguity codes, as those of a protein are; else empty."""
    letters = text.replace("&", "")
    codes = sum(map(letters.upper().count, _AMBIGUOUS))
    if codes <= len(letters) / 2:
        return ""
    return f"{codes} of {counted(len(letters), 'letter')} are read as N; expected an RNA, not a protein"


@dataclass(frozen=True)
class Rna:
    """One RNA.

    Attributes:
        id: the first word of its header; need not be unique or a safe file name.
        bases: its letters, 5' to 3'; kept over ACGUN, as `clean_bases` reads them.
        description: the whole header line, for titles inside files.
        nick: 0-based first base of the second strand of a dimer; None for one strand.
        constraints: that every predicted structure of it obeys.
        reactivities: to a chemical probe, one for each base: normalised, about 1 where reactive, NaN
            where missing; None for none.
        supported: pairs (i, j), 0-based, i < j, that its family has: evidence for them, no constraint.

    Raises:
        SequenceError: a letter that is no base; a nick that leaves a strand without one.
        ConstraintError: a base out of range, constraints that exclude each other.
        InputError: not one reactivity for each base, or one that is infinite or no number; a supported
            pair out of range.
    """

    id: str
    bases: str
    description: str = ""
    nick: int | None = None
    constraints: Constraints = field(default=_UNRESTRAINED, repr=False)
    reactivities: tuple[float, ...] | None = field(default=None, repr=False)
    supported: frozenset[tuple[int, int]] = field(default=frozenset(), repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.bases, str) or not _LETTERS.issuperset(self.bases):
            object.__setattr__(self, "bases", clean_bases(self.bases, self.id or "sequence"))
        if self.nick is not None and self.nick not in range(1, len(self)):
            raise SequenceError(
                f"{self.id}: nick {self.nick}; expected the first base of the second strand, counted "
                f"from 0, as 1 to {len(self) - 1}",
                self.id,
            )
        if self.constraints is not _UNRESTRAINED:
            self.constraints.check(len(self))
        if self.reactivities is not None:
            self._check_reactivities(self.reactivities)
        for i, j in self.supported:
            if not 0 <= i < j < len(self):
                raise InputError(
                    f"{self.id}: supported pair {i + 1}-{j + 1}; expected two bases of 1 to {len(self)}",
                    self.id,
                )

    def _check_reactivities(self, values: tuple[float, ...]) -> None:
        if len(values) != len(self):
            raise InputError(
                f"{self.id}: reactivities of {counted(len(values), 'base')}; expected {len(self)}",
                self.id,
            )
        for k, value in enumerate(values, start=1):
            if not isinstance(value, Real) or math.isinf(value):
                raise InputError(
                    f"{self.id}: reactivity {value!r} at base {k}; expected a finite number, or NaN "
                    "where it is missing",
                    self.id,
                )

    @classmethod
    def from_text(cls, text: str, header: str = "sequence", where: str = "sequence") -> "Rna":
        """Build from raw letters and a whole header line.

        One `&` between letters separates two strands, each of at least one base.

        >>> Rna.from_text("GGC&gcc").nick
        3

        Raises:
            SequenceError: as `clean_bases`; a second `&`, or one at an end.
        """
        _check_text(text, where)
        words, strands = header.split(), text.split("&")
        bases = clean_bases("".join(strands), where)
        if len(strands) > 2 or not all(strands):
            sizes = ", ".join(str(len(strand)) for strand in strands)
            raise SequenceError(
                f"{where}: strands of {sizes} bases; expected at most one '&', between two strands"
            )
        nick = len(strands[0]) if len(strands) == 2 else None
        return cls(words[0] if words else "", bases, header.strip(), nick)

    @property
    def text(self) -> str:
        """The bases, with `&` between two strands; what `from_text` reads."""
        return self.mark(self.bases)

    @property
    def strands(self) -> list[tuple[int, int]]:
        """The first base of each strand, 0-based, and the one after its last."""
        return [(0, len(self))] if self.nick is None else [(0, self.nick), (self.nick, len(self))]

    def mark(self, line: str) -> str:
        """A line of one symbol for each base, with `&` between two strands."""
        return line if self.nick is None else f"{line[: self.nick]}&{line[self.nick :]}"

    def unmark(self, line: str) -> str:
        """The inverse of `mark`; a line without `&` in that place stays as it is."""
        at_nick = self.nick is not None and line.find("&") == self.nick
        return line.replace("&", "", 1) if at_nick else line

    def __len__(self) -> int:
        return len(self.bases)
