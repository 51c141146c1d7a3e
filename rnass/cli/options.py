"""The options that several commands share, each once, and what they do with them."""

import logging
import os
import sys
from collections.abc import Callable
from functools import wraps
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import typer

from rnass.errors import visible

__all__ = [
    "DECODING",
    "INPUT",
    "MODEL",
    "OUTPUT",
    "RESTRAINTS",
    "RUN",
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
    "log_to_stderr",
    "paths_of",
    "set_threads",
    "take_decoding",
]

F = TypeVar("F", bound=Callable[..., Any])

# the panels of a command's help
INPUT, OUTPUT, MODEL, DECODING = "Input", "Output", "Model", "Decoding"
RESTRAINTS, RUN = "Restraints and probing", "Run"


def _at_most_all_cores(threads: int) -> int:
    return min(threads, os.cpu_count() or 1)


Inputs = Annotated[
    list[str] | None,
    typer.Argument(help="FASTA files, .gz too; - reads standard input.", show_default=False),
]
Sequence = Annotated[
    str | None,
    typer.Option(
        "--sequence", help="One RNA as text, instead of or beside files.", rich_help_panel=INPUT
    ),
]
ResultsFolder = Annotated[
    Path, typer.Option("--out", "-o", help="Folder for the results.", rich_help_panel=OUTPUT)
]
OutFile = Annotated[
    Path | None,
    typer.Option("--out", "-o", help="File; default: the terminal.", rich_help_panel=OUTPUT),
]
Plot = Annotated[
    Literal["svg", "png", "pdf", "none"],
    typer.Option("--plot", help="Draw a figure of each record, in this format.", rich_help_panel=OUTPUT),
]
Strict = Annotated[
    bool, typer.Option("--strict", help="Do nothing if any record is bad.", rich_help_panel=RUN)
]
Overwrite = Annotated[
    bool,
    typer.Option("--overwrite", help="Replace what rnass wrote into --out before.", rich_help_panel=RUN),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Do only what is missing in --out.", rich_help_panel=RUN)
]
Weights = Annotated[
    str | None,
    typer.Option(
        "--weights", help="Name or file of the weights; default: those shipped.", rich_help_panel=MODEL
    ),
]
BackboneOfWeights = Annotated[
    str | None,
    typer.Option(
        "--backbone",
        help="Path or name of the RNA language model, where the weights do not hold it.",
        rich_help_panel=MODEL,
    ),
]
BackboneOption = Annotated[
    str | None,
    typer.Option(
        "--backbone",
        help="RNA language model: a path, or a name of rnass backbones; default: rnass's own.",
        rich_help_panel=MODEL,
    ),
]
Family = Annotated[
    str | None,
    typer.Option(
        "--family",
        help="Kind of language model: rna-fm, mrna-fm, rnabert, aido-rna or plantrna-fm; default: "
        "recognised from its files.",
        rich_help_panel=MODEL,
    ),
]
UAs = Annotated[
    str | None,
    typer.Option(
        "--u-as",
        help="T or U: the token that a U is read as; default: recognised from its files.",
        rich_help_panel=MODEL,
    ),
]
Thermodynamics = Annotated[
    bool,
    typer.Option(
        help="Give the network ViennaRNA's base-pair probabilities, or do not.", rich_help_panel=MODEL
    ),
]
Device = Annotated[
    Literal["auto", "cpu", "cuda", "mps"],
    typer.Option(
        "--device",
        help="Where the network runs; auto: on a CUDA GPU if there is one, else on the processor.",
        rich_help_panel=MODEL,
    ),
]
Precision = Annotated[
    Literal["float32", "bfloat16"],
    typer.Option(
        "--precision",
        help="Arithmetic of the network; bfloat16 is coarser, and faster on a GPU.",
        rich_help_panel=MODEL,
    ),
]
Decoder = Annotated[
    Literal["matching", "threshknot", "greedy"] | None,
    typer.Option(
        "--decoder",
        help="How probabilities become pairs; matching is exact; default: as chosen with the weights.",
        rich_help_panel=DECODING,
    ),
]
Threshold = Annotated[
    str,
    typer.Option(
        "--threshold",
        help="Pairing probability above which a pair counts, between 0 and 1; auto: as chosen with the "
        "weights.",
        rich_help_panel=DECODING,
    ),
]
MinHelix = Annotated[
    int | None,
    typer.Option(
        "--min-helix",
        help="Fewest stacked pairs of a helix; default: as chosen with the weights.",
        min=1,
        rich_help_panel=DECODING,
    ),
]
MaxOrder = Annotated[
    int | None,
    typer.Option(
        "--max-order",
        help="Highest pseudoknot order, 1 for simple pseudoknots; default: no bound.",
        min=1,
        rich_help_panel=DECODING,
    ),
]
MaxSpan = Annotated[
    int | None,
    typer.Option(
        "--max-span",
        help="Most bases that a pair spans, both ends counted; default: no bound.",
        min=1,
        rich_help_panel=DECODING,
    ),
]
NoPseudoknots = Annotated[
    bool,
    typer.Option("--no-pseudoknots", help="The best structure without any.", rich_help_panel=DECODING),
]
Noncanonical = Annotated[
    bool | None,
    typer.Option(help="Allow pairs other than A-U, G-C and G-U, or do not.", rich_help_panel=DECODING),
]
Mix = Annotated[
    float,
    typer.Option(
        "--mix",
        help="Weight of ViennaRNA's log-odds in the map that is decoded: 0 is the network alone, 1 "
        "ViennaRNA alone.",
        min=0,
        max=1,
        rich_help_panel=DECODING,
    ),
]
ConstraintFile = Annotated[
    str | None,
    typer.Option(
        "--constraints",
        help="File or folder of bases that must or must not pair: ViennaRNA's lines of . x | < > ( ), "
        "or RNAstructure's CON.",
        rich_help_panel=RESTRAINTS,
    ),
]
ShapeFile = Annotated[
    str | None,
    typer.Option(
        "--shape",
        help="File or folder of normalised SHAPE or DMS reactivities: .shape, .dat, .map or .rdat.",
        rich_help_panel=RESTRAINTS,
    ),
]
NormalizeReactivities = Annotated[
    bool,
    typer.Option(
        "--normalize-reactivities",
        help="Normalise the reactivities of each RNA first, by the 2-8 % rule.",
        rich_help_panel=RESTRAINTS,
    ),
]
Dms = Annotated[
    bool,
    typer.Option(
        "--dms",
        help="The same as --modifier DMS: only A and C report.",
        rich_help_panel=RESTRAINTS,
    ),
]
ReactivityModifier = Annotated[
    Literal["1M7", "2A3", "DMS"] | None,
    typer.Option(
        "--modifier", help="Reagent of the reactivities; default: 1M7.", rich_help_panel=RESTRAINTS
    ),
]
ShapeMethodOption = Annotated[
    Literal["deigan", "likelihood"] | None,
    typer.Option(
        "--shape-method",
        help="Pseudo-energies by Deigan's formula, or by how likely a reactivity is of paired and of "
        "unpaired bases; default: the better one of the modifier.",
        rich_help_panel=RESTRAINTS,
    ),
]
Threads = Annotated[
    int,
    typer.Option(
        "--threads",
        help="Processor threads; 0: all cores, which are also the most. Fewer take less memory.",
        min=0,
        callback=_at_most_all_cores,
        rich_help_panel=RUN,
    ),
]


Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Errors only.", rich_help_panel=RUN)]
Verbose = Annotated[
    bool,
    typer.Option("--verbose", help="Details too, and where an error comes from.", rich_help_panel=RUN),
]


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


def log_to_stderr(*, quiet: bool, verbose: bool = False) -> None:
    """Send messages to standard error: information and warnings, errors only, or details too."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, force=True)
    for handler in logging.getLogger().handlers:
        handler.setFormatter(_Visible("rnass: %(message)s"))
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
