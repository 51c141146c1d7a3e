"""Where the network runs: the choice of a device, and how its memory is kept on a processor.

A C library that keeps freed memory makes the network on a processor up to twice as fast.
"""

import ctypes
import sys
from typing import Literal

import torch
from torch import Tensor

from rnass.errors import ConfigError

__all__ = [
    "Device",
    "choose_device",
    "keep_freed_memory",
    "moved",
    "pairs_that_fit",
    "return_freed_memory",
]

Device = Literal["auto", "cpu", "cuda", "mps"]

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX, _ARENA_MAX = -1, -2, -4, -8  # names of mallopt(3)
_KEPT = 512 * 2**20  # bytes
_BYTES_OF_PAIR = 1000  # of two bases on their way through the network; some 550 on a processor


def choose_device(name: Device) -> torch.device:
    """The device of that name; "auto" takes CUDA where there is one, else the processor.

    Raises:
        ConfigError: the device is not there.
    """
    present = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device("cuda" if present["cuda"] else "cpu")
    if not present.get(name):
        there = ", ".join(key for key, is_there in present.items() if is_there)
        raise ConfigError(f"device {name!r} is not available; expected one of auto, {there}")
    return torch.device(name)


def moved(values: Tensor, device: torch.device) -> Tensor:
    """Values on a device; on a GPU perhaps on their way there, while the processor goes on."""
    if device.type != "cuda" or values.device.type != "cpu":
        return values.to(device)
    return values.pin_memory().to(device, non_blocking=True)


def pairs_that_fit(device: torch.device) -> int:
    """The pairs of bases, the sum of L * L over the RNAs of a batch, that a GPU's free memory holds."""
    free, _ = torch.cuda.mem_get_info(device)
    return int(free // _BYTES_OF_PAIR)


def keep_freed_memory() -> None:
    """Serve large tensors from the heap and keep it, so that their pages are not zeroed anew each time.

    Does nothing where the C library is not glibc. Call it before the first large tensor exists.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_MAX, 0)
        mallopt(_ARENA_MAX, 1)  # one heap for all threads
        mallopt(_TRIM_THRESHOLD, 2**31 - 1)
        mallopt(_TOP_PAD, _KEPT)


def return_freed_memory() -> None:
    """Give what was freed, and kept, back to the system, where the C library is glibc."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform.startswith("linux") else None
    if trim is not None:
        trim(0)
