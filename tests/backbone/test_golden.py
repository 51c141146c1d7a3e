"""Agreement with reference packages that need not be installed: files of what they said (SOURCE.md)."""

import pytest
from golden_files import GOLDEN, lay_out, read_golden
from parity import assert_agrees


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_what_a_reference_said_stands(path, tmp_path):
    weights, words, expected = read_golden(path)
    lay_out(weights, words, tmp_path)
    assert_agrees(tmp_path, expected, tuple(words["masked"]))


def test_every_family_has_a_golden_file_and_each_is_small():
    families = {"rna-fm", "mrna-fm", "rnabert", "plantrna-fm", "aido-rna"}
    for family in families:
        files = [path for path in GOLDEN if path.stem.startswith(family)]
        assert files
        assert sum(path.stat().st_size for path in files) < 100_000
