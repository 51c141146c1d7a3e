"""Train a contact head on a backbone, then calibrate it and choose its threshold on validation records."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from torch import Tensor, nn

from rnass.backbone.encoder import Encoder
from rnass.config import DecodingConfig, ModelConfig, TrainConfig, to_json
from rnass.dataset import Annotations, Example, annotations, batches, read_examples
from rnass.errors import ConfigError
from rnass.matching import decode
from rnass.metrics import score
from rnass.model import ContactModel, collate
from rnass.optimise import Run
from rnass.pretrain import LabelledBatch, contact_loss
from rnass.structure import Structure
from rnass.weights import find_weights, load_backbone, load_model, save_model

__all__ = ["Loader", "TrainObjective", "calibrate", "choose_decoding", "logit_maps", "train"]

_THRESHOLDS = tuple(round(0.05 * k, 2) for k in range(3, 12))


class TrainObjective(nn.Module):
    """A contact model and its loss."""

    def __init__(self, model: ContactModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: LabelledBatch) -> dict[str, Tensor]:
        """Binary cross-entropy of the uncalibrated logits, per base."""
        return {"loss": contact_loss(self.model(batch.rnas), batch.contacts, batch.rnas.mask)}


class Loader:
    """Turns examples into batches, with the base-pair probabilities that a head asks for."""

    def __init__(self, model: ContactModel, cache: Path, processes: int = 1) -> None:
        self.vocabulary = model.backbone.vocabulary
        self.sets = model.config.head.thermodynamics
        self.cache, self.processes = cache, processes
        self._kept: dict[tuple[str, str], Annotations] = {}

    def annotate(self, paths: tuple[str, ...], examples: list[Example]) -> None:
        """Have the base-pair probabilities of all examples at hand."""
        for source, path in enumerate(paths):
            own = [example for example in examples if example.source == source]
            for name in self.sets if own else ():
                known = annotations(path, own, name, self.cache, self.processes)
                for example in own:
                    self._kept[name, example.bases] = known

    def thermodynamics(self, bases: str) -> NDArray[np.float32]:
        """Base-pair probabilities of one RNA, (S, L, L)."""
        return np.stack([self._kept[name, bases].dense(bases) for name in self.sets])

    def __call__(self, chosen: list[Example]) -> LabelledBatch:
        rnas = [example.bases for example in chosen]
        maps = [self.thermodynamics(bases) for bases in rnas] if self.sets else None
        batch = collate(rnas, maps, self.vocabulary)
        contacts = torch.zeros(len(chosen), *[batch.bases.shape[1]] * 2)
        for k, example in enumerate(chosen):
            size = len(example.bases)
            contacts[k, :size, :size] = torch.from_numpy(example.contacts())
        return LabelledBatch(batch, contacts)


def train(config: TrainConfig, folder: Path, device: torch.device, processes: int = 1) -> Path:
    """Train in *folder* (resumed where a state is found); gives the contact model's weights file.

    Raises:
        ConfigError: neither a backbone, an encoder nor a model to start from.
        InputError: a data file that cannot be read.
    """
    torch.manual_seed(config.run.seed)
    data = config.data
    model = _start(config).to(device)
    examples = read_examples(data.train, data.min_length, data.max_length)
    valid = read_examples(data.valid, data.min_length, data.max_length)
    load = Loader(model, Path(data.cache), processes)
    load.annotate(data.train, examples)
    load.annotate(data.valid, valid)
    objective = TrainObjective(model)
    run: Run[LabelledBatch] = Run(
        folder, objective, _groups(model, config), config.optimiser, config.run, to_json(config)
    )

    def stream() -> Iterator[LabelledBatch]:
        for numbers in batches(examples, data, config.run.seed):
            yield load([examples[n] for n in numbers]).to(device)

    run.fit(stream(), lambda: _validate(model, load, valid[: data.valid_limit], device))
    with run.averaged():
        maps = logit_maps(model, load, valid, device)
        model.config = calibrate(model.config, maps, valid)
        made = {"config": to_json(config), "steps": run.step, "seconds": run.spent}
        path = folder / "model.safetensors"
        save_model(path, model, made)
    return path


def logit_maps(
    model: ContactModel, load: Loader, examples: list[Example], device: torch.device
) -> list[NDArray[np.float32]]:
    """Uncalibrated logits of every example, (L, L) each."""
    model.eval()
    with torch.no_grad():
        return [model(load([example]).rnas.to(device))[0].cpu().numpy() for example in examples]


def calibrate(
    config: ModelConfig, maps: list[NDArray[np.float32]], examples: list[Example]
) -> ModelConfig:
    """The configuration with temperature, offset, threshold and minimum helix fitted to *examples*.

    Temperature and offset minimise the negative log-likelihood of the pairs i < j (Guo et al. 2017,
    arXiv:1706.04599); threshold and minimum helix maximise the mean strict F1.
    """
    logits = np.concatenate([m[np.triu_indices(len(m), 1)] for m in maps]).astype(np.float64)
    paired = np.concatenate([e.contacts()[np.triu_indices(len(e.bases), 1)] for e in examples])

    def loss(parameters: NDArray[np.float64]) -> float:
        z = logits * np.exp(parameters[0]) + parameters[1]
        return float(np.mean(np.logaddexp(0, z) - paired * z))

    slope, offset = minimize(loss, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-3}).x
    fitted = dataclasses.replace(config, temperature=float(np.exp(-slope)), offset=float(offset))
    return dataclasses.replace(fitted, decoding=choose_decoding(fitted, maps, examples))


def choose_decoding(
    config: ModelConfig, maps: list[NDArray[np.float32]], examples: list[Example]
) -> DecodingConfig:
    """The threshold and minimum helix of the highest mean strict F1."""
    probabilities = [1 / (1 + np.exp(-(m / config.temperature + config.offset))) for m in maps]
    choices = [
        dataclasses.replace(config.decoding, threshold=threshold, min_helix=least)
        for threshold in _THRESHOLDS
        for least in (1, 2)
    ]
    return max(choices, key=lambda choice: mean_f1(probabilities, examples, choice))


def mean_f1(
    probabilities: list[NDArray[np.float32]], examples: list[Example], decoding: DecodingConfig
) -> float:
    """Mean strict F1 of the decoded maps; 0 where there are none."""
    scores = [
        score(Structure(len(e.bases), e.pairs), decode(p, e.bases, decoding)).f1
        for p, e in zip(probabilities, examples, strict=True)
    ]
    return float(np.mean(scores)) if scores else 0.0


def _validate(
    model: ContactModel, load: Loader, valid: list[Example], device: torch.device
) -> dict[str, float]:
    maps = logit_maps(model, load, valid, device)
    losses = [
        float(contact_loss(torch.from_numpy(m)[None], load([e]).contacts, torch.ones(1, len(m))))
        for m, e in zip(maps, valid, strict=True)
    ]
    probabilities = [1 / (1 + np.exp(-m)) for m in maps]
    return {
        "valid_loss": float(np.mean(losses)),
        "valid_f1": mean_f1(probabilities, valid, DecodingConfig(threshold=0.3)),
    }


def _start(config: TrainConfig) -> ContactModel:
    """The model as training finds it."""
    if config.start:
        return load_model(find_weights(config.start))
    if config.backbone:
        encoder = load_backbone(find_weights(config.backbone))
    elif config.encoder:
        encoder = Encoder(config.encoder)
    else:
        raise ConfigError("training: no backbone; expected one of the keys backbone, encoder, start")
    model = ContactModel(ModelConfig(encoder=encoder.config, head=config.head))
    model.backbone.load_state_dict(encoder.state_dict())
    return model


def _groups(model: ContactModel, config: TrainConfig) -> list[dict[str, object]]:
    """Parameter groups: the head's at the full rate, the backbone's frozen or at its own."""
    model.backbone.requires_grad_(not config.freeze_backbone)
    head = [*model.pair_features.parameters(), *model.head.parameters()]
    groups: list[dict[str, object]] = [{"params": head, "lr": 1.0}]
    if not config.freeze_backbone:
        groups.append({"params": list(model.backbone.parameters()), "lr": config.backbone_rate})
    return groups
