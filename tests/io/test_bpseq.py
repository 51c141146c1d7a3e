from pathlib import Path

import pytest

from rnass.errors import StructureError
from rnass.io import read_bpseq, write_bpseq
from rnass.rna import Rna
from rnass.structure import Structure

GOLDEN = Path(__file__).parent / "golden"
TINY = "1 G 4\n2 A 0\n3 A 0\n4 C 1\n"


def read(tmp_path, text):
    path = tmp_path / "x.bpseq"
    path.write_text(text)
    return read_bpseq(path)


@pytest.mark.parametrize("name", ["trna_phe", "bwyv"])
def test_golden_file_round_trips_byte_for_byte(tmp_path, name):
    ((sequence, structure),) = read_bpseq(GOLDEN / f"{name}.bpseq")
    write_bpseq(tmp_path / "again.bpseq", sequence, structure)
    assert (tmp_path / "again.bpseq").read_bytes() == (GOLDEN / f"{name}.bpseq").read_bytes()


CRW_HEADING = (
    "Filename: x.bpseq\nOrganism: Thermus\nAccession Number: X1\nCitation and related information ...\n"
)


@pytest.mark.parametrize(
    ("text", "header"),
    [
        (TINY, "x"),
        ("# hairpin of x\n# 2\n" + TINY, "hairpin of x"),
        (CRW_HEADING + "\n" + TINY, "x"),
        (TINY.replace("\n", "\r\n"), "x"),
        (TINY.replace("C", "c"), "x"),
    ],
)
def test_what_is_tolerated(tmp_path, text, header):
    ((sequence, structure),) = read(tmp_path, text)
    assert (sequence.description, sequence.bases) == (header, "GAAC")
    assert structure == Structure(4, [(0, 3)])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", ": no bases; expected one row per base", id="empty"),
        pytest.param(TINY.replace("2 A 0", "2 A"), ":2: 2 columns; expected 3", id="columns missing"),
        pytest.param(TINY.replace("2 A 0", "2 A 0 0"), ":2: 4 columns; expected 3", id="columns more"),
        pytest.param(TINY.replace("2 A", "two A"), ":2: base number 'two'; expected", id="base"),
        pytest.param(TINY.replace("2 A 0", "2 A -"), ":2: partner '-'; expected", id="partner"),
        pytest.param(TINY.replace("2 A", "2 -"), ":2: letter '-'; expected", id="letter"),
        pytest.param(TINY.replace("2 A 0\n", ""), ":2: base number 3; expected 2", id="missing row"),
        pytest.param(TINY + "4 C 1\n", ":5: base number 4; expected 5", id="repeated row"),
        pytest.param(TINY.replace("G 4", "G 5"), ":1: partner 5 of base 1 is out of range", id="range"),
        pytest.param(TINY.replace("A 0", "A 2", 1), ":2: base 2 is its own partner", id="self"),
        pytest.param(
            TINY.replace("C 1", "C 0"), ":1: base 1 names partner 4, which names 0", id="one-sided"
        ),
        pytest.param(
            TINY.replace("A 0", "A 4", 1), ":2: base 2 names partner 4, which names 1", id="two"
        ),
    ],
)
def test_malformed_file(tmp_path, text, message):
    with pytest.raises(StructureError, match=f"x.bpseq{message}"):
        read(tmp_path, text)


def test_lengths_must_agree(tmp_path):
    with pytest.raises(StructureError, match="x: structure of 3 bases; expected 4"):
        write_bpseq(tmp_path / "x.bpseq", Rna("x", "GAAC"), Structure(3))


@pytest.mark.parametrize(
    ("head", "header"),
    [
        ("# File TOY_00001.bpseq\n# RNA SSTRAND database, toy RNA\n", "TOY_00001"),
        ("# File 3 of my run\n", "File 3 of my run"),
        ("#Name: bpRNA_1 x\n", "bpRNA_1 x"),
        ("# x of y\n# more\n", "x of y"),
        ("Filename: toy.bpseq\nOrganism: Toy\nAccession Number: X0\n", "x"),
    ],
)
def test_headers_that_others_write(tmp_path, head, header):
    assert read(tmp_path, head + TINY)[0][0].description == header


def test_two_strands_come_back(tmp_path):
    record = (Rna.from_text("GGC&GCC", "d of two"), Structure.from_dot_bracket("((()))"))
    write_bpseq(tmp_path / "d.bpseq", *record)
    assert (tmp_path / "d.bpseq").read_text().startswith("# d of two (two strands: 1-3 and 4-6)\n")
    assert read_bpseq(tmp_path / "d.bpseq") == [record]


@pytest.mark.parametrize("note", ["1-2 and 3-9", "1-2 and 4-4", "1-4 and 5-4", "1-0 and 1-4"])
def test_strands_that_do_not_make_up_the_rna(tmp_path, note):
    with pytest.raises(StructureError, match=r"two strands 1-.*; expected them to make up 1-4"):
        read(tmp_path, f"# x (two strands: {note})\n{TINY}")
