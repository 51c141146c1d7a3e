"""Tiny random models of the reference packages, saved by those packages, with what they compute.

Every parameter is moved: with biases of 0 and norms of 1, as they are made, swapped keys would agree.
"""

import argparse
import importlib
import os
import sys
import types
from dataclasses import dataclass
from importlib.metadata import distribution

import torch

os.environ["HF_HUB_OFFLINE"] = "1"

RNAS = ["GGCUANACGUUC", "UNNGCAUCG"]
CODING = ["AUGGCUUANGCC", "GGGCCCUAG"]
MASKED = (0, 3)  # record, token
SIZES = {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 12}
PLANT_SYMBOLS = ["<cls>", "<pad>", "<eos>", "<unk>", *"ACGTNUacgtnu().*123", "<mask>"]


@dataclass
class Expected:
    """What a reference says: token rows, and from them states, attention maps and scores by layer."""

    rnas: list[str]
    tokens: torch.Tensor
    states: list[torch.Tensor]
    attentions: list[torch.Tensor]
    logits: torch.Tensor


def moved(module, seed=7):
    """The module with random weights throughout."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in module.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        is_norm = parameter.ndim == 1 and name.endswith("weight")
        parameter.data = 1 + 0.2 * noise if is_norm else 0.3 * noise
    return module.eval()


def official_rna_fm(folder, *, theme="rna", token_dropout=False):
    fm = importlib.import_module("fm")
    arguments = {
        "arch": "roberta_large",
        "layers": 2,
        "embed_dim": 8,
        "ffn_embed_dim": 12,
        "attention_heads": 2,
        "max_positions": 18,
        "token_dropout": token_dropout,
        "emb_layer_norm_before": theme == "rna",
    }
    alphabet = fm.Alphabet.from_architecture("roberta_large", theme)
    model = moved(fm.BioBertModel(argparse.Namespace(**arguments), alphabet))
    model.embed_tokens.weight.data[alphabet.mask_idx] = 0
    stored = {f"encoder.sentence_encoder.{key}": value for key, value in model.state_dict().items()}
    prefixed = {key if key == "arch" else f"encoder_{key}": value for key, value in arguments.items()}
    prefixed.pop("encoder_emb_layer_norm_before")
    name = "RNA-FM_pretrained.pth" if theme == "rna" else "mRNA-FM_pretrained.pth"
    torch.save({"args": argparse.Namespace(**prefixed), "model": stored}, folder / name)
    rnas = RNAS if theme == "rna" else CODING
    tokens = alphabet.get_batch_converter()([("", rna) for rna in rnas])[2]
    tokens[MASKED] = alphabet.mask_idx
    with torch.no_grad():
        said = model(tokens, repr_layers=[0, 1, 2], need_head_weights=True)
    states = [said["representations"][k] for k in range(3)]
    return Expected(rnas, tokens, states, list(said["attentions"].unbind(1)), said["logits"])


def _hugging_face(model, folder, rnas, tokens, pad, **how):
    """Save a model of transformers, and ask it."""
    model.save_pretrained(folder, **how)
    with torch.no_grad():
        said = model(
            input_ids=tokens,
            attention_mask=(tokens != pad).long(),
            output_hidden_states=True,
            output_attentions=True,
        )
    logits = said.logits_lm if "logits_lm" in said else said.logits
    return Expected(rnas, tokens, list(said.hidden_states), list(said.attentions), logits)


def multimolecule(folder, *, kind="RnaFm", codon=False, **settings):
    mm = importlib.import_module("multimolecule")
    tokenizer = mm.RnaTokenizer(codon=codon)
    rows = {"vocab_size": 131} if codon else {}
    config = getattr(mm, f"{kind}Config")(**SIZES, max_position_embeddings=18, **rows, **settings)
    config._attn_implementation = "eager"
    model = moved(getattr(mm, f"{kind}ForPreTraining")(config))
    tokenizer.save_pretrained(folder)
    rnas = CODING if codon else RNAS
    tokens = tokenizer(rnas, padding=True, return_tensors="pt")["input_ids"]
    tokens[MASKED] = tokenizer.mask_token_id
    return _hugging_face(model, folder, rnas, tokens, 0)


def plantrna_fm(folder, *, positions="rotary"):
    transformers = importlib.import_module("transformers")
    config = transformers.EsmConfig(
        **SIZES,
        vocab_size=24,
        mask_token_id=23,
        pad_token_id=1,
        max_position_embeddings=20,
        position_embedding_type=positions,
        token_dropout=True,
        emb_layer_norm_before=False,
        layer_norm_eps=1e-5,
        attn_implementation="eager",
    )
    model = moved(transformers.EsmForMaskedLM(config))
    (folder / "vocab.txt").write_text("\n".join(PLANT_SYMBOLS))
    tokenizer = transformers.EsmTokenizer(str(folder / "vocab.txt"))
    tokens = tokenizer(RNAS, padding=True, return_tensors="pt")["input_ids"]
    tokens[MASKED] = 23
    return _hugging_face(model, folder, RNAS, tokens, 1)


def official_aido_rna(folder, *, normalization="LayerNorm", bias=True):
    """From three files of the modelgenerator wheel, whose package itself does not import here."""
    root = distribution("modelgenerator").locate_file("modelgenerator/huggingface_models/rnabert")
    package = types.ModuleType("genbio_rnabert")
    package.__path__ = [str(root)]
    sys.modules["genbio_rnabert"] = package
    configuration = importlib.import_module("genbio_rnabert.configuration_rnabert")
    modeling = importlib.import_module("genbio_rnabert.modeling_rnabert")
    config = configuration.RNABertConfig(
        **SIZES, max_position_embeddings=18, normalization_type=normalization, add_linear_bias=bias
    )
    model = moved(modeling.RNABertForMaskedLM(config))
    rows = {symbol: 5 + k for k, symbol in enumerate("AGCTUN")}
    longest = max(map(len, RNAS)) + 2
    tokens = torch.zeros(len(RNAS), longest, dtype=torch.long)
    for k, rna in enumerate(RNAS):
        body = [2, *(rows[base] for base in rna.replace("U", "T")), 3]
        tokens[k, : len(body)] = torch.tensor(body)
    tokens[MASKED] = 1
    return _hugging_face(model, folder, RNAS, tokens, 0, safe_serialization=False)


CASES = {
    "rna-fm-official": (official_rna_fm, {}),
    "rna-fm-official-token-dropout": (official_rna_fm, {"token_dropout": True}),
    "rna-fm-multimolecule": (multimolecule, {}),
    "rna-fm-multimolecule-no-embed-norm": (multimolecule, {"embed_norm": False}),
    "mrna-fm-official": (official_rna_fm, {"theme": "rna-3mer"}),
    "mrna-fm-multimolecule": (multimolecule, {"codon": True, "embed_norm": False}),
    "rnabert-multimolecule": (multimolecule, {"kind": "RnaBert", "tie_word_embeddings": False}),
    "plantrna-fm-rotary": (plantrna_fm, {}),
    "plantrna-fm-absolute": (plantrna_fm, {"positions": "absolute"}),
    "aido-rna-official": (official_aido_rna, {}),
    "aido-rna-official-rms": (official_aido_rna, {"normalization": "RMSNorm", "bias": False}),
    "aido-rna-multimolecule": (multimolecule, {"kind": "AidoRna"}),
}
"""The cases by name; those that need another environment raise ImportError or AttributeError."""
