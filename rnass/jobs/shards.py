"""`rnass predict --shard N`: any number of RNAs in little memory, a Parquet file for every N records.

    part-000000.parquet     the predictions of the first N records, in their order
    part-000001.parquet     of the next N, ...
    failed.tsv              records that failed, when the run ends
    run.json                how it was made

The input is read as it is needed, and no list of all records is ever held. A part appears whole, under
its number, and holds a checksum of the records that it was made from and which of them failed: resuming
makes the parts that are not there or were made from others. The folder may be a URI of any file system
that pyarrow knows (s3://, gs://, hdfs://). `rnass.jobs.ray_shards` spreads the same work over a cluster.
"""

import hashlib
import json
import logging
import time
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, nullcontext, suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from operator import attrgetter
from typing import Any, Literal

from rnass.errors import ExitStatus, InputError, OutputError, RnassError, counted
from rnass.files import format_json, is_there, parse_json
from rnass.io import iter_fasta
from rnass.io.results_folder import is_part
from rnass.jobs.inputs import checksums_of, is_of_a_file
from rnass.jobs.journal import record_key
from rnass.jobs.parts import Done, Failure, PartFolder, part_name
from rnass.jobs.predict import PredictOptions, identity_of, open_predictor
from rnass.jobs.record_text import row_of
from rnass.jobs.results import RUN, expect_one, expect_same
from rnass.jobs.runner import ended
from rnass.jobs.summary import format_summary
from rnass.network.heap import return_freed_memory
from rnass.network.weights import find_weights
from rnass.prediction.origin import versions
from rnass.prediction.pipeline import AHEAD
from rnass.prediction.predictor import Predictor
from rnass.progress import record_bar
from rnass.rna import Rna

__all__ = ["Shard", "ShardOptions", "Worker", "predict_shards", "predicted", "read_shards"]

log = logging.getLogger("rnass")

_FAILED = "failed.tsv"
_OWN = (RUN, _FAILED)
_NOTE = 60.0  # seconds between lines of the log that tell how far the run is


@dataclass(frozen=True, kw_only=True)
class ShardOptions:
    """How many RNAs are predicted part by part.

    Attributes:
        size: records of a part.
        engine: local for this process and its workers; ray for a cluster.
        address: of the Ray cluster; None for RAY_ADDRESS, else for one that is started here.
    """

    size: int = 1000
    engine: Literal["local", "ray"] = "local"
    address: str | None = None


@dataclass(frozen=True)
class Shard:
    """Some records of the input that follow each other.

    Attributes:
        number: from 0.
        rnas: the good ones.
        problems: one for each bad one, and for each file that cannot be read.
    """

    number: int
    rnas: list[Rna] = field(default_factory=list)
    problems: list[InputError] = field(default_factory=list)

    @property
    def key(self) -> str:
        """A checksum of the records."""
        parts = [*map(record_key, self.rnas), *map(str, self.problems)]
        return hashlib.sha256("\n".join(parts).encode(errors="backslashreplace")).hexdigest()


def predict_shards(
    paths: Sequence[str], out: str, options: PredictOptions, shards: ShardOptions
) -> ExitStatus:
    """Predict every record of some FASTA files into a folder of Parquet files.

    Raises:
        InputError: a file that is not there.
        OutputError: the folder is in use or cannot be written.
        RnassError: weights that are not there, wrong options, ...
    """
    began = time.time()
    for path in paths:
        if path != "-" and not is_there(path):
            raise InputError(f"{path}: no such file; expected a FASTA file")
    folder = PartFolder(out)
    here = options if shards.engine == "local" else replace(options, device="cpu")
    worker = Worker(here, out)
    start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began))
    identity: dict[str, Any] = json.loads(json.dumps({**worker.identity, "shard": shards.size}))
    run = {"kind": "predict", "versions": versions(), "inputs": list(paths), **identity}
    with folder.lock():
        earlier = _open(folder, identity, options)
        run["started"] = earlier.get("started", start)
        folder.write_text(RUN, format_json(run))
        engine = _engine_of(options, shards, worker, out)
        work = _Run(paths, folder, shards.size, options.resume)
        undone = "finished parts are kept, --resume makes the rest"
        status, error = ended(lambda: work.make(engine), undone)
        run |= {
            "checksums": checksums_of(paths),
            "records": work.records + len(work.failed),
            "bad_records": len(work.failed),
            "seconds": round(time.time() - began + float(earlier.get("seconds", 0)), 3),
            "exit_status": int(status),
        }
        with suppress(OutputError) if error else nullcontext():
            rows = [{"id": one.id, "status": "failed", "message": one.message} for one in work.failed]
            folder.write_text(_FAILED, format_summary(("id", "status", "message"), rows))
            folder.write_text(RUN, format_json(run))
        if error:
            raise error
    return status


def read_shards(paths: Sequence[str], size: int) -> Iterator[Shard]:
    """The records of FASTA files, *size* at a time, read as they are needed."""
    records = (record for path in paths for record in iter_fasta(path))
    number = 0
    while block := list(islice(records, size)):
        good = [one for one in block if isinstance(one, Rna)]
        yield Shard(number, good, [one for one in block if not isinstance(one, Rna)])
        number += 1


class Worker:
    """Predicts shards and writes their parts; what a process of a cluster holds.

    Args:
        options: of every prediction.
        out: folder or URI.

    Attributes:
        identity: what decides the results, as JSON.
    """

    def __init__(self, options: PredictOptions, out: str) -> None:
        weights = find_weights(options.weights)
        self.predictor = open_predictor(options)
        self.identity = identity_of(options, weights, self.predictor)
        self._folder = PartFolder(out)

    def run(self, shards: Iterable[Shard]) -> Generator[Done, None, None]:
        """Predict shards, and write the part of each when all its records are done."""
        with closing(predicted(self.predictor, shards)) as found:
            for shard, rows in found:
                failed = [Failure(one.record, str(one)) for one in shard.problems]
                failed += [
                    Failure(rna.id, str(row))
                    for rna, row in zip(shard.rnas, rows, strict=True)
                    if isinstance(row, RnassError)
                ]
                good = [row for row in rows if not isinstance(row, RnassError)]
                self._folder.write_part(shard.number, shard.key, good, failed)
                yield Done(shard.number, len(good), failed, sum(map(len, shard.rnas)))


def predicted(
    predictor: Predictor, shards: Iterable[Shard]
) -> Generator[tuple[Shard, list[dict[str, Any] | RnassError]], None, None]:
    """Each shard, in order, with the row or the error of each of its RNAs.

    The RNAs of all shards go through one pipeline, so none waits for the last one of a shard.
    """
    opened: deque[_Opened] = deque()

    def rnas() -> Iterator[Rna]:
        first = 0
        for shard in shards:
            opened.append(_Opened(shard, first))
            first += len(shard.rnas)
            yield from shard.rnas

    def finished() -> Iterator[tuple[Shard, list[dict[str, Any] | RnassError]]]:
        while opened and len(opened[0].rows) == len(opened[0].shard.rnas):
            one = opened.popleft()
            yield one.shard, [one.rows[k] for k in range(len(one.rows))]

    with closing(predictor.predict(rnas(), parallel=True)) as results:
        for done, row in enumerate(results, start=1):
            if done % AHEAD == 0:
                return_freed_memory()  # else gaps between what is kept grow for hours
            one = opened[bisect_right(opened, row.number, key=attrgetter("first")) - 1]
            found = row.outcome
            cells = found if isinstance(found, RnassError) else row_of(None, found)
            one.rows[row.number - one.first] = cells
            row.prediction = row.reading = row.folded = None  # maps of L x L
            del found
            yield from finished()
    yield from finished()


@dataclass(frozen=True)
class _Opened:
    """A shard whose RNAs are on their way.

    Attributes:
        shard: it.
        first: the number of its first RNA among those of all shards.
        rows: the row or the error of each RNA that is done, by its place in the shard.
    """

    shard: Shard
    first: int
    rows: dict[int, dict[str, Any] | RnassError] = field(default_factory=dict)


_Engine = Callable[[Iterator[Shard]], Generator[Done, None, None]]


@dataclass
class _Run:
    """The shards of an input, of which those whose parts lie in the folder may be passed over.

    Attributes:
        parts, records, failed: of the run so far, and of the runs that it resumes.
        now: records of this run alone.
        unread: the file that cannot be read, or not to its end, where it would cost finished parts.
    """

    paths: Sequence[str]
    folder: PartFolder
    size: int
    resume: bool
    parts: int = 0
    records: int = 0
    failed: list[Failure] = field(default_factory=list)
    now: int = 0
    began: float = field(default_factory=time.monotonic)
    logged: float = field(default_factory=time.monotonic)
    unread: InputError | None = None

    def left(self) -> Iterator[Shard]:
        """The shards that are to be predicted; none after a file that would cost finished parts."""
        for shard in read_shards(self.paths, self.size):
            there = self.folder.done(shard.number, shard.key) if self.resume else None
            if there is None:
                broken = next(filter(is_of_a_file, shard.problems), None)
                if self.resume and broken and self._beyond():
                    self.unread = broken
                    return
                yield shard
            else:
                self.add(there)
            self.parts = shard.number + 1

    def _beyond(self) -> list[str]:
        """The parts in the folder that are none of those so far."""
        own = {part_name(number) for number in range(self.parts)}
        return sorted(filter(is_part, self.folder.names() - own))

    def add(self, done: Done) -> None:
        """Count a part; the log has a line now and then."""
        self.records += done.records
        self.failed += done.failed
        if not done.bases:
            return
        self.now += done.records
        if (moment := time.monotonic()) - self.logged > _NOTE:
            self.logged = moment
            pace = self.now / (moment - self.began)
            log.info("%s: %s done, %.1f a second", self.folder, counted(self.records, "record"), pace)

    def make(self, engine: _Engine) -> ExitStatus:
        """Make every part, and remove those of an input that was longer; gives the exit status.

        Raises:
            InputError: a file that cannot be read to its end, of which there may be finished parts.
        """
        with record_bar(None) as advance, closing(engine(self.left())) as parts:
            for done in parts:
                self.add(done)
                for failure in done.failed:
                    log.error("%s", failure.message)
                for _ in range(done.records):
                    advance(done.bases // done.records)
        if self.unread:
            raise self.unread
        for name in self._beyond():
            self.folder.remove(name)
        records, failed = counted(self.records, "record"), len(self.failed)
        log.info("%s: %s done, %d failed", self.folder, records, failed)
        return ExitStatus.FAILED if failed else ExitStatus.OK


def _engine_of(options: PredictOptions, shards: ShardOptions, worker: Worker, out: str) -> _Engine:
    if shards.engine == "local":
        return worker.run
    from rnass.jobs.ray_shards import run_on_ray

    return lambda left: run_on_ray(options, out, left, shards.address)


def _open(folder: PartFolder, identity: dict[str, Any], options: PredictOptions) -> dict[str, Any]:
    """The run.json of the run that this one resumes, if any; refuses a folder that is in use."""
    expect_one(folder, overwrite=options.overwrite, resume=options.resume)
    folder.sweep()
    there = folder.names()
    if not there:
        return {}
    if not options.overwrite and not options.resume:
        raise OutputError(
            f"{folder}: not empty; expected an empty folder, --overwrite to replace results or --resume "
            "to add what is missing"
        )
    own = {name for name in there if name in _OWN or is_part(name)}
    if foreign := there - own:
        raise OutputError(f"{folder}/{min(foreign)}: not a part of such a run; expected another folder")
    if options.overwrite:
        for name in sorted(own):
            folder.remove(name)
        return {}
    if RUN not in there:
        raise OutputError(f"{folder}: no run to resume; expected an empty folder or --overwrite")
    earlier = parse_json(folder.read_text(RUN), f"{folder}/{RUN}", error=OutputError)
    expect_same(folder, {name: earlier.get(name) for name in identity}, identity)
    return earlier
