"""Programs and packages of others that rnass can do without: found, or named with what to install."""

import shutil
import subprocess
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from rnass.errors import DependencyError, RnassError

__all__ = ["import_package", "require_program", "run_program"]

_SHOWN = 300  # characters of a message, the last ones: what failed stands behind what was done


def import_package(name: str, wanted_by: str, expected: str) -> Any:
    """Import an optional package or a module of it.

    Raises:
        DependencyError: it is not installed; with what it is *wanted_by* and what was *expected*.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise DependencyError(f"{wanted_by}: {name} is not installed; expected {expected}") from error


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
