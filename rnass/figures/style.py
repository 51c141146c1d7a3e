"""One look for all figures: colours, type, and the settings they are drawn and saved under.

Nested pairs are blue and pseudoknotted pairs orange, two hues that every common colour-blindness keeps
apart; the darker, the more probable (ColorBrewer's sequential scales, https://colorbrewer2.org). Both
scales begin where a thin line still shows on white paper, and grow darker in grey print too.
"""

import warnings
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, ParamSpec, TypeVar

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, ListedColormap
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, fontManager
from matplotlib.style import context
from matplotlib.text import Text
from matplotlib.textpath import TextPath
from numpy.typing import NDArray

from rnass.errors import ConfigError, InputError, counted
from rnass.figures.look import Look

__all__ = [
    "FAINT",
    "FIVE_PRIME",
    "HIGHLIGHT",
    "HIGHLIGHT_EDGE",
    "INK",
    "KNOTTED",
    "KNOTTED_FLAT",
    "NESTED",
    "NESTED_FLAT",
    "THREE_PRIME",
    "check_length",
    "figure_of",
    "fitted_text",
    "page",
    "plain_text",
    "position_labels",
    "size_of",
    "styled",
    "text_width",
    "write",
]

FIVE_PRIME, THREE_PRIME = "5\N{PRIME}", "3\N{PRIME}"

P = ParamSpec("P")
T = TypeVar("T")

INK = "#222222"
"""Titles and letters."""

FAINT = "#777777"
"""Position numbers, backbones, remarks."""


def _darkening(name: str) -> Colormap:
    """The part of a ColorBrewer scale that stands out from white paper, at least 2 : 1 in luminance."""
    return ListedColormap(matplotlib.colormaps[name](np.linspace(0.45, 1, 256)), name=f"rnass {name}")


NESTED = _darkening("Blues")
"""Probability 0 to 1 of a pair of order 0."""

KNOTTED = _darkening("Oranges")
"""Probability 0 to 1 of a pair of a higher order."""

NESTED_FLAT = "#4d565e"
"""A pair of order 0 whose probability is not given."""

KNOTTED_FLAT = "#d55e00"
"""A pair of a higher order whose probability is not given."""

HIGHLIGHT, HIGHLIGHT_EDGE = "#fff1c2", "#c9a227"
"""The band behind a marked part, and its edge, which still shows in grey print."""

# Text stays text in SVG and PDF: it can be searched, copied and edited, and the file stays small.
_SETTINGS: dict[str, Any] = {
    "font.size": 9,
    "figure.facecolor": "white",
    "svg.fonttype": "none",
    "svg.hashsalt": "rnass",
    "pdf.fonttype": 42,
    "path.simplify": False,
}


def styled(draw: Callable[P, T]) -> Callable[P, T]:
    """Run *draw* under rnass's settings and the font of its `look`, not the user's matplotlibrc."""

    @wraps(draw)
    def under_settings(*args: P.args, **kwargs: P.kwargs) -> T:
        look = kwargs.get("look")
        font = look.font if isinstance(look, Look) else ""
        families = [*([font] if font else []), "DejaVu Sans"]  # the latter comes with matplotlib
        if font and font not in fontManager.get_font_names():
            raise ConfigError(f"font: {font!r} is not installed; expected one that matplotlib finds")
        with context(["default", _SETTINGS, {"font.family": families}]):
            return draw(*args, **kwargs)

    return under_settings


def check_length(what: str, found: int, length: int) -> None:
    """Raise InputError unless *what*, of *found* bases, is as long as its sequence."""
    if found != length:
        raise InputError(f"{what}: {counted(found, 'base')}; expected {length}, as in the sequence")


def page(axes: Axes | None, width: float, height: float) -> Axes:
    """Axes without a frame whose x and y are inches from the lower left corner.

    Args:
        axes: to draw on, at the size it has; None for one that fills a new figure.
        width: of that figure, in inches.
        height: the same.
    """
    if axes is None:
        axes = Figure(figsize=(width, height)).add_axes((0, 0, 1, 1), frameon=False)
    else:
        width, height = size_of(axes)
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(0, height)
    return axes


def figure_of(axes: Axes) -> Figure:
    """The whole figure that *axes* belong to; raises ConfigError if they were removed from theirs."""
    figure = axes.get_figure(root=True)
    if figure is None:
        raise ConfigError("axes of no figure; expected axes of one")
    return figure


def size_of(axes: Axes) -> tuple[float, float]:
    """Width and height of *axes* in inches."""
    box = axes.get_window_extent().transformed(figure_of(axes).dpi_scale_trans.inverted())
    return float(box.width), float(box.height)


def plain_text(text: str, limit: int) -> str:
    r"""*text* on one line, without control characters, at most *limit* characters long.

    >>> plain_text("Homo sapiens\t tRNA", 15)
    'Homo sapiens t…'
    """
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return line if len(line) <= limit else line[: max(limit - 1, 0)] + "…"


def fitted_text(text: str, width: float, size: float, *, bold: bool = False) -> str:
    """*text* on one line, cut so that it is at most *width* inches wide in *size* points."""
    line = plain_text(text, 400)
    while line.strip("…") and (wide := text_width(line, size, bold=bold)) > width:
        line = plain_text(line, min(len(line) - 1, int(len(line) * width / wide) + 1))
    return line


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Width in inches of *text* set in *size* points."""
    return _text_width(text, size, bold, tuple(matplotlib.rcParams["font.family"])) if text else 0.0


@lru_cache(maxsize=4096)  # names and numbers come again in every figure
def _text_width(text: str, size: float, bold: bool, families: tuple[str, ...]) -> float:
    font = FontProperties(family=families, weight="bold" if bold else "normal")
    with warnings.catch_warnings():
        # letters that the font lacks are boxes, which are as wide
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        return float(TextPath((0, 0), text, size=size, prop=font, usetex=False).get_extents().width) / 72


def write(axes: Axes, x: float, y: float, text: str, **kwargs: Any) -> Text:
    """Put *text* at (x, y) of *axes*, in its coordinates; a dollar sign stays a dollar sign."""
    look: dict[str, Any] = {"size": 9, "color": INK, "ha": "left", "va": "center", "parse_math": False}
    return axes.text(x, y, text, **(look | kwargs))


def position_labels(numbers: NDArray[np.int64], spacing: float) -> list[int]:
    """Which bases get their number, so that none overlap.

    Args:
        numbers: shape (L,), of each base in its strand, from 1; see `View.numbers`.
        spacing: inches from base to base.

    Returns:
        0-based bases: the first of each strand where there is room, and every tenth, twentieth, ...

    >>> position_labels(np.arange(1, 37), 0.2)
    [0, 9, 19, 29]
    >>> position_labels(np.arange(1, 501), 0.005)
    [0, 99, 199, 299, 399, 499]
    """
    digits = len(str(numbers.max(initial=1)))
    room = (0.15 + 0.08 * digits) / spacing  # bases per number
    step = next(s * 10**e for e in range(1, 9) for s in (1, 2, 5) if s * 10**e >= room)
    firsts = np.flatnonzero(np.diff(numbers, prepend=numbers[:1] - 2) != 1).tolist()
    labels: list[int] = []
    for base in (*firsts[1:], *np.flatnonzero(numbers % step == 0).tolist(), *firsts[:1]):
        if all(abs(base - other) >= room for other in labels):
            labels.append(base)
    return sorted(labels)
