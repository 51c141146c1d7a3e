"""Predict an RNA: ViennaRNA's base-pair probabilities, the network's pairing probabilities, a structure.

The two columns of the package meet here: the network gives the map of pairing probabilities, the
chemistry turns it into a structure.
"""

import time
from collections.abc import Callable, Generator, Iterable
from contextlib import closing, nullcontext
from dataclasses import replace
from functools import lru_cache
from inspect import signature
from itertools import chain, count, groupby, islice
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array

from rnass.config import DecodingConfig
from rnass.decoding import change_log_odds, decode, one_partner
from rnass.errors import ConfigError, RnassError, WorkerError, record_error
from rnass.network.contact_model import PairingModel, collate, pairing
from rnass.network.device import Device, choose_device
from rnass.network.models import load_pairing_model
from rnass.network.weights import find_weights
from rnass.prediction import limits
from rnass.prediction.pipeline import (
    AHEAD,
    Cores,
    Reading,
    Row,
    Stages,
    read_rows,
    run_pipeline,
    share_cores,
)
from rnass.prediction.prediction import Prediction
from rnass.prediction.restraints import PROBED_MIX, fold_input, is_probed, restrained_map
from rnass.prediction.strands import linked, places_of, spread
from rnass.prediction.windows import Windows, blended
from rnass.rna import Rna
from rnass.structure import Structure
from rnass.thermodynamics.conditions import STANDARD, Conditions
from rnass.thermodynamics.folding import Change, FoldAhead, Folded, fold_many

__all__ = ["Prediction", "Predictor", "load_predictor", "predict"]

_Pipeline = Callable[[Stages[Prediction], Iterable[Rna], Cores], Generator[Row[Prediction], None, None]]


class Predictor:
    """A loaded model, ready for any number of RNAs.

    Args:
        model: a contact model, an ensemble of them, or RNA-FM's own structure model.
        device: where the network runs.
        decoding: how maps become structures; None takes what was chosen with the weights.
        thermodynamics: give the network ViennaRNA's base-pair probabilities.
        baseline: also fold by ViennaRNA's MEA and centroid.
        precision: of matrix products and convolutions.
        mix: share of ViennaRNA's log-odds in the map that is decoded, in [0, 1]; None for
            `rnass.prediction.restraints.PROBED_MIX` of RNAs with reactivities and 0 of others.
        windows: how long RNAs are predicted; None: whole, and those that are too long for that not.
        conditions: temperature and salt concentration. The network's map is always that of 37 C and
            1.021 M NaCl, for which it was trained and rnass's own energies hold; at other conditions the
            log-odds of its pairs change by as much as those of Turner 2004 do, see
            `rnass.decoding.probing.change_log_odds`.

    Attributes:
        mfe_probabilities: also compute base-pair probabilities by the energies of the MFE structure.
        ahead: folds that have begun already.

    Raises:
        ConfigError: *mix* is out of range; another *precision*.
    """

    def __init__(  # noqa: PLR0913 - each by its name
        self,
        model: PairingModel,
        *,
        device: torch.device | None = None,
        decoding: DecodingConfig | None = None,
        thermodynamics: bool = True,
        baseline: bool = False,
        precision: Literal["float32", "bfloat16"] = "float32",
        mix: float | None = None,
        windows: Windows | None = Windows(),  # noqa: B008 - frozen
        conditions: Conditions = STANDARD,
    ) -> None:
        if mix is not None and not 0 <= mix <= 1:
            raise ConfigError(f"mix: {mix}; expected 0 to 1")
        if precision not in ("float32", "bfloat16"):
            raise ConfigError(f"precision: {precision!r}; expected 'float32' or 'bfloat16'")
        self.device = device or torch.device("cpu")
        self.model = model.to(self.device).eval()
        self.decoding = decoding or model.config.decoding
        self.thermodynamics, self.baseline, self.precision = thermodynamics, baseline, precision
        self.mix, self.windows, self.conditions = mix, windows, conditions
        self.mfe_probabilities = False
        self.ahead: FoldAhead | None = None
        self._pace: float | None = None  # seconds of a window, once some were predicted

    @property
    def parameter_sets(self) -> tuple[str, ...]:
        """The energy parameters whose base-pair probabilities the network reads."""
        return self.model.config.parameter_sets if self.thermodynamics else ()

    def __call__(self, rna: str | Rna) -> Prediction:
        """Predict one RNA, under its restraints.

        Raises:
            SequenceError: a letter that is no base, or more bases than can be predicted.
            ConstraintError: constraints that no structure satisfies.
        """
        (row,) = self.predict([rna if isinstance(rna, Rna) else Rna.from_text(rna)])
        if isinstance(found := row.outcome, RnassError):
            raise found
        return found

    def predict(
        self, rnas: Iterable[str | Rna], *, parallel: bool = False
    ) -> Generator[Row[Prediction], None, None]:
        """Predict many, in batches of like length, in no particular order within a few hundred.

        Each row has the number of its RNA, from 0, and the prediction or the error.

        Args:
            rnas: letters, or with their restraints; read as far ahead as a few batches need.
            parallel: fold in worker processes beside the network where that is faster, on as many
                threads as torch is set to; they end when this is closed. A script then needs the usual
                `if __name__ == "__main__":`.

        Raises:
            SequenceError: letters that are no bases; RNAs that are given as `Rna` cannot have any.
            WorkerError: a worker process was killed.
        """
        done = 0
        for long, group in groupby(map(_as_rna, rnas, count(1)), key=self._is_long):
            before = done
            part = self._in_windows if long else self._whole
            with closing(part(group, parallel)) as rows:
                for row in rows:
                    row.number += before
                    done += 1
                    yield row

    def read_whole(
        self, rnas: Iterable[Rna], *, parallel: bool = False
    ) -> Generator[Row[Prediction], None, None]:
        """As `predict`, none in windows and none decoded: each row has its `reading`, or the error."""
        return self._whole(rnas, parallel, read_rows)

    def _whole(
        self, rnas: Iterable[Rna], parallel: bool, pipeline: _Pipeline = run_pipeline
    ) -> Generator[Row[Prediction], None, None]:
        waiting = iter(rnas)
        first = list(islice(waiting, AHEAD))
        lengths = [len(rna) for rna in first]
        shared = share_cores(lengths, self.parameter_sets, self.device)
        with shared if parallel else nullcontext(Cores()) as cores:
            yield from pipeline(self, chain(first, waiting), cores)

    def _in_windows(self, rnas: Iterable[Rna], parallel: bool) -> Generator[Row[Prediction], None, None]:
        for number, rna in enumerate(rnas):
            row = Row[Prediction](number, rna, error=self.refusal(rna))
            if self.windows and not row.error:
                try:
                    row.prediction = self._blended(rna, self.windows, parallel)
                except WorkerError:
                    raise
                except Exception as error:
                    row.error = record_error(error, rna.id)
            yield row

    def _blended(self, rna: Rna, windows: Windows, parallel: bool) -> Prediction:
        began = time.monotonic()
        number = len(windows.starts(len(rna)))
        shared = share_cores([windows.size] * number, self.parameter_sets, self.device)
        with shared if parallel else nullcontext(Cores()) as cores:
            maps = blended(self, rna, windows, cores, self._pace)
        self._pace = maps.pace
        span = min(self.decoding.max_span or windows.size, windows.size)
        decoding = replace(self.decoding, max_span=span)
        structure = decode(maps.decoded, rna.bases, decoding, constraints=rna.constraints)
        probabilities: NDArray[np.float32] | csr_array = maps.probabilities
        decoded: NDArray[np.floating] | csr_array = maps.decoded
        folded = Folded(float("nan"), Structure(len(rna), []), conditions=self.conditions)
        if len(rna) <= limits.MAX_LENGTH:
            same = decoded is probabilities
            probabilities = maps.probabilities.toarray()
            decoded = probabilities if same else maps.decoded.toarray()
            (found,) = self._folds([rna], bpp=False)
            if isinstance(found, RnassError):
                raise found
            folded = found
        seconds = time.monotonic() - began
        return Prediction(
            rna,
            probabilities,
            structure,
            folded,
            seconds,
            decoded,
            decoding,
            number,
            maps.energy_share,
        )

    def _is_long(self, rna: Rna) -> bool:
        return self.windows is not None and self.windows.apply(rna, self.model.backbone)

    def refusal(self, rna: Rna) -> RnassError | None:
        """Why an RNA cannot be predicted, if that is plain at once."""
        encoder = self.model.backbone
        if wide := limits.too_wide(rna, self.decoding.max_span, "as --max-span allows"):
            return wide
        if self.windows and self._is_long(rna):
            return self.windows.refusal(rna, encoder)
        error = limits.unpredictable(rna, encoder)
        return error or limits.too_much(rna, limits.memory_of_whole(len(rna)))

    def fold(
        self, rnas: Iterable[Rna], processes: int = 0
    ) -> Generator[Folded | RnassError, None, None]:
        """Fold RNAs by ViennaRNA under their restraints, in their order."""
        return self._folds(rnas, processes)

    def fold_windows(
        self, rnas: Iterable[Rna], processes: int = 0
    ) -> Generator[Folded | RnassError, None, None]:
        """As `fold`, without what is there of whole RNAs only: MEA, centroid, shades of the MFE."""
        return self._folds(rnas, processes, whole=False)

    def _folds(
        self, rnas: Iterable[Rna], processes: int = 0, *, bpp: bool = True, whole: bool = True
    ) -> Generator[Folded | RnassError, None, None]:
        """With the *bpp* that the network reads or `mix` takes, and what only *whole* RNAs have."""
        sets = self.parameter_sets if bpp else ()
        mixed = bpp and not sets and bool(self.mix)  # otherwise they are at hand
        wanted = mixed or (whole and self.mfe_probabilities)
        inputs = (fold_input(rna, mfe_bpp=wanted, conditions=self.conditions) for rna in rnas)
        baseline = whole and self.baseline
        return fold_many(
            inputs, parameter_sets=sets, baseline=baseline, processes=processes, ahead=self.ahead
        )

    @torch.no_grad()
    def read(self, rnas: list[Rna], folded: list[Folded]) -> list[Reading]:
        """The calibrated pairing probabilities of a batch, (L, L) each, and the gate's shares."""
        kept = [places_of(rna) for rna in rnas]
        bpp = None
        if self.parameter_sets:
            bpp = [
                np.stack([spread(pairs.dense(), places) for pairs in one.bpp])
                for places, one in zip(kept, folded, strict=True)
            ]
        batch = collate([linked(rna) for rna in rnas], bpp, self.model.backbone.vocabulary).to(
            self.device
        )
        fast = self.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=fast):
            probabilities, shares = pairing(self.model, batch, canonical=self.decoding.canonical)
        maps = probabilities.float().cpu().numpy()
        found = [maps[k][np.ix_(places, places)] for k, places in enumerate(kept)]
        if not self.model.config.one_partner:
            found = [
                one_partner(p, rna.bases, self.decoding, nick=rna.nick)
                for p, rna in zip(found, rnas, strict=True)
            ]
        found = [_changed(p, one.change) for p, one in zip(found, folded, strict=True)]
        chosen = [None] * len(rnas) if shares is None else shares.tolist()
        return [Reading(p, share) for p, share in zip(found, chosen, strict=True)]

    def mix_of(self, rna: Rna) -> float:
        """The share of ViennaRNA's log-odds in the map to decode of a whole RNA, in [0, 1]."""
        if self.mix is not None:
            return self.mix
        return PROBED_MIX if self.parameter_sets and is_probed(rna) else 0.0

    def restrained(
        self, rna: Rna, folded: Folded, probabilities: NDArray[np.float32], mix: float
    ) -> NDArray[np.floating]:
        """The map to decode, (L, L), with a share of ViennaRNA's log-odds as `mix_of` gives it."""
        bpp = folded.mixed_bpp() if mix else None
        return restrained_map(probabilities, rna.reactivities, bpp, mix, rna.supported)

    def decode(self, rna: Rna, folded: Folded, reading: Reading, seconds: float) -> Prediction:
        """The structure of a reading, which took *seconds* so far."""
        began = time.monotonic()
        probabilities, share = reading
        restrained = self.restrained(rna, folded, probabilities, self.mix_of(rna))
        structure = decode(
            restrained, rna.bases, self.decoding, constraints=rna.constraints, nick=rna.nick
        )
        seconds += time.monotonic() - began
        decoding = self.decoding
        return Prediction(
            rna, probabilities, structure, folded, seconds, restrained, decoding, energy_share=share
        )


def _changed(probabilities: NDArray[np.float32], change: Change | None) -> NDArray[np.float32]:
    """The map at the conditions of the folds."""
    if change is None:
        return probabilities
    before, after = (np.maximum(*(one.dense() for one in folds)) for folds in change)
    return change_log_odds(probabilities, before, after).astype(np.float32, copy=False)


_OPTIONS = [name for name in signature(Predictor).parameters if name not in {"model", "device"}]


def load_predictor(
    weights: str | Path | None = None,
    *,
    backbone: str | None = None,
    device: Device = "auto",
    **options: Any,
) -> Predictor:
    """Load weights by name or path (the shipped ones by default) into a predictor.

    Args:
        weights: rnass's, or one of RNA-FM's own structure models (.pth).
        backbone: path or name of the backbone of weights that hold a contact head alone.
        device: where the network runs.
        options: the others of `Predictor`.

    Raises:
        CheckpointError: there are no such weights, or they are altered; a backbone is lacking, or is
            not the one that the head was trained on.
        ConfigError: the device is not there.
        TypeError: an option that does not exist; names those that do.
    """
    if unknown := options.keys() - _OPTIONS:
        known = ", ".join(["weights", "backbone", "device", *_OPTIONS])
        raise TypeError(f"{', '.join(sorted(unknown))}: no such option; expected some of {known}")
    model = load_pairing_model(find_weights(None if weights is None else str(weights)), backbone)
    return Predictor(model, device=choose_device(device), **options)


@overload
def predict(rna: str | Rna, **options: Any) -> Prediction: ...
@overload
def predict(rna: Iterable[str | Rna], **options: Any) -> list[Prediction]: ...
def predict(rna: str | Rna | Iterable[str | Rna], **options: Any) -> Prediction | list[Prediction]:
    """Predict one RNA, or several in their order, with weights that are loaded once and kept.

    Args:
        rna: letters, two strands as `A&B`; or an `Rna` with its restraints; or several of these.
        options: those of `load_predictor`, *weights* among them; default: the shipped ones.

    Raises:
        SequenceError: a letter that is no base, or more bases than can be predicted.
        CheckpointError: there are no such weights, or they are altered.
    """
    predictor = _loaded(**options)
    if isinstance(rna, str | Rna):
        return predictor(rna)
    predictions: dict[int, Prediction] = {}
    for row in predictor.predict(rna):
        if isinstance(found := row.outcome, RnassError):
            raise found
        predictions[row.number] = found
    return [predictions[k] for k in sorted(predictions)]


def _as_rna(one: str | Rna, number: int) -> Rna:
    if isinstance(one, Rna):
        return one
    return Rna.from_text(one, header=f"sequence-{number}", where=f"sequence {number}")


@lru_cache(maxsize=2)
def _loaded(**options: Any) -> Predictor:
    return load_predictor(**options)
