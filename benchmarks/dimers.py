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
from rnass.prediction.predictor import Predictor, load_predictor
from rnass.rna import Rna
from rnass.structure import Structure

KINDS = ("alone", "with free ends", "beside a hairpin")
PAIRS = (4, 7, 10, 20)
COMPLEMENT = str.maketrans("ACGU", "UGCA")


def designed(draw: random.Random, pairs: int, kind: str) -> tuple[Rna, Structure]:
    """Two strands and the structure they were made for."""

    def bases(count: int) -> str:
        return "".join(draw.choices("ACGU", k=count))

    stem, arm = bases(pairs), bases(6)
    before, symbols = {
        "alone": ("", ""),
        "with free ends": (bases(10), "." * 10),
        "beside a hairpin": (f"{arm}GAAA{arm[::-1].translate(COMPLEMENT)}", "((((((....))))))"),
    }[kind]
    after = bases(10) if kind == "with free ends" else ""
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
    print(f"| pairs of the duplex | {' | '.join(map(str, PAIRS))} |\n|---{'|---' * len(PAIRS)}|")
    for kind in KINDS:
        means = [of_one_kind(predictor, draw, pairs, kind, arguments.count) for pairs in PAIRS]
        for method, cells in zip(("rnass", "ViennaRNA MFE"), zip(*means, strict=True), strict=True):
            print(f"| {kind}: {method} |", *(f"{cell:.2f} |" for cell in cells))


def of_one_kind(
    predictor: Predictor, draw: random.Random, pairs: int, kind: str, count: int
) -> tuple[float, float]:
    """Mean F1 of rnass and of ViennaRNA's MFE structure on *count* dimers."""
    cases = [designed(draw, pairs, kind) for _ in range(count)]
    ours, theirs = [], []
    for row in predictor.predict(rna for rna, _ in cases):
        if row.prediction is None:
            raise SystemExit(str(row.error))
        truth = cases[row.number][1]
        ours.append(score(truth, row.prediction.structure).f1)
        theirs.append(score(truth, row.prediction.thermodynamics.mfe_structure).f1)
    return float(np.mean(ours)), float(np.mean(theirs))


if __name__ == "__main__":
    main()
