"""How well embeddings align members of a family: share of Rfam's aligned pairs of bases that come back.

    python benchmarks/alignment.py --seeds ../shared/data/rfam/train_seeds.sto.gz [--backbone FILE ...]

RNABERT was trained for this (structural alignment, Akiyama & Sakakibara 2022,
doi:10.1093/nargab/lqac012); rnass's backbones were not. Two members of each family, of different bases
in a third to two thirds of their shared columns, are aligned globally (Needleman & Wunsch) by the cosine
of their centred embeddings; the gap penalty is the best of four on every third family, which is left
out of the score. One-hot bases and an encoder of random weights stand beside them.
"""

import argparse
import random
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray

from rnass.backbone.embeddings import embed
from rnass.backbone.encoder import Encoder
from rnass.io.stockholm import Alignment, read_stockholm
from rnass.network.weights import open_backbone

Columns = set[tuple[int, int]]

GAPS = (0.1, 0.3, 0.6, 1.0)  # of a similarity with mean 0 and standard deviation 1
DIFFERENT = (1 / 3, 2 / 3)


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", required=True, help="Stockholm file of Rfam's seed alignments")
    parser.add_argument("--backbone", nargs="*", default=["small-backbone", "base"])
    parser.add_argument("--families", type=int, default=300)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    draw = random.Random(0)
    alignments = [a for a in read_stockholm(arguments.seeds) if len(next(iter(a.rows.values()))) <= 200]
    draw.shuffle(alignments)
    pairs = [pair for a in alignments if (pair := members(a, draw))][: arguments.families]
    known = {name: open_backbone(name).encoder.eval() for name in arguments.backbone}
    torch.manual_seed(0)
    random_weights = Encoder(next(iter(known.values())).config).eval()
    print(f"{len(pairs)} families\n\n| aligned by | aligned pairs that come back |\n|---|---|")
    for name, encoder in {"bases alone": None, "random weights": random_weights, **known}.items():
        similar = [similarity(encoder, first, second) for first, second, _ in pairs]
        kept = [reference for _, _, reference in pairs]
        best = max(GAPS, key=lambda gap: mean_recall(similar[::3], kept[::3], gap))
        rest = [k for k in range(len(pairs)) if k % 3]
        share = mean_recall([similar[k] for k in rest], [kept[k] for k in rest], best)
        print(f"| {name} | {share:.3f} |", flush=True)


def members(alignment: Alignment, draw: random.Random) -> tuple[str, str, Columns] | None:
    """Two rows that differ as they should, without gaps, and which of their bases are aligned."""
    rows = list(alignment.rows.values())
    draw.shuffle(rows)
    for one, other in pairwise(rows):
        reference = set(shared(one, other))
        first, second = (row.upper().replace("-", "").replace(".", "") for row in (one, other))
        apart = sum(first[i] != second[j] for i, j in reference)
        if reference and DIFFERENT[0] <= apart / len(reference) <= DIFFERENT[1]:
            return first, second, reference
    return None


def shared(one: str, other: str) -> Iterator[tuple[int, int]]:
    """Places of the bases that stand in one column."""
    i = j = 0
    for a, b in zip(one, other, strict=True):
        if a.isalpha() and b.isalpha():
            yield i, j
        i, j = i + a.isalpha(), j + b.isalpha()


def similarity(encoder: Encoder | None, first: str, second: str) -> NDArray[np.float64]:
    """Of every base with every other, (L, M), mean 0, standard deviation 1."""
    if encoder is None:
        both = [np.eye(5)[["ACGUN".find(base) for base in rna]] for rna in (first, second)]
    else:
        found = sorted(embed(encoder, [first, second]), key=lambda one: one.number)
        both = [one.tokens.numpy() for one in found]
    centre = np.concatenate(both).mean(0)
    u, v = (one - centre for one in both)
    u, v = (one / np.maximum(np.linalg.norm(one, axis=1, keepdims=True), 1e-9) for one in (u, v))
    cosine = u @ v.T
    return np.asarray((cosine - cosine.mean()) / (cosine.std() + 1e-9), dtype=np.float64)


def mean_recall(similar: list[NDArray[np.float64]], references: list[Columns], gap: float) -> float:
    """Mean share of the reference's aligned pairs that the best alignments hold."""
    both = zip(similar, references, strict=True)
    return float(np.mean([len(aligned(s, gap) & kept) / len(kept) for s, kept in both]))


def aligned(similar: NDArray[np.float64], gap: float) -> Columns:
    """The pairs of a best global alignment, each gap costing *gap*."""
    rows, columns = similar.shape
    steps = gap * np.arange(columns + 1)
    best = np.zeros((rows + 1, columns + 1))
    best[0] = -steps
    for i in range(rows):
        here = np.maximum(best[i] - gap, -np.inf)
        here[1:] = np.maximum(here[1:], best[i, :-1] + similar[i])
        best[i + 1] = np.maximum.accumulate(here + steps) - steps  # gaps in the row, however long
    pairs, i, j = set(), rows, columns
    while i and j:
        if np.isclose(best[i, j], best[i - 1, j - 1] + similar[i - 1, j - 1]):
            i, j = i - 1, j - 1
            pairs.add((i, j))
        elif np.isclose(best[i, j], best[i - 1, j] - gap):
            i -= 1
        else:
            j -= 1
    return pairs


if __name__ == "__main__":
    main()
