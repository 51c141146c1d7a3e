"""Size, font, region and highlights of a figure, and the bases that it shows."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from rnass.errors import ConfigError, InputError
from rnass.rna import Rna
from rnass.structure import Structure

__all__ = ["Look", "View"]

_SMALLEST, _LARGEST = 1.0, 200.0  # inches


@dataclass(frozen=True, kw_only=True)
class Look:
    """Settings of every kind of figure. Lengths are in inches, bases counted from 0.

    Attributes:
        width, height: of the figure; None: as large as its RNA is best seen. Of no effect on axes that
            the caller gives.
        font: name of an installed font; empty for DejaVu Sans, which comes with matplotlib.
        region: first base shown and the one after the last; None for all.
        highlight: parts to mark, each its first base and the one after the last.

    Raises:
        ConfigError: a width or height that is no page's, a region or highlight without bases.
    """

    width: float | None = None
    height: float | None = None
    font: str = ""
    region: tuple[int, int] | None = None
    highlight: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        for name, inches in (("width", self.width), ("height", self.height)):
            if inches is not None and not _SMALLEST <= inches <= _LARGEST:
                raise ConfigError(
                    f"{name}: {inches:.2f} inches; expected {_SMALLEST:.0f} to {_LARGEST:.0f}"
                )
        for start, stop in (*([self.region] if self.region else []), *self.highlight):
            if not 0 <= start < stop:
                raise ConfigError(f"bases {start + 1}-{stop}: none; expected a first and a last base")


class View:
    """The bases of an RNA that a figure shows; those outside the region of *look* are cut off.

    Args:
        text: the whole RNA; two strands as `A&B`.
        look: its region and highlights are counted in the whole RNA.
        where: begins the messages.

    Attributes:
        length: bases of the whole RNA.
        start: the first base shown, 0-based in the whole RNA.
        bases: the letters shown, L of them.
        numbers: shape (L,), the number of each base in its strand, from 1.
        nick: 0-based first base shown of a second strand; None where one strand is shown.

    Raises:
        SequenceError: a letter that is no base.
        InputError: a region or highlight beyond the last base.
    """

    def __init__(self, text: str, look: Look, where: str) -> None:
        rna = Rna.from_text(text, where=where)
        self.length = len(rna)
        parts = [("region", look.region)] if look.region else []
        for name, (start, end) in (*parts, *(("highlight", part) for part in look.highlight)):
            if end > len(rna):
                place = f"{where}: {name} {start + 1}-{end}: base {end}"
                raise InputError(f"{place}; expected 1 to {len(rna)}")
        self.start, self._stop = look.region or (0, len(rna))
        self.bases = rna.bases[self._cut]
        numbers = np.arange(1, len(rna) + 1)
        if rna.nick is not None:
            numbers[rna.nick :] -= rna.nick
        self.numbers: NDArray[np.int64] = numbers[self._cut]
        inside = rna.nick is not None and self.start < rna.nick < self._stop
        self.nick = rna.nick - self.start if inside and rna.nick is not None else None
        self._highlight = look.highlight

    @cached_property
    def highlight(self) -> list[tuple[int, int]]:
        """The marked parts that are shown, in bases shown."""
        parts = ((max(a, self.start), min(b, self._stop)) for a, b in self._highlight)
        return [(a - self.start, b - self.start) for a, b in parts if a < b]

    @property
    def strands(self) -> list[tuple[int, int]]:
        """First base of each strand shown, and the one after its last."""
        edges = [0, *([] if self.nick is None else [self.nick]), len(self)]
        return list(pairwise(edges))

    def holds(self, pairs: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether both bases of each pair, (n, 2), are shown; shape (n,)."""
        return np.asarray(((pairs >= self.start) & (pairs < self._stop)).all(1))

    def of_structure(self, structure: Structure) -> Structure:
        """The pairs of which both bases are shown."""
        return Structure(len(self), structure.pairs[self.holds(structure.pairs)] - self.start)

    def leaving(self, structure: Structure) -> Iterable[tuple[int, int]]:
        """Bases shown whose partner is not, each with -1 for a partner before it or 1 for one after."""
        for base in range(self.start, self._stop):
            partner = int(structure.partners[base])
            if partner >= 0 and not self.start <= partner < self._stop:
                yield base - self.start, -1 if partner < base else 1

    def of_values(self, values: NDArray[np.floating] | csr_array) -> NDArray[np.floating] | csr_array:
        """One value for each base, or for each pair of bases, dense or sparse: those shown."""
        return values[(self._cut,) * values.ndim]

    def __len__(self) -> int:
        return len(self.bases)

    @property
    def _cut(self) -> slice:
        return slice(self.start, self._stop)
