"""`rnass evaluate` and `rnass compare`."""

from pathlib import Path
from typing import Annotated

import typer

from rnass.cli.options import (
    BackboneOfWeights,
    Decoder,
    DecoderOption,
    DeviceName,
    DeviceOption,
    Inputs,
    MinHelix,
    Noncanonical,
    Plot,
    Precision,
    PrecisionOption,
    Quiet,
    Thermodynamics,
    Threads,
    Threshold,
    Weights,
    decoding,
    log_to_stderr,
)

__all__ = ["compare", "evaluate"]

Predictions = Annotated[
    list[str] | None,
    typer.Option(
        "--predictions", help="NAME=PATH: structures by another program, a file or folder; repeatable."
    ),
]
Also = Annotated[
    list[Decoder] | None,
    typer.Option("--also", help="Another decoder of rnass's map, as a method of its own; repeatable."),
]
OverwriteRun = Annotated[
    bool, typer.Option("--overwrite", help="Replace an earlier run's files in --out.")
]


def evaluate(
    data: Annotated[
        list[str],
        typer.Option(
            "--data", help="Known structures: .tsv, .ct, .bpseq, .dbn, .sto, or a folder; repeatable."
        ),
    ],
    predictions: Predictions = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for the JSON, the tables and the figure.")
    ] = None,
    near: Annotated[
        list[str] | None,
        typer.Option(
            "--near", help="COLUMN=VALUE: only records with this value in the table; repeatable."
        ),
    ] = None,
    max_length: Annotated[
        int | None, typer.Option(help="Leave out RNAs of more bases, and count them.", min=1)
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Only the first N RNAs.", min=1)] = None,
    run_rnass: Annotated[bool, typer.Option("--rnass/--no-rnass", help="Judge rnass.")] = True,
    run_vienna: Annotated[bool, typer.Option("--vienna/--no-vienna", help="Judge ViennaRNA.")] = True,
    also: Also = None,
    weights: Weights = None,
    backbone: BackboneOfWeights = None,
    thermodynamics: Thermodynamics = True,
    decoder: DecoderOption = None,
    threshold: Threshold = "auto",
    min_helix: MinHelix = None,
    noncanonical: Noncanonical = None,
    device: DeviceOption = DeviceName.auto,
    precision: PrecisionOption = Precision.float32,
    threads: Threads = 0,
    overwrite: OverwriteRun = False,
    quiet: Quiet = False,
) -> None:
    """Judge rnass, ViennaRNA and other programs on RNAs whose structure is known."""
    log_to_stderr(quiet=quiet)
    from rnass.evaluation import EvaluateOptions, evaluate_files

    settings = decoding(decoder, threshold, noncanonical, min_helix=min_helix)
    options = EvaluateOptions(
        predictions=_named_paths(predictions),
        rnass=run_rnass,
        vienna=run_vienna,
        columns=_assignments(near, "COLUMN=VALUE"),
        max_length=max_length,
        limit=limit,
        also=tuple(one.value for one in also or ()),
        weights=weights,
        backbone=backbone,
        device=device.value,
        precision=precision.value,
        thermodynamics=thermodynamics,
        decoding=settings,
        threads=threads,
        overwrite=overwrite,
        quiet=quiet,
    )
    typer.echo(evaluate_files(data, options, out), nl=False)


def compare(
    inputs: Inputs,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for tables and figures.")],
    predictions: Predictions = None,
    plot: Annotated[Plot, typer.Option(help="Format of the arc diagrams.")] = Plot.svg,
    draw: Annotated[bool, typer.Option("--draw/--no-draw", help="Draw an arc diagram per RNA.")] = True,
    run_rnass: Annotated[bool, typer.Option("--rnass/--no-rnass", help="Include rnass.")] = True,
    run_vienna: Annotated[bool, typer.Option("--vienna/--no-vienna", help="Include ViennaRNA.")] = True,
    also: Also = None,
    weights: Weights = None,
    backbone: BackboneOfWeights = None,
    device: DeviceOption = DeviceName.auto,
    threads: Threads = 0,
    overwrite: OverwriteRun = False,
    quiet: Quiet = False,
) -> None:
    """Predict by rnass, ViennaRNA and other programs, and show where they agree."""
    log_to_stderr(quiet=quiet)
    from rnass.evaluation import MethodOptions
    from rnass.jobs.compare import compare_files

    options = MethodOptions(
        predictions=_named_paths(predictions),
        rnass=run_rnass,
        vienna=run_vienna,
        also=tuple(one.value for one in also or ()),
        weights=weights,
        backbone=backbone,
        device=device.value,
        threads=threads,
        overwrite=overwrite,
        quiet=quiet,
    )
    table, status = compare_files(inputs, out, options, plot=plot.value if draw else None)
    typer.echo(table, nl=False)
    raise typer.Exit(status)


def _assignments(texts: list[str] | None, form: str) -> dict[str, str]:
    """Read options of the form NAME=VALUE."""
    values: dict[str, str] = {}
    for text in texts or []:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise typer.BadParameter(f"{text!r}; expected {form}")
        if name in values:
            raise typer.BadParameter(f"{text!r}: {name} stands twice; expected {form} once for each")
        values[name] = value
    return values


def _named_paths(texts: list[str] | None) -> dict[str, Path]:
    """Read --predictions."""
    return {name: Path(path) for name, path in _assignments(texts, "NAME=PATH").items()}
