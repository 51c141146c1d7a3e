"""Pictures of structures and of probability maps; the only importer of matplotlib.

Every function returns a `matplotlib.figure.Figure` that belongs to no window and no global state:
save it with `save_figure`, or change it first.
"""

from rnass.figures.arcs import arc_diagram, compare_arcs
from rnass.figures.drawing import structure_drawing
from rnass.figures.judging import judgement_figure
from rnass.figures.maps import heat_maps, probability_map
from rnass.figures.pair_colours import Track
from rnass.figures.saving import FORMATS, save_figure

__all__ = [
    "FORMATS",
    "Track",
    "arc_diagram",
    "compare_arcs",
    "heat_maps",
    "judgement_figure",
    "probability_map",
    "save_figure",
    "structure_drawing",
]
