"""`rnass compare`: rnass, ViennaRNA and other programs on the same RNAs, pair by pair."""

import csv
from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from rnass.errors import ExitStatus, RnassError, counted
from rnass.evaluation import RNASS, VIENNA, MethodOptions, Predicted, load_methods, read_others
from rnass.files import format_row
from rnass.jobs.inputs import read_inputs
from rnass.jobs.results import Written
from rnass.jobs.runner import Job, RunOptions, divided, run_job
from rnass.metrics import score
from rnass.network.weights import find_weights
from rnass.prediction.origin import origin
from rnass.rna import Rna

__all__ = ["Agreement", "CompareOptions", "agreement", "compare_files"]

_PAIRS, _METHODS = "pairs.tsv", "methods.tsv"


@dataclass(frozen=True, kw_only=True)
class CompareOptions(RunOptions):
    """Options of `compare_files`.

    Attributes:
        methods: that predict, and how.
        plot: format of an arc diagram of each record; None for none.
    """

    methods: MethodOptions
    plot: Literal["svg", "png", "pdf"] | None = None


@dataclass(frozen=True, eq=False)
class Agreement:
    """Where the methods agree on one RNA.

    Attributes:
        methods: those that predict this RNA.
        pairs: shape (n, 2), 0-based, every pair that any of them predicts.
        held: shape (n, methods), whether a method predicts a pair.
    """

    methods: list[str]
    pairs: NDArray[np.int64]
    held: NDArray[np.bool_]

    @property
    def kinds(self) -> list[str]:
        """For each pair "all", "some" or the name of the one method that predicts it."""
        votes = self.held.sum(1)
        return [
            "all"
            if votes[k] == len(self.methods)
            else "some"
            if votes[k] > 1
            else f"only {self.methods[first]}"
            for k, first in enumerate(self.held.argmax(1) if len(self.pairs) else ())
        ]


def agreement(predicted: Predicted) -> Agreement:
    """Every predicted pair, and the methods that predict it."""
    structures = {method: found for method, found in predicted.structures.items() if found is not None}
    every = [tuple(pair) for found in structures.values() for pair in found.pairs.tolist()]
    pairs = np.array(sorted(set(every)), dtype=np.int64).reshape(-1, 2)
    columns = [found.holds(pairs) for found in structures.values()]
    held = np.array(columns, dtype=bool).reshape(len(structures), len(pairs)).T  # (n, methods)
    return Agreement(list(structures), pairs, held)


def compare_files(
    paths: Sequence[str], out: Path, options: CompareOptions, *, sequence: str | None = None
) -> tuple[str, ExitStatus]:
    """Predict every record by every method, into a results folder; gives a short table and the status.

    Writes `pairs.tsv` (every predicted pair, its methods and probabilities), `methods.tsv` (each method
    on each RNA: pairs, confidence, F1 against each other method) and an arc diagram of each RNA. The
    exit status is 1 if a method predicts nothing of an RNA.

    Raises:
        RnassError: see `rnass.jobs.runner.run_job`; predictions that cannot be read.
    """
    inputs = read_inputs(paths, sequence)
    status = run_job(lambda: CompareJob(options, inputs.rnas), inputs, out, options)
    if status == ExitStatus.STOPPED:
        return "", status
    return _summary(_table(out / _PAIRS), _table(out / _METHODS)), status


class CompareJob(Job[Predicted]):
    """Predict RNAs by every method."""

    kind: ClassVar[str] = "compare"
    shared: Sequence[str] = (_PAIRS, _METHODS)

    def __init__(self, options: CompareOptions, rnas: list[Rna]) -> None:
        self.options = options
        self.suffixes = (f".{options.plot}",) if options.plot else ()
        read = {
            name: read_others(name, path, rnas) for name, path in options.methods.predictions.items()
        }
        self.problems = [problem for other in read.values() for problem in other.problems]
        self.others = {
            rna: {name: other.structures[number] for name, other in read.items()}
            for number, rna in enumerate(rnas)
        }
        self.methods = load_methods(
            options.methods, {name: other.structures for name, other in read.items()}
        )

    def identity(self) -> dict[str, Any]:
        """Weights, methods and options."""
        chosen = asdict(self.options.methods)
        names = ("rnass", "vienna", "also", "precision", "thermodynamics", "decoding")
        predictor = self.methods.predictor
        weights = find_weights(self.options.methods.weights) if predictor else None
        return {
            **(origin(weights, predictor) if predictor and weights else {}),
            "options": {name: chosen[name] for name in names} | {"plot": self.options.plot},
            "methods": list(self.methods.names),
        }

    def about(self) -> dict[str, Any]:
        """Where the other programs' predictions are."""
        given = self.options.methods.predictions
        return {"predictions": {name: str(path) for name, path in given.items()}}

    def more(self, rna: Rna) -> Any:
        """The predictions of the other programs."""
        return {
            name: None if one is None else one.pairs.tolist() for name, one in self.others[rna].items()
        }

    def work(self, rnas: list[Rna]) -> Generator[tuple[int, Predicted | RnassError], None, None]:
        """Predict RNAs by every method."""
        return divided(self._predicted, rnas)

    def _predicted(self, rnas: list[Rna]) -> Generator[tuple[int, Predicted], None, None]:
        names = self.options.methods.predictions
        self.methods.others = {name: [self.others[rna][name] for rna in rnas] for name in names}
        for one in self.methods.predict(rnas):
            yield one.number, one

    def write(self, folder: Path, name: str, rna: Rna, found: Predicted) -> Written:
        """The rows of both tables, and the figure."""
        where = agreement(found)
        parts = {
            _PAIRS: _pair_rows(name, found, where, self.methods.names),
            _METHODS: _method_rows(name, found, where),
        }
        files = [f"{name}{suffix}" for suffix in self.suffixes]
        for file in files:
            _draw(folder / file, found)
        return Written(files, shared=parts, missing="; ".join(found.problems))

    def join(self, name: str, parts: Sequence[str]) -> str:
        """A whole table."""
        names = self.methods.names
        columns = (*_PAIR_COLUMNS, *names)
        if name == _METHODS:
            columns = (*_METHOD_COLUMNS, *(f"{_F1}{method}" for method in names))
        return format_row(columns) + "".join(parts)


_F1 = "F1 against "
_PAIR_COLUMNS = ("id", "file", "i", "j", "bases", "predicted_by", "p_rnass", "p_vienna")
_METHOD_COLUMNS = (
    *("id", "file", "method", "status", "pairs", "pseudoknot_order", "confidence"),
    *("in_all", "in_some", "only_here"),
)


def _pair_rows(name: str, predicted: Predicted, found: Agreement, methods: Sequence[str]) -> str:
    """A row per pair, bases from 1; 1 or 0 per method, empty where it has no prediction of this RNA."""
    text = ""
    bases = predicted.rna.bases
    for (i, j), held, kind in zip(found.pairs.tolist(), found.held, found.kinds, strict=True):
        row = [predicted.rna.id, name, str(i + 1), str(j + 1), f"{bases[i]}-{bases[j]}", kind]
        row += [
            f"{m[i, j]:.4f}" if m is not None else "" for m in map(predicted.maps.get, (RNASS, VIENNA))
        ]
        by_method = dict(zip(found.methods, held, strict=True))
        row += [str(int(by_method[method])) if method in by_method else "" for method in methods]
        text += format_row(row)
    return text


def _method_rows(name: str, predicted: Predicted, found: Agreement) -> str:
    """A row for each method."""
    kinds = found.kinds
    text = ""
    for method, structure in predicted.structures.items():
        row = [predicted.rna.id, name, method, "no prediction" if structure is None else "ok"]
        if structure is None:
            empty = [""] * (len(_METHOD_COLUMNS) - len(row) + len(predicted.structures))
            text += format_row([*row, *empty])
            continue
        held = found.held[:, found.methods.index(method)]
        own = Counter(kind for kind, is_held in zip(kinds, held, strict=True) if is_held)
        confidence = predicted.confidence(method)
        row += [str(len(structure.pairs)), str(structure.pseudoknot_order)]
        row += ["" if confidence is None else f"{confidence:.4f}"]
        row += [str(own[kind]) for kind in ("all", "some", f"only {method}")]
        others = predicted.structures.values()
        row += ["" if other is None else f"{score(other, structure).f1:.4f}" for other in others]
        text += format_row(row)
    return text


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def _summary(pairs: list[dict[str, str]], rows: list[dict[str, str]]) -> str:
    """Agreement over all RNAs: shares of pairs, and the mean F1 of each method against each other."""
    methods = list(dict.fromkeys(row["method"] for row in rows))
    if not methods:
        return ""
    kinds = Counter(row["predicted_by"].split()[0] for row in pairs)
    text = f"{counted(len(rows) // len(methods), 'RNA')}, {counted(len(pairs), 'different pair')} "
    text += f"predicted by {counted(len(methods), 'method')}\n"
    for kind, words in (("all", "by all methods"), ("some", "by some"), ("only", "by one only")):
        text += f"{words:>14}: {kinds[kind]:,}\n"
    width = max(map(len, methods))
    text += "\nmean strict F1 of each method's structure against each other's\n"
    text += " " * width + "".join(f"  {f'({k + 1})':>8}" for k in range(len(methods))) + "\n"
    for k, method in enumerate(methods):
        own = [row for row in rows if row["method"] == method]
        cells = [[float(f1) for row in own if (f1 := row[f"{_F1}{other}"])] for other in methods]
        square = "".join(f"  {np.mean(cell):8.4f}" if cell else "         -" for cell in cells)
        text += f"{method:<{width}}{square}  ({k + 1})\n"
    return text


def _draw(path: Path, predicted: Predicted) -> None:
    from rnass.figures import Track, compare_arcs, save_figure  # matplotlib takes half a second to load

    tracks = []
    for method, structure in predicted.structures.items():
        if structure is not None:
            confidence = predicted.confidence(method)
            sure = "" if confidence is None else f", confidence {confidence:.2f}"
            source = predicted.decoded_from.get(method, "")
            tracks.append(Track(f"{method}{sure}", structure, predicted.map_of(method), source))
    if tracks:
        save_figure(compare_arcs(predicted.rna.text, tracks, title=predicted.rna.id), path)
