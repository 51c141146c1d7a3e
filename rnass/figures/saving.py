"""Write a figure to a file: whole or not at all, and the same bytes for the same figure."""

import warnings
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnass.errors import OutputError
from rnass.figures.style import figure_of, styled
from rnass.files import write_atomically

__all__ = ["DOTS_PER_INCH", "FORMATS", "save_figure", "svg_of"]

FORMATS = ("svg", "png", "pdf")
"""What `save_figure` writes, by the suffix of the file."""

DOTS_PER_INCH = 150
"""Resolution of a png unless another is given."""

# Neither dates nor versions of matplotlib go into the file.
_METADATA: dict[str, dict[str, Any]] = {
    "svg": {"Creator": "rnass", "Date": None},
    "png": {"Software": "rnass"},
    "pdf": {"Creator": "rnass", "Producer": "rnass", "CreationDate": None},
}


@styled
def save_figure(figure: Figure | Axes, path: str | Path, *, dpi: int = DOTS_PER_INCH) -> None:
    """Write a figure as svg, png or pdf, by the suffix of *path*; an existing file is replaced.

    Args:
        figure: it, or axes of it.
        path: of the file.
        dpi: dots per inch of a png, and of maps within the other formats.

    Raises:
        OutputError: another suffix, or a file that cannot be written.
    """
    suffix = Path(path).suffix
    kind = suffix[1:].lower()
    if kind not in FORMATS:
        raise OutputError(f"{path}: no figure is written as {suffix!r}; expected .svg, .png or .pdf")
    with write_atomically(path) as file:
        _save(figure, file, kind, dpi)


@styled
def svg_of(figure: Figure | Axes) -> str:
    """A figure, or that of axes, as an svg element to stand within a page."""
    file = BytesIO()
    _save(figure, file, "svg", DOTS_PER_INCH)
    text = file.getvalue().decode()
    return text[text.index("<svg") :]


def _save(figure: Figure | Axes, file: BinaryIO, kind: str, dpi: int) -> None:
    whole = figure if isinstance(figure, Figure) else figure_of(figure)
    with warnings.catch_warnings():
        # A title may hold letters the font lacks: they print as boxes, or as themselves in SVG.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        whole.savefig(file, format=kind, dpi=dpi, metadata=_METADATA[kind])
