"""Predictions at other temperatures and salt concentrations, held against the known structures.

    python benchmarks/conditions.py FILE [--weights base] [--count 50] [--max-length 150]

For each pair of conditions: strict F1, mean over the RNAs, and the number of pairs, of rnass and of
ViennaRNA's MFE. The known structures are native ones, so that F1 shows what is kept, not what is right
elsewhere. Prints a Markdown table.
"""

import argparse
import random

import numpy as np

from rnass.io import read_labelled
from rnass.metrics import score
from rnass.prediction.predictor import load_predictor
from rnass.thermodynamics.conditions import STANDARD, Conditions

CONDITIONS = [
    *(Conditions(10), Conditions(25), STANDARD, Conditions(50), Conditions(60), Conditions(75)),
    *(Conditions(90), Conditions(salt=0.15)),
]
FEWEST = (20, 5)  # bases, pairs


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("set", help="file of labelled records")
    parser.add_argument("--weights", default="base")
    parser.add_argument("--count", type=int, default=50, help="of its records, drawn from a fixed seed")
    parser.add_argument("--max-length", type=int, default=150)
    arguments = parser.parse_args()
    records = [
        one
        for one in read_labelled(arguments.set)
        if FEWEST[0] <= len(one.sequence) <= arguments.max_length
        and len(one.structure.pairs) >= FEWEST[1]
    ]
    records = random.Random(1).sample(records, min(arguments.count, len(records)))
    predictor = load_predictor(arguments.weights)
    print(f"| conditions ({len(records)} RNAs) | rnass, F1 | pairs | MFE, F1 | pairs |")
    print("|---|---|---|---|---|")
    for conditions in CONDITIONS:
        predictor.conditions = conditions
        scores, pairs = [], []
        for row in predictor.predict(one.sequence for one in records):
            if row.prediction is None:
                raise row.error or RuntimeError(row.rna.id)
            known = records[row.number].structure
            both = (row.prediction.structure, row.prediction.thermodynamics.mfe_structure)
            scores.append([score(known, one).f1 for one in both])
            pairs.append([len(one.pairs) for one in both])
        (own, mfe), (own_pairs, mfe_pairs) = np.mean(scores, 0), np.sum(pairs, 0)
        print(f"| {conditions} | {own:.3f} | {own_pairs:,} | {mfe:.3f} | {mfe_pairs:,} |", flush=True)


if __name__ == "__main__":
    main()
