"""Compensatory mutation: other bases, the same pairs.

Evolution keeps helices by changing both partners together; doing the same to a known structure gives
another sequence that it fits, at no cost.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["LOOP_SHARE", "mutate"]

LOOP_SHARE = 0.25
"""Rate of an unpaired base relative to that of a pair: loops hold motifs beside their pairs."""

_FREQUENCIES = {"AU": 0.18, "UA": 0.18, "GC": 0.27, "CG": 0.27, "GU": 0.05, "UG": 0.05}
"""How often each canonical pair is put in: about its frequency in structured RNAs."""


def mutate(
    bases: str, pairs: ArrayLike | NDArray[np.int64], rng: np.random.Generator, rate: float
) -> str:
    """The bases with some pairs replaced at both ends and some unpaired bases replaced.

    Each canonical pair is replaced, with probability *rate*, by another canonical one; each unpaired
    A, C, G or U, with `LOOP_SHARE` of it, by one of the other three. Pairs that are not canonical
    stay, as does N: what they could become and still pair is not known.

    Args:
        bases: over ACGUN.
        pairs: shape (n, 2), 0-based.
        rng: the only source of chance.
        rate: in [0, 1].
    """
    letters = list(bases)
    partners = np.asarray(pairs, dtype=np.int64).reshape(-1, 2)
    for i, j in partners[rng.random(len(partners)) < rate]:
        if (old := bases[i] + bases[j]) in _FREQUENCIES:
            others = [pair for pair in _FREQUENCIES if pair != old]
            frequencies = np.array([_FREQUENCIES[pair] for pair in others])
            letters[i], letters[j] = tuple(
                others[rng.choice(len(others), p=frequencies / frequencies.sum())]
            )
    single = np.setdiff1d(np.arange(len(bases)), partners)
    for k in single[rng.random(len(single)) < rate * LOOP_SHARE]:
        if bases[k] != "N":
            letters[k] = str(rng.choice([base for base in "ACGU" if base != bases[k]]))
    return "".join(letters)
