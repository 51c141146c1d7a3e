"""Write what the reference packages say of tiny random models; run where they are (SOURCE.md)."""

import json
import sys
import tempfile
import warnings
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from reference_models import CASES, MASKED  # noqa: E402 - the folder above is no package

MODULES = {"rna-fm": "fm"}
PACKAGES = ("torch", "rna-fm", "multimolecule", "transformers", "modelgenerator")


def versions():
    return {
        package: version(package) for package in PACKAGES if find_spec(MODULES.get(package, package))
    }


def stored(folder):
    """Tensors and the words beside them, of the files that a reference wrote."""
    file = next(path for path in folder.iterdir() if path.suffix in {".pth", ".bin", ".safetensors"})
    if file.suffix == ".safetensors":
        data = {"model": load_file(file)}
    else:
        data = torch.load(file, weights_only=False)  # written a moment ago by the reference itself
    tensors, arguments = data.get("model", data), vars(data["args"]) if "args" in data else {}
    config = (
        json.loads((folder / "config.json").read_text()) if (folder / "config.json").exists() else {}
    )
    vocabulary = (folder / "vocab.txt").read_text().split() if (folder / "vocab.txt").exists() else []
    return tensors, {
        "file": file.name,
        "arguments": arguments,
        "config": config,
        "vocabulary": vocabulary,
    }


def write(name):
    make, settings = CASES[name]
    with tempfile.TemporaryDirectory() as place:
        expected = make(Path(place), **settings)
        tensors, words = stored(Path(place))
    words |= {"rnas": expected.rnas, "masked": MASKED, "made with": versions()}
    words["alike"] = {}
    out = {"tokens": expected.tokens.int(), "logits": expected.logits}
    out |= {f"state {k}": state for k, state in enumerate(expected.states)}
    out |= {f"attention {k}": attention for k, attention in enumerate(expected.attentions)}
    kept = []
    for key, tensor in tensors.items():
        twin = next(
            (one for one in kept if torch.equal(tensors[one], tensor) and tensor.ndim == 2), None
        )
        if twin is None:
            kept.append(key)
            out[f"weight {key}"] = tensor
        else:
            words["alike"][key] = twin  # tied, stored twice by the reference
    out = {key: tensor.detach().clone().contiguous() for key, tensor in out.items()}
    save_file(out, HERE / f"{name}.safetensors", {"words": json.dumps(words)})
    (HERE / f"{name}.safetensors").chmod(0o644)


warnings.simplefilter("ignore")
LIVE_ONLY = {"rna-fm-multimolecule-no-embed-norm"}  # keeps a family under 100 kB
for case in sys.argv[1:] or CASES.keys() - LIVE_ONLY:
    write(case)
