"""Token tables: how clean bases (ACGUN) become the numbers a backbone reads."""

from collections.abc import Iterable
from dataclasses import dataclass

from rnass.errors import ConfigError

__all__ = ["RNASS", "Vocabulary", "vocabulary"]


@dataclass(frozen=True)
class Vocabulary:
    """A token table.

    Attributes:
        name: what an `EncoderConfig` calls it.
        symbols: the token of each row.
        pad, mask: rows of the padding and mask tokens.
        cls, eos: rows of the tokens put before and after, None where the model has none.
        unknown: row read for a base or codon that has no token.
    """

    name: str
    symbols: tuple[str, ...]
    pad: int
    mask: int
    cls: int | None
    eos: int | None
    unknown: int

    def encode(self, bases: str) -> list[int]:
        """Token rows of clean bases, special tokens included."""
        body = [self.row(base) for base in bases]
        return self._optional(self.cls) + body + self._optional(self.eos)

    def row(self, symbol: str) -> int:
        """The row of one symbol; the unknown row where it has none."""
        return self._rows().get(symbol, self.unknown)

    def special_before(self) -> int:
        """How many special tokens stand before the first base."""
        return len(self._optional(self.cls))

    def _rows(self) -> dict[str, int]:
        return {symbol: row for row, symbol in enumerate(self.symbols)}

    @staticmethod
    def _optional(token: int | None) -> list[int]:
        return [] if token is None else [token]


def _table(name: str, symbols: Iterable[str], unknown: str = "<unk>") -> Vocabulary:
    rows = tuple(symbols)

    def at(symbol: str) -> int:
        return rows.index(symbol)

    return Vocabulary(name, rows, at("<pad>"), at("<mask>"), at("<cls>"), at("<eos>"), at(unknown))


RNASS = _table("rnass", ["<pad>", "<cls>", "<eos>", "<unk>", "<mask>", *"ACGUN"], unknown="N")
"""rnass's own table: five special tokens, then a row for each letter of a clean sequence."""

_KNOWN = {table.name: table for table in (RNASS,)}


def vocabulary(name: str) -> Vocabulary:
    """The token table of that name; raises ConfigError for an unknown one."""
    if name not in _KNOWN:
        raise ConfigError(f"vocabulary {name!r} is unknown; expected one of {', '.join(sorted(_KNOWN))}")
    return _KNOWN[name]
