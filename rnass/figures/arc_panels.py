"""How an arc diagram is laid out: panels from top to bottom, everything in inches.

An arc from i to j is half an ellipse whose height is k (j - i)^p. For every p from 1/2 to 1 two such
arcs cross in the picture exactly where the two pairs cross in the structure: above x the squared height
of an arc is proportional to (x - i) (j - x) (j - i)^(2p - 2), which grows as i moves to the left and as
j moves to the right, so the outer of two nested pairs lies above the inner one. Short RNAs have p = 1,
arcs of one shape; in long ones wide arcs are flattened, so that hairpins can still be seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection, PolyCollection
from matplotlib.path import Path
from numpy.typing import NDArray

from rnass.figures.base_colours import BaseColours
from rnass.figures.legend import ROW_HEIGHT, draw_legend, legend_rows
from rnass.figures.look import Look, View
from rnass.figures.pair_colours import Half, legend_of
from rnass.figures.style import (
    FAINT,
    FIVE_PRIME,
    HIGHLIGHT,
    HIGHLIGHT_EDGE,
    INK,
    THREE_PRIME,
    fitted_text,
    page,
    position_labels,
    size_of,
    text_width,
    write,
)

__all__ = ["draw_panels"]

_MARGIN = 0.4  # inches left and right of the sequence; the signs 5' and 3' stand there
_LABEL = 0.28  # inches of a row that names a track
_TITLE = 0.36
_TALLEST = 3.2  # inches of the highest arc
_FLATTEST = 0.5  # inches of it, however little room there is
_APART = 0.15  # inches between panels
_NICK = 3  # width of the gap between two strands, in places of a base
_HAIRPIN = 10  # bases of an arc that should still be seen,
_SEEN = 0.12  # by being so many inches high
_BARS, _STRIP = 0.4, 0.12  # inches of a track of bars, of a strip of colours
_MISSING = 0.04  # inches of the mark below a track of bars, of a base without a value
_SMALLEST = 5.0  # points of a letter


@dataclass(frozen=True)
class _Frame:
    """Where things stand, in inches.

    Attributes:
        width: of the figure.
        places: shape (L,), how far right each base stands.
        spacing: from base to base.
        widest: the longest distance between the ends of an arc.
        tallest: height of that arc.
        power: p, by which height grows with width.
    """

    width: float
    places: NDArray[np.float64]
    spacing: float
    widest: float
    tallest: float
    power: float

    @classmethod
    def of(cls, view: View, halves: Sequence[Half], width: float, room: float | None) -> "_Frame":
        """A frame for all *halves*; *room* bounds the sum of their heights, None for no bound."""
        slots = np.arange(len(view)) + (
            0 if view.nick is None else _NICK * (np.arange(len(view)) >= view.nick)
        )
        spacing = min((width - 2 * _MARGIN) / (slots[-1] + 1), 0.25)
        places = (width - spacing * slots[-1]) / 2 + spacing * slots
        spans = [_reach(places, half) for half in halves]
        widest = max(*spans, spacing)
        tallest = min(_TALLEST, 0.28 * width, widest / 2)
        power = _power(widest, tallest, spacing)
        if room is not None:
            shares = sum((span / widest) ** power for span in spans)
            tallest = min(max(room / max(shares, 1e-9), _FLATTEST), widest / 2)
            power = _power(widest, tallest, spacing)
        return cls(width, places, spacing, widest, tallest, power)

    def heights(self, reach: NDArray[np.float64]) -> NDArray[np.float64]:
        """Heights of arcs whose ends are so far apart."""
        return np.asarray(self.tallest * (reach / self.widest) ** self.power, dtype=np.float64)

    def height(self, half: Half) -> float:
        """Room for the arcs of *half*."""
        return max(float(self.heights(np.array(_reach(self.places, half)))), 0.12) + 0.06

    @property
    def letters(self) -> float:
        """Size of the sequence's letters in points; 0 if they would be too small to read."""
        return _letters(self.spacing)


def _letters(spacing: float) -> float:
    size = min(10.0, 72 * spacing * 1.05)
    return size if size >= _SMALLEST else 0.0


def _reach(places: NDArray[np.float64], half: Half) -> float:
    """Inches from one end of the widest pair to the other."""
    return float((places[half.pairs[:, 1]] - places[half.pairs[:, 0]]).max(initial=0.0))


def _power(widest: float, tallest: float, spacing: float) -> float:
    """The p that makes a hairpin's arc half a circle, or high enough to be seen; from 1/2 to 1."""
    hairpin = _HAIRPIN * spacing
    if widest <= hairpin:
        return 1.0
    ratio = tallest / max(hairpin / 2, min(_SEEN, tallest))
    return float(np.clip(np.log(ratio) / np.log(widest / hairpin), 0.5, 1.0))


def draw_panels(
    view: View,
    panels: Sequence[Sequence[Half]],
    strips: Sequence[BaseColours],
    title: str,
    look: Look,
    axes: Axes | None,
) -> Axes:
    """Draw panels from top to bottom, each a half above the sequence and perhaps one below it."""
    halves = [half for panel in panels for half in panel]
    width, height = (look.width or _natural_width(view), look.height) if axes is None else size_of(axes)
    entries = [*legend_of(halves), *(entry for strip in strips for entry in strip.entries)]
    rows = legend_rows(entries, width - 2 * _MARGIN)
    heading = _TITLE if title else 0.0
    first = _Frame.of(view, halves, width, None)
    band = _band(first, strips)
    fixed = (
        0.25 + heading + len(rows) * ROW_HEIGHT + len(panels) * (band + _APART) + len(halves) * _LABEL
    )
    frame = first
    if height is not None:
        frame = _Frame.of(view, halves, width, height - fixed - 0.06 * len(halves))
    needed = fixed + sum(frame.height(half) for half in halves)
    axes = page(axes, width, needed if height is None else height)
    y = (needed if height is None else height) - 0.15 - heading
    if title:
        line = fitted_text(title, width - 2 * _MARGIN, 12, bold=True)
        write(axes, _MARGIN, y + heading / 2, line, size=12, weight="bold", gid="title")
    for panel in panels:
        _draw_panel(axes, frame, view, panel, strips, y)
        y -= sum(frame.height(half) + _LABEL for half in panel) + band + _APART
    draw_legend(axes, rows, _MARGIN, len(rows) * ROW_HEIGHT + 0.1)
    return axes


def _natural_width(view: View) -> float:
    """Inches that show *view* best: letters up to about 200 bases, then as wide as a screen."""
    slots = len(view) + (0 if view.nick is None else _NICK)
    return float(np.clip(0.15 * slots + 2 * _MARGIN, 6, 14 if slots <= 1000 else 18))


def _band(frame: _Frame, strips: Sequence[BaseColours]) -> float:
    """Height of the sequence: letters, if any, tracks and position numbers."""
    return (0.36 if frame.letters else 0.25) + sum(_depth(strip) for strip in strips)


def _depth(strip: BaseColours) -> float:
    return (_STRIP if strip.heights is None else _BARS) + 0.05


def _draw_panel(
    axes: Axes,
    frame: _Frame,
    view: View,
    halves: Sequence[Half],
    strips: Sequence[BaseColours],
    top: float,
) -> None:
    """One sequence with its arcs, the upper edge at *top*."""
    upper = halves[0]
    y = top - _LABEL - frame.height(upper)
    _draw_label(axes, frame, upper, top - _LABEL / 2)
    _draw_highlights(axes, frame, view, y + frame.height(upper), y - _band(frame, strips))
    _draw_arcs(axes, frame, upper, y, 1)
    _draw_sequence(axes, frame, view, strips, y)
    y -= _band(frame, strips)
    for lower in halves[1:]:
        if lower.pairs.size and not frame.letters:
            axes.plot(frame.places[[0, -1]], [y, y], color=FAINT, lw=0.6)
        _draw_highlights(axes, frame, view, y, y - frame.height(lower))
        _draw_arcs(axes, frame, lower, y, -1)
        y -= frame.height(lower)
        _draw_label(axes, frame, lower, y - _LABEL / 2)


def _draw_label(axes: Axes, frame: _Frame, half: Half, y: float) -> None:
    room = frame.width - 2 * _MARGIN - text_width(half.remark, 8) - 0.3
    write(
        axes,
        _MARGIN,
        y,
        fitted_text(half.label, room, 10, bold=True),
        size=10,
        weight="bold",
        gid="label",
    )
    write(axes, frame.width - _MARGIN, y, half.remark, size=8, color=FAINT, ha="right", gid="remark")


def _draw_highlights(axes: Axes, frame: _Frame, view: View, top: float, bottom: float) -> None:
    """A band behind each marked part."""
    boxes = []
    for start, stop in view.highlight:
        left, right = frame.places[start] - frame.spacing / 2, frame.places[stop - 1] + frame.spacing / 2
        boxes.append([(left, bottom), (left, top), (right, top), (right, bottom)])
    look: dict[str, Any] = {
        "facecolors": HIGHLIGHT,
        "edgecolors": HIGHLIGHT_EDGE,
        "linewidths": 0.5,
        "zorder": 0,
    }
    axes.add_collection(PolyCollection(boxes, gid="highlight", **look))


# A half circle of radius 1 as two Bezier curves, left to right.
_BEND = 4 / 3 * (2**0.5 - 1)
_ARC = np.array([[-1, 0], [-1, _BEND], [-_BEND, 1], [0, 1], [_BEND, 1], [1, _BEND], [1, 0]])
_ARC_CODES = [Path.MOVETO, *[Path.CURVE4] * 6]


def _draw_arcs(axes: Axes, frame: _Frame, half: Half, y: float, side: int) -> None:
    """The pairs of *half* on a line at *y*, upwards (*side* 1) or downwards (-1)."""
    ends = frame.places[half.pairs]  # (n, 2)
    reach = ends[:, 1] - ends[:, 0]
    scale = np.stack([reach / 2, side * frame.heights(reach)], axis=1)  # (n, 2)
    centre = np.stack([ends.mean(1), np.full(len(ends), y)], axis=1)
    curves = _ARC * scale[:, None] + centre[:, None]  # (n, 7, 2)
    axes.add_collection(
        PathCollection(
            [Path(curve, _ARC_CODES) for curve in curves],
            facecolors="none",
            edgecolors=half.colours,
            linewidths=float(np.clip(0.55 * 72 * frame.spacing, 0.6, 1.8)),
            linestyles=[(0, (3, 1.5)) if dashed else "-" for dashed in half.dashed] or "-",
            gid="above" if side == 1 else "below",
        )
    )
    stubs = [
        [(x, y), (x + direction * 0.09, y + side * 0.14)]
        for x, direction in ((frame.places[base], direction) for base, direction in half.leaving)
    ]
    axes.add_collection(LineCollection(stubs, colors=FAINT, linewidths=0.8, gid="leaving"))


def _draw_sequence(
    axes: Axes, frame: _Frame, view: View, strips: Sequence[BaseColours], top: float
) -> None:
    """The letters, or a line where they would be too small, over tracks and position numbers."""
    places = frame.places
    middle = top - (0.1 if frame.letters else 0.0)
    _draw_ends(axes, frame, view, middle)
    if frame.letters:
        for x, letter in zip(places, view.bases, strict=True):
            write(axes, x, middle, letter, size=frame.letters, ha="center", gid="base")
    else:
        for start, stop in view.strands:
            axes.plot(places[[start, stop - 1]], [top, top], color=INK, lw=0.8, gid="chain")
    y = top - (0.2 if frame.letters else 0.06)
    for strip in strips:
        _draw_strip(axes, frame, strip, y)
        y -= _depth(strip)
    labels = position_labels(view.numbers, frame.spacing)
    if not frame.letters and not strips:
        axes.vlines(places[labels], top - 0.05, top, color=INK, lw=0.6)
    for base in labels:
        look = {"size": 7, "color": FAINT, "ha": "center", "gid": "position"}
        write(axes, places[base], y - 0.07, str(view.numbers[base]), **look)


def _draw_ends(axes: Axes, frame: _Frame, view: View, y: float) -> None:
    """5' and 3' where a strand begins and ends, and the sign between two strands."""
    places, outside = frame.places, max(0.12, frame.spacing * 0.8)
    if view.numbers[0] == 1:
        write(axes, places[0] - outside, y, FIVE_PRIME, size=8, color=FAINT, ha="right")
    if view.nick is not None:
        middle = places[[view.nick - 1, view.nick]].mean()
        write(axes, middle, y, "&", size=8, color=FAINT, ha="center")
    if view.start + len(view) == view.length:
        write(axes, places[-1] + outside, y, THREE_PRIME, size=8, color=FAINT)


def _draw_strip(axes: Axes, frame: _Frame, strip: BaseColours, top: float) -> None:
    """A row of coloured cells below *top*, or of bars where there are heights."""
    depth = _STRIP if strip.heights is None else _BARS
    tall = np.full(len(strip), depth) if strip.heights is None else depth * np.nan_to_num(strip.heights)
    bottom = top - depth
    left, right = frame.places - frame.spacing / 2, frame.places + frame.spacing / 2
    base, upper = np.full(len(strip), bottom), bottom + tall
    if strip.heights is not None:
        base[np.isnan(strip.heights)] -= _MISSING
    corners = [(left, base), (left, upper), (right, upper), (right, base)]
    cells = np.stack([np.stack(corner, axis=1) for corner in corners], axis=1)  # (L, 4, 2)
    axes.add_collection(
        PolyCollection(
            list(cells), facecolors=strip.colours, edgecolors="face", linewidths=0.3, gid=strip.name
        )
    )
    if strip.heights is not None:
        axes.plot([left[0], right[-1]], [bottom, bottom], color=FAINT, lw=0.5)
        write(axes, left[0] - 0.05, top, strip.entries[0].top, size=6, color=FAINT, ha="right", va="top")
        write(axes, left[0] - 0.05, bottom, "0", size=6, color=FAINT, ha="right", va="bottom")
