"""RNAs predicted whole against the same RNAs predicted in windows.

    python benchmarks/windows.py FILE ... [--windows 300 500] [--bases 500 1800] [--limit 20]

The records are chosen evenly over the lengths. An RNA that is no longer than a window counts as it is
predicted whole. For each range of lengths: known pairs that one window at least holds, which is all that
windows can find; strict F1, mean over the RNAs and pooled; mean sensitivity; mean confidence; expected
pairs (the sum of all probabilities) over known pairs; seconds an RNA. Prints a Markdown table.
"""

import argparse
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch

from rnass.metrics import Confusion, confusion, pooled, scores
from rnass.network.heap import keep_freed_memory
from rnass.prediction.predictor import Predictor, load_predictor
from rnass.prediction.windows import Windows
from rnass.rna import Rna
from rnass.structure import Structure
from rnass.training.records import Example, read_examples


@dataclass(frozen=True)
class Row:
    """One RNA, predicted whole or in windows.

    Attributes:
        length: bases.
        counts: pairs that agree.
        held: share of the known pairs that one window holds.
        confidence: the F1 expected of the structure.
        expected: pairs, the sum of all probabilities.
        seconds: time taken.
    """

    length: int
    counts: Confusion
    held: float
    confidence: float
    expected: float
    seconds: float


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="+", help="files of labelled records")
    parser.add_argument("--windows", nargs="+", type=int, default=[300, 500], help="bases of a window")
    parser.add_argument("--bases", nargs=2, type=int, default=[500, 1800], help="range of lengths")
    parser.add_argument("--edges", nargs="*", type=int, default=[1000], help="lengths to divide it at")
    parser.add_argument("--limit", type=int, default=20, help="RNAs")
    parser.add_argument("--weights", help="name or path; the default ones unless given")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    logging.getLogger("rnass").setLevel(logging.ERROR)
    keep_freed_memory()
    torch.set_num_threads(arguments.threads)
    least, most = arguments.bases
    examples = chosen(read_examples(arguments.sets, least, most), arguments.limit)
    predictor = load_predictor(arguments.weights)
    whole = [row for row in judged(predictor, examples, None) if row]
    found: dict[int | None, list[Row]] = {None: whole}
    for size in arguments.windows:
        found[size] = [
            in_parts if in_parts is not None else row
            for in_parts, row in zip(judged(predictor, examples, size), whole, strict=True)
        ]
    print(
        "| bases | RNAs | predicted | pairs held | F1 | pooled F1 | sensitivity | confidence "
        "| expected / known pairs | s |"
    )
    print(f"{'|---' * 10}|")
    for low, high in pairwise([least - 1, *arguments.edges, most]):
        for size, rows in found.items():
            if part := [row for row in rows if low < row.length <= high]:
                name = "whole" if size is None else f"windows of {size}"
                print("|", " | ".join([f"{low + 1}-{high}", str(len(part)), name, *cells(part)]), "|")


def chosen(examples: Sequence[Example], limit: int) -> list[Example]:
    """So many examples, evenly over the lengths, the longest among them."""
    ordered = sorted(examples, key=lambda one: (len(one.bases), one.id))
    number = min(limit, len(ordered))
    return [ordered[k] for k in np.linspace(0, len(ordered) - 1, number).round().astype(int)]


def judged(predictor: Predictor, examples: Sequence[Example], size: int | None) -> Iterator[Row | None]:
    """A row for each example, whole for None; None where it is no longer than a window."""
    for example in examples:
        length = len(example.bases)
        if size is not None and length <= size:
            yield None
            continue
        predictor.windows = None if size is None else Windows(size, size)
        prediction = predictor(Rna(example.id, example.bases))
        known = Structure(length, example.pairs)
        starts = [0] if size is None else Windows(size, size).starts(length)
        yield Row(
            length,
            confusion(known, prediction.structure),
            share_held(known, starts, size or length),
            prediction.confidence,
            float(prediction.probabilities.sum(dtype=np.float64)) / 2,
            prediction.seconds,
        )


def share_held(known: Structure, starts: Sequence[int], size: int) -> float:
    """The share of known pairs whose two bases lie in one window."""
    i, j = known.pairs.T[:, :, None]
    first = np.array(starts)
    return float(((i >= first) & (j < first + size)).any(1).mean()) if len(known.pairs) else 1.0


def cells(rows: Sequence[Row]) -> list[str]:
    """The cells of a line of the table."""
    each = [scores(row.counts) for row in rows]
    return [
        f"{np.mean([row.held for row in rows]):.3f}",
        f"{np.mean([one.f1 for one in each]):.3f}",
        f"{pooled([row.counts for row in rows]).f1:.3f}",
        f"{np.mean([one.sensitivity for one in each]):.3f}",
        f"{np.mean([row.confidence for row in rows]):.3f}",
        f"{sum(row.expected for row in rows) / sum(row.counts.reference for row in rows):.2f}",
        f"{np.mean([row.seconds for row in rows]):.1f}",
    ]


if __name__ == "__main__":
    main()
