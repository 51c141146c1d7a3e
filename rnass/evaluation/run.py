"""`rnass evaluate`: read, predict, judge, print and write."""

import dataclasses
import time
from collections.abc import Mapping
from collections.abc import Sequence as Items
from pathlib import Path
from typing import Any

from rnass.errors import InputError, OutputError
from rnass.evaluation.methods import Methods
from rnass.evaluation.options import EvaluateOptions, load_methods
from rnass.evaluation.references import References, read_others, read_references
from rnass.evaluation.report import as_table, judged, per_record
from rnass.evaluation.scores import Tally
from rnass.files import is_file, is_there, make_folder, sha256, write_json, write_text
from rnass.io import LabelledRecord
from rnass.network.weights import find_weights
from rnass.prediction.origin import origin, versions
from rnass.progress import record_bar
from rnass.rna import Rna

__all__ = ["evaluate", "evaluate_files"]

_FILES = ("evaluation.json", "evaluation.txt", "records.tsv", "evaluation.svg")


def evaluate_files(data: Items[str | Path], options: EvaluateOptions, out: Path | None = None) -> str:
    """Judge methods on the records of *data*; returns the table as text.

    Writes to *out*, if given: `evaluation.json` (all scores), `evaluation.txt` (the table),
    `records.tsv` (F1 of every method on every RNA) and `evaluation.svg` (F1 by length, reliability).

    Raises:
        InputError: data, predictions or restraints that cannot be read, names file and line; restraints
            on no record.
        ConfigError: there is no method to judge.
        OutputError: the folder holds an evaluation and `overwrite` is off, or files of these names that
            are of none, or cannot be written.
    """
    began = time.monotonic()
    if out is not None:
        _check_earlier(out, overwrite=options.overwrite)
    references = read_references(
        data, columns=options.columns, max_length=options.max_length, limit=options.limit
    )
    sequences = [record.sequence for record in references.records]
    others = {name: read_others(name, path, sequences) for name, path in options.predictions.items()}
    problems = [problem for other in others.values() for problem in other.problems]
    methods = load_methods(options, {name: other.structures for name, other in others.items()})
    tally, failures = evaluate(references.records, methods, options.restrain(sequences))
    about = _about(data, references, methods, options)
    report = judged(tally, about) | {
        "problems": [*problems, *failures],
        "seconds": round(time.monotonic() - began, 2),
    }
    table = as_table(report)
    if out is not None:
        _write(out, report, table, tally)
    return table


def evaluate(
    records: Items[LabelledRecord],
    methods: Methods,
    restrained: Items[Rna | InputError],
) -> tuple[Tally, list[str]]:
    """Predict every record and count; returns the counts and a message per missing prediction.

    Args:
        records: the known structures.
        methods: that predict.
        restrained: the RNA of each record with its restraints, or why they do not fit it.
    """
    tally = Tally(records, methods.names)
    failures: list[str] = []
    refused = {n: one for n, one in enumerate(restrained) if isinstance(one, InputError)}
    rnas = [
        record.sequence if isinstance(one, InputError) else one
        for record, one in zip(records, restrained, strict=True)
    ]
    with record_bar(len(records)) as advance:
        for predicted in methods.predict(rnas, refused):
            tally.add(predicted)
            failures += predicted.problems
            advance(len(predicted.rna))
    return tally, failures


def _check_earlier(out: Path, *, overwrite: bool) -> None:
    """Refuse to replace an evaluation unasked, and files of its names that are of none."""
    there = [name for name in _FILES if is_there(out / name)]
    if there and there[0] != _FILES[0]:  # which is written first
        raise OutputError(f"{out / there[0]}: there without {_FILES[0]}; expected another folder")
    if there and not overwrite:
        raise OutputError(f"{out}: holds an evaluation; expected another folder, or --overwrite")


def _about(
    data: Items[str | Path], references: References, methods: Methods, options: EvaluateOptions
) -> dict[str, Any]:
    """The data, the versions and the options of an evaluation."""
    lengths = [len(record.sequence) for record in references.records]
    about: dict[str, Any] = {
        "data": {
            "files": [
                {"file": Path(path).name} | ({"sha256": sha256(Path(path))} if is_file(path) else {})
                for path in data
            ],
            "read": references.read,
            "judged": len(lengths),
            "lengths": [min(lengths), max(lengths)],
            "columns": dict(options.columns),
            "left_out": {
                "by_column": references.filtered,
                "over_max_length": references.too_long,
                "beyond_limit": references.beyond,
            },
            "max_length": options.max_length,
        },
        "versions": versions(),
        "predictions": {name: str(path) for name, path in options.predictions.items()},
        "restraints": options.restraints,
    }
    if methods.predictor:
        about |= origin(find_weights(options.weights), methods.predictor)
        about["decoding"] = dataclasses.asdict(methods.predictor.decoding)
        about["thermodynamics"] = options.thermodynamics
        about["mix"] = options.mix
    return about


def _write(out: Path, report: Mapping[str, Any], table: str, tally: Tally) -> None:
    from rnass.figures import judgement_figure, save_figure  # matplotlib takes half a second to load

    make_folder(out)
    write_json(out / "evaluation.json", report)
    write_text(out / "evaluation.txt", table)
    write_text(out / "records.tsv", per_record(tally))
    by_length = {
        method: {
            name: (part["mean"]["f1"], *part["mean"]["f1_interval"])
            for name, part in report["methods"][method]["length"].items()
        }
        for method in tally.methods
    }
    save_figure(judgement_figure(by_length, tally.bins), out / "evaluation.svg")
