"""RNA-FM's own secondary-structure model: its backbone and a residual network over pairs of bases.

Source: Chen et al. 2022, arXiv:2204.00300; files RNA-FM-ResNet_PDB-All.pth, RNA-FM-ResNet_bpRNA.pth.
"""

from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from rnass.backbone.checkpoint_files import StoredModel, load_strictly, read_stored_model
from rnass.backbone.checkpoints import build
from rnass.backbone.encoder import Encoder
from rnass.errors import CheckpointError

__all__ = ["THRESHOLDS", "RnaFmStructure", "read_rnafm_structure", "threshold_of"]

THRESHOLDS = {"PDB-All": 0.33993712, "bpRNA": 0.47729617, "PDB-TR1": 0.07595872}
"""The authors' probability above which a pair counts, by the data that a file was trained on.

They decode greedily, one partner a base, with |i - j| > 1 and any two letters.
"""

_REDUCED, _CHANNELS, _BLOCKS, _DILATIONS = 128, 64, 32, (1, 2, 4)
_BACKBONE, _HEAD = "backbone.", "downstream_modules.pc-resnet_1_sym_first:r-ss."
_NAMES = {  # theirs to ours
    "pre_reduction.": "reduction.",
    "proj.first.0.": "first.",
    "proj.resnet.": "blocks.",
    "proj.final.": "final.",
}


class RnaFmStructure(nn.Module):
    """Embeddings of RNA-FM to a map of pairing probabilities, one RNA at a time."""

    def __init__(self, backbone: Encoder) -> None:
        super().__init__()
        self.backbone = backbone
        self.reduction = nn.Linear(backbone.config.width, _REDUCED)
        self.first = nn.Conv2d(2 * _REDUCED, _CHANNELS, 1)
        self.blocks = nn.Sequential(*(_Block(_DILATIONS[k % 3]) for k in range(_BLOCKS)))
        self.final = nn.Conv2d(_CHANNELS, 1, 3, padding=1)

    @torch.no_grad()
    def probabilities(self, bases: str) -> Float[Tensor, "L L"]:
        """Pairing probabilities of clean bases (ACGUN), symmetric; 0 on the diagonal, as they set it."""
        tokens = torch.tensor([self.backbone.vocabulary.encode(bases)])
        embeddings = self.backbone(tokens.to(self.final.weight.device))[0, 1:-1]
        probabilities: Tensor = torch.sigmoid(self(embeddings))
        return probabilities.fill_diagonal_(0)

    def forward(self, embeddings: Float[Tensor, "L D"]) -> Float[Tensor, "L L"]:
        """Symmetric logits: those of i <= j, mirrored."""
        reduced = self.reduction(embeddings)  # (L, R)
        # A 1 x 1 convolution over the concatenation of e_i and e_j, without forming it
        of_i, of_j = self.first.weight[:, :, 0, 0].chunk(2, dim=1)  # (C, R) each
        x = (reduced @ of_i.T)[:, None] + (reduced @ of_j.T)[None] + self.first.bias  # (L, L, C)
        x = self.blocks(x.permute(2, 0, 1)[None])  # (1, C, L, L)
        logits: Tensor = self.final(x)[0, 0]
        return logits.triu() + logits.triu(1).T


class _Block(nn.Module):
    """norm - ReLU - convolution - ReLU - dilated convolution, added to its input."""

    def __init__(self, dilation: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(_CHANNELS)
        self.conv1 = nn.Conv2d(_CHANNELS, _CHANNELS, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(_CHANNELS, _CHANNELS, 3, padding=dilation, dilation=dilation, bias=False)

    def forward(self, x: Float[Tensor, "1 C L L"]) -> Float[Tensor, "1 C L L"]:
        y = self.conv1(functional.relu(self.bn1(x)))
        return x + self.conv2(functional.relu(y))  # type: ignore[no-any-return]


def read_rnafm_structure(path: Path) -> RnaFmStructure:
    """Read one of the authors' files, ready to predict (float32, evaluation mode).

    Raises:
        CheckpointError: not such a file, or not a whole one; names the tensor.
    """
    stored = read_stored_model(path)
    of_backbone, of_head = {}, {}
    for key, tensor in stored.tensors.items():
        if key.startswith(_BACKBONE):
            of_backbone[key] = tensor
        elif key.startswith(_HEAD):
            of_head[_ours(key.removeprefix(_HEAD))] = tensor
        else:
            raise CheckpointError(f"{path}: tensor {key} is unknown; expected {_BACKBONE}* and {_HEAD}*")
    sizes = _sizes(of_backbone)
    model = RnaFmStructure(build(StoredModel(path, of_backbone, sizes), "rna-fm")[0])
    of_head |= {_BACKBONE + key: one for key, one in model.backbone.state_dict().items()}
    load_strictly(model, of_head, path, _theirs)
    return model.eval()


def threshold_of(path: Path) -> float:
    """The authors' threshold by the name of their file; 0.5 for a file of another name."""
    return next((value for name, value in THRESHOLDS.items() if name in path.name), 0.5)


def _ours(key: str) -> str:
    start = next((theirs for theirs in _NAMES if key.startswith(theirs)), "")
    return _NAMES.get(start, "") + key.removeprefix(start)


def _sizes(tensors: dict[str, Tensor]) -> dict[str, int]:
    """Depth and heads, which no argument holds here, from the head that reads all attention maps."""
    maps = tensors.get(_BACKBONE + "contact_head.regression.weight")
    layers = len({key.split(".")[2] for key in tensors if key.startswith(_BACKBONE + "layers.")})
    if maps is None or not layers or maps.numel() % layers:
        return {}
    return {"layers": layers, "attention_heads": maps.numel() // layers}


def _theirs(key: str) -> str:
    """The authors' name of one of our tensors."""
    ours = next((ours for ours in _NAMES.values() if key.startswith(ours)), "")
    names = {new: old for old, new in _NAMES.items()} | {"": ""}
    return _HEAD + names[ours] + key.removeprefix(ours)
