"""The manifest of shipped files."""

import hashlib
import json

import pytest

from rnass.errors import CheckpointError
from rnass.manifest import check_content, manifest_entry, verdict


@pytest.fixture
def shipped(tmp_path):
    """A file, and writes the manifest beside it."""
    path = tmp_path / "energies.par"
    path.write_bytes(b"content")

    def write(text):
        (tmp_path / "manifest.json").write_text(text)
        return path

    return write


def test_a_file_as_released(shipped):
    path = shipped(json.dumps({"energies.par": {"sha256": hashlib.sha256(b"content").hexdigest()}}))
    assert verdict(path) == "as in manifest.json"
    assert check_content(path, b"content")


def test_an_altered_file(shipped):
    path = shipped(json.dumps({"energies.par": {"sha256": "0" * 64}}))
    assert verdict(path).startswith("ALTERED: manifest.json has 0000")
    with pytest.raises(CheckpointError, match="altered or damaged"):
        check_content(path, b"content")


def test_a_file_that_nothing_is_known_of(shipped, tmp_path):
    path = shipped("{}")
    assert verdict(path) == "not checked: no entry in manifest.json"
    assert not check_content(path, b"content")
    (tmp_path / "manifest.json").unlink()
    assert verdict(path) == "not checked: no manifest.json beside it"
    assert manifest_entry(path) == {}


@pytest.mark.parametrize("text", ["", "[]", '{"energies.par": 3}', '{"energies.par"', "[" * 100_000])
def test_a_manifest_that_is_none(shipped, text):
    with pytest.raises(CheckpointError, match=r"manifest\.json: .*expected"):
        manifest_entry(shipped(text))
