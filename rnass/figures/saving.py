"""Write a figure to a file: whole or not at all, and the same bytes for the same figure."""

import warnings
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from rnass.errors import OutputError
from rnass.figures.style import styled
from rnass.files import write_atomically

__all__ = ["FORMATS", "save_figure"]

FORMATS = ("svg", "png", "pdf")
"""What `save_figure` writes, by the suffix of the file."""

_DOTS_PER_INCH = 150

# Neither dates nor versions of matplotlib go into the file.
_METADATA: dict[str, dict[str, Any]] = {
    "svg": {"Creator": "rnass", "Date": None},
    "png": {"Software": "rnass"},
    "pdf": {"Creator": "rnass", "Producer": "rnass", "CreationDate": None},
}


@styled
def save_figure(figure: Figure, path: str | Path) -> None:
    """Write *figure* as svg, png or pdf, as the suffix of *path* says; an existing file is replaced.

    Raises:
        OutputError: another suffix, or a file that cannot be written.
    """
    suffix = Path(path).suffix
    kind = suffix[1:].lower()
    if kind not in FORMATS:
        raise OutputError(f"{path}: no figure is written as {suffix!r}; expected .svg, .png or .pdf")
    with write_atomically(path) as file, warnings.catch_warnings():
        # A title may hold letters the font lacks: they print as boxes, or as themselves in SVG.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(file, format=kind, dpi=_DOTS_PER_INCH, metadata=_METADATA[kind])
