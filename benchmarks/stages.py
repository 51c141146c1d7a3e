"""How weights came about, stage by stage: time, data and validation scores, from weights/manifest.json.

    python benchmarks/stages.py [--weights FILE]

Stages were validated on different parts of VL0 (the first so many records up to a length), so a score
compares with those of the same part alone. Prints a Markdown table; runs nothing.
"""

import argparse
from typing import Any

from rnass.manifest import manifest_entry
from rnass.network.weights import find_weights

HEAD = ("stage", "steps", "core minutes so far", "training records", "validated on", "loss", "F1")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights")
    entry = manifest_entry(find_weights(parser.parse_args().weights))
    print(f"| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}")
    seconds = 0.0
    for number, stage in enumerate(entry.get("stages", []), start=1):
        made = stage.get("made", {})
        if made.get("steps") == 0:  # only calibrated anew
            continue
        cores = made.get("processes", 1)
        lines = stage["validated"] or [{"step": made["steps"], "seconds": made["seconds"]}]
        for scored in lines:
            spent = (seconds + cores * scored["seconds"]) / 60
            print(f"| {' | '.join(row(number, stage, scored, spent))} |")
        seconds += cores * lines[-1]["seconds"]


def row(number: int, stage: dict[str, Any], scored: dict[str, Any], minutes: float) -> list[str]:
    """The line of one validation."""
    data = stage["config"]["data"]
    records = sum(file["records"] for file in stage["data"].values())
    part = f"{data['valid_limit']} up to {data['max_length']} bases"
    loss, f1 = (f"{scored[key]:.3f}" if key in scored else "" for key in ("valid_loss", "valid_f1"))
    return [
        str(number),
        str(scored["step"]),
        f"{minutes:.0f}",
        f"{records:,}",
        part,
        loss,
        f1,
    ]


if __name__ == "__main__":
    main()
