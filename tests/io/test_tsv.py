import gzip

import pytest

from rnass.errors import StructureError
from rnass.io import LabelledRecord, read_labelled_tsv, write_labelled_tsv
from rnass.rna import Rna
from rnass.structure import Structure

HEAD = "id\tsource\tfamily\tsequence\tdot_bracket\tnear_train\n"
ROW = "RF1_a b\tRfam\tRF00001\tGAAAC\t(...)\t1\n"


def read(tmp_path, text):
    path = tmp_path / "x.tsv"
    path.write_text(text)
    return read_labelled_tsv(path)


def test_a_record(tmp_path):
    (record,) = read(tmp_path, HEAD + ROW)
    assert record == LabelledRecord(
        Rna("RF1_a b", "GAAAC", "RF1_a b"),
        Structure(5, [(0, 4)]),
        "Rfam",
        "RF00001",
        {"near_train": "1"},
    )
    assert record.id == "RF1_a b"


def test_gzip_blank_lines_and_few_columns_in_any_order(tmp_path):
    path = tmp_path / "x.tsv.gz"
    path.write_bytes(
        gzip.compress(b"dot_bracket\tid\tsequence\r\n(..)\ta\tgaac\r\n\r\n....\tb\tGAAT\r\n")
    )
    first, second = read_labelled_tsv(path)
    assert (first.id, first.family, first.source, first.extra) == ("a", "", "", {})
    assert (second.sequence.bases, len(second.structure.pairs)) == ("GAAU", 0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", ":1: no column id, sequence, dot_bracket; expected at least", id="empty"),
        pytest.param(
            HEAD.replace("dot_bracket", "dots"), ":1: no column dot_bracket; expected", id="column"
        ),
        pytest.param(HEAD.replace("source", "id"), ":1: a column stands twice", id="column twice"),
        pytest.param(HEAD + ROW + "a\tb\n", ":3: 2 columns; expected 6, as in line 1", id="too few"),
        pytest.param(HEAD + ROW[:-1] + "\t2\n", ":2: 7 columns; expected 6", id="too many"),
        pytest.param(
            HEAD + "\n" + ROW.replace("GAAAC", "GAAC"),
            r":3 \(RF1_a b\): 5 symbols for 4 bases",
            id="length",
        ),
        pytest.param(HEAD + ROW.replace("(.", "(("), r":2 \(RF1_a b\): '\(' at base 1 is", id="bracket"),
        pytest.param(
            HEAD + ROW.replace("GAAAC", "GA-AC"), r":2 \(RF1_a b\): letter '-' at", id="letter"
        ),
        pytest.param(
            HEAD + ROW.replace("GAAAC", ""), r":2 \(RF1_a b\): no bases; expected", id="no bases"
        ),
    ],
)
def test_malformed_table(tmp_path, text, message):
    with pytest.raises(StructureError, match=f"x.tsv{message}"):
        read(tmp_path, text)


def test_what_is_written_is_read(tmp_path):
    records = [
        LabelledRecord(Rna("a b", "GAAAC"), Structure(5, [(0, 4)]), "s", "f", {"mask": "01010"}),
        LabelledRecord(Rna("c", "GAC"), Structure(3)),
    ]
    for name in ("x.tsv", "x.tsv.gz"):
        write_labelled_tsv(tmp_path / name, records)
        first, second = read_labelled_tsv(tmp_path / name)
        assert (first.id, first.sequence.bases, first.structure.dot_bracket) == ("a b", "GAAAC", "(...)")
        assert (first.source, first.family, first.extra) == ("s", "f", {"mask": "01010"})
        assert (second.id, second.source, second.extra) == ("c", "", {"mask": ""})


def test_the_same_records_make_the_same_file(tmp_path):
    records = [LabelledRecord(Rna("a", "GAAAC"), Structure(5))]
    for name in ("x.tsv.gz", "y.tsv.gz"):
        write_labelled_tsv(tmp_path / name, records)
    assert (tmp_path / "x.tsv.gz").read_bytes() == (tmp_path / "y.tsv.gz").read_bytes()


def test_a_tab_in_a_cell_is_refused(tmp_path):
    with pytest.raises(StructureError, match="a tab or line end in a cell"):
        write_labelled_tsv(tmp_path / "x.tsv", [LabelledRecord(Rna("a\tb", "G"), Structure(1))])
    assert list(tmp_path.iterdir()) == []


def test_two_strands_come_back(tmp_path):
    record = LabelledRecord(Rna.from_text("GGC&GCC", "d"), Structure.from_dot_bracket("((()))"))
    write_labelled_tsv(tmp_path / "d.tsv", [record])
    assert read_labelled_tsv(tmp_path / "d.tsv") == [record]
