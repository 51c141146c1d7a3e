"""Any structure file, by its suffix, and folders of them."""

from collections.abc import Callable
from pathlib import Path

from rnass.errors import InputError
from rnass.io.bpseq import read_bpseq
from rnass.io.ct import read_ct
from rnass.io.dot_bracket import read_dot_bracket
from rnass.io.stockholm_records import read_stockholm_records
from rnass.io.tsv import LabelledRecord, read_labelled_tsv
from rnass.rna import Rna
from rnass.structure import Structure

__all__ = ["STRUCTURE_SUFFIXES", "read_labelled", "read_structures"]


def _read_tsv(path: str | Path) -> list[tuple[Rna, Structure]]:
    return [(record.sequence, record.structure) for record in read_labelled_tsv(path)]


_READERS: dict[str, Callable[[str | Path], list[tuple[Rna, Structure]]]] = {
    ".bpseq": read_bpseq,
    ".ct": read_ct,
    ".db": read_dot_bracket,
    ".dbn": read_dot_bracket,
    ".dot": read_dot_bracket,
    ".sto": read_stockholm_records,
    ".stk": read_stockholm_records,
    ".tsv": _read_tsv,
}

STRUCTURE_SUFFIXES = tuple(_READERS)
"""The suffixes that `read_structures` knows; each may be followed by `.gz`."""

_EXPECTED = f"{', '.join(STRUCTURE_SUFFIXES)} (or .gz)"


def read_structures(path: str | Path) -> list[tuple[Rna, Structure]]:
    """Read every record of a structure file, plain or gzip, by its suffix.

    .ct; .bpseq; .dbn, .db, .dot; .sto, .stk (each row of an alignment); .tsv.

    Raises:
        StructureError: a record is malformed; names file and line.
        InputError: another suffix, or the file cannot be read as text.
    """
    suffix = _suffix(path)
    if suffix not in _READERS:
        raise InputError(f"{path}: suffix {suffix!r}; expected {_EXPECTED}")
    return _READERS[suffix](path)


def read_labelled(path: str | Path) -> list[LabelledRecord]:
    """Read every record of a structure file, or of all those in a folder, sorted by name.

    Files of other suffixes and folders within the folder are passed over. Source and family are what
    a .tsv says; other formats have none.

    Raises:
        StructureError: a record is malformed; names file and line.
        InputError: another suffix, a file that cannot be read as text, a folder without any structure.
    """
    if Path(path).is_dir():
        files = [p for p in Path(path).iterdir() if p.is_file() and _suffix(p) in _READERS]
        if not files:
            raise InputError(f"{path}: no structures in this folder; expected {_EXPECTED}")
        return [record for file in sorted(files) for record in read_labelled(file)]
    if _suffix(path) == ".tsv":
        return read_labelled_tsv(path)
    return [LabelledRecord(*record) for record in read_structures(path)]


def _suffix(path: str | Path) -> str:
    return Path(Path(path).name.lower().removesuffix(".gz")).suffix
