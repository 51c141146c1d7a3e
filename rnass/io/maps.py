"""Maps of pairing probabilities: in NumPy's format (.npy), and sparse in SciPy's (.npz)."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, load_npz, save_npz

from rnass.errors import InputError
from rnass.files import read_npy, reason, write_atomically, write_npy

__all__ = ["MAP_SUFFIXES", "read_map", "read_sparse_map", "write_map"]

MAP_SUFFIXES = (".decoded.npy", ".npy", ".decoded.npz", ".npz")
"""Of the maps of a record: first the one that the structure was decoded from, where it differs; the
latter two are sparse."""

_TOLERANCE = 1e-4  # between the two triangles: maps may have been rounded


def read_map(path: str | Path, length: int | None = None) -> NDArray[np.float32]:
    """Read a symmetric map, shape (L, L); of one that has an empty triangle the other counts for both.

    Args:
        path: the .npy file.
        length: number of bases of the RNA; None for any.

    Raises:
        InputError: no such file, no array of numbers, not square, not of *length* bases, with two
            triangles that differ, or with a number that is no probability.
    """
    values = read_npy(path)
    square = values.ndim == 2 and 0 < values.shape[0] == values.shape[1]
    fits = square and length in (None, len(values))
    if not fits or values.dtype.kind not in "fiub":
        expected = "L x L" if length is None else f"{length} x {length}"
        raise InputError(f"{path}: shape {values.shape}, {values.dtype}; expected {expected} numbers")
    with np.errstate(over="ignore"):  # a number too large is infinite, and no probability either
        single = values.astype(np.float32)
    _refuse_improbable(single, path)
    return _symmetric(single, path)


def read_sparse_map(path: str | Path, length: int) -> csr_array:
    """Read the sparse map, (L, L), of an RNA of *length* bases, too long for a whole one.

    Raises:
        InputError: no such file, no sparse array, of another shape, or with a number that is no
            probability.
    """
    try:
        values = csr_array(load_npz(path))
    except OSError as error:
        raise InputError(f"{path}: {reason(error)}; expected a file to read") from error
    except Exception as error:  # a zip file of anything
        raise InputError(f"{path}: not a sparse array; expected SciPy's format") from error
    if values.shape != (length, length):
        raise InputError(f"{path}: shape {values.shape}; expected {length} x {length}")
    _refuse_improbable(values.data, path)
    return values


def write_map(path: str | Path, probabilities: NDArray[np.floating] | csr_array) -> None:
    """Write a map as float32 in NumPy's format, or a sparse one in SciPy's; raises OutputError."""
    if not isinstance(probabilities, csr_array):
        write_npy(path, probabilities)
        return
    with write_atomically(path) as file:
        save_npz(file, probabilities.astype(np.float32))


def _refuse_improbable(values: NDArray[np.floating], path: str | Path) -> None:
    """Raise InputError where a number is outside 0 to 1, but for rounding, or no number."""
    good = (values >= -_TOLERANCE) & (values <= 1 + _TOLERANCE)
    if not good.all():
        raise InputError(f"{path}: {values[~good][0]:.4g} in the map; expected probabilities, 0 to 1")


def _symmetric(values: NDArray[np.float32], path: str | Path) -> NDArray[np.float32]:
    """The map, (L, L), with one triangle copied to the other if that is empty; raises InputError."""
    upper, lower = np.triu(values, 1), np.tril(values, -1)
    if not (upper.any() and lower.any()):
        return np.asarray(values + upper.T + lower.T)
    differ = ~np.isclose(values, values.T, rtol=0, atol=_TOLERANCE)
    if differ.any():
        i, j = np.argwhere(differ)[0]
        raise InputError(
            f"{path}: {values[i, j]:.4g} for bases {i + 1} and {j + 1}, {values[j, i]:.4g} for {j + 1} "
            f"and {i + 1}; expected a symmetric map, or one triangle of it"
        )
    return values
