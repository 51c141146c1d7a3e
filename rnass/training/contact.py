"""Train a contact head on a backbone, and calibrate it on validation records."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from rnass.config import DecodingConfig, ModelConfig, override
from rnass.errors import ConfigError
from rnass.files import check_target, sha256
from rnass.network.backbones import OWN, Backbone, open_backbone
from rnass.network.contact_head import contact_loss
from rnass.network.contact_model import ContactModel, pairing_probabilities
from rnass.network.models import load_model, save_head, save_model
from rnass.network.partners import partner_loss, possible_pairs
from rnass.network.weights import find_weights
from rnass.training.calibration import calibrate, logit_maps, strict_f1
from rnass.training.config import TrainConfig
from rnass.training.feature_cache import FeatureCache
from rnass.training.loop import Run
from rnass.training.processes import first_process_first, sole_run
from rnass.training.records import (
    Example,
    LabelledBatch,
    Loader,
    checksums,
    read_examples,
    spread,
    training_examples,
    whole_tokens,
)
from rnass.training.sampling import batches, mutated

__all__ = ["TrainObjective", "train"]


class TrainObjective(nn.Module):
    """A contact model and its loss; some RNAs are shown without their base-pair probabilities."""

    def __init__(
        self, model: ContactModel, bpp_dropout: float = 0.0, profile_weight: float = 1.0
    ) -> None:
        super().__init__()
        self.model = model
        self.dropout = bpp_dropout
        self.profile_weight = profile_weight

    def forward(self, batch: LabelledBatch) -> dict[str, Tensor]:
        """Cross-entropy of the uncalibrated logits, per base: of pairs, or of each base's partner."""
        rnas = batch.rnas
        if self.dropout and rnas.bpp is not None:
            shown = torch.rand(len(rnas.mask), 1, 1, 1, device=rnas.mask.device) >= self.dropout
            rnas = dataclasses.replace(rnas, bpp=rnas.bpp * shown)
        return {"loss": _loss(self.model.config, self.model(rnas), batch, self.profile_weight)}


def _loss(
    config: ModelConfig, logits: Tensor, batch: LabelledBatch, profile_weight: float = 1.0
) -> Tensor:
    rnas = batch.rnas
    if not config.one_partner:
        return contact_loss(logits, batch.contacts, rnas.mask)
    possible = possible_pairs(rnas.bases, rnas.mask, canonical=False)
    losses = partner_loss(logits, batch.contacts, possible, rnas.mask, batch.evidence)
    if batch.evidence is not None:
        losses = torch.where(batch.evidence.isnan().all(1), losses, profile_weight * losses)
    return losses.mean()


def train(config: TrainConfig, folder: Path, device: torch.device, processes: int = 0) -> Path:
    """Train in *folder* (resumed where a state is found); gives the contact model's weights file.

    Raises:
        ConfigError: neither a backbone, an encoder nor a model to start from; another configuration or
            other data than those of the folder; no record to sample; a loss that is not finite.
        InputError: a data file that cannot be read.
        OutputError: the folder cannot be written, another run has it, or it holds weights of no
            known run.
    """
    with sole_run(folder, device):
        return _train(config, folder, device, processes)


def _train(config: TrainConfig, folder: Path, device: torch.device, processes: int) -> Path:
    path = folder / "model.safetensors"
    check_target(path, (config.start, config.backbone), overwrite=True)
    torch.manual_seed(config.run.seed)
    data = config.data
    model, backbone = _start(config)
    published = backbone if backbone and backbone.family != OWN else None
    model.to(device)
    table = model.backbone.vocabulary
    load = Loader(table, model.config.parameter_sets, Path(data.cache), processes)
    with first_process_first(device):
        examples = whole_tokens(training_examples(data), table, "training")
        valid = read_examples(data.valid, data.min_length, data.max_length)
        valid = whole_tokens(valid, table, "validation")
        if data.fold_ahead:
            load.annotate(data.train, examples)
        load.annotate(data.valid, valid)
    if published and config.freeze_backbone:
        kept = Path(data.cache) / "features"
        load.features = FeatureCache(kept, model, published.sha256, data.feature_cache_gb)
    objective = TrainObjective(model, config.bpp_dropout, config.profile_weight)
    inputs = checksums(data, examples, valid)
    inputs |= {"start": sha256(find_weights(config.start))} if config.start else {}
    inputs |= {"backbone": backbone.sha256} if backbone else {}
    run: Run[LabelledBatch] = Run(folder, objective, _groups(model, config), config, inputs)

    def numbered(sampled: tuple[int, list[int]]) -> LabelledBatch:
        draw, numbers = sampled
        chosen = mutated([examples[n] for n in numbers], data, config.run.seed, draw)
        return load(chosen).to(device)

    def validate() -> dict[str, float]:
        return _validate(model, load, spread(valid, data.valid_limit), device)

    sampled = batches(examples, data, config.run.seed, run.per_step)
    run.fit(enumerate(sampled), numbered, validate)
    if run.rank == 0:
        with run.averaged():
            if config.bpp_weight is not None:
                model.config = dataclasses.replace(model.config, bpp_weight=config.bpp_weight)
            if valid:
                model.config = calibrate(model.config, logit_maps(model, load, valid, device), valid)
            made = run.made()
            if published and config.freeze_backbone:
                save_head(path, model, published, made)
            else:
                save_model(path, model, made)
    return path


def _validate(
    model: ContactModel, load: Loader, valid: list[Example], device: torch.device
) -> dict[str, float]:
    """Mean loss, and strict F1 at a threshold of 0.3: of all, and of each data file by its number.

    Of a loss that is not finite, that alone.
    """
    if not valid:
        return {}
    model.eval()
    losses, f1 = [], []
    with torch.no_grad():
        for example in valid:
            batch = load([example]).to(device)
            log_odds = model.log_odds(batch.rnas)
            losses.append(float(_loss(model.config, log_odds, batch)))
            if not math.isfinite(losses[-1]):  # nothing to decode
                return {"valid_loss": losses[-1]}
            known = pairing_probabilities(model.config, log_odds, batch.rnas.bases, batch.rnas.mask)
            f1 += strict_f1([known[0].cpu().numpy()], [example], DecodingConfig(threshold=0.3))
    source = np.array([example.source for example in valid])
    each = {f"valid_f1_{k}": float(np.mean(np.array(f1)[source == k])) for k in np.unique(source)}
    each = each if len(each) > 1 else {}
    return {"valid_loss": float(np.mean(losses)), "valid_f1": float(np.mean(f1)), **each}


def _start(config: TrainConfig) -> tuple[ContactModel, Backbone | None]:
    """The model as training finds it, and the backbone it stands on, if one was named."""
    backbone = None
    if config.backbone:
        backbone = open_backbone(config.backbone, config.family, config.u_as)
    published = backbone if backbone and backbone.family != OWN else None
    if config.start:
        model = load_model(find_weights(config.start), config.backbone)
        if published and published.encoder.config != model.backbone.config:
            raise ConfigError("start: reads U otherwise than u_as; expected the same")
        if config.parameter_sets is not None:
            model.read(config.parameter_sets)
    elif backbone:
        whole = ModelConfig(encoder=backbone.encoder.config, head=config.head)
        model = ContactModel(whole, backbone.encoder if published else None)
        model.backbone.load_state_dict(backbone.encoder.state_dict())
    elif config.encoder:
        model = ContactModel(ModelConfig(encoder=config.encoder, head=config.head))
    else:
        raise ConfigError("training: no backbone; expected one of the keys backbone, encoder, start")
    given = {"second_fold_weight": config.second_fold_weight, "one_partner": config.one_partner}
    chosen = {name: value for name, value in given.items() if value is not None}
    model.config = override(model.config, chosen, "training")
    room = model.backbone.max_bases
    if room is not None and config.data.max_length > room:
        raise ConfigError(
            f"data.max_length is {config.data.max_length}; expected at most {room}, all that the "
            "backbone reads at once"
        )
    return model, backbone


def _groups(model: ContactModel, config: TrainConfig) -> list[dict[str, object]]:
    """Parameter groups: the head's at the full rate, the backbone's frozen or at its own."""
    model.backbone.requires_grad_(not config.freeze_backbone)
    head = [*model.pair_features.parameters(), *model.head.parameters()]
    head += [] if model.energies is None else [model.energies]
    groups: list[dict[str, object]] = [{"params": head, "lr": 1.0}]
    if not config.freeze_backbone:
        groups.append({"params": list(model.backbone.parameters()), "lr": config.backbone_rate})
    return groups
