"""What ViennaRNA's share of the log-odds (`thermal_share`) does to scores on known and on new families.

    python benchmarks/share.py VALIDATION.tsv.gz OTHER.tsv.gz [--every 4] [--weights small]

For each share, calibration, threshold and minimum helix are fitted to every fourth record of the first
file; the second file is scored with them. Prints a Markdown table of strict mean F1.
"""

import argparse
import dataclasses
import tempfile
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from rnass.allocator import keep_freed_memory
from rnass.dataset import Example, Loader, read_examples
from rnass.model import ContactModel
from rnass.train import calibrate, calibrated_probabilities, logit_maps, mean_f1
from rnass.weights import find_weights, load_model

SHARES = (0.0, 0.15, 0.3, 0.4, 0.5)

Maps = list[NDArray[np.floating]]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fitted", help="labelled records that the calibration is fitted to")
    parser.add_argument("other", help="labelled records of other families")
    parser.add_argument("--every", type=int, default=4, help="of the first file, take each so-manieth")
    parser.add_argument("--weights")
    parser.add_argument("--max-length", type=int, default=400)
    parser.add_argument("--cache", type=Path, help="folder that keeps base-pair probabilities")
    arguments = parser.parse_args()
    keep_freed_memory()
    model = load_model(find_weights(arguments.weights))
    with tempfile.TemporaryDirectory() as folder:
        load = Loader(
            model.backbone.vocabulary,
            model.config.head.thermodynamics,
            arguments.cache or Path(folder),
        )
        sets = []
        for path, step in ((arguments.fitted, arguments.every), (arguments.other, 1)):
            examples = read_examples((path,), 1, arguments.max_length)[::step]
            load.annotate((path,), examples)
            head, thermal = (log_odds(model, share, load, examples) for share in (0.0, 1.0))
            sets.append((examples, head, thermal))
    print(f"| share | {arguments.fitted} ({len(sets[0][0])}) | {arguments.other} ({len(sets[1][0])}) |")
    print("|---|---|---|")
    for share in SHARES:
        mixed = [mix(head, thermal, share) for _, head, thermal in sets]
        config = calibrate(model.config, mixed[0], sets[0][0])
        f1 = [
            mean_f1(calibrated_probabilities(config, maps), examples, config.decoding)
            for maps, (examples, _, _) in zip(mixed, sets, strict=True)
        ]
        print(f"| {share} | {' | '.join(f'{one:.3f}' for one in f1)} |", flush=True)


def log_odds(model: ContactModel, share: float, load: Loader, examples: list[Example]) -> Maps:
    """The model's, before calibration, at one share: 0 is the head alone, 1 ViennaRNA alone."""
    model.config = dataclasses.replace(model.config, thermal_share=share)
    return logit_maps(model, load, examples, torch.device("cpu"))


def mix(head: Maps, thermal: Maps, share: float) -> Maps:
    """What the model gives at a share between."""
    return [(1 - share) * a + share * b for a, b in zip(head, thermal, strict=True)]


if __name__ == "__main__":
    main()
