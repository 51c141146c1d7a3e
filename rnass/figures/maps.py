"""Heat maps over pairs of bases: pairing probabilities, attention."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.layout_engine import ConstrainedLayoutEngine
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array, issparse, tril, triu

from rnass.errors import InputError
from rnass.figures.look import Look, View
from rnass.figures.style import (
    FAINT,
    HIGHLIGHT,
    HIGHLIGHT_EDGE,
    INK,
    KNOTTED_FLAT,
    check_length,
    figure_of,
    fitted_text,
    plain_text,
    position_labels,
    size_of,
    styled,
    text_width,
)
from rnass.structure import Structure

__all__ = ["heat_maps", "probability_map"]

_ALL = Look()

# Nothing for 0, so that a mark below shows; from 0.05 on a tint that shows a rare alternative helix.
_FROM_WHITE = LinearSegmentedColormap.from_list(
    "rnass map",
    [(0, "#ffffff00"), (0.05, "#b9d6ec"), (0.35, "#6baed6"), (0.7, "#2171b5"), (1, "#08306b")],
)
_DIVERGING = "PuOr_r"
_CELLS_PER_INCH = 75  # at most; more would be too small to see
_PAD = 0.12  # inches


@styled
def probability_map(
    bases: str,
    above: NDArray[np.floating] | csr_array | Structure,
    below: NDArray[np.floating] | csr_array | Structure | None = None,
    *,
    labels: tuple[str, str] = ("rnass", "ViennaRNA"),
    title: str = "",
    look: Look = _ALL,
    axes: Axes | None = None,
) -> Axes:
    """Draw one probability map above the diagonal, and another one or a structure below it.

    Args:
        bases: the sequence, L letters; two strands as `A&B`, each numbered from 1. Shown where they
            have 5 points or more at the size of the figure.
        above: shape (L, L), in [0, 1], symmetric, dense or sparse; or a structure, whose pairs count 1.
        below: the same of another method. None: as *above*.
        labels: the names of *above* and of *below*.
        title: stands above it all.
        look: size, font, region and highlights.
        axes: to draw on; None for a figure of its own. A scale of colours is taken from their side.

    Returns:
        The axes of the map; x and y are bases shown, from 1.

    Raises:
        InputError: a map or a structure that does not fit the sequence.
        ConfigError: a font that is not installed.
    """
    view = View(bases, look, "probability map")
    upper = _cells("probability map above", above, view)
    lower = upper if below is None else _cells("probability map below", below, view)
    both: NDArray[np.floating] | coo_array
    if issparse(upper) and issparse(lower):
        both = (triu(upper, 1) + tril(lower, -1)).tocoo()
    else:
        both = np.triu(_dense(upper), 1) + np.tril(_dense(lower), -1)
    axes, side = _own_axes(look) if axes is None else (axes, min(size_of(axes)))
    image = _show(axes, both, Normalize(0, 1), side=side, numbers=view.numbers)
    _mark(axes, view)
    size_of_letters, pad = min(8.0, 72 * side / len(view)), 6.0
    if size_of_letters >= 5:
        _letters(axes, view.bases, size_of_letters)
        pad = 14.0
    names = [fitted_text(label, part * side, 9) for label, part in zip(labels, (0.35, 0.9), strict=True)]
    room = side
    if below is None:
        names = [f"pairing probability ({names[0]})" if names[0] else "pairing probability"]
    else:
        room -= text_width(f"{names[0]} ◥", 9) + 0.25
        axes.set_title(f"{names[0]} ◥", size=9, loc="right", pad=pad, parse_math=False)
        axes.set_xlabel(f"◣ {names[1]}", size=9, loc="left", parse_math=False)
        names = ["pairing probability"]
    bar = figure_of(axes).colorbar(image, ax=axes, shrink=0.6, aspect=28)
    bar.set_label(names[0], parse_math=False)
    bar.outline.set_visible(False)
    if title:
        line = fitted_text(title, room, 12, bold=True)
        text: dict[str, Any] = {"size": 12, "weight": "bold", "color": INK, "gid": "title"}
        axes.set_title(line, loc="left", pad=pad, parse_math=False, **text)
    return axes


def _own_axes(look: Look) -> tuple[Axes, float]:
    """Axes of a figure of their own, and the side of a square map in them, in inches."""
    width = look.width or 7.0
    size = (width, look.height or width * 0.93)
    figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(w_pad=_PAD, h_pad=_PAD))
    return figure.add_subplot(), min(size[0] - 1.4, size[1] - 0.9)


@styled
def heat_maps(
    maps: Mapping[str, NDArray[np.floating]],
    *,
    structure: Structure | None = None,
    label: str = "attention",
    title: str = "",
) -> Figure:
    """Draw several square maps side by side, to one scale; for example the heads of a layer.

    The scale runs from 0 to the 99.9th percentile of all maps, or symmetrically about 0 if there are
    negative values, as an average product correction leaves them.

    Args:
        maps: name -> shape (L, L), all of one L.
        structure: its pairs are ringed below the diagonal.
        label: what the values are, with their unit if any.
        title: stands above it all.

    Raises:
        InputError: no maps, or maps or a structure of different lengths.
    """
    if not maps:
        raise InputError("heat maps: no maps; expected at least one")
    length = len(next(iter(maps.values())))
    cells = {name: _dense(_fitting(f"heat map {name}", values, length)) for name, values in maps.items()}
    if structure is not None:
        check_length("heat maps: structure", len(structure), length)
    norm = _common_scale(np.stack(list(cells.values())))
    columns = int(np.ceil(np.sqrt(len(cells))))
    rows = -(-len(cells) // columns)
    side = max(2.0, 6 / columns)
    figure = Figure(
        figsize=(side * columns + 1, side * rows + 0.7),
        layout=ConstrainedLayoutEngine(w_pad=_PAD, h_pad=_PAD),
    )
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, (name, values) in zip(grid, cells.items(), strict=False):
        _show(axes, values, norm, side=side)
        axes.set_title(plain_text(name, int(side * 12)), size=9, color=INK, parse_math=False)
        if structure is not None:
            _ring(axes, structure, side)
    for axes in grid[len(cells) :]:
        axes.set_axis_off()
    scale = ScalarMappable(norm, _DIVERGING if norm.vmin else _FROM_WHITE)
    bar = figure.colorbar(scale, ax=list(grid), shrink=0.6, aspect=28)
    bar.set_label(label)
    bar.outline.set_visible(False)
    if title:
        figure.suptitle(
            plain_text(title, int(side * columns * 8)),
            size=12,
            weight="bold",
            color=INK,
            parse_math=False,
        )
    return figure


def _fitting(
    what: str, values: NDArray[np.floating] | csr_array, length: int
) -> NDArray[np.floating] | csr_array:
    """*values*, which must be (L, L); raises InputError."""
    if values.shape != (length, length):
        raise InputError(f"{what}: shape {values.shape}; expected {(length, length)}")
    return values


def _cells(
    what: str, values: NDArray[np.floating] | csr_array | Structure, view: View
) -> NDArray[np.floating] | csr_array:
    """The cells of a map that *view* shows; of a structure, sparse, 1 for each pair."""
    if isinstance(values, Structure):
        check_length(what, len(values), view.length)
        ends = np.concatenate([values.pairs, values.pairs[:, ::-1]])
        ones = np.ones(len(ends), dtype=np.float32)
        values = csr_array((ones, (ends[:, 0], ends[:, 1])), shape=(view.length, view.length))
    return view.of_values(_fitting(what, values, view.length))


def _dense(values: NDArray[np.floating] | csr_array) -> NDArray[np.floating]:
    return values if isinstance(values, np.ndarray) else np.asarray(values.toarray())


def _common_scale(values: NDArray[np.floating]) -> Normalize:
    """From 0, or from minus the top, to the 99.9th percentile of magnitudes; never empty."""
    top = float(np.quantile(np.abs(values), 0.999)) or float(np.abs(values).max()) or 1.0
    return Normalize(-top if values.min() < 0 else 0.0, top)


def _coarser(values: NDArray[np.floating] | coo_array, most: int) -> NDArray[np.floating]:
    """Maxima of square blocks, at most *most* a side, so that no helix falls between the pixels."""
    length = values.shape[0]
    block = -(-length // most)
    size = -(-length // block)
    if not isinstance(values, np.ndarray):
        cells = np.zeros((size, size), dtype=values.dtype)
        np.maximum.at(cells, (values.row // block, values.col // block), values.data)
        return cells
    if block == 1:
        return values
    padded = np.pad(values, (0, size * block - length), mode="edge")
    return np.asarray(padded.reshape(size, block, size, block).max((1, 3)))


def _show(
    axes: Axes,
    values: NDArray[np.floating] | coo_array,
    norm: Normalize,
    *,
    side: float,
    numbers: NDArray[np.int64] | None = None,
) -> AxesImage:
    """The cells of a map, base 1 in the upper left corner; *numbers* as `View` has them."""
    length = values.shape[0]
    numbers = np.arange(1, length + 1) if numbers is None else numbers
    labels = position_labels(numbers, side / length)
    words = [str(numbers[base]) for base in labels]
    axes.set_xticks([base + 1 for base in labels], words)
    axes.set_yticks([base + 1 for base in labels], words)
    axes.tick_params(color=FAINT, labelcolor=FAINT, labelsize=7, length=2)
    for spine in axes.spines.values():
        spine.set(color=FAINT, linewidth=0.6)
    return axes.imshow(
        _coarser(values, int(side * _CELLS_PER_INCH)),
        cmap=_DIVERGING if norm.vmin else _FROM_WHITE,
        norm=norm,
        extent=(0.5, length + 0.5, length + 0.5, 0.5),
        interpolation="none",
    )


def _mark(axes: Axes, view: View) -> None:
    """The diagonal, where the second strand begins, and the highlighted bases."""
    end = len(view) + 0.5
    axes.plot([0.5, end], [0.5, end], color=FAINT, lw=0.6)
    for start, stop in view.highlight:
        for span in (axes.axvspan, axes.axhspan):
            look: dict[str, Any] = {
                "facecolor": HIGHLIGHT,
                "edgecolor": HIGHLIGHT_EDGE,
                "zorder": -1,
                "lw": 0.5,
            }
            span(start + 0.5, stop + 0.5, gid="highlight", **look)
    if view.nick is not None:
        for line in (axes.axvline, axes.axhline):
            line(view.nick + 0.5, color=FAINT, lw=0.8, ls=":", gid="nick")


def _letters(axes: Axes, bases: str, size: float) -> None:
    """The sequence along the upper and the right edge, in points of *size*."""
    look: dict[str, Any] = {"size": size, "color": INK, "gid": "base"}
    for k, letter in enumerate(bases, start=1):
        above = axes.get_xaxis_transform()  # x in bases, y in parts of the side
        axes.text(k, 1.005, letter, ha="center", va="bottom", transform=above, **look)
        beside = axes.get_yaxis_transform()
        axes.text(1.008, k, letter, ha="left", va="center", transform=beside, **look)


def _ring(axes: Axes, structure: Structure, side: float) -> None:
    """A ring around the pairs of *structure*, below the diagonal."""
    i, j = structure.pairs.T + 1
    diameter = max(1.7 * 72 * side / len(structure), 1.8)  # points
    axes.scatter(i, j, s=diameter**2, facecolors="none", edgecolors=KNOTTED_FLAT, linewidths=0.5)
