"""`rnass embed`: embeddings of every RNA in some FASTA files, one file each."""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save

from rnass.backbone.embeddings import LONGEST_WINDOW, Embedding, embed, layer_number
from rnass.errors import ConfigError, ExitStatus, RnassError
from rnass.files import write_atomically, write_npy
from rnass.io.parquet import arrow
from rnass.jobs.inputs import read_inputs
from rnass.jobs.results import Written
from rnass.jobs.runner import Job, RunOptions, divided, run_job
from rnass.network.backbones import open_backbone
from rnass.network.device import Device, choose_device
from rnass.prediction.limits import unreadable
from rnass.rna import Rna

__all__ = ["EmbedOptions", "embed_files"]


@dataclass(frozen=True, kw_only=True)
class EmbedOptions(RunOptions):
    """Options of `embed_files`.

    Attributes:
        backbone, family, u_as: for `rnass.network.backbones.open_backbone`.
        layer: how many layers are done, 0 for the embedding; -1 is the last, with its final norm.
        pool: "none" gives a row per token, "mean" their mean, "cls" the token before the first.
        format: npy, safetensors (tensor "embedding") or parquet (columns "token" and "embedding").
        device: where the network runs.
    """

    backbone: str | None = None
    family: str | None = None
    u_as: str | None = None
    layer: int = -1
    pool: Literal["none", "mean", "cls"] = "none"
    format: Literal["npy", "safetensors", "parquet"] = "npy"
    device: Device = "auto"


def embed_files(
    paths: Sequence[str], out: Path, options: EmbedOptions, *, sequence: str | None = None
) -> ExitStatus:
    """Embed every record of some FASTA files, and the RNA given as text, into a results folder.

    NAME.npy holds float32, shape (T, D) with a row per base (per codon where tokens are codons), or (D,)
    where it is pooled. The messages of summary.tsv tell which RNAs were read in windows.

    Raises:
        RnassError: see `rnass.jobs.runner.run_job`; no such backbone, layer or token.
    """
    if options.format == "parquet":
        arrow()
    inputs = read_inputs(paths, sequence, any_length=True)
    return run_job(lambda: EmbedJob(options), inputs, out, options)


class EmbedJob(Job[Embedding]):
    """Embed RNAs and write their files."""

    kind: ClassVar[str] = "embed"

    def __init__(self, options: EmbedOptions) -> None:
        self.options = options
        self.suffixes = (f".{options.format}",)
        self.backbone = open_backbone(options.backbone, options.family, options.u_as)
        self.encoder = self.backbone.encoder
        layer_number(self.encoder, options.layer)
        if options.pool == "cls" and not self.encoder.vocabulary.special_before():
            raise ConfigError(
                f"pool cls: {self.backbone.name} puts no token before the first; expected mean or none"
            )
        self.device = choose_device(options.device)
        self.encoder.to(self.device)

    def identity(self) -> dict[str, Any]:
        """The backbone and options."""
        options = self.options
        chosen = {"layer": options.layer, "pool": options.pool, "format": options.format}
        return {"backbone": self.backbone.identity(), "options": chosen}

    def about(self) -> dict[str, Any]:
        """Shape of an embedding, and the device."""
        return {
            "unit": self.encoder.vocabulary.unit,
            "width": self.encoder.config.width,
            "context_bases": self.encoder.max_bases,
            "device": str(self.device),
        }

    def refusal(self, rna: Rna) -> RnassError | None:
        """Two strands, or bases that are no whole codons."""
        return unreadable(rna, self.encoder)

    def work(self, rnas: list[Rna]) -> Generator[tuple[int, Embedding | RnassError], None, None]:
        """Embed RNAs."""
        return divided(self._embed, rnas)

    def _embed(self, rnas: list[Rna]) -> Iterator[tuple[int, Embedding]]:
        for one in embed(self.encoder, [rna.bases for rna in rnas], self.options.layer):
            yield one.number, one

    def write(self, folder: Path, name: str, rna: Rna, found: Embedding) -> Written:
        """One file; a message where the RNA was read in windows."""
        file = f"{name}.{self.options.format}"
        WRITERS[self.options.format](folder / file, pooled(found, self.options.pool))
        if found.windows == 1:
            return Written([file])
        size = self.encoder.max_bases or LONGEST_WINDOW
        message = f"{found.windows} windows of {size} bases, a quarter or more shared, averaged"
        return Written([file], {"message": message})


def pooled(one: Embedding, pool: str) -> NDArray[np.float32]:
    """(T, D) for "none", (D,) for "mean" and "cls"."""
    if pool == "cls" and one.cls is not None:
        return np.asarray(one.cls.numpy())
    states: torch.Tensor = one.tokens if pool == "none" else one.tokens.mean(0)
    return np.asarray(states.numpy())


def _write_safetensors(path: Path, embedding: NDArray[np.float32]) -> None:
    with write_atomically(path) as file:
        file.write(save({"embedding": np.ascontiguousarray(embedding)}))


def _write_parquet(path: Path, embedding: NDArray[np.float32]) -> None:
    """One row per token, numbered from 1, or one row in all."""
    pyarrow, parquet = arrow()
    rows = np.atleast_2d(embedding)
    lists = pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(rows.ravel()), rows.shape[1])
    table = pyarrow.table({"token": pyarrow.array(range(1, len(rows) + 1)), "embedding": lists})
    with write_atomically(path) as file:
        parquet.write_table(table, file)


WRITERS: dict[str, Callable[[Path, NDArray[np.float32]], None]] = {
    "npy": write_npy,
    "safetensors": _write_safetensors,
    "parquet": _write_parquet,
}
"""How each format is written."""
