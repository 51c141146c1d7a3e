"""`rnass compare`: rnass, ViennaRNA and other programs on the same RNAs, pair by pair."""

import logging
from collections import Counter
from collections.abc import Sequence as Items
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rnass.errors import InputError, OutputError, counted
from rnass.evaluation import RNASS, VIENNA, Answer, ContenderOptions, contenders, read_others
from rnass.files import reason, write_text
from rnass.io import file_names
from rnass.jobs.predict import read_inputs
from rnass.metrics import score
from rnass.progress import record_bar

__all__ = ["Agreement", "agreement", "compare_files"]

log = logging.getLogger("rnass")

_TABLES = ("pairs.tsv", "lines.tsv")


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


@dataclass
class _Totals:
    """What is said of all RNAs together."""

    records: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    f1: dict[tuple[str, str], list[float]] = field(default_factory=dict)


def agreement(answer: Answer) -> Agreement:
    """Every pair that is predicted, and by whom."""
    structures = {line: found for line, found in answer.structures.items() if found is not None}
    every = [tuple(pair) for found in structures.values() for pair in found.pairs.tolist()]
    pairs = np.array(sorted(set(every)), dtype=np.int64).reshape(-1, 2)
    columns = [found.partners[pairs[:, 0]] == pairs[:, 1] for found in structures.values()]
    held = np.array(columns, dtype=bool).reshape(len(structures), len(pairs)).T  # (n, lines)
    return Agreement(list(structures), pairs, held)


def compare_files(
    paths: Items[str],
    out: Path,
    options: ContenderOptions,
    *,
    plot: Literal["svg", "png", "pdf"] | None = "svg",
) -> tuple[str, int]:
    """Predict every RNA by everyone and write *out*; gives a short table and the exit status.

    Writes `pairs.tsv` (every pair anyone predicts, by whom, how probable), `lines.tsv` (every line on
    every RNA: pairs, confidence, F1 against every other line) and an arc diagram per RNA.
    Exit status: 0, or 1 if a record was bad or a line predicts nothing of one.

    Raises:
        InputError: no good record; predictions that cannot be read.
        OutputError: the folder holds a comparison already, or cannot be written.
    """
    sequences, bad = read_inputs(list(paths))
    problems = [str(problem) for problem in bad]
    if not sequences:
        raise InputError("\n".join(problems) or "no records; expected at least one")
    _make(out, overwrite=options.overwrite)
    others = {name: read_others(name, path, sequences) for name, path in options.predictions.items()}
    problems += [problem for other in others.values() for problem in other.problems]
    everyone = contenders(options, {name: other.structures for name, other in others.items()})
    names = file_names(sequence.id for sequence in sequences)
    pairs, lines = [""] * len(sequences), [""] * len(sequences)
    totals = _Totals()
    with record_bar(len(sequences), quiet=options.quiet) as advance:
        for answer in everyone.answers(sequences):
            found = agreement(answer)
            pairs[answer.number] = _pair_rows(answer, found, everyone.lines)
            lines[answer.number] = _line_rows(answer, found, totals)
            problems += answer.problems
            if plot:
                _draw(out / f"{names[answer.number]}.{plot}", answer)
            advance(len(answer.sequence))
    write_text(out / _TABLES[0], _head(_PAIR_COLUMNS, everyone.lines) + "".join(pairs))
    f1_columns = [f"F1 against {line}" for line in everyone.lines]
    write_text(out / _TABLES[1], _head(_LINE_COLUMNS, f1_columns) + "".join(lines))
    for problem in problems:
        log.warning("%s", problem)
    return _summary(everyone.lines, totals), int(bool(problems))


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


def _head(columns: Items[str], more: Items[str]) -> str:
    return "\t".join([*columns, *more]) + "\n"


def _pair_rows(answer: Answer, found: Agreement, lines: Items[str]) -> str:
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


def _line_rows(answer: Answer, found: Agreement, totals: _Totals) -> str:
    """A row per line, and its share in what is said of all RNAs."""
    kinds = found.kinds
    totals.records += 1
    totals.kinds.update("one" if kind.startswith("only ") else kind for kind in kinds)
    text = ""
    for line, structure in answer.structures.items():
        row = [answer.sequence.id, line, "no prediction" if structure is None else "ok"]
        if structure is None:
            text += "\t".join([*row, *[""] * (len(_LINE_COLUMNS) - 3 + len(answer.structures))]) + "\n"
            continue
        own = [
            kind
            for kind, held in zip(kinds, found.held[:, found.lines.index(line)], strict=True)
            if held
        ]
        confidence = answer.confidence(line)
        row += [str(len(structure.pairs)), str(structure.pseudoknot_order)]
        row += ["" if confidence is None else f"{confidence:.4f}"]
        row += [str(own.count("all")), str(own.count("some")), str(own.count(f"only {line}"))]
        for name, other in answer.structures.items():
            f1 = None if other is None else score(other, structure).f1
            row.append("" if f1 is None else f"{f1:.4f}")
            if f1 is not None:
                totals.f1.setdefault((line, name), []).append(f1)
        text += "\t".join(row) + "\n"
    return text


def _summary(lines: Items[str], totals: _Totals) -> str:
    """Where everyone agrees, on all RNAs: shares of pairs, and a square of mean F1."""
    total = sum(totals.kinds.values())
    text = f"{counted(totals.records, 'RNA')}, {counted(total, 'different pair')} predicted by "
    text += f"{counted(len(lines), 'line')}\n"
    for kind, words in (("all", "by all lines"), ("some", "by some"), ("one", "by one only")):
        text += f"{words:>14}: {totals.kinds[kind]:,}\n"
    width = max(map(len, lines))
    text += "\nmean strict F1 of each line's structure against each other's\n"
    text += (
        " " * width
        + "".join(f"  {name:>8}" for name in (f"({k + 1})" for k in range(len(lines))))
        + "\n"
    )
    for k, line in enumerate(lines):
        cells = (totals.f1.get((line, other)) for other in lines)
        row = "".join(f"  {np.mean(cell):8.4f}" if cell else "         -" for cell in cells)
        text += f"{line:<{width}}{row}  ({k + 1})\n"
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


def _make(out: Path, *, overwrite: bool) -> None:
    """Have the folder, without an earlier comparison unless that may be replaced."""
    if not overwrite and any((out / name).exists() for name in _TABLES):
        raise OutputError(f"{out}: holds a comparison; expected another folder, or --overwrite")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{out}: {reason(error)}; expected a folder that can be written") from error
