"""The folds that a prediction needs of each RNA, computed here or in worker processes."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from rnass.errors import ConstraintError, RnassError
from rnass.structure import Structure
from rnass.thermodynamics.base_pairs import BasePairProbabilities
from rnass.thermodynamics.comparative import ConsensusFold, fold_alignment
from rnass.thermodynamics.conditions import STANDARD, Conditions
from rnass.thermodynamics.ensemble import Ensemble, only_unpaired
from rnass.thermodynamics.free_energy import energy
from rnass.thermodynamics.parameter_sets import DEFAULT_PARAMETERS, parameter_text
from rnass.thermodynamics.second_fold import SECOND_FOLD, bpp_by_name, second_fold, set_of
from rnass.thermodynamics.workers import Begun, in_order

__all__ = [
    "Change",
    "FoldAhead",
    "FoldInput",
    "Folded",
    "all_base_pair_probabilities",
    "base_pair_probabilities",
    "base_pair_probabilities_of_many",
    "fold_many",
    "minimum_structure",
    "minimum_structures",
    "sets_folded",
]

# what ViennaRNA's module raises, and what arithmetic and memory do
_FAILURES = (ArithmeticError, MemoryError, RuntimeError, SystemError, ValueError)


class FoldInput(NamedTuple):
    """One RNA to fold under its restraints; see `rnass.thermodynamics.ensemble.Ensemble`.

    Attributes:
        bases: 5' to 3'; two strands as `A&B`.
        constraint: a line; where no structure obeys it (it may need a pseudoknot), only its `x` hold.
        reactivities: one for each base.
        forbidden: pairs (i, j), 0-based, that no structure has.
        mfe_bpp: base-pair probabilities by the energies of the MFE structure are wanted.
        conditions: temperature and salt concentration of the MFE structure.
    """

    bases: str
    constraint: str | None = None
    reactivities: tuple[float, ...] | None = None
    forbidden: frozenset[tuple[int, int]] = frozenset()
    mfe_bpp: bool = False
    conditions: Conditions = STANDARD

    def ensemble(
        self, parameters: str = DEFAULT_PARAMETERS, conditions: Conditions = STANDARD
    ) -> Ensemble:
        """The ensemble by a parameter set."""
        try:
            found = self._under(self.constraint, parameters, conditions)
            if self.constraint is not None:
                _ = found.mfe
        except ConstraintError:
            return self._under(only_unpaired(self.constraint or ""), parameters, conditions)
        return found

    def _under(self, constraint: str | None, parameters: str, conditions: Conditions) -> Ensemble:
        return Ensemble(
            self.bases,
            parameters,
            constraint=constraint,
            reactivities=self.reactivities,
            forbidden=self.forbidden,
            conditions=conditions,
        )


class Change(NamedTuple):
    """Base-pair probabilities by the default parameters, each as of `second_fold` too.

    Both second folds leave out the first structure of *before*: else they would change where a pair of
    the first structure becomes one of less than 0.5.

    Attributes:
        before: at 37 C and 1.021 M NaCl.
        after: at other conditions.
    """

    before: tuple[BasePairProbabilities, BasePairProbabilities]
    after: tuple[BasePairProbabilities, BasePairProbabilities]


@dataclass(frozen=True, eq=False)
class Folded:
    """ViennaRNA's results for one RNA; they can be sent between processes.

    Attributes:
        mfe: minimum free energy with the default parameters, in kcal/mol; under reactivities the energy
            that the structure has without them.
        mfe_structure: the structure of that energy.
        bpp: base-pair probabilities at 37 C and 1.021 M NaCl by each parameter set or second fold
            that was wanted, in that order.
        names: of these.
        mea: with the default parameters; None without the baseline.
        centroid: likewise.
        mfe_bpp: base-pair probabilities by the default parameters, those of *mfe_structure*; None
            unless they, the baseline or that set was wanted.
        conditions: of all of these but *bpp*.
        change: what other conditions than 37 C and 1.021 M NaCl change; None at these.
    """

    mfe: float
    mfe_structure: Structure
    bpp: tuple[BasePairProbabilities, ...] = ()
    names: tuple[str, ...] = ()
    mea: Structure | None = None
    centroid: Structure | None = None
    mfe_bpp: BasePairProbabilities | None = None
    conditions: Conditions = STANDARD
    change: Change | None = None

    def mixed_bpp(self) -> NDArray[np.floating] | None:
        """The map that `--mix` mixes in, (L, L): the mean of `bpp`; of none, `mfe_bpp`; else None.

        With second folds, the larger of their mean and that of the first, such that no row adds up to
        more than 1. At other conditions than those of `bpp`, `mfe_bpp` and its second fold.
        """
        named = list(zip(self.names, self.bpp, strict=True))
        second = [one for name, one in named if name.endswith(SECOND_FOLD)]
        first = [one for name, one in named if not name.endswith(SECOND_FOLD)]
        if self.change:
            first, second = [self.change.after[0]], [self.change.after[1]] if second else []
        known = first or ([self.mfe_bpp] if self.mfe_bpp else [])
        if not known:
            return None
        mean = _mean(known)
        if not second:
            return mean
        larger = np.maximum(mean, _mean(second))
        sums = np.maximum(larger.sum(1), 1)
        return np.asarray(larger / np.maximum(sums[:, None], sums))


def _mean(many: list[BasePairProbabilities]) -> NDArray[np.floating]:
    return np.asarray(np.mean([one.dense() for one in many], axis=0))


class FoldAhead:
    """Folds of a few RNAs that begin at once in worker processes; `fold_many` takes their results.

    Args: those of `fold_many`. Close it in the end.
    """

    def __init__(
        self,
        many: Iterable[FoldInput],
        *,
        parameter_sets: Iterable[str],
        baseline: bool = False,
        processes: int,
    ) -> None:
        self._wanted = names, _ = tuple(parameter_sets), baseline
        tasks = ((one, name) for one in many for name in sets_folded(names))
        work = partial(_fold_by_one_set, names=names, baseline=baseline)
        self._begun = Begun(work, tasks, processes)

    def begun(self, names: tuple[str, ...], *, baseline: bool) -> "Begun[_Task, _Part] | None":
        """The folds, if they are those by these sets."""
        return self._begun if self._wanted == (names, baseline) else None

    def consensus(self, rows: Sequence[str]) -> Callable[[], ConsensusFold]:
        """Begin to fold aligned rows together, too (`fold_alignment`); what is given waits for it."""
        return self._begun.also(fold_alignment, rows)

    def close(self) -> None:
        """End the worker processes."""
        self._begun.close()


def fold_many(
    many: Iterable[str | FoldInput],
    *,
    parameter_sets: Iterable[str] = (DEFAULT_PARAMETERS,),
    baseline: bool = False,
    processes: int = 0,
    ahead: FoldAhead | None = None,
) -> Generator[Folded | RnassError, None, None]:
    """Fold each RNA, in the order given; what failed for one of them is given in its place.

    Partition functions are computed only where they are needed.

    Args:
        many: bases 5' to 3', or with their restraints.
        parameter_sets: names of `rnass.thermodynamics.parameter_sets.PARAMETER_SETS`, or of their second
            folds, whose base-pair probabilities are wanted; may be empty.
        baseline: also the structures `mea` and `centroid`.
        processes: worker processes, for which each parameter set is a task of its own, see
            `rnass.thermodynamics.workers.in_order`; until this is closed they fold what they were given.
        ahead: folds that have begun, for those inputs and options that are the same.

    Raises:
        WorkerError: a worker process was killed.
        ConfigError: an unknown parameter set.
        CheckpointError: rnass's own energies are missing, altered or damaged.
    """
    names = tuple(parameter_sets)
    folds = sets_folded(names)
    for name in folds:
        parameter_text(name)  # a set that cannot be loaded is nobody's fault among the RNAs
    inputs = (FoldInput(rna) if isinstance(rna, str) else rna for rna in many)
    tasks = ((one, name) for one in inputs for name in folds)
    work = partial(_fold_by_one_set, names=names, baseline=baseline)
    begun = ahead.begun(names, baseline=baseline) if ahead else None
    parts = in_order(work, tasks, processes, begun)
    for first in parts:
        yield _joined([first, *(next(parts) for _ in folds[1:])], names)


def sets_folded(parameter_sets: Iterable[str]) -> tuple[str, ...]:
    """The sets that an RNA is folded by if these are wanted: the default one, for its MFE, first."""
    sets = dict.fromkeys(map(set_of, parameter_sets))
    return (DEFAULT_PARAMETERS, *(name for name in sets if name != DEFAULT_PARAMETERS))


def base_pair_probabilities(bases: str, name: str = DEFAULT_PARAMETERS) -> BasePairProbabilities:
    """The base-pair probabilities of *bases*, two strands as `A&B`; raises what `Ensemble` raises.

    *name* is that of a parameter set, or of its second fold.
    """
    return all_base_pair_probabilities(bases, (name,))[0]


def all_base_pair_probabilities(bases: str, names: Iterable[str]) -> list[BasePairProbabilities]:
    """`base_pair_probabilities` by several sets or their second folds, each set folded once."""
    wanted = tuple(names)
    ensembles = {name: Ensemble(bases, name) for name in map(set_of, wanted)}
    return [bpp_by_name(ensembles[set_of(name)], name) for name in wanted]


def base_pair_probabilities_of_many(
    many: Iterable[str], name: str = DEFAULT_PARAMETERS, *, processes: int = 0
) -> Iterator[BasePairProbabilities]:
    """`base_pair_probabilities` of each RNA, in the order given.

    Args:
        many: bases of each RNA.
        name: of a parameter set, or of its second fold.
        processes: see `rnass.thermodynamics.workers.in_order`.
    """
    return in_order(partial(base_pair_probabilities, name=name), many, processes)


def minimum_structure(bases: str, max_span: int | None = None) -> Structure:
    """The structure of minimum free energy without pairs that span more; see `Ensemble`."""
    return Ensemble(bases, max_span=max_span).mfe_structure


def minimum_structures(
    many: Iterable[str], *, max_span: int | None = None, processes: int = 0
) -> Iterator[Structure]:
    """`minimum_structure` of each RNA, in the order given; see `base_pair_probabilities_of_many`."""
    return in_order(partial(minimum_structure, max_span=max_span), many, processes)


_Task = tuple[FoldInput, str]
_Part = tuple[Folded | None, dict[str, BasePairProbabilities]] | RnassError


def _fold_by_one_set(task: _Task, *, names: tuple[str, ...], baseline: bool) -> _Part:
    """The results by one parameter set; the default one gives MFE and baseline too."""
    given, own = task
    try:
        ensemble = given.ensemble(own)
        found = {name: bpp_by_name(ensemble, name) for name in names if set_of(name) == own}
        if own != DEFAULT_PARAMETERS:
            return None, found
        conditions, change = given.conditions, None
        if not conditions.standard:
            before, ensemble = ensemble, given.ensemble(own, conditions)
            change = Change(_both_folds(before, before), _both_folds(ensemble, before))
        structure = ensemble.mfe_structure
        unprobed = given.reactivities is None
        return Folded(
            round(ensemble.mfe, 2) if unprobed else energy(given.bases, structure, conditions),
            structure,
            mea=ensemble.mea if baseline else None,
            centroid=ensemble.centroid if baseline else None,
            mfe_bpp=ensemble.bpp if given.mfe_bpp or baseline or found or change else None,
            conditions=conditions,
            change=change,
        ), found
    except RnassError as error:
        return error
    except _FAILURES as error:
        return RnassError(f"ViennaRNA: {type(error).__name__} {error}; expected a structure")


def _both_folds(
    ensemble: Ensemble, first: Ensemble
) -> tuple[BasePairProbabilities, BasePairProbabilities]:
    return ensemble.bpp, second_fold(ensemble, first.bpp)


def _joined(parts: list[_Part], names: tuple[str, ...]) -> Folded | RnassError:
    """One RNA's results by each set, the default one first; the first failure if there is one."""
    default: Folded | None = None
    found: dict[str, BasePairProbabilities] = {}
    for part in parts:
        if isinstance(part, RnassError):
            return part
        default = default or part[0]
        found |= part[1]
    return replace(cast("Folded", default), bpp=tuple(found[name] for name in names), names=names)
