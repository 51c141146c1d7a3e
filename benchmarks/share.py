"""What ViennaRNA's share of the log-odds (`bpp_weight`) does to scores on known and on new families.

    python benchmarks/share.py VALIDATION.tsv.gz OTHER.tsv.gz ... [--weights FILE ...] [--with MODEL]

With another contact model: what its share in a committee of the two does (`rnass combine`). For each
share, calibration, threshold and minimum helix are fitted to every fourth record of the first file and
all of the others, each file counting as much, as training fits them. Prints a Markdown table of strict
mean F1.
"""

import argparse
import dataclasses
import tempfile
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from rnass.config import PairingConfig
from rnass.network.contact_model import ContactModel, bpp_log_odds
from rnass.network.device import keep_freed_memory
from rnass.network.weights import find_weights
from rnass.training.combine import mean_model
from rnass.training.contact import calibrate, calibrated_probabilities, logit_maps, strict_f1
from rnass.training.records import Example, Loader, read_examples

Maps = list[NDArray[np.floating]]

SHARES = (0.0, 0.1, 0.2, 0.25, 0.3, 0.4, 1.0)
SHARES_OF_A_MODEL = (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 1.0)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="+", help="files of labelled records")
    parser.add_argument("--every", type=int, default=4, help="of the first file, take each so-manieth")
    parser.add_argument("--weights", nargs="+", default=[None], help="of several, their mean")
    parser.add_argument("--with", dest="partner", help="another contact model, instead of ViennaRNA")
    parser.add_argument("--max-length", type=int, default=400)
    parser.add_argument("--cache", type=Path, help="folder that keeps base-pair probabilities")
    arguments = parser.parse_args()
    keep_freed_memory()
    files = tuple(arguments.sets)
    examples = read_examples(files, 1, arguments.max_length)
    first = [e for e in examples if e.source == 0]
    examples = first[:: arguments.every] + examples[len(first) :]
    with tempfile.TemporaryDirectory() as folder:
        cache = arguments.cache or Path(folder)
        if arguments.partner:
            shares: tuple[float, ...] = SHARES_OF_A_MODEL
            one, two = (
                calibrated(mean_model([find_weights(name) for name in names]), files, examples, cache)
                for names in (arguments.weights, [arguments.partner])
            )
        else:
            shares = SHARES
            one, two = head_and_vienna(
                mean_model([find_weights(name) for name in arguments.weights]), files, examples, cache
            )
    source = np.array([e.source for e in examples])
    heads = [f"{name} ({count})" for name, count in zip(files, np.bincount(source), strict=True)]
    print("|", " | ".join(["share", "threshold", *heads]), "|")
    print("|" + "---|" * (2 + len(heads)))
    for share in shares:
        mixed = [(1 - share) * a + share * b for a, b in zip(one, two, strict=True)]
        config = calibrate(PairingConfig(), mixed, examples)
        f1 = np.array(
            strict_f1(calibrated_probabilities(config, mixed, examples), examples, config.decoding)
        )
        means = [f"{f1[source == k].mean():.3f}" for k in range(len(files))]
        print("|", " | ".join([str(share), str(config.decoding.threshold), *means]), "|", flush=True)


def head_and_vienna(
    model: ContactModel, files: tuple[str, ...], examples: list[Example], cache: Path
) -> tuple[Maps, Maps]:
    """The logits of the head, and ViennaRNA's log-odds."""
    model.config = dataclasses.replace(model.config, bpp_weight=0.0)
    load = loader(model, files, examples, cache)
    folded = (torch.from_numpy(load.bpp(e))[None] for e in examples)
    thermal = [bpp_log_odds(one)[0].numpy() for one in folded]
    return logit_maps(model, load, examples, torch.device("cpu")), thermal


def calibrated(
    model: ContactModel, files: tuple[str, ...], examples: list[Example], cache: Path
) -> Maps:
    """The calibrated log-odds of a model, as a committee takes them."""
    maps = logit_maps(model, loader(model, files, examples, cache), examples, torch.device("cpu"))
    return [model.config.calibrated(one) for one in maps]


def loader(model: ContactModel, files: tuple[str, ...], examples: list[Example], cache: Path) -> Loader:
    """The examples' base-pair probabilities by the parameter sets that the model reads."""
    load = Loader(model.backbone.vocabulary, model.config.parameter_sets, cache)
    load.annotate(files, examples)
    return load


if __name__ == "__main__":
    main()
