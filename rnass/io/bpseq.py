"""BPSEQ (.bpseq): three columns per base: base number, letter, partner (0 if unpaired), from 1.

The format of the Comparative RNA Web site (Cannone et al. 2002, doi:10.1186/1471-2105-3-2).
"""

from collections.abc import Iterable
from pathlib import Path

from rnass.errors import StructureError, counted
from rnass.files import name_of, read_lines, record_name, write_text
from rnass.io.names import named_in_comment, split_strands_note, strands_note, title_of
from rnass.io.pair_rows import CRW_HEADINGS, PairRow, from_rows, parse_row, to_rows
from rnass.rna import Rna
from rnass.structure import Structure

__all__ = ["read_bpseq", "write_bpseq"]


def write_bpseq(path: str | Path, rna: Rna, structure: Structure) -> None:
    """Write one structure under a comment line with its whole header; inverse of `read_bpseq`.

    Two strands are numbered through, and the comment line holds where the second begins.

    Raises:
        StructureError: the structure has not as many bases as the RNA.
        OutputError: the file cannot be written.
    """
    rows = (f"{k} {letter} {partner}\n" for k, letter, partner in to_rows(rna, structure))
    write_text(path, f"# {title_of(rna)}{strands_note(rna)}\n" + "".join(rows))


def read_bpseq(path: str | Path, lines: Iterable[str] | None = None) -> list[tuple[Rna, Structure]]:
    """Read the one structure of a file, in a list as for other formats; inverse of `write_bpseq`.

    The first `#` line is the header; of a line `# File x.bpseq`, as in RNA STRAND, `x`. The heading
    lines of the Comparative RNA Web site are passed over.

    *lines* are those of the file, where they were read already.

    Raises:
        StructureError: a row that has not three columns, is not numeric, out of order, repeated or
            missing; a partner that is out of range, the base itself or not mutual. Names file and line.
        InputError: the file cannot be read as text.
    """
    lines = read_lines(path) if lines is None else lines
    where = name_of(path)
    header = ""
    rows = []
    for number, line in enumerate(lines, start=1):
        if line.startswith("#"):
            header = header or named_in_comment(line) or line[1:].strip()
        elif line.strip() and not line.startswith(CRW_HEADINGS):
            rows.append(_row(line, f"{where}:{number}"))
    header, nick = split_strands_note(header, len(rows), where)
    return [from_rows(rows, header or record_name(path), where, nick=nick)]


def _row(line: str, where: str) -> PairRow:
    fields = line.split()
    if len(fields) != 3:
        raise StructureError(
            f"{where}: {counted(len(fields), 'column')}; expected 3: base, letter, partner"
        )
    return parse_row(fields[0], fields[1], fields[2], where)
