"""Accuracy of ViennaRNA's base-pair probabilities with each parameter set, rnass2026 included.

    python benchmarks/energies.py FILE ... [--processes 2] [--limit N] [--means]

Base-pair probabilities, decoded by ThreshKnot as published (threshold 0.3, helices of three pairs or
more). Prints a Markdown table of strict mean F1, every known pair counted.
"""

import argparse

import numpy as np
from numpy.typing import NDArray

from rnass.decoding import decode
from rnass.evaluation.methods import THRESHKNOT
from rnass.metrics import score
from rnass.structure import Structure
from rnass.thermodynamics.folding import base_pair_probabilities_of_many
from rnass.thermodynamics.parameter_sets import OWN_NAME, PARAMETER_SETS
from rnass.training.records import Example, read_examples

MEANS = {
    "mean": dict.fromkeys(PARAMETER_SETS, 1.0),
    "mean, rnass2026 three times": dict.fromkeys(PARAMETER_SETS, 1.0) | {OWN_NAME: 3.0},
}
"""Weights of the parameter sets in the mean of their probabilities."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", help="labelled records")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--limit", type=int, help="only the first N records of each file")
    parser.add_argument("--means", action="store_true", help="also mean probabilities of all sets")
    arguments = parser.parse_args()
    columns = [*PARAMETER_SETS, *(MEANS if arguments.means else ())]
    print("| records (number) |", *(f"{name} |" for name in columns))
    print("|---|" + "---|" * len(columns))
    for path in arguments.files:
        examples = read_examples([path])[: arguments.limit]
        bases = [e.bases for e in examples]
        folded = {
            name: list(base_pair_probabilities_of_many(bases, name, processes=arguments.processes))
            for name in PARAMETER_SETS
        }
        cells = [f"{path} ({len(examples)})"]
        for column in columns:
            weights = MEANS.get(column, {column: 1.0})
            f1 = [
                strict_f1(
                    e,
                    np.average(
                        [folded[name][k].dense() for name in weights], 0, weights=[*weights.values()]
                    ),
                )
                for k, e in enumerate(examples)
            ]
            cells.append(f"{np.mean(f1):.3f}")
        print("|", *(f"{cell} |" for cell in cells), flush=True)


def strict_f1(example: Example, probabilities: NDArray[np.floating]) -> float:
    """Strict F1 of ThreshKnot's structure."""
    known = Structure(len(example.bases), example.pairs)
    return score(known, decode(probabilities, example.bases, THRESHKNOT)).f1


if __name__ == "__main__":
    main()
