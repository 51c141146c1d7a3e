"""Worker processes for ViennaRNA, whose module never releases the interpreter lock.

Workers are spawned, not forked: a fork copies the locks of torch's threads, held or not, and can hang.
So a script that starts some needs the usual `if __name__ == "__main__":`.
"""

import os
import signal
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import Generic, TypeVar

from rnass.errors import WorkerError

__all__ = ["Begun", "in_order"]

S = TypeVar("S", bound=Hashable)
T = TypeVar("T")
U = TypeVar("U")
V = TypeVar("V")

_AHEAD = 128  # tasks that a worker may finish before their results are taken


class Begun(Generic[S, T]):
    """Tasks that worker processes do before their results are wanted; close it in the end."""

    def __init__(self, work: Callable[[S], T], tasks: Iterable[S], processes: int) -> None:
        self._pool = _pool(processes)
        self._results = {task: self._pool.submit(work, task) for task in tasks}

    def take(self, task: S) -> "Future[T] | None":
        """The result of a task; None if it was not begun, or was taken before."""
        return self._results.pop(task, None)

    def also(self, work: Callable[[U], V], task: U) -> Callable[[], V]:
        """Begin another kind of task, after the others; what is given waits for its result.

        That raises what the work raises, and WorkerError.
        """
        begun = self._pool.submit(work, task)

        def result() -> V:
            with _worker_errors():
                return begun.result()

        return result

    def wait(self) -> None:
        """Return when all results are there."""
        wait(self._results.values())

    def close(self) -> None:
        """End the workers, once they have done what they are at."""
        self._pool.shutdown(cancel_futures=True)


def in_order(
    work: Callable[[S], T],
    tasks: Iterable[S],
    processes: int,
    begun: "Begun[S, T] | None" = None,
) -> Iterator[T]:
    """Map *work* over *tasks* in worker processes, results in order.

    Args:
        work: a function that can be sent to another process.
        tasks: read only so far ahead of what is taken as workers are to be kept busy.
        processes: worker processes; 0 computes in this one, when a result is taken.
        begun: results by the same *work* that are taken from there.

    Raises:
        WorkerError: a worker was killed; results that were not taken yet are lost.
    """
    with _worker_errors():
        yield from _results(work, tasks, processes, begun)


@contextmanager
def _worker_errors() -> Iterator[None]:
    """Raise WorkerError where a worker was killed."""
    try:
        yield
    except BrokenProcessPool as error:
        raise WorkerError(
            "ViennaRNA: a worker process was killed, most likely as memory ran out; expected more "
            "memory or fewer workers (lower --threads or --processes)"
        ) from error


def _results(
    work: Callable[[S], T], tasks: Iterable[S], processes: int, begun: Begun[S, T] | None
) -> Iterator[T]:
    """As `in_order`; raises BrokenProcessPool."""
    taken = ((task, begun.take(task) if begun else None) for task in tasks)
    if processes <= 0:
        if begun:
            begun.wait()  # this process may use all cores between two results
        for task, result in taken:
            yield work(task) if result is None else result.result()
        return
    pool = _pool(processes)
    waiting: deque[Future[T]] = deque()
    try:
        for task, result in taken:
            waiting.append(pool.submit(work, task) if result is None else result)
            if len(waiting) > _AHEAD * processes:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _pool(processes: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(processes, get_context("spawn"), _start_worker)


def _start_worker() -> None:
    """Ctrl-C ends a worker at once and silently, even inside a long fold; so does its parent's end."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A killed parent closes nothing: its workers would wait for work for ever."""
    if parent := parent_process():
        parent.join()
    os._exit(1)
