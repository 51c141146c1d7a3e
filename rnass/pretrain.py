"""Pre-train a backbone: masked language modelling and structure annotation, in one loop.

Structure annotation reads a logistic contact map off the attention maps (symmetrised, APC), which is
what makes those maps worth feeding to the contact head.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from rnass.backbone.encoder import Encoder
from rnass.config import PretrainConfig, to_json
from rnass.dataset import Example, batches, read_examples
from rnass.model import Batch, collate
from rnass.optimise import Run
from rnass.pair_features import average_product_correction, symmetrise
from rnass.weights import save_backbone

__all__ = ["LabelledBatch", "PretrainObjective", "contact_loss", "pretrain"]

_MAP_SCALE = 10.0  # lets small logistic weights act on attention maps, which average 1 / L
_KEPT_PREDICTIONS = (0.8, 0.9)  # of the chosen tokens: 80 % masked, 10 % replaced, 10 % left


@dataclass(frozen=True)
class LabelledBatch:
    """RNAs and their pairs as (B, L, L) maps of 0 and 1."""

    rnas: Batch
    contacts: Float[Tensor, "B L L"]

    def to(self, device: torch.device) -> "LabelledBatch":
        """The same batch on another device."""
        return LabelledBatch(self.rnas.to(device), self.contacts.to(device))


def contact_loss(
    logits: Float[Tensor, "B L L"], contacts: Float[Tensor, "B L L"], mask: Float[Tensor, "B L"]
) -> Float[Tensor, ""]:
    """Binary cross-entropy over the pairs i < j, per base, averaged over the RNAs."""
    each = functional.binary_cross_entropy_with_logits(logits.float(), contacts, reduction="none")
    pairs = (mask[:, :, None] * mask[:, None, :]).triu(1)
    return ((each * pairs).sum((1, 2)) / mask.sum(1)).mean()


class PretrainObjective(nn.Module):
    """An encoder with the two heads it is pre-trained by, and their losses."""

    def __init__(self, config: PretrainConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config.encoder)
        width = config.encoder.width
        self.language = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width))
        self.language_bias = nn.Parameter(torch.zeros(config.encoder.vocabulary_size))
        self.contacts = nn.ModuleList(
            nn.Linear(config.encoder.heads, 1, bias=False) for _ in range(config.encoder.layers)
        )
        self.contact_bias = nn.Parameter(torch.tensor(-4.0))

    def forward(self, batch: LabelledBatch) -> dict[str, Tensor]:
        """Both losses on one reading of the masked tokens."""
        rnas = batch.rnas
        tokens, chosen = self._masked(rnas.tokens)
        first, length = self.encoder.vocabulary.special_before(), rnas.bases.shape[1]
        inside = slice(first, first + length)
        pairs = (rnas.mask[:, :, None] * rnas.mask[:, None, :])[:, None]  # (B, 1, L, L)
        logits = [self.contact_bias.expand(pairs[:, 0].shape)]

        def consume(layer: int, maps: Tensor) -> None:
            corrected = average_product_correction(
                symmetrise(maps[:, :, inside, inside].float() * pairs)
            )
            scored = self.contacts[layer](_MAP_SCALE * corrected.permute(0, 2, 3, 1)).squeeze(-1)
            logits[:] = [logits[0] + scored]

        embeddings = self.encoder(tokens, consume)
        structure = contact_loss(logits[0], batch.contacts, rnas.mask)
        scores = self.language(embeddings[chosen]) @ self.encoder.tokens.weight.T + self.language_bias
        language = functional.cross_entropy(scores.float(), rnas.tokens[chosen])
        total = self.config.structure_weight * structure + self.config.masked_language_weight * language
        return {"loss": total, "structure": structure, "language": language}

    def _masked(self, tokens: Int[Tensor, "B T"]) -> tuple[Int[Tensor, "B T"], Tensor]:
        """Tokens with a share hidden, and which ones were chosen (B, T), at least one."""
        table = self.encoder.vocabulary
        bases = torch.tensor([table.row(base) for base in "ACGU"], device=tokens.device)
        real = torch.isin(tokens, bases)
        chosen = real & (torch.rand(tokens.shape, device=tokens.device) < self.config.mask_fraction)
        if not bool(chosen.any()):
            chosen = real
        kind = torch.rand(tokens.shape, device=tokens.device)
        random = bases[torch.randint(4, tokens.shape, device=tokens.device)]
        masked, replaced = _KEPT_PREDICTIONS
        hidden = torch.where(kind < masked, table.mask, torch.where(kind < replaced, random, tokens))
        return torch.where(chosen, hidden, tokens), chosen


def pretrain(config: PretrainConfig, folder: Path, device: torch.device) -> Path:
    """Pre-train in *folder* (resumed where a state is found); gives the backbone's weights file."""
    torch.manual_seed(config.run.seed)
    data = config.data
    examples = read_examples(data.train, data.min_length, data.max_length)
    valid = read_examples(data.valid, data.min_length, data.max_length)[: data.valid_limit]
    objective = PretrainObjective(config).to(device)
    run: Run[LabelledBatch] = Run(
        folder,
        objective,
        [{"params": list(objective.parameters()), "lr": 1.0}],
        config.optimiser,
        config.run,
        to_json(config),
    )

    def load(chosen: list[Example]) -> LabelledBatch:
        return _load(chosen, objective.encoder).to(device)

    def stream() -> Iterator[LabelledBatch]:
        for numbers in batches(examples, data, config.run.seed):
            yield load([examples[n] for n in numbers])

    def validate() -> dict[str, float]:
        return _validate(objective, [load([example]) for example in valid])

    run.fit(stream(), validate)
    path = folder / "backbone.safetensors"
    with run.averaged():
        save_backbone(path, objective.encoder, {"config": to_json(config), "steps": run.step})
    return path


def _load(chosen: list[Example], encoder: Encoder) -> LabelledBatch:
    rnas = collate([example.bases for example in chosen], None, encoder.vocabulary)
    length = rnas.bases.shape[1]
    contacts = torch.zeros(len(chosen), length, length)
    for k, example in enumerate(chosen):
        size = len(example.bases)
        contacts[k, :size, :size] = torch.from_numpy(example.contacts())
    return LabelledBatch(rnas, contacts)


@torch.no_grad()
def _validate(objective: PretrainObjective, loaded: list[LabelledBatch]) -> dict[str, float]:
    """Mean losses over the validation RNAs, with the same masks every time."""
    if not loaded:
        return {}
    kept = torch.get_rng_state()
    torch.manual_seed(0)
    objective.eval()
    losses = [objective(batch) for batch in loaded]
    torch.set_rng_state(kept)
    return {f"valid_{key}": sum(float(one[key]) for one in losses) / len(losses) for key in losses[0]}
