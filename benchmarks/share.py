"""What ViennaRNA's share of the log-odds (`thermal_share`) does to scores on known and on new families.

    python benchmarks/share.py VALIDATION.tsv.gz OTHER.tsv.gz [--every 4] [--weights small]

For each share, calibration, threshold and minimum helix are fitted to every fourth record of the first
file and all of the second, each file counting as much, as training fits them. Prints a Markdown table of
strict mean F1.
"""

import argparse
import dataclasses
import tempfile
from pathlib import Path

import numpy as np
import torch

from rnass.allocator import keep_freed_memory
from rnass.dataset import Loader, read_examples
from rnass.model import thermal_log_odds
from rnass.train import calibrate, calibrated_probabilities, logit_maps, strict_f1
from rnass.weights import find_weights, load_model

SHARES = (0.0, 0.1, 0.2, 0.3, 0.4)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("known", help="labelled records of families as those trained on")
    parser.add_argument("other", help="labelled records of other families")
    parser.add_argument("--every", type=int, default=4, help="of the first file, take each so-manieth")
    parser.add_argument("--weights")
    parser.add_argument("--max-length", type=int, default=400)
    parser.add_argument("--cache", type=Path, help="folder that keeps base-pair probabilities")
    arguments = parser.parse_args()
    keep_freed_memory()
    model = load_model(find_weights(arguments.weights))
    examples = read_examples((arguments.known, arguments.other), 1, arguments.max_length)
    examples = [e for e in examples if e.source == 0][:: arguments.every] + [
        e for e in examples if e.source == 1
    ]
    with tempfile.TemporaryDirectory() as folder:
        load = Loader(
            model.backbone.vocabulary,
            model.config.head.thermodynamics,
            arguments.cache or Path(folder),
        )
        load.annotate((arguments.known, arguments.other), examples)
        model.config = dataclasses.replace(model.config, thermal_share=0.0)
        head = logit_maps(model, load, examples, torch.device("cpu"))
        thermal = [thermal_log_odds(torch.from_numpy(load.thermodynamics(e))[None])[0] for e in examples]
    source = np.array([e.source for e in examples])
    counts = np.bincount(source)
    print(f"| share | threshold | {arguments.known} ({counts[0]}) | {arguments.other} ({counts[1]}) |")
    print("|---|---|---|---|")
    for share in SHARES:
        mixed = [(1 - share) * a + share * b.numpy() for a, b in zip(head, thermal, strict=True)]
        config = calibrate(model.config, mixed, examples)
        f1 = np.array(strict_f1(calibrated_probabilities(config, mixed), examples, config.decoding))
        known, other = (f1[source == k].mean() for k in (0, 1))
        print(f"| {share} | {config.decoding.threshold} | {known:.3f} | {other:.3f} |", flush=True)


if __name__ == "__main__":
    main()
