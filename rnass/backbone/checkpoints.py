"""Published RNA language models, read from their authors' files into the one `Encoder`.

Every tensor is accounted for: a key that nothing here knows, and one that is missing, are errors.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from rnass.backbone.checkpoint_files import StoredModel, load_strictly, unallocated
from rnass.backbone.encoder import Encoder
from rnass.backbone.key_maps import (
    AIDO_RNA,
    ESM,
    LAYOUTS,
    MULTIMOLECULE,
    MULTIMOLECULE_AIDO_RNA,
    MULTIMOLECULE_RNABERT,
    RNA_FM,
    RNABERT,
    KeyMap,
)
from rnass.backbone.language_head import LanguageHead
from rnass.backbone.vocabulary import spell, swap_t_and_u, vocabulary
from rnass.config import EncoderConfig, from_mapping, override
from rnass.errors import CheckpointError, ConfigError

__all__ = [
    "FAMILIES",
    "base_row_norms",
    "build",
    "family_of",
    "u_advice",
    "u_letter",
]

FAMILIES = ("rna-fm", "mrna-fm", "rnabert", "aido-rna", "plantrna-fm")
"""Values of `--family`."""

_FAMILIES_OF = {
    RNA_FM.name: ("rna-fm", "mrna-fm"),
    RNABERT.name: ("rnabert",),
    AIDO_RNA.name: ("aido-rna",),
    ESM.name: ("plantrna-fm",),
    MULTIMOLECULE_AIDO_RNA.name: ("aido-rna",),
    MULTIMOLECULE_RNABERT.name: ("rnabert",),
    MULTIMOLECULE.name: ("rna-fm", "mrna-fm"),
}
_CODON_ROWS = {73, 131}  # of the authors' table, of multimolecule's
_MULTIMOLECULE = {MULTIMOLECULE.name, MULTIMOLECULE_AIDO_RNA.name, MULTIMOLECULE_RNABERT.name}
_MODEL_TYPES = {
    "rna-fm": ("rnafm",),
    "mrna-fm": ("rnafm",),
    "rnabert": ("rnabert",),
    "aido-rna": ("aido.rna", "rnabert"),  # the authors call theirs rnabert, too
    "plantrna-fm": ("esm",),
}

_ESM_POSITIONS: dict[str, Any] = {"positions": "learned", "position_first": 2}
_SETTINGS: dict[str, dict[str, Any]] = {
    "rna-fm": {"layers": 12, "heads": 20, **_ESM_POSITIONS, "embed_norm": True},
    "mrna-fm": {"layers": 12, "heads": 20, **_ESM_POSITIONS},
    "rnabert": {
        "layers": 6,
        "heads": 12,
        "norm_place": "post",
        "norm_eps": 1e-12,
        "embed_norm": True,
        "final_norm": False,
        "positions": "learned",
        "position_skips_padding": False,
        "token_types": 2,
    },
    "aido-rna": {"ffn": "swiglu", "max_tokens": 1024},
    "plantrna-fm": {
        "norm_eps": 1e-12,
        "position_first": 2,  # where they are learned by config.json
        "token_dropout": True,
        "max_tokens": 512,
    },
}
"""Settings of a family that its files need not state; what they state counts more."""

_TRANSLATED = {
    "layers": ("layers", "num_hidden_layers"),
    "heads": ("attention_heads", "num_attention_heads"),
    "norm_eps": ("layer_norm_eps",),
    "token_dropout": ("token_dropout",),
    "embed_norm": ("embed_norm", "emb_layer_norm_before"),
    "rope_base": ("rope_theta",),
    "bias": ("add_linear_bias",),
}
_POSITIONS = {"rotary": "rotary", "rope": "rotary", "absolute": "learned"}
_NORMS = {"LayerNorm": "layer", "RMSNorm": "rms"}
_FIXED = {"rotary_percent": 1.0, "seq_len_interpolation_factor": None}


def build(
    stored: StoredModel, family: str | None = None, *, u_as: str | None = None
) -> tuple[Encoder, LanguageHead | None]:
    """Encoder and language-model head of a checkpoint, in evaluation mode and float32.

    RNABERT's authors pad to 440 tokens and attend to all of them; their files are read so, too.

    Args:
        stored: the content of the checkpoint.
        family: one of `FAMILIES`; found out from the files where it is None.
        u_as: the token that a U is read as, T or U. AIDO.RNA's authors trained on DNA letters: "T" is
            the default for their files, "U" everywhere else.

    Raises:
        CheckpointError: not a checkpoint of such a family, or not a whole one; names the tensor.
    """
    layout = _layout(stored)
    state = layout.translate(stored.tensors, stored.path)
    family = _family(stored, layout, state, family)
    try:
        config = _configuration(stored, layout, state, family, u_letter(stored, u_as))
    except ConfigError as error:
        raise CheckpointError(f"{stored.path}: as {family}: {error}") from error
    if layout is RNABERT:
        config = replace(config, pad_to=config.position_rows, attend_padding=True)
    return _modules(stored, layout, config, _prepared(layout, config, state))


def family_of(stored: StoredModel, given: str | None = None) -> str:
    """The family that a checkpoint is read as, *given* or found out; raises CheckpointError."""
    layout = _layout(stored)
    return _family(stored, layout, layout.translate(stored.tensors, stored.path), given)


def u_letter(stored: StoredModel, given: str | None = None) -> str:
    """The token that a U is read as, *given* or the authors' own: T or U; raises CheckpointError."""
    if given not in ("T", "U", None):
        raise CheckpointError(f"{stored.path}: U read as {given!r}; expected T or U")
    return given or ("T" if _layout(stored) is AIDO_RNA else "U")


def _layout(stored: StoredModel) -> KeyMap:
    for layout in LAYOUTS:
        if any(layout.sign in key for key in stored.tensors):
            return layout
    known = ", ".join(layout.name for layout in LAYOUTS)
    raise CheckpointError(f"{stored.path}: of no known family by its tensors; expected {known}")


def _family(stored: StoredModel, layout: KeyMap, state: Mapping[str, Tensor], given: str | None) -> str:
    known = _FAMILIES_OF[layout.name]
    if given is not None:
        if given not in known:
            raise CheckpointError(
                f"{stored.path}: is no {given} by its tensors; expected {' or '.join(known)}"
            )
        return given
    kind = stored.config.get("model_type")
    codons = "tokens.weight" in state and len(state["tokens.weight"]) in _CODON_ROWS
    found = "mrna-fm" if codons and "mrna-fm" in known else known[0]
    if kind is not None and kind not in _MODEL_TYPES[found]:
        expected = " or ".join(_MODEL_TYPES[found])
        raise CheckpointError(
            f"{stored.path}: model_type {kind!r} in config.json; expected {expected} for {found}, "
            "or a family given"
        )
    return found


def _configuration(
    stored: StoredModel, layout: KeyMap, state: Mapping[str, Tensor], family: str, u_as: str
) -> EncoderConfig:
    """The encoder's configuration: sizes from the tensors, the rest from the files and the family."""
    tokens = _matrix(stored, layout, state, "tokens.weight")
    values = _SETTINGS[family] | {
        "width": tokens.shape[1],
        "ffn_width": _matrix(stored, layout, state, "layers.0.feed_forward.outer.weight").shape[1],
    }
    values |= _stated(stored)
    if unstated := sorted({"layers", "heads"} - values.keys()):
        raise ConfigError(
            f"no config.json gives {' and '.join(unstated)}; expected one beside the weights that does"
        )
    if family == "mrna-fm" and layout is RNA_FM:
        values["embed_norm"] = "embed_norm.weight" in state  # as the authors' reader decides it
    if values.get("positions") == "learned":
        rows = len(_matrix(stored, layout, state, "positions.weight"))
        values["position_rows"] = rows
        room = rows - values.get("position_first", 0)
        values["max_tokens"] = min(room, values.get("max_tokens", room))
    values["vocabulary"] = _vocabulary(stored, layout, len(tokens), family, u_as)
    values["vocabulary_size"] = len(vocabulary(values["vocabulary"]).symbols)
    return from_mapping(EncoderConfig, values, "configuration")


def _stated(stored: StoredModel) -> dict[str, Any]:
    """The values in config.json or the stored arguments, by the names of `EncoderConfig`."""
    config = {key.removeprefix("encoder_"): value for key, value in stored.config.items()}
    stated = {
        ours: config[key]
        for ours, theirs in _TRANSLATED.items()
        for key in theirs
        if config.get(key) is not None
    }
    for key, ours, known in (
        ("position_embedding_type", "positions", _POSITIONS),
        ("normalization_type", "norm", _NORMS),
    ):
        word = config.get(key)
        if key in config and not (isinstance(word, str) and word in known):
            raise ConfigError(f"{key} is {word!r}; expected {' or '.join(known)}")
        stated |= {ours: known[str(word)]} if key in config else {}
    for key, allowed in _FIXED.items():
        value = config.get(key)
        if value is not None and not (isinstance(value, int | float) and value == allowed):
            raise ConfigError(f"{key} is {value!r}; expected {allowed}")
    return stated


def _vocabulary(stored: StoredModel, layout: KeyMap, rows: int, family: str, u_as: str) -> str:
    """The name of the token table."""
    named = {ESM.name: "plantrna-fm", AIDO_RNA.name: "aido-rna-u"}.get(layout.name, family)
    if layout.name in _MULTIMOLECULE:
        named = f"multimolecule-{rows}"
    own = (
        stored.symbols if layout.name not in {RNA_FM.name, RNABERT.name} else None
    )  # these two come with none
    symbols = own or vocabulary(named).symbols
    added = int(layout is RNABERT)  # its N, see `_prepared`
    if len(symbols) != rows + added:
        raise ConfigError(
            f"{rows} rows of token embeddings; expected {len(symbols) - added} as in {named}"
        )
    if ("AUG" in symbols) != (family == "mrna-fm"):
        raise ConfigError(
            f"a token is {'a codon' if 'AUG' in symbols else 'a base'}; expected the other"
        )
    if u_as == "T":
        if not {"T", "U"} <= set(symbols):
            raise ConfigError("U read as T, but the token table has no T; expected U read as U")
        symbols = swap_t_and_u(symbols)
    return spell(symbols)


def _prepared(layout: KeyMap, config: EncoderConfig, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors as the authors' own readers leave them."""
    table = vocabulary(config.vocabulary)
    state = dict(state)
    if config.positions == "rotary":  # older transformers store a table that is never read
        state.pop("positions.weight", None)
    tokens = state["tokens.weight"]
    if "head.weight" in state and torch.equal(state["head.weight"], tokens):
        del state["head.weight"]  # tied
    if layout is RNA_FM:
        tokens = tokens.clone()
        tokens[table.mask] = 0
    if layout is RNABERT:  # no N: the mean of the four bases
        bases = tokens[[table.row(base) for base in "ACGU"]]
        tokens = torch.cat([tokens, bases.mean(0, keepdim=True)])
    return state | {"tokens.weight": tokens}


def _modules(
    stored: StoredModel, layout: KeyMap, config: EncoderConfig, state: dict[str, Tensor]
) -> tuple[Encoder, LanguageHead | None]:
    of_head = {key.removeprefix("head."): t for key, t in state.items() if key.startswith("head.")}
    of_encoder = {key: tensor for key, tensor in state.items() if not key.startswith("head.")}
    if config.layers > len(state):
        raise CheckpointError(f"{stored.path}: {len(state)} tensors; expected {config.layers:,} layers")
    with unallocated():
        encoder = Encoder(config)
    load_strictly(encoder, of_encoder, stored.path, layout.theirs)
    if not of_head:
        return encoder.eval(), None
    tied = "weight" not in of_head and layout is not RNABERT
    tied = tied and stored.config.get("tie_word_embeddings") is not False
    if tied:
        of_head["weight"] = encoder.tokens.weight
    rows = len(of_head.get("bias", encoder.tokens.weight))
    with unallocated():
        head = LanguageHead(_head_config(stored, layout, config), rows, gelu=layout is not RNABERT)
    load_strictly(head, of_head, stored.path, lambda key: layout.theirs(f"head.{key}"))
    if tied:
        head.tie(encoder.tokens)
    return encoder.eval(), head.eval()


def _head_config(stored: StoredModel, layout: KeyMap, config: EncoderConfig) -> EncoderConfig:
    """The head's norm may have its own epsilon in multimolecule's files, by default 1e-12."""
    if layout.name not in _MULTIMOLECULE:
        return config
    own = stored.config.get("lm_head")
    epsilon = own.get("layer_norm_eps", 1e-12) if isinstance(own, dict) else 1e-12
    return override(config, {"norm_eps": epsilon}, f"{stored.path}: lm_head")


def _matrix(stored: StoredModel, layout: KeyMap, state: Mapping[str, Tensor], key: str) -> Tensor:
    if key not in state:
        raise CheckpointError(f"{stored.path}: tensor {layout.theirs(key)} is missing; expected one")
    if state[key].ndim != 2:
        raise CheckpointError(
            f"{stored.path}: tensor {layout.theirs(key)} is {tuple(state[key].shape)}; expected a matrix"
        )
    return state[key]


def base_row_norms(encoder: Encoder, u_as: str) -> dict[str, float]:
    """Length (L2 norm) of the embedding of each of A, C, G, T, U, by the authors' own letters.

    A row that was never trained stays near 0.02 sqrt(D), its initial length. *u_as* is the letter that
    the encoder reads a U as.
    """
    symbols = encoder.vocabulary.symbols
    if u_as == "T":
        symbols = swap_t_and_u(symbols)
    rows = {base: symbols.index(base) for base in "ACGTU" if base in symbols}
    return {base: float(encoder.tokens.weight[row].detach().norm()) for base, row in rows.items()}


def u_advice(encoder: Encoder, u_as: str) -> str:
    """One line: which of the rows of T and U looks like the trained one; see `base_row_norms`."""
    norms = base_row_norms(encoder, u_as)
    if not {"T", "U"} <= norms.keys():
        return "the token table has no choice between T and U"
    usual = sum(norms[base] for base in "ACG") / 3
    untrained = 0.02 * encoder.config.width**0.5
    trained = [one for one in "TU" if abs(norms[one] - usual) < abs(norms[one] - untrained)]
    advice = f"read U as {trained[0]}" if len(trained) == 1 else "they do not tell T from U"
    listed = ", ".join(f"{base} {length:.2f}" for base, length in norms.items())
    return f"embedding lengths: {listed}; untrained about {untrained:.2f}; {advice}"
