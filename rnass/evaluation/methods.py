"""The methods that are judged, and what each of them predicts, RNA by RNA."""

from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rnass.config import DecodingConfig, override
from rnass.decoding import decode, expected_f1
from rnass.errors import RnassError
from rnass.prediction.pipeline import Row, share_cores
from rnass.prediction.predictor import Prediction, Predictor
from rnass.prediction.restraints import fold_input
from rnass.rna import Rna
from rnass.structure import Structure
from rnass.thermodynamics.folding import Folded, fold_many

__all__ = ["RNASS", "THRESHKNOT", "VIENNA", "VIENNA_METHODS", "Methods", "Predicted"]

RNASS, VIENNA = "rnass", "ViennaRNA"

VIENNA_METHODS = tuple(f"{VIENNA} {kind}" for kind in ("MFE", "centroid", "MEA", "ThreshKnot"))
"""ViennaRNA's minimum free energy, centroid and maximum expected accuracy (gamma 1) structures, and
its base-pair probabilities decoded by ThreshKnot; Turner 2004, 37 C, dangles 2."""

THRESHKNOT = DecodingConfig(decoder="threshknot", threshold=0.3, min_helix=3, steric=False)
"""ThreshKnot as published: threshold 0.3, helices of at least three pairs (Zhang et al. 2020,
https://doi.org/10.48550/arXiv.1912.12796)."""


@dataclass(frozen=True, eq=False)
class Predicted:
    """The structures that all methods predict for one RNA.

    Attributes:
        number: index of the RNA in the input.
        rna: the RNA, L bases.
        structures: by method; None where a method gives no prediction.
        maps: pairing probabilities of rnass and of ViennaRNA after all restraints, (L, L) each,
            symmetric, where there are any; large, so not to be kept for many RNAs.
        problems: one message per prediction that is missing.
        decoded_from: the key in `maps` of the map that a method decodes.
    """

    number: int
    rna: Rna
    structures: dict[str, Structure | None]
    maps: dict[str, NDArray[np.floating]] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    decoded_from: Mapping[str, str] = field(default_factory=dict)

    def map_of(self, method: str) -> NDArray[np.floating] | None:
        """The probabilities that a method decodes; None for another program."""
        return self.maps.get(self.decoded_from.get(method, ""))

    def confidence(self, method: str) -> float | None:
        """Expected F1 of a method's structure, from the probabilities it was decoded from."""
        structure, probabilities = self.structures[method], self.map_of(method)
        if structure is None or probabilities is None:
            return None
        return expected_f1(probabilities, structure)


class Methods:
    """The methods to be judged.

    Args:
        predictor: rnass; None leaves it out. Its `baseline` must be on where *thermodynamic* is.
        thermodynamic: include ViennaRNA's methods.
        also: further decoders of rnass's map, each a method of its own, such as "rnass threshknot".
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
    def names(self) -> list[str]:
        """The names of the methods, in the order of the table."""
        return [*self.decoded_from, *self.others]

    @property
    def decoded_from(self) -> dict[str, str]:
        """The map, "rnass" or "ViennaRNA", that each method of theirs decodes."""
        own = [RNASS, *(f"{RNASS} {decoder}" for decoder in self.also)] if self.predictor else []
        thermodynamic = VIENNA_METHODS if self.thermodynamic else ()
        return dict.fromkeys(own, RNASS) | dict.fromkeys(thermodynamic, VIENNA)

    def predict(
        self, rnas: Items[Rna], refused: Mapping[int, RnassError] | None = None
    ) -> Iterator[Predicted]:
        """Predict every RNA by every method, in no particular order, under its restraints.

        Args:
            rnas: the RNAs.
            refused: by number, why an RNA is left to the other programs: restraints that do not fit.

        Raises:
            WorkerError: a worker process of ViennaRNA was killed.
        """
        refused = refused or {}
        for number, error in refused.items():
            problem = _problem("restraints", rnas[number], error)
            yield self._collect(number, rnas[number], {}, {}, None, (problem,))
        kept = [number for number in range(len(rnas)) if number not in refused]
        accepted = [rnas[number] for number in kept]
        if self.predictor:
            for row in self.predictor.predict(accepted, parallel=True):
                yield self._with_rnass(self.predictor, kept[row.number], row, accepted[row.number])
        elif self.thermodynamic:
            with share_cores([len(rna) for rna in accepted], (), None) as cores:
                inputs = map(fold_input, accepted)
                many = fold_many(inputs, parameter_sets=(), baseline=True, processes=cores.processes)
                for number, rna, found in zip(kept, accepted, many, strict=True):
                    folded, problems = _or_problem(rna, found)
                    yield self._collect(number, rna, {}, {}, folded, problems)
        else:
            for number, rna in zip(kept, accepted, strict=True):
                yield self._collect(number, rna, {}, {}, None)

    def _with_rnass(
        self, predictor: Predictor, number: int, row: Row[Prediction], rna: Rna
    ) -> Predicted:
        """Rnass's structures, or why there are none, beside those of the other methods."""
        prediction = row.prediction
        if prediction is None:
            folded, problems = _folded(rna) if self.thermodynamic else (None, ())
            problems = (_problem(RNASS, rna, row.error), *problems)
            return self._collect(number, rna, {}, {}, folded, problems)
        structures = {RNASS: prediction.structure}
        for decoder in self.also:
            options = override(predictor.decoding, {"decoder": decoder}, "decoding")
            structures[f"{RNASS} {decoder}"] = decode(
                prediction.decoded_map,
                rna.bases,
                options,
                constraints=rna.constraints,
                nick=rna.nick,
            )
        folded = prediction.thermodynamics if self.thermodynamic else None
        maps = {RNASS: prediction.decoded_map}
        return self._collect(number, rna, structures, maps, folded)

    def _collect(
        self,
        number: int,
        rna: Rna,
        structures: dict[str, Structure],
        maps: dict[str, NDArray[np.floating]],
        folded: Folded | None,
        problems: tuple[str, ...] = (),
    ) -> Predicted:
        """Rnass's *structures* and *maps* with ViennaRNA's and the other programs' added."""
        found: dict[str, Structure | None] = dict.fromkeys(self.names) | structures
        if folded is not None and folded.mfe_bpp is not None:
            maps = maps | {VIENNA: folded.mfe_bpp.dense()}
            knots = decode(
                maps[VIENNA], rna.bases, THRESHKNOT, constraints=rna.constraints, nick=rna.nick
            )
            four = (folded.mfe_structure, folded.centroid, folded.mea, knots)
            found |= zip(VIENNA_METHODS, four, strict=True)
        found |= {name: structures[number] for name, structures in self.others.items()}
        return Predicted(number, rna, found, maps, problems, self.decoded_from)


def _folded(rna: Rna) -> tuple[Folded | None, tuple[str, ...]]:
    """ViennaRNA's fold of an RNA outside the batch, or why there is none."""
    (found,) = fold_many([fold_input(rna)], parameter_sets=(), baseline=True)
    return _or_problem(rna, found)


def _or_problem(rna: Rna, found: Folded | RnassError) -> tuple[Folded | None, tuple[str, ...]]:
    if isinstance(found, RnassError):
        return None, (_problem(VIENNA, rna, found),)
    return found, ()


def _problem(method: str, rna: Rna, error: RnassError | None) -> str:
    message = str(error)
    return f"{method}: {message if message.startswith(rna.id) else f'{rna.id}: {message}'}"
