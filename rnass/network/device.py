"""Where the network runs: the choice of a device."""

from typing import Literal

import torch
from torch import Tensor

from rnass.errors import ConfigError

__all__ = [
    "Device",
    "choose_device",
    "moved",
    "pairs_that_fit",
]

Device = Literal["auto", "cpu", "cuda", "mps"]

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
