"""An RNA sequence: an id and its bases, over the letters ACGUN.

Policy: lower case is accepted, T is read as U, an IUPAC ambiguity code is read as N (which pairs with
nothing unless asked). Everything else is an error that names the letter and its place.
"""

from dataclasses import dataclass

from rnass.errors import SequenceError

__all__ = ["BASES", "MIN_HAIRPIN", "Sequence", "clean_bases"]

BASES = "ACGUN"
"""The letters of a clean sequence; a base's code is its index here."""

MIN_HAIRPIN = 3
"""Fewest unpaired bases a hairpin loop may enclose (ViennaRNA's TURN)."""

_READ_AS = str.maketrans("acgutTryswkmbdhvnRYSWKMBDHV", "ACGUUU" + "N" * 21)


def clean_bases(text: str, where: str = "sequence") -> str:
    """The bases of *text* over ACGUN: upper case, T read as U, IUPAC ambiguity codes read as N.

    >>> clean_bases("ggcTRn")
    'GGCUNN'

    Raises:
        SequenceError: *text* is empty or holds another letter; names *where* and the 1-based base.
    """
    bases = text.translate(_READ_AS)
    if not bases:
        raise SequenceError(f"{where}: no bases; expected at least one of A, C, G, U, T")
    if strangers := set(bases) - set(BASES):
        place = next(k for k, letter in enumerate(bases) if letter in strangers)
        raise SequenceError(
            f"{where}: letter {text[place]!r} at base {place + 1}; "
            "expected A, C, G, U, T or an IUPAC code"
        )
    return bases


@dataclass(frozen=True)
class Sequence:
    """One RNA.

    Attributes:
        id: the first word of its header; need not be unique or a safe file name.
        bases: its letters over ACGUN, 5' to 3'.
        description: the whole header line, for titles inside files.
    """

    id: str
    bases: str
    description: str = ""

    @classmethod
    def from_text(cls, text: str, header: str = "sequence", where: str = "sequence") -> "Sequence":
        """Build from raw letters and a whole header line; see `clean_bases` for what is accepted."""
        words = header.split()
        return cls(words[0] if words else "", clean_bases(text, where), header.strip())

    def __len__(self) -> int:
        return len(self.bases)
