"""Evidence in log-odds: a second map of pairing probabilities, reactivities, pairs of a family."""

import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnass.decoding.partners import partner_log_odds, partner_probabilities
from rnass.errors import InputError, counted
from rnass.rna import BPP_CUTOFF, KT, MISSING_REACTIVITY

__all__ = [
    "DEIGAN_INTERCEPT",
    "DEIGAN_SLOPE",
    "KNOTS",
    "Modifier",
    "ShapeMethod",
    "add_log_odds",
    "add_pair_log_odds",
    "change_log_odds",
    "clean_reactivities",
    "log_likelihood_ratios",
    "mix_log_odds",
    "pseudo_reactivities",
    "shape_log_odds",
]

DEIGAN_SLOPE, DEIGAN_INTERCEPT = 1.8, -0.6
"""Pseudo-energy of a base of reactivity r in a stack, in kcal/mol: slope ln(r + 1) + intercept, with
ViennaRNA's defaults. Deigan et al. 2009, doi:10.1073/pnas.0806929106."""

Modifier = Literal["1M7", "2A3", "DMS"]
"""The reagent of a chemical-mapping experiment; 1M7 and 2A3 are SHAPE reagents."""

ShapeMethod = Literal["deigan", "likelihood"]
"""How reactivities become pseudo-energies, see `pseudo_reactivities`."""

KNOTS = (0.0, 0.1, 0.2, 0.4, 0.8, 1.6)
"""Reactivities at which likelihood ratios are known; linear between them, constant beyond."""

_RATIOS: Mapping[Modifier, Mapping[str, tuple[float, ...]]] = MappingProxyType(
    {
        "1M7": {
            "A": (2.59, 2.33, 1.06, -0.33, -2.56, -2.87),
            "C": (1.11, 0.69, -0.21, -1.17, -1.17, -1.17),
            "G": (1.97, 1.51, 0.37, -0.72, -1.82, -1.82),
            "U": (2.63, 1.99, 0.61, -0.88, -2.23, -2.23),
        },
        "2A3": {
            "A": (1.60, 0.77, 0.08, -0.66, -1.82, -2.73),
            "C": (1.41, 0.44, -0.46, -1.49, -2.68, -3.32),
            "G": (1.74, 0.76, -0.05, -0.91, -2.12, -2.87),
            "U": (2.18, 1.52, 0.87, -0.06, -1.30, -3.40),
        },
        "DMS": {
            "A": (2.63, 2.26, 1.31, -0.42, -2.66, -4.92),
            "C": (2.38, 1.66, 0.40, -0.91, -2.84, -5.68),
        },
    }
)
"""log f(r | paired) / f(r | unpaired) of each base at `KNOTS`, as benchmarks/probing.py fits them to the
profiles of Eterna's cloud labs, Ribonanza and OpenKnot; a base that does not report is left out."""

_STACKED = 0.5  # of the evidence for a pair that counts for those stacked on it,
_REACH = 2  # so many in either direction
_MOST = 0.99  # a probability counts as at most this where conditions change
_FLOOR = 1e-6  # a probability counts as at least this where log-odds of two maps are averaged


def mix_log_odds(p: ArrayLike, q: ArrayLike, weight: float) -> NDArray[np.floating]:
    """The map whose log-odds are (1 - weight) l(p) + weight l(q), see `partner_log_odds`.

    A probability counts as at least 1e-6, so a zero in one map does not override the other; where
    both are below, the result is 0.

    Args:
        p: shape (L, L), symmetric; no row adds up to more than 1.
        q: likewise, of the same shape.
        weight: share of *q*, in [0, 1].

    Raises:
        InputError: the shapes differ or the weight leaves [0, 1].
    """
    one, other = np.asarray(p), np.asarray(q)
    if one.shape != other.shape:
        raise InputError(f"probabilities: shapes {one.shape} and {other.shape}; expected one shape")
    if not 0 <= weight <= 1:
        raise InputError(f"weight: {weight}; expected 0 to 1")
    mixed = (1 - weight) * _bounded_log_odds(one) + weight * _bounded_log_odds(other)
    return partner_probabilities(np.where(np.maximum(one, other) <= _FLOOR, -np.inf, mixed))


def add_log_odds(probabilities: ArrayLike, base_log_odds: ArrayLike) -> NDArray[np.floating]:
    """The map after evidence on each base: the log-odds of a pair rise by e[i] + e[j].

    Pairs of a helix form together, so evidence for one is evidence for those stacked on it: half of
    that of (i + 1, j - 1), (i + 2, j - 2), (i - 1, j + 1) and (i - 2, j + 2) counts too, less where one
    of these, or of those between, is less probable than (i, j). A probability of 0 stays 0.

    Args:
        probabilities: shape (L, L), symmetric; no row adds up to more than 1.
        base_log_odds: shape (L,), for being paired, as from `shape_log_odds`.

    Raises:
        InputError: the lengths differ.
    """
    p, evidence = np.asarray(probabilities), np.asarray(base_log_odds, dtype=np.float64)
    if p.shape != (evidence.size, evidence.size):
        raise InputError(f"evidence: {counted(evidence.size, 'base')}, map {p.shape}; expected as many")
    own = (evidence[:, None] + evidence).astype(np.result_type(p, np.float32))
    shift, upper = own.copy(), np.triu(p, 1)
    for direction in (1, -1):
        together = np.ones_like(own)  # how probable the pairs up to this one are, given (i, j)
        for steps in range(direction, direction * (_REACH + 1), direction):
            with np.errstate(divide="ignore", invalid="ignore"):
                together = np.fmin(together, _along(upper, steps) / upper)
            shift += _STACKED * together * _along(own, steps)
    shift = np.triu(shift, 1)
    return partner_probabilities(partner_log_odds(p) + shift + shift.T)


def _along(values: NDArray[np.floating], steps: int) -> NDArray[np.floating]:
    """The value of (i + steps, j - steps) at (i, j), 0 outside."""
    found = np.zeros_like(values)
    to = slice(max(-steps, 0), min(-steps, 0) or None)
    source = slice(max(steps, 0), min(steps, 0) or None)
    found[to, source] = values[source, to]
    return found


def add_pair_log_odds(
    probabilities: ArrayLike, pairs: Iterable[tuple[int, int]], amount: float
) -> NDArray[np.floating]:
    """The map after evidence for some pairs: the log-odds of each rise by *amount*.

    Pairs that compete with them become less probable. A probability of 0 stays 0.

    Args:
        probabilities: shape (L, L), symmetric; no row adds up to more than 1.
        pairs: 0-based.
        amount: of natural log-odds.
    """
    log_odds = partner_log_odds(probabilities)
    for i, j in pairs:
        log_odds[[i, j], [j, i]] += amount
    return partner_probabilities(log_odds)


def change_log_odds(p: ArrayLike, before: ArrayLike, after: ArrayLike) -> NDArray[np.floating]:
    """The map after a change of conditions: log-odds l(p) + l(after) - l(before).

    Of greater probabilities than 0.99 the rounding shows: each counts as at most that, and that a base
    is unpaired as at least 0.01. Less than 0.0001 in *before* and *after* counts as 0.0001; 0 in *p*
    stays 0.

    Args:
        p: shape (L, L), symmetric; no row adds up to more than 1.
        before: of another method under the conditions of *p*, of the same shape.
        after: of that method under the other conditions.
    """
    shift = _clipped_log_odds(after, BPP_CUTOFF) - _clipped_log_odds(before, BPP_CUTOFF)
    return partner_probabilities(_clipped_log_odds(p) + shift)


def _clipped_log_odds(probabilities: ArrayLike, least: float = 0.0) -> NDArray[np.floating]:
    p = np.asarray(probabilities)
    unpaired = np.log(np.maximum(1 - p.sum(1), 1 - _MOST))
    with np.errstate(divide="ignore"):
        log_odds = np.log(np.maximum(p, p.dtype.type(least))) - unpaired[:, None] - unpaired
    return np.asarray(np.minimum(log_odds, math.log(_MOST) - 2 * math.log(1 - _MOST)))


def clean_reactivities(reactivities: ArrayLike) -> NDArray[np.float64]:
    """Reactivities with NaN for missing ones (NaN, infinite, below -500) and 0 for other negatives.

    A small negative number is what background subtraction leaves of an unreactive base.
    """
    values = np.asarray(reactivities, dtype=np.float64)
    values = np.where(np.isfinite(values) & (values > MISSING_REACTIVITY / 2), values, np.nan)
    return np.maximum(values, 0.0)


def log_likelihood_ratios(
    reactivities: ArrayLike, bases: str, modifier: Modifier
) -> NDArray[np.float64]:
    """Log f(r | paired) / f(r | unpaired) of each base, shape (L,); NaN where nothing is known.

    Args:
        reactivities: shape (L,), normalised so that a reactive base is near 1.
        bases: L letters over ACGUN.
        modifier: the reagent.
    """
    values = clean_reactivities(reactivities)
    letters = np.array(list(bases))
    found = np.full(len(values), np.nan)
    for base, ratios in _RATIOS[modifier].items():
        found[letters == base] = np.interp(values[letters == base], KNOTS, ratios)
    return found


def pseudo_reactivities(
    reactivities: ArrayLike,
    bases: str,
    *,
    modifier: Modifier = "1M7",
    method: ShapeMethod = "likelihood",
) -> NDArray[np.float64]:
    """Reactivities for Deigan's formula, which ViennaRNA's ensemble and the decoded map apply.

    "deigan": the reactivities themselves; of DMS those of A and C. "likelihood": those of which Deigan's
    pseudo-energy is -kT log f(r | paired) / f(r | unpaired), with densities fitted for each modifier and
    base; at most 0.6 kcal/mol in favour of pairing, which is what Deigan's formula has at r = 0.

    Args:
        reactivities: shape (L,), normalised so that a reactive base is near 1; NaN where missing.
        bases: L letters over ACGUN.
        modifier: the reagent.
        method: the default has the higher log-likelihood in benchmarks/probing.py.

    Raises:
        InputError: another modifier or method, or not as many reactivities as bases.
    """
    if modifier not in _RATIOS or method not in ("deigan", "likelihood"):
        raise InputError(
            f"reactivities: modifier {modifier!r}, method {method!r}; expected one of "
            f"{', '.join(_RATIOS)} and 'deigan' or 'likelihood'"
        )
    values = clean_reactivities(reactivities)
    if len(values) != len(bases):
        raise InputError(
            f"reactivities of {counted(len(values), 'base')}; expected {len(bases)}, one for each base"
        )
    ratios = log_likelihood_ratios(values, bases, modifier)
    if method == "deigan":
        reported = np.array([base in _RATIOS[modifier] or base == "N" for base in bases], dtype=bool)
        return np.where(reported, values, np.nan)
    energies = -KT * ratios
    return np.maximum(np.expm1((energies - DEIGAN_INTERCEPT) / DEIGAN_SLOPE), 0.0)


def shape_log_odds(reactivities: ArrayLike) -> NDArray[np.float64]:
    """Log-odds that each base is paired, given its reactivity; 0 where it is missing.

    Deigan's pseudo-energy over -kT at 37 C. There it counts once for each stack that a base is in; here
    once for each base.

    Args:
        reactivities: shape (L,), as from `pseudo_reactivities`.
    """
    energies = DEIGAN_SLOPE * np.log1p(clean_reactivities(reactivities)) + DEIGAN_INTERCEPT
    return np.nan_to_num(-energies / KT, nan=0.0)


def _bounded_log_odds(p: NDArray[np.floating]) -> NDArray[np.floating]:
    """The log-odds of a map, of the pairs below the floor as if they had that probability."""
    return np.asarray(np.maximum(partner_log_odds(p), np.log(_FLOOR).astype(p.dtype)))
