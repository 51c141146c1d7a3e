"""What a trained head says of every RNA in some FASTA files, as a table."""

import logging
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

from rnass.files import write_atomically
from rnass.jobs.predict import read_inputs
from rnass.network.device import Device, choose_device
from rnass.prediction.predictor import unreadable
from rnass.progress import record_bar
from rnass.rna import Rna
from rnass.training.probe import Probe, load_probe

__all__ = ["label_files"]

log = logging.getLogger("rnass")

_TOGETHER = 256  # RNAs that are read and written together


def label_files(
    paths: list[str],
    probe: Path,
    out: Path | None = None,
    *,
    backbone: str | None = None,
    device: Device = "auto",
    quiet: bool = False,
) -> int:
    """Write what a head says of each record, in their order; gives the exit status.

    0: all is well; 1: a record was bad, the others are written (no table if all are).

    The columns are id, for a head of tokens the number of the token from 1, prediction, and for classes
    the probability of the predicted one.

    Args:
        paths: FASTA files.
        probe: what `rnass.training.probe.train_probe` made, its folder or file.
        out: of the table; None for standard output.
        backbone: see `rnass.training.probe.load_probe`.
        device: where the backbone runs.
        quiet: no progress bar.

    Raises:
        RnassError: no such head or backbone, a table that cannot be written.
    """
    sequences, problems = read_inputs(paths, any_length=True)
    head = load_probe(probe, backbone)
    encoder = head.needed().encoder.to(choose_device(device))
    problems += [bad for one in sequences if (bad := unreadable(one, encoder))]
    good = [sequence for sequence in sequences if not unreadable(sequence, encoder)]
    for problem in problems:
        log.error("%s", problem)
    if not good:
        return 1
    with (
        nullcontext(sys.stdout.buffer) if out is None else write_atomically(out) as file,
        record_bar(len(good), quiet=quiet) as advance,
    ):
        file.write(_line("id", *(["token"] if head.config.task == "token" else []), *head.columns))
        for start in range(0, len(good), _TOGETHER):
            for sequence, rows in _labelled(head, good[start : start + _TOGETHER]):
                file.write(rows)
                advance(len(sequence))
    return int(bool(problems))


def _labelled(head: Probe, sequences: list[Rna]) -> Iterator[tuple[Rna, bytes]]:
    """The RNAs in their order, each with its lines of the table."""
    said = dict(head.predict_many([sequence.bases for sequence in sequences]))
    for number, sequence in enumerate(sequences):
        cells = [head.cells(one) for one in said[number]]
        if head.config.task == "token":
            cells = [(str(token), *rest) for token, rest in enumerate(cells, start=1)]
        yield sequence, b"".join(_line(sequence.id, *rest) for rest in cells)


def _line(*cells: str) -> bytes:
    return ("\t".join(cells) + "\n").encode()
