"""Checkpoint files as their authors wrote them, read without running anything they hold.

A pickle is opened by torch's weights-only reader, which builds tensors, plain containers and
argparse's Namespace (RNA-FM stores one) and refuses every other name.
"""

import argparse
import json
import pickle
import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from rnass.errors import CheckpointError

__all__ = ["StoredModel", "read_stored_model", "weight_files"]

_PICKLES = (".pth", ".pt", ".bin", ".ckpt")
_INDEX = ".index.json"
_CONFIGS = ("config.json", "RNA_bert_config.json")
_CHOICES = (
    "*.safetensors.index.json",
    "model.safetensors",
    "*.bin.index.json",
    "pytorch_model.bin",
    "*.safetensors",
    "*.bin",
    "*.pth",
    "*.pt",
    "*.ckpt",
)
"""What is looked for in a folder: the first kind that is there."""

_NO_WEIGHTS = {
    b"<!doctype": "a web page",
    b"<html": "a web page",
    b"version https://git-lfs": "Git's pointer to a large file",
}


@dataclass(frozen=True)
class StoredModel:
    """What a checkpoint holds.

    Attributes:
        path: the file or folder, for messages.
        tensors: under the authors' keys.
        config: config.json, or the arguments stored beside the tensors; empty where there are none.
        symbols: the lines of vocab.txt, or None.
    """

    path: Path
    tensors: dict[str, Tensor]
    config: dict[str, Any] = field(default_factory=dict)
    symbols: tuple[str, ...] | None = None


def read_stored_model(path: Path) -> StoredModel:
    """Read a checkpoint file, or a folder of one with its config.json and vocab.txt.

    Raises:
        CheckpointError: nothing there, an unreadable or truncated file, a pickle that asks for more
            than tensors, a missing shard, a tensor that stands in two shards.
    """
    folder = path if path.is_dir() else path.parent
    tensors: dict[str, Tensor] = {}
    arguments: dict[str, Any] = {}
    for file in weight_files(path):
        found, stored = _read(file)
        if twice := sorted(tensors.keys() & found.keys()):
            raise CheckpointError(f"{file}: tensor {twice[0]} stands in another file too; expected once")
        tensors |= found
        arguments |= stored
    return StoredModel(path, tensors, arguments or _config(folder), _symbols(folder))


def weight_files(path: Path) -> list[Path]:
    """The files whose tensors make up the checkpoint; raises CheckpointError."""
    if path.is_dir():
        kinds = (sorted(path.glob(pattern)) for pattern in _CHOICES)
        files = next((found for found in kinds if found), [])
        if not files:
            raise CheckpointError(f"{path}: no weights; expected {', '.join(_CHOICES)}")
        if len(files) > 1 and files[0].suffix in {".pth", ".pt", ".ckpt"}:
            listed = ", ".join(file.name for file in files)
            raise CheckpointError(f"{path}: holds {listed}; expected one, name the file itself")
        return [part for file in files for part in weight_files(file)]
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file or folder; expected a checkpoint")
    return _shards(path) if path.name.endswith(_INDEX) else [path]


def _shards(index: Path) -> list[Path]:
    try:
        names = sorted(set(_json(index)["weight_map"].values()))
    except (KeyError, AttributeError, TypeError) as error:
        raise CheckpointError(
            f"{index}: {error!r}; expected a weight_map of tensors to files"
        ) from error
    for name in names:
        if Path(name).name != name or not (index.parent / name).is_file():
            raise CheckpointError(f"{index}: shard {name} is not beside it; expected all of {names}")
    return [index.parent / name for name in names]


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors of one file, and the arguments stored with them."""
    _check_start(path)
    if path.suffix == ".safetensors":
        try:
            return load_file(path), {}
        except (SafetensorError, OSError) as error:
            raise CheckpointError(f"{path}: {error}; expected a whole safetensors file") from error
    if path.suffix in _PICKLES:
        return _unwrapped(_unpickled(path), path)
    expected = ", ".join((".safetensors", _INDEX, *_PICKLES))
    raise CheckpointError(f"{path}: not a checkpoint by its name; expected {expected}")


def _check_start(path: Path) -> None:
    """Refuse what a download leaves where it should have left weights."""
    try:
        with path.open("rb") as file:
            start = file.read(64).lstrip().lower()
    except OSError as error:
        raise CheckpointError(f"{path}: {error}; expected a file to read") from error
    for sign, what in _NO_WEIGHTS.items():
        if start.startswith(sign):
            raise CheckpointError(
                f"{path}: {what}; expected the weights themselves, download them again"
            )


def _unpickled(path: Path) -> Any:
    try:
        with torch.serialization.safe_globals([argparse.Namespace]), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about pickles that are refused in the next moment
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # bytes that anybody wrote can fail in any way
        raise CheckpointError(
            f"{path}: refused: {_reason(error)}; expected whole weights, tensors and nothing else"
        ) from error


def _reason(error: Exception) -> str:
    """Why torch refuses a file, without its advice how to run what is in it."""
    if asked := re.search(r"GLOBAL (\S+)", str(error)):
        return f"it asks for {asked[1]}"
    if isinstance(error, OSError | EOFError | pickle.UnpicklingError):
        return "it is cut short, damaged or of another kind"
    return str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__


def _unwrapped(data: Any, path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and arguments of {"args": Namespace, "model": tensors}, or of tensors alone."""
    arguments: dict[str, Any] = {}
    if isinstance(data, Mapping) and {"args", "model"} <= data.keys():
        stored, data = data["args"], data["model"]
        arguments = dict(vars(stored)) if isinstance(stored, argparse.Namespace) else dict(stored)
    if not isinstance(data, Mapping) or not all(isinstance(one, Tensor) for one in data.values()):
        raise CheckpointError(f"{path}: holds a {type(data).__name__}; expected a dictionary of tensors")
    return {str(key): tensor for key, tensor in data.items()}, arguments


def _config(folder: Path) -> dict[str, Any]:
    found = (folder / name for name in _CONFIGS if (folder / name).is_file())
    return next((_json(file) for file in found), {})


def _symbols(folder: Path) -> tuple[str, ...] | None:
    file = folder / "vocab.txt"
    if not file.is_file():
        return None
    try:
        return _words(file.read_text(encoding="utf-8").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise CheckpointError(f"{file}: {error}; expected one token a line") from error


def _words(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(word for line in lines if (word := line.strip()))


def _json(file: Path) -> dict[str, Any]:
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{file}: {error}; expected JSON") from error
    if not isinstance(values, dict):
        raise CheckpointError(f"{file}: holds a {type(values).__name__}; expected a JSON object")
    return values
