"""Labelled sequences from families: Infernal's covariance models emit new members and align known ones.

A covariance model is built from a family's seed alignment and its consensus structure (Nawrocki & Eddy
2013, doi:10.1093/bioinformatics/btt509; programs cmbuild, cmemit, cmalign). Infernal ignores
pseudoknots; here they are taken from the seed alignment and carried over where both their columns are
match columns of the model, and the two bases of an emitted one are those of a row of the seed.
"""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from rnass.errors import InputError
from rnass.io.stockholm import GAPS, Alignment, project, read_stockholm, write_stockholm
from rnass.io.tsv import LabelledRecord
from rnass.preparation.curate import source_of
from rnass.preparation.infernal import match_columns, require_infernal, run_infernal
from rnass.preparation.leakage import near
from rnass.rna import CANONICAL_PAIRS, Rna
from rnass.structure import Structure

__all__ = [
    "MIN_PAIRS",
    "Labelled",
    "Model",
    "Trust",
    "align_members",
    "build",
    "emit",
    "emit_families",
    "find_families",
    "may_be_labelled",
]

T = TypeVar("T")

MIN_PAIRS = 3
"""Records with fewer pairs teach nothing and are dropped."""

_ACCESSION = re.compile(r"\bRF\d{5}\b")
_MODELLED = "a family that it can model"


@dataclass(frozen=True)
class Labelled:
    """Records made, and those that were not.

    Attributes:
        records: the labelled sequences.
        dropped: why others were not labelled, and how many.
        failed: families whose model could not be made or used, and Infernal's message.
    """

    records: list[LabelledRecord]
    dropped: Mapping[str, int]
    failed: Mapping[str, str]


@dataclass(frozen=True)
class Trust:
    """Conditions for an aligned sequence to be given the consensus structure.

    Attributes:
        posterior: mean posterior probability of its aligned bases.
        held: share of the consensus pairs of which it has both partners.
        canonical: share of those that are A-U, G-C or G-U.
        lengths: fewest and most bases; others are not aligned.
    """

    posterior: float = 0.8
    held: float = 0.7
    canonical: float = 0.8
    lengths: tuple[int, int] = (30, 1600)


@dataclass(frozen=True)
class Model:
    """A covariance model on disk.

    Attributes:
        family: its accession or name.
        path: the model file.
        consensus: pairs of its match columns, pseudoknots included, 0-based.
        ignored: the pairs of the consensus that the model does not know, and the bases that the rows
            of the seed have there, one string of two for each row that has both.
    """

    family: str
    path: Path
    consensus: Structure
    ignored: Mapping[tuple[int, int], list[str]]


def build(seed: Alignment, folder: Path) -> Model:
    """Build the covariance model of one family in *folder*; raises InputError, DependencyError."""
    family = seed.family or "family"
    write_stockholm(folder / "seed.sto", [seed])
    run_infernal(
        f"cmbuild -F -n {family.replace(' ', '_')} model.cm seed.sto".split(), folder, _MODELLED
    )
    columns, known = _match_columns(folder / "model.cm")
    place = {column: k for k, column in enumerate(columns)}
    kept = [(i, j) for i, j in seed.consensus.pairs.tolist() if i in place and j in place]
    seen = {
        (i, j): [row[i] + row[j] for row in seed.rows.values() if not {row[i], row[j]} & set(GAPS + "N")]
        for i, j in kept
        if (i, j) not in known
    }
    pairs = [(place[i], place[j]) for i, j in kept if seen.get((i, j), True)]
    ignored = {(place[i], place[j]): both for (i, j), both in seen.items() if both}
    return Model(family, folder / "model.cm", Structure(len(columns), pairs), ignored)


def emit(model: Model, count: int, seed: int) -> list[tuple[str, Structure]]:
    """Emit members of a family; *seed* and the family decide which."""
    digest = hashlib.blake2b(f"{seed} {model.family}".encode(), digest_size=4).digest()
    number = 1 + int.from_bytes(digest, "big") % (2**31 - 2)  # 0 would be a seed of Infernal's own
    options = f"-a --outformat Pfam -N {count} --seed {number} -o emitted.sto"
    run_infernal(f"cmemit {options} {model.path.name}".split(), model.path.parent, _MODELLED)
    (emitted,) = read_stockholm(model.path.parent / "emitted.sto")
    columns = _columns_of(model, emitted)
    consensus = Structure(len(emitted.columns["RF"]), columns[model.consensus.pairs])
    rng = np.random.default_rng(number)
    return [
        project(_paired(row, columns, model, rng), consensus, model.family)
        for row in emitted.rows.values()
    ]


def emit_families(
    seeds: Sequence[Alignment], *, per_family: int, seed: int = 0, processes: int = 1
) -> Labelled:
    """New members of each family, with the consensus pairs of which they have both partners.

    Exact duplicates and records with fewer than `MIN_PAIRS` pairs are dropped. The same seed gives the
    same records, whatever the number of processes. They may lie near a test sequence:
    `rnass.preparation.leakage` lists them.

    Raises:
        DependencyError: Infernal is not installed.
    """
    require_infernal("cmbuild", "cmemit", "cmalign")
    made, failed = _each(partial(_emit_one, per_family=per_family, seed=seed), seeds, processes)
    records, dropped, seen = [], Counter[str](), set[str]()
    for k, one in enumerate(seeds):
        for number, (bases, structure) in enumerate(made.get(k, []), start=1):
            if bases in seen or len(structure.pairs) < MIN_PAIRS:
                dropped["duplicate" if bases in seen else "few pairs"] += 1
                continue
            seen.add(bases)
            rna = Rna(f"{one.family}|{number}", bases)
            records.append(LabelledRecord(rna, structure, "cmemit", one.family))
    return Labelled(records, dropped, failed)


def align_members(
    seeds: Sequence[Alignment],
    members: Mapping[str, Sequence[Rna]],
    *,
    trust: Trust | None = None,
    processes: int = 1,
) -> Labelled:
    """Known members of families, with the consensus pairs of which they have both partners.

    Args:
        seeds: the families.
        members: unlabelled sequences by family; of families without a seed they are left out.
        trust: what an aligned sequence must reach.
        processes: families that are aligned at the same time.

    Raises:
        DependencyError: Infernal is not installed.
    """
    require_infernal("cmbuild", "cmemit", "cmalign")
    trust = trust or Trust()
    named = {one.family: one for one in seeds}
    dropped = Counter({"no seed alignment": sum(len(m) for f, m in members.items() if f not in named)})
    chosen = [one for family, one in named.items() if members.get(family)]
    work = partial(_align_one, members=members, trust=trust)
    made, failed = _each(work, chosen, processes)
    records = []
    for part, reasons in made.values():
        records += part
        dropped += reasons
    return Labelled(records, +dropped, failed)


def find_families(
    sequences: Sequence[Rna],
    seeds: Sequence[Alignment],
    *,
    table: Mapping[str, str] | None = None,
    identity: float | None = None,
) -> dict[str, list[Rna]]:
    """The sequences of each family: by the table, by an Rfam accession in the header, by identity.

    Args:
        sequences: any.
        seeds: the families.
        table: family of each id or header.
        identity: least identity with a member of the seed for those that neither of the others
            places; None leaves them out.
    """
    members: dict[str, list[Rna]] = defaultdict(list)
    unplaced = []
    for rna in sequences:
        named = (table or {}).get(rna.description) or (table or {}).get(rna.id)
        found = _ACCESSION.search(rna.description)
        if family := named or (found[0] if found else ""):
            members[family].append(rna)
        else:
            unplaced.append(rna)
    if identity is not None:
        rows = [(s.family, project(r, s.consensus)[0]) for s in seeds for r in s.rows.values()]
        hits = near([rna.bases for rna in unplaced], [row for _, row in rows], identity=identity)
        for hit in hits:
            members[rows[hit.target][0]].append(unplaced[hit.query])
    return dict(members)


def may_be_labelled(
    sequences: Iterable[Rna], excluded: Collection[str], sources: Collection[str] | None = None
) -> list[Rna]:
    """The sequences that no exclusion list forbids, of sources that were searched for such a list.

    Args:
        sequences: with headers `source|id`; without a bar the source is empty.
        excluded: headers or ids that are near a test.
        sources: those that were searched; unless given, those that occur in *excluded*: if a source
            never occurs in the list, that may be because nobody looked.
    """
    searched = {source_of(header) for header in excluded} if sources is None else set(sources)
    return [
        rna
        for rna in sequences
        if source_of(rna.description) in searched and not {rna.description, rna.id} & set(excluded)
    ]


def _emit_one(seed_alignment: Alignment, *, per_family: int, seed: int) -> list[tuple[str, Structure]]:
    with TemporaryDirectory(prefix="rnass-") as folder:
        return emit(build(seed_alignment, Path(folder)), per_family, seed)


def _align_one(
    seed_alignment: Alignment, *, members: Mapping[str, Sequence[Rna]], trust: Trust
) -> tuple[list[LabelledRecord], Counter[str]]:
    family = seed_alignment.family
    least, most = trust.lengths
    single = [rna for rna in members[family] if rna.nick is None]
    fitting = [rna for rna in single if least <= len(rna) <= most]
    dropped = Counter(
        {"two strands": len(members[family]) - len(single), "length": len(single) - len(fitting)}
    )
    if not fitting:
        return [], dropped
    with TemporaryDirectory(prefix="rnass-") as name:
        model = build(seed_alignment, Path(name))
        aligned = _aligned(model, fitting)
    pairs = _columns_of(model, aligned)[model.consensus.pairs]
    consensus = Structure(len(aligned.columns["RF"]), pairs)
    records = []
    for k, rna in enumerate(fitting):
        bases, structure = project(aligned.rows[str(k)], consensus, rna.id)
        doubt = _doubt(bases, structure, model, aligned.residues["PP"][str(k)], trust)
        if doubt:
            dropped[doubt] += 1
        else:
            source = source_of(rna.description) or "cmalign"
            records.append(LabelledRecord(rna, structure, source, family))
    return records, dropped


def _aligned(model: Model, members: Sequence[Rna]) -> Alignment:
    """The members, under their numbers, aligned to the model with posterior probabilities."""
    folder = model.path.parent
    (folder / "members.fa").write_text("".join(f">{k}\n{rna.bases}\n" for k, rna in enumerate(members)))
    options = f"-g --cpu 0 --outformat Pfam -o aligned.sto {model.path.name} members.fa"
    run_infernal(["cmalign", *options.split()], folder, _MODELLED)
    (aligned,) = read_stockholm(folder / "aligned.sto")
    return aligned


def _doubt(bases: str, structure: Structure, model: Model, marks: str, trust: Trust) -> str:
    """Why an aligned sequence is not given the structure; empty if it is."""
    pairs = structure.pairs
    if len(pairs) < max(MIN_PAIRS, trust.held * len(model.consensus.pairs)):
        return "few pairs"
    if np.mean([bases[i] + bases[j] in CANONICAL_PAIRS for i, j in pairs]) < trust.canonical:
        return "not canonical"
    # a digit stands for that many tenths, a star for 0.95 and more
    posterior = [0.975 if mark == "*" else int(mark) / 10 for mark in marks if mark in "0123456789*"]
    return "low posterior" if np.mean(posterior) < trust.posterior else ""


def _paired(row: str, columns: NDArray[np.int64], model: Model, rng: np.random.Generator) -> str:
    """An emitted row whose ignored pairs, sampled base by base, are replaced by pairs of the seed."""
    letters = list(row)
    for (i, j), seen in model.ignored.items():
        first, last = columns[[i, j]]
        both = seen[rng.integers(len(seen))]
        if row[first] not in GAPS and row[last] not in GAPS:
            letters[first], letters[last] = both[0], both[1]
    return "".join(letters)


def _match_columns(path: Path) -> tuple[list[int], set[tuple[int, int]]]:
    """The columns of the seed alignment that a model file matches, and its pairs; from 0."""
    nodes = [match_columns(line) for line in path.read_text().splitlines()]
    return sorted(k for node in nodes for k in node), {(n[0], n[1]) for n in nodes if len(n) == 2}


def _columns_of(model: Model, alignment: Alignment) -> NDArray[np.int64]:
    """Where the match columns of a model stand in an alignment to it; insertions have no mark in RF."""
    marks = alignment.columns["RF"]
    columns = np.array([k for k, mark in enumerate(marks) if mark not in GAPS], dtype=np.int64)
    if len(columns) != len(model.consensus):
        raise InputError(
            f"{model.family}: {len(columns)} match columns; expected {len(model.consensus)}"
        )
    return columns


def _each(
    work: Callable[[Alignment], T], seeds: Sequence[Alignment], processes: int
) -> tuple[dict[int, T], dict[str, str]]:
    """Results by the place of each family, and the errors of the others by their names."""

    def tried(seed: Alignment) -> T | InputError:
        try:
            return work(seed)
        except InputError as error:
            return error

    with ThreadPoolExecutor(max(1, processes)) as pool:  # threads, as they only wait for Infernal
        outcomes = list(pool.map(tried, seeds))
    made = {k: one for k, one in enumerate(outcomes) if not isinstance(one, InputError)}
    failed = {seeds[k].family: str(one) for k, one in enumerate(outcomes) if k not in made}
    return made, failed
