"""Reactivity files: missing values stay missing, and one row for each kind of malformed file."""

import numpy as np
import pytest

from rnass.errors import InputError
from rnass.io import read_reactivities

RDAT = """RDAT_VERSION\t0.34
NAME\tP4-P6 domain
SEQUENCE\tGGAAACC
OFFSET\t100
SEQPOS\tG102 A103 A104
ANNOTATION\tchemical:MgCl2:10mM
REACTIVITY:1\t0.5 -999 1.25
REACTIVITY_ERROR:1\t0.1 0.1 0.1
"""


def read(tmp_path, text, name="r.shape"):
    (tmp_path / name).write_text(text)
    return read_reactivities(tmp_path / name)


def test_two_columns(tmp_path):
    (one,) = read(tmp_path, "# made by hand\n2 0.5\n4\t-999\n5 nan\n6 -0.1\n1 0\n")
    nan = np.nan
    np.testing.assert_array_equal(one.values, [0, 0.5, nan, nan, nan, -0.1])
    assert (one.name, one.named, one.bases) == ("r", False, None)


def test_blocks(tmp_path):
    one, other = read(tmp_path, ">a first\n1 0.5\n>b\n2 1\n")
    assert [(r.name, r.named, len(r.values)) for r in (one, other)] == [("a", True, 1), ("b", True, 2)]


def test_rdat_counts_from_its_offset(tmp_path):
    (one,) = read(tmp_path, RDAT, "p4p6.rdat")
    np.testing.assert_array_equal(one.values, [np.nan, 0.5, np.nan, 1.25])
    assert (one.name, one.named, one.bases) == ("p4p6", False, "GGAAACC")


def test_constructs_of_one_rdat_go_by_their_names(tmp_path):
    second = "\n".join(RDAT.splitlines()[1:]).replace("P4-P6 domain", "other")
    names = [(one.name, one.named) for one in read(tmp_path, RDAT + second, "two.rdat")]
    assert names == [("P4-P6 domain", True), ("other", True)]


def test_a_folder_names_records_by_its_files(tmp_path):
    (tmp_path / "b.dat").write_text("1 0\n")
    (tmp_path / "a.rdat").write_text(RDAT)
    assert [(one.name, one.named) for one in read_reactivities(tmp_path)] == [("a", True), ("b", True)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "r.shape: no reactivities"),
        (">a\n", "r.shape (a): no reactivities"),
        ("1 0.5 0.1\n", "r.shape:1: letter '0.5'; expected A"),
        ("1 G 0.5 0.1 0\n", "r.shape:1: 5 columns; expected 2, base and reactivity"),
        ("1 0.5\n0 0.5\n", "r.shape:2: base '0'; expected a number from 1"),
        ("1 0.5\nG 0.5\n", "r.shape:2: base 'G'"),
        ("1 0.5\n\n1 0.6\n", "r.shape:3: base 1 stands twice"),
        ("1 high\n", "r.shape:1: reactivity 'high'; expected a number"),
        ("1 inf\n", "r.shape:1: reactivity 'inf'"),
        (RDAT.replace("0.5 -999 1.25", "0.5 -999"), "r.shape:7: 2 values of REACTIVITY; expected 3"),
        (RDAT.replace("0.5 -999", "0.5 ?"), "r.shape:7: reactivity '?'"),
        (RDAT.replace("A104", "A204"), "r.shape:5: position A204 is outside SEQUENCE"),
        (RDAT.replace("A104", "A103"), "r.shape:5: a position stands twice"),
        (RDAT.replace("A104", "A-x"), "r.shape:5: position 'A-x'; expected a whole number"),
        (RDAT.replace("GGAAACC", "GG-AACC"), "r.shape:3: letter '-' at base 3"),
        (RDAT.replace("SEQPOS", "POS"), "r.shape:2 (P4-P6 domain): no SEQPOS"),
        (RDAT + "REACTIVITY:2\t1 1 1\n", "r.shape:9: a second row of reactivities"),
    ],
)
def test_malformed_files(tmp_path, text, message):
    with pytest.raises(InputError) as error:
        read(tmp_path, text)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("text", "name"),
    [("1 G 0.5\n3 c -999\n", "r.shape"), ("1\t0.5\t0.02\tG\n3\t-999\t0\tC\n", "r.map")],
)
def test_columns_with_the_letter(tmp_path, text, name):
    (one,) = read(tmp_path, text, name)
    np.testing.assert_array_equal(one.values, [0.5, np.nan, np.nan])
    assert (one.bases, one.complete) == ("GNC", False)


def test_a_folder_of_maps(tmp_path):
    read(tmp_path, "1\t0.5\t0.02\tG\n", "x.map")
    assert [one.name for one in read_reactivities(tmp_path)] == ["x"]


@pytest.mark.parametrize("text", ["1_000", "0x1", "1,5", "inf", "-inf", "1e999"])
def test_what_is_no_number(tmp_path, text):
    with pytest.raises(InputError, match=f"r.shape:1: reactivity '{text}'; expected a number"):
        read(tmp_path, f"1 {text}\n")
