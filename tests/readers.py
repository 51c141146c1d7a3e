"""Run commands and code as a reader of the pages does."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SCRIPTS = Path(sys.executable).parent


def run(command, cwd):
    """Run a command with this environment's scripts and this checkout; it must succeed."""
    path = f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}"
    fixed = {"PATH": path, "PYTHONPATH": str(ROOT), "MPLBACKEND": "agg", "NO_COLOR": "1"}
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **fixed},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
