"""Files of tensors that anybody may have written, read without running anything they hold.

A pickle is opened by torch's weights-only reader, which builds tensors, plain containers and
argparse's Namespace (RNA-FM stores one) and refuses every other name. Every tensor must be a plain one
that the file is large enough to hold, and must have its place in the module it is loaded into.
"""

import argparse
import pickle
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from rnass.errors import CheckpointError
from rnass.files import is_file, is_folder, read_json

__all__ = [
    "StoredModel",
    "load_strictly",
    "read_safetensors",
    "read_stored_model",
    "unallocated",
    "weight_files",
]

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
"""Searched for in a folder, in this order: the first kind that is there is read."""

_NO_WEIGHTS = {
    b"<!doctype": "a web page",
    b"<html": "a web page",
    b"version https://git-lfs": "Git's pointer to a large file",
}


@dataclass(frozen=True)
class StoredModel:
    """The content of a checkpoint.

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
        CheckpointError: nothing there, an unreadable or truncated file, a pickle that needs more
            than tensors, a missing shard, a tensor that stands in two shards.
    """
    folder = path if is_folder(path) else path.parent
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
    if is_folder(path):
        kinds = (sorted(path.glob(pattern)) for pattern in _CHOICES)
        files = next((found for found in kinds if found), [])
        if not files:
            raise CheckpointError(f"{path}: no weights; expected {', '.join(_CHOICES)}")
        if len(files) > 1 and files[0].suffix in {".pth", ".pt", ".ckpt"}:
            listed = ", ".join(file.name for file in files)
            raise CheckpointError(f"{path}: holds {listed}; expected one, name the file itself")
        return [part for file in files for part in weight_files(file)]
    if not is_file(path):
        raise CheckpointError(f"{path}: no such file or folder; expected a checkpoint")
    return _shards(path) if path.name.endswith(_INDEX) else [path]


def _shards(index: Path) -> list[Path]:
    shards = read_json(index, error=CheckpointError).get("weight_map")
    if not isinstance(shards, dict) or not all(isinstance(name, str) for name in shards.values()):
        raise CheckpointError(f"{index}: no weight_map; expected one of tensors to files")
    names = sorted(set(shards.values()))
    for name in names:
        if Path(name).name != name or not is_file(index.parent / name):
            raise CheckpointError(f"{index}: shard {name} is not beside it; expected all of {names}")
    return [index.parent / name for name in names]


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors of one file, and the arguments stored with them."""
    _check_start(path)
    if path.suffix == ".safetensors":
        return read_safetensors(path)[1], {}
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


def read_safetensors(path: Path, *, tensors: bool = True) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Metadata and tensors of a safetensors file, or its metadata alone.

    Raises:
        CheckpointError: it cannot be read, is none, or holds a tensor that is not plain.
    """
    try:
        with safe_open(path, "pt") as file:
            keys = list(file.keys()) if tensors else []
            metadata, state = file.metadata() or {}, {key: file.get_tensor(key) for key in keys}
    except Exception as error:  # bytes that anybody wrote can fail in any way
        raise CheckpointError(f"{path}: {error}; expected a safetensors file") from error
    _check_tensors(state, path)
    return metadata, state


def _check_tensors(state: dict[str, Tensor], path: Path) -> None:
    """Refuse tensors that are not plain arrays of numbers, or larger than the file itself."""
    size = path.stat().st_size
    for key, tensor in state.items():
        plain = tensor.layout == torch.strided and tensor.device.type == "cpu"
        if not plain or tensor.is_quantized or tensor.is_complex():
            raise CheckpointError(
                f"{path}: tensor {key} is {tensor.dtype}, {tensor.layout} on {tensor.device.type}; "
                "expected plain real numbers"
            )
        if tensor.numel() * tensor.element_size() > size:
            raise CheckpointError(
                f"{path}: tensor {key} is {tuple(tensor.shape)}; expected one that the file can hold"
            )
        if tensor.is_floating_point() and not bool(tensor.float().isfinite().all()):
            raise CheckpointError(f"{path}: tensor {key} holds NaN or infinity; expected finite numbers")


def _check_archive(path: Path) -> None:
    """Refuse a zip file whose parts unpack to more than it holds: torch compresses nothing."""
    try:
        if not zipfile.is_zipfile(path):
            return
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(part.file_size for part in archive.infolist())
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise CheckpointError(f"{path}: {error}; expected whole weights") from error
    if unpacked > path.stat().st_size:
        raise CheckpointError(f"{path}: unpacks to {unpacked:,} bytes; expected no more than it has")


def _unpickled(path: Path) -> Any:
    _check_archive(path)
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
    if needed := re.search(r"GLOBAL (\S+)", str(error)):
        return f"it needs {needed[1]}"
    if isinstance(error, OSError | EOFError | pickle.UnpicklingError):
        return "it is cut short, damaged or of another kind"
    return str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__


def _unwrapped(data: Any, path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and arguments of {"args": Namespace, "model": tensors}, or of tensors alone."""
    arguments: Any = {}
    if isinstance(data, Mapping) and {"args", "model"} <= data.keys():
        stored, data = data["args"], data["model"]
        arguments = vars(stored) if isinstance(stored, argparse.Namespace) else stored
    if not isinstance(data, Mapping) or not all(isinstance(one, Tensor) for one in data.values()):
        raise CheckpointError(f"{path}: holds a {type(data).__name__}; expected a dictionary of tensors")
    if not isinstance(arguments, Mapping):
        raise CheckpointError(f"{path}: args is a {type(arguments).__name__}; expected a dictionary")
    state = {str(key): tensor for key, tensor in data.items()}
    _check_tensors(state, path)
    return state, {str(key): value for key, value in arguments.items()}


class _Unfilled(TorchFunctionMode):
    """Initial values are left out: on `meta` torch would import its compiler for them, some 1.5 s."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = kwargs or {}
        if getattr(func, "__module__", None) == nn.init.__name__:
            return given["tensor"] if "tensor" in given else args[0]
        return func(*args, **given)


@contextmanager
def unallocated() -> Iterator[None]:
    """Modules made in this block have no memory, and sample no random numbers, until they are loaded."""
    with torch.device("meta"), _Unfilled():
        yield


def load_strictly(
    module: nn.Module,
    state: Mapping[str, Tensor],
    where: str | Path,
    name: Callable[[str], str] = str,
) -> None:
    """Put tensors in their places in a module, each exactly one; the module may be on `meta`.

    Args:
        module: that takes them, with its own types of numbers.
        state: by the module's own names.
        where: the file they are from.
        name: a tensor's name in that file, for messages.

    Raises:
        CheckpointError: a tensor is missing, unknown or of another shape.
    """
    wanted = module.state_dict()
    for key in sorted(wanted.keys() ^ state.keys()):
        found = "missing" if key in wanted else "unknown"
        raise CheckpointError(
            f"{where}: tensor {name(key)} is {found}; expected just those of its configuration"
        )
    for key, tensor in state.items():
        if tensor.shape != wanted[key].shape:
            raise CheckpointError(
                f"{where}: tensor {name(key)} is {tuple(tensor.shape)}; "
                f"expected {tuple(wanted[key].shape)}"
            )
    module.load_state_dict({key: one.to(wanted[key].dtype) for key, one in state.items()}, assign=True)


def _config(folder: Path) -> dict[str, Any]:
    found = (folder / name for name in _CONFIGS if is_file(folder / name))
    return next((read_json(file, error=CheckpointError) for file in found), {})


def _symbols(folder: Path) -> tuple[str, ...] | None:
    file = folder / "vocab.txt"
    if not is_file(file):
        return None
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CheckpointError(f"{file}: {error}; expected one token a line") from error
    return tuple(word for line in lines if (word := line.strip()))
