"""Infernal's programs (Nawrocki & Eddy 2013, doi:10.1093/bioinformatics/btt509)."""

import re
from collections.abc import Sequence
from pathlib import Path

from rnass.errors import InputError
from rnass.programs import require_program, run_program

__all__ = ["match_columns", "require_infernal", "run_infernal"]

_MATCH_NODE = re.compile(r" *\[ MAT([PLR]) +\d+ \] +(\S+) +(\S+)")  # such as [ MATP 5 ] 1 896 ...


def require_infernal(*programs: str) -> None:
    """Raise DependencyError, with what to install, unless these programs are installed."""
    for program in programs:
        require_program(
            program,
            "Infernal 1.1 (Debian package infernal: apt-get install infernal; or conda install -c "
            "bioconda infernal)",
        )


def run_infernal(command: Sequence[str], folder: Path, expected: str) -> None:
    """Run one of Infernal's programs in *folder*.

    Raises:
        DependencyError: it is not installed.
        InputError: it fails; with its message and what was *expected*.
    """
    require_infernal(command[0])
    run_program(command, folder, expected, error=InputError)


def match_columns(line: str) -> tuple[int, ...]:
    """The columns of the seed alignment, from 0, that a line of a model file matches by a node.

    Two of a pair, one of an unpaired base; none of any other line.
    """
    node = _MATCH_NODE.match(line)
    if node is None:
        return ()
    kind, left, right = node.groups()  # columns from 1; - for none
    ends = {"P": (left, right), "L": (left,), "R": (right,)}[kind]
    return tuple(int(column) - 1 for column in ends if column.isdigit())
