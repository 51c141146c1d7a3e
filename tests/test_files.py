import bz2
import gzip
import io
import json
import lzma
import stat
import tracemalloc
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnass.errors import ConfigError, InputError, OutputError
from rnass.files import (
    LIMIT_VARIABLE,
    files_in,
    is_file,
    is_folder,
    is_there,
    parse_json,
    read_limit,
    read_lines,
    read_npy,
    write_atomically,
    write_json,
    write_npy,
    write_text,
)


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


@pytest.fixture
def limit(monkeypatch):
    """Set the most that is read from one file."""
    return lambda value: monkeypatch.setenv(LIMIT_VARIABLE, value)


def test_no_more_than_the_limit_is_read(tmp_path, limit):
    (tmp_path / "x").write_text("A" * 3000)
    limit("3000")
    assert read_lines(tmp_path / "x") == ["A" * 3000]
    limit("2999")
    with pytest.raises(
        InputError, match=r"x: more than 2,999 bytes of text; expected less, or a higher"
    ):
        read_lines(tmp_path / "x")


@pytest.mark.parametrize(
    ("text", "size"), [("", 2**30), ("500M", 500 * 2**20), ("2GiB", 2**31), ("7", 7)]
)
def test_the_limit_is_a_number_of_bytes(limit, text, size):
    limit(text)
    assert read_limit() == size


@pytest.mark.parametrize("text", ["0", "-1", "x", "M", "1e9", "9" * 30, "B"])
def test_a_limit_that_is_no_number(limit, text):
    limit(text)
    with pytest.raises(ConfigError, match=r"RNASS_MAX_INPUT: .*; expected a number of bytes"):
        read_limit()


def test_a_small_gzip_file_of_a_large_text_is_unpacked_no_further_than_the_limit(tmp_path, limit):
    (tmp_path / "x.gz").write_bytes(gzip.compress(b"A" * 200_000_000))
    limit("10M")
    tracemalloc.start()
    with pytest.raises(InputError, match="more than 10,485,760 bytes of text"):
        read_lines(tmp_path / "x.gz")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40_000_000


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/urandom"])
def test_a_device_that_never_ends_is_an_error(device):
    with pytest.raises(InputError, match=f"{device}: .*; expected"):
        read_lines(device)


@given(
    st.lists(st.sampled_from(["", "a", "β" * 7, "x y"]), max_size=30),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_lines_are_those_of_the_text_whatever_the_size_of_the_pieces(lines, end):
    data = "".join(f"{line}{end}" for line in lines).encode()
    for size in (2, 3, 1000):
        for content in (data, gzip.compress(data)):
            with (
                patch("rnass.files._CHUNK", size),
                patch("sys.stdin", SimpleNamespace(buffer=io.BytesIO(content))),
            ):
                assert read_lines("-") == lines


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
def test_the_line_of_a_bad_byte_whatever_the_size_of_the_pieces(tmp_path, monkeypatch, size):
    monkeypatch.setattr("rnass.files._CHUNK", size)
    (tmp_path / "x").write_bytes("β\r\nb\rc\n".encode() + b"d\xe9\n")
    with pytest.raises(InputError, match="x:4: byte 0xe9 is not UTF-8"):
        read_lines(tmp_path / "x")


@pytest.mark.parametrize(
    ("packed", "name"),
    [
        (bz2.compress(b">x\nACGU\n"), "bzip2"),
        (lzma.compress(b">x\nACGU\n"), "xz"),
        (b"\x28\xb5\x2f\xfd\x20\x08", "Zstandard"),
        (b"PK\x03\x04", "zip"),
    ],
)
def test_other_compressions_are_named(tmp_path, packed, name):
    (tmp_path / "x").write_bytes(packed)
    with pytest.raises(InputError, match=f"x: compressed by {name}; expected text, or gzip"):
        read_lines(tmp_path / "x")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_other_encodings_are_named(tmp_path, encoding):
    (tmp_path / "x").write_bytes(">x\nACGU\n".encode(encoding))
    with pytest.raises(InputError, match=f"x: {encoding[:6].upper()} text; expected UTF-8"):
        read_lines(tmp_path / "x")


@pytest.mark.parametrize("name", ["x" * 300, "x\0y", "\ud800", "x/" * 3000])
def test_names_that_no_file_can_have(name):
    assert [is_folder(name), is_file(name), is_there(name)] == [False] * 3
    for read in (read_lines, read_npy):
        with pytest.raises(InputError, match=r"expected a file to read|not an array"):
            read(name)
    with pytest.raises(InputError, match="expected a folder to read"):
        files_in(name, (".x",))
    with pytest.raises(OutputError, match="expected a place that can be written"):
        write_text(name, "")


def test_standard_input_that_is_closed(monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(InputError, match="standard input: closed; expected"):
        read_lines("-")


def test_a_folder_that_cannot_be_read_is_an_error_and_not_an_empty_one(tmp_path, monkeypatch):
    (tmp_path / "inside").mkdir()
    (tmp_path / "x.ct").touch()

    def refused(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("os.scandir", refused)
    with pytest.raises(InputError, match="permission denied; expected a folder to read"):
        files_in(tmp_path, (".ct",), deep=True)


def test_files_of_a_folder_and_of_those_within(tmp_path):
    (tmp_path / "a").mkdir()
    for name in ("b.ct", "a.CT.gz", "a/c.ct", "x.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in files_in(tmp_path, (".ct",))] == ["a.CT.gz", "b.ct"]
    assert [path.name for path in files_in(tmp_path, (".ct",), deep=True)] == ["c.ct", "a.CT.gz", "b.ct"]


def npy(header):
    text = header.encode() + b" " * (117 - len(header)) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(16)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x93NUMPY",
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000, 1000000000), }"),
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"),
        npy("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }"),
        npy("(" * 110),
        npy("{'descr'"),
        npy("[" + "0"),
    ],
)
def test_arrays_that_hold_less_than_they_claim(tmp_path, content):
    (tmp_path / "x.npy").write_bytes(content)
    with pytest.raises(
        InputError, match=r"x.npy: not an array; expected NumPy's format, without pickle"
    ):
        read_npy(tmp_path / "x.npy")


def test_an_archive_of_arrays_is_no_array(tmp_path):
    np.savez(tmp_path / "x.npz", a=np.zeros(2))
    with pytest.raises(InputError, match="an archive of arrays; expected one"):
        read_npy(tmp_path / "x.npz")


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a": ' + "9" * 10_000 + "}", "{", b"\xff", "[]", ""])
def test_json_that_is_deep_huge_or_of_another_kind(text):
    with pytest.raises(OutputError, match=r"^here: .*; expected"):
        parse_json(text, "here", error=OutputError)


def test_a_path_that_is_not_utf8_does_not_fail_at_the_end(tmp_path):
    write_json(tmp_path / "x.json", {"file": "caf\udce9.fa"})
    assert json.loads((tmp_path / "x.json").read_text(encoding="utf-8")) == {"file": "caf\udce9.fa"}
