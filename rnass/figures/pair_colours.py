"""The pairs on one side of a sequence, their colours, and the legend that explains these."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from matplotlib.colors import to_rgba_array
from numpy.typing import NDArray
from scipy.sparse import csr_array

from rnass.decoding.maps import values_at
from rnass.errors import counted
from rnass.figures.legend import Entry
from rnass.figures.look import View
from rnass.figures.style import FAINT, KNOTTED, KNOTTED_FLAT, NESTED, NESTED_FLAT
from rnass.structure import Structure

__all__ = [
    "CORRECT",
    "LEAVING",
    "MISSED",
    "WRONG",
    "Half",
    "Track",
    "dashed_between",
    "judged",
    "judged_with_missed",
    "legend_of",
    "shaded",
]

# Blue, orange and grey, which every common colour-blindness keeps apart; in grey print they are dark,
# middle and light (CIE L* of 30, 58 and 75).
CORRECT = Entry("correct", "#004a8f")
WRONG = Entry("wrong", "#e0641b")
MISSED = Entry("missed", "#b9b9b9")
LEAVING = Entry("pair that leaves the region", FAINT)
_NESTED = Entry("nested", NESTED_FLAT)
_DASHED = Entry("pseudoknotted", FAINT, dashed=True)
_BETWEEN = Entry("between the strands", FAINT, dashed=True)


@dataclass(frozen=True)
class Track:
    """One structure of a figure, and the name that stands beside it.

    Attributes:
        label: for example "ViennaRNA MFE -21.3 kcal/mol".
        structure: its pairs.
        probabilities: shape (L, L), in [0, 1], symmetric, dense or sparse; shades the pairs. None: they
            are grey, pseudoknotted ones orange.
        source: whose the probabilities are, for the legend; for example "ViennaRNA, Turner 2004".
    """

    label: str
    structure: Structure
    probabilities: NDArray[np.floating] | csr_array | None = None
    source: str = ""


@dataclass(frozen=True)
class Half:
    """The pairs on one side of the sequence; later ones lie above earlier ones.

    Attributes:
        label, remark: the words at its edge, left and right.
        pairs: shape (n, 2), 0-based.
        colours: shape (n, 4), red, green, blue, alpha.
        dashed: shape (n,).
        kinds: entries of the legend, each with a mask of the pairs it explains.
        leaving: bases whose partner is not shown, each with -1 for a partner before the first base
            shown or 1 for one after the last.
    """

    label: str
    remark: str
    pairs: NDArray[np.int64]
    colours: NDArray[np.float64]
    dashed: NDArray[np.bool_]
    kinds: tuple[tuple[Entry, NDArray[np.bool_]], ...]
    leaving: tuple[tuple[int, int], ...] = ()

    def shown(self, view: View, structure: Structure) -> "Half":
        """The same in the region of *view*; *structure* is the whole one."""
        if len(view) == view.length:
            return self
        inside = view.holds(self.pairs)
        leaving = tuple(view.leaving(structure))
        kinds = tuple((entry, which[inside]) for entry, which in self.kinds)
        return Half(
            self.label,
            f"{inside.sum()} of {counted(len(inside), 'pair')} shown",
            self.pairs[inside] - view.start,
            self.colours[inside],
            self.dashed[inside],
            (*kinds, (LEAVING, np.ones(len(leaving), dtype=bool))),
            leaving,
        )


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
        nested, higher = _NESTED, Entry("pseudoknotted", KNOTTED_FLAT)
    else:
        strength = np.clip(values_at(track.probabilities, pairs), 0, 1)
        colours = np.where(knotted[:, None], KNOTTED(strength), NESTED(strength))
        sources = (track.source,) if track.source else ()
        nested = Entry("pairing probability", NESTED, sources=sources)
        higher = Entry("pairing probability, pseudoknotted", KNOTTED, sources=sources)
    top_last = np.lexsort((strength, knotted))  # pseudoknots above the rest, the likeliest on top
    knotted = knotted[top_last]
    return Half(
        track.label,
        remark,
        pairs[top_last],
        colours[top_last],
        np.zeros(len(pairs), dtype=bool),
        ((nested, ~knotted), (higher, knotted)),
    )


def dashed_between(halves: Sequence[Half], nick: int | None) -> list[Half]:
    """The same with the pairs between two strands dashed, unless there are no others.

    Args:
        halves: of one figure.
        nick: the first base of the second strand; None where there is one strand.
    """
    if nick is None:
        return list(halves)
    between = [(half.pairs[:, 0] < nick) & (half.pairs[:, 1] >= nick) for half in halves]
    mixed = not all(which.all() for which in between)
    return [
        replace(
            half,
            remark=f"{half.remark}, {which.sum()} between the strands",
            dashed=which & mixed,
            kinds=(*half.kinds, (_BETWEEN, which & mixed)),
        )
        for half, which in zip(halves, between, strict=True)
    ]


def judged(label: str, structure: Structure, other: Structure, absent: Entry) -> Half:
    """Coloured by whether *other* has the pair too, `CORRECT`, or not, *absent*; pseudoknots dashed."""
    shared = other.holds(structure.pairs)
    colours = to_rgba_array([str(absent.colour), str(CORRECT.colour)])[shared.astype(int)]
    dashed = structure.orders > 0
    return Half(
        label,
        f"{shared.sum()} {CORRECT.label}, {(~shared).sum()} {absent.label}",
        structure.pairs,
        colours,
        dashed,
        ((CORRECT, shared), (absent, ~shared), (_DASHED, dashed)),
    )


def judged_with_missed(track: Track, truth: Structure) -> Half:
    """The pairs of *track*, correct or wrong, over those of *truth* that it misses."""
    found = judged(track.label, track.structure, truth, WRONG)
    missed = judged(track.label, truth, track.structure, MISSED)
    lost = ~track.structure.holds(truth.pairs)
    none, nothing = np.zeros(lost.sum(), dtype=bool), np.zeros(len(found.pairs), dtype=bool)
    return Half(
        track.label,
        f"{found.remark}, {lost.sum()} {MISSED.label}",
        np.concatenate([missed.pairs[lost], found.pairs]),
        np.concatenate([missed.colours[lost], found.colours]),
        np.concatenate([missed.dashed[lost], found.dashed]),
        (
            *((entry, np.concatenate([none, which])) for entry, which in found.kinds),
            *((entry, np.concatenate([which[lost], nothing])) for entry, which in missed.kinds),
        ),
    )


def legend_of(halves: Iterable[Half]) -> list[Entry]:
    """The legend of a figure, each entry once; plain nested pairs alone need none."""
    entries: list[Entry] = []
    for entry in (entry for half in halves for entry, which in half.kinds if which.any()):
        alike = [k for k, other in enumerate(entries) if other.looks_like(entry)]
        if alike:
            entries[alike[0]] = entries[alike[0]].joined(entry)
        else:
            entries.append(entry)
    return [] if entries == [_NESTED] else entries
