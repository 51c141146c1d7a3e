"""The score tables of weights/MODEL_CARD.md, from what `rnass evaluate --out` wrote.

    python benchmarks/card.py "bpRNA TS0=ts0/evaluation.json" "bpRNA-new=new/evaluation.json"

Each argument names a set and its evaluation.json. Prints Markdown; runs nothing.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from rnass.evaluation.methods import RNASS, VIENNA_METHODS

Report = dict[str, Any]

LENGTHS = ("1-50", "51-100", "101-200", "201-500", ">500")


def main() -> None:
    """Print the three tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("reports", nargs="+", metavar="NAME=FILE", help="a set and its evaluation.json")
    named = dict(argument.rsplit("=", 1) for argument in parser.parse_args().reports)
    reports = {name: json.loads(Path(path).read_text("utf-8")) for name, path in named.items()}
    for table in (scores, measures, by_length):
        print(table(reports))


def scores(reports: dict[str, Report]) -> str:
    """Strict mean F1 of every method."""
    head = [
        "set",
        "RNAs",
        RNASS,
        "95 %",
        *VIENNA_METHODS,
        "wins / ties / losses against the best of them",
    ]
    rows = []
    for name, report in reports.items():
        ours = mean(report, RNASS)
        low, high = ours["f1_interval"]
        against = next(c for c in report["comparisons"] if c["best_vienna"])
        row = [name, f"{report['data']['judged']:,}", f"**{ours['f1']:.3f}**", f"{low:.3f}-{high:.3f}"]
        row += [f"{mean(report, method)['f1']:.3f}" for method in VIENNA_METHODS]
        rows.append([*row, " / ".join(str(against[key]) for key in ("wins", "ties", "losses"))])
    return markdown(head, rows)


def measures(reports: dict[str, Report]) -> str:
    """Further measures of our method."""
    head = ["set", "PPV", "sensitivity", "MCC", "+-1 F1", "pooled F1", "crossing pairs F1 (RNAs)"]
    head += [
        "crossing, ThreshKnot",
        "calibration error",
        "ViennaRNA's",
        "confidence against F1 (Pearson)",
    ]
    rows = []
    for name, report in reports.items():
        method, peer = report["methods"][RNASS], report["methods"][VIENNA_METHODS[-1]]
        strict, crossing = method["strict"]["mean"], method["crossing"]
        row = [name, *(f"{strict[key]:.3f}" for key in ("ppv", "sensitivity", "mcc"))]
        row += [f"{method['shifted']['mean']['f1']:.3f}", f"{method['strict']['pooled']['f1']:.3f}"]
        known = crossing["records"]
        row += [f"{crossing['mean']['f1']:.3f} ({known})" if known else ""]
        row += [f"{peer['crossing']['mean']['f1']:.3f}" if known else ""]
        row += [f"{found['error']:.5f}" for found in report["calibration"].values()]
        rows.append([*row, f"{report['confidence'][RNASS]['pearson']:.2f}"])
    return markdown(head, rows)


def by_length(reports: dict[str, Report]) -> str:
    """Strict mean F1 by length, beside ViennaRNA's best method of the set."""
    rows = []
    for name, report in reports.items():
        best = next(c["second"] for c in report["comparisons"] if c["best_vienna"])
        for method in (RNASS, best):
            bins = report["methods"][method]["length"]
            row = [name, method]
            for length in LENGTHS:
                one = bins.get(length)
                count = f" ({one['records']})" if one and method == RNASS else ""
                row.append(f"{one['mean']['f1']:.3f}{count}" if one else "")
            rows.append(row)
    return markdown(["set", "method", *LENGTHS], rows)


def mean(report: Report, method: str) -> dict[str, Any]:
    """The strict means of a method."""
    return dict(report["methods"][method]["strict"]["mean"])


def markdown(head: list[str], rows: list[list[str]]) -> str:
    """A table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(row)} |\n" for row in lines)


if __name__ == "__main__":
    main()
