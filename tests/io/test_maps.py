"""Sparse maps, read back; what is no such file."""

import numpy as np
import pytest
from scipy.sparse import csr_array, load_npz

from rnass.errors import InputError
from rnass.io import read_sparse_map, write_map


def test_a_sparse_map_is_read_back(tmp_path):
    values = csr_array(np.diag(np.full(4, 0.25), 2))
    write_map(tmp_path / "x.npz", values)
    np.testing.assert_array_equal(read_sparse_map(tmp_path / "x.npz", 6).toarray(), values.toarray())
    assert load_npz(tmp_path / "x.npz").dtype == np.float32


def test_what_is_no_sparse_map(tmp_path):
    (tmp_path / "text.npz").write_text("no")
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    write_map(tmp_path / "x.npz", csr_array((6, 6)))
    for name, message in (
        ("none.npz", "no such file"),
        ("text.npz", "not a sparse array"),
        ("other.npz", "not a sparse array"),
    ):
        with pytest.raises(InputError, match=f"{name}: {message}"):
            read_sparse_map(tmp_path / name, 6)
    write_map(tmp_path / "two.npz", csr_array(2 * np.eye(6)))
    with pytest.raises(InputError, match=r"two.npz: 2 in the map; expected probabilities, 0 to 1"):
        read_sparse_map(tmp_path / "two.npz", 6)
    with pytest.raises(InputError, match=r"x.npz: shape \(6, 6\); expected 7 x 7"):
        read_sparse_map(tmp_path / "x.npz", 7)
