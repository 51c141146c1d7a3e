"""`rnass predict --engine ray`: the shards of a run spread over a Ray cluster.

Each worker process loads the model once, predicts one shard at a time, and writes its part itself; the
process that started the run reads the input and gives every worker that is free the next shard. Where
a worker is killed Ray starts another, which repeats its shard: a part is written whole under its number,
so no record is lost and none is there twice.
"""

import logging
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

from rnass.errors import RnassError, WorkerError, counted
from rnass.jobs.parts import Done
from rnass.jobs.predict import PredictOptions
from rnass.jobs.shards import Shard, Worker
from rnass.programs import import_package

__all__ = ["run_on_ray"]

log = logging.getLogger("rnass")

_RETRIES = 3  # of a shard whose worker was killed


def run_on_ray(
    options: PredictOptions, out: str, shards: Iterator[Shard], address: str | None
) -> Generator[Done, None, None]:
    """Predict shards on a cluster; gives the parts as they are done.

    Args:
        options: *threads* is the number of cores of a worker, 1 for 0; with a device other than cpu each
            worker has a GPU, if the cluster has any.
        out: folder that every node can write, or URI.
        shards: read as far ahead as there are workers.
        address: of the cluster; None for RAY_ADDRESS, else for one that is started here.

    Raises:
        DependencyError: Ray is not installed.
        OutputError: a part cannot be written.
        WorkerError: there is no such cluster, or a shard's worker was killed again and again; the other
            shards are done then.
    """
    with _cluster(address) as ray:
        yield from _spread(ray, _workers(ray, options, out), shards)


class _Remote:
    """A worker in a process of the cluster."""

    def __init__(self, options: PredictOptions, out: str) -> None:
        self._worker = Worker(options, out)

    def run(self, shard: Shard) -> Done:
        """Predict a shard and write its part."""
        with closing(self._worker.run([shard])) as done:
            return next(done)


@contextmanager
def _cluster(address: str | None) -> Iterator[Any]:
    """Ray, connected; what is started here ends with the block."""
    ray = import_package("ray", "engine ray", "it (pip install ray, or rnass with its extra ray)")
    if ray.is_initialized():
        yield ray
        return
    try:
        ray.init(
            address=address,
            include_dashboard=False if address is None else None,
            logging_level=logging.ERROR,
            log_to_driver=False,
        )
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise WorkerError(f"Ray: {error}; expected a cluster at {address}") from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _workers(ray: Any, options: PredictOptions, out: str) -> list[Any]:
    """As many workers as the cluster has room for."""
    room = ray.cluster_resources()
    cores, gpus = int(room.get("CPU", 1)), int(room.get("GPU", 0))
    threads = options.threads or 1
    with_gpu = gpus > 0 and options.device in {"auto", "cuda"}
    number = max(1, min(cores // threads, gpus) if with_gpu else cores // threads)
    log.info("Ray: %s of %s", counted(number, "worker"), counted(threads, "core"))
    remote = ray.remote(_Remote).options(
        num_cpus=threads,
        num_gpus=int(with_gpu),
        max_restarts=-1,
        max_task_retries=_RETRIES,
    )
    own = replace(options, threads=threads)
    return [remote.remote(own, out) for _ in range(number)]


def _spread(ray: Any, workers: list[Any], shards: Iterator[Shard]) -> Generator[Done, None, None]:
    """Give each worker that is free the next shard."""
    free = deque(workers)
    running: dict[Any, tuple[Any, int]] = {}
    lost: list[int] = []

    def oldest() -> Iterator[Done]:
        (ready,), _ = ray.wait(list(running), num_returns=1)
        worker, number = running.pop(ready)
        free.append(worker)
        try:
            yield ray.get(ready)
        except RnassError:  # of the shard's work, as the worker raised it
            raise
        except ray.exceptions.RayError as error:
            lost.append(number)
            log.error("part %d: %s", number, str(error).split("\n", maxsplit=1)[0])

    try:
        for shard in shards:
            if not free:
                yield from oldest()
            worker = free.popleft()
            running[worker.run.remote(shard)] = (worker, shard.number)
        while running:
            yield from oldest()
    finally:
        for worker in workers:
            ray.kill(worker)
    if lost:
        parts = ", ".join(map(str, lost))
        raise WorkerError(
            f"Ray: no part {parts}, as the worker was killed {1 + _RETRIES} times; expected workers "
            "with more memory, or --resume to try once more"
        )
