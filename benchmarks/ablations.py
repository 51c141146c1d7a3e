"""What each part of the network is worth, at one small budget: strict mean F1 on VL0.

    python benchmarks/ablations.py --out runs/ablations [--only "no thermodynamics"] [--steps 250]

Each variant changes configs/ablation.toml in the keys below, trains, is calibrated and decoded as any
model is. The ranking matters, not the height. Finished variants are kept and not run again. One needs
sequences emitted from covariance models of some of the training families, which

    rnass prepare families SOME_SEEDS.sto --per-family 15 --out runs/emitted

makes (here: every sixth of the alignments of up to 120 columns); without them it is left out.
Prints a Markdown table; ViennaRNA's MFE on the same records stands in the last line.
"""

import argparse
import copy
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rnass.config import from_mapping
from rnass.metrics import bootstrap_interval, score
from rnass.network.heap import keep_freed_memory
from rnass.network.models import load_model
from rnass.structure import Structure
from rnass.thermodynamics.ensemble import Ensemble
from rnass.training.calibration import calibrated_probabilities, logit_maps, strict_f1
from rnass.training.config import TrainConfig
from rnass.training.contact import train
from rnass.training.records import Loader, read_examples

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

BASE = Path(__file__).parents[1] / "configs" / "ablation.toml"
TR0 = "../shared/data/structures/train_bprna_tr0.tsv.gz"
RFAM = "../shared/data/structures/train_rfam_seeds.tsv.gz"
EMITTED = "runs/emitted/families.tsv.gz"
ENCODER = {"layers": 6, "width": 192, "heads": 8, "ffn_width": 512, "ffn": "swiglu"}
SMALLER = {"layers": 3, "width": 96, "heads": 4, "ffn_width": 256, "ffn": "swiglu"}

VARIANTS: dict[str, dict[str, Any]] = {
    "all parts": {},
    "no language model": {"head.attention_maps": False, "head.outer_product": False},
    "no attention maps": {"head.attention_maps": False},
    "no outer product": {"head.outer_product": False},
    "no thermodynamics": {"head.parameter_sets": []},
    "one parameter set, Turner 2004": {"head.parameter_sets": ["turner2004"]},
    "one parameter set, Langdon 2018": {"head.parameter_sets": ["langdon2018"]},
    "one parameter set, rnass2026": {"head.parameter_sets": ["rnass2026"]},
    "TR0 and Rfam seeds": {"data.train": [TR0, RFAM]},
    "TR0 and emitted members": {"data.train": [TR0, EMITTED]},
    "two fifths of the RNAs mutated": {"data.mutation_rate": 0.6, "data.mutated_share": 0.4},
    "full convolutions, none coarse": {"head.blocks": 8, "head.coarser": [], "head.separable": False},
    "half the blocks": {"head.coarser": [[64, 2], [128, 2]]},
    "half the channels": {"head.channels": 16, "head.coarser": [[32, 4], [64, 4]]},
    "backbone trained along": {"freeze_backbone": False},
    "trained along from random ones": {"backbone": None, "encoder": ENCODER, "freeze_backbone": False},
    "the same, an eighth the size": {"backbone": None, "encoder": SMALLER, "freeze_backbone": False},
    "more than twice the rate": {"optimiser.learning_rate": 5e-3},
    "matrices by Muon": {"optimiser.method": "muon"},
    "the same, more than twice the rate": {"optimiser.method": "muon", "optimiser.learning_rate": 5e-3},
    "twice the steps": {"optimiser.steps": 500},
    "half the steps": {"optimiser.steps": 125},
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
    chosen = [name for name in arguments.only if not lacking(name)]
    rows = {name: run(name, arguments.out, arguments.steps) for name in chosen}
    base = rows.get("all parts")
    print("| variant | F1 on VL0 | 95 % interval | difference |")
    print("|---|---|---|---|")
    for name, f1 in (rows | {"ViennaRNA MFE": mfe_line()}).items():
        low, high = bootstrap_interval(f1)
        difference = "" if base is None else f"{np.mean(f1) - np.mean(base):+.3f}"
        print(f"| {name} | {np.mean(f1):.3f} | {low:.3f} to {high:.3f} | {difference} |")


def lacking(name: str) -> list[str]:
    """The data files of a variant that are not there."""
    return [path for path in VARIANTS[name].get("data.train", []) if not Path(path).exists()]


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
    load = Loader(model.backbone.vocabulary, model.config.head.parameter_sets, Path(config.data.cache))
    load.annotate(config.data.valid, examples)
    maps = logit_maps(model, load, examples, torch.device("cpu"))
    f1 = strict_f1(
        calibrated_probabilities(model.config, maps, examples), examples, model.config.decoding
    )
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
        score(Structure(len(e.bases), e.pairs), Ensemble(e.bases).mfe_structure).f1 for e in examples
    ]


if __name__ == "__main__":
    main()
