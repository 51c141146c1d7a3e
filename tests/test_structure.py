import tracemalloc
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnass.errors import StructureError
from rnass.structure import BRACKETS, MAX_ORDER, Structure


@st.composite
def structures(draw, max_length=40, max_pairs=20):
    length = draw(st.integers(0, max_length))
    bases = draw(st.permutations(range(length)))
    pairs = draw(st.integers(0, min(length // 2, max_pairs)))
    return Structure(length, np.array(bases[: 2 * pairs]).reshape(-1, 2))


def crosses(one, other):
    (i, j), (k, m) = sorted([tuple(one), tuple(other)])
    return i < k < j < m


def is_nested(pairs):
    return not any(crosses(*two) for two in combinations(pairs, 2))


def largest_nested_size(pairs):
    """Brute force over all subsets: the oracle for `orders`."""
    return max(
        size
        for size in range(len(pairs) + 1)
        if any(is_nested(subset) for subset in combinations(pairs, size))
    )


@settings(deadline=None)
@given(structures())
def test_dot_bracket_round_trip(structure):
    assert Structure.from_dot_bracket(structure.dot_bracket) == structure


@settings(deadline=None)
@given(structures())
def test_partners_round_trip(structure):
    assert Structure.from_partners(structure.partners) == structure


@settings(deadline=None)
@given(structures())
def test_partners_are_mutual(structure):
    for base, partner in enumerate(structure.partners):
        assert partner == -1 or (partner != base and structure.partners[partner] == base)
    assert (structure.partners >= 0).sum() == 2 * len(structure.pairs)


@settings(deadline=None)
@given(structures(max_length=18, max_pairs=9))
def test_each_order_is_a_largest_nested_subset_of_what_is_left(structure):
    rest = structure.pairs.tolist()
    orders = structure.orders
    for order in range(structure.pseudoknot_order + 1):
        level = structure.pairs[orders == order].tolist()
        assert is_nested(level)
        assert len(level) == largest_nested_size(rest)
        rest = [pair for pair in rest if pair not in level]
    assert rest == []


@settings(deadline=None)
@given(structures())
def test_crossing_agrees_with_the_definition(structure):
    pairs = structure.pairs.tolist()
    expected = [any(crosses(pair, other) for other in pairs) for pair in pairs]
    assert structure.crossing.tolist() == expected


@settings(deadline=None)
@given(structures(), st.integers(0, 3))
def test_up_to_order_keeps_exactly_those_pairs(structure, order):
    kept = structure.up_to_order(order)
    assert kept.pairs.tolist() == structure.pairs[structure.orders <= order].tolist()
    assert kept.pseudoknot_order <= order


@settings(deadline=None)
@given(structures())
def test_pairs_are_sorted_and_read_only(structure):
    pairs = structure.pairs
    assert pairs.shape == (len(pairs), 2)
    assert (pairs[:, 0] < pairs[:, 1]).all()
    assert (np.diff(pairs[:, 0]) > 0).all()
    with pytest.raises(ValueError, match="read-only"):
        pairs[...] = 0


def test_no_pairs_is_a_zero_by_two_array():
    for structure in (Structure(5), Structure(5, []), Structure(5, np.empty((0, 2))), Structure(0)):
        assert structure.pairs.shape == (0, 2)
        assert structure.pseudoknot_order == 0
    assert Structure.from_dot_bracket("").dot_bracket == ""


def test_order_of_input_does_not_matter():
    assert Structure(8, [(6, 1), (7, 0)]) == Structure(8, [(0, 7), (1, 6)])
    assert hash(Structure(8, [(6, 1)])) == hash(Structure(8, [(1, 6)]))
    assert Structure(8, [(1, 6)]) != Structure(9, [(1, 6)])
    assert Structure(2).__eq__("..") is False


H_TYPE = [(0, 9), (1, 8), (4, 14), (5, 13), (6, 12)]


def test_the_larger_helix_is_nested():
    # H-type pseudoknot: the 3' helix has more pairs, so it is the one in round brackets
    assert Structure(15, H_TYPE).dot_bracket == "[[..(((.]]..)))"


def test_brackets_that_were_read_decide_which_helix_is_the_pseudoknot():
    read = Structure.from_dot_bracket("((..[[[.))..]]]")
    assert read == Structure(15, H_TYPE)
    assert read.dot_bracket == "((..[[[.))..]]]"
    assert read.up_to_order(0).dot_bracket == "((......))....."
    assert Structure.from_dot_bracket("[[..AAA.]]..aaa").dot_bracket == "((..[[[.))..]]]"


@pytest.mark.parametrize("text", ["[[...]]", "<.>{..}[...]", "A(.)a"])
def test_brackets_of_pairs_that_cross_nothing_state_nothing(text):
    assert Structure.from_dot_bracket(text).pseudoknot_order == 0


@settings(deadline=None)
@given(structures(), st.permutations(range(20)))
def test_orders_of_stated_levels(structure, shuffled):
    """Of two pairs that cross, the one of the lower level has the lower order."""
    orders = structure.orders
    levels = np.array(shuffled)[orders]
    stated = Structure(len(structure), structure.pairs, levels=levels)
    for k, pair in enumerate(stated.pairs):
        for m, other in enumerate(stated.pairs):
            if crosses(pair, other):
                assert (stated.orders[k] < stated.orders[m]) == (levels[k] < levels[m])
                assert stated.orders[k] != stated.orders[m]


@settings(deadline=None)
@given(structures(max_length=18, max_pairs=9), st.integers(1, 4), st.integers(1, 3))
def test_longer_stems_and_unpaired_bases_change_no_order(structure, repeat, gap):
    """Each pair drawn out to a stem of *repeat* pairs, each base followed by unpaired ones."""
    step = repeat * gap
    pairs = [
        (i * step + k * gap, j * step + (repeat - 1 - k) * gap)
        for i, j in structure.pairs.tolist()
        for k in range(repeat)
    ]
    long = Structure(len(structure) * step, pairs)
    orders = dict(zip(map(tuple, long.pairs.tolist()), long.orders.tolist(), strict=True))
    assert [orders[pairs[k * repeat]] for k in range(len(structure.pairs))] == structure.orders.tolist()
    assert long.crossing.sum() == repeat * structure.crossing.sum()


def test_memory_of_a_large_structure_grows_with_its_pairs():
    """Two helices of 10,000 pairs that cross, in 1/40 of what a square of pairs would take."""
    half = 10_000
    one = [(k, 3 * half - 1 - k) for k in range(half)]
    two = [(half + k, 4 * half - 1 - k) for k in range(half)]
    structure = Structure(4 * half, one + two)
    tracemalloc.start()
    assert structure.crossing.all()
    assert structure.pseudoknot_order == 1
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < (2 * half) ** 2 / 40


def test_every_level_of_brackets_is_distinct_and_closes_itself():
    symbols = "".join(BRACKETS)
    assert len(set(symbols)) == len(symbols) == 2 * (MAX_ORDER + 1) == 60
    for opening, closing in BRACKETS:
        assert Structure.from_dot_bracket(f"{opening}.{closing}").pairs.tolist() == [[0, 2]]


@pytest.mark.parametrize(("levels", "fits"), [(MAX_ORDER + 1, True), (MAX_ORDER + 2, False)])
def test_as_many_levels_as_there_are_brackets(levels, fits):
    structure = Structure(2 * levels, [(k, k + levels) for k in range(levels)])  # all cross all
    assert structure.pseudoknot_order == levels - 1
    if fits:
        assert Structure.from_dot_bracket(structure.dot_bracket) == structure
    else:
        with pytest.raises(StructureError, match=f"order {levels - 1}; dot-bracket expresses at most"):
            _ = structure.dot_bracket


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("())", r"s: '\)' at base 3 closes nothing; expected a '\(' before it"),
        ("(()", r"s: '\(' at base 1 is never closed; expected a '\)' after it"),
        ("([)", r"s: '\[' at base 2 is never closed"),
        ("(]", r"s: '\]' at base 2 closes nothing"),
        ("Ba", "s: 'a' at base 2 closes nothing; expected a 'A' before it"),
        ("(-)", "s: symbol '-' at base 2; expected '.' or a bracket"),
        ("(.) ", "s: symbol ' ' at base 4"),
    ],
)
def test_bad_dot_bracket(text, message):
    with pytest.raises(StructureError, match=message):
        Structure.from_dot_bracket(text, "s")


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([(0, 8)], r"pair \(1, 9\) is out of range; expected bases 1 to 8"),
        ([(-1, 3)], r"pair \(0, 4\) is out of range"),
        ([(2, 2)], "base 3 stands in 2 places"),
        ([(0, 7), (7, 1)], "base 8 stands in 2 places"),
        ([(0, 7), (7, 0)], "base 1 stands in 2 places"),
        ([(0.5, 7)], r"pairs: 0\.5; expected whole numbers"),
        ([(0, np.inf)], "pairs: inf; expected whole numbers"),
        ([("a", "b")], "pairs: .*'a'.*; expected whole numbers"),
        ([0, 7], r"pairs: shape \(2,\); expected \(n, 2\)"),
        ([(0, 1, 2)], r"pairs: shape \(1, 3\); expected \(n, 2\)"),
        ([(0, 7), (1,)], r"pairs: rows of unequal lengths; expected shape \(n, 2\)"),
    ],
)
def test_bad_pairs(pairs, message):
    with pytest.raises(StructureError, match=message):
        Structure(8, pairs)


@pytest.mark.parametrize("length", [-1, 8.7, "8", None])
def test_bad_lengths(length):
    with pytest.raises(StructureError, match=f"length {length!r}; expected a whole number of bases"):
        Structure(length)


@pytest.mark.parametrize("levels", [[], [0, 1], [[0]]])
def test_levels_are_one_for_each_pair(levels):
    with pytest.raises(StructureError, match=r"levels: shape .*; expected \(1\)"):
        Structure(8, [(0, 7)], levels=levels)


def test_whole_numbers_of_any_type_are_taken():
    wanted = Structure(8, [(0, 7)])
    assert Structure(8, np.array([[0.0, 7.0]])) == Structure(8, np.array([[7, 0]], np.int8)) == wanted
    assert Structure.from_partners(np.array([3.0, -1, -1, 0])) == Structure(4, [(0, 3)])


@pytest.mark.parametrize(
    ("partners", "message"),
    [
        ([1, -1], "base 1: its partner 2 does not name it back"),
        ([1, 2, 0], "base 1: its partner 2 does not name it back"),
        ([3, -1], "base 1: partner 4 is out of range; expected 1 to 2"),
        ([0, -1], "base 1 stands in 2 places"),
        ([-1, -5], "base 2: partner -4 is out of range"),
        ([3.5, -1], r"partners: 3\.5; expected whole numbers"),
        ([np.nan, -1], "partners: nan; expected whole numbers"),
        ([[0, 1]], r"partners: shape \(1, 2\); expected \(n\)"),
    ],
)
def test_bad_partners(partners, message):
    with pytest.raises(StructureError, match=message):
        Structure.from_partners(partners)


def test_a_structure_holds_its_own_pairs_and_no_others():
    structure = Structure.from_dot_bracket("((..[[))..]]")
    others = np.array([[0, 6], [0, 1], [2, 3], [4, 10]])
    assert structure.holds(structure.pairs).all()
    assert structure.holds(others).tolist() == [False, False, False, False]
    assert structure.holds(np.zeros((0, 2), dtype=np.int64)).shape == structure.holds([]).shape == (0,)
    assert structure.holds([(0, 7), (7, 0), (0, 6)]).tolist() == [True, True, False]
