"""A C library that keeps freed memory makes the network on a processor up to twice as fast.

Loads no torch.
"""

import ctypes
import sys
from typing import Any

__all__ = ["keep_freed_memory", "return_freed_memory"]

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX, _ARENA_MAX = -1, -2, -4, -8  # names of mallopt(3)
_KEPT = 512 * 2**20  # bytes


def keep_freed_memory() -> None:
    """Serve large tensors from the heap and keep it, so that their pages are not zeroed anew each time.

    Does nothing where the C library is not glibc. Call it before the first large tensor, and
    before any thread.
    """
    if mallopt := _of_glibc("mallopt"):
        mallopt(_MMAP_MAX, 0)
        mallopt(_ARENA_MAX, 1)  # one heap for all threads
        mallopt(_TRIM_THRESHOLD, 2**31 - 1)
        mallopt(_TOP_PAD, _KEPT)


def return_freed_memory() -> None:
    """Give what was freed, and kept, back to the system, where the C library is glibc."""
    if trim := _of_glibc("malloc_trim"):
        trim(0)


def _of_glibc(name: str) -> Any:
    """A function of the C library; None where that is another one."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform.startswith("linux") else None
