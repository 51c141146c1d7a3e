"""`rnass serve`."""

from pathlib import Path
from typing import Annotated

import typer

from rnass.cli import shared
from rnass.files import is_file

__all__ = ["serve"]


def serve(
    folder: Annotated[
        Path, typer.Option("--out", "-o", help="Folder of the jobs; they are still there next time.")
    ] = Path("rnass-jobs"),
    port: Annotated[int, typer.Option(help="Port of this computer.", min=1, max=65535)] = 8765,
    weights: shared.Weights = None,
    device: shared.Device = "auto",
    threads: shared.Threads = 0,
    max_records: Annotated[int, typer.Option(help="Most records of a job.", min=1)] = 1000,
    max_bases: Annotated[int, typer.Option(help="Most bases of a job.", min=1)] = 200_000,
    max_upload: Annotated[
        int, typer.Option(help="Most bytes that are sent at once.", min=1)
    ] = 5_000_000,
    max_queued: Annotated[int, typer.Option(help="Most jobs that wait.", min=1)] = 20,
) -> None:
    """Open a web page on this computer that predicts: paste RNAs, watch, see the report, download a zip.

    Listens on 127.0.0.1 only. Jobs run one at a time; those that a stop interrupts go on at the next start.
    """
    from rnass.errors import DependencyError
    from rnass.network.weights import find_weights

    try:
        from rnass.serve import JobQueue, Limits, listening
        from rnass.serve import serve as answer
    except ModuleNotFoundError as error:
        raise DependencyError(
            f"rnass serve: {error.name} is not installed; expected: pip install starlette uvicorn"
        ) from error
    limits = Limits(records=max_records, bases=max_bases, upload=max_upload, queued=max_queued)
    arguments = ["--device", device, "--threads", str(threads)]
    find_weights(weights)  # refused here, not by every job
    if weights is not None and is_file(Path(weights)):
        weights = str(Path(weights).resolve())  # a job runs in a folder of its own
    with listening(port) as listener:  # first: without a port nothing is made
        answer(JobQueue(folder, limits, arguments, weights), listener)
