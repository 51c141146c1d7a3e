"""A progress bar on a terminal, nothing in a pipe."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

__all__ = ["record_bar"]


@contextmanager
def record_bar(total: int, *, quiet: bool = False) -> Iterator[Callable[[int], None]]:
    """A bar of *total* records on standard error; gives what is called with a finished one's bases."""
    console = Console(stderr=True)
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("records, {task.fields[bases]:,} bases"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal) as progress:
        task = progress.add_task("", total=total, bases=0)

        def advance(bases: int) -> None:
            done = progress.tasks[task].fields["bases"]
            progress.update(task, advance=1, bases=done + bases)

        yield advance
