"""Labelled RNAs: records of data files, and batches of them with base-pair probabilities."""

import hashlib
import logging
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeVar, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from rnass.backbone.vocabulary import Vocabulary
from rnass.errors import InputError, counted
from rnass.files import make_folder, read_json, read_lines, sha256, write_json
from rnass.io.structures import read_labelled
from rnass.network.contact_model import Batch, Features, collate
from rnass.preparation.leakage import SEARCH, Hit, best_tool, near
from rnass.structure import Structure
from rnass.thermodynamics.folding import all_base_pair_probabilities
from rnass.thermodynamics.parameter_sets import OWN_NAME
from rnass.thermodynamics.probability_cache import ProbabilityCache, cached_probabilities
from rnass.training.config import DataConfig
from rnass.training.profiles import fit_densities, read_profiles

__all__ = [
    "Example",
    "LabelledBatch",
    "Loader",
    "checksums",
    "family_names",
    "read_examples",
    "spread",
    "training_examples",
    "whole_tokens",
]

log = logging.getLogger("rnass")


@runtime_checkable  # for the shape checks of the tests
class _Record(Protocol):
    """Anything that has bases."""

    @property
    def bases(self) -> str:
        """Over ACGUN."""


R = TypeVar("R", bound=_Record)


@dataclass(frozen=True)
class Example:
    """One RNA to learn from.

    Attributes:
        id, family: as the data file names them; an unknown family is empty.
        bases: over ACGUN.
        pairs: (n, 2), 0-based.
        source: which of the files it came from.
        mask: empty, or for each base 1 where masked language modelling may mask it, else 0.
        altered: mutated, so that nothing is kept for its bases.
        evidence: of an RNA whose structure is not known, (L,): the log-likelihood ratio that each base
            is unpaired, see `rnass.training.profiles.Densities`; else None.
    """

    id: str
    family: str
    bases: str
    pairs: NDArray[np.int64]
    source: int = 0
    mask: str = ""
    altered: bool = False
    evidence: NDArray[np.float32] | None = None

    @property
    def pseudoknotted(self) -> bool:
        """Whether any two of its pairs cross."""
        return bool(Structure(len(self.bases), self.pairs).crossing.any())

    def contacts(self) -> NDArray[np.float32]:
        """The pairs as a symmetric (L, L) map of 0 and 1."""
        size = len(self.bases)
        contacts = np.zeros((size, size), dtype=np.float32)
        i, j = self.pairs.T
        contacts[i, j] = contacts[j, i] = 1
        return contacts


def read_examples(paths: Sequence[str], min_length: int = 1, max_length: int = 10**9) -> list[Example]:
    """All labelled records of the files or folders, in order, as far as one can learn from them.

    Left out, and counted in a warning for each file, are those of two strands or outside the lengths.

    Raises:
        InputError: a file that cannot be read; names file and line.
    """
    examples = []
    for source, path in enumerate(paths):
        records = read_labelled(path)
        single = [record for record in records if record.sequence.nick is None]
        kept = [record for record in single if min_length <= len(record.sequence.bases) <= max_length]
        for reason, count in (
            ("of two strands", len(records) - len(single)),
            (f"not of {min_length} to {max_length} bases", len(single) - len(kept)),
        ):
            if count:
                known = counted(len(records), "record")
                log.warning("%s: %d of %s left out, %s", path, count, known, reason)
        for record in kept:
            bases, mask = record.sequence.bases, record.extra.get("mask", "")
            if mask and (len(mask) != len(bases) or set(mask) - set("01")):
                raise InputError(f"{path} ({record.id}): a bad mask; expected a 0 or 1 for each base")
            pairs = record.structure.pairs
            examples.append(Example(record.id, record.family, bases, pairs, source, mask))
    return examples


def training_examples(data: DataConfig) -> list[Example]:
    """The training records, none of an excluded family and none near a held-out record.

    Raises:
        InputError: a file that cannot be read; a record near a held-out one, unless those are to be
            dropped.
    """
    examples = read_examples(data.train, data.min_length, data.max_length)
    if data.excluded_families:
        examples = _without_families(examples, data.excluded_families)
    examples += _profile_examples(data, len(data.train))
    if not data.held_out:
        return examples
    held_out = read_examples(data.held_out)
    hits = _kept_hits([e.bases for e in examples], [e.bases for e in held_out], Path(data.cache))
    if hits and not data.drop_near:
        worst = max(hits, key=lambda hit: hit.identity)
        raise InputError(
            f"data: {counted(len(hits), 'training record')} near held-out ones, "
            f"{examples[worst.query].id} to {held_out[worst.target].id} with {worst.identity:.0%} the "
            "same; expected none, or drop_near = true"
        )
    dropped = {hit.query for hit in hits}
    if dropped:
        known = counted(len(examples), "training record")
        log.warning("%d of %s left out, near held-out ones", len(dropped), known)
    return [example for k, example in enumerate(examples) if k not in dropped]


def spread(examples: Sequence[Example], limit: int) -> list[Example]:
    """So many of the examples at most, evenly from first to last."""
    chosen = np.linspace(0, len(examples), min(limit, len(examples)), endpoint=False)
    return [examples[int(k)] for k in chosen]


def checksums(data: DataConfig, examples: Sequence[Example], valid: Sequence[Example]) -> dict[str, str]:
    """The sha256 of what a run learns from its records and files, whatever they are called."""
    found = {"data.train": _checksum(examples), "data.valid": _checksum(valid)}
    return found | {path: sha256(Path(path)) for path in data.profiles}


def _checksum(examples: Sequence[Example]) -> str:
    """The sha256 of all that decides a run but the evidence, which may round otherwise elsewhere."""
    digest = hashlib.sha256()
    for one in examples:
        text = (one.family, one.bases, str(one.source), one.mask, str(len(one.pairs)))
        digest.update("\t".join(text).encode() + one.pairs.astype("<i8").tobytes())
    return digest.hexdigest()


def family_names(family: str) -> list[str]:
    """The names in a record's family column, which may hold several (`RF00001,RF02541`)."""
    return re.findall(r"[^,;\s]+", family)


def _profile_examples(data: DataConfig, first: int) -> list[Example]:
    """The chemical-mapping profiles as examples without pairs, their sources numbered from *first*."""
    found = []
    for source, path in enumerate(data.profiles, start=first):
        profiles = [
            one
            for one in read_profiles(path, data.profile_signal)
            if data.min_length <= len(one.bases) <= data.max_length
        ]
        densities = fit_densities(profiles, OWN_NAME)
        none = np.zeros((0, 2), dtype=np.int64)
        found += [
            Example(one.id, "", one.bases, none, source, evidence=densities.evidence(one))
            for one in profiles
        ]
    return found


def _without_families(examples: list[Example], path: str) -> list[Example]:
    """The examples of none of the families that a text file lists, `#` beginning a comment."""
    excluded = {name for line in read_lines(path) for name in family_names(line.partition("#")[0])}
    if not excluded:
        raise InputError(f"{path}: no family; expected names, one a line")
    present = {name for example in examples for name in family_names(example.family)}
    if absent := sorted(excluded - present):
        first = ", ".join(absent[:5]) + (", ..." if len(absent) > 5 else "")
        known = counted(len(excluded), "name")
        log.warning("%s: %d of %s of no training record: %s", path, len(absent), known, first)
    kept = [e for e in examples if excluded.isdisjoint(family_names(e.family))]
    if left_out := len(examples) - len(kept):
        known = counted(len(examples), "training record")
        log.warning("%d of %s left out, of excluded families", left_out, known)
    return kept


def whole_tokens(records: Sequence[R], vocabulary: Vocabulary, what: str) -> list[R]:
    """The records that a backbone can read: where its tokens are codons, those of whole codons.

    A warning counts the others; *what* is the records' purpose.
    """
    step = vocabulary.bases_per_token
    kept = [record for record in records if len(record.bases) % step == 0]
    if left_out := len(records) - len(kept):
        log.warning(
            "%d of %s left out, not of whole codons", left_out, counted(len(records), f"{what} record")
        )
    return kept


def _kept_hits(bases: list[str], held_out: list[str], cache: Path) -> list[Hit]:
    """The near records, from the cache or computed into it."""
    tool = best_tool()
    read = "\n".join([*bases, "", *held_out, f"{tool} {SEARCH}"])
    key = hashlib.blake2b(read.encode(), digest_size=8).hexdigest()
    kept = cache / f"near.{key}.json"
    with suppress(InputError, LookupError, TypeError):  # there is no such file, or a damaged one
        return [Hit(*hit) for hit in read_json(kept)["hits"]]
    hits = near(bases, held_out, tool=tool)
    make_folder(cache)
    write_json(kept, {"hits": [(hit.query, hit.target, hit.identity) for hit in hits]})
    return hits


@dataclass(frozen=True)
class LabelledBatch:
    """RNAs and their pairs as (B, L, L) maps of 0 and 1.

    Attributes:
        rnas, contacts: the RNAs, their pairs.
        maskable: (B, L) 1 where masked language modelling may mask a base; None for everywhere.
        evidence: (B, L) the log-likelihood ratio that a base is unpaired, of RNAs whose pairs are not
            known; NaN of the others. None where all pairs are known.
    """

    rnas: Batch
    contacts: Float[Tensor, "B L L"]
    maskable: Float[Tensor, "B L"] | None = None
    evidence: Float[Tensor, "B L"] | None = None

    def to(self, device: torch.device) -> "LabelledBatch":
        """The same batch on another device."""
        maskable = None if self.maskable is None else self.maskable.to(device)
        evidence = None if self.evidence is None else self.evidence.to(device)
        return LabelledBatch(self.rnas.to(device), self.contacts.to(device), maskable, evidence)


class Loader:
    """Turns examples into batches, with the base-pair probabilities that a head reads.

    Args:
        vocabulary: the backbone's token table.
        sets: parameter sets of ViennaRNA; none for no base-pair probabilities.
        cache: folder that keeps base-pair probabilities once computed.
        processes: worker processes that compute them; 0 for this one.

    Attributes:
        features: gives the kept output of a frozen backbone for some RNAs.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        sets: Sequence[str] = (),
        cache: Path = Path("runs/cache"),
        processes: int = 0,
    ) -> None:
        self.vocabulary, self.sets = vocabulary, sets
        self.cache, self.processes = cache, processes
        self.features: Callable[[Sequence[str]], Features | None] | None = None
        self._kept: dict[tuple[str, str], ProbabilityCache] = {}

    def annotate(self, paths: Sequence[str], examples: Sequence[Example]) -> None:
        """Have the base-pair probabilities of all examples at hand."""
        for source, path in enumerate(paths):
            own = [example for example in examples if example.source == source]
            for name in self.sets if own else ():
                bases, label = [example.bases for example in own], Path(path).name.split(".")[0]
                known = cached_probabilities(bases, name, self.cache, label, self.processes)
                for example in own:
                    self._kept[name, example.bases] = known

    def bpp(self, example: Example) -> NDArray[np.float32]:
        """Base-pair probabilities of one RNA, (S, L, L); one that was not annotated is folded now."""
        bases = example.bases
        known = [self._kept.get((name, bases)) for name in self.sets]
        lacking = [name for name, one in zip(self.sets, known, strict=True) if one is None]
        folded = iter(all_base_pair_probabilities(bases, lacking))
        return np.stack([next(folded).dense() if one is None else one.dense(bases) for one in known])

    def __call__(self, chosen: Sequence[Example]) -> LabelledBatch:
        """Pad the examples to one batch."""
        rnas = [example.bases for example in chosen]
        maps = [self.bpp(example) for example in chosen] if self.sets else None
        batch = collate(rnas, maps, self.vocabulary)
        if self.features and not any(example.altered for example in chosen):
            batch = replace(batch, features=self.features(rnas))
        contacts = torch.zeros(len(chosen), *[batch.bases.shape[1]] * 2)
        for k, example in enumerate(chosen):
            size = len(example.bases)
            contacts[k, :size, :size] = torch.from_numpy(example.contacts())
        return LabelledBatch(batch, contacts, _maskable(chosen, batch), _evidence(chosen, batch))


def _maskable(chosen: Sequence[Example], batch: Batch) -> Tensor | None:
    if not any(example.mask for example in chosen):
        return None
    maskable = torch.ones_like(batch.mask)
    for k, example in enumerate(chosen):
        if example.mask:
            maskable[k, : len(example.mask)] = torch.tensor([float(mark) for mark in example.mask])
    return maskable


def _evidence(chosen: Sequence[Example], batch: Batch) -> Tensor | None:
    if all(example.evidence is None for example in chosen):
        return None
    evidence = torch.full_like(batch.mask, torch.nan)
    for k, example in enumerate(chosen):
        if example.evidence is not None:
            evidence[k] = 0
            evidence[k, : len(example.bases)] = torch.from_numpy(example.evidence)
    return evidence
