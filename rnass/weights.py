"""Weights on disk: find them, verify them, load them strictly.

A file is safetensors with its configuration in the metadata; `manifest.json` beside it says what it is
and its sha256. Looked for in order: the path given, the folder in RNASS_WEIGHTS, the installed
package, the checkout.
"""

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from rnass.backbone.encoder import Encoder
from rnass.config import EncoderConfig, ModelConfig, from_mapping
from rnass.errors import CheckpointError
from rnass.model import ContactModel

__all__ = [
    "DEFAULT",
    "find_weights",
    "load_backbone",
    "load_model",
    "manifest_entry",
    "save_backbone",
    "save_model",
    "sha256",
]

DEFAULT = "small"
"""Name of the weights used when none are asked for."""

_PACKAGE = Path(__file__).parent


def find_weights(name: str | None = None) -> Path:
    """The weights file of that name or path; the default ones for None.

    Raises:
        CheckpointError: there is none; says where it looked.
    """
    wanted = name or DEFAULT
    if Path(wanted).is_file():
        return Path(wanted)
    folders = [_PACKAGE / "_weights", _PACKAGE.parent / "weights"]
    if place := os.environ.get("RNASS_WEIGHTS"):
        folders.insert(0, Path(place))
    for folder in folders:
        if (path := folder / f"rnass-{wanted}.safetensors").is_file():
            return path
    looked = ", ".join(str(folder) for folder in folders)
    raise CheckpointError(f"weights {wanted!r}: not a file, nor in {looked}; expected one of them")


def sha256(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def manifest_entry(path: Path) -> dict[str, Any]:
    """What manifest.json beside a weights file says of it; empty where it says nothing."""
    manifest = path.parent / "manifest.json"
    if not manifest.is_file():
        return {}
    try:
        return dict(json.loads(manifest.read_text(encoding="utf-8")).get(path.name, {}))
    except (OSError, ValueError, AttributeError) as error:  # not readable, not JSON, no object
        raise CheckpointError(f"{manifest}: {error}; expected a JSON object by file name") from error


def save_model(path: Path, model: ContactModel, made: dict[str, Any]) -> None:
    """Write a contact model in float16; *made* says how it came about."""
    _save(path, model, "contact model", asdict(model.config), made)


def load_model(path: Path) -> ContactModel:
    """Read a contact model, ready to predict (float32, evaluation mode).

    Raises:
        CheckpointError: not such a file, altered (sha256), or with missing or unknown tensors.
        ConfigError: its configuration is not one of this version.
    """
    kind, config, state = _load(path)
    if kind != "contact model":
        raise CheckpointError(f"{path}: holds a {kind}; expected a contact model")
    model = ContactModel(from_mapping(ModelConfig, config, str(path)))
    _fill(model, state, path)
    return model.eval()


def save_backbone(path: Path, encoder: Encoder, made: dict[str, Any]) -> None:
    """Write a backbone alone in float16."""
    _save(path, encoder, "backbone", asdict(encoder.config), made)


def load_backbone(path: Path) -> Encoder:
    """Read a backbone, also out of a whole contact model; raises CheckpointError."""
    kind, config, state = _load(path)
    if kind == "contact model":
        config = config["encoder"]
        prefix = "backbone."
        state = {key.removeprefix(prefix): t for key, t in state.items() if key.startswith(prefix)}
    encoder = Encoder(from_mapping(EncoderConfig, config, str(path)))
    _fill(encoder, state, path)
    return encoder.eval()


def _save(
    path: Path, module: torch.nn.Module, kind: str, config: dict[str, Any], made: dict[str, Any]
) -> None:
    state = {
        key: tensor.detach().half().contiguous().cpu() for key, tensor in module.state_dict().items()
    }
    metadata = {
        "format": "rnass 1",
        "kind": kind,
        "config": json.dumps(config),
        "made": json.dumps(made),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    save_file(state, partial, metadata)
    partial.replace(path)


def _load(path: Path) -> tuple[str, dict[str, Any], dict[str, torch.Tensor]]:
    """Kind, configuration and tensors of a weights file, its sha256 checked against the manifest."""
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file; expected a safetensors file")
    expected = manifest_entry(path).get("sha256")
    if expected and expected != sha256(path):
        raise CheckpointError(f"{path}: sha256 differs; expected {expected} as in manifest.json")
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            state = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118 - no mapping
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: {error}; expected a safetensors file") from error
    if metadata.get("format") != "rnass 1" or not {"kind", "config"} <= metadata.keys():
        raise CheckpointError(f"{path}: not written by rnass; expected metadata format 'rnass 1'")
    return metadata["kind"], json.loads(metadata["config"]), state


def _fill(module: torch.nn.Module, state: dict[str, torch.Tensor], path: Path) -> None:
    wanted = module.state_dict()
    for key in sorted(wanted.keys() ^ state.keys()):
        found = "missing" if key in wanted else "unknown"
        raise CheckpointError(
            f"{path}: tensor {key} is {found}; expected just those of its configuration"
        )
    for key, tensor in state.items():
        if tensor.shape != wanted[key].shape:
            raise CheckpointError(
                f"{path}: tensor {key} is {tuple(tensor.shape)}; expected {tuple(wanted[key].shape)}"
            )
    module.load_state_dict(state)
