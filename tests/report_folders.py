"""Results folders as `rnass predict` leaves them, without predicting anything."""

import json

import numpy as np

from rnass.files import write_npy, write_text
from rnass.io import write_bpseq, write_ct, write_dot_bracket
from rnass.jobs.summary import write_summary
from rnass.rna import Rna
from rnass.structure import Structure

COLUMNS = (
    *("id", "file", "length", "pairs", "pseudoknot_order", "confidence", "mfe_kcal_mol"),
    *("status", "message"),
)
HAIRPIN = ("GGGGAAAACCCC", "((((....))))")
KNOT = ("GGGAACCAACCCAGG", "(((..[[..))).]]")
DIMER = ("GGGG&CCCC", "((((&))))")


def a_map(structure, rng):
    """Probabilities of at least 0.005, in thousandths, that the structure's pairs have the most of."""
    values = np.zeros((len(structure), len(structure)))
    for i, j in structure.pairs:
        values[i, j] = values[j, i] = round(rng.uniform(0.5, 0.99), 3)
    return values


def write_results(folder, records, *, failed=(), formats=True, run=None, vienna=False):
    """Write *records*, (id, bases, brackets), into *folder*, which is made; gives it."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    rows, pairs = [], []
    for k, (name, bases, brackets) in enumerate(records):
        rna = Rna.from_text(bases, f"{name} the header")
        structure = Structure.from_dot_bracket(brackets.replace("&", ""))
        pairs.append((rna, structure))
        rows.append(
            {
                "id": name,
                "file": f"r{k}",
                "length": len(rna),
                "pairs": len(structure.pairs),
                "pseudoknot_order": structure.pseudoknot_order,
                "confidence": round(float(rng.random()), 4),
                "mfe_kcal_mol": round(-float(rng.uniform(1, 50)), 1),
                "status": "ok",
            }
        )
        write_npy(folder / f"r{k}.npy", a_map(structure, rng))
        if vienna:
            write_dot_bracket(folder / f"r{k}.vienna.dbn", [(rna, structure.up_to_order(0))])
        if formats:
            write_ct(folder / f"r{k}.ct", rna, structure)
            write_bpseq(folder / f"r{k}.bpseq", rna, structure)
            write_dot_bracket(folder / f"r{k}.dbn", [(rna, structure)])
    rows += [{"id": name, "status": "failed", "message": message} for name, message in failed]
    write_summary(folder / "summary.tsv", COLUMNS, rows)
    write_dot_bracket(folder / "predictions.dbn", pairs)
    write_text(
        folder / "run.json", json.dumps(run or {"seconds": 3.2, "inputs": ["x.fa"], "exit_status": 0})
    )
    return folder
