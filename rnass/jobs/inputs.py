"""The records of a run: read from every file, each problem reported, restraints assigned."""

import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from rnass.errors import InputError, SequenceError
from rnass.files import is_file, is_folder, is_there, sha256
from rnass.io import read_fasta
from rnass.prediction.limits import too_long
from rnass.rna import Rna, mostly_ambiguous

__all__ = ["Inputs", "checksums_of", "is_of_a_file", "read_inputs"]

log = logging.getLogger("rnass")


@dataclass
class Inputs:
    """The records of a run, and the problems of its input.

    Attributes:
        names: of the files, as they were given.
        rnas: the good records, in order.
        problems: one for each bad record, and for each file that cannot be read.
        further: files and folders that are read beside: restraints, regions.
    """

    names: list[str] = field(default_factory=list)
    rnas: list[Rna] = field(default_factory=list)
    problems: list[InputError] = field(default_factory=list)
    further: list[str] = field(default_factory=list)


def is_of_a_file(problem: InputError) -> bool:
    """Whether a file could not be read, or not to its end; else one record is bad."""
    return not isinstance(problem, SequenceError) and not problem.record


def checksums_of(names: Iterable[str]) -> dict[str, str]:
    """The sha256 of each file, and of those in a folder; pipes and texts have none."""
    found = {}
    for name in names:
        with suppress(OSError):  # who reads it reports why it cannot be read
            paths = sorted(Path(name).iterdir()) if is_folder(name) else [Path(name)]
            found.update({str(path): sha256(path) for path in paths if is_file(path)})
    return found


def read_inputs(
    paths: Sequence[str],
    sequence: str | None = None,
    *,
    any_length: bool = False,
    constraint_lines: bool = False,
) -> Inputs:
    """All records of FASTA files, and of the one RNA given as text.

    A record that is too long to predict is a problem, unless *any_length*. With *constraint_lines* a
    line of constraints under the bases is passed over.
    """
    found = Inputs([*paths, *(["--sequence"] if sequence is not None else [])])

    def take(rna: Rna, where: str) -> None:
        if not any_length and (problem := too_long(rna, where)):
            found.problems.append(problem)
        else:
            found.rnas.append(rna)

    if sequence is not None:
        try:
            take(Rna.from_text(sequence, where="--sequence"), "--sequence")
            if warning := mostly_ambiguous(sequence):
                log.warning("--sequence: %s", warning)
        except InputError as error:
            error.record = "sequence"
            found.problems.append(error)
    for path in paths:
        rnas, problems = read_fasta(path, constraint_lines=constraint_lines)
        if _is_rna(path):
            expected = f"a FASTA file, or an RNA as --sequence {path}"
            problems = [InputError(f"{path}: no such file; expected {expected}")]
        found.problems += problems
        for rna in rnas:
            take(rna, f"{path} ({rna.id})")
    return found


def _is_rna(path: str) -> bool:
    """Whether bases stand where a file was expected."""
    return set(path.upper()) <= {*"ACGUTN&"} and not is_there(path)
