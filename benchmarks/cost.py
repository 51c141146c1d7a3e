"""Time and memory of `rnass predict` in a fresh process, beside ViennaRNA on the same RNAs.

    python benchmarks/cost.py [--threads 2] [--weights FILE] [--cases 100x1000 4000x1]

ViennaRNA computes MFE, partition function, MEA and centroid of each RNA, in one process, without files;
it is left out where rnass works in windows.
The RNAs are random, from a fixed seed. Memory is the peak of rnass's largest process. Prints a
Markdown table.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rnass.network.weights import find_weights
from rnass.prediction.limits import MAX_LENGTH

CASES = ["100x1000", "500x1", "500x8", "1000x1", "2000x1"]  # length, number of RNAs

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
    parser.add_argument("--cases", nargs="+", default=CASES, help="length x number of RNAs")
    arguments = parser.parse_args()
    rnass = [sys.executable, "-m", "rnass.cli"]
    start, _ = cost([*rnass, "info"])
    size = find_weights(arguments.weights).stat().st_size / 1e6
    print(
        f"start-up (rnass info): {start:.1f} s; weights: {size:.1f} MB; threads: {arguments.threads}\n"
    )
    print("| bases | RNAs | rnass, s | RNAs per s | GiB | ViennaRNA, s | ratio |")
    print("|---|---|---|---|---|---|---|")
    for length, number in (map(int, case.split("x")) for case in arguments.cases):
        with tempfile.TemporaryDirectory() as folder:
            fasta = Path(folder) / "random.fa"
            write_random(fasta, length, number)
            options = ["--threads", str(arguments.threads), "--quiet", "--out", f"{folder}/out"]
            if arguments.weights:
                options += ["--weights", arguments.weights]
            ours, memory = cost([*rnass, "predict", str(fasta), *options])
            peer = ["", ""]
            if length <= MAX_LENGTH:
                theirs, _ = cost([sys.executable, "-c", PEER, str(fasta)])
                peer = [f"{theirs:.2f}", f"{ours / theirs:.1f}"]
        cells = [length, number, f"{ours:.2f}", f"{number / ours:.2f}", f"{memory:.1f}", *peer]
        print("|", *(f"{cell} |" for cell in cells), flush=True)


def write_random(path: Path, length: int, number: int) -> None:
    """Random RNAs of equal length, the same every time."""
    draw = random.Random(length)
    records = ("".join(draw.choices("ACGU", k=length)) for _ in range(number))
    path.write_text("".join(f">random-{k}\n{bases}\n" for k, bases in enumerate(records)))


def cost(command: list[str]) -> tuple[float, float]:
    """Wall time in seconds and peak memory in GiB of a command that must succeed."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return time.monotonic() - began, used.ru_maxrss / 2**20  # Linux counts in KiB


if __name__ == "__main__":
    main()
