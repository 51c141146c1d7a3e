from pathlib import Path

import pytest

from rnass.errors import StructureError
from rnass.io import format_dot_bracket, read_dot_bracket, write_dot_bracket
from rnass.rna import Rna
from rnass.structure import Structure

GOLDEN = Path(__file__).parent / "golden"
HAIRPIN = (Rna("x", "GAAAC", "x of y"), Structure(5, [(0, 4)]))


def read(tmp_path, text):
    path = tmp_path / "x.dbn"
    path.write_text(text)
    return read_dot_bracket(path)


@pytest.mark.parametrize("name", ["trna_phe", "bwyv"])
def test_golden_file_round_trips_byte_for_byte(tmp_path, name):
    records = read_dot_bracket(GOLDEN / f"{name}.dbn")
    write_dot_bracket(tmp_path / "again.dbn", records)
    assert (tmp_path / "again.dbn").read_bytes() == (GOLDEN / f"{name}.dbn").read_bytes()


def test_several_records(tmp_path):
    records = [HAIRPIN, (Rna("z", "AC", "z"), Structure(2))]
    write_dot_bracket(tmp_path / "x.dbn", records)
    assert (tmp_path / "x.dbn").read_text() == ">x of y\nGAAAC\n(...)\n>z\nAC\n..\n"
    assert read_dot_bracket(tmp_path / "x.dbn") == records


@pytest.mark.parametrize(
    "text",
    [
        ">x of y\nGAAAC\n(...) (-12.30)\n",  # RNAfold, MFE
        ">x of y\nGAAAC\n(...) (  0.00)\n",
        ">x of y\nGAAAC\n(...) [ -0.30]\n",  # RNAfold -p, ensemble
        ">x of y\nGAAAC\n(...) { -0.10 d=1.20}\n",  # centroid
        ">x of y\nGAAAC\n(...) { -0.10 MEA=3.20}\n",
        "#Name: x\n\n> x of y\r\ngaaac\r\n[...]\r\n\n",
    ],
)
def test_what_is_tolerated(tmp_path, text):
    assert read(tmp_path, text) == [HAIRPIN]


def test_a_single_record_may_have_no_header(tmp_path):
    ((sequence, _),) = read(tmp_path, "GAAAC\n(...)\n")
    assert sequence.id == "x"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", ": no records; expected '>name', bases, brackets", id="empty"),
        pytest.param(">x\nGAAAC\n", r":1 \(x\): no brackets in the record; expected", id="no brackets"),
        pytest.param(">x\n", r":1 \(x\): no bases in the record", id="only a header"),
        pytest.param(
            "GA\n..\nGA\n..\n",
            r":3 \(x\): 'GA' after the brackets; expected the header",
            id="two without headers",
        ),
        pytest.param(">\nA\n.\nx\n", r":4 \(no name\): 'x' after the brackets", id="a line too many"),
        pytest.param(">x\nGA\n..\n>y\nGAAAC\n(..)\n", r":6 \(y\): 4 symbols for 5 bases", id="length"),
        pytest.param(">x\nGAXAC\n(...)\n", r":2 \(x\): letter 'X' at base 3; expected A", id="letter"),
        pytest.param(">x\nGAAAC\n((..)\n", r":3 \(x\): '\(' at base 1 is never closed", id="unclosed"),
        pytest.param(">x\nGAAAC\n(..))\n", r":3 \(x\): '\)' at base 5 closes nothing", id="unopened"),
        pytest.param(">x\nGAAAC\n(.-.)\n", r":3 \(x\): symbol '-' at base 3", id="symbol"),
        pytest.param(">x\nGAAAC\n(...) note\n", r":3 \(x\): 10 symbols for 5 bases", id="text behind"),
    ],
)
def test_malformed_file(tmp_path, text, message):
    with pytest.raises(StructureError, match=f"x.dbn{message}"):
        read(tmp_path, text)


def test_lengths_must_agree(tmp_path):
    with pytest.raises(StructureError, match="x: structure of 3 bases; expected 4"):
        write_dot_bracket(tmp_path / "x.dbn", [(Rna("x", "GAAC"), Structure(3))])


def test_two_strands_come_back(tmp_path):
    record = (Rna.from_text("GGC&GCC", "d"), Structure.from_dot_bracket("((()))"))
    assert format_dot_bracket(*record) == ">d\nGGC&GCC\n(((&)))\n"
    write_dot_bracket(tmp_path / "d.dbn", [record])
    assert read_dot_bracket(tmp_path / "d.dbn") == [record]


def test_a_nick_elsewhere_in_the_brackets(tmp_path):
    (tmp_path / "d.dbn").write_text(">d\nGGC&GCC\n((&()))\n")
    with pytest.raises(StructureError, match=r"d\.dbn:3 \(d\): 7 symbols for 6 bases"):
        read_dot_bracket(tmp_path / "d.dbn")


RNAFOLD = """>x of y
GGCGAAAGCCAU
(((....))).. ( -1.20)
{{{....)))..  [ -1.50]
(((....))).. { -1.20 d=1.10}
 frequency of mfe structure in ensemble 0.6; ensemble diversity 1.5
"""
RNASUBOPT = """>x of y
GGCGAAAGCCAU  -1.20   1.00
(((....)))..  -1.20
............   0.00
"""


@pytest.mark.parametrize(
    ("text", "several"),
    [
        pytest.param(RNAFOLD, True, id="RNAfold -p"),
        pytest.param(RNASUBOPT, True, id="RNAsubopt"),
        pytest.param(">x of y\nGGCGAA\nAGCCAU\n(((...\n.)))..\n", False, id="wrapped"),
        pytest.param(">x of y\nGGCGAA\nAGCCAU\n(((...\n.))).. (-1.2)\n", False, id="wrapped, energy"),
        pytest.param(
            "#Name: x of y\n#Length:  12 \n#PageNumber: 1\nGGCGAAAGCCAU\n(((....)))..\n",
            False,
            id="bpRNA",
        ),
        pytest.param(">ENERGY = -1.2  x of y\nGGCGAAAGCCAU\n(((....)))..\n", False, id="RNAstructure"),
        pytest.param(
            "; about\n>x of y\n# bases\nGGCGAAAGCCAU\n; brackets\n(((....)))..\n", False, id="comments"
        ),
        pytest.param(
            ">x of y\nGGCGAAAGCCAU\n<<<..\n..>\n>>..\n", False, id="> begins a line of brackets"
        ),
    ],
)
def test_files_as_other_programs_write_them(tmp_path, caplog, text, several):
    record = (Rna("x", "GGCGAAAGCCAU", "x of y"), Structure(12, [(0, 9), (1, 8), (2, 7)]))
    assert read(tmp_path, text) == [record]
    said = (
        "x.dbn: 1 record with several structures, x the first; only the first structure of each is read"
    )
    assert [message.endswith(said) for message in caplog.messages] == [True] * several


def test_records_of_bprna_one_after_the_other(tmp_path):
    text = "#Name: a\n#Length: 5\nGAAAC\n(...)\n#Name: b\n#Length: 5\nGAAAC\n.....\n"
    assert [(rna.id, len(found.pairs)) for rna, found in read(tmp_path, text)] == [("a", 1), ("b", 0)]


def test_records_of_rnafold_one_after_the_other(tmp_path):
    first, second = read(tmp_path, RNAFOLD + RNAFOLD.replace(">x", ">z"))
    assert (first[0].id, second[0].id) == ("x", "z")
    assert first[1] == second[1]


def test_brackets_stay_as_they_were_read(tmp_path):
    text = ">x\nGGAAGGGACCAACCC\n((..[[[.))..]]]\n"
    assert format_dot_bracket(*read(tmp_path, text)[0]) == text


def test_short_brackets_above_a_short_id_cost_that_record_nothing(tmp_path):
    path = tmp_path / "x.dbn"
    path.write_text(">bad\nGGGGAAAACCCC\n((((....\n>abc\nGGGAAACCC\n(((...)))\n")
    problems = []
    assert [rna.id for rna, _ in read_dot_bracket(path, problems=problems)] == ["abc"]
    assert "x.dbn:3" in str(problems[0])
