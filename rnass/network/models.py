"""Read and write models that give pairing probabilities: contact models, heads, mixtures, RNA-FM's."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rnass.backbone.checkpoint_files import load_strictly, unallocated
from rnass.config import DecodingConfig, HeadConfig, MixtureConfig, ModelConfig, from_mapping
from rnass.errors import CheckpointError
from rnass.network.backbones import Backbone, needed_backbone
from rnass.network.contact_model import ContactModel, Mixture, PairingModel, RnaFmContacts
from rnass.network.rnafm_structure import read_rnafm_structure, threshold_of
from rnass.network.weights import StoredWeights, expect_tensors, read_weights, write_weights

__all__ = ["load_model", "load_pairing_model", "save_head", "save_mixture", "save_model"]


def save_model(path: Path, model: ContactModel, made: dict[str, Any]) -> None:
    """Write a contact model in float16; *made* is its history."""
    write_weights(path, model.state_dict(), "contact model", asdict(model.config), made)


def save_head(path: Path, model: ContactModel, backbone: Backbone, made: dict[str, Any]) -> None:
    """Write a contact model in float16 without its *backbone*, which it names."""
    state = {key: one for key, one in model.state_dict().items() if not key.startswith("backbone.")}
    write_weights(path, state, "contact head", asdict(model.config), made, backbone.identity())


def save_mixture(path: Path, model: Mixture, made: dict[str, Any]) -> None:
    """Write a mixture of contact models in float16; *made* is its history."""
    write_weights(path, model.state_dict(), "mixture", asdict(model.config), made)


def load_model(path: Path, backbone: str | None = None) -> ContactModel:
    """Read a contact model, ready to predict (float32, evaluation mode).

    Args:
        path: of a file that `save_model` or `save_head` wrote.
        backbone: of the head, for `open_backbone`, where the file holds a head alone.

    Raises:
        CheckpointError: not such a file, altered (sha256), or with missing or unknown tensors; a head
            alone without the backbone it was trained on, or with another.
        ConfigError: its configuration is not one of this version.
    """
    return _contact_model(read_weights(path), backbone)


def load_pairing_model(path: Path, backbone: str | None = None) -> PairingModel:
    """Read any model that gives pairing probabilities: a contact model, a mixture, RNA-FM's own.

    The last is a .pth of its authors; the threshold is the one they chose for it.

    Raises:
        CheckpointError: see `load_model` and `rnass.network.rnafm_structure.read_rnafm_structure`.
    """
    if path.suffix == ".pth":
        _refuse(path, backbone)
        structure = read_rnafm_structure(path)
        config = ModelConfig(
            encoder=structure.backbone.config,
            head=HeadConfig(attention_maps=False, parameter_sets=()),
            decoding=DecodingConfig(threshold=threshold_of(path)),
        )
        return RnaFmContacts(structure, config).eval()
    stored = read_weights(path)
    if stored.kind != "mixture":
        return _contact_model(stored, backbone)
    _refuse(path, backbone)
    mixture_config = from_mapping(MixtureConfig, stored.config, str(path))
    _expect_depth(stored, mixture_config.experts)
    with unallocated():
        mixture = Mixture(mixture_config)
    load_strictly(mixture, stored.state, path)
    return mixture.eval()


def _contact_model(stored: StoredWeights, backbone: str | None) -> ContactModel:
    path, state = stored.path, stored.state
    if stored.kind not in ("contact model", "contact head"):
        raise CheckpointError(f"{path}: holds a {stored.kind}; expected a contact model")
    if stored.kind == "contact model":
        _refuse(path, backbone)
    config = from_mapping(ModelConfig, stored.config, str(path))
    encoder = None
    if stored.kind == "contact head":
        encoder = needed_backbone(path, stored.backbone, backbone).encoder
        state = state | {f"backbone.{key}": one for key, one in encoder.state_dict().items()}
    else:
        _expect_depth(stored, [config])
    with unallocated():  # nothing is allocated until the file's tensors are known to fit
        model = ContactModel(config, encoder)
    load_strictly(model, state, path)
    return model.eval()


def _expect_depth(stored: StoredWeights, models: Sequence[ModelConfig]) -> None:
    """Refuse configurations with more layers and blocks than the file has tensors."""
    heads = [model.head for model in models]
    blocks = sum(head.blocks + sum(count for _, count in head.coarser) for head in heads)
    expect_tensors(stored, blocks + sum(model.encoder.layers for model in models))


def _refuse(path: Path, backbone: str | None) -> None:
    """Weights that hold their own backbone take no other."""
    if backbone is not None:
        raise CheckpointError(f"{path}: holds its own backbone; expected no other ({backbone})")
