"""Pseudoknots by the weight of the second fold (`second_fold_weight`), with no network trained anew.

    python benchmarks/second_fold.py FILE ... [--weights small] [--every 6] [--cache FOLDER]

For each weight of ViennaRNA's log-odds and of its second fold, with the model's own calibration: strict
F1, mean over the RNAs, and that of crossing pairs where the known structure has any. Prints a Markdown
table.
"""

import argparse
import dataclasses
import tempfile
from pathlib import Path

import numpy as np
import torch

from rnass.decoding import decode, one_partner
from rnass.metrics import crossing_pairs, score
from rnass.network.contact_model import ContactModel
from rnass.network.energy_terms import bpp_log_odds, second_fold_gain
from rnass.network.heap import keep_freed_memory
from rnass.network.models import load_model
from rnass.network.weights import find_weights
from rnass.structure import Structure
from rnass.training.calibration import calibrated_probabilities
from rnass.training.records import Example, Loader, read_examples

CHOICES = [(0.25, second, 0.1) for second in (0.0, 0.35, 0.5, 0.8)] + [(0.35, 0.5, 0.1)]
"""Weight of ViennaRNA's log-odds, weight of its second fold, threshold."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="+", help="files of labelled records")
    parser.add_argument("--weights", default="small", help="a contact model, by name or file")
    parser.add_argument("--every", type=int, default=1, help="of the first file, take each so-manieth")
    parser.add_argument("--max-length", type=int, default=400)
    parser.add_argument("--cache", type=Path, help="folder that keeps base-pair probabilities")
    arguments = parser.parse_args()
    keep_freed_memory()
    examples = read_examples(arguments.sets, 1, arguments.max_length)
    first = [e for e in examples if e.source == 0]
    examples = first[:: arguments.every] + examples[len(first) :]
    source = np.array([e.source for e in examples])
    heads = [f"{name} ({np.sum(source == k)}) | crossing" for k, name in enumerate(arguments.sets)]
    print("|", " | ".join(["ViennaRNA's weight", "of the second fold", "threshold", *heads]), "|")
    print("|" + "---|" * (3 + 2 * len(heads)))
    model = load_model(find_weights(arguments.weights)).eval()
    with tempfile.TemporaryDirectory() as folder:
        scores = np.array(all_scores(model, arguments.sets, arguments.cache or Path(folder), examples))
    for choice, part in zip(CHOICES, scores.transpose(1, 0, 2), strict=True):
        cells = []
        for k in range(len(heads)):
            f1, crossing = part[source == k].T
            known = crossing[~np.isnan(crossing)]
            cells += [f"{f1.mean():.3f}", f"{known.mean():.3f} ({len(known)})" if len(known) else ""]
        print("|", " | ".join([*map(str, choice), *cells]), "|")


def all_scores(
    model: ContactModel, files: list[str], cache: Path, examples: list[Example]
) -> list[list[tuple[float, float]]]:
    """For each example and choice, F1 of all and of crossing pairs; NaN where no known pair crosses."""
    plain = dataclasses.replace(model.config, bpp_weight=0.0, second_fold_weight=1.0)
    model.config = plain
    load = Loader(model.backbone.vocabulary, plain.parameter_sets, cache)
    load.annotate(files, examples)
    return [scored(model, load, example) for example in examples]


@torch.no_grad()
def scored(model: ContactModel, load: Loader, example: Example) -> list[tuple[float, float]]:
    """The same of one example."""
    batch = load([example]).rnas
    assert batch.bpp is not None  # the model reads a parameter set
    logits, energies = model(batch), bpp_log_odds(batch.bpp[:, :1])
    gain = second_fold_gain(batch.bpp[:, 0], batch.bpp[:, -1])
    known = Structure(len(example.bases), example.pairs)
    crossing = crossing_pairs(known)
    found = []
    for weight, second, threshold in CHOICES:
        mixed = ((1 - weight) * logits + weight * energies + second * gain)[0].numpy()
        (p,) = calibrated_probabilities(model.config, [mixed], [example])
        options = dataclasses.replace(model.config.decoding, threshold=threshold)
        structure = decode(one_partner(p, example.bases, options), example.bases, options)
        both = score(crossing, crossing_pairs(structure)).f1 if len(crossing.pairs) else np.nan
        found.append((score(known, structure).f1, both))
    return found


if __name__ == "__main__":
    main()
