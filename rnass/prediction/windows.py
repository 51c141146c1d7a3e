"""Long RNAs in overlapping windows: each predicted as an RNA of its own, their maps blended.

Time and memory are linear in the length. What is lost are pairs that no window holds.
"""

import logging
import time
from collections.abc import Generator, Iterable
from contextlib import closing
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from rnass.backbone.encoder import Encoder
from rnass.constraints import Constraints
from rnass.decoding.blending import Blend
from rnass.errors import ConfigError, RnassError, SequenceError, counted
from rnass.prediction import limits
from rnass.prediction.pipeline import Cores, Reading, run_pipeline
from rnass.rna import Rna
from rnass.thermodynamics.folding import Folded

if TYPE_CHECKING:
    from rnass.prediction.predictor import Predictor

__all__ = ["Blended", "Windows", "blended"]

log = logging.getLogger("rnass")

_LEAST = 20  # bases of a window


@dataclass(frozen=True)
class Windows:
    """How long RNAs are predicted.

    Attributes:
        above: an RNA of more bases than this is predicted in windows, any other whole; one that windows
            cannot hold, see `obstacle`, is predicted whole up to `rnass.prediction.limits.MAX_LENGTH`.
        size: bases of a window; a new one begins every half of that. No pair spans more.
        most: an RNA of more bases than this is refused; None: none for its length.

    Raises:
        ConfigError: windows of less than 20 bases, or longer than an RNA that is predicted whole.
    """

    above: int = limits.LONGEST_WHOLE
    size: int = limits.WINDOW
    most: int | None = None

    def __post_init__(self) -> None:
        if not _LEAST <= self.size <= self.above <= limits.MAX_LENGTH:
            raise ConfigError(
                f"--window {self.size} with --longest-whole {self.above}: expected windows of {_LEAST} "
                f"bases or more, and RNAs not shorter than these, of at most {limits.MAX_LENGTH}"
            )

    def starts(self, length: int) -> list[int]:
        """The first base of each window, 0-based; the last one ends with the RNA."""
        return [*range(0, length - self.size, self.size // 2), length - self.size]

    def outlook(self, rnas: Iterable[Rna]) -> str:
        """How much work long RNAs are, in words; of one or none nothing, as it speaks for itself."""
        lengths = [len(rna) for rna in rnas if len(rna) > self.above]
        if len(lengths) < 2:
            return ""
        windows = counted(sum(len(self.starts(length)) for length in lengths), "window")
        memory = limits.memory_of_windows(max(lengths), self.size)
        return (
            f"{counted(len(lengths), 'RNA')} of more than {self.above} bases: {windows} of {self.size} "
            f"in all, {memory:.1f} GiB of memory or more for the longest"
        )

    def exceptions(self, rnas: Iterable[Rna], encoder: Encoder) -> list[str]:
        """The RNAs that are predicted whole although they are long, each with its reason."""
        return [
            f"{rna.id}: predicted whole, not in windows ({why})"
            for rna in rnas
            if self.above < len(rna) <= limits.MAX_LENGTH and (why := self.obstacle(rna, encoder))
        ]

    def apply(self, rna: Rna, encoder: Encoder) -> bool:
        """Whether an RNA is predicted in windows, or refused as they cannot hold it."""
        if len(rna) <= self.above or (self.most is not None and len(rna) > self.most):
            return False
        return len(rna) > limits.MAX_LENGTH or self.obstacle(rna, encoder) is None

    def refusal(self, rna: Rna, encoder: Encoder) -> RnassError | None:
        """Why an RNA cannot be predicted in windows, if that is plain at once."""
        memory = limits.memory_of_windows(len(rna), self.size)
        return self.obstacle(rna, encoder) or limits.too_much(rna, memory)

    def obstacle(self, rna: Rna, encoder: Encoder) -> RnassError | None:
        """Why windows cannot hold an RNA: strands, codons, pairs over a longer span."""
        most = limits.MAX_LENGTH
        if rna.nick is not None:
            return SequenceError(
                f"{rna.id}: two strands of {len(rna)} bases together; expected one, or at most "
                f"{most} bases",
                rna.id,
            )
        if encoder.vocabulary.bases_per_token > 1 or (encoder.max_bases or self.size) < self.size:
            return SequenceError(
                f"{rna.id}: {len(rna)} bases; expected at most {most}, as the backbone reads no "
                f"windows of {self.size} bases",
                rna.id,
            )
        return limits.too_wide(rna, self.size, "the bases of a window")


class _Maps(NamedTuple):
    reading: Reading
    decoded: NDArray[np.floating]


@dataclass(frozen=True)
class _Stages:
    """The stages of a window: its two maps instead of a structure; the same mix for all of an RNA."""

    predictor: "Predictor"
    mix: float

    def refusal(self, rna: Rna) -> RnassError | None:
        return None

    def fold(self, rnas: Iterable[Rna], processes: int) -> Generator[Folded | RnassError, None, None]:
        return self.predictor.fold_windows(rnas, processes)

    def read(self, rnas: list[Rna], folded: list[Folded]) -> list[Reading]:
        return self.predictor.read(rnas, folded)

    def decode(self, rna: Rna, folded: Folded, reading: Reading, seconds: float) -> _Maps:
        return _Maps(reading, self.predictor.restrained(rna, folded, reading.probabilities, self.mix))


class Blended(NamedTuple):
    """The maps of a long RNA, (L, L), sparse; the same object where no evidence is added.

    Attributes:
        probabilities: the blended map.
        decoded: that of the maps to decode.
        pace: the seconds that a window took.
        energy_share: the mean of the windows', see `rnass.prediction.pipeline.Reading`.
    """

    probabilities: csr_array
    decoded: csr_array
    pace: float
    energy_share: float | None


def blended(
    predictor: "Predictor", rna: Rna, windows: Windows, cores: Cores, pace: float | None = None
) -> Blended:
    """Predict an RNA's windows and blend their maps; the log shows how far it is.

    Args:
        predictor: it folds and reads the windows, and gives the maps to decode.
        rna: longer than a window.
        windows: where they begin.
        cores: how the work is spread.
        pace: the seconds that a window took in an earlier RNA, for the time to be expected.

    Raises:
        RnassError: a window cannot be predicted.
        WorkerError: a worker process was killed.
    """
    starts = windows.starts(len(rna))
    total = len(starts)
    size = windows.size
    memory = limits.memory_of_windows(len(rna), size, cores.pairs_at_once(size))
    log.info(
        "%s: %s in %s of %d, some %.1f GiB of memory, %s",
        *(rna.id, counted(len(rna), "base"), counted(total, "window"), size, memory),
        "time is known after the first" if pace is None else f"some {_duration(pace * total)}",
    )
    probabilities = Blend(len(rna), windows.size)
    decoded: Blend | None = None
    shares: list[float | None] = []
    parts = (_part(rna, first, first + windows.size) for first in starts)
    began = time.monotonic()
    with closing(run_pipeline(_Stages(predictor, predictor.mix_of(rna)), parts, cores)) as rows:
        for done, row in enumerate(rows, start=1):
            if isinstance(maps := row.outcome, RnassError):
                raise maps
            row.prediction = row.reading = row.folded = None  # some hundreds of rows are kept
            if decoded is None and maps.decoded is not maps.reading.probabilities:
                decoded = deepcopy(probabilities)  # the windows before had no evidence
            probabilities.add(starts[row.number], maps.reading.probabilities)
            if decoded is not None:
                decoded.add(starts[row.number], maps.decoded)
            shares.append(maps.reading.energy_share)
            if done == 1:  # in which something is loaded, and nothing folded ahead
                first_took, began = time.monotonic() - began, time.monotonic()
                pace = min(first_took, pace or first_took)
            else:
                pace = (time.monotonic() - began) / (done - 1)
            if done <= 2 or 10 * done // total > 10 * (done - 1) // total:
                about = "at most" if done == 1 else "some"
                left = _duration(pace * (total - done))
                log.info("%s: %d of %d windows, %s %s left", rna.id, done, total, about, left)
    found = probabilities.probabilities()
    chosen = [share for share in shares if share is not None]
    share = float(np.mean(chosen)) if chosen else None
    return Blended(found, found if decoded is None else decoded.probabilities(), pace or 0.0, share)


def _duration(seconds: float) -> str:
    """For people."""
    if seconds < 100:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def _part(rna: Rna, first: int, end: int) -> Rna:
    """The bases from *first* to before *end* with their restraints, as an RNA."""
    known = rna.reactivities
    return Rna(
        rna.id,
        rna.bases[first:end],
        constraints=_constraints_within(rna.constraints, first, end),
        reactivities=None if known is None else known[first:end],
        supported=_pairs_within(rna.supported, first, end),
    )


def _constraints_within(given: Constraints, first: int, end: int) -> Constraints:
    """The constraints on some bases, counted from *first*.

    A base whose forced partner is outside is unpaired.
    """

    def bases(those: Iterable[int]) -> frozenset[int]:
        return frozenset(base - first for base in those if first <= base < end)

    inside = _pairs_within(given.pairs, first, end)
    halves = bases(base for pair in given.pairs for base in pair) - {b for pair in inside for b in pair}
    return replace(
        given,
        length=None,
        unpaired=bases(given.unpaired) | halves,
        paired=bases(given.paired) - halves,
        upstream=bases(given.upstream) - halves,
        downstream=bases(given.downstream) - halves,
        pairs=inside,
        forbidden=_pairs_within(given.forbidden, first, end),
        apart=tuple((bases(one), bases(other)) for one, other in given.apart),
    )


def _pairs_within(those: Iterable[tuple[int, int]], first: int, end: int) -> frozenset[tuple[int, int]]:
    return frozenset((i - first, j - first) for i, j in those if first <= i and j < end)
