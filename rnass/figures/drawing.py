"""Secondary-structure drawings: bases in the plane, joined along the chain and across pairs."""

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_rgba_array
from matplotlib.figure import Figure
from matplotlib.path import Path
from numpy.typing import NDArray

from rnass.errors import InputError
from rnass.figures.legend import ROW_HEIGHT, Entry, draw_legend, legend_rows
from rnass.figures.style import (
    FAINT,
    FIVE_PRIME,
    INK,
    KNOTTED_FLAT,
    NESTED_FLAT,
    THREE_PRIME,
    blank_axes,
    check_length,
    plain_text,
    styled,
    write,
)
from rnass.structure import Structure

__all__ = ["structure_drawing"]

_CONFIDENCE = matplotlib.colormaps["YlGnBu"]
_UNKNOWN = "#e4e8eb"
_MARGIN = 0.45  # inches around the drawing; position numbers reach into it
_EDGE = 0.3  # inches left of title and legend
_TITLE = 0.4
_NARROWEST = 5.0
_SPACING = 0.24  # inches from base to base, if the whole then fits
_LARGEST = 12.0  # inches of a side


@styled
def structure_drawing(
    bases: str,
    structure: Structure,
    coordinates: NDArray[np.floating],
    *,
    confidence: NDArray[np.floating] | None = None,
    title: str = "",
) -> Figure:
    """Draw bases at given places, coloured by confidence; pairs of order 1 and higher as dashed bows.

    Args:
        bases: the sequence, L letters.
        structure: L bases.
        coordinates: shape (L, 2), x and y, in any unit; `rnass.thermodynamics.vienna` computes layouts.
        confidence: shape (L,), in [0, 1]. None: all bases have one colour.
        title: stands above it all.

    Raises:
        InputError: a structure, coordinates or confidences that do not fit the sequence.
    """
    check_length("structure drawing", len(structure), len(bases))
    _check_shape("coordinates", coordinates, (len(bases), 2))
    if confidence is not None:
        _check_shape("confidence", confidence, (len(bases),))
    entries = [] if confidence is None else [Entry("confidence", _CONFIDENCE)]
    if structure.pseudoknot_order:
        entries += [Entry("pair", NESTED_FLAT), Entry("pseudoknotted pair", KNOTTED_FLAT, dashed=True)]
    places, spacing = _in_inches(coordinates)
    width = max(float(places[:, 0].max()) + 2 * _MARGIN, _NARROWEST)
    rows = legend_rows(entries, width - 2 * _EDGE)
    foot = len(rows) * ROW_HEIGHT + _EDGE
    head = _TITLE if title else 0.0
    height = foot + float(places[:, 1].max()) + 2 * _MARGIN + head
    places += [(width - float(places[:, 0].max())) / 2, foot + _MARGIN]

    figure = Figure(figsize=(width, height))
    axes = blank_axes(figure, width, height)
    if title:
        line = plain_text(title, int((width - 2 * _EDGE) / 0.12))
        write(axes, _EDGE, height - 0.65 * _TITLE, line, size=12, weight="bold", gid="title")
    _draw_pairs(axes, places, structure, spacing)
    _draw_bases(axes, places, bases, confidence, spacing)
    _draw_numbers(axes, places, structure, spacing)
    draw_legend(axes, rows, _EDGE, len(rows) * ROW_HEIGHT + 0.1)
    return figure


def _check_shape(what: str, values: NDArray[np.floating], shape: tuple[int, ...]) -> None:
    """Raise InputError unless *values* have that shape."""
    if values.shape != shape:
        raise InputError(f"structure drawing: {what} of shape {values.shape}; expected {shape}")


def _in_inches(coordinates: NDArray[np.floating]) -> tuple[NDArray[np.float64], float]:
    """Coordinates in inches from their lower left corner, and the inches from base to base."""
    places = np.asarray(coordinates - coordinates.min(0), dtype=np.float64)
    steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
    step = (float(np.median(steps)) if steps.size else 0.0) or 1.0
    scale = min(_SPACING / step, _LARGEST / max(float(places.max()), 1e-9))
    return places * scale, step * scale


def _draw_pairs(axes: Axes, places: NDArray[np.float64], structure: Structure, spacing: float) -> None:
    """The chain, straight lines for nested pairs, dashed bows for the others."""
    thick = float(np.clip(8 * spacing, 0.4, 1.6))
    axes.plot(*places.T, color="#b4bcc2", lw=thick, zorder=1, solid_joinstyle="round", gid="chain")
    knotted = structure.orders > 0
    ends = places[structure.pairs]  # (n, 2, 2): pair, end, x and y
    axes.add_collection(
        LineCollection(
            list(ends[~knotted]), colors=NESTED_FLAT, linewidths=thick, zorder=1, gid="nested"
        )
    )
    codes = [Path.MOVETO, Path.CURVE3, Path.CURVE3]
    bows = []
    for first, second in ends[knotted]:
        x, y = second - first
        bows.append(Path([first, (first + second) / 2 + 0.2 * np.array([-y, x]), second], codes))
    axes.add_collection(
        PathCollection(
            bows,
            facecolors="none",
            edgecolors=KNOTTED_FLAT,
            linewidths=thick,
            linestyles=[(0, (3, 1.5))],
            zorder=2,
            gid="pseudoknotted",
        )
    )


def _draw_bases(
    axes: Axes,
    places: NDArray[np.float64],
    bases: str,
    confidence: NDArray[np.floating] | None,
    spacing: float,
) -> None:
    """A disc for every base, and its letter if that can be read."""
    shades = np.zeros(len(bases)) if confidence is None else np.clip(confidence, 0, 1)
    fills = to_rgba_array(_UNKNOWN) if confidence is None else _CONFIDENCE(shades)
    diameter = 72 * 0.82 * spacing  # points
    axes.scatter(
        places[:, 0],
        places[:, 1],
        s=diameter**2,
        c=fills,
        edgecolors="#8a949b",
        linewidths=0.5,
        zorder=3,
        gid="bases",
    )
    if diameter >= 6:
        look = {"size": 0.62 * diameter, "ha": "center", "va": "center_baseline", "zorder": 4}
        for (x, y), letter, shade in zip(places, bases, shades, strict=True):
            write(axes, x, y, letter, color="white" if shade > 0.55 else INK, gid="base", **look)


def _draw_numbers(axes: Axes, places: NDArray[np.float64], structure: Structure, spacing: float) -> None:
    """The ends and every so many positions, each where there is most room around its base."""
    length = len(places)
    every = next(step for step in (10, 20, 50, 100, 200, 500, 1000, 10**6) if step * spacing >= 0.8)
    labels = {0: FIVE_PRIME, length - 1: THREE_PRIME} if length > 1 else {0: "1"}
    labels |= {k - 1: str(k) for k in range(every, length + 1, every) if k < length}
    taken = np.concatenate([places, places[structure.pairs].mean(1)])
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    around = np.stack([np.cos(angles), np.sin(angles)], axis=1) * (0.5 * spacing + 0.13)  # (24, 2)
    for k, label in labels.items():
        spots = places[k] + around
        room = np.linalg.norm(spots[:, None] - taken, axis=2)  # (24, places taken)
        best = spots[int(room.min(1).argmax())]
        write(axes, best[0], best[1], label, size=7, color=FAINT, ha="center", zorder=5, gid="position")
        taken = np.concatenate([taken, [best]])
