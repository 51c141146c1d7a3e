"""The Boltzmann ensemble of one RNA or of two strands: minimum free energy, base-pair probabilities.

Energies are in kcal/mol. Lorenz et al. 2011, doi:10.1186/1748-7188-6-26.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from operator import itemgetter
from typing import Any

import numpy as np
import RNA
from numpy.typing import ArrayLike, NDArray

from rnass.constraints import Constraints
from rnass.errors import ConfigError, ConstraintError, RnassError, SequenceError
from rnass.rna import BPP_CUTOFF, MISSING_REACTIVITY, Rna
from rnass.structure import Structure
from rnass.thermodynamics.base_pairs import BasePairProbabilities, pairs_of
from rnass.thermodynamics.conditions import STANDARD, Conditions
from rnass.thermodynamics.free_energy import IMPOSSIBLE
from rnass.thermodynamics.parameter_sets import DEFAULT_PARAMETERS, Scaled, scaled

__all__ = [
    "MAX_LENGTH",
    "SURE_LENGTH",
    "Ensemble",
    "compound_of",
    "only_unpaired",
]

MAX_LENGTH = 32_700
"""The longest RNA, in bases, that ViennaRNA folds."""

SURE_LENGTH = 200
"""Bases whose partition function needs no scaling at 37 C: at most some 1.65 kcal/mol each."""

_DIRECTIONS = {"<": 1, ">": -1}  # of the partner of a base, towards the 3' end is 1
_FAR = 300.0  # kcal/mol from the energy that it is scaled by, which a partition function bears
_UNCONNECTED = 900.0  # kcal/mol; ViennaRNA's energy of two strands that no structure connects is above


@dataclass(frozen=True)
class _Restraints:
    """Constraint, reactivities, bounds and bars, in the order of `Ensemble`'s arguments."""

    constraint: str | None
    reactivities: tuple[float, ...] | None
    max_span: int | None
    forbidden: tuple[tuple[int, int], ...]
    unpaired: tuple[int, ...]

    def within(self, first: int, end: int) -> "_Restraints":
        """Those of the bases from *first* to before *end*, counted from there."""
        return _Restraints(
            None if self.constraint is None else self.constraint[first:end],
            None if self.reactivities is None else self.reactivities[first:end],
            self.max_span,
            tuple((i - first, j - first) for i, j in self.forbidden if first <= i and j < end),
            tuple(base - first for base in self.unpaired if first <= base < end),
        )


class Ensemble:
    """One RNA, or two strands, as ViennaRNA folds it; each part is computed on first use.

    Two strands need not bind: minimum, probabilities and energies are over all structures of both,
    whether a pair connects them or not (the first that does costs the initiation of a duplex).

    Args:
        bases: 5' to 3'; an N pairs with nothing. Two strands as `A&B`.
        parameters: a name of `rnass.thermodynamics.parameter_sets.PARAMETER_SETS`.
        constraint: a line as long as the RNA: `.` free, `x` unpaired, `|` paired, `<` and `>` paired
            with a base downstream or upstream, `()` this pair; every structure obeys it.
        reactivities: shape (L,), normalised SHAPE reactivities; NaN or -999 where missing (see
            `rnass.decoding.clean_reactivities`). They change the energies by Deigan's formula (Deigan
            et al. 2009, doi:10.1073/pnas.0806929106).
        max_span: most bases that a pair spans, both ends counted; None for no bound.
        forbidden: pairs (i, j), 0-based, i < j, that no structure has.
        unpaired: bases, 0-based, that pair in no structure.
        conditions: temperature and salt concentration.

    Raises:
        SequenceError: a letter that is no base, no bases, more than `MAX_LENGTH`.
        ConfigError: an unknown parameter set, or one that cannot be rescaled to the conditions;
            reactivities of another length.
        CheckpointError: rnass's own energies are missing, altered or damaged.
        ConstraintError: a constraint that cannot be read; one that no structure obeys is found when
            the first structure is computed.

    >>> Ensemble("GGGGAAAACCCC").mfe_structure.dot_bracket
    '((((....))))'
    """

    def __init__(
        self,
        bases: str,
        parameters: str = DEFAULT_PARAMETERS,
        *,
        constraint: str | None = None,
        reactivities: ArrayLike | None = None,
        max_span: int | None = None,
        forbidden: Iterable[tuple[int, int]] = (),
        unpaired: Iterable[int] = (),
        conditions: Conditions = STANDARD,
    ) -> None:
        rna = Rna.from_text(bases)
        length = len(rna)
        if length > MAX_LENGTH:
            raise SequenceError(f"sequence: {length} bases; expected at most {MAX_LENGTH} for ViennaRNA")
        if constraint is not None:
            Constraints.from_line(constraint, "constraint").check(length)
        values = None if reactivities is None else _checked_reactivities(reactivities, length)
        self._restraints = _Restraints(constraint, values, max_span, tuple(forbidden), tuple(unpaired))
        self._rna, self.bases = rna, rna.bases
        self.parameters, self.conditions = parameters, conditions
        self._compound = self._restrained()

    def _restrained(self, near: float | None = None) -> Any:
        """The fold compound; its partition function is scaled by a free energy *near* its own."""
        known = self._restraints
        parameters = scaled(self.parameters, known.max_span, self.conditions)
        compound = compound_of(self._rna.text, parameters, near)
        if known.constraint is not None:
            _constrain(compound, known.constraint)
        if known.reactivities is not None:  # ViennaRNA counts from 1, and takes missing ones as negative
            from rnass.decoding.probing import DEIGAN_INTERCEPT, DEIGAN_SLOPE

            values = [MISSING_REACTIVITY]
            values += [MISSING_REACTIVITY if math.isnan(r) else r for r in known.reactivities]
            compound.sc_add_SHAPE_deigan(values, DEIGAN_SLOPE, DEIGAN_INTERCEPT)
        for i, j in known.forbidden:
            compound.hc_add_bp(i + 1, j + 1, RNA.CONSTRAINT_CONTEXT_NO_REMOVE)
        for base in known.unpaired:
            compound.hc_add_up(base + 1)
        return compound

    @cached_property
    def _minimum(self) -> tuple[str, float]:
        if self._rna.nick is not None and self._restraints.constraint is None:
            found = self._compound.mfe_dimer()
        else:  # of two strands mfe() is over the structures that connect them alone
            found = min([self._compound.mfe(), *self._apart], key=itemgetter(1))
        dot_bracket, energy = found
        if energy >= IMPOSSIBLE:
            raise ConstraintError("constraint: no structure obeys it; expected one that some pairs can")
        return dot_bracket or "." * len(self.bases), float(energy)

    @cached_property
    def _apart(self) -> list[tuple[str, float]]:
        """The minimum of two strands without pairs between them; none where one alone cannot obey.

        ViennaRNA's mfe_dimer() has it too, but under constraints it writes outside of its memory.
        """
        if self._rna.nick is None:
            return []
        try:
            found = [self._strand(first, end)._minimum for first, end in self._rna.strands]
        except ConstraintError:  # a pair across them, among others
            return []
        return [("".join(one for one, _ in found), sum(energy for _, energy in found))]

    @cached_property
    def _partition(self) -> tuple[float, NDArray[np.float64]]:
        """The free energy of the ensemble, and its base pairs as `pairs_of` gives them."""
        known = self._restraints
        certain = known.constraint is None and known.reactivities is None and self.conditions.standard
        sure = certain and len(self.bases) <= SURE_LENGTH
        if self._rna.nick is not None:
            if not sure:
                self._compound.exp_params_rescale(self.mfe)
            return self._partition_of_two()
        if sure:
            return _finite(self._compound.pf()[1]), pairs_of(self._compound)
        near = self._near_minimum
        self._compound = self._restrained(near)
        energy = self._compound.pf()[1]
        if not abs(energy - near) < _FAR:  # nor where it is no number
            self._compound = self._restrained(self.mfe)
            energy = self._compound.pf()[1]
        return _finite(energy), pairs_of(self._compound)

    @property
    def _near_minimum(self) -> float:
        """Roughly the minimum free energy, in kcal/mol: that of pieces without pairs between them.

        Numbers near it suffice to scale a partition function, and the whole minimum takes a sixth of
        the time of that.
        """
        if "_minimum" in vars(self) or self._restraints.constraint is not None:
            return self.mfe  # known already; pieces may not obey a constraint
        starts = range(0, len(self.bases), SURE_LENGTH)
        return sum(self._strand(k, min(k + SURE_LENGTH, len(self.bases))).mfe for k in starts)

    def _partition_of_two(self) -> tuple[float, NDArray[np.float64]]:
        """`_partition` of two strands.

        ViennaRNA's probabilities are those of the structures that connect them; the others are pairs of
        structures of one strand each.
        """
        *_, connected, whole = self._compound.pf_dimer()
        whole = _finite(whole)
        kt = self._compound.exp_params.kT / 1000
        share = math.exp((whole - connected) / kt) if connected < _UNCONNECTED else 0.0
        probability: dict[tuple[float, float], float] = {}
        parts = [(0, share, pairs_of(self._compound))] if share else []
        if share < 1 and self._restraints.constraint is not None and not self._apart:
            share, parts = 1.0, [(0, 1.0, pairs_of(self._compound))]
        if share < 1:
            for first, end in self._rna.strands:
                parts.append((first, 1 - share, self._strand(first, end)._partition[1]))
        for first, part, pairs in parts:
            for i, j, p in pairs.tolist():
                place = (first + i, first + j)
                probability[place] = probability.get(place, 0.0) + part * p
        rows = [(i, j, p) for (i, j), p in sorted(probability.items()) if p >= BPP_CUTOFF]
        return whole, np.array(rows, dtype=np.float64).reshape(-1, 3)

    def _strand(self, first: int, end: int) -> "Ensemble":
        """The bases from *first* to before *end* alone, under their restraints."""
        known = vars(self._restraints.within(first, end))
        return Ensemble(self.bases[first:end], self.parameters, conditions=self.conditions, **known)

    def without(self, unpaired: Iterable[int]) -> "Ensemble":
        """The same RNA with some bases that pair no more; of a constraint only the `x` are kept."""
        known = self._restraints
        line = None if known.constraint is None else only_unpaired(known.constraint)
        taken = (*known.unpaired, *unpaired)
        changed = vars(replace(known, constraint=line, unpaired=taken))
        return Ensemble(self._rna.text, self.parameters, conditions=self.conditions, **changed)

    @property
    def ensemble_energy(self) -> float:
        """The free energy of the whole ensemble, -kT ln Z, in kcal/mol."""
        return self._partition[0]

    @property
    def mfe(self) -> float:
        """The minimum free energy, in kcal/mol."""
        return self._minimum[1]

    @cached_property
    def mfe_structure(self) -> Structure:
        """The structure of minimum free energy."""
        return Structure.from_dot_bracket(self._minimum[0])

    @cached_property
    def bpp(self) -> BasePairProbabilities:
        """The base-pair probabilities, sparse: none below `rnass.rna.BPP_CUTOFF`.

        McCaskill 1990, doi:10.1002/bip.360290621.
        """
        return BasePairProbabilities.from_pairs(len(self.bases), self._partition[1])

    @cached_property
    def mea(self) -> Structure:
        """The structure of maximum expected accuracy, gamma 1.

        Lu et al. 2009, doi:10.1261/rna.1643609.
        """
        pairs = self._partition[1]
        if self._rna.nick is None:
            return Structure.from_dot_bracket(self._compound.MEA()[0])
        rows = [RNA.ep(int(i) + 1, int(j) + 1, p, RNA.PLIST_TYPE_BASEPAIR) for i, j, p in pairs.tolist()]
        return Structure.from_dot_bracket(RNA.MEA_from_plist(rows, self.bases, 1.0)[0])

    @cached_property
    def centroid(self) -> Structure:
        """All pairs more probable than 0.5: the structure nearest to the ensemble."""
        i, j, p = self._partition[1].T
        chosen = np.stack([i, j], axis=1)[p > 0.5]
        return Structure(len(self.bases), chosen.astype(np.int64))


def only_unpaired(constraint: str) -> str:
    """Of a constraint line the bases that must not pair."""
    return "".join("x" if symbol == "x" else "." for symbol in constraint)


def compound_of(text: str, parameters: Scaled, near: float | None = None) -> Any:
    """A fold compound of an RNA, two strands as `A&B`, with these parameters.

    Its partition function is scaled by a free energy *near* its own, in kcal/mol, which one of a long
    RNA needs.
    """
    model, energies, weights = parameters
    compound = RNA.fold_compound(text, model)
    # In another order ViennaRNA 2.7 forgets the weights, unless the MFE is computed first.
    compound.exp_params_subst(weights)
    if near is not None:
        compound.exp_params_rescale(near)
    compound.params_subst(energies)
    return compound


def _finite(energy: float) -> float:
    """The energy of an ensemble, which ViennaRNA's arithmetic may have failed to give."""
    if not math.isfinite(energy):
        raise RnassError("ViennaRNA: the partition function is not finite; expected a number")
    return float(energy)


def _constrain(compound: Any, line: str) -> None:
    """Hold a fold compound to a constraint; of `<` and `>`, ViennaRNA's own parser enforces no pair."""
    without = "".join("." if symbol in _DIRECTIONS else symbol for symbol in line)
    compound.hc_add_from_db(without, RNA.CONSTRAINT_DB_DEFAULT | RNA.CONSTRAINT_DB_ENFORCE_BP)
    every = RNA.CONSTRAINT_CONTEXT_ALL_LOOPS | RNA.CONSTRAINT_CONTEXT_ENFORCE
    for k, symbol in enumerate(line, start=1):
        if symbol in _DIRECTIONS:
            compound.hc_add_bp_nonspecific(k, _DIRECTIONS[symbol], every)


def _checked_reactivities(reactivities: ArrayLike, length: int) -> tuple[float, ...]:
    from rnass.decoding.probing import clean_reactivities  # here, as most workers need none of it

    values = clean_reactivities(reactivities)
    if values.shape != (length,):
        raise ConfigError(f"reactivities: shape {values.shape}; expected ({length},), one for each base")
    return tuple(values.tolist())
