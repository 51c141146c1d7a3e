"""`rnass evaluate` and `rnass compare`."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from rnass.cli import shared
from rnass.cli.options import in_input, in_model, in_output, paths_of, take_decoding

__all__ = ["compare", "evaluate"]


class Also(str, Enum):  # Typer takes no list of a Literal
    """Decoders of a map."""

    matching = "matching"
    threshknot = "threshknot"
    greedy = "greedy"
    nested = "nested"


Predictions = Annotated[
    list[str] | None,
    in_input(
        "--predictions", help="NAME=PATH: structures by another program, a file or folder; repeatable."
    ),
]
AlsoOption = Annotated[
    list[Also] | None,
    in_model("--also", help="Another decoder of rnass's map, as a method of its own; repeatable."),
]
Rnass = Annotated[bool, in_model("--rnass/--no-rnass", help="Include rnass.")]
Vienna = Annotated[bool, in_model("--vienna/--no-vienna", help="Include ViennaRNA.")]
Data = Annotated[
    list[str], in_input(help="Known structures: .tsv, .ct, .bpseq, .dbn, .sto, or a folder; repeatable.")
]
Near = Annotated[
    list[str] | None,
    in_input(help="COLUMN=VALUE: only records with this value in the table; repeatable."),
]
MaxLength = Annotated[int | None, in_input(help="Leave out RNAs of more bases, and count them.", min=1)]
Limit = Annotated[int | None, in_input(help="Only the first N RNAs.", min=1)]


def evaluate(
    data: Data,
    predictions: Predictions = None,
    near: Near = None,
    max_length: MaxLength = None,
    limit: Limit = None,
    out: Annotated[
        Path | None, in_output("--out", "-o", help="Folder for the JSON, the tables and the figure.")
    ] = None,
    report: shared.Report = False,
    rnass: Rnass = True,
    vienna: Vienna = True,
    also: AlsoOption = None,
    weights: shared.Weights = None,
    backbone: shared.BackboneOfWeights = None,
    thermodynamics: shared.Thermodynamics = True,
    device: shared.Device = "auto",
    precision: shared.Precision = "float32",
    threshold: shared.Threshold = "auto",
    no_pseudoknots: shared.NoPseudoknots = False,
    min_helix: shared.MinHelix = None,
    noncanonical: shared.Noncanonical = None,
    decoder: shared.Decoder = None,
    mix: shared.Mix = None,
    constraints: shared.ConstraintFile = None,
    shape: shared.ShapeFile = None,
    normalize_reactivities: shared.NormalizeReactivities = False,
    modifier: shared.ReactivityModifier = None,
    shape_method: shared.ShapeMethodOption = "likelihood",
    threads: shared.Threads = 0,
    overwrite: shared.Overwrite = False,
) -> None:
    """Judge rnass, ViennaRNA and other programs on RNAs whose structure is known."""
    given = locals()
    settings = take_decoding(given)
    columns = _assignments(given.pop("near"), "COLUMN=VALUE")
    from rnass.evaluation import EvaluateOptions, evaluate_files
    from rnass.report import write_report

    given |= {
        "decoding": settings,
        "columns": columns,
        "predictions": _named_paths(predictions),
        "also": tuple(one.value for one in also or ()),
    }
    if report and out is None:
        raise typer.BadParameter("--report without --out; expected a folder for the page")
    for name in ("data", "out", "report"):
        del given[name]
    typer.echo(evaluate_files(data, EvaluateOptions(**given), out), nl=False)
    if report and out is not None:
        write_report(out)


def compare(
    inputs: shared.Inputs = None,
    sequence: shared.Sequence = None,
    predictions: Predictions = None,
    out: shared.ResultsFolder = Path("comparison"),
    plot: shared.Plot = "svg",
    report: shared.Report = False,
    rnass: Rnass = True,
    vienna: Vienna = True,
    also: AlsoOption = None,
    weights: shared.Weights = None,
    backbone: shared.BackboneOfWeights = None,
    device: shared.Device = "auto",
    threads: shared.Threads = 0,
    strict: shared.Strict = False,
    overwrite: shared.Overwrite = False,
    resume: shared.Resume = False,
) -> None:
    """Predict by rnass, ViennaRNA and other programs, and show where they agree."""
    paths = paths_of(inputs, sequence)
    from rnass.evaluation import MethodOptions
    from rnass.jobs.compare import CompareOptions, compare_files
    from rnass.report import has_tables, write_report

    methods = MethodOptions(
        predictions=_named_paths(predictions),
        rnass=rnass,
        vienna=vienna,
        also=tuple(one.value for one in also or ()),
        weights=weights,
        backbone=backbone,
        device=device,
        threads=threads,
    )
    options = CompareOptions(
        methods=methods,
        plot=None if plot == "none" else plot,
        strict=strict,
        overwrite=overwrite,
        resume=resume,
    )
    table, status = compare_files(paths, out, options, sequence=sequence)
    typer.echo(table, nl=False)
    if report and has_tables(out):
        write_report(out)
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
