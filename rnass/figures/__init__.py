"""Pictures of structures and of probability maps; the only importer of matplotlib.

`arc_diagram`, `compare_arcs`, `structure_drawing` and `probability_map` draw on the axes they are given,
or on those of a new figure, and return them. No figure belongs to a window or to global state: save it
with `save_figure`, or change it first.
"""

from matplotlib.axes import Axes

from rnass.figures.arcs import arc_diagram, compare_arcs
from rnass.figures.base_colours import BaseColours, by_confidence, by_element, by_reactivity
from rnass.figures.drawing import structure_drawing
from rnass.figures.judging import judgement_figure
from rnass.figures.look import Look
from rnass.figures.maps import heat_maps, probability_map
from rnass.figures.pair_colours import Track
from rnass.figures.saving import DOTS_PER_INCH, FORMATS, save_figure, svg_of

__all__ = [
    "DOTS_PER_INCH",
    "FORMATS",
    "Axes",
    "BaseColours",
    "Look",
    "Track",
    "arc_diagram",
    "by_confidence",
    "by_element",
    "by_reactivity",
    "compare_arcs",
    "heat_maps",
    "judgement_figure",
    "probability_map",
    "save_figure",
    "structure_drawing",
    "svg_of",
]
