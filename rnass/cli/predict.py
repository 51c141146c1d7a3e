"""`rnass predict` and `rnass info`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from rnass.cli.options import (
    DECODING,
    OUTPUT,
    BackboneOfWeights,
    BackboneOption,
    ConstraintFile,
    Decoder,
    Device,
    Dms,
    Family,
    Inputs,
    MaxOrder,
    MaxSpan,
    MinHelix,
    Mix,
    Noncanonical,
    NoPseudoknots,
    NormalizeReactivities,
    Overwrite,
    Plot,
    Precision,
    ReactivityModifier,
    ResultsFolder,
    Resume,
    Sequence,
    ShapeFile,
    ShapeMethodOption,
    Strict,
    Thermodynamics,
    Threads,
    Threshold,
    UAs,
    Weights,
    paths_of,
    take_decoding,
)

__all__ = ["info", "predict"]


Formats = Annotated[
    str, typer.Option("--format", help="Files per record, some of these.", rich_help_panel=OUTPUT)
]
Baseline = Annotated[
    bool,
    typer.Option(
        "--baseline",
        help="Also ViennaRNA's MFE structure as a file, and its MEA and centroid in summary.tsv.",
        rich_help_panel=OUTPUT,
    ),
]
Elements = Annotated[
    bool,
    typer.Option(
        "--elements",
        help="Count stems, hairpins, bulges, ... in summary.tsv.",
        rich_help_panel=OUTPUT,
    ),
]
Alternatives = Annotated[
    int,
    typer.Option(
        help="Also a file of up to so many distinct structures, the predicted one first, with their "
        "weights; 0: no such file.",
        min=0,
        rich_help_panel=OUTPUT,
    ),
]
Exact = Annotated[
    bool,
    typer.Option(
        "--exact",
        help="Find the best structure under --min-helix and --max-order, instead of removing what "
        "exceeds them.",
        rich_help_panel=DECODING,
    ),
]
PlotKind = Annotated[
    Literal["arcs", "drawing", "map"],
    typer.Option(
        help="The figure: arcs over the sequence, a drawing in the plane, or a map of pairs.",
        rich_help_panel=OUTPUT,
    ),
]
Report = Annotated[
    bool,
    typer.Option(
        "--report", help="Also report.html: table and figures in one page.", rich_help_panel=OUTPUT
    ),
]


def predict(
    inputs: Inputs = None,
    sequence: Sequence = None,
    out: ResultsFolder = Path("results"),
    formats: Formats = "ct,dbn,bpseq,npy",
    plot: Plot = "none",
    plot_kind: PlotKind = "arcs",
    report: Report = False,
    baseline: Baseline = False,
    elements: Elements = False,
    alternatives: Alternatives = 0,
    weights: Weights = None,
    backbone: BackboneOfWeights = None,
    thermodynamics: Thermodynamics = True,
    device: Device = "auto",
    precision: Precision = "float32",
    threshold: Threshold = "auto",
    no_pseudoknots: NoPseudoknots = False,
    max_order: MaxOrder = None,
    min_helix: MinHelix = None,
    max_span: MaxSpan = None,
    noncanonical: Noncanonical = None,
    decoder: Decoder = None,
    exact: Exact = False,
    mix: Mix = 0.0,
    constraints: ConstraintFile = None,
    shape: ShapeFile = None,
    normalize_reactivities: NormalizeReactivities = False,
    modifier: ReactivityModifier = None,
    dms: Dms = False,
    shape_method: ShapeMethodOption = None,
    threads: Threads = 0,
    strict: Strict = False,
    overwrite: Overwrite = False,
    resume: Resume = False,
) -> None:
    """Predict the structure of every RNA in some FASTA files.

    Writes .ct, .dbn, .bpseq and .npy per record, and predictions.dbn, summary.tsv and run.json.
    """
    given = locals()
    paths = paths_of(given.pop("inputs"), sequence)
    settings = take_decoding(given)
    from rnass.io.results_folder import is_results_folder
    from rnass.jobs.predict import PredictOptions, predict_files
    from rnass.report import write_report

    given |= {
        "decoding": settings,
        "formats": tuple(part.strip() for part in formats.split(",") if part.strip()),
        "plot": None if plot == "none" else plot,
    }
    for name in ("out", "sequence", "report"):
        del given[name]
    status = predict_files(paths, out, PredictOptions(**given), sequence=sequence)
    if report and is_results_folder(out):
        write_report(out)
    raise typer.Exit(status)


def info(
    weights: Weights = None,
    backbone: BackboneOption = None,
    family: Family = None,
    u_as: UAs = None,
    device: Device = "auto",
) -> None:
    """Print versions, the device and the weights with their checksum; with --backbone also what that is."""
    from rnass.files import sha256
    from rnass.jobs.runner import versions
    from rnass.manifest import verdict
    from rnass.network.backbones import describe, open_backbone
    from rnass.network.device import choose_device
    from rnass.network.weights import find_weights
    from rnass.thermodynamics.parameter_sets import OWN_ENERGIES

    for name, version in versions().items():
        typer.echo(f"{name:12} {version}")
    typer.echo(f"{'device':12} {choose_device(device)}")
    for name, path in (("weights", find_weights(weights)), ("energies", OWN_ENERGIES)):
        typer.echo(f"{name:12} {path}")
        state = f"{sha256(path)} ({verdict(path)})" if path.is_file() else "MISSING"
        typer.echo(f"{'sha256':12} {state}")
    if backbone is not None:
        for name, value in describe(open_backbone(backbone, family, u_as)).items():
            typer.echo(f"{name:12} {value}")
