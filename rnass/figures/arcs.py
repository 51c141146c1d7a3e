"""Arc diagrams: a sequence on a line, its pairs as arcs above it, and another structure's below it.

The form, and the colouring of correct, wrong and missed pairs, are R-chie's (Lai et al. 2012,
doi:10.1093/nar/gks241).
"""

from collections.abc import Sequence

from matplotlib.axes import Axes

from rnass.errors import InputError
from rnass.figures.arc_panels import draw_panels
from rnass.figures.base_colours import BaseColours
from rnass.figures.look import Look, View
from rnass.figures.pair_colours import (
    MISSED,
    WRONG,
    Track,
    dashed_between,
    judged,
    judged_with_missed,
    shaded,
)
from rnass.figures.style import check_length, styled
from rnass.rna import Rna
from rnass.structure import Structure

__all__ = ["arc_diagram", "compare_arcs"]

_ALL = Look()


@styled
def arc_diagram(
    bases: str,
    above: Track,
    below: Track | None = None,
    *,
    reference: bool = False,
    tracks: Sequence[BaseColours] = (),
    title: str = "",
    look: Look = _ALL,
    axes: Axes | None = None,
) -> Axes:
    """Draw one structure above the sequence and, if given, another one below it.

    Pairs are coloured by pseudoknot order, 0 or higher, and shaded by probability where a track has
    any. The letters of the sequence are shown as long as they have 5 points or more (about 200 bases at
    the full width). Pairs that leave the region shown are short lines.

    Args:
        bases: the sequence, L letters; two strands as `A&B`, with a gap between them, each numbered
            from 1, and, unless there is a *reference*, the pairs from one to the other dashed where
            there are others too.
        above: a structure of L bases.
        below: another one.
        reference: *below* is the truth: pairs are coloured as correct, wrong or missed instead, and
            those of order 1 and higher are dashed.
        tracks: values of each base, below the letters: reactivities as bars, others as a strip.
        title: stands above it all.
        look: size, font, region and highlights.
        axes: to draw on, at the size they have; None for a figure of its own.

    Returns:
        The axes that hold it all, in inches; `axes.figure` is the figure.

    Raises:
        InputError: a structure, a probability map or a track that does not fit the sequence, or
            *reference* without anything below.
        ConfigError: a font that is not installed.
    """
    pair = [above] if below is None else [above, below]
    rna = Rna.from_text(bases, where="arc diagram")
    view = View(bases, look, "arc diagram")
    for track in pair:
        _check(rna.bases, track)
    if not reference:
        halves = dashed_between([shaded(track) for track in pair], rna.nick)
    elif below is None:
        raise InputError("arc diagram: nothing below the sequence; expected the reference there")
    else:
        halves = [
            judged(above.label, above.structure, below.structure, WRONG),
            judged(below.label, below.structure, above.structure, MISSED),
        ]
    shown = [half.shown(view, track.structure) for half, track in zip(halves, pair, strict=True)]
    return draw_panels(view, [shown], [track.shown(view) for track in tracks], title, look, axes)


@styled
def compare_arcs(
    bases: str,
    tracks: Sequence[Track],
    *,
    reference: Structure | None = None,
    title: str = "",
    look: Look = _ALL,
    axes: Axes | None = None,
) -> Axes:
    """Draw several structures of one sequence, one below the other, to one scale.

    Args:
        bases: the sequence, L letters; two strands as `A&B`, as in `arc_diagram`.
        tracks: one or more structures of L bases.
        reference: the truth, or whatever the others are held against: pairs are coloured as correct,
            wrong or missed instead of by probability, those of order 1 and higher dashed.
        title: stands above it all.
        look: size, font, region and highlights.
        axes: to draw on, at the size they have; None for a figure of its own.

    Returns:
        The axes that hold it all, in inches.

    Raises:
        InputError: no tracks, or one that does not fit the sequence.
        ConfigError: a font that is not installed.
    """
    if not tracks:
        raise InputError("arc diagrams: no structures; expected at least one")
    rna = Rna.from_text(bases, where="arc diagrams")
    view = View(bases, look, "arc diagrams")
    for track in tracks:
        _check(rna.bases, track)
    if reference is not None:
        check_length("arc diagrams: reference", len(reference), len(rna))
    if reference is None:
        halves = dashed_between([shaded(track) for track in tracks], rna.nick)
    else:
        halves = [judged_with_missed(track, reference) for track in tracks]
    panels = [[half.shown(view, track.structure)] for half, track in zip(halves, tracks, strict=True)]
    return draw_panels(view, panels, [], title, look, axes)


def _check(bases: str, track: Track) -> None:
    """Raise InputError unless *track* fits *bases*."""
    where = f"arc diagram: {track.label}"
    check_length(where, len(track.structure), len(bases))
    shape = (len(bases), len(bases))
    if track.probabilities is not None and track.probabilities.shape != shape:
        raise InputError(
            f"{where}: probabilities of shape {track.probabilities.shape}; expected {shape}"
        )
