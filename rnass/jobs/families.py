"""`rnass predict --families`: RNAs with the evidence of the families that they belong to."""

import dataclasses
import logging
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from rnass.errors import RnassError, counted
from rnass.files import format_row, sha256
from rnass.io.stockholm import read_stockholm
from rnass.jobs.inputs import Inputs
from rnass.jobs.predict import PredictJob, PredictOptions
from rnass.jobs.results import Written
from rnass.prediction.families import Hit, check_seeds, read_families, search_families, supported
from rnass.prediction.prediction import Prediction
from rnass.preparation.infernal import require_infernal
from rnass.rna import Rna

__all__ = ["FamilyJob"]

log = logging.getLogger("rnass")

_FAMILIES = "families.tsv"
_COLUMNS = (
    *("family", "family_name", "family_score", "family_e_value"),
    *("family_start", "family_end", "family_strand"),
)
_HEADER = (
    *("id", "family", "name", "score", "e_value", "start", "end", "strand"),
    *("model_start", "model_end", "pairs", "supported"),
)


class FamilyJob(PredictJob):
    """Predict RNAs, the pairs of their families being evidence."""

    def __init__(self, options: PredictOptions, inputs: Inputs) -> None:
        require_infernal("cmsearch")
        self.file = Path(options.families or "")
        self.models = read_families(self.file)
        seeds = options.family_seeds
        self.seeds = check_seeds(self.models, read_stockholm(seeds)) if seeds else {}
        super().__init__(options, inputs)
        self.shared = (*self.shared, _FAMILIES)
        place = self.columns.index("seconds")
        self.columns = (*self.columns[:place], *_COLUMNS, *self.columns[place:])
        self._hits: dict[tuple[str, str], list[Hit]] = {}

    def identity(self) -> dict[str, Any]:
        """As without families, and the checksums of their files."""
        seeds = self.options.family_seeds
        files = {"families": self.file, **({"family_seeds": Path(seeds)} if seeds else {})}
        found = {name: {"file": path.name, "sha256": sha256(path)} for name, path in files.items()}
        return {**super().identity(), **found}

    def work(self, rnas: list[Rna]) -> Generator[tuple[int, Prediction | RnassError], None, None]:
        """Search all RNAs at once, then predict them."""
        if not rnas:
            return
        models = counted(len(self.models), "model")
        log.info("%s: search of %s for %s", self.file, models, counted(len(rnas), "RNA"))
        found = search_families(
            rnas, self.file, self.models, seeds=self.seeds, threads=max(1, self.threads)
        )
        with_evidence = []
        for rna, hits in zip(rnas, found, strict=True):
            self._hits[rna.id, rna.text] = hits
            _report(rna, hits)
            pairs = frozenset[tuple[int, int]]().union(*supported(hits).values())
            with_evidence.append(dataclasses.replace(rna, supported=pairs))
        yield from super().work(with_evidence)

    def write(self, folder: Path, name: str, rna: Rna, found: Prediction) -> Written:
        """As without families, and the hits."""
        written = super().write(folder, name, rna, found)
        hits = self._hits[rna.id, rna.text]
        if not hits:
            return written
        best = hits[0]
        values = (*_named(best), best.start + 1, best.end, best.strand)
        cells = {**written.cells, **dict(zip(_COLUMNS, values, strict=True))}
        return written._replace(cells=cells, shared={**written.shared, _FAMILIES: _lines(rna, hits)})

    def join(self, name: str, parts: Sequence[str]) -> str:
        """As without families; their table has a header."""
        text = super().join(name, parts)
        return format_row(_HEADER) + text if name == _FAMILIES else text


def _named(hit: Hit) -> tuple[str, str, float, str]:
    return hit.model.family, hit.model.name, hit.score, f"{hit.e_value:.2g}"


def _lines(rna: Rna, hits: Sequence[Hit]) -> str:
    """The lines of families.tsv for one RNA; bases from 1."""
    text = ""
    for hit, used in supported(hits).items():
        places = (hit.start + 1, hit.end, hit.strand, hit.model_start + 1, hit.model_end)
        text += format_row((rna.id, *_named(hit), *places, len(hit.pairs), len(used)))
    return text


def _report(rna: Rna, hits: Sequence[Hit]) -> None:
    """Report an RNA of which only the reverse complement matches."""
    if hits and hits[0].strand == "-":
        log.warning(
            "%s: its reverse complement matches %s (%s), not the RNA itself; no evidence is added",
            rna.id,
            *_named(hits[0])[:2],
        )
