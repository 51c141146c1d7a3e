"""Backbones: open rnass's own or a published one, by path or name, ready to read RNAs.

A head that was trained on a published backbone is kept without it: its file names the backbone and its
sha256, and loading needs the very same checkpoint beside it.
"""

import hashlib
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic.dataclasses import dataclass as checked

from rnass.backbone.checkpoint_files import load_strictly, read_stored_model, unallocated, weight_files
from rnass.backbone.checkpoints import build, family_of, u_advice, u_letter
from rnass.backbone.encoder import Encoder
from rnass.backbone.language_head import LanguageHead
from rnass.backbone.published import find_checkpoint
from rnass.config import STRICT, EncoderConfig, from_mapping
from rnass.errors import CheckpointError, counted
from rnass.files import sha256
from rnass.network.weights import (
    StoredWeights,
    expect_tensors,
    find_weights,
    is_own,
    read_weights,
    write_weights,
)

__all__ = [
    "DEFAULT_BACKBONE",
    "OWN",
    "Backbone",
    "Identity",
    "describe",
    "needed_backbone",
    "open_backbone",
    "save_backbone",
]

DEFAULT_BACKBONE = "small-backbone"
"""Name of the default backbone; where there is none of it, that of the default weights is used."""

OWN = "rnass"
"""The family of rnass's own backbones."""

_LANGUAGE = "language."  # of the tensors of a language-model head, in a backbone's file


@checked(frozen=True, kw_only=True, config=STRICT)
class Identity:
    """A backbone's identity, as it is recorded beside results and heads."""

    name: str
    """Path or name it was opened by, without folders."""
    family: str
    """`OWN`, or one of `rnass.backbone.checkpoints.FAMILIES`."""
    sha256: str
    """Of its weights, see `Backbone.sha256`."""
    revision: str | None = None
    """The commit on the Hub it was fetched from, None for a file."""
    u_as: str = "U"
    """The letter, T or U, whose token it reads for a U."""


@dataclass(frozen=True, eq=False)
class Backbone:
    """An RNA language model, ready to read RNAs.

    Attributes:
        path: its file or folder.
        name: path or name it was opened by, without folders.
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
        """Its `Identity`, as JSON."""
        return {field.name: getattr(self, field.name) for field in fields(Identity)}


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
        CheckpointError: there is none, or it is not one; a family or T given for rnass's own.
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
    """The facts about a backbone that matter before it is used, line by line."""
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


def needed_backbone(path: Path, recorded: dict[str, Any], backbone: str | None) -> Backbone:
    """The backbone that a head was trained on, read as it was then.

    Args:
        path: of the head.
        recorded: `Backbone.identity` of the backbone, from the head's file.
        backbone: where it is, for `open_backbone`.

    Raises:
        CheckpointError: *backbone* is None; none is there, or another one by its sha256.
        ConfigError: no such identity is recorded.
    """
    wanted = from_mapping(Identity, recorded, f"{path}: metadata backbone")
    named = f"{wanted.name} ({wanted.family}, sha256 {wanted.sha256})"
    if backbone is None:
        raise CheckpointError(
            f"{path}: holds a head alone; expected its backbone beside it: {named}, given as --backbone"
        )
    family = None if wanted.family == OWN else wanted.family
    try:
        found = open_backbone(backbone, family, wanted.u_as)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: needs {named}; given as --backbone: {error}") from error
    if found.sha256 != wanted.sha256:
        raise CheckpointError(
            f"{path}: was trained on another backbone than {found.path} (sha256 {found.sha256}); "
            f"expected {named}"
        )
    return found


def save_backbone(
    path: Path, encoder: Encoder, made: dict[str, Any], language: LanguageHead | None = None
) -> None:
    """Write a backbone in float16, and the language-model head that is tied to its embeddings."""
    state = dict(encoder.state_dict())
    if language is not None:
        state |= {_LANGUAGE + key: one for key, one in language.state_dict().items() if key != "weight"}
    write_weights(path, state, "backbone", asdict(encoder.config), made)


def _own_file(path_or_name: str | None) -> Path | None:
    """The file of that path or name if rnass wrote it, else None; the default one for None."""
    if path_or_name is None:
        try:
            return find_weights(DEFAULT_BACKBONE)
        except CheckpointError:
            return find_weights()
    try:
        path = find_weights(path_or_name)
    except CheckpointError:
        return None
    return path if is_own(path) else None


def _own_backbone(path: Path) -> tuple[Encoder, LanguageHead | None]:
    stored = read_weights(path)
    config, prefix = _place(stored)
    state = {key.removeprefix(prefix): t for key, t in stored.state.items() if key.startswith(prefix)}
    encoder_config = from_mapping(EncoderConfig, config, str(path))
    expect_tensors(stored, encoder_config.layers)
    with unallocated():
        encoder = Encoder(encoder_config)
    of_head = {key.removeprefix(_LANGUAGE): t for key, t in state.items() if key.startswith(_LANGUAGE)}
    load_strictly(encoder, {key: t for key, t in state.items() if not key.startswith(_LANGUAGE)}, path)
    if not of_head:
        return encoder.eval(), None
    as_trained = replace(encoder.config, norm="layer", norm_eps=1e-5)  # see `rnass.training.pretrain`
    with unallocated():
        language = LanguageHead(as_trained, encoder.config.vocabulary_size)
    load_strictly(language, of_head | {"weight": encoder.tokens.weight.detach()}, path)
    language.tie(encoder.tokens)
    return encoder.eval(), language.eval()


def _place(stored: StoredWeights) -> tuple[Any, str]:
    """The encoder's configuration, and the beginning of its tensors' names."""
    if stored.kind == "contact head":
        needed = stored.backbone.get("name")
        raise CheckpointError(
            f"{stored.path}: holds a contact head alone; expected its backbone, {needed}"
        )
    config: Any = stored.config
    try:
        if stored.kind == "mixture":
            return config["experts"][0]["encoder"], "experts.0.backbone."
        return (config["encoder"], "backbone.") if stored.kind == "contact model" else (config, "")
    except (KeyError, IndexError, TypeError) as error:
        raise CheckpointError(
            f"{stored.path}: no encoder in its configuration; expected that of a {stored.kind}"
        ) from error
