"""Many RNAs through the three stages of a prediction: fold, network, decode.

ViennaRNA folds in worker processes, ahead of the network; the network reads batches of like length,
several side by side; each of their maps is decoded. An error at any stage is that RNA's alone.
"""

import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice, tee
from typing import Generic, NamedTuple, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from rnass.errors import REPORT, RnassError, UnexpectedError, record_error
from rnass.network.device import pairs_that_fit
from rnass.prediction.limits import MAX_LENGTH
from rnass.rna import Rna
from rnass.thermodynamics.folding import Folded, sets_folded

__all__ = ["AHEAD", "Cores", "Reading", "Row", "Stages", "read_rows", "run_pipeline", "share_cores"]

AHEAD = 256
"""RNAs that are read, and sorted by length, together."""

_BATCH_SIZE = 400_000  # L * L summed over the RNAs that go through the network together
_FEW = 20  # RNAs below which worker processes cost more than they save,
_MUCH = 2e8  # unless the cubes of all lengths but the greatest add up to more,
_LONG = 700  # or one is longer than this and folded by several parameter sets
_MOST_LANES = 16  # each takes about as much memory as an RNA of 630 bases
_GPU_LANES = 2

P = TypeVar("P")
Q_co = TypeVar("Q_co", covariant=True)


class Reading(NamedTuple):
    """The network's output for one RNA.

    Attributes:
        probabilities: the calibrated pairing probabilities, (L, L).
        energy_share: the share of ViennaRNA's log-odds in them, in [0, 1]; None where no gate chose it.
    """

    probabilities: NDArray[np.float32]
    energy_share: float | None = None


@dataclass(eq=False)
class Row(Generic[P]):
    """One RNA on its way; each stage fills in its part, or the error that ends the way.

    Attributes:
        number: its place in the input.
        rna: the RNA.
        folded: what ViennaRNA computes of it.
        reading: what the network makes of it.
        prediction: what is made of that.
        error: why there is no prediction.
        seconds: time taken so far, its share of a batch.
    """

    number: int
    rna: Rna
    folded: Folded | None = None
    reading: Reading | None = None
    prediction: P | None = None
    error: RnassError | None = None
    seconds: float = 0.0

    @property
    def outcome(self) -> P | RnassError:
        """The prediction of a row at the end of its way, or why there is none."""
        if self.prediction is not None:
            return self.prediction
        return self.error or UnexpectedError(f"{self.rna.id}: no prediction; {REPORT}")


class Stages(Protocol[Q_co]):
    """The work on one RNA, or on one batch, at each stage."""

    def refusal(self, rna: Rna) -> RnassError | None:
        """Why an RNA cannot be predicted, if that is plain at once."""

    def fold(self, rnas: Iterable[Rna], processes: int) -> Generator[Folded | RnassError, None, None]:
        """Fold RNAs, in their order."""

    def read(self, rnas: list[Rna], folded: list[Folded]) -> list[Reading]:
        """The network's reading of each RNA of a batch."""

    def decode(self, rna: Rna, folded: Folded, reading: Reading, seconds: float) -> Q_co:
        """Make a prediction of the reading."""


class Cores(NamedTuple):
    """How the work on many RNAs is spread.

    Attributes:
        processes: worker processes that run ViennaRNA beside the network; 0 runs it in this one.
        lanes: batches that go through the network at once, each on as many threads as torch is set to.
        pairs: the padded L * L of a batch, at most; 0 for what suits a processor.
    """

    processes: int = 0
    lanes: int = 1
    pairs: int = 0

    @property
    def batch_size(self) -> int:
        """The padded L * L of a batch, at most."""
        return self.pairs or _BATCH_SIZE

    def pairs_at_once(self, length: int) -> int:
        """The padded L * L that go through the network at once, at most, of RNAs of so many bases."""
        batch = max(length**2, self.batch_size)
        return batch * max(1, min(self.lanes, (self.lanes + 1) * self.batch_size // batch))


@contextmanager
def share_cores(
    lengths: list[int], parameter_sets: tuple[str, ...], device: torch.device | None
) -> Iterator[Cores]:
    """How the work on RNAs of these lengths is spread over the threads there are.

    Much of it runs on the processor as a process of ViennaRNA and a lane of the network for each
    thread; until the block ends the network keeps each lane to one thread, for on a core that
    something else keeps busy one thread of several would hold up all others. On a GPU two lanes take
    turns, so that a batch is on its way there while the one before it is computed.

    Args:
        lengths: of the RNAs, in bases.
        parameter_sets: that the network reads.
        device: where the network runs; None for ViennaRNA alone.
    """
    threads = torch.get_num_threads()
    *others, longest = sorted(length for length in lengths if length <= MAX_LENGTH) or [0]
    long = longest > _LONG
    if len(lengths) <= _FEW and (long or sum(length**3 for length in others) < _MUCH):
        beside = min(threads, len(sets_folded(parameter_sets)))
        yield Cores(beside if long and beside > 1 else 0)
    elif device is None:
        yield Cores(threads)
    elif device.type == "cuda":
        yield Cores(max(threads - 1, 1), _GPU_LANES, pairs_that_fit(device) // _GPU_LANES)
    elif device.type != "cpu" or threads == 1:
        yield Cores(threads - 1)
    else:
        torch.set_num_threads(1)
        try:
            yield Cores(threads, min(threads, _MOST_LANES))
        finally:
            torch.set_num_threads(threads)


def run_pipeline(stages: Stages[P], rnas: Iterable[Rna], cores: Cores) -> Generator[Row[P], None, None]:
    """Predict RNAs; each row comes when it is finished, in no particular order within `AHEAD`.

    Until this is closed worker processes fold what they were given.

    Raises:
        WorkerError: a worker process was killed.
    """
    with closing(read_rows(stages, rnas, cores)) as rows:
        for row in rows:
            if row.folded is not None and row.reading is not None:
                try:
                    row.prediction = stages.decode(row.rna, row.folded, row.reading, row.seconds)
                except Exception as error:
                    row.error = record_error(error, row.rna.id)
            yield row


def read_rows(stages: Stages[P], rnas: Iterable[Rna], cores: Cores) -> Generator[Row[P], None, None]:
    """As `run_pipeline`, without the last stage."""
    finished: deque[Row[P]] = deque()  # without going through the stages to their end
    rows, ahead = tee(_by_length(stages, rnas, finished))
    folding = stages.fold((row.rna for row in ahead), cores.processes)
    with closing(folding):
        folded = _folded(rows, folding, finished)
        for row in _read(stages, _batches(folded, cores), cores):
            while finished:
                yield finished.popleft()
            yield row
    yield from finished


def _by_length(stages: Stages[P], rnas: Iterable[Rna], refused: deque[Row[P]]) -> Iterator[Row[P]]:
    """Number the RNAs and sort them by length, some hundreds at a time; some are *refused*."""
    numbered = (Row[P](number, rna, error=stages.refusal(rna)) for number, rna in enumerate(rnas))
    while pool := list(islice(numbered, AHEAD)):
        refused += [row for row in pool if row.error]
        yield from sorted((row for row in pool if not row.error), key=lambda row: len(row.rna))


def _folded(
    rows: Iterator[Row[P]],
    folding: Iterator[Folded | RnassError],
    failed: deque[Row[P]],
) -> Iterator[Row[P]]:
    """Stage 1: what ViennaRNA computes, in the order of the rows; some have *failed*."""
    for row in rows:
        began = time.monotonic()
        found = next(folding)
        row.seconds += time.monotonic() - began
        if isinstance(found, RnassError):
            row.error = type(found)(f"{row.rna.id}: {found}")
            failed.append(row)
        else:
            row.folded = found
            yield row


def _batches(rows: Iterable[Row[P]], cores: Cores) -> Iterator[list[Row[P]]]:
    """Cut rows, mostly sorted by length, so that the padded L * L of a batch stays within bounds."""
    batch: list[Row[P]] = []
    longest = 0
    for row in rows:
        longest = max(longest, len(row.rna))
        full = len(batch) == AHEAD or (len(batch) + 1) * longest**2 > cores.batch_size
        if batch and full:
            yield batch
            batch, longest = [], len(row.rna)
        batch.append(row)
    if batch:
        yield batch


def _read(stages: Stages[P], batches: Iterable[list[Row[P]]], cores: Cores) -> Iterator[Row[P]]:
    """Stage 2: the network reads batches, some of them side by side within their common bound."""
    running: deque[tuple[list[Row[P]], Future[None]]] = deque()

    def oldest() -> list[Row[P]]:
        rows, reading = running.popleft()
        reading.result()
        return rows

    ahead = cores.lanes if cores.lanes > 1 else 0
    with _threads(cores.lanes) as pool:
        for batch in batches:
            room = (cores.lanes + 1) * cores.batch_size - _size(batch)
            while running and sum(_size(rows) for rows, _ in running) > room:
                yield from oldest()
            running.append((batch, pool.submit(_read_batch, stages, batch)))
            while len(running) > ahead:
                yield from oldest()
        while running:
            yield from oldest()


def _read_batch(stages: Stages[P], batch: list[Row[P]]) -> None:
    """The network on one batch; if that fails, as where memory runs out, on each half of it."""
    began = time.monotonic()
    readings: list[Reading] | None = None
    try:
        folded = [row.folded for row in batch if row.folded]
        readings = stages.read([row.rna for row in batch], folded)
    except Exception as error:
        if len(batch) == 1:
            batch[0].error = record_error(error, batch[0].rna.id)
            return
    if readings is None:  # here, as the error holds on to the memory of the whole batch
        half = len(batch) // 2
        for part in (batch[:half], batch[half:]):
            _read_batch(stages, part)
        return
    for row, reading in zip(batch, readings, strict=True):
        row.reading = reading
        row.seconds += (time.monotonic() - began) / len(batch)


@contextmanager
def _threads(number: int) -> Iterator[ThreadPoolExecutor]:
    """So many threads; what they have not begun when the block ends is dropped."""
    pool = ThreadPoolExecutor(number)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _size(batch: list[Row[P]]) -> int:
    """The padded L * L of a batch."""
    return int(len(batch) * max(len(row.rna) for row in batch) ** 2)
