"""Relatives: one map of pairing probabilities for the columns of an alignment, and one for each row.

Two sources become one map in log-odds: the mean of the rows' own maps, carried through the alignment,
and RNAalifold's base-pair probabilities. Rows that are near copies of one another count as one. A pair
that no source gives a probability above 0.01 cannot form, and each base has one partner at most.

RNAalifold's ensemble is nested. A pair that crosses its structure and is improbable there is judged by
the rows' maps alone; and as networks often miss pseudoknots, a row's own map counts less against it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from rnass.config import DecodingConfig
from rnass.decoding import one_partner
from rnass.rna import CANONICAL_PAIRS
from rnass.structure import Structure
from rnass.thermodynamics.comparative import ConsensusFold, fold_alignment

__all__ = [
    "DECODING",
    "AlignedRow",
    "AlignedRows",
    "ColumnPairs",
    "Covariation",
    "combine",
    "comparative_weight",
    "consensus_map",
    "conservation",
    "covariation",
    "crosses",
    "decoded_map",
    "fit_of_rows",
    "trust",
]

COPIES = 0.98
"""Identity from which rows count as copies of one another."""

HALF_DEPTH = 1.5
"""Effective rows at which RNAalifold's log-odds count half of what they count at most; more than 1."""

MOST_COMPARATIVE = 0.5
"""Weight of RNAalifold's log-odds beside the rows' in a deep alignment, in [0, 1]."""

CONSERVED = (0.6, 0.9)
"""Structure conservation index at which an alignment begins to count, and counts in full."""

FITTING = (0.5, 0.75)
"""Share of canonical consensus pairs at which the alignment begins to count for a row, and in full."""

DECODING: Mapping[str, Any] = MappingProxyType({"objective": "unpaired_odds", "threshold": 0.35})
"""How the maps that two sources make are decoded, unless the user chooses."""

_LEAST, _MOST = 0.01, 0.99  # a source's probability, so that none overrules the other
_LEAST_OF_NESTED = 0.1  # RNAalifold's likewise, and a row's own of a pair that crosses its structure


@dataclass(frozen=True, eq=False)
class AlignedRows:
    """Rows of an alignment of C columns.

    Attributes:
        names: of the rows.
        texts: over ACGUN and `-`, all of C letters.
    """

    names: tuple[str, ...]
    texts: tuple[str, ...]

    @cached_property
    def _letters(self) -> NDArray[np.uint8]:
        """Shape (N, C)."""
        return np.array([list(text.encode()) for text in self.texts], dtype=np.uint8)

    @cached_property
    def places(self) -> list[NDArray[np.int64]]:
        """The columns of each row's bases, 0-based, shape (L,)."""
        return [np.flatnonzero(row != ord("-")) for row in self._letters]

    @property
    def bases(self) -> list[str]:
        """The bases of each row, without gaps."""
        return [text.replace("-", "") for text in self.texts]

    @cached_property
    def identities(self) -> NDArray[np.float64]:
        """Share of equal letters among the columns where both rows have a base, (N, N); 0 of none."""
        letters = self._letters
        held = letters != ord("-")
        identity = np.eye(len(letters))
        for k, row in enumerate(letters):
            both = held & held[k]
            equal = ((letters == row) & both).sum(1)
            identity[k] = equal / np.maximum(both.sum(1), 1)
        return identity

    @cached_property
    def weights(self) -> NDArray[np.float64]:
        """One for each row: one over the number of its copies, itself among them; (N,)."""
        return np.asarray(1 / (self.identities >= COPIES).sum(1))

    @property
    def depth(self) -> float:
        """The effective number of rows: the sum of the weights."""
        return float(self.weights.sum())

    @cached_property
    def gaps(self) -> NDArray[np.float64]:
        """Share of the rows, by weight, that have no base in each column, (C,)."""
        return np.asarray(self.weights @ (self._letters == ord("-")) / self.weights.sum())

    @property
    def distinct(self) -> list[str]:
        """The texts that RNAalifold folds, each once.

        Rows that are nearly alike stay: leaving them out made it worse.
        """
        return list(dict.fromkeys(self.texts))

    def fold(self) -> ConsensusFold:
        """RNAalifold's consensus of the distinct rows."""
        return fold_alignment(self.distinct)


class AlignedRow(NamedTuple):
    """One row of an alignment.

    Attributes:
        bases: L letters.
        places: the columns of its bases, (L,).
        own: its pairing probabilities alone, (L, L).
    """

    bases: str
    places: NDArray[np.int64]
    own: NDArray[np.floating]


class ColumnPairs(NamedTuple):
    """Each pair of the C columns of an alignment, symmetric.

    Attributes:
        log_odds: (C, C); -inf of a pair that no source supports.
        crossing: whether it crosses a pair of RNAalifold's structure, (C, C).
        depth: the effective number of rows.
    """

    log_odds: NDArray[np.float64]
    crossing: NDArray[np.bool_]
    depth: float


def combine(rows: AlignedRows, maps: Sequence[NDArray[np.floating]], fold: ConsensusFold) -> ColumnPairs:
    """The rows' maps and RNAalifold's probabilities as one.

    Args:
        rows: N rows.
        maps: the pairing probabilities of each row alone, (L, L) each.
        fold: RNAalifold's consensus of the rows.
    """
    columns = len(rows.texts[0])
    total, count = np.zeros((columns, columns)), np.zeros((columns, columns))
    comparative = np.maximum(fold.bpp.dense(), fold.second_bpp.dense())
    supported = comparative > _LEAST
    for places, weight, own in zip(rows.places, rows.weights, maps, strict=True):
        here = np.ix_(places, places)
        total[here] += weight * _log_odds(own)
        count[here] += weight
        supported[here] |= own > _LEAST
    mean = np.where(count > 0, total / np.maximum(count, 1e-9), logit(_LEAST))
    crossing = crosses(fold.mfe_structure)
    blind = crossing & (comparative < _LEAST_OF_NESTED)
    share = np.where(blind, 0.0, comparative_weight(rows.depth))
    both = (1 - share) * mean + share * _log_odds(comparative, _LEAST_OF_NESTED)
    return ColumnPairs(np.where(supported, both, -np.inf), crossing, rows.depth)


def crosses(structure: Structure) -> NDArray[np.bool_]:
    """Whether each pair of positions crosses a pair of the structure, (L, L), symmetric."""
    length = len(structure)
    within = np.zeros((length + 1, length + 1), np.int32)  # [a, b]: pairs k < l with k < a, l < b
    within[structure.pairs[:, 0] + 1, structure.pairs[:, 1] + 1] = 1
    within = within.cumsum(0, dtype=np.int32).cumsum(1, dtype=np.int32)
    number = np.arange(length)
    before, to = within[:-1, :-1], within[number, number + 1]
    outwards = before - to[:, None]  # [i, j]: k < i < l < j
    opened = within[:, -1]
    inwards = opened[:-1] - opened[1:, None] - to + within[1:, 1:]  # i < k < j < l
    upper = np.triu((outwards > 0) | (inwards > 0), 1)
    return np.asarray(upper | upper.T)


def comparative_weight(depth: float) -> float:
    """Weight of RNAalifold's log-odds at an effective number of rows; 0 for one row."""
    more = max(depth - 1, 0.0)
    return MOST_COMPARATIVE * more / (more + HALF_DEPTH - 1)


def consensus_map(
    rows: AlignedRows,
    columns: ColumnPairs,
    options: DecodingConfig = DecodingConfig(),  # noqa: B008 - frozen
) -> NDArray[np.float32]:
    """The pairing probabilities of columns, (C, C), that are decoded to the consensus.

    0 where less than half of the rows, by weight, have both bases, or less than half of those that do
    have a canonical pair. No row adds up to more than 1.

    Args:
        rows: of C columns.
        columns: as `combine` gives them.
        options: decide which pairs can form; the columns have no bases, so all are as good as canonical.
    """
    held = np.zeros(columns.log_odds.shape)
    canonical = np.zeros(columns.log_odds.shape)
    for text, weight in zip(rows.texts, rows.weights, strict=True):
        letters = np.array(list(text))
        both = (letters != "-")[:, None] & (letters != "-")
        pairs = np.char.add(letters[:, None], letters[None, :])
        held += weight * both
        canonical += weight * np.isin(pairs, CANONICAL_PAIRS)
    supported = (held >= rows.depth / 2) & (canonical >= held / 2)
    each = np.where(supported, expit(columns.log_odds), 0)
    any_bases = replace(options, canonical=False)
    return one_partner(each, "A" * len(each), any_bases).astype(np.float32)


def decoded_map(
    columns: ColumnPairs,
    row: AlignedRow,
    trust: float = 1.0,
    options: DecodingConfig = DecodingConfig(),  # noqa: B008 - frozen
) -> NDArray[np.floating]:
    """The pairing probabilities of one row, (L, L): those of its columns, with its own map beside.

    No row adds up to more than 1. Without trust it is the row's own map.

    Args:
        columns: as `combine` gives them.
        row: its bases, columns and own map, which counts as one row more.
        trust: weight of the alignment beside its own map, in [0, 1], as `trust` gives it.
        options: decide which pairs can form.
    """
    if not trust:
        return row.own
    log_odds, crossing, depth = columns
    here = np.ix_(row.places, row.places)
    own = _log_odds(row.own)
    beside = _log_odds(row.own, np.where(crossing[here], _LEAST_OF_NESTED, _LEAST))
    together = trust * (depth * log_odds[here] + beside) / (depth + 1) + (1 - trust) * own
    return one_partner(expit(together), row.bases, options).astype(np.float32)


def conservation(fold: ConsensusFold, energies: Sequence[float]) -> float:
    """The structure conservation index: the consensus's energy over the mean of the rows' own MFEs.

    About 1 and more where rows fold alike, near 0 where they share no structure; 1 where no row folds.
    Washietl, Hofacker & Stadler 2005, doi:10.1073/pnas.0409169102.
    """
    alone = float(np.mean(energies))
    return fold.mfe / alone if alone < 0 else 1.0


def trust(rows: AlignedRows, fold: ConsensusFold, energies: Sequence[float]) -> NDArray[np.float64]:
    """How far the alignment counts for each row, in [0, 1], (N,): 0 where it is wrong, or worth one row.

    Args:
        rows: N rows.
        fold: RNAalifold's consensus of them.
        energies: the minimum free energy of each row alone, in kcal/mol.
    """
    if rows.depth <= 1:
        return np.zeros(len(rows.texts))
    conserved = np.interp(conservation(fold, energies), CONSERVED, (0.0, 1.0))
    fit = np.nan_to_num(fit_of_rows(rows, fold.mfe_structure), nan=1.0)
    return np.asarray(conserved * np.interp(fit, FITTING, (0.0, 1.0)))


def _log_odds(
    probabilities: NDArray[np.floating], least: float | NDArray[np.float64] = _LEAST
) -> NDArray[np.float64]:
    return np.asarray(logit(np.clip(probabilities.astype(np.float64), least, _MOST)))


@dataclass(frozen=True)
class Covariation:
    """How the rows vary at one pair of columns; rows that are copies are counted each.

    Attributes:
        i, j: columns, 0-based, i < j.
        commonest: letters of the pair that most rows have, of the canonical ones.
        compensatory: rows with another canonical pair, both bases of which differ from the commonest.
        consistent: likewise, of which one base differs.
        contradicting: rows with two bases that are no canonical pair.
        missing: rows with a gap.
    """

    i: int
    j: int
    commonest: str
    compensatory: int
    consistent: int
    contradicting: int
    missing: int

    @property
    def covaries(self) -> bool:
        """Whether compensatory changes support the pair, and more rows than contradict it."""
        return self.compensatory > 0 and self.compensatory >= self.contradicting


def covariation(rows: AlignedRows, consensus: Structure) -> list[Covariation]:
    """The table of a consensus structure's pairs, sorted by column."""
    found = []
    for i, j in sorted(map(tuple, consensus.pairs.tolist())):
        pairs = [text[i] + text[j] for text in rows.texts]
        canonical = [pair for pair in pairs if pair in CANONICAL_PAIRS]
        commonest = max(CANONICAL_PAIRS, key=canonical.count) if canonical else ""
        changes = [sum(a != b for a, b in zip(pair, commonest, strict=True)) for pair in canonical]
        missing = sum("-" in pair for pair in pairs)
        contradicting = len(pairs) - len(canonical) - missing
        counts = (changes.count(2), changes.count(1), contradicting, missing)
        found.append(Covariation(i, j, commonest, *counts))
    return found


def fit_of_rows(rows: AlignedRows, consensus: Structure) -> NDArray[np.float64]:
    """Share of each row's pairs in the consensus that are canonical, (N,); NaN where it has none.

    Pairs with a gap or an N do not count.
    """
    fit = np.full(len(rows.texts), np.nan)
    for k, text in enumerate(rows.texts):
        pairs = [text[i] + text[j] for i, j in consensus.pairs.tolist()]
        held = [pair for pair in pairs if not {"-", "N"} & set(pair)]
        if held:
            fit[k] = np.mean([pair in CANONICAL_PAIRS for pair in held])
    return fit
