"""Embeddings of every RNA in some FASTA files, one file each, into a results folder."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save

from rnass.backbone.embeddings import LONGEST_WINDOW, Embedding, embed, layer_number
from rnass.errors import ConfigError, DependencyError
from rnass.files import write_atomically, write_npy
from rnass.io import file_names
from rnass.jobs.predict import read_inputs, versions
from rnass.jobs.results import Results, open_results
from rnass.jobs.summary import SummaryRow
from rnass.network.backbones import Backbone, open_backbone
from rnass.network.device import Device, choose_device
from rnass.prediction.predictor import unreadable
from rnass.progress import record_bar
from rnass.rna import Rna

__all__ = ["EmbedOptions", "embed_files"]

log = logging.getLogger("rnass")

_Record = tuple[str, Rna]  # the name of its file, and the RNA

_COLUMNS = ("id", "file", "length", "status", "message")


@dataclass(frozen=True, kw_only=True)
class EmbedOptions:
    """What can be asked of `embed_files`.

    Attributes:
        backbone, family, u_as: for `rnass.network.weights.open_backbone`.
        layer: how many layers are done, 0 for the embedding; -1 is the last, with its final norm.
        pool: "none" gives a row per token, "mean" their mean, "cls" the token before the first.
        format: npy, safetensors (tensor "embedding") or parquet (columns "token" and "embedding").
        device: where the network runs.
        strict: embed nothing if any record is bad.
        overwrite, resume: what to do with results that are already there.
        quiet: no progress bar.
    """

    backbone: str | None = None
    family: str | None = None
    u_as: str | None = None
    layer: int = -1
    pool: Literal["none", "mean", "cls"] = "none"
    format: Literal["npy", "safetensors", "parquet"] = "npy"
    device: Device = "auto"
    strict: bool = False
    overwrite: bool = False
    resume: bool = False
    quiet: bool = False


def embed_files(
    paths: list[str], out: Path, options: EmbedOptions, *, sequence: str | None = None
) -> int:
    """Embed every record and write *out*; gives the exit status as
    `rnass.jobs.predict.predict_files` does.

    NAME.npy holds float32, shape (T, D) with a row per base (per codon where tokens are codons), or (D,)
    where it is pooled. summary.tsv says which RNAs were read in windows.

    Raises:
        RnassError: no such backbone, layer or token; the folder holds results already, or another run
            writes into it.
    """
    began = time.time()
    sequences, problems = read_inputs(paths, sequence, any_length=True)
    for problem in problems:
        log.error("%s", problem)
    if problems and (options.strict or not sequences):
        log.error("bad records: %d; nothing is embedded", len(problems))
        return 2 if options.strict else 1
    if options.format == "parquet":
        _arrow()
    backbone = open_backbone(options.backbone, options.family, options.u_as)
    _check(backbone, options)
    if options.strict:
        refused = [why for one in sequences if (why := unreadable(one, backbone.encoder))]
        for problem in refused:
            log.error("%s", problem)
        if refused:
            log.error("bad records: %d; nothing is embedded", len(refused))
            return 2
    device = choose_device(options.device)
    backbone.encoder.to(device)
    identity = _identity(backbone, options)
    records = list(zip(file_names(s.id for s in sequences), sequences, strict=True))
    with open_results(out, identity, overwrite=options.overwrite, resume=options.resume) as results:
        failed = _embed(records, results, backbone, options)
        bad = [SummaryRow(id=one.record, status="failed", message=str(one)) for one in problems]
        results.close_without_structures(records, bad, _COLUMNS)
        status = 130 if failed is None else int(bool(failed or problems))
        run = {
            "versions": versions(),
            "unit": backbone.encoder.vocabulary.unit,
            "width": backbone.encoder.config.width,
            "context_bases": backbone.encoder.max_bases,
            "device": str(device),
            "records": len(records),
            "bad_records": len(problems),
            "seconds": round(time.time() - began, 3),
            "exit_status": status,
        }
        results.write_run(identity | run)
    return status


def _check(backbone: Backbone, options: EmbedOptions) -> None:
    """Refuse what this backbone cannot give."""
    layer_number(backbone.encoder, options.layer)
    if options.pool == "cls" and not backbone.encoder.vocabulary.special_before():
        raise ConfigError(
            f"pool cls: {backbone.name} puts no token before the first; expected mean or none"
        )


def _identity(backbone: Backbone, options: EmbedOptions) -> dict[str, Any]:
    """What decides the files of a record; a resumed run must agree in it."""
    return {
        "backbone": backbone.identity(),
        "options": {"layer": options.layer, "pool": options.pool, "format": options.format},
    }


def _embed(
    records: list[_Record], results: Results, backbone: Backbone, options: EmbedOptions
) -> int | None:
    """Embed what is left to do; gives how many failed, None if interrupted."""
    good: list[_Record] = []
    left = [record for record in records if not results.is_finished(*record)]
    for name, sequence in left:
        if error := unreadable(sequence, backbone.encoder):
            log.error("%s", error)
            results.finish(_row(name, sequence, "failed", str(error)), sequence, None)
        else:
            good.append((name, sequence))
    write = WRITERS[options.format]
    try:
        with record_bar(len(good), quiet=options.quiet) as advance:
            for one in embed(backbone.encoder, [s.bases for _, s in good], options.layer):
                name, sequence = good[one.number]
                path = results.folder / f"{name}.{options.format}"
                write(path, pooled(one, options.pool))
                said = _said(one, backbone)
                if said:
                    log.info("%s: %s", sequence.id, said)
                results.finish(_row(name, sequence, "ok", said), sequence, None, [path.name])
                advance(len(sequence))
    except KeyboardInterrupt:
        log.error("interrupted; finished records are kept, --resume does the rest")
        return None
    return len(left) - len(good)


def _row(name: str, sequence: Rna, status: Literal["ok", "failed"], message: str) -> SummaryRow:
    return SummaryRow(id=sequence.id, file=name, length=len(sequence), status=status, message=message)


def _said(one: Embedding, backbone: Backbone) -> str:
    """What the summary says of an RNA that was read in windows; nothing of any other."""
    if one.windows == 1:
        return ""
    size = backbone.encoder.max_bases or LONGEST_WINDOW
    return f"{one.windows} windows of {size} bases, a quarter or more shared, averaged"


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
    arrow, parquet = _arrow()
    rows = np.atleast_2d(embedding)
    lists = arrow.FixedSizeListArray.from_arrays(arrow.array(rows.ravel()), rows.shape[1])
    table = arrow.table({"token": arrow.array(range(1, len(rows) + 1)), "embedding": lists})
    with write_atomically(path) as file:
        parquet.write_table(table, file)


def _arrow() -> tuple[Any, Any]:
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError as error:
        raise DependencyError(
            "format parquet: pyarrow is not installed; expected it (pip install 'rnass[parquet]')"
        ) from error


WRITERS: dict[str, Callable[[Path, NDArray[np.float32]], None]] = {
    "npy": write_npy,
    "safetensors": _write_safetensors,
    "parquet": _write_parquet,
}
"""How each format is written."""
