"""The lines of a table: who predicts, and what each of them answers, RNA by RNA."""

import dataclasses
from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rnass.config import DecodingConfig, from_mapping
from rnass.decoding import decode, expected_f1
from rnass.errors import RnassError
from rnass.prediction.pipeline import Row, share_cores
from rnass.prediction.predictor import Prediction, Predictor
from rnass.rna import Rna
from rnass.structure import Structure
from rnass.thermodynamics import vienna

__all__ = ["RNASS", "THRESHKNOT", "VIENNA", "VIENNA_LINES", "Answer", "Contenders"]

RNASS, VIENNA = "rnass", "ViennaRNA"

VIENNA_LINES = tuple(f"{VIENNA} {kind}" for kind in ("MFE", "centroid", "MEA", "ThreshKnot"))
"""ViennaRNA's minimum free energy, centroid and maximum expected accuracy (gamma 1) structures, and
its base-pair probabilities decoded by ThreshKnot; Turner 2004, 37 C, dangles 2."""

THRESHKNOT = DecodingConfig(decoder="threshknot", threshold=0.3, min_helix=3)
"""ThreshKnot as published: threshold 0.3, helices of at least three pairs (Zhang et al. 2020,
https://doi.org/10.48550/arXiv.1912.12796)."""


@dataclass(frozen=True, eq=False)
class Answer:
    """What every line predicts of one RNA.

    Attributes:
        number: the RNA's place among those asked for.
        sequence: the RNA.
        structures: by line; None where a line predicts nothing.
        maps: pairing probabilities of rnass and of ViennaRNA, (L, L) each, symmetric, where there are
            any; not to be kept for many RNAs.
        mfe: ViennaRNA's minimum free energy in kcal/mol, None where it did not run.
        problems: why a line predicts nothing.
        behind: which of the maps a line was decoded from.
    """

    number: int
    sequence: Rna
    structures: dict[str, Structure | None]
    maps: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    mfe: float | None = None
    problems: tuple[str, ...] = ()
    behind: Mapping[str, str] = field(default_factory=dict)

    def map_of(self, line: str) -> NDArray[np.float32] | None:
        """The probabilities that stand behind a line; None for another program's."""
        return self.maps.get(self.behind.get(line, ""))

    def confidence(self, line: str) -> float | None:
        """The F1 that its probabilities lead one to expect of a line's structure."""
        structure, probabilities = self.structures[line], self.map_of(line)
        if structure is None or probabilities is None:
            return None
        return expected_f1(probabilities, structure)


class Contenders:
    """Everyone who predicts.

    Args:
        predictor: rnass; None leaves it out. Its `baseline` must be on where *thermodynamic* is.
        thermodynamic: whether ViennaRNA's lines are wanted.
        also: further decoders of rnass's map, each a line of its own, "rnass threshknot" say.
        others: structures by program, one per RNA, as from `read_others`.
    """

    def __init__(
        self,
        predictor: Predictor | None,
        *,
        thermodynamic: bool = True,
        also: Items[str] = (),
        others: Mapping[str, Items[Structure | None]] | None = None,
    ) -> None:
        self.predictor, self.thermodynamic = predictor, thermodynamic
        self.also = tuple(also) if predictor else ()
        self.others = dict(others or {})

    @property
    def lines(self) -> list[str]:
        """The names of the lines, in the order of the table."""
        return [*self.behind, *self.others]

    @property
    def behind(self) -> dict[str, str]:
        """Which map each line of rnass and of ViennaRNA is decoded from."""
        own = [RNASS, *(f"{RNASS} {decoder}" for decoder in self.also)] if self.predictor else []
        thermodynamic = VIENNA_LINES if self.thermodynamic else ()
        return dict.fromkeys(own, RNASS) | dict.fromkeys(thermodynamic, VIENNA)

    def answers(self, sequences: Items[Rna]) -> Iterator[Answer]:
        """Predict every RNA, in no particular order.

        Raises:
            WorkerError: a worker process of ViennaRNA was killed.
        """
        if self.predictor:
            for outcome in self.predictor.predict(sequences, parallel=True):
                yield self._with_rnass(self.predictor, outcome, sequences[outcome.number])
        elif self.thermodynamic:
            with share_cores([len(sequence) for sequence in sequences], (), None) as cores:
                short = (s.text for s in sequences if len(s) <= vienna.MAX_LENGTH)
                folded = vienna.fold_many(short, parameters=(), baseline=True, processes=cores.processes)
                for number, sequence in enumerate(sequences):
                    foldable = len(sequence) <= vienna.MAX_LENGTH
                    fold, problems = _checked(next(folded), sequence) if foldable else _folded(sequence)
                    yield self._answer(number, sequence, {}, {}, fold, problems)
        else:
            for number, sequence in enumerate(sequences):
                yield self._answer(number, sequence, {}, {}, None)

    def _with_rnass(self, predictor: Predictor, outcome: Row[Prediction], sequence: Rna) -> Answer:
        """What rnass answers, or that it does not, beside everyone else's."""
        prediction = outcome.prediction
        if prediction is None:
            folded, problems = _folded(sequence) if self.thermodynamic else (None, ())
            problems = (_problem(RNASS, sequence, outcome.error), *problems)
            return self._answer(outcome.number, sequence, {}, {}, folded, problems)
        structures = {RNASS: prediction.structure}
        for decoder in self.also:
            settings = dataclasses.asdict(predictor.decoding) | {"decoder": decoder}
            options = from_mapping(DecodingConfig, settings, "decoding")
            structures[f"{RNASS} {decoder}"] = decode(
                prediction.decoded_map, sequence.bases, options, nick=sequence.nick
            )
        folded = prediction.thermodynamics if self.thermodynamic else None
        maps = {RNASS: prediction.probabilities}
        return self._answer(outcome.number, sequence, structures, maps, folded)

    def _answer(
        self,
        number: int,
        sequence: Rna,
        structures: dict[str, Structure],
        maps: dict[str, NDArray[np.float32]],
        folded: vienna.Thermodynamics | None,
        problems: tuple[str, ...] = (),
    ) -> Answer:
        """Add ViennaRNA's lines and the other programs' to what rnass says."""
        found: dict[str, Structure | None] = dict.fromkeys(self.lines) | structures
        if folded is not None and folded.pairs is not None:
            maps = maps | {VIENNA: folded.pairs.dense()}
            knots = decode(maps[VIENNA], sequence.bases, THRESHKNOT, nick=sequence.nick)
            four = (folded.mfe_structure, folded.centroid, folded.mea, knots)
            found |= zip(VIENNA_LINES, four, strict=True)
        found |= {name: structures[number] for name, structures in self.others.items()}
        mfe = folded.mfe if folded else None
        return Answer(number, sequence, found, maps, mfe, problems, self.behind)


def _folded(sequence: Rna) -> tuple[vienna.Thermodynamics | None, tuple[str, ...]]:
    """ViennaRNA's part of an RNA that is no part of many, or why there is none."""
    try:
        return vienna.fold(sequence.text, parameters=(), baseline=True), ()
    except RnassError as error:
        return None, (_problem(VIENNA, sequence, error),)


def _checked(
    fold: vienna.Thermodynamics | RnassError, sequence: Rna
) -> tuple[vienna.Thermodynamics | None, tuple[str, ...]]:
    """ViennaRNA's part of an RNA, or why there is none."""
    if isinstance(fold, RnassError):
        return None, (_problem(VIENNA, sequence, fold),)
    return fold, ()


def _problem(line: str, sequence: Rna, error: RnassError | None) -> str:
    said = str(error)
    return f"{line}: {said if said.startswith(sequence.id) else f'{sequence.id}: {said}'}"
