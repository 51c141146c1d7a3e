"""One look for all figures: colours, type, and the settings they are drawn and saved under.

Nested pairs are blue and pseudoknotted pairs orange, two hues that every common colour-blindness keeps
apart; the darker, the more probable (ColorBrewer's sequential scales, https://colorbrewer2.org).
Verdicts and other categories are from Okabe and Ito's palette (https://jfly.uni-koeln.de/color/).
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, ListedColormap
from matplotlib.figure import Figure
from matplotlib.style import context
from matplotlib.text import Text
from matplotlib.textpath import TextPath

from rnass.errors import InputError, counted

__all__ = [
    "FAINT",
    "FIVE_PRIME",
    "INK",
    "KNOTTED",
    "KNOTTED_FLAT",
    "NESTED",
    "NESTED_FLAT",
    "THREE_PRIME",
    "blank_axes",
    "check_length",
    "plain_text",
    "position_labels",
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
    """The part of a ColorBrewer scale that stands out from white paper."""
    return ListedColormap(matplotlib.colormaps[name](np.linspace(0.22, 1, 256)), name=f"rnass {name}")


NESTED = _darkening("Blues")
"""Probability 0 to 1 of a pair of order 0."""

KNOTTED = _darkening("Oranges")
"""Probability 0 to 1 of a pair of a higher order."""

NESTED_FLAT = "#4d565e"
"""A pair of order 0 whose probability is not given."""

KNOTTED_FLAT = "#d55e00"
"""A pair of a higher order whose probability is not given."""

# DejaVu Sans comes with matplotlib, so it is never missing. Text stays text in SVG and PDF: it can be
# searched, copied and edited, and the file stays small.
_SETTINGS: dict[str, Any] = {
    "font.family": ["DejaVu Sans"],
    "font.size": 9,
    "figure.facecolor": "white",
    "svg.fonttype": "none",
    "svg.hashsalt": "rnass",
    "pdf.fonttype": 42,
    "path.simplify": False,
}


def styled(draw: Callable[P, T]) -> Callable[P, T]:
    """Run *draw* under rnass's settings, whatever the user's own matplotlibrc says."""

    @wraps(draw)
    def under_settings(*args: P.args, **kwargs: P.kwargs) -> T:
        with context(["default", _SETTINGS]):
            return draw(*args, **kwargs)

    return under_settings


def check_length(what: str, found: int, length: int) -> None:
    """Raise InputError unless *what*, of *found* bases, is as long as its sequence."""
    if found != length:
        raise InputError(f"{what}: {counted(found, 'base')}; expected {length}, as in the sequence")


def blank_axes(figure: Figure, width: float, height: float) -> Axes:
    """Axes without frame over the whole of *figure*, x and y in inches from the lower left."""
    axes = figure.add_axes((0, 0, 1, 1), frameon=False)
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(0, height)
    return axes


def plain_text(text: str, limit: int) -> str:
    r"""*text* on one line, without control characters, at most *limit* characters long.

    >>> plain_text("Homo sapiens\t tRNA", 15)
    'Homo sapiens t…'
    """
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return line if len(line) <= limit else line[: max(limit - 1, 0)] + "…"


def text_width(text: str, size: float) -> float:
    """Width in inches of *text* set in *size* points."""
    return float(TextPath((0, 0), text, size=size).get_extents().width) / 72 if text else 0.0


def write(axes: Axes, x: float, y: float, text: str, **kwargs: Any) -> Text:
    """Put *text* at (x, y) of *axes*, in its coordinates; a dollar sign stays a dollar sign."""
    look: dict[str, Any] = {"size": 9, "color": INK, "ha": "left", "va": "center", "parse_math": False}
    return axes.text(x, y, text, **(look | kwargs))


def position_labels(length: int, spacing: float) -> list[int]:
    """1-based positions worth a number, for bases *spacing* inches apart, so that none overlap.

    >>> position_labels(36, 0.2)
    [1, 10, 20, 30]
    >>> position_labels(500, 0.005)
    [1, 100, 200, 300, 400, 500]
    """
    digits = len(str(length))
    room = (0.15 + 0.08 * digits) / spacing  # bases per number
    step = next(s * 10**e for e in range(1, 9) for s in (1, 2, 5) if s * 10**e >= room)
    labels = list(range(step, length + 1, step))
    return labels if labels and labels[0] - 1 < room else [1, *labels]
