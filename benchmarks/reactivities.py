"""Structures with and without reactivities: rnass, and ViennaRNA with Deigan's pseudo-energies.

    python benchmarks/reactivities.py FILE [--weights NAME] [--least-auc 0.7]

FILE: a table with the columns of `rnass.training.profiles.read_profiles`, dot_bracket (the known
structure) and auc (the area under the curve of unpaired against paired bases by reactivity); rows
below --least-auc hold too little to judge by. Prints a Markdown table of strict mean F1. ViennaRNA's
MFE is that of Turner 2004, its pseudo-energies those of `sc_add_SHAPE_deigan` with its defaults, where
a negative reactivity counts as missing. Nothing is fitted to these profiles.
"""

import argparse
import csv

import numpy as np
import RNA
from numpy.typing import NDArray

from rnass.decoding import pseudo_reactivities
from rnass.decoding.probing import DEIGAN_INTERCEPT, DEIGAN_SLOPE
from rnass.files import read_lines
from rnass.metrics import score
from rnass.prediction.predictor import load_predictor
from rnass.rna import MISSING_REACTIVITY, Rna
from rnass.structure import Structure


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file")
    parser.add_argument("--weights")
    parser.add_argument("--least-auc", type=float, default=0.7)
    arguments = parser.parse_args()
    predictor = load_predictor(arguments.weights)
    methods = ("deigan", "likelihood")
    head = ["modifier", "RNAs", "rnass", *(f"rnass, {one}" for one in methods), "MFE", "MFE, deigan"]
    print(f"| {' | '.join(head)} |\n{'|---' * len(head)}|")
    rows = [
        row
        for row in csv.DictReader(read_lines(arguments.file), delimiter="\t")
        if float(row["auc"]) >= arguments.least_auc
    ]
    for modifier in sorted({row["modifier"] for row in rows}):
        f1 = []
        for row in (row for row in rows if row["modifier"] == modifier):
            bases, known = row["sequence"], Structure.from_dot_bracket(row["dot_bracket"])
            values = np.array([float(text) if text else np.nan for text in row["reactivity"].split(",")])
            found = [predictor(bases).structure]
            for method in methods:
                given = pseudo_reactivities(values, bases, modifier=modifier, method=method)
                rna = Rna(row["id"], bases, reactivities=tuple(given.tolist()))
                found.append(predictor(rna).structure)
            found += [minimum(bases, None), minimum(bases, values)]
            f1.append([score(known, structure).f1 for structure in found])
        cells = [modifier, str(len(f1)), *(f"{mean:.3f}" for mean in np.mean(f1, axis=0))]
        print(f"| {' | '.join(cells)} |", flush=True)


def minimum(bases: str, reactivities: NDArray[np.float64] | None) -> Structure:
    """ViennaRNA's structure of minimum free energy, as its users get it."""
    compound = RNA.fold_compound(bases)
    if reactivities is not None:
        values = np.nan_to_num(reactivities, nan=MISSING_REACTIVITY).tolist()
        compound.sc_add_SHAPE_deigan([MISSING_REACTIVITY, *values], DEIGAN_SLOPE, DEIGAN_INTERCEPT)
    return Structure.from_dot_bracket(compound.mfe()[0])


if __name__ == "__main__":
    main()
