"""Time and memory of `rnass predict` in a fresh process, beside ViennaRNA on the same RNAs.

    python benchmarks/cost.py [--threads 2] [--weights FILE] [--cases 100x1000 4000x1]
        [--options ...] [--against COMMIT] [--parts]

ViennaRNA computes MFE, partition function, MEA and centroid of each RNA, in one process, without files;
it is left out where rnass works in windows.
The RNAs are random, from a fixed seed. Memory is the peak of rnass's largest process. Prints a
Markdown table. --against adds an earlier commit of this repository with its own default weights: it
runs right after each case, so the ratio holds whatever else slows the machine. --parts prints instead
how the time of one RNA is spent, on one thread.
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
from pathlib import Path

import torch

from rnass.network.contact_model import ContactModel, Mixture, collate, pairing
from rnass.network.device import keep_freed_memory
from rnass.network.weights import find_weights
from rnass.prediction.limits import MAX_LENGTH
from rnass.prediction.predictor import load_predictor
from rnass.rna import Rna
from rnass.thermodynamics.ensemble import Ensemble
from rnass.thermodynamics.second_fold import second_fold

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
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--weights", default=None)
    parser.add_argument("--cases", nargs="+", default=CASES, help="length x number of RNAs")
    parser.add_argument("--options", default="", help="further options of rnass predict, as one text")
    parser.add_argument("--against", help="an earlier commit")
    parser.add_argument("--parts", action="store_true", help="how the time of one RNA is spent")
    arguments = parser.parse_args()
    cases = [(int(length), int(number)) for length, number in (c.split("x") for c in arguments.cases)]
    if arguments.parts:
        print_parts([length for length, _ in cases], arguments.weights)
        return
    options = ["--threads", str(arguments.threads), "--quiet", *arguments.options.split()]
    if arguments.weights:
        options += ["--weights", str(find_weights(arguments.weights).resolve())]
    start, _ = cost([sys.executable, "-m", "rnass.cli", "info"])
    size = find_weights(arguments.weights).stat().st_size / 1e6
    print(
        f"start-up (rnass info): {start:.1f} s; weights: {size:.1f} MB; threads: {arguments.threads}\n"
    )
    with checkout(arguments.against) as before:
        columns = [f"{arguments.against}, s", "times as fast"] if before else []
        heads = ["bases", "RNAs", "rnass, s", "RNAs per s", "GiB", "ViennaRNA, s", "ratio", *columns]
        print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
        for length, number in cases:
            cells = timed(length, number, options, arguments.threads, before)
            print(f"| {' | '.join(cells)} |", flush=True)


def timed(length: int, number: int, options: list[str], threads: int, before: Path | None) -> list[str]:
    """The cells of one case."""
    rnass = [sys.executable, "-m", "rnass.cli", "predict"]
    with tempfile.TemporaryDirectory() as folder:
        fasta = Path(folder) / "random.fa"
        write_random(fasta, length, number)
        ours, memory = cost([*rnass, str(fasta), *options, "--out", f"{folder}/out"])
        peer = ["", ""]
        if length <= MAX_LENGTH:
            theirs, _ = cost([sys.executable, "-c", PEER, str(fasta)])
            peer = [f"{theirs:.2f}", f"{ours / theirs:.1f}"]
        if before:
            old = [*rnass, str(fasta), "--threads", str(threads), "--quiet", "--out", f"{folder}/old"]
            then, _ = cost(old, before)
            peer += [f"{then:.2f}", f"{then / ours:.2f}"]
    return [str(length), str(number), f"{ours:.2f}", f"{number / ours:.2f}", f"{memory:.1f}", *peer]


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
    model, config = predictor.model, predictor.model.config
    name, *more = config.parameter_sets
    spent: dict[str, float] = {}

    def spend(part: str, work: Callable[[], object], times: int = 1) -> None:
        began = time.process_time()
        for _ in range(times):
            work()
        seconds = (time.process_time() - began) / times / len(rnas)
        spent[part] = spent.get(part, 0.0) + seconds

    for rna in rnas:
        first = Ensemble(rna.bases, name)
        spend("ViennaRNA: MFE, Turner 2004", lambda rna=rna: Ensemble(rna.bases).mfe)
        spend(f"ViennaRNA: partition function, {name}", lambda first=first: first.bpp)
        if more:
            spend("ViennaRNA: second fold", lambda first=first: second_fold(first))
    folded = list(predictor.fold(rnas))
    maps = [torch.stack([torch.from_numpy(one.dense()) for one in each.bpp]).numpy() for each in folded]
    batch = collate([rna.bases for rna in rnas], maps, model.backbone.vocabulary)
    times = 3
    pairing(model, batch)  # the first time takes longer
    spend("network: all of it", lambda: pairing(model, batch), times)
    experts = [one for one in model.modules() if isinstance(one, ContactModel)]
    for expert in experts:
        own = model._for(expert.config, batch) if isinstance(model, Mixture) else batch
        own = expert._for_head(own)
        spend("encoder", lambda e=expert, b=own: list(e.backbone.each_layer(b.tokens, maps=True)), times)
        spend("pair features", lambda e=expert, b=own: e._pair_features(b), times)
        features = expert._pair_features(own)
        spend("contact head", lambda e=expert, b=own, f=features: e.head(f.clone(), b.mask), times)
    spent["pair features"] -= spent["encoder"]  # which they are made with
    whole = spent.pop("network: all of it")
    for part in ("encoder", "pair features", "contact head"):
        spent[f"network: {part}, {len(experts)} expert(s)"] = found = spent.pop(part)
        whole -= found
    spent["network: gate, second fold, one partner"] = whole
    readings = predictor.read(rnas, folded)
    made = []
    decoded = zip(rnas, folded, readings, strict=True)
    spend("decoding", lambda: made.extend(predictor.decode(*one, 0.0) for one in decoded))
    with tempfile.TemporaryDirectory() as folder:
        spend("files of a record", lambda: [one.save(folder) for one in made])
    return spent


def write_random(path: Path, length: int, number: int) -> None:
    """Random RNAs of equal length, the same every time."""
    draw = random.Random(length)
    records = ("".join(draw.choices("ACGU", k=length)) for _ in range(number))
    path.write_text("".join(f">random-{k}\n{bases}\n" for k, bases in enumerate(records)))


def cost(command: list[str], folder: Path | None = None) -> tuple[float, float]:
    """Wall time in seconds and peak memory in GiB of a command that must succeed, run in a folder."""
    began = time.monotonic()
    there = {**os.environ, "PYTHONPATH": str(folder)} if folder else None
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=folder, env=there)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return time.monotonic() - began, used.ru_maxrss / 2**20  # Linux counts in KiB


if __name__ == "__main__":
    main()
