"""Structures as the input of programs that predict 3-D structures.

Boltz-2 takes contacts within and between chains (`constraints` of its YAML file,
https://github.com/jwohlwend/boltz/blob/main/docs/prediction.md). The other programs have no such input
for pairs of one RNA, and the error gives the reason.
"""

from pathlib import Path

from rnass.errors import OutputError
from rnass.files import write_text
from rnass.io.pair_rows import check_lengths
from rnass.rna import Rna
from rnass.structure import Structure

__all__ = ["PROGRAMS", "check_program", "format_boltz", "write_boltz"]

PROGRAMS = ("boltz", "chai", "af3")
"""Names of programs, of which all but the first are refused with the reason."""

_IMPOSSIBLE = {
    "chai": "Chai-1's restraints are contacts between chains, not between bases of one RNA",
    "af3": "AlphaFold 3's input has covalent bonds (bondedAtomPairs) and no contacts",
}


def check_program(program: str) -> None:
    """Refuse a program that takes no base pairs.

    Raises:
        OutputError: an unknown program, or one whose input has no place for base pairs.
    """
    if program in _IMPOSSIBLE:
        raise OutputError(f"{program}: {_IMPOSSIBLE[program]}; expected boltz")
    if program not in PROGRAMS:
        raise OutputError(f"program {program!r}; expected one of {', '.join(PROGRAMS)}")


def format_boltz(rna: Rna, structure: Structure) -> str:
    """The YAML input of Boltz-2: the RNA, and each base pair as a contact.

    One strand is chain A, a second one chain B; residues are numbered from 1 within their chain. The
    greatest distance of a contact is left at Boltz's default, 6 Angstrom between any two atoms: those of
    a hydrogen bond of a base pair are about 3 Angstrom apart.

    Raises:
        StructureError: the structure has not as many bases as the RNA.
    """
    check_lengths(rna, structure)
    lines = ["version: 1", "sequences:"]
    for chain, bases in zip("AB", rna.text.split("&"), strict=False):
        lines += ["  - rna:", f"      id: {chain}", f"      sequence: {bases}"]
    if len(structure.pairs):
        lines.append("constraints:")
    for pair in structure.pairs.tolist():
        lines.append("  - contact:")
        lines += [f"      token{k}: [{_residue(rna, base)}]" for k, base in enumerate(pair, start=1)]
    return "\n".join(lines) + "\n"


def write_boltz(path: str | Path, rna: Rna, structure: Structure) -> None:
    """Write one RNA and its structure as the input of Boltz-2; see `format_boltz`.

    Raises:
        StructureError: the structure has not as many bases as the RNA.
        OutputError: the file cannot be written.
    """
    write_text(path, format_boltz(rna, structure))


def _residue(rna: Rna, base: int) -> str:
    """Chain and number, from 1, of a base given from 0."""
    if rna.nick is None or base < rna.nick:
        return f"A, {base + 1}"
    return f"B, {base - rna.nick + 1}"
