"""`rnass label`: the labels that a trained head gives every RNA in some FASTA files, as a table."""

import sys
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from rnass.errors import ExitStatus, RnassError
from rnass.files import format_row, is_folder, sha256
from rnass.jobs.inputs import read_inputs
from rnass.jobs.results import Written
from rnass.jobs.runner import Job, RunOptions, divided, run_job
from rnass.jobs.stream import Stream, run_onto
from rnass.network.device import Device, choose_device
from rnass.prediction.limits import unreadable
from rnass.rna import Rna
from rnass.training.probe import FILE, load_probe

__all__ = ["LabelOptions", "label_files"]

_TABLE = "labels.tsv"

Cells = list[tuple[str, ...]]  # of each line of a record


@dataclass(frozen=True, kw_only=True)
class LabelOptions(RunOptions):
    """Options of `label_files`.

    Attributes:
        probe: of `rnass train --task`: its folder or file.
        backbone: see `rnass.training.probe.load_probe`.
        device: where the backbone runs.
    """

    probe: Path
    backbone: str | None = None
    device: Device = "auto"


def label_files(
    paths: Sequence[str], out: Path | None, options: LabelOptions, *, sequence: str | None = None
) -> ExitStatus:
    """Label every record of some FASTA files, and the RNA given as text.

    labels.tsv has the columns id, for a head of tokens the number of the token from 1, prediction, and
    for classes the probability of the predicted one.

    Args:
        paths: FASTA files.
        out: folder for the results; None prints the table.
        options: see there.
        sequence: an RNA.

    Raises:
        RnassError: see `rnass.jobs.runner.run_job`; no such head or backbone.
    """
    inputs = read_inputs(paths, sequence, any_length=True)
    if out is not None:
        return run_job(lambda: LabelJob(options), inputs, out, options)
    return run_onto(
        lambda: LabelJob(options),
        inputs,
        lambda job, records: Stream(sys.stdout.buffer, records, job.join(_TABLE, ()), _TABLE),
        options,
    )


class LabelJob(Job[Cells]):
    """Label RNAs."""

    kind: ClassVar[str] = "label"
    shared: Sequence[str] = (_TABLE,)

    def __init__(self, options: LabelOptions) -> None:
        path = options.probe / FILE if is_folder(options.probe) else options.probe
        self.head = load_probe(path, options.backbone)
        self.sha256 = sha256(path)
        self.encoder = self.head.needed().encoder.to(choose_device(options.device))
        self.of_tokens = self.head.config.task == "token"

    def identity(self) -> dict[str, Any]:
        """The head, which names its backbone."""
        return {"probe": self.sha256}

    def refusal(self, rna: Rna) -> RnassError | None:
        """Two strands, or bases that are no whole codons."""
        return unreadable(rna, self.encoder)

    def work(self, rnas: list[Rna]) -> Generator[tuple[int, Cells | RnassError], None, None]:
        """The cells of each line that a record has in the table, but the first."""
        return divided(self._label, rnas)

    def _label(self, rnas: list[Rna]) -> Iterator[tuple[int, Cells]]:
        for number, labels in self.head.predict_many([rna.bases for rna in rnas]):
            cells = [self.head.cells(one) for one in labels]
            if self.of_tokens:
                cells = [(str(token), *rest) for token, rest in enumerate(cells, start=1)]
            yield number, cells

    def write(self, folder: Path, name: str, rna: Rna, found: Cells) -> Written:
        """The lines of one record."""
        return Written(shared={_TABLE: "".join(format_row([rna.id, *cells]) for cells in found)})

    def join(self, name: str, parts: Sequence[str]) -> str:
        """The table."""
        token = ["token"] if self.of_tokens else []
        return format_row(["id", *token, *self.head.columns]) + "".join(parts)
