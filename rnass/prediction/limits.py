"""Which RNAs can be predicted or read by a language model: length, memory, context, strands, codons.

Imports no torch: the command line takes its defaults from here.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rnass.errors import ConstraintError, SequenceError, counted
from rnass.rna import Rna

if TYPE_CHECKING:
    from rnass.backbone.encoder import Encoder

__all__ = [
    "LONGEST_WHOLE",
    "MAX_LENGTH",
    "WINDOW",
    "memory_of_whole",
    "memory_of_windows",
    "too_long",
    "too_much",
    "too_wide",
    "unpredictable",
    "unreadable",
]

MAX_LENGTH = 4000
"""Longest RNA, in bases, of which maps are whole arrays and ViennaRNA's MFE structure is computed.

No longer one can be predicted whole: with the default weights the peak is 9.2 GiB at 4,000 bases, and
3.6 to 4.6 GiB at 2,000 (`benchmarks/cost.py`); memory grows with the square of the length.
"""

LONGEST_WHOLE = 1000
"""Most bases of an RNA that is predicted whole by default; a longer one in windows.

Whole predictions fade above some 1,000 bases (`benchmarks/windows.py`).
"""

WINDOW = 500
"""Bases of a window of a longer RNA."""


def too_long(rna: Rna, where: str = "") -> SequenceError | None:
    """The error of an RNA of more than `MAX_LENGTH` bases; None for any other."""
    if len(rna) <= MAX_LENGTH:
        return None
    return SequenceError(
        f"{where or rna.id}: {len(rna)} bases; expected at most {MAX_LENGTH} here, as memory grows "
        "with the square of the length",
        rna.id,
    )


def memory_of_whole(length: int) -> float:
    """The peak to be expected of an RNA predicted whole, in GiB."""
    return 1.5 + 0.5 * (length / 1000) ** 2


def memory_of_windows(length: int, window: int, at_once: int = 0) -> float:
    """The peak to be expected of an RNA predicted in windows, in GiB.

    Args:
        length: bases of the RNA.
        window: bases of a window.
        at_once: padded pairs that go through the network at once, if these are more than a window's.

    Beside the network on a window there is a map of L x *window* values, or two with evidence, and
    then a list of those that are not 0; up to `MAX_LENGTH` whole maps, and ViennaRNA's arrays.
    """
    beside = max(0, at_once - max(window**2, 1_000_000)) / 1e6
    whole = length**2 * 40 if length <= MAX_LENGTH else 0
    return memory_of_whole(window) + beside + (length * window * 40 + whole) / 2**30


def too_much(rna: Rna, memory: float) -> SequenceError | None:
    """The error of an RNA that takes more memory, in GiB, than there is; None for any other."""
    there = _memory_there()
    if memory <= there:
        return None
    return SequenceError(
        f"{rna.id}: {len(rna)} bases take some {memory:,.1f} GiB of memory; expected at most "
        f"{there:,.1f}, all there is",
        rna.id,
    )


def _memory_there() -> float:
    """The memory of the machine, or of the container, in GiB; infinite where that is not known."""
    there = float("inf")
    with suppress(AttributeError, ValueError, OSError):
        there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    with suppress(ValueError, OSError):
        there = min(there, int(Path("/sys/fs/cgroup/memory.max").read_text()) / 2**30)
    return there


def too_wide(rna: Rna, span: int | None, why: str) -> ConstraintError | None:
    """The error of a forced pair that spans more than *span* bases, both counted; None of any other RNA.

    Args:
        rna: with its constraints.
        span: None for no bound.
        why: there is that bound.
    """
    for i, j in sorted(rna.constraints.pairs):
        if span is not None and j - i >= span:
            return ConstraintError(
                f"{rna.constraints.where}: bases {i + 1} and {j + 1} must pair; expected a span of "
                f"at most {span}, {why}"
            )
    return None


def unpredictable(rna: Rna, encoder: "Encoder") -> SequenceError | None:
    """Why an RNA cannot be predicted with a backbone, if that is plain at once."""
    context = encoder.max_bases
    if (error := too_long(rna)) or context is None or len(rna) <= context:
        return error or unreadable(rna, encoder, linked=True)
    return SequenceError(
        f"{rna.id}: {len(rna)} bases; expected at most {context}, all that the backbone reads at once",
        rna.id,
    )


def unreadable(rna: Rna, encoder: "Encoder", *, linked: bool = False) -> SequenceError | None:
    """Why a backbone cannot read an RNA: it has two strands, or bases that are no whole codons.

    Two strands can be read by bases where they are *linked*.
    """
    step = encoder.vocabulary.bases_per_token
    if rna.nick is not None and (step > 1 or not linked):
        return SequenceError(f"{rna.id}: two strands; expected one", rna.id)
    if len(rna) % step:
        return SequenceError(
            f"{rna.id}: {counted(len(rna), 'base')}; expected whole codons, a multiple of {step}",
            rna.id,
        )
    return None
