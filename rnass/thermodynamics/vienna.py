"""What ViennaRNA says of one RNA: minimum free energy, base-pair probabilities, drawing coordinates.

The only module that imports `RNA`. Energies are in kcal/mol at 37 C. Lorenz et al. 2011,
doi:10.1186/1748-7188-6-26.
"""

import ctypes
import os
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from itertools import islice
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Lock, Thread
from typing import Any, TypeVar, cast

import numpy as np
import RNA
from numpy.typing import ArrayLike, NDArray

from rnass.errors import (
    ConfigError,
    ConstraintError,
    RnassError,
    SequenceError,
    StructureError,
    WorkerError,
    counted,
    record_error,
)
from rnass.rna import MIN_HAIRPIN, MISSING_REACTIVITY, Rna
from rnass.structure import Structure

__all__ = [
    "CUTOFF",
    "DEFAULT_PARAMETERS",
    "MAX_LENGTH",
    "OWN_ENERGIES",
    "OWN_NAME",
    "PARAMETER_SETS",
    "SECOND_FOLD",
    "TURNER_2004",
    "BasePairProbabilities",
    "Ensemble",
    "Sample",
    "Subject",
    "Thermodynamics",
    "all_probabilities",
    "annotate",
    "base_pair_probabilities",
    "energy",
    "fold",
    "fold_many",
    "folds_of",
    "layout",
    "minimum_structure",
    "minimum_structures",
    "sample",
    "set_of",
    "version",
]

S = TypeVar("S")
T = TypeVar("T")

CUTOFF = 1e-4
"""Base-pair probabilities below this are taken as 0."""

MAX_LENGTH = 32_700
"""The longest RNA, in bases, that ViennaRNA says it folds."""

DEFAULT_PARAMETERS = "turner2004"

OWN_NAME = "rnass2026"
"""The parameter set of rnass's own energies."""

_PACKAGE = Path(__file__).parents[1]
OWN_ENERGIES = next(
    (path for path in [_PACKAGE / "_weights" / f"{OWN_NAME}.par"] if path.is_file()),
    _PACKAGE.parent / "weights" / f"{OWN_NAME}.par",
)
"""The energies that `rnass fit` made of Turner 2004's, a ViennaRNA parameter file for 37 C: that of the
installed package, else of the checkout."""

PARAMETER_SETS: dict[str, Callable[[], object]] = {
    "turner2004": RNA.params_load_RNA_Turner2004,
    "andronescu2007": RNA.params_load_RNA_Andronescu2007,
    "langdon2018": RNA.params_load_RNA_Langdon2018,
    OWN_NAME: partial(RNA.params_load, str(OWN_ENERGIES)),
}
"""How to load the energy parameters of each name: Mathews et al. 2004 (doi:10.1073/pnas.0401799101),
Andronescu et al. 2007 (doi:10.1093/bioinformatics/btm223), Langdon, Petke & Lorenz 2018 (EuroGP), and
Turner 2004 fitted anew by rnass (see `rnass.training.energies`)."""

SECOND_FOLD = "+second"
"""Suffix of a parameter set's name: its second fold, see `Ensemble.second_fold`."""

TURNER_2004: str = RNA.parameter_set_rna_turner2004
"""The default parameters as a ViennaRNA parameter file."""

_AHEAD = 128  # folds that a worker may do while a batch of RNAs goes through the network
_FIRST = 0.5  # probability of a pair of the first structure; pairs above it exclude each other
_SURE = 200  # bases whose partition function needs no scaling: at most some 1.65 kcal/mol each

DEIGAN_SLOPE, DEIGAN_INTERCEPT = 1.8, -0.6
"""Pseudo-energy of a stacked base of reactivity r, in kcal/mol: slope ln(r + 1) + intercept, with
ViennaRNA's defaults. Deigan et al. 2009, doi:10.1073/pnas.0806929106."""

_global_state = Lock()  # energy tables and plot type are variables of the whole process in ViennaRNA


def version() -> str:
    """The version of ViennaRNA."""
    return str(RNA.__version__)


@dataclass(frozen=True, eq=False)
class BasePairProbabilities:
    """The base-pair probabilities of one RNA, sparse; rounded to float16, so that they are the same
    numbers whether they were computed just now or read from a file.

    Attributes:
        length: number of bases L.
        i, j: shape (n,), 0-based, i < j.
        p: shape (n,), at least `CUTOFF`.
    """

    length: int
    i: NDArray[np.uint16]
    j: NDArray[np.uint16]
    p: NDArray[np.float16]

    def dense(self) -> NDArray[np.float32]:
        """Shape (L, L), symmetric, in [0, 1]."""
        matrix = np.zeros((self.length, self.length), dtype=np.float32)
        matrix[self.i, self.j] = matrix[self.j, self.i] = self.p
        return matrix


class Ensemble:
    """One RNA as ViennaRNA sees it; each part is computed when it is first asked for.

    Args:
        bases: 5' to 3'; an N pairs with nothing. Two strands, `A&B`, are folded together.
        parameters: a name of `PARAMETER_SETS`.
        constraint: a line as long as the RNA: `.` free, `x` unpaired, `|` paired, `<` and `>` paired
            with a base downstream or upstream, `()` this pair; every structure obeys it.
        reactivities: shape (L,), normalised SHAPE reactivities; NaN or -999 where missing (see
            `rnass.decoding.clean_reactivities`). They change the energies by Deigan's formula.
        max_span: most bases that a pair spans, both ends counted; None for no bound.
        forbidden: pairs (i, j), 0-based, i < j, that no structure has.
        unpaired: bases, 0-based, that pair in no structure.

    Raises:
        SequenceError: a letter that is no base, no bases, more than `MAX_LENGTH`.
        ConfigError: an unknown parameter set, reactivities of another length.
        ConstraintError: a constraint that cannot be read; one that no structure obeys is found when
            the first structure is asked for.

    >>> Ensemble("GGGGAAAACCCC").mfe_structure.dot_bracket
    '((((....))))'
    """

    def __init__(
        self,
        bases: str,
        parameters: str = DEFAULT_PARAMETERS,
        *,
        constraint: str | None = None,
        reactivities: ArrayLike | None = None,
        max_span: int | None = None,
        forbidden: Iterable[tuple[int, int]] = (),
        unpaired: Iterable[int] = (),
    ) -> None:
        rna = Rna.from_text(bases)
        self.bases = rna.bases
        self._given = (rna.text, constraint, reactivities, max_span, tuple(forbidden))
        self.parameters = parameters
        informed = constraint is not None or reactivities is not None
        self._sure = len(self.bases) <= _SURE and not informed  # that its partition function is finite
        if len(self.bases) > MAX_LENGTH:
            raise SequenceError(
                f"sequence: {len(self.bases)} bases; expected at most {MAX_LENGTH} for ViennaRNA"
            )
        self._compound = _compound(rna.text, _energies(parameters, max_span))
        if constraint is not None:
            _check_constraint(constraint, len(self.bases))
            self._compound.hc_add_from_db(
                constraint, RNA.CONSTRAINT_DB_DEFAULT | RNA.CONSTRAINT_DB_ENFORCE_BP
            )
        if reactivities is not None:
            self._compound.sc_add_SHAPE_deigan(
                _one_based(reactivities, len(self.bases)), DEIGAN_SLOPE, DEIGAN_INTERCEPT
            )
        for i, j in forbidden:
            self._compound.hc_add_bp(i + 1, j + 1, RNA.CONSTRAINT_CONTEXT_NO_REMOVE)
        for base in unpaired:
            self._compound.hc_add_up(base + 1)

    @cached_property
    def _minimum(self) -> tuple[str, float]:
        dot_bracket, energy = self._compound.mfe()
        if energy >= RNA.INF / 100:  # in ViennaRNA's units of 0.01 kcal/mol
            raise ConstraintError("constraint: no structure obeys it; expected one that some pairs can")
        return dot_bracket, float(energy)

    @cached_property
    def ensemble_energy(self) -> float:
        """The free energy of the whole ensemble, -kT ln Z, in kcal/mol."""
        if not self._sure:
            self._compound.exp_params_rescale(self.mfe)
        return float(self._compound.pf()[1])

    @property
    def mfe(self) -> float:
        """The minimum free energy, in kcal/mol."""
        return self._minimum[1]

    @cached_property
    def mfe_structure(self) -> Structure:
        """The structure of minimum free energy."""
        return Structure.from_dot_bracket(self._minimum[0])

    @cached_property
    def base_pairs(self) -> BasePairProbabilities:
        """The base-pair probabilities, sparse (McCaskill 1990, doi:10.1002/bip.360290621)."""
        _ = self.ensemble_energy  # fills the matrices that the list is read from
        return _sparse(self._compound, len(self.bases))

    @cached_property
    def second_fold(self) -> BasePairProbabilities:
        """The base-pair probabilities once the bases of the first structure pair no more.

        The first structure is the centroid, all pairs more probable than 0.5. What then pairs may cross
        it, as the second stem of a pseudoknot does. Of a constraint only the unpaired bases hold.
        """
        first = self.base_pairs
        taken = np.concatenate([first.i[first.p > _FIRST], first.j[first.p > _FIRST]]).tolist()
        if not taken:
            return first
        text, constraint, reactivities, max_span, forbidden = self._given
        again = Ensemble(
            text,
            self.parameters,
            constraint=_only_unpaired(constraint),
            reactivities=reactivities,
            max_span=max_span,
            forbidden=forbidden,
            unpaired=taken,
        )
        return again.base_pairs

    @property
    def probabilities(self) -> NDArray[np.float32]:
        """The base-pair probabilities, shape (L, L), symmetric; 0 below `CUTOFF`."""
        return self.base_pairs.dense()

    @cached_property
    def mea(self) -> Structure:
        """The structure of maximum expected accuracy, gamma 1.

        Lu et al. 2009, doi:10.1261/rna.1643609.
        """
        _ = self.ensemble_energy
        return Structure.from_dot_bracket(self._compound.MEA()[0])

    @cached_property
    def centroid(self) -> Structure:
        """All pairs more probable than 0.5: the structure nearest to the ensemble."""
        _ = self.ensemble_energy
        return Structure.from_dot_bracket(self._compound.centroid()[0])


def minimum_structure(bases: str, max_span: int | None = None) -> Structure:
    """The structure of minimum free energy without pairs that span more; see `Ensemble`."""
    return Ensemble(bases, max_span=max_span).mfe_structure


def minimum_structures(
    many: Iterable[str], *, max_span: int | None = None, processes: int = 0
) -> Iterator[Structure]:
    """`minimum_structure` of each RNA, in the order given; see `annotate` for *processes*."""
    return _in_order(partial(minimum_structure, max_span=max_span), many, processes)


def base_pair_probabilities(bases: str, parameters: str = DEFAULT_PARAMETERS) -> BasePairProbabilities:
    """The base-pair probabilities of *bases*, two strands as `A&B`; raises what `Ensemble` raises.

    *parameters* names a set, or the second fold of one.
    """
    return all_probabilities(bases, (parameters,))[0]


def all_probabilities(bases: str, parameters: Iterable[str]) -> list[BasePairProbabilities]:
    """`base_pair_probabilities` by several sets or their second folds, each set folded once."""
    names = tuple(parameters)
    ensembles = {name: Ensemble(bases, name) for name in map(set_of, names)}
    return [_of(ensembles[set_of(name)], name) for name in names]


def set_of(name: str) -> str:
    """The parameter set that a name, which may be of its second fold, speaks of."""
    return name.removesuffix(SECOND_FOLD)


def _of(ensemble: Ensemble, name: str) -> BasePairProbabilities:
    return ensemble.second_fold if name.endswith(SECOND_FOLD) else ensemble.base_pairs


def _only_unpaired(constraint: str | None) -> str | None:
    """Of a constraint the bases that must not pair; None of none."""
    if constraint is None:
        return None
    return "".join("x" if symbol == "x" else "." for symbol in constraint)


def energy(bases: str, structure: Structure) -> float:
    """The free energy of a structure with the default parameters, in kcal/mol.

    Energy models know loops only: pairs of a pseudoknot (order 1 and more) are left out.

    Raises:
        SequenceError: a letter that is no base, or none at all.
        StructureError: a structure of another length.
    """
    rna = Rna.from_text(bases)
    if len(structure) != len(rna):
        raise StructureError(f"structure: {counted(len(structure), 'base')}; expected {len(rna)}")
    model, parameters, _ = _energies(DEFAULT_PARAMETERS)
    compound = RNA.fold_compound(rna.text, model, RNA.OPTION_EVAL_ONLY)
    compound.params_subst(parameters)
    return float(compound.eval_structure(structure.up_to_order(0).dot_bracket))


@dataclass(frozen=True)
class Subject:
    """One RNA to fold, and what is known of it; see `Ensemble` for each.

    Attributes:
        bases: 5' to 3'; two strands as `A&B`.
        constraint: where no structure obeys it (it may need a pseudoknot), only its `x` hold.
        forbidden: pairs that no structure has.
        reactivities: one for each base.
        pairs: the base-pair probabilities with the default parameters are wanted for themselves.
    """

    bases: str
    constraint: str | None = None
    forbidden: frozenset[tuple[int, int]] = frozenset()
    reactivities: tuple[float, ...] | None = None
    pairs: bool = False

    def ensemble(self, parameters: str = DEFAULT_PARAMETERS) -> Ensemble:
        """The ensemble of the RNA under all that is known."""
        try:
            found = self._under(self.constraint, parameters)
            if self.constraint is not None:
                _ = found.mfe
        except ConstraintError:
            return self._under(_only_unpaired(self.constraint), parameters)
        return found

    def _under(self, constraint: str | None, parameters: str) -> Ensemble:
        return Ensemble(
            self.bases,
            parameters,
            constraint=constraint,
            reactivities=self.reactivities,
            forbidden=self.forbidden,
        )


@dataclass(frozen=True, eq=False)
class Thermodynamics:
    """What a prediction wants of ViennaRNA for one RNA; it can be sent between processes.

    Attributes:
        mfe: minimum free energy with the default parameters, in kcal/mol; under reactivities the
            energy that the structure has without them.
        mfe_structure: the structure of that energy.
        base_pairs: one for each parameter set or second fold asked for, in that order.
        names: of these.
        mea: with the default parameters; None unless the baseline was asked for.
        centroid: likewise.
        pairs: base-pair probabilities with the default parameters; None unless they or the baseline were
            asked for.
    """

    mfe: float
    mfe_structure: Structure
    base_pairs: tuple[BasePairProbabilities, ...] = ()
    names: tuple[str, ...] = ()
    mea: Structure | None = None
    centroid: Structure | None = None
    pairs: BasePairProbabilities | None = None

    def mean_pairs(self) -> NDArray[np.float32] | None:
        """The mean of `base_pairs` but second folds, (L, L); of none, `pairs`; else None."""
        named = zip(self.names, self.base_pairs, strict=True)
        first = [one for name, one in named if not name.endswith(SECOND_FOLD)]
        known = first or ([self.pairs] if self.pairs else [])
        return np.mean([one.dense() for one in known], axis=0) if known else None


def fold(
    rna: str | Subject, *, parameters: Iterable[str] = (DEFAULT_PARAMETERS,), baseline: bool = False
) -> Thermodynamics:
    """Everything of one RNA at once; partition functions only where they are needed.

    Args:
        rna: bases 5' to 3', or a subject.
        parameters: names of `PARAMETER_SETS`, or of their second folds, whose base-pair probabilities
            are wanted; may be empty.
        baseline: also the structures `mea` and `centroid`.
    """
    (found,) = fold_many([rna], parameters=parameters, baseline=baseline)
    if isinstance(found, RnassError):
        raise found
    return found


def fold_many(
    many: Iterable[str | Subject],
    *,
    parameters: Iterable[str] = (DEFAULT_PARAMETERS,),
    baseline: bool = False,
    processes: int = 0,
) -> Generator[Thermodynamics | RnassError, None, None]:
    """`fold` each RNA, in the order given, or why that failed.

    Each parameter set is work of its own for the *processes*; see `annotate` for those. Until this is
    closed they fold what they were given.
    """
    names = tuple(parameters)
    folds = folds_of(names)
    subjects = (Subject(rna) if isinstance(rna, str) else rna for rna in many)
    tasks = ((subject, name) for subject in subjects for name in folds)
    work = partial(_fold_part_safely, names=names, baseline=baseline)
    parts = _in_order(work, tasks, processes)
    for first in parts:
        of_one = [first, *islice(parts, len(folds) - 1)]
        if errors := [part for part in of_one if isinstance(part, RnassError)]:
            yield errors[0]
            continue
        found = [part for part in of_one if not isinstance(part, RnassError)]
        by_name = {name: one for _, some in found for name, one in some.items()}
        yield replace(
            cast("Thermodynamics", found[0][0]),
            base_pairs=tuple(by_name[name] for name in names),
            names=names,
        )


def folds_of(parameters: Iterable[str]) -> tuple[str, ...]:
    """The sets that an RNA is folded by if these are asked for: the default one, for its MFE, first."""
    sets = dict.fromkeys(map(set_of, parameters))
    return (DEFAULT_PARAMETERS, *(name for name in sets if name != DEFAULT_PARAMETERS))


def _fold_part_safely(
    task: tuple[Subject, str], *, names: tuple[str, ...], baseline: bool
) -> "tuple[Thermodynamics | None, dict[str, BasePairProbabilities]] | RnassError":
    """`_fold_part`, or the error that ended it, so that it ends no other RNA's."""
    try:
        return _fold_part(task, names=names, baseline=baseline)
    except Exception as error:
        return record_error(error, "ViennaRNA")


def _fold_part(
    task: tuple[Subject, str], *, names: tuple[str, ...], baseline: bool
) -> tuple[Thermodynamics | None, dict[str, BasePairProbabilities]]:
    """What one parameter set gives: the default one, all but base-pair probabilities too."""
    subject, own = task
    ensemble = subject.ensemble(own)
    found = {name: _of(ensemble, name) for name in names if set_of(name) == own}
    if own != DEFAULT_PARAMETERS:
        return None, found
    default = Thermodynamics(
        ensemble.mfe if subject.reactivities is None else energy(subject.bases, ensemble.mfe_structure),
        ensemble.mfe_structure,
        mea=ensemble.mea if baseline else None,
        centroid=ensemble.centroid if baseline else None,
        pairs=ensemble.base_pairs if subject.pairs or baseline else None,
    )
    return default, found


def annotate(
    many: Iterable[str], *, parameters: str = DEFAULT_PARAMETERS, processes: int = 0
) -> Iterator[BasePairProbabilities]:
    """The base-pair probabilities of each RNA, in the order given.

    Args:
        many: bases of each RNA; read only so far ahead of what is taken as workers are to be kept busy.
        parameters: a name of `PARAMETER_SETS`, or of its second fold.
        processes: worker processes; 0 computes in this one, when an item is taken.

    Workers are spawned, not forked: a fork copies the locks of torch's threads, held or not, and can
    hang. So with processes > 0 a script needs the usual `if __name__ == "__main__":`.

    Raises:
        WorkerError: a worker was killed; what had been folded by then has been given or is lost.
    """
    return _in_order(partial(base_pair_probabilities, parameters=parameters), many, processes)


@dataclass(frozen=True, eq=False)
class Sample:
    """Some structures of one RNA, each drawn as often as its Boltzmann weight says.

    Attributes:
        structures: with repetition.
        ensemble_energy: -kT ln Z, in kcal/mol.
        base_pairs: the base-pair probabilities that they are drawn by.
    """

    structures: tuple[Structure, ...]
    ensemble_energy: float
    base_pairs: BasePairProbabilities


def sample(many: Iterable[str], parameters: str, n: int, seed: int) -> Iterator[Sample]:
    """Draw *n* structures of each RNA (Ding & Lawrence 2003, doi:10.1093/nar/gkg938).

    Args:
        many: bases of each RNA, over ACGUN.
        parameters: the text of a ViennaRNA parameter file.
        n: structures of each; 0 for the base-pair probabilities alone.
        seed: the same one gives the same structures.
    """
    load = partial(RNA.params_load_from_string, parameters, "given")
    scaled = _scaled(load, sampled=n > 0)
    state = (ctypes.c_ushort * 3).from_address(int(RNA.cvar.xsubi))  # of ViennaRNA's random numbers
    for number, bases in enumerate(many):
        state[:] = np.random.SeedSequence([seed, number]).generate_state(3).astype(np.uint16).tolist()
        compound = _compound(bases, scaled)
        if len(bases) > _SURE:
            compound.exp_params_rescale(compound.mfe()[1])
        energy = float(compound.pf()[1])
        drawn = tuple(map(Structure.from_dot_bracket, compound.pbacktrack(n))) if n else ()
        yield Sample(drawn, energy, _sparse(compound, len(bases)))


def _compound(text: str, scaled: tuple[Any, Any, Any]) -> Any:
    """An RNA, two strands as `A&B`, with what `_scaled` gives."""
    model, energies, weights = scaled
    compound = RNA.fold_compound(text, model)
    # In the other order ViennaRNA 2.7 forgets the weights, unless it is asked for the MFE first.
    compound.exp_params_subst(weights)
    compound.params_subst(energies)
    return compound


def _sparse(compound: Any, length: int) -> BasePairProbabilities:
    """The base-pair probabilities of a fold compound whose partition function was computed."""
    entries = [
        (e.i - 1, e.j - 1, e.p)
        for e in compound.plist_from_probs(CUTOFF)
        if e.type == RNA.PLIST_TYPE_BASEPAIR
    ]
    i, j, p = np.array(entries, dtype=np.float64).reshape(-1, 3).T
    return BasePairProbabilities(length, i.astype(np.uint16), j.astype(np.uint16), p.astype(np.float16))


def _in_order(work: Callable[[S], T], many: Iterable[S], processes: int) -> Iterator[T]:
    """Map over worker processes, results in order, at most `_AHEAD` of them a worker ahead."""
    if processes <= 0:
        yield from map(work, many)
        return
    pool = ProcessPoolExecutor(processes, get_context("spawn"), _start_worker)
    waiting: deque[Future[T]] = deque()
    try:
        for bases in many:
            waiting.append(pool.submit(work, bases))
            if len(waiting) > _AHEAD * processes:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise WorkerError(
            "ViennaRNA: a worker process was killed, most likely as memory ran out; expected more "
            "memory or fewer workers (lower --threads or --processes)"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _start_worker() -> None:
    """Ctrl-C ends a worker at once and silently, even inside a long fold; so does its parent's end."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A killed parent closes nothing: its workers would wait for work for ever."""
    if parent := parent_process():
        parent.join()
    os._exit(1)


def layout(structure: Structure) -> NDArray[np.float64]:
    """Coordinates of the bases in a plane drawing of the nested pairs, shape (L, 2).

    Pairs of a higher pseudoknot order do not shape it. RNApuzzler (Wiegreffe et al. 2019,
    doi:10.1093/bioinformatics/bty817) draws without overlaps, but crashes or hangs on hairpins that
    no RNA can form; those are drawn by NAView (Bruccoleri & Heinrich 1988,
    doi:10.1093/bioinformatics/4.1.167).
    """
    nested = structure.up_to_order(0)
    if not len(nested):
        return np.zeros((0, 2))
    loops = nested.pairs[:, 1] - nested.pairs[:, 0] - 1
    tight = loops.min(initial=MIN_HAIRPIN) < MIN_HAIRPIN
    with _global_state:
        before = RNA.cvar.rna_plot_type
        RNA.cvar.rna_plot_type = RNA.PLOT_TYPE_NAVIEW if tight else RNA.PLOT_TYPE_PUZZLER
        try:
            points = RNA.get_xy_coordinates(nested.dot_bracket)
        finally:
            RNA.cvar.rna_plot_type = before
    return np.array([(points.get(k).X, points.get(k).Y) for k in range(len(nested))], dtype=np.float64)


@cache
def _energies(name: str, max_span: int | None = None) -> tuple[Any, Any, Any]:
    """Model details, energies and Boltzmann weights of a parameter set; raises ConfigError.

    Each set is loaded once and given to every fold compound by hand, so the tables of the process
    stay those of Turner 2004.
    """
    return _scaled(_known(name), max_span)


def _known(name: str) -> Callable[[], object]:
    if name not in PARAMETER_SETS:
        raise ConfigError(
            f"parameters: {name!r} is unknown; expected one of {', '.join(PARAMETER_SETS)}"
        )
    return PARAMETER_SETS[name]


def _scaled(
    load: Callable[[], object], max_span: int | None = None, *, sampled: bool = False
) -> tuple[Any, Any, Any]:
    """Model details, energies and Boltzmann weights of what is loaded so."""
    with _global_state:
        try:
            _load(load)
            model = RNA.md()
            model.max_bp_span = max_span or -1
            model.uniq_ML = int(sampled)
            return model, RNA.param(model), RNA.exp_param(model)
        finally:
            _load(PARAMETER_SETS[DEFAULT_PARAMETERS])


def _load(load: Callable[[], object]) -> None:
    """Load a parameter set so that it takes effect.

    ViennaRNA 2.7.2 keeps the last energies it scaled and hands them out again for the same model
    details, even after another set was loaded; scaling once for another temperature displaces them.
    """
    load()
    other = RNA.md()
    other.temperature += 1
    RNA.param(other)
    RNA.exp_param(other)


def _check_constraint(line: str, length: int) -> None:
    """Raise ConstraintError unless *line* is a constraint for *length* bases."""
    from rnass.constraints import Constraints  # here, as most workers need none of it

    if len(line) != length:
        found = counted(len(line), "symbol")
        raise ConstraintError(f"constraint: {found}; expected {length}, one for each base")
    Constraints.from_line(line, "constraint")


def _one_based(reactivities: ArrayLike, length: int) -> list[float]:
    """Reactivities as ViennaRNA takes them: from index 1, missing values negative."""
    from rnass.decoding.probing import clean_reactivities  # here, as most workers need none of it

    values = clean_reactivities(reactivities)
    if values.shape != (length,):
        raise ConfigError(f"reactivities: shape {values.shape}; expected ({length},), one for each base")
    return [MISSING_REACTIVITY, *np.where(np.isnan(values), MISSING_REACTIVITY, values).tolist()]
