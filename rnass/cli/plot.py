"""`rnass plot`."""

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from rnass.cli import shared

if TYPE_CHECKING:
    from rnass.figures import Look

__all__ = ["plot"]

_INCHES = {"mm": 1 / 25.4, "cm": 1 / 2.54, "in": 1.0}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)(?:x(\d+(?:\.\d+)?))?(mm|cm|in)")
_BASES = re.compile(r"(\d+)-(\d+)")


def plot(
    files: Annotated[
        list[str],
        typer.Argument(
            help="Results folders, structures (.ct, .dbn, .bpseq, .sto, .tsv) or .npy maps; a map and a "
            "structure of one name belong together."
        ),
    ],
    kind: Annotated[
        Literal["arcs", "drawing", "map"],
        typer.Option(help="Arcs over the sequence, a drawing in the plane, or a map of pairs."),
    ] = "arcs",
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", help="Folder for a figure of each record; or a .svg, .png or .pdf of one."
        ),
    ] = Path("figures"),
    format_: Annotated[
        Literal["svg", "png", "pdf"], typer.Option("--format", help="Of the figures in a folder.")
    ] = "svg",
    record: Annotated[str | None, typer.Option(help="Draw only the record of this id.")] = None,
    against: Annotated[
        str | None,
        typer.Option(
            help="File or folder of structures to compare with: correct, wrong and missed pairs."
        ),
    ] = None,
    reactivities: Annotated[
        str | None,
        typer.Option(help="File or folder of reactivities: a track under arcs, colours in drawings."),
    ] = None,
    color: Annotated[
        Literal["auto", "confidence", "elements", "reactivity", "none"],
        typer.Option(
            help="What colours the bases; none also leaves arcs unshaded. auto: reactivities, if given, "
            "else confidence, where there is a map and no --against."
        ),
    ] = "auto",
    region: Annotated[str | None, typer.Option(help="Bases to show, such as 10-80.")] = None,
    highlight: Annotated[
        list[str] | None, typer.Option(help="Bases to mark, such as 12-30; repeatable.")
    ] = None,
    size: Annotated[
        str | None, typer.Option(help="Width, or width and height: 180mm, 180x120mm, 7in.")
    ] = None,
    font: Annotated[str, typer.Option(help="An installed font; default: DejaVu Sans.")] = "",
    dpi: Annotated[int, typer.Option(help="Dots per inch of a png.", min=30, max=2400)] = 150,
    overwrite: shared.OverwriteFiles = False,
) -> None:
    """Draw structures and probability maps: arcs, drawings or maps, a file for each record."""
    from rnass.jobs.plot import PlotOptions, plot_files

    look = replace(
        _sized(size),
        font=font,
        region=_bases("--region", region) if region else None,
        highlight=tuple(_bases("--highlight", part) for part in highlight or ()),
    )
    options = PlotOptions(
        kind=kind,
        against=against,
        reactivities=reactivities,
        colour=color,
        look=look,
        dpi=dpi,
        format=format_,
        record=record,
        overwrite=overwrite,
    )
    drawn, status = plot_files(files, out, options)
    for file in drawn:
        typer.echo(file)
    raise typer.Exit(status)


def _sized(size: str | None) -> "Look":
    """Figures of this --size, or of that which fits."""
    from rnass.errors import ConfigError
    from rnass.figures import Look

    width, height = _inches(size) if size else (None, None)
    try:
        return Look(width=width, height=height)
    except ConfigError as error:
        raise typer.BadParameter(f"--size {size}: {error}") from None


def _inches(text: str) -> tuple[float, float | None]:
    """Width and height of --size in inches; no height if it is not given."""
    found = _SIZE.fullmatch(text.replace(" ", ""))
    if not found:
        raise typer.BadParameter(f"size {text!r}; expected 180mm, 180x120mm, 18cm or 7in, for example")
    unit = _INCHES[found[3]]
    return float(found[1]) * unit, float(found[2]) * unit if found[2] else None


def _bases(option: str, text: str) -> tuple[int, int]:
    """The 0-based first base of 10-80, and the one after its last."""
    found = _BASES.fullmatch(text.replace(" ", ""))
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise typer.BadParameter(f"{option} {text!r}; expected a first and a last base, such as 10-80")
    return int(found[1]) - 1, int(found[2])
