"""Readers of alignments. The layouts are those that Infernal, MAFFT and Clustal write."""

import pytest

from rnass.errors import InputError
from rnass.io.alignments import read_aligned, read_alignments

STOCKHOLM = "# STOCKHOLM 1.0\n\none  GGG..aaa\ntwo  GCG.aTaa\n\none  ccc\ntwo  CGC\n//\n"
FASTA = ">one some RNA\nGGG--AAA\nCCC\n>two\nGCG-ATAACGC\n"
CLUSTAL = """CLUSTAL 2.1 multiple sequence alignment


one      GGG--AAA 6
two      GCG-ATAA 7
         * *  * *

one      CCC 9
two      CGC 10
         * *
"""
ROWS = {"one": "GGG--AAACCC", "two": "GCG-AUAACGC"}


@pytest.mark.parametrize("text", [STOCKHOLM, FASTA, CLUSTAL])
def test_the_same_rows_from_every_format(tmp_path, text):
    path = tmp_path / "a.txt"
    path.write_text(text)
    (alignment,) = read_alignments(path)
    assert alignment.rows == ROWS


def test_a_folder_of_alignments_by_name(tmp_path):
    (tmp_path / "b.sto").write_text(STOCKHOLM)
    (tmp_path / "a.afa").write_text(FASTA)
    (tmp_path / "notes.md").write_text("no alignment")
    found, problems = read_aligned(tmp_path)
    assert [(name, one.rows) for name, one in found.items()] == [("a", ROWS), ("b", ROWS)]
    assert problems == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (">a\nGGG\n>b\nGG\n", r"row b has 2 places, row a 3; expected rows of one length"),
        (">a\nGXG\n>b\nGGG\n", r"\(a\): letter 'X' in column 2"),
        (">a\n-G?G\n", r"\(a\): letter '\?' in column 3"),
        (">a\n---\n>b\nGGG\n", r"\(a\): no bases"),
        (">a\nGGG\n>a\nGGG\n", r":3: a second row 'a'; expected distinct names"),
        ("CLUSTAL W\n\na GGG\na GGG\n", r":4: a second row 'a'"),
        ("CLUSTAL W\n\nGGG\n", r":3: 'GGG'; expected a name and an aligned row"),
        ("CLUSTAL W\n\n\n", "no rows"),
        ("# STOCKHOLM 1.0\na GGG\na GGG\n//\n", r":3: a second row 'a'"),
        ("# STOCKHOLM 1.0\n//\n", "no rows"),
        ("# STOCKHOLM 1.0\na GGG\n", "expected '//'"),
        ("GGGAAACCC\n", "expected an alignment: Stockholm, aligned FASTA or Clustal"),
        ("", "expected an alignment"),
    ],
)
def test_bad_input_is_named_with_its_place(tmp_path, text, message):
    path = tmp_path / "bad.txt"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as refused:
        read_alignments(path)
    assert "bad.txt" in str(refused.value)


def test_a_file_of_several_alignments_is_refused_where_one_is_expected(tmp_path):
    path = tmp_path / "two.sto"
    path.write_text(STOCKHOLM * 2)
    assert len(read_alignments(path)) == 2
    with pytest.raises(InputError, match=r"two\.sto: 2 alignments; expected one"):
        read_aligned(path)
