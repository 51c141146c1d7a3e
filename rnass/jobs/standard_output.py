"""Standard output that cannot be written."""

import os
import sys
from contextlib import suppress

from rnass.errors import OutputError
from rnass.files import reason

__all__ = ["drop_output", "unwritable_output"]


def unwritable_output(error: OSError) -> OutputError:
    """The error of a command whose standard output cannot be written."""
    return OutputError(f"standard output: {reason(error)}; expected a stream to write to")


def drop_output() -> None:
    """Write to standard output no longer: nothing is left to flush when Python ends."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
