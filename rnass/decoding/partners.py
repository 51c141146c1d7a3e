"""Pairing probabilities under which a base has at most one partner.

A pair has the probability P_ij = a_i a_j exp(l_ij): its log-odds l_ij, weighted by the probabilities a_i
and a_j that its bases are unpaired, where a_i (1 + sum_j a_j exp(l_ij)) = 1. So the probabilities of a
base's partners and of no partner add up to 1. x = log a minimises the convex function
sum_i (exp(x_i) - x_i) + 1/2 sum_ij exp(x_i + x_j + l_ij), so there is exactly one such a. It is the mean
field of all sets of pairs without a common base. `rnass.network.partners` does the same on tensors, for
training.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnass.config import DecodingConfig
from rnass.decoding.candidates import allowed_pairs

__all__ = ["one_partner", "partner_log_odds", "partner_probabilities"]

_ITERATIONS = 300
_TOLERANCE = 1e-4  # of log a
_MOST = 25.0  # log-odds above this are as good as certain
_LEAST = 1e-6  # probability of being unpaired that log-odds assume at least


def partner_probabilities(log_odds: ArrayLike) -> NDArray[np.floating]:
    """Pairing probabilities of log-odds, symmetric; no row adds up to more than 1.

    Args:
        log_odds: shape (L, L), symmetric; -inf where a pair cannot form.

    >>> partner_probabilities([[-np.inf, np.log(2)], [np.log(2), -np.inf]]).round(3).tolist()
    [[0.0, 0.5], [0.5, 0.0]]
    """
    odds = np.exp(np.minimum(np.asarray(log_odds), _MOST))
    unpaired, share = _unpaired(odds)
    each = odds * unpaired * share[:, None]
    return np.asarray(np.minimum(each, each.T))


def _unpaired(odds: NDArray[np.floating]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """a, shape (L,), of odds (L, L); and what makes each row add up exactly."""
    x = np.zeros(odds.shape[0], dtype=odds.dtype)  # log a
    for _ in range(_ITERATIONS):
        step = (x + np.log1p(odds @ np.exp(x))) / 2  # damped: without the 1/2 it would alternate
        x -= step
        if np.abs(step).max(initial=0) < _TOLERANCE:
            break
    unpaired = np.exp(x)
    return unpaired, 1 / (1 + odds @ unpaired)  # both are a, to within the tolerance


def partner_log_odds(probabilities: ArrayLike) -> NDArray[np.floating]:
    """Log P_ij / (a_i a_j), the inverse of `partner_probabilities`; -inf where P is 0.

    Args:
        probabilities: shape (L, L), symmetric; no row adds up to more than 1.
    """
    p = np.asarray(probabilities)
    unpaired = np.log(np.maximum(1 - p.sum(1, dtype=np.float64), _LEAST)).astype(p.dtype)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(p) - unpaired[:, None] - unpaired)


def one_partner(
    probabilities: ArrayLike,
    bases: str,
    options: DecodingConfig = DecodingConfig(),  # noqa: B008 - frozen
    *,
    nick: int | None = None,
) -> NDArray[np.floating]:
    """Probabilities of a map that judges each pair of bases by itself, with one partner for each base.

    A pair that competes with no other keeps its probability p: its log-odds are log p / (1 - p)^2, as
    both of its bases are unpaired with probability 1 - p. A pair that cannot form gets 0.

    Args:
        probabilities: shape (L, L), symmetric, in [0, 1].
        bases: L letters over ACGUN.
        options: decide which letters pair, and the minimum hairpin; other bounds are of decoding alone.
        nick: 0-based first base of the second strand, if there are two.
    """
    possible = allowed_pairs(
        bases,
        canonical=options.canonical,
        pair_unknown=options.pair_unknown,
        min_hairpin=options.min_hairpin,
        nick=nick,
    )
    p = np.where(possible | possible.T, np.asarray(probabilities), 0)
    with np.errstate(divide="ignore"):
        return partner_probabilities(np.log(p) - 2 * np.log1p(-np.minimum(p, 1 - _LEAST)))
