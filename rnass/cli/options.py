"""What several commands share: their options, and what they do with them."""

import logging
import sys
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

__all__ = [
    "BackboneOfWeights",
    "Decoder",
    "DecoderOption",
    "DeviceName",
    "DeviceOption",
    "Family",
    "Inputs",
    "InputsOrNone",
    "MinHelix",
    "Noncanonical",
    "OneSequence",
    "OutFile",
    "Overwrite",
    "Plot",
    "Precision",
    "PrecisionOption",
    "Quiet",
    "ResultsFolder",
    "Resume",
    "Thermodynamics",
    "Threads",
    "Threshold",
    "UAs",
    "Weights",
    "decoding",
    "log_to_stderr",
    "require_input",
    "set_threads",
]


class Plot(str, Enum):
    """Formats of figures."""

    svg = "svg"
    png = "png"
    pdf = "pdf"


class Precision(str, Enum):
    """Number formats of matrix products and convolutions."""

    float32 = "float32"
    bfloat16 = "bfloat16"


class DeviceName(str, Enum):
    """Where the network runs."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"
    mps = "mps"


class Decoder(str, Enum):
    """How a probability map becomes a structure."""

    matching = "matching"
    threshknot = "threshknot"
    greedy = "greedy"
    nested = "nested"


Inputs = Annotated[list[str], typer.Argument(help="FASTA files, .gz too; - reads standard input.")]
InputsOrNone = Annotated[
    list[str] | None, typer.Argument(help="FASTA files, .gz too; - reads standard input.")
]
OneSequence = Annotated[str | None, typer.Option(help="One RNA as text, instead of or beside files.")]
ResultsFolder = Annotated[Path, typer.Option("--out", "-o", help="Folder for the results.")]
OutFile = Annotated[Path | None, typer.Option("--out", "-o", help="File; default: the terminal.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the results in --out.")]
Resume = Annotated[bool, typer.Option("--resume", help="Do only what is missing in --out.")]
Weights = Annotated[
    str | None, typer.Option(help="Name or file of the weights; default: those shipped.")
]
BackboneOfWeights = Annotated[
    str | None,
    typer.Option(help="Path or name of the RNA language model, where the weights do not hold it."),
]
Family = Annotated[
    str | None,
    typer.Option(
        help="Kind of language model: rna-fm, mrna-fm, rnabert, aido-rna or plantrna-fm; default: "
        "recognised from its files."
    ),
]
UAs = Annotated[
    str | None,
    typer.Option(
        "--u-as", help="T or U: the token that a U is read as; default: recognised from its files."
    ),
]
Thermodynamics = Annotated[
    bool, typer.Option(help="Show the network ViennaRNA's base-pair probabilities, or do not.")
]
DecoderOption = Annotated[
    Decoder | None,
    typer.Option(
        help="How probabilities become pairs: matching is exact, with pseudoknots, nested exact without; "
        "default: as chosen with the weights."
    ),
]
Threshold = Annotated[
    str,
    typer.Option(
        help="Pairing probability above which a pair counts, between 0 and 1; auto: as chosen with the "
        "weights."
    ),
]
MinHelix = Annotated[
    int | None,
    typer.Option(help="Fewest stacked pairs of a helix; default: as chosen with the weights.", min=1),
]
Noncanonical = Annotated[
    bool | None, typer.Option(help="Allow pairs other than A-U, G-C and G-U, or do not.")
]
DeviceOption = Annotated[
    DeviceName,
    typer.Option(
        help="Where the network runs; auto: on a CUDA GPU if there is one, else on the processor."
    ),
]
PrecisionOption = Annotated[
    Precision, typer.Option(help="Arithmetic of the network; bfloat16 is coarser, and faster on a GPU.")
]
Threads = Annotated[
    int, typer.Option(help="Processor threads; 0: all cores. Fewer take less memory.", min=0)
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Errors only.")]


def log_to_stderr(*, quiet: bool) -> None:
    """Send messages to standard error: what is done and warnings, or errors only."""
    logging.basicConfig(
        level=logging.WARNING, format="rnass: %(message)s", stream=sys.stderr, force=True
    )
    # of other packages only warnings are of interest
    logging.getLogger("rnass").setLevel(logging.ERROR if quiet else logging.INFO)


def set_threads(threads: int) -> None:
    """Let the network use so many processor threads; 0: as many as it would."""
    import torch

    if threads:
        torch.set_num_threads(threads)


def require_input(inputs: list[str] | None, sequence: str | None) -> None:
    """Refuse a command line that names no RNA."""
    if not inputs and sequence is None:
        raise typer.BadParameter("no input: name FASTA files, - for standard input, or --sequence")


def decoding(
    decoder: Decoder | None, threshold: str, noncanonical: bool | None, **limits: int | None
) -> dict[str, Any]:
    """The decoding settings that the user gave, to put over those chosen with the weights."""
    given: dict[str, Any] = {} if decoder is None else {"decoder": decoder.value}
    if threshold != "auto":
        try:
            given["threshold"] = float(threshold)
        except ValueError:
            raise typer.BadParameter(f"threshold {threshold!r}; expected auto or a number") from None
        if not 0 < given["threshold"] < 1:
            raise typer.BadParameter(f"threshold {threshold}; expected a number between 0 and 1")
    given |= {name: limit for name, limit in limits.items() if limit is not None}
    if noncanonical is not None:
        given["canonical"] = not noncanonical
    return given
