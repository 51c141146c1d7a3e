"""Stockholm alignments as records: each row with the consensus structure projected on it, and back.

A row has the pairs of the consensus of which it has both bases, pseudoknots included.
"""

from collections.abc import Iterable
from pathlib import Path

from rnass.errors import InputError, StructureError
from rnass.io.entries import collected
from rnass.io.pair_rows import check_lengths
from rnass.io.stockholm import Alignment, project, read_stockholm, write_stockholm
from rnass.rna import Rna
from rnass.structure import BRACKETS, Structure

__all__ = ["read_stockholm_records", "write_stockholm_records", "wuss"]

_SYMBOLS = ["<>", *BRACKETS[4:]]
"""WUSS for each pseudoknot order: only letters may cross what stands before."""


def read_stockholm_records(
    path: str | Path,
    lines: Iterable[str] | None = None,
    problems: list[InputError] | None = None,
) -> list[tuple[Rna, Structure]]:
    """Read every row of every alignment; gaps are left out, and with them the pairs they break.

    *lines* are those of the file, where they were read already. What is wrong with a row goes to
    *problems*, if they are given, and costs the others nothing.

    Raises:
        StructureError: no consensus structure, an unbalanced one, lines of it that give one column
            two partners, a row with a letter that is no base or with none, an alignment that is not
            whole. Names file and line.
        InputError: the file cannot be read as text.
    """
    records = []
    for alignment in read_stockholm(path, lines):
        consensus = alignment.consensus
        for name, row in alignment.rows.items():
            with collected(problems):
                try:
                    bases, structure = project(row, consensus, f"{alignment.place(name)} ({name})")
                except InputError as error:
                    raise StructureError(str(error)) from error
                records.append((Rna(name, bases, name), structure))
    return records


def write_stockholm_records(path: str | Path, records: Iterable[tuple[Rna, Structure]]) -> None:
    """Write each record as an alignment of one row; `read_stockholm_records` reads them.

    Names hold no white space in this format: it becomes `_`, and what follows the id is left out.

    Raises:
        StructureError: unequal lengths, or a pseudoknot order for which WUSS has no letters.
        OutputError: the file cannot be written.
    """
    write_stockholm(path, (_alignment(rna, structure) for rna, structure in records))


def wuss(structure: Structure, where: str = "structure") -> str:
    """A structure in WUSS, a symbol for each base: `<>` for nested pairs, letters for pseudoknots.

    >>> wuss(Structure.from_dot_bracket("((.[[.)).]]"))
    '<<.AA.>>.aa'

    Raises:
        StructureError: a pseudoknot order for which WUSS has no letters; names *where*.
    """
    if structure.pseudoknot_order >= len(_SYMBOLS):
        raise StructureError(
            f"{where}: pseudoknot order {structure.pseudoknot_order}; WUSS expresses at most "
            f"{len(_SYMBOLS) - 1}"
        )
    marks = ["."] * len(structure)
    for (i, j), order in zip(structure.pairs.tolist(), structure.orders.tolist(), strict=True):
        marks[i], marks[j] = _SYMBOLS[order]
    return "".join(marks)


def _alignment(rna: Rna, structure: Structure) -> Alignment:
    check_lengths(rna, structure)
    if rna.nick is not None:
        raise StructureError(f"{rna.id}: two strands; expected one, as Stockholm has no sign for a nick")
    line = wuss(structure, rna.id)
    name = "_".join(rna.id.split()) or "record"
    if name.startswith(("#", "//")):
        raise StructureError(f"{rna.id}: a name that begins so is no row; expected another")
    return Alignment("", "", {name: rna.bases}, {"SS_cons": line})
