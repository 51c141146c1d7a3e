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
from rnass.evaluation import RNASS, VIENNA, Answer, ContenderOptions, contenders, read_others
from rnass.jobs.inputs import read_inputs
from rnass.jobs.results import Written
from rnass.jobs.runner import Job, RunOptions, divided, run_job
from rnass.metrics import score
from rnass.network.weights import find_weights
from rnass.prediction.predictor import origin
from rnass.rna import Rna
from rnass.structure import Structure

__all__ = ["Agreement", "CompareOptions", "agreement", "compare_files"]

_PAIRS, _LINES = "pairs.tsv", "lines.tsv"


@dataclass(frozen=True, kw_only=True)
class CompareOptions(RunOptions):
    """Options of `compare_files`.

    Attributes:
        contenders: who predicts, and how.
        plot: format of an arc diagram of each record; None for none.
    """

    contenders: ContenderOptions
    plot: Literal["svg", "png", "pdf"] | None = None


@dataclass(frozen=True, eq=False)
class Agreement:
    """Where the lines of an answer agree.

    Attributes:
        lines: those that predict this RNA.
        pairs: shape (n, 2), 0-based, every pair that any of them predicts.
        held: shape (n, lines), whether a line predicts a pair.
    """

    lines: list[str]
    pairs: NDArray[np.int64]
    held: NDArray[np.bool_]

    @property
    def kinds(self) -> list[str]:
        """For each pair "all", "some" or the name of the one line that predicts it."""
        votes = self.held.sum(1)
        return [
            "all"
            if votes[k] == len(self.lines)
            else "some"
            if votes[k] > 1
            else f"only {self.lines[first]}"
            for k, first in enumerate(self.held.argmax(1) if len(self.pairs) else ())
        ]


def agreement(answer: Answer) -> Agreement:
    """Every pair that is predicted, and by whom."""
    structures = {line: found for line, found in answer.structures.items() if found is not None}
    every = [tuple(pair) for found in structures.values() for pair in found.pairs.tolist()]
    pairs = np.array(sorted(set(every)), dtype=np.int64).reshape(-1, 2)
    columns = [found.partners[pairs[:, 0]] == pairs[:, 1] for found in structures.values()]
    held = np.array(columns, dtype=bool).reshape(len(structures), len(pairs)).T  # (n, lines)
    return Agreement(list(structures), pairs, held)


def compare_files(
    paths: Sequence[str], out: Path, options: CompareOptions, *, sequence: str | None = None
) -> tuple[str, ExitStatus]:
    """Predict every record by every method, into a results folder; gives a short table and the status.

    Writes `pairs.tsv` (every pair that any predicts, by whom, how probable), `lines.tsv` (every method on
    every RNA: pairs, confidence, F1 against every other) and an arc diagram of each RNA. A method that
    predicts nothing of an RNA makes the exit status 1.

    Raises:
        RnassError: see `rnass.jobs.runner.run_job`; predictions that cannot be read.
    """
    inputs = read_inputs(paths, sequence)
    status = run_job(lambda: CompareJob(options, inputs.rnas), inputs, out, options)
    if status == ExitStatus.STOPPED:
        return "", status
    return _summary(_table(out / _PAIRS), _table(out / _LINES)), status


class CompareJob(Job[Answer]):
    """Predict RNAs by every method."""

    kind: ClassVar[str] = "compare"
    shared: Sequence[str] = (_PAIRS, _LINES)

    def __init__(self, options: CompareOptions, rnas: list[Rna]) -> None:
        self.options = options
        self.suffixes = (f".{options.plot}",) if options.plot else ()
        read = {
            name: read_others(name, path, rnas)
            for name, path in options.contenders.predictions.items()
        }
        self.problems = [problem for other in read.values() for problem in other.problems]
        self.others = {
            rna: {name: other.structures[number] for name, other in read.items()}
            for number, rna in enumerate(rnas)
        }
        self.everyone = contenders(
            options.contenders, {name: other.structures for name, other in read.items()}
        )

    def identity(self) -> dict[str, Any]:
        """Weights, methods and options."""
        chosen = asdict(self.options.contenders)
        names = ("rnass", "vienna", "also", "precision", "thermodynamics", "decoding")
        predictor = self.everyone.predictor
        weights = find_weights(self.options.contenders.weights) if predictor else None
        return {
            **(origin(weights, predictor) if predictor and weights else {}),
            "options": {name: chosen[name] for name in names} | {"plot": self.options.plot},
            "methods": list(self.everyone.lines),
        }

    def about(self) -> dict[str, Any]:
        """Where the other programs' predictions are."""
        given = self.options.contenders.predictions
        return {"predictions": {name: str(path) for name, path in given.items()}}

    def more(self, rna: Rna) -> Any:
        """What the other programs predict."""
        return {
            name: None if one is None else one.pairs.tolist() for name, one in self.others[rna].items()
        }

    def work(self, rnas: list[Rna]) -> Generator[tuple[int, Answer | RnassError], None, None]:
        """Predict RNAs by every method."""
        return divided(self._answer, rnas)

    def _answer(self, rnas: list[Rna]) -> Generator[tuple[int, Answer], None, None]:
        names = self.options.contenders.predictions
        self.everyone.others = {name: [self.others[rna][name] for rna in rnas] for name in names}
        for one in self.everyone.answers(rnas):
            yield one.number, one

    def write(self, folder: Path, name: str, rna: Rna, found: Answer) -> Written:
        """The lines of both tables, and the figure."""
        where = agreement(found)
        parts = {
            _PAIRS: _pair_rows(found, where, self.everyone.lines),
            _LINES: _line_rows(found, where),
        }
        files = [f"{name}{suffix}" for suffix in self.suffixes]
        for file in files:
            _draw(folder / file, found)
        return Written(files, shared=parts, missing="; ".join(found.problems))

    def join(self, name: str, parts: Sequence[str]) -> str:
        """A whole table."""
        lines = self.everyone.lines
        if name == _PAIRS:
            return _head(_PAIR_COLUMNS, lines) + "".join(parts)
        return _head(_LINE_COLUMNS, [f"{_F1}{line}" for line in lines]) + "".join(parts)


_F1 = "F1 against "
_PAIR_COLUMNS = ("id", "i", "j", "bases", "predicted_by", "p_rnass", "p_vienna")
_LINE_COLUMNS = (
    "id",
    "line",
    "status",
    "pairs",
    "pseudoknot_order",
    "confidence",
    "in_all",
    "in_some",
    "only_here",
)


def _head(columns: Sequence[str], more: Sequence[str]) -> str:
    return "\t".join([*columns, *more]) + "\n"


def _pair_rows(answer: Answer, found: Agreement, lines: Sequence[str]) -> str:
    """A row per pair, from 1; 1 or 0 per line, empty where a line predicts nothing of this RNA."""
    text = ""
    bases = answer.sequence.bases
    for (i, j), held, kind in zip(found.pairs.tolist(), found.held, found.kinds, strict=True):
        row = [answer.sequence.id, str(i + 1), str(j + 1), f"{bases[i]}-{bases[j]}", kind]
        row += [f"{m[i, j]:.4f}" if m is not None else "" for m in map(answer.maps.get, (RNASS, VIENNA))]
        by_line = dict(zip(found.lines, held, strict=True))
        row += [str(int(by_line[line])) if line in by_line else "" for line in lines]
        text += "\t".join(row) + "\n"
    return text


def _line_rows(answer: Answer, found: Agreement) -> str:
    """A row for each line."""
    kinds = found.kinds
    text = ""
    for line, structure in answer.structures.items():
        row = [answer.sequence.id, line, "no prediction" if structure is None else "ok"]
        if structure is None:
            text += "\t".join([*row, *[""] * (len(_LINE_COLUMNS) - 3 + len(answer.structures))]) + "\n"
            continue
        held = found.held[:, found.lines.index(line)]
        own = Counter(kind for kind, is_held in zip(kinds, held, strict=True) if is_held)
        confidence = answer.confidence(line)
        row += [str(len(structure.pairs)), str(structure.pseudoknot_order)]
        row += ["" if confidence is None else f"{confidence:.4f}"]
        row += [str(own[kind]) for kind in ("all", "some", f"only {line}")]
        others = answer.structures.values()
        row += ["" if other is None else f"{score(other, structure).f1:.4f}" for other in others]
        text += "\t".join(row) + "\n"
    return text


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def _summary(pairs: list[dict[str, str]], rows: list[dict[str, str]]) -> str:
    """Where all agree, on all RNAs: shares of pairs, and a square of mean F1."""
    lines = list(dict.fromkeys(row["line"] for row in rows))
    if not lines:
        return ""
    kinds = Counter(row["predicted_by"].split()[0] for row in pairs)
    rnas = counted(len(rows) // len(lines), "RNA")
    text = f"{rnas}, {counted(len(pairs), 'different pair')} predicted by {counted(len(lines), 'line')}\n"
    for kind, words in (("all", "by all lines"), ("some", "by some"), ("only", "by one only")):
        text += f"{words:>14}: {kinds[kind]:,}\n"
    width = max(map(len, lines))
    text += "\nmean strict F1 of each line's structure against each other's\n"
    text += " " * width + "".join(f"  {f'({k + 1})':>8}" for k in range(len(lines))) + "\n"
    for k, line in enumerate(lines):
        own = [row for row in rows if row["line"] == line]
        cells = [[float(f1) for row in own if (f1 := row[f"{_F1}{other}"])] for other in lines]
        square = "".join(f"  {np.mean(cell):8.4f}" if cell else "         -" for cell in cells)
        text += f"{line:<{width}}{square}  ({k + 1})\n"
    return text


def _draw(path: Path, answer: Answer) -> None:
    from rnass.figures import Track, compare_arcs, save_figure  # matplotlib takes half a second to load

    tracks = []
    for line, structure in answer.structures.items():
        if structure is not None:
            confidence = answer.confidence(line)
            sure = "" if confidence is None else f", confidence {confidence:.2f}"
            tracks.append(Track(f"{line}{sure}", structure, answer.map_of(line)))
    if tracks:
        save_figure(compare_arcs(answer.sequence.text, tracks, title=answer.sequence.id), path)
