"""`rnass predict --alignment`: every row of an alignment, and its consensus, from all rows together."""

import dataclasses
import logging
from collections.abc import Generator, Sequence
from hashlib import blake2b
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from rnass.decoding import decode
from rnass.errors import DependencyError, ExitStatus, InputError, RnassError, counted
from rnass.files import format_row, is_folder, write_text
from rnass.io import read_fasta
from rnass.io.alignments import read_aligned, read_alignments
from rnass.io.stockholm import Alignment, format_stockholm
from rnass.io.stockholm_records import wuss
from rnass.jobs.ahead import folding_ahead
from rnass.jobs.inputs import Inputs
from rnass.jobs.predict import NATIVE, PredictJob, PredictOptions
from rnass.jobs.runner import run_job
from rnass.prediction.limits import too_long
from rnass.prediction.prediction import Prediction
from rnass.prediction.relatives import (
    CONSERVED,
    DECODING,
    AlignedRow,
    AlignedRows,
    ColumnPairs,
    combine,
    consensus_map,
    conservation,
    covariation,
    decoded_map,
    fit_of_rows,
    trust,
)
from rnass.programs import run_program
from rnass.rna import Rna
from rnass.structure import Structure
from rnass.thermodynamics.conditions import STANDARD
from rnass.thermodynamics.folding import FoldAhead, Folded

if TYPE_CHECKING:
    from rnass.prediction.pipeline import Reading

__all__ = ["AlignmentOptions", "predict_alignments", "predict_relatives"]

log = logging.getLogger("rnass")

_CONSENSUS, _COVARIATION, _ROWS = "consensus.sto", "covariation.tsv", "rows.tsv"
_POOR_FIT = 0.5  # share of canonical consensus pairs below which a row does not fit
_LOCARNA = ["mlocarna", "--tgtdir", "locarna", "--stockholm"]
_MAFFT = ["mafft", "--quiet", "--nuc", "--auto", "--maxiterate", "1000"]
_GAPPY = 0.5  # share of gaps from which a column counts as gappy


@dataclasses.dataclass(frozen=True, kw_only=True)
class AlignmentOptions(PredictOptions):
    """Options of `predict_alignments`.

    Attributes:
        target: name of the only row whose files are written; None for all rows.

    Raises:
        InputError: families are given, too; other conditions than 37 C and 1.021 M.
    """

    target: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.families is not None:
            raise InputError("--families: beside relatives; expected one of them")
        if not self.conditions.standard:
            raise InputError(f"relatives: at {self.conditions}; expected {STANDARD}, {NATIVE}")


def predict_alignments(path: str, out: Path, options: AlignmentOptions) -> ExitStatus:
    """Predict the rows of an alignment, or of each alignment of a folder into a folder of its own.

    A file of the folder that cannot be read, or has no row of the target's name, is reported, and costs
    the others nothing but with `strict`.

    Raises:
        InputError: no alignment that can be read, a target that is no row of any.
        RnassError: see `rnass.jobs.runner.run_job`.
    """
    alignments, problems = read_aligned(path)
    several = is_folder(path)
    for name, alignment in list(alignments.items()):
        if lacking := _lacking(alignment, options.target, alignment.where or path):
            problems.append(lacking)
            del alignments[name]
    if problems and (options.strict or not alignments):
        raise problems[0]
    for problem in problems:
        log.error("%s", problem)
    statuses = [
        _predict_one(alignment, path, out / name if several else out, options)
        for name, alignment in alignments.items()
    ]
    return max([*statuses, *(ExitStatus.FAILED for _ in problems)])


def predict_relatives(path: str, out: Path, options: AlignmentOptions) -> ExitStatus:
    """Align the homologous RNAs of a FASTA file, then predict them together.

    Raises:
        InputError: a record that cannot be read, repeated names, a target that is no record.
        DependencyError: neither LocARNA nor MAFFT is installed, or the aligner fails.
        RnassError: see `rnass.jobs.runner.run_job`.
    """
    rnas, problems = read_fasta(path)
    if problems:
        raise problems[0]
    if two := next((rna for rna in rnas if rna.nick is not None), None):
        raise InputError(f"{path} ({two.id}): two strands; expected one of each relative")
    names = [rna.id for rna in rnas]
    if repeated := next((name for name in names if names.count(name) > 1), None):
        raise InputError(f"{path}: a second record {repeated!r}; expected distinct names")
    alignment = align(rnas)
    if lacking := _lacking(alignment, options.target, path):
        raise lacking
    return _predict_one(alignment, path, out, options)


def align(rnas: Sequence[Rna]) -> Alignment:
    """Align RNAs of distinct names by LocARNA where it is installed, else by MAFFT.

    Raises:
        DependencyError: neither is installed, or it fails.
    """
    if len(rnas) == 1:
        return Alignment("", "", {rnas[0].id: rnas[0].bases})
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_text(folder / "rnas.fa", "".join(f">r{k}\n{rna.bases}\n" for k, rna in enumerate(rnas)))
        if which("mlocarna"):
            run_program([*_LOCARNA, "rnas.fa"], folder, "an alignment")
            found = folder / "locarna" / "results" / "result.stk"
        elif which("mafft"):
            found = folder / "aligned.fa"
            write_text(found, run_program([*_MAFFT, "rnas.fa"], folder, "an alignment"))
        else:
            raise DependencyError(
                "relatives: no program that aligns RNAs; expected MAFFT (Debian: apt-get install mafft) "
                "or LocARNA (conda install -c bioconda locarna)"
            )
        (alignment,) = read_alignments(found)
    return Alignment("", "", {rna.id: alignment.rows[f"r{k}"] for k, rna in enumerate(rnas)})


def _lacking(alignment: Alignment, target: str | None, where: str) -> InputError | None:
    """The problem of an alignment that lacks the target's row."""
    if target is None or target in alignment.rows:
        return None
    return InputError(f"{where}: no row {target!r}; expected a target of its rows")


def _predict_one(alignment: Alignment, path: str, out: Path, options: AlignmentOptions) -> ExitStatus:
    rows = AlignedRows(tuple(alignment.rows), tuple(alignment.rows.values()))
    inputs = Inputs([path], further=options.files)
    rnas = [Rna(name, bases, name) for name, bases in zip(rows.names, rows.bases, strict=True)]
    for rna in options.restrain(rnas):
        if not isinstance(rna, Rna):
            inputs.problems.append(rna)
        elif problem := too_long(rna, f"{path} ({rna.id})"):
            inputs.problems.append(problem)
        elif options.target in (None, rna.id):
            inputs.rnas.append(rna)
    with folding_ahead(_wanted(rows, inputs.rnas), options, in_windows=False) as ahead:
        return run_job(lambda: AlignmentJob(options, inputs, rows, ahead), inputs, out, options)


def _wanted(rows: AlignedRows, rnas: Sequence[Rna]) -> list[Rna]:
    """The RNA of each row; of *rnas* with their restraints."""
    known = {rna.id: rna for rna in rnas}
    every = zip(rows.names, rows.bases, strict=True)
    return [known.get(name) or Rna(name, bases) for name, bases in every]


class AlignmentJob(PredictJob):
    """Predict rows, each from the maps of all of them."""

    kind: ClassVar[str] = "predict --alignment"
    in_windows: ClassVar[bool] = False

    def __init__(
        self,
        options: AlignmentOptions,
        inputs: Inputs,
        rows: AlignedRows,
        ahead: FoldAhead | None = None,
    ) -> None:
        self._consensus = ahead and ahead.consensus(rows.distinct)
        super().__init__(options, inputs, ahead)
        self.shared = (*self.shared, _CONSENSUS, _COVARIATION, _ROWS)
        self.rows = rows
        ours = {name: value for name, value in DECODING.items() if name not in options.decoding}
        self.predictor.decoding = dataclasses.replace(self.predictor.decoding, **ours)
        self._alignment: dict[str, float] = {}
        self._texts: dict[str, str] = {}  # of the shared files, until a record carries them

    def more(self, rna: Rna) -> Any:
        """A checksum of the alignment, every row of which decides the files of each."""
        text = "\n".join([*self.rows.names, *self.rows.texts])
        checksum = blake2b(text.encode(), digest_size=16).hexdigest()
        return {"alignment": checksum, **(super().more(rna) or {})}

    def work(self, rnas: list[Rna]) -> Generator[tuple[int, Prediction | RnassError], None, None]:
        """Predict all rows alone, join their maps, decode those that are wanted."""
        if not rnas:
            return
        number = {rna.id: k for k, rna in enumerate(rnas)}
        alone: dict[int, tuple[Rna, Folded, Reading, float]] = {}
        for row in self.predictor.read_whole(_wanted(self.rows, rnas), parallel=True):
            if row.folded and row.reading:
                alone[row.number] = row.rna, row.folded, row.reading, row.seconds
            elif row.rna.id in number:
                yield number[row.rna.id], row.error or RnassError(f"{row.rna.id}: no prediction")
        if not alone:
            return
        held = sorted(alone)
        rows = AlignedRows(
            tuple(self.rows.names[k] for k in held), tuple(self.rows.texts[k] for k in held)
        )
        all_there = len(held) == len(self.rows.names)
        fold = self._consensus() if self._consensus and all_there else rows.fold()
        columns = combine(rows, [alone[k][2].probabilities for k in held], fold)
        energies = [alone[k][1].mfe for k in held]
        self._texts = self._shared_texts(rows, columns)
        self._note(rows, conservation(fold, energies))
        for place, k, share in zip(rows.places, held, trust(rows, fold, energies), strict=True):
            rna, folded, own, seconds = alone[k]
            if rna.id not in number:
                continue
            one = AlignedRow(rna.bases, place, own.probabilities)
            together = decoded_map(columns, one, share, self.predictor.decoding)
            try:
                found = self.predictor.decode(rna, folded, own._replace(probabilities=together), seconds)
            except RnassError as error:
                yield number[rna.id], error
            else:
                yield number[rna.id], found

    def _note(self, rows: AlignedRows, index: float) -> None:
        """Note the alignment for run.json; warn where its rows share no structure."""
        self._alignment = {
            "rows": len(rows.names),
            "effective_rows": round(rows.depth, 2),
            "structure_conservation_index": round(index, 3),
        }
        if index < CONSERVED[1]:
            log.warning(
                "alignment: structure conservation index %.2f, where a family has about 1 or more; the "
                "rows' own maps count%s",
                index + 0.0,
                " alone" if index < CONSERVED[0] else " more",
            )

    def about(self) -> dict[str, Any]:
        """As for single RNAs, and how the alignment was found to be."""
        return {**super().about(), "alignment": self._alignment}

    def write(self, folder: Path, name: str, rna: Rna, found: Prediction) -> Any:
        """As for one RNA; the first row carries the files of the whole alignment."""
        written = super().write(folder, name, rna, found)
        texts, self._texts = self._texts, {}
        return written._replace(shared={**written.shared, **texts})

    def join(self, name: str, parts: Sequence[str]) -> str:
        """The file of the whole alignment as the first row carries it; the others row by row."""
        if name in (_CONSENSUS, _COVARIATION, _ROWS):
            return parts[0] if parts else ""
        return super().join(name, parts)

    def _shared_texts(self, rows: AlignedRows, columns: ColumnPairs) -> dict[str, str]:
        options = dataclasses.replace(self.predictor.decoding, canonical=False)
        probabilities = consensus_map(rows, columns, options)
        consensus = decode(probabilities, "A" * len(probabilities), options)
        fit = fit_of_rows(rows, consensus)
        _warn(rows, fit)
        alignment = Alignment(
            "", "", dict(zip(rows.names, rows.texts, strict=True)), {"SS_cons": wuss(consensus)}
        )
        return {
            _CONSENSUS: format_stockholm([alignment]),
            _COVARIATION: _covariation_table(rows, consensus, probabilities),
            _ROWS: _row_table(rows, fit),
        }


def _warn(rows: AlignedRows, fit: np.ndarray[Any, Any]) -> None:
    """Report what makes the alignment worth less than it looks."""
    if rows.depth < 1.5:
        log.warning(
            "alignment: %s, worth one; relatives that differ more are needed to see covariation",
            counted(len(rows.names), "row"),
        )
    for k in np.flatnonzero(fit < _POOR_FIT).tolist():
        log.warning(
            "%s: forms %.0f %% of the consensus pairs; it may be misaligned", rows.names[k], 100 * fit[k]
        )
    if gappy := int((rows.gaps > _GAPPY).sum()):
        known = counted(len(rows.gaps), "column")
        log.warning("%d of %s are mostly gaps; the consensus has no pairs there", gappy, known)


def _covariation_table(
    rows: AlignedRows, consensus: Structure, probabilities: np.ndarray[Any, Any]
) -> str:
    names = ("i", "j", "probability", "commonest", "compensatory", "consistent", "contradicting")
    text = format_row((*names, "missing", "covaries"))
    for one in covariation(rows, consensus):
        cells = (
            *(one.i + 1, one.j + 1, f"{probabilities[one.i, one.j]:.4f}", one.commonest),
            *(one.compensatory, one.consistent, one.contradicting, one.missing),
            "yes" if one.covaries else "no",
        )
        text += format_row(cells)
    return text


def _row_table(rows: AlignedRows, fit: np.ndarray[Any, Any]) -> str:
    text = format_row(("id", "length", "weight", "nearest_identity", "consensus_pairs_formed"))
    others = rows.identities - np.eye(len(rows.names))
    for k, name in enumerate(rows.names):
        shares = [f"{value:.3f}" for value in (rows.weights[k], others[k].max())]
        shares.append("" if np.isnan(fit[k]) else f"{fit[k]:.3f}")
        text += format_row((name, len(rows.places[k]), *shares))
    return text
