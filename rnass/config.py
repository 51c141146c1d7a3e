"""Settings of a model and of decoding, as frozen dataclasses, and how settings are read.

Bounds stand in the fields' types, so that no configuration outside them can be made: pydantic checks
each one, also a changed copy (`dataclasses.replace`). An unknown key is an error. Settings of training
are in `rnass.training.config`.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from rnass.errors import ConfigError, counted
from rnass.rna import MIN_HAIRPIN

__all__ = [
    "SECOND_FOLD",
    "STRICT",
    "Count",
    "DecodingConfig",
    "EncoderConfig",
    "Finite",
    "HeadConfig",
    "MixtureConfig",
    "ModelConfig",
    "NonNegative",
    "PairingConfig",
    "Positive",
    "PositiveCount",
    "Share",
    "check_mixture",
    "from_mapping",
    "override",
    "read_toml",
    "to_json",
]

T = TypeVar("T")

STRICT = ConfigDict(extra="forbid")
"""Of every configuration: unknown keys are refused."""

Count = Annotated[int, Field(ge=0, le=2**31)]
PositiveCount = Annotated[int, Field(ge=1, le=2**31)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]

SECOND_FOLD = "+second"
"""Suffix of a parameter set's name that stands for its second fold: `rnass2026+second`."""

_Depth = Annotated[int, Field(ge=0, le=1000)]  # bounds far above every published model
_Width = Annotated[int, Field(ge=1, le=2**16)]
_Rows = Annotated[int, Field(ge=0, le=2**20)]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class EncoderConfig:
    """A transformer encoder; the fields span every published RNA language model."""

    layers: _Depth = 6
    """Depth."""
    width: _Width = 256
    """Embedding width D, a multiple of `heads`."""
    heads: Annotated[int, Field(ge=1, le=1024)] = 8
    """Attention heads of a layer."""
    ffn_width: Annotated[int, Field(ge=1, le=2**18)] = 1024
    """Hidden width of the feed-forward part."""
    vocabulary: str = "rnass"
    """Name of the token table, see `rnass.backbone.vocabulary`."""
    vocabulary_size: Annotated[int, Field(ge=1, le=2**20)] = 10
    """Rows of the token embedding."""
    norm_place: Literal["pre", "post"] = "pre"
    """Layer norm before or after each part."""
    norm: Literal["layer", "rms"] = "layer"
    """Kind of the norms."""
    norm_eps: Annotated[float, Field(gt=0, le=1)] = 1e-5
    """Added to the variance in a norm."""
    embed_norm: bool = False
    """A norm after the embedding."""
    final_norm: bool = True
    """A norm after the last layer."""
    positions: Literal["rotary", "learned"] = "rotary"
    """Kind of the position encoding."""
    position_rows: _Rows = 0
    """Rows of the table of learned positions."""
    position_first: _Rows = 0
    """Row of the first token in it."""
    position_skips_padding: bool = True
    """Padding is not counted in it."""
    rope_base: Positive = 10_000.0
    """Base of the rotary frequencies."""
    ffn: Literal["gelu", "swiglu"] = "gelu"
    """Kind of the feed-forward part."""
    bias: bool = True
    """Biases on the linear maps."""
    token_types: Annotated[int, Field(ge=0, le=1000)] = 0
    """Rows of a token-type table, of which row 0 is always added; 0 for none."""
    token_dropout: bool = False
    """ESM's rescaling of embeddings by the share of masked tokens."""
    attend_padding: bool = False
    """Attend to padding, as RNABERT does."""
    pad_to: _Rows | None = None
    """Tokens that a shorter RNA is padded to, as RNABERT does."""
    max_tokens: Annotated[int, Field(ge=1, le=2**31)] | None = None
    """Context length in tokens, special ones included; None for no limit."""

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is not a multiple of heads {self.heads}")
        if self.positions == "rotary" and (self.width // self.heads) % 2:
            raise ValueError(f"rotary positions need an even head width, not {self.width // self.heads}")


_Channels = Annotated[int, Field(ge=1, le=4096)]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class HeadConfig:
    """The contact head and the pair features that feed it."""

    channels: _Channels = 32
    """Width of the residual network at full resolution: one place per pair of bases."""
    blocks: _Depth = 8
    """Its depth there."""
    coarser: Annotated[tuple[tuple[_Channels, _Depth], ...], Field(max_length=12)] = ()
    """Channels and blocks of the stages before it, whose places are patches of 2 x 2 pairs of bases,
    of 4 x 4, and so on."""
    separable: bool = False
    """Blocks of the coarser stages are a depthwise convolution and two products; where not, and at full
    resolution, two full convolutions."""
    dilations: Annotated[tuple[_Channels, ...], Field(min_length=1)] = (1, 2, 4)
    """Dilation of the second convolution of each block of a stage, cyclic."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Within each block, while training."""
    attention_maps: bool = True
    """The backbone's attention maps are features."""
    outer_product: bool = True
    """The outer product of its embeddings is a feature."""
    outer_rank: _Channels = 16
    """Rank of the projections whose outer product is taken."""
    parameter_sets: Annotated[tuple[str, ...], Field(max_length=64)] = ("turner2004",)
    """Parameter sets of ViennaRNA, or their second folds (`rnass2026+second`), whose base-pair
    probabilities are features."""
    residual: bool = False
    """The logits are corrections, at first 0, to the log-odds of the first parameter set."""

    def __post_init__(self) -> None:
        if self.residual and not self.parameter_sets:
            raise ValueError("residual: no set in parameter_sets; expected one to correct")


@dataclass(frozen=True, kw_only=True, config=STRICT)
class DecodingConfig:
    """How a probability map becomes a structure: every option of `rnass.decoding.decode`."""

    decoder: Literal["matching", "nested", "threshknot", "greedy"] = "matching"
    """"matching" is exact and keeps pseudoknots, "nested" is exact without any."""
    objective: Literal["log_odds", "accuracy", "unpaired_odds"] = "log_odds"
    """The gain of a pair: "log_odds" is logit(p) - logit(threshold), "accuracy" p - threshold (maximum
    expected accuracy); "unpaired_odds" is as "log_odds", of p / (p + a_i a_j), the probability of the
    pair against both its bases being unpaired, where a is 1 minus the sum over a base's partners."""
    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Pairing probability above which a pair counts in favour."""
    canonical: bool = True
    """Pair only A-U, G-C and G-U."""
    pair_unknown: bool = False
    """N pairs with any base."""
    min_hairpin: Count = MIN_HAIRPIN
    """Fewest bases a hairpin loop encloses."""
    max_span: PositiveCount | None = None
    """Most bases a pair spans, both ends counted, as in ViennaRNA; None for no bound."""
    min_helix: PositiveCount = 1
    """Fewest stacked pairs of a helix; shorter ones are removed."""
    max_order: Count | None = None
    """Highest pseudoknot order; 0 is nested; None for no bound."""
    steric: bool = True
    """Leave out pseudoknots that no linker between their helices allows, see `rnass.decoding.steric`."""
    exact: bool = False
    """Optimise under `min_helix` and `max_order` instead of removing pairs afterwards."""
    time_limit: Positive = 10.0
    """Seconds that an exact search under those bounds may take."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class PairingConfig:
    """From log-odds to a structure: calibration and decoding."""

    decoding: DecodingConfig = DecodingConfig()
    """Of the pairing probabilities."""
    temperature: Positive = 1.0
    """Divides the log-odds."""
    offset: Finite = 0.0
    """Added to them afterwards."""
    one_partner: bool = False
    """The probabilities of each base's partners and of none add up to 1, see `rnass.network.partners`;
    else each pair of bases is judged by itself."""

    def calibrated(self, log_odds: Any) -> Any:
        """Log-odds, a tensor or an array, after calibration."""
        return log_odds / self.temperature + self.offset


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ModelConfig(PairingConfig):
    """A whole contact model: backbone, head, calibration and decoding."""

    encoder: EncoderConfig = EncoderConfig()
    """The backbone."""
    head: HeadConfig = HeadConfig()
    """The contact head."""
    bpp_weight: Share = 0.0
    """Weight of ViennaRNA's log-odds, of the mean of its parameter sets, beside the head's."""
    second_fold_weight: NonNegative = 0.0
    """Weight of what the second fold of the first set adds to the log-odds of pairs in its helices, see
    `rnass.network.energy_terms`."""

    def __post_init__(self) -> None:
        if self.second_fold_weight and not self.head.parameter_sets:
            raise ValueError("second_fold_weight: no set in parameter_sets; expected one to fold by")

    @property
    def parameter_sets(self) -> tuple[str, ...]:
        """Parameter sets of ViennaRNA that it reads, those of the head first."""
        return with_second_fold(self.head.parameter_sets, self.second_fold_weight)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class MixtureConfig(PairingConfig):
    """A mixture of contact models: the weighted mean of their log-odds, calibrated and decoded."""

    experts: tuple[ModelConfig, ...]
    """Each with its own calibration."""
    weights: tuple[float, ...]
    """Of each expert in the mean of their calibrated log-odds; they add up to 1."""
    gated: bool = False
    """A gate chooses the weight of ViennaRNA's log-odds in the mean, of the first of its parameter sets,
    for each RNA, see `rnass.network.gate`."""
    known_kmers: Count = 0
    """Bytes of the packed k-mers of the training records, see `rnass.network.familiarity`."""
    second_fold_weight: NonNegative = 0.0
    """As in `ModelConfig`, added to the mean."""

    def __post_init__(self) -> None:
        check_mixture(self.weights, len(self.experts))
        if (self.gated or self.second_fold_weight) and not self.parameter_sets:
            raise ValueError("gated, second_fold_weight: no expert has parameter_sets; expected some")

    @property
    def parameter_sets(self) -> tuple[str, ...]:
        """Parameter sets of ViennaRNA that it reads, those of its experts first."""
        sets = tuple(dict.fromkeys(name for one in self.experts for name in one.parameter_sets))
        return with_second_fold(sets, self.second_fold_weight)


def with_second_fold(sets: tuple[str, ...], weight: float) -> tuple[str, ...]:
    """Parameter sets with the second fold of the first of them, where it has a weight."""
    if weight and sets and (second := sets[0] + SECOND_FOLD) not in sets:
        return (*sets, second)
    return sets


def check_mixture(weights: tuple[float, ...], experts: int) -> None:
    """Raise ValueError unless there are two experts or more and a positive weight for each, in all 1."""
    if experts < 2:
        raise ValueError(f"{counted(experts, 'expert')}; a mixture has two at least")
    if len(weights) != experts:
        raise ValueError(f"{counted(len(weights), 'weight')} for {counted(experts, 'expert')}")
    if not (min(weights) > 0 and abs(sum(weights) - 1) <= 1e-6):
        raise ValueError(f"weights {weights} are not positive numbers that add up to 1")


def from_mapping(kind: type[T], values: Any, where: str = "configuration") -> T:
    """Build a configuration of *kind* from nested dictionaries.

    Raises:
        ConfigError: an unknown key, a wrong type, a value out of range; names *where* and the key.
    """
    try:
        return TypeAdapter(kind).validate_python(values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_context=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        known = f"; expected a key of {kind.__name__}" if "unexpected" in first["type"] else ""
        what = first["msg"].removeprefix("Value error, ")
        raise ConfigError(f"{where}: {key}{': ' if key else ''}{what}{known}") from error


def override(config: T, settings: Mapping[str, Any], where: str) -> T:
    """A configuration with some other settings; raises ConfigError as `from_mapping` does."""
    return from_mapping(type(config), asdict(config) | dict(settings), where)  # type: ignore[call-overload]


def read_toml(kind: type[T], path: Path, chosen: Mapping[str, Any] | None = None) -> T:
    """Read a configuration of *kind* from a TOML file, *chosen* values over it; raises ConfigError."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:  # ValueError: no UTF-8, no TOML
        raise ConfigError(f"{path}: {error}; expected a readable TOML file") from error
    return from_mapping(kind, values | dict(chosen or {}), str(path))


def to_json(config: Any) -> str:
    """A configuration as JSON, as it stands in weights, logs and run.json."""
    return json.dumps(asdict(config), sort_keys=True)
