from pathlib import Path

import pytest

from rnass.errors import OutputError, StructureError
from rnass.io import read_ct, write_ct
from rnass.rna import Rna
from rnass.structure import Structure

GOLDEN = Path(__file__).parent / "golden"
HEAD = "4 hairpin\n"
ROWS = ["1 G 0 2 4 1\n", "2 A 1 3 0 2\n", "3 A 2 4 0 3\n", "4 C 3 0 1 4\n"]
TINY = HEAD + "".join(ROWS)


def read(tmp_path, text):
    path = tmp_path / "x.ct"
    path.write_text(text)
    return read_ct(path)


@pytest.mark.parametrize("name", ["trna_phe", "bwyv"])
def test_golden_file_round_trips_byte_for_byte(tmp_path, name):
    ((sequence, structure),) = read_ct(GOLDEN / f"{name}.ct")
    write_ct(tmp_path / "again.ct", sequence, structure)
    assert (tmp_path / "again.ct").read_bytes() == (GOLDEN / f"{name}.ct").read_bytes()


def test_tiny_file(tmp_path):
    assert read(tmp_path, TINY) == [(Rna("hairpin", "GAAC", "hairpin"), Structure(4, [(0, 3)]))]


def test_the_last_row_has_no_next_base(tmp_path):
    write_ct(tmp_path / "x.ct", Rna("x", "GAAC"), Structure(4))
    assert (tmp_path / "x.ct").read_text().splitlines()[-1].split() == ["4", "C", "3", "0", "0", "4"]


def test_title(tmp_path):
    write_ct(tmp_path / "x.ct", Rna("x", "A", "x of y"), Structure(1))
    assert (tmp_path / "x.ct").read_text().splitlines()[0] == "    1 x of y"


def test_columns_stay_apart_beyond_five_digits(tmp_path):
    length = 100_001
    structure = Structure(length, [(0, length - 1)])
    write_ct(tmp_path / "x.ct", Rna("x", "A" * length), structure)
    assert read_ct(tmp_path / "x.ct")[0][1] == structure


@pytest.mark.parametrize(
    ("title", "header"),
    [
        ("4 ENERGY = -1.5  my RNA", "my RNA"),  # RNAstructure, ViennaRNA
        ("4 dG = -1.5 my RNA", "my RNA"),  # mfold
        ("    4\tmy RNA", "my RNA"),
        ("4 ENERGY = -1.5", "x"),
        ("4", "x"),  # called after the file
    ],
)
def test_titles_that_others_write(tmp_path, title, header):
    assert read(tmp_path, TINY.replace("4 hairpin", title))[0][0].description == header


def test_what_is_tolerated(tmp_path):
    expected = [(Rna("hairpin", "GAAC", "hairpin"), Structure(4, [(0, 3)]))]
    assert read(tmp_path, "# about\n\n" + TINY.replace("\n", "\r\n") + "\n") == expected
    assert read(tmp_path, TINY.replace("4 C 3 0", "4 c 3 5")) == expected  # next base L + 1
    assert read(tmp_path, TINY.replace(" 1\n", " 1 0 0\n")) == expected  # mfold's eight columns


def test_several_structures(tmp_path):
    records = read(
        tmp_path, TINY + TINY.replace("hairpin", "second").replace("4 1", "0 1").replace(" 1 4", " 0 4")
    )
    assert [(s.id, len(t.pairs)) for s, t in records] == [("hairpin", 1), ("second", 0)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", ": no structure; expected a title line", id="empty"),
        pytest.param(
            "hairpin\n", ":1: count of bases 'hairpin'; expected a whole number", id="no count"
        ),
        pytest.param("-4 x\n", ":1: count of bases '-4'; expected a whole number", id="negative count"),
        pytest.param("9" * 30, f":1: count of bases '{'9' * 30}'; expected", id="absurd count"),
        pytest.param("0 x\n", ":1: no bases; expected one row per base", id="no bases"),
        pytest.param(
            "5 x\n" + "".join(ROWS), ":1: 4 rows below; expected 5", id="rows missing at the end"
        ),
        pytest.param(
            "3 x\n" + "".join(ROWS), ":5: a row too many; expected as many as", id="count too low"
        ),
        pytest.param(TINY + "5 A 4 0 0 5\n", ":6: a row too many; expected as many as", id="a row more"),
        pytest.param(
            HEAD + ROWS[0] + ROWS[2] + ROWS[3] + ROWS[3],
            ":3: base number 3; expected 2",
            id="missing row",
        ),
        pytest.param(
            HEAD + ROWS[0] * 2 + ROWS[2] + ROWS[3], ":3: base number 1; expected 2", id="repeated"
        ),
        pytest.param(
            TINY.replace("2 A 1 3 0 2", "2 A 1 3"), r":3: 4 columns; expected 6", id="columns missing"
        ),
        pytest.param(TINY.replace("2 A", "2.0 A"), ":3: base number '2.0'; expected", id="base"),
        pytest.param(TINY.replace("2 A 1", "2 A x"), ":3: previous base 'x'; expected", id="previous"),
        pytest.param(TINY.replace("2 A 1 3", "2 A 1 x"), ":3: next base 'x'; expected", id="next"),
        pytest.param(
            TINY.replace("2 A 1 3 0", "2 A 1 3 ?"), r":3: partner '\?'; expected", id="partner"
        ),
        pytest.param(TINY.replace("2 A", "2 X"), ":3: letter 'X'; expected A, C, G", id="letter"),
        pytest.param(TINY.replace("2 A", "2 AA"), ":3: letter 'AA'; expected A, C, G", id="two letters"),
        pytest.param(
            TINY.replace("0 2 4 1", "0 2 5 1"),
            ":2: partner 5 of base 1 is out of range; expected 0 to 4",
            id="out of range",
        ),
        pytest.param(
            TINY.replace("0 2 4 1", "0 2 -4 1"),
            ":2: partner '-4'; expected a whole",
            id="negative partner",
        ),
        pytest.param(
            TINY.replace("1 3 0 2", "1 3 2 2"),
            ":3: base 2 is its own partner; expected another",
            id="self",
        ),
        pytest.param(
            TINY.replace("3 0 1 4", "3 0 0 4"),
            ":2: base 1 names partner 4, which names 0; expected pairs to be mutual",
            id="one-sided",
        ),
        pytest.param(
            TINY.replace("1 3 0 2", "1 3 4 2"),
            ":3: base 2 names partner 4, which names 1; expected pairs to be mutual",
            id="two partners",
        ),
    ],
)
def test_malformed_file(tmp_path, text, message):
    with pytest.raises(StructureError, match=f"x.ct{message}"):
        read(tmp_path, text)


def test_lengths_must_agree(tmp_path):
    with pytest.raises(StructureError, match="x: structure of 3 bases; expected 4"):
        write_ct(tmp_path / "x.ct", Rna("x", "GAAC"), Structure(3))
    assert list(tmp_path.iterdir()) == []


def test_writing_to_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(OutputError):
        write_ct(tmp_path / "no" / "x.ct", Rna("x", "A"), Structure(1))


def test_two_strands_come_back(tmp_path):
    record = (Rna.from_text("GGC&GCC", "d of two"), Structure.from_dot_bracket("((()))"))
    write_ct(tmp_path / "d.ct", *record)
    rows = [line.split() for line in (tmp_path / "d.ct").read_text().splitlines()]
    assert rows[0] == ["6", "d", "of", "two"]
    assert [row[2:4] for row in rows[1:]] == [
        ["0", "2"], ["1", "3"], ["2", "0"], ["0", "5"], ["4", "6"], ["5", "0"]
    ]  # fmt: skip
    assert read_ct(tmp_path / "d.ct") == [record]


def test_three_strands_are_refused(tmp_path):
    text = "3 x\n1 G 0 0 0 1\n2 A 0 0 0 2\n3 C 0 0 0 3\n"
    with pytest.raises(StructureError, match=r"x\.ct:1: 3 strands; expected at most two"):
        read(tmp_path, text)


def test_a_circle_has_no_nick(tmp_path):
    text = TINY.replace("1 G 0 2", "1 G 4 2").replace("4 C 3 0", "4 C 3 1")
    assert read(tmp_path, text)[0][0].nick is None


@pytest.mark.parametrize(
    ("head", "header"),
    [
        ("4\tdG = -4.20   [initially -5.10] my RNA\n", "my RNA"),  # mfold
        ("4 ENERGY = -4.2 kcal/mol  my RNA\n", "my RNA"),
        ("4 dG = -4.2 dH = -40.1 my RNA\n", "my RNA"),  # UNAFold
        ("# File TOY_1.ct\n# RNA SSTRAND database\n4 ENERGY = 0.0\n", "TOY_1"),
        ("Filename: toy.ct\nOrganism: Toy\nCitation and related information at x\n 4 ENERGY = 0\n", "x"),
        ("4 energy of a hairpin\n", "energy of a hairpin"),
    ],
)  # fmt: skip
def test_heads_that_others_write(tmp_path, head, header):
    assert read(tmp_path, head + "".join(ROWS))[0][0].description == header


def test_each_of_several_structures_has_its_own_comment(tmp_path):
    text = (
        "# File a.ct\n4\n" + "".join(ROWS) + "# File b.ct\n4\n" + "".join(ROWS) + "4\n" + "".join(ROWS)
    )
    assert [rna.id for rna, _ in read(tmp_path, text)] == ["a", "b", "x"]


def test_more_orders_of_pseudoknots_than_there_are_brackets(tmp_path):
    structure = Structure(80, [(k, 40 + k) for k in range(40)])
    write_ct(tmp_path / "x.ct", Rna("x", "A" * 80), structure)
    assert read_ct(tmp_path / "x.ct")[0][1] == structure


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (ROWS[:3], "x.ct:6: 3 rows below; expected 4"),
        ([*ROWS, "5 A 4 0 0 5\n"], "x.ct:11: a row too many"),
        ([ROWS[0], "2 A 1 3\n", *ROWS[2:]], "x.ct:8: 4 columns; expected 6"),
        (["2 A 1 3 0 2\n", *ROWS[1:]], "x.ct:7: base number 2; expected 1"),
        ([ROWS[0].replace("0 2", "x 2"), *ROWS[1:]], "x.ct:7: previous base 'x'"),
        ([], "x.ct:6: 0 rows below; expected 4"),
    ],
    ids=["too few", "too many", "short", "begins with 2", "no number", "none"],
)
def test_a_malformed_structure_costs_the_others_nothing(tmp_path, rows, message):
    path = tmp_path / "x.ct"
    good = "".join(ROWS)
    path.write_text(f"4 first\n{good}4 bad\n{''.join(rows)}4 last\n{good}")
    problems = []
    assert [rna.id for rna, _ in read_ct(path, problems=problems)] == ["first", "last"]
    assert len(problems) == 1
    assert message in str(problems[0])
    with pytest.raises(StructureError, match=message):
        read_ct(path)
