"""What `rnass predict` costs: whole job, fresh process, beside ViennaRNA on the same RNAs.

    python benchmarks/cost.py [--threads 2] [--weights FILE]

ViennaRNA's line is MFE, partition function, MEA and centroid of each RNA, one process, no files. The
RNAs are random, from a fixed seed. Prints a Markdown table.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rnass.weights import find_weights

CASES = [(100, 1000), (500, 1), (500, 8), (1000, 1), (2000, 1)]  # length, number of RNAs

PEER = """
import sys, RNA
for line in open(sys.argv[1]):
    if not line.startswith(">"):
        compound = RNA.fold_compound(line.strip())
        _, energy = compound.mfe()
        compound.exp_params_rescale(energy)
        compound.pf()
        compound.MEA()
        compound.centroid()
"""


def main() -> None:
    """Time every case and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--weights", default=None)
    arguments = parser.parse_args()
    rnass = [sys.executable, "-m", "rnass.cli"]
    start = seconds([*rnass, "info"])
    size = find_weights(arguments.weights).stat().st_size / 1e6
    print(
        f"start-up (rnass info): {start:.1f} s; weights: {size:.1f} MB; threads: {arguments.threads}\n"
    )
    print("| bases | RNAs | rnass, s | RNAs per s | ViennaRNA, s | ratio |")
    print("|---|---|---|---|---|---|")
    for length, number in CASES:
        with tempfile.TemporaryDirectory() as folder:
            fasta = Path(folder) / "random.fa"
            write_random(fasta, length, number)
            options = ["--threads", str(arguments.threads), "--quiet", "--out", f"{folder}/out"]
            if arguments.weights:
                options += ["--weights", arguments.weights]
            ours = seconds([*rnass, "predict", str(fasta), *options])
            theirs = seconds([sys.executable, "-c", PEER, str(fasta)])
        cells = [length, number, f"{ours:.2f}", f"{number / ours:.1f}", f"{theirs:.2f}"]
        print("|", *(f"{cell} |" for cell in [*cells, f"{ours / theirs:.1f}"]), flush=True)


def write_random(path: Path, length: int, number: int) -> None:
    """Random RNAs of equal length, the same every time."""
    draw = random.Random(length)
    records = ("".join(draw.choices("ACGU", k=length)) for _ in range(number))
    path.write_text("".join(f">random-{k}\n{bases}\n" for k, bases in enumerate(records)))


def seconds(command: list[str]) -> float:
    """Wall time of a command that must succeed."""
    began = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


if __name__ == "__main__":
    main()
