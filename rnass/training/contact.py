"""Train a contact head on a backbone, calibrate it, choose its threshold on validation records."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from torch import Tensor, nn

from rnass.config import DecodingConfig, ModelConfig, PairingConfig
from rnass.decoding import decode
from rnass.errors import ConfigError
from rnass.metrics import score
from rnass.network.backbones import OWN, Backbone, open_backbone
from rnass.network.contact_head import contact_loss
from rnass.network.contact_model import ContactModel, Mixture, pairing_probabilities
from rnass.network.models import load_model, save_head, save_model
from rnass.network.partners import partner_loss, possible_pairs
from rnass.network.weights import find_weights
from rnass.rna import BASES
from rnass.structure import Structure
from rnass.training.config import TrainConfig
from rnass.training.feature_cache import FeatureCache
from rnass.training.loop import Run
from rnass.training.processes import first_process_first
from rnass.training.records import (
    Example,
    LabelledBatch,
    Loader,
    batches,
    mutated,
    read_examples,
    training_examples,
    whole_tokens,
)

__all__ = [
    "TrainObjective",
    "calibrate",
    "calibrated_probabilities",
    "choose_decoding",
    "logit_maps",
    "mean_f1",
    "strict_f1",
    "train",
]

_Calibrated = TypeVar("_Calibrated", bound=PairingConfig)

_THRESHOLDS = tuple(round(0.05 * k, 2) for k in range(2, 12))


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
        ConfigError: neither a backbone, an encoder nor a model to start from.
        InputError: a data file that cannot be read.
    """
    torch.manual_seed(config.run.seed)
    data = config.data
    model, published = _start(config)
    model.to(device)
    table = model.backbone.vocabulary
    load = Loader(table, model.config.head.parameter_sets, Path(data.cache), processes)
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
    run: Run[LabelledBatch] = Run(folder, objective, _groups(model, config), config)

    def numbered(drawn: tuple[int, list[int]]) -> LabelledBatch:
        draw, numbers = drawn
        chosen = mutated([examples[n] for n in numbers], data, config.run.seed, draw)
        return load(chosen).to(device)

    def validate() -> dict[str, float]:
        return _validate(model, load, _spread(valid, data.valid_limit), device)

    drawn = batches(examples, data, config.run.seed, run.per_step)
    run.fit(enumerate(drawn), numbered, validate)
    path = folder / "model.safetensors"
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


def logit_maps(
    model: ContactModel | Mixture, load: Loader, examples: list[Example], device: torch.device
) -> list[NDArray[np.floating]]:
    """Uncalibrated log-odds of every example, (L, L) each."""
    model.eval()
    with torch.no_grad():
        batches_of_one = (load([example]).rnas.to(device) for example in examples)
        return [model.log_odds(batch)[0].cpu().numpy() for batch in batches_of_one]


def calibrate(
    config: _Calibrated, maps: list[NDArray[np.floating]], examples: list[Example]
) -> _Calibrated:
    """The configuration with temperature, offset, threshold and minimum helix fitted to *examples*.

    Temperature and offset minimise the negative log-likelihood (Guo et al. 2017, arXiv:1706.04599): of
    the pairs i < j; where a base has one partner, of each base's partner or none. For threshold and
    minimum helix see `choose_decoding`.
    """
    loss = (_partner_likelihood if config.one_partner else _pair_likelihood)(config, maps, examples)
    simplex = [[0, 0], [0.5, 0], [0, 0.5]]  # from zeros, the default one is smaller than the tolerance
    options = {"xatol": 1e-3, "initial_simplex": simplex}
    slope, offset = minimize(loss, np.zeros(2), method="Nelder-Mead", options=options).x
    fitted = dataclasses.replace(config, temperature=float(np.exp(-slope)), offset=float(offset))
    return dataclasses.replace(fitted, decoding=choose_decoding(fitted, maps, examples))


_Likelihood = Callable[[NDArray[np.float64]], float]  # of the logarithm of the slope, and the offset


def _pair_likelihood(
    _: PairingConfig, maps: list[NDArray[np.floating]], examples: list[Example]
) -> _Likelihood:
    logits = np.concatenate([m[np.triu_indices(len(m), 1)] for m in maps]).astype(np.float64)
    paired = np.concatenate([e.contacts()[np.triu_indices(len(e.bases), 1)] for e in examples])

    def loss(parameters: NDArray[np.float64]) -> float:
        z = logits * np.exp(parameters[0]) + parameters[1]
        return float(np.mean(np.logaddexp(0, z) - paired * z))

    return loss


def _partner_likelihood(
    config: PairingConfig, maps: list[NDArray[np.floating]], examples: list[Example]
) -> _Likelihood:
    """Mean over the RNAs of each, per base; a pair that is not decoded counts as two unpaired bases."""
    known = [
        (torch.from_numpy(m)[None].float(), torch.from_numpy(e.contacts())[None], *_codes(e.bases))
        for m, e in zip(maps, examples, strict=True)
    ]
    canonical = config.decoding.canonical

    def loss(parameters: NDArray[np.float64]) -> float:
        slope, offset = float(np.exp(parameters[0])), float(parameters[1])
        losses = [
            partner_loss(
                m * slope + offset, contacts, possible_pairs(bases, mask, canonical=canonical), mask
            )
            for m, contacts, bases, mask in known
        ]
        return float(torch.cat(losses).mean())

    return loss


def choose_decoding(
    config: PairingConfig, maps: list[NDArray[np.floating]], examples: list[Example]
) -> DecodingConfig:
    """The threshold and minimum helix of the highest strict F1: mean over RNAs, then over data files."""
    probabilities = calibrated_probabilities(config, maps, examples)
    choices = [
        dataclasses.replace(config.decoding, threshold=threshold, min_helix=least)
        for threshold in _THRESHOLDS
        for least in (1, 2)
    ]
    source = np.array([example.source for example in examples])

    def worth(choice: DecodingConfig) -> float:
        f1 = np.array(strict_f1(probabilities, examples, choice))
        return float(np.mean([f1[source == one].mean() for one in np.unique(source)]))

    return max(choices, key=worth)


def calibrated_probabilities(
    config: PairingConfig, maps: list[NDArray[np.floating]], examples: list[Example]
) -> list[NDArray[np.floating]]:
    """Pairing probabilities of uncalibrated logits, as `ContactModel.probabilities` gives them."""
    return [
        pairing_probabilities(config, torch.from_numpy(m)[None].float(), *_codes(e.bases))[0].numpy()
        for m, e in zip(maps, examples, strict=True)
    ]


def _codes(bases: str) -> tuple[Tensor, Tensor]:
    """A batch of one RNA, as `pairing_probabilities` reads it: codes of its bases, and its mask."""
    return torch.tensor([[BASES.index(base) for base in bases]]), torch.ones(1, len(bases))


def strict_f1(
    probabilities: list[NDArray[np.floating]], examples: list[Example], decoding: DecodingConfig
) -> list[float]:
    """The strict F1 of each decoded map against its example."""
    return [
        score(Structure(len(e.bases), e.pairs), decode(p, e.bases, decoding)).f1
        for p, e in zip(probabilities, examples, strict=True)
    ]


def mean_f1(
    probabilities: list[NDArray[np.floating]], examples: list[Example], decoding: DecodingConfig
) -> float:
    """Mean strict F1 of the decoded maps; 0 where there are none."""
    return float(np.mean(strict_f1(probabilities, examples, decoding) or [0.0]))


def _validate(
    model: ContactModel, load: Loader, valid: list[Example], device: torch.device
) -> dict[str, float]:
    """Mean loss, and strict F1 at a threshold of 0.3: of all, and of each data file by its number."""
    if not valid:
        return {}
    model.eval()
    losses, f1 = [], []
    with torch.no_grad():
        for example in valid:
            batch = load([example]).to(device)
            log_odds = model.log_odds(batch.rnas)
            losses.append(float(_loss(model.config, log_odds, batch)))
            known = pairing_probabilities(model.config, log_odds, batch.rnas.bases, batch.rnas.mask)
            f1 += strict_f1([known[0].cpu().numpy()], [example], DecodingConfig(threshold=0.3))
    source = np.array([example.source for example in valid])
    each = {f"valid_f1_{k}": float(np.mean(np.array(f1)[source == k])) for k in np.unique(source)}
    each = each if len(each) > 1 else {}
    return {"valid_loss": float(np.mean(losses)), "valid_f1": float(np.mean(f1)), **each}


def _spread(examples: list[Example], limit: int) -> list[Example]:
    """So many of the examples at most, evenly from first to last."""
    chosen = np.linspace(0, len(examples), min(limit, len(examples)), endpoint=False)
    return [examples[int(k)] for k in chosen]


def _start(config: TrainConfig) -> tuple[ContactModel, Backbone | None]:
    """The model as training finds it, and the published backbone it stands on, if any."""
    backbone = None
    if config.backbone:
        backbone = open_backbone(config.backbone, config.family, config.u_as)
    published = backbone if backbone and backbone.family != OWN else None
    if config.start:
        model = load_model(find_weights(config.start), config.backbone)
        if published and published.encoder.config != model.backbone.config:
            raise ConfigError("start: reads U otherwise than u_as says; expected the same")
        if config.parameter_sets is not None:
            model.read(config.parameter_sets)
    elif backbone:
        encoder = backbone.encoder.config
        whole = ModelConfig(encoder=encoder, head=config.head, one_partner=config.one_partner)
        model = ContactModel(whole, backbone.encoder if published else None)
        model.backbone.load_state_dict(backbone.encoder.state_dict())
    elif config.encoder:
        model = ContactModel(
            ModelConfig(encoder=config.encoder, head=config.head, one_partner=config.one_partner)
        )
    else:
        raise ConfigError("training: no backbone; expected one of the keys backbone, encoder, start")
    room = model.backbone.max_bases
    if room is not None and config.data.max_length > room:
        raise ConfigError(
            f"data.max_length is {config.data.max_length}; expected at most {room}, all that the "
            "backbone reads at once"
        )
    return model, published


def _groups(model: ContactModel, config: TrainConfig) -> list[dict[str, object]]:
    """Parameter groups: the head's at the full rate, the backbone's frozen or at its own."""
    model.backbone.requires_grad_(not config.freeze_backbone)
    head = [*model.pair_features.parameters(), *model.head.parameters()]
    head += [] if model.energies is None else [model.energies]
    groups: list[dict[str, object]] = [{"params": head, "lr": 1.0}]
    if not config.freeze_backbone:
        groups.append({"params": list(model.backbone.parameters()), "lr": config.backbone_rate})
    return groups
