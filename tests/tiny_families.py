"""A made-up family with a pseudoknot, and its covariance model as cmbuild makes it."""

import random
import shutil
import subprocess

import pytest

from rnass.io.stockholm import Alignment, format_stockholm

needs_infernal = pytest.mark.skipif(
    any(shutil.which(program) is None for program in ("cmbuild", "cmsearch")),
    reason="Infernal (cmbuild, cmsearch) is not installed",
)

#            a helix, a loop with a pseudoknot to the tail, the tail
CONSENSUS = "<<<<<<<__AAAAA__>>>>>>>::::aaaaa::"
COMPLEMENT = str.maketrans("ACGU", "UGCA")

# as cmcalibrate -L 0.02 --seed 1 computes them for this model, which takes seconds
_TAILS = """\
ECMLC    0.69574    -6.66387     2.88537       20000       11520  0.001302
ECMGC    1.41735    -4.23035     0.98729       20000        8141  0.000614
ECMLI    0.61483    -6.98749     3.60090       20000       10078  0.001488
ECMGI    1.13913    -4.56571     2.00188       20000        8873  0.000564
"""


def member(rng):
    helix, knot = ("".join(rng.choices("GCGCAU", k=k)) for k in (7, 5))
    return f"{helix}AA{knot}AA{opposite(helix)}AAAA{opposite(knot)}AA"


def opposite(bases):
    """The reverse complement."""
    return bases[::-1].translate(COMPLEMENT)


def seed(accession="RF99999"):
    rng = random.Random(1)
    return Alignment(
        accession, "made", {f"m{k}": member(rng) for k in range(12)}, {"SS_cons": CONSENSUS}
    )


def save_family(folder, *, gathering="15.00", calibrated=True, name="family"):
    """Write NAME.sto and NAME.cm; gives the path of the model."""
    text = format_stockholm([seed()])
    if gathering:
        text = text.replace("#=GF ID made\n", f"#=GF ID made\n#=GF GA {gathering}\n")
    (folder / f"{name}.sto").write_text(text)
    path = folder / f"{name}.cm"
    command = ["cmbuild", "-F", str(path), str(folder / f"{name}.sto")]
    subprocess.run(command, check=True, capture_output=True)
    if calibrated:
        path.write_text(path.read_text().replace("\nCM\n", f"\n{_TAILS}CM\n"))
    return path
