"""Worker processes for ViennaRNA, whose module never releases the interpreter lock."""

import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import TypeVar

from rnass.errors import WorkerError

__all__ = ["in_order"]

S = TypeVar("S")
T = TypeVar("T")

_AHEAD = 128  # tasks that a worker may finish before their results are taken


def in_order(work: Callable[[S], T], tasks: Iterable[S], processes: int) -> Iterator[T]:
    """Map *work* over *tasks* in worker processes, results in order.

    Args:
        work: a function that can be sent to another process.
        tasks: read only so far ahead of what is taken as workers are to be kept busy.
        processes: worker processes; 0 computes in this one, when a result is taken.

    Workers are spawned, not forked: a fork copies the locks of torch's threads, held or not, and can
    hang. So with processes > 0 a script needs the usual `if __name__ == "__main__":`.

    Raises:
        WorkerError: a worker was killed; results that were not taken yet are lost.
    """
    if processes <= 0:
        yield from map(work, tasks)
        return
    pool = ProcessPoolExecutor(processes, get_context("spawn"), _start_worker)
    waiting: deque[Future[T]] = deque()
    try:
        for task in tasks:
            waiting.append(pool.submit(work, task))
            if len(waiting) > _AHEAD * processes:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise WorkerError(
            "ViennaRNA: a worker process was killed, most likely as memory ran out; expected more "
            "memory or fewer workers (lower --threads or --processes)"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _start_worker() -> None:
    """Ctrl-C ends a worker at once and silently, even inside a long fold; so does its parent's end."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A killed parent closes nothing: its workers would wait for work for ever."""
    if parent := parent_process():
        parent.join()
    os._exit(1)
