"""Labelled records read from 3' to 5': RNAs of families that no network was trained on.

    python benchmarks/backwards.py RECORDS.tsv.gz --out backwards.tsv [--every 1]

Helices and loops stay as they are, and energies predict them nearly as well as before, but a family
that was learnt by its sequence is not there any more. Records of two strands are left out. The table can
be given to `rnass evaluate --data`, `benchmarks/energies.py` and `benchmarks/bpp_weight.py`.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rnass.io.tsv import LabelledRecord, read_labelled_tsv, write_labelled_tsv
from rnass.structure import Structure
from rnass.training.records import Example


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("records", help="labelled records")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--every", type=int, default=1, help="take each so manieth record")
    arguments = parser.parse_args()
    records = [one for one in read_labelled_tsv(arguments.records) if one.sequence.nick is None]
    chosen = records[:: arguments.every]
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    write_labelled_tsv(arguments.out, map(turned, chosen))
    print(f"{len(chosen)} records")


def turned(record: LabelledRecord) -> LabelledRecord:
    """The record read from 3' to 5'."""
    rna = replace(record.sequence, bases=record.sequence.bases[::-1])
    pairs = _turned_pairs(record.structure.pairs, len(rna))
    return replace(record, sequence=rna, structure=Structure(len(rna), pairs))


def backwards(example: Example) -> Example:
    """The same of an example of training or validation."""
    pairs = _turned_pairs(example.pairs, len(example.bases))
    return replace(example, bases=example.bases[::-1], pairs=pairs)


def _turned_pairs(pairs: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    return length - 1 - pairs[:, ::-1]


if __name__ == "__main__":
    main()
