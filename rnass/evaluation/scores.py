"""Counts of every line on every RNA, and the figures that follow from them.

Only counts, a confidence and bins of calibration are kept of an RNA, so memory does not grow with
the size of its maps.
"""

from collections.abc import Iterable
from collections.abc import Sequence as Items
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import pearsonr, spearmanr

from rnass.evaluation.methods import Answer
from rnass.io import LabelledRecord
from rnass.metrics import (
    Scores,
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
    """What is known of every line, RNA by RNA.

    Args:
        records: the known structures.
        lines: names of the lines.
    """

    def __init__(self, records: Items[LabelledRecord], lines: Items[str]) -> None:
        self.records, self.lines = records, list(lines)
        shape = (len(records), len(MODES))
        self._counts: dict[str, NDArray[np.object_]] = {
            line: np.full(shape, None, dtype=object) for line in lines
        }
        self._values = {line: np.zeros((*shape, len(MEASURES))) for line in lines}
        self.missing = {line: np.zeros(len(records), dtype=bool) for line in lines}
        self.confidence = {line: np.full(len(records), np.nan) for line in lines}
        self.bins: dict[str, NDArray[np.float64]] = {}
        self.has = np.zeros(shape, dtype=bool)

    def add(self, answer: Answer) -> None:
        """Judge every line of one RNA; a line without a prediction scores 0 in every measure."""
        n = answer.number
        record = self.records[n]
        known = _by_mode(record.structure, record.sequence.bases)
        self.has[n] = [k < 2 or len(structure.pairs) > 0 for k, structure in enumerate(known)]
        for line in self.lines:
            structure = answer.structures[line]
            self.missing[line][n] = structure is None
            guess = _by_mode(structure or Structure(len(record.structure)), record.sequence.bases)
            for mode in range(len(MODES)):
                counts = confusion(known[mode], guess[mode], shift=int(MODES[mode] == "shifted"))
                self._counts[line][n, mode] = counts
                if structure is not None:
                    self._values[line][n, mode] = _measures(scores(counts))
            confidence = answer.confidence(line)
            self.confidence[line][n] = np.nan if confidence is None else confidence
        for name, probabilities in answer.maps.items():
            bins = calibration_bins(probabilities, record.structure, bins=_BINS)
            self.bins[name] = self.bins.get(name, np.zeros_like(bins)) + bins

    def f1(self, line: str, mode: str = "strict") -> NDArray[np.float64]:
        """F1 of a line on every RNA, shape (n,)."""
        return np.asarray(self._values[line][:, MODES.index(mode), 0])

    def summary(
        self, line: str, mode: str = "strict", chosen: Iterable[int] | None = None
    ) -> dict[str, Any]:
        """Mean, median and pooled figures of a line on the *chosen* RNAs (default: all) that count.

        Of "crossing" and "noncanonical" only RNAs count whose known structure has such pairs.
        """
        k = MODES.index(mode)
        rows = np.arange(len(self.records)) if chosen is None else np.array(list(chosen), dtype=np.int64)
        rows = rows[self.has[rows, k]] if rows.size else rows
        if not rows.size:
            return {"records": 0}
        values = self._values[line][rows, k]
        return {
            "records": len(rows),
            "missing": int(self.missing[line][rows].sum()),
            "mean": dict(zip(MEASURES, values.mean(0).tolist(), strict=True))
            | {"f1_interval": bootstrap_interval(values[:, 0])},
            "median": dict(zip(MEASURES, np.median(values, axis=0).tolist(), strict=True)),
            "pooled": asdict(pooled(self._counts[line][rows, k])),
        }

    def by_length(self) -> dict[str, list[int]]:
        """Numbers of the RNAs of each bin of length that has any."""
        names = [f"{low}-{high}" if high else f">{low - 1}" for low, high in LENGTH_BINS]
        chosen = {
            name: [n for n, r in enumerate(self.records) if low <= len(r.sequence) <= (high or np.inf)]
            for name, (low, high) in zip(names, LENGTH_BINS, strict=True)
        }
        return {name: rows for name, rows in chosen.items() if rows}

    def by_family(self) -> dict[str, list[int]]:
        """Numbers of the RNAs of each named family, the largest first."""
        chosen: dict[str, list[int]] = {}
        for n, record in enumerate(self.records):
            if record.family:
                chosen.setdefault(record.family, []).append(n)
        return dict(sorted(chosen.items(), key=lambda item: (-len(item[1]), item[0])))

    def comparison(self, first: str, second: str) -> dict[str, Any]:
        """Strict F1 of one line against another's, RNA by RNA."""
        return {"first": first, "second": second} | asdict(compare(self.f1(first), self.f1(second)))

    def calibration(self, name: str) -> dict[str, Any]:
        """How far the probabilities of a map are from the share of pairs that are known."""
        return {"error": expected_calibration_error(self.bins[name]), "bins": self.bins[name].tolist()}

    def trust(self, line: str) -> dict[str, float] | None:
        """How well a line's confidence goes with its strict F1; None where either is constant."""
        there = ~np.isnan(self.confidence[line])
        x, y = self.confidence[line][there], self.f1(line)[there]
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
    """The pairs that each of `MODES` looks at."""
    return (structure, structure, crossing_pairs(structure), noncanonical_pairs(structure, bases))


def _measures(found: Scores) -> list[float]:
    return [getattr(found, name) for name in MEASURES]
