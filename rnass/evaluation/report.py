"""An evaluation as JSON, as text, and RNA by RNA as a table (TSV)."""

from collections.abc import Iterable, Mapping
from collections.abc import Sequence as Items
from typing import Any

import numpy as np

from rnass.errors import counted
from rnass.evaluation.methods import VIENNA_METHODS
from rnass.evaluation.scores import MODES, Tally
from rnass.files import format_row

__all__ = ["PROTOCOL", "as_table", "judged", "per_record"]

PROTOCOL = {
    "pairs": "every known pair counts, also non-canonical ones and short hairpins; so does every "
    "predicted pair",
    "strict": "a pair counts at its exact position",
    "+-1": "a pair counts with one end off by at most one base",
    "crossing": "strict, only pairs that cross another of the same structure, on RNAs whose known "
    "structure has any",
    "non-canonical": "strict, only pairs other than A-U, G-C and G-U, on RNAs whose known structure has "
    "any",
    "mean": "mean over RNAs; F1 with its 95 % bootstrap interval (2,000 samples)",
    "median": "median over RNAs",
    "pooled": "pairs of all RNAs together",
    "empty": "two empty structures score 1, an empty and another 0",
    "missing": "a missing prediction scores 0 in every measure and stays in every mean",
    "calibration": "expected calibration error over all pairs i < j of all RNAs, ten even bins",
    "confidence": "expected F1 from a method's probabilities against its strict F1",
    "comparison": "strict F1 per RNA; difference with 95 % bootstrap interval; Wilcoxon's signed-rank "
    "test, two-sided; the best ViennaRNA method is chosen on the same RNAs, which favours it",
    "ThreshKnot": "threshold 0.3, helices of 3 pairs or more",
}

_FAMILIES = 12  # shown in the table; the JSON has all
_PROBLEMS = 10


def judged(tally: Tally, about: Mapping[str, Any]) -> dict[str, Any]:
    """All scores of an evaluation, ready for JSON."""
    return {
        **about,
        "protocol": PROTOCOL,
        "methods": {method: _scores_of(tally, method) for method in tally.methods},
        "comparisons": _comparisons(tally),
        "calibration": {name: tally.calibration(name) for name in tally.bins},
        "confidence": {method: found for method in tally.methods if (found := tally.trust(method))},
    }


def _scores_of(tally: Tally, method: str) -> dict[str, Any]:
    families = {name: tally.summary(method, chosen=rows) for name, rows in tally.by_family().items()}
    means = [part["mean"]["f1"] for part in families.values()]
    return {
        **{mode: tally.summary(method, mode) for mode in MODES},
        "length": {name: tally.summary(method, chosen=rows) for name, rows in tally.by_length().items()},
        "family": families,
        "mean_over_families": float(np.mean(means)) if means else None,
    }


def _comparisons(tally: Tally) -> list[dict[str, Any]]:
    """The first method against each other method; the best of ViennaRNA's is marked."""
    first, *rest = tally.methods
    thermodynamic = [method for method in rest if method in VIENNA_METHODS]
    best = max(thermodynamic, key=lambda method: tally.f1(method).mean(), default=None)
    return [tally.comparison(first, method) | {"best_vienna": method == best} for method in rest]


def per_record(tally: Tally) -> str:
    """A tab-separated table with a row per RNA: strict and shifted F1 and confidence of each method."""
    head = ["id", "family", "length", "pairs"]
    for method in tally.methods:
        head += [f"{method}: F1", f"{method}: F1 +-1", f"{method}: confidence", f"{method}: predicted"]
    rows = [head]
    for n, record in enumerate(tally.records):
        row = [record.id, record.family, str(len(record.sequence)), str(len(record.structure.pairs))]
        for method in tally.methods:
            confidence = tally.confidence[method][n]
            row += [f"{tally.f1(method, mode)[n]:.4f}" for mode in ("strict", "shifted")]
            row += ["" if np.isnan(confidence) else f"{confidence:.4f}"]
            row += ["no" if tally.missing[method][n] else "yes"]
        rows.append(row)
    return "".join(format_row(map(_cell, row)) for row in rows)


def as_table(report: Mapping[str, Any]) -> str:
    """The evaluation as text, with its protocol at the top."""
    methods = report["methods"]
    parts = [
        _heading(report),
        _section("strict, mean per RNA", _measured(methods, "strict", "mean"), interval=True),
        _section("strict, median per RNA", _measured(methods, "strict", "median")),
        _section("strict, pooled over all pairs", _measured(methods, "strict", "pooled")),
        _section("+-1, mean per RNA", _measured(methods, "shifted", "mean"), interval=True),
        _section("+-1, pooled over all pairs", _measured(methods, "shifted", "pooled")),
        _part_section("crossing pairs only, strict", methods, "crossing"),
        _part_section("non-canonical pairs only, strict", methods, "noncanonical"),
        _grouped("strict mean F1 by length in bases", methods, "length"),
        _grouped("strict mean F1 by family", methods, "family", most=_FAMILIES),
        _compared(report["comparisons"]),
        _trusted(report),
        _problems(report["problems"]),
    ]
    return "\n".join(part for part in parts if part)


def _heading(report: Mapping[str, Any]) -> str:
    data, out = report["data"], report["data"]["left_out"]
    names = ", ".join(file["file"] for file in data["files"])
    text = f"{names}: {data['judged']:,} of {counted(data['read'], 'record')}"
    text += f", {data['lengths'][0]} to {data['lengths'][1]} bases\n"
    where = " and ".join(f"{key}={value}" for key, value in data["columns"].items())
    reasons = (
        (out["by_column"], f"not {where}"),
        (out["over_max_length"], f"over {data['max_length']} bases"),
        (out["beyond_limit"], "after the limit"),
    )
    text += "".join(f"left out, {why}: {count:,}\n" for count, why in reasons if count)
    if weights := report.get("weights"):
        text += f"rnass: weights {weights['file']} (sha256 {weights['sha256'][:12]}), "
        decoding = report["decoding"]
        text += f"{decoding['decoder']}, threshold {decoding['threshold']:g}"
        text += f", helices of {counted(decoding['min_helix'], 'pair')} or more"
        text += f", {'canonical pairs only' if decoding['canonical'] else 'non-canonical pairs too'}\n"
    text += f"ViennaRNA {report['versions']['ViennaRNA']}; ThreshKnot: {PROTOCOL['ThreshKnot']}\n"
    shown = (key for key in PROTOCOL if key not in ("ThreshKnot", "calibration"))
    return text + "\n" + "".join(f"{key}: {PROTOCOL[key]}\n" for key in shown)


_Row = tuple[str, Mapping[str, Any], Mapping[str, Any]]


def _measured(methods: Mapping[str, Any], mode: str, kind: str) -> list[_Row]:
    """Name, scores and counts of each method; none where no RNA counts."""
    return [
        (name, method[mode][kind], method[mode])
        for name, method in methods.items()
        if method[mode]["records"]
    ]


def _section(title: str, rows: Items[_Row], *, interval: bool = False) -> str:
    if not rows:
        return ""
    head = ["", "F1", *(["95 %"] if interval else []), "PPV", "sens", "MCC", "INF", "missing"]
    body = []
    for name, figures, counts in rows:
        low, high = figures.get("f1_interval", (0, 0))
        row = [name, f"{figures['f1']:.4f}", *([f"{low:.3f}-{high:.3f}"] if interval else [])]
        row += [f"{figures[key]:.4f}" for key in ("ppv", "sensitivity", "mcc", "inf")]
        body.append([*row, str(counts["missing"])])
    return f"{title} ({counted(rows[0][2]['records'], 'RNA')})\n" + _aligned([head, *body])


def _part_section(title: str, methods: Mapping[str, Any], mode: str) -> str:
    """Mean and pooled scores of one kind of pair, as two tables."""
    if not _measured(methods, mode, "mean"):
        return f"{title}: no known structure has any\n"
    mean = _section(
        f"{title}, mean per RNA that has them", _measured(methods, mode, "mean"), interval=True
    )
    return mean + "\n" + _section(f"{title}, pooled", _measured(methods, mode, "pooled"))


def _grouped(title: str, methods: Mapping[str, Any], group: str, most: int | None = None) -> str:
    """Mean F1 of each method (rows) on each part of the records (columns)."""
    parts = next(iter(methods.values()))[group]
    shown = list(parts)[:most]
    if not shown:
        return ""
    rows = [["", *shown], ["RNAs", *(str(parts[name]["records"]) for name in shown)]]
    for name, method in methods.items():
        rows.append([name, *(f"{method[group][part]['mean']['f1']:.4f}" for part in shown)])
    if group == "family":
        rows[0].append("mean of families")
        rows[1].append(str(len(parts)))
        for row, method in zip(rows[2:], methods.values(), strict=True):
            row.append(f"{method['mean_over_families']:.4f}")
    rest = f"; the {len(shown)} largest of {len(parts)}" if len(parts) > len(shown) else ""
    return f"{title}{rest}\n" + _aligned(rows)


def _compared(comparisons: Iterable[Mapping[str, Any]]) -> str:
    rows = [["", "wins", "ties", "losses", "difference", "95 %", "Wilcoxon p"]]
    first = ""
    for pair in comparisons:
        first = pair["first"]
        low, high = pair["interval"]
        name = f"against {pair['second']}{' (best of ViennaRNA)' if pair['best_vienna'] else ''}"
        counts = [str(pair[key]) for key in ("wins", "ties", "losses")]
        figures = [f"{pair['difference']:+.4f}", f"{low:+.3f} to {high:+.3f}", f"{pair['p_value']:.2g}"]
        rows.append([name, *counts, *figures])
    return f"{first}, strict F1 per RNA\n" + _aligned(rows) if first else ""


def _trusted(report: Mapping[str, Any]) -> str:
    text = ""
    for name, found in report["calibration"].items():
        text += f"expected calibration error, {name}: {found['error']:.5f}\n"
    text = f"{PROTOCOL['calibration']}\n{text}" if text else ""
    rows = [["confidence against strict F1", "Pearson", "Spearman", "mean confidence", "mean F1"]]
    for method, found in report["confidence"].items():
        keys = ("pearson", "spearman", "mean_confidence", "mean_f1")
        rows.append([method, *(f"{found[key]:.3f}" for key in keys)])
    return text + ("\n" + _aligned(rows) if len(rows) > 1 else "")


def _problems(problems: Items[str]) -> str:
    if not problems:
        return ""
    shown = "".join(f"  {problem}\n" for problem in problems[:_PROBLEMS])
    rest = len(problems) - _PROBLEMS
    return f"problems: {len(problems)}; a missing prediction scores 0\n{shown}" + (
        f"  and {rest} more; evaluation.json in --out has all\n" if rest > 0 else ""
    )


def _aligned(rows: Items[Items[str]]) -> str:
    """Columns of equal width, the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for name, *cells in rows:
        padded = (cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))
        lines.append("  ".join([name.ljust(widths[0]), *padded]).rstrip())
    return "".join(f"{line}\n" for line in lines)


def _cell(text: str) -> str:
    return text.replace("\t", " ").replace("\n", " ")
