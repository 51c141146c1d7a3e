"""Every setting of rnass, as frozen dataclasses; TOML in, JSON out; an unknown key is an error."""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from pydantic import ConfigDict, TypeAdapter, ValidationError

from rnass.errors import ConfigError, counted
from rnass.rna import MIN_HAIRPIN

__all__ = [
    "CombineConfig",
    "CommitteeConfig",
    "DataConfig",
    "DecodingConfig",
    "EncoderConfig",
    "HeadConfig",
    "ModelConfig",
    "OptimiserConfig",
    "PairingConfig",
    "PretrainConfig",
    "ProbeConfig",
    "RunConfig",
    "TrainConfig",
    "from_mapping",
    "read_toml",
    "to_json",
]

T = TypeVar("T")


class _Strict:
    """Base of all configurations: pydantic refuses unknown keys."""

    __pydantic_config__ = ConfigDict(extra="forbid")


@dataclass(frozen=True, kw_only=True)
class EncoderConfig(_Strict):
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


@dataclass(frozen=True, kw_only=True)
class HeadConfig(_Strict):
    """The contact head and the pair features that feed it.

    Attributes:
        channels, blocks: width and depth of the residual network, one place per pair of bases.
        coarser: channels and blocks of the stages before it, whose places are patches of 2 x 2 pairs,
            of 4 x 4, and so on.
        separable: blocks of the coarser stages are a depthwise convolution and two products; where not,
            and at full resolution, two full convolutions.
        dilations: dilation of the second convolution of each block of a stage, cyclic.
        dropout: within each block, while training.
        attention_maps, outer_product: which features of the backbone are used.
        outer_rank: rank of the projections whose outer product is taken.
        thermodynamics: parameter sets of ViennaRNA, or their second folds (`rnass2026+second`), whose
            base-pair probabilities are channels.
        residual: the logits are corrections, at first 0, to the log-odds of the first parameter set.
    """

    channels: int = 32
    blocks: int = 8
    coarser: tuple[tuple[int, int], ...] = ()
    separable: bool = False
    dilations: tuple[int, ...] = (1, 2, 4)
    dropout: float = 0.0
    attention_maps: bool = True
    outer_product: bool = True
    outer_rank: int = 16
    thermodynamics: tuple[str, ...] = ("turner2004",)
    residual: bool = False

    def __post_init__(self) -> None:
        if self.residual and not self.thermodynamics:
            raise ValueError("residual: no parameter set in thermodynamics; expected one to correct")


@dataclass(frozen=True, kw_only=True)
class DecodingConfig(_Strict):
    """How a probability map becomes a structure: every option of `rnass.decoding.decode`.

    Attributes:
        decoder: "matching" (exact, pseudoknots kept), "nested" (exact, none), "threshknot", "greedy".
        objective: what a pair adds: "log_odds", logit(p) - logit(threshold), or "accuracy",
            p - threshold (maximum expected accuracy).
        threshold: pairing probability above which a pair counts in favour, in (0, 1).
        canonical: pair only A-U, G-C and G-U.
        pair_unknown: N pairs with any base.
        min_hairpin: fewest bases a hairpin loop encloses.
        max_span: most bases a pair spans, both ends counted, as in ViennaRNA; None for no bound.
        min_helix: fewest stacked pairs of a helix; shorter ones are removed.
        max_order: highest pseudoknot order; 0 is nested; None for no bound.
        exact: optimise under `min_helix` and `max_order` instead of removing pairs afterwards.
        time_limit: seconds that an exact search under those bounds may take.
    """

    decoder: Literal["matching", "nested", "threshknot", "greedy"] = "matching"
    objective: Literal["log_odds", "accuracy"] = "log_odds"
    threshold: float = 0.5
    canonical: bool = True
    pair_unknown: bool = False
    min_hairpin: int = MIN_HAIRPIN
    max_span: int | None = None
    min_helix: int = 1
    max_order: int | None = None
    exact: bool = False
    time_limit: float = 10.0

    def __post_init__(self) -> None:
        if not 0 < self.threshold < 1:
            raise ValueError(f"threshold {self.threshold} is not between 0 and 1")
        for name, least in (("min_hairpin", 0), ("max_span", 1), ("min_helix", 1), ("max_order", 0)):
            if (value := getattr(self, name)) is not None and value < least:
                raise ValueError(f"{name} {value} is less than {least}")
        if not self.time_limit > 0:
            raise ValueError(f"time_limit {self.time_limit} is not positive")


@dataclass(frozen=True, kw_only=True)
class PairingConfig(_Strict):
    """What makes a structure of log-odds.

    Attributes:
        temperature, offset: the calibration of the log-odds.
        decoding: of the pairing probabilities.
        one_partner: the probabilities of each base's partners and of none add up to 1, see
            `rnass.network.partners`; else each pair of bases is judged by itself.
    """

    decoding: DecodingConfig = DecodingConfig()
    temperature: float = 1.0
    offset: float = 0.0
    one_partner: bool = False

    def calibrated(self, log_odds: Any) -> Any:
        """Log-odds, a tensor or an array, after calibration."""
        return log_odds / self.temperature + self.offset


@dataclass(frozen=True, kw_only=True)
class ModelConfig(PairingConfig):
    """A whole contact model: backbone, head, and what makes a structure of the head's logits.

    Attributes:
        thermal_share: ViennaRNA's share of the log-odds, the mean of its parameter sets; the rest is the
            head's.
    """

    encoder: EncoderConfig = EncoderConfig()
    head: HeadConfig = HeadConfig()
    thermal_share: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.thermal_share <= 1:
            raise ValueError(f"thermal_share {self.thermal_share} is not between 0 and 1")

    @property
    def thermodynamics(self) -> tuple[str, ...]:
        """Parameter sets of ViennaRNA that it reads."""
        return self.head.thermodynamics


@dataclass(frozen=True, kw_only=True)
class CommitteeConfig(PairingConfig):
    """Contact models that are asked as one, and what makes a structure of the mean of their log-odds.

    Attributes:
        members: their configurations, each with its own calibration.
        shares: of each member in the mean of their calibrated log-odds; they add up to 1.
    """

    members: tuple[ModelConfig, ...]
    shares: tuple[float, ...]

    def __post_init__(self) -> None:
        _check_shares(self.shares, len(self.members))

    @property
    def thermodynamics(self) -> tuple[str, ...]:
        """Parameter sets of ViennaRNA that any member reads."""
        return tuple(dict.fromkeys(name for one in self.members for name in one.thermodynamics))


def _check_shares(shares: tuple[float, ...], members: int) -> None:
    if members < 2:
        raise ValueError(f"{counted(members, 'member')}; at least two make a committee")
    if len(shares) != members:
        raise ValueError(f"{counted(len(shares), 'share')} for {counted(members, 'member')}")
    if min(shares) <= 0 or abs(sum(shares) - 1) > 1e-6:
        raise ValueError(f"shares {shares} are not positive numbers that add up to 1")


@dataclass(frozen=True, kw_only=True)
class DataConfig(_Strict):
    """Which records are read, and how much of each kind.

    Attributes:
        train: files of labelled records, or folders of them.
        weights: how often a record of each of them is drawn, relative to the others; empty for all 1.
        family_power: a record of a family with n records is drawn in proportion to n ** -power.
        pseudoknot_weight: how often a record whose pairs cross is drawn, relative to one whose do not.
        valid: files that settings are chosen on.
        valid_limit: at most this many records of `valid`, evenly spread, are scored while training.
        min_length, max_length: in bases; others are left out, and a warning for each file counts them.
        batch_pixels: L * L summed over the records of a batch, padding included.
        cache: folder that keeps base-pair probabilities once computed.
        fold_ahead: compute those of all training records before the first step; else of each as it is
            drawn, which is less work where the run draws fewer than there are.
        feature_cache_gb: most that the same folder may hold of what a frozen published backbone says
            of the records, in 1e9 bytes; what does not fit is computed whenever it is needed.
        held_out: files or folders of labelled records that no training record may be near: at least
            0.8 of equal columns over 0.8 of the shorter sequence (see `rnass.preparation.leakage.near`).
        drop_near: leave such training records out; else they are an error.
        excluded_families: a text file of family names, one a line; training records of any of these
            families are left out, and a warning counts them.
        mutation_rate: most of a record's pairs, as a share, that compensatory mutation replaces (the
            share is drawn evenly between 0 and it); 0 for none.
        mutated_share: share of the drawn training records that are mutated; their base-pair
            probabilities are computed as they are drawn.
        profiles: tables of chemical-mapping profiles to learn from too, see `rnass.training.profiles`.
        profile_share: share of the drawn RNAs that are profiles.
        profile_signal: least ratio of signal to noise of a profile.
    """

    train: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()
    family_power: float = 0.0
    pseudoknot_weight: float = 1.0
    valid: tuple[str, ...] = ()
    valid_limit: int = 300
    min_length: int = 16
    max_length: int = 512
    batch_pixels: int = 400_000
    cache: str = "runs/cache"
    fold_ahead: bool = True
    feature_cache_gb: float = 20.0
    held_out: tuple[str, ...] = ()
    drop_near: bool = False
    excluded_families: str | None = None
    mutation_rate: float = 0.0
    mutated_share: float = 0.25
    profiles: tuple[str, ...] = ()
    profile_share: float = 0.25
    profile_signal: float = 3.0

    def __post_init__(self) -> None:
        for name in ("mutation_rate", "mutated_share", "profile_share"):
            if not 0 <= (value := getattr(self, name)) <= 1:
                raise ValueError(f"{name} {value} is not between 0 and 1")
        if not self.pseudoknot_weight > 0:
            raise ValueError(f"pseudoknot_weight {self.pseudoknot_weight} is not positive")
        if self.weights and len(self.weights) != len(self.train):
            files = counted(len(self.train), "file")
            raise ValueError(f"{counted(len(self.weights), 'weight')} for {files} of train")


@dataclass(frozen=True, kw_only=True)
class OptimiserConfig(_Strict):
    """Linear warm-up and cosine decay of the learning rate.

    Attributes:
        method: "adamw", or "muon" (Jordan et al. 2024) for the matrices of linear maps and AdamW for
            the rest.
        steps: optimiser steps in all; of 0, `rnass train` only calibrates `start` on `valid` anew.
        accumulate: batches whose gradients make one step.
        ema: decay of the moving average of the weights that is evaluated and saved; 0 for none.
    """

    method: Literal["adamw", "muon"] = "adamw"
    steps: int = 1000
    learning_rate: float = 1e-3
    warmup: int = 100
    final_fraction: float = 0.02
    weight_decay: float = 0.01
    clip: float = 1.0
    accumulate: int = 1
    ema: float = 0.998


@dataclass(frozen=True, kw_only=True)
class RunConfig(_Strict):
    """How a training run goes.

    Attributes:
        seed: of the weights, the order of the data and the masks.
        precision: of matrix products and convolutions; weights stay in float32.
        save_every, valid_every: steps between saved states, between scores on the validation records.
        stop: step to end at before the last one, the learning rate as if the run went on.
    """

    seed: int = 1
    precision: Literal["float32", "bfloat16"] = "bfloat16"
    save_every: int = 200
    valid_every: int = 500
    stop: int | None = None


@dataclass(frozen=True, kw_only=True)
class PretrainConfig(_Strict):
    """`rnass pretrain`: the backbone's objectives and their weights."""

    encoder: EncoderConfig = EncoderConfig()
    data: DataConfig = DataConfig()
    optimiser: OptimiserConfig = OptimiserConfig()
    masked_language_weight: float = 1.0
    structure_weight: float = 1.0
    mask_fraction: float = 0.15
    run: RunConfig = RunConfig()


@dataclass(frozen=True, kw_only=True)
class TrainConfig(_Strict):
    """`rnass train`: a contact head on a backbone.

    Attributes:
        backbone: that the encoder starts from: path or name of rnass's own or of a published one
            (`rnass backbones`); None trains it from random weights.
        family, u_as: of a published one, see `rnass.network.weights.open_backbone`.
        start: a contact model to go on from, with its `backbone` if it holds a head alone.
        deepen: blocks at full resolution that the head of `start` is given besides its own; they change
            nothing before the first step.
        thermodynamics: parameter sets that the model of `start` is to read, see `ContactModel.read`;
            None for those it reads.
        freeze_backbone: leave the encoder as it is.
        backbone_rate: learning rate of an unfrozen encoder, relative to the head's.
        thermal_share: of the model once trained, see ModelConfig; None leaves that of `start`, else 0.
        one_partner: of a model without `start`, see ModelConfig; such a model is trained by the
            cross-entropy of each base's partner, others by that of each pair.
        profile_weight: of the loss of a chemical-mapping profile, relative to that of a structure.
        thermodynamics_dropout: share of the RNAs that are shown without their base-pair
            probabilities, so that the model can be used without them.
        teacher: weights whose probabilities are learnt beside the known pairs (Hinton et al. 2015,
            arXiv:1503.02531), such as a committee's; they read the same tokens and parameter sets.
        teacher_share: theirs of what is to be learnt, the rest are the known pairs.
    """

    backbone: str | None = None
    family: str | None = None
    u_as: Literal["T", "U"] | None = None
    start: str | None = None
    deepen: int = 0
    thermodynamics: tuple[str, ...] | None = None
    freeze_backbone: bool = True
    backbone_rate: float = 0.3
    thermal_share: float | None = None
    one_partner: bool = False
    profile_weight: float = 1.0
    thermodynamics_dropout: float = 0.1
    teacher: str | None = None
    teacher_share: float = 0.5
    encoder: EncoderConfig | None = None
    head: HeadConfig = HeadConfig()
    data: DataConfig = DataConfig()
    optimiser: OptimiserConfig = OptimiserConfig()
    run: RunConfig = RunConfig()

    def __post_init__(self) -> None:
        if not 0 <= self.teacher_share <= 1:
            raise ValueError(f"teacher_share {self.teacher_share} is not between 0 and 1")
        if self.data.profiles and not self.one_partner:
            raise ValueError("data.profiles: no one_partner, without which no base is unpaired for sure")


@dataclass(frozen=True, kw_only=True)
class FitConfig(_Strict):
    """`rnass fit`: nearest-neighbour energies to known structures.

    Attributes:
        start: a ViennaRNA parameter file to go on from; None for Turner 2004.
        samples: structures that are drawn of each RNA in a step.
        accuracy_weight: of the expected F1 of a drawn structure.
        likelihood_weight: of the log-likelihood of the known structure, per base.
        prior: half of this times the sum of the squares of all parameters, in (kcal/mol)^2, is added to
            the loss.
    """

    start: str | None = None
    samples: int = 10
    accuracy_weight: float = 1.0
    likelihood_weight: float = 0.2
    prior: float = 2e-4
    data: DataConfig = DataConfig()
    optimiser: OptimiserConfig = OptimiserConfig()
    run: RunConfig = RunConfig()

    def __post_init__(self) -> None:
        if self.samples < 2:
            raise ValueError(f"samples {self.samples} is less than 2")


@dataclass(frozen=True, kw_only=True)
class CombineConfig(_Strict):
    """`rnass combine`: contact models to be asked as one.

    Attributes:
        members: their weights, by name or path; several for the mean of these, see
            `rnass.training.combine.mean_model`.
        shares: of each in the mean of their log-odds, adding up to 1.
        thermodynamics: parameter sets that all of them are to read, see `ContactModel.read`; None for
            those that each reads.
        thermal_share: ViennaRNA's of the log-odds of each, see ModelConfig; None leaves theirs.
        valid: files of labelled records that the members' and the committee's calibration, its threshold
            and its minimum helix are fitted to.
        min_length, max_length: in bases; others are left out.
        cache: folder that keeps base-pair probabilities once computed.
    """

    members: tuple[str | tuple[str, ...], ...]
    shares: tuple[float, ...]
    thermodynamics: tuple[str, ...] | None = None
    thermal_share: float | None = None
    valid: tuple[str, ...]
    min_length: int = 16
    max_length: int = 512
    cache: str = "runs/cache"

    def __post_init__(self) -> None:
        _check_shares(self.shares, len(self.members))
        if not all(self.members):
            raise ValueError("a member of no weights; expected a name or path, or some")


@dataclass(frozen=True, kw_only=True)
class ProbeConfig(_Strict):
    """`rnass train --task token|sequence`: a small head on frozen embeddings.

    Attributes:
        task: a label per token (base or codon), or per sequence, from the mean of its embeddings.
        kind: labels are classes or numbers.
        label: the column that holds them; "paired" is made of dot_bracket where there is no such column.
        train, valid, test: tables; settings are chosen on `valid`, scores are of all that are given.
        backbone, family, u_as, layer: whose embeddings, see `rnass embed`.
        hidden: width of a hidden layer; 0 for a linear head.
        steps, batch, learning_rate, weight_decay: of AdamW, on so many rows a step.
        seed: of the head and of the batches.
    """

    task: Literal["token", "sequence"] = "sequence"
    kind: Literal["classification", "regression"] = "classification"
    label: str = "label"
    train: tuple[str, ...] = ()
    valid: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    backbone: str | None = None
    family: str | None = None
    u_as: Literal["T", "U"] | None = None
    layer: int = -1
    hidden: int = 0
    steps: int = 1000
    batch: int = 2048
    learning_rate: float = 3e-3
    weight_decay: float = 0.01
    seed: int = 1


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
        known = f"; expected a key of {kind.__name__}" if "unexpected" in first["type"] else ""
        raise ConfigError(f"{where}: {key}: {first['msg']}{known}") from error


def read_toml(kind: type[T], path: Path, chosen: Mapping[str, Any] | None = None) -> T:
    """Read a configuration of *kind* from a TOML file, *chosen* values over it; raises ConfigError."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}; expected a readable TOML file") from error
    return from_mapping(kind, values | dict(chosen or {}), str(path))


def to_json(config: Any) -> str:
    """A configuration as JSON, as it stands in weights, logs and run.json."""
    return json.dumps(asdict(config), sort_keys=True)
