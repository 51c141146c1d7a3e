"""Predict well-known RNAs and say which of their base pairs are found, beside ViennaRNA's MFE.

    python examples/against_known.py

The structures in known.dbn are from crystals, NMR and comparative analysis; each title names its source.
"""

from pathlib import Path

import rnass
from rnass.io import read_dot_bracket
from rnass.metrics import score

predictor = rnass.load_predictor()
for sequence, known in read_dot_bracket(Path(__file__).with_name("known.dbn")):
    prediction = predictor(sequence)
    mfe = prediction.thermodynamics.mfe_structure
    ours, theirs = score(known, prediction.structure), score(known, mfe)
    print(f"{sequence.description}\n{sequence.bases}")
    print(f"{known.dot_bracket}  known")
    print(f"{prediction.dot_bracket}  rnass: {ours.tp} of {ours.tp + ours.fn} pairs, {ours.fp} others")
    print(
        f"{mfe.dot_bracket}  ViennaRNA MFE: {theirs.tp} of {theirs.tp + theirs.fn}, {theirs.fp} others\n"
    )
