"""Language models: `rnass backbones`, `embed`, `fill-mask`, `attention` and `label`."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from rnass.cli.options import (
    DeviceName,
    DeviceOption,
    Family,
    Inputs,
    InputsOrNone,
    OneSequence,
    OutFile,
    Overwrite,
    Plot,
    Quiet,
    ResultsFolder,
    Resume,
    Threads,
    UAs,
    Weights,
    log_to_stderr,
    require_input,
    set_threads,
)

__all__ = ["attention", "backbones", "embed", "fill_mask", "label"]


class Pool(str, Enum):
    """What is kept of an RNA's embeddings."""

    none = "none"
    mean = "mean"
    cls = "cls"


class ArrayFormat(str, Enum):
    """File formats of embeddings."""

    npy = "npy"
    safetensors = "safetensors"
    parquet = "parquet"


BackboneOption = Annotated[
    str | None,
    typer.Option(help="RNA language model: a path, or a name of rnass backbones; default: rnass's own."),
]


def backbones() -> None:
    """List the published RNA language models that --backbone takes by name."""
    from rnass.backbone.published import PUBLISHED

    columns = ("name", "family", "parameters", "context", "licence", "source", "citation")
    rows = [
        (
            one.name,
            one.family,
            f"{one.parameters:g} M",
            one.context,
            one.licence,
            one.source,
            one.citation,
        )
        for one in PUBLISHED
    ]
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    for row in (columns, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())


def embed(
    inputs: InputsOrNone = None,
    out: ResultsFolder = Path("embeddings"),
    sequence: OneSequence = None,
    backbone: BackboneOption = None,
    family: Family = None,
    u_as: UAs = None,
    layer: Annotated[
        int, typer.Option(help="After how many layers: 0 before the first, -1 after the last.")
    ] = -1,
    pool: Annotated[
        Pool,
        typer.Option(
            help="none: a row per base or codon; mean: their mean; cls: the token before the first."
        ),
    ] = Pool.none,
    format_: Annotated[
        ArrayFormat, typer.Option("--format", help="Format of the files; parquet needs pyarrow.")
    ] = ArrayFormat.npy,
    device: DeviceOption = DeviceName.auto,
    threads: Threads = 0,
    strict: Annotated[
        bool, typer.Option("--strict", help="Embed nothing if any record is bad.")
    ] = False,
    overwrite: Overwrite = False,
    resume: Resume = False,
    quiet: Quiet = False,
) -> None:
    """Embed every RNA in some FASTA files: a row per base or codon, or one vector.

    RNAs over the backbone's context are read in windows and averaged; summary.tsv lists them.
    """
    log_to_stderr(quiet=quiet)
    require_input(inputs, sequence)
    from rnass.jobs.embed import EmbedOptions, embed_files

    set_threads(threads)
    options = EmbedOptions(
        backbone=backbone,
        family=family,
        u_as=u_as,
        layer=layer,
        pool=pool.value,
        format=format_.value,
        device=device.value,
        strict=strict,
        overwrite=overwrite,
        resume=resume,
        quiet=quiet,
    )
    raise typer.Exit(embed_files(inputs or [], out, options, sequence=sequence))


def fill_mask(
    sequence: Annotated[str, typer.Argument(help="An RNA with <mask> for each base or codon to guess.")],
    backbone: BackboneOption = None,
    family: Family = None,
    u_as: UAs = None,
    top: Annotated[int, typer.Option(help="Tokens to print for each mask.", min=1)] = 5,
    device: DeviceOption = DeviceName.auto,
) -> None:
    """Guess the base (or codon) behind every <mask>: the likeliest ones, with their probabilities."""
    from rnass.backbone.language_head import fill_masks
    from rnass.errors import CheckpointError
    from rnass.network.backbones import open_backbone
    from rnass.network.device import choose_device

    found = open_backbone(backbone, family, u_as)
    if found.language is None:
        raise CheckpointError(
            f"{found.path}: holds no language-model head; expected a backbone that has one"
        )
    chosen = choose_device(device.value)
    guesses = fill_masks(found.encoder.to(chosen), found.language.to(chosen), sequence, top)
    typer.echo("mask\ttoken\tprobability")
    for number, tokens in enumerate(guesses, start=1):
        for symbol, probability in tokens:
            typer.echo(f"{number}\t{symbol}\t{probability:.4f}")


def attention(
    inputs: Inputs,
    out: ResultsFolder = Path("attention"),
    structure: Annotated[
        str | None,
        typer.Option(help="File of known structures, found by id; default: rnass's prediction."),
    ] = None,
    backbone: BackboneOption = None,
    family: Family = None,
    u_as: UAs = None,
    weights: Weights = None,
    plot: Annotated[Plot, typer.Option(help="Format of the figures.")] = Plot.png,
    draw: Annotated[bool, typer.Option("--draw/--no-draw", help="Draw the best heads.")] = True,
    device: DeviceOption = DeviceName.auto,
    threads: Threads = 0,
    overwrite: Overwrite = False,
    resume: Resume = False,
    quiet: Quiet = False,
) -> None:
    """Write a language model's attention maps, and which of its heads agree best with the structure."""
    log_to_stderr(quiet=quiet)
    from rnass.jobs.attention import AttentionOptions, attention_files

    set_threads(threads)
    options = AttentionOptions(
        backbone=backbone,
        family=family,
        u_as=u_as,
        structure=structure,
        weights=weights,
        plot=plot.value if draw else None,
        device=device.value,
        overwrite=overwrite,
        resume=resume,
        quiet=quiet,
    )
    raise typer.Exit(attention_files(inputs, out, options))


def label(
    inputs: Inputs,
    probe: Annotated[
        Path, typer.Option(help="What rnass train --task made: the folder, or its probe.safetensors.")
    ],
    out: OutFile = None,
    backbone: Annotated[
        str | None,
        typer.Option(help="Path or name of the RNA language model; default: its path in the training."),
    ] = None,
    device: DeviceOption = DeviceName.auto,
    threads: Threads = 0,
    quiet: Quiet = False,
) -> None:
    """Label every RNA, or each of its bases, with a class or a number, by a head of rnass train --task.

    The backbone is that of the training; --backbone gives its path if it has moved.
    """
    log_to_stderr(quiet=quiet)
    from rnass.jobs.label import label_files

    set_threads(threads)
    raise typer.Exit(
        label_files(inputs, probe, out, backbone=backbone, device=device.value, quiet=quiet)
    )
