"""The labelled records whose families no training record is of.

    python benchmarks/new_families.py VALIDATION.tsv.gz --trained TRAIN.tsv.gz ... --out new_families.tsv

A record of unknown family is left out: its family may be any. Prints how many there are.
"""

import argparse
from pathlib import Path

from rnass.io.tsv import read_labelled_tsv, write_labelled_tsv
from rnass.training.records import family_names


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("records", help="labelled records to choose from")
    parser.add_argument("--trained", nargs="+", required=True, help="labelled records trained on")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    seen = {
        name
        for path in arguments.trained
        for one in read_labelled_tsv(path)
        for name in family_names(one.family)
    }
    records = read_labelled_tsv(arguments.records)
    new = [
        one
        for one in records
        if family_names(one.family) and not seen.intersection(family_names(one.family))
    ]
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    write_labelled_tsv(arguments.out, new)
    known = {name for one in new for name in family_names(one.family)}
    print(f"{len(new)} of {len(records)} records, of {len(known)} families")


if __name__ == "__main__":
    main()
