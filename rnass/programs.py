"""Programs that others wrote, run silently."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from rnass.errors import DependencyError, RnassError

__all__ = ["require_program", "run_program"]

_SHOWN = 300  # characters of a message, the last ones: what failed stands behind what was done


def require_program(program: str, expected: str) -> None:
    """Raise DependencyError, with what was *expected*, unless a program is installed."""
    if shutil.which(program) is None:
        raise DependencyError(f"{program}: not installed; expected {expected}")


def run_program(
    command: Sequence[str], folder: Path, expected: str, *, error: type[RnassError] = DependencyError
) -> str:
    """Run a program in *folder*; gives what it writes to standard output.

    Raises:
        DependencyError: or *error*: it fails; with its message and what was *expected*.
    """
    done = subprocess.run(list(command), cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        message = " ".join((done.stderr or done.stdout).split()) or f"exit status {done.returncode}"
        raise error(f"{command[0]}: {message[-_SHOWN:]}; expected {expected}")
    return done.stdout
