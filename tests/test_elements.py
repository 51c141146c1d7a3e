"""Counts worked out by hand, by a recursion of a few lines, and by forgi."""

import contextlib
import cProfile
import io
import pstats
import warnings

import pytest
from hypothesis import HealthCheck, assume, given, settings
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
        ("(((..[[..)))...]]", "ssshhpphhsssmmmpp"),
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


@pytest.fixture(scope="module")
def bulge_graph():
    """forgi's decomposition; its import under NumPy 2 complains of a compiled 3-D module."""
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        return pytest.importorskip("forgi.graph.bulge_graph").BulgeGraph


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(nested())
def test_letters_and_counts_are_those_of_forgi(bulge_graph, dot_bracket):
    assume("(" in dot_bracket)
    found = elements(Structure.from_dot_bracket(dot_bracket))
    graph = bulge_graph.from_dotbracket(dot_bracket)
    sides = [graph.get_node_dimensions(loop) for loop in graph.iloop_iterator()]
    junctions = [graph.describe_multiloop(loop) for loop in graph.junctions]
    assert found.string == graph.to_element_string()
    assert counts(found) == (
        sum(1 for _ in graph.stem_iterator()),
        sum(1 for _ in graph.hloop_iterator()),
        sum(0 in unpaired for unpaired in sides),
        sum(0 not in unpaired for unpaired in sides),
        sum("regular_multiloop" in loop for loop in junctions),
        0,
    )


def test_no_base_inside_a_pseudoknot_is_an_end():
    """The first helix is the pseudoknot: equal helices, of which the second is nested."""
    pairs = [(1, 9), (2, 8), (5, 13), (6, 12)]
    structure = Structure(15, pairs)
    assert structure.orders.tolist() == [1, 1, 0, 0]
    assert elements(structure).string == "fppmmsshpphhsst"


TWO_STRANDS = {
    # dot-bracket: the letters, and (stems, hairpins, bulges, interior loops, multiloops)
    "((((((&))))))": ("ssssss&ssssss", (1, 0, 0, 0, 0)),
    "((((((..&.))))))": ("sssssstt&fssssss", (1, 0, 0, 0, 0)),
    ".(((.&(((...))).))).": ("fssst&ssshhhsssmssst", (2, 1, 0, 0, 0)),
    "(((.(((...)))&(((...))).)))": ("sssmssshhhsss&ssshhhsssmsss", (3, 2, 0, 0, 0)),
    "(((&(((...))))))": ("sss&ssshhhssssss", (2, 1, 0, 0, 0)),  # the nick ends a stem
    "((.((&))..))": ("ssiss&ssiiss", (2, 0, 0, 1, 0)),
    "((...))&((...))": ("sshhhss&sshhhss", (2, 2, 0, 0, 0)),
    "..&..": ("ff&ff", (0, 0, 0, 0, 0)),
}


@pytest.mark.parametrize(("dot_bracket", "expected"), TWO_STRANDS.items())
def test_a_loop_that_holds_the_nick_is_exterior(tmp_path, dot_bracket, expected):
    bases = "".join("&" if symbol == "&" else "G" for symbol in dot_bracket)
    (tmp_path / "x.dbn").write_text(f">x\n{bases}\n{dot_bracket}\n")
    row = elements_table([tmp_path / "x.dbn"]).splitlines()[1].split("\t")
    assert (row[-1], tuple(map(int, row[2:7]))) == expected


def test_many_bases_take_a_few_steps_each():
    """Calls of functions, counted: twice the bases, about twice the calls."""

    def calls(repeats):
        structure = Structure.from_dot_bracket("((..((...))..((...))))" * repeats)
        profile = cProfile.Profile()
        profile.runcall(elements, structure)
        return pstats.Stats(profile).total_calls

    assert calls(400) < 2.5 * calls(200)


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
