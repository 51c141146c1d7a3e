"""`rnass predict --out -`: every prediction on one stream, in the order of the input, and no folder."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from rnass.errors import ExitStatus, OutputError, RnassError
from rnass.files import format_row
from rnass.jobs.ahead import folding_ahead
from rnass.jobs.inputs import Inputs
from rnass.jobs.predict import PredictJob, PredictOptions, read_restrained
from rnass.jobs.record_text import BASE_COLUMNS, STREAMED, TEXTS
from rnass.jobs.results import Record, Written
from rnass.jobs.runner import Job, RunOptions, run_stream
from rnass.jobs.standard_output import drop_output, unwritable_output
from rnass.prediction.prediction import Prediction
from rnass.rna import Rna
from rnass.thermodynamics.folding import FoldAhead

__all__ = ["Stream", "predict_stream", "run_onto"]

_HEADINGS = {"tsv": format_row(BASE_COLUMNS)}
_TEXT = "text"  # the name of a record's part of the stream


def predict_stream(
    paths: Sequence[str], file: BinaryIO, options: PredictOptions, *, sequence: str | None = None
) -> ExitStatus:
    """Predict every record of some FASTA files, and the RNA given as text, onto a binary file.

    Each text is what the record's file in a results folder would hold; a table has its heading once. A
    text is written as soon as those before it are. A reader that closes the pipe ends the run.

    Raises:
        OutputError: not one of the formats in `STREAMED`; the stream cannot be written.
        RnassError: see `rnass.jobs.predict.predict_files`.
    """
    if len(options.formats) != 1 or options.formats[0] not in STREAMED:
        given = ", ".join(options.formats) or "none"
        raise OutputError(
            f"standard output: format {given}; expected one of {', '.join(STREAMED)}, or a folder"
        )
    (name,) = options.formats
    inputs = read_restrained(paths, options, sequence)
    with folding_ahead(inputs.rnas, options) as ahead:
        return run_onto(
            lambda: StreamJob(replace(options, formats=()), inputs, name, ahead),
            inputs,
            lambda _, records: Stream(file, records, _HEADINGS.get(name, "")),
            options,
        )


def run_onto(
    load: Callable[[], Job[Any]],
    inputs: Inputs,
    opened: Callable[[Job[Any], list[Record]], "Stream"],
    options: RunOptions,
) -> ExitStatus:
    """As `run_stream`; a reader that closes the pipe ends the run with status 0.

    Raises:
        RnassError: as there.
    """
    try:
        return run_stream(load, inputs, opened, options)
    except _ClosedError:
        drop_output()
        return ExitStatus.OK


class StreamJob(PredictJob):
    """Predict RNAs and give their texts."""

    def __init__(
        self, options: PredictOptions, inputs: Inputs, format_: str, ahead: FoldAhead | None
    ) -> None:
        super().__init__(options, inputs, ahead)
        self._text = TEXTS[format_]

    def write(self, folder: Path, name: str, rna: Rna, found: Prediction) -> Written:
        """No file, but the text of one."""
        return Written(shared={_TEXT: self._text(name, found)})


class Stream:
    """Texts of records, written in the order of the records; they stand in for a results folder.

    Args:
        file: binary; what is written is UTF-8.
        records: all of the run.
        heading: of a table, which each text may repeat and the stream has once.
        part: the name of a record's text among its parts of shared files.
    """

    folder = Path()

    def __init__(
        self, file: BinaryIO, records: Sequence[Record], heading: str = "", part: str = _TEXT
    ) -> None:
        self._file, self._heading, self._part = file, heading, part
        self._names = [record.name for record in records]
        self._held: dict[str, str] = {}  # texts that wait for one before them
        self._next = 0
        self._begun = False

    def __str__(self) -> str:
        return "standard output"

    def is_finished(self, name: str) -> bool:
        """None is, before it is written."""
        return False

    def finish(self, record: Record, written: Written) -> None:
        """Take the text of a record; raises OutputError."""
        self._take(record.name, written.shared[self._part])

    def fail(self, record: Record, error: RnassError) -> None:
        """Wait for a record no longer."""
        self._take(record.name, "")

    def _take(self, name: str, text: str) -> None:
        self._held[name] = text
        while self._next < len(self._names) and self._names[self._next] in self._held:
            self._write(self._held.pop(self._names[self._next]))
            self._next += 1

    def _write(self, text: str) -> None:
        text = text.removeprefix(self._heading)
        if text and not self._begun:
            text = self._heading + text
        self._begun |= bool(text)
        try:
            self._file.write(text.encode(errors="backslashreplace"))
            self._file.flush()
        except BrokenPipeError as error:
            raise _ClosedError from error
        except OSError as error:
            raise unwritable_output(error) from error


class _ClosedError(RnassError):
    """Nobody reads the stream any longer."""
