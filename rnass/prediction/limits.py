"""Which RNAs can be predicted or read by a language model: length, context, strands, codons."""

from rnass.backbone.encoder import Encoder
from rnass.errors import SequenceError, counted
from rnass.rna import Rna

__all__ = ["MAX_LENGTH", "too_long", "unpredictable", "unreadable"]

MAX_LENGTH = 4000
"""Longest RNA that is predicted, in bases: memory grows with its square.

With the default weights its peak was 9.2 GiB at 4,000 bases, and 3.6 to 4.6 GiB at 2,000
(`benchmarks/cost.py`).
"""


def too_long(rna: Rna, where: str = "") -> SequenceError | None:
    """The error of an RNA of more than `MAX_LENGTH` bases; None for any other."""
    if len(rna) <= MAX_LENGTH:
        return None
    return SequenceError(
        f"{where or rna.id}: {len(rna)} bases; expected at most {MAX_LENGTH}, as memory grows "
        "with the square of the length",
        rna.id,
    )


def unpredictable(rna: Rna, encoder: Encoder) -> SequenceError | None:
    """Why an RNA cannot be predicted with a backbone, if that is plain at once."""
    context = encoder.max_bases
    if (error := too_long(rna)) or context is None or len(rna) <= context:
        return error or unreadable(rna, encoder, linked=True)
    return SequenceError(
        f"{rna.id}: {len(rna)} bases; expected at most {context}, all that the backbone reads at once",
        rna.id,
    )


def unreadable(rna: Rna, encoder: Encoder, *, linked: bool = False) -> SequenceError | None:
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
