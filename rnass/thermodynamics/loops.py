"""Which entries of a nearest-neighbour energy table the loops of a structure read.

The free energy of a structure is a sum over its loops, and each loop's a sum of table entries: so the
energy is linear in the tables, and a structure is a vector of counts. The tables are those of a
ViennaRNA parameter file (Mathews et al. 2004, doi:10.1073/pnas.0401799101), read as ViennaRNA reads
them with dangles 2 (Lorenz et al. 2011, doi:10.1186/1748-7188-6-26).

Pair codes: CG 0, GC 1, GU 2, UG 3, AU 4, UA 5 (6 is any other); base codes: N 0, A 1, C 2, G 3, U 4.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnass.errors import StructureError
from rnass.rna import CANONICAL_PAIRS
from rnass.structure import Structure

__all__ = ["LETTERS", "LONGEST", "TABLES", "Counts", "count_loops", "offsets", "place_of"]

TABLES: dict[str, tuple[int, ...]] = {
    "stack": (7, 7),
    "mismatch_hairpin": (7, 5, 5),
    "mismatch_internal": (7, 5, 5),
    "mismatch_internal_1n": (7, 5, 5),
    "mismatch_internal_23": (7, 5, 5),
    "mismatch_multi": (7, 5, 5),
    "mismatch_exterior": (7, 5, 5),
    "dangle5": (7, 5),
    "dangle3": (7, 5),
    "int11": (7, 7, 5, 5),
    "int21": (7, 7, 5, 5, 5),
    "int22": (6, 6, 4, 4, 4, 4),
    "hairpin": (31,),
    "bulge": (31,),
    "internal": (31,),
    "ML_params": (3,),  # an unpaired base, the closing pair, each pair
    "NINIO": (2,),  # each base that one side of an interior loop has more, the most of that
    "Misc": (1,),  # a helix that ends in AU or GU
}
"""Shape of each table; the special hairpins come after them, one entry each."""

LETTERS = "NACGU"
"""The bases in the order of their codes."""

LONGEST = 30
"""Bases of a loop up to which the tables go; a longer one costs `TripleC` ln(size / 30) more."""

_PAIR = {pair: code for code, pair in enumerate(CANONICAL_PAIRS)}
_BASE = {base: code for code, base in enumerate(LETTERS)}
_REVERSED = (1, 0, 3, 2, 5, 4, 6)
_TERMINAL = 2  # pair codes from here on are AU or GU


def offsets() -> dict[str, int]:
    """Where each table begins in a vector of all of them, and, as "special", the hairpins after them."""
    sizes = [math.prod(shape) for shape in TABLES.values()]
    return dict(zip([*TABLES, "special"], np.cumsum([0, *sizes]).tolist(), strict=True))


_AT = offsets()


def place_of(table: str, *indices: int) -> int:
    """The place of an entry of a table in a vector of all of them."""
    place = 0
    for index, size in zip(indices, TABLES[table], strict=True):
        place = place * size + index
    return _AT[table] + place


@dataclass(frozen=True, eq=False)
class Counts:
    """How often a structure reads each entry.

    Attributes:
        entry: shape (n,), places in the vector of all tables; the same one may come again.
        times: shape (n,).
        beyond: sum over loops longer than `LONGEST` of ln(size / `LONGEST`).
    """

    entry: NDArray[np.int64]
    times: NDArray[np.float64]
    beyond: float


def count_loops(bases: str, structure: Structure, special: dict[str, int], asymmetry: int) -> Counts:
    """The table entries that a nested structure of canonical pairs reads.

    Args:
        bases: over ACGUN.
        structure: of those bases; no pair crosses another, none encloses fewer than three bases.
        special: number of each special hairpin, by its bases from pair to pair.
        asymmetry: most bases that count as asymmetry of an interior loop: from there on it is the second
            entry of NINIO that is read.

    Raises:
        StructureError: pairs that cross.
    """
    if structure.pseudoknot_order:
        raise StructureError("structure: pairs cross; expected nested ones for energies")
    counter = _Counter(bases, structure.partners.tolist(), special, asymmetry)
    counter.exterior()
    entry = np.array(counter.entry, dtype=np.int64)
    return Counts(entry, np.array(counter.times, dtype=np.float64), counter.beyond)


class _Counter:
    """Walks over the loops of one structure, from outside in; i, j, p and q are paired bases."""

    def __init__(self, bases: str, partner: list[int], special: dict[str, int], asymmetry: int) -> None:
        self.bases, self.partner = bases, partner
        self.special, self.asymmetry = special, asymmetry
        self.code = [_BASE[base] for base in bases]
        self.entry: list[int] = []
        self.times: list[float] = []
        self.beyond = 0.0

    def exterior(self) -> None:
        """All loops."""
        last = len(self.bases) - 1
        waiting = self._inner(-1, last + 1)
        for p, q in waiting:
            pair = self._pair(p, q)
            before = self.code[p - 1] if p else None
            after = self.code[q + 1] if q < last else None
            if before is not None and after is not None:
                self._read("mismatch_exterior", pair, before, after)
            elif before is not None:
                self._read("dangle5", pair, before)
            elif after is not None:
                self._read("dangle3", pair, after)
            self._terminal(pair)
        while waiting:
            i, j = waiting.pop()
            inner = self._inner(i, j)
            if not inner:
                self._hairpin(i, j)
            elif len(inner) == 1:
                self._interior(i, j, *inner[0])
            else:
                self._multiloop(i, j, inner)
            waiting.extend(inner)

    def _inner(self, i: int, j: int) -> list[tuple[int, int]]:
        """The pairs that i and j enclose with no pair between."""
        found, k = [], i + 1
        while k < j:
            if self.partner[k] > k:
                found.append((k, self.partner[k]))
                k = self.partner[k]
            k += 1
        return found

    def _hairpin(self, i: int, j: int) -> None:
        size, pair = j - i - 1, self._pair(i, j)
        known = self.special.get(self.bases[i : j + 1]) if size in (3, 4, 6) else None
        if known is not None:
            self._add(_AT["special"] + known)
            return
        self._length("hairpin", size)
        if size == 3:
            self._terminal(pair)
        elif size > 3:
            self._read("mismatch_hairpin", pair, self.code[i + 1], self.code[j - 1])

    def _interior(self, i: int, j: int, p: int, q: int) -> None:
        left, right = p - i - 1, j - q - 1
        few, many = sorted((left, right))
        outer, inner = self._pair(i, j), self._pair(q, p)
        if many == 0:
            self._read("stack", outer, inner)
        elif few == 0:
            self._length("bulge", many)
            if many == 1:
                self._read("stack", outer, inner)
            else:
                self._terminal(outer)
                self._terminal(inner)
        elif few + many <= 3 or few == many == 2:
            self._small(outer, inner, (left, right), (i, j, p, q))
        else:
            kind = "_1n" if few == 1 else "_23" if (few, many) == (2, 3) else ""
            self._length("internal", few + many)
            capped = many - few > self.asymmetry
            self._read("NINIO", int(capped), times=1 if capped else many - few)
            code = self.code
            self._read(f"mismatch_internal{kind}", outer, code[i + 1], code[j - 1])
            self._read(f"mismatch_internal{kind}", inner, code[q + 1], code[p - 1])

    def _small(
        self, outer: int, inner: int, size: tuple[int, int], place: tuple[int, int, int, int]
    ) -> None:
        """Interior loops of 1 x 1, 1 x 2 and 2 x 2 bases have tables of their own."""
        i, j, p, q = place
        code = self.code
        a, b, c, d = code[i + 1], code[j - 1], code[p - 1], code[q + 1]
        if size == (1, 1):
            self._read("int11", outer, inner, a, b)
        elif size == (1, 2):
            self._read("int21", outer, inner, a, d, b)
        elif size == (2, 1):
            self._read("int21", inner, outer, d, a, c)
        elif 0 not in (a, b, c, d):  # with an N there is no entry
            self._read("int22", outer, inner, a - 1, c - 1, d - 1, b - 1)

    def _multiloop(self, i: int, j: int, inner: list[tuple[int, int]]) -> None:
        code = self.code
        unpaired = j - i - 1 - sum(q - p + 1 for p, q in inner)
        self._read("ML_params", 0, times=unpaired)
        self._read("ML_params", 1)
        self._read("ML_params", 2, times=len(inner) + 1)
        stems = [(self._pair(p, q), code[p - 1], code[q + 1]) for p, q in inner]
        for pair, before, after in [(_REVERSED[self._pair(i, j)], code[j - 1], code[i + 1]), *stems]:
            self._read("mismatch_multi", pair, before, after)
            self._terminal(pair)

    def _pair(self, i: int, j: int) -> int:
        return _PAIR.get(self.bases[i] + self.bases[j], 6)

    def _terminal(self, pair: int) -> None:
        if pair >= _TERMINAL:
            self._read("Misc", 0)

    def _length(self, table: str, size: int) -> None:
        self._read(table, min(size, LONGEST))
        if size > LONGEST:
            self.beyond += math.log(size / LONGEST)

    def _read(self, table: str, *indices: int, times: float = 1) -> None:
        self._add(place_of(table, *indices), times)

    def _add(self, place: int, times: float = 1) -> None:
        self.entry.append(place)
        self.times.append(times)
