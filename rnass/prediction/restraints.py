"""What is known of one RNA beside its bases: hard constraints, chemical probing.

Constraints hold in the structure. Reactivities shift the log-odds of the map that is decoded. Both also
go into ViennaRNA's ensemble, so that what the network sees of it agrees.
"""

import dataclasses
from collections.abc import Iterable
from collections.abc import Sequence as Items
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rnass.decoding import (
    Constraints,
    add_log_odds,
    allowed_pairs,
    clean_reactivities,
    mix_log_odds,
    shape_log_odds,
)
from rnass.errors import ConstraintError, InputError, counted
from rnass.io import (
    ConSections,
    ConstraintLine,
    Reactivities,
    file_names,
    read_constraints,
    read_reactivities,
)
from rnass.rna import Rna
from rnass.structure import Structure

__all__ = ["Knowledge", "ShapeMethod", "build_constraints", "known_of"]

ShapeMethod = Literal["deigan", "likelihood"]


@dataclass(frozen=True)
class Knowledge:
    """What is known of one RNA, and how it counts.

    Attributes:
        constraints: what the structure must hold to.
        reactivities: one for each base, about 1 where reactive, NaN where missing; None for none.
        shape_method: how they become log-odds; see `rnass.decoding.shape_log_odds`.
        mix: share of ViennaRNA's log-odds in the map that is decoded, in [0, 1].
    """

    constraints: Constraints = Constraints()  # noqa: RUF009 - frozen
    reactivities: tuple[float, ...] | None = None
    shape_method: ShapeMethod = "deigan"
    mix: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.mix <= 1:
            raise InputError(f"mix: {self.mix}; expected 0 to 1")

    def check(self, sequence: Rna) -> None:
        """Find what does not fit the sequence, or contradicts itself.

        Raises:
            ConstraintError: a base out of range, constraints that exclude each other.
            InputError: not as many reactivities as bases.
        """
        self.constraints.check(len(sequence))
        if self.reactivities is not None and len(self.reactivities) != len(sequence):
            raise InputError(
                f"{sequence.id}: reactivities of {counted(len(self.reactivities), 'base')}; "
                f"expected {len(sequence)}",
                sequence.id,
            )

    def inform(
        self, probabilities: NDArray[np.float32], thermal: NDArray[np.float32] | None
    ) -> NDArray[np.floating]:
        """The map to decode: *probabilities*, (L, L), with ViennaRNA's mixed in, then the evidence.

        Args:
            probabilities: the network's.
            thermal: ViennaRNA's, of the same shape; needed if `mix` is more than 0.
        """
        informed: NDArray[np.floating] = probabilities
        if self.mix and thermal is not None:
            informed = mix_log_odds(informed, thermal, self.mix)
        if self.reactivities is not None:
            shift = shape_log_odds(self.reactivities, method=self.shape_method)
            informed = add_log_odds(informed, shift)
        return informed

    def vienna_line(self, sequence: Rna) -> str | None:
        """The constraints as ViennaRNA can hold to them; None if there are none.

        Its structures are nested and canonical: the bases of a forced pair that cannot be in one are
        unpaired there, as their partner is elsewhere.
        """
        known = self.constraints
        symbols = ["."] * len(sequence)
        for bases, symbol in (
            (known.paired, "|"), (known.upstream, ">"), (known.downstream, "<"), (known.unpaired, "x")
        ):  # fmt: skip
            for base in bases:
                symbols[base] = symbol
        able = allowed_pairs(sequence.bases, nick=sequence.nick) if known.pairs else np.zeros((0, 0))
        canonical = [pair for pair in sorted(known.pairs) if able[pair]]
        nested = Structure(len(sequence), canonical).up_to_order(0).pairs.tolist()
        for i, j in known.pairs:
            symbols[i], symbols[j] = ("(", ")") if [i, j] in nested else ("x", "x")
        line = "".join(symbols)
        return line if set(line) != {"."} else None

    @property
    def fingerprint(self) -> dict[str, Any]:
        """All of it as JSON, the same for the same knowledge; empty if there is none."""
        if self == Knowledge():
            return {}
        known = dataclasses.asdict(self.constraints)
        del known["where"]
        apart = [[sorted(one), sorted(other)] for one, other in known.pop("apart")]
        values = None if self.reactivities is None else [repr(value) for value in self.reactivities]
        return {
            "constraints": {name: sorted(bases) for name, bases in known.items()} | {"apart": apart},
            "reactivities": values,
            "shape_method": None if values is None else self.shape_method,
            "mix": self.mix,
        }


def known_of(
    sequences: Items[Rna],
    *,
    constraints: str | Path | None = None,
    reactivities: str | Path | None = None,
    dms: bool = False,
    base: Knowledge = Knowledge(),
    bad: Iterable[str] = (),
) -> list[Knowledge | InputError]:
    """What some files say of each sequence; *base* for one of which they say nothing.

    A block with a header, or a file of a folder, is for the record of that name: the safe name of its
    files, or an id that is the only one. A file without a header is for the only record there is, or
    for the one that is called as the file is. What is for a *bad* record, by id, is passed over.
    Reactivities to *dms* are those of A and C; what a file says of other bases counts as missing.

    Returns:
        One item for each sequence: what is known, or why it does not fit the record.

    Raises:
        InputError: a file that cannot be read; something that is for no record, or the second thing
            for one.
    """
    bad = frozenset(bad)
    lines = _assigned(sequences, read_constraints(constraints) if constraints else [], bad)
    values = _assigned(sequences, read_reactivities(reactivities) if reactivities else [], bad)
    reported = "AC" if dms else "ACGUN"
    return [
        _known(sequence, lines.get(k), values.get(k), reported, base)
        for k, sequence in enumerate(sequences)
    ]


def _assigned(sequences: Items[Rna], items: Items[Any], bad: frozenset[str]) -> dict[int, Any]:
    """The number of the record that each item is for."""
    ids = [sequence.id for sequence in sequences]
    by_name = {name: k for k, name in enumerate(file_names(ids))}
    by_name |= {name: k for k, name in enumerate(ids) if ids.count(name) == 1}
    # blocks of one file are told apart as records of one file are
    names = file_names(item.name for item in items)
    found: dict[int, Any] = {}
    for item, name in zip(items, names, strict=True):
        k = by_name.get(item.name if ids.count(item.name) == 1 else name)
        if k is None and not item.named and len(sequences) == len(items) == 1:
            k = 0
        if k is None and item.name in bad:
            continue
        if k is None:
            raise InputError(f"{item.where}: no record is called {item.name!r}; expected the id of one")
        if k in found:
            raise InputError(
                f"{item.where}: record {ids[k]!r} has been dealt with in {found[k].where}; "
                "expected one for each record"
            )
        found[k] = item
    return found


def _known(
    sequence: Rna,
    constraint: ConstraintLine | ConSections | None,
    reactive: Reactivities | None,
    reported: str,
    base: Knowledge,
) -> Knowledge | InputError:
    try:
        if constraint is not None:
            base = dataclasses.replace(base, constraints=build_constraints(constraint, sequence))
        if reactive is not None:
            base = dataclasses.replace(base, reactivities=_padded(reactive, sequence, reported))
        base.check(sequence)
    except InputError as error:
        error.record = sequence.id
        return error
    return base


def build_constraints(given: ConstraintLine | ConSections, sequence: Rna) -> Constraints:
    """The constraints on a sequence that a file holds.

    FMN of a CON file is a U in a G-U pair: it must pair, and only with a G.

    Raises:
        ConstraintError: not one symbol for each base, another RNA above the line, an unbalanced
            bracket; bases under Mod, which say that a base lies at the end of a helix or beside G-U,
            FMN at another base than U.
    """
    if isinstance(given, ConstraintLine):
        return _from_line(given, sequence)
    where = f"{given.where} ({sequence.id})"
    if given.modified:
        raise ConstraintError(
            f"{where}: {counted(len(given.modified), 'base')} under Mod, which no pair can be held to "
            "one by one; expected DS, SS, Pairs, FMN and Forbids (reactivities go to --shape)"
        )
    inside = [base for base in sorted(given.cleaved) if base < len(sequence)]
    for k in inside:
        if sequence.bases[k] != "U":
            raise ConstraintError(
                f"{where}: base {k + 1} ({sequence.bases[k]}) under FMN; expected a U, of a G-U pair"
            )
    others = frozenset(k for k, base in enumerate(sequence.bases) if base != "G")
    return Constraints(
        unpaired=given.unpaired,
        paired=given.paired | given.cleaved,
        pairs=given.pairs,
        forbidden=given.forbidden,
        apart=((frozenset(inside), others),) if inside else (),
        where=where,
    )


def _from_line(given: ConstraintLine, sequence: Rna) -> Constraints:
    above = given.sequence
    if above is not None and (above.bases, above.nick) != (sequence.bases, sequence.nick):
        raise ConstraintError(
            f"{given.where}: the RNA above the line is not that of the record; expected the same bases"
        )
    line = given.line
    if sequence.nick is not None and line.find("&") == sequence.nick:
        line = line.replace("&", "", 1)
    if len(line) != len(sequence):
        raise ConstraintError(
            f"{given.where}: {counted(len(line), 'symbol')}; expected {len(sequence)}, one for each base"
        )
    return Constraints.from_line(line, given.where)


def _padded(given: Reactivities, sequence: Rna, reported: str) -> tuple[float, ...]:
    """Reactivities of every base, cleaned; missing are those of other bases than *reported*, too."""
    pairs = zip(given.bases or "", sequence.bases, strict=False)
    other_length = given.complete and len(given.bases or "") != len(sequence)
    if other_length or any(base not in (other, "N") for base, other in pairs):
        raise InputError(f"{given.where}: another RNA was probed; expected the bases of {sequence.id}")
    if len(given.values) > len(sequence):
        raise InputError(
            f"{given.where}: base {len(given.values)} is out of range; expected 1 to {len(sequence)}"
        )
    values = np.full(len(sequence), np.nan)
    values[: len(given.values)] = given.values
    values[[base not in reported for base in sequence.bases]] = np.nan
    return tuple(clean_reactivities(values).tolist())
