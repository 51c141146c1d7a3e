"""The folder of `rnass predict --shard`: a Parquet file for every N records, on any file system.

A part appears whole, under its number. Its metadata hold a checksum of the records that it was made
from, and which of them failed.
"""

import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, NamedTuple

from rnass.errors import OutputError
from rnass.files import TEMPORARY_PREFIX, reason
from rnass.io.parquet import arrow, write_prediction_rows
from rnass.jobs.results import no_obstacle
from rnass.locks import locked

__all__ = ["Done", "Failure", "PartFolder", "part_name"]

_KEY, _RECORDS, _FAILURES = "rnass:records_sha256", "rnass:records", "rnass:failed"
_DRAFT = ".tmp"


def part_name(number: int) -> str:
    """The name of a part's file."""
    return f"part-{number:06d}.parquet"


class Failure(NamedTuple):
    """The id of a record, empty where it has none, and why it failed."""

    id: str
    message: str


class Done(NamedTuple):
    """A part that lies in the folder.

    Attributes:
        shard: its number.
        records: predicted.
        failed: the others.
        bases: of those predicted now; 0 of a part that was there.
    """

    shard: int
    records: int
    failed: Sequence[Failure] = ()
    bases: int = 0


class PartFolder:
    """Where the parts lie: a folder, or a URI of a file system that pyarrow knows.

    Raises:
        OutputError: not such a URI.
    """

    def __init__(self, place: str) -> None:
        arrow()
        from pyarrow import fs

        self.place, self._fs = place, fs
        self.local = None if "://" in place else Path(place)
        try:
            if self.local is None:
                self._files, self._base = fs.FileSystem.from_uri(place)
            else:
                self._files, self._base = fs.LocalFileSystem(), self.local.absolute().as_posix()
        except Exception as error:  # pyarrow has errors of many classes
            raise OutputError(
                f"{place}: {error}; expected a folder or a URI such as s3://..."
            ) from error

    def __str__(self) -> str:
        return self.place

    def lock(self) -> AbstractContextManager[None]:
        """Refuses a second run on this machine; a URI cannot be locked."""
        return nullcontext() if self.local is None else locked(self.local)

    def names(self) -> set[str]:
        """The names of the files there, but for hidden ones and logs."""
        return {name for name in self._all() if not no_obstacle(name)}

    def sweep(self) -> None:
        """Remove what a killed run left half written."""
        for name in self._all():
            if name.startswith(TEMPORARY_PREFIX) and name.endswith(_DRAFT):
                self.remove(name)

    def _all(self) -> set[str]:
        chosen = self._fs.FileSelector(self._base, allow_not_found=True)
        with self._errors(self._base):
            return {one.base_name for one in self._files.get_file_info(chosen)}

    def remove(self, name: str) -> None:
        """Remove a file."""
        with self._errors(name):
            self._files.delete_file(self._path(name))

    def write(self, name: str, fill: Callable[[Any], None]) -> None:
        """Write a file, whole or not at all; raises OutputError."""
        draft = self._path(f"{TEMPORARY_PREFIX}{uuid.uuid4().hex}{_DRAFT}")
        with self._errors(name):
            self._files.create_dir(self._base)
            try:
                with self._files.open_output_stream(draft) as file:
                    fill(file)
                self._files.move(draft, self._path(name))
            except BaseException:
                with suppress(Exception):
                    self._files.delete_file(draft)
                raise

    def write_text(self, name: str, text: str) -> None:
        """Write a text file; raises OutputError."""
        self.write(name, lambda file: file.write(text.encode(errors="backslashreplace")))

    def read_text(self, name: str) -> bytes:
        """The bytes of a file; raises OutputError."""
        with self._errors(name), self._files.open_input_stream(self._path(name)) as file:
            return bytes(file.read())

    def write_part(self, number: int, key: str, rows: Sequence[Any], failed: Sequence[Failure]) -> None:
        """Write a part: the rows of its table, and what it was made from; raises OutputError."""
        metadata = {_KEY: key, _RECORDS: str(len(rows)), _FAILURES: json.dumps(failed)}
        self.write(part_name(number), lambda file: write_prediction_rows(file, rows, metadata))

    def done(self, number: int, key: str) -> Done | None:
        """The part of that number, if it is there, whole, and made from the records of that key."""
        _, parquet = arrow()
        try:
            with self._files.open_input_file(self._path(part_name(number))) as file:
                metadata = parquet.read_schema(file).metadata
            if metadata[_KEY.encode()].decode() != key:
                return None
            failed = [Failure(*one) for one in json.loads(metadata[_FAILURES.encode()])]
            return Done(number, int(metadata[_RECORDS.encode()]), failed)
        except Exception:  # pyarrow has errors of many classes
            return None

    def _path(self, name: str) -> str:
        return f"{self._base.rstrip('/')}/{name}"

    @contextmanager
    def _errors(self, name: str) -> Iterator[None]:
        """Errors of the file system as OutputError."""
        try:
            yield
        except OSError as error:
            where = f"{self.place.rstrip('/')}/{name}"
            raise OutputError(f"{where}: {reason(error)}; expected a folder to write to") from error
