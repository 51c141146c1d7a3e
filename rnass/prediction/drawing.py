"""A prediction as a figure; what `rnass predict --plot` and `Prediction.draw` show."""

from typing import get_args

import numpy as np
from numpy.typing import NDArray

from rnass.errors import ConfigError
from rnass.figures import (
    Axes,
    Look,
    Track,
    arc_diagram,
    by_confidence,
    probability_map,
    structure_drawing,
)
from rnass.prediction.prediction import Kind, Prediction
from rnass.structure import Structure
from rnass.thermodynamics.layout import layout

__all__ = ["draw"]

_TURNER = "ViennaRNA, Turner 2004"


def draw(
    prediction: Prediction, kind: Kind = "arcs", *, look: Look | None = None, axes: Axes | None = None
) -> Axes:
    """Draw a prediction.

    Args:
        prediction: of one RNA.
        kind: `arcs`, rnass's structure above the sequence and ViennaRNA's MFE structure below it;
            `drawing`, rnass's structure in the plane, coloured by confidence; or `map`, rnass's
            probabilities above the diagonal and below it ViennaRNA's, or its MFE structure where the
            prediction does not hold them. Of an RNA whose map is sparse there is no MFE structure; its
            own structure is below the diagonal.
        look: size, font, region and highlights.
        axes: to draw on; None for a figure of its own.

    Returns:
        The axes; `rnass.figures.save_figure` writes them.

    Raises:
        ConfigError: another kind.
    """
    if kind not in get_args(Kind):
        raise ConfigError(f"kind {kind!r}; expected {', '.join(get_args(Kind))}")
    rna, folded = prediction.rna, prediction.thermodynamics
    look = look or Look()
    shades = folded.mfe_bpp.dense() if folded.mfe_bpp else None
    decoded = prediction.decoded_map.astype(np.float32)
    if kind == "drawing":
        colours = by_confidence(prediction.base_confidence, "rnass")
        return structure_drawing(
            rna.text, prediction.structure, layout, colours=colours, title=rna.id, look=look, axes=axes
        )
    if kind == "map":
        other: NDArray[np.floating] | Structure
        if shades is not None:
            other, name = shades, _TURNER
        elif not prediction.sparse:
            other, name = folded.mfe_structure, "ViennaRNA MFE"
        else:
            other, name = prediction.structure, "rnass, structure"
        labels = ("rnass", name)
        return probability_map(
            rna.text, decoded, other, labels=labels, title=rna.id, look=look, axes=axes
        )
    name = f"ViennaRNA MFE {folded.mfe:.1f} kcal/mol"
    below = None if prediction.sparse else Track(name, folded.mfe_structure, shades, _TURNER)
    return arc_diagram(
        rna.text,
        Track("rnass", prediction.structure, decoded, "rnass"),
        below,
        title=rna.id,
        look=look,
        axes=axes,
    )
