"""Counts worked out by hand, and loops counted by a recursion of a few lines that knows no forgi."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnass.elements import Elements, elements, elements_table
from rnass.errors import StructureError
from rnass.structure import Structure

# (stems, hairpins, bulges, interior loops, multiloops, pseudoknotted helices), counted by hand
BY_HAND = {
    "(((((((..((((........)))).(((((.......))))).....(((((.......))))))))))))....": (4, 3, 0, 0, 1, 0),
    "....": (0, 0, 0, 0, 0, 0),
    ".": (0, 0, 0, 0, 0, 0),
    "": (0, 0, 0, 0, 0, 0),
    "((((...))))": (1, 1, 0, 0, 0, 0),
    "(...)": (1, 1, 0, 0, 0, 0),
    "(.)": (1, 1, 0, 0, 0, 0),
    "(())": (1, 0, 0, 0, 0, 0),  # a hairpin of no bases is no loop
    "((...))((...))": (2, 2, 0, 0, 0, 0),  # adjacent stems: the exterior loop is no multiloop
    "((...))..((...)).": (2, 2, 0, 0, 0, 0),
    "((((...))((...))))": (3, 2, 0, 0, 1, 0),  # a multiloop without an unpaired base
    "((..((...))))": (2, 1, 1, 0, 0, 0),
    "((((...)).))": (2, 1, 1, 0, 0, 0),
    "((.((...))..))": (2, 1, 0, 1, 0, 0),
    "((.((..((...)).)).))": (3, 1, 0, 2, 0, 0),
    "((..[[[..))...]]]": (1, 1, 0, 0, 0, 1),
    "((((..[[[..))))..((..]]]..))": (2, 2, 0, 0, 0, 1),  # a kissing loop
    "((..[[..{{..))..]]..}}": (1, 1, 0, 0, 0, 2),
    "(((((..[[.[[..)))))..]].]]": (1, 1, 0, 0, 0, 2),  # one order, but not stacked
}


def counts(found: Elements):
    return (
        found.stems,
        found.hairpins,
        found.bulges,
        found.interior_loops,
        found.multiloops,
        found.pseudoknotted_helices,
    )


@pytest.mark.parametrize(("dot_bracket", "expected"), BY_HAND.items())
def test_counts_worked_out_by_hand(dot_bracket, expected):
    assert counts(elements(Structure.from_dot_bracket(dot_bracket))) == expected


@pytest.mark.parametrize(
    ("dot_bracket", "expected"),
    [
        ("....", "ffff"),
        ("..((...)).", "ffsshhhsst"),
        ("((...)).((...))", "sshhhssmsshhhss"),
        ("((..((...)).))", "ssiisshhhssiss"),
        ("((((...)).(...).))", "sssshhhssmshhhsmss"),
        ("(((..[[..)))...]]", "ssshhpphhssstttpp"),
    ],
)
def test_element_string(dot_bracket, expected):
    assert elements(Structure.from_dot_bracket(dot_bracket)).string == expected


@st.composite
def nested(draw, depth=4):
    """Dot-bracket of a nested structure, hairpins of at least one base."""
    parts = draw(st.lists(st.sampled_from([".", "..", "pair"]), max_size=4))
    inside = [f"({draw(nested(depth - 1))})" if part == "pair" and depth else part for part in parts]
    return "".join(inside).replace("pair", ".").replace("()", "(.)")


def loop_of(partner, opening):
    """Unpaired runs and branches of the loop that a pair closes: ([bases per run], branches)."""
    runs, branches, k = [0], 0, opening + 1
    while k < partner[opening]:
        if partner[k] < 0:
            runs[-1] += 1
            k += 1
        else:
            runs.append(0)
            branches += 1
            k = partner[k] + 1
    return runs, branches


@given(nested())
def test_loops_agree_with_a_plain_recursion(dot_bracket):
    structure = Structure.from_dot_bracket(dot_bracket)
    loops = [loop_of(structure.partners, i) for i in structure.pairs[:, 0]]
    found = elements(structure)
    two_way = [runs for runs, branches in loops if branches == 1]
    stacked = sum(sum(runs) == 0 for runs in two_way)
    bulges = sum(sum(runs) > 0 and 0 in runs for runs in two_way)
    assert found.stems == len(loops) - stacked
    assert found.hairpins == sum(branches == 0 for _, branches in loops)
    assert found.bulges == bulges
    assert found.interior_loops == len(two_way) - stacked - bulges
    assert found.multiloops == sum(branches > 1 for _, branches in loops)
    assert len(found.string) == len(structure)
    assert [letter == "s" for letter in found.string] == [k >= 0 for k in structure.partners]


def test_forgi_is_imported_in_silence_and_leaves_its_modules_alone():
    code = (
        "import sys\n"
        "from rnass.elements import elements\n"
        "from rnass.structure import Structure\n"
        "assert not [name for name in sys.modules if name.startswith('forgi')]\n"
        "elements(Structure.from_dot_bracket('((...))'))\n"
        "assert 'forgi.threedee.utilities.cytvec' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_table_of_files(tmp_path):
    (tmp_path / "a.dbn").write_text(">x of y\nGGAAGGAAACCCC\n((..((...))))\n>z\nGAC\n...\n")
    (tmp_path / "b.bpseq").write_text("1 G 5\n2 A 0\n3 A 0\n4 A 0\n5 C 1\n")
    head, *rows = elements_table([tmp_path / "a.dbn", tmp_path / "b.bpseq"]).splitlines()
    assert head.split("\t") == [
        "id",
        "length",
        "stems",
        "hairpins",
        "bulges",
        "interior_loops",
        "multiloops",
        "pseudoknotted_helices",
        "elements",
    ]
    assert [row.split("\t") for row in rows] == [
        ["x", "13", "2", "1", "1", "0", "0", "0", "ssiisshhhssss"],
        ["z", "3", "0", "0", "0", "0", "0", "0", "fff"],
        ["b", "5", "1", "1", "0", "0", "0", "0", "shhhs"],
    ]


def test_a_table_of_a_malformed_file(tmp_path):
    (tmp_path / "a.dbn").write_text(">x\nGAAC\n(..\n")
    with pytest.raises(StructureError, match=r"a\.dbn:3 \(x\): 3 symbols for 4 bases"):
        elements_table([tmp_path / "a.dbn"])
