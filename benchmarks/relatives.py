"""What relatives add: strict mean F1 by number of relatives, rnass beside RNAalifold.

    python benchmarks/relatives.py ALIGNMENTS RECORDS [--weights NAME_OR_FILE] [--limit 100] [--mirrored]
        [--parts]

ALIGNMENTS is a Stockholm file of families, RECORDS labelled RNAs that are rows of them. One record is
taken of each family, with relatives drawn among the other rows. The known structure is often the
family's consensus, projected, so all methods that read the alignment score higher than on an independent
structure.

The last columns are the F1 of crossing pairs, of all records together that have any, and what a wrong
alignment makes of all pairs: the bases of each row in columns drawn at random.
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
from rnass.metrics import confusion, crossing_pairs, pooled, score
from rnass.prediction import relatives
from rnass.prediction.predictor import Predictor, load_predictor
from rnass.prediction.relatives import DECODING, AlignedRow, AlignedRows, combine, decoded_map, trust
from rnass.rna import Rna
from rnass.structure import Structure
from rnass.thermodynamics.ensemble import Ensemble
from rnass.training.records import Example, read_examples

METHODS = ("rnass alone", "RNAalifold MFE", "RNAalifold probabilities", "rnass with relatives")
WRONG = "misaligned"
OF_BPP = DecodingConfig(threshold=0.3)  # of ViennaRNA's probabilities


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


def own_maps(predictor: Predictor, cases: Sequence[Case]) -> dict[str, NDArray[np.float32]]:
    """The pairing probabilities of every row alone, by its bases."""
    every = sorted({bases for case in cases for bases in case.rows.bases}, key=len)
    found = {}
    for row in predictor.predict([Rna(str(k), bases) for k, bases in enumerate(every)]):
        if row.prediction is None:
            raise SystemExit(str(row.error))
        found[row.rna.bases] = row.prediction.probabilities
    return found


@functools.cache
def minimum_energy(bases: str) -> float:
    """The minimum free energy of an RNA, in kcal/mol."""
    return Ensemble(bases).mfe


def truth_of(case: Case) -> Structure:
    """The known structure of a record."""
    return Structure(len(case.example.bases), case.example.pairs)


def structures(
    case: Case, maps: dict[str, NDArray[np.float32]], alone: DecodingConfig
) -> tuple[Structure, ...]:
    """The structure of one record by each of `METHODS`; *alone* decodes the map of one RNA."""
    rows, bases = case.rows, case.example.bases
    places = rows.places[0]
    fold = rows.fold()
    own = [maps[one] for one in rows.bases]
    energies = [minimum_energy(one) for one in rows.bases]
    share = trust(rows, fold, energies)[0]
    row = AlignedRow(bases, places, own[0])
    together = decoded_map(combine(rows, own, fold), row, share, alone)
    place = np.full(len(rows.texts[0]), -1)
    place[places] = np.arange(len(places))
    consensus = place[fold.mfe_structure.pairs]
    return (
        decode(own[0], bases, alone),
        Structure(len(bases), consensus[(consensus >= 0).all(1)]),
        decode(fold.bpp.dense()[np.ix_(places, places)], bases, OF_BPP),
        decode(together, bases, replace(alone, **DECODING)),
    )


def compare(cases: list[Case], maps: dict[str, NDArray[np.float32]], alone: DecodingConfig) -> None:
    """Print the table of methods by number of relatives."""
    crossing = [METHODS[0], METHODS[-1]]
    names = (*METHODS, "records with crossing pairs", *(f"crossing, {name}" for name in crossing), WRONG)
    print(f"| relatives | records | identity | {' | '.join(names)} |")
    print(f"|---|---|---|{'---|' * len(names)}")
    draw = random.Random(0)
    for number in (1, 2, 4, 10, 20):
        chosen = [case.with_relatives(number) for case in cases if len(case.rows.texts) > number]
        if not chosen:
            continue
        identity = np.mean([case.rows.identities[0, 1:].mean() for case in chosen])
        found = [structures(one, maps, alone) for one in chosen]
        truths = [truth_of(one) for one in chosen]
        wrong = [structures(one.misaligned(draw), maps, alone)[-1] for one in chosen]
        means = [f1(truths, method) for method in zip(*found, strict=True)]
        knotted = [k for k, one in enumerate(truths) if one.crossing.any()]
        counted = [
            [confusion(crossing_pairs(truths[k]), crossing_pairs(found[k][place])) for k in knotted]
            for place in (0, -1)
        ]
        cells = [*(f"{mean:.3f}" for mean in means), str(len(knotted))]
        cells += [f"{pooled(one).f1:.3f}" if one else "" for one in counted]
        cells.append(f"{f1(truths, wrong):.3f}")
        print(f"| {number} | {len(chosen)} | {identity:.2f} | {' | '.join(cells)} |", flush=True)


def f1(truths: Sequence[Structure], found: Sequence[Structure]) -> float:
    """Strict mean F1."""
    each = [score(truth, one).f1 for truth, one in zip(truths, found, strict=True)]
    return float(np.mean(each))


def settings() -> Iterator[dict[str, float]]:
    """Weights of the parts to try."""
    names = ("MOST_COMPARATIVE", "HALF_DEPTH")
    for values in itertools.product((0.4, 0.5, 0.6, 0.8), (1.5, 2.0)):
        yield dict(zip(names, values, strict=True))


def try_parts(cases: list[Case], maps: dict[str, NDArray[np.float32]], alone: DecodingConfig) -> None:
    """Print the F1 with relatives by each setting, a column for each number of relatives."""
    numbers = (1, 2, 4, 10, 20)
    print(f"| setting | {' | '.join(map(str, numbers))} |\n|---{'|---' * len(numbers)}|")
    for setting in settings():
        for name, value in setting.items():
            setattr(relatives, name, value)
        means = []
        for number in numbers:
            used = [case.with_relatives(number) for case in cases if len(case.rows.texts) > number]
            last = [structures(case, maps, alone)[-1] for case in used]
            means.append(f1([truth_of(case) for case in used], last) if used else np.nan)
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
    predictor = load_predictor(arguments.weights)
    maps = own_maps(predictor, cases)
    if arguments.parts:
        try_parts(cases, maps, predictor.decoding)
    else:
        compare(cases, maps, predictor.decoding)


if __name__ == "__main__":
    main()
