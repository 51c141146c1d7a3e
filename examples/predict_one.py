"""Predict one RNA and look at what comes back.

python examples/predict_one.py
"""

import rnass

# yeast tRNA-Phe, PDB 1EHZ
prediction = rnass.predict(
    "GCGGAUUUAGCUCAGUUGGGAGAGCGCCAGACUGAAGAUCUGGAGGUCCUGUGUUCGAUCCACAGAAUUCGCACCA"
)
print(prediction.rna.bases)
print(prediction.dot_bracket)
print(
    "".join(str(min(9, int(10 * p))) for p in prediction.base_confidence),
    "tenths of certainty, per base",
)
print(f"expected F1 {prediction.confidence:.2f}")
print(f"ViennaRNA's minimum free energy {prediction.thermodynamics.mfe:.1f} kcal/mol")
