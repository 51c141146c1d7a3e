"""What relatives add: strict mean F1 by number of relatives, rnass beside RNAalifold.

    python benchmarks/relatives.py ALIGNMENTS RECORDS [--weights NAME_OR_FILE] [--limit 100] [--mirrored]
        [--parts]

ALIGNMENTS is a Stockholm file of families, RECORDS labelled RNAs that are rows of them. One record is
taken of each family, with relatives drawn among the other rows. The known structure is often the
family's consensus, projected, so all methods that read the alignment score higher than on an independent
structure.

The last column is what a wrong alignment makes of it: the bases of each row in columns drawn at random.
--mirrored reads every row backwards: the same helices and covariation, but of families that no network
was trained on. --parts tries weights of the parts instead, to choose them on such families.
"""

import argparse
import functools
import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from backwards import backwards
from numpy.typing import NDArray

from rnass.config import DecodingConfig
from rnass.decoding import decode
from rnass.io.alignments import read_alignments
from rnass.metrics import score
from rnass.prediction import relatives
from rnass.prediction.predictor import Predictor, load_predictor
from rnass.prediction.relatives import THRESHOLD, AlignedRows, combine, decoded_map, trust
from rnass.rna import Rna
from rnass.structure import Structure
from rnass.thermodynamics.ensemble import Ensemble
from rnass.training.records import Example, read_examples

METHODS = ("rnass alone", "RNAalifold MFE", "RNAalifold probabilities", "rnass with relatives")
WRONG = "misaligned"
DECODING = DecodingConfig(threshold=THRESHOLD)


@dataclass(frozen=True)
class Case:
    """A record and the rows of its family, its own first."""

    example: Example
    rows: AlignedRows

    def with_relatives(self, number: int) -> "Case":
        """The record with so many of its relatives, columns without a base left out."""
        texts = self.rows.texts[: number + 1]
        columns = [k for k in range(len(texts[0])) if any(text[k] != "-" for text in texts)]
        kept = tuple("".join(text[k] for k in columns) for text in texts)
        return replace(self, rows=AlignedRows(self.rows.names[: number + 1], kept))

    def misaligned(self, draw: random.Random) -> "Case":
        """The same rows, the bases of each in columns that are drawn at random, in their order."""
        width = len(self.rows.texts[0]) * 4 // 3
        texts = []
        for bases in self.rows.bases:
            row = ["-"] * width
            for column, base in zip(sorted(draw.sample(range(width), len(bases))), bases, strict=True):
                row[column] = base
            texts.append("".join(row))
        return replace(self, rows=AlignedRows(self.rows.names, tuple(texts)))


def mirrored(case: Case) -> Case:
    """The same RNAs read from 3' to 5'."""
    texts = tuple(text[::-1] for text in case.rows.texts)
    return Case(backwards(case.example), AlignedRows(case.rows.names, texts))


def read_cases(alignments: str, records: str, limit: int, most: int) -> list[Case]:
    """One record of each family that has relatives, in random order."""
    draw = random.Random(0)
    by_bases: dict[str, list[Example]] = {}
    for example in read_examples([records]):
        by_bases.setdefault(example.bases, []).append(example)
    cases = []
    for alignment in read_alignments(alignments):
        found = [
            (name, example)
            for name, text in alignment.rows.items()
            for example in by_bases.get(text.replace("-", ""), [])[:1]
        ]
        if not found or len(alignment.rows) < 2:
            continue
        own, example = draw.choice(found)
        others = [name for name in alignment.rows if name != own]
        names = (own, *draw.sample(others, min(most, len(others))))
        cases.append(Case(example, AlignedRows(names, tuple(alignment.rows[name] for name in names))))
    draw.shuffle(cases)
    return cases[:limit]


def own_maps(predictor: Predictor, cases: Sequence[Case]) -> dict[str, NDArray[np.float16]]:
    """The pairing probabilities of every row alone, by its bases."""
    every = sorted({bases for case in cases for bases in case.rows.bases}, key=len)
    found = {}
    for row in predictor.predict([Rna(str(k), bases) for k, bases in enumerate(every)]):
        if row.prediction is None:
            raise SystemExit(str(row.error))
        found[row.rna.bases] = row.prediction.probabilities.astype(np.float16)
    return found


@functools.cache
def minimum_energy(bases: str) -> float:
    """The minimum free energy of an RNA, in kcal/mol."""
    return Ensemble(bases).mfe


def scores(case: Case, maps: dict[str, NDArray[np.float16]]) -> tuple[float, ...]:
    """F1 of each of `METHODS` on one record."""
    rows, bases = case.rows, case.example.bases
    truth = Structure(len(bases), case.example.pairs)
    places = rows.places[0]
    fold = rows.fold()
    own = [maps[one] for one in rows.bases]
    energies = [minimum_energy(one) for one in rows.bases]
    share = trust(rows, fold, energies)[0]
    together = decoded_map(combine(rows, own, fold), places, own[0], rows.depth, share)
    place = np.full(len(rows.texts[0]), -1)
    place[places] = np.arange(len(places))
    consensus = place[fold.mfe_structure.pairs]
    structures = (
        decode(own[0], bases, DECODING),
        Structure(len(bases), consensus[(consensus >= 0).all(1)]),
        decode(fold.bpp.dense()[np.ix_(places, places)], bases, DECODING),
        decode(together, bases, DECODING),
    )
    return tuple(score(truth, structure).f1 for structure in structures)


def compare(cases: list[Case], maps: dict[str, NDArray[np.float16]]) -> None:
    """Print the table of methods by number of relatives."""
    names = (*METHODS, WRONG)
    print(f"| relatives | records | identity | {' | '.join(names)} |")
    print(f"|---|---|---|{'---|' * len(names)}")
    draw = random.Random(0)
    for number in (1, 2, 4, 10, 20):
        chosen = [case.with_relatives(number) for case in cases if len(case.rows.texts) > number]
        if not chosen:
            continue
        identity = np.mean([case.rows.identities[0, 1:].mean() for case in chosen])
        rows = [(*scores(one, maps), scores(one.misaligned(draw), maps)[-1]) for one in chosen]
        means = np.mean(rows, axis=0)
        cells = " | ".join(f"{mean:.3f}" for mean in means)
        print(f"| {number} | {len(chosen)} | {identity:.2f} | {cells} |", flush=True)


def settings() -> Iterator[dict[str, float]]:
    """Weights of the parts to try."""
    names = ("MOST_COMPARATIVE", "HALF_DEPTH")
    for values in itertools.product((0.5, 0.65, 0.8), (1.5, 3.0)):
        yield dict(zip(names, values, strict=True))


def try_parts(cases: list[Case], maps: dict[str, NDArray[np.float16]]) -> None:
    """Print the F1 with relatives by each setting, a column for each number of relatives."""
    numbers = (1, 2, 4, 10, 20)
    print(f"| setting | {' | '.join(map(str, numbers))} |\n|---{'|---' * len(numbers)}|")
    for setting in settings():
        for name, value in setting.items():
            setattr(relatives, name, value)
        means = []
        for number in numbers:
            used = [case.with_relatives(number) for case in cases if len(case.rows.texts) > number]
            means.append(np.mean([scores(case, maps)[-1] for case in used]) if used else np.nan)
        print(f"| {setting} | {' | '.join(f'{mean:.3f}' for mean in means)} |", flush=True)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("alignments")
    parser.add_argument("records")
    parser.add_argument("--weights")
    parser.add_argument("--limit", type=int, default=100, help="families")
    parser.add_argument("--mirrored", action="store_true", help="read every row backwards")
    parser.add_argument("--parts", action="store_true", help="try weights of the parts")
    arguments = parser.parse_args()
    cases = read_cases(arguments.alignments, arguments.records, arguments.limit, 20)
    if arguments.mirrored:
        cases = [mirrored(case) for case in cases]
    maps = own_maps(load_predictor(arguments.weights), cases)
    if arguments.parts:
        try_parts(cases, maps)
    else:
        compare(cases, maps)


if __name__ == "__main__":
    main()
