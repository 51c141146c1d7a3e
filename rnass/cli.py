"""The command line: parse, call one function, format errors."""

import logging
import sys
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

import rnass
from rnass.errors import RnassError

__all__ = ["app", "main"]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Predict RNA secondary structure, pseudoknots included, from a language model and ViennaRNA.",
    epilog="Start with: rnass predict seqs.fa --out results/",
)


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


Weights = Annotated[
    str | None, typer.Option(help="Name or file of the weights; default: those shipped.")
]
DeviceOption = Annotated[DeviceName, typer.Option(help="Where the network runs.")]
Threads = Annotated[int, typer.Option(help="Processor threads; 0: all cores.", min=0)]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Errors only.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say more.")]


def main() -> None:
    """Run a command; an expected error is one line on standard error and exit status 2."""
    try:
        app()
    except RnassError as error:
        sys.stderr.write(f"rnass: {error}\n")
        sys.exit(2)


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
) -> None:
    """What holds for every command."""
    if version:
        typer.echo(f"rnass {rnass.__version__}")
        raise typer.Exit


@app.command(epilog="Example: rnass predict seqs.fa more.fa.gz --out results/ --plot svg")
def predict(
    inputs: Annotated[
        list[str] | None, typer.Argument(help="FASTA files, .gz too; - reads standard input.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the results.")] = Path("results"),
    sequence: Annotated[
        str | None, typer.Option(help="One RNA as text, instead of or beside files.")
    ] = None,
    format_: Annotated[
        str, typer.Option("--format", help="Files per record, of ct,dbn,bpseq,npy.")
    ] = "ct,dbn,bpseq,npy",
    plot: Annotated[Plot | None, typer.Option(help="Draw an arc diagram per record.")] = None,
    baseline: Annotated[
        bool, typer.Option(help="Also ViennaRNA's MFE file; MEA and centroid in the summary.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Predict nothing if any record is bad.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the results in --out.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Do only what is missing in --out.")] = False,
    weights: Weights = None,
    thermodynamics: Annotated[
        bool, typer.Option(help="Give the network ViennaRNA's base-pair probabilities.")
    ] = True,
    decoder: Annotated[
        Decoder | None, typer.Option(help="How the probability map becomes pairs.")
    ] = None,
    threshold: Annotated[
        str, typer.Option(help="Pairing probability that counts as paired, 0..1.")
    ] = "auto",
    min_helix: Annotated[
        int | None, typer.Option(help="Fewest stacked pairs of a helix.", min=1)
    ] = None,
    max_order: Annotated[int | None, typer.Option(help="Highest pseudoknot order.", min=0)] = None,
    max_span: Annotated[
        int | None, typer.Option(help="Most bases from one partner to the other.", min=1)
    ] = None,
    noncanonical: Annotated[
        bool | None, typer.Option(help="Allow pairs other than A-U, G-C, G-U.")
    ] = None,
    pseudoknots: Annotated[
        bool, typer.Option(help="--no-pseudoknots: the best nested structure.")
    ] = True,
    device: DeviceOption = DeviceName.auto,
    precision: Annotated[
        Precision, typer.Option(help="Of products and convolutions.")
    ] = Precision.float32,
    threads: Threads = 0,
    seed: Annotated[
        int, typer.Option(help="Recorded in run.json; a prediction draws nothing at random.")
    ] = 0,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Predict the structure of every RNA in some FASTA files.

    Writes .ct, .dbn, .bpseq and .npy per record, and predictions.dbn, summary.tsv and run.json.
    Exit status: 0 all well, 1 some records bad or failed, 2 nothing done, 130 interrupted.
    """
    _log_to_stderr(quiet=quiet, verbose=verbose)
    if not inputs and sequence is None:
        raise typer.BadParameter("no input: name FASTA files, - for standard input, or --sequence")
    from rnass.job import JobOptions, predict_files

    decoding = _decoding(decoder if pseudoknots else Decoder.nested, threshold)
    chosen = {"min_helix": min_helix, "max_order": max_order, "max_span": max_span}
    decoding |= {key: value for key, value in chosen.items() if value is not None}
    if noncanonical is not None:
        decoding["canonical"] = not noncanonical
    options = JobOptions(
        formats=_formats(format_),
        plot=plot.value if plot else None,
        baseline=baseline,
        strict=strict,
        overwrite=overwrite,
        resume=resume,
        weights=weights,
        device=device.value,
        precision=precision.value,
        thermodynamics=thermodynamics,
        decoding=decoding,
        threads=threads,
        seed=seed,
        quiet=quiet,
    )
    raise typer.Exit(predict_files(inputs or [], out, options, sequence=sequence))


@app.command()
def info(weights: Weights = None, device: DeviceOption = DeviceName.auto) -> None:
    """Print versions, the device, and the weights with their checksum."""
    from rnass.job import versions
    from rnass.predict import choose_device
    from rnass.weights import find_weights, manifest_entry, sha256

    for name, version in versions().items():
        typer.echo(f"{name:12} {version}")
    typer.echo(f"{'device':12} {choose_device(device.value)}")
    path = find_weights(weights)
    checksum = sha256(path)
    expected = manifest_entry(path).get("sha256")
    verdict = (
        "not in a manifest"
        if expected is None
        else ("as in the manifest" if expected == checksum else "ALTERED")
    )
    typer.echo(f"{'weights':12} {path}")
    typer.echo(f"{'sha256':12} {checksum} ({verdict})")


@app.command()
def pretrain(
    config: Annotated[Path, typer.Argument(help="TOML file; see configs/.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder of the run; an earlier one there goes on.")
    ],
    device: DeviceOption = DeviceName.auto,
    threads: Threads = 0,
) -> None:
    """Pre-train a backbone: masked language modelling and structure annotation."""
    from rnass.config import PretrainConfig, read_toml
    from rnass.pretrain import pretrain as run

    settings = read_toml(PretrainConfig, config)
    typer.echo(run(settings, out, _training_device(device, threads)))


@app.command()
def train(
    config: Annotated[Path, typer.Argument(help="TOML file; see configs/.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder of the run; an earlier one there goes on.")
    ],
    device: DeviceOption = DeviceName.auto,
    threads: Threads = 0,
    processes: Annotated[
        int, typer.Option(help="Processes that fold the data by ViennaRNA.", min=0)
    ] = 0,
) -> None:
    """Train a contact head on a backbone, calibrate it and choose its threshold."""
    from rnass.config import TrainConfig, read_toml
    from rnass.train import train as run

    settings = read_toml(TrainConfig, config)
    typer.echo(run(settings, out, _training_device(device, threads), processes))


def _training_device(device: DeviceName, threads: int) -> Any:
    """The device, with memory and threads set for a long run."""
    import torch

    from rnass.allocator import keep_freed_memory
    from rnass.predict import choose_device

    keep_freed_memory()
    if threads:
        torch.set_num_threads(threads)
    return choose_device(device.value)


def _formats(text: str) -> tuple[str, ...]:
    from rnass.io import FORMATS

    formats = tuple(part.strip() for part in text.split(",") if part.strip())
    for part in formats:
        if part not in FORMATS:
            raise typer.BadParameter(f"format {part!r}; expected some of {','.join(FORMATS)}")
    return formats


def _decoding(decoder: Decoder | None, threshold: str) -> dict[str, Any]:
    """The decoding settings that the user gave, to put over those chosen with the weights."""
    given: dict[str, Any] = {} if decoder is None else {"decoder": decoder.value}
    if threshold != "auto":
        try:
            given["threshold"] = float(threshold)
        except ValueError:
            raise typer.BadParameter(f"threshold {threshold!r}; expected auto or a number") from None
        if not 0 < given["threshold"] < 1:
            raise typer.BadParameter(f"threshold {threshold}; expected a number between 0 and 1")
    return given


def _log_to_stderr(*, quiet: bool, verbose: bool) -> None:
    level = logging.ERROR if quiet else logging.DEBUG if verbose else logging.INFO
    logging.basicConfig(level=level, format="rnass: %(message)s", stream=sys.stderr, force=True)
