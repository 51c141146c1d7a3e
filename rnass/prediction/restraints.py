"""The restraints on RNAs: hard constraints and chemical probing, from files to their RNAs.

Constraints hold in the structure. Reactivities shift the log-odds of the map that is decoded. Both also
go into ViennaRNA's ensemble, so that the base-pair probabilities that the network reads agree.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnass.constraints import Constraints
from rnass.decoding import (
    add_log_odds,
    add_pair_log_odds,
    allowed_pairs,
    clean_reactivities,
    mix_log_odds,
    pseudo_reactivities,
    shape_log_odds,
)
from rnass.decoding.probing import Modifier, ShapeMethod
from rnass.errors import ConstraintError, InputError, counted
from rnass.io import (
    BadEntry,
    ConSections,
    ConstraintLine,
    Reactivities,
    constraint_entries,
    file_names,
    reactivity_entries,
)
from rnass.io.entries import all_good
from rnass.rna import CANONICAL_PAIRS, Rna
from rnass.structure import Structure
from rnass.thermodynamics.conditions import STANDARD, Conditions
from rnass.thermodynamics.folding import FoldInput

__all__ = [
    "FAMILY_LOG_ODDS",
    "PROBED_MIX",
    "RestraintOptions",
    "build_constraints",
    "fold_input",
    "forbidden_canonical",
    "is_probed",
    "normalise_reactivities",
    "restrained_map",
    "vienna_constraint",
]

FAMILY_LOG_ODDS = 8.0
"""Evidence for a pair that the RNA's family has, in natural log-odds (`benchmarks/families.py`)."""

PROBED_MIX = 0.1
"""Share of ViennaRNA's log-odds in the map of an RNA with reactivities, which its ensemble knows and the
network does not; chosen by `benchmarks/probing.py` and `benchmarks/probed_mix.py`."""

_HIGHEST = 5.0  # 90th percentile of normalised reactivities, which is near 1
_LOWEST = 0.1  # highest of them in an RNA of which as many bases were probed as
_PROBED = 20


@dataclass(frozen=True, kw_only=True)
class RestraintOptions:
    """Files of restraints, and what the reactivities are.

    Attributes:
        constraints: file or folder of them; see `rnass.io.read_constraints`.
        shape: file or folder of reactivities; see `rnass.io.read_reactivities`.
        modifier: the reagent of the reactivities; None is 1M7.
        normalize_reactivities: normalise those of each record first, see `normalise_reactivities`;
            otherwise they must be normalised already.
        shape_method: how they become pseudo-energies, see `rnass.decoding.pseudo_reactivities`.

    Raises:
        InputError: an option for reactivities without any.
    """

    constraints: str | None = None
    shape: str | None = None
    modifier: Modifier | None = None
    normalize_reactivities: bool = False
    shape_method: ShapeMethod = "likelihood"

    def __post_init__(self) -> None:
        for name in ("modifier", "normalize_reactivities", "shape_method"):
            if getattr(self, name) != getattr(RestraintOptions, name) and not self.shape:
                option = name.replace("_", "-")
                raise InputError(f"--{option}: no reactivities; expected --shape with them")

    @property
    def restraints(self) -> dict[str, Any]:
        """These options, as JSON."""
        return {one.name: getattr(self, one.name) for one in fields(RestraintOptions)}

    def restrain(self, rnas: Sequence[Rna], bad: Iterable[str] = ()) -> list[Rna | InputError]:
        """RNAs with the restraints that the files hold for them.

        A block with a header, or a file of a folder, is for the record of that name: the safe name of
        its files, or an id that is the only one. A file without a header is for the only record there
        is, or for the one that is called as the file is.

        Args:
            rnas: all records of a run.
            bad: ids of records that could not be read; restraints on them are passed over.

        Returns:
            One item for each RNA: it with its restraints, or why they do not fit it or cannot be read.

        Raises:
            InputError: a file that cannot be read; restraints on no record, readable or not; a second
                one on one record.
        """
        bad = frozenset(bad)
        lines = _assigned(rnas, constraint_entries(self.constraints) if self.constraints else [], bad)
        values = _assigned(rnas, reactivity_entries(self.shape) if self.shape else [], bad)

        def restrained(number: int, rna: Rna) -> Rna | InputError:
            given: dict[str, Any] = {}
            try:
                all_good(found[number] for found in (lines, values) if number in found)
                if number in lines:
                    given["constraints"] = build_constraints(lines[number], rna)
                if number in values:
                    given["reactivities"] = self._reactivities(values[number], rna)
                return replace(rna, **given) if given else rna
            except InputError as error:
                error.record = rna.id
                return error

        return [restrained(number, rna) for number, rna in enumerate(rnas)]

    def _reactivities(self, given: Reactivities, rna: Rna) -> tuple[float, ...]:
        """Of every base, for Deigan's formula; of DMS those of other bases than A and C are missing."""
        modifier: Modifier = self.modifier or "1M7"
        known = _of_bases(given, rna, modifier, normalise=self.normalize_reactivities)
        found = pseudo_reactivities(known, rna.bases, modifier=modifier, method=self.shape_method)
        return tuple(found.tolist())


def _assigned(rnas: Sequence[Rna], items: Sequence[Any], bad: frozenset[str]) -> dict[int, Any]:
    """The number of the record that each item is for."""
    ids = [rna.id for rna in rnas]
    copies = Counter(ids)
    by_name = {name: k for k, name in enumerate(file_names(ids))}
    by_name |= {name: k for k, name in enumerate(ids) if copies[name] == 1}
    # blocks of one file are distinguished as records of one file are
    names = file_names(item.name for item in items)
    found: dict[int, Any] = {}
    for item, name in zip(items, names, strict=True):
        k = by_name.get(item.name if copies[item.name] == 1 else name)
        if k is None and not item.named and len(rnas) == len(items) == 1:
            k = 0
        if k is None and item.name in bad:
            continue
        if k is None and isinstance(item, BadEntry):
            raise item.error
        if k is None:
            raise InputError(f"{item.where}: no record is called {item.name!r}; expected the id of one")
        if k in found:
            raise InputError(
                f"{item.where}: a second restraint on record {ids[k]!r}, after {found[k].where}; "
                "expected one for each record"
            )
        found[k] = item
    return found


def build_constraints(given: ConstraintLine | ConSections, rna: Rna) -> Constraints:
    """The constraints on an RNA that a file holds.

    FMN of a CON file is a U in a G-U pair: it must pair, and only with a G.

    Raises:
        ConstraintError: not one symbol for each base, another RNA above the line, an unbalanced
            bracket; bases under Mod, which lie at the end of a helix or beside G-U; FMN at another
            base than U.
    """
    if isinstance(given, ConstraintLine):
        return _from_line(given, rna)
    where = f"{given.where} ({rna.id})"
    if given.modified:
        raise ConstraintError(
            f"{where}: {counted(len(given.modified), 'base')} under Mod, a section that cannot be "
            "enforced; expected DS, SS, Pairs, FMN and Forbids (reactivities go to --shape)"
        )
    inside = [base for base in sorted(given.cleaved) if base < len(rna)]
    for k in inside:
        if rna.bases[k] != "U":
            raise ConstraintError(
                f"{where}: base {k + 1} ({rna.bases[k]}) under FMN; expected a U, of a G-U pair"
            )
    others = frozenset(k for k, base in enumerate(rna.bases) if base != "G")
    return Constraints(
        unpaired=given.unpaired,
        paired=given.paired | given.cleaved,
        pairs=given.pairs,
        forbidden=given.forbidden,
        apart=((frozenset(inside), others),) if inside else (),
        where=where,
    )


def _from_line(given: ConstraintLine, rna: Rna) -> Constraints:
    above = given.sequence
    if above is not None and (above.bases, above.nick) != (rna.bases, rna.nick):
        raise ConstraintError(
            f"{given.where}: the RNA above the line is not that of the record; expected the same bases"
        )
    constraints = Constraints.from_line(rna.unmark(given.line), given.where)
    constraints.check(len(rna))
    return constraints


def _of_bases(
    given: Reactivities, rna: Rna, modifier: Modifier, *, normalise: bool
) -> NDArray[np.float64]:
    """Reactivities of every base, cleaned; missing are those of bases that DMS does not report, too."""
    probed = given.bases or ""
    for k, (base, own) in enumerate(zip(probed, rna.bases, strict=False), start=1):
        if base not in (own, "N"):
            raise InputError(
                f"{given.where}: {base} at base {k}, another RNA was probed; "
                f"expected {own}, as in {rna.id}"
            )
    if given.complete and len(probed) != len(rna):
        raise InputError(
            f"{given.where}: {counted(len(probed), 'base')}, another RNA was probed; expected "
            f"{len(rna)}, as in {rna.id}"
        )
    if len(given.values) > len(rna):
        raise InputError(
            f"{given.where}: base {len(given.values)} is out of range; expected 1 to {len(rna)}"
        )
    values = np.full(len(rna), np.nan)
    values[: len(given.values)] = given.values
    if modifier == "DMS":
        values[[base not in "AC" for base in rna.bases]] = np.nan
    values = clean_reactivities(values)
    if normalise:
        values = normalise_reactivities(values)
    _check_normalised(values, given.where)
    return values


def normalise_reactivities(reactivities: ArrayLike) -> NDArray[np.float64]:
    """Reactivities over the mean of the high ones: 2-8 % normalisation.

    Of the bases that were probed, the 2 % most reactive are outliers; the mean of the next 8 % becomes
    1 (Low & Weeks 2010, doi:10.1016/j.ymeth.2010.06.007). At least one base is in each part.

    Args:
        reactivities: shape (L,), NaN where missing. All missing or 0, they stay.
    """
    values = np.asarray(reactivities, dtype=np.float64)
    ranked = np.sort(values[~np.isnan(values)])[::-1]
    outliers = max(1, round(0.02 * ranked.size))
    high = ranked[outliers : outliers + max(1, round(0.08 * ranked.size))]
    scale = float(high.mean()) if high.size else 0.0
    return values / scale if scale > 0 else values


def _check_normalised(values: NDArray[np.float64], where: str) -> None:
    """Refuse reactivities that are all 0 or on another scale: they would decide every pair, or none."""
    known = values[~np.isnan(values)]
    if not known.size:
        return
    if known.size >= _PROBED and not known.any():
        raise InputError(f"{where}: no reactivity above 0; expected those of reactive bases near 1")
    high = float(np.percentile(known, 90))
    if high > _HIGHEST or (known.size >= _PROBED and known.max() < _LOWEST):
        raise InputError(
            f"{where}: the 90th percentile of the reactivities is {high:.3g}; expected normalised ones, "
            "of which it is near 1: --normalize-reactivities makes them so"
        )


def is_probed(rna: Rna) -> bool:
    """Whether the reactivity of any base is known."""
    return rna.reactivities is not None and not np.isnan(rna.reactivities).all()


def restrained_map(
    probabilities: NDArray[np.float32],
    reactivities: tuple[float, ...] | None,
    bpp: NDArray[np.float32] | None = None,
    mix: float = 0.0,
    supported: Collection[tuple[int, int]] = (),
) -> NDArray[np.floating]:
    """The map to decode: *probabilities* with ViennaRNA's mixed in, then shifted by the other evidence.

    Args:
        probabilities: the network's, (L, L).
        reactivities: of the L bases, as Deigan's formula takes them; None for none.
        bpp: ViennaRNA's base-pair probabilities, (L, L); needed if *mix* is more than 0.
        mix: their share of the log-odds.
        supported: pairs of the RNA's family, each of which gains `FAMILY_LOG_ODDS`.
    """
    restrained: NDArray[np.floating] = probabilities
    if mix and bpp is not None:
        restrained = mix_log_odds(restrained, bpp, mix)
    if reactivities is not None:
        restrained = add_log_odds(restrained, shape_log_odds(reactivities))
    if supported:
        restrained = add_pair_log_odds(restrained, supported, FAMILY_LOG_ODDS)
    return restrained


def forbidden_canonical(given: Constraints, bases: str) -> frozenset[tuple[int, int]]:
    """The forbidden pairs, and of those of bases that are kept apart the canonical ones."""
    apart = {
        (min(i, j), max(i, j))
        for one, other in given.apart
        for i in one
        for j in other
        if bases[i] + bases[j] in CANONICAL_PAIRS
    }
    return given.forbidden | apart


def fold_input(rna: Rna, *, mfe_bpp: bool = False, conditions: Conditions = STANDARD) -> FoldInput:
    """An RNA for ViennaRNA, under its restraints; see `FoldInput` for the others."""
    return FoldInput(
        rna.text,
        constraint=vienna_constraint(rna),
        forbidden=forbidden_canonical(rna.constraints, rna.bases),
        reactivities=rna.reactivities,
        mfe_bpp=mfe_bpp,
        conditions=conditions,
    )


def vienna_constraint(rna: Rna) -> str | None:
    """The constraints on an RNA in ViennaRNA's notation, as far as it can hold to them; None of none.

    Its structures are nested and canonical: the bases of a forced pair that cannot be in one are
    unpaired there, as their partner is elsewhere.
    """
    given = rna.constraints
    symbols = ["."] * len(rna)
    for bases, symbol in (
        (given.paired, "|"), (given.upstream, ">"), (given.downstream, "<"), (given.unpaired, "x")
    ):  # fmt: skip
        for base in bases:
            symbols[base] = symbol
    able = allowed_pairs(rna.bases, nick=rna.nick) if given.pairs else np.zeros((0, 0))
    canonical = [pair for pair in sorted(given.pairs) if able[pair]]
    nested = Structure(len(rna), canonical).up_to_order(0).pairs.tolist()
    for i, j in given.pairs:
        symbols[i], symbols[j] = ("(", ")") if [i, j] in nested else ("x", "x")
    line = "".join(symbols)
    return line if set(line) != {"."} else None
