"""The main job: sequence files in, a results folder out."""

import dataclasses
import logging
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

import rnass
from rnass import vienna
from rnass.allocator import keep_freed_memory
from rnass.errors import InputError
from rnass.io import (
    FORMATS,
    Results,
    SummaryRow,
    file_names,
    open_results,
    read_fasta,
    write_dot_bracket,
)
from rnass.metrics import score
from rnass.predict import Device, Outcome, Prediction, Predictor, load_predictor
from rnass.sequence import Sequence
from rnass.structure import Structure
from rnass.weights import find_weights, sha256

__all__ = ["JobOptions", "predict_files", "read_inputs", "versions"]

log = logging.getLogger("rnass")

_FEW = 20  # RNAs below which worker processes cost more than they save


@dataclass(frozen=True, kw_only=True)
class JobOptions:
    """What can be asked of the main job.

    Attributes:
        formats: which files are written per record, of `rnass.io.FORMATS`.
        plot: format of an arc diagram per record, None for none.
        baseline: also ViennaRNA's MFE as NAME.vienna.dbn, MEA and centroid in the summary.
        strict: predict nothing if any record is bad.
        overwrite, resume: what to do with results that are already there.
        weights, device, precision, thermodynamics: see `rnass.predict.load_predictor`.
        decoding: settings that replace those chosen with the weights.
        threads: of the network, and processes of ViennaRNA; 0 for all cores.
        seed: of everything random, were there anything.
        quiet: no progress bar.
    """

    formats: tuple[str, ...] = FORMATS
    plot: Literal["svg", "png", "pdf"] | None = None
    baseline: bool = False
    strict: bool = False
    overwrite: bool = False
    resume: bool = False
    weights: str | None = None
    device: Device = "auto"
    precision: Literal["float32", "bfloat16"] = "float32"
    thermodynamics: bool = True
    decoding: dict[str, Any] = dataclasses.field(default_factory=dict)
    threads: int = 0
    seed: int = 0
    quiet: bool = False


def read_inputs(
    paths: list[str], sequence: str | None = None
) -> tuple[list[Sequence], list[InputError]]:
    """All records of the files, and of the one sequence given as text, with every problem found."""
    good: list[Sequence] = []
    bad: list[InputError] = []
    if sequence is not None:
        try:
            good.append(Sequence.from_text(sequence, where="--sequence"))
        except InputError as error:
            bad.append(error)
    for path in paths:
        records, problems = read_fasta(path)
        good += records
        bad += problems
    return good, bad


def predict_files(
    paths: list[str], out: Path, options: JobOptions, *, sequence: str | None = None
) -> int:
    """Predict every record and write *out*; gives the exit status.

    0: all is well; 1: a record was bad or failed, the others are written; 2: `strict` and a bad record,
    nothing is predicted; 130: interrupted, what is finished is written and can be resumed.

    Raises:
        RnassError: the folder holds results already, there are no such weights, ...
    """
    began = time.time()
    sequences, problems = read_inputs(paths, sequence)
    for problem in problems:
        log.error("%s", problem)
    if problems and options.strict:
        log.error("%d bad records; nothing is predicted (--strict)", len(problems))
        return 2
    weights = find_weights(options.weights)
    identity = _identity(options, weights)
    results = open_results(out, identity, overwrite=options.overwrite, resume=options.resume)
    records = list(zip(file_names(s.id for s in sequences), sequences, strict=True))
    todo = [record for record in records if not results.is_finished(*record)]
    if len(todo) < len(records):
        log.info("%d of %d records are finished", len(records) - len(todo), len(records))
    status = 1 if problems else 0
    try:
        if todo and not _predict(todo, results, options, weights):
            status = 1
    except KeyboardInterrupt:
        log.error("interrupted; finished records are kept, --resume does the rest")
        status = 130
    results.close(records, [_bad_row(problem) for problem in problems])
    results.write_run(
        identity
        | {
            "versions": versions(),
            "inputs": paths,
            "seed": options.seed,
            "device": options.device,
            "threads": torch.get_num_threads(),
            "records": len(records),
            "bad_records": len(problems),
            "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began)),
            "seconds": round(time.time() - began, 3),
            "exit_status": status,
        }
    )
    return status


def versions() -> dict[str, str]:
    """Versions of rnass and of what its answers depend on."""
    return {
        "rnass": rnass.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "ViennaRNA": vienna.version(),
    }


def _identity(options: JobOptions, weights: Path) -> dict[str, Any]:
    """What decides the files of a record; a resumed run must agree in it."""
    return {
        "weights": {"file": weights.name, "sha256": sha256(weights)},
        "options": {
            "formats": list(options.formats),
            "plot": options.plot,
            "baseline": options.baseline,
            "thermodynamics": options.thermodynamics,
            "precision": options.precision,
            "decoding": options.decoding,
        },
    }


def _predict(
    todo: list[tuple[str, Sequence]], results: Results, options: JobOptions, weights: Path
) -> bool:
    """Predict and write what is left to do; gives whether every record came out."""
    keep_freed_memory()
    torch.manual_seed(options.seed)
    if options.threads:
        torch.set_num_threads(options.threads)
    predictor = _predictor(options, weights)
    threads = torch.get_num_threads()
    processes = threads - 1 if len(todo) > _FEW else 0
    all_well = True
    with _progress(todo, quiet=options.quiet) as advance:
        for outcome in predictor.predict((sequence for _, sequence in todo), processes):
            name, sequence = todo[outcome.number]
            all_well &= _write(results, name, sequence, outcome, options)
            advance(len(sequence))
    return all_well


def _predictor(options: JobOptions, weights: Path) -> Predictor:
    predictor = load_predictor(
        weights,
        device=options.device,
        thermodynamics=options.thermodynamics,
        baseline=options.baseline,
        precision=options.precision,
    )
    predictor.decoding = dataclasses.replace(predictor.decoding, **options.decoding)
    return predictor


def _write(
    results: Results, name: str, sequence: Sequence, outcome: Outcome, options: JobOptions
) -> bool:
    """Write one record's files and enter it in the journal; gives whether it came out."""
    prediction = outcome.prediction
    if prediction is None:
        log.error("%s", outcome.error)
        row = SummaryRow(
            id=sequence.id, file=name, length=len(sequence), status="failed", message=str(outcome.error)
        )
        results.finish(row, sequence, None)
        return False
    files = results.write_record(
        name, sequence, prediction.structure, prediction.probabilities, options.formats
    )
    if options.baseline:
        path = results.folder / f"{name}.vienna.dbn"
        write_dot_bracket(path, [(sequence, prediction.thermodynamics.mfe_structure)])
        files.append(path.name)
    if options.plot:
        files.append(_plot(results.folder / f"{name}.{options.plot}", prediction))
    results.finish(_row(name, prediction), sequence, prediction.structure, files)
    return True


def _row(name: str, prediction: Prediction) -> SummaryRow:
    structure, thermodynamics = prediction.structure, prediction.thermodynamics

    def agreement(other: Structure | None) -> float | None:
        return None if other is None else score(other, structure).f1

    return SummaryRow(
        id=prediction.sequence.id,
        file=name,
        length=len(structure),
        pairs=len(structure.pairs),
        pseudoknot_order=structure.pseudoknot_order,
        confidence=prediction.confidence,
        mfe_kcal_mol=thermodynamics.mfe,
        f1_mfe=agreement(thermodynamics.mfe_structure),
        f1_mea=agreement(thermodynamics.mea),
        f1_centroid=agreement(thermodynamics.centroid),
        seconds=prediction.seconds,
    )


def _plot(path: Path, prediction: Prediction) -> str:
    """Draw rnass above and ViennaRNA's MFE below; gives the name of the file."""
    from rnass.figures import Track, arc_diagram, save_figure  # matplotlib takes half a second to load

    below = prediction.thermodynamics
    figure = arc_diagram(
        prediction.sequence.bases,
        Track("rnass", prediction.structure, prediction.probabilities),
        Track(f"ViennaRNA MFE {below.mfe:.1f} kcal/mol", below.mfe_structure),
        title=prediction.sequence.id,
    )
    save_figure(figure, path)
    return path.name


def _bad_row(problem: InputError) -> SummaryRow:
    return SummaryRow(id=problem.record, status="failed", message=str(problem))


@contextmanager
def _progress(todo: list[tuple[str, Sequence]], *, quiet: bool) -> Iterator[Any]:
    """A bar of records and bases on a terminal, nothing in a pipe; gives what advances it."""
    console = Console(stderr=True)
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("records, {task.fields[bases]:,} bases"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal) as progress:
        task = progress.add_task("", total=len(todo), bases=0)

        def advance(bases: int) -> None:
            done = progress.tasks[task].fields["bases"]
            progress.update(task, advance=1, bases=done + bases)

        yield advance
