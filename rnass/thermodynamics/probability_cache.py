"""Base-pair probabilities of many RNAs, kept on disk.

Keyed by content: a file of the cache belongs to one parameter file (its text, and ViennaRNA's version),
not to the name of a set, so that after a new fit nothing stale is found; within it an RNA is found by a
digest of its bases.
"""

import hashlib
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from rnass.files import make_folder, write_atomically
from rnass.thermodynamics.base_pairs import BasePairProbabilities
from rnass.thermodynamics.folding import base_pair_probabilities_of_many
from rnass.thermodynamics.parameter_sets import fingerprint
from rnass.thermodynamics.second_fold import SECOND_FOLD, set_of

__all__ = ["ProbabilityCache", "cached_probabilities"]

_ARRAYS = ("digest", "offset", "i", "j", "p")


class ProbabilityCache:
    """ViennaRNA's base-pair probabilities of many RNAs by one parameter set, sparse.

    Args:
        arrays: `digest` (n, 16), the blake2b of each RNA's bases; `offset` (n + 1,); and `i`, `j`, `p`,
            the 0-based pairs of RNA k at offset[k]:offset[k + 1].
    """

    def __init__(self, arrays: dict[str, NDArray[Any]]) -> None:
        self._arrays = arrays
        self._row = {digest.tobytes(): row for row, digest in enumerate(arrays["digest"])}

    @classmethod
    def compute(cls, rnas: Sequence[str], name: str, processes: int = 0) -> "ProbabilityCache":
        """Fold every RNA; *name* is that of a parameter set, or of its second fold."""
        sparse = list(base_pair_probabilities_of_many(rnas, name, processes=processes))
        counts = [len(one.p) for one in sparse]
        return cls(
            {
                "digest": np.stack([np.frombuffer(_digest(rna), dtype=np.uint8) for rna in rnas]),
                "offset": np.cumsum([0, *counts]),
                "i": np.concatenate([one.i for one in sparse]),
                "j": np.concatenate([one.j for one in sparse]),
                "p": np.concatenate([one.p for one in sparse]),
            }
        )

    @classmethod
    def load(cls, path: Path) -> "ProbabilityCache | None":
        """Read what `save` wrote; None where there is no such file, or a damaged one."""
        try:
            with path.open("rb") as content, np.load(content) as file:  # closed, whatever it holds
                return cls({name: file[name] for name in _ARRAYS})
        except (OSError, EOFError, ValueError, LookupError, TypeError, BadZipFile, zlib.error):
            return None

    def save(self, path: Path) -> None:
        """Write as .npz, whole or not at all."""
        make_folder(path.parent)
        with write_atomically(path) as file:
            np.savez_compressed(file, **self._arrays)  # type: ignore[arg-type]

    def __contains__(self, bases: str) -> bool:
        return _digest(bases) in self._row

    def __add__(self, other: "ProbabilityCache") -> "ProbabilityCache":
        """The RNAs of both, none of which is in both."""
        one, two = self._arrays, other._arrays
        joined = {name: np.concatenate([one[name], two[name]]) for name in ("digest", "i", "j", "p")}
        joined["offset"] = np.concatenate([one["offset"], two["offset"][1:] + one["offset"][-1]])
        return ProbabilityCache(joined)

    def dense(self, bases: str) -> NDArray[np.float32]:
        """Base-pair probabilities of one RNA, (L, L), symmetric."""
        row = self._row[_digest(bases)]
        part = slice(self._arrays["offset"][row], self._arrays["offset"][row + 1])
        i, j, p = (self._arrays[name][part] for name in ("i", "j", "p"))
        return BasePairProbabilities(len(bases), i, j, p).dense()


def cached_probabilities(
    rnas: Iterable[str], name: str, folder: Path, label: str, processes: int = 0
) -> ProbabilityCache:
    """Base-pair probabilities of some RNAs; what the cache lacks is computed and added to it.

    A damaged file is made again. Of several processes that want the same file one computes, and the
    others wait and read.

    Args:
        rnas: bases of each RNA.
        name: of a parameter set, or of its second fold.
        folder: of the cache.
        label: begins the name of the file that is read and written, such as the name of a data file.
        processes: worker processes that fold; 0 folds in this one.
    """
    second = "-second" if name.endswith(SECOND_FOLD) else ""
    path = folder / f"{label}.{fingerprint(set_of(name))}{second}.npz"
    make_folder(folder)
    with FileLock(f"{path}.lock"):
        known = ProbabilityCache.load(path)
        wanted = {bases for bases in rnas if known is None or bases not in known}
        if not wanted and known is not None:
            return known
        lacking = sorted(wanted, key=lambda bases: (len(bases), bases))
        computed = ProbabilityCache.compute(lacking, name, processes)
        known = computed if known is None else known + computed
        known.save(path)
        return known


def _digest(bases: str) -> bytes:
    return hashlib.blake2b(bases.encode(), digest_size=16).digest()
