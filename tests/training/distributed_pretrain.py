"""Pre-train a tiny backbone for two steps: in the process that imports it, or in those of torchrun.

    python -m torch.distributed.run --nproc_per_node 2 distributed_pretrain.py DATA FOLDER

Masks follow from the tokens alone, so they do not depend on which process draws them.
"""

import sys
import time
from pathlib import Path

import torch

from rnass.backbone.vocabulary import RNASS
from rnass.config import EncoderConfig
from rnass.training.config import DataConfig, OptimiserConfig, PretrainConfig, RunConfig
from rnass.training.pretrain import PretrainObjective, pretrain
from rnass.training.processes import first_process_first

BATCHES = 8


def every_third_masked(_, tokens):
    chosen = (torch.arange(tokens.shape[1]) % 3 == 0) & (tokens > RNASS.mask)
    return torch.where(chosen, RNASS.mask, tokens), chosen


def two_steps(data, folder, processes):
    """Take eight batches in two steps, each step's shared between *processes* and accumulated."""
    config = PretrainConfig(
        encoder=EncoderConfig(layers=2, width=16, heads=2, ffn_width=24),
        data=DataConfig(train=(data,), valid=(data,), valid_limit=2, min_length=1, padded_pairs=3_000),
        optimiser=OptimiserConfig(
            steps=2, warmup=1, learning_rate=1e-3, accumulate=BATCHES // 2 // processes
        ),
        run=RunConfig(precision="float32"),
    )
    pretrain(config, Path(folder), torch.device("cpu"))


if __name__ == "__main__":
    torch.set_num_threads(1)
    PretrainObjective._masked = every_third_masked
    two_steps(*sys.argv[1:], processes=2)
    rank = torch.distributed.get_rank()
    with first_process_first(torch.device("cpu")), (Path(sys.argv[2]) / "order").open("a") as order:
        time.sleep(0.5 * (1 - rank))  # the second one would be first if it did not wait
        order.write(f"{rank}")
    torch.distributed.destroy_process_group()
