"""Any structure file, whatever its name, folders of them, and the RNAs alone of these or of FASTA."""

from collections.abc import Callable
from pathlib import Path

from rnass.errors import InputError
from rnass.files import files_in, is_file, is_folder, name_of, read_lines, suffix_of
from rnass.io.bpseq import read_bpseq
from rnass.io.ct import read_ct
from rnass.io.dot_bracket import read_dot_bracket
from rnass.io.entries import collected
from rnass.io.fasta import read_fasta
from rnass.io.pair_rows import CRW_HEADINGS
from rnass.io.parquet import read_predictions
from rnass.io.results_folder import TABLE, is_results_folder, parts_of, read_results
from rnass.io.stockholm_records import read_stockholm_records
from rnass.io.tsv import REQUIRED_COLUMNS, LabelledRecord, read_labelled_tsv
from rnass.rna import Rna
from rnass.structure import Structure

__all__ = ["STRUCTURE_SUFFIXES", "read_labelled", "read_rnas", "read_structures"]

_BRACKETS = tuple(".([{<")  # one of which begins a line of dot-bracket
_Problems = list[InputError] | None
_Reader = Callable[[str | Path, list[str], _Problems], list[LabelledRecord]]


def _unlabelled(
    read: Callable[[str | Path, list[str], _Problems], list[tuple[Rna, Structure]]],
) -> _Reader:
    """A reader of a format that has no labels, with empty ones."""
    return lambda path, lines, problems: [LabelledRecord(*one) for one in read(path, lines, problems)]


_BPSEQ = _unlabelled(lambda path, lines, _: read_bpseq(path, lines))
_CT, _DOT_BRACKET, _STOCKHOLM = map(_unlabelled, (read_ct, read_dot_bracket, read_stockholm_records))

_BY_SUFFIX: dict[str, _Reader] = {
    ".bpseq": _BPSEQ,
    ".ct": _CT,
    ".db": _DOT_BRACKET,
    ".dbn": _DOT_BRACKET,
    ".dot": _DOT_BRACKET,
    ".sto": _STOCKHOLM,
    ".stk": _STOCKHOLM,
    ".tsv": read_labelled_tsv,
}

STRUCTURE_SUFFIXES = tuple(_BY_SUFFIX)
"""The suffixes of the files that are read of a folder; each may be followed by `.gz`."""


def read_structures(path: str | Path, problems: _Problems = None) -> list[tuple[Rna, Structure]]:
    """Read every record of a structure file, plain or gzip; `-` is standard input.

    CT, BPSEQ, dot-bracket, Stockholm (each row of an alignment) and tables, recognised by their content;
    by the suffix where that is not enough. A `.parquet` file is a table of `rnass predict`.

    What is wrong with a record of CT, dot-bracket, Stockholm or a table goes to *problems*, if they are
    given, and costs the others nothing.

    Raises:
        StructureError: a record is malformed; names file and line.
        InputError: another format, or the file cannot be read as text.
    """
    return [(record.sequence, record.structure) for record in _read(path, problems)]


def read_labelled(path: str | Path, problems: _Problems = None) -> list[LabelledRecord]:
    """Read every record of a structure file, or of all those in a folder, sorted by name.

    A results folder of `rnass predict` gives each record once, in the order of its input. Of another
    folder, files of other suffixes and folders within it are passed over. Source and family are those of
    a table; other formats have none. *problems* as in `read_structures`; those of a folder's files too.

    Raises:
        StructureError: a record is malformed; names file and line.
        InputError: another format, a file that cannot be read as text, a folder without any structure.
    """
    if is_results_folder(path):
        return _results(Path(path))
    if not is_folder(path):
        return _read(path, problems)
    found: list[LabelledRecord] = []
    for file in parts_of(path) or files_in(path, STRUCTURE_SUFFIXES):
        with collected(problems):
            found += _read(file, problems)
    return found


def read_rnas(path: str | Path, problems: list[InputError]) -> list[Rna]:
    """The RNAs of a FASTA file, or of structures as `read_labelled` reads them; told by the content.

    What is wrong with a record of FASTA goes to *problems*, and costs the others nothing.

    Raises:
        InputError: see `read_labelled`; no record of FASTA is good.
    """
    if is_folder(path) or suffix_of(path) == ".parquet":
        return [record.sequence for record in read_labelled(path)]
    lines = read_lines(path)
    if not _is_fasta(lines):
        return [record.sequence for record in _read(path, lines=lines)]
    rnas, bad = read_fasta(path, lines)
    if not rnas:
        raise InputError("\n".join(map(str, bad)))
    problems += bad
    return rnas


def _is_fasta(lines: list[str]) -> bool:
    """Whether lines are headers and bases, and none is of a structure."""
    text = [line for line in lines if line.strip() and not line.startswith(";")]
    return (
        bool(text) and text[0].startswith(">") and not any(line.startswith(_BRACKETS) for line in text)
    )


def _results(folder: Path) -> list[LabelledRecord]:
    if is_file(folder / TABLE):
        return read_predictions(folder / TABLE)
    return [LabelledRecord(one.rna, one.structure) for one in read_results(folder).records]


def _read(
    path: str | Path, problems: _Problems = None, lines: list[str] | None = None
) -> list[LabelledRecord]:
    if suffix_of(path) == ".parquet":
        return read_predictions(path)
    lines = read_lines(path) if lines is None else lines
    read = _by_content(lines) or _BY_SUFFIX.get(suffix_of(path))
    empty = not any(map(str.strip, lines))
    if read is None or empty:
        what = "empty" if empty else "neither a structure file nor a suffix of one"
        raise InputError(
            f"{name_of(path)}: {what}; expected CT, BPSEQ, "
            "dot-bracket, Stockholm or a table with id, sequence and dot_bracket"
        )
    return read(path, lines, problems)


def _by_content(lines: list[str]) -> _Reader | None:
    """The reader of a format that the first lines are in; None if they could be of several or none."""
    if not (first := next((line for line in lines if line.strip()), "")):
        return None
    if first.startswith("# STOCKHOLM"):
        return _STOCKHOLM
    if set(REQUIRED_COLUMNS) <= set(first.split("\t")):
        return read_labelled_tsv
    rows = (
        line.split() for line in lines if line.strip() and not line.startswith(("#", ";", *CRW_HEADINGS))
    )
    head, row = next(rows, [""]), next(rows, [""])
    if head[0].startswith(">"):
        return _DOT_BRACKET
    if head[0].isdigit():
        return _CT if len(row) >= 6 and row[0].isdigit() else _BPSEQ if len(head) == 3 else None
    return _DOT_BRACKET if head[0].isalpha() and row[0].startswith(_BRACKETS) else None
