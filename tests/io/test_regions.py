"""Regions in BED: what the format allows is read, what it does not is named by its line."""

import pytest

from rnass.errors import InputError
from rnass.io.regions import Region, read_regions


@pytest.fixture
def bed(tmp_path):
    def write(text):
        path = tmp_path / "regions.bed"
        path.write_text(text)
        return path

    return write


def test_a_bed_file_is_read(bed):
    path = bed("track name=x\n#id\tstart\tend\na\t0\t6\tsite one\t0\t+\n\nb 3 4\nb\t3\t9\t\n")
    assert read_regions(path) == [
        Region("a", 0, 6, "site one", f"{path}:3"),
        Region("b", 3, 4, "", f"{path}:5"),
        Region("b", 3, 9, "", f"{path}:6"),
    ]


@pytest.mark.parametrize(
    ("line", "match"),
    [
        ("a\t3", r"regions\.bed:2: 'a\\t3'; expected the ID of a record, a start from 0"),
        ("a\t3\tx", r"regions\.bed:2"),
        ("a\t-1\t4", r"regions\.bed:2"),
        ("a\t4\t4", r"regions\.bed:2: start 4, end 4"),
        ("a\t1\t4\tx\t0\t-", r"regions\.bed:2: strand -"),
    ],
)
def test_a_bad_line_is_named(bed, line, match):
    with pytest.raises(InputError, match=match):
        read_regions(bed(f"a\t0\t2\n{line}\n"))


def test_a_file_without_regions_is_refused(bed):
    with pytest.raises(InputError, match=r"regions\.bed: no region; expected lines with the ID"):
        read_regions(bed("# nothing\n"))
