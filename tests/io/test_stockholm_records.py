import pytest

from rnass.errors import StructureError
from rnass.files import read_lines
from rnass.io import (
    read_stockholm_records,
    read_structures,
    stockholm,
    write_stockholm_records,
)
from rnass.rna import Rna
from rnass.structure import BRACKETS, Structure

TEXT = """# STOCKHOLM 1.0
#=GF ID small

one/1-9      GGCA-AAGCC
two          G-CAUAAG-C
#=GC SS_cons <<<__AA>>>
#=GC RF      GGCAxAAGCC
//
"""


def read(tmp_path, text):
    path = tmp_path / "x.sto"
    path.write_text(text)
    return read_stockholm_records(path)


def test_the_consensus_is_projected_on_each_row(tmp_path):
    first, second = read(tmp_path, TEXT.replace("AA>>>", "__>>>"))
    assert (first[0].id, first[0].bases, first[1].dot_bracket) == ("one/1-9", "GGCAAAGCC", "(((...)))")
    assert (second[0].bases, second[1].dot_bracket) == ("GCAUAAGC", "((....))")


def test_a_pair_that_lost_a_base_to_a_gap_is_lost(tmp_path):
    text = "# STOCKHOLM 1.0\na GGAAAC-\nb GGAAACC\n#=GC SS_cons <<...>>\n//\n"
    (_, broken), (_, whole) = read(tmp_path, text)
    assert broken.pairs.tolist() == [[1, 5]]
    assert len(whole.pairs) == 2


def test_pseudoknots_in_letters_and_in_further_lines_are_kept(tmp_path):
    rows = "# STOCKHOLM 1.0\na GGAACCAACCAAGG\n"
    letters = read(tmp_path, f"{rows}#=GC SS_cons <<..AA..>>..aa\n//\n")
    further = f"{rows}#=GC SS_cons <<......>>....\n#=GC SS_cons_1 ....<<......>>\n//\n"
    assert letters == read(tmp_path, further)
    assert letters[0][1].pseudoknot_order == 1
    assert len(letters[0][1].pairs) == 4


def test_several_alignments_one_after_the_other_and_in_blocks(tmp_path):
    interleaved = TEXT.replace("GGCA-AAGCC\n", "GGCA-\n").replace("G-CAUAAG-C\n", "G-CAU\n")
    interleaved = interleaved.replace("<<<__AA>>>", "<<<__").replace("#=GC RF      GGCAxAAGCC\n", "")
    interleaved = interleaved.replace("//\n", "\none/1-9 AAGCC\ntwo AAG-C\n#=GC SS_cons __>>>\n//\n")
    whole = TEXT.replace("AA>>>", "__>>>")
    assert read(tmp_path, interleaved + whole) == 2 * read(tmp_path, whole)


def test_round_trip_keeps_every_order_of_pseudoknots(tmp_path):
    pairs = [(k, 40 + k) for k in range(27)]  # each crosses every other: 27 orders
    records = [
        (Rna("a", "G" * 70, "a"), Structure(70, pairs)),
        (Rna("b", "GAAAC", "b"), Structure(5, [(0, 4)])),
    ]
    write_stockholm_records(tmp_path / "x.sto", records)
    assert read_structures(tmp_path / "x.sto") == records
    before = (tmp_path / "x.sto").read_bytes()
    write_stockholm_records(tmp_path / "x.sto", read_structures(tmp_path / "x.sto"))
    assert (tmp_path / "x.sto").read_bytes() == before


def test_more_orders_than_letters_are_refused(tmp_path):
    structure = Structure(70, [(k, 40 + k) for k in range(28)])
    assert structure.pseudoknot_order == 27 < len(BRACKETS)
    with pytest.raises(StructureError, match="a: pseudoknot order 27; WUSS expresses at most 26"):
        write_stockholm_records(tmp_path / "x.sto", [(Rna("a", "G" * 70), structure)])
    assert not (tmp_path / "x.sto").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "no whole alignment", id="empty"),
        pytest.param("a GGC\n//\n", r":1: .*expected '# STOCKHOLM 1\.0'", id="no header"),
        pytest.param(TEXT.replace("//\n", ""), "no whole alignment", id="no end"),
        pytest.param(
            TEXT.replace("GGCA-AAGCC", "GGCAAGCC"), r":8: .* expected rows of one", id="length"
        ),
        pytest.param(
            TEXT.replace("SS_cons", "SS_none"),
            r":8 \(small\): no consensus structure; exp",
            id="no pairs",
        ),
        pytest.param(TEXT, ":6: 'A' at base 7 is never closed; expected", id="unbalanced letters"),
        pytest.param(TEXT.replace("AA>>>", "__>>?"), ":6: symbol '\\?' at base 10; exp", id="symbol"),
        pytest.param(TEXT.replace("AA>>>", "__>>."), ":6: '<' at base 1 is never", id="unbalanced"),
        pytest.param(
            TEXT.replace("AA>>>", "__>>>").replace("G-CAU", "G-CXU"),
            r":5 \(two\): letter 'X' at base 3; expected A, C",
            id="letter",
        ),
        pytest.param(
            TEXT.replace("AA>>>", "__>>>").replace("G-CAUAAG-C", "----------"),
            r":5 \(two\): no bases; expected",
            id="only gaps",
        ),
        pytest.param(
            TEXT.replace("AA>>>\n", "__>>>\n#=GC SS_cons_1 <........>\n"),
            ":7: SS_cons and SS_cons_1 together: base 1 stands in 2 places",
            id="two partners",
        ),
    ],
)
def test_malformed_alignment(tmp_path, text, message):
    with pytest.raises(StructureError, match=f"x.sto{message}|x.sto: {message}"):
        read(tmp_path, text)


def test_a_name_that_would_be_no_row_is_refused(tmp_path):
    with pytest.raises(StructureError, match="#1: a name that begins so is no row"):
        write_stockholm_records(tmp_path / "x.sto", [(Rna("#1", "GAAAC"), Structure(5))])


def test_two_strands_are_refused(tmp_path):
    record = (Rna.from_text("GGC&GCC", "d"), Structure.from_dot_bracket("((()))"))
    with pytest.raises(StructureError, match="d: two strands; expected one"):
        write_stockholm_records(tmp_path / "d.sto", [record])


def test_a_tie_is_decided_by_the_file(tmp_path):
    text = "# STOCKHOLM 1.0\na GGGGAACCCCAACCCCAAGGGG\n#=GC SS_cons <<<<..AAAA..>>>>..aaaa\n//\n"
    ((_, structure),) = read(tmp_path, text)
    assert structure.dot_bracket == "((((..[[[[..))))..]]]]"
    swapped = text.replace("<<<<", "XXXX").replace(">>>>", "xxxx").replace("A..", "<..", 1)
    swapped = swapped.replace("AAA<", "<<<<").replace("aaaa", ">>>>")
    assert read(tmp_path, swapped)[0][1].dot_bracket == "[[[[..((((..]]]]..))))"


@pytest.mark.parametrize("kind", ["SS_cons_1", "SS_cons2", "SS_cons1"])
def test_further_lines_of_the_consensus_are_read_however_they_are_numbered(tmp_path, kind):
    marks = f"#=GC SS_cons <<......>>....\n#=GC {kind} ....<<......>>\n"
    text = f"# STOCKHOLM 1.0\na GGAACCAACCAAGG\n{marks}//\n"
    ((_, structure),) = read(tmp_path, text)
    assert structure.dot_bracket == "((..[[..))..]]"


def test_other_lines_of_a_consensus_are_left_out_with_a_warning(tmp_path, caplog):
    read(tmp_path, TEXT.replace("AA>>>", "__>>>\n#=GC SS_cons_xc <<<__>>>__"))
    assert [message.split("x.sto")[1] for message in caplog.messages] == [
        ":9: pairs in '#=GC SS_cons_xc' are not read"
    ]


def test_the_file_is_read_once_however_many_rows_it_has(tmp_path, monkeypatch):
    reads = []
    monkeypatch.setattr(stockholm, "read_lines", lambda path: reads.append(path) or read_lines(path))
    rows = "".join(f"r{k} GAAAC\n" for k in range(50))
    (tmp_path / "x.sto").write_text(f"# STOCKHOLM 1.0\n{rows}#=GC SS_cons <...>\n//\n")
    assert len(read_stockholm_records(tmp_path / "x.sto")) == 50
    assert len(reads) == 1
