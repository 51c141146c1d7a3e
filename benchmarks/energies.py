"""Accuracy of ViennaRNA's base-pair probabilities with each parameter set, rnass2026 included.

    python benchmarks/energies.py FILE ... [--processes 2] [--limit N]

Base-pair probabilities, decoded by ThreshKnot as published (threshold 0.3, helices of three pairs or
more). Prints a Markdown table of strict mean F1, every known pair counted.
"""

import argparse

import numpy as np

from rnass.decoding import decode
from rnass.evaluation.methods import THRESHKNOT
from rnass.metrics import score
from rnass.structure import Structure
from rnass.thermodynamics.folding import base_pair_probabilities_of_many
from rnass.thermodynamics.parameter_sets import PARAMETER_SETS
from rnass.training.records import read_examples


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", help="labelled records")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--limit", type=int, help="only the first N records of each file")
    arguments = parser.parse_args()
    print("| records (number) |", *(f"{name} |" for name in PARAMETER_SETS))
    print("|---|" + "---|" * len(PARAMETER_SETS))
    for path in arguments.files:
        examples = read_examples([path])[: arguments.limit]
        cells = [f"{path} ({len(examples)})"]
        for name in PARAMETER_SETS:
            bases = [e.bases for e in examples]
            folded = base_pair_probabilities_of_many(bases, name, processes=arguments.processes)
            f1 = [
                score(Structure(len(e.bases), e.pairs), decode(one.dense(), e.bases, THRESHKNOT)).f1
                for e, one in zip(examples, folded, strict=True)
            ]
            cells.append(f"{np.mean(f1):.3f}")
        print("|", *(f"{cell} |" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
