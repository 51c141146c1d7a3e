"""Structures sampled from a Boltzmann ensemble, for fitting energies."""

import ctypes
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import RNA

from rnass.structure import Structure
from rnass.thermodynamics.base_pairs import BasePairProbabilities, pairs_of
from rnass.thermodynamics.ensemble import SURE_LENGTH, compound_of
from rnass.thermodynamics.parameter_sets import scaled_text

__all__ = ["Sample", "sample"]


@dataclass(frozen=True, eq=False)
class Sample:
    """Structures of one RNA, sampled in proportion to their Boltzmann weights.

    Attributes:
        structures: with repetition.
        ensemble_energy: -kT ln Z, in kcal/mol.
        bpp: the base-pair probabilities of the ensemble.
    """

    structures: tuple[Structure, ...]
    ensemble_energy: float
    bpp: BasePairProbabilities


def sample(many: Iterable[str], parameters: str, n: int, seed: int) -> Iterator[Sample]:
    """Sample *n* structures of each RNA (Ding & Lawrence 2003, doi:10.1093/nar/gkg938).

    Args:
        many: bases of each RNA, over ACGUN.
        parameters: the text of a ViennaRNA parameter file.
        n: structures of each; 0 for the base-pair probabilities alone.
        seed: the same one gives the same structures.

    Raises:
        ConfigError: the text is no parameter file.
    """
    given = scaled_text(parameters, sampled=n > 0)
    state = (ctypes.c_ushort * 3).from_address(int(RNA.cvar.xsubi))  # of ViennaRNA's random numbers
    for number, bases in enumerate(many):
        state[:] = np.random.SeedSequence([seed, number]).generate_state(3).astype(np.uint16).tolist()
        compound = compound_of(bases, given)
        if len(bases) > SURE_LENGTH:
            compound.exp_params_rescale(compound.mfe()[1])
        energy = float(compound.pf()[1])
        structures = tuple(map(Structure.from_dot_bracket, compound.pbacktrack(n))) if n else ()
        bpp = BasePairProbabilities.from_pairs(len(bases), pairs_of(compound))
        yield Sample(structures, energy, bpp)
