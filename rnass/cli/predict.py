"""`rnass predict` and `rnass info`."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from rnass.cli.options import (
    BackboneOfWeights,
    Decoder,
    DecoderOption,
    DeviceName,
    DeviceOption,
    Family,
    InputsOrNone,
    MinHelix,
    Noncanonical,
    OneSequence,
    Overwrite,
    Plot,
    Precision,
    PrecisionOption,
    Quiet,
    ResultsFolder,
    Resume,
    Thermodynamics,
    Threads,
    Threshold,
    UAs,
    Weights,
    decoding,
    log_to_stderr,
    require_input,
)

__all__ = ["info", "predict"]


class ShapeMethodName(str, Enum):
    """How reactivities become log-odds."""

    deigan = "deigan"
    likelihood = "likelihood"


def predict(
    inputs: InputsOrNone = None,
    out: ResultsFolder = Path("results"),
    sequence: OneSequence = None,
    format_: Annotated[
        str, typer.Option("--format", help="Files per record, some of these.")
    ] = "ct,dbn,bpseq,npy",
    plot: Annotated[
        Plot | None, typer.Option(help="Draw an arc diagram of each record, in this format.")
    ] = None,
    baseline: Annotated[
        bool,
        typer.Option(
            help="Also ViennaRNA's MFE structure as a file, and its MEA and centroid in summary.tsv."
        ),
    ] = False,
    elements: Annotated[
        bool, typer.Option("--elements", help="Count stems, hairpins, bulges, ... in summary.tsv.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Predict nothing if any record is bad.")
    ] = False,
    overwrite: Overwrite = False,
    resume: Resume = False,
    weights: Weights = None,
    backbone: BackboneOfWeights = None,
    thermodynamics: Thermodynamics = True,
    decoder: DecoderOption = None,
    threshold: Threshold = "auto",
    min_helix: MinHelix = None,
    max_order: Annotated[
        int | None,
        typer.Option(
            help="Highest pseudoknot order: 0 for none, 1 for simple pseudoknots; default: no bound.",
            min=0,
        ),
    ] = None,
    max_span: Annotated[
        int | None,
        typer.Option(help="Most bases that a pair spans, both ends counted; default: no bound.", min=1),
    ] = None,
    noncanonical: Noncanonical = None,
    pseudoknots: Annotated[
        bool, typer.Option(help="--no-pseudoknots: the best structure without any.")
    ] = True,
    exact: Annotated[
        bool,
        typer.Option(
            "--exact",
            help="Find the best structure under --min-helix and --max-order, instead of removing what "
            "exceeds them.",
        ),
    ] = False,
    constraints: Annotated[
        str | None,
        typer.Option(
            help="File or folder of bases that must or must not pair: ViennaRNA's lines of . x | < > ( ), "
            "or RNAstructure's CON."
        ),
    ] = None,
    shape: Annotated[
        str | None,
        typer.Option(help="File or folder of SHAPE or DMS reactivities: .shape, .dat or .rdat."),
    ] = None,
    dms: Annotated[
        bool, typer.Option("--dms", help="The reactivities are to DMS: only those of A and C count.")
    ] = False,
    shape_method: Annotated[
        ShapeMethodName,
        typer.Option(
            help="How reactivities count: by Deigan's pseudo-energies, or by how likely they are of paired "
            "and of unpaired bases."
        ),
    ] = ShapeMethodName.deigan,
    mix: Annotated[
        float,
        typer.Option(
            help="Weight of ViennaRNA's log-odds in the map that is decoded: 0 is the network alone, 1 "
            "ViennaRNA alone.",
            min=0,
            max=1,
        ),
    ] = 0.0,
    alternatives: Annotated[
        int,
        typer.Option(
            help="Also a file of up to so many distinct structures, the predicted one first, with their "
            "weights; 0: no such file.",
            min=0,
        ),
    ] = 0,
    device: DeviceOption = DeviceName.auto,
    precision: PrecisionOption = Precision.float32,
    threads: Threads = 0,
    seed: Annotated[
        int, typer.Option(help="Recorded in run.json; a prediction draws nothing at random.")
    ] = 0,
    quiet: Quiet = False,
) -> None:
    """Predict the structure of every RNA in some FASTA files.

    Writes .ct, .dbn, .bpseq and .npy per record, and predictions.dbn, summary.tsv and run.json.
    Exit status: 0 all well, 1 some records bad or failed, 2 stopped by an error, 130 interrupted.
    """
    log_to_stderr(quiet=quiet)
    require_input(inputs, sequence)
    if not pseudoknots and decoder not in (None, Decoder.nested):
        raise typer.BadParameter(
            f"--no-pseudoknots with --decoder {decoder.value}; expected one of them"
        )
    from rnass.jobs.predict import JobOptions, predict_files

    settings = decoding(
        decoder if pseudoknots else Decoder.nested,
        threshold,
        noncanonical,
        min_helix=min_helix,
        max_order=max_order,
        max_span=max_span,
    )
    if exact:
        settings["exact"] = True
    options = JobOptions(
        formats=_formats(format_),
        plot=plot.value if plot else None,
        baseline=baseline,
        elements=elements,
        strict=strict,
        overwrite=overwrite,
        resume=resume,
        weights=weights,
        backbone=backbone,
        device=device.value,
        precision=precision.value,
        thermodynamics=thermodynamics,
        decoding=settings,
        threads=threads,
        seed=seed,
        quiet=quiet,
        constraints=constraints,
        shape=shape,
        dms=dms,
        shape_method=shape_method.value,
        mix=mix,
        alternatives=alternatives,
    )
    raise typer.Exit(predict_files(inputs or [], out, options, sequence=sequence))


def info(
    weights: Weights = None,
    backbone: Annotated[
        str | None,
        typer.Option(help="RNA language model to tell of: a path, or a name of rnass backbones."),
    ] = None,
    family: Family = None,
    u_as: UAs = None,
    device: DeviceOption = DeviceName.auto,
) -> None:
    """Print versions, the device and the weights with their checksum; with --backbone also what that is."""
    from rnass.files import sha256
    from rnass.jobs.predict import versions
    from rnass.manifest import verdict
    from rnass.network.backbones import describe, open_backbone
    from rnass.network.device import choose_device
    from rnass.network.weights import find_weights
    from rnass.thermodynamics.parameter_sets import OWN_ENERGIES

    for name, version in versions().items():
        typer.echo(f"{name:12} {version}")
    typer.echo(f"{'device':12} {choose_device(device.value)}")
    for name, path in (("weights", find_weights(weights)), ("energies", OWN_ENERGIES)):
        typer.echo(f"{name:12} {path}")
        state = f"{sha256(path)} ({verdict(path)})" if path.is_file() else "MISSING"
        typer.echo(f"{'sha256':12} {state}")
    if backbone is not None:
        for name, value in describe(open_backbone(backbone, family, u_as)).items():
            typer.echo(f"{name:12} {value}")


def _formats(text: str) -> tuple[str, ...]:
    """Read the formats of --format."""
    from rnass.jobs.results import FORMATS

    formats = tuple(part.strip() for part in text.split(",") if part.strip())
    for part in formats:
        if part not in FORMATS:
            raise typer.BadParameter(f"format {part!r}; expected some of {','.join(FORMATS)}")
    return formats
