"""Known structures, and the predictions of other programs for the same RNAs."""

from collections import Counter
from collections.abc import Iterable, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass, field
from pathlib import Path

from rnass.errors import InputError, counted, visible
from rnass.files import files_in, is_file, is_folder, record_name
from rnass.io import STRUCTURE_SUFFIXES, LabelledRecord, read_labelled, read_structures
from rnass.io.results_folder import PREDICTIONS, parts_of
from rnass.rna import Rna
from rnass.structure import Structure

__all__ = ["Others", "References", "read_others", "read_references"]


@dataclass(frozen=True)
class References:
    """Known structures to judge by.

    Attributes:
        records: in the order of the files.
        read: number of records in the files.
        filtered: number of those left out because a column has another value.
        too_long: number of those left out because of their length.
        beyond: number of those left out because there were enough before them.
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
            no record left; two records of one id and one sequence.
    """
    found = [record for path in paths for file in _files(path) for record in read_labelled(file)]
    wanted = [record for record in found if _matches(record, columns or {})]
    short = [r for r in wanted if max_length is None or len(r.sequence) <= max_length]
    kept = short if limit is None else short[:limit]
    if not kept:
        raise InputError(f"data: none of {counted(len(found), 'record')} is left; expected at least one")
    _refuse_repeated([record.sequence for record in kept])
    return References(
        kept, len(found), len(found) - len(wanted), len(wanted) - len(short), len(short) - len(kept)
    )


@dataclass(frozen=True)
class Others:
    """The structures that another program predicts for some RNAs.

    Attributes:
        structures: one per RNA to judge; None where there is no prediction for it.
        problems: one line for each prediction that is missing, does not fit or is for another RNA.
    """

    structures: list[Structure | None]
    problems: list[str] = field(default_factory=list)


def read_others(name: str, path: str | Path, sequences: Items[Rna]) -> Others:
    """Read a program's predictions, from one file or a folder, and find those of *sequences*.

    A prediction belongs to the RNA whose id is its header, the first word of its header, or the name
    of its file, if that holds no other RNA. Of several with one id the one of the same sequence is
    taken; of several structures for it in one file (suboptimal ones, say) the first, which is a problem
    among the others. An RNA without any, or with one of another length or sequence (a letter against N
    apart), has none.

    Args:
        name: what messages call the program.
        path: a file, a folder of files, or a results folder of `rnass predict`.
        sequences: the RNAs to judge.

    Raises:
        InputError: the file cannot be read; names file and line. In a folder, an unreadable file is
            a problem among the others, and so is a malformed record. Also: no prediction fits any RNA,
            two RNAs of one id and one sequence, or files that predict different structures for one RNA.
    """
    _refuse_repeated(sequences)
    predictions, problems = _predictions(Path(path), {s.id for s in sequences})
    structures = []
    for sequence in sequences:
        structure, problem = _of(sequence, predictions.get(sequence.id, []), name)
        structures.append(structure)
        if problem:
            problems.append(f"{name}: {sequence.id}: {problem}")
    if all(structure is None for structure in structures):
        raise InputError(_nothing_fits(name, path, sequences, predictions, problems))
    unknown = sorted(predictions.keys() - {s.id for s in sequences})
    problems += [f"{name}: {known_as}: not among the RNAs to judge; left out" for known_as in unknown]
    return Others(structures, [visible(problem) for problem in problems])


@dataclass(frozen=True)
class _Predicted:
    """A structure that a file holds for an RNA."""

    file: Path
    rna: Rna
    structure: Structure


def _refuse_repeated(rnas: Iterable[Rna]) -> None:
    """Raise InputError for two RNAs of the same id and sequence: predictions cannot tell them apart."""
    seen = Counter((rna.id, rna.text) for rna in rnas)
    if twice := [identifier for (identifier, _), times in seen.items() if times > 1]:
        raise InputError(
            f"data: {counted(len(twice), 'id')} more than once with the same sequence, {twice[0]!r} the "
            "first; expected each RNA once"
        )


def _nothing_fits(
    name: str,
    path: str | Path,
    rnas: Items[Rna],
    predictions: Mapping[str, Items[_Predicted]],
    problems: Items[str],
) -> str:
    """The message where no prediction can be judged."""
    found = sum(map(len, predictions.values()))
    known = next((rna.id for rna in rnas if rna.id in predictions), None)
    if not found:
        return f"{name}: {path}: no prediction in it; " + "; ".join([*problems[:1], "expected some"])
    if known is None:
        return (
            f"{name}: {path}: {counted(found, 'prediction')}, none of the RNAs to judge: ids such as "
            f"{next(iter(predictions))!r}; expected ids such as {rnas[0].id!r}"
        )
    first = next(problem for problem in problems if problem.startswith(f"{name}: {known}: "))
    return f"{path}: no prediction fits its RNA; {first}"


def _predictions(path: Path, ids: set[str]) -> tuple[dict[str, list[_Predicted]], list[str]]:
    """All predictions by the id of their RNA, and the files and records that could not be read."""
    found: dict[str, list[_Predicted]] = {}
    bad: list[InputError] = []
    problems = []
    for file in _files(path):
        try:
            records = read_structures(file, bad)
        except InputError as error:
            if not is_folder(path):
                raise
            problems.append(str(error))
            continue
        alone = len({rna.text for rna, _ in records}) == 1
        for rna, structure in records:
            keys = [rna.description, rna.id, *([record_name(file)] if alone else [])]
            key = next((key for key in keys if key in ids), rna.id)
            found.setdefault(key, []).append(_Predicted(file, rna, structure))
    return found, [*problems, *map(str, bad)]


def _of(rna: Rna, candidates: Items[_Predicted], name: str) -> tuple[Structure | None, str]:
    """The prediction for *rna* among those with its id, and what is wrong, if anything."""
    if not candidates:
        return None, "no prediction"
    fitting = [one for one in candidates if _agree(rna.bases, one.rna.bases)]
    if fitting:
        firsts = {one.file: one.structure for one in reversed(fitting)}
        if len(set(firsts.values())) > 1:
            files = ", ".join(str(file) for file in sorted(firsts)[:2])
            raise InputError(
                f"{name}: {rna.id}: different predictions in {files}; expected one for each RNA"
            )
        more = len({one.structure for one in fitting}) - 1
        kept = f"the first of {more + 1} structures in {fitting[0].file} is judged" if more else ""
        return fitting[0].structure, kept
    other = candidates[0].rna
    if len(other) != len(rna):
        return None, f"predicted with {counted(len(other), 'base')}; expected {len(rna)}"
    place = next(k for k, pair in enumerate(zip(rna.bases, other.bases, strict=True)) if _differ(*pair))
    return None, (
        f"predicted from another sequence, {other.bases[place]} at base {place + 1}; "
        f"expected {rna.bases[place]}"
    )


def _agree(bases: str, others: str) -> bool:
    return len(bases) == len(others) and not any(map(_differ, bases, others))


def _differ(base: str, other: str) -> bool:
    """Whether two letters contradict each other; N, as which other codes are read, does not."""
    return base != other and "N" not in (base, other)


def _files(path: str | Path) -> list[Path]:
    """The file itself, or the structure files of a folder and of those within it, one for each name.

    Of files that differ in the suffix alone the first by name is taken. A results folder of
    `rnass predict` holds each record in several files: its `predictions.dbn` stands for all of them. Of
    `rnass predict --shard` the parts are taken.
    """
    path = Path(path)
    if not is_folder(path):
        return [path]
    if is_file(whole := path / PREDICTIONS):
        return [whole]
    if parts := parts_of(path):
        return parts
    kept: dict[Path, Path] = {}
    for file in files_in(path, STRUCTURE_SUFFIXES, deep=True):
        kept.setdefault(file.with_name(record_name(file)), file)
    return list(kept.values())


def _matches(record: LabelledRecord, columns: Mapping[str, str]) -> bool:
    own = {"family": record.family, "source": record.source, **record.extra}
    for name in columns:
        if name not in own:
            raise InputError(f"{record.id}: no column {name!r}; expected one of {', '.join(own)}")
    return all(own[name] == value for name, value in columns.items())
