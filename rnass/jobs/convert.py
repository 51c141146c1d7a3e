"""`rnass convert`: structures from one file format to another, pseudoknots included."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from rnass.config import DecodingConfig, from_mapping
from rnass.decoding import decode
from rnass.errors import InputError, OutputError, counted
from rnass.files import check_target, make_folder, suffix_of, write_text
from rnass.io import (
    LabelledRecord,
    check_program,
    file_names,
    format_ct,
    format_dot_bracket,
    read_fasta,
    read_labelled,
    read_map,
    write_boltz,
    write_bpseq,
    write_labelled_tsv,
    write_stockholm_records,
)
from rnass.io.entries import some_good
from rnass.rna import Rna

__all__ = ["TARGETS", "convert_file", "read_records", "write_records"]

_Records = list[LabelledRecord]
_YAML = (".yaml", ".yml")  # the input of Boltz
_THRESHOLD = 0.5  # of a map, where none is given


def convert_file(  # noqa: PLR0913 - each by its name
    source: Path,
    target: Path,
    *,
    sequence: Path | None = None,
    threshold: float = _THRESHOLD,
    pseudoknots: bool = True,
    split: str | None = None,
    program: str | None = None,
    overwrite: bool = False,
    problems: list[InputError] | None = None,
) -> str:
    """Read *source*, write *target*; gives a line with the numbers of what was written and left out.

    Args:
        source: a structure file of any format that `rnass.io.read_structures` reads, a folder of
            them, or, with *sequence*, a .npy map of pairing probabilities.
        target: a file whose suffix is one of `TARGETS`; with *split*, a folder.
        sequence: FASTA file with the RNA of a .npy map.
        threshold: pairing probability that counts as paired, for a .npy map.
        pseudoknots: keep pairs of pseudoknot order 1 and higher. The brackets in *source*
            decide which pairs these are, where it has any.
        split: a suffix without dot: each record gets a file of its own in the folder *target*.
        program: one of `rnass.io.PROGRAMS`, whose input is written: `.yaml` files of Boltz, in the
            folder *target* unless that is such a file.
        overwrite: replace files that are there, but none that is read.
        problems: what is wrong with a record goes here, if given, and costs the others nothing.

    Raises:
        InputError: *source*, or every record of it, cannot be read; names file and line.
        StructureError: a structure that the format cannot hold.
        OutputError: no such format, more records than the format holds, a file that is there already
            or is read.
    """
    if program is not None:
        check_program(program)
        split = None if suffix_of(target) in _YAML else "yaml"
    inputs = (source, sequence)
    if split is None:
        check_target(target, inputs, overwrite=overwrite)
    records = read_records(source, sequence=sequence, threshold=threshold, problems=problems)
    left_out = 0
    if not pseudoknots:
        nested = [replace(r, structure=r.structure.up_to_order(0)) for r in records]
        left_out = _pairs(records) - _pairs(nested)
        records = nested
    if split is None:
        write_records(target, records)
    else:
        make_folder(target)
        suffix = split.removeprefix(".")
        files = [target / f"{name}.{suffix}" for name in file_names(r.id for r in records)]
        for file in files:
            check_target(file, inputs, overwrite=overwrite)
        for file, record in zip(files, records, strict=True):
            write_records(file, [record])
    text = f"{target}: {counted(len(records), 'record')}, {counted(_pairs(records), 'pair')}"
    return text + ("" if pseudoknots else f"; left out: {counted(left_out, 'pair')} of pseudoknots")


def read_records(
    path: Path,
    *,
    sequence: Path | None = None,
    threshold: float = _THRESHOLD,
    problems: list[InputError] | None = None,
) -> _Records:
    """Every record of a file of any format; see `convert_file`."""
    if suffix_of(path) == ".npy":
        return [_decoded(path, sequence, threshold)]
    if sequence is not None:
        raise InputError(f"{sequence}: sequences for {path}; expected them for a .npy map only")
    if threshold != _THRESHOLD:
        raise InputError(f"--threshold {threshold}: for {path}; expected it for a .npy map only")
    return some_good(read_labelled(path, problems), problems)


def write_records(path: Path, records: _Records) -> None:
    """Write records in the format of the suffix, one of `TARGETS`.

    Raises:
        StructureError: a structure that the format cannot hold.
        OutputError: no such format, more records than it holds, a place that cannot be written.
    """
    if path.suffix.lower() not in TARGETS:
        raise OutputError(f"{path}: no format {path.suffix!r}; expected {', '.join(TARGETS)}")
    TARGETS[path.suffix.lower()](path, records)


def _write_ct(path: Path, records: _Records) -> None:
    write_text(path, "".join(format_ct(r.sequence, r.structure) for r in records))


def _write_bpseq(path: Path, records: _Records) -> None:
    record = _only(path, records)
    write_bpseq(path, record.sequence, record.structure)


def _write_boltz(path: Path, records: _Records) -> None:
    record = _only(path, records)
    write_boltz(path, record.sequence, record.structure)


def _only(path: Path, records: _Records) -> LabelledRecord:
    """The record of a file that holds one.

    Raises:
        OutputError: there are more, or none.
    """
    if len(records) != 1:
        many, suffix = counted(len(records), "record"), suffix_of(path).removeprefix(".")
        raise OutputError(f"{path}: {many}; expected one, or --split {suffix} for a file each")
    return records[0]


def _write_dot_bracket(path: Path, records: _Records) -> None:
    write_text(path, "".join(format_dot_bracket(r.sequence, r.structure) for r in records))


def _write_stockholm(path: Path, records: _Records) -> None:
    write_stockholm_records(path, ((r.sequence, r.structure) for r in records))


TARGETS: dict[str, Callable[[Path, _Records], None]] = {
    ".bpseq": _write_bpseq,
    ".ct": _write_ct,
    ".db": _write_dot_bracket,
    ".dbn": _write_dot_bracket,
    ".dot": _write_dot_bracket,
    ".sto": _write_stockholm,
    ".stk": _write_stockholm,
    ".tsv": write_labelled_tsv,
    **dict.fromkeys(_YAML, _write_boltz),
}
"""The writer of each format, by suffix."""


def _decoded(path: Path, fasta: Path | None, threshold: float) -> LabelledRecord:
    """A probability map, decoded by the exact matching, as `rnass predict` does."""
    if fasta is None:
        raise InputError(f"{path}: a map without bases; expected --sequence FASTA with them")
    sequence = _sequence_of(path, fasta)
    probabilities = read_map(path, len(sequence))
    options = from_mapping(DecodingConfig, {"threshold": threshold}, str(path))
    try:
        structure = decode(probabilities, sequence.bases, options, nick=sequence.nick)
        return LabelledRecord(sequence, structure)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _sequence_of(path: Path, fasta: Path) -> Rna:
    """The only record, or the one whose file name or id the map has."""
    sequences, problems = read_fasta(fasta)
    if problems:
        raise problems[0]
    if len(sequences) == 1:
        return sequences[0]
    names = file_names(sequence.id for sequence in sequences)
    for name, sequence in zip(names, sequences, strict=True):
        if path.stem in (name, sequence.id):
            return sequence
    raise InputError(f"{fasta}: no record {path.stem!r}; expected one called as {path.name} is")


def _pairs(records: _Records) -> int:
    return sum(len(record.structure.pairs) for record in records)
