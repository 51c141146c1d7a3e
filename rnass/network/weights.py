"""Weights on disk: find them, verify them, load them strictly.

A file is safetensors with its configuration in the metadata; `manifest.json` beside it says what it is
and its sha256. Looked for in order: the path given, the folder in RNASS_WEIGHTS, the installed
package, the checkout.

A contact head that was trained on a published backbone is kept without it: the metadata name the
backbone and its sha256, and loading needs the very same checkpoint beside it.
"""

import hashlib
import json
import os
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from rnass.backbone.checkpoint_files import read_stored_model, weight_files
from rnass.backbone.checkpoints import build, family_of, u_advice, u_letter
from rnass.backbone.encoder import Encoder
from rnass.backbone.language_head import LanguageHead
from rnass.backbone.published import find_checkpoint
from rnass.config import (
    CommitteeConfig,
    DecodingConfig,
    EncoderConfig,
    HeadConfig,
    ModelConfig,
    from_mapping,
)
from rnass.errors import CheckpointError, counted
from rnass.files import write_atomically
from rnass.network.contact_model import Committee, ContactModel, PairingModel, RnaFmContacts
from rnass.network.rnafm_structure import read_rnafm_structure, threshold_of

__all__ = [
    "DEFAULT",
    "DEFAULT_BACKBONE",
    "OWN",
    "Backbone",
    "describe",
    "find_weights",
    "load_backbone",
    "load_language_head",
    "load_model",
    "load_pairing_model",
    "manifest_entry",
    "needed_backbone",
    "open_backbone",
    "save_backbone",
    "save_committee",
    "save_head",
    "save_model",
    "sha256",
]

DEFAULT = "base"
"""Name of the weights used when none are asked for."""

DEFAULT_BACKBONE = "small-backbone"
"""Name of the backbone used when none is asked for; without it, that of the weights `DEFAULT`."""

OWN = "rnass"
"""The family of rnass's own backbones."""

_PACKAGE = Path(__file__).parents[1]
_LANGUAGE = "language."  # of the tensors of a language-model head, in a backbone's file


@dataclass(frozen=True, eq=False)
class Backbone:
    """An RNA language model, ready to read RNAs.

    Attributes:
        path: its file or folder.
        name: what it was asked for by, without folders.
        family: `OWN`, or one of `rnass.backbone.checkpoints.FAMILIES`.
        encoder: float32, evaluation mode.
        language: the language-model head, None where the files hold none.
        revision: the commit on the Hub it was fetched from, None for a file.
        u_as: the letter, T or U, whose token it reads for a U.
    """

    path: Path
    name: str
    family: str
    encoder: Encoder
    language: LanguageHead | None = None
    revision: str | None = None
    u_as: str = "U"

    @cached_property
    def sha256(self) -> str:
        """That of its weights file; of several shards, that of their sha256 one after the other."""
        sums = [sha256(file) for file in weight_files(self.path)]
        return sums[0] if len(sums) == 1 else hashlib.sha256("".join(sums).encode()).hexdigest()

    def identity(self) -> dict[str, str | None]:
        """What tells it from any other, as it is recorded."""
        return {
            "name": self.name,
            "family": self.family,
            "sha256": self.sha256,
            "revision": self.revision,
            "u_as": self.u_as,
        }


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
    _save(path, model.state_dict(), "contact model", asdict(model.config), made)


def save_head(path: Path, model: ContactModel, backbone: Backbone, made: dict[str, Any]) -> None:
    """Write a contact model in float16 without its *backbone*, which it names."""
    state = {key: one for key, one in model.state_dict().items() if not key.startswith("backbone.")}
    about = {"backbone": json.dumps(backbone.identity())}
    _save(path, state, "contact head", asdict(model.config), made, about)


def save_committee(path: Path, model: Committee, made: dict[str, Any]) -> None:
    """Write a committee of contact models in float16; *made* says how it came about."""
    _save(path, model.state_dict(), "committee", asdict(model.config), made)


def load_model(path: Path, backbone: str | None = None) -> ContactModel:
    """Read a contact model, ready to predict (float32, evaluation mode).

    Args:
        path: what `save_model` or `save_head` wrote.
        backbone: of the head, for `open_backbone`, where the file holds a head alone.

    Raises:
        CheckpointError: not such a file, altered (sha256), or with missing or unknown tensors; a head
            alone without the backbone it was trained on, or with another.
        ConfigError: its configuration is not one of this version.
    """
    return _contact_model(path, backbone, *_load(path))


def _contact_model(
    path: Path,
    backbone: str | None,
    kind: str,
    metadata: dict[str, Any],
    state: dict[str, torch.Tensor],
) -> ContactModel:
    if kind not in ("contact model", "contact head"):
        raise CheckpointError(f"{path}: holds a {kind}; expected a contact model")
    if kind == "contact model":
        _refuse(path, backbone)
    config = from_mapping(ModelConfig, metadata["config"], str(path))
    encoder = None
    if kind == "contact head":
        encoder = needed_backbone(path, json.loads(metadata["backbone"]), backbone).encoder
    model = ContactModel(config, encoder)
    if encoder is not None:
        state |= {f"backbone.{key}": one for key, one in encoder.state_dict().items()}
    _fill(model, state, path)
    return model.eval()


def load_pairing_model(path: Path, backbone: str | None = None) -> PairingModel:
    """Read anything that gives pairing probabilities: rnass's weights, one contact model or a committee
    of them, or RNA-FM's structure model.

    The latter is a .pth of its authors; the threshold is the one they chose for it.

    Raises:
        CheckpointError: see `load_model` and `rnass.network.rnafm_structure.read_rnafm_structure`.
    """
    if path.suffix != ".pth":
        kind, metadata, state = _load(path)
        if kind != "committee":
            return _contact_model(path, backbone, kind, metadata, state)
        _refuse(path, backbone)
        committee = Committee(from_mapping(CommitteeConfig, metadata["config"], str(path)))
        _fill(committee, state, path)
        return committee.eval()
    _refuse(path, backbone)
    structure = read_rnafm_structure(path)
    config = ModelConfig(
        encoder=structure.backbone.config,
        head=HeadConfig(attention_maps=False, thermodynamics=()),
        decoding=DecodingConfig(threshold=threshold_of(path)),
    )
    return RnaFmContacts(structure, config).eval()


def _refuse(path: Path, backbone: str | None) -> None:
    """Weights that hold their own backbone take no other."""
    if backbone is not None:
        raise CheckpointError(f"{path}: holds its own backbone; expected no other ({backbone})")


def save_backbone(
    path: Path, encoder: Encoder, made: dict[str, Any], language: LanguageHead | None = None
) -> None:
    """Write a backbone in float16, and the language-model head that is tied to its embeddings."""
    state = dict(encoder.state_dict())
    if language is not None:
        state |= {_LANGUAGE + key: one for key, one in language.state_dict().items() if key != "weight"}
    _save(path, state, "backbone", asdict(encoder.config), made)


def load_backbone(path: Path) -> Encoder:
    """Read a backbone, also that of a contact model or of a committee's first member.

    Raises:
        CheckpointError: the file holds none.
    """
    return _own_backbone(path)[0]


def load_language_head(path: Path) -> tuple[Encoder, LanguageHead]:
    """Read a backbone and its language-model head; raises CheckpointError."""
    encoder, language = _own_backbone(path)
    if language is None:
        raise CheckpointError(f"{path}: holds an encoder alone; expected a language-model head too")
    return encoder, language


def open_backbone(
    path_or_name: str | None = None, family: str | None = None, u_as: str | None = None
) -> Backbone:
    """A backbone by path or name: rnass's own, or a published one.

    Args:
        path_or_name: a file or folder, the name of weights that rnass ships, or a name that `rnass
            backbones` lists, which may be fetched; None for the default.
        family: of a published one, where it is not to be found out from the files.
        u_as: the letter, T or U, whose token a published one reads for a U; None for its authors'.

    Raises:
        CheckpointError: there is none, or it is not one; a family or T asked of rnass's own.
        DependencyError: a name that needs huggingface_hub, which is not installed.
    """
    own = _own_file(path_or_name)
    if own is not None:
        if family or u_as not in ("U", None):
            raise CheckpointError(f"{own}: rnass's own; expected no family, and U read as U")
        encoder, language = _own_backbone(own)
        return Backbone(own, own.name, OWN, encoder, language)
    found = find_checkpoint(str(path_or_name))
    stored = read_stored_model(found.path)
    family = family_of(stored, family or found.family)
    u_as = u_letter(stored, u_as)
    encoder, language = build(stored, family, u_as=u_as)
    name = str(path_or_name) if found.family else found.path.name
    return Backbone(found.path, name, family, encoder, language, found.revision, u_as)


def describe(backbone: Backbone) -> dict[str, str]:
    """What a person wants to know of a backbone before using it, line by line."""
    encoder, table = backbone.encoder, backbone.encoder.vocabulary
    longest = f"{encoder.max_bases // table.bases_per_token:,}" if encoder.max_bases else "any number of"
    return {
        "backbone": f"{backbone.path} ({backbone.family})",
        "sha256": backbone.sha256,
        "reads": f"{longest} {'bases' if table.unit == 'nt' else 'codons'} at once",
        "gives": f"{encoder.config.width} numbers a token, {counted(encoder.config.layers, 'layer')} of "
        f"{counted(encoder.config.heads, 'attention map')}",
        "fill-mask": "no" if backbone.language is None else "yes",
        "U read as": f"{backbone.u_as} ({u_advice(encoder, backbone.u_as)})",
    }


def needed_backbone(path: Path, wanted: dict[str, Any], backbone: str | None) -> Backbone:
    """The backbone that a head was trained on, read as it was then.

    Args:
        path: of the head.
        wanted: `Backbone.identity` of the backbone, as it stands in the head's file.
        backbone: where it is, for `open_backbone`.

    Raises:
        CheckpointError: it is not said where; none is there, or another one by its sha256.
    """
    named = f"{wanted['name']} ({wanted['family']}, sha256 {wanted['sha256']})"
    if backbone is None:
        raise CheckpointError(
            f"{path}: holds a head alone; expected its backbone beside it: {named}, given as --backbone"
        )
    family = None if wanted["family"] == OWN else wanted["family"]
    try:
        found = open_backbone(backbone, family, wanted.get("u_as"))
    except CheckpointError as error:
        raise CheckpointError(f"{path}: needs {named}, where --backbone says: {error}") from error
    if found.sha256 != wanted["sha256"]:
        raise CheckpointError(
            f"{path}: was trained on another backbone than {found.path} (sha256 {found.sha256}); "
            f"expected {named}"
        )
    return found


def _own_file(path_or_name: str | None) -> Path | None:
    """The file of that path or name if rnass wrote it, else None; the default one for None."""
    if path_or_name is None:
        try:
            return find_weights(DEFAULT_BACKBONE)
        except CheckpointError:
            return find_weights()
    if Path(path_or_name).is_dir():
        return None
    try:
        path = find_weights(path_or_name)
    except CheckpointError:
        return None
    return path if _format(path) == "rnass 1" else None


def _format(path: Path) -> str | None:
    """The format that a file's metadata name, None if it is no safetensors file."""
    try:
        with safe_open(path, "pt") as file:
            return (file.metadata() or {}).get("format")
    except (SafetensorError, OSError):
        return None


def _own_backbone(path: Path) -> tuple[Encoder, LanguageHead | None]:
    kind, metadata, state = _load(path)
    config = metadata["config"]
    if kind == "contact head":
        needed = json.loads(metadata["backbone"])["name"]
        raise CheckpointError(f"{path}: holds a contact head alone; expected its backbone, {needed}")
    if kind in ("contact model", "committee"):
        first = "members.0." if kind == "committee" else ""
        config = (config["members"][0] if first else config)["encoder"]
        prefix = f"{first}backbone."
        state = {key.removeprefix(prefix): t for key, t in state.items() if key.startswith(prefix)}
    encoder = Encoder(from_mapping(EncoderConfig, config, str(path)))
    of_head = {key.removeprefix(_LANGUAGE): t for key, t in state.items() if key.startswith(_LANGUAGE)}
    _fill(encoder, {key: t for key, t in state.items() if not key.startswith(_LANGUAGE)}, path)
    if not of_head:
        return encoder.eval(), None
    as_trained = replace(encoder.config, norm="layer", norm_eps=1e-5)  # see `rnass.training.pretrain`
    with torch.device("meta"):  # draws no random numbers, which would move those of a training run
        language = LanguageHead(as_trained, encoder.config.vocabulary_size)
    _fill(language, of_head | {"weight": encoder.tokens.weight.detach()}, path)
    language.tie(encoder.tokens)
    return encoder.eval(), language.eval()


def _save(
    path: Path,
    state: dict[str, torch.Tensor],
    kind: str,
    config: dict[str, Any],
    made: dict[str, Any],
    about: dict[str, str] | None = None,
) -> None:
    state = {key: tensor.detach().half().contiguous().cpu() for key, tensor in state.items()}
    metadata = {
        "format": "rnass 1",
        "kind": kind,
        "config": json.dumps(config),
        "made": json.dumps(made),
        **(about or {}),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with write_atomically(path) as file:
        file.write(_in_order(save(state, metadata)))


def _in_order(data: bytes) -> bytes:
    """The same safetensors file, its metadata by name: safetensors writes them in any order."""
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text = text.ljust(-(-len(text) // 8) * 8)  # tensors begin at a multiple of 8 bytes
    return len(text).to_bytes(8, "little") + text + data[8 + size :]


def _load(path: Path) -> tuple[str, dict[str, Any], dict[str, torch.Tensor]]:
    """Kind, metadata and tensors of a weights file, its sha256 checked against the manifest.

    Of the metadata, the configuration is read.
    """
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
    return metadata["kind"], metadata | {"config": json.loads(metadata["config"])}, state


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
    module.load_state_dict(state, assign=True)
