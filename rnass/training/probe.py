"""Heads beyond contacts: a label of a whole RNA, or of each of its tokens, from frozen embeddings."""

import dataclasses
import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional

from rnass.backbone.checkpoint_files import load_strictly, read_safetensors
from rnass.backbone.embeddings import Embedding, embed, layer_number
from rnass.config import from_mapping
from rnass.errors import CheckpointError, ConfigError, InputError, OutputError, counted
from rnass.files import (
    check_target,
    format_row,
    is_file,
    is_folder,
    is_there,
    parse_json,
    write_atomically,
    write_json,
    write_text,
)
from rnass.io.labels import read_labels
from rnass.locks import locked
from rnass.network.backbones import DEFAULT_BACKBONE, Backbone, needed_backbone, open_backbone
from rnass.rna import clean_bases
from rnass.training.config import ProbeConfig
from rnass.training.probe_metrics import classification_scores, regression_scores
from rnass.training.records import whole_tokens

__all__ = ["FILE", "Probe", "load_probe", "train_probe"]

FILE = "probe.safetensors"
"""Name of a head's file in the folder of its training."""

log = logging.getLogger("rnass")

_SCORES, _PREDICTIONS = "scores.json", "predictions.tsv"
_CHECK_EVERY = 50  # steps
_FORMAT = "rnass probe 1"
_UNKNOWN = "?"
_NO_LABELS = "probe: no known label under the key {}; expected some"


class _Record(NamedTuple):
    """An RNA with its label, or one for each token."""

    id: str
    bases: str
    labels: list[str]
    where: str


@dataclass(frozen=True)
class _Rows:
    """Embeddings and labels of a table, a row for each sequence or for each token with a label.

    Attributes:
        x: (n, D).
        y: (n,) class numbers (int64), or values (float32).
        names: of each row, id and number of the token from 1 (0 for a sequence).
    """

    x: Tensor
    y: Tensor
    names: list[tuple[str, int]]


class Probe(nn.Module):
    """A linear or one-hidden-layer head on standardised embeddings.

    Args:
        config: that it was trained by.
        width: of the embeddings.
        classes: names in the order of its outputs; none for a regression.

    Attributes:
        backbone: whose embeddings it reads; None where it was not loaded with one.
        columns: of a table of its output, see `cells`.
    """

    mean: Tensor
    spread: Tensor
    scale: Tensor  # mean and spread of the values of a regression

    def __init__(self, config: ProbeConfig, width: int, classes: tuple[str, ...]) -> None:
        super().__init__()
        self.config, self.classes = config, classes
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("spread", torch.ones(width))
        self.register_buffer("scale", torch.tensor([0.0, 1.0]))
        outputs, hidden = max(1, len(classes)), config.hidden
        layers: list[nn.Module] = [nn.Linear(hidden or width, outputs)]
        if hidden:
            layers = [nn.Linear(width, hidden), nn.GELU(), *layers]
        self.layers = nn.Sequential(*layers)
        self.backbone: Backbone | None = None
        self.columns = ("prediction", "probability") if classes else ("prediction",)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of the classes (n, C), or values (n, 1)."""
        out: Tensor = self.layers((x - self.mean) / self.spread)
        return out if self.classes else out * self.scale[1] + self.scale[0]

    @torch.no_grad()
    def output(self, x: Tensor) -> NDArray[np.float32]:
        """Probabilities of the classes (n, C), or values (n,), of embeddings (n, D)."""
        out = self(x)
        return np.asarray((out.softmax(-1) if self.classes else out[:, 0]).cpu().numpy())

    def cells(self, one: NDArray[np.float32] | np.float32) -> tuple[str, ...]:
        """A row of `output` for a table: the likeliest class and its probability, or the value."""
        if not self.classes:
            return (f"{one:g}",)
        return (self.classes[int(one.argmax())], f"{one.max():.4f}")

    def needed(self) -> Backbone:
        """Its backbone; raises ConfigError where it was not loaded with one."""
        if self.backbone is None:
            raise ConfigError("probe: no backbone; expected one, see load_probe")
        return self.backbone

    def predict(self, rna: str) -> NDArray[np.float32]:
        """Its output for one RNA: as `output`, a row for the sequence or for each token.

        Raises:
            SequenceError: a letter that is no base, bases that are not whole codons.
            ConfigError: it was not loaded with its backbone.
        """
        ((_, found),) = self.predict_many([clean_bases(rna)])
        return found

    def predict_many(self, rnas: Sequence[str]) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """The place of each of some RNAs (clean bases), and its output for it; in any order.

        Raises:
            SequenceError: bases that are not whole codons.
            ConfigError: it was not loaded with its backbone.
        """
        for one in embed(self.needed().encoder, rnas, self.config.layer):
            yield one.number, self.output(_inputs(one, self.config))


def train_probe(config: ProbeConfig, folder: Path, device: torch.device) -> str:
    """Train a head, write it and its scores to *folder*; gives the scores as text.

    Files: probe.safetensors, scores.json, and predictions.tsv of the last set that was given. They
    replace those of an earlier training with the same configuration. Records of two strands are left
    out, and where tokens are codons those of other than whole ones, with a warning that counts them.

    Raises:
        InputError: a table that cannot be read, a label that does not fit; names file, line and record.
        ConfigError: nothing to train on, or a set that is given and has no records or no known label; a
            loss that is not finite; the folder holds a head of another configuration.
        CheckpointError: the head that the folder holds cannot be read.
        OutputError: a file to write is one of the tables, or is there without a head; the folder cannot
            be written, or another run has it.
    """
    for name in (FILE, _SCORES, _PREDICTIONS):
        inputs = (*config.train, *config.valid, *config.test)
        check_target(folder / name, inputs, overwrite=True)
    _check_earlier(folder, config)
    torch.manual_seed(config.seed)
    backbone = open_backbone(config.backbone, config.family, config.u_as)
    backbone.encoder.to(device)
    named = {"train": config.train, "valid": config.valid, "test": config.test}
    table = backbone.encoder.vocabulary
    tables = {
        name: whole_tokens(_read(paths, config), table, name)
        for name, paths in named.items()
        if paths or name == "train"
    }
    for name, records in tables.items():
        if not records:
            raise ConfigError(f"probe: no records under the key {name}; expected some that can be read")
    classes = _classes(tables["train"], config)
    if config.kind == "classification" and not classes:
        raise ConfigError(_NO_LABELS.format("train"))
    sets = {name: _rows(records, backbone, config, classes) for name, records in tables.items()}
    for name, rows in sets.items():
        if not len(rows.y):
            raise ConfigError(_NO_LABELS.format(name))
    probe = Probe(config, backbone.encoder.config.width, classes)
    _fit(probe, sets["train"], sets.get("valid"))
    scores = {name: _scores(probe, rows) | {"rows": len(rows.y)} for name, rows in sets.items()}
    defined = {
        which: {name: None if np.isnan(value) else value for name, value in one.items()}
        for which, one in scores.items()
    }
    with locked(folder):
        _check_earlier(folder, config)
        _save(folder / FILE, probe, backbone)
        write_json(folder / _SCORES, {"config": dataclasses.asdict(config), "scores": defined})
        write_text(folder / _PREDICTIONS, _predictions(probe, list(sets.values())[-1]))
    return _table(scores)


def load_probe(path: Path, backbone: str | None = None) -> Probe:
    """Read a head, with the backbone it was trained on.

    Args:
        path: its file, or the folder of its training.
        backbone: path or name of the backbone; None where it is what it was then.

    Raises:
        CheckpointError: not such a file; a backbone of another sha256.
    """
    path = path / FILE if is_folder(path) else path
    metadata, state = read_safetensors(path)
    config = _config_of(path, metadata)
    recorded = parse_json(metadata["backbone"], f"{path}: metadata backbone", error=CheckpointError)
    classes = parse_json(f'{{"names": {metadata["classes"]}}}', f"{path}: metadata classes")["names"]
    names = from_mapping(tuple[str, ...], classes, f"{path}: metadata classes")
    where = backbone or config.backbone or DEFAULT_BACKBONE
    found = needed_backbone(path, recorded, where)
    layer_number(found.encoder, config.layer)
    with torch.device("meta"):
        probe = Probe(config, found.encoder.config.width, names)
    load_strictly(probe, state, path)
    probe.backbone = found
    return probe.eval()


def _config_of(path: Path, metadata: dict[str, str]) -> ProbeConfig:
    """That a head was trained by, from its file's metadata; raises CheckpointError for another file."""
    if metadata.get("format") != _FORMAT or not {"config", "classes", "backbone"} <= metadata.keys():
        raise CheckpointError(f"{path}: holds no probe; expected metadata format {_FORMAT!r}")
    values = parse_json(metadata["config"], f"{path}: metadata config", error=CheckpointError)
    return from_mapping(ProbeConfig, values, str(path))


def _check_earlier(folder: Path, config: ProbeConfig) -> None:
    """Refuse to replace a head of another configuration, or files that no head stands beside."""
    if not is_file(file := folder / FILE):
        for name in (_SCORES, _PREDICTIONS):
            if is_there(folder / name):
                raise OutputError(f"{folder / name}: there without a {FILE}; expected a new folder")
        return
    metadata, _ = read_safetensors(file, tensors=False)
    if _config_of(file, metadata) != config:
        raise ConfigError(
            f"{file}: trained with another configuration; expected the same or a new folder"
        )


def _read(paths: tuple[str, ...], config: ProbeConfig) -> list[_Record]:
    """Id, bases and labels of every record of one strand: one label, or one per token."""
    records = []
    for path in paths:
        found = read_labels(path, config.label)
        single = [one for one in found if one.sequence.nick is None]
        if left_out := len(found) - len(single):
            known = counted(len(found), "record")
            log.warning("%s: %d of %s left out, of two strands", path, left_out, known)
        for sequence, text, where in single:
            labels = [text]
            if config.task == "token":
                labels = list(text) if config.kind == "classification" else text.split()
            records.append(_Record(sequence.id, sequence.bases, labels, f"{where} ({sequence.id})"))
    return records


def _classes(records: list[_Record], config: ProbeConfig) -> tuple[str, ...]:
    if config.kind == "regression":
        return ()
    return tuple(sorted({label for record in records for label in record.labels} - {_UNKNOWN}))


def _inputs(one: Embedding, config: ProbeConfig) -> Tensor:
    """The input of a head: a row for each token, or their mean as the only row."""
    return one.tokens if config.task == "token" else one.tokens.mean(0)[None]


def _rows(
    records: list[_Record],
    backbone: Backbone,
    config: ProbeConfig,
    classes: tuple[str, ...],
) -> _Rows:
    """Embed the records and number their labels; raises InputError naming file, line and record."""
    rows: dict[int, tuple[Tensor, list[float], list[tuple[str, int]]]] = {}
    for one in embed(backbone.encoder, [record.bases for record in records], config.layer):
        name, _, labels, where = records[one.number]
        x = _inputs(one, config)
        if len(labels) != len(x):
            raise InputError(
                f"{where}: {counted(len(labels), 'label')}; expected {len(x)}, one per token", name
            )
        values = [_number(label, classes, where) for label in labels]
        known = [k for k, value in enumerate(values) if not np.isnan(value)]
        first = int(config.task == "token")
        rows[one.number] = (
            x[known], [values[k] for k in known], [(name, first * (k + 1)) for k in known]
        )  # fmt: skip
    ordered = [rows[k] for k in sorted(rows)]
    y = torch.tensor([value for _, values, _ in ordered for value in values])
    names = [name for _, _, some in ordered for name in some]
    return _Rows(torch.cat([x for x, _, _ in ordered]), y.long() if classes else y.float(), names)


def _number(label: str, classes: tuple[str, ...], where: str) -> float:
    """The number of a class, or the value; nan where it is not known."""
    if classes:
        if label == _UNKNOWN:
            return float("nan")
        if label not in classes:
            known = ", ".join(classes[:10])
            raise InputError(f"{where}: label {label!r}; expected one of the training's ({known})")
        return float(classes.index(label))
    with suppress(ValueError):
        value = float(label)
        if not abs(value) > torch.finfo(torch.float32).max:  # nor NaN
            return value
    raise InputError(f"{where}: label {label!r}; expected a finite number, or nan")


def _fit(probe: Probe, train: _Rows, valid: _Rows | None) -> None:
    """AdamW, its rate falling to 0; the weights of the lowest loss on *valid* stay."""
    config = probe.config
    probe.mean.copy_(train.x.mean(0))
    probe.spread.copy_(train.x.std(0, correction=0).clamp(min=1e-6))
    if not probe.classes:
        probe.scale.copy_(torch.stack([train.y.mean(), train.y.std(correction=0).clamp(min=1e-6)]))
    optimiser = torch.optim.AdamW(
        probe.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
    best, kept = float("inf"), {}
    for step in range(1, config.steps + 1):
        for group in optimiser.param_groups:
            group["lr"] = config.learning_rate * (1 - (step - 1) / config.steps)
        some = torch.randint(len(train.y), (min(config.batch, len(train.y)),))
        loss = _loss(probe, train.x[some], train.y[some])
        if not torch.isfinite(loss):
            raise ConfigError(
                f"probe: loss {loss.item()} at step {step}; expected a finite one, as by a lower "
                "learning_rate"
            )
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        if valid is not None and (step % _CHECK_EVERY == 0 or step == config.steps):
            with torch.no_grad():
                now = float(_loss(probe, valid.x, valid.y))
            if now < best:
                best, kept = now, {key: one.clone() for key, one in probe.state_dict().items()}
    if kept:
        probe.load_state_dict(kept)


def _loss(probe: Probe, x: Tensor, y: Tensor) -> Tensor:
    out = probe(x)
    return (
        functional.cross_entropy(out, y)
        if probe.classes
        else functional.mse_loss(out[:, 0], y) / probe.scale[1] ** 2
    )


def _scores(probe: Probe, rows: _Rows) -> dict[str, float]:
    found, wanted = probe.output(rows.x), rows.y.numpy()
    if probe.classes:
        return classification_scores(found, wanted)
    return regression_scores(found, wanted)


def _predictions(probe: Probe, rows: _Rows) -> str:
    """id, token, true label, the head's output (and its probability)."""
    found = probe.output(rows.x)
    text = format_row(["id", "token", "label", *probe.columns])
    for (name, token), true, one in zip(rows.names, rows.y.tolist(), found, strict=True):
        label = probe.classes[true] if probe.classes else f"{true:g}"
        text += format_row([name, token or "", label, *probe.cells(one)])
    return text


def _save(path: Path, probe: Probe, backbone: Backbone) -> None:
    metadata = {
        "format": _FORMAT,
        "config": json.dumps(dataclasses.asdict(probe.config)),
        "classes": json.dumps(probe.classes),
        "backbone": json.dumps(backbone.identity()),
    }
    with write_atomically(path) as file:
        file.write(save(probe.state_dict(), metadata))


def _table(scores: dict[str, dict[str, float]]) -> str:
    names = list(next(iter(scores.values())))
    text = format_row(["set", *names])
    for which, one in scores.items():
        cells = [f"{one[name]:.4f}" if name != "rows" else str(one[name]) for name in names]
        text += format_row([which, *cells])
    return text
