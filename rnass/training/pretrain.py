"""Pre-train a backbone: masked language modelling and structure annotation, in one loop.

Structure annotation reads a logistic contact map off the attention maps (symmetrised, APC), which is
what makes those maps worth feeding to the contact head.
"""

import dataclasses
from pathlib import Path

import torch
from jaxtyping import Int
from torch import Tensor, nn
from torch.nn import functional

from rnass.backbone.encoder import Encoder
from rnass.backbone.language_head import LanguageHead
from rnass.files import check_target
from rnass.network.backbones import save_backbone
from rnass.network.contact_head import contact_loss
from rnass.network.pair_features import corrected_maps
from rnass.training.config import PretrainConfig
from rnass.training.loop import Run
from rnass.training.processes import first_process_first, sole_run
from rnass.training.records import (
    LabelledBatch,
    Loader,
    checksums,
    read_examples,
    spread,
    training_examples,
)
from rnass.training.sampling import batches, mutated

__all__ = ["PretrainObjective", "pretrain"]

_MAP_SCALE = 10.0  # lets small logistic weights act on attention maps, which average 1 / L
_KEPT_PREDICTIONS = (0.8, 0.9)  # of the chosen tokens: 80 % masked, 10 % replaced, 10 % left


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
        if batch.maskable is not None:
            chosen[:, inside] &= batch.maskable > 0
            tokens = torch.where(chosen, tokens, rnas.tokens)
        logits = self.contact_bias.expand(len(rnas.mask), length, length)
        for number, embeddings, maps in self.encoder.each_layer(tokens, maps=True):  # noqa: B007
            if maps is not None:
                corrected = corrected_maps(maps[:, :, inside, inside], rnas.mask)
                scores = self.contacts[number - 1](_MAP_SCALE * corrected.permute(0, 2, 3, 1))
                logits = logits + scores.squeeze(-1)
        structure = contact_loss(logits, batch.contacts, rnas.mask)
        scores = self.language(embeddings[chosen]) @ self.encoder.tokens.weight.T + self.language_bias
        language = scores.float().sum()  # 0: without any A, C, G or U there is nothing to guess
        if len(scores):
            language = functional.cross_entropy(scores.float(), rnas.tokens[chosen])
        total = self.config.structure_weight * structure + self.config.masked_language_weight * language
        return {"loss": total, "structure": structure, "language": language}

    def language_head(self) -> LanguageHead:
        """The language-model head with the present weights, tied to the encoder's embeddings."""
        encoder = self.encoder.config
        head = LanguageHead(
            dataclasses.replace(encoder, norm="layer", norm_eps=1e-5), len(self.language_bias)
        )
        head.dense, head.norm = self.language[0], self.language[2]  # type: ignore[assignment]
        head.bias = self.language_bias
        head.tie(self.encoder.tokens)
        return head

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
    """Pre-train in *folder* (resumed where a state is found); gives the backbone's weights file.

    Raises:
        ConfigError: another configuration or other data than those of the folder; no record to sample; a
            loss that is not finite.
        InputError: a data file that cannot be read.
        OutputError: the folder cannot be written, another run has it, or it holds weights of no
            known run.
    """
    with sole_run(folder, device):
        return _pretrain(config, folder, device)


def _pretrain(config: PretrainConfig, folder: Path, device: torch.device) -> Path:
    path = folder / "backbone.safetensors"
    check_target(path, overwrite=True)
    torch.manual_seed(config.run.seed)
    data = config.data
    with first_process_first(device):
        examples = training_examples(data)
    valid = read_examples(data.valid, data.min_length, data.max_length)
    inputs = checksums(data, examples, valid)
    valid = spread(valid, data.valid_limit)
    objective = PretrainObjective(config).to(device)
    load = Loader(objective.encoder.vocabulary)
    run: Run[LabelledBatch] = Run(
        folder,
        objective,
        [{"params": list(objective.parameters()), "lr": 1.0}],
        config,
        inputs,
    )

    def numbered(sampled: tuple[int, list[int]]) -> LabelledBatch:
        draw, numbers = sampled
        chosen = mutated([examples[n] for n in numbers], data, config.run.seed, draw)
        return load(chosen).to(device)

    def validate() -> dict[str, float]:
        return _validate(objective, [load([example]).to(device) for example in valid])

    sampled = batches(examples, data, config.run.seed, run.per_step)
    run.fit(enumerate(sampled), numbered, validate)
    if run.rank == 0:
        with run.averaged():
            made = run.made()
            save_backbone(path, objective.encoder, made, objective.language_head())
    return path


@torch.no_grad()
def _validate(objective: PretrainObjective, loaded: list[LabelledBatch]) -> dict[str, float]:
    """Mean losses over the validation RNAs, with the same masks every time."""
    if not loaded:
        return {}
    device = objective.contact_bias.device
    objective.eval()
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(0)
        losses = [objective(batch) for batch in loaded]
    return {f"valid_{key}": sum(float(one[key]) for one in losses) / len(losses) for key in losses[0]}
