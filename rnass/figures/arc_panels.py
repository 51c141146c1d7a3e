"""How an arc diagram is laid out: panels from top to bottom, everything in inches.

All arcs of a figure are half ellipses of one shape, so two arcs cross in the picture exactly where two
pairs cross in the structure.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.path import Path
from numpy.typing import NDArray

from rnass.figures.legend import ROW_HEIGHT, draw_legend, legend_rows
from rnass.figures.pair_colours import Half, legend_of
from rnass.figures.style import (
    FAINT,
    FIVE_PRIME,
    INK,
    THREE_PRIME,
    blank_axes,
    plain_text,
    position_labels,
    text_width,
    write,
)
from rnass.rna import Rna

__all__ = ["draw_panels"]

_MARGIN = 0.4  # inches left and right of the sequence; the signs 5' and 3' stand there
_LABEL = 0.28  # inches of a row that names a track
_TITLE = 0.36
_TALLEST = 3.2  # inches of the highest arc
_APART = 0.15  # inches between panels
_NICK = 3  # width of the gap between two strands, in places of a base


@dataclass(frozen=True)
class _Frame:
    """Where things stand, in inches.

    Attributes:
        length: bases.
        width: of the figure.
        spacing: from base to base.
        shape: height over half width of an arc; 1 is a half circle.
        nick: first base of a second strand, None for one strand.
    """

    length: int
    width: float
    spacing: float
    shape: float
    nick: int | None = None

    @classmethod
    def around(cls, bases: int, span: int, nick: int | None = None) -> "_Frame":
        """A frame for that many bases and arcs of at most *span* bases."""
        length = bases if nick is None else bases + _NICK  # in places of a base
        width = float(np.clip(0.15 * length + 2 * _MARGIN, 6, 14 if length <= 1000 else 18))
        spacing = min((width - 2 * _MARGIN) / length, 0.25)
        tallest = min(_TALLEST, 0.28 * width)
        widest = span + length - bases
        shape = min(1.0, tallest / max(widest * spacing / 2, 1e-9))
        return cls(bases, width, spacing, shape, nick)

    @property
    def first(self) -> float:
        """How far right the first base stands."""
        return (self.width - self.spacing * (self.length - 1 + self.gap)) / 2

    @property
    def gap(self) -> int:
        """Width of the gap between two strands, in places of a base."""
        return 0 if self.nick is None else _NICK

    def x(self, base: NDArray[np.int64]) -> NDArray[np.float64]:
        """How far right bases stand, 0-based, the gap between two strands included."""
        place = base if self.nick is None else base + self.gap * (base >= self.nick)
        return np.asarray(self.first + self.spacing * place, dtype=np.float64)

    def height(self, half: Half) -> float:
        """Room for the arcs of *half*."""
        return max((half.span + self.gap) * self.spacing / 2 * self.shape, 0.12) + 0.06

    def extent(self, panel: Sequence[Half]) -> float:
        """Height of a panel: its halves, their labels and the sequence."""
        return sum(self.height(half) + _LABEL for half in panel) + self.band

    @property
    def letters(self) -> float:
        """Size of the sequence's letters in points; 0 if they would be too small to read."""
        size = min(10.0, 72 * self.spacing * 1.05)
        return size if size >= 5 else 0.0

    @property
    def band(self) -> float:
        """Height of the sequence: letters, if any, and position numbers."""
        return 0.36 if self.letters else 0.25


def draw_panels(rna: Rna, panels: Sequence[Sequence[Half]], title: str) -> Figure:
    """Draw panels from top to bottom, each a half above the sequence and perhaps one below it."""
    halves = [half for panel in panels for half in panel]
    frame = _Frame.around(len(rna), max(half.span for half in halves), rna.nick)
    rows = legend_rows(legend_of(halves), frame.width - 2 * _MARGIN)
    extents = [frame.extent(panel) + _APART for panel in panels]
    heading = _TITLE if title else 0.0
    height = 0.25 + heading + sum(extents) + len(rows) * ROW_HEIGHT
    figure = Figure(figsize=(frame.width, height))
    axes = blank_axes(figure, frame.width, height)
    y = height - 0.15 - heading
    if title:
        line = plain_text(title, int((frame.width - 2 * _MARGIN) / 0.12))
        write(axes, _MARGIN, y + heading / 2, line, size=12, weight="bold", gid="title")
    for panel, extent in zip(panels, extents, strict=True):
        _draw_panel(axes, frame, rna.bases, panel, y)
        y -= extent
    draw_legend(axes, rows, _MARGIN, len(rows) * ROW_HEIGHT + 0.1)
    return figure


def _draw_panel(axes: Axes, frame: _Frame, bases: str, halves: Sequence[Half], top: float) -> None:
    """One sequence with its arcs, the upper edge at *top*."""
    upper = halves[0]
    y = top - _LABEL - frame.height(upper)
    _draw_label(axes, frame, upper, top - _LABEL / 2)
    _draw_arcs(axes, frame, upper, y, 1)
    _draw_sequence(axes, frame, bases, y)
    y -= frame.band
    for lower in halves[1:]:
        if lower.pairs.size and not frame.letters:
            axes.plot(frame.x(np.array([0, frame.length - 1])), [y, y], color=FAINT, lw=0.6)
        _draw_arcs(axes, frame, lower, y, -1)
        y -= frame.height(lower)
        _draw_label(axes, frame, lower, y - _LABEL / 2)


def _draw_label(axes: Axes, frame: _Frame, half: Half, y: float) -> None:
    room = frame.width - 2 * _MARGIN - text_width(half.remark, 8) - 0.3
    write(axes, _MARGIN, y, plain_text(half.label, int(room / 0.085)), size=10, weight="bold")
    write(axes, frame.width - _MARGIN, y, half.remark, size=8, color=FAINT, ha="right")


# A half circle of radius 1 as two Bezier curves, left to right.
_BEND = 4 / 3 * (2**0.5 - 1)
_ARC = np.array([[-1, 0], [-1, _BEND], [-_BEND, 1], [0, 1], [_BEND, 1], [1, _BEND], [1, 0]])
_ARC_CODES = [Path.MOVETO, *[Path.CURVE4] * 6]


def _draw_arcs(axes: Axes, frame: _Frame, half: Half, y: float, side: int) -> None:
    """The pairs of *half* on a line at *y*, upwards (*side* 1) or downwards (-1)."""
    ends = frame.x(half.pairs)  # (n, 2)
    radius = (ends[:, 1] - ends[:, 0]) / 2
    scale = np.stack([radius, side * frame.shape * radius], axis=1)  # (n, 2)
    centre = np.stack([ends.mean(1), np.full(len(ends), y)], axis=1)
    curves = _ARC * scale[:, None] + centre[:, None]  # (n, 7, 2)
    axes.add_collection(
        PathCollection(
            [Path(curve, _ARC_CODES) for curve in curves],
            facecolors="none",
            edgecolors=half.colours,
            linewidths=float(np.clip(0.55 * 72 * frame.spacing, 0.5, 1.8)),
            linestyles=[(0, (3, 1.5)) if dashed else "-" for dashed in half.dashed] or "-",
            gid="above" if side == 1 else "below",
        )
    )


def _draw_sequence(axes: Axes, frame: _Frame, bases: str, top: float) -> None:
    """The letters, or a line where they would be too small, over position numbers."""
    places = frame.x(np.arange(frame.length))
    labels = position_labels(frame.length, frame.spacing)
    middle = top - (0.1 if frame.letters else 0.0)
    for x, sign, side in ((places[0], FIVE_PRIME, "right"), (places[-1], THREE_PRIME, "left")):
        shift = max(0.12, frame.spacing * 0.8) * (-1 if side == "right" else 1)
        write(axes, x + shift, middle, sign, size=8, color=FAINT, ha=side)
    if frame.nick is not None:
        write(
            axes,
            places[[frame.nick - 1, frame.nick]].mean(),
            middle,
            "&",
            size=8,
            color=FAINT,
            ha="center",
        )
    if frame.letters:
        for x, letter in zip(places, bases, strict=True):
            write(axes, x, middle, letter, size=frame.letters, ha="center", gid="base")
    else:
        for strand in np.split(places, [] if frame.nick is None else [frame.nick]):
            axes.plot(strand[[0, -1]], [top, top], color=INK, lw=0.8)
        ticks = places[np.array(labels) - 1]
        axes.vlines(ticks, top - 0.05, top, color=INK, lw=0.6)
    for label in labels:
        y = middle - (0.17 if frame.letters else 0.13)
        write(axes, places[label - 1], y, str(label), size=7, color=FAINT, ha="center", gid="position")
