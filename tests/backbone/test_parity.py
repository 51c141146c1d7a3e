"""Agreement with the authors' code, multimolecule and transformers, run beside rnass.

The oracle is what those packages compute from checkpoints that they saved themselves. Where they are
not installed, `test_golden.py` compares with what they said when they were.
"""

import pytest
from parity import assert_agrees
from reference_models import CASES, MASKED

PACKAGES = {
    "official_rna_fm": ["fm"],
    "multimolecule": ["multimolecule"],
    "plantrna_fm": ["transformers"],
}


@pytest.mark.filterwarnings("ignore")  # the reference packages warn of their own dependencies
@pytest.mark.parametrize("name", CASES)
def test_a_reference_agrees(name, tmp_path):
    make, settings = CASES[name]
    for package in PACKAGES.get(make.__name__, ["modelgenerator", "transformers"]):
        pytest.importorskip(package)
    if "multimolecule" in name and not hasattr(
        __import__("multimolecule"), settings.get("kind", "RnaFm") + "Config"
    ):
        pytest.skip("this version of multimolecule has no AIDO.RNA; 0.0.8 has")
    assert_agrees(tmp_path, make(tmp_path, **settings), MASKED)
