"""Predict: a sequence in, pairing probabilities, a structure and how sure they are out.

The two columns of the package meet here: the network gives the probability map, the chemistry turns
it into a structure.
"""

import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import islice, tee
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from rnass import vienna
from rnass.config import DecodingConfig
from rnass.errors import ConfigError, RnassError, SequenceError
from rnass.matching import base_confidence, decode, expected_f1
from rnass.model import PairingModel, collate
from rnass.sequence import Sequence
from rnass.structure import Structure
from rnass.weights import find_weights, load_pairing_model

__all__ = [
    "MAX_LENGTH",
    "Device",
    "Outcome",
    "Prediction",
    "Predictor",
    "choose_device",
    "load_predictor",
    "predict",
    "too_long",
]

MAX_LENGTH = 4000
"""Longest RNA that is predicted, in bases: memory grows with its square.

With 32 channels in the head, its peak was 0.8 GiB at 1,000 bases, 2.0 at 2,000 and 6.4 at 4,000.
"""

Device = Literal["auto", "cpu", "cuda", "mps"]

_Numbered = tuple[int, Sequence]  # an RNA and its place in what was asked for

_AHEAD = 256  # RNAs that are sorted by length together
_BATCH_PIXELS = 400_000  # L * L summed over the RNAs that go through the network together


@dataclass(frozen=True, eq=False)
class Prediction:
    """What is predicted of one RNA.

    Attributes:
        sequence: the RNA, L bases.
        probabilities: (L, L) float32, symmetric: the calibrated probability that two bases pair.
        structure: the base pairs decoded from them.
        thermodynamics: what ViennaRNA says of the same RNA.
        seconds: time taken, its share of a batch.
    """

    sequence: Sequence
    probabilities: NDArray[np.float32]
    structure: Structure
    thermodynamics: vienna.Thermodynamics
    seconds: float

    @property
    def dot_bracket(self) -> str:
        """The structure in dot-bracket, pseudoknots in further brackets."""
        return self.structure.dot_bracket

    @cached_property
    def confidence(self) -> float:
        """The F1 that the probabilities lead one to expect of the structure, in [0, 1]."""
        return expected_f1(self.probabilities, self.structure)

    @cached_property
    def base_confidence(self) -> NDArray[np.float64]:
        """The probability that each base is as the structure has it, (L,)."""
        return base_confidence(self.probabilities, self.structure)


@dataclass(frozen=True, eq=False)
class Outcome:
    """A prediction, or why there is none; *number* is the RNA's place in what was asked for."""

    number: int
    prediction: Prediction | None
    error: RnassError | None = None


class Predictor:
    """A loaded model, ready for any number of RNAs.

    Args:
        model: a contact model, or RNA-FM's own structure model.
        device: where the network runs.
        decoding: how maps become structures; None takes what was chosen with the weights.
        thermodynamics: give the head ViennaRNA's base-pair probabilities.
        baseline: also fold by ViennaRNA's MEA and centroid.
        precision: of matrix products and convolutions.
    """

    def __init__(
        self,
        model: PairingModel,
        *,
        device: torch.device | None = None,
        decoding: DecodingConfig | None = None,
        thermodynamics: bool = True,
        baseline: bool = False,
        precision: Literal["float32", "bfloat16"] = "float32",
    ) -> None:
        self.device = device or torch.device("cpu")
        self.model = model.to(self.device).eval()
        self.decoding = decoding or model.config.decoding
        self.thermodynamics, self.baseline, self.precision = thermodynamics, baseline, precision

    def __call__(self, rna: str | Sequence) -> Prediction:
        """Predict one RNA.

        Raises:
            SequenceError: a letter that is no base, or more than `MAX_LENGTH` bases.
        """
        sequence = rna if isinstance(rna, Sequence) else Sequence.from_text(rna)
        (outcome,) = self.predict([sequence])
        if outcome.prediction is None:
            raise outcome.error or SequenceError("sequence: no prediction")
        return outcome.prediction

    def predict(self, sequences: Iterable[Sequence], processes: int = 0) -> Iterator[Outcome]:
        """Predict many, in batches of like length, in no particular order within a few hundred.

        Args:
            sequences: read as far ahead as a few batches need.
            processes: worker processes that run ViennaRNA beside the network; 0 runs it in this one.
        """
        refused: deque[Outcome] = deque()
        ordered, ahead = tee(_by_length(sequences, refused))
        folded = vienna.fold_many(
            (sequence.bases for _, sequence in ahead),
            parameters=self.model.config.head.thermodynamics if self.thermodynamics else (),
            baseline=self.baseline,
            processes=processes,
        )
        for batch in _batches(ordered):
            while refused:
                yield refused.popleft()
            began = time.monotonic()
            yield from self._predict_batch(batch, list(islice(folded, len(batch))), began)
        yield from refused

    def _predict_batch(
        self, batch: list[_Numbered], folded: list[vienna.Thermodynamics], began: float
    ) -> Iterator[Outcome]:
        maps = self._maps([sequence.bases for _, sequence in batch], folded)
        if isinstance(maps, RnassError) and len(batch) > 1:  # one of them, or all of them together
            for item, one in zip(batch, folded, strict=True):
                yield from self._predict_batch([item], [one], time.monotonic())
            return
        if isinstance(maps, RnassError):
            yield Outcome(batch[0][0], None, maps)
            return
        shared = (time.monotonic() - began) / len(batch)
        for (number, sequence), thermodynamics, probabilities in zip(batch, folded, maps, strict=True):
            began = time.monotonic()
            try:
                structure = decode(probabilities, sequence.bases, self.decoding)
            except RnassError as error:
                yield Outcome(number, None, error)
                continue
            seconds = shared + time.monotonic() - began
            yield Outcome(
                number, Prediction(sequence, probabilities, structure, thermodynamics, seconds)
            )

    def _maps(
        self, rnas: list[str], folded: list[vienna.Thermodynamics]
    ) -> list[NDArray[np.float32]] | RnassError:
        """The maps of a batch, or why there are none."""
        try:
            return self._probabilities(rnas, folded)
        except RnassError as error:
            return error
        except torch.cuda.OutOfMemoryError:
            return RnassError(
                f"sequence: {max(map(len, rnas))} bases do not fit into the memory of {self.device}; "
                "expected fewer, or --device cpu"
            )

    @torch.no_grad()
    def _probabilities(
        self, rnas: list[str], folded: list[vienna.Thermodynamics]
    ) -> list[NDArray[np.float32]]:
        """Calibrated maps, (L, L) each."""
        sets = self.model.config.head.thermodynamics
        maps = None
        if sets:
            maps = [
                np.stack([pairs.dense() for pairs in one.base_pairs])
                if self.thermodynamics
                else np.zeros((len(sets), len(rna), len(rna)), dtype=np.float32)
                for rna, one in zip(rnas, folded, strict=True)
            ]
        batch = collate(rnas, maps, self.model.backbone.vocabulary).to(self.device)
        fast = self.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=fast):
            probabilities = self.model.probabilities(batch).float().cpu().numpy()
        return [probabilities[k, : len(rna), : len(rna)].copy() for k, rna in enumerate(rnas)]


def load_predictor(
    weights: str | Path | None = None,
    *,
    backbone: str | None = None,
    device: Device = "auto",
    decoding: DecodingConfig | None = None,
    thermodynamics: bool = True,
    baseline: bool = False,
    precision: Literal["float32", "bfloat16"] = "float32",
) -> Predictor:
    """Load weights by name or path (the shipped ones by default) into a predictor.

    Args:
        weights: rnass's, or one of RNA-FM's own structure models (.pth).
        backbone: path or name of the backbone of weights that hold a contact head alone.
        device: where the network runs.
        decoding, thermodynamics, baseline, precision: see `Predictor`.

    Raises:
        CheckpointError: there are no such weights, or they are altered; a backbone is lacking, or is
            not the one that the head was trained on.
        ConfigError: the device is not there.
    """
    model = load_pairing_model(find_weights(None if weights is None else str(weights)), backbone)
    return Predictor(
        model,
        device=choose_device(device),
        decoding=decoding,
        thermodynamics=thermodynamics,
        baseline=baseline,
        precision=precision,
    )


def predict(rna: str | Sequence, **options: Any) -> Prediction:
    """Predict one RNA with the shipped weights, which are loaded once and kept.

    Args:
        rna: letters, or a sequence.
        options: those of `load_predictor`, *weights* among them.

    Raises:
        SequenceError: a letter that is no base, or more than `MAX_LENGTH` bases.
        CheckpointError: there are no such weights, or they are altered.
    """
    return _loaded(**options)(rna)


@lru_cache(maxsize=2)
def _loaded(**options: Any) -> Predictor:
    return load_predictor(**options)


def choose_device(name: Device) -> torch.device:
    """The device of that name; "auto" takes CUDA where there is one, else the processor.

    Raises:
        ConfigError: the device is not there.
    """
    present = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device("cuda" if present["cuda"] else "cpu")
    if not present.get(name):
        there = ", ".join(key for key, is_there in present.items() if is_there)
        raise ConfigError(f"device {name!r} is not available; expected one of auto, {there}")
    return torch.device(name)


def too_long(sequence: Sequence, where: str = "") -> SequenceError | None:
    """What is wrong with an RNA of more than `MAX_LENGTH` bases; None of any other."""
    if len(sequence) <= MAX_LENGTH:
        return None
    return SequenceError(
        f"{where or sequence.id}: {len(sequence)} bases; expected at most {MAX_LENGTH}, as memory grows "
        "with the square of the length",
        sequence.id,
    )


def _by_length(sequences: Iterable[Sequence], refused: deque[Outcome]) -> Iterator[_Numbered]:
    """Number the RNAs and sort them by length, a few hundred at a time; too long ones are *refused*."""
    numbered = enumerate(sequences)
    while pool := list(islice(numbered, _AHEAD)):
        pool.sort(key=lambda item: len(item[1]))
        for number, sequence in pool:
            if error := too_long(sequence):
                refused.append(Outcome(number, None, error))
            else:
                yield number, sequence


def _batches(items: Iterable[_Numbered]) -> Iterator[list[_Numbered]]:
    """Cut items, mostly sorted by length, so that the padded L * L of a batch stays within bounds."""
    batch: list[_Numbered] = []
    longest = 0
    for item in items:
        longest = max(longest, len(item[1]))
        full = len(batch) == _AHEAD or (len(batch) + 1) * longest**2 > _BATCH_PIXELS
        if batch and full:
            yield batch
            batch, longest = [], len(item[1])
        batch.append(item)
    if batch:
        yield batch
