"""The main job: sequence files in, a results folder out."""

import dataclasses
import logging
import platform
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch

import rnass
from rnass.config import DecodingConfig, from_mapping
from rnass.errors import InputError, WorkerError, counted
from rnass.io import file_names, read_fasta, write_dot_bracket
from rnass.jobs.results import FORMATS, Results, open_results
from rnass.jobs.summary import SummaryRow
from rnass.metrics import score
from rnass.network.device import Device, keep_freed_memory
from rnass.network.weights import find_weights
from rnass.prediction.predictor import (
    Outcome,
    Prediction,
    Predictor,
    load_predictor,
    origin,
    refusal,
    share_cores,
    too_long,
)
from rnass.prediction.restraints import Knowledge, ShapeMethod, known_of
from rnass.progress import record_bar
from rnass.rna import Rna
from rnass.structure import Structure
from rnass.thermodynamics.free_energy import energy as free_energy
from rnass.thermodynamics.parameter_sets import version as vienna_version

__all__ = ["JobOptions", "predict_files", "read_inputs", "versions"]

log = logging.getLogger("rnass")


class _Record(NamedTuple):
    """The name of its files, the RNA, and what is known of it."""

    name: str
    sequence: Rna
    known: Knowledge


_KEPT = 2000  # bases above which kept memory is too much: gaps in it nearly double the peak at 4,000


@dataclass(frozen=True, kw_only=True)
class JobOptions:
    """What can be asked of the main job.

    Attributes:
        formats: which files are written per record, of `rnass.io.FORMATS`.
        plot: format of an arc diagram per record, None for none.
        baseline: also ViennaRNA's MFE as NAME.vienna.dbn, MEA and centroid in the summary.
        elements: also the structure's elements in the summary, by forgi.
        strict: predict nothing if any record is bad.
        overwrite, resume: what to do with results that are already there.
        weights, backbone, device, precision, thermodynamics: see
            `rnass.prediction.predictor.load_predictor`.
        decoding: settings that replace those chosen with the weights.
        threads: of the network, and processes of ViennaRNA; 0 for all cores.
        seed: of everything random, were there anything.
        quiet: no progress bar.
        constraints, shape: files or folders of what is known of each record; see
            `rnass.prediction.restraints`.
        dms: the reactivities are to DMS, which A and C report.
        shape_method, mix: how reactivities and ViennaRNA's probabilities count; see there.
        alternatives: how many structures of each record stand in NAME.alternatives.dbn; 0: no such file.
    """

    formats: tuple[str, ...] = FORMATS
    plot: Literal["svg", "png", "pdf"] | None = None
    baseline: bool = False
    elements: bool = False
    strict: bool = False
    overwrite: bool = False
    resume: bool = False
    weights: str | None = None
    backbone: str | None = None
    device: Device = "auto"
    precision: Literal["float32", "bfloat16"] = "float32"
    thermodynamics: bool = True
    decoding: dict[str, Any] = dataclasses.field(default_factory=dict)
    threads: int = 0
    seed: int = 0
    quiet: bool = False
    constraints: str | None = None
    shape: str | None = None
    dms: bool = False
    shape_method: ShapeMethod = "deigan"
    mix: float = 0.0
    alternatives: int = 0


def read_inputs(
    paths: list[str],
    sequence: str | None = None,
    *,
    any_length: bool = False,
    constraint_lines: bool = False,
) -> tuple[list[Rna], list[InputError]]:
    """All records of the files, and of the one sequence given as text, with every problem found.

    A record that is too long to predict is a problem, unless *any_length*. With *constraint_lines* a
    line of constraints under the bases is passed over.
    """
    good: list[Rna] = []
    bad: list[InputError] = []

    def take(record: Rna, where: str) -> None:
        if not any_length and (problem := too_long(record, where)):
            bad.append(problem)
        else:
            good.append(record)

    if sequence is not None:
        try:
            take(Rna.from_text(sequence, where="--sequence"), "--sequence")
        except InputError as error:
            bad.append(error)
    for path in paths:
        records, problems = read_fasta(path, constraint_lines=constraint_lines)
        bad += problems
        for record in records:
            take(record, f"{path} ({record.id})")
    return good, bad


def predict_files(
    paths: list[str], out: Path, options: JobOptions, *, sequence: str | None = None
) -> int:
    """Predict every record and write *out*; gives the exit status.

    0: all is well; 1: a record was bad or failed, the others are written; 2: `strict` and a bad record,
    nothing is predicted, or a worker process was killed; 130: interrupted. After the last two what is
    finished is written and can be resumed. The folder is left as it is if there is no good record, or
    the model cannot be loaded.

    Raises:
        RnassError: the folder holds results already or another run writes into it, there are no such
            weights, ...
    """
    began = time.time()
    sequences, problems = read_inputs(paths, sequence, constraint_lines=options.constraints in paths)
    records = _records(sequences, options, problems)
    for problem in problems:
        log.error("%s", problem)
    if problems and (options.strict or not records):
        why = " (--strict)" if options.strict else ""
        log.error("bad records: %d; nothing is predicted%s", len(problems), why)
        return 2 if options.strict else 1
    weights = find_weights(options.weights)
    if max((len(record.sequence) for record in records), default=0) <= _KEPT:
        keep_freed_memory()
    predictor = _predictor(options, weights)
    if options.strict:
        encoder = predictor.model.backbone
        refused = [bad for r in records if (bad := refusal(r.sequence, r.known, encoder))]
        for problem in refused:
            log.error("%s", problem)
        if refused:
            log.error("bad records: %d; nothing is predicted (--strict)", len(refused))
            return 2
    threads = torch.get_num_threads()
    identity = _identity(options, weights, predictor)
    known = {r.name: fingerprint for r in records if (fingerprint := r.known.fingerprint)}
    with open_results(
        out, identity, known=known, overwrite=options.overwrite, resume=options.resume
    ) as results:
        status = _predict(records, results, options, predictor) or int(bool(problems))
        results.close([record[:2] for record in records], [_bad_row(problem) for problem in problems])
        run = {
            "inputs": [*paths, *(["--sequence"] if sequence is not None else [])],
            **_settings(options, predictor),
            "threads": threads,
            "records": len(records),
            "bad_records": len(problems),
            "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began)),
            "seconds": round(time.time() - began, 3),
            "exit_status": status,
        }
        results.write_run(identity | run)
    return status


def _records(sequences: list[Rna], options: JobOptions, problems: list[InputError]) -> list[_Record]:
    """The RNAs with what is known of them; one that it does not fit is another of the *problems*."""
    found = known_of(
        sequences,
        constraints=options.constraints,
        reactivities=options.shape,
        dms=options.dms,
        base=Knowledge(shape_method=options.shape_method, mix=options.mix),
        bad=[problem.record for problem in problems],
    )
    problems += [one for one in found if isinstance(one, InputError)]
    names = file_names(sequence.id for sequence in sequences)
    return [
        _Record(name, sequence, known)
        for name, sequence, known in zip(names, sequences, found, strict=True)
        if isinstance(known, Knowledge)
    ]


def _settings(options: JobOptions, predictor: Predictor) -> dict[str, Any]:
    """What else run.json tells of how a run was made."""
    return {
        "versions": versions(),
        "decoding": dataclasses.asdict(predictor.decoding),
        "knowledge": {
            "constraints": options.constraints,
            "shape": options.shape,
            "dms": options.dms,
            "shape_method": options.shape_method,
            "mix": options.mix,
        },
        "seed": options.seed,
        "device": str(predictor.device),
    }


def versions() -> dict[str, str]:
    """Versions of rnass and of what its answers depend on."""
    return {
        "rnass": rnass.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "ViennaRNA": vienna_version(),
    }


def _identity(options: JobOptions, weights: Path, predictor: Predictor) -> dict[str, Any]:
    """What decides the files of a record; a resumed run must agree in it."""
    return {
        **origin(weights, predictor),
        "options": {
            "formats": list(options.formats),
            "plot": options.plot,
            "baseline": options.baseline,
            "elements": options.elements,
            "alternatives": options.alternatives,
            "thermodynamics": options.thermodynamics,
            "precision": options.precision,
            "decoding": options.decoding,
        },
    }


def _predict(records: list[_Record], results: Results, options: JobOptions, predictor: Predictor) -> int:
    """Predict and write what is left to do; gives the exit status."""
    todo = [record for record in records if not results.is_finished(*record[:2])]
    if len(todo) < len(records):
        done = len(records) - len(todo)
        log.info("%d of %s finished already", done, counted(len(records), "record"))
    sequences = [record.sequence for record in todo]
    failed = 0
    try:
        with (
            record_bar(len(todo), quiet=options.quiet) as advance,
            share_cores([len(sequence) for sequence in sequences], predictor) as cores,
            closing(
                predictor.predict(sequences, cores, known=(record.known for record in todo))
            ) as outcomes,
        ):
            for outcome in outcomes:
                name, sequence, _ = todo[outcome.number]
                failed += not _write(results, name, sequence, outcome, options)
                advance(len(sequence))
    except KeyboardInterrupt:
        log.error("interrupted; finished records are kept, --resume does the rest")
        return 130
    except WorkerError as error:
        log.error("%s; finished records are kept, --resume does the rest", error)
        return 2
    predicted = counted(len(todo) - failed, "record")
    log.info("%s: %s predicted, %d failed", results.folder, predicted, failed)
    return int(failed > 0)


def _predictor(options: JobOptions, weights: Path) -> Predictor:
    """Load the model, with threads and the random state set for it."""
    torch.manual_seed(options.seed)
    if options.threads:
        torch.set_num_threads(options.threads)
    predictor = load_predictor(
        weights,
        backbone=options.backbone,
        device=options.device,
        thermodynamics=options.thermodynamics,
        baseline=options.baseline,
        precision=options.precision,
        mfe_probabilities=options.plot is not None,
    )
    chosen = dataclasses.asdict(predictor.decoding) | options.decoding
    predictor.decoding = from_mapping(DecodingConfig, chosen, "decoding")
    return predictor


def _write(results: Results, name: str, sequence: Rna, outcome: Outcome, options: JobOptions) -> bool:
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
    if options.alternatives:
        path = results.folder / f"{name}.alternatives.dbn"
        write_dot_bracket(path, _alternatives(prediction, options.alternatives))
        files.append(path.name)
    row = _row(name, prediction)
    if options.elements:
        row = _with_elements(row, prediction.structure)
    results.finish(row, sequence, prediction.structure, files)
    return True


def _alternatives(prediction: Prediction, n: int) -> list[tuple[Rna, Structure]]:
    """Records of up to *n* structures, with their weights in the titles."""
    sequence = prediction.sequence
    header = sequence.description or sequence.id
    return [
        (
            dataclasses.replace(
                sequence,
                description=f"{header} alternative={k} weight={one.weight:.3f} "
                f"expected_f1={one.expected_f1:.3f}",
            ),
            one.structure,
        )
        for k, one in enumerate(prediction.alternatives(n), start=1)
    ]


def _row(name: str, prediction: Prediction) -> SummaryRow:
    structure, below = prediction.structure, prediction.thermodynamics
    bases = prediction.sequence.text

    def agreement(other: Structure | None) -> float | None:
        return None if other is None else score(other, structure).f1

    def energy(other: Structure | None) -> float | None:
        return None if other is None else free_energy(bases, other)

    return SummaryRow(
        id=prediction.sequence.id,
        file=name,
        length=len(structure),
        pairs=len(structure.pairs),
        pseudoknot_order=structure.pseudoknot_order,
        confidence=prediction.confidence,
        mfe_kcal_mol=below.mfe,
        f1_mfe=agreement(below.mfe_structure),
        mea_kcal_mol=energy(below.mea),
        f1_mea=agreement(below.mea),
        centroid_kcal_mol=energy(below.centroid),
        f1_centroid=agreement(below.centroid),
        seconds=prediction.seconds,
    )


def _with_elements(row: SummaryRow, structure: Structure) -> SummaryRow:
    from rnass.elements import elements  # forgi takes half a second to load

    found = dataclasses.asdict(elements(structure))
    return dataclasses.replace(row, elements=found.pop("string"), **found)


def _plot(path: Path, prediction: Prediction) -> str:
    """Draw rnass above and ViennaRNA's MFE below; gives the name of the file."""
    from rnass.figures import Track, arc_diagram, save_figure  # matplotlib takes half a second to load

    below = prediction.thermodynamics
    shades = below.mfe_bpp.dense() if below.mfe_bpp else None
    figure = arc_diagram(
        prediction.sequence.text,
        Track("rnass", prediction.structure, prediction.informed.astype(np.float32)),
        Track(f"ViennaRNA MFE {below.mfe:.1f} kcal/mol", below.mfe_structure, shades),
        title=prediction.sequence.id,
    )
    save_figure(figure, path)
    return path.name


def _bad_row(problem: InputError) -> SummaryRow:
    return SummaryRow(id=problem.record, status="failed", message=str(problem))
