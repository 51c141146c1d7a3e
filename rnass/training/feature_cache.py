"""A frozen backbone's output for each RNA, computed once and kept on disk.

    CACHE/features/CHECKPOINT.maps/SEQUENCE.safetensors      embeddings (L, D), maps (N, L (L + 1) / 2)
    CACHE/features/CHECKPOINT.embeddings/SEQUENCE.safetensors

CHECKPOINT begins the sha256 of the backbone's weights, SEQUENCE is a hash of the tokens; numbers are
float16, and of the symmetric maps the half i <= j is kept. Files appear whole, so a stopped run goes on
from what is there, and several processes may use one folder.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from rnass.files import make_folder, write_atomically
from rnass.network.contact_model import ContactModel, Features, collate

__all__ = ["FeatureCache"]

_LARGEST = torch.finfo(torch.float16).max


class FeatureCache:
    """Features of RNAs, from disk or computed onto it as long as there is room.

    Args:
        folder: of the files of all backbones.
        model: whose backbone is run; it must stay as it is.
        sha256: of the backbone's weights.
        gigabytes: most that the folder may hold (1e9 bytes); nothing is removed to make room.
    """

    def __init__(self, folder: Path, model: ContactModel, sha256: str, gigabytes: float) -> None:
        self.model = model
        what = "maps" if model.config.head.attention_maps else "embeddings"
        self.folder = folder / f"{sha256[:16]}.{what}"
        make_folder(self.folder)
        held = sum(file.stat().st_size for file in folder.rglob("*.safetensors"))
        self.room = int(gigabytes * 1e9) - held

    def __call__(self, rnas: Sequence[str]) -> Features | None:
        """Features of clean sequences, padded to one batch; None where one is neither kept nor fits."""
        each = []
        for rna in rnas:
            one = self._read(rna) or self._computed(rna)
            if one is None:
                return None
            each.append(one)
        longest = max(map(len, rnas))
        embeddings = torch.zeros(len(rnas), longest, each[0]["embeddings"].shape[1])
        maps = None
        if "maps" in each[0]:
            maps = torch.zeros(len(rnas), len(each[0]["maps"]), longest, longest)
        for k, (rna, one) in enumerate(zip(rnas, each, strict=True)):
            embeddings[k, : len(rna)] = one["embeddings"]
            if maps is not None:
                maps[k, :, : len(rna), : len(rna)] = _square(one["maps"].float(), len(rna))
        return Features(embeddings, maps)

    def _path(self, rna: str) -> Path:
        tokens = str(self.model.backbone.vocabulary.encode(rna)).encode()
        return self.folder / f"{hashlib.blake2b(tokens, digest_size=16).hexdigest()}.safetensors"

    def _read(self, rna: str) -> dict[str, Tensor] | None:
        """The tensors kept of one RNA; None if there are none, or not to be read."""
        try:
            return load_file(self._path(rna))
        except (OSError, SafetensorError):
            return None

    def _computed(self, rna: str) -> dict[str, Tensor] | None:
        """Run the backbone on one RNA and keep the output; None where there is no room for it."""
        config = self.model.config
        maps = config.encoder.layers * config.encoder.heads if config.head.attention_maps else 0
        size = 2 * (len(rna) * config.encoder.width + maps * len(rna) * (len(rna) + 1) // 2)
        if size > self.room:
            return None
        device = self.model.head.logit.weight.device
        batch = collate([rna], None, self.model.backbone.vocabulary).to(device)
        with torch.autocast(device.type, enabled=False):
            features = self.model.features(batch)
        one = {"embeddings": _half(features.embeddings[0])}
        if features.maps is not None:
            i, j = torch.triu_indices(len(rna), len(rna), device=device)
            one["maps"] = _half(features.maps[0][:, i, j])
        with write_atomically(self._path(rna)) as file:
            file.write(save(one))
        self.room -= self._path(rna).stat().st_size
        return one


def _half(x: Tensor) -> Tensor:
    return x.clamp(-_LARGEST, _LARGEST).half().cpu().contiguous()


def _square(half: Tensor, length: int) -> Tensor:
    """(N, L (L + 1) / 2) of i <= j to the symmetric (N, L, L)."""
    i, j = torch.triu_indices(length, length)
    whole = torch.zeros(len(half), length, length)
    whole[:, i, j] = whole[:, j, i] = half
    return whole
