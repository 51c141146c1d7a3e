"""`rnass predict --regions`: accessibility, the mean unpaired probability of regions."""

import logging
from collections.abc import Iterable, Sequence

from rnass.errors import InputError, counted
from rnass.files import format_row
from rnass.io.regions import Region, read_regions
from rnass.prediction.predictor import Prediction
from rnass.rna import Rna

__all__ = ["REGIONS", "REGION_HEADING", "format_regions", "regions_of"]

log = logging.getLogger("rnass")

REGIONS = "regions.tsv"
"""The file of the regions of all records."""

_COLUMNS = ("id", "file", "name", "first", "last", "bases", "unpaired_probability")
REGION_HEADING = format_row(_COLUMNS)


def regions_of(path: str, rnas: Sequence[Rna], bad: Iterable[str] = ()) -> dict[str, list[Region]]:
    """The regions that a BED file holds, by the id of their record.

    Regions of no record of the run are left out, and their number is logged.

    Args:
        path: of the file.
        rnas: all records of the run.
        bad: ids of records that could not be read.

    Raises:
        InputError: see `rnass.io.regions.read_regions`; a region that its RNA does not have; none that
            is of any record.
    """
    lengths: dict[str, int] = {}
    for rna in rnas:
        lengths[rna.id] = min(len(rna), lengths.get(rna.id, len(rna)))
    known = {*lengths, *bad}
    regions = read_regions(path)
    found: dict[str, list[Region]] = {}
    for one in regions:
        if one.end > lengths.get(one.id, one.end):
            raise InputError(
                f"{one.where}: region {one.start}-{one.end} of {one.id}; expected an end of at most "
                f"{lengths[one.id]}, its number of bases"
            )
        if one.id in known:
            found.setdefault(one.id, []).append(one)
    if not found:
        raise InputError(f"{regions[0].where}: no record is called {regions[0].id!r}; expected its id")
    if left := len(regions) - sum(map(len, found.values())):
        log.warning("%s: %s of no record of this run", path, counted(left, "region"))
    return found


def format_regions(name: str, prediction: Prediction, regions: Iterable[Region]) -> str:
    """A line of `regions.tsv` for each region of a record; bases from 1, both ends counted."""
    unpaired = prediction.unpaired
    rows = (
        (
            *(prediction.rna.id, name, one.name, one.start + 1, one.end, one.end - one.start),
            f"{unpaired[one.start : one.end].mean():.4f}",
        )
        for one in regions
    )
    return "".join(map(format_row, rows))
