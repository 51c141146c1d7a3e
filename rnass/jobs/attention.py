"""Attention maps as an explanation: every layer and head, and which of them see the structure.

A head is judged as contact predictions are: its map is made symmetric and corrected (APC), its pairs
i < j are sorted, and the share of true base pairs among the first ones is its precision (Rao et al.
2021, doi:10.1101/2020.12.15.422761).
"""

import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from rnass.errors import InputError, SequenceError
from rnass.files import sha256, write_atomically, write_text
from rnass.io import file_names, read_structures
from rnass.jobs.predict import read_inputs, versions
from rnass.jobs.results import Results, open_results
from rnass.jobs.summary import SummaryRow
from rnass.network.backbones import Backbone, open_backbone
from rnass.network.device import Device, choose_device
from rnass.network.pair_features import corrected_maps
from rnass.network.weights import find_weights
from rnass.prediction.predictor import Predictor, load_predictor, unreadable
from rnass.progress import record_bar
from rnass.rna import MIN_HAIRPIN, Rna
from rnass.structure import Structure

__all__ = ["AttentionOptions", "HeadScore", "attention_files", "attention_maps", "score_heads"]

log = logging.getLogger("rnass")

_COLUMNS = ("id", "file", "length", "pairs", "status", "message")
_DRAWN = 4  # heads in a figure


@dataclass(frozen=True, kw_only=True)
class AttentionOptions:
    """What can be asked of `attention_files`.

    Attributes:
        backbone, family, u_as: for `rnass.network.weights.open_backbone`.
        structure: file of known structures, by id; None compares with rnass's prediction.
        weights: of that prediction.
        plot: format of the figure of the best heads; None for none.
        device: where the network runs.
        overwrite, resume: what to do with results that are already there.
        quiet: no progress bar.
    """

    backbone: str | None = None
    family: str | None = None
    u_as: str | None = None
    structure: str | None = None
    weights: str | None = None
    plot: Literal["svg", "png", "pdf"] | None = "png"
    device: Device = "auto"
    overwrite: bool = False
    resume: bool = False
    quiet: bool = False


@dataclass(frozen=True)
class HeadScore:
    """How well one head's map agrees with a structure.

    Attributes:
        layer, head: numbered from 1.
        at_length: share of base pairs among the first L pairs of the map; at most n / L for n pairs.
        at_pairs: share among the first n, as many as the structure has; 1 at best, 0 without any.
    """

    layer: int
    head: int
    at_length: float
    at_pairs: float


@torch.no_grad()
def attention_maps(
    backbone: Backbone, bases: str, where: str = "sequence"
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Attention maps and corrected maps of clean bases, (layers, heads, L, L) each.

    The first has a row per attending base; the second is symmetric. Where tokens are codons, a codon's
    value stands for each of its three bases.

    Raises:
        SequenceError: more bases than the context holds; bases that are not whole codons.
    """
    encoder, table = backbone.encoder, backbone.encoder.vocabulary
    if encoder.max_bases is not None and len(bases) > encoder.max_bases:
        raise SequenceError(
            f"{where}: {len(bases)} bases; expected at most {encoder.max_bases}, the context of "
            f"{backbone.name}"
        )
    body, first = table.body(bases), table.special_before()
    inside = slice(first, first + len(body))
    tokens = torch.tensor([table.framed(body)], device=encoder.tokens.weight.device)
    seen = (one.maps for one in encoder.each_layer(tokens, maps=True))
    maps = [one[0, :, inside, inside].float() for one in seen if one is not None]
    raw = torch.stack(maps)  # (layers, heads, T, T)
    step = table.bases_per_token
    raw = raw.repeat_interleave(step, -1).repeat_interleave(step, -2) if step > 1 else raw
    corrected = corrected_maps(raw, torch.ones(len(raw), len(bases), device=raw.device))
    return raw.cpu().numpy(), corrected.cpu().numpy()


def score_heads(corrected: NDArray[np.floating], structure: Structure) -> list[HeadScore]:
    """Every head of (layers, heads, L, L) against a structure, in order.

    Only pairs with a possible hairpin between them count, i + 3 < j.
    """
    length = len(structure)
    i, j = np.triu_indices(length, MIN_HAIRPIN + 1)
    paired = np.zeros((length, length), dtype=bool)
    paired[structure.pairs[:, 0], structure.pairs[:, 1]] = True
    true, pairs = paired[i, j], len(structure.pairs)
    scores = []
    for layer, heads in enumerate(corrected, start=1):
        for head, values in enumerate(heads, start=1):
            order = np.argsort(-values[i, j], kind="stable")
            scores.append(
                HeadScore(layer, head, _share(true[order[:length]]), _share(true[order[:pairs]]))
            )
    return scores


def _share(hits: NDArray[np.bool_]) -> float:
    return float(hits.mean()) if len(hits) else 0.0


def attention_files(paths: list[str], out: Path, options: AttentionOptions) -> int:
    """Write maps, scores and figures of every record to *out*; gives the exit status.

    0: all is well; 1: a record was bad or failed; 130: interrupted, and can be resumed.

    Per record NAME.npz (float16: `attention`, `apc`, each (layers, heads, L, L)), NAME.heads.tsv and a
    figure of the best heads; over all records heads.tsv, the mean of each head, best first.

    Raises:
        RnassError: no such backbone, a file that cannot be read, results that are there already,
            another run that writes into the folder.
    """
    began = time.time()
    sequences, problems = read_inputs(paths)
    for problem in problems:
        log.error("%s", problem)
    if not sequences:
        return 1
    known = _known(options.structure)
    backbone = open_backbone(options.backbone, options.family, options.u_as)
    backbone.encoder.to(choose_device(options.device))
    weights = find_weights(options.weights) if known is None else None
    predictor = load_predictor(weights, device=options.device) if weights else None
    identity = {
        "backbone": backbone.identity(),
        "weights": {"file": weights.name, "sha256": sha256(weights)} if weights else None,
        "options": {"structure": options.structure, "plot": options.plot},
    }
    records = list(zip(file_names(s.id for s in sequences), sequences, strict=True))
    judged_by = {name: known[s.id][1].dot_bracket for name, s in records if known and s.id in known}
    with open_results(
        out, identity, known=judged_by, overwrite=options.overwrite, resume=options.resume
    ) as results:
        failed = _explain(records, results, backbone, predictor or known or {}, options)
        bad = [SummaryRow(id=one.record, status="failed", message=str(one)) for one in problems]
        results.close_without_structures(records, bad, _COLUMNS)
        _write_means(out, [record[0] for record in records if results.is_finished(*record)])
        status = 130 if failed is None else int(bool(failed or problems))
        run = {"versions": versions(), "seconds": round(time.time() - began, 3), "exit_status": status}
        results.write_run(identity | run)
    return status


_Known = dict[str, tuple[Rna, Structure]]


def _known(path: str | None) -> _Known | None:
    """Known structures by id."""
    return None if path is None else {one[0].id: one for one in read_structures(path)}


def _explain(
    records: list[tuple[str, Rna]],
    results: Results,
    backbone: Backbone,
    judge: Predictor | _Known,
    options: AttentionOptions,
) -> int | None:
    """Write what is left to do; gives how many records failed, None if interrupted."""
    todo = [record for record in records if not results.is_finished(*record)]

    def structure_of(sequence: Rna) -> Structure:
        return judge(sequence).structure if isinstance(judge, Predictor) else _of(judge, sequence)

    def explain(name: str, sequence: Rna) -> bool:
        try:
            if problem := unreadable(sequence, backbone.encoder):
                raise problem
            structure = structure_of(sequence)
            files = _write(results.folder / name, sequence, structure, backbone, options.plot)
        except InputError as error:
            log.error("%s", error)
            row = SummaryRow(id=sequence.id, file=name, status="failed", message=str(error))
            results.finish(row, sequence, None)
            return False
        row = SummaryRow(id=sequence.id, file=name, length=len(sequence), pairs=len(structure.pairs))
        results.finish(row, sequence, structure, files)
        return True

    failed = 0
    try:
        with record_bar(len(todo), quiet=options.quiet) as advance:
            for name, sequence in todo:
                failed += not explain(name, sequence)
                advance(len(sequence))
    except KeyboardInterrupt:
        log.error("interrupted; finished records are kept, --resume does the rest")
        return None
    return failed


def _of(known: _Known, sequence: Rna) -> Structure:
    """The known structure of an RNA; raises InputError where there is none of the same bases."""
    if sequence.id not in known:
        raise InputError(f"{sequence.id}: no structure is known; expected one of this id", sequence.id)
    of, structure = known[sequence.id]
    if of.bases != sequence.bases:
        raise InputError(
            f"{sequence.id}: the known structure is of other bases; expected the same", sequence.id
        )
    return structure


def _write(
    stem: Path, sequence: Rna, structure: Structure, backbone: Backbone, plot: str | None
) -> list[str]:
    """Write one record's files; gives their names."""
    raw, corrected = attention_maps(backbone, sequence.bases, sequence.id)
    scores = score_heads(corrected, structure)
    names = [f"{stem.name}.npz", f"{stem.name}.heads.tsv"]
    with write_atomically(stem.with_name(names[0])) as file:
        np.savez_compressed(file, attention=raw.astype(np.float16), apc=corrected.astype(np.float16))
    write_text(stem.with_name(names[1]), _table(scores))
    if plot:
        from rnass.figures import heat_maps, save_figure  # matplotlib takes half a second to load

        best = sorted(scores, key=lambda one: -one.at_pairs)[:_DRAWN]
        seen = corrected.clip(0) * _far_apart(len(sequence))  # what is judged, the diagonal not
        maps = {
            f"layer {one.layer} head {one.head}: {one.at_pairs:.0%}": seen[one.layer - 1, one.head - 1]
            for one in best
        }
        title = f"{sequence.id}: heads that see most base pairs"
        figure = heat_maps(maps, structure=structure, label="attention, APC", title=title)
        names.append(f"{stem.name}.{plot}")
        save_figure(figure, stem.with_name(names[-1]))
    return names


def _far_apart(length: int) -> NDArray[np.bool_]:
    """Where a hairpin may lie between two bases, (L, L)."""
    place = np.arange(length)
    return np.asarray(np.abs(place[:, None] - place) > MIN_HAIRPIN)


def _table(scores: list[HeadScore]) -> str:
    lines = ["layer\thead\tprecision_at_L\tprecision_at_pairs"]
    lines += [f"{s.layer}\t{s.head}\t{s.at_length:.4f}\t{s.at_pairs:.4f}" for s in scores]
    return "\n".join(lines) + "\n"


def _write_means(out: Path, names: list[str]) -> None:
    """heads.tsv: the mean of each head over the records that came out, best first."""
    tables = [np.loadtxt(path, skiprows=1) for n in names if (path := out / f"{n}.heads.tsv").is_file()]
    if not tables:
        (out / "heads.tsv").unlink(missing_ok=True)  # of an earlier run
        return
    means = np.mean([np.atleast_2d(table) for table in tables], axis=0)
    scores = [HeadScore(int(layer), int(head), *rest) for layer, head, *rest in means]
    write_text(out / "heads.tsv", _table(sorted(scores, key=lambda one: -one.at_pairs)))
