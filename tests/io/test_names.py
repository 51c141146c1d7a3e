import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnass.io import file_names

SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.[0-9][A-Za-z0-9_-]*)*\Z")


@pytest.mark.parametrize(
    ("identifier", "name"),
    [
        ("tRNA-Phe", "tRNA-Phe"),
        ("NR_003286.4", "NR_003286.4"),
        ("sp|P1|x:y", "sp_P1_x_y"),
        ("../../etc/passwd", "etc_passwd"),
        ("a\\b c\td\0e", "a_b_c_d_e"),
        ("5' <é>", "5_e"),
        ("β-actin", "actin"),
        ("核糖体", "record-1"),
        ("", "record-1"),
        ("...", "record-1"),
        (".hidden", "hidden"),
        ("-rf", "rf"),
        ("CON", "id-CON"),
        ("nul.5", "id-nul.5"),
        ("Lpt1", "id-Lpt1"),
        ("console", "console"),
        ("x.vienna", "x_vienna"),
        ("x.ct", "x_ct"),
        ("x.", "x"),
        ("A" * 300, "A" * 100),
        ("summary", "summary-2"),
        ("Run", "Run-2"),
        ("predictions", "predictions-2"),
    ],
)
def test_a_single_id(identifier, name):
    assert file_names([identifier]) == [name]


def test_copies_are_numbered_and_never_meet_a_real_id():
    assert file_names(["a", "a", "A", "a-2", "a"]) == ["a", "a-2", "A-3", "a-2-2", "a-4"]


def test_versions_stay_apart():
    assert file_names(["X.1", "X.2"]) == ["X.1", "X.2"]


def test_many_copies_are_fast():
    names = file_names(["x"] * 20_000)
    assert len(set(names)) == 20_000


@settings(deadline=None)
@given(
    st.lists(st.one_of(st.text(max_size=8), st.sampled_from(["a", "A", "a-2", "x.1", "con", "", "/"])))
)
def test_names_are_safe_distinct_and_the_same_again(ids):
    names = file_names(ids)
    assert len(names) == len(ids)
    assert len({name.lower() for name in names}) == len(names)
    assert all(SAFE.match(name) and len(name) < 120 for name in names)
    assert file_names(ids) == names
    assert file_names(ids[:-1]) == names[: len(ids[:-1])]  # records added later rename nothing


@settings(deadline=None)
@given(st.lists(st.text("aA.vienacthdbp1/", max_size=10)))
def test_no_file_of_one_record_is_a_file_of_another(ids):
    suffixes = ("ct", "dbn", "vienna.dbn", "bpseq", "npy", "svg")
    files = [f"{name}.{suffix}".lower() for name in file_names(ids) for suffix in suffixes]
    files += ["predictions.dbn", "summary.tsv", "run.json"]
    assert len(set(files)) == len(files)
