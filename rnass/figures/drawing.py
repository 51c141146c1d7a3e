"""Secondary-structure drawings: bases in the plane, joined along the chain and across pairs."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_rgba_array
from matplotlib.path import Path
from numpy.typing import NDArray

from rnass.errors import InputError
from rnass.figures.base_colours import BaseColours
from rnass.figures.legend import ROW_HEIGHT, SMALL, Entry, draw_legend, legend_rows
from rnass.figures.look import Look, View
from rnass.figures.number_places import Number, placed_numbers
from rnass.figures.pair_colours import CORRECT, LEAVING, MISSED, WRONG
from rnass.figures.style import (
    FAINT,
    FIVE_PRIME,
    HIGHLIGHT,
    HIGHLIGHT_EDGE,
    INK,
    KNOTTED_FLAT,
    NESTED_FLAT,
    THREE_PRIME,
    check_length,
    fitted_text,
    page,
    size_of,
    styled,
    write,
)
from rnass.structure import Structure

__all__ = ["structure_drawing"]

_ALL = Look()
_PLAIN = "#e4e8eb"  # a base of which nothing is shown but its letter
_EDGE_COLOUR = "#8a949b"  # of every base, and all of a plain one
_TINY = 2.0  # points across, or less
_MARGIN = 0.45  # inches around the drawing; position numbers reach into it
_EDGE = 0.3  # inches left of title and legend
_TITLE = 0.4
_NARROWEST = 5.0
_SPACING = 0.24  # inches from base to base, if the whole then fits
_LARGEST = 12.0  # inches of a side
_SMALLEST = 5.0  # points of a letter
_PSEUDOKNOTTED = Entry("pseudoknotted", FAINT, dashed=True)


@styled
def structure_drawing(
    bases: str,
    structure: Structure,
    layout: Callable[[Structure], NDArray[np.floating]],
    *,
    colours: BaseColours | None = None,
    reference: Structure | None = None,
    title: str = "",
    look: Look = _ALL,
    axes: Axes | None = None,
) -> Axes:
    """Draw bases at given places; pairs of order 1 and higher are dashed bows.

    Letters are shown where they have 5 points or more at the size of the figure.

    Args:
        bases: the sequence, L letters; two strands as `A&B`, each numbered from 1.
        structure: L bases.
        layout: gives x and y of the M bases of the structure that is shown, shape (M, 2), in any unit:
            `rnass.thermodynamics.layout.layout`, for example.
        colours: of the bases; None: all have one colour.
        reference: the truth: pairs are coloured as correct or wrong, and those missed are drawn too.
        title: stands above it all.
        look: size, font, region and highlights.
        axes: to draw on, at the size they have; None for a figure of its own.

    Returns:
        The axes that hold it all, in inches.

    Raises:
        InputError: a structure, coordinates or colours that do not fit the sequence.
        ConfigError: a font that is not installed.
    """
    view = View(bases, look, "structure drawing")
    check_length("structure drawing", len(structure), view.length)
    shown = view.of_structure(structure)
    coordinates = layout(shown)
    if coordinates.shape != (len(view), 2):
        raise InputError(
            f"structure drawing: coordinates of shape {coordinates.shape}; expected {(len(view), 2)}"
        )
    if reference is not None:
        check_length("structure drawing: reference", len(reference), view.length)
    fills = None if colours is None else colours.shown(view)
    bonds = _bonds(view, structure, reference)
    leaving = [base for base, _ in view.leaving(structure)]
    entries = [*(fills.entries if fills else ()), *_legend_of(bonds), *([LEAVING] if leaving else [])]
    places, spacing, rows, axes = _placed(coordinates, entries, title, look, axes)
    width, height = axes.get_xlim()[1], axes.get_ylim()[1]
    if title:
        line = fitted_text(title, width - 2 * _EDGE, 12, bold=True)
        write(axes, _EDGE, height - 0.65 * _TITLE, line, size=12, weight="bold", gid="title")
    _draw_highlights(axes, places, view, spacing)
    _draw_chain(axes, places, view, spacing)
    for bond in bonds:
        _draw_pairs(axes, places, bond, spacing)
    stubs = _stubs(places, leaving, spacing)
    axes.add_collection(LineCollection(list(stubs), colors=FAINT, linewidths=0.8, gid="leaving"))
    _draw_bases(axes, places, view.bases, fills, spacing)
    taken = np.concatenate([places, places[shown.pairs].mean(1), _on_bows(places, bonds), stubs[:, 1]])
    _draw_numbers(axes, places, view, taken, spacing)
    draw_legend(axes, rows, _EDGE, len(rows) * ROW_HEIGHT + 0.1)
    return axes


class _Bond:
    """Pairs drawn alike: *gid*, shape (n, 2), colour, and whether they are bows; pseudoknots dashed."""

    def __init__(self, gid: str, pairs: NDArray[np.int64], entry: Entry, *, bowed: bool) -> None:
        self.gid, self.pairs, self.entry, self.bowed = gid, pairs, entry, bowed
        self.dashed = gid.startswith("pseudoknotted")


def _bonds(view: View, structure: Structure, reference: Structure | None) -> list[_Bond]:
    """The lines between the bases shown, in drawing order."""

    def shown(pairs: NDArray[np.int64]) -> NDArray[np.int64]:
        return pairs[view.holds(pairs)] - view.start

    knotted = structure.orders > 0
    if reference is None:
        groups = [("", np.ones(len(knotted), dtype=bool), Entry("pair", NESTED_FLAT), KNOTTED_FLAT)]
    else:
        right = reference.holds(structure.pairs)
        groups = [(" correct", right, CORRECT, ""), (" wrong", ~right, WRONG, "")]
    bonds = []
    for name, which, entry, hue in groups:
        higher = Entry("pseudoknotted pair", hue, dashed=True) if hue else entry
        bonds.append(
            _Bond(f"nested{name}", shown(structure.pairs[which & ~knotted]), entry, bowed=False)
        )
        bonds.append(
            _Bond(f"pseudoknotted{name}", shown(structure.pairs[which & knotted]), higher, bowed=True)
        )
    if reference is not None:
        missed = ~structure.holds(reference.pairs)

        def lost(which: NDArray[np.bool_]) -> NDArray[np.int64]:
            return shown(reference.pairs[missed & which])

        bonds.insert(0, _Bond("pseudoknotted missed", lost(reference.orders > 0), MISSED, bowed=True))
        bonds.insert(0, _Bond("nested missed", lost(reference.orders == 0), MISSED, bowed=True))
    return bonds


def _legend_of(bonds: Iterable[_Bond]) -> list[Entry]:
    """The legend of the lines; plain nested pairs alone need none."""
    drawn = [bond for bond in bonds if len(bond.pairs)]
    entries = list(dict.fromkeys(bond.entry for bond in drawn))
    if any(bond.dashed and not bond.entry.dashed for bond in drawn):
        entries.append(_PSEUDOKNOTTED)
    return [] if [bond.gid for bond in drawn] == ["nested"] else entries


def _placed(
    coordinates: NDArray[np.floating], entries: list[Entry], title: str, look: Look, axes: Axes | None
) -> tuple[NDArray[np.float64], float, list[list[Entry]], Axes]:
    """Bases in inches on the page, their spacing, the rows of the legend, and the page."""
    places = np.asarray(coordinates - coordinates.min(0), dtype=np.float64)
    steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
    step = (float(np.median(steps)) if steps.size else 0.0) or 1.0
    extent = np.maximum(places.max(0), 1e-9)
    width, height = (look.width, look.height) if axes is None else size_of(axes)
    head = _TITLE if title else 0.0
    scale = min(_SPACING / step, *(_LARGEST / extent))
    if width is not None:
        scale = min(_SPACING / step, (width - 2 * _MARGIN) / extent[0])
    rows = legend_rows(entries, (width or max(scale * extent[0] + 2 * _MARGIN, _NARROWEST)) - 2 * _EDGE)
    foot = len(rows) * ROW_HEIGHT + _EDGE
    if height is not None:
        scale = min(scale, max(height - foot - head - 2 * _MARGIN, 0.1) / extent[1])
    wide, tall = extent * scale
    axes = page(
        axes, width or max(wide + 2 * _MARGIN, _NARROWEST), height or foot + tall + 2 * _MARGIN + head
    )
    room = np.array([axes.get_xlim()[1], axes.get_ylim()[1] - foot - head])
    places = places * scale + [0, foot] + (room - [wide, tall]) / 2
    return places, step * scale, rows, axes


def _draw_highlights(axes: Axes, places: NDArray[np.float64], view: View, spacing: float) -> None:
    """A wide band behind the chain of each marked part."""
    marked = [base for start, stop in view.highlight for base in range(start, stop)]
    for size, colour in ((1.75, HIGHLIGHT_EDGE), (1.6, HIGHLIGHT)):
        spots = places[marked]
        points = (72 * size * spacing) ** 2
        axes.scatter(
            spots[:, 0], spots[:, 1], s=points, c=colour, linewidths=0, zorder=0, gid="highlight"
        )


def _draw_chain(axes: Axes, places: NDArray[np.float64], view: View, spacing: float) -> None:
    for start, stop in view.strands:
        look: dict[str, Any] = {
            "color": "#b4bcc2",
            "zorder": 1,
            "solid_joinstyle": "round",
            "gid": "chain",
        }
        axes.plot(*places[start:stop].T, lw=_thickness(spacing), **look)


def _thickness(spacing: float) -> float:
    return float(np.clip(8 * spacing, 0.5, 1.6))


def _draw_pairs(axes: Axes, places: NDArray[np.float64], bond: _Bond, spacing: float) -> None:
    """Straight lines, or bows."""
    ends = places[bond.pairs]  # (n, 2, 2): pair, end, x and y
    judged = bond.entry in (CORRECT, WRONG)  # these are what the figure is about
    look: dict[str, Any] = {
        "linewidths": _thickness(spacing) * (1.8 if judged else 1),
        "gid": bond.gid,
        "zorder": 2 if bond.bowed else 1,
    }
    if not bond.bowed:
        axes.add_collection(LineCollection(list(ends), colors=str(bond.entry.colour), **look))
        return
    bows = [Path(points, [Path.MOVETO, Path.CURVE3, Path.CURVE3]) for points in _bows(ends)]
    dashes = (0, (3, 1.5)) if bond.dashed else "-"
    look |= {"facecolors": "none", "edgecolors": bond.entry.colour, "linestyles": [dashes]}
    axes.add_collection(PathCollection(bows, **look))


def _bows(ends: NDArray[np.float64]) -> NDArray[np.float64]:
    """Curves between *ends*, (n, 2, 2), as start, control point and end, shape (n, 3, 2)."""
    first, second = ends[:, 0], ends[:, 1]
    across = (second - first)[:, ::-1] * [-1, 1]
    return np.stack([first, (first + second) / 2 + 0.2 * across, second], axis=1)


def _on_bows(places: NDArray[np.float64], bonds: Iterable[_Bond]) -> NDArray[np.float64]:
    """Points along the curves of *bonds*, which no number may cover, shape (n, 2)."""
    pairs = np.concatenate([bond.pairs for bond in bonds if bond.bowed])
    t = np.linspace(0.1, 0.9, 9)[:, None]
    shares = np.stack([(1 - t) ** 2, 2 * t * (1 - t), t**2])  # (3, 9, 1)
    curves = _bows(places[pairs])[:, :, None]  # (n, 3, 1, 2)
    return np.asarray((curves * shares).sum(1).reshape(-1, 2))


def _stubs(places: NDArray[np.float64], bases: list[int], spacing: float) -> NDArray[np.float64]:
    """Short lines from *bases*, across the chain to the side with more room, shape (n, 2, 2)."""
    beside = np.pad(places, ((1, 1), (0, 0)), mode="edge")
    along = (beside[2:] - beside[:-2])[bases]
    across = spacing * along[:, ::-1] * [-1, 1] / np.maximum(np.hypot(*along.T), 1e-9)[:, None]
    starts = places[bases]
    left, right = starts + across, starts - across

    def room(ends: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.linalg.norm(ends[:, None] - places, axis=2).min(1))

    return np.stack([starts, np.where((room(left) >= room(right))[:, None], left, right)], axis=1)


def _draw_bases(
    axes: Axes, places: NDArray[np.float64], bases: str, colours: BaseColours | None, spacing: float
) -> None:
    """A disc for every base, and its letter if that can be read."""
    diameter = 72 * 0.82 * spacing  # points
    plain = _PLAIN if diameter > _TINY else _EDGE_COLOUR
    fills = np.tile(to_rgba_array(plain), (len(bases), 1)) if colours is None else colours.colours
    look: dict[str, Any] = {
        "edgecolors": _EDGE_COLOUR,
        "linewidths": min(0.5, 0.15 * diameter),
        "zorder": 3,
        "gid": "bases",
    }
    areas: float | NDArray[np.float64] = diameter**2  # one for all makes the smaller file
    if colours is not None and colours.heights is not None:
        areas = np.where(np.isnan(colours.heights), SMALL, 1.0) * diameter**2
    axes.scatter(places[:, 0], places[:, 1], s=areas, c=fills, **look)
    size = 0.66 * diameter
    if size >= _SMALLEST:
        luminance = fills[:, :3] @ [0.299, 0.587, 0.114]
        words: dict[str, Any] = {
            "size": size,
            "ha": "center",
            "va": "center_baseline",
            "zorder": 4,
            "gid": "base",
        }
        for (x, y), letter, light in zip(places, bases, luminance, strict=True):
            write(axes, x, y, letter, color=INK if light > 0.5 else "white", **words)


def _draw_numbers(
    axes: Axes, places: NDArray[np.float64], view: View, obstacles: NDArray[np.float64], spacing: float
) -> None:
    """The ends of each strand and every so many positions, where there is room beside their bases."""
    every = next(step for step in (10, 20, 50, 100, 200, 500, 1000, 10**6) if step * spacing >= 0.8)
    last = {view.length - view.start, view.nick}  # where strands end
    ends: dict[int, str] = {}
    for start, stop in view.strands:
        if view.numbers[start] == 1:
            ends[start] = FIVE_PRIME
        if stop - 1 != start and stop in last:
            ends[stop - 1] = THREE_PRIME
    inner = {
        base: str(number)
        for base, number in enumerate(view.numbers.tolist())
        if number % every == 0 and base not in ends
    }
    numbers = [Number(base, text, 7) for base, text in (ends | inner).items()]
    limits = (axes.get_xlim()[1], axes.get_ylim()[1])
    for number, spot in placed_numbers(numbers, places, obstacles, 0.5 * spacing, limits):
        x, y = places[number.base]
        if np.hypot(spot[0] - x, spot[1] - y) > spacing + 0.25:
            axes.plot([x, spot[0]], [y, spot[1]], color="#c4c9cd", lw=0.4, zorder=0.5, gid="leader")
        look = {"size": number.size, "color": FAINT, "ha": "center", "zorder": 5, "gid": "position"}
        write(axes, spot[0], spot[1], number.text, **look)
