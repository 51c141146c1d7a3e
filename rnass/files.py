"""Reading and writing that every format shares: text and arrays in, whole files out.

Nothing that is read is trusted: every way in which a file can be wrong is an `InputError` that names
it, and no file is read beyond a limit.
"""

import codecs
import hashlib
import io
import json
import os
import stat
import sys
import uuid
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnass.errors import ConfigError, InputError, OutputError, RnassError

__all__ = [
    "LIMIT_VARIABLE",
    "TEMPORARY_PREFIX",
    "check_target",
    "files_in",
    "format_json",
    "format_row",
    "is_file",
    "is_folder",
    "is_gzip",
    "is_there",
    "iter_lines",
    "make_folder",
    "name_of",
    "parse_json",
    "read_json",
    "read_limit",
    "read_lines",
    "read_npy",
    "reason",
    "record_name",
    "sha256",
    "suffix_of",
    "write_atomically",
    "write_json",
    "write_npy",
    "write_text",
]

LIMIT_VARIABLE = "RNASS_MAX_INPUT"
"""Environment variable: most bytes of text that are read from one file, uncompressed; `500M`, `4G`."""

TEMPORARY_PREFIX = ".rnass-"
"""The first characters of the name of a file while it is written."""

_DEFAULT_LIMIT = "1G"
_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_CHUNK = 2**20
_MARK = "\ufeff"
_GZIP_MAGIC = b"\x1f\x8b"
_PACKED = {b"BZh": "bzip2", b"\xfd7zXZ\0": "xz", b"\x28\xb5\x2f\xfd": "Zstandard", b"PK\3\4": "zip"}
_WIDE = {  # byte-order marks; UTF-32 before UTF-16, whose mark is the beginning of the other's
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


def read_lines(path: str | Path) -> list[str]:
    """The lines of a text file, without their ends; see `iter_lines`."""
    return list(iter_lines(path))


def iter_lines(path: str | Path, *, escape: bool = False) -> Iterator[str]:
    """Read the lines of a text file one by one, without their ends; `-` is standard input.

    Gzip is recognised by content. LF, CRLF and lone CR end a line; a byte-order mark before any line
    is dropped, as of files that were joined. At most `read_limit()` bytes are read, in a stream. With
    *escape* bytes that are not UTF-8 become lone surrogates, as in Python's "surrogateescape".

    Raises:
        InputError: no such file, a folder, a damaged gzip file, a binary file or one of another
            compression, bytes that are not UTF-8, more bytes than the limit.
        ConfigError: the limit in `RNASS_MAX_INPUT` is not a number of bytes.
    """
    utf8 = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape" if escape else "strict")
    newlines = io.IncrementalNewlineDecoder(None, translate=True)
    count = 0
    parts: list[str] = []  # of the line that goes on in the next chunk
    for chunk in _text_chunks(path):
        try:
            text = newlines.decode(utf8.decode(chunk, final=not chunk), final=not chunk)
        except UnicodeDecodeError as error:
            before = newlines.decode(error.object[: error.start].decode())
            number = count + before.count("\n") + 1
            raise InputError(
                f"{name_of(path)}:{number}: byte 0x{error.object[error.start]:02x} is not UTF-8; "
                "expected UTF-8 text"
            ) from error
        head, *rest = text.split("\n")
        parts.append(head)
        if rest:
            yield "".join(parts).removeprefix(_MARK)
            yield from (line.removeprefix(_MARK) for line in rest[:-1])
            count += len(rest)
            parts = [rest[-1]]
    if last := "".join(parts).removeprefix(_MARK):
        yield last


def read_limit() -> int:
    """Most bytes of text that are read from one file: `RNASS_MAX_INPUT`, 1 GiB unless set.

    Raises:
        ConfigError: the variable is not a number of bytes.
    """
    given = os.environ.get(LIMIT_VARIABLE) or _DEFAULT_LIMIT
    number, unit = given.strip().upper().removesuffix("B").removesuffix("I"), ""
    if number[-1:] in _UNITS:
        number, unit = number[:-1], number[-1:]
    if not (number.isascii() and number.isdigit() and 0 < len(number) < 16 and int(number)):
        raise ConfigError(f"{LIMIT_VARIABLE}: {given!r}; expected a number of bytes such as 500M or 4G")
    return int(number) * _UNITS[unit]


def read_npy(path: str | Path) -> NDArray[Any]:
    """The array of a .npy file, mapped and read-only: nothing of it is in memory yet.

    A header that claims more than the file holds is an error, whatever it claims.

    Raises:
        InputError: no such file, not NumPy's format, or an array of Python objects.
    """
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        raise InputError(f"{path}: {reason(error)}; expected a file to read") from error
    except Exception as error:  # the header is parsed as Python: SyntaxError, RecursionError, ...
        raise InputError(f"{path}: not an array; expected NumPy's format, without pickle") from error
    if not isinstance(array, np.ndarray):
        array.close()
        raise InputError(f"{path}: an archive of arrays; expected one array in NumPy's format")
    return array


def parse_json(text: str | bytes, where: str, *, error: type[RnassError] = InputError) -> dict[str, Any]:
    """The JSON object in *text*.

    Args:
        text: as read; bytes are UTF-8.
        where: the place that messages name.
        error: the class of the exception.

    Raises:
        InputError: or *error*: not JSON, nested too deep, a number too long, or not an object.
    """
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise error(f"{where}: {problem}; expected JSON") from problem
    if not isinstance(values, dict):
        raise error(f"{where}: JSON of a {type(values).__name__}; expected an object")
    return values


def read_json(path: Path, *, error: type[RnassError] = InputError) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        InputError: or *error*: it cannot be read, or see `parse_json`.
    """
    try:
        text = path.read_bytes()
    except OSError as problem:
        raise error(f"{path}: {reason(problem)}; expected a file to read") from problem
    return parse_json(text, str(path), error=error)


def name_of(path: str | Path) -> str:
    """The name of an input in messages."""
    return "standard input" if str(path) == "-" else str(path)


def record_name(path: str | Path) -> str:
    """The name of a record without a header: the file's name without `.gz` and one more suffix."""
    return Path(Path(path).name.removesuffix(".gz")).stem


def suffix_of(path: str | Path) -> str:
    """The suffix of a file's name in lower case, of which `.gz` is no part."""
    return Path(Path(path).name.lower().removesuffix(".gz")).suffix


def is_folder(path: str | Path) -> bool:
    """Whether there is a folder at *path*; False where that cannot be found out."""
    return _mode(path, stat.S_ISDIR)


def is_file(path: str | Path) -> bool:
    """Whether there is a regular file at *path*; False where that cannot be found out."""
    return _mode(path, stat.S_ISREG)


def is_there(path: str | Path) -> bool:
    """Whether there is anything at *path*; False where that cannot be found out."""
    return _mode(path, lambda mode: True)


def is_gzip(path: str | Path) -> bool:
    """Whether a file is gzip, by its content."""
    with Path(path).open("rb") as file:
        return file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC


def files_in(folder: str | Path, suffixes: tuple[str, ...], *, deep: bool = False) -> list[Path]:
    """The files of a folder that have one of the suffixes, perhaps before `.gz`, sorted by name.

    Args:
        folder: where to look.
        suffixes: in lower case, with the dot.
        deep: look into the folders within it, too.

    Raises:
        InputError: there are none, or a folder that cannot be read.
    """
    found = []
    try:
        _refuse_name(folder)
        for place, folders, names in os.walk(folder, onerror=_raise):
            found += [Path(place, name) for name in names if suffix_of(name) in suffixes]
            if not deep:
                folders.clear()
    except OSError as error:
        where = error.filename or folder
        raise InputError(f"{where}: {reason(error)}; expected a folder to read") from error
    found = sorted(path for path in found if is_file(path))
    if not found:
        raise InputError(f"{folder}: no file to read in this folder; expected {', '.join(suffixes)}")
    return found


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
            _refuse_name(path)
            with _opened(temporary, "xb") as file:
                yield file
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{path}: {reason(error)}; expected a place that can be written") from error


def make_folder(path: str | Path) -> None:
    """Make a folder, and those around it, unless it is there; raises OutputError."""
    try:
        _refuse_name(path)
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path}: {reason(error)}; expected a folder that can be written") from error


def check_target(
    path: Path, inputs: Iterable[str | Path | None] = (), *, overwrite: bool = False
) -> None:
    """Refuse to replace a folder, one of the *inputs*, or a file that is there, unless *overwrite*.

    Args:
        path: that is to be written.
        inputs: files, and folders of files, that are read; `-` and None are none.
        overwrite: a file that is no input may be replaced.

    Raises:
        OutputError: it would be replaced, or its folder is a file.
    """
    if not is_there(path):
        if is_there(path.parent) and not is_folder(path.parent):
            raise OutputError(f"{path.parent}: is a file; expected a folder")
        return
    if is_folder(path):
        raise OutputError(f"{path}: is a folder; expected the name of a file")
    if any(_holds(Path(name), path) for name in inputs if name is not None and str(name) != "-"):
        raise OutputError(f"{path}: is read; expected another name")
    if not overwrite:
        raise OutputError(f"{path}: is there already; expected another name, or --overwrite")


def write_text(path: str | Path, text: str) -> None:
    r"""Write *text* as UTF-8 with LF line ends, whole or not at all; raises OutputError.

    A lone surrogate, as in a path that is not UTF-8, becomes an escape such as `\udce9`.
    """
    with write_atomically(path) as file:
        file.write(text.encode(errors="backslashreplace"))


def format_row(cells: Iterable[object]) -> str:
    """A line of a tab-separated table."""
    return "\t".join(map(str, cells)) + "\n"


def format_json(values: Mapping[str, Any]) -> str:
    """A JSON object, indented."""
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"


def write_json(path: str | Path, values: Mapping[str, Any]) -> None:
    """Write it, see `format_json`; raises OutputError."""
    write_text(path, format_json(values))


def write_npy(path: str | Path, array: ArrayLike) -> None:
    """Write an array as float32 in NumPy's format, without pickle; raises OutputError."""
    with write_atomically(path) as file:
        np.save(file, np.asarray(array, dtype=np.float32), allow_pickle=False)


def reason(error: OSError) -> str:
    """The system's words for a failure, to stand within a message."""
    return (error.strerror or str(error)).lower()


def sha256(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _text_chunks(path: str | Path) -> Iterator[bytes]:
    """The bytes of a text file in pieces, gunzipped where they are gzip; the last piece is empty."""
    limit, size = read_limit(), 0
    for chunk in _chunks(path):
        if not size:
            _refuse_wide(path, chunk)
        if b"\0" in chunk:
            raise InputError(f"{name_of(path)}: a binary file; expected text")
        size += len(chunk)
        if size > limit:
            raise InputError(
                f"{name_of(path)}: more than {limit:,} bytes of text; expected less, or a higher limit "
                f"in the environment variable {LIMIT_VARIABLE}"
            )
        yield chunk
    yield b""


def _refuse_wide(path: str | Path, head: bytes) -> None:
    """Raise InputError for text in UTF-16 or UTF-32, with its byte-order mark or without."""
    kind = next((name for mark, name in _WIDE.items() if head.startswith(mark)), "")
    if not kind and len(head) > 3 and not (any(head[:64:2]) and any(head[1:64:2])) and any(head[:64]):
        kind = "UTF-16"
    if kind:
        raise InputError(f"{name_of(path)}: {kind} text; expected UTF-8")


def _chunks(path: str | Path) -> Iterator[bytes]:
    """The bytes of a file, or of standard input, gunzipped where they are gzip."""
    try:
        with _opened(path, "rb") as file:
            pieces = iter(lambda: file.read(_CHUNK), b"")
            first = next(pieces, b"")
            if first.startswith(_GZIP_MAGIC):
                yield from _gunzipped(first, pieces)
                return
            if packed := next((name for sign, name in _PACKED.items() if first.startswith(sign)), ""):
                raise InputError(f"{name_of(path)}: compressed by {packed}; expected text, or gzip")
            yield first
            yield from pieces
    except (EOFError, zlib.error) as error:
        raise InputError(f"{name_of(path)}: damaged gzip ({error}); expected a whole file") from error
    except OSError as error:
        raise InputError(f"{name_of(path)}: {reason(error)}; expected a file to read") from error


def _gunzipped(first: bytes, rest: Iterable[bytes]) -> Iterator[bytes]:
    """The content of gzip members, never more than a piece of it at a time."""
    member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    for chunk in chain([first], rest):
        data = chunk
        while data:
            if member.eof:  # zeros may stand behind a member, or another one
                data = data.lstrip(b"\0")
                if not data:
                    break
                member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
            if piece := member.decompress(data, _CHUNK):
                yield piece
            data = member.unused_data if member.eof else member.unconsumed_tail
    if not member.eof:
        raise EOFError("Compressed file ended before the end-of-stream marker was reached")


def _opened(path: str | Path, mode: str) -> Any:
    """A binary file; for `-` standard input, which stays open. Raises OSError whatever the name."""
    if mode == "rb" and str(path) == "-":
        if sys.stdin is None:
            raise OSError("closed")
        return nullcontext(sys.stdin.buffer)
    _refuse_name(path)
    return Path(path).open(mode)


def _refuse_name(path: str | Path) -> None:
    """Raise OSError for a name with a zero, or with a letter that the system has no bytes for."""
    try:
        os.lstat(path)
    except ValueError as error:
        raise OSError(str(error)) from error
    except OSError:
        return  # no such file: it may be about to be written


def _mode(path: str | Path, holds: Callable[[int], bool]) -> bool:
    try:
        return holds(Path(path).stat().st_mode)
    except (OSError, ValueError):  # a name too long, a folder that may not be searched, ...
        return False


def _holds(place: Path, path: Path) -> bool:
    """Whether *path*, which is there, is a file or in a folder."""
    folder = path.resolve().parent if is_folder(place) else path
    return is_there(place) and place.samefile(folder)


def _raise(error: OSError) -> None:
    raise error
