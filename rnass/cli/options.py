"""The options that several commands share, each once, and what they do with them."""

import logging
import os
import sys
from collections.abc import Callable
from functools import partial, wraps
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Any, Literal, TextIO, TypeVar

import typer

from rnass.errors import visible

__all__ = [
    "BackboneOfWeights",
    "BackboneOption",
    "Commands",
    "ConstraintFile",
    "Decoder",
    "Device",
    "Dms",
    "Family",
    "Inputs",
    "MaxOrder",
    "MaxSpan",
    "MinHelix",
    "Mix",
    "NoPseudoknots",
    "Noncanonical",
    "NormalizeReactivities",
    "OutFile",
    "Overwrite",
    "Plot",
    "Precision",
    "ReactivityModifier",
    "Report",
    "ResultsFolder",
    "Resume",
    "Sequence",
    "ShapeFile",
    "ShapeMethodOption",
    "Strict",
    "Thermodynamics",
    "Threads",
    "Threshold",
    "UAs",
    "Weights",
    "in_decoding",
    "in_input",
    "in_model",
    "in_output",
    "in_restraints",
    "in_run",
    "log_to_stderr",
    "paths_of",
    "set_threads",
    "take_decoding",
]

F = TypeVar("F", bound=Callable[..., Any])

# the panels of a command's help
_PANELS = ("Input", "Output", "Model", "Decoding", "Restraints and probing", "Run")
in_input, in_output, in_model, in_decoding, in_restraints, in_run = (
    partial(typer.Option, rich_help_panel=panel) for panel in _PANELS
)


def _at_most_all_cores(threads: int) -> int:
    return min(threads, os.cpu_count() or 1)


Inputs = Annotated[
    list[str] | None,
    typer.Argument(help="FASTA files, .gz too; - reads standard input.", show_default=False),
]
Sequence = Annotated[
    str | None, in_input("--sequence", help="One RNA as text, instead of or beside files.")
]
ResultsFolder = Annotated[Path, in_output("--out", "-o", help="Folder for the results.")]
OutFile = Annotated[Path | None, in_output("--out", "-o", help="File; default: the terminal.")]
Plot = Annotated[
    Literal["svg", "png", "pdf", "none"],
    in_output("--plot", help="Draw a figure of each record, in this format."),
]
Report = Annotated[bool, in_output("--report", help="Also report.html: tables and figures in one page.")]
Strict = Annotated[bool, in_run("--strict", help="Do nothing if any record is bad.")]
Overwrite = Annotated[bool, in_run("--overwrite", help="Replace what rnass wrote into --out before.")]
Resume = Annotated[bool, in_run("--resume", help="Do only what is missing in --out.")]
Weights = Annotated[
    str | None, in_model("--weights", help="Name or file of the weights; default: those shipped.")
]
BackboneOfWeights = Annotated[
    str | None,
    in_model(
        "--backbone", help="Path or name of the RNA language model, where the weights do not hold it."
    ),
]
BackboneOption = Annotated[
    str | None,
    in_model(
        "--backbone",
        help="RNA language model: a path, or a name of rnass backbones; default: rnass's own.",
    ),
]
Family = Annotated[
    str | None,
    in_model(
        "--family",
        help="Kind of language model: rna-fm, mrna-fm, rnabert, aido-rna or plantrna-fm; default: "
        "recognised from its files.",
    ),
]
UAs = Annotated[
    str | None,
    in_model(
        "--u-as", help="T or U: the token that a U is read as; default: recognised from its files."
    ),
]
Thermodynamics = Annotated[
    bool, in_model(help="Give the network ViennaRNA's base-pair probabilities, or do not.")
]
Device = Annotated[
    Literal["auto", "cpu", "cuda", "mps"],
    in_model(
        "--device",
        help="Where the network runs; auto: on a CUDA GPU if there is one, else on the processor.",
    ),
]
Precision = Annotated[
    Literal["float32", "bfloat16"],
    in_model("--precision", help="Arithmetic of the network; bfloat16 is coarser, and faster on a GPU."),
]
Decoder = Annotated[
    Literal["matching", "threshknot", "greedy"] | None,
    in_decoding(
        "--decoder",
        help="How probabilities become pairs; matching is exact; default: as chosen with the weights.",
    ),
]
Threshold = Annotated[
    str,
    in_decoding(
        "--threshold",
        help="Pairing probability above which a pair counts, between 0 and 1; auto: as chosen with the "
        "weights.",
    ),
]
MinHelix = Annotated[
    int | None,
    in_decoding(
        "--min-helix",
        help="Fewest stacked pairs of a helix; default: as chosen with the weights.",
        min=1,
    ),
]
MaxOrder = Annotated[
    int | None,
    in_decoding(
        "--max-order",
        help="Highest pseudoknot order, 1 for simple pseudoknots; default: no bound.",
        min=1,
    ),
]
MaxSpan = Annotated[
    int | None,
    in_decoding(
        "--max-span", help="Most bases that a pair spans, both ends counted; default: no bound.", min=1
    ),
]
NoPseudoknots = Annotated[bool, in_decoding("--no-pseudoknots", help="The best structure without any.")]
Noncanonical = Annotated[
    bool | None, in_decoding(help="Allow pairs other than A-U, G-C and G-U, or do not.")
]
Mix = Annotated[
    float,
    in_decoding(
        "--mix",
        help="Weight of ViennaRNA's log-odds in the map that is decoded: 0 is the network alone, 1 "
        "ViennaRNA alone.",
        min=0,
        max=1,
    ),
]
ConstraintFile = Annotated[
    str | None,
    in_restraints(
        "--constraints",
        help="File or folder of bases that must or must not pair: ViennaRNA's lines of . x | < > ( ), "
        "or RNAstructure's CON.",
    ),
]
ShapeFile = Annotated[
    str | None,
    in_restraints(
        "--shape",
        help="File or folder of normalised SHAPE or DMS reactivities: .shape, .dat, .map or .rdat.",
    ),
]
NormalizeReactivities = Annotated[
    bool,
    in_restraints(
        "--normalize-reactivities",
        help="Normalise the reactivities of each RNA first, by the 2-8 % rule.",
    ),
]
Dms = Annotated[bool, in_restraints("--dms", help="The same as --modifier DMS: only A and C report.")]
ReactivityModifier = Annotated[
    Literal["1M7", "2A3", "DMS"] | None,
    in_restraints("--modifier", help="Reagent of the reactivities; default: 1M7."),
]
ShapeMethodOption = Annotated[
    Literal["deigan", "likelihood"],
    in_restraints(
        "--shape-method",
        help="Pseudo-energies by Deigan's formula, or by how likely a reactivity is of paired and of "
        "unpaired bases.",
    ),
]
Threads = Annotated[
    int,
    in_run(
        "--threads",
        help="Processor threads; 0: all cores, which are also the most. Fewer take less memory.",
        min=0,
        callback=_at_most_all_cores,
    ),
]


Quiet = Annotated[bool, in_run("--quiet", "-q", help="Errors only.")]
Verbose = Annotated[bool, in_run("--verbose", help="Details too, and where an error comes from.")]


class Commands(typer.Typer):
    """Commands that also take --quiet and --verbose, for their log."""

    def command(self, name: str | None = None, **settings: Any) -> Callable[[F], F]:
        """As Typer's."""

        def register(function: F) -> F:
            @wraps(function)
            def run(*, quiet: bool, verbose: bool, **given: Any) -> Any:
                log_to_stderr(quiet=quiet, verbose=verbose)
                return function(**given)

            flags = {"quiet": Quiet, "verbose": Verbose}
            own = signature(function)
            added = [
                Parameter(flag, Parameter.POSITIONAL_OR_KEYWORD, default=False, annotation=kind)
                for flag, kind in flags.items()
            ]
            run.__annotations__ = {**function.__annotations__, **flags}
            run.__signature__ = own.replace(  # type: ignore[attr-defined]  # what inspect looks for
                parameters=[*own.parameters.values(), *added]
            )
            super(Commands, self).command(name, **settings)(run)
            return function

        return register


class _Visible(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return visible(super().format(record))


class _StandardError(logging.StreamHandler[TextIO]):
    """Writes to what standard error is at the moment: a progress bar stands in for it, and steps aside."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)  # the other one's would keep today's

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr


def log_to_stderr(*, quiet: bool, verbose: bool = False) -> None:
    """Send messages to standard error: information and warnings, errors only, or details too."""
    handler = _StandardError()
    handler.setFormatter(_Visible("rnass: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    # of other packages only warnings are of interest
    level = logging.ERROR if quiet else logging.DEBUG if verbose else logging.INFO
    logging.getLogger("rnass").setLevel(level)


def set_threads(threads: int) -> None:
    """Let the network use so many processor threads; 0: as many as it would."""
    import torch

    if threads:
        torch.set_num_threads(threads)


def paths_of(inputs: list[str] | None, sequence: str | None) -> list[str]:
    """The files of a command line; one that names no RNA is refused."""
    if not inputs and sequence is None:
        raise typer.BadParameter("no input: name FASTA files, - for standard input, or --sequence")
    return inputs or []


def take_decoding(given: dict[str, Any]) -> dict[str, Any]:
    """Take the options of decoding out of those given: the settings to put over those of the weights."""
    settings = {
        name: value
        for name in ("decoder", "min_helix", "max_order", "max_span")
        if (value := given.pop(name, None)) is not None
    }
    threshold = given.pop("threshold")
    if threshold != "auto":
        try:
            settings["threshold"] = float(threshold)
        except ValueError:
            raise typer.BadParameter(f"threshold {threshold!r}; expected auto or a number") from None
        if not 0 < settings["threshold"] < 1:
            raise typer.BadParameter(f"threshold {threshold}; expected a number between 0 and 1")
    if (noncanonical := given.pop("noncanonical")) is not None:
        settings["canonical"] = not noncanonical
    if given.pop("no_pseudoknots", False):
        settings["max_order"] = 0  # of the matching, the best nested structure
    if given.pop("exact", False):
        settings["exact"] = True
    return settings
