"""How each family's files name what `Encoder` and `LanguageHead` name: one key map per layout.

A map goes from module to module; weight and bias go along, `gamma` and `beta` are read as those.
`#` stands for the number of a layer. Parameters of the language-model head have the prefix "head.".
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from rnass.errors import CheckpointError

__all__ = [
    "AIDO_RNA",
    "ESM",
    "LAYOUTS",
    "MULTIMOLECULE",
    "MULTIMOLECULE_AIDO_RNA",
    "MULTIMOLECULE_RNABERT",
    "RNABERT",
    "RNA_FM",
    "KeyMap",
]

_LEAVES = {"gamma": "weight", "beta": "bias"}
_NUMBER = re.compile(r"(?<=layer\.)\d+|(?<=layers\.)\d+")


@dataclass(frozen=True)
class KeyMap:
    """The keys of one layout.

    Attributes:
        name: what messages call it.
        sign: a part of a key that only this layout has.
        prefixes: stripped from the front of a key, each as often as it stands there.
        modules: the authors' module to rnass's.
        others: beginnings of keys that belong to neither the encoder nor the language-model head.
    """

    name: str
    sign: str
    prefixes: tuple[str, ...]
    modules: dict[str, str]
    others: tuple[str, ...]

    def translate(self, tensors: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
        """The tensors under rnass's keys.

        Raises:
            CheckpointError: a key that the layout does not have, or two that disagree on one tensor.
        """
        translated: dict[str, Tensor] = {}
        for key, tensor in tensors.items():
            if (target := self._target(key, path)) is None:
                continue
            if target in translated and not torch.equal(translated[target], tensor):
                raise CheckpointError(
                    f"{path}: tensor {key} differs from another for {target}; expected them equal"
                )
            translated[target] = tensor
        return translated

    def theirs(self, target: str) -> str:
        """The authors' key of one of rnass's, without prefixes; for messages."""
        module, _, leaf = target.rpartition(".")
        general, number = _general(module)
        known = (key for key, value in self.modules.items() if value == general)
        return f"{next(known, general)}.{leaf}".replace("#", number)

    def _target(self, key: str, path: Path) -> str | None:
        """The key here; None for a tensor of no use."""
        bare = key
        while prefix := next((one for one in self.prefixes if bare.startswith(one)), ""):
            bare = bare.removeprefix(prefix)
        if bare.startswith(self.others) or bare.endswith(("inv_freq", "position_ids")):
            return None
        module, _, leaf = bare.rpartition(".")
        general, number = _general(module)
        if general not in self.modules:
            raise CheckpointError(f"{path}: tensor {key} is unknown; expected the keys of {self.name}")
        return f"{self.modules[general]}.{_LEAVES.get(leaf, leaf)}".replace("#", number)


def _general(module: str) -> tuple[str, str]:
    """A module with # for its layer's number, and that number."""
    found = _NUMBER.search(module)
    return _NUMBER.sub("#", module, count=1), found.group() if found else ""


def _layer(theirs: str, parts: dict[str, str]) -> dict[str, str]:
    return {theirs + their: "layers.#." + ours for their, ours in parts.items()}


_PREDICTIONS = {
    "cls.predictions": "head",
    "cls.predictions.transform.dense": "head.dense",
    "cls.predictions.transform.LayerNorm": "head.norm",
    "cls.predictions.decoder": "head",
}
"""The language-model head, as BERT's own code names it."""

_SELF_ATTENTION = {
    "attention.self.query": "attention.query",
    "attention.self.key": "attention.key",
    "attention.self.value": "attention.value",
    "attention.output.dense": "attention.out",
}

_EMBEDDINGS = {
    "embeddings.word_embeddings": "tokens",
    "embeddings.position_embeddings": "positions",
    "embeddings.token_type_embeddings": "types",
}

RNA_FM = KeyMap(
    name="RNA-FM",
    sign=".self_attn.",
    prefixes=("module.", "backbone.", "encoder.", "sentence_encoder."),
    modules={
        "embed_tokens": "tokens",
        "embed_positions": "positions",
        "emb_layer_norm_before": "embed_norm",
        "emb_layer_norm_after": "final_norm",
        "lm_head": "head",
        "lm_head.dense": "head.dense",
        "lm_head.layer_norm": "head.norm",
    }
    | _layer(
        "layers.#.",
        {
            "self_attn.q_proj": "attention.query",
            "self_attn.k_proj": "attention.key",
            "self_attn.v_proj": "attention.value",
            "self_attn.out_proj": "attention.out",
            "self_attn_layer_norm": "attention_norm",
            "fc1": "feed_forward.inner",
            "fc2": "feed_forward.outer",
            "final_layer_norm": "feed_forward_norm",
        },
    ),
    others=("contact_head.",),
)
"""Official RNA-FM and mRNA-FM (fairseq's names)."""

MULTIMOLECULE = KeyMap(
    name="multimolecule",
    sign="layer_norm.",
    prefixes=("module.", "model.", "rnafm.", "rnabert.", "aido_rna."),
    modules=_EMBEDDINGS
    | {
        "embeddings.layer_norm": "embed_norm",
        "encoder.layer_norm": "final_norm",
        "lm_head": "head",
        "lm_head.transform.dense": "head.dense",
        "lm_head.transform.layer_norm": "head.norm",
        "lm_head.decoder": "head",
    }
    | _layer(
        "encoder.layer.#.",
        _SELF_ATTENTION
        | {
            "attention.layer_norm": "attention_norm",
            "layer_norm": "feed_forward_norm",
            "intermediate.dense": "feed_forward.inner",
            "output.dense": "feed_forward.outer",
        },
    ),
    others=("pooler.", "ss_head.", "sa_head.", "contact_head."),
)
"""RNA-FM and mRNA-FM as multimolecule stores them, in every version so far."""

MULTIMOLECULE_RNABERT = replace(
    MULTIMOLECULE,
    name="multimolecule RNABERT",
    sign="attention.output.layer_norm.",
    modules={
        key.replace(".layer_norm", ".output.layer_norm") if ".#." in key else key: value
        for key, value in MULTIMOLECULE.modules.items()
    },
)
"""RNABERT as multimolecule stores it: norms after the parts."""

MULTIMOLECULE_AIDO_RNA = replace(
    MULTIMOLECULE,
    name="multimolecule AIDO.RNA",
    sign="intermediate.gate.",
    # The names mislead: `dense` is activated, `gate` is multiplied by it.
    modules=MULTIMOLECULE.modules
    | _layer(
        "encoder.layer.#.",
        {"intermediate.dense": "feed_forward.gate", "intermediate.gate": "feed_forward.inner"},
    ),
)
"""AIDO.RNA as multimolecule 0.0.8, the only version that has it, stores it."""

RNABERT = KeyMap(
    name="RNABERT",
    sign="attention.selfattn.",
    prefixes=("module.", "bert."),
    modules=_EMBEDDINGS
    | _PREDICTIONS
    | {"embeddings.LayerNorm": "embed_norm"}
    | _layer(
        "encoder.layer.#.",
        {key.replace("self.", "selfattn."): value for key, value in _SELF_ATTENTION.items()}
        | {
            "attention.output.LayerNorm": "attention_norm",
            "intermediate.dense": "feed_forward.inner",
            "output.dense": "feed_forward.outer",
            "output.LayerNorm": "feed_forward_norm",
        },
    ),
    others=("pooler.", "cls.predictions_ss.", "cls.seq_relationship."),
)
"""Official RNABERT."""

AIDO_RNA = KeyMap(
    name="AIDO.RNA",
    sign="mlp.gate_proj.",
    prefixes=("module.", "bert."),
    modules=_EMBEDDINGS
    | _PREDICTIONS
    | {"encoder.ln": "final_norm"}
    | _layer(
        "encoder.layer.#.",
        _SELF_ATTENTION
        | {
            "attention.ln": "attention_norm",
            "ln": "feed_forward_norm",
            "mlp.up_proj": "feed_forward.inner",
            "mlp.gate_proj": "feed_forward.gate",
            "mlp.down_proj": "feed_forward.outer",
        },
    ),
    others=("pooler.",),
)
"""Official AIDO.RNA."""

ESM = KeyMap(
    name="PlantRNA-FM (Hugging Face ESM)",
    sign="encoder.emb_layer_norm_after.",
    prefixes=("module.", "esm."),
    modules=_EMBEDDINGS
    | {
        "embeddings.layer_norm": "embed_norm",
        "encoder.emb_layer_norm_after": "final_norm",
        "lm_head": "head",
        "lm_head.dense": "head.dense",
        "lm_head.layer_norm": "head.norm",
        "lm_head.decoder": "head",
    }
    | _layer(
        "encoder.layer.#.",
        _SELF_ATTENTION
        | {
            "attention.LayerNorm": "attention_norm",
            "LayerNorm": "feed_forward_norm",
            "intermediate.dense": "feed_forward.inner",
            "output.dense": "feed_forward.outer",
        },
    ),
    others=("pooler.", "contact_head."),
)
"""PlantRNA-FM: the ESM of transformers."""

LAYOUTS = (
    RNA_FM,
    RNABERT,
    AIDO_RNA,
    ESM,
    MULTIMOLECULE_AIDO_RNA,
    MULTIMOLECULE_RNABERT,
    MULTIMOLECULE,
)
"""In the order in which their signs are looked for."""
