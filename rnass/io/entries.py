"""Entries of a file for many records, of which a bad one is the problem of its record alone."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from rnass.errors import InputError
from rnass.files import files_in, is_folder, name_of, record_name

__all__ = ["BadEntry", "all_good", "collected", "entries_of", "entry", "some_good"]

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class BadEntry:
    """An entry that cannot be read, although it names its record.

    Attributes:
        name: of the record.
        where: the file, for messages.
        error: what is wrong.
        named: as of the others: True, as others whose record is not named are refused.
    """

    name: str
    where: str
    error: InputError
    named: bool = True


def entry(name: str, path: Path, read: Callable[[], T]) -> T | BadEntry:
    """Read an entry by *read*; a `BadEntry` of that name if it cannot be read."""
    try:
        return read()
    except InputError as error:
        return BadEntry(name, name_of(path), error)


@contextmanager
def collected(problems: list[InputError] | None) -> Iterator[None]:
    """The problem of one record goes to *problems*; is raised where there is no such list."""
    try:
        yield
    except InputError as error:
        if problems is None:
            raise
        problems.append(error)


def some_good(records: list[T], problems: list[InputError] | None) -> list[T]:
    """The records; raises the first of the *problems* where there are no records."""
    if problems and not records:
        raise problems[0]
    return records


def entries_of(
    path: str | Path, suffixes: tuple[str, ...], read: Callable[[Path], Sequence[Any]]
) -> list[Any]:
    """The entries of a file; or of a folder's files, where the name of a file stands for a header.

    Raises:
        InputError: as *read* does, of a file that is not in a folder; a folder without such files.
    """
    if not is_folder(path):
        return list(read(Path(path)))
    found: list[Any] = []
    for file in files_in(path, suffixes):
        own = entry(record_name(file), file, partial(read, file))
        found += [own] if isinstance(own, BadEntry) else [replace(one, named=True) for one in own]
    return found


def all_good(entries: Iterable[T | BadEntry]) -> list[T]:
    """The entries; raises the error of the first bad one."""
    found: list[T] = []
    for one in entries:
        if isinstance(one, BadEntry):
            raise one.error
        found.append(one)
    return found
