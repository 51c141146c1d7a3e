"""Stockholm alignments as records: each row with the consensus structure projected on it, and back.

A pair of the consensus stands in a row that has both its bases. Pseudoknots in letters are kept, and
so are the further lines `SS_cons_1`, `SS_cons_2`, ... in which R-scape (Rivas 2020,
doi:10.1371/journal.pcbi.1008387) writes the pairs that `SS_cons` has no room for.
"""

from collections.abc import Iterable
from pathlib import Path

from rnass.errors import InputError, StructureError
from rnass.files import name_of, read_lines
from rnass.io.pair_rows import check_lengths
from rnass.io.stockholm import Alignment, project, read_stockholm, write_stockholm, wuss_structure
from rnass.rna import Rna
from rnass.structure import BRACKETS, Structure

__all__ = ["read_stockholm_records", "write_stockholm_records"]

_SYMBOLS = ["<>", *BRACKETS[4:]]
"""WUSS for each pseudoknot order: only letters may cross what stands before."""

_CONSENSUS = "SS_cons"


def read_stockholm_records(path: str | Path) -> list[tuple[Rna, Structure]]:
    """Read every row of every alignment; gaps are left out, and with them the pairs they break.

    Raises:
        StructureError: no consensus structure, an unbalanced one, lines of it that give one column
            two partners, a row with a letter that is no base or with none, an alignment that is not
            whole. Names file and line.
        InputError: the file cannot be read as text.
    """
    records = []
    for number, alignment in enumerate(read_stockholm(path)):
        consensus = _consensus(path, number, alignment)
        for name, row in alignment.rows.items():
            where = _place(path, number, name)
            try:
                bases, structure = project(row, consensus, f"{where} ({name})")
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
    write_stockholm(path, (_alignment(sequence, structure) for sequence, structure in records))


def _alignment(sequence: Rna, structure: Structure) -> Alignment:
    check_lengths(sequence, structure)
    if sequence.nick is not None:
        raise StructureError(
            f"{sequence.id}: two strands; expected one, as Stockholm has no sign for a nick"
        )
    if structure.pseudoknot_order >= len(_SYMBOLS):
        raise StructureError(
            f"{sequence.id}: pseudoknot order {structure.pseudoknot_order}; WUSS expresses at most "
            f"{len(_SYMBOLS) - 1}"
        )
    marks = ["."] * len(sequence)
    for (i, j), order in zip(structure.pairs.tolist(), structure.orders.tolist(), strict=True):
        marks[i], marks[j] = _SYMBOLS[order]
    name = "_".join(sequence.id.split()) or "record"
    if name.startswith(("#", "//")):
        raise StructureError(f"{sequence.id}: a name that begins so is no row; expected another")
    return Alignment("", "", {name: sequence.bases}, {_CONSENSUS: "".join(marks)})


def _consensus(path: str | Path, number: int, alignment: Alignment) -> Structure:
    """The pairs of `SS_cons` and of its further lines together."""
    if _CONSENSUS not in alignment.columns:
        raise StructureError(
            f"{_place(path, number, '//')}: no consensus structure; expected a line '#=GC {_CONSENSUS}'"
        )
    kinds = [kind for kind in alignment.columns if _is_consensus(kind)]
    pairs = []
    for kind in kinds:
        where = _place(path, number, "#=GC", kind)
        pairs += wuss_structure(alignment.columns[kind], where).pairs.tolist()
    try:
        return Structure(len(alignment.columns[_CONSENSUS]), pairs)
    except StructureError as error:
        where = _place(path, number, "#=GC", kinds[-1])
        raise StructureError(f"{where}: {' and '.join(kinds)} together: {error}") from error


def _is_consensus(kind: str) -> bool:
    return kind == _CONSENSUS or (
        kind.startswith(f"{_CONSENSUS}_") and kind.removeprefix(f"{_CONSENSUS}_").isdigit()
    )


def _place(path: str | Path, number: int, *words: str) -> str:
    """File and line of the first line of an alignment, counted from 0, that begins with *words*."""
    ended = 0
    for line, text in enumerate(read_lines(path), start=1):
        fields = text.split()
        if ended == number and tuple(fields[: len(words)]) == words:
            return f"{name_of(path)}:{line}"
        ended += fields[:1] == ["//"]
    return name_of(path)
