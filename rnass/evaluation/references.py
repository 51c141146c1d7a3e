"""Known structures, and other programs' predictions of the same RNAs; nothing is dropped unsaid."""

from collections.abc import Iterable, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass, field
from pathlib import Path

from rnass.errors import InputError, counted
from rnass.files import record_name
from rnass.io import STRUCTURE_SUFFIXES, LabelledRecord, read_labelled, read_structures
from rnass.rna import Rna
from rnass.structure import Structure

__all__ = ["Others", "References", "read_others", "read_references"]


@dataclass(frozen=True)
class References:
    """Known structures to judge by.

    Attributes:
        records: in the order of the files.
        read: records in the files, of which were left out:
        filtered: as a column has another value than asked for,
        too_long: as they have more bases than asked for,
        beyond: as they come after the number asked for.
    """

    records: list[LabelledRecord]
    read: int
    filtered: int = 0
    too_long: int = 0
    beyond: int = 0


def read_references(
    paths: Iterable[str | Path],
    *,
    columns: Mapping[str, str] | None = None,
    max_length: int | None = None,
    limit: int | None = None,
) -> References:
    """Read known structures from tables, structure files and folders of them.

    Args:
        paths: .tsv (further columns kept), .ct, .bpseq, .dbn, ..., `.gz` or not, or folders.
        columns: only records whose further columns have these values.
        max_length: only records of at most so many bases.
        limit: only the first so many of the rest.

    Raises:
        InputError: a file that cannot be read, names file and line; a column that a record has not;
            no record left.
    """
    found = [record for path in paths for file in _files(path) for record in read_labelled(file)]
    wanted = [record for record in found if _matches(record, columns or {})]
    short = [r for r in wanted if max_length is None or len(r.sequence) <= max_length]
    kept = short if limit is None else short[:limit]
    if not kept:
        raise InputError(f"data: none of {counted(len(found), 'record')} is left; expected at least one")
    return References(
        kept, len(found), len(found) - len(wanted), len(wanted) - len(short), len(short) - len(kept)
    )


@dataclass(frozen=True)
class Others:
    """What another program predicts of some RNAs.

    Attributes:
        structures: one per RNA asked for; None where there is no prediction of it.
        problems: what is missing, does not fit or was not asked for, one line each.
    """

    structures: list[Structure | None]
    problems: list[str] = field(default_factory=list)


def read_others(name: str, path: str | Path, sequences: Items[Rna]) -> Others:
    """Read a program's predictions, from one file or a folder, and find those of *sequences*.

    A prediction belongs to the RNA whose id is its header, the first word of its header, or the name
    of its file. Of several with one id the one of the same sequence is taken. An RNA without any, or
    with one of another length or sequence (a letter against N apart), has none.

    Args:
        name: what messages call the program.
        path: a file, a folder of files, or a results folder of `rnass predict`.
        sequences: the RNAs asked for.

    Raises:
        InputError: the file cannot be read; names file and line. In a folder, an unreadable file is
            a problem among the others.
    """
    predictions, problems = _predictions(Path(path), {s.id for s in sequences})
    structures = []
    for sequence in sequences:
        structure, problem = _of(sequence, predictions.get(sequence.id, []))
        structures.append(structure)
        if problem:
            problems.append(f"{name}: {sequence.id}: {problem}")
    unknown = sorted(predictions.keys() - {s.id for s in sequences})
    problems += [f"{name}: {known_as}: not among the RNAs asked for; left out" for known_as in unknown]
    return Others(structures, problems)


_Records = list[tuple[Rna, Structure]]


def _predictions(path: Path, ids: set[str]) -> tuple[dict[str, _Records], list[str]]:
    """All predictions by the id they are asked for under, and the files that could not be read."""
    found: dict[str, _Records] = {}
    problems = []
    for file in _files(path):
        try:
            records = read_structures(file)
        except InputError as error:
            if not path.is_dir():
                raise
            problems.append(str(error))
            continue
        for sequence, structure in records:
            keys = [sequence.description, sequence.id]
            keys += [record_name(file)] if len(records) == 1 else []
            key = next((key for key in keys if key in ids), sequence.id)
            found.setdefault(key, []).append((sequence, structure))
    return found, problems


def _of(sequence: Rna, candidates: _Records) -> tuple[Structure | None, str]:
    """The prediction of *sequence* among those with its id, and what is wrong, if anything."""
    if not candidates:
        return None, "no prediction"
    fitting = {structure for other, structure in candidates if _agree(sequence.bases, other.bases)}
    if len(fitting) == 1:
        return fitting.pop(), ""
    if fitting:
        return None, f"{len(fitting)} different predictions; expected one"
    other = candidates[0][0]
    if len(other) != len(sequence):
        return None, f"predicted with {counted(len(other), 'base')}; expected {len(sequence)}"
    place = next(
        k for k, pair in enumerate(zip(sequence.bases, other.bases, strict=True)) if _differ(*pair)
    )
    return None, (
        f"predicted from another sequence, {other.bases[place]} at base {place + 1}; "
        f"expected {sequence.bases[place]}"
    )


def _agree(bases: str, others: str) -> bool:
    return len(bases) == len(others) and not any(map(_differ, bases, others))


def _differ(base: str, other: str) -> bool:
    """Whether two letters contradict each other; N, as which other codes are read, does not."""
    return base != other and "N" not in (base, other)


def _files(path: str | Path) -> list[Path]:
    """The file itself, or the structure files of a folder, by name, one format per record.

    A results folder of `rnass predict` holds each record in several files: its `predictions.dbn`
    stands for all of them.
    """
    path = Path(path)
    if not path.is_dir():
        return [path]
    if (whole := path / "predictions.dbn").is_file():
        return [whole]
    kept: dict[Path, Path] = {}
    for file in sorted(path.rglob("*")):
        if _suffix(file) in STRUCTURE_SUFFIXES and file.is_file():
            kept.setdefault(file.with_name(record_name(file)), file)
    if not kept:
        raise InputError(f"{path}: no structure file; expected some of {', '.join(STRUCTURE_SUFFIXES)}")
    return list(kept.values())


def _suffix(file: Path) -> str:
    return Path(file.name.lower().removesuffix(".gz")).suffix


def _matches(record: LabelledRecord, columns: Mapping[str, str]) -> bool:
    own = {"family": record.family, "source": record.source, **record.extra}
    for name in columns:
        if name not in own:
            raise InputError(f"{record.id}: no column {name!r}; expected one of {', '.join(own)}")
    return all(own[name] == value for name, value in columns.items())
