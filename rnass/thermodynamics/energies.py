"""Nearest-neighbour energies: the tables of a ViennaRNA parameter file.

Entries are in 0.01 kcal/mol at 37 C.
"""

import itertools
import math
import re
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rnass.errors import ConfigError
from rnass.structure import Structure
from rnass.thermodynamics.loops import TABLES, Counts, count_loops, offsets

__all__ = ["Energies"]

_NO_LOOP = 1_000_000  # what a loop costs that cannot be, INF in a file
_WORDS = {"INF": _NO_LOOP, "DEF": -50}  # that stand for numbers in a file
_SPECIAL = ("Hexaloops", "Tetraloops", "Triloops")
_BONUS_ONLY = ("mismatch_multi", "mismatch_exterior", "dangle5", "dangle3")  # none above 0 is heeded
_PLACES = {"ML_params": (0, 2, 4), "NINIO": (0, 2), "Misc": (2,)}  # of the energies among the words
_COUNTS = {"ML_params": 6, "NINIO": 3, "Misc": 6}  # of the words of these sections
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
        """Read a ViennaRNA parameter file, version 2.0; enthalpies are passed over.

        Raises:
            ConfigError: a section that is missing or has not as many entries as its table, an entry
                that is no number.
        """
        _, *parts = _SECTION.split(_COMMENT.sub("", text))
        words = {name: body.split() for name, body in zip(parts[::2], parts[1::2], strict=True)}
        misc = _words_of(words, "Misc", 4)
        for name, places in _PLACES.items():
            found = _words_of(words, name, max(places) + 1)
            words[name] = [found[place] for place in places]
        rows = [row for name in _SPECIAL for row in _hairpins(name, words.get(name, []))]
        tables = [_table(name, _words_of(words, name, 1)) for name in TABLES]
        costs = [_number("special hairpins", cost) for _, cost in rows]
        values = np.array([*itertools.chain(*tables), *costs])
        triple_c = _number("Misc", misc[4]) if len(misc) > 4 else 107.856
        return cls(values, tuple(loop for loop, _ in rows), triple_c, int(_number("Misc", misc[0])))

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
        """The entries that a structure uses; see `rnass.thermodynamics.loops.count_loops`."""
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


def _words_of(words: dict[str, list[str]], name: str, least: int) -> list[str]:
    """The words of a section, at least so many."""
    found = words.get(name, [])
    if len(found) < least:
        raise ConfigError(
            f"energies: section {name} has {len(found)} entries; expected a whole parameter file"
        )
    return found


def _table(name: str, words: list[str]) -> list[float]:
    """The entries of a table, as many as its shape holds."""
    size = math.prod(TABLES[name])
    if len(words) != size:
        raise ConfigError(f"energies: section {name} has {len(words)} entries; expected {size}")
    return [_number(name, word) for word in words]


def _hairpins(name: str, words: list[str]) -> list[tuple[str, str]]:
    """Bases and energy of each special hairpin of a section; the enthalpy is passed over."""
    if len(words) % 3:
        raise ConfigError(
            f"energies: section {name} has {len(words)} entries; expected three for each hairpin"
        )
    return list(zip(words[::3], words[1::3], strict=True))


def _number(name: str, word: str) -> float:
    try:
        value = float(_WORDS.get(word, word))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ConfigError(f"energies: {word!r} in section {name}; expected a number, INF or DEF")
    return value
