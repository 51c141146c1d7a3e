"""Families: the covariance models of a file that an RNA matches, and the base pairs it has by them.

Infernal's cmsearch searches and aligns (Nawrocki & Eddy 2013, doi:10.1093/bioinformatics/btt509). A
covariance model knows no pseudoknots; those of the family's seed alignment are added where one is given.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from rnass.errors import InputError
from rnass.files import is_gzip, iter_lines, name_of, write_text
from rnass.io.stockholm import GAPS, Alignment, read_stockholm
from rnass.preparation.infernal import match_columns, run_infernal
from rnass.rna import CANONICAL_PAIRS, Rna

__all__ = [
    "E_VALUE",
    "WHERE_RFAM",
    "FamilyModel",
    "Hit",
    "check_seeds",
    "read_families",
    "search_families",
    "supported",
]

E_VALUE = 1e-3
"""Highest E-value, of a search of a million bases, of a hit to a model without a gathering threshold."""

WHERE_RFAM = (
    "https://ftp.ebi.ac.uk/pub/databases/Rfam/CURRENT/Rfam.cm.gz for --families, Rfam.seed.gz beside it "
    "for --family-seeds"
)
"""Where the models of all families are."""

_SEARCHED = "1"  # million bases, so that one RNA's E-values do not depend on the others
_SURE = "89*"  # marks of a posterior probability of 0.8 and more, rounded to tenths
_EXPECTED = "covariance models of Infernal 1.1, such as Rfam.cm"


@dataclass(frozen=True)
class FamilyModel:
    """One covariance model of a file.

    Attributes:
        name, accession: of the family; the accession may be empty.
        gathering: the bit score from which a hit is one of the family; None where the model has none.
        columns: of the seed alignment that its match positions are, 0-based; empty where unknown.
        pairs: how many base pairs it has.
        where: the file and line of its begin.
        lines: the numbers of its first and last line, from 1, its filter included.
    """

    name: str
    accession: str
    gathering: float | None
    columns: tuple[int, ...]
    pairs: int
    where: str
    lines: tuple[int, int]

    @property
    def family(self) -> str:
        """Its accession, or its name where it has none."""
        return self.accession or self.name


@dataclass(frozen=True)
class Hit:
    """A part of an RNA that matches a family.

    Attributes:
        model: the family's.
        score: in bits.
        e_value: the number of hits as good that are expected by chance in a million bases.
        start, end: of the part, 0-based, the end exclusive.
        strand: "-" if the RNA's reverse complement matches.
        model_start, model_end: of the part of the model that is aligned, likewise.
        pairs: base pairs of the RNA, 0-based, i < j: those of the family that are canonical here, and of
            which both bases are aligned with a posterior probability of 0.8 or more.
    """

    model: FamilyModel
    score: float
    e_value: float
    start: int
    end: int
    strand: str
    model_start: int
    model_end: int
    pairs: frozenset[tuple[int, int]]


def read_families(path: str | Path) -> list[FamilyModel]:
    """Read the headers of the covariance models of a file, plain or gzip.

    Raises:
        InputError: no such file, or no covariance models of Infernal 1.1; a model without an end or
            without E-values, which cmcalibrate computes; no model with base pairs.
    """
    name = name_of(path)
    if str(path) == "-":
        raise InputError(f"{name}: cannot be searched; expected a file of {_EXPECTED}")
    drafts: list[_Draft] = []
    for number, line in enumerate(iter_lines(path), start=1):
        if line.startswith("INFERNAL1/"):
            drafts.append(_Draft(f"{name}:{number}", number))
        elif drafts:
            drafts[-1].add(line, number, name)
        elif line.strip():
            raise InputError(f"{name}:{number}: {line[:20]!r}; expected {_EXPECTED}{_hint(line)}")
    models = [draft.finish() for draft in drafts]
    if not models:
        raise InputError(f"{name}: no models; expected {_EXPECTED}")
    if not any(model.pairs for model in models):
        raise InputError(
            f"{models[0].where}: model {models[0].name} has no base pairs, nor has any other; expected "
            "models of alignments with a consensus structure"
        )
    return models


def _hint(line: str) -> str:
    if line.startswith("# STOCKHOLM"):
        return "; cmbuild and cmcalibrate make one of an alignment"
    if line.startswith("INFERNAL-1"):
        return "; cmconvert converts models of version 1.0"
    return ""


class _Draft:
    """A model while its lines come in: its header, its states, the header and states of its filter."""

    def __init__(self, where: str, number: int) -> None:
        self.where = where
        self.first = self.last = number
        self.header: dict[str, str] = {}
        self.matches: list[int] = []
        self.pairs = 0
        self.part = "header"

    def add(self, line: str, number: int, name: str) -> None:
        """Take a line; raises InputError for one after the end that begins no filter."""
        if line.startswith("//"):
            self.part, self.last = "end", number
        elif self.part == "header":
            tag, _, value = line.partition(" ")
            self.header[tag] = value.strip()
            self.part = "states" if tag == "CM" else "header"
        elif self.part == "states":
            columns = match_columns(line)
            self.matches += columns
            self.pairs += len(columns) == 2
        elif self.part == "end" and line.strip():
            if not line.startswith("HMMER3/"):
                raise InputError(f"{name}:{number}: {line[:20]!r} after a model; expected {_EXPECTED}")
            self.part = "filter"

    def finish(self) -> FamilyModel:
        """The model; raises InputError if it is not whole, or not calibrated."""
        name = self.header.get("NAME", "")
        if not name or "CM" not in self.header or self.part != "end":
            raise InputError(f"{self.where}: a model that is not whole; expected {_EXPECTED}")
        if "ECMGC" not in self.header:
            raise InputError(
                f"{self.where}: model {name} is not calibrated; expected one with E-values, which "
                "cmcalibrate adds"
            )
        given = self.header.get("GA")
        try:
            gathering = None if given is None else float(given.split()[0])
        except (ValueError, IndexError):
            raise InputError(f"{self.where}: model {name}: GA {given!r}; expected a bit score") from None
        return FamilyModel(
            name=name,
            accession=self.header.get("ACC", ""),
            gathering=gathering,
            columns=tuple(sorted(self.matches)),
            pairs=self.pairs,
            where=self.where,
            lines=(self.first, self.last),
        )


def search_families(
    rnas: Sequence[Rna],
    path: Path,
    models: Sequence[FamilyModel],
    *,
    seeds: Mapping[str, Alignment] | None = None,
    threads: int = 1,
) -> list[list[Hit]]:
    """The hits of each RNA, on either strand: those on the RNA itself first, the best score first.

    A hit is what reaches the family's own gathering threshold, or `E_VALUE` where the model has none. Of
    a dimer each strand is searched.

    Args:
        rnas: any.
        path: the file of the models.
        models: as `read_families` reads them.
        seeds: seed alignments by family, whose pseudoknots are added; see `check_seeds`.
        threads: that cmsearch may take.

    Raises:
        DependencyError: Infernal is not installed.
        InputError: cmsearch fails.
    """
    parts = [(k, i, rna.bases[i:end]) for k, rna in enumerate(rnas) for i, end in rna.strands]
    hits: list[list[Hit]] = [[] for _ in rnas]
    with TemporaryDirectory(prefix="rnass-") as name:
        folder = Path(name)
        write_text(folder / "rnas.fa", "".join(f">{k}\n{part[2]}\n" for k, part in enumerate(parts)))
        for file, chosen, threshold in _divided(path, models, folder):
            options = ["--rfam", "--nohmmonly", "--noali", "-Z", _SEARCHED, "--cpu", str(threads)]
            output = ["-o", os.devnull, "--tblout", "hits.tbl", "-A", "hits.sto"]
            command = ["cmsearch", *options, *threshold, *output, str(file), "rnas.fa"]
            run_infernal(command, folder, f"{_EXPECTED}, in {path}")
            for number, hit in _read_hits(folder, parts, chosen, seeds or {}):
                hits[number].append(hit)
    return [sorted(found, key=lambda hit: (hit.strand == "-", -hit.score, hit.start)) for found in hits]


def supported(hits: Iterable[Hit]) -> dict[Hit, frozenset[tuple[int, int]]]:
    """The pairs that each hit supports; none on the other strand, or where a better hit overlaps it.

    Args:
        hits: of one RNA, the best first.
    """
    used: list[Hit] = []
    found: dict[Hit, frozenset[tuple[int, int]]] = {}
    for hit in hits:
        free = all(hit.end <= other.start or other.end <= hit.start for other in used)
        if hit.strand == "+" and free:
            used.append(hit)
            found[hit] = hit.pairs
        else:
            found[hit] = frozenset()
    return found


def check_seeds(models: Sequence[FamilyModel], seeds: Sequence[Alignment]) -> dict[str, Alignment]:
    """Seed alignments by the family of their model; those without a model are left out.

    Raises:
        InputError: an alignment that a model was not built from, or without a consensus structure; none
            of any model's family.
    """
    found = {one.family: one for one in seeds}
    chosen = {}
    for model in models:
        seed = found.get(model.accession) or found.get(model.name)
        if seed is None:
            continue
        if not model.columns or model.columns[-1] >= len(seed.consensus):
            raise InputError(
                f"{seed.place('#=GC SS_cons')}: not the alignment that model {model.family} was built "
                f"from ({model.where}); expected the seeds of the same release"
            )
        chosen[model.family] = seed
    if not chosen:
        raise InputError(
            f"{seeds[0].where}: alignments of other families than the models; expected the seeds of "
            f"some of them, as of {models[0].family}"
        )
    return chosen


def _divided(
    path: Path, models: Sequence[FamilyModel], folder: Path
) -> Iterator[tuple[Path, list[FamilyModel], list[str]]]:
    """The file, the models and the threshold of each search."""
    gathered = [model for model in models if model.gathering is not None]
    others = [model for model in models if model.gathering is None]
    by_e_value = ["-E", str(E_VALUE), "--incE", str(E_VALUE)]
    for chosen, threshold in ((gathered, ["--cut_ga"]), (others, by_e_value)):
        if len(chosen) == len(models) and not is_gzip(path):
            yield path.resolve(), chosen, threshold
        elif chosen:
            _write_models(path, chosen, folder / "models.cm")
            yield folder / "models.cm", chosen, threshold


def _write_models(path: Path, models: Sequence[FamilyModel], target: Path) -> None:
    """Write some models of a file."""
    wanted = iter(models)
    first, last = next(wanted).lines
    with target.open("w", encoding="utf-8") as file:
        for number, line in enumerate(iter_lines(path), start=1):
            if number >= first:
                file.write(f"{line}\n")
            if number == last:
                first, last = next((model.lines for model in wanted), (number**2 + 2, 0))


def _read_hits(
    folder: Path,
    parts: Sequence[tuple[int, int, str]],
    models: Sequence[FamilyModel],
    seeds: Mapping[str, Alignment],
) -> Iterator[tuple[int, Hit]]:
    """The hits of a search, each with the number of its RNA."""
    known = {(model.name, model.accession or "-"): model for model in models}
    lines = (folder / "hits.tbl").read_text(encoding="utf-8").splitlines()
    table = [line.split() for line in lines if not line.startswith("#")]
    # one alignment for each model with hits, in the order of the table
    by_model = [(known[key], list(rows)) for key, rows in groupby(table, lambda row: (row[2], row[3]))]
    alignments = read_stockholm(folder / "hits.sto") if table else []
    for (model, rows), alignment in zip(by_model, alignments, strict=True):
        pairs = _column_pairs(model, alignment, seeds.get(model.family))
        for row in rows:
            number, start, bases = parts[int(row[0])]
            first, last = sorted((int(row[7]), int(row[8])))
            found: list[tuple[int, int]] = []
            if row[9] == "+":
                name = f"{row[0]}/{row[7]}-{row[8]}"
                marks = alignment.residues["PP"][name]
                found += _projected(alignment.rows[name], marks, pairs, bases, first - 1)
            yield (
                number,
                Hit(
                    model=model,
                    score=float(row[14]),
                    e_value=float(row[15]),
                    start=start + first - 1,
                    end=start + last,
                    strand=row[9],
                    model_start=int(row[5]) - 1,
                    model_end=int(row[6]),
                    pairs=frozenset((i + start, j + start) for i, j in found),
                ),
            )


def _column_pairs(
    model: FamilyModel, alignment: Alignment, seed: Alignment | None
) -> list[tuple[int, int]]:
    """The family's pairs as columns of an alignment of hits; with the pseudoknots of its seed."""
    pairs = [(i, j) for i, j in alignment.consensus.pairs.tolist()]
    if seed is None:
        return pairs
    matches = [k for k, mark in enumerate(alignment.columns["RF"]) if mark not in GAPS]
    place = dict(zip(model.columns, matches, strict=True))
    kept = {(place[i], place[j]) for i, j in seed.consensus.pairs.tolist() if i in place and j in place}
    if not kept.issuperset(pairs):
        raise InputError(
            f"{seed.place('#=GC SS_cons')}: other pairs than those of model {model.family} "
            f"({model.where}); expected the seeds of the same release"
        )
    return sorted(kept)


def _projected(
    row: str, marks: str, pairs: Iterable[tuple[int, int]], bases: str, start: int
) -> Iterator[tuple[int, int]]:
    """The pairs of columns of which a row has both bases, surely and canonical; 0-based.

    Args:
        row: aligned bases, the first of which is base *start* of *bases*.
        marks: of the posterior probability of each.
        pairs: of columns.
        bases: of the RNA.
        start: see *row*.
    """
    held = np.array([letter not in GAPS for letter in row])
    place = (np.cumsum(held) - 1 + start).tolist()
    for i, j in pairs:
        sure = held[i] and held[j] and marks[i] in _SURE and marks[j] in _SURE
        if sure and bases[place[i]] + bases[place[j]] in CANONICAL_PAIRS:
            yield place[i], place[j]
