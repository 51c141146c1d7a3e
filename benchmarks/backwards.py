"""Labelled records read from 3' to 5': RNAs of families that no network was trained on.

    python benchmarks/backwards.py RECORDS.tsv.gz --out backwards.tsv [--every 1]

Helices and loops stay as they are, and energies predict them nearly as well as before, but a family
that was learnt by its sequence is not there any more. Records of two strands are left out. The table can
be given to `rnass evaluate --data`, `benchmarks/energies.py` and `benchmarks/bpp_weight.py`.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from rnass.io.tsv import LabelledRecord, read_labelled_tsv, write_labelled_tsv
from rnass.structure import Structure


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
    write_labelled_tsv(arguments.out, [backwards(one) for one in chosen])
    print(f"{len(chosen)} records")


def backwards(record: LabelledRecord) -> LabelledRecord:
    """The record read from 3' to 5'."""
    length = len(record.sequence)
    turned = replace(record.sequence, bases=record.sequence.bases[::-1])
    pairs = length - 1 - record.structure.pairs[:, ::-1]
    return replace(record, sequence=turned, structure=Structure(length, pairs))


if __name__ == "__main__":
    main()
