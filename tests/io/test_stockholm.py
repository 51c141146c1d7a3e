"""Stockholm and WUSS; the examples of notation are those of Infernal's user guide, worked by hand."""

import gzip

import pytest

from rnass.errors import InputError, StructureError
from rnass.io import project, read_stockholm, write_stockholm, wuss_structure

ONE = """# STOCKHOLM 1.0
#=GF AC RF00001
#=GF ID hairpin one
#=GF DE of no family

#=GS a/1-9 OS some organism
a/1-9         GG-CAAAGCC.
#=GR a/1-9 PP 99.9999*99.
b             GGaC.AAGCCu
#=GC SS_cons  <<-<___>>>:
#=GC RF       gg.caaagcc.
//
"""


@pytest.fixture
def path(tmp_path):
    (tmp_path / "x.sto").write_text(ONE)
    return tmp_path / "x.sto"


def test_a_whole_alignment(path):
    (one,) = read_stockholm(path)
    assert (one.accession, one.name) == ("RF00001", "hairpin one")
    assert one.rows == {"a/1-9": "GG-CAAAGCC.", "b": "GGaC.AAGCCu"}
    assert one.columns == {"SS_cons": "<<-<___>>>:", "RF": "gg.caaagcc."}
    assert one.residues == {"PP": {"a/1-9": "99.9999*99."}}
    assert one.consensus.pairs.tolist() == [[0, 9], [1, 8], [3, 7]]


def test_interleaved_and_gzip_are_the_same(tmp_path, path):
    blocks = (
        "# STOCKHOLM 1.0\n#=GF AC RF00001\n#=GF ID hairpin one\n"
        "a/1-9 GG-CA\nb GGaC.\n#=GC SS_cons <<-<_\n#=GC RF gg.ca\n#=GR a/1-9 PP 99.99\n\n"
        "a/1-9 AAGCC.\nb AAGCCu\n#=GC SS_cons __>>>:\n#=GC RF aagcc.\n#=GR a/1-9 PP 99*99.\n//\n"
    )
    (tmp_path / "y.sto.gz").write_bytes(gzip.compress(blocks.encode()))
    assert read_stockholm(tmp_path / "y.sto.gz") == read_stockholm(path)


def test_what_is_written_is_read(tmp_path, path):
    (one,) = read_stockholm(path)
    write_stockholm(tmp_path / "y.sto", [one, one])
    again = read_stockholm(tmp_path / "y.sto")
    assert [(a.accession, a.name, a.rows, a.columns) for a in again] == 2 * [
        (one.accession, one.name, one.rows, one.columns)
    ]


@pytest.mark.parametrize(
    ("wuss", "dot_bracket"),
    [
        ("::<<<<____>>>>::", "..((((....)))).."),
        ("((,,<<<<_____>>>>,,<<____>>,))", "((..((((.....))))..((....)).))"),
        ("(((-[[[___]]]--{{~~}}.)))", "(((.(((...)))..((..)).)))"),
        ("<<<_AA__>>>--aa", "(((.[[..)))..]]"),
    ],
)
def test_wuss(wuss, dot_bracket):
    assert wuss_structure(wuss).dot_bracket == dot_bracket


@pytest.mark.parametrize(
    ("row", "bases", "dot_bracket"),
    [
        ("GG-CAAAGCC.", "GGCAAAGCC", "(((...)))"),
        ("GGaC.AAGCCu", "GGACAAGCCU", "((.(..)))."),
        ("-G-CAAA~CC.", "GCAAACC", "(....)."),  # partners of the gaps are left unpaired
    ],
)
def test_projection_keeps_pairs_of_which_both_partners_are_there(path, row, bases, dot_bracket):
    (one,) = read_stockholm(path)
    got, structure = project(row, one.consensus)
    assert (got, structure.dot_bracket) == (bases, dot_bracket)


def test_a_row_of_another_length_is_refused(path):
    (one,) = read_stockholm(path)
    with pytest.raises(StructureError, match="x: 3 places; expected 11"):
        project("GGC", one.consensus, "x")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            ONE.replace("# STOCKHOLM 1.0\n", ""),
            r"x\.sto:1: '#=GF AC RF00001'; expected '# STOCKHOLM 1\.0'",
        ),
        (ONE.replace("//\n", ""), r"x\.sto: no whole alignment"),
        ("", r"x\.sto: no whole alignment"),
        (
            ONE.replace("GGaC.AAGCCu", "GGaC"),
            r":12: row \S+ has 4 places, row \S+ 11; expected rows of one length",
        ),
        (ONE.replace("GGaC.AAGCCu", "GGaC A"), r"x\.sto:9: 3 words; expected a name and an aligned row"),
        ("# STOCKHOLM 1.0\n//\n", r"x\.sto:2: an alignment with no rows"),
    ],
)
def test_what_is_wrong_is_named(path, text, message):
    path.write_text(text)
    with pytest.raises(StructureError, match=message):
        read_stockholm(path)


def test_no_consensus_and_a_bad_one(path):
    path.write_text(ONE.replace("#=GC SS_cons  <<-<___>>>:\n", ""))
    with pytest.raises(StructureError, match=r"\(RF00001\): no consensus structure"):
        _ = read_stockholm(path)[0].consensus
    path.write_text(ONE.replace("<<-<___>>>:", "<<-<___>>)."))
    with pytest.raises(StructureError, match=r":10: '\)' at base 10"):
        _ = read_stockholm(path)[0].consensus


def test_a_missing_file_is_named():
    with pytest.raises(InputError, match=r"nowhere\.sto"):
        read_stockholm("nowhere.sto")
