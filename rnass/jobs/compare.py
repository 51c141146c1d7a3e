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
from rnass.evaluation import RNASS, VIENNA, MethodOptions, Predicted, load_methods, read_others
from rnass.files import reason, write_text
from rnass.io import file_names
from rnass.jobs.predict import read_inputs
from rnass.metrics import score
from rnass.progress import record_bar

__all__ = ["Agreement", "agreement", "compare_files"]

log = logging.getLogger("rnass")

_TABLES = ("pairs.tsv", "methods.tsv")


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


@dataclass
class _Totals:
    """Counts over all RNAs."""

    records: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    f1: dict[tuple[str, str], list[float]] = field(default_factory=dict)


def agreement(predicted: Predicted) -> Agreement:
    """Every predicted pair, and the methods that predict it."""
    structures = {method: found for method, found in predicted.structures.items() if found is not None}
    every = [tuple(pair) for found in structures.values() for pair in found.pairs.tolist()]
    pairs = np.array(sorted(set(every)), dtype=np.int64).reshape(-1, 2)
    columns = [found.partners[pairs[:, 0]] == pairs[:, 1] for found in structures.values()]
    held = np.array(columns, dtype=bool).reshape(len(structures), len(pairs)).T  # (n, methods)
    return Agreement(list(structures), pairs, held)


def compare_files(
    paths: Items[str],
    out: Path,
    options: MethodOptions,
    *,
    plot: Literal["svg", "png", "pdf"] | None = "svg",
) -> tuple[str, int]:
    """Predict every RNA by every method and write *out*; returns a short table and the exit status.

    Writes `pairs.tsv` (every predicted pair, its methods and probabilities), `methods.tsv` (each method
    on each RNA: pairs, confidence, F1 against each other method) and an arc diagram per RNA.
    Exit status: 0, or 1 if a record was bad or a method has no prediction of one.

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
    methods = load_methods(options, {name: other.structures for name, other in others.items()})
    names = file_names(sequence.id for sequence in sequences)
    pairs, rows = [""] * len(sequences), [""] * len(sequences)
    totals = _Totals()
    with record_bar(len(sequences), quiet=options.quiet) as advance:
        for predicted in methods.predict(sequences):
            found = agreement(predicted)
            pairs[predicted.number] = _pair_rows(predicted, found, methods.names)
            rows[predicted.number] = _method_rows(predicted, found, totals)
            problems += predicted.problems
            if plot:
                _draw(out / f"{names[predicted.number]}.{plot}", predicted)
            advance(len(predicted.rna))
    write_text(out / _TABLES[0], _head(_PAIR_COLUMNS, methods.names) + "".join(pairs))
    f1_columns = [f"F1 against {method}" for method in methods.names]
    write_text(out / _TABLES[1], _head(_METHOD_COLUMNS, f1_columns) + "".join(rows))
    for problem in problems:
        log.warning("%s", problem)
    return _summary(methods.names, totals), int(bool(problems))


_PAIR_COLUMNS = ("id", "i", "j", "bases", "predicted_by", "p_rnass", "p_vienna")
_METHOD_COLUMNS = (
    "id",
    "method",
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


def _pair_rows(predicted: Predicted, found: Agreement, methods: Items[str]) -> str:
    """A row per pair, bases from 1; 1 or 0 per method, empty where it has no prediction of this RNA."""
    text = ""
    bases = predicted.rna.bases
    for (i, j), held, kind in zip(found.pairs.tolist(), found.held, found.kinds, strict=True):
        row = [predicted.rna.id, str(i + 1), str(j + 1), f"{bases[i]}-{bases[j]}", kind]
        row += [
            f"{m[i, j]:.4f}" if m is not None else "" for m in map(predicted.maps.get, (RNASS, VIENNA))
        ]
        by_method = dict(zip(found.methods, held, strict=True))
        row += [str(int(by_method[method])) if method in by_method else "" for method in methods]
        text += "\t".join(row) + "\n"
    return text


def _method_rows(predicted: Predicted, found: Agreement, totals: _Totals) -> str:
    """A row per method; adds to the *totals* over all RNAs."""
    kinds = found.kinds
    totals.records += 1
    totals.kinds.update("one" if kind.startswith("only ") else kind for kind in kinds)
    text = ""
    for method, structure in predicted.structures.items():
        row = [predicted.rna.id, method, "no prediction" if structure is None else "ok"]
        if structure is None:
            text += (
                "\t".join([*row, *[""] * (len(_METHOD_COLUMNS) - 3 + len(predicted.structures))]) + "\n"
            )
            continue
        own = [
            kind
            for kind, held in zip(kinds, found.held[:, found.methods.index(method)], strict=True)
            if held
        ]
        confidence = predicted.confidence(method)
        row += [str(len(structure.pairs)), str(structure.pseudoknot_order)]
        row += ["" if confidence is None else f"{confidence:.4f}"]
        row += [str(own.count("all")), str(own.count("some")), str(own.count(f"only {method}"))]
        for name, other in predicted.structures.items():
            f1 = None if other is None else score(other, structure).f1
            row.append("" if f1 is None else f"{f1:.4f}")
            if f1 is not None:
                totals.f1.setdefault((method, name), []).append(f1)
        text += "\t".join(row) + "\n"
    return text


def _summary(methods: Items[str], totals: _Totals) -> str:
    """Agreement over all RNAs: shares of pairs, and the mean F1 of each method against each other."""
    total = sum(totals.kinds.values())
    text = f"{counted(totals.records, 'RNA')}, {counted(total, 'different pair')} predicted by "
    text += f"{counted(len(methods), 'method')}\n"
    for kind, words in (("all", "by all methods"), ("some", "by some"), ("one", "by one only")):
        text += f"{words:>14}: {totals.kinds[kind]:,}\n"
    width = max(map(len, methods))
    text += "\nmean strict F1 of each method's structure against each other's\n"
    text += (
        " " * width
        + "".join(f"  {name:>8}" for name in (f"({k + 1})" for k in range(len(methods))))
        + "\n"
    )
    for k, method in enumerate(methods):
        cells = (totals.f1.get((method, other)) for other in methods)
        row = "".join(f"  {np.mean(cell):8.4f}" if cell else "         -" for cell in cells)
        text += f"{method:<{width}}{row}  ({k + 1})\n"
    return text


def _draw(path: Path, predicted: Predicted) -> None:
    from rnass.figures import Track, compare_arcs, save_figure  # matplotlib takes half a second to load

    tracks = []
    for method, structure in predicted.structures.items():
        if structure is not None:
            confidence = predicted.confidence(method)
            sure = "" if confidence is None else f", confidence {confidence:.2f}"
            tracks.append(Track(f"{method}{sure}", structure, predicted.map_of(method)))
    if tracks:
        save_figure(compare_arcs(predicted.rna.text, tracks, title=predicted.rna.id), path)


def _make(out: Path, *, overwrite: bool) -> None:
    """Have the folder, without an earlier comparison unless that may be replaced."""
    if not overwrite and any((out / name).exists() for name in _TABLES):
        raise OutputError(f"{out}: holds a comparison; expected another folder, or --overwrite")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{out}: {reason(error)}; expected a folder that can be written") from error
