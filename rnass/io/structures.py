"""Any structure file, by its suffix."""

from collections.abc import Callable
from pathlib import Path

from rnass.errors import InputError
from rnass.io.bpseq import read_bpseq
from rnass.io.ct import read_ct
from rnass.io.dot_bracket import read_dot_bracket
from rnass.io.tsv import read_labelled_tsv
from rnass.sequence import Sequence
from rnass.structure import Structure

__all__ = ["STRUCTURE_SUFFIXES", "read_structures"]


def _read_tsv(path: str | Path) -> list[tuple[Sequence, Structure]]:
    return [(record.sequence, record.structure) for record in read_labelled_tsv(path)]


_READERS: dict[str, Callable[[str | Path], list[tuple[Sequence, Structure]]]] = {
    ".bpseq": read_bpseq,
    ".ct": read_ct,
    ".db": read_dot_bracket,
    ".dbn": read_dot_bracket,
    ".dot": read_dot_bracket,
    ".tsv": _read_tsv,
}

STRUCTURE_SUFFIXES = tuple(_READERS)
"""The suffixes that `read_structures` knows; each may be followed by `.gz`."""


def read_structures(path: str | Path) -> list[tuple[Sequence, Structure]]:
    """Read every record of a structure file: .ct, .bpseq, .dbn (.db, .dot) or .tsv, `.gz` or not.

    Raises:
        StructureError: a record is malformed; names file and line.
        InputError: another suffix, or the file cannot be read as text.
    """
    suffix = Path(Path(path).name.lower().removesuffix(".gz")).suffix
    if suffix not in _READERS:
        raise InputError(f"{path}: suffix {suffix!r}; expected {', '.join(STRUCTURE_SUFFIXES)} (or .gz)")
    return _READERS[suffix](path)
