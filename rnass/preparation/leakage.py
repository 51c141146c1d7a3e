"""Which sequences of one set are near some sequence of another, so that no network trains on the one and
is judged on the other.

Near means: in an alignment that covers most of the shorter sequence, most columns without terminal
gaps hold the same base. vsearch (Rognes et al. 2016, doi:10.7717/peerj.2584) or MMseqs2 (Steinegger
& Soeding 2017, doi:10.1038/nbt.3988) find such alignments where one is installed; else shared k-mers
find candidates, and a plain edit distance judges them.
"""

import math
import os
import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rnass.errors import ConfigError
from rnass.programs import require_program, run_program
from rnass.rna import BASES

__all__ = ["SEARCH", "TOOLS", "Hit", "Tool", "best_tool", "near"]

Tool = Literal["vsearch", "mmseqs", "kmers"]

TOOLS: tuple[Tool, ...] = ("vsearch", "mmseqs", "kmers")
"""In order of preference."""

SEARCH = 2
"""Number of the way to search, which is another where it finds others; hits that are kept name it."""

K = 8
"""Length of the words of `kmers`: one in 4 ** 8 is equal by chance, 0.8 ** 8 at an identity of 0.8."""

_CANDIDATES = 8  # targets that `kmers` aligns to each query

_SHORT, _MEDIUM = 50, 75  # bases; a usual search of vsearch misses shorter sequences
_SHORT_WORDS = "--wordlength 5 --minwordmatches 1 --maxrejects 512"
_MEDIUM_WORDS = "--wordlength 7 --minwordmatches 4 --maxrejects 64"
_UNKNOWN = re.compile("N{4,}")  # search programs let N match anything
_PACKAGES = {"vsearch": "vsearch", "mmseqs": "mmseqs2"}


@dataclass(frozen=True)
class Hit:
    """One sequence and the nearest to it of the other set.

    Attributes:
        query, target: their places in the two sets, from 0.
        identity: share of equal columns, in [0, 1]; see `near` for `kmers`.
    """

    query: int
    target: int
    identity: float


def best_tool() -> Tool:
    """The first of `TOOLS` that is installed; `kmers` always is."""
    return next(tool for tool in TOOLS if tool == "kmers" or shutil.which(tool))


def near(
    queries: Sequence[str],
    targets: Sequence[str],
    *,
    identity: float = 0.8,
    coverage: float = 0.8,
    tool: Tool | None = None,
    threads: int = 0,
) -> list[Hit]:
    """The queries that are near a target, in order, each with the nearest one found.

    Programs differ in what they call an alignment, so in borderline cases. Bases of the shorter
    sequence that a local alignment of MMseqs2 leaves out count as unequal. `kmers` aligns, with fewest
    edits, the whole shorter sequence to any part of the longer one, for the few targets that share the
    most k-mers with a query, and takes 1 - edits / bases of the shorter one as identity.

    Args:
        queries: bases over ACGUN; runs of four and more N are left out.
        targets: likewise.
        identity: least share of equal columns, in (0, 1].
        coverage: least share of the shorter sequence that the alignment covers.
        tool: one of `TOOLS`; the best installed one unless given.
        threads: of the search program; 0 for all cores.

    Raises:
        ConfigError: an identity or coverage out of range.
        DependencyError: the program is not installed, or failed.
    """
    for name, value in (("identity", identity), ("coverage", coverage)):
        if not 0 < value <= 1:
            raise ConfigError(f"{name} {value}; expected more than 0, at most 1")
    if not queries or not targets:
        return []
    tool = tool or best_tool()
    queries, targets = ([_UNKNOWN.sub("", bases) for bases in side] for side in (queries, targets))
    if tool == "kmers":
        return _best(_shared_words(queries, targets, identity))
    search = {"vsearch": _vsearch, "mmseqs": _mmseqs}[tool]
    with TemporaryDirectory(prefix="rnass-") as folder:
        found = list(search(Path(folder), queries, targets, identity, threads))
    return _best(
        one.hit
        for one in found
        if one.hit.identity >= identity and one.covers(queries, targets) >= coverage
    )


@dataclass(frozen=True)
class _Alignment:
    """A hit and how many bases of both sequences it spans."""

    hit: Hit
    query_span: int
    target_span: int

    def covers(self, queries: Sequence[str], targets: Sequence[str]) -> float:
        """The covered share of the shorter sequence."""
        query, target = len(queries[self.hit.query]), len(targets[self.hit.target])
        return self.query_span / query if query <= target else self.target_span / target


def _best(hits: Iterable[Hit]) -> list[Hit]:
    """One hit for each query: of the highest identity, then of the first target."""
    best: dict[int, Hit] = {}
    for hit in sorted(hits, key=lambda hit: (hit.query, -hit.identity, hit.target)):
        best.setdefault(hit.query, hit)
    return list(best.values())


def _vsearch(
    folder: Path, queries: Sequence[str], targets: Sequence[str], identity: float, threads: int
) -> Iterable[_Alignment]:
    """A usual search; shorter words, of which fewer must be shared, where one of the two is short."""
    long = _by_length(queries, _SHORT)
    for chosen, against, words in [
        (long, _by_length(targets), "--wordlength 8 --minwordmatches 4 --maxrejects 512"),
        (_by_length(queries, _SHORT, _MEDIUM), _by_length(targets, _SHORT), _MEDIUM_WORDS),
        (_by_length(queries, _MEDIUM), _by_length(targets, _SHORT, _MEDIUM), _MEDIUM_WORDS),
        (_by_length(queries, 1, _SHORT), _by_length(targets), _SHORT_WORDS),
        (long, _by_length(targets, 1, _SHORT), _SHORT_WORDS),
    ]:
        if _write(folder, "query.fa", queries, chosen) and _write(folder, "target.fa", targets, against):
            _run(
                f"vsearch --quiet --usearch_global query.fa --db target.fa --id {identity} "
                f"--strand plus --qmask none --dbmask none --minseqlength 1 {words} "
                f"--maxaccepts 16 --threads {threads} "
                "--userout hits --userfields query+target+id+qilo+qihi+tilo+tihi",
                folder,
            )
            yield from _table(folder / "hits", unit=0.01)


def _mmseqs(
    folder: Path, queries: Sequence[str], targets: Sequence[str], identity: float, threads: int
) -> Iterable[_Alignment]:
    if not _write(folder, "query.fa", queries) or not _write(folder, "target.fa", targets):
        return []
    _run(
        "mmseqs easy-search query.fa target.fa hits work --search-type 3 --strand 1 -s 7.5 -k 7 "
        f"--mask 0 -e 10 -v 1 --min-seq-id {identity} --threads {threads or os.cpu_count()} "
        "--format-output query,target,fident,qstart,qend,tstart,tend",
        folder,
    )
    return [
        replace(one, hit=replace(one.hit, identity=one.hit.identity * one.covers(queries, targets)))
        for one in _table(folder / "hits", unit=1)
    ]


def _by_length(sequences: Sequence[str], least: int = 1, below: float = math.inf) -> list[int]:
    return [k for k, bases in enumerate(sequences) if least <= len(bases) < below]


def _write(
    folder: Path, name: str, sequences: Sequence[str], chosen: Iterable[int] | None = None
) -> bool:
    """Sequences under their numbers, as not every name survives a search program; whether any are."""
    numbers = range(len(sequences)) if chosen is None else chosen
    records = [f">{k}\n{sequences[k]}\n" for k in numbers if sequences[k]]
    (folder / name).write_text("".join(records))
    return bool(records)


def _table(path: Path, *, unit: float) -> Iterable[_Alignment]:
    for line in path.read_text().splitlines():
        query, target, identity, *ends = line.split("\t")
        first, last, target_first, target_last = map(int, ends)
        hit = Hit(int(query), int(target), float(identity) * unit)
        yield _Alignment(hit, abs(last - first) + 1, abs(target_last - target_first) + 1)


def _run(command: str, folder: Path) -> None:
    """Run a search program in *folder*; raises DependencyError."""
    program, *options = command.split()
    package = f"the program (Debian package {_PACKAGES[program]}), or the tool kmers"
    require_program(program, package)
    run_program([program, *options], folder, "hits")


def _shared_words(queries: Sequence[str], targets: Sequence[str], identity: float) -> Iterable[Hit]:
    """For each query, its best target by edits among those that share the most words with it."""
    words = [_words(bases) for bases in targets]
    counts = np.array([len(one) for one in words])
    every = np.concatenate(words)
    order = np.argsort(every, kind="stable")
    every, owner = every[order], np.repeat(np.arange(len(words)), counts)[order]
    places = {bases: k for k, bases in reversed(list(enumerate(targets)))}
    for q, bases in enumerate(queries):
        if bases and bases in places:
            yield Hit(q, places[bases], 1.0)
        elif len(own := _words(bases)):
            first, last = (np.searchsorted(every, own, side) for side in ("left", "right"))
            parts = [owner[a:b] for a, b in zip(first, last, strict=True)]
            shared = np.bincount(np.concatenate(parts), minlength=len(words))
            share = shared / np.maximum(1, np.minimum(counts, len(own)))
            for t in np.argsort(-share, kind="stable")[:_CANDIDATES]:
                short, long = sorted((bases, targets[t]), key=len)
                if shared[t] and (same := 1 - _edits(short, long) / len(short)) >= identity:
                    yield Hit(q, int(t), same)


def _edits(pattern: str, text: str) -> int:
    """Fewest substitutions, insertions and deletions from *pattern* to any part of *text*; N equals
    nothing.

    All rows of a column of the dynamic programme at once, one bit each (Myers 1999,
    doi:10.1145/316542.316550).
    """
    every = (1 << len(pattern)) - 1
    equal = {base: sum(1 << k for k, one in enumerate(pattern) if one == base) for base in "ACGU"}
    rises, falls = every, 0  # between the rows of the column
    score = best = len(pattern)
    for base in text:
        same = equal.get(base, 0)
        across = (((same & rises) + rises) ^ rises) | same
        up, down = falls | (~(across | rises) & every), rises & across
        score += (up >> (len(pattern) - 1)) - (down >> (len(pattern) - 1))
        best = min(best, score)
        up, down = (up << 1) & every, (down << 1) & every
        rises, falls = down | (~(same | falls | up) & every), up & (same | falls)
    return best


def _words(bases: str) -> NDArray[np.int64]:
    """The distinct k-mers without N, as numbers."""
    codes = np.array([BASES.index(base) for base in bases], dtype=np.int64)
    if len(codes) < K:
        return np.zeros(0, dtype=np.int64)
    windows = np.lib.stride_tricks.sliding_window_view(codes, K)
    known = windows[(windows < 4).all(1)]
    return np.unique(known @ 4 ** np.arange(K))
