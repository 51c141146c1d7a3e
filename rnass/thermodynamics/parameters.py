"""Parameters of an energy fit: each shifts many entries of the tables at once, in kcal/mol."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from rnass.rna import CANONICAL_PAIRS
from rnass.thermodynamics.energies import Energies
from rnass.thermodynamics.loops import LETTERS, offsets, place_of

__all__ = ["Parameters"]

_KNOTS = {
    "hairpin": (3, 4, 5, 6, 7, 8, 9, 12, 16, 22, 30),
    "bulge": (1, 2, 3, 4, 5, 7, 10, 16, 30),
    "internal": (4, 5, 6, 7, 8, 10, 13, 18, 30),
}


@dataclass(frozen=True, eq=False)
class Parameters:
    """The fitted parameters; each adds to some entries.

    Attributes:
        names: of the parameters, n of them.
        ties: shape (entries, n): how much of each parameter an entry has.
    """

    names: tuple[str, ...]
    ties: csr_array

    @classmethod
    def of(cls, energies: Energies) -> "Parameters":
        """The parameters that fit tables with these special hairpins."""
        number: dict[str, int] = {}
        rows, columns, shares = [], [], []
        for entry, name, share in _ties(energies.hairpins):
            rows.append(entry)
            columns.append(number.setdefault(name, len(number)))
            shares.append(share)
        shape = (len(energies.values), len(number))
        return cls(tuple(number), csr_array((shares, (rows, columns)), shape=shape))


def _ties(hairpins: tuple[str, ...]) -> Iterator[tuple[int, str, float]]:
    """Entry, parameter and share; entries of an N or of a pair that is none have no parameter."""
    yield from _lengths()
    for one, two in np.ndindex(6, 6):  # read from either strand, a stack is the same
        both = " ".join(sorted((CANONICAL_PAIRS[one], CANONICAL_PAIRS[two])))
        yield place_of("stack", one, two), f"stack {both}", 1.0
    yield from _neighbours()
    yield from _small_loops()
    for place, name in enumerate(("unpaired", "closing", "stem")):
        yield place_of("ML_params", place), f"multiloop {name}", 1.0
    for place, name in enumerate(("slope", "most")):
        yield place_of("NINIO", place), f"asymmetry {name}", 1.0
    yield place_of("Misc", 0), "terminal AU or GU", 1.0
    for entry, loop in enumerate(hairpins, start=offsets()["special"]):
        yield entry, f"hairpin {loop}", 1.0
        yield entry, f"hairpin special {len(loop) - 2}", 1.0


def _lengths() -> Iterator[tuple[int, str, float]]:
    """Lengths between two knots have of both, by the logarithm of the length."""
    for table, knots in _KNOTS.items():
        for low, high in itertools.pairwise(knots):
            for size in range(low, high):
                share = math.log(size / low) / math.log(high / low)
                yield place_of(table, size), f"{table} {low}", 1 - share
                if share:
                    yield place_of(table, size), f"{table} {high}", share
        yield place_of(table, knots[-1]), f"{table} {knots[-1]}", 1.0


def _neighbours() -> Iterator[tuple[int, str, float]]:
    """Unpaired bases beside a pair."""
    for kind in ("hairpin", "internal", "internal_1n", "internal_23", "multi", "exterior"):
        for pair, x, y in np.ndindex(6, 4, 4):
            entry = place_of(f"mismatch_{kind}", pair, x + 1, y + 1)
            yield entry, f"mismatch {kind} {CANONICAL_PAIRS[pair]} {_mismatch(x, y)}", 1.0
            yield entry, f"mismatch {kind} {_mismatch(x, y)}", 1.0
            if kind.startswith("internal"):
                yield entry, f"internal {_end(pair)}", 1.0
    for side in ("dangle5", "dangle3"):
        for pair, x in np.ndindex(6, 4):
            name = f"{side} {CANONICAL_PAIRS[pair]} {LETTERS[x + 1]}"
            yield place_of(side, pair, x + 1), name, 1.0


def _small_loops() -> Iterator[tuple[int, str, float]]:
    """Interior loops with tables of their own: by the pairs that close them and by what is opposed."""
    for outer, inner, x, y in np.ndindex(6, 6, 4, 4):
        entry = place_of("int11", outer, inner, x + 1, y + 1)
        opposed = "".join(sorted(_mismatch(x, y)))
        yield from ((entry, name, 1.0) for name in ("int11", f"int11 {opposed}"))
        yield from ((entry, f"int11 {_end(pair)}", 1.0) for pair in (outer, inner))
    for outer, inner, a, d, b in np.ndindex(6, 6, 4, 4, 4):
        entry = place_of("int21", outer, inner, a + 1, d + 1, b + 1)
        yield from ((entry, name, 1.0) for name in ("int21", f"int21 {_mismatch(a, b)}"))
        yield from ((entry, f"int21 {_end(pair)}", 1.0) for pair in (outer, inner))
    for outer, inner, a, c, d, b in np.ndindex(6, 6, 4, 4, 4, 4):
        entry = place_of("int22", outer, inner, a, c, d, b)
        yield entry, "int22", 1.0
        yield from ((entry, f"int22 {_end(pair)}", 1.0) for pair in (outer, inner))
        yield from ((entry, f"int22 {opposed}", 1.0) for opposed in (_mismatch(a, b), _mismatch(d, c)))


def _mismatch(x: int, y: int) -> str:
    return LETTERS[x + 1] + LETTERS[y + 1]


def _end(pair: int) -> str:
    """The part of a closing pair that matters to a loop."""
    return "closed by CG" if pair < 2 else "closed by GU" if pair < 4 else "closed by AU"
