"""`rnass predict --regions`: accessibility, the mean unpaired probability of regions."""

import logging
from collections.abc import Iterable, Sequence

from rnass.errors import InputError, counted
from rnass.files import format_row
from rnass.io.entries import BadEntry, all_good
from rnass.io.regions import Region, region_entries
from rnass.prediction.prediction import Prediction
from rnass.rna import Rna

__all__ = ["REGIONS", "REGION_HEADING", "Entry", "format_regions", "regions_in", "regions_of"]

log = logging.getLogger("rnass")

REGIONS = "regions.tsv"
"""The file of the regions of all records."""

_COLUMNS = ("id", "file", "name", "first", "last", "bases", "unpaired_probability")
REGION_HEADING = format_row(_COLUMNS)

Entry = Region | BadEntry


def regions_of(path: str, rnas: Sequence[Rna], bad: Iterable[str] = ()) -> dict[str, list[Entry]]:
    """The regions that a BED file holds, good and bad, by the id of their record.

    Regions of no record of the run are left out, and their number is logged.

    Args:
        path: of the file.
        rnas: all records of the run.
        bad: ids of records that could not be read.

    Raises:
        InputError: see `rnass.io.regions.read_regions`, of a line that is of no record; no region is of
            any record.
    """
    known = {*(rna.id for rna in rnas), *bad}
    regions = region_entries(path)
    found: dict[str, list[Entry]] = {}
    for one in regions:
        name = one.name if isinstance(one, BadEntry) else one.id
        if name in known:
            found.setdefault(name, []).append(one)
        elif isinstance(one, BadEntry):
            raise one.error
    if not found:
        (first, *_) = all_good(regions)
        raise InputError(f"{first.where}: no record is called {first.id!r}; expected its id")
    if left := len(regions) - sum(map(len, found.values())):
        log.warning("%s: %s of no record of this run", path, counted(left, "region"))
    return found


def regions_in(rna: Rna, entries: Iterable[Entry]) -> list[Region]:
    """The regions of a record; raises InputError for a bad one, and for one that ends beyond the RNA."""
    regions = all_good(entries)
    for one in regions:
        if one.end > len(rna):
            raise InputError(
                f"{one.where}: region {one.start}-{one.end} of {one.id}; expected an end of at most "
                f"{len(rna)}, its number of bases"
            )
    return regions


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
