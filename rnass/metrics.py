"""Agreement of predicted pairs with known pairs.

Strict: a pair counts if the other structure holds it. Shifted by one: a pair (i, j) counts if the
other structure holds (i, j), (i - 1, j), (i + 1, j), (i, j - 1) or (i, j + 1); sensitivity counts
known pairs that are so predicted, PPV predicted pairs that are so known, each by itself (Mathews et
al. 2004, https://doi.org/10.1073/pnas.0401799101). Two empty structures score 1, an empty and
another one 0, in every measure.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnass.errors import InputError
from rnass.rna import CANONICAL_PAIRS
from rnass.structure import Structure

__all__ = [
    "Comparison",
    "Confusion",
    "Scores",
    "bootstrap_interval",
    "calibration_bins",
    "compare",
    "confusion",
    "crossing_pairs",
    "expected_calibration_error",
    "noncanonical_pairs",
    "pooled",
    "score",
    "scores",
]

_CHUNK = 4_000_000  # resampled values held at a time
_INSIDE = 0.95  # probability within an interval
_ROUNDING = 1e-4  # by how much a probability may exceed 1
_TIE = 1e-9  # largest difference of two scores that is a tie


@dataclass(frozen=True)
class Confusion:
    """Counts of pairs; they add up over records.

    Attributes:
        tp: predicted pairs that are known.
        found: known pairs that are predicted; differs from `tp` only when shifts are allowed.
        predicted: predicted pairs.
        reference: known pairs.
        possible: pairs i < j of the sequence, L (L - 1) / 2.
    """

    tp: int
    found: int
    predicted: int
    reference: int
    possible: int

    @property
    def fp(self) -> int:
        """Predicted pairs that are not known."""
        return self.predicted - self.tp

    @property
    def fn(self) -> int:
        """Known pairs that are not predicted."""
        return self.reference - self.found

    def __add__(self, other: "Confusion") -> "Confusion":
        return Confusion(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


@dataclass(frozen=True)
class Scores:
    """The measures of one comparison.

    Attributes:
        ppv: positive predictive value (precision), tp / predicted.
        sensitivity: recall, found / reference.
        f1: harmonic mean of the two.
        mcc: Matthews correlation over all pairs i < j
            (https://doi.org/10.1016/0005-2795(75)90109-9).
        inf: interaction network fidelity, the geometric mean of ppv and sensitivity (Parisien et al.
            2009, https://doi.org/10.1261/rna.1700409).
        tp: predicted pairs that are known.
        fp: predicted pairs that are not.
        fn: known pairs that are not predicted.
    """

    ppv: float
    sensitivity: float
    f1: float
    mcc: float
    inf: float
    tp: int
    fp: int
    fn: int


def confusion(reference: Structure, predicted: Structure, *, shift: int = 0) -> Confusion:
    """Count the pairs that agree.

    Args:
        reference: the known structure.
        predicted: of the same length.
        shift: 0, or 1 to let one end of a pair be off by one base.

    Raises:
        InputError: the lengths differ, or another shift.
    """
    if len(reference) != len(predicted):
        raise InputError(f"structures: {len(reference)} and {len(predicted)} bases; expected as many")
    if shift not in (0, 1):
        raise InputError(f"shift: {shift}; expected 0 or 1")
    length = len(reference)
    return Confusion(
        tp=_held(predicted.pairs, reference, shift),
        found=_held(reference.pairs, predicted, shift),
        predicted=len(predicted.pairs),
        reference=len(reference.pairs),
        possible=length * (length - 1) // 2,
    )


def scores(counts: Confusion) -> Scores:
    """The measures that follow from counts, of one record or pooled over many."""
    if not counts.predicted or not counts.reference:
        value = float(counts.predicted == counts.reference)
        return Scores(value, value, value, value, value, counts.tp, counts.fp, counts.fn)
    ppv, sensitivity = counts.tp / counts.predicted, counts.found / counts.reference
    f1 = 2 * ppv * sensitivity / (ppv + sensitivity) if ppv + sensitivity else 0.0
    inf = float(np.sqrt(ppv * sensitivity))
    mcc = _matthews(counts, ppv, sensitivity)
    return Scores(ppv, sensitivity, f1, mcc, inf, counts.tp, counts.fp, counts.fn)


def score(reference: Structure, predicted: Structure, *, shift: int = 0) -> Scores:
    """The measures of one prediction; see `confusion` for the arguments.

    >>> known = Structure.from_dot_bracket("(((...)))")
    >>> guess = Structure.from_dot_bracket("((.....))")
    >>> round(score(known, guess).f1, 3)
    0.8
    """
    return scores(confusion(reference, predicted, shift=shift))


def pooled(counts: Iterable[Confusion]) -> Scores:
    """The measures over all pairs of all records together, not the mean over records."""
    return scores(sum(counts, Confusion(0, 0, 0, 0, 0)))


def crossing_pairs(structure: Structure) -> Structure:
    """Only the pairs that cross another pair of the same structure.

    For the score of pseudoknots apply it to both structures: known pairs that cross known ones
    against predicted pairs that cross predicted ones.
    """
    return Structure(len(structure), structure.pairs[structure.crossing])


def noncanonical_pairs(structure: Structure, bases: str) -> Structure:
    """Only the pairs other than A-U, G-C and G-U; *bases* are L letters over ACGUN."""
    if len(bases) != len(structure):
        raise InputError(f"bases: {len(bases)} for a structure of {len(structure)}; expected as many")
    kept = [(i, j) for i, j in structure.pairs.tolist() if bases[i] + bases[j] not in CANONICAL_PAIRS]
    return Structure(len(structure), kept)


def bootstrap_interval(values: ArrayLike, *, samples: int = 2000, seed: int = 0) -> tuple[float, float]:
    """The 95 % percentile interval of the mean, from resampled records (Efron 1979,
    https://doi.org/10.1214/aos/1176344552).

    Args:
        values: shape (n,), one per record; n at least 1.
        samples: how often the records are resampled.
        seed: the same seed gives the same interval.

    Raises:
        InputError: no values, or no samples.
    """
    data = np.asarray(values, dtype=np.float64).reshape(-1)
    if not data.size:
        raise InputError("bootstrap: no values; expected at least one")
    if samples < 1:
        raise InputError(f"bootstrap: {samples} samples; expected at least one")
    rng = np.random.default_rng(seed)
    chunk = max(1, _CHUNK // data.size)
    means = [
        rng.choice(data, (min(chunk, samples - start), data.size)).mean(1)
        for start in range(0, samples, chunk)
    ]
    low, high = np.quantile(np.concatenate(means), [(1 - _INSIDE) / 2, (1 + _INSIDE) / 2])
    return float(low), float(high)


@dataclass(frozen=True)
class Comparison:
    """One predictor against another on the same records.

    Attributes:
        wins: records on which the first is better.
        ties: records on which they differ by no more than rounding.
        losses: records on which the second is better.
        difference: mean of first minus second.
        interval: 95 % bootstrap interval of that mean.
        p_value: Wilcoxon's signed-rank test, two-sided; 1 if no record differs.
    """

    wins: int
    ties: int
    losses: int
    difference: float
    interval: tuple[float, float]
    p_value: float


def compare(first: ArrayLike, second: ArrayLike) -> Comparison:
    """Compare two predictors record by record (Wilcoxon 1945, https://doi.org/10.2307/3001968).

    Args:
        first: shape (n,), a score per record.
        second: shape (n,), of the same records.

    Raises:
        InputError: the lengths differ, or there are no records.
    """
    a, b = (np.asarray(v, dtype=np.float64).reshape(-1) for v in (first, second))
    if a.size != b.size or not a.size:
        raise InputError(f"scores: {a.size} and {b.size} records; expected as many, at least one")
    gap = a - b
    gap[np.abs(gap) <= _TIE] = 0.0
    from scipy.stats import wilcoxon  # half a second that a prediction need not wait

    p_value = float(wilcoxon(gap[gap != 0], method="auto").pvalue) if gap.any() else 1.0
    return Comparison(
        wins=int((gap > 0).sum()),
        ties=int((gap == 0).sum()),
        losses=int((gap < 0).sum()),
        difference=float(gap.mean()),
        interval=bootstrap_interval(gap),
        p_value=p_value,
    )


def calibration_bins(
    probabilities: ArrayLike, reference: Structure, *, bins: int = 10
) -> NDArray[np.float64]:
    """Of the pairs i < j in each bin of probability: their number, sum of p, how many are known.

    Shape (bins, 3); the bins divide [0, 1] evenly, 1 belongs to the last. Rows add up over records:
    `expected_calibration_error` takes the sum.

    Args:
        probabilities: shape (L, L), in [0, 1].
        reference: the known structure, of L bases.
        bins: how many.

    Raises:
        InputError: a probability that is none, another shape, no bins.
    """
    p = np.asarray(probabilities)
    if bins < 1:
        raise InputError(f"bins: {bins}; expected at least one")
    if p.shape != (len(reference),) * 2:
        raise InputError(f"probabilities: shape {p.shape}; expected one row and column per base")
    known = np.zeros(p.shape, dtype=bool)
    known[reference.pairs[:, 0], reference.pairs[:, 1]] = True
    counted = np.triu(np.ones(p.shape, dtype=bool), 1)
    value, label = p[counted].astype(np.float64), known[counted].astype(np.float64)
    for bad in value[~((value >= 0) & (value <= 1 + _ROUNDING))][:1]:
        raise InputError(f"probabilities: {bad}; expected 0 to 1")
    index = np.minimum((value * bins).astype(np.int64), bins - 1)
    return np.column_stack([np.bincount(index, w, bins) for w in (np.ones(value.size), value, label)])


def expected_calibration_error(bins: NDArray[np.float64]) -> float:
    """The mean over pairs of `|mean p - share known|` of their bin (Naeini et al. 2015,
    https://doi.org/10.1609/aaai.v29i1.9602); 0 without pairs.

    Nearly all pairs have p near 0 and are easy: compare values only of one set and one definition.

    Args:
        bins: as from `calibration_bins`, summed over records.
    """
    return float(np.abs(bins[:, 1] - bins[:, 2]).sum() / max(float(bins[:, 0].sum()), 1.0))


def _held(pairs: NDArray[np.int64], other: Structure, shift: int) -> int:
    """How many of *pairs* the other structure holds, up to *shift*.

    A pair holds if the partner of one end is within the shift of the other end: (i, j +- 1) is a
    pair if i's partner is j +- 1, (i +- 1, j) if j's partner is i +- 1.
    """
    i, j = pairs.T
    to_i, to_j = other.partners[j], other.partners[i]
    near_i = (to_i >= 0) & (np.abs(to_i - i) <= shift)
    near_j = (to_j >= 0) & (np.abs(to_j - j) <= shift)
    return int((near_i | near_j).sum())


def _matthews(counts: Confusion, ppv: float, sensitivity: float) -> float:
    """The correlation from its four rates, so that shifted counts have one too.

    sqrt(PPV TPR TNR NPV) - sqrt((1 - PPV) (1 - TPR) (1 - TNR) (1 - NPV)) equals the usual
    formula when the counts are strict.
    """
    tn = counts.possible - counts.tp - counts.fp - counts.fn
    tnr = tn / (tn + counts.fp) if tn + counts.fp else 0.0
    npv = tn / (tn + counts.fn) if tn + counts.fn else 0.0
    right = np.sqrt(ppv * sensitivity * tnr * npv)
    return float(right - np.sqrt((1 - ppv) * (1 - sensitivity) * (1 - tnr) * (1 - npv)))
