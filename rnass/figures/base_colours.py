"""A colour for every base, by confidence, element or reactivity, and its words in the legend."""

from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.colors import to_rgba_array
from numpy.typing import NDArray

from rnass.figures.legend import Entry
from rnass.figures.look import View
from rnass.figures.style import check_length

__all__ = ["BaseColours", "by_confidence", "by_element", "by_reactivity"]

_NO_DATA = "#d9d9d9"

# One letter for each base, as `rnass.elements` has them. Okabe and Ito's hues
# (https://jfly.uni-koeln.de/color/), lightened so that a letter can be read on them; neighbours in a
# structure differ in grey too.
_ELEMENTS = {
    "s": ("stem", "#4a90c4"),
    "h": ("hairpin", "#f0d95b"),
    "i": ("bulge or interior loop", "#e59866"),
    "m": ("multiloop or between stems", "#a9dcc3"),
    "p": ("pseudoknotted helix", "#c06c9f"),
    "f": ("unpaired end", "#eeeeee"),
    "t": ("unpaired end", "#eeeeee"),
}


@dataclass(frozen=True, eq=False)
class BaseColours:
    """Values of the bases as colours.

    Attributes:
        name: of the values, for a track beside a sequence.
        colours: shape (L, 4), red, green, blue, alpha.
        entries: of the legend.
        heights: shape (L,), in [0, 1], where it is drawn as bars beside a sequence; NaN: a mark below.
    """

    name: str
    colours: NDArray[np.float64]
    entries: tuple[Entry, ...]
    heights: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.colours)

    def shown(self, view: View) -> "BaseColours":
        """The same of the bases of *view*; raises InputError unless there is one for each base."""
        check_length(self.name, len(self), view.length)
        cut = slice(view.start, view.start + len(view))
        heights = None if self.heights is None else self.heights[cut]
        return BaseColours(self.name, self.colours[cut], self.entries, heights)


def by_confidence(confidence: NDArray[np.floating], source: str = "") -> BaseColours:
    """Coloured by how sure each base is to be as drawn, the darker the surer.

    Args:
        confidence: shape (L,), in [0, 1].
        source: whose it is, for the legend.
    """
    scale = matplotlib.colormaps["YlGnBu"]
    entry = Entry("confidence", scale, sources=(source,) if source else ())
    return BaseColours("confidence", scale(np.clip(confidence, 0, 1)), (entry,))


def by_element(letters: str) -> BaseColours:
    """Coloured by the element that each base is part of; *letters* as in `rnass.elements.Elements`."""
    colours = to_rgba_array([_ELEMENTS[letter][1] for letter in letters]).reshape(-1, 4)
    names = dict(_ELEMENTS[letter] for letter in _ELEMENTS if letter in letters)
    entries = tuple(Entry(name, colour, disc=True) for name, colour in names.items())
    return BaseColours("elements", colours, entries)


def by_reactivity(reactivities: NDArray[np.floating]) -> BaseColours:
    """Coloured by reactivity, the darker the higher; above the scale's end all look alike.

    Args:
        reactivities: shape (L,), normalised; NaN where missing. The scale ends at 1, or at the 95th
            percentile where that is higher.
    """
    values = np.asarray(reactivities, dtype=np.float64)
    known = values[~np.isnan(values)]
    top = max(1.0, float(np.quantile(known, 0.95))) if known.size else 1.0
    scale = matplotlib.colormaps["YlOrRd"]
    heights = np.clip(values / top, 0, 1)
    missing = np.isnan(values)
    colours = np.where(missing[:, None], to_rgba_array(_NO_DATA), scale(np.nan_to_num(heights)))
    entries = [Entry("reactivity", scale, top=f"{top:.3g}")]
    if missing.any():
        entries.append(Entry("not measured", _NO_DATA, disc=True, small=True))
    return BaseColours("reactivity", colours, tuple(entries), heights)
