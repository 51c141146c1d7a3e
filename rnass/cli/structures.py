"""`rnass convert` and `rnass elements`."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from rnass.cli import shared
from rnass.errors import ExitStatus, InputError

__all__ = ["convert", "elements"]


def convert(
    source: Annotated[
        Path,
        typer.Argument(
            help="Structures: CT, BPSEQ, dot-bracket, Stockholm, a table, a folder of rnass predict or its .npy map."
        ),
    ],
    target: Annotated[
        Path, typer.Argument(help=".ct, .bpseq, .dbn, .sto, .tsv or .yaml; with --split a folder.")
    ],
    sequence: Annotated[Path | None, typer.Option(help="FASTA file with the RNA of a .npy map.")] = None,
    threshold: Annotated[
        float, typer.Option(help="Pairing probability above which a pair of a .npy map counts.")
    ] = 0.5,
    pseudoknots: Annotated[
        bool,
        typer.Option(help="--no-pseudoknots: leave pseudoknotted pairs out and print their number."),
    ] = True,
    split: Annotated[
        str | None,
        typer.Option(help="Format such as ct: one file for each record, in the folder TARGET."),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            help="Program that predicts 3-D structures: boltz writes a .yaml with each pair as a contact, "
            "for one record, or for each in the folder TARGET."
        ),
    ] = None,
    overwrite: shared.OverwriteFiles = False,
) -> None:
    """Convert structures from one file format to another, pseudoknots included."""
    from rnass.jobs.convert import convert_file

    problems: list[InputError] = []
    typer.echo(
        convert_file(
            source,
            target,
            sequence=sequence,
            threshold=threshold,
            pseudoknots=pseudoknots,
            split=split,
            program=to,
            overwrite=overwrite,
            problems=problems,
        )
    )
    _end(problems)


def elements(
    files: Annotated[
        list[str], typer.Argument(help="Structures: CT, BPSEQ, dot-bracket, Stockholm or a table.")
    ],
    out: shared.OutFile = None,
    overwrite: shared.OverwriteFiles = False,
) -> None:
    """List the elements of structures: stems, hairpins, bulges, loops, pseudoknotted helices."""
    from rnass.elements import elements_table
    from rnass.files import check_target, write_text

    problems: list[InputError] = []
    if out is not None:
        check_target(out, files, overwrite=overwrite)
    table = elements_table(files, problems)
    if out is None:
        typer.echo(table, nl=False)
    else:
        write_text(out, table)
    _end(problems)


def _end(problems: list[InputError]) -> None:
    """Report the bad records beside those that were good."""
    for problem in problems:
        logging.getLogger("rnass").error("%s", problem)
    if problems:
        raise typer.Exit(ExitStatus.FAILED)
