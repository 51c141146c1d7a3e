"""Standard output of every command: where it cannot be written is an error, not a fault of rnass."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rnass.jobs.standard_output import drop_output, unwritable_output

__all__ = ["checked_output"]


@contextmanager
def checked_output() -> Iterator[None]:
    """Standard output whose errors, but that of a closed pipe, are OutputError; it is flushed at the end."""
    plain = sys.stdout
    if not hasattr(plain, "buffer"):
        yield
        return
    checked = _Checked(
        plain.buffer,
        encoding=plain.encoding,
        errors=plain.errors,
        line_buffering=getattr(plain, "line_buffering", False),
    )
    sys.stdout = checked
    try:
        yield
    finally:
        try:
            checked.flush()
        except BrokenPipeError:
            drop_output()
        finally:
            sys.stdout = plain
            checked.detach()  # else the end of it closes the other one


class _Checked(io.TextIOWrapper):
    def write(self, text: str) -> int:
        with _errors():
            return super().write(text)

    def flush(self) -> None:
        with _errors():
            super().flush()


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        drop_output()
        raise unwritable_output(error) from error
