"""Time and memory of `rnass predict` in a fresh process, beside ViennaRNA on the same RNAs.

    python benchmarks/cost.py [--threads 2] [--weights FILE] [--cases 100x1000 4000x1]
        [--options ...] [--against COMMIT] [--parts] [--rows 20x200]

ViennaRNA computes MFE, partition function, MEA and centroid of each RNA, in one process, without files;
it is left out where rnass works in windows. Core seconds are processor time, and do not depend on what
else runs; a ratio is of rnass to the other.
The RNAs are random, from a fixed seed. Memory is the peak of rnass's largest process. Prints a
Markdown table. --against adds an earlier commit of this repository with its own default weights, right
after each case. --parts prints instead how the time of one RNA is spent, on one thread; --rows the cost
of an alignment of so many random rows and columns.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar, cast

import numpy as np
import torch

from rnass.errors import counted
from rnass.network.contact_model import Batch, ContactModel, Mixture, collate, pairing
from rnass.network.heap import keep_freed_memory
from rnass.network.weights import find_weights
from rnass.prediction.limits import MAX_LENGTH
from rnass.prediction.predictor import Predictor, load_predictor
from rnass.rna import Rna
from rnass.thermodynamics.ensemble import Ensemble
from rnass.thermodynamics.folding import Folded
from rnass.thermodynamics.second_fold import second_fold

CASES = ["100x1000", "500x1", "500x8", "1000x1", "2000x1"]  # length, number of RNAs

TIMES = 3  # that the network is run, for the mean

T = TypeVar("T")

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
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--weights", default=None)
    parser.add_argument("--cases", nargs="+", default=CASES, help="length x number of RNAs")
    parser.add_argument("--options", default="", help="further options of rnass predict, as one text")
    parser.add_argument("--against", help="an earlier commit")
    parser.add_argument("--parts", action="store_true", help="how the time of one RNA is spent")
    parser.add_argument("--rows", help="rows x columns of an alignment")
    arguments = parser.parse_args()
    cases = [numbers(one) for one in arguments.cases]
    if arguments.parts:
        print_parts([length for length, _ in cases], arguments.weights)
        return
    options = ["--threads", str(arguments.threads), "--quiet", *arguments.options.split()]
    if arguments.weights:
        options += ["--weights", str(find_weights(arguments.weights).resolve())]
    start = cost([sys.executable, "-m", "rnass.cli", "info"]).seconds
    size = find_weights(arguments.weights).stat().st_size / 1e6
    print(
        f"start-up (rnass info): {start:.1f} s; weights: {size:.1f} MB; threads: {arguments.threads}\n"
    )
    with checkout(arguments.against) as before:
        old = [f"{arguments.against}, s", "core s", "ratio of core s"] if before else []
        if arguments.rows:
            print_rows(*numbers(arguments.rows), options, arguments.threads, before, old)
            return
        heads = ["bases", "RNAs", "rnass, s", "RNAs per s", "core s", "GiB"]
        heads += ["ViennaRNA, core s", "ratio of core s", *old]
        print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
        for length, number in cases:
            cells = timed(length, number, options, arguments.threads, before)
            print(f"| {' | '.join(cells)} |", flush=True)


def numbers(text: str) -> tuple[int, int]:
    """Two numbers with an x between."""
    one, other = map(int, text.split("x"))
    return one, other


def print_rows(
    rows: int, columns: int, options: list[str], threads: int, before: Path | None, old: list[str]
) -> None:
    """A table of one alignment of random rows without gaps."""
    draw = random.Random(rows)
    heads = ["rows", "columns", "rnass, s", "core s", "GiB", *old]
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    with tempfile.TemporaryDirectory() as folder:
        aligned = Path(folder) / "random.sto"
        texts = "".join(f"row{k} {''.join(draw.choices('ACGU', k=columns))}\n" for k in range(rows))
        aligned.write_text(f"# STOCKHOLM 1.0\n{texts}//\n")
        command = [sys.executable, "-m", "rnass.cli", "predict", "--alignment", str(aligned)]
        ours = cost([*command, *options, "--out", f"{folder}/out"])
        cells = [str(rows), str(columns), f"{ours.seconds:.1f}", f"{ours.core_seconds:.1f}"]
        cells.append(f"{ours.memory:.1f}")
        cells += cells_of_before(ours, [*command, "--out", f"{folder}/old"], threads, before)
    print(f"| {' | '.join(cells)} |")


def timed(length: int, number: int, options: list[str], threads: int, before: Path | None) -> list[str]:
    """The cells of one case."""
    rnass = [sys.executable, "-m", "rnass.cli", "predict"]
    with tempfile.TemporaryDirectory() as folder:
        fasta = Path(folder) / "random.fa"
        write_random(fasta, length, number)
        ours = cost([*rnass, str(fasta), *options, "--out", f"{folder}/out"])
        cells = [str(length), str(number), f"{ours.seconds:.1f}", f"{number / ours.seconds:.2f}"]
        cells += [f"{ours.core_seconds:.1f}", f"{ours.memory:.1f}"]
        peer = None
        if length <= MAX_LENGTH:
            peer = cost([sys.executable, "-c", PEER, str(fasta)]).core_seconds
        cells += ["", ""] if peer is None else [f"{peer:.1f}", f"{ours.core_seconds / peer:.1f}"]
        cells += cells_of_before(ours, [*rnass, str(fasta), "--out", f"{folder}/old"], threads, before)
    return cells


def cells_of_before(ours: "Cost", command: list[str], threads: int, before: Path | None) -> list[str]:
    """Those of the earlier commit with its own default weights, beside what rnass costs now."""
    if before is None:
        return []
    then = cost([*command, "--threads", str(threads), "--quiet"], before)
    ratio = ours.core_seconds / then.core_seconds
    return [f"{then.seconds:.1f}", f"{then.core_seconds:.1f}", f"{ratio:.2f}"]


@contextmanager
def checkout(commit: str | None) -> Iterator[Path | None]:
    """A folder with the files of a commit, while the block lasts."""
    if commit is None:
        yield None
        return
    root = Path(__file__).resolve().parents[1]
    with tempfile.TemporaryDirectory() as folder:
        packed = subprocess.run(["git", "archive", commit], cwd=root, check=True, capture_output=True)
        subprocess.run(["tar", "-x", "-C", folder], input=packed.stdout, check=True)
        yield Path(folder)


def print_parts(lengths: list[int], weights: str | None) -> None:
    """A table of milliseconds for each part of the prediction of one RNA, on one thread."""
    keep_freed_memory()
    torch.set_num_threads(1)
    tables = [parts_of(length, weights) for length in lengths]
    print(f"| part, ms for one RNA of | {' | '.join(f'{length} bases' for length in lengths)} |")
    print(f"|---|{'---|' * len(lengths)}")
    for name in tables[0]:
        print(f"| {name} | {' | '.join(f'{1000 * table[name]:.1f}' for table in tables)} |")
    sums = [1000 * sum(table.values()) for table in tables]
    print(f"| together | {' | '.join(f'{one:.1f}' for one in sums)} |")


@torch.no_grad()
def parts_of(length: int, weights: str | None) -> dict[str, float]:
    """Seconds of processor time of each part, for one RNA in a batch of about 400,000 pairs of bases."""
    draw = random.Random(length)
    rnas = [
        Rna(f"random-{k}", "".join(draw.choices("ACGU", k=length)))
        for k in range(max(1, 400_000 // length**2))
    ]
    predictor = load_predictor(weights, device="cpu")
    spent = Spent(len(rnas))
    name, *more = predictor.parameter_sets
    for rna in rnas:
        first = Ensemble(rna.bases, name)
        spent.on("ViennaRNA: MFE, Turner 2004", partial(getattr, Ensemble(rna.bases), "mfe"))
        spent.on(f"ViennaRNA: partition function, {name}", partial(getattr, first, "bpp"))
        if more:
            spent.on("ViennaRNA: second fold", partial(second_fold, first))
    folded = [one for one in predictor.fold(rnas) if isinstance(one, Folded)]
    parts_of_network(spent, predictor, rnas, folded)
    rows = list(zip(rnas, folded, predictor.read(rnas, folded), strict=True))
    made = [spent.on("decoding", partial(predictor.decode, *row, 0.0)) for row in rows]
    with tempfile.TemporaryDirectory() as folder:
        for one in made:
            spent.on("files of a record", partial(one.save, folder))
    return spent.seconds


def parts_of_network(
    spent: "Spent", predictor: Predictor, rnas: list[Rna], folded: list[Folded]
) -> None:
    """Add those of the network."""
    model = predictor.model
    maps = [np.stack([one.dense() for one in each.bpp]) for each in folded]
    batch = collate([rna.bases for rna in rnas], maps, model.backbone.vocabulary)
    pairing(model, batch)  # the first time takes longer
    spent.on("whole", partial(pairing, model, batch), TIMES)
    names = ("encoder", "pair features", "contact head")
    experts = [one for one in model.modules() if isinstance(one, ContactModel)]
    for expert in experts:
        own = model._for(expert.config, batch) if isinstance(model, Mixture) else batch
        own = expert._for_head(own)
        spent.on("encoder", partial(all_layers, expert, own), TIMES)
        spent.on("pair features", partial(expert._pair_features, own), TIMES)
        features = expert._pair_features(own)
        spent.on("contact head", partial(head_alone, expert, own, features), TIMES)
    seconds = spent.seconds
    seconds["pair features"] -= seconds["encoder"]  # which they are made with
    whole = seconds.pop("whole")
    for name in names:
        seconds[f"network: {name}, of {counted(len(experts), 'expert')}"] = seconds.pop(name)
        whole -= seconds[f"network: {name}, of {counted(len(experts), 'expert')}"]
    seconds["network: gate, one partner, other"] = max(whole, 0.0)


def all_layers(expert: ContactModel, batch: Batch) -> None:
    """Run the encoder, with attention maps."""
    for _ in expert.backbone.each_layer(batch.tokens, maps=True):
        pass


def head_alone(expert: ContactModel, batch: Batch, features: torch.Tensor) -> torch.Tensor:
    """Run the contact head, which overwrites what it is given."""
    return cast("torch.Tensor", expert.head(features.clone(), batch.mask))


class Spent:
    """Seconds of processor time by part, for one of so many RNAs."""

    def __init__(self, rnas: int) -> None:
        self.rnas, self.seconds = rnas, dict[str, float]()

    def on(self, part: str, work: Callable[[], T], times: int = 1) -> T:
        """What some work gives, done so many times; its mean time is added to that of the part."""
        began = time.process_time()
        found = [work() for _ in range(times)][-1]
        spent = (time.process_time() - began) / times / self.rnas
        self.seconds[part] = self.seconds.get(part, 0.0) + spent
        return found


def write_random(path: Path, length: int, number: int) -> None:
    """Random RNAs of equal length, the same every time."""
    draw = random.Random(length)
    records = ("".join(draw.choices("ACGU", k=length)) for _ in range(number))
    path.write_text("".join(f">random-{k}\n{bases}\n" for k, bases in enumerate(records)))


class Cost(NamedTuple):
    """Of a command.

    Attributes:
        seconds: until it ended.
        core_seconds: processor time of it and its worker processes.
        memory: the peak of the largest of them, in GiB.
    """

    seconds: float
    core_seconds: float
    memory: float


def cost(command: list[str], folder: Path | None = None) -> Cost:
    """What a command costs that must succeed, run in a folder."""
    began = time.monotonic()
    there = {**os.environ, "PYTHONPATH": str(folder)} if folder else None
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=folder, env=there)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    seconds = time.monotonic() - began
    return Cost(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 2**20)  # Linux counts in KiB


if __name__ == "__main__":
    main()
