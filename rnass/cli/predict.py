"""`rnass predict` and `rnass info`."""

import sys
from inspect import signature
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from rnass.cli import shared
from rnass.cli.options import (
    in_decoding,
    in_input,
    in_model,
    in_output,
    in_run,
    listed,
    paths_of,
    take_decoding,
)
from rnass.files import is_file
from rnass.prediction.limits import LONGEST_WHOLE, WINDOW
from rnass.thermodynamics.conditions import SALT, TEMPERATURE

__all__ = ["info", "predict"]


Formats = Annotated[
    list[str] | None,
    in_output(
        "--format",
        help="Files of each record, some of ct, dbn, bpseq, npy, tsv (a line per base) and json, commas "
        "between them or each with its own --format; parquet: one table of all records; none: only the "
        "files of all records. Default: ct,dbn,bpseq,npy; for --out - one of dbn (the default), ct, tsv "
        "and json.",
        show_default=False,
    ),
]
Out = Annotated[
    str,
    in_output(
        "--out",
        "-o",
        help="Folder for the results, with --shard also a URI such as s3://...; -: the structures on "
        "standard output, no files.",
    ),
]
Shard = Annotated[
    int | None,
    in_run(
        "--shard",
        help="For very many RNAs: a Parquet file for every N records and no other files, in memory that "
        "hardly grows with their number.  [default: 1000 with --engine ray]",
        min=1,
        metavar="N",
        show_default=False,
    ),
]
Engine = Annotated[
    Literal["local", "ray"],
    in_run("--engine", help="What predicts the parts of --shard: this computer, or a Ray cluster."),
]
Address = Annotated[
    str | None,
    in_run(
        "--address",
        help="Of the Ray cluster; without it RAY_ADDRESS, else one that is started on this computer.",
    ),
]
Baseline = Annotated[
    bool,
    in_output(
        "--baseline",
        help="Also ViennaRNA's MFE structure as a file, and its MEA and centroid in summary.tsv.",
    ),
]
Elements = Annotated[
    bool, in_output("--elements", help="Count stems, hairpins, bulges, ... in summary.tsv.")
]
Alternatives = Annotated[
    int,
    in_output(
        help="Also a file of up to so many distinct structures, the predicted one first, with their "
        "weights; 0: no such file.",
        min=0,
    ),
]
Exact = Annotated[
    bool,
    in_decoding(
        "--exact",
        help="Find the best structure under --min-helix and --max-order, instead of removing what "
        "exceeds them; of the matching only.",
    ),
]
Regions = Annotated[
    str | None,
    in_output(
        "--regions",
        help="BED file of regions (ID, start from 0, end not included): their mean unpaired probability in "
        "regions.tsv.",
    ),
]
AlignmentFile = Annotated[
    str | None,
    in_input(
        "--alignment",
        help="Alignment of homologous RNAs, instead of FASTA files: Stockholm, aligned FASTA or "
        "Clustal; or a folder of them. Every row and the consensus are predicted from all rows.",
    ),
]
RelativesFile = Annotated[
    str | None,
    in_input("--relatives", help="FASTA file of homologous RNAs, which LocARNA or MAFFT aligns first."),
]
Target = Annotated[
    str | None,
    in_input("--target", help="With --alignment or --relatives: the only row whose files are written."),
]
FamiliesFile = Annotated[
    str | None,
    in_input(
        "--families",
        help="Covariance models of Infernal, such as Rfam.cm (rnass info prints where to get it): the base "
        "pairs of the family that an RNA matches are evidence for its structure.",
    ),
]
FamilySeeds = Annotated[
    str | None,
    in_input(
        "--family-seeds",
        help="Stockholm file of the seed alignments of --families, such as Rfam.seed: adds their "
        "pseudoknots, which the models do not know.",
    ),
]
LongestWhole = Annotated[
    int,
    in_model(
        "--longest-whole",
        help="Most bases of an RNA that is predicted whole; a longer one is predicted in overlapping "
        "windows.",
    ),
]
Window = Annotated[
    int, in_model("--window", help="Bases of a window; no pair of such a long RNA spans more.")
]
Temperature = Annotated[
    float,
    in_model(
        "--temperature",
        help="In degrees Celsius, 0 to 100. The network was trained at 37: elsewhere its log-odds change as "
        "those of ViennaRNA with Turner 2004 do.",
    ),
]
Salt = Annotated[
    float,
    in_model("--salt", help="Concentration of NaCl in mol/l, 0.001 to 10; as --temperature."),
]
PlotKind = Annotated[
    Literal["arcs", "drawing", "map"],
    in_output(help="The figure: arcs over the sequence, a drawing in the plane, or a map of pairs."),
]


_OF_A_FOLDER = (
    *("plot", "report", "baseline", "elements", "alternatives", "regions", "families"),
    *("alignment", "relatives"),
)
"""Options that need a results folder with files of each record."""

_NOT_STREAMED = ("overwrite", "resume")
_NOT_SHARDED = ("sequence", "constraints", "shape", "strict")


def predict(
    inputs: shared.Inputs = None,
    sequence: shared.Sequence = None,
    out: Out = "results",
    formats: Formats = None,
    plot: shared.Plot = "none",
    plot_kind: PlotKind = "arcs",
    report: shared.Report = False,
    baseline: Baseline = False,
    elements: Elements = False,
    alternatives: Alternatives = 0,
    regions: Regions = None,
    weights: shared.Weights = None,
    backbone: shared.BackboneOfWeights = None,
    thermodynamics: shared.Thermodynamics = True,
    device: shared.Device = "auto",
    precision: shared.Precision = "float32",
    threshold: shared.Threshold = "auto",
    no_pseudoknots: shared.NoPseudoknots = False,
    max_order: shared.MaxOrder = None,
    min_helix: shared.MinHelix = None,
    max_span: shared.MaxSpan = None,
    noncanonical: shared.Noncanonical = None,
    decoder: shared.Decoder = None,
    exact: Exact = False,
    mix: shared.Mix = None,
    longest_whole: LongestWhole = LONGEST_WHOLE,
    window: Window = WINDOW,
    temperature: Temperature = TEMPERATURE,
    salt: Salt = SALT,
    constraints: shared.ConstraintFile = None,
    shape: shared.ShapeFile = None,
    normalize_reactivities: shared.NormalizeReactivities = False,
    modifier: shared.ReactivityModifier = None,
    shape_method: shared.ShapeMethodOption = "likelihood",
    alignment: AlignmentFile = None,
    relatives: RelativesFile = None,
    target: Target = None,
    families: FamiliesFile = None,
    family_seeds: FamilySeeds = None,
    threads: shared.Threads = 0,
    shard: Shard = None,
    engine: Engine = "local",
    address: Address = None,
    strict: shared.Strict = False,
    overwrite: shared.Overwrite = False,
    resume: shared.Resume = False,
) -> None:
    """Predict the structure of every RNA in some FASTA files.

    Writes .ct, .dbn, .bpseq and .npy per record, and predictions.dbn, summary.tsv and run.json; with --out -
    the structures to standard output, and no file; with --shard Parquet files.
    """
    given = locals()
    streamed, sharded = out == "-", shard is not None or engine != "local"
    together = _has_relatives(given)
    if streamed or sharded:
        _refuse_files(given, sharded=sharded)
    elif "://" in out:
        raise typer.BadParameter("a URI without parts; expected --shard or --engine ray")
    if address is not None and engine == "local":
        raise typer.BadParameter("--address: of a cluster; expected --engine ray with it")
    paths = [] if together else paths_of(inputs, sequence)
    options = _options(given, streamed=streamed)
    if sharded:
        status = _predict_shards(options, out, paths, given)
    elif together:
        status = _predict_together(options, Path(out), alignment, relatives, target)
    else:
        status = _predict_alone(options, None if streamed else Path(out), paths, sequence)
    if report:
        _report(Path(out))
    raise typer.Exit(status)


def _has_relatives(given: dict[str, Any]) -> bool:
    """Whether RNAs are predicted together with relatives; refuses them beside other input."""
    alignment, relatives = given["alignment"], given["relatives"]
    together = alignment is not None or relatives is not None
    if together and ((alignment and relatives) or given["inputs"] or given["sequence"]):
        raise typer.BadParameter("expected one of FASTA files, --alignment and --relatives")
    for name, default in (("longest_whole", LONGEST_WHOLE), ("window", WINDOW)):
        if together and given[name] != default:
            option = name.replace("_", "-")
            raise typer.BadParameter(
                f"--{option}: rows are predicted whole; expected FASTA files with it"
            )
    if given["target"] is not None and not together:
        raise typer.BadParameter("--target: no relatives; expected --alignment or --relatives with it")
    return together


def _refuse_files(given: dict[str, Any], *, sharded: bool) -> None:
    """Refuse options whose result is a file where there is no folder for it, or that need all records."""
    if sharded and (given["out"] == "-" or set(listed(given["formats"])) - {"parquet"}):
        raise typer.BadParameter(
            "--shard: writes Parquet files; expected --out FOLDER, --format parquet"
        )
    options = signature(predict).parameters
    for name in (*_OF_A_FOLDER, *(_NOT_SHARDED if sharded else _NOT_STREAMED)):
        if given[name] != options[name].default:
            option = name.replace("_", "-")
            raise typer.BadParameter(
                f"--{option}: not with --shard; expected one of them"
                if sharded
                else f"--{option}: needs a folder for its results; expected --out FOLDER"
            )


def _options(given: dict[str, Any], *, streamed: bool) -> dict[str, Any]:
    """The options given, as `PredictOptions` takes them."""
    apart = (
        *("inputs", "out", "sequence", "report", "alignment", "relatives", "target"),
        *("shard", "engine", "address"),
    )
    options = {name: value for name, value in given.items() if name not in apart}
    options["decoding"] = take_decoding(options)
    if options["plot"] == "none":
        options["plot"] = None
        if options["plot_kind"] != "arcs":
            raise typer.BadParameter("--plot-kind: no figures; expected --plot with it")
    formats = options.pop("formats") or (["dbn"] if streamed else None)
    if formats:  # else the default ones
        options["formats"] = _formats(formats)
    return options


def _formats(given: list[str]) -> tuple[str, ...]:
    """The formats in the texts of an option."""
    formats = listed(given)
    if "none" not in formats:
        return formats
    if len(formats) > 1:
        raise typer.BadParameter(f"--format {','.join(given)}: none beside others; expected it alone")
    return ()


def _report(out: Path) -> None:
    """Write the page of a run, where there is one."""
    from rnass.io.results_folder import is_results_folder
    from rnass.report import write_report

    if is_results_folder(out):
        write_report(out)


def _predict_alone(
    given: dict[str, Any], out: Path | None, paths: list[str], sequence: str | None
) -> int:
    """Predict each RNA by itself, into a folder or, for None, to standard output."""
    from rnass.jobs.predict import PredictOptions, predict_files

    options = PredictOptions(**given)
    if out is not None:
        return predict_files(paths, out, options, sequence=sequence)
    from rnass.jobs.stream import predict_stream

    return predict_stream(paths, sys.stdout.buffer, options, sequence=sequence)


def _predict_shards(options: dict[str, Any], out: str, paths: list[str], given: dict[str, Any]) -> int:
    """Predict any number of RNAs into Parquet files."""
    from rnass.jobs.predict import PredictOptions
    from rnass.jobs.shards import ShardOptions, predict_shards

    chosen = {"engine": given["engine"], "address": given["address"]}
    if given["shard"] is not None:
        chosen["size"] = given["shard"]
    options["formats"] = ("parquet",)
    return predict_shards(paths, out, PredictOptions(**options), ShardOptions(**chosen))


def _predict_together(
    given: dict[str, Any], out: Path, alignment: str | None, relatives: str | None, target: str | None
) -> int:
    from rnass.jobs.alignment import AlignmentOptions, predict_alignments, predict_relatives

    options = AlignmentOptions(**given, target=target)
    if alignment is not None:
        return predict_alignments(alignment, out, options)
    return predict_relatives(str(relatives), out, options)


def info(
    weights: shared.Weights = None,
    backbone: shared.BackboneOption = None,
    family: shared.Family = None,
    u_as: shared.UAs = None,
    device: shared.Device = "auto",
) -> None:
    """Print versions, the device and the weights with their checksum; with --backbone also what that is."""
    from rnass.files import sha256
    from rnass.manifest import verdict
    from rnass.network.backbones import describe, open_backbone
    from rnass.network.device import choose_device
    from rnass.network.weights import find_weights
    from rnass.prediction.families import WHERE_RFAM
    from rnass.prediction.origin import versions
    from rnass.thermodynamics.conditions import STANDARD
    from rnass.thermodynamics.parameter_sets import DEFAULT_PARAMETERS, OWN_ENERGIES

    for name, version in versions().items():
        typer.echo(f"{name:12} {version}")
    typer.echo(f"{'device':12} {choose_device(device)}")
    typer.echo(f"{'families':12} {WHERE_RFAM}")
    for name, path in (("weights", find_weights(weights)), ("energies", OWN_ENERGIES)):
        typer.echo(f"{name:12} {path}")
        state = f"{sha256(path)} ({verdict(path)})" if is_file(path) else "MISSING"
        typer.echo(f"{'sha256':12} {state}")
    typer.echo(f"{'conditions':12} {STANDARD}; rescaled to others: {DEFAULT_PARAMETERS}")
    if backbone is not None:
        for name, value in describe(open_backbone(backbone, family, u_as)).items():
            typer.echo(f"{name:12} {value}")
