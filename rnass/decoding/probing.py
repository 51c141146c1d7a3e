"""Evidence in log-odds: a second map of pairing probabilities, reactivities of chemical probing."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnass.decoding.partners import partner_log_odds, partner_probabilities
from rnass.errors import InputError, counted
from rnass.rna import MISSING_REACTIVITY

__all__ = [
    "DEIGAN_INTERCEPT",
    "DEIGAN_SLOPE",
    "add_log_odds",
    "clean_reactivities",
    "mix_log_odds",
    "shape_log_odds",
]

DEIGAN_SLOPE, DEIGAN_INTERCEPT = 1.8, -0.6
"""Pseudo-energy of a base of reactivity r in a stack, in kcal/mol: slope ln(r + 1) + intercept, with
ViennaRNA's defaults. Deigan et al. 2009, doi:10.1073/pnas.0806929106."""

_GAS_CONSTANT = 1.98717e-3  # kcal / (mol K), as in ViennaRNA
_FLOOR = 1e-6

_HELIX_END_SHARE = 0.4  # the two end pairs of a helix of five
_FALLING = (0.02, 1.45)  # where the likelihood ratio falls with the reactivity


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
    mixed = (1 - weight) * _bounded(one) + weight * _bounded(other)
    return partner_probabilities(np.where(np.maximum(one, other) <= _FLOOR, -np.inf, mixed))


def add_log_odds(probabilities: ArrayLike, base_log_odds: ArrayLike) -> NDArray[np.floating]:
    """The map after evidence on each base: the log-odds of a pair rise by e[i] + e[j].

    A probability of 0 stays 0.

    Args:
        probabilities: shape (L, L), symmetric; no row adds up to more than 1.
        base_log_odds: shape (L,), for being paired, as from `shape_log_odds`.

    Raises:
        InputError: the lengths differ.
    """
    p, evidence = np.asarray(probabilities), np.asarray(base_log_odds, dtype=np.float64)
    if p.shape != (evidence.size, evidence.size):
        raise InputError(f"evidence: {counted(evidence.size, 'base')}, map {p.shape}; expected as many")
    shift = (evidence[:, None] + evidence).astype(np.result_type(p, np.float32))
    return partner_probabilities(partner_log_odds(p) + shift)


def clean_reactivities(reactivities: ArrayLike) -> NDArray[np.float64]:
    """Reactivities with NaN for missing ones (NaN, infinite, below -500) and 0 for other negatives.

    A small negative number is what background subtraction leaves of an unreactive base.
    """
    values = np.asarray(reactivities, dtype=np.float64)
    values = np.where(np.isfinite(values) & (values > MISSING_REACTIVITY / 2), values, np.nan)
    return np.maximum(values, 0.0)


def shape_log_odds(
    reactivities: ArrayLike,
    *,
    method: Literal["deigan", "likelihood"] = "deigan",
    slope: float = DEIGAN_SLOPE,
    intercept: float = DEIGAN_INTERCEPT,
    temperature: float = 37.0,
) -> NDArray[np.float64]:
    """Log-odds that each base is paired, given its reactivity; 0 where it is missing.

    "deigan": the pseudo-energy slope ln(r + 1) + intercept in kcal/mol, over -kT (Deigan et al.
    2009, https://doi.org/10.1073/pnas.0806929106). There it counts once for each stack that a base
    is in; here once for each base.

    "likelihood": log f(r | paired) / f(r | unpaired), with the densities fitted to SHAPE reactivities
    of ribosomal RNA by Sükösd et al. 2013 (https://doi.org/10.1093/nar/gks1283): exponential where
    unpaired, generalised extreme value at helix ends and within helices, here 2 to 3. Their tails
    cross, so r is held to 0.02 ... 1.45, where the ratio falls from 1.6 to -1.9.

    Args:
        reactivities: shape (L,), normalised so that a reactive base is near 1.
        method: see above.
        slope: in kcal/mol, of "deigan".
        intercept: in kcal/mol, of "deigan".
        temperature: in degrees Celsius, of "deigan".

    Raises:
        InputError: another method.
    """
    values = clean_reactivities(reactivities)
    if method == "deigan":
        thermal = _GAS_CONSTANT * (273.15 + temperature)  # 0.616 kcal/mol at 37 C
        odds = -(slope * np.log1p(values) + intercept) / thermal
    elif method == "likelihood":
        odds = _log_likelihood_ratio(np.clip(values, *_FALLING))
    else:
        raise InputError(f"method: {method!r}; expected 'deigan' or 'likelihood'")
    return np.nan_to_num(odds, nan=0.0)


def _log_likelihood_ratio(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithm of f(r | paired) / f(r | unpaired) of Sükösd et al. 2013."""
    from scipy.stats import expon, genextreme  # half a second that most runs need not wait

    helix_end = genextreme(-0.821235, loc=0.0901397, scale=0.113916)  # scipy's shape is minus xi
    stacked = genextreme(-0.762581, loc=0.0395857, scale=0.0492536)
    paired = _HELIX_END_SHARE * helix_end.pdf(values) + (1 - _HELIX_END_SHARE) * stacked.pdf(values)
    return np.asarray(np.log(paired) - expon(scale=0.681211).logpdf(values))


def _bounded(p: NDArray[np.floating]) -> NDArray[np.floating]:
    """The log-odds of a map, of the pairs below the floor as if they had that probability."""
    return np.asarray(np.maximum(partner_log_odds(p), np.log(_FLOOR).astype(p.dtype)))
