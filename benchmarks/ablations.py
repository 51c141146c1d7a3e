"""What each part of the network is worth, at one small budget: strict mean F1 on VL0.

    python benchmarks/ablations.py --out runs/ablations [--only no-thermodynamics ...] [--steps 400]

Each variant changes configs/ablation.toml in the keys below, trains, is calibrated and decoded as any
model is. The ranking matters, not the height. Finished variants are kept and not run again.
Prints a Markdown table; ViennaRNA's MFE on the same records stands in the last line.
"""

import argparse
import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rnass import vienna
from rnass.allocator import keep_freed_memory
from rnass.config import TrainConfig, from_mapping
from rnass.dataset import Loader, read_examples
from rnass.metrics import bootstrap_interval, score
from rnass.structure import Structure
from rnass.train import calibrated_probabilities, logit_maps, strict_f1, train
from rnass.weights import load_model

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

BASE = Path(__file__).parents[1] / "configs" / "ablation.toml"
EXTRA = "../shared/data/structures/train_rfam_seeds.tsv.gz"
ENCODER = {"layers": 6, "width": 192, "heads": 8, "ffn_width": 512, "ffn": "swiglu"}

VARIANTS: dict[str, dict[str, Any]] = {
    "all parts": {},
    "no language model": {"head.attention_maps": False, "head.outer_product": False},
    "no attention maps": {"head.attention_maps": False},
    "no outer product": {"head.outer_product": False},
    "no thermodynamics": {"head.thermodynamics": []},
    "two parameter sets": {"head.thermodynamics": ["turner2004", "andronescu2007"]},
    "backbone of random weights": {"backbone": None, "encoder": ENCODER},
    "backbone trained along": {"freeze_backbone": False},
    "TR0 and Rfam seeds": {"data.train": ["../shared/data/structures/train_bprna_tr0.tsv.gz", EXTRA]},
    "half the blocks": {"head.blocks": 2},
    "twice the blocks": {"head.blocks": 8},
    "twice the channels": {"head.channels": 48},
}


def main() -> None:
    """Train what is not there yet, score everything, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/ablations"))
    parser.add_argument("--only", nargs="*", default=list(VARIANTS), choices=list(VARIANTS))
    parser.add_argument("--steps", type=int, default=None)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    keep_freed_memory()
    torch.set_num_threads(arguments.threads)
    rows = {name: run(name, arguments.out, arguments.steps) for name in arguments.only}
    base = rows.get("all parts")
    print("| variant | F1 on VL0 | 95 % interval | difference |")
    print("|---|---|---|---|")
    for name, f1 in (rows | {"ViennaRNA MFE": mfe_line()}).items():
        low, high = bootstrap_interval(f1)
        difference = "" if base is None else f"{np.mean(f1) - np.mean(base):+.3f}"
        print(f"| {name} | {np.mean(f1):.3f} | {low:.3f} to {high:.3f} | {difference} |")


def run(name: str, out: Path, steps: int | None) -> list[float]:
    """The strict F1 of every validation record under one variant."""
    config = variant(name, steps)
    folder = out / name.replace(" ", "-")
    done = folder / "f1.json"
    if done.is_file():
        return list(json.loads(done.read_text(encoding="utf-8")))
    path = train(config, folder, torch.device("cpu"))
    model = load_model(path)
    examples = read_examples(config.data.valid, config.data.min_length, config.data.max_length)
    load = Loader(model.backbone.vocabulary, model.config.head.thermodynamics, Path(config.data.cache))
    load.annotate(config.data.valid, examples)
    maps = logit_maps(model, load, examples, torch.device("cpu"))
    f1 = strict_f1(calibrated_probabilities(model.config, maps), examples, model.config.decoding)
    done.write_text(json.dumps(f1), encoding="utf-8")
    return f1


def variant(name: str, steps: int | None) -> TrainConfig:
    """The common configuration with the keys of one variant changed."""
    values = tomllib.loads(BASE.read_text(encoding="utf-8"))
    changed = copy.deepcopy(values)
    for dotted, value in VARIANTS[name].items():
        *parents, key = dotted.split(".")
        place = changed
        for parent in parents:
            place = place.setdefault(parent, {})
        place[key] = value
    if steps:
        changed["optimiser"]["steps"] = steps
    return from_mapping(TrainConfig, changed, name)


def mfe_line() -> list[float]:
    """The strict F1 of ViennaRNA's MFE on the same records."""
    data = variant("all parts", None).data
    examples = read_examples(data.valid, data.min_length, data.max_length)
    return [
        score(Structure(len(e.bases), e.pairs), vienna.Ensemble(e.bases).mfe_structure).f1
        for e in examples
    ]


if __name__ == "__main__":
    main()
