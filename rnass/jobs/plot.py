"""`rnass plot`: figures of structures and maps, a file for each record."""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from rnass.decoding import base_confidence
from rnass.elements import elements
from rnass.errors import ConfigError, ExitStatus, InputError, OutputError, RnassError
from rnass.figures import (
    DOTS_PER_INCH,
    FORMATS,
    Axes,
    BaseColours,
    Look,
    Track,
    arc_diagram,
    by_confidence,
    by_element,
    by_reactivity,
    probability_map,
    save_figure,
    structure_drawing,
)
from rnass.files import check_target, is_folder, make_folder
from rnass.io import file_names
from rnass.jobs.drawable import Drawable, counterpart, reactivities_of, read_drawables
from rnass.prediction.prediction import Kind
from rnass.structure import Structure
from rnass.thermodynamics.layout import layout

__all__ = ["Colour", "PlotOptions", "draw", "plot_files"]

log = logging.getLogger("rnass")

Colour = Literal["auto", "confidence", "elements", "reactivity", "none"]


@dataclass(frozen=True, kw_only=True)
class PlotOptions:
    """Options of `plot_files`.

    Attributes:
        kind: arcs, drawing or map.
        against: file or folder with the structures to hold the records against.
        reactivities: file or folder of reactivities.
        colour: what colours the bases, and whether probabilities shade the arcs; auto: reactivity where
            it is given, in drawings, else confidence where there are probabilities and nothing is held
            against the record, whose colours would hide those of the pairs.
        look: size, font, region, highlights.
        dpi: dots per inch of a png.
        format: of files in a folder.
        record: the id of the only record to draw; None for all.
        overwrite: whether files that are there are replaced.
    """

    kind: Kind = "arcs"
    against: str | None = None
    reactivities: str | None = None
    colour: Colour = "auto"
    look: Look = field(default_factory=Look)
    dpi: int = DOTS_PER_INCH
    format: Literal["svg", "png", "pdf"] = "svg"
    record: str | None = None
    overwrite: bool = False


def plot_files(paths: list[str], out: Path, options: PlotOptions) -> tuple[list[Path], ExitStatus]:
    """Draw every record of some files, or one of them; gives the files written, and the exit status.

    A record that cannot be read or drawn is reported, and costs the others nothing.

    Args:
        paths: structure files, .npy maps, results folders, folders of structures.
        out: a folder; or a .svg, .png or .pdf for one record.
        options: how.

    Raises:
        InputError: a file that cannot be read, or that does not go with any record.
        OutputError: a file that is there already, or cannot be written; another suffix.
        ConfigError: a kind or colour that needs what no record has.
    """
    bad: list[InputError] = []
    drawables = read_drawables(paths, bad)
    if options.record is not None:
        drawables = [one for one in drawables if one.rna.id == options.record]
        if not drawables:
            raise InputError(
                f"--record {options.record}: no such record; expected an id of {', '.join(paths)}"
            )
    files = _targets(out, drawables, options)
    others = None if options.against is None else read_drawables([options.against])
    probed: list[NDArray[np.float64] | InputError | None] = (
        [None] * len(drawables)
        if options.reactivities is None
        else reactivities_of(options.reactivities, drawables)
    )
    drawn: list[Path] = []
    failures: list[RnassError] = [*bad]
    for one, reactivities, file in zip(drawables, probed, files, strict=True):
        try:
            if isinstance(reactivities, InputError):
                raise reactivities
            other = None if others is None else counterpart(one, others, str(options.against))
            axes = draw(one, options, other=other, reactivities=reactivities)
        except RnassError as error:
            failures.append(_named(error, one))
            continue
        save_figure(axes, file, dpi=options.dpi)
        drawn.append(file)
    if failures and not drawn:
        raise failures[0]
    for failure in failures:
        log.error("%s", failure)
    return drawn, ExitStatus.FAILED if failures else ExitStatus.OK


def _named(error: RnassError, one: Drawable) -> RnassError:
    """The error with the id of its record, unless it is there."""
    text = str(error)
    return error if f"({one.rna.id})" in text else type(error)(f"{one.where} ({one.rna.id}): {text}")


def draw(
    one: Drawable,
    options: PlotOptions,
    *,
    other: Drawable | None = None,
    reactivities: NDArray[np.float64] | None = None,
    axes: Axes | None = None,
) -> Axes:
    """Draw one record, on *axes* or a figure of its own.

    Args:
        one: the record.
        options: kind, colour and look.
        other: what it is held against.
        reactivities: shape (L,), NaN where missing.
        axes: to draw on.

    Raises:
        ConfigError: a kind or colour that needs what the record has not.
        InputError: a region beyond its last base.
    """
    title = one.rna.id
    probabilities = one.load()
    if options.kind == "map":
        return _draw_map(one, other, probabilities, title, options.look, axes)
    structure = _structure_of(one, options.kind)
    reference = None if other is None else _structure_of(other, options.kind)
    colours = _colours(one, structure, probabilities, reactivities, options, judged=other is not None)
    if options.kind == "drawing":
        return structure_drawing(
            one.rna.text,
            structure,
            layout,
            colours=colours,
            reference=reference,
            title=title,
            look=options.look,
            axes=axes,
        )
    shades = None if options.colour == "none" else probabilities
    tracks = [] if colours is None or options.colour == "auto" else [colours]
    if reactivities is not None and options.colour != "reactivity":
        tracks.append(by_reactivity(reactivities))
    return arc_diagram(
        one.rna.text,
        Track(one.source, structure, shades, one.source),
        None if other is None or reference is None else Track(other.source, reference),
        reference=reference is not None,
        tracks=tracks,
        title=title,
        look=options.look,
        axes=axes,
    )


def _targets(out: Path, drawables: list[Drawable], options: PlotOptions) -> list[Path]:
    """The file of each record."""
    if out.suffix[1:].lower() in FORMATS:
        if len(drawables) != 1:
            ids = ", ".join(one.rna.id for one in drawables[:5])
            raise OutputError(
                f"{out}: one file for {len(drawables)} records; expected a folder, or --record with one "
                f"of {ids}{', ...' if len(drawables) > 5 else ''}"
            )
        files, folder = [out], out.parent
    elif out.suffix[1:].isalpha() and not is_folder(out):
        raise OutputError(
            f"{out}: no figure is written as {out.suffix!r}; expected .svg, .png or .pdf, or a folder "
            "without such a suffix"
        )
    else:
        names = file_names(one.rna.id for one in drawables)
        files = [out / f"{name}.{options.format}" for name in names]
        folder = out
    make_folder(folder)
    for file in files:
        check_target(file, overwrite=options.overwrite)
    return files


def _structure_of(one: Drawable, kind: Kind) -> Structure:
    if one.structure is None:
        raise ConfigError(
            f"{one.source} ({one.rna.id}): a map without a structure; expected --kind map, not {kind}"
        )
    return one.structure


def _draw_map(
    one: Drawable,
    other: Drawable | None,
    probabilities: NDArray[np.float32] | csr_array | None,
    title: str,
    look: Look,
    axes: Axes | None,
) -> Axes:
    """Probabilities above; below those it is held against, else the structure itself."""
    above = one.structure if probabilities is None else probabilities
    assert above is not None  # a record has one or the other
    below: NDArray[np.float32] | csr_array | Structure | None = None
    name = f"{one.source}, structure"
    if other is not None:
        theirs = other.load()
        below, name = (other.structure if theirs is None else theirs), other.source
    elif probabilities is not None:
        below = one.structure
    labels = (one.source, name)
    return probability_map(one.rna.text, above, below, labels=labels, title=title, look=look, axes=axes)


def _colours(
    one: Drawable,
    structure: Structure,
    probabilities: NDArray[np.float32] | csr_array | None,
    reactivities: NDArray[np.float64] | None,
    options: PlotOptions,
    *,
    judged: bool,
) -> BaseColours | None:
    """The colours of the bases; None for one colour."""
    colour = options.colour
    if colour == "auto" and reactivities is not None and options.kind == "drawing":
        colour = "reactivity"
    if colour == "auto":
        colour = "none" if probabilities is None or judged else "confidence"
    if colour == "elements":
        return by_element(elements(structure, one.rna.nick).string)
    if colour == "reactivity":
        if reactivities is None:
            raise ConfigError(
                f"--color reactivity ({one.rna.id}): no reactivities; expected --reactivities FILE"
            )
        return by_reactivity(reactivities)
    if colour == "confidence":
        if probabilities is None:
            raise ConfigError(
                f"--color confidence ({one.rna.id}): no probabilities; expected a .npy map beside the "
                "structure, or a results folder"
            )
        return by_confidence(base_confidence(probabilities, structure), one.source)
    return None
