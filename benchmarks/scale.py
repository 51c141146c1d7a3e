"""Records per second and peak memory of `rnass predict --shard` for more and more records.

    python benchmarks/scale.py [--counts 1000 10000 100000] [--weights small] [--threads 2]

The RNAs are random, of 60 to 150 bases, from a fixed seed. Memory is the peak of rnass's largest
process. Prints a Markdown table.
"""

import argparse
import random
import sys
import tempfile
from pathlib import Path

from cost import cost


def main() -> None:
    """Predict every number of records and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", nargs="+", type=int, default=[1000, 10_000, 100_000])
    parser.add_argument("--weights", default="small")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--shard", type=int, default=1000)
    arguments = parser.parse_args()
    print("| records | s | records per s | core s per 1,000 | GiB | MB of Parquet |")
    print("|---|---|---|---|---|---|")
    for number in arguments.counts:
        with tempfile.TemporaryDirectory() as folder:
            fasta, out = Path(folder) / "random.fa", Path(folder) / "out"
            draw = random.Random(1)
            with fasta.open("w") as file:
                for k in range(number):
                    bases = "".join(draw.choices("ACGU", k=draw.randint(60, 150)))
                    file.write(f">random-{k}\n{bases}\n")
            options = ["--weights", arguments.weights, "--threads", str(arguments.threads), "--quiet"]
            parts = ["--shard", str(arguments.shard), "--out", str(out)]
            command = [sys.executable, "-m", "rnass.cli", "predict", str(fasta), *options, *parts]
            seconds, core, memory = cost(command)
            size = sum(path.stat().st_size for path in out.iterdir()) / 1e6
        rates = (f"{seconds:.0f}", f"{number / seconds:.1f}", f"{core / number * 1000:.1f}")
        cells = (number, *rates, f"{memory:.2f}", f"{size:.1f}")
        print("|", *(f"{cell} |" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
