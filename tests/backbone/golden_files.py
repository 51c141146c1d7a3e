"""Golden files read, and written out again in the formats they came in (golden/SOURCE.md)."""

import argparse
import json
from pathlib import Path

import torch
from reference_models import Expected
from safetensors import safe_open
from safetensors.torch import save_file

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.safetensors"))


def read_golden(path):
    """The tensors a reference stored, the words beside them, and what it computed."""
    with safe_open(path, "pt") as file:
        words = json.loads(file.metadata()["words"])
        held = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - no mapping
    weights = {key.removeprefix("weight "): held[key] for key in held if key.startswith("weight ")}
    weights |= {key: weights[twin] for key, twin in words["alike"].items()}
    layers = sum(key.startswith("attention ") for key in held)
    states = [held[f"state {k}"] for k in range(layers + 1)]
    attentions = [held[f"attention {k}"] for k in range(layers)]
    expected = Expected(words["rnas"], held["tokens"].long(), states, attentions, held["logits"])
    return weights, words, expected


def lay_out(weights, words, folder):
    """Write the files as the reference did; gives the file of the weights."""
    file = folder / words["file"]
    if file.suffix == ".safetensors":
        save_file({key: tensor.clone() for key, tensor in weights.items()}, file)
    elif words["arguments"]:
        torch.save({"args": argparse.Namespace(**words["arguments"]), "model": weights}, file)
    else:
        torch.save(weights, file)
    if words["config"]:
        (folder / "config.json").write_text(json.dumps(words["config"]))
    if words["vocabulary"]:
        (folder / "vocab.txt").write_text("\n".join(words["vocabulary"]) + "\n")
    return file
