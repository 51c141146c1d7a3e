"""The command line: parse, call one function, format errors."""

import logging
import os
import sys
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

import rnass
from rnass.errors import RnassError, counted

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


class ShapeMethodName(str, Enum):
    """How reactivities become log-odds."""

    deigan = "deigan"
    likelihood = "likelihood"


class Decoder(str, Enum):
    """How a probability map becomes a structure."""

    matching = "matching"
    threshknot = "threshknot"
    greedy = "greedy"
    nested = "nested"


class Task(str, Enum):
    """What a head on a backbone says."""

    contact = "contact"
    token = "token"
    sequence = "sequence"


Weights = Annotated[
    str | None, typer.Option(help="Name or file of the weights; default: those shipped.")
]
BackboneOption = Annotated[
    str | None,
    typer.Option(help="RNA language model: a path, or a name of rnass backbones; default: rnass's own."),
]
BackboneOfWeights = Annotated[
    str | None,
    typer.Option(help="Path or name of the RNA language model, where the weights do not hold it."),
]
Family = Annotated[
    str | None,
    typer.Option(
        help="Kind of language model: rna-fm, mrna-fm, rnabert, aido-rna or plantrna-fm; default: told "
        "by its files."
    ),
]
UAs = Annotated[
    str | None,
    typer.Option("--u-as", help="T or U: the token that a U is read as; default: told by its files."),
]
Thermodynamics = Annotated[
    bool, typer.Option(help="Show the network ViennaRNA's base-pair probabilities, or do not.")
]
DecoderOption = Annotated[
    Decoder | None,
    typer.Option(
        help="How probabilities become pairs: matching is exact, with pseudoknots, nested exact without; "
        "default: as chosen with the weights."
    ),
]
Threshold = Annotated[
    str,
    typer.Option(
        help="Pairing probability above which a pair counts, between 0 and 1; auto: as chosen with the "
        "weights."
    ),
]
MinHelix = Annotated[
    int | None,
    typer.Option(help="Fewest stacked pairs of a helix; default: as chosen with the weights.", min=1),
]
Noncanonical = Annotated[
    bool | None, typer.Option(help="Allow pairs other than A-U, G-C and G-U, or do not.")
]
Predictions = Annotated[
    list[str] | None,
    typer.Option(
        "--predictions", help="NAME=PATH: structures by another program, a file or folder; repeatable."
    ),
]
Also = Annotated[
    list[Decoder] | None,
    typer.Option("--also", help="Another decoder of rnass's map, as a line of its own; repeatable."),
]
DeviceOption = Annotated[
    DeviceName,
    typer.Option(
        help="Where the network runs; auto: on a CUDA GPU if there is one, else on the processor."
    ),
]
PrecisionOption = Annotated[
    Precision, typer.Option(help="Arithmetic of the network; bfloat16 is coarser, and faster on a GPU.")
]
Threads = Annotated[
    int, typer.Option(help="Processor threads; 0: all cores. Fewer take less memory.", min=0)
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Errors only.")]


def main() -> None:
    """Run a command; an expected error is one line on standard error and exit status 2."""
    try:
        app(prog_name="rnass")
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
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the results in --out.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Do only what is missing in --out.")] = False,
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
            help="ViennaRNA's share in the probabilities that become pairs: 0 is the network alone, 1 "
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
    _log_to_stderr(quiet=quiet)
    if not inputs and sequence is None:
        raise typer.BadParameter("no input: name FASTA files, - for standard input, or --sequence")
    if not pseudoknots and decoder not in (None, Decoder.nested):
        raise typer.BadParameter(
            f"--no-pseudoknots with --decoder {decoder.value}; expected one of them"
        )
    from rnass.job import JobOptions, predict_files

    decoding = _decoding(decoder if pseudoknots else Decoder.nested, threshold)
    chosen = {"min_helix": min_helix, "max_order": max_order, "max_span": max_span}
    decoding |= {key: value for key, value in chosen.items() if value is not None}
    if noncanonical is not None:
        decoding["canonical"] = not noncanonical
    if exact:
        decoding["exact"] = True
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
        decoding=decoding,
        threads=threads,
        seed=seed,
        quiet=quiet,
        constraints=constraints,
        shape=shape,
        shape_method=shape_method.value,
        mix=mix,
        alternatives=alternatives,
    )
    raise typer.Exit(predict_files(inputs or [], out, options, sequence=sequence))


@app.command()
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
    from rnass.job import versions
    from rnass.predictor import choose_device
    from rnass.weights import describe, find_weights, manifest_entry, open_backbone, sha256

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
    if backbone is not None:
        for name, value in describe(open_backbone(backbone, family, u_as)).items():
            typer.echo(f"{name:12} {value}")


@app.command()
def pretrain(
    config: Annotated[Path, typer.Argument(help="TOML file of settings; configs/ holds some.")],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="Folder for the run; one that was interrupted there goes on."),
    ],
    device: DeviceOption = DeviceName.auto,
    threads: Threads = 0,
) -> None:
    """Pre-train an RNA language model (a backbone): to guess masked bases, and structures."""
    _log_to_stderr(quiet=False)
    from rnass.config import PretrainConfig, read_toml
    from rnass.pretrain import pretrain as run

    settings = read_toml(PretrainConfig, config)
    typer.echo(run(settings, out, _training_device(device, threads)))


@app.command()
def train(
    config: Annotated[Path, typer.Argument(help="TOML file of settings; configs/ holds some.")],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="Folder for the run; one that was interrupted there goes on."),
    ],
    backbone: Annotated[
        str | None,
        typer.Option(
            help="RNA language model, instead of the configuration's: a path, or a name of rnass backbones."
        ),
    ] = None,
    family: Family = None,
    u_as: UAs = None,
    task: Annotated[
        Task,
        typer.Option(
            help="What is learnt: contact, base pairs; token, a label of each base or codon; sequence, a "
            "label of each RNA."
        ),
    ] = Task.contact,
    device: DeviceOption = DeviceName.auto,
    threads: Threads = 0,
    processes: Annotated[
        int, typer.Option(help="Worker processes that fold the data by ViennaRNA; 0: none.", min=0)
    ] = 0,
) -> None:
    """Train the network that says which bases pair (a contact head on a backbone), and calibrate it.

    With --task token or sequence: train a small head on frozen embeddings, and print its scores; rnass
    label uses it.
    """
    _log_to_stderr(quiet=False)
    from rnass.config import ProbeConfig, TrainConfig, read_toml

    given = {"backbone": backbone, "family": family, "u_as": u_as}
    chosen = {key: value for key, value in given.items() if value}
    if task is not Task.contact:
        from rnass.probe import train_probe

        probe = read_toml(ProbeConfig, config, chosen | {"task": task.value})
        typer.echo(train_probe(probe, out, _training_device(device, threads)), nl=False)
        return
    from rnass.train import train as run

    settings = read_toml(TrainConfig, config, chosen)
    typer.echo(run(settings, out, _training_device(device, threads), processes))


@app.command(epilog="Example: rnass evaluate --data test.tsv.gz --predictions other=predictions.dbn")
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
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an earlier run's files in --out.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Judge rnass, ViennaRNA and other programs on RNAs whose structure is known."""
    _log_to_stderr(quiet=quiet)
    from rnass.evaluate import EvaluateOptions, evaluate_files

    decoding = _decoding(decoder, threshold) | ({} if min_helix is None else {"min_helix": min_helix})
    options = EvaluateOptions(
        predictions={name: Path(path) for name, path in _assignments(predictions, "NAME=PATH").items()},
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
        decoding=decoding | ({} if noncanonical is None else {"canonical": not noncanonical}),
        threads=threads,
        overwrite=overwrite,
        quiet=quiet,
    )
    typer.echo(evaluate_files(data, options, out), nl=False)


@app.command(
    epilog="Example: rnass compare seqs.fa --out comparison/ --predictions other=predictions.dbn"
)
def compare(
    inputs: Annotated[list[str], typer.Argument(help="FASTA files, .gz too; - reads standard input.")],
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
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an earlier run's files in --out.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Predict by rnass, ViennaRNA and other programs, and show where they agree."""
    _log_to_stderr(quiet=quiet)
    from rnass.compare import compare_files
    from rnass.evaluate import ContenderOptions

    options = ContenderOptions(
        predictions={name: Path(path) for name, path in _assignments(predictions, "NAME=PATH").items()},
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


@app.command(epilog="Example: rnass convert alignment.sto structures.dbn")
def convert(
    source: Annotated[
        Path,
        typer.Argument(
            help="Structures: .ct, .bpseq, .dbn, .sto, .json or .tsv; or a .npy map of rnass predict."
        ),
    ],
    target: Annotated[
        Path, typer.Argument(help=".ct, .bpseq, .dbn, .sto, .json or .tsv; with --split a folder.")
    ],
    sequence: Annotated[Path | None, typer.Option(help="FASTA file with the RNA of a .npy map.")] = None,
    threshold: Annotated[
        float, typer.Option(help="Pairing probability above which a pair of a .npy map counts.")
    ] = 0.5,
    pseudoknots: Annotated[
        bool, typer.Option(help="--no-pseudoknots: leave their pairs out, and say how many.")
    ] = True,
    split: Annotated[
        str | None,
        typer.Option(help="Format, ct say: a file of it for each record, in the folder TARGET."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that are there.")
    ] = False,
) -> None:
    """Convert structures from one file format to another, pseudoknots included."""
    from rnass.convert import convert_file

    typer.echo(
        convert_file(
            source,
            target,
            sequence=sequence,
            threshold=threshold,
            pseudoknots=pseudoknots,
            split=split,
            overwrite=overwrite,
        )
    )


@app.command(epilog="Example: rnass elements structures.dbn")
def elements(
    files: Annotated[list[str], typer.Argument(help="Structures: .ct, .bpseq, .dbn, .sto or .tsv.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File; default: the terminal.")] = None,
) -> None:
    """Name the elements of structures: stems, hairpins, bulges, loops, pseudoknotted helices."""
    from rnass.elements import elements_table
    from rnass.io import write_text

    table = elements_table(files)
    if out is None:
        typer.echo(table, nl=False)
    else:
        write_text(out, table)


def _training_device(device: DeviceName, threads: int) -> Any:
    """The device, with memory and threads set for a long run; under torchrun each process has its own."""
    import torch

    from rnass.allocator import keep_freed_memory
    from rnass.predictor import choose_device

    keep_freed_memory()
    if threads:
        torch.set_num_threads(threads)
    chosen = choose_device(device.value)
    if chosen.type == "cuda" and "LOCAL_RANK" in os.environ:
        return torch.device("cuda", int(os.environ["LOCAL_RANK"]))
    return chosen


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


def _log_to_stderr(*, quiet: bool) -> None:
    logging.basicConfig(
        level=logging.WARNING, format="rnass: %(message)s", stream=sys.stderr, force=True
    )
    # of other packages only warnings are of interest
    logging.getLogger("rnass").setLevel(logging.ERROR if quiet else logging.INFO)


prepare = typer.Typer(
    no_args_is_help=True,
    help="Make training data: curated sequences, members of families, sets that leak nothing.",
)
app.add_typer(prepare, name="prepare")


class LongSequence(str, Enum):
    """What becomes of a sequence over the maximum length."""

    cut = "cut"
    window = "window"
    drop = "drop"


Processes = Annotated[int, typer.Option(help="Processes that work at the same time.", min=1)]


@prepare.command(
    "sequences", epilog="Example: rnass prepare sequences seqs.fa --out data/ --long window"
)
def prepare_sequences(
    inputs: Annotated[list[str], typer.Argument(help="FASTA files, .gz too.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for sequences.tsv.gz and report.json.")
    ],
    min_length: Annotated[int, typer.Option(help="Shorter sequences are dropped.", min=1)] = 20,
    max_length: Annotated[int, typer.Option(help="Most bases of a record; see --long.", min=1)] = 512,
    long: Annotated[
        LongSequence,
        typer.Option(help="Longer sequences: cut to their 5' part, split into windows, or dropped."),
    ] = LongSequence.cut,
    overlap: Annotated[int, typer.Option(help="Bases that neighbouring windows share.", min=0)] = 0,
    max_unknown: Annotated[
        float, typer.Option(help="Highest share of N; sequences with more are dropped.", min=0, max=1)
    ] = 0.05,
    exclude: Annotated[
        Path | None, typer.Option(help="File of headers to leave out, one a line.")
    ] = None,
    structure: Annotated[
        bool, typer.Option(help="Annotate with ViennaRNA's MFE structure, or do not.")
    ] = True,
    max_span: Annotated[
        int, typer.Option(help="Most bases that a pair of it spans; 0: no bound.", min=0)
    ] = 30,
    regions: Annotated[
        Path | None,
        typer.Option(help="BED file of the bases that pre-training may mask; default: all of them."),
    ] = None,
    processes: Processes = 1,
) -> None:
    """Curate sequences for pre-training: lengths, unknown bases, duplicates, structure annotation."""
    from rnass import curate
    from rnass.io import write_labelled_tsv

    settings = curate.Curation(
        min_length=min_length, max_length=max_length, long=long.value, overlap=overlap, max_unknown=max_unknown
    )  # fmt: skip
    marks = curate.read_regions(regions) if regions else None
    sequences = _all_sequences(inputs)
    parts, dropped = curate.curate(sequences, settings, curate.read_names(exclude) if exclude else ())
    records = list(
        curate.label(
            parts,
            fold=structure,
            max_span=max_span or None,
            regions=marks,
            processes=processes if processes > 1 else 0,
        )
    )
    out.mkdir(parents=True, exist_ok=True)
    write_labelled_tsv(out / "sequences.tsv.gz", records)
    _report(out / "report.json", read=len(sequences), kept=len(records), dropped=dropped)


@prepare.command(
    "leakage", epilog="Exit status: 0 nothing near, or removed by --out; 1 something is near."
)
def prepare_leakage(
    train_data: Annotated[
        Path, typer.Argument(help="Labelled records: .ct .bpseq .dbn .tsv or a folder.")
    ],
    test_data: Annotated[
        Path, typer.Argument(help="What must stay apart from them: the same, or FASTA.")
    ],
    identity: Annotated[
        float, typer.Option(help="Least share of equal columns in an alignment that is near.")
    ] = 0.8,
    coverage: Annotated[
        float, typer.Option(help="Least share of the shorter sequence that it covers.")
    ] = 0.8,
    tool: Annotated[
        str,
        typer.Option(
            help="vsearch, mmseqs, or kmers, which is rnass's own; auto: the first that is installed."
        ),
    ] = "auto",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Write the training records that are not near to this table (.tsv.gz)."
        ),
    ] = None,
    threads: Threads = 0,
) -> None:
    """List the training records that are near a test record, and remove them on request."""
    from rnass.io import read_labelled, write_labelled_tsv
    from rnass.leakage import TOOLS, best_tool, near

    chosen = best_tool() if tool == "auto" else next((one for one in TOOLS if one == tool), None)
    if chosen is None:
        raise typer.BadParameter(f"tool {tool!r}; expected auto or one of {', '.join(TOOLS)}")
    records, tests = read_labelled(train_data), _named_bases(test_data)
    hits = near(
        [record.sequence.bases for record in records],
        [bases for _, bases in tests],
        identity=identity,
        coverage=coverage,
        tool=chosen,
        threads=threads,
    )
    typer.echo(
        f"{len(hits)} of {counted(len(records), 'record')} near one of {len(tests)} (by {chosen})"
    )
    for hit in sorted(hits, key=lambda hit: -hit.identity)[:10]:
        typer.echo(f"{hit.identity:7.1%}  {records[hit.query].id}  {tests[hit.target][0]}")
    if out:
        dropped = {hit.query for hit in hits}
        write_labelled_tsv(out, [record for k, record in enumerate(records) if k not in dropped])
    raise typer.Exit(1 if hits and not out else 0)


@prepare.command(
    "families", epilog="Example: rnass prepare families seeds.sto --out data/ --per-family 100"
)
def prepare_families(
    seeds: Annotated[Path, typer.Argument(help="Stockholm alignments with SS_cons, .gz too.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for families.tsv.gz and report.json.")
    ],
    per_family: Annotated[int, typer.Option(help="Sequences to emit of each family.", min=1)] = 100,
    seed: Annotated[int, typer.Option(help="Of the random numbers.")] = 0,
    processes: Processes = 1,
) -> None:
    """Emit new members of families, with structures, from Infernal's covariance models."""
    from rnass.covariance import emit_families
    from rnass.io import read_stockholm, write_labelled_tsv

    alignments = read_stockholm(seeds)
    made = emit_families(alignments, per_family=per_family, seed=seed, processes=processes)
    out.mkdir(parents=True, exist_ok=True)
    write_labelled_tsv(out / "families.tsv.gz", made.records)
    _report(
        out / "report.json",
        families=len(alignments),
        kept=len(made.records),
        pairs=sum(len(record.structure.pairs) for record in made.records),
        dropped=made.dropped,
        failed=made.failed,
    )


@prepare.command(
    "align", epilog="Example: rnass prepare align seeds.sto seqs.fa --exclude near.txt --out a.tsv.gz"
)
def prepare_align(
    seeds: Annotated[Path, typer.Argument(help="Stockholm alignments with SS_cons, .gz too.")],
    inputs: Annotated[list[str], typer.Argument(help="FASTA files of unlabelled sequences.")],
    exclude: Annotated[
        Path, typer.Option(help="File of headers that must not be labelled, one a line.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Table of the labelled sequences (.tsv.gz).")],
    sources: Annotated[
        str,
        typer.Option(
            help="Sources (what stands before | in a header) that were searched for that list, a,b; "
            "default: those in it."
        ),
    ] = "",
    families: Annotated[
        Path | None, typer.Option(help="Table of two columns: header or id, family.")
    ] = None,
    identity: Annotated[
        float | None,
        typer.Option(
            help="Sequences of no known family join that of the nearest seed with this share equal."
        ),
    ] = None,
    posterior: Annotated[
        float, typer.Option(help="Least mean posterior probability of the aligned bases.")
    ] = 0.8,
    held: Annotated[
        float, typer.Option(help="Least share of the consensus pairs that a sequence has.")
    ] = 0.7,
    min_length: Annotated[int, typer.Option(help="Shorter ones are not aligned.")] = 30,
    max_length: Annotated[int, typer.Option(help="Longer ones are not aligned.")] = 1600,
    processes: Processes = 1,
) -> None:
    """Give known members of families the consensus structure, by Infernal's alignment to their model."""
    from rnass import covariance
    from rnass.curate import read_names, read_table
    from rnass.io import read_stockholm, write_labelled_tsv

    alignments, sequences = read_stockholm(seeds), _all_sequences(inputs)
    allowed = covariance.may_be_labelled(
        sequences, read_names(exclude), sources.split(",") if sources else None
    )
    table = read_table(families) if families else None
    members = covariance.find_families(allowed, alignments, table=table, identity=identity)
    trust = covariance.Trust(posterior=posterior, held=held, lengths=(min_length, max_length))
    made = covariance.align_members(alignments, members, trust=trust, processes=processes)
    write_labelled_tsv(out, made.records)
    dropped = {
        "excluded or of a source that was not searched": len(sequences) - len(allowed),
        "no family": len(allowed) - sum(map(len, members.values())),
        **made.dropped,
    }
    _report(None, read=len(sequences), kept=len(made.records), dropped=dropped, failed=made.failed)


def _all_sequences(paths: list[str]) -> list[Any]:
    """The good records of some FASTA files; each bad one is a line on standard error."""
    from rnass.io import read_fasta

    sequences = []
    for path in paths:
        good, bad = read_fasta(path)
        sequences += good
        for problem in bad:
            typer.echo(f"rnass: left out: {problem}", err=True)
    return sequences


def _named_bases(path: Path) -> list[tuple[str, str]]:
    """Ids and bases of labelled records or of FASTA."""
    from rnass.io import read_labelled

    if Path(path.name.removesuffix(".gz")).suffix.lower() in {".fa", ".fasta", ".fna"}:
        return [(one.id, one.bases) for one in _all_sequences([str(path)])]
    return [(record.id, record.sequence.bases) for record in read_labelled(path)]


def _report(path: Path | None, **counts: Any) -> None:
    """Print what was done, and keep it as JSON."""
    from rnass.io import write_json

    for name, value in counts.items():
        for what, number in value.items() if isinstance(value, dict) else {"": value}.items():
            typer.echo(f"{name:9} {number if not what else f'{what}: {number}'}")
    if path:
        write_json(path, counts)


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


@app.command()
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


@app.command(epilog="Example: rnass embed seqs.fa --out embeddings/ --pool mean")
def embed(
    inputs: Annotated[
        list[str] | None, typer.Argument(help="FASTA files, .gz too; - reads standard input.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the results.")] = Path(
        "embeddings"
    ),
    sequence: Annotated[
        str | None, typer.Option(help="One RNA as text, instead of or beside files.")
    ] = None,
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
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the results in --out.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Do only what is missing in --out.")] = False,
    quiet: Quiet = False,
) -> None:
    """Embed every RNA in some FASTA files: a row per base or codon, or one vector.

    RNAs over the backbone's context are read in windows and averaged; summary.tsv says which.
    """
    _log_to_stderr(quiet=quiet)
    if not inputs and sequence is None:
        raise typer.BadParameter("no input: name FASTA files, - for standard input, or --sequence")
    from rnass.embed import EmbedOptions, embed_files

    _set_threads(threads)
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


@app.command("fill-mask", epilog='Example: rnass fill-mask "GGUC<mask>CUCUGG<mask>" --top 3')
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
    from rnass.predictor import choose_device
    from rnass.weights import open_backbone

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


@app.command(epilog="Example: rnass attention seqs.fa --out attention/ --structure known.dbn")
def attention(
    inputs: Annotated[list[str], typer.Argument(help="FASTA files, .gz too; - reads standard input.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the results.")] = Path(
        "attention"
    ),
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
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the results in --out.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Do only what is missing in --out.")] = False,
    quiet: Quiet = False,
) -> None:
    """Write a language model's attention maps, and which of its heads agree best with the structure."""
    _log_to_stderr(quiet=quiet)
    from rnass.attention import AttentionOptions, attention_files

    _set_threads(threads)
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


@app.command(epilog="Example: rnass label seqs.fa --probe types/ --out labels.tsv")
def label(
    inputs: Annotated[list[str], typer.Argument(help="FASTA files, .gz too; - reads standard input.")],
    probe: Annotated[
        Path, typer.Option(help="What rnass train --task made: the folder, or its probe.safetensors.")
    ],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File; default: the terminal.")] = None,
    backbone: BackboneOfWeights = None,
    device: DeviceOption = DeviceName.auto,
    threads: Threads = 0,
    quiet: Quiet = False,
) -> None:
    """Label every RNA, or each of its bases, with a class or a number, by a head of rnass train --task.

    The backbone is the one of the training; --backbone says where it is now.
    """
    _log_to_stderr(quiet=quiet)
    from rnass.label import label_files

    _set_threads(threads)
    raise typer.Exit(
        label_files(inputs, probe, out, backbone=backbone, device=device.value, quiet=quiet)
    )


def _set_threads(threads: int) -> None:
    import torch

    if threads:
        torch.set_num_threads(threads)


if __name__ == "__main__":
    main()
