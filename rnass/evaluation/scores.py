"""Counts of each method on each RNA, and the scores that follow from them.

Only counts, a confidence and calibration bins of each RNA are kept, so memory does not grow with the
size of its maps.
"""

from collections.abc import Iterable
from collections.abc import Sequence as Items
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import pearsonr, spearmanr

from rnass.evaluation.methods import Predicted
from rnass.io import LabelledRecord
from rnass.metrics import (
    bootstrap_interval,
    calibration_bins,
    compare,
    confusion,
    crossing_pairs,
    expected_calibration_error,
    noncanonical_pairs,
    pooled,
    scores,
)
from rnass.structure import Structure

__all__ = ["LENGTH_BINS", "MEASURES", "MODES", "Tally"]

MODES = ("strict", "shifted", "crossing", "noncanonical")
"""All pairs at exact positions; up to one base off; and, at exact positions, only the pairs that cross
another of their structure, or that are not A-U, G-C or G-U, where the known structure has such."""

LENGTH_BINS = ((1, 50), (51, 100), (101, 200), (201, 500), (501, None))

MEASURES = ("f1", "ppv", "sensitivity", "mcc", "inf")

_BINS = 10  # of calibration


class Tally:
    """The counts of each method, RNA by RNA.

    Args:
        records: the known structures.
        methods: their names.
    """

    def __init__(self, records: Items[LabelledRecord], methods: Items[str]) -> None:
        self.records, self.methods = records, list(methods)
        shape = (len(records), len(MODES))
        self._counts: dict[str, NDArray[np.object_]] = {
            method: np.full(shape, None, dtype=object) for method in methods
        }
        self._values = {method: np.zeros((*shape, len(MEASURES))) for method in methods}
        self.missing = {method: np.zeros(len(records), dtype=bool) for method in methods}
        self.confidence = {method: np.full(len(records), np.nan) for method in methods}
        self.bins: dict[str, NDArray[np.float64]] = {}
        self.has = np.zeros(shape, dtype=bool)

    def add(self, predicted: Predicted) -> None:
        """Count the pairs of one RNA; a method without a prediction scores 0 in every measure."""
        n = predicted.number
        record = self.records[n]
        known = _by_mode(record.structure, record.sequence.bases)
        self.has[n] = [k < 2 or len(structure.pairs) > 0 for k, structure in enumerate(known)]
        for method in self.methods:
            structure = predicted.structures[method]
            self.missing[method][n] = structure is None
            guess = _by_mode(structure or Structure(len(record.structure)), record.sequence.bases)
            for mode in range(len(MODES)):
                counts = confusion(known[mode], guess[mode], shift=int(MODES[mode] == "shifted"))
                self._counts[method][n, mode] = counts
                if structure is not None:
                    found = scores(counts)
                    self._values[method][n, mode] = [getattr(found, name) for name in MEASURES]
            confidence = predicted.confidence(method)
            self.confidence[method][n] = np.nan if confidence is None else confidence
        for name, probabilities in predicted.maps.items():
            bins = calibration_bins(probabilities, record.structure, bins=_BINS)
            self.bins[name] = self.bins.get(name, np.zeros_like(bins)) + bins

    def f1(self, method: str, mode: str = "strict") -> NDArray[np.float64]:
        """F1 of a method on every RNA, shape (n,)."""
        return np.asarray(self._values[method][:, MODES.index(mode), 0])

    def summary(
        self, method: str, mode: str = "strict", chosen: Iterable[int] | None = None
    ) -> dict[str, Any]:
        """Mean, median and pooled scores of a method on the *chosen* RNAs (default: all).

        In the modes "crossing" and "noncanonical" only RNAs whose known structure has such pairs count.
        """
        k = MODES.index(mode)
        rows = np.arange(len(self.records)) if chosen is None else np.array(list(chosen), dtype=np.int64)
        rows = rows[self.has[rows, k]] if rows.size else rows
        if not rows.size:
            return {"records": 0}
        values = self._values[method][rows, k]
        return {
            "records": len(rows),
            "missing": int(self.missing[method][rows].sum()),
            "mean": dict(zip(MEASURES, values.mean(0).tolist(), strict=True))
            | {"f1_interval": bootstrap_interval(values[:, 0])},
            "median": dict(zip(MEASURES, np.median(values, axis=0).tolist(), strict=True)),
            "pooled": asdict(pooled(self._counts[method][rows, k])),
        }

    def by_length(self) -> dict[str, list[int]]:
        """Indices of the RNAs in each length bin, empty bins left out."""
        names = [f"{low}-{high}" if high else f">{low - 1}" for low, high in LENGTH_BINS]
        chosen = {
            name: [n for n, r in enumerate(self.records) if low <= len(r.sequence) <= (high or np.inf)]
            for name, (low, high) in zip(names, LENGTH_BINS, strict=True)
        }
        return {name: rows for name, rows in chosen.items() if rows}

    def by_family(self) -> dict[str, list[int]]:
        """Indices of the RNAs of each named family, the largest family first."""
        chosen: dict[str, list[int]] = {}
        for n, record in enumerate(self.records):
            if record.family:
                chosen.setdefault(record.family, []).append(n)
        return dict(sorted(chosen.items(), key=lambda item: (-len(item[1]), item[0])))

    def comparison(self, first: str, second: str) -> dict[str, Any]:
        """Strict F1 of one method against another's, RNA by RNA."""
        return {"first": first, "second": second} | asdict(compare(self.f1(first), self.f1(second)))

    def calibration(self, name: str) -> dict[str, Any]:
        """Expected calibration error of the probabilities of "rnass" or "ViennaRNA", and its bins."""
        return {"error": expected_calibration_error(self.bins[name]), "bins": self.bins[name].tolist()}

    def trust(self, method: str) -> dict[str, float] | None:
        """Correlation of a method's confidence with its strict F1; None where either is constant."""
        there = ~np.isnan(self.confidence[method])
        x, y = self.confidence[method][there], self.f1(method)[there]
        if len(x) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
            return None
        return {
            "records": len(x),
            "pearson": float(pearsonr(x, y)[0]),
            "spearman": float(spearmanr(x, y)[0]),
            "mean_confidence": float(x.mean()),
            "mean_f1": float(y.mean()),
        }


def _by_mode(structure: Structure, bases: str) -> tuple[Structure, ...]:
    """The pairs that count in each of `MODES`."""
    return (structure, structure, crossing_pairs(structure), noncanonical_pairs(structure, bases))
