"""Tables of labels: both separators, gzip, quotes, what is no label."""

import gzip

import pytest

from rnass.errors import InputError
from rnass.io.labels import read_labels


def test_commas_quotes_and_gzip(tmp_path):
    text = 'label,id,sequence,other\n"a, b",x y,ggt,1\n\n0.5,z,ACN,2\n'
    with gzip.open(tmp_path / "t.csv.gz", "wt") as file:
        file.write(text)
    records = read_labels(tmp_path / "t.csv.gz", "label")
    assert [(s.id, s.bases, label) for s, label, _ in records] == [
        ("x y", "GGU", "a, b"),
        ("z", "ACN", "0.5"),
    ]


def test_a_column_of_that_name_goes_before_the_derived_one(tmp_path):
    path = tmp_path / "t.tsv"
    path.write_text("id\tsequence\tdot_bracket\tpaired\nx\tGGC\t(.)\tno\n")
    assert read_labels(path, "paired")[0][1] == "no"
    path.write_text("id\tsequence\tdot_bracket\nx y\tGGC\t(.)\n")
    ((rna, label, _),) = read_labels(path, "paired")
    assert (rna.id, label) == ("x y", "101")


@pytest.mark.parametrize("text", ["", "id\tsequence\n"])
def test_a_table_without_the_column(tmp_path, text):
    (tmp_path / "t.tsv").write_text(text)
    with pytest.raises(
        InputError, match=r"t\.tsv:1: no column .*expected at least id, sequence, dot_bracket"
    ):
        read_labels(tmp_path / "t.tsv", "paired")


@pytest.mark.parametrize(("name", "separator"), [("t.tsv", "\t"), ("t.csv", ",")])
def test_a_label_may_be_long(tmp_path, name, separator):
    row = ("x", "A" * 50_000, " ".join(["0.25"] * 50_000))
    (tmp_path / name).write_text(
        separator.join(("id", "sequence", "label")) + "\n" + separator.join(row)
    )
    ((rna, label, where),) = read_labels(tmp_path / name, "label")
    assert (len(rna), len(label), where) == (50_000, 249_999, f"{tmp_path / name}:2")


def test_quotes_are_letters_between_tabs_and_end_with_their_line_between_commas(tmp_path):
    (tmp_path / "t.tsv").write_text('id\tsequence\tlabel\n"x\tGGC\t1\ny\tGGC\t"2"\n')
    assert [(s.id, label) for s, label, _ in read_labels(tmp_path / "t.tsv", "label")] == [
        ('"x', "1"),
        ("y", '"2"'),
    ]
    (tmp_path / "t.csv").write_text('id,sequence,label\n"x,GGC,1\ny,GGC,2\n')
    with pytest.raises(InputError, match=r"t\.csv:2: .*; expected cells by commas"):
        read_labels(tmp_path / "t.csv", "label")


@pytest.mark.parametrize(
    ("brackets", "message"),
    [
        ("(_)", r"t\.tsv:3 \(y\): symbol '_' at base 2; expected '\.' or a bracket"),
        ("(.?", r"t\.tsv:3 \(y\): symbol '\?' at base 3; expected"),
        ("(.", r"t\.tsv:3 \(y\): 2 symbols for 3 bases; expected one each"),
        ("(..", r"t\.tsv:3 \(y\): .*base 1"),
    ],
)
def test_pairedness_is_made_of_a_dot_bracket_alone(tmp_path, brackets, message):
    rows = "id\tsequence\tdot_bracket\nx\tGGC&GCC\t(.)&[.]\n"
    (tmp_path / "t.tsv").write_text(rows)
    ((_, label, _),) = read_labels(tmp_path / "t.tsv", "paired")
    assert label == "101101"
    (tmp_path / "t.tsv").write_text(f"{rows}y\tGGC\t{brackets}\n")
    with pytest.raises(InputError, match=message):
        read_labels(tmp_path / "t.tsv", "paired")
