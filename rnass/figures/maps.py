"""Heat maps over pairs of bases: pairing probabilities, attention."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.layout_engine import ConstrainedLayoutEngine
from numpy.typing import NDArray

from rnass.errors import InputError
from rnass.figures.style import (
    FAINT,
    INK,
    KNOTTED_FLAT,
    check_length,
    plain_text,
    position_labels,
    styled,
)
from rnass.structure import Structure

__all__ = ["heat_maps", "probability_map"]

# White for 0, a visible tint from 0.05 on, so that a rare alternative helix still shows.
_FROM_WHITE = LinearSegmentedColormap.from_list(
    "rnass map", [(0, "#ffffff"), (0.05, "#dbe9f6"), (0.35, "#6baed6"), (0.7, "#2171b5"), (1, "#08306b")]
)
_DIVERGING = "PuOr_r"
_CELLS_PER_INCH = 75  # at most; more would be too small to see
_LETTERS_UP_TO = 64  # bases; beyond, they would be too small
_SIDE = 5.2  # inches of a probability map
_PAD = 0.12  # inches


@styled
def probability_map(
    bases: str,
    above: NDArray[np.floating],
    below: NDArray[np.floating] | Structure | None = None,
    *,
    labels: tuple[str, str] = ("rnass", "ViennaRNA"),
    title: str = "",
) -> Figure:
    """Draw one probability map above the diagonal, and another one or a structure below it.

    Args:
        bases: the sequence, L letters.
        above: shape (L, L), in [0, 1], symmetric.
        below: the same of another method, or a structure, whose pairs count 1. None: as *above*.
        labels: the names of *above* and of *below*.
        title: stands above it all.

    Raises:
        InputError: a map or a structure that does not fit the sequence.
    """
    length = len(bases)
    upper = _fitting("probability map above", above, length)
    lower = upper
    if isinstance(below, Structure):
        check_length("probability map below", len(below), length)
        lower = _as_map(below)
    elif below is not None:
        lower = _fitting("probability map below", below, length)
    both = np.triu(upper, 1) + np.tril(lower, -1)
    figure = Figure(figsize=(7, 6.5), layout=ConstrainedLayoutEngine(w_pad=_PAD, h_pad=_PAD))
    axes = figure.add_subplot()
    image = _show(axes, both, Normalize(0, 1), side=_SIDE)
    axes.plot([0.5, length + 0.5], [0.5, length + 0.5], color=FAINT, lw=0.6)
    if length <= _LETTERS_UP_TO:
        _letters(axes, bases)
    if below is not None:
        axes.set_title(f"{plain_text(labels[0], 50)} ◥", size=9, loc="right", pad=14, parse_math=False)
        axes.set_xlabel(f"◣ {plain_text(labels[1], 50)}", size=9, loc="left", parse_math=False)
    bar = figure.colorbar(image, ax=axes, shrink=0.6, aspect=28)
    bar.set_label("probability")
    bar.outline.set_visible(False)
    if title:
        figure.suptitle(plain_text(title, 55), size=12, weight="bold", color=INK, parse_math=False)
    return figure


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
    cells = {name: _fitting(f"heat map {name}", values, length) for name, values in maps.items()}
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


def _fitting(what: str, values: NDArray[np.floating], length: int) -> NDArray[np.floating]:
    """*values*, which must be (L, L); raises InputError."""
    if values.shape != (length, length):
        raise InputError(f"{what}: shape {values.shape}; expected {(length, length)}")
    return values


def _as_map(structure: Structure) -> NDArray[np.float64]:
    """1 where two bases pair, else 0, shape (L, L), symmetric."""
    paired = np.zeros((len(structure), len(structure)))
    i, j = structure.pairs.T
    paired[i, j] = paired[j, i] = 1
    return paired


def _common_scale(values: NDArray[np.floating]) -> Normalize:
    """From 0, or from minus the top, to the 99.9th percentile of magnitudes; never empty."""
    top = float(np.quantile(np.abs(values), 0.999)) or float(np.abs(values).max()) or 1.0
    return Normalize(-top if values.min() < 0 else 0.0, top)


def _coarser(values: NDArray[np.floating], most: int) -> NDArray[np.floating]:
    """Maxima of square blocks, at most *most* a side, so that no helix falls between the pixels."""
    block = -(-len(values) // most)
    if block == 1:
        return values
    size = -(-len(values) // block)
    padded = np.pad(values, (0, size * block - len(values)), mode="edge")
    return np.asarray(padded.reshape(size, block, size, block).max((1, 3)))


def _show(axes: Axes, values: NDArray[np.floating], norm: Normalize, *, side: float) -> AxesImage:
    """The cells of a map, base 1 in the upper left corner, positions counted from 1."""
    length = len(values)
    ticks = position_labels(length, side / length)
    axes.set_xticks(ticks)
    axes.set_yticks(ticks)
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


def _letters(axes: Axes, bases: str) -> None:
    """The sequence along the upper and the right edge."""
    size = min(8.0, 72 * _SIDE / len(bases))
    for k, letter in enumerate(bases, start=1):
        above = axes.get_xaxis_transform()  # x in bases, y in parts of the side
        axes.text(k, 1.005, letter, size=size, color=INK, ha="center", va="bottom", transform=above)
        beside = axes.get_yaxis_transform()
        axes.text(1.008, k, letter, size=size, color=INK, ha="left", va="center", transform=beside)


def _ring(axes: Axes, structure: Structure, side: float) -> None:
    """A ring around the pairs of *structure*, below the diagonal."""
    i, j = structure.pairs.T + 1
    diameter = max(1.7 * 72 * side / len(structure), 1.8)  # points
    axes.scatter(i, j, s=diameter**2, facecolors="none", edgecolors=KNOTTED_FLAT, linewidths=0.5)
