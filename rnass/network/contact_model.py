"""The contact model: backbone -> pair features -> contact head -> probability map.

Shapes: B batch, L bases, T tokens, S parameter sets.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor, nn

from rnass.backbone.encoder import Encoder
from rnass.backbone.vocabulary import Vocabulary
from rnass.config import SECOND_FOLD, MixtureConfig, ModelConfig, PairingConfig
from rnass.network.contact_head import ContactHead
from rnass.network.device import moved
from rnass.network.energy_terms import bpp_log_odds, energy_log_odds, second_fold_gain
from rnass.network.familiarity import KnownKmers
from rnass.network.gate import Gate, gate_features
from rnass.network.heap import return_freed_memory
from rnass.network.pair_features import PairFeatures, corrected_maps
from rnass.network.partners import partner_probabilities, possible_pairs
from rnass.network.rnafm_structure import RnaFmStructure
from rnass.rna import BASES

__all__ = [
    "Batch",
    "ContactModel",
    "Features",
    "Mixture",
    "PairingModel",
    "RnaFmContacts",
    "collate",
    "pairing",
    "pairing_probabilities",
]

_N = BASES.index("N")
_LONG = 1000  # bases from which memory that one expert leaves free counts beside the next one's


@dataclass(frozen=True)
class Features:
    """Output of a frozen backbone for some RNAs, as far as a contact head reads it.

    Attributes:
        embeddings: (B, L, D).
        maps: (B, N, L, L), the attention maps of all layers one after the other, symmetrised and
            corrected (APC); None where the head uses none.
    """

    embeddings: Float[Tensor, "B L D"]
    maps: Float[Tensor, "B N L L"] | None

    def to(self, device: torch.device) -> "Features":
        """The same on another device."""
        maps = None if self.maps is None else moved(self.maps, device)
        return Features(moved(self.embeddings, device), maps)


@dataclass(frozen=True)
class Batch:
    """Some RNAs, padded to the longest.

    Attributes:
        bases: (B, L) codes over ACGUN; padding is N.
        mask: (B, L) 1 where there is a base, 0 in padding.
        tokens: (B, T) rows of the backbone's vocabulary.
        bpp: (B, S, L, L) base-pair probabilities, or None.
        features: the backbone's output for them, where it is known already.
    """

    bases: Int[Tensor, "B L"]
    mask: Float[Tensor, "B L"]
    tokens: Int[Tensor, "B T"]
    bpp: Float[Tensor, "B S L L"] | None
    features: Features | None = None

    def to(self, device: torch.device) -> "Batch":
        """The same batch on another device."""
        bases, mask, tokens = (moved(one, device) for one in (self.bases, self.mask, self.tokens))
        bpp = None if self.bpp is None else moved(self.bpp, device)
        features = None if self.features is None else self.features.to(device)
        return Batch(bases, mask, tokens, bpp, features)


def collate(
    rnas: Sequence[str],
    bpp: Sequence[NDArray[np.float32]] | None,
    vocabulary: Vocabulary,
) -> Batch:
    """Pad clean sequences (ACGUN) and their base-pair probabilities, (S, L, L) each, to one batch."""
    longest = max(len(rna) for rna in rnas)
    bases = torch.full((len(rnas), longest), _N)
    mask = torch.zeros(len(rnas), longest)
    rows = [vocabulary.encode(rna) for rna in rnas]
    tokens = torch.full((len(rnas), max(len(row) for row in rows)), vocabulary.pad)
    for k, (rna, row) in enumerate(zip(rnas, rows, strict=True)):
        bases[k, : len(rna)] = torch.tensor([BASES.index(base) for base in rna])
        mask[k, : len(rna)] = 1
        tokens[k, : len(row)] = torch.tensor(row)
    if bpp is None:
        return Batch(bases, mask, tokens, None)
    maps = torch.zeros(len(rnas), bpp[0].shape[0], longest, longest)
    for k, one in enumerate(bpp):
        maps[k, :, : one.shape[-1], : one.shape[-1]] = torch.from_numpy(one)
    return Batch(bases, mask, tokens, maps)


class ContactModel(nn.Module):
    """Backbone, pair features and contact head, with the calibration of its probabilities.

    Args:
        config: of all three.
        backbone: an encoder of that configuration; None for one of random weights.
    """

    def __init__(self, config: ModelConfig, backbone: Encoder | None = None) -> None:
        super().__init__()
        self.config = config
        self.backbone = Encoder(config.encoder) if backbone is None else backbone
        self.pair_features = PairFeatures(config.encoder, config.head)
        self.head = ContactHead(config.head)
        self.energies = nn.Parameter(torch.zeros(2)) if config.head.residual else None
        if self.energies is not None:
            nn.init.zeros_(self.head.logit.weight)
            nn.init.zeros_(self.head.logit.bias)

    def read(self, sets: tuple[str, ...]) -> None:
        """Have it read the base-pair probabilities of these parameter sets.

        A new one takes the place of those that are no longer read; two new ones divide it evenly.
        """
        head = replace(self.config.head, parameter_sets=sets)
        self.pair_features = self.pair_features.reading(sets, self.config.head.parameter_sets)
        self.config = replace(self.config, head=head)

    def forward(self, batch: Batch) -> Float[Tensor, "B L L"]:
        """The head's symmetric logits; padding never changes them."""
        batch = self._for_head(batch)
        logits: Tensor = self.head(self._pair_features(batch), batch.mask)
        if self.energies is None:
            return logits
        known = batch.bpp
        if known is None:
            known = torch.zeros_like(logits)[:, None]
        slope, offset = self.energies
        corrected: Tensor = logits + (1 + slope) * energy_log_odds(known) + offset
        return corrected

    def _pair_features(self, batch: Batch) -> Float[Tensor, "B L L C"]:
        """All pair features, summed in place: a map of pairs is most of the memory."""
        projected: Tensor | None = None
        for layer, embeddings, maps in self._each_layer(batch):  # noqa: B007 - the last embeddings
            if maps is not None:
                part = self.pair_features.project(layer, maps)
                projected = part if projected is None else projected.__iadd__(part)
            del maps  # before the next layer makes its own
        features: Tensor = self.pair_features(embeddings, batch.bases, batch.bpp)
        if projected is not None:
            features += projected
        return features

    def log_odds(self, batch: Batch) -> Float[Tensor, "B L L"]:
        """The logits with ViennaRNA's log-odds mixed in, before calibration."""
        logits: Tensor = self(batch)
        if batch.bpp is None:
            return logits
        config, sets = self.config, self.config.parameter_sets
        if config.bpp_weight:
            own = [k for k, name in enumerate(sets) if not name.endswith(SECOND_FOLD)]
            energies = bpp_log_odds(batch.bpp[:, own])
            logits = (1 - config.bpp_weight) * logits + config.bpp_weight * energies
        return _with_second_fold(config, logits, batch.bpp)

    def _for_head(self, batch: Batch) -> Batch:
        """The batch with the base-pair probabilities that the head reads."""
        sets = len(self.config.head.parameter_sets)
        if batch.bpp is None or batch.bpp.shape[1] == sets:
            return batch
        return replace(batch, bpp=batch.bpp[:, :sets])

    @torch.no_grad()
    def features(self, batch: Batch) -> Features:
        """All that the head reads of the backbone, to be kept."""
        layers = list(self._each_layer(batch))
        maps = [one for _, _, one in layers if one is not None]
        return Features(layers[-1][1], torch.cat(maps, 1) if maps else None)

    def _each_layer(self, batch: Batch) -> Iterator[tuple[int, Tensor, Tensor | None]]:
        """The backbone's layers in turn, or the last one alone where the head uses no attention maps.

        Each yields its number from 0, its embeddings per base, (B, L, D), and its corrected maps,
        (B, H, L, L), which nothing here holds on to once the next one is taken.
        """
        watched = self.config.head.attention_maps
        if batch.features is not None:
            heads, kept = self.config.encoder.heads, batch.features
            parts = torch.split(kept.maps, heads, 1) if watched and kept.maps is not None else [None]
            yield from ((layer, kept.embeddings, maps) for layer, maps in enumerate(parts))
            return
        table = self.backbone.vocabulary
        step, first = table.bases_per_token, table.special_before()
        inside = slice(first, first + batch.bases.shape[1] // step)
        if not watched:
            yield 0, _per_base(self.backbone(batch.tokens)[:, inside], step, (1,)), None
            return
        for number, states, maps in self.backbone.each_layer(batch.tokens, maps=True):
            if maps is None:  # of the embedding of the tokens
                continue
            between = _per_base(maps[:, :, inside, inside], step, (2, 3))
            corrected = corrected_maps(between, batch.mask)  # (B, H, L, L)
            del maps, between
            yield number - 1, _per_base(states[:, inside], step, (1,)), corrected
            del corrected

    def calibrated(self, batch: Batch) -> Float[Tensor, "B L L"]:
        """The log-odds after calibration."""
        calibrated: Tensor = self.config.calibrated(self.log_odds(batch))
        return calibrated

    def probabilities(self, batch: Batch, *, canonical: bool | None = None) -> Float[Tensor, "B L L"]:
        """Calibrated pairing probabilities, see `pairing_probabilities`."""
        log_odds = self.log_odds(batch)
        return pairing_probabilities(self.config, log_odds, batch.bases, batch.mask, canonical=canonical)


class Mixture(nn.Module):
    """A mixture of contact models: the weighted mean of their calibrated log-odds.

    Args:
        config: of the experts, their weights, the gate, and the calibration and decoding of the whole.
        experts: contact models of these configurations and of one vocabulary; None for random weights.
    """

    def __init__(self, config: MixtureConfig, experts: Sequence[ContactModel] | None = None) -> None:
        super().__init__()
        self.config = config
        self.experts = nn.ModuleList(experts or map(ContactModel, config.experts))
        self.gate = Gate() if config.gated else None
        self.known = KnownKmers(config.known_kmers)

    @property
    def backbone(self) -> Encoder:
        """That of the first expert, whose tokens all of them read."""
        return self._models[0].backbone

    def log_odds(self, batch: Batch) -> Float[Tensor, "B L L"]:
        """The mean of the experts with ViennaRNA's log-odds, before calibration."""
        return self._log_odds(batch)[0]

    def _log_odds(self, batch: Batch) -> tuple[Float[Tensor, "B L L"], Float[Tensor, " B"] | None]:
        """The same, and the share of ViennaRNA that the gate chose for each RNA, if any."""
        mean, features = self.mean_log_odds(batch)
        share = None if self.gate is None or features is None else self.gate(features)
        return self.with_energies(mean, batch, share), share

    def mean_log_odds(self, batch: Batch) -> tuple[Float[Tensor, "B L L"], Float[Tensor, "B F"] | None]:
        """The weighted mean of the experts' calibrated log-odds, and what the gate reads, if any."""
        length = batch.bases.shape[1]
        mean = torch.zeros(len(batch.bases), length, length, device=batch.mask.device)
        gated = self.gate is not None and batch.bpp is not None
        each = []
        for model, weight in zip(self._models, self.config.weights, strict=True):
            log_odds = model.calibrated(self._for(model.config, batch))
            mean += weight * log_odds
            if gated:
                each.append(log_odds.sigmoid_())
            del log_odds
            if length > _LONG:
                return_freed_memory()
        if not gated or batch.bpp is None:
            return mean, None
        known = self.known(batch.bases, batch.mask)
        first = batch.bpp[:, 0]
        features = gate_features(each, torch.sigmoid(mean), first, batch.bases, batch.mask, known)
        return mean, features

    def with_energies(
        self, mean: Float[Tensor, "B L L"], batch: Batch, share: Float[Tensor, " B"] | None
    ) -> Float[Tensor, "B L L"]:
        """Log-odds with this share of ViennaRNA's mixed in, and the second fold added."""
        if batch.bpp is None:
            return mean
        if share is not None:
            mean = torch.lerp(mean, bpp_log_odds(batch.bpp[:, :1]), share[:, None, None])
        return _with_second_fold(self.config, mean, batch.bpp)

    def probabilities(self, batch: Batch, *, canonical: bool | None = None) -> Float[Tensor, "B L L"]:
        """Calibrated pairing probabilities, see `pairing_probabilities`."""
        return self.pairing(batch, canonical=canonical)[0]

    def pairing(
        self, batch: Batch, *, canonical: bool | None = None
    ) -> tuple[Float[Tensor, "B L L"], Float[Tensor, " B"] | None]:
        """The probabilities, and the weight of ViennaRNA's log-odds that a gate chose, if any."""
        log_odds, share = self._log_odds(batch)
        found = pairing_probabilities(
            self.config, log_odds, batch.bases, batch.mask, canonical=canonical
        )
        return found, share

    @property
    def _models(self) -> list[ContactModel]:
        return [cast("ContactModel", expert) for expert in self.experts]

    def _for(self, expert: ModelConfig, batch: Batch) -> Batch:
        """The batch with the base-pair probabilities that an expert reads."""
        if batch.bpp is None:
            return batch
        rows = [self.config.parameter_sets.index(name) for name in expert.parameter_sets]
        return replace(batch, bpp=batch.bpp[:, rows] if rows else None)


def _with_second_fold(
    config: ModelConfig | MixtureConfig, log_odds: Float[Tensor, "B L L"], bpp: Float[Tensor, "B S L L"]
) -> Float[Tensor, "B L L"]:
    """Log-odds with what the second fold of the first parameter set adds."""
    if not config.second_fold_weight:
        return log_odds
    sets = config.parameter_sets
    second = bpp[:, sets.index(sets[0] + SECOND_FOLD)]
    return log_odds + config.second_fold_weight * second_fold_gain(bpp[:, 0], second)


def pairing_probabilities(
    config: PairingConfig,
    log_odds: Float[Tensor, "B L L"],
    bases: Int[Tensor, "B L"],
    mask: Float[Tensor, "B L"],
    *,
    canonical: bool | None = None,
) -> Float[Tensor, "B L L"]:
    """Probabilities of uncalibrated log-odds, symmetric; 0 on the diagonal and in padding.

    Args:
        config: their calibration, and whether a base has one partner.
        log_odds: symmetric, of a model's `log_odds`.
        bases: as in `Batch`.
        mask: as there.
        canonical: where a base has one partner, only A-U, G-C and G-U have a probability; None: as in
            the configuration's decoding.
    """
    if canonical is None:
        canonical = config.decoding.canonical
    calibrated = config.calibrated(log_odds)
    if config.one_partner:
        possible = possible_pairs(bases, mask, canonical=canonical)
        return partner_probabilities(calibrated, possible)
    pairs = mask[:, :, None] * mask[:, None, :]
    off_diagonal = 1 - torch.eye(pairs.shape[-1], device=pairs.device)
    probabilities = torch.sigmoid(calibrated) * pairs * off_diagonal
    return torch.maximum(probabilities, probabilities.mT)  # vectorised, sigmoid differs in last bits


class RnaFmContacts(nn.Module):
    """RNA-FM's own secondary-structure model behind the interface of a contact model."""

    def __init__(self, structure: RnaFmStructure, config: ModelConfig) -> None:
        super().__init__()
        self.structure, self.config = structure, config

    @property
    def backbone(self) -> Encoder:
        """Its encoder."""
        return self.structure.backbone

    def probabilities(self, batch: Batch) -> Float[Tensor, "B L L"]:
        """Pairing probabilities of any two bases, symmetric; 0 on the diagonal and in padding."""
        length = batch.bases.shape[1]
        maps = torch.zeros(len(batch.bases), length, length, device=batch.mask.device)
        for k, size in enumerate(batch.mask.sum(1).int().tolist()):
            bases = "".join(BASES[code] for code in batch.bases[k, :size].tolist())
            maps[k, :size, :size] = self.structure.probabilities(bases)
        return maps


PairingModel = ContactModel | Mixture | RnaFmContacts
"""Any model that a predictor can hold."""


def pairing(
    model: PairingModel, batch: Batch, *, canonical: bool | None = None
) -> tuple[Float[Tensor, "B L L"], Float[Tensor, " B"] | None]:
    """Any model's pairing probabilities, and the share of ViennaRNA that a gate chose for each RNA.

    Args:
        model: any.
        batch: some RNAs.
        canonical: see `pairing_probabilities`.
    """
    if isinstance(model, Mixture):
        return model.pairing(batch, canonical=canonical)
    if isinstance(model, RnaFmContacts):
        return model.probabilities(batch), None
    return model.probabilities(batch, canonical=canonical), None


def _per_base(x: Tensor, step: int, dimensions: tuple[int, ...]) -> Tensor:
    """Values of tokens repeated for each of their *step* bases."""
    for dimension in dimensions if step > 1 else ():
        x = x.repeat_interleave(step, dimension)
    return x
