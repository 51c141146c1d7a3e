"""Scores on known and on new families by the weight of ViennaRNA's log-odds (`bpp_weight`).

    python benchmarks/bpp_weight.py VALIDATION.tsv.gz OTHER.tsv.gz ... [--weights FILE] [--with MODEL]

With another contact model: by its weight in a mixture of the two (`rnass combine`). For each weight,
calibration, threshold and minimum helix are fitted to every fourth record of the first file and all of
the others, each file counting as much, as training fits them. Prints a Markdown table of strict mean F1.
"""

import argparse
import dataclasses
import tempfile
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from rnass.config import PairingConfig
from rnass.network.contact_model import ContactModel
from rnass.network.energy_terms import bpp_log_odds
from rnass.network.heap import keep_freed_memory
from rnass.network.models import load_model
from rnass.network.weights import find_weights
from rnass.training.calibration import calibrate, calibrated_probabilities, logit_maps, strict_f1
from rnass.training.records import Example, Loader, read_examples

Maps = list[NDArray[np.floating]]

WEIGHTS = (0.0, 0.1, 0.2, 0.25, 0.3, 0.4, 1.0)
WEIGHTS_OF_A_MODEL = (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 1.0)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="+", help="files of labelled records")
    parser.add_argument("--every", type=int, default=4, help="of the first file, take each so-manieth")
    parser.add_argument("--weights", help="a contact model, by name or file")
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
        model = load_model(find_weights(arguments.weights))
        if arguments.partner:
            weights: tuple[float, ...] = WEIGHTS_OF_A_MODEL
            one, two = (
                calibrated(each, files, examples, cache)
                for each in (model, load_model(find_weights(arguments.partner)))
            )
        else:
            weights = WEIGHTS
            one, two = head_and_vienna(model, files, examples, cache)
    source = np.array([e.source for e in examples])
    heads = [f"{name} ({count})" for name, count in zip(files, np.bincount(source), strict=True)]
    print("|", " | ".join(["weight", "threshold", *heads]), "|")
    print("|" + "---|" * (2 + len(heads)))
    for weight in weights:
        mixed = [(1 - weight) * a + weight * b for a, b in zip(one, two, strict=True)]
        config = calibrate(PairingConfig(), mixed, examples)
        f1 = np.array(
            strict_f1(calibrated_probabilities(config, mixed, examples), examples, config.decoding)
        )
        means = [f"{f1[source == k].mean():.3f}" for k in range(len(files))]
        print("|", " | ".join([str(weight), str(config.decoding.threshold), *means]), "|", flush=True)


def head_and_vienna(
    model: ContactModel, files: tuple[str, ...], examples: list[Example], cache: Path
) -> tuple[Maps, Maps]:
    """The logits of the head, and ViennaRNA's log-odds."""
    model.config = dataclasses.replace(model.config, bpp_weight=0.0)
    load = loader(model, files, examples, cache)
    folded = (torch.from_numpy(load.bpp(e))[None] for e in examples)
    energies = [bpp_log_odds(one)[0].numpy() for one in folded]
    return logit_maps(model, load, examples, torch.device("cpu")), energies


def calibrated(
    model: ContactModel, files: tuple[str, ...], examples: list[Example], cache: Path
) -> Maps:
    """The calibrated log-odds of a model, as a mixture takes them."""
    maps = logit_maps(model, loader(model, files, examples, cache), examples, torch.device("cpu"))
    return [model.config.calibrated(one) for one in maps]


def loader(model: ContactModel, files: tuple[str, ...], examples: list[Example], cache: Path) -> Loader:
    """The examples' base-pair probabilities by the parameter sets that the model reads."""
    load = Loader(model.backbone.vocabulary, model.config.parameter_sets, cache)
    load.annotate(files, examples)
    return load


if __name__ == "__main__":
    main()
