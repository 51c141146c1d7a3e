"""How good and how honest pairing probabilities are, set by set and by length.

    python benchmarks/pairing.py FILE ... [--weights NAME] [--max-length 400] [--every 4]

For each set: strict F1, mean over the RNAs; the same of crossing pairs where the known structure has
any; the correlation (Pearson) of confidence and F1; the largest sum of a base's probabilities to pair.
For each length: F1, mean confidence, and expected pairs (the sum of all probabilities) over known pairs,
once all of them, once those that can be decoded (canonical, loops of three bases and more). Prints two
Markdown tables.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from rnass.decoding import allowed_pairs
from rnass.metrics import crossing_pairs, score
from rnass.network.heap import keep_freed_memory
from rnass.prediction.predictor import Prediction, Predictor, load_predictor
from rnass.rna import Rna
from rnass.structure import Structure
from rnass.training.records import Example, read_examples

EDGES = (0, 50, 100, 200, 400, 1000, 2000)


@dataclass(frozen=True)
class Row:
    """One RNA, judged.

    Attributes:
        length: bases.
        f1, crossing: strict F1 of all pairs, and of those that cross another; NaN where none is known.
        confidence: the F1 expected of the structure.
        expected, known, decodable: pairs expected, known, and known that can be decoded.
        largest: sum of the probabilities of a base's partners, of the base where it is largest.
    """

    length: int
    f1: float
    crossing: float
    confidence: float
    expected: float
    known: int
    decodable: int
    largest: float


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="+", help="files of labelled records")
    parser.add_argument("--weights", help="name or path; the default ones unless given")
    parser.add_argument("--max-length", type=int, default=10**9)
    parser.add_argument("--every", type=int, default=1, help="take each so-manieth record")
    arguments = parser.parse_args()
    keep_freed_memory()
    predictor = load_predictor(arguments.weights)
    found = {
        path: judged(predictor, read_examples([path], 1, arguments.max_length)[:: arguments.every])
        for path in arguments.sets
    }
    print("| set | RNAs | F1 | crossing F1 (RNAs) | confidence against F1 | largest sum |")
    print("|---|---|---|---|---|---|")
    for path, rows in found.items():
        crossing = np.array([row.crossing for row in rows])
        crossed = crossing[~np.isnan(crossing)]
        cells = [
            f"{np.mean([row.f1 for row in rows]):.3f}",
            f"{crossed.mean():.3f} ({len(crossed)})" if len(crossed) else "",
            f"{np.corrcoef([row.f1 for row in rows], [row.confidence for row in rows])[0, 1]:.2f}",
            f"{max(row.largest for row in rows):.3f}",
        ]
        print("|", " | ".join([path, str(len(rows)), *cells]), "|")
    print("\n| set | bases | RNAs | F1 | confidence | expected / known pairs | / decodable |")
    print("|---|---|---|---|---|---|---|")
    for path, rows in found.items():
        for low, high in pairwise(EDGES):
            if part := [row for row in rows if low < row.length <= high]:
                print("|", " | ".join([path, f"{low + 1}-{high}", *by_length(part)]), "|")


def by_length(rows: list[Row]) -> list[str]:
    """The cells of a line of the second table."""
    expected = sum(row.expected for row in rows)
    return [
        str(len(rows)),
        f"{np.mean([row.f1 for row in rows]):.3f}",
        f"{np.mean([row.confidence for row in rows]):.3f}",
        f"{expected / max(1, sum(row.known for row in rows)):.2f}",
        f"{expected / max(1, sum(row.decodable for row in rows)):.2f}",
    ]


def judged(predictor: Predictor, examples: list[Example]) -> list[Row]:
    """A row for each example."""
    return list(_judged(predictor, examples))


def _judged(predictor: Predictor, examples: list[Example]) -> Iterator[Row]:
    sequences = [Rna(e.id, e.bases) for e in examples]
    for row in predictor.predict(sequences, parallel=True):
        if row.prediction is None:
            raise row.error or ValueError(f"{examples[row.number].id}: no prediction")
        yield row_of(examples[row.number], row.prediction)


def row_of(example: Example, prediction: Prediction) -> Row:
    """What one prediction is worth."""
    known = Structure(len(example.bases), example.pairs)
    crossing = crossing_pairs(known)
    allowed = allowed_pairs(example.bases)
    probabilities = prediction.probabilities.astype(np.float64)
    return Row(
        length=len(example.bases),
        f1=score(known, prediction.structure).f1,
        crossing=score(crossing, crossing_pairs(prediction.structure)).f1
        if len(crossing.pairs)
        else np.nan,
        confidence=prediction.confidence,
        expected=float(np.triu(probabilities, 1).sum()),
        known=len(known.pairs),
        decodable=int(allowed[known.pairs[:, 0], known.pairs[:, 1]].sum()),
        largest=float(probabilities.sum(1).max()),
    )


if __name__ == "__main__":
    main()
