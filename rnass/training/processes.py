"""The processes that torchrun started, of which each takes its part of the batches."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path

import torch
from torch import distributed

from rnass.locks import locked

__all__ = ["first_process_first", "own_device", "sole_run", "start_processes"]

_PATIENCE = timedelta(days=2)  # that the others wait while the first one folds the data


def start_processes(device: torch.device) -> tuple[int, int]:
    """Join the processes that torchrun started; rank and number of processes, (0, 1) without it."""
    if "WORLD_SIZE" not in os.environ:
        return 0, 1
    if not distributed.is_initialized():
        backend = "nccl" if device.type == "cuda" else "gloo"
        distributed.init_process_group(backend, timeout=_PATIENCE)
    return distributed.get_rank(), distributed.get_world_size()


def own_device(device: torch.device) -> torch.device:
    """The device of this process: under torchrun each one has a CUDA device of its own."""
    if device.type == "cuda" and "LOCAL_RANK" in os.environ:
        return torch.device("cuda", int(os.environ["LOCAL_RANK"]))
    return device


@contextmanager
def sole_run(folder: Path, device: torch.device) -> Iterator[None]:
    """A block that has the folder, which the first process locks against other runs; see `locked`."""
    rank, _ = start_processes(device)
    with nullcontext() if rank else locked(folder):
        yield


@contextmanager
def first_process_first(device: torch.device) -> Iterator[None]:
    """A block that the first process runs alone, then the others, who find its results in caches."""
    rank, processes = start_processes(device)
    if rank:
        distributed.barrier()
    yield
    if processes > 1 and rank == 0:
        distributed.barrier()
