"""Predict: a sequence in, pairing probabilities, a structure and how sure they are out.

The two columns of the package meet here: the network gives the probability map, the chemistry turns
it into a structure.
"""

import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import islice, repeat, tee
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from rnass.backbone.encoder import Encoder
from rnass.config import DecodingConfig
from rnass.decoding import Alternative, alternatives, base_confidence, decode, expected_f1
from rnass.errors import InputError, RnassError, SequenceError, counted
from rnass.files import sha256
from rnass.network.contact_model import PairingModel, collate
from rnass.network.device import Device, choose_device
from rnass.network.models import load_pairing_model
from rnass.network.weights import find_weights
from rnass.prediction.restraints import Knowledge
from rnass.rna import Rna
from rnass.structure import Structure
from rnass.thermodynamics.folding import Folded, FoldInput, fold_many, sets_folded
from rnass.thermodynamics.parameter_sets import OWN_ENERGIES, OWN_NAME
from rnass.thermodynamics.second_fold import set_of

__all__ = [
    "MAX_LENGTH",
    "Cores",
    "Outcome",
    "Prediction",
    "Predictor",
    "load_predictor",
    "origin",
    "predict",
    "refusal",
    "share_cores",
    "too_long",
    "unreadable",
]

MAX_LENGTH = 4000
"""Longest RNA that is predicted, in bases: memory grows with its square.

With the default weights its peak was 9.2 GiB at 4,000 bases, and 3.6 to 4.6 GiB at 2,000
(`benchmarks/cost.py`).
"""


class _Item(NamedTuple):
    """An RNA, its place in what was asked for, and what is known of it."""

    number: int
    sequence: Rna
    known: Knowledge


class Cores(NamedTuple):
    """How the work on many RNAs is spread.

    Attributes:
        processes: worker processes that run ViennaRNA beside the network; 0 runs it in this one.
        lanes: batches that go through the network at once, each on as many threads as torch is set to.
    """

    processes: int = 0
    lanes: int = 1


_FEW = 20  # RNAs below which worker processes cost more than they save,
_MUCH = 2e8  # unless the cubes of all lengths but the greatest add up to more,
_LONG = 700  # or one is longer than this and folded by several parameter sets
_MOST_LANES = 16  # each takes about as much memory as an RNA of 630 bases
_LINKER = "N" * 8  # stands between two strands before the network, which was trained on one
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
        known: what was known beside the bases.
        informed: (L, L): the probabilities after the evidence, which the structure was decoded from;
            *probabilities* itself where there is none.
        decoding: how it was decoded.
    """

    sequence: Rna
    probabilities: NDArray[np.float32]
    structure: Structure
    thermodynamics: Folded
    seconds: float
    known: Knowledge
    informed: NDArray[np.floating]
    decoding: DecodingConfig

    @property
    def dot_bracket(self) -> str:
        """The structure in dot-bracket, pseudoknots in further brackets, `&` between two strands."""
        return self.sequence.mark(self.structure.dot_bracket)

    @cached_property
    def confidence(self) -> float:
        """The F1 that the probabilities lead one to expect of the structure, in [0, 1]."""
        return expected_f1(self.informed, self.structure)

    @cached_property
    def base_confidence(self) -> NDArray[np.float64]:
        """The probability that each base is as the structure has it, (L,)."""
        return base_confidence(self.informed, self.structure)

    def alternatives(self, n: int) -> list[Alternative]:
        """Up to *n* distinct structures, the predicted one first; see `rnass.decoding.suboptimal`."""
        return alternatives(
            self.informed,
            self.sequence.bases,
            n,
            self.decoding,
            constraints=self.known.constraints,
            nick=self.sequence.nick,
        )


@dataclass(frozen=True, eq=False)
class Outcome:
    """A prediction, or why there is none; *number* is the RNA's place in what was asked for."""

    number: int
    prediction: Prediction | None
    error: RnassError | None = None


class Predictor:
    """A loaded model, ready for any number of RNAs.

    Args:
        model: a contact model, a committee of them, or RNA-FM's own structure model.
        device: where the network runs.
        decoding: how maps become structures; None takes what was chosen with the weights.
        thermodynamics: give the head ViennaRNA's base-pair probabilities.
        baseline: also fold by ViennaRNA's MEA and centroid.
        precision: of matrix products and convolutions.
        mfe_probabilities: also base-pair probabilities by the energies of the MFE structure.
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
        mfe_probabilities: bool = False,
    ) -> None:
        self.device = device or torch.device("cpu")
        self.model = model.to(self.device).eval()
        self.decoding = decoding or model.config.decoding
        self.thermodynamics, self.baseline, self.precision = thermodynamics, baseline, precision
        self.mfe_probabilities = mfe_probabilities

    @property
    def parameter_sets(self) -> tuple[str, ...]:
        """Those of ViennaRNA whose base-pair probabilities the network is given."""
        return self.model.config.parameter_sets if self.thermodynamics else ()

    def __call__(self, rna: str | Rna, known: Knowledge | None = None) -> Prediction:
        """Predict one RNA, under what is known of it.

        Raises:
            SequenceError: a letter that is no base, or more than `MAX_LENGTH` bases.
            ConstraintError: constraints that no structure satisfies.
        """
        sequence = rna if isinstance(rna, Rna) else Rna.from_text(rna)
        (outcome,) = self.predict([sequence], known=None if known is None else [known])
        if outcome.prediction is None:
            raise outcome.error or SequenceError("sequence: no prediction")
        return outcome.prediction

    def predict(
        self,
        sequences: Iterable[Rna],
        cores: Cores = Cores(),  # noqa: B008 - a tuple
        *,
        known: Iterable[Knowledge] | None = None,
    ) -> Generator[Outcome, None, None]:
        """Predict many, in batches of like length, in no particular order within a few hundred.

        Args:
            sequences: read as far ahead as a few batches need.
            cores: how the work is spread, see `share_cores`. Until this is closed worker processes
                fold what they were given.
            known: what is known of each, as many as sequences; None for nothing.

        Raises:
            WorkerError: a worker process was killed.
        """
        refused: deque[Outcome] = deque()
        pairs = zip(sequences, repeat(Knowledge()) if known is None else known, strict=False)
        ordered, ahead = tee(_by_length(pairs, refused, self.model.backbone))
        folded = fold_many(
            map(self._fold_input, ahead),
            parameter_sets=self.parameter_sets,
            baseline=self.baseline,
            processes=cores.processes,
        )
        running: deque[_Running] = deque()
        ahead_of_one = cores.lanes if cores.lanes > 1 else 0
        with closing(folded), _threads(cores.lanes) as lanes:
            for cut in _batches(ordered):
                while refused:
                    yield refused.popleft()
                began = time.monotonic()
                batch, parts = _folded(cut, islice(folded, len(cut)), refused)
                waited = time.monotonic() - began
                if not batch:
                    continue
                room = (cores.lanes + 1) * _BATCH_PIXELS - _pixels(batch)
                while running and sum(_pixels(one.batch) for one in running) > room:
                    yield from self._finish(running.popleft())
                maps = lanes.submit(self._maps, batch, parts)
                running.append(_Running(batch, parts, maps, waited))
                while len(running) > ahead_of_one:
                    yield from self._finish(running.popleft())
            for one in running:
                yield from self._finish(one)
        yield from refused

    def _fold_input(self, item: _Item) -> FoldInput:
        """What ViennaRNA is to fold, under what is known of it."""
        sequence, known = item.sequence, item.known
        mixed = known.mix > 0 and not self.parameter_sets
        return FoldInput(
            sequence.text,
            constraint=known.vienna_line(sequence),
            forbidden=known.constraints.forbidden_canonical(sequence.bases),
            reactivities=known.reactivities,
            mfe_bpp=mixed or self.mfe_probabilities,
        )

    def _finish(self, running: "_Running") -> Iterator[Outcome]:
        """What has become of a batch, once it is through."""
        maps, seconds = running.maps.result()
        return self._outcomes(running.batch, running.folded, (maps, running.waited + seconds))

    def _outcomes(self, batch: list[_Item], folded: list[Folded], found: "_Maps") -> Iterator[Outcome]:
        maps, seconds = found
        if isinstance(maps, RnassError) and len(batch) > 1:  # one of them, or all of them together
            for item, part in zip(batch, folded, strict=True):
                yield from self._outcomes([item], [part], self._maps([item], [part]))
            return
        if isinstance(maps, RnassError):
            yield Outcome(batch[0].number, None, maps)
            return
        for item, part, probabilities in zip(batch, folded, maps, strict=True):
            yield self._decode(item, part, probabilities, seconds / len(batch))

    def _decode(
        self,
        item: _Item,
        thermodynamics: Folded,
        probabilities: NDArray[np.float32],
        shared: float,
    ) -> Outcome:
        began = time.monotonic()
        sequence, known = item.sequence, item.known
        thermal = thermodynamics.mean_bpp() if known.mix else None
        informed = known.inform(probabilities, thermal)
        try:
            structure = decode(
                informed,
                sequence.bases,
                self.decoding,
                constraints=known.constraints,
                nick=sequence.nick,
            )
        except RnassError as error:
            return Outcome(item.number, None, error)
        prediction = Prediction(
            sequence,
            probabilities,
            structure,
            thermodynamics,
            seconds=shared + time.monotonic() - began,
            known=known,
            informed=informed,
            decoding=self.decoding,
        )
        return Outcome(item.number, prediction)

    def _maps(self, batch: list[_Item], folded: list[Folded]) -> "_Maps":
        """The maps of a batch, or why there are none, and the seconds it took."""
        began = time.monotonic()
        rnas = [item.sequence for item in batch]
        maps: list[NDArray[np.float32]] | RnassError
        try:
            maps = self._probabilities(rnas, folded)
        except RnassError as error:
            maps = error
        except torch.cuda.OutOfMemoryError:
            maps = RnassError(
                f"sequence: {max(map(len, rnas))} bases do not fit into the memory of {self.device}; "
                "expected fewer, or --device cpu"
            )
        return maps, time.monotonic() - began

    @torch.no_grad()
    def _probabilities(self, rnas: list[Rna], folded: list[Folded]) -> list[NDArray[np.float32]]:
        """Calibrated maps, (L, L) each."""
        kept = [_places(rna) for rna in rnas]
        maps = None
        if self.parameter_sets:
            maps = [
                np.stack([_spread(pairs.dense(), places) for pairs in one.bpp])
                for places, one in zip(kept, folded, strict=True)
            ]
        linked = [rna.text.replace("&", _LINKER) for rna in rnas]
        batch = collate(linked, maps, self.model.backbone.vocabulary).to(self.device)
        fast = self.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=fast):
            probabilities = self.model.probabilities(batch).float().cpu().numpy()
        return [probabilities[k][np.ix_(places, places)] for k, places in enumerate(kept)]


_Maps = tuple[list[NDArray[np.float32]] | RnassError, float]


class _Running(NamedTuple):
    """A batch that is on its way through the network, and how long its folding was waited for."""

    batch: list[_Item]
    folded: list[Folded]
    maps: Future[_Maps]
    waited: float


def load_predictor(
    weights: str | Path | None = None,
    *,
    backbone: str | None = None,
    device: Device = "auto",
    decoding: DecodingConfig | None = None,
    thermodynamics: bool = True,
    baseline: bool = False,
    precision: Literal["float32", "bfloat16"] = "float32",
    mfe_probabilities: bool = False,
) -> Predictor:
    """Load weights by name or path (the shipped ones by default) into a predictor.

    Args:
        weights: rnass's, or one of RNA-FM's own structure models (.pth).
        backbone: path or name of the backbone of weights that hold a contact head alone.
        device: where the network runs.
        decoding: this and the others as in `Predictor`.
        thermodynamics: as there.
        baseline: as there.
        precision: as there.
        mfe_probabilities: as there.

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
        mfe_probabilities=mfe_probabilities,
    )


def origin(weights: Path, predictor: Predictor) -> dict[str, Any]:
    """The files that decide what a predictor answers, with their checksums, as JSON.

    Args:
        weights: the file that it was loaded from.
        predictor: it; a parameter set that comes with ViennaRNA has no file.
    """
    return {
        "weights": {"file": weights.name, "sha256": sha256(weights)},
        "energies": {
            name: sha256(OWN_ENERGIES) if name == OWN_NAME else None
            for name in dict.fromkeys(map(set_of, predictor.parameter_sets))
        },
    }


def predict(rna: str | Rna, known: Knowledge | None = None, **options: Any) -> Prediction:
    """Predict one RNA with the shipped weights, which are loaded once and kept.

    Args:
        rna: letters, or a sequence; two strands as `A&B`.
        known: constraints and reactivities.
        options: those of `load_predictor`, *weights* among them.

    Raises:
        SequenceError: a letter that is no base, or more than `MAX_LENGTH` bases.
        CheckpointError: there are no such weights, or they are altered.
    """
    return _loaded(**options)(rna, known)


@lru_cache(maxsize=2)
def _loaded(**options: Any) -> Predictor:
    return load_predictor(**options)


@contextmanager
def share_cores(lengths: list[int], predictor: Predictor | None) -> Iterator[Cores]:
    """How the work on RNAs of these lengths is spread over the threads there are.

    Much of it runs on the processor as a process of ViennaRNA and a lane of the network for each
    thread; until the block ends the network keeps each lane to one thread, for on a core that
    something else keeps busy one thread of several would hold up all others. None stands for ViennaRNA
    without a network.
    """
    threads = torch.get_num_threads()
    *others, longest = sorted(length for length in lengths if length <= MAX_LENGTH) or [0]
    long = longest > _LONG
    if len(lengths) <= _FEW and (long or sum(length**3 for length in others) < _MUCH):
        folds = sets_folded(predictor.parameter_sets if predictor else ())
        beside = min(threads, len(folds))
        yield Cores(beside if long and beside > 1 else 0)
    elif predictor is None:
        yield Cores(threads)
    elif predictor.device.type != "cpu" or threads == 1:
        yield Cores(threads - 1)
    else:
        torch.set_num_threads(1)
        try:
            yield Cores(threads, min(threads, _MOST_LANES))
        finally:
            torch.set_num_threads(threads)


def too_long(sequence: Rna, where: str = "") -> SequenceError | None:
    """What is wrong with an RNA of more than `MAX_LENGTH` bases; None of any other."""
    if len(sequence) <= MAX_LENGTH:
        return None
    return SequenceError(
        f"{where or sequence.id}: {len(sequence)} bases; expected at most {MAX_LENGTH}, as memory grows "
        "with the square of the length",
        sequence.id,
    )


def _folded(
    batch: list[_Item], parts: Iterable[Folded | RnassError], refused: deque[Outcome]
) -> tuple[list[_Item], list[Folded]]:
    """The RNAs of a batch that ViennaRNA folded; the others are *refused*."""
    good = []
    for item, part in zip(batch, parts, strict=True):
        if isinstance(part, RnassError):
            refused.append(Outcome(item.number, None, part))
        else:
            good.append((item, part))
    return [item for item, _ in good], [part for _, part in good]


def _places(rna: Rna) -> NDArray[np.int64]:
    """Where its bases stand before the network: a linker moves the second strand."""
    places = np.arange(len(rna))
    if rna.nick is not None:
        places[rna.nick :] += len(_LINKER)
    return places


def _spread(matrix: NDArray[np.float32], places: NDArray[np.int64]) -> NDArray[np.float32]:
    """A map with rows and columns of 0 where no base stands."""
    size = int(places[-1]) + 1
    if size == len(matrix):
        return matrix
    spread = np.zeros((size, size), dtype=np.float32)
    spread[np.ix_(places, places)] = matrix
    return spread


def refusal(sequence: Rna, known: Knowledge, encoder: Encoder) -> InputError | None:
    """Why an RNA cannot be predicted, if that is plain at once."""
    try:
        known.check(sequence)
    except InputError as error:
        return error
    over = too_long(sequence) or _over_context(sequence, encoder.max_bases)
    return over or unreadable(sequence, encoder, linked=True)


def unreadable(sequence: Rna, encoder: Encoder, *, linked: bool = False) -> SequenceError | None:
    """What is wrong with an RNA that a backbone cannot read: two strands, or left-over bases of codons.

    Two strands can be read by bases where they are *linked*.
    """
    step = encoder.vocabulary.bases_per_token
    if sequence.nick is not None and (step > 1 or not linked):
        return SequenceError(f"{sequence.id}: two strands; expected one", sequence.id)
    if len(sequence) % step:
        return SequenceError(
            f"{sequence.id}: {counted(len(sequence), 'base')}; expected whole codons, a multiple of "
            f"{step}",
            sequence.id,
        )
    return None


def _over_context(sequence: Rna, context: int | None) -> SequenceError | None:
    """What is wrong with an RNA that the backbone cannot read at once."""
    if context is None or len(sequence) <= context:
        return None
    return SequenceError(
        f"{sequence.id}: {len(sequence)} bases; expected at most {context}, all that the backbone reads "
        "at once",
        sequence.id,
    )


def _by_length(
    pairs: Iterable[tuple[Rna, Knowledge]], refused: deque[Outcome], encoder: Encoder
) -> Iterator[_Item]:
    """Number the RNAs and sort them by length, a few hundred at a time; some are *refused*."""
    numbered = (_Item(number, *pair) for number, pair in enumerate(pairs))
    while pool := list(islice(numbered, _AHEAD)):
        pool.sort(key=lambda item: len(item.sequence))
        for item in pool:
            if error := refusal(item.sequence, item.known, encoder):
                refused.append(Outcome(item.number, None, error))
            else:
                yield item


def _batches(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    """Cut items, mostly sorted by length, so that the padded L * L of a batch stays within bounds."""
    batch: list[_Item] = []
    longest = 0
    for item in items:
        longest = max(longest, len(item.sequence))
        full = len(batch) == _AHEAD or (len(batch) + 1) * longest**2 > _BATCH_PIXELS
        if batch and full:
            yield batch
            batch, longest = [], len(item.sequence)
        batch.append(item)
    if batch:
        yield batch


@contextmanager
def _threads(number: int) -> Iterator[ThreadPoolExecutor]:
    """So many threads; what they have not begun when the block ends is dropped."""
    pool = ThreadPoolExecutor(number)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _pixels(batch: list[_Item]) -> int:
    """The padded L * L of a batch."""
    return int(len(batch) * max(len(item.sequence) for item in batch) ** 2)
