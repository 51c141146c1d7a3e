"""The contact model: backbone -> pair features -> contact head -> probability map.

Shapes: B batch, L bases, T tokens, S parameter sets.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor, nn

from rnass.backbone.encoder import Encoder, OnAttention
from rnass.backbone.vocabulary import Vocabulary
from rnass.config import CommitteeConfig, ModelConfig, PairingConfig
from rnass.network.contact_head import ContactHead
from rnass.network.memory import return_freed_memory
from rnass.network.pair_features import PairFeatures, corrected_maps
from rnass.network.partners import partner_probabilities, possible_pairs
from rnass.network.rnafm_structure import RnaFmStructure
from rnass.rna import BASES

__all__ = [
    "Batch",
    "Committee",
    "ContactModel",
    "Features",
    "PairingModel",
    "RnaFmContacts",
    "collate",
    "energy_log_odds",
    "pairing_probabilities",
    "thermal_log_odds",
]

_N = BASES.index("N")
_LONG = 1000  # bases from which what one network leaves free in the heap counts beside the next one's


@dataclass(frozen=True)
class Features:
    """What a frozen backbone says of some RNAs, all that a contact head asks of it.

    Attributes:
        embeddings: (B, L, D).
        maps: (B, N, L, L), the attention maps of all layers one after the other, symmetrised and
            corrected (APC); None where the head uses none.
    """

    embeddings: Float[Tensor, "B L D"]
    maps: Float[Tensor, "B N L L"] | None

    def to(self, device: torch.device) -> "Features":
        """The same on another device."""
        maps = None if self.maps is None else self.maps.to(device)
        return Features(self.embeddings.to(device), maps)


@dataclass(frozen=True)
class Batch:
    """Some RNAs, padded to the longest.

    Attributes:
        bases: (B, L) codes over ACGUN; padding is N.
        mask: (B, L) 1 where there is a base, 0 in padding.
        tokens: (B, T) rows of the backbone's vocabulary.
        thermodynamics: (B, S, L, L) base-pair probabilities, or None.
        features: what the backbone says of them, where it need not be asked again.
    """

    bases: Int[Tensor, "B L"]
    mask: Float[Tensor, "B L"]
    tokens: Int[Tensor, "B T"]
    thermodynamics: Float[Tensor, "B S L L"] | None
    features: Features | None = None

    def to(self, device: torch.device) -> "Batch":
        """The same batch on another device."""
        maps = None if self.thermodynamics is None else self.thermodynamics.to(device)
        features = None if self.features is None else self.features.to(device)
        return Batch(self.bases.to(device), self.mask.to(device), self.tokens.to(device), maps, features)


def collate(
    rnas: Sequence[str],
    thermodynamics: Sequence[NDArray[np.float32]] | None,
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
    if thermodynamics is None:
        return Batch(bases, mask, tokens, None)
    maps = torch.zeros(len(rnas), thermodynamics[0].shape[0], longest, longest)
    for k, one in enumerate(thermodynamics):
        maps[k, :, : one.shape[-1], : one.shape[-1]] = torch.from_numpy(one)
    return Batch(bases, mask, tokens, maps)


_RARE = 1e-3  # added to a probability, as energies that leave a pair out may err
_OPEN = 1e-2  # added to the probability of any other state of two bases
_LEAST, _MOST = 0.1, 1 - 1e-4  # that ViennaRNA's probabilities count as: it knows no pair that crosses


def energy_log_odds(thermodynamics: Float[Tensor, "B S L L"]) -> Float[Tensor, "B L L"]:
    """What the first parameter set says of each pair, as `rnass.network.partners` takes log-odds.

    log P - 2 log(1 - P), which gives P back where neither base has another partner.
    """
    first = thermodynamics[:, 0].float()
    return torch.log(first + _RARE) - 2 * torch.log(1 - first + _OPEN)


def thermal_log_odds(thermodynamics: Float[Tensor, "B S L L"]) -> Float[Tensor, "B L L"]:
    """ViennaRNA's log-odds of each pair: those of the mean of its parameter sets."""
    return torch.logit(thermodynamics.mean(1).clamp(_LEAST, _MOST))


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

    def deepen(self, blocks: int, like: ContactHead | None = None) -> None:
        """Give the head so many more blocks at full resolution, which change nothing before training.

        See `ContactHead.deepened` for *like*.
        """
        if blocks:
            head = replace(self.config.head, blocks=self.config.head.blocks + blocks)
            self.config = replace(self.config, head=head)
            self.head = self.head.deepened(head, like)

    def read(self, sets: tuple[str, ...]) -> None:
        """Have it read the base-pair probabilities of these parameter sets.

        A new one is read as those that are no longer read were, together; two new ones share that.
        """
        head = replace(self.config.head, thermodynamics=sets)
        self.pair_features = self.pair_features.reading(sets, self.config.head.thermodynamics)
        self.config = replace(self.config, head=head)

    def forward(self, batch: Batch) -> Float[Tensor, "B L L"]:
        """The head's symmetric logits; padding never changes them."""
        projected: list[Tensor] = []

        def consume(layer: int, corrected: Tensor) -> None:
            part = self.pair_features.project(layer, corrected)
            if projected:
                projected[0] += part  # in place, here and below: a map of pairs is most of the memory
            else:
                projected.append(part)

        embeddings = self._embeddings(batch, consume if self.config.head.attention_maps else None)
        features = self.pair_features(embeddings, batch.bases, batch.thermodynamics)
        if projected:
            features += projected.pop()
        logits: Tensor = self.head(features, batch.mask)
        if self.energies is None:
            return logits
        known = batch.thermodynamics
        if known is None:
            known = torch.zeros_like(logits)[:, None]
        slope, offset = self.energies
        corrected: Tensor = logits + (1 + slope) * energy_log_odds(known) + offset
        return corrected

    def log_odds(self, batch: Batch) -> Float[Tensor, "B L L"]:
        """The logits with ViennaRNA's share in them, before calibration."""
        logits: Tensor = self(batch)
        share = self.config.thermal_share
        if not share or batch.thermodynamics is None:
            return logits
        return (1 - share) * logits + share * thermal_log_odds(batch.thermodynamics)

    @torch.no_grad()
    def features(self, batch: Batch) -> Features:
        """What the backbone says of the RNAs, to be kept."""
        maps: list[Tensor] = []
        watch = (
            (lambda _, corrected: maps.append(corrected)) if self.config.head.attention_maps else None
        )
        embeddings = self._embeddings(batch, watch)
        return Features(embeddings, torch.cat(maps, 1) if maps else None)

    def _embeddings(self, batch: Batch, watch: OnAttention | None) -> Float[Tensor, "B L D"]:
        """Embeddings per base; *watch* receives each layer's corrected maps, (B, H, L, L)."""
        if batch.features is not None:
            heads = self.config.encoder.heads
            if watch is not None and batch.features.maps is not None:
                for layer, maps in enumerate(torch.split(batch.features.maps, heads, 1)):
                    watch(layer, maps)
            return batch.features.embeddings
        step = self.backbone.vocabulary.bases_per_token
        first = self.backbone.vocabulary.special_before()
        inside = slice(first, first + batch.bases.shape[1] // step)

        def correct(layer: int, maps: Tensor) -> None:
            between = _per_base(maps[:, :, inside, inside], step, (2, 3))  # (B, H, L, L)
            if watch is not None:
                watch(layer, corrected_maps(between, batch.mask))

        states = self.backbone(batch.tokens, correct if watch else None)
        return _per_base(states[:, inside], step, (1,))

    def calibrated(self, batch: Batch) -> Float[Tensor, "B L L"]:
        """The log-odds after calibration."""
        calibrated: Tensor = self.config.calibrated(self.log_odds(batch))
        return calibrated

    def probabilities(self, batch: Batch) -> Float[Tensor, "B L L"]:
        """Calibrated pairing probabilities, symmetric; 0 on the diagonal and in padding."""
        return pairing_probabilities(self.config, self.log_odds(batch), batch.bases, batch.mask)


class Committee(nn.Module):
    """Contact models that are asked as one: the mean of their calibrated log-odds, by their shares.

    What one of them learnt by heart, or got wrong, the others put in proportion.

    Args:
        config: of the members, and of what is made of their mean.
        members: contact models of these configurations and of one vocabulary; None for random weights.
    """

    def __init__(self, config: CommitteeConfig, members: Sequence[ContactModel] | None = None) -> None:
        super().__init__()
        self.config = config
        self.members = nn.ModuleList(members or map(ContactModel, config.members))

    @property
    def backbone(self) -> Encoder:
        """That of the first member, whose tokens all of them read."""
        return self._models[0].backbone

    def log_odds(self, batch: Batch) -> Float[Tensor, "B L L"]:
        """The mean of the members' calibrated log-odds, itself not calibrated yet."""
        length = batch.bases.shape[1]
        mean = torch.zeros(len(batch.bases), length, length, device=batch.mask.device)
        for model, share in zip(self._models, self.config.shares, strict=True):
            mean += share * model.calibrated(self._for(model.config, batch))
            if length > _LONG:
                return_freed_memory()
        return mean

    def probabilities(self, batch: Batch) -> Float[Tensor, "B L L"]:
        """Calibrated pairing probabilities, symmetric; 0 on the diagonal and in padding."""
        return pairing_probabilities(self.config, self.log_odds(batch), batch.bases, batch.mask)

    @property
    def _models(self) -> list[ContactModel]:
        return [cast("ContactModel", member) for member in self.members]

    def _for(self, member: ModelConfig, batch: Batch) -> Batch:
        """The batch with the base-pair probabilities that a member reads."""
        if batch.thermodynamics is None:
            return batch
        rows = [self.config.thermodynamics.index(name) for name in member.thermodynamics]
        return replace(batch, thermodynamics=batch.thermodynamics[:, rows] if rows else None)


def pairing_probabilities(
    config: PairingConfig,
    log_odds: Float[Tensor, "B L L"],
    bases: Int[Tensor, "B L"],
    mask: Float[Tensor, "B L"],
) -> Float[Tensor, "B L L"]:
    """Probabilities of uncalibrated log-odds, symmetric; 0 on the diagonal and in padding.

    Args:
        config: their calibration, and whether a base has one partner.
        log_odds: symmetric, of a model's `log_odds`.
        bases: as in `Batch`.
        mask: as there.
    """
    calibrated = config.calibrated(log_odds)
    if config.one_partner:
        possible = possible_pairs(bases, mask, canonical=config.decoding.canonical)
        return partner_probabilities(calibrated, possible)
    pairs = mask[:, :, None] * mask[:, None, :]
    off_diagonal = 1 - torch.eye(pairs.shape[-1], device=pairs.device)
    probabilities = torch.sigmoid(calibrated) * pairs * off_diagonal
    return torch.maximum(probabilities, probabilities.mT)  # vectorised, sigmoid differs in last bits


class RnaFmContacts(nn.Module):
    """RNA-FM's own secondary-structure model, to be asked as a contact model is."""

    def __init__(self, structure: RnaFmStructure, config: ModelConfig) -> None:
        super().__init__()
        self.structure, self.config = structure, config

    @property
    def backbone(self) -> Encoder:
        """Its encoder."""
        return self.structure.backbone

    def probabilities(self, batch: Batch) -> Float[Tensor, "B L L"]:
        """Pairing probabilities, symmetric; 0 on the diagonal and in padding."""
        length = batch.bases.shape[1]
        maps = torch.zeros(len(batch.bases), length, length, device=batch.mask.device)
        for k, size in enumerate(batch.mask.sum(1).int().tolist()):
            bases = "".join(BASES[code] for code in batch.bases[k, :size].tolist())
            maps[k, :size, :size] = self.structure.probabilities(bases)
        return maps


PairingModel = ContactModel | Committee | RnaFmContacts
"""What a predictor may hold."""


def _per_base(x: Tensor, step: int, dimensions: tuple[int, ...]) -> Tensor:
    """What is known of a token, said of each of its *step* bases."""
    for dimension in dimensions if step > 1 else ():
        x = x.repeat_interleave(step, dimension)
    return x
