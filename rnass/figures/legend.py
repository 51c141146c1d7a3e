"""The key below a figure: scales of probability and coloured lines, in rows that fit its width."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import Colormap

from rnass.figures.style import FAINT, text_width, write

__all__ = ["ROW_HEIGHT", "SMALL", "Entry", "draw_legend", "legend_rows"]

ROW_HEIGHT = 0.24
"""Inches from one row of entries to the next."""

SMALL = 0.45
"""Area of a small disc, of that of others."""

_SIZE = 8.0
_BAR = 0.9  # inches of a scale
_LINE = 0.28  # inches of a line
_GAP = 0.3  # inches between entries


@dataclass(frozen=True)
class Entry:
    """One entry: a scale if *colour* is a colour map, else a line or a disc.

    Attributes:
        name: what is explained.
        colour: of it.
        dashed: whether the line is.
        sources: whose the values are, where there are several.
        disc: a disc, for bases, instead of a line.
        small: whether the disc is, for bases without a value, which no shade of grey print can tell.
        top: the value at the upper end of a scale; it begins at 0.
        continued: whether it is a further line of the entry before, and has no swatch.
    """

    name: str
    colour: Colormap | str
    dashed: bool = False
    sources: tuple[str, ...] = ()
    disc: bool = False
    small: bool = False
    top: str = "1"
    continued: bool = False

    @property
    def label(self) -> str:
        """The words: what is explained, and whose it is."""
        return f"{self.name} ({'; '.join(self.sources)})" if self.sources else self.name

    def looks_like(self, other: "Entry") -> bool:
        """Whether one entry can stand for both."""
        return replace(self, sources=()) == replace(other, sources=())

    def joined(self, other: "Entry") -> "Entry":
        """One entry for both, which look alike."""
        new = tuple(source for source in other.sources if source not in self.sources)
        return replace(self, sources=(*self.sources, *new))

    @property
    def swatch(self) -> float:
        """Width in inches of what stands before the label."""
        return _LINE if isinstance(self.colour, str) else _BAR + 0.2 + text_width(self.top, 7)

    @property
    def width(self) -> float:
        """Width in inches, label and gap included."""
        return self.swatch + 0.08 + text_width(self.label, _SIZE) + _GAP


def legend_rows(entries: Sequence[Entry], width: float) -> list[list[Entry]]:
    """*entries* in order, in as few rows of at most *width* inches as that takes."""
    rows: list[list[Entry]] = []
    left = 0.0
    for entry in (line for one in entries for line in _lines(one, width)):
        if not rows or entry.continued or left < entry.width - _GAP:
            rows.append([])
            left = width
        rows[-1].append(entry)
        left -= entry.width
    return rows


def _lines(entry: Entry, width: float) -> list[Entry]:
    """*entry*, or one for each line that its label needs to be at most *width* inches wide."""
    room = width - entry.swatch - 0.08
    lines = [""]
    for word in entry.label.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and text_width(longer, _SIZE) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    if len(lines) == 1:
        return [entry]
    return [replace(entry, name=line, sources=(), continued=k > 0) for k, line in enumerate(lines)]


def draw_legend(axes: Axes, rows: Sequence[Sequence[Entry]], x: float, top: float) -> None:
    """Draw *rows* on axes in inches, the first row's upper left corner at (x, top)."""
    for k, row in enumerate(rows):
        y = top - (k + 0.5) * ROW_HEIGHT
        start = x
        for entry in row:
            if not entry.continued:
                _draw_swatch(axes, entry, start, y)
            write(axes, start + entry.swatch + 0.08, y, entry.label, size=_SIZE, gid="legend")
            start += entry.width


def _draw_swatch(axes: Axes, entry: Entry, x: float, y: float) -> None:
    if isinstance(entry.colour, str):
        if entry.disc:
            look: dict[str, Any] = {"c": [entry.colour], "edgecolors": FAINT, "linewidths": 0.5}
            axes.scatter([x + _LINE / 2], [y], s=50 * (SMALL if entry.small else 1), **look)
            return
        style = "--" if entry.dashed else "-"
        axes.plot([x, x + _LINE], [y, y], color=entry.colour, lw=2, ls=style)
        return
    edges = np.linspace(x + 0.13, x + 0.13 + _BAR, 33)
    box = np.array([[0, -0.055], [0, 0.055], [1, 0.055], [1, -0.055]])
    cells = [box * [b - a, 1] + [a, y] for a, b in pairwise(edges)]
    colours = entry.colour(np.linspace(0, 1, 32))
    axes.add_collection(PolyCollection(cells, facecolors=colours, edgecolors="face", linewidths=0.3))
    write(axes, x + 0.08, y, "0", size=7, color=FAINT, ha="right")
    write(axes, x + 0.13 + _BAR + 0.05, y, entry.top, size=7, color=FAINT)
