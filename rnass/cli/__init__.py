"""The command line: parse, call one function, format errors. A module for each group of commands."""

import logging
import os
import sys
from typing import Annotated

import typer

import rnass
from rnass.cli import backbones, judging, plot, predict, prepare, report, serve, structures, train
from rnass.cli.cite import citation
from rnass.cli.options import Commands
from rnass.cli.output import checked_output
from rnass.errors import ExitStatus, RnassError, UnexpectedError, record_error

__all__ = ["app", "main"]

_STATUSES = """Exit status of every command: 0 all well; 1 some records are bad or failed, the others are
written; 2 stopped by an error; 70 a fault of rnass itself; 130 interrupted by Ctrl-C, 143 by SIGTERM, when
every finished record is written."""

app = Commands(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Predict RNA secondary structure, pseudoknots included, from a language model and ViennaRNA.",
    epilog=f"Start with: rnass predict seqs.fa --out results/\n\n{' '.join(_STATUSES.split())}",
)


def main() -> None:
    """Run a command; an error is one line on standard error, see `rnass.errors.ExitStatus`."""
    os.environ["MPLBACKEND"] = "agg"  # figures go to files, whatever the user's sessions draw on
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the shell
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
    try:
        with checked_output():
            app(prog_name="rnass")
    except RnassError as error:
        logging.getLogger("rnass").debug("stopped", exc_info=error)
        _leave(str(error), ExitStatus.STOPPED)
    except Exception as error:
        known = record_error(error, "rnass")
        fault = isinstance(known, UnexpectedError)
        _leave(str(known).removeprefix("rnass: "), ExitStatus.FAULT if fault else ExitStatus.STOPPED)


def _leave(message: str, status: ExitStatus) -> None:
    sys.stderr.write(f"rnass: {message}\n")
    sys.exit(status)


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
    cite: Annotated[bool, typer.Option("--cite", help="Print how to cite rnass and leave.")] = False,
) -> None:
    """The options of rnass itself."""
    if cite:
        typer.echo(citation(), nl=False)
        raise typer.Exit
    if version:
        typer.echo(f"rnass {rnass.__version__}")
        raise typer.Exit


# in the order of `rnass --help`
app.command(epilog="Example: rnass predict seqs.fa more.fa.gz --out results/ --plot svg")(
    predict.predict
)
app.command()(predict.info)
app.command()(train.pretrain)
app.command()(train.train)
app.command()(train.fit)
app.command()(train.combine)
app.command(epilog="Example: rnass evaluate --data test.tsv.gz --predictions other=predictions.dbn")(
    judging.evaluate
)
app.command(
    epilog="Example: rnass compare seqs.fa --out comparison/ --predictions other=predictions.dbn"
)(judging.compare)
app.command(epilog="Example: rnass plot results/ --kind drawing --size 180mm --out figures/")(plot.plot)
app.command(epilog="Example: rnass report results/")(report.report)
app.command(epilog="Example: rnass serve --port 8765")(serve.serve)
app.command(epilog="Example: rnass convert alignment.sto structures.dbn")(structures.convert)
app.command(epilog="Example: rnass elements structures.dbn")(structures.elements)
app.command()(backbones.backbones)
app.command(epilog="Example: rnass embed seqs.fa --out embeddings/ --pool mean")(backbones.embed)
app.command("fill-mask", epilog='Example: rnass fill-mask "GGUC<mask>CUCUGG<mask>" --top 3')(
    backbones.fill_mask
)
app.command(epilog="Example: rnass attention seqs.fa --out attention/ --structure known.dbn")(
    backbones.attention
)
app.command(epilog="Example: rnass label seqs.fa --probe types/ --out labels/")(backbones.label)
app.add_typer(prepare.app, name="prepare")
