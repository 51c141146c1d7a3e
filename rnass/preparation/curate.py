"""Sequences for pre-training: cut to size, cleaned of unknown bases and duplicates, annotated.

The steps are those of PlantRNA-FM (Yu et al. 2024, doi:10.1038/s42256-024-00946-z): truncation, a
minimum length, ViennaRNA's structure without long pairs, and marks of regions.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rnass.errors import ConfigError, InputError
from rnass.files import read_lines
from rnass.io.regions import Region
from rnass.io.tsv import LabelledRecord
from rnass.rna import Rna
from rnass.structure import Structure
from rnass.thermodynamics.folding import minimum_structures

__all__ = ["Curation", "Part", "curate", "label", "read_names", "read_table", "source_of"]


@dataclass(frozen=True, kw_only=True)
class Curation:
    """Rules of curation.

    Attributes:
        min_length, max_length: in bases.
        long: what becomes of a longer sequence: "cut" to its 5' part, "window" into parts that
            overlap, "drop".
        overlap: bases that two windows share.
        max_unknown: highest share of N.

    Raises:
        ConfigError: a value out of range.
    """

    min_length: int = 20
    max_length: int = 512
    long: Literal["cut", "window", "drop"] = "cut"
    overlap: int = 0
    max_unknown: float = 0.05

    def __post_init__(self) -> None:
        if not 1 <= self.min_length <= self.max_length:
            raise ConfigError(
                f"lengths {self.min_length} to {self.max_length}; expected at least 1, in order"
            )
        if not 0 <= self.overlap < self.max_length:
            raise ConfigError(f"overlap {self.overlap}; expected 0 to {self.max_length - 1}")


@dataclass(frozen=True)
class Part:
    """A sequence, or the part of one that begins at base *start* (0-based) of it."""

    sequence: Rna
    origin: Rna
    start: int = 0


def curate(
    sequences: Iterable[Rna], settings: Curation, excluded: Collection[str] = ()
) -> tuple[list[Part], dict[str, int]]:
    """The parts to keep, in order, and how many sequences or parts went for which reason.

    RNAs of two strands are dropped, as they would be cut, folded and masked as one molecule.

    Args:
        sequences: any; they keep their ids, windows get `/first-last` (from 1) after them.
        settings: what is kept, and how.
        excluded: headers or ids that are left out, such as those near a test.
    """
    excluded = frozenset(excluded)
    kept: list[Part] = []
    reasons: Counter[str] = Counter()
    seen: set[str] = set()
    for origin in sequences:
        if {origin.id, origin.description} & excluded:
            reasons["excluded"] += 1
            continue
        if origin.nick is not None:
            reasons["two strands"] += 1
            continue
        for part in _parts(origin, settings):
            bases = part.sequence.bases
            if reason := _fault(bases, settings) or ("duplicate" if bases in seen else ""):
                reasons[reason] += 1
            else:
                seen.add(bases)
                kept.append(part)
    return kept, dict(reasons)


def label(
    parts: list[Part],
    *,
    fold: bool = True,
    max_span: int | None = 30,
    regions: Iterable[Region] | None = None,
    processes: int = 0,
) -> Iterator[LabelledRecord]:
    """Records for `rnass pretrain`, in order.

    Args:
        parts: of `curate`.
        fold: annotate with ViennaRNA's structure of minimum free energy; else no base pairs, and the
            records are fit for masked language modelling alone.
        max_span: most bases that a pair of it spans, both ends counted; None for no bound.
        regions: of whole sequences, where masked language modelling may mask a base. They become the
            column `mask`. None for everywhere, and no column.
        processes: worker processes that fold; 0 for this one.
    """
    places: dict[str, list[Region]] = defaultdict(list)
    for one in regions or ():
        places[one.id].append(one)
    many = (part.sequence.bases for part in parts)
    structures = (
        minimum_structures(many, max_span=max_span, processes=processes)
        if fold
        else (Structure(len(part.sequence)) for part in parts)
    )
    for part, structure in zip(parts, structures, strict=True):
        source = source_of(part.origin.description)
        extra = {} if regions is None else {"mask": _mask(part, places[part.origin.id])}
        yield LabelledRecord(part.sequence, structure, source, "", extra)


def source_of(header: str) -> str:
    """The part of a header before its first `|`; empty without one."""
    source, bar, _ = header.partition("|")
    return source if bar else ""


def read_names(path: str | Path) -> frozenset[str]:
    """Headers or ids, one a line, with `>` before them or not; raises InputError."""
    names = (line.strip().removeprefix(">").strip() for line in read_lines(path))
    return frozenset(name for name in names if name)


def read_table(path: str | Path) -> dict[str, str]:
    """Two columns by a tab: header or id, and its family.

    Raises:
        InputError: a line of other columns; names file and line.
    """
    table = {}
    for number, line in enumerate(read_lines(path), start=1):
        name, tab, family = line.partition("\t")
        if not tab or "\t" in family:
            raise InputError(f"{path}:{number}: not two columns; expected id and family, by a tab")
        table[name] = family.strip()
    return table


def _parts(origin: Rna, settings: Curation) -> Iterator[Part]:
    length, most = len(origin), settings.max_length
    if length <= most or settings.long == "drop":
        yield Part(origin, origin)
        return
    step = most - settings.overlap
    starts = range(0, length - settings.overlap, step) if settings.long == "window" else [0]
    for start in starts:
        end = min(start + most, length)
        name = f"{origin.id}/{start + 1}-{end}"
        yield Part(Rna(name, origin.bases[start:end], name), origin, start)


def _fault(bases: str, settings: Curation) -> str:
    """Why a sequence is dropped; empty if it is not."""
    if len(bases) < settings.min_length:
        return "short"
    if len(bases) > settings.max_length:
        return "long"
    return "unknown bases" if bases.count("N") > settings.max_unknown * len(bases) else ""


def _mask(part: Part, regions: Iterable[Region]) -> str:
    marks = bytearray(b"0" * len(part.sequence))
    for one in regions:
        first, last = max(0, one.start - part.start), min(len(marks), one.end - part.start)
        marks[first:last] = b"1" * max(0, last - first)
    return marks.decode()
