"""`rnass report`."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["report"]


def report(
    folder: Annotated[Path, typer.Argument(help="Results of rnass predict, compare or evaluate.")],
) -> None:
    """Write report.html into a folder of results: one page that opens without a network."""
    from rnass.report import write_report

    typer.echo(write_report(folder))
