"""`rnass attention`: every attention map of a language model, and which of its heads see the structure.

A head is judged as contact predictions are: its map is made symmetric and corrected (APC), its pairs
i < j are sorted, and the share of true base pairs among the first ones is its precision (Rao et al.
2021, doi:10.1101/2020.12.15.422761).
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from rnass.errors import ExitStatus, InputError, RnassError, SequenceError
from rnass.files import sha256, write_atomically, write_text
from rnass.io import read_structures
from rnass.jobs.inputs import read_inputs
from rnass.jobs.results import Written
from rnass.jobs.runner import Job, RunOptions, run_job
from rnass.network.backbones import Backbone, open_backbone
from rnass.network.device import Device, choose_device
from rnass.network.pair_features import corrected_maps
from rnass.network.weights import find_weights
from rnass.prediction.limits import unreadable
from rnass.prediction.predictor import load_predictor
from rnass.rna import MIN_HAIRPIN, Rna
from rnass.structure import Structure

__all__ = ["AttentionOptions", "HeadScore", "attention_files", "attention_maps", "score_heads"]

_DRAWN = 4  # heads in a figure
_MEANS, _TABLE = "heads.tsv", ".heads.tsv"


@dataclass(frozen=True, kw_only=True)
class AttentionOptions(RunOptions):
    """Options of `attention_files`.

    Attributes:
        backbone, family, u_as: for `rnass.network.backbones.open_backbone`.
        structure: file of known structures, by id; None compares with rnass's prediction.
        weights: of that prediction.
        plot: format of the figure of the best heads; None for none.
        device: where the network runs.
    """

    backbone: str | None = None
    family: str | None = None
    u_as: str | None = None
    structure: str | None = None
    weights: str | None = None
    plot: Literal["svg", "png", "pdf"] | None = "png"
    device: Device = "auto"


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


def attention_files(
    paths: Sequence[str], out: Path, options: AttentionOptions, *, sequence: str | None = None
) -> ExitStatus:
    """Write maps, scores and figures of every record into a results folder.

    Per record NAME.npz (float16: `attention`, `apc`, each (layers, heads, L, L)), NAME.heads.tsv and a
    figure of the best heads; over all records with pairs heads.tsv, the mean of each head, best first.

    Raises:
        RnassError: see `rnass.jobs.runner.run_job`; no such backbone, structures that cannot be read.
    """
    return run_job(lambda: AttentionJob(options), read_inputs(paths, sequence), out, options)


class AttentionJob(Job[Structure]):
    """Compare the attention maps of RNAs with their structures."""

    kind: ClassVar[str] = "attention"
    columns: Sequence[str] = ("id", "file", "length", "pairs", "status", "message")
    shared: Sequence[str] = (_MEANS,)

    def __init__(self, options: AttentionOptions) -> None:
        self.options = options
        self.suffixes = (".npz", _TABLE, *([f".{options.plot}"] if options.plot else []))
        self.known = None
        if options.structure is not None:
            bad: list[InputError] = []
            read = read_structures(options.structure, bad)
            self.known = {rna.id: (rna, one) for rna, one in read}
            self.problems = [str(one) for one in bad]
        self.backbone = open_backbone(options.backbone, options.family, options.u_as)
        self.backbone.encoder.to(choose_device(options.device))
        self.weights = find_weights(options.weights) if self.known is None else None
        self.predictor = (
            load_predictor(self.weights, device=options.device, windows=None) if self.weights else None
        )

    def identity(self) -> dict[str, Any]:
        """Backbone, weights and options."""
        weights = self.weights
        return {
            "backbone": self.backbone.identity(),
            "weights": {"file": weights.name, "sha256": sha256(weights)} if weights else None,
            "options": {"plot": self.options.plot},
        }

    def about(self) -> dict[str, Any]:
        """The file of known structures."""
        return {"structure": self.options.structure}

    def more(self, rna: Rna) -> Any:
        """The known structure of a record."""
        found = self.known.get(rna.id) if self.known else None
        return found[1].pairs.tolist() if found else None

    def refusal(self, rna: Rna) -> RnassError | None:
        """The error of an RNA that the backbone cannot read."""
        return unreadable(rna, self.backbone.encoder)

    def work(self, rnas: list[Rna]) -> Generator[tuple[int, Structure | RnassError], None, None]:
        """The structure of each RNA: known, or predicted."""
        if self.predictor is None:
            for number, rna in enumerate(rnas):
                yield number, self._known_structure(rna)
            return
        for row in self.predictor.predict(rnas, parallel=True):
            found = row.outcome
            yield row.number, found if isinstance(found, RnassError) else found.structure

    def _known_structure(self, rna: Rna) -> Structure | InputError:
        if not self.known or rna.id not in self.known:
            return InputError(f"{rna.id}: no structure is known; expected one of this id", rna.id)
        of, structure = self.known[rna.id]
        if of.bases != rna.bases:
            return InputError(
                f"{rna.id}: the known structure is of other bases; expected the same", rna.id
            )
        return structure

    def write(self, folder: Path, name: str, rna: Rna, found: Structure) -> Written:
        """Maps, scores and figure."""
        raw, corrected = attention_maps(self.backbone, rna.bases, rna.id)
        scores = score_heads(corrected, found)
        with write_atomically(folder / f"{name}.npz") as file:
            np.savez_compressed(file, attention=raw.astype(np.float16), apc=corrected.astype(np.float16))
        table = _table(scores)
        write_text(folder / f"{name}{_TABLE}", table)
        if self.options.plot:
            _draw(folder / f"{name}.{self.options.plot}", rna, found, corrected, scores)
        files = [f"{name}{suffix}" for suffix in self.suffixes]
        judged = {_MEANS: table} if len(found.pairs) else {}  # without pairs there is no precision
        return Written(files, {"pairs": len(found.pairs)}, judged)

    def join(self, name: str, parts: Sequence[str]) -> str:
        """The mean of each head over the records that have pairs, best first."""
        tables = [np.loadtxt(StringIO(part), skiprows=1, ndmin=2) for part in parts]
        rows = np.mean(tables, axis=0) if tables else ()
        means = [HeadScore(int(layer), int(head), *rest) for layer, head, *rest in rows]
        return _table(sorted(means, key=lambda one: -one.at_pairs))


def _draw(
    path: Path,
    rna: Rna,
    structure: Structure,
    corrected: NDArray[np.float32],
    scores: list[HeadScore],
) -> None:
    """The heads that agree best with the structure."""
    from rnass.figures import heat_maps, save_figure  # matplotlib takes half a second to load

    best = sorted(scores, key=lambda one: -one.at_pairs)[:_DRAWN]
    seen = corrected.clip(0) * _far_apart(len(rna))  # what is judged, the diagonal not
    maps = {
        f"layer {one.layer} head {one.head}: {one.at_pairs:.0%}": seen[one.layer - 1, one.head - 1]
        for one in best
    }
    title = f"{rna.id}: heads that see most base pairs"
    save_figure(heat_maps(maps, structure=structure, label="attention, APC", title=title), path)


def _far_apart(length: int) -> NDArray[np.bool_]:
    """Where a hairpin may lie between two bases, (L, L)."""
    place = np.arange(length)
    return np.asarray(np.abs(place[:, None] - place) > MIN_HAIRPIN)


def _table(scores: list[HeadScore]) -> str:
    lines = ["layer\thead\tprecision_at_L\tprecision_at_pairs"]
    lines += [f"{s.layer}\t{s.head}\t{s.at_length:.4f}\t{s.at_pairs:.4f}" for s in scores]
    return "\n".join(lines) + "\n"
