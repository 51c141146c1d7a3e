"""Token tables: how clean bases (ACGUN) become the numbers a backbone reads.

A table has a name that an `EncoderConfig` carries. One that has none is named by its symbols in the
order of their rows, spaces between, so that weights with any table describe themselves.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product
from typing import Literal

from rnass.errors import ConfigError, SequenceError, counted

__all__ = ["KNOWN", "RNASS", "Vocabulary", "spell", "swap_t_and_u", "vocabulary"]

_SPELLINGS = {
    "pad": ("<pad>", "[PAD]"),
    "mask": ("<mask>", "[MASK]"),
    "cls": ("<cls>", "[CLS]"),
    "eos": ("<eos>", "[SEP]"),
    "unknown": ("N", "<unk>", "[UNK]"),
}


@dataclass(frozen=True)
class Vocabulary:
    """A token table.

    Attributes:
        name: what an `EncoderConfig` calls it.
        symbols: the token of each row.
        pad, mask: rows of the padding and mask tokens.
        cls, eos: rows of the tokens put before and after, None where the model has none.
        unknown: row read for a base or codon that has no token.
        unit: what one token stands for, a base or three of them.
    """

    name: str
    symbols: tuple[str, ...]
    pad: int
    mask: int
    cls: int | None
    eos: int | None
    unknown: int
    unit: Literal["nt", "codon"] = "nt"

    @property
    def bases_per_token(self) -> int:
        """1, or 3 where tokens are codons."""
        return 1 if self.unit == "nt" else 3

    def encode(self, bases: str) -> list[int]:
        """Token rows of clean bases, special tokens included; raises as `body` does."""
        return self.framed(self.body(bases))

    def body(self, bases: str) -> list[int]:
        """Token rows of clean bases alone.

        Raises:
            SequenceError: the tokens are codons and some bases are left over.
        """
        step = self.bases_per_token
        if len(bases) % step:
            found = counted(len(bases), "base")
            raise SequenceError(f"sequence: {found}; expected whole codons, a multiple of 3")
        return [self.row(bases[k : k + step]) for k in range(0, len(bases), step)]

    def framed(self, body: list[int]) -> list[int]:
        """Rows with the special tokens put before and after."""
        return self._optional(self.cls) + body + self._optional(self.eos)

    def row(self, symbol: str) -> int:
        """The row of one symbol; the unknown row where it has none."""
        return self._rows.get(symbol, self.unknown)

    def special_before(self) -> int:
        """How many special tokens stand before the first base."""
        return len(self._optional(self.cls))

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {symbol: row for row, symbol in enumerate(self.symbols)}

    @staticmethod
    def _optional(token: int | None) -> list[int]:
        return [] if token is None else [token]


def _table(name: str, symbols: Iterable[str]) -> Vocabulary:
    rows = tuple(symbols)
    codons = "AUG" in rows

    def at(role: str) -> int | None:
        return next((rows.index(word) for word in _SPELLINGS[role] if word in rows), None)

    pad, mask, unknown = at("pad"), at("mask"), at("unknown")
    protein = not codons and bool(set("EFLPQ") & set(rows))  # no nucleotide code, each an amino acid
    legible = len(set(rows)) == len(rows) and (codons or set("ACGU") <= set(rows)) and not protein
    if not legible or pad is None or mask is None or unknown is None:
        raise ConfigError(
            f"vocabulary {name!r}: not a token table for RNA; expected distinct symbols, among them "
            "A, C, G, U or codons, <pad>, <mask>, and N or <unk>"
        )
    return Vocabulary(name, rows, pad, mask, at("cls"), at("eos"), unknown, "codon" if codons else "nt")


def swap_t_and_u(symbols: Iterable[str]) -> tuple[str, ...]:
    """The symbols with T and U exchanged: the U of a sequence then finds the row trained as T."""
    return tuple({"T": "U", "U": "T"}.get(symbol, symbol) for symbol in symbols)


RNASS = _table("rnass", ["<pad>", "<cls>", "<eos>", "<unk>", "<mask>", *"ACGUN"])
"""rnass's own table: five special tokens, then a row for each letter of a clean sequence."""

_NULLS = [f"<null_{k}>" for k in range(1, 5)]

_CODONS = """
    GAG AAG GAA CUG CAG GAU AAA GUG GAC AUG GCC AAC GCU AAU AUC UUC GGA AUU GGC UUU CCA AGC GCA UCU CUC
    ACC CAA CCU UCC ACA UUG GUU CUU UAC ACU CCC UCA GUC GGU CAC AGU UAU AGA CAU GGG UGG UGC AGG UGU AUA
    CGC UUA GCG CGG CCG GUA CUA ACG UCG CGA CGU UGA UAA UAG
""".split()  # noqa: SIM905 - a list of 64 strings is unreadable; the order is mRNA-FM's

_AIDO = ["[PAD]", "[MASK]", "[CLS]", "[SEP]", "[UNK]", *"AGCTUN", "[BOS]", "[EOS]"]
_AIDO += [f"[UNUSED{k}]" for k in range(1, 4)]

_SPECIAL = ["<pad>", "<cls>", "<eos>", "<unk>", "<mask>", "<null>"]  # multimolecule's, in every version

_TABLES: dict[str, Iterable[str]] = {
    "rna-fm": ["<cls>", "<pad>", "<eos>", "<unk>", *"ACGURYKMSWBDHVN-", *_NULLS, "<mask>"],
    "mrna-fm": ["<cls>", "<pad>", "<eos>", "<unk>", *_CODONS, *_NULLS, "<mask>"],
    # RNABERT itself has no N; the reader adds the seventh row, the mean of the four bases.
    "rnabert": ["<pad>", "<mask>", *"AUGCN"],
    "aido-rna-u": _AIDO,
    "aido-rna-t": swap_t_and_u(_AIDO),
    "plantrna-fm": ["<cls>", "<pad>", "<eos>", "<unk>", *"ACGTNUacgtnu().*123", "<mask>"],
    "multimolecule-26": [*_SPECIAL, *"ACGUNRYSWKMBDHV.X*-I"],
    "multimolecule-28": [*_SPECIAL, *"ACGUNRYSWKMBDHVIX|.*-?"],
    "multimolecule-131": [*_SPECIAL, *("".join(codon) for codon in product("ACGUN", repeat=3))],
}

KNOWN = {"rnass": RNASS} | {name: _table(name, symbols) for name, symbols in _TABLES.items()}
"""The tables that have a name, by it."""


@lru_cache
def vocabulary(name: str) -> Vocabulary:
    """The token table of that name; raises ConfigError for an unknown one.

    >>> vocabulary("rna-fm").encode("GGN")
    [0, 6, 6, 18, 2]
    >>> vocabulary("<pad> <mask> <unk> A C G U").encode("GUN")
    [5, 6, 2]
    """
    if name in KNOWN:
        return KNOWN[name]
    if len(symbols := name.split()) > 1:
        return _table(name, symbols)
    raise ConfigError(f"vocabulary {name!r} is unknown; expected one of {', '.join(sorted(KNOWN))}")


def spell(symbols: Iterable[str]) -> str:
    """The name of the table with these symbols: inverse of `vocabulary(name).symbols`."""
    rows = tuple(symbols)
    named = (table.name for table in KNOWN.values() if table.symbols == rows)
    return next(named, " ".join(rows))
