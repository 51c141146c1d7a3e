"""Settings of training: data, optimiser, run, and one configuration for each command that trains.

All are frozen dataclasses whose bounds stand in the fields' types, see `rnass.config`.
"""

from dataclasses import asdict
from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from rnass.config import (
    STRICT,
    Count,
    EncoderConfig,
    HeadConfig,
    NonNegative,
    Positive,
    PositiveCount,
    Share,
    check_mixture,
)
from rnass.errors import counted

__all__ = [
    "CombineConfig",
    "DataConfig",
    "FitConfig",
    "OptimiserConfig",
    "PretrainConfig",
    "ProbeConfig",
    "RunConfig",
    "TrainConfig",
    "decisive",
]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class DataConfig:
    """Which records are read, and how often each is sampled."""

    train: tuple[str, ...] = ()
    """Files of labelled records, or folders of them."""
    weights: tuple[NonNegative, ...] = ()
    """How often a record of each of them is sampled, relative to the others; empty for all 1."""
    family_power: NonNegative = 0.0
    """A record of a family with n records is sampled in proportion to n ** -power."""
    pseudoknot_weight: Positive = 1.0
    """How often a record whose pairs cross is sampled, relative to one whose do not."""
    valid: tuple[str, ...] = ()
    """Files that settings are chosen on."""
    valid_limit: Count = 300
    """Records of `valid`, at most, that are scored while training, evenly spread."""
    min_length: PositiveCount = 16
    """Shorter records, in bases, are left out; a warning for each file counts them."""
    max_length: PositiveCount = 512
    """Longer ones are, too."""
    padded_pairs: PositiveCount = 400_000
    """Size of a batch, at most: L * L summed over its records, padding included."""
    cache: str = "runs/cache"
    """Folder that keeps base-pair probabilities once computed."""
    fold_ahead: bool = True
    """Compute those of all training records before the first step; else of each as it is sampled, which
    is less work where the run samples fewer than there are."""
    feature_cache_gb: NonNegative = 20.0
    """Gigabytes (1e9 bytes), at most, of a frozen published backbone's output that the same folder
    holds; what does not fit is computed whenever it is needed."""
    held_out: tuple[str, ...] = ()
    """Files or folders of labelled records that no training record may be near: at least 0.8 of equal
    columns over 0.8 of the shorter sequence (see `rnass.preparation.leakage.near`)."""
    drop_near: bool = False
    """Leave such training records out; else they are an error."""
    excluded_families: str | None = None
    """A text file of family names, one a line, `#` beginning a comment, `.gz` or not; training records
    of any of these families are left out. Warnings count them, and name families of no record."""
    mutation_rate: Share = 0.0
    """Share of a record's pairs, at most, that compensatory mutation replaces (sampled evenly between 0
    and it); 0 for none."""
    mutated_share: Share = 0.25
    """Share of the sampled training records that are mutated; their base-pair probabilities are computed
    as they are sampled."""
    profiles: tuple[str, ...] = ()
    """Tables of chemical-mapping profiles to learn from too, see `rnass.training.profiles`."""
    profile_share: Share = 0.25
    """Share of the sampled RNAs that are profiles."""
    profile_signal: NonNegative = 3.0
    """Least ratio of signal to noise of a profile."""

    def __post_init__(self) -> None:
        if self.weights and len(self.weights) != len(self.train):
            files = counted(len(self.train), "file")
            raise ValueError(f"{counted(len(self.weights), 'weight')} for {files} of train")
        if self.weights and not any(self.weights):
            raise ValueError("weights are all 0; expected a positive one")


@dataclass(frozen=True, kw_only=True, config=STRICT)
class OptimiserConfig:
    """Linear warm-up and cosine decay of the learning rate."""

    method: Literal["adamw", "muon"] = "adamw"
    """"adamw", or "muon" (Jordan et al. 2024) for the matrices of linear maps and AdamW for the rest."""
    steps: Count = 1000
    """Optimiser steps in all; of 0, `rnass train` only calibrates `start` on `valid` anew."""
    learning_rate: Positive = 1e-3
    """After the warm-up."""
    warmup: Count = 100
    """Steps of it."""
    final_fraction: Share = 0.02
    """Learning rate at the last step, relative to that after the warm-up."""
    weight_decay: NonNegative = 0.01
    """Decoupled."""
    clip: Positive = 1.0
    """Norm, at most, of the gradient of a step."""
    accumulate: PositiveCount = 1
    """Batches whose gradients make one step."""
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.998
    """Decay of the moving average of the weights that is evaluated and saved; 0 for none."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class RunConfig:
    """How a training run goes."""

    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    """Of the weights, the order of the data and the masks."""
    precision: Literal["float32", "bfloat16"] = "bfloat16"
    """Of matrix products and convolutions; weights stay in float32."""
    save_every: PositiveCount = 200
    """Steps between saved states."""
    valid_every: PositiveCount = 500
    """Steps between scores on the validation records."""
    stop: Count | None = None
    """Step to end at before the last one, the learning rate as if the run went on."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class PretrainConfig:
    """`rnass pretrain`: the backbone's objectives and their weights."""

    encoder: EncoderConfig = EncoderConfig()
    """The backbone."""
    data: DataConfig = DataConfig()
    """Of its training."""
    optimiser: OptimiserConfig = OptimiserConfig()
    """How."""
    masked_language_weight: NonNegative = 1.0
    """Of the cross-entropy of masked tokens in the loss."""
    structure_weight: NonNegative = 1.0
    """Of the cross-entropy of the pairs in the loss."""
    mask_fraction: Share = 0.15
    """Share of the bases that are masked or replaced."""
    run: RunConfig = RunConfig()
    """How the run goes."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TrainConfig:
    """`rnass train`: a contact head on a backbone."""

    backbone: str | None = None
    """Backbone to begin with: path or name of rnass's own or of a published one (`rnass backbones`);
    None trains one from random weights."""
    family: str | None = None
    """Of a published one, see `rnass.network.backbones.open_backbone`."""
    u_as: Literal["T", "U"] | None = None
    """Of a published one, see there."""
    start: str | None = None
    """A contact model to go on from, with its `backbone` if it holds a head alone."""
    parameter_sets: tuple[str, ...] | None = None
    """Those that the model of `start` is to read, see `ContactModel.read`; None for those it reads."""
    freeze_backbone: bool = True
    """Leave the encoder as it is."""
    backbone_rate: NonNegative = 0.3
    """Learning rate of an unfrozen encoder, relative to the head's."""
    bpp_weight: Share | None = None
    """Of the model once trained, see `ModelConfig`; None leaves that of `start`, else 0."""
    second_fold_weight: NonNegative | None = None
    """Of the model, see `ModelConfig`; None leaves that of `start`, else 0."""
    one_partner: bool | None = None
    """Of the model, see `PairingConfig`; None leaves that of `start`, else false. A model with it is
    trained by the cross-entropy of each base's partner, others by that of each pair."""
    profile_weight: NonNegative = 1.0
    """Of the loss of a chemical-mapping profile, relative to that of a structure."""
    bpp_dropout: Share = 0.1
    """Share of the RNAs that are shown without their base-pair probabilities, so that the model can be
    used without them."""
    encoder: EncoderConfig | None = None
    """Of a backbone that is trained from random weights."""
    head: HeadConfig = HeadConfig()
    """Of a model without `start`."""
    data: DataConfig = DataConfig()
    """Of its training."""
    optimiser: OptimiserConfig = OptimiserConfig()
    """How."""
    run: RunConfig = RunConfig()
    """How the run goes."""

    def __post_init__(self) -> None:
        if self.data.profiles and not self.one_partner:
            raise ValueError("data.profiles: no one_partner, without which no base is unpaired for sure")


@dataclass(frozen=True, kw_only=True, config=STRICT)
class FitConfig:
    """`rnass fit`: nearest-neighbour energies to known structures."""

    start: str | None = None
    """A ViennaRNA parameter file to go on from; None for Turner 2004."""
    samples: Annotated[int, Field(ge=2, le=10_000)] = 10
    """Structures that are sampled of each RNA in a step."""
    accuracy_weight: NonNegative = 1.0
    """Of the expected F1 of a sampled structure in the loss."""
    likelihood_weight: NonNegative = 0.2
    """Of the log-likelihood of the known structure, per base."""
    prior: NonNegative = 2e-4
    """Half of this times the sum of the squares of all parameters, in (kcal/mol)^2, is added to the
    loss."""
    data: DataConfig = DataConfig()
    """Of the fit."""
    optimiser: OptimiserConfig = OptimiserConfig()
    """How."""
    run: RunConfig = RunConfig()
    """How the run goes."""

    def __post_init__(self) -> None:
        if self.data.profiles:
            raise ValueError("data.profiles: energies are fitted to known structures alone")


@dataclass(frozen=True, kw_only=True, config=STRICT)
class CombineConfig:
    """`rnass combine`: contact models to one mixture."""

    experts: tuple[str, ...]
    """Their weights files, by name or path."""
    weights: tuple[float, ...]
    """Of each in the mean of their log-odds, adding up to 1."""
    parameter_sets: tuple[str, ...] | None = None
    """Those that all of them are to read, see `ContactModel.read`; None for those that each reads."""
    bpp_weight: Share | None = None
    """ViennaRNA's in the log-odds of each, see `ModelConfig`; None leaves theirs."""
    second_fold_weight: NonNegative | None = None
    """Of the second fold in the log-odds of the mixture, with none in those of its experts; None leaves
    theirs."""
    gated: bool = False
    """A gate chooses ViennaRNA's weight for each RNA, see `rnass.network.gate`."""
    trained: tuple[str, ...] = ()
    """Files or folders of the labelled records that the experts were trained on: the gate reads how many
    k-mers of an RNA they hold."""
    profiles: tuple[str, ...] = ()
    """Tables of chemical-mapping profiles to fit the gate to, beside `valid`."""
    profile_signal: NonNegative = 5.0
    """Least ratio of signal to noise of a profile."""
    profile_number: PositiveCount = 100
    """Profiles of each table and reagent, at most."""
    profile_weight: NonNegative = 0.5
    """Of the profiles of each table and reagent in the fit of the gate."""
    valid_weights: tuple[NonNegative, ...] | None = None
    """Of each file of `valid` in that fit; None for 1."""
    one_partner: bool = False
    """Of the mixture, see `PairingConfig`."""
    valid: tuple[str, ...]
    """Files of labelled records that calibrations, threshold and minimum helix are fitted to."""
    min_length: PositiveCount = 16
    """Shorter records, in bases, are left out."""
    max_length: PositiveCount = 512
    """Longer ones are, too."""
    cache: str = "runs/cache"
    """Folder that keeps base-pair probabilities once computed."""

    def __post_init__(self) -> None:
        check_mixture(self.weights, len(self.experts))
        if self.gated and self.bpp_weight:
            raise ValueError("bpp_weight: a weight beside gated; expected one of them")
        if self.gated and not self.one_partner:
            raise ValueError("gated: no one_partner, without which no base is unpaired for sure")
        if self.gated and not self.trained:
            raise ValueError("gated: no trained; expected the files that the experts were trained on")
        if (self.profiles or self.trained) and not self.gated:
            raise ValueError("profiles, trained: not gated; expected a gate to fit to them")
        if self.valid_weights is not None and len(self.valid_weights) != len(self.valid):
            raise ValueError(
                f"valid_weights: {len(self.valid_weights)} for {counted(len(self.valid), 'file')}"
            )


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ProbeConfig:
    """`rnass train --task token|sequence`: a small head on frozen embeddings."""

    task: Literal["token", "sequence"] = "sequence"
    """A label per token (base or codon), or per sequence, from the mean of its embeddings."""
    kind: Literal["classification", "regression"] = "classification"
    """Labels are classes or numbers."""
    label: str = "label"
    """The column that holds them; "paired" is made of dot_bracket where there is no such column."""
    train: tuple[str, ...] = ()
    """Tables to train on."""
    valid: tuple[str, ...] = ()
    """Tables that settings are chosen on."""
    test: tuple[str, ...] = ()
    """Tables that are only scored."""
    backbone: str | None = None
    """Whose embeddings, see `rnass embed`."""
    family: str | None = None
    """Of a published backbone."""
    u_as: Literal["T", "U"] | None = None
    """Of a published backbone."""
    layer: Annotated[int, Field(ge=-(2**31), le=2**31)] = -1
    """Layer whose embeddings are read; -1 for the last."""
    hidden: Annotated[int, Field(ge=0, le=2**16)] = 0
    """Width of a hidden layer; 0 for a linear head."""
    steps: Count = 1000
    """Of AdamW."""
    batch: PositiveCount = 2048
    """Rows of a step."""
    learning_rate: Positive = 3e-3
    """At the first step; it falls to 0."""
    weight_decay: NonNegative = 0.01
    """Decoupled."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    """Of the head and of the batches."""


_CONTROL = {
    "run": ("save_every", "valid_every", "stop"),
    "data": ("cache", "fold_ahead", "feature_cache_gb"),
}
"""Settings that a run can be resumed without: they change when it pauses or where it keeps things."""


def decisive(config: FitConfig | PretrainConfig | TrainConfig) -> dict[str, Any]:
    """The settings that decide what a run gives, without those that only control how it goes on."""
    values = asdict(config)
    for part, names in _CONTROL.items():
        for name in names:
            del values[part][name]
    return values
