"""Every setting of rnass, as frozen dataclasses; TOML in, JSON out; an unknown key is an error."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal, TypeVar

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from rnass.errors import ConfigError

__all__ = [
    "DataConfig",
    "DecodingConfig",
    "EncoderConfig",
    "HeadConfig",
    "ModelConfig",
    "OptimiserConfig",
    "PretrainConfig",
    "TrainConfig",
    "from_mapping",
    "read_toml",
    "to_json",
]

T = TypeVar("T")

_strict = dataclass(frozen=True, kw_only=True, config=ConfigDict(extra="forbid"))


@_strict
class EncoderConfig:
    """A transformer encoder; the fields span every published RNA language model.

    Attributes:
        layers, width, heads, ffn_width: depth, embedding width D, attention heads, hidden width of
            the feed-forward part.
        vocabulary: name of the token table (see `rnass.backbone.vocabulary`).
        vocabulary_size: rows of the token embedding.
        norm_place: layer norm before ("pre") or after ("post") each part.
        norm, norm_eps: "layer" or "rms".
        embed_norm, final_norm: a norm after the embedding, after the last layer.
        positions: "rotary" or "learned".
        position_rows, position_first, position_skips_padding: the learned table, the row of the
            first token, and whether padding is not counted.
        rope_base: base of the rotary frequencies.
        ffn: "gelu" or "swiglu".
        bias: biases on the linear maps.
        token_types: rows of a token-type table (row 0 is always added); 0 for none.
        token_dropout: the ESM rescaling of embeddings by the share of masked tokens.
        attend_padding, pad_to: reproduce RNABERT, which attends to padding up to a fixed length.
        max_tokens: context length in tokens, special ones included; None for no limit.
    """

    layers: int = 6
    width: int = 256
    heads: int = 8
    ffn_width: int = 1024
    vocabulary: str = "rnass"
    vocabulary_size: int = 10
    norm_place: Literal["pre", "post"] = "pre"
    norm: Literal["layer", "rms"] = "layer"
    norm_eps: float = 1e-5
    embed_norm: bool = False
    final_norm: bool = True
    positions: Literal["rotary", "learned"] = "rotary"
    position_rows: int = 0
    position_first: int = 0
    position_skips_padding: bool = True
    rope_base: float = 10_000.0
    ffn: Literal["gelu", "swiglu"] = "gelu"
    bias: bool = True
    token_types: int = 0
    token_dropout: bool = False
    attend_padding: bool = False
    pad_to: int | None = None
    max_tokens: int | None = None

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is not a multiple of heads {self.heads}")
        if self.positions == "rotary" and (self.width // self.heads) % 2:
            raise ValueError(f"rotary positions need an even head width, not {self.width // self.heads}")


@_strict
class HeadConfig:
    """The contact head and the pair features that feed it.

    Attributes:
        channels, blocks: width and depth of the residual network.
        dilations: dilation of the second convolution of each block, cyclic.
        dropout: between the two convolutions of a block, while training.
        attention_maps, outer_product: which features of the backbone are used.
        outer_rank: rank of the projections whose outer product is taken.
        thermodynamics: parameter sets of ViennaRNA whose base-pair probabilities are channels.
    """

    channels: int = 32
    blocks: int = 8
    dilations: tuple[int, ...] = (1, 2, 4)
    dropout: float = 0.0
    attention_maps: bool = True
    outer_product: bool = True
    outer_rank: int = 16
    thermodynamics: tuple[str, ...] = ("turner2004",)


@_strict
class DecodingConfig:
    """How a probability map becomes a structure.

    Attributes:
        threshold: pairing probability above which a pair counts in favour, in (0, 1).
        canonical: pair only A-U, G-C and G-U.
        min_helix: fewest stacked pairs of a helix; shorter ones are removed.
    """

    threshold: float = 0.5
    canonical: bool = True
    min_helix: int = 1

    def __post_init__(self) -> None:
        if not 0 < self.threshold < 1:
            raise ValueError(f"threshold {self.threshold} is not between 0 and 1")


@_strict
class ModelConfig:
    """A whole contact model: backbone, head, calibration (temperature and offset of the logits)."""

    encoder: EncoderConfig = EncoderConfig()
    head: HeadConfig = HeadConfig()
    decoding: DecodingConfig = DecodingConfig()
    temperature: float = 1.0
    offset: float = 0.0


@_strict
class DataConfig:
    """Which records are read, and how much of each kind.

    Attributes:
        train: files or folders of labelled records; a file's weight is in `weights`.
        weights: how often a record of each file is drawn, relative to the first; empty for all 1.
        family_power: a record of a family with n records is drawn in proportion to n ** -power.
        valid: files that settings are chosen on.
        valid_limit: at most this many records of `valid` are scored while training.
        min_length, max_length: in bases; others are left out, and counted in the log.
        batch_pixels: L * L summed over the records of a batch, padding included.
    """

    train: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()
    family_power: float = 0.0
    valid: tuple[str, ...] = ()
    valid_limit: int = 300
    min_length: int = 16
    max_length: int = 512
    batch_pixels: int = 400_000


@_strict
class OptimiserConfig:
    """AdamW with linear warm-up and cosine decay.

    Attributes:
        steps: optimiser steps in all.
        accumulate: batches whose gradients make one step.
        ema: decay of the moving average of the weights that is evaluated and saved; 0 for none.
    """

    steps: int = 1000
    learning_rate: float = 1e-3
    warmup: int = 100
    final_fraction: float = 0.02
    weight_decay: float = 0.01
    clip: float = 1.0
    accumulate: int = 1
    ema: float = 0.998


@_strict
class PretrainConfig:
    """`rnass pretrain`: the backbone's objectives and their weights."""

    encoder: EncoderConfig = EncoderConfig()
    data: DataConfig = DataConfig()
    optimiser: OptimiserConfig = OptimiserConfig()
    masked_language_weight: float = 1.0
    structure_weight: float = 1.0
    mask_fraction: float = 0.15
    seed: int = 1
    precision: Literal["float32", "bfloat16"] = "bfloat16"
    save_every: int = 200
    valid_every: int = 500


@_strict
class TrainConfig:
    """`rnass train`: a contact head on a backbone.

    Attributes:
        backbone: weights that the encoder starts from; None trains it from random weights.
        start: a whole contact model to go on from.
        freeze_backbone: leave the encoder as it is.
        backbone_rate: learning rate of an unfrozen encoder, relative to the head's.
    """

    backbone: str | None = None
    start: str | None = None
    freeze_backbone: bool = True
    backbone_rate: float = 0.3
    encoder: EncoderConfig | None = None
    head: HeadConfig = HeadConfig()
    data: DataConfig = DataConfig()
    optimiser: OptimiserConfig = OptimiserConfig()
    seed: int = 1
    precision: Literal["float32", "bfloat16"] = "bfloat16"
    save_every: int = 200
    valid_every: int = 500


def from_mapping(kind: type[T], values: dict[str, Any], where: str = "configuration") -> T:
    """Build a configuration of *kind* from nested dictionaries.

    Raises:
        ConfigError: an unknown key, a wrong type, a value out of range; names *where* and the key.
    """
    try:
        return TypeAdapter(kind).validate_python(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "configuration"
        raise ConfigError(f"{where}: {key}: {first['msg']}") from error


def read_toml(kind: type[T], path: Path) -> T:
    """Read a configuration of *kind* from a TOML file; raises ConfigError."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}; expected a readable TOML file") from error
    return from_mapping(kind, values, str(path))


def to_json(config: Any) -> str:
    """A configuration as JSON, as it stands in weights, logs and run.json."""
    return json.dumps(asdict(config), sort_keys=True)
