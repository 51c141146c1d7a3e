"""Weights files: find one, verify it, read and write it.

A file is safetensors with its configuration in the metadata; `manifest.json` beside it holds its sha256
and its history. Looked for in order: the path given, the folder in RNASS_WEIGHTS, the installed
package, the checkout. `rnass.network.models` and `rnass.network.backbones` make networks of them.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open

from rnass.config import MixtureConfig, ModelConfig, from_mapping
from rnass.errors import CheckpointError, ConfigError, counted
from rnass.files import is_file, parse_json, sha256, write_atomically
from rnass.manifest import SHIPPED, manifest_entry

if TYPE_CHECKING:  # it takes a second to load
    import torch
    from torch import Tensor

__all__ = [
    "DEFAULT",
    "StoredWeights",
    "expect_tensors",
    "find_weights",
    "is_own",
    "parameter_sets_of",
    "read_weights",
    "write_weights",
]

DEFAULT = "base"
"""Name of the default weights."""

_FORMAT = "rnass 1"


@dataclass(frozen=True)
class StoredWeights:
    """The content of a weights file.

    Attributes:
        path: of the file, for messages.
        kind: "backbone", "contact model", "contact head" or "mixture".
        config: of the network, as `rnass.config.to_json` wrote it; not validated.
        backbone: of a contact head, the `Backbone.identity` it was trained on; not validated.
        state: its tensors, float32 or whole numbers.
    """

    path: Path
    kind: str
    config: dict[str, Any]
    backbone: dict[str, Any]
    state: "dict[str, Tensor]"


def find_weights(name: str | None = None) -> Path:
    """The weights file of that name or path; the default ones for None.

    Raises:
        CheckpointError: there is none; names the folders that were searched.
    """
    wanted = name or DEFAULT
    if is_file(wanted):
        return Path(wanted)
    place = os.environ.get("RNASS_WEIGHTS")
    folders = [*([Path(place)] if place else []), *SHIPPED]
    for folder in folders:
        if is_file(path := folder / f"rnass-{wanted}.safetensors"):
            return path
    searched = ", ".join(str(folder) for folder in folders)
    raise CheckpointError(f"weights {wanted!r}: not a file, nor in {searched}; expected one of them")


def is_own(path: Path) -> bool:
    """Whether rnass wrote that file, by its metadata."""
    from rnass.backbone.checkpoint_files import read_safetensors

    try:
        return read_safetensors(path, tensors=False)[0].get("format") == _FORMAT
    except CheckpointError:
        return False


def read_weights(path: Path) -> StoredWeights:
    """The content of a weights file, its sha256 checked against the manifest.

    Raises:
        CheckpointError: no such file, altered, or not written by rnass.
    """
    import torch

    from rnass.backbone.checkpoint_files import read_safetensors

    if not is_file(path):
        raise CheckpointError(f"{path}: no such file; expected a safetensors file")
    expected = manifest_entry(path).get("sha256")
    if expected and expected != sha256(path):
        raise CheckpointError(f"{path}: sha256 differs; expected {expected} as in manifest.json")
    metadata, state = read_safetensors(path)
    if metadata.get("format") != _FORMAT or not {"kind", "config"} <= metadata.keys():
        raise CheckpointError(f"{path}: not written by rnass; expected metadata format {_FORMAT!r}")
    config, backbone = (
        parse_json(metadata.get(key, "{}"), f"{path}: metadata {key}", error=CheckpointError)
        for key in ("config", "backbone")
    )
    state = {key: _as(torch.float32, tensor) for key, tensor in state.items()}
    return StoredWeights(path, metadata["kind"], config, backbone, state)


def parameter_sets_of(path: Path) -> tuple[str, ...]:
    """The parameter sets that a model reads, by its configuration; none where there is no such model.

    Loads no torch, and checks nothing: `read_weights` does.
    """
    try:
        with safe_open(path, "np") as file:
            metadata = file.metadata() or {}
        config = json.loads(metadata["config"])
        if metadata["kind"] == "mixture":
            return from_mapping(MixtureConfig, config, str(path)).parameter_sets
        return from_mapping(ModelConfig, config, str(path)).parameter_sets
    except (OSError, SafetensorError, KeyError, ValueError, ConfigError):
        return ()


def expect_tensors(stored: StoredWeights, least: int) -> None:
    """Refuse a configuration that needs more tensors than the file holds, before anything is built.

    Raises:
        CheckpointError: there are fewer than *least*.
    """
    if len(stored.state) < least:
        found = counted(len(stored.state), "tensor")
        raise CheckpointError(f"{stored.path}: {found}; expected {least:,} by its configuration")


def write_weights(
    path: Path,
    state: "dict[str, Tensor]",
    kind: str,
    config: dict[str, Any],
    made: dict[str, Any],
    backbone: dict[str, Any] | None = None,
) -> None:
    """Write tensors, whole or not at all: in float16, or as they are if they are whole numbers.

    The same tensors make the same bytes.

    Args:
        path: of the file.
        state: tensors by name.
        kind: as in `StoredWeights`.
        config: of the network.
        made: how the weights came about, as JSON.
        backbone: as in `StoredWeights`.

    Raises:
        OutputError: the file cannot be written.
    """
    import torch
    from safetensors.torch import save

    state = {key: _as(torch.float16, tensor).contiguous().cpu() for key, tensor in state.items()}
    metadata = {
        "format": _FORMAT,
        "kind": kind,
        "config": json.dumps(config),
        "made": json.dumps(made),
        **({"backbone": json.dumps(backbone)} if backbone else {}),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with write_atomically(path) as file:
        file.write(_in_order(save(state, metadata)))


def _as(kind: "torch.dtype", tensor: "Tensor") -> "Tensor":
    """The tensor with numbers of that kind, unless they are whole."""
    tensor = tensor.detach()
    return tensor.to(kind) if tensor.is_floating_point() else tensor


def _in_order(data: bytes) -> bytes:
    """The same safetensors file, its metadata by name: safetensors writes them in any order."""
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text = text.ljust(-(-len(text) // 8) * 8)  # tensors begin at a multiple of 8 bytes
    return len(text).to_bytes(8, "little") + text + data[8 + size :]
