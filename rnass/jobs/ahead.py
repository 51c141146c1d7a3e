"""Work that begins before torch is loaded, which takes a second: first folds, and how memory is kept."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rnass.network.heap import keep_freed_memory
from rnass.network.weights import find_weights, parameter_sets_of
from rnass.prediction.limits import LONGEST_WHOLE
from rnass.prediction.restraints import fold_input
from rnass.rna import Rna
from rnass.thermodynamics.folding import FoldAhead

if TYPE_CHECKING:
    from rnass.jobs.predict import PredictOptions

__all__ = ["folding_ahead", "keep_memory"]

_KEPT = 2000  # bases read at once; above that gaps in kept memory nearly double the peak, at 4,000
_FEW = 20  # RNAs that are folded ahead, at most,
_WORTH = 1e6  # if the cubes of their lengths add up to more


@contextmanager
def folding_ahead(
    rnas: Sequence[Rna], options: "PredictOptions", *, in_windows: bool = True
) -> Iterator[FoldAhead | None]:
    """Begin to fold RNAs in other processes, which is faster where there are few of some length.

    Until the block ends these are at work beside what loads torch and the model; None where ViennaRNA is
    not read, or there is one thread only.

    Args:
        rnas: all of a run.
        options: of the run.
        in_windows: whether long ones are predicted in windows.
    """
    threads = options.threads or _threads()
    whole = [rna for rna in rnas if len(rna) <= min(options.longest_whole, LONGEST_WHOLE)]
    worth = len(rnas) <= _FEW and sum(len(rna) ** 3 for rna in whole) > _WORTH
    if not (worth and options.thermodynamics and threads > 1) or options.resume:
        yield None
        return
    keep_memory(rnas, options, in_windows=in_windows)
    ahead = FoldAhead(
        [fold_input(rna, mfe_bpp=options.shaded, conditions=options.conditions) for rna in whole],
        parameter_sets=parameter_sets_of(find_weights(options.weights)),
        baseline=options.baseline,
        processes=min(threads, 2 * len(whole)),
    )
    try:
        yield ahead
    finally:
        ahead.close()


def keep_memory(rnas: Iterable[Rna], options: "PredictOptions", *, in_windows: bool) -> None:
    """Keep freed memory, unless the network reads so many bases at once that gaps would be too large.

    Two strands are never predicted in windows.
    """
    whole, window = options.longest_whole, options.window
    at_once = (
        window if in_windows and rna.nick is None and len(rna) > whole else len(rna) for rna in rnas
    )
    if max(at_once, default=0) <= _KEPT:
        keep_freed_memory()


def _threads() -> int:
    """The threads that torch will take."""
    chosen = os.environ.get("OMP_NUM_THREADS", "")
    if chosen.isdigit():
        return int(chosen)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
