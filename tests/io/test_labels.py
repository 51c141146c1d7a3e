"""Tables of labels: both separators, gzip, quotes."""

import gzip

import pytest

from rnass.errors import InputError
from rnass.io.labels import read_labels


def test_commas_quotes_and_gzip(tmp_path):
    text = 'label,id,sequence,other\n"a, b",x y,ggt,1\n\n0.5,z,ACN,2\n'
    with gzip.open(tmp_path / "t.csv.gz", "wt") as file:
        file.write(text)
    records = read_labels(tmp_path / "t.csv.gz", "label")
    assert [(s.id, s.bases, label) for s, label in records] == [
        ("x", "GGU", "a, b"),
        ("z", "ACN", "0.5"),
    ]


def test_a_column_of_that_name_goes_before_the_derived_one(tmp_path):
    path = tmp_path / "t.tsv"
    path.write_text("id\tsequence\tdot_bracket\tpaired\nx\tGGC\t(.)\tno\n")
    assert read_labels(path, "paired")[0][1] == "no"
    path.write_text("id\tsequence\tdot_bracket\nx\tGGC\t(.)\n")
    assert read_labels(path, "paired")[0][1] == "101"


@pytest.mark.parametrize("text", ["", "id\tsequence\n"])
def test_a_table_without_the_column(tmp_path, text):
    (tmp_path / "t.tsv").write_text(text)
    with pytest.raises(InputError, match=r"t\.tsv:1: no column .*expected id, sequence and dot_bracket"):
        read_labels(tmp_path / "t.tsv", "paired")


def test_a_cell_that_is_too_long_for_a_table(tmp_path):
    (tmp_path / "t.tsv").write_text("id\tsequence\tlabel\nx\t" + "A" * 200_000 + "\t1\n")
    with pytest.raises(InputError, match=r"t\.tsv: field larger than field limit .*; expected rows"):
        read_labels(tmp_path / "t.tsv", "label")
