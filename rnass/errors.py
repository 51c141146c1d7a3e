"""Every exception that rnass raises on purpose.

    RnassError
    +-- InputError            input that cannot be read
    |   +-- SequenceError     a letter, an empty record
    |   +-- StructureError    brackets, pairs, base numbers
    |   +-- ConstraintError   a constraint that no structure can satisfy
    +-- ConfigError           an unknown key, a value out of range
    +-- CheckpointError       weights missing, altered, or of another family
    +-- OutputError           a folder that holds earlier results, a file that cannot be written
    +-- DependencyError       an optional package or program that is not installed
    +-- WorkerError           a worker process that was killed
    +-- UnexpectedError       a fault of rnass itself, met at one record

A message reads *where: what is wrong; what was expected*; what it counts, it counts by `counted`.
"""

import logging
import re
from enum import IntEnum

__all__ = [
    "REPORT",
    "SIGNALS",
    "CheckpointError",
    "ConfigError",
    "ConstraintError",
    "DependencyError",
    "ExitStatus",
    "InputError",
    "OutputError",
    "RnassError",
    "SequenceError",
    "StructureError",
    "UnexpectedError",
    "WorkerError",
    "counted",
    "record_error",
    "visible",
]

REPORT = "please report it to the rnass authors, with the command and the traceback that --verbose shows"
"""What to do about a fault of rnass itself."""

SIGNALS: list[int] = []
"""The numbers of the signals that came to end the run, see `rnass.jobs.runner.ended`."""

log = logging.getLogger("rnass")

_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class ExitStatus(IntEnum):
    """With what every command ends."""

    OK = 0
    FAILED = 1  # some records were bad or failed, the others are written
    STOPPED = 2  # by an error: a wrong option, an unreadable file, --strict and a bad record
    FAULT = 70  # of rnass itself (EX_SOFTWARE of sysexits.h)
    INTERRUPTED = 130  # by Ctrl-C
    TERMINATED = 143  # by SIGTERM


class RnassError(Exception):
    """Base of all errors that rnass raises on purpose; the command line prints it as one line."""

    def __init__(self, message: str = "") -> None:
        super().__init__(visible(message))


class InputError(RnassError):
    """Input that cannot be read.

    Attributes:
        record: the id of the record at fault; empty where it is not a record's.
    """

    def __init__(self, message: str, record: str = "") -> None:
        super().__init__(message)
        self.record = record


class SequenceError(InputError):
    """A sequence holds a letter that is no base, or none at all."""


class StructureError(InputError):
    """A structure is not one: unbalanced brackets, two partners, a base out of range."""


class ConstraintError(InputError):
    """A constraint contradicts the sequence, the minimum hairpin or another constraint."""


class ConfigError(RnassError):
    """A configuration holds an unknown key or a value out of range."""


class CheckpointError(RnassError):
    """Weights are missing, altered, incomplete, or of another family than asked for."""


class OutputError(RnassError):
    """Results cannot be written where they were asked for."""


class DependencyError(RnassError):
    """An optional package or program is needed and not installed."""


class WorkerError(RnassError):
    """A worker process was killed, which is nobody's fault among the RNAs it had."""


class UnexpectedError(RnassError):
    """A fault of rnass itself, met at one record."""


def record_error(error: Exception, where: str) -> RnassError:
    """An exception that the work on one record raised, as an error for its line of the summary.

    One of rnass's own gets *where* before its message, unless it is there. After a signal there is no
    such error: code in C may turn the KeyboardInterrupt that the signal raises into another exception.
    NumPy runs out of memory with a MemoryError, torch with a RuntimeError that names its allocator.

    Raises:
        KeyboardInterrupt: a signal came.
    """
    if SIGNALS:
        raise KeyboardInterrupt(*SIGNALS) from error
    text = str(error)
    if isinstance(error, RnassError):
        return error if where in text else type(error)(f"{where}: {text}")
    if isinstance(error, MemoryError) or any(
        words in text for words in ("allocate memory", "not enough memory", "out of memory")
    ):
        return RnassError(
            f"{where}: memory ran out; expected a shorter RNA, fewer --threads or more memory"
        )
    log.debug("%s", where, exc_info=error)
    return UnexpectedError(f"{where}: unexpected {type(error).__name__}: {text}; {REPORT}")


def counted(number: int, noun: str) -> str:
    """A number of things in words: `1 record`, `1,200 records`; *noun* takes an s."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def visible(text: str) -> str:
    r"""The text with control characters as escapes: those that move a cursor or turn the direction.

    Line ends and tabs stay. Names in a user's file go through here on their way to a terminal.

    >>> visible("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    return _UNSEEN.sub(lambda match: match[0].encode("unicode_escape").decode(), text)
