"""Text in, whole files out: reading and writing that every format shares."""

import codecs
import gzip
import hashlib
import json
import sys
import uuid
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import ArrayLike

from rnass.errors import InputError, OutputError, RnassError

__all__ = [
    "TEMPORARY_PREFIX",
    "files_in",
    "is_file",
    "is_folder",
    "json_object",
    "name_of",
    "read_lines",
    "reason",
    "record_name",
    "sha256",
    "write_atomically",
    "write_json",
    "write_npy",
    "write_text",
]

TEMPORARY_PREFIX = ".rnass-"
"""How the name of a file begins while it is being written."""

_GZIP_MAGIC = b"\x1f\x8b"


def read_lines(path: str | Path) -> list[str]:
    """The lines of a text file, without their ends; `-` is standard input.

    Gzip is recognised by content. LF, CRLF and lone CR end a line; a byte-order mark is dropped.

    Raises:
        InputError: no such file, a folder, a damaged gzip file, a binary file, bytes that are not UTF-8.
    """
    data = _content(path).removeprefix(codecs.BOM_UTF8)
    if b"\0" in data:
        raise InputError(f"{name_of(path)}: a binary file; expected text")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = _unix(data[: error.start].decode()).count("\n") + 1
        raise InputError(
            f"{name_of(path)}:{line}: byte 0x{data[error.start]:02x} is not UTF-8; expected UTF-8 text"
        ) from error
    lines = _unix(text).split("\n")
    return lines if lines[-1] else lines[:-1]


def name_of(path: str | Path) -> str:
    """What messages call an input."""
    return "standard input" if str(path) == "-" else str(path)


def record_name(path: str | Path) -> str:
    """What a record without a header is called: the file's name without `.gz` and one more suffix."""
    return Path(Path(path).name.removesuffix(".gz")).stem


def files_in(folder: str | Path, suffixes: tuple[str, ...]) -> list[Path]:
    """The files of a folder that have one of the suffixes, perhaps before `.gz`, sorted by name.

    Raises:
        InputError: there are none.
    """
    files = sorted(
        path
        for path in Path(folder).iterdir()
        if path.is_file() and Path(path.name.lower().removesuffix(".gz")).suffix in suffixes
    )
    if not files:
        raise InputError(f"{folder}: no file to read in this folder; expected {', '.join(suffixes)}")
    return files


def is_file(path: str | Path) -> bool:
    """Whether there is a file of that name, which may be anything: too long, in a closed folder."""
    try:
        return Path(path).is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: str | Path) -> bool:
    """Whether there is a folder of that name, which may be anything."""
    try:
        return Path(path).is_dir()
    except (OSError, ValueError):
        return False


def json_object(
    text: str | bytes, where: str | Path, error: type[RnassError] = InputError
) -> dict[str, Any]:
    """The JSON object in a text that anybody may have written; *where* it stands is for messages.

    Raises:
        error: no UTF-8, no JSON, nested too deep, no object.
    """
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise error(f"{where}: {problem}; expected a JSON object") from problem
    if not isinstance(values, dict):
        raise error(f"{where}: holds a {type(values).__name__}; expected a JSON object")
    return values


@contextmanager
def write_atomically(path: str | Path) -> Iterator[BinaryIO]:
    """A binary file that appears at *path*, whole, when the block ends, and not at all if it raises.

    It is written beside *path* under a name that begins with `TEMPORARY_PREFIX`, then renamed.

    Raises:
        OutputError: the file cannot be written there.
    """
    path = Path(path)
    temporary = path.with_name(f"{TEMPORARY_PREFIX}{uuid.uuid4().hex}.tmp")
    try:
        try:
            with temporary.open("xb") as file:
                yield file
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{path}: {reason(error)}; expected a place that can be written") from error


def write_text(path: str | Path, text: str) -> None:
    """Write *text* as UTF-8 with LF line ends, whole or not at all; raises OutputError."""
    with write_atomically(path) as file:
        file.write(text.encode())


def write_json(path: str | Path, values: Mapping[str, Any]) -> None:
    """Write a JSON object, indented; raises OutputError."""
    write_text(path, json.dumps(values, indent=2, ensure_ascii=False) + "\n")


def write_npy(path: str | Path, array: ArrayLike) -> None:
    """Write an array as float32 in NumPy's format, without pickle; raises OutputError."""
    with write_atomically(path) as file:
        np.save(file, np.asarray(array, dtype=np.float32), allow_pickle=False)


def reason(error: OSError) -> str:
    """What the system says about a failure, to stand within a message."""
    return (error.strerror or str(error)).lower()


def sha256(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _content(path: str | Path) -> bytes:
    """The bytes of a file, or of standard input, gunzipped where they are gzip."""
    try:
        data = sys.stdin.buffer.read() if str(path) == "-" else Path(path).read_bytes()
        return gzip.decompress(data) if data.startswith(_GZIP_MAGIC) else data
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{name_of(path)}: damaged gzip ({error}); expected a whole file") from error
    except OSError as error:
        raise InputError(f"{name_of(path)}: {reason(error)}; expected a file to read") from error


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
