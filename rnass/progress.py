"""A progress bar on a terminal, nothing in a pipe."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

__all__ = ["record_bar"]


@contextmanager
def record_bar(total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar of *total* records on standard error, unless `--quiet` keeps the log to errors.

    None for a number that is not known. Gives what is called with the number of bases of each finished
    record.
    """
    console = Console(stderr=True)
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("records, {task.fields[bases]:,} bases"),
        TimeRemainingColumn(),
    )
    shown = console.is_terminal and logging.getLogger("rnass").isEnabledFor(logging.INFO)
    with Progress(*columns, console=console, disable=not shown) as progress:
        task = progress.add_task("", total=total, bases=0)

        def advance(bases: int) -> None:
            done = progress.tasks[task].fields["bases"]
            progress.update(task, advance=1, bases=done + bases)

        yield advance
