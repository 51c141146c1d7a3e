"""Nearest-neighbour energies: tables of a parameter file, parameters that shift many entries at once.

Entries are in 0.01 kcal/mol at 37 C, parameters in kcal/mol.
"""

import itertools
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from rnass.rna import CANONICAL_PAIRS
from rnass.structure import Structure
from rnass.thermodynamics.loops import TABLES, Counts, count_loops, offsets

__all__ = ["Energies", "Parameters"]

_NO_LOOP = 1_000_000  # what a loop costs that cannot be, INF in a file
_WORDS = {"INF": _NO_LOOP, "DEF": -50}  # that stand for numbers in a file
_SPECIAL = ("Hexaloops", "Tetraloops", "Triloops")
_BONUS_ONLY = ("mismatch_multi", "mismatch_exterior", "dangle5", "dangle3")  # none above 0 is heeded
_KNOTS = {
    "hairpin": (3, 4, 5, 6, 7, 8, 9, 12, 16, 22, 30),
    "bulge": (1, 2, 3, 4, 5, 7, 10, 16, 30),
    "internal": (4, 5, 6, 7, 8, 10, 13, 18, 30),
}
_PLACES = {"ML_params": (0, 2, 4), "NINIO": (0, 2), "Misc": (2,)}  # of the energies among the words
_COUNTS = {"ML_params": 6, "NINIO": 3, "Misc": 6}  # of the words of these sections
_BASES = "NACGU"
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_SECTION = re.compile(r"^# *(\w+) *$", re.MULTILINE)


@dataclass(frozen=True, eq=False)
class Energies:
    """All tables of a parameter set.

    Attributes:
        values: one for each entry, as `loops.offsets` lays them out, special hairpins last.
        hairpins: bases of the special hairpins, pair to pair.
        triple_c: cost of a loop longer than 30 bases, times ln(size / 30).
        duplex: what starting a duplex costs.
    """

    values: NDArray[np.float64]
    hairpins: tuple[str, ...]
    triple_c: float
    duplex: int

    @classmethod
    def from_text(cls, text: str) -> "Energies":
        """Read a ViennaRNA parameter file, version 2.0; enthalpies are passed over."""
        _, *parts = _SECTION.split(_COMMENT.sub("", text))
        words = {name: body.split() for name, body in zip(parts[::2], parts[1::2], strict=True)}
        misc = words["Misc"]
        for name, places in _PLACES.items():
            words[name] = [words[name][place] for place in places]
        special = [words.get(name, []) for name in _SPECIAL]
        loops = {rows[k]: rows[k + 1] for rows in special for k in range(0, len(rows) - 2, 3)}
        entries = [word for name in TABLES for word in words[name]] + list(loops.values())
        values = np.array([float(_WORDS.get(word, word)) for word in entries])
        triple_c = float(misc[4]) if len(misc) > 4 else 107.856
        return cls(values, tuple(loops), triple_c, int(misc[0]))

    def text(self, comment: str = "") -> str:
        """A ViennaRNA parameter file, the inverse of `from_text`; without enthalpies, for 37 C only."""
        begin = offsets()
        lines = ["## RNAfold parameter file v2.0", "", *([f"/* {comment} */", ""] if comment else [])]
        rounded = np.rint(self.values).astype(int)
        for name, shape in TABLES.items():
            entries = rounded[begin[name] :][: math.prod(shape)].tolist()
            words = ["INF" if entry >= _NO_LOOP else str(entry) for entry in entries]
            if name in _PLACES:
                energies, words = words, ["0"] * _COUNTS[name]
                for place, energy in zip(_PLACES[name], energies, strict=True):
                    words[place] = energy
            if name == "Misc":
                words[0], words[4] = str(self.duplex), f"{self.triple_c:.6f}"
            row = len(words) if len(shape) == 1 else shape[-1]  # ViennaRNA starts each on a new line
            rows = [" ".join(words[k : k + row]) for k in range(0, len(words), row)]
            lines += [f"# {name}", *rows, ""]
        costs = rounded[begin["special"] :].tolist()
        for name, length in zip(_SPECIAL, (8, 6, 5), strict=True):
            known = zip(self.hairpins, costs, strict=True)
            rows = [f"{loop} {cost} 0" for loop, cost in known if len(loop) == length]
            lines += [f"# {name}", *rows, ""]
        return "\n".join([*lines, "# END", ""])

    @cached_property
    def _special(self) -> dict[str, int]:
        return {loop: number for number, loop in enumerate(self.hairpins)}

    def count(self, bases: str, structure: Structure) -> Counts:
        """What a structure reads of these tables; see `rnass.thermodynamics.loops.count_loops`."""
        slope, most = self.values[offsets()["NINIO"] :][:2]
        return count_loops(bases, structure, self._special, int(most // max(slope, 1)))

    def energy(self, counts: Counts) -> float:
        """The free energy of what was counted, in kcal/mol."""
        total = self.values[counts.entry] @ counts.times + self.triple_c * counts.beyond
        return float(total) / 100

    def shifted(self, by: NDArray[np.float64]) -> "Energies":
        """These with each entry so many kcal/mol higher, none above what ViennaRNA takes."""
        values = self.values + 100 * by
        begin = offsets()
        for name in _BONUS_ONLY:
            part = slice(begin[name], begin[name] + math.prod(TABLES[name]))
            values[part] = np.minimum(values[part], np.maximum(self.values[part], 0))
        values[self.values >= _NO_LOOP] = _NO_LOOP
        return replace(self, values=values)


@dataclass(frozen=True, eq=False)
class Parameters:
    """What is fitted: each parameter adds to some entries.

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
    begin = offsets()
    yield from _lengths()
    for one, two in np.ndindex(6, 6):  # read from either strand, a stack is the same
        yield (
            begin["stack"] + one * 7 + two,
            f"stack {' '.join(sorted((CANONICAL_PAIRS[one], CANONICAL_PAIRS[two])))}",
            1.0,
        )
    yield from _neighbours()
    yield from _small_loops()
    for place, name in enumerate(("unpaired", "closing", "stem")):
        yield begin["ML_params"] + place, f"multiloop {name}", 1.0
    for place, name in enumerate(("slope", "most")):
        yield begin["NINIO"] + place, f"asymmetry {name}", 1.0
    yield begin["Misc"], "terminal AU or GU", 1.0
    for number, loop in enumerate(hairpins):
        yield begin["special"] + number, f"hairpin {loop}", 1.0
        yield begin["special"] + number, f"hairpin special {len(loop) - 2}", 1.0


def _lengths() -> Iterator[tuple[int, str, float]]:
    """Lengths between two knots have of both, by the logarithm of the length."""
    for table, knots in _KNOTS.items():
        for low, high in itertools.pairwise(knots):
            for size in range(low, high):
                share = math.log(size / low) / math.log(high / low)
                yield offsets()[table] + size, f"{table} {low}", 1 - share
                if share:
                    yield offsets()[table] + size, f"{table} {high}", share
        yield offsets()[table] + knots[-1], f"{table} {knots[-1]}", 1.0


def _neighbours() -> Iterator[tuple[int, str, float]]:
    """Unpaired bases beside a pair."""
    begin = offsets()
    for kind in ("hairpin", "internal", "internal_1n", "internal_23", "multi", "exterior"):
        for pair, x, y in np.ndindex(6, 4, 4):
            entry = begin[f"mismatch_{kind}"] + pair * 25 + (x + 1) * 5 + y + 1
            yield entry, f"mismatch {kind} {CANONICAL_PAIRS[pair]} {_mismatch(x, y)}", 1.0
            yield entry, f"mismatch {kind} {_mismatch(x, y)}", 1.0
            if kind.startswith("internal"):
                yield entry, f"internal {_end(pair)}", 1.0
    for side in ("dangle5", "dangle3"):
        for pair, x in np.ndindex(6, 4):
            yield begin[side] + pair * 5 + x + 1, f"{side} {CANONICAL_PAIRS[pair]} {_BASES[x + 1]}", 1.0


def _small_loops() -> Iterator[tuple[int, str, float]]:
    """Interior loops with tables of their own: by the pairs that close them and by what is opposed."""
    begin = offsets()
    for outer, inner, x, y in np.ndindex(6, 6, 4, 4):
        entry = begin["int11"] + (outer * 7 + inner) * 25 + (x + 1) * 5 + y + 1
        opposed = "".join(sorted(_mismatch(x, y)))
        yield from ((entry, name, 1.0) for name in ("int11", f"int11 {opposed}"))
        yield from ((entry, f"int11 {_end(pair)}", 1.0) for pair in (outer, inner))
    for outer, inner, a, d, b in np.ndindex(6, 6, 4, 4, 4):
        entry = begin["int21"] + (outer * 7 + inner) * 125 + (a + 1) * 25 + (d + 1) * 5 + b + 1
        yield from ((entry, name, 1.0) for name in ("int21", f"int21 {_mismatch(a, b)}"))
        yield from ((entry, f"int21 {_end(pair)}", 1.0) for pair in (outer, inner))
    for outer, inner, a, c, d, b in np.ndindex(6, 6, 4, 4, 4, 4):
        entry = begin["int22"] + (outer * 6 + inner) * 256 + (a * 4 + c) * 16 + d * 4 + b
        yield entry, "int22", 1.0
        yield from ((entry, f"int22 {_end(pair)}", 1.0) for pair in (outer, inner))
        yield from ((entry, f"int22 {opposed}", 1.0) for opposed in (_mismatch(a, b), _mismatch(d, c)))


def _mismatch(x: int, y: int) -> str:
    return _BASES[x + 1] + _BASES[y + 1]


def _end(pair: int) -> str:
    """What of a closing pair matters to a loop."""
    return "closed by CG" if pair < 2 else "closed by GU" if pair < 4 else "closed by AU"
