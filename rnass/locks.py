"""Locks of folders, so that no two runs write into one."""

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from rnass.errors import OutputError
from rnass.files import TEMPORARY_PREFIX, make_folder, reason

__all__ = ["LOCK", "locked"]

LOCK = f"{TEMPORARY_PREFIX}lock"
"""The file in a folder that a run holds a lock of the system on."""

_NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP}

log = logging.getLogger("rnass")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Have the folder, locked against other runs; the system lets go of a lock when its process ends.

    Raises:
        OutputError: another run has it, or it cannot be made or written.
    """
    make_folder(folder)
    lock = FileLock(folder / LOCK, timeout=0, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout:
        raise OutputError(
            f"{folder}: another run is writing into it; expected another folder, or to wait until that "
            "run has ended"
        ) from None
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise OutputError(
                f"{folder}: {reason(error)}; expected a folder that can be written"
            ) from error
        log.warning("%s: files cannot be locked here; see that no other run writes into it", folder)
    try:
        yield
    finally:
        with suppress(OSError):  # Windows removes no open file
            (folder / LOCK).unlink(missing_ok=True)
        lock.release()
