"""Language models: `rnass backbones`, `embed`, `fill-mask`, `attention` and `label`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from rnass.cli import shared
from rnass.cli.options import in_input, in_model, in_output, paths_of, set_threads

__all__ = ["attention", "backbones", "embed", "fill_mask", "label"]


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
    inputs: shared.Inputs = None,
    sequence: shared.Sequence = None,
    out: shared.ResultsFolder = Path("embeddings"),
    format: Annotated[  # noqa: A002 - the name of the option
        Literal["npy", "safetensors", "parquet"],
        in_output(help="Format of the files; parquet needs pyarrow."),
    ] = "npy",
    pool: Annotated[
        Literal["none", "mean", "cls"],
        in_output(
            help="none: a row per base or codon; mean: their mean; cls: the token before the first."
        ),
    ] = "none",
    layer: Annotated[
        int, in_output(help="After how many layers: 0 before the first, -1 after the last.")
    ] = -1,
    backbone: shared.BackboneOption = None,
    family: shared.Family = None,
    u_as: shared.UAs = None,
    device: shared.Device = "auto",
    threads: shared.Threads = 0,
    strict: shared.Strict = False,
    overwrite: shared.Overwrite = False,
    resume: shared.Resume = False,
) -> None:
    """Embed every RNA in some FASTA files: a row per base or codon, or one vector.

    RNAs over the backbone's context are read in windows and averaged; summary.tsv lists them.
    """
    given = locals()
    paths = paths_of(inputs, sequence)
    set_threads(threads)
    from rnass.jobs.embed import EmbedOptions, embed_files

    for name in ("inputs", "sequence", "out", "threads"):
        del given[name]
    raise typer.Exit(embed_files(paths, out, EmbedOptions(**given), sequence=sequence))


def fill_mask(
    sequence: Annotated[str, typer.Argument(help="An RNA with <mask> for each base or codon to guess.")],
    backbone: shared.BackboneOption = None,
    family: shared.Family = None,
    u_as: shared.UAs = None,
    top: Annotated[int, typer.Option(help="Bases or codons to print for each mask.", min=1)] = 5,
    device: shared.Device = "auto",
) -> None:
    """Guess the base (or codon) behind every <mask>: the likeliest ones, with their probabilities.

    Those of all bases, A, C, G and U (or all codons), sum to 1; other tokens are left out.
    """
    from rnass.backbone.language_head import fill_masks
    from rnass.errors import CheckpointError
    from rnass.network.backbones import open_backbone
    from rnass.network.device import choose_device

    found = open_backbone(backbone, family, u_as)
    if found.language is None:
        raise CheckpointError(
            f"{found.path}: holds no language-model head; expected a backbone that has one"
        )
    chosen = choose_device(device)
    guesses = fill_masks(found.encoder.to(chosen), found.language.to(chosen), sequence, top)
    typer.echo("mask\ttoken\tprobability")
    for number, tokens in enumerate(guesses, start=1):
        for symbol, probability in tokens:
            typer.echo(f"{number}\t{symbol}\t{probability:.4f}")


def attention(
    inputs: shared.Inputs = None,
    sequence: shared.Sequence = None,
    structure: Annotated[
        str | None, in_input(help="File of known structures, found by id; default: rnass's prediction.")
    ] = None,
    out: shared.ResultsFolder = Path("attention"),
    plot: shared.Plot = "png",
    backbone: shared.BackboneOption = None,
    family: shared.Family = None,
    u_as: shared.UAs = None,
    weights: shared.Weights = None,
    device: shared.Device = "auto",
    threads: shared.Threads = 0,
    strict: shared.Strict = False,
    overwrite: shared.Overwrite = False,
    resume: shared.Resume = False,
) -> None:
    """Write a language model's attention maps, and which of its heads agree best with the structure."""
    given = locals()
    paths = paths_of(inputs, sequence)
    set_threads(threads)
    from rnass.jobs.attention import AttentionOptions, attention_files

    for name in ("inputs", "sequence", "out", "threads"):
        del given[name]
    given["plot"] = None if plot == "none" else plot
    raise typer.Exit(attention_files(paths, out, AttentionOptions(**given), sequence=sequence))


def label(
    probe: Annotated[
        Path,
        in_model(help="Head trained by rnass train --task: the folder, or its probe.safetensors."),
    ],
    inputs: shared.Inputs = None,
    sequence: shared.Sequence = None,
    out: Annotated[
        Path | None,
        in_output("--out", "-o", help="Folder for the results; default: the table to the terminal."),
    ] = None,
    backbone: Annotated[
        str | None,
        in_model(help="Path or name of the RNA language model; default: its path in the training."),
    ] = None,
    device: shared.Device = "auto",
    threads: shared.Threads = 0,
    strict: shared.Strict = False,
    overwrite: shared.Overwrite = False,
    resume: shared.Resume = False,
) -> None:
    """Label every RNA, or each of its bases, with a class or a number, by a head of rnass train --task.

    The backbone is that of the training; --backbone gives its path if it has moved.
    """
    given = locals()
    paths = paths_of(inputs, sequence)
    set_threads(threads)
    from rnass.jobs.label import LabelOptions, label_files

    for name in ("inputs", "sequence", "out", "threads"):
        del given[name]
    raise typer.Exit(label_files(paths, out, LabelOptions(**given), sequence=sequence))
