import subprocess
import sys

import rnass.io


def test_importing_io_imports_no_torch():
    code = "import sys, rnass.io; sys.exit('torch' in sys.modules or 'RNA' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_public_names_are_exact_and_sorted():
    # upper case first, then classes, then functions: as ruff sorts them
    kinds = [(not name.isupper(), not name[0].isupper(), name) for name in rnass.io.__all__]
    assert kinds == sorted(kinds)
    assert all(hasattr(rnass.io, name) for name in rnass.io.__all__)
