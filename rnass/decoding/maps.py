"""Maps of pairing probabilities, dense or sparse: checks, sums, and what they are without some pairs."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array, diags_array, issparse, triu

from rnass.errors import InputError

__all__ = ["FAINT", "checked_map", "given_absent", "partner_sums", "upper_triangle", "values_at"]

FAINT = 0.01
"""Pairs up to this probability matter little to what others can form."""

_LEAST_CHANCE = 0.05  # pairs surer than 1 minus this are treated as no surer


def checked_map(probabilities: ArrayLike | csr_array, length: int) -> NDArray[np.floating] | csr_array:
    """The map as an array, or sparse as it is; raises InputError where its shape or a value is wrong."""
    sparse = issparse(probabilities)
    probability = csr_array(probabilities) if sparse else np.asarray(probabilities)
    if probability.dtype.kind != "f":
        probability = probability.astype(np.float64)
    if probability.shape != (length, length):
        raise InputError(f"probabilities: shape {probability.shape}; expected ({length}, {length})")
    values: NDArray[np.floating] = probability.data if sparse else probability  # type: ignore[assignment]
    if not (values.min(initial=0) >= 0 and values.max(initial=0) <= 1):  # also NaN
        if sparse:
            raise InputError("probabilities: a value outside of 0 to 1; expected 0 to 1")
        i, j = np.argwhere(~((probability >= 0) & (probability <= 1)))[0]
        raise InputError(
            f"probabilities: {probability[i, j]} for bases {i + 1} and {j + 1}; expected 0 to 1"
        )
    return probability


def upper_triangle(probability: NDArray[np.floating] | csr_array) -> NDArray[np.floating] | csr_array:
    """The map, dense or sparse, with nothing but i < j."""
    return triu(probability, 1, format="csr") if issparse(probability) else np.triu(probability, 1)


def partner_sums(upper: NDArray[np.floating] | csr_array) -> NDArray[np.floating]:
    """The sum over the partners of each base, (L,), of a map that holds only i < j."""
    return np.asarray(upper.sum(0) + upper.sum(1))


def values_at(
    probability: NDArray[np.floating] | csr_array, pairs: NDArray[np.int64]
) -> NDArray[np.floating]:
    """The values of a map, dense or sparse, at pairs, (n, 2); shape (n,)."""
    values: Any = probability[pairs[:, 0], pairs[:, 1]]
    return np.asarray(values.toarray() if issparse(values) else values)  # scipy: of no pairs, sparse


def given_absent(
    upper: NDArray[np.floating] | csr_array, absent: NDArray[np.int64]
) -> NDArray[np.floating] | csr_array:
    """The map given that the *absent* pairs are not formed.

    P(i pairs j | i does not pair k) = p(i, j) / (1 - p(i, k)). A helix forms as a whole: all the
    stacked pairs of a run take the largest such factor of any base among them, unless a base's partners
    then add up to more than 1, or than before.

    Args:
        upper: shape (L, L), only i < j.
        absent: shape (n, 2), i < j, 0-based.
    """
    if not len(absent):
        return upper
    lost = np.zeros(upper.shape[0])
    np.add.at(lost, absent.ravel(), np.repeat(values_at(upper, absent), 2))
    i, j = (upper > FAINT).nonzero()
    along = np.lexsort((i, i + j))  # stacked pairs have one i + j, and follow each other
    i, j = i[along], j[along]
    run = np.cumsum((np.diff(i, prepend=-1) != 1) | (np.diff(i + j, prepend=-1) != 0))
    most = np.zeros(i.size + 1)
    np.maximum.at(most, run, np.maximum(lost[i], lost[j]))
    given = upper.copy()
    found = values_at(upper, np.column_stack([i, j]))
    given[i, j] = np.minimum(found / np.maximum(1 - most[run], _LEAST_CHANCE), 1)
    given[absent[:, 0], absent[:, 1]] = 0
    excess = np.maximum(partner_sums(given) / np.maximum(partner_sums(upper), 1), 1)
    if issparse(given):
        scale = diags_array(1 / excess)
        return csr_array((scale @ given).minimum(given @ scale))
    return np.asarray(given / np.maximum(excess[:, None], excess))
