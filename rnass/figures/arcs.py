"""Arc diagrams: a sequence on a line, its pairs as arcs above it, and another structure's below it.

The form, and the colouring of true, false and missed pairs, are R-chie's (Lai et al. 2012,
doi:10.1093/nar/gks241).
"""

from collections.abc import Sequence

from matplotlib.figure import Figure

from rnass.errors import InputError
from rnass.figures.arc_panels import draw_panels
from rnass.figures.pair_colours import (
    FALSE,
    MISSED,
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


@styled
def arc_diagram(
    bases: str, above: Track, below: Track | None = None, *, reference: bool = False, title: str = ""
) -> Figure:
    """Draw one structure above the sequence and, if given, another one below it.

    Pairs are coloured by pseudoknot order, 0 or higher, and shaded by probability where a track has
    any. The letters of the sequence are shown as long as they are readable (about 200 bases).

    Args:
        bases: the sequence, L letters; two strands as `A&B`, with a gap between them and, unless
            there is a *reference*, the pairs from one to the other dashed.
        above: a structure of L bases.
        below: another one.
        reference: *below* is the truth: pairs are coloured as true, false or missed instead, and
            those of order 1 and higher are dashed.
        title: stands above it all.

    Raises:
        InputError: a structure or a probability map that does not fit the sequence, or *reference*
            without anything below.
    """
    tracks = [above] if below is None else [above, below]
    rna = Rna.from_text(bases, where="arc diagram")
    for track in tracks:
        _check(rna.bases, track)
    if not reference:
        return draw_panels(rna, [[dashed_between(shaded(track), rna.nick) for track in tracks]], title)
    if below is None:
        raise InputError("arc diagram: nothing below the sequence; expected the reference there")
    halves = [
        judged(above.label, above.structure, below.structure, FALSE),
        judged(below.label, below.structure, above.structure, MISSED),
    ]
    return draw_panels(rna, [halves], title)


@styled
def compare_arcs(
    bases: str, tracks: Sequence[Track], *, reference: Structure | None = None, title: str = ""
) -> Figure:
    """Draw several structures of one sequence, one below the other, to one scale.

    Args:
        bases: the sequence, L letters; two strands as `A&B`, as in `arc_diagram`.
        tracks: one or more structures of L bases.
        reference: the truth, or whatever the others are held against: pairs are coloured as true,
            false or missed instead of by probability, those of order 1 and higher dashed.
        title: stands above it all.

    Raises:
        InputError: no tracks, or one that does not fit the sequence.
    """
    if not tracks:
        raise InputError("arc diagrams: no structures; expected at least one")
    rna = Rna.from_text(bases, where="arc diagrams")
    for track in tracks:
        _check(rna.bases, track)
    if reference is None:
        panels = [[dashed_between(shaded(track), rna.nick)] for track in tracks]
        return draw_panels(rna, panels, title)
    check_length("arc diagrams: reference", len(reference), len(rna))
    return draw_panels(rna, [[judged_with_missed(track, reference)] for track in tracks], title)


def _check(bases: str, track: Track) -> None:
    """Raise InputError unless *track* fits *bases*."""
    where = f"arc diagram: {track.label}"
    check_length(where, len(track.structure), len(bases))
    shape = (len(bases), len(bases))
    if track.probabilities is not None and track.probabilities.shape != shape:
        raise InputError(
            f"{where}: probabilities of shape {track.probabilities.shape}; expected {shape}"
        )
