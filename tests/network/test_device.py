"""The choice of a device, and memory that the C library keeps and gives back when it is told to."""

import subprocess
import sys

import pytest
import torch

from rnass.errors import ConfigError
from rnass.network.device import choose_device

KEPT_AND_RETURNED = """
import torch
from rnass.network.heap import keep_freed_memory, return_freed_memory

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 2**20

keep_freed_memory()
torch.set_num_threads(1)
before = resident()
many = [torch.ones(2**20) for _ in range(64)]  # 4 MiB each
last = torch.ones(2**20)  # above them in the heap
full = resident()
del many
kept = resident()
return_freed_memory()
print(full - before, kept - before, resident() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's malloc alone is told")
def test_freed_memory_is_kept_until_it_is_returned():
    done = subprocess.run(
        [sys.executable, "-c", KEPT_AND_RETURNED],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    full, kept, returned = map(float, done.stdout.split())
    assert full > 256
    assert kept > 256  # all of it
    assert returned < 64


def test_devices():
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_device_that_is_not_there():
    with pytest.raises(ConfigError, match=r"device 'cuda' is not available; expected one of auto, cpu"):
        choose_device("cuda")
