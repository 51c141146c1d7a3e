"""How designed duplexes come out, though no weights were trained on dimers: strict mean F1.

    python benchmarks/dimers.py [--weights NAME_OR_FILE] [--count 50]

Two random strands with a perfect duplex of 4 to 20 pairs between them, alone, with a free end of ten
bases on each side, or beside a hairpin in the first strand. The design is the reference, so a better
structure that chance offers counts as an error for both. ViennaRNA folds the same two strands.
"""

import argparse
import random

import numpy as np

from rnass.metrics import score
from rnass.prediction.predictor import load_predictor
from rnass.rna import Rna
from rnass.structure import Structure

COMPLEMENT = str.maketrans("ACGU", "UGCA")


def designed(draw: random.Random, pairs: int, kind: str) -> tuple[Rna, Structure]:
    """Two strands and the structure they were made for."""

    def bases(count: int) -> str:
        return "".join(draw.choices("ACGU", k=count))

    stem, arm = bases(pairs), bases(6)
    before, symbols = {
        "alone": ("", ""),
        "free ends": (bases(10), "." * 10),
        "beside a hairpin": (f"{arm}GAAA{arm[::-1].translate(COMPLEMENT)}", "((((((....))))))"),
    }[kind]
    after = bases(10) if kind == "free ends" else ""
    first, second = before + stem, stem[::-1].translate(COMPLEMENT) + after
    dot_bracket = symbols + "(" * pairs + ")" * pairs + "." * len(after)
    return Rna.from_text(f"{first}&{second}"), Structure.from_dot_bracket(dot_bracket)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights")
    parser.add_argument("--count", type=int, default=50)
    arguments = parser.parse_args()
    predictor = load_predictor(arguments.weights)
    draw = random.Random(0)
    print("| duplex | pairs | rnass | ViennaRNA MFE |\n|---|---|---|---|")
    for kind in ("alone", "free ends", "beside a hairpin"):
        for pairs in (4, 7, 10, 20):
            cases = [designed(draw, pairs, kind) for _ in range(arguments.count)]
            ours, theirs = [], []
            for row in predictor.predict(sequence for sequence, _ in cases):
                if row.prediction is None:
                    raise SystemExit(str(row.error))
                truth = cases[row.number][1]
                ours.append(score(truth, row.prediction.structure).f1)
                theirs.append(score(truth, row.prediction.thermodynamics.mfe_structure).f1)
            print(f"| {kind} | {pairs} | {np.mean(ours):.2f} | {np.mean(theirs):.2f} |")


if __name__ == "__main__":
    main()
