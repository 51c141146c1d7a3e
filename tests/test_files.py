import json
import stat

import numpy as np
import pytest

from rnass.errors import OutputError
from rnass.files import write_atomically, write_json, write_npy, write_text


def test_the_file_appears_only_when_whole(tmp_path):
    path = tmp_path / "x"
    path.write_text("old")
    with write_atomically(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_reader_of_the_old_file_is_not_disturbed(tmp_path):
    path = tmp_path / "x"
    path.write_text("old")
    with path.open() as reader:
        write_text(path, "new")
        assert reader.read() == "old"


def interrupted_write(path, error):
    with write_atomically(path) as file:
        file.write(b"half")
        raise error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_interrupted_write_leaves_what_was_there(tmp_path, error):
    path = tmp_path / "x"
    path.write_text("old")
    with pytest.raises(error):
        interrupted_write(path, error)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_file_has_ordinary_permissions(tmp_path):
    (tmp_path / "plain").touch()
    write_text(tmp_path / "x", "")
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "x")}
    assert len(modes) == 1


def test_a_full_disk_is_an_output_error(tmp_path):
    with (
        pytest.raises(OutputError, match="x: no space left on device; expected"),
        write_atomically(tmp_path / "x"),
    ):
        raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_the_way(tmp_path):
    (tmp_path / "x").mkdir()
    with pytest.raises(OutputError, match="x: "):
        write_text(tmp_path / "x", "")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_lines_end_in_lf_and_text_is_utf8(tmp_path):
    write_text(tmp_path / "x", "β\n")
    assert (tmp_path / "x").read_bytes() == b"\xce\xb2\n"


def test_npy_is_float32_without_pickle(tmp_path):
    array = np.arange(6, dtype=np.float64).reshape(2, 3)
    write_npy(tmp_path / "x.npy", array)
    again = np.load(tmp_path / "x.npy", allow_pickle=False)
    assert again.dtype == np.float32
    assert (again == array).all()


def test_json(tmp_path):
    write_json(tmp_path / "x.json", {"β": [1, None]})
    assert json.loads((tmp_path / "x.json").read_text(encoding="utf-8")) == {"β": [1, None]}
