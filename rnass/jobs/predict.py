"""`rnass predict`: structures, probabilities and figures of every RNA in some FASTA files.

Torch is loaded with the model, after the input is read, and while the first RNAs are folded.
"""

import dataclasses
import json
import logging
from collections.abc import Callable, Generator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from rnass.elements import elements
from rnass.errors import ExitStatus, InputError, OutputError, RnassError, StructureError
from rnass.files import write_text
from rnass.io import MAP_SUFFIXES, format_dot_bracket, write_bpseq, write_dot_bracket, write_map
from rnass.io.parquet import arrow, write_predictions
from rnass.io.regions import Region
from rnass.io.results_folder import PREDICTIONS, TABLE
from rnass.jobs.ahead import folding_ahead, keep_memory
from rnass.jobs.inputs import Inputs, read_inputs
from rnass.jobs.record_text import TEXTS, row_of
from rnass.jobs.regions import REGION_HEADING, REGIONS, Entry, format_regions, regions_in, regions_of
from rnass.jobs.results import Written
from rnass.jobs.runner import Job, RunOptions, run_job
from rnass.metrics import score
from rnass.network.weights import find_weights
from rnass.prediction.limits import LONGEST_WHOLE, MAX_LENGTH, WINDOW
from rnass.prediction.options import ModelOptions
from rnass.prediction.origin import origin
from rnass.prediction.prediction import Kind, Prediction
from rnass.prediction.restraints import RestraintOptions
from rnass.rna import Rna
from rnass.structure import Structure
from rnass.thermodynamics.conditions import SALT, STANDARD, TEMPERATURE, Conditions
from rnass.thermodynamics.folding import FoldAhead
from rnass.thermodynamics.free_energy import energy as free_energy
from rnass.thermodynamics.parameter_sets import DEFAULT_PARAMETERS

if TYPE_CHECKING:
    from rnass.prediction.predictor import Predictor

__all__ = [
    "DEFAULT_FORMATS",
    "FORMATS",
    "NATIVE",
    "PredictOptions",
    "identity_of",
    "open_predictor",
    "predict_files",
    "read_restrained",
]

log = logging.getLogger("rnass")

FORMATS = ("ct", "dbn", "bpseq", "npy", "tsv", "json", "parquet")
"""Formats of the files of a record; parquet is one table of all records."""

DEFAULT_FORMATS = ("ct", "dbn", "bpseq", "npy")

NATIVE = "as relatives are evidence for the native structure"
"""Why evidence of homologous RNAs is refused at other conditions."""

_BASELINE = ("mea_kcal_mol", "f1_mea", "centroid_kcal_mol", "f1_centroid")
_ELEMENTS = (
    *("elements", "stems", "hairpins", "bulges", "interior_loops", "multiloops"),
    "pseudoknotted_helices",
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class PredictOptions(RunOptions, RestraintOptions, ModelOptions):
    """Options of `predict_files`.

    Attributes:
        formats: of `FORMATS`; none at all leaves the files of all records.
        plot: format of a figure of each record; None for none.
        plot_kind: which figure; see `rnass.prediction.drawing`.
        baseline: also ViennaRNA's MFE as NAME.vienna.dbn, MEA and centroid in the summary.
        elements: also the structure's elements in the summary.
        regions: BED file of regions whose accessibility is wanted, see `rnass.jobs.regions`.
        alternatives: how many structures of each record NAME.alternatives.dbn holds; 0: no such file.
        families: file of covariance models; see `rnass.prediction.families`.
        family_seeds: file of their seed alignments, for the pseudoknots.
        longest_whole: most bases of an RNA that is predicted whole; a longer one in windows.
        window: bases of a window.
        temperature, salt: see `rnass.thermodynamics.conditions.Conditions`.

    Raises:
        InputError: seed alignments without models; families at other conditions than 37 C and 1.021 M;
            see `RestraintOptions`.
        ConfigError: a temperature or salt concentration out of range.
        OutputError: an unknown format.
    """

    formats: tuple[str, ...] = DEFAULT_FORMATS
    plot: Literal["svg", "png", "pdf"] | None = None
    plot_kind: Kind = "arcs"
    baseline: bool = False
    elements: bool = False
    alternatives: int = 0
    regions: str | None = None
    families: str | None = None
    family_seeds: str | None = None
    longest_whole: int = LONGEST_WHOLE
    window: int = WINDOW
    temperature: float = TEMPERATURE
    salt: float = SALT

    @property
    def conditions(self) -> Conditions:
        """Temperature and salt concentration."""
        return Conditions(self.temperature, self.salt)

    @property
    def shaded(self) -> bool:
        """Whether the MFE's pairs are drawn with their probabilities."""
        return self.plot is not None

    @property
    def files(self) -> list[str]:
        """The files and folders that are read beside sequences."""
        return [name for name in (self.constraints, self.shape, self.regions) if name]

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.family_seeds is not None and self.families is None:
            raise InputError("--family-seeds: no models; expected --families with them")
        if not self.conditions.standard and self.families is not None:
            raise InputError(f"--families: at {self.conditions}; expected {STANDARD}, {NATIVE}")
        for name in self.formats:
            if name not in FORMATS:
                raise OutputError(f"format {name!r} is unknown; expected {', '.join(FORMATS)} or none")
        if "parquet" in self.formats:
            arrow()  # before anything is computed


def predict_files(
    paths: Sequence[str], out: Path, options: PredictOptions, *, sequence: str | None = None
) -> ExitStatus:
    """Predict every record of some FASTA files, and the RNA given as text, into a results folder.

    Raises:
        RnassError: see `rnass.jobs.runner.run_job`; restraints that cannot be read, or on no record.
    """
    inputs = read_restrained(paths, options, sequence)
    if options.families is None:
        with folding_ahead(inputs.rnas, options) as ahead:
            return run_job(lambda: PredictJob(options, inputs, ahead), inputs, out, options)
    from rnass.jobs.families import FamilyJob  # which is built on PredictJob

    return run_job(lambda: FamilyJob(options, inputs), inputs, out, options)


def read_restrained(paths: Sequence[str], options: PredictOptions, sequence: str | None) -> Inputs:
    """The records of FASTA files, and the RNA given as text, with their restraints.

    Raises:
        InputError: restraints that cannot be read, or on no record.
    """
    inputs = read_inputs(paths, sequence, any_length=True, constraint_lines=options.constraints in paths)
    inputs.further += options.files
    restrained = options.restrain(inputs.rnas, [problem.record for problem in inputs.problems])
    inputs.rnas = [one for one in restrained if isinstance(one, Rna)]
    inputs.problems += [one for one in restrained if not isinstance(one, Rna)]
    return inputs


def open_predictor(options: PredictOptions, *, in_windows: bool = True) -> "Predictor":
    """The predictor of these options, after the number of threads is set."""
    from rnass.prediction.windows import Windows

    windows = Windows(options.longest_whole, options.window) if in_windows else None
    predictor = options.load(baseline=options.baseline, windows=windows, conditions=options.conditions)
    predictor.mfe_probabilities = options.shaded
    return predictor


def identity_of(options: PredictOptions, weights: Path, predictor: "Predictor") -> dict[str, Any]:
    """Weights, energies and options: what decides the results of every record, as JSON."""
    names = (
        *("formats", "plot", "plot_kind", "baseline", "elements", "alternatives", "thermodynamics"),
        *("precision", "decoding", "mix", "longest_whole", "window", "temperature", "salt"),
    )
    chosen = {name: getattr(options, name) for name in names}
    return {**origin(weights, predictor), "options": chosen}


class PredictJob(Job[Prediction]):
    """Predict RNAs and write their files."""

    kind: ClassVar[str] = "predict"
    shared: Sequence[str] = (PREDICTIONS,)
    in_windows: ClassVar[bool] = True  # long RNAs

    def __init__(self, options: PredictOptions, inputs: Inputs, ahead: FoldAhead | None = None) -> None:
        import torch

        self.options = options
        if "parquet" in options.formats:
            self.shared = (*self.shared, TABLE)
        self.regions: dict[str, list[Entry]] = {}
        if options.regions:
            bad = [problem.record for problem in inputs.problems]
            self.regions = regions_of(options.regions, inputs.rnas, bad)
            self.shared = (*self.shared, REGIONS)
        self.weights = find_weights(options.weights)
        keep_memory(inputs.rnas, options, in_windows=self.in_windows)
        self.predictor = open_predictor(options, in_windows=self.in_windows)
        self.predictor.ahead = ahead
        self.threads = torch.get_num_threads()
        self.conditions = _conditions(self.predictor)
        if self.conditions:
            log.warning("%s", _about(options.conditions))
        self.writers = _writers(options)
        self.suffixes = (*self.writers, *(MAP_SUFFIXES if "npy" in options.formats else ()))
        self.columns = (
            *("id", "file", "length", "pairs", "pseudoknot_order", "confidence"),
            *("energy_share", "energy_kcal_mol", "mfe_kcal_mol", "f1_mfe"),
            *(_BASELINE if options.baseline else ()),
            *(_ELEMENTS if options.elements else ()),
            *(*self.conditions, "seconds", "status", "message"),
        )

    def identity(self) -> dict[str, Any]:
        """Weights, energies and options."""
        return identity_of(self.options, self.weights, self.predictor)

    def about(self) -> dict[str, Any]:
        """Decoding, restraints, device and threads."""
        about = {
            "decoding": dataclasses.asdict(self.predictor.decoding),
            "restraints": self.options.restraints,
            "regions": self.options.regions,
            "device": str(self.predictor.device),
            "threads": self.threads,
        }
        if self.conditions:
            about["conditions"] = _about(self.options.conditions)
        return about

    def more(self, rna: Rna) -> Any:
        """The regions of the record, if there are any."""
        own = [
            [one.start, one.end, one.name] if isinstance(one, Region) else str(one.error)
            for one in self.regions.get(rna.id, [])
        ]
        return {"regions": own} if own else None

    def refusal(self, rna: Rna) -> RnassError | None:
        """Of the record's regions, or the predictor's."""
        try:
            regions_in(rna, self.regions.get(rna.id, []))
        except InputError as error:
            return error
        return self.predictor.refusal(rna)

    def work(self, rnas: list[Rna]) -> Generator[tuple[int, Prediction | RnassError], None, None]:
        """Predict RNAs."""
        if windows := self.predictor.windows:
            if outlook := windows.outlook(rnas):
                log.info("%s", outlook)
            for exception in windows.exceptions(rnas, self.predictor.model.backbone):
                log.warning("%s", exception)
        for row in self.predictor.predict(rnas, parallel=True):
            yield row.number, row.outcome

    def write(self, folder: Path, name: str, rna: Rna, found: Prediction) -> Written:
        """Structures, map, figure; and the record's part of predictions.dbn."""
        shared, missing = {}, ""
        try:  # first: it may have too many levels
            shared[PREDICTIONS] = format_dot_bracket(rna, found.structure)
        except StructureError as error:
            if "dbn" in self.options.formats:
                raise
            missing = f"{rna.id}: not in {PREDICTIONS}: {error}"
        if TABLE in self.shared:
            shared[TABLE] = json.dumps(row_of(name, found))
        if own := regions_in(rna, self.regions.get(rna.id, [])):
            shared[REGIONS] = format_regions(name, found, own)
        writers = self.writers
        if found.sparse:
            writers = _of_sparse(writers, self.options)
            if lacking := sorted({*self.writers} - {*writers}):
                missing = f"{rna.id}: over {MAX_LENGTH} bases, without {', '.join(lacking)}"
        for suffix, write in writers.items():
            write(folder / f"{name}{suffix}", found)
        maps = found.maps if "npy" in self.options.formats else {}
        for suffix, values in maps.items():
            write_map(folder / f"{name}{suffix}", values)
        cells = _cells(found) | self.conditions
        if self.options.elements:
            cells |= _elements(rna, found.structure)
        return Written([f"{name}{suffix}" for suffix in (*writers, *maps)], cells, shared, missing)

    def join(self, name: str, parts: Sequence[str]) -> str:
        """The parts one after the other; of the regions, under their heading."""
        return (REGION_HEADING if name == REGIONS else "") + super().join(name, parts)

    def write_shared(self, path: Path, parts: Sequence[str]) -> None:
        """The table from the rows that the journal holds; other files as texts."""
        if path.name == TABLE:
            write_predictions(path, map(json.loads, parts))
        else:
            super().write_shared(path, parts)


_Writer = Callable[[Path, Prediction], None]


def _writers(options: PredictOptions) -> dict[str, _Writer]:
    """The writer of each file of a record, by suffix."""
    formats: dict[str, _Writer] = {
        **{name: partial(_write_text, text=text) for name, text in TEXTS.items()},
        "bpseq": lambda path, one: write_bpseq(path, one.rna, one.structure),
    }
    chosen = {f".{name}": formats[name] for name in options.formats if name in formats}
    if options.baseline:
        chosen[".vienna.dbn"] = lambda path, one: write_dot_bracket(
            path, [(one.rna, one.thermodynamics.mfe_structure)]
        )
    if options.plot:
        chosen[f".{options.plot}"] = partial(_plot, kind=options.plot_kind)
    if options.alternatives:
        chosen[".alternatives.dbn"] = lambda path, one: write_dot_bracket(
            path, _alternatives(one, options.alternatives)
        )
    return chosen


def _write_text(path: Path, prediction: Prediction, text: Callable[[str, Prediction], str]) -> None:
    write_text(path, text(path.stem, prediction))


def _of_sparse(writers: Mapping[str, _Writer], options: PredictOptions) -> dict[str, _Writer]:
    """Those of an RNA whose map is sparse: all but an MFE structure and suboptimal ones."""
    names = (*TEXTS, "bpseq", options.plot)
    return {suffix: write for suffix, write in writers.items() if suffix[1:] in names}


def _alternatives(prediction: Prediction, n: int) -> list[tuple[Rna, Structure]]:
    """Records of up to *n* structures, with their weights in the titles."""
    rna = prediction.rna
    header = rna.description or rna.id
    return [
        (
            dataclasses.replace(
                rna,
                description=f"{header} alternative={k} weight={one.weight:.3f} "
                f"expected_f1={one.expected_f1:.3f}",
            ),
            one.structure,
        )
        for k, one in enumerate(prediction.alternatives(n), start=1)
    ]


def _cells(prediction: Prediction) -> dict[str, Any]:
    """A line of the summary."""
    structure, folded = prediction.structure, prediction.thermodynamics
    cells: dict[str, Any] = {
        "pairs": len(structure.pairs),
        "pseudoknot_order": structure.pseudoknot_order,
        "confidence": prediction.confidence,
        "energy_share": prediction.energy_share,
        "energy_kcal_mol": prediction.energy,
        "seconds": prediction.seconds,
    }
    if prediction.windows > 1:
        cells["message"] = f"predicted in {prediction.windows} windows"
    if prediction.sparse:
        return cells
    cells["mfe_kcal_mol"] = folded.mfe
    cells["f1_mfe"] = score(folded.mfe_structure, structure).f1
    for name, other in (("mea", folded.mea), ("centroid", folded.centroid)):
        if other is not None:
            cells[f"{name}_kcal_mol"] = free_energy(prediction.rna.text, other, folded.conditions)
            cells[f"f1_{name}"] = score(other, structure).f1
    return cells


def _conditions(predictor: "Predictor") -> dict[str, Any]:
    """Cells of conditions other than the standard ones: which, and by which energy parameters."""
    given = predictor.conditions
    if given.standard:
        return {}
    return {
        "temperature_celsius": given.temperature,
        "salt_molar": given.salt,
        "energies": DEFAULT_PARAMETERS,
    }


def _about(conditions: Conditions) -> str:
    """The meaning of the results at other conditions than the standard ones."""
    return (
        f"{conditions}: energies by {DEFAULT_PARAMETERS}, whose change of log-odds from {STANDARD}, for "
        "which the network was trained, is added to the network's; the result is not calibrated"
    )


def _elements(rna: Rna, structure: Structure) -> dict[str, Any]:
    found = dataclasses.asdict(elements(structure, rna.nick))
    return {"elements": rna.mark(found.pop("string")), **found}


def _plot(path: Path, prediction: Prediction, kind: Kind) -> None:
    from rnass.figures import save_figure  # matplotlib takes half a second to load

    save_figure(prediction.draw(kind), path)
