"""Which pairs stand on one side of a sequence, in which colour, and what the legend says of it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from matplotlib.colors import to_rgba_array
from numpy.typing import NDArray

from rnass.errors import counted
from rnass.figures.legend import Entry
from rnass.figures.style import FAINT, KNOTTED, KNOTTED_FLAT, NESTED, NESTED_FLAT
from rnass.structure import Structure

__all__ = [
    "FALSE",
    "MISSED",
    "TRUE",
    "Half",
    "Track",
    "dashed_between",
    "judged",
    "judged_with_missed",
    "legend_of",
    "shaded",
]

TRUE = Entry("true", "#0072b2")
FALSE = Entry("false", "#d55e00")
MISSED = Entry("missed", "#999999")
_NESTED = Entry("nested", NESTED_FLAT)
_DASHED = Entry("pseudoknotted", FAINT, dashed=True)
_BETWEEN = Entry("between the strands", FAINT, dashed=True)


@dataclass(frozen=True)
class Track:
    """One structure of a figure, and the name that stands beside it.

    Attributes:
        label: for example "ViennaRNA MFE -21.3 kcal/mol".
        structure: its pairs.
        probabilities: shape (L, L), in [0, 1], symmetric; shades the pairs. None: they are
            grey, pseudoknotted ones orange.
    """

    label: str
    structure: Structure
    probabilities: NDArray[np.floating] | None = None


@dataclass(frozen=True)
class Half:
    """What is drawn on one side of the sequence; later pairs lie above earlier ones.

    Attributes:
        label, remark: the words at its edge, left and right.
        pairs: shape (n, 2), 0-based.
        colours: shape (n, 4), red, green, blue, alpha.
        dashed: shape (n,).
        entries: what the legend must explain.
    """

    label: str
    remark: str
    pairs: NDArray[np.int64]
    colours: NDArray[np.float64]
    dashed: NDArray[np.bool_]
    entries: tuple[Entry, ...]

    @property
    def span(self) -> int:
        """Bases from one end of the widest pair to the other; 0 without pairs."""
        return int((self.pairs[:, 1] - self.pairs[:, 0]).max(initial=0))


def shaded(track: Track) -> Half:
    """Coloured by pseudoknot order, 0 or higher, and shaded by probability if there are any."""
    pairs = track.structure.pairs
    knotted = track.structure.orders > 0
    remark = counted(len(pairs), "pair") if len(pairs) else "no pairs"
    if knotted.any():
        remark += f", {knotted.sum()} pseudoknotted"
    if track.probabilities is None:
        strength = np.ones(len(pairs))
        colours = np.where(knotted[:, None], to_rgba_array(KNOTTED_FLAT), to_rgba_array(NESTED_FLAT))
        legend = [(_NESTED, ~knotted), (Entry("pseudoknotted", KNOTTED_FLAT), knotted)]
    else:
        strength = np.clip(track.probabilities[pairs[:, 0], pairs[:, 1]], 0, 1)
        colours = np.where(knotted[:, None], KNOTTED(strength), NESTED(strength))
        legend = [
            (Entry("probability", NESTED), ~knotted),
            (Entry("probability, pseudoknotted", KNOTTED), knotted),
        ]
    entries = tuple(entry for entry, drawn_so in legend if drawn_so.any())
    top_last = np.lexsort((strength, knotted))  # pseudoknots above the rest, the likeliest on top
    solid = np.zeros(len(pairs), dtype=bool)
    return Half(track.label, remark, pairs[top_last], colours[top_last], solid, entries)


def dashed_between(half: Half, nick: int | None) -> Half:
    """The same with the pairs between two strands dashed; the second begins at base *nick*."""
    if nick is None:
        return half
    between = (half.pairs[:, 0] < nick) & (half.pairs[:, 1] >= nick)
    entries = (*half.entries, *([_BETWEEN] if between.any() else []))
    remark = f"{half.remark}, {between.sum()} between the strands"
    return replace(half, remark=remark, dashed=between, entries=entries)


def judged(label: str, structure: Structure, other: Structure, absent: Entry) -> Half:
    """Coloured by whether *other* has the pair too, `TRUE`, or not, *absent*; higher orders dashed."""
    shared = _shared(structure, other)
    colours = to_rgba_array([str(absent.colour), str(TRUE.colour)])[shared.astype(int)]
    dashed = structure.orders > 0
    legend = [(TRUE, shared), (absent, ~shared), (_DASHED, dashed)]
    return Half(
        label,
        f"{shared.sum()} true, {(~shared).sum()} {absent.label}",
        structure.pairs,
        colours,
        dashed,
        tuple(entry for entry, drawn_so in legend if drawn_so.any()),
    )


def judged_with_missed(track: Track, truth: Structure) -> Half:
    """The pairs of *track*, true or false, over those of *truth* that it misses."""
    found = judged(track.label, track.structure, truth, FALSE)
    missed = judged(track.label, truth, track.structure, MISSED)
    lost = ~_shared(truth, track.structure)
    return Half(
        track.label,
        f"{found.remark}, {lost.sum()} {MISSED.label}",
        np.concatenate([missed.pairs[lost], found.pairs]),
        np.concatenate([missed.colours[lost], found.colours]),
        np.concatenate([missed.dashed[lost], found.dashed]),
        (*found.entries, *missed.entries),
    )


def legend_of(halves: Iterable[Half]) -> list[Entry]:
    """What the legend of a figure must explain, each thing once; plain nested pairs alone need none."""
    entries: list[Entry] = []
    for entry in (entry for half in halves for entry in half.entries):
        if entry not in entries:  # colour maps have no hash
            entries.append(entry)
    return [] if entries == [_NESTED] else entries


def _shared(structure: Structure, other: Structure) -> NDArray[np.bool_]:
    """Which pairs of *structure* stand in *other* too, shape (n,)."""
    return np.asarray(other.partners[structure.pairs[:, 0]] == structure.pairs[:, 1])
