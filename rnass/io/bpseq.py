"""BPSEQ (.bpseq): three columns per base: base number, letter, partner (0 if unpaired), from 1.

The format of the Comparative RNA Web site (Cannone et al. 2002, doi:10.1186/1471-2105-3-2).
"""

from pathlib import Path

from rnass.errors import StructureError, counted
from rnass.files import read_lines, record_name, write_text
from rnass.io.names import strands_note, title_of
from rnass.io.pair_rows import PairRow, from_rows, parse_row, to_rows
from rnass.rna import Rna
from rnass.structure import Structure

__all__ = ["read_bpseq", "write_bpseq"]

_HEADINGS = ("Filename:", "Organism:", "Accession Number:", "Citation and related information")


def write_bpseq(path: str | Path, sequence: Rna, structure: Structure) -> None:
    """Write one structure under a comment line with its whole header; inverse of `read_bpseq`.

    Raises:
        StructureError: the structure has not as many bases as the sequence.
        OutputError: the file cannot be written.
    """
    rows = (f"{k} {letter} {partner}\n" for k, letter, partner in to_rows(sequence, structure))
    write_text(path, f"# {title_of(sequence)}{strands_note(sequence)}\n" + "".join(rows))


def read_bpseq(path: str | Path) -> list[tuple[Rna, Structure]]:
    """Read the one structure of the file, in a list as other formats give; inverse of `write_bpseq`.

    The first `#` line is the header. The four heading lines of the Comparative RNA Web site are
    passed over.

    Raises:
        StructureError: a row that has not three columns, is not numeric, out of order, repeated or
            missing; a partner that is out of range, the base itself or not mutual. Names file and line.
        InputError: the file cannot be read as text.
    """
    header = ""
    rows = []
    for number, line in enumerate(read_lines(path), start=1):
        if line.startswith("#"):
            header = header or line[1:].strip()
        elif line.strip() and not line.startswith(_HEADINGS):
            rows.append(_row(line, f"{path}:{number}"))
    return [from_rows(rows, header or record_name(path), str(path))]


def _row(line: str, where: str) -> PairRow:
    fields = line.split()
    if len(fields) != 3:
        raise StructureError(
            f"{where}: {counted(len(fields), 'column')}; expected 3: base, letter, partner"
        )
    return parse_row(fields[0], fields[1], fields[2], where)
