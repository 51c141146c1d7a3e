"""All tables of the section on cost in docs/benchmarks.md, one after another.

    python benchmarks/all_costs.py [--against 4e27390] [--counts 1000 5000 10000]

Each table follows the command that prints it. Run it on a machine that does nothing else; it takes about
half an hour on two cores, and an hour more with 100,000 records.
"""

import argparse
import shlex
import subprocess
import sys
from pathlib import Path

ALIGNMENTS_BEFORE = "c6211b4"  # when each row was decoded twice


def commands(against: str, counts: list[str]) -> list[list[str]]:
    """The scripts with their arguments."""
    return [
        ["cost.py", "--against", against],
        ["cost.py", "--cases", "4000x1", "10000x1", "30000x1"],
        ["cost.py", "--weights", "small", "--cases", "100x1000", "500x1", "500x8", "1000x1"],
        ["cost.py", "--options", "--precision bfloat16", "--cases", "100x1000"],
        ["cost.py", "--parts", "--cases", "100x1", "500x1", "1000x1"],
        ["cost.py", "--rows", "20x200", "--against", ALIGNMENTS_BEFORE],
        ["scale.py", "--counts", *counts],
    ]


def main() -> None:
    """Run them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--against", default="4e27390", help="an earlier commit")
    parser.add_argument("--counts", nargs="+", default=["1000", "5000", "10000"], help="records")
    arguments = parser.parse_args()
    for command in commands(arguments.against, arguments.counts):
        print(f"\n`python benchmarks/{shlex.join(command)}`\n", flush=True)
        script = Path(__file__).with_name(command[0])
        subprocess.run([sys.executable, str(script), *command[1:]], check=True)


if __name__ == "__main__":
    main()
