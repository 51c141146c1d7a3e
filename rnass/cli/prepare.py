"""`rnass prepare`: training data."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from rnass.cli import shared
from rnass.cli.options import Commands, listed
from rnass.errors import InputError, counted
from rnass.files import check_target, make_folder

__all__ = ["app"]

app = Commands(
    no_args_is_help=True,
    help="Make training data: curated sequences, members of families, sets that leak nothing.",
)


Seeds = Annotated[Path, typer.Argument(help="Stockholm alignments with SS_cons, .gz too.")]
Processes = Annotated[int, typer.Option(help="Processes that work at the same time.", min=1)]


@app.command("sequences", epilog="Example: rnass prepare sequences seqs.fa --out data/ --long window")
def prepare_sequences(
    inputs: Annotated[list[str], typer.Argument(help="FASTA files, .gz too.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for sequences.tsv.gz and report.json.")
    ],
    min_length: Annotated[int, typer.Option(help="Shorter sequences are dropped.", min=1)] = 20,
    max_length: Annotated[int, typer.Option(help="Most bases of a record; see --long.", min=1)] = 512,
    long: Annotated[
        Literal["cut", "window", "drop"],
        typer.Option(help="Longer sequences: cut to their 5' part, split into windows, or dropped."),
    ] = "cut",
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
    overwrite: shared.OverwriteFiles = False,
) -> None:
    """Curate sequences for pre-training: lengths, unknown bases, duplicates, structure annotation."""
    from rnass.io import write_labelled_tsv
    from rnass.preparation import curate

    files = out / "sequences.tsv.gz", out / "report.json"
    for file in files:
        check_target(file, [*inputs, exclude, regions], overwrite=overwrite)
    settings = curate.Curation(
        min_length=min_length, max_length=max_length, long=long, overlap=overlap, max_unknown=max_unknown
    )  # fmt: skip
    sequences, bad = _all_sequences(inputs)
    marks = None
    if regions:
        sequences, marks, wrong = _regions(regions, sequences, bad)
        bad += wrong
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
    make_folder(out)
    write_labelled_tsv(files[0], records)
    _report(files[1], read=len(sequences), bad=len(bad), kept=len(records), dropped=dropped)
    raise typer.Exit(int(bool(bad)))


@app.command("leakage", epilog="Exit status: 0 nothing near, or removed by --out; 1 something is near.")
def prepare_leakage(
    train_data: Annotated[
        Path, typer.Argument(help="FASTA, structures or a folder of these; for --out structures.")
    ],
    test_data: Annotated[Path, typer.Argument(help="What must stay apart from them: likewise.")],
    identity: Annotated[
        float, typer.Option(help="Least share of equal columns in an alignment that is near.")
    ] = 0.8,
    coverage: Annotated[
        float, typer.Option(help="Least share of the shorter sequence that it covers.")
    ] = 0.8,
    tool: Annotated[
        Literal["auto", "vsearch", "mmseqs", "kmers"],
        typer.Option(help="Search program; kmers is rnass's own; auto: the first that is installed."),
    ] = "auto",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Write the training records that are not near to this table (.tsv.gz)."
        ),
    ] = None,
    threads: shared.Threads = 0,
    overwrite: shared.OverwriteFiles = False,
) -> None:
    """List the training records that are near a test record, and remove them on request."""
    from rnass.io import read_labelled, read_rnas, write_labelled_tsv
    from rnass.preparation.leakage import best_tool, near

    if out:
        check_target(out, [train_data, test_data], overwrite=overwrite)
        make_folder(out.parent)
    chosen = best_tool() if tool == "auto" else tool
    problems: list[InputError] = []
    records = read_labelled(train_data) if out else []
    trained = [one.sequence for one in records] if out else read_rnas(train_data, problems)
    tests = read_rnas(test_data, problems)
    _leave_out(problems)
    hits = near(
        [rna.bases for rna in trained],
        [rna.bases for rna in tests],
        identity=identity,
        coverage=coverage,
        tool=chosen,
        threads=threads,
    )
    typer.echo(
        f"{len(hits)} of {counted(len(trained), 'record')} near one of {len(tests)} (by {chosen})"
    )
    for hit in sorted(hits, key=lambda hit: -hit.identity)[:10]:
        typer.echo(f"{hit.identity:7.1%}  {trained[hit.query].id}  {tests[hit.target].id}")
    if out:
        dropped = {hit.query for hit in hits}
        write_labelled_tsv(out, [record for k, record in enumerate(records) if k not in dropped])
    raise typer.Exit(1 if hits and not out else 0)


@app.command("families", epilog="Example: rnass prepare families seeds.sto --out data/ --per-family 100")
def prepare_families(
    seeds: Seeds,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for families.tsv.gz and report.json.")
    ],
    per_family: Annotated[int, typer.Option(help="Sequences to emit of each family.", min=1)] = 100,
    seed: Annotated[int, typer.Option(help="Of the random numbers.")] = 0,
    processes: Processes = 1,
    overwrite: shared.OverwriteFiles = False,
) -> None:
    """Emit new members of families, with structures, from Infernal's covariance models."""
    from rnass.io import read_stockholm, write_labelled_tsv
    from rnass.preparation.covariance import emit_families

    files = out / "families.tsv.gz", out / "report.json"
    for file in files:
        check_target(file, [seeds], overwrite=overwrite)
    alignments = read_stockholm(seeds)
    made = emit_families(alignments, per_family=per_family, seed=seed, processes=processes)
    make_folder(out)
    write_labelled_tsv(files[0], made.records)
    _report(
        files[1],
        families=len(alignments),
        kept=len(made.records),
        pairs=sum(len(record.structure.pairs) for record in made.records),
        dropped=made.dropped,
        failed=made.failed,
    )
    raise typer.Exit(int(bool(made.failed)))


@app.command(
    "align", epilog="Example: rnass prepare align seeds.sto seqs.fa --exclude near.txt --out a.tsv.gz"
)
def prepare_align(
    seeds: Seeds,
    inputs: Annotated[list[str], typer.Argument(help="FASTA files of unlabelled sequences.")],
    exclude: Annotated[
        Path, typer.Option(help="File of headers that must not be labelled, one a line.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Table of the labelled sequences (.tsv.gz).")],
    sources: Annotated[
        list[str] | None,
        typer.Option(
            help="Sources (what stands before | in a header) that were searched for that list, a,b or "
            "repeated; default: those in it."
        ),
    ] = None,
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
    overwrite: shared.OverwriteFiles = False,
) -> None:
    """Give known members of families the consensus structure, by Infernal's alignment to their model."""
    from rnass.io import read_stockholm, write_labelled_tsv
    from rnass.preparation import covariance
    from rnass.preparation.curate import read_names, read_table

    check_target(out, [seeds, *inputs, exclude, families], overwrite=overwrite)
    make_folder(out.parent)
    alignments, (sequences, bad) = read_stockholm(seeds), _all_sequences(inputs)
    allowed = covariance.may_be_labelled(sequences, read_names(exclude), listed(sources) or None)
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
    _report(
        None,
        read=len(sequences),
        bad=len(bad),
        kept=len(made.records),
        dropped=dropped,
        failed=made.failed,
    )
    raise typer.Exit(int(bool(bad or made.failed)))


def _all_sequences(paths: list[str]) -> tuple[list[Any], list[InputError]]:
    """The good records of some FASTA files, and what is wrong with the others, a line each on standard error.

    Raises:
        InputError: none is good.
    """
    from rnass.io import read_fasta

    sequences, problems = [], []
    for path in paths:
        good, bad = read_fasta(path)
        sequences += good
        problems += bad
    if not sequences:
        raise InputError("\n".join(map(str, problems)) or "no records; expected at least one")
    _leave_out(problems)
    return sequences, problems


def _regions(
    path: Path, sequences: list[Any], bad: list[InputError]
) -> tuple[list[Any], list[Any], list[InputError]]:
    """The sequences whose regions are good, these regions, and what is wrong with the others."""
    from rnass.io.entries import BadEntry, entry
    from rnass.jobs.regions import regions_in, regions_of

    found = regions_of(str(path), sequences, [problem.record for problem in bad])
    read = [entry(rna.id, path, partial(regions_in, rna, found.get(rna.id, ()))) for rna in sequences]
    problems = [one.error for one in read if isinstance(one, BadEntry)]
    _leave_out(problems)
    kept = [rna for rna, one in zip(sequences, read, strict=True) if not isinstance(one, BadEntry)]
    return kept, [region for one in read if not isinstance(one, BadEntry) for region in one], problems


def _leave_out(problems: list[InputError]) -> None:
    for problem in problems:
        typer.echo(f"rnass: left out: {problem}", err=True)


def _report(path: Path | None, **counts: Any) -> None:
    """Print what was done, and keep it as JSON."""
    from rnass.files import write_json

    for name, value in counts.items():
        for what, number in value.items() if isinstance(value, dict) else {"": value}.items():
            typer.echo(f"{name:9} {number if not what else f'{what}: {number}'}")
    if path:
        write_json(path, counts)
