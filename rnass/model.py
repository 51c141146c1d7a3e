"""The contact model: backbone -> pair features -> contact head -> probability map.

Shapes: B batch, L bases, T tokens, S parameter sets.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor, nn

from rnass.backbone.encoder import Encoder
from rnass.backbone.vocabulary import Vocabulary
from rnass.config import ModelConfig
from rnass.contact_head import ContactHead
from rnass.pair_features import PairFeatures
from rnass.sequence import BASES

__all__ = ["Batch", "ContactModel", "collate"]

_N = BASES.index("N")


@dataclass(frozen=True)
class Batch:
    """Some RNAs, padded to the longest.

    Attributes:
        bases: (B, L) codes over ACGUN; padding is N.
        mask: (B, L) 1 where there is a base, 0 in padding.
        tokens: (B, T) rows of the backbone's vocabulary.
        thermodynamics: (B, S, L, L) base-pair probabilities, or None.
    """

    bases: Int[Tensor, "B L"]
    mask: Float[Tensor, "B L"]
    tokens: Int[Tensor, "B T"]
    thermodynamics: Float[Tensor, "B S L L"] | None

    def to(self, device: torch.device) -> "Batch":
        """The same batch on another device."""
        maps = None if self.thermodynamics is None else self.thermodynamics.to(device)
        return Batch(self.bases.to(device), self.mask.to(device), self.tokens.to(device), maps)


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


class ContactModel(nn.Module):
    """Backbone, pair features and contact head, with the calibration of its probabilities."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone = Encoder(config.encoder)
        self.pair_features = PairFeatures(config.encoder, config.head)
        self.head = ContactHead(config.head)

    def forward(self, batch: Batch) -> Float[Tensor, "B L L"]:
        """Symmetric logits, before calibration; padding never changes them."""
        step = self.backbone.vocabulary.bases_per_token
        first = self.backbone.vocabulary.special_before()
        inside = slice(first, first + batch.bases.shape[1] // step)
        projected: list[Tensor] = []

        def consume(layer: int, maps: Tensor) -> None:
            between = _per_base(maps[:, :, inside, inside], step, (2, 3))  # (B, H, L, L)
            part = self.pair_features.attention(layer, between, batch.mask)
            if part is not None and projected:
                projected[0] += part  # in place, here and below: a map of pairs is most of the memory
            elif part is not None:
                projected.append(part)

        watch = consume if self.config.head.attention_maps else None
        embeddings = _per_base(self.backbone(batch.tokens, watch)[:, inside], step, (1,))
        features = self.pair_features(embeddings, batch.bases, batch.thermodynamics)
        if projected:
            features += projected.pop()
        return self.head(features, batch.mask)  # type: ignore[no-any-return]

    def probabilities(self, batch: Batch) -> Float[Tensor, "B L L"]:
        """Calibrated pairing probabilities, symmetric; 0 on the diagonal and in padding."""
        logits = self(batch) / self.config.temperature + self.config.offset
        pairs = batch.mask[:, :, None] * batch.mask[:, None, :]
        off_diagonal = 1 - torch.eye(pairs.shape[-1], device=pairs.device)
        probabilities = torch.sigmoid(logits) * pairs * off_diagonal
        return torch.maximum(probabilities, probabilities.mT)  # vectorised, sigmoid differs in last bits


def _per_base(x: Tensor, step: int, dimensions: tuple[int, ...]) -> Tensor:
    """What is known of a token, said of each of its *step* bases."""
    for dimension in dimensions if step > 1 else ():
        x = x.repeat_interleave(step, dimension)
    return x
