"""Chemical-mapping profiles to learn structure from: designed RNAs of no natural family.

A reactivity shows whether its base is paired, not with which other. How much likelier it is of an
unpaired base than of a paired one is read off the profiles themselves: the densities of both are fitted
by expectation maximisation, with ViennaRNA's probabilities as prior, for each reagent and base (as
Wayment-Steele et al. 2022 did with gamma densities, doi:10.1038/s41592-022-01605-0).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnass.decoding.probing import clean_reactivities
from rnass.errors import InputError, counted
from rnass.files import name_of, read_lines
from rnass.io.tsv import table_rows
from rnass.rna import clean_bases
from rnass.thermodynamics.folding import base_pair_probabilities_of_many

__all__ = ["Densities", "Profile", "fit_densities", "read_profiles"]

_BINS = 12  # of reactivity, each of as many values
_MOST = 3.0  # that a base's log-likelihood ratio counts as: some profiles are wrong
_ROUNDS = 20
_COLUMNS = ("id", "modifier", "sequence", "reactivity", "signal_to_noise")
_FOLDED = 400  # profiles of a reagent that are folded for the densities


@dataclass(frozen=True, eq=False)
class Profile:
    """The reactivities of one RNA.

    Attributes:
        id: as in the table.
        modifier: the reagent.
        bases: over ACGUN.
        reactivities: (L,), NaN where not readable, at least 0.
    """

    id: str
    modifier: str
    bases: str
    reactivities: NDArray[np.float64]


def read_profiles(path: str, least_signal: float = 0.0) -> list[Profile]:
    """The profiles of a table: columns id, modifier, sequence, reactivity (comma separated, one a base,
    empty where not readable), signal_to_noise.

    Args:
        path: tab separated, `.gz` or not.
        least_signal: profiles of a lower ratio of signal to noise are left out.

    Raises:
        InputError: the table cannot be read or lacks a column, a letter that is no base, a value that is
            no number, too many or few values; names file, line and record.
    """
    profiles = []
    for place, row in table_rows(name_of(path), read_lines(path), _COLUMNS):
        where = f"{place} ({row['id']})"
        signal = _number(row["signal_to_noise"], where)
        if not signal >= least_signal:  # nor of one that is not known, NaN
            continue
        bases = clean_bases(row["sequence"], where)
        values = [_number(text, where) if text else np.nan for text in row["reactivity"].split(",")]
        if len(values) != len(bases):
            raise InputError(
                f"{where}: {counted(len(values), 'value')}; expected {len(bases)}, one a base"
            )
        profiles.append(Profile(row["id"], row["modifier"], bases, clean_reactivities(values)))
    return profiles


def _number(text: str, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{where}: {text!r}; expected a number") from None


@dataclass(frozen=True)
class Densities:
    """How likely reactivities are of unpaired and of paired bases.

    Attributes:
        edges: by reagent and base, the (_BINS - 1,) reactivities between the bins.
        ratios: the log-likelihood ratio of each bin, (_BINS,): unpaired over paired.
    """

    edges: dict[tuple[str, str], NDArray[np.float64]]
    ratios: dict[tuple[str, str], NDArray[np.float64]]

    def evidence(self, profile: Profile) -> NDArray[np.float32]:
        """Log-likelihood ratio of unpaired over paired of each base, (L,); 0 where unknown."""
        found = np.zeros(len(profile.bases), dtype=np.float32)
        for k, (base, value) in enumerate(zip(profile.bases, profile.reactivities, strict=True)):
            kind = (profile.modifier, base)
            if kind in self.edges and not np.isnan(value):
                found[k] = self.ratios[kind][np.searchsorted(self.edges[kind], value)]
        return np.clip(found, -_MOST, _MOST)


def fit_densities(profiles: Sequence[Profile], parameters: str) -> Densities:
    """The densities in some profiles, folded by a parameter set of ViennaRNA."""
    edges, ratios = {}, {}
    for modifier in sorted({profile.modifier for profile in profiles}):
        own = [profile for profile in profiles if profile.modifier == modifier]
        chosen = own[:: -(-len(own) // _FOLDED)]
        folded = base_pair_probabilities_of_many((one.bases for one in chosen), parameters)
        unpaired = np.concatenate([1 - pairs.dense().sum(1) for pairs in folded])
        letters = np.array(list("".join(one.bases for one in chosen)))
        values = np.concatenate([one.reactivities for one in chosen])
        for base in "ACGU":
            there = (letters == base) & ~np.isnan(values)
            if there.sum() >= _BINS**2:
                kind = (modifier, base)
                edges[kind], ratios[kind] = _fit(values[there], unpaired[there])
    return Densities(edges, ratios)


def _fit(
    values: NDArray[np.float64], unpaired: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Edges of the bins and the log-likelihood ratio of each, by expectation maximisation."""
    edges = np.unique(np.quantile(values, np.arange(1, _BINS) / _BINS))
    bins = np.searchsorted(edges, values)
    prior = np.clip(unpaired, 0.02, 0.98)
    posterior = prior
    for _ in range(_ROUNDS):
        free, bound = (_density(bins, weight, len(edges) + 1) for weight in (posterior, 1 - posterior))
        weight = prior * free[bins]
        posterior = weight / (weight + (1 - prior) * bound[bins])
    return edges, np.log(free) - np.log(bound)


def _density(bins: NDArray[np.int64], weight: NDArray[np.floating], number: int) -> NDArray[np.float64]:
    counts = np.bincount(bins, weight, number) + 1
    return np.asarray(counts / counts.sum())
